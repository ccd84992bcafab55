"""The development server goes on serving, and says what went wrong."""

import os
import re
import signal
import socket
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from engine.build import serve
from engine.build.headers import HEADERS, headers
from engine.build.reads import stamps
from engine.errors import PageError
from tests.engine.build import served
from tests.engine.build.served import FAILED, FAULT, MORE, NO_PAGE, Start
from tests.waiting import wait_until

start = served.start


def test_an_edit_is_shown(start: Start) -> None:
    site = start("first")
    site.shows("<p>first</p>")
    site.write("second")
    site.shows("<p>second</p>", "other/")
    assert site.said == ""
    assert not (site.root / "cache/fresh").exists()


def test_pages_have_the_published_headers(start: Start) -> None:
    site = start("first")
    site.shows("first")
    sent, page = site.ask()
    assert sent["X-Content-Type-Options"] == "nosniff"
    assert sent["Cache-Control"] == "no-store"
    policy = sent["Content-Security-Policy"]
    assert policy.startswith(HEADERS["Content-Security-Policy"])
    assert policy.count("sha256") == page.count("<script>") == 1


def test_only_scripts_of_the_server_are_let_in() -> None:
    script = b"<script>reload()</script>"
    ours = headers(serve.ADDED + script, serve.ADDED)
    theirs = headers(script + serve.ADDED, serve.ADDED)
    assert "sha256" in ours["Content-Security-Policy"]
    assert "sha256" not in theirs["Content-Security-Policy"]


def test_a_failed_build_leaves_the_pages_and_says_why_once(
    start: Start,
) -> None:
    site = start("first")
    site.shows("first")
    site.write("fault")
    site.shows(FAILED)
    for path in ("", "other/"):
        page = site.get(path)
        assert "<p>first</p>" in page
        assert "no &lt;section&gt; &#8220;cuont&#8221;" in page
    assert site.get("nowhere/").count(FAILED) == 1
    wait_until(lambda: site.said == f"{FAULT}\n")
    site.write("mended")
    site.shows("mended")
    assert FAILED not in site.get("other/")


def test_a_fault_that_stays_is_no_new_one_until_it_was_mended(
    start: Start,
) -> None:
    site = start("first")
    site.shows("first")
    since: list[str] = []

    def write(text: str, shown: str, faults: int) -> None:
        site.write(text)
        site.shows(shown)
        wait_until(lambda: site.said == faults * f"{FAULT}\n")
        since.extend(re.findall(r'data-since="(\d+)"', site.get()))

    write("fault", FAILED, faults=1)
    write("fault still", FAILED, faults=2)
    write("good", "good", faults=2)
    write("fault", FAILED, faults=3)
    assert since[0] == since[1] != since[2]


def test_without_a_good_build_every_address_says_why(start: Start) -> None:
    site = start("fault")
    site.shows(FAILED)
    for path in ("", "other/", "a/b.css"):
        page = site.get(path)
        assert NO_PAGE in page
        assert "no &lt;section&gt;" in page
    wait_until(lambda: site.said == f"{FAULT}\n")
    site.write("mended")
    site.shows("<p>mended</p>")


def test_what_an_earlier_server_left_is_not_served(start: Start) -> None:
    left = start("first")
    left.shows("first")
    left.process.kill()
    left.process.wait()
    site = start("fault")
    site.shows(FAILED)
    assert "first" not in site.get()


def test_a_build_keeps_no_request_waiting(start: Start) -> None:
    site = start("slow")
    wait_until(lambda: site.builds == ["slow"])
    assert NO_PAGE in site.get("other/")
    site.write("", "go")
    site.shows("<p>slow</p>")
    (site.root / "go").unlink()
    site.write("second")
    site.shows("<p>second</p>")
    site.write("slow")
    wait_until(lambda: site.builds[-1] == "slow")
    assert "<p>second</p>" in site.get()
    site.write("", "go")
    site.shows("<p>slow</p>")


def test_a_request_that_waits_for_a_build_is_let_go(tmp_path: Path) -> None:
    def build(site: Path, _: object) -> None:
        request.join(timeout=10)
        answered.append(not request.is_alive())
        site.mkdir()

    answered: list[bool] = []
    server = serve._Server(build, tmp_path / "served", serve.listen(0), "/")
    server.watched = list
    server._wanted_epoch += 1
    request = threading.Thread(
        target=lambda: b"".join(
            server.serve_request({"PATH_INFO": "/"}, lambda *answer: None)
        ),
        daemon=True,
    )
    request.start()
    request.join(timeout=0.5)
    assert request.is_alive()
    server._rebuild()
    assert answered == [True]
    server.shutdown()


def test_what_comes_or_goes_between_two_looks_is_told(tmp_path: Path) -> None:
    words, at = tmp_path / "words", serve.listen(0)
    server = serve._Server(lambda *_: None, tmp_path / "site", at, "/")
    server.watched = lambda: [words]
    server.look()
    for change in (words.touch, words.unlink, words.touch):
        assert not server.look()
        change()
        assert server.look()
    server.shutdown()


def test_what_took_the_place_of_another_has_changed(tmp_path: Path) -> None:
    words, old = tmp_path / "docs/words", tmp_path / "old"
    words.parent.mkdir()
    for path in (words, old):
        path.write_text("same")
        os.utime(path, (0, 0))
    before = stamps(words.parent)
    assert before.keys() == {words}
    time.sleep(0.01)
    old.rename(words)
    assert stamps(words.parent) != before


def test_a_folder_that_a_link_leads_to_is_looked_at(tmp_path: Path) -> None:
    words = tmp_path / "elsewhere/words"
    words.parent.mkdir()
    words.touch()
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/more").symlink_to(words.parent)
    assert stamps(tmp_path / "docs").keys() == {tmp_path / "docs/more/words"}


def test_what_is_watched_anew_has_changed_if_it_did_since(
    tmp_path: Path,
) -> None:
    first, other = tmp_path / "first", tmp_path / "other"
    first.touch()
    other.touch()
    at = serve.listen(0)
    server = serve._Server(lambda *_: None, tmp_path / "site", at, "/")
    for began, is_told in ((time.time() + 60, False), (time.time(), True)):
        server.watched = lambda: [first]
        server.look()
        server.began = began
        server.watched = lambda: [first, other]
        assert server.look() == is_told
    server.shutdown()


def test_an_edit_during_a_build_leads_to_another(start: Start) -> None:
    site = start("slow")
    wait_until(lambda: site.builds == ["slow"])
    site.write("second")
    site.write("", "go")
    site.shows("<p>second</p>")
    assert site.builds == ["slow", "second"]


def test_a_bug_is_shown_with_its_traceback(start: Start) -> None:
    site = start("first")
    site.shows("first")
    site.write("bug")
    site.shows("ZeroDivisionError: by nothing")
    assert "<p>first</p>" in site.get()
    wait_until(lambda: "ZeroDivisionError" in site.said)
    assert site.said.count("Traceback") == 1
    assert "in build" in site.said
    site.write("mended")
    site.shows("mended")


def test_what_is_watched_follows_every_build(start: Start) -> None:
    site = start("first")
    site.shows("first")
    site.write("one", "more")
    site.write(MORE)
    site.shows(FAILED)
    site.write("two", "more")
    wait_until(lambda: site.builds == ["first", *[MORE] * 2])
    site.write("last")
    site.shows("<p>last</p>")
    site.write("later")
    site.shows("<p>later</p>")
    site.write("three", "more")
    time.sleep(0.5)
    assert site.get("more.txt") == "two"
    site.write("end")
    site.shows("<p>end</p>")
    assert site.get("more.txt") == "three"


def test_unknown_addresses_have_the_page_of_the_site(start: Start) -> None:
    site = start("first")
    site.shows("first")
    headers, page = site.ask("nowhere/%C3%A9")
    assert "Nowhere" in page
    assert headers["Content-Type"].startswith("text/html")
    assert "livereload(" in page


def test_every_look_is_told(start: Start) -> None:
    site = start("first")
    site.get("other/a%C3%A9/")
    assert "/other/aé/" in (site.root / "looks").read_text().splitlines()


def test_the_site_may_stand_under_a_path(start: Start) -> None:
    site = start("first", "/repo/")
    assert site.address.endswith("/repo/")
    site.shows("first", "other/")


def test_other_machines_are_not_served(start: Start) -> None:
    site = start("first")
    port = int(re.findall(r":(\d+)/", site.address)[0])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), timeout=5).close()


@pytest.mark.parametrize("words", ["first", "slow"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_without_a_word(
    start: Start, number: signal.Signals, words: str
) -> None:
    site = start(words)
    wait_until(lambda: site.builds)
    poll = urllib.request.urlopen(f"{site.address}livereload/0/0", timeout=5)
    with poll:
        site.process.send_signal(number)
        assert site.process.wait(timeout=30) == 0
    assert site.said == ""


def test_a_taken_port_is_said_and_the_next_one_used(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with serve.listen(port) as found:
            assert found.getsockname()[1] > port
        assert f"Port {port} is taken; using " in capsys.readouterr().err


def test_a_free_port_is_used_without_a_word(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with serve.listen(port) as found:
        assert found.getsockname()[1] == port
    assert capsys.readouterr().err == ""


def test_a_port_is_taken_once_it_is_found() -> None:
    with serve.listen(0) as first:
        port = first.getsockname()[1]
        with serve.listen(port) as second:
            assert second.getsockname()[1] > port


def test_no_free_port_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    class Busy(socket.socket):
        def bind(self, address: object) -> None:
            raise OSError

    monkeypatch.setattr("engine.build.serve.socket.socket", Busy)
    with pytest.raises(PageError, match="none of the ports 8000 to 8019"):
        serve.listen(8000)
    with pytest.raises(PageError, match="none of the ports 99999 to"):
        serve.listen(99999)
