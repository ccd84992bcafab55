"""Fixtures: workers that all tests of a file share, and a page for each."""

from collections.abc import Iterator

import pytest

from engine.run.workers import Workers
from tests.engine.run.programs import Page


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    folder = tmp_path_factory.mktemp("workers")
    preload = ["numpy.random", "matplotlib.pyplot"]
    with Workers(folder, folder / "cache", preload) as workers:
        yield workers


@pytest.fixture
def page(workers: Workers) -> Page:
    return Page(workers._root, workers)
