"""A GAN whose critic has no sigmoid, and weights that are clipped."""

import tensorflow as tf

from snippets.two_models import distance, make_pair, make_ring, update
from snippets.two_models_setup import Step


# region critic_step
def make_critic_step(generator, critic, optimizer, limit) -> Step:
    """Return a step of the critic, which clips its weights to the limit."""

    def step(real: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        fake = generator(noise, training=True)
        with tf.GradientTape() as tape:
            scores = [critic(points, training=True) for points in (real, fake)]
            loss = tf.reduce_mean(scores[1]) - tf.reduce_mean(scores[0])
        update(critic, optimizer, tape, loss)
        for weight in critic.trainable_variables:
            weight.assign(tf.clip_by_value(weight, -limit, limit))
        return loss

    compiled: Step = tf.function(step)
    return compiled


# endregion critic_step


if __name__ == "__main__":
    steps, batch = 400, 128
    reals = make_ring([steps, batch])
    noises = tf.random.stateless_normal([steps, batch, 2], seed=(0, 2))
    shown = tf.random.stateless_normal([300, 2], seed=(0, 3))

    # region critic
    generator, critic = make_pair()
    c_optimizer = tf.keras.optimizers.RMSprop(0.01, epsilon=1e-3)
    train_critic = make_critic_step(generator, critic, c_optimizer, 0.3)
    for step in range(1, 31):
        c_loss = train_critic(reals[step], noises[step])
        if step % 10 == 0:
            print(f"step {step}: critic loss {c_loss:.2f}")
    # endregion critic

    # region wgan
    n_critic = 5
    g_optimizer = tf.keras.optimizers.RMSprop(0.005, epsilon=1e-3)
    print(f"before: {distance(generator(shown)):.2f} from the circle")
    for step, (real, noise) in enumerate(zip(reals, noises, strict=True), 1):
        c_loss = train_critic(real, noise)
        if step % n_critic == 0:
            with tf.GradientTape() as tape:
                fake = generator(noise, training=True)
                g_loss = -tf.reduce_mean(critic(fake, training=True))
            update(generator, g_optimizer, tape, g_loss)
    print(f"after: {distance(generator(shown)):.2f} from the circle")
    # endregion wgan
