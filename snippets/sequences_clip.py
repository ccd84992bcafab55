"""Gradients that explode, and steps for sequences of any length."""

import math

import tensorflow as tf

from snippets.sequences import (
    make_model,
    make_rnn,
    make_step,
    make_sums,
    mean_all,
    mean_real,
)
from snippets.sequences_setup import Model, Optimizer, Step


# region make_clipped_step
def make_clipped_step(model: Model, optimizer: Optimizer, most: float) -> Step:
    """Return a step that clips; it returns loss, and norm before that."""

    def step(x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, ...]:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(y - model(x, training=True)))
        variables = model.trainable_variables
        gradients = tape.gradient(loss, variables)
        gradients, norm = tf.clip_by_global_norm(gradients, most)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return loss, norm

    return step


# endregion make_clipped_step


# region make_score
def make_score(model: Model) -> Step:
    """Return a function from a batch to its loss."""

    def score(x: tf.Tensor, y: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        return mean_real(y, model(x), mask)

    return score


# endregion make_score

if __name__ == "__main__":
    # region explode
    for steps in (5, 10, 20):
        x = tf.random.stateless_uniform([32, steps, 1], (0, 0), -1.0, 1.0)
        y, rnn = tf.cumsum(x, axis=1), make_rnn(1.0, 1.5)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(y - rnn(x)))
        norm = tf.linalg.global_norm(tape.gradient(loss, rnn.weights))
        print(f"{steps:2d} steps: loss {loss:.1e}, gradient {norm:.1e}")
    # endregion explode

    # region unclipped
    model = tf.keras.Sequential([make_rnn(1.0, 1.5)])
    optimizer = tf.keras.optimizers.SGD(0.1)
    step = make_step(model, optimizer, mean_all)
    for count in (1, 2):
        loss = step(x, y, None)
        u, w = (float(tf.squeeze(weight)) for weight in model.weights)
        print(f"step {count}: loss {loss:.1e}, then u {u:.1e}, w {w:.1e}")
    # endregion unclipped

    # region clipped
    model = tf.keras.Sequential([make_rnn(1.0, 1.5)])
    optimizer = tf.keras.optimizers.SGD(0.1)
    step = make_clipped_step(model, optimizer, 1.0)
    for count in range(1, 6):
        loss, norm = step(x, y)
        u, w = (float(tf.squeeze(weight)) for weight in model.weights)
        print(f"step {count}: norm {norm:.1e}, then u {u:.2f}, w {w:.2f}")
    assert math.isfinite(loss)
    assert math.isfinite(norm)
    # endregion clipped

    # region by_optimizer
    model = tf.keras.Sequential([make_rnn(1.0, 1.5)])
    optimizer = tf.keras.optimizers.SGD(0.1, global_clipnorm=1.0)
    step = make_step(model, optimizer, mean_all)
    for count in (1, 2):
        step(x, y, None)
        u, w = (float(tf.squeeze(weight)) for weight in model.weights)
        print(f"step {count}: u {u:.2f}, w {w:.2f}")
    # endregion by_optimizer

    # region many_graphs
    score = tf.function(make_score(make_model()))
    for longest in (8, 5):
        loss = score(*make_sums(4, longest))
        graphs = score.experimental_get_tracing_count()
        print(f"up to {longest} numbers: loss {loss:.2f}, graphs {graphs}")
    # endregion many_graphs

    # region one_graph
    values = tf.TensorSpec([None, None, 1])
    signature = [values, values, tf.TensorSpec([None, None], tf.bool)]
    score = tf.function(make_score(make_model()), input_signature=signature)
    for longest in (8, 5):
        loss = score(*make_sums(4, longest))
        graphs = score.experimental_get_tracing_count()
        print(f"up to {longest} numbers: loss {loss:.2f}, graphs {graphs}")
    assert graphs == 1
    # endregion one_graph
