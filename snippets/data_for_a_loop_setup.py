"""The imports of the page on data for a loop; modules have their own, too."""

# ruff: noqa: F401 (the blocks that the page shows below use them)

# region setup
import random
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import numpy as np
import tensorflow as tf

Dataset: TypeAlias = tf.data.Dataset
Layer: TypeAlias = tf.keras.layers.Layer
Model: TypeAlias = tf.keras.Model
Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
Step = Callable[..., tf.Tensor]
Adam = tf.keras.optimizers.Adam
slices = tf.data.Dataset.from_tensor_slices
# endregion setup
