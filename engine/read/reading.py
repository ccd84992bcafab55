"""What is noted of a page while Python-Markdown renders it."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from engine.errors import PageError
from engine.program import Value
from engine.read.page import Item, Page, ShownBlock, arrange
from engine.read.snippets import Snippets
from engine.read.source import Source
from engine.read.values import CLOSE
from engine.read.visible import Seen, place_of

LEFT_OVER = re.compile(
    r"(?i)(?<![`~])(?<![`~] )(`{3,}|~{3,})\s*\S*\s.*"
    r"\b(run|source|exits|hl_lines|linenums)\s*="
    r"|^[\s>]*(`{3,}|~{3,})\s*\W*(python|py)3?\b[^`]*$"
)
OPENING = re.compile(r"!!!|\?\?\?|===|[-*+] |\d+\. |:   |\[\^")
"""How what holds text that is indented begins."""


class Surroundings(Protocol):
    """What the reading of a page needs to know of the project."""

    root: Path
    docs: Path
    snippets: Snippets
    highlighted: dict[str, str]
    """Code as HTML, coloured once."""
    path: Path | None
    """The page, if whoever has it rendered says so."""
    numbers: Iterator[int]
    """Those of marks, each used once."""
    runs: bool
    """Whether the page is to be shown, or only checked."""


def find_file(root: Path, docs: Path, rendered: str) -> Path:
    """Return the page that the text is of, for those who do not say."""
    body = rendered.strip()
    for path in sorted((root / docs).rglob("*.md")):
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeError):
            continue
        if text.rstrip().endswith(body):
            return path.relative_to(root)
    return Path("page")


class Reading:
    """What one rendering of a page has come upon."""

    def __init__(
        self, root: Path, path: Path, text: str, numbers: Iterator[int]
    ) -> None:
        self.path = path
        """The page's file, relative to the project's root."""
        self.text = text
        """What is rendered."""
        self._numbers = numbers
        with contextlib.suppress(OSError, UnicodeError):
            text = (root / path).read_text(encoding="utf-8-sig")
        self._file = text.expandtabs(4).split("\n")
        self.source = Source(self._file)
        self.items: dict[int, Item] = {}
        self.errors: list[PageError] = []

    def add(self, item: Item) -> int:
        """Note the item; return the number of its mark."""
        number = next(self._numbers)
        self.items[number] = item
        return number

    def blame(self, error: PageError, line: int | None) -> None:
        """Note the error, and where on the page it is if it does not say."""
        if error.path is None:
            error.path, error.line = self.path, line
        self.errors.append(self.relocated(error))

    def relocated(self, error: PageError) -> PageError:
        """Return the error, with its place in a file that is included."""
        place = getattr(error.line, "place", None)
        if place and error.path == self.path:
            error.path, error.line = place
        return error

    def _fault(self, line: int | None, problem: str, hint: str) -> None:
        self.blame(PageError(problem, hint=hint), line)

    def look_for_left_over(self, prose: Source) -> None:
        """Blame fences that SuperFences did not take for such."""
        for index, line in enumerate(prose.lines):
            if LEFT_OVER.search(line):
                self._fault(
                    prose.line(index),
                    "this fence would be shown as text, and not run",
                    "close it with as many marks, at the same indentation, "
                    "write each option in double quotes, and fence it as "
                    "python, console, json or yaml",
                )

    def look_for_slips(self, index: int, end: int) -> None:
        """Blame a fence that a hand has moved out of its container."""
        lines = self.source.lines
        indent = len(lines[index]) - len(lines[index].lstrip(" "))
        above = next((s for s in reversed(lines[:index]) if s.strip()), "")
        below = next((s for s in lines[end:] if s.strip()), "")
        inside = " " * (indent + 4)
        begun = above.startswith(inside) or OPENING.match(above, indent)
        if indent % 4 > 0 or (begun and below.startswith(inside)):
            self._fault(
                self.source.line(index),
                f"this fence is indented by {indent}, so it stands outside "
                "of any note or list that is to hold it",
                "indent both of its lines as the text around it, by 4 blanks "
                "for each container, or by none",
            )

    def page(self, html: str) -> Page:
        """Return the page; what cannot be right goes to the errors."""
        blocks = {
            number
            for number, item in self.items.items()
            if not isinstance(item, Value)
        }
        seen = Seen(html, blocks)
        for number in self.items.keys() - {*seen.numbers}:
            self._blame_unseen(self.items[number])
        if not self.errors:
            self._look_for_unread(seen.braced)
            for tag, count in seen.alone:
                self._blame_alone(tag, count)
        items = {
            number: self.items[number]
            for number in seen.numbers
            if number in self.items
        }
        page, errors = arrange(self.path, html, items)
        # Without a block that has an error, those below it may seem wrong.
        if not self.errors:
            for error in errors:
                self.blame(error, error.line)
        self.errors.sort(key=lambda error: error.line or 0)
        return page

    def _look_for_unread(self, braced: str) -> None:
        """Blame a value that an extension took away before it was read."""
        if not braced:
            return
        value, _, _ = braced.partition(CLOSE)
        before, stands, _ = "\n".join(self._file).partition(value)
        self._fault(
            before.count("\n") + 1 if stands else 1,
            f"`{value}{CLOSE}` is not read: an extension of the Markdown has "
            "it as plain text",
            "move it, or write the text without two braces",
        )

    def _blame_alone(self, tag: str, number: int) -> None:
        is_end = tag.startswith("</")
        problem = "ends nothing that is open" if is_end else "is not closed"
        row = place_of(tag, number, "\n".join(self.source.lines))
        self._fault(
            row and self.source.line(row - 1),
            f"`{tag}` {problem}",
            "write both tags within the same note, list or quote; Markdown "
            "in HTML is read where the HTML stands at the margin",
        )

    def _blame_unseen(self, item: Item) -> None:
        what = {ShownBlock: "block", Value: "value"}.get(type(item), "fence")
        self._fault(
            item.line,
            f"this {what} is not shown on the page, so it would run hidden",
            "take it out, or show it: no comment, formula or form around it, "
            "in no id, not indented further than its container, whose "
            "extension mkdocs.yml lists; to show a fence as text, put it into "
            "a fence of four backticks",
        )
