"""Fixtures: a project that is empty, whole, or built; and workers."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.run.workers import Workers
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

    def build() -> None:
        code, words = scratch.build()
        assert code == 0, words

    made_once(scratch, keep_built, build)
    return scratch


def made_once(site: Scratch, kept: Path, make: Callable[[], None]) -> None:
    """Let the project be what ``make`` makes of it for whoever is first."""
    if not kept.exists():
        make()
        shutil.copytree(site.root, kept)
        return
    shutil.rmtree(site.root)
    shutil.copytree(kept, site.root)


@pytest.fixture(scope="session")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    """Workers that have imported what drawing needs, which takes a while."""
    folder = tmp_path_factory.mktemp("workers")
    preload = ["numpy.random", "matplotlib.pyplot"]
    with Workers(folder, folder / "cache", preload) as workers:
        yield workers
