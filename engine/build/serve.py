"""Serve the site while it is written.

MkDocs' own server watches, builds and tells browsers to reload.  It lets
every request wait while a build runs or has failed; here the last good pages
are answered at once, with what went wrong laid over them.
"""

import contextlib
import html
import logging
import shutil
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mkdocs.livereload import LiveReloadServer

from engine.build.headers import headers
from engine.build.reads import Stamps, stamps
from engine.errors import EngineError, PageError, Superseded

HOST = "127.0.0.1"
PORTS_TRIED = 20
RELOADING = "Reloading browsers."
SECONDS_BETWEEN_LOOKS = 0.1
ADDED = b"<!-- Added by the development server -->"
OVERLAY = Path(__file__).with_name("overlay.html").read_text("utf-8")
NO_PAGE = Path(__file__).with_name("no_page.html").read_bytes()


Build = Callable[[Path, Callable[[], bool]], None]


def serve(
    build: Build,
    folder: Path,
    at: socket.socket,
    watched: Callable[[], Iterable[Path]],
    mount: str = "/",
    on_look: Callable[[str], None] | None = None,
    around: Callable[[Any], Any] | None = None,
    glance: Callable[[Path], bool] | None = None,
) -> None:
    """Serve on this machine alone until interrupted; build on each change.

    ``build`` makes the whole site in the folder that it is given, or raises
    EngineError.  It is told, too, whether another edit has superseded what
    it makes, and may raise Superseded then.  ``folder`` keeps what is served;
    ``at`` listens already.  ``watched`` says, anew with every build, whose
    changes lead to the next one; ``on_look`` is told every path that is asked
    for.  ``around`` may put something around the application that answers.
    ``glance`` may make, in the folder that it is given, what can be shown
    before the whole site is made, and says whether there is any.
    """
    logging.getLogger("mkdocs.livereload").setLevel(logging.ERROR)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    server = _Server(build, folder / "served", at, mount)
    server.watched = watched
    server.on_look = on_look or server.on_look
    server.glance = glance or server.glance
    if around:
        server.set_app(around(server.serve_request))
    server.look()  # else a change during the first build would not be seen
    threading.Thread(target=server.look_out, daemon=True).start()
    try:
        server.serve()  # type: ignore[no-untyped-call]
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # It is ending.
    finally:
        server.shutdown()


def listen(wanted: int) -> socket.socket:
    """Listen on the first port from ``wanted`` on that nobody listens on."""
    for port in range(wanted, wanted + PORTS_TRIED):
        with contextlib.suppress(OSError, OverflowError):
            found = socket.create_server((HOST, port))
            if port != wanted:
                said = f"Port {wanted} is taken; using {port}."
                print(said, file=sys.stderr)
            return found
    raise PageError(
        f"none of the ports {wanted} to {wanted + PORTS_TRIED - 1} is free",
        hint="name a free one: --port 9000",
    )


class _Server(LiveReloadServer):
    """MkDocs' server, made to answer always and to show what failed."""

    watched: Callable[[], Iterable[Path]]

    def __init__(
        self,
        build: Build,
        served: Path,
        at: socket.socket,
        mount: str,
    ) -> None:
        port = at.getsockname()[1]
        super().__init__(self._rebuild, HOST, port, str(served), mount)
        self.socket.close()
        self.socket = at
        self.build = build
        self.served = served
        self.on_look: Callable[[str], None] = lambda path: None
        self.glance: Callable[[Path], bool] = lambda folder: False
        self.error_handler = self._other_page
        self.message = ""
        self.good_epoch = self._visible_epoch
        self._want_rebuild = True
        self._watched_paths = {"": 1}  # Else pages would have no script.
        self.began = time.time()
        self.seen: dict[Path, Stamps] = {}
        """What is watched, as it was when somebody looked."""
        shutil.rmtree(served, ignore_errors=True)

    def server_bind(self) -> None:
        """Say where it listens, since before there was a server."""
        self.server_name, self.server_port = self.socket.getsockname()
        self.setup_environ()
        print(f"Serving on {self.url}", file=sys.stderr)

    def serve_request(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer with the headers, as the last good build has it."""
        path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "ignore")
        self.on_look(path)
        start: list[Any] = []
        with self._epoch_cond:  # The site does not change meanwhile.
            parts = super().serve_request(environ, lambda *x: start.extend(x))
            body = b"".join(parts)
        start_response(start[0], [*start[1], *headers(body, ADDED).items()])
        return [body]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that went away."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def _other_page(self, code: int) -> bytes:
        """Return the page for an address that there is not, or not yet."""
        page = self.served / "404.html"
        content = page.read_bytes() if page.exists() else NO_PAGE
        return self._inject_js_into_html(content, self._visible_epoch)

    def _inject_js_into_html(self, content: bytes, epoch: int) -> bytes:
        script: bytes = super()._inject_js_into_html(b"", epoch)  # type: ignore[no-untyped-call]
        # A message is new, too, if there was a good build in between.
        over = OVERLAY.replace("SINCE", str(self.good_epoch))
        over = over.replace("MESSAGE", html.escape(self.message))
        added = over.encode("ascii", "xmlcharrefreplace")
        return content + ADDED + script + added * bool(self.message)

    def _rebuild(self) -> None:
        with self._epoch_cond:  # Requests wait while these two differ.
            epoch, self._wanted_epoch = self._wanted_epoch, self._visible_epoch
            self._epoch_cond.notify_all()
        self.began = time.time()
        glanced = not self.message and self._show_glance(epoch)
        shown = _pages(self.served) if glanced else {}
        try:
            self.message = self._build(lambda: glanced and self._want_rebuild)
        except Superseded:
            return  # The next edit is shown the sooner.
        self.good_epoch = self.good_epoch if self.message else epoch
        if glanced and not self.message and shown == _pages(self.served):
            return  # Whoever looks has seen it.
        self._wanted_epoch = epoch + glanced
        if not self.message:
            print(RELOADING, file=sys.stderr)

    def _show_glance(self, epoch: int) -> bool:
        """Show at once what can be; return whether anything was."""
        fresh = self._fresh()
        if not self.glance(fresh):
            return False
        with self._epoch_cond:
            shutil.copytree(fresh, self.served, dirs_exist_ok=True)
            self._visible_epoch = self._wanted_epoch = epoch
            self._epoch_cond.notify_all()
        print(RELOADING, file=sys.stderr)
        return True

    def _fresh(self) -> Path:
        """Return an empty folder."""
        fresh = self.served.with_name("fresh")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        return fresh

    def _build(self, is_superseded: Callable[[], bool]) -> str:
        """Build; return what went wrong, if anything did."""
        fresh = self._fresh()
        try:
            self.build(fresh, is_superseded)
        except Superseded:
            raise
        except EngineError as error:
            print(error, file=sys.stderr)
            return str(error)
        except Exception as error:
            traceback.print_exc()
            line = "".join(traceback.format_exception_only(error))
            return f"{line}The terminal shows where."
        with self._epoch_cond:
            shutil.rmtree(self.served, ignore_errors=True)
            fresh.rename(self.served)
        return ""

    def look(self) -> bool:
        """Return whether anything that is watched has come, gone or changed.

        What was not watched before is what the last build has read anew.  It
        may have changed meanwhile, and the clock of a disk be a little late.
        """
        before = self.seen
        self.seen = {path: stamps(path) for path in self.watched()}
        late = (self.began - 1) * 1e9
        return any(
            files != before[path]
            if path in before
            else any(at > late for at, _ in files.values())
            for path, files in self.seen.items()
        )

    def look_out(self) -> None:
        """Have the site built on each change, until the server ends."""
        while not self._shutdown:
            if self.look():
                with self._rebuild_cond:
                    self._want_rebuild = True
                    self._rebuild_cond.notify_all()
            time.sleep(SECONDS_BETWEEN_LOOKS)


def _pages(site: Path) -> dict[Path, bytes]:
    """Return the pages of a site, as they are served."""
    return {path: path.read_bytes() for path in site.rglob("*.html")}
