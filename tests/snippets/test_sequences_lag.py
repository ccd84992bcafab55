"""A series and its squared errors, of values in one row."""

import numpy as np
import pytest
import tensorflow as tf

from snippets.sequences_lag import learn_forecast, make_series, mean_square


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
