"""Fixtures: a project that is empty, whole, or whole and built."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import templates_compiled_once
from tests.engine.scratch import MKDOCS, PAGE, REPOSITORY, SNIPPET, Scratch


@pytest.fixture
def empty(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Scratch:
    """A project with neither pages nor snippets."""
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "project"
    for folder in ("docs", "snippets"):
        (root / folder).mkdir(parents=True)
    (root / "mkdocs.yml").write_text(MKDOCS)
    return Scratch(root, capsys)


@pytest.fixture
def scratch(empty: Scratch) -> Scratch:
    """A project with one page and one snippet."""
    empty.write("docs/index.md", PAGE)
    empty.write("snippets/count.py", SNIPPET)
    return empty


@pytest.fixture(scope="session", autouse=True)
def keep_templates(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    with templates_compiled_once(tmp_path_factory.mktemp("templates")):
        yield


@pytest.fixture(scope="session")
def keep_built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the built scratch project is kept for all tests."""
    return tmp_path_factory.mktemp("built") / "project"


@pytest.fixture
def built(scratch: Scratch, keep_built: Path) -> Scratch:
    """The scratch project after a good build."""
    if not keep_built.exists():
        code, words = scratch.build()
        assert code == 0, words
        shutil.copytree(scratch.root, keep_built)
        return scratch
    shutil.rmtree(scratch.root)
    shutil.copytree(keep_built, scratch.root)
    return scratch
