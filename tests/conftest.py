"""What all tests share: the built site."""

import gc
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage
from filelock import FileLock

LONG = 120
"""After so many seconds it is said which tests took them."""
DEAREST = (
    "tests/site/test_builds.py",
    "tests/site/test_copy.py",
    "tests/browser/",
    "tests/way_out/",
    "tests/explorer/test_keras.py",
    "tests/pages/",
    "tests/tools/",
    "tests/engine/kinds/",
    "tests/snippets/test_scripts.py",
)
"""What takes longest, and begins first where tests run side by side."""

MEASURED = (
    "tests/snippets/",
    "tests/engine/",
    "tests/tools/",
    "tests/pages/",
    "tests/claims/test_means.py",
)
"""Whose tests count as coverage; to follow others costs a third of them."""

_paused: list[Coverage] = []

REPOSITORY = Path(__file__).parents[1]
PUBLISHED = {
    # The page for wrong addresses needs to know where the site stands.
    "SITE_URL": "https://docs.example/repo/",
    "SOURCE_DATE_EPOCH": "1700000000",
}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the site, built from the repository."""
    return built_once(tmp_path_factory, "site", PUBLISHED)


@pytest.fixture(scope="session")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the copy that is read without a server."""
    return built_once(tmp_path_factory, "offline", {"OFFLINE": "true"})


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A browser for all rooms: Playwright bears to be started only once."""
    from tests.browser.conftest import launched  # missing with old versions

    with launched() as browser:
        yield browser


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Keep pytest's stream open, before any fixture builds a site.

    mkdocs-jupyter makes logging close its handlers, and TensorFlow's, if it
    was imported, closes with it the stream that it found at that time.
    """
    if logging := sys.modules.get("absl.logging"):
        handler = logging.get_absl_handler().python_handler
        handler.stream = sys.__stderr__


def built_once(
    factory: pytest.TempPathFactory, name: str, variables: dict[str, str]
) -> Path:
    """Return the repository's site, which the first who asks builds.

    The tests run side by side, and two builds at once are a fault.
    """
    # Where other versions are tried out, there is no generator.
    from engine.__main__ import main

    shared = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder = shared / "repository" / name
    cache = REPOSITORY / ".cache"
    cache.mkdir(exist_ok=True)
    command = ["--root", str(REPOSITORY), "build", "--site", str(folder)]
    with (
        FileLock(cache / "tests.lock"),
        pytest.MonkeyPatch.context() as patch,
        templates_compiled_once(shared),
    ):
        for variable, value in variables.items():
            patch.setenv(variable, value)
        if not folder.exists():
            folder.parent.mkdir(exist_ok=True)
            assert main(command) == 0
    return folder


@contextmanager
def templates_compiled_once(folder: Path) -> Iterator[None]:
    """Share what each project keeps of its theme's and nbconvert's."""
    from engine.build import notebooks, templates

    kept = templates.compiled_templates(folder)
    with pytest.MonkeyPatch.context() as patch:
        for module in (notebooks, templates):
            patch.setattr(module, "compiled_templates", lambda _: kept)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage among all that tests import, which stays.

    It would cost a quarter of the time of collecting, and some in each test.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, bool, bool]:
    """Measure coverage only where a test is beside what it tests.

    It stays off from one such test to the next.  Else threads would begin
    while it is turned on, as those of a server that a browser still asks,
    and where two do at once Python 3.11 may end one.
    """
    measuring = Coverage.current()
    if measuring and not item.nodeid.startswith(MEASURED):
        measuring.stop()
        _paused.append(measuring)
    try:
        return (yield)
    finally:
        is_last = nextitem is None or nextitem.nodeid.startswith(MEASURED)
        if _paused and is_last:
            _paused.pop().start()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the dearest tests, so that nothing waits for them."""

    def place(item: pytest.Item) -> int:
        found = (i for i, p in enumerate(DEAREST) if item.nodeid.startswith(p))
        return next(found, len(DEAREST))

    items.sort(key=place)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter,
) -> None:
    """Say how long each room took, and what was left out, and why."""
    seconds: dict[str, float] = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                path = report.nodeid.split("::")[0]
                room = "/".join(path.split("/")[1:-1]) or "tests"
                seconds[room] += report.duration
    if sum(seconds.values()) > LONG:
        terminalreporter.section("seconds by room, waiting included")
        for room, taken in sorted(seconds.items()):
            terminalreporter.line(f"{taken:7.0f} {room}")
    left_out = terminalreporter.stats.get("skipped", [])
    if not left_out:
        return
    reasons = Counter(report.longrepr[2] for report in left_out)
    terminalreporter.section("left out")
    for reason, count in sorted(reasons.items()):
        terminalreporter.line(f"{count} tests: {reason}")
