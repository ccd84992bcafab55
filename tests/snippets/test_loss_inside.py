"""Losses of several outputs, against NumPy and by hand."""

import numpy as np
import pytest
import tensorflow as tf

from snippets.loss_inside import Found, Inside

WRONG = tf.errors.InvalidArgumentError
INPUT = tf.keras.Input((1,))
"""Of it the models are made, whose outputs do not count here."""


def test_a_loss_counts_the_code() -> None:
    y, y_pred = tf.constant([[1.0], [2.0]]), tf.constant([[1.0], [4.0]])
    code = tf.constant([[1.0, -3.0], [0.0, 4.0]])
    loss = Inside(INPUT, INPUT).compute_loss(y=y, y_pred=[y_pred, code])
    assert float(loss) == pytest.approx(4 / 2 + 0.1 * 8 / 4)


def test_a_vector_of_labels_is_refused() -> None:
    column, vector = tf.ones((2, 1)), tf.ones(2)
    model = Inside(INPUT, INPUT)
    with pytest.raises(WRONG, match="not compatible"):
        model.compute_loss(y=vector, y_pred=[column, column])
    y = {"there": column, "where": vector}
    y_pred = {"there": column, "where": column}
    with pytest.raises(WRONG, match="not compatible"):
        Found(INPUT, INPUT).compute_loss(y=y, y_pred=y_pred)


def where(there: list[float], second: float = 70.0) -> float:
    """Return the loss of two rows, which say that nothing is known."""
    column = tf.constant(there)[:, tf.newaxis]
    y = {"there": column, "where": tf.constant([[3.0], [second]])}
    y_pred = {"there": tf.zeros((2, 1)), "where": tf.constant([[1.0], [0.0]])}
    return float(Found(INPUT, INPUT).compute_loss(y=y, y_pred=y_pred))


def test_a_place_counts_where_there_is_a_thing() -> None:
    assert where([1.0, 0.0]) == pytest.approx(np.log(2) + 2**2)
    assert where([1.0, 1.0]) == pytest.approx(np.log(2) + (2**2 + 70**2) / 2)


def test_a_place_that_is_not_a_number_does_not_count() -> None:
    assert where([1.0, 0.0], np.nan) == pytest.approx(np.log(2) + 2**2)


def test_without_any_thing_no_place_counts() -> None:
    assert where([0.0, 0.0]) == pytest.approx(np.log(2))


def test_labels_may_be_whole_numbers() -> None:
    y = {"there": tf.constant([[1]]), "where": tf.constant([[2.0]])}
    y_pred = {"there": tf.zeros((1, 1)), "where": tf.constant([[1.0]])}
    loss = Found(INPUT, INPUT).compute_loss(y=y, y_pred=y_pred)
    assert float(loss) == pytest.approx(np.log(2) + 1)
