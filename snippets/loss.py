"""The loss: how far the predictions are from the data."""

import matplotlib.pyplot as plt
import tensorflow as tf

from snippets.data import BLUE, GREEN, RED, TRUE_B, TRUE_W, make_data
from snippets.linear_model import LinearModel


# region loss
def loss(y: tf.Tensor, predictions: tf.Tensor) -> tf.Tensor:
    """Return the mean squared error, a scalar.

    Both tensors have the shape (batch,). Unequal shapes raise ValueError.
    In a graph, a size that only one of them knows is unequal. What neither
    knows, a size or how many axes there are, is not compared.
    """
    if y.shape != predictions.shape:
        raise ValueError(f"y is {y.shape}, predictions {predictions.shape}")
    return tf.reduce_mean(tf.square(predictions - y))


# endregion loss


# region plot_fit
def plot_fit(x: tf.Tensor, y: tf.Tensor, model: LinearModel) -> None:
    """Plot the data, the true line and the model's predictions."""
    plt.plot(x, y, ".", color=BLUE, label="data")
    plt.plot(x, TRUE_W * x + TRUE_B, "--", color=GREEN, label="true line")
    plt.plot(x, model(x), "-", color=RED, label="predictions")
    plt.xlabel("x")
    plt.ylabel("y")
    plt.legend()
    plt.show()


# endregion plot_fit

if __name__ == "__main__":
    x, y = make_data()
    model = LinearModel()

    # region broadcast
    column = tf.reshape(y, (-1, 1))
    print("shapes:", y.shape, "and", column.shape)
    print("difference:", (column - y).shape)
    wrong = tf.reduce_mean(tf.square(column - y))
    print(f"mean squared error of y against itself: {wrong:.2f}")
    # endregion broadcast

    try:
        # region shapes
        loss(y, column)
        # endregion shapes
    except ValueError as error:
        print(error)

    # region before
    plot_fit(x, y, model)
    print(f"loss before training: {loss(y, model(x)):.4f}")
    # endregion before
