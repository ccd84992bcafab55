"""The imports of the page on traps; each module has its own as well."""

# ruff: noqa: F401 (the blocks that the page shows below use them)

# region setup
import warnings
from collections.abc import Callable

import matplotlib.pyplot as plt
import tensorflow as tf

# endregion setup
