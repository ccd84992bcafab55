"""The parts that most loops have, added to a loop one at a time."""

# region setup
from collections.abc import Callable

import matplotlib.pyplot as plt
import tensorflow as tf

BLUE, RED, GREEN = "#0072B2", "#D55E00", "#009E73"
Step = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
# endregion setup

from snippets.data import make_data  # noqa: E402
from snippets.keras_model import KerasLinearModel  # noqa: E402
from snippets.loss import loss  # noqa: E402


# region make_step
def make_step(model: tf.keras.Model, optimizer: tf.keras.Optimizer) -> Step:
    """Return a step: it updates the model and returns its predictions."""
    optimizer.build(model.trainable_variables)

    def step(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            predictions = model(x, training=True)
            current_loss = loss(y, predictions)
        variables = model.trainable_variables
        gradients = tape.gradient(current_loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return predictions

    compiled: Step = tf.function(step)
    return compiled


# endregion make_step


# region make_batches
def make_batches(
    x: tf.Tensor, y: tf.Tensor, batch: int = 32
) -> tf.data.Dataset:
    """Return pairs of up to ``batch`` rows, in a new order every epoch."""
    rows = tf.data.Dataset.from_tensor_slices((x, y))
    shuffled = rows.shuffle(len(rows), seed=0)
    return shuffled.batch(batch).prefetch(tf.data.AUTOTUNE)


# endregion make_batches


# region train_epoch
def train_epoch(
    step: Step, batches: tf.data.Dataset, metric: tf.keras.Metric
) -> float:
    """Take a step per batch; return the metric over all of their rows."""
    metric.reset_state()
    for x_batch, y_batch in batches:
        metric.update_state(y_batch, step(x_batch, y_batch))
    return float(metric.result())


# endregion train_epoch


# region count_hits
def count_hits(y, y_pred, sample_weight=None):
    """Return the weight of the hits, and that of all 1s plus all predicted 1s.

    ``y`` and ``y_pred`` have a shape of (rows, 1), what is returned of (2,).
    """
    y, said = (tf.cast(v, tf.float32) for v in (y, tf.round(y_pred)))
    weight = 1.0 if sample_weight is None else sample_weight
    weight = tf.reshape(tf.cast(weight, tf.float32), (-1, 1))
    counts = tf.concat([y * said, y + said], axis=1)
    return tf.reduce_sum(weight * counts, axis=0)


# endregion count_hits


# region F1
class F1(tf.keras.metrics.Metric):
    """The F1 score of predictions between 0 and 1, over all their rows."""

    def __init__(self, name: str = "f1") -> None:
        super().__init__(name=name)
        self.counts = self.add_variable((2,), "zeros", name="counts")

    def update_state(self, y, y_pred, sample_weight=None):
        """Count a batch."""
        self.counts.assign_add(count_hits(y, y_pred, sample_weight))

    def result(self):
        """Return the score of what was counted since the last reset."""
        return tf.math.divide_no_nan(2 * self.counts[0], self.counts[1])


# endregion F1


# region polynomial
class Polynomial(tf.keras.Model):
    """A polynomial in x / 2, for x of the shape (batch, 1)."""

    def __init__(self, degree: int) -> None:
        super().__init__()
        self.powers = tf.range(degree + 1, dtype=tf.float32)
        shape = (degree + 1, 1)
        self.w = self.add_weight(name="w", shape=shape, initializer="zeros")

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Return a prediction for each x, in the shape of x."""
        return (x / 2) ** self.powers @ self.w


# endregion polynomial


# region in_both
def in_both(train: tf.data.Dataset, valid: tf.data.Dataset) -> list[int]:
    """Return the rows on which an epoch trains and then validates."""
    trained = {int(row) for row in train}
    return sorted(trained & {int(row) for row in valid})


# endregion in_both


# region validate
def validate(
    model: tf.keras.Model, batches: tf.data.Dataset, metric: tf.keras.Metric
) -> float:
    """Return the metric over all rows of the batches; train on none."""
    metric.reset_state()
    for x_batch, y_batch in batches:
        metric.update_state(y_batch, model(x_batch, training=False))
    return float(metric.result())


# endregion validate


# region stop_epoch
def stop_epoch(val_losses: list[float], patience: int) -> tuple[int, int]:
    """Return after which epoch to stop and which to keep, both from 1."""
    best_epoch = 1
    for epoch, val_loss in enumerate(val_losses, start=1):
        if val_loss < val_losses[best_epoch - 1]:
            best_epoch = epoch
        elif epoch - best_epoch >= patience:
            break
    return epoch, best_epoch


# endregion stop_epoch

if __name__ == "__main__":
    # region columns
    x, y = make_data()
    x, y = x[:, tf.newaxis], y[:, tf.newaxis]
    print("x:", x.shape, "y:", y.shape)
    # endregion columns

    # region optimizer
    model = KerasLinearModel()
    optimizer = tf.keras.optimizers.SGD(learning_rate=0.1)
    step = make_step(model, optimizer)
    for _ in range(10):
        step(x, y)
    print(f"w {float(model.w):.4f}, b {float(model.b):.4f}")
    print("updates:", int(optimizer.iterations))
    # endregion optimizer

    # region look
    batches = make_batches(x, y)
    for epoch in (1, 2):
        inputs = [x_batch for x_batch, _ in batches]
        sizes = [len(x_batch) for x_batch in inputs]
        print(f"epoch {epoch}: first x {inputs[0][0, 0]:.2f}, rows {sizes}")
    # endregion look

    # region order
    rows = tf.random.experimental.stateless_shuffle(tf.range(201), seed=(0, 0))
    orders = {
        "sorted": (x, y),
        "shuffled": (tf.gather(x, rows), tf.gather(y, rows)),
    }
    for momentum in (0.0, 0.9):
        for name, pairs in orders.items():
            model = KerasLinearModel()
            optimizer = tf.keras.optimizers.SGD(0.05, momentum=momentum)
            step = make_step(model, optimizer)
            in_batches = tf.data.Dataset.from_tensor_slices(pairs).batch(32)
            for x_batch, y_batch in in_batches.repeat(5):
                step(x_batch, y_batch)
            print(f"momentum {momentum}, {name}: loss {loss(y, model(x)):.2f}")
    # endregion order

    # region metric
    model = KerasLinearModel()
    step = make_step(model, tf.keras.optimizers.SGD(learning_rate=0.1))
    metric = tf.keras.metrics.MeanSquaredError()
    never_reset = tf.keras.metrics.MeanSquaredError()
    for epoch in range(1, 6):
        metric.reset_state()
        for x_batch, y_batch in batches:
            predictions = step(x_batch, y_batch)
            metric.update_state(y_batch, predictions)
            never_reset.update_state(y_batch, predictions)
        right, wrong = float(metric.result()), float(never_reset.result())
        print(f"epoch {epoch}: {right:.4f}, never reset {wrong:.4f}")
    # endregion metric

    # region vectors
    columns = tf.keras.metrics.MeanSquaredError()
    vectors = tf.keras.metrics.MeanSquaredError()
    for x_batch, y_batch in batches:
        predictions = model(x_batch)
        columns.update_state(y_batch, predictions)
        vectors.update_state(y_batch[:, 0], predictions[:, 0])
    print(f"all rows as one batch: {loss(y, model(x)):.4f}")
    print(f"columns, (batch, 1):   {float(columns.result()):.4f}")
    print(f"vectors, (batch,):     {float(vectors.result()):.4f}")
    # endregion vectors

    # region accuracy
    labels = tf.constant([[1.0], [0.0], [1.0], [1.0]])
    shares = tf.constant([[0.9], [0.2], [0.8], [0.6]])
    logits = tf.math.log(shares / (1 - shares))
    kinds = tf.keras.metrics
    for name, accuracy, outputs in (
        ("Accuracy, shares", kinds.Accuracy(), shares),
        ("BinaryAccuracy, shares", kinds.BinaryAccuracy(), shares),
        ("BinaryAccuracy, logits", kinds.BinaryAccuracy(), logits),
        ("threshold 0, logits", kinds.BinaryAccuracy(threshold=0.0), logits),
    ):
        print(f"{name}: {accuracy(labels, outputs):.2f}")
    # endregion accuracy

    # region own_metric
    labels, shares = tf.cast(y > 7, tf.float32), tf.sigmoid(3 * x)
    f1, of_batches = F1(), []
    for labels_batch, shares_batch in make_batches(labels, shares):
        f1.update_state(labels_batch, shares_batch)
        of_batches.append(float(F1()(labels_batch, shares_batch)))
    of_keras = tf.keras.metrics.F1Score(threshold=0.5)(labels, shares)
    print(f"all rows: {float(f1.result()):.3f}, by Keras {of_keras[0]:.3f}")
    print(f"mean of the batches: {sum(of_batches) / len(of_batches):.3f}")
    # endregion own_metric

    # region schedule
    epochs = 20
    cosine = tf.keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.1, decay_steps=epochs * len(batches)
    )
    history: dict[str, list[float]] = {"constant": [], "cosine": []}
    for name, learning_rate in (("constant", 0.1), ("cosine", cosine)):
        model = KerasLinearModel()
        step = make_step(model, tf.keras.optimizers.SGD(learning_rate))
        batches = make_batches(x, y)
        for _ in range(epochs):
            train_epoch(step, batches, metric)
            history[name].append(float(loss(y, model(x))))
    # endregion schedule

    # region plot_schedule
    inputs = tf.concat([x, tf.ones_like(x)], axis=1)
    least = float(loss(y, inputs @ tf.linalg.lstsq(inputs, y)))
    numbers = range(2, epochs + 1)
    constant, decayed = history["constant"][1:], history["cosine"][1:]
    plt.plot(numbers, constant, "o-", color=BLUE, label="constant")
    plt.plot(numbers, decayed, "s--", color=RED, label="cosine")
    plt.axhline(least, linestyle=":", color=GREEN, label="least possible")
    plt.xticks(numbers[::3])
    plt.xlabel("epoch")
    plt.ylabel("loss over all rows")
    plt.legend()
    plt.show()
    # endregion plot_schedule

    # region slip
    slipped_y = tf.tensor_scatter_nd_update(y, [[180, 0]], 100 * y[180])
    model = KerasLinearModel()
    for name, outputs in (("as it was", y), ("slipped", slipped_y)):
        with tf.GradientTape() as tape:
            current_loss = loss(outputs, model(x))
        gradients = tape.gradient(current_loss, model.trainable_variables)
        clipped, norm = tf.clip_by_global_norm(gradients, clip_norm=1.0)
        print(f"{name}: norm {norm:.2f}")
        for gradient, shorter in zip(gradients, clipped, strict=True):
            print(f"  {gradient:.2f} is clipped to {shorter:.2f}")
    # endregion slip

    # region clip
    for clip_norm in (None, 1.0):
        model = KerasLinearModel()
        optimizer = tf.keras.optimizers.SGD(
            learning_rate=0.1, global_clipnorm=clip_norm
        )
        step = make_step(model, optimizer)
        batches = make_batches(x, slipped_y)
        for _ in range(10):
            train_epoch(step, batches, metric)
        print(f"global_clipnorm={clip_norm}:")
        print(f"  w {float(model.w):.2f}, b {float(model.b):.2f}")
        print(f"  loss on the true data {loss(y, model(x)):.2f}")
    # endregion clip

    # region slices
    embedding = tf.keras.layers.Embedding(5, 2, "ones")
    with tf.GradientTape() as tape:
        vectors = embedding(tf.constant([3] * 100))
        total = tf.reduce_sum(vectors)
    slices = tape.gradient(total, embedding.trainable_variables)
    whole = [tf.convert_to_tensor(gradient) for gradient in slices]
    for gradients in (slices, whole):
        clipped, norm = tf.clip_by_global_norm(gradients, clip_norm=1.0)
        length = tf.norm(tf.convert_to_tensor(clipped[0]))
        kind = type(gradients[0]).__name__
        print(f"{kind}: norm {norm:.2f}, clipped to {length:.2f}")
    # endregion slices

    # region accumulate
    model = KerasLinearModel()
    optimizer = tf.keras.optimizers.SGD(
        learning_rate=0.1, gradient_accumulation_steps=3
    )
    step = make_step(model, optimizer)
    thirds = tf.data.Dataset.from_tensor_slices((x, y)).batch(67)
    for x_batch, y_batch in thirds:
        step(x_batch, y_batch)
        print(f"{len(x_batch)} rows: w {float(model.w):.4f}")
    for _ in range(9):
        train_epoch(step, thirds, metric)
    print(f"w {float(model.w):.4f}, b {float(model.b):.4f}")
    print("updates:", int(optimizer.iterations))
    # endregion accumulate

    # region tail
    for name, (inputs, outputs) in orders.items():
        train_x, valid_x = tf.split(inputs, [161, 40])
        train_y, valid_y = tf.split(outputs, [161, 40])
        model = Polynomial(degree=15)
        step = make_step(model, tf.keras.optimizers.Adam(learning_rate=0.3))
        batches = make_batches(train_x, train_y, batch=161)
        for _ in range(60):
            train_loss = train_epoch(step, batches, metric)
        val_loss = loss(valid_y, model(valid_x, training=False))
        print(f"{name}: training {train_loss:.2f}, validation {val_loss:.2f}")
    # endregion tail

    try:
        # region not_arrays
        model = KerasLinearModel()
        model.compile(loss="mse")
        model.fit(make_batches(x, y), validation_split=0.2)
        # endregion not_arrays
    except ValueError as error:
        print(error)

    # region split_anew
    ten = tf.data.Dataset.range(10).shuffle(10, seed=0)
    valid, train = ten.take(3), ten.skip(3)
    print("in both:", [in_both(train, valid) for _ in range(3)])
    # endregion split_anew

    # region split_once
    once = {"seed": 0, "reshuffle_each_iteration": False}
    ten = tf.data.Dataset.range(10).shuffle(10, **once)
    valid, train = ten.take(3), ten.skip(3).shuffle(7, seed=0)
    print("in both:", [in_both(train, valid) for _ in range(3)])
    # endregion split_once

    # region split
    all_x, all_y = orders["shuffled"]
    train_x, valid_x, test_x = tf.split(all_x, [20, 20, 161])
    train_y, valid_y, test_y = tf.split(all_y, [20, 20, 161])
    # endregion split

    # region overfit
    batches = make_batches(train_x, train_y, batch=20)
    model = Polynomial(degree=15)
    step = make_step(model, tf.keras.optimizers.Adam(learning_rate=0.3))
    for epoch in range(1, 101):
        train_loss = train_epoch(step, batches, metric)
        val_loss = float(loss(valid_y, model(valid_x, training=False)))
        if epoch in (1, 10, 20, 40, 60, 100):
            losses = f"training {train_loss:.2f}, validation {val_loss:.2f}"
            print(f"epoch {epoch:3}: {losses}")
    # endregion overfit

    # region validate_batches
    valid_rows = tf.data.Dataset.from_tensor_slices((valid_x, valid_y))
    valid_batches = valid_rows.batch(8)
    in_batches = validate(model, valid_batches, metric)
    batch_losses = []
    for x_batch, y_batch in valid_batches:
        batch_losses.append(float(loss(y_batch, model(x_batch))))
    mean = sum(batch_losses) / len(batch_losses)
    print(f"as one batch:       {val_loss:.4f}")
    print(f"in batches, metric: {in_batches:.4f}")
    print(f"in batches, mean:   {mean:.4f}")
    # endregion validate_batches

    # region predicted_apart
    mixed = valid_rows.shuffle(20, seed=0).batch(8)
    predictions = model.predict(mixed, verbose=0)
    labels = tf.concat([y_batch for _, y_batch in mixed], axis=0)
    print(f"loss {loss(labels, predictions):.4f}")
    # endregion predicted_apart

    # region predicted_together
    parts = [(y_batch, model(x_batch)) for x_batch, y_batch in mixed]
    labels, predictions = (
        tf.concat(part, axis=0) for part in zip(*parts, strict=True)
    )
    print(f"loss {loss(labels, predictions):.4f}")
    # endregion predicted_together

    # region early_stopping
    model = Polynomial(degree=15)
    step = make_step(model, tf.keras.optimizers.Adam(learning_rate=0.3))
    best_loss, best_epoch, patience = float("inf"), 0, 20
    best_weights = model.get_weights()
    for epoch in range(1, 201):
        train_epoch(step, batches, metric)
        val_loss = float(loss(valid_y, model(valid_x, training=False)))
        if val_loss < best_loss:
            best_loss, best_epoch = val_loss, epoch
            best_weights = model.get_weights()
        elif epoch - best_epoch >= patience:
            break
    model.set_weights(best_weights)
    print(f"stopped after epoch {epoch}, kept epoch {best_epoch}")
    print(f"validation {loss(valid_y, model(valid_x)):.4f}")
    # endregion early_stopping

    # region callbacks
    model = Polynomial(degree=15)
    step = make_step(model, tf.keras.optimizers.Adam(learning_rate=0.3))
    stopping = tf.keras.callbacks.EarlyStopping(
        monitor="val_loss", patience=20, restore_best_weights=True
    )
    callbacks = tf.keras.callbacks.CallbackList([stopping], model=model)
    model.stop_training = False
    # endregion callbacks

    # region callback_loop
    callbacks.on_train_begin()
    for epoch in range(200):
        callbacks.on_epoch_begin(epoch)
        logs = {"loss": train_epoch(step, batches, metric)}
        logs["val_loss"] = float(loss(valid_y, model(valid_x, training=False)))
        callbacks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    callbacks.on_train_end()
    kept = stopping.best_epoch + 1
    print(f"stopped after epoch {epoch + 1}, kept epoch {kept}")
    print(f"validation {loss(valid_y, model(valid_x)):.4f}")
    # endregion callback_loop

    # region parts
    epochs, patience = 200, 20
    batches = make_batches(train_x, train_y, batch=10)
    learning_rate = tf.keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.3, decay_steps=epochs * len(batches)
    )
    optimizer = tf.keras.optimizers.Adam(
        learning_rate, global_clipnorm=5.0, gradient_accumulation_steps=2
    )
    model = Polynomial(degree=15)
    step = make_step(model, optimizer)
    metric = tf.keras.metrics.MeanSquaredError()
    # endregion parts

    # region together
    history = {"loss": [], "val_loss": []}
    best_loss, best_epoch = float("inf"), 0
    best_weights = model.get_weights()
    for epoch in range(1, epochs + 1):
        history["loss"].append(train_epoch(step, batches, metric))
        val_loss = float(loss(valid_y, model(valid_x, training=False)))
        history["val_loss"].append(val_loss)
        if val_loss < best_loss:
            best_loss, best_epoch = val_loss, epoch
            best_weights = model.get_weights()
        elif epoch - best_epoch >= patience:
            break
    print(f"test loss at the stop: {loss(test_y, model(test_x)):.4f}")
    model.set_weights(best_weights)
    print(f"test loss, restored:   {loss(test_y, model(test_x)):.4f}")
    # endregion together

    # region plot_together
    numbers = range(1, epoch + 1)
    plt.semilogy(numbers, history["loss"], "-", color=BLUE, label="training")
    plt.semilogy(
        numbers, history["val_loss"], "--", color=RED, label="validation"
    )
    plt.axvline(best_epoch, linestyle=":", color=GREEN, label="weights kept")
    plt.plot(epoch, history["val_loss"][-1], "X", color=RED, label="stopped")
    plt.xlabel("epoch")
    plt.ylabel("loss")
    plt.legend()
    plt.show()
    # endregion plot_together

    # region patience
    val_losses = history["val_loss"]
    for patience in (2, 5, 10, 20):
        stop, kept = stop_epoch(val_losses, patience)
        kept_loss = val_losses[kept - 1]
        print(f"patience {patience:2}: stops after epoch {stop},", end=" ")
        print(f"keeps epoch {kept}, validation {kept_loss:.4f}")
    # endregion patience

    # region compile
    learning_rate = tf.keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.3, decay_steps=epochs * len(batches)
    )
    fit_model = Polynomial(degree=15)
    fit_model.compile(
        optimizer=tf.keras.optimizers.Adam(
            learning_rate, global_clipnorm=5.0, gradient_accumulation_steps=2
        ),
        loss=tf.keras.losses.MeanSquaredError(),
    )
    # endregion compile

    # region fit
    fit = fit_model.fit(
        batches,
        epochs=epochs,
        validation_data=(valid_x, valid_y),
        callbacks=[
            tf.keras.callbacks.EarlyStopping(
                patience=20, restore_best_weights=True
            )
        ],
        shuffle=False,
        verbose=0,
    )
    print(f"fit stopped after epoch {len(fit.epoch)}, the loop after {epoch}")
    print(f"test loss: {loss(test_y, fit_model(test_x)):.4f}")
    # endregion fit
