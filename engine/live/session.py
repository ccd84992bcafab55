"""One page's program at work, which goes on from where it is."""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from typing import NamedTuple, cast

from engine.errors import PageError
from engine.live.edits import placed
from engine.live.results import is_as_meant, said
from engine.program import Block, Program, script
from engine.run.check import BYTES_ALLOWED
from engine.run.results import BlockRun
from engine.run.session import Session
from engine.run.workers import Workers

STOPPED = "Stopped."


class Notice(NamedTuple):
    """Something that a reader is to know before a run."""

    words: str


class Begun(NamedTuple):
    """A block, counted from 1, is being carried out."""

    number: int


class Done(NamedTuple):
    """A block has done something, good or bad."""

    number: int
    block: Block
    run: BlockRun


class Ended(NamedTuple):
    """The program has come to an end at a block, and why."""

    number: int
    why: str


Event = Notice | Begun | Done | Ended


class PageSession:
    """A process that carries out a page's blocks, and what they did."""

    def __init__(self, workers: Workers, path: Path) -> None:
        self.path = path
        self.done: list[tuple[Block, BlockRun]] = []
        self.busy = threading.Lock()
        self.is_over = False
        self._workers = workers
        self._stop = threading.Event()
        self._why = STOPPED
        self._ends = contextlib.ExitStack()
        self._session: Session | None = None

    def leads_to(self, blocks: Sequence[Block]) -> bool:
        """Return whether these blocks are those done and at least one."""
        done = [block for block, _ in self.done]
        if self.is_over or len(done) >= len(blocks):
            return False
        return done == [*blocks[: len(done)]]

    def go_on(self, blocks: Sequence[Block]) -> Iterator[Event]:
        """Carry out those of the blocks that are not done; tell of all."""
        for number, (block, run) in enumerate(self.done, 1):
            yield Done(number, block, run)
        for block in blocks[len(self.done) :]:
            number = len(self.done) + 1
            yield Begun(number)
            try:
                run = self._carry_out(block, number, blocks)
            except CancelledError:
                self.is_over = True
                yield Ended(number, self._why)
                return
            except PageError as error:
                self.is_over = True
                yield Ended(number, said(error))
                return
            self.done.append((block, run))
            self.is_over = not is_as_meant(block, run)
            yield Done(number, block, run)
            if self.is_over:
                return

    def stop(self, why: str) -> None:
        """Let what runs end, at once."""
        self._why = why
        self._stop.set()

    def is_spent(self) -> bool:
        """Return whether its process has ended, or writes without end."""
        if self._session is None:
            return False
        with contextlib.suppress(OSError):
            printed = self._session.output.stat().st_size
            return printed > 50 * BYTES_ALLOWED or self._session.keeper.poll()
        return True

    def close(self) -> None:
        """End the process and all that it has started."""
        self.is_over = True
        self._ends.close()

    def _carry_out(
        self, block: Block, number: int, blocks: Sequence[Block]
    ) -> BlockRun:
        if self._stop.is_set():
            raise CancelledError
        if self._session is None:
            program = Program(self.path, tuple(blocks))
            session = self._workers.session(program, self._stop)
            self._session = self._ends.enter_context(session)
        folder = self._session.output.parent
        # What the reader would have in the end, for those who look there.
        whole = folder / "run" / f"{self.path.stem}.py"
        whole.write_text(script(blocks), encoding="utf-8")
        step = placed(block, number, folder)
        return cast(BlockRun, self._session.carry_out(step))
