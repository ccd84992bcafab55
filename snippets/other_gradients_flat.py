"""All weights as one vector, for a search that is no Keras optimizer."""

import numpy as np
import tensorflow as tf

from snippets.other_gradients_physics import (
    make_solution,
    measured_loss,
    physics_loss,
)
from snippets.other_gradients_setup import Loss, LossAt, Variable


# region flatten
def flatten(tensors: list[tf.Tensor]) -> np.ndarray:
    """Return all numbers of the tensors as one vector of float64."""
    parts = [np.ravel(tf.convert_to_tensor(tensor)) for tensor in tensors]
    return np.concatenate(parts).astype("float64")


# endregion flatten


# region unflatten
def unflatten(variables: list[Variable], vector: np.ndarray) -> None:
    """Set the variables to the numbers of the vector, in their order."""
    sizes = [int(np.prod(variable.shape)) for variable in variables]
    parts = np.split(vector, np.cumsum(sizes)[:-1])
    for variable, part in zip(variables, parts, strict=True):
        variable.assign(np.reshape(part, variable.shape))


# endregion unflatten


# region make_loss_at
def make_loss_at(loss: Loss, variables: list[Variable]) -> LossAt:
    """Return a function of one vector: the loss there and its gradient."""

    @tf.function
    def differentiate() -> tuple[tf.Tensor, list[tf.Tensor]]:
        with tf.GradientTape() as tape:
            current_loss = loss()
        return current_loss, tape.gradient(current_loss, variables)

    def loss_at(vector: np.ndarray) -> tuple[float, np.ndarray]:
        unflatten(variables, vector)
        current_loss, gradients = differentiate()
        return float(current_loss), flatten(gradients)

    return loss_at


# endregion make_loss_at


# region shorten
def shorten(loss_at, vector, move):
    """Return the move, halved until the loss falls by enough (Armijo)."""
    loss, gradient = loss_at(vector)
    for _ in range(60):
        if loss_at(vector + move)[0] <= loss + 1e-4 * gradient @ move:
            break
        move = move / 2
    return move


# endregion shorten


# region learn_curvature
def learn_curvature(inverse, move, change):
    """Return the inverse Hessian, corrected for how the gradient changed.

    Nocedal and Wright, Numerical Optimization (2006), formula 6.17.
    """
    if change @ move < 1e-10:
        return inverse
    rho = 1 / (change @ move)
    left = np.eye(len(move)) - rho * np.outer(move, change)
    return left @ inverse @ left.T + rho * np.outer(move, move)


# endregion learn_curvature


# region bfgs
def bfgs(loss_at: LossAt, vector: np.ndarray, steps: int) -> list[float]:
    """Search from the vector on; return the loss of each step."""
    (loss, gradient), inverse = loss_at(vector), np.eye(len(vector))
    history = [loss]
    for _ in range(steps):
        move = shorten(loss_at, vector, -inverse @ gradient)
        vector = vector + move
        before, (loss, gradient) = gradient, loss_at(vector)
        inverse = learn_curvature(inverse, move, gradient - before)
        history.append(loss)
    return history


# endregion bfgs


if __name__ == "__main__":
    t = tf.reshape(tf.linspace(0.0, 3.0, 31), (-1, 1))
    y = tf.cos(2.0 * t)

    # region run_bfgs
    model = make_solution()
    variables = model.trainable_variables
    loss_at = make_loss_at(lambda: physics_loss(model, t), variables)
    history = bfgs(loss_at, flatten(variables), steps=100)
    for step in (0, 10, 50, 100):
        print(f"step {step:3}: loss {history[step]:.6f}")
    print(f"largest error {tf.reduce_max(abs(model(t) - tf.cos(t))):.4f}")
    # endregion run_bfgs

    # region find_unknown
    model, k = make_solution(), tf.Variable(1.0)
    variables = [*model.trainable_variables, k]
    loss_at = make_loss_at(lambda: measured_loss(model, k, t, y), variables)
    history = bfgs(loss_at, flatten(variables), steps=200)
    print(f"loss {history[-1]:.6f}, k {k.numpy():.3f}")
    # endregion find_unknown
