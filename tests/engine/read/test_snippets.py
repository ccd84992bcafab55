"""Modules and pages are read once and stay true while files change."""

from pathlib import Path
from unittest.mock import Mock

import pytest

from engine.errors import EngineError, PageError
from engine.read.page import Page
from engine.read.reading import find_file
from engine.read.sections import read_sections
from tests.engine.read.site import Site, site_of
from tests.engine.scratch import Scratch

SHOWN = '```json source="settings.json" file="settings.json"\n```\n'


def page_of(site: Site) -> Page:
    return site.read((site.root / "docs/index.md").read_text())


def test_modules_are_read_once_for_as_long_as_no_file_changes(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Mock(wraps=read_sections)
    monkeypatch.setattr("engine.read.snippets.read_sections", read)
    site = site_of(scratch.root)
    pages = [page_of(site) for _ in range(5)]
    assert all(page == pages[0] for page in pages)
    assert read.call_count == 1


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("docs/index.md", "We count.", "We sum up."),
        ("snippets/count.py", "2.5", "13.5"),
        ("settings.json", '{"a": 1}', '{"a": 2}'),
    ],
)
def test_a_changed_file_is_seen(
    scratch: Scratch, file: str, old: str, new: str
) -> None:
    scratch.write("settings.json", '{"a": 1}')
    page = scratch.root / "docs/index.md"
    page.write_text(page.read_text() + SHOWN)
    site = site_of(scratch.root)
    before = page_of(site)
    assert page_of(site) == before
    scratch.replace(file, old, new)
    assert page_of(site) != before


def test_a_module_has_one_name(scratch: Scratch) -> None:
    scratch.write("other.py", "# region setup\nx = 1\n# endregion\n")
    snippets = site_of(scratch.root).snippets
    for file in ("snippets/../snippets/count.py", "snippets/../other.py"):
        with pytest.raises(PageError, match=f"no file {file}"):
            snippets.find(f"{file}:setup")
    module = snippets.find("snippets/count.py:setup")
    assert snippets.find("./snippets//count.py:setup") == module


def test_a_new_page_and_one_that_is_gone_are_seen(scratch: Scratch) -> None:
    assert "1 pages, 2 blocks" in scratch.engine("check")[1]
    file = scratch.write("docs/new.md", "# New\n")
    assert "2 pages, 2 blocks" in scratch.engine("check")[1]
    file.unlink()
    assert "1 pages, 2 blocks" in scratch.engine("check")[1]


def test_an_error_is_not_kept(scratch: Scratch) -> None:
    site = site_of(scratch.root)
    scratch.replace("snippets/count.py", "import math", "import = math")
    with pytest.raises(EngineError, match="not valid Python"):
        page_of(site)
    scratch.replace("snippets/count.py", "import = math", "import math")
    scratch.replace("docs/index.md", "count.py:count", "count.py:cuont")
    with pytest.raises(EngineError, match="cuont"):
        page_of(site)
    scratch.replace("docs/index.md", "count.py:cuont", "count.py:count")
    assert page_of(site).program.blocks


def test_a_page_is_found_by_its_text_without_front_matter(
    scratch: Scratch,
) -> None:
    scratch.write("docs/other.md", "---\ntitle: Other\n---\n\n# Other\n")
    found = find_file(scratch.root, Path("docs"), "# Other\n")
    assert found == Path("docs/other.md")
