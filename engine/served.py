"""Serve the site while it is written: with its headers, and soon after edits.

The view of a notebook takes as long to make as all the rest of a build.  So
an edit leaves the view as it was; whoever looks at it has it made.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from watchdog.observers.polling import PollingObserver

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; "
        "style-src 'self' 'unsafe-inline'"
    ),
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Content-Type-Options": "nosniff",
}
INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
NOTEBOOK = re.compile(r"/notebooks/([^/]+?)(?:/|\.html)")
SECONDS_BETWEEN_LOOKS = 0.1
"""MkDocs looks for edits half as often as a writer would like."""

Start = Callable[[str, list[tuple[str, str]]], Any]
App = Callable[[dict[str, Any], Start], Iterable[bytes]]


class Notebooks:
    """The notebooks as they are shown, and those that have changed since."""

    def __init__(self, asked: Path) -> None:
        """Watch for a change of the file ``asked`` to build again."""
        self.asked = asked
        self.shown: dict[str, bytes] = {}
        self.late: set[str] = set()
        self.wanted: set[str] = set()

    def hold_back(self, folder: Path) -> None:
        """Put back what nobody has asked for since it changed."""
        for path in sorted(folder.glob("*.ipynb")):
            new = path.read_bytes()
            shown = self.shown.setdefault(path.stem, new)
            if new == shown or path.stem in self.wanted:
                self.shown[path.stem] = new
                self.late.discard(path.stem)
                continue
            self.late.add(path.stem)
            path.write_bytes(shown)
        self.wanted.clear()

    def look_at(self, address: str) -> None:
        """Ask for the notebook at the address, if it is late."""
        match = NOTEBOOK.search(address)
        if match and match[1] in self.late - self.wanted:
            self.wanted.add(match[1])
            self.asked.touch()


def look_often(server: Any, watched: Iterable[str]) -> None:
    """Have the server see a change of what it watches soon."""
    for path in watched:
        server.unwatch(path)
    server.observer = PollingObserver(timeout=SECONDS_BETWEEN_LOOKS)
    for path in watched:
        server.watch(path)


def with_notebooks(app: App, notebooks: Notebooks) -> App:
    """Return the app, made to say which addresses are looked at."""

    def serve(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        notebooks.look_at(environ["PATH_INFO"])
        return app(environ, start)

    return serve


def with_headers(app: App) -> App:
    """Return the app, with the headers that the site is published with.

    MkDocs' script that reloads the page is let in by its hash.
    """

    def serve(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        answer: list[Any] = []

        def keep(status: str, headers: list[tuple[str, str]]) -> None:
            answer.extend((status, headers))

        body = b"".join(app(environ, keep))
        status, headers = answer
        policy = HEADERS["Content-Security-Policy"] + "; script-src 'self'"
        for script in INLINE_SCRIPT.findall(body):
            digest = base64.b64encode(hashlib.sha256(script).digest())
            policy += f" 'sha256-{digest.decode()}'"
        start(
            status,
            [
                *headers,
                *{**HEADERS, "Content-Security-Policy": policy}.items(),
            ],
        )
        return [body]

    return serve
