"""Tensors, variables, the gradient tape and modules, one block each."""

# region setup
import tensorflow as tf

# endregion setup


# region module
class Scale(tf.Module):
    """Multiplies what it is given by a weight."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = tf.Variable(factor)

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """Return x times the factor, in the shape of x."""
        return x * self.factor


# endregion module

if __name__ == "__main__":
    # region tensor
    x = tf.constant([1.0, 2.0, 3.0])
    print(x.shape, x.dtype)
    print(x * 2.0 + 1.0)
    # endregion tensor

    # region variable
    weight = tf.Variable(5.0)
    same = weight
    weight.assign_sub(1.0)
    print("weight:", weight.numpy(), "under its other name:", same.numpy())
    # endregion variable

    # region tape
    with tf.GradientTape() as tape:
        result = weight**2
    slope = tape.gradient(result, weight)
    print("weight:", weight.numpy(), "slope of its square:", slope.numpy())
    # endregion tape

    # region use_module
    scale = Scale(10.0)
    print(scale(x))
    print(scale.variables)
    # endregion use_module
