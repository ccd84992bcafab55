"""A site of small pages, and a reader who sends what a browser would."""

import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup, Tag

from engine.live.app import Live
from engine.live.sessions import Sessions
from engine.program import Program, Step
from engine.run.workers import Workers
from tests.engine.run.programs import program

HOST = "127.0.0.1:8000"
ORIGIN = f"http://{HOST}"
PAGE = b"<!doctype html><title>A page</title><h1>A page</h1>"

Event = dict[str, Any]


@dataclass
class Site:
    """Pages with programs, as a build leaves them to the server."""

    workers: Workers
    sessions: Sessions
    live: Live
    programs: dict[str, Program] = field(default_factory=dict)

    def show(self, page: str, *steps: str | Step, **options: Any) -> None:
        """Show the page with these blocks from now on."""
        root = self.workers._root
        path = Path("docs") / page.replace("/", ".md")
        made = program(root, *steps, page=path, **options)
        self.programs[page] = made
        self.sessions.update(self.programs, self.workers)

    def ask(
        self, path: str, body: bytes = b"", method: str = "GET", **more: str
    ) -> tuple[int, dict[str, str], Iterable[bytes]]:
        """Ask as a browser does; return status, headers and body."""
        environ = {
            "PATH_INFO": f"/repo/{path}",
            "REQUEST_METHOD": method,
            "HTTP_HOST": HOST,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            **more,
        }
        started: list[Any] = []
        app = self.live.around(_answer)
        answer = app(environ, lambda *words: started.extend(words))
        return int(started[0].split()[0]), dict(started[1]), answer

    def page(self, page: str, **more: str) -> str:
        return b"".join(self.ask(page, b"", "GET", **more)[2]).decode()


def _answer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
    length = str(len(PAGE))
    start(
        "200 OK", [("Content-Type", "text/html"), ("Content-Length", length)]
    )
    return [PAGE]


class Reader:
    """A tab with a page of the site."""

    def __init__(self, site: Site, page: str) -> None:
        self.site = site
        tag = BeautifulSoup(site.page(page), "html5lib").script
        assert isinstance(tag, Tag)
        self.data = {name: str(tag[f"data-{name}"]) for name in NAMES}

    def send(
        self, name: str, more: Event | None = None, **headers: str
    ) -> tuple[int, Iterable[bytes]]:
        """Send an order; return the answer's status and its lines."""
        order = {"page": self.data["page"], "program": self.data["program"]}
        body = json.dumps(order | (more or {})).encode()
        given = {
            "HTTP_ORIGIN": ORIGIN,
            "CONTENT_TYPE": "application/json",
            "HTTP_X_TOKEN": self.data["token"],
            "method": "POST",
            **headers,
        }
        status, _, answer = self.site.ask(f"_live/{name}", body, **given)
        return status, answer

    def refused(
        self, name: str, more: Event | None = None, **headers: str
    ) -> tuple[int, str]:
        """Send an order that is refused; return the status and why."""
        status, answer = self.send(name, more, **headers)
        return status, json.loads(b"".join(answer))["fault"]

    def events(self, block: int, **edits: str) -> Iterator[Event]:
        """Run up to the block with edits as ``b2="…"``; yield what is told."""
        given = {number[1:]: code for number, code in edits.items()}
        status, lines = self.send("run", {"block": block, "edits": given})
        assert status == 200
        for line in lines:
            if event := json.loads(line):
                yield event

    def run(self, block: int, **edits: str) -> list[Event]:
        return list(self.events(block, **edits))

    def shows(self, block: int, **edits: str) -> str:
        """Run up to the block; return the text that it then shows."""
        last = self.run(block, **edits)[-1]
        assert last["block"] == block, last
        assert last["good"], last
        return text(last)

    def fails(self, block: int, **edits: str) -> str:
        """Run up to the block; return why nothing came of it."""
        return str(self.run(block, **edits)[-1]["fault"])


NAMES = ("page", "name", "token", "program")


def text(event: Event) -> str:
    """Return the text of what is shown."""
    return BeautifulSoup(event["html"], "html5lib").get_text()


def begun(events: Iterable[Event]) -> list[int]:
    """Return the blocks that were carried out."""
    return [event["begun"] for event in events if "begun" in event]


def notices(events: Iterable[Event]) -> list[str]:
    return [event["notice"] for event in events if "notice" in event]
