"""A diffusion model (DDPM): learn the noise, then take it away by steps."""

import numpy as np
import tensorflow as tf

from snippets.other_loops_setup import Model, Optimizer, Step


# region make_circle
def make_circle(rows: int) -> tf.Tensor:
    """Return points (rows, 2) of a circle; its radius makes variances 1."""
    angles = 2 * np.pi * tf.random.stateless_uniform([rows], (0, 0))
    return np.sqrt(2) * tf.stack([tf.cos(angles), tf.sin(angles)], axis=1)


def off_circle(points: tf.Tensor) -> tf.Tensor:
    """Return the mean distance of points from the circle."""
    return tf.reduce_mean(abs(tf.norm(points, axis=1) - np.sqrt(2)))


# endregion make_circle


# region noised
def noised(x: tf.Tensor, noise: tf.Tensor, kept: tf.Tensor) -> tf.Tensor:
    """Return rows of which a share of the variance, kept, is not noise.

    There is a share for each row.  Equation 4 of arXiv:2006.11239.
    """
    kept = tf.reshape(kept, [-1] + [1] * (len(x.shape) - 1))
    return tf.sqrt(kept) * x + tf.sqrt(1.0 - kept) * noise


# endregion noised


# region make_denoiser
def make_denoiser(steps: int, units: int = 64) -> Model:
    """Return a model from noised points and numbers of steps to noise."""
    tf.keras.utils.set_random_seed(0)
    layers = tf.keras.layers
    x, t = tf.keras.Input((2,)), tf.keras.Input((), dtype="int32")
    hidden = layers.Dense(units)(x) + layers.Embedding(steps, units)(t)
    hidden = layers.Dense(units, "relu")(layers.ReLU()(hidden))
    return tf.keras.Model([x, t], layers.Dense(2)(hidden))


# endregion make_denoiser


# region noise_loss
def noise_loss(model: Model, x: tf.Tensor, kept, random) -> tf.Tensor:
    """Noise each row, at a step of its own; return the error of a guess."""
    noise = random.normal(tf.shape(x))
    t = random.uniform(tf.shape(x)[:1], 0, len(kept), tf.int32)
    x_t = noised(x, noise, tf.gather(kept, t))
    guess = model([x_t, t], training=True)
    return tf.reduce_mean((guess - noise) ** 2)


# endregion noise_loss


# region make_noise_step
def make_noise_step(model: Model, optimizer: Optimizer, kept) -> Step:
    """Return a step that learns to guess the noise."""
    random = tf.random.Generator.from_seed(0)

    def step(x: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            current_loss = noise_loss(model, x, kept, random)
        variables = model.trainable_variables
        gradients = tape.gradient(current_loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return current_loss

    return step


# endregion make_noise_step


# region generate
def generate(model: Model, betas: tf.Tensor, rows: int) -> tf.Tensor:
    """Return points made of noise.  Algorithm 2 of arXiv:2006.11239."""
    kept = tf.math.cumprod(1.0 - betas)
    x = tf.random.stateless_normal([rows, 2], (1, 0))
    for t in reversed(range(len(betas))):
        guess = model([x, tf.fill([rows], t)], training=False)
        x -= betas[t] / tf.sqrt(1.0 - kept[t]) * guess
        x /= tf.sqrt(1.0 - betas[t])
        if t > 0:
            fresh = tf.random.stateless_normal([rows, 2], (1, t))
            x += tf.sqrt(betas[t]) * fresh
    return x


# endregion generate


if __name__ == "__main__":
    # region schedule
    betas = tf.linspace(0.001, 0.2, 50)
    kept = tf.math.cumprod(1.0 - betas)
    for t in (0, 24, 49):
        print(f"t = {t}: {kept[t]:.3f} of the variance is kept")
    # endregion schedule

    # region denoise
    model = make_denoiser(len(betas))
    adam = tf.keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9999)
    step = tf.function(make_noise_step(model, adam, kept))
    circle = make_circle(512)
    losses = [float(step(circle)) for _ in range(600)]
    first, last = losses[0], np.mean(losses[-100:])
    print(f"loss {first:.1f}, later {last:.1f}")
    # endregion denoise

    # region generated
    noise = tf.random.stateless_normal([256, 2], (1, 0))
    points = generate(model, betas, rows=256)
    print(f"noise: {off_circle(noise):.1f} from the circle")
    print(f"points: {off_circle(points):.1f} from the circle")
    # endregion generated

    # region averaged
    adam.finalize_variable_values(model.trainable_variables)
    points = generate(model, betas, rows=256)
    print(f"points: {off_circle(points):.1f} from the circle")
    print(f"first weights in the average: {0.9999 ** len(losses):.2f}")
    # endregion averaged
