"""Tidy what mkdocs-jupyter makes of a notebook.

It brings the styles of JupyterLab, scripts from another host and marks for
both.  The view keeps the cells and their prompts, in the look of the site.
"""

import base64
import re
from typing import Any

import latex2mathml.converter
from bs4 import BeautifulSoup, Comment, Tag

ARTICLE = re.compile(r"(<article[^>]*>)(.*)(</article>)", re.DOTALL)
WRITES_FILE = re.compile(r"%%writefile (?:-a )?(\S+)")
MATH = re.compile(r"(\$\$?)([^$]+)\1")
NOT_WANTED = (
    "style, script, .zeroclipboard-container, .clipboard-copy-txt, "
    ".jp-Collapser, .jp-InputArea-prompt, .jp-OutputPrompt"
)


def tidy(html: str, page_address: str) -> str:
    """Return the page of a notebook without what needs JupyterLab.

    ``page_address`` is where the page stands that the notebook was made
    from, seen from the notebook.
    """
    return ARTICLE.sub(
        lambda m: m[1] + _tidy_article(m[2], page_address) + m[3], html
    )


def contents(html: str) -> list[Any]:
    """Return the headings as Python-Markdown's toc extension gives them.

    mkdocs-jupyter makes its own table of contents, which leaves out the
    code in headings and so leads nowhere.
    """
    top: list[dict[str, Any]] = []
    open_above: list[dict[str, Any]] = []
    for heading in BeautifulSoup(html, "html.parser").select("h1, h2, h3"):
        for mark in heading.select("a"):
            mark.decompose()
        entry: dict[str, Any] = {
            "level": int(heading.name[1]),
            "id": heading["id"],
            "name": heading.get_text(),
            "children": [],
        }
        while open_above and open_above[-1]["level"] >= entry["level"]:
            open_above.pop()
        (open_above[-1]["children"] if open_above else top).append(entry)
        open_above.append(entry)
    return top


def _tidy_article(html: str, page_address: str) -> str:
    article = BeautifulSoup(html, "html.parser")
    for comment in article.find_all(string=lambda s: isinstance(s, Comment)):
        comment.extract()
    for element in article.select(NOT_WANTED):
        element.decompose()
    for element in article.select("[tabindex]"):
        del element["tabindex"]
    for link in article.select(".anchor-link"):
        link["class"] = "headerlink"
        link["title"] = "Permanent link"
    cells = article.select(".jp-CodeCell[id]")
    for number, cell in enumerate(cells, start=1):
        _tidy_cell(article, cell, number)
    for markdown in article.select(".jp-RenderedMarkdown"):
        for text in markdown.find_all(string=MATH):
            formula = BeautifulSoup(MATH.sub(_mathml, text), "html.parser")
            text.replace_with(formula)
    for table in article.select(".jp-RenderedMarkdown table"):
        # As Material's script does it on pages: what scrolls is a wrapper.
        for name in ("md-typeset__table", "md-typeset__scrollwrap"):
            table = table.wrap(article.new_tag("div", attrs={"class": name}))
    _add_link(article, page_address)
    return str(article)


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
    source = cell.select_one(".highlight-ipynb")
    pre = source.select_one("pre") if source else None
    assert source is not None
    assert pre is not None
    source["class"] = "highlight"
    # By these the script that copies programs knows files and commands.
    if file := WRITES_FILE.match(pre.get_text()):
        cell["data-file"] = file[1]
    elif pre.get_text().startswith("%%script"):
        cell["data-exits"] = ""
    pre.wrap(article.new_tag("pre"))
    pre.name = "code"
    for output in cell.select(".jp-OutputArea-output pre"):
        output["class"] = "run-output"
        samp = article.new_tag("samp")
        samp.extend(list(output.contents))
        output.append(samp)
    for image in cell.select("img[src^='data:image/svg+xml;base64,']"):
        # Inline, the drawing follows the theme and keeps its text.
        data = str(image["src"]).partition(",")[2]
        svg = base64.b64decode(data).decode("utf-8")
        figure = article.new_tag("figure", attrs={"class": "run-figure"})
        figure.append(BeautifulSoup(svg, "html.parser"))
        image.replace_with(figure)


def _mathml(formula: re.Match[str]) -> str:
    display = "block" if formula[1] == "$$" else "inline"
    return str(latex2mathml.converter.convert(formula[2], display=display))


def _add_link(article: BeautifulSoup, page_address: str) -> None:
    heading = article.select_one("h1")
    assert heading is not None
    line = BeautifulSoup(
        '<p class="run-downloads"><span>The notebook of this page, as it ran'
        f'</span> <a href="{page_address}">Read the page</a></p>',
        "html.parser",
    )
    heading.insert_after(line)
