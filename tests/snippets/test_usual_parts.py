"""The usual parts: what they compute, their traps, and what ``fit`` does."""

import contextlib
import io
import re
import runpy
import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import tensorflow as tf
from matplotlib.figure import Figure

from snippets.data import make_data
from snippets.keras_model import KerasLinearModel
from snippets.loss import loss
from snippets.training_loop import training_loop
from snippets.usual_parts import (
    F1,
    Polynomial,
    count_hits,
    in_both,
    make_batches,
    make_step,
    stop_epoch,
    train_epoch,
    validate,
)

Optimizers = tf.keras.optimizers
ROWS = 201


@pytest.fixture
def x() -> tf.Tensor:
    """The inputs as a column."""
    return make_data()[0][:, tf.newaxis]


@pytest.fixture
def y() -> tf.Tensor:
    """The outputs as a column."""
    return make_data()[1][:, tf.newaxis]


@pytest.fixture
def rows() -> tf.Tensor:
    """The permutation of the page."""
    return tf.random.experimental.stateless_shuffle(
        tf.range(ROWS), seed=(0, 0)
    )


def sgd(learning_rate: Any = 0.1, **options: Any) -> tf.keras.Optimizer:
    return Optimizers.SGD(learning_rate, **options)


def weights(model: KerasLinearModel) -> tuple[float, float]:
    return float(model.w), float(model.b)


def gradient(
    w: float, b: float, x: tf.Tensor, y: tf.Tensor
) -> tuple[float, float]:
    """Return dw and db of the mean squared error, by NumPy in float64."""
    inputs, outputs = np.asarray(x, np.float64), np.asarray(y, np.float64)
    errors = w * inputs + b - outputs
    return 2 * float(np.mean(errors * inputs)), 2 * float(np.mean(errors))


# The step


def test_a_step_of_sgd_follows_the_formula(x: tf.Tensor, y: tf.Tensor) -> None:
    model = KerasLinearModel()
    step = make_step(model, sgd())
    w, b = 5.0, 0.0
    for start in (0, 32, 64):
        batch = slice(start, start + 32)
        dw, db = gradient(w, b, x[batch], y[batch])
        w, b = w - 0.1 * dw, b - 0.1 * db
        step(x[batch], y[batch])
        assert weights(model) == pytest.approx((w, b), abs=1e-5)


def test_a_compiled_step_does_what_its_python_code_does(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    compiled, eager = Polynomial(3), Polynomial(3)
    step = make_step(compiled, Optimizers.Adam(0.1))
    first = [step(x, y) for _ in range(5)]
    tf.config.run_functions_eagerly(True)
    try:
        step = make_step(eager, Optimizers.Adam(0.1))
        second = [step(x, y) for _ in range(5)]
    finally:
        tf.config.run_functions_eagerly(False)
    np.testing.assert_allclose(first, second, atol=1e-5)
    np.testing.assert_allclose(compiled.w, eager.w, atol=1e-5)


def test_a_step_returns_the_predictions_before_its_update(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    model = KerasLinearModel()
    predictions = make_step(model, sgd())(x, y)
    np.testing.assert_allclose(predictions, 5.0 * x, atol=1e-6)
    assert not np.allclose(model(x), predictions, atol=0.1)


class Witness(KerasLinearModel):
    """Notes, whenever its Python code runs, whether it is in training."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []

    def call(self, x: tf.Tensor, training: Any = None) -> tf.Tensor:
        self.seen.append(training)
        return super().call(x)


def test_a_step_runs_its_python_code_once_per_shape_and_in_training(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    model = Witness()
    step = make_step(model, sgd())
    for _ in range(3):
        step(x[:32], y[:32])
    assert list(model.seen) == [True]
    step(x[:9], y[:9])
    assert list(model.seen) == [True, True]


def test_a_step_refuses_outputs_of_another_shape(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    model = KerasLinearModel()
    step = make_step(model, sgd())
    with pytest.raises(ValueError, match=r"y is \(201,\), predictions"):
        step(x, y[:, 0])
    assert weights(model) == (5.0, 0.0)


def test_an_optimizer_serves_one_model_only(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    optimizer = Optimizers.Adam(0.1)
    make_step(KerasLinearModel(), optimizer)(x, y)
    step = make_step(KerasLinearModel(), optimizer)
    with pytest.raises(ValueError, match="Unknown variable"):
        step(x, y)


# The batches


def test_batches_are_of_the_size_asked_for_and_the_last_is_the_rest(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    for batch, sizes in ((32, [32] * 6 + [9]), (67, [67] * 3), (999, [201])):
        batches = list(make_batches(x, y, batch))
        assert [len(outputs) for _, outputs in batches] == sizes
        assert all(i.shape == o.shape == (len(i), 1) for i, o in batches)
    assert len(make_batches(x, y)) == 7


def epoch_of(batches: tf.data.Dataset) -> tuple[np.ndarray, np.ndarray]:
    inputs, outputs = zip(*batches.as_numpy_iterator(), strict=True)
    return np.concatenate(inputs)[:, 0], np.concatenate(outputs)[:, 0]


def test_an_epoch_has_each_pair_once_and_in_a_new_order(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    batches = make_batches(x, y)
    pairs = sorted(zip(x[:, 0].numpy(), y[:, 0].numpy(), strict=True))
    epochs = [epoch_of(batches) for _ in range(3)]
    for inputs, outputs in epochs:
        assert sorted(zip(inputs, outputs, strict=True)) == pairs
        assert not np.array_equal(inputs, x[:, 0])
    assert not np.array_equal(epochs[0][0], epochs[1][0])
    assert not np.array_equal(epochs[1][0], epochs[2][0])


def test_several_inputs_are_shuffled_by_their_rows() -> None:
    rows: Any = {"left": tf.range(ROWS), "right": tf.range(ROWS)}
    first, _ = next(iter(make_batches(rows, tf.zeros(ROWS))))
    np.testing.assert_array_equal(first["left"], first["right"])
    assert int(tf.reduce_max(first["left"])) > ROWS / 2


def test_the_orders_of_two_runs_are_the_same(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    first, second = make_batches(x, y), make_batches(x, y)
    for _ in range(2):
        np.testing.assert_array_equal(epoch_of(first), epoch_of(second))


def test_a_small_buffer_mixes_only_neighbours(x: tf.Tensor) -> None:
    dataset = tf.data.Dataset.from_tensor_slices(x[:, 0])
    near = next(iter(dataset.shuffle(16, seed=0).batch(32)))
    far = next(iter(dataset.shuffle(ROWS, seed=0).batch(32)))
    # Of 32 draws, each from 16 neighbours, none lies past the 47th row.
    assert float(tf.reduce_max(near)) <= float(x[46, 0])
    assert float(tf.reduce_max(far)) > 1.0


# The metric


def test_an_epoch_reports_the_mean_over_the_rows_before_each_update(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    model = KerasLinearModel()
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(32)
    w, b, squares = 5.0, 0.0, []
    for x_batch, y_batch in batches:
        squares.append(np.square(w * x_batch + b - y_batch))
        dw, db = gradient(w, b, x_batch, y_batch)
        w, b = w - 0.1 * dw, b - 0.1 * db
    metric = tf.keras.metrics.MeanSquaredError()
    result = train_epoch(make_step(model, sgd()), batches, metric)
    assert result == pytest.approx(np.mean(np.concatenate(squares)), rel=1e-5)
    assert weights(model) == pytest.approx((w, b), abs=1e-5)


def test_an_epoch_forgets_what_the_metric_saw_before(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    metric = tf.keras.metrics.MeanSquaredError()
    metric.update_state(tf.zeros((500, 1)), tf.fill((500, 1), 1000.0))
    batches = make_batches(x, y, batch=ROWS)
    result = train_epoch(make_step(KerasLinearModel(), sgd()), batches, metric)
    assert result == pytest.approx(float(loss(y, 5.0 * x)), rel=1e-5)


def test_a_metric_of_vectors_averages_batches_instead_of_rows() -> None:
    columns = tf.keras.metrics.MeanSquaredError()
    vectors = tf.keras.metrics.MeanSquaredError()
    for size, error in ((32, 0.0), (1, 1.0)):
        truth, predictions = tf.zeros((size, 1)), tf.fill((size, 1), error)
        columns.update_state(truth, predictions)
        vectors.update_state(truth[:, 0], predictions[:, 0])
    assert float(columns.result()) == pytest.approx(1 / 33, rel=1e-5)
    assert float(vectors.result()) == pytest.approx(1 / 2, rel=1e-5)


def scored() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return labels, predictions and weights of fifty rows, as columns."""
    numbers = np.random.default_rng(1).random((3, 50, 1), np.float32)
    return (numbers[0] > 0.6).astype(np.float32), numbers[1], numbers[2]


@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_hits_are_counted_by_their_weights(shape: tuple[int, ...]) -> None:
    labels, shares, weight = scored()
    said = shares > 0.5
    expected = [
        np.sum(weight * (said & (labels == 1))),
        np.sum(weight * said) + np.sum(weight * labels),
    ]
    found = count_hits(labels, tf.constant(shares), weight.reshape(shape))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    whole = count_hits(labels.astype(int), tf.constant(shares))
    assert whole.numpy().tolist() == [
        np.sum(said & (labels == 1)),
        np.sum(said) + np.sum(labels),
    ]


def test_hits_of_half_precision_are_counted_in_whole() -> None:
    shares = tf.ones((70_001, 1), tf.float16)
    hits, named = count_hits(tf.ones((70_001, 1)), shares, 70_001 * [1])
    assert (float(hits), float(named)) == (70_001, 140_002)


@pytest.mark.parametrize("batch", [50, 32])
def test_f1_is_that_of_keras_whatever_the_batch(batch: int) -> None:
    labels, shares, _ = scored()
    metric = F1()
    for start in range(0, 50, batch):
        part = slice(start, start + batch)
        metric.update_state(labels[part], tf.constant(shares[part]))
    of_keras = tf.keras.metrics.F1Score(threshold=0.5)(labels, shares)
    assert float(metric.result()) == pytest.approx(float(of_keras[0]))
    metric.reset_state()
    assert float(metric.result()) == 0.0


def test_f1_is_logged_by_fit_as_it_is_over_all_rows() -> None:
    labels, shares, weight = scored()
    model = tf.keras.Sequential([tf.keras.layers.Identity()])
    weighted = F1(name="weighted")
    model.compile(loss="mse", metrics=[F1()], weighted_metrics=[weighted])
    given: dict[str, Any] = {"batch_size": 32, "verbose": 0}
    logs = model.evaluate(
        shares, labels, sample_weight=weight[:, 0], return_dict=True, **given
    )
    hits, named = count_hits(labels, tf.constant(shares))
    assert logs["f1"] == pytest.approx(float(2 * hits / named))
    hits, named = count_hits(labels, tf.constant(shares), weight)
    assert logs["weighted"] == pytest.approx(float(2 * hits / named))


def test_validation_in_batches_averages_the_rows_and_trains_none(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    model = KerasLinearModel()
    metric = tf.keras.metrics.MeanSquaredError()
    metric.update_state(tf.zeros((500, 1)), tf.fill((500, 1), 1000.0))
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(32)
    whole = float(np.mean(np.square(5.0 * np.asarray(x) - np.asarray(y))))
    for _ in range(2):
        assert validate(model, batches, metric) == pytest.approx(whole)
    assert weights(model) == (5.0, 0.0)


def test_validation_tells_layers_that_it_is_none_of_training(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    model = Witness()
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(ROWS)
    validate(model, batches, tf.keras.metrics.MeanSquaredError())
    assert list(model.seen) == [False]


# What the optimizer carries


def test_the_optimizer_clips_as_clip_by_global_norm_does(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    dw, db = gradient(5.0, 0.0, x, y)
    norm = float(np.hypot(dw, db))
    assert norm > 5.0
    for limit, scale in ((1.0, 1.0 / norm), (100.0, 1.0)):
        clipped, before = tf.clip_by_global_norm([dw, db], limit)
        assert float(before) == pytest.approx(norm, rel=1e-5)
        assert [float(g) for g in clipped] == pytest.approx(
            [dw * scale, db * scale], rel=1e-5
        )
        model = KerasLinearModel()
        make_step(model, sgd(global_clipnorm=limit))(x, y)
        moved = (5.0 - 0.1 * dw * scale, -0.1 * db * scale)
        assert weights(model) == pytest.approx(moved, abs=1e-5)


def test_clipnorm_clips_each_variable_and_bends_the_direction(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    dw, db = gradient(5.0, 0.0, x, y)
    model = KerasLinearModel()
    make_step(model, sgd(clipnorm=1.0))(x, y)
    moved = (5.0 - 0.1 * np.sign(dw), -0.1 * np.sign(db))
    assert weights(model) == pytest.approx(moved, abs=1e-5)
    assert abs(dw / db) > 1.2


def test_accumulation_updates_by_the_mean_of_the_batches(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    model = KerasLinearModel()
    step = make_step(model, sgd(gradient_accumulation_steps=3))
    parts = [slice(0, 32), slice(32, 64), slice(192, 201)]
    for part in parts:
        assert weights(model) == (5.0, 0.0)
        step(x[part], y[part])
    # The last batch is of nine rows and counts as much as the others.
    slopes = [gradient(5.0, 0.0, x[part], y[part]) for part in parts]
    dw, db = np.mean(slopes, axis=0)
    assert weights(model) == pytest.approx(
        (5.0 - 0.1 * dw, -0.1 * db), abs=1e-5
    )


def test_batches_left_over_wait_for_the_next_epoch(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    optimizer = sgd(gradient_accumulation_steps=3)
    model = KerasLinearModel()
    step = make_step(model, optimizer)
    metric = tf.keras.metrics.MeanSquaredError()
    batches = make_batches(x, y)
    train_epoch(step, batches, metric)
    assert int(optimizer.iterations) == 2
    before = weights(model)
    step(x[:32], y[:32])
    assert weights(model) == before
    step(x[:32], y[:32])
    assert weights(model) != before
    assert int(optimizer.iterations) == 3


def test_a_schedule_counts_batches_even_when_they_are_accumulated(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    cosine = Optimizers.schedules.CosineDecay(0.1, decay_steps=14)
    optimizer = sgd(cosine, gradient_accumulation_steps=2)
    step = make_step(KerasLinearModel(), optimizer)
    metric = tf.keras.metrics.MeanSquaredError()
    assert float(optimizer.learning_rate) == pytest.approx(0.1)
    train_epoch(step, make_batches(x, y), metric)
    assert float(optimizer.learning_rate) == pytest.approx(0.05, rel=1e-5)
    train_epoch(step, make_batches(x, y), metric)
    assert float(optimizer.learning_rate) == pytest.approx(0.0, abs=1e-8)


# The polynomial


@pytest.mark.parametrize("degree", [0, 1, 4, 15])
def test_the_polynomial_is_that_of_numpy(degree: int, x: tf.Tensor) -> None:
    model = Polynomial(degree)
    assert model.w.shape == (degree + 1, 1)
    np.testing.assert_array_equal(model(x), tf.zeros_like(x))
    drawn = tf.random.stateless_normal((degree + 1, 1), seed=(1, degree))
    model.w.assign(drawn)
    expected = np.polynomial.polynomial.polyval(
        np.asarray(x, np.float64) / 2, np.asarray(drawn, np.float64)[:, 0]
    )
    assert model(x).shape == x.shape
    np.testing.assert_allclose(model(x), expected, atol=1e-5)


def test_the_polynomial_refuses_a_vector(x: tf.Tensor) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="Incompatible"):
        Polynomial(15)(x[:, 0])


# Stopping


def stopped_by_keras(losses: list[float], patience: int) -> tuple[int, int]:
    """Return where Keras' callback stops and what it keeps, from 1."""
    model = KerasLinearModel()
    model.stop_training = False
    callback = tf.keras.callbacks.EarlyStopping(
        patience=patience, restore_best_weights=True
    )
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, val_loss in enumerate(losses):
        model.w.assign(epoch + 1)
        callback.on_epoch_end(epoch, {"val_loss": val_loss})
        if model.stop_training:
            break
    callback.on_train_end()
    return epoch + 1, round(float(model.w))


@pytest.mark.parametrize("patience", [1, 2, 3, 7, 50])
def test_stopping_is_that_of_keras(patience: int) -> None:
    for seed in range(8):
        noise = tf.random.stateless_normal([30], seed=(seed, 0)).numpy()
        losses = [float(n + abs(e - 15) / 8) for e, n in enumerate(noise)]
        assert stop_epoch(losses, patience) == stopped_by_keras(
            losses, patience
        )


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([3.0, 2.0, 1.0], (3, 3)),
        ([1.0, 2.0, 3.0, 0.0], (3, 1)),
        ([1.0, 1.0, 1.0, 1.0], (3, 1)),
        ([2.0, 3.0, 1.0, 4.0], (4, 3)),
        ([1.0], (1, 1)),
    ],
)
def test_stopping_with_a_patience_of_two(
    losses: list[float], expected: tuple[int, int]
) -> None:
    assert stop_epoch(losses, patience=2) == expected


def test_get_weights_copies_and_weights_does_not(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    model = KerasLinearModel()
    copies, variables = model.get_weights(), model.weights
    make_step(model, sgd())(x, y)
    assert [float(copy) for copy in copies] == [5.0, 0.0]
    assert tuple(float(v) for v in variables) == weights(model) != (5.0, 0.0)


def test_only_compile_and_fit_give_a_model_its_stop_training() -> None:
    model = KerasLinearModel()
    assert not hasattr(model, "stop_training")
    model.compile(optimizer="sgd", loss="mse")
    assert model.stop_training is False


# What the page says of fit


@pytest.mark.parametrize("columns", [True, False])
def test_fit_averages_its_loss_over_rows_but_its_metric_wants_columns(
    columns: bool, x: tf.Tensor, y: tf.Tensor
) -> None:
    if not columns:
        x, y = x[:, 0], y[:, 0]
    model = KerasLinearModel()
    metric = tf.keras.metrics.MeanSquaredError(name="metric")
    model.compile(sgd(0.0), "mse", metrics=[metric])
    fit = model.fit(x, y, epochs=2, shuffle=False, verbose=0)
    untrained = float(loss(y, 5.0 * x))
    # Twice the same, so both start anew with the second epoch.
    assert fit.history["loss"] == pytest.approx([untrained] * 2, rel=1e-5)
    right = fit.history["metric"] == pytest.approx([untrained] * 2, rel=1e-3)
    assert right is columns


def test_fit_validates_with_the_last_rows_as_they_stand(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    model = KerasLinearModel()
    model.compile(sgd(0.0), "mse")
    fit = model.fit(x, y, epochs=1, validation_split=0.2, verbose=0)
    tail = float(loss(y[160:], 5.0 * x[160:]))
    assert fit.history["val_loss"] == pytest.approx([tail], rel=1e-5)


def test_fit_takes_a_dataset_as_it_comes(x: tf.Tensor, y: tf.Tensor) -> None:
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(32)
    by_hand, model = KerasLinearModel(), KerasLinearModel()
    metric = tf.keras.metrics.MeanSquaredError()
    mean = train_epoch(make_step(by_hand, sgd()), batches, metric)
    model.compile(sgd(), "mse")
    with pytest.warns(UserWarning, match="will be ignored"):
        fit = model.fit(batches, epochs=1, shuffle=True, verbose=0)
    assert fit.history["loss"] == pytest.approx([mean], rel=1e-5)
    assert weights(model) == pytest.approx(weights(by_hand), abs=1e-5)


# The story


class Story:
    """What the module did as a script."""

    def __init__(
        self, variables: dict[str, Any], text: str, figures: list[Figure]
    ) -> None:
        self.variables, self.text, self.figures = variables, text, figures
        self.lines = text.splitlines()

    def after(self, start: str) -> list[float]:
        """Return the numbers of the one line that starts so."""
        [line] = [line for line in self.lines if line.startswith(start)]
        return [
            float(n) for n in re.findall(r"-?\d+\.?\d*", line[len(start) :])
        ]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    figures: list[Figure] = []

    def show() -> None:
        figures.append(plt.gcf())
        plt.close()

    printed, complained = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MPLBACKEND", "agg")
        plt.switch_backend("agg")
        folder: Path = tmp_path_factory.mktemp("story")
        patch.chdir(folder)
        patch.setattr(plt, "show", show)
        # runpy warns of modules that are imported already.
        patch.delitem(sys.modules, "snippets.usual_parts")
        with (
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(complained),
        ):
            variables = runpy.run_module(
                "snippets.usual_parts", run_name="__main__"
            )
    assert list(folder.iterdir()) == []
    assert complained.getvalue() == ""
    assert plt.get_fignums() == [], "a figure was not shown"
    return Story(variables, printed.getvalue(), figures)


def test_ten_full_batches_end_where_the_guide_ends(story: Story) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        history = training_loop(KerasLinearModel(), *make_data())
    guide = [history["w"][-1], history["b"][-1]]
    # By the optimizer, and by the optimizer in three accumulated batches.
    ends = [line for line in story.lines if line.startswith("w ")]
    assert len(ends) == 2
    for line in ends:
        numbers = [float(n) for n in re.findall(r"\d+\.\d+", line)]
        assert numbers == pytest.approx(guide, abs=1.1e-4)
    assert story.lines.count("updates: 10") == 2
    assert story.lines.count("67 rows: w 5.0000") == 2


def test_two_epochs_of_batches_are_shown(story: Story) -> None:
    sizes = "rows [32, 32, 32, 32, 32, 32, 9]"
    first, second = [line for line in story.lines if line.endswith(sizes)]
    assert first.startswith("epoch 1: first x ")
    assert first[8:] != second[8:]


def descend(momentum: float, x: tf.Tensor, y: tf.Tensor) -> float:
    """Return the loss after five epochs of batches of 32, in this order."""
    inputs, outputs = np.asarray(x, np.float64), np.asarray(y, np.float64)
    ends, velocity = np.array([5.0, 0.0]), np.zeros(2)
    for start in [*range(0, ROWS, 32)] * 5:
        batch = slice(start, start + 32)
        slopes = gradient(ends[0], ends[1], inputs[batch], outputs[batch])
        velocity = momentum * velocity - 0.05 * np.array(slopes)
        ends += velocity
    return float(np.mean((ends[0] * inputs + ends[1] - outputs) ** 2))


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_the_two_orders_are_shown_to_end_as_numpy_does(
    momentum: float,
    story: Story,
    x: tf.Tensor,
    y: tf.Tensor,
    rows: tf.Tensor,
) -> None:
    in_order = descend(momentum, x, y)
    shuffled = descend(momentum, tf.gather(x, rows), tf.gather(y, rows))
    line = f"momentum {momentum}, "
    assert story.after(f"{line}sorted: loss") == pytest.approx(
        [in_order], rel=1e-3, abs=0.01
    )
    assert story.after(f"{line}shuffled: loss") == pytest.approx(
        [shuffled], abs=0.01
    )
    assert shuffled < 1.2
    untrained = float(loss(y, 5.0 * x))
    assert (in_order > 10 * untrained) is (momentum == 0.9)


def test_a_metric_never_reset_is_shown_to_lag(story: Story) -> None:
    pairs = re.findall(
        r"^epoch \d: (\d+\.\d+), never reset (\d+\.\d+)$", story.text, re.M
    )
    means = np.array(pairs, float)
    assert means.shape == (5, 2)
    # Epochs have equally many rows, so it is the mean of all so far.
    so_far = np.cumsum(means[:, 0]) / np.arange(1, 6)
    np.testing.assert_allclose(means[:, 1], so_far, atol=1e-4)
    assert means[-1, 1] > 1.5 * means[-1, 0]


def test_vectors_are_shown_to_mislead_a_metric(story: Story) -> None:
    [whole] = story.after("all rows as one batch:")
    [_, columns] = story.after("columns, (batch,")
    [vectors] = story.after("vectors, (batch,):")
    assert columns == pytest.approx(whole, abs=1.1e-4)
    assert abs(vectors - whole) > 0.01


def test_what_is_taken_for_right_is_shown(story: Story) -> None:
    labels, shares = np.array([1, 0, 1, 1]), np.array([0.9, 0.2, 0.8, 0.6])
    logits = np.log(shares / (1 - shares))
    for name, said in (
        ("Accuracy, shares", shares),
        ("BinaryAccuracy, shares", shares > 0.5),
        ("BinaryAccuracy, logits", logits > 0.5),
        ("threshold 0, logits", logits > 0),
    ):
        line = f"{name}: {np.mean(said == labels):.2f}"
        assert line in story.lines


def test_the_f1_of_all_rows_is_shown_not_to_be_that_of_batches(
    story: Story,
) -> None:
    ours, by_keras = story.after("all rows: ")
    [of_batches] = story.after("mean of the batches: ")
    assert ours == by_keras
    assert abs(of_batches - ours) > 0.01


def test_the_schedule_comes_to_rest_at_the_least_loss(
    story: Story, x: tf.Tensor, y: tf.Tensor
) -> None:
    inputs = np.asarray(x, np.float64)[:, 0]
    line = np.polyfit(inputs, np.asarray(y, np.float64)[:, 0], 1)
    least = float(np.mean((np.polyval(line, inputs) - y[:, 0]) ** 2))
    assert story.variables["least"] == pytest.approx(least, rel=1e-5)
    constant, cosine, dotted = story.figures[0].axes[0].lines
    np.testing.assert_array_equal(constant.get_xdata(), range(2, 21))
    rests = np.asarray(cosine.get_ydata())[-6:] - least
    jumps = np.asarray(constant.get_ydata())[-6:] - least
    assert float(rests.max()) < 0.001
    assert float(jumps.max()) > 0.02
    np.testing.assert_allclose(
        np.asarray(dotted.get_ydata()), least, rtol=1e-5
    )


def test_the_slip_is_shown_before_and_after_clipping(
    story: Story, x: tf.Tensor, y: tf.Tensor
) -> None:
    slipped = np.asarray(y).copy()
    slipped[180] *= 100
    for name, outputs in (("as it was", y), ("slipped", slipped)):
        slopes = gradient(5.0, 0.0, x, outputs)
        norm = float(np.hypot(*slopes))
        assert story.after(f"{name}: norm") == pytest.approx([norm], abs=0.01)
        for slope in slopes:
            line = f"  {slope:.2f} is clipped to {slope / norm:.2f}"
            assert line in story.lines


def test_rows_of_one_word_are_clipped_to_another_length(story: Story) -> None:
    for kind, norm, length in (
        ("IndexedSlices", 100**0.5, 10.0),
        ("EagerTensor", 100.0, 1.0),
    ):
        shown = norm * 2**0.5, length
        assert story.after(f"{kind}:") == pytest.approx(shown, abs=0.01)


def test_one_wrong_row_spoils_the_line_unless_clipped(story: Story) -> None:
    start = story.lines.index("global_clipnorm=None:")
    text = "\n".join(story.lines[start : start + 6])
    spoilt, saved = map(
        float, re.findall(r"loss on the true data (\S+)", text)
    )
    assert story.lines[start + 3] == "global_clipnorm=1.0:"
    assert saved < 1.05
    assert spoilt > 10.0


def test_a_split_in_sorted_order_is_shown_to_mislead(story: Story) -> None:
    sorted_training, sorted_validation = story.after("sorted: training")
    training, validation = story.after("shuffled: training")
    assert sorted_training < 1.2
    assert sorted_validation > 3.0
    assert training < 1.3
    assert validation < 1.2


def test_the_polynomial_is_shown_to_over_fit(story: Story) -> None:
    losses = np.array([story.after(f"epoch {n:3}:") for n in (1, 40, 60, 100)])
    training, validation = losses.T
    assert np.all(np.diff(training) < 0)
    assert validation[1] < validation[2] < validation[3]
    assert validation[3] > 2 * validation[1]


def test_batch_losses_are_shown_to_need_a_metric(story: Story) -> None:
    [whole] = story.after("as one batch:")
    assert story.after("in batches, metric:") == pytest.approx([whole])
    [mean] = story.after("in batches, mean:")
    assert abs(mean - whole) > 0.1


def test_the_three_sets_share_no_row(story: Story) -> None:
    names = ("train_x", "valid_x", "test_x")
    sets = [set(story.variables[name][:, 0].numpy()) for name in names]
    assert [len(rows) for rows in sets] == [20, 20, 161]
    assert len(set().union(*sets)) == ROWS


def test_eight_lines_and_the_callback_stop_at_the_same_epoch(
    story: Story,
) -> None:
    stops = [line for line in story.lines if line.startswith("stopped after")]
    assert len(stops) == 2
    assert stops[0] == stops[1]
    after, kept = map(int, re.findall(r"\d+", stops[0]))
    assert after == kept + 20
    losses = [line for line in story.lines if line.startswith("validation ")]
    assert len(losses) == 2
    assert losses[0] == losses[1]


def test_all_parts_together_keep_the_epoch_of_the_least_validation_loss(
    story: Story,
) -> None:
    found = story.variables
    val_losses = found["history"]["val_loss"]
    assert found["best_loss"] == min(val_losses)
    assert found["best_epoch"] == val_losses.index(min(val_losses)) + 1
    assert found["epoch"] == len(val_losses) == found["best_epoch"] + 20
    kept = float(loss(found["valid_y"], found["model"](found["valid_x"])))
    assert kept == pytest.approx(min(val_losses), rel=1e-5)
    assert story.after("test loss, restored:") < story.after(
        "test loss at the stop:"
    )


def test_the_last_figure_shows_where_training_stopped(story: Story) -> None:
    found = story.variables
    training, validation, kept, stop = story.figures[1].axes[0].lines
    assert len(story.figures) == 2
    np.testing.assert_array_equal(
        training.get_ydata(), found["history"]["loss"]
    )
    np.testing.assert_array_equal(
        validation.get_ydata(), found["history"]["val_loss"]
    )
    assert set(np.asarray(kept.get_xdata())) == {found["best_epoch"]}
    np.testing.assert_array_equal(stop.get_xdata(), [found["epoch"]])


def test_a_short_patience_is_shown_to_stop_too_early(story: Story) -> None:
    rows = np.array([story.after(f"patience {n:2}:") for n in (2, 5, 10, 20)])
    val_losses = story.variables["history"]["val_loss"]
    for _, kept, kept_loss in rows:
        assert kept_loss == pytest.approx(val_losses[int(kept) - 1], abs=1e-4)
    assert rows[0, 2] > 3 * rows[3, 2]
    assert rows[1, 2] > 3 * rows[3, 2]
    assert tuple(rows[3, :2]) == (
        story.variables["epoch"],
        story.variables["best_epoch"],
    )


def test_fit_with_the_same_parts_stops_where_the_loop_does(
    story: Story,
) -> None:
    fit, loop = story.after("fit stopped after epoch")
    assert fit == loop == story.variables["epoch"]
    ours = story.variables["optimizer"].get_config()
    its = story.variables["fit_model"].optimizer.get_config()
    for part in ("global_clipnorm", "gradient_accumulation_steps"):
        assert its[part] == ours[part] > 1
    assert story.after("test loss:") == pytest.approx(
        story.after("test loss, restored:"), abs=1e-3
    )


def test_rows_in_both_parts_are_found() -> None:
    numbered = tf.data.Dataset.range
    assert in_both(numbered(5), numbered(3, 9)) == [3, 4]
    assert in_both(numbered(3), numbered(3, 9)) == []
