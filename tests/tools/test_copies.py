"""A copy has what is the project's own."""

from tests.engine.scratch import Scratch
from tools.copies import copy_project


def test_what_was_made_of_the_project_is_not_copied(scratch: Scratch) -> None:
    scratch.write("site/index.html", "made")
    scratch.write("offline/index.html", "made")
    scratch.write(".cache/records/index.json", "made")
    scratch.write("tests/site/test_links.py", "own")
    scratch.write("tests/site/__pycache__/test_links.pyc", "made")
    scratch.write("theme/.icons/logo.svg", "own")
    copy = scratch.root.with_name("copy")
    copy_project(scratch.root, copy)
    files = {p.relative_to(copy).as_posix() for p in copy.rglob("*.*")}
    assert files == {
        "docs/index.md",
        "mkdocs.yml",
        "snippets/count.py",
        "tests/site/test_links.py",
        "theme/.icons",
        "theme/.icons/logo.svg",
    }
