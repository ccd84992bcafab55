"""Traps of Keras models: hidden weights, logs, restoring, training mode."""

import warnings

import tensorflow as tf

from snippets.data import make_data
from snippets.keras_model import KerasLinearModel
from snippets.loss import loss


# region hidden
class Hidden(tf.keras.Model):
    """A line with a weight w and a bias b."""

    def __init__(self) -> None:
        super().__init__()
        start = tf.keras.initializers.Constant(5.0)
        self.w = self.add_weight(name="w", shape=(), initializer=start)
        self.b = tf.Variable(0.0, name="b")

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Return a prediction for each x, in the shape of x."""
        return x * self.w + self.b


# endregion hidden


# region own_step
class OwnStep(KerasLinearModel):
    """A line with a training step of its own; _record feeds the log."""

    def train_step(self, data: tuple[tf.Tensor, ...]) -> dict[str, tf.Tensor]:
        """Update the weights once; return the log."""
        x, y, sample_weight = tf.keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            predictions = self(x, training=True)
            current_loss = self.compute_loss(x, y, predictions, sample_weight)
        variables = self.trainable_variables
        gradients = tape.gradient(current_loss, variables)
        self.optimizer.apply(gradients, variables)
        self._record(x, y, predictions, sample_weight, current_loss)
        log: dict[str, tf.Tensor] = self.get_metrics_result()
        return log


# endregion own_step


# region wrong_records
class KerasTwo(OwnStep):
    """Updates the metrics as code for Keras 2 does."""

    def _record(self, *step: tf.Tensor) -> None:
        _, y, predictions, *_ = step
        self.compiled_metrics.update_state(y, predictions)


class AsAdvised(OwnStep):
    """Updates the metrics as Keras 3 then advises."""

    def _record(self, *step: tf.Tensor) -> None:
        _, y, predictions, *_ = step
        for metric in self.metrics:
            metric.update_state(y, predictions)


# endregion wrong_records


# region right_record
class Recorded(OwnStep):
    """Updates each metric with what it measures."""

    def _record(self, *step: tf.Tensor) -> None:
        *rest, current_loss = step
        for metric in self.metrics:
            if metric.name == "loss":
                rows = tf.shape(rest[0])[0]
                metric.update_state(current_loss, sample_weight=rows)
        self.compute_metrics(*rest)


# endregion right_record


# region lazy_line
class LazyLine(tf.keras.Model):
    """A line whose layer makes its weights at the first call."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = tf.keras.layers.Dense(1, kernel_initializer="ones")

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Return predictions for inputs, both of shape (batch, 1)."""
        return self.dense(inputs)


# endregion lazy_line


# region normed_line
def normed_line() -> tf.keras.Model:
    """Return a line that normalises its input and penalises its weight."""
    penalty = tf.keras.regularizers.L2(0.1)
    model = tf.keras.Sequential(
        [
            tf.keras.layers.BatchNormalization(momentum=0.9),
            tf.keras.layers.Dense(
                1, kernel_initializer="ones", kernel_regularizer=penalty
            ),
        ]
    )
    model.compile(loss="mse")
    return model


# endregion normed_line


# region unweighted
class Unweighted(Recorded):
    """A line with a training step for x and y alone."""

    def train_step(self, data: tuple[tf.Tensor, ...]) -> dict[str, tf.Tensor]:
        """Update the weights once; return the log."""
        x, y, _ = tf.keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            predictions = self(x, training=True)
            current_loss = self.compute_loss(x, y, predictions)
        variables = self.trainable_variables
        gradients = tape.gradient(current_loss, variables)
        self.optimizer.apply(gradients, variables)
        self._record(x, y, predictions, None, current_loss)
        log: dict[str, tf.Tensor] = self.get_metrics_result()
        return log


# endregion unweighted

if __name__ == "__main__":
    # region half_hidden
    x, y = make_data()
    whole = {"batch_size": len(x), "shuffle": False, "verbose": 0}
    model = Hidden()
    model.compile(tf.keras.optimizers.SGD(0.1), loss="mse")
    log = model.fit(x, y, epochs=21, **whole).history
    print("loss:", *(f"{value:.2f}" for value in log["loss"][::4]))
    print(f"w {float(model.w):.4f}, b {float(model.b):.4f}")
    # endregion half_hidden

    # region all_seen
    model = KerasLinearModel()
    model.compile(tf.keras.optimizers.SGD(0.1), loss="mse")
    log = model.fit(x, y, epochs=21, **whole).history
    print("loss:", *(f"{value:.2f}" for value in log["loss"][::4]))
    print(f"w {float(model.w):.4f}, b {float(model.b):.4f}")
    assert len(model.trainable_variables) == 2
    # endregion all_seen

    # region wrong_logs
    for model in (KerasTwo(), AsAdvised()):
        optimizer = tf.keras.optimizers.SGD(0.1)
        model.compile(optimizer, loss="mse", metrics=["mse"])
        with warnings.catch_warnings(record=True) as told:
            log = model.fit(x + 1.0, y, epochs=4, **whole).history
        print(f"{type(model).__name__}, warnings: {len(told)}")
        for warning in told:
            advice = str(warning.message).splitlines()[2:4]
            print(*advice, sep="\n")
        for name in ("loss", "mse"):
            print(f"{name:4}", *(f"{value:.4f}" for value in log[name]))
    # endregion wrong_logs

    # region right_log
    model, optimizer = Recorded(), tf.keras.optimizers.SGD(0.1)
    model.compile(optimizer, loss="mse", metrics=["mse"])
    log = model.fit(x + 1.0, y, epochs=4, **whole).history
    for name in ("loss", "mse"):
        print(f"{name:4}", *(f"{value:.4f}" for value in log[name]))
    assert abs(log["loss"][0] - log["mse"][0]) < 0.001
    # endregion right_log

    # region restored_early
    inputs = x[:, tf.newaxis]
    trained, restored = LazyLine(), LazyLine()
    trained(inputs)
    trained.dense.kernel.assign([[3.0]])
    trained.dense.bias.assign([2.0])
    path = tf.train.Checkpoint(model=trained).write("line")
    status = tf.train.Checkpoint(model=restored).read(path)
    print("trained: ", trained(inputs)[-1].numpy())
    print("restored:", restored(inputs)[-1].numpy())
    # endregion restored_early

    # region restored_late
    restored = LazyLine()
    restored(inputs)
    status = tf.train.Checkpoint(model=restored).read(path)
    print("restored:", restored(inputs)[-1].numpy())
    status.assert_consumed()
    # endregion restored_late

    # region forgotten
    inputs, outputs = x[:, tf.newaxis] + 1.0, y[:, tf.newaxis]
    model, history = normed_line(), []
    optimizer = tf.keras.optimizers.SGD(0.1)
    for _ in range(50):
        with tf.GradientTape() as tape:
            current_loss = loss(outputs, model(inputs))
        gradients = tape.gradient(current_loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        history.append(float(current_loss))
    print(f"first loss {history[0]:.4f}, last loss {history[-1]:.4f}")
    print(f"penalty {sum(model.losses):.4f}")
    moving_mean = model.layers[0].moving_mean
    print("moving mean:", moving_mean.numpy().round(4))
    # endregion forgotten

    # region remembered
    model, history = normed_line(), []
    optimizer = tf.keras.optimizers.SGD(0.1)
    for _ in range(50):
        with tf.GradientTape() as tape:
            current_loss = loss(outputs, model(inputs, training=True))
            current_loss += sum(model.losses)
        gradients = tape.gradient(current_loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        history.append(float(current_loss))
    print(f"first loss {history[0]:.4f}, last loss {history[-1]:.4f}")
    print(f"penalty {sum(model.losses):.4f}")
    moving_mean = model.layers[0].moving_mean
    print("moving mean:", moving_mean.numpy().round(4))
    due = normed_line().train_on_batch(inputs, outputs)
    assert abs(history[0] - due) < 0.001
    # endregion remembered

    # region weights_dropped
    inputs, ends = x[:, tf.newaxis], []
    labels = tf.cast(inputs > 0.0, tf.float32)
    for options in ({}, {"class_weight": {0: 1.0, 1: 4.0}}):
        model = Unweighted()
        optimizer = tf.keras.optimizers.SGD(0.1)
        model.compile(optimizer, loss="mse", run_eagerly=True)
        model.fit(inputs, labels, **whole, **options)
        ends.append(float(model.b))
        print(f"w {float(model.w):.4f}, b {float(model.b):.4f}")
    # endregion weights_dropped

    # region weights_kept
    ends = []
    for options in ({}, {"class_weight": {0: 1.0, 1: 4.0}}):
        model = Recorded()
        optimizer = tf.keras.optimizers.SGD(0.1)
        model.compile(optimizer, loss="mse", run_eagerly=True)
        model.fit(inputs, labels, **whole, **options)
        ends.append(float(model.b))
        print(f"w {float(model.w):.4f}, b {float(model.b):.4f}")
    assert ends[0] != ends[1]
    # endregion weights_kept
