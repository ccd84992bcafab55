"""The imports of the page on other gradients; modules have their own, too."""

# ruff: noqa: F401 (the blocks that the page shows below use them)

# region setup
from collections.abc import Callable
from typing import TypeAlias

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

BLUE, RED = "#0072B2", "#D55E00"
Model: TypeAlias = tf.keras.Model
Optimizer: TypeAlias = tf.keras.Optimizer
Variable: TypeAlias = tf.Variable | tf.keras.Variable
Loss = Callable[[], tf.Tensor]
Defined = tuple[tf.Tensor, Callable[..., object]]
LossAt = Callable[[np.ndarray], tuple[float, np.ndarray]]
# endregion setup
