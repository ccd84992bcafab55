"""A site's folder, its settings, and how a page of it gets its record."""

import contextlib
import itertools
import os
import re
from collections.abc import (
    Callable,
    Collection,
    Iterator,
    Mapping,
    Sequence,
)
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

from engine.errors import PageError
from engine.keep.files import BuildLock
from engine.keep.records import Record, Records, make_record, missing_alts
from engine.program import Program
from engine.read.page import Page
from engine.read.reading import Reading
from engine.read.snippets import Snippets
from engine.run.imports import check_imports
from engine.run.queue import Queue
from engine.run.report import Reporter
from engine.run.results import StepRun
from engine.run.workers import Workers

RUN = re.compile(r"""\brun=["']([^"']+)["']""")
ENDINGS = {".md", ".markdown", ".mdown", ".mkdn", ".mkd"}
"""Those of files that generators take for pages."""


@dataclass(frozen=True)
class Settings:
    """What a site says of itself in ``mkdocs.yml``."""

    docs: str = "docs"
    snippets: str = "snippets"
    preload: tuple[str, ...] = ()
    """Modules that all pages share, imported once."""
    stamp: Mapping[str, str] = field(default_factory=dict)
    """Distributions that every page names, and how it calls them."""
    checks: tuple[str, ...] = ()
    """Functions of the site's own, as ``module:function``, for ``check``."""


class Project:
    """What the parts of the engine share while a site is built or served."""

    def __init__(
        self,
        root: Path,
        settings: Settings,
        *,
        jobs: int = 0,
        force: bool = False,
    ) -> None:
        self.root = root
        self.settings = settings
        self.jobs = jobs or os.cpu_count() or 1
        self.force = force
        self.cache = root / ".cache"
        self.docs = Path(settings.docs)
        self.snippets = Snippets(root, Path(settings.snippets))
        self.records = Records(self.cache / "records", self.docs)
        self.lock = BuildLock(self.cache)
        self.highlighted: dict[str, str] = {}
        """Code is coloured once, not for each edit of a page's prose."""
        self.numbers: Iterator[int] = itertools.count(1)
        """Those of marks: no two pages have the same."""
        self.take: Callable[[Reading], bool] | None = None
        """Takes what is read of a page, if a generator is to fill it."""
        self.late_notebooks: Callable[[str, str], str] | None = None
        """Holds back the views of notebooks that nobody looks at."""
        self.runs = True
        """Whether programs run, or pages are only to be checked."""
        self.only_kept = False
        """Whether programs that have no record are left alone."""
        self.writes = True
        """Whether a site is to be written, or pages are only to be read."""
        self.path: Path | None = None
        """The page that is rendered, if the generator says so."""
        self.anchors: dict[str, set[str]] = {}
        """What can be linked to in each page, once it is rendered."""
        self.make_again: Callable[[str], bool] | None = None
        """Makes a page of the last build again, if that was a good one."""
        self.is_superseded: Callable[[], bool] = lambda: False
        """Whether nobody waits for this build any more."""
        self.programs: dict[str, Program] = {}
        """What runs at which address of the site, once all is rendered."""
        self._ends = contextlib.ExitStack()

    def record(self, page: Page) -> Future[Record] | None:
        """Return the page's record, or the promise of one if it may run.

        Its result raises PageError for a program that fails.
        """
        program = page.program
        if not program.steps:
            return _done(make_record(program, [], 0, self.settings.stamp))
        kept = None if self.force else self.records.load(program)
        if kept is not None:
            return _done(kept)
        if self.only_kept:
            return None
        seconds = self.records.seconds(program)
        keep = partial(self._keep, program)
        return self.queue.submit(program, seconds, keep)

    def effects(self) -> list[PageError]:
        """Return an error for each effect of importing a module."""
        if self.late_notebooks:
            return []  # a preview is not to wait for it
        modules = self.snippets.modules()
        return check_imports(self.root, modules, self.cache, self.workers)

    def unshown(self, programs: Collection[Program]) -> list[PageError]:
        """Return an error for each section that none of the programs has.

        Pages that are not built, as drafts, ask for theirs as well.
        """
        blocks = (block for program in programs for block in program.blocks)
        shown = {block.section.reference for block in blocks}
        errors = list(self.snippets.unshown(shown))
        if not errors:
            return []
        built = {self.root / program.path for program in programs}
        for path in self.sources() - built:
            with contextlib.suppress(OSError, UnicodeError):
                shown.update(RUN.findall(path.read_text("utf-8-sig")))
        return list(self.snippets.unshown(shown))

    def sources(self) -> set[Path]:
        """Return the files of all pages, of drafts too."""
        found = (self.root / self.docs).rglob("*")
        return {p for p in found if p.suffix in ENDINGS and p.is_file()}

    @cached_property
    def workers(self) -> Workers:
        """Where programs run."""
        return self._ends.enter_context(
            Workers(self.root, self.cache, self.settings.preload)
        )

    @cached_property
    def queue(self) -> Queue:
        """In which order they do, several at a time."""
        if not self.lock.is_held:
            self._ends.enter_context(self.lock.held())
        queue = Queue(self.workers, self.jobs, Reporter())
        self._ends.callback(queue.close)
        return queue

    def close(self) -> None:
        """End all that runs."""
        self._ends.close()
        self.__dict__.pop("queue", None)
        self.__dict__.pop("workers", None)

    def _keep(
        self, program: Program, runs: Sequence[StepRun], seconds: float
    ) -> Record:
        record = make_record(program, runs, seconds, self.settings.stamp)
        if not missing_alts(program, record):
            self.records.save(program, record)
        return record


def _done(record: Record) -> Future[Record]:
    future: Future[Record] = Future()
    future.set_result(record)
    return future
