"""Set formulas, written in LaTeX, as MathML that carries its source."""

import html
import re
from collections.abc import Callable
from xml.etree import ElementTree

import latex2mathml.converter
from markdown import Markdown
from markdown.inlinepatterns import InlineProcessor

from engine.errors import PageError
from engine.read import marks
from engine.read.reading import Reading

MATHML = "{http://www.w3.org/1998/Math/MathML}m"
ESCAPED = re.compile(r"(?s)\\.|%[^\n]*")
TAG_OR_ENTITY = re.compile(r"<[^>]*>|&#x\w+;|&\w+;")
NOT_SET = re.compile(r"\\[A-Za-z]*|[&$#{}]")
"""What LaTeX shows only if it is escaped, and the library shows as it is."""


def formula(latex: str, display: str) -> str:
    """Return the formula as MathML; raise PageError if it is none."""
    try:
        mathml = str(latex2mathml.converter.convert(latex, display=display))
        problem = _problem(latex, mathml)
    except Exception as error:
        problem = f"{type(error).__name__} {error}".strip()
    if problem:
        raise PageError(
            f"cannot set the formula `{latex}`: {problem}",
            hint="correct its LaTeX",
        )
    source = html.escape(" ".join(latex.split()))
    return mathml.replace("<math", f'<math data-latex="{source}"', 1)


def _problem(latex: str, mathml: str) -> str:
    """Return what is wrong with a formula that the library has set."""
    braces = ESCAPED.sub("", latex)
    if braces.count("{") != braces.count("}"):
        return "its braces are not in pairs"
    if found := NOT_SET.search(TAG_OR_ENTITY.sub(" ", mathml)):
        return f"it would show `{found[0]}` as it stands"
    try:
        elements = ElementTree.fromstring(mathml).iter()
        is_math = all(element.tag.startswith(MATHML) for element in elements)
    except ElementTree.ParseError:
        is_math = False
    return "" if is_math else "its `<` would be read as HTML"


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
