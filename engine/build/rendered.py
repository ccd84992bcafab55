"""A page of MkDocs between its rendering and its writing."""

import html
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from functools import cached_property
from typing import Any, Self

from mkdocs.structure.pages import Page
from mkdocs.structure.toc import AnchorLink

from engine.errors import PageError, PageErrors, raise_all
from engine.keep.records import NOTHING, Record, missing_alts
from engine.program import Program
from engine.project import Project
from engine.read import marks
from engine.read.reading import Reading
from engine.show.page import FilledPage


class RenderedPage:
    """A page, its program, and what is wrong with either."""

    def __init__(
        self, project: Project, page: Page, reading: Reading, markup: str
    ) -> None:
        self.page = page
        self.read = reading.page(markup)
        self.errors = list(reading.errors)
        self._own = reading.items.keys()
        self._relocated = reading.relocated
        self.errors += self._changed(markup)
        self.record: Future[Record] | None = None
        self.rewritten = False
        """Whether other HTML took the place of what was rendered."""
        if self.read.items and not self.errors and project.runs:
            self.record = project.record(self.read)

    def __deepcopy__(self, memo: object) -> Self:
        """Stay one: plugins copy what pages say of themselves."""
        return self

    @property
    def src_uri(self) -> str:
        """The page's file, below the folder of the pages."""
        return str(self.page.file.src_uri)

    @property
    def program(self) -> Program:
        """The page's program."""
        return self.read.program

    @property
    def title(self) -> str:
        """The page's title, as text; MkDocs has it as HTML."""
        return self._text(str(self.page.title))

    @property
    def heading(self) -> str:
        """What the page calls itself; the navigation may be briefer."""
        tops = [link.title for link in self.page.toc if link.level == 1]
        return self._text(tops[0]) if tops else self.title

    @cached_property
    def filled(self) -> FilledPage | None:
        """The page with its results, if it has a program that ran."""
        if self.record is None or self.errors:
            return None
        return FilledPage(self.read, self.record.result())

    @property
    def shown(self) -> FilledPage:
        """The page as it is shown if nothing is wrong."""
        return self.filled or FilledPage(self.read, NOTHING)

    @property
    def is_its_own(self) -> bool:
        """Whether nothing but the page itself has made what it shows."""
        return not self.rewritten and self.page.content == self.shown.html

    def rewrite(self, markup: str) -> None:
        """Show other HTML, with the same marks.

        A site's hook may make it of what all pages did, once they are filled.
        """
        if markup != self.read.html:
            raise_all([*self._changed(markup)])
            self.rewritten = True
            self.read = replace(self.read, html=markup)
            self.__dict__.pop("filled", None)
        self.page.content = self.shown.html

    def wait(self) -> list[PageError]:
        """Return all that is wrong once the program has ended."""
        if self.errors or self.record is None:
            return self.errors
        try:
            record = self.record.result()
            found = missing_alts(self.program, record)
            assert found or self.filled
        except PageErrors as errors:
            found = [*errors.errors]
        except PageError as error:
            found = [error]
        self.errors += map(self._relocated, found)
        return self.errors

    @property
    def is_good(self) -> bool:
        """Whether the page has a program, which ended as it was meant to."""
        return not self.wait() and self.filled is not None

    def fill(self) -> None:
        """Put the results into all that MkDocs knows of the page."""
        page: Any = self.page
        self.rewrite(page.content)  # another plugin may have changed it
        if isinstance(page.title, str):
            title = self.shown.markup(page.title)
            if title != page.title:
                # Else it would stay, whatever heading the page is given.
                page.title = title
        for link in page.toc:
            self._fill_link(link, self.shown)
        blocks = range(1, len(self.program.blocks) + 1)
        ids = page.present_anchor_ids or set()
        page.present_anchor_ids = ids | {f"block:{n}" for n in blocks}

    def _changed(self, markup: str) -> Iterator[PageError]:
        """Yield an error for other marks than the page's, each block once."""
        blocks = dict.fromkeys(marks.blocks(self.read.html))
        if marks.blocks(markup) != [*blocks]:
            yield PageError(
                "a plugin, hook or template shows this page's blocks twice, "
                "in another order, or not all of them",
                hint="let it show each once, in the order in which they run",
                path=self.read.path,
            )
        if not self._own >= {*marks.numbers(markup)}:
            yield PageError(
                "a plugin or hook shows blocks or values on this page that "
                "it has rendered apart from it",
                hint="let it add them as Markdown, in on_page_markdown",
                path=self.read.path,
            )

    def _text(self, markup: str) -> str:
        """Return HTML as text, without values if nothing has run."""
        if self.filled:
            markup = self.filled.markup(markup)
        return html.unescape(marks.unmarked(marks.braced(markup)))

    def _fill_link(self, link: AnchorLink, filled: FilledPage) -> None:
        link.title = filled.markup(link.title)
        for child in link.children:
            self._fill_link(child, filled)
