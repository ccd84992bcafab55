"""A person is told which programs run, and for how long."""

import re
from io import StringIO
from pathlib import Path
from unittest import mock

from engine.run.report import Reporter
from engine.run.terminal import screen
from tests.engine.run.programs import program, value


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def tell(root: Path, stream: StringIO, good: bool = True) -> None:
    whole = program(root, "x = 1", value("x"), "y = 1")
    report = Reporter(stream)
    report.started(whole)
    for step in whole.steps:
        report.step(whole, step)
    report.ended(whole, 3.14 if good else None)


def test_lines_where_nobody_looks(tmp_path: Path) -> None:
    stream = StringIO()
    tell(tmp_path, stream)
    assert stream.getvalue() == (
        "Running docs/page.md …\ndocs/page.md: 2 blocks, 3.1 s\n"
    )


def test_each_line_is_written_in_one_piece(tmp_path: Path) -> None:
    stream = StringIO()
    with mock.patch.object(stream, "write", wraps=stream.write) as write:
        tell(tmp_path, stream)
    pieces = [call.args[0] for call in write.mock_calls]
    assert len(pieces) == 2


def test_nothing_more_of_a_program_that_fails(tmp_path: Path) -> None:
    stream = StringIO()
    tell(tmp_path, stream, good=False)
    assert stream.getvalue() == "Running docs/page.md …\n"


def test_a_live_display_on_a_terminal(tmp_path: Path) -> None:
    stream = Terminal()
    whole = program(tmp_path, "x = 1", "y = 1")
    report = Reporter(stream)
    report.started(whole)
    report.step(whole, whole.steps[1])
    assert report._live
    report._live.refresh()
    assert re.search(
        r"0:00:0\d.* docs/page.md: block 2 of 2, snippets/m.py:s2",
        stream.getvalue(),
    )
    report.ended(whole, 3.14)
    assert not report._live.live.is_started
    report.started(whole)
    report.ended(whole, 2.5)
    shown = screen(stream.getvalue().encode())
    assert shown.split("\n") == [
        "docs/page.md: 2 blocks, 3.1 s",
        "docs/page.md: 2 blocks, 2.5 s",
        "",
    ]
