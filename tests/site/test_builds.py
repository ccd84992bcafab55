"""Builds repeat to the byte and do no more than they must."""

import filecmp
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PUBLISHED, REPOSITORY
from tests.site.conftest import PAGES


def clone(folder: Path) -> Path:
    """Copy the project without what a build makes of it."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if not (REPOSITORY / name).is_file():
            continue
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, folder / name)
    return folder


def build(folder: Path, **variables: str) -> str:
    """Build the copy; return all that was said."""
    result = subprocess.run(
        [sys.executable, "-m", "engine", "build"],
        cwd=folder,
        env={**os.environ, **PUBLISHED, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stderr


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which every page was run anew."""
    folder = clone(tmp_path_factory.mktemp("first"))
    words = build(folder)
    assert words.count("Running docs/") == len(PAGES)
    return folder


def test_another_clean_build_is_the_same_to_the_byte(
    site: Path, first: Path
) -> None:
    files = sorted(
        path.relative_to(site) for path in site.rglob("*") if path.is_file()
    )
    assert len(files) > 10
    _, different, missing = filecmp.cmpfiles(
        site, first / "site", files, shallow=False
    )
    assert (different, missing) == ([], [])
    assert len(files) == sum(p.is_file() for p in first.glob("site/**/*"))


def test_editing_prose_imports_no_tensorflow(first: Path) -> None:
    page = first / "docs/basic_training_loops.md"
    page.write_text(page.read_text().replace("Plot both", "Draw both"))
    words = build(first, PYTHONPROFILEIMPORTTIME="1")
    assert "import time:" in words
    assert "tensorflow" not in modules(words)
    assert "matplotlib" not in modules(words)
    assert (
        "Draw both"
        in (first / "site/basic_training_loops/index.html").read_text()
    )


def test_editing_a_section_imports_tensorflow_and_runs_its_page(
    first: Path,
) -> None:
    snippet = first / "snippets/foundations.py"
    snippet.write_text(snippet.read_text().replace("[1.0, 2.0", "[1.5, 2.0"))
    words = build(first, PYTHONPROFILEIMPORTTIME="1")
    assert "tensorflow" in modules(words)
    assert "Running docs/foundations.md" in words
    assert "Running docs/basic_training_loops.md" not in words


def modules(words: str) -> set[str]:
    """Return what was imported, by the interpreter's own account."""
    return {
        line.rsplit("|", 1)[1].strip()
        for line in words.splitlines()
        if line.startswith("import time:") and "|" in line
    }
