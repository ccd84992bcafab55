"""Where NaN and infinity come from: functions, data, long steps, float16."""

from collections.abc import Callable

import matplotlib.pyplot as plt
import tensorflow as tf

from snippets.data import make_data
from snippets.keras_model import KerasLinearModel
from snippets.loss import loss
from snippets.nan_train import train, train_epoch


# region value_and_slope
def value_and_slope(
    function: Callable[[tf.Variable], tf.Tensor], at: float
) -> tuple[float, float]:
    """Return a function's value and its gradient at a number."""
    variable = tf.Variable(at)
    with tf.GradientTape() as tape:
        value = function(variable)
    return float(value), float(tape.gradient(value, variable))


# endregion value_and_slope


# region train_short
def train_short(model, optimizer, x, y, norm):
    """Train, with a penalty on the length of b; return loss, gradients."""
    with tf.GradientTape() as tape:
        current_loss = loss(y, model(x, training=True)) + 0.1 * norm(model.b)
    gradients = tape.gradient(current_loss, model.trainable_variables)
    optimizer.apply(gradients, model.trainable_variables)
    return current_loss, gradients


# endregion train_short


# region safe_norm
def safe_norm(variable: tf.Variable) -> tf.Tensor:
    """Return the length of a variable, and at least 0.001."""
    return tf.sqrt(tf.reduce_sum(tf.square(variable)) + 1e-6)


# endregion safe_norm


# region log_or_zero
def log_or_zero(values: tf.Tensor) -> tf.Tensor:
    """Return the logarithms of positive values, and 0 for others."""
    return tf.where(values > 0.0, tf.math.log(values), 0.0)


# endregion log_or_zero


# region safe_log
def safe_log(values: tf.Tensor) -> tf.Tensor:
    """Return the logarithms of positive values, and 0 for others."""
    positive = values > 0.0
    inside = tf.where(positive, values, 1.0)
    return tf.where(positive, tf.math.log(inside), 0.0)


# endregion safe_log

if __name__ == "__main__":
    x, y = make_data()

    # region sources
    for name, function, at in (
        ("sqrt(0)", tf.sqrt, 0.0),
        ("sqrt(-1)", tf.sqrt, -1.0),
        ("log(0)", tf.math.log, 0.0),
        ("log(-1)", tf.math.log, -1.0),
        ("1 / 0", tf.math.reciprocal, 0.0),
        ("0 / 0", lambda v: v / v, 0.0),
        ("exp(89)", tf.exp, 89.0),
        ("norm(0)", tf.norm, 0.0),
    ):
        value, slope = value_and_slope(function, at)
        print(f"{name:8}  value {value:4}  gradient {slope:4}")
    # endregion sources

    # region missing
    y_read = y + tf.one_hot(102, len(y), on_value=float("nan"))
    model, optimizer = KerasLinearModel(), tf.keras.optimizers.SGD(0.03)
    for epoch in range(1, 3):
        losses = train_epoch(model, optimizer, x, y_read)
        print(f"epoch {epoch}, losses:", *(f"{value:.2f}" for value in losses))
    # endregion missing

    # region complete
    known = tf.math.is_finite(y_read)
    print("rows without a number:", tf.where(~known)[:, 0].numpy())
    x_known, y_known = x[known], y_read[known]
    model, optimizer = KerasLinearModel(), tf.keras.optimizers.SGD(0.03)
    for epoch in range(1, 3):
        losses = train_epoch(model, optimizer, x_known, y_known)
        print(f"epoch {epoch}, losses:", *(f"{value:.2f}" for value in losses))
    tf.debugging.assert_all_finite(y_known, "y has missing values")
    # endregion complete

    # region empty
    errors = tf.zeros([0])
    total, rows = tf.reduce_sum(errors), tf.constant(float(len(errors)))
    print("mean of nothing:", tf.reduce_mean(errors).numpy())
    print("divide_no_nan:  ", tf.math.divide_no_nan(total, rows).numpy())
    # endregion empty

    # region too_fast
    model, optimizer = KerasLinearModel(), tf.keras.optimizers.SGD(1.0)
    losses, weights = [], []
    for _ in range(170):
        weights.append(abs(float(model.w)))
        losses.append(float(train(model, optimizer, x, y)))
    print("losses:", *(f"{value:.1f}" for value in losses[:6]))
    first_inf = losses.index(float("inf"))
    first_nan = next(i for i, v in enumerate(losses) if v != v)
    print(f"inf from step {first_inf}, nan from step {first_nan}")
    # endregion too_fast

    # region too_fast_drawn
    plt.semilogy(losses[:first_inf], "-", color="#D55E00", label="loss")
    weight = weights[:first_nan]
    plt.semilogy(weight, "--", color="#0072B2", label="weight w")
    plt.axvline(first_inf, color="#009E73", ls=":", label="loss is inf")
    plt.axvline(first_nan, color="gray", ls="-.", label="loss is NaN")
    plt.xlabel("step")
    plt.legend()
    plt.show()
    # endregion too_fast_drawn

    # region length
    model, optimizer = KerasLinearModel(), tf.keras.optimizers.SGD(0.1)
    for epoch in range(1, 4):
        current_loss, gradients = train_short(model, optimizer, x, y, tf.norm)
        slopes = " and ".join(f"{float(slope):.2f}" for slope in gradients)
        print(f"epoch {epoch}: loss {current_loss:.2f}, gradients {slopes}")
    # endregion length

    # region safe_length
    model, optimizer = KerasLinearModel(), tf.keras.optimizers.SGD(0.1)
    for epoch in range(1, 4):
        current_loss, gradients = train_short(
            model, optimizer, x, y, safe_norm
        )
        slopes = " and ".join(f"{float(slope):.2f}" for slope in gradients)
        print(f"epoch {epoch}: loss {current_loss:.2f}, gradients {slopes}")
        tf.debugging.assert_all_finite(tf.stack(gradients), "a gradient")
    # endregion safe_length

    # region where
    values = tf.Variable([0.5, 0.0, 2.0])
    with tf.GradientTape() as tape:
        logs = log_or_zero(values)
    print("values:  ", *(f"{value:.2f}" for value in logs.numpy()))
    slopes = tape.gradient(logs, values).numpy()
    print("gradient:", *(f"{value:.2f}" for value in slopes))
    # endregion where

    # region where_twice
    with tf.GradientTape() as tape:
        logs = safe_log(values)
    print("values:  ", *(f"{value:.2f}" for value in logs.numpy()))
    slopes = tape.gradient(logs, values).numpy()
    print("gradient:", *(f"{value:.2f}" for value in slopes))
    tf.debugging.assert_all_finite(slopes, "the gradient of safe_log")
    # endregion where_twice

    # region half
    print("largest:", tf.float16.max)
    for number in (90000.0, 1e-8):
        half = tf.cast(number, tf.float16)
        print(f"{number:g} becomes {float(half)}")
    # endregion half
