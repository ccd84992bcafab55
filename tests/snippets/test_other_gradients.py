"""Gradients of inputs, equations, rewards and one's own are as by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from snippets.other_gradients_actor import (
    actor_critic_loss,
    climb,
    clipped_loss,
    log_chances,
    reuse,
    worth,
)
from snippets.other_gradients_defined import (
    clip_backwards,
    reverse,
    round_through,
    scaled,
)
from snippets.other_gradients_flat import (
    bfgs,
    flatten,
    learn_curvature,
    make_loss_at,
    shorten,
    unflatten,
)
from snippets.other_gradients_input import (
    adversarial,
    adversarial_step,
    class_map,
    cross_entropy,
    input_gradient,
    make_classifier,
    make_spotter,
)
from snippets.other_gradients_physics import (
    derivatives,
    make_solution,
    make_step,
    measured_loss,
    physics_loss,
)
from snippets.other_gradients_policy import (
    discounted,
    learn_policy,
    play,
    policy_gradient,
    policy_loss,
)
from snippets.other_gradients_second import forward_hvp, hvp

X = tf.constant([[1.0, 0.5, 3.0], [-1.0, 2.0, 0.0]])
Y = tf.constant([[1.0], [1.0]])
TIMES = tf.reshape(tf.linspace(0.0, 3.0, 31), (-1, 1))


def cosine(t: tf.Tensor) -> tf.Tensor:
    return tf.cos(t)


def probability(x: Any) -> Any:
    return 1 / (1 + np.exp(-(2 * x[:, :1] - x[:, 1:2])))


def test_the_loss_of_rows_agrees_with_numpy() -> None:
    due = -np.log(probability(X.numpy())).mean()
    assert float(cross_entropy(make_classifier(), X, Y)) == pytest.approx(due)


def test_the_gradient_of_the_input_agrees_with_the_closed_form() -> None:
    p = probability(X.numpy())
    due = (p - Y) * [[2.0, -1.0, 0.0]] / 2  # of a mean over two rows
    found = input_gradient(make_classifier(), X, Y)
    np.testing.assert_allclose(found, due, rtol=1e-5)


def test_rows_move_to_where_the_loss_rises() -> None:
    model = make_classifier()
    moved = adversarial(model, X, Y, 0.25)
    due = np.tile([[-0.25, 0.25, 0.0]], (2, 1))
    np.testing.assert_allclose(moved - X, due, atol=1e-6)
    assert cross_entropy(model, moved, Y) > cross_entropy(model, X, Y)


def test_a_step_learns_from_the_moved_rows() -> None:
    model, x, y = make_classifier(), X[:1], Y[:1]
    moved = adversarial(model, x, y, 0.6)
    before = [weight.copy() for weight in model.get_weights()]
    loss = adversarial_step(model, tf.keras.optimizers.SGD(1.0), x, y)
    p = float(probability(moved.numpy())[0, 0])
    assert float(loss) == pytest.approx(-np.log(p), rel=1e-5)
    kernel, bias = model.get_weights()
    due = before[0] - (p - 1) * moved.numpy().T
    np.testing.assert_allclose(kernel, due, rtol=1e-5)
    assert float(bias[0]) == pytest.approx(1 - p, rel=1e-5)


def test_the_spotter_adds_up_squares() -> None:
    picture = tf.random.stateless_normal((1, 6, 6, 1), (0, 0))
    due = np.sum(picture) / 9
    assert float(make_spotter()(picture)[0, 0]) == pytest.approx(due, rel=1e-4)


def test_the_map_has_the_positive_parts_of_the_score() -> None:
    picture = tf.random.stateless_normal((2, 6, 6, 1), (0, 1))
    squares = picture.numpy().reshape(2, 3, 2, 3, 2).sum(axis=(2, 4))
    found = class_map(make_spotter(), picture, "parts")
    np.testing.assert_allclose(found, np.maximum(squares, 0) / 9, atol=1e-6)
    assert (squares < 0).any()


def test_the_map_weighs_channels_by_their_mean_gradient() -> None:
    layers = tf.keras.layers
    picture = tf.keras.Input((2, 2, 2))
    places = layers.Activation("linear", name="places")(picture)
    score = layers.Dense(1, use_bias=False)(layers.Flatten()(places))
    model = tf.keras.Model(picture, score)
    kernel = np.arange(8.0).reshape(2, 2, 2)
    model.set_weights([kernel.reshape(8, 1)])
    x = tf.random.stateless_normal((1, 2, 2, 2), (0, 2))
    weights = kernel.mean(axis=(0, 1))
    due = np.maximum((x.numpy() * weights).sum(axis=3), 0)
    found = class_map(model, x, "places")
    np.testing.assert_allclose(found, due, rtol=1e-5)


def test_a_map_of_several_scores_is_refused() -> None:
    picture = tf.keras.Input((4, 4, 1))
    places = tf.keras.layers.Activation("linear", name="places")(picture)
    mean = tf.keras.layers.GlobalAveragePooling2D()(places)
    model = tf.keras.Model(picture, tf.keras.layers.Dense(3)(mean))
    with pytest.raises(tf.errors.InvalidArgumentError, match="compatible"):
        class_map(model, tf.ones((2, 4, 4, 1)), "places")


def test_derivatives_are_those_of_the_cosine() -> None:
    y, slope, bend = derivatives(cosine, TIMES)
    t = TIMES.numpy()
    dues = np.cos(t), -np.sin(t), -np.cos(t)
    for found, due in zip((y, slope, bend), dues, strict=True):
        np.testing.assert_allclose(found, due, atol=1e-6)


def test_times_in_a_row_are_refused() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="compatible"):
        physics_loss(make_solution(), TIMES[:, 0])


def test_derivatives_of_a_model_agree_with_differences() -> None:
    model, size = make_solution(), 0.05
    y, slope, bend = derivatives(model, TIMES)
    later, earlier = model(TIMES + size), model(TIMES - size)
    np.testing.assert_allclose(y, model(TIMES), atol=1e-6)
    np.testing.assert_allclose(slope, (later - earlier) / 0.1, atol=1e-3)
    twice = (later - 2 * y + earlier) / size**2
    np.testing.assert_allclose(bend, twice, atol=1e-3)


def test_losses_of_the_equations() -> None:
    assert float(physics_loss(cosine, TIMES)) < 1e-10

    def line(t: tf.Tensor) -> tf.Tensor:
        return 3.0 + 2.0 * t + 0.0 * t**2

    inside = np.mean((3 + 2 * TIMES.numpy()) ** 2)
    due = inside + (3 - 1) ** 2 + 2**2
    found = physics_loss(line, TIMES)
    assert float(found) == pytest.approx(due, rel=1e-5)
    k, y = tf.Variable(0.5), tf.ones_like(TIMES)
    missed = np.mean((3 + 2 * TIMES.numpy() - 1) ** 2)
    measured = measured_loss(line, k, TIMES, y)
    assert float(measured) == pytest.approx(missed + inside / 4, rel=1e-5)


@pytest.mark.usefixtures("each_way")
def test_a_step_moves_what_it_is_given() -> None:
    known, left = tf.Variable(3.0), tf.Variable(2.0)
    step = make_step(
        lambda: known**2 * left, [known], tf.keras.optimizers.SGD(0.1)
    )
    assert float(step()) == 18.0
    assert known.numpy() == pytest.approx(3 - 0.1 * 2 * 3 * 2)
    assert left.numpy() == 2.0


def test_actions_pay_as_often_as_said() -> None:
    logits = tf.constant([0.0, 1.0, -1.0])
    actions, rewards = play(logits, 100_000, (0, 5))
    chances = tf.nn.softmax(logits).numpy()
    for action, pays in enumerate([0.2, 0.5, 0.9]):
        drawn = actions.numpy() == action
        assert drawn.mean() == pytest.approx(chances[action], abs=0.01)
        paid = rewards.numpy()[drawn].mean()
        assert paid == pytest.approx(pays, abs=0.01)
    again, other = play(logits, 50, (0, 5)), play(logits, 50, (0, 6))
    np.testing.assert_array_equal(again[0], play(logits, 50, (0, 5))[0])
    assert (again[0].numpy() != other[0].numpy()).any()
    assert (again[0].numpy() != play(logits, 50, (1, 5))[0].numpy()).any()


def test_luck_does_not_depend_on_the_draw_of_actions() -> None:
    draws = [play(tf.zeros(3), 1000, (step, 0)) for step in range(30)]
    actions = np.concatenate([draw[0] for draw in draws])
    rewards = np.concatenate([draw[1] for draw in draws])
    expected = np.array([0.2, 0.5, 0.9])[actions]
    assert abs(np.mean(rewards - expected)) < 0.01


def test_the_policys_loss_and_gradient_agree_with_numpy() -> None:
    logits = np.array([0.1, 0.7, -0.3], "float32")
    chances = np.exp(logits) / np.exp(logits).sum()
    actions, returns = tf.constant([1, 0]), tf.constant([3.0, -2.0])
    due = -(3 * np.log(chances[1]) - 2 * np.log(chances[0])) / 2
    rows = tf.constant(np.stack([logits, logits]))
    found = policy_loss(rows, actions, returns)
    assert float(found) == pytest.approx(float(due), rel=1e-5)
    slopes = 3 * (chances - [0, 1, 0]) - 2 * (chances - [1, 0, 0])
    gradient = policy_gradient(tf.Variable(logits), actions, returns)
    np.testing.assert_allclose(gradient, slopes / 2, rtol=1e-5)


def test_a_policy_learns_the_best_action() -> None:
    for history in (learn_policy(False), learn_policy(True)):
        assert len(history) == 100
        assert history[0] == pytest.approx(0.53, abs=0.1)
        assert np.mean(history[-20:]) == pytest.approx(0.9, abs=0.03)
    plain = np.array(learn_policy(True))
    raised = np.array(learn_policy(True, extra=4.0))
    np.testing.assert_allclose(raised - plain, np.full(100, 4.0), atol=1e-3)


def test_the_loss_of_ppo_agrees_with_numpy() -> None:
    logits = np.array([[0.1, 0.7, -0.3], [2.0, 0.0, 1.0]], "float32")
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = log_chances(tf.constant(logits), tf.constant([2, 0]))
    np.testing.assert_allclose(
        found, np.log([chances[0, 2], chances[1, 0]]), rtol=1e-5
    )
    now, old = np.log([0.3, 0.9, 0.2]), np.log([0.5, 0.5, 0.21])
    returns, ratios = np.array([1.0, 3.0, -2.0]), np.exp(now - old)
    due = np.minimum(ratios * returns, np.clip(ratios, 0.8, 1.2) * returns)
    rows = [tf.constant(part, tf.float32) for part in (now, old, returns)]
    assert float(clipped_loss(*rows)) == pytest.approx(-due.mean(), rel=1e-5)


def test_old_chances_limit_the_way() -> None:
    actions, returns = tf.constant([0, 1]), tf.constant([1.0, -1.0])
    free, kept = (
        reuse(tf.Variable([0.0, 0.0]), actions, returns, keep)
        for keep in (False, True)
    )
    assert free[0] > 0.99
    assert 0.6 <= kept[0] < 0.8  # past 1.2 times a half in one step


def test_the_loss_of_actor_and_critic_agrees_with_numpy() -> None:
    logits, values = tf.zeros((2, 4)), tf.constant([[0.5], [2.0]])
    returns = tf.constant([1.0, 0.0])
    loss = actor_critic_loss(logits, values, tf.constant([0, 3]), returns)
    due = np.log(4) * (0.5 - 2.0) / 2 + (0.25 + 4.0) / 2
    assert float(loss) == pytest.approx(due, rel=1e-5)


def test_an_actor_climbs_its_critic() -> None:
    dense = tf.keras.layers.Dense(1, use_bias=False)
    actor = tf.keras.Sequential([tf.keras.Input((1,)), dense])
    dense.kernel.assign([[3.0]])
    states = tf.constant([[1.0], [2.0]])
    [gradient] = climb(actor, worth, states)
    assert float(gradient[0, 0]) == pytest.approx(2 * (3 - 2) * (1 + 4) / 2)
    inputs = [tf.keras.Input((1,)), tf.keras.Input((1,))]
    critic = tf.keras.Model(inputs, tf.keras.layers.Multiply()(inputs))
    [gradient] = climb(actor, critic, states)
    assert float(gradient[0, 0]) == pytest.approx(-(1 + 4) / 2)


def test_an_actor_climbs_in_training() -> None:
    dense = tf.keras.layers.Dense(1, use_bias=False)
    dropout = tf.keras.layers.Dropout(0.5, seed=0)
    actor = tf.keras.Sequential([tf.keras.Input((1,)), dense, dropout])
    [gradient] = climb(actor, lambda inputs: inputs[1], tf.ones((1, 1)))
    assert float(gradient[0, 0]) in (0, -2)


def test_returns_are_discounted_from_the_end() -> None:
    found = discounted([1.0, 2.0, 4.0], 0.5)
    assert found == [1 + 0.5 * (2 + 0.5 * 4), 2 + 0.5 * 4, 4.0]
    assert discounted([], 0.5) == []


def gradient_of(function: Any, *variables: tf.Variable) -> list[Any]:
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(tf.constant([1.0, 10.0]) * function(*variables))
    return [found.numpy() for found in tape.gradient(total, variables)]


def test_values_and_gradients_that_are_defined() -> None:
    x = tf.Variable([0.2, -1.7])
    assert [*round_through(x).numpy()] == [0.0, -2.0]
    assert [*gradient_of(round_through, x)[0]] == [1.0, 10.0]
    assert [*reverse(x).numpy()] == [*x.numpy()]
    assert [*gradient_of(reverse, x)[0]] == [-1.0, -10.0]
    number, scale = tf.Variable(3.0), tf.Variable(2.0)
    with tf.GradientTape() as tape:
        total = 5.0 * scaled(number, scale)
    assert float(total) == 30.0
    gradients = tape.gradient(total, [number, scale])
    assert [float(found) for found in gradients] == [10.0, 15.0]


@pytest.mark.parametrize(("limit", "due"), [(1e6, 1.0), (0.5, 0.5)])
def test_a_gradient_is_clipped_on_its_way(limit: float, due: float) -> None:
    x = tf.Variable([0.2, -1.7])
    assert [*clip_backwards(x, limit).numpy()] == [*x.numpy()]
    [found] = gradient_of(lambda x: clip_backwards(x, limit), x)
    whole = np.array([1.0, 10.0])
    length = np.linalg.norm(whole) if due == 1.0 else due
    np.testing.assert_allclose(
        found, whole / np.linalg.norm(whole) * length, rtol=1e-5
    )


def test_flat_and_back() -> None:
    variables = [tf.Variable([[1.0, 2.0]]), tf.Variable(3.0)]
    vector = flatten(variables)
    assert vector.dtype == np.float64
    assert [*vector] == [1.0, 2.0, 3.0]
    unflatten(variables, 2 * vector)
    assert variables[0].numpy().tolist() == [[2.0, 4.0]]
    assert variables[1].numpy() == 6.0
    for wrong in (vector[:-1], np.append(vector, 4.0)):
        with pytest.raises(ValueError, match="cannot reshape"):
            unflatten(variables, wrong)


def quadratic(vector: np.ndarray) -> tuple[float, np.ndarray]:
    """Return (v - target)' H (v - target) / 2 and its gradient."""
    hessian, away = np.diag([1.0, 50.0]), vector - [3.0, -2.0]
    return float(away @ hessian @ away / 2), hessian @ away


@pytest.mark.usefixtures("each_way")
def test_the_loss_at_a_vector() -> None:
    variables = [tf.Variable([1.0, 2.0]), tf.Variable(3.0)]
    loss_at = make_loss_at(
        lambda: tf.reduce_sum(variables[0] ** 2) * variables[1], variables
    )
    loss, gradient = loss_at(np.array([1.0, -1.0, 4.0]))
    assert loss == 8.0
    assert [*gradient] == [8.0, -8.0, 2.0]
    assert variables[1].numpy() == 4.0


def test_a_move_is_halved_until_the_loss_falls() -> None:
    start = np.array([3.0, -1.0])
    move = np.array([0.0, -8.0])
    found = shorten(quadratic, start, move)
    assert [*found] == [0.0, -1.0]
    assert [*shorten(quadratic, start, found)] == [*found]


def test_a_move_to_where_there_is_no_loss_is_halved() -> None:
    def log(vector: np.ndarray) -> tuple[float, np.ndarray]:
        with np.errstate(invalid="ignore"):
            return float(vector[0] - np.log(vector[0])), 1 - 1 / vector

    start, move = np.array([2.0]), np.array([-2.5])
    assert [*shorten(log, start, move)] == [-1.25]


def test_what_the_loss_does_not_use_is_no_part_of_the_vector() -> None:
    with pytest.raises(ValueError, match="None"):
        flatten([tf.constant([1.0]), None])
    rows = tf.IndexedSlices(tf.ones((1, 2)), [1], [2, 2])
    assert [*flatten([rows])] == [0.0, 0.0, 1.0, 1.0]


def test_a_move_that_hardly_helps_is_halved_as_well() -> None:
    start = np.array([3.0, -1.0])
    move = np.array([0.0, -2.0 + 1e-6])  # to nearly the same loss
    assert [*shorten(quadratic, start, move)] == [*move / 2]


def test_curvature_is_learned_from_changes() -> None:
    hessian = np.array([[2.0, 1.0], [1.0, 3.0]])
    move = np.array([1.0, -2.0])
    change = hessian @ move
    found = learn_curvature(np.eye(2), move, change)
    np.testing.assert_allclose(found @ change, move, atol=1e-12)
    np.testing.assert_allclose(found, found.T, atol=1e-12)
    assert (np.linalg.eigvalsh(found) > 0).all()
    kept = learn_curvature(np.eye(2), move, -change)
    assert (kept == np.eye(2)).all()


def test_the_search_finds_the_minimum_of_a_quadratic() -> None:
    asked: list[np.ndarray] = []

    def watched(vector: np.ndarray) -> tuple[float, np.ndarray]:
        asked.append(vector)
        return quadratic(vector)

    history = bfgs(watched, np.zeros(2), 15)
    assert len(history) == 16
    assert history[0] == quadratic(np.zeros(2))[0]
    assert history == sorted(history, reverse=True)
    assert history[-1] < 1e-12
    np.testing.assert_allclose(asked[-1], [3.0, -2.0], atol=1e-6)


@pytest.mark.parametrize("product", [hvp, forward_hvp])
def test_second_derivatives_times_a_vector(product: Any) -> None:
    weights = [tf.Variable([2.0, -1.0]), tf.Variable(3.0), tf.Variable(7.0)]

    def loss() -> tf.Tensor:
        curved = tf.reduce_sum(weights[0] ** 2) * weights[1]
        return curved + 4.0 * weights[2]

    vectors = [tf.constant([1.0, 5.0]), tf.constant(-2.0), tf.constant(1.0)]
    found = flatten(product(loss, weights, vectors))
    hessian = np.zeros((4, 4))
    hessian[:2, :2] = np.diag([6.0, 6.0])
    hessian[:2, 2] = hessian[2, :2] = [4.0, -2.0]
    np.testing.assert_allclose(found, hessian @ flatten(vectors))


@pytest.mark.parametrize("product", [hvp, forward_hvp])
def test_second_derivatives_of_an_embedding(product: Any) -> None:
    table = tf.Variable([[1.0], [2.0], [5.0]])

    def loss() -> tf.Tensor:
        return tf.reduce_sum(tf.gather(table, [0, 2, 2]) ** 3)

    [found] = product(loss, [table], [tf.ones_like(table)])
    rows = tf.convert_to_tensor(found)
    assert rows.numpy().tolist() == [[6.0], [0.0], [60.0]]


@pytest.mark.parametrize("product", [hvp, forward_hvp])
def test_vectors_of_another_shape_are_refused(product: Any) -> None:
    weight = tf.Variable([[2.0], [-1.0]])
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        product(lambda: tf.reduce_sum(weight**3), [weight], [tf.ones(2)])


def test_the_vector_of_a_product_is_a_constant() -> None:
    weight = tf.Variable([2.0, -1.0])
    [found] = hvp(lambda: tf.reduce_sum(weight**3), [weight], [weight])
    assert found.numpy().tolist() == [24.0, 6.0]


def test_products_by_two_ways_and_by_hand(
    printed_by: Callable[[str], list[str]],
) -> None:
    error, *products = printed_by("other_gradients_second")
    assert error == "'str' object has no attribute 'is_floating'"
    double, forward, by_hand = [line.split(": ")[1] for line in products]
    assert double == forward == by_hand
