"""Lines below which a given share of the rows lies."""

from collections.abc import Callable

import matplotlib.pyplot as plt
import tensorflow as tf

from snippets.data import make_data


# region pinball_loss
def pinball_loss(
    quantiles: list[float],
) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Return a loss for one y a row, and a prediction per quantile."""
    q = tf.constant(quantiles)

    def loss(y: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Return a number per row."""
        if len(y.shape) == 1:
            y = y[:, tf.newaxis]
        error = tf.ensure_shape(y - y_pred, [None, len(quantiles)])
        return tf.reduce_mean(tf.maximum(q * error, (q - 1) * error), axis=-1)

    return loss


# endregion pinball_loss


# region three_lines
def three_lines(loss, x, y) -> tf.keras.Model:
    """Train three lines at once; tell the share of the rows below each."""
    lines = tf.keras.layers.Dense(3, kernel_initializer="zeros")
    model = tf.keras.Sequential([tf.keras.Input((1,)), lines])
    falling = tf.keras.optimizers.schedules.CosineDecay(0.3, 300)
    model.compile(tf.keras.optimizers.Adam(falling), loss)
    whole = tf.data.Dataset.from_tensors((x, y)).repeat(300)
    model.fit(whole, shuffle=False, verbose=0)
    below = tf.reduce_mean(tf.cast(y < model(x), tf.float32), axis=0)
    print("below each line:", *(f"{share:.1f}" for share in below))
    return model


# endregion three_lines

if __name__ == "__main__":
    x, y = (values[:, tf.newaxis] for values in make_data())

    # region quantiles
    quantiles = [0.1, 0.5, 0.9]
    model = three_lines(pinball_loss(quantiles), x, y)
    plt.plot(x, y, ".", color="#999999", label="rows")
    ends = tf.constant([[-2.0], [2.0]])
    for q, style, line in zip(
        quantiles, (":", "-", "--"), model(ends).numpy().T, strict=True
    ):
        plt.plot(ends, line, style, color="#0072B2", label=f"q = {q}")
    plt.xlabel("x")
    plt.legend()
    plt.show()
    # endregion quantiles

    # region turned
    def turned(y: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Return the same with the two exchanged."""
        return pinball_loss(quantiles)(y_pred, y)

    model = three_lines(turned, x, y)
    # endregion turned
