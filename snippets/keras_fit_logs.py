"""What ``fit`` logs of a batch, and what a callback can make of it."""

import tensorflow as tf

from snippets.data import make_data
from snippets.fit_inwards import compiled
from snippets.keras_model import KerasLinearModel


# region BatchLosses
class BatchLosses(tf.keras.callbacks.Callback):
    """Keeps the loss of each batch; sizes are the rows of an epoch's."""

    def __init__(self, sizes: list[int]) -> None:
        super().__init__()
        self.sizes, self.total = sizes, 0.0
        self.means, self.losses = [], []

    def on_train_batch_end(self, batch, logs=None):
        """Take from the sum so far what it was before this batch."""
        before = self.total if batch > 0 else 0.0
        self.total = logs["loss"] * sum(self.sizes[: batch + 1])
        self.means.append(logs["loss"])
        self.losses.append((self.total - before) / self.sizes[batch])


# endregion BatchLosses

if __name__ == "__main__":
    x, y = (values[:, tf.newaxis] for values in make_data())
    batches = tf.data.Dataset.from_tensor_slices((x, y)).take(150).batch(32)

    # region batch_losses
    sizes = [len(x_batch) for x_batch, _ in batches]
    noted = BatchLosses(sizes)
    compiled(KerasLinearModel()).fit(
        batches, epochs=2, shuffle=False, verbose=0, callbacks=[noted]
    )
    for epoch, first in enumerate((0, 5), start=1):
        means = noted.means[first : first + 5]
        losses = noted.losses[first : first + 5]
        print(f"epoch {epoch}, logged:", *(f"{mean:7.4f}" for mean in means))
        print(f"epoch {epoch}, batch: ", *(f"{loss:7.4f}" for loss in losses))
    # endregion batch_losses
