"""A variational autoencoder (VAE): two losses that have to be sums alike."""

from collections.abc import Callable

import tensorflow as tf

from snippets.other_loops_setup import Model, Optimizer, Step


# region make_mixed
def make_mixed() -> tf.Tensor:
    """Return 512 rows of 16 numbers, which mix four hidden ones, and noise."""
    hidden = tf.random.stateless_normal((512, 4), (0, 0))
    mix = 0.5 * tf.random.stateless_normal((4, 16), (0, 1))
    return hidden @ mix + 0.1 * tf.random.stateless_normal((512, 16), (0, 2))


# endregion make_mixed


# region divergence
def divergence(mean: tf.Tensor, log_var: tf.Tensor) -> tf.Tensor:
    """Return the KL divergence of the code of each row from a normal one.

    Takes two shapes (batch, code).  Appendix B of arXiv:1312.6114.
    """
    each = tf.exp(log_var) + mean**2 - 1.0 - log_var
    return 0.5 * tf.reduce_sum(each, axis=1)


# endregion divergence


# region vae_losses
Reduce = Callable[..., tf.Tensor]
Vae = tuple[Model, Model]


def vae_losses(
    vae: Vae, x: tf.Tensor, random: tf.random.Generator
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return squared errors (batch, numbers), and the divergence of rows."""
    encoder, decoder = vae
    mean, log_var = tf.split(encoder(x, training=True), 2, axis=1)
    noise = random.normal(tf.shape(mean))
    x_pred = decoder(mean + tf.exp(0.5 * log_var) * noise, training=True)
    errors = (x - tf.ensure_shape(x_pred, x.shape)) ** 2
    return tf.reshape(errors, [tf.shape(x)[0], -1]), divergence(mean, log_var)


# endregion vae_losses


# region make_vae_step
def make_vae_step(vae: Vae, optimizer: Optimizer, reduce: Reduce) -> Step:
    """Return a step, which returns the mean error and divergence."""
    random = tf.random.Generator.from_seed(0)

    def step(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            errors, divergences = vae_losses(vae, x, random)
            current_loss = tf.reduce_mean(reduce(errors, axis=1) + divergences)
        variables = [v for part in vae for v in part.trainable_variables]
        gradients = tape.gradient(current_loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return tf.reduce_mean(errors), tf.reduce_mean(divergences)

    return step


# endregion make_vae_step


# region learn_code
def learn_code(x: tf.Tensor, reduce: Reduce) -> tuple[Model, list[tf.Tensor]]:
    """Train a VAE for 1000 steps; return its decoder and the last losses."""
    tf.keras.utils.set_random_seed(0)
    encoder, decoder = (
        tf.keras.Sequential([tf.keras.Input((i,)), tf.keras.layers.Dense(j)])
        for i, j in ((16, 8), (4, 16))
    )
    adam = tf.keras.optimizers.Adam(0.01)
    step = tf.function(make_vae_step((encoder, decoder), adam, reduce))
    for _ in range(1000):
        losses = step(x)
    return decoder, losses


# endregion learn_code


if __name__ == "__main__":
    # region mean_of_errors
    x = make_mixed()
    print(f"mean square of x {tf.reduce_mean(x**2):.2f}")
    decoder, losses = learn_code(x, tf.reduce_mean)
    print(f"error {losses[0]:.2f}, divergence {losses[1]:.2f}")
    # endregion mean_of_errors

    # region sum_of_errors
    decoder, losses = learn_code(x, tf.reduce_sum)
    print(f"error {losses[0]:.2f}, divergence {losses[1]:.2f}")
    # endregion sum_of_errors

    # region new_rows
    codes = tf.random.stateless_normal((512, 4), (1, 0))
    print(f"mean square of new rows {tf.reduce_mean(decoder(codes) ** 2):.2f}")
    # endregion new_rows
