import warnings
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from snippets.keras_fit import Forgetful
from snippets.keras_model import KerasLinearModel
from snippets.linear_model import LinearModel
from snippets.loss import loss
from snippets.training_loop import training_loop

EPOCHS = 10


def compiled() -> KerasLinearModel:
    model = KerasLinearModel()
    model.compile(
        optimizer=tf.keras.optimizers.SGD(learning_rate=0.1),
        loss=tf.keras.losses.MeanSquaredError(),
    )
    return model


@pytest.fixture
def history(x: tf.Tensor, y: tf.Tensor) -> dict[str, list[float]]:
    """What the loop did to the module."""
    made: dict[str, list[float]]
    made = training_loop(LinearModel(), x, y, epochs=EPOCHS)
    return made


@pytest.fixture
def fitted(x: tf.Tensor, y: tf.Tensor) -> KerasLinearModel:
    """A Keras model after ``fit``, the whole data as one batch."""
    model = compiled()
    model.fit(x, y, epochs=EPOCHS, batch_size=len(x), shuffle=False, verbose=0)
    return model


def test_fit_reports_the_loss_before_the_update_of_each_epoch(
    fitted: KerasLinearModel, history: dict[str, list[float]]
) -> None:
    fit_losses = fitted.history.history["loss"]
    assert len(fit_losses) == EPOCHS
    np.testing.assert_allclose(fit_losses, history["loss"][:-1], rtol=1e-5)
    assert not np.allclose(fit_losses, history["loss"][1:], rtol=0.01)


def test_after_fit_the_loss_is_the_last_of_the_loop(
    fitted: KerasLinearModel,
    history: dict[str, list[float]],
    x: tf.Tensor,
    y: tf.Tensor,
) -> None:
    evaluated = fitted.evaluate(x, y, batch_size=len(x), verbose=0)
    assert evaluated == pytest.approx(history["loss"][-1], rel=1e-5)


def test_fit_finds_the_weights_of_the_loop(
    fitted: KerasLinearModel, history: dict[str, list[float]]
) -> None:
    assert float(fitted.w) == pytest.approx(history["w"][-1], abs=1e-5)
    assert float(fitted.b) == pytest.approx(history["b"][-1], abs=1e-5)


def test_fit_run_eagerly_finds_the_same_weights(
    fitted: KerasLinearModel, x: tf.Tensor, y: tf.Tensor
) -> None:
    eager = compiled()
    eager.run_eagerly = True
    eager.fit(x, y, epochs=EPOCHS, batch_size=len(x), shuffle=False, verbose=0)
    assert not fitted.run_eagerly
    assert float(eager.w) == pytest.approx(float(fitted.w), abs=1e-5)
    assert float(eager.b) == pytest.approx(float(fitted.b), abs=1e-5)


def test_fit_cuts_the_data_into_seven_batches_unless_told(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    # 201 pairs are six batches of 32 and one of nine.
    model = compiled()
    model.fit(x, y, epochs=1, verbose=0)
    assert int(model.optimizer.iterations) == 7


def test_the_whole_data_as_one_batch_is_one_update(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    model = compiled()
    model.fit(x, y, epochs=1, batch_size=len(x), verbose=0)
    assert int(model.optimizer.iterations) == 1


def fit_forgetful(x: tf.Tensor, y: tf.Tensor) -> tuple[Forgetful, list[float]]:
    model = Forgetful()
    model.compile(optimizer="sgd", loss="mse")
    with pytest.warns(UserWarning, match="any trainable weights"):
        fit = model.fit(x, y, epochs=3, batch_size=len(x), verbose=0)
    return model, fit.history["loss"]


def test_forgetful_predicts_a_line_through_the_origin() -> None:
    model = Forgetful()
    predictions = model(tf.constant([[-2.0], [0.0], [3.0]]))
    assert predictions.shape == (3, 1)
    np.testing.assert_allclose(predictions[:, 0], [-10.0, 0.0, 15.0])
    model.w.assign(0.5)
    assert float(model(tf.constant(3.0))) == pytest.approx(1.5)


def test_keras_knows_of_no_weight_of_forgetful(x: tf.Tensor) -> None:
    model = Forgetful()
    model(x)
    assert model.weights == []
    assert model.trainable_variables == []


def test_a_tape_knows_of_the_weight_that_keras_does_not(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    model = Forgetful()
    with tf.GradientTape() as tape:
        current_loss = loss(y, model(x))
    slope = tape.gradient(current_loss, model.w)
    inputs, outputs = np.asarray(x, np.float64), np.asarray(y, np.float64)
    expected = 2 * np.mean((5 * inputs - outputs) * inputs)
    assert float(slope) == pytest.approx(expected, rel=1e-5)


def test_fit_warns_and_teaches_forgetful_nothing(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    model, losses = fit_forgetful(x, y)
    assert float(model.w) == 5.0
    untrained = float(loss(y, 5.0 * x))
    assert losses == pytest.approx([untrained] * 3, rel=1e-6)


def test_fit_does_not_warn_of_a_model_with_weights(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    model = compiled()
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        losses = model.fit(x, y, epochs=3, batch_size=len(x), verbose=0)
    assert losses.history["loss"][-1] < losses.history["loss"][0]


def test_saving_forgetful_saves_nothing(x: tf.Tensor, tmp_path: Path) -> None:
    model = Forgetful()
    model(x)
    model.w.assign(7.0)
    model.save_weights(tmp_path / "forgetful.weights.h5")
    loaded = Forgetful()
    loaded(x)
    loaded.w.assign(1.0)
    loaded.load_weights(tmp_path / "forgetful.weights.h5")
    assert float(loaded.w) == 1.0
