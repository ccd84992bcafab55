"""The imports of the page on other loops; modules have their own, too."""

# ruff: noqa: F401 (the blocks that the page shows below use them)

# region setup
import importlib
from collections.abc import Callable
from typing import TypeAlias

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

BLUE, RED = "#0072B2", "#D55E00"
Dataset: TypeAlias = tf.data.Dataset
Model: TypeAlias = tf.keras.Model
Optimizer: TypeAlias = tf.keras.Optimizer
Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
Moves = list[np.ndarray]
Step = Callable[..., tf.Tensor]
# endregion setup
