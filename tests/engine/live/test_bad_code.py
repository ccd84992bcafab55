"""Whatever a reader writes: a message at the block, nothing left running."""

import dataclasses
import os
import signal
from pathlib import Path

import pytest

from engine.run.check import BYTES_ALLOWED
from tests.engine.live.reader import Reader, Site, text
from tests.engine.run.programs import command
from tests.waiting import wait_for_ends


def limited(site: Site, page: str, seconds: float) -> None:
    """Allow the blocks of the page so many seconds."""
    program = site.programs[page]
    blocks = [
        dataclasses.replace(block, seconds_allowed=seconds)
        for block in program.blocks
    ]
    site.programs[page] = dataclasses.replace(program, steps=tuple(blocks))
    site.sessions.update(site.programs, site.workers)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("while True: pass", "It ran longer than its limit of 1 s."),
        ("while True: print('x' * 9000)", "It printed more than 20 kB."),
        (
            "import os; os.kill(os.getpid(), 9)",
            "It ended its own process (exit code -9).",
        ),
        (
            "import os; os._exit(0)",
            "It ended its own process (exit code 0).",
        ),
    ],
)
def test_what_ends_a_program_is_said(
    reader: Reader, code: str, why: str
) -> None:
    limited(reader.site, "count/", 1)
    assert reader.fails(3, b2=code) == why
    assert reader.site.sessions._open == {}
    assert reader.shows(3) == "twice 4"


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("print('a'", "SyntaxError: '(' was never closed"),
        ("this is no Python", "SyntaxError: invalid syntax"),
        ("x = '\0'", "null bytes"),
        ("input('Name? ')", "Nobody can type here: a block reads no input."),
        ("assert 1 == 2", "AssertionError"),
        ("breakpoint()", "nobody can answer a debugger"),
        ("raise SystemExit(1)", "SystemExit: 1"),
        ("import engine", "No module named 'engine'"),
        ("from __future__ import annotations", "at the beginning of the file"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("x = " + "+".join("1" * 100_000), "RecursionError: "),
        ("raise ValueError('a\\0b')", "a\N{REPLACEMENT CHARACTER}b"),
    ],
)
def test_what_python_says_of_it_is_shown(
    reader: Reader, code: str, shown: str
) -> None:
    event = reader.run(2, b2=code)[-1]
    assert event["block"] == 2
    assert not event["good"]
    assert shown in text(event)
    assert ("Nobody can type here" in text(event)) == ("input(" in code)
    assert reader.site.sessions._open == {}
    assert reader.shows(2) == "x is 2"


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("import os; os.write(1, b'a\\xff')", "a\N{REPLACEMENT CHARACTER}"),
        ("print('a\\abc')", "a\N{REPLACEMENT CHARACTER}bc"),
        ("print('x' * 30_000)", "xxx"),
    ],
)
def test_what_no_page_prints_is_shown_with_a_word(
    reader: Reader, code: str, shown: str
) -> None:
    event = reader.run(2, b2=code)[-1]
    assert event["good"]
    assert text(event).startswith(shown)
    assert "It printed " in text(event)
    assert event["words"].startswith("It printed 1 line. It printed ")


def test_an_error_without_end_is_cut(reader: Reader) -> None:
    event = reader.run(2, b2="raise ValueError('so ' * 10**6)")[-1]
    assert "ValueError: so so" in text(event)
    assert len(event["html"]) < 2 * BYTES_ALLOWED
    assert len(event["words"]) < 500
    assert event["words"].startswith("ValueError: so so")


def test_what_is_cut_is_cut_between_characters(reader: Reader) -> None:
    shown = text(reader.run(2, b2="print('a' + 'ü' * 30_000)")[-1])
    assert "ü" * 9000 in shown
    assert "\N{REPLACEMENT CHARACTER}" not in shown


def test_an_error_is_all_that_is_said_of_a_figure(site: Site) -> None:
    code = "import matplotlib.pyplot as plt\nplt.plot([1])\n1 / 0"
    site.show("draw/", code)
    event = Reader(site, "draw/").run(1)[-1]
    assert text(event).endswith("ZeroDivisionError: division by zero")


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("while True: pass", "It ran longer than its limit of 1 s."),
        (
            "import os; os._exit(3)",
            "It ended its own process (exit code 3).",
        ),
    ],
)
def test_what_was_printed_until_then_is_shown(
    reader: Reader, code: str, why: str
) -> None:
    limited(reader.site, "count/", 1)
    code = f"import warnings; warnings.warn('so far')\n{code}"
    event = reader.run(3, b2=code)[-1]
    assert event["fault"] == why
    assert text(event).startswith("block_2.py:1: UserWarning: so far")


def test_what_a_stopped_run_printed_is_shown(reader: Reader) -> None:
    runs = reader.events(2, b2="print('epoch 1')\nwhile True: pass")
    while next(runs) != {"begun": 2}:
        pass
    (worker,) = reader.site.sessions._open.values()
    assert worker._session
    while not worker._session.output.read_text():
        pass
    reader.send("stop")
    assert text([*runs][-1]) == "epoch 1"


def test_a_folder_that_is_gone_is_said(reader: Reader) -> None:
    gone = "import os, shutil\nshutil.rmtree(os.path.dirname(os.getcwd()))"
    assert reader.fails(2, b1=gone) == (
        "The block cannot be saved in the program's folder: "
        "No such file or directory."
    )
    assert reader.site.sessions._open == {}
    assert reader.shows(2) == "x is 2"


@pytest.mark.parametrize("code", ["echo '\0'", "echo " + "x" * 200_000])
def test_a_command_that_no_shell_takes_is_said(site: Site, code: str) -> None:
    site.show("command/", command("echo 1"))
    reader = Reader(site, "command/")
    event = reader.run(1, b1=code)[-1]
    assert text(event).startswith("sh: ")
    assert text(event).endswith("It ended with exit code 126.")
    assert reader.shows(1) == "1"


def test_a_cursor_that_leaves_the_terminal_takes_no_memory(
    reader: Reader,
) -> None:
    event = reader.run(2, b2="print('\\x1b[99999999B')")[-1]
    assert text(event).startswith("\N{REPLACEMENT CHARACTER}[99999999B")


def test_output_is_no_markup(reader: Reader) -> None:
    event = reader.run(2, b2="print('<script>x</script>')")[-1]
    assert "<script>" not in event["html"]
    assert text(event) == "<script>x</script>"


@pytest.mark.parametrize("leave", ["stop", "another edit", "end"])
def test_what_forks_is_ended_with_the_session(
    reader: Reader, tmp_path: Path, leave: str
) -> None:
    mark = tmp_path / "pids"
    code = (
        "import os, time\n"
        "if not os.fork():\n"
        "    os.setsid()\n"
        f"    print(os.getpid(), file=open({str(mark)!r}, 'a'), flush=True)\n"
        "    while True: time.sleep(1)\n"
        f"while not os.path.exists({str(mark)!r}) or not "
        f"open({str(mark)!r}).read(): pass\n"
    )
    if leave == "stop":
        runs = reader.events(2, b1=code + "while True: time.sleep(1)")
        assert next(runs) == {"begun": 1}
        while not (mark.exists() and mark.read_text()):
            pass
        reader.send("stop")
        assert [*runs][-1]["fault"] == "Stopped."
    else:
        reader.run(1, b1=code)
    if leave == "another edit":
        assert reader.shows(2) == "x is 2"
    if leave == "end":
        reader.site.sessions.close()
    wait_for_ends(int(mark.read_text()))


def test_daemons_end_though_their_keeper_was_killed(
    reader: Reader, tmp_path: Path
) -> None:
    mark = tmp_path / "pid"
    code = (
        "import os, time\n"
        "if not os.fork():\n"
        "    os.setsid()\n"
        f"    print(os.getpid(), file=open({str(mark)!r}, 'w'), flush=True)\n"
        "    while True: time.sleep(1)\n"
        f"while not os.path.exists({str(mark)!r}) or not "
        f"open({str(mark)!r}).read(): pass\n"
        "os.kill(os.getppid(), 9)\n"
        "while True: time.sleep(1)"
    )
    assert reader.fails(1, b1=code) == (
        "The process that starts programs was ended."
    )
    wait_for_ends(int(mark.read_text()))
    assert reader.shows(2) == "x is 2"


def test_what_prints_without_end_after_its_block_is_ended(
    reader: Reader, tmp_path: Path
) -> None:
    mark = tmp_path / "pid"
    code = (
        "import os, threading\n"
        f"open({str(mark)!r}, 'w').write(str(os.getpid()))\n"
        "def talk():\n"
        "    while True: os.write(1, b'x' * 1000)\n"
        "threading.Thread(target=talk, daemon=True).start()"
    )
    reader.run(1, b1=code)
    wait_for_ends(int(mark.read_text()))


def test_the_process_that_starts_programs_may_be_ended(
    reader: Reader,
) -> None:
    reader.run(1)
    server = reader.site.workers._servers[()]
    os.kill(server._process.pid, signal.SIGKILL)
    server._process.wait()
    assert reader.shows(2, b1="x = 4") == "x is 4"
