"""The imports of the page on several tasks; modules have their own, too."""

# ruff: noqa: F401 (the blocks that the page shows below use them)

# region setup
import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import tensorflow as tf

Model: TypeAlias = tf.keras.Model
Models = Sequence[tf.keras.Model]
Optimizer: TypeAlias = tf.keras.Optimizer
Batch = tuple[tf.Tensor, tf.Tensor]
Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
Pairs = list[tuple[tf.Tensor, tf.Variable]]
Step = Callable[..., tf.Tensor]
# endregion setup
