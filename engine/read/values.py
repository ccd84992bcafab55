"""Find values: expressions in double braces, as inside an f-string."""

import ast
import contextlib
from collections.abc import Iterator

from engine.errors import PageError

OPEN, CLOSE, LITERAL = "{{", "}}", "\\{{"


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
        end = _end(text, start + len(OPEN))
        if end is None:
            raise NoExpressionError(text[said:start], text[start:])
        expression = _one_line(text[start + len(OPEN) : end])
        line = text.count("\n", 0, start)
        yield text[said:start], expression, line
        said = position = end + len(CLOSE)
    yield text[said:], "", 0


def _end(text: str, start: int) -> int | None:
    """Return where the expression ends that starts there, if it is one."""
    paragraph, *_ = text[start:].split("\n\n", 1)
    end = paragraph.find(CLOSE)
    while end >= 0:
        if _is_expression(paragraph[:end]):
            return start + end
        end = paragraph.find(CLOSE, end + 1)
    return None


def _is_expression(text: str) -> bool:
    line = _one_line(text)
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
