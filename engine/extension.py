"""The engine as a Python-Markdown extension, for any generator.

A page is read while it is rendered.  A generator that says so gets the
pages with their marks, to fill them when all programs have run; for others
the extension fills each page before it returns.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from markdown import Markdown
from markdown.extensions import Extension

from engine.errors import PageError, raise_all
from engine.keep.records import missing_alts
from engine.project import Project, Settings
from engine.read.markdown import Reader
from engine.read.reading import Reading
from engine.read.snippets import did_you_mean
from engine.read.superfences import NAMES, SITE_FENCES
from engine.show.page import FilledPage

OPTIONS: dict[str, tuple[Any, str]] = {
    "docs": ("docs", "The folder of the pages"),
    "snippets": ("snippets", "The folder of the modules"),
    "preload": ([], "Modules that all pages share"),
    "stamp": ({}, "Distributions that every page names"),
    "checks": ([], "Functions that check the site's own rules"),
}
"""The options that say what a site is: what each is if not given, and for."""
NAMED: dict[type, str] = {str: "word", list: "list", dict: "mapping"}
_PROJECTS: dict[str, Project] = {}


class EngineExtension(Extension):
    """Reads a page's program; see ``engine.project.Settings``."""

    def __init__(self, **kwargs: Any) -> None:
        self.config = {
            "root": [".", "The folder that holds all others"],
            **{name: [*option] for name, option in OPTIONS.items()},
            "project": ["", "The project, if a generator has one"],
        }
        for name in kwargs.keys() - self.config.keys():
            raise PageError(
                f'engine.extension has no option "{name}"',
                hint=f"{did_you_mean(name, self.config)}remove it",
                path="mkdocs.yml",
            )
        super().__init__(**kwargs)

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        """Take part in the rendering."""
        if "pymdownx.superfences" not in str(md.registeredExtensions):
            md.registerExtensions(["pymdownx.superfences"], {})
        project = self.getConfig("project") or project_of(self.getConfigs())

        def done(reading: Reading, html: str) -> str:
            if project.take and project.take(reading):
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
    HTML; what it raises becomes a message with page and line.
    """
    if name in NAMES or not re.fullmatch(r"[\w-]+", name):
        raise PageError(
            f'no fence of a site\'s own can be called "{name}"',
            hint="call it by one word that the engine does not use",
        )
    fences = getattr(md, SITE_FENCES, {})
    setattr(md, SITE_FENCES, {**fences, name: render})


def settings_of(options: Mapping[str, Any]) -> Settings:
    """Return what a site says of itself; raise PageError for another kind."""
    given = {name: options[name] for name in OPTIONS & options.keys()}
    for name, value in sorted(given.items()):
        if problem := _problem(name, value):
            raise PageError(
                f"engine.extension: {name} {problem}",
                hint="write it as the README shows",
                path="mkdocs.yml",
            )
    return Settings(**given)


def _problem(name: str, value: Any) -> str:
    """Return what is wrong with the value of an option."""
    kind = type(OPTIONS[name][0])
    if not isinstance(value, kind):
        return f"is not a {NAMED[kind]}"
    words = value.values() if isinstance(value, dict) else value
    if not all(isinstance(word, str) for word in words):
        return "holds something else than words"
    if name == "snippets":
        parts = Path(value).parts
        if not parts or "/" in parts or ".." in parts:
            return "is no folder within this one"
    return ""


def project_of(options: Mapping[str, Any]) -> Project:
    """Return the project that the extension's options describe.

    For generators without hooks it is the same one for all pages.
    """
    root = Path(options.get("root", ".")).resolve()
    settings = settings_of(options)
    key = repr((root, settings))
    if key not in _PROJECTS:
        _PROJECTS[key] = Project(root, settings)
    return _PROJECTS[key]


def _fill(md: Markdown, project: Project, reading: Reading, html: str) -> str:
    """Return the page's HTML with all results, and fill what md keeps."""
    page = reading.page(html)
    raise_all(reading.errors)
    promise = project.record(page) if project.runs else None
    if promise is None:
        return html  # which is only looked at
    record = promise.result()
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
