"""What the page on errors in a training step defines does as it says."""

import numpy as np
import pytest
import tensorflow as tf

from snippets.errors_in_a_step import (
    CappedFunction,
    CappedTensor,
    Near,
    check_pairs,
    gradients_of,
    make_rows,
    said,
    slope_penalty,
)
from snippets.keras_model import KerasLinearModel

X = tf.constant([[-1.0], [0.5], [2.0]])
Y = tf.constant([[1.0], [2.0], [4.0]])


def test_gradients_are_those_of_the_closed_form() -> None:
    errors = 5.0 * X.numpy() - Y.numpy()
    expected = 2 * np.mean(errors * X), 2 * np.mean(errors)
    found = [float(g) for g in gradients_of(KerasLinearModel(), X, Y)]
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("kind", [CappedTensor, CappedFunction])
@pytest.mark.parametrize(("error", "loss"), [(3.0, 9.0), (11.0, 100.0)])
def test_a_loss_is_100_at_most(
    kind: type[KerasLinearModel], error: float, loss: float
) -> None:
    model = kind()
    model.compile("sgd", "mse")
    found = model.compute_loss(x=X, y=Y, y_pred=Y + error)
    assert float(found) == pytest.approx(loss, abs=1e-4)


def test_near_points_count_more() -> None:
    errors = tf.constant([[1.0], [2.0], [3.0]])
    expected = np.mean(np.exp(-(X.numpy() ** 2)) * errors.numpy() ** 2)
    found = Near().compute_loss(X, Y, Y + errors)
    assert float(found) == pytest.approx(float(expected), abs=1e-6)


def test_rows_come_once_each() -> None:
    x = tf.range(201)[:, tf.newaxis]
    batches = [*make_rows(x, -x)]
    assert tf.reduce_all(tf.concat([b for b, _ in batches], 0) == x)
    assert all(tf.reduce_all(first == -second) for first, second in batches)
    assert [len(first) for first, _ in batches] == [67, 67, 67]


def test_the_error_of_a_call() -> None:
    assert said(lambda: int("one")).startswith("ValueError: invalid literal")
    assert said(lambda: float([])).startswith("TypeError: float() argument")  # type: ignore[arg-type]
    assert said(dict) == "nothing"


def test_pairs_are_returned_or_refused() -> None:
    variable, gradient = tf.Variable(1.0), tf.constant(1.0)
    assert check_pairs(iter([(gradient, variable)])) == [(gradient, variable)]
    with pytest.raises(ValueError, match="no pairs"):
        check_pairs(())
    with pytest.raises(ValueError, match="None"):
        check_pairs([(None, variable)])
    with pytest.raises(TypeError, match="a tensor stands"):
        check_pairs([(variable, gradient)])


def test_the_penalty_is_that_of_the_slope() -> None:
    model = KerasLinearModel()
    with tf.GradientTape() as tape:
        penalty = slope_penalty(model, X)
    assert float(penalty) == pytest.approx(16.0)
    assert float(tape.gradient(penalty, model.w)) == pytest.approx(8.0)
