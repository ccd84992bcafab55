"""Every step tells its model's layers that they are training."""

from typing import Any

import pytest
import tensorflow as tf

from snippets import fit_inwards, traps_keras
from snippets.data import make_data
from snippets.keras_model import KerasLinearModel
from snippets.usual_parts import make_step


def listening(model_class: Any, heard: list[Any]) -> Any:
    """Return the class, made to note what ``training`` is."""

    class Listening(model_class):
        def call(self, x: tf.Tensor, training: Any = None) -> tf.Tensor:
            heard.append(training)
            return super().call(x)

    return Listening()


@pytest.mark.parametrize(
    "model_class",
    [
        fit_inwards.OwnStep,
        fit_inwards.Keras2Step,
        fit_inwards.LedgerTraining,
        traps_keras.Recorded,
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_a_step_of_keras_trains(model_class: Any) -> None:
    heard: list[Any] = []
    model = listening(model_class, heard)
    model.compile("sgd", loss="mse", metrics=["mse"])
    x, y = make_data()
    model.fit(x, y, verbose=0)
    heard.clear()
    model.train_step((x, y))
    assert heard == [True]


def test_a_step_of_ones_own_trains() -> None:
    heard: list[Any] = []
    model = listening(KerasLinearModel, heard)
    x, y = make_data()
    model(x)
    heard.clear()
    make_step(model, tf.keras.optimizers.SGD(0.1))(x, y)
    assert set(heard) == {True}
