"""Keep what a page's program did for as long as it is true.

A record is a JSON file in ``.cache/records/``.  It is true while the code
that the page shows, the engine and the versions that ran it are the same;
prose may change at will.  Records are written whole or not at all.
"""

import contextlib
import fcntl
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from engine.blocks import Step, Value
from engine.child import BlockRun, Drawing, ValueRun
from engine.errors import Fault
from engine.pages import Page
from engine.project import Project
from engine.runner import run_page

PACKAGES = {
    "TensorFlow": ("tensorflow", "tensorflow-cpu"),
    "Keras": ("keras",),
    "NumPy": ("numpy",),
    "Matplotlib": ("matplotlib",),
}
IMPORTED_BY_SOME = {"sklearn": "scikit-learn"}
"""What only some pages import, and the distribution that brings it."""


@dataclass(frozen=True)
class BlockRecord:
    """What a block printed, raised and drew."""

    output: str
    error: str
    figure: str
    """The figure as SVG, or nothing."""
    drawn: str = ""
    """The data that the figure draws, in words and numbers."""


@dataclass(frozen=True)
class Record:
    """What a page's program did, and with which versions."""

    key: str
    versions: dict[str, str]
    seconds: float
    blocks: list[BlockRecord]
    values: list[str]


def kept_record(project: Project, page: Page) -> Record | None:
    """Return the page's record if there is one and it is still true."""
    record = _read(_path(project, page))
    return record if record and record.key == record_key(page) else None


def make_record(project: Project, page: Page) -> Record:
    """Run the page's program and return its record, yet to be kept.

    Raises Fault if the program fails.
    """
    print(f"Running {page.path} …", end=" ", file=sys.stderr, flush=True)
    start = time.monotonic()
    try:
        runs = list(run_page(project.root, page))
    except BaseException:
        print(file=sys.stderr)
        raise
    seconds = round(time.monotonic() - start, 1)
    print(f"{len(page.blocks)} blocks, {seconds} s", file=sys.stderr)
    record = Record(
        key=record_key(page),
        versions=page_versions(page),
        seconds=seconds,
        blocks=[_block(run) for run in runs if isinstance(run, BlockRun)],
        values=[run.text for run in runs if isinstance(run, ValueRun)],
    )
    require_alt(page, record)
    return record


def keep_record(project: Project, page: Page, record: Record) -> None:
    """Write the page's record, whole or not at all."""
    write_whole(_path(project, page), json.dumps(asdict(record)))


def write_whole(path: Path, text: str) -> None:
    """Write the text, so that the file has all of it or what it had."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    try:
        unfinished.write_text(text, encoding="utf-8")
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def refresh_records(project: Project) -> None:
    """Run every page whose record is missing or no longer true.

    The caller holds ``building(project)``.  New records are kept once all
    pages have run, so that a fault in one of them changes nothing.
    """
    made = []
    for page in project.pages:
        if not page.blocks:
            continue
        kept = kept_record(project, page)
        if kept:
            require_alt(page, kept)
        else:
            made.append((page, make_record(project, page)))
    for page, record in made:
        keep_record(project, page, record)


def ensure_records(project: Project) -> None:
    """Refresh the records if any is missing or no longer true."""
    blocks = [page for page in project.pages if page.blocks]
    if all(kept_record(project, page) for page in blocks):
        return
    with building(project):
        refresh_records(project)


def record_key(page: Page) -> str:
    """Return a hash of all that the page's record depends on."""
    steps = [_essence(step) for step in page.steps]
    text = json.dumps([engine_digest(), page_versions(page), steps])
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def engine_digest() -> str:
    """Return a hash of the engine's own source."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


@cache
def versions() -> dict[str, str]:
    """Return what pages run with, without importing any of it."""
    found = {"Python": platform.python_version()}
    for name, distributions in PACKAGES.items():
        for distribution in distributions:
            with contextlib.suppress(importlib.metadata.PackageNotFoundError):
                found[name] = importlib.metadata.version(distribution)
    return found


def page_versions(page: Page) -> dict[str, str]:
    """Return what the page runs with: ``versions`` and what it adds."""
    code = "\n".join(block.section.code for block in page.blocks)
    added = {
        distribution: importlib.metadata.version(distribution)
        for module, distribution in IMPORTED_BY_SOME.items()
        if re.search(rf"(?m)^(from|import) {module}\b", code)
    }
    return {**versions(), **added}


@contextlib.contextmanager
def building(project: Project) -> Iterator[int]:
    """Hold the project for one build; raise Fault if another has it.

    Yields a descriptor that holds the project too, in whichever process it
    is handed on to.
    """
    project.cache.mkdir(parents=True, exist_ok=True)
    with open(project.cache / "lock", "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Fault(
                "another build is running in this folder",
                mend="wait until it has ended, then build again",
            ) from None
        yield lock.fileno()


def _essence(step: Step) -> list[str | int | None]:
    """Return what of a step bears on its result."""
    if isinstance(step, Value):
        return ["value", step.expression]
    code = step.section.code
    return [step.language, code, step.raises, step.file, step.exits]


def _path(project: Project, page: Page) -> Path:
    return project.cache / "records" / f"{project.slug(page)}.json"


def _block(run: BlockRun) -> BlockRecord:
    drawing = run.figures[0] if run.figures else Drawing("", "")
    return BlockRecord(
        output=run.output.decode("utf-8"),
        error=run.failure.message if run.failure else "",
        figure=drawing.svg,
        drawn=drawing.data,
    )


def _read(path: Path) -> Record | None:
    """Return the record, or nothing if there is none that can be read."""
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        blocks = [BlockRecord(**block) for block in fields.pop("blocks")]
        return Record(blocks=blocks, **fields)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError):
        print(
            f"The record {path.name} is damaged or of another version; "
            "its page runs again.",
            file=sys.stderr,
        )
        return None


def require_alt(page: Page, record: Record) -> None:
    """Raise Fault for a figure without text, or a text without figure."""
    for block, block_record in zip(page.blocks, record.blocks, strict=True):
        if bool(block.alt) == bool(block_record.figure):
            continue
        problem, mend = (
            (
                "draws no figure but the fence has alt=",
                "remove alt=, or let the section draw and plt.show()",
            )
            if block.alt
            else (
                "draws a figure without a text that says what it shows",
                'add alt="…" to the fence',
            )
        )
        section = block.section
        raise Fault(
            f"{section.path.as_posix()}:{section.line}: section "
            f'"{section.name}" {problem}',
            mend=mend,
            path=page.path,
            line=block.line,
        )
