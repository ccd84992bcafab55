"""The same model as a ``keras.Model``, in the same loop."""

import tensorflow as tf

from snippets.data import make_data
from snippets.linear_model import LinearModel
from snippets.training_loop import training_loop


# region model
class KerasLinearModel(tf.keras.Model):
    """The same line, f(x) = x * w + b, as a Keras model."""

    def __init__(self) -> None:
        super().__init__()
        start = tf.keras.initializers.Constant(5.0)
        self.w = self.add_weight(name="w", shape=(), initializer=start)
        self.b = self.add_weight(name="b", shape=(), initializer="zeros")

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Return a prediction for each x, in the shape of x."""
        return x * self.w + self.b


# endregion model

if __name__ == "__main__":
    x, y = make_data()
    history = training_loop(LinearModel(), x, y)

    # region run
    keras_model = KerasLinearModel()
    keras_history = training_loop(keras_model, x, y)
    print("same history:", keras_history == history)
    # endregion run

    # region save
    keras_model.save_weights("linear.weights.h5")
    loaded = KerasLinearModel()
    untrained = loaded(x)
    loaded.load_weights("linear.weights.h5")
    print("before loading:", untrained[-1].numpy())
    print("after loading: ", loaded(x)[-1].numpy())
    print("the saved model:", keras_model(x)[-1].numpy())
    # endregion save
