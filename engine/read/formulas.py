"""Set formulas, written in LaTeX, as MathML that carries its source."""

import html
import re
from collections.abc import Callable

import latex2mathml.converter
from markdown import Markdown
from markdown.inlinepatterns import InlineProcessor

from engine.errors import PageError
from engine.read import marks
from engine.read.reading import Reading


def formula(latex: str, display: str) -> str:
    """Return the formula as MathML; raise PageError if it is none."""
    try:
        mathml = str(latex2mathml.converter.convert(latex, display=display))
    except Exception as error:
        reason = f"{type(error).__name__} {error}".strip()
        raise PageError(
            f"cannot set the formula `{latex}`: {reason}",
            hint="correct its LaTeX",
        ) from None
    source = html.escape(" ".join(latex.split()))
    return mathml.replace("<math", f'<math data-latex="{source}"', 1)


class InlineFormula(InlineProcessor):
    """Sets `` `#!math x^2` `` within a line."""

    def __init__(self, md: Markdown, reading: Callable[[], Reading]) -> None:
        super().__init__(r"(?<!`)`#!math ([^`]+)`(?!`)", md)
        self.reading = reading

    def handleMatch(  # type: ignore[override]  # noqa: N802
        self, m: re.Match[str], data: str
    ) -> tuple[str, int, int]:
        """Return the formula, for Markdown to leave as it is."""
        mathml = ""
        try:
            # A value in a formula is shown nowhere, and is blamed for that.
            if marks.BEGIN not in m[1]:
                mathml = formula(m[1], "inline")
        except PageError as error:
            reading = self.reading()
            first, *_ = m[1].split("\n")
            reading.blame(error, reading.source.find(first))
        return self.md.htmlStash.store(mathml), m.start(0), m.end(0)
