"""However a run ends, nothing of it is left: no process and no folder."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.engine.run.programs import Page, command, program
from tests.waiting import wait_for_ends, wait_until

REPOSITORY = Path(__file__).parents[3]
SLEEP = "import subprocess, sys\nchild = [sys.executable, '-c', "
SLEEP += "'import time; time.sleep(600)']\n"
START = {
    "in its group": "subprocess.Popen(child)",
    "in its own session": "subprocess.Popen(child, start_new_session=True)",
    "as a daemon": "type('', (), {'pid': int(subprocess.check_output("
    "['sh', '-c', 'setsid sleep 600 >/dev/null 2>&1 & echo $!']))})",
}


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / "pids"


def starting(mark: Path, how: str = "in its group") -> str:
    """Return code that starts a process and writes down two numbers."""
    return (
        f"{SLEEP}import os\nstarted = {START[how]}\n"
        f"with open({str(mark)!r} + '~', 'w') as file:\n"
        "    print(os.getpid(), started.pid, file=file)\n"
        f"os.rename({str(mark)!r} + '~', {str(mark)!r})"
    )


def pids(mark: Path) -> list[int]:
    """Wait for the numbers."""
    wait_until(mark.exists)
    return [int(pid) for pid in mark.read_text().split()]


@pytest.mark.parametrize("how", START)
@pytest.mark.parametrize(
    ("end", "good"),
    [
        ("pass", True),
        ("1 / 0", False),
        ("while True: pass", False),
        ("import os\nos.abort()", False),
    ],
)
def test_nothing_that_a_program_starts_outlives_it(
    page: Page, mark: Path, end: str, good: bool, how: str
) -> None:
    codes = starting(mark, how), end
    if good:
        page.runs(*codes)
    else:
        page.fails(*codes, seconds_allowed=1)
    wait_for_ends(*pids(mark))


def test_nothing_that_a_command_starts_outlives_it(
    page: Page, mark: Path
) -> None:
    page.runs(command(f"sleep 600 &\necho $! $! > {mark}"))
    wait_for_ends(*pids(mark))


def test_a_program_that_is_stopped(page: Page, mark: Path) -> None:
    stop = threading.Event()
    code = f"{starting(mark)}\nimport time\ntime.sleep(600)"
    with ThreadPoolExecutor() as pool:
        run = pool.submit(
            page.workers.run, program(page.root, code), None, stop
        )
        found = pids(mark)
        stop.set()
        with pytest.raises(CancelledError):
            run.result(10)
    wait_for_ends(*found)


BUILD = """\
import sys
from pathlib import Path
from engine.run.queue import Queue
from engine.run.report import Reporter
from engine.run.workers import Workers
from tests.engine.run.programs import program

root = Path(sys.argv[1])
try:
    with Workers(root, root / "cache") as workers:
        with Queue(workers, 2, Reporter()) as queue:
            futures = [
                queue.submit(program(root, code), 0.0, print)
                for code in (sys.argv[2], sys.argv[3], "x = 1")
            ]
            for future in futures:
                future.result()
except KeyboardInterrupt:
    print("Interrupted", file=sys.stderr)
"""


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.fixture
def build(
    tmp_path: Path, temporary: Path, mark: Path
) -> Iterator[subprocess.Popen[str]]:
    """Return a process in which two programs run for ever."""
    # The call holds Python's lock: no thread of the process could act.
    stuck = "\nimport ctypes\nctypes.PyDLL(None).sleep(600)"
    codes = [
        starting(mark) + stuck,
        starting(mark.with_name("others"), "in its own session") + stuck,
    ]
    environment = os.environ | {
        "PYTHONPATH": str(REPOSITORY),
        "TMPDIR": str(temporary),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", BUILD, str(tmp_path), *codes],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize(
    "number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT]
)
def test_a_build_that_is_ended_from_outside(
    build: subprocess.Popen[str],
    temporary: Path,
    mark: Path,
    number: signal.Signals,
) -> None:
    found = pids(mark) + pids(mark.with_name("others"))
    servers = Path(f"/proc/{build.pid}/task/{build.pid}/children")
    found += [int(pid) for pid in servers.read_text().split()]
    for path in Path(f"/proc/{build.pid}/task").glob("*/children"):
        found += [int(pid) for pid in path.read_text().split()]
    # A terminal sends it to all that it has started.
    os.killpg(build.pid, number)
    _, words = build.communicate(timeout=30)
    assert len({*found}) == 5
    wait_for_ends(*found)
    wait_until(lambda: not list(temporary.glob("page-*")))
    if number == signal.SIGINT:
        assert words.endswith("Interrupted\n")
    assert "Traceback" not in words


def test_a_keeper_that_is_killed(page: Page, mark: Path) -> None:
    """The parent of a program's process cleans up behind it."""
    code = f"{starting(mark)}\nimport time\ntime.sleep(600)"
    with ThreadPoolExecutor() as pool:
        run = pool.submit(page.fails, code)
        found = pids(mark)
        stat = Path(f"/proc/{found[0]}/stat").read_text()
        os.kill(int(stat.rpartition(")")[2].split()[1]), signal.SIGKILL)
        words = run.result(30)
    assert "the process that starts programs was ended" in words
    wait_for_ends(*found)
    assert page.output("print('next')") == "next\n"
