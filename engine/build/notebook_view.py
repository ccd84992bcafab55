"""Tidy what mkdocs-jupyter makes of a notebook.

It brings the styles of JupyterLab, scripts from another host and marks for
both.  The view keeps the cells and their prompts, in the look of the site.
"""

import base64
import html
import re
from typing import Any, NamedTuple
from urllib.parse import unquote

from bs4 import BeautifulSoup, Tag
from bs4.element import PreformattedString
from markdown.extensions.toc import nest_toc_tokens, unique

from engine.errors import PageError
from engine.read.formulas import formula
from engine.take.article import drop_comments

WRITES_FILE = re.compile(r"%%writefile (?:-a )?(.+)")
MATH = re.compile(r"(\$\$?)((?:\\.|[^$\\])+)\1")
ENDS = {"inline": (r"\(", r"\)"), "block": (r"\[", r"\]")}
NO_MATH = re.compile(r"[$\\]\Z")
HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"]
NOT_WANTED = {"zeroclipboard-container", "clipboard-copy-txt"}
NOT_WANTED |= {"jp-Collapser", "jp-InputArea-prompt", "jp-OutputPrompt"}
NOT_WANTED |= {"celltoolbar"}
RAISED = "application/vnd.jupyter.stderr"
"""The kind of an error, above which mkdocs-jupyter leaves a line free."""
SVG = re.compile(r"^data:image/svg\+xml;base64,")


class View(NamedTuple):
    """What the site shows of a notebook.

    ``contents`` are the headings as Python-Markdown's toc extension gives
    them: mkdocs-jupyter makes its own table of contents, which leaves out
    the code in headings and so leads nowhere.
    """

    html: str
    contents: list[Any]


class Drawing(PreformattedString):
    """An SVG that is put into the page as it is: reading it takes long."""

    PREFIX = SUFFIX = ""


def tidy(converted: str, page_address: str) -> View:
    """Return a notebook's HTML without what needs JupyterLab.

    ``page_address`` is where the page stands that the notebook was made
    from, seen from the notebook.
    """
    article = _parsed(converted)
    drop_comments(article)
    for element in article.find_all(_is_not_wanted):
        element.decompose()
    for element in article.find_all(tabindex=True):
        del element["tabindex"]
    cells = article.find_all(class_="jp-CodeCell", id=True)
    for number, cell in enumerate(cells, start=1):
        _tidy_cell(cell, number)
    for markdown in article.find_all(class_="jp-RenderedMarkdown"):
        _tidy_markdown(markdown)
    contents = _contents(article)
    _mend_links(article, page_address)
    _add_link(article, page_address)
    return View(str(article), contents)


def _is_not_wanted(element: Tag) -> bool:
    unseen = element.name in ("style", "script")
    return unseen or not NOT_WANTED.isdisjoint(element.get("class") or ())


def _contents(article: Tag) -> list[Any]:
    """Return the headings, and give each a name that nothing else has."""
    entries: list[Any] = []
    cells = article.find_all(None, {"data-block": True})
    taken = {str(cell["id"]) for cell in cells}
    for heading in article.find_all(HEADINGS):
        text = heading.get_text().removesuffix("¶")
        name = str(heading.get("id") or "-".join(text.split()))
        heading["id"] = unique(name, taken)
        for link in heading.find_all(class_="anchor-link"):
            link["href"] = f"#{heading['id']}"
            link["class"], link["title"] = "headerlink", "Permanent link"
        title = html.escape(text, quote=False)
        level = int(heading.name[1])
        entries.append({"level": level, "id": heading["id"], "name": title})
    return nest_toc_tokens(entries)


def _mend_links(article: Tag, page_address: str) -> None:
    """Let links to what only the page has lead there."""
    there = {str(element["id"]) for element in article.find_all(id=True)}
    for link in article.find_all("a", href=re.compile("^#")):
        name = str(link["href"])[1:]
        if not there & {name, unquote(name)}:
            link["href"] = f"{page_address}{link['href']}"


def _tidy_markdown(markdown: Tag) -> None:
    """Show formulas without a script, and let what is wide scroll."""
    for text in markdown.find_all(string=MATH):
        if not text.find_parent(["code", "pre"]):
            shown = MATH.sub(_mathml, html.escape(text, quote=False))
            text.replace_with(_parsed(shown))
    for mark in markdown.find_all("span", string=NO_MATH, class_=False):
        mark.unwrap()  # it kept the notebook from seeing a formula here
    for pre in markdown.find_all("pre"):
        if not pre.find("code"):
            around = _put_in_pre(pre, "code")
            # By its name a script of the theme knows what it is to draw.
            if name := pre.attrs.pop("class", ""):
                around["class"] = name
    for table in markdown.find_all("table"):
        # As Material's script does it on pages: what scrolls is a wrapper.
        for name in ("md-typeset__table", "md-typeset__scrollwrap"):
            table = table.wrap(Tag(name="div", attrs={"class": name}))


def _tidy_cell(cell: Tag, number: int) -> None:
    """Give a code cell the parts that the site's style and script know."""
    cell["class"] = "jp-CodeCell run"
    cell["id"] = f"cell-{number}"
    cell["data-block"] = str(number)
    prompt = f"<span>In [{number}]:</span>"
    cell.insert(0, _parsed(f'<div class="run-bar">{prompt}</div>'))
    for source in cell.find_all(class_="highlight-ipynb"):
        source["class"] = "highlight"
        # By these the script that copies programs knows files and commands.
        if file := WRITES_FILE.match(source.get_text()):
            cell["data-file"] = file[1]
        elif source.get_text().startswith("%%script"):
            cell["data-exits"] = ""
        for pre in source.find_all("pre"):
            _put_in_pre(pre, "code")
    for output in cell.find_all(class_="jp-OutputArea-output"):
        for pre in output.find_all("pre"):
            if output.get("data-mime-type") == RAISED:
                pre.string = pre.get_text().removeprefix("\n")
            _put_in_pre(pre, "samp")["class"] = "run-output"
    for image in cell.find_all("img", src=SVG):
        # Inline, the drawing follows the theme and keeps its text.
        svg = base64.b64decode(SVG.sub("", str(image["src"]))).decode("utf-8")
        figure = Tag(name="figure", attrs={"class": "run-figure"})
        figure.append(Drawing(svg))
        image.replace_with(figure)


def _put_in_pre(element: Tag, name: str) -> Tag:
    """Make it code or output in a pre: that scrolls and is copied."""
    element.name = name
    return element.wrap(Tag(name="pre"))


def _mathml(found: re.Match[str]) -> str:
    display = "inline" if found[1] == "$" else "block"
    try:
        shown = formula(html.unescape(found[2]), display)
    except PageError:  # a script that sets it on the page may set it here
        begin, end = ENDS[display]
        return f'<span class="arithmatex">{begin}{found[2]}{end}</span>'
    is_inline = display == "inline"
    return shown if is_inline else f'<span class="formula">{shown}</span>'


def _add_link(article: Tag, page_address: str) -> None:
    line = _parsed(
        '<p class="run-downloads"><span>The notebook of this page, as it ran'
        f'</span> <a href="{html.escape(page_address)}">Read the page</a></p>'
    )
    if heading := article.find("h1"):
        heading.insert_after(line)
    else:
        article.insert(0, line)


def _parsed(markup: str) -> BeautifulSoup:
    return BeautifulSoup(markup, "html.parser")
