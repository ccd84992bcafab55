"""The data, the model and the loop of the page on curves."""

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from snippets.curves_setup import (
    BLUE,
    CLASSES,
    NAMES,
    Model,
    Optimizer,
    Part,
    Step,
    layers,
)


# region make_waves
def make_waves(rows: int, seed: int, noise: float = 1.5) -> Part:
    """Return x of shape (rows, 32), noisy waves, and y, their classes.

    Class 0 has one period in 32 numbers, class 3 has four.
    """
    draws = np.random.default_rng(seed)
    y = np.arange(rows) % CLASSES
    start = draws.uniform(0.0, 1.0, (rows, 1))
    periods = start + (y[:, np.newaxis] + 1) * np.arange(32) / 32
    x = np.sin(2 * np.pi * periods) + noise * draws.normal(size=periods.shape)
    return x.astype("float32"), y


# endregion make_waves


# region make_model
def make_model(width: int = 64, dropout: float = 0.0) -> Model:
    """Return a model of waves: a hidden layer, and a logit for each class."""
    tf.keras.utils.set_random_seed(0)
    hidden = [layers.Dense(width, "relu"), layers.Dropout(dropout)]
    ends = layers.Input((32,)), layers.Dense(CLASSES)
    return tf.keras.Sequential([ends[0], *hidden, ends[1]])


# endregion make_model

# region loss
loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
accuracy = tf.keras.metrics.sparse_categorical_accuracy
# endregion loss


# region make_step
def make_step(model: Model, optimizer: Optimizer) -> Step:
    """Return a compiled step, which returns loss and accuracy of a batch."""
    optimizer.build(model.trainable_variables)

    def step(x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            logits = model(x, training=True)
            current_loss = loss(y, logits) + sum(model.losses)
        variables = model.trainable_variables
        gradients = tape.gradient(current_loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return current_loss, tf.reduce_mean(accuracy(y, logits))

    compiled: Step = tf.function(step, reduce_retracing=True)
    return compiled


# endregion make_step


# region run_epoch
def run_epoch(
    step: Step, part: Part, batch: int, seed: int
) -> tuple[float, float]:
    """Take a step for each batch; return loss and accuracy over all rows."""
    (x, y), sums = part, np.zeros(2)
    order = np.random.default_rng(seed).permutation(len(y))
    for rows in np.split(order, range(batch, len(y), batch)):
        sums += len(rows) * np.array(step(x[rows], y[rows]))
    mean_loss, mean_accuracy = sums / len(y)
    return float(mean_loss), float(mean_accuracy)


# endregion run_epoch


# region measure
def measure(model: Model, part: Part) -> tuple[float, float]:
    """Return loss and accuracy of the model in use, over all rows."""
    x, y = part
    logits = model(x, training=False)
    return float(loss(y, logits)), float(np.mean(accuracy(y, logits)))


# endregion measure


# region train
def train(model, optimizer, sets, epochs=24, change=None, batch=64):
    """Train; return the history, and the weights of the lowest val_loss."""
    step, history = make_step(model, optimizer), {name: [] for name in NAMES}
    (x, y), valid_set = sets
    best = model.get_weights()
    for epoch in range(epochs):
        new_x = change(x, epoch) if change else x
        trained = run_epoch(step, (new_x, y), batch, epoch)
        values = *trained, *measure(model, valid_set)
        for name, value in zip(NAMES, values, strict=True):
            history[name].append(value)
        if values[2] == min(history["val_loss"]):
            best = model.get_weights()
    return history, best


# endregion train

if __name__ == "__main__":
    # region look
    x, y = make_waves(4096, seed=0)
    train_set, more = (x[:256], y[:256]), (x[:1024], y[:1024])
    valid_set, test_set = make_waves(256, seed=1), make_waves(4096, seed=2)
    _, axes = plt.subplots(1, CLASSES, figsize=(6.4, 2.4), sharey=True)
    for axis, wave, label in zip(axes, *train_set, strict=False):
        axis.plot(wave, color=BLUE)
        axis.set_title(f"class {label}")
        axis.set_xlabel("place")
    axes[0].set_ylabel("x")
    plt.show()
    # endregion look
