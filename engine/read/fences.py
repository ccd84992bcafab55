"""Fences of a page's program, and the options that they may have."""

import re
import sys
import sysconfig
from collections.abc import Callable, Mapping
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, NamedTuple

from engine.errors import PageError
from engine.program import (
    SECONDS_ALLOWED,
    Block,
    CommandBlock,
    FileBlock,
    PythonBlock,
    Section,
)
from engine.read.snippets import Snippets, did_you_mean
from engine.read.values import OPEN

PYTHON_NAMES = frozenset({"python", "py", "python3", "py3"})
CONSOLE = "console"
FILE_LANGUAGES = ("json", "yaml")
"""Languages, beside Python, in which a page shows a reader's file."""
OPTION = re.compile(r"""([\w-]+)=(?:"[^"]*"|'[^']*')""")


class Option(NamedTuple):
    """An option's value if it is not given, and what reads one that is.

    ``read`` raises ValueError, with what is wrong and what to write.
    """

    default: Any
    read: Callable[[str], Any]


class Fence(NamedTuple):
    """A fence as SuperFences has read it."""

    line: int
    """The line of the page on which it opens."""
    language: str
    given: Mapping[str, str]
    body: str


def _matching(
    name: str, pattern: str, what: str, example: str, kind: type = str
) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        if not re.fullmatch(pattern, text):
            raise ValueError(
                f'{name}="{text}" is not {what}',
                f'write it like {name}="{example}"',
            )
        return kind(text)

    return read


EXIT_CODE = _matching("exits", r"\d{1,3}", "an exit code", "1", int)
SECONDS = _matching(
    "limit", r"\d+(\.\d+)?", "a number of seconds", "300", float
)
FILE_NAME = _matching(
    "file", r"\w[\w.-]*", "the name of a file that is saved", "worker.py"
)
TEXT = Option(None, str)
LOOK = dict.fromkeys(("title", "hl_lines", "linenums"), TEXT)
"""The options of the highlighter."""
LIMIT = {"limit": Option(SECONDS_ALLOWED, SECONDS)}
BLOCK = {**LOOK, "fold": TEXT}
PYTHON = {**BLOCK, **LIMIT, "run": TEXT, "alt": TEXT, "raises": TEXT}
SAVED = {"source": TEXT, "file": Option(None, FILE_NAME)}
FILE = {**BLOCK, **SAVED, "run": TEXT}
COMMAND = {**BLOCK, **LIMIT, "exits": Option(0, EXIT_CODE)}
SITE_FENCE = {"after": Option("", str)}
NO_OPTIONS: dict[str, Option] = {}


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


def read_options(
    given: Mapping[str, str], options: Mapping[str, Option]
) -> dict[str, Any]:
    """Return the options' values; raise PageError for what is none."""
    known = ", ".join(sorted(options))
    for key in given:
        if key not in options:
            use = f"use one of: {known}" if known else "remove it"
            raise PageError(
                f'unknown fence option "{key}"',
                hint=did_you_mean(key, options) + use,
            )
        if OPEN in given[key]:
            raise PageError(
                f'{key}="{given[key]}" holds a value, and would show its '
                "braces",
                hint="put the value into the prose beside the block",
            )
    try:
        return {
            key: option.read(given[key]) if key in given else option.default
            for key, option in options.items()
        }
    except ValueError as error:
        problem, hint = error.args
        raise PageError(problem, hint=hint) from None


def require_each_once(header: str) -> None:
    """Raise PageError if the line gives an option twice."""
    keys = OPTION.findall(header)
    for key in keys:
        if keys.count(key) > 1:
            raise PageError(
                f'the option "{key}" is given twice',
                hint="keep the one that is meant",
            )


def require_empty(fence: Fence, shown: str) -> None:
    """Raise PageError if the fence holds text, which nobody would see."""
    if fence.body.strip():
        raise PageError(
            f"a block that shows {shown} has code of its own",
            hint=f"move the code into {shown} and leave the fence empty",
        )


def _python(fence: Fence, snippets: Snippets) -> Block:
    if not _is_python(fence):
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
    _require_own_name(options["file"])
    return FileBlock(
        line=fence.line,
        section=_file_section(fence, options, root, snippets),
        language="python" if _is_python(fence) else fence.language,
        fold=options["fold"],
        file=options["file"],
    )


def _require_own_name(file: str) -> None:
    """Raise PageError for a file that hides a module from its neighbours."""
    name = file.removesuffix(".py")
    installed = [sysconfig.get_path("purelib")]
    known = name in sys.stdlib_module_names
    if file != name and (known or PathFinder.find_spec(name, installed)):
        raise PageError(
            f'file="{file}" hides the module {name} from what runs beside it',
            hint="give the file a name that no module has",
        )


def _file_section(
    fence: Fence, options: Mapping[str, Any], root: Path, snippets: Snippets
) -> Section:
    require_empty(fence, options["run"] or options["source"] or "a file")
    if _is_python(fence):
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
    text = file.read_text(encoding="utf-8-sig").rstrip("\n")
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


def _is_python(fence: Fence) -> bool:
    return fence.language in PYTHON_NAMES
