"""The site as a whole: every page, every snippet, and how they fit."""

import difflib
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from engine.errors import Fault
from engine.pages import Page, read_page
from engine.sections import Section, read_sections


@dataclass(frozen=True)
class Project:
    """The folder that holds ``docs/``, ``snippets/`` and the cache."""

    root: Path

    @property
    def cache(self) -> Path:
        """Where records and half-built sites live."""
        return self.root / ".cache"

    @cached_property
    def sections(self) -> dict[Path, dict[str, Section]]:
        """All sections, by module and name, read once."""
        return {
            path: read_sections(self.root, path)
            for path in self._files("snippets", "*.py")
        }

    @cached_property
    def pages(self) -> tuple[Page, ...]:
        """All pages, read once.

        Raises Fault if a page or a snippet cannot be read, and for a
        section that no page shows.
        """
        pages = tuple(
            read_page(self.root, path, self.find_section)
            for path in self._files("docs", "*.md")
        )
        shown = {b.section.reference for page in pages for b in page.blocks}
        for sections in self.sections.values():
            for section in sections.values():
                if section.reference not in shown:
                    raise Fault(
                        f'section "{section.name}" is shown on no page',
                        mend=f'show it with run="{section.reference}", '
                        "or remove its two markers",
                        path=section.path,
                        line=section.line,
                    )
        return pages

    @cached_property
    def bodies(self) -> dict[str, Page]:
        """All pages by their text without front matter."""
        return {page.body: page for page in reversed(self.pages)}

    def page(self, name: str) -> Page:
        """Return the page that an author calls by path or bare name."""
        wanted = Path(name).as_posix().removeprefix("docs/")
        for page in self.pages:
            if wanted.removesuffix(".md") == self.slug(page):
                return page
        known = ", ".join(self.slug(page) for page in self.pages)
        raise Fault(f'no page "{name}"', mend=f"use one of: {known}")

    def slug(self, page: Page) -> str:
        """Return the page's path under ``docs/`` without its ending."""
        return page.path.relative_to("docs").with_suffix("").as_posix()

    def find_section(self, reference: str, path: Path, line: int) -> Section:
        """Return the section named ``snippets/NAME.py:SECTION``.

        ``path`` and ``line`` say which page asks, for the message.
        """
        file, _, name = reference.partition(":")
        sections = self.sections.get(Path(file))
        if sections is None:
            known = [module.as_posix() for module in self.sections]
            raise _unknown(f"no file {file}", file, known, path, line)
        if name not in sections:
            raise _unknown(
                f'no section "{name}" in {file}',
                name,
                list(sections),
                path,
                line,
            )
        return sections[name]

    @cached_property
    def read(self) -> frozenset[Path]:
        """All files that pages and sections were read from."""
        blocks = [block for page in self.pages for block in page.blocks]
        return frozenset(
            [page.path for page in self.pages]
            + [block.section.path for block in blocks]
            + list(self.sections)
        )

    def _files(self, folder: str, pattern: str) -> list[Path]:
        found = (self.root / folder).rglob(pattern)
        return sorted(path.relative_to(self.root) for path in found)


Stamp = tuple[int, int] | None
Stamps = dict[str, Stamp]
_kept: dict[Path, tuple[Stamps, Project]] = {}


def current_project(root: Path) -> Project:
    """Return the project as it is on the disk, read anew if it changed.

    A generator asks for every page that it renders.  Reading all pages
    each time would make the cost of a site grow with its square.
    """
    if root in _kept:
        stamps, project = _kept[root]
        if stamps == _stamps(root, project):
            return project
        del _kept[root]
    before = _stamps(root)
    project = Project(root)
    stamps = _stamps(root, project)
    # What changed while it was read is read again the next time.
    if before.items() <= stamps.items():
        _kept[root] = stamps, project
    return project


def _stamps(root: Path, project: Project | None = None) -> Stamps:
    """Return when each file was last written, and how long it is.

    These are all pages and modules there are, and what else the project
    was read from.
    """
    paths = {
        os.path.join(folder, name)
        for top, ending in (("docs", ".md"), ("snippets", ".py"))
        for folder, _, names in os.walk(root / top)
        for name in names
        if name.endswith(ending)
    }
    if project:
        paths.update(os.path.join(root, path) for path in project.read)
    return {path: _stamp(path) for path in paths}


def _stamp(path: str) -> Stamp:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size


def _unknown(
    problem: str, name: str, known: list[str], path: Path, line: int
) -> Fault:
    close = difflib.get_close_matches(name, known, n=1)
    mend = f"there are: {', '.join(known) or 'none'}"
    if close:
        mend = f'write "{close[0]}"? {mend}'
    return Fault(problem, mend=mend, path=path, line=line)
