"""Weighted rows, several outputs, and what a loss is the mean of."""

# region setup
from collections.abc import Callable

import matplotlib.pyplot as plt
import tensorflow as tf

BLUE, RED, GREEN = "#0072B2", "#D55E00", "#009E73"
# endregion setup

from snippets.data import make_data  # noqa: E402


# region make_line
def make_line(kind: type[tf.keras.Model] = tf.keras.Model) -> tf.keras.Model:
    """Return a line that begins at zero, as a model of that class."""
    inputs = tf.keras.Input((1,))
    line = tf.keras.layers.Dense(1, kernel_initializer="zeros", name="line")
    return kind(inputs, line(inputs))


# endregion make_line


# region compiled
def compiled(model: tf.keras.Model) -> tf.keras.Model:
    """Return the model, compiled to tell two classes apart."""
    model.compile(
        optimizer=tf.keras.optimizers.SGD(1.5),
        loss=tf.keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[tf.keras.metrics.Recall(thresholds=0.0, name="recall")],
    )
    return model


# endregion compiled


# region TwoParts
class TwoParts(tf.keras.Model):
    """Trains by a step that expects inputs and outputs."""

    def train_step(self, data: tuple[tf.Tensor, ...]) -> dict[str, tf.Tensor]:
        """Update weights and metrics with one batch of data."""
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y, y_pred)
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        [tracker] = [m for m in self.metrics if m.name == "loss"]
        tracker.update_state(loss, sample_weight=tf.shape(x)[0])
        return dict(self.compute_metrics(x, y, y_pred))


# endregion TwoParts


# region Dropped
class Dropped(TwoParts):
    """Takes what data there are, and leaves the weights of rows aside."""

    def train_step(self, data: tuple[tf.Tensor, ...]) -> dict[str, tf.Tensor]:
        """Update weights and metrics with one batch of data."""
        x, y, _ = tf.keras.utils.unpack_x_y_sample_weight(data)
        return super().train_step((x, y))


# endregion Dropped


# region OwnStep
class OwnStep(tf.keras.Model):
    """Trains as Keras does, by a step of its own."""

    def train_step(self, data: tuple[tf.Tensor, ...]) -> dict[str, tf.Tensor]:
        """Update weights and metrics with one batch of data."""
        x, y, sample_weight = tf.keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y, y_pred, sample_weight)
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        [tracker] = [m for m in self.metrics if m.name == "loss"]
        tracker.update_state(loss, sample_weight=tf.shape(x)[0])
        return dict(self.compute_metrics(x, y, y_pred, sample_weight))


# endregion OwnStep


# region weighted_loss
def weighted_loss(
    y: tf.Tensor, logits: tf.Tensor, weights: tf.Tensor
) -> tf.Tensor:
    """Return the mean of the rows' losses, each times its weight."""
    losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=logits)
    if losses.shape.rank is None or losses.shape != weights.shape:
        raise ValueError(f"losses {losses.shape}, weights {weights.shape}")
    return tf.reduce_mean(weights * losses)


# endregion weighted_loss


# region check_ignored
Trained = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.keras.Model]


def check_ignored(
    train: Trained, x: tf.Tensor, y: tf.Tensor, weights: tf.Tensor
) -> None:
    """Assert that rows of weight 0 do not change what is learned."""
    ignored = tf.reshape(weights == 0, [-1] + [1] * (len(y.shape) - 1))
    other_y = tf.where(ignored, y + 1.0, y)
    model, other = train(x, y, weights), train(x, other_y, weights)
    for weight, same in zip(model.weights, other.weights, strict=True):
        moved = float(tf.reduce_max(tf.abs(weight - same)))
        assert moved < 1e-6, f"weight 0 moved {weight.path} by {moved:.4f}"


# endregion check_ignored


# region one_step
def one_step(kind: type[tf.keras.Model]) -> Trained:
    """Return a function that trains a line of that class for one step."""

    def train(
        x: tf.Tensor, y: tf.Tensor, weights: tf.Tensor
    ) -> tf.keras.Model:
        model = make_line(kind)
        model.compile("sgd", loss="mse", run_eagerly=True)
        model.train_on_batch(x, y, sample_weight=weights)
        return model

    return train


# endregion one_step


# region make_scales
def make_scales(kind: type[tf.keras.Model] = tf.keras.Model) -> tf.keras.Model:
    """Return a line that predicts one length in metres and centimetres."""
    layers, inputs = tf.keras.layers, tf.keras.Input((1,))
    line = layers.Dense(1, kernel_initializer="zeros", name="metres")(inputs)
    centimetres = layers.Rescaling(100.0, name="centimetres")(line)
    return kind(inputs, {"metres": line, "centimetres": centimetres})


# endregion make_scales


# region compiled_scales
def compiled_scales(model: tf.keras.Model) -> tf.keras.Model:
    """Return the model, compiled with a loss for each output."""
    model.compile(
        optimizer=tf.keras.optimizers.SGD(0.1),
        loss={"metres": "mse", "centimetres": "mse"},
        loss_weights={"metres": 1.0, "centimetres": 1e-4},
        metrics={"metres": ["mae"]},
    )
    return model


# endregion compiled_scales


# region Loop
class Loop(tf.keras.Model):
    """Trains by a step that updates all metrics in one loop."""

    def train_step(self, data: tuple[tf.Tensor, ...]) -> dict[str, tf.Tensor]:
        """Update weights and metrics with one batch of data."""
        x, y, sample_weight = tf.keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y, y_pred, sample_weight)
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        for metric in self.metrics:
            metric.update_state(y, y_pred)
        return dict(self.get_metrics_result())


# endregion Loop


# region mean_error
def mean_error(axis: int | None) -> Callable[..., tf.Tensor]:
    """Return a loss for `compile`: the mean absolute error over an axis."""

    def error(y: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(tf.abs(y - y_pred), axis=axis)

    return error


# endregion mean_error


# region train
def train(
    model: tf.keras.Model, loss: Callable[[], tf.Tensor], updates: int = 30
) -> str:
    """Minimise what loss() returns; tell where w and b came to rest."""
    optimizer = tf.keras.optimizers.SGD(0.2)
    for _ in range(updates):
        with tf.GradientTape() as tape:
            current_loss = loss()
        variables = model.trainable_variables
        gradients = tape.gradient(current_loss, variables)
        optimizer.apply(gradients, variables)
    w, b = (variable.numpy().item() for variable in variables)
    return f"w {w:.4f}, b {b:.4f}, loss {float(current_loss):.4f}"


# endregion train


# region make_series
def make_series(
    x: tf.Tensor, y: tf.Tensor, lengths: list[int]
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return series of unequal lengths, padded with zeros, and a mask.

    Inputs and outputs have the shape (series, time, 1), the mask has two axes.
    """
    padded = [
        tf.RaggedTensor.from_row_lengths(part[:, 0], lengths).to_tensor()
        for part in (x, y)
    ]
    return *(part[..., tf.newaxis] for part in padded), tf.sequence_mask(
        lengths
    )


# endregion make_series


# region make_masked
def make_masked() -> tf.keras.Model:
    """Return a line for series that masks times at which all inputs are 0."""
    inputs = tf.keras.Input((None, 1))
    masked = tf.keras.layers.Masking(mask_value=0.0)(inputs)
    line = tf.keras.layers.Dense(1, kernel_initializer="zeros")
    return tf.keras.Model(inputs, line(masked))


# endregion make_masked


# region make_penalised
def make_penalised() -> tf.keras.Model:
    """Return a line with a penalty of half its squared weight."""
    penalty = tf.keras.regularizers.L2(0.5)
    line = tf.keras.layers.Dense(
        1, kernel_initializer="zeros", kernel_regularizer=penalty
    )
    return tf.keras.Sequential([tf.keras.Input((1,)), line])


# endregion make_penalised


# region Small
class Small(tf.keras.layers.Layer):
    """Hands on what it is given, and asks for it to be small."""

    def call(self, code):
        """Add half the mean square to the losses."""
        self.add_loss(0.5 * tf.reduce_mean(tf.square(code)))
        return code


# endregion Small


# region triplet_loss
def triplet_loss(anchor, positive, negative, margin=1.0) -> tf.Tensor:
    """Return how much is missing for positives to be nearer by the margin.

    Codes have the shape (rows, numbers). The loss is the mean of what Schroff
    et al. (2015) sum up, of squared distances, a scalar.
    """
    near = tf.reduce_sum(tf.square(anchor - positive), axis=1)
    far = tf.reduce_sum(tf.square(anchor - negative), axis=1)
    return tf.reduce_mean(tf.nn.relu(near - far + margin))


# endregion triplet_loss


# region contrastive_loss
def contrastive_loss(
    codes: tf.Tensor, others: tf.Tensor, temperature: float
) -> tf.Tensor:
    """Return how surely each code finds its own among the others.

    Row i of both, of the shape (rows, numbers), belongs together. The loss is
    InfoNCE (van den Oord et al., 2018) of their cosines, a scalar.
    """
    codes, others = (tf.nn.l2_normalize(c, axis=1) for c in (codes, others))
    logits = tf.matmul(codes, others, transpose_b=True) / temperature
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=tf.range(tf.shape(codes)[0]), logits=logits
    )
    return tf.reduce_mean(losses)


# endregion contrastive_loss


# region balanced
def balanced(label: tf.Tensor) -> dict[int, float]:
    """Return weights with which zeros and ones count the same."""
    share = float(tf.reduce_mean(label))
    return {0: 0.5 / (1 - share), 1: 0.5 / share}


# endregion balanced


# region summed_gradients
def summed_gradients(
    model: tf.keras.Model, x: tf.Tensor, y: tf.Tensor, batch: int
) -> list[tf.Tensor]:
    """Return the gradient of the mean over all rows, batch by batch."""
    variables = model.trainable_variables
    sums = [tf.zeros(variable.shape) for variable in variables]
    for start in range(0, len(x), batch):
        x_batch, y_batch = x[start : start + batch], y[start : start + batch]
        with tf.GradientTape() as tape:
            y_pred = model(x_batch, training=True)
            loss = tf.reduce_mean(tf.keras.losses.mse(y_batch, y_pred))
            part = loss * len(x_batch) / len(x)
        gradients = tape.gradient(part, variables)
        sums = [a + b for a, b in zip(sums, gradients, strict=True)]
    return sums


# endregion summed_gradients

if __name__ == "__main__":
    # region data
    x, y = make_data()
    order = tf.random.experimental.stateless_shuffle(tf.range(201), (0, 0))
    x = tf.gather(x, order)[:, tf.newaxis]
    y = tf.gather(y, order)[:, tf.newaxis]
    label = tf.cast(y > 7, tf.float32)
    batches = [slice(start, start + 32) for start in range(0, 201, 32)]
    print("rows:", [len(x[rows]) for rows in batches])
    print(f"ones: {int(tf.reduce_sum(label))} of {len(label)}")
    # endregion data

    # region imbalanced
    settings = {"batch_size": 32, "epochs": 5, "shuffle": False, "verbose": 0}
    logs, curves, grid = [], [], tf.linspace([-2.0], [2.0], 41)
    for class_weight in (None, {0: 1, 1: 9}):
        model = compiled(make_line())
        fit = model.fit(x, label, class_weight=class_weight, **settings)
        logs.append(fit.history)
        curves.append(tf.sigmoid(model(grid)))
        print(f"recall {fit.history['recall'][-1]:.2f}", end=", ")
        print(f"w {model.weights[0].numpy().item():.4f}")
    # endregion imbalanced

    # region plot_classes
    plt.plot(x, label, ".", color=GREEN, label="the label")
    plt.plot(grid, curves[0], "--", color=RED, label="unweighted")
    plt.plot(grid, curves[1], "-", color=BLUE, label="ones count nine times")
    plt.xlabel("x")
    plt.ylabel("probability of a one")
    plt.legend()
    plt.show()
    # endregion plot_classes

    try:
        # region two_parts
        model = compiled(make_line(TwoParts))
        model.fit(x, label, class_weight={0: 1, 1: 9}, **settings)
        # endregion two_parts
    except ValueError as error:
        print(error)

    # region dropped
    model = compiled(make_line(Dropped))
    fit = model.fit(x, label, class_weight={0: 1, 1: 9}, **settings)
    print(f"recall {fit.history['recall'][-1]:.2f}", end=", ")
    print(f"w {model.weights[0].numpy().item():.4f}")
    # endregion dropped

    # region own_step
    model = compiled(make_line(OwnStep))
    fit = model.fit(x, label, class_weight={0: 1, 1: 9}, **settings)
    print(f"recall {fit.history['recall'][-1]:.2f}", end=", ")
    print(f"w {model.weights[0].numpy().item():.4f}")
    print("logs as Keras does:", fit.history == logs[1])
    # endregion own_step

    # region ignored
    some = tf.cast(x > 1, tf.float32)
    check_ignored(one_step(tf.keras.Model), x, y, some)
    check_ignored(one_step(OwnStep), x, y, some)
    print("both pass")
    # endregion ignored

    try:
        # region not_ignored
        check_ignored(one_step(Dropped), x, y, some)
        # endregion not_ignored
    except AssertionError as error:
        print(error)

    # region vectors
    weights, logits = tf.where(label > 0, 9.0, 1.0), x
    entropy = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    product = tf.reduce_mean(weights) * entropy(label, logits)
    print(f"columns: {entropy(label, logits, weights):.4f}")
    print(f"vectors: {entropy(label[:, 0], logits[:, 0], weights[:, 0]):.4f}")
    print(f"mean weight times mean loss: {product:.4f}")
    # endregion vectors

    # region by_hand
    model, optimizer = make_line(), tf.keras.optimizers.SGD(1.5)
    for rows in 5 * batches:
        with tf.GradientTape() as tape:
            logits = model(x[rows], training=True)
            loss = weighted_loss(label[rows], logits, weights[rows])
        variables = model.trainable_variables
        optimizer.apply(tape.gradient(loss, variables), variables)
    print(f"w {model.weights[0].numpy().item():.4f}")
    # endregion by_hand

    # region all_pairs
    losses = tf.nn.sigmoid_cross_entropy_with_logits(label, logits=x)
    pairs = weights[:, 0] * losses
    print("losses", losses.shape, "times weights", weights[:, 0].shape)
    print("makes", pairs.shape, f"with the mean {tf.reduce_mean(pairs):.4f}")
    print(f"row by row: {weighted_loss(label, x, weights):.4f}")
    # endregion all_pairs

    try:
        # region shapes
        weighted_loss(label, x, weights[:, 0])
        # endregion shapes
    except ValueError as error:
        print(error)

    # region reductions
    zeros, three = tf.zeros((3, 1)), tf.constant([[1.0], [2.0], [3.0]])
    weights_of_three = tf.constant([1.0, 1.0, 4.0])
    for reduction in (
        *("sum_over_batch_size", "mean", "sum"),
        *("mean_with_sample_weight", "none"),
    ):
        squares = tf.keras.losses.MeanSquaredError(reduction=reduction)
        plain = squares(zeros, three)
        weighted = squares(zeros, three, weights_of_three)
        print(f"{reduction:23}", end=" ")
        print(plain.numpy().round(2), weighted.numpy().round(2))
    # endregion reductions

    # region by_series
    ones, by_series = tf.ones((3, 3, 1)), tf.constant([1.0, 1.0, 4.0])
    squares = tf.keras.losses.MeanSquaredError(reduction="none")
    print(squares(0 * ones, ones, by_series).numpy())
    print(squares(0 * ones, ones, by_series[:, tf.newaxis]).numpy())
    # endregion by_series

    # region by_hand_scales
    metres, centimetres = y, 100 * y + 50
    squared = tf.keras.losses.MeanSquaredError()
    for loss_weight in (1.0, 1e-4):
        model, optimizer = make_scales(), tf.keras.optimizers.SGD(0.1)
        for rows in 2 * batches:
            with tf.GradientTape() as tape:
                predictions = model(x[rows], training=True)
                one = squared(metres[rows], predictions["metres"])
                two = squared(centimetres[rows], predictions["centimetres"])
                loss = one + loss_weight * two
            variables = model.trainable_variables
            optimizer.apply(tape.gradient(loss, variables), variables)
        w, b = (weight.numpy().item() for weight in model.weights)
        print(f"loss weight {loss_weight}: w {w:.4f}, b {b:.4f}")
    # endregion by_hand_scales

    # region keras_scales
    outputs = {"metres": metres, "centimetres": centimetres}
    settings["epochs"] = 2
    model = compiled_scales(make_scales())
    log = model.fit(x, outputs, **settings).history
    w, b = (weight.numpy().item() for weight in model.weights)
    print(f"w {w:.4f}, b {b:.4f}")
    for name, values in sorted(log.items()):
        print(f"{name:16} {values[0]:9.2f} {values[-1]:9.2f}")
    # endregion keras_scales

    try:
        # region one_metric
        model = make_scales()
        model.compile(loss="mse", metrics=["mae"])
        model.evaluate(x, outputs, verbose=0)
        # endregion one_metric
    except ValueError as error:
        print(error)

    # region in_lists
    for lengths in ([metres, centimetres], outputs):
        found = compiled_scales(make_scales()).evaluate(
            x, lengths, batch_size=201, verbose=0, return_dict=True
        )
        print(f"metres_loss {found['metres_loss']:9.2f}", end=", ")
        print(f"centimetres_loss {found['centimetres_loss']:9.2f}")
    # endregion in_lists

    try:
        # region loop
        model = compiled_scales(make_scales(Loop))
        model.fit(x, outputs, **settings)
        # endregion loop
    except TypeError as error:
        print(error)

    # region own_scales
    model = compiled_scales(make_scales(OwnStep))
    own_log = model.fit(x, outputs, **settings).history
    print("logs as Keras does:", own_log == log)
    # endregion own_scales

    # region per_row
    model, optimizer = make_line(), tf.keras.optimizers.SGD(0.1)
    for _ in range(4):
        with tf.GradientTape() as tape:
            loss = tf.keras.losses.mse(y, model(x, training=True))
        variables = model.trainable_variables
        optimizer.apply(tape.gradient(loss, variables), variables)
        print(f"mean loss {tf.reduce_mean(loss):.1e}, shape {loss.shape}")
    # endregion per_row

    # region one_number
    model, optimizer = make_line(), tf.keras.optimizers.SGD(0.1)
    for _ in range(4):
        with tf.GradientTape() as tape:
            losses = tf.keras.losses.mse(y, model(x, training=True))
            loss = tf.reduce_mean(losses)
        variables = model.trainable_variables
        optimizer.apply(tape.gradient(loss, variables), variables)
        print(f"loss {loss:.2f}, shape {loss.shape}")
    assert loss.shape == ()
    # endregion one_number

    # region sums
    model = make_line()
    with tf.GradientTape(persistent=True) as tape:
        losses = tf.keras.losses.mse(y, model(x))
        loss = tf.reduce_mean(losses)
    for value in (losses, loss):
        [gradient, _] = tape.gradient(value, model.trainable_variables)
        print(f"shape {value.shape}: gradient {gradient.numpy().item():.2f}")
    # endregion sums

    # region axes
    both = tf.concat([y, y**2], axis=1)
    weights = tf.where(label > 0, 9.0, 1.0)[:, 0]
    print(f"mean weight {tf.reduce_mean(weights):.4f}")
    for axis in (-1, None):
        model = make_line()
        model.compile(loss=mean_error(axis))
        plain = model.compute_loss(x, both, 0 * both)
        weighted = model.compute_loss(x, both, 0 * both, weights)
        print(f"axis={axis!s:4} {plain:.4f}, weighted {weighted:.4f}")
    # endregion axes

    try:
        # region columns
        model.compile(loss=mean_error(0))
        model.compute_loss(x, both, 0 * both, weights)
        # endregion columns
    except tf.errors.InvalidArgumentError as error:
        print(error.message)

    # region uneven
    model, mean_loss = make_line(), tf.keras.metrics.Mean()
    losses = []
    for rows in (slice(0, 100), slice(100, 200), slice(200, 300)):
        loss = squared(y[rows], model(x[rows]))
        losses.append(float(loss))
        mean_loss.update_state(loss, sample_weight=len(x[rows]))
        print(f"rows {len(x[rows]):3}, loss {loss:.4f}")
    print(f"mean of the three losses {sum(losses) / len(losses):.4f}")
    print(f"weighted by their rows   {mean_loss.result():.4f}")
    print(f"all rows at once         {squared(y, model(x)):.4f}")
    # endregion uneven

    # region uneven_log
    log = compiled_scales(make_scales()).evaluate(
        x, outputs, batch_size=100, verbose=0, return_dict=True
    )
    parts = log["metres_loss"] + 1e-4 * log["centimetres_loss"]
    print(f"loss {log['loss']:.4f}, metres_loss {log['metres_loss']:.4f}")
    print(f"its two parts add up to {parts:.4f}")
    # endregion uneven_log

    # region series
    lengths = [8] * 10 + [4] * 30 + [1]
    series_x, series_y, mask = make_series(x, y, lengths)
    print("inputs:", series_x.shape, "mask:", mask.shape)
    print(f"padding: {tf.reduce_mean(1.0 - tf.cast(mask, tf.float32)):.2f}")
    # endregion series

    # region padded
    model = make_line()
    print("no padding:", train(model, lambda: squared(y, model(x))))
    model = make_masked()

    def padded_loss() -> tf.Tensor:
        """Return the mean over all times, padding included."""
        return tf.reduce_mean(tf.square(model(series_x) - series_y))

    print("padded:    ", train(model, padded_loss))
    # endregion padded

    # region masked
    model = make_masked()

    def masked_loss() -> tf.Tensor:
        """Return the mean over the times that are not padding."""
        squares = tf.square(model(series_x, training=True) - series_y)
        return tf.reduce_mean(tf.boolean_mask(squares, mask))

    print("masked:    ", train(model, masked_loss))
    # endregion masked

    # region lost_mask
    model = make_masked()
    predictions = model(series_x)
    print(f"Keras' loss:          {squared(series_y, predictions):.4f}")
    print(f"of 1.0 * predictions: {squared(series_y, 1.0 * predictions):.4f}")
    print(f"with your own mask:   {masked_loss():.4f}")
    seen = tf.reduce_any(series_x != 0, axis=-1)
    print("rows masked by mistake:", int(tf.math.count_nonzero(mask != seen)))
    # endregion lost_mask

    # region penalised
    model = make_penalised()
    print("forgotten:", train(model, lambda: squared(y, model(x))))
    # endregion penalised

    # region remembered
    model = make_penalised()

    def loss_and_penalties() -> tf.Tensor:
        """Return the loss and what the layers ask for beside it."""
        return squared(y, model(x, training=True)) + sum(model.losses)

    print("added:    ", train(model, loss_and_penalties))
    # endregion remembered

    # region penalty_by_hand
    model = make_line()
    kernel = model.get_layer("line").kernel

    def loss_and_penalty() -> tf.Tensor:
        """Return the loss and half the squared weight."""
        return squared(y, model(x)) + 0.5 * tf.reduce_sum(kernel**2)

    print("by hand:  ", train(model, loss_and_penalty))
    # endregion penalty_by_hand

    try:
        # region kerastensor
        inputs = tf.keras.Input((1,))
        dense = tf.keras.layers.Dense(1, kernel_initializer="zeros")
        code = dense(inputs)
        penalty = 0.5 * tf.reduce_mean(tf.square(code))
        # endregion kerastensor
    except ValueError as error:
        print(error)

    # region in_a_layer
    model = tf.keras.Model(inputs, Small()(code))
    print("in a layer:", train(model, loss_and_penalties))
    # endregion in_a_layer

    # region smoothed
    smoothed = tf.keras.losses.BinaryCrossentropy(
        from_logits=True, label_smoothing=0.1
    )
    soft = 0.9 * label + 0.1 / 2
    losses = tf.nn.sigmoid_cross_entropy_with_logits(soft, logits=x)
    print(f"Keras   {smoothed(label, x):.4f}")
    print(f"by hand {tf.reduce_mean(losses):.4f}")
    best = tf.math.log(soft / (1 - soft))
    for factor in (0.5, 1.0, 2.0):
        print(f"{factor} * best: {smoothed(label, factor * best):.4f}")
    # endregion smoothed

    # region focal
    p = tf.where(label > 0, tf.sigmoid(x), tf.sigmoid(-x))
    losses = -((1 - p) ** 2) * tf.math.log(p)
    alpha = tf.where(label > 0, 0.25, 0.75)
    for balancing, factor in ((False, 1.0), (True, alpha)):
        focal = tf.keras.losses.BinaryFocalCrossentropy(
            apply_class_balancing=balancing, from_logits=True
        )
        print(f"balancing {balancing!s:5}: {focal(label, x):.4f}", end=", ")
        print(f"by hand {tf.reduce_mean(factor * losses):.4f}")
    classes = tf.concat([1 - label, label], axis=1)
    logits = tf.concat([0 * x, x], axis=1)
    focal = tf.keras.losses.CategoricalFocalCrossentropy(from_logits=True)
    print(f"categorical: {focal(classes, logits):.4f}")
    # endregion focal

    # region one_model
    anchor = tf.boolean_mask(x, x > 0)[:, tf.newaxis]
    positive = tf.roll(anchor, 1, axis=0)
    negative = tf.boolean_mask(x, x < 0)[:, tf.newaxis]
    model = make_line()
    model.weights[0].assign([[0.1]])

    def shared_loss() -> tf.Tensor:
        """Return the loss of one model, called three times."""
        return triplet_loss(model(anchor), model(positive), model(negative))

    with tf.GradientTape() as tape:
        loss = shared_loss()
    [gradient] = tape.gradient(loss, model.weights[:1])
    print(f"gradient {gradient.numpy().item():.4f}, loss {loss:.4f}")
    print("trained:", train(model, shared_loss))
    # endregion one_model

    # region three_models
    models = [make_line() for _ in range(3)]
    one, two, three = models
    for each in models:
        each.weights[0].assign([[0.1]])
    variables = [v for each in models for v in each.trainable_variables]
    optimizer = tf.keras.optimizers.SGD(0.2)
    for update in range(30):
        with tf.GradientTape() as tape:
            loss = triplet_loss(one(anchor), two(positive), three(negative))
        gradients = tape.gradient(loss, variables)
        if update == 0:
            print(*(f"{g.numpy().item():.4f}" for g in gradients[::2]))
        optimizer.apply(gradients, variables)
    itself = tf.reduce_mean(tf.square(one(anchor) - three(anchor)))
    print(f"loss {loss:.4f}, from a row to itself {itself:.4f}")
    # endregion three_models

    # region collapsed
    def hardest_loss() -> tf.Tensor:
        """Return the loss of the farthest positives, nearest negatives."""
        codes, others = model(anchor), model(negative)
        far = tf.argmax(tf.abs(codes - codes[:, 0]), axis=1)
        near = tf.argmin(tf.abs(codes - others[:, 0]), axis=1)
        codes_far, codes_near = tf.gather(codes, far), tf.gather(others, near)
        return triplet_loss(codes, codes_far, codes_near)

    for start in (1.0, 0.0):
        model = make_line()
        model.weights[0].assign([[start]])
        print(f"loss {hardest_loss():.4f}, then", train(model, hardest_loss))
    # endregion collapsed

    # region candidates
    for number in (2, 8, 1024):
        alike, apart = tf.ones([number, number]), tf.eye(number)
        losses = [
            contrastive_loss(alike, alike, 0.1),
            contrastive_loss(apart, apart, 1.0),
            contrastive_loss(apart, apart, 0.1),
        ]
        print(f"{number:4} rows:", *(f"{loss:.4f}" for loss in losses))
    # endregion candidates

    # region exercise_balanced
    by_class = balanced(label)
    weights = tf.where(label > 0, by_class[1], by_class[0])
    print(f"zeros {by_class[0]:.4f}, ones {by_class[1]:.4f}")
    print(f"mean weight {tf.reduce_mean(weights):.4f}", end=", ")
    print(f"of the ones alone {tf.reduce_mean(weights * label):.4f}")
    # endregion exercise_balanced

    # region exercise_gradients
    model = make_line()
    with tf.GradientTape() as tape:
        loss = squared(y, model(x))
    whole = tape.gradient(loss, model.trainable_variables)
    parts = summed_gradients(model, x, y, batch=32)
    for one, other in zip(whole, parts, strict=True):
        print(f"{one.numpy().item():.4f}, {other.numpy().item():.4f}")
    # endregion exercise_gradients
