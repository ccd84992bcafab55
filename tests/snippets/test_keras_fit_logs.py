"""What a callback makes of the logs of ``fit``, compared with NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from snippets.fit_inwards import compiled
from snippets.keras_fit_logs import (
    BatchLosses,
    CtrlC,
    ShareNear,
    StopAfter,
    StopBelow,
)
from snippets.keras_model import KerasLinearModel

X = tf.constant([[-1.0], [0.0], [0.25], [2.0]])
Y = 3.0 * X + 0.25  # The line of the model is 5 x: errors 2.25, 0.25, 0.25, …


def test_the_loss_of_each_batch_is_taken_out_of_the_mean_so_far() -> None:
    sizes, losses = [32, 32, 22], np.array([4.0, 1.0, 7.0])
    noted = BatchLosses(sizes)
    for _ in range(2):  # every epoch begins anew
        for batch in range(3):
            part = slice(batch + 1)
            mean = np.average(losses[part], weights=sizes[part])
            noted.on_train_batch_end(batch, {"loss": mean, "mae": 0.0})
    assert noted.losses == pytest.approx([*losses] * 2, rel=1e-12)
    assert noted.means[::3] == [4.0, 4.0]
    assert noted.means[1] == pytest.approx(2.5)


@pytest.mark.parametrize("y", [Y, Y[:, 0]])
def test_the_share_of_small_errors(y: tf.Tensor) -> None:
    near, logs = ShareNear(X, y), {"loss": 1.0}
    near.set_model(KerasLinearModel())
    near.on_epoch_end(0, logs)
    assert logs == {"loss": 1.0, "val_near": 0.5}


@pytest.mark.parametrize(("loss", "stops"), [(0.5, False), (0.4, True)])
def test_the_training_stops_below_the_limit(loss: float, stops: bool) -> None:
    stopper, model = StopBelow(0.5), compiled(KerasLinearModel())
    stopper.set_model(model)
    stopper.on_epoch_end(0, {"loss": loss})
    assert model.stop_training == stops


@pytest.mark.parametrize(
    ("passed", "epochs", "stops"),
    [(4.0, 1, False), (5.1, 1, True), (8.0, 4, False), (8.1, 4, True)],
)
def test_the_training_stops_before_its_time_is_over(
    passed: float, epochs: int, stops: bool
) -> None:
    times = iter([50.0, *[50.0 + passed] * epochs])
    stopper, model = StopAfter(10.0, lambda: next(times)), KerasLinearModel()
    stopper.set_model(compiled(model))
    stopper.epochs = epochs - 1
    stopper.on_epoch_end(0)
    assert model.stop_training == stops


def test_the_fourth_epoch_is_interrupted() -> None:
    model = compiled(KerasLinearModel())
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, epochs=9, verbose=0, callbacks=[CtrlC()])
    assert int(model.optimizer.iterations) == 4
