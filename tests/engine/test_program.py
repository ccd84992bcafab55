"""Blocks become the program that a reader copies."""

from collections.abc import Sequence
from pathlib import Path

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


def test_a_program_leaves_out_what_is_meant_to_fail() -> None:
    text = script([block("x = 1"), block("x = None + 1", raises="TypeError")])
    assert text == "x = 1\n\n# Left out: a block that raises TypeError.\n"


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
