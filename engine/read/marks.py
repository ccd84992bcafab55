"""Marks: what stands in rendered HTML where a result belongs.

A mark is a word of letters and digits, which no Markdown extension has a
reason to touch.  The marks that a reader would see, in their order, are the
page's program.
"""

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from xml.etree.ElementTree import HTML_EMPTY

MARK = re.compile(r"zqmark(\d+)zq")
BRACES = "zqbraceszq"
"""Stands for two braces that are no value."""
_PLACE = re.compile(rf'<div data-run="(\d+)">|zqmark(\d+)zq(</div>)?|{BRACES}')
_NO_TEXT = {"head", "iframe", "script", "style", "template", "title"}
_AT_TIMES = {"datalist", "noscript"}
_NOT_TAKEN = {"button", "select", "textarea"}
_UNSEEN = _NO_TEXT | _AT_TIMES | _NOT_TAKEN
"""Elements in which no result is to stand."""
_NOT_DISPLAYED = re.compile(r"display:\s*none|visibility:\s*hidden")


def mark(number: int) -> str:
    """Return the mark of a value."""
    return f"zqmark{number}zq"


def block_mark(number: int) -> str:
    """Return the mark of what is a block of its own."""
    return f'<div data-run="{number}">{mark(number)}</div>'


def word_in(text: str) -> str:
    """Return the first mark in the text, or nothing."""
    found = re.search(f"{MARK.pattern}|{BRACES}", text)
    return found[0] if found else ""


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


def visible(html: str) -> Iterator[int]:
    """Yield the numbers of the marks that a reader sees, each once."""
    finder = _Finder()
    finder.feed(html)
    finder.close()
    yield from (n for n in finder.found if n not in finder.in_ids)


class _Finder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[int, None] = {}
        self.in_ids: set[int] = set()
        self.open: list[tuple[str, bool]] = []
        """The elements around, and whether anything in them is unseen."""

    def handle_starttag(
        self, tag: str, attrs: list[tuple[str, str | None]]
    ) -> None:
        around = bool(self.open and self.open[-1][1])
        values = dict(attrs)
        unseen = around or tag in _UNSEEN or "hidden" in values
        unseen |= values.get("class") == "toc"  # which repeats the headings
        unseen |= bool(_NOT_DISPLAYED.search(values.get("style") or ""))
        for value in () if unseen else values.values():
            self._find(value or "")
        # Links to such an id were made before its value is known.
        self.in_ids.update(map(int, MARK.findall(values.get("id") or "")))
        if tag not in HTML_EMPTY:
            self.open.append((tag, unseen))

    def handle_endtag(self, tag: str) -> None:
        for index, (name, _) in reversed([*enumerate(self.open)]):
            if name == tag:
                del self.open[index:]
            if name in (tag, "template"):
                return

    def handle_data(self, data: str) -> None:
        if not (self.open and self.open[-1][1]):
            self._find(data)

    def _find(self, text: str) -> None:
        for match in MARK.finditer(text):
            self.found[int(match[1])] = None
