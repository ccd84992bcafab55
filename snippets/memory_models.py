"""Functions, models and optimizers made anew in each round, and predict."""

from typing import Any

import tensorflow as tf
from keras import Model, Optimizer

from snippets.data import make_data
from snippets.keras_model import KerasLinearModel
from snippets.linear_model import LinearModel
from snippets.loss import loss
from snippets.memory_count import check_growth, count_graphs
from snippets.training_loop import train


# region train_with
def train_with(
    model: Model, optimizer: Optimizer, x: tf.Tensor, y: tf.Tensor
) -> tf.Tensor:
    """Update every variable once; return the loss before that."""
    variables = model.trainable_variables
    with tf.GradientTape() as tape:
        current_loss = loss(y, model(x, training=True))
    gradients = tape.gradient(current_loss, variables)
    optimizer.apply(gradients, variables)
    return current_loss


# endregion train_with


# region new_round
def new_round(x: tf.Tensor, y: tf.Tensor, *, build: bool) -> float:
    """Train a new model for ten epochs; return its last loss."""
    model, optimizer = KerasLinearModel(), tf.keras.optimizers.Adam(0.1)
    if build:
        optimizer.build(model.trainable_variables)
    compiled_train = tf.function(train_with)
    for _ in range(10):
        current_loss = compiled_train(model, optimizer, x, y)
    return float(current_loss)


# endregion new_round


# region reset
def reset(variables: list[Any], start: list[Any]) -> None:
    """Give every variable the value that it had at the start."""
    for variable, value in zip(variables, start, strict=True):
        variable.assign(value)


# endregion reset

if __name__ == "__main__":
    x, y = make_data(204)

    # region new_functions
    model = LinearModel()
    before = count_graphs()
    for _ in range(3):
        new_train = tf.function(train)
        new_train(model, x, y, tf.constant(0.01))
        print("graphs:", count_graphs() - before)
    # endregion new_functions

    # region new_models
    for build in (False, True):
        print("optimizer built first:", build)
        before = count_graphs()
        for fold in range(3):
            rows = tf.range(len(x)) % 3 != fold
            last_loss = new_round(x[rows], y[rows], build=build)
            tf.keras.backend.clear_session()
            graphs = count_graphs() - before
            print(f"fold {fold}: loss {last_loss:.4f}, graphs {graphs}")
    # endregion new_models

    # region one_model
    keras_model, optimizer = KerasLinearModel(), tf.keras.optimizers.Adam(0.1)
    optimizer.build(keras_model.trainable_variables)
    variables = [*keras_model.variables, *optimizer.variables]
    start = [variable.numpy() for variable in variables]
    compiled_train = tf.function(train_with)
    # endregion one_model

    # region same_model
    before = count_graphs()
    for fold in range(3):
        reset(variables, start)
        rows = tf.range(len(x)) % 3 != fold
        fold_x, fold_y = x[rows], y[rows]
        for _ in range(10):
            last_loss = compiled_train(keras_model, optimizer, fold_x, fold_y)
        graphs = count_graphs() - before
        print(f"fold {fold}: loss {last_loss:.4f}, graphs {graphs}")
    assert compiled_train.experimental_get_tracing_count() == 1
    # endregion same_model

    # region predict
    before = count_graphs()
    for rows in (204, 204, 150, 100, 50):
        keras_model.predict(x[:rows], verbose=0)
        keras_model(x[:rows])
    function = keras_model.predict_function
    print("traces:", function.experimental_get_tracing_count())
    print("graphs:", count_graphs() - before)
    # endregion predict

    # region checks
    history: list[Any] = []
    for name, work in {
        "predictions": lambda: keras_model(x),
        "float(loss)": lambda: history.append(float(loss(y, keras_model(x)))),
        "loss": lambda: history.append(loss(y, keras_model(x))),
        "model": lambda: history.append(KerasLinearModel()),
        "new round": lambda: new_round(x, y, build=True),
    }.items():
        try:
            check_growth(work)
            print(f"{name}: no growth")
        except AssertionError as error:
            print(f"{name}: {error}")
    # endregion checks
