"""What print and tf.print do in a compiled function."""

import contextlib
import io
import os
import tempfile
from pathlib import Path

import tensorflow as tf


# region tell
def tell(value: tf.Tensor) -> None:
    """Print a loss in two ways."""
    print("print:   ", value)
    tf.print("tf.print:", value)


# endregion tell


# region tell_file
def tell_file(value: tf.Tensor) -> None:
    """Print a loss into a file."""
    tf.print("loss", value, output_stream="file://losses.txt")


# endregion tell_file

if __name__ == "__main__":
    os.chdir(tempfile.mkdtemp(prefix="watched-", dir="."))

    # region printed
    compiled = tf.function(tell)
    for value in (8.0, 4.0, 2.0):
        compiled(tf.constant(value))
    # endregion printed

    # region caught
    caught = io.StringIO()
    with contextlib.redirect_stderr(caught):
        compiled(tf.constant(1.0))
    print("caught:", len(caught.getvalue()), "characters")
    # endregion caught

    # region to_file
    compiled = tf.function(tell_file)
    for value in (8.0, 4.0, 2.0):
        compiled(tf.constant(value))
    print(Path("losses.txt").read_text(), end="")
    # endregion to_file
