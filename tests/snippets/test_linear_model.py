from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from snippets.linear_model import LinearModel


def test_a_new_model_starts_far_from_the_true_line() -> None:
    model = LinearModel()
    assert float(model.w) == 5.0
    assert float(model.b) == 0.0


def test_a_new_model_predicts_fifteen_for_three() -> None:
    assert LinearModel()(3.0) == 15.0


@pytest.mark.parametrize("shape", [(), (1,), (201,), (4, 1), (2, 3)])
def test_predictions_have_the_shape_of_x(shape: tuple[int, ...]) -> None:
    assert LinearModel()(tf.ones(shape)).shape == shape


def test_predictions_lie_on_the_line_of_the_weights() -> None:
    model = LinearModel()
    model.w.assign(-0.5)
    model.b.assign(4.0)
    predictions = model(tf.constant([-2.0, 0.0, 3.0]))
    np.testing.assert_allclose(predictions, [5.0, 4.0, 2.5], atol=1e-6)


def test_the_model_lists_its_variables_in_alphabetical_order() -> None:
    model = LinearModel()
    assert isinstance(model, tf.Module)
    first, second = model.variables
    assert first is model.b
    assert second is model.w


def test_both_variables_are_trainable() -> None:
    model = LinearModel()
    assert len(model.trainable_variables) == 2
    assert model.w.trainable
    assert model.b.trainable


def test_the_variables_bear_the_names_of_their_attributes() -> None:
    names = [variable.name for variable in LinearModel().variables]
    assert names == ["b:0", "w:0"]


def test_two_models_share_no_variable() -> None:
    changed, untouched = LinearModel(), LinearModel()
    changed.w.assign(1.0)
    changed.b.assign(1.0)
    assert untouched(3.0) == 15.0


def test_a_checkpoint_restores_the_weights_into_a_new_model(
    tmp_path: Path,
) -> None:
    model = LinearModel()
    model.w.assign(3.25)
    model.b.assign(-1.5)
    path = tf.train.Checkpoint(model=model).write(str(tmp_path / "linear"))
    restored = LinearModel()
    tf.train.Checkpoint(model=restored).read(path).assert_consumed()
    assert float(restored.w) == 3.25
    assert float(restored.b) == -1.5


def test_assert_consumed_notices_a_weight_without_a_place(
    tmp_path: Path,
) -> None:
    path = tf.train.Checkpoint(model=LinearModel()).write(
        str(tmp_path / "linear")
    )
    without_b = tf.Module()
    without_b.w = tf.Variable(0.0)
    status = tf.train.Checkpoint(model=without_b).read(path)
    with pytest.raises(AssertionError, match="b"):
        status.assert_consumed()
