"""Rounds in processes of their own, as a program of its own."""

# ruff: noqa: F401 (what the page shows in between needs them)

# region imports
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import tensorflow as tf
from keras import Model, Optimizer

# endregion imports
from snippets.data import make_data
from snippets.memory_models import new_round


# region train_fold
def train_fold(fold: int) -> float:
    """Train a new model on two thirds of the rows; return its last loss."""
    x, y = make_data(204)
    rows = tf.range(len(x)) % 3 != fold
    return new_round(x[rows], y[rows], build=True)


# endregion train_fold

# region rounds
if __name__ == "__main__":
    for fold in range(3):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            last_loss = pool.submit(train_fold, fold).result()
        print(f"fold {fold}: loss {last_loss:.4f}")
# endregion rounds
