"""The engine as a Python-Markdown extension, for any generator.

A page is read while it is rendered.  A generator that says so gets the
pages with their marks, to fill them when all programs have run; for others
the extension fills each page before it returns.
"""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from markdown import Markdown
from markdown.extensions import Extension

from engine.errors import raise_all
from engine.keep.records import NOTHING, missing_alts
from engine.project import Project, Settings
from engine.read.markdown import Reader
from engine.read.reading import Reading
from engine.read.superfences import SITE_FENCES
from engine.show.page import FilledPage


class EngineExtension(Extension):
    """Reads a page's program; see ``engine.project.Settings``."""

    def __init__(self, **kwargs: Any) -> None:
        self.config = {
            "root": [".", "The folder that holds all others"],
            "docs": ["docs", "The folder of the pages"],
            "snippets": ["snippets", "The folder of the modules"],
            "preload": [[], "Modules that all pages share"],
            "stamp": [{}, "Distributions that every page names"],
            "checks": [[], "Functions that check the site's own rules"],
            "project": ["", "The project, if a generator has one"],
        }
        super().__init__(**kwargs)

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        """Take part in the rendering."""
        if "pymdownx.superfences" not in str(md.registeredExtensions):
            md.registerExtensions(["pymdownx.superfences"], {})
        project = self.getConfig("project") or project_of(self.getConfigs())

        def done(reading: Reading, html: str) -> str:
            if project.take:
                project.take(reading)
                return html
            return _fill(md, project, reading, html)

        Reader(md, project, done)


def makeExtension(**kwargs: Any) -> EngineExtension:  # noqa: N802
    """Return the extension; Python-Markdown calls this by its name."""
    return EngineExtension(**kwargs)


def add_fence(md: Markdown, name: str, render: Callable[[str], str]) -> None:
    """Let pages of this site use a fence of its own.

    To be called by an extension of the site, in ``extendMarkdown``.
    ``render`` gets what the fence holds, its values filled in, and returns
    HTML; a ValueError that it raises becomes a message with page and line.
    """
    fences = getattr(md, SITE_FENCES, {})
    setattr(md, SITE_FENCES, {**fences, name: render})


def project_of(config: Mapping[str, Any]) -> Project:
    """Return the project that the extension's configuration describes."""
    return _project(
        Path(config.get("root", ".")).resolve(),
        config.get("docs", "docs"),
        config.get("snippets", "snippets"),
        tuple(config.get("preload", ())),
        tuple(config.get("stamp", {}).items()),
        tuple(config.get("checks", ())),
    )


@cache
def _project(
    root: Path,
    docs: str,
    snippets: str,
    preload: tuple[str, ...],
    stamp: tuple[tuple[str, str], ...],
    checks: tuple[str, ...],
) -> Project:
    """Return the one project of a folder, for generators without hooks."""
    settings = Settings(docs, snippets, preload, dict(stamp), checks)
    return Project(root, settings)


def _fill(md: Markdown, project: Project, reading: Reading, html: str) -> str:
    """Return the page's HTML with all results, and fill what md keeps."""
    page = reading.page(html)
    raise_all(reading.errors)
    record = project.record(page).result() if page.items else NOTHING
    raise_all(missing_alts(page.program, record))
    filled = FilledPage(page, record)
    if "toc" in md.treeprocessors:
        contents: Any = md
        contents.toc = filled.markup(contents.toc)
        _fill_contents(contents.toc_tokens, filled)
    return filled.html


def _fill_contents(tokens: list[dict[str, Any]], filled: FilledPage) -> None:
    for token in tokens:
        for key in ("name", "html", "data-toc-label"):
            if key in token:
                token[key] = filled.markup(token[key])
        _fill_contents(token["children"], filled)
