"""Other loops: each part agrees with NumPy or a closed form."""

import math
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from snippets.other_loops_finder import (
    RaiseRate,
    make_model,
    make_rows,
    make_step,
    remember,
    try_rates,
)

layers = tf.keras.layers
SGD = tf.keras.optimizers.SGD
ONE = tf.data.Dataset.from_tensors((tf.constant(1.0), tf.constant(0.0)))


def square(y: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean((y_pred - y) ** 2)


def make_line() -> Any:
    """Return a model of one number, w * x, with w = 3."""
    model = tf.keras.Sequential(
        [tf.keras.Input((1,)), layers.Dense(1, use_bias=False)]
    )
    model.set_weights([np.array([[3.0]])])
    return model


def test_the_rows_are_those_of_the_formula() -> None:
    x, y = (tensor.numpy() for tensor in make_rows())
    assert x.shape == (2048, 4)
    assert -1 <= x.min() < -0.99
    assert 0.99 < x.max() < 1
    due = np.sin(3 * x[:, 0]) + x[:, 1] * x[:, 2]
    np.testing.assert_allclose(y, due[:, np.newaxis], atol=1e-5)
    assert make_model()(x).shape == y.shape


@pytest.mark.usefixtures("each_way")
def test_a_step_is_that_of_the_optimizer() -> None:
    model = make_line()
    step = make_step(model, square, SGD(0.1))
    loss = step(tf.constant([[1.0], [2.0]]), tf.constant([[0.0], [0.0]]))
    assert float(loss) == pytest.approx((3**2 + 6**2) / 2)
    slope = 2 * 3 * (1 + 4) / 2
    assert model.get_weights()[0] == pytest.approx(3 - 0.1 * slope)


@pytest.mark.parametrize(
    ("told", "due"),
    [
        ([1.0, 0.5, 1.9, 2.0, 0.1], 4),  # 4 times 0.5
        ([1.0, math.nan, 1.0], 2),
        ([1.0, math.inf], 2),
        ([3.0, 2.0, 1.0], 3),  # no explosion, but no more batches
    ],
)
def test_rates_are_raised_until_the_loss_explodes(
    told: list[float], due: int
) -> None:
    optimizer, seen = SGD(), []

    def step(x: tf.Tensor, y: tf.Tensor) -> float:
        seen.append(float(optimizer.learning_rate))
        return told[len(seen) - 1]

    rates, losses = try_rates(
        step, optimizer, ONE.repeat(len(told)), rate=0.25
    )
    np.testing.assert_array_equal(losses, told[:due])
    np.testing.assert_allclose(rates, 0.25 * 1.1 ** np.arange(due))
    np.testing.assert_allclose(seen, rates, rtol=1e-6)


@pytest.mark.parametrize("make", [tf.keras.optimizers.Adam, SGD])
def test_all_is_set_back(make: Any) -> None:
    model = tf.keras.Sequential(
        [
            tf.keras.Input((4,)),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Dense(1),
        ]
    )
    optimizer = make(0.1)
    step = make_step(model, square, optimizer)
    x, y = make_rows()
    restore = remember(model, optimizer)
    variables = [*model.variables, *optimizer.variables]
    before = [variable.numpy() for variable in variables]
    first = [float(step(x, y)) for _ in range(3)]
    optimizer.learning_rate.assign(7.0)
    restore()
    for variable, value in zip(variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    assert [float(step(x, y)) for _ in range(3)] == first


def test_the_callback_raises_the_rate_and_keeps_what_is_logged() -> None:
    model, raising = make_line(), RaiseRate()
    model.compile(SGD(1.0), "mse")
    x = np.ones((3, 1), "float32")
    model.fit(x, 0 * x, 1, verbose=0, callbacks=[raising], shuffle=False)
    w, losses = 3.0, []
    for batch in range(3):
        losses.append(w**2)
        w -= 1e-4 * 1.1**batch * 2 * w
    means = np.cumsum(losses) / [1, 2, 3]
    np.testing.assert_allclose(raising.logged, means, rtol=1e-6)
    assert model.get_weights()[0] == pytest.approx(w)
