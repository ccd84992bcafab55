"""Models that learn in one step learn as each would alone."""

import numpy as np
import pytest
import tensorflow as tf

from snippets.other_loops_ensemble import make_ensemble_step
from snippets.other_loops_finder import make_model, make_rows, make_step

X, Y = (rows[:64] for rows in make_rows())
LOSS = tf.keras.losses.MeanSquaredError()


@pytest.mark.usefixtures("each_way")
def test_each_learns_as_it_would_alone() -> None:
    models = [tf.keras.models.clone_model(make_model()) for _ in range(2)]
    alone = [tf.keras.models.clone_model(model) for model in models]
    for model, other, factor in zip(models, alone, (1.0, 2.0), strict=True):
        model.set_weights([factor * part for part in model.get_weights()])
        other.set_weights(model.get_weights())
    adam = tf.keras.optimizers.Adam
    step = make_ensemble_step(models, LOSS, adam(0.01))
    steps = [make_step(model, LOSS, adam(0.01)) for model in alone]
    for _ in range(3):
        losses = step(X, Y)
        np.testing.assert_allclose(
            losses, [float(one(X, Y)) for one in steps], rtol=1e-5
        )
    assert losses[0] != losses[1]
    for model, other in zip(models, alone, strict=True):
        for found, expected in zip(
            model.get_weights(), other.get_weights(), strict=True
        ):
            np.testing.assert_allclose(found, expected, atol=1e-6)
