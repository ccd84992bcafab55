"""Nobody but a page that was served here has anything run."""

import json

import pytest

from engine.live.app import FILES, UNFRAMED
from engine.live.guard import BYTES_ALLOWED
from tests.engine.live.reader import HOST, ORIGIN, PAGE, Reader, Site

RUN = {"block": 1}


@pytest.fixture
def nothing_runs(site: Site) -> object:
    yield
    assert site.sessions._open == {}


def test_a_page_is_served_with_what_it_needs(reader: Reader) -> None:
    status, headers, body = reader.site.ask("count/index.html")
    text = b"".join(body)
    assert status == 200
    assert text.startswith(PAGE)
    assert b'<script src="/repo/_live/live.js"' in text
    assert headers["Content-Length"] == str(len(text))
    assert headers[UNFRAMED[0]] == "DENY"
    assert reader.data["token"].encode() in text


@pytest.mark.parametrize("path", ["", "other/", "count/image.svg", "count"])
def test_what_has_no_program_is_served_as_it_is(
    reader: Reader, path: str
) -> None:
    assert reader.site.page(path).encode() == PAGE


@pytest.mark.parametrize(
    "host", ["localhost:8000", "rebound.example:8000", "127.0.0.1:80", ""]
)
@pytest.mark.usefixtures("nothing_runs")
def test_another_name_gets_neither_token_nor_answer(
    reader: Reader, host: str
) -> None:
    other = {"HTTP_HOST": host}
    assert reader.site.page("count/", **other).encode() == PAGE
    assert reader.site.ask("_live/live.js", b"", "GET", **other)[0] == 403
    origin = {"HTTP_ORIGIN": f"http://{host}"}
    assert reader.refused("run", RUN, **other)[0] == 403
    assert reader.refused("run", RUN, **other, **origin)[0] == 403


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "",
        "http://127.0.0.1:8001",
        f"https://{HOST}",
        f"{ORIGIN}/",
    ],
)
@pytest.mark.usefixtures("nothing_runs")
def test_another_origin_is_refused(reader: Reader, origin: str) -> None:
    status, why = reader.refused("run", RUN, HTTP_ORIGIN=origin)
    assert status == 403
    assert why == f"Only pages of {ORIGIN} are answered."


@pytest.mark.parametrize("name", ["run", "stop", "script", "warm"])
@pytest.mark.usefixtures("nothing_runs")
def test_each_order_needs_the_token_of_its_page(
    reader: Reader, name: str
) -> None:
    reader.site.show("other/", "x = 1")
    other = Reader(reader.site, "other/").data["token"]
    assert other != reader.data["token"]
    for token in ("", other, "ü", reader.data["token"][:-1]):
        status, why = reader.refused(name, RUN, HTTP_X_TOKEN=token)
        assert status == 403
        assert why.startswith("This page is from another start")
    page = {"page": "other/", **RUN}
    assert reader.refused(name, page)[0] == 403


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS", "DELETE"])
@pytest.mark.usefixtures("nothing_runs")
def test_another_method_is_refused(reader: Reader, method: str) -> None:
    assert reader.refused("run", RUN, method=method)[0] == 405
    assert reader.site.ask("_live/run", method=method)[1]["Allow"] == "POST"


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", ""]
)
@pytest.mark.usefixtures("nothing_runs")
def test_what_a_form_could_send_is_refused(reader: Reader, kind: str) -> None:
    assert reader.refused("run", RUN, CONTENT_TYPE=kind)[0] == 415


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{", "This is no JSON."),
        (b"[" * 100_000, "This is no JSON."),
        (b"[]", "This is no order."),
        (b'{"edits": {"1": "\xff"}}', "The code is not UTF-8"),
        (b'{"edits": {"1": "\\ud800"}}', "The code is not UTF-8"),
    ],
)
@pytest.mark.usefixtures("nothing_runs")
def test_what_cannot_be_read_is_refused(
    reader: Reader, body: bytes, why: str
) -> None:
    headers = {
        "HTTP_ORIGIN": ORIGIN,
        "CONTENT_TYPE": "application/json",
        "HTTP_X_TOKEN": reader.data["token"],
    }
    status, _, answer = reader.site.ask(
        "_live/run", body, method="POST", **headers
    )
    assert status == 400
    assert json.loads(b"".join(answer))["fault"].startswith(why)


@pytest.mark.parametrize(
    "length", [str(BYTES_ALLOWED + 1), "-1", "x", "9" * 5000]
)
@pytest.mark.usefixtures("nothing_runs")
def test_too_much_is_not_read(reader: Reader, length: str) -> None:
    assert reader.refused("run", RUN, CONTENT_LENGTH=length)[0] == 413


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"block": 0},
        {"block": 4},
        {"block": "1"},
        {"block": 1, "edits": {"a": "x"}},
        {"block": 1, "edits": {"1": 2}},
        {"block": 1, "edits": 7},
    ],
)
@pytest.mark.usefixtures("nothing_runs")
def test_an_order_that_makes_no_sense_is_refused(
    reader: Reader, order: dict[str, object]
) -> None:
    assert reader.refused("run", order)[0] == 400


@pytest.mark.usefixtures("nothing_runs")
def test_there_is_nothing_else(reader: Reader) -> None:
    assert reader.refused("shell")[0] == 404
    assert reader.site.ask("_live/api.py")[0] == 405
    assert reader.site.ask("_live/../guard.py")[0] == 405


@pytest.mark.parametrize("name", FILES)
def test_its_files_are_served(reader: Reader, name: str) -> None:
    status, headers, body = reader.site.ask(f"_live/{name}")
    assert status == 200
    assert headers["Content-Type"].startswith("text/")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert b"".join(body)
