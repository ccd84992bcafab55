"""Tidy what mkdocs-jupyter makes of a notebook.

It brings the styles of JupyterLab, scripts from another host and marks for
both.  The view keeps the cells and their prompts, in the look of the site.
"""

import base64
import re
from typing import Any, NamedTuple

import latex2mathml.converter
from bs4 import BeautifulSoup, Comment, Tag
from bs4.element import PreformattedString

WRITES_FILE = re.compile(r"%%writefile (?:-a )?(\S+)")
MATH = re.compile(r"(\$\$?)([^$]+)\1")
NOT_WANTED = {
    "zeroclipboard-container",
    "clipboard-copy-txt",
    "jp-Collapser",
    "jp-InputArea-prompt",
    "jp-OutputPrompt",
}
SVG = re.compile(r"^data:image/svg\+xml;base64,")


class View(NamedTuple):
    """What the site shows of a notebook.

    ``contents`` are the headings as Python-Markdown's toc extension gives
    them: mkdocs-jupyter makes its own table of contents, which leaves out
    the code in headings and so leads nowhere.
    """

    html: str
    contents: list[dict[str, Any]]


class Drawing(PreformattedString):
    """An SVG that is put into the page as it is: reading it takes long."""

    PREFIX = SUFFIX = ""


def tidy(html: str, page_address: str) -> View:
    """Return a notebook's HTML without what needs JupyterLab.

    ``page_address`` is where the page stands that the notebook was made
    from, seen from the notebook.
    """
    article = BeautifulSoup(html, "html.parser")
    for comment in article.find_all(string=lambda s: isinstance(s, Comment)):
        comment.extract()
    for element in article.find_all(_is_not_wanted):
        element.decompose()
    for element in article.find_all(tabindex=True):
        del element["tabindex"]
    contents = _contents(article)
    for link in article.find_all(class_="anchor-link"):
        link["class"] = "headerlink"
        link["title"] = "Permanent link"
    cells = article.find_all(class_="jp-CodeCell", id=True)
    for number, cell in enumerate(cells, start=1):
        _tidy_cell(article, cell, number)
    for markdown in article.find_all(class_="jp-RenderedMarkdown"):
        _tidy_markdown(article, markdown)
    _add_link(article, page_address)
    return View(str(article), contents)


def _is_not_wanted(element: Tag) -> bool:
    if element.name in ("style", "script"):
        return True
    return not NOT_WANTED.isdisjoint(element.get("class") or ())


def _contents(article: BeautifulSoup) -> list[dict[str, Any]]:
    top: list[dict[str, Any]] = []
    open_above: list[dict[str, Any]] = []
    for heading in article.find_all(["h1", "h2", "h3"]):
        entry: dict[str, Any] = {
            "level": int(heading.name[1]),
            "id": heading["id"],
            "name": heading.get_text().removesuffix("¶"),
            "children": [],
        }
        while open_above and open_above[-1]["level"] >= entry["level"]:
            open_above.pop()
        (open_above[-1]["children"] if open_above else top).append(entry)
        open_above.append(entry)
    return top


def _tidy_markdown(article: BeautifulSoup, markdown: Tag) -> None:
    """Show formulas without a script, and let what is wide scroll."""
    for text in markdown.find_all(string=MATH):
        formula = BeautifulSoup(MATH.sub(_mathml, text), "html.parser")
        text.replace_with(formula)
    for pre in markdown.find_all("pre"):
        _mark_code(article, pre)
    for table in markdown.find_all("table"):
        # As Material's script does it on pages: what scrolls is a wrapper.
        for name in ("md-typeset__table", "md-typeset__scrollwrap"):
            table = table.wrap(article.new_tag("div", attrs={"class": name}))


def _tidy_cell(article: BeautifulSoup, cell: Tag, number: int) -> None:
    """Give a code cell the parts that the site's style and script know."""
    cell["class"] = "jp-CodeCell run"
    cell["id"] = f"cell-{number}"
    cell["data-block"] = str(number)
    bar = article.new_tag("div", attrs={"class": "run-bar"})
    prompt = article.new_tag("span")
    prompt.string = f"In [{number}]:"
    bar.append(prompt)
    cell.insert(0, bar)
    source = cell.find(class_="highlight-ipynb")
    pre = source.find("pre") if source else None
    assert source is not None
    assert pre is not None
    source["class"] = "highlight"
    # By these the script that copies programs knows files and commands.
    if file := WRITES_FILE.match(pre.get_text()):
        cell["data-file"] = file[1]
    elif pre.get_text().startswith("%%script"):
        cell["data-exits"] = ""
    _mark_code(article, pre)
    for output in cell.find_all(class_="jp-OutputArea-output"):
        for text in output.find_all("pre"):
            text["class"] = "run-output"
            samp = article.new_tag("samp")
            samp.extend(list(text.contents))
            text.append(samp)
    for image in cell.find_all("img", src=SVG):
        # Inline, the drawing follows the theme and keeps its text.
        svg = base64.b64decode(SVG.sub("", str(image["src"]))).decode("utf-8")
        figure = article.new_tag("figure", attrs={"class": "run-figure"})
        figure.append(Drawing(svg))
        image.replace_with(figure)


def _mark_code(article: BeautifulSoup, pre: Tag) -> None:
    """Make it code in a pre, which is what scrolls and is copied."""
    pre.wrap(article.new_tag("pre"))
    pre.name = "code"


def _mathml(formula: re.Match[str]) -> str:
    if formula[1] == "$":
        return str(latex2mathml.converter.convert(formula[2]))
    block = latex2mathml.converter.convert(formula[2], display="block")
    return f'<span class="formula">{block}</span>'


def _add_link(article: BeautifulSoup, page_address: str) -> None:
    heading = article.find("h1")
    assert heading is not None
    line = BeautifulSoup(
        '<p class="run-downloads"><span>The notebook of this page, as it ran'
        f'</span> <a href="{page_address}">Read the page</a></p>',
        "html.parser",
    )
    heading.insert_after(line)
