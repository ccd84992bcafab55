"""A page as it was rendered: its HTML, and what its marks stand for."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.errors import PageError
from engine.program import (
    Block,
    CommandBlock,
    FileBlock,
    Program,
    Step,
    Value,
    joined,
)
from engine.read.fences import hidden_by

CHANGES_SHELL = re.compile(
    r"(?m)^\s*((?:cd|export|source|\.|alias|unset)\s+[^\s;&|]+|\w+=\S*$)"
)
"""What a reader's terminal would keep for the commands that follow."""
ASKS = re.compile(r"(?<![\w.])(input|breakpoint|(?:i?pdb\.)?set_trace)\(")
"""What waits for whoever runs it to type something."""
ANSWERED = re.compile(r"\bstdin\b|\bdef input\b|builtins\.input")
Highlight = Callable[[str], str]
"""Colours Python as the page's own code is coloured."""


@dataclass(frozen=True)
class ShownBlock:
    """A block, and its code as HTML."""

    block: Block
    code: str

    @property
    def line(self) -> int:
        """The line of the page on which it begins."""
        return self.block.line


@dataclass(frozen=True)
class WholeProgram:
    """The place where a page shows all blocks above as one program."""

    line: int
    highlight: Highlight


@dataclass(frozen=True)
class SiteFence:
    """A fence of the site's own, which may hold values."""

    line: int
    texts: tuple[str, ...]
    """What stands before, between and after the values."""
    values: tuple[Value, ...]
    render: Callable[[str], str]
    after: str = ""
    """The section after which its values are computed, if not where it is."""


Item = ShownBlock | Value | WholeProgram | SiteFence


@dataclass(frozen=True)
class Page:
    """A rendered page, its marks yet to be replaced."""

    path: Path
    """The file, relative to the project's root."""
    html: str
    items: dict[int, Item]
    """What the visible marks stand for, in the order of the page."""

    @property
    def program(self) -> Program:
        """The steps of the page."""
        steps: list[Step] = []
        for item in self.items.values():
            match item:
                case ShownBlock(block):
                    steps.append(block)
                case Value():
                    steps.append(item)
                case SiteFence(values=values):
                    steps += values
        return Program(self.path, tuple(steps))


def arrange(
    path: Path, html: str, items: dict[int, Item]
) -> tuple[Page, list[PageError]]:
    """Return the page whose visible marks stand for the items, in order.

    What cannot be right in that order comes with it as errors, which name
    lines of the page.
    """
    arranged, errors = _in_order(items)
    above: list[Block] = []
    for number, item in arranged.items():
        if isinstance(item, ShownBlock):
            block = with_contents(item.block, above)
            errors += _shown_before(block, above)
            above.append(block)
            errors += _unanswered(block, above)
            arranged[number] = replace(item, block=block)
        elif not above and getattr(item, "values", True):
            errors.append(_too_early(item))
    errors += _misnamed(path, above)
    errors += _left_behind(above)
    return Page(path, html, arranged), errors


def _in_order(
    items: Mapping[int, Item],
) -> tuple[dict[int, Item], list[PageError]]:
    """Put fences that wait for a section behind it; return errors, too."""
    ordered: dict[int, Item] = {}
    waiting: dict[int, SiteFence] = {}
    for number, item in items.items():
        if isinstance(item, SiteFence) and item.after:
            waiting[number] = item
            continue
        ordered[number] = item
        if isinstance(item, ShownBlock):
            name = item.block.section.name
            for fence in [n for n in waiting if waiting[n].after == name]:
                ordered[fence] = waiting.pop(fence)
    return ordered, [
        PageError(
            f'this fence is to come after "{fence.after}", and no block below '
            "it shows such a section",
            hint="name a section that a block below the fence shows",
            line=fence.line,
        )
        for fence in waiting.values()
    ]


def with_contents(block: Block, above: Sequence[Block]) -> Block:
    """Give a piece of a file what the pieces above it hold."""
    if not isinstance(block, FileBlock):
        return block
    pieces = [
        other.code
        for other in above
        if isinstance(other, FileBlock) and other.file == block.file
    ]
    return replace(block, contents=joined([*pieces, block.code]))


def _shown_before(block: Block, above: Sequence[Block]) -> Iterator[PageError]:
    """Yield an error if the program, or the same file, has the section."""
    for other in above:
        is_same = other.section == block.section
        is_same &= getattr(other, "file", "") == getattr(block, "file", "")
        if is_same and not isinstance(block, CommandBlock):
            yield PageError(
                f"{block.name} is shown twice, first on line {other.line}",
                hint="show it once, or make two sections of it",
                line=block.line,
            )


def _unanswered(block: Block, above: Sequence[Block]) -> Iterator[PageError]:
    """Yield an error for what only fails since nobody answers a build."""
    raises = getattr(block, "raises", None) or ""
    asks = ASKS.search(block.code)
    answered = any(ANSWERED.search(other.code) for other in above)
    if asks and raises.endswith(("BdbQuit", "EOFError")) and not answered:
        yield PageError(
            f"`{asks[1]}()` raises {raises} only where nobody answers it, "
            "and a reader can",
            hint="give it its answers in the block, as "
            'sys.stdin = io.StringIO("…"), or leave it out',
            line=block.line,
        )


def _misnamed(path: Path, blocks: Sequence[Block]) -> Iterator[PageError]:
    """Yield an error for a script that would stand in the way of others."""
    script = f"{path.stem}.py"
    if blocks and (module := hidden_by(script)):
        yield PageError(
            f"the page's script, {script}, hides the module {module} from "
            "what runs beside it",
            hint="give the page a name that no module has",
        )
    for block in blocks:
        if isinstance(block, FileBlock) and block.file == script:
            yield PageError(
                f'file="{script}" is the name of the page\'s script, too',
                hint="give the file another name",
                line=block.line,
            )


def _left_behind(blocks: Sequence[Block]) -> Iterator[PageError]:
    """Yield an error for what a command changes in a shell that then ends."""
    commands = [block for block in blocks if isinstance(block, CommandBlock)]
    for block in commands[:-1]:
        if changed := CHANGES_SHELL.search(block.code):
            yield PageError(
                f"`{changed[1]}` holds for this block alone, and the commands "
                "below it run without it",
                hint="write what needs it into the same block",
                line=block.line,
            )


def _too_early(item: Item) -> PageError:
    problem = "this fence needs a page that runs something"
    hint = "remove it, or add a block with run= above it"
    if isinstance(item, Value):
        problem = f"the value {{{{ {item.expression} }}}} stands before "
        problem += "the first block"
        hint = "move it below the block that computes it, or write "
        hint += "\\{{ for the braces themselves"
    return PageError(problem, hint=hint, line=item.line)
