"""What every page is to print and draw, kept as text.

``tests/expected/`` has a file for each page: under the name of each block
its output, its error and the data of its figure, and under each value of
the prose what it came to.  A file's first line states within which
tolerance numbers are to agree.

``python -m proof.expected`` compares; with ``--write`` it writes anew what
does not agree.
"""

import argparse
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from engine.blocks import Value
from engine.errors import Fault
from engine.pages import Page
from engine.project import Project
from engine.records import Record, ensure_records, kept_record
from engine.render import output_text
from proof.compare import EXPECTED, TOLERANCE, same, stated_tolerance

HEADING = "── "
MEND = (
    "mend: correct the code that changed it, or, if the change is meant, "
    "write it anew with make expected"
)


@dataclass(frozen=True)
class Item:
    """A block or a value of a page, and what it came to."""

    name: str
    text: str
    line: int = 0
    """Where the page has it; what is kept does not say."""


def items(page: Page, record: Record) -> list[Item]:
    """Return what the page's program came to, in page order."""
    blocks, values = iter(record.blocks), iter(record.values)
    found = []
    for step in page.steps:
        if isinstance(step, Value):
            name, text = f"{{{{ {step.expression} }}}}", next(values)
        else:
            block = next(blocks)
            name = step.section.reference
            if step.is_command:
                name = step.section.code.split("\n")[0]
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


def differences(page: Page, found: list[Item], kept: str) -> list[str]:
    """Return what of the page is not as kept: its place, old and new."""
    old, tolerance = read(kept), stated_tolerance(kept)
    matcher = SequenceMatcher(
        None, [i.name for i in old], [i.name for i in found], autojunk=False
    )
    told: list[str] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            for before, now in zip(old[a:b], found[c:d], strict=True):
                told.extend(_change(page, before, now, tolerance))
            continue
        told += [f"{page.path}: no longer has {i.name}" for i in old[a:b]]
        told += [f"{page.path}:{i.line}: new: {i.name}" for i in found[c:d]]
    return told


def _change(
    page: Page, before: Item, now: Item, tolerance: float
) -> Iterator[str]:
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
    lines = [f"{page.path}:{now.line}: {now.name}"]
    lines += [f"  was {line}" for line in old]
    lines += [f"  is  {line}" for line in new]
    yield "\n".join(lines)


def kept_path(project: Project, page: Page) -> Path:
    """Return where the page's expected text is kept."""
    return project.root / EXPECTED / f"{project.slug(page)}.txt"


def compare(project: Project, page: Page, record: Record) -> list[str]:
    """Return in what the page's record is not as kept."""
    path = kept_path(project, page)
    if not path.exists():
        return [f"{page.path}: has nothing kept in {EXPECTED}/"]
    return differences(page, items(page, record), path.read_text("utf-8"))


def compare_all(project: Project) -> list[str]:
    """Return in what any page is not as kept, running what has to be."""
    told = []
    for page, record in _records(project):
        told += compare(project, page, record)
    for path in _without_page(project):
        told.append(f"{path.relative_to(project.root)}: has no page")
    return told


def write_all(project: Project) -> list[Path]:
    """Write anew what is not as kept; return the files that changed."""
    changed = []
    for page, record in _records(project):
        path = kept_path(project, page)
        if not compare(project, page, record):
            continue
        tolerance = TOLERANCE
        if path.exists():
            tolerance = stated_tolerance(path.read_text("utf-8"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(write(items(page, record), tolerance), "utf-8")
        changed.append(path)
    for path in _without_page(project):
        path.unlink()
        changed.append(path)
    return changed


def _without_page(project: Project) -> list[Path]:
    """Return the kept texts that belong to no page with blocks."""
    known = {kept_path(project, page) for page in project.pages if page.blocks}
    return sorted(set((project.root / EXPECTED).rglob("*.txt")) - known)


def _records(project: Project) -> Iterator[tuple[Page, Record]]:
    ensure_records(project)
    for page in project.pages:
        record = kept_record(project, page) if page.blocks else None
        if record:
            yield page, record


def main(arguments: list[str] | None = None) -> int:
    """Compare or write; return 1 if anything is not as kept."""
    parser = argparse.ArgumentParser(prog="python -m proof.expected")
    parser.add_argument("--root", type=Path, default=Path())
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args(arguments)
    project = Project(options.root.resolve())
    try:
        if options.write:
            changed = write_all(project)
            names = [str(path.relative_to(project.root)) for path in changed]
            print(f"Changed: {', '.join(names) or 'nothing'}")
            return 0
        told = compare_all(project)
    except Fault as fault:
        print(fault, file=sys.stderr)
        return 1
    if told:
        print("\n".join([*told, f"  {MEND}"]), file=sys.stderr)
        return 1
    print("Every page prints and draws what is kept of it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
