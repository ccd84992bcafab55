"""The built pages are whole, and ask nothing of another host."""

import copy
import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from docs.overrides.hooks import MINIFIED, minified
from tests.site.conftest import PROGRAMS, REPOSITORY
from tests.site.reader import BLOCK

LOADED = {
    "script": "src",
    "link": "href",
    "img": "src",
    "source": "src",
    "iframe": "src",
    "use": "href",
    "object": "data",
}
NOT_LOADED = {"canonical", "prev", "next", "alternate"}


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_block_of_the_source_is_shown(
    html: BeautifulSoup, source: str
) -> None:
    blocks = html.select(".run[data-block]")
    assert len(blocks) == len(BLOCK.findall(source)) > 0


def test_every_figure_says_what_it_shows(
    html: BeautifulSoup, source: str
) -> None:
    figures = html.select("figure.run-figure svg")
    assert len(figures) == source.count('alt="')
    for figure in figures:
        assert figure["role"] == "img"
        assert len(str(figure["aria-label"])) > 20


def test_no_id_is_used_twice(html: BeautifulSoup) -> None:
    ids = [str(element["id"]) for element in html.select("[id]")]
    assert sorted(ids) == sorted(set(ids))


def prose(html: BeautifulSoup) -> str:
    """Return what the page says outside of code, files and messages."""
    article = copy.copy(html.select_one("article"))
    assert article is not None
    for shown in article.select("pre, .message"):
        shown.decompose()
    return str(article.get_text())


def test_no_value_is_left_unfilled(html: BeautifulSoup) -> None:
    assert "{{" not in prose(html)


def test_no_fence_is_left_as_text(html: BeautifulSoup) -> None:
    article = copy.copy(html.select_one("article"))
    assert article is not None
    for printed in article.select(".run-output"):
        printed.decompose()  # a message of Keras has fences of its own
    assert "```" not in article.get_text()
    assert "#!math" not in prose(html)


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_page_says_what_it_ran_with(html: BeautifulSoup) -> None:
    (stamp,) = html.select(".run-versions")
    for name in ("Python", "TensorFlow", "Keras", "NumPy", "Matplotlib"):
        assert re.search(rf"{name} \d+\.\d+", stamp.get_text())


def test_formulas_need_no_script(html: BeautifulSoup, source: str) -> None:
    wanted = source.count("```math") + source.count("`#!math")
    assert len(html.select("math")) == wanted
    assert not html.select("script[src*=athjax], script[src*=atex]")


def test_nothing_is_loaded_from_another_host(html: BeautifulSoup) -> None:
    found = 0
    for tag, attribute in LOADED.items():
        for element in html.select(f"{tag}[{attribute}]"):
            if NOT_LOADED & set(element.get("rel") or []):
                continue
            address = str(element[attribute])
            assert not re.match(r"(\w+:)?//", address), address
            found += 1
    assert found > 3


def test_styles_load_nothing_from_another_host(site: Path) -> None:
    sheets = list(site.rglob("*.css"))
    assert sheets
    for sheet in sheets:
        for address in re.findall(r"url\(([^)]*)\)", sheet.read_text()):
            assert not re.match(r"[\"']?(https?:)?//", address), address


def test_the_explorer_is_served_without_comments(site: Path) -> None:
    served = site / "assets/explorer"
    names = {path.name for path in served.iterdir()}
    assert {"explorer.js", "explorer.css", "program.js"} <= names
    assert {path.suffix for path in served.iterdir()} == {*MINIFIED}
    for path in served.iterdir():
        source = REPOSITORY / "docs/assets/explorer" / path.name
        text = path.read_text("utf-8")
        assert text == minified(source)
        assert not re.search(r"(?m)^\s*(/\*|//)", text)
        assert len(text) < len(source.read_text("utf-8"))
