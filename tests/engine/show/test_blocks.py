"""Blocks and what they did become HTML."""

from html import escape

import pytest

from engine.keep.records import BlockRecord, Record
from engine.program import Block, script
from engine.show.blocks import (
    closing,
    files_in_pieces,
    opening,
    whole_program,
)
from engine.show.page import stamp
from tests.engine.test_program import block, command, saved


def test_output_is_escaped() -> None:
    html = closing(block(), BlockRecord("<b> & c\n", "", ""), 1)
    assert "<samp>&lt;b&gt; &amp; c</samp>" in html


def test_an_error_stands_below_what_was_printed() -> None:
    record = BlockRecord("printed\n", "ValueError: no", "")
    html = closing(block(), record, 1)
    assert "<samp>printed\nValueError: no</samp>" in html


def test_a_block_that_does_nothing_visible_shows_nothing() -> None:
    assert closing(block(), BlockRecord("", "", ""), 1) == "</div>"


def test_a_figure_says_what_it_shows_and_names_are_its_own() -> None:
    svg = '<svg x="1"><g id="m"/><use href="#m"/><g clip="url(#m)"/></svg>'
    html = closing(block(alt='Less "<" so'), BlockRecord("", "", svg), 7)
    assert 'role="img" aria-label="Less &quot;&lt;&quot; so"' in html
    assert 'id="b7:m"' in html
    assert 'href="#b7:m"' in html
    assert "url(#b7:m)" in html


def test_the_versions_are_named() -> None:
    versions = {"Python": "3.11", "Keras": "3"}
    record = Record("", {}, {}, versions, 0.0, [], [])
    assert "Python 3.11 · Keras 3" in stamp(record)


def test_files_that_take_several_blocks_are_shown_whole() -> None:
    blocks = [
        saved("y = 2", "y = 2\n"),
        saved("z = 3", "y = 2\n\nz = 3\n"),
    ]
    assert files_in_pieces(blocks) == {"a.py": "y = 2\n\nz = 3\n"}
    assert files_in_pieces(blocks[:1]) == {}
    program, _, file = whole_program(blocks, str.upper).partition("</details>")
    assert "<summary>The whole program</summary>" in program
    assert "# NEEDS THE FILE A.PY BESIDE IT.\n" in program
    assert "<summary>The whole of a.py</summary>" in file
    assert "Y = 2\n\nZ = 3\n</details>" in file


@pytest.mark.parametrize(
    ("shown", "name", "data"),
    [
        (block(), "Block 3", ""),
        (
            block(raises="KeyError"),
            "Block 3",
            ' data-raises="KeyError" '
            f'data-copied="{escape(script([block(raises="KeyError")]))}"',
        ),
        (
            saved("x", "x"),
            "Block 3 · file <code>a.py</code>",
            ' data-file="a.py"',
        ),
        (command("ls"), "Block 3 · command", ' data-exits="0"'),
        (
            command("ls", exits=2),
            "Block 3 · command · ends with exit code 2",
            ' data-exits="2"',
        ),
    ],
)
def test_a_block_says_what_it_is(shown: Block, name: str, data: str) -> None:
    html = opening(shown, "<pre></pre>", 3)
    assert html == (
        f'<div class="run" id="block:3" data-block="3"{data}>'
        f'<div class="run-bar"><span>{name}</span></div><pre></pre>'
    )
