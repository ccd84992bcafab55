"""One page's program at work, which goes on from where it is."""

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from engine.errors import PageError
from engine.live.edits import placed
from engine.live.results import is_as_meant, said
from engine.program import Block, Program, script
from engine.run.check import BYTES_ALLOWED
from engine.run.results import BlockRun
from engine.run.session import Session
from engine.run.workers import Workers

STOPPED = "Stopped."
UNSAVED = "the block cannot be saved in the program's folder"


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
    printed: bytes


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
        self._output: BinaryIO | None = None

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
            # Whatever happens now, only a good end lets it go on.
            self.is_over = True
            try:
                run = self._carry_out(block, number, blocks)
            except CancelledError:
                yield Ended(number, self._why, self._printed())
                return
            except PageError as error:
                yield Ended(number, said(error), self._printed())
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
        session = self._session or self._start(blocks)
        folder = session.output.parent
        # What the reader would have in the end, for those who look there.
        try:
            session.script.write_text(script(blocks), encoding="utf-8")
            step = placed(block, number, folder)
        except OSError as error:
            raise PageError(f"{UNSAVED}: {error.strerror}", hint="") from None
        if self._output:
            self._output.seek(0, os.SEEK_END)
        return cast(BlockRun, session.carry_out(step))

    def _start(self, blocks: Sequence[Block]) -> Session:
        program = Program(self.path, tuple(blocks))
        starting = self._workers.session(program, self._stop)
        session = self._ends.enter_context(starting)
        self._session = session
        # Once it is open, it can be read when the folder is gone.
        output = session.output.open("rb")
        self._output = self._ends.enter_context(output)
        return session

    def _printed(self) -> bytes:
        """Return what the last block printed, of too much the beginning."""
        if self._session is None or self._output is None:
            return b""
        printed = self._output.read(BYTES_ALLOWED)
        return os.fsencode(self._session.shorten(os.fsdecode(printed)))
