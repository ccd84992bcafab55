"""Models whose classes have arguments, saved and loaded."""

import tensorflow as tf

from snippets.data import make_data
from snippets.saved_models import Line


# region Scaled
@tf.keras.utils.register_keras_serializable()
class Scaled(Line):
    """A line whose inputs are divided by a number."""

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        self.scale = scale

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Return a prediction for each row of x, shape (rows, 1)."""
        return super().call(x / self.scale)


# endregion Scaled


# region Kept
@tf.keras.utils.register_keras_serializable()
class Kept(Line):
    """A line whose inputs are divided by a number."""

    def __init__(self, scale: float = 1.0, **options: object) -> None:
        super().__init__(**options)
        self.scale = scale

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Return a prediction for each row of x, shape (rows, 1)."""
        return super().call(x / self.scale)

    def get_config(self) -> dict[str, object]:
        """Return the arguments, by name, for the file."""
        return {**super().get_config(), "scale": self.scale}


# endregion Kept

if __name__ == "__main__":
    x, y = make_data()
    inputs = x[:, tf.newaxis]

    try:
        # region not_revived
        scaled = Scaled(2.0)
        scaled(inputs)
        scaled.save("scaled.keras")
        tf.keras.models.load_model("scaled.keras")
        # endregion not_revived
    except TypeError as error:
        print(error)

    # region kept
    kept = Kept(2.0)
    before = kept(inputs)
    kept.save("kept.keras")
    revived = tf.keras.models.load_model("kept.keras")
    print("scale:", revived.scale)
    assert tf.reduce_all(revived(inputs) == before)
    # endregion kept
