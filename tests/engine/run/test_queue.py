"""Programs run side by side, the longest first."""

import threading
from concurrent.futures import CancelledError
from io import StringIO
from pathlib import Path

import pytest

from engine.errors import PageError
from engine.program import Program
from engine.run.queue import Queue
from engine.run.report import Reporter
from engine.run.results import BlockRun, StepRun
from tests.engine.run.programs import Page, program


def named(page: Page, name: str, code: str) -> Program:
    return program(page.root, code, page=Path(f"docs/{name}.md"))


def printed(runs: list[StepRun], seconds: float) -> tuple[str, bool]:
    (run,) = runs
    assert isinstance(run, BlockRun)
    return run.output.decode(), seconds > 0


def test_what_is_done_with_the_runs_is_the_result(page: Page) -> None:
    with Queue(page.workers, 1, Reporter(StringIO())) as queue:
        future = queue.submit(named(page, "a", "print('a')"), 1.0, printed)
        assert future.result(60) == ("a\n", True)


def test_programs_run_at_the_same_time(page: Page, tmp_path: Path) -> None:
    """Each waits for what the other writes."""
    codes = [
        "import pathlib, time\n"
        f"pathlib.Path({str(tmp_path)!r}, '{mine}').touch()\n"
        f"while not pathlib.Path({str(tmp_path)!r}, '{other}').exists():\n"
        "    time.sleep(0.01)\nprint('met')"
        for mine, other in ("ab", "ba")
    ]
    with Queue(page.workers, 2, Reporter(StringIO())) as queue:
        futures = [
            queue.submit(named(page, f"p{n}", code), 1.0, printed)
            for n, code in enumerate(codes)
        ]
        assert [f.result(60)[0] for f in futures] == ["met\n", "met\n"]


def test_the_longest_of_those_that_wait_is_first(page: Page) -> None:
    words = StringIO()
    held, go = threading.Event(), threading.Event()

    def hold(runs: list[StepRun], seconds: float) -> None:
        held.set()
        go.wait(60)

    with Queue(page.workers, 1, Reporter(words)) as queue:
        queue.submit(named(page, "first", "x = 1"), 9.0, hold)
        assert held.wait(60)
        last = {"short": 1.0, "long": 5.0, "new": float("inf"), "same": 1.0}
        futures = [
            queue.submit(named(page, name, "x = 1"), seconds, printed)
            for name, seconds in last.items()
        ]
        go.set()
        for future in futures:
            future.result(60)
    begun = [w[8:-2] for w in words.getvalue().splitlines() if w[0] == "R"]
    order = ["first", "new", "long", "short", "same"]
    assert begun == [f"docs/{name}.md" for name in order]


def test_a_program_that_fails_does_not_stop_the_others(page: Page) -> None:
    words = StringIO()
    with Queue(page.workers, 1, Reporter(words)) as queue:
        bad = queue.submit(named(page, "bad", "1 / 0"), 2.0, printed)
        good = queue.submit(named(page, "good", "print(1)"), 1.0, printed)
        assert good.result(60)[0] == "1\n"
        with pytest.raises(PageError, match="raised ZeroDivisionError"):
            bad.result(60)
    assert "docs/bad.md: 1 blocks" not in words.getvalue()
    assert "docs/good.md: 1 blocks" in words.getvalue()


def test_a_fault_in_what_is_done_with_the_runs(page: Page) -> None:
    def fail(runs: list[StepRun], seconds: float) -> None:
        raise OSError("disk full")

    with Queue(page.workers, 1, Reporter(StringIO())) as queue:
        future = queue.submit(named(page, "a", "x = 1"), 1.0, fail)
        with pytest.raises(OSError, match="disk full"):
            future.result(60)


def test_closing_ends_what_runs_and_cancels_what_waits(page: Page) -> None:
    queue = Queue(page.workers, 1, Reporter(StringIO()))
    code = "import time\ntime.sleep(600)"
    runs = queue.submit(named(page, "a", code), 2.0, printed)
    waits = queue.submit(named(page, "b", "x = 1"), 1.0, printed)
    while not runs.running():
        pass
    queue.close()
    assert waits.cancelled()
    with pytest.raises(CancelledError):
        runs.result(0)
