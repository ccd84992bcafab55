"""What an author asks before a build: run one page, or only check."""

import importlib
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from markdown import Markdown
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.utils.meta import get_data

from engine.build.messages import in_config, not_utf8, placed
from engine.build.plugin import Checked
from engine.build.rendered import RenderedPage
from engine.build.site import build_into, opened, project_in
from engine.errors import PageError, PageErrors, raise_all
from engine.keep.records import make_record, missing_alts
from engine.program import Block
from engine.project import Project
from engine.read.page import Page
from engine.read.reading import Reading
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
            page = _read(config, project, _path(project, name))
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
        return checked.pages, checked.errors
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
        return in_config(project.root, f"checks: {name}: {what}")

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


def _path(project: Project, name: str) -> Path:
    """Return the page that an author calls by path or bare name."""
    docs = project.root / project.docs
    pages = {
        path.relative_to(docs).with_suffix("").as_posix(): path
        for path in sorted(docs.rglob("*.md"))
    }
    wanted = Path(name).as_posix().removeprefix(f"{project.docs.as_posix()}/")
    found = pages.get(wanted.removesuffix(".md"))
    if found is None:
        raise PageError(
            f'no page "{name}"',
            hint=f"{did_you_mean(wanted, pages)}use one of: "
            f"{', '.join(pages)}",
        )
    return found.relative_to(project.root)


def _read(config: MkDocsConfig, project: Project, path: Path) -> Page:
    found: list[Reading] = []

    def take(reading: Reading) -> bool:
        found.append(reading)
        return True

    project.take = take
    project.path = path
    try:
        text = (project.root / path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise not_utf8(project.root, path) from None
    html = Markdown(
        extensions=config.markdown_extensions,
        extension_configs=config.mdx_configs,
    ).convert(get_data(text)[0])
    if not found:
        return Page(path, html, {})
    # Others, within it, have ended before.
    page = found[-1].page(html)
    raise_all(found[-1].errors)
    return page
