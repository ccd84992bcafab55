"""A DQN loop with a replay memory, in a world of five places."""

import numpy as np
import tensorflow as tf

from snippets.other_loops_setup import Model, Moves, Optimizer, Step


# region go
def go(
    places: np.ndarray, actions: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the next places, the rewards, and 1 where it is over, else 0.

    Of the places 0 to 4, action 0 leads down and 1 up; arriving at 4 pays 1.
    """
    following = np.clip(places + 2 * actions - 1, 0, 4)
    over = (following == 4).astype("float32")
    return following, over, over


# endregion go


# region make_values
def one_hot(places: np.ndarray) -> np.ndarray:
    """Return a row of five numbers for each place."""
    rows = np.eye(5, dtype=np.float32)
    return np.take(rows, places, axis=0)


def make_values() -> Model:
    """Return a model of a state, with a value for each of two actions."""
    tf.keras.utils.set_random_seed(0)
    dense = tf.keras.layers.Dense
    layers = [tf.keras.Input((5,)), dense(32, "relu"), dense(2)]
    return tf.keras.Sequential(layers)


# endregion make_values


# region make_memory
def make_memory(size: int) -> list[np.ndarray]:
    """Return arrays for that many moves, a row for each.

    They hold states, actions, rewards, the states that followed, and ends.
    """
    states, following = np.zeros((2, size, 5), "float32")
    rewards, over = np.zeros((2, size), "float32")
    return [states, np.zeros(size, "int32"), rewards, following, over]


# endregion make_memory


# region add
def add(memory: Moves, count: int, moves: Moves) -> int:
    """Write moves over the oldest; return how many were added in all."""
    rows = (count + np.arange(len(moves[0]))) % len(memory[0])
    for part, values in zip(memory, moves, strict=True):
        part[rows] = values
    return count + len(rows)


# endregion add


# region draw
def draw(memory, count, batch, random):
    """Return a batch of the moves that were added."""
    rows = random.integers(min(count, len(memory[0])), size=batch)
    return [part[rows] for part in memory]


# endregion draw


# region choose
def choose(online, states, epsilon, random):
    """Return the best action of each state, or with chance epsilon any."""
    best = np.argmax(online(states), axis=1)
    luck = random.integers(2, size=len(states))
    return np.where(random.random(len(states)) < epsilon, luck, best)


# endregion choose


# region play
def play(
    online: Model, places: np.ndarray, random: np.random.Generator
) -> tuple[Moves, np.ndarray]:
    """Move on from each place; return the moves and the places after them.

    Where it is over, a place is drawn from which to begin again.
    """
    states = one_hot(places)
    actions = choose(online, states, 0.5, random)
    following, rewards, over = go(places, actions)
    moves = [states, actions, rewards, one_hot(following), over]
    first = random.integers(4, size=len(places))
    return moves, np.where(over == 1, first, following)


# endregion play


# region value_gradients
def value_gradients(
    online: Model, target: Model, moves: list[tf.Tensor], gamma: float
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Return the loss of the values of moves, and its gradients."""
    states, actions, rewards, following, over = moves
    best = tf.reduce_max(target(following), axis=1)
    due = rewards + gamma * (1.0 - over) * best
    with tf.GradientTape() as tape:
        values = online(states, training=True)
        chosen = tf.gather(values, actions, batch_dims=1)
        errors = tf.ensure_shape(chosen - due, best.shape)  # not of a column
        current_loss = tf.reduce_mean(errors**2)
    variables = online.trainable_variables
    return current_loss, tape.gradient(current_loss, variables)


# endregion value_gradients


# region make_q_step
def make_q_step(
    online: Model, target: Model, optimizer: Optimizer, gamma: float
) -> Step:
    """Return a compiled step to the reward and gamma * what follows."""

    def step(*moves: tf.Tensor) -> tf.Tensor:
        loss, gradients = value_gradients(online, target, [*moves], gamma)
        variables = online.trainable_variables
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return loss

    compiled: Step = tf.function(step)
    return compiled


# endregion make_q_step


# region exact_values
def exact_values(gamma: float) -> np.ndarray:
    """Return the values of both actions in each place, of shape (5, 2)."""
    values = np.zeros((5, 2))
    for _ in range(200):
        for action in (0, 1):
            following, rewards, over = go(np.arange(5), np.array(action))
            best = values.max(axis=1)[following]
            values[:, action] = rewards + gamma * (1 - over) * best
    return values


# endregion exact_values


if __name__ == "__main__":
    # region learn_values
    online, target = make_values(), make_values()
    adam = tf.keras.optimizers.Adam(0.01)
    step = make_q_step(online, target, adam, gamma=0.9)
    random, memory, count = np.random.default_rng(0), make_memory(1000), 0
    places = random.integers(4, size=16)
    for number in range(301):
        moves, places = play(online, places, random)
        count = add(memory, count, moves)
        current_loss = step(*draw(memory, count, 64, random))
        if number % 20 == 0:
            target.set_weights(online.get_weights())
        if number % 100 == 0:
            print(f"step {number:3}: loss {current_loss:.4f}")
    # endregion learn_values

    # region compare_values
    found, exact = online(one_hot(np.arange(5))).numpy(), exact_values(0.9)
    for place in range(4):
        down, up = found[place]
        print(f"place {place}: down {down:.2f}, up {up:.2f}")
    print(f"largest error {np.abs(found - exact)[:4].max():.3f}")
    # endregion compare_values

    # region without_ends
    online, target = make_values(), make_values()
    adam = tf.keras.optimizers.Adam(0.01)
    step = make_q_step(online, target, adam, gamma=0.9)
    for number in range(300):
        *moves, _ = draw(memory, count, 64, random)
        step(*moves, np.zeros(64, "float32"))
        if number % 20 == 0:
            target.set_weights(online.get_weights())
    value = online(one_hot(np.array([3])))[0, 1]
    print(f"place 3: up {value:.2f}")
    # endregion without_ends
