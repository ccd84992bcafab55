"""What a build has made, of which one page can be made again.

A writer waits for one page, and a build makes all of them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from jinja2 import Environment
from mkdocs.commands.build import _build_page, _populate_page
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files, InclusionLevel
from mkdocs.structure.nav import Navigation

from engine.build.rendered import RenderedPage
from engine.project import Project


@dataclass(frozen=True)
class Built:
    """What MkDocs and the plugin have at the end of a good build."""

    project: Project
    config: MkDocsConfig
    files: Files
    nav: Navigation
    env: Environment
    pages: dict[str, RenderedPage]
    """By their files; reading a page again puts another there."""
    fill: Callable[[RenderedPage], None]

    def make_again(self, src_uri: str) -> bool:
        """Read and write a page anew; return whether that was enough.

        It is not if the page needs more than itself: its program has to
        run, a plugin makes it of others, or anything is wrong with it.
        """
        before = self.pages.get(src_uri)
        if before is None or not before.is_its_own:
            return False
        self.project.only_kept = True
        try:
            _populate_page(before.page, self.config, self.files)
        finally:
            self.project.only_kept = False
        page = self.pages[src_uri]
        if page.wait() or (page.read.items and not page.filled):
            return False
        self.fill(page)
        pages = self.files.documentation_pages(
            inclusion=InclusionLevel.is_in_serve
        )
        _build_page(page.page, self.config, pages, self.nav, self.env)
        return True
