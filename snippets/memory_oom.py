"""A tensor that is too large for any machine."""

import textwrap

import tensorflow as tf

if __name__ == "__main__":
    # region oom
    try:
        images = tf.zeros([10**12, 224, 224, 3])
    except tf.errors.ResourceExhaustedError as error:
        message = str(error).split("}} ")[1].split(" by ")[0]
        print(textwrap.fill(message, 78))
    # endregion oom
