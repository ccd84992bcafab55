"""The imports of the page on watching; each module has its own as well."""

# ruff: noqa: F401 (the blocks that the page shows below use them)

# region setup
import contextlib
import csv
import io
import logging
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import matplotlib.pyplot as plt
import tensorflow as tf
from tqdm import tqdm

# endregion setup
