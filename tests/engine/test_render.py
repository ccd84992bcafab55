"""Records become HTML and programs."""

from pathlib import Path

from engine.blocks import Block
from engine.records import BlockRecord, Record
from engine.render import (
    block_data,
    block_name,
    files_in_pieces,
    program,
    result_html,
    versions_html,
)
from engine.sections import Section


def block(
    code: str = "pass", alt: str | None = None, raises: str | None = None
) -> Block:
    section = Section(Path("snippets/a.py"), "a", 1, code)
    return Block(1, 2, "", section, alt=alt, raises=raises)


def test_output_is_escaped() -> None:
    html = result_html(block(), BlockRecord("<b> & c\n", "", ""), 1)
    assert "<samp>&lt;b&gt; &amp; c</samp>" in html


def test_an_error_stands_below_what_was_printed() -> None:
    record = BlockRecord("printed\n", "ValueError: no", "")
    html = result_html(block(), record, 1)
    assert "<samp>printed\nValueError: no</samp>" in html


def test_a_block_that_does_nothing_visible_shows_nothing() -> None:
    assert result_html(block(), BlockRecord("", "", ""), 1) == ""


def test_a_figure_says_what_it_shows_and_names_are_its_own() -> None:
    svg = '<svg x="1"><g id="m"/><use href="#m"/><g clip="url(#m)"/></svg>'
    html = result_html(block(alt='Less "<" so'), BlockRecord("", "", svg), 7)
    assert 'role="img" aria-label="Less &quot;&lt;&quot; so"' in html
    assert 'id="b7-m"' in html
    assert 'href="#b7-m"' in html
    assert "url(#b7-m)" in html


def test_the_versions_are_named() -> None:
    record = Record("", {"Python": "3.11", "Keras": "3"}, 0.0, [], [])
    assert "Python 3.11 · Keras 3" in versions_html(record)


def test_a_program_is_spaced_as_pep_8_asks() -> None:
    codes = ["import a", "def f():\n    return 1", "x = f()", "y = x"]
    assert program([block(code) for code in codes]) == (
        "import a\n\n\ndef f():\n    return 1\n\n\nx = f()\n\ny = x\n"
    )


def test_a_program_leaves_out_what_is_meant_to_fail() -> None:
    text = program([block("x = 1"), block("x = None + 1", raises="TypeError")])
    assert text == "x = 1\n\n# Left out: a block that raises TypeError.\n"


def saved(code: str, contents: str) -> Block:
    section = Section(Path("snippets/a.py"), "a", 1, code)
    return Block(1, 2, "", section, file="a.py", contents=contents)


def command(code: str, exits: int = 0) -> Block:
    section = Section(Path("docs/a.md"), "", 1, code)
    return Block(1, 2, "", section, language="console", exits=exits)


def test_a_program_says_where_a_file_and_a_command_belong() -> None:
    blocks = [
        block("x = 1"),
        saved("y = 2", "y = 2\n"),
        saved("z = 3", "y = 2\n\nz = 3\n"),
        command("python a.py\nls"),
        block("x = 2"),
    ]
    assert program(blocks) == (
        "x = 1\n\n# Needs the file a.py beside it.\n\n"
        "# Left out: a command.\n#     python a.py\n#     ls\n\nx = 2\n"
    )
    assert files_in_pieces(blocks) == {"a.py": "y = 2\n\nz = 3\n"}
    assert files_in_pieces(blocks[:2]) == {}


def test_a_block_says_what_it_is() -> None:
    assert block_name(block(), 1) == "Block 1"
    assert block_name(saved("x", "x"), 2) == "Block 2 · file <code>a.py</code>"
    name = block_name(command("ls", exits=2), 3)
    assert name == "Block 3 · command · ends with exit code 2"
    assert block_data(block()) == ""
    assert block_data(block(raises="KeyError")) == ' data-raises="KeyError"'
    assert block_data(saved("x", "x")) == ' data-file="a.py"'
    assert block_data(command("ls")) == ' data-exits="0"'
