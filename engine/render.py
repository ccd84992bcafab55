"""Turn records into HTML and into programs that a reader can run."""

import html
from collections import Counter
from collections.abc import Sequence

from engine.blocks import Block
from engine.records import BlockRecord, Record
from engine.sections import joined


def block_name(block: Block, number: int) -> str:
    """Return what stands over a block: its number and what it is."""
    parts = [f"Block {number}"]
    if block.file:
        parts.append(f"file <code>{block.file}</code>")
    if block.is_command:
        parts.append("command")
    if block.exits:
        parts.append(f"ends with exit code {block.exits}")
    return " · ".join(parts)


def block_data(block: Block) -> str:
    """Return the attributes by which a script knows what a block is."""
    data = {
        "raises": block.raises,
        "file": block.file,
        "exits": str(block.exits) if block.is_command else None,
    }
    return "".join(
        f' data-{name}="{value}"' for name, value in data.items() if value
    )


def result_html(block: Block, record: BlockRecord, number: int) -> str:
    """Return what a block printed, raised and drew, as HTML.

    ``number`` counts the page's blocks from 1; it keeps the names inside
    the page's drawings apart.
    """
    text = output_text(record)
    parts = []
    if text:
        parts.append(
            f'<pre class="run-output" data-block="{number}"><samp>'
            f"{html.escape(text, quote=False)}</samp></pre>"
        )
    if record.figure:
        parts.append(
            '<figure class="run-figure">'
            f"{figure_svg(record.figure, block.alt or '', number)}</figure>"
        )
    return "".join(parts)


def output_text(record: BlockRecord) -> str:
    """Return what a block printed and, below it, the error it raised."""
    printed = record.output.rstrip("\n")
    return "\n".join(part for part in (printed, record.error) if part)


def figure_svg(svg: str, alt: str, number: int) -> str:
    """Return the drawing with its text and names no other drawing has."""
    for attribute in ('id="', 'href="#', "url(#"):
        svg = svg.replace(attribute, f"{attribute}b{number}-")
    label = html.escape(alt)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def versions_html(record: Record) -> str:
    """Return the line that says what the page ran with."""
    names = " · ".join(f"{k} {v}" for k, v in record.versions.items())
    return f'<p class="run-versions">This page ran with {names}.</p>'


def program(blocks: Sequence[Block]) -> str:
    """Return the blocks that are run as one program, spaced as PEP 8 asks.

    A comment stands where the reader does something else: saves a file,
    runs a command, or sees a block fail, which would end the program.
    """
    codes: list[str] = []
    saved: set[str] = set()
    for block in blocks:
        if block.file:
            if block.file not in saved:
                codes.append(f"# Needs the file {block.file} beside it.")
            saved.add(block.file)
        elif block.is_command:
            command = block.section.code.replace("\n", "\n#     ")
            codes.append(f"# Left out: a command.\n#     {command}")
        elif block.raises:
            codes.append(f"# Left out: a block that raises {block.raises}.")
        else:
            codes.append(block.section.code)
    return joined(codes)


def files_in_pieces(blocks: Sequence[Block]) -> dict[str, str]:
    """Return the files that take several blocks: names and whole texts."""
    names = Counter(block.file for block in blocks if block.file)
    return {b.file: b.contents for b in blocks if b.file and names[b.file] > 1}
