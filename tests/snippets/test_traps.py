"""Every trap of the page still springs, and every mend still holds.

The tests run the very sections that the page shows.  A test that a trap
springs also puts the check, the end of the mended section, under the code
that looks right and sees it fail.  If a release of TensorFlow or Keras mends
a trap, its test fails, and the page is to be told.
"""

import ast
import importlib
import random
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf

from snippets.data import make_data
from snippets.keras_model import KerasLinearModel
from snippets.linear_model import LinearModel
from snippets.loss import loss
from snippets.traps_checks import (
    check_log,
    check_metric,
    check_step,
    train_swapped,
)
from snippets.traps_functions import (
    settings,
    train_as_set,
    train_layers,
    two_layers,
)
from snippets.traps_keras import (
    AsAdvised,
    Hidden,
    KerasTwo,
    LazyLine,
    OwnStep,
    Recorded,
    Unweighted,
    normed_line,
)
from snippets.traps_steps import largest_curvature, train
from tests.story import Names, execute, statements

MODULES = (
    *("checks", "functions", "keras", "loss", "metrics", "seeds"),
    "steps",
)
WHOLE = {"batch_size": 201, "shuffle": False, "verbose": 0}

Array = npt.NDArray[np.float64]


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Work in an empty folder, and draw without a screen."""
    monkeypatch.chdir(tmp_path)
    plt.switch_backend("agg")


def run(module: str, *shown: str) -> Names:
    """Run sections as the page does; return the names they leave."""
    module = f"traps_{module}"
    names = dict(vars(importlib.import_module(f"snippets.{module}")))
    names["x"], names["y"] = make_data()
    names["whole"] = WHOLE
    for name in shown:
        execute(module, statements(module, name), names)
    return names


def check(module: str, mended: str, end: slice, names: Names) -> None:
    """Run the check with which the mended section ends."""
    module = f"traps_{module}"
    parts = statements(module, mended)[end]
    assert any("assert" in ast.unparse(part) for part in parts)
    execute(module, parts, names)


LAST = slice(-1, None)
LAST_TWO = slice(-2, None)
LAST_BUT_ONE = slice(-2, -1)


def data(shift: float = 0.0) -> tuple[Array, Array]:
    """Return the data as NumPy sees them."""
    x, y = make_data()
    return x.numpy().astype(float) + shift, y.numpy().astype(float)


def descend(steps: int, rate: float, shift: float = 0.0) -> list[float]:
    """Return the losses of gradient descent, computed with NumPy."""
    x, y = data(shift)
    w, b, losses = 5.0, 0.0, []
    for _ in range(steps):
        error = w * x + b - y
        losses.append(float(np.mean(error**2)))
        w, b = (
            w - rate * 2 * float(np.mean(error * x)),
            b - rate * 2 * float(np.mean(error)),
        )
    return losses


def compiled(model: Any, **options: Any) -> Any:
    model.compile(
        tf.keras.optimizers.SGD(0.1), loss="mse", metrics=["mse"], **options
    )
    return model


# 1. A variable that Keras cannot see


def test_trap_01_springs() -> None:
    with warnings.catch_warnings(action="error"):
        names = run("keras", "half_hidden")
    model, losses = names["model"], names["log"]["loss"]
    assert losses[-1] < losses[0] / 2
    assert losses[-1] == pytest.approx(losses[-5], abs=1e-3)
    assert losses[-1] > 4.0
    assert float(model.b) == 0.0
    assert len(model.weights) == 1
    with pytest.raises(AssertionError):
        check("keras", "all_seen", LAST, names)


def test_the_model_of_trap_01_is_a_line_all_the_same() -> None:
    model = Hidden()
    model.b.assign(3.0)
    assert model(tf.constant([-1.0, 0.0, 2.0])).numpy().tolist() == [-2, 3, 13]


def test_trap_01_is_mended() -> None:
    names = run("keras", "all_seen")
    slope, offset = np.polyfit(*data(), 1)
    assert float(names["model"].w) == pytest.approx(slope, abs=0.01)
    assert float(names["model"].b) == pytest.approx(offset, abs=0.05)


class AllHidden(Hidden):
    def __init__(self) -> None:
        tf.keras.Model.__init__(self)
        self.w, self.b = tf.Variable(5.0), tf.Variable(0.0)


def test_trap_01_is_told_by_fit_if_all_variables_are_hidden() -> None:
    x, y = make_data()
    model = compiled(AllHidden())
    with pytest.warns(UserWarning, match="not have any trainable weights"):
        fit = model.fit(x, y, epochs=2, **WHOLE)
    assert fit.history["loss"][1] == fit.history["loss"][0]


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_trap_01_is_told_by_an_optimizer_if_all_are_hidden(name: str) -> None:
    optimizer = getattr(tf.keras.optimizers, name)(0.1)
    variables = AllHidden().trainable_variables
    assert variables == []
    with pytest.raises(ValueError, match="not enough values to unpack"):
        optimizer.apply_gradients(zip([], variables, strict=True))


# 2. A row against a column


def test_trap_02_springs() -> None:
    names = run("loss", "row_against_column")
    _, y = data()
    assert names["errors"].shape == (201, 201)
    assert float(names["model"].w) == pytest.approx(0.0, abs=1e-4)
    assert float(names["model"].b) == pytest.approx(y.mean(), abs=1e-3)
    assert float(names["current_loss"]) == pytest.approx(y.var(), rel=1e-4)
    with pytest.raises(AssertionError):
        check("loss", "columns", LAST, names)


def test_trap_02_is_mended() -> None:
    names = run("loss", "row_against_column", "columns")
    slope, offset = np.polyfit(*data(), 1)
    assert float(names["model"].w) == pytest.approx(slope, abs=1e-3)
    assert float(names["model"].b) == pytest.approx(offset, abs=1e-3)


def test_the_loss_over_all_pairs_is_what_the_page_says() -> None:
    x, y = data()
    predictions = 5.0 * x + 1.0
    pairs = np.mean((predictions[:, None] - y) ** 2)
    gap = predictions.mean() - y.mean()
    assert pairs == pytest.approx(predictions.var() + y.var() + gap**2)


def test_a_loss_of_keras_brings_both_to_one_shape() -> None:
    _, y = make_data()
    keras_loss = tf.keras.losses.MeanSquaredError()
    assert float(keras_loss(y, y[:, tf.newaxis])) == 0.0


# 3. Gradients in another order


def test_trap_03_springs() -> None:
    names = run("steps", "swapped")
    assert np.all(np.diff(names["history"]) > 0)
    with pytest.raises(AssertionError):
        check("steps", "paired", LAST, names)


def test_trap_03_is_mended() -> None:
    names = run("steps", "paired")
    np.testing.assert_allclose(names["history"], descend(6, 0.1), rtol=1e-4)


def test_a_module_lists_by_name_and_keras_as_made() -> None:
    module = [v.name for v in LinearModel().trainable_variables]
    assert module == ["b:0", "w:0"]
    keras = [v.name for v in KerasLinearModel().trainable_variables]
    assert keras == ["w", "b"]


# 4. A variable rebound


def test_trap_04_springs() -> None:
    with warnings.catch_warnings(action="error"):
        names = run("steps", "rebound")
    assert len(set(names["history"])) == 1
    assert float(names["model"].w) == 5.0
    assert tf.is_tensor(names["variable"])
    with pytest.raises(AssertionError):
        check("steps", "assigned", LAST, names)


def test_trap_04_is_mended() -> None:
    names = run("steps", "assigned")
    np.testing.assert_allclose(names["history"], descend(6, 0.1), rtol=1e-4)


def test_trap_04_is_told_by_variables_of_tensorflow() -> None:
    with pytest.raises(RuntimeError, match="assign_sub"):
        run("steps", "refused")


# 5. A log of something else


def test_trap_05_springs() -> None:
    names = run("keras", "wrong_logs")
    losses = descend(4, 0.1, shift=1.0)
    np.testing.assert_allclose(names["log"]["mse"], losses, rtol=1e-4)
    assert np.all(np.diff(names["log"]["loss"]) > 0)
    with pytest.raises(AssertionError):
        check("keras", "right_log", LAST, names)


def test_trap_05_is_mended() -> None:
    names = run("keras", "right_log")
    losses = descend(4, 0.1, shift=1.0)
    np.testing.assert_allclose(names["log"]["loss"], losses, rtol=1e-4)
    np.testing.assert_allclose(names["log"]["mse"], losses, rtol=1e-4)


def test_trap_05_logs_the_mean_prediction_and_advises_another_step() -> None:
    x, y = make_data()
    model = compiled(KerasTwo(), run_eagerly=True)
    with pytest.warns(UserWarning, match="for metric in self.metrics"):
        log = model.fit(x + 1.0, y, **WHOLE).history
    mean = np.mean(5.0 * data(1.0)[0])
    assert log["loss"][0] == pytest.approx(mean, rel=1e-4)


def test_trap_05_logs_a_weighted_mean_of_y_and_brings_no_warning() -> None:
    x, y = make_data()
    model = compiled(AsAdvised(), run_eagerly=True)
    with warnings.catch_warnings(action="error"):
        warnings.filterwarnings("ignore", module="tensorflow")
        log = model.fit(x + 1.0, y, **WHOLE).history
    inputs, outputs = data(1.0)
    mean = np.average(outputs, weights=5.0 * inputs)
    assert log["loss"][0] == pytest.approx(mean, rel=1e-4)


def test_the_mended_log_is_that_of_fit_with_uneven_batches() -> None:
    x, y = make_data()
    uneven = {"batch_size": 64, "shuffle": False, "verbose": 0}
    own = compiled(Recorded(), run_eagerly=True).fit(x, y, **uneven)
    fit = compiled(KerasLinearModel(), run_eagerly=True).fit(x, y, **uneven)
    assert own.history["loss"] == pytest.approx(fit.history["loss"], rel=1e-5)


def test_data_unpacked_by_hand_raises_with_weights_and_for_one_batch() -> None:
    class ByHand(KerasLinearModel):
        def train_step(self, data: Any) -> Any:
            x, y = data
            return {"loss": self.compute_loss(x, y, self(x))}

    x, y = make_data()
    model: Any = ByHand()
    model.compile(loss="mse", run_eagerly=True)
    for options in (
        {"sample_weight": tf.ones(201)},
        {"class_weight": {0: 1.0, 1: 2.0}},
    ):
        with pytest.raises(ValueError, match="too many values to unpack"):
            model.fit(x, tf.cast(y > 0, tf.float32), **WHOLE, **options)
    with pytest.raises(ValueError, match="too many values to unpack"):
        model.train_on_batch(x, y)
    model.fit(x, y, **WHOLE)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"sample_weight": np.linspace(0.0, 2.0, 201)},
        {"class_weight": {0: 1.0, 1: 4.0}},
    ],
)
def test_the_mended_step_logs_and_learns_with_weights_as_fit_does(
    options: dict[str, Any],
) -> None:
    x, y = (tensor[:, tf.newaxis] for tensor in make_data())
    labels = tf.cast(y > 0, tf.float32)
    uneven = {"batch_size": 64, "epochs": 2, "shuffle": False, "verbose": 0}
    logs, ends = [], []
    for made in (Recorded(), KerasLinearModel()):
        model: Any = made
        model.compile(
            tf.keras.optimizers.SGD(0.1),
            loss="mse",
            metrics=["mse"],
            weighted_metrics=["mae"],
            run_eagerly=True,
        )
        logs.append(model.fit(x, labels, **uneven, **options).history)
        ends.append([float(model.w), float(model.b)])
    assert logs[0].keys() == logs[1].keys()
    for name, values in logs[0].items():
        assert values == pytest.approx(logs[1][name], rel=1e-5), name
    assert ends[0] == pytest.approx(ends[1], rel=1e-5)


def test_the_mended_step_takes_a_single_batch() -> None:
    x, y = make_data()
    model = compiled(Recorded(), run_eagerly=True)
    first, _ = model.train_on_batch(x, y)
    assert first == pytest.approx(descend(1, 0.1)[0], rel=1e-4)


def two_outputs(kind: Any) -> Any:
    """Return a model of this kind with two outputs, compiled."""
    inputs = tf.keras.Input((1,))
    outputs = {
        name: tf.keras.layers.Dense(1, name=name, kernel_initializer="ones")(
            inputs
        )
        for name in ("one", "two")
    }
    model = kind(inputs, outputs)
    model.compile(
        tf.keras.optimizers.SGD(0.1),
        loss={"one": "mse", "two": "mae"},
        metrics={"one": ["mae"]},
        run_eagerly=True,
    )
    return model


def of_two_outputs(kind: type[OwnStep]) -> type:
    """Return a class with the step of this kind, and the model of Keras."""
    steps = {
        name: vars(owner)[name]
        for owner, name in ((OwnStep, "train_step"), (kind, "_record"))
    }
    return type(kind.__name__, (tf.keras.Model,), steps)


def test_trap_05_is_mended_for_two_outputs_and_as_advised_raises() -> None:
    x, y = (tensor[:, tf.newaxis] for tensor in make_data())
    targets = {"one": y, "two": -y}
    uneven = {"batch_size": 64, "epochs": 2, "shuffle": False, "verbose": 0}
    own, fit = (
        two_outputs(kind).fit(x, targets, **uneven).history
        for kind in (of_two_outputs(Recorded), tf.keras.Model)
    )
    assert own["loss"] == pytest.approx(fit["loss"], rel=1e-5)
    assert own["one_mae"] == pytest.approx(fit["one_mae"], rel=1e-5)
    with pytest.raises((TypeError, ValueError)):
        two_outputs(of_two_outputs(AsAdvised)).fit(x, targets, **uneven)


# 6. A loss that was never scaled


def test_trap_06_springs(capsys: pytest.CaptureFixture[str]) -> None:
    names = run("loss", "unscaled")
    first, *_, last = names["history"]
    said = f"first loss {first:.4f}, tenth loss {last:.4f}\n"
    assert capsys.readouterr().out == said
    x, y = data()
    slope = 2 * np.mean((5.0 * x - y) * x)
    scale = float(names["optimizer"].initial_scale)
    assert scale == 32768.0
    moved = 5.0 - float(names["model"].w)
    assert moved == pytest.approx(10 * 0.1 * slope / scale, rel=0.05)
    with pytest.raises(AssertionError):
        check("loss", "scaled", LAST, names)


def test_trap_06_is_mended() -> None:
    names = run("loss", "scaled")
    np.testing.assert_allclose(names["history"], descend(10, 0.1), rtol=1e-4)


# 7. A checkpoint read too early


def test_trap_07_springs() -> None:
    with warnings.catch_warnings(action="error"):
        names = run("keras", "restored_early")
    restored, inputs = names["restored"], names["inputs"]
    assert float(names["trained"](inputs)[-1, 0]) == 8.0
    assert float(restored(inputs)[-1, 0]) == 4.0
    assert restored.dense.bias.numpy().item() == 2.0
    assert restored.dense.kernel.numpy().item() == 1.0
    assert len(restored.variables) == 3
    with pytest.raises(AssertionError, match="kernel"):
        check("keras", "restored_late", LAST, names)


def test_trap_07_is_mended() -> None:
    names = run("keras", "restored_early", "restored_late")
    assert float(names["restored"](names["inputs"])[-1, 0]) == 8.0
    assert len(names["restored"].variables) == 2


def test_trap_07_spares_a_model_that_has_been_called() -> None:
    model = LazyLine()
    assert model.variables == []
    assert model(tf.ones((3, 1))).shape == (3, 1)
    assert len(model.variables) == 2


# 8. A number frozen in a graph


def test_trap_08_springs_by_freezing() -> None:
    names = run("functions", "frozen")
    assert np.all(np.diff(names["weights"]) < -0.1)
    with pytest.raises(AssertionError):
        check("functions", "traced_once", LAST_BUT_ONE, names)


def test_trap_08_springs_by_tracing_again() -> None:
    names = run("functions", "retraced")
    count = names["compiled_train"].experimental_get_tracing_count()
    assert count == 3
    with pytest.raises(AssertionError):
        check("functions", "traced_once", LAST, names)


def test_trap_08_is_mended() -> None:
    names = run("functions", "traced_once")
    assert len(set(names["weights"])) == 1
    assert names["weights"][0] < 5.0


def test_the_settings_count_as_long_as_nothing_is_compiled() -> None:
    x, y = make_data()
    model = LinearModel()
    settings["learning_rate"] = 0.0
    train_as_set(model, x, y)
    assert float(model.w) == 5.0
    settings["learning_rate"] = 0.1
    train_as_set(model, x, y)
    assert float(model.w) < 5.0


# 9. Training mode and penalties forgotten


def test_trap_09_springs() -> None:
    names = run("keras", "forgotten")
    model = names["model"]
    assert model.layers[0].moving_mean.numpy().item() == 0.0
    # The first loss is that of a line of slope 1, but for the normalisation's
    # epsilon, and without the penalty.
    inputs, outputs = data(1.0)
    expected = np.mean((inputs / np.sqrt(1.001) - outputs) ** 2)
    assert names["history"][0] == pytest.approx(expected, rel=1e-4)
    assert float(sum(model.losses)) > 0.1
    with pytest.raises(AssertionError):
        check("keras", "remembered", LAST_TWO, names)


def test_trap_09_is_mended() -> None:
    names = run("keras", "forgotten", "remembered")
    mean = names["model"].layers[0].moving_mean.numpy().item()
    assert mean == pytest.approx(1.0 - 0.9**50, abs=1e-3)
    inputs, outputs = data(1.0)
    normed = (inputs - inputs.mean()) / np.sqrt(inputs.var() + 0.001)
    expected = np.mean((normed - outputs) ** 2) + 0.1
    assert names["history"][0] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("half", ["training", "penalty"])
def test_the_check_of_trap_09_catches_either_half(half: str) -> None:
    names = run("keras")
    x, y = names["x"][:, tf.newaxis] + 1.0, names["y"][:, tf.newaxis]
    model = normed_line()
    first = loss(y, model(x, training=half == "training"))
    first += sum(model.losses) if half == "penalty" else 0.0
    names |= {"history": [float(first)], "inputs": x, "outputs": y}
    with pytest.raises(AssertionError):
        check("keras", "remembered", LAST_TWO, names)


# 10. A learning rate past the limit


def test_trap_10_springs() -> None:
    names = run("steps", "too_fast")
    history = names["history"]
    assert history[2] < history[1] < history[0]
    assert np.all(np.diff(history[2:]) > 0)
    np.testing.assert_allclose(history, descend(10, 0.76), rtol=1e-4)
    with pytest.raises(AssertionError):
        check("steps", "below_the_limit", LAST, names)


def test_trap_10_is_mended() -> None:
    names = run("steps", "below_the_limit")
    assert names["limit"] == pytest.approx(75 / 101, rel=1e-5)
    assert names["learning_rate"] == 0.72
    assert np.all(np.diff(names["history"]) < 0)


@pytest.mark.parametrize("shift", [0.0, 1.0, -3.0])
def test_the_curvature_is_the_largest_eigenvalue(shift: float) -> None:
    x, y = make_data()
    inputs, _ = data(shift)
    mean, square = inputs.mean(), np.mean(inputs**2)
    hessian = 2 * np.array([[square, mean], [mean, 1.0]])
    expected = np.linalg.eigvalsh(hessian)[-1]
    for model in (LinearModel(), KerasLinearModel()):
        curvature = largest_curvature(model, x + shift, y)
        assert curvature == pytest.approx(expected, rel=1e-5)


# 11. A metric never reset


def epoch_means() -> list[float]:
    """Return each epoch's mean loss of trap 11, computed with NumPy."""
    x, y = data()
    w, b, means = 5.0, 0.0, []
    for _ in range(4):
        losses = []
        for start in range(3):
            error = w * x[start::3] + b - y[start::3]
            losses.append(error**2)
            w -= 0.03 * 2 * float(np.mean(error * x[start::3]))
            b -= 0.03 * 2 * float(np.mean(error))
        means.append(float(np.mean(np.concatenate(losses))))
    return means


def test_trap_11_springs() -> None:
    names = run("metrics", "never_reset")
    result = float(names["mean_loss"].result())
    assert result == pytest.approx(np.mean(epoch_means()), rel=1e-4)
    assert result > 1.5 * epoch_means()[-1]
    with pytest.raises(AssertionError):
        check("metrics", "reset", LAST, names)


def test_trap_11_is_mended() -> None:
    names = run("metrics", "reset")
    result = float(names["mean_loss"].result())
    assert result == pytest.approx(epoch_means()[-1], rel=1e-4)


def test_the_mend_of_trap_11_weighs_uneven_batches_by_their_rows() -> None:
    module, x_y = "traps_metrics", make_data()
    names = dict(vars(importlib.import_module(f"snippets.{module}")))
    names["x"], names["y"] = (tensor[:100] for tensor in x_y)
    frozen = {"train": lambda *step: None}
    execute(module, statements(module, "reset"), names | frozen)
    names |= frozen
    execute(module, statements(module, "reset"), names)
    x, y = (tensor[:100] for tensor in data())
    expected = float(np.mean((5.0 * x - y) ** 2))
    result = float(names["mean_loss"].result())
    assert result == pytest.approx(expected, rel=1e-4)
    assert len({len(x[start::3]) for start in range(3)}) == 2


# 12. A metric that counts batches


def test_trap_12_springs() -> None:
    names = run("metrics", "rows_as_one")
    x, y = data()
    squares = (5.0 * x - y) ** 2
    batches = [squares[i : i + 32].mean() for i in range(0, 201, 32)]
    expected = float(np.mean(batches))
    assert abs(expected - squares.mean()) > 0.5
    assert float(names["metric"].result()) == pytest.approx(expected, rel=1e-4)
    assert int(names["metric"].count) == len(batches) == 7
    assert names["log"]["mse"] == pytest.approx(expected, rel=1e-4)
    assert names["log"]["loss"] == pytest.approx(squares.mean(), rel=1e-4)
    with pytest.raises(AssertionError):
        check("metrics", "rows_apart", LAST, names)


def test_trap_12_is_mended() -> None:
    names = run("metrics", "rows_apart")
    x, y = data()
    expected = np.mean((5.0 * x - y) ** 2)
    assert float(names["metric"].result()) == pytest.approx(expected, rel=1e-4)
    assert names["log"]["mse"] == pytest.approx(expected, rel=1e-4)


# 13. A loss for each row


def test_trap_13_springs() -> None:
    names = run("loss", "loss_per_row")
    assert names["current_loss"].shape == (201,)
    # By the sum each step is as long as 201 steps by the mean.
    losses = descend(6, 0.1 * 201)
    np.testing.assert_allclose(names["history"], losses, rtol=1e-3)
    assert np.all(np.diff(names["history"]) > 0)
    with pytest.raises(AssertionError):
        check("loss", "one_loss", LAST, names)


def test_trap_13_is_mended() -> None:
    names = run("loss", "loss_per_row", "one_loss")
    np.testing.assert_allclose(names["history"], descend(6, 0.1), rtol=1e-4)


def train_by_rows(model: Any, x: Any, y: Any, learning_rate: float) -> None:
    with tf.GradientTape() as tape:
        predictions = model(x[:, tf.newaxis])
        current_loss = tf.keras.losses.mse(y[:, tf.newaxis], predictions)
    variables = model.trainable_variables
    gradients = tape.gradient(current_loss, variables)
    for variable, gradient in zip(variables, gradients, strict=True):
        variable.assign_sub(learning_rate * gradient)


def test_trap_13_ends_in_infinity_and_then_in_nan() -> None:
    x, y = make_data()
    model, history = LinearModel(), []
    for _ in range(30):
        history.append(float(loss(y, model(x))))
        train_by_rows(model, x, y, 0.1)
    first = history.index(float("inf"))
    assert 6 < first < 15
    assert np.isnan(history[-1])


def test_trap_13_needs_another_rate_with_another_batch() -> None:
    x, y = make_data()
    for part in (slice(None), slice(None, 40)):
        rows = len(x[part])
        ends = []
        for step, rate in ((train, 0.1), (train_by_rows, 0.1 / rows)):
            model = LinearModel()
            step(model, x[part], y[part], rate)
            ends.append([float(model.w), float(model.b)])
        assert ends[0] == pytest.approx(ends[1], rel=1e-4)


def test_the_object_returns_one_number_and_the_function_one_for_each_row() -> (
    None
):
    y = tf.ones((5, 1))
    assert tf.keras.losses.MeanSquaredError()(y, y).shape == ()
    assert tf.keras.losses.mse(y, y).shape == (5,)


# 14. A seed that Keras does not read


def test_trap_14_springs() -> None:
    with warnings.catch_warnings(action="error"):
        names = run("seeds", "set_seed")
    assert len(set(names["starts"])) == 3
    with pytest.raises(AssertionError):
        check("seeds", "set_random_seed", LAST, names)


def test_trap_14_is_mended() -> None:
    names = run("seeds", "set_random_seed")
    assert len(set(names["starts"])) == 1


def first_kernel() -> float:
    layer = tf.keras.layers.Dense(1)
    layer.build((None, 1))
    return float(layer.kernel.numpy().item())


def test_the_seeds_of_weights_come_from_random() -> None:
    starts = []
    for _ in range(2):
        random.seed(1)
        starts.append(first_kernel())
    assert starts[0] == starts[1]


def test_the_seed_of_keras_sets_all_three() -> None:
    drawn = []
    for _ in range(2):
        tf.keras.utils.set_random_seed(1)
        drawn.append(
            (random.random(), np.random.rand(), float(tf.random.normal(())))
        )
    assert drawn[0] == drawn[1]


# 15. A layer frozen too late


def test_trap_15_springs() -> None:
    with warnings.catch_warnings(action="error"):
        names = run("functions", "frozen_late")
    assert np.all(np.diff(names["kernels"]) > 0.01)
    assert not names["model"].layers[0].trainable
    count = names["compiled_train"].experimental_get_tracing_count()
    assert count == 1
    with pytest.raises(AssertionError):
        check("functions", "compiled_again", LAST, names)


def test_trap_15_is_mended() -> None:
    names = run("functions", "frozen_late", "compiled_again")
    first, *others = names["kernels"]
    assert first > 1.01
    assert others == [first, first]
    last = names["model"].layers[1].kernel.numpy().item()
    assert last > first


def test_trap_15_spares_a_step_that_is_not_compiled() -> None:
    x, y = (tensor[:, tf.newaxis] for tensor in make_data())
    model = two_layers()
    kernels = []
    for _ in range(2):
        train_layers(model, x, y)
        kernels.append(model.layers[0].kernel.numpy().item())
        model.layers[0].trainable = False
    assert kernels[0] == kernels[1] > 1.0


# 16. Weights that a step drops


def weighted_step(rate: float, weights: Array) -> tuple[float, float]:
    """Return w and b after a step on labels, computed with NumPy."""
    x, _ = data()
    error = weights * (5.0 * x - (x > 0))
    w = 5.0 - rate * 2 * float(np.mean(error * x))
    return w, 0.0 - rate * 2 * float(np.mean(error))


def test_trap_16_springs() -> None:
    with warnings.catch_warnings(action="error"):
        warnings.filterwarnings("ignore", module="keras")
        names = run("keras", "weights_dropped")
    w, b = weighted_step(0.1, np.ones(201))
    assert float(names["model"].w) == pytest.approx(w, rel=1e-4)
    assert names["ends"] == pytest.approx([b, b], rel=1e-4)
    with pytest.raises(AssertionError):
        check("keras", "weights_kept", LAST, names)


def test_trap_16_is_mended() -> None:
    names = run("keras", "weights_dropped", "weights_kept")
    x, _ = data()
    w, b = weighted_step(0.1, np.where(x > 0, 4.0, 1.0))
    assert float(names["model"].w) == pytest.approx(w, rel=1e-4)
    assert names["ends"][1] == pytest.approx(b, rel=1e-4)


def test_a_loss_of_vectors_takes_the_mean_before_the_weights() -> None:
    keras_loss = tf.keras.losses.MeanSquaredError()
    y, weights = tf.constant([1.0, 3.0]), tf.constant([1.0, 0.0])
    vectors = keras_loss(y, tf.zeros(2), sample_weight=weights)
    assert float(vectors) == 5.0 * 0.5
    column = y[:, tf.newaxis]
    columns = keras_loss(column, tf.zeros((2, 1)), sample_weight=weights)
    assert float(columns) == 0.5


def test_weights_of_classes_arrive_as_weights_of_rows() -> None:
    arrived = []

    class Keeps(Unweighted):
        def train_step(self, data: Any) -> Any:
            arrived.append(data[2].numpy().tolist())
            return super().train_step(data)

    x, y = tf.range(4.0), tf.constant([0.0, 1.0, 1.0, 0.0])
    model: Any = Keeps()
    model.compile(loss="mse", run_eagerly=True)
    weights = {"class_weight": {0: 1.0, 1: 4.0}}
    fit = model.fit(x, y, shuffle=False, verbose=0, **weights)
    assert arrived == [[1.0, 4.0, 4.0, 1.0]]
    assert fit.history["loss"] == [float(np.mean((5 * x - y) ** 2))]


# 17. A mean of batch means


def test_trap_17_springs() -> None:
    names = run("metrics", "mean_of_means")
    x, y = data()
    squares = (5.0 * x - y) ** 2
    batches = [squares[i : i + 32].mean() for i in range(0, 201, 32)]
    assert names["losses"] == pytest.approx(batches, rel=1e-4)
    assert names["mean"] == pytest.approx(np.mean(batches), rel=1e-4)
    assert [len(x[i : i + 32]) for i in range(0, 201, 32)] == [32] * 6 + [9]
    with pytest.raises(AssertionError):
        check("metrics", "mean_of_rows", LAST, names)


def test_trap_17_is_mended() -> None:
    names = run("metrics", "mean_of_rows")
    x, y = data()
    expected = np.mean((5.0 * x - y) ** 2)
    assert names["mean"] == pytest.approx(expected, rel=1e-4)


# The page as a whole


PAGE = Path(__file__).parents[2] / "docs/traps.md"


def test_the_traps_are_numbered_and_the_table_leads_to_each() -> None:
    text = PAGE.read_text("utf-8")
    numbers = re.findall(r"(?m)^## (\d+)\. ", text)
    assert numbers == [str(n) for n in range(1, len(numbers) + 1)]
    table, _ = text.split("Each trap is shown as code that looks right")
    led = re.findall(r"\[(\d+)\]\(#(\d+)-", table)
    assert all(said == to for said, to in led)
    assert {said for said, _ in led} == set(numbers)
    for number in numbers:
        assert f"test_trap_{int(number):02}_springs" in globals() or (
            number == "8"
        )


# The step that mends several of them, and the checks to paste


def test_train_takes_one_step_of_gradient_descent() -> None:
    x, y = make_data()
    for model in (LinearModel(), KerasLinearModel()):
        before = float(loss(y, model(x)))
        train(model, x, y, 0.1)
        losses = [before, float(loss(y, model(x)))]
        np.testing.assert_allclose(losses, descend(2, 0.1), rtol=1e-4)


def test_train_refuses_a_row_against_a_column() -> None:
    x, y = make_data()
    with pytest.raises(ValueError, match=r"\(201,\).*\(201, 1\)"):
        train(LinearModel(), x[:, tf.newaxis], y, 0.1)


def test_check_step_passes_a_healthy_step() -> None:
    x, y = make_data()
    check_step(train, LinearModel(), x, y)
    check_step(train, KerasLinearModel(), x, y)


def train_rebinding(model: Any, x: Any, y: Any, learning_rate: float) -> None:
    with tf.GradientTape() as tape:
        current_loss = loss(y, model(x))
    variables = model.trainable_variables
    gradients = tape.gradient(current_loss, variables)
    for variable, gradient in zip(variables, gradients, strict=True):
        variable = variable - learning_rate * gradient


def train_unscaled(model: Any, x: Any, y: Any, learning_rate: float) -> None:
    inner = tf.keras.optimizers.SGD(learning_rate)
    optimizer = tf.keras.optimizers.LossScaleOptimizer(inner)
    with tf.GradientTape() as tape:
        current_loss = loss(y, model(x))
    variables = model.trainable_variables
    gradients = tape.gradient(current_loss, variables)
    optimizer.apply_gradients(zip(gradients, variables, strict=True))


def train_doubled(model: Any, x: Any, y: Any, learning_rate: float) -> None:
    train(model, x, y, 2 * learning_rate)


@pytest.mark.parametrize(
    ("sick", "model"),
    [
        (train, Hidden),
        (train_swapped, LinearModel),
        (train_rebinding, KerasLinearModel),
        (train_unscaled, LinearModel),
        (train_doubled, LinearModel),
        (train_by_rows, LinearModel),
    ],
)
def test_check_step_catches(sick: Any, model: Any) -> None:
    x, y = make_data()
    with pytest.raises(AssertionError, match="loss fell by"):
        check_step(sick, model(), x, y)


def test_the_swapped_step_raises_the_loss_as_the_page_says() -> None:
    x, y = make_data()
    model = LinearModel()
    with tf.GradientTape() as tape:
        before = loss(y, model(x))
    dw, db = tape.gradient(before, [model.w, model.b])
    train_swapped(model, x, y, 0.001)
    fall = float(before - loss(y, model(x)))
    assert fall == pytest.approx(0.002 * float(dw * db), rel=0.02)
    assert fall < 0 < float(dw)


def test_check_log_passes_a_true_log_and_catches_others() -> None:
    x, y = make_data()
    check_log(compiled(KerasLinearModel(), run_eagerly=True), x, y)
    check_log(compiled(Recorded(), run_eagerly=True), x, y)
    with pytest.raises(AssertionError, match="logged"):
        check_log(compiled(AsAdvised(), run_eagerly=True), x + 1.0, y)
    model: Any = Recorded()
    model.compile(loss="mae", run_eagerly=True)
    check_log(model, x, y)


def test_check_metric_passes_columns_and_catches_rows() -> None:
    x, y = make_data()
    metric = tf.keras.metrics.MeanSquaredError()
    columns = y[:, tf.newaxis], 5.0 * x[:, tf.newaxis]
    check_metric(metric, *columns)
    check_metric(metric, *columns)
    with pytest.raises(AssertionError, match="result"):
        check_metric(metric, y, 5.0 * x)


def test_the_imports_of_the_page_are_what_its_modules_use() -> None:
    names = vars(importlib.import_module("snippets.traps_setup"))
    assert names["tf"] is tf
    assert names["plt"] is plt
    assert names["warnings"] is warnings
    assert names["Callable"] is Callable


@pytest.mark.parametrize("module", MODULES)
def test_the_module_runs_as_a_script(
    module: str, printed_by: Callable[[str], list[str]]
) -> None:
    assert printed_by(f"traps_{module}")
