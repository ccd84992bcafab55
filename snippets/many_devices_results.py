"""What several processes wrote, beside what one process computes."""

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from snippets.data import make_data
from snippets.many_devices import BLUE, GREEN, RED, new_training, update


# region saved_losses
def saved_losses(folder: str) -> np.ndarray:
    """Return the losses in the latest checkpoint of the folder."""
    latest = tf.train.latest_checkpoint(folder)
    key = "losses/.ATTRIBUTES/VARIABLE_VALUE"
    losses: np.ndarray = tf.train.load_variable(latest, key)
    return losses


# endregion saved_losses

if __name__ == "__main__":
    x, y = make_data()
    model, optimizer = new_training(tf.distribute.get_strategy())
    alone = [float(update(model, optimizer, x, y)) for _ in range(30)]

    # region whole
    whole = saved_losses("whole/worker-0")
    print("same losses:", np.allclose(whole, alone, rtol=0, atol=1e-5))
    # endregion whole

    # region before
    before = saved_losses("killed/worker-0")
    print("losses saved:", np.count_nonzero(np.isfinite(before)))
    # endregion before

    # region after
    after = saved_losses("resumed/worker-0")
    print("same losses:", np.allclose(after, whole, rtol=0, atol=1e-5))
    # endregion after

    # region curves
    epochs = range(30)
    plt.plot(epochs, whole, "-", color=BLUE, label="uninterrupted")
    plt.plot(epochs, before, "s", color=GREEN, label="saved before the kill")
    plt.plot(epochs[15:], after[15:], "o", color=RED, label="after resuming")
    plt.xlabel("epoch")
    plt.ylabel("loss")
    plt.legend()
    plt.show()
    # endregion curves

    # region in_step
    in_step = np.load("in_step.npy")
    print("same losses:", np.allclose(in_step, alone, rtol=0, atol=1e-5))
    # endregion in_step

    # region best
    inputs = np.stack([x, np.ones_like(x)], axis=1)
    best_w, best_b = np.linalg.lstsq(inputs, y)[0]
    print(f"best: w {best_w:.3f}, b {best_b:.3f}")
    # endregion best
