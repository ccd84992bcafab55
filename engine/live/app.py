"""Stands before the server of the site, and lets its pages be edited."""

import html
import json
from collections.abc import Callable, Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any

from engine.live.api import Answer, Headers, Orders, digest
from engine.live.guard import Guard, Refused
from engine.live.sessions import Sessions

FOLDER = "_live/"
FILES = {
    **dict.fromkeys(
        ["live.js", "editor.js", "block.js", "elements.js", "server.js"],
        "text/javascript",
    ),
    "live.css": "text/css",
}
HERE = Path(__file__).parent
HEADERS = [
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
]
UNFRAMED = ("X-Frame-Options", "DENY")
"""Else another site could lay a page below what a reader clicks on."""

Environ = dict[str, Any]
Start = Callable[[str, Headers], object]
App = Callable[[Environ, Start], Iterable[bytes]]


class Live:
    """Answers below ``_live/``, and lets the site's pages ask there."""

    def __init__(self, host: str, mount: str, sessions: Sessions) -> None:
        self.mount = mount
        self.sessions = sessions
        self._guard = Guard(host)
        self._orders = Orders(sessions)

    def around(self, site: App) -> App:
        """Return the application of the site with this one before it."""

        def app(environ: Environ, start: Start) -> Iterable[bytes]:
            raw = environ["PATH_INFO"].encode("latin-1")
            path = raw.decode("utf-8", "ignore")
            name = path.removeprefix(self.mount + FOLDER)
            if name != path:
                answer = self._answer(name, environ)
                status = f"{answer.status.value} {answer.status.phrase}"
                start(status, [*answer.headers, *HEADERS])
                return answer.body
            tag = self._tag(path, environ)
            if not tag:
                return site(environ, start)
            return _followed(site, tag, environ, start)

        return app

    def _answer(self, name: str, environ: Environ) -> Answer:
        try:
            if environ["REQUEST_METHOD"] == "GET" and name in FILES:
                return self._file(name, environ)
            order = self._guard.order(environ)
            return self._orders.answer(name, order)
        except Refused as error:
            body = json.dumps({"fault": str(error)}).encode()
            allow = [("Allow", "POST")]
            if error.status is not HTTPStatus.METHOD_NOT_ALLOWED:
                allow = []
            headers = [("Content-Type", "application/json"), *allow]
            return Answer([body], headers, error.status)

    def _file(self, name: str, environ: Environ) -> Answer:
        if not self._guard.is_at_home(environ):
            raise Refused(HTTPStatus.FORBIDDEN, "This is another address.")
        headers = [("Content-Type", FILES[name])]
        return Answer([(HERE / name).read_bytes()], headers)

    def _tag(self, path: str, environ: Environ) -> bytes:
        """Return what lets the page at the path ask, if it has blocks."""
        if not self._guard.is_at_home(environ):
            return b""
        page = path.removeprefix(self.mount)
        for name in (page, page.removesuffix("index.html")):
            program = self.sessions.programs.get(name)
            if program and program.blocks:
                data = {
                    "page": name,
                    "name": program.path.stem,
                    "token": self._guard.token(name),
                    "program": digest(program),
                }
                return self._script(data).encode()
        return b""

    def _script(self, data: dict[str, str]) -> str:
        named = "".join(
            f' data-{key}="{html.escape(text)}"' for key, text in data.items()
        )
        source = html.escape(f"{self.mount}{FOLDER}live.js")
        return f'\n<script src="{source}"{named}></script>'


def _followed(
    site: App, tag: bytes, environ: Environ, start: Start
) -> Iterable[bytes]:
    """Answer as the site does, a page with the tag at its end."""
    told: list[Any] = []
    body = b"".join(site(environ, lambda *words: told.extend(words)))
    status, headers, *_ = told
    if status.startswith("200"):
        body += tag
        length = ("Content-Length", str(len(body)))
        kept = [pair for pair in headers if pair[0] != length[0]]
        headers = [*kept, length, UNFRAMED]
    start(status, headers)
    return [body]
