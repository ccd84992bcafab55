"""The learning rate of ``fit`` in its logs, whatever sets it."""

import tensorflow as tf

from snippets.data import make_data
from snippets.keras_model import KerasLinearModel


# region RateInLogs
class RateInLogs(tf.keras.callbacks.Callback):
    """Adds to the log of an epoch the rate of the next update."""

    def on_epoch_end(self, epoch, logs=None):
        """Write it beside the loss."""
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)


# endregion RateInLogs

if __name__ == "__main__":
    x, y = (values[:200, tf.newaxis] for values in make_data())

    # region rate_in_history
    restarts = tf.keras.optimizers.schedules.CosineDecayRestarts(
        0.1, first_decay_steps=60, t_mul=1.0
    )
    model = KerasLinearModel()
    model.compile(tf.keras.optimizers.SGD(restarts), "mse")
    log = model.fit(
        x, y, batch_size=10, epochs=6, verbose=0, callbacks=[RateInLogs()]
    )
    print("names:", *log.history)
    rates = log.history["learning_rate"]
    print("rates:", *(f"{rate:.3f}" for rate in rates))
    # endregion rate_in_history
