"""The imports of the page on curves; its modules have their own, too."""

# ruff: noqa: F401 (the blocks that the page shows below use them)

# region setup
from collections.abc import Callable
from typing import TypeAlias

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

BLUE, RED, GREEN, CLASSES = "#0072B2", "#D55E00", "#009E73", 4
Model: TypeAlias = tf.keras.Model
Optimizer: TypeAlias = tf.keras.Optimizer
Part = tuple[np.ndarray, np.ndarray]
Step = Callable[..., tuple[tf.Tensor, tf.Tensor]]
NAMES = "loss", "accuracy", "val_loss", "val_accuracy"
layers = tf.keras.layers
SGD, Adam = tf.keras.optimizers.SGD, tf.keras.optimizers.Adam
# endregion setup
