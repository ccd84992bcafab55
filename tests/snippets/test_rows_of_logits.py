"""Scores by rows, compared with NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from snippets.rows_of_logits import scores_of


@pytest.mark.parametrize("shape", [(2, 4), (5, 3)])
def test_a_row_of_scores_for_each_row(shape: tuple[int, int]) -> None:
    rows = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    weights = np.arange(3 * shape[1]).reshape(-1, 3)
    found = scores_of(tf.constant(rows))
    assert found.shape == (shape[0], 3)
    assert found.numpy() == pytest.approx(rows @ weights)
