"""What an author asks before a build: run one page, or only check."""

import importlib
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from mkdocs.commands.build import _populate_page
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import (
    File,
    Files,
    InclusionLevel,
    get_files,
    set_exclusions,
)
from mkdocs.structure.nav import get_navigation
from mkdocs.structure.pages import Page as MkDocsPage

from engine.build.faults import Checked
from engine.build.messages import place_of, placed
from engine.build.rendered import RenderedPage
from engine.build.site import (
    build_into,
    opened,
    project_in,
    warnings_kept,
)
from engine.errors import PageError, PageErrors, raise_all
from engine.keep.records import make_record, missing_alts
from engine.program import Block
from engine.project import ENDINGS, Project
from engine.read.page import Page
from engine.read.snippets import did_you_mean
from engine.run.results import BlockRun
from engine.run.terminal import screen

Check = Callable[[Project, list[RenderedPage]], Iterable[PageError]]
"""What a site checks of its own; named under ``checks`` in its settings."""


def run(root: Path, name: str) -> None:
    """Run one page, a draft too, and print what it prints.

    Raises EngineError for all that a build would say of the page.
    """
    with opened(root) as config:
        project = project_in(config)
        try:
            page = _read(config, project, name)
            runs = project.workers.run(page.program)
        finally:
            project.close()
    for step, did in zip(page.program.steps, runs, strict=True):
        if isinstance(step, Block) and isinstance(did, BlockRun):
            print(f"── {step.name} ({page.path}:{step.line})")
            print(screen(did.output), end="")
            if did.failure and did.failure.message:
                print(did.failure.message)
            if did.figures:
                print("[a figure]")
    record = make_record(page.program, runs, 0, project.settings.stamp)
    raise_all(missing_alts(page.program, record))


def check(root: Path) -> list[RenderedPage]:
    """Return all pages as they are read.

    Raises EngineError for all that is wrong with them and needs no run.
    """
    with opened(root) as config:
        project = project_in(config)
        pages, errors = _read_all(config, project, runs=False)
        for name in project.settings.checks:
            errors += _checked(name, project, pages)
    raise_all(errors)
    blocks = sum(len(page.program.blocks) for page in pages)
    print(f"{len(pages)} pages, {blocks} blocks: all can be read", flush=True)
    return pages


def read_all(root: Path, *, runs: bool = False) -> list[RenderedPage]:
    """Return all pages as they are read.

    With ``runs``, they have true records, and what has none is run.  Raises
    EngineError for all that is wrong with any of them.
    """
    with opened(root) as config:
        pages, errors = _read_all(config, project_in(config), runs=runs)
    raise_all(errors)
    return pages


def _read_all(
    config: MkDocsConfig, project: Project, *, runs: bool
) -> tuple[list[RenderedPage], list[PageError]]:
    project.runs, project.writes = runs, False
    try:
        with tempfile.TemporaryDirectory() as folder:
            build_into(Path(folder), config, project)
    except Checked as checked:
        return checked.pages, [*checked.wrong.errors]
    except PageErrors as several:
        return [], list(several.errors)
    except PageError as error:
        return [], [error]
    finally:
        project.close()
    raise AssertionError("nothing was to be written")


def _checked(
    name: str, project: Project, pages: list[RenderedPage]
) -> list[PageError]:
    """Return what a check of the site's own finds wrong."""

    def wrong(what: object) -> PageError:
        path, line = place_of(name, project.root)
        problem = f"checks: {name}: {what}"
        return PageError(problem, hint="correct it", path=path, line=line)

    module, _, function = name.partition(":")
    try:
        check: Check = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise wrong(error) from None
    try:
        found = list(check(project, pages))
    except Exception as error:
        at = placed(error, project.root)
        raise (wrong(error) if at is error else at) from error
    for fault in found:
        if not isinstance(fault, PageError):
            raise wrong(f"{fault!r} is no PageError")
    return found


def _read(config: MkDocsConfig, project: Project, name: str) -> Page:
    """Return one page, read with all that takes part in a build."""
    project.runs = project.writes = False
    read: list[Page] = []

    def read_one(config: MkDocsConfig) -> None:
        config = config.plugins.on_config(config)
        config.plugins.on_pre_build(config=config)
        with warnings_kept():  # which are of other pages
            files = get_files(config)
            files.add_files_from_theme(config.theme.get_env(), config)
            files = config.plugins.on_files(files, config=config)
            set_exclusions(files, config)
            nav = get_navigation(files, config)
            config.plugins.on_nav(nav, config=config, files=files)
        file = _find(files, project, name)
        page = file.page or MkDocsPage(None, file, config)
        _populate_page(page, config, files)
        if rendered := page.meta.get("rendered"):
            raise_all(rendered.errors)
            read.append(rendered.read)

    with tempfile.TemporaryDirectory() as folder:
        build_into(Path(folder), config, project, build=read_one)
    nothing = Page(project.docs, "", {})  # as an empty page has
    return read[0] if read else nothing


def _find(files: Files, project: Project, name: str) -> File:
    """Return the page that an author calls by a path or the end of one."""
    docs, here = project.root / project.docs, Path(name).absolute()
    pages = {
        PurePosixPath(file.src_uri).with_suffix("").as_posix(): file
        for file in files.documentation_pages(inclusion=InclusionLevel.all)
        if not file.src_uri.endswith(".ipynb")
    }
    wanted = Path(name).as_posix().removeprefix(f"{project.docs.as_posix()}/")
    if here.is_file() and here.is_relative_to(docs):
        wanted = here.relative_to(docs).as_posix()
    if PurePosixPath(wanted).suffix in ENDINGS:
        wanted = PurePosixPath(wanted).with_suffix("").as_posix()
    ends = [uri for uri in pages if uri.endswith(f"/{wanted}")]
    if wanted in pages or len(ends) == 1:
        return pages.get(wanted) or pages[ends[0]]
    raise PageError(
        f'no page "{name}"',
        hint=f"{did_you_mean(wanted, ends or pages)}use one of: "
        f"{', '.join(ends or pages)}",
    )
