"""The model: a straight line with two weights."""

import tensorflow as tf


# region model
class LinearModel(tf.Module):
    """A straight line, f(x) = x * w + b."""

    def __init__(self) -> None:
        super().__init__()
        self.w = tf.Variable(5.0, name="w")
        self.b = tf.Variable(0.0, name="b")

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """Return a prediction for each x, in the shape of x."""
        return x * self.w + self.b


# endregion model

if __name__ == "__main__":
    # region try_model
    model = LinearModel()
    for variable in model.variables:
        print(variable)
    assert model(3.0) == 15.0
    # endregion try_model

    # region initializer
    initializer = tf.keras.initializers.RandomNormal(stddev=1.0, seed=0)
    print("three random starts:", initializer(shape=(3,)).numpy())
    # endregion initializer
