"""What a page's program is made of: blocks, and values between them.

A block is code that a page shows and that its program carries out, in one
of three ways: Python is run, a file is saved for the reader, a command is
handed to the shell.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import Fault
from engine.fences import Fence, read_options
from engine.sections import Section, joined

SECONDS_ALLOWED = 120.0
PYTHON = frozenset({"run", "alt", "raises", "limit", "fold"})
FILE = frozenset({"run", "source", "file", "fold"})
COMMAND = frozenset({"exits", "limit", "fold"})
OWN_OPTIONS = PYTHON | FILE | COMMAND
HIGHLIGHTER_OPTIONS = frozenset({"title", "hl_lines", "linenums"})
FILE_LANGUAGES = ("json", "yaml")
"""Languages, beside Python, in which a page shows a reader's file."""

SectionFinder = Callable[[str, Path, int], Section]
"""Finds a section by its reference; page and line are for the message."""
FaultMaker = Callable[[str, str], Fault]
"""Makes a fault from a problem and its mend, naming page and line."""


@dataclass(frozen=True)
class Block:
    """Code shown on a page, and how it is to be carried out and shown."""

    line: int
    end: int
    indent: str
    section: Section
    language: str = "python"
    alt: str | None = None
    raises: str | None = None
    fold: str | None = None
    file: str | None = None
    """The name under which the reader saves the code, if it is a file's."""
    contents: str = ""
    """The file's text up to and with this block."""
    exits: int = 0
    """The exit code of a command."""
    seconds_allowed: float = SECONDS_ALLOWED

    @property
    def is_command(self) -> bool:
        """Whether the block is handed to the shell."""
        return self.language == "console"


@dataclass(frozen=True)
class Value:
    """An expression in the prose: the inside of an f-string's braces."""

    line: int
    expression: str


Step = Block | Value


def is_block(fence: Fence) -> bool:
    """Return whether the fence shows what the page's program carries out."""
    if re.match(r"\{?\s*\.?(python|py|console)\b", fence.info):
        return True
    return re.search(r"\bsource=", fence.info) is not None


def read_block(
    fence: Fence,
    root: Path,
    path: Path,
    find_section: SectionFinder,
    above: Sequence[Block],
) -> Block:
    """Return the block that the fence on the page at ``path`` describes.

    ``above`` are the page's blocks before it.  Raises Fault for a fence
    that cannot be understood.
    """
    if fence.language == "console":
        return _command(fence, path)
    if re.search(r"\b(file|source)=", fence.info):
        return _file(fence, root, path, find_section, above)
    return _python(fence, path, find_section)


def _python(fence: Fence, path: Path, find_section: SectionFinder) -> Block:
    fault = fence.fault_on(path)
    options = _options(fence, path, PYTHON)
    if "run" not in options:
        raise fault(
            "this block shows Python that is never run",
            'name its section with run="snippets/NAME.py:SECTION", '
            "or fence it as text",
        )
    _require_empty(fence, fault, options["run"])
    return Block(
        line=fence.line,
        end=fence.end,
        indent=fence.indent,
        section=find_section(options["run"], path, fence.line),
        alt=options.get("alt"),
        raises=options.get("raises"),
        fold=options.get("fold"),
        seconds_allowed=_seconds(options, fault),
    )


def _file(
    fence: Fence,
    root: Path,
    path: Path,
    find_section: SectionFinder,
    above: Sequence[Block],
) -> Block:
    fault = fence.fault_on(path)
    options = _options(fence, path, FILE)
    name = options.get("file", "")
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise fault(
            f'file="{name}" is not the name of a file',
            'name the file that the reader saves, like file="worker.py"',
        )
    section = _file_section(fence, options, root, path, find_section)
    codes = [block.section.code for block in above if block.file == name]
    return Block(
        line=fence.line,
        end=fence.end,
        indent=fence.indent,
        section=section,
        language=fence.language,
        fold=options.get("fold"),
        file=name,
        contents=joined([*codes, section.code]),
    )


def _file_section(
    fence: Fence,
    options: dict[str, str],
    root: Path,
    path: Path,
    find_section: SectionFinder,
) -> Section:
    fault = fence.fault_on(path)
    if fence.language == "python":
        if "run" not in options or "source" in options:
            raise fault(
                "a file of Python is made of sections",
                'name one with run="snippets/NAME.py:SECTION"',
            )
        _require_empty(fence, fault, options["run"])
        return find_section(options["run"], path, fence.line)
    if fence.language not in FILE_LANGUAGES:
        raise fault(
            f'a file cannot be shown as "{fence.language}"',
            f"fence it as one of: python, {', '.join(FILE_LANGUAGES)}",
        )
    source = Path(options.get("source", ""))
    file = (root / source).resolve()
    if not file.is_file() or not file.is_relative_to(root.resolve()):
        raise fault(
            f"no file {source.as_posix()} in the project",
            'name the file to show, like source="bench/loop_speed.json"',
        )
    _require_empty(fence, fault, source.as_posix())
    text = file.read_text(encoding="utf-8").rstrip("\n")
    return Section(source, "", 1, text)


def _command(fence: Fence, path: Path) -> Block:
    fault = fence.fault_on(path)
    options = _options(fence, path, COMMAND)
    if not fence.body.strip():
        raise fault(
            "a console block without a command",
            "write the command between the fences, without a prompt",
        )
    exits = options.get("exits", "0")
    if not re.fullmatch(r"\d{1,3}", exits):
        raise fault(
            f'exits="{exits}" is not an exit code',
            'write the code that the command ends with, like exits="1"',
        )
    return Block(
        line=fence.line,
        end=fence.end,
        indent=fence.indent,
        section=Section(path, "", fence.line + 1, fence.body.rstrip()),
        language=fence.language,
        fold=options.get("fold"),
        exits=int(exits),
        seconds_allowed=_seconds(options, fault),
    )


def _options(fence: Fence, path: Path, own: frozenset[str]) -> dict[str, str]:
    return read_options(fence, path, {*own, *HIGHLIGHTER_OPTIONS})


def _require_empty(fence: Fence, fault: FaultMaker, shown: str) -> None:
    if fence.body.strip():
        raise fault(
            f"a block that shows {shown} has code of its own",
            f"move the code into {shown} and leave the fence empty",
        )


def _seconds(options: dict[str, str], fault: FaultMaker) -> float:
    limit = options.get("limit", str(SECONDS_ALLOWED))
    if not re.fullmatch(r"\d+(\.\d+)?", limit):
        raise fault(
            f'limit="{limit}" is not a number of seconds',
            'write it like limit="300"',
        )
    return float(limit)
