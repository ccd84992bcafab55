"""A step learns, and errors are of values in one row."""

import numpy as np
import pytest
import tensorflow as tf

from snippets.sequences_lag import (
    learn_forecast,
    make_forecast_step,
    make_series,
    mean_square,
)


def test_a_series_can_be_longer_than_another() -> None:
    np.testing.assert_allclose(make_series(50)[:20], make_series(20))


def test_a_column_is_no_row() -> None:
    y = tf.constant([1.0, 3.0])
    assert mean_square(y, tf.zeros(2)) == 5.0
    refused = tf.errors.InvalidArgumentError
    with pytest.raises(refused, match="not compatible"):
        mean_square(y, tf.zeros((2, 1)))
    with pytest.raises(refused, match="not compatible"):
        learn_forecast(tf.ones((2, 8)), tf.ones((2, 1)))


def test_a_step_goes_down_the_gradient() -> None:
    tf.keras.utils.set_random_seed(0)
    model = tf.keras.Sequential([tf.keras.Input((3,))])
    model.add(tf.keras.layers.Dense(1))
    kernel = model.trainable_variables[0].numpy()
    step = make_forecast_step(model, tf.keras.optimizers.SGD(0.1))
    x, y = tf.ones((4, 3)), tf.zeros((4, 1))
    loss = step(x, y)
    assert float(loss) == pytest.approx(kernel.sum() ** 2, rel=1e-5)
    moved = kernel - 0.1 * 2 * kernel.sum()
    np.testing.assert_allclose(model.weights[0], moved, rtol=1e-5)
