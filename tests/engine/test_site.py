"""The command line builds, serves, runs and checks."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import Fault
from engine.site import PORTS_TRIED, free_port
from tests.engine.scratch import Scratch, ends

ENGINE = [sys.executable, "-m", "engine", "--root"]


def test_a_build_makes_the_site(built: Scratch) -> None:
    html = (built.root / "site/index.html").read_text()
    assert "number 1" in html
    assert "There were 2 numbers." in html


def test_a_build_replaces_the_site_as_a_whole(built: Scratch) -> None:
    left = built.root / "site/left-over.html"
    left.write_text("old")
    assert built.build()[0] == 0
    assert not left.exists()
    assert (built.root / "site/index.html").exists()
    kept = {path.name for path in (built.root / ".cache").iterdir()}
    assert {"lock", "records"} <= kept
    assert not {"site", "site-before"} & kept


def test_a_build_says_which_page_it_runs_and_how_long_it_took(
    scratch: Scratch,
) -> None:
    code, words = scratch.engine("build", "--site", "elsewhere")
    assert code == 0
    assert "Running docs/index.md … 2 blocks, " in words
    assert (scratch.root / "elsewhere/index.html").exists()


def test_run_prints_what_a_page_prints(scratch: Scratch) -> None:
    code, words = scratch.engine("run", "docs/index.md")
    assert code == 0
    assert words == (
        "── snippets/count.py:setup (docs/index.md:3)\n"
        "── snippets/count.py:count (docs/index.md:8)\n"
        "number 0\nnumber 1\n"
    )
    assert not (scratch.root / ".cache/records").exists()


def test_run_shows_figures_and_announced_errors(scratch: Scratch) -> None:
    scratch.replace(
        "snippets/count.py",
        'print("number", number)',
        "import matplotlib.pyplot as p; p.plot([1]); p.show(); 1 / number",
    )
    scratch.replace(
        "docs/index.md", 'py:count"', 'py:count" raises="ZeroDivisionError"'
    )
    code, words = scratch.engine("run", "index")
    assert code == 0
    assert "ZeroDivisionError: division by zero\n[a figure]\n" in words


def test_run_of_an_unknown_page_names_those_there_are(
    scratch: Scratch,
) -> None:
    code, words = scratch.engine("run", "nowhere")
    assert code == 1
    assert words == 'no page "nowhere"\n  mend: use one of: index\n'


def test_check_reads_everything_and_runs_nothing(scratch: Scratch) -> None:
    code, words = scratch.engine("check")
    assert code == 0
    assert words == "1 pages, 2 blocks: all can be read\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_build_leaves_no_child_and_loses_nothing(
    built: Scratch, tmp_path: Path, number: signal.Signals
) -> None:
    sign = tmp_path / "pid"
    built.replace(
        "snippets/count.py",
        "math.floor(2.5)",
        "2; import os, time; "
        f"open({str(sign)!r}, 'w').write(str(os.getpid())); time.sleep(600)",
    )
    before = built.digest()
    build = subprocess.Popen(
        [*ENGINE, str(built.root), "build"],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not (sign.exists() and sign.read_text()):
        assert build.poll() is None
        time.sleep(0.05)
    os.killpg(build.pid, number)
    _, words = build.communicate(timeout=60)
    assert build.returncode == 1
    assert words.endswith("Interrupted; nothing was changed.\n")
    assert "Traceback" not in words
    assert ends(int(sign.read_text()))
    assert built.digest() == before


def test_two_builds_at_once_are_one_build_and_one_message(
    built: Scratch,
) -> None:
    built.replace(
        "snippets/count.py",
        "math.floor(2.5)",
        "2; import time; time.sleep(2)",
    )
    builds = [
        subprocess.Popen(
            [*ENGINE, str(built.root), "build"],
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    words = [build.communicate(timeout=60)[1] for build in builds]
    codes = [build.returncode for build in builds]
    assert sorted(codes) == [0, 1], words
    assert "another build is running" in words[codes.index(1)]
    assert (built.root / "site/index.html").exists()


def test_a_taken_port_is_said_and_the_next_one_used(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) > port
        assert f"Port {port} is taken; using " in capsys.readouterr().err


def test_a_free_port_is_used_without_a_word(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert free_port(port) == port
    assert capsys.readouterr().err == ""


def test_no_free_port_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    class Busy(socket.socket):
        def bind(self, address: object) -> None:
            raise OSError

    monkeypatch.setattr("engine.site.socket.socket", Busy)
    with pytest.raises(Fault, match=f"8000 to {8000 + PORTS_TRIED - 1}"):
        free_port(8000)


def test_serve_runs_the_pages_and_hands_over_to_mkdocs(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed: list[list[str]] = []
    monkeypatch.setattr(
        "engine.site.os.execve",
        lambda path, command, env: handed.append(command),
    )
    code, words = scratch.engine("serve", "--port", "8123")
    assert code == 0
    assert "Running docs/index.md" in words
    (command,) = handed
    assert "serve" in command
    assert command[command.index("--dev-addr") + 1].startswith("127.0.0.1:")


@contextlib.contextmanager
def serving(project: Scratch) -> Iterator[tuple[str, list[str]]]:
    """Serve the project; give the address and the lines that are said."""
    server = subprocess.Popen(
        [*ENGINE, str(project.root), "serve", "--port", "8400"],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert server.stderr is not None
    lines: list[str] = []
    stream = server.stderr
    reader = threading.Thread(target=lambda: lines.extend(stream))
    reader.start()
    try:
        yield address(server, lines), lines
    finally:
        os.killpg(server.pid, signal.SIGINT)
        server.wait(timeout=30)
        reader.join(timeout=30)
    assert server.returncode == 0


def test_serve_shows_an_edit_and_survives_a_fault(built: Scratch) -> None:
    with serving(built) as (url, lines):
        assert "number 1" in wait_for(url, "We count.")
        built.replace("docs/index.md", "We count.", "We count up.")
        wait_for(url, "We count up.")
        built.replace("docs/index.md", "py:count", "py:cuont")
        wait_until(lambda: any('no section "cuont"' in x for x in lines))
        built.replace("docs/index.md", "py:cuont", "py:count")
        built.replace("docs/index.md", "We count up.", "We count again.")
        wait_for(url, "We count again.")


def test_a_notebook_follows_an_edit_when_somebody_looks(
    scratch: Scratch,
) -> None:
    scratch.add_hooks()
    with serving(scratch) as (url, lines):
        scratch.replace("docs/count.md", "We count.", "We count up.")
        wait_for(f"{url}count/", "We count up.")
        wait_until(lambda: reloads(lines) == 1)
        notebook = f"{url}notebooks/count/"
        with urllib.request.urlopen(notebook, timeout=10) as first:
            assert "We count." in first.read().decode()
        wait_for(notebook, "We count up.")
        wait_until(lambda: reloads(lines) == 2)


def reloads(lines: list[str]) -> int:
    """Return how often browsers were told to load their page again."""
    return sum("Reloading browsers" in line for line in lines)


def address(server: subprocess.Popen[str], lines: list[str]) -> str:
    """Return the address that the server names when it is ready."""

    def named() -> list[str]:
        assert server.poll() is None, lines
        return [x.split()[-1] for x in lines if "Serving on" in x]

    wait_until(lambda: bool(named()))
    return named()[0]


def wait_for(url: str, text: str) -> str:
    """Return the page once it holds the text."""
    page = ""

    def holds() -> bool:
        nonlocal page
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                page = answer.read().decode()
        except (urllib.error.URLError, TimeoutError):
            return False
        return text in page

    wait_until(holds)
    return page


def wait_until(happened: object, seconds: float = 60) -> None:
    assert callable(happened)
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.1)
