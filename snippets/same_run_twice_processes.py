"""A training compared with itself, in one process and in two."""

import os

import numpy as np
import tensorflow as tf

from snippets.same_run_twice import check_equal, train

if __name__ == "__main__":
    # region healthy
    _, first = train(tf.keras.utils.set_random_seed)
    _, second = train(tf.keras.utils.set_random_seed)
    check_equal(first, second)
    print("equal to the last bit:", [weight.shape for weight in first])
    # endregion healthy

    try:
        # region caught
        random_start = train(tf.random.set_seed)[1]
        check_equal(first, random_start)
        # endregion caught
    except AssertionError as error:
        print(error)

    # region save
    _, weights = train(tf.keras.utils.set_random_seed)
    np.savez("weights.npz", *weights)
    # endregion save

    # region two_processes
    with np.load("weights.npz") as saved:
        check_equal(first, [*saved.values()])
    print("equal to the last bit, in two processes")
    # endregion two_processes

    # region too_late
    before = [*{f"word {number}" for number in range(10)}]
    os.environ["PYTHONHASHSEED"] = "1"
    after = [*{f"word {number}" for number in range(10)}]
    print("another order:", after != before)
    # endregion too_late
