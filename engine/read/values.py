"""Find values: expressions in double braces, as inside an f-string."""

import ast
import contextlib
import re
from collections.abc import Iterator

from engine.errors import PageError

OPEN, CLOSE, LITERAL = "{{", "}}", "\\{{"
QUOTED = re.compile(r"(?:[\s>*+-]|\d+[.)])*>")
"""How a line of a quote begins."""
MARKS = re.compile(r"(?<=\n)[ \t>]+")


class NoExpressionError(PageError):
    """Two braces begin no value; the text goes on before and with them."""

    def __init__(self, before: str, rest: str) -> None:
        begins, *_ = rest.split("\n")
        super().__init__(
            f"cannot read the value that begins `{begins}`",
            hint="write an expression between two pairs of braces, "
            f"or {LITERAL} for the braces themselves",
        )
        self.before, self.rest = before, rest


def split_values(text: str) -> Iterator[tuple[str, str, int]]:
    r"""Yield pieces: what the text says, the value after it, and its line.

    The value is the expression without its braces, and is empty after the
    last piece; lines count from 0.  Braces behind a backslash are left as
    they are.  Raises NoExpressionError.
    """
    said, position = 0, 0
    while (start := text.find(OPEN, position)) >= 0:
        if text[:start].endswith("\\"):
            position = start + len(OPEN)
            continue
        expression, size = _first(_held(text, start + len(OPEN)))
        if not expression:
            raise NoExpressionError(text[said:start], text[start:])
        line = text.count("\n", 0, start)
        yield text[said:start], expression, line
        said = position = start + len(OPEN) + size + len(CLOSE)
    yield text[said:], "", 0


def _held(text: str, start: int) -> str:
    """Return the rest of a paragraph, without the marks of a quote."""
    rest, *_ = text[start:].split("\n\n", 1)
    before = text[:start].rpartition("\n")[2]
    if not QUOTED.match(before):
        return rest
    return MARKS.sub(lambda marks: " " * len(marks[0]), rest)


def _first(text: str) -> tuple[str, int]:
    """Return the first expression that braces end, if any, and its size."""
    end = text.find(CLOSE)
    while end >= 0:
        expression = _one_line(text[:end])
        if _is_expression(expression):
            return expression, end
        end = text.find(CLOSE, end + 1)
    return "", 0


def _is_expression(line: str) -> bool:
    as_format = (f"f{q}{{ {line}}}{q}" for q in ("'''", '"""'))
    for code in (f"({line}\n)", *as_format):
        with contextlib.suppress(SyntaxError, ValueError):
            ast.parse(code, mode="eval")
            return bool(line)
    return False


def _one_line(text: str) -> str:
    """Return the expression without the blanks around it.

    Those behind a last `=` are shown, so what f-strings do next is said.
    """
    line = " ".join(text.split("\n")).lstrip()
    return f"{line}!r" if line.rstrip().endswith("=") else line.rstrip()
