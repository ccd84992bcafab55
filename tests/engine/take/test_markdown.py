"""Markdown that is made of a page shows what the page shows."""

import html

import markdown
import pytest
from bs4 import BeautifulSoup
from nbconvert.filters.markdown_mistune import markdown2html_mistune

from engine.take.markdown import escaped, fenced
from engine.take.walk import Prose, walk

TEXTS = [
    *("a * b * c", "*a*", "__init__ and _x_", "`a` ``b``", "a | b |"),
    *("# no heading", "C# #", "- no item", "+ x", "1. no item", "2) x"),
    *("> no quote", "--- x", "---", "===", "= x", "~~~", "~~a~~ ~1"),
    *("<b>bold</b>", "a < b && c > d", "&lt; &amp; &#36;", "<!-- c -->"),
    *("[a](b)", "![a](b)", "wow!", "[^1] [x]: y", "\\* \\\\ \\", "C:\\new"),
    *("$5 and $6", "$$x$$", "\\(x\\) \\[y\\]", "\\begin{a}x\\end{a}"),
    *(
        "https://x.example/a_b_c*d",
        "http://x?a&lt;#b#",
        "<1@b>",
        ": x",
        "{: .c }",
        "snake_case_name",
    ),
    *("a\n- b\n1. c\n# d\n> e", "a\n===\nb\n---", "a\n: b", "```\nx\n```"),
    *("$a `$b` $c", "| a |\n| --- |\n| b |", "{{ x }}", "+1\n-1"),
]
HOLDERS = [
    "<p>{}</p>",
    "<h2>{}</h2>",
    "<ul><li>{}</li><li><p>{}</p><p>x</p></li></ul>",
    "<blockquote><p>{}</p></blockquote>",
    "<table><tr><th>{}</th><th>x</th></tr><tr><td>y</td><td>{}</td></tr>"
    "</table>",
    "<p>x<br>{}<code>y</code>{}<em>z</em></p>",
    '<p><a href="b">{}</a></p><p><em>{}</em></p>',
]


def prose(page: str) -> Prose:
    (piece,) = walk(page)
    assert isinstance(piece, Prose)
    return piece


def words(page: str) -> list[str]:
    """Return the text that a browser shows, without headings' anchors."""
    return BeautifulSoup(page, "html.parser").get_text(" ").split()


def joined(page: str) -> str:
    return "".join(words(page)).replace("¶", "")


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("text", TEXTS)
def test_text_shows_as_itself(text: str, holder: str) -> None:
    page = holder.replace("{}", html.escape(text))
    piece = prose(page)
    shown = markdown.markdown(
        piece.markdown, extensions=["tables", "fenced_code"]
    )
    assert joined(shown) == joined(page)
    in_notebook = markdown2html_mistune(piece.cell)
    assert joined(in_notebook) == joined(page)
    kinds = {"h1", "h3", "hr", "pre", "del", "dl", "img", "b"}
    for result in (shown, in_notebook):
        assert not BeautifulSoup(result, "html.parser").find_all(kinds)


@pytest.mark.parametrize("holder", [HOLDERS[0], HOLDERS[4]])
@pytest.mark.parametrize("code", ["a|b", "`", "$a$ $", "__a__ <b> &lt; \\"])
def test_code_shows_as_itself(code: str, holder: str) -> None:
    page = holder.replace("{}", f"<code>{html.escape(code)}</code>")
    piece = prose(page)
    shown = markdown.markdown(piece.markdown, extensions=["tables"])
    for result in (shown, markdown2html_mistune(piece.cell)):
        assert joined(result) == joined(page)
        article = BeautifulSoup(result, "html.parser")
        assert {found.get_text() for found in article("code")} == {code}


def test_dollars_of_text_start_no_formula_in_a_notebook() -> None:
    piece = prose(
        '<p>$5 or <math data-latex="x_1\n+ 1">x</math> or <code>$y</code></p>'
    )
    assert piece.markdown == "$5 or $x_1 + 1$ or `$y`"
    assert piece.cell == (
        "<span>\\$</span>5 or $x_1 + 1$ or <code>&#36;y</code>"
    )


def test_a_formula_keeps_its_lines_and_splits_no_table() -> None:
    latex = 'data-latex="|a| \\| b\n\n+ 1"'
    block = f'<div class="formula"><math display="block" {latex}></math></div>'
    assert prose(f"<p>a</p>{block}x").markdown == (
        "a\n\n$$\n|a| \\| b\n+ 1\n$$\n\nx"
    )
    row = f"<table><tr><td><math {latex}></math></td><td>b</td></tr></table>"
    last = prose(row).markdown.splitlines()[-1]
    assert last == r"| $\vert{}a\vert{} \Vert{} b + 1$ | b |"


def test_code_blocks_keep_their_language_and_their_fences() -> None:
    code = "a\n\n```python\n  b_c * d\n````\n"
    page = (
        '<div class="language-python highlight"><pre><span></span><code>'
        f"{code}</code></pre></div><pre><code>x</code></pre>"
    )
    fence = "`````"
    assert prose(page).markdown == (
        f"{fence}python\n{code}{fence}\n\n```\nx\n```"
    )
    assert fenced("text", "a `b`") == "```text\na `b`\n```"


def test_a_fence_that_a_browser_draws_keeps_its_name() -> None:
    drawn = prose('<pre class="mermaid"><code>a --&gt; b\n</code></pre>')
    assert drawn.markdown == drawn.cell == "```mermaid\na --> b\n```"
    plain = prose('<pre class="highlight"><code>a\n</code></pre>')
    assert plain.markdown == "```\na\n```"


def test_code_within_a_line_begins_no_other() -> None:
    (prose,) = walk("<p><code>a\n# b</code> <code>```</code></p>")
    assert isinstance(prose, Prose)
    assert prose.markdown == "`a # b` <code>&#96;&#96;&#96;</code>"


def test_only_in_a_table_code_may_not_split_a_cell() -> None:
    code = "<code>a|b</code> <code>c</code>"
    (prose,) = walk(
        f"<p>{code}</p><table><tr><th>x</th></tr><tr><td>{code}</td></tr>"
        "</table>"
    )
    assert isinstance(prose, Prose)
    above, _, _, *rows = prose.markdown.splitlines()
    assert above == "`a|b` `c`"
    assert rows[-1] == "| <code>a&#124;b</code> `c` |"


def test_a_cell_may_be_one_paragraph() -> None:
    table = "<table><tr><th>x</th></tr><tr><td>{}</td></tr></table>"
    for cell, expected in (
        ("<p>a</p>", "| a |"),
        ("<p>a</p><p>b</p>", "<td><p>a</p><p>b</p></td>"),
    ):
        shown = prose(table.format(cell)).markdown
        assert expected in shown


def test_line_numbers_are_no_code() -> None:
    table = (
        '<div class="language-text highlight"><table class="highlighttable">'
        "<tr><td><div><pre>1</pre></div></td><td><div><pre><code>x</code>"
        "</pre></div></td></tr></table></div>"
    )
    inline = (
        '<div class="language-text highlight"><pre><code>'
        '<span class="linenos">1</span>x</code></pre></div>'
    )
    for numbered in (table, inline):
        assert prose(numbered).markdown == "```text\nx\n```"


def test_an_item_keeps_what_is_in_it() -> None:
    page = (
        '<ol start="99"><li><p>a</p><pre>b</pre></li><li><p>c</p><p>d</p>'
        "</li></ol>"
    )
    assert prose(page).markdown == (
        "99. a\n\n    ```\n    b\n    ```\n100. c\n\n     d"
    )


def test_what_cannot_be_mistaken_is_not_escaped() -> None:
    page = (
        "<p><code>a</code>: b-c + d = 3.5 &gt; 2.</p><b>1. a</b><ul><li></ul>"
    )
    assert prose(page).markdown == "`a`: b-c + d = 3.5 > 2.\n\n**1. a**"


def test_a_name_stands_as_it_is_in_a_line() -> None:
    assert escaped("__init__.py") == r"\_\_init\_\_.py"


def test_a_table_keeps_its_lines_and_its_sides() -> None:
    cells = '<td>a<br>b</td><td style="text-align: right;">c</td>'
    head = '<th>x</th><th style="text-align: right;">y</th>'
    page = f"<table><tr>{head}</tr><tr>{cells}</tr></table>"
    assert prose(page).markdown == "| x | y |\n| --- | --: |\n| a<br>b | c |"


@pytest.mark.parametrize(
    "table",
    [
        "<table><tr><td><pre>a\n\n  b &lt;</pre></td><td>$c$</td></tr>"
        "</table>",
        "<table><tr><td><ul><li>a</li><li>b</li></ul></td></tr></table>",
        '<table><tr><td colspan="2">a</td></tr></table>',
        "<table><caption>a</caption><tr><td>b</td></tr></table>",
        "<table><tr><td><p>a</p><p>b</p></td></tr></table>",
    ],
)
def test_a_table_that_no_markdown_can_say_stays_html(table: str) -> None:
    piece = prose(f"<p>a</p>{table}<p>b</p>")
    for text, shown in (
        (piece.markdown, markdown.markdown(piece.markdown)),
        (piece.cell, markdown2html_mistune(piece.cell)),
    ):
        again = BeautifulSoup(shown, "html.parser").table
        assert again is not None, text
        for span in again.find_all("span"):
            span.unwrap()
        again.smooth()
        assert str(again) == str(BeautifulSoup(table, "html.parser"))


def test_a_formula_in_a_table_of_html_is_no_drawing() -> None:
    formula = '<math data-latex="x"><mi>x</mi></math>'
    page = f"<table><tr><td colspan=2>{formula}</td></tr></table>"
    assert '<td colspan="2">$x$</td>' in prose(page).markdown


def test_an_image_keeps_its_title() -> None:
    page = '<p><img alt="a" src="b.png" title="c &quot;d&quot;"></p>'
    assert prose(page).markdown == r'![a](b.png "c \"d\"")'


def test_what_looks_like_an_entity_is_text() -> None:
    page = "<p>AT&T; a &copy; &amp;b; &#65; &none;</p>"
    shown = markdown2html_mistune(prose(page).markdown)
    assert joined(shown) == "AT&T;a©&b;A&none;"


def test_a_formula_that_a_script_sets_is_a_formula() -> None:
    for inline, block in (
        (r"\(a_b\)", "\\[\nc &lt; d\n\\]"),
        ("$a_b$", "$$c &lt; d$$"),
        (
            '<span class="MathJax_Preview">a_b</span>'
            '<script type="math/tex">a_b</script>',
            '<div class="MathJax_Preview">c &lt; d</div><script>c</script>',
        ),
    ):
        page = prose(
            f'<p>A <span class="arithmatex">{inline}</span>.</p>'
            f'<div class="arithmatex">{block}</div>'
        )
        expected = "A $a_b$.\n\n$$\nc < d\n$$"
        assert page.markdown == page.cell == expected


def test_a_link_keeps_its_title() -> None:
    page = '<p><a href="b" title="\\c \\&quot;d\\&quot;">a</a></p>'
    link = prose(page)
    for _ in range(2):
        shown = BeautifulSoup(markdown2html_mistune(link.cell), "html.parser")
        assert shown.a
        assert shown.a["title"] == r"\c \"d\""


def test_a_task_is_done_or_not() -> None:
    box = '<label><input type="checkbox" disabled{}><span></span></label>'
    items = f"<li>{box.format(' checked')} a</li><li>{box.format('')} b</li>"
    radio = '<input type="radio"> c'
    assert prose(f"<ul>{items}</ul>{radio}").markdown == (
        "-   [x] a\n-   [ ] b\n\nc"
    )


def test_code_keeps_its_title() -> None:
    titled = '<span class="filename">a|b.py</span>'
    plain = f'<div class="highlight">{titled}<pre><code>x</code></pre></div>'
    numbered = (
        '<table class="highlighttable"><tr><th class="filename" colspan="2">'
        f"{titled}</th></tr><tr><td><pre>1</pre></td><td><pre><code>x</code>"
        "</pre></td></tr></table>"
    )
    for page in (plain, numbered):
        assert prose(page).markdown == "**a\\|b.py**\n\n```\nx\n```"
