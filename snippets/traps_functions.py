"""The trap of compiled functions: Python values freeze in the graph."""

import tensorflow as tf

from snippets.data import make_data
from snippets.linear_model import LinearModel
from snippets.traps_steps import train

# region train_as_set
settings = {"learning_rate": 0.1}


def train_as_set(model: tf.Module, x: tf.Tensor, y: tf.Tensor) -> None:
    """Update every variable once, at the learning rate of the settings."""
    train(model, x, y, settings["learning_rate"])


# endregion train_as_set


# region two_layers
def two_layers() -> tf.keras.Model:
    """Return a line made of two layers, whose weights are ones."""
    return tf.keras.Sequential(
        [
            tf.keras.Input((1,)),
            tf.keras.layers.Dense(1, kernel_initializer="ones"),
            tf.keras.layers.Dense(1, kernel_initializer="ones"),
        ]
    )


# endregion two_layers


# region train_layers
def train_layers(model: tf.keras.Model, x: tf.Tensor, y: tf.Tensor) -> None:
    """Update what is trainable once."""
    train(model, x, y, 0.01)


# endregion train_layers

if __name__ == "__main__":
    x, y = make_data()

    # region frozen
    model, weights = LinearModel(), []
    compiled_train = tf.function(train_as_set)
    for learning_rate in (0.1, 0.0, 0.0):
        settings["learning_rate"] = learning_rate
        compiled_train(model, x, y)
        weights.append(float(model.w))
    print("w:", *(f"{w:.4f}" for w in weights))
    # endregion frozen

    # region retraced
    model = LinearModel()
    compiled_train = tf.function(train)
    for learning_rate in (0.1, 0.05, 0.02):
        compiled_train(model, x, y, learning_rate)
    print("traces:", compiled_train.experimental_get_tracing_count())
    # endregion retraced

    # region traced_once
    model, weights = LinearModel(), []
    compiled_train = tf.function(train)
    for learning_rate in (0.1, 0.0, 0.0):
        compiled_train(model, x, y, tf.constant(learning_rate))
        weights.append(float(model.w))
    print("w:", *(f"{w:.4f}" for w in weights))
    assert weights[0] == weights[-1]
    assert compiled_train.experimental_get_tracing_count() == 1
    # endregion traced_once

    # region frozen_late
    inputs, outputs = x[:, tf.newaxis], y[:, tf.newaxis]
    model, kernels = two_layers(), []
    compiled_train = tf.function(train_layers)
    for _ in range(3):
        compiled_train(model, inputs, outputs)
        kernels.append(model.layers[0].kernel.numpy().item())
        model.layers[0].trainable = False
    print("kernel:", *(f"{kernel:.4f}" for kernel in kernels))
    # endregion frozen_late

    # region compiled_again
    model, kernels = two_layers(), []
    compiled_train = tf.function(train_layers)
    for _ in range(3):
        compiled_train(model, inputs, outputs)
        kernels.append(model.layers[0].kernel.numpy().item())
        model.layers[0].trainable = False
        compiled_train = tf.function(train_layers)
    print("kernel:", *(f"{kernel:.4f}" for kernel in kernels))
    assert kernels[-1] == kernels[-2]
    # endregion compiled_again
