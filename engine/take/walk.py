"""Walk a rendered page: its prose and its blocks, one after the other.

What holds a block is taken apart, so that the prose before it, the block
and the prose after it follow each other.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from bs4 import Tag
from bs4.element import PageElement

from engine.take.article import Article, drop_comments, name_formulas
from engine.take.markdown import markdown

NOT_TAKEN = (
    "button, script, select, style, textarea, .headerlink, .linenos, "
    ":is(input, [hidden]):not([type=checkbox])"
)
TITLES = (
    "summary, .admonition-title, .filename, "
    ":is(.tabbed-labels, .tabbed-set) > label"
)
MARKS = "[data-block], [data-program]"
WORDLESS = ["hr", "img"]
HOLDS = "data-holds"
PARTS_OF_TABLES = ["caption", "tbody", "td", "tfoot", "th", "thead", "tr"]


@dataclass(frozen=True)
class Prose:
    """What a page says between two blocks."""

    element: Tag

    @property
    def markdown(self) -> str:
        """The prose for people and programs that read text."""
        return markdown(self.element)

    @property
    def cell(self) -> str:
        """The prose for a notebook, where dollars start formulas."""
        return markdown(self.element, for_cell=True)


@dataclass(frozen=True)
class Shown:
    """The place of a block, by its number from 1."""

    number: int


@dataclass(frozen=True)
class Whole:
    """The place of the program that the first ``count`` blocks make."""

    count: int


Piece = Prose | Shown | Whole


def walk(html: str, link: Callable[[str], str] = str) -> list[Piece]:
    """Return the pieces of a page's article in the order of the page.

    ``link`` is given every address and returns the one to write, or
    nothing where no link is to be.
    """
    article = Article(html)
    _leave_out(article)
    _name_titles(article)
    for name in ("href", "src"):
        for element in article.find_all(None, {name: True}):
            address = link(str(element[name]))
            element[name] = quote(address, safe="!#$%&'*+,-./:;=?@_~")
    for mark in article.select(MARKS):
        for holder in mark.parents:
            holder[HOLDS] = ""
    return [
        Prose(part) if isinstance(part, Tag) else part
        for part in _apart(article, "div")
    ]


def _leave_out(article: Tag) -> None:
    """Leave out what needs the page, and say what drawings show."""
    name_formulas(article)
    for element in article.select(NOT_TAKEN):
        element.decompose()
    drop_comments(article)
    article.smooth()
    for drawing in article.find_all("svg"):
        if label := drawing.get("aria-label"):
            for caption in article.find_all("figcaption", string=label):
                caption.decompose()
            said = Tag(name="em")
            said.string = f"Figure: {str(label).rstrip('.')}."
            drawing.insert_before(_holding("p", [said]))
        drawing.decompose()
    for table in article.find_all("table", class_="highlighttable"):
        parts = [*table.find_all(class_="filename")[-1:], table("pre")[-1]]
        table.replace_with(*parts)


def _name_titles(article: Tag) -> None:
    """Make titles paragraphs, each above what it is the title of."""
    for title in article.select(TITLES):
        for bold in title.find_all(["b", "strong"]):
            bold.unwrap()
        title.name = "p"
        title.append(_holding("strong", title.contents))
    for labels in article.find_all(class_="tabbed-labels"):
        contents = labels.find_next_sibling("div") or labels
        tabs = contents.find_all("div", recursive=False)
        for label, tab in zip(labels.find_all("p"), tabs, strict=True):
            tab.insert(0, label)


def _holding(name: str, contents: Iterable[PageElement]) -> Tag:
    """Return a new element, with the contents moved into it."""
    element = Tag(name=name)
    element.extend(list(contents))
    return element


def _apart(holder: Tag, name: str) -> Iterator[Tag | Shown | Whole]:
    """Yield the blocks, and the prose between in elements of that name."""
    prose: list[PageElement] = []
    for part in [*_parts(holder), None]:
        if isinstance(part, PageElement):
            prose.append(part)
            continue
        element = _holding(name, prose)
        if element.get_text(strip=True) or element.find(WORDLESS):
            yield element
        prose = []
        if part:
            yield part


def _parts(holder: Tag) -> Iterator[PageElement | Shown | Whole]:
    for child in list(holder.children):
        if not isinstance(child, Tag):
            yield child
        elif number := child.get("data-block"):
            yield Shown(int(str(number)))
            yield from list(child.children)  # the code's annotations
        elif number := child.get("data-program"):
            yield Whole(int(str(number)))
        elif not child.has_attr(HOLDS):
            yield child
        elif child.name in ("ol", "ul"):
            yield from _list_parts(child)
        elif child.name == "table":
            for part in child.find_all(PARTS_OF_TABLES):
                part.name = "div"
            yield from _apart(child, "div")
        else:
            is_kept = child.name in ("blockquote", "dl")
            yield from _apart(child, child.name if is_kept else "div")


def _list_parts(whole: Tag) -> Iterator[Tag | Shown | Whole]:
    """Yield the items up to a block, the block, and the items below."""
    above = Tag(name=whole.name)
    all_items = whole.find_all("li", recursive=False)
    start = int(str(whole.get("start", "1")))
    for number, item in enumerate(all_items, start):
        for index, part in enumerate(_apart(item, "li")):
            if index == 0 and isinstance(part, Tag):
                above.attrs.setdefault("start", str(number))
                above.append(part)
                continue
            if above.contents:
                yield above
                above = Tag(name=whole.name)
            if isinstance(part, Tag):
                part.name = "div"
            yield part
    if above.contents:
        yield above
