"""A training that repeats itself, and what each seed reaches."""

# ruff: noqa: F401 (the page's other modules use what the first block imports)

# region setup
import os
import random
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

RED, GREEN = "#D55E00", "#009E73"
Seed = Callable[[int], None]
# endregion setup

from snippets.data import make_data  # noqa: E402
from snippets.loss import loss  # noqa: E402


# region make_model
def make_model() -> tf.keras.Model:
    """Return a new network with dropout; x and y have one column."""
    return tf.keras.Sequential(
        [
            tf.keras.Input((1,)),
            tf.keras.layers.Dense(16, activation="tanh"),
            tf.keras.layers.Dropout(0.2),
            tf.keras.layers.Dense(1),
        ]
    )


# endregion make_model


# region make_batches
def make_batches() -> tf.data.Dataset:
    """Return the rows in three batches, in a new order every epoch."""
    x, y = make_data()
    columns = x[:, tf.newaxis], y[:, tf.newaxis]
    rows = tf.data.Dataset.from_tensor_slices(columns)
    return rows.shuffle(len(x)).batch(67)


# endregion make_batches


# region train
def train(set_seed: Seed) -> tuple[list[float], list[np.ndarray]]:
    """Set the seed, train a new model; return its losses and weights."""
    set_seed(1)
    model, batches, history = make_model(), make_batches(), []
    optimizer = tf.keras.optimizers.SGD(0.1)
    for _ in range(5):
        for x, y in batches:
            with tf.GradientTape() as tape:
                current_loss = loss(y, model(x, training=True))
            weights = model.trainable_variables
            optimizer.apply(tape.gradient(current_loss, weights), weights)
            history.append(float(current_loss))
    return history, model.get_weights()


# endregion train


# region draws
def draws() -> dict[str, object]:
    """Return something random from each source."""
    rows, ones = tf.data.Dataset.range(64).shuffle(64), tf.ones([64])
    dropout = tf.keras.layers.Dropout(0.5)
    start = tf.keras.initializers.GlorotUniform()
    return {
        "random.random": random.random(),
        "numpy.random": np.random.normal(),
        "default_rng": np.random.default_rng().normal(),
        "tf.random.normal": float(tf.random.normal([])),
        "Dataset.shuffle": [*rows.as_numpy_iterator()],
        "initial weights": start((1, 1)).numpy().item(),
        "layers.Dropout": dropout(ones, training=True).numpy().tolist(),
        "keras.random": float(tf.keras.random.normal([])),
    }


# endregion draws


# region repeats
def repeats(set_seed: Seed) -> dict[str, bool]:
    """Return of each source whether it repeats itself after the seed."""
    set_seed(1)
    first = draws()
    set_seed(1)
    second = draws()
    return {source: first[source] == second[source] for source in first}


# endregion repeats


# region check_equal
def check_equal(first: list[np.ndarray], second: list[np.ndarray]) -> None:
    """Assert that two lists of weights are equal to the last bit."""
    for number, (one, other) in enumerate(zip(first, second, strict=True)):
        alike = (one.shape, one.dtype) == (other.shape, other.dtype)
        assert alike, f"weight {number} is of another shape or type"
        if one.tobytes() != other.tobytes():
            gap = np.abs(np.subtract(one, other, dtype="float64")).max()
            raise AssertionError(f"weight {number} differs by up to {gap:.3g}")


# endregion check_equal

if __name__ == "__main__":
    # region tensorflow_only
    random.seed(0)  # your numbers differ without this line
    different = [train(tf.random.set_seed)[0] for _ in range(3)]
    for history in different:
        print("losses:", *(f"{value:.2f}" for value in history[::3]))
    # endregion tensorflow_only

    # region all_seeds
    same = [train(tf.keras.utils.set_random_seed)[0] for _ in range(3)]
    for history in same:
        print("losses:", *(f"{value:.2f}" for value in history[::3]))
    assert same[0] == same[1] == same[2]
    # endregion all_seeds

    # region compared
    for marker, one, other in zip("os^", same, different, strict=True):
        plt.semilogy(one, "-" + marker, color=GREEN)
        plt.semilogy(other, "--" + marker, color=RED)
    plt.xlabel("step")
    plt.ylabel("loss")
    plt.legend(["keras.utils.set_random_seed", "tf.random.set_seed"])
    plt.show()
    # endregion compared

    try:
        # region whole_numbers
        tf.keras.utils.set_random_seed(np.int64(1))
        # endregion whole_numbers
    except ValueError as error:
        print(error)

    # region table
    keras_seed = tf.keras.utils.set_random_seed
    seeds = [random.seed, np.random.seed, tf.random.set_seed, keras_seed]
    reached = [repeats(set_seed) for set_seed in seeds]
    print(f"{'':16} Python NumPy TF Keras")
    for source in reached[0]:
        yes = ["yes" if found[source] else "-" for found in reached]
        print(f"{source:16} {yes[0]:6} {yes[1]:5} {yes[2]:3} {yes[3]}")
    # endregion table
