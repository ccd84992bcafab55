"""Sequences of uneven length: padding, masks, and the right mean."""

import tensorflow as tf

from snippets.sequences_setup import Layer, Loss, Model, Optimizer, Step


# region make_sums
def make_sums(
    rows: int, longest: int
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return numbers, their running sums, and where they are real.

    A row has 2 to longest numbers. Behind them x and y are zero.
    """
    uniform = tf.random.stateless_uniform
    x = uniform([rows, longest, 1], (0, 0), -1.0, 1.0)
    lengths = uniform([rows], (0, 1), 2, longest + 1, tf.int32)
    mask = tf.sequence_mask(lengths, longest)
    real = mask[..., tf.newaxis]
    return tf.where(real, x, 0.0), tf.where(real, tf.cumsum(x, 1), 0.0), mask


# endregion make_sums


# region make_rnn
def make_rnn(u: float, w: float, **options: object) -> Layer:
    """Return a recurrent layer with two weights: h = w * h + u * x."""
    return tf.keras.layers.SimpleRNN(
        1,
        activation=None,
        use_bias=False,
        kernel_initializer=tf.keras.initializers.Constant(u),
        recurrent_initializer=tf.keras.initializers.Constant(w),
        **{"return_sequences": True} | options,
    )


# endregion make_rnn


# region make_model
def make_model(masking: bool = True) -> Model:
    """Return a model of sums that has them to learn."""
    parts = [tf.keras.layers.Masking()] if masking else []
    rnn = make_rnn(0.5, 0.5)
    return tf.keras.Sequential([tf.keras.Input((None, 1)), *parts, rnn])


# endregion make_model


# region mean_real
def mean_real(y, predictions, mask) -> tf.Tensor:
    """Return the mean squared error of the real steps."""
    errors = tf.square(tf.ensure_shape(y, predictions.shape) - predictions)
    return tf.reduce_mean(tf.boolean_mask(errors, mask))


# endregion mean_real


# region mean_all
def mean_all(y, predictions, mask) -> tf.Tensor:
    """Return the mean squared error of all steps, padded ones included."""
    return tf.reduce_mean(tf.square(y - predictions))


# endregion mean_all


# region make_step
def make_step(model: Model, optimizer: Optimizer, loss: Loss) -> Step:
    """Return a step that updates the model and returns its loss."""

    def step(x: tf.Tensor, y: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            current_loss = loss(y, model(x, training=True), mask)
        variables = model.trainable_variables
        gradients = tape.gradient(current_loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return current_loss

    return step


# endregion make_step


# region learn
def learn(
    loss: Loss, x: tf.Tensor, y: tf.Tensor, mask: tf.Tensor
) -> tuple[float, float]:
    """Return the two weights at which 60 steps with a loss end."""
    model = make_model()
    step = make_step(model, tf.keras.optimizers.SGD(0.05), loss)
    compiled = tf.function(step)
    for _ in range(60):
        compiled(x, y, mask)
    u, w = (float(tf.squeeze(weight)) for weight in model.weights)
    return u, w


# endregion learn


# region check_padding
def check_padding(
    loss: Loss, model: Model, x: tf.Tensor, y: tf.Tensor, mask: tf.Tensor
) -> None:
    """Assert that three more padded steps leave the loss as it is."""
    before = float(loss(y, model(x), mask))
    more = [[0, 0], [0, 3]]
    x, y = (tf.pad(values, [*more, [0, 0]]) for values in (x, y))
    after = float(loss(y, model(x), tf.pad(mask, more)))
    same = abs(after - before) <= 1e-4 * abs(before)
    assert same, f"loss {after:.4f}, was {before:.4f}"


# endregion check_padding


# region mean_rows
def mean_rows(
    y: tf.Tensor, predictions: tf.Tensor, mask: tf.Tensor
) -> tf.Tensor:
    """Return the mean of the mean squared errors of the rows.

    Each row needs a step that is real.
    """
    y = tf.ensure_shape(y, predictions.shape)
    errors = tf.reduce_mean(tf.square(y - predictions), axis=-1)
    real = tf.cast(mask, errors.dtype)
    sums = tf.reduce_sum(errors * real, axis=1)
    return tf.reduce_mean(sums / tf.reduce_sum(real, axis=1))


# endregion mean_rows

if __name__ == "__main__":
    # region look
    x, y, mask = make_sums(32, 10)
    print("x:", *(f"{value:5.2f}" for value in x[5, :, 0]))
    print("y:", *(f"{value:5.2f}" for value in y[5, :, 0]))
    real = tf.math.count_nonzero(mask).numpy()
    print(f"{real} of {tf.size(mask)} steps are real")
    # endregion look

    # region last_step
    row = tf.constant([[[1.0], [2.0], [3.0]]])
    padded = tf.pad(row, [[0, 0], [0, 2], [0, 0]])
    for masking in (False, True):
        model = make_model(masking)
        last = float(model(row)[0, -1, 0])
        padded_last = float(model(padded)[0, -1, 0])
        print(f"masking {masking}: {last:.3f}, padded {padded_last:.3f}")
    # endregion last_step

    # region four_means
    model, keras_loss = make_model(), tf.keras.losses.MeanSquaredError()
    predictions = model(x)
    print(f"real steps:        {mean_real(y, predictions, mask):.4f}")
    print(f"all steps:         {mean_all(y, predictions, mask):.4f}")
    print(f"Keras' loss:       {keras_loss(y, predictions):.4f}")
    cut = keras_loss(y[..., 0], predictions[..., 0])
    print(f"without last axis: {cut:.4f}")
    # endregion four_means

    # region wrong_mean
    u, w = learn(mean_all, x, y, mask)
    print(f"u {u:.2f}, w {w:.2f}")
    # endregion wrong_mean

    # region right_mean
    u, w = learn(mean_real, x, y, mask)
    print(f"u {u:.2f}, w {w:.2f}")
    # endregion right_mean

    try:
        # region check_means
        check_padding(mean_real, make_model(), x, y, mask)
        print("the mean of real steps passes")
        check_padding(mean_all, make_model(), x, y, mask)
        # endregion check_means
    except AssertionError as error:
        print(error)

    # region ragged
    ragged_x = tf.ragged.constant([[1.0, 2.0, 3.0], [4.0, 5.0]])
    ragged_y = tf.ragged.constant([[1.0, 3.0, 6.0], [4.0, 9.0]])
    rows_x, rows_y = (
        values.to_tensor()[..., tf.newaxis] for values in (ragged_x, ragged_y)
    )
    real = tf.sequence_mask(ragged_x.row_lengths())
    print(real.numpy())
    predictions = make_model()(rows_x)
    print(f"loss {mean_real(rows_y, predictions, real):.4f}")
    # endregion ragged

    # region real_zero
    row = tf.constant([[[2.0], [0.0], [3.0]]])
    for masking in (False, True):
        outputs = tf.squeeze(make_model(masking)(row))
        print(f"masking {masking}:", *(f"{value:.3f}" for value in outputs))
    # endregion real_zero

    # region own_mask
    rnn = make_rnn(0.5, 0.5)
    row = tf.constant([[[2.0], [0.0], [3.0], [0.0]]])
    real = tf.constant([[True, True, True, False]])
    outputs = tf.squeeze(rnn(row, mask=real))
    print(*(f"{value:.3f}" for value in outputs))
    # endregion own_mask

    # region words
    embedding = tf.keras.layers.Embedding(5, 2, mask_zero=True)
    words = tf.constant([[3, 1, 4, 0, 0]])
    print(embedding.compute_mask(words).numpy())
    # endregion words

    try:
        # region out_of_range
        embedding(tf.constant([[3, 1, 5]]))
        # endregion out_of_range
    except tf.errors.InvalidArgumentError as error:
        print(error)

    # region from_the_end
    for index, row in ((-1, 4), (1.7, 1)):
        found = embedding(tf.constant(index))
        same = bool(tf.reduce_all(found == embedding.weights[0][row]))
        print(f"index {index} finds row {row}: {same}")
    # endregion from_the_end

    # region by_rows
    x, y, mask = make_sums(32, 10)
    predictions = make_model()(x)
    print(f"each step alike: {mean_real(y, predictions, mask):.4f}")
    print(f"each row alike:  {mean_rows(y, predictions, mask):.4f}")
    check_padding(mean_rows, make_model(), x, y, mask)
    # endregion by_rows
