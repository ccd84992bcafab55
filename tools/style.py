"""The style of this site's pages: what each rule finds on a page."""

import ast
import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from engine.build.rendered import RenderedPage
from engine.program import Block, FileBlock, PythonBlock
from engine.read.fences import FILE_LANGUAGES

HOME = "index.md"
MOST_LINES = 15
MOST_COLUMNS = 79
LONGEST_SIGNATURE = 3
SHORTEST_ALT = 40
DESCRIPTION = range(50, 161)
"""How many characters describe a page."""
SHORTEST_COURSE = 7

FENCED = re.compile(r"(?ms)^ *(`{3,}).*?^ *\1 *$")
HEADING = re.compile(r" *#{1,6} ")
HYPE = re.compile(
    r"(?i)\b(simply|obviously|of course|amazing|powerful|blazing)\b"
)
LISTED = re.compile(r"\d+\. \[(.+)\]\((\w+\.md)\) \w")
GIVES = re.compile(r"\b[Yy]ou (can|have|learn)\b")
NEEDS = "You need"
PICTURE = re.compile(r"(?i)(a )?(plot|figure|image)\b")


class Found(NamedTuple):
    """What a rule has found on a page."""

    line: int | None
    problem: str
    hint: str


class Source:
    """A page's file, and the prose in it."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        body = re.match(r"(?s)---\n.*?\n---\n", text)
        start = body.end() if body else 0
        prose = FENCED.sub(_blank, text[start:]).split("\n")
        self.prose = list(enumerate(prose, text[:start].count("\n") + 1))
        """The lines outside of fences, and their numbers."""

    def line(self, start: str) -> int:
        """Return the number of the first line that starts like that."""
        numbered = enumerate(self.lines, 1)
        return next((n for n, line in numbered if line.startswith(start)), 1)


def short_and_narrow(page: RenderedPage, source: Source) -> Iterator[Found]:
    """Find blocks of too many lines or columns."""
    for block in _code(page):
        lines = block.code.split("\n")
        if len(lines) > MOST_LINES:
            problem = f"{_place(block)} has {len(lines)} lines"
            hint = f"make sections of it, of at most {MOST_LINES} lines"
            yield Found(block.line, problem, hint)
        for number, line in enumerate(lines, block.section.line):
            if len(line) > MOST_COLUMNS:
                problem = (
                    f"{_place(block, number)} is {len(line)} columns wide"
                )
                hint = f"break the line at {MOST_COLUMNS}"
                yield Found(block.line, problem, hint)


def short_signatures(page: RenderedPage, source: Source) -> Iterator[Found]:
    """Find types that make a signature longer than what it is for."""
    for block in filter(_is_python, page.program.blocks):
        for node in ast.walk(ast.parse(block.code)):
            if not isinstance(node, ast.FunctionDef):
                continue
            head = node.body[0]  # the docstring
            body = block.code.split("\n")[head.end_lineno : node.end_lineno]
            lines = head.lineno - node.lineno
            typed = any(part.annotation for part in node.args.args)
            if typed and lines > max(1, min(LONGEST_SIGNATURE, len(body))):
                problem = f"{node.name} has a signature of {lines} lines"
                hint = "leave out the types: a reader can do without"
                yield Found(block.line, problem, hint)


def imports_first(page: RenderedPage, source: Source) -> Iterator[Found]:
    """Find imports below the first block, of the program or of a file."""
    programs: dict[str, list[Block]] = {"": []}
    for block in page.program.blocks:
        if isinstance(block, PythonBlock):
            programs[""].append(block)
        elif isinstance(block, FileBlock) and _is_python(block):
            programs.setdefault(block.file, []).append(block)
    for blocks in programs.values():
        for block in filter(_imports, blocks[1:]):
            problem = f"{_place(block)} imports, below the first block"
            hint = f"import in the first block, {_place(blocks[0])}"
            yield Found(block.line, problem, hint)
    if programs[""] and not _imports(programs[""][0]):
        first = programs[""][0]
        problem = f"{_place(first)} comes first and imports nothing"
        hint = "show first a section that imports what the page uses"
        yield Found(first.line, problem, hint)


def alone(page: RenderedPage, source: Source) -> Iterator[Found]:
    """Find blocks that need the project, which a reader does not have."""
    for block in _code(page):
        for name in ("snippets", "engine"):
            if name in block.code:
                problem = f'{_place(block)} has the word "{name}"'
                hint = "show what it needs: readers have no such package"
                yield Found(block.line, problem, hint)


def described_figures(page: RenderedPage, source: Source) -> Iterator[Found]:
    """Find texts of figures that do not say what is seen."""
    for block in page.program.blocks:
        alt = block.alt if isinstance(block, PythonBlock) else None
        if alt and (len(alt) < SHORTEST_ALT or PICTURE.match(alt)):
            yield Found(
                block.line,
                f'alt="{alt}" does not say what is seen',
                "tell a reader who cannot see the figure what it shows, in "
                f"{SHORTEST_ALT} characters or more, not that it is one",
            )


def described(page: RenderedPage, source: Source) -> Iterator[Found]:
    """Find a page that does not describe itself."""
    text = str(page.page.meta.get("description") or "")
    if len(text) not in DESCRIPTION:
        yield Found(
            source.line("description:"),
            f"the description has {len(text)} characters",
            f"write description: with {DESCRIPTION.start} to "
            f"{DESCRIPTION.stop - 1} of them at the top of the page",
        )


def headings_in_steps(page: RenderedPage, source: Source) -> Iterator[Found]:
    """Find headings that skip a level, or a title that is not one."""
    levels = [int(n) for n in re.findall(r"<h([1-6])\b", page.read.html)]
    found = [number for number, line in source.prose if HEADING.match(line)]
    lines = found if len(found) == len(levels) else [None] * len(levels)
    if levels[:1] != [1]:
        problem = "the page does not begin with its title"
        hint = "write the title as the first heading, with one #"
        yield Found(lines[0] if lines else None, problem, hint)
    for (above, below), line in zip(
        itertools.pairwise(levels), lines[1:], strict=False
    ):
        if below == 1:
            problem = "the page has a second title"
            yield Found(line, problem, "write this heading with ##")
        elif below > above + 1:
            problem = f"a heading of level {below} follows one of {above}"
            hint = f"write it with {'#' * (above + 1)}"
            yield Found(line, problem, hint)


def measured(page: RenderedPage, source: Source) -> Iterator[Found]:
    """Find lines that are too wide; addresses do not count."""
    for number, line in source.prose:
        width = len(re.sub(r"\]\([^)]*\)", "", line))
        if width > MOST_COLUMNS + 1:
            problem = f"this line is {width} columns wide"
            yield Found(number, problem, f"break it at {MOST_COLUMNS}")


def plain(page: RenderedPage, source: Source) -> Iterator[Found]:
    """Find hype."""
    for number, line in source.prose:
        for match in HYPE.finditer(line):
            problem = f'"{match[0]}" praises, or blames who does not see it'
            hint = "leave the word out, or say what makes it so"
            yield Found(number, problem, hint)


def opening(page: RenderedPage, source: Source) -> Iterator[Found]:
    """Find an opening without what the page gives or needs."""
    if page.src_uri == HOME:
        return
    text = "\n".join(line for _, line in source.prose).split("\n## ")[0]
    line = source.line("# ")
    if not GIVES.search(text):
        problem = "the opening does not say what the page gives"
        hint = 'say what "you can" do, "have" or "learn" at its end'
        yield Found(line, problem, hint)
    if NEEDS not in text:
        problem = "the opening does not say what the page needs"
        hint = f'write a sentence with "{NEEDS}" above the first ##'
        yield Found(line, problem, hint)


def course(page: RenderedPage, source: Source) -> Iterator[Found]:
    """Find where the home page leaves the order of the navigation."""
    if page.src_uri != HOME:
        return
    listed = [(n, m) for n, line in source.prose if (m := LISTED.match(line))]
    if len(listed) < SHORTEST_COURSE:
        yield Found(
            listed[0][0] if listed else None,
            f"{len(listed)} pages are listed as the course",
            "list its pages, as 1. [Title](page.md) and a sentence",
        )
    names = [(match[1], match[2]) for _, match in listed]
    order = [entry for entry in _navigation(page) if entry in names]
    for (line, match), name in zip(listed, names, strict=True):
        if order[:1] != [name]:
            yield Found(
                line,
                f'"{match[1]}" is not where the navigation has it, or not '
                "under that title",
                "list titles and pages as nav in mkdocs.yml has them",
            )
            return
        del order[0]


def _blank(match: re.Match[str]) -> str:
    """Return as many lines as the fence has, without its text."""
    return "\n" * match[0].count("\n")


def _code(page: RenderedPage) -> Iterator[Block]:
    """Yield the blocks, but for those that show a file of data."""
    for block in page.program.blocks:
        if block.language not in FILE_LANGUAGES:
            yield block


def _is_python(block: Block) -> bool:
    return block.language == "python"


def _place(block: Block, line: int | None = None) -> str:
    """Return where in its module the block's code, or a line of it, is."""
    section = block.section
    if not section.name:
        return block.name
    return f"{section.path.as_posix()}:{line or section.line}"


def _imports(block: Block) -> bool:
    nodes = ast.parse(block.code).body
    return any(isinstance(n, ast.Import | ast.ImportFrom) for n in nodes)


def _navigation(page: RenderedPage) -> list[tuple[str, str]]:
    """Return the titles and files of all pages, in their order."""
    place: Any = page.page
    while place.previous_page:
        place = place.previous_page
    found = []
    while place:
        found.append((str(place.title), str(place.file.src_uri)))
        place = place.next_page
    return found


Rule = Callable[[RenderedPage, Source], Iterator[Found]]
RULES: tuple[Rule, ...] = (
    *(short_and_narrow, short_signatures, imports_first, alone),
    *(described_figures, described, headings_in_steps, measured),
    *(plain, opening, course),
)
