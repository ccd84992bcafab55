"""What a browser makes of a page's HTML: what is seen, what is not closed."""

import re
from collections import Counter
from collections.abc import Container
from html.parser import HTMLParser
from xml.etree.ElementTree import HTML_EMPTY

from engine.read.marks import apart, numbers
from engine.read.values import OPEN

_NOT_SHOWN = {
    *("button", "datalist", "defs", "desc", "head", "metadata", "noembed"),
    *("noframes", "plaintext", "rp", "script", "select", "style", "template"),
    *("textarea", "title", "xmp"),
}
"""Elements in which no result is to stand."""
_SHOWN_THEMSELVES = {
    *("audio", "canvas", "iframe", "meter", "noscript", "object", "progress"),
    "video",
}
"""Elements whose contents are for browsers that do not know them."""
_SWALLOWS = {
    *("iframe", "noembed", "noframes", "noscript", "object", "plaintext"),
    *("select", "template", "textarea", "title", "xmp"),
}
"""Elements that nothing but their own end tag ends."""
_BLOCKS = {
    *("address", "article", "aside", "blockquote", "center", "details"),
    *("dialog", "div", "dl", "fieldset", "figcaption", "figure", "footer"),
    *("form", "header", "main", "nav", "ol", "pre", "section", "summary"),
    *("table", "ul"),
}
"""Elements that stand in no paragraph, and need both of their tags."""
ENDS_PARAGRAPH = {
    *_BLOCKS,
    *("h1", "h2", "h3", "h4", "h5", "h6", "hr", "p", "xmp"),
}
_HIDE = {"hidden", "popover"}
_NOT_DISPLAYED = re.compile(
    r"(?i)display:\s*none|visibility:\s*(hidden|collapse)"
    r"|(opacity|font-size):\s*0[a-z%]*\s*(;|!|\Z)"
)


class Seen:
    """What a reader sees of a page's marks, each once and in their order.

    Those of ``blocks`` stand in elements of their own.
    """

    def __init__(self, html: str, blocks: Container[int]) -> None:
        finder = _Finder()
        finder.feed(apart(html))
        finder.close()
        finder.end(0)
        self.braced = finder.braced
        """What begins with the first braces that are no mark, if any do."""
        begins = [tag for tag in finder.alone if tag[0][1] != "/"]
        self.alone = begins or finder.alone
        """Tags of blocks that have no other: as they are written, and which
        of those that are written so.  Where such a block ends, browsers and
        other programs do not agree.
        """
        self.numbers = [
            number
            for number in finder.found
            if number not in finder.in_ids
            and (number not in blocks or number in finder.opened)
        ]


def place_of(tag: str, number: int, text: str) -> int | None:
    """Return the line, from 1, of a tag that has no other, if it is there.

    Of end tags, many more are rendered than written: it is the first that
    has nothing to end.
    """
    name, is_open = tag.strip("</>"), 0
    parts = text.split(tag)
    if not tag.startswith("</"):
        found = number < len(parts)
        return "".join(parts[:number]).count("\n") + 1 if found else None
    for match in re.finditer(rf"<(/?){name}\b", text):
        is_open += -1 if match[1] else 1
        if is_open < 0:
            return text.count("\n", 0, match.start()) + 1
    return None


def _is_unseen(tag: str, attributes: dict[str, str | None]) -> bool:
    """Return whether a browser shows nothing of the element."""
    if tag in _NOT_SHOWN or not attributes.keys().isdisjoint(_HIDE):
        return True
    if tag == "dialog" and "open" not in attributes:
        return True
    if tag == "input" and attributes.get("type") == "hidden":
        return True
    if attributes.get("class") == "toc":  # which repeats the headings
        return True
    return bool(_NOT_DISPLAYED.search(attributes.get("style") or ""))


class _Finder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[int, None] = {}
        self.opened: set[int] = set()
        self.in_ids: set[int] = set()
        self.open: list[tuple[str, bool, tuple[str, int]]] = []
        """The elements around: whether anything in them is unseen, and how
        they begin.
        """
        self.braced = ""
        self.written = Counter[str]()
        self.alone: list[tuple[str, int]] = []

    def handle_starttag(
        self, tag: str, attrs: list[tuple[str, str | None]]
    ) -> None:
        if tag in ENDS_PARAGRAPH:
            self.handle_endtag("p")
        around = bool(self.open and self.open[-1][1])
        values = dict(attrs)
        unseen = around or _is_unseen(tag, values)
        for value in () if unseen else values.values():
            self._find(value or "")
        opened = values.get("data-run") or ""
        self.opened.update(numbers(opened))
        # Links to such an id were made before its value is known.
        self.in_ids.update(numbers(values.get("id") or ""))
        if tag not in HTML_EMPTY:
            written = self.get_starttag_text() or ""
            self.written[written] += 1
            begins = written, self.written[written]
            unseen |= tag in _SHOWN_THEMSELVES
            self.open.append((tag, unseen, begins))

    def handle_startendtag(
        self, tag: str, attrs: list[tuple[str, str | None]]
    ) -> None:
        """Begin an element; browsers end none where its tag ends."""
        self.handle_starttag(tag, attrs)
        if tag not in _BLOCKS:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        for index, (name, *_) in reversed([*enumerate(self.open)]):
            if name == tag:
                self.end(index + 1)
                del self.open[index]
            if name == tag or name in _SWALLOWS:
                return
        if tag in _BLOCKS:
            self.alone.append((f"</{tag}>", 1))

    def end(self, index: int) -> None:
        """End all elements from an index on, which have no end tag."""
        self.alone += [
            b for name, _, b in self.open[index:] if name in _BLOCKS
        ]
        del self.open[index:]

    def handle_data(self, data: str) -> None:
        _, braces, rest = data.partition(OPEN)
        if not self.braced and all(tag != "pre" for tag, *_ in self.open):
            self.braced = braces + rest
        if not (self.open and self.open[-1][1]):
            self._find(data)

    def _find(self, text: str) -> None:
        self.found.update(dict.fromkeys(numbers(text)))
