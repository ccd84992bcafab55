"""Seven ways to take the same steps end at the same weights."""

import json
import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from matplotlib.figure import Figure

from snippets.how_fast import (
    train_many,
    train_numpy,
    train_verbosely,
    train_with_losses,
)
from snippets.linear_model import LinearModel
from snippets.loss import loss

EPOCHS = 10
RATE = 0.1


@pytest.fixture(scope="module")
def script(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[dict[str, Any], str]:
    """The variables that the module leaves as a script, and its output."""
    folder = tmp_path_factory.mktemp("script")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        printed: list[str] = []
        patch.setattr(
            "builtins.print",
            lambda *a, **k: printed.append(" ".join(map(str, a))),
        )
        patch.setattr("matplotlib.pyplot.show", lambda: None)
        variables = runpy.run_module("snippets.how_fast", run_name="__main__")
    return variables, "\n".join(printed)


def closed_form(x: tf.Tensor, y: tf.Tensor) -> tuple[float, float, float]:
    """Return w, b and the loss after the epochs, in float64.

    The loss is quadratic and the mean of x is zero, so each weight goes its
    own way to its best value, by a factor 1 - RATE * curvature an epoch.
    """
    inputs, outputs = np.asarray(x, np.float64), np.asarray(y, np.float64)
    best_w = np.mean(inputs * outputs) / np.mean(inputs**2)
    best_b = np.mean(outputs)
    w = best_w + (5 - best_w) * (1 - 2 * RATE * np.mean(inputs**2)) ** EPOCHS
    b = best_b + (0 - best_b) * (1 - 2 * RATE) ** EPOCHS
    end_loss = np.mean((w * inputs + b - outputs) ** 2)
    return float(w), float(b), float(end_loss)


@pytest.mark.parametrize("compiled", [None, False, True])
def test_the_loop_inside_ends_where_the_mathematics_does(
    x: tf.Tensor, y: tf.Tensor, compiled: bool | None
) -> None:
    loop = train_many
    if compiled is not None:
        loop = tf.function(train_many, jit_compile=compiled)
    model = LinearModel()
    loop(model, x, y, RATE, tf.constant(EPOCHS))
    w, b, _ = closed_form(x, y)
    assert float(model.w) == pytest.approx(w, abs=1e-5)
    assert float(model.b) == pytest.approx(b, abs=1e-5)


def test_numpy_takes_the_same_steps(x: tf.Tensor, y: tf.Tensor) -> None:
    w, b = np.float32(5.0), np.float32(0.0)
    for _ in range(EPOCHS):
        w, b = train_numpy(w, b, x.numpy(), y.numpy(), RATE)
    assert w.dtype == b.dtype == np.float32
    expected_w, expected_b, _ = closed_form(x, y)
    assert float(w) == pytest.approx(expected_w, abs=1e-5)
    assert float(b) == pytest.approx(expected_b, abs=1e-5)


@pytest.mark.parametrize("compiled", [None, False, True])
def test_the_losses_are_those_after_each_epoch(
    x: tf.Tensor, y: tf.Tensor, compiled: bool | None
) -> None:
    model = LinearModel()
    loop = train_with_losses
    if compiled is not None:
        loop = tf.function(train_with_losses, jit_compile=compiled)
    losses = loop(model, x, y, RATE, tf.constant(EPOCHS))
    assert losses.shape == (EPOCHS,)
    assert np.all(np.diff(losses) < 0)
    assert float(losses[-1]) == pytest.approx(closed_form(x, y)[2], abs=1e-5)
    assert float(losses[-1]) == pytest.approx(float(loss(y, model(x))), 1e-6)


def test_xla_refuses_to_print(
    x: tf.Tensor, y: tf.Tensor, capfd: pytest.CaptureFixture[str]
) -> None:
    for printing in (train_verbosely, tf.function(train_verbosely)):
        printing(LinearModel(), x, y, RATE)
        assert re.search(r"loss \d\.\d+", capfd.readouterr().err)
    with pytest.raises(tf.errors.InvalidArgumentError, match="StringFormat"):
        tf.function(train_verbosely, jit_compile=True)(
            LinearModel(), x, y, RATE
        )


def test_all_ways_end_at_the_same_weights(
    script: tuple[dict[str, Any], str], x: tf.Tensor, y: tf.Tensor
) -> None:
    variables, printed = script
    ends = variables["ends"]
    assert set(ends) == {
        *variables["seconds"],
        "fit, by tens",
    }
    w, b, _ = closed_form(x, y)
    for name, end in ends.items():
        assert end == pytest.approx((w, b), abs=1e-5), name
    assert "ways: 7, largest difference below 1e-6: True" in printed


def test_numbers_are_traced_anew_and_tensors_are_not(
    script: tuple[dict[str, Any], str],
) -> None:
    _, printed = script
    assert "traces with numbers: 2\ntraces with tensors: 1\n" in printed
    assert "epochs as numbers: 2\nepochs as tensors: 1" in printed
    assert "not compiled, XLA_CPU_JIT: StringFormat" in printed


def test_the_table_has_the_ratios_of_the_file(
    script: tuple[dict[str, Any], str],
) -> None:
    variables, printed = script
    file = Path(__file__).parents[2] / "bench/loop_speed.json"
    seconds = json.loads(file.read_text())["seconds_per_update"]
    assert variables["seconds"] == seconds
    for name, times in seconds.items():
        [line] = re.findall(rf"(?m)^{name}  .*×$", printed)
        shown = [float(n) for n in re.findall(r"([\d.]+)×", line)]
        expected = np.array(seconds["eager loop"]) / times
        np.testing.assert_allclose(shown, expected, rtol=5e-3)


def test_the_figure_has_a_point_for_each_way_and_size(
    shown: list[Figure], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    variables = runpy.run_module("snippets.how_fast", run_name="__main__")
    [figure] = shown
    [axes] = figure.axes
    assert axes.get_xscale() == "log"
    seconds = variables["seconds"]
    for index, line in enumerate(axes.lines):
        expected = [
            seconds["eager loop"][index] / t[index] for t in seconds.values()
        ]
        np.testing.assert_allclose(np.asarray(line.get_xdata()), expected)
    assert len(axes.lines) == len(variables["sizes"]) == 3


def test_a_first_call_is_worth_its_time_after_the_updates_named(
    script: tuple[dict[str, Any], str],
) -> None:
    variables, printed = script
    measured = variables["measured"]
    eager = variables["seconds"]["eager loop"][0]
    for name, first in measured["seconds_of_first_call"].items():
        [worth] = re.findall(rf"{name} +pays after ([\d,]+) updates", printed)
        updates = int(worth.replace(",", ""))
        compiled = variables["seconds"][name][0]
        assert first + updates * compiled <= updates * eager
        assert first + (updates - 1) * compiled > (updates - 1) * eager
