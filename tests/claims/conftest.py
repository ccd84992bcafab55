"""Where claims are tested: in an empty folder."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tests.devices  # noqa: F401 (before anything is computed)


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Work in an empty folder, in which code of the pages may write."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def no_seed() -> Iterator[None]:
    """Undo the seed that a test has set: with one, other things are true."""
    yield
    if tensorflow := sys.modules.get("tensorflow"):
        tensorflow.random.set_seed(None)
