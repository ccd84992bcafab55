"""Two models that learn against each other, each with its own optimizer."""

import math
from collections.abc import Callable

import matplotlib.pyplot as plt
import tensorflow as tf

from snippets.two_models_setup import BLUE, RED, Model, Optimizer, Step


# region in_turns
def in_turns(point, slope, d_optimizer, g_optimizer, penalty=0.0) -> None:
    """Update the slope; then, seeing the new slope, the point."""
    with tf.GradientTape() as tape:
        d_loss = slope * point + penalty * slope**2 / 2
    d_optimizer.apply_gradients([(tape.gradient(d_loss, slope), slope)])
    with tf.GradientTape() as tape:
        g_loss = -slope * point
    g_optimizer.apply_gradients([(tape.gradient(g_loss, point), point)])


# endregion in_turns


# region at_once
def at_once(point, slope, d_optimizer, g_optimizer, penalty=0.0) -> None:
    """Take both gradients first, then update both."""
    with tf.GradientTape() as d_tape, tf.GradientTape() as g_tape:
        d_loss = slope * point + penalty * slope**2 / 2
        g_loss = -slope * point
    d_gradient = d_tape.gradient(d_loss, slope)
    g_gradient = g_tape.gradient(g_loss, point)
    d_optimizer.apply_gradients([(d_gradient, slope)])
    g_optimizer.apply_gradients([(g_gradient, point)])


# endregion at_once


# region play
def play(
    update: Callable[..., None], penalty: float = 0.0, rounds: int = 30
) -> list[tuple[float, float]]:
    """Return the way that point and slope take in so many rounds."""
    point, slope = tf.Variable(1.0), tf.Variable(0.0)
    d_optimizer = tf.keras.optimizers.SGD(learning_rate=0.3)
    g_optimizer = tf.keras.optimizers.SGD(learning_rate=0.3)
    path = [(1.0, 0.0)]
    for _ in range(rounds):
        update(point, slope, d_optimizer, g_optimizer, penalty)
        path.append((float(point), float(slope)))
    return path


# endregion play


# region make_ring
def make_ring(shape: list[int]) -> tf.Tensor:
    """Return points near the circle of radius 1: shape plus (2,)."""
    angles = 2 * math.pi * tf.random.stateless_uniform(shape, seed=(0, 0))
    circle = tf.stack([tf.cos(angles), tf.sin(angles)], axis=-1)
    noise = tf.random.stateless_normal([*shape, 2], seed=(0, 1))
    return circle + 0.05 * noise


# endregion make_ring


# region make_pair
def make_network(outputs: int, name: str) -> Model:
    """Return a network from the plane to so many numbers."""
    layers = [tf.keras.Input((2,))]
    layers += [tf.keras.layers.Dense(32, activation="tanh") for _ in range(2)]
    layers += [tf.keras.layers.Dense(outputs)]
    return tf.keras.Sequential(layers, name=name)


def make_pair() -> tuple[Model, Model]:
    """Return a generator and a discriminator, new but always the same."""
    tf.keras.utils.set_random_seed(1)
    return make_network(2, "generator"), make_network(1, "discriminator")


# endregion make_pair


# region losses
def discriminator_loss(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """Return how badly real and fake points are told apart, by scores."""
    missed = tf.reduce_mean(tf.nn.softplus(-real))
    fooled = tf.reduce_mean(tf.nn.softplus(fake))
    return missed + fooled


def generator_loss(fake: tf.Tensor) -> tf.Tensor:
    """Return how seldom fake points are taken for real, by scores."""
    return tf.reduce_mean(tf.nn.softplus(-fake))


# endregion losses


# region update
def update(
    model: Model, optimizer: Optimizer, tape: tf.GradientTape, loss: tf.Tensor
) -> None:
    """Update the variables of one model, by one loss."""
    variables = model.trainable_variables
    gradients = tape.gradient(loss, variables)
    optimizer.apply_gradients(zip(gradients, variables, strict=True))


# endregion update


# region discriminator_step
def make_discriminator_step(
    generator: Model, discriminator: Model, optimizer: Optimizer
) -> Step:
    """Return a step that updates the discriminator and returns its loss."""

    def step(real: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        fake = generator(noise, training=True)
        with tf.GradientTape() as tape:
            scores = [discriminator(p, training=True) for p in (real, fake)]
            loss = discriminator_loss(*scores)
        update(discriminator, optimizer, tape, loss)
        return loss

    compiled: Step = tf.function(step)
    return compiled


# endregion discriminator_step


# region generator_step
def make_generator_step(
    generator: Model, discriminator: Model, optimizer: Optimizer
) -> Step:
    """Return a step that updates the generator and returns its loss."""

    def step(noise: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            fake = generator(noise, training=True)
            loss = generator_loss(discriminator(fake, training=True))
        update(generator, optimizer, tape, loss)
        return loss

    compiled: Step = tf.function(step)
    return compiled


# endregion generator_step


# region measures
def distance(points: tf.Tensor) -> float:
    """Return how far the points are from the circle, on average."""
    return float(tf.reduce_mean(abs(tf.norm(points, axis=1) - 1.0)))


def share_right(
    discriminator: Model, real: tf.Tensor, fake: tf.Tensor
) -> float:
    """Return of how many points the discriminator is right: 0.5 is luck."""
    real_right = tf.cast(discriminator(real) > 0, tf.float32)
    fake_right = tf.cast(discriminator(fake) <= 0, tf.float32)
    return float(tf.reduce_mean([real_right, fake_right]))


# endregion measures

if __name__ == "__main__":
    # region smallest
    paths = {
        "at once": play(at_once),
        "in turns": play(in_turns),
        "with a penalty": play(in_turns, penalty=1.0),
    }
    for name, path in paths.items():
        print(f"{name}: {math.hypot(*path[-1]):.2f} from the middle")
    # endregion smallest

    # region plot_paths
    styles = ("s:", "o-", "^--")
    for (name, path), style in zip(paths.items(), styles, strict=True):
        plt.plot(*zip(*path, strict=True), style, markersize=3, label=name)
    plt.xlabel("point")
    plt.ylabel("slope")
    plt.gca().set_aspect("equal")
    plt.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    plt.show()
    # endregion plot_paths

    # region data
    steps, batch = 400, 128
    reals = make_ring([steps, batch])
    noises = tf.random.stateless_normal([steps, batch, 2], seed=(0, 2))
    shown = tf.random.stateless_normal([300, 2], seed=(0, 3))
    print("real:", reals.shape, "noise:", noises.shape)
    print(f"the ring itself: {distance(reals[0]):.2f} from the circle")
    # endregion data

    # region optimizers
    generator, discriminator = make_pair()
    d_optimizer = tf.keras.optimizers.Adam(0.01, beta_1=0.5, epsilon=1e-3)
    g_optimizer = tf.keras.optimizers.Adam(0.001, beta_1=0.5, epsilon=1e-3)
    d_optimizer.build(discriminator.trainable_variables)
    g_optimizer.build(generator.trainable_variables)
    train_discriminator = make_discriminator_step(
        generator, discriminator, d_optimizer
    )
    train_generator = make_generator_step(
        generator, discriminator, g_optimizer
    )
    # endregion optimizers

    # region loop
    history: dict[str, list[float]] = {"d_loss": [], "g_loss": []}
    pictures = {0: generator(shown)}
    for step, (real, noise) in enumerate(zip(reals, noises, strict=True), 1):
        history["d_loss"].append(float(train_discriminator(real, noise)))
        history["g_loss"].append(float(train_generator(noise)))
        if step % 80 == 0:
            pictures[step] = generator(shown)
    for step, points in pictures.items():
        print(f"step {step}: {distance(points):.2f} from the circle")
    # endregion loop

    # region pictures
    _, axes = plt.subplots(2, 3, figsize=(6.4, 4.6), layout="constrained")
    for ax, (step, points) in zip(axes.flat, pictures.items(), strict=True):
        ax.plot(*tf.transpose(reals[0]), "x", color=BLUE, markersize=3)
        ax.plot(*tf.transpose(points), ".", color=RED, markersize=3)
        ax.set(title=f"step {step}", aspect="equal")
        ax.set(xlim=(-1.6, 1.6), ylim=(-1.6, 1.6))
    plt.show()
    # endregion pictures

    # region verdict
    for name, losses in history.items():
        parts = [losses[i : i + 80] for i in range(0, steps, 80)]
        print(name, *(f"{sum(part) / 80:.2f}" for part in parts))
    right = share_right(discriminator, reals[-1], generator(noises[-1]))
    print(f"the discriminator is right about {right:.1f} of all points")
    assert distance(generator(shown)) < 0.2
    assert right < 0.9
    # endregion verdict
