"""Scores that are not as many rows, or columns, as the labels."""

import tensorflow as tf


# region scores_of
def scores_of(rows: tf.Tensor) -> tf.Tensor:
    """Return scores for three classes, in a row for each of rows."""
    numbers = rows.shape[1]
    return rows @ tf.reshape(tf.range(3.0 * numbers), (numbers, 3))


# endregion scores_of

if __name__ == "__main__":
    try:
        # region folded
        pictures = tf.fill((6, 4, 4), 0.01)
        kinds = tf.one_hot([0, 1, 2, 0, 1, 2], 3)
        cross_entropy = tf.nn.softmax_cross_entropy_with_logits
        scores = scores_of(tf.reshape(pictures, (-1, 8)))
        cross_entropy(kinds, scores)
        # endregion folded
    except tf.errors.InvalidArgumentError as error:
        print(error)

    # region flat
    scores = scores_of(tf.reshape(pictures, (len(pictures), -1)))
    assert scores.shape == kinds.shape
    column = tf.argmax(kinds, axis=-1)[:, tf.newaxis]
    for some in (kinds, kinds[:1], column):
        costs = cross_entropy(some, scores)
        print(some.shape, "costs", costs.numpy().round(2))
    # endregion flat
