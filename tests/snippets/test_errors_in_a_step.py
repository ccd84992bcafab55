"""What the page on errors in a training step defines does as it says."""

import numpy as np
import pytest
import tensorflow as tf

from snippets import errors_in_a_step
from snippets.errors_in_a_step import (
    Capped,
    CappedFunction,
    CappedTensor,
    Near,
    check_pairs,
    first_line,
    gradients_of,
    holding,
    make_classifier,
    make_rows,
    said,
    slope_penalty,
    standardised,
    with_shapes,
)
from snippets.keras_model import KerasLinearModel
from tests.story import Names, execute, statements

X = tf.constant([[-1.0], [0.5], [2.0]])
Y = tf.constant([[1.0], [2.0], [4.0]])


def names_of(model: KerasLinearModel) -> Names:
    """Return what the page's sections find when they train a model."""
    data = {"x": X, "y": Y, "model": model}
    variables = model.trainable_variables
    return {**vars(errors_in_a_step), **data, "variables": variables}


def carry_out(section: str, names: Names) -> None:
    """Do what the page does in the section, with these names."""
    page = "errors_in_a_step"
    execute(page, statements(page, section), names)


def values_of(model: KerasLinearModel) -> list[float]:
    return [float(value) for value in model.trainable_variables]


def test_gradients_are_those_of_the_closed_form() -> None:
    errors = 5.0 * X.numpy() - Y.numpy()
    expected = 2 * np.mean(errors * X), 2 * np.mean(errors)
    found = [float(g) for g in gradients_of(KerasLinearModel(), X, Y)]
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.usefixtures("each_way")
@pytest.mark.parametrize("kind", [Capped, CappedTensor, CappedFunction])
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
    for x, y in ((X, Y[:, 0]), (X[:, 0], Y)):
        with pytest.raises(tf.errors.InvalidArgumentError):
            Near().compute_loss(x, y, Near()(x))


def test_rows_come_once_each() -> None:
    x = tf.range(201)[:, tf.newaxis]
    batches = [*make_rows(x, -x)]
    assert tf.reduce_all(tf.concat([b for b, _ in batches], 0) == x)
    assert all(tf.reduce_all(first == -second) for first, second in batches)
    assert [len(first) for first, _ in batches] == [67, 67, 67]
    short = [len(first) for first, _ in make_rows(x[:100], x[:100])]
    assert short == [67, 33]


def test_a_dataset_of_one_element_and_what_it_complains_of() -> None:
    pair = (tf.TensorSpec((2,), tf.float32), tf.TensorSpec((), tf.int32))
    data = holding(([1.0, 2.0], 3), pair)
    assert first_line(data) == "nothing"
    for _ in range(2):
        [(first, second)] = data
        assert (first.numpy().tolist(), second.numpy()) == ([1.0, 2.0], 3)
    assert first_line(holding(([1.0], 3), pair)) == (
        "TypeError: `generator` yielded an element of shape (1,) where an "
        "element of shape (2,) was expected."
    )


def test_a_row_by_numpy_keeps_its_shapes() -> None:
    x, y = standardised(np.array([2.32]), np.array([7.0]))
    assert x.dtype == np.float32
    assert (x.tolist(), y.tolist()) == (pytest.approx([2.0]), [7.0])
    for call in (with_shapes, tf.function(with_shapes)):
        assert [part.numpy().tolist() for part in call(X[2], Y[2])] == [
            pytest.approx([2.0 / 1.16]),
            [4.0],
        ]
    rows = tf.data.Dataset.from_tensor_slices((X, tf.concat([Y, Y], 1)))
    shapes = [part.shape for part in rows.map(with_shapes).element_spec]
    assert shapes == [(1,), (2,)]


@pytest.mark.parametrize(
    ("activation", "value"), [("sigmoid", 0.5), ("linear", 0.0)]
)
def test_a_classifier_with_one_output(activation: str, value: float) -> None:
    model = make_classifier(activation)
    assert model(X).numpy().tolist() == [[value]] * 3
    model.fit(X, tf.cast(Y > 1.5, tf.float32), verbose=0)
    assert model.metrics_names[0] == "loss"
    assert "accuracy" in model.evaluate(X, Y, verbose=0, return_dict=True)
    assert model.loss == "binary_crossentropy"


@pytest.mark.parametrize("first", [1.0, 2.0])
def test_labels_are_checked_before_the_loss(first: float) -> None:
    names = names_of(KerasLinearModel())
    names["binary"] = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    names["two_classes"] = tf.constant([[first], [2.0], [3.0 - first]])
    carry_out("above_zero", names)
    found = names["two_classes"].numpy()
    assert found.min() >= 0.0
    assert found.max() <= 1.0
    for wrong in (0.0, 3.0):
        names["two_classes"] = tf.constant([[1.0], [wrong], [2.0]])
        with pytest.raises(AssertionError):
            carry_out("above_zero", names)


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


def test_a_variable_made_inside_is_refused_in_a_graph_alone() -> None:
    model = KerasLinearModel()
    names = names_of(model)
    gradients = [float(g) for g in gradients_of(model, X, Y)]
    start = values_of(model)
    with pytest.raises(ValueError, match="singleton"):
        carry_out("made_inside", names)
    assert values_of(model) == start
    names["train_once"].python_function(X, Y)
    moved = [v - 0.1 * g for v, g in zip(start, gradients, strict=True)]
    assert values_of(model) == pytest.approx(moved, abs=1e-5)


def test_a_compiled_prediction_is_that_of_the_model_as_it_is_now() -> None:
    names = names_of(KerasLinearModel())
    carry_out("one_by_one", names)
    model, predict_row = names["model"], names["predict_row"]
    for w in (5.0, -1.0):
        model.w.assign(w)
        for call in (predict_row, predict_row.python_function):
            assert call(X[2:]).numpy().tolist() == [[2.0 * w]]


def test_a_compiled_step_with_an_optimizer_from_outside_is_the_same() -> None:
    names = names_of(KerasLinearModel())
    carry_out("made_before", names)
    model, optimizer = names["model"], names["optimizer"]
    step = names["train_step"]
    state = [*model.variables, *optimizer.variables]
    before = [value.numpy() for value in state]
    after = []
    for take in (step, step.python_function):
        for value, kept in zip(state, before, strict=True):
            value.assign(kept)
        take(X, Y)
        after.append(values_of(model))
    assert after[0] == pytest.approx(after[1], abs=1e-5)
    assert after[0] != pytest.approx([float(b) for b in before[:2]], abs=1e-3)


def test_the_gradient_through_an_update_is_that_of_the_closed_form() -> None:
    model = KerasLinearModel()
    names = names_of(model)
    carry_out("through_update", names)
    matrix = np.concatenate([X, np.ones_like(X)], axis=1)
    curvature = 2 * matrix.T @ matrix / len(X)

    def slopes(weights: np.ndarray) -> np.ndarray:
        errors = matrix @ weights - np.squeeze(Y)
        return np.asarray(2 * matrix.T @ errors / len(X))

    start = np.array([5.0, 0.0])
    moved = start - 0.1 * slopes(start)
    expected = (np.eye(2) - 0.1 * curvature) @ slopes(moved)
    found = [float(slope) for slope in names["gradients"]]
    assert found == pytest.approx(expected, abs=1e-5)
    assert [float(value) for value in names["updated"]] == pytest.approx(moved)
    assert values_of(names["model"]) == [5.0, 0.0]
