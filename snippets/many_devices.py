"""Two devices in one process: mirrored variables, and what goes wrong."""

# region setup
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from matplotlib.axes import Axes

BLUE, RED, GREEN = "#0072B2", "#D55E00", "#009E73"
Step = Callable[..., tf.Tensor]
Places = dict[str, tuple[float, float]]
Pairs = list[tuple[str, str]]
# endregion setup

from snippets.data import make_data  # noqa: E402
from snippets.linear_model import LinearModel  # noqa: E402

# region part
BATCH_SIZE = 201


def part_gradients(
    model: LinearModel, x: tf.Tensor, y: tf.Tensor
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Return a part's share of the loss of the batch, and its gradients."""
    with tf.GradientTape() as tape:
        predictions = model(x)
        errors = predictions - tf.ensure_shape(y, predictions.shape)
        part_loss = tf.reduce_sum(tf.square(errors)) / BATCH_SIZE
    return part_loss, tape.gradient(part_loss, model.trainable_variables)


# endregion part


# region update
def update(model, optimizer, x, y) -> tf.Tensor:
    """Update the weights once; return the part's share of the loss."""
    part_loss, gradients = part_gradients(model, x, y)
    variables = model.trainable_variables
    optimizer.apply_gradients(zip(gradients, variables, strict=True))
    return part_loss


# endregion update


# region new_training
def new_training(
    strategy, learning_rate=0.05, momentum=0.9
) -> tuple[LinearModel, tf.keras.Optimizer]:
    """Return a model and its optimizer, made as the strategy wants it."""
    with strategy.scope():
        model = LinearModel()
        optimizer = tf.keras.optimizers.SGD(learning_rate, momentum)
        optimizer.build(model.trainable_variables)
    return model, optimizer


# endregion new_training


# region train
@tf.function
def train(strategy, step, *args) -> tf.Tensor:
    """Let each device take the step with its part; return the sum."""
    parts = strategy.run(step, args=args)
    return strategy.reduce("SUM", parts, axis=None)


# endregion train


# region fit_line
def fit_line(
    strategy: tf.distribute.Strategy, points: int = 200
) -> list[float]:
    """Let Keras fit a line under the strategy; return the losses."""
    x, y = make_data(points)
    start = tf.keras.initializers.Constant(5.0)
    with strategy.scope():
        line = tf.keras.layers.Dense(1, kernel_initializer=start)
        model = tf.keras.Sequential([tf.keras.Input([1]), line])
        model.compile(tf.keras.optimizers.SGD(0.05, 0.9), "mse")
    x, y = x[:, tf.newaxis], y[:, tf.newaxis]
    fitted = model.fit(x, y, batch_size=points, epochs=10, verbose=0)
    return list(fitted.history["loss"])


# endregion fit_line


# region draw
def draw(axes: Axes, tasks: Places, talks: Pairs) -> None:
    """Draw tasks as boxes, each at its place, and arrows between them."""
    axes.set(xlim=(-1, 1), ylim=(-1.1, 1.3))
    axes.axis("off")
    arrow = {"arrowstyle": "<->", "color": RED, "shrinkA": 14, "shrinkB": 14}
    box = {"boxstyle": "round", "facecolor": "none", "edgecolor": BLUE}
    for start, end in talks:
        axes.annotate("", tasks[end], tasks[start], arrowprops=arrow)
    for name, place in tasks.items():
        axes.text(*place, name, ha="center", va="center", bbox=box)


# endregion draw


# region update_by_mean
def update_by_mean(model, optimizer, x, y) -> tf.Tensor:
    """Do as update does, with the mean over the part: wrong."""
    with tf.GradientTape() as tape:
        part_loss = tf.reduce_mean(tf.square(model(x) - y))
    variables = model.trainable_variables
    gradients = tape.gradient(part_loss, variables)
    optimizer.apply_gradients(zip(gradients, variables, strict=True))
    return part_loss


# endregion update_by_mean


# region update_by_replicas
def update_by_replicas(model, optimizer, x, y) -> tf.Tensor:
    """Do as update_by_mean does, but divide by the number of devices."""
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    with tf.GradientTape() as tape:
        part_loss = tf.reduce_mean(tf.square(model(x) - y)) / replicas
    variables = model.trainable_variables
    gradients = tape.gradient(part_loss, variables)
    optimizer.apply_gradients(zip(gradients, variables, strict=True))
    return part_loss


# endregion update_by_replicas


# region message
def message(call: Callable[..., Any], *args: Any) -> str:
    """Return the first sentence of what a call raises."""
    try:
        call(*args)
    except (AttributeError, RuntimeError, ValueError) as error:
        kind = f"{type(error).__name__}: "
        reason = str(error).strip().split("\n")[-1].strip()
        return kind + reason.removeprefix(kind).partition(". ")[0]
    return "no error"


# endregion message


# region update_if_finite
def update_if_finite(model, optimizer, x, y) -> tf.Tensor:
    """Do as update does, but not after a loss that is no number."""
    part_loss, gradients = part_gradients(model, x, y)
    if tf.math.is_finite(part_loss):
        optimizer.apply(gradients, model.trainable_variables)
    return part_loss


# endregion update_if_finite


# region apply
def apply(model, optimizer, gradients) -> None:
    """Add up the gradients of all devices, and update."""
    optimizer.apply(gradients, model.trainable_variables)


# endregion apply


# region train_if_finite
@tf.function
def train_if_finite(strategy: tf.distribute.Strategy, *args: Any) -> tf.Tensor:
    """Update on all devices or on none; return the loss of the batch."""
    model, optimizer, x, y = args
    parts, gradients = strategy.run(part_gradients, args=(model, x, y))
    loss = strategy.reduce("SUM", parts, axis=None)
    if tf.math.is_finite(loss):
        strategy.run(apply, args=(model, optimizer, gradients))
    return loss


# endregion train_if_finite


# region add_up
def add_up(strategy: tf.distribute.Strategy, part: tf.Tensor) -> tf.Tensor:
    """Add up all parts from inside of a step: fails."""
    return strategy.reduce("SUM", part, axis=None)


# endregion add_up

if __name__ == "__main__":
    # region devices
    [cpu] = tf.config.list_physical_devices("CPU")
    piece = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(cpu, [piece, piece])
    for device in tf.config.list_logical_devices("CPU"):
        print(device.name)
    # endregion devices

    # region talks
    top, bottom = (0.0, 0.9), (0.0, -0.9)
    left, right = (-0.6, 0.0), (0.6, 0.0)
    _, panels = plt.subplots(1, 3, figsize=(6.4, 2.6))
    cpus = {"CPU 0": top, "CPU 1": bottom}
    draw(panels[0], cpus, [("CPU 0", "CPU 1")])
    workers = {"worker 0": top, "worker 1": bottom}
    draw(panels[1], workers, [("worker 0", "worker 1")])
    tasks = {"chief": top, "worker 0": left, "worker 1": right, "ps 0": bottom}
    talks = [(a, b) for a in ("chief", "ps 0") for b in workers]
    draw(panels[2], tasks, talks)
    titles = ("mirrored", "multi-worker", "parameter server")
    for panel, title in zip(panels, titles, strict=True):
        panel.set_title(title)
    plt.show()
    # endregion talks

    # region alone
    x, y = make_data()
    model, optimizer = new_training(tf.distribute.get_strategy())
    alone = [float(update(model, optimizer, x, y)) for _ in range(30)]
    print(f"losses: {alone[0]:.4f}, {alone[1]:.4f} … {alone[-1]:.4f}")
    print(f"w {float(model.w):.4f}, b {float(model.b):.4f}")
    # endregion alone

    # region mirrored
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    model, optimizer = new_training(strategy)
    print(model.w)
    # endregion mirrored

    # region batches
    rows = tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH_SIZE)
    batches = strategy.experimental_distribute_dataset(rows)
    [batch] = batches
    for part in strategy.experimental_local_results(batch[0]):
        print(f"{len(part)} inputs, from {part[0]:.2f} to {part[-1]:.2f}")
    # endregion batches

    # region run_mirrored
    mirrored = [
        float(train(strategy, update, model, optimizer, *batch))
        for _ in range(30)
    ]
    for weight in (model.w, model.b):
        copies = strategy.experimental_local_results(weight)
        print([f"{copy.numpy():.4f}" for copy in copies])
    print("same losses:", np.allclose(mirrored, alone, rtol=0, atol=1e-5))
    # endregion run_mirrored

    # region scaling
    losses = {}
    for step in (update, update_by_mean):
        model, optimizer = new_training(strategy, 0.4, momentum=0.0)
        losses[step] = [
            float(train(strategy, step, model, optimizer, *batch))
            for _ in range(10)
        ]
    print(f"first loss, by the batch: {losses[update][0]:.4f}")
    print(f"first loss, by the part: {losses[update_by_mean][0]:.4f}")
    # endregion scaling

    # region plot_scaling
    plt.semilogy(losses[update], "o-", color=BLUE, label="by the batch")
    plt.semilogy(losses[update_by_mean], "s--", color=RED, label="by the part")
    plt.xlabel("epoch")
    plt.ylabel("loss")
    plt.legend()
    plt.show()
    # endregion plot_scaling

    # region keras_loss
    squared = tf.keras.losses.MeanSquaredError()
    outputs, predictions = y[:, tf.newaxis], 5.0 * x[:, tf.newaxis]
    print(f"outside of the scope: {squared(outputs, predictions):.4f}")
    with strategy.scope():
        print(f"in the scope:         {squared(outputs, predictions):.4f}")
    # endregion keras_loss

    # region unbuilt
    with strategy.scope():
        model = LinearModel()
        optimizer = tf.keras.optimizers.Adam(0.4)
    new_train = tf.function(train.python_function)
    try:
        new_train(strategy, update, model, optimizer, *batch)
    except tf.errors.InvalidArgumentError as error:
        reason = str(error).partition("INVALID_ARGUMENT: ")[2]
        print("…", reason.partition(" '")[0].strip(), "…")
    # endregion unbuilt

    # region built
    with strategy.scope():
        model = LinearModel()
        optimizer = tf.keras.optimizers.Adam(0.4)
        optimizer.build(model.trainable_variables)
    loss = train(strategy, update, model, optimizer, *batch)
    print(f"loss before the first update: {loss:.4f}")
    # endregion built

    # region branch
    run = tf.function(strategy.run)
    model, optimizer = new_training(strategy)
    print(message(run, update_if_finite, (model, optimizer, *batch)))
    # endregion branch

    # region skipped
    gap = tf.where(x > 1.9, float("nan"), x)
    rows = tf.data.Dataset.from_tensor_slices((gap, y)).batch(BATCH_SIZE)
    [with_gap] = strategy.experimental_distribute_dataset(rows)
    for parts in (batch, with_gap):
        loss = train_if_finite(strategy, model, optimizer, *parts)
        w = float(strategy.experimental_local_results(model.w)[0])
        print(f"loss {loss:.4f}, then w {w:.4f}")
    # endregion skipped

    # region wrong_calls
    parts, gradients = run(part_gradients, (model, *batch))
    mean = tf.keras.metrics.Mean()
    print(message(run, add_up, (strategy, parts)))
    print(message(mean.update_state, parts))
    print(message(apply, model, optimizer, gradients))
    with strategy.scope():
        print(message(apply, model, optimizer, gradients))
        unbuilt = tf.keras.optimizers.Adam(0.4)
    told = message(unbuilt.build, model.trainable_variables)
    print(told.partition(" for <")[0])
    # endregion wrong_calls

    # region optimizer_outside
    with strategy.scope():
        model = LinearModel()
    optimizer = tf.keras.optimizers.SGD(0.05, momentum=0.9)
    optimizer.build(model.trainable_variables)
    run(update, (model, optimizer, *batch))
    copies = strategy.experimental_local_results(model.w)
    print([f"{copy.numpy():.4f}" for copy in copies])
    print("updates counted:", optimizer.iterations.numpy())
    # endregion optimizer_outside

    # region fit_mirrored
    fitted = fit_line(strategy)
    one_device = fit_line(tf.distribute.get_strategy())
    print("same losses:", np.allclose(fitted, one_device, rtol=0, atol=1e-5))
    # endregion fit_mirrored

    # region fit_uneven
    try:
        fit_line(strategy, points=201)
    except tf.errors.InvalidArgumentError as error:
        print("…", str(error).partition("}} ")[2].partition(" [Op")[0])
    # endregion fit_uneven

    try:
        # region outside
        model = LinearModel()
        with strategy.scope():
            optimizer = tf.keras.optimizers.SGD(0.05, momentum=0.9)
            optimizer.build(model.trainable_variables)
        # endregion outside
    except ValueError as error:
        print(error)

    # region means
    for points in (201, 200):
        x, y = make_data(points)
        rows = tf.data.Dataset.from_tensor_slices((x, y)).batch(points)
        [batch] = strategy.experimental_distribute_dataset(rows)
        training = new_training(strategy)
        loss = train(strategy, update_by_replicas, *training, *batch)
        whole = tf.reduce_mean(tf.square(LinearModel()(x) - y))
        print(f"{points} rows: {loss:.4f}, the whole batch: {whole:.4f}")
    # endregion means
