"""Weight decay that changes in the course of a training."""

import tensorflow as tf

from snippets.keras_model import KerasLinearModel
from snippets.usual_parts import make_step

if __name__ == "__main__":
    # region decay_follows
    halves = tf.keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    model = KerasLinearModel()
    optimizer = tf.keras.optimizers.SGD(halves, weight_decay=0.5)
    for _ in range(3):
        before = float(model.w)
        optimizer.apply([tf.zeros(()), tf.zeros(())], model.weights)
        print(
            f"w {before:.4f}, of it decays {1 - float(model.w) / before:.4f}"
        )
    # endregion decay_follows

    # region decay_number
    nothing = tf.zeros((1, 1))
    model = KerasLinearModel()
    optimizer = tf.keras.optimizers.SGD(0.1, weight_decay=0.5)
    step = make_step(model, optimizer)
    for weight_decay in (0.5, 0.0):
        optimizer.weight_decay = weight_decay
        for _ in range(20):
            step(nothing, nothing)
        print(f"decay {weight_decay}: w {float(model.w):.4f}")
    # endregion decay_number

    # region decay_variable
    decay = tf.Variable(0.5, trainable=False)
    model = KerasLinearModel()
    optimizer = tf.keras.optimizers.SGD(0.1, weight_decay=decay)
    step = make_step(model, optimizer)
    for weight_decay in (0.5, 0.0):
        decay.assign(weight_decay)
        for _ in range(20):
            step(nothing, nothing)
        print(f"decay {weight_decay}: w {float(model.w):.4f}")
    # endregion decay_variable
