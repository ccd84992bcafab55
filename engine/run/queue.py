"""Programs run side by side, those that last the longest first."""

import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from functools import partial
from queue import PriorityQueue
from typing import TypeVar

from engine.program import Program
from engine.run.report import Reporter
from engine.run.results import StepRun
from engine.run.workers import Workers

T = TypeVar("T")


class Queue(AbstractContextManager["Queue"]):
    """Runs as many programs at a time as there are jobs."""

    def __init__(self, workers: Workers, jobs: int, tell: Reporter) -> None:
        self._workers = workers
        self._tell = tell
        self._stop = threading.Event()
        self._numbers = itertools.count()
        self._waiting: PriorityQueue[
            tuple[float, int, int, Callable[[], None] | None]
        ] = PriorityQueue()
        # Daemons, so that no end of the main thread waits for a program.
        self._threads = [
            threading.Thread(target=self._work, daemon=True)
            for _ in range(jobs)
        ]
        for thread in self._threads:
            thread.start()

    def __exit__(self, *exception: object) -> None:
        self.close()

    def submit(
        self,
        program: Program,
        last_seconds: float,
        done: Callable[[list[StepRun], float], T],
    ) -> Future[T]:
        """Let the program run; return what ``done`` will make of its runs.

        ``done`` is given the seconds that they took, too, and is called
        in a thread of the queue.  ``last_seconds`` is how long the program
        took the last time, infinite if that is not known; then the one
        with the most blocks is taken for the longest.
        """
        future: Future[T] = Future()

        def task() -> None:
            if self._stop.is_set():
                future.cancel()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(done(*self._run(program)))
                except BaseException as error:
                    future.set_exception(error)

        blocks, number = len(program.blocks), next(self._numbers)
        self._waiting.put((-last_seconds, -blocks, number, task))
        return future

    def close(self) -> None:
        """End what runs and cancel what waits; return when all has ended."""
        self._stop.set()
        for _ in self._threads:
            number = next(self._numbers)
            self._waiting.put((float("inf"), 0, number, None))
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        # Meanwhile the longest arrives, which is to start first.
        self._workers.warm(self._stop)
        while task := self._waiting.get()[-1]:
            task()

    def _run(self, program: Program) -> tuple[list[StepRun], float]:
        self._tell.started(program)
        start = time.monotonic()
        seconds = None
        try:
            step = partial(self._tell.step, program)
            runs = self._workers.run(program, step, self._stop)
            seconds = time.monotonic() - start
        finally:
            self._tell.ended(program, seconds)
        return runs, seconds
