"""Reading the curves: each part agrees with NumPy or a closed form."""

import itertools
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from snippets.curves_choose import count_rises
from snippets.curves_loop import (
    accuracy,
    loss,
    make_model,
    make_step,
    make_waves,
    measure,
    run_epoch,
    train,
)
from snippets.curves_overfit import each_loss, lowest, shift
from snippets.curves_setup import NAMES, SGD, Adam, layers
from snippets.curves_stuck import look_inside, of_zeros, overfit_batch

X, Y = make_waves(64, seed=0)


def softmax_loss(logits: Any, y: Any) -> Any:
    """Return the cross-entropy of each row, by its formula."""
    logits = np.asarray(logits, np.float64)
    sums = np.log(np.exp(logits).sum(axis=1))
    return sums - logits[np.arange(len(y)), y]


def make_line(bias: float = 0.0) -> Any:
    """Return a model of waves without a hidden layer, whose kernel is 0."""
    model = tf.keras.Sequential([layers.Input((32,)), layers.Dense(4)])
    model.set_weights([np.zeros((32, 4)), np.array([bias, 0.0, 0.0, 0.0])])
    return model


def test_waves_without_noise_are_those_of_the_formula() -> None:
    x, y = make_waves(400, seed=3, noise=0.0)
    assert x.shape == (400, 32)
    assert x.dtype == np.float32
    assert np.bincount(y).tolist() == [100] * 4
    strength = np.abs(np.fft.rfft(x, axis=1)) / 16
    np.testing.assert_allclose(strength[np.arange(400), y + 1], 1, atol=1e-5)
    assert strength.sum(axis=1) == pytest.approx(np.ones(400), abs=1e-4)
    begins = np.angle(np.fft.rfft(x, axis=1)[np.arange(400), y + 1])
    assert np.histogram(begins, bins=4)[0].min() > 70


def test_the_noise_of_waves_is_normal() -> None:
    noise = make_waves(4000, 1)[0] - make_waves(4000, 1, noise=0.0)[0]
    assert noise.mean() == pytest.approx(0.0, abs=0.02)
    assert noise.std() == pytest.approx(1.5, abs=0.02)
    assert np.mean(np.abs(noise) < 1.5) == pytest.approx(0.6827, abs=0.01)
    assert (make_waves(8, 1)[0] == make_waves(8, 1)[0]).all()
    assert (make_waves(8, 1)[0] != make_waves(8, 2)[0]).all()


def test_the_model_is_that_of_two_matrices() -> None:
    model = make_model(8, dropout=0.5)
    kernel, bias, last_kernel, last_bias = model.get_weights()
    assert kernel.shape == (32, 8)
    hidden = np.maximum(X @ kernel + bias, 0)
    due = hidden @ last_kernel + last_bias
    np.testing.assert_allclose(model(X, training=False), due, atol=1e-5)
    assert np.any(np.abs(model(X, training=True) - due) > 0.1)
    again = make_model(8).get_weights()[0]
    np.testing.assert_array_equal(again, kernel)


def test_loss_and_accuracy_are_those_of_the_formulas() -> None:
    logits = make_model()(X)
    each = softmax_loss(logits, Y)
    np.testing.assert_allclose(each_loss(Y, logits), each, rtol=1e-4)
    assert float(loss(Y, logits)) == pytest.approx(each.mean(), rel=1e-5)
    right = np.argmax(logits, axis=1) == Y
    np.testing.assert_array_equal(accuracy(Y, logits), right)
    found = measure(make_model(), (X, Y))
    assert found == pytest.approx((each.mean(), right.mean()), rel=1e-5)
    model = make_model(dropout=0.5)
    assert measure(model, (X, Y)) == measure(model, (X, Y))


@pytest.mark.usefixtures("each_way")
def test_a_step_is_that_of_the_optimizer_and_tells_of_before() -> None:
    model = make_line(bias=1.0)
    before = softmax_loss(model(X), Y).mean()
    shares = np.exp([1.0, 0.0, 0.0, 0.0])
    shares /= shares.sum()
    step = make_step(model, SGD(0.5))
    found, right = step(X, Y)
    assert float(found) == pytest.approx(before)
    assert float(right) == 0.25
    due = np.array([1.0, 0.0, 0.0, 0.0]) - 0.5 * (shares - 0.25)
    np.testing.assert_allclose(model.get_weights()[1], due, rtol=1e-5)
    slope = X.T @ (shares - np.eye(4)[Y]) / len(Y)
    np.testing.assert_allclose(model.get_weights()[0], -0.5 * slope, atol=1e-6)


@pytest.mark.usefixtures("each_way")
def test_a_step_adds_the_penalties_of_layers() -> None:
    model = tf.keras.Sequential(
        [layers.Input((32,)), layers.Dense(4, kernel_regularizer="l2")]
    )
    penalty = 0.01 * np.sum(model.get_weights()[0] ** 2)
    due = softmax_loss(model(X), Y).mean() + penalty
    assert float(make_step(model, SGD(0.1))(X, Y)[0]) == pytest.approx(due)


def test_an_epoch_takes_each_row_once_and_counts_rows() -> None:
    seen: list[list[int]] = []

    def step(x: Any, y: Any) -> tuple[float, float]:
        seen.append(x[:, 0].tolist())
        assert (x[:, 0] == y).all()
        return float(y.mean()), float(len(y))

    rows = np.arange(10)
    found = run_epoch(step, (rows[:, np.newaxis], rows), 4, seed=1)
    assert [len(batch) for batch in seen] == [4, 4, 2]
    first = list(itertools.chain(*seen))
    assert sorted(first) == rows.tolist() != first
    assert found == pytest.approx((4.5, (16 + 16 + 4) / 10))
    run_epoch(step, (rows[:, np.newaxis], rows), 4, seed=2)
    assert list(itertools.chain(*seen[3:])) != first


def test_train_keeps_the_weights_of_the_lowest_val_loss() -> None:
    model, valid = make_model(), make_waves(32, seed=1)
    history, best = train(model, Adam(0.01), ((X, Y), valid), 30)
    assert list(history) == list(NAMES)
    assert {len(values) for values in history.values()} == {30}
    last = measure(model, valid)
    assert last == (history["val_loss"][-1], history["val_accuracy"][-1])
    assert history["val_loss"][-1] > min(history["val_loss"])
    model.set_weights(best)
    assert measure(model, valid)[0] == min(history["val_loss"])
    found = int(np.argmin(history["val_loss"]))
    said = f"val_loss {history['val_loss'][found]:.2f} in epoch {found + 1}"
    assert lowest(history) == said


def test_train_without_a_number_keeps_the_weights_of_before() -> None:
    model = make_model()
    before = model.get_weights()
    _, best = train(model, Adam(0.01), ((X, Y), (np.nan * X, Y)), 1)
    for weight, kept in zip(before, best, strict=True):
        np.testing.assert_array_equal(kept, weight)


def test_train_changes_the_inputs_of_each_epoch() -> None:
    epochs = []

    def change(x: Any, epoch: int) -> Any:
        assert x is X
        epochs.append(epoch)
        return 0 * x

    model = make_line()
    sets = (X, Y), (X, Y)
    train(model, SGD(0.1), sets, 3, change, 64)
    assert epochs == [0, 1, 2]
    assert (model.get_weights()[0] == 0).all()


def test_turned_waves_are_rolled() -> None:
    turned = shift(X, epoch=5)
    places = np.random.default_rng(5).integers(32, size=len(X))
    for row, wave, place in zip(turned, X, places, strict=True):
        np.testing.assert_array_equal(row, np.roll(wave, -place))
    assert len(set(places)) > 10
    assert (shift(X, epoch=6) != turned).any()


def test_one_batch_is_taken_a_hundred_times() -> None:
    values = iter(range(100))
    said = overfit_batch(lambda x, y: (next(values), 0.0), X, Y)
    assert said == "loss 0.00, then 99.00"
    assert next(values, None) is None


def test_what_is_found_inside_a_model() -> None:
    model = make_model(4)
    kernel, bias, *rest = model.get_weights()
    bias[:] = [0.0, 1000.0, -1000.0, 0.0]
    model.set_weights([kernel, bias, *rest])
    with tf.GradientTape() as tape:
        current_loss = loss(Y, model(X))
    gradients = tape.gradient(current_loss, model.trainable_variables)
    length = np.sqrt(sum(np.sum(part.numpy() ** 2) for part in gradients))
    answers = len(set(np.argmax(model(X), axis=1)))
    assert look_inside(model, X + 7, Y).startswith(
        f"inputs differ by {np.ptp(X, axis=0).max():.2g}, alive 75%"
    )
    assert look_inside(model, X, Y).endswith(
        f"answers {answers}, gradient {length:.3f}"
    )


def test_zeros_are_zeros() -> None:
    model = make_model()
    assert of_zeros(model) is model
    assert not any(weight.any() for weight in model.get_weights())


def test_rises_are_counted() -> None:
    part = make_waves(192, seed=0)
    for rate in (0.0, 0.1):
        said = count_rises(make_model(), SGD(rate), part)
        assert said.startswith("3 steps")
        assert said.endswith("0 by step")
    assert count_rises(make_line(), SGD(0.0), part).split(", ")[1][0] == "0"
    x, y = part
    model = make_model()
    losses = softmax_loss(model(x), y).reshape(3, 64).mean(axis=1)
    ups = int((np.diff(losses) > 0).sum())
    said = count_rises(model, SGD(0.0), part)
    assert said == f"3 steps, {ups} up from batch to batch, 0 by step"
    assert count_rises(make_model(), SGD(1e4), part).endswith(" 3 by step")
