"""ProperDocs and Zensical make the same pages of the same sources."""

import functools
from collections.abc import Callable
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag

from tests.engine.scratch import Scratch
from tests.site.conftest import PAGES, PROGRAMS
from tests.site.reader import copied_blocks
from tests.way_out.generators import properdocs, run, zensical

MADE_BY_A_HOOK = "messages/index"
BUILDS: dict[str, Callable[[Path], Path]] = {
    "properdocs": properdocs,
    "zensical": zensical,
}


@pytest.fixture(scope="module", params=BUILDS)
def other(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The site as another generator builds it."""
    folder = tmp_path_factory.mktemp(request.param)
    return BUILDS[request.param](folder)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_the_same_text(site: Path, other: Path, name: str) -> None:
    here, there = words(article(site, name)), words(article(other, name))
    if name == MADE_BY_A_HOOK and other.parent.name.startswith("zensical"):
        # Without the hook the page has the list that the hook reads.
        assert here[:50] == there[:50]
        return
    assert there == here


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_page_has_the_same_code_and_outputs(
    site: Path, other: Path, name: str
) -> None:
    blocks = copied_blocks(page(site, name))
    assert blocks
    assert copied_blocks(page(other, name)) == blocks


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_the_same_figures_and_formulas(
    site: Path, other: Path, name: str
) -> None:
    drawn = [str(found) for found in article(site, name)("svg")]
    assert [str(found) for found in article(other, name)("svg")] == drawn
    assert article(other, name)("math") == article(site, name)("math")


@pytest.mark.parametrize("generator", BUILDS)
def test_what_is_wrong_ends_the_build_with_its_place(
    scratch: Scratch, generator: str
) -> None:
    scratch.replace("docs/index.md", "count.py:count", "count.py:cuont")
    result = run(generator, "build", folder=scratch.root)
    assert result.returncode == 1
    assert "docs/index.md:8" in result.stdout
    assert 'write "count"' in result.stdout


@functools.cache
def page(site: Path, name: str) -> BeautifulSoup:
    text = (site / f"{name}.html").read_text(encoding="utf-8")
    return BeautifulSoup(text, "html5lib")


@functools.cache
def article(site: Path, name: str) -> Tag:
    """Return what the page says, without what the theme puts there."""
    found = page(site, name).select_one("article")
    assert found is not None
    for added in found.select(".run-downloads, .md-tags"):
        added.decompose()
    return found


def words(tag: Tag) -> list[str]:
    return tag.get_text(" ").split()
