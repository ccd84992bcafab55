"""The imports of the page on NaN; each module has its own as well."""

# ruff: noqa: F401 (the blocks that the page shows below use them)

# region setup
import math
from collections.abc import Callable

import matplotlib.pyplot as plt
import tensorflow as tf
from keras import Model, Optimizer
from keras.callbacks import CallbackList

# endregion setup
