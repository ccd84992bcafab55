"""Checks that catch the traps, made to be pasted into tests."""

import tensorflow as tf

from snippets.data import make_data
from snippets.keras_model import KerasLinearModel
from snippets.linear_model import LinearModel
from snippets.loss import loss
from snippets.traps_keras import AsAdvised, Hidden, Recorded
from snippets.traps_steps import Train, train


# region check_step
def check_step(
    train: Train, model: tf.Module, x: tf.Tensor, y: tf.Tensor
) -> None:
    """Assert that a small step lowers the loss by what is due.

    Of gradient descent: its rate times the gradient's squared length.
    """
    with tf.GradientTape() as tape:
        before = loss(y, model(x))
    gradients = tape.gradient(before, tape.watched_variables())
    due = 0.001 * sum(tf.reduce_sum(g**2) for g in gradients)
    train(model, x, y, 0.001)
    fall = before - loss(y, model(x))
    assert 0.9 < fall / due < 1.1, f"loss fell by {fall:.4f}, not {due:.4f}"


# endregion check_step


# region check_log
def check_log(model: tf.keras.Model, x: tf.Tensor, y: tf.Tensor) -> None:
    """Assert that fit logs the loss that the model is compiled with."""
    due = float(model.compute_loss(x, y, model(x, training=True)))
    log = model.fit(x, y, batch_size=len(x), shuffle=False, verbose=0).history
    logged = log["loss"][0]
    assert abs(logged - due) <= 0.001 * abs(due), (
        f"logged {logged:.5g}, not {due:.5g}"
    )


# endregion check_log


# region train_swapped
def train_swapped(
    model: LinearModel, x: tf.Tensor, y: tf.Tensor, learning_rate: float
) -> None:
    """Update w and b once, each with the gradient of the other."""
    with tf.GradientTape() as tape:
        current_loss = loss(y, model(x))
    dw, db = tape.gradient(current_loss, model.trainable_variables)
    model.w.assign_sub(learning_rate * dw)
    model.b.assign_sub(learning_rate * db)


# endregion train_swapped


# region check_metric
def check_metric(
    metric: tf.keras.Metric, y: tf.Tensor, predictions: tf.Tensor
) -> None:
    """Assert that two uneven batches give what all rows give."""
    metric.reset_state()
    metric.update_state(y, predictions)
    due = float(metric.result())
    metric.reset_state()
    metric.update_state(y[:1], predictions[:1])
    metric.update_state(y[1:], predictions[1:])
    result = float(metric.result())
    assert abs(result - due) <= 0.001 * abs(due), (
        f"result {result:.5g}, not {due:.5g}"
    )


# endregion check_metric

if __name__ == "__main__":
    x, y = make_data()

    # region healthy
    check_step(train, LinearModel(), x, y)
    check_step(train, KerasLinearModel(), x, y)
    for model in (KerasLinearModel(), Recorded()):
        model.compile(loss="mse", run_eagerly=True)
        check_log(model, x, y)
    print("all pass")
    # endregion healthy

    try:
        # region catch_hidden
        check_step(train, Hidden(), x, y)
        # endregion catch_hidden
    except AssertionError as error:
        print(error)

    try:
        # region catch_log
        model = AsAdvised()
        model.compile(loss="mse", run_eagerly=True)
        check_log(model, x + 1.0, y)
        # endregion catch_log
    except AssertionError as error:
        print(error)

    try:
        # region catch_swapped
        check_step(train_swapped, LinearModel(), x, y)
        # endregion catch_swapped
    except AssertionError as error:
        print(error)

    try:
        # region catch_rows
        model, metric = KerasLinearModel(), tf.keras.metrics.MeanSquaredError()
        check_metric(metric, y[:, tf.newaxis], model(x[:, tf.newaxis]))
        print("columns pass")
        check_metric(metric, y, model(x))
        # endregion catch_rows
    except AssertionError as error:
        print(error)
