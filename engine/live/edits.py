"""A page's blocks as a reader has edited them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from engine.program import Block, CommandBlock, PythonBlock, Section
from engine.read.page import with_contents


def unplaced(block: Block) -> Block:
    """Return the block without its line on the page, which prose moves."""
    block = replace(block, line=0)
    if isinstance(block, CommandBlock):
        section = replace(block.section, line=0)
        block = replace(block, section=section)
    return block


def edited(blocks: Sequence[Block], edits: Mapping[int, str]) -> list[Block]:
    """Return the blocks with the codes that stand for some, from 1."""
    made: list[Block] = []
    for number, block in enumerate(blocks, 1):
        code = edits.get(number, block.code).rstrip("\n")
        if code != block.code:
            block = replace(block, section=Section(Path(), "", 1, code))
        made.append(with_contents(block, made))
    return made


def is_edited(block: Block) -> bool:
    """Return whether the code is a reader's, and in no file of the site."""
    return not (block.section.path.name or block.section.name)


def placed(block: Block, number: int, folder: Path) -> Block:
    """Return the block with a file for a reader's Python.

    Tracebacks and AutoGraph look there for the code.
    """
    if not isinstance(block, PythonBlock) or not is_edited(block):
        return block
    path = folder / f"sources/block_{number}.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{block.code}\n", encoding="utf-8")
    return replace(block, section=replace(block.section, path=path))
