"""Sharpness-aware minimization (SAM): two gradients for each step."""

import tensorflow as tf

from snippets.other_loops_finder import make_model, make_rows
from snippets.other_loops_setup import Loss, Model, Optimizer, Step


# region differentiate
def differentiate(
    model: Model, loss: Loss, x: tf.Tensor, y: tf.Tensor
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Return the loss of a batch and its gradients, in training."""
    with tf.GradientTape() as tape:
        current_loss = loss(y, model(x, training=True))
    gradients = tape.gradient(current_loss, model.trainable_variables)
    return current_loss, [tf.convert_to_tensor(part) for part in gradients]


# endregion differentiate


# region climb
def climb(model: Model, gradients: list[tf.Tensor], rho: float) -> None:
    """Move the weights along the gradients, all together by rho."""
    length = tf.linalg.global_norm(gradients)
    variables = model.trainable_variables
    for variable, gradient in zip(variables, gradients, strict=True):
        variable.assign_add(rho * gradient / (length + 1e-12))


# endregion climb


# region sam_gradients
def sam_gradients(
    model: Model, loss: Loss, x: tf.Tensor, y: tf.Tensor, rho: float
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Return the loss, and its gradients a way of rho up the slope."""
    current_loss, gradients = differentiate(model, loss, x, y)
    kept = [tf.identity(weight) for weight in model.weights]
    climb(model, gradients, rho)
    _, gradients = differentiate(model, loss, x, y)
    for weight, value in zip(model.weights, kept, strict=True):
        weight.assign(value)
    return current_loss, gradients


# endregion sam_gradients


# region make_sam_step
def make_sam_step(
    model: Model, loss: Loss, optimizer: Optimizer, rho: float
) -> Step:
    """Return a compiled step of SAM; it returns the loss of before."""

    def step(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        current_loss, gradients = sam_gradients(model, loss, x, y, rho)
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return current_loss

    compiled: Step = tf.function(step)
    return compiled


# endregion make_sam_step


# region add_noise
def add_noise(
    gradients: list[tf.Tensor], stddev: float, random: tf.random.Generator
) -> list[tf.Tensor]:
    """Return the gradients, each number with normal noise added."""
    return [
        part + random.normal(part.shape, 0.0, stddev) for part in gradients
    ]


# endregion add_noise


# region centralize
def centralize(gradient: tf.Tensor) -> tf.Tensor:
    """Return the gradient of a kernel less its mean for each unit.

    The units are the last axis.  Yong and others, arXiv:2004.01461.
    """
    if gradient is None or gradient.shape.rank < 2:
        return gradient
    inputs = list(range(gradient.shape.rank - 1))
    return gradient - tf.reduce_mean(gradient, inputs, keepdims=True)


# endregion centralize


# region Centralized
class Centralized(tf.keras.optimizers.SGD):
    """SGD that centralizes its gradients, in a loop and in `fit`."""

    def apply(self, grads, trainable_variables=None):
        """Update the variables."""
        parts = [centralize(part) for part in grads]
        super().apply(parts, trainable_variables)


# endregion Centralized


if __name__ == "__main__":
    # region run_sam
    x, y = make_rows()
    noise = 0.3 * tf.random.stateless_normal((64, 1), (0, 1))
    few, unseen = (x[:64], y[:64] + noise), (x[64:], y[64:])
    loss = tf.keras.losses.MeanSquaredError()
    for rho in (0.0, 0.1):
        model, adam = make_model(), tf.keras.optimizers.Adam(0.01)
        step = make_sam_step(model, loss, adam, rho)
        for _ in range(300):
            last_loss = step(*few)
        found = loss(unseen[1], model(unseen[0]))
        print(f"rho {rho}: loss {last_loss:.2f}, of unseen rows {found:.2f}")
    # endregion run_sam

    # region moved_twice
    norm = tf.keras.layers.BatchNormalization(momentum=0.9)
    dense = tf.keras.layers.Dense(1)
    model = tf.keras.Sequential([tf.keras.Input((4,)), norm, dense])
    for _ in range(2):
        model(x + 1.0, training=True)
        print(f"a pass: moving mean {norm.moving_mean[0].numpy():.2f}")
    norm.moving_mean.assign(tf.zeros(4))
    step = make_sam_step(model, loss, tf.keras.optimizers.SGD(0.1), 0.1)
    step(x + 1.0, y)
    print(f"a step: moving mean {norm.moving_mean[0].numpy():.2f}")
    # endregion moved_twice

    # region noisy
    random = tf.random.Generator.from_seed(0)
    gradients = [tf.zeros(10_000)]
    for stddev in (0.1, 0.01):
        [noisy] = add_noise(gradients, stddev, random)
        print(f"{stddev}: {tf.math.reduce_std(noisy):.4f}")
    # endregion noisy

    # region centralized
    kernel, bias = tf.Variable([[1.0, 5.0], [3.0, 9.0]]), tf.Variable([1.0])
    Centralized(1.0).apply(
        [tf.constant(kernel), tf.constant(bias)], [kernel, bias]
    )
    print("kernel", kernel.numpy().tolist(), "bias", bias.numpy())
    # endregion centralized
