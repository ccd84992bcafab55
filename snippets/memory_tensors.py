"""Tensors that stay: in a history, and by way of a tape."""

from collections import deque
from functools import partial
from typing import Any

import matplotlib.pyplot as plt
import tensorflow as tf

from snippets.data import make_data
from snippets.linear_model import LinearModel
from snippets.loss import loss
from snippets.memory_count import count_bytes


# region record_step
def record_step(
    model: LinearModel, x: tf.Tensor, y: tf.Tensor, persistent: bool
) -> dict[str, Any]:
    """Take the gradients of one batch; return what one may keep of it."""
    with tf.GradientTape(persistent=persistent) as tape:
        predictions = tf.tanh(model(tf.tanh(model(x))))
        current_loss = loss(y, predictions)
    tape.gradient(current_loss, [model.w, model.b])
    return {
        "float(loss)": float(current_loss),
        "loss": current_loss,
        "predictions": predictions,
        "tape": tape,
    }


# endregion record_step


# region kept_by_epoch
def kept_by_epoch(name: str, persistent: bool = False) -> list[float]:
    """Keep one thing of each epoch; return the kB kept after each."""
    (x, y), model = make_data(25_000), LinearModel()
    record_step(model, x, y, persistent)
    history, kept = [], []
    before = count_bytes()
    for _ in range(5):
        history.append(record_step(model, x, y, persistent)[name])
        kept.append((count_bytes() - before) / 1000)
    return kept


# endregion kept_by_epoch


# region tape_bytes
def tape_bytes(model: Any, x: tf.Tensor, y: tf.Tensor) -> int:
    """Return the bytes that a tape keeps until the gradients are taken."""
    before = count_bytes()
    with tf.GradientTape() as tape:
        current_loss = loss(y, model(x))
    kept = count_bytes() - before
    tape.gradient(current_loss, model.trainable_variables)
    return kept


# endregion tape_bytes


# region most_bytes
def most_bytes(blocks: list[Any], x: tf.Tensor, recompute: bool) -> int:
    """Return the most bytes that a step keeps at the end of a block."""
    sizes, before = [], count_bytes()

    def noted(block: Any, x: tf.Tensor) -> tf.Tensor:
        result = block(x)
        sizes.append(count_bytes() - before)
        return result

    with tf.GradientTape() as tape:
        for block in blocks:
            part = partial(noted, block)
            x = tf.recompute_grad(part)(x) if recompute else part(x)
    tape.gradient(x, [block.trainable_variables for block in blocks])
    return max(sizes)


# endregion most_bytes

if __name__ == "__main__":
    # region histories
    kept = {
        name: kept_by_epoch(name)
        for name in ("float(loss)", "loss", "predictions", "tape")
    }
    kept["persistent tape"] = kept_by_epoch("tape", persistent=True)
    for name, sizes in kept.items():
        print(f"{name:15}", *(f"{size:8.3f}" for size in sizes), "kB")
    # endregion histories

    # region histories_drawn
    for name, style in (
        ("persistent tape", "s-"),
        ("predictions", "o--"),
        ("float(loss)", "^:"),
    ):
        plt.plot(range(1, 6), kept[name], style, label=name)
    plt.xlabel("epoch")
    plt.ylabel("kB kept in tensors")
    plt.legend(title="kept of each epoch")
    plt.show()
    # endregion histories_drawn

    # region window
    last_losses: deque[float] = deque(maxlen=3)
    for value in (5.0, 4.0, 3.0, 2.0, 1.0):
        last_losses.append(value)
    print(list(last_losses))
    # endregion window

    # region tape_sizes
    layers = [tf.keras.layers.Dense(100, "relu") for _ in range(3)]
    network = tf.keras.Sequential([*layers, tf.keras.layers.Dense(1)])
    for rows in (32, 320, 3200):
        inputs, outputs = (v[:, tf.newaxis] for v in make_data(rows))
        network(inputs)
        size = tape_bytes(network, inputs, outputs)
        print(f"{rows:4} rows: {size / 1e6:6.3f} MB")
    # endregion tape_sizes

    # region recomputed
    layers = [tf.keras.layers.Dense(100, "relu") for _ in range(64)]
    inputs = tf.ones([1000, 100])
    tf.keras.Sequential(layers)(inputs)
    for size, recompute in ((64, False), (64, True), (8, True), (1, True)):
        blocks = [
            tf.keras.Sequential(layers[start : start + size])
            for start in range(0, 64, size)
        ]
        most = most_bytes(blocks, inputs, recompute) / 1e6
        print(f"blocks of {size:2}, recompute {recompute!s:5} {most:5.1f} MB")
    # endregion recomputed

    # region rows_that_fit
    needed = {}
    for rows in (320, 3200):
        inputs, outputs = (v[:, tf.newaxis] for v in make_data(rows))
        needed[rows] = tape_bytes(network, inputs, outputs)
    per_row = (needed[3200] - needed[320]) / (3200 - 320)
    besides = needed[320] - 320 * per_row
    print(f"{per_row:.0f} bytes a row, {besides / 1000:.0f} kB besides")
    print(f"{(1e9 - besides) / per_row / 1000:.0f} thousand rows")
    # endregion rows_that_fit
