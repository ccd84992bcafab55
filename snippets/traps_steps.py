"""Traps of the step: wrong pairs, new names for old variables, too long."""

from collections.abc import Callable

import matplotlib.pyplot as plt
import tensorflow as tf

from snippets.data import make_data
from snippets.keras_model import KerasLinearModel
from snippets.linear_model import LinearModel
from snippets.loss import loss

# region train
Train = Callable[[tf.Module, tf.Tensor, tf.Tensor, float], None]


def train(
    model: tf.Module, x: tf.Tensor, y: tf.Tensor, learning_rate: float
) -> None:
    """Update every variable of the model once, by gradient descent."""
    variables = model.trainable_variables
    with tf.GradientTape() as tape:
        current_loss = loss(y, model(x))
    gradients = tape.gradient(current_loss, variables)
    for variable, gradient in zip(variables, gradients, strict=True):
        variable.assign_sub(learning_rate * gradient)


# endregion train


# region largest_curvature
def largest_curvature(model: tf.Module, x: tf.Tensor, y: tf.Tensor) -> float:
    """Return the largest eigenvalue of the Hessian of the loss.

    The variables of the model must be scalars.
    """
    variables = model.trainable_variables
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            current_loss = loss(y, model(x))
        gradients = tf.stack(inner.gradient(current_loss, variables))
    hessian = tf.stack(outer.jacobian(gradients, variables))
    return float(tf.linalg.eigvalsh(hessian)[-1])


# endregion largest_curvature

if __name__ == "__main__":
    x, y = make_data()

    # region swapped
    model, history = LinearModel(), []
    for _ in range(6):
        with tf.GradientTape() as tape:
            current_loss = loss(y, model(x))
        dw, db = tape.gradient(current_loss, model.trainable_variables)
        model.w.assign_sub(0.1 * dw)
        model.b.assign_sub(0.1 * db)
        history.append(float(current_loss))
    print("losses:", *(f"{value:.2f}" for value in history))
    # endregion swapped

    # region paired
    model, history = LinearModel(), []
    for _ in range(6):
        history.append(float(loss(y, model(x))))
        train(model, x, y, 0.1)
    print("losses:", *(f"{value:.2f}" for value in history))
    assert history[1] < history[0]
    # endregion paired

    # region rebound
    model, history = KerasLinearModel(), []
    for _ in range(6):
        with tf.GradientTape() as tape:
            current_loss = loss(y, model(x))
        variables = model.trainable_variables
        gradients = tape.gradient(current_loss, variables)
        for variable, gradient in zip(variables, gradients, strict=True):
            variable -= 0.1 * gradient
        history.append(float(current_loss))
    print("losses:", *(f"{value:.2f}" for value in history))
    # endregion rebound

    # region assigned
    model, history = KerasLinearModel(), []
    for _ in range(6):
        history.append(float(loss(y, model(x))))
        train(model, x, y, 0.1)
    print("losses:", *(f"{value:.2f}" for value in history))
    assert float(model.w) != 5.0
    # endregion assigned

    try:
        # region refused
        w = tf.Variable(5.0)
        w -= 0.1
        # endregion refused
    except RuntimeError as error:
        print(error)

    # region too_fast
    model, history, learning_rate = LinearModel(), [], 0.76
    for _ in range(10):
        history.append(float(loss(y, model(x))))
        train(model, x, y, learning_rate)
    print("losses:", *(f"{value:.2f}" for value in history))
    # endregion too_fast

    # region below_the_limit
    limit = 2 / largest_curvature(LinearModel(), x, y)
    print(f"limit: {limit:.4f}")
    for learning_rate, style in ((0.76, "s--"), (0.72, "o-")):
        model, history = LinearModel(), []
        for _ in range(30):
            history.append(float(loss(y, model(x))))
            train(model, x, y, learning_rate)
        color = "#D55E00" if learning_rate > limit else "#0072B2"
        plt.semilogy(history, style, color=color, label=str(learning_rate))
    plt.xlabel("epoch")
    plt.ylabel("loss")
    plt.legend(title="learning rate")
    plt.show()
    assert learning_rate < 2 / largest_curvature(LinearModel(), x, y)
    # endregion below_the_limit
