"""Several tasks: each part agrees with NumPy or a closed form."""

import math
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from snippets.other_loops_finder import make_step
from snippets.several_tasks_balance import (
    balanced,
    even,
    make_balanced_step,
    make_surgery_step,
    pulls,
    surgery,
    without,
)
from snippets.several_tasks_missing import (
    by_task,
    known_loss,
    make_labels,
    masked_late,
)
from snippets.several_tasks_turns import (
    losses_of,
    make_joint_step,
    make_masked_step,
    make_models,
    make_rows,
    variables_of,
)

SGD = tf.keras.optimizers.SGD
mse = tf.keras.losses.MeanSquaredError()
BATCHES = make_rows(64, 0), make_rows(32, 1)


def test_the_labels_are_those_of_the_formula() -> None:
    x, y = (tensor.numpy() for tensor in make_labels())
    due = np.stack([x[:, 0] + 2 * x[:, 1], x[:, 1] - x[:, 2]], axis=1)
    known = ~np.isnan(y)
    np.testing.assert_allclose(y[known], due[known], rtol=1e-5, atol=1e-6)
    assert 0.4 < known.mean() < 0.6


def test_the_losses_of_known_labels() -> None:
    y = tf.constant([[1.0, math.nan], [3.0, -2.0], [math.nan, math.nan]])
    y_pred = tf.constant([[2.0, 5.0], [1.0, 1.0], [7.0, 7.0]])
    assert float(masked_late(y, y_pred)) == pytest.approx((1 + 4 + 9) / 6)
    assert float(known_loss(y, y_pred)) == pytest.approx((1 + 4 + 9) / 3)
    assert float(by_task(y, y_pred)) == pytest.approx((5 / 2 + 9) / 2)
    with pytest.raises(ValueError, match="shorter"):
        by_task(y, y_pred[:, :1])
    half = known_loss(tf.cast(y, tf.float16), tf.cast(y_pred, tf.float16))
    assert half.dtype == tf.float16


@pytest.mark.usefixtures("each_way")
def test_a_step_is_that_of_the_optimizer() -> None:
    dense = tf.keras.layers.Dense(1, use_bias=False)
    model = tf.keras.Sequential([tf.keras.Input((1,)), dense])
    model.set_weights([np.array([[3.0]])])
    step = make_step(model, known_loss, SGD(0.1))
    y = tf.constant([[0.0], [math.nan]])
    assert float(step(tf.constant([[1.0], [2.0]]), y)) == pytest.approx(9)
    assert model.get_weights()[0] == pytest.approx(3 - 0.1 * 2 * 3)


def test_the_rows_are_those_of_the_formula() -> None:
    for task in (0, 1):
        x, y = (tensor.numpy() for tensor in make_rows(4000, task))
        assert (x.shape, y.shape) == ((4000, 2), (4000, 1))
        due = [np.sin(3 * x[:, 0]), 10 * x[:, 0] * x[:, 1]][task]
        noise = y[:, 0] - due
        spread = 0.1 if task == 0 else 1.0
        assert noise.mean() == pytest.approx(0, abs=0.06 * spread)
        assert noise.std() == pytest.approx(spread, rel=0.05)


def test_models_have_a_trunk_in_common() -> None:
    trunk, models = make_models()
    assert [model.layers[0] for model in models] == [trunk, trunk]
    assert models[0].layers[-1] is not models[1].layers[-1]
    variables = variables_of(models)
    head = [(16, 1), (1,)]
    assert [v.shape for v in variables] == [(2, 16), (16,), *head, *head]
    again = make_models()[1]
    for model, other in zip(models, again, strict=True):
        for weight, value in zip(model.weights, other.weights, strict=True):
            np.testing.assert_array_equal(weight, value)


@pytest.mark.usefixtures("each_way")
def test_losses_are_those_of_training() -> None:
    dropout = tf.keras.layers.Dropout(0.5, seed=0)
    model = tf.keras.Sequential([tf.keras.Input((8,)), dropout])
    [loss] = losses_of([model], mse, [(tf.ones((4, 8)), tf.ones((4, 8)))])
    assert float(loss) == 1  # each number is 0 or 2


@pytest.mark.usefixtures("each_way")
def test_a_joint_step_is_one_of_the_sum() -> None:
    _, models = make_models()
    variables = variables_of(models)
    before = [variable.numpy() for variable in variables]
    with tf.GradientTape() as tape:
        losses = losses_of(models, mse, BATCHES)
        total = losses[0] + losses[1]
    gradients = tape.gradient(total, variables)
    found = make_joint_step(models, mse, SGD(0.1))(*BATCHES)
    np.testing.assert_allclose(found, losses, rtol=1e-5)
    for variable, value, part in zip(
        variables, before, gradients, strict=True
    ):
        np.testing.assert_allclose(variable, value - 0.1 * part, atol=1e-6)


@pytest.mark.usefixtures("each_way")
def test_a_masked_step_trains_one_task() -> None:
    _, models = make_models()
    kernels = [model.layers[-1].kernel for model in models]
    before = [kernel.numpy() for kernel in kernels]
    due = float(losses_of(models, mse, BATCHES)[0])
    step = make_masked_step(models, mse, SGD(0.1))
    assert float(step(*BATCHES[0], tf.eye(2)[0])) == pytest.approx(due)
    assert np.abs(kernels[0].numpy() - before[0]).max() > 0.001
    np.testing.assert_array_equal(kernels[1], before[1])


def test_pulls_are_the_gradients_of_the_losses() -> None:
    trunk, models = make_models()
    for task, pull in enumerate(pulls(trunk, models, mse, BATCHES)):
        x, y = BATCHES[task]
        with tf.GradientTape() as tape:
            loss = mse(y, models[task](x))
        parts = tape.gradient(loss, trunk.trainable_variables)
        due = np.concatenate([part.numpy().ravel() for part in parts])
        np.testing.assert_allclose(pull, due, atol=1e-6)


@pytest.mark.usefixtures("each_way")
def test_a_balanced_step_trains_the_scales() -> None:
    _, models = make_models()
    scales = tf.Variable([0.5, -0.5])
    losses = np.array(losses_of(models, mse, BATCHES))
    due = (np.exp(-scales.numpy()) * losses + scales.numpy()).sum()
    assert float(balanced(list(losses), scales)) == pytest.approx(due)
    slope = 1 - np.exp(-scales.numpy()) * losses
    wanted = scales.numpy() - 0.01 * slope
    step = make_balanced_step(models, scales, mse, SGD(0.01))
    assert float(step(*BATCHES)) == pytest.approx(due, rel=1e-5)
    np.testing.assert_allclose(scales, wanted, rtol=1e-4)


def test_each_loss_has_a_scale() -> None:
    numbers, column = [tf.constant(1.0)] * 2, [tf.ones(2)] * 2
    for losses, shape in ((numbers, ()), (numbers, (1,)), (column, (2,))):
        with pytest.raises(
            (ValueError, tf.errors.InvalidArgumentError), match="compatible"
        ):
            balanced(losses, tf.Variable(tf.zeros(shape)))


def test_what_goes_against_the_others_is_taken() -> None:
    a = [tf.constant([[1.0, 2.0]]), tf.constant([-3.0])]
    b = [tf.constant([[-1.0, 0.0]]), tf.constant([2.0])]
    long, other = np.array([1.0, 2.0, -3.0]), np.array([-1.0, 0.0, 2.0])
    due = long - (long @ other) / (other @ other) * other
    found = np.concatenate([part.numpy().ravel() for part in without(a, b)])
    np.testing.assert_allclose(found, due, rtol=1e-5)
    zero = [tf.zeros_like(part) for part in b]
    for part, kept in zip(without(a, zero), a, strict=True):
        np.testing.assert_array_equal(part, kept)


@pytest.mark.usefixtures("each_way")
def test_a_step_of_surgery() -> None:
    trunk, models = make_models()
    losses, pairs = surgery(trunk, models, mse, BATCHES)
    assert {id(v) for _, v in pairs} == {id(v) for v in variables_of(models)}
    parts = pulls(trunk, models, mse, BATCHES)
    due = (
        without([parts[0]], [parts[1]])[0] + without([parts[1]], [parts[0]])[0]
    )
    found = np.concatenate([part.numpy().ravel() for part, _ in pairs[:2]])
    np.testing.assert_allclose(found, due, atol=1e-6)
    before = [(g.numpy(), v, v.numpy()) for g, v in pairs]
    told = make_surgery_step(trunk, models, mse, SGD(0.1))(*BATCHES)
    np.testing.assert_allclose(told, losses, rtol=1e-5)
    for gradient, variable, value in before:
        np.testing.assert_allclose(variable, value - 0.1 * gradient, atol=1e-6)


def test_surgery_on_an_embedding() -> None:
    layers = [tf.keras.Input((2,)), tf.keras.layers.Embedding(4, 3)]
    trunk = tf.keras.Sequential([*layers, tf.keras.layers.Flatten()])
    models = [
        tf.keras.Sequential([trunk, tf.keras.layers.Dense(1)])
        for _ in range(2)
    ]
    for model in models:
        model.build((None, 2))
    words = tf.constant([[0, 1], [1, 1]])
    batches = (words, tf.ones((2, 1))), (words, -tf.ones((2, 1)))
    a, b = ([part] for part in pulls(trunk, models, mse, batches))
    due = without(a, b)[0] + without(b, a)[0]
    _, [(found, _), *_] = surgery(trunk, models, mse, batches)
    np.testing.assert_allclose(found.numpy().ravel(), due, atol=1e-6)


def test_weights_for_equal_lengths() -> None:
    weights = even([tf.constant([0.0, 2.0]), tf.constant([6.0])])
    np.testing.assert_allclose(weights, [2, 4 / 6], rtol=1e-6)
    assert even([tf.zeros(2), tf.ones(1)])[0] == 0


class Headed(tf.keras.Model):
    """A model whose head is built when it is first called."""

    def __init__(self, trunk: tf.keras.Model) -> None:
        super().__init__()
        self.trunk = trunk
        zeros = tf.keras.initializers.Zeros()
        self.head = tf.keras.layers.Dense(1, kernel_initializer=zeros)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return self.head(self.trunk(x))


def test_a_head_that_is_not_built_learns_as_well() -> None:
    (trunk, _), scales = make_models(), tf.Variable([0.0, 0.0])
    pairs: Any = [[Headed(trunk), Headed(trunk)] for _ in range(4)]
    make_joint_step(pairs[0], mse, SGD(0.1))(*BATCHES)
    make_masked_step(pairs[1], mse, SGD(0.1))(*BATCHES[0], tf.ones(2))
    make_balanced_step(pairs[2], scales, mse, SGD(0.1))(*BATCHES)
    make_surgery_step(trunk, pairs[3], mse, SGD(0.1))(*BATCHES)
    for models in pairs:
        for model in models:
            assert model.head.kernel.numpy().all()
