"""A page's HTML as elements that end where browsers end them."""

import re
from html.entities import html5
from typing import Any

from bs4 import BeautifulSoup, Tag
from bs4.element import PreformattedString

from engine.read.visible import ENDS_PARAGRAPH

DELIMITERS = re.compile(r"\A(\\[(\[]|\${1,2})\s*|\s*(\\[)\]]|\${1,2})\Z")
ENTITY = re.compile(r"&(\w+;)")
LISTS = {"dl", "menu", "ol", "table", "ul"}
SIBLINGS = [
    {"li"},
    {"dd", "dt"},
    {"td", "th"},
    {"tr"},
    {"tbody", "tfoot", "thead"},
]
"""Elements that end, with or without a tag, where such a one begins."""


class Article(BeautifulSoup):
    """What html.parser reads, which knows of no end without a tag.

    Of an entity that there is not, it would leave out the semicolon.
    """

    def __init__(self, markup: str) -> None:
        super().__init__(ENTITY.sub(_known, markup), "html.parser")

    def handle_starttag(self, name: str, *rest: Any, **more: Any) -> Any:
        """Begin an element, once those that it ends have ended."""
        if name in ENDS_PARAGRAPH:
            self.handle_endtag("p")
        for siblings in SIBLINGS:
            if name in siblings and (sibling := self._open_one(siblings)):
                self.handle_endtag(sibling)
        return super().handle_starttag(name, *rest, **more)

    def _open_one(self, names: set[str]) -> str:
        """Return which of the elements is open in the innermost list."""
        for tag in reversed(self.tagStack):
            if tag.name in names:
                return tag.name
            if tag.name in LISTS:
                break
        return ""


def name_formulas(article: Tag) -> None:
    """Make an element of each formula that a script of the site is to set."""
    for formula in article.find_all(class_="arithmatex"):
        source = formula.find(class_="MathJax_Preview") or formula
        latex = DELIMITERS.sub("", source.get_text().strip())
        display = "inline" if formula.name == "span" else "block"
        named = {"data-latex": latex, "display": display}
        formula.replace_with(Tag(name="math", attrs=named))


def drop_comments(article: Tag) -> None:
    """Take out comments, and other strings that no browser shows."""
    for string in article.find_all(string=True):
        if isinstance(string, PreformattedString):
            string.extract()


def _known(entity: re.Match[str]) -> str:
    return entity[0] if entity[1] in html5 else f"&amp;{entity[1]}"
