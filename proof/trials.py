"""Try changes out, each in a process forked from one that is warm.

TensorFlow takes seconds to import, a test often less.  So one process
imports it, runs no operation, and forks another for each trial, which
imports the project from a copy of its files that has the change in it.
Whatever a trial starts is ended with it.  Linux only.
"""

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import coverage
import pytest

from proof.mutations import Mutation

PROJECT = ("bench", "docs", "engine", "proof", "snippets", "tests", "theme")
ENVIRONMENT = {
    # A change and its undoing may fall into one second, and what Python
    # compiled is known by the second.
    "PYTHONDONTWRITEBYTECODE": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
SET_CHILD_SUBREAPER = 36
TICK = 0.05
QUIET = ("-q", "-p", "no:cacheprovider")

SETTINGS = """\
[run]
source =
    {tree}/engine
    {tree}/snippets
parallel = true
concurrency = multiprocessing, thread
context = ${{REACHED_BY-}}
sigterm = true
patch = execv
disable_warnings = no-data-collected
"""
"""Of coverage, for a process of a trial and all that it starts."""

Answer = dict[str, Any]
Lines = dict[str, dict[int, list[str]]]


def warm_up() -> None:
    """Import what all trials need and nothing of the project."""
    os.environ.update(ENVIRONMENT)
    sys.dont_write_bytecode = True
    import keras  # noqa: F401
    import matplotlib.pyplot  # noqa: F401
    import mkdocs.commands.build  # noqa: F401
    import tensorflow  # noqa: F401


@contextlib.contextmanager
def changed(tree: Path, mutation: Mutation) -> Iterator[None]:
    """Have the change in the copy for a while."""
    path = tree / mutation.path
    before = path.read_text("utf-8")
    path.write_text(mutation.apply(before), "utf-8")
    try:
        yield
    finally:
        path.write_text(before, "utf-8")


def apart(
    work: Callable[..., Answer], tree: Path, what: Any, seconds: float
) -> Answer:
    """Return what ``work`` answers in a process of its own.

    If it gives no answer within the seconds, or dies, the answer has the
    one key ``ended``, which says so.
    """
    ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(work, tree, what, theirs))
    process.start()
    theirs.close()
    try:
        deadline = time.monotonic() + seconds
        while not ours.poll(TICK):
            if time.monotonic() > deadline:
                return {"ended": f"took longer than {seconds:.0f} s"}
            _reap_orphans(process.pid)
        answer: Answer = ours.recv()
        return answer
    except EOFError:
        return {"ended": "ended its own process"}
    finally:
        ours.close()
        process.join(1)
        _end_children()
        process.join()


class _Failures:
    """The tests, or files of tests, that fail, and how."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    def pytest_runtest_logreport(
        self, report: pytest.TestReport | pytest.CollectReport
    ) -> None:
        if report.failed:
            self.found.setdefault(report.nodeid, report.longreprtext)

    pytest_collectreport = pytest_runtest_logreport


class _Watch:
    """What each test reaches, in this process and in those that it starts."""

    def __init__(self, tree: Path, folder: Path) -> None:
        self.tree = tree
        self.test = ""
        self.seconds: dict[str, float] = {}
        settings = folder / "coverage.ini"
        settings.write_text(SETTINGS.format(tree=tree))
        os.environ["COVERAGE_PROCESS_START"] = str(settings)
        os.environ["REACHED_BY"] = ""
        os.environ["COVERAGE_FILE"] = str(folder / "reached")
        self.coverage = coverage.Coverage(config_file=str(settings))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        start = time.monotonic()
        self.test = item.nodeid
        self._name(self.test)
        try:
            return (yield)
        finally:
            self._name("")
            self.seconds[item.nodeid] = time.monotonic() - start

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any]
    ) -> Iterator[None]:
        if fixturedef.scope != "function":
            self._name("")
        try:
            return (yield)
        finally:
            self._name(self.test)

    def reached(self) -> Lines:
        """Stop to watch; return for each file and line who reached it."""
        self.coverage.stop()
        self.coverage.combine()
        data = self.coverage.get_data()
        return {
            str(Path(path).relative_to(self.tree)): (
                data.contexts_by_lineno(path)
            )
            for path in data.measured_files()
        }

    def _name(self, test: str) -> None:
        self.coverage.switch_context(test)
        os.environ["REACHED_BY"] = test


def learn(tree: Path, file: str) -> Answer:
    """Pass a file of tests; return the seconds and the lines of each test.

    ``lines`` has for each file and line the tests that reach it; what is
    reached when tests are collected, or what they share is set up, has the
    empty name.
    """
    failures = _Failures()
    with tempfile.TemporaryDirectory() as folder:
        watch = _Watch(tree, Path(folder))
        watch.coverage.start()
        pytest.main([*QUIET, file], plugins=[failures, watch])
        lines = watch.reached()
    failed = [f"{name}: {how}" for name, how in failures.found.items()]
    return {"seconds": watch.seconds, "lines": lines, "failed": failed}


def first_failure(tree: Path, tests: list[str]) -> Answer:
    """Run tests until one fails; ``noticed`` names it, or nothing."""
    failures = _Failures()
    code = pytest.main(["-x", *QUIET, *tests], plugins=[failures])
    otherwise = "collecting the tests" if code else ""
    return {"noticed": next(iter(failures.found), otherwise)}


def page_differs(tree: Path, page: str) -> Answer:
    """Run a page; ``noticed`` says in what it is not as kept, if it is."""
    from engine.build.author import read_all
    from engine.errors import EngineError
    from engine.read.imports import check_imports
    from engine.run.workers import Workers
    from proof.expected import slug
    from proof.inside import told_of

    start = time.monotonic()
    try:
        program = {slug(p.program): p.program for p in read_all(tree)}[page]
        paths = {block.section.path for block in program.blocks}
        modules = [path for path in paths if path.suffix == ".py"]
        told = list(map(str, check_imports(tree, modules, tree / ".cache")))
        with Workers(tree, tree / ".cache") as workers:
            told = told or told_of(tree, program, workers)
    except EngineError as error:
        told = [str(error)]
    return {
        "noticed": told[0] if told else "",
        "seconds": time.monotonic() - start,
    }


def _answer(
    work: Callable[..., Answer], tree: Path, what: Any, pipe: Connection
) -> None:
    os.setpgid(0, 0)
    # Whoever starts in the background ignores it, and so do all children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _silence()
    _import_from(tree)
    os.chdir(tree)
    pipe.send(work(tree, what))


def _silence() -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)


def _import_from(tree: Path) -> None:
    """Forget the project as it is here, and import it from the copy."""
    for name in list(sys.modules):
        if name.partition(".")[0] in PROJECT:
            del sys.modules[name]
    sys.path.insert(0, str(tree))
    os.environ["PYTHONPATH"] = str(tree)


def _children() -> list[int]:
    path = Path(f"/proc/self/task/{os.getpid()}/children")
    return [int(child) for child in path.read_text().split()]


def _reap_orphans(trial: int | None) -> None:
    """Let what has ended be gone, as tests wait for it to be."""
    for child in _children():
        if child != trial:
            os.waitpid(child, os.WNOHANG)


def _end_children() -> None:
    """Kill all that this process has, and what they leave to it."""
    while found := _children():
        for child in found:
            os.kill(child, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, 0)
