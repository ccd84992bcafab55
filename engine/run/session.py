"""A program at work: what it is asked, and within which limits."""

import contextlib
import os
import signal
import threading
import time
from concurrent.futures import CancelledError
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, cast

from engine.errors import PageError
from engine.program import SECONDS_ALLOWED, Block, Program, Step
from engine.run.check import BYTES_ALLOWED, TOO_LONG, fault
from engine.run.results import StepRun, Stuck
from engine.run.worker import Job

TICK = 0.1


class Session:
    """A program in a process of its own, where its names stay."""

    def __init__(
        self,
        program: Program,
        job: Job,
        steps: Connection,
        keeper: Connection,
        stop: threading.Event | None,
    ) -> None:
        self.program = program
        self.output = Path(job.folder, "output")
        self.script = Path(job.script)
        self.shorten = job.shorten
        self.steps, self.keeper = steps, keeper
        self.stop = stop
        self.group = 0
        """The number of the group of the program's processes."""

    def start(self) -> None:
        """Wait until the process is ready."""
        self.group = self._receive(None)

    def carry_out(self, step: Step) -> StepRun:
        """Return what the step did, good or bad.

        Raises PageError for a step that prints without end, runs past its
        limit or ends the process, and CancelledError once it is stopped.
        """
        return cast(StepRun, self._ask(step, step))

    def end(self, last: Step) -> bytes:
        """Wait for the program's end; return what it printed meanwhile."""
        return cast(bytes, self._ask(None, last))

    def _ask(self, order: Step | None, at: Step) -> Any:
        # Why nobody is there to take it is found out below.
        with contextlib.suppress(OSError):
            self.steps.send(order)
        answer = self._receive(at)
        if isinstance(answer, Stuck):
            raise fault(self.program, at, *answer.args)
        return answer

    def _receive(self, at: Step | None) -> Any:
        allowed = SECONDS_ALLOWED
        if isinstance(at, Block):
            allowed = at.seconds_allowed
        deadline = time.monotonic() + allowed
        while not (ready := wait([self.steps, self.keeper], TICK)):
            if self.stop and self.stop.is_set():
                raise CancelledError
            if self._printed() > 50 * BYTES_ALLOWED:
                raise fault(self.program, at, *TOO_LONG)
            if time.monotonic() > deadline:
                problem = f"ran longer than its limit of {allowed:g} s"
                hint = 'make it shorter, or allow more with limit="…" seconds'
                raise fault(self.program, at, problem, hint)
        if self.steps in ready:
            with contextlib.suppress(EOFError, OSError):
                return self.steps.recv()
        raise self._ended(at)

    def _printed(self) -> int:
        return self.output.stat().st_size if self.output.exists() else 0

    def _ended(self, at: Step | None) -> PageError:
        try:
            code = exit_code(self.keeper)
        except PageError as error:
            self._kill()
            return error
        problem = f"ended its own process (exit code {code})"
        hint = (
            "take out what kills or exits the process, or needs more memory "
            "than there is"
        )
        return fault(self.program, at, problem, hint)

    def _kill(self) -> None:
        """Do what the keeper would have done, had nobody ended it."""
        with contextlib.suppress(ProcessLookupError):
            if self.group:
                os.killpg(self.group, signal.SIGKILL)


def exit_code(keeper: Connection) -> int:
    """Wait for a process's end; return its exit code.

    Raises PageError if it did not begin, or if nobody knows.
    """
    try:
        code: int | str = keeper.recv()
    except (EOFError, OSError):
        raise PageError(
            "the process that starts programs was ended",
            hint="let nothing end it",
        ) from None
    if isinstance(code, str):
        hint = "name modules that are installed"
        raise PageError(code, hint=hint, path="mkdocs.yml")
    return code
