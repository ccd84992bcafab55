"""The imports of the page on two models; each module has its own as well."""

# ruff: noqa: F401 (the blocks that the page shows below use them)

# region setup
import math
import warnings
from collections.abc import Callable
from typing import TypeAlias

import matplotlib.pyplot as plt
import tensorflow as tf

BLUE, RED = "#0072B2", "#D55E00"
Model: TypeAlias = tf.keras.Model
Optimizer: TypeAlias = tf.keras.Optimizer
Step: TypeAlias = Callable[..., tf.Tensor]
# endregion setup
