"""Replace the marks of a page by what its program came to."""

import html
import re
from collections.abc import Iterator
from functools import cached_property

from engine.errors import PageError
from engine.keep.records import BlockRecord, Record
from engine.program import Block
from engine.read import marks
from engine.read.page import (
    Page,
    ShownBlock,
    ShownValue,
    SiteFence,
    WholeProgram,
)
from engine.read.visible import Seen
from engine.show.blocks import closing, opening, whole_program

TITLE = re.compile(r'<span class="filename">.*?</span>')
"""The title of a block, as the highlighter has it."""


class FilledPage:
    """A rendered page and its record.

    Raises PageError for a fence of the site's own that cannot be shown.
    """

    def __init__(self, page: Page, record: Record) -> None:
        self.page = page
        self.record = record
        self.values: dict[int, str] = {}
        self._blocks: dict[int, tuple[Block, BlockRecord, int, str]] = {}
        self._above: dict[int, int] = {}
        """How many blocks stand above a whole program."""
        self._fences: dict[int, str] = {}
        values, blocks = iter(record.values), iter(record.blocks)
        for number, item in page.items.items():
            match item:
                case ShownBlock(block, code):
                    count = len(self._blocks) + 1
                    self._blocks[number] = block, next(blocks), count, code
                case ShownValue():
                    self.values[number] = next(values)
                case WholeProgram():
                    self._above[number] = len(self._blocks)
                case SiteFence():
                    self._fences[number] = self._own(item, values)

    @cached_property
    def html(self) -> str:
        """The article as a browser shows it."""
        shown = marks.fill(self.page.html, self.value, self.block)
        return f"{shown}\n{stamp(self.record)}" if self._blocks else shown

    @cached_property
    def bare(self) -> str:
        """The article with empty elements in the places of its blocks."""
        return marks.fill(self.page.html, self.value, self._empty)

    def markup(self, marked: str) -> str:
        """Return a piece of HTML with its values."""
        return marks.fill(marked, self.value, lambda number: ("", ""))

    def value(self, number: int) -> str | None:
        """Return a value as HTML, or nothing if the mark is a block's."""
        text = self.values.get(number)
        return None if text is None else html.escape(text)

    def block(self, number: int) -> tuple[str, str]:
        """Return what stands before and after a block's annotations."""
        if number in self._fences:
            return "", self._fences[number]
        if number in self._above:
            item = self.page.items[number]
            assert isinstance(item, WholeProgram)
            blocks = self.page.program.blocks[: self._above[number]]
            return "", whole_program(blocks, item.highlight)
        block, record, count, code = self._blocks[number]
        return opening(block, code, count), closing(block, record, count)

    def _empty(self, number: int) -> tuple[str, str]:
        if number in self._fences:
            return "", self._fences[number]
        if number in self._above:
            return f'<div data-program="{self._above[number]}">', "</div>"
        _, _, count, code = self._blocks[number]
        title = TITLE.search(code)
        named = title[0] if title else ""
        return f'{named}<div data-block="{count}">', "</div>"

    def _own(self, item: SiteFence, values: Iterator[str]) -> str:
        texts = [item.texts[0]]
        for after in item.texts[1:]:
            texts += [next(values), after]
        try:
            shown = item.render("".join(texts))
        except ValueError as error:
            problem = str(error)
        except (Exception, SystemExit) as error:
            problem = f"{type(error).__name__}: {error}"
        else:
            problem = _problem(shown)
            if not problem:
                return shown
        raise PageError(
            f"this fence cannot be shown: {problem}",
            hint="correct what stands in it, or the function that shows it",
            path=self.page.path,
            line=item.line,
        )


def _problem(shown: object) -> str:
    """Return what is wrong with the HTML of a fence of the site's own."""
    if not isinstance(shown, str):
        return f"its function returned {type(shown).__name__}, not HTML"
    if alone := Seen(shown, ()).alone:
        return f"{alone[0][0]} in its HTML has no other tag"
    return ""


def stamp(record: Record) -> str:
    """Return the line that says what the page ran with."""
    names = " · ".join(f"{k} {v}" for k, v in record.stamp.items())
    return f'<p class="run-versions">This page ran with {names}.</p>'
