"""The loop: gradient descent by hand, and what it did to the weights."""

import matplotlib.pyplot as plt
import tensorflow as tf

from snippets.data import BLUE, RED, TRUE_B, TRUE_W, make_data
from snippets.linear_model import LinearModel
from snippets.loss import loss, plot_fit


# region train
def train(model, x, y, learning_rate):
    """Update the weights once, by gradient descent on the batch (x, y)."""
    with tf.GradientTape() as tape:
        current_loss = loss(y, model(x))
    dw, db = tape.gradient(current_loss, [model.w, model.b])
    model.w.assign_sub(learning_rate * dw)
    model.b.assign_sub(learning_rate * db)


# endregion train


# region report
def report(history, model, x, y):
    """Add the weights and the loss to the history, and print them."""
    w, b = float(model.w), float(model.b)
    current_loss = float(loss(y, model(x)))
    history["w"].append(w)
    history["b"].append(b)
    history["loss"].append(current_loss)
    epoch = len(history["loss"]) - 1
    print(f"epoch {epoch:2}: w {w:.2f}, b {b:.2f}, loss {current_loss:.4f}")


# endregion report


# region training_loop
def training_loop(model, x, y, epochs=10, learning_rate=0.1):
    """Train on (x, y); return w, b and loss, epoch by epoch."""
    history = {"w": [], "b": [], "loss": []}
    report(history, model, x, y)
    for _ in range(epochs):
        train(model, x, y, learning_rate)
        report(history, model, x, y)
    return history


# endregion training_loop

if __name__ == "__main__":
    x, y = make_data()
    model = LinearModel()

    # region gradient
    with tf.GradientTape() as tape:
        current_loss = loss(y, model(x))
    dw, db = tape.gradient(current_loss, [model.w, model.b])
    print(f"loss {current_loss:.4f}, dw {dw:.4f}, db {db:.4f}")
    # endregion gradient

    try:
        # region rebind
        w = tf.Variable(5.0)
        for _ in range(2):
            with tf.GradientTape() as tape:
                square = w**2
            gradient = tape.gradient(square, w)
            print("gradient:", gradient)
            w = w - 0.1 * gradient
        # endregion rebind
    except TypeError as error:
        print(error)

    # region run
    history = training_loop(model, x, y)
    # endregion run

    # region plot_weights
    epochs = range(len(history["w"]))
    plt.plot(epochs, history["w"], "o-", color=BLUE, label="w")
    plt.plot(epochs, history["b"], "s-", color=RED, label="b")
    plt.axhline(TRUE_W, linestyle="--", color=BLUE, label="true w")
    plt.axhline(TRUE_B, linestyle=":", color=RED, label="true b")
    plt.xlabel("epoch")
    plt.legend()
    plt.show()
    # endregion plot_weights

    # region after
    plot_fit(x, y, model)
    print(f"loss after training: {loss(y, model(x)):.4f}")
    # endregion after

    # region least_squares
    ones = tf.ones_like(x)
    inputs = tf.stack([x, ones], axis=1)
    best_w, best_b = tf.linalg.lstsq(inputs, y[:, tf.newaxis])[:, 0]
    best_loss = loss(y, x * best_w + best_b)
    print(f"best: w {best_w:.2f}, b {best_b:.2f}, loss {best_loss:.4f}")
    # endregion least_squares

    # region checkpoint
    path = tf.train.Checkpoint(model=model).write("linear")
    restored = LinearModel()
    tf.train.Checkpoint(model=restored).read(path).assert_consumed()
    print(f"restored: w {float(restored.w):.2f}, b {float(restored.b):.2f}")
    # endregion checkpoint
