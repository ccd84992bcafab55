"""A real browser on the built site, served with the published headers."""

import contextlib
import functools
import http.server
import os
import shutil
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 120_000
"""After so many milliseconds something does not happen at all.

On a busy machine a page may take a while.
"""

LEFT_OUT = "no Chromium on this machine: the browser tests were left out"


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder with the headers of its ``_headers`` file."""

    extra: dict[str, str]

    def end_headers(self) -> None:
        for name, value in self.extra.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *arguments: Any) -> None:
        pass


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


@dataclass
class Visit:
    """A window, what it asked for, and what went wrong in it."""

    page: Page
    address: str
    requests: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Return the page once it is loaded and its scripts have run."""
        self.page.goto(self.address + path)
        return self.page

    def open_and_wait(self, path: str) -> Page:
        """Return the page once it has asked for nothing for a while."""
        page = self.open(path)
        page.wait_for_load_state("networkidle")
        return page


@pytest.fixture(scope="session")
def address(
    site: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of the site, which stands under a path as on GitHub."""
    text = (site / "_headers").read_text("utf-8")
    lines = [line.strip() for line in text.splitlines()[1:]]
    handler = type(
        "SiteHandler",
        (Handler,),
        {"extra": dict(line.split(": ", 1) for line in lines)},
    )
    root = tmp_path_factory.mktemp("root")
    (root / "repo").symlink_to(site)
    server = Server(
        ("127.0.0.1", 0), functools.partial(handler, directory=str(root))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/repo/"
    server.shutdown()
    server.server_close()


@contextlib.contextmanager
def launched() -> Iterator[Browser]:
    """Give a browser; skip the test where there is none."""
    found = os.environ.get("CHROME_PATH") or next(
        filter(None, map(shutil.which, NAMES)), None
    )
    if not found:
        assert not os.environ.get("CI"), "CI must install Chromium"
        pytest.skip(LEFT_OUT)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=ARGUMENTS
        )
        expect.set_options(timeout=PATIENCE)
        yield browser
        browser.close()


Visitor = Callable[..., Visit]


@pytest.fixture
def visitor(chromium: Browser, address: str) -> Iterator[Visitor]:
    """Return a function that opens a browser window with given options."""
    contexts = []

    def visit(
        theme: Any = "light", width: int = 1280, scripts: bool = True
    ) -> Visit:
        context = chromium.new_context(
            color_scheme=theme,
            viewport={"width": width, "height": 800},
            java_script_enabled=scripts,
            permissions=["clipboard-read", "clipboard-write"],
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        visit = Visit(context.new_page(), address)
        listen(visit)
        return visit

    yield visit
    for context in contexts:
        context.close()


def listen(visit: Visit) -> None:
    """Keep what the window asks for and what goes wrong in it."""

    def on_response(response: Any) -> None:
        if response.status >= 400:
            visit.faults.append(response.url)

    def on_console(message: Any) -> None:
        if message.type in ("error", "warning"):
            visit.faults.append(message.text)

    visit.page.on("request", lambda r: visit.requests.append(r.url))
    visit.page.on("response", on_response)
    visit.page.on("console", on_console)
    visit.page.on("pageerror", lambda e: visit.faults.append(str(e)))
