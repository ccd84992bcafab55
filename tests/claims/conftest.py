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


@pytest.fixture(scope="module")
def graphs_as_they_are() -> Iterator[None]:
    """Make no graph quicker, which takes longer than to run it thrice."""
    import tensorflow as tf

    for off in (True, False):
        tf.config.optimizer.set_experimental_options(
            {"disable_meta_optimizer": off}
        )
        if off:
            yield


@pytest.fixture(autouse=True)
def no_seed() -> Iterator[None]:
    """Undo the seed that a test has set: with one, other things are true."""
    yield
    if tensorflow := sys.modules.get("tensorflow"):
        tensorflow.random.set_seed(None)
