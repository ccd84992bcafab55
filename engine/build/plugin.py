"""What MkDocs is to do beside rendering: fill pages, and add to the site.

MkDocs renders all pages before it writes the first.  Their programs run
meanwhile, side by side; then marks are filled, and the site gets what
readers take home.
"""

from pathlib import Path
from typing import NoReturn

from jinja2 import Environment, FileSystemBytecodeCache
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import CombinedEvent, event_priority
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

from engine.build.notebooks import Notebooks
from engine.build.rendered import RenderedPage
from engine.build.search import Words
from engine.build.take_home import TakeHome
from engine.errors import EngineError, PageError, PageErrors
from engine.extension import project_of
from engine.project import Project
from engine.read.reading import Reading

EXTENSION = "engine.extension"


class Checked(EngineError):
    """Ends a build in which nothing is to be written, with what was read."""

    def __init__(
        self, pages: list[RenderedPage], errors: list[PageError]
    ) -> None:
        super().__init__("nothing was to be written")
        self.pages = pages
        self.errors = errors


class EnginePlugin(Words):
    """Takes part in one build."""

    project: Project

    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        """Ask the extension for what it reads."""
        root = Path(config.config_file_path or "").resolve().parent
        settings = config.mdx_configs.setdefault(EXTENSION, {})
        settings.setdefault("root", str(root))
        docs = Path(config.docs_dir)
        settings.setdefault("docs", docs.relative_to(root).as_posix())
        self.project = settings.setdefault("project", project_of(settings))
        self.project.take = self._take
        self.reading: Reading | None = None
        self.pages: dict[str, RenderedPage] = {}
        self.notebooks = Notebooks(self.project)
        self.take_home = TakeHome(self.project, config)
        return config

    @event_priority(50)  # before mkdocs-jupyter looks for notebooks
    def _add_notebooks(self, files: Files, config: MkDocsConfig) -> Files:
        """Add a notebook for each page that may have a program."""
        if self.project.writes:
            self.notebooks.add(files, config)
        return files

    @event_priority(-50)  # once it has made pages of them
    def _list_none(self, files: Files, config: MkDocsConfig) -> Files:
        self.notebooks.leave_out_of_nav(files)
        return files

    on_files = CombinedEvent(_add_notebooks, _list_none)

    @event_priority(100)  # before mkdocs-jupyter reads the notebook
    def on_pre_page(
        self, page: Page, config: MkDocsConfig, files: Files
    ) -> Page:
        """Say which page is next; make a notebook that is next."""
        self.reading = None
        self.project.path = self.project.docs / page.file.src_uri
        source = self.pages.get(self.notebooks.source(page))
        if source and not source.errors:
            self._make(page, source)
        return page

    @event_priority(-100)  # what other plugins leave of the page is shown
    def on_page_content(
        self, html: str, page: Page, config: MkDocsConfig, files: Files
    ) -> str:
        """Read the page's program and have it run."""
        if self.reading:
            rendered = RenderedPage(self.project, page, self.reading, html)
            self.pages[page.file.src_uri] = rendered
            page.meta["rendered"] = rendered
        elif self.notebooks.source(page):
            self.notebooks.describe(page, self.pages)
            return self.notebooks.view(page, html)
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
        if errors:
            self._end(PageErrors(errors))
        for rendered in self.pages.values():
            rendered.fill()
            if rendered.filled:
                view = self.notebooks.address(rendered.src_uri, files)
                self.take_home.announce(rendered, view)
        self.project.programs = {
            rendered.page.url: rendered.program
            for rendered in self.pages.values()
        }
        self.notebooks.prune(self.pages, files)
        folder = self.project.cache / "templates"
        folder.mkdir(parents=True, exist_ok=True)
        # Compiled templates rarely change, and cost much.
        env.bytecode_cache = FileSystemBytecodeCache(str(folder))
        return env

    def on_post_build(self, config: MkDocsConfig) -> None:
        """Put what readers take home into the site."""
        try:
            self.take_home.write(list(self.pages.values()))
        except PageError as error:
            self._end(error)

    def on_shutdown(self) -> None:
        """End what still runs."""
        self.project.close()

    def _errors(self) -> list[PageError]:
        """Return all that is wrong, once all programs have ended."""
        errors = self.project.effects()
        for rendered in self.pages.values():
            errors += rendered.wait()
        if errors:
            # A page with an error may have been about to show a section.
            return errors
        programs = [rendered.program for rendered in self.pages.values()]
        return self.project.unshown(
            {
                block.section.reference
                for program in programs
                for block in program.blocks
            }
        )

    def _take(self, reading: Reading) -> None:
        self.reading = reading

    def _make(self, page: Page, source: RenderedPage) -> None:
        if not source.wait() and source.filled:
            view = self.take_home.view(source, page)
            self.notebooks.write(page, view)

    def _end(self, error: EngineError) -> NoReturn:
        """End the build with the error, as MkDocs has plugins do it."""
        raise PluginError(str(error)) from error
