"""Keras models in checkpoints and files, and models without their code."""

import copy
import warnings

import tensorflow as tf

from snippets.data import make_data
from snippets.linear_model import LinearModel
from snippets.save_and_resume import new_training, train_until


# region line
@tf.keras.utils.register_keras_serializable()
class Line(tf.keras.Model):
    """A straight line whose weights are made at its first call."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        start = tf.keras.initializers.Constant(5.0)
        self.dense = tf.keras.layers.Dense(1, kernel_initializer=start)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Return a prediction for each row of x, shape (rows, 1)."""
        return self.dense(x)


# endregion line


# region fit
def compile_line(line: Line, loss: object = "mse") -> None:
    """Give the line an optimizer and a loss for ``fit``."""
    optimizer = tf.keras.optimizers.SGD(0.05, momentum=0.9)
    line.compile(optimizer=optimizer, loss=loss)


def fit_epochs(
    first: int, last: int, line: Line, x: tf.Tensor, y: tf.Tensor
) -> list[float]:
    """Fit from the first epoch to the last; return the losses."""
    once = {"batch_size": len(x), "shuffle": False, "verbose": 0}
    history = line.fit(x, y, initial_epoch=first, epochs=last, **once)
    return list(history.history["loss"])


# endregion fit


# region my_loss
def my_loss(y: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Return how far each row is from its prediction, shape (rows,)."""
    return tf.reduce_mean(tf.abs(y - y_pred), axis=-1)


# endregion my_loss


# region Double
@tf.keras.utils.register_keras_serializable()
class Double(tf.keras.layers.Layer):
    """A layer that doubles its input."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Return twice x, of any shape."""
        return 2.0 * x


# endregion Double


# region copy_optimizer
def copy_optimizer(
    optimizer: tf.keras.optimizers.Optimizer, variables: list[tf.Variable]
) -> tf.keras.optimizers.Optimizer:
    """Return an optimizer for these variables, with the state of another.

    They have the shapes and the order of those that it was built for.
    """
    new = type(optimizer).from_config(optimizer.get_config())
    new.build(variables)
    for to, value in zip(new.variables, optimizer.variables, strict=True):
        to.assign(value)
    return new


# endregion copy_optimizer

if __name__ == "__main__":
    x, y = make_data()
    resumed = new_training(LinearModel())
    train_until(30, resumed, x, y)

    # region unbuilt
    inputs, outputs = x[:, tf.newaxis], y[:, tf.newaxis]
    line = Line(name="line")
    line(inputs)
    train_until(30, new_training(line), inputs, outputs)
    path = tf.train.Checkpoint(model=line).write("line")

    unbuilt = Line()
    status = tf.train.Checkpoint(model=unbuilt).read(path)
    unbuilt(inputs)
    for name, dense in ("saved:", line.dense), ("read:", unbuilt.dense):
        kernel, bias = float(dense.kernel[0, 0]), float(dense.bias[0])
        print(f"{name:6} kernel {kernel:.4f}, bias {bias:.4f}")
    # endregion unbuilt

    try:
        # region unconsumed
        status.assert_consumed()
        # endregion unconsumed
    except AssertionError as error:
        print(error)

    # region built
    status.expect_partial()
    built = Line()
    built(inputs)
    tf.train.Checkpoint(model=built).read(path).assert_consumed()
    kernel, bias = float(built.dense.kernel[0, 0]), float(built.dense.bias[0])
    print(f"read:  kernel {kernel:.4f}, bias {bias:.4f}")
    # endregion built

    # region keras
    fitted = Line()
    compile_line(fitted)
    fit_epochs(0, 10, fitted, inputs, outputs)
    fitted.save("line.keras")
    fitted.save_weights("line.weights.h5")
    fitted_rest = fit_epochs(10, 20, fitted, inputs, outputs)

    loaded = tf.keras.models.load_model("line.keras")
    loaded_rest = fit_epochs(10, 20, loaded, inputs, outputs)
    print("same losses:", loaded_rest == fitted_rest)
    # endregion keras

    try:
        # region not_located
        own = Line()
        compile_line(own, my_loss)
        fit_epochs(0, 10, own, inputs, outputs)
        own.save("own.keras")
        own_rest = fit_epochs(10, 20, own, inputs, outputs)
        tf.keras.models.load_model("own.keras")
        # endregion not_located
    except TypeError as error:
        print(error)

    # region by_name
    objects = {"my_loss": my_loss}
    located = tf.keras.models.load_model("own.keras", custom_objects=objects)
    named_rest = fit_epochs(10, 20, located, inputs, outputs)
    print("same losses:", named_rest == own_rest)
    # endregion by_name

    # region compiled_anew
    anew = tf.keras.models.load_model("own.keras", compile=False)
    compile_line(anew, my_loss)
    anew.optimizer.build(anew.trainable_variables)
    anew.load_weights("own.keras")
    anew_rest = fit_epochs(10, 20, anew, inputs, outputs)
    print("same losses:", anew_rest == own_rest)
    # endregion compiled_anew

    try:
        # region lambda_refused
        double = tf.keras.layers.Lambda(lambda x: 2.0 * x)
        layers = [tf.keras.Input((1,)), double, tf.keras.layers.Dense(1)]
        doubled = tf.keras.Sequential(layers)
        doubled.save("doubled.keras")
        tf.keras.models.load_model("doubled.keras")
        # endregion lambda_refused
    except ValueError as error:
        print(error)

    # region lambda_replaced
    layers = [tf.keras.Input((1,)), Double(), tf.keras.layers.Dense(1)]
    rebuilt = tf.keras.Sequential(layers)
    rebuilt.load_weights("doubled.keras")
    rebuilt.save("rebuilt.keras")
    again = tf.keras.models.load_model("rebuilt.keras")
    difference = tf.reduce_max(tf.abs(again(inputs) - doubled(inputs)))
    print(f"largest difference: {float(difference):.4f}")
    # endregion lambda_replaced

    # region weights
    light = Line()
    light(inputs)
    light.load_weights("line.weights.h5")
    compile_line(light)
    light_rest = fit_epochs(10, 20, light, inputs, outputs)
    print("same first loss:", light_rest[0] == fitted_rest[0])
    print("same losses:", light_rest == fitted_rest)
    # endregion weights

    # region weights_and_optimizer
    full = Line()
    full(inputs)
    compile_line(full)
    full.optimizer.build(full.trainable_variables)
    full.load_weights("line.weights.h5")
    full_rest = fit_epochs(10, 20, full, inputs, outputs)
    print("same losses:", full_rest == fitted_rest)
    # endregion weights_and_optimizer

    # region deepcopy
    twin = copy.deepcopy(full)
    with warnings.catch_warnings(record=True) as caught:
        by_itself = copy.deepcopy(full.optimizer)
    print(str(caught[0].message).split(",")[0])
    print("the model's own: ", int(full.optimizer.iterations), "iterations")
    print("the copied model:", int(twin.optimizer.iterations), "iterations")
    print("copied by itself:", int(by_itself.iterations), "iterations")
    # endregion deepcopy

    # region copied
    copied = copy_optimizer(full.optimizer, twin.trainable_variables)
    twin.compile(copied, "mse")
    full_rest = fit_epochs(20, 30, full, inputs, outputs)
    twin_rest = fit_epochs(20, 30, twin, inputs, outputs)
    print("same losses:", twin_rest == full_rest)
    # endregion copied

    # region dropout
    dropout = tf.keras.layers.Dropout(0.5, seed=0)
    noisy = tf.keras.Sequential([tf.keras.Input((8,)), dropout])
    noisy(tf.ones((1, 8)), training=True)
    noisy.save("noisy.keras")
    seed = dropout.seed_generator.state
    path = tf.train.Checkpoint(model=noisy, seed=seed).write("noisy")
    for name, shape in tf.train.list_variables(path):
        print(name, shape)
    # endregion dropout

    # region dropout_resumed
    print("goes on: ", noisy(tf.ones((1, 8)), training=True).numpy()[0])
    reloaded = tf.keras.models.load_model("noisy.keras")
    print("reloaded:", reloaded(tf.ones((1, 8)), training=True).numpy()[0])
    seed = reloaded.layers[0].seed_generator.state
    named = tf.train.Checkpoint(model=reloaded, seed=seed)
    named.read(path).assert_consumed()
    print("resumed: ", reloaded(tf.ones((1, 8)), training=True).numpy()[0])
    # endregion dropout_resumed

    try:
        # region uncallable
        tf.saved_model.save(resumed.model, "plain")
        plain = tf.saved_model.load("plain")
        print(f"w: {float(plain.w):.4f}")
        plain(x)
        # endregion uncallable
    except TypeError as error:
        print(error)

    # region served
    served = tf.Module()
    served.line = resumed.model
    served.predict = tf.function(
        resumed.model, input_signature=[tf.TensorSpec([None], tf.float32)]
    )
    tf.saved_model.save(served, "served")
    fitted.export("exported", verbose=False)
    print(f"served:   {float(served.predict([2.0])[0]):.4f}")
    print(f"exported: {float(fitted(tf.constant([[2.0]]))[0, 0]):.4f}")
    # endregion served
