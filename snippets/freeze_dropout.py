"""Dropout in predictions: what a functional model forgets, and a mend."""

import tensorflow as tf

from snippets.freeze_and_fine_tune import make_model, make_tasks


# region make_dropping
def make_dropping(
    dropout: tf.keras.layers.Layer, **options: bool
) -> tf.keras.Model:
    """Return the model of two layers with dropout between them."""
    base, head = make_model().layers
    inputs = tf.keras.Input((1,))
    return tf.keras.Model(inputs, head(dropout(base(inputs), **options)))


# endregion make_dropping


# region print_spread
def print_spread(model: tf.keras.Model, x: tf.Tensor) -> None:
    """Print how far apart 100 predictions of the same rows lie."""
    ways = {"model(x)": model, "predict": model.predict_on_batch}
    for name, predict in ways.items():
        draws = tf.stack([predict(x) for _ in range(100)])
        spread = tf.math.reduce_std(draws, axis=0)
        print(f"{name}: spread {tf.reduce_mean(spread):.2f}")


# endregion print_spread


# region AlwaysDropout
class AlwaysDropout(tf.keras.layers.Dropout):
    """Drops in predictions, too, whatever the model is told."""

    def call(self, x, training=None):
        """Return x, a part of it dropped."""
        return super().call(x, training=True)


# endregion AlwaysDropout

if __name__ == "__main__":
    x = make_tasks()[0][5::10]

    # region not_dropped
    dropout = tf.keras.layers.Dropout(0.5, seed=1)
    print_spread(make_dropping(dropout, training=True), x)
    # endregion not_dropped

    # region dropped
    model = make_dropping(AlwaysDropout(0.5, seed=1))
    print_spread(model, x)
    draws = tf.stack([model(x, training=False) for _ in range(100)])
    mean, spread = tf.reduce_mean(draws, 0), tf.math.reduce_std(draws, 0)
    print(f"first row: {mean[0, 0]:.2f} with a spread of {spread[0, 0]:.2f}")
    assert tf.reduce_all(spread > 0)
    # endregion dropped
