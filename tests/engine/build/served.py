"""A site for the development server to serve, and a hold on the server.

Run as a program it serves a folder, whose words decide how a build of them
ends.
"""

import contextlib
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engine.build import serve
from engine.errors import PageError, Superseded
from tests.waiting import wait_until

REPOSITORY = Path(__file__).parents[3]
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>A page</title></head>
<body><main><h1>A page</h1><p>{}</p><a href="/other/">On</a></main></body>
</html>
"""
NO_PAGE = "No page here"
FAILED = "The build failed"
FAULT = "docs/index.md:3: no <section> “cuont”\n  mend: use count"
MORE = "fault, and more is watched"


def main(root: Path, mount: str = "/") -> None:
    """Serve what is made of ``root/words`` and ``root/more``."""
    words = root / "words"
    (root / "builds").touch()

    def write(site: Path, text: str) -> bool:
        for name in ("index.html", "other/index.html"):
            (site / name).parent.mkdir(parents=True, exist_ok=True)
            (site / name).write_text(PAGE.format(text), "utf-8")
        return True

    def build(site: Path, is_superseded: Callable[[], bool]) -> None:
        text = words.read_text("utf-8")
        with (root / "builds").open("a") as builds:
            builds.write(f"{text}\n")
        while "slow" in text and not (root / "go").exists():
            time.sleep(0.01)
            if is_superseded():
                raise Superseded
        if text.startswith("fault"):
            raise PageError(
                "no <section> “cuont”",
                hint="use count",
                path="docs/index.md",
                line=3,
            )
        if text == "bug":
            raise ZeroDivisionError("by nothing")
        write(site, text)
        (site / "404.html").write_text(PAGE.format("Nowhere"), "utf-8")
        if (root / "more").exists():
            (site / "more.txt").write_bytes((root / "more").read_bytes())

    def watched() -> list[Path]:
        last = (root / "builds").read_text().splitlines()[-1:]
        return [words, root / "more"] if last == [MORE] else [words]

    def on_look(path: str) -> None:
        with (root / "looks").open("a") as looks:
            looks.write(f"{path}\n")

    def glance(site: Path) -> bool:
        early = root / "early"
        return early.exists() and write(site, early.read_text("utf-8"))

    folder = root / "cache"
    at = serve.listen(port())
    serve.serve(build, folder, at, watched, mount, on_look, None, glance)


def port() -> int:
    """Return a port that tests which run beside this one do not try."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    return 8500 + serve.PORTS_TRIED * int(worker.removeprefix("gw"))


@dataclass
class Served:
    """A folder that is served, and what the server has said."""

    root: Path
    process: "subprocess.Popen[str]"
    lines: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        found = [x for x in self.lines if x.startswith("Serving on")]
        return found[0].split()[-1] if found else ""

    @property
    def said(self) -> str:
        """What was said but for the address and the good builds."""
        usual = ("Port ", "Serving on", "Reloading browsers")
        return "".join(x for x in self.lines if not x.startswith(usual))

    @property
    def builds(self) -> list[str]:
        return (self.root / "builds").read_text().splitlines()

    def write(self, text: str, name: str = "words") -> None:
        (self.root / name).write_text(text, "utf-8")

    def get(self, path: str = "") -> str:
        return self.ask(path)[1]

    def ask(self, path: str = "") -> tuple[dict[str, str], str]:
        """Return the headers and the text of the answer, whatever it is."""
        try:
            answer = urllib.request.urlopen(self.address + path, timeout=5)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return dict(answer.headers), answer.read().decode()

    def shows(self, text: str, path: str = "") -> None:
        """Wait until the page holds the text."""
        wait_until(lambda: text in self.get(path))


Start = Callable[..., Served]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Return a function that serves a folder with the given words."""
    with contextlib.ExitStack() as stack:

        def start(words: str, *mount: str) -> Served:
            (tmp_path / "words").write_text(words)
            program = [sys.executable, "-m", __name__, str(tmp_path)]
            process = subprocess.Popen(
                [*program, *mount],
                cwd=REPOSITORY,
                stderr=subprocess.PIPE,
                text=True,
            )
            served = Served(tmp_path, process)
            assert process.stderr is not None
            stream = process.stderr
            reader = threading.Thread(
                target=lambda: served.lines.extend(stream)
            )
            reader.start()
            stack.callback(reader.join, 30)
            stack.callback(process.wait, 30)
            stack.callback(process.kill)
            wait_until(lambda: served.address or process.poll() is not None)
            return served

        yield start


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
