"""A page whose programs run in the workers that all tests share."""

import pytest

from engine.run.workers import Workers
from tests.engine.run.programs import Page


@pytest.fixture
def page(workers: Workers) -> Page:
    return Page(workers._root, workers)
