"""Turn records into HTML and into programs that a reader can run."""

import html
from collections.abc import Sequence

from engine.pages import Block
from engine.records import BlockRecord, Record


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
    """Return the blocks as one program, spaced as PEP 8 asks.

    A block that is meant to fail would end the program, so a comment
    stands in its place.
    """
    text = ""
    previous = ""
    for block in blocks:
        code = block.section.code
        if block.raises:
            code = f"# Left out: a block that raises {block.raises}."
        text += _gap(previous, code) + code
        previous = code
    return text + "\n"


def _gap(above: str, below: str) -> str:
    if not above:
        return ""
    defines = ("def ", "class ", "@")
    indented = above.splitlines()[-1].startswith(" ")
    wide = below.startswith(defines) or (
        indented and any(f"\n{d}" in f"\n{above}" for d in defines)
    )
    return "\n\n\n" if wide else "\n\n"
