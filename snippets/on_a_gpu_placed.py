"""Where the operations of a compiled function run, as a program."""

# region placed
import tensorflow as tf


@tf.function
def compute(x, w):
    """Return the sum of a product of matrices."""
    return tf.reduce_sum(x @ w)


if __name__ == "__main__":
    tf.debugging.set_log_device_placement(True)
    compute(tf.ones([2, 3]), tf.ones([3, 1]))
# endregion placed
