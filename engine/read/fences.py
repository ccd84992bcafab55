"""Fences of a page's program, read as its blocks."""

import sys
import sysconfig
from collections.abc import Mapping
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, NamedTuple

from engine.errors import PageError, not_encoded
from engine.program import (
    Block,
    CommandBlock,
    FileBlock,
    PythonBlock,
    Section,
)
from engine.read.options import COMMAND, FILE, PYTHON, read_options
from engine.read.snippets import Snippets

PYTHON_NAMES = frozenset({"python", "py", "python3", "py3"})
CONSOLE = "console"
FILE_LANGUAGES = ("json", "yaml")
"""Languages, beside Python, in which a page shows a reader's file."""


class Fence(NamedTuple):
    """A fence as SuperFences has read it."""

    line: int
    """The line of the page on which it opens."""
    language: str
    given: Mapping[str, str]
    body: str
    classes: list[str]


def is_block(language: str, given: Mapping[str, str]) -> bool:
    """Return whether a fence shows what the page's program carries out."""
    if language.lower() in PYTHON_NAMES or language == CONSOLE:
        return True
    return bool({"run", "source", "file"} & given.keys())


def read_block(fence: Fence, root: Path, snippets: Snippets) -> Block:
    """Return the block that the fence describes.

    Raises PageError, for the caller to add the place.
    """
    if fence.language == CONSOLE:
        return _command(fence)
    if {"file", "source"} & fence.given.keys():
        return _file(fence, root, snippets)
    return _python(fence, snippets)


def require_empty(fence: Fence, shown: str) -> None:
    """Raise PageError if the fence holds text, which nobody would see."""
    if fence.body.strip():
        raise PageError(
            f"a block that shows {shown} has code of its own",
            hint=f"move the code into {shown} and leave the fence empty",
        )


def _python(fence: Fence, snippets: Snippets) -> Block:
    if fence.language not in PYTHON_NAMES:
        raise PageError(
            f'code cannot be run as "{fence.language}"',
            hint='fence it as ```python run="…" or ```{.python run="…"}',
        )
    options = read_options(fence.given, PYTHON)
    if not options["run"]:
        raise PageError(
            "this block shows Python that is never run",
            hint='name its section with run="snippets/NAME.py:SECTION", '
            "or fence it as text",
        )
    require_empty(fence, options["run"])
    return PythonBlock(
        line=fence.line,
        section=snippets.find(options["run"]),
        fold=options["fold"],
        alt=options["alt"],
        raises=options["raises"],
        seconds_allowed=options["limit"],
    )


def _file(fence: Fence, root: Path, snippets: Snippets) -> Block:
    options = read_options({"file": "", **fence.given}, FILE)
    if module := hidden_by(options["file"]):
        raise PageError(
            f'file="{options["file"]}" hides the module {module} from what '
            "runs beside it",
            hint="give the file a name that no module has",
        )
    in_python = fence.language in PYTHON_NAMES
    return FileBlock(
        line=fence.line,
        section=_file_section(fence, options, root, snippets),
        language="python" if in_python else fence.language,
        fold=options["fold"],
        file=options["file"],
    )


def hidden_by(file: str) -> str:
    """Return the module that a file hides from its neighbours, if any."""
    name = file.removesuffix(".py")
    installed = [sysconfig.get_path("purelib")]
    known = name in sys.stdlib_module_names
    if file != name and (known or PathFinder.find_spec(name, installed)):
        return name
    return ""


def _file_section(
    fence: Fence, options: Mapping[str, Any], root: Path, snippets: Snippets
) -> Section:
    require_empty(fence, options["run"] or options["source"] or "a file")
    if fence.language in PYTHON_NAMES:
        if not options["run"] or options["source"]:
            raise PageError(
                "a file of Python is made of sections",
                hint='name one with run="snippets/NAME.py:SECTION"',
            )
        return snippets.find(options["run"])
    if fence.language not in FILE_LANGUAGES:
        raise PageError(
            f'a file cannot be shown as "{fence.language}"',
            hint=f"fence it as one of: python, {', '.join(FILE_LANGUAGES)}",
        )
    source = Path(options["source"] or "")
    file = (root / source).resolve()
    if not file.is_file() or not file.is_relative_to(root):
        named = options["source"] or "is named by source="
        raise PageError(
            f"no file {named} in the project",
            hint='name the file to show, like source="results/speed.json"',
        )
    try:
        text = file.read_text(encoding="utf-8-sig").rstrip("\n")
    except UnicodeDecodeError as error:
        raise not_encoded(error, source) from None
    return Section(source, "", 1, text)


def _command(fence: Fence) -> Block:
    options = read_options(fence.given, COMMAND)
    if not fence.body.strip():
        raise PageError(
            "a console block without a command",
            hint="write the command between the fences, without a prompt",
        )
    return CommandBlock(
        line=fence.line,
        section=Section(Path(), "", fence.line + 1, fence.body.rstrip()),
        fold=options["fold"],
        exits=options["exits"],
        seconds_allowed=options["limit"],
    )
