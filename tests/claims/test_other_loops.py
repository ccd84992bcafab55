"""What the page on other loops says is true."""

import contextlib
from collections.abc import Iterator
from typing import Any, get_args

import numpy as np
import pytest
import tensorflow as tf

from snippets.other_loops_finder import (
    RaiseRate,
    make_model,
    make_rows,
    make_step,
    remember,
    train,
    try_rates,
)
from snippets.other_loops_sam import (
    add_noise,
    climb,
    differentiate,
    make_sam_step,
    rise,
    sam_gradients,
)
from snippets.other_loops_setup import Loss, Step
from tests.claims.says import (
    figure,
    highlighted,
    imported,
    numbers,
    printed,
    ran,
    says,
)
from tests.claims.sentences import DOCS, read

NAME = "other_loops"
PAGE = read(NAME)
BLOCKS = {block.name: block for block in PAGE.blocks}
SOURCE = (DOCS / f"{NAME}.md").read_text("utf-8")
layers = tf.keras.layers
Adam, SGD = tf.keras.optimizers.Adam, tf.keras.optimizers.SGD
X, Y = make_rows()


def lines(section: str) -> list[list[float]]:
    """Return the numbers of each line that a block prints."""
    return [numbers(line) for line in printed(NAME, section).split("\n")]


def square(y: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean((y_pred - y) ** 2)


@contextlib.contextmanager
def eagerly() -> Iterator[None]:
    """Run compiled steps as Python for a while."""
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


# What the page promises, and where


@says(
    "Loops beyond the usual step in TensorFlow - a learning rate finder, "
    "sharpness-aware minimization (SAM)."
)
@says(
    "Some do something else: they try a rate with each step, or take two "
    "gradients for one."
)
@says("A learning rate finder, or learning rate range test")
@says("The same in `fit` | [1]")
@says("SAM, sharpness-aware minimization | [2]")
@says("Noise on gradients | [2](#gradient-noise)")
def test_each_row_leads_to_a_section_with_its_words() -> None:
    sections = {
        "## 1. A learning rate finder": "find_rate",
        "### In fit": "rates_in_fit",
        "## 2. SAM": "make_sam_step",
        "### Gradient noise": "add_noise",
    }
    for heading, word in sections.items():
        _, _, below = SOURCE.partition(heading)
        assert word in below.partition("\n#")[0], heading


@says(
    "[The loop with the usual parts](usual_parts.md): schedules, metrics, "
    "early stopping."
)
def test_what_other_pages_have() -> None:
    usual = (DOCS / "usual_parts.md").read_text("utf-8").lower()
    for part in ("schedule", "metric", "early stopping"):
        assert part in usual


@says("The imports, two colours, and types.")
@says("A `Loss` takes `y` and what the model made of `x`.")
@says("A `Step` takes a batch and returns its loss.")
def test_what_the_set_up_has() -> None:
    left = ran("other_loops_setup", "setup")
    assert {"plt", "np", "tf"} <= set(left)
    assert sum(str(value).startswith("#") for value in left.values()) == 2
    assert get_args(Loss) == ([tf.Tensor, tf.Tensor], tf.Tensor)
    assert get_args(Step) == (..., tf.Tensor)
    assert "loss(y, model(x" in BLOCKS["make_step"].code


@says("All blocks above, in order, as one file.")
@says("It needs TensorFlow and Matplotlib.")
def test_what_the_program_needs() -> None:
    bring = {"tensorflow", "matplotlib", "numpy", "collections", "typing"}
    assert imported(PAGE) == bring


# 1. The learning rate


@says("Return x of shape (2048, 4) and y of shape (2048, 1), without noise.")
@says("Return a model of four numbers with one hidden layer.")
@says("Return a compiled step: it updates the model, returns the loss.")
def test_the_data_the_model_and_the_step() -> None:
    assert (X.shape, Y.shape) == ((2048, 4), (2048, 1))
    due = tf.sin(3.0 * X[:, 0]) + X[:, 1] * X[:, 2]
    np.testing.assert_allclose(Y[:, 0], due, atol=1e-6)
    model = make_model()
    assert [weight.shape[0] for weight in model.weights] == [4, 32, 32, 1]
    before = model.get_weights()
    due = square(Y, model(X))
    step = make_step(model, square, SGD(0.1))
    assert float(step(X, Y)) == pytest.approx(float(due))
    assert (before[0] != model.get_weights()[0]).any()
    assert hasattr(step, "get_concrete_function")


@says(
    "Raise it with each step, from far too small to far too large, and look "
    "where the loss explodes: the *learning rate range test*"
)
@says("Return rates and the loss of a batch at each, until it explodes.")
@says("One step for each rate, which is 1.1 times the one before.")
@says("It grows tenfold in some 24 steps.")
@says(
    "The step is compiled once: the rate is a variable of the optimizer, so "
    "`assign` reaches it."
)
@says(
    "The loop ends where the loss is four times the lowest so far, or no "
    "number."
)
@says("(That is for a loss which is never negative.)")
def test_the_search() -> None:
    assert abs(1.1**24 - 10) < 0.2
    left = ran("other_loops_finder", "find_rate")
    rates, losses = left["rates"], left["losses"]
    np.testing.assert_allclose(np.divide(rates[1:], rates[:-1]), 1.1)
    assert rates[0] == 1e-4
    assert losses[-1] >= 4 * min(losses)
    for end, loss in enumerate(losses[1:-1], 1):
        assert loss < 4 * min(losses[:end])
    assert left["step"].experimental_get_tracing_count() == 1
    assert any(
        variable is left["optimizer"].learning_rate
        for variable in left["optimizer"].variables
    )
    batches = tf.data.Dataset.from_tensors((1.0, 1.0)).repeat(9)
    for told in (np.nan, -1.0):
        rates, _ = try_rates(lambda x, y, told=told: told, SGD(), batches)
        assert len(rates) == 1


@says("An optimizer with a schedule has no variable to assign to; make one")
def test_a_schedule_has_no_variable() -> None:
    optimizer = Adam(tf.keras.optimizers.schedules.CosineDecay(0.1, 10))
    with pytest.raises(AttributeError, match="no attribute 'assign'"):
        optimizer.learning_rate.assign(0.1)


@says("All of these steps train.")
@says(
    "So keep the state of before, of the model *and* the optimizer, whose "
    "moments would be those of the explosion."
)
@says("Return a function that sets both back to how they are now.")
@says("`restore` sets the rate back as well, so assign it after that.")
def test_what_is_set_back() -> None:
    model, optimizer = make_model(), Adam(0.25)
    step = make_step(model, square, optimizer)
    restore = remember(model, optimizer)
    weights = model.get_weights()
    first = float(step(X, Y))
    optimizer.learning_rate.assign(3.0)
    for _ in range(5):
        step(X, Y)
    assert int(optimizer.iterations) == 6
    assert (weights[0] != model.get_weights()[0]).any()
    # The weights alone are not enough.
    model.set_weights(weights)
    step(X, Y)
    without = model.get_weights()[0]
    restore()
    assert int(optimizer.iterations) == 0
    assert float(optimizer.learning_rate) == 0.25
    assert float(step(X, Y)) == first
    assert np.abs(without - model.get_weights()[0]).max() > 0.1
    code = BLOCKS["try_found"].code
    assert code.index("restore()") < code.index("assign(")


@says(
    "`take` ends the search of a loss that cannot explode, such as one that "
    "is never above 1."
)
def test_a_search_without_an_explosion_ends() -> None:
    assert "repeat().take(150)" in BLOCKS["find_rate"].code
    batches = tf.data.Dataset.from_tensors((1.0, 1.0)).repeat().take(150)
    rates, _ = try_rates(lambda x, y: 0.9, SGD(), batches)
    assert len(rates) == 150
    assert rates[-1] > 100


@says("A tenth of the last rate is a rule of thumb.")
@says("**The check** is to train with rates around it.")
@says("Take a step for each batch; return the mean loss of the last epoch.")
def test_the_rate_that_was_found_is_the_best_of_four() -> None:
    seen: list[float] = []

    def step(x: Any, y: Any) -> float:
        seen.append(float(x))
        return len(seen)

    batches = tf.data.Dataset.from_tensor_slices(([1.0, 2.0], [0.0, 0.0]))
    assert train(step, batches, 2) == 3.5
    assert seen == [1.0, 2.0, 1.0, 2.0]
    found = lines("find_rate")[1][0]
    tried = sorted((loss, rate) for rate, loss in lines("try_found"))
    assert tried[0][1] == pytest.approx(found, abs=0.01)
    assert tried[0][0] < tried[1][0] / 10


@says(
    "The loss of a batch over the learning rate, both on a logarithmic scale: "
    "flat near 0.7 up to about 0.001, falling to about 0.1, rising slowly, "
    "and jumping up at the last rate; a dashed line at the rate that was "
    "chosen, where the loss has begun to rise"
)
def test_the_figure_is_as_its_alt_says() -> None:
    [axes] = figure(NAME, "plot_rates")
    [curve, line] = axes.points.values()
    assert curve.y[0] == pytest.approx(0.7, abs=0.1)
    left = ran("other_loops_finder", "find_rate")
    rates, losses = np.array(left["rates"]), np.array(left["losses"])
    assert losses[rates < 1e-3].mean() == pytest.approx(0.65, abs=0.08)
    assert losses.min() == pytest.approx(0.12, abs=0.03)
    lowest = rates[losses.argmin()]
    assert lowest < line.x[0] < 0.5
    late = losses[rates > line.x[0]]
    assert late[:-1].max() < 0.35
    assert late[-1] > 2 * late[-2]
    assert late.min() > losses.min()


# In fit


@pytest.fixture(scope="module")
def in_fit() -> dict[str, Any]:
    return ran("other_loops_finder", "find_rate", "rates_in_fit", "of_batches")


@says("A callback can raise the rate in `fit`.")
@says("Raises the rate with each batch; keeps what fit logs as the loss.")
@says("Set the rate of the batch.")
@says("Keep the loss that is logged.")
@says("The batches and the weights are the same.")
@says("In fit the loss is the mean of the epoch so far")
@says(
    'But `logs["loss"]` is the mean of all batches of the epoch so far, which '
    "still falls when the loss of the batch rises."
)
@says("A rate read off the dashed line is too large.")
@says(
    "If all batches are of one size, the sum so far less the sum before is "
    "the batch's loss:"
)
def test_what_fit_logs(in_fit: dict[str, Any]) -> None:
    losses, logged = in_fit["losses"], in_fit["raising"].logged
    means = np.cumsum(losses) / np.arange(1, len(losses) + 1)
    np.testing.assert_allclose(logged, means, rtol=1e-3)
    both = np.diff(losses) > 0, np.diff(logged) < 0
    late = np.arange(len(losses) - 1) > np.argmin(losses)
    assert (both[0] & both[1] & late).sum() > 5
    [batch, mean] = lines("rates_in_fit")
    assert mean[0] > 10 * batch[0]
    assert mean[0] > 5 * lines("find_rate")[1][0]
    np.testing.assert_allclose(in_fit["of_batches"], losses, atol=1e-3)
    assert lines("of_batches")[0][0] < 0.001


def test_the_mean_is_by_batches_of_their_size() -> None:
    """With a last batch that is short, the mended line is not right."""
    model, raising = make_model(), RaiseRate()
    model.compile(SGD(), "mse")
    model.fit(
        X[:65], Y[:65], 64, callbacks=[raising], verbose=0, shuffle=False
    )
    wrong = 2 * raising.logged[1] - raising.logged[0]
    right = 65 * raising.logged[1] - 64 * raising.logged[0]
    assert right == pytest.approx(
        float(square(Y[64:65], model(X[64:65]))), rel=0.05, abs=0.01
    )
    assert abs(wrong - right) > 0.01


@says(
    "Two curves over the learning rate: the loss of the batch, which falls "
    "early and rises again, and as a dashed line the loss that fit logs, "
    "which is smooth, falls later and is still close to its lowest where the "
    "other one explodes"
)
def test_the_second_figure_is_as_its_alt_says(in_fit: dict[str, Any]) -> None:
    [axes] = figure(NAME, "plot_logged")
    assert set(axes.points) == {"loss of the batch", "logged by fit"}
    losses, logged = in_fit["losses"], in_fit["raising"].logged
    assert np.std(np.diff(logged)) < np.std(np.diff(losses)) / 2
    assert logged[-1] < 1.1 * min(logged)
    assert losses[-1] >= 4 * min(losses)
    assert np.argmin(losses) < np.argmin(logged)


# 2. Two gradients


@says(
    "SAM looks for weights around which the loss is low as well. It takes the "
    "gradient not where the weights are, but a short way up the slope, and "
    "goes back before the optimizer's step"
)
@says("Return the loss, and its gradients a way of rho up the slope.")
@says("Return a compiled step of SAM; it returns the loss of before.")
@says("So each step has two gradients, and only the second is applied.")
@says(
    "**The check** of a step is `rho = 0`, which has to train like the usual "
    "step."
)
def test_a_step_of_sam() -> None:
    model, passes = make_model(), []

    def counted(y: Any, y_pred: Any) -> Any:
        passes.append(model.layers[-1].bias.numpy())
        return square(y, y_pred)

    weights = model.get_weights()
    _, gradients = differentiate(model, square, X, Y)
    length = np.sqrt(sum(np.sum(part**2) for part in gradients))
    moved = [
        weight + 0.2 * part.numpy() / length
        for weight, part in zip(weights, gradients, strict=True)
    ]
    away = make_model()
    away.set_weights(moved)
    loss, due = differentiate(away, square, X, Y)
    with eagerly():
        first = make_sam_step(model, counted, SGD(0.1), 0.2)(X, Y)
    assert len(passes) == 2
    np.testing.assert_allclose(passes[1], moved[-1], rtol=1e-5)
    assert float(first) < float(loss)
    for before, after, part in zip(
        weights, model.get_weights(), due, strict=True
    ):
        np.testing.assert_allclose(after, before - 0.1 * part, atol=1e-6)

    model, other = make_model(), make_model()
    usual = make_step(model, square, Adam(0.01))
    flat = make_sam_step(other, square, Adam(0.01), 0.0)
    due = [float(usual(X, Y)) for _ in range(5)]
    found = [float(flat(X, Y)) for _ in range(5)]
    np.testing.assert_allclose(found, due, rtol=1e-5)


@says("Return the loss of a batch and its gradients, in training.")
@says(
    "The gradient of an `Embedding` is sparse, and `convert_to_tensor` makes "
    "it dense: the length of a sparse one is wrong where a row turns up twice."
)
@says("The way is `rho` long, over all weights together.")
@says("Move the weights along the gradients, all together by rho.")
def test_the_way_up() -> None:
    model = tf.keras.Sequential(
        [tf.keras.Input((2,)), layers.Embedding(3, 1), layers.Flatten()]
    )
    x, y = tf.constant([[1, 1]]), tf.ones((1, 2))
    with tf.GradientTape() as tape:
        loss = square(y, model(x))
    [sparse] = tape.gradient(loss, model.trainable_variables)
    assert isinstance(sparse, tf.IndexedSlices)
    found, [dense] = differentiate(model, square, x, y)
    assert isinstance(dense, tf.Tensor)
    assert float(found) == float(loss)
    right = float(tf.linalg.global_norm([dense]))
    assert right == pytest.approx(float(np.abs(dense).sum()))
    assert float(tf.linalg.global_norm([sparse])) < 0.8 * right
    modes: list[bool] = []

    class Spy(tf.keras.layers.Layer):
        def call(self, x: Any, training: bool = False) -> Any:
            modes.append(training)
            return x

    spied = tf.keras.Sequential([tf.keras.Input((4,)), Spy(), layers.Dense(1)])
    modes.clear()
    differentiate(spied, square, X, Y)
    assert modes == [True]
    model = make_model()
    before = model.get_weights()
    _, gradients = differentiate(model, square, X, Y)
    climb(model, gradients, 0.25)
    pairs = zip(model.get_weights(), before, strict=True)
    moves = [tf.constant(after - weight) for after, weight in pairs]
    assert float(tf.linalg.global_norm(moves)) == pytest.approx(0.25, rel=1e-4)


@says("Return by how much the loss rises on a way of rho, and go back.")
@says("Go a short way up and see what that adds.")
@says("Train with few rows, whose `y` has noise, and look at all the others.")
@says(
    "With `rho` the loss is higher here on the rows it learned from, lower on "
    "the others, and rises less."
)
def test_what_sam_does_here() -> None:
    [plain, steep, sam, flat] = lines("run_sam")
    assert (plain[0], sam[0]) == (0.0, 0.1)
    assert sam[1] > plain[1]
    assert sam[2] < plain[2]
    assert steep[-1] > 2 * flat[-1] > 0
    assert "few, unseen = (x[:64]" in BLOCKS["run_sam"].code
    model = make_model()
    before = float(square(Y, model(X)))
    assert rise(model, square, X, Y, 0.1) > 0
    assert float(square(Y, model(X))) == pytest.approx(before)


@says(
    "Each pass with `training=True` moves the averages of "
    "`BatchNormalization`, and SAM makes two."
)
@says("The first of these lines is right, the second is too far.")
@says(
    "`sam_gradients` is right because it keeps `model.weights` *after* the "
    "first pass, and these include the averages."
)
@says(
    "A step that puts back only `model.trainable_variables` moves the "
    "averages twice."
)
def test_averages_move_once() -> None:
    [first], [second], [step] = lines("moved_twice")
    assert first == step
    assert second == pytest.approx(1.9 * first, abs=0.01)
    code = BLOCKS["sam_gradients"].code
    assert code.index("kept =") > code.index("differentiate(")
    # The same step, which puts back less.
    less = code.replace("model.weights", "model.trainable_variables")
    names = ran("other_loops_sam")
    exec(less, names)
    means = []
    for gradients in (sam_gradients, names["sam_gradients"]):
        norm = layers.BatchNormalization(momentum=0.9)
        model = tf.keras.Sequential(
            [tf.keras.Input((4,)), norm, layers.Dense(1)]
        )
        assert any(weight is norm.moving_mean for weight in model.weights)
        gradients(model, square, X + 1.0, Y, 0.1)
        means.append(float(norm.moving_mean[0]))
    assert means[1] == pytest.approx(1.9 * means[0], rel=1e-4)
    assert means[0] == pytest.approx(0.1, abs=0.01)


@says("Return the gradients, each number with normal noise added.")
@says(
    "Noise of NumPy would be drawn when the step is traced, and be the same "
    "in each step."
)
@says("Make the generator once, outside of the compiled step.")
def test_noise_on_gradients() -> None:
    for due, found in lines("noisy"):
        assert found == pytest.approx(due, rel=0.05)
    random, old = tf.random.Generator.from_seed(0), np.random.default_rng(0)

    @tf.function
    def drawn() -> tuple[Any, Any]:
        ours = add_noise([tf.zeros(3)], 1.0, random)[0]
        return ours, old.normal(size=3)

    first, second = drawn(), drawn()
    assert (first[0].numpy() != second[0].numpy()).all()
    assert (first[1].numpy() == second[1].numpy()).all()

    @tf.function
    def inside() -> Any:
        return tf.random.Generator.from_seed(0).normal([3])

    with pytest.raises(ValueError, match="singleton"):
        inside()


# Exercises


@says("Find the rate of SGD with a momentum of 0.9, and train with it.")
def test_the_rate_of_momentum() -> None:
    [[rate, loss]] = lines("find_of_sgd")
    assert "momentum=0.9" in BLOCKS["find_of_sgd"].code
    assert "optimizer.learning_rate.assign(rate)" in (
        highlighted(BLOCKS["try_rates"])
    )
    assert 0.05 < rate < 0.3
    assert loss < 0.01
