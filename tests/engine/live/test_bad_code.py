"""Whatever a reader writes: a message at the block, nothing left running."""

import dataclasses
import os
import signal
from pathlib import Path

import pytest

from tests.engine.live.reader import Reader, Site, text
from tests.engine.run.programs import ends


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
        ("breakpoint()", "nobody can answer a debugger"),
        ("raise SystemExit(1)", "SystemExit: 1"),
        ("import engine", "No module named 'engine'"),
        ("from __future__ import annotations", "at the beginning of the file"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    ],
)
def test_what_python_says_of_it_is_shown(
    reader: Reader, code: str, shown: str
) -> None:
    event = reader.run(2, b2=code)[-1]
    assert event["block"] == 2
    assert not event["good"]
    assert shown in text(event)
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
    assert ends([int(mark.read_text())])


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
    assert ends([int(mark.read_text())])


def test_the_process_that_starts_programs_may_be_ended(
    reader: Reader,
) -> None:
    reader.run(1)
    server = reader.site.workers._server
    assert server
    os.kill(server._process.pid, signal.SIGKILL)
    server._process.wait()
    assert reader.shows(2, b1="x = 4") == "x is 4"
