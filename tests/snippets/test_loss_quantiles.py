"""The pinball loss, compared with its formula and with quantiles."""

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from snippets.loss_quantiles import pinball_loss, three_lines

Q = [0.1, 0.5, 0.8]
Y = np.array([[3.0], [-1.0], [0.5]], np.float32)
Y_PRED = np.array([[1.0, 3.0, 7.0], [0.0, 0.0, -2.0], [1, 1, 1]], np.float32)


def test_the_formula() -> None:
    error = Y - Y_PRED
    wanted = np.where(
        error > 0, np.array(Q) * error, (np.array(Q) - 1) * error
    )
    found = pinball_loss(Q)(tf.constant(Y), tf.constant(Y_PRED))
    np.testing.assert_allclose(found, wanted.mean(axis=-1), rtol=1e-6)


@pytest.mark.parametrize("columns", [1, 3])
def test_a_vector_is_taken_for_a_column(columns: int) -> None:
    loss, y_pred = pinball_loss(Q[:columns]), Y_PRED[:, :columns]
    np.testing.assert_array_equal(loss(Y[:, 0], y_pred), loss(Y, y_pred))


def test_a_column_for_each_quantile_is_asked_for() -> None:
    for columns, y_pred in ((3, Y_PRED[:2, :1]), (1, Y_PRED[:2, 0])):
        with pytest.raises(tf.errors.InvalidArgumentError, match="compatible"):
            pinball_loss(Q[:columns])(Y[:2], y_pred)


def test_the_gradient_is_the_share_below_less_the_quantile() -> None:
    y = tf.constant([[1.0], [2.0], [3.0], [4.0], [9.0]])
    at = tf.Variable([[2.5, 2.5, 8.0]])
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(pinball_loss(Q)(y, at))
    found = tape.gradient(loss, at)
    np.testing.assert_allclose(
        found, [(np.array([0.4, 0.4, 0.8]) - Q) / 3], atol=1e-6
    )


@pytest.mark.parametrize("q", [0.1, 0.5, 0.75])
def test_the_best_constant_is_the_quantile(q: float) -> None:
    y = np.random.default_rng(0).normal(size=(99, 1)).astype(np.float32)
    losses = [np.mean(pinball_loss([q])(y, constant)) for constant in y]
    best = y[int(np.argmin(losses))]
    assert best == pytest.approx(np.quantile(y, q), abs=0.05)
    assert np.mean(y < best) <= q <= np.mean(y <= best)


def test_three_lines(capsys: pytest.CaptureFixture[str]) -> None:
    x = np.linspace(-1, 1, 101, dtype=np.float32)[:, np.newaxis]
    y = 2 * x + np.random.default_rng(1).permutation(x) + 1
    model = three_lines(pinball_loss([0.2, 0.5, 0.8]), x, y)
    assert capsys.readouterr().out == "below each line: 0.2 0.5 0.8\n"
    slopes, offsets = model.get_weights()
    np.testing.assert_allclose(slopes, [[2.0] * 3], atol=0.3)
    np.testing.assert_allclose(offsets, [0.4, 1.0, 1.6], atol=0.15)


def test_the_script(printed_by: Callable[[str], list[str]]) -> None:
    assert printed_by("loss_quantiles") == [
        "below each line: 0.1 0.5 0.9",
        "below each line: 0.9 0.5 0.1",
    ]
