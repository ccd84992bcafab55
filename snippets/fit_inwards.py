"""Keras from ``fit`` inwards: its calls, its step, and loops around it."""

# ruff: noqa: F401 (a block that the page shows below uses the clock)

# region setup
import time
import warnings

import matplotlib.pyplot as plt
import tensorflow as tf

Batch = tuple[tf.Tensor, ...]
Logs = dict[str, tf.Tensor]
# endregion setup

from snippets.data import make_data  # noqa: E402
from snippets.keras_model import KerasLinearModel  # noqa: E402


# region compiled
def compiled(
    model: tf.keras.Model, run_eagerly: bool = False
) -> tf.keras.Model:
    """Return the model, compiled with a new optimizer, loss and metric."""
    model.compile(
        optimizer=tf.keras.optimizers.SGD(learning_rate=0.1),
        loss=tf.keras.losses.MeanSquaredError(),
        metrics=[tf.keras.metrics.MeanAbsoluteError(name="mae")],
        run_eagerly=run_eagerly,
    )
    return model


# endregion compiled


# region WeightHistory
class WeightHistory(tf.keras.callbacks.Callback):
    """Keeps w and b as they are before training and after each epoch."""

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Start the lists with the untrained weights."""
        self.w = [float(self.model.w)]
        self.b = [float(self.model.b)]

    def on_epoch_end(self, epoch, logs=None) -> None:
        """Add the weights that the epoch ended with."""
        self.w.append(float(self.model.w))
        self.b.append(float(self.model.b))


# endregion WeightHistory


# region LargestError
class LargestError(tf.keras.callbacks.Callback):
    """Prints what is in the logs, and the largest error on given pairs."""

    def __init__(self, x: tf.Tensor, y: tf.Tensor) -> None:
        super().__init__()
        self.x, self.y = x, y

    def on_epoch_end(
        self, epoch: int, logs: dict[str, float] | None = None
    ) -> None:
        """Predict, compare with the labels, and print."""
        y_pred = self.model(self.x, training=False)
        errors = tf.abs(y_pred - tf.reshape(self.y, y_pred.shape))
        print(*(logs or ()), f"largest error {tf.reduce_max(errors):.4f}")


# endregion LargestError


# region Bookkeeper
class Bookkeeper(KerasLinearModel):
    """A line that updates by hand the metrics from `compile`."""

    def keep_books(
        self, data: Batch, y_pred: tf.Tensor, current_loss: tf.Tensor
    ) -> Logs:
        """Update all metrics with one batch; return their results."""
        x, y, sample_weight = tf.keras.utils.unpack_x_y_sample_weight(data)
        pairs = tf.shape(x)[0]
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(current_loss, sample_weight=pairs)
        logs: Logs = self.compute_metrics(x, y, y_pred, sample_weight)
        return logs


# endregion Bookkeeper


# region OwnStep
class OwnStep(Bookkeeper):
    """Trains as Keras does, by a step of its own."""

    def train_step(self, data: Batch) -> Logs:
        """Update the model and the metrics with one batch of data."""
        x, y, sample_weight = tf.keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            current_loss = self.compute_loss(x, y, y_pred, sample_weight)
        variables = self.trainable_variables
        gradients = tape.gradient(current_loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return self.keep_books(data, y_pred, current_loss)


# endregion OwnStep


# region TalkingStep
class TalkingStep(OwnStep):
    """Says when Python runs its step."""

    def train_step(self, data: Batch) -> Logs:
        """Print the shape of x, then update the model and the metrics."""
        print("  a step on x of shape", data[0].shape)
        return super().train_step(data)


# endregion TalkingStep


# region Keras2Step
class Keras2Step(KerasLinearModel):
    """Trains by a step as it was written for Keras 2; logs nonsense."""

    def train_step(self, data: Batch) -> Logs:
        """Update the model and the metrics with one batch of pairs."""
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            current_loss = self.compiled_loss(y, y_pred)
        variables = self.trainable_variables
        gradients = tape.gradient(current_loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        self.compiled_metrics.update_state(y, y_pred)
        return {metric.name: metric.result() for metric in self.metrics}


# endregion Keras2Step


# region Ledger
class Ledger(KerasLinearModel):
    """A line with a loss, and metrics for it, of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.squared_error = tf.keras.losses.MeanSquaredError()
        self.tracker = tf.keras.metrics.Mean(name="loss")
        self.gradient_norm = tf.keras.metrics.Mean(name="gradient_norm")

    @property
    def metrics(self) -> list[tf.keras.metrics.Metric]:
        """The metrics that `fit` is to reset when an epoch begins."""
        return [self.tracker, self.gradient_norm]


# endregion Ledger


# region LedgerTraining
class LedgerTraining(Ledger):
    """Trains by a step that also logs the length of the gradient."""

    def train_step(self, data: Batch) -> Logs:
        """Update the model and the metrics with one batch of data."""
        x, y, sample_weight = tf.keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            current_loss = self.squared_error(y, y_pred, sample_weight)
        variables = self.trainable_variables
        gradients = tape.gradient(current_loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        self.tracker.update_state(current_loss, sample_weight=tf.shape(x)[0])
        self.gradient_norm.update_state(tf.linalg.global_norm(gradients))
        return {metric.name: metric.result() for metric in self.metrics}


# endregion LedgerTraining


# region LedgerTesting
class LedgerTesting(LedgerTraining):
    """Tests by a step of its own, too."""

    def test_step(self, data: Batch) -> Logs:
        """Update the loss with one batch of data."""
        x, y, sample_weight = tf.keras.utils.unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        current_loss = self.squared_error(y, y_pred, sample_weight)
        self.tracker.update_state(current_loss, sample_weight=tf.shape(x)[0])
        return {"loss": self.tracker.result()}


# endregion LedgerTesting


# region AdvisedBooks
class AdvisedBooks(OwnStep):
    """Keeps its books as the warning of Keras advises."""

    def keep_books(
        self, data: Batch, y_pred: tf.Tensor, current_loss: tf.Tensor
    ) -> Logs:
        """Update all metrics alike; return their results."""
        for metric in self.metrics:
            metric.update_state(data[1], y_pred)
        return {metric.name: metric.result() for metric in self.metrics}


# endregion AdvisedBooks


# region NoBooks
class NoBooks(OwnStep):
    """Returns the loss itself and keeps no books at all."""

    def keep_books(self, data, y_pred, current_loss) -> Logs:
        """Return the loss of the batch."""
        return {"loss": current_loss}


# endregion NoBooks


# region Orthogonal
class Orthogonal(KerasLinearModel):
    """A line fitted by distances at a right angle to it."""

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ) -> tf.Tensor:
        """Return the mean squared distance of the points from the line."""
        squared_error = tf.keras.losses.MeanSquaredError()
        return squared_error(y, y_pred, sample_weight) / (1 + self.w**2)


# endregion Orthogonal

if __name__ == "__main__":
    # region batches
    x, y = make_data()
    order = tf.argsort(tf.random.stateless_uniform(x.shape, seed=(0, 0)))
    x = tf.gather(x, order)[:, tf.newaxis]
    y = tf.gather(y, order)[:, tf.newaxis]
    pairs = tf.data.Dataset.from_tensor_slices((x, y))
    batches = pairs.take(150).batch(32)
    held_out = pairs.skip(150).batch(32)
    print("training:", [len(x_batch) for x_batch, _ in batches])
    print("held out:", [len(x_batch) for x_batch, _ in held_out])
    # endregion batches

    # region fit
    model = compiled(KerasLinearModel())
    fit = model.fit(
        batches, validation_data=held_out, epochs=10, shuffle=False, verbose=0
    )
    print(type(fit))
    print("epoch", *(f"{name:>8}" for name in fit.history))
    for epoch in (1, 2, 10):
        row = [values[epoch - 1] for values in fit.history.values()]
        print(f"{epoch:5}", *(f"{value:8.4f}" for value in row))
    # endregion fit

    # region evaluate
    scores = model.evaluate(held_out, verbose=0)
    print(type(scores), *(f"{score:.4f}" for score in scores))
    named = model.evaluate(held_out, return_dict=True, verbose=0)
    print(type(named), *(f"{name} {named[name]:.4f}" for name in named))
    # endregion evaluate

    # region predict
    x_val, y_val = x[150:], y[150:]
    predictions = model.predict(x_val, verbose=0)
    print("predict:", type(predictions), predictions.shape)
    print("call:", type(model(x_val)), model(x_val).shape)
    # endregion predict

    # region vectors
    errors = tf.abs(predictions - y_val)
    print(f"by hand: mae {tf.reduce_mean(errors):.4f}")
    scores = model.evaluate(x_val, y_val, batch_size=32, verbose=0)
    print(f"columns: mae {scores[1]:.4f}, loss {scores[0]:.4f}")
    twin = compiled(KerasLinearModel())
    twin.set_weights(model.get_weights())
    vectors = x_val[:, 0], y_val[:, 0]
    scores = twin.evaluate(*vectors, batch_size=32, verbose=0)
    print(f"vectors: mae {scores[1]:.4f}, loss {scores[0]:.4f}")
    # endregion vectors

    # region callbacks
    stopper = tf.keras.callbacks.EarlyStopping(
        "val_loss", min_delta=0.001, patience=2, restore_best_weights=True
    )
    recorder = WeightHistory()
    stopped = compiled(KerasLinearModel())
    stopped.fit(
        batches,
        validation_data=held_out,
        epochs=100,
        shuffle=False,
        verbose=0,
        callbacks=[stopper, recorder],
    )
    print("epochs run:", len(recorder.w) - 1)
    # endregion callbacks

    # region recorded
    best = stopper.best_epoch + 1
    print(f"the end: w {recorder.w[-1]:.4f}, b {recorder.b[-1]:.4f}")
    print(f"epoch {best}: w {recorder.w[best]:.4f}, b {recorder.b[best]:.4f}")
    print(f"kept:    w {float(stopped.w):.4f}, b {float(stopped.b):.4f}")
    plt.plot(recorder.w, "o-", color="#0072B2", label="w")
    plt.plot(recorder.b, "s-", color="#D55E00", label="b")
    plt.axvline(best, linestyle=":", color="#009E73", label="kept")
    plt.xlabel("epoch")
    plt.legend()
    plt.show()
    # endregion recorded

    # region predictions
    watched = compiled(KerasLinearModel())
    watched.fit(
        batches,
        validation_data=held_out,
        epochs=2,
        shuffle=False,
        verbose=0,
        callbacks=[LargestError(x_val, y_val)],
    )
    # endregion predictions

    # region same
    own, recorder = compiled(OwnStep()), WeightHistory()
    own_fit = own.fit(
        batches,
        validation_data=held_out,
        epochs=10,
        shuffle=False,
        verbose=0,
        callbacks=[recorder],
    )
    print("same history:", own_fit.history == fit.history)
    print("weights recorded:", len(recorder.w))
    # endregion same

    # region run_eagerly
    for run_eagerly in (False, True):
        print(f"run_eagerly={run_eagerly}")
        talking = compiled(TalkingStep(), run_eagerly)
        talking.fit(batches, epochs=1, shuffle=False, verbose=0)
    # endregion run_eagerly

    # region old_step
    old = compiled(Keras2Step())
    with warnings.catch_warnings(record=True) as caught:
        old_fit = old.fit(
            batches,
            validation_data=held_out,
            epochs=10,
            shuffle=False,
            verbose=0,
        )
    for warning in caught:
        lines = str(warning.message).splitlines()
        print("\n".join(line for line in lines if line.strip("`")))
    # endregion old_step

    # region wrong_loss
    print("same weights:", old.get_weights() == model.get_weights())
    logged = old_fit.history["loss"]
    mean_prediction = tf.reduce_mean(old(x[:150]))
    print(f"last loss {logged[-1]:.2f}, mean prediction {mean_prediction:.2f}")
    epochs = range(1, 11)
    plt.plot(epochs, fit.history["loss"], "o-", color="#0072B2", label="fit")
    plt.plot(epochs, logged, "s--", color="#D55E00", label="the Keras 2 step")
    plt.xlabel("epoch")
    plt.ylabel("loss in the log")
    plt.legend()
    plt.show()
    # endregion wrong_loss

    # region untested
    ledger = compiled(LedgerTraining())
    ledger_fit = ledger.fit(
        batches, validation_data=held_out, epochs=10, shuffle=False, verbose=0
    )
    for name, values in ledger_fit.history.items():
        print(f"{name}: first {values[0]:.4f}, last {values[-1]:.4f}")
    # endregion untested

    # region tested
    ledger = LedgerTesting()
    ledger.compile(optimizer=tf.keras.optimizers.SGD(learning_rate=0.1))
    ledger_fit = ledger.fit(
        batches, validation_data=held_out, epochs=10, shuffle=False, verbose=0
    )
    for name, values in ledger_fit.history.items():
        print(f"{name}: first {values[0]:.4f}, last {values[-1]:.4f}")
    # endregion tested

    try:
        # region no_loss
        untested = LedgerTraining()
        untested.compile(optimizer=tf.keras.optimizers.SGD(learning_rate=0.1))
        untested.fit(
            batches, validation_data=held_out, shuffle=False, verbose=0
        )
        # endregion no_loss
    except ValueError as error:
        print(error)

    # region train_on_batch
    batchwise = compiled(KerasLinearModel())
    losses, sizes = [], []
    for _ in range(10):
        for x_batch, y_batch in batches:
            losses.append(batchwise.train_on_batch(x_batch, y_batch)[0])
            sizes.append(len(x_batch))
    print("epoch 1:", *(f"{value:.4f}" for value in losses[:5]))
    total = sum(losses[batch] * sizes[batch] for batch in range(5))
    print(f"mean over pairs:   {total / 150:.4f}")
    print(f"mean over batches: {sum(losses[:5]) / 5:.4f}")
    # endregion train_on_batch

    try:
        # region three_parts
        compiled(Keras2Step()).train_on_batch(x_batch, y_batch)
        # endregion three_parts
    except ValueError as error:
        print(error)

    # region own_loop
    looped = KerasLinearModel()
    optimizer = tf.keras.optimizers.SGD(learning_rate=0.1)
    squared_error = tf.keras.losses.MeanSquaredError()
    tracker = tf.keras.metrics.Mean()
    for _ in range(10):
        tracker.reset_state()
        for x_batch, y_batch in batches:
            with tf.GradientTape() as tape:
                predictions = looped(x_batch, training=True)
                current_loss = squared_error(y_batch, predictions)
            variables = looped.trainable_variables
            gradients = tape.gradient(current_loss, variables)
            optimizer.apply_gradients(zip(gradients, variables, strict=True))
            tracker.update_state(current_loss, sample_weight=len(x_batch))
    print(f"epoch 10: loss {tracker.result():.4f}")
    # endregion own_loop

    # region compare
    ways = {"own step": own, "train_on_batch": batchwise, "own loop": looped}
    apart = []
    for name, other in ways.items():
        both = zip(model.weights, other.weights, strict=True)
        apart.append(max(abs(float(a - b)) for a, b in both))
        weights = f"w {float(other.w):.4f}, b {float(other.b):.4f}"
        print(f"{name}: {weights}, apart from fit {apart[-1]:.1g}")
    # endregion compare

    # region wrong_books
    advised = compiled(AdvisedBooks())
    bookless = NoBooks()
    bookless.compile(optimizer=tf.keras.optimizers.SGD(0.1), loss="mse")
    for name, other in (("all alike", advised), ("one line", bookless)):
        other_fit = other.fit(batches, epochs=10, shuffle=False, verbose=0)
        logged = other_fit.history["loss"]
        print(f"{name}: first {logged[0]:.4f}, last {logged[-1]:.4f}")
        print("same weights:", other.get_weights() == model.get_weights())
    # endregion wrong_books

    # region orthogonal
    orthogonal = Orthogonal()
    orthogonal.compile(optimizer=tf.keras.optimizers.SGD(learning_rate=1.0))
    orthogonal_fit = orthogonal.fit(
        batches, validation_data=held_out, epochs=20, shuffle=False, verbose=0
    )
    for name, values in orthogonal_fit.history.items():
        print(f"{name}: first {values[0]:.4f}, last {values[-1]:.4f}")
    print(f"w {float(orthogonal.w):.4f}, b {float(orthogonal.b):.4f}")
    # endregion orthogonal
