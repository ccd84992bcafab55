"""Turn a block and what it did into HTML."""

import html
from collections import Counter
from collections.abc import Sequence

from engine.keep.records import BlockRecord
from engine.program import (
    Block,
    CommandBlock,
    FileBlock,
    PythonBlock,
    script,
)
from engine.read.page import Highlight


def opening(block: Block, code: str, number: int) -> str:
    """Return what stands above a block's result: its bar and its code.

    ``number`` counts the page's blocks from 1.  The colon keeps the name
    apart from those of headings, in which there is none.
    """
    label, data = f"Block {number}", ""
    match block:
        case PythonBlock(raises=str(error)):
            copied = html.escape(script([block]))
            data = f' data-raises="{html.escape(error)}"'
            data += f' data-copied="{copied}"'
        case FileBlock(file=file):
            label += f" · file <code>{file}</code>"
            data = f' data-file="{file}"'
        case CommandBlock(exits=exits):
            label += " · command"
            label += f" · ends with exit code {exits}" if exits else ""
            data = f' data-exits="{exits}"'
    attributes = f'class="run" id="block:{number}" data-block="{number}"{data}'
    # The bar has its height before a script adds the copy buttons to it.
    bar = f'<div class="run-bar"><span>{label}</span></div>'
    if block.fold:
        return f"<details {attributes}>{summary(block)}{bar}{code}"
    return f"<div {attributes}>{bar}{code}"


def summary(block: Block) -> str:
    """Return the title under which a block is folded, if it is."""
    return (
        f"<summary>{html.escape(block.fold)}</summary>" if block.fold else ""
    )


def closing(block: Block, record: BlockRecord, number: int) -> str:
    """Return what a block printed, raised and drew, and its end."""
    parts = []
    if text := output_text(record):
        parts.append(output_html(text, f'data-block="{number}"'))
    if record.figure:
        alt = block.alt if isinstance(block, PythonBlock) else None
        parts.append(figure_html(record.figure, alt or "", number))
    return "".join(parts) + ("</details>" if block.fold else "</div>")


def output_text(record: BlockRecord) -> str:
    """Return what a block printed and, below it, the error it raised."""
    printed = record.output.rstrip("\n")
    return "\n".join(part for part in (printed, record.error) if part)


def output_html(text: str, attributes: str) -> str:
    """Return what a block printed and raised as an element."""
    samp = f"<samp>{html.escape(text, quote=False)}</samp>"
    return f'<pre class="run-output" {attributes}>{samp}</pre>'


def figure_html(svg: str, alt: str, number: float) -> str:
    """Return what a block drew as an element."""
    svg = figure_svg(svg, alt, number)
    return f'<figure class="run-figure">{svg}</figure>'


def figure_svg(svg: str, alt: str, number: float) -> str:
    """Return the drawing with its text and names no other drawing has."""
    for attribute in ('id="', 'href="#', "url(#"):
        svg = svg.replace(attribute, f"{attribute}b{number}:")
    label = html.escape(alt)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def whole_program(blocks: Sequence[Block], highlight: Highlight) -> str:
    """Return the blocks as one program, folded.

    Files that several of the blocks make up follow it, each as a whole.
    """

    def folded(title: str, code: str, file: str) -> str:
        return (
            f'<details class="run run-program"{file}>'
            f"<summary>{title}</summary>"
            f'<div class="run-bar"></div>{highlight(code)}</details>'
        )

    files = [
        folded(f"The whole of {name}", contents, f' data-file="{name}"')
        for name, contents in files_in_pieces(blocks).items()
    ]
    return "".join([folded("The whole program", script(blocks), ""), *files])


def files_in_pieces(blocks: Sequence[Block]) -> dict[str, str]:
    """Return the files that take several blocks: names and whole texts."""
    files = [block for block in blocks if isinstance(block, FileBlock)]
    names = Counter(block.file for block in files)
    return {b.file: b.contents for b in files if names[b.file] > 1}
