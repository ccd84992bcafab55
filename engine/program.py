"""What a page's program is made of: blocks, and values between them.

A block is code that a page shows and that its program carries out, in one
of three ways: Python is run, a file is saved for the reader, a command is
handed to the shell.
"""

import ast
import builtins
import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

SECONDS_ALLOWED = 300.0
CANNOT_COMPILE = (
    *(MemoryError, OverflowError, RecursionError, SyntaxError, ValueError),
)
"""What Python raises of a text that is no code."""
IMPORTS = {"import_module", "__import__"}
"""Functions that import the module whose name they are given."""
TOLD = """\
except {kind} as {meant}:
    from traceback import format_exception_only

    print(*format_exception_only({meant}), sep="", end="")"""
"""Tells an error as a page shows it."""


@dataclass(frozen=True)
class Section:
    """A named piece of a module, or a whole file that has no name."""

    path: Path
    """The file, relative to the project's root."""
    name: str
    line: int
    """The line of the file on which the code starts, from 1."""
    code: str
    """The dedented code, without a newline at its end."""

    @property
    def reference(self) -> str:
        """The section as a fence names it: ``snippets/data.py:make``."""
        path = self.path.as_posix() if self.path.name else ""
        return f"{path}:{self.name}" if self.name else path


@dataclass(frozen=True, kw_only=True)
class Block:
    """Code that a page shows; one of the three kinds below."""

    line: int
    """The line of the page on which its fence opens."""
    section: Section
    fold: str | None = None
    """The title under which it is folded, if it is."""
    language: str = "python"
    seconds_allowed: float = SECONDS_ALLOWED

    @property
    def code(self) -> str:
        """The code as the page shows it."""
        return self.section.code

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.section.reference or "command"


@dataclass(frozen=True, kw_only=True)
class PythonBlock(Block):
    """Python that is run."""

    alt: str | None = None
    """What the figure that it draws shows."""
    raises: str | None = None
    """The name of the exception with which it is meant to end."""


@dataclass(frozen=True, kw_only=True)
class FileBlock(Block):
    """A file, or a piece of one, that the reader saves."""

    file: str
    contents: str = ""
    """The file's text up to and with this block."""


@dataclass(frozen=True, kw_only=True)
class CommandBlock(Block):
    """Commands for the shell, which stops at the first to fail."""

    exits: int = 0
    """The exit code with which they are meant to end."""
    language: str = "console"


@dataclass(frozen=True)
class Value:
    """An expression in the prose: the inside of an f-string's braces."""

    line: int
    expression: str


Step = Block | Value


@dataclass(frozen=True)
class Program:
    """The steps of one page, in the order in which the page shows them."""

    path: Path
    """The page, relative to the project's root."""
    steps: tuple[Step, ...]

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks alone."""
        return tuple(s for s in self.steps if isinstance(s, Block))

    @property
    def files(self) -> dict[str, str]:
        """The files that the reader saves: their names and whole texts."""
        return {
            b.file: b.contents for b in self.blocks if isinstance(b, FileBlock)
        }


def script(blocks: Sequence[Block]) -> str:
    """Return the blocks that are run as one program, spaced as PEP 8 asks.

    A comment stands where the reader does something else: saves a file, or
    runs a command.  What is meant to fail does so without ending the rest.
    """
    codes: list[str] = []
    saved: set[str] = set()
    shown = "\n".join(block.code for block in blocks)
    for block in blocks:
        match block:
            case FileBlock(file=file):
                if file not in saved:
                    codes.append(f"# Needs the file {file} beside it.")
                saved.add(file)
            case CommandBlock(code=code):
                command = code.replace("\n", "\n#     ")
                codes.append(f"# Left out: a command.\n#     {command}")
            case PythonBlock(raises=str(error)):
                codes.append(_caught(block.code, error, shown))
            case _:
                codes.append(block.code)
    return joined(codes)


def _caught(code: str, error: str, shown: str) -> str:
    """Return the code so that its error is told, and the program goes on."""
    inside: set[int] = set()
    # A reader may have edited it.
    with contextlib.suppress(*CANNOT_COMPILE):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Constant | ast.JoinedStr):
                end = node.end_lineno or node.lineno
                inside.update(range(node.lineno + 1, end + 1))
    lines = [
        f"    {line}" if line and row not in inside else line
        for row, line in enumerate(code.split("\n"), 1)
    ]
    kind = "BaseException" if "." in error else "Exception"
    kind = error if hasattr(builtins, error) else kind
    meant = "meant"  # goes with the error, and is to be no name of the page's
    while re.search(rf"\b{meant}\b", shown):
        meant += "_"
    return "\n".join(["try:", *lines, TOLD.format(kind=kind, meant=meant)])


def modules_in(tree: ast.AST) -> Iterator[str]:
    """Yield what the code imports, and the packages above it."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and node.args:
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            module = getattr(node.args[0], "value", None)
            if called in IMPORTS and isinstance(module, str):
                names = [module]
        for name in names:
            yield from accumulate(name.split("."), "{}.{}".format)


def joined(codes: Sequence[str]) -> str:
    """Return the pieces of code as one text, spaced as PEP 8 asks."""
    text = ""
    previous = ""
    for code in codes:
        text += _gap(previous, code) + code
        previous = code
    return text + "\n"


def _gap(above: str, below: str) -> str:
    if not above:
        return ""
    defines = ("def ", "async def ", "class ", "@")
    indented = above.splitlines()[-1].startswith((" ", "\t"))
    wide = below.startswith(defines) or (
        indented and any(f"\n{d}" in f"\n{above}" for d in defines)
    )
    return "\n\n\n" if wide else "\n\n"
