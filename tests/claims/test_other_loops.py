"""What the page on other loops says is true."""

import collections
import contextlib
import functools
import importlib
import math
from collections.abc import Iterator
from typing import Any, get_args

import numpy as np
import pytest
import tensorflow as tf

from snippets.other_loops_average import average, learn
from snippets.other_loops_diffusion import (
    generate,
    make_circle,
    make_denoiser,
    make_noise_step,
    noise_loss,
    noised,
    off_circle,
)
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
from snippets.other_loops_ensemble import make_ensemble_step
from snippets.other_loops_finder import (
    RaiseRate,
    make_model,
    make_rows,
    make_step,
    remember,
    train,
    try_rates,
)
from snippets.other_loops_graph import (
    GraphNetwork,
    crossentropy,
    known,
    loss_of_known,
    make_graph,
    normalize,
    share_right,
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
    sam_gradients,
)
from snippets.other_loops_setup import Loss, Moves, Step
from snippets.other_loops_vae import (
    divergence,
    make_mixed,
    make_vae_step,
    vae_losses,
)
from tests.claims.says import (
    figure,
    highlighted,
    imported,
    numbers,
    printed,
    ran,
    says,
)
from tests.claims.sentences import DOCS, below, read

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
    "sharpness-aware minimization (SAM), a DQN with a replay memory, PyTorch, "
    "hard examples."
)
@says(
    "Some do something else: they try a rate with each step, take two "
    "gradients for one, or learn from what they did before."
)
@says("A learning rate finder, or learning rate range test")
@says("The same in `fit` | [1]")
@says("SAM, sharpness-aware minimization | [2]")
@says("Noise on gradients | [2](#gradient-noise)")
@says("A DQN with a replay buffer; a DQN that is slow")
@says("`loss.backward()`, `model.eval()`, `no_grad`: from PyTorch")
@says("The same numbers as PyTorch | [4]")
@says("Only the largest losses: OHEM, hard example mining")
@says("`No module named 'tensorflow_addons'` | [6]")
@says("Gradient centralization; `get_gradients` is never called | [2]")
@says("A VAE; its KL loss goes to 0 (posterior collapse) | [7]")
@says("Models that are averaged make no sense; federated averaging | [8]")
@says("A graph network (GNN, GCN): nodes, links, one batch | [11]")
@says("`'SparseTensor' object is not subscriptable` | [11]")
def test_each_row_leads_to_a_section_with_its_words() -> None:
    shown = {
        "## 1. A learning rate finder": "find_rate",
        "### In fit": "rates_in_fit",
        "## 2. SAM": "make_sam_step",
        "### Gradient noise": "add_noise",
        "### Gradient centralization": "centralize",
        "## 3. A DQN loop": "make_memory",
        "### A DQN that is slow": "predict",
        "## 4. From PyTorch": "zero_grad",
        "### Other defaults": "momentum=0.9",
        "## 5. Hard examples": "hardest",
        "## 6. Lookahead": "look_ahead",
        "### No module named 'tensorflow_addons'": "no_addons",
        "## 7. A VAE": "posterior collapse",
        "## 8. Federated averaging": "other_order",
        "## 9. An ensemble": "make_ensemble_step",
        "## 11. A graph network": "normalized adjacency matrix",
        "### 'SparseTensor' object is": "links[0]",
    }
    for heading, word in shown.items():
        assert word in below(NAME, heading), heading


@says("A policy that is learned beside the values, as in actor-critic, has")
@says(
    "[The loop with the usual parts](usual_parts.md): schedules, metrics, "
    "early stopping."
)
def test_what_other_pages_have() -> None:
    two = (DOCS / "two_models.md").read_text("utf-8")
    assert "## A target network that follows its model" in two
    other = (DOCS / "other_gradients.md").read_text("utf-8")
    assert "*critic*" in other.partition("## 3. A policy gradient")[2]
    usual = (DOCS / "usual_parts.md").read_text("utf-8").lower()
    for part in ("schedule", "metric", "early stopping"):
        assert part in usual


@says("The imports, two colours, and types.")
@says("A `Loss` takes `y` and what the model made of `x`.")
@says("A `Step` takes a batch and returns its loss, or several.")
@says("`Moves` are parts of a memory.")
def test_what_the_set_up_has() -> None:
    left = ran("other_loops_setup", "setup")
    assert {"plt", "np", "tf"} <= set(left)
    assert sum(str(value).startswith("#") for value in left.values()) == 2
    assert get_args(Loss) == ([tf.Tensor, tf.Tensor], tf.Tensor)
    assert get_args(Step) == (..., tf.Tensor)
    assert get_args(Moves) == (np.ndarray,)
    assert "loss(y, model(x" in BLOCKS["make_step"].code


@says("All blocks above, in order, as one file.")
@says("It needs TensorFlow and Matplotlib.")
def test_what_the_program_needs() -> None:
    bring = {"tensorflow", "matplotlib", "numpy"}
    standard = {"collections", "importlib", "typing"}
    assert imported(PAGE) == bring | standard
    assert BLOCKS["no_addons"].options["raises"] == "ModuleNotFoundError"


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
    "`take` ends the search of a loss that does not explode; one with an "
    "upper limit may never be four times its lowest."
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


@says("A callback can raise the rate in `fit`, within one epoch.")
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


def test_the_callback_begins_again_with_each_epoch() -> None:
    model = make_model()
    model.compile(SGD(), "mse")
    for epochs in (1, 2):
        model.fit(X, Y, 1024, epochs, verbose=0, callbacks=[RaiseRate()])
        rate = float(model.optimizer.learning_rate)
        assert rate == pytest.approx(1.1e-4)


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


@says("Train with few rows, whose `y` has noise, and look at all the others.")
@says(
    "With `rho` the loss is higher here on the rows it learned from, and "
    "lower on the others."
)
def test_what_sam_does_here() -> None:
    [plain, sam] = lines("run_sam")
    assert (plain[0], sam[0]) == (0.0, 0.1)
    assert sam[1] > 2 * plain[1]
    assert sam[2] < plain[2] - 0.05
    assert "few, unseen = (x[:64]" in BLOCKS["run_sam"].code


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


# 3. The values of actions


@says("The world is a line of five places.")
@says("At the upper end a reward waits, and it is over.")
@says("Return the next places, the rewards, and 1 where it is over, else 0.")
@says("Of the places 0 to 4, action 0 leads down and 1 up; arriving at 4")
@says("Return a row of five numbers for each place.")
@says("Return a model of a state, with a value for each of two actions.")
def test_the_world() -> None:
    places = np.arange(4)
    following, rewards, over = go(places, np.ones(4, int))
    assert [*following] == [1, 2, 3, 4]
    assert [*rewards] == [*over] == [0, 0, 0, 1]
    assert [*go(places, np.zeros(4, int))[0]] == [0, 0, 1, 2]
    assert one_hot(places).tolist() == np.eye(5)[:4].tolist()
    assert make_values()(one_hot(places)).shape == (4, 2)


@says(
    "A *replay buffer*, or replay memory, has arrays of a fixed size, into "
    "which moves are written in turn."
)
@says("Batches are drawn from all of it, old and new.")
@says("Return arrays for that many moves, a row for each.")
@says("They hold states, actions, rewards, the states that followed, and")
@says("Write moves over the oldest; return how many were added in all.")
@says("Return a batch of the moves that were added.")
@says(
    "A `deque(maxlen=size)` forgets the oldest, too, but it has rows that "
    "have to be stacked for each batch."
)
def test_a_memory() -> None:
    memory, random = make_memory(3), np.random.default_rng(0)
    places = np.arange(4)
    old: collections.deque[Any] = collections.deque(maxlen=3)
    count = 0
    for place in places:
        moves = [one_hot(places[place : place + 1])]
        moves += [np.array([place]), np.array([place])]
        moves += [moves[0], np.array([0.0])]
        count = add(memory, count, moves)
        old.append([part[0] for part in moves])
    assert count == 4
    assert all(len(part) == 3 for part in memory)
    found = draw(memory, count, 50, random)
    assert {*found[1]} == {1, 2, 3} == {move[1] for move in old}
    np.testing.assert_array_equal(found[0], one_hot(found[1]))
    stacked = [np.stack(part) for part in zip(*old, strict=True)]
    assert stacked[0].shape == (3, 5)


@says(
    "Sixteen players walk at once, so one call of the model chooses for all."
)
@says("Half of their actions are luck, or they would never see the others.")
@says("Return the best action of each state, or with chance epsilon any.")
@says("Move on from each place; return the moves and the places after them.")
@says("Where it is over, a place is drawn from which to begin again.")
def test_the_players() -> None:
    asked: list[int] = []

    def down(states: np.ndarray) -> np.ndarray:
        asked.append(len(states))
        return np.eye(2)[np.zeros(len(states), int)]

    random = np.random.default_rng(0)
    assert "size=16" in BLOCKS["learn_values"].code
    assert ", 0.5, random" in BLOCKS["play"].code
    states = one_hot(np.zeros(1000, int))
    assert not choose(down, states, 0.0, random).any()
    assert choose(down, states, 0.5, random).mean() > 0.2
    assert choose(down, states, 1.0, random).mean() == pytest.approx(0.5, 0.1)
    asked.clear()
    moves, after = play(down, np.full(16, 3), random)
    assert asked == [16]
    assert (after[moves[4] == 0] == 2).all()
    assert (after[moves[4] == 1] < 4).all()


@says(
    "The step learns the value of the action that was taken, and of no other, "
    "towards the reward and 0.9 times the best of what follows."
)
@says("That is asked of a second model, the [target network]")
@says("After the end nothing follows: `1.0 - over` is 0 there.")
@says("Return the loss of the values of moves, and its gradients.")
@says("Return a compiled step to the reward and gamma * what follows.")
def test_a_step_of_values() -> None:
    online, target = make_values(), make_values()
    target.set_weights([weight + 0.1 for weight in target.get_weights()])
    bias, kept = online.get_weights()[-1], target.get_weights()[-1]
    states, following = one_hot(np.array([2])), one_hot(np.array([3]))
    zero = np.array([0.0], "float32")
    for over, share in ((zero, 0.9), (zero + 1, 0.0)):
        model = make_values()
        step = make_q_step(model, target, SGD(0.5), 0.9)
        loss = step(states, np.array([1]), zero + 2, following, over)
        due = 2 + share * float(tf.reduce_max(target(following)))
        value = float(online(states)[0, 1])
        assert float(loss) == pytest.approx((value - due) ** 2, rel=1e-5)
        moved = model.get_weights()[-1] - bias
        np.testing.assert_allclose(moved, [0, due - value], atol=1e-5)
        np.testing.assert_array_equal(target.get_weights()[-1], kept)
    code = BLOCKS["value_gradients"].code
    assert code.index("target(following)") < code.index("GradientTape")


@says(
    "**The check**: in a world this small the values can be computed, by "
    "doing the same with a table."
)
@says("Return the values of both actions in each place, of shape (5, 2).")
@says("Up is best everywhere.")
@says(
    "The values are 1, 0.9, 0.81, … from the end on, though half of the moves "
    "were luck: the step asks for the best that follows, not for what was "
    "done."
)
@says(
    "A deep Q-network (DQN) learns the *value* of each action: all the reward "
    "that it leads to, later ones less."
)
def test_the_values() -> None:
    exact = exact_values(0.9)
    assert exact.shape == (5, 2)
    up = 0.9 ** np.array([3, 2, 1, 0])
    np.testing.assert_allclose(exact[:4, 1], up)
    np.testing.assert_allclose(exact[:4, 0], 0.9 * up[[0, 0, 1, 2]], 1e-6)
    *places, [error] = lines("compare_values")
    assert error < 0.02
    for place, down, best in places:
        assert best > down
        assert best == pytest.approx(up[int(place)], abs=0.02)


@says("Without that factor the values come out too large.")
def test_without_the_ends_the_values_are_too_large() -> None:
    places, actions = np.tile(np.arange(4), 2), np.repeat([0, 1], 4)
    after, rewards, over = go(places, actions)
    found = []
    for ends in (over, 0 * over):
        online, target = make_values(), make_values()
        step = make_q_step(online, target, Adam(0.01), 0.9)
        moves = [one_hot(places), actions, rewards, one_hot(after), ends]
        for number in range(300):
            step(*map(tf.constant, moves))
            if number % 20 == 0:
                target.set_weights(online.get_weights())
        found.append(online(one_hot(np.arange(4))).numpy())
    np.testing.assert_allclose(found[0], exact_values(0.9)[:4], atol=0.02)
    assert (found[1] > found[0] + 0.2).all()


@says("A DQN that is slow: fit and predict in each step")
@says(
    "Every such call sets up a data set and callbacks, for one row as for a "
    "thousand; how much that costs, [how fast can the loop go?](how_fast.md) "
    "has measured."
)
@says("Hand arrays of one shape and type to the step, or it is traced again.")
def test_what_fit_and_predict_do_for_a_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []
    trainer = importlib.import_module("keras.src.backend.tensorflow.trainer")
    kinds = trainer.TFEpochIterator, trainer.callbacks_module.CallbackList
    for kind in kinds:
        make = kind.__init__

        def noted(*given: Any, make: Any = make, **named: Any) -> None:
            made.append(type(given[0]).__name__)
            make(*given, **named)

        monkeypatch.setattr(kind, "__init__", noted)
    model = make_values()
    model.compile(SGD(0.1), "mse")
    for rows in (1, 1000):
        states = one_hot(np.zeros(rows, int))
        made.clear()
        model.predict(states, verbose=0)
        model.fit(states, states[:, :2], verbose=0)
        assert made == 2 * ["TFEpochIterator", "CallbackList"]
    fast = (DOCS / "how_fast.md").read_text("utf-8")
    assert (
        "times as long as the eager loop: here an\nepoch is one step" in fast
    )
    step: Any = make_q_step(make_values(), make_values(), SGD(0.1), 0.9)
    memory, random = make_memory(10), np.random.default_rng(0)
    for _ in range(3):
        step(*draw(memory, 10, 4, random))
    assert step.experimental_get_tracing_count() == 1
    step(*draw(memory, 10, 5, random))
    assert step.experimental_get_tracing_count() == 2
    moves = draw(memory, 10, 4, random)
    step(moves[0], moves[1].astype("int64"), *moves[2:])
    assert step.experimental_get_tracing_count() == 3


# 4. From PyTorch


@says(
    "A gradient is no property of a weight here: you get it from a tape, and "
    "hand it to the optimizer."
)
@says(
    "`loss.backward()` | `gradients = tape.gradient(current_loss, variables)`"
)
@says(
    "`optimizer.step()` | `optimizer.apply_gradients(zip(gradients, "
    "variables))`"
)
@says("`optimizer.zero_grad()` | nothing: each tape begins anew")
@says("`y_pred.detach()` | `tf.stop_gradient(y_pred)`")
@says(
    "`with torch.no_grad():` | nothing, or in a tape `tape.stop_recording()`"
)
@says("`x.requires_grad_()` | `tape.watch(x)`")
@says("The second gradient is the same as the first, not twice it.")
@says("A factor that is detached or not recorded counts as a fixed number.")
def test_tapes_in_place_of_backward() -> None:
    assert lines("detached") == [[6.0], [6.0], [3.0], [9.0]]
    w, x = tf.Variable(3.0), tf.constant(5.0)
    assert not hasattr(w, "grad")
    with tf.GradientTape() as tape:
        tape.watch(x)
        current_loss = w * x
    gradients = tape.gradient(current_loss, [w, x])
    assert [float(part) for part in gradients] == [5.0, 3.0]
    SGD(0.1).apply_gradients(zip(gradients[:1], [w], strict=True))
    assert float(w) == pytest.approx(3 - 0.5)
    before = w * w
    with tf.GradientTape() as tape:
        current_loss = before * 1.0
    assert tape.gradient(current_loss, w) is None


@says(
    "`backward()` some times, then `step()` | add the gradients, then apply "
    "them"
)
@says(
    "Instead of adding the gradients of some batches you can let the "
    "optimizer do it, but its `gradient_accumulation_steps` takes their mean."
)
@says(
    "`clip_grad_norm_(…, 1.0)` | `tf.clip_by_global_norm(gradients, 1.0)[0]`"
)
@says(
    "`scheduler.step()` | nothing: the optimizer asks its schedule in each "
    "update"
)
def test_what_an_optimizer_does_with_gradients() -> None:
    w = tf.Variable(0.0)
    optimizer = SGD(1.0, gradient_accumulation_steps=2)
    for gradient in (1.0, 4.0):
        optimizer.apply_gradients([(tf.constant(gradient), w)])
    assert float(w) == -2.5
    gradients = [tf.constant([3.0]), tf.constant([4.0])]
    gradients, norm = tf.clip_by_global_norm(gradients, 1.0)
    assert float(norm) == 5.0
    np.testing.assert_allclose(np.ravel(gradients), [0.6, 0.8], rtol=1e-6)
    schedules = tf.keras.optimizers.schedules
    w, rates = tf.Variable(0.0), schedules.PiecewiseConstantDecay([0], [1, 2])
    optimizer = SGD(rates)
    moves = []
    for _ in range(3):
        before = float(w)
        optimizer.apply_gradients([(tf.constant(-1.0), w)])
        moves.append(float(w) - before)
    assert moves == [1.0, 2.0, 2.0]


@says("`model.train()`, then `model(x)` | `model(x, training=True)`")
@says("`model.eval()`, then `model(x)` | `model(x, training=False)`")
@says("`model.parameters()` | `model.trainable_variables`")
@says("`weight.requires_grad = False` | `layer.trainable = False`, then")
@says(
    "A step that was compiled before goes on training a layer that is frozen "
    "later."
)
def test_what_a_model_is_told() -> None:
    first, last = layers.Dense(3), layers.Dense(1)
    model = tf.keras.Sequential(
        [tf.keras.Input((4,)), layers.Dropout(0.5), first, last]
    )
    assert (model(X, training=True) != model(X, training=True)).numpy().any()
    assert (model(X, training=False) == model(X, training=False)).numpy().all()
    assert len(model.trainable_variables) == 4
    first.trainable = False
    assert len(model.trainable_variables) == 2
    kept = first.get_weights()[0]
    step = make_step(model, square, SGD(0.1))
    step(X, Y)
    assert (first.get_weights()[0] == kept).all()
    last.trainable = False  # too late
    before = last.get_weights()[0]
    step(X, Y)
    assert (last.get_weights()[0] != before).any()


@says("`criterion(y_pred, y)` | `loss(y, y_pred)`: the other way round")
@says(
    "`CrossEntropyLoss()` | `SparseCategoricalCrossentropy(from_logits=True)`"
)
@says("`loss.item()` | `float(current_loss)`, outside of a compiled step")
@says("`DataLoader(data, 32, shuffle=True)` |")
def test_losses_and_data() -> None:
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    logits = tf.constant([[1.0, 3.0], [2.0, -1.0]])
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    due = -np.log(shares[[0, 1], [1, 0]]).mean()
    found = loss(tf.constant([1, 0]), logits)
    assert float(found) == pytest.approx(due, rel=1e-5)

    inside = []

    @tf.function
    def compiled() -> None:
        inside.append(float(tf.constant(1.0)))

    compiled()
    assert isinstance(inside[0], tf.Tensor)
    assert type(float(found)) is float
    data = tf.data.Dataset.range(100)
    batches = [*data.shuffle(len(data)).batch(32)]
    assert [len(batch) for batch in batches] == [32, 32, 32, 4]
    order = np.concatenate(batches).tolist()
    assert sorted(order) == [*range(100)] != order
    again = np.concatenate([*data.shuffle(len(data)).batch(32)]).tolist()
    assert again != order


@says(
    "Programs that look alike train differently, since Keras has defaults of "
    "its own."
)
@says("On the right are those of PyTorch.")
@says("The first weights differ as well.")
@says("Those of `Dense` are Glorot's, with zeros for the bias; copy the")
@says("`BatchNorm1d(4)` | `BatchNormalization(momentum=0.9, epsilon=1e-5)`")
@says(
    "The `momentum` of Keras is the share that stays, not the share that is "
    "new."
)
@says(
    "Weights that you bring have to be turned: `weight.T` for `Dense`, "
    "`weight.transpose(2, 3, 1, 0)` for `Conv2D`."
)
@says("`LayerNorm(4)` | `LayerNormalization(epsilon=1e-5)`")
@says("`Adam(parameters)` | `Adam(epsilon=1e-8)`")
@says("`AdamW(parameters)` | `AdamW(epsilon=1e-8, weight_decay=0.01)`")
@says("`RMSprop(parameters, lr)` | `RMSprop(lr, rho=0.99, epsilon=1e-16)`")
@says("`Linear(4, 2)`, weights (2, 4) | `Dense(2)`, kernel (4, 2)")
@says("`Conv2d(5, 2, 3)`, weights (2, 5, 3, 3) | `Conv2D(2, 3)`, (3, 3, 5, 2)")
@says("pictures (batch, channels, rows, columns) | (batch, rows, columns")
def test_defaults_of_keras_are_not_those_that_are_named() -> None:
    optimizers = tf.keras.optimizers
    for made, default, names in (
        (
            layers.BatchNormalization(momentum=0.9, epsilon=1e-5),
            layers.BatchNormalization(),
            ("momentum", "epsilon"),
        ),
        (
            layers.LayerNormalization(epsilon=1e-5),
            layers.LayerNormalization(),
            ("epsilon",),
        ),
        (Adam(epsilon=1e-8), Adam(), ("epsilon",)),
        (
            optimizers.AdamW(epsilon=1e-8, weight_decay=0.01),
            optimizers.AdamW(),
            ("epsilon", "weight_decay"),
        ),
        (
            optimizers.RMSprop(0.01, rho=0.99, epsilon=1e-16),
            optimizers.RMSprop(0.01),
            ("rho", "epsilon"),
        ),
    ):
        for name in names:
            assert getattr(made, name) != getattr(default, name)
    norm = layers.BatchNormalization(momentum=0.9)
    norm(X + 1.0, training=True)
    due = 0.1 * np.mean(X + 1.0, axis=0)  # PyTorch's momentum=0.1
    np.testing.assert_allclose(norm.moving_mean, due, rtol=1e-5)
    dense = layers.Dense(2)
    dense.build((None, 4))
    glorot = tf.keras.initializers.GlorotUniform
    assert isinstance(dense.kernel_initializer, glorot)
    assert not dense.bias.numpy().any()
    assert dense.kernel.shape == np.zeros((2, 4)).T.shape
    conv = layers.Conv2D(2, 3)
    conv.build((None, 8, 8, 5))  # channels last
    weights = np.zeros((2, 5, 3, 3))  # out, in, height, width
    assert conv.kernel.shape == weights.transpose(2, 3, 1, 0).shape
    weights[1, 4, 2, 0] = 7.0
    assert weights.transpose(2, 3, 1, 0)[2, 0, 4, 1] == 7.0


@says(
    "The `epsilon` of `RMSprop` stands under the root, so here it is the "
    "square of PyTorch's."
)
@pytest.mark.parametrize(("epsilon", "same"), [(1e-16, True), (1e-8, False)])
def test_the_epsilon_under_the_root(epsilon: float, same: bool) -> None:
    w, gradient, mean = tf.Variable(0.0), 1e-4, 0.0
    optimizer = tf.keras.optimizers.RMSprop(0.01, rho=0.99, epsilon=epsilon)
    due = 0.0
    for _ in range(3):
        optimizer.apply([tf.constant(gradient)], [w])
        mean = 0.99 * mean + 0.01 * gradient**2
        due -= 0.01 * gradient / (mean**0.5 + 1e-8)  # as PyTorch has it
    assert (float(w) == pytest.approx(due, rel=1e-2)) == same


@says("Some differences stay.")
@says(
    "The `epsilon` of `Adam` counts about 32 times as much as PyTorch's in "
    "the first update, and less in each later one: gradients of a millionth "
    "or less move a weight less far."
)
def test_the_epsilon_before_the_correction() -> None:
    for gradient in (1e-7, 1e-6, 1e-3):
        w, mean, square = tf.Variable(0.0), 0.0, 0.0
        optimizer = Adam(0.01, epsilon=1e-8)
        before, shares = 0.0, []
        for number in range(1, 4):
            optimizer.apply([tf.constant(gradient)], [w])
            mean = 0.9 * mean + 0.1 * gradient
            square = 0.999 * square + 0.001 * gradient**2
            mean_of_all = mean / (1 - 0.9**number)
            root = (square / (1 - 0.999**number)) ** 0.5
            of_pytorch = 0.01 * mean_of_all / (root + 1e-8)
            moved, before = before - float(w), float(w)
            shares.append(moved / of_pytorch)
            times = 1 / (1 - 0.999**number) ** 0.5
            due = 0.01 * mean_of_all / (root + 1e-8 * times)
            assert moved == pytest.approx(due, rel=1e-3)
            assert number > 1 or times == pytest.approx(32, abs=0.5)
        assert shares == sorted(shares)
        assert (shares[0] < 0.8) == (gradient <= 1e-6)
        assert shares[0] < 0.8 or shares[0] == pytest.approx(1, abs=1e-3)


@says(
    "For the average of variances `BatchNorm1d` divides by one less than "
    "the number of rows, Keras by that number."
)
def test_the_average_of_variances() -> None:
    norm = layers.BatchNormalization(momentum=0.9)
    norm(X[:8], training=True)
    due = 0.9 + 0.1 * np.var(X[:8], axis=0, ddof=0)
    np.testing.assert_allclose(norm.moving_variance, due, rtol=1e-5)
    of_pytorch = 0.9 + 0.1 * np.var(X[:8], axis=0, ddof=1)
    assert np.all(abs(of_pytorch - due) > 1e-4)


# 5. Hard examples


@says("Learn from the rows of a batch whose losses are largest")
@says("The loss has to give one number for each row, and `top_k` picks.")
@says("Return the mean of the largest losses; each has shape (batch,).")
@says("Two of four rows were kept, and they alone have a gradient: that of")
def test_the_hardest_rows() -> None:
    [loss], *rows = lines("hard_rows")
    losses = [row[0] for row in rows]
    kept = sorted(losses)[2:]
    assert loss == pytest.approx(np.mean(kept), abs=0.01)
    for each, length in rows:
        assert (length > 0) == (each in kept)
    left = ran("other_loops_hard", "hard_rows")
    logits, y = left["logits"], left["y"]
    with tf.GradientTape() as tape:
        picked = left["each_loss"](y[2:], logits[2:])
        mean = tf.reduce_mean(picked)
    due = tf.convert_to_tensor(tape.gradient(mean, logits))
    np.testing.assert_allclose(left["gradients"], due, atol=1e-6)


@says("A share serves the last batch, which may be shorter, too.")
@says(
    "`ensure_shape` refuses losses of a column, and a single number; "
    "`check_numerics` refuses a `NaN`, which `top_k` might leave out."
)
def test_what_the_share_is_of() -> None:
    compiled = tf.function(lambda each: hardest(each, 0.5))
    assert float(compiled(tf.constant([1.0, 2.0, 3.0, 5.0]))) == 4.0
    assert float(compiled(tf.constant([7.0]))) == 7.0
    with pytest.raises(tf.errors.InvalidArgumentError, match="at least k"):
        tf.math.top_k(tf.constant([7.0]), 2)
    for wrong in (tf.ones((4, 1)), tf.constant(1.0)):
        for call in (compiled, lambda each: hardest(each, 0.5)):
            with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
                call(wrong)
    hidden = tf.constant([np.nan, 1.0, 2.0])
    assert tf.math.top_k(hidden, 1).values.numpy().tolist() == [2.0]
    for call in (compiled, lambda each: hardest(each, 0.3)):
        with pytest.raises(tf.errors.InvalidArgumentError, match="NaN"):
            call(hidden)


@says(
    "In a step, or in `compile`, the loss is `lambda y, y_pred: "
    "hardest(each_loss(y, y_pred), 0.25)`."
)
@says(
    "With it `sample_weight` weights no row: `fit` multiplies the one number "
    "by the mean of all weights."
)
@says("A row with a wrong label is hard as well.")
def test_hard_rows_in_a_step_and_in_fit() -> None:
    each_loss = ran("other_loops_hard", "hard_rows")["each_loss"]
    x, y = X[:64], tf.cast(X[:64, 0] > 0, tf.int32)

    def loss(y: Any, y_pred: Any) -> Any:
        return hardest(each_loss(y, y_pred), 0.25)

    def make() -> Any:
        tf.keras.utils.set_random_seed(0)
        return tf.keras.Sequential([tf.keras.Input((4,)), layers.Dense(2)])

    model, other = make(), make()
    each = np.sort(each_loss(y, model(x)))
    step = make_step(model, loss, SGD(0.1))
    assert float(step(x, y)) == pytest.approx(each[-16:].mean(), rel=1e-5)
    other.compile(SGD(0.1), loss)
    history = other.fit(x, y, 64, verbose=0, shuffle=False)
    assert history.history["loss"][0] == pytest.approx(each[-16:].mean())
    weighted = make()
    weighted.compile(SGD(0.1), loss)
    weights = np.where(each_loss(y, weighted(x)) < each[-16], 3.0, 0.0)
    history = weighted.fit(x, y, 64, sample_weight=weights, verbose=0)
    assert weights.mean() == 2.25
    assert history.history["loss"][0] == pytest.approx(
        2.25 * each[-16:].mean(), rel=1e-5
    )
    np.testing.assert_allclose(
        other.get_weights()[0], model.get_weights()[0], rtol=1e-5
    )
    sure = tf.stack([-9 * X[:64, 0], 9 * X[:64, 0]], axis=1)
    wrong = tf.where(tf.range(64) < 5, 1 - y, y)
    each = each_loss(wrong, sure).numpy()
    assert np.median(each[:5]) > each[5:].max()


# 6. Lookahead


@says(
    "After some steps of any optimizer, *Lookahead* goes half of the way "
    "back, to weights that follow slowly"
)
@says("Lookahead | [6](#6-lookahead)")
@says("Move the slow weights a share of the way, and the fast ones to them.")
@says("The slow weights are variables of their own.")
@says("Stop after a look ahead, where both are the same.")
def test_looking_ahead() -> None:
    losses = [line[1] for line in lines("run_look_ahead")]
    assert losses == sorted(losses, reverse=True)
    left = ran("other_loops_lookahead", "run_look_ahead")
    assert left["number"] % 5 == 0
    pairs = [*zip(left["fast"], left["slow"], strict=True)]
    for weight, kept in pairs:
        np.testing.assert_array_equal(weight.numpy(), kept.numpy())
    before = [kept.numpy() for _, kept in pairs]
    left["step"](left["x"], left["y"])
    ahead = [weight.numpy() for weight, _ in pairs]
    for (_, kept), old in zip(pairs, before, strict=True):
        np.testing.assert_array_equal(kept.numpy(), old)
    look_ahead(left["fast"], left["slow"])
    for (weight, _), old, new in zip(pairs, before, ahead, strict=True):
        assert (old != new).any()
        np.testing.assert_allclose(weight.numpy(), (old + new) / 2, atol=1e-6)


@says(
    "Of its optimizers Keras has `AdamW`, `Lamb` and [`MultiOptimizer`] … "
    "besides `Lion`, which is newer."
)
@says("`MovingAverage` is the option `use_ema=True`: see [EMA]")
@says("`RectifiedAdam` is not there.")
@says(
    "It begins with small steps, as does a schedule with `warmup_steps`: "
    "`CosineDecay(0.0, 10_000, warmup_target=0.001, warmup_steps=1_000)`."
)
def test_what_keras_has_of_addons() -> None:
    optimizers = tf.keras.optimizers
    for name in ("AdamW", "Lamb", "MultiOptimizer", "Lion"):
        assert hasattr(optimizers, name)
    for name in ("RectifiedAdam", "MovingAverage"):
        assert not hasattr(optimizers, name)
    assert Adam(use_ema=True).use_ema
    frozen = (DOCS / "freeze_and_fine_tune.md").read_text("utf-8")
    _, _, below = frozen.partition("## EMA: an exponential moving average")
    assert "use_ema" in below.partition("\n## ")[0]
    rates = optimizers.schedules.CosineDecay(
        0.0, 10_000, warmup_target=0.001, warmup_steps=1_000
    )
    found = [float(rates(step)) for step in (0, 500, 1_000, 6_000, 11_000)]
    np.testing.assert_allclose(found, [0, 5e-4, 1e-3, 5e-4, 0], atol=1e-8)
    shown = printed(NAME, "no_addons")
    assert "No module named 'tensorflow_addons'" in shown


# An ensemble


def make_ensemble(optimizer: Any, *, together: bool) -> Any:
    """Return four models, and what trains them by a step."""
    first = make_model()
    models = [tf.keras.models.clone_model(first) for _ in range(4)]
    loss = tf.keras.losses.MeanSquaredError()
    if together:
        return models, make_ensemble_step(models, loss, optimizer())
    steps = [make_step(model, loss, optimizer()) for model in models]
    return models, lambda x, y: [step(x, y) for step in steps]


def as_alone(optimizer: Any) -> bool:
    """Return whether models together end where they end alone."""
    ends = []
    for together in (True, False):
        models, step = make_ensemble(optimizer, together=together)
        for _ in range(3):
            step(X[:256], Y[:256])
        ends.append([part for model in models for part in model.get_weights()])
    pairs = zip(*ends, strict=True)
    return all(np.allclose(one, other, atol=1e-6) for one, other in pairs)


@says("9. An ensemble: several models in one step")
@says("An ensemble: several models trained in one step | [9] … step)")
@says(
    "Four models of one kind, each with a start of its own, see the same "
    "batches. One tape, one loss and one optimizer are enough:"
)
@says("Return a step that trains all models; it returns their losses.")
@says(
    "No weight has a part in two of the losses. So the gradient of their sum "
    "is, for each weight, that of its own model, and each learns as it would "
    "alone."
)
@says(
    "And `global_clipnorm` looks at all gradients at once, so that one model "
    "shortens the steps of the others; `clipnorm` does not."
)
def test_models_together_learn_as_alone() -> None:
    assert as_alone(lambda: SGD(0.1, momentum=0.9))
    assert as_alone(lambda: Adam(0.01))
    assert as_alone(lambda: SGD(0.1, clipnorm=0.05))
    assert not as_alone(lambda: SGD(0.1, global_clipnorm=0.05))


@says(
    "The mean of the losses would divide every gradient by four, and with it "
    "every step of `SGD`."
)
def test_the_mean_of_four_losses() -> None:
    models, _ = make_ensemble(SGD, together=False)
    loss = tf.keras.losses.MeanSquaredError()
    with tf.GradientTape(persistent=True) as tape:
        losses = [loss(Y, model(X)) for model in models]
        whole, mean = tf.add_n(losses), tf.reduce_mean(tf.stack(losses))
    for model, each in zip(models, losses, strict=True):
        alone = tape.gradient(each, model.trainable_variables)
        for total, part in ((whole, 1), (mean, 4)):
            found = tape.gradient(total, model.trainable_variables)
            for one, other in zip(found, alone, strict=True):
                np.testing.assert_allclose(part * one, other, atol=1e-6)


@says(
    "Starts from one seed would be four times the same model. **The check** "
    "is that the losses differ."
)
def test_the_starts_of_an_ensemble() -> None:
    same = [make_model().get_weights()[0] for _ in range(2)]
    assert np.array_equal(*same)
    losses, mean = lines("ensemble")
    assert len({*losses}) == len(losses) == 4
    assert mean[0] < np.mean(losses)


@says(
    "`stateless_call` takes the weights as arguments. The losses are a "
    "vector, and its gradient, as of any vector, is that of the sum."
)
@says("Return what the first model makes of x with other weights.")
def test_weights_on_top_of_each_other() -> None:
    trained, found = lines("ensemble")[0], lines("stacked")[0]
    assert found == pytest.approx(trained, abs=0.002)
    assert (
        printed(NAME, "stacked")
        .splitlines()[1]
        .startswith("gradients: (4, 4, 32) (4, 32) (4, 32, 1) (4, 1)")
    )
    models, _ = make_ensemble(SGD, together=False)
    left = ran("other_loops_ensemble", "stacked", models=models, x=X, y=Y)
    for number, model in enumerate(models):
        np.testing.assert_allclose(
            left["predict"]([part[number] for part in left["stacked"]]),
            model(X),
            atol=1e-5,
        )
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(X) - Y))
        alone = tape.gradient(loss, model.trainable_variables)
        assert float(left["losses"][number]) == pytest.approx(
            float(loss), abs=1e-5
        )
        for one, other in zip(left["gradients"], alone, strict=True):
            np.testing.assert_allclose(one[number], other, atol=1e-5)


@says(
    "In this graph each model has operations of its own. Put their weights on "
    "top of each other, and `tf.vectorized_map` needs as many for eight "
    "models as for four:"
)
def test_one_operation_for_all_models() -> None:
    models, _ = make_ensemble(SGD, together=False)
    left = ran("other_loops_ensemble", "stacked", models=models, x=X, y=Y)

    def products(function: Any) -> int:
        graph = tf.function(function).get_concrete_function().graph
        kinds = [operation.type for operation in graph.get_operations()]
        return sum("MatMul" in kind for kind in kinds)

    predict, stacked = left["predict"], left["stacked"]
    eight = [tf.concat([part, part], axis=0) for part in stacked]
    for parts in (stacked, eight):
        together = functools.partial(tf.vectorized_map, predict, parts)
        assert products(together) == 4
    assert products(lambda: [model(X) for model in models]) == 8


# A graph network


LINKS, NODES, GROUPS = make_graph()


def make_network() -> GraphNetwork:
    """Return a network of these links, which begins as any other does."""
    tf.keras.utils.set_random_seed(0)
    return GraphNetwork(normalize(LINKS))


def fitted(**options: Any) -> Any:
    """Return a network after `fit`, and the loss of each epoch."""
    model = make_network()
    model.compile(Adam(0.02), crossentropy)
    weights = np.isin(np.arange(200), known).astype("float32")
    history = model.fit(
        NODES, GROUPS, sample_weight=weights, verbose=0, **options
    )
    return model, history.history["loss"]


@says(
    "Here are 200 nodes of two groups. Their features say little about the "
    "group, and most links stay within one."
)
@says("Return links, features, and labels of nodes in two groups.")
@says("Links have a shape of (nodes, nodes), features of (nodes, 4).")
def test_the_nodes_and_their_links() -> None:
    assert (LINKS.shape, NODES.shape) == ((200, 200), (200, 4))
    assert np.bincount(GROUPS).tolist() == [100, 100]
    same = GROUPS[:, None] == GROUPS
    assert 0.85 < LINKS[same].sum() / LINKS.sum() < 1.0
    for feature in NODES.T:
        assert 0.5 < ((feature > 0) == GROUPS).mean() < 0.7


@says(
    "What a node sees is a weighted sum over itself and its neighbours. The "
    "weights are a sparse matrix, the *normalized adjacency matrix*."
)
@says("A layer is a `Dense`, and that sum after it.")
@says("Return the links, and one of each node to itself, as weights.")
@says("Scores of two classes for each node, from nodes up to two links away.")
@says("Return a row of scores for each row of x.")
@says("In a graph convolutional network … a node sees its neighbours, too.")
@says(
    "A node needs its neighbours, and they need theirs. So no batch is cut "
    "out of the graph: each step sees all nodes, and the loss takes those "
    "whose labels are known."
)
def test_what_a_node_sees() -> None:
    links = normalize(LINKS)
    assert isinstance(links, tf.SparseTensor)
    weights = tf.sparse.to_dense(links).numpy()
    np.testing.assert_array_equal(weights > 0, LINKS + np.eye(200) > 0)
    model, x = make_network(), tf.constant(NODES)
    with tf.GradientTape() as tape:
        tape.watch(x)
        score = tf.reduce_sum(model(x)[0])
    sees = tf.reduce_any(tape.gradient(score, x) != 0, axis=1).numpy()
    away = weights @ weights[0] > 0
    assert sees[away].mean() > 0.9  # the ReLU may close the way to some
    assert not sees[~away].any()
    assert not away.all()
    kinds = [type(layer) for layer in model.layers]
    assert kinds == [layers.Dense, layers.Dense]


@says("Here they are the first 20.")
@says("Return the loss of the nodes whose labels are known.")
@says("Return the accuracy for the nodes whose labels no step has seen.")
@says(
    "For comparison, a second network has links from each node to itself "
    "alone."
)
@says(
    "**The check** is the accuracy for nodes whose labels no step has seen. "
    "Both networks have learned the 20 labels. By its neighbours the first is "
    "right about most of the other nodes, and the second guesses."
)
@says("11. A graph network (GCN): the batch is the whole graph")
def test_neighbours_tell_the_group() -> None:
    assert known.tolist() == list(range(20))
    [[loss], [linked], [loss_alone], [alone]] = lines("graph")
    assert max(loss, loss_alone) < 0.15
    assert linked > 0.8
    assert 0.4 < alone < 0.6
    left = ran("other_loops_graph", "graph")
    right = np.argmax(left["model"](NODES), axis=1) == GROUPS
    assert right[known].all()
    assert share_right(left["model"], NODES, GROUPS) == right[20:].mean()


@says(
    "Many small graphs, such as molecules, are one batch as one graph: their "
    "nodes below each other, and no link from one to the other. If `graph` "
    "has the number of its graph for each node, "
    "`tf.math.segment_mean(nodes, graph)` makes one row of each graph."
)
def test_several_graphs_are_one() -> None:
    small = [make_graph(nodes)[:2] for nodes in (12, 30)]
    whole = np.zeros((42, 42), np.float32)
    whole[:12, :12], whole[12:, 12:] = (links for links, _ in small)
    model = GraphNetwork(normalize(whole))
    nodes = model(np.concatenate([x for _, x in small]))
    graph = np.repeat([0, 1], [12, 30])
    rows = tf.math.segment_mean(nodes, graph)
    for row, (links, x) in zip(rows, small, strict=True):
        model.links = normalize(links)
        alone = tf.reduce_mean(model(x), axis=0)
        np.testing.assert_allclose(row, alone, atol=1e-5)


@says(
    "By itself `fit` takes 32 nodes at a time, and the links are those of "
    "200. It stops with an `InvalidArgumentError`, such as `Cannot multiply A "
    "and B because inner dimension does not match: 200 vs. 32`."
)
@says("A graph in fit: inner dimension does not match")
def test_fit_cuts_a_graph() -> None:
    stopped = tf.errors.InvalidArgumentError
    with pytest.raises(stopped):  # by whichever operation comes first
        fitted()
    message = r"A and B because inner dimension does not match: 200 vs\. 32"
    with eagerly(), pytest.raises(stopped, match=message):
        fitted()


@says(
    "Say `batch_size=len(x)`, and `shuffle=False`: else the nodes stand in "
    "another order than their links, and nothing says so."
)
@says("A `sample_weight` of 1 and 0 picks the known nodes.")
@says(
    "The loss is still divided by 200, so it is a tenth of the mean over 20."
)
def test_the_order_of_nodes_in_fit(
    capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    whole, losses = fitted(batch_size=200, shuffle=False, epochs=50)
    recwarn.clear()
    capfd.readouterr()
    _, mixed = fitted(batch_size=200)
    assert not recwarn.list
    assert capfd.readouterr() == ("", "")
    assert share_right(whole, NODES, GROUPS) > 0.8
    mean = float(loss_of_known(GROUPS, make_network()(NODES)))
    assert losses[0] == pytest.approx(mean / 10, rel=1e-4)
    assert mixed[0] != pytest.approx(mean / 10, rel=1e-3)


@says(
    "For `links[0]` write `tf.sparse.slice(links, [0, 0], [1, 200])`. Nor "
    "does `tf.matmul` take one: `Attempt to convert a value "
    "(SparseTensor(…)) with an unsupported type`."
)
@says("'SparseTensor' object is not subscriptable")
@says(
    "NumPy's numbers are of `float64`, and then `sparse_dense_matmul` says "
    "that it `was expected to be a double tensor but is a float tensor`. "
    "Cast: `tf.cast(links, tf.float32)`."
)
def test_what_a_sparse_tensor_is_not_taken_by() -> None:
    links: Any = normalize(LINKS)
    with pytest.raises(
        TypeError, match="SparseTensor' object is not subscript"
    ):
        links[0]
    row = tf.sparse.to_dense(tf.sparse.slice(links, [0, 0], [1, 200]))
    np.testing.assert_array_equal(row, tf.sparse.to_dense(links)[:1])
    with pytest.raises(
        ValueError,
        match=r"(?s)^Attempt to convert a value \(SparseTensor\(.*"
        r"\) with an unsupported type",
    ):
        tf.matmul(links, NODES)
    times = tf.sparse.sparse_dense_matmul
    double = tf.sparse.from_dense(np.eye(200))
    assert double.dtype == tf.float64
    with pytest.raises(
        tf.errors.InvalidArgumentError,
        match="was expected to be a double tensor but is a float tensor",
    ):
        times(double, NODES)
    np.testing.assert_array_equal(
        times(tf.cast(double, tf.float32), NODES), NODES
    )


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


@says(
    "**2. A world without an end.** Learn from the same memory as if no move "
    "had been the last."
)
@says(
    "What follows is added, and 4 is a place at which no move was ever made."
)
@says("Its values are guesses, and nothing corrects them.")
def test_a_world_without_an_end() -> None:
    [[_, value]] = lines("without_ends")
    assert value > 1.2
    left = ran("other_loops_dqn", "learn_values")
    states, *_, over = left["memory"]
    assert over.any()
    assert not states[:, 4].any()


# 7. A VAE


def told(section: str) -> list[float]:
    """Return the error and the divergence that a block prints."""
    return lines(section)[-1]


@says("These rows have 16 numbers, and four would do.")
@says("Return 512 rows of 16 numbers, which mix four hidden ones, and noise.")
def test_rows_of_four_hidden_numbers() -> None:
    x = make_mixed().numpy()
    assert x.shape == (512, 16)
    spreads = np.linalg.svd(x, compute_uv=False) / math.sqrt(512)
    assert spreads[3] > 1.2
    assert spreads[4:].max() < 0.13


@says(
    "A variational autoencoder (VAE) has two losses: the error of what it "
    "decodes, and the *KL divergence* of its codes from normal ones"
)
@says("Return the KL divergence of the code of each row from a normal one.")
@says("Takes two shapes (batch, code). Appendix B of arXiv:1312.6114.")
@says("The divergence is a sum over the code.")
def test_the_divergence_of_codes() -> None:
    mean = tf.constant([[0.3, -1.0], [0.0, 0.0]])
    log_var = tf.constant([[-1.0, 0.5], [0.0, 0.0]])
    z = np.linspace(-12, 12, 20_001)
    for row, (found, *pair) in enumerate(
        zip(divergence(mean, log_var), mean, log_var, strict=True)
    ):
        total = 0.0
        for middle, log in zip(*(part.numpy() for part in pair), strict=True):
            density = np.exp(-((z - middle) ** 2) / 2 / np.exp(log))
            density /= np.sqrt(2 * np.pi * np.exp(log))
            normal = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
            ratio = np.log(density + 1e-300) - np.log(normal + 1e-300)
            total += np.trapezoid(density * ratio, z)
        assert float(found) == pytest.approx(total, abs=1e-4), row
    assert "arxiv.org/abs/1312.6114" in SOURCE


@says("The encoder returns a mean and a logarithm of a variance for each part")
@says("The code is drawn, in [a way that has a gradient]")
@says("Return squared errors (batch, numbers), and the divergence of rows.")
@says("Return a step, which returns the mean error and divergence.")
def test_the_losses_of_a_vae() -> None:
    x = make_mixed()[:8]
    encoder, decoder = layers.Dense(8), layers.Dense(16)
    vae = tuple(
        tf.keras.Sequential([tf.keras.Input((i,)), layer])
        for i, layer in ((16, encoder), (4, decoder))
    )
    for seed in (0, 1):
        random = tf.random.Generator.from_seed(seed)
        with tf.GradientTape() as tape:
            errors, divergences = vae_losses(vae, x, random)
        assert (errors.shape, divergences.shape) == ((8, 16), (8,))
        gradients = tape.gradient(errors, encoder.trainable_variables)
        assert all(tf.reduce_all(part != 0) for part in gradients[:1])
        random = tf.random.Generator.from_seed(seed)
        mean, log_var = tf.split(encoder(x), 2, axis=1)
        code = mean + tf.sqrt(tf.exp(log_var)) * random.normal((8, 4))
        np.testing.assert_allclose(errors, (x - decoder(code)) ** 2, rtol=1e-4)
    step = make_vae_step(vae, SGD(0.0), tf.reduce_sum)
    random = tf.random.Generator.from_seed(0)
    due = [tf.reduce_mean(part) for part in vae_losses(vae, x, random)]
    np.testing.assert_allclose(step(x), due, rtol=1e-5)
    foundations = (DOCS / "foundations.md").read_text("utf-8")
    assert "### A random draw: the gradient through sampling" in foundations


@says(
    "Is the error to be a mean over the 16 numbers, as in `MeanSquaredError`"
)
@says(
    "The divergence is 0 and the error that of answering 0 to all: the codes "
    "tell nothing, which is called *posterior collapse*."
)
@says("What a row could gain was divided by 16, and the divergence was not.")
@says("Both are losses of a whole row now.")
@says("**The check** is the divergence: it must not come to 0.")
def test_a_code_that_tells_nothing_and_one_that_does() -> None:
    """Of a linear VAE both are known (Lucas and others, arXiv:1911.02469).

    A direction of the rows is coded if its variance is above half of what
    the squared error is divided by, and then costs half the logarithm of
    their quotient.
    """
    x = make_mixed().numpy()
    variances = np.linalg.eigvalsh(np.cov(x.T, bias=True))
    for section, divided in (("mean_of_errors", 16), ("sum_of_errors", 1)):
        coded = variances[variances > divided / 2]
        due = 0.5 * np.log(coded / (divided / 2)).sum()
        assert told(section)[1] == pytest.approx(due, abs=0.05)
    [[square], [error, none]] = lines("mean_of_errors")
    assert square == pytest.approx(np.mean(x**2), abs=0.01)
    assert error == pytest.approx(square, abs=0.03)
    assert none == 0
    assert told("sum_of_errors")[0] < 0.2 * square
    y, y_pred = tf.ones((3, 16)), tf.zeros((3, 16))
    names = "MeanSquaredError", "MeanAbsoluteError", "BinaryCrossentropy"
    for name in names:
        each = getattr(tf.keras.losses, name)(reduction="none")(y, y_pred)
        assert each.shape == (3,)
        one = getattr(tf.keras.losses, name)(reduction="none")
        alone = one(y[:, :1], y_pred[:, :1])  # a mean, whatever the width
        np.testing.assert_allclose(each, alone, rtol=1e-5)


@says("So multiply a `MeanSquaredError` or a `BinaryCrossentropy` by the")
def test_a_mean_times_the_numbers_is_a_sum() -> None:
    x, x_pred = make_mixed()[:4], tf.zeros((4, 16))
    mean = float(tf.keras.losses.MeanSquaredError()(x, x_pred))
    due = np.square(x.numpy()).sum(axis=1).mean()
    assert 16 * mean == pytest.approx(due, rel=1e-5)


@says("A weight before the divergence, as in a beta-VAE, or one that [rises")
def test_where_a_weight_rises() -> None:
    outputs = (DOCS / "weights_outputs_losses.md").read_text("utf-8")
    _, _, after = outputs.partition("### Change a loss weight during training")
    assert "KL annealing" in after.partition("\n### ")[0]


@says("Train a VAE for 1000 steps; return its decoder and the last losses.")
@says("New rows are decoded from normal codes, and should be about as large")
def test_new_rows_of_a_vae() -> None:
    assert "range(1000)" in BLOCKS["learn_code"].code
    [[square], _] = lines("mean_of_errors")
    [[new]] = lines("new_rows")
    assert new == pytest.approx(square - told("sum_of_errors")[0], abs=0.1)


# Centralized gradients


@says(
    "*Gradient centralization* takes from the gradient of a kernel, for each "
    "unit, its mean"
)
@says("Return the gradient of a kernel less its mean for each unit.")
@says("The units are the last axis. Yong and others, arXiv:2004.01461.")
@says("SGD that centralizes its gradients, in a loop and in `fit`.")
@says("Old programs override `get_gradients` of an optimizer.")
@says("That of today has no such method, so the override is never called,")
@says("`fit` and `apply_gradients` both call `apply`.")
@says("The gradients were the weights themselves.")
@says("So each column of the kernel keeps its mean, and the bias has gone all")
def test_centralized_gradients() -> None:
    kernel = tf.random.stateless_normal((3, 3, 2, 5), (0, 0))
    found, bias = centralize(kernel), centralize(tf.ones(5))
    assert found.shape == kernel.shape
    due = kernel.numpy() - kernel.numpy().mean(axis=(0, 1, 2))
    np.testing.assert_allclose(found, due, atol=1e-6)
    np.testing.assert_array_equal(bias, np.ones(5))
    assert numbers(printed(NAME, "centralized")) == [2, 7, 2, 7, 0]
    assert "arxiv.org/abs/2004.01461" in SOURCE
    assert not hasattr(tf.keras.optimizers.Optimizer, "get_gradients")
    calls: list[str] = []

    class Old(tf.keras.optimizers.SGD):
        def get_gradients(self, loss: Any, params: Any) -> Any:
            calls.append("get_gradients")

        def apply(self, grads: Any, trainable_variables: Any = None) -> None:
            calls.append("apply")
            super().apply(grads, trainable_variables)

    model = make_model()
    model.compile(Old(0.1), "mse", run_eagerly=True)
    model.fit(X[:8], Y[:8], batch_size=8, verbose=0)
    Old(0.1).apply_gradients([(tf.ones(()), tf.Variable(1.0))])
    assert calls == ["apply", "apply"]
    model = make_model()
    before = model.layers[0].kernel.numpy().mean(axis=0)
    bias = model.layers[0].bias.numpy()
    model.compile(Centralized(0.1), "mse")
    model.fit(X, Y, batch_size=256, verbose=0)
    after = model.layers[0].kernel.numpy()
    np.testing.assert_allclose(after.mean(axis=0), before, atol=1e-5)
    assert np.abs(model.layers[0].bias.numpy() - bias).max() > 1e-3


# 8. The mean of models


@says("Return the mean of the weights of models, each as heavy as its rows.")
@says("All have the same layers. McMahan and others, arXiv:1602.05629.")
@says("Take 100 steps on all rows of a client.")
def test_the_mean_of_weights() -> None:
    models = [make_model(), make_model()]
    for number, model in enumerate(models):
        model.set_weights([part * 0 + number for part in model.get_weights()])
    for part, like in zip(
        average(models, [1, 3]), models[0].get_weights(), strict=True
    ):
        np.testing.assert_allclose(part, np.full(like.shape, 0.75))
    calls: list[Any] = []
    learn(lambda *batch: calls.append(batch), X, Y)
    assert len(calls) == 100
    assert all(batch[0] is X for batch in calls)
    assert "arxiv.org/abs/1602.05629" in SOURCE


@says("Here the hidden units of the second stand in another order.")
@says("It computes the same as the first.")
@says(
    "Each learned well, and their mean is worse than both: it mixes units "
    "that have nothing to do with each other."
)
@says(
    "So it is with networks from starts of their own, unless they have no "
    "hidden units."
)
@says("the squared error of that mean is never above the mean of their errors")
def test_models_from_other_starts() -> None:
    [[first], [second], [mean]] = lines("other_order")
    start = float(square(Y, make_model()(X)))
    assert max(first, second) < 0.3 * start
    assert mean > 1.5 * max(first, second)
    code = BLOCKS["other_order"].code
    assert "kernel[:, ::-1], bias[::-1], head[::-1], shift" in code
    models, told = [make_model(), make_model(), make_model()], []
    kernel, bias, head, shift = models[0].get_weights()
    models[1].set_weights([kernel[:, ::-1], bias[::-1], head[::-1], shift])
    np.testing.assert_allclose(models[1](X), models[0](X), atol=1e-5)
    tf.keras.utils.set_random_seed(5)
    for layer in models[1].layers:
        again = tf.keras.initializers.GlorotUniform(seed=7)
        layer.kernel.assign(again(layer.kernel.shape))
    for model in models[:2]:
        learn(make_step(model, square, SGD(0.1)), X, Y)
        told.append(float(square(Y, model(X))))
    models[2].set_weights(average(models[:2], [1, 1]))
    assert float(square(Y, models[2](X))) > 1.5 * max(told)
    both = (models[0](X) + models[1](X)) / 2
    assert float(square(Y, both)) <= sum(told) / 2
    straight, told = [], []
    for initializer in ("zeros", "ones", "zeros"):
        dense = layers.Dense(1, kernel_initializer=initializer)
        straight.append(tf.keras.Sequential([tf.keras.Input((4,)), dense]))
    for model, part in zip(
        straight, (slice(512), slice(512, None)), strict=False
    ):
        learn(make_step(model, square, SGD(0.1)), X[part], Y[part])
        told.append(float(square(Y, model(X))))
    straight[2].set_weights(average(straight[:2], [512, 1536]))
    assert float(square(Y, straight[2](X))) < max(told)


@says("Give every client the same weights, and do so again after each average")
@says("Each client keeps one compiled step and one optimizer for all rounds.")
@says(
    "A momentum would be that of weights which are gone; plain SGD has none."
)
def test_rounds_from_one_start() -> None:
    [[first], [second], _] = lines("other_order")
    rounds = [line[-1] for line in lines("from_one_start")]
    assert rounds == sorted(rounds, reverse=True)
    assert rounds[-1] < min(first, second)
    assert "make_step" not in BLOCKS["from_one_start"].code
    slots = []
    for sgd in (SGD(0.1), SGD(0.1, momentum=0.9)):
        sgd.build(make_model().trainable_variables)
        slots.append(len(sgd.variables) - 2)
    assert slots == [0, 4]


# 10. A diffusion model


BETAS = tf.linspace(0.001, 0.2, 50)
KEPT = tf.math.cumprod(1.0 - BETAS)


@says("In training, each row is mixed with noise, and the model guesses the")
@says("The rows here are points on a circle.")
@says(
    "A picture would do as well: scale its pixels to a mean of 0 and a "
    "variance of about 1, for the noise has these."
)
@says("Return points (rows, 2) of a circle; its radius makes variances 1.")
@says("Return the mean distance of points from the circle.")
def test_the_points_of_the_circle() -> None:
    points = make_circle(4096).numpy()
    noise = tf.random.stateless_normal([4096, 2], (0, 0)).numpy()
    for rows in (points, noise):
        np.testing.assert_allclose(rows.mean(axis=0), 0, atol=0.05)
        np.testing.assert_allclose(rows.var(axis=0), 1, atol=0.05)
    assert float(off_circle(tf.constant(points))) < 1e-6
    assert float(off_circle(tf.zeros((3, 2)))) == pytest.approx(2**0.5)
    pictures, shares = tf.ones((3, 3, 3, 1)), tf.constant([0.0, 0.25, 1.0])
    mixed = noised(pictures, 0.0 * pictures, shares)
    for picture, due in zip(mixed, (0.0, 0.5, 1.0), strict=True):
        np.testing.assert_allclose(picture, due * pictures[0])
    seen: list[Any] = []

    class Told(tf.keras.layers.Layer):
        """A model that notes what it is given and answers zeros."""

        def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
            seen.extend(inputs)
            return 0.0 * inputs[0]

    for kept, noisy in ((1.0, False), (0.0, True)):
        random = tf.random.Generator.from_seed(0)
        noise_loss(Told(), tf.ones((5, 3, 3, 1)), tf.fill([9], kept), random)
        assert bool(np.std(seen[-2]) > 0.5) is noisy


@says("`betas`, says how much noise each of the 50 steps adds")
@says("What counts is how much of the data is left after it.")
@says("After the last step next to nothing may be left, for the new rows will")
@says("To get to a step in training, no other step is needed:")
@says("Return rows of which a share of the variance, kept, is not noise.")
@says("There is a share for each row.")
@says("Equation 4 of arXiv:2006.11239.")
def test_noise_by_steps_is_noise_at_once() -> None:
    shares = [line[1] for line in lines("schedule")]
    np.testing.assert_allclose(shares, tf.gather(KEPT, [0, 24, 49]), atol=1e-3)
    assert shares[-1] < 0.01
    x = tf.fill((100_000, 1), 2.0)
    by_steps = x
    for t, beta in enumerate(BETAS[:25]):
        noise = tf.random.stateless_normal(x.shape, (0, t))
        by_steps = noised(by_steps, noise, 1.0 - beta)
    noise = tf.random.stateless_normal(x.shape, (1, 0))
    at_once = noised(x, noise, tf.fill([100_000], KEPT[24]))
    for found in (by_steps, at_once):
        assert np.mean(found) == pytest.approx(2 * 0.276**0.5, abs=0.02)
        assert np.var(found) == pytest.approx(1 - 0.276, abs=0.02)
    start = BLOCKS["generate"].code.index("x = tf.random.stateless_normal")
    assert start < BLOCKS["generate"].code.index("for t in reversed")


@says("The model has to know the number of the step, `t`, to tell a lot of")
@says("Each step has an embedding.")
@says("Return a model from noised points and numbers of steps to noise.")
@says("The loss draws a `t` for each row, and noise, which takes the place of")
@says("The rest is the usual step.")
@says("Noise each row, at a step of its own; return the error of a guess.")
@says("Return a step that learns to guess the noise.")
def test_the_step_of_a_diffusion_model() -> None:
    model = make_denoiser(50)
    tables = [v for v in model.trainable_variables if "embedding" in v.path]
    assert [tuple(table.shape) for table in tables] == [(50, 64)]
    for block, parts in {
        "make_denoiser": ["layers.Embedding(steps, units)(t)"],
        "noise_loss": ["random.normal", "random.uniform", "noised("],
    }.items():
        marked = highlighted(BLOCKS[block])
        assert len(marked) == len(parts)
        assert all(p in line for p, line in zip(parts, marked, strict=True))
    seen: list[Any] = []

    class Told(tf.keras.layers.Layer):
        """A model that notes what it is given and answers zeros."""

        def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
            seen.extend(inputs)
            return 0.0 * inputs[0]

    with pytest.raises(ValueError, match="not enough values"):
        make_noise_step(Told(), SGD(0.1), KEPT)(make_circle(200))
    assert seen[0].shape == (200, 2)
    assert len(set(seen[1].numpy())) > 30


@says(
    "**The loss does not come near 0**, and need not: noise along the circle"
)
@says("A model that answers 0 has a loss of about 1.")
def test_no_model_can_guess_all_noise() -> None:
    [[_, later]] = lines("denoise")
    noise = np.random.default_rng(0).normal(size=(200, 2))
    assert np.mean(noise**2) == pytest.approx(1, abs=0.1)
    points, least = make_circle(400).numpy(), []
    for kept in KEPT[::3].numpy():
        x = np.sqrt(kept) * points[:200] + np.sqrt(1 - kept) * noise
        guesses = (x[:, None] - np.sqrt(kept) * points) / np.sqrt(1 - kept)
        logs = -0.5 * (guesses**2).sum(axis=2)
        odds = np.exp(logs - logs.max(axis=1, keepdims=True))
        odds /= odds.sum(axis=1, keepdims=True)
        best = (odds[..., None] * guesses).sum(axis=1)
        least.append(np.mean((best - noise) ** 2))
    assert np.mean(least) == pytest.approx(later, abs=0.06)
    kept, angle = KEPT[0].numpy(), np.arctan2(points[:200, 1], points[:200, 0])
    along = np.stack([-np.sin(angle), np.cos(angle)], axis=1)
    x = np.sqrt(kept) * points[:200]
    moved = x + np.sqrt(1 - kept) * along * noise[:, :1]
    radius = np.linalg.norm(moved, axis=1) / np.linalg.norm(x, axis=1)
    np.testing.assert_allclose(radius, 1, atol=0.01)


@says("So the check is what it generates.")
@says("From the last step to the first, take the guess away, and put a little")
@says("Return points made of noise.")
@says("Algorithm 2 of arXiv:2006.11239.")
@says("The points lie close to the circle.")
def test_what_is_generated() -> None:
    [[noise], [points]] = lines("generated")
    assert points < noise / 4
    marked = highlighted(BLOCKS["generate"])
    assert "range(len(betas))" in BLOCKS["generate"].code
    assert "reversed" in BLOCKS["generate"].code
    assert "* guess" in marked[0]
    assert "if t > 0" in marked[1]
    seen: list[int] = []

    def guess(inputs: list[tf.Tensor], training: bool) -> tf.Tensor:
        seen.append(int(inputs[1][0]))
        return 0.0 * inputs[0]

    generate(guess, BETAS, rows=2)
    assert seen == [*reversed(range(50))]
    noise = tf.random.stateless_normal([500, 2], (1, 0))
    for betas, put_back in (([0.5], 0.0), ([0.1, 0.5], (0.5 / 0.9) ** 0.5)):
        found = generate(guess, tf.constant(betas), rows=500)
        grown = noise / np.sqrt(np.prod(1.0 - np.array(betas)))
        assert np.std(found - grown) == pytest.approx(put_back, abs=0.05)


@says("Inside `fit` the same step is a `train_step` with [no `y`]")
def test_a_diffusion_model_in_fit() -> None:
    step = make_noise_step(make_denoiser(50), SGD(0.1), KEPT)

    class Diffusion(tf.keras.Model):
        """A model whose step needs no outputs."""

        def train_step(self, data: Any) -> dict[str, tf.Tensor]:
            return {"noise": step(data)}

    model = Diffusion()
    model.compile()
    history = model.fit(make_circle(64), verbose=0).history
    assert 0.5 < history["noise"][0] < 2


@says("EMA sampling gives only noise")
@says("Many generate with an average of the weights, an [EMA]")
@says("The optimizer above has kept one, with a momentum of 0.9999.")
@says(
    "The average is still full of the weights that the model began with, and "
    "its points are worse than the noise."
)
@says("After 10,000 steps the first weights have a share of")
@says("Take a smaller momentum for a short training, such as 0.99, or go on.")
def test_an_average_that_is_full_of_the_first_weights() -> None:
    [[points], [share]] = lines("averaged")
    assert points > lines("generated")[0][0]
    assert share == pytest.approx(0.9999**600, abs=0.01)
    assert "use_ema=True, ema_momentum=0.9999" in BLOCKS["denoise"].code
    averages = {}
    for momentum in (0.99, 0.9999):
        weight = tf.Variable(1.0)
        sgd = SGD(0.0, use_ema=True, ema_momentum=momentum)
        for rate in (0.0, 1.0, *[0.0] * 58):
            sgd.learning_rate.assign(rate)
            sgd.apply_gradients([(tf.constant(1.0), weight)])
        assert float(weight) == 0
        sgd.finalize_variable_values([weight])
        averages[momentum] = float(weight)
    due = {0.99: 0.99**59, 0.9999: 0.9999**59}
    assert averages == pytest.approx(due, rel=1e-4)


@says(
    "**The encoder alone** is a model like any other. Without the draw, "
    "`mean, log_var = tf.split(encoder(x), 2, axis=1)` gives each row the "
    "same code in every call, the mean."
)
@says('`encoder.save("encoder.keras")` saves it without the decoder.')
def test_the_encoder_of_a_vae_alone() -> None:
    encoder, decoder = (
        tf.keras.Sequential([tf.keras.Input((i,)), tf.keras.layers.Dense(j)])
        for i, j in ((16, 8), (4, 16))
    )
    x, random = make_mixed()[:8], tf.random.Generator.from_seed(0)
    adam = tf.keras.optimizers.Adam(0.01)
    make_vae_step((encoder, decoder), adam, tf.reduce_sum)(x)
    first, _ = vae_losses((encoder, decoder), x, random)
    again, _ = vae_losses((encoder, decoder), x, random)
    assert np.abs(first - again).max() > 0.01, "the draw"
    mean, log_var = tf.split(encoder(x), 2, axis=1)
    assert mean.shape == log_var.shape == (8, 4)
    np.testing.assert_array_equal(mean, tf.split(encoder(x), 2, axis=1)[0])
    encoder.save("encoder.keras")
    loaded = tf.keras.models.load_model("encoder.keras")
    assert loaded.count_params() == encoder.count_params()
    np.testing.assert_array_equal(loaded(x), encoder(x))
