"""Variables that are to be keys, or to be found by their names."""

import tensorflow as tf

from snippets.data import make_data
from snippets.errors_in_a_step import gradients_of
from snippets.keras_model import KerasLinearModel

if __name__ == "__main__":
    x, y = (values[:, tf.newaxis] for values in make_data())

    try:
        # region unhashable
        model = KerasLinearModel()
        gradients = gradients_of(model, x, y)
        dict(zip(model.trainable_variables, gradients, strict=True))
        # endregion unhashable
    except TypeError as error:
        print(error)

    # region names_repeat
    layers = [tf.keras.layers.Dense(2, name=name) for name in ("one", "two")]
    model = tf.keras.Sequential([tf.keras.Input((1,)), *layers], name="model")
    variables = model.trainable_variables
    names = {variable.name for variable in variables}
    print(f"{len(variables)} variables, {len(names)} names")
    # endregion names_repeat

    # region paths_differ
    paths = {variable.path for variable in variables}
    print(sorted(paths))
    assert len(paths) == len(variables)
    # endregion paths_differ
