"""Inputs that are adapted to, and targets that are scaled."""

import tensorflow as tf

from snippets.data_for_a_loop_imbalance import learn
from snippets.data_for_a_loop_setup import Layer, Model, slices


# region make_homes
def make_homes(rows: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Return areas in square metres and prices in euros, (rows, 1)."""
    normal = tf.random.stateless_normal
    x = 100.0 + 25.0 * normal((rows, 1), (0, 0))
    return x, 3000.0 * x + 10_000.0 * normal((rows, 1), (0, 1))


# endregion make_homes


# region make_priced
def make_priced(*layers: Layer) -> Model:
    """Return the layers as a model of one number."""
    return tf.keras.Sequential([tf.keras.Input((1,)), *layers])


# endregion make_priced


# region squared
def squared(y: tf.Tensor, predictions: tf.Tensor) -> tf.Tensor:
    """Return the mean squared error of rows; both are (batch, 1)."""
    y.shape.assert_is_compatible_with(predictions.shape)
    return tf.reduce_mean(tf.square(y - predictions))


# endregion squared


# region spread
def spread(values: tf.Tensor) -> str:
    """Return the mean and the standard deviation of values as text."""
    mean, std = tf.reduce_mean(values), tf.math.reduce_std(values)
    return f"mean {mean:z.0f}, deviation {std:.0f}"


# endregion spread


if __name__ == "__main__":
    # region not_adapted
    x, y = make_homes(200)
    normalize = tf.keras.layers.Normalization()
    print("before:", spread(normalize(x)))
    normalize.adapt(slices((x, y)).batch(32))
    print("after:", spread(normalize(x)))
    # endregion not_adapted

    # region too_late
    normalize = tf.keras.layers.Normalization()
    model = make_priced(normalize)
    model.predict(x, verbose=0)
    normalize.adapt(x)
    print("predict:", spread(model.predict(x, verbose=0)))
    print("called:", spread(model(x, training=False)))
    # endregion too_late

    # region in_time
    normalize = tf.keras.layers.Normalization()
    normalize.adapt(x)
    model = make_priced(normalize)
    print("predict:", spread(model.predict(x, verbose=0)))
    # endregion in_time

    # region large_targets
    print("y:", spread(y))
    line = tf.keras.layers.Dense(1, kernel_initializer="zeros")
    model = make_priced(normalize, line)
    learn(model, squared, slices((x, y)).batch(200), epochs=100)
    print("predictions:", spread(model(x, training=False)))
    # endregion large_targets

    # region scaled_targets
    mean, std = tf.reduce_mean(y), tf.math.reduce_std(y)
    data = slices((x, (y - mean) / std)).batch(200)
    line = tf.keras.layers.Dense(1, kernel_initializer="zeros")
    model = make_priced(normalize, line)
    learn(model, squared, data, epochs=100)
    predictions = mean + std * model(x, training=False)
    print("predictions:", spread(predictions))
    # endregion scaled_targets

    # region scaled_back
    for _, targets in data:
        error = squared(targets, model(x, training=False))
    print(f"scaled: {error:.4f}")
    print(f"in euros: {tf.sqrt(error) * std:.0f}")
    print(f"the same: {tf.sqrt(squared(y, predictions)):.0f}")
    # endregion scaled_back

    # region unscaled_by_layer
    prices = tf.keras.layers.Normalization(invert=True)
    prices.adapt(y)
    line = tf.keras.layers.Dense(1, kernel_initializer="zeros")
    model = make_priced(normalize, line, prices)
    learn(model, squared, slices((x, y)).batch(200), epochs=100)
    print("predictions:", spread(model(x, training=False)))
    # endregion unscaled_by_layer
