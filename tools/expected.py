"""What every page is to print and draw, kept as text.

``tests/expected/`` has a file for each page: under the name of each block
its output, its error and the data of its figure, and under each value of
the prose what it came to.  A file's first line states within which
tolerance numbers are to agree.

``python -m tools.expected`` compares; with ``--write`` it writes anew what
does not agree.
"""

import argparse
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import NamedTuple

from engine.errors import EngineError, PageError
from engine.keep.records import Record
from engine.program import CommandBlock, Program, Value
from engine.show.blocks import output_text
from tools.compare import EXPECTED, TOLERANCE, same, stated_tolerance

DOCS = Path("docs")
HEADING = "── "
HINT = (
    "correct the code that changed it, or, if the change is meant, write it "
    "anew with make expected"
)


@dataclass(frozen=True)
class Item:
    """A block or a value of a page, and what it came to."""

    name: str
    text: str
    line: int = 0
    """Where the page has it; what is kept does not say."""


class Change(NamedTuple):
    """What is not as kept, and where."""

    path: Path
    line: int | None
    text: str

    def __str__(self) -> str:
        return str(self.error).partition("\n  mend: ")[0]

    @property
    def error(self) -> PageError:
        """The change as a message that says what to do."""
        return PageError(self.text, hint=HINT, path=self.path, line=self.line)


def items(program: Program, record: Record) -> list[Item]:
    """Return what the program came to, in page order."""
    blocks, values = iter(record.blocks), iter(record.values)
    found = []
    for step in program.steps:
        if isinstance(step, Value):
            name, text = f"{{{{ {step.expression} }}}}", next(values)
        else:
            block = next(blocks)
            name = step.name
            if isinstance(step, CommandBlock):
                name = step.code.split("\n")[0]
            drawn = block.drawn and f"figure\n{block.drawn}"
            text = "\n".join(filter(None, [output_text(block), drawn]))
        found.append(Item(name, text, step.line))
    return found


def write(found: list[Item], tolerance: float) -> str:
    """Return the items as the text that is kept of them."""
    parts = [f"numbers agree within {tolerance:g}\n"]
    for item in found:
        body = textwrap.indent(item.text, "    ", lambda line: True)
        parts.append(f"{HEADING}{item.name}\n{body}".rstrip() + "\n")
    return "\n".join(parts)


def read(text: str) -> list[Item]:
    """Return the items that a text keeps."""
    _, *parts = re.split(rf"(?m)^{HEADING}", text)
    found = []
    for part in parts:
        name, _, body = part.partition("\n")
        found.append(Item(name, textwrap.dedent(body).rstrip("\n")))
    return found


def differences(path: Path, found: list[Item], kept: str) -> list[Change]:
    """Return what of the page is not as kept: its place, old and new."""
    old, tolerance = read(kept), stated_tolerance(kept)
    matcher = SequenceMatcher(
        None, [i.name for i in old], [i.name for i in found], autojunk=False
    )
    told: list[Change] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            for before, now in zip(old[a:b], found[c:d], strict=True):
                told += _change(path, before, now, tolerance)
            continue
        told += [
            Change(path, None, f"no longer has {i.name}") for i in old[a:b]
        ]
        told += [Change(path, i.line, f"new: {i.name}") for i in found[c:d]]
    return told


def _change(
    path: Path, before: Item, now: Item, tolerance: float
) -> Iterator[Change]:
    if same(before.text, now.text.rstrip("\n"), tolerance):
        return
    old, new = before.text.split("\n"), now.text.split("\n")
    if len(old) == len(new):
        pairs = [
            (a, b)
            for a, b in zip(old, new, strict=True)
            if not same(a, b, tolerance)
        ]
        old, new = [a for a, _ in pairs], [b for _, b in pairs]
    lines = [now.name, *(f"  was {line}" for line in old)]
    lines += [f"  is  {line}" for line in new]
    yield Change(path, now.line, "\n".join(lines))


def slug(program: Program) -> str:
    """Return the name of the page that the program is of."""
    return program.path.relative_to(DOCS).with_suffix("").as_posix()


def kept_path(root: Path, program: Program) -> Path:
    """Return where the page's expected text is kept."""
    return root / EXPECTED / f"{slug(program)}.txt"


def compare(root: Path, program: Program, record: Record) -> list[Change]:
    """Return in what the page's record is not as kept."""
    path = kept_path(root, program)
    if not path.exists():
        text = f"has nothing kept in {EXPECTED}/"
        return [Change(program.path, None, text)]
    found = items(program, record)
    return differences(program.path, found, path.read_text("utf-8"))


def without_page(root: Path, programs: Iterable[Program]) -> list[Change]:
    """Return the kept texts that belong to none of the programs."""
    known = {kept_path(root, program) for program in programs}
    return [
        Change(path.relative_to(root), None, "has no page")
        for path in sorted(set((root / EXPECTED).rglob("*.txt")) - known)
    ]


def compare_all(root: Path) -> list[Change]:
    """Return in what any page is not as kept, running what has to be."""
    records = _records(root)
    told = [c for p, record in records for c in compare(root, p, record)]
    return told + without_page(root, [program for program, _ in records])


def write_all(root: Path) -> list[Path]:
    """Write anew what is not as kept; return the files that changed."""
    changed = []
    records = _records(root)
    for program, record in records:
        path = kept_path(root, program)
        if not compare(root, program, record):
            continue
        tolerance = TOLERANCE
        if path.exists():
            tolerance = stated_tolerance(path.read_text("utf-8"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(write(items(program, record), tolerance), "utf-8")
        changed.append(path.relative_to(root))
    for change in without_page(root, [program for program, _ in records]):
        (root / change.path).unlink()
        changed.append(change.path)
    return changed


def _records(root: Path) -> list[tuple[Program, Record]]:
    """Return all programs with their records."""
    # Not where versions are tried out: there the generator is missing.
    from engine.build.author import read_all

    return [
        (page.program, page.filled.record)
        for page in read_all(root, runs=True)
        if page.filled
    ]


def main(arguments: list[str] | None = None) -> int:
    """Compare or write; return 1 if anything is not as kept."""
    parser = argparse.ArgumentParser(prog="python -m tools.expected")
    parser.add_argument("--root", type=Path, default=Path())
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args(arguments)
    root = options.root.resolve()
    try:
        if options.write:
            changed = write_all(root)
            print(f"Changed: {', '.join(map(str, changed)) or 'nothing'}")
            return 0
        told = compare_all(root)
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1
    if told:
        words = "\n".join(map(str, told))
        print(f"{words}\n  mend: {HINT}", file=sys.stderr)
        return 1
    print("Every page prints and draws what is kept of it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
