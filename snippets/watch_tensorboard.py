"""Write scalars for TensorBoard from a loop, and read them back."""

import os
import sys
import tempfile
from pathlib import Path
from unittest import mock

import matplotlib.pyplot as plt
import tensorflow as tf

from snippets.data import make_data
from snippets.keras_model import KerasLinearModel
from snippets.loss import loss
from snippets.watch import Batches, make_step, train_epoch


# region read_events
def read_events(folder: str) -> list[tuple[int, float]]:
    """Return the (step, value) of each scalar in a folder, as written."""
    points = []
    files = Path(folder).glob("events.out.tfevents.*")
    for path in sorted(files, key=os.path.getmtime):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                number = float(tf.make_ndarray(value.tensor))
                points.append((event.step, number))
    return points


# endregion read_events

# region record_by_clock
clock = {"step": 0}


def record_by_clock(value: tf.Tensor) -> None:
    """Write a value at the step that the clock says."""
    tf.summary.scalar("loss", value, step=clock["step"])


# endregion record_by_clock


# region record
def record(value: tf.Tensor, step: tf.Tensor) -> None:
    """Write a value at the step that is handed over."""
    tf.summary.scalar("loss", value, step=step)


# endregion record


# region record_run
def record_run(folder: str, learning_rate: float, batches: Batches) -> None:
    """Train a new model for three epochs; write its losses to a folder."""
    model = KerasLinearModel()
    step = make_step(model, tf.keras.optimizers.SGD(learning_rate))
    with tf.summary.create_file_writer(folder).as_default():
        for epoch in range(1, 4):
            current_loss = train_epoch(step, batches)
            tf.summary.scalar("loss", current_loss, step=epoch)


# endregion record_run

if __name__ == "__main__":
    os.chdir(tempfile.mkdtemp(prefix="watched-", dir="."))
    x, y = make_data(268)
    batches = [(x[start::4], y[start::4]) for start in range(3)]
    valid_x, valid_y = x[3::4], y[3::4]

    try:
        # region not_installed
        # As if it were not installed.
        with mock.patch.dict(sys.modules, {"tensorboard.summary.v2": None}):
            tf.summary.scalar("loss", 1.0, step=1)
        # endregion not_installed
    except Exception as error:
        print(f"{type(error).__name__}: {error}")

    # region write
    model = KerasLinearModel()
    step = make_step(model, tf.keras.optimizers.SGD(0.03))
    training = tf.summary.create_file_writer("logs/training")
    validation = tf.summary.create_file_writer("logs/validation")
    for epoch in range(1, 11):
        current_loss = train_epoch(step, batches)
        val_loss = loss(valid_y, model(valid_x))
        with training.as_default():
            tf.summary.scalar("loss", current_loss, step=epoch)
        with validation.as_default():
            tf.summary.scalar("loss", val_loss, step=epoch)
    # endregion write

    # region read
    for name, style in (("training", "o-"), ("validation", "s--")):
        points = read_events(f"logs/{name}")
        print(name, *(f"{step}: {value:.2f}" for step, value in points[:4]))
        plt.plot(*zip(*points, strict=True), style, label=name)
    plt.xlabel("epoch")
    plt.ylabel("loss")
    plt.legend()
    plt.show()
    # endregion read

    try:
        # region no_step
        with training.as_default():
            tf.summary.scalar("loss", 1.0)
        # endregion no_step
    except ValueError as error:
        print(error)

    # region no_writer
    written = tf.summary.scalar("loss", 1.0, step=11)
    print("written:", bool(written))
    # endregion no_writer

    # region clocked
    compiled = tf.function(record_by_clock)
    with tf.summary.create_file_writer("logs/clocked").as_default():
        for epoch in (1, 2, 3):
            clock["step"] = epoch
            compiled(tf.constant(10.0 * epoch))
    points = read_events("logs/clocked")
    print("step and value:", points)
    # endregion clocked

    # region traced_early
    compiled = tf.function(record)
    compiled(tf.constant(0.0), tf.constant(0, tf.int64))
    with tf.summary.create_file_writer("logs/traced_early").as_default():
        for step in tf.range(1, 4, dtype=tf.int64):
            compiled(10.0 * tf.cast(step, tf.float32), step)
    points = read_events("logs/traced_early")
    print("step and value:", points)
    # endregion traced_early

    # region stepped
    compiled = tf.function(record)
    with tf.summary.create_file_writer("logs/stepped").as_default():
        for step in tf.range(1, 4, dtype=tf.int64):
            compiled(10.0 * tf.cast(step, tf.float32), step)
    points = read_events("logs/stepped")
    print("step and value:", points)
    assert [step for step, _ in points] == [1, 2, 3]
    # endregion stepped

    # region two_runs
    for folder in ("logs/runs/slow", "logs/runs/fast", "logs/both"):
        if folder != "logs/runs/fast":
            record_run(folder, 0.03, batches)
        if folder != "logs/runs/slow":
            record_run(folder, 0.1, batches)
        points = read_events(folder)
        print(folder, *(f"{step}: {value:.1f}" for step, value in points))
    # endregion two_runs
