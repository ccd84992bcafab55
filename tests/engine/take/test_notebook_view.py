"""The site shows a page's notebook in its own way, whatever is in it."""

from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from mkdocs_jupyter.nbconvert2 import nb2html

from engine.build.notebook_view import View, tidy
from engine.keep.records import BlockRecord
from engine.take.notebook import notebook
from engine.take.page import Taken
from engine.take.walk import walk
from tests.engine.take.pages import MARK, NOTHING, python, taken
from tests.engine.take.test_home import COMMAND, MORE, SVG

HTML = (
    "<h1>Cost &lt; $5</h1><h5>Deep</h5><h2>cell-1</h2><h2>Same</h2>"
    "<h2>Same</h2>"
    '<p>$5 &lt; <b>$6</b> &amp;amp; <math data-latex="a &lt; b_1">x</math>, '
    "<code>$x$</code> or \\(y\\)</p>"
    '<div class="formula"><math display="block" data-latex="\\$ 1">x</math>'
    "</div><pre><code>$1 or $2\n</code></pre>"
    '<div class="language-python"><pre><code>$a$\n</code></pre></div>'
    "<table><tr><th>w</th></tr></table>"
    + MARK.format(1)
    + MARK.format(2)
    + MARK.format(3)
)
SHOWN = [
    (
        python("print('$a$')", alt="A dot"),
        BlockRecord(output="$a$ <b>\n", error="", figure=SVG),
    ),
    (MORE, NOTHING),
    (COMMAND, NOTHING),
]


def view(page: Taken, folder: Path) -> View:
    path = folder / "page.ipynb"
    path.write_text(notebook(page), encoding="utf-8")
    return tidy(nb2html(str(path)), "../a&b/")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> View:
    return view(taken(HTML, *SHOWN), tmp_path_factory.mktemp("notebook"))


@pytest.fixture(scope="module")
def article(shown: View) -> Tag:
    return BeautifulSoup(shown.html, "html.parser")


def test_a_formula_that_cannot_be_set_is_left_to_a_script(
    tmp_path: Path,
) -> None:
    latex = '<math data-latex="\\foo{a &lt; b}">x</math>'
    block = latex.replace("<math", '<math display="block"')
    made = view(taken(f"<p>{latex}</p>{block}", *SHOWN[:0]), tmp_path)
    found = BeautifulSoup(made.html, "html.parser").select(".arithmatex")
    inline, other = (formula.get_text() for formula in found)
    assert inline == r"\(\foo{a < b}\)"
    assert "".join(other.split()) == r"\[\foo{a<b}\]"


def test_what_a_script_draws_is_known_by_its_name(tmp_path: Path) -> None:
    fence = '<pre class="mermaid"><code>a --&gt; b\n</code></pre>'
    made = view(taken(fence, *SHOWN[:0]), tmp_path)
    drawn = BeautifulSoup(made.html, "html.parser").select_one("pre.mermaid")
    assert drawn
    assert drawn.get_text().strip() == "a --> b"


def test_formulas_alone_are_formulas(article: Tag) -> None:
    prose = article.select(".jp-RenderedMarkdown p")[1]
    assert prose.get_text() == "$5 < $6 &amp; a<b1, $x$ or \\(y\\)"
    assert len(article.select("math")) == 2
    block = article.select_one(".formula > math[display=block]")
    assert block is not None
    assert block.get_text() == "$1"
    assert not article.select("span:-soup-contains('$'):not([class])")


def test_code_is_code_in_a_pre(article: Tag) -> None:
    codes = [code.get_text().strip() for code in article.select("pre > code")]
    assert codes[:3] == ["$1 or $2", "$a$", "print('$a$')"]
    assert not article.select("code code")


def test_blocks_are_known_to_the_script_that_copies(article: Tag) -> None:
    cells = article.select(".run")
    assert [cell["data-block"] for cell in cells] == ["1", "2", "3"]
    assert [cell.get("data-file") for cell in cells] == [None, "a_b.py", None]
    assert [cell.has_attr("data-exits") for cell in cells] == [
        *(False, False, True)
    ]
    output = article.select_one("pre.run-output > samp")
    assert output is not None
    assert output.get_text() == "$a$ <b>\n"
    figure = article.select_one("figure.run-figure > svg")
    assert figure is not None
    assert figure["aria-label"] == "A dot"


def test_headings_are_listed_and_named_apart(
    shown: View, article: Tag
) -> None:
    (top,) = shown.contents
    assert top["name"] == "Cost &lt; $5"
    deep, cell, one, other = top["children"]
    assert deep["level"] == 5
    names = [entry["id"] for entry in (top, deep, cell, one, other)]
    assert [heading["id"] for heading in article.select("h1, h2, h5")] == names
    ids = [str(element["id"]) for element in article.select("[id]")]
    assert len(ids) == len(set(ids))
    links = [link["href"] for link in article.select("a.headerlink")]
    assert links == [f"#{name}" for name in names]


def test_what_jupyter_needs_is_gone(article: Tag) -> None:
    assert not article.select("script, style, [tabindex], clipboard-copy")
    assert article.select(".md-typeset__scrollwrap table")


def test_the_way_to_the_page_stands_on_top(
    shown: View, article: Tag, tmp_path: Path
) -> None:
    heading = article.select_one("h1 + .run-downloads a")
    assert heading is not None
    assert heading["href"] == "../a&b/"
    html = tidy("<p>No heading.</p>", "../").html
    assert html.startswith('<p class="run-downloads">')
    assert html.endswith("<p>No heading.</p>")


def test_links_to_what_the_view_has_not_lead_to_the_page() -> None:
    links = '<a href="#caf%C3%A9">a</a><a href="#block:1">b</a>'
    html = tidy(f'<h1 id="café">T</h1>{links}', "../page/").html
    article = BeautifulSoup(html, "html.parser")
    addresses = [str(link["href"]) for link in article.select("h1 ~ a")]
    assert addresses == ["#caf%C3%A9", "../page/#block:1"]


def test_a_page_without_a_heading_is_shown(tmp_path: Path) -> None:
    page = Taken("A title", {"Python": "3"}, walk("<p>a</p>"), (), ())
    (top,) = view(page, tmp_path).contents
    assert top["name"] == "A title"
