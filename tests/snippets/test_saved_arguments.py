"""Models with an argument predict as they should, saved or not."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from snippets.saved_arguments import Kept, Scaled

X = tf.reshape(tf.range(6.0), (6, 1))


@pytest.mark.parametrize("kind", [Scaled, Kept])
@pytest.mark.parametrize("scale", [0.5, 4.0])
def test_inputs_are_divided(kind: type[Scaled], scale: float) -> None:
    # The kernel of a new line is 5, and its bias 0.
    np.testing.assert_allclose(kind(scale)(X), 5.0 * X / scale)
    np.testing.assert_allclose(kind()(X), 5.0 * X)


def test_the_argument_is_kept(tmp_path: Path) -> None:
    model = Kept(4.0, name="quarter")
    assert model.get_config()["scale"] == 4.0
    before = model(X)
    model.save(tmp_path / "kept.keras")
    loaded = tf.keras.models.load_model(tmp_path / "kept.keras")
    assert (loaded.scale, loaded.name) == (4.0, "quarter")
    np.testing.assert_array_equal(loaded(X), before)
