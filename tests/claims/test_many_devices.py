"""What the page on many devices says is true.

What its clusters did is read in what is kept of the page.
"""

import ast
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from snippets.data import make_data
from snippets.keras_model import KerasLinearModel
from snippets.launch import free_addresses, make_cluster
from snippets.linear_model import LinearModel
from snippets.loss import loss as guides_loss
from snippets.many_devices import (
    BATCH_SIZE,
    add_up,
    apply,
    fit_line,
    message,
    new_training,
    part_gradients,
    train,
    train_if_finite,
    update,
    update_by_mean,
    update_by_replicas,
    update_if_finite,
)
from snippets.parameter_server import half
from tests.claims.says import figure, printed, ran, record, says
from tests.claims.sentences import DOCS, ROOT, read
from tests.devices import mirrored

NAME = "many_devices"
PAGE = read(NAME)
BLOCKS = {
    block.options["run"].rpartition("/")[2]: block for block in PAGE.blocks
}
SOURCE = (DOCS / f"{NAME}.md").read_text("utf-8")
COMMANDS = {
    text.split("\n")[-1]: said
    for text, said in record(NAME).items()
    if text.startswith(("python", "cp", "grep", "tail"))
}
WHOLE = "python launch.py --worker 2 worker.py whole 0"
KILLED = "python launch.py --worker 2 worker.py killed 17"
COPIED = "cp -R killed resumed"
SERVED = "python launch.py --chief 1 --worker 2 --ps 1 --kill worker-1 \\"
SGD = tf.keras.optimizers.SGD
COORDINATOR = tf.distribute.coordinator.ClusterCoordinator


def code(*names: str) -> str:
    """Return the code of blocks, named as ``module.py:section``."""
    return "\n".join(BLOCKS[name].code for name in names)


def doc(what: Any) -> str:
    """Return what TensorFlow says of it, in one line."""
    return " ".join((what.__doc__ or "").split())


def file(name: str) -> str:
    """Return a file that the reader saves."""
    parts = [b.code for b in PAGE.blocks if b.options.get("file") == name]
    return "\n\n".join(parts)


@pytest.fixture(scope="module")
def strategy() -> Any:
    return mirrored()


@pytest.fixture(scope="module")
def batch(strategy: Any) -> Any:
    rows = tf.data.Dataset.from_tensor_slices(make_data()).batch(BATCH_SIZE)
    [parts] = strategy.experimental_distribute_dataset(rows)
    return parts


def copies(strategy: Any, value: Any) -> list[Any]:
    return [*strategy.experimental_local_results(value)]


# The page


@says(
    "TensorFlow on two devices, two workers and a parameter server, "
    "each equal to one process, with workers killed while training."
)
@says("Every block runs.")
@says(
    "At the end of this page you can let a training loop use several: "
    "two devices in one process, two processes that could be two "
    "machines, and workers that share a parameter server."
)
@says("Each is compared with the same training on one device.")
@says("Two workers are killed while they train, and you see what that costs.")
@says("Some blocks and commands are meant to fail.")
@says("That is all this page did.")
def test_each_way_is_compared_and_two_workers_are_killed() -> None:
    for name in (
        "many_devices:run_mirrored",
        "many_devices_results:whole",
        "many_devices_results:after",
        "many_devices_results:in_step",
        "many_devices:fit_mirrored",
    ):
        assert printed(NAME, name).endswith("same losses: True")
    killed = "\n".join(record(NAME).values())
    assert (
        len(re.findall(r"ended by SIGKILL|^killed worker", killed, re.M)) == 2
    )
    assert "raises=" in SOURCE
    assert SOURCE.count('exits="1"') == 2
    kept = [n for n in record(NAME) if re.fullmatch(r"\w+:\w+", n)]
    assert {*kept} == {name.replace(".py", "") for name in BLOCKS}


@says(
    "You need the [guide to basic training "
    "loops](basic_training_loops.md), whose data and model are used "
    "again, and checkpoints from [Save, stop, "
    "resume](save_and_resume.md)."
)
@says("How to save, and what: [Save, stop, resume](save_and_resume.md).")
@says(
    "The loop that all this is about: [Basic training "
    "loops](basic_training_loops.md)."
)
def test_the_pages_that_are_needed() -> None:
    guide = {b.options["run"] for b in read("basic_training_loops").blocks}
    shared = {b.options["run"] for b in PAGE.blocks} & guide
    assert shared == {
        "snippets/data.py:make_data",
        "snippets/linear_model.py:model",
    }
    assert "CheckpointManager" in "".join(
        b.code for b in read("save_and_resume").blocks
    )
    assert "CheckpointManager" in file("worker.py")


@says("TensorFlow, NumPy, Matplotlib, and the colours of the plots.")
def test_the_setup() -> None:
    setup = code("many_devices.py:setup")
    for name in ("tensorflow", "numpy", "matplotlib"):
        assert f"import {name}" in setup
    assert len(re.findall(r'"#\w{6}"', setup)) == 3


@says("No GPU is needed: the processor plays all the devices.")
@says("Let TensorFlow see two devices where there is one processor.")
@says(
    "This must come first: once TensorFlow has computed anything, its "
    "devices are fixed."
)
@says(
    "Like the devices above, it must come before TensorFlow computes anything."
)
def test_devices_are_fixed_once_anything_was_computed() -> None:
    [cpu] = tf.config.list_physical_devices("CPU")
    piece = tf.config.LogicalDeviceConfiguration()
    assert len(tf.config.list_logical_devices("CPU")) == 2
    assert tf.constant(1.0) + 1.0 == 2.0
    with pytest.raises(RuntimeError, match="cannot be modified"):
        tf.config.set_logical_device_configuration(cpu, [piece] * 4)
    assert printed(NAME, "devices").splitlines() == [
        "/device:CPU:0",
        "/device:CPU:1",
    ]
    assert [b.name for b in PAGE.blocks][:2] == ["setup", "devices"]
    several = doc(tf.distribute.MultiWorkerMirroredStrategy)
    assert "needs to be created before calling any other Tensorflow" in several


# What is split, and who talks


@says("Every device has the same model, and gets a part of each batch:")
@says("split the batch into parts, one for each device;")
@says("on each device, compute the loss of its part, and the gradients;")
@says("add up the gradients of all devices;")
@says("make the same update everywhere.")
@says("**Mirrored**: each device of a process has a copy of the weights.")
@says("Now the same with `MirroredStrategy`, and a look at the weight.")
@says("One variable, and a copy for each device.")
@says("The strategy also splits the batches:")
@says("The parts are uneven, {{ len(x) }} being odd.")
@says(
    "`strategy.run` calls the step once for each device, with that "
    "device's part."
)
@says(
    "What it returns are the parts' losses, and their sum is the loss "
    "of the batch."
)
@says(
    "You do not see the sum of the gradients: `apply_gradients` adds up "
    "those of all devices before it updates."
)
@says("Let each device take the step with its part; return the sum.")
@says(
    "Both copies of each weight are equal, and all thirty losses agree "
    "with those of one device, to 0.00001."
)
@says(
    "They need not agree to the last bit: a sum of sums is rounded in "
    "other places."
)
def test_two_devices_do_what_one_does(strategy: Any, batch: Any) -> None:
    x, y = make_data()
    assert [len(part) for part in copies(strategy, batch[0])] == [101, 100]
    both = np.concatenate(copies(strategy, batch[0]))
    np.testing.assert_array_equal(both, x)
    model, optimizer = new_training(strategy)
    assert "MirroredVariable" in printed(NAME, "mirrored")
    assert len(copies(strategy, model.w)) == 2
    ran_with: list[int] = []

    @tf.function
    def parts() -> Any:
        def step(x: tf.Tensor, y: tf.Tensor) -> Any:
            ran_with.append(len(x))
            return part_gradients(model, x, y)[0]

        return strategy.run(step, args=batch)

    losses = copies(strategy, parts())
    assert sorted(ran_with) == [100, 101]
    whole = float(guides_loss(y, LinearModel()(x)))
    assert float(sum(losses)) == pytest.approx(whole, abs=1e-5)
    alone_model, alone_optimizer = new_training(tf.distribute.get_strategy())
    for _ in range(30):
        mirrored = train(strategy, update, model, optimizer, *batch)
        alone = update(alone_model, alone_optimizer, x, y)
        assert float(mirrored) == pytest.approx(float(alone), abs=1e-5)
    for weight in (model.w, model.b):
        first, second = map(float, copies(strategy, weight))
        assert first == second
    assert float(np.float32(1e8) + np.float32(1) - np.float32(1e8)) == 0


@says(
    "With the batch of one device, each of two has half of the rows to "
    "compute with, and still waits for the other in every step."
)
@says(
    "Make the batch larger, by `strategy.num_replicas_in_sync`, and see "
    "[whether the data arrive in "
    "time](how_fast.md#the-model-waits-for-its-data)."
)
def test_half_of_the_rows_for_each(strategy: Any, batch: Any) -> None:
    parts = [len(part) for part in copies(strategy, batch[0])]
    assert parts == [101, 100]
    assert strategy.num_replicas_in_sync == 2
    model, optimizer = new_training(strategy)
    train(strategy, update, model, optimizer, *batch)
    assert len({float(copy) for copy in copies(strategy, model.w)}) == 1


@says("Draw tasks as boxes, each at its place, and arrows between them.")
@says("What differs is where the weights are, and so who has to talk to whom.")
@says(
    "Three drawings of who talks to whom: under mirrored, CPU 0 and CPU "
    "1 exchange; under multi-worker, worker 0 and worker 1 do; under "
    "parameter server, two workers each talk to a chief above them and "
    "to a server named ps 0 below them, but not to each other"
)
def test_the_drawings() -> None:
    left = ran(NAME, "talks")
    pairs = {frozenset(pair) for pair in left["talks"]}
    workers = ("worker 0", "worker 1")
    assert pairs == {
        frozenset((a, b)) for a in ("chief", "ps 0") for b in workers
    }
    heights = {name: place[1] for name, place in left["tasks"].items()}
    assert heights["chief"] > heights["worker 0"] > heights["ps 0"]
    titles = [axes.texts[-1] for axes in figure(NAME, "talks")]
    assert titles == ["mirrored", "multi-worker", "parameter server"]
    boxes = [axes.texts[:-1] for axes in figure(NAME, "talks")]
    assert boxes[:2] == [["CPU 0", "CPU 1"], ["worker 0", "worker 1"]]
    assert [len(panel.texts) for panel in left["panels"]] == [3, 3, 8]


# A part of a batch


@says(
    "If gradients are to be added up, each device must contribute its "
    "*share* of the loss of the whole batch: the sum over its own rows, "
    "divided by the number of rows in the batch, not in the part."
)
@says("Return a part's share of the loss of the batch, and its gradients.")
@says("The step takes a part of a batch, which may be all of it.")
@says("Update the weights once; return the part's share of the loss.")
@says(
    "`tf.nn.compute_average_loss` does so, too, if you give it the loss "
    "of each row and the `global_batch_size`."
)
@says(
    "The last batch of an epoch may be smaller: divided by the usual size it "
    "counts for less, so divide it by its own, or leave it out with "
    "`drop_remainder=True`."
)
def test_shares_add_up(strategy: Any) -> None:
    x, y = make_data()
    model = LinearModel()
    whole, gradients = part_gradients(model, x, y)
    for cut in (1, 100):
        parts = [
            part_gradients(model, x[rows], y[rows])
            for rows in (slice(cut), slice(cut, None))
        ]
        assert float(sum(p[0] for p in parts)) == pytest.approx(float(whole))
        for one, other, both in zip(
            parts[0][1], parts[1][1], gradients, strict=True
        ):
            assert float(one + other) == pytest.approx(float(both), abs=1e-5)
    first = tf.square(model(x[:7]) - y[:7])
    average = tf.nn.compute_average_loss(first, global_batch_size=201)
    share = part_gradients(model, x[:7], y[:7])[0]
    assert float(average) == pytest.approx(float(share))
    assert float(average) < 0.1 * float(tf.reduce_mean(first))
    for drops, sizes in ((False, [5, 5, 2]), (True, [5, 5])):
        batches = tf.data.Dataset.range(12).batch(5, drop_remainder=drops)
        assert [len(batch) for batch in batches] == sizes
    assert float(whole) == pytest.approx(float(guides_loss(y, model(x))))
    training = new_training(tf.distribute.get_strategy())
    assert float(update(*training, x, y)) == pytest.approx(float(whole))
    assert float(training[0].w) != 5.0


@says(
    "Model and optimizer are made in the *scope* of a strategy, which "
    "decides where variables are kept."
)
@says(
    "`build` makes the variables of the optimizer, so that these are "
    "made there, too."
)
@says("Return a model and its optimizer, made as the strategy wants it.")
@says(
    "First the reference: one device, without any splitting. That, too, "
    "is a strategy, the default one."
)
@says("The batch is the whole data set, as in the guide.")
def test_the_scope_decides(strategy: Any) -> None:
    for chosen, count in ((strategy, 2), (tf.distribute.get_strategy(), 1)):
        model, optimizer = new_training(chosen)
        assert len(copies(chosen, model.w)) == count
        momentum = optimizer.variables[-1].value
        assert len(copies(chosen, momentum)) == count
    assert type(chosen).__name__ == "_DefaultDistributionStrategy"
    assert not tf.distribute.has_strategy()
    assert "update(model, optimizer, x, y)" in code("many_devices.py:alone")


# The loss, scaled by the part


@says(
    "The most common mistake is the mean: the guide's loss, which "
    "divides by the number of rows it is given."
)
@says("On a device that is the number of rows in the part.")
@says("Do as update does, with the mean over the part: wrong.")
@says(
    "Two devices, {{ losses[update_by_mean][0] / "
    "losses[update][0]:.2f}} times the loss, and about twice the "
    "gradient; with even parts it would be twice exactly."
)
@says("With eight devices it would be about eight times yours.")
def test_the_mean_over_the_part_is_as_many_times_as_there_are_devices(
    strategy: Any, batch: Any
) -> None:
    x, y = make_data()
    np.testing.assert_allclose(
        guides_loss(y[:7], LinearModel()(x[:7])),
        tf.reduce_mean(tf.square(5.0 * x[:7] - y[:7])),
    )
    first = {}
    for step in (update, update_by_mean):
        training = new_training(strategy, 0.4, momentum=0.0)
        loss = float(train(strategy, step, *training, *batch))
        first[step] = loss, float(copies(strategy, training[0].w)[0]) - 5
    ratios = [
        a / b
        for a, b in zip(first[update_by_mean], first[update], strict=True)
    ]
    assert ratios == pytest.approx([2, 2], rel=0.02)
    assert ratios[0] != 2
    [told] = [
        v for n, v in record(NAME).items() if "update_by_mean][0] /" in n
    ]
    assert float(told) == pytest.approx(ratios[0], abs=0.006)
    errors = tf.square(5.0 * x - y)[:200]
    for devices in (2, 8):
        means = [tf.reduce_mean(part) for part in tf.split(errors, devices)]
        assert float(sum(means) / tf.reduce_mean(errors)) == pytest.approx(
            devices
        )


@says(
    "Train with both, with plain gradient descent and a learning rate of 0.4."
)
@says(
    "On a logarithmic scale, the loss scaled by the batch falls from "
    "ten to one in two epochs and stays there, while the loss scaled by "
    "the part starts at twenty and rises past a hundred"
)
@says(
    "It is as if the learning rate were 0.8, which is past the limit "
    "for these data, [about "
    "0.74](traps.md#10-a-learning-rate-past-the-limit)."
)
@says(
    "Below the limit you might not notice: the loss falls, at a rate "
    "that you did not choose."
)
def test_twice_the_rate_is_past_the_limit(strategy: Any, batch: Any) -> None:
    assert "new_training(strategy, 0.4, momentum=0.0)" in code(
        "many_devices.py:scaling"
    )
    [axes] = figure(NAME, "plot_scaling")
    assert "'loss', log" in axes.text
    right, wrong = axes.points["by the batch"].y, axes.points["by the part"].y
    assert right[0] == pytest.approx(10, abs=0.5)
    assert max(right[2:]) < 1.02
    assert wrong[0] == pytest.approx(20, abs=1)
    assert wrong[-1] > 100
    x, _ = make_data()
    limit = 1 / float(tf.reduce_mean(x * x))
    assert limit == pytest.approx(0.74, abs=0.005)
    assert 0.4 < limit < 0.8
    assert "0.74" in (DOCS / "traps.md").read_text("utf-8") + str(
        record("traps").values()
    )
    training = new_training(strategy, 0.1, momentum=0.0)
    losses = [
        float(train(strategy, update_by_mean, *training, *batch))
        for _ in "abc"
    ]
    assert losses == sorted(losses, reverse=True)


# Keras' losses, clipping, normalisation


@says("Keras' losses, clipnorm, BatchNormalization on several devices")
@says("A loss *object* of Keras knows how many devices there are.")
@says(
    "In the scope and in a step it divides its mean by the number of devices; "
    "with even parts these shares add up to the loss of the batch, so divide "
    "no second time. And evaluate outside of the scope."
)
@says(
    '(`reduction="sum"` is not divided, nor are functions such as '
    "`tf.keras.losses.mse`.)"
)
def test_a_loss_object_of_keras(strategy: Any) -> None:
    x, y = (part[:200, tf.newaxis] for part in make_data())
    squares = np.square(5.0 * x - y)
    rows = tf.data.Dataset.from_tensor_slices((x, y)).batch(200)
    [even] = strategy.experimental_distribute_dataset(rows)
    losses = tf.keras.losses
    for loss, due in (
        (losses.MeanSquaredError(), np.mean(squares)),
        (losses.MeanSquaredError(reduction="sum"), np.sum(squares)),
    ):

        def share(x: Any, y: Any) -> Any:
            return loss(y, 5.0 * x)  # noqa: B023

        parts = tf.function(strategy.run)(share, args=even)
        total = strategy.reduce("SUM", parts, axis=None)
        assert float(total) == pytest.approx(due, rel=1e-4)
        assert float(share(x, y)) == pytest.approx(due, rel=1e-4)
        halved = 0.5 if loss.reduction != "sum" else 1.0
        with strategy.scope():
            found = float(share(x, y))
            rowwise = losses.mse(y, 5.0 * x)
        assert found == pytest.approx(halved * due, rel=1e-4)
        assert np.allclose(rowwise, squares[:, 0], rtol=1e-4)
    outside, inside = (
        float(line.split()[-1])
        for line in printed(NAME, "many_devices:keras_loss").split("\n")
    )
    assert outside == pytest.approx(2 * inside, abs=1e-3)


@says("What else looks at one device alone, without a message:")
@says("**Penalties**: each device adds the whole `sum(model.losses)`.")
@says("`tf.nn.scale_regularization_loss` divides it by the number of devices.")
@says(
    "**A tensor** that the strategy did not split goes to every device as a "
    "whole."
)
def test_penalties_and_tensors(strategy: Any) -> None:
    x, _ = make_data()
    with strategy.scope():
        layer = tf.keras.layers.Dense(
            1, kernel_initializer="ones", kernel_regularizer="l2"
        )
        layer.build((None, 1))

    def step(x: Any) -> Any:
        penalty = sum(layer.losses)
        scaled = tf.nn.scale_regularization_loss(penalty)
        return penalty, scaled, tf.shape(x)[0]

    whole, scaled, sizes = tf.function(strategy.run)(step, args=(x,))
    assert [*map(float, copies(strategy, whole))] == pytest.approx([0.01] * 2)
    assert [*map(float, copies(strategy, scaled))] == pytest.approx(
        [0.005] * 2
    )
    assert [*map(int, copies(strategy, sizes))] == [len(x)] * 2


@says(
    "**Clipping**: `clipnorm`, `global_clipnorm` and `clipvalue` of an "
    "optimizer clip the gradients of each part, and the sum may be longer."
)
@says(
    "In the step, take "
    '`tf.distribute.get_replica_context().all_reduce("SUM", gradients)`, clip '
    "that, and hand on a part of it, divided by `num_replicas_in_sync`."
)
def test_clipping_on_two_devices(strategy: Any, batch: Any) -> None:
    x, y = make_data()

    def moved(chosen: Any, step: Any, **options: float) -> float:
        with chosen.scope():
            model, optimizer = LinearModel(), SGD(0.05, **options)
            optimizer.build(model.trainable_variables)
        if chosen is strategy:
            train(strategy, step, model, optimizer, *batch)
        else:
            update(model, optimizer, x, y)
        ends = [float(copies(chosen, w)[0]) for w in (model.w, model.b)]
        return float(np.hypot(ends[0] - 5.0, ends[1]))

    def clipped(model: Any, optimizer: Any, x: Any, y: Any) -> Any:
        part, gradients = part_gradients(model, x, y)
        context = tf.distribute.get_replica_context()
        summed = context.all_reduce("SUM", gradients)
        summed, _ = tf.clip_by_global_norm(summed, 1.0)
        devices = context.num_replicas_in_sync
        gradients = [gradient / devices for gradient in summed]
        optimizer.apply(gradients, model.trainable_variables)
        return part

    one = tf.distribute.get_strategy()
    for name in ("clipnorm", "global_clipnorm", "clipvalue"):
        alone = moved(one, update, **{name: 1.0})
        assert moved(strategy, update, **{name: 1.0}) > 1.2 * alone
    alone = moved(one, update, global_clipnorm=1.0)
    assert moved(strategy, clipped) == pytest.approx(alone, rel=1e-4)


@says(
    "**`BatchNormalization`** takes mean and variance of its part, and its "
    "moving averages differ between the devices. With `synchronized=True` "
    "they are those of the batch."
)
def test_normalisation_on_two_devices(strategy: Any, batch: Any) -> None:
    x = np.asarray(make_data()[0])
    found = {}
    for synchronized in (False, True):
        with strategy.scope():
            layer = tf.keras.layers.BatchNormalization(
                momentum=0.0, synchronized=synchronized
            )
            layer.build((None, 1))

        def step(x: Any, y: Any) -> Any:
            return layer(x[:, tf.newaxis], training=True)  # noqa: B023

        tf.function(strategy.run)(step, args=batch)
        found[synchronized] = [
            [float(copy[0]) for copy in copies(strategy, moving.value)]
            for moving in (layer.moving_mean, layer.moving_variance)
        ]
    means = [np.mean(x[:101]), np.mean(x[101:])]
    variances = [np.var(x[:101]), np.var(x[101:])]
    assert found[False][0] == pytest.approx(means, abs=1e-4)
    assert found[False][1] == pytest.approx(variances, abs=1e-4)
    assert found[True][0] == pytest.approx([np.mean(x)] * 2, abs=1e-4)
    assert found[True][1] == pytest.approx([np.var(x)] * 2, abs=1e-2)


@says(
    "A device that gets no row, of a last batch that is too small, makes "
    "weights NaN: leave that batch out."
)
def test_a_device_without_a_row(strategy: Any) -> None:
    layers = tf.keras.layers
    rows = tf.data.Dataset.from_tensor_slices(tf.constant([[1.0], [2.0], [4]]))
    for last, normalize in ((True, True), (True, False), (False, True)):
        with strategy.scope():
            kind = layers.BatchNormalization if normalize else layers.Identity
            model = tf.keras.Sequential([tf.keras.Input((1,)), kind()])
            model.add(layers.Dense(1))
            optimizer = tf.keras.optimizers.SGD(0.1)
            optimizer.build(model.trainable_variables)

        def step(x: Any) -> None:
            variables = model.trainable_variables  # noqa: B023
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(model(x, training=True) ** 2)  # noqa: B023
            gradients = tape.gradient(loss, variables)
            optimizer.apply_gradients(  # noqa: B023
                zip(gradients, variables, strict=True)
            )

        run = tf.function(lambda x, step=step: strategy.run(step, args=(x,)))
        data = rows.batch(2, drop_remainder=not last)
        for parts in strategy.experimental_distribute_dataset(data):
            run(parts)
        lost = [np.isnan(w).any() for w in model.get_weights()]
        assert any(lost) == (last and normalize)


# The optimizer, built in scope


@says(
    "Adam keeps two more numbers for each weight, in variables that it "
    "makes when it is first used."
)
@says("Here that is inside of a `tf.function`, on each of the devices:")
@says("That is all that many lines have to say, and it does not help.")
@says("Make the variables where the weights are made, in the scope.")
@says(
    "Plain gradient descent needs no such variables, and so hides the "
    "mistake until you add momentum."
)
def test_an_optimizer_that_was_not_built(strategy: Any, batch: Any) -> None:
    weights = [tf.Variable(1.0), tf.Variable(2.0)]
    adam = tf.keras.optimizers.Adam(0.4)
    before = len(adam.variables)
    adam.build(weights)
    assert len(adam.variables) - before == 2 * len(weights)

    def step(momentum: float, builds: bool) -> float:
        with strategy.scope():
            model = LinearModel()
            optimizer = tf.keras.optimizers.SGD(0.05, momentum)
            if builds:
                optimizer.build(model.trainable_variables)
        fresh = tf.function(train.python_function)
        return float(fresh(strategy, update, model, optimizer, *batch))

    assert step(0.0, builds=False) == step(0.9, builds=True)
    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        step(0.9, builds=False)
    assert len(str(raised.value).splitlines()) > 5
    assert "You must feed a value" in str(raised.value)
    assert "You must feed a value" in printed(NAME, "unbuilt")
    assert "10.3447" in printed(NAME, "built")


# The wrong context


@says("merge_call, and other calls in the wrong context")
@says(
    "Inside of `strategy.run` your code runs once for each device. "
    "TensorFlow calls that the *replica context*. Outside it runs once for "
    "all, and in the strategy's scope that is the *cross-replica context*. "
    "Some calls belong in one of the two, and messages about them are in "
    "these words."
)
def test_the_two_contexts(strategy: Any) -> None:
    seen: list[bool] = []

    def look() -> None:
        seen.append(tf.distribute.in_cross_replica_context())

    tf.function(strategy.run)(look)
    assert seen == [False, False]
    with strategy.scope():
        look()
    assert seen[2:] == [True]
    look()
    assert seen[3:] == [False]
    said = printed(NAME, "wrong_calls") + printed(NAME, "branch")
    for words in ("cross-replica context", "a replica context", "merge_call"):
        assert words in said


@says("This function cuts them to their first sentence.")
@says("Return the first sentence of what a call raises.")
def test_the_first_sentence() -> None:
    def fail() -> None:
        raise ValueError("The first. And the second.")

    assert message(fail) == "ValueError: The first"


@says("This step is to leave out an update after a loss that is not a number.")
@says("Do as update does, but not after a loss that is no number.")
@says(
    "To add up gradients, each device waits for all others, and inside of "
    "a branch it cannot: a branch is a graph of its own."
)
@says(
    "So is a loop over `tf.range`, and so is a `tf.function` in the step "
    "that does no more than call the optimizer."
)
@says("Besides, one device might have made the update and the other not.")
def test_no_update_in_a_branch(strategy: Any, batch: Any) -> None:
    told = "RuntimeError: `merge_call` called while defining a new graph"
    assert printed(NAME, "branch").startswith(told)
    x, y = make_data()
    alone = new_training(tf.distribute.get_strategy())
    update_if_finite(*alone, x * float("nan"), y)
    assert float(alone[0].w) == 5.0
    update_if_finite(*alone, x, y)
    assert float(alone[0].w) != 5.0
    model, optimizer = new_training(strategy)

    def in_a_loop(x: Any, y: Any) -> None:
        for _ in tf.range(2):
            update(model, optimizer, x, y)

    inner = tf.function(lambda gradients: apply(model, optimizer, gradients))

    def with_a_function(x: Any, y: Any) -> None:
        inner(part_gradients(model, x, y)[1])

    run = tf.function(lambda step: strategy.run(step, args=batch))
    for step in (in_a_loop, with_a_function):
        assert message(run, step).startswith(told)
    whole = tf.function(lambda x, y: update(model, optimizer, x, y))
    assert message(run, whole) == "no error"
    parts, _ = tf.function(strategy.run)(
        part_gradients, args=(model, *with_gap(strategy))
    )
    finite = [bool(tf.math.is_finite(p)) for p in copies(strategy, parts)]
    assert finite == [True, False], "the devices would not agree"


def with_gap(strategy: Any) -> Any:
    """Return the batch of the page in which inputs are missing."""
    x, y = make_data()
    gap = tf.where(x > 1.9, float("nan"), x)
    rows = tf.data.Dataset.from_tensor_slices((gap, y)).batch(BATCH_SIZE)
    [parts] = strategy.experimental_distribute_dataset(rows)
    return parts


def values(strategy: Any, weight: Any) -> list[float]:
    return [float(copy.numpy()) for copy in copies(strategy, weight)]


@says("Decide once for all devices, outside, and call `run` twice.")
@says("Add up the gradients of all devices, and update.")
@says("Update on all devices or on none; return the loss of the batch.")
@says("Try it with the batch, and with one in which a few inputs are missing.")
@says(
    "Only one of the two parts had a gap, and neither device made the update."
)
def test_a_decision_for_all_devices(strategy: Any, batch: Any) -> None:
    decides = code("many_devices.py:train_if_finite")
    assert decides.count("strategy.run(") == 2
    model, optimizer = new_training(strategy)
    other = new_training(strategy)
    loss = train_if_finite(strategy, model, optimizer, *batch)
    assert float(loss) == float(train(strategy, update, *other, *batch))
    w = values(strategy, model.w)
    assert w == pytest.approx(values(strategy, other[0].w))
    gap = with_gap(strategy)
    missing = [np.isnan(x.numpy()).any() for x in copies(strategy, gap[0])]
    assert missing == [False, True]
    assert np.isnan(float(train_if_finite(strategy, model, optimizer, *gap)))
    assert w == values(strategy, model.w)
    lines = printed(NAME, "skipped").splitlines()
    assert [line.split()[1] for line in lines] == ["10.3447,", "nan,"]
    assert len({line.split()[-1] for line in lines}) == 1


@says("What do other calls say that stand in the wrong place?")
@says("Add up all parts from inside of a step: fails.")
@says("In this order, and with five more:")
@says(
    "**`Method requires being in cross-replica context`**: a step calls "
    "`strategy.reduce`, `strategy.run` or `strategy.scope`. Return the "
    "part, and reduce outside."
)
@says(
    "**`PerReplica object while not inside a replica context`**: what "
    "`run` returned was given to a metric or an operation outside. "
    "`strategy.reduce` first."
)
@says("(To `float`, it is a `TypeError` that ends in `not 'PerReplica'`.)")
def test_parts_in_the_wrong_context(strategy: Any, batch: Any) -> None:
    asked = re.findall(r"\*\*`(.*?)`\*\*[:,]", SOURCE)
    assert len(asked) == 10
    said = printed(NAME, "wrong_calls").splitlines()
    assert len(said) == 5
    assert all(ask in line for ask, line in zip(asked[:5], said, strict=True))

    def nested(part: Any) -> Any:
        return strategy.run(tf.square, args=(part,))

    def scoped(part: Any) -> Any:
        with strategy.scope():
            return tf.square(part)

    def summed(part: Any) -> Any:
        return add_up(strategy, part)

    run = tf.function(lambda step: strategy.run(step, args=batch[:1]))
    for step in (nested, scoped, summed):
        assert asked[0] in message(run, step)
    parts = run(tf.reduce_sum)
    for call in (tf.square, tf.keras.metrics.Mean().update_state):
        assert asked[1] in message(call, parts)
    with pytest.raises(TypeError, match=r"not 'PerReplica'$"):
        float(parts)
    whole = strategy.reduce("SUM", parts, axis=None)
    mean = tf.keras.metrics.Mean()
    mean.update_state(whole)
    assert float(mean.result()) == float(whole)


@says(
    "**`Type PerReplica is not supported as a gradient source`**: the "
    "optimizer was called outside of `run`. Call it in the step."
)
@says(
    "**`'NoneType' object has no attribute 'merge_call'`**: the same, in "
    "the scope."
)
@says(
    '**`Need to be inside "with strategy.scope()"`**: '
    "`optimizer.build` was not."
)
@says(
    "**`Mixing different tf.distribute.Strategy objects`**: an optimizer "
    "with momentum, made outside of the scope and not built. Make and "
    "build it inside."
)
@says(
    "**`AssertionError`**, without a word: the model was made outside of "
    "the scope, and the optimizer is plain gradient descent, which [with "
    "momentum would tell](#exercises)."
)
def test_the_optimizer_in_the_wrong_context(strategy: Any, batch: Any) -> None:
    model, optimizer = new_training(strategy)
    _, gradients = tf.function(strategy.run)(
        part_gradients, args=(model, *batch)
    )
    said = "Type PerReplica is not supported as a gradient source"
    assert said in message(apply, model, optimizer, gradients)
    with strategy.scope():
        said = "'NoneType' object has no attribute 'merge_call'"
        assert said in message(apply, model, optimizer, gradients)
        unbuilt = SGD(0.05, momentum=0.9)
    said = 'Need to be inside "with strategy.scope()"'
    assert said in message(unbuilt.build, model.trainable_variables)
    new_train = tf.function(train.python_function)
    given = (strategy, update, model, SGD(0.05, momentum=0.9), *batch)
    said = "RuntimeError: Mixing different tf.distribute.Strategy objects"
    assert said in message(new_train, *given)
    for momentum, error in ((0.0, AssertionError), (0.9, ValueError)):
        with strategy.scope():
            optimizer = SGD(0.05, momentum=momentum)
        new_train = tf.function(train.python_function)
        with pytest.raises(error) as raised:
            new_train(strategy, update, LinearModel(), optimizer, *batch)
        silent = str(raised.value).strip().endswith("AssertionError:")
        assert silent == (momentum == 0)
    assert "colocate_vars_with" in printed(NAME, "outside")


@says(
    "**`not 'MirroredVariable'`**: `float` or `int` of a weight, of the "
    "learning rate or of `optimizer.iterations`, perhaps in a callback. Write "
    "`float(model.w.numpy())`."
)
def test_a_number_of_a_mirrored_variable(strategy: Any) -> None:
    with strategy.scope():
        line = KerasLinearModel()
        line.compile(SGD(0.25), "mse", run_eagerly=False)
        plain = LinearModel()
    optimizer = line.optimizer
    for kind, variables in (
        (float, (line.w, plain.w, optimizer.learning_rate)),
        (int, (optimizer.iterations,)),
    ):
        for variable in variables:
            with pytest.raises(TypeError, match=r"not 'MirroredVariable'$"):
                kind(variable)
    assert float(line.w.numpy()) == float(plain.w.numpy()) == 5.0
    assert float(optimizer.learning_rate.numpy()) == 0.25
    assert int(optimizer.iterations.numpy()) == 0
    noting = tf.keras.callbacks.LambdaCallback(
        on_train_begin=lambda logs: float(line.w)
    )
    with pytest.raises(TypeError, match=r"not 'MirroredVariable'$"):
        line.fit(tf.ones((4, 1)), tf.ones((4, 1)), callbacks=[noting])


@says(
    "**`Unable to automatically build the model`**: with a strategy `fit` "
    "first calls the model with a tensor that has no values."
)
@says("What that cannot do stands under `Exception encountered`.")
@says(
    "To build the model before, as is advised, does not help: write it for a "
    "graph, by `tf.where`, say, in place of `if`."
)
def test_a_model_that_cannot_be_called_without_values(strategy: Any) -> None:
    class Branching(KerasLinearModel):
        def call(self, x: Any) -> Any:
            line = super().call(x)
            return line if tf.reduce_sum(x) > 0 else -line

    class Graphic(KerasLinearModel):
        def call(self, x: Any) -> Any:
            line = super().call(x)
            return tf.where(tf.reduce_sum(x) > 0, line, -line)

    x = tf.ones((4, 1))
    for kind in (Branching, Graphic):
        with strategy.scope():
            line = kind()
            line.compile(SGD(0.25), "mse")
        line(x)
        if kind is Graphic:
            line.fit(x, x, verbose=0)
            continue
        said = "Unable to automatically build.*(?s:.*)Exception encountered.*"
        with pytest.raises(RuntimeError, match=f"{said}(?s:.*)Python `bool`"):
            line.fit(x, x, verbose=0)


@says(
    "An optimizer with `gradient_accumulation_steps` says `merge_call` in "
    "each compiled step and in `fit`, for [it decides in a branch] … whether "
    "to update."
)
@says(
    "In the step add up the gradients of several small parts, and apply the "
    "sum."
)
def test_accumulated_gradients(strategy: Any, batch: Any) -> None:
    def summed(model: Any, optimizer: Any, x: Any, y: Any) -> Any:
        total = [0.0, 0.0]
        for rows in (slice(0, 40), slice(40, None)):
            _, part = part_gradients(model, x[rows], y[rows])
            total = [a + b for a, b in zip(total, part, strict=True)]
        optimizer.apply(total, model.trainable_variables)

    run = tf.function(strategy.run)
    with strategy.scope():
        model = LinearModel()
        optimizer = SGD(0.1, gradient_accumulation_steps=2)
        optimizer.build(model.trainable_variables)
        line = KerasLinearModel()
        line.compile(SGD(0.1, gradient_accumulation_steps=2), "mse")
    with pytest.raises(RuntimeError, match="merge_call"):
        run(update, args=(model, optimizer, *batch))
    with pytest.raises(RuntimeError, match="merge_call"):
        line.fit(tf.ones((4, 1)), tf.ones((4, 1)), verbose=0)
    ends = []
    for step in (update, summed):
        model, optimizer = new_training(strategy)
        tf.function(strategy.run)(step, args=(model, optimizer, *batch))
        ends.append([float(v.numpy()) for v in (model.w, model.b)])
    assert ends[0] == pytest.approx(ends[1], rel=1e-5)
    assert ends[0][0] != 5.0


@says(
    "If a step needs the sum of all parts itself, "
    '`tf.distribute.get_replica_context().all_reduce("SUM", part)` has it.'
)
@says(
    "A metric may be updated in the step, wherever it was made, and takes "
    "in all parts. But the mean of two shares is half of the loss: give it "
    "what `reduce` returns."
)
def test_sums_and_metrics_in_a_step(strategy: Any, batch: Any) -> None:
    model, _ = new_training(strategy)
    outside = tf.keras.metrics.Mean()
    with strategy.scope():
        inside = tf.keras.metrics.Mean()

    def step(x: Any, y: Any) -> Any:
        part, _ = part_gradients(model, x, y)
        for metric in (outside, inside):
            metric.update_state(part)
        context = tf.distribute.get_replica_context()
        return part, context.all_reduce("SUM", part)

    parts, sums = tf.function(strategy.run)(step, args=batch)
    loss = float(strategy.reduce("SUM", parts, axis=None))
    assert [*map(float, copies(strategy, sums))] == pytest.approx([loss] * 2)
    for metric in (outside, inside):
        assert float(metric.result()) == pytest.approx(loss / 2)


@says(
    "A [contrastive loss](weights_outputs_losses.md#the-contrastive-loss-"
    "stays-at-069-or-693) compares each row with all rows of the batch."
)
@says(
    "In the replica context, `all_gather(codes, axis=0)` has those of all "
    "devices, and the gradient goes through it. Each device takes the losses "
    "of its own rows, divided by the number of all."
)
def test_rows_of_all_devices(strategy: Any, batch: Any) -> None:
    with strategy.scope():
        w = tf.Variable(0.5, aggregation=tf.VariableAggregation.MEAN)

    def share(codes: Any, every: Any) -> Any:
        """Return what the rows of codes have of the loss of every row."""
        count = tf.cast(tf.shape(every)[0], tf.float32)
        logits = -tf.square(codes[:, tf.newaxis] - tf.stop_gradient(every))
        logits += codes[:, tf.newaxis] * every
        return tf.reduce_sum(tf.reduce_logsumexp(logits, axis=1)) / count

    def step(x: Any, y: Any) -> Any:
        context = tf.distribute.get_replica_context()
        with tf.GradientTape() as tape:
            codes = w * x + y
            every = context.all_gather(codes, axis=0)
            part = share(codes, every)
        slope = tape.gradient(part, w)
        return tf.shape(every)[0], part, slope

    sizes, parts, slopes = tf.function(strategy.run)(step, args=batch)
    x, y = make_data()
    assert [*map(int, copies(strategy, sizes))] == [len(x)] * 2
    one = tf.Variable(0.5)
    with tf.GradientTape() as tape:
        codes = one * x + y
        loss = share(codes, codes)
    for found, due in ((parts, loss), (slopes, tape.gradient(loss, one))):
        summed = float(strategy.reduce("SUM", found, axis=None))
        assert summed == pytest.approx(float(due), rel=1e-4)


@says(
    "On the second device, the right candidates begin after the rows of the "
    "first, not at 0."
)
def test_the_right_candidates(strategy: Any, batch: Any) -> None:
    def step(x: Any, y: Any) -> Any:
        context = tf.distribute.get_replica_context()
        codes = tf.stack([x, y], axis=1)
        every = context.all_gather(codes, axis=0)
        first = 101 * context.replica_id_in_sync_group
        return every[first : first + len(x)] - codes, every[: len(x)] - codes

    due, from_zero = tf.function(strategy.run)(step, args=batch)
    apart = [float(tf.reduce_max(abs(p))) for p in copies(strategy, due)]
    assert apart == [0, 0]
    apart = [float(tf.reduce_max(abs(p))) for p in copies(strategy, from_zero)]
    assert apart[0] == 0 < apart[1]


@says(
    "Older texts know one more, `apply_gradients() cannot be called in "
    "cross-replica context`. Keras 3 has no such message; today it is the "
    "one with `'NoneType'`."
)
def test_keras_3_does_not_say_what_older_ones_did() -> None:
    said = "cannot be called in cross-replica context"
    source = Path(str(keras.__file__)).parent / "src"
    files = [
        *(source / "optimizers").glob("*.py"),
        *(source / "backend/tensorflow").glob("*.py"),
    ]
    assert len(files) > 20
    assert not any(said in path.read_text("utf-8") for path in files)
    older = Path(str(tf.__file__)).parent / "python/keras/optimizer_v2"
    text = (older / "optimizer_v2.py").read_text("utf-8")
    assert f"`apply_gradients() {said}." in text


@says("Weights that differ between replicas")
@says(
    "One slip says nothing at all: an optimizer made outside of the scope, "
    "but built."
)
@says("These are two copies of one weight, after one step.")
@says(
    "There is only one momentum, and both devices moved it, one after the "
    "other. From then on two models are trained, each with gradients of both."
)
@says(
    "**The check**: after the first step `optimizer.iterations.numpy()` is "
    "1, not {{ optimizer.iterations.numpy() }}. Make the optimizer in the "
    "scope, as in `new_training`."
)
def test_one_momentum_for_two_copies(strategy: Any, batch: Any) -> None:
    def trained(optimizer: Any, model: Any, steps: int = 1) -> list[float]:
        for _ in range(steps):
            train(strategy, update, model, optimizer, *batch)
        return values(strategy, model.w)

    model, optimizer = new_training(strategy)
    first, same = trained(optimizer, model)
    assert first == same
    assert optimizer.iterations.numpy() == 1
    with strategy.scope():
        model = LinearModel()
    optimizer = SGD(0.05, momentum=0.9)
    optimizer.build(model.trainable_variables)
    one, other = trained(optimizer, model)
    # Twice the same gradient, and the second step has momentum.
    assert one == pytest.approx(first)
    assert 5 - other == pytest.approx(1.9 * (5 - first), rel=1e-4)
    assert optimizer.iterations.numpy() == 2
    assert len(copies(strategy, optimizer.variables[-1].value)) == 1
    one, other = trained(optimizer, model, steps=5)
    assert abs(one - other) > 1e-3
    shown = printed(NAME, "optimizer_outside").splitlines()
    assert shown == ["['4.7255', '4.4785']", "updates counted: 2"]
    assert record(NAME)["optimizer.iterations.numpy()"] == "2"


# The launcher


@says("From here on there are several processes, so the programs are files.")
@says(
    "You can save each block into the file named above it, or take the "
    "[whole files](#the-whole-program) at the end."
)
@says("All blocks above, in order, as one file, and the files it needs.")
def test_the_programs_are_files() -> None:
    names = {b.options.get("file") for b in PAGE.blocks} - {None}
    assert names == {
        "launch.py",
        "worker.py",
        "parameter_server.py",
        "fit_workers.py",
        "fit_servers.py",
    }
    for name in names:
        ast.parse(file(str(name)))
    before, after = SOURCE.split("## Two processes")
    assert "file=" not in before
    assert re.search(r"## The whole program\n\n.*\n\n```program", after)


@says("This is `launch.py`; it knows nothing of TensorFlow.")
@says("Every task needs an address.")
@says("The system gives a free port to whoever asks for port 0.")
@says("Return as many addresses of this machine that are free just now.")
@says("Return the addresses of all tasks, by their kind.")
def test_addresses() -> None:
    launcher = file("launch.py")
    imported = {*re.findall(r"(?m)^import (\w+)", launcher)}
    assert imported <= {*sys.stdlib_module_names}
    assert "tensorflow" not in launcher
    found = free_addresses(5)
    assert len({*found}) == 5
    assert all(re.fullmatch(r"127\.0\.0\.1:[1-9]\d+", a) for a in found)
    cluster = make_cluster({"chief": 1, "worker": 2, "ps": 0})
    assert {kind: len(tasks) for kind, tasks in cluster.items()} == {
        "chief": 1,
        "worker": 2,
    }


TASK = """
import json, os, sys, time
config = json.loads(os.environ["TF_CONFIG"])
name = "{type}-{index}.pid".format(**config["task"])
with open(f"{name}.new", "w") as file:
    file.write(str(os.getpid()))
os.replace(f"{name}.new", name)  # it may be killed before
print(json.dumps(config), flush=True)
print("an error", file=sys.stderr)
if config["task"]["type"] == "ps" or str(config["task"]["index"]) in sys.argv:
    time.sleep(60)
"""


def launched(*arguments: str) -> subprocess.CompletedProcess[str]:
    Path("launch.py").write_text(file("launch.py"))
    Path("task.py").write_text(TASK)
    return subprocess.run(
        [sys.executable, "launch.py", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def ended() -> bool:
    """Return whether all tasks are gone."""
    for path in Path().glob("*.pid"):
        try:
            os.kill(int(path.read_text()), 0)
        except ProcessLookupError:
            continue
        return False
    return True


@says(
    "On a cluster something starts your program on each machine and "
    "tells it who it is. On your own machine you can do that yourself."
)
@says(
    "A task is a process that finds in the environment variable "
    "`TF_CONFIG` who there is, and which of them it is itself."
)
@says("All tasks get the same program.")
@says("What a task prints is piped to the launcher; its errors go to a file.")
@says("What exactly it said stands in `worker-0.log`.")
@says("Start a task; what it says of errors goes to a file of its own.")
@says("Only what the first task prints is shown.")
def test_a_task_is_told_who_it_is() -> None:
    done = launched("--worker", "2", "task.py")
    [line] = done.stdout.splitlines()
    config = json.loads(line)
    assert config["task"] == {"type": "worker", "index": 0}
    assert len(config["cluster"]["worker"]) == 2
    for index in (0, 1):
        assert Path(f"worker-{index}.log").read_text() == "an error\n"
        assert Path(f"worker-{index}.pid").exists()


@says(
    "We are going to kill a task, so the launcher can do that, too, "
    "after a certain line."
)
@says("Print what the first task prints; kill a task after such a line.")
@says(
    "When the first task has said its last, wait for the rest, and "
    "report who failed."
)
@says("Wait for the tasks that end; say how; return 1 if any failed.")
@says(
    "However it ends, by itself, by an error, or by Ctrl-C: nothing is "
    "left running."
)
@says("Run the cluster; return 0 if all went well; leave nothing behind.")
def test_a_task_is_killed_and_nothing_is_left() -> None:
    told = ["--worker", "2", "--kill", "worker-1", "--after", "{"]
    done = launched(*told, "task.py", "1")
    assert done.stdout.splitlines()[1:] == [
        "killed worker-1",
        "worker-1 was ended by SIGKILL",
    ]
    assert done.returncode == 1
    assert ended()
    assert launched("--worker", "1", "task.py").returncode == 0
    Path("launch.py").write_text(file("launch.py"))
    started = subprocess.Popen(
        [sys.executable, "launch.py", "--worker", "1", "task.py", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert started.stdout
    started.stdout.readline()
    time.sleep(0.1)
    started.send_signal(signal.SIGINT)
    started.wait(10)
    started.stdout.close()
    assert ended()


@says("Servers never end by themselves, so with a chief only that one counts.")
def test_servers_are_ended_with_the_chief() -> None:
    done = launched("--chief", "1", "--ps", "1", "task.py")
    assert done.returncode == 0
    assert ended()
    assert "server.join()" in code("parameter_server.py:serve")


# The worker


@says("This is `worker.py`, which will run three times.")
@says("It begins with the parts you know.")
@says(
    "The two arguments are a folder for checkpoints, and an epoch after "
    "which worker 1 is to die, where 0 means never."
)
@says("The data are split as before.")
@says(
    "What is to be saved: the weights, the optimizer, the epoch, and "
    "the losses so far."
)
@says(
    "Every worker saves, because saving may need all of them, but each "
    "to its own folder."
)
@says(
    "To restore, all read what worker 0 saved; otherwise they could "
    "start from different epochs."
)
@says(
    'It is the one you know, but for the one error that means "somebody '
    'is gone".'
)
def test_the_worker() -> None:
    assert len(re.findall(r"(?m)^python launch.py.* worker.py ", SOURCE)) == 3
    text = file("worker.py")
    assert "experimental_distribute_dataset" in code("worker.py:batches")
    saved = re.findall(r"(\w+)=(\w+)", code("worker.py:state"))
    state = [name for name, value in saved if name == value]
    assert state == ["model", "optimizer", "epoch", "losses"]
    several = doc(tf.distribute.MultiWorkerMirroredStrategy)
    assert "save and checkpoint on all workers instead of just one" in several
    assert 'f"{folder}/worker-{index}"' in code("worker.py:state")
    assert 'f"{folder}/worker-0"' in code("worker.py:restore")
    assert "index == 1 and epoch == kill_at" in text
    tree = ast.parse(code("worker.py:epochs"))
    caught = [n for n in ast.walk(tree) if isinstance(n, ast.ExceptHandler)]
    assert [ast.unparse(n.type) for n in caught if n.type] == [
        "tf.errors.UnavailableError"
    ]
    own = [
        b.options["run"]
        for b in PAGE.blocks
        if b.options.get("file") == "worker.py"
    ]
    assert len({*own[1:7]} - {b.options["run"] for b in PAGE.blocks[:20]}) == 0


@says(
    "Now the strategy. It reads `TF_CONFIG`, and waits until all "
    "workers are there."
)
@says("Each worker makes the same batches and keeps its own part of each.")
@says(
    "The last two are made outside the scope, as ordinary variables "
    "that each worker keeps for itself."
)
@says(
    "**Multi-worker**: the same with processes. Each has a copy, and "
    "each runs the whole program."
)
def test_what_tensorflow_says_of_several_workers() -> None:
    kind = tf.distribute.MultiWorkerMirroredStrategy
    assert "TF_CONFIG" in doc(kind)
    assert "synchronous training on multiple workers" in doc(kind)
    assert (
        "replicates all variables and computations to each local device"
        in doc(kind)
    )
    shards = doc(tf.data.experimental.AutoShardPolicy)
    assert "process the whole dataset and discard the portion" in shards
    assert "scope" not in code("worker.py:state")
    assert type(tf.Variable(0)).__name__ == "ResourceVariable"
    shown = record(NAME)[WHOLE].splitlines()
    assert shown[0] == "2 workers, from epoch 0 on"


@says(
    "(If you shuffle, give a seed: with two orders some rows come twice, "
    "others not at all.)"
)
def test_workers_shuffle_alike() -> None:
    """Each worker keeps one part of the batches that it made."""
    for seed, whole in ((1, True), (None, False)):
        kept = []
        for worker in range(2):
            rows = tf.data.Dataset.range(201).shuffle(201, seed=seed)
            [batch] = rows.batch(201)
            kept.extend([batch[:101], batch[101:]][worker].numpy().tolist())
        assert (sorted(kept) == [*range(201)]) is whole
        assert len(kept) == 201
        assert (len({*kept}) < 201) is not whole


@says("Two processes have trained one model.")
@says("They are in the checkpoint.")
@says("Return the losses in the latest checkpoint of the folder.")
@says("As all say the same, that is enough.")
def test_two_processes_trained_one_model() -> None:
    said = record(NAME)[WHOLE].splitlines()
    assert said == ["2 workers, from epoch 0 on", "w 3.0909, b 2.3228"]
    assert printed(NAME, "alone").splitlines()[1] == said[1]
    assert printed(NAME, "many_devices_results:whole") == "same losses: True"
    assert "latest_checkpoint" in code("many_devices_results.py:saved_losses")


@says(
    "Again, from the start, but after 17 epochs worker 1 kills itself, "
    "with the signal that no process can catch."
)
@says(
    "Worker 0 could not go on: it needs the gradients of worker 1 to "
    "make any update."
)
@says(
    "So it waited until TensorFlow gave up on a worker that showed no sign of "
    "life."
)
@says(
    "There is no way back for such a process. What remains is the "
    "checkpoint of 15 epochs."
)
@says("(The copy is for the comparison alone.)")
@says("Two epochs were done twice, and nothing else was lost.")
@says(
    "So with this strategy a machine that fails stops all of them, and "
    "what starts the processes has to start them all again."
)
@says("If a worker dies, the others stop with exit code 1, as you saw.")
def test_a_killed_worker_stops_the_other() -> None:
    assert record(NAME)[KILLED].splitlines() == [
        "2 workers, from epoch 0 on",
        "stopped by an UnavailableError",
        "worker-0 ended with exit code 1",
        "worker-1 was ended by SIGKILL",
    ]
    assert "signal.SIGKILL" in code("worker.py:epochs")
    with pytest.raises(OSError, match="Invalid argument"):
        signal.signal(signal.SIGKILL, signal.SIG_IGN)
    assert printed(NAME, "before") == "losses saved: 15"
    assert "from epoch 15 on" in record(NAME)[COPIED]
    assert 17 - 15 == 2
    assert printed(NAME, "many_devices_results:after") == "same losses: True"
    results = code(
        "many_devices_results.py:before", "many_devices_results.py:after"
    )
    assert {*re.findall(r'"(\w+)/worker-0"', results)} == {"killed", "resumed"}


@says(
    "The loss falls from ten to about one in waves that momentum makes; "
    "squares lie on the line of the uninterrupted training up to the "
    "fifteenth epoch, and circles lie on it from there to the end"
)
def test_the_picture_of_the_killed_workers() -> None:
    [drawn] = figure(NAME, "curves")
    whole, before, after = drawn.points.values()
    assert whole.y[0] == pytest.approx(10, abs=0.5)
    assert whole.y[-1] == pytest.approx(1, abs=0.2)
    assert before.y[:3] == whole.y[:3]
    assert "15 not finite" in drawn.text
    assert (after.x[0], after.x[-1]) == (15, 29)
    assert after.y[-1] == pytest.approx(whole.y[-1], abs=1e-4)
    text = code("many_devices_results.py:curves")
    assert re.search(r'before, "s"', text)
    assert re.search(r'after\S*, "o"', text)
    x, y = make_data()

    def waves(momentum: float) -> int:
        training = new_training(tf.distribute.get_strategy(), 0.05, momentum)
        losses = [float(update(*training, x, y)) for _ in range(30)]
        return int(np.count_nonzero(np.diff(np.sign(np.diff(losses)))))

    assert waves(0.9) >= 4
    assert waves(0.0) == 0


# A parameter server


@says(
    "`ParameterServerStrategy` keeps the weights apart from those who compute."
)
@says("A worker holds nothing that would be missed.")
@says(
    "The weights are on the server. The chief went on with the worker "
    "that was left, and all the updates were made."
)
@says(
    "**Parameter server**: the weights are in one place, named `ps`. A "
    "*chief* runs the program and hands out work."
)
@says("It noticed, though:")
@says("Six hundred updates are enough to reach the least squares fit:")
@says("Then freely, 600 updates in sixty epochs.")
@says(
    "Start the four processes, and kill one of the two workers when the "
    "chief says that it has done twenty epochs."
)
def test_what_the_parameter_server_did() -> None:
    said = record(NAME)[SERVED].splitlines()
    assert said[0].startswith("w is on /job:ps/")
    at = said.index("killed worker-1")
    assert said[at - 1].startswith("epoch 20")
    assert said[at + 1 : at + 4] == [
        "epoch 40: loss 1.01",
        "epoch 60: loss 1.01",
        "600 updates made: True",
    ]
    [noticed] = [t for n, t in record(NAME).items() if "UnavailableError" in n]
    assert "task:1 failed with UnavailableError" in noticed
    x, y = map(np.asarray, make_data())
    best = np.polyfit(x, y, 1)
    ends = [*map(float, re.findall(r"\d\.\d+", said[-1]))]
    assert ends == pytest.approx(best, abs=0.005)
    free = code("parameter_server.py:train_freely")
    assert "range(1, 61)" in free
    assert "range(10)" in free
    assert "--chief 1 --worker 2 --ps 1 --kill worker-1" in SOURCE


@says("This is `parameter_server.py`, for chief, workers and server alike.")
@says("Whoever is not the chief serves.")
@says("Do what the chief asks for, until somebody ends the process.")
@says("From the fourth line of the next block on there is only the chief.")
@says("`join` waits for all that is scheduled.")
@says(
    "`schedule` returns at once, with the promise of a result, and "
    "`fetch` waits for the results."
)
@says(
    "The chief has a *coordinator*. What you `schedule` there is a "
    "`tf.function`, which some worker will run."
)
@says("The update that was under way went to the other worker.")
@says(
    "It may have been made already by the one that died, and is then "
    "made twice: work is done *at least* once."
)
def test_what_a_coordinator_does() -> None:
    lines = code("parameter_server.py:connect").splitlines()
    assert lines[1] == 'if cluster.task_type != "chief":'
    assert lines[2].strip() == "serve(cluster)"
    assert "ParameterServerStrategy" in lines[3]
    schedule = doc(COORDINATOR.schedule)
    assert "non-blocking" in schedule
    assert "tf.function" in schedule
    assert "RemoteValue` object immediately" in schedule
    assert "Blocking call to fetch results" in doc(COORDINATOR.fetch)
    assert "Blocks until all the scheduled functions have finished" in doc(
        COORDINATOR.join
    )
    assert "on a worker at least once; it could be more than once" in schedule
    server = doc(tf.distribute.Server.join)
    assert "Blocks until the server has shut down" in server


@says("This one computes the share of every other row.")
@says("Return the share of every other row, and its gradients.")
@says("Update the weights from both halves, once both are there.")
@says(
    "So the two halves are computed at the same time, and the update is "
    "made when both are there."
)
@says("That keeps all in step, as the other strategies do.")
@says("Here each takes the whole batch.")
@says("Update the weights from all rows, and count the update.")
def test_two_halves_make_the_whole() -> None:
    x, y = make_data()
    model = LinearModel()
    whole, gradients = part_gradients(model, x, y)
    halves = [half(model, tf.constant(first)) for first in (0, 1)]
    assert float(halves[0][0]) == pytest.approx(
        float(part_gradients(model, x[::2], y[::2])[0])
    )
    assert float(halves[0][0] + halves[1][0]) == pytest.approx(float(whole))
    for one, other, both in zip(
        halves[0][1], halves[1][1], gradients, strict=True
    ):
        assert float(one + other) == pytest.approx(float(both), abs=1e-5)
    order = code("parameter_server.py:in_step")
    places = [order.index(w) for w in ("schedule", "fetch", "apply_gradients")]
    assert places == sorted(places)
    assert printed(NAME, "many_devices_results:in_step") == "same losses: True"
    free = code("parameter_server.py:free")
    assert "*make_data()" in free
    assert "updates.assign_add(1)" in free


@says("That is why the program prints no exact number.")
def test_the_program_prints_no_exact_count() -> None:
    text = code("parameter_server.py:train_freely")
    assert 'print("600 updates made:", bool(updates.numpy() >= 600))' in text


# Why not with fit


@says(
    "Keras' `fit` knows strategies, too. Here it is with a line that "
    "starts where ours does."
)
@says("Let Keras fit a line under the strategy; return the losses.")
@says(
    "On two devices of one process, with 200 points, it does what it "
    "does on one:"
)
@says("With 201 points the parts are uneven, and it fails:")
@says("Before the first step Keras wants to know the shapes of a batch.")
@says(
    "It asks the strategy for the mean of all parts, and these can be "
    "added only if they are alike."
)
def test_fit_on_two_devices(strategy: Any) -> None:
    x, y = make_data(200)
    first = float(guides_loss(y, LinearModel()(x)))
    assert fit_line(tf.distribute.get_strategy())[0] == pytest.approx(
        first, rel=1e-5
    )
    assert printed(NAME, "fit_mirrored") == "same losses: True"
    keras.config.disable_traceback_filtering()
    try:
        with pytest.raises(tf.errors.InvalidArgumentError) as raised:
            fit_line(strategy, points=201)
    finally:
        keras.config.enable_traceback_filtering()
    assert "AddN must have the same size and shape" in str(raised.value)
    frames = [entry.name for entry in raised.traceback]
    assert frames.index("_maybe_symbolic_build") < frames.index("reduce")
    assert "train_function" not in frames


@says(
    "It asks about the first batch of a call alone. An uneven batch after "
    "that goes through, but its parts count alike, whatever their size: of "
    "201 points in batches of 200, the one that is left over counts half."
)
def test_fit_and_an_uneven_batch_after_the_first(strategy: Any) -> None:
    x, y = (np.reshape(rows, (-1, 1)) for rows in make_data(201))
    with strategy.scope():
        start = keras.initializers.Constant(5.0)
        line = keras.layers.Dense(1, kernel_initializer=start)
        model = keras.Sequential([keras.Input([1]), line])
        model.compile(keras.optimizers.SGD(0.05), "mse")
    weights: list[Any] = []
    keep = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: weights.append(
            model.get_weights()
        )
    )

    def fit(rows: int, size: int) -> None:
        options = {"shuffle": False, "callbacks": [keep], "verbose": 0}
        model.fit(x[:rows], y[:rows], batch_size=size, **options)

    def moved(rows: slice) -> tuple[Any, Any]:
        """Return the last move, and a row's gradient before it, for each."""
        (w, b), after = weights[-2:]
        errors = x[rows] @ w + b - y[rows]
        slopes = 2 * np.concatenate([errors * x[rows], errors], axis=1)
        return [*np.ravel(after[0] - w), *(after[1] - b)], slopes

    fit(201, 200)
    move, slopes = moved(slice(200, 201))
    np.testing.assert_allclose(move, -0.05 * slopes[0] / 2, rtol=1e-3)
    # Of three rows the parts are two and one, and each counts half.
    fit(7, 4)
    move, slopes = moved(slice(4, 7))
    due = (slopes[:2].mean(0) + slopes[2]) / 2
    np.testing.assert_allclose(move, -0.05 * due, rtol=1e-3)
    assert np.abs(due / slopes.mean(0) - 1).min() > 0.01
    # A model that has been trained is asked again.
    with pytest.raises(tf.errors.InvalidArgumentError, match="AddN"):
        fit(201, 201)
    assert len(weights) == 4


@says("With several workers that question has no answer at all:")
@says(
    "`PerReplica` is what a strategy makes of a batch: the parts, in "
    "one object."
)
@says("Keras hands the pair of x and y to an operation that takes one value.")
@says(
    "One of them fails first, and says why. The other may only have missed it."
)
def test_fit_with_several_workers(strategy: Any, batch: Any) -> None:
    assert [type(part).__name__ for part in batch] == ["PerReplica"] * 2
    assert len(copies(strategy, batch[0])) == 2
    [kept] = [t for n, t in record(NAME).items() if "unsupported" in n]
    assert "PerReplica'>) to a Tensor" in kept
    ends = record(NAME)["python launch.py --worker 2 fit_workers.py"]
    assert "worker-0 ended with exit code 1" in ends


@says("And with a parameter server:")
@says("For a test, worker and server may live in the chief's own process:")
@says("Keras 3 does not use a coordinator.")
@says(
    "A loop of your own is: it hands parts to `strategy.run`, and work "
    "to a coordinator, and never asks Keras to split anything."
)
def test_fit_uses_no_coordinator() -> None:
    [kept] = [t for n, t in record(NAME).items() if "fit_servers.py" in n]
    assert "pass this dataset to ClusterCoordinator" in kept
    source = "".join(
        path.read_text("utf-8")
        for path in Path(str(keras.__file__)).parent.rglob("*trainer*.py")
    )
    assert "tf.distribute" in source
    assert "ClusterCoordinator" not in source
    assert "tf.distribute.Server(cluster, kind" in code("fit_servers.py:fit")
    assert "strategy.run" in code("many_devices.py:train")
    assert "coordinator.schedule" in code("parameter_server.py:in_step")


# On a real cluster


@says(
    "Each machine needs an environment variable like this one, with "
    "real names and a port that is open between the machines. Only "
    "`index` differs from machine to machine."
)
@says(
    "On every machine start `python worker.py /shared/line 0`, where "
    "`/shared` is a disk that all of them see."
)
@says("The programs are the ones above; what changes is who starts them.")
def test_the_variable_is_what_tensorflow_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [given] = re.findall(r"(?s)```json\n(\{.*?\})\n```", SOURCE)
    for index in (0, 1):
        config = json.loads(given)
        config["task"]["index"] = index
        monkeypatch.setenv("TF_CONFIG", json.dumps(config))
        read = tf.distribute.cluster_resolver.TFConfigClusterResolver()
        assert (read.task_type, read.task_id) == ("worker", index)
        assert read.cluster_spec().as_dict() == config["cluster"]
    assert "sys.argv[1], int(sys.argv[2])" in code("worker.py:strategy")


@says(
    "A Job with an index gives each worker its number, and a Service "
    "without an address gives it a name."
)
@says(
    "`INDEX` takes the number from the Job, and `TF_CONFIG` is made of both."
)
@says(
    "The tests of this site check it against the schema of Kubernetes, "
    "and that its names fit together."
)
@says(
    "It needs storage that several machines can write to, and an image "
    "with TensorFlow."
)
@says(
    "The Job is to start whatever stopped again, under the same name, "
    "and from the latest checkpoint they go on."
)
def test_the_manifest() -> None:
    yaml = pytest.importorskip("yaml", reason="only the site needs YAML")
    text = (ROOT / "snippets/workers.yaml").read_text("utf-8")
    manifest = {part["kind"]: part for part in yaml.safe_load_all(text)}
    job = manifest["Job"]["spec"]
    assert job["completionMode"] == "Indexed"
    assert manifest["Service"]["spec"]["clusterIP"] in (None, "None")
    pod = job["template"]["spec"]
    assert pod["restartPolicy"] == "OnFailure"
    [container] = pod["containers"]
    index, config = container["env"]
    assert (index["name"], config["name"]) == ("INDEX", "TF_CONFIG")
    assert "job-completion-index" in str(index)
    assert "$(INDEX)" in config["value"]
    assert "line-0.line:2222" in config["value"]
    claim = manifest["PersistentVolumeClaim"]["spec"]
    assert claim["accessModes"] == ["ReadWriteMany"]
    assert "tensorflow" in container["image"]
    tests = (ROOT / "tests/pages/test_manifest.py").read_text("utf-8")
    assert "kubernetes_validate.validate" in tests
    assert "names_that_kubernetes_gives" in tests


@says(
    "Under Slurm, hand a `SlurmClusterResolver` to the strategy: it "
    "reads from Slurm what stands in `TF_CONFIG` elsewhere."
)
@says(
    "On machines without GPUs it raises an error; there, make "
    "`TF_CONFIG` yourself."
)
def test_slurm(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "SLURM_STEP_NODELIST": "n[1-2]",
        "SLURM_STEP_NUM_TASKS": "2",
        "SLURM_STEP_NUM_NODES": "2",
        "SLURM_STEP_TASKS_PER_NODE": "1(x2)",
        "SLURM_PROCID": "1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("TF_CONFIG", raising=False)
    resolver = tf.distribute.cluster_resolver.SlurmClusterResolver
    one: Any = {"auto_set_gpu": False, "port_base": 2222}
    read = resolver(gpus_per_node=1, gpus_per_task=1, **one)
    assert read.cluster_spec().as_dict() == {"worker": ["n1:2222", "n2:2222"]}
    assert read.get_task_info() == ("worker", 1)
    with pytest.raises(ValueError, match="must not be zero"):
        resolver(gpus_per_node=0, **one).cluster_spec()


# Exercises


@says(
    "The optimizer wants to keep its momentum where the weights are, on "
    "all devices, and finds a weight that is on one."
)
@says(
    "One more reason to build it: the mistake is named before the first step."
)
def test_a_model_made_outside(strategy: Any) -> None:
    model = LinearModel()
    assert len(copies(strategy, model.w)) == 1
    with strategy.scope():
        optimizer = tf.keras.optimizers.SGD(0.05, momentum=0.9)
        with pytest.raises(ValueError, match="colocate_vars_with"):
            optimizer.build(model.trainable_variables)
    assert "ValueError: `colocate_vars_with`" in printed(NAME, "outside")


@says("Do as update_by_mean does, but divide by the number of devices.")
@says(
    "A row in the smaller part counts for more. With even parts all "
    "rows count the same."
)
def test_the_mean_of_the_means(strategy: Any) -> None:
    told = printed(NAME, "means").splitlines()
    ends = [re.findall(r"\d+\.\d+", line) for line in told]
    assert ends[0][0] != ends[0][1]
    assert ends[1][0] == ends[1][1]
    y = tf.constant([0.0] * 100 + [1.0])
    model = LinearModel()
    x = tf.zeros(101)
    for rows, weight in ((slice(0, 60), 0.0), (slice(60, 101), 1 / 82)):
        part = tf.reduce_mean(tf.square(model(x[rows]) - y[rows])) / 2
        assert float(part) == pytest.approx(weight)
    assert 1 / 82 > 1 / 101
    x, y = make_data()
    alone, other = (new_training(tf.distribute.get_strategy()) for _ in "ab")
    one = update_by_replicas(*alone, x, y)
    assert float(one) == pytest.approx(float(update_by_mean(*other, x, y)))


@says("But the last batch of an epoch may well be uneven.")
@says("Of a single row one part is empty, and the loss is NaN.")
def test_the_last_batch_may_be_uneven(strategy: Any) -> None:
    rows = tf.data.Dataset.from_tensor_slices(make_data()).take(3).batch(2)
    _, [x, y] = strategy.experimental_distribute_dataset(rows)
    assert [len(part) for part in copies(strategy, x)] == [1, 0]
    for step, is_nan in ((update_by_replicas, True), (update, False)):
        found = train(strategy, step, *new_training(strategy), x, y)
        assert bool(tf.math.is_nan(found)) is is_nan
    uneven = {}
    for rows in (200, 201):
        *_, last = tf.data.Dataset.range(rows).batch(32)
        uneven[rows] = len(last) % 2 == 1
    assert uneven == {200: False, 201: True}


@says(
    "(On GPUs you do not list the devices; the strategy takes all it finds.)"
)
@says(
    "But the usual way is not to wait: each worker updates the weights "
    "whenever it is done, while others compute with weights that are "
    "about to change."
)
def test_what_tensorflow_says_of_its_strategies() -> None:
    served = doc(tf.distribute.ParameterServerStrategy)
    told = "update these variables independently without synchronizing"
    assert told in served
    made = doc(tf.distribute.MirroredStrategy)
    made += doc(tf.distribute.MirroredStrategy.__init__)
    assert "no devices are specified" in made
    assert "it will use all the available GPUs" in made


@says(
    "From here on nothing was run for this page: it takes machines that "
    "a build does not have."
)
def test_nothing_is_run_for_a_real_cluster() -> None:
    [part] = re.findall(r"(?s)## On a real cluster(.*?)\n## The whole", SOURCE)
    assert "run=" not in part
    assert "```console" not in part
