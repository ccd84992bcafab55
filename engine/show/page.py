"""Replace the marks of a page by what its program came to."""

import html
import re
from collections.abc import Iterator
from functools import cached_property

from engine.errors import PageError
from engine.keep.records import Record
from engine.program import Block, Value
from engine.read import marks
from engine.read.page import (
    Page,
    ShownBlock,
    SiteFence,
    WholeProgram,
)
from engine.read.visible import Seen
from engine.show.blocks import closing, opening, summary, whole_program

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
        """The values as HTML, by the numbers of their marks."""
        self.blocks: dict[int, tuple[str, str]] = {}
        """What stands before and after the annotations of each block."""
        self._bare: dict[int, tuple[str, str]] = {}
        """The same of empty elements in the places of the blocks."""
        above: list[Block] = []
        values, blocks = iter(record.values), iter(record.blocks)
        for number, item in page.items.items():
            match item:
                case Value():
                    self.values[number] = html.escape(next(values))
                case ShownBlock(block, code):
                    above.append(block)
                    count, did = len(above), next(blocks)
                    begin = opening(block, code, count)
                    self.blocks[number] = begin, closing(block, did, count)
                    begin = f'{_titles(block, code)}<div data-block="{count}">'
                    self._bare[number] = begin, "</div>"
                case WholeProgram(highlight=highlight):
                    whole = whole_program(above, highlight)
                    self.blocks[number] = "", whole
                    begin = f'<div data-program="{len(above)}">'
                    self._bare[number] = begin, "</div>"
                case SiteFence():
                    own = "", self._own(item, values)
                    self.blocks[number] = self._bare[number] = own

    @cached_property
    def html(self) -> str:
        """The article as a browser shows it."""
        shown = marks.fill(self.page.html, self.values, self.blocks)
        runs = self.page.program.blocks
        return f"{shown}\n{stamp(self.record)}" if runs else shown

    @cached_property
    def bare(self) -> str:
        """The article with empty elements in the places of its blocks."""
        return marks.fill(self.page.html, self.values, self._bare)

    def markup(self, marked: str) -> str:
        """Return a piece of HTML with its values."""
        nothing = dict.fromkeys(self.blocks, ("", ""))
        return marks.fill(marked, self.values, nothing)

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


def _titles(block: Block, code: str) -> str:
    """Return what stands above a block, and its code, as HTML."""
    title = TITLE.search(code)
    return summary(block) + (title[0] if title else "")


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
