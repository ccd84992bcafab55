"""The data, the plots and the numbers that the tests compare with."""

import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import tensorflow as tf
from matplotlib.figure import Figure

import tests.devices  # noqa: F401 (before anything is computed)
from snippets.data import make_data


@pytest.fixture
def x() -> tf.Tensor:
    """The inputs, as every page makes them."""
    return make_data()[0]


@pytest.fixture
def y() -> tf.Tensor:
    """The outputs, as every page makes them."""
    return make_data()[1]


@pytest.fixture
def best(x: tf.Tensor, y: tf.Tensor) -> tuple[float, float]:
    """The least squares fit, w and b, by NumPy in float64."""
    inputs = np.asarray(x, np.float64)
    columns = np.stack([inputs, np.ones_like(inputs)], axis=1)
    w, b = np.linalg.lstsq(columns, np.asarray(y, np.float64))[0]
    return float(w), float(b)


@pytest.fixture(autouse=True)
def shown(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Figure]]:
    """The figures that a test showed; none opens a window or stays open."""
    figures: list[Figure] = []

    def show() -> None:
        figures.append(plt.gcf())
        plt.close()

    plt.switch_backend("Agg")
    monkeypatch.setattr(plt, "show", show)
    yield figures
    plt.close("all")


@pytest.fixture
def printed_by(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[[str], list[str]]:
    """Run a module as a script, elsewhere; return the lines it prints.

    It complains of nothing, and shows every figure that it draws.
    """

    def run(name: str) -> list[str]:
        monkeypatch.chdir(tmp_path)
        # runpy warns of modules that are imported already.
        monkeypatch.delitem(sys.modules, f"snippets.{name}", raising=False)
        runpy.run_module(f"snippets.{name}", run_name="__main__")
        printed = capsys.readouterr()
        assert printed.err == ""
        assert plt.get_fignums() == [], "a figure was not shown"
        return printed.out.splitlines()

    return run


@pytest.fixture
def eagerly() -> Iterator[None]:
    """Run compiled steps as Python, where their lines are counted."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(params=["compiled", "eager"])
def each_way(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run `tf.function` as a graph, and once more as Python."""
    tf.config.run_functions_eagerly(request.param == "eager")
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module", autouse=True)
def fresh_seed() -> None:
    """Undo the global seed that the tests of another module may have set."""
    tf.random.set_seed(None)


@pytest.fixture(autouse=True)
def own_classes() -> Iterator[None]:
    """Undo what a test, such as one that runs a script, told Keras of."""
    registered = tf.keras.utils.get_custom_objects()
    before = dict(registered)
    yield
    registered.clear()
    registered.update(before)
