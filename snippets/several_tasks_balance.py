"""Losses of several tasks: weighed by what they are, and untangled."""

from collections.abc import Sequence

import tensorflow as tf

from snippets.several_tasks_setup import (
    Batch,
    Loss,
    Model,
    Models,
    Optimizer,
    Pairs,
    Step,
)
from snippets.several_tasks_turns import (
    losses_of,
    make_joint_step,
    make_models,
    make_rows,
    variables_of,
)


# region pulls
def pulls(
    trunk: Model, models: Models, loss: Loss, batches: Sequence[Batch]
) -> list[tf.Tensor]:
    """Return the gradient of each loss at the trunk, as one long vector."""
    with tf.GradientTape(persistent=True) as tape:
        losses = losses_of(models, loss, batches)
    shared = trunk.trainable_variables
    found = [tape.gradient(one, shared) for one in losses]
    return [
        tf.concat([tf.reshape(part, [-1]) for part in parts], axis=0)
        for parts in found
    ]


# endregion pulls


# region balanced
def balanced(losses: Sequence[tf.Tensor], scales: tf.Variable) -> tf.Tensor:
    """Return the sum of losses, each over e to its scale, and of the scales.

    There is a scale for each loss.  Kendall and others, arXiv:1705.07115.
    """
    stacked = tf.ensure_shape(tf.stack(losses), scales.shape)
    return tf.reduce_sum(tf.exp(-scales) * stacked + scales)


# endregion balanced


# region make_balanced_step
def make_balanced_step(
    models: Models, scales: tf.Variable, loss: Loss, optimizer: Optimizer
) -> Step:
    """Return a compiled step that trains the scales as well."""

    def step(*batches: Batch) -> tf.Tensor:
        with tf.GradientTape() as tape:
            current_loss = balanced(losses_of(models, loss, batches), scales)
        variables = [*variables_of(models), scales]
        gradients = tape.gradient(current_loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return current_loss

    compiled: Step = tf.function(step)
    return compiled


# endregion make_balanced_step


# region without
def without(
    gradients: Sequence[tf.Tensor], others: Sequence[tf.Tensor]
) -> list[tf.Tensor]:
    """Return the gradients less what in them goes against the others.

    Yu and others, "Gradient Surgery", arXiv:2001.06782.
    """
    pairs = list(zip(gradients, others, strict=True))
    agreement = tf.add_n([tf.reduce_sum(a * b) for a, b in pairs])
    length = tf.add_n([tf.reduce_sum(b * b) for b in others])
    share = tf.math.divide_no_nan(tf.minimum(agreement, 0.0), length)
    return [a - share * b for a, b in pairs]


# endregion without


# region surgery
def surgery(
    trunk: Model, models: Models, loss: Loss, batches: Sequence[Batch]
) -> tuple[list[tf.Tensor], Pairs]:
    """Return two losses, and gradients with their variables."""
    with tf.GradientTape(persistent=True) as tape:
        losses = losses_of(models, loss, batches)
    shared = trunk.trainable_variables
    heads = variables_of([trunk, *models])[len(shared) :]
    a, b = (
        [tf.convert_to_tensor(part) for part in tape.gradient(one, shared)]
        for one in losses
    )
    both = zip(without(a, b), without(b, a), strict=True)
    gradients = [p + q for p, q in both] + tape.gradient(losses, heads)
    return losses, list(zip(gradients, shared + heads, strict=True))


# endregion surgery


# region make_surgery_step
def make_surgery_step(
    trunk: Model, models: Models, loss: Loss, optimizer: Optimizer
) -> Step:
    """Return a compiled step of PCGrad for two tasks; it returns losses."""

    def step(*batches: Batch) -> tf.Tensor:
        losses, pairs = surgery(trunk, models, loss, batches)
        optimizer.apply_gradients(pairs)
        return tf.stack(losses)

    compiled: Step = tf.function(step)
    return compiled


# endregion make_surgery_step


# region even
def even(pulled: Sequence[tf.Tensor]) -> tf.Tensor:
    """Return a weight for each gradient that makes all equally long."""
    lengths = tf.stack([tf.norm(pull) for pull in pulled])
    return tf.math.divide_no_nan(tf.reduce_mean(lengths), lengths)


# endregion even


if __name__ == "__main__":
    # region plain_sum
    batches = make_rows(1024, 0), make_rows(256, 1)
    loss = tf.keras.losses.MeanSquaredError()
    trunk, models = make_models()
    step = make_joint_step(models, loss, tf.keras.optimizers.Adam(0.01))
    for _ in range(600):
        losses = step(*batches)
    print(f"losses {losses[0]:.3f} and {losses[1]:.3f}")
    # endregion plain_sum

    # region measure_pulls
    first, second = pulls(trunk, models, loss, batches)
    print(f"lengths {tf.norm(first):.3f} and {tf.norm(second):.3f}")
    cosine = tf.tensordot(first, second, 1) / tf.norm(first) / tf.norm(second)
    print(f"cosine {cosine:.2f}")
    # endregion measure_pulls

    # region learn_balance
    trunk, models = make_models()
    scales = tf.Variable(tf.math.log(losses_of(models, loss, batches)))
    adam = tf.keras.optimizers.Adam(0.01)
    step = make_balanced_step(models, scales, loss, adam)
    for _ in range(600):
        current_loss = step(*batches)
    losses = losses_of(models, loss, batches)
    weights = tf.exp(-scales)
    print(f"losses {losses[0]:.3f} and {losses[1]:.3f}")
    print(f"weights {weights[0]:.0f} and {weights[1]:.1f}")
    print(f"the loss of the step: {current_loss:.2f}")
    # endregion learn_balance

    # region apart
    first, second = [tf.constant([2.0, 1.0])], [tf.constant([-1.0, 1.0])]
    print(f"{without(first, second)[0]} and {without(second, first)[0]}")
    # endregion apart

    # region learn_apart
    trunk, models = make_models()
    adam = tf.keras.optimizers.Adam(0.01)
    step = make_surgery_step(trunk, models, loss, adam)
    for _ in range(600):
        losses = step(*batches)
    print(f"losses {losses[0]:.3f} and {losses[1]:.3f}")
    # endregion learn_apart

    # region even_pulls
    trunk, models = make_models()
    pulled = pulls(trunk, models, loss, batches)
    for weight, pull in zip(even(pulled), pulled, strict=True):
        print(f"weight {weight:.2f}: {tf.norm(weight * pull):.2f} long")
    # endregion even_pulls
