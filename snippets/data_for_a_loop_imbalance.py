"""A rare class: weighted in the loss, or drawn more often."""

import numpy as np
import tensorflow as tf

from snippets.data_for_a_loop_setup import (
    Adam,
    Dataset,
    Loss,
    Model,
    Step,
    slices,
)


# region make_rare
def make_rare(rows: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Return numbers and labels, (rows, 1); a tenth are ones.

    Zeros are normal around 0, ones around 2, both with a variance of 1.
    """
    luck = tf.random.stateless_uniform((rows, 1), (0, 0))
    y = tf.cast(luck < 0.1, tf.float32)
    return tf.random.stateless_normal((rows, 1), (0, 1)) + 2 * y, y


# endregion make_rare


# region make_line
def make_line() -> Model:
    """Return a model whose logits are a line; it starts as x itself."""
    line = tf.keras.layers.Dense(1, kernel_initializer="ones")
    return tf.keras.Sequential([tf.keras.Input((1,)), line])


# endregion make_line


# region make_step
def make_step(model: Model, loss: Loss) -> Step:
    """Return a step with Adam; it returns the loss of its batch."""
    optimizer = Adam(0.2)

    def step(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            current_loss = loss(y, model(x, training=True))
        variables = model.trainable_variables
        gradients = tape.gradient(current_loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return current_loss

    compiled: Step = tf.function(step)
    return compiled


# endregion make_step


# region learn
def learn(model: Model, loss: Loss, data: Dataset, epochs: int) -> Model:
    """Update the model on all batches of some epochs; return it."""
    step = make_step(model, loss)
    for _ in range(epochs):
        for x, y in data:
            step(x, y)
    return model


# endregion learn


# region cross_entropy
def cross_entropy(y: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return the mean loss of rows; both are (batch, 1)."""
    each = tf.nn.sigmoid_cross_entropy_with_logits(y, logits)
    return tf.reduce_mean(each)


# endregion cross_entropy


# region weighted
def weighted(y: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return the loss in which a one counts nine times."""
    each = tf.nn.weighted_cross_entropy_with_logits(y, logits, pos_weight=9.0)
    return tf.reduce_mean(each)


# endregion weighted


# region tell
def tell(y: tf.Tensor, logits: tf.Tensor) -> None:
    """Print how sure the model is of ones, and whom it takes for one."""
    taken = logits > 0
    recall = tf.reduce_mean(tf.cast(taken[y == 1], tf.float32))
    print(f"mean probability {tf.reduce_mean(tf.sigmoid(logits)):.2f}")
    print(f"ones found {recall:.0%}, all taken for ones", end=" ")
    print(int(tf.math.count_nonzero(taken)))


# endregion tell


# region oversample
def oversample(x: tf.Tensor, y: tf.Tensor, batch: int) -> Dataset:
    """Return batches with as many ones as zeros, on average."""
    parts, rare = [], y[:, 0] == 1
    for rows in (~rare, rare):
        part = slices((x[rows], y[rows]))
        parts.append(part.shuffle(len(part), seed=0).repeat())
    draw = tf.data.Dataset.sample_from_datasets
    data = draw(parts, [0.5, 0.5], seed=0)
    return data.take(len(x)).batch(batch)


# endregion oversample


# region prior_shift
def prior_shift(share: float, share_trained: float) -> float:
    """Return what to add to logits if ones are more or less frequent."""
    odds = share / (1 - share)
    return float(np.log(odds * (1 - share_trained) / share_trained))


# endregion prior_shift


if __name__ == "__main__":
    # region plain
    x, y = make_rare(2000)
    valid_x, valid_y = x[1000:], y[1000:]
    x, y = x[:1000], y[:1000]
    data = slices((x, y)).shuffle(1000, seed=0).batch(100)
    model = learn(make_line(), cross_entropy, data, epochs=8)
    print(f"ones: {tf.reduce_mean(valid_y):.2f} of the rows")
    tell(valid_y, model(valid_x, training=False))
    # endregion plain

    # region with_weight
    model = learn(make_line(), weighted, data, epochs=8)
    tell(valid_y, model(valid_x, training=False))
    # endregion with_weight

    # region no_logits
    for logits in ([[9.0]], [[-9.0]]):
        given = tf.constant(logits)
        right = weighted(tf.zeros((1, 1)), given)
        wrong = weighted(tf.zeros((1, 1)), tf.sigmoid(given))
        print(f"logits: {right:.2f}, probabilities: {wrong:.2f}")
    # endregion no_logits

    # region run_out
    zeros, ones = slices(y[y == 0]), slices(y[y == 1])
    draw = tf.data.Dataset.sample_from_datasets
    data = draw([zeros, ones], [0.5, 0.5], seed=0)
    counts = [int(tf.reduce_sum(labels)) for labels in data.batch(100)]
    print("ones in each batch:", *counts)
    # endregion run_out

    # region resampled
    data = oversample(x, y, batch=100)
    counts = [int(tf.reduce_sum(labels)) for _, labels in data]
    print("ones in each batch:", *counts)
    model = learn(make_line(), cross_entropy, data, epochs=8)
    tell(valid_y, model(valid_x, training=False))
    # endregion resampled

    # region shifted
    shift = prior_shift(share=0.1, share_trained=0.5)
    print(f"added to each logit: {shift:.2f}")
    tell(valid_y, model(valid_x, training=False) + shift)
    # endregion shifted

    # region leaked
    many = slices(tf.range(100)).repeat(9)
    mixed = many.shuffle(900, seed=0, reshuffle_each_iteration=False)
    held, rest = mixed.take(180), mixed.skip(180)
    known = {int(row) for row in rest}
    seen = sum(int(row) in known for row in held)
    print(f"validation rows that are trained on: {seen} of 180")
    # endregion leaked

    # region class_missing
    y = np.array([0, 0, 0, 0, 1, 1, 2])
    x = np.zeros((7, 1), "float32")
    outputs = tf.keras.layers.Dense(3)
    model = tf.keras.Sequential([tf.keras.Input((1,)), outputs])
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(tf.keras.optimizers.SGD(0.0), loss)
    complete = {0: 1.0, 1: 9.0, 2: 9.0}
    for weights in (complete, {0: 1.0, 1: 9.0}, {"one": 9.0, "two": 9.0}):
        history = model.fit(x, y, class_weight=weights, verbose=0).history
        print(f"{weights}: loss {history['loss'][0]:.2f}")
    # endregion class_missing

    # region class_refused
    data, weights = slices((x, y)).batch(7), {0: 1.0, 1: 9.0}
    try:
        model.fit(data, class_weight=weights, shuffle=False, verbose=0)
    except tf.errors.InvalidArgumentError as error:
        _, _, message = str(error).partition("V2: ")
        print("InvalidArgumentError:", message.splitlines()[0])
    # endregion class_refused

    # region class_balanced
    in_class = np.bincount(y, minlength=3)
    weights = dict(enumerate(len(y) / (len(in_class) * in_class)))
    print({label: f"{weight:.2f}" for label, weight in weights.items()})
    model.fit(data, class_weight=weights, shuffle=False, verbose=0)
    # endregion class_balanced
