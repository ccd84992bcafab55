"""Save a training, stop it, resume it, by checkpoints."""

# ruff: noqa: F401 (the kill needs them on the page)

# region setup
import copy
import os
import signal
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import tensorflow as tf

BLUE, RED, GREEN = "#0072B2", "#D55E00", "#009E73"
# endregion setup

from snippets.data import make_data  # noqa: E402
from snippets.linear_model import LinearModel  # noqa: E402
from snippets.loss import loss  # noqa: E402


# region new_training
def new_training(
    model: LinearModel | tf.keras.Model, learning_rate: float = 0.05
) -> tf.train.Checkpoint:
    """Return all that a training of the model consists of, at its start.

    The model must have its variables already.
    """
    optimizer = tf.keras.optimizers.SGD(learning_rate, momentum=0.9)
    optimizer.build(model.trainable_variables)
    return tf.train.Checkpoint(
        model=model, optimizer=optimizer, epoch=tf.Variable(0)
    )


# endregion new_training


# region train_until
def train_until(
    last: int, training: tf.train.Checkpoint, x: tf.Tensor, y: tf.Tensor
) -> list[float]:
    """Train up to the epoch; return the loss before each update."""
    losses = []
    while training.epoch < last:
        with tf.GradientTape() as tape:
            current_loss = loss(y, training.model(x))
        variables = training.model.trainable_variables
        gradients = tape.gradient(current_loss, variables)
        pairs = zip(gradients, variables, strict=True)
        training.optimizer.apply_gradients(pairs)
        training.epoch.assign_add(1)
        losses.append(float(current_loss))
    return losses


# endregion train_until


if __name__ == "__main__":
    # region folder
    os.chdir(tempfile.mkdtemp(prefix="saved-", dir="."))
    # endregion folder

    # region resume
    x, y = make_data()
    whole = train_until(30, new_training(LinearModel()), x, y)

    stopped = new_training(LinearModel())
    first = train_until(10, stopped, x, y)
    path = stopped.write("stopped")

    resumed = new_training(LinearModel())
    resumed.read(path).assert_consumed()
    print("epoch of the resumed training:", int(resumed.epoch))
    rest = train_until(30, resumed, x, y)
    print("same losses:", first + rest == whole)
    # endregion resume

    # region contents
    ending = "/.ATTRIBUTES/VARIABLE_VALUE"
    for key, _ in tf.train.list_variables(path):
        if key.endswith(ending):
            value = tf.train.load_variable(path, key)
            print(f"{key.removesuffix(ending):25} {value:7.4f}")
    # endregion contents

    # region alone
    alone = new_training(LinearModel())
    weights = tf.train.Checkpoint(model=alone.model)
    weights.read(path).expect_partial()
    alone.epoch.assign(10)
    alone_rest = train_until(30, alone, x, y)
    plt.plot(whole, "-", color=BLUE, label="uninterrupted")
    plt.plot(range(10, 30), rest, "o", color=RED, label="all restored")
    plt.plot(
        range(10, 30), alone_rest, "s--", color=GREEN, label="weights alone"
    )
    plt.xlabel("epoch")
    plt.ylabel("loss")
    plt.legend()
    plt.show()
    # endregion alone

    # region reset
    reset = new_training(LinearModel())
    start = [variable.numpy() for variable in reset.optimizer.variables]
    reset.read(path).assert_consumed()
    for variable, value in zip(reset.optimizer.variables, start, strict=True):
        variable.assign(value)
    reset_rest = train_until(30, reset, x, y)
    print("as from the weights alone:", reset_rest == alone_rest)
    # endregion reset

    # region iterator
    options = tf.data.Options()
    options.autotune.enabled = False
    iterators = []
    for _ in range(2):
        numbers = tf.data.Dataset.range(10).shuffle(10, seed=0)
        numbers = numbers.batch(4).repeat().with_options(options)
        iterators.append(iter(numbers))
    batches, resumed_batches = iterators
    for _ in range(3):
        next(batches)
    path = tf.train.Checkpoint(batches=batches).write("batches")
    tf.train.Checkpoint(batches=resumed_batches).read(path).assert_consumed()
    print("goes on:", next(batches).numpy())
    print("resumed:", next(resumed_batches).numpy())
    # endregion iterator

    # region unready
    unready = tf.train.Checkpoint(
        model=LinearModel(),
        optimizer=tf.keras.optimizers.SGD(0.05, momentum=0.9),
        epoch=tf.Variable(0),
    )
    status = unready.read("stopped")
    try:
        status.assert_consumed()
    except AssertionError:
        print("after reading: not all values have found their place")
    unready_rest = train_until(30, unready, x, y)
    status.assert_consumed()
    print("after training: they have")
    print("same losses:", unready_rest == rest)
    # endregion unready

    # region slower
    slower = new_training(LinearModel(), learning_rate=0.01)
    slower.read("stopped").assert_consumed()
    print(f"rate after reading: {float(slower.optimizer.learning_rate):.2f}")
    slower.optimizer.learning_rate = 0.01
    slower_rest = train_until(30, slower, x, y)
    print(f"loss in the last epoch, rate 0.05: {rest[-1]:.4f}")
    print(f"loss in the last epoch, rate 0.01: {slower_rest[-1]:.4f}")
    # endregion slower
