"""A project is read once and stays true while its files change."""

from unittest.mock import Mock

import pytest

from engine.errors import Fault
from engine.pages import read_page
from engine.project import current_project
from tests.engine.scratch import Scratch


def test_pages_are_read_once_for_as_long_as_no_file_changes(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Mock(wraps=read_page)
    monkeypatch.setattr("engine.project.read_page", read)
    for _ in range(5):
        current_project(scratch.root)
    assert read.call_count == 1


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("docs/index.md", "We count.", "We sum up."),
        ("snippets/count.py", "2.5", "3.5"),
        ("settings.json", '{"a": 1}', '{"a": 2}'),
    ],
)
def test_a_changed_file_is_seen(
    scratch: Scratch, file: str, old: str, new: str
) -> None:
    scratch.write("settings.json", '{"a": 1}')
    shown = '```json source="settings.json" file="settings.json"\n```\n'
    page = scratch.root / "docs/index.md"
    page.write_text(page.read_text() + shown)
    before = current_project(scratch.root).page("index")
    assert current_project(scratch.root).page("index") is before
    scratch.replace(file, old, new)
    assert current_project(scratch.root).page("index") != before


def test_a_new_page_and_one_that_is_gone_are_seen(scratch: Scratch) -> None:
    assert len(current_project(scratch.root).pages) == 1
    file = scratch.write("docs/new.md", "# New\n")
    assert len(current_project(scratch.root).pages) == 2
    file.unlink()
    assert len(current_project(scratch.root).pages) == 1


def test_a_fault_is_not_kept(scratch: Scratch) -> None:
    scratch.replace("docs/index.md", "count.py:count", "count.py:cuont")
    with pytest.raises(Fault, match="cuont"):
        current_project(scratch.root)
    scratch.replace("docs/index.md", "count.py:cuont", "count.py:count")
    assert current_project(scratch.root).page("index").blocks


def test_a_page_is_found_by_its_text_without_front_matter(
    scratch: Scratch,
) -> None:
    scratch.write("docs/other.md", "---\ntitle: Other\n---\n\n# Other\n")
    found = current_project(scratch.root).bodies["# Other"]
    assert found.path.name == "other.md"
