"""Read a Markdown page into its program.

A page's program is made of steps, in page order: blocks (a fence that names
a section) and values (an expression in the prose whose result is shown
there).
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.errors import Fault
from engine.sections import Section

SECONDS_ALLOWED = 120.0
OWN_OPTIONS = frozenset({"run", "alt", "raises", "limit", "fold"})
HIGHLIGHTER_OPTIONS = frozenset({"title", "hl_lines", "linenums"})

FENCE = re.compile(r"(?P<indent>[> ]*)(?P<fence>`{3,}|~{3,})(?P<info>.*)")
OPTION = re.compile(r"\s*(?P<key>[A-Za-z]\w*)=(?P<quote>[\"'])(.*?)(?P=quote)")
VALUE = re.compile(r"\{\{(.+?)\}\}")

SectionFinder = Callable[[str, Path, int], Section]
"""Finds a section by its reference; page and line are for the message."""


@dataclass(frozen=True)
class Fence:
    """A fenced block of a page, as it stands there."""

    indent: str
    info: str
    line: int
    """The line of the opening fence, from 1."""
    end: int
    """The line of the closing fence."""
    body: str


@dataclass(frozen=True)
class Block:
    """A section shown on a page, and how it is to be run and shown."""

    line: int
    end: int
    indent: str
    section: Section
    alt: str | None = None
    raises: str | None = None
    fold: str | None = None
    seconds_allowed: float = SECONDS_ALLOWED


@dataclass(frozen=True)
class Value:
    """An expression in the prose: the inside of an f-string's braces."""

    line: int
    expression: str


Step = Block | Value


@dataclass(frozen=True)
class Page:
    """A Markdown page and its program."""

    path: Path
    """The file, relative to the project's root."""
    text: str
    steps: tuple[Step, ...]

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks alone, in page order."""
        return tuple(s for s in self.steps if isinstance(s, Block))

    @property
    def values(self) -> tuple[Value, ...]:
        """The values alone, in page order."""
        return tuple(s for s in self.steps if isinstance(s, Value))


def read_page(root: Path, path: Path, find_section: SectionFinder) -> Page:
    """Return the page at ``root / path`` with its program.

    Raises Fault for a fence that cannot be understood, Python that is
    shown but not run, a section shown twice on the page, and a value
    that stands before any block.
    """
    text = (root / path).read_text(encoding="utf-8-sig")
    steps: list[Step] = []
    shown: dict[str, int] = {}
    for part in parts(text):
        if isinstance(part, Value):
            if not shown:
                raise Fault(
                    f"the value {{{{ {part.expression} }}}} stands before "
                    "the first block",
                    mend="move it below the block that computes it",
                    path=path,
                    line=part.line,
                )
            steps.append(part)
        elif _is_python(part):
            block = _block(part, path, find_section)
            reference = block.section.reference
            if reference in shown:
                raise Fault(
                    f"{reference} is shown twice, first on line "
                    f"{shown[reference]}",
                    mend="show it once, or make two sections of it",
                    path=path,
                    line=block.line,
                )
            shown[reference] = block.line
            steps.append(block)
    return Page(path, text, tuple(steps))


def parts(text: str) -> Iterator[Fence | Value]:
    """Yield a page's fences and the values between them, in page order."""
    lines = text.split("\n")
    number = front_matter_end(lines)
    while number < len(lines):
        line = lines[number]
        opening = FENCE.fullmatch(line)
        number += 1
        if opening is None:
            for expression in VALUE.findall(line):
                yield Value(number, expression.strip())
            continue
        indent, fence = opening["indent"], opening["fence"]
        end = number
        while end < len(lines) and lines[end].strip("> ") != fence:
            end += 1
        body = "\n".join(lines[number:end])
        yield Fence(indent, opening["info"].strip(), number, end + 1, body)
        number = end + 1


def fill_values(page: Page, values: list[str], lines: list[str]) -> None:
    """Write the page's values into its lines, in place."""
    remaining = iter(values)
    for number in dict.fromkeys(value.line for value in page.values):
        line = lines[number - 1]
        lines[number - 1] = VALUE.sub(lambda _: next(remaining), line)


def front_matter_end(lines: list[str]) -> int:
    """Return how many of a page's lines are its front matter."""
    if not lines or lines[0].rstrip() != "---":
        return 0
    for number, line in enumerate(lines[1:], start=2):
        if line.rstrip() in ("---", "..."):
            return number
    return 0


def _is_python(fence: Fence) -> bool:
    return re.match(r"\{?\s*\.?(python|py)\b", fence.info) is not None


def _block(fence: Fence, path: Path, find_section: SectionFinder) -> Block:
    def fault(problem: str, mend: str) -> Fault:
        return Fault(problem, mend=mend, path=path, line=fence.line)

    options = _options(fence, fault)
    if "run" not in options:
        raise fault(
            "this block shows Python that is never run",
            'name its section with run="snippets/NAME.py:SECTION", '
            "or fence it as text",
        )
    if fence.body.strip():
        raise fault(
            "a block with run= has code of its own",
            f"move the code into {options['run']} and leave the fence empty",
        )
    limit = options.get("limit", str(SECONDS_ALLOWED))
    if not re.fullmatch(r"\d+(\.\d+)?", limit):
        raise fault(
            f'limit="{limit}" is not a number of seconds',
            'write it like limit="300"',
        )
    return Block(
        line=fence.line,
        end=fence.end,
        indent=fence.indent,
        section=find_section(options["run"], path, fence.line),
        alt=options.get("alt"),
        raises=options.get("raises"),
        fold=options.get("fold"),
        seconds_allowed=float(limit),
    )


def _options(
    fence: Fence, fault: Callable[[str, str], Fault]
) -> dict[str, str]:
    language, _, rest = fence.info.partition(" ")
    options: dict[str, str] = {}
    position = 0
    while match := OPTION.match(rest, position):
        options[match["key"]] = match[3]
        position = match.end()
    left = rest[position:].strip()
    if left or language != "python":
        raise fault(
            f"cannot read the fence options from `{left or fence.info}`",
            'write them as python run="…" alt="…", each in quotes',
        )
    known = OWN_OPTIONS | HIGHLIGHTER_OPTIONS
    for key in options:
        if key not in known:
            raise fault(
                f'unknown fence option "{key}"',
                f"use one of: {', '.join(sorted(known))}",
            )
    return options
