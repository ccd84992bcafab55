"""The whole way: a site that is served, and a server that ends."""

import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from engine.build.headers import HEADERS
from tests.engine.scratch import Scratch
from tests.waiting import wait_for_ends, wait_until

ENGINE = [sys.executable, "-m", "engine", "--root"]
DATA = re.compile(r'data-(\w+)="([^"]*)"')


class Server:
    """A server of the scratch project, and one of its pages."""

    def __init__(self, scratch: Scratch) -> None:
        self.process = subprocess.Popen(
            [*ENGINE, str(scratch.root), "serve", "--port", "8600"],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr
        self.address = ""
        for line in self.process.stderr:
            if line.startswith("Serving on"):
                self.address = line.split()[-1]
            if line.startswith("Reloading"):
                break
        self.load()

    def look(self) -> str:
        with urllib.request.urlopen(self.address, timeout=10) as answer:
            self.headers = dict(answer.headers)
            return str(answer.read().decode())

    def load(self) -> None:
        """Load the page, as a tab does."""
        _, _, tag = self.look().partition("_live/live.js")
        self.data = dict(DATA.findall(tag))

    def order(self, name: str, **order: Any) -> HTTPResponse:
        page = {"page": self.data["page"], "program": self.data["program"]}
        request = urllib.request.Request(
            f"{self.address}_live/{name}",
            json.dumps(page | order).encode(),
            {
                "Content-Type": "application/json",
                "Origin": self.address.rstrip("/"),
                "X-Token": self.data["token"],
            },
        )
        answer = urllib.request.urlopen(request, timeout=30)
        assert isinstance(answer, HTTPResponse)
        return answer

    def run(self, block: int, **edits: str) -> list[dict[str, Any]]:
        given = {number[1:]: code for number, code in edits.items()}
        with self.order("run", block=block, edits=given) as answer:
            return [json.loads(line) for line in answer]


@pytest.fixture
def server(built: Scratch) -> Iterator[Server]:
    server = Server(built)
    yield server
    server.process.kill()
    server.process.wait(timeout=30)
    assert server.process.stderr
    server.process.stderr.close()


def test_a_page_that_is_served_is_edited_and_run(
    built: Scratch, server: Server
) -> None:
    records = built.digest(".cache/records")
    last = server.run(2, b2="print(math.floor(7.9))")[-1]
    assert "<samp>7</samp>" in last["html"]
    assert built.digest(".cache/records") == records
    built.replace("snippets/count.py", "2.5", "3.5")
    wait_until(lambda: "number 2" in server.look())
    with pytest.raises(urllib.error.HTTPError) as caught:
        server.run(2)
    assert "has changed" in json.loads(caught.value.read())["fault"]
    server.load()
    assert "number 2" in server.run(2)[-1]["html"]


def test_the_policy_is_as_strict_as_it_was(server: Server) -> None:
    policy = server.headers["Content-Security-Policy"]
    policy, _, scripts = policy.partition("; script-src ")
    assert policy == HEADERS["Content-Security-Policy"]
    hashes = re.fullmatch(r"'self'((?: 'sha256-[^']+')*)", scripts)
    assert hashes
    assert hashes[1].count("sha256") == 1
    with server.order("script") as answer:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert not answer.headers["Access-Control-Allow-Origin"]


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]
)
def test_nothing_runs_on_when_the_server_ends(
    server: Server, tmp_path: Path, number: signal.Signals
) -> None:
    mark = tmp_path / "pids"
    code = (
        "import os, subprocess\n"
        "child = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        f"with open({str(mark)!r} + '~', 'w') as file:\n"
        "    print(os.getpid(), child.pid, os.getcwd(), file=file)\n"
        f"os.rename({str(mark)!r} + '~', {str(mark)!r})\n"
        "while True: pass"
    )
    answer = server.order("run", block=1, edits={"1": code})
    while not mark.exists():
        assert answer.readline()
    worker, child, folder = mark.read_text().split()
    server.process.send_signal(number)
    rest = answer.read()
    answer.close()
    assert b"<html" not in rest
    assert server.process.wait(timeout=30) in (0, -signal.SIGKILL)
    wait_for_ends(int(worker), int(child))
    wait_until(lambda: not Path(folder).parent.exists())


def test_what_is_built_has_no_trace_of_it(built: Scratch) -> None:
    code, words = built.build()
    assert code == 0, words
    files = [p for p in (built.root / "site").rglob("*") if p.is_file()]
    assert any(path.name == "index.html" for path in files)
    for path in files:
        assert b"_live/" not in path.read_bytes(), path
        assert b"live-edit" not in path.read_bytes(), path
