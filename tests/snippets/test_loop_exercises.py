import pytest
import tensorflow as tf

from snippets.keras_model import KerasLinearModel
from snippets.linear_model import LinearModel
from snippets.loop_exercises import train_with_optimizer
from snippets.loss import loss
from snippets.training_loop import train

MODELS = [LinearModel, KerasLinearModel]


@pytest.mark.parametrize("make_model", MODELS)
def test_sgd_takes_the_steps_of_train(
    make_model: type[LinearModel] | type[KerasLinearModel],
    x: tf.Tensor,
    y: tf.Tensor,
) -> None:
    by_hand, model = LinearModel(), make_model()
    optimizer = tf.keras.optimizers.SGD(learning_rate=0.1)
    for _ in range(10):
        train(by_hand, x, y, 0.1)
        train_with_optimizer(model, x, y, optimizer)
        assert float(model.w) == pytest.approx(float(by_hand.w), abs=1e-6)
        assert float(model.b) == pytest.approx(float(by_hand.b), abs=1e-6)


@pytest.mark.parametrize("make_model", MODELS)
def test_adam_reduces_the_loss_in_its_own_way(
    make_model: type[LinearModel] | type[KerasLinearModel],
    x: tf.Tensor,
    y: tf.Tensor,
) -> None:
    model = make_model()
    optimizer = tf.keras.optimizers.Adam(learning_rate=0.1)
    before = float(loss(y, model(x)))
    # Adam's first step is the learning rate, whatever the gradient's size.
    train_with_optimizer(model, x, y, optimizer)
    assert float(model.w) == pytest.approx(4.9, abs=1e-4)
    assert float(model.b) == pytest.approx(0.1, abs=1e-4)
    for _ in range(9):
        train_with_optimizer(model, x, y, optimizer)
    assert float(loss(y, model(x))) < 0.6 * before


def test_one_call_is_one_update(x: tf.Tensor, y: tf.Tensor) -> None:
    optimizer = tf.keras.optimizers.SGD(learning_rate=0.1)
    train_with_optimizer(LinearModel(), x, y, optimizer)
    assert int(optimizer.iterations) == 1


def test_the_variables_are_changed_in_place(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    model = LinearModel()
    w, b = model.w, model.b
    optimizer = tf.keras.optimizers.SGD(learning_rate=0.1)
    train_with_optimizer(model, x, y, optimizer)
    assert model.w is w
    assert model.b is b
    assert float(w) != 5.0
    assert float(b) != 0.0
