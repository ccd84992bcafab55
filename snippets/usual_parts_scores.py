"""Precision and recall of several classes, R² and correlation."""

import tensorflow as tf

from snippets.data import make_data


# region correlation
def correlation(y: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Return Pearson's correlation of two columns, 0 if one is constant."""
    y = tf.ensure_shape(y, y_pred.shape)
    y, y_pred = y - y[:1], y_pred - y_pred[:1]  # of a constant exactly 0
    y, y_pred = y - tf.reduce_mean(y), y_pred - tf.reduce_mean(y_pred)
    lengths = tf.norm(y) * tf.norm(y_pred)
    return tf.math.divide_no_nan(tf.reduce_sum(y * y_pred), lengths)


# endregion correlation

if __name__ == "__main__":
    kinds = tf.keras.metrics
    x, y = (values[:, tf.newaxis] for values in make_data())

    # region all_the_same
    one_hot = tf.one_hot([0, 0, 0, 1, 1, 2], 3)
    shares = 0.1 + 0.7 * tf.one_hot([0, 0, 1, 1, 1, 0], 3)
    for counted in (
        kinds.CategoricalAccuracy(),
        kinds.Precision(),
        kinds.Recall(),
        kinds.F1Score("micro"),
    ):
        print(f"{counted.name}: {counted(one_hot, shares):.4f}")
    # endregion all_the_same

    # region each_class
    for kind in (kinds.Precision, kinds.Recall):
        each = [kind(class_id=number, top_k=1) for number in range(3)]
        found = [f"{one(one_hot, shares):.2f}" for one in each]
        print(f"{kind.__name__} of each class:", *found)
    print(f"F1, macro: {kinds.F1Score('macro')(one_hot, shares):.2f}")
    # endregion each_class

    # region of_all_rows
    r2, pearson = kinds.R2Score(), kinds.PearsonCorrelation(axis=0)
    mean_r2 = kinds.Mean()
    for x_batch, y_batch in zip(tf.split(x, 3), tf.split(y, 3), strict=True):
        guesses = 3.0 * x_batch + 2.0
        r2.update_state(y_batch, guesses)
        mean_r2.update_state(kinds.R2Score()(y_batch, guesses))
        pearson.update_state(y_batch, guesses)
    print(f"R2 {r2.result():.2f}, mean of batches {mean_r2.result():.2f}")
    guesses = 3.0 * x + 2.0
    together = correlation(y, guesses)
    print(f"correlation {together:.2f}, of batches {pearson.result():.2f}")
    print(f"by default {kinds.PearsonCorrelation()(y, guesses):.2f}")
    # endregion of_all_rows
