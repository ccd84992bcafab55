from pathlib import Path

import h5py
import numpy as np
import pytest
import tensorflow as tf

from snippets.keras_model import KerasLinearModel
from snippets.linear_model import LinearModel
from snippets.training_loop import training_loop


@pytest.fixture
def trained(x: tf.Tensor, y: tf.Tensor) -> KerasLinearModel:
    """A Keras model after two epochs of the loop."""
    model = KerasLinearModel()
    training_loop(model, x, y, epochs=2)
    return model


def test_weights_come_in_the_order_in_which_they_were_made() -> None:
    model = KerasLinearModel()
    first, second = model.trainable_variables
    assert first is model.w
    assert second is model.b
    assert [weight.name for weight in model.weights] == ["w", "b"]


def test_a_new_model_starts_where_the_module_does() -> None:
    model = KerasLinearModel()
    assert (float(model.w), float(model.b)) == (5.0, 0.0)


@pytest.mark.parametrize("shape", [(), (1,), (201,), (4, 1), (2, 3)])
def test_predictions_have_the_shape_of_x(shape: tuple[int, ...]) -> None:
    assert KerasLinearModel()(tf.ones(shape)).shape == shape


def test_predictions_lie_on_the_line_of_the_weights() -> None:
    model = KerasLinearModel()
    model.w.assign(-0.5)
    model.b.assign(4.0)
    predictions = model(tf.constant([-2.0, 0.0, 3.0]))
    np.testing.assert_allclose(predictions, [5.0, 4.0, 2.5], atol=1e-6)


def test_a_keras_model_is_not_a_module() -> None:
    assert not isinstance(KerasLinearModel(), tf.Module)


def test_the_same_loop_writes_the_same_history(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    history = training_loop(LinearModel(), x, y)
    keras_history = training_loop(KerasLinearModel(), x, y)
    assert keras_history.keys() == history.keys()
    for name, values in history.items():
        np.testing.assert_allclose(keras_history[name], values, atol=1e-6)


def test_a_model_that_was_called_loads_what_another_saved(
    trained: KerasLinearModel, x: tf.Tensor, tmp_path: Path
) -> None:
    trained.save_weights(tmp_path / "linear.weights.h5")
    loaded = KerasLinearModel()
    before = loaded(x)
    loaded.load_weights(tmp_path / "linear.weights.h5")
    assert not np.allclose(before, trained(x), atol=0.1)
    np.testing.assert_array_equal(loaded(x), trained(x))


def test_the_saved_file_holds_the_trained_weights(
    trained: KerasLinearModel, tmp_path: Path
) -> None:
    trained.save_weights(tmp_path / "linear.weights.h5")
    stored: list[float] = []

    def keep(_: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            stored.append(float(item[()]))

    with h5py.File(tmp_path / "linear.weights.h5") as file:
        file.visititems(keep)
    assert stored == [float(trained.w), float(trained.b)]
    assert stored != [5.0, 0.0]


def test_a_model_that_was_not_called_loads_nothing(
    trained: KerasLinearModel, tmp_path: Path
) -> None:
    trained.save_weights(tmp_path / "linear.weights.h5")
    with pytest.raises(ValueError, match="not yet been built"):
        KerasLinearModel().load_weights(tmp_path / "linear.weights.h5")


@pytest.mark.parametrize("name", ["linear", "linear.h5", "weights.h5.old"])
def test_another_ending_of_the_file_name_is_an_error(
    name: str, trained: KerasLinearModel, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"must end in `\.weights\.h5`"):
        trained.save_weights(tmp_path / name)
    assert list(tmp_path.iterdir()) == []
