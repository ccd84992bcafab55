"""Parts of a batch on two devices: sums, scopes, and what goes wrong."""

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from matplotlib import pyplot as plt
from matplotlib.text import Annotation

from snippets.data import make_data
from snippets.linear_model import LinearModel
from snippets.many_devices import (
    BATCH_SIZE,
    add_up,
    apply,
    draw,
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
from tests.devices import mirrored

Adam = tf.keras.optimizers.Adam
Parts = tuple[Any, Any]


def descent(
    epochs: int,
    rate: float = 0.05,
    momentum: float = 0.9,
    points: int = 201,
) -> Any:
    """Return losses before each update, and the last w and b, in float64."""
    x, y = (np.asarray(values, np.float64) for values in make_data(points))
    weights, speed = np.array([5.0, 0.0]), np.zeros(2)
    losses = []
    for _ in range(epochs):
        errors = weights[0] * x + weights[1] - y
        losses.append(np.mean(errors**2))
        gradients = 2 * np.array([np.mean(errors * x), np.mean(errors)])
        speed = momentum * speed - rate * gradients
        weights = weights + speed
    return losses, *weights


@pytest.fixture(scope="module")
def strategy() -> tf.distribute.Strategy:
    return mirrored()


@pytest.fixture(scope="module")
def batch(strategy: tf.distribute.Strategy) -> Parts:
    """The whole data set, split among the devices."""
    rows = tf.data.Dataset.from_tensor_slices(make_data()).batch(BATCH_SIZE)
    [parts] = strategy.experimental_distribute_dataset(rows)
    x, y = parts
    return x, y


def copies(strategy: tf.distribute.Strategy, weight: Any) -> list[float]:
    local = strategy.experimental_local_results(weight)
    return [float(copy.numpy()) for copy in local]


@pytest.mark.parametrize("cut", [0, 1, 100, 201])
def test_shares_of_two_parts_are_the_loss_and_gradients_of_the_batch(
    cut: int, x: tf.Tensor, y: tf.Tensor
) -> None:
    model = LinearModel()
    loss, (db, dw) = part_gradients(model, x, y)
    first, (first_db, first_dw) = part_gradients(model, x[:cut], y[:cut])
    rest, (rest_db, rest_dw) = part_gradients(model, x[cut:], y[cut:])
    assert float(first + rest) == pytest.approx(float(loss), abs=1e-5)
    assert float(first_db + rest_db) == pytest.approx(float(db), abs=1e-5)
    assert float(first_dw + rest_dw) == pytest.approx(float(dw), abs=1e-5)
    errors = 5.0 * np.asarray(x) - np.asarray(y)
    assert float(loss) == pytest.approx(np.mean(errors**2), abs=1e-4)
    assert float(dw) == pytest.approx(2 * np.mean(errors * x), abs=1e-4)


def test_outputs_of_another_shape_are_refused(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        part_gradients(LinearModel(), x[:, tf.newaxis], y)


@pytest.mark.parametrize(("rate", "momentum"), [(0.05, 0.9), (0.4, 0.0)])
def test_one_device_descends_as_the_formula_does_in_float64(
    rate: float, momentum: float, x: tf.Tensor, y: tf.Tensor
) -> None:
    default = tf.distribute.get_strategy()
    model, optimizer = new_training(default, rate, momentum)
    losses = [float(update(model, optimizer, x, y)) for _ in range(30)]
    expected, w, b = descent(30, rate, momentum)
    np.testing.assert_allclose(losses, expected, atol=1e-4)
    assert float(model.w) == pytest.approx(w, abs=1e-4)
    assert float(model.b) == pytest.approx(b, abs=1e-4)


def test_two_devices_descend_as_one_and_their_copies_stay_equal(
    strategy: tf.distribute.Strategy, batch: Parts
) -> None:
    training = new_training(strategy)
    losses = []
    for _ in range(30):
        losses.append(float(train(strategy, update, *training, *batch)))
    expected, w, b = descent(30)
    np.testing.assert_allclose(losses, expected, atol=1e-4)
    model, _ = training
    assert copies(strategy, model.w) == [pytest.approx(w, abs=1e-4)] * 2
    assert len(set(copies(strategy, model.w))) == 1
    assert copies(strategy, model.b) == [pytest.approx(b, abs=1e-4)] * 2


def test_without_a_strategy_train_does_what_update_does(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    default = tf.distribute.get_strategy()
    one, other = new_training(default), new_training(default)
    loss = train.python_function(default, update, *one, x, y)
    assert float(loss) == float(update(*other, x, y))
    assert float(one[0].w) == float(other[0].w) != 5.0


def test_a_new_training_is_built_on_every_device(
    strategy: tf.distribute.Strategy,
) -> None:
    model, optimizer = new_training(strategy, 0.1)
    assert copies(strategy, model.w) == [5.0, 5.0]
    # Iterations, learning rate and a momentum for each of two weights.
    assert len(optimizer.variables) == 4
    rate = optimizer.learning_rate.value
    assert copies(strategy, rate) == [pytest.approx(0.1)] * 2


def test_means_of_parts_double_the_step(
    strategy: tf.distribute.Strategy, batch: Parts
) -> None:
    model, optimizer = new_training(strategy, 0.1, momentum=0.0)
    loss = train(strategy, update_by_mean, model, optimizer, *batch)
    right = new_training(strategy, 0.1, momentum=0.0)
    right_loss = train(strategy, update, *right, *batch)
    # Not exactly twice: one part has a row more than the other.
    assert float(loss / right_loss) == pytest.approx(2.0, abs=0.02)
    step = 5.0 - copies(strategy, model.w)[0]
    right_step = 5.0 - copies(strategy, right[0].w)[0]
    assert step / right_step == pytest.approx(2.0, abs=0.02)


@pytest.mark.parametrize("step", [update_by_mean, update_by_replicas])
def test_on_one_device_the_mean_is_right(
    step: Callable[..., tf.Tensor], x: tf.Tensor, y: tf.Tensor
) -> None:
    default = tf.distribute.get_strategy()
    one, other = new_training(default), new_training(default)
    assert float(step(*one, x, y)) == pytest.approx(
        float(update(*other, x, y)), abs=1e-5
    )
    assert float(one[0].w) == pytest.approx(float(other[0].w), abs=1e-6)


def test_an_adam_without_its_variables_fails_on_two_devices(
    strategy: tf.distribute.Strategy, batch: Parts
) -> None:
    with strategy.scope():
        model, optimizer = LinearModel(), Adam(0.4)
    new_train = tf.function(train.python_function)
    with pytest.raises(tf.errors.InvalidArgumentError, match="must feed"):
        new_train(strategy, update, model, optimizer, *batch)


def test_an_adam_built_in_scope_trains_as_on_one_device(
    strategy: tf.distribute.Strategy,
    batch: Parts,
    x: tf.Tensor,
    y: tf.Tensor,
) -> None:
    with strategy.scope():
        model, optimizer = LinearModel(), Adam(0.4)
        optimizer.build(model.trainable_variables)
    plain = LinearModel(), Adam(0.4)
    for _ in range(10):
        loss = train(strategy, update, model, optimizer, *batch)
        assert float(loss) == pytest.approx(
            float(update(*plain, x, y)), abs=1e-4
        )


@pytest.mark.parametrize(("momentum", "fails"), [(0.0, False), (0.9, True)])
def test_plain_descent_hides_that_nothing_was_built(
    momentum: float,
    fails: bool,
    strategy: tf.distribute.Strategy,
    batch: Parts,
) -> None:
    with strategy.scope():
        model = LinearModel()
        optimizer = tf.keras.optimizers.SGD(0.05, momentum)
    new_train = tf.function(train.python_function)
    error = tf.errors.InvalidArgumentError
    with pytest.raises(error) if fails else contextlib.nullcontext():
        new_train(strategy, update, model, optimizer, *batch)


def test_the_average_loss_of_tensorflow_is_the_share(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    model = LinearModel()
    share, _ = part_gradients(model, x[:100], y[:100])
    squares = tf.square(model(x[:100]) - y[:100])
    average = tf.nn.compute_average_loss(squares, global_batch_size=BATCH_SIZE)
    assert float(average) == pytest.approx(float(share), abs=1e-5)


def raising(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("Too long. Cut it."), "ValueError: Too long"),
        (RuntimeError("in:\n\n  RuntimeError: No.\n"), "RuntimeError: No."),
        (AttributeError("no 'x'"), "AttributeError: no 'x'"),
    ],
)
def test_a_message_is_the_first_sentence_of_the_error(
    error: Exception, said: str
) -> None:
    assert message(raising, error) == said
    assert message(len, "no error at all") == "no error"


def test_on_one_device_a_branch_leaves_out_the_update(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    default = tf.distribute.get_strategy()
    one, other = new_training(default), new_training(default)
    assert float(update_if_finite(*one, x, y)) == float(update(*other, x, y))
    w = float(one[0].w)
    assert w == float(other[0].w) != 5.0
    assert np.isnan(float(update_if_finite(*one, x * float("nan"), y)))
    assert float(one[0].w) == w


def test_on_two_devices_a_branch_cannot_hold_the_update(
    strategy: tf.distribute.Strategy, batch: Parts
) -> None:
    training = new_training(strategy)
    told = message(train, strategy, update_if_finite, *training, *batch)
    assert told.startswith("RuntimeError: `merge_call` called while")


def test_a_decision_outside_leaves_out_both_updates(
    strategy: tf.distribute.Strategy, batch: Parts
) -> None:
    model, optimizer = new_training(strategy)
    expected, w, _ = descent(5)
    losses = [
        float(train_if_finite(strategy, model, optimizer, *batch))
        for _ in range(5)
    ]
    np.testing.assert_allclose(losses, expected, atol=1e-4)
    assert copies(strategy, model.w) == [pytest.approx(w, abs=1e-4)] * 2
    x, y = make_data()
    gap = tf.where(x > 1.9, float("nan"), x)
    rows = tf.data.Dataset.from_tensor_slices((gap, y)).batch(BATCH_SIZE)
    [parts] = strategy.experimental_distribute_dataset(rows)
    assert np.isnan(float(train_if_finite(strategy, model, optimizer, *parts)))
    assert copies(strategy, model.w) == [pytest.approx(w, abs=1e-4)] * 2
    assert optimizer.iterations.numpy() == 5


@pytest.mark.parametrize("value", [1.0, float("nan")])
def test_without_a_strategy_a_decision_is_the_same(
    value: float, x: tf.Tensor, y: tf.Tensor
) -> None:
    default = tf.distribute.get_strategy()
    model, optimizer = new_training(default)
    step = train_if_finite.python_function
    step(default, model, optimizer, x * value, y)
    assert int(optimizer.iterations) == int(value == 1.0)


def test_parts_are_added_up_outside_of_a_step_only(
    strategy: tf.distribute.Strategy,
) -> None:
    part = tf.constant(2.0)
    assert float(add_up(tf.distribute.get_strategy(), part)) == 2.0
    told = message(train, strategy, add_up, strategy, part)
    assert told.startswith("RuntimeError: Method requires being in cross-rep")


@pytest.mark.parametrize("in_scope", [False, True])
def test_the_optimizer_takes_no_parts_outside_of_a_step(
    in_scope: bool, strategy: tf.distribute.Strategy, batch: Parts
) -> None:
    model, optimizer = new_training(strategy)
    run = tf.function(strategy.run)
    _, gradients = run(part_gradients, args=(model, *batch))
    with strategy.scope() if in_scope else contextlib.nullcontext():
        told = message(apply, model, optimizer, gradients)
    said = "no attribute 'merge_call'" if in_scope else "Type PerReplica"
    assert said in told


@pytest.mark.parametrize("in_scope", [False, True])
def test_one_momentum_for_two_devices_moves_their_copies_apart(
    in_scope: bool, strategy: tf.distribute.Strategy, batch: Parts
) -> None:
    with strategy.scope():
        model = LinearModel()
    with strategy.scope() if in_scope else contextlib.nullcontext():
        optimizer = tf.keras.optimizers.SGD(0.05, momentum=0.9)
        optimizer.build(model.trainable_variables)
    train(strategy, update, model, optimizer, *batch)
    moved = descent(1)[1] - 5.0
    # The second device adds its step to the momentum of the first.
    second = moved if in_scope else 1.9 * moved
    assert copies(strategy, model.w) == [
        pytest.approx(5.0 + moved, abs=1e-4),
        pytest.approx(5.0 + second, abs=1e-4),
    ]
    assert optimizer.iterations.numpy() == (1 if in_scope else 2)


@pytest.mark.parametrize("mirrored", [False, True])
def test_fit_trains_the_line_on_even_parts(
    mirrored: bool, strategy: tf.distribute.Strategy
) -> None:
    default = tf.distribute.get_strategy()
    losses = fit_line(strategy if mirrored else default)
    np.testing.assert_allclose(losses, descent(10, points=200)[0], atol=1e-4)


def test_fit_fails_on_uneven_parts(strategy: tf.distribute.Strategy) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="same size"):
        fit_line(strategy, points=201)


def test_a_drawing_has_every_task_and_every_talk() -> None:
    _, axes = plt.subplots()
    tasks = {"a": (0.0, 0.5), "b": (0.5, 0.0), "c": (-0.5, 0.0)}
    draw(axes, tasks, [("a", "b"), ("a", "c")])
    arrows = [text for text in axes.texts if isinstance(text, Annotation)]
    boxes = [text for text in axes.texts if text not in arrows]
    assert [(b.get_text(), b.get_position()) for b in boxes] == [
        *tasks.items()
    ]
    ends = [{arrow.xy, arrow.get_position()} for arrow in arrows]
    assert ends == [
        {tasks["a"], tasks["b"]},
        {tasks["a"], tasks["c"]},
    ]
