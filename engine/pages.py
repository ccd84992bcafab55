"""Read a Markdown page into its program.

A page's program is made of steps, in page order: blocks, which the page
shows, and values, expressions in the prose whose result is shown there.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.blocks import (
    Block,
    SectionFinder,
    Step,
    Value,
    is_block,
    read_block,
)
from engine.errors import Fault
from engine.fences import Fence, fence_at

EXPLORER = "explorer"
VALUE = re.compile(r"\{\{(.+?)\}\}")


@dataclass(frozen=True)
class Page:
    """A Markdown page and its program."""

    path: Path
    """The file, relative to the project's root."""
    text: str
    steps: tuple[Step, ...]

    @property
    def body(self) -> str:
        """The text that generators render: without its front matter."""
        lines = self.text.split("\n")
        return "\n".join(lines[front_matter_end(lines) :]).strip()

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks alone, in page order."""
        return tuple(s for s in self.steps if isinstance(s, Block))

    @property
    def values(self) -> tuple[Value, ...]:
        """The values alone, in page order."""
        return tuple(s for s in self.steps if isinstance(s, Value))

    @property
    def files(self) -> dict[str, str]:
        """The files that the reader saves: their names and whole texts."""
        return {b.file: b.contents for b in self.blocks if b.file}


def read_page(root: Path, path: Path, find_section: SectionFinder) -> Page:
    """Return the page at ``root / path`` with its program.

    Raises Fault for a fence that cannot be understood, Python that is
    shown but not run, a section shown twice on the page, and a value
    that stands before any block.
    """
    text = (root / path).read_text(encoding="utf-8-sig")
    steps: list[Step] = []
    blocks: list[Block] = []
    for part in parts(text):
        if isinstance(part, Value):
            if not blocks:
                raise Fault(
                    f"the value {{{{ {part.expression} }}}} stands before "
                    "the first block",
                    mend="move it below the block that computes it",
                    path=path,
                    line=part.line,
                )
            steps.append(part)
        elif is_block(part):
            block = read_block(part, root, path, find_section, blocks)
            _require_new(block, blocks, path)
            blocks.append(block)
            steps.append(block)
    return Page(path, text, tuple(steps))


def parts(text: str) -> Iterator[Fence | Value]:
    """Yield a page's fences and the values outside of them, in page order.

    The fences of the explorer hold values as well.
    """
    lines = text.split("\n")
    index = front_matter_end(lines)
    while index < len(lines):
        fence = fence_at(lines, index)
        if fence:
            yield fence
            if fence.language == EXPLORER:
                yield from _values(lines, index, fence.end)
            index = fence.end
            continue
        index += 1
        yield from _values(lines, index - 1, index)


def fill_values(page: Page, values: list[str], lines: list[str]) -> None:
    """Write the page's values into its lines, in place."""
    remaining = iter(values)
    for number in dict.fromkeys(value.line for value in page.values):
        line = lines[number - 1]
        lines[number - 1] = VALUE.sub(lambda _: next(remaining), line)


def _values(lines: list[str], start: int, end: int) -> Iterator[Value]:
    """Yield the values on the lines from index ``start`` to ``end``."""
    for number, line in enumerate(lines[start:end], start + 1):
        for expression in VALUE.findall(line):
            yield Value(number, expression.strip())


def front_matter_end(lines: list[str]) -> int:
    """Return how many of a page's lines are its front matter."""
    if not lines or lines[0].rstrip() != "---":
        return 0
    for number, line in enumerate(lines[1:], start=2):
        if line.rstrip() in ("---", "..."):
            return number
    return 0


def _require_new(block: Block, above: list[Block], path: Path) -> None:
    """Raise Fault if the page's program or the same file has the section."""
    if block.is_command:
        return
    for other in above:
        if (other.section, other.file) == (block.section, block.file):
            raise Fault(
                f"{block.section.reference} is shown twice, first on line "
                f"{other.line}",
                mend="show it once, or make two sections of it",
                path=path,
                line=block.line,
            )
