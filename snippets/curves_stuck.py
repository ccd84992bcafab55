"""A loss that stands still: its first value, one batch, the causes."""

import numpy as np
import tensorflow as tf

from snippets.curves_loop import (
    loss,
    make_model,
    make_step,
    make_waves,
    measure,
    train,
)
from snippets.curves_setup import CLASSES, NAMES, SGD, Adam, Model, Step


# region overfit_batch
def overfit_batch(step: Step, x: np.ndarray, y: np.ndarray) -> str:
    """Take 100 steps with one batch; return its loss, first and last."""
    losses = [float(step(x, y)[0]) for _ in range(100)]
    return f"loss {losses[0]:.2f}, then {losses[-1]:.2f}"


# endregion overfit_batch


# region look_inside
def look_inside(model: Model, x: np.ndarray, y: np.ndarray) -> str:
    """Return what differs from row to row, and the length of the gradient."""
    with tf.GradientTape() as tape:
        logits = model(x, training=False)
        current_loss = loss(y, logits)
    gradients = tape.gradient(current_loss, model.trainable_variables)
    slope = tf.linalg.global_norm(gradients)
    alive = np.mean(np.any(model.layers[0](x) > 0, axis=0))
    answers = len(np.unique(np.argmax(logits, axis=1)))
    apart = np.max(np.ptp(x, axis=0))
    found = f"inputs differ by {apart:.2g}, alive {alive:.0%}"
    return f"{found}, answers {answers}, gradient {slope:.3f}"


# endregion look_inside


# region of_zeros
def of_zeros(model: Model) -> Model:
    """Set all weights of a model to zero."""
    model.set_weights([0 * weight for weight in model.get_weights()])
    return model


# endregion of_zeros

if __name__ == "__main__":
    all_x, all_y = make_waves(4096, seed=0)
    train_set, valid_set = (all_x[:256], all_y[:256]), make_waves(256, seed=1)

    # region first_loss
    x, y = train_set
    print(f"knows nothing: {np.log(CLASSES):.2f}")
    for factor in (1, 10, 100):
        first, _ = measure(make_model(), (factor * x, y))
        print(f"untrained, inputs times {factor}: {first:.2f}")
    # endregion first_loss

    # region one_batch
    model = make_model()
    step = make_step(model, Adam(0.01))
    print(overfit_batch(step, x[:32], y[:32]))
    # endregion one_batch

    # region stuck
    trainings = {
        "as it was": (make_model(), 0.1, x),
        "rate too small": (make_model(), 1e-5, x),
        "inputs all 0": (make_model(), 0.1, 0 * x),
        "weights all 0": (of_zeros(make_model()), 0.1, x),
        "inputs near 100": (make_model(), 0.1, x + 100),
    }
    for name, (model, rate, inputs) in trainings.items():
        step = make_step(model, SGD(rate))
        print(f"{name}:", overfit_batch(step, inputs, y))
        print("   ", look_inside(model, inputs, y))
    # endregion stuck

    # region same_class
    answers = np.argmax(model(inputs, training=False), axis=1)
    print("answers", np.bincount(answers, minlength=CLASSES))
    print("labels ", np.bincount(y, minlength=CLASSES))
    # endregion same_class

    # region other_labels
    other_y = np.random.default_rng(0).permutation(y)
    model = make_model()
    step = make_step(model, Adam(0.01))
    print("one batch:", overfit_batch(step, x[:32], other_y[:32]))
    history, _ = train(make_model(), Adam(0.02), ((x, other_y), valid_set))
    print(*(f"{name} {history[name][-1]:.2f}" for name in NAMES))
    # endregion other_labels
