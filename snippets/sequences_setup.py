"""The imports of the page on sequences; each module has its own as well."""

# ruff: noqa: F401 (the blocks that the page shows below use them)

# region setup
import math
from collections.abc import Callable
from typing import TypeAlias

import matplotlib.pyplot as plt
import tensorflow as tf

BLUE, RED, GREEN = "#0072B2", "#D55E00", "#009E73"
Layer: TypeAlias = tf.keras.layers.Layer
Model: TypeAlias = tf.keras.Model
Optimizer: TypeAlias = tf.keras.Optimizer
Loss = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]
Step = Callable[..., tf.Tensor]
# endregion setup
