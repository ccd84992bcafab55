"""A forecast that repeats the last value, and one of the change."""

import tensorflow as tf

from snippets.sequences import make_step, mean_all
from snippets.sequences_setup import Model


# region make_series
def make_series(steps: int) -> tf.Tensor:
    """Return a series whose changes go on for a while, shape (steps,)."""
    noise = tf.random.stateless_normal([steps], (0, 3))
    changes = tf.scan(lambda change, new: 0.7 * change + new, noise)
    return tf.cumsum(changes)


# endregion make_series


# region mean_square
def mean_square(y: tf.Tensor, forecast: tf.Tensor) -> float:
    """Return the mean of squared errors; both have the shape (rows,)."""
    y, forecast = (tf.ensure_shape(it, [None]) for it in (y, forecast))
    return float(tf.reduce_mean(tf.square(y - forecast)))


# endregion mean_square


# region learn_forecast
def learn_forecast(x: tf.Tensor, y: tf.Tensor) -> Model:
    """Return a model from windows (rows, steps) to numbers (rows, 1)."""
    tf.keras.utils.set_random_seed(0)
    add_axis = tf.keras.layers.Reshape((-1, 1))
    lstm, dense = tf.keras.layers.LSTM(16), tf.keras.layers.Dense(1)
    model = tf.keras.Sequential([add_axis, lstm, dense])
    model.build(x.shape)
    optimizer = tf.keras.optimizers.Adam(0.01)
    optimizer.build(model.trainable_variables)
    step = tf.function(make_step(model, optimizer, mean_all))
    y = tf.ensure_shape(y, [None])[:, tf.newaxis]
    for _ in range(100):
        step(x, y, tf.ones_like(y))
    return model


# endregion learn_forecast

if __name__ == "__main__":
    # region series
    series = make_series(1200)
    x, y = tf.signal.frame(series[:-1], 8, 1), series[8:]
    last = x[:, -1]
    old, new = slice(0, 800), slice(800, None)
    print(f"windows {x.shape}, values due {y.shape}")
    # endregion series

    # region values
    scale = tf.math.reduce_std(series[:800])
    model = learn_forecast(x[old] / scale, y[old] / scale)
    forecast = scale * model(x[new] / scale)[:, 0]
    loss = mean_square(y[new], forecast)
    explained = 1 - loss / float(tf.math.reduce_variance(y[new]))
    print(f"loss {loss:.1f}, {explained:.0%} of the variance explained")
    # endregion values

    # region lag
    for back in range(4):
        earlier = series[808 - back : 1200 - back]
        away = mean_square(earlier, forecast)
        print(f"from the value {back} steps before: {away:.0f}")
    # endregion lag

    # region last
    print(f"loss {mean_square(y[new], last[new]):.1f}")
    # endregion last

    # region changes
    changes = x[:, 1:] - x[:, :-1]
    model = learn_forecast(changes[old], (y - last)[old])
    forecast = last[new] + model(changes[new])[:, 0]
    print(f"loss {mean_square(y[new], forecast):.1f}")
    # endregion changes
