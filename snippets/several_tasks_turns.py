"""Two tasks, each with data of its own: together, and by turns."""

import tensorflow as tf

from snippets.other_loops_finder import make_step
from snippets.several_tasks_setup import (
    Batch,
    Loss,
    Model,
    Models,
    Optimizer,
    Step,
)


# region make_rows
def make_rows(rows: int, task: int) -> Batch:
    """Return rows of two numbers, and y with noise, of the task 0 or 1."""
    x = tf.random.stateless_uniform((rows, 2), (1, task), -1.0, 1.0)
    y = tf.sin(3.0 * x[:, :1]) if task == 0 else 10.0 * x[:, :1] * x[:, 1:]
    spread = 0.1 if task == 0 else 1.0
    return x, y + spread * tf.random.stateless_normal((rows, 1), (2, task))


# endregion make_rows


# region make_models
def make_models() -> tuple[Model, list[Model]]:
    """Return a trunk, and two models of it and a head of their own."""
    tf.keras.utils.set_random_seed(1)
    dense = tf.keras.layers.Dense(16, activation="tanh")
    trunk = tf.keras.Sequential([tf.keras.Input((2,)), dense])
    models = [
        tf.keras.Sequential([trunk, tf.keras.layers.Dense(1)])
        for _ in range(2)
    ]
    for model in models:
        model.build((None, 2))
    return trunk, models


# endregion make_models


# region variables_of
def variables_of(models: Models) -> list[tf.Variable]:
    """Return the trainable variables of some models, each of them once."""
    found = [v for model in models for v in model.trainable_variables]
    return list({id(variable): variable for variable in found}.values())


# endregion variables_of


# region losses_of
def losses_of(models, loss, batches) -> list[tf.Tensor]:
    """Return the loss of each model on its batch, in training."""
    pairs = zip(models, batches, strict=True)
    return [loss(y, model(x, training=True)) for model, (x, y) in pairs]


# endregion losses_of


# region make_joint_step
def make_joint_step(models: Models, loss: Loss, optimizer: Optimizer) -> Step:
    """Return a compiled step on a batch of each task; it returns losses."""

    def step(*batches: Batch) -> tf.Tensor:
        with tf.GradientTape() as tape:
            losses = losses_of(models, loss, batches)
            current_loss = tf.add_n(losses)
        variables = variables_of(models)
        gradients = tape.gradient(current_loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return tf.stack(losses)

    compiled: Step = tf.function(step)
    return compiled


# endregion make_joint_step


# region make_masked_step
def make_masked_step(models: Models, loss: Loss, optimizer: Optimizer) -> Step:
    """Return a compiled step on one task, with all of the variables."""

    def step(x: tf.Tensor, y: tf.Tensor, task: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            losses = losses_of(models, loss, [(x, y)] * len(models))
            current_loss = tf.tensordot(task, losses, 1)
        variables = variables_of(models)
        gradients = tape.gradient(current_loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return current_loss

    compiled: Step = tf.function(step)
    return compiled


# endregion make_masked_step


if __name__ == "__main__":
    # region learn_both
    many, few = make_rows(1024, 0), make_rows(256, 1)
    first = tf.data.Dataset.from_tensor_slices(many).shuffle(1024, seed=0)
    second = tf.data.Dataset.from_tensor_slices(few).shuffle(256, seed=1)
    second = second.repeat()
    data = tf.data.Dataset.zip(first.batch(32), second.batch(32))
    loss = tf.keras.losses.MeanSquaredError()
    trunk, models = make_models()
    step = make_joint_step(models, loss, tf.keras.optimizers.Adam(0.01))
    for epoch in range(21):
        for batches in data:
            losses = step(*batches)
        if epoch % 10 == 0:
            print(f"epoch {epoch}: {losses[0]:.3f} and {losses[1]:.3f}")
    # endregion learn_both

    # region listed_twice
    trunk, models = make_models()
    sgd = tf.keras.optimizers.SGD(0.1)
    listed = models[0].trainable_variables + models[1].trainable_variables
    sgd.apply_gradients([(tf.ones_like(each), each) for each in listed])
    for layer in (trunk.layers[0], models[0].layers[-1]):
        print(f"{layer.units} units, bias {layer.bias[0]:.1f}")
    # endregion listed_twice

    # region other_head
    turns = tf.eye(2)
    for make in (tf.keras.optimizers.SGD, tf.keras.optimizers.Adam):
        trunk, models = make_models()
        step = make_masked_step(models, loss, make(0.01))
        step(*few, turns[1])
        head = models[1].layers[-1].kernel
        before = head.numpy()
        step(*many, turns[0])
        print(f"{make.__name__}: {tf.norm(head - before):.3f}")
    # endregion other_head

    # region by_turns
    trunk, models = make_models()
    adam = tf.keras.optimizers.Adam(0.01)
    adam.build(variables_of(models))
    steps = [make_step(model, loss, adam) for model in models]
    steps[1](*few)
    head = models[1].layers[-1].kernel
    before = head.numpy()
    steps[0](*many)
    print(f"Adam: {tf.norm(head - before):.3f}")
    # endregion by_turns
