"""The mean of the largest losses of a batch: hard examples."""

import tensorflow as tf


# region hardest
def hardest(each: tf.Tensor, share: float) -> tf.Tensor:
    """Return the mean of the largest losses; each has shape (batch,)."""
    each = tf.debugging.check_numerics(tf.ensure_shape(each, [None]), "a row")
    rows = tf.cast(tf.size(each), tf.float32)
    keep = tf.maximum(1, tf.cast(tf.round(share * rows), tf.int32))
    return tf.reduce_mean(tf.math.top_k(each, keep).values)


# endregion hardest


if __name__ == "__main__":
    # region hard_rows
    each_loss = tf.keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, reduction="none"
    )
    y = tf.constant([1, 0, 1, 1])
    logits = tf.Variable([[0.0, 2.0], [3.0, 0.0], [2.0, 0.0], [0.0, 0.5]])
    with tf.GradientTape() as tape:
        each = each_loss(y, logits)
        current_loss = hardest(each, 0.5)
    gradients = tape.gradient(current_loss, logits)
    print(f"loss {current_loss:.2f}")
    for number, gradient in zip(each, gradients, strict=True):
        print(f"{number:.2f}: gradient {tf.norm(gradient):.2f} long")
    # endregion hard_rows
