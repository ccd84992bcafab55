"""Measure how soon the local server shows an edit of prose.

    python -m tools.bench.serve_speed

serves a copy of this site, writes sentences into some of its longest pages,
and notes how long it takes until the server has the page with the sentence
and tells browsers so.  Writes ``snippets/results/serve_speed.json``.
"""

import contextlib
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

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


class Server:
    """The server of a project, and what it has said."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "engine", "serve", "--port", str(PORT)],
            cwd=root,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()

    def wait(self) -> None:
        """Wait until it serves the site; raise RuntimeError if it cannot."""
        self._wait_for("Reloading browsers", 1)
        [line] = [line for line in self.lines if "Serving on" in line]
        self.address = line.split()[-1]

    def seconds_to_show(self, page: str, sentence: str) -> float:
        """Add the sentence to the page; return how long it takes to show."""
        time.sleep(SECONDS_AT_REST)
        path = self.root / f"docs/{page}.md"
        before = self._count("Reloading browsers")
        path.write_text(f"{path.read_text('utf-8')}\n{sentence}\n", "utf-8")
        start = time.perf_counter()
        self._wait_for("Reloading browsers", before + 1)
        with urllib.request.urlopen(f"{self.address}{page}/") as answer:
            shown = answer.read().decode()
        seconds = time.perf_counter() - start
        assert sentence in shown
        return seconds

    def end(self) -> None:
        """Stop serving."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        self.lines.extend(self.process.stderr)

    def _count(self, words: str) -> int:
        return sum(words in line for line in self.lines)

    def _wait_for(self, words: str, times: int) -> None:
        while self._count(words) < times:
            ended = self.process.poll() is not None
            if ended:
                self.listener.join()
            if ended or self._count("  mend: "):
                raise RuntimeError("".join(self.lines))
            time.sleep(0.005)


def measure(root: Path, pages: tuple[str, ...], rounds: int) -> dict[str, Any]:
    """Return for each page the median of the seconds that edits took."""
    server = Server(root)
    try:
        server.wait()
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
