"""Find the operation that made a NaN, eagerly and compiled."""

import tensorflow as tf

from snippets.data import make_data
from snippets.keras_model import KerasLinearModel
from snippets.nan_sources import train_short


# region checked
def checked(value: tf.Tensor) -> tf.Tensor:
    """Return the value if it is finite, and raise if not."""
    return tf.debugging.check_numerics(value, "value")


# endregion checked

if __name__ == "__main__":
    x, y = make_data()

    try:
        # region check
        model, optimizer = KerasLinearModel(), tf.keras.optimizers.SGD(0.1)
        for _ in range(3):
            found = train_short(model, optimizer, x, y, tf.norm)
            tf.debugging.check_numerics(found[0], "the loss")
        # endregion check
    except tf.errors.InvalidArgumentError as error:
        print(error)

    try:
        # region enable
        tf.debugging.enable_check_numerics()
        model, optimizer = KerasLinearModel(), tf.keras.optimizers.SGD(0.1)
        train_short(model, optimizer, x, y, tf.norm)
        # endregion enable
    except tf.errors.InvalidArgumentError as error:
        print(error)

    # region disable
    tf.debugging.disable_check_numerics()
    # endregion disable

    # region xla
    with_xla = tf.function(checked, jit_compile=True)
    print(with_xla(float("nan")))
    # endregion xla
