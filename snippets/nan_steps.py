"""Stop at a NaN, skip the step, and what clipping and callbacks do."""

import math

import tensorflow as tf
from keras import Model, Optimizer
from keras.callbacks import CallbackList

from snippets.data import make_data
from snippets.keras_model import KerasLinearModel
from snippets.loss import loss
from snippets.nan_train import train


# region train_finite
def train_finite(
    model: Model, optimizer: Optimizer, x: tf.Tensor, y: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Update every variable, or none; return the loss and which it was."""
    variables = model.trainable_variables
    with tf.GradientTape() as tape:
        current_loss = loss(y, model(x, training=True))
    gradients = tape.gradient(current_loss, variables)
    size = tf.linalg.global_norm([current_loss, *gradients])
    finite = tf.math.is_finite(size)
    if finite:
        optimizer.apply(gradients, variables)
    return current_loss, finite


# endregion train_finite


# region train_zeroed
def train_zeroed(
    model: Model, optimizer: Optimizer, x: tf.Tensor, y: tf.Tensor
) -> None:
    """Update every variable, with 0 where a gradient is not finite."""
    variables = model.trainable_variables
    with tf.GradientTape() as tape:
        current_loss = loss(y, model(x, training=True))
    gradients = tape.gradient(current_loss, variables)
    zeroed = [
        tf.where(tf.math.is_finite(gradient), gradient, 0.0)
        for gradient in gradients
    ]
    optimizer.apply(zeroed, variables)


# endregion train_zeroed


# region callback_epoch
def callback_epoch(model, optimizer, batches, callbacks) -> None:
    """Train with each batch and tell the callbacks, until they stop it."""
    for number, (x, y) in enumerate(batches):
        callbacks.on_train_batch_begin(number)
        current_loss = train(model, optimizer, x, y)
        callbacks.on_train_batch_end(number, {"loss": float(current_loss)})
        w = model.w.numpy()
        print(f"batch {number}: loss {current_loss:.2f}, w {w:.2f}")
        if model.stop_training:
            break


# endregion callback_epoch

if __name__ == "__main__":
    x, y = make_data()
    y_read = y + tf.one_hot(102, len(y), on_value=float("nan"))

    # region compare
    nan = float("nan")
    print("nan > 100:", nan > 100.0)
    print("nan < 100:", nan < 100.0)
    print("nan == nan:", nan == nan)
    print("isfinite:", math.isfinite(nan))
    # endregion compare

    # region batches
    batches = [(x[start::4], y_read[start::4]) for start in range(4)]
    good, bad = batches[0], batches[2]
    # endregion batches

    # region stop
    model, optimizer = KerasLinearModel(), tf.keras.optimizers.SGD(0.03)
    for number, batch in enumerate(batches):
        current_loss = train(model, optimizer, *batch)
        print(f"batch {number}: loss {current_loss:.2f}")
        if not math.isfinite(current_loss):
            break
    print(f"w {model.w.numpy():.2f}, b {model.b.numpy():.2f}")
    # endregion stop

    # region skip
    model, optimizer = KerasLinearModel(), tf.keras.optimizers.SGD(0.03)
    compiled_train = tf.function(train_finite)
    for number, batch in enumerate(batches):
        current_loss, finite = compiled_train(model, optimizer, *batch)
        print(f"batch {number}: loss {current_loss:.2f}, updated {finite}")
    print("steps:", optimizer.iterations.numpy())
    print(f"w {model.w.numpy():.2f}, b {model.b.numpy():.2f}")
    assert all(map(math.isfinite, model.get_weights()))
    # endregion skip

    # region restored
    model = KerasLinearModel()
    optimizer = tf.keras.optimizers.SGD(0.03, momentum=0.9)
    train(model, optimizer, *good)
    weights = model.get_weights()
    train(model, optimizer, *bad)
    model.set_weights(weights)
    print(f"restored: w {model.w.numpy():.2f}")
    print("momenta:", *(slot.numpy() for slot in optimizer.variables[2:]))
    train(model, optimizer, *good)
    print(f"one good step later: w {model.w.numpy():.2f}")
    # endregion restored

    # region zeroed
    for train_with_bad in (train_zeroed, train_finite):
        model = KerasLinearModel()
        optimizer = tf.keras.optimizers.SGD(0.03, momentum=0.9)
        print(f"{train_with_bad.__name__}: w", end="")
        for batch in (good, bad, bad, good):
            train_with_bad(model, optimizer, *batch)
            print(f" {model.w.numpy():.2f}", end="")
        print(f", steps: {optimizer.iterations.numpy()}")
    # endregion zeroed

    # region scaled
    model = KerasLinearModel()
    inner = tf.keras.optimizers.SGD(0.03, momentum=0.9)
    optimizer = tf.keras.optimizers.LossScaleOptimizer(inner)
    optimizer.build(model.trainable_variables)
    for gradient in (float("nan"), float("inf")):
        gradients = [tf.constant(gradient), tf.constant(1.0)]
        optimizer.apply(gradients, model.trainable_variables)
        scale = optimizer.dynamic_scale.numpy()
        print(f"{gradient}: w {model.w.numpy()}, scale {scale:.0f}")
    # endregion scaled

    # region normalised
    layer = tf.keras.layers.BatchNormalization()
    average = tf.keras.metrics.Mean()
    for _, outputs in (bad, good):
        layer(outputs[:, tf.newaxis], training=True)
        average.update_state(tf.reduce_mean(outputs))
    print("moving mean:", layer.moving_mean.numpy())
    print("metric:", average.result().numpy())
    # endregion normalised

    # region terminate
    model, optimizer = KerasLinearModel(), tf.keras.optimizers.SGD(0.03)
    model.stop_training = False
    guard = tf.keras.callbacks.TerminateOnNaN()
    callbacks = CallbackList([guard], model=model)
    callbacks.on_train_begin()
    callback_epoch(model, optimizer, batches, callbacks)
    # endregion terminate

    # region clip
    for bad_entry in (float("nan"), float("inf")):
        gradient = tf.constant([bad_entry, 3.0, 0.5])
        clipped = {
            "clip_by_value": tf.clip_by_value(gradient, -1.0, 1.0),
            "clip_by_norm": tf.clip_by_norm(gradient, 1.0),
            "clip_by_global_norm": tf.clip_by_global_norm([gradient], 1.0)[0],
        }
        for name, value in clipped.items():
            print(f"{name:20}", tf.reshape(value, [-1]).numpy())
    # endregion clip

    # region clip_model
    for option in ("clipvalue", "clipnorm", "global_clipnorm"):
        model = KerasLinearModel()
        optimizer = tf.keras.optimizers.SGD(0.1, **{option: 1.0})
        gradients = [tf.constant(float("nan")), tf.constant(3.0)]
        optimizer.apply(gradients, model.trainable_variables)
        print(f"{option:15} w {model.w.numpy():.2f}, b {model.b.numpy():.2f}")
    # endregion clip_model

    # region clip_helps
    model = KerasLinearModel()
    optimizer = tf.keras.optimizers.SGD(1.0, clipnorm=1.0)
    losses = [float(train(model, optimizer, x, y)) for _ in range(170)]
    print("last losses:", *(f"{value:.2f}" for value in losses[-5:]))
    # endregion clip_helps
