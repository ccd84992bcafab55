"""What the page defines for batches of any size does as it says."""

import numpy as np
import pytest
import tensorflow as tf

from snippets.batch_size_none import Noisy, NoisyTensor, in_a_graph

X = tf.reshape(tf.range(12.0), (12, 1))


@pytest.mark.parametrize("kind", [Noisy, NoisyTensor])
def test_inputs_are_shaken_in_training_alone(kind: type[Noisy]) -> None:
    model = kind()
    np.testing.assert_array_equal(model(X), 5.0 * X)
    tf.random.set_seed(1)
    shaken = model(X, training=True)
    tf.random.set_seed(1)
    noise = tf.random.normal((12, 1))
    np.testing.assert_allclose(shaken, 5.0 * (X + noise), atol=1e-5)
    assert len(np.unique(noise)) == 12


def test_only_one_of_the_two_takes_any_number_of_rows() -> None:
    for kind in (Noisy, NoisyTensor):
        model = kind()

        def shaken(x: tf.Tensor, model: Noisy = model) -> tf.Tensor:
            return model(x, training=True)

        said = in_a_graph(shaken, X)
        assert (said == "nothing") == (kind is NoisyTensor)


def test_the_error_in_a_graph_is_its_last_line() -> None:
    assert in_a_graph(lambda x: x + 1.0, X) == "nothing"

    def refuse(x: tf.Tensor) -> tf.Tensor:
        raise ValueError(f"first line\n{x.shape}")

    assert in_a_graph(refuse, X).endswith("(None, 1)")
