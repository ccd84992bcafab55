"""Marks: what stands in rendered HTML where a result belongs.

A mark is a word of letters and digits, which no Markdown extension has a
reason to touch, and which nobody can have written: another one each time.
The marks that a reader would see, in their order, are the page's program.
"""

import re
import secrets
from collections.abc import Callable, Container, Iterator
from html.parser import HTMLParser
from xml.etree.ElementTree import HTML_EMPTY

BEGIN = f"zq{secrets.token_hex(4)}"
"""How all marks begin."""
MARK = re.compile(rf"{BEGIN}x(\d+)zq")
BRACES = f"{BEGIN}braceszq"
"""Stands for two braces that are no value."""
_PLACE = re.compile(
    rf'<div data-run="{MARK.pattern}">|{MARK.pattern}(</div>)?|{BRACES}'
    rf"|&(?=#?\w*{BEGIN}x\d+zq\w*;)"  # no value is to become a character
)
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
_ENDS_PARAGRAPH = {
    *("article", "aside", "blockquote", "details", "dialog", "div", "figure"),
    *("ol", "p", "pre", "section", "table", "ul", "xmp"),
}
"""Elements that stand in no paragraph, whatever their page says."""
_HIDE = {"hidden", "popover"}
_NOT_DISPLAYED = re.compile(
    r"(?i)display:\s*none|visibility:\s*(hidden|collapse)"
    r"|(opacity|font-size):\s*0[a-z%]*\s*(;|!|\Z)"
)


def mark(number: int) -> str:
    """Return the mark of a value."""
    return f"{BEGIN}x{number}zq"


def block_mark(number: int) -> str:
    """Return the mark of what is a block of its own."""
    word = mark(number)
    return f'<div data-run="{word}">{word}</div>'


def numbers(text: str) -> Iterator[int]:
    """Yield the numbers of the marks in the text."""
    return map(int, MARK.findall(text))


def unmarked(text: str) -> str:
    """Return the text without its marks."""
    return MARK.sub("", text).replace(BRACES, "")


def fill(
    html: str,
    value: Callable[[int], str | None],
    block: Callable[[int], tuple[str, str]],
) -> str:
    """Return the HTML with marks replaced.

    ``value`` gives what stands for a number, or None if it belongs to a
    block; ``block`` gives what comes before and after what a block's mark
    holds.
    """

    def place(match: re.Match[str]) -> str:
        opened, number, closed = match.groups()
        if match[0] == BRACES:
            return "{{"
        if match[0] == "&":
            return "&amp;"
        if opened:
            return block(int(opened))[0]
        text = value(int(number))
        if text is None:
            return block(int(number))[1]
        return text + (closed or "")

    return _PLACE.sub(place, html)


def braced(text: str) -> str:
    """Return the text with the braces that are no value."""
    return text.replace(BRACES, "{{")


def visible(html: str, blocks: Container[int]) -> Iterator[int]:
    """Yield the numbers of the marks that a reader sees, each once.

    Those of blocks stand in elements of their own.
    """
    finder = _Finder()
    finder.feed(html)
    finder.close()
    for number in finder.found:
        whole = number not in blocks or number in finder.opened
        if whole and number not in finder.in_ids:
            yield number


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
        self.open: list[tuple[str, bool]] = []
        """The elements around, and whether anything in them is unseen."""

    def handle_starttag(
        self, tag: str, attrs: list[tuple[str, str | None]]
    ) -> None:
        if tag in _ENDS_PARAGRAPH:
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
            self.open.append((tag, unseen or tag in _SHOWN_THEMSELVES))

    def handle_endtag(self, tag: str) -> None:
        for index, (name, _) in reversed([*enumerate(self.open)]):
            if name == tag:
                del self.open[index:]
            if name == tag or name in _SWALLOWS:
                return

    def handle_data(self, data: str) -> None:
        if not (self.open and self.open[-1][1]):
            self._find(data)

    def _find(self, text: str) -> None:
        self.found.update(dict.fromkeys(numbers(text)))
