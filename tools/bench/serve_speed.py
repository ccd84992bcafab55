"""Measure how soon the local server shows an edit of prose.

    python -m tools.bench.serve_speed

serves a copy of this site, writes sentences into some of its pages,
and notes how long it takes until browsers are told to load the page again and
find the sentence in it.  Writes ``snippets/results/serve_speed.json``.
"""

import contextlib
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.build.serve import HOST, listen
from tools.bench.machine import describe_machine
from tools.copies import copy_project
from tools.results import write_json

REPOSITORY = Path(__file__).parents[2]
RESULTS = REPOSITORY / "snippets/results/serve_speed.json"
PAGES = ("basic_training_loops", "usual_parts", "many_devices")
ROUNDS = 5
PORT = 8700
SECONDS_AT_REST = 2.0
"""Between two edits, as a writer pauses."""
LOADS = 20
"""How often a page may be loaded until it has what was written."""
RELOAD = re.compile(r"(?m)^livereload\((\d+), (\d+)\);")
FAILED = 'id="build-failed"'


class Server:
    """The server of a project, seen as a browser sees it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        with listen(PORT) as probe:
            port = probe.getsockname()[1]
        self.address = f"http://{HOST}:{port}"
        self.said = root.with_name("said.txt")
        with self.said.open("w") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "engine", "serve", f"--port={port}"],
                cwd=root,
                env={**os.environ, "SITE_URL": self.address},
                stderr=said,
                start_new_session=True,
            )

    def seconds_to_show(self, page: str, sentence: str) -> float:
        """Add the sentence to the page; return how long it takes to show."""
        time.sleep(SECONDS_AT_REST)
        path = self.root / f"docs/{page}.md"
        path.write_text(f"{path.read_text('utf-8')}\n{sentence}\n", "utf-8")
        start = time.perf_counter()
        self.wait_for(page, sentence)
        return time.perf_counter() - start

    def wait_for(self, page: str, text: str) -> None:
        """Load the page as often as browsers are told to, until it has it.

        Raises RuntimeError, with what the server said, if none is served.
        """
        for _ in range(LOADS):
            shown = self._get(f"/{page}/")
            if text in shown:
                return
            if FAILED in shown:
                break
            for epoch, request in RELOAD.findall(shown):
                self._get(f"/livereload/{epoch}/{request}")
        raise RuntimeError(self.said.read_text("utf-8"))

    def end(self) -> None:
        """Stop serving."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait()

    def _get(self, path: str) -> str:
        """Return what is served there, once the server listens."""
        while self.process.poll() is None:
            try:
                with urllib.request.urlopen(self.address + path) as answer:
                    return str(answer.read().decode())
            except urllib.error.HTTPError as answer:
                return str(answer.read().decode())  # there is no page yet
            except urllib.error.URLError:
                time.sleep(0.05)
        raise RuntimeError(self.said.read_text("utf-8"))


def measure(root: Path, pages: tuple[str, ...], rounds: int) -> dict[str, Any]:
    """Return for each page the median of the seconds that edits took."""
    server = Server(root)
    try:
        server.wait_for(pages[0], "</article>")
        seconds = {
            page: [
                server.seconds_to_show(page, f"Sentence {number} is new.")
                for number in range(rounds)
            ]
            for page in pages
        }
    finally:
        server.end()
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": describe_machine(),
        "rounds": rounds,
        "seconds": {
            page: round(statistics.median(found), 2)
            for page, found in seconds.items()
        },
    }


@contextlib.contextmanager
def copied(repository: Path) -> Iterator[Path]:
    """Copy the project, with its records, to where it may be edited."""
    with tempfile.TemporaryDirectory(prefix="serve-speed-") as folder:
        root = Path(folder) / "project"
        copy_project(repository, root)
        records = repository / ".cache/records"
        if records.exists():
            shutil.copytree(records, root / ".cache/records")
        yield root


def main() -> None:
    """Measure and write the file."""
    with copied(REPOSITORY) as root:
        results = measure(root, PAGES, ROUNDS)
    for page, seconds in results["seconds"].items():
        print(f"{page}: an edit shows after {seconds:.2f} s")
    write_json(RESULTS, results)


if __name__ == "__main__":
    main()
