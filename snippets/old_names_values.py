"""What older lines meant, and what those of today do: the same."""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from snippets.data import make_data
from snippets.linear_model import LinearModel
from snippets.loss import loss
from snippets.old_names import BLUE, GREEN, RED, fresh, fresh_model, tried, v1
from snippets.old_names_tables import VARIABLES


# region then
def then(x: np.ndarray, y: np.ndarray) -> list[float]:
    """Train as with TensorFlow 1, ten steps; return w and b."""
    with tf.Graph().as_default():
        inputs = v1.placeholder(tf.float32)
        outputs = v1.placeholder(tf.float32)
        w, b = v1.Variable(5.0), v1.Variable(0.0)
        current_loss = v1.losses.mean_squared_error(outputs, inputs * w + b)
        optimizer = v1.train.GradientDescentOptimizer(0.1)
        train = optimizer.minimize(current_loss)
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            for _ in range(10):
                session.run(train, {inputs: x, outputs: y})
            return [float(value) for value in session.run([w, b])]


# endregion then


# region today
def today(x: tf.Tensor, y: tf.Tensor) -> list[float]:
    """Train as today, ten steps; return w and b."""
    model = LinearModel()
    for _ in range(10):
        with tf.GradientTape() as tape:
            current_loss = loss(y, model(x))
        variables = [model.w, model.b]
        gradients = tape.gradient(current_loss, variables)
        for variable, gradient in zip(variables, gradients, strict=True):
            variable.assign_sub(0.1 * gradient)
    return [float(model.w), float(model.b)]


# endregion today


# region steps
def steps(optimizer: tf.keras.Optimizer, count: int = 10) -> list[float]:
    """Return w after each step down the curve w**2 / 2, from 1 on."""
    w, history = tf.Variable(1.0), []
    for _ in range(count):
        optimizer.apply([w.read_value()], [w])
        history.append(float(w))
    return history


# endregion steps


# region steps_then
def steps_then(optimizer: v1.train.Optimizer, count: int = 10) -> list[float]:
    """Return the same for an optimizer of tf.compat.v1."""
    w, history = tf.Variable(1.0), []
    for _ in range(count):
        optimizer.minimize(lambda: w**2 / 2, var_list=[w])
        history.append(float(w))
    return history


# endregion steps_then


# region Momentum
class Momentum(tf.keras.optimizers.Optimizer):
    """Descent with momentum: v = 0.9 * v - rate * gradient, w = w + v."""

    def build(self, variables):
        """Make a v for each variable, once."""
        if not self.built:
            super().build(variables)
            self.v = self.add_optimizer_variables(variables, "v")

    def update_step(self, gradient, variable, learning_rate):
        """Move one variable."""
        v = self.v[self._get_variable_index(variable)]
        v.assign(0.9 * v - tf.cast(learning_rate, v.dtype) * gradient)
        variable.assign_add(v)


# endregion Momentum


# region penalty
class Penalty(tf.keras.layers.Layer):
    """Adds 100 to the loss, and hands on what it is given."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Return the inputs."""
        self.add_loss(tf.constant(100.0))
        return inputs


# endregion penalty


# region mended
def mended(x: tf.Tensor, y: tf.Tensor, count: int = 10) -> tf.Variable:
    """Return w after some steps with momentum."""
    w = tf.Variable(5.0, name="w")
    optimizer = tf.keras.optimizers.SGD(0.1, momentum=0.9)
    for _ in range(count):
        with tf.GradientTape() as tape:
            current_loss = loss(y, w * x)
        optimizer.apply(tape.gradient(current_loss, [w]), [w])
    return w


# endregion mended


# region set_known
def set_known(thing: object, name: str, value: object) -> None:
    """Set an attribute that is there already; refuse to make one."""
    if not hasattr(thing, name):
        raise AttributeError(f"{type(thing).__name__} has no {name}")
    setattr(thing, name, value)


# endregion set_known

if __name__ == "__main__":
    # region old_way
    x, y = make_data()
    print("then: ", *(f"{value:.4f}" for value in then(x.numpy(), y.numpy())))
    print("today:", *(f"{value:.4f}" for value in today(x, y)))
    # endregion old_way

    # region silent_rate
    first, second = (tf.keras.optimizers.SGD(0.1) for _ in range(2))
    first.lr = 0.5
    second.learning_rate = 0.5
    moved = [1 - steps(optimizer, 1)[0] for optimizer in (first, second)]
    print(f"optimizer.lr = 0.5:            a step of {moved[0]:.1f}")
    print(f"optimizer.learning_rate = 0.5: a step of {moved[1]:.1f}")
    # endregion silent_rate

    # region silent_dropout
    inputs = tf.ones([10_000])
    kept = [
        float(tf.reduce_mean(tf.sign(outputs)))
        for outputs in (
            tf.nn.dropout(inputs, 0.9),
            tf.nn.dropout(inputs, rate=0.1),
        )
    ]
    print(f"dropout(inputs, 0.9) keeps {kept[0]:.1f}")
    print(f"dropout(inputs, rate=0.1) keeps {kept[1]:.1f}")
    # endregion silent_dropout

    # region silent_loss
    alone, outside, inside = (fresh_model() for _ in range(3))
    outside.add_loss(tf.constant(100.0))
    inside.add(Penalty())
    inside.compile(loss="mse", run_eagerly=True)
    data = {"x": tf.ones([3, 1]), "y": tf.zeros([3, 1]), "verbose": 0}
    mse, *sums = (
        model.evaluate(**data, return_dict=True)["loss"]
        for model in (alone, outside, inside)
    )
    added = [total - mse for total in sums]
    print(f"add_loss from outside adds {added[0]:.1f}")
    print(f"add_loss in call adds {added[1]:.1f}")
    # endregion silent_loss

    _, old, _, new = tried(VARIABLES)

    # region same_variables
    print(f"{'':22}  then  today")
    for before, after in zip(old[:4], new, strict=False):
        meant = eval(before.replace("tf.", "tf.compat.v1."), fresh())
        value = eval(after, fresh())
        print(f"{after:22}{meant.numpy():6.3f}{value.numpy():7.3f}")
    for after, meant in ((new[5], 5.0 - 2.0), (new[6], 5.0 * 2.0)):
        print(f"{after:22}{meant:6.3f}{eval(after, fresh()).numpy():7.3f}")
    # endregion same_variables

    # region same_steps
    optimizers, train = tf.keras.optimizers, v1.train
    pairs = {
        "descent": (train.GradientDescentOptimizer(0.1), optimizers.SGD(0.1)),
        "momentum": (
            train.MomentumOptimizer(0.1, 0.9),
            optimizers.SGD(0.1, momentum=0.9),
        ),
        "Adam": (train.AdamOptimizer(0.1), optimizers.Adam(0.1)),
    }
    for name, (before, after) in pairs.items():
        ends = steps_then(before)[-1], steps(after)[-1]
        print(f"{name:9} then {ends[0]:.4f}, today {ends[1]:.4f}")
    # endregion same_steps

    # region own_steps
    own, of_keras = Momentum(0.1), optimizers.SGD(0.1, momentum=0.9)
    print("same steps:", steps(own) == steps(of_keras))
    # endregion own_steps

    # region decay
    with warnings.catch_warnings(action="ignore"):
        ignored = tf.keras.optimizers.SGD(0.1, decay=0.1)
    schedule = tf.keras.optimizers.schedules.InverseTimeDecay(0.1, 1, 0.1)
    scheduled = steps(tf.keras.optimizers.SGD(schedule))
    meant = np.cumprod([1 - 0.1 / (1 + 0.1 * step) for step in range(10)])
    print(f"meant {meant[-1]:.4f}, with a schedule {scheduled[-1]:.4f}")
    plt.plot(steps(ignored), "s--", color=RED, label="SGD(0.1, decay=0.1)")
    plt.plot(scheduled, "o-", color=BLUE, label="SGD(schedule)")
    plt.plot(meant, ":", color=GREEN, label="what decay meant")
    plt.xlabel("step")
    plt.ylabel("w")
    plt.legend()
    plt.show()
    # endregion decay

    # region scaled
    w = tf.Variable(1.0)
    inner = tf.keras.optimizers.SGD(0.1)
    optimizer = tf.keras.optimizers.LossScaleOptimizer(inner)
    with tf.GradientTape() as tape:
        scaled_loss = optimizer.scale_loss(w**2)
    optimizer.apply(tape.gradient(scaled_loss, [w]), [w])
    print(f"by the loop {w.numpy():.4f}, by hand {1 - 0.1 * 2:.4f}")
    # endregion scaled

    # region same_losses
    x, y, p = (fresh()[name] for name in ("x", "y", "p"))
    print(f"then:  {v1.losses.mean_squared_error(y, p):.4f}")
    print(f"today: {tf.keras.losses.MeanSquaredError()(y, p):.4f}")
    print("mse, one for each row:", tf.keras.losses.mse(y, p).numpy())
    # endregion same_losses

    # region same_logs
    model = fresh_model()
    with warnings.catch_warnings(action="ignore"):
        before = model.compiled_loss(y, p)
    after = model.compute_loss(x, y, p)
    print(f"compiled_loss {before:.4f}, compute_loss {after:.4f}")
    # endregion same_logs

    # region same_models
    model.save("line.keras")
    loaded = tf.keras.models.load_model("line.keras")
    model.save_weights("line.weights.h5")
    filled = fresh_model()
    filled.load_weights("line.weights.h5")
    for other in (loaded, filled):
        print("same predictions:", np.array_equal(other(x), model(x)))
    # endregion same_models

    # region try_mended
    x, y = make_data()
    print(f"w {mended(x, y).numpy():.4f}")
    # endregion try_mended

    # region known
    optimizer = tf.keras.optimizers.SGD(0.1)
    set_known(optimizer, "learning_rate", 0.5)
    print(f"learning_rate {float(optimizer.learning_rate):.1f}")
    # endregion known

    try:
        # region unknown
        set_known(optimizer, "lr", 0.5)
        # endregion unknown
    except AttributeError as error:
        print(error)
