"""What a page says: its paragraphs and sentences, and quotes of them.

A page says what stands in its Markdown outside of fences, in the texts of
its figures and in the docstrings of the code that it shows.
"""

import ast
import re
from bisect import bisect
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from markdown.extensions.toc import slugify

from tests import story

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
FEWEST_WORDS = 4
"""Shorter headings state nothing; shorter quotes might match by accident."""

FENCE = re.compile(r" *(```+)(.*)")
OPTION = re.compile(r"""\b(\w+)=(["'])(.*?)\2""")
SKIPPED = re.compile(r" *(</?div\b.*>|\|[ |:-]+\|)$")
MARKER = re.compile(r" *(?:[-*+]|\d+\.) +")
ALONE = re.compile(r' *(?:#+ (.+)|[!?]{3}\+? \w+ "(.+)"|\|(.+)\|)$')
MASKED = re.compile(r"(`+).*?\1|\{\{.*?\}\}|\[[^\]]*\]\(.*?\)|\*\*\d+\.")
END = re.compile(r"(?<!\be\.g)(?<!\bi\.e)(?<!\bvs)[.!?][\"'*_)]*\s+(?![a-z])")

Span = tuple[int, int]


class Paragraph(NamedTuple):
    """Words that stand together, with single spaces between them."""

    text: str
    path: Path
    """The file, relative to the repository."""
    line: int
    starts: tuple[int, ...] = (0,)
    """Where in the text each line of the file begins."""
    whole: bool = False
    """Whether it is one sentence, as a row of a table is."""

    def sentences(self) -> Iterator[Span]:
        """Yield where in the text each sentence begins and ends."""
        start = 0
        masked = MASKED.sub(lambda m: "X" * len(m[0]), self.text)
        for end in () if self.whole else END.finditer(masked):
            yield start, len(self.text[: end.end()].rstrip())
            start = end.end()
        yield start, len(self.text)

    def place(self, start: int) -> str:
        """Return the file and the line of what begins there."""
        return f"{self.path}:{self.line + bisect(self.starts, start) - 1}"


class Block(NamedTuple):
    """A section that a page shows."""

    line: int
    name: str
    code: str
    options: dict[str, str]


class Page(NamedTuple):
    """What a page says, and the sections that it shows."""

    name: str
    paragraphs: list[Paragraph]
    blocks: list[Block]

    def beside(self, paragraph: Paragraph) -> set[str]:
        """Return the sections right above and below, or around, it."""
        names = [block.name for block in self.blocks]
        if paragraph.path.parts[0] != DOCS.name:
            return set(names)
        at = bisect([block.line for block in self.blocks], paragraph.line)
        return set(names[max(at - 1, 0) : at + 1])


def names() -> list[str]:
    """Return the names of all pages."""
    return sorted({path.stem for path in DOCS.glob("*.md")} - {"README"})


@cache
def read(name: str) -> Page:
    """Return what the page of that name says."""
    path = DOCS / f"{name}.md"
    return parse(name, path.read_text("utf-8"), path.relative_to(ROOT))


def sections(name: str) -> dict[str, str]:
    """Return the source below each heading of a page, by its anchor."""
    source = (DOCS / f"{name}.md").read_text("utf-8")
    parts = re.split(r"(?m)^#+ ", source)[1:]
    below = (part.partition("\n") for part in parts)
    return {slugify(title, "-"): text for title, _, text in below}


def below(name: str, heading: str) -> str:
    """Return the source below the one heading of a page that begins so."""
    start = slugify(heading, "-")
    found = sections(name).items()
    [text] = [text for anchor, text in found if anchor.startswith(start)]
    return text


def parse(name: str, text: str, path: Path) -> Page:
    """Return what a page with that text, at that path, says."""
    page = Page(name, [], [])
    fence, head = "", False
    lines: list[tuple[int, str]] = []
    for number, line in enumerate([*text.split("\n"), ""], 1):
        opened = FENCE.fullmatch(line)
        if fence:
            fence = "" if line.strip() == fence else fence
        elif line == "---" and (head or number == 1):
            head = not head
        elif head:
            key, _, value = line.partition(": ")
            if key == "description":
                page.paragraphs.append(Paragraph(value, path, number))
        elif opened or not line.strip() or SKIPPED.match(line):
            page.paragraphs.extend(_joined(path, lines))
            if opened:
                fence = opened[1]
                page.paragraphs.extend(_block(page, path, number, opened[2]))
        elif alone := ALONE.match(line):
            page.paragraphs.extend(_joined(path, lines))
            said, row = alone[1] or alone[2] or "", (alone[3] or "").strip()
            if row or len(said.split()) >= FEWEST_WORDS:
                page.paragraphs.append(
                    Paragraph(row or said, path, number, whole=True)
                )
        else:
            if marker := MARKER.match(line):
                page.paragraphs.extend(_joined(path, lines))
                line = line[marker.end() :]
            lines.append((number, line.strip()))
    return page


def _joined(path: Path, lines: list[tuple[int, str]]) -> Iterator[Paragraph]:
    """Yield the lines as a paragraph, if there are any, and forget them."""
    text, starts = "", []
    for _, line in lines:
        starts.append(len(text))
        text += f"{' '.join(line.split())} "
    if lines:
        yield Paragraph(text.strip(), path, lines[0][0], tuple(starts))
    lines.clear()


def _block(
    page: Page, path: Path, number: int, info: str
) -> Iterator[Paragraph]:
    """Note the block of a fence; yield what it says beside its code."""
    options = {key: value for key, _, value in OPTION.findall(info)}
    if "alt" in options:
        yield Paragraph(options["alt"], path, number)
    if "run" not in options:
        return
    file, _, name = options["run"].partition(":")
    section = story.sections(Path(file))[name]
    page.blocks.append(Block(number, name, section.code, options))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)
    for node in ast.walk(ast.parse(section.code)):
        if not isinstance(node, kinds) or not ast.get_docstring(node):
            continue
        at = section.line + node.body[0].lineno - 1
        text = ast.get_docstring(node, clean=False) or ""
        lines: list[tuple[int, str]] = []
        for number, line in enumerate([*text.split("\n"), ""], at):
            if line.strip():
                lines.append((number, line.strip()))
            else:
                yield from _joined(Path(file), lines)


@cache
def _parts(quote: str) -> list[str]:
    return " ".join(quote.split()).split(" … ")


def find(quote: str, paragraph: Paragraph) -> list[Span]:
    """Return where in the paragraph the parts of the quote stand.

    White space is no difference, and `` … `` stands for a gap.
    """
    parts = _parts(quote)
    if not all(part in paragraph.text for part in parts):
        return []
    pattern = ".+?".join(rf"(?<!\w)({re.escape(p)})(?!\w)" for p in parts)
    return [
        match.span(group)
        for match in re.finditer(pattern, paragraph.text)
        for group in range(1, len(parts) + 1)
    ]


def is_held(sentence: Span, text: str, quoted: list[Span]) -> bool:
    """Return whether at least half of the sentence's words are quoted."""
    words = [m.start() for m in re.compile(r"\S+").finditer(text, *sentence)]
    held = [w for w in words if any(a <= w < b for a, b in quoted)]
    return 2 * len(held) >= len(words)
