"""Lookahead, and what else TensorFlow Addons had."""

import importlib

import tensorflow as tf

from snippets.other_loops_finder import make_model, make_rows, make_step
from snippets.other_loops_setup import Dataset


# region look_ahead
def look_ahead(fast, slow, share=0.5):
    """Move the slow weights a share of the way, and the fast ones to them."""
    for weight, kept in zip(fast, slow, strict=True):
        kept.assign_add(share * (weight - kept))
        weight.assign(kept)


# endregion look_ahead


if __name__ == "__main__":
    # region run_look_ahead
    model, adam = make_model(), tf.keras.optimizers.Adam(0.01)
    step = make_step(model, tf.keras.losses.MeanSquaredError(), adam)
    fast = model.trainable_variables
    slow = [tf.Variable(weight) for weight in fast]
    batches = Dataset.from_tensor_slices(make_rows()).batch(64)
    for number, (x, y) in enumerate(batches.repeat(5), start=1):
        current_loss = step(x, y)
        if number % 5 == 0:
            look_ahead(fast, slow)
        if number in (1, 10, 160):
            print(f"step {number:3}: loss {current_loss:.3f}")
    # endregion run_look_ahead

    try:
        # region no_addons
        importlib.import_module("tensorflow_addons")
        # endregion no_addons
    except ModuleNotFoundError as error:
        print(error)
