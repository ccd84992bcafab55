"""What a page's program did, kept as a file of JSON.

A record is true while the code that the page shows, what carries it out and
the versions of all that it imports are the same; prose may change at will.
"""

import json
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from engine.errors import PageError
from engine.keep import versions
from engine.keep.files import write_atomically
from engine.keep.key import record_key
from engine.program import Program, PythonBlock
from engine.run.check import fault
from engine.run.results import BlockRun, Drawing, StepRun, ValueRun
from engine.run.terminal import screen


@dataclass(frozen=True)
class BlockRecord:
    """What a block printed, raised and drew."""

    output: str
    error: str
    figure: str
    """The figure as SVG, or nothing."""
    drawn: str = ""
    """The data that the figure draws, in words and numbers."""
    value: bool = False
    """Whether the last line has a value, which a notebook shows."""
    away: bool = False
    """Whether the program is then in another folder than at its start."""
    late: bool = False
    """Whether it printed when the program ended, as no notebook does."""


@dataclass(frozen=True)
class Record:
    """What a page's program did, and with which versions."""

    key: str
    modules: dict[str, list[str]]
    """What the code imports, and the distributions that bring it."""
    versions: dict[str, str]
    """The versions of these, and of all that they need."""
    stamp: dict[str, str]
    """What the page is said to have run with."""
    seconds: float
    blocks: list[BlockRecord]
    values: list[str]


NOTHING = Record("", {}, {}, {}, 0, [], [])
"""The record of a page on which nothing runs."""


def make_record(
    program: Program,
    runs: Sequence[StepRun],
    seconds: float,
    names: Mapping[str, str],
) -> Record:
    """Return the record of a program that has just run.

    ``names`` are of distributions that are named on every page, if they
    are installed, and what the page calls them.
    """
    modules = versions.distributions(versions.imported(program))
    brought = {name for found in modules.values() for name in found}
    return Record(
        key=record_key(program),
        modules=modules,
        versions=versions.versions(brought),
        stamp=_stamp(brought, names),
        seconds=round(seconds, 1),
        blocks=[_block(run) for run in runs if isinstance(run, BlockRun)],
        values=[run.text for run in runs if isinstance(run, ValueRun)],
    )


class Records:
    """The records of a project, in a folder."""

    def __init__(self, folder: Path, docs: Path) -> None:
        self.folder = folder
        self.docs = docs
        self._installed = versions.Installed()

    def load(self, program: Program) -> Record | None:
        """Return the program's record if there is one and it is true."""
        record = self._read(program)
        if record is None or record.key != record_key(program):
            return None
        true = self._installed.has(record.modules, record.versions)
        return record if true else None

    def seconds(self, program: Program) -> float:
        """Return how long the page's program took the last time."""
        record = self._read(program)
        return record.seconds if record else float("inf")

    def save(self, program: Program, record: Record) -> None:
        """Write the record, whole or not at all."""
        write_atomically(self._path(program), json.dumps(asdict(record)))

    def _path(self, program: Program) -> Path:
        path = program.path
        if path.is_relative_to(self.docs):
            path = path.relative_to(self.docs)
        return self.folder / path.with_suffix(".json")

    def _read(self, program: Program) -> Record | None:
        """Return the record, or nothing if there is none to be read."""
        path = self._path(program)
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            blocks = [BlockRecord(**block) for block in fields.pop("blocks")]
            record = Record(blocks=blocks, **fields)
            if not _is(record, Record):
                raise TypeError(path)
            return record
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError, AttributeError):
            path.unlink(missing_ok=True)
            print(
                f"The record {path.name} is damaged or of another version; "
                "its page runs again.",
                file=sys.stderr,
            )
            return None


def missing_alts(program: Program, record: Record) -> list[PageError]:
    """Return an error for each figure without text, or text without one."""
    errors = []
    for block, did in zip(program.blocks, record.blocks, strict=True):
        alt = block.alt if isinstance(block, PythonBlock) else None
        if did.figure and not alt:
            problem = "draws a figure without a text that says what it shows"
            hint = 'add alt="…" to the fence'
            errors.append(fault(program, block, problem, hint))
        if alt and not did.figure:
            problem = "draws no figure but the fence has alt="
            hint = "remove alt=, or let the section draw and plt.show()"
            errors.append(fault(program, block, problem, hint))
    return errors


def _is(value: Any, kind: Any) -> bool:
    """Return whether the value, and all in it, are of the kind."""
    if is_dataclass(kind):
        fields = get_type_hints(kind).items()
        return all(_is(getattr(value, name), of) for name, of in fields)
    if parts := get_args(kind):
        held = value.values() if isinstance(value, dict) else value
        is_kind = isinstance(value, get_origin(kind))
        return is_kind and all(_is(part, parts[-1]) for part in held)
    return isinstance(value, int | float if kind is float else kind)


def _stamp(brought: set[str], names: Mapping[str, str]) -> dict[str, str]:
    found = {"Python": platform.python_version()}
    for distribution in [*names, *sorted(brought - names.keys())]:
        if number := versions.version(distribution):
            found[names.get(distribution, distribution)] = number
    return found


def _block(run: BlockRun) -> BlockRecord:
    drawing = run.figures[0] if run.figures else Drawing("", "")
    return BlockRecord(
        output=screen(run.output),
        error=screen(run.failure.message.encode()) if run.failure else "",
        figure=drawing.svg,
        drawn=drawing.data,
        value=run.value,
        away=run.away,
        late=run.late,
    )
