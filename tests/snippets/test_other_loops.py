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
    train,
    try_rates,
)
from snippets.other_loops_sam import (
    add_noise,
    climb,
    differentiate,
    make_sam_step,
    rise,
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


def test_training_returns_the_mean_of_the_last_epoch() -> None:
    told = iter([9.0, 9.0, 1.0, 2.0])
    assert train(lambda x, y: next(told), ONE.repeat(2), 2) == 1.5
    assert next(told, None) is None


def test_gradients_of_an_embedding_are_dense() -> None:
    model = tf.keras.Sequential(
        [tf.keras.Input((2,)), layers.Embedding(3, 1), layers.Flatten()]
    )
    model.set_weights([np.array([[1.0], [2.0], [3.0]])])
    x, y = tf.constant([[1, 1], [1, 0]]), tf.zeros((2, 2))
    loss, [gradient] = differentiate(model, square, x, y)
    assert float(loss) == (3 * 4 + 1) / 4
    np.testing.assert_allclose(gradient, [[0.5], [3.0], [0.0]])


def test_weights_climb_by_rho_in_all() -> None:
    model = tf.keras.Sequential([tf.keras.Input((2,)), layers.Dense(1)])
    model.set_weights([np.array([[1.0], [2.0]]), np.array([3.0])])
    gradients = [tf.constant([[2.0], [0.0]]), tf.constant([-1.5])]
    climb(model, gradients, 0.5)
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(kernel, [[1.4], [2.0]], rtol=1e-6)
    np.testing.assert_allclose(bias, [2.7], rtol=1e-6)
    climb(model, [0 * part for part in gradients], 0.5)
    assert model.get_weights()[1] == bias


@pytest.mark.usefixtures("each_way")
def test_a_step_of_sam_agrees_with_the_closed_form() -> None:
    model = make_line()
    step = make_sam_step(model, square, SGD(0.1), 0.5)
    x, y = tf.constant([[1.0], [2.0]]), tf.zeros((2, 1))
    assert float(step(x, y)) == pytest.approx((9 + 36) / 2)
    due = 3 - 0.1 * 5 * (3 + 0.5)
    assert model.get_weights()[0] == pytest.approx(due)


@pytest.mark.usefixtures("each_way")
def test_sam_moves_averages_once() -> None:
    norm = layers.BatchNormalization(momentum=0.9)
    model = tf.keras.Sequential([tf.keras.Input((4,)), norm, layers.Dense(1)])
    x, y = make_rows()
    make_sam_step(model, square, SGD(0.1), 0.5)(x + 1.0, y)
    due = 0.1 * np.mean(x + 1.0, axis=0)
    np.testing.assert_allclose(norm.moving_mean, due, rtol=1e-4)


def test_how_much_the_loss_rises() -> None:
    model = make_line()
    x, y = tf.constant([[2.0]]), tf.constant([[0.0]])
    found = rise(model, square, x, y, 0.5)
    assert found == pytest.approx(4 * (3.5**2 - 3**2), rel=1e-5)
    assert model.get_weights()[0] == pytest.approx(3.0)


def test_noise_is_normal_and_added() -> None:
    random = tf.random.Generator.from_seed(1)
    parts = [tf.fill((100, 100), 5.0), tf.fill((10_000,), -1.0)]
    found = [part.numpy() for part in add_noise(parts, 0.5, random)]
    for part, mean in zip(found, (5.0, -1.0), strict=True):
        assert part.mean() == pytest.approx(mean, abs=0.02)
        assert part.std() == pytest.approx(0.5, abs=0.02)
    assert np.abs(found[0].ravel() - found[1]).std() > 0.5
    assert found[0].shape == (100, 100)
