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


def test_a_constant_has_a_correlation_of_0() -> None:
    rows = tf.constant([[1.0], [2.0], [4.0]])
    assert float(correlation(rows, tf.ones_like(rows))) == 0.0
