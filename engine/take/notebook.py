"""The page as an executed notebook."""

import ast
import re
from collections.abc import Iterator
from typing import Any

import nbformat

from engine.keep.records import BlockRecord
from engine.program import Block, CommandBlock, FileBlock, PythonBlock
from engine.show.blocks import figure_svg
from engine.take.markdown import escaped
from engine.take.page import Taken
from engine.take.walk import Prose, Shown

IN_A_SCRIPT = re.compile(
    r"\b(__file__|asyncio\.(?:run|Runner)|run_until_complete"
    r"|sys\.argv|parse_(?:known_)?args\(\)|unittest\.main"
    r"|sys\.std(?:out|err)\.(?:buffer|reconfigure)"
    r"|sys\.stdin(?= =)|builtins\.input"
    r"|(?<!\.)(?:exit|quit)(?=\()"
    r"|(?<=[\"'])(?:spawn|forkserver))(?!\w)"
)
"""What a notebook has not: a file, no running loop, functions to import,
arguments or lines of the reader's, an output for bytes, an end.
"""
START = "{_dh[0]}"
"""The folder in which a notebook begins; IPython puts it into a magic."""
PROMPT = re.compile(r"(?m)^\s*(>>>)")
"""What notebooks take out of a text that is no docstring."""
Node = dict[str, Any]
"""A part of a notebook. No text of an author's can make it invalid, so it is
the tests that validate, and not each build: nbformat compiles its schema."""
PYTHON = {"name": "python3", "language": "python", "display_name": "Python 3"}


def notebook(page: Taken) -> str:
    """Return the page as an executed notebook, version 4.5 of the format."""
    cells: list[Node] = []

    def say(markdown: str) -> None:
        name = f"text-{len(cells)}"
        cells.append(_cell("markdown", name, markdown))

    if page.lacks_heading:
        say(f"# {escaped(page.title, for_cell=True)}")
    for piece in page.pieces:
        match piece:
            case Prose():
                say(piece.cell)
            case Shown(number):
                for words in _run_anew(page, number):
                    say(words)
                cells.append(_code_cell(page, number))
            case _:
                say("In this notebook, run all cells above.")
    say(page.ran_with)
    language = {"name": "python"}
    if "Python" in page.versions:
        language["version"] = page.versions["Python"]
    metadata = {
        "kernelspec": PYTHON,
        "language_info": language,
        "title": page.title,
    }
    book = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": metadata,
        "cells": cells,
    }
    return str(nbformat.v4.writes(nbformat.from_dict(book))) + "\n"


def cell_source(block: Block, *, is_away: bool = False) -> str:
    """Return the block as a notebook's cell, with a magic if it needs one.

    If the program is away, that is to work in the folder of the start.
    """
    if isinstance(block, CommandBlock):
        begun = f'env -C "{START}" ' if is_away else ""
        return f"%%script {begun}sh -e\n{block.code}"
    if not isinstance(block, FileBlock):
        return block.code
    file = f'"{START}/{block.file}"' if is_away else block.file
    above = block.contents.removesuffix(f"{block.code}\n")
    if not above:
        return f"%%writefile {file}\n{block.code}"
    gap = above[len(above.rstrip("\n")) + 1 :]
    return f"%%writefile -a {file}\n{gap}{block.code}"


def _cell(kind: str, name: str, source: str) -> Node:
    return {"cell_type": kind, "id": name, "metadata": {}, "source": source}


def _code_cell(page: Taken, number: int) -> Node:
    block, result = page.blocks[number - 1], page.results[number - 1]
    is_away = number > 1 and page.results[number - 2].away
    source = cell_source(block, is_away=is_away)
    cell = _cell("code", f"block-{number}", source)
    if _fails(block):
        cell["metadata"] = {"tags": ["raises-exception"]}
    outputs = _outputs(block, result, number)
    return {**cell, "execution_count": number, "outputs": outputs}


def _run_anew(page: Taken, number: int) -> Iterator[str]:
    """Say what a cell does otherwise when it is run in a notebook."""
    if used := _used_in_a_script(page.blocks[number - 1]):
        yield (
            f"The next cells use `{used}`, which works in this page's "
            "script, and not in a notebook."
        )
    if page.results[number - 1].value:
        yield "Run anew, the next cell also shows the value of its last line."
    if page.results[number - 1].late:
        yield (
            "Some of what the next cell shows was printed when this page's "
            "script ended, which a notebook does not show."
        )


def _used_in_a_script(block: Block) -> str:
    """Return what the block uses and no notebook has, if anything."""
    if not isinstance(block, PythonBlock):
        return ""
    tree = ast.parse(block.code)
    # Without comments, and with blanks where they are due.
    used = IN_A_SCRIPT.search(ast.unparse(tree))
    used = used or PROMPT.search("\n".join(_texts(tree)))
    return used[1] if used else ""


def _texts(tree: ast.Module) -> Iterator[str]:
    """Yield the texts in the code that are no statements of their own."""
    nodes = [*ast.walk(tree)]
    alone = [node.value for node in nodes if isinstance(node, ast.Expr)]
    for node in nodes:
        if isinstance(node, ast.Constant) and node not in alone:
            yield str(node.value)


def _fails(block: Block) -> bool:
    match block:
        case PythonBlock(raises=error):
            return error is not None
        case CommandBlock(exits=code):
            return code != 0
    return False


def _outputs(block: Block, result: BlockRecord, number: int) -> list[Node]:
    outputs: list[Node] = []
    if result.output:
        outputs.append(
            {"output_type": "stream", "name": "stdout", "text": result.output}
        )
    if result.figure:
        alt = (isinstance(block, PythonBlock) and block.alt) or ""
        svg = figure_svg(result.figure, alt, number)
        outputs.append(
            {
                "output_type": "display_data",
                "data": {"image/svg+xml": svg, "text/plain": alt},
                "metadata": {"image/svg+xml": {"alt": alt}},
            }
        )
    if result.error:
        name, _, value = result.error.partition(": ")
        outputs.append(
            {
                "output_type": "error",
                "ename": name,
                "evalue": value,
                "traceback": [result.error],
            }
        )
    return outputs
