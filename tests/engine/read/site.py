"""Read pages as Python-Markdown renders them, without a generator."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from markdown import Markdown

from engine.errors import raise_all
from engine.read.markdown import Reader
from engine.read.page import Page
from engine.read.reading import Reading
from engine.read.snippets import Snippets


@dataclass
class Site:
    """What the reading of a page needs to know of a project."""

    root: Path
    snippets: Snippets
    docs: Path = Path("docs")
    highlighted: dict[str, str] = field(default_factory=dict)
    path: Path | None = None
    runs: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    """Those of SuperFences."""
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def read(self, text: str) -> Page:
        """Return the page that the text is; raise what is wrong with it."""
        found: list[Reading] = []
        self.numbers = count(1)

        def done(reading: Reading, html: str) -> str:
            found.append(reading)
            return html

        fences = "pymdownx.superfences"
        md = Markdown(
            extensions=[fences], extension_configs={fences: self.options}
        )
        Reader(md, self, done)
        html = md.convert(text)
        page = found[0].page(html)
        raise_all(found[0].errors)
        return page


def site_of(root: Path) -> Site:
    """Return the site in a folder that has docs/ and snippets/."""
    return Site(root, Snippets(root, Path("snippets")))
