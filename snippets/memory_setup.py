"""The imports of the page on memory; each module has its own as well."""

# ruff: noqa: F401 (the blocks that the page shows below use them)

# region setup
import gc
import logging
import re
import textwrap
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

import matplotlib.pyplot as plt
import tensorflow as tf
from keras import Model, Optimizer

# endregion setup
