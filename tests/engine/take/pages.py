"""Small pages for the tests of this room."""

from pathlib import Path

from engine.keep.records import BlockRecord
from engine.program import Block, PythonBlock, Section
from engine.take.page import Taken
from engine.take.walk import Prose, walk

NOTHING = BlockRecord(output="", error="", figure="")
MARK = '<div data-block="{}"></div>'
TAB = '<div class="tabbed-block">{}</div>'
TABS = (
    '<div class="tabbed-set tabbed-alternate"><input type="radio">'
    '<div class="tabbed-labels"><label>One <b>tab</b></label>'
    '<label>Two</label></div><div class="tabbed-content">'
    f"{TAB.format(MARK.format(1))}{TAB.format('<p>Other.</p>')}</div></div>"
)


def section(code: str) -> Section:
    return Section(Path("snippets/a.py"), "a", 1, code)


def taken(
    html: str,
    *shown: tuple[Block, BlockRecord],
    title: str = "Title",
) -> Taken:
    blocks = tuple(block for block, _ in shown)
    results = tuple(record for _, record in shown)
    versions = {"Python": "3.11.2", "NumPy": "2.4"}
    return Taken(title, versions, walk(html), blocks, results)


def python(
    code: str, alt: str | None = None, raises: str | None = None
) -> PythonBlock:
    return PythonBlock(line=1, section=section(code), alt=alt, raises=raises)


def pieces(html: str) -> list[str]:
    """Return the prose as Markdown, and other pieces as they look."""
    return [
        piece.markdown if isinstance(piece, Prose) else repr(piece)
        for piece in walk(html)
    ]
