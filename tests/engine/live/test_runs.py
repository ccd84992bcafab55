"""A reader's edits run, from where the page's session is."""

from pathlib import Path

import pytest

from engine.live.api import BUG
from engine.live.session import PageSession
from engine.live.sessions import AGAIN, BUSY, CHANGED, GONE, MADE_ROOM
from engine.program import CommandBlock, FileBlock, Section
from engine.run.workers import Workers
from tests.engine.live.reader import Reader, Site, begun, notices, text
from tests.engine.run.programs import command
from tests.waiting import wait_for_ends, wait_until


def test_an_unedited_block_shows_what_the_page_shows(reader: Reader) -> None:
    events = reader.run(2)
    assert begun(events) == [1, 2]
    (shown,) = [event for event in events if "html" in event]
    assert text(shown) == "x is 2"
    assert shown["words"] == "It printed 1 line."


def test_an_edit_above_bears_on_what_is_below(reader: Reader) -> None:
    events = reader.run(3, b1="x = 21")
    assert [text(e) for e in events if "html" in e] == [
        "It showed nothing.",
        "x is 21",
        "twice 42",
    ]


def test_the_next_block_runs_alone(reader: Reader) -> None:
    reader.run(2, b1="x = 5\nprint('one')")
    events = reader.run(3, b1="x = 5\nprint('one')")
    assert begun(events) == [3]
    shown = [text(e) for e in events if "html" in e]
    assert shown == ["one", "x is 5", "twice 10"]


def test_a_page_that_keeps_still_is_kept(reader: Reader) -> None:
    reader.run(2, b1="x = 5\nprint('one')")
    [session] = reader.site.sessions._open.values()
    assert not session.is_spent()
    session.stop("x")
    session.close()
    assert session.is_spent()


@pytest.mark.parametrize(
    ("block", "edits"), [(3, {"b1": "x = 1"}), (2, {}), (1, {})]
)
def test_an_edit_further_up_starts_anew(
    reader: Reader, block: int, edits: dict[str, str]
) -> None:
    reader.run(2)
    assert begun(reader.run(block, **edits)) == [*range(1, block + 1)]


def test_a_blank_line_at_the_end_is_no_edit(reader: Reader) -> None:
    reader.run(2)
    assert begun(reader.run(3, b1="x = 2\n\n")) == [3]


def test_an_error_is_shown_with_the_readers_own_lines(reader: Reader) -> None:
    events = reader.run(3, b2="y = 1\nprint(y)\nprint(x + z)")
    assert begun(events) == [1, 2]
    assert events[-1]["block"] == 2
    assert not events[-1]["good"]
    shown = text(events[-1])
    assert shown.startswith("1\nTraceback (most recent call last):\n")
    assert 'File "block_2.py", line 3, in <module>\n    print(x + z)' in shown
    assert "NameError: name 'z' is not defined" in shown
    assert events[-1]["words"].startswith("NameError: name 'z'")
    assert begun(reader.run(3)) == [1, 2, 3]


def test_what_is_meant_to_fail_may(site: Site) -> None:
    site.show("fail/", "x = 1", "x + 'a'", raises="TypeError")
    reader = Reader(site, "fail/")
    assert reader.shows(2).startswith("TypeError: unsupported")
    event = reader.run(2)[-1]
    assert event["words"] == "It raised TypeError, as it is meant to."
    assert reader.shows(2, b2="print(x + 1)") == "2"
    assert not reader.run(2, b2="1 / 0")[-1]["good"]


def test_figures_are_those_of_a_build(site: Site) -> None:
    draw = "import matplotlib.pyplot as plt\nplt.plot([1, {}])\nplt.show()"
    site.show("draw/", draw.format(2))
    reader = Reader(site, "draw/")
    event = reader.run(1, b1=draw.format(7))[-1]
    assert 'class="run-figure"' in event["html"]
    assert "y: 1.0000, 7.0000" in event["html"]
    assert 'id="b1.001:' in event["html"]
    assert event["words"] == "It drew a figure."
    twice = draw.format(3) + "\n" + draw.format(4)
    assert reader.run(1, b1=twice)[-1]["html"].count("<figure") == 2
    unshown = reader.shows(1, b1=draw.format(3).replace("plt.show()", ""))
    assert unshown == (
        "It draws a figure but does not show it; "
        "end the block with plt.show(), and choose no backend."
    )


def file_block(code: str, line: int) -> FileBlock:
    section = Section(Path("snippets/f.py"), f"f{line}", line, code)
    return FileBlock(line=line, section=section, file="f.py")


def test_files_and_commands_are_edited_too(site: Site) -> None:
    blocks = file_block("x = 1", 1), file_block("print(x)", 9)
    site.show("file/", *blocks, command("python f.py"))
    reader = Reader(site, "file/")
    assert reader.shows(3) == "1"
    assert reader.shows(3, b1="x = 2") == "2"
    assert reader.shows(3, b3="cat f.py") == "x = 1\n\nprint(x)"
    event = reader.run(3, b2="raise SystemExit(3)")[-1]
    assert not event["good"]
    assert text(event) == "It ended with exit code 3."
    assert begun(reader.run(3)) == [1, 2, 3]


def test_a_command_that_no_longer_fails_is_good(site: Site) -> None:
    site.show("exit/", command("exit 1", exits=1), "print('on')")
    reader = Reader(site, "exit/")
    assert reader.shows(2) == "on"
    assert reader.shows(2, b1="echo fine") == "on"


def test_functions_are_traced_from_what_the_reader_wrote(site: Site) -> None:
    code = "import inspect\ndef f():\n    return {}\n"
    site.show("trace/", code.format(1), "print(inspect.getsource(f))")
    reader = Reader(site, "trace/")
    assert "return 1" in reader.shows(2)
    assert "return 7" in reader.shows(2, b1="\n\n" + code.format(7))


def test_the_whole_script_is_the_readers(site: Site) -> None:
    show = "print(open(__file__).read())"
    site.show("script/", "x = 1", show)
    assert "x = 8" in Reader(site, "script/").shows(2, b1="x = 8")


def test_it_is_taken_home_with_the_edits(reader: Reader) -> None:
    status, lines = reader.send("script", {"edits": {"2": "print('mine')"}})
    assert status == 200
    assert b"x = 2\\n\\nprint('mine')\\n\\nprint('twice'" in b"".join(lines)


def test_two_tabs_have_the_results_of_their_own_edits(reader: Reader) -> None:
    other = Reader(reader.site, "count/")
    assert reader.shows(2, b1="x = 7") == "x is 7"
    assert other.shows(3, b1="x = 8") == "twice 16"
    assert reader.shows(3, b1="x = 7") == "twice 14"


def test_a_tab_does_not_disturb_what_another_runs(reader: Reader) -> None:
    runs = reader.events(2, b1="import time\ntime.sleep(60)")
    assert next(runs) == {"begun": 1}
    assert Reader(reader.site, "count/").fails(2) == BUSY
    reader.send("stop")
    assert [*runs][-1] == {"block": 1, "fault": "Stopped.", "html": ""}
    assert Reader(reader.site, "count/").shows(2) == "x is 2"


def test_what_a_reader_leaves_is_stopped(
    reader: Reader, tmp_path: Path
) -> None:
    mark = tmp_path / "pid"
    code = f"import os, time\nopen({str(mark)!r}, 'w').write(str(os.getpid()))"
    _, lines = reader.send(
        "run", {"block": 1, "edits": {"1": f"{code}\ntime.sleep(60)"}}
    )
    answer = iter(lines)
    while not (mark.exists() and mark.read_text()):
        next(answer)
    answer.close()  # type: ignore[attr-defined]
    wait_for_ends(int(mark.read_text()))


def test_the_page_unused_for_longest_makes_room(reader: Reader) -> None:
    site = reader.site
    for name in ("one/", "two/"):
        site.show(name, "print(1)", "print(2)")
    reader.run(2)
    one, two = Reader(site, "one/"), Reader(site, "two/")
    one.run(1)
    reader.run(3)
    two.run(1)
    assert sorted(site.sessions._open) == ["count/", "two/"]
    events = one.run(2)
    assert notices(events) == [MADE_ROOM]
    assert begun(events) == [1, 2]
    assert notices(one.run(2)) == []


def test_no_more_run_than_there_are_cores(reader: Reader) -> None:
    site = reader.site
    runs = []
    for name in ("one/", "two/"):
        site.show(name, "import time\ntime.sleep(60)")
        runs.append(Reader(site, name).events(1))
        assert next(runs[-1]) == {"begun": 1}
    assert "as this machine has cores (2)" in reader.fails(1)
    site.sessions.close()
    for run in runs:
        assert [*run][-1]["fault"] == "The server has ended."
    assert reader.fails(1) == "The server has ended."


def test_a_page_whose_code_changes_starts_anew(reader: Reader) -> None:
    reader.run(2)
    reader.site.show("count/", "x = 3", "print('x is', x)", "print(1)")
    status, why = reader.refused("run", {"block": 3})
    assert status == 409
    assert why == "This page has changed since it was opened: reload it."
    events = Reader(reader.site, "count/").run(2)
    assert notices(events) == [CHANGED]
    assert text(events[-1]) == "x is 3"


def test_a_page_that_changes_while_it_runs_says_so(reader: Reader) -> None:
    runs = reader.events(1, b1="import time\ntime.sleep(60)")
    assert next(runs) == {"begun": 1}
    reader.site.show("count/", "x = 3")
    assert [*runs][-1]["fault"] == "The page has changed."


def test_prose_may_change(reader: Reader) -> None:
    site = reader.site
    site.show("prose/", command("echo 1"), command("echo 2"))
    other = Reader(site, "prose/")
    other.run(1)
    moved = [
        CommandBlock(line=70, section=Section(Path(), "", 71, f"echo {n}"))
        for n in (1, 2)
    ]
    site.show("prose/", *moved)
    assert begun(other.run(2)) == [2]


def test_a_session_that_ends_by_itself_is_not_held_against_a_block(
    reader: Reader,
) -> None:
    kill = "import os, threading\n"
    kill += "threading.Timer(0.3, os._exit, [1]).start()"
    reader.run(1, b1=kill)
    wait_until(lambda: not reader.site.sessions._open)
    events = reader.run(2)
    assert notices(events) == [GONE]
    assert AGAIN in GONE
    assert text(events[-1]) == "x is 2"


def test_a_page_whose_editor_opens_has_all_made_ready(
    reader: Reader, tmp_path: Path
) -> None:
    with Workers(tmp_path, tmp_path / "cache", ["json"]) as fresh:
        reader.site.sessions.update(reader.site.programs, fresh)
        assert reader.send("warm")[0] == 200
        wait_until(lambda: fresh._server)


def test_a_bug_of_the_engine_is_said_too(
    reader: Reader,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(PageSession, "go_on", lambda *_: 1 / 0)
    assert reader.fails(1) == BUG
    assert "ZeroDivisionError" in capsys.readouterr().err
