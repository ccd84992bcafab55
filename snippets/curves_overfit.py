"""Underfitting, overfitting, and what each mend of it brings."""

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from snippets.curves_loop import make_model, make_waves, measure, train
from snippets.curves_setup import (
    BLUE,
    CLASSES,
    GREEN,
    NAMES,
    RED,
    Adam,
    layers,
)


# region lowest
def lowest(history: dict[str, list[float]]) -> str:
    """Return the lowest val_loss and its epoch, counted from 1."""
    epoch = int(np.argmin(history["val_loss"]))
    return f"val_loss {history['val_loss'][epoch]:.2f} in epoch {epoch + 1}"


# endregion lowest


# region shift
def shift(x: np.ndarray, epoch: int) -> np.ndarray:
    """Return waves that begin elsewhere: each is turned by some places."""
    rows, size = x.shape
    draws = np.random.default_rng(epoch)
    places = draws.integers(size, size=(rows, 1)) + np.arange(size)
    return np.take_along_axis(x, places % size, axis=1)


# endregion shift


# region each_loss
def each_loss(y: np.ndarray, logits: tf.Tensor) -> np.ndarray:
    """Return the loss of each row, of shape (rows,)."""
    losses = tf.keras.losses.sparse_categorical_crossentropy
    return np.asarray(losses(y, logits, from_logits=True))


# endregion each_loss

if __name__ == "__main__":
    all_x, all_y = make_waves(4096, seed=0)
    train_set, more = (all_x[:256], all_y[:256]), (all_x[:1024], all_y[:1024])
    valid_set, test_set = make_waves(256, seed=1), make_waves(4096, seed=2)

    # region underfit
    linear = tf.keras.Sequential([layers.Input((32,)), layers.Dense(CLASSES)])
    for name, model in (("linear", linear), ("hidden layer", make_model())):
        history, _ = train(model, Adam(0.02), (more, valid_set), epochs=10)
        ends = [f"{key} {history[key][-1]:.2f}" for key in NAMES]
        print(f"{name}:", *ends)
    # endregion underfit

    # region overfit
    sets = train_set, valid_set
    overfitted = make_model()
    history, best = train(overfitted, Adam(0.02), sets)
    print("lowest:", lowest(history))
    last_losses = history["loss"][-1], history["val_loss"][-1]
    print("in the end: loss {:.2f}, val_loss {:.2f}".format(*last_losses))
    # endregion overfit

    # region plot_overfit
    epochs = np.arange(1, len(history["loss"]) + 1)
    plt.plot(epochs, history["loss"], "--", color=BLUE, label="loss")
    plt.plot(epochs, history["val_loss"], color=RED, label="val_loss")
    plt.axhline(np.log(CLASSES), color="gray", linestyle=":", label="log 4")
    plt.xlabel("epoch")
    plt.ylabel("loss")
    plt.legend()
    plt.show()
    # endregion plot_overfit

    # region mends
    decay = tf.keras.optimizers.AdamW(0.02, weight_decay=1.0)
    mends = {
        "16 units": (make_model(16), Adam(0.02), sets, 24, None),
        "dropout": (make_model(dropout=0.5), Adam(0.02), sets, 24, None),
        "weight decay": (make_model(), decay, sets, 24, None),
        "more waves": (make_model(), Adam(0.02), (more, valid_set), 6, None),
        "turned waves": (make_model(), Adam(0.02), sets, 24, shift),
    }
    # endregion mends

    # region compare
    histories = {"as it was": history}
    for name, (model, *settings) in mends.items():
        histories[name], weights = train(model, *settings)
        model.set_weights(weights)
        found = measure(model, test_set)
        print(f"{name}: {lowest(histories[name])}", end=", ")
        print("test loss {:.2f}, accuracy {:.2f}".format(*found))
    # endregion compare

    # region plot_mends
    styles = ("-", BLUE), (":", RED), ("--", GREEN)
    names = "as it was", "dropout", "turned waves"
    for name, (style, color) in zip(names, styles, strict=True):
        valid_losses = histories[name]["val_loss"]
        plt.plot(epochs, valid_losses, style, color=color, label=name)
    plt.xlabel("epoch")
    plt.ylabel("val_loss")
    plt.legend()
    plt.show()
    # endregion plot_mends

    # region stop
    last = overfitted.get_weights()
    for name, weights in (("lowest val_loss", best), ("last epoch", last)):
        overfitted.set_weights(weights)
        found = measure(overfitted, test_set)
        print("{}: test loss {:.2f}, accuracy {:.2f}".format(name, *found))
    # endregion stop

    # region right_and_wrong
    x, y = test_set
    for weights in (best, last):
        overfitted.set_weights(weights)
        logits = overfitted(x, training=False)
        losses, right = each_loss(y, logits), np.argmax(logits, axis=1) == y
        for name, rows in (("right", right), ("wrong", ~right)):
            print(
                f"{np.mean(rows):.0%} {name}, loss {losses[rows].mean():.2f}"
            )
    # endregion right_and_wrong

    # region val_higher
    model = make_model(dropout=0.5)
    history, _ = train(model, Adam(0.02), (more, valid_set), epochs=5)
    for name in ("accuracy", "val_accuracy"):
        print(f"{name} {history[name][-1]:.2f}")
    print(f"of the training rows, measured: {measure(model, more)[1]:.2f}")
    # endregion val_higher
