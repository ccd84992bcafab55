"""The local server sends the headers, and shows an edit soon."""

import base64
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from mkdocs.livereload import LiveReloadServer

from engine.served import (
    HEADERS,
    SECONDS_BETWEEN_LOOKS,
    Notebooks,
    look_often,
    with_headers,
    with_notebooks,
)


def answer(body: bytes) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body that the wrapped server sends."""

    def app(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        start("200 OK", [("Content-Type", "text/html")])
        return [body]

    sent: dict[str, str] = {}
    (content,) = with_headers(app)(
        {}, lambda status, headers: sent.update(headers)
    )
    return sent, content


def test_pages_are_served_with_the_published_headers() -> None:
    headers, body = answer(b"<p>words</p>")
    assert body == b"<p>words</p>"
    assert headers["Content-Type"] == "text/html"
    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = headers["Content-Security-Policy"]
    assert policy.startswith(HEADERS["Content-Security-Policy"])
    assert "sha256" not in policy


def test_the_reload_script_is_let_in_by_its_hash() -> None:
    headers, _ = answer(b"<p>words</p><script>reload()</script>")
    digest = base64.b64encode(hashlib.sha256(b"reload()").digest()).decode()
    policy = headers["Content-Security-Policy"]
    assert policy.endswith(f"; script-src 'self' 'sha256-{digest}'")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two notebooks."""
    (tmp_path / "guide.ipynb").write_text("guide")
    (tmp_path / "traps.ipynb").write_text("traps")
    return tmp_path


@pytest.fixture
def notebooks(folder: Path) -> Notebooks:
    """The notebooks of the folder as they are shown."""
    found = Notebooks(folder / "asked")
    found.hold_back(folder)
    return found


def edit(folder: Path, notebooks: Notebooks, text: str) -> str:
    """Build after an edit of the guide; return which notebook is shown."""
    (folder / "guide.ipynb").write_text(text)
    notebooks.hold_back(folder)
    assert (folder / "traps.ipynb").read_text() == "traps"
    return (folder / "guide.ipynb").read_text()


def test_a_notebook_stays_until_somebody_looks_at_it(
    folder: Path, notebooks: Notebooks
) -> None:
    assert edit(folder, notebooks, "guide 2") == "guide"
    assert not notebooks.asked.exists()
    notebooks.look_at("/notebooks/guide/")
    assert notebooks.asked.exists()
    assert edit(folder, notebooks, "guide 2") == "guide 2"
    assert edit(folder, notebooks, "guide 3") == "guide 2"


def test_a_notebook_is_asked_for_once(
    folder: Path, notebooks: Notebooks
) -> None:
    edit(folder, notebooks, "guide 2")
    notebooks.look_at("/repo/notebooks/guide.html")
    notebooks.asked.unlink()
    notebooks.look_at("/repo/notebooks/guide.html")
    assert not notebooks.asked.exists()


@pytest.mark.parametrize("address", ["/notebooks/traps/", "/guide/", "/", ""])
def test_other_addresses_ask_for_nothing(
    folder: Path, notebooks: Notebooks, address: str
) -> None:
    edit(folder, notebooks, "guide 2")
    notebooks.look_at(address)
    assert not notebooks.asked.exists()
    assert edit(folder, notebooks, "guide 2") == "guide"


def test_an_edit_that_was_undone_is_not_late(
    folder: Path, notebooks: Notebooks
) -> None:
    edit(folder, notebooks, "guide 2")
    assert edit(folder, notebooks, "guide") == "guide"
    notebooks.look_at("/notebooks/guide/")
    assert not notebooks.asked.exists()


def test_a_request_is_a_look(folder: Path, notebooks: Notebooks) -> None:
    edit(folder, notebooks, "guide 2")
    app = with_notebooks(lambda environ, start: [b"page"], notebooks)
    address = {"PATH_INFO": "/notebooks/guide/"}
    assert app(address, lambda status, headers: None) == [b"page"]
    assert notebooks.asked.exists()


def test_what_the_server_watches_is_looked_at_often(tmp_path: Path) -> None:
    server = LiveReloadServer(
        lambda: None, host="127.0.0.1", port=0, root=str(tmp_path)
    )
    server.watch(str(tmp_path))
    look_often(server, [str(tmp_path)])
    (emitter,) = server.observer.emitters
    assert emitter.watch.path == str(tmp_path)
    assert emitter.timeout == SECONDS_BETWEEN_LOOKS
    server.server_close()
