"""Blocks become the program that a reader copies."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from engine.program import (
    Block,
    CommandBlock,
    FileBlock,
    Program,
    PythonBlock,
    Section,
    script,
)


def block(
    code: str = "pass", alt: str | None = None, raises: str | None = None
) -> PythonBlock:
    section = Section(Path("snippets/a.py"), "a", 1, code)
    return PythonBlock(line=1, section=section, alt=alt, raises=raises)


def saved(code: str, contents: str) -> FileBlock:
    section = Section(Path("snippets/a.py"), "a", 1, code)
    return FileBlock(line=1, section=section, file="a.py", contents=contents)


def command(code: str, exits: int = 0) -> CommandBlock:
    section = Section(Path(), "", 1, code)
    return CommandBlock(line=1, section=section, exits=exits)


def test_a_program_is_spaced_as_pep_8_asks() -> None:
    codes = ["import a", "def f():\n    return 1", "x = f()", "y = x"]
    assert script([block(code) for code in codes]) == (
        "import a\n\n\ndef f():\n    return 1\n\n\nx = f()\n\ny = x\n"
    )


def test_a_program_goes_on_after_what_is_meant_to_fail(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fails = "x = '''a\n  b'''\n\nif x:\n    raise {}(x)"
    blocks = [
        block(fails.format("ValueError"), raises="ValueError"),
        block("class Own(Exception): ..."),
        block(fails.format("Own"), raises="Own"),
        block(fails.format("SystemExit"), raises="SystemExit"),
        block("raise KeyError", raises="KeyError"),
        block("print(x)"),
    ]
    exec(script(blocks), {})
    said = "a\n  b\n"
    assert capsys.readouterr().out == (
        f"ValueError: {said}Own: {said}SystemExit: {said}KeyError\n{said}"
    )


def test_an_error_of_several_lines_is_told_as_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = "e = ValueError('a')\ne.add_note('  b')\nraise e"
    exec(script([block(code, raises="ValueError")]), {})
    assert capsys.readouterr().out == "ValueError: a\n  b\n"


def test_names_of_the_page_are_left_alone_by_what_tells_its_errors(
    capsys: pytest.CaptureFixture[str],
) -> None:
    blocks = [
        block("meant, traceback = 1, 2"),
        block("int('x')", raises="ValueError"),
        block("print(meant, traceback)"),
    ]
    exec(script(blocks), {})
    assert capsys.readouterr().out.endswith("'x'\n1 2\n")


def test_what_a_reader_has_half_edited_is_a_program_all_the_same() -> None:
    for code in ("x = (", "x = '\0'", "x = " + "+".join("1" * 100_000)):
        assert f"    {code}\n" in script([block(code, raises="TypeError")])


def test_a_program_says_where_a_file_and_a_command_belong() -> None:
    blocks: Sequence[Block] = [
        block("x = 1"),
        saved("y = 2", "y = 2\n"),
        saved("z = 3", "y = 2\n\nz = 3\n"),
        command("python a.py\nls"),
        block("x = 2"),
    ]
    assert script(blocks) == (
        "x = 1\n\n# Needs the file a.py beside it.\n\n"
        "# Left out: a command.\n#     python a.py\n#     ls\n\nx = 2\n"
    )
    program = Program(Path("docs/a.md"), tuple(blocks))
    assert program.files == {"a.py": "y = 2\n\nz = 3\n"}
