"""What stands where in the message of an operation that fails in fit."""

import numpy as np
import tensorflow as tf


# region graph_error
def graph_error(**options) -> list[str]:
    """Return the lines that fit says of a label that is out of range."""
    layers = [tf.keras.Input((2,)), tf.keras.layers.Dense(3)]
    model = tf.keras.Sequential(layers)
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, **options)
    x, y = np.ones((3, 2)), np.array([1, 2, 3])
    lines: list[str] = []
    try:
        model.fit(x, y, shuffle=False, verbose=0)
    except tf.errors.InvalidArgumentError as error:
        lines = error.message.splitlines()
    return lines


# endregion graph_error

if __name__ == "__main__":
    # region whole_message
    message = graph_error()
    print(message[0], "…", message[-2], sep="\n")
    # endregion whole_message

    # region eager_message
    print("lines:", len(graph_error(run_eagerly=True)))
    # endregion eager_message
