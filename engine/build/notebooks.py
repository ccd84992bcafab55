"""Pages' notebooks, as pages of the site that mkdocs-jupyter renders.

Which pages have a program is known when they are rendered; MkDocs wants to
know its pages before.  So each page is given a notebook, and those of pages
without a program are taken out again.
"""

import contextlib
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from markupsafe import escape
from mkdocs.commands.build import _populate_page
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import get_toc
from mkdocs.utils import get_relative_url

from engine.build.kept import digest, kept
from engine.build.rendered import RenderedPage
from engine.build.templates import compiled_templates
from engine.keep.files import write_atomically
from engine.project import Project

FOLDER = "notebooks"
EMPTY = json.dumps(
    {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
)


@contextlib.contextmanager
def templates_kept(config: MkDocsConfig, cache: Path) -> Iterator[None]:
    """Keep nbconvert's templates, which it compiles for each notebook."""
    if "mkdocs-jupyter" not in config.plugins:
        yield
        return
    from nbconvert.exporters import templateexporter  # takes long

    names = vars(templateexporter)
    before = names["Environment"]
    names["Environment"] = partial(
        before, bytecode_cache=compiled_templates(cache)
    )
    try:
        yield
    finally:
        names["Environment"] = before


class Notebooks:
    """The notebooks of one build."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.folder = project.cache / FOLDER
        self._sources: dict[str, str] = {}
        """The page from which each notebook is taken, by their files."""
        self.late: set[str] = set()
        """Those that are shown as they were before an edit."""

    def add(self, files: Files, config: MkDocsConfig) -> None:
        """Add a notebook for each page but the home page.

        Where nothing is to be written, they are files that links lead to.
        """
        plugins: Any = config.plugins
        if "mkdocs-jupyter" not in plugins or "i18n" in plugins:
            return  # the latter refuses pages that are not in docs_dir
        pages = [
            file.src_uri
            for file in files.documentation_pages()
            if not file.src_uri.endswith(".ipynb")
            and file.url not in (".", "./")
            and file.src_uri != "index.md"
        ]
        taken = {file.src_uri.rpartition(".")[0] for file in files}
        made = Files([])
        for source in pages:
            uri = _uri(source)
            if uri.removesuffix(".ipynb") in taken:
                continue  # the author shows something else there
            where = config.site_dir, config.use_directory_urls
            made.append(File(uri, str(self.folder), *where))
            self._sources[uri] = source
        if self.project.writes:
            for uri in self._sources:
                write_atomically(self.folder / uri, EMPTY)
            made = plugins["mkdocs-jupyter"].on_files(made, config)
        for file in made:
            # Each page links to its own; others ask git who wrote a file.
            file.inclusion = InclusionLevel.NOT_IN_NAV
            file.generated_by = "engine"
            files.append(file)

    def address(self, source: str, files: Files) -> str | None:
        """Return where the page's notebook is shown, if it is."""
        # It has another address once mkdocs-jupyter has made it a page.
        uri = _uri(source)
        file = files.get_file_from_path(uri) if uri in self._sources else None
        return file.url if file else None

    def source(self, page: Page) -> str:
        """Return the file of the page that a notebook is taken from."""
        return self._sources.get(page.file.src_uri, "")

    def write(self, page: Page, notebook: str) -> None:
        """Write the notebook for mkdocs-jupyter to read."""
        uri = page.file.src_uri
        if held := self.project.late_notebooks:
            shown = held(uri, notebook)
            if shown != notebook:
                self.late.add(uri)
            notebook = shown
        path = self.folder / uri
        if path.read_text(encoding="utf-8") != notebook:
            write_atomically(path, notebook)

    def show(self, page: Page, html: str, source: RenderedPage) -> str:
        """Return the notebook as the site shows it; describe it so, too.

        Reading the HTML takes longer than all else that is done to a page.
        """
        page.meta["taken_from"] = source.src_uri
        # MkDocs and themes take all three for HTML.
        page.title = escape(f"Notebook: {source.title}")
        page.meta["title"] = escape(f"Notebook: {source.heading}")
        page.meta["search"] = {"exclude": True}
        page.meta["description"] = escape(
            f"{source.heading}, as an executed notebook."
        )
        page.canonical_url = source.page.canonical_url
        url = get_relative_url(source.page.url, page.url)

        def make() -> dict[str, Any]:
            from engine.build.notebook_view import tidy  # bs4 takes long

            return tidy(html, url)._asdict()

        # A copy to be read offline has another address, and is kept beside.
        path = self.project.cache / "views" / f"{page.file.dest_uri}.json"
        view = kept(path, digest(html, url), make)
        page.toc = get_toc(view["contents"])
        return str(view["html"])

    def follow(
        self,
        pages: dict[str, RenderedPage],
        config: MkDocsConfig,
        files: Files,
    ) -> None:
        """Take out the notebooks of pages that have no program.

        What plugins have made of others since, their notebooks show as well.
        """
        for uri, source in self._sources.items():
            page, file = pages.get(source), files.get_file_from_path(uri)
            if file and (page is None or page.filled is None):
                files.remove(file)
            elif file and file.page and page and page.rewritten:
                _populate_page(file.page, config, files)


def _uri(source: str) -> str:
    return f"{FOLDER}/{source.rpartition('.')[0]}.ipynb"
