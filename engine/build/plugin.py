"""What MkDocs is to do beside rendering: fill pages, and add to the site.

MkDocs renders all pages before it writes the first.  Their programs run
meanwhile, side by side; then marks are filled, and the site gets what
readers take home.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from jinja2 import Environment
from mkdocs.commands.build import _build_page, _populate_page
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import CombinedEvent, event_priority
from mkdocs.structure.files import Files, InclusionLevel
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page

from engine.build import faults
from engine.build.elsewhere import fill_elsewhere
from engine.build.notebooks import Notebooks
from engine.build.options import extension_options
from engine.build.rendered import RenderedPage
from engine.build.search import spare_the_search
from engine.build.take_home import TakeHome
from engine.build.templates import spare_templates
from engine.errors import EngineError, PageError, PageErrors, Superseded
from engine.extension import project_of
from engine.project import Project
from engine.read.reading import Reading

SERVED = InclusionLevel.is_in_serve
LAST = float("-inf")
"""The priority of what looks at all that other plugins leave."""


class EnginePlugin:
    """Takes part in one build."""

    project: Project
    is_shared = True

    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        """Ask the extension for what it reads.

        Within a build there may be another, as for each language.
        """
        self._end_if(faults.another_kind(config, MkDocsConfig, "on_config"))
        self._around = {**vars(self)}
        self.config = config
        options = extension_options(config)
        self.is_shared = "project" in options
        self.project = options.setdefault("project", project_of(options))
        self.project.take = self._take
        self.project.make_again = None
        self.project.path = None
        spare_templates(config.theme, self.project.cache)
        self.page: Page | None = None
        """The page that MkDocs renders."""
        self.reading: Reading | None = None
        self.pages: dict[str, RenderedPage] = {}
        self.notebooks = Notebooks(self.project)
        self.take_home = TakeHome(self.project, config)
        return config

    @event_priority(LAST)  # once other plugins have added their pages
    def on_files(self, files: Files, config: MkDocsConfig) -> Files:
        """Add a notebook for each page that may have a program."""
        self.notebooks.add(files, config)
        return files

    def on_nav(
        self, nav: Navigation, config: MkDocsConfig, files: Files
    ) -> Navigation:
        """Keep what one page needs to be made again."""
        self.nav, self.files = nav, files
        return nav

    @event_priority(100)  # before mkdocs-jupyter reads the notebook
    def on_pre_page(
        self, page: Page, config: MkDocsConfig, files: Files
    ) -> Page:
        """Say which page is next; make a notebook that is next."""
        self._end_if_superseded()
        self.page, self.reading = page, None
        self.project.path = self.project.docs / page.file.src_uri
        if source := self._source(page):
            view = self.take_home.view(source, page)
            self.notebooks.write(page, view)
        return page

    @event_priority(LAST)  # what other plugins leave of the page is shown
    def on_page_content(
        self, html: str, page: Page, config: MkDocsConfig, files: Files
    ) -> str:
        """Read the page's program and have it run."""
        self.page = None
        if page.meta.get("title", "") is None:
            del page.meta["title"]  # else themes and MkDocs call it "None"
        if self.reading:
            rendered = RenderedPage(self.project, page, self.reading, html)
            path = rendered.read.path
            rendered.errors += [
                *faults.unread_front_matter(page.markdown or "", path),
                *faults.unfilled_values(page, path, self.project.root),
            ]
            self.pages[page.file.src_uri] = rendered
            page.meta["rendered"] = rendered
        elif source := self._source(page):
            return self.notebooks.show(page, html, source)
        return html

    @event_priority(100)  # before any other plugin looks at the pages
    def on_env(
        self, env: Environment, config: MkDocsConfig, files: Files
    ) -> Environment:
        """Fill the pages with what their programs came to."""
        self.project.path = None
        wrong, pages = self._wrong(), list(self.pages.values())
        self.project.anchors = {
            uri: page.page.present_anchor_ids or set()
            for uri, page in self.pages.items()
        }
        if not self.project.writes:
            for page in (file.page for file in files if file.page):
                page.validate_anchor_links(
                    files=files, log_level=config.validation.links.anchors
                )
            self._end(faults.Checked(pages, wrong))
        if wrong.errors:
            self._end(wrong)
        for rendered in pages:
            self._end_if_superseded()
            self._fill(rendered)
        self.project.programs = {p.page.url: p.program for p in pages}
        self.notebooks.follow(self.pages, config, files)
        self._end_if(faults.at_one_address(files, self.project.docs))
        spare_the_search(config)
        self.env = env
        return env

    @event_priority(LAST)  # what other plugins leave of it is written
    def on_post_page(
        self, output: str, page: Page, config: MkDocsConfig
    ) -> str:
        """See what is written."""
        self._end_if_superseded()
        self._end_if(faults.another_kind(output, str, "on_post_page"))
        return output

    @event_priority(-50)  # once other plugins have written what they write
    def _write(self, config: MkDocsConfig) -> None:
        """Put what readers take home into the site."""
        try:
            self.take_home.write(list(self.pages.values()))
        except PageError as error:
            self._end(error)

    @event_priority(LAST)  # once the builds within this one have ended
    def _follow(self, config: MkDocsConfig) -> None:
        """Look for marks that are left and what is lost; follow all links."""
        self._end_if(fill_elsewhere(Path(config.site_dir), self.pages))
        late = self.notebooks.late
        written = faults.written(self.files, self.pages, late, config)
        self._end_if(faults.lost(self.pages, written))
        dead = faults.dead_links(written, self.project.docs, config)
        self._end_if(dead, faults.Following)
        self.project.make_again = self._make_again
        vars(self).update(self._around)

    on_post_build = CombinedEvent(_write, _follow)

    def on_build_error(self, error: Exception) -> None:
        """Forget the builds around the one that has failed."""
        self._around = {}

    def on_shutdown(self) -> None:
        """End what still runs, but for what others go on to use."""
        if not self.is_shared:
            self.project.close()

    def _wrong(self) -> PageErrors:
        """Return all that is wrong, once all programs have ended."""
        errors = self.project.effects()
        for rendered in self.pages.values():
            errors += rendered.wait()
        if errors:
            # A page with an error may have been about to show a section.
            return PageErrors(errors)
        programs = [page.program for page in self.pages.values()]
        return faults.Following(self.project.unshown(programs))

    def _fill(self, rendered: RenderedPage) -> None:
        rendered.fill()
        if rendered.filled:
            view = self.notebooks.address(rendered.src_uri, self.files)
            self.take_home.announce(rendered, view)

    def _make_again(self, src_uri: str) -> bool:
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
        self._fill(page)
        built = self.files.documentation_pages(inclusion=SERVED)
        _build_page(page.page, self.config, built, self.nav, self.env)
        return True

    def _take(self, reading: Reading) -> bool:
        """Take what is read of the page while MkDocs renders it.

        Meanwhile, plugins may have other texts rendered; at other times,
        as with excerpts of posts, nobody would fill them.
        """
        if self.page and self.page.markdown == reading.text:
            self.reading = reading
        return self.page is not None

    def _source(self, page: Page) -> RenderedPage | None:
        """Return the page that a notebook is taken from, if it is good."""
        source = self.pages.get(self.notebooks.source(page))
        return source if source and source.is_good else None

    def _end_if_superseded(self) -> None:
        if self.project.is_superseded():
            self._end(Superseded())

    def _end_if(
        self, errors: Iterable[PageError], kind: type[PageErrors] = PageErrors
    ) -> None:
        if found := list(errors):
            self._end(kind(found))

    def _end(self, error: EngineError) -> NoReturn:
        """End the build with the error, as MkDocs has plugins do it."""
        raise PluginError(str(error)) from error
