"""How far padding leaks, and how the states of an encoder are joined."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from snippets.sequences_attention import leak
from snippets.sequences_encoder import joined

X = tf.random.stateless_normal((3, 4, 2), (0, 1))
REAL = tf.sequence_mask([4, 1, 3])


def mean_of_keys(
    queries: tf.Tensor, keys: tf.Tensor, attention_mask: tf.Tensor | None
) -> tf.Tensor:
    """Add to queries the mean of all keys, or of those that are shown."""
    if attention_mask is None:
        attention_mask = tf.ones((len(keys), 1, keys.shape[1]), bool)
    weights = tf.cast(attention_mask[:, 0, :, tf.newaxis], tf.float32)
    total = tf.reduce_sum(weights, axis=1, keepdims=True)
    mean = tf.reduce_sum(weights * keys, axis=1, keepdims=True) / total
    return mean + queries


def test_the_leak_of_a_mean_is_the_share_of_the_padding() -> None:
    shown = REAL[:, tf.newaxis, :]
    assert leak(mean_of_keys, X, REAL, shown) == pytest.approx(0, abs=1e-6)
    noise = tf.random.stateless_normal((3, 4, 2), (1, 1)).numpy()
    moved = np.where(REAL.numpy()[:, :, np.newaxis], 0, noise - X.numpy())
    due = np.abs(moved.mean(axis=1)).max()
    assert leak(mean_of_keys, X, REAL, None) == pytest.approx(due, rel=1e-5)


def test_a_leak_behind_a_normalization_is_seen() -> None:
    # Such a block does not see all units of a step moved by the same.
    norm = tf.keras.layers.LayerNormalization()

    def block(queries: tf.Tensor, keys: tf.Tensor, attention_mask: Any) -> Any:
        return mean_of_keys(norm(queries), norm(keys), attention_mask)

    x = tf.random.stateless_normal((3, 4, 8), (0, 1))
    assert leak(block, x, REAL, None) > 0.1
    assert leak(block, x, REAL, REAL[:, tf.newaxis, :]) < 1e-6


@pytest.mark.parametrize("count", [1, 2])
def test_states_are_joined_in_pairs(count: int) -> None:
    states = [tf.fill((2, 3), float(n)) for n in range(2 * count)]
    found = joined(states)
    assert len(found) == count
    for n, state in enumerate(found):
        due = [[float(n)] * 3 + [float(n + count)] * 3] * 2
        np.testing.assert_array_equal(state, due)
    with pytest.raises(ValueError, match=r"shorter|longer"):
        joined([*states, states[0]])


def test_joined_states_are_those_of_a_functional_model_too() -> None:
    gru = tf.keras.layers.GRU(2, return_state=True)
    inputs = tf.keras.Input((None, 1))
    _, *states = tf.keras.layers.Bidirectional(gru)(inputs)
    outputs = tf.keras.layers.GRU(4)(inputs, initial_state=joined(states))
    model = tf.keras.Model(inputs, outputs)
    assert model(tf.ones((3, 5, 1))).shape == (3, 4)
