"""Actors and critics: PPO, one model for both, and DDPG."""

from collections.abc import Callable

import tensorflow as tf

from snippets.other_gradients_policy import play, policy_loss
from snippets.other_gradients_setup import Model


# region log_chances
def log_chances(logits: tf.Tensor, actions: tf.Tensor) -> tf.Tensor:
    """Return the logarithm of the probability of each action."""
    return -tf.nn.sparse_softmax_cross_entropy_with_logits(actions, logits)


# endregion log_chances


# region clipped_loss
def clipped_loss(
    now: tf.Tensor, old: tf.Tensor, returns: tf.Tensor
) -> tf.Tensor:
    """Return PPO's loss; now and old are logarithms of probabilities.

    All have the shape (batch,).  Equation 7 of arXiv:1707.06347.
    """
    ratio = tf.exp(now - tf.ensure_shape(tf.stop_gradient(old), now.shape))
    clipped = tf.clip_by_value(ratio, 0.8, 1.2)
    returns = tf.ensure_shape(returns, now.shape)
    return -tf.reduce_mean(tf.minimum(ratio * returns, clipped * returns))


# endregion clipped_loss


# region reuse
def reuse(
    logits: tf.Variable, actions: tf.Tensor, returns: tf.Tensor, keep: bool
) -> tf.Tensor:
    """Take 20 steps with the same plays; return what the last one makes."""
    rows = tf.ones([len(actions), 1])
    old = log_chances(rows * logits, actions)
    for _ in range(20):
        with tf.GradientTape() as tape:
            now = log_chances(rows * logits, actions)
            current_loss = clipped_loss(now, old if keep else now, returns)
        logits.assign_sub(tape.gradient(current_loss, logits))
    return tf.nn.softmax(logits)


# endregion reuse


# region actor_critic_loss
def actor_critic_loss(logits, values, actions, returns) -> tf.Tensor:
    """Return the loss of a policy and of values, shaped (batch, 1)."""
    values = tf.ensure_shape(values, [None, 1])[:, 0]
    advantages = returns - tf.stop_gradient(values)
    errors = tf.ensure_shape(returns, values.shape) - values
    return policy_loss(logits, actions, advantages) + tf.reduce_mean(errors**2)


# endregion actor_critic_loss


# region climb
def climb(
    actor: Model, critic: Callable[..., tf.Tensor], states: tf.Tensor
) -> list[tf.Tensor]:
    """Return gradients of the actor; its actions gain value against them.

    Lillicrap and others, arXiv:1509.02971.
    """
    with tf.GradientTape() as tape:
        actions = actor(states, training=True)
        current_loss = -tf.reduce_mean(critic([states, actions]))
    variables = actor.trainable_variables
    gradients: list[tf.Tensor] = tape.gradient(current_loss, variables)
    return gradients


# endregion climb


# region worth
def worth(inputs: list[tf.Tensor]) -> tf.Tensor:
    """Return values of actions; the best action is twice the state."""
    states, actions = inputs
    return -((actions - 2.0 * states) ** 2)


# endregion worth


if __name__ == "__main__":
    # region ratio_of_one
    logits = tf.Variable([0.0, 0.0, 0.0])
    actions, rewards = play(logits, 64, (0, 0))
    returns = rewards - tf.reduce_mean(rewards)
    chances = reuse(logits, actions, returns, keep=False)
    print("chances", *(f"{chance:.2f}" for chance in chances))
    # endregion ratio_of_one

    # region old_kept
    logits.assign([0.0, 0.0, 0.0])
    chances = reuse(logits, actions, returns, keep=True)
    print("chances", *(f"{chance:.2f}" for chance in chances))
    # endregion old_kept

    # region both_heads
    logits, values = tf.zeros((2, 3)), tf.constant([[0.5], [0.5]])
    actions, returns = tf.constant([0, 2]), tf.constant([1.0, 0.0])
    with tf.GradientTape() as tape:
        tape.watch([logits, values])
        current_loss = actor_critic_loss(logits, values, actions, returns)
    for gradient in tape.gradient(current_loss, [logits, values]):
        print(gradient.numpy().round(2))
    # endregion both_heads

    # region learn_actor
    tf.keras.utils.set_random_seed(0)
    dense = tf.keras.layers.Dense(1, use_bias=False)
    actor = tf.keras.Sequential([tf.keras.Input((1,)), dense])
    sgd = tf.keras.optimizers.SGD(0.5)
    states = tf.reshape(tf.linspace(-1.0, 1.0, 11), (-1, 1))
    for _ in range(50):
        gradients = climb(actor, worth, states)
        sgd.apply_gradients(zip(gradients, actor.weights, strict=True))
    print(f"action {dense.kernel[0, 0]:.2f} times the state")
    # endregion learn_actor
