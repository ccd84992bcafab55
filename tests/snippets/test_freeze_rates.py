"""The rate in the logs of ``fit``, compared with the schedule by NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from snippets.freeze_rates import RateInLogs
from snippets.keras_model import KerasLinearModel


@pytest.mark.parametrize("scheduled", [False, True])
def test_the_rate_of_the_next_update_is_logged(scheduled: bool) -> None:
    x = tf.ones((30, 1))
    schedules = tf.keras.optimizers.schedules
    rate = schedules.ExponentialDecay(0.1, 3, 0.5) if scheduled else 0.1
    model = KerasLinearModel()
    model.compile(tf.keras.optimizers.SGD(rate), "mse")
    log = model.fit(
        x, x, batch_size=10, epochs=3, verbose=0, callbacks=[RateInLogs()]
    ).history
    wanted = 0.1 * (0.5 ** np.arange(1, 4) if scheduled else np.ones(3))
    assert log["learning_rate"] == pytest.approx([*wanted], rel=1e-6)
