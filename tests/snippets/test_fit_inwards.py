"""Keras' ``fit``, the steps that replace its own, and their books.

Everything is compared with the same training written in NumPy, in float64.
"""

import runpy
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import tensorflow as tf

from snippets.data import make_data
from snippets.fit_inwards import (
    AdvisedBooks,
    Keras2Step,
    LargestError,
    Ledger,
    LedgerTesting,
    LedgerTraining,
    NoBooks,
    Orthogonal,
    OwnStep,
    TalkingStep,
    WeightHistory,
    compiled,
)
from snippets.keras_model import KerasLinearModel

EPOCHS = 3
REL, ABS = 1e-4, 1e-5  # float32 against float64


class Data(NamedTuple):
    """Columns of 60 pairs to train on, in batches of 32 and 28, and 20 more.

    They are sorted by x, so that the batches differ much.
    """

    x: np.ndarray
    y: np.ndarray
    batches: tf.data.Dataset
    held_out: tf.data.Dataset


class Reference(NamedTuple):
    """What plain gradient descent on the batches comes to, in NumPy."""

    weights: list[tuple[float, float]]
    """The weights before training and after each epoch."""
    losses: list[list[float]]
    """The loss of each batch, before its update, by epochs."""
    norms: list[list[float]]
    errors: list[list[np.ndarray]]
    predictions: list[list[np.ndarray]]


@pytest.fixture(scope="module")
def data() -> Data:
    x, y = (v.numpy()[:160:2, np.newaxis] for v in make_data())
    pairs = tf.data.Dataset.from_tensor_slices((x, y))
    return Data(x, y, pairs.take(60).batch(32), pairs.skip(60).batch(16))


@pytest.fixture(scope="module")
def reference(data: Data) -> Reference:
    w, b = 5.0, 0.0
    found = Reference([(w, b)], [], [], [], [])
    for _ in range(EPOCHS):
        kept: list[list[Any]] = [[], [], [], []]
        for rows in (slice(0, 32), slice(32, 60)):
            x, y = data.x[rows].astype(float), data.y[rows].astype(float)
            predictions = w * x + b
            error = predictions - y
            dw, db = 2 * np.mean(error * x), 2 * np.mean(error)
            kept[0].append(np.mean(error**2))
            kept[1].append(np.hypot(dw, db))
            kept[2].append(error)
            kept[3].append(predictions)
            w, b = w - 0.1 * dw, b - 0.1 * db
        found.weights.append((w, b))
        found.losses.append(kept[0])
        found.norms.append(kept[1])
        found.errors.append(kept[2])
        found.predictions.append(kept[3])
    return found


def fitted(
    model: tf.keras.Model, data: Data, **settings: Any
) -> dict[str, list[float]]:
    """Train the model for three epochs; return the history."""
    fit = model.fit(
        data.batches, epochs=EPOCHS, shuffle=False, verbose=0, **settings
    )
    return dict(fit.history)


def held_out_loss(data: Data, weights: tuple[float, float]) -> float:
    w, b = weights
    return float(np.mean((w * data.x[60:] + b - data.y[60:]) ** 2))


def over_pairs(values: list[float]) -> float:
    return float(np.average(values, weights=[32, 28]))


def assert_trained(model: tf.keras.Model, reference: Reference) -> None:
    w, b = reference.weights[-1]
    assert float(model.w) == pytest.approx(w, rel=REL, abs=ABS)
    assert float(model.b) == pytest.approx(b, rel=REL, abs=ABS)


def frozen(model: tf.keras.Model) -> tf.keras.Model:
    """Return the model, compiled so that a step does not move it."""
    compiled(model).optimizer.learning_rate = 0.0
    return model


def test_compiled_models_share_nothing() -> None:
    one, two = compiled(KerasLinearModel()), compiled(KerasLinearModel())
    assert one.optimizer is not two.optimizer
    assert not one.run_eagerly
    assert compiled(KerasLinearModel(), run_eagerly=True).run_eagerly


@pytest.mark.parametrize("kind", [KerasLinearModel, OwnStep])
def test_fit_is_gradient_descent_with_honest_books(
    kind: type[KerasLinearModel], data: Data, reference: Reference
) -> None:
    model = compiled(kind())
    history = fitted(model, data, validation_data=data.held_out)
    assert_trained(model, reference)
    assert {*history} == {"loss", "mae", "val_loss", "val_mae"}
    for epoch in range(EPOCHS):
        loss = over_pairs(reference.losses[epoch])
        mae = np.mean(np.abs(np.vstack(reference.errors[epoch])))
        val_loss = held_out_loss(data, reference.weights[epoch + 1])
        assert history["loss"][epoch] == pytest.approx(loss, rel=REL, abs=ABS)
        assert history["mae"][epoch] == pytest.approx(mae, rel=REL, abs=ABS)
        assert history["val_loss"][epoch] == pytest.approx(
            val_loss, rel=REL, abs=ABS
        )


def test_the_own_step_logs_what_keras_logs_to_the_last_bit(
    data: Data,
) -> None:
    own, plain = compiled(OwnStep()), compiled(KerasLinearModel())
    assert fitted(own, data) == fitted(plain, data)
    assert own.get_weights() == plain.get_weights()


@pytest.mark.parametrize("kind", [OwnStep, LedgerTesting])
def test_the_own_steps_weight_samples_as_keras_does(
    kind: type[KerasLinearModel], data: Data
) -> None:
    weighted = data.batches.map(lambda x, y: (x, y, tf.abs(x)))
    logs = []
    for each in (kind, KerasLinearModel):
        model = compiled(each())
        logs.append(
            fitted(
                model,
                data._replace(batches=weighted),
                validation_data=weighted,
            )
            | {"w": [float(model.w)]}
        )
    for name in logs[0].keys() & logs[1].keys():
        assert logs[0][name] == pytest.approx(logs[1][name], rel=1e-6)
    assert {"loss", "val_loss", "w"} <= logs[0].keys() & logs[1].keys()
    plain = compiled(kind())
    fitted(plain, data)
    assert abs(float(plain.w) - logs[0]["w"][0]) > 0.01


def test_the_own_step_and_its_books_serve_two_outputs(data: Data) -> None:
    logs = []
    for kind in (tf.keras.Model, OwnStep):

        class Two(tf.keras.Model):
            if kind is OwnStep:
                train_step = kind.train_step
                keep_books = kind.keep_books

        x = tf.keras.Input((1,))
        ones = tf.keras.initializers.Ones()
        one = tf.keras.layers.Dense(1, kernel_initializer=ones, name="one")
        two = tf.keras.layers.Dense(1, kernel_initializer=ones, name="two")
        model = Two(x, [one(x), two(x)])
        model.compile(
            tf.keras.optimizers.SGD(0.1),
            loss=["mse", "mae"],
            metrics=[["mae"], ["mse"]],
        )
        outputs = (data.y[:60], 2 * data.y[:60])
        fit = model.fit(data.x[:60], outputs, shuffle=False, verbose=0)
        logs.append(fit.history)
    assert logs[0] == logs[1]
    assert {"loss", "one_loss", "two_loss", "one_mae", "two_mse"} == {*logs[0]}


@pytest.mark.parametrize("kind", [KerasLinearModel, OwnStep, LedgerTraining])
def test_train_on_batch_returns_the_loss_of_its_batch(
    kind: type[KerasLinearModel], data: Data, reference: Reference
) -> None:
    model = compiled(kind())
    for losses in reference.losses:
        for (x, y), loss in zip(data.batches, losses, strict=True):
            logged = model.train_on_batch(x, y, return_dict=True)
            assert logged["loss"] == pytest.approx(loss, rel=REL, abs=ABS)
    assert_trained(model, reference)


@pytest.mark.filterwarnings("ignore:.*is deprecated")
def test_train_on_batch_fails_with_a_step_that_unpacks_pairs(
    data: Data,
) -> None:
    with pytest.raises(ValueError, match="too many values to unpack"):
        compiled(Keras2Step()).train_on_batch(data.x, data.y)


def test_a_metric_is_right_for_columns_and_wrong_for_vectors(
    data: Data,
) -> None:
    errors = np.abs(5 * data.x - data.y)[:60]
    by_batches = (np.mean(errors[:32]) + np.mean(errors[32:])) / 2
    assert abs(by_batches - np.mean(errors)) > 0.01
    for end, mae in ((1, np.mean(errors)), (None, by_batches)):
        shape = (60, 1)[: 1 if end is None else 2]
        x, y = data.x[:60].reshape(shape), data.y[:60].reshape(shape)
        found = compiled(KerasLinearModel()).evaluate(
            x, y, batch_size=32, verbose=0
        )
        assert found == pytest.approx(
            [np.mean(errors**2), mae], rel=REL, abs=ABS
        )


def test_the_history_of_weights(data: Data, reference: Reference) -> None:
    recorder = WeightHistory()
    model = compiled(KerasLinearModel())
    for _ in range(2):  # a second run starts new lists, and keeps no variable
        model.set_weights([np.float32(5), np.float32(0)])
        fitted(model, data, callbacks=[recorder])
        for found, name in ((recorder.w, "w"), (recorder.b, "b")):
            wanted = [pair["wb".index(name)] for pair in reference.weights]
            assert found == pytest.approx(wanted, rel=REL, abs=ABS)
            assert all(isinstance(value, float) for value in found)


def test_the_largest_error_is_that_after_the_epoch(
    data: Data, reference: Reference, capsys: pytest.CaptureFixture[str]
) -> None:
    callback = LargestError(data.x, data.y[:, 0])
    fitted(compiled(KerasLinearModel()), data, callbacks=[callback])
    lines = capsys.readouterr().out.splitlines()
    for line, (w, b) in zip(lines, reference.weights[1:], strict=True):
        words = line.split()
        assert words[:-1] == ["loss", "mae", "largest", "error"]
        largest = np.max(np.abs(w * data.x + b - data.y))
        assert float(words[-1]) == pytest.approx(largest, abs=1e-3)


def test_books_are_weighted_by_the_pairs() -> None:
    model = compiled(OwnStep())
    model.evaluate(tf.zeros((1, 1)), tf.zeros((1, 1)), verbose=0)  # builds
    model.reset_metrics()
    for rows, loss in ((3, 1.0), (1, 5.0)):
        y = tf.zeros((rows, 1))
        results = model.keep_books((y, y), y + loss, tf.constant(loss))
    assert {name: float(value) for name, value in results.items()} == {
        "loss": 2.0,
        "mae": 2.0,
    }


@pytest.mark.parametrize(
    ("run_eagerly", "said"),
    [(False, ["(None, 1)"]), (True, ["(32, 1)", "(28, 1)"] * EPOCHS)],
)
def test_python_runs_once_or_each_step(
    run_eagerly: bool,
    said: list[str],
    data: Data,
    reference: Reference,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = compiled(TalkingStep(), run_eagerly)
    fitted(model, data)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"  a step on x of shape {shape}" for shape in said]
    assert_trained(model, reference)


def test_the_shape_that_is_said_is_that_of_x(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(OwnStep, "train_step", lambda *_: {})
    TalkingStep().train_step((tf.zeros([4, 3]), tf.zeros([4, 1])))
    assert capsys.readouterr().out == "  a step on x of shape (4, 3)\n"


def test_the_step_of_keras_2_trains_but_logs_the_mean_prediction(
    data: Data, reference: Reference
) -> None:
    model = compiled(Keras2Step())
    with pytest.warns(UserWarning, match="is deprecated"):
        history = fitted(model, data, validation_data=data.held_out)
    assert_trained(model, reference)
    for epoch in range(EPOCHS):
        logged = history["loss"][epoch]
        wanted = np.mean(np.vstack(reference.predictions[epoch]))
        assert logged == pytest.approx(wanted, rel=REL, abs=ABS)
        assert abs(logged - over_pairs(reference.losses[epoch])) > 1
    val_loss = held_out_loss(data, reference.weights[-1])
    assert history["val_loss"][-1] == pytest.approx(val_loss, rel=REL, abs=ABS)


def test_a_ledger_lists_its_own_metrics_alone() -> None:
    ledger = compiled(Ledger())
    names = [metric.name for metric in ledger.metrics]
    assert names == ["loss", "gradient_norm"]


@pytest.mark.parametrize("kind", [LedgerTraining, LedgerTesting])
def test_a_ledger_logs_its_loss_and_the_gradient(
    kind: type[Ledger], data: Data, reference: Reference
) -> None:
    model = compiled(kind())
    history = fitted(model, data)
    assert_trained(model, reference)
    assert {*history} == {"loss", "gradient_norm"}
    for epoch in range(EPOCHS):
        loss = over_pairs(reference.losses[epoch])
        norm = np.mean(reference.norms[epoch])
        assert history["loss"][epoch] == pytest.approx(loss, rel=REL, abs=ABS)
        assert history["gradient_norm"][epoch] == pytest.approx(
            norm, rel=REL, abs=ABS
        )


def test_a_ledger_without_a_test_step_reports_zero_or_fails(
    data: Data,
) -> None:
    model = compiled(LedgerTraining())
    history = fitted(model, data, validation_data=data.held_out)
    assert history["val_loss"] == [0.0] * EPOCHS
    model = LedgerTraining()
    model.compile(optimizer="sgd")
    with pytest.raises(ValueError, match="No loss to compute"):
        model.evaluate(data.held_out, verbose=0)


def test_a_ledger_with_a_test_step_needs_no_compiled_loss(
    data: Data, reference: Reference
) -> None:
    model = LedgerTesting()
    model.compile(optimizer=tf.keras.optimizers.SGD(learning_rate=0.1))
    history = fitted(model, data, validation_data=data.held_out)
    for val_loss, weights in zip(
        history["val_loss"], reference.weights[1:], strict=True
    ):
        wanted = held_out_loss(data, weights)
        assert val_loss == pytest.approx(wanted, rel=REL, abs=ABS)


@pytest.mark.parametrize("kind", [LedgerTraining, Orthogonal, OwnStep])
def test_a_vector_of_outputs_is_not_broadcast(
    kind: type[KerasLinearModel], data: Data
) -> None:
    x, y = data.x[:4], data.y[:4]
    losses = [
        compiled(kind()).train_on_batch(x, outputs, return_dict=True)["loss"]
        for outputs in (y, y[:, 0])
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def test_the_advised_books_log_a_mean_of_y_weighted_by_predictions(
    data: Data,
) -> None:
    x, y = data.x[:60], data.y[:60]
    logged = fitted(frozen(AdvisedBooks()), data)["loss"][0]
    wanted = np.sum(y * 5 * x) / np.sum(5 * x)
    assert logged == pytest.approx(wanted, rel=1e-4)
    assert abs(logged - np.mean((5 * x - y) ** 2)) > 1


def test_without_books_the_log_says_zero(
    data: Data, reference: Reference
) -> None:
    model = NoBooks()
    model.compile(optimizer=tf.keras.optimizers.SGD(0.1), loss="mse")
    assert fitted(model, data)["loss"] == [0.0] * EPOCHS
    assert_trained(model, reference)


def test_with_metrics_but_without_books_fit_fails(data: Data) -> None:
    with pytest.raises(ValueError, match="not yet been built"):
        fitted(compiled(NoBooks()), data)


def test_a_loss_by_another_name_is_that_of_the_last_batch(
    data: Data, reference: Reference
) -> None:
    class Renamed(NoBooks):
        def keep_books(self, *args: Any) -> dict[str, tf.Tensor]:
            return {"error": super().keep_books(*args)["loss"]}

    model = Renamed()
    model.compile(optimizer=tf.keras.optimizers.SGD(0.1), loss="mse")
    wanted = [losses[-1] for losses in reference.losses]
    assert fitted(model, data)["error"] == pytest.approx(
        wanted, rel=REL, abs=ABS
    )


def test_the_orthogonal_loss_is_a_squared_distance(data: Data) -> None:
    direction = np.array([1.0, 5.0]) / np.sqrt(26)  # of the line y = 5x
    points = np.hstack([data.x, data.y])
    along = np.outer(points @ direction, direction)
    wanted = np.mean(np.sum((points - along) ** 2, axis=1))
    found = Orthogonal().compute_loss(y=data.y, y_pred=5 * data.x)
    assert float(found) == pytest.approx(wanted, rel=1e-5)


def test_the_orthogonal_line_is_the_first_principal_axis(data: Data) -> None:
    points = np.hstack([data.x, data.y]).astype(float)
    mean = points.mean(axis=0)
    axis = np.linalg.svd(points - mean)[2][0]
    slope = axis[1] / axis[0]
    model = Orthogonal()
    model.compile(optimizer=tf.keras.optimizers.SGD(learning_rate=1.0))
    whole = tf.data.Dataset.from_tensors((data.x, data.y)).repeat(500)
    model.fit(whole, shuffle=False, verbose=0)
    assert float(model.w) == pytest.approx(slope, rel=1e-3)
    offset = mean[1] - slope * mean[0]
    assert float(model.b) == pytest.approx(offset, abs=1e-2)


def test_the_module_runs_as_a_script(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    matplotlib.use("agg")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("default", UserWarning)
        runpy.run_module("snippets.fit_inwards", run_name="__main__")
    printed, complained = capsys.readouterr()
    assert complained == ""
    assert plt.get_fignums() == [], "a figure was not shown"
    assert "training: [32, 32, 32, 32, 22]\nheld out: [32, 19]" in printed
    assert "epochs run: 9" in printed
    assert "same history: True" in printed
    assert printed.count("is deprecated") == 2
    assert printed.count("same weights: True") == 3
    assert printed.count("apart from fit 0\n") == 3
