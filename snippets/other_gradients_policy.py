"""A policy gradient: a reward that has no gradient of its own."""

import numpy as np
import tensorflow as tf


# region play
def play(
    logits: tf.Tensor, rows: int, seed: tuple[int, int]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Draw actions by their probabilities; return them and their rewards.

    The three actions pay 1 with the probabilities 0.2, 0.5 and 0.9, else 0.
    """
    draw = tf.random.stateless_categorical
    actions = draw(logits[tf.newaxis], rows, seed)[0]
    luck = tf.random.stateless_uniform([rows], (seed[0], seed[1] + 1))
    pays = luck < tf.gather([0.2, 0.5, 0.9], actions)
    return actions, tf.cast(pays, tf.float32)


# endregion play


# region policy_loss
def policy_loss(logits, actions, returns) -> tf.Tensor:
    """Return the mean of -log(probability) * return of the actions.

    Takes logits of shape (batch, actions), the others of shape (batch,).
    """
    each = tf.nn.sparse_softmax_cross_entropy_with_logits(actions, logits)
    return tf.reduce_mean(each * tf.ensure_shape(returns, each.shape))


# endregion policy_loss


# region policy_gradient
def policy_gradient(
    logits: tf.Variable, actions: tf.Tensor, returns: tf.Tensor
) -> tf.Tensor:
    """Return the gradient of the policy's loss, shaped like the logits."""
    with tf.GradientTape() as tape:
        rows = tf.tile(logits[tf.newaxis], [len(actions), 1])
        current_loss = policy_loss(rows, actions, returns)
    return tape.gradient(current_loss, logits)


# endregion policy_gradient


# region learn_policy
def learn_policy(baseline: bool, extra: float = 0.0) -> list[float]:
    """Return the mean reward of each of 100 steps with 64 plays."""
    logits, history = tf.Variable([0.0, 0.0, 0.0]), []
    for step in range(100):
        actions, rewards = play(logits, 64, (step, 0))
        rewards += extra
        mean = tf.reduce_mean(rewards)
        returns = rewards - mean if baseline else rewards
        logits.assign_sub(policy_gradient(logits, actions, returns))
        history.append(float(mean))
    return history


# endregion learn_policy


# region discounted
def discounted(rewards: list[float], gamma: float) -> list[float]:
    """Return the return of each step: its reward and gamma * the next.

    The rewards are those of one episode.
    """
    returns, total = [], 0.0
    for reward in reversed(rewards):
        total = reward + gamma * total
        returns.insert(0, total)
    return returns


# endregion discounted


if __name__ == "__main__":
    # region drawn_rewards
    logits = tf.Variable([0.0, 0.0, 0.0])
    with tf.GradientTape() as tape:
        actions, rewards = play(logits, 64, (0, 0))
        current_loss = -tf.reduce_mean(rewards)
    print("gradient:", tape.gradient(current_loss, logits))
    # endregion drawn_rewards

    # region exact
    logits = tf.Variable([0.0, 0.5, -0.5])
    with tf.GradientTape() as tape:
        expected = -tf.reduce_sum(tf.nn.softmax(logits) * [0.2, 0.5, 0.9])
    exact = tape.gradient(expected, logits)
    actions, rewards = play(logits, 100_000, (0, 0))
    found = policy_gradient(logits, actions, rewards)
    for name, gradient in [("exact", exact), ("drawn", found)]:
        print(f"{name}:", *(f"{value:.2f}" for value in gradient))
    # endregion exact

    # region run_policy
    history = learn_policy(baseline=False)
    for step in (0, 10, 30, 90):
        reward = np.mean(history[step : step + 10])
        print(f"from step {step:2}: reward {reward:.2f}")
    # endregion run_policy

    # region spread
    actions, rewards = play(logits, 64 * 200, (0, 0))
    for name, base in [("no", 0.0), ("the mean", tf.reduce_mean(rewards))]:
        parts = tf.split(actions, 200), tf.split(rewards - base, 200)
        pairs = zip(*parts, strict=True)
        found = tf.stack([policy_gradient(logits, *pair) for pair in pairs])
        means, stds = tf.reduce_mean(found, 0), tf.math.reduce_std(found, 0)
        print(f"baseline {name}:")
        print("  mean", *(f"{value:.2f}" for value in means))
        print("  std ", *(f"{value:.2f}" for value in stds))
    # endregion spread

    # region run_discounted
    print(*(f"{value:.2f}" for value in discounted([0.0, 0.0, 1.0], 0.9)))
    # endregion run_discounted

    # region raised
    for baseline in (False, True):
        history = learn_policy(baseline, extra=30.0)
        reward = np.mean(history[90:]) - 30.0
        print(f"baseline {baseline}: reward {reward:.2f} + 30")
    # endregion raised
