"""A ``train_step`` that brings its own loss, compiled without one."""

import tensorflow as tf

from snippets.data import make_data
from snippets.fit_inwards import Batch, Logs
from snippets.keras_model import KerasLinearModel


# region Bare
class Bare(KerasLinearModel):
    """Brings its own loss, and returns that of the batch."""

    def train_step(self, data: Batch) -> Logs:
        """Update the weights with one batch."""
        x, y, sample_weight = tf.keras.utils.unpack_x_y_sample_weight(data)
        squared_error = tf.keras.losses.MeanSquaredError()
        with tf.GradientTape() as tape:
            loss = squared_error(y, self(x, training=True), sample_weight)
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        return {"loss": loss}


# endregion Bare


# region Tracked
class Tracked(Bare):
    """Tells the loss to the mean that Keras reads."""

    def train_step(self, data: Batch) -> Logs:
        """Update the weights and the mean with one batch."""
        x, _, _ = tf.keras.utils.unpack_x_y_sample_weight(data)
        loss = super().train_step(data)["loss"]
        [tracker] = [m for m in self.metrics if m.name == "loss"]
        tracker.update_state(loss, sample_weight=tf.shape(x)[0])
        return {"loss": tracker.result()}


# endregion Tracked

if __name__ == "__main__":
    x, y = (values[:, tf.newaxis] for values in make_data())
    batches = tf.data.Dataset.from_tensor_slices((x, y)).take(150).batch(32)

    # region bare
    def losses(bare: tf.keras.Model) -> str:
        """Train until the loss of an epoch falls no more."""
        bare.compile(tf.keras.optimizers.SGD(0.1))
        stopper = tf.keras.callbacks.EarlyStopping("loss", min_delta=0.01)
        bare_fit = bare.fit(
            batches, epochs=9, shuffle=False, verbose=0, callbacks=[stopper]
        )
        return " ".join(f"{loss:.4f}" for loss in bare_fit.history["loss"])

    print("losses:", losses(Bare()))
    # endregion bare

    # region tracked
    print("losses:", losses(Tracked()))
    # endregion tracked
