"""A loss weight that is to change from epoch to epoch."""

import tensorflow as tf

from snippets.data import make_data
from snippets.weights_outputs_losses import make_scales


# region weighted_losses
def weighted_losses(loss_weights, on_epoch_begin, x, outputs) -> list[float]:
    """Return the loss of three epochs, in which no weight moves."""
    model = make_scales()
    losses = {"metres": "mse", "centimetres": "mse"}
    model.compile(tf.keras.optimizers.SGD(0.0), losses, loss_weights)
    setter = tf.keras.callbacks.LambdaCallback(on_epoch_begin=on_epoch_begin)
    fit = model.fit(x, outputs, epochs=3, verbose=0, callbacks=[setter])
    return [round(loss, 2) for loss in fit.history["loss"]]


# endregion weighted_losses

if __name__ == "__main__":
    x, y = (values[:, tf.newaxis] for values in make_data())
    outputs = {"metres": y, "centimetres": 100.0 * y + 50.0}

    # region frozen_weight
    loss_weights = {"metres": 1.0, "centimetres": 0.0}

    def set_number(epoch, logs=None):
        """Let the second loss in, a ten-thousandth an epoch."""
        loss_weights["centimetres"] = 1e-4 * epoch

    print(weighted_losses(loss_weights, set_number, x, outputs))
    # endregion frozen_weight

    # region rising_weight
    weight = tf.Variable(0.0, trainable=False)

    def set_variable(epoch, logs=None):
        """Let the second loss in, a ten-thousandth an epoch."""
        weight.assign(1e-4 * epoch)

    loss_weights = {"metres": 1.0, "centimetres": weight}
    print(weighted_losses(loss_weights, set_variable, x, outputs))
    # endregion rising_weight
