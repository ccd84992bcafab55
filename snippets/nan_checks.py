"""Checks to paste: name what is not finite, and hold that a step skips."""

import tensorflow as tf
from keras import Model

from snippets.data import make_data
from snippets.keras_model import KerasLinearModel
from snippets.nan_sources import safe_norm, train_short
from snippets.nan_steps import train_finite, train_zeroed
from snippets.nan_train import train


# region check_finite
def check_finite(
    model: Model, current_loss: tf.Tensor, gradients: list[tf.Tensor]
) -> None:
    """Raise if the loss or a gradient is not finite; say which it is."""
    tf.debugging.assert_all_finite(current_loss, "the loss")
    variables = model.trainable_variables
    for variable, gradient in zip(variables, gradients, strict=True):
        name = f"the gradient of {variable.path}"
        tf.debugging.assert_all_finite(gradient, name)


# endregion check_finite


# region check_skips
def check_skips(train, model, optimizer, x, y) -> None:
    """Assert that a step with NaN in y changes nothing that is kept."""
    variables = [*model.weights, *optimizer.variables]
    before = [variable.numpy().tolist() for variable in variables]
    train(model, optimizer, x, y * float("nan"))
    for variable, old in zip(variables, before, strict=True):
        assert variable.numpy().tolist() == old, f"{variable.path} changed"


# endregion check_skips


# region by_hand
def by_hand(logits: tf.Variable) -> tf.Tensor:
    """Return the cross entropy of a row whose class is the second."""
    return -tf.math.log(tf.nn.softmax(logits)[1])


# endregion by_hand


# region from_logits
def from_logits(logits: tf.Variable) -> tf.Tensor:
    """Return the cross entropy of a row whose class is the second."""
    return -tf.nn.log_softmax(logits)[1]


# endregion from_logits


# region train_patiently
def train_patiently(model, optimizer, batches, patience) -> None:
    """Skip batches that are not finite, but not so many in a row."""
    skipped = 0
    for number, (x, y) in enumerate(batches):
        _, finite = train_finite(model, optimizer, x, y)
        skipped = 0 if finite else skipped + 1
        if skipped == patience:
            raise ArithmeticError(
                f"batch {number}: {skipped} skipped in a row"
            )


# endregion train_patiently

if __name__ == "__main__":
    x, y = make_data()
    y_read = y + tf.one_hot(102, len(y), on_value=float("nan"))
    batches = [(x[start::4], y_read[start::4]) for start in range(4)]
    good, bad = batches[0], batches[2]

    try:
        # region find_gradient
        for norm in (safe_norm, tf.norm):
            model, optimizer = KerasLinearModel(), tf.keras.optimizers.SGD(0.1)
            found = train_short(model, optimizer, x, y, norm)
            check_finite(model, *found)
            print("all finite")
        # endregion find_gradient
    except tf.errors.InvalidArgumentError as error:
        print(error)

    # region skips
    for step in (train_finite, train_zeroed, train):
        model = KerasLinearModel()
        optimizer = tf.keras.optimizers.SGD(0.1, momentum=0.9)
        step(model, optimizer, x, y)
        try:
            check_skips(step, model, optimizer, x, y)
            print(f"{step.__name__}: nothing changed")
        except AssertionError as error:
            print(f"{step.__name__}: {error}")
    # endregion skips

    # region cross_entropies
    for function in (by_hand, from_logits):
        logits = tf.Variable([200.0, 0.0])
        with tf.GradientTape() as tape:
            value = function(logits)
        slopes = tape.gradient(value, logits).numpy()
        print(f"{function.__name__}: {value:.1f}, gradient {slopes}")
    # endregion cross_entropies

    try:
        # region patience
        model, optimizer = KerasLinearModel(), tf.keras.optimizers.SGD(0.03)
        train_patiently(model, optimizer, [good, bad, bad, good, bad], 3)
        print("steps:", optimizer.iterations.numpy())
        train_patiently(model, optimizer, [good, bad, bad, bad, good], 3)
        # endregion patience
    except ArithmeticError as error:
        print(error)
