"""Federated averaging: models that learn apart, from one start."""

import numpy as np
import tensorflow as tf

from snippets.other_loops_finder import make_model, make_rows, make_step
from snippets.other_loops_setup import Model, Step


# region average
def average(models: list[Model], rows: list[int]) -> list[np.ndarray]:
    """Return the mean of the weights of models, each as heavy as its rows.

    All have the same layers.  McMahan and others, arXiv:1602.05629.
    """
    weights = [model.get_weights() for model in models]
    return [
        np.average(part, axis=0, weights=rows)
        for part in zip(*weights, strict=True)
    ]


# endregion average


# region learn
def learn(step: Step, x: tf.Tensor, y: tf.Tensor) -> None:
    """Take 100 steps on all rows of a client."""
    for _ in range(100):
        step(x, y)


# endregion learn


if __name__ == "__main__":
    # region other_order
    x, y = make_rows()
    loss = tf.keras.losses.MeanSquaredError()
    parts, rows = [(x[:512], y[:512]), (x[512:], y[512:])], [512, 1536]
    clients, model = [make_model(), make_model()], make_model()
    kernel, bias, head, shift = clients[1].get_weights()
    clients[1].set_weights([kernel[:, ::-1], bias[::-1], head[::-1], shift])
    sgd = tf.keras.optimizers.SGD
    steps = [make_step(client, loss, sgd(0.1)) for client in clients]
    for step, client, part in zip(steps, clients, parts, strict=True):
        learn(step, *part)
        print(f"loss {loss(y, client(x)):.3f}")
    model.set_weights(average(clients, rows))
    print(f"of the average {loss(y, model(x)):.3f}")
    # endregion other_order

    # region from_one_start
    model = make_model()
    for count in range(1, 4):
        for step, client, part in zip(steps, clients, parts, strict=True):
            client.set_weights(model.get_weights())
            learn(step, *part)
        model.set_weights(average(clients, rows))
        print(f"round {count}: of the average {loss(y, model(x)):.3f}")
    # endregion from_one_start
