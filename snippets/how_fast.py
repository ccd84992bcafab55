"""Seven ways to take the same steps, and what is fast about each."""

# ruff: noqa: E402 (the page shows the imports of this module first)
# ruff: noqa: F401 (the page's other modules use what the first block imports)

# region setup
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

BLUE, RED, GREEN = "#0072B2", "#D55E00", "#009E73"
Pair = tuple[tf.Tensor, tf.Tensor]
# endregion setup

from snippets.data import make_data
from snippets.keras_model import KerasLinearModel
from snippets.linear_model import LinearModel
from snippets.loss import loss
from snippets.training_loop import train

# region show
ends: dict[str, tuple[float, float]] = {}


def show(name: str, w: float, b: float) -> None:
    """Print where a training ended, and keep it for a comparison."""
    ends[name] = float(w), float(b)
    print(f"{name:13} w {ends[name][0]:.4f}, b {ends[name][1]:.4f}")


# endregion show


# region train_many
def train_many(model, x, y, learning_rate, epochs) -> None:
    """Update the weights ``epochs`` times, each time on all of (x, y)."""
    for _ in tf.range(epochs):
        train(model, x, y, learning_rate)


# endregion train_many


# region train_unrolled
def train_unrolled(model, x, y, learning_rate, epochs) -> None:
    """Update the weights ``epochs`` times, in a loop of Python's."""
    for _ in range(epochs):
        train(model, x, y, learning_rate)


# endregion train_unrolled


# region operations
def count_operations(loop: Callable[..., None], *given: Any) -> int:
    """Return how many operations the graph of a function has."""
    traced = tf.function(loop).get_concrete_function(*given)
    graph = traced.graph.as_graph_def()
    inside = sum(len(part.node_def) for part in graph.library.function)
    return len(graph.node) + inside


# endregion operations


# region train_numpy
def train_numpy(w, b, x, y, learning_rate) -> tuple[np.float32, np.float32]:
    """Return both weights after one update on all of (x, y)."""
    errors = x * w + b - y
    dw = 2 * np.mean(errors * x)
    db = 2 * np.mean(errors)
    return w - learning_rate * dw, b - learning_rate * db


# endregion train_numpy


# region train_verbosely
def train_verbosely(model, x, y, learning_rate) -> None:
    """Update the weights once, and print the loss from inside."""
    train(model, x, y, learning_rate)
    tf.print("loss", loss(y, model(x)))


# endregion train_verbosely


# region largest_error
def largest_error(y: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Return the largest error of a batch, computed by NumPy."""
    largest = tf.numpy_function(
        lambda y, y_pred: np.abs(y.reshape(y_pred.shape) - y_pred).max(),
        [y, y_pred],
        tf.float32,
    )
    return tf.ensure_shape(largest, ())


# endregion largest_error


# region counted
def counted(calls: tf.Variable) -> Callable[[tf.Tensor, tf.Tensor], Pair]:
    """Return what is to be done to the data; it counts its calls."""

    def prepare(x: tf.Tensor, y: tf.Tensor) -> Pair:
        calls.assign_add(1)
        return tf.clip_by_value(x, -2.0, 2.0), y

    return prepare


# endregion counted


# region seconds
def seconds_of(
    batches: tf.data.Dataset, step: Callable[[tf.Tensor, tf.Tensor], None]
) -> float:
    """Return how long an epoch takes."""
    start = time.perf_counter()
    for x, y in batches:
        step(x, y)
    return time.perf_counter() - start


def no_step(x: tf.Tensor, y: tf.Tensor) -> None:
    """Do nothing: what is left of the epoch are its data."""


# endregion seconds


# region train_with_losses
def train_with_losses(model, x, y, learning_rate, epochs) -> tf.Tensor:
    """Update the weights; return the loss after each epoch."""
    losses = tf.TensorArray(tf.float32, size=epochs)
    for epoch in tf.range(epochs):
        train(model, x, y, learning_rate)
        losses = losses.write(epoch, loss(y, model(x)))
    return losses.stack()


# endregion train_with_losses


if __name__ == "__main__":
    # region eager
    x, y = make_data()
    model = LinearModel()
    for _ in range(10):
        train(model, x, y, 0.1)
    show("eager loop", model.w, model.b)
    # endregion eager

    # region compiled_step
    compiled_train = tf.function(train)
    model = LinearModel()
    for _ in range(10):
        compiled_train(model, x, y, 0.1)
    show("compiled step", model.w, model.b)
    # endregion compiled_step

    # region xla_step
    xla_train = tf.function(train, jit_compile=True)
    model = LinearModel()
    for _ in range(10):
        xla_train(model, x, y, 0.1)
    show("XLA step", model.w, model.b)
    # endregion xla_step

    # region compiled_loop
    compiled_loop = tf.function(train_many)
    model = LinearModel()
    compiled_loop(model, x, y, 0.1, tf.constant(10))
    show("compiled loop", model.w, model.b)
    # endregion compiled_loop

    # region xla_loop
    xla_loop = tf.function(train_many, jit_compile=True)
    model = LinearModel()
    xla_loop(model, x, y, 0.1, tf.constant(10))
    show("XLA loop", model.w, model.b)
    # endregion xla_loop

    # region fit
    keras_model = KerasLinearModel()
    keras_model.compile(tf.keras.optimizers.SGD(0.1), loss="mse")
    keras_model.fit(
        x, y, epochs=10, batch_size=len(x), shuffle=False, verbose=0
    )
    show("Keras fit", keras_model.w, keras_model.b)
    # endregion fit

    # region numpy
    inputs, outputs = x.numpy(), y.numpy()
    w, b = np.float32(5.0), np.float32(0.0)
    for _ in range(10):
        w, b = train_numpy(w, b, inputs, outputs, 0.1)
    show("NumPy", float(w), float(b))
    # endregion numpy

    # region same
    eager = np.array(ends["eager loop"])
    largest = max(np.abs(eager - end).max() for end in ends.values())
    print(f"ways: {len(ends)}, largest difference below 1e-6:", largest < 1e-6)
    # endregion same

    # A script stands where the page's reader has saved the file.
    kept = Path(__file__).with_name("results") / "loop_speed.json"
    Path("loop_speed.json").write_bytes(kept.read_bytes())

    # region read
    measured = json.loads(Path("loop_speed.json").read_text())
    sizes = measured["points"]
    ratios = measured["times_as_fast_as_the_eager_loop"]
    seconds = measured["seconds_per_update"]
    print("points       " + "".join(f"{size:>11,}" for size in sizes))
    for name, row in ratios.items():
        print(f"{name:13}" + "".join(f"{ratio:>10,g}×" for ratio in row))
    # endregion read

    # region plot
    names = sorted(ratios, key=lambda name: ratios[name][0])
    colors, sides = (BLUE, RED, GREEN), ("center", "left", "right")
    for column, marker in enumerate("osD"):
        speeds = [ratios[name][column] for name in names]
        plt.plot(speeds, names, marker, color=colors[column])
        size, top = f"{sizes[column]:,}", len(names) - 0.7
        plt.text(speeds[-1], top, size, horizontalalignment=sides[column])
    plt.axvline(1, linestyle=":", color=BLUE)
    plt.ylim(-0.5, len(names))
    plt.xscale("log")
    plt.xlabel("times as fast as the eager loop, by number of points")
    plt.show()
    # endregion plot

    # region bandwidth
    rates = measured["gigabytes_per_second"]
    copy, dot = rates["copy"][-1], rates["dot product"][-1]
    shares = {}
    for name, arrays in (("NumPy", 12), ("XLA loop", 8)):
        moved = arrays * 4 * sizes[-1] / 1e9
        rate = moved / seconds[name][-1]
        shares[name] = rate / copy
        print(f"{name:12}{1000 * moved:.0f} MB an update, {rate:.1f} GB/s")
    print(f"copy        {copy:.1f} GB/s")
    least = 2 * 4 * sizes[-1] / 1e9 / dot
    limit = seconds["eager loop"][-1] / least
    print(f"dot product {dot:.1f} GB/s, an update at this rate {limit:.0f}×")
    # endregion bandwidth

    # region first_call
    for name, first_call in measured["seconds_of_first_call"].items():
        saved = seconds["eager loop"][0] - seconds[name][0]
        worth = int(np.ceil(first_call / saved))
        print(f"{name:13} pays after {worth:,} updates")
    # endregion first_call

    # region retracing
    by_number, by_tensor = tf.function(train), tf.function(train)
    model = LinearModel()
    for learning_rate in (0.1, 0.05):
        by_number(model, x, y, learning_rate)
        by_tensor(model, x, y, tf.constant(learning_rate))
    print("traces with numbers:", by_number.experimental_get_tracing_count())
    print("traces with tensors:", by_tensor.experimental_get_tracing_count())
    # endregion retracing

    # region unrolled
    for name, loop in (("range", train_unrolled), ("tf.range", train_many)):
        for epochs in (1, 10, 100):
            number = count_operations(loop, LinearModel(), x, y, 0.1, epochs)
            print(f"{name:8} {epochs:3} epochs: {number:4} operations")
    # endregion unrolled

    # region xla_prints
    xla_verbose = tf.function(train_verbosely, jit_compile=True)
    try:
        xla_verbose(LinearModel(), x, y, 0.1)
    except tf.errors.InvalidArgumentError as error:
        reason = error.message.partition(" (No registered")[0]
        print("not compiled,", reason.rpartition(" on ")[2])
    # endregion xla_prints

    # region jit_compile
    for jit_compile in (True, False):
        keras_model = KerasLinearModel()
        keras_model.compile(
            "sgd", "mse", metrics=[largest_error], jit_compile=jit_compile
        )
        try:
            fitted = keras_model.fit(x, y, batch_size=len(x), verbose=0)
            print(f"largest error {fitted.history['largest_error'][0]:.4f}")
        except tf.errors.InvalidArgumentError as error:
            print("tf2xla conversion failed" in error.message, end=", ")
            reason = error.message.partition(" (No registered")[0]
            print(reason.rpartition(" on ")[2])
    # endregion jit_compile

    # region steps_per_execution
    same_batch = tf.data.Dataset.from_tensors((x, y)).repeat(10)
    keras_model = KerasLinearModel()
    keras_model.compile(
        tf.keras.optimizers.SGD(0.1), loss="mse", steps_per_execution=10
    )
    keras_model.fit(same_batch, shuffle=False, verbose=0)
    show("fit, by tens", keras_model.w, keras_model.b)
    # endregion steps_per_execution

    # region pipelines
    rows = tf.data.Dataset.from_tensor_slices((x, y))
    calls = tf.Variable(0)
    prepare = counted(calls)
    pipelines = {
        "map, batch": rows.map(prepare).batch(32),
        "batch, map": rows.batch(32).map(prepare),
        "batch, map, cache": rows.batch(32).map(prepare).cache(),
    }
    for name, batches in pipelines.items():
        made = []
        for _ in range(2):
            calls.assign(0)
            list(batches)
            made.append(int(calls))
        print(f"{name:18} calls: {made[0]:3}, then {made[1]:3}")
    # endregion pipelines

    # region traces
    model = LinearModel()
    step = tf.function(lambda x, y: train(model, x, y, 0.1))
    batches, traces = pipelines["batch, map"], []
    for x_batch, y_batch in batches:
        step(x_batch, y_batch)
        traces.append(step.experimental_get_tracing_count())
    print("traces after each step:", *traces)
    # endregion traces

    # region share
    share = seconds_of(batches, no_step) / seconds_of(batches, step)
    # endregion share

    # region parallel
    ahead = rows.batch(32).map(prepare, num_parallel_calls=tf.data.AUTOTUNE)
    ahead = ahead.prefetch(tf.data.AUTOTUNE)
    same = [
        np.array_equal(one, other)
        for pair, other_pair in zip(batches, ahead, strict=True)
        for one, other in zip(pair, other_pair, strict=True)
    ]
    print(f"arrays: {len(same)}, all the same: {all(same)}")
    # endregion parallel

    # region losses
    reporting_loop = tf.function(train_with_losses, jit_compile=True)
    losses = reporting_loop(LinearModel(), x, y, 0.1, tf.constant(10))
    for epoch in (1, 5, 10):
        print(f"epoch {epoch:2}: loss {losses[epoch - 1]:.4f}")
    # endregion losses

    # region loop_traces
    by_number = tf.function(train_with_losses)
    by_tensor = tf.function(train_with_losses)
    model = LinearModel()
    for epochs in (10, 20):
        by_number(model, x, y, 0.1, epochs)
        by_tensor(model, x, y, 0.1, tf.constant(epochs))
    print("epochs as numbers:", by_number.experimental_get_tracing_count())
    print("epochs as tensors:", by_tensor.experimental_get_tracing_count())
    # endregion loop_traces
