"""Batches whose number of rows is not known while a graph is made."""

from collections.abc import Callable

import tensorflow as tf

from snippets.data import make_data
from snippets.keras_model import KerasLinearModel


# region Noisy
class Noisy(KerasLinearModel):
    """A line whose inputs are shaken while it is trained."""

    def call(self, x, training=False):
        """Return a prediction for each x, in the shape of x."""
        if training:
            x = x + tf.random.normal(x.shape)
        return super().call(x)


# endregion Noisy


# region in_a_graph
def in_a_graph(call: Callable[[tf.Tensor], object], x: tf.Tensor) -> str:
    """Return the error of a call in a graph for any number of rows."""
    any_rows = tf.TensorSpec([None, *x.shape[1:]], x.dtype)
    try:
        tf.function(call, input_signature=[any_rows])(x)
    except (TypeError, ValueError) as error:
        return str(error).strip().split("\n")[-1].strip()
    return "nothing"


# endregion in_a_graph


# region NoisyTensor
class NoisyTensor(KerasLinearModel):
    """A line whose inputs are shaken while it is trained."""

    def call(self, x, training=False):
        """Return a prediction for each x, in the shape of x."""
        if training:
            x = x + tf.random.normal(tf.shape(x))
        return super().call(x)


# endregion NoisyTensor

if __name__ == "__main__":
    x, y = (values[:, tf.newaxis] for values in make_data())

    try:
        # region partly_known
        model = Noisy()
        model.compile("sgd", "mse")
        model.fit(x, y, batch_size=128, verbose=0)
        # endregion partly_known
    except ValueError as error:
        print(error)

    # region other_words
    for call in (
        lambda x: tf.reshape(x, (x.shape[0], 1)),
        lambda x: tf.zeros((x.shape[0], 1)),
        lambda x: tf.reduce_sum(x) / x.shape[0],
        lambda x: [x[i] for i in range(x.shape[0])],
    ):
        print(in_a_graph(call, x))
    # endregion other_words

    # region asked_when_it_runs
    model = NoisyTensor()
    print(in_a_graph(lambda x: model(x, training=True), x))
    # endregion asked_when_it_runs
