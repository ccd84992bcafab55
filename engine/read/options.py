"""The options that fences may have, and what they may say."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from engine.errors import PageError
from engine.program import SECONDS_ALLOWED
from engine.read.snippets import did_you_mean
from engine.read.values import OPEN

OPTION = re.compile(r"""([\w-]+)=(?:"[^"]*"|'[^']*'|[^\s}"']+)""")


class Option(NamedTuple):
    """An option's value if it is not given, and what reads one that is.

    ``read`` raises ValueError, with what is wrong and what to write.
    """

    default: Any
    read: Callable[[str], Any]


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
ERROR = _matching(
    "raises", r"[^\W\d][\w.]*", "the name of an exception", "ValueError"
)
LINES = _matching(
    "hl_lines", r"\d+(-\d+)?( \d+(-\d+)?)*", "a list of lines", "1 3-4"
)
NUMBERS = _matching(
    "linenums", r"\d+( \d+){0,2}", "the number of the first line", "1"
)
LOOK = {
    "title": TEXT,
    "hl_lines": Option(None, LINES),
    "linenums": Option(None, NUMBERS),
}
"""The options of the highlighter."""
LIMIT = {"limit": Option(SECONDS_ALLOWED, SECONDS)}
BLOCK = {**LOOK, "fold": TEXT}
PYTHON = {**BLOCK, **LIMIT, "run": TEXT, "alt": TEXT}
PYTHON["raises"] = Option(None, ERROR)
SAVED = {"source": TEXT, "file": Option(None, FILE_NAME)}
FILE = {**BLOCK, **SAVED, "run": TEXT}
COMMAND = {**BLOCK, **LIMIT, "exits": Option(0, EXIT_CODE)}
SITE_FENCE = {"after": Option("", str)}
OPTIONS = {*PYTHON, *FILE, *COMMAND, *SITE_FENCE}
NO_OPTIONS: dict[str, Option] = {}


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


def require_lines(given: Mapping[str, str], code: str) -> None:
    """Raise PageError if lines are highlighted that the code has not."""
    count = code.count("\n") + 1
    for lines in given.get("hl_lines", "").split():
        first, _, last = lines.partition("-")
        if not 1 <= int(first) <= int(last or first) <= count:
            raise PageError(
                f'hl_lines names "{lines}", and the block has {count} lines',
                hint="name the lines to highlight, counted from 1",
            )


def require_each_once(given: Iterable[str], header: str) -> None:
    """Raise PageError if the line gives an option no value, or two."""
    keys = OPTION.findall(header)
    for key in given:
        if key in OPTIONS and key not in keys:
            raise PageError(
                f'the option "{key}" has no value',
                hint=f'write it as {key}="…"',
            )
        if keys.count(key) > 1:
            raise PageError(
                f'the option "{key}" is given twice',
                hint="keep the one that is meant",
            )


def require_no_id(name: str) -> None:
    """Raise PageError for an id, to which nothing taken home could link."""
    if name:
        raise PageError(
            f'a block cannot have the id "{name}": it has one already',
            hint="leave it out, and link to a heading above the block",
        )
