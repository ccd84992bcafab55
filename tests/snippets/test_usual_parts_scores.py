"""Pearson's correlation, compared with NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from snippets.usual_parts_scores import correlation


def test_the_correlation_agrees_with_numpy() -> None:
    generator = np.random.default_rng(0)
    y = generator.normal(5.0, 2.0, (40, 1)).astype("float32")
    noisy = 3.0 * y + generator.normal(0.0, 4.0, y.shape).astype("float32")
    for y_pred in (noisy, -noisy):
        found = correlation(tf.constant(y), tf.constant(y_pred))
        expected = np.corrcoef(y[:, 0], y_pred[:, 0])[0, 1]
        assert float(found) == pytest.approx(expected, abs=1e-5)


def test_a_column_against_a_row_is_refused() -> None:
    rows = tf.constant([[1.0], [2.0], [4.0]])
    with pytest.raises(tf.errors.InvalidArgumentError, match="not compatible"):
        correlation(rows[:, 0], rows)


@pytest.mark.parametrize("rows", [1, 3, 7, 1000])
def test_a_constant_has_a_correlation_of_0(rows: int) -> None:
    noise = tf.random.stateless_normal((rows, 1), (0, 0))
    for constant in (0.1, 0.3, 1.7):  # of which a mean may be rounded
        other = tf.Variable(tf.fill((rows, 1), constant))
        for y in (noise, tf.fill((rows, 1), 0.7)):
            with tf.GradientTape() as tape:
                found = correlation(y, other)
            assert float(found) == 0.0
            slope = tape.gradient(found, other)
            assert float(tf.reduce_max(abs(slope))) == 0.0
