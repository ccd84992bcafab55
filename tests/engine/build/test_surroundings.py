"""Whatever happens around a build, nothing is lost and nothing wrong shown.

A disk that is full or cannot be written, a build that is killed, a clock
that was set back, many pages, and readers while the site is replaced.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from engine.build import place
from engine.build.place import exchange, replace
from tests.engine.disks import run_on_disk
from tests.engine.scratch import Scratch
from tests.waiting import wait_for_ends, wait_until

BUILD = f"{sys.executable} -m engine --root . build"
FILL = "dd if=/dev/zero of=.cache/rest bs=1k 2>/dev/null || true"
RECORD = ".cache/records/index.json"


def change(built: Scratch) -> None:
    """Change the snippet, so that its page has to run again."""
    built.replace("snippets/count.py", "2.5", "3.5")


def test_a_disk_that_is_full_when_records_are_written(
    built: Scratch,
) -> None:
    change(built)
    before = built.digest()
    done = run_on_disk(built.root, f"{FILL}\n{BUILD}")
    assert done.returncode == 1
    assert "No space left on device\n  mend: let the build" in done.stderr
    assert done.stderr.count("  mend: ") == 1
    assert "Traceback" not in done.stderr
    assert built.digest() == before
    assert os.listdir(built.root / ".cache/records") == ["index.json"]
    (built.root / ".cache/rest").unlink()
    assert built.build()[0] == 0


def test_a_disk_that_is_full_when_the_site_is_written(
    built: Scratch,
) -> None:
    built.replace("docs/index.md", "We count.", "We count on.")
    before = built.digest()
    done = run_on_disk(built.root, BUILD)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert done.stderr.count("  mend: ") == 1
    assert built.digest() == before


def test_a_cache_that_cannot_be_written(built: Scratch) -> None:
    change(built)
    before = built.digest()
    done = run_on_disk(
        built.root, f"mount -o remount,ro tmpfs .cache\n{BUILD}"
    )
    assert done.returncode == 1
    assert done.stderr.startswith(".cache/lock: Read-only file system\n")
    assert done.stderr.count("  mend: ") == 1
    assert built.digest() == before


def start(built: Scratch) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "engine", "--root", str(built.root), "build"],
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(sign: Path) -> int:
    """Return the number that a process writes to the file."""
    wait_until(lambda: sign.exists() and sign.read_text())
    return int(sign.read_text())


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where temporary files go; short, as the names of sockets must be."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


def test_a_build_killed_while_a_page_runs(
    built: Scratch, tmp_path: Path, temporary: Path
) -> None:
    sign = tmp_path / "pid"
    built.replace(
        "snippets/count.py",
        "math.floor(2.5)",
        "2; import subprocess, sys; page_runs = subprocess.Popen(["
        "sys.executable, '-c', 'import time; time.sleep(60)']); "
        f"open({str(sign)!r}, 'w').write(str(page_runs.pid)); "
        "page_runs.wait()",
    )
    before = built.digest()
    build = start(built)
    pid = wait_for(sign)
    build.kill()
    build.wait()
    wait_for_ends(pid)
    assert built.digest() == before
    wait_until(lambda: not list(temporary.glob("page-*")))
    built.replace("snippets/count.py", "page_runs.wait()", "page_runs.kill()")
    assert built.build()[0] == 0


SLOW = """\
import pathlib, time
def on_env(env, config, files):
    sign, go = pathlib.Path({sign!r}), pathlib.Path({go!r})
    sign.write_text("1")
    while not go.exists():
        time.sleep(0.05)
"""


def test_a_build_killed_while_the_site_is_made(
    built: Scratch, tmp_path: Path
) -> None:
    sign, go = tmp_path / "sign", tmp_path / "go"
    built.write("slow.py", SLOW.format(sign=str(sign), go=str(go)))
    built.replace("mkdocs.yml", "plugins: []", "hooks: [slow.py]\nplugins: []")
    before = built.digest()
    build = start(built)
    wait_for(sign)
    code, words = built.build()
    assert code == 1
    assert "another build is running in this folder" in words
    build.kill()
    build.wait()
    assert built.digest() == before
    go.touch()
    built.write(".cache/site/.left-over", "half")
    built.replace("docs/index.md", "We count.", "We count on.")
    code, words = built.build()
    assert code == 0, words
    assert "We count on." in (built.root / "site/index.html").read_text()
    assert not (built.root / ".cache/site").exists()
    assert not (built.root / "site/.left-over").exists()


def test_a_clock_set_back_hides_no_change(built: Scratch) -> None:
    future = time.time() + 1e6
    for path in built.root.rglob("*"):
        os.utime(path, (future, future))
    change(built)
    built.replace("docs/index.md", "We count.", "We count on.")
    for name in ("snippets/count.py", "docs/index.md"):
        os.utime(built.root / name, (0, 0))
    code, words = built.build()
    assert code == 0
    assert "Running docs/index.md" in words
    html = (built.root / "site/index.html").read_text()
    assert "number 2" in html
    assert "We count on." in html


def test_two_hundred_pages(scratch: Scratch) -> None:
    for number in range(200):
        section = f"# region a\nprint({number} + 0.5)\n# endregion a\n"
        scratch.write(
            f"snippets/m{number}.py",
            f'"""A module."""\nif __name__ == "__main__":\n{section}'.replace(
                "\n# ", "\n    # "
            ).replace("\nprint", "\n    print"),
        )
        scratch.write(
            f"docs/p{number}.md",
            f'# Page {number}\n\n```python run="snippets/m{number}.py:a"\n'
            "```\n",
        )
    code, words = scratch.build()
    assert code == 0
    assert words.count("Running docs/") == 201
    for number in (0, 99, 199):
        page = scratch.root / f"site/p{number}/index.html"
        assert f"<samp>{number}.5</samp>" in page.read_text()
    assert len(os.listdir(scratch.root / ".cache/records")) == 201


class Quiet(SimpleHTTPRequestHandler):
    def log_request(self, *args: object) -> None:
        """Say nothing of each request."""


def write_fresh(site: Path, fresh: Path) -> None:
    """Put the site's one page that is read into a fresh folder."""
    fresh.mkdir()
    (fresh / "index.html").write_bytes((site / "index.html").read_bytes())


def test_whoever_reads_the_site_meanwhile_finds_it_whole(
    built: Scratch,
) -> None:
    site = built.root / "site"
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Quiet, directory=str(site))
    )
    address = f"http://127.0.0.1:{server.server_port}/"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    faults: list[str] = []
    reads = 0
    replaced = threading.Event()

    def read() -> None:
        nonlocal reads
        while not replaced.is_set():
            try:
                with urllib.request.urlopen(address, timeout=10) as answer:
                    page = answer.read().decode()
            except OSError as error:
                faults.append(str(error))
                continue
            if "</html>" not in page or "number 1" not in page:
                faults.append(page)
            reads += 1

    reader = threading.Thread(target=read)
    reader.start()
    for word in ("on", "again"):
        built.replace("docs/index.md", "We count", f"We count {word},")
        assert built.build()[0] == 0
    # Many more changes of place than builds could make in the time.
    fresh = built.root / ".cache/fresh"
    for _ in range(300):
        write_fresh(site, fresh)
        replace(site, fresh)
    replaced.set()
    reader.join()
    server.shutdown()
    server.server_close()
    assert faults == []
    assert reads > 50


def test_a_system_without_exchange_replaces_the_site_all_the_same(
    built: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "exchange", lambda *paths: False)
    built.replace("docs/index.md", "We count.", "We count on.")
    (built.root / "site/left-over.html").write_text("old")
    assert built.build()[0] == 0
    assert "We count on." in (built.root / "site/index.html").read_text()
    assert not (built.root / "site/left-over.html").exists()
    left = os.listdir(built.root / ".cache")
    assert not {"site", "site-before"} & {*left}


def test_an_exchange_that_cannot_be_changes_nothing(tmp_path: Path) -> None:
    one = tmp_path / "one"
    one.mkdir()
    assert not exchange(one, tmp_path / "missing")
    assert list(tmp_path.iterdir()) == [one]


def test_a_fault_in_a_killed_page_names_the_signal(built: Scratch) -> None:
    before = built.digest()
    built.replace(
        "snippets/count.py",
        "math.floor(2.5)",
        f"2; import os; os.kill(os.getpid(), {int(signal.SIGSEGV)})",
    )
    code, words = built.build()
    assert code == 1
    assert "ended its own process (exit code -11)" in words
    assert built.digest() == before
