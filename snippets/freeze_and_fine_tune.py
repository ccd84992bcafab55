"""Freeze and unfreeze parts of a model, and train them at their own rates."""

import matplotlib.pyplot as plt
import tensorflow as tf

from snippets.data import make_data
from snippets.keras_model import KerasLinearModel
from snippets.loss import loss
from snippets.usual_parts import BLUE, GREEN, RED, Step, make_step


# region make_tasks
def make_tasks() -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return x, the old wave and the new wave, each a column of 201 rows."""
    x = tf.cast(tf.linspace(-2, 2, 201), tf.float32)[:, tf.newaxis]
    return x, tf.sin(2 * x), 3 * tf.sin(2.3 * x) + 2


# endregion make_tasks


# region make_model
def make_model() -> tf.keras.Model:
    """Return a model of two layers, a base and a head."""
    layers, start = tf.keras.layers, tf.keras.initializers.GlorotUniform
    return tf.keras.Sequential(
        [
            tf.keras.Input((1,)),
            layers.Dense(8, "tanh", kernel_initializer=start(1), name="base"),
            layers.Dense(1, kernel_initializer=start(2), name="head"),
        ],
        name="model",
    )


# endregion make_model


# region movement
def movement(
    layer: tf.keras.Layer, step: Step, x: tf.Tensor, y: tf.Tensor
) -> float:
    """Take a step; return how far it moved any weight of the layer."""
    before = layer.get_weights()
    step(x, y)
    pairs = zip(layer.get_weights(), before, strict=True)
    return max(float(abs(new - old).max()) for new, old in pairs)


# endregion movement


# region make_normed
def make_normed() -> tf.keras.Model:
    """Return a model whose base is a batch normalisation."""
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            tf.keras.Input((1,)),
            layers.BatchNormalization(momentum=0.9, name="base"),
            layers.Dense(1, kernel_initializer="ones", name="head"),
        ],
        name="model",
    )


# endregion make_normed


# region make_head_step
def make_head_step(
    model: tf.keras.Model, optimizer: tf.keras.Optimizer
) -> Step:
    """Return a step that updates the head and leaves out the base."""
    variables = model.get_layer("head").trainable_variables
    optimizer.build(variables)

    def step(x: tf.Tensor, y: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            current_loss = loss(y, model(x, training=True))
        optimizer.apply(tape.gradient(current_loss, variables), variables)

    compiled: Step = tf.function(step)
    return compiled


# endregion make_head_step


# region unfreeze
def unfreeze(model: tf.keras.Model) -> None:
    """Make all layers trainable but those of batch normalisation."""
    model.trainable = True
    for layer in model.layers:
        normalises = isinstance(layer, tf.keras.layers.BatchNormalization)
        layer.trainable = not normalises


# endregion unfreeze


# region make_normalising
def make_normalising(momentum: float = 0.99) -> tf.keras.Model:
    """Return the model of two layers behind a normalisation of its inputs."""
    first = tf.keras.layers.BatchNormalization(momentum=momentum, name="first")
    layers = [tf.keras.Input((1,)), first, *make_model().layers]
    return tf.keras.Sequential(layers)


# endregion make_normalising


# region make_step_of_parts
Parts = list[tuple[tf.keras.Optimizer, list[tf.Variable]]]


def make_step_of_parts(model: tf.keras.Model, parts: Parts) -> Step:
    """Return a step in which each optimizer updates its own variables."""

    def step(x: tf.Tensor, y: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            current_loss = loss(y, model(x, training=True))
        gradients = tape.gradient(current_loss, [v for _, v in parts])
        for (optimizer, variables), part in zip(parts, gradients, strict=True):
            optimizer.apply(part, variables)

    compiled: Step = tf.function(step)
    return compiled


# endregion make_step_of_parts


# region make_scaled_step
def make_scaled_step(model, optimizer, scale):
    """Return a step that scales the gradients of the base."""

    def step(x, y):
        with tf.GradientTape() as tape:
            current_loss = loss(y, model(x, training=True))
        variables = model.trainable_variables
        gradients = tape.gradient(current_loss, variables)
        base = {id(v) for v in model.get_layer("base").variables}
        scales = [scale if id(v) in base else 1.0 for v in variables]
        scaled = [s * g for s, g in zip(scales, gradients, strict=True)]
        optimizer.apply(scaled, variables)

    return step


# endregion make_scaled_step


# region train
def train(model, optimizer, x, y, updates) -> list[float]:
    """Train by a new step; return the loss before each update."""
    step = make_step(model, optimizer)
    return [float(loss(y, step(x, y))) for _ in range(updates)]


# endregion train


# region averaged_loss
def averaged_loss(model, optimizer, x, y) -> float:
    """Return the loss of the averaged weights; leave the model as it was."""
    weights = model.get_weights()
    optimizer.finalize_variable_values(model.trainable_variables)
    result = float(loss(y, model(x)))
    model.set_weights(weights)
    return result


# endregion averaged_loss


# region halve_on_plateau
def halve_on_plateau(
    optimizer: tf.keras.Optimizer, losses: list[float], patience: int
) -> bool:
    """Halve the rate if the last epochs brought no new low of the loss."""
    recent, earlier = losses[-patience:], losses[:-patience]
    stuck = bool(earlier) and min(recent) >= min(earlier)
    if stuck:
        optimizer.learning_rate = optimizer.learning_rate * 0.5
    return stuck


# endregion halve_on_plateau


# region TwoLayers
class TwoLayers(tf.keras.Model):
    """The same two layers, as attributes of a class."""

    def __init__(self):
        super().__init__()
        self.base = tf.keras.layers.Dense(8, "tanh")
        self.head = tf.keras.layers.Dense(1)

    def call(self, x):
        """Return what the head makes of the features."""
        return self.head(self.base(x))


# endregion TwoLayers


# region WarmUp
class WarmUp(tf.keras.optimizers.schedules.LearningRateSchedule):
    """A rate that rises to 0.1 within ten updates, and stays there."""

    def __call__(self, step):
        """Return the rate of the next update."""
        return 0.1 * tf.minimum(step + 1, 10) / 10


# endregion WarmUp


# region WarmUpCast
class WarmUpCast(tf.keras.optimizers.schedules.LearningRateSchedule):
    """The same, with the count as a float."""

    def __call__(self, step):
        """Return the rate of the next update."""
        count = tf.cast(step, tf.float32)
        return 0.1 * tf.minimum(count + 1.0, 10.0) / 10.0

    def get_config(self):
        """Return the arguments that it was made with: none."""
        return {}


# endregion WarmUpCast

if __name__ == "__main__":
    # region pretrain
    all_x, old_y, new_y = make_tasks()
    model = make_model()
    optimizer = tf.keras.optimizers.SGD(0.1, momentum=0.9)
    step = make_step(model, optimizer)
    for _ in range(200):
        step(all_x, old_y)
    old_weights = model.get_weights()
    noise = tf.random.stateless_normal([20, 1], seed=(0, 0))
    x, y = all_x[5::10], new_y[5::10] + noise
    print(f"old task: loss {loss(old_y, model(all_x)):.4f}")
    print(f"new task: loss {loss(new_y, model(all_x)):.2f}, rows {len(x)}")
    # endregion pretrain

    # region go_on
    model = make_model()
    step = make_step(model, tf.keras.optimizers.SGD(0.01))
    for _ in range(10):
        step(x, y)
    base = model.get_layer("base")
    base.trainable = False
    print("trainable:", [v.path for v in model.trainable_variables])
    print(f"base moved by {movement(base, step, x, y):.3f}")
    # endregion go_on

    # region sometimes
    print(f"a smaller batch: {movement(base, step, x[:15], y[:15]):.3f}")
    tf.config.run_functions_eagerly(True)
    print(f"run eagerly:     {movement(base, step, x, y):.3f}")
    tf.config.run_functions_eagerly(False)
    print(f"as before:       {movement(base, step, x, y):.3f}")
    # endregion sometimes

    # region stay
    model = make_model()
    optimizer = tf.keras.optimizers.SGD(0.01)
    step = make_step(model, optimizer)
    for _ in range(10):
        step(x, y)
    base = model.get_layer("base")
    base.trainable = False
    step = make_step(model, optimizer)
    print(f"base moved by {movement(base, step, x, y):.3f}")
    assert movement(base, step, x, y) == 0
    # endregion stay

    # region fit
    def fit(x: tf.Tensor, y: tf.Tensor) -> None:
        """Train one epoch by Keras."""
        model.fit(x, y, batch_size=20, verbose=0)

    model = make_model()
    model.compile(tf.keras.optimizers.SGD(0.01), loss="mse")
    fit(x, y)
    base = model.get_layer("base")
    base.trainable = False
    print(f"frozen:         base moved by {movement(base, fit, x, y):.3f}")
    model.compile(tf.keras.optimizers.SGD(0.01), loss="mse")
    print(f"compiled again: base moved by {movement(base, fit, x, y):.3f}")
    # endregion fit

    try:
        # region all_frozen
        model = make_model()
        model.trainable = False
        model.get_layer("head").trainable = True
        print("trainable:", model.trainable_variables)
        make_step(model, tf.keras.optimizers.SGD(0.01))(x, y)
        # endregion all_frozen
    except ValueError as error:
        print(error)

    # region head_only
    model = make_model()
    for layer in model.layers:
        layer.trainable = layer.name == "head"
    print("trainable:", [v.path for v in model.trainable_variables])
    # endregion head_only

    try:
        # region unknown
        model, optimizer = make_model(), tf.keras.optimizers.Adam(0.01)
        base = model.get_layer("base")
        base.trainable = False
        step = make_step(model, optimizer)
        for _ in range(10):
            step(x, y)
        base.trainable = True
        step = make_step(model, optimizer)
        step(x, y)
        # endregion unknown
    except ValueError as error:
        print(error)

    # region known
    model, optimizer = make_model(), tf.keras.optimizers.Adam(0.01)
    optimizer.build(model.trainable_variables)
    base = model.get_layer("base")
    base.trainable = False
    step = make_step(model, optimizer)
    for _ in range(10):
        step(x, y)
    print(f"frozen:   base moved by {movement(base, step, x, y):.3f}")
    base.trainable = True
    step = make_step(model, optimizer)
    print(f"unfrozen: base moved by {movement(base, step, x, y):.3f}")
    # endregion known

    # region modes
    for trainable in (True, False):
        for training in (True, False):
            model = make_normed()
            base = model.get_layer("base")
            base.trainable = trainable
            mean = abs(float(tf.reduce_mean(model(x + 1, training=training))))
            moved = base.moving_mean.numpy().item()
            print(
                f"trainable {trainable!s:5}, training {training!s:5}", end=": "
            )
            print(f"output {mean:.1f}, moving mean {moved:.1f}")
    # endregion modes

    # region half_frozen
    model = make_normed()
    base = model.get_layer("base")
    step = make_head_step(model, tf.keras.optimizers.SGD(0.1))
    print(f"base moved by {movement(base, step, x + 1, y):.3f}")
    # endregion half_frozen

    # region called_so
    base = make_normed().get_layer("base")
    head = tf.keras.layers.Dense(1, name="head")
    inputs = tf.keras.Input((1,))
    model = tf.keras.Model(inputs, head(base(inputs, training=False)))
    step = make_head_step(model, tf.keras.optimizers.SGD(0.1))
    print(f"base moved by {movement(base, step, x + 1, y):.3f}")
    # endregion called_so

    # region wholly_frozen
    model = make_normed()
    base = model.get_layer("base")
    base.trainable = False
    step = make_head_step(model, tf.keras.optimizers.SGD(0.1))
    print(f"base moved by {movement(base, step, x + 1, y):.3f}")
    assert movement(base, step, x + 1, y) == 0
    # endregion wholly_frozen

    # region behind
    high_x = all_x + 10
    model = make_normalising()
    step = make_step(model, tf.keras.optimizers.Adam(0.05))
    for _ in range(100):
        step(high_x, old_y)
    first = model.get_layer("first")
    mean, moving_mean = tf.reduce_mean(high_x), first.moving_mean[0]
    print(f"moving mean {moving_mean:.2f} of {mean:.2f}")
    for training in (False, True):
        behind = loss(old_y, model(high_x, training=training))
        print(f"training={training!s:5} loss {behind:.2f}")
    # endregion behind

    # region caught_up
    for _ in range(500):
        model(high_x, training=True)
    print(f"training=False loss {loss(old_y, model(high_x)):.2f}")
    assert abs(float(first.moving_mean[0] - mean)) < 0.05
    # endregion caught_up

    # region two_rates
    model = make_model()
    base, head = model.get_layer("base"), model.get_layer("head")
    slow = tf.keras.optimizers.Adam(0.001)
    fast = tf.keras.optimizers.Adam(0.05)
    parts = [
        (slow, base.trainable_variables),
        (fast, head.trainable_variables),
    ]
    before = head.kernel.numpy()
    step = make_step_of_parts(model, parts)
    print(f"base moved by {movement(base, step, x, y):.3f}")
    print(f"head moved by {abs(head.kernel.numpy() - before).max():.3f}")
    # endregion two_rates

    # region scaled
    for name in ("SGD", "Adam"):
        for scale in (1.0, 0.02):
            model = make_model()
            optimizer = getattr(tf.keras.optimizers, name)(0.05)
            step = make_scaled_step(model, optimizer, scale)
            moved = movement(model.get_layer("base"), step, x, y)
            print(f"{name:4}, gradient times {scale:4}: {moved:.4f}")
    # endregion scaled

    try:
        # region new_head
        model = TwoLayers()
        model(x)
        model.head = tf.keras.layers.Dense(3)
        # endregion new_head
    except ValueError as error:
        print(error)

    # region around_base
    wide = tf.keras.Sequential(
        [tf.keras.Input((1,)), model.base, tf.keras.layers.Dense(3)]
    )
    print("outputs:", wide(x).shape[-1])
    # endregion around_base

    # region unused_head
    model = make_model()
    model.layers.pop()
    model.head = tf.keras.layers.Dense(3)
    print("outputs:", model(x).shape[-1])
    # endregion unused_head

    # region replaced_head
    model = make_model()
    model.pop()
    model.add(tf.keras.layers.Dense(3))
    print("outputs:", model(x).shape[-1])
    # endregion replaced_head

    # region at_once
    for name, weights in (("from scratch", None), ("at once", old_weights)):
        model = make_model()
        if weights:
            model.set_weights(weights)
        train(model, tf.keras.optimizers.Adam(0.1), x, y, 160)
        print(f"{name:12}: loss {loss(new_y, model(all_x)):.2f}")
    # endregion at_once

    # region two_phases
    model = make_model()
    model.set_weights(old_weights)
    base = model.get_layer("base")
    base.trainable = False
    head_history = train(model, tf.keras.optimizers.Adam(0.1), x, y, 80)
    head_weights = model.get_weights()
    print(f"the head alone   : loss {loss(new_y, model(all_x)):.2f}")
    base.trainable, histories = True, {}
    for learning_rate in (0.1, 0.002):
        model.set_weights(head_weights)
        optimizer = tf.keras.optimizers.Adam(learning_rate)
        histories[learning_rate] = train(model, optimizer, x, y, 80)
        test_loss = loss(new_y, model(all_x))
        print(f"then all at {learning_rate:5}: loss {test_loss:.2f}")
    # endregion two_phases

    # region plot_phases
    for learning_rate, style, color in ((0.1, "--", RED), (0.002, "-", BLUE)):
        history = head_history + histories[learning_rate]
        label = f"then all at {learning_rate}"
        plt.semilogy(history, style, color=color, label=label)
    plt.axvline(80, linestyle=":", color=GREEN, label="unfrozen")
    plt.xlabel("update")
    plt.ylabel("loss of the 20 rows")
    plt.legend()
    plt.show()
    # endregion plot_phases

    # region line
    x, y = make_data()
    x, y = x[:200, tf.newaxis], y[:200, tf.newaxis]
    batches = [(x[start::20], y[start::20]) for start in range(20)]
    print(
        "batches:", len(batches), "rows:", {len(rows) for rows, _ in batches}
    )
    # endregion line

    # region ema_unseen
    for use_ema in (False, True):
        model = KerasLinearModel()
        optimizer = tf.keras.optimizers.SGD(
            0.3, use_ema=use_ema, ema_momentum=0.9
        )
        step = make_step(model, optimizer)
        for x_batch, y_batch in 3 * batches:
            step(x_batch, y_batch)
        print(f"use_ema={use_ema!s:5}: loss {loss(y, model(x)):.4f}")
    # endregion ema_unseen

    # region ema_seen
    print(f"averaged: loss {averaged_loss(model, optimizer, x, y):.4f}")
    raw, averaged = [], []
    for x_batch, y_batch in 2 * batches:
        step(x_batch, y_batch)
        raw.append(float(loss(y, model(x))))
        averaged.append(averaged_loss(model, optimizer, x, y))
    plt.plot(raw, "--", color=RED, label="weights as they are")
    plt.plot(averaged, "-", color=BLUE, label="averaged weights")
    plt.xlabel("update")
    plt.ylabel("loss over all rows")
    plt.legend()
    plt.show()
    # endregion ema_seen

    # region ema_wrong_list
    layers = tf.keras.layers
    base = layers.Dense(1, kernel_initializer="ones", name="base")
    head = layers.Dense(1, kernel_initializer="zeros", name="head")
    model = tf.keras.Sequential([tf.keras.Input((1,)), base, head])
    optimizer = tf.keras.optimizers.SGD(0.1, use_ema=True)
    variables = model.trainable_variables
    optimizer.build(variables)
    base.trainable = False
    step = make_step(model, optimizer)
    step(x, y)
    print(f"head {head.kernel.numpy().item():.2f}")
    optimizer.finalize_variable_values(model.trainable_variables)
    print(f"head {head.kernel.numpy().item():.2f}")
    # endregion ema_wrong_list

    # region ema_right_list
    optimizer.finalize_variable_values(variables)
    print(f"head {head.kernel.numpy().item():.2f}")
    # endregion ema_right_list

    # region decay
    for excluded in ("never", "late", "early"):
        model = KerasLinearModel()
        optimizer = tf.keras.optimizers.SGD(0.1, weight_decay=0.5)
        if excluded == "early":
            optimizer.exclude_from_weight_decay(var_list=[model.b])
        step = make_step(model, optimizer)
        step(x, y)
        if excluded == "late":
            optimizer.exclude_from_weight_decay(var_list=[model.b])
        for _ in range(60):
            step(x, y)
        left = tf.reduce_mean(y - model(x))
        print(f"{excluded:5}: b {float(model.b):.4f}, left over {left:.4f}")
    # endregion decay

    # region no_decay
    assert abs(float(left)) < 0.001
    # endregion no_decay

    # region schedule
    halves = tf.keras.optimizers.schedules.ExponentialDecay(
        0.1, decay_steps=20, decay_rate=0.5, staircase=True
    )
    model, optimizer = KerasLinearModel(), tf.keras.optimizers.SGD(halves)
    step = make_step(model, optimizer)
    for epoch in range(1, 4):
        for x_batch, y_batch in batches:
            step(x_batch, y_batch)
        learning_rate = float(optimizer.learning_rate)
        print(f"epoch {epoch}: next rate {learning_rate:.4f}", end=", ")
        print(f"updates {int(optimizer.iterations)}")
    print(f"w {float(model.w):.4f}, b {float(model.b):.4f}")
    # endregion schedule

    # region by_epoch
    model, optimizer = KerasLinearModel(), tf.keras.optimizers.SGD(0.1)
    step = make_step(model, optimizer)
    for epoch in range(3):
        optimizer.learning_rate = 0.1 * 0.5**epoch
        for x_batch, y_batch in batches:
            step(x_batch, y_batch)
    print(f"w {float(model.w):.4f}, b {float(model.b):.4f}")
    # endregion by_epoch

    try:
        # region not_settable
        optimizer = tf.keras.optimizers.SGD(halves)
        optimizer.learning_rate = 0.01
        # endregion not_settable
    except TypeError as error:
        print(error)

    try:
        # region own_schedule
        optimizer = tf.keras.optimizers.SGD(WarmUp())
        print(f"rate {float(optimizer.learning_rate):.2f}")
        # endregion own_schedule
    except TypeError as error:
        print(error)

    # region cast_schedule
    model, rates = KerasLinearModel(), []
    optimizer = tf.keras.optimizers.SGD(WarmUpCast())
    step = make_step(model, optimizer)
    for x_batch, y_batch in batches[:12]:
        rates.append(float(optimizer.learning_rate))
        step(x_batch, y_batch)
    print("rates:", *(f"{rate:.2f}" for rate in rates))
    # endregion cast_schedule

    # region late_schedule
    model, optimizer = KerasLinearModel(), tf.keras.optimizers.SGD(0.1)
    step = make_step(model, optimizer)
    for x_batch, y_batch in batches:
        step(x_batch, y_batch)
    optimizer.learning_rate = 0.0
    print(f"number 0:   moved by {movement(model, step, *batches[0]):.3f}")
    optimizer.learning_rate = 0.1
    schedules = tf.keras.optimizers.schedules
    optimizer.learning_rate = schedules.ExponentialDecay(0.0, 20, 0.5)
    print(f"schedule 0: moved by {movement(model, step, *batches[0]):.3f}")
    step = make_step(model, optimizer)
    print(f"a new step: moved by {movement(model, step, *batches[0]):.3f}")
    # endregion late_schedule

    # region plateau
    model, optimizer = KerasLinearModel(), tf.keras.optimizers.SGD(0.3)
    step, losses = make_step(model, optimizer), []
    for epoch in range(1, 13):
        for x_batch, y_batch in batches:
            step(x_batch, y_batch)
        losses.append(float(loss(y, model(x))))
        if halve_on_plateau(optimizer, losses, patience=3):
            print(f"epoch {epoch}: rate {float(optimizer.learning_rate):.4f}")
    print(f"loss {losses[-1]:.4f}")
    # endregion plateau

    # region first_update
    for updates in (0, 1000):
        model, optimizer = make_model(), tf.keras.optimizers.Adam(0.001)
        optimizer.build(model.trainable_variables)
        optimizer.iterations.assign(updates)
        step = make_scaled_step(model, optimizer, 1.0)
        moved = movement(model.get_layer("base"), step, x, y)
        print(f"after {updates:4} updates: {moved / 0.001:.2f} times the rate")
    # endregion first_update
