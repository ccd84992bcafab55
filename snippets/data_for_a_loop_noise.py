"""Noise that processes draw for fit, as a program of its own."""

# region drawing
import numpy as np
import tensorflow as tf


class Noise(tf.keras.utils.PyDataset):
    """Four batches of one random number each, all from one generator."""

    epoch, rng = 0, np.random.default_rng(0)

    def __len__(self) -> int:
        return 4

    def __getitem__(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        return self.rng.uniform(size=(1, 1)), np.zeros((1, 1))


# endregion drawing


# region Seeded
class Seeded(Noise):
    """The same, but each batch of each epoch has a seed of its own."""

    def on_epoch_end(self) -> None:
        """Count the epochs."""
        self.epoch += 1

    def __getitem__(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng((self.epoch, number))
        return rng.uniform(size=(1, 1)), np.zeros((1, 1))


# endregion Seeded


# region Note
class Note(tf.keras.Model):
    """A model that learns nothing and notes the numbers that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[float] = []

    def train_step(self, data: tuple[tf.Tensor, ...]) -> dict[str, float]:
        """Note the number in the batch."""
        self.given.append(data[0].numpy().item())
        return {"loss": 0.0}


# endregion Note

# region work
if __name__ == "__main__":
    for kind in (Noise, Seeded):
        model = Note()
        model.compile(run_eagerly=True)
        data = kind(workers=1, use_multiprocessing=True)
        model.fit(data, epochs=3, shuffle=False, verbose=0)
        for epoch in range(3):
            numbers = model.given[4 * epoch : 4 * epoch + 4]
            told = " ".join(f"{number:.2f}" for number in numbers)
            print(f"{kind.__name__}, epoch {epoch}: {told}")
# endregion work
