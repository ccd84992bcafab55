"""Numbers of classes in a loss function that is compiled into Keras."""

import tensorflow as tf

from snippets.data import make_data


# region brier
def brier(y: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Return the squared distance of each row's probabilities from y."""
    return tf.reduce_sum(tf.square(tf.one_hot(y, 3) - y_pred), axis=-1)


# endregion brier


# region brier_of_floats
def brier_of_floats(y: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Return the same, for labels that Keras has made floats."""
    return brier(tf.cast(tf.reshape(y, (-1,)), tf.int32), y_pred)


# endregion brier_of_floats

if __name__ == "__main__":
    x = make_data()[0][:, tf.newaxis]

    try:
        # region labels_as_floats
        number = tf.repeat([0, 1, 2], 67)
        dense = tf.keras.layers.Dense(3, "softmax", kernel_initializer="zeros")
        model = tf.keras.Sequential([dense])
        print(f"by hand: {tf.reduce_mean(brier(number, model(x))):.4f}")
        model.compile("sgd", brier)
        model.fit(x, number, verbose=0)
        # endregion labels_as_floats
    except TypeError as error:
        print(error)

    # region labels_cast
    for labels in (number, number[:, tf.newaxis]):
        model.compile("sgd", brier_of_floats)
        print(f"compiled: {model.evaluate(x, labels, verbose=0):.4f}")
    # endregion labels_cast
