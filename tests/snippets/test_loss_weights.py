"""A loss weight that changes, compared with the weighted sum by NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from snippets.loss_weights import weighted_losses


def test_the_loss_follows_a_variable_and_no_number() -> None:
    x = tf.constant([[1.0], [2.0]])
    outputs = {"metres": x, "centimetres": 100.0 * x}
    first, second = (np.mean(np.square(v)) for v in outputs.values())
    number: dict[str, float | tf.Variable] = {"metres": 1.0}
    number["centimetres"] = 0.5
    variable = tf.Variable(0.5, trainable=False)

    def change(epoch: int, logs: dict[str, float] | None) -> None:
        number["centimetres"] = 0.5 * epoch + 1.0
        variable.assign(0.5 * epoch + 1.0)

    found = weighted_losses(number, change, x, outputs)
    assert found == pytest.approx([first + second] * 3, rel=1e-5)
    weights = {"metres": 2.0, "centimetres": variable}
    found = weighted_losses(weights, change, x, outputs)
    wanted = [2 * first + w * second for w in (1.0, 1.5, 2.0)]
    assert found == pytest.approx(wanted, rel=1e-5)
