"""Losses that look at several outputs at once, or into the model."""

import tensorflow as tf

from snippets.data import make_data


# region Inside
class Inside(tf.keras.Model):
    """Returns predictions and a code, and wants the code to be small."""

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        """Return the mean squared error and a tenth of the code's mean."""
        prediction, code = y_pred
        y = tf.ensure_shape(y, prediction.shape)
        error = tf.reduce_mean(tf.square(y - prediction))
        return error + 0.1 * tf.reduce_mean(tf.abs(code))


# endregion Inside


# region Found
class Found(tf.keras.Model):
    """Says if a thing is there, and where; rows without one have no where."""

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        """Return a cross-entropy, and the error of the rows with a thing."""
        there = tf.cast(y["there"], tf.float32)
        costs = tf.nn.sigmoid_cross_entropy_with_logits(there, y_pred["there"])
        guess = y_pred["where"]
        where = tf.ensure_shape(y["where"], guess.shape)
        off = tf.square(tf.where(there > 0.0, where, guess) - guess)
        count = tf.maximum(tf.reduce_sum(there), 1.0)
        return tf.reduce_mean(costs) + tf.reduce_sum(off) / count


# endregion Found

if __name__ == "__main__":
    x, y = (values[:, tf.newaxis] for values in make_data())

    # region inside
    tf.keras.utils.set_random_seed(0)
    layers = [tf.keras.Input((1,)), tf.keras.layers.Dense(4, name="code")]
    base = tf.keras.Sequential([*layers, tf.keras.layers.Dense(1)])
    code = base.get_layer("code").output
    model = Inside(base.inputs, [*base.outputs, code])
    model.compile(tf.keras.optimizers.SGD(0.1))
    model.fit(x, y, epochs=20, verbose=0)
    logged, size = model.evaluate(x, y, verbose=0), abs(model(x)[1])
    error = tf.reduce_mean(tf.square(y - base(x)))
    print(f"{logged:.3f} = {error:.3f} + 0.1 * {tf.reduce_mean(size):.3f}")
    # endregion inside

    # region found
    tf.keras.utils.set_random_seed(0)
    inputs = tf.keras.Input((1,))
    named = {name: tf.keras.layers.Dense(1) for name in ("there", "where")}
    outputs = {name: layer(inputs) for name, layer in named.items()}
    model = Found(inputs, outputs)
    model.compile(tf.keras.optimizers.SGD(0.1))
    there = tf.cast(x > 0.0, tf.float32)
    labels = {"there": there, "where": there * y - 99.0 * (1.0 - there)}
    model.fit(x, labels, epochs=50, verbose=0)
    off = abs(model(x)["where"] - y)
    print(f"off by {tf.reduce_sum(there * off) / tf.reduce_sum(there):.1f}")
    # endregion found
