"""A loss of numbers of classes, compared with NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from snippets.integer_labels import brier, brier_of_floats

NUMBERS = np.array([2, 0])
PROBABILITIES = np.array([[0.2, 0.3, 0.5], [0.6, 0.4, 0.0]], np.float32)
DISTANCES = [0.04 + 0.09 + 0.25, 0.16 + 0.16]


def test_the_squared_distance_of_each_row() -> None:
    found = brier(tf.constant(NUMBERS), tf.constant(PROBABILITIES))
    assert found.numpy() == pytest.approx(DISTANCES, rel=1e-6)


@pytest.mark.parametrize("shape", [(2,), (2, 1)])
def test_floats_are_cast_back(shape: tuple[int, ...]) -> None:
    labels = tf.constant(NUMBERS.reshape(shape), tf.float32)
    found = brier_of_floats(labels, tf.constant(PROBABILITIES))
    assert found.numpy() == pytest.approx(DISTANCES, rel=1e-6)
