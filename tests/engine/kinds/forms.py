"""A page in its four forms, each read without the engine's help."""

import html
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote, unquote, urljoin, urlsplit

import mistune
from bs4 import BeautifulSoup, Tag

HOST = "http://site.test/"
IN_NOTEBOOKS = re.compile(
    r"Thenextcellsuse\S+?,andnotinanotebook\."
    r"|Runanew,thenextcellalsoshowsthevalueofitslastline\."
    r"|Someofwhatthenextcell\S+?,whichanotebookdoesnotshow\."
)
AROUND = (
    ".run-bar, .run-downloads, .run-versions, .run-program, .headerlink, "
    "svg, input, style, script, button, .md-source-file"
)


@dataclass(frozen=True)
class Form:
    """What one form of a page says, from its top to its end."""

    blocks: list[tuple[str, str]]
    """The code and the output of each block."""
    text: str
    """All that is read, prose, code and outputs, without its blanks."""


def rendered(site: Path, address: str) -> BeautifulSoup:
    """Return a page of the site as a browser reads it."""
    return BeautifulSoup(_file(site, address).read_text("utf-8"), "html5lib")


def page(site: Path, address: str) -> Form:
    """Return what the page in the browser says."""
    return _of_html(rendered(site, address))


def view(site: Path, address: str) -> Form:
    """Return what the view of the notebook says."""
    soup = rendered(site, address)
    form = _of_html(soup)
    return Form(form.blocks, _of_the_page(form.text))


def twin(site: Path, name: str) -> Form:
    """Return what the plain text says, rendered as CommonMark."""
    text = (site / name).read_text("utf-8")
    soup = _rendered_markdown(text)
    blocks: list[tuple[str, str]] = []
    for code in soup.select("pre > code"):
        is_text = "language-text" in (code.get("class") or [])
        if is_text and blocks and not blocks[-1][1]:
            blocks[-1] = blocks[-1][0], code.get_text().rstrip("\n")
        else:
            blocks.append((code.get_text().rstrip("\n"), ""))
    return Form(blocks, _text(soup).partition("RanwithPython")[0])


def notebook(site: Path, name: str) -> Form:
    """Return what the notebook's cells say."""
    cells = json.loads((site / name).read_text("utf-8"))["cells"]
    blocks, text = [], ""
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            text += _text(_rendered_markdown(source, dollars=True))
            continue
        said = "\n".join(filter(None, map(_output, cell["outputs"])))
        code = re.sub(r"\A%%.*\n+", "", source)
        blocks.append((code, said))
        text += _unspaced(f"{code} {said}")
    return Form(blocks, _of_the_page(text))


def _of_the_page(text: str) -> str:
    """Return a notebook's text without what is said in notebooks alone."""
    return IN_NOTEBOOKS.sub("", text.partition("RanwithPython")[0])


def dead_links(site: Path, host: str = HOST) -> list[str]:
    """Return all links of pages, notebooks and texts that lead nowhere."""
    host = host or HOST
    dead = []
    ids = cache(_ids)
    for path in sorted(site.rglob("*")):
        name = path.relative_to(site).as_posix()
        if path.suffix not in (".html", ".md", ".ipynb", ".txt"):
            continue
        if name.startswith("assets/") or name == "404.html":
            continue
        for link in _links(path):
            if not _leads_somewhere(site, host, name, link, ids):
                dead.append(f"{name}: {link}")
    return dead


def _of_html(soup: BeautifulSoup) -> Form:
    article = soup.select_one("article")
    assert article
    for element in article.select(AROUND):
        element.decompose()
    for labels in article.select(".tabbed-labels"):
        tabs = labels.find_next_siblings("div")[0].select(":scope > div")
        for label, tab in zip(labels.select("label"), tabs, strict=True):
            tab.insert(0, label)
    blocks = []
    for block in article.select(".run[data-block]"):
        code = block.select_one(".highlight pre > code")
        said = block.select_one("pre.run-output")
        assert code
        text = said.get_text().rstrip("\n") if said else ""
        source = re.sub(r"\A%%.*\n+", "", code.get_text().rstrip("\n"))
        blocks.append((source, text))
    return Form(blocks, _text(article))


def _text(element: Tag) -> str:
    return _unspaced(element.get_text())


def _unspaced(text: str) -> str:
    return "".join(text.split())


def _rendered_markdown(text: str, dollars: bool = False) -> BeautifulSoup:
    plugins = [
        "def_list",
        "table",
        "strikethrough",
        "task_lists",
        *(["math"] if dollars else []),
    ]
    render = mistune.create_markdown(escape=False, plugins=plugins)
    return BeautifulSoup(str(render(text)), "html5lib")


def _output(output: dict[str, object]) -> str:
    text = output.get("text") or output.get("traceback") or ""
    return "".join(text).rstrip("\n") if isinstance(text, list) else str(text)


def _links(path: Path) -> list[str]:
    text = path.read_text("utf-8")
    if path.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        prose = [c["source"] for c in cells if c["cell_type"] == "markdown"]
        text = "\n\n".join(map("".join, prose))
    if path.suffix != ".html":
        text = str(_rendered_markdown(text))
    soup = BeautifulSoup(text, "html5lib")
    named = [(e, n) for n in ("href", "src") for e in soup.select(f"[{n}]")]
    return [html.unescape(str(element[name])) for element, name in named]


def _ids(path: Path) -> set[str]:
    soup = BeautifulSoup(path.read_text("utf-8"), "html5lib")
    return {str(element["id"]) for element in soup(id=True)}


def _leads_somewhere(
    site: Path,
    host: str,
    name: str,
    link: str,
    ids: Callable[[Path], set[str]],
) -> bool:
    address = urljoin(host + quote(name), link)
    if not address.startswith(host):
        return True
    parts = urlsplit(address.removeprefix(host))
    path = _file(site, unquote(parts.path))
    if not path.is_file():
        return False
    if not parts.fragment or path.suffix != ".html":
        return True
    return unquote(parts.fragment) in ids(path)


def _file(site: Path, address: str) -> Path:
    path = site / address
    return path / "index.html" if path.is_dir() else path
