"""What MkDocs is to do beside rendering: fill pages, and add to the site.

MkDocs renders all pages before it writes the first.  Their programs run
meanwhile, side by side; then marks are filled, and the site gets what
readers take home.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from jinja2 import Environment
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import CombinedEvent, event_priority
from mkdocs.structure.files import Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page

from engine.build import faults
from engine.build.built import Built
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


class Checked(EngineError):
    """Ends a build in which nothing is to be written, with what was read."""

    def __init__(
        self, pages: list[RenderedPage], errors: list[PageError]
    ) -> None:
        super().__init__("nothing was to be written")
        self.pages = pages
        self.errors = errors


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
        options = extension_options(config)
        self.is_shared = "project" in options
        self.project = options.setdefault("project", project_of(options))
        self.project.take = self._take
        self.project.make_again = None
        self.project.path = None  # where a build before may have failed
        spare_templates(config.theme, self.project.cache)
        self.page: Page | None = None
        """The page that MkDocs renders."""
        self.reading: Reading | None = None
        self.pages: dict[str, RenderedPage] = {}
        self.notebooks = Notebooks(self.project)
        self.take_home = TakeHome(self.project, config)
        return config

    @event_priority(50)  # before mkdocs-jupyter looks for notebooks
    def _add_notebooks(self, files: Files, config: MkDocsConfig) -> Files:
        """Add a notebook for each page that may have a program."""
        self.notebooks.add(files, config, as_pages=True)
        return files

    @event_priority(-50)  # once it has made pages of them
    def _list_none(self, files: Files, config: MkDocsConfig) -> Files:
        self.notebooks.add(files, config, as_pages=False)
        self.notebooks.leave_out_of_nav(files)
        return files

    on_files = CombinedEvent(_add_notebooks, _list_none)

    def on_nav(
        self, nav: Navigation, config: MkDocsConfig, files: Files
    ) -> Navigation:
        """Keep what one page of a build needs to be made again."""
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

    @event_priority(-100)  # what other plugins leave of the page is shown
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
        errors = self._errors()
        self.project.anchors = {
            uri: page.page.present_anchor_ids or set()
            for uri, page in self.pages.items()
        }
        if not self.project.writes:
            for page in (file.page for file in files if file.page):
                page.validate_anchor_links(
                    files=files, log_level=config.validation.links.anchors
                )
            self._end(Checked(list(self.pages.values()), errors))
        self._end_if(errors)
        for rendered in self.pages.values():
            self._end_if_superseded()
            self._fill(rendered)
        self.project.programs = {
            rendered.page.url: rendered.program
            for rendered in self.pages.values()
        }
        self.notebooks.follow(self.pages, config, files)
        self._end_if(faults.at_one_address(files, self.project.docs))
        spare_the_search(config)
        self.env = env
        return env

    @event_priority(-100)  # what other plugins leave of it is written
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

    @event_priority(-100)  # once the builds within this one have ended
    def _follow(self, config: MkDocsConfig) -> None:
        """Look for marks that are left and what is lost; follow all links."""
        self._end_if(fill_elsewhere(Path(config.site_dir), self.pages))
        self._end_if(faults.lost(self.pages.values(), config))
        docs = self.project.docs
        if dead := list(faults.dead_links(self.files, docs, config)):
            self._end(faults.DeadLinks(dead))
        self.project.make_again = Built(
            self.project,
            config,
            self.files,
            self.nav,
            self.env,
            self.pages,
            self._fill,
        ).make_again
        vars(self).update(self._around)

    on_post_build = CombinedEvent(_write, _follow)

    def on_build_error(self, error: Exception) -> None:
        """Forget the builds around the one that has failed."""
        self._around = {}

    def on_shutdown(self) -> None:
        """End what still runs, but for what others go on to use."""
        if not self.is_shared:
            self.project.close()

    def _errors(self) -> list[PageError]:
        """Return all that is wrong, once all programs have ended."""
        errors = self.project.effects()
        for rendered in self.pages.values():
            errors += rendered.wait()
        if errors:
            # A page with an error may have been about to show a section.
            return errors
        pages = self.pages.values()
        return self.project.unshown([page.program for page in pages])

    def _fill(self, rendered: RenderedPage) -> None:
        rendered.fill()
        if rendered.filled:
            view = self.notebooks.address(rendered.src_uri, self.files)
            self.take_home.announce(rendered, view)

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

    def _end_if(self, errors: Iterable[PageError]) -> None:
        if found := list(errors):
            self._end(PageErrors(found))

    def _end(self, error: EngineError) -> NoReturn:
        """End the build with the error, as MkDocs has plugins do it."""
        raise PluginError(str(error)) from error
