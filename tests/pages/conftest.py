"""The pages as they stand in the repository, with true records."""

from functools import cache

import pytest
from filelock import FileLock

from engine.build.author import read_all
from engine.build.rendered import RenderedPage
from tests.conftest import REPOSITORY
from tests.engine.conftest import built, empty, keep_built, scratch

__all__ = ["built", "empty", "keep_built", "scratch"]

Pages = dict[str, RenderedPage]


@cache
def all_pages() -> Pages:
    """Return the pages by their names, run where no record is true."""
    cache = REPOSITORY / ".cache"
    cache.mkdir(exist_ok=True)
    # The tests run side by side, and two builds at once are an error.
    with FileLock(cache / "tests.lock"):
        return {
            page.src_uri.removesuffix(".md"): page
            for page in read_all(REPOSITORY, runs=True)
        }


@pytest.fixture(scope="session")
def pages() -> Pages:
    return all_pages()
