"""What the page on weights, outputs and losses says still holds.

The tests run the very sections that the page shows.  Each trap springs, each
mend holds, and each check fails under the code that looks right.
"""

import contextlib
import io
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from matplotlib.figure import Figure

from snippets import weights_outputs_losses as page
from snippets.data import make_data
from snippets.keras_model import KerasLinearModel
from snippets.weights_outputs_losses import (
    Dropped,
    Loop,
    OwnStep,
    TwoParts,
    balanced,
    check_ignored,
    compiled_scales,
    contrastive_loss,
    make_line,
    make_masked,
    make_penalised,
    make_scales,
    make_series,
    mean_error,
    one_step,
    summed_gradients,
    train,
    triplet_loss,
    weighted_loss,
)
from tests.story import Names, execute, statements

MODULE = "weights_outputs_losses"
LAST = slice(-1, None)
CLASSES = {0: 1, 1: 9}
WEIGHTS = {"metres": 1.0, "centimetres": 1e-4}
keras = tf.keras

Array = np.ndarray[Any, np.dtype[np.float64]]
Run = Callable[..., Names]


@pytest.fixture
def run() -> Run:
    """Run sections as the page does; return the names they leave."""

    def run(*shown: str) -> Names:
        names = dict(vars(page))
        names["settings"] = {"batch_size": 32, "epochs": 3}
        names["settings"] |= {"shuffle": False, "verbose": 0}
        names["squared"] = keras.losses.MeanSquaredError()
        for name in ("data", *shown):
            execute(MODULE, statements(MODULE, name), names)
        return names

    return run


@pytest.fixture
def columns() -> tuple[tf.Tensor, tf.Tensor]:
    """The rows in their order, as columns."""
    x, y = make_data()
    return x[:, tf.newaxis], y[:, tf.newaxis]


@pytest.fixture
def label(columns: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
    """Which rows are above seven."""
    return tf.cast(columns[1] > 7, tf.float32)


def doubles(*tensors: tf.Tensor) -> list[Array]:
    """Return the tensors as flat arrays in float64."""
    return [np.asarray(tensor, np.float64).ravel() for tensor in tensors]


def line(model: Any) -> list[float]:
    """Return the weight and the bias of a model."""
    return [float(weight.numpy().item()) for weight in model.weights]


def entropies(label: Array, logits: Array) -> Array:
    """Return the binary cross-entropy of each row."""
    return np.logaddexp(0.0, logits) - label * logits


def eagerly(model: Any, loss: str = "mse", **options: Any) -> Any:
    """Return the model, compiled to run as Python."""
    model.compile("sgd", loss=loss, run_eagerly=True, **options)
    return model


# The parts


def test_a_tenth_of_the_rows_are_ones(run: Run) -> None:
    names = run()
    x, y = names["x"], names["y"]
    assert x.shape == y.shape == names["label"].shape == (201, 1)
    assert not np.all(np.diff(doubles(x)[0]) > 0)
    assert sorted(doubles(y)[0]) == sorted(doubles(make_data()[1])[0])
    assert doubles(names["label"])[0].sum() == 20


def test_the_line_is_of_any_class() -> None:
    for kind in (keras.Model, TwoParts, Dropped, OwnStep):
        model = make_line(kind)
        assert type(model) is kind or kind is keras.Model
        assert line(model) == [0.0, 0.0]


# Class weights


def by_numpy(label: Array, x: Array, weights: Array) -> list[float]:
    """Return w and b after five epochs of weighted gradient descent."""
    w, b = 0.0, 0.0
    for start in 5 * list(range(0, 201, 32)):
        rows = slice(start, start + 32)
        error = 1 / (1 + np.exp(-(w * x[rows] + b))) - label[rows]
        error *= weights[rows]
        w, b = (
            w - 1.5 * float(np.mean(error * x[rows])),
            b - 1.5 * float(np.mean(error)),
        )
    return [w, b]


@pytest.fixture(scope="module")
def fitted() -> Names:
    """What the page has after the fits with class weights; what it printed."""
    names, models = dict(vars(page)), []
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        for section in ("data", "imbalanced", "dropped", "own_step"):
            with warnings.catch_warnings(action="error"):
                execute(MODULE, statements(MODULE, section), names)
            models.append(names.get("model"))
            names[f"{section}_fit"] = names.get("fit")
    names["models"] = dict(
        zip(("Keras", "dropped", "own"), models[1:], strict=True)
    )
    names["lines"] = printed.getvalue().splitlines()[2:]
    return names


def test_fit_weights_each_row(fitted: Names) -> None:
    x, label = doubles(fitted["x"], fitted["label"])
    for name, one in (("dropped", 1.0), ("Keras", 9.0), ("own", 9.0)):
        expected = by_numpy(label, x, np.where(label > 0, one, 1.0))
        model = fitted["models"][name]
        assert line(model) == pytest.approx(expected, abs=1e-3)


def test_weighted_ones_are_found_at_a_price(fitted: Names) -> None:
    x, label = doubles(fitted["x"], fitted["label"])
    alarms = []
    for name in ("dropped", "Keras"):
        w, b = line(fitted["models"][name])
        alarms.append(np.sum((w * x + b > 0) & (label == 0)))
    assert alarms[0] < alarms[1]
    unweighted, weighted = fitted["logs"]
    assert unweighted["recall"][-1] < 0.5
    assert weighted["recall"][-1] == 1.0


def test_an_own_step_that_drops_the_weights_is_unweighted(
    fitted: Names,
) -> None:
    unweighted, weighted, dropped, own, same = fitted["lines"]
    assert dropped == unweighted != weighted == own
    assert same == "logs as Keras does: True"
    log = fitted["dropped_fit"].history
    assert log["loss"] == pytest.approx(fitted["logs"][0]["loss"], rel=1e-6)


def test_the_mended_step_trains_and_logs_as_keras(fitted: Names) -> None:
    own, log = fitted["own_step_fit"].history, fitted["logs"][1]
    assert set(own) == set(log) == {"loss", "recall"}
    for name, values in log.items():
        assert own[name] == pytest.approx(values, rel=1e-6)


def test_two_parts_fail_with_weights_and_on_batches(
    run: Run, columns: Any
) -> None:
    said = r"too many values to unpack \(expected 2"
    names = run()
    with pytest.raises(ValueError, match=said):
        execute(MODULE, statements(MODULE, "two_parts"), names)
    model = eagerly(make_line(TwoParts))
    with pytest.raises(ValueError, match=said):
        model.train_on_batch(*columns)
    with pytest.raises(ValueError, match=said):
        model.fit(*columns, sample_weight=columns[0], verbose=0)
    fit = model.fit(*columns, batch_size=201, verbose=0)
    assert fit.history["loss"][0] == pytest.approx(16.57, abs=0.01)


def test_the_classes_are_drawn(fitted: Names, shown: list[Figure]) -> None:
    names = dict(fitted)
    execute(MODULE, statements(MODULE, "plot_classes"), names)
    unweighted, weighted = (doubles(curve)[0] for curve in names["curves"])
    grid = doubles(names["grid"])[0]
    assert grid[np.argmax(unweighted > 0.5)] > 1.8
    assert grid[np.argmax(weighted > 0.5)] == pytest.approx(1.0, abs=0.15)
    x, label = doubles(names["x"], names["label"])
    assert np.mean(x[label > 0] > 1.1) > 0.9
    [figure] = shown
    assert len(figure.axes[0].lines) == 3


def weighted_step(columns: Any, step: str, **options: Any) -> Any:
    kind = {"own": OwnStep, "keras": keras.Model}[step]
    model = eagerly(make_line(kind), **options)
    x, y = columns
    log = model.train_on_batch(x, y, sample_weight=x + 2, return_dict=True)
    return line(model), log


def test_only_weighted_metrics_get_the_weights(columns: Any) -> None:
    mse = {"metrics": ["mse"], "weighted_metrics": ["mae"]}
    weights, log = weighted_step(columns, "own", **mse)
    keras_weights, keras_log = weighted_step(columns, "keras", **mse)
    assert weights == pytest.approx(keras_weights)
    assert log == pytest.approx(keras_log)
    x, y = doubles(*columns)
    assert log["mse"] == pytest.approx(np.mean(y**2), rel=1e-4)
    weighted = np.average(abs(y), weights=x + 2)
    assert log["mae"] == pytest.approx(weighted, rel=1e-4)
    expected = np.mean(y**2 * (x + 2))
    assert log["loss"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("weighted", [True, False])
def test_the_step_serves_two_outputs_with_weights_and_without(
    weighted: bool, columns: Any
) -> None:
    x, y = columns
    outputs = {"metres": y, "centimetres": 100 * y}
    weights = x + 2 if weighted else None
    logs = []
    for kind in (keras.Model, OwnStep):
        model = make_scales(kind)
        model.compile(keras.optimizers.SGD(1e-5), loss="mse", run_eagerly=True)
        logs.append(
            model.train_on_batch(
                x, outputs, sample_weight=weights, return_dict=True
            )
        )
    assert logs[0] == pytest.approx(logs[1])


def test_the_check_passes_and_catches(run: Run) -> None:
    names = run("ignored")
    with pytest.raises(AssertionError, match="weight 0 moved line/kernel by"):
        execute(MODULE, statements(MODULE, "not_ignored"), names)
    part = names["x"], names["y"], names["some"]
    check_ignored(one_step(OwnStep), *part)
    x, y, some = part
    check_ignored(one_step(OwnStep), x, y, some[:, 0])


# Vectors


def mean_times_mean(label: Array, logits: Array, weights: Array) -> float:
    return float(weights.mean() * entropies(label, logits).mean())


def test_vectors_are_weighted_as_a_whole(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings(action="error"):
        names = run("vectors")
    x, label, weights = doubles(names["x"], names["label"], names["weights"])
    lines = capsys.readouterr().out.splitlines()[2:]
    right, wrong, product = (float(text.split()[-1]) for text in lines)
    assert right == pytest.approx(
        np.mean(weights * entropies(label, x)), abs=1e-3
    )
    expected = mean_times_mean(label, x, weights)
    assert wrong == product == pytest.approx(expected, abs=1e-3)


def test_fit_weights_vectors_as_a_whole(columns: Any) -> None:
    x, y = columns[0][:, 0], columns[1][:, 0]
    weights = tf.cast(x > 1, tf.float32)
    share = float(tf.reduce_mean(weights))
    moved = []
    for sample_weight in (weights, share * tf.ones(201)):
        model = KerasLinearModel()
        model.compile(keras.optimizers.SGD(0.1), loss="mse")
        with warnings.catch_warnings(action="error"):
            model.fit(
                *(x, y),
                batch_size=201,
                verbose=0,
                sample_weight=sample_weight,
            )
            loss = model.evaluate(
                x, y, batch_size=201, verbose=0, sample_weight=sample_weight
            )
        moved.append([float(model.w), float(model.b), loss])
    assert moved[0] == pytest.approx(moved[1], rel=1e-5)


# By hand


def test_the_weighted_loss_is_the_mean_over_the_rows(label: tf.Tensor) -> None:
    logits = tf.linspace([-3.0], [3.0], 201)
    weights = tf.where(label > 0, 9.0, 1.0)
    expected = np.mean(
        doubles(weights)[0] * entropies(*doubles(label, logits))
    )
    result = float(weighted_loss(label, logits, weights))
    assert result == pytest.approx(float(expected), rel=1e-5)
    with pytest.raises(ValueError, match=r"losses .* weights"):
        weighted_loss(label, logits, weights[:, 0])
    in_graph = tf.function(weighted_loss, [tf.TensorSpec(None)] * 3)
    with pytest.raises(ValueError, match=r"losses .* weights"):
        in_graph(label, logits, weights[:, 0])


def test_by_hand_is_as_fit(run: Run, fitted: Names) -> None:
    names = run("vectors", "by_hand")
    expected = line(fitted["models"]["Keras"])
    assert line(names["model"]) == pytest.approx(expected, abs=1e-4)


def test_all_pairs_are_the_vectors_once_more(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings(action="error"):
        names = run("vectors", "all_pairs")
    assert names["pairs"].shape == (201, 201)
    parts = doubles(names["label"], names["x"], names["weights"])
    mean = float(tf.reduce_mean(names["pairs"]))
    assert mean == pytest.approx(mean_times_mean(*parts), rel=1e-4)
    *_, pairs, right = capsys.readouterr().out.splitlines()
    assert pairs.endswith(f"{mean:.4f}") != right.endswith(f"{mean:.4f}")
    with pytest.raises(ValueError, match="weights"):
        execute(MODULE, statements(MODULE, "shapes"), names)


def test_all_pairs_make_the_gradient_longer_only(label: tf.Tensor) -> None:
    weights = tf.where(label > 0, 9.0, 1.0)
    model = make_line()
    x = make_data()[0][:, tf.newaxis]
    with tf.GradientTape(persistent=True) as tape:
        losses = tf.nn.sigmoid_cross_entropy_with_logits(label, model(x))
        plain = tf.reduce_mean(losses)
        pairs = tf.reduce_mean(weights[:, 0] * losses)
    variables = model.trainable_variables
    mean = float(tf.reduce_mean(weights))
    for long, short in zip(
        tape.gradient(pairs, variables),
        tape.gradient(plain, variables),
        strict=True,
    ):
        np.testing.assert_allclose(long, mean * short, rtol=1e-4)
    assert mean > 1


def test_the_reductions(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run("reductions")
    losses, weights = np.array([1.0, 4.0, 9.0]), np.array([1.0, 1.0, 4.0])
    plain, weighted = losses.sum(), (weights * losses).sum()
    expected = {
        "sum_over_batch_size": (plain / 3, weighted / 3),
        "mean": (plain / 3, weighted / 3),
        "sum": (plain, weighted),
        "mean_with_sample_weight": (plain / 3, weighted / weights.sum()),
    }
    *lines, none = capsys.readouterr().out.splitlines()[2:]
    for text, (name, values) in zip(lines, expected.items(), strict=True):
        assert text.split()[0] == name
        printed = [float(part) for part in text.split()[1:]]
        assert printed == pytest.approx(values, abs=0.006)
    assert none.split("none")[1].strip() == "[1. 4. 9.] [ 1.  4. 36.]"
    default = keras.losses.MeanSquaredError()
    assert default.reduction == "sum_over_batch_size"
    per_row = keras.losses.MeanSquaredError(reduction=None)
    assert per_row(tf.zeros((3, 1)), tf.ones((3, 1))).shape == (3,)


def test_a_metric_divides_by_the_weights() -> None:
    metric = keras.metrics.MeanSquaredError()
    ones = tf.constant([[1.0], [2.0], [3.0]])
    metric.update_state(tf.zeros((3, 1)), ones, sample_weight=[1, 1, 4])
    assert float(metric.result()) == pytest.approx(41 / 6)


# Two outputs


def test_the_plain_sum_becomes_nan_and_the_weighted_one_trains(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    names = run("by_hand_scales")
    plain, weighted = capsys.readouterr().out.splitlines()[2:]
    assert plain == "loss weight 1.0: w nan, b nan"
    x, y = doubles(names["x"], names["y"])
    w, b = 0.0, 0.0
    for start in 2 * list(range(0, 201, 32)):
        rows = slice(start, start + 32)
        error = 2 * (w * x[rows] + b - y[rows]) - 0.5
        w, b = (
            w - 0.2 * float(np.mean(error * x[rows])),
            b - 0.2 * float(np.mean(error)),
        )
    assert line(names["model"]) == pytest.approx([w, b], abs=1e-3)
    assert weighted.endswith(f"w {w:.4f}, b {b:.4f}")


def test_the_loss_is_infinite_before_it_is_nan(columns: Any) -> None:
    x, y = columns
    model, optimizer = make_scales(), keras.optimizers.SGD(0.1)
    losses = []
    for _ in range(21):
        with tf.GradientTape() as tape:
            predictions = model(x)
            loss = tf.reduce_mean((predictions["metres"] - y) ** 2)
            other = predictions["centimetres"] - 100 * y - 50
            loss += tf.reduce_mean(other**2)
        variables = model.trainable_variables
        optimizer.apply(tape.gradient(loss, variables), variables)
        losses.append(float(loss))
    kinds = ["nan" if np.isnan(v) else str(np.isinf(v)) for v in losses]
    assert list(dict.fromkeys(kinds)) == ["False", "True", "nan"]


def test_both_devices_count_the_same_in_the_end(columns: Any) -> None:
    x, y = columns
    squared = keras.losses.MeanSquaredError()
    model = make_scales()

    def loss() -> tf.Tensor:
        both = model(x)
        off = squared(100 * y + 50, both["centimetres"])
        return squared(y, both["metres"]) + 1e-4 * off

    train(model, loss, 60)
    inputs, outputs = doubles(x, y)
    slope, offset = np.polyfit(inputs, outputs, 1)
    expected = [float(slope), float(offset) + 0.25]
    assert line(model) == pytest.approx(expected, abs=1e-3)
    assert float(offset) < expected[1]


def test_two_outputs_of_keras_as_by_hand(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    names = run("by_hand_scales", "keras_scales", "own_scales")
    lines = capsys.readouterr().out.splitlines()[2:]
    assert lines[1].split(": ")[1] == lines[2]
    assert lines[-1] == "logs as Keras does: True"
    log = names["log"]
    for name in ("loss", "metres_loss", "centimetres_loss", "metres_mae"):
        assert log[name][-1] < log[name][0]
    losses = {"metres": "mse", "centimetres": "mse"}
    model = make_scales()
    model.compile("sgd", loss=losses, loss_weights=WEIGHTS, run_eagerly=True)
    one = model.test_on_batch(names["x"], names["outputs"], return_dict=True)
    total = one["metres_loss"] + 1e-4 * one["centimetres_loss"]
    assert one["loss"] == pytest.approx(total, rel=1e-5)


def test_the_loop_over_all_metrics_fails(run: Run) -> None:
    said = "Expected any non-tensor type, but got a tensor instead."
    names = run()
    y = names["y"]
    names["outputs"] = {"metres": y, "centimetres": 100 * y + 50}
    with pytest.raises(TypeError, match=said):
        execute(MODULE, statements(MODULE, "loop"), names)
    model = compiled_scales(make_scales(Loop))
    tracker = model.metrics[0]
    assert tracker.name == "loss"
    with pytest.raises((TypeError, ValueError)):
        tracker.update_state(names["outputs"], names["outputs"])


def test_the_loop_over_all_metrics_logs_a_wrong_loss(columns: Any) -> None:
    logs = []
    for kind in (keras.Model, Loop):
        model = eagerly(make_line(kind))
        logs.append(model.train_on_batch(*columns))
    assert logs[1] != pytest.approx(logs[0], rel=0.1)


def test_weights_of_two_outputs(columns: Any) -> None:
    x, y = columns
    outputs = {"metres": y, "centimetres": y}
    ones = tf.ones(201)
    model = make_scales()
    model.compile("sgd", loss="mse", run_eagerly=True)
    both = model.test_on_batch(x, outputs, ones, return_dict=True)
    each = {"metres": ones, "centimetres": 0 * ones}
    one = model.test_on_batch(x, outputs, each, return_dict=True)
    assert both["loss"] == pytest.approx(2 * one["loss"], rel=1e-5)
    with pytest.raises(ValueError, match="only supported for Models with a"):
        model.fit(x, outputs, class_weight=CLASSES, verbose=0)


# A loss per row


def test_a_loss_per_row_explodes(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings(action="error"):
        names = run("per_row")
    assert names["loss"].shape == (201,)
    lines = capsys.readouterr().out.splitlines()[2:]
    losses = [float(text.split()[2].strip(",")) for text in lines]
    assert losses[0] < 20 < 1e4 < losses[1] < losses[2] < losses[3]
    with pytest.raises(AssertionError):
        execute(MODULE, statements(MODULE, "one_number")[LAST], names)


def test_the_mean_of_the_rows_does_not(run: Run) -> None:
    names = run("one_number")
    x, y = doubles(names["x"], names["y"])
    w, b = 0.0, 0.0
    for _ in range(4):
        error = w * x + b - y
        last = np.mean(error**2)
        w -= 0.2 * float(np.mean(error * x))
        b -= 0.2 * float(np.mean(error))
    assert float(names["loss"]) == pytest.approx(float(last), rel=1e-4)


def test_the_tape_sums(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run("sums")
    lines = capsys.readouterr().out.splitlines()[2:]
    one, mean = (float(text.split()[-1]) for text in lines)
    assert one == pytest.approx(201 * mean, rel=1e-3)


@pytest.mark.parametrize(
    "name", ["mse", "mae", "huber", "binary_crossentropy"]
)
def test_functions_return_a_number_per_row(name: str) -> None:
    function = getattr(keras.losses, name)
    assert function(tf.ones((5, 1)), 0.5 * tf.ones((5, 1))).shape == (5,)
    assert function(tf.ones(5), 0.5 * tf.ones(5)).shape == ()
    squared = keras.losses.MeanSquaredError()
    assert squared(tf.ones((5, 1)), tf.ones((5, 1))).shape == ()


def test_small_batches_at_a_small_rate_may_train(columns: Any) -> None:
    x, y = columns
    last = {}
    for batch in (4, 201):
        model, optimizer = make_line(), keras.optimizers.SGD(0.01)
        for start in 2 * list(range(0, 201, batch)):
            rows = slice(start, start + batch)
            with tf.GradientTape() as tape:
                loss = keras.losses.mse(y[rows], model(x[rows]))
            variables = model.trainable_variables
            optimizer.apply(tape.gradient(loss, variables), variables)
        last[batch] = float(tf.reduce_mean((model(x) - y) ** 2))
    assert last[4] < 3 < 16 < last[201]


@pytest.mark.parametrize("axis", [-1, None, 0])
def test_the_mean_error_over_an_axis(axis: int | None) -> None:
    y, y_pred = np.random.default_rng(0).normal(size=(2, 7, 3))
    found = mean_error(axis)(tf.constant(y), tf.constant(y_pred))
    expected = np.mean(np.abs(y - y_pred), axis=axis)
    np.testing.assert_allclose(found, expected)


def test_a_mean_over_the_rows_meets_no_weights(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    names = run("axes")
    mean, row, whole = capsys.readouterr().out.splitlines()[2:]
    plain, weighted = (float(n.strip(",")) for n in row.split()[1::2])
    assert whole.split()[1] == f"{plain:.4f},"
    diluted = float(mean.split()[-1]) * plain
    assert float(whole.split()[-1]) == pytest.approx(diluted, rel=1e-4)
    assert weighted > 1.5 * diluted
    with pytest.raises(tf.errors.InvalidArgumentError, match="Incompatible"):
        execute(MODULE, statements(MODULE, "columns"), names)


# Uneven batches


def test_the_mean_of_batches_is_not_that_of_rows(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    names = run("uneven")
    [y] = doubles(names["y"])
    parts = [np.mean(y[start : start + 100] ** 2) for start in (0, 100, 200)]
    lines = capsys.readouterr().out.splitlines()[2:]
    printed = [float(text.split()[-1]) for text in lines]
    expected = [*parts, np.mean(parts), np.mean(y**2), np.mean(y**2)]
    assert printed == pytest.approx(expected, abs=1e-3)
    assert abs(printed[3] - printed[4]) > 1


def test_fit_weights_the_batches_by_their_rows(columns: Any) -> None:
    model = make_line()
    model.compile(keras.optimizers.SGD(0.0), loss="mse", run_eagerly=True)
    fit = model.fit(*columns, batch_size=100, shuffle=False, verbose=0)
    [y] = doubles(columns[1])
    assert fit.history["loss"][0] == pytest.approx(np.mean(y**2), rel=1e-5)


@pytest.mark.parametrize("fit", [True, False])
def test_keras_logs_outputs_as_means_of_batches(
    fit: bool, columns: Any
) -> None:
    x, y = columns
    outputs = {"metres": y, "centimetres": 100 * y + 50}
    model = compiled_scales(make_scales())
    model.optimizer.learning_rate = 0.0
    options = {"batch_size": 100, "verbose": 0}
    if fit:
        history = model.fit(x, outputs, shuffle=False, **options).history
        log = {name: values[0] for name, values in history.items()}
    else:
        log = model.evaluate(x, outputs, return_dict=True, **options)
    [y] = doubles(y)
    parts = [np.mean(y[start : start + 100] ** 2) for start in (0, 100, 200)]
    assert log["metres_loss"] == pytest.approx(np.mean(parts), rel=1e-4)
    total = np.mean(y**2) + np.mean((y + 0.5) ** 2)
    assert log["loss"] == pytest.approx(total, rel=1e-4)
    assert log["metres_mae"] == pytest.approx(np.mean(abs(y)), rel=1e-4)


def test_the_parts_do_not_add_up(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    names = run("uneven")
    y = names["y"]
    names["outputs"] = {"metres": y, "centimetres": 100 * y + 50}
    execute(MODULE, statements(MODULE, "uneven_log"), names)
    assert names["log"]["metres_loss"] == pytest.approx(
        float(np.mean(names["losses"])), rel=1e-4
    )
    loss, parts = capsys.readouterr().out.splitlines()[-2:]
    assert loss.split()[1] != f"{parts.split()[-1]},"


def test_drop_remainder_leaves_the_last_row_out() -> None:
    rows = tf.data.Dataset.range(201).batch(100, drop_remainder=True)
    assert [len(batch) for batch in rows] == [100, 100]


# Masks


def test_the_series_are_padded_with_zeros(run: Run) -> None:
    names = run("series")
    x, y, mask = (names[n] for n in ("series_x", "series_y", "mask"))
    assert x.shape == y.shape == (41, 8, 1)
    assert mask.shape == (41, 8)
    kept = tf.boolean_mask(x, mask)
    assert np.array_equal(kept, names["x"])
    assert not np.any(x.numpy()[~mask.numpy()])
    assert not np.any(y.numpy()[~mask.numpy()])
    short, _, mask = make_series(tf.ones((3, 1)), tf.ones((3, 1)), [1, 2])
    assert short[..., 0].numpy().tolist() == [[1, 0], [1, 1]]
    assert mask.numpy().tolist() == [[True, False], [True, True]]


def places(text: str) -> list[float]:
    """Return w, b and the loss of a line that ``train`` returned."""
    return [float(part.split()[-1]) for part in text.split(", ")]


def test_padding_draws_the_bias_to_zero(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings(action="error"):
        names = run("series", "padded")
    plain, padded = capsys.readouterr().out.splitlines()[4:]
    x, y = doubles(names["x"], names["y"])
    slope, offset = np.polyfit(x, y, 1)
    loss = np.mean((slope * x + offset - y) ** 2)
    assert places(plain) == pytest.approx([slope, offset, loss], abs=1e-3)
    x, y = doubles(names["series_x"], names["series_y"])
    slope, offset = np.polyfit(x, y, 1)
    assert places(padded)[:2] == pytest.approx([slope, offset], abs=2e-3)
    execute(MODULE, statements(MODULE, "masked"), names)
    masked = capsys.readouterr().out
    assert places(masked) == pytest.approx(places(plain), abs=1e-3)


def test_changed_padding_changes_a_padded_loss_only(run: Run) -> None:
    names = run("series", "padded", "masked")
    mask = names["mask"][..., tf.newaxis]
    before = [float(names[f"{kind}_loss"]()) for kind in ("padded", "masked")]
    names["series_y"] = tf.where(mask, names["series_y"], 7.0)
    after = [float(names[f"{kind}_loss"]()) for kind in ("padded", "masked")]
    assert after[0] > before[0] + 1
    assert after[1] == before[1]


def test_keras_finds_the_mask_until_it_is_lost(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings(action="error"):
        names = run("series", "padded", "masked", "lost_mask")
    *_, found, lost, own, mistakes = capsys.readouterr().out.splitlines()
    x, y = doubles(names["x"], names["y"])
    numbers = [float(text.split()[-1]) for text in (found, lost, own)]
    nonzero = y[x != 0]
    expected = [np.mean(nonzero**2), np.sum(y**2) / (41 * 8), np.mean(y**2)]
    assert numbers == pytest.approx(expected, abs=1e-3)
    assert mistakes == "rows masked by mistake: 1"
    assert len(nonzero) == 200


def test_a_function_of_keras_does_not_look_for_the_mask(run: Run) -> None:
    names = run("series")
    predictions = make_masked()(names["series_x"])
    losses = keras.losses.mse(names["series_y"], predictions)
    assert losses.shape == (41, 8)


# Penalties


def test_a_forgotten_penalty_and_two_mends(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings(action="error"):
        names = run("penalised", "remembered", "penalty_by_hand")
    forgotten, *mended = capsys.readouterr().out.splitlines()[2:]
    x, y = doubles(names["x"], names["y"])
    slope, offset = np.polyfit(x, y, 1)
    assert places(forgotten)[:2] == pytest.approx([slope, offset], abs=1e-3)
    curvature = 2 * np.mean(x**2)
    w = slope * curvature / (curvature + 1)
    loss = np.mean((w * x + offset - y) ** 2) + 0.5 * w**2
    for text in mended:
        assert places(text) == pytest.approx([w, offset, loss], abs=1e-3)


def test_the_penalties_are_made_anew_and_inside_the_tape() -> None:
    model = make_penalised()
    kernel = model.trainable_variables[0]
    for value in (2.0, 4.0):
        kernel.assign([[value]])
        assert float(sum(model.losses)) == 0.5 * value**2
    outside = sum(model.losses)
    with tf.GradientTape() as tape:
        inside = sum(model.losses)
        late = 1.0 * outside
    [gradient] = tape.gradient(inside, [kernel])
    assert float(gradient[0, 0]) == 4.0
    with tf.GradientTape() as tape:
        late = 1.0 * outside
    assert tape.gradient(late, [kernel]) == [None]


def test_the_empty_sum_and_the_factors() -> None:
    assert sum(make_line().losses) == 0
    with pytest.raises(ValueError, match="at least one"):
        tf.add_n(make_line().losses)
    weights = tf.constant([[1.0, 3.0]])
    assert float(keras.regularizers.L2(0.5)(weights)) == 5.0
    assert float(tf.nn.l2_loss(weights)) == 5.0


def test_compute_loss_adds_the_penalties(columns: Any) -> None:
    inputs = keras.Input((1,))
    layer = keras.layers.Dense(
        1, kernel_initializer="ones", kernel_regularizer="l2"
    )
    logs = []
    for kind in (keras.Model, OwnStep):
        layer = keras.layers.Dense(
            1, kernel_initializer="ones", kernel_regularizer="l2"
        )
        model = eagerly(kind(inputs, layer(inputs)), metrics=["mse"])
        logs.append(model.train_on_batch(*columns, return_dict=True))
    for log in logs:
        assert log["loss"] == pytest.approx(log["mse"] + 0.01, rel=1e-5)


def test_a_penalty_on_what_a_layer_returns(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match="A KerasTensor cannot be used"):
        run("kerastensor")
    inputs = keras.Input((1,))
    dense = keras.layers.Dense(1, kernel_initializer="zeros")
    names = run("remembered")
    capsys.readouterr()
    names |= {"inputs": inputs, "code": dense(inputs)}
    execute(MODULE, statements(MODULE, "in_a_layer"), names)
    [found] = capsys.readouterr().out.splitlines()
    x, y = doubles(names["x"], names["y"])
    w, b = np.polyfit(x, y, 1) / 1.5
    code = w * x + b
    loss = np.mean((code - y) ** 2) + 0.5 * np.mean(code**2)
    assert places(found) == pytest.approx([w, b, loss], abs=1e-3)


# Smoothed labels, focal loss


def test_smoothed_labels(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    names = run("smoothed")
    keras_s, by_hand, *found = capsys.readouterr().out.splitlines()[2:]
    x, label = doubles(names["x"], names["label"])
    soft = np.where(label > 0, 0.95, 0.05)
    expected = np.mean(np.logaddexp(0.0, x) - soft * x)
    for text in (keras_s, by_hand):
        assert float(text.split()[-1]) == pytest.approx(expected, abs=1e-4)
    smallest = -0.95 * np.log(0.95) - 0.05 * np.log(0.05)
    half, best, twice = (float(text.split()[-1]) for text in found)
    assert best == pytest.approx(smallest, abs=1e-4)
    assert half > best < twice


def test_the_focal_loss(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    names = run("focal")
    *both, columns = capsys.readouterr().out.splitlines()[2:]
    x, label = doubles(names["x"], names["label"])
    p = 1 / (1 + np.exp(np.where(label > 0, -x, x)))
    rows = -((1 - p) ** 2) * np.log(p)
    plain, balanced_loss = (
        np.mean(weights * rows) for weights in (1, 0.75 - 0.5 * label)
    )
    for text, expected in zip(both, (plain, balanced_loss), strict=True):
        first, second = text.split(": ")[1].split(", by hand ")
        for number in (first, second):
            assert float(number) == pytest.approx(expected, abs=1e-4)
    assert float(columns.split()[-1]) == pytest.approx(plain / 4, abs=1e-4)


# Triplets


@pytest.mark.parametrize("margin", [0.0, 0.5, 1.0, 3.0])
def test_the_triplet_loss(margin: float) -> None:
    codes = np.random.default_rng(0).normal(size=(3, 7, 2))
    anchor, positive, negative = codes
    near = np.sum((anchor - positive) ** 2, axis=1)
    far = np.sum((anchor - negative) ** 2, axis=1)
    expected = np.mean(np.maximum(near - far + margin, 0.0))
    one, two, three = (tf.constant(part, tf.float32) for part in codes)
    loss = triplet_loss(one, two, three, margin=margin)
    assert loss.shape == ()
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_gradients_of_calls_add_up(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    names = run("one_model", "three_models")
    first, trained, parts, apart = capsys.readouterr().out.splitlines()[2:]
    anchor, positive, negative = doubles(
        *(names[part] for part in ("anchor", "positive", "negative"))
    )
    near, far = anchor - positive, anchor - negative
    missing = 0.01 * (near**2 - far**2) + 1
    assert np.all(missing > 0)
    whole = np.mean(0.2 * (near**2 - far**2))
    assert places(first) == pytest.approx([whole, missing.mean()], abs=1e-4)
    shared = [
        np.mean(0.2 * (near - far) * anchor),
        np.mean(-0.2 * near * positive),
        np.mean(0.2 * far * negative),
    ]
    assert sum(shared) == pytest.approx(whole)
    found = [float(part) for part in parts.split()]
    assert found == pytest.approx(shared, abs=1e-4)
    w, b, loss = places(trained)
    assert (abs(w) > 0.5, abs(b) < 1e-4, loss < 0.5) == (True,) * 3
    assert places(apart)[0] == 0.0 < 0.3 < places(apart)[1]


def test_the_hardest_triplets_collapse(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    names = run("one_model", "collapsed")
    *_, from_one, from_zero = capsys.readouterr().out.splitlines()
    [anchor, negative] = doubles(names["anchor"], names["negative"])
    near = np.maximum(anchor.max() - anchor, anchor - anchor.min()) ** 2
    far = (anchor - negative.max()) ** 2
    before = np.mean(np.maximum(near - far + 1, 0.0))
    assert places(from_one) == pytest.approx([before, 0, 0, 1], abs=1e-4)
    assert places(from_zero) == [1.0, 0.0, 0.0, 1.0]


@pytest.mark.parametrize("temperature", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("rows", [2, 7])
def test_the_contrastive_loss(rows: int, temperature: float) -> None:
    codes, others = np.random.default_rng(0).normal(size=(2, rows, 3))
    one, two = (
        c / np.linalg.norm(c, axis=1, keepdims=True) for c in (codes, others)
    )
    logits = one @ two.T / temperature
    sums = np.log(np.sum(np.exp(logits), axis=1))
    expected = np.mean(sums - np.diag(logits))
    first, second = (tf.constant(c, tf.float32) for c in (codes, others))
    loss = contrastive_loss(first, second, temperature)
    assert loss.shape == ()
    assert float(loss) == pytest.approx(expected, rel=1e-4)


# Exercises


def test_balanced_weights(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run("exercise_balanced")
    zeros, ones = 201 / (2 * 181), 201 / (2 * 20)
    by_class = balanced(tf.constant([1.0] * 20 + [0.0] * 181))
    assert by_class == pytest.approx({0: zeros, 1: ones})
    lines = capsys.readouterr().out.splitlines()[2:]
    assert lines[0] == f"zeros {zeros:.4f}, ones {ones:.4f}"
    assert lines[1] == "mean weight 1.0000, of the ones alone 0.5000"


@pytest.mark.parametrize("batch", [1, 32, 100, 201])
def test_summed_gradients_are_those_of_all_rows(
    batch: int, columns: Any
) -> None:
    x, y = doubles(*columns)
    expected = [-2 * np.mean(y * x), -2 * np.mean(y)]
    for outputs in (columns[1], columns[1][:, 0]):
        sums = summed_gradients(make_line(), columns[0], outputs, batch)
        assert [float(g.numpy().item()) for g in sums] == pytest.approx(
            expected, rel=1e-4
        )


def test_the_gradients_are_printed(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run("exercise_gradients")
    for text in capsys.readouterr().out.splitlines()[2:]:
        one, other = text.split(", ")
        assert one == other


def test_the_module_runs_as_a_script(
    printed_by: Callable[[str], list[str]],
) -> None:
    assert "too many values to unpack" in "\n".join(printed_by(MODULE))
