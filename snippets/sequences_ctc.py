"""The CTC loss, and rows with too few steps for their labels."""

import tensorflow as tf


# region ctc_fits
def ctc_fits(labels: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
    """Return which rows have enough steps, a tensor of shape (rows,).

    The labels are (rows, length), padded with 0. Each takes a step, and two
    equal neighbours take one more, for the blank between them.
    """
    equal = (labels[:, 1:] == labels[:, :-1]) & (labels[:, 1:] != 0)
    needed = tf.math.count_nonzero(labels, axis=1, dtype=tf.int32)
    needed += tf.math.count_nonzero(equal, axis=1, dtype=tf.int32)
    return needed <= steps


# endregion ctc_fits

if __name__ == "__main__":
    # region ctc
    labels = tf.constant([[1, 2], [1, 1]])
    lengths, steps = tf.constant([2, 2]), tf.constant([2, 2])
    logits = tf.Variable(tf.zeros((2, 2, 3)))
    for given in (labels, tf.sparse.from_dense(labels)):
        with tf.GradientTape() as tape:
            costs = tf.nn.ctc_loss(
                given, logits, lengths, steps, blank_index=0
            )
        print(f"costs {costs.numpy().round(1)}", end=", ")
        slopes = tf.norm(tape.gradient(costs, logits), axis=(0, 2))
        print(f"slopes {slopes.numpy().round(1)}")
    # endregion ctc

    # region ctc_kept
    fits = ctc_fits(labels, steps)
    with tf.GradientTape() as tape:
        costs = tf.nn.ctc_loss(labels, logits, lengths, steps, blank_index=0)
        current_loss = tf.reduce_mean(tf.boolean_mask(costs, fits))
    slopes = tf.norm(tape.gradient(current_loss, logits), axis=(0, 2))
    print(f"loss {current_loss:.1f}, slopes {slopes.numpy().round(1)}")
    # endregion ctc_kept
