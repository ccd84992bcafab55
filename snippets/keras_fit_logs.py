"""What ``fit`` logs of a batch, and what a callback can make of it."""

import time
import warnings

import tensorflow as tf

from snippets.data import make_data
from snippets.fit_inwards import compiled
from snippets.keras_model import KerasLinearModel


# region BatchLosses
class BatchLosses(tf.keras.callbacks.Callback):
    """Keeps the loss of each batch; sizes are the rows of an epoch's."""

    def __init__(self, sizes: list[int]) -> None:
        super().__init__()
        self.sizes, self.total = sizes, 0.0
        self.means, self.losses = [], []

    def on_train_batch_end(self, batch, logs=None):
        """Take from the sum so far what it was before this batch."""
        before = self.total if batch > 0 else 0.0
        self.total = logs["loss"] * sum(self.sizes[: batch + 1])
        self.means.append(logs["loss"])
        self.losses.append((self.total - before) / self.sizes[batch])


# endregion BatchLosses


# region ShareNear
class ShareNear(tf.keras.callbacks.Callback):
    """Logs for which share of the pairs the error is below one half."""

    def __init__(self, x: tf.Tensor, y: tf.Tensor) -> None:
        super().__init__()
        self.x, self.y = x, y

    def on_epoch_end(self, epoch, logs=None):
        """Add the share to what the callbacks behind this one are given."""
        y_pred = self.model(self.x, training=False)
        errors = tf.abs(y_pred - tf.reshape(self.y, y_pred.shape))
        near = tf.cast(errors < 0.5, tf.float32)
        logs["val_near"] = float(tf.reduce_mean(near))


# endregion ShareNear


# region StopBelow
class StopBelow(tf.keras.callbacks.Callback):
    """Ends the training once the loss of an epoch is below a limit."""

    def __init__(self, limit: float) -> None:
        super().__init__()
        self.limit = limit

    def on_epoch_end(self, epoch, logs=None):
        """Tell `fit` to stop, if it is time."""
        if logs["loss"] < self.limit:
            self.model.stop_training = True


# endregion StopBelow


# region StopAfter
class StopAfter(tf.keras.callbacks.Callback):
    """Ends the training before another epoch would take it past seconds."""

    def __init__(self, seconds: float, clock=time.monotonic) -> None:
        super().__init__()
        self.seconds, self.clock = seconds, clock
        self.start, self.epochs = clock(), 0

    def on_epoch_end(self, epoch, logs=None):
        """Tell `fit` to stop, if an epoch of mean length does not fit in."""
        passed, self.epochs = self.clock() - self.start, self.epochs + 1
        if passed + passed / self.epochs > self.seconds:
            self.model.stop_training = True


# endregion StopAfter


# region CtrlC
class CtrlC(tf.keras.callbacks.Callback):
    """Interrupts the training in its fourth epoch, as the keys would."""

    def on_epoch_end(self, epoch, logs=None):
        """Raise what Python raises when the keys are pressed."""
        if epoch == 3:
            raise KeyboardInterrupt


# endregion CtrlC

if __name__ == "__main__":
    x, y = (values[:, tf.newaxis] for values in make_data())
    x_val, y_val = x[150:], y[150:]
    batches = tf.data.Dataset.from_tensor_slices((x, y)).take(150).batch(32)

    # region batch_losses
    sizes = [len(x_batch) for x_batch, _ in batches]
    noted = BatchLosses(sizes)
    compiled(KerasLinearModel()).fit(
        batches, epochs=2, shuffle=False, verbose=0, callbacks=[noted]
    )
    for epoch, first in enumerate((0, 5), start=1):
        means = noted.means[first : first + 5]
        losses = noted.losses[first : first + 5]
        print(f"epoch {epoch}, logged:", *(f"{mean:7.4f}" for mean in means))
        print(f"epoch {epoch}, batch: ", *(f"{loss:7.4f}" for loss in losses))
    # endregion batch_losses

    # region monitored
    near = ShareNear(x_val, y_val)
    for place in ("before", "behind"):
        stopper = tf.keras.callbacks.EarlyStopping(
            "val_near", mode="max", patience=2
        )
        both = [near, stopper] if place == "before" else [stopper, near]
        with warnings.catch_warnings(record=True) as caught:
            log = compiled(KerasLinearModel()).fit(
                batches, epochs=20, shuffle=False, verbose=0, callbacks=both
            )
        print(f"{place} the stopper: epochs {len(log.epoch)},", *log.history)
        print(*(f"{share:.2f}" for share in log.history["val_near"]))
        for warning in caught:
            print(warning.message)
    # endregion monitored

    # region stopped_below
    log = compiled(KerasLinearModel()).fit(
        batches,
        epochs=100,
        shuffle=False,
        verbose=0,
        callbacks=[StopBelow(1.2)],
    )
    print("losses:", *(f"{value:.3f}" for value in log.history["loss"]))
    # endregion stopped_below

    # region stopped_after
    seconds = iter(range(100))
    stopper = StopAfter(10.0, clock=lambda: next(seconds))
    log = compiled(KerasLinearModel()).fit(
        batches, epochs=100, shuffle=False, verbose=0, callbacks=[stopper]
    )
    print("epochs:", len(log.epoch))
    # endregion stopped_after

    # region interrupted
    stopper = tf.keras.callbacks.EarlyStopping(
        "loss", patience=2, restore_best_weights=True
    )
    stopped = compiled(KerasLinearModel())
    calls = {"shuffle": False, "verbose": 0, "callbacks": [stopper, CtrlC()]}
    try:
        stopped.fit(batches, epochs=100, **calls)
    except KeyboardInterrupt:
        print("epochs in the history:", len(stopped.history.epoch))
        if stopper.best_weights:  # None before the first epoch has ended
            stopped.set_weights(stopper.best_weights)
    stopped.save_weights("interrupted.weights.h5")
    # endregion interrupted
