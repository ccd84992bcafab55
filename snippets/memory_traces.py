"""Traces that stay: Python numbers, uneven batches, lists in a graph."""

import textwrap
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from snippets.data import make_data
from snippets.linear_model import LinearModel
from snippets.memory_count import Messages, check_growth, count_graphs
from snippets.training_loop import train

Step = Callable[[tf.Tensor, tf.Tensor], None]


# region train_by_epoch
def train_by_epoch(model, x, y, learning_rate) -> None:
    """Update the weights once."""
    train(model, x, y, learning_rate)


# endregion train_by_epoch


# region make_step
def make_step(model: LinearModel) -> Callable[[tf.Tensor, tf.Tensor], None]:
    """Return a step that trains the model with any number of rows."""

    def step(x: tf.Tensor, y: tf.Tensor) -> None:
        train(model, x, y, learning_rate=0.01)

    return step


# endregion make_step


# region double
outputs: list[tf.Tensor] = []


@tf.function
def double(x: tf.Tensor) -> tf.Tensor:
    """Return twice x, and note it."""
    result = 2.0 * x
    outputs.append(result)
    return result


# endregion double


# region double_all
@tf.function
def double_all(batches: tf.Tensor) -> tf.Tensor:
    """Return twice each row, with what was noted of each."""
    notes = tf.TensorArray(tf.float32, size=len(batches))
    for number in tf.range(len(batches)):
        notes = notes.write(number, 2.0 * batches[number])
    return notes.stack()


# endregion double_all


# region falling
def make_falling_step(model: LinearModel) -> Any:
    """Return a compiled step whose learning rate falls with each call."""
    learning_rate = tf.Variable(0.1)

    @tf.function
    def step(x: tf.Tensor, y: tf.Tensor) -> None:
        train(model, x, y, learning_rate)
        learning_rate.assign(0.9 * learning_rate)

    return step


# endregion falling

if __name__ == "__main__":
    # region data
    x, y = make_data(204)
    # endregion data

    # region by_epoch
    messages = Messages()
    model, compiled_train = LinearModel(), tf.function(train_by_epoch)
    for epoch in range(1, 7):
        for start in range(4):
            batch = x[start::4], y[start::4]
            compiled_train(model, *batch, 0.1 / epoch)
    print("traces:", compiled_train.experimental_get_tracing_count())
    print("graphs kept:", count_graphs())
    print("messages:", len(messages.texts))
    # endregion by_epoch

    # region every_call
    model, compiled_train = LinearModel(), tf.function(train)
    for step in range(1, 7):
        compiled_train(model, x, y, 0.1 / step)
    print("traces:", compiled_train.experimental_get_tracing_count())
    print("graphs kept:", count_graphs())
    print("messages:", len(messages.texts))
    # endregion every_call

    # region message
    for text in messages.texts[:1]:
        print(textwrap.fill(text, 78))
    # endregion message

    # region tensors
    model, compiled_train = LinearModel(), tf.function(train)
    for step in range(1, 7):
        compiled_train(model, x, y, tf.constant(0.1 / step))
    print("traces:", compiled_train.experimental_get_tracing_count())
    print("graphs kept:", count_graphs())
    assert compiled_train.experimental_get_tracing_count() == 1
    # endregion tensors

    # region uneven
    length = tf.TensorSpec([None], tf.float32)
    for options in (
        {},
        {"reduce_retracing": True},
        {"input_signature": [length, length]},
    ):
        compiled_step = tf.function(make_step(LinearModel()), **options)
        for rows in (32, 9, 7, 5, 3):
            compiled_step(x[:rows], y[:rows])
        count = compiled_step.experimental_get_tracing_count()
        name = next(iter(options), "no option")
        print(f"{name:16} traces: {count}")
    # endregion uneven

    # region doubled
    for value in (1.0, 2.0, 3.0):
        double(tf.constant(value))
    print("entries:", len(outputs))
    print(outputs[0])
    # endregion doubled

    try:
        # region noted
        float(outputs[0])
        # endregion noted
    except TypeError as error:
        print(error)

    # region out_of_scope
    try:
        total = outputs[0] + 1.0
    except TypeError as error:
        print(textwrap.fill(str(error).splitlines()[0], 78))
    # endregion out_of_scope

    # region returned
    noted = double_all(tf.constant([1.0, 2.0, 3.0]))
    print(noted.numpy())
    # endregion returned

    # region fallen
    falling_step = make_falling_step(LinearModel())
    check_growth(lambda: falling_step(x, y))
    print("traces:", falling_step.experimental_get_tracing_count())
    # endregion fallen
