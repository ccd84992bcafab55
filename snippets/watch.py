"""Watch a training: bars that rewrite their line, a log, a CSV file."""

import contextlib
import csv
import io
import logging
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import tensorflow as tf
from tqdm import tqdm

from snippets.data import make_data
from snippets.keras_model import KerasLinearModel
from snippets.loss import loss

# region types
Step = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
Batches = list[tuple[tf.Tensor, tf.Tensor]]
CallbackList = tf.keras.callbacks.CallbackList
# endregion types


# region make_step
def make_step(model: tf.keras.Model, optimizer: tf.keras.Optimizer) -> Step:
    """Return a compiled step; it returns the loss before its update."""
    optimizer.build(model.trainable_variables)

    def step(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            current_loss = loss(y, model(x, training=True))
        variables = model.trainable_variables
        optimizer.apply(tape.gradient(current_loss, variables), variables)
        return current_loss

    compiled: Step = tf.function(step)
    return compiled


# endregion make_step


# region train_epoch
def train_epoch(step: Step, batches: Batches) -> float:
    """Take a step with each batch; return the mean of their losses."""
    losses = [float(step(x, y)) for x, y in batches]
    return sum(losses) / len(losses)


# endregion train_epoch


# region losses_in
def losses_in(drawn: str) -> list[str]:
    """Return each loss that a bar of Keras has drawn."""
    parts = drawn.split("loss: ")[1:]
    return [f"{float(part.split(chr(8))[0]):.2f}" for part in parts]


# endregion losses_in

if __name__ == "__main__":
    # region folder
    os.chdir(tempfile.mkdtemp(prefix="watched-", dir="."))
    # endregion folder

    # region data
    x, y = make_data(268)
    batches = [(x[start::4], y[start::4]) for start in range(3)]
    valid_x, valid_y = x[3::4], y[3::4]
    print("rows:", *(len(x) for x, _ in batches), "and", len(valid_x))
    # endregion data

    # region progbar
    model = KerasLinearModel()
    step = make_step(model, tf.keras.optimizers.SGD(0.03))
    screen, losses = io.StringIO(), []
    with contextlib.redirect_stdout(screen):
        bar = tf.keras.utils.Progbar(len(batches), interval=0)
        for batch, (x_batch, y_batch) in enumerate(batches, start=1):
            losses.append(float(step(x_batch, y_batch)))
            bar.update(batch, [("loss", losses[-1])])
    mean = sum(losses) / len(losses)
    print("the bar shows: ", *losses_in(screen.getvalue()))
    print("the losses are:", *(f"{value:.2f}" for value in losses))
    print(f"their mean is:  {mean:.2f}")
    # endregion progbar

    # region progbar_mean
    screen, mean_loss = io.StringIO(), tf.keras.metrics.Mean()
    with contextlib.redirect_stdout(screen):
        bar = tf.keras.utils.Progbar(
            len(batches), interval=0, stateful_metrics=["loss"]
        )
        for batch, value in enumerate(losses, start=1):
            mean_loss.update_state(value)
            bar.update(batch, [("loss", float(mean_loss.result()))])
    print("the bar shows: ", *losses_in(screen.getvalue()))
    # endregion progbar_mean

    # region sawtooth
    model = KerasLinearModel()
    step = make_step(model, tf.keras.optimizers.SGD(0.03))
    mean_loss, by_batch, so_far = tf.keras.metrics.Mean(), [], []
    for _ in range(6):
        mean_loss.reset_state()
        for x_batch, y_batch in batches:
            by_batch.append(float(step(x_batch, y_batch)))
            mean_loss.update_state(by_batch[-1])
            so_far.append(float(mean_loss.result()))
    for name, values in (("batch", by_batch), ("mean", so_far)):
        print(f"{name:5}", *(f"{value:5.2f}" for value in values[:9]))
    # endregion sawtooth

    # region plot_sawtooth
    plt.plot(by_batch, "o", color="#0072B2", label="of each batch")
    plt.plot(so_far, "s--", color="#D55E00", label="mean of the epoch so far")
    plt.xlabel("step")
    plt.ylabel("loss")
    plt.legend()
    plt.show()
    # endregion plot_sawtooth

    # region tqdm
    model = KerasLinearModel()
    step = make_step(model, tf.keras.optimizers.SGD(0.03))
    untimed = "{desc}: {n_fmt}/{total_fmt} |{bar:20}|{postfix}"
    screen = io.StringIO()
    bar = tqdm(range(10), "epochs", file=screen, bar_format=untimed)
    for _ in bar:
        current_loss = train_epoch(step, batches)
        bar.set_postfix(loss=f"{current_loss:.2f}")
    print(screen.getvalue().split("\r")[-1], end="")
    # endregion tqdm

    # region tqdm_tensor
    screen = io.StringIO()
    bar = tqdm(batches, "steps", file=screen, bar_format=untimed)
    for x_batch, y_batch in bar:
        bar.set_postfix(loss=step(x_batch, y_batch))
    print(screen.getvalue().split("\r")[-1], end="")
    # endregion tqdm_tensor

    # region log
    log = logging.getLogger("train")
    log.setLevel(logging.INFO)
    log.propagate = False
    to_screen = logging.StreamHandler(sys.stdout)
    to_file = logging.FileHandler("train.log")
    to_file.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    log.handlers = [to_screen, to_file]
    # endregion log

    # region log_loop
    model = KerasLinearModel()
    step = make_step(model, tf.keras.optimizers.SGD(0.03))
    for epoch in range(1, 11):
        current_loss = train_epoch(step, batches)
        if epoch % 5 == 0:
            log.info("epoch %d: loss %.2f", epoch, current_loss)
    print("in the file, after date and time:")
    for line in Path("train.log").read_text().splitlines():
        print(line.split(maxsplit=2)[2])
    # endregion log_loop

    # region csv
    model = KerasLinearModel()
    step = make_step(model, tf.keras.optimizers.SGD(0.03))
    with open("history.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["epoch", "loss", "val_loss"])
        for epoch in range(1, 4):
            current_loss = train_epoch(step, batches)
            val_loss = float(loss(valid_y, model(valid_x)))
            table.writerow([epoch, f"{current_loss:.4f}", f"{val_loss:.4f}"])
            file.flush()
    print(Path("history.csv").read_text(), end="")
    # endregion csv
