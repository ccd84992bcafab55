"""Attention over padded rows: which mask keeps the padding out."""

import tensorflow as tf

from snippets.sequences_setup import Layer


# region leak
def leak(
    attention: Layer, x: tf.Tensor, real: tf.Tensor, mask: tf.Tensor | None
) -> float:
    """Return how far padded steps move the outputs of real ones.

    x has the shape (rows, steps, units), real has (rows, steps).
    """
    before = attention(x, x, attention_mask=mask)
    noise = tf.random.stateless_normal(x.shape, (1, 1), dtype=x.dtype)
    other = tf.where(real[:, :, tf.newaxis], x, noise)
    after = attention(other, other, attention_mask=mask)
    return float(tf.reduce_max(tf.abs((after - before)[real])))


# endregion leak

if __name__ == "__main__":
    # region masks
    real = tf.sequence_mask([4, 2])  # rows of four steps and of two
    x = tf.random.stateless_normal((2, 4, 8), (0, 0))
    tf.keras.utils.set_random_seed(0)
    attention = tf.keras.layers.MultiHeadAttention(num_heads=2, key_dim=4)
    for name, mask in (
        ("none", None),
        ("1 at padding", ~real[:, tf.newaxis, :]),
        ("real steps, a column", real[:, :, tf.newaxis]),
        ("real steps, a row", real[:, tf.newaxis, :]),
    ):
        print(f"{name}: {leak(attention, x, real, mask):.2f}")
    # endregion masks

    try:
        # region two_axes
        attention(x, x, attention_mask=real)
        # endregion two_axes
    except tf.errors.InvalidArgumentError as error:
        print(error)
