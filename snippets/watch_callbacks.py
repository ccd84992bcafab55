"""Keras' callbacks in a loop of one's own: what each of them needs."""

import contextlib
import csv
import io
import os
import tempfile

import tensorflow as tf
from tqdm import tqdm

from snippets.data import make_data
from snippets.keras_model import KerasLinearModel
from snippets.watch import Batches, CallbackList, Step, make_step


# region callback_epoch
def callback_epoch(
    step: Step, batches: Batches, callbacks: CallbackList
) -> float:
    """Take a step with each batch, until a callback says stop."""
    mean_loss = tf.keras.metrics.Mean()
    for batch, (x, y) in enumerate(batches):
        callbacks.on_train_batch_begin(batch)
        current_loss = float(step(x, y))
        mean_loss.update_state(current_loss, sample_weight=len(x))
        callbacks.on_train_batch_end(batch, {"loss": current_loss})
        if callbacks.model.stop_training:
            break
    return float(mean_loss.result())


# endregion callback_epoch


# region callback_loop
def callback_loop(
    step: Step, batches: Batches, callbacks: CallbackList, epochs: int
) -> None:
    """Train, and tell the callbacks what fit would tell them."""
    callbacks.model.stop_training = False
    callbacks.on_train_begin()
    for epoch in range(epochs):
        callbacks.on_epoch_begin(epoch)
        logs = {"loss": callback_epoch(step, batches, callbacks)}
        callbacks.on_epoch_end(epoch, logs)
        if callbacks.model.stop_training:
            break
    callbacks.on_train_end()


# endregion callback_loop


# region options
OPTIONS: dict[str, dict[str, object]] = {
    "BackupAndRestore": {"backup_dir": "backup"},
    "CSVLogger": {"filename": "losses.csv"},
    "EarlyStopping": {"monitor": "loss"},
    "History": {},
    "LambdaCallback": {"on_epoch_end": print},
    "LearningRateScheduler": {"schedule": lambda epoch, rate: rate / 2},
    "ModelCheckpoint": {"filepath": "line.keras"},
    "ProgbarLogger": {},
    "ReduceLROnPlateau": {"monitor": "loss"},
    "SwapEMAWeights": {"swap_on_epoch": True},
    "TensorBoard": {"log_dir": "logs/keras"},
    "TerminateOnNaN": {},
}
# endregion options


# region outcome
def outcome(
    name: str, model: tf.keras.Model, step: Step, batches: Batches, **told: int
) -> str:
    """Return the error that a loop with the callback raises, or "runs"."""
    callback = getattr(tf.keras.callbacks, name)(**OPTIONS[name])
    callbacks = CallbackList([callback], model=model, **told)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            callback_loop(step, batches, callbacks, epochs=2)
    except Exception as error:
        return type(error).__name__
    return "runs"


# endregion outcome


# region epoch_bar
class EpochBar(tf.keras.callbacks.Callback):
    """Draws a bar over the epochs, with the last loss behind it."""

    def __init__(self, bar: tqdm) -> None:
        super().__init__()
        self.bar = bar

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Move on by one epoch."""
        self.bar.set_postfix(loss=f"{logs['loss']:.2f}", refresh=False)
        self.bar.update()


# endregion epoch_bar

if __name__ == "__main__":
    os.chdir(tempfile.mkdtemp(prefix="watched-", dir="."))
    x, y = make_data(268)
    batches = [(x[start::4], y[start::4]) for start in range(3)]
    untimed = "{desc}: {n_fmt}/{total_fmt} |{bar:20}|{postfix}"

    # region stopping
    model, optimizer = KerasLinearModel(), tf.keras.optimizers.SGD(0.1)
    step = make_step(model, optimizer)
    stopping = tf.keras.callbacks.EarlyStopping("loss", min_delta=0.01)
    logger = tf.keras.callbacks.CSVLogger("losses.csv")
    callbacks = CallbackList([stopping, logger], model=model)
    callback_loop(step, batches, callbacks, epochs=100)
    with open("losses.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    print("columns:", *rows[0])
    for row in rows[-3:]:
        print(f"epoch {row['epoch']}: loss {float(row['loss']):.4f}")
    # endregion stopping

    # region outcomes
    model = KerasLinearModel()
    model(x)  # BackupAndRestore refuses a model that was never called
    optimizer = tf.keras.optimizers.SGD(0.03, use_ema=True)
    step = make_step(model, optimizer)
    alone = {name: outcome(name, model, step, batches) for name in OPTIONS}
    model.optimizer = optimizer
    known = {name: outcome(name, model, step, batches) for name in OPTIONS}
    params = {"epochs": 2, "steps": 3, "verbose": 0}
    told = {
        name: outcome(name, model, step, batches, **params) for name in OPTIONS
    }
    # endregion outcomes

    # region outcomes_shown
    for name in OPTIONS:
        found = alone[name], known[name], told[name]
        if found != ("runs", "runs", "runs"):
            print(f"{name:21}  {found[0]:14}  {found[1]:9}  {found[2]}")
    others = [name for name in OPTIONS if alone[name] == "runs"]
    print(f"{len(others)} others")
    # endregion outcomes_shown

    # region nan
    guard = tf.keras.callbacks.TerminateOnNaN()
    callbacks = CallbackList([guard], model=model)
    model.stop_training = False
    for tell in (callbacks.on_epoch_end, callbacks.on_train_batch_end):
        tell(0, {"loss": float("nan")})
        print(f"{tell.__name__}: stop_training is {model.stop_training}")
    # endregion nan

    try:
        # region backup
        model, optimizer = KerasLinearModel(), tf.keras.optimizers.SGD(0.03)
        model(x)
        backup = tf.keras.callbacks.BackupAndRestore(
            "kept", delete_checkpoint=False
        )
        callbacks = CallbackList([backup], model=model)
        step = make_step(model, optimizer)
        callback_loop(step, batches, callbacks, epochs=2)
        callback_loop(step, batches, callbacks, epochs=2)
        # endregion backup
    except AttributeError as error:
        print(error)

    try:
        # region direction
        stopping = tf.keras.callbacks.EarlyStopping("val_accuracy")
        callbacks = CallbackList([stopping], model=model)
        callbacks.on_epoch_end(0, {"val_accuracy": 0.5})
        # endregion direction
    except ValueError as error:
        print(error)

    # region use_epoch_bar
    model, optimizer = KerasLinearModel(), tf.keras.optimizers.SGD(0.1)
    step = make_step(model, optimizer)
    screen = io.StringIO()
    stopping = tf.keras.callbacks.EarlyStopping("loss", min_delta=0.01)
    with tqdm(None, "epochs", 100, file=screen, bar_format=untimed) as bar:
        callbacks = CallbackList([EpochBar(bar), stopping], model=model)
        callback_loop(step, batches, callbacks, epochs=100)
    print(screen.getvalue().split("\r")[-1], end="")
    # endregion use_epoch_bar
