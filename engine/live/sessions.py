"""The sessions of all pages: at most as many as the machine has cores."""

import threading
from collections.abc import Iterator, Mapping, Sequence

from engine.live.edits import edited, unplaced
from engine.live.session import Event, Notice, PageSession
from engine.program import Block, Program
from engine.run.workers import Workers

SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_TO_END = 10.0
AGAIN = "so the program started anew from the top."
MADE_ROOM = f"Another page needed the room of this page's session, {AGAIN}"
CHANGED = f"The page has changed, {AGAIN}"
GONE = f"This page's session had ended by itself, {AGAIN}"
BUSY = "This page runs in another tab. Stop it there, or wait for its end."
ENDING = "The server has ended."


class Refusal(Exception):
    """Why nothing runs; its text is for the reader."""


class Sessions:
    """Keeps a session for each page that was run; used by any thread."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.programs: dict[str, Program] = {}
        """What stands at the addresses of the site."""
        self._workers: Workers | None = None
        self._open: dict[str, PageSession] = {}
        """Those in use, the one unused for longest first."""
        self._ended: dict[str, str] = {}
        """Why there is none any more; told when it is used again."""
        self._lock = threading.Lock()
        self._ending = threading.Event()
        watch = threading.Thread(target=self._watch, daemon=True)
        watch.start()

    def update(
        self, programs: Mapping[str, Program], workers: Workers
    ) -> None:
        """Take what the site now shows; end what is of no use for it."""
        with self._lock:
            changed = [
                page
                for page in self._open
                if _blocks(programs.get(page)) != self._blocks(page)
            ]
            self.programs, self._workers = dict(programs), workers
            leaving = [self._take_out(page, CHANGED) for page in changed]
        _end(leaving, "The page has changed.")

    def warm(self) -> None:
        """Get ready, so that the first run need not wait for it."""
        if self._workers and not self._ending.is_set():
            self._workers.warm(self._ending)

    def edited(self, page: str, edits: Mapping[int, str]) -> list[Block]:
        """Return the page's blocks with these codes."""
        return edited(self._blocks(page), edits)

    def run(self, page: str, blocks: Sequence[Block]) -> Iterator[Event]:
        """Carry out the page's blocks, as far as they are not done.

        Raises Refusal before the first event if it cannot.
        """
        session, notice = self._session(page, blocks)
        try:
            if notice:
                yield Notice(notice)
            yield from session.go_on(blocks)
        finally:
            if session.is_over:
                self._drop(page, session)
            session.busy.release()

    def stop(self, page: str, why: str) -> None:
        """Let what the page runs end; its state is gone."""
        with self._lock:
            session = self._open.get(page)
        if session and session.busy.locked():
            session.stop(why)

    def close(self) -> None:
        """End all that runs, for good."""
        with self._lock:
            self._ending.set()
            pages = list(self._open)
            leaving = [self._take_out(page, "") for page in pages]
        _end(leaving, ENDING)

    def _session(
        self, page: str, blocks: Sequence[Block]
    ) -> tuple[PageSession, str]:
        """Return a session that nobody uses, and what is to be said of it."""
        leaving = []
        with self._lock:
            if self._ending.is_set() or self._workers is None:
                raise Refusal(ENDING)
            session = self._open.get(page)
            if session and not session.busy.acquire(blocking=False):
                raise Refusal(BUSY)
            if session is None or not session.leads_to(blocks):
                if session:
                    leaving.append(self._open.pop(page))
                elif len(self._open) >= self.most:
                    leaving.append(self._longest_unused())
                path = self.programs[page].path
                session = PageSession(self._workers, path)
                session.busy.acquire()
            self._open.pop(page, None)
            self._open[page] = session  # the last to go
            notice = self._ended.pop(page, "")
        for other in leaving:
            other.close()
        return session, notice

    def _longest_unused(self) -> PageSession:
        for page, session in self._open.items():
            if not session.busy.locked():
                return self._take_out(page, MADE_ROOM)
        raise Refusal(
            f"Other pages run, as many as this machine has cores "
            f"({self.most}). Stop one, or wait for its end."
        )

    def _take_out(self, page: str, why: str) -> PageSession:
        self._ended[page] = why
        return self._open.pop(page)

    def _drop(self, page: str, session: PageSession) -> None:
        with self._lock:
            if self._open.get(page) is session:
                del self._open[page]
        session.close()

    def _blocks(self, page: str) -> list[Block]:
        return _blocks(self.programs.get(page))

    def _watch(self) -> None:
        """End those that nobody uses and that do not keep still."""
        while not self._ending.wait(SECONDS_BETWEEN_LOOKS):
            with self._lock:
                spent = [
                    page
                    for page, session in self._open.items()
                    if not session.busy.locked() and session.is_spent()
                ]
                leaving = [self._take_out(page, GONE) for page in spent]
            for session in leaving:
                session.close()


def _blocks(program: Program | None) -> list[Block]:
    return [unplaced(block) for block in program.blocks] if program else []


def _end(sessions: Sequence[PageSession], why: str) -> None:
    """Stop what runs; close when it has ended."""
    for session in sessions:
        session.stop(why)
    for session in sessions:
        if session.busy.acquire(timeout=SECONDS_TO_END):
            session.close()
            session.busy.release()
