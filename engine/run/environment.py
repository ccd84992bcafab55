"""The environment of programs: the reader's, and what keeps it silent."""

import os
import sys
from pathlib import Path

LEFT_OUT = ("COLUMNS", "KERAS_", "LINES", "MATPLOTLIB", "MPL", "PYTHON", "TF_")
"""How the names of variables begin that would change what a program does."""

ADDED = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "PYTHONUNBUFFERED": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


def environment(cache: Path) -> dict[str, str]:
    """Return all variables that a program finds set.

    What the user keeps at home for Keras and Matplotlib is neither read
    nor written: they have folders in the cache.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(LEFT_OUT)
    }
    python = str(Path(sys.executable).parent)
    path = os.pathsep.join([python, os.environ.get("PATH", os.defpath)])
    homes = {
        "KERAS_HOME": str(cache / "keras"),
        "MPLCONFIGDIR": str(cache / "matplotlib"),
    }
    return kept | ADDED | homes | {"PATH": path}
