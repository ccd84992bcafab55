"""Other loops: each part agrees with NumPy or a closed form."""

import math
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from snippets.other_loops_average import average, learn
from snippets.other_loops_dqn import (
    add,
    choose,
    draw,
    exact_values,
    go,
    make_memory,
    make_q_step,
    make_values,
    one_hot,
    play,
)
from snippets.other_loops_finder import (
    RaiseRate,
    make_model,
    make_rows,
    make_step,
    remember,
    train,
    try_rates,
)
from snippets.other_loops_hard import hardest
from snippets.other_loops_lookahead import look_ahead
from snippets.other_loops_sam import (
    Centralized,
    add_noise,
    centralize,
    climb,
    differentiate,
    make_sam_step,
)
from snippets.other_loops_vae import (
    divergence,
    learn_code,
    make_mixed,
    make_vae_step,
    vae_losses,
)

layers = tf.keras.layers
SGD = tf.keras.optimizers.SGD
ONE = tf.data.Dataset.from_tensors((tf.constant(1.0), tf.constant(0.0)))


def square(y: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean((y_pred - y) ** 2)


def make_line() -> Any:
    """Return a model of one number, w * x, with w = 3."""
    model = tf.keras.Sequential(
        [tf.keras.Input((1,)), layers.Dense(1, use_bias=False)]
    )
    model.set_weights([np.array([[3.0]])])
    return model


def test_the_rows_are_those_of_the_formula() -> None:
    x, y = (tensor.numpy() for tensor in make_rows())
    assert x.shape == (2048, 4)
    assert -1 <= x.min() < -0.99
    assert 0.99 < x.max() < 1
    due = np.sin(3 * x[:, 0]) + x[:, 1] * x[:, 2]
    np.testing.assert_allclose(y, due[:, np.newaxis], atol=1e-5)
    assert make_model()(x).shape == y.shape


@pytest.mark.usefixtures("each_way")
def test_a_step_is_that_of_the_optimizer() -> None:
    model = make_line()
    step = make_step(model, square, SGD(0.1))
    loss = step(tf.constant([[1.0], [2.0]]), tf.constant([[0.0], [0.0]]))
    assert float(loss) == pytest.approx((3**2 + 6**2) / 2)
    slope = 2 * 3 * (1 + 4) / 2
    assert model.get_weights()[0] == pytest.approx(3 - 0.1 * slope)


@pytest.mark.parametrize(
    ("told", "due"),
    [
        ([1.0, 0.5, 1.9, 2.0, 0.1], 4),  # 4 times 0.5
        ([1.0, math.nan, 1.0], 2),
        ([1.0, math.inf], 2),
        ([3.0, 2.0, 1.0], 3),  # no explosion, but no more batches
    ],
)
def test_rates_are_raised_until_the_loss_explodes(
    told: list[float], due: int
) -> None:
    optimizer, seen = SGD(), []

    def step(x: tf.Tensor, y: tf.Tensor) -> float:
        seen.append(float(optimizer.learning_rate))
        return told[len(seen) - 1]

    rates, losses = try_rates(
        step, optimizer, ONE.repeat(len(told)), rate=0.25
    )
    np.testing.assert_array_equal(losses, told[:due])
    np.testing.assert_allclose(rates, 0.25 * 1.1 ** np.arange(due))
    np.testing.assert_allclose(seen, rates, rtol=1e-6)


@pytest.mark.parametrize("make", [tf.keras.optimizers.Adam, SGD])
def test_all_is_set_back(make: Any) -> None:
    model = tf.keras.Sequential(
        [
            tf.keras.Input((4,)),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Dense(1),
        ]
    )
    optimizer = make(0.1)
    step = make_step(model, square, optimizer)
    x, y = make_rows()
    restore = remember(model, optimizer)
    variables = [*model.variables, *optimizer.variables]
    before = [variable.numpy() for variable in variables]
    first = [float(step(x, y)) for _ in range(3)]
    optimizer.learning_rate.assign(7.0)
    restore()
    for variable, value in zip(variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    assert [float(step(x, y)) for _ in range(3)] == first


def test_the_callback_raises_the_rate_and_keeps_what_is_logged() -> None:
    model, raising = make_line(), RaiseRate()
    model.compile(SGD(1.0), "mse")
    x = np.ones((3, 1), "float32")
    model.fit(x, 0 * x, 1, verbose=0, callbacks=[raising], shuffle=False)
    w, losses = 3.0, []
    for batch in range(3):
        losses.append(w**2)
        w -= 1e-4 * 1.1**batch * 2 * w
    means = np.cumsum(losses) / [1, 2, 3]
    np.testing.assert_allclose(raising.logged, means, rtol=1e-6)
    assert model.get_weights()[0] == pytest.approx(w)


def test_training_returns_the_mean_of_the_last_epoch() -> None:
    told = iter([9.0, 9.0, 1.0, 2.0])
    assert train(lambda x, y: next(told), ONE.repeat(2), 2) == 1.5
    assert next(told, None) is None


def test_gradients_of_an_embedding_are_dense() -> None:
    model = tf.keras.Sequential(
        [tf.keras.Input((2,)), layers.Embedding(3, 1), layers.Flatten()]
    )
    model.set_weights([np.array([[1.0], [2.0], [3.0]])])
    x, y = tf.constant([[1, 1], [1, 0]]), tf.zeros((2, 2))
    loss, [gradient] = differentiate(model, square, x, y)
    assert float(loss) == (3 * 4 + 1) / 4
    np.testing.assert_allclose(gradient, [[0.5], [3.0], [0.0]])


def test_weights_climb_by_rho_in_all() -> None:
    model = tf.keras.Sequential([tf.keras.Input((2,)), layers.Dense(1)])
    model.set_weights([np.array([[1.0], [2.0]]), np.array([3.0])])
    gradients = [tf.constant([[2.0], [0.0]]), tf.constant([-1.5])]
    climb(model, gradients, 0.5)
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(kernel, [[1.4], [2.0]], rtol=1e-6)
    np.testing.assert_allclose(bias, [2.7], rtol=1e-6)
    climb(model, [0 * part for part in gradients], 0.5)
    assert model.get_weights()[1] == bias


@pytest.mark.usefixtures("each_way")
def test_a_step_of_sam_agrees_with_the_closed_form() -> None:
    model = make_line()
    step = make_sam_step(model, square, SGD(0.1), 0.5)
    x, y = tf.constant([[1.0], [2.0]]), tf.zeros((2, 1))
    assert float(step(x, y)) == pytest.approx((9 + 36) / 2)
    due = 3 - 0.1 * 5 * (3 + 0.5)
    assert model.get_weights()[0] == pytest.approx(due)


@pytest.mark.usefixtures("each_way")
def test_sam_moves_averages_once() -> None:
    norm = layers.BatchNormalization(momentum=0.9)
    model = tf.keras.Sequential([tf.keras.Input((4,)), norm, layers.Dense(1)])
    x, y = make_rows()
    make_sam_step(model, square, SGD(0.1), 0.5)(x + 1.0, y)
    due = 0.1 * np.mean(x + 1.0, axis=0)
    np.testing.assert_allclose(norm.moving_mean, due, rtol=1e-4)


def test_noise_is_normal_and_added() -> None:
    random = tf.random.Generator.from_seed(1)
    parts = [tf.fill((100, 100), 5.0), tf.fill((10_000,), -1.0)]
    found = [part.numpy() for part in add_noise(parts, 0.5, random)]
    for part, mean in zip(found, (5.0, -1.0), strict=True):
        assert part.mean() == pytest.approx(mean, abs=0.02)
        assert part.std() == pytest.approx(0.5, abs=0.02)
    assert np.abs(found[0].ravel() - found[1]).std() > 0.5
    assert found[0].shape == (100, 100)


def test_the_world_is_a_line() -> None:
    places = np.arange(4)
    for action, due in ((0, [0, 0, 1, 2]), (1, [1, 2, 3, 4])):
        following, rewards, over = go(places, np.full(4, action))
        assert [*following] == due
        assert [*rewards] == [*over] == [0, 0, 0, action]
        assert over.dtype == np.float32


def test_states_are_rows() -> None:
    rows = one_hot(np.array([4, 0]))
    assert rows.tolist() == [[0, 0, 0, 0, 1], [1, 0, 0, 0, 0]]
    assert rows.dtype == np.float32
    assert make_values()(rows).shape == (2, 2)


def moves_of(numbers: np.ndarray) -> list[np.ndarray]:
    """Return moves all parts of which say which they are."""
    states = np.tile(numbers[:, np.newaxis], 5)
    return [states, numbers, 10 * numbers, -states, numbers % 2]


def test_a_memory_keeps_the_last_moves() -> None:
    memory = make_memory(5)
    kinds = [(part.shape, str(part.dtype)) for part in memory]
    one, rows = ((5,), "float32"), ((5, 5), "float32")
    assert kinds == [rows, ((5,), "int32"), one, rows, one]
    random = np.random.default_rng(0)
    count = add(memory, 0, moves_of(np.arange(1, 4)))
    assert count == 3
    assert {*draw(memory, count, 100, random)[1]} == {1, 2, 3}
    count = add(memory, count, moves_of(np.arange(4, 8)))
    assert count == 7
    found = draw(memory, count, 100, random)
    assert {*found[1]} == {3, 4, 5, 6, 7}
    for part, due in zip(found, moves_of(found[1]), strict=True):
        np.testing.assert_array_equal(part, due)


def test_actions_are_the_best_or_any() -> None:
    def values(states: np.ndarray) -> np.ndarray:
        return states[:, :2]

    states = one_hot(np.tile([0, 1], 500))
    random = np.random.default_rng(0)
    best = choose(values, states, 0.0, random)
    assert [*best[:2]] == [0, 1]
    assert (best == np.tile([0, 1], 500)).all()
    half = choose(values, states, 0.5, random)
    assert np.mean(half != best) == pytest.approx(0.25, abs=0.05)
    assert {*choose(values, states, 1.0, random)} == {0, 1}


def test_who_has_arrived_begins_again() -> None:
    places = np.tile(np.arange(4), 100)
    moves, after = play(make_values(), places, np.random.default_rng(0))
    states, actions, rewards, following, over = moves
    np.testing.assert_array_equal(states, one_hot(places))
    due = go(places, actions)
    np.testing.assert_array_equal(following, one_hot(due[0]))
    np.testing.assert_array_equal(rewards, due[1])
    np.testing.assert_array_equal(over, due[2])
    np.testing.assert_array_equal(after[over == 0], due[0][over == 0])
    assert {*after[over == 1]} == {0, 1, 2, 3}


@pytest.mark.usefixtures("each_way")
def test_a_step_leads_to_the_reward_and_what_follows() -> None:
    online, target = make_values(), make_values()
    target.set_weights([2 * weight for weight in target.get_weights()])
    states, following = one_hot(np.array([1, 3])), one_hot(np.array([2, 4]))
    actions, over = np.array([0, 1]), np.array([0.0, 1.0], "float32")
    rewards = np.array([0.5, 1.0], "float32")
    best = target(following).numpy()[0].max()
    due = np.array([0.5 + 0.9 * best, 1.0])
    values = online(states).numpy()
    missed = values[[0, 1], [0, 1]] - due
    bias, kept = online.get_weights()[-1], target.get_weights()
    step = make_q_step(online, target, SGD(0.1), 0.9)
    loss = step(states, actions, rewards, following, over)
    assert float(loss) == pytest.approx(np.mean(missed**2), rel=1e-5)
    np.testing.assert_allclose(
        online.get_weights()[-1], bias - 0.1 * missed, atol=1e-6
    )
    for before, after in zip(kept, target.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("column", [1, 2, 4])
@pytest.mark.usefixtures("each_way")
def test_a_column_of_a_memory_is_refused(column: int) -> None:
    online, zeros = make_values(), np.zeros(2, "float32")
    step = make_q_step(online, make_values(), SGD(0.1), 0.9)
    states = one_hot(np.array([1, 3]))
    moves = [states, np.array([0, 1]), zeros, states, zeros]
    moves[column] = moves[column][:, None]
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        step(*moves)


def test_exact_values_are_powers_of_gamma() -> None:
    up = 0.8 ** np.array([3, 2, 1, 0])
    down = 0.8 * up[[0, 0, 1, 2]]
    due = np.stack([down, up], axis=1)
    np.testing.assert_allclose(exact_values(0.8)[:4], due, rtol=1e-6)


@pytest.mark.parametrize(
    ("share", "due"),
    [(0.5, 4.5), (1.0, 3.0), (0.01, 5.0), (0.7, 11 / 3), (0.9, 3.0)],
)
def test_the_mean_of_the_largest(share: float, due: float) -> None:
    each = tf.constant([2.0, 5.0, 1.0, 4.0])
    assert float(hardest(each, share)) == pytest.approx(due)


def test_losses_are_one_for_each_row() -> None:
    for wrong in (tf.ones((4, 1)), tf.constant(1.0)):
        with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
            hardest(wrong, 0.5)


def test_slow_weights_follow_and_fast_ones_return() -> None:
    fast = [tf.Variable([4.0, 2.0]), make_line().trainable_variables[0]]
    slow = [tf.Variable([0.0, 2.0]), tf.Variable([[1.0]])]
    look_ahead(fast, slow, 0.25)
    for weights in (fast, slow):
        np.testing.assert_allclose(weights[0].numpy(), [1.0, 2.0])
        np.testing.assert_allclose(weights[1].numpy(), [[1.5]])


def make_vae() -> Any:
    """Return an encoder of 16 numbers and its decoder, both of one layer."""
    return tuple(
        tf.keras.Sequential([tf.keras.Input((i,)), layers.Dense(j)])
        for i, j in ((16, 8), (4, 16))
    )


def test_mixed_rows_have_four_parts() -> None:
    x = make_mixed().numpy()
    variances = np.linalg.eigvalsh(x.T @ x / 512)
    assert (variances[:12] < 0.02).all()
    assert (variances[12:] > 1).all()


def test_a_divergence_agrees_with_the_closed_form() -> None:
    mean, log_var = tf.constant([[1.0, -2.0]]), tf.constant([[0.0, 1.0]])
    due = (1 + (math.e + 4 - 1 - 1)) / 2
    np.testing.assert_allclose(divergence(mean, log_var), [due], rtol=1e-6)
    assert not divergence(tf.zeros((2, 3)), tf.zeros((2, 3))).numpy().any()


@pytest.mark.parametrize("reduce", [tf.reduce_sum, tf.reduce_mean])
@pytest.mark.usefixtures("each_way")
def test_a_step_of_a_vae_is_one_of_both_losses(reduce: Any) -> None:
    vae, x = make_vae(), make_mixed()[:8]
    variables = [v for part in vae for v in part.trainable_variables]
    with tf.GradientTape() as tape:
        random = tf.random.Generator.from_seed(0)
        errors, divergences = vae_losses(vae, x, random)
        loss = tf.reduce_mean(reduce(errors, axis=1) + divergences)
    gradients = tape.gradient(loss, variables)
    before = [variable.numpy() for variable in variables]
    step = tf.function(make_vae_step(vae, SGD(0.1), reduce))
    means = tf.reduce_mean(errors), tf.reduce_mean(divergences)
    np.testing.assert_allclose(step(x), means, rtol=1e-5)
    for value, variable, part in zip(
        before, variables, gradients, strict=True
    ):
        np.testing.assert_allclose(variable, value - 0.1 * part, atol=1e-5)


def test_pictures_are_rows_of_pixels_to_a_vae() -> None:
    x, random = tf.ones((5, 3, 4, 1)), tf.random.Generator.from_seed(0)
    encoder = tf.keras.Sequential([layers.Flatten(), layers.Dense(4)])
    decoder = tf.keras.Sequential([layers.Dense(12)])
    with pytest.raises(tf.errors.InvalidArgumentError, match="compatible"):
        vae_losses((encoder, decoder), x, random)
    decoder.add(layers.Reshape((3, 4, 1)))
    errors, divergences = vae_losses((encoder, decoder), x, random)
    assert errors.shape == (5, 12)
    assert divergences.shape == (5,)


class Coder(tf.keras.Model):
    """A model whose last layer is built when it is first called."""

    def __init__(self, units: int) -> None:
        super().__init__()
        inputs = tf.keras.Input((4,))
        self.first = tf.keras.Sequential([inputs, layers.Dense(4)])
        self.last = layers.Dense(units)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return self.last(self.first(x))


def test_layers_of_a_vae_that_are_not_built_learn_as_well() -> None:
    coder = Coder(4)
    vae, x = (Coder(8), coder), make_mixed()[:8, :4]
    step = make_vae_step(vae, SGD(0.1), tf.reduce_sum)
    step(x)
    before = coder.last.kernel.numpy()
    step(x)
    assert np.abs(coder.last.kernel.numpy() - before).max() > 1e-4


def test_a_code_is_learned_by_the_sum_of_errors() -> None:
    x = make_mixed()
    decoder, losses = learn_code(x, tf.reduce_sum)
    assert float(losses[0]) < 0.2
    assert float(losses[1]) > 3.5
    assert decoder(tf.zeros((2, 4))).shape == (2, 16)


def test_an_average_weighs_models_by_their_rows() -> None:
    models = [make_line(), make_line(), make_line()]
    for model, weight in zip(models, (1.0, 2.0, 6.0), strict=True):
        model.set_weights([np.array([[weight]])])
    [found] = average(models, [5, 4, 1])
    assert found == pytest.approx((5 * 1 + 4 * 2 + 1 * 6) / 10)


def test_a_client_takes_a_hundred_steps() -> None:
    sgd = SGD(0.1)
    learn(make_step(make_line(), square, sgd), *next(iter(ONE.batch(1))))
    assert int(sgd.iterations) == 100


def test_kernels_are_centralized_for_each_unit() -> None:
    kernel = np.array([[1.0, 5.0], [3.0, 9.0]], "float32")
    found = centralize(tf.constant(kernel))
    np.testing.assert_allclose(found, kernel - kernel.mean(axis=0))
    np.testing.assert_array_equal(centralize(tf.constant([4.0])), [4.0])
    weight, unused = tf.Variable(kernel), tf.Variable(7.0)
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        Centralized(0.5).apply([tf.constant(kernel), None], [weight, unused])
    assert float(unused) == 7
    due = kernel - 0.5 * (kernel - kernel.mean(axis=0))
    np.testing.assert_allclose(weight, due)


def test_what_learns_is_called_in_training() -> None:
    calls: list[bool] = []

    class Told(tf.keras.layers.Layer):
        """A layer that notes whether it is called in training."""

        def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
            calls.append(training)
            return x

    online, encoder, decoder = (
        tf.keras.Sequential([tf.keras.Input((i,)), Told(), layers.Dense(j)])
        for i, j in ((5, 2), (5, 4), (2, 5))
    )
    x, zeros = tf.ones((4, 5)), tf.zeros(4)
    calls.clear()
    make_step(online, square, SGD(0.1))(x, tf.ones((4, 2)))
    differentiate(online, square, x, tf.ones((4, 2)))
    vae_losses((encoder, decoder), x, tf.random.Generator.from_seed(0))
    step = make_q_step(online, make_values(), SGD(0.1), 0.9)
    step(x, tf.zeros(4, tf.int32), zeros, x, zeros)
    assert len(calls) > 4
    assert all(calls)
