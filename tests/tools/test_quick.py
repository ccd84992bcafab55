"""The quick check looks at what has changed, and at nothing else."""

import os
import subprocess
import tempfile
from unittest.mock import Mock

import pytest

from engine.build import author
from tests.engine.scratch import REPOSITORY, Scratch
from tools import quick
from tools.expected import main as expected

TEST = """\
from snippets.count import math

def test_floor():
    assert math.floor(2.5) == {}
"""
OTHER = "def test_other():\n    raise AssertionError('was run')\n"
CHECKED = """\
[tool.mypy]
files = ["snippets"]
"""


@pytest.fixture
def committed(built: Scratch) -> Scratch:
    """A built project with tests, in git."""
    built.write("pyproject.toml", CHECKED)
    built.write("snippets/__init__.py", "")
    built.write("tests/snippets/test_count.py", TEST.format(2))
    built.write("tests/snippets/test_other.py", OTHER)
    built.write("tests/site/test_index.py", OTHER)
    built.write(".gitignore", ".cache\nsite\n__pycache__\n.*_cache\n")
    assert expected(["--root", str(built.root), "--write"]) == 0
    who = ["-c", "user.name=A", "-c", "user.email=a@b.example"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "All"]):
        subprocess.run(["git", *who, *words], cwd=built.root, check=True)
    return built


def run(site: Scratch, *arguments: str) -> tuple[int, str]:
    """Run the command; return its code, and what it and others printed."""
    site.capsys.readouterr()
    with tempfile.TemporaryFile() as file:
        before = os.dup(1), os.dup(2)
        try:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
            code = quick.main(["--root", str(site.root), *arguments])
        finally:
            os.dup2(before[0], 1)
            os.dup2(before[1], 2)
        file.seek(0)
        others = file.read().decode()
    said = site.capsys.readouterr()
    return code, said.out + said.err + others


def test_where_nothing_has_changed_nothing_is_tested(
    committed: Scratch,
) -> None:
    code, words = run(committed)
    assert code == 0
    assert "passed" not in words


def test_an_edited_snippet_leads_to_its_tests_and_its_pages(
    committed: Scratch,
) -> None:
    committed.replace("snippets/count.py", '"number", number', '"no.", number')
    code, words = run(committed)
    assert code == 1
    assert "1 passed" in words
    assert "Running docs/index.md" in words
    assert "was number 0" in words
    assert "was run" not in words


def test_a_failing_test_is_the_one_failure_that_is_shown(
    committed: Scratch,
) -> None:
    committed.replace("tests/snippets/test_count.py", "== 2", "== 3")
    code, words = run(committed, "--tests")
    assert code == 1
    assert words.count("FAILED") == 1
    assert "Running" not in words


def test_a_change_is_noticed_first_by_what_is_quick(
    committed: Scratch,
) -> None:
    committed.write("tests/test_far.py", "import snippets.count\n\n" + OTHER)
    committed.replace("snippets/count.py", '"number", number', '"no.", number')
    code, words = run(committed, "--tests")
    assert code == 1
    assert "1 passed" in words
    assert "was number 0" in words
    assert "was run" not in words


def test_a_page_is_checked_by_name_with_what_it_shows(
    committed: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Mock(wraps=author._read_all)
    monkeypatch.setattr(author, "_read_all", read)
    code, words = run(committed, "docs/index.md")
    assert code == 0, words
    assert read.call_count == 1
    assert "1 passed" in words
    committed.write("snippets/count.py", "x=1\n")
    code, words = run(committed, "index")
    assert code == 1
    assert "snippets/count.py" in words


def test_a_page_that_there_is_not_is_named(
    committed: Scratch,
) -> None:
    code, words = run(committed, "nothing")
    assert (code, words) == (1, 'There is no page "nothing" in docs/.\n')


def chosen(file: str, *, all_kinds: bool) -> list[str]:
    return quick.tests_of(REPOSITORY, {file}, set(), all_kinds=all_kinds)


def test_a_change_in_the_engine_leads_to_the_tests_of_its_room() -> None:
    found = chosen("engine/run/terminal.py", all_kinds=False)
    assert found[0] == "tests/engine/run/test_terminal.py"
    assert "tests/engine/run/test_queue.py" in found
    assert not any(name.startswith("tests/site/") for name in found)
    pages = quick.pages_of(REPOSITORY, {"snippets/first_loop.py"})
    assert pages == {"index"}


def test_tests_of_what_has_changed_come_before_those_of_its_pages() -> None:
    pages = quick.pages_of(REPOSITORY, {"snippets/loss.py"})
    found = quick.tests_of(
        REPOSITORY, {"snippets/loss.py"}, pages, all_kinds=False
    )
    assert found[0] == "tests/snippets/test_loss.py"
    assert "tests/claims/test_basic_training_loops.py" in found


def test_all_kinds_of_input_are_tried_for_what_reads_pages() -> None:
    kinds = "tests/engine/kinds/test_links.py"
    own = "tests/engine/read/test_sections.py"
    found = chosen("engine/read/page.py", all_kinds=True)
    assert found.index(kinds) > found.index(own)
    assert kinds not in chosen("engine/read/page.py", all_kinds=False)
    assert kinds in chosen("engine/build/site.py", all_kinds=True)
    assert kinds not in chosen("engine/run/worker.py", all_kinds=True)
    assert kinds not in chosen("snippets/loss.py", all_kinds=True)
