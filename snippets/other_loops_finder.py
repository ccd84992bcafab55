"""A learning-rate finder, in a loop and in fit."""

from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from snippets.other_loops_setup import (
    BLUE,
    RED,
    Dataset,
    Loss,
    Model,
    Optimizer,
    Step,
)


# region make_rows
def make_rows() -> tuple[tf.Tensor, tf.Tensor]:
    """Return x of shape (2048, 4) and y of shape (2048, 1), without noise."""
    x = tf.random.stateless_uniform((2048, 4), (0, 0), -1.0, 1.0)
    return x, tf.sin(3.0 * x[:, :1]) + x[:, 1:2] * x[:, 2:3]


def make_model() -> Model:
    """Return a model of four numbers with one hidden layer."""
    tf.keras.utils.set_random_seed(0)
    dense = tf.keras.layers.Dense
    layers = [tf.keras.Input((4,)), dense(32, "relu"), dense(1)]
    return tf.keras.Sequential(layers)


# endregion make_rows


# region make_step
def make_step(model: Model, loss: Loss, optimizer: Optimizer) -> Step:
    """Return a compiled step: it updates the model, returns the loss."""

    def step(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            current_loss = loss(y, model(x, training=True))
        variables = model.trainable_variables
        gradients = tape.gradient(current_loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return current_loss

    compiled: Step = tf.function(step)
    return compiled


# endregion make_step


# region try_rates
def try_rates(
    step: Step, optimizer: Optimizer, batches: Dataset, rate: float = 1e-4
) -> tuple[list[float], list[float]]:
    """Return rates and the loss of a batch at each, until it explodes."""
    rates, losses = [], []
    for x, y in batches:
        optimizer.learning_rate.assign(rate)
        losses.append(float(step(x, y)))
        rates.append(rate)
        if not losses[-1] < 4 * min(losses):
            break
        rate *= 1.1
    return rates, losses


# endregion try_rates


# region remember
def remember(model: Model, optimizer: Optimizer) -> Callable[[], None]:
    """Return a function that sets both back to how they are now."""
    optimizer.build(model.trainable_variables)
    variables = [*model.variables, *optimizer.variables]
    values = [variable.numpy() for variable in variables]

    def restore() -> None:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    return restore


# endregion remember


# region train
def train(step: Step, batches: Dataset, epochs: int) -> float:
    """Take a step for each batch; return the mean loss of the last epoch."""
    for _ in range(epochs):
        losses = [float(step(x, y)) for x, y in batches]
    return float(np.mean(losses))


# endregion train


# region RaiseRate
class RaiseRate(tf.keras.callbacks.Callback):
    """Raises the rate with each batch; keeps what fit logs as the loss."""

    def __init__(self) -> None:
        super().__init__()
        self.logged: list[float] = []

    def on_train_batch_begin(self, batch, logs=None):
        """Set the rate of the batch."""
        self.model.optimizer.learning_rate.assign(1e-4 * 1.1**batch)

    def on_train_batch_end(self, batch, logs):
        """Keep the loss that is logged."""
        self.logged.append(logs["loss"])


# endregion RaiseRate


if __name__ == "__main__":
    # region find_rate
    x, y = make_rows()
    batches = Dataset.from_tensor_slices((x, y)).batch(64)
    loss = tf.keras.losses.MeanSquaredError()
    model, optimizer = make_model(), tf.keras.optimizers.Adam()
    step = make_step(model, loss, optimizer)
    restore = remember(model, optimizer)
    endless = batches.repeat().take(150)
    rates, losses = try_rates(step, optimizer, endless)
    restore()
    print(f"{len(rates)} steps; exploded at the rate {rates[-1]:.2f}")
    print(f"learning rate {rates[-1] / 10:.2f}")
    # endregion find_rate

    # region plot_rates
    figure, axes = plt.subplots()
    axes.loglog(rates, losses, color=BLUE)
    axes.axvline(rates[-1] / 10, color=RED, linestyle="--")
    axes.set(xlabel="learning rate", ylabel="loss of the batch")
    plt.show()
    # endregion plot_rates

    # region try_found
    for share in (1000, 100, 10, 1):
        restore()
        optimizer.learning_rate.assign(rates[-1] / share)
        last_loss = train(step, batches, epochs=5)
        print(f"rate {rates[-1] / share:.4f}: loss {last_loss:.4f}")
    # endregion try_found

    # region rates_in_fit
    model, raising = make_model(), RaiseRate()
    model.compile(tf.keras.optimizers.Adam(), loss)
    steps = len(rates)
    rows = endless.take(steps)
    model.fit(rows, shuffle=False, verbose=0, callbacks=[raising])
    for name, found in [("batch", losses), ("fit logs", raising.logged)]:
        lowest = rates[np.argmin(found)]
        print(f"{name}: lowest at {lowest:.2f}, in the end {found[-1]:.2f}")
    # endregion rates_in_fit

    # region plot_logged
    figure, axes = plt.subplots()
    axes.loglog(rates, losses, color=BLUE, label="loss of the batch")
    axes.loglog(rates, raising.logged, "--", color=RED, label="logged by fit")
    axes.set(xlabel="learning rate", ylabel="loss")
    axes.legend()
    plt.show()
    # endregion plot_logged

    # region of_batches
    sums = np.arange(1, steps + 1) * raising.logged
    of_batches = np.diff(sums, prepend=0.0)
    gap = np.max(np.abs(of_batches - losses))
    print(f"largest difference {gap:.4f}")
    # endregion of_batches

    # region find_of_sgd
    model = make_model()
    optimizer = tf.keras.optimizers.SGD(momentum=0.9)
    step = make_step(model, loss, optimizer)
    restore = remember(model, optimizer)
    rates, _ = try_rates(step, optimizer, endless)
    restore()
    optimizer.learning_rate.assign(rates[-1] / 10)
    last_loss = train(step, batches, epochs=5)
    print(f"rate {rates[-1] / 10:.2f}: loss {last_loss:.4f}")
    # endregion find_of_sgd
