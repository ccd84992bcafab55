"""Two models learn against each other as the page says, and fail so.

The tests run the very sections that the page shows.  What looks right also
has the check put under it, and fails.
"""

import ast
import importlib
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from matplotlib.figure import Figure

from snippets.two_models import (
    at_once,
    discriminator_loss,
    distance,
    generator_loss,
    in_turns,
    make_discriminator_step,
    make_generator_step,
    make_network,
    make_pair,
    make_ring,
    play,
    share_right,
    update,
)
from snippets.two_models_traps import (
    both_moved,
    check_update,
    distill_loss,
    follow,
    make_gan_step,
    make_summed_step,
    minimax_loss,
    movement,
    q_loss,
)
from snippets.two_models_wgan import make_critic_step
from tests.story import Names, execute, statements

SGD = tf.keras.optimizers.SGD
Adam = tf.keras.optimizers.Adam
LAST = slice(-1, None)
LAST_BUT_ONE = slice(-2, -1)


@pytest.fixture(autouse=True)
def own_seed() -> Any:
    """Leave no seed behind."""
    yield
    tf.random.set_seed(None)


def run(module: str, *shown: str, **given: object) -> Names:
    """Run sections as the page does; return the names they leave."""
    names = dict(vars(importlib.import_module(f"snippets.{module}")))
    execute("two_models", statements("two_models", "data"), names)
    names["real"], names["noise"] = names["reals"][0], names["noises"][0]
    names.update(given)
    for name in shown:
        execute(module, statements(module, name), names)
    return names


def traps(*shown: str, **given: object) -> Names:
    return run("two_models_traps", *shown, **given)


def follower(online: Any) -> Any:
    """Return a copy of a model, with other weights."""
    target = tf.keras.models.clone_model(online)
    target.set_weights([weight + 0.5 for weight in online.get_weights()])
    return target


def test_the_loss_of_the_values_agrees_with_numpy() -> None:
    online = make_network(2, "online")
    target = follower(online)
    state, following = make_ring([2, 5])
    action, reward = tf.constant([0, 1, 1, 0, 1]), tf.range(5.0)
    with tf.GradientTape(persistent=True) as tape:
        loss = q_loss(online, target, state, action, reward, following)
    for columns in ((action[:, None], reward), (action, reward[:, None])):
        with pytest.raises(tf.errors.InvalidArgumentError):
            q_loss(online, target, state, *columns, following)
    aim = reward.numpy() + 0.9 * target(following).numpy().max(axis=1)
    value = online(state).numpy()[np.arange(5), action.numpy()]
    assert float(loss) == pytest.approx(np.mean((value - aim) ** 2), rel=1e-5)
    gradients = tape.gradient(loss, target.trainable_variables)
    assert gradients == [None] * len(gradients)
    assert None not in tape.gradient(loss, online.trainable_variables)


@pytest.mark.parametrize("lost", ["learner", "other"])
def test_an_update_to_what_is_no_number_is_refused(lost: str) -> None:
    learner, other = make_network(1, "learner"), make_network(1, "other")

    def act() -> None:
        for weight in learner.weights:
            weight.assign_add(tf.ones_like(weight))
        weight = {"learner": learner, "other": other}[lost].weights[-1]
        weight.assign([np.nan])

    with pytest.raises(AssertionError, match="not a number"):
        check_update(learner, other, act)


@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
def test_a_copy_follows_by_a_share(share: float) -> None:
    online = make_network(2, "online")
    target = follower(online)
    follow(target, online, share)
    for weight, ahead in zip(
        target.get_weights(), online.get_weights(), strict=True
    ):
        np.testing.assert_allclose(
            weight - ahead, np.full_like(ahead, 0.5 * (1 - share)), atol=1e-6
        )


def test_a_target_that_is_no_copy_moves_with_the_step(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = traps("target_network", batch=128)
    check_update(names["online"], names["target"], names["train_online"])
    execute(
        "two_models_traps", statements("two_models_traps", "no_copy"), names
    )
    assert names["target"] is names["online"]
    assert max(names["moved"]) > 0
    with pytest.raises(AssertionError, match="online moves as well"):
        check_update(names["online"], names["target"], names["train_online"])
    assert "in the step itself" in capsys.readouterr().out


def test_the_loss_of_a_student_agrees_with_numpy() -> None:
    student, teacher = make_network(3, "student"), make_network(3, "teacher")
    x = make_ring([5])
    loss = distill_loss(student, teacher, x, 3.0)
    p, q = (np.exp(model(x).numpy() / 3.0) for model in (teacher, student))
    p, q = p / p.sum(1, keepdims=True), q / q.sum(1, keepdims=True)
    expected = -9.0 * np.mean((p * np.log(q)).sum(1))
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_a_student_of_other_rows_or_classes_is_refused() -> None:
    student, teacher = make_network(3, "student"), make_network(3, "teacher")
    x = make_ring([5])
    for wrong in (lambda x, training: teacher(x)[:1], lambda x, training: x):
        with pytest.raises(
            (ValueError, tf.errors.InvalidArgumentError), match="compatible"
        ):
            distill_loss(student, wrong, x, 3.0)


def test_the_step_of_a_student_leaves_its_teacher() -> None:
    names = traps("distilled", batch=128)
    before = names["teacher"].get_weights()
    moved = movement(names["student"].weights, names["train_student"])
    assert min(moved) > 0
    for old, new in zip(before, names["teacher"].get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def new_steps() -> Names:
    """Return a new pair and what updates it."""
    pair = generator, discriminator = make_pair()
    d_optimizer, g_optimizer = SGD(0.1), SGD(0.1)
    return {
        "generator": generator,
        "discriminator": discriminator,
        "d_optimizer": d_optimizer,
        "g_optimizer": g_optimizer,
        "train_discriminator": make_discriminator_step(*pair, d_optimizer),
        "train_generator": make_generator_step(*pair, g_optimizer),
    }


def check(module: str, section: str, end: slice, names: Names) -> None:
    """Run the check with which a section ends."""
    parts = statements(module, section)[end]
    assert all("assert" in ast.unparse(p) for p in parts)
    execute(module, parts, names)


@pytest.fixture(scope="module")
def trained() -> Names:
    """What the training loop leaves."""
    return run("two_models", "optimizers", "loop")


# The smallest GAN


def turns(penalty: float, rounds: int = 30) -> list[tuple[float, float]]:
    """Return the path in turns, in closed form."""
    point, slope, path = 1.0, 0.0, [(1.0, 0.0)]
    for _ in range(rounds):
        slope -= 0.3 * (point + penalty * slope)
        point += 0.3 * slope
        path.append((point, slope))
    return path


def test_at_once_the_path_is_a_rotation_that_grows() -> None:
    path = np.array(play(at_once)) @ [1, 1j]
    expected = (1 - 0.3j) ** np.arange(31)
    np.testing.assert_allclose(path, expected, rtol=1e-5)


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_in_turns_the_path_is_as_by_hand(penalty: float) -> None:
    path = play(in_turns, penalty=penalty)
    np.testing.assert_allclose(path, turns(penalty), atol=1e-5)


def test_at_once_takes_the_penalty_as_well() -> None:
    point, slope = tf.Variable(1.0), tf.Variable(2.0)
    at_once(point, slope, SGD(0.1), SGD(0.1), penalty=3.0)
    assert float(slope) == pytest.approx(2.0 - 0.1 * (1.0 + 3.0 * 2.0))
    assert float(point) == pytest.approx(1.0 + 0.1 * 2.0)


def test_only_the_penalty_leads_to_the_middle(
    capsys: pytest.CaptureFixture[str], shown: list[Figure]
) -> None:
    names = run("two_models", "smallest", "plot_paths")
    ends = {k: math.hypot(*path[-1]) for k, path in names["paths"].items()}
    assert ends["at once"] == pytest.approx(1.09**15, rel=1e-4)
    assert 0.8 < ends["in turns"] < 1.2
    assert ends["with a penalty"] < 0.02
    assert "at once: 3.64 from the middle" in capsys.readouterr().out
    [figure] = shown
    assert len(figure.axes[0].lines) == 3


# The ring, the networks, the losses


def test_the_ring_is_a_circle_with_noise() -> None:
    ring = make_ring([1000]).numpy()
    radius = np.hypot(*ring.T)
    assert ring.shape == (1000, 2)
    assert abs(radius.mean() - 1) < 0.01
    assert 0.045 < radius.std() < 0.055
    angles = np.arctan2(*ring.T)
    counts, _ = np.histogram(angles, bins=8, range=(-np.pi, np.pi))
    assert counts.min() > 90
    assert make_ring([3, 5]).shape == (3, 5, 2)


def test_a_pair_is_new_and_always_the_same() -> None:
    (one, other), (again, _) = make_pair(), make_pair()
    points = make_ring([7]).numpy()
    assert one(points).shape == (7, 2)
    assert other(points).shape == (7, 1)
    np.testing.assert_array_equal(one(points), again(points))
    one.layers[0].kernel.assign_add(tf.ones((2, 32)))
    assert not np.array_equal(one(points), again(points))


def test_distance_and_share_right_are_as_by_hand() -> None:
    points = tf.constant([[3.0, 4.0], [0.0, 0.5]])
    assert distance(points) == pytest.approx((4 + 0.5) / 2)
    seen = share_right(lambda p: p[:, :1], points, -points)
    assert seen == pytest.approx((1 / 2 + 2 / 2) / 2)  # 0 is no "real"


def test_the_losses_are_cross_entropies() -> None:
    real, fake = tf.constant([[0.3], [-2.0]]), tf.constant([[1.5], [-0.4]])
    entropy = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    ones, zeros = tf.ones((2, 1)), tf.zeros((2, 1))
    due = float(entropy(ones, real) + entropy(zeros, fake))
    assert float(discriminator_loss(real, fake)) == pytest.approx(due)
    due = float(entropy(ones, fake))
    assert float(generator_loss(fake)) == pytest.approx(due)
    sure = 1 / (1 + np.exp(-fake.numpy()))
    due = float(np.mean(np.log(1 - sure)))
    assert float(minimax_loss(fake)) == pytest.approx(due, rel=1e-5)


def test_scores_of_zero_cost_log_2() -> None:
    zeros = tf.zeros((5, 1))
    loss = float(discriminator_loss(zeros, zeros))
    assert loss == pytest.approx(2 * math.log(2))
    assert float(generator_loss(zeros)) == pytest.approx(math.log(2))


# The loop


@pytest.mark.parametrize("eager", [False, True])
def test_each_step_is_one_of_gradient_descent(eager: bool) -> None:
    pair = generator, discriminator = make_pair()
    real, noise = make_ring([16]), tf.random.stateless_normal([16, 2], (1, 1))
    steps: dict[Any, Any] = {
        discriminator: (make_discriminator_step(*pair, SGD(0.5)), real, noise),
        generator: (make_generator_step(*pair, SGD(0.5)), noise),
    }
    for model, (step, *batch) in steps.items():
        with tf.GradientTape() as tape:
            fake = discriminator(generator(noise))
            loss = generator_loss(fake)
            if model is discriminator:
                loss = discriminator_loss(discriminator(real), fake)
        due = tape.gradient(loss, model.trainable_variables)
        old = model.get_weights()
        step = step.python_function if eager else step
        assert float(step(*batch)) == pytest.approx(float(loss), rel=1e-5)
        for a, b, g in zip(old, model.get_weights(), due, strict=True):
            np.testing.assert_allclose(b, a - 0.5 * g.numpy(), atol=1e-6)


def test_the_loop_learns_the_ring(trained: Names) -> None:
    away = [distance(points) for points in trained["pictures"].values()]
    assert list(trained["pictures"]) == [0, 80, 160, 240, 320, 400]
    assert sorted(away, reverse=True) == away
    assert away[0] > 0.75
    assert away[-1] < 0.15


def test_the_losses_do_not_tell(trained: Names) -> None:
    for name, due in (("d_loss", 2 * math.log(2)), ("g_loss", math.log(2))):
        parts = np.reshape(trained["history"][name], (5, 80)).mean(axis=1)
        assert np.all(abs(parts - due) < 0.15), name


def test_the_verdict_passes(
    trained: Names, capsys: pytest.CaptureFixture[str], shown: list[Figure]
) -> None:
    names = dict(trained)
    for section in ("pictures", "verdict"):
        execute("two_models", statements("two_models", section), names)
    assert 0.4 < names["right"] < 0.7
    assert "right about 0.6 of all points" in capsys.readouterr().out
    assert len(shown[0].axes) == 6


def learn(rate: float, nudge: float = 0.0) -> tf.Tensor:
    """Run the loop with other settings; return the points at its end."""
    generator, discriminator = make_pair()
    random = np.random.default_rng(0)
    for weight in generator.weights + discriminator.weights:
        noise = random.standard_normal(weight.shape).astype("float32")
        weight.assign_add(nudge * noise)
    slow, fast = (Adam(r, 0.5, epsilon=1e-3) for r in (0.001, rate))
    train_discriminator = make_discriminator_step(
        generator, discriminator, fast
    )
    train_generator = make_generator_step(generator, discriminator, slow)
    names = run("two_models")
    for i in range(400):
        train_discriminator(names["reals"][i], names["noises"][i])
        train_generator(names["noises"][i])
    return generator(names["shown"])


def test_equal_rates_leave_the_points_far_off(trained: Names) -> None:
    away = distance(trained["pictures"][400])
    ratio = distance(learn(0.001)) / away
    assert 4 < ratio < 6, "five times as far"


def test_a_start_a_millionth_away_ends_as_close(trained: Names) -> None:
    far = learn(0.01, nudge=1e-6) - trained["pictures"][400]
    assert 0 < np.abs(far).max() < 1e-3


# The check


def test_movement_is_the_largest_change_of_each_weight() -> None:
    weights = [tf.Variable([1.0, 2.0]), tf.Variable(5.0)]

    def act(by: tf.Tensor) -> None:
        weights[0].assign_add(by)

    far = movement(weights, act, tf.constant([0.5, -3.0]))
    assert far == [3.0, 0.0]


def test_check_update_passes_both_steps(
    capsys: pytest.CaptureFixture[str],
) -> None:
    traps("healthy", **new_steps())
    assert "each step moves its own model" in capsys.readouterr().out


def test_check_update_catches_what_stands_still_and_what_moves_too() -> None:
    generator, discriminator = make_pair()
    with pytest.raises(AssertionError, match="the generator stands still"):
        check_update(generator, discriminator, lambda: None)
    bias = generator.weights[-1]
    with pytest.raises(AssertionError, match="the generator stands still"):
        check_update(generator, discriminator, lambda: bias.assign_add([1, 1]))

    def move_all() -> None:
        for weight in generator.weights + discriminator.weights[:1]:
            weight.assign(weight + 1.0)

    with pytest.raises(AssertionError, match="discriminator moves as well"):
        check_update(generator, discriminator, move_all)


# 1. Two models, one tape


def test_one_tape_raises_when_the_discriminator_has_been_updated() -> None:
    names = traps(**new_steps())
    generator, discriminator = names["generator"], names["discriminator"]

    def act() -> None:
        with pytest.raises(RuntimeError, match="non-persistent GradientTape"):
            execute(
                "two_models_traps",
                statements("two_models_traps", "one_tape"),
                names,
            )

    check_update(discriminator, generator, act)


def test_two_tapes_update_both_at_once() -> None:
    names = traps(**new_steps())
    models = names["generator"], names["discriminator"]
    real, noise = names["real"], names["noise"]
    old = [model.get_weights() for model in models]
    execute(
        "two_models_traps",
        statements("two_models_traps", "two_tapes"),
        names,
    )
    new = [model.get_weights() for model in models]
    for model, weights in zip(models, old, strict=True):
        model.set_weights(weights)
    generator, discriminator = models
    with tf.GradientTape(persistent=True) as tape:
        fake = discriminator(generator(noise))
        d_loss = discriminator_loss(discriminator(real), fake)
        g_loss = generator_loss(fake)
    losses = g_loss, d_loss
    for model, loss, before, after in zip(
        models, losses, old, new, strict=True
    ):
        due = tape.gradient(loss, model.trainable_variables)
        for a, b, g in zip(before, after, due, strict=True):
            np.testing.assert_allclose(b, a - 0.1 * g.numpy(), atol=1e-6)


def test_a_persistent_tape_gives_the_same_gradients(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = traps("persistent", "same_gradients", **new_steps())
    assert names["far"] < 1e-6
    assert "tape" not in names
    assert "generator: gradients differ by 0.0000" in capsys.readouterr().out


# 2. The wrong variables


def test_updating_both_by_the_points_loss_moves_nothing() -> None:
    assert set(play(both_moved)) == {(1.0, 0.0)}
    names = traps("wrong_variables")
    assert (names["point"], names["slope"]) == (1.0, 0.0)


def test_the_check_catches_the_variables_of_gan() -> None:
    with pytest.raises(AssertionError, match="discriminator moves as well"):
        traps("gan_variables", **new_steps())


def test_gan_has_the_trainable_variables_of_both() -> None:
    generator, discriminator = make_pair()
    gan = tf.keras.Sequential([generator, discriminator])
    both = generator.trainable_variables + discriminator.trainable_variables
    assert [id(v) for v in gan.trainable_variables] == [id(v) for v in both]


# 3. One loss for both


@pytest.fixture(scope="module")
def summed() -> Names:
    return traps("summed")


def test_the_sum_looks_balanced_and_leaves_the_circle(summed: Names) -> None:
    for name in ("d_loss", "g_loss"):
        assert abs(float(summed[name]) - math.log(2)) < 0.05
    assert summed["away"] > 2.5
    names = summed | {"right": 0.5}
    with pytest.raises(AssertionError):
        check("two_models", "verdict", LAST_BUT_ONE, names)


def test_the_sum_is_least_at_a_score_of_zero() -> None:
    scores = tf.constant([[-1.0], [0.0], [2.0]])
    with tf.GradientTape() as tape:
        tape.watch(scores)
        d_loss = discriminator_loss(tf.ones((1, 1)), scores)
        total = d_loss + generator_loss(scores)
    slopes = tape.gradient(total, scores).numpy().ravel()
    assert slopes[0] < -0.1
    assert slopes[1] == pytest.approx(0, abs=1e-6)
    assert slopes[2] > 0.1


def test_the_summed_step_descends_the_sum() -> None:
    generator, discriminator = make_pair()
    step = make_summed_step(generator, discriminator)
    names = run("two_models")
    real, noise = names["reals"][0], names["noises"][0]
    first = float(sum(step(real, noise)))
    for _ in range(5):
        last = float(sum(step(real, noise)))
    assert last < first


# 4. One optimizer for two models


def test_one_optimizer_does_not_know_the_point() -> None:
    with pytest.raises(ValueError, match=r"Unknown variable: .*point"):
        traps("one_optimizer")


def adam(counts: range) -> float:
    """Return how far Adam moves a variable that has a gradient of -1.

    It has seen one update more each time, and the optimizer counts so many.
    """
    moved = 0.0
    for seen, counted in enumerate(counts, 1):
        first = (1 - 0.9**seen) / (1 - 0.9**counted)
        second = (1 - 0.999**seen) / (1 - 0.999**counted)
        moved += 0.1 * first / math.sqrt(second)
    return moved


def test_one_optimizer_told_of_both_counts_twice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = traps("counted_twice")
    slope, point = adam(range(1, 60, 2)), adam(range(2, 61, 2))
    assert float(names["slope"]) == pytest.approx(slope, abs=1e-4)
    assert float(names["point"]) == pytest.approx(point, abs=1e-4)
    assert int(names["optimizer"].iterations) == 60
    said = capsys.readouterr().out
    assert f"slope 0.1000, point {adam(range(2, 3)):.4f}" in said
    with pytest.raises(AssertionError):
        check("two_models_traps", "two_optimizers", LAST, names)


def test_two_optimizers_count_once_each() -> None:
    names = traps("counted_twice", "two_optimizers")
    due = adam(range(1, 31))
    assert due == pytest.approx(3.0)
    assert float(names["point"]) == pytest.approx(due, abs=1e-4)
    assert float(names["slope"]) == pytest.approx(due, abs=1e-4)


def test_a_schedule_runs_down_twice_as_fast() -> None:
    schedule = tf.keras.optimizers.schedules.PolynomialDecay(1.0, 10, 0.0)
    optimizer = SGD(schedule)
    point, slope = tf.Variable(1.0), tf.Variable(0.0)
    optimizer.build([point, slope])
    for _ in range(3):
        in_turns(point, slope, optimizer, optimizer)
    assert float(optimizer.learning_rate) == pytest.approx(0.4)


# 5. discriminator.trainable = False


def test_the_compiled_step_moves_what_is_frozen() -> None:
    names = traps("flags")
    weights, noise = names["discriminator"].weights, names["noise"]
    assert max(movement(weights, names["train_gan"], noise)) == 0
    assert max(movement(weights, names["compiled"], noise)) > 0.01
    with pytest.raises(AssertionError, match="moves as well"):
        check_update(
            names["generator"],
            names["discriminator"],
            names["compiled"],
            noise,
        )


def test_a_step_first_called_when_frozen_keeps_that() -> None:
    generator, discriminator = make_pair()
    gan = tf.keras.Sequential([generator, discriminator])
    step = tf.function(make_gan_step(gan, SGD(0.1)))
    noise = run("two_models")["noises"][0]
    discriminator.trainable = False
    step(noise)
    discriminator.trainable = True
    assert max(movement(discriminator.weights, step, noise)) == 0


def test_a_step_that_names_its_variables_needs_no_flag() -> None:
    names = traps("flags", "no_flags")
    discriminator = names["discriminator"]
    assert not discriminator.trainable
    discriminator.trainable = True
    check_update(
        names["generator"],
        discriminator,
        names["train_generator"],
        names["noise"],
    )


def test_the_recipe_of_keras_2_does_not_train_the_discriminator() -> None:
    names = traps("recipe", "recipe_step")
    assert max(names["moved"]) == 0
    assert names["told"] == []


def test_the_recipe_warns_once() -> None:
    names = traps("recipe")
    act = names["discriminator"].train_on_batch
    with pytest.warns(UserWarning, match="not have any trainable weights"):
        act(names["real"], tf.ones((128, 1)))


def test_what_counts_is_the_flag_at_the_first_step() -> None:
    generator, discriminator = make_pair()
    loss = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    discriminator.compile("sgd", loss)
    names = run("two_models")
    act, labels = discriminator.train_on_batch, tf.ones((128, 1))
    act(names["reals"][0], labels)
    discriminator.trainable = False
    gan = tf.keras.Sequential([generator, discriminator])
    gan.compile("sgd", loss)
    assert max(movement(discriminator.weights, act, names["real"], labels)) > 0
    check_update(
        generator, discriminator, gan.train_on_batch, names["noise"], labels
    )


# 6. A generator without gradients


def test_numpy_cuts_the_way() -> None:
    with pytest.raises(ValueError, match="No gradients provided for any"):
        traps("cut")


def test_a_tensor_does_not() -> None:
    generator, discriminator = make_pair()
    names = traps(
        "uncut",
        generator=generator,
        discriminator=discriminator,
        variables=generator.trainable_variables,
    )
    assert None not in names["gradients"]


def gradients_through(cut: Callable[[Any], Any]) -> list[Any]:
    generator, discriminator = make_pair()
    noise = run("two_models")["noises"][0]
    with tf.GradientTape() as tape:
        loss = generator_loss(discriminator(cut(generator(noise))))
    found: list[Any] = tape.gradient(loss, generator.trainable_variables)
    return found


@pytest.mark.parametrize("cut", [lambda f: f.numpy(), tf.Variable])
def test_what_cuts_fails_the_check(cut: Callable[[Any], Any]) -> None:
    gradients = gradients_through(cut)
    assert gradients == [None] * 6
    with pytest.raises(AssertionError):
        check("two_models_traps", "uncut", LAST, {"gradients": gradients})


def test_predict_returns_a_numpy_array() -> None:
    generator, _ = make_pair()
    fake = generator.predict(make_ring([4]), verbose=0)
    assert isinstance(fake, np.ndarray)


@pytest.mark.parametrize(
    ("cut", "error", "words"),
    [
        (lambda f: f.numpy(), AttributeError, "numpy"),
        (tf.constant, TypeError, "Expected any non-tensor type, but got a"),
    ],
)
def test_in_a_compiled_step_the_cut_is_an_error(
    cut: Any, error: type[Exception], words: str
) -> None:
    generator, discriminator = make_pair()
    step = tf.function(lambda x: discriminator(cut(generator(x))))
    with pytest.raises(error, match=words):
        step(make_ring([4]))


# 7. A discriminator that wins


def test_the_minimax_gradient_vanishes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = traps("beaten", "vanished")
    assert names["right"] == 1.0
    assert float(names["d_loss"]) < 0.05
    assert float(names["length"]) > 5
    said = capsys.readouterr().out
    assert "minimax_loss: -0.01, gradient 0.13" in said
    with pytest.raises(AssertionError):
        check("two_models", "verdict", LAST, names)


def test_each_loss_passes_on_what_the_page_says() -> None:
    scores = tf.constant([[-8.0], [0.5], [3.0]])
    sigma = 1 / (1 + np.exp(-scores.numpy()))
    for loss, due in ((minimax_loss, -sigma), (generator_loss, sigma - 1)):
        with tf.GradientTape() as tape:
            tape.watch(scores)
            value = loss(scores)
        slopes = 3 * tape.gradient(value, scores)
        np.testing.assert_allclose(slopes, due, rtol=1e-4)


@pytest.mark.usefixtures("each_way")
@pytest.mark.parametrize(("limit", "due"), [(10.0, 2.5), (0.7, 0.7)])
def test_a_critic_is_clipped_after_its_step(limit: float, due: float) -> None:
    layers = tf.keras.layers
    generator = tf.keras.Sequential([tf.keras.Input((1,)), layers.Dense(1)])
    critic = tf.keras.Sequential([tf.keras.Input((1,)), layers.Dense(1)])
    generator.set_weights([tf.ones((1, 1)), tf.zeros(1)])
    critic.set_weights([tf.constant([[0.5]]), tf.zeros(1)])
    step = make_critic_step(generator, critic, SGD(1.0), limit)
    loss = step(tf.constant([[1.0], [3.0]]), tf.constant([[-1.0], [1.0]]))
    assert float(loss) == pytest.approx(0.5 * (0.0 - 2.0))
    assert float(critic.weights[0][0, 0]) == pytest.approx(due)
    assert float(generator.weights[0][0, 0]) == 1.0


# The exercises, and the rest


def test_a_round_in_turns_keeps_the_ellipse(
    capsys: pytest.CaptureFixture[str],
) -> None:
    paths = {"at once": play(at_once), "in turns": play(in_turns)}
    names = traps("kept", paths=paths)
    np.testing.assert_allclose(names["kept"], 1.0, rtol=1e-5)
    assert names["grown"] == pytest.approx(1.09**15, rel=1e-5)
    assert "in turns: from 1.0000 to 1.0000" in capsys.readouterr().out


def test_an_update_is_of_one_model_by_one_loss() -> None:
    model = tf.keras.Sequential(
        [tf.keras.Input((1,)), tf.keras.layers.Dense(1)]
    )
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(tf.ones((1, 1))))
    moved = movement(model.weights, update, model, SGD(0.5), tape, loss)
    assert moved == pytest.approx([0.5, 0.5])


def test_the_imports_of_the_page_are_what_its_modules_use() -> None:
    names = vars(importlib.import_module("snippets.two_models_setup"))
    assert names["tf"] is tf
    assert names["math"] is math
    assert names["warnings"] is warnings
    assert names["Model"] is tf.keras.Model
    assert names["Optimizer"] is tf.keras.Optimizer


def test_the_traps_run_as_a_script(
    printed_by: Callable[[str], list[str]],
) -> None:
    printed = printed_by("two_models_traps")
    assert "the discriminator moves as well" in printed
    assert "No gradients provided for any variable." in printed


def test_the_wgan_runs_as_a_script(
    printed_by: Callable[[str], list[str]],
) -> None:
    *losses, before, after = printed_by("two_models_wgan")
    assert all("critic loss -" in line for line in losses)
    assert float(after.split()[1]) < float(before.split()[1]) / 2
