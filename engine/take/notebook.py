"""The page as an executed notebook."""

import re

import nbformat
from nbformat import NotebookNode, v4

from engine.keep.records import BlockRecord
from engine.program import Block, CommandBlock, FileBlock, PythonBlock
from engine.show.blocks import figure_svg
from engine.take.markdown import escaped
from engine.take.page import Taken
from engine.take.walk import Prose, Shown

IN_A_SCRIPT = re.compile(
    r"\b(__file__|asyncio\.(?:run|Runner)|run_until_complete"
    r"|(?<=[\"'])(?:spawn|forkserver))\b"
)
"""What a notebook has not: a file, no running loop, functions to import."""
PYTHON = {"name": "python3", "language": "python", "display_name": "Python 3"}


def notebook(page: Taken) -> str:
    """Return the page as an executed notebook, version 4.5 of the format."""
    cells: list[NotebookNode] = []

    def say(markdown: str) -> None:
        name = f"text-{len(cells)}"
        cells.append(v4.new_markdown_cell(markdown, id=name))

    if page.lacks_heading:
        say(f"# {escaped(page.title, for_cell=True)}")
    for piece in page.pieces:
        match piece:
            case Prose():
                say(piece.cell)
            case Shown(number):
                if used := _used_in_a_script(page.blocks[number - 1]):
                    say(
                        f"The next cells use `{used}`, which works in "
                        "this page's script, and not in a notebook."
                    )
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
    book = v4.new_notebook(cells=cells, metadata=metadata)
    nbformat.validate(book)
    return str(v4.writes(book)) + "\n"


def cell_source(block: Block) -> str:
    """Return the block as a notebook's cell, with a magic if it needs one."""
    if isinstance(block, CommandBlock):
        return f"%%script sh -e\n{block.code}"
    if not isinstance(block, FileBlock):
        return block.code
    above = block.contents.removesuffix(f"{block.code}\n")
    if not above:
        return f"%%writefile {block.file}\n{block.code}"
    gap = above[len(above.rstrip("\n")) + 1 :]
    return f"%%writefile -a {block.file}\n{gap}{block.code}"


def _code_cell(page: Taken, number: int) -> NotebookNode:
    block, result = page.blocks[number - 1], page.results[number - 1]
    return v4.new_code_cell(
        cell_source(block),
        id=f"block-{number}",
        execution_count=number,
        metadata={"tags": ["raises-exception"]} if _fails(block) else {},
        outputs=_outputs(block, result, number),
    )


def _used_in_a_script(block: Block) -> str:
    """Return what the block uses and no notebook has, if anything."""
    used = IN_A_SCRIPT.search(block.code)
    return used[1] if used and isinstance(block, PythonBlock) else ""


def _fails(block: Block) -> bool:
    match block:
        case PythonBlock(raises=error):
            return error is not None
        case CommandBlock(exits=code):
            return code != 0
    return False


def _outputs(
    block: Block, result: BlockRecord, number: int
) -> list[NotebookNode]:
    outputs = []
    if result.output:
        outputs.append(v4.new_output("stream", text=result.output))
    if result.figure:
        alt = (isinstance(block, PythonBlock) and block.alt) or ""
        svg = figure_svg(result.figure, alt, number)
        drawing = v4.new_output(
            "display_data",
            {"image/svg+xml": svg, "text/plain": alt},
            metadata={"image/svg+xml": {"alt": alt}},
        )
        outputs.append(drawing)
    if result.error:
        name, _, value = result.error.partition(": ")
        error = v4.new_output("error", ename=name, evalue=value)
        error.traceback = [result.error]
        outputs.append(error)
    return outputs
