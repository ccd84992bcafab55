"""Data larger than memory: rows of a file, in a loop and in fit."""

import random
from collections.abc import Iterable, Iterator

import numpy as np
import tensorflow as tf

# region draw_batches
Pair = tuple[np.ndarray, np.ndarray]


def draw_batches(
    x: np.ndarray, y: np.ndarray, batch: int, rng: np.random.Generator
) -> Iterator[Pair]:
    """Yield batches of (x, y) in a new order; read no more than a batch."""
    order = rng.permutation(len(x))
    for start in range(0, len(x), batch):
        rows = np.sort(order[start : start + batch])
        yield x[rows], y[rows]


# endregion draw_batches


# region tell_rows
def tell_rows(data: Iterable[Pair], epoch: int) -> None:
    """Print the first number of each row, batch by batch."""
    batches = (np.array(x)[:, 0].astype(int) for x, _ in data)
    print(f"epoch {epoch}:", *batches)


# endregion tell_rows


# region Rows
class Rows(tf.keras.utils.PyDataset):
    """Batches of (x, y) for fit; fit draws the order of the batches."""

    def __init__(self, x: np.ndarray, y: np.ndarray, batch: int) -> None:
        super().__init__()
        self.x, self.y, self.batch = x, y, batch
        self.order, self.rng = np.arange(len(x)), np.random.default_rng(0)

    def __len__(self) -> int:
        return -(-len(self.x) // self.batch)

    def __getitem__(self, number: int) -> Pair:
        first = number * self.batch
        rows = np.sort(self.order[first : first + self.batch])
        return self.x[rows], self.y[rows]


# endregion Rows


# region Shuffled
class Shuffled(Rows):
    """The same, but other rows come together in each epoch."""

    def on_epoch_end(self) -> None:
        """Draw a new order of the rows."""
        self.order = self.rng.permutation(len(self.x))


# endregion Shuffled


# region Tell
class Tell(tf.keras.Model):
    """A model that learns nothing and prints the rows that it is given."""

    def train_step(self, data: tuple[tf.Tensor, ...]) -> dict[str, float]:
        """Print the first number of each row of the batch."""
        print("", data[0].numpy()[:, 0].astype(int), end="")
        return {"loss": 0.0}


# endregion Tell


# region tell_fit
def tell_fit(data: tf.keras.utils.PyDataset) -> None:
    """Print the rows of each batch that fit trains on, an epoch a line."""
    random.seed(0)
    model = Tell()
    model.compile(run_eagerly=True)
    lines = tf.keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: print(f"epoch {epoch}:", end=""),
        on_epoch_end=lambda epoch, logs: print(),
    )
    model.fit(data, epochs=3, verbose=0, callbacks=[lines])


# endregion tell_fit


if __name__ == "__main__":
    # region from_file
    np.save("x.npy", np.arange(12, dtype="float32")[:, np.newaxis])
    x = np.load("x.npy", mmap_mode="r")
    y = np.zeros((12, 1), "float32")
    rng = np.random.default_rng(0)
    for epoch in range(2):
        tell_rows(draw_batches(x, y, 4, rng), epoch)
    # endregion from_file

    # region same_order
    spec = tf.TensorSpec((None, 1), tf.float32)
    data = tf.data.Dataset.from_generator(
        lambda: draw_batches(x, y, 4, np.random.default_rng(0)),
        output_signature=(spec, spec),
    )
    for epoch in range(2):
        tell_rows(data, epoch)
    # endregion same_order

    # region new_order
    rng = np.random.default_rng(0)
    data = tf.data.Dataset.from_generator(
        lambda: draw_batches(x, y, 4, rng), output_signature=(spec, spec)
    )
    for epoch in range(2):
        tell_rows(data, epoch)
    # endregion new_order

    # region same_company
    tell_fit(Rows(x, y, batch=4))
    # endregion same_company

    # region new_company
    tell_fit(Shuffled(x, y, batch=4))
    # endregion new_company
