"""A physics-informed network: derivatives of the model within the loss."""

import matplotlib.pyplot as plt
import tensorflow as tf

from snippets.other_gradients_setup import (
    BLUE,
    RED,
    Loss,
    Model,
    Optimizer,
    Variable,
)


# region make_solution
def make_solution(activation: str = "tanh") -> Model:
    """Return a model of one number with one hidden layer."""
    tf.keras.utils.set_random_seed(0)
    dense = tf.keras.layers.Dense
    layers = [tf.keras.Input((1,)), dense(16, activation), dense(1)]
    return tf.keras.Sequential(layers)


# endregion make_solution


# region derivatives
def derivatives(
    model: Model, t: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return y, y' and y'' at the times t; all are of shape (batch, 1)."""
    t = tf.ensure_shape(t, [None, 1])
    with tf.GradientTape() as outer:
        outer.watch(t)
        with tf.GradientTape() as inner:
            inner.watch(t)
            y = model(t)
        slope = inner.gradient(y, t)
    return y, slope, outer.gradient(slope, t)


# endregion derivatives


# region equation_loss
def equation_loss(model: Model, t: tf.Tensor) -> tf.Tensor:
    """Return by how much y'' = -y does not hold at the times t."""
    y, _, bend = derivatives(model, t)
    return tf.reduce_mean((bend + y) ** 2)


# endregion equation_loss


# region physics_loss
def physics_loss(model: Model, t: tf.Tensor) -> tf.Tensor:
    """Return by how much y'' = -y, y(0) = 1 and y'(0) = 0 do not hold."""
    y, slope, _ = derivatives(model, tf.zeros((1, 1)))
    start = (y[0, 0] - 1.0) ** 2 + slope[0, 0] ** 2
    return equation_loss(model, t) + start


# endregion physics_loss


# region make_step
def make_step(
    loss: Loss, variables: list[Variable], optimizer: Optimizer
) -> Loss:
    """Return a compiled step that updates the variables, returns the loss."""

    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            current_loss = loss()
        gradients = tape.gradient(current_loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return current_loss

    compiled: Loss = tf.function(step)
    return compiled


# endregion make_step


# region measured_loss
def measured_loss(
    model: Model, k: Variable, t: tf.Tensor, y: tf.Tensor
) -> tf.Tensor:
    """Return by how much y at the times t and y'' = -k y do not hold."""
    found, _, bend = derivatives(model, t)
    y = tf.ensure_shape(y, found.shape)
    measured = tf.reduce_mean((found - y) ** 2)
    return measured + tf.reduce_mean((bend + k * found) ** 2)


# endregion measured_loss

if __name__ == "__main__":
    # region learn_physics
    t = tf.reshape(tf.linspace(0.0, 3.0, 31), (-1, 1))
    model = make_solution()
    adam = tf.keras.optimizers.Adam(0.01)
    variables = model.trainable_variables
    step = make_step(lambda: physics_loss(model, t), variables, adam)
    for number in range(1001):
        current_loss = step()
        if number in (0, 10, 100, 1000):
            print(f"step {number:4}: loss {current_loss:.5f}")
    print(f"largest error {tf.reduce_max(abs(model(t) - tf.cos(t))):.3f}")
    # endregion learn_physics

    # region plot_physics
    figure, axes = plt.subplots()
    axes.plot(t, tf.cos(t), color=RED, label="cos(t)")
    axes.plot(t, model(t), "o", color=BLUE, label="the model")
    axes.set(xlabel="time", ylabel="y")
    axes.legend()
    plt.show()
    # endregion plot_physics

    # region bent
    for activation in ("tanh", "relu"):
        _, _, bend = derivatives(make_solution(activation), t)
        print(f"{activation}: {tf.reduce_max(abs(bend)):.3f}")
    # endregion bent

    # region unknown
    y = tf.cos(2.0 * t)
    model, k = make_solution(), tf.Variable(1.0)
    adam = tf.keras.optimizers.Adam(0.03)
    variables = model.trainable_variables
    step = make_step(lambda: measured_loss(model, k, t, y), variables, adam)
    for _ in range(2000):
        current_loss = step()
    print(f"loss {current_loss:.2f}, k {k.numpy():.1f}")
    # endregion unknown

    # region learn_unknown
    model, adam = make_solution(), tf.keras.optimizers.Adam(0.03)
    variables = [*model.trainable_variables, k]
    step = make_step(lambda: measured_loss(model, k, t, y), variables, adam)
    for _ in range(2000):
        current_loss = step()
    print(f"loss {current_loss:.2f}, k {k.numpy():.1f}")
    # endregion learn_unknown
