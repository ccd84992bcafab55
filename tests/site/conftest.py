"""The built site, as a reader gets it."""

from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tests.site.reader import read

REPOSITORY = Path(__file__).parents[2]
PAGES = {
    # MkDocs makes a folder of every page but the home page.
    path.stem if path.stem == "index" else f"{path.stem}/index": path
    for path in sorted((REPOSITORY / "docs").glob("*.md"))
    if path.name != "README.md"
}
PROGRAMS = [name for name, path in PAGES.items() if "run=" in path.read_text()]
"""The pages that have a program."""


@pytest.fixture(params=PAGES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def html(site: Path, name: str) -> BeautifulSoup:
    return read(site / f"{name}.html")


@pytest.fixture
def source(name: str) -> str:
    return PAGES[name].read_text(encoding="utf-8")
