"""What the page on two models says is true."""

import math
import re
import warnings
import weakref
from functools import partial
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

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
from snippets.two_models_features import feature_loss, make_features
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
from tests.claims.says import (
    figure,
    highlighted,
    imported,
    lines,
    logged,
    numbers,
    printed,
    ran,
    record,
    says,
)
from tests.claims.sentences import DOCS, read, sections

NAME = "two_models"
PAGE = read(NAME)
BLOCKS = {block.name: block for block in PAGE.blocks}
SOURCE = (DOCS / f"{NAME}.md").read_text("utf-8")
SGD, Adam = tf.keras.optimizers.SGD, tf.keras.optimizers.Adam
Sequential, Dense = tf.keras.Sequential, tf.keras.layers.Dense
LOG_2 = math.log(2)
REALS = make_ring([400, 128])
NOISES = tf.random.stateless_normal([400, 128, 2], seed=(0, 2))
SHOWN = tf.random.stateless_normal([300, 2], seed=(0, 3))
REAL, NOISE = REALS[0], NOISES[0]

Names = dict[str, Any]


def last_line(name: str) -> str:
    return BLOCKS[name].code.rstrip().split("\n")[-1]


def small_pair() -> tuple[Any, Any]:
    """Return a generator and a discriminator of one layer each."""
    generator, discriminator = (
        Sequential([tf.keras.Input((2,)), Dense(outputs)], name=name)
        for name, outputs in (("generator", 2), ("discriminator", 1))
    )
    return generator, discriminator


def gradients_of(model: Any, loss: Any) -> list[Any]:
    """Return the gradients of a loss that a function computes."""
    with tf.GradientTape() as tape:
        value = loss()
    return [*tape.gradient(value, model.trainable_variables)]


def kept(act: Any, rate: float, penalty: float = 0.0) -> Any:
    """Return what a round makes of point and slope, as a matrix."""
    columns = []
    for start in ((1.0, 0.0), (0.0, 1.0)):
        point, slope = map(tf.Variable, start)
        act(point, slope, SGD(rate), SGD(rate), penalty)
        columns.append([float(point), float(slope)])
    return np.array(columns).T


# The networks again, in NumPy: several pairs side by side.


def forward(weights: list[Any], x: Any) -> tuple[Any, list[Any]]:
    """Return the outputs, and the inputs of each layer."""
    inputs = [x]
    for layer in (0, 2):
        z = inputs[-1] @ weights[layer] + weights[layer + 1]
        inputs.append(np.tanh(z))
    return inputs[-1] @ weights[4] + weights[5], inputs


def backward(
    weights: list[Any], inputs: list[Any], slope: Any
) -> tuple[list[Any], Any]:
    """Return the gradients by the weights and by what went in."""
    found: list[Any] = []
    for layer in (2, 1, 0):
        into = inputs[layer]
        bias = slope.sum(-2, keepdims=True)
        found = [into.swapaxes(-1, -2) @ slope, bias, *found]
        slope = slope @ weights[2 * layer].swapaxes(-1, -2)
        if layer:
            slope = slope * (1 - into**2)
    return found, slope


def stacked(model: Any, count: int) -> list[Any]:
    """Return the weights of a model so many times."""
    weights = model.get_weights()
    return [
        np.stack([w if w.ndim == 2 else w[np.newaxis]] * count)
        for w in weights
    ]


def sigma(score: Any) -> Any:
    return 1 / (1 + np.exp(-score))


def step_of_discriminator(
    weights: list[Any], real: Any, fake: Any
) -> tuple[float, list[Any]]:
    """Return the loss of the first pair, and the gradients."""
    real = np.broadcast_to(real, fake.shape)
    scores, inputs = forward(weights, np.concatenate([real, fake], axis=1))
    signs = np.repeat([-1.0, 1.0], real.shape[1])[:, np.newaxis]
    slope = signs * sigma(signs * scores) / real.shape[1]
    loss = np.logaddexp(0, signs * scores[0]).sum() / real.shape[1]
    return float(loss), backward(weights, inputs, slope)[0]


class ByHand:
    """Adam with the page's settings, a rate for each pair."""

    def __init__(self, weights: list[Any], rates: list[float]) -> None:
        self.weights, self.rates = weights, np.reshape(rates, (-1, 1, 1))
        self.first, self.second = [0.0] * 6, [0.0] * 6
        self.count = 0

    def apply(self, gradients: list[Any]) -> None:
        self.count += 1
        by = 1 / (1 - 0.5**self.count), 1 / (1 - 0.999**self.count)
        for i, gradient in enumerate(gradients):
            self.first[i] += 0.5 * (gradient - self.first[i])
            self.second[i] += 0.001 * (gradient**2 - self.second[i])
            # As in Keras, epsilon is added before the correction.
            size = (np.sqrt(self.second[i]) + 1e-3) * math.sqrt(by[1])
            self.weights[i] -= self.rates * by[0] * self.first[i] / size


@pytest.fixture(scope="module")
def learned() -> Names:
    """Four runs of the loop: as it is, nudged, with equal rates."""
    generator, discriminator = (stacked(model, 4) for model in make_pair())
    random = np.random.default_rng(0)
    for weights in generator + discriminator:
        weights[1] += 1e-6 * random.standard_normal(weights[1].shape)
    slow = ByHand(generator, [0.001, 0.001, 0.001, 0.01])
    fast = ByHand(discriminator, [0.01, 0.01, 0.001, 0.01])
    d_losses, g_losses = [], []
    pictures = {0: forward(generator, SHOWN.numpy())[0]}
    batches = zip(REALS.numpy(), NOISES.numpy(), strict=True)
    for step, (real, noise) in enumerate(batches, 1):
        fake, inputs = forward(generator, noise)
        d_loss, found = step_of_discriminator(discriminator, real, fake)
        fast.apply(found)
        scores, into = forward(discriminator, fake)
        slope = -sigma(-scores) / len(noise)
        _, by_fake = backward(discriminator, into, slope)
        slow.apply(backward(generator, inputs, by_fake)[0])
        d_losses.append(d_loss)
        g_losses.append(np.logaddexp(0, -scores[0]).mean())
        if step % 80 == 0:
            pictures[step] = forward(generator, SHOWN.numpy())[0]
    return {"pictures": pictures, "losses": (d_losses, g_losses)}


# The page and its table


@says(
    "Train a GAN by hand in TensorFlow - two models, two losses, two "
    "optimizers - and seven ways in which the loop goes wrong, each with its "
    "check."
)
@says(
    "At the end of this page you have a generator discriminator training loop "
    "that learns a ring in 400 steps, you have seen it go wrong in seven "
    "ways, and you can tell each of them by a check."
)
def test_what_the_page_has() -> None:
    parts = sections(NAME)
    ways = {
        title: text for title, text in parts.items() if title[0] in "1234567"
    }
    assert [title[0] for title in ways] == [*"1234567"]
    assert all(text.count("**The check**") == 1 for text in ways.values())
    assert "steps, batch = 400, 128" in BLOCKS["data"].code
    assert lines(NAME, "loop")[-1] == [400, pytest.approx(0.11, abs=0.02)]
    for name in ("assert distance(generator(shown)) < 0.2", "assert right <"):
        assert name in BLOCKS["verdict"].code


@says(
    "`A non-persistent GradientTape can only be used to compute one set` | "
    "[1](#1-two-models-one-tape)"
)
@says(
    "`GradientTape.gradient can only be called once on non-persistent tapes` "
    "| [1](#1-two-models-one-tape)"
)
@says(
    "`Calling GradientTape.gradient on a persistent tape` | [1](#calling … "
    "context)"
)
@says("Nothing moves, or the discriminator does not learn | … weights)")
@says("The losses look balanced, the samples are far off | … both)")
@says("`ValueError: Unknown variable` | [4](#4-one-optimizer-for-two-models)")
@says(
    "With one Adam for both, steps are too short, later too long | … models)"
)
@says("`discriminator.trainable = False` changes nothing | … false)")
@says("`The model does not have any trainable weights` | … weights)")
@says("`No gradients provided for any variable` | … gradients)")
@says(
    "The discriminator's loss goes to zero, the generator stands still | "
    "[7](#7-a-discriminator-that-wins)"
)
@says("A WGAN: the critic's loss is negative | [WGAN](#wgan … clipping)")
@says("`VGG16` and `predict` in a loss: no gradients | [Features]")
@says("The model does not have any trainable weights")
def test_each_row_leads_to_a_section_that_shows_it() -> None:
    rows = re.findall(r"(?m)^\| (.+) \| (\[.+\]\(#.+\)) \|$", SOURCE)
    shows = [
        {
            "one_tape": "A non-persistent GradientTape can only be used to "
            "compute one set"
        },
        {"": "`GradientTape.gradient can only be called once on"},
        {"": "The whole warning says that this `is significantly less"},
        {
            "wrong_variables": "after 30 rounds: point 1.00, slope 0.00",
            "recipe_step": "trainable True: moved by 0.0000",
        },
        {"summed": "0.71 and 0.68, 2.8 from the circle"},
        {"one_optimizer": "ValueError: Unknown variable"},
        {"counted_twice": "slope 0.1000, point 0.0744\nslope 3.3977"},
        {"flags": "compiled: the discriminator moved by 0.04"},
        {"recipe_step": "The model does not have any trainable weights."},
        {"cut": "No gradients provided for any variable"},
        {"beaten": "loss 0.02"},
        {"critic": "step 30: critic loss -"},
        {"predicted": "[None, None]"},
    ]
    assert len(rows) == len(shows)
    parts = sections(NAME)
    for (_, links), shown in zip(rows, shows, strict=True):
        places = re.findall(r"\(#(.+?)\)", links)
        for place, (block, text) in zip(places, shown.items(), strict=True):
            if not block:
                assert text in " ".join(parts[place].split())
                continue
            assert f':{block}"' in parts[place]
            assert text in printed(NAME, block)


@says(
    "You need a loop with an optimizer and a compiled step, as in [the loop "
    "with the usual parts](usual_parts.md#an-optimizer-and-a-compiled-step)."
)
@says(
    "More on that is in [Freeze, unfreeze, "
    "fine-tune](freeze_and_fine_tune.md#trainable-false-not-working-a-frozen-layer-goes-on-learning)."
)
@says(
    "Write two steps of your own instead, in a loop or [in "
    "`train_step`](keras_from_fit_inwards.md#a-step-with-metrics-of-its-own)."
)
@says(
    "[Foundations](foundations.md#six-ways-to-get-none) has more ways to get "
    "`None`."
)
@says(
    "What a frozen model does in a compiled step, in `fit` and under an "
    "optimizer: [Freeze, unfreeze, fine-tune](freeze_and_fine_tune.md)."
)
@says("Mistakes of a loop with one model: [Silent failures](traps.md).")
@says("The tape, and why a gradient is `None`: [Foundations](foundations.md).")
def test_other_pages() -> None:
    usual = sections("usual_parts")["an-optimizer-and-a-compiled-step"]
    assert "tf.function" in usual
    freeze = sections("freeze_and_fine_tune")
    assert "when it was traced" in " ".join(
        freeze[
            "trainable-false-not-working-a-frozen-layer-goes-on-learning"
        ].split()
    )
    assert {"freezing-and-fit", "valueerror-unknown-variable"} < freeze.keys()
    inwards = sections("keras_from_fit_inwards")
    step = inwards["a-step-with-metrics-of-its-own"]
    assert "Write a whole step when you need" in " ".join(step.split())
    foundations = sections("foundations")
    assert {"six-ways-to-get-none", "the-gradient-tape"} < foundations.keys()
    ways = [title for title in foundations if re.match(r"[1-6]-", title)]
    assert len(ways) == 6
    assert sum("numpy" in title for title in ways) == 1
    traps = sections("traps")
    assert sum(title[0].isdigit() for title in traps) > 10
    assert "make_pair" not in str(traps)


@says("All blocks above, in order, as one file.")
@says("It needs TensorFlow and Matplotlib.")
@says("The imports, two colours, and three types.")
@says("A `Step` takes tensors and returns a loss or two.")
def test_all_blocks_ran_with_what_the_page_names() -> None:
    blocks = [name.rpartition(":")[2] for name in record(NAME)]
    assert [n for n in blocks if n in BLOCKS] == [b.name for b in PAGE.blocks]
    modules = imported(PAGE)
    assert modules == {
        *("math", "collections", "typing", "warnings"),
        *("tensorflow", "matplotlib"),
    }
    first = PAGE.blocks[0].code
    assert sum("import " in b.code for b in PAGE.blocks) == 1
    assert len(re.findall(r'"#\w{6}"', first)) == 2
    assert first.count(": TypeAlias = ") == 3
    makers = [b.name for b in PAGE.blocks if re.search(r"-> Step:", b.code)]
    assert makers == [
        *("discriminator_step", "generator_step"),
        *("make_gan_step", "make_summed_step"),
        "critic_step",
    ]
    pair = small_pair()
    d_step: Any = make_discriminator_step(*pair, SGD(0.1))
    g_step: Any = make_generator_step(*pair, SGD(0.1))
    steps: list[Any] = [
        partial(d_step.python_function, REAL, NOISE),
        partial(g_step.python_function, NOISE),
        partial(make_gan_step(Sequential(pair), SGD(0.1)), NOISE),
        partial(make_summed_step(*pair), REAL, NOISE),
    ]
    assert [np.size(step()) for step in steps] == [1, 1, 1, 2]


# The smallest GAN


@says(
    "It wants the generator's point to have a low score, and the generator "
    "wants a high one:"
)
@says("Neither wants to move where point and slope are 0.")
@says(
    "There are two losses, two tapes, two optimizers, and each optimizer is "
    "given the variable of its own model."
)
@says("Update the slope; then, seeing the new slope, the point.")
@says("The other way takes both gradients at the same place.")
@says("Two tapes can record the same lines.")
@says("Take both gradients first, then update both.")
@says("So in a pair of models **no loss need fall**.")
@says(
    "Each step is a step down for the model that takes it, and the other "
    "model undoes it."
)
def test_a_round_in_turns_and_at_once() -> None:
    for name in ("in_turns", "at_once"):
        assert BLOCKS[name].code.count("tf.GradientTape()") == 2

    class Watched(tf.keras.optimizers.SGD):
        def apply_gradients(self, pairs: Any) -> Any:
            pairs = [*pairs]
            given.append((self, [variable for _, variable in pairs]))
            result = super().apply_gradients(pairs)
            seen.append(float(slope * point))
            return result

    for act in (in_turns, at_once):
        point, slope = tf.Variable(1.0), tf.Variable(0.5)
        given: list[Any] = []
        seen = [0.5]
        both = d_optimizer, g_optimizer = Watched(0.1), Watched(0.1)
        act(point, slope, *both)
        assert [who for who, _ in given] == [d_optimizer, g_optimizer]
        assert [variables for _, variables in given] == [[slope], [point]]
        assert float(slope) == pytest.approx(0.5 - 0.1 * 1.0)
        at = 0.4 if act is in_turns else 0.5
        assert float(point) == pytest.approx(1.0 + 0.1 * at)
        # The score is the discriminator's loss: down, and up again.
        assert seen[1] < seen[0] < 0.51
        assert seen[2] > seen[1]
        zeros = tf.Variable(0.0), tf.Variable(0.0)
        act(*zeros, SGD(0.1), SGD(0.1), 1.0)
        assert [*map(float, zeros)] == [0, 0]
    path = np.array(play(in_turns))
    losses = path[:, 0] * path[:, 1]
    assert max(losses[20:]) > max(losses[:10]) - 0.1
    for line in (losses, -losses):
        assert np.any(np.diff(line) > 0.05)


@says("The penalty, unless it is 0, keeps the slope small.")
@says("Play thirty rounds of each, from the same start.")
@says("Return the way that point and slope take in so many rounds.")
@says(
    "Three paths in the plane of point and slope, all from point 1 and slope "
    "0: at once they spiral outwards to more than three, in turns they go "
    "round on an ellipse, with a penalty they spiral into the middle"
)
@says("Two models that compete do not behave like one that descends.")
def test_the_paths() -> None:
    code = BLOCKS["smallest"].code
    assert "play(at_once)" in code
    assert "play(in_turns, penalty=1.0)" in code
    paths = {
        "at once": play(at_once),
        "in turns": play(in_turns),
        "with a penalty": play(in_turns, penalty=1.0),
    }
    away = {}
    [axes] = figure(NAME, "plot_paths")
    for (name, path), [shown] in zip(
        paths.items(), lines(NAME, "smallest"), strict=True
    ):
        assert len(path) == 31
        assert path[0] == (1.0, 0.0)
        away[name] = np.hypot(*np.transpose(path))
        assert shown == pytest.approx(away[name][-1], abs=0.006)
        drawn = axes.points[name]
        assert (drawn.x[0], drawn.y[0]) == (1, 0)
        ends = path[-1]
        assert (drawn.x[-1], drawn.y[-1]) == pytest.approx(ends, abs=1e-3)
    assert np.all(np.diff(away["at once"]) > 0)
    assert away["at once"][-1] > 3
    assert 0.8 < min(away["in turns"]) < max(away["in turns"]) < 1.2
    assert away["with a penalty"][-1] < 0.02
    around = np.unwrap([math.atan2(s, p) for p, s in paths["in turns"]])
    assert abs(around[-1] - around[0]) > 2 * math.pi
    p, s = np.transpose(paths["in turns"])
    assert p**2 + s**2 - 0.3 * p * s == pytest.approx(1, abs=1e-4)
    steepest = [max(abs(np.transpose(paths[name])[1])) for name in paths]
    assert steepest[2] < 0.7 * steepest[1] < steepest[0]
    assert len(play(in_turns, rounds=3)) == 4


@says(
    "At once, each round multiplies the distance from the middle by `#!math "
    r"\sqrt{1 + \eta^2}`, where `#!math \eta` is the learning rate, and the "
    "path spirals outwards for any learning rate."
)
@says("In turns, at any rate below 2, it goes round for ever.")
@says(
    "Only the penalty, which makes the discriminator less steep, leads to the "
    "middle."
)
@says("In turns, the smallest GAN stays on one ellipse.")
@says(
    "With the point `#!math p` and the slope `#!math s`, show that a round "
    r"leaves `#!math p^2 + s^2 - \eta \, p \, s` as it was."
)
@says("And how much does the distance grow at once?")
@pytest.mark.parametrize("rate", [0.1, 0.3, 1.0, 1.9])
def test_what_a_round_does_to_the_distance(rate: float) -> None:
    """A round is a linear map: how it turns and grows, is in its roots."""
    once, turns = kept(at_once, rate), kept(in_turns, rate)
    grown = math.sqrt(1 + rate**2)
    assert once.T @ once == pytest.approx(np.eye(2) * grown**2, rel=1e-5)
    roots = np.linalg.eigvals(turns)
    assert abs(roots) == pytest.approx([1, 1], abs=1e-5)
    assert np.all(abs(np.imag(roots)) > 0.01)
    form = np.array([[1, -rate / 2], [-rate / 2, 1]])
    assert np.linalg.eigvalsh(form).min() > 0
    assert turns.T @ form @ turns == pytest.approx(form, abs=1e-5)
    past = np.linalg.eigvals(kept(in_turns, 2.1))
    assert max(abs(past)) > 1.1
    calmed = np.linalg.eigvals(kept(in_turns, 0.3, penalty=1.0))
    assert max(abs(calmed)) < 0.9
    assert lines(NAME, "kept") == [
        [1, 1],
        [pytest.approx(1.09**15, abs=1e-3)] * 2,
    ]


# The ring and the networks


@says("The real points lie near a circle of radius 1.")
@says("Return points near the circle of radius 1: shape plus (2,).")
@says("The generator turns *noise*, pairs of random numbers, into points.")
@says("`distance` says how far points are from the circle.")
@says("Return how far the points are from the circle, on average.")
@says("We judge the generator by the same `shown` noise every time.")
def test_the_ring() -> None:
    ring = make_ring([3, 500])
    assert ring.shape == (3, 500, 2)
    radius = np.linalg.norm(ring, axis=-1)
    assert radius.mean() == pytest.approx(1, abs=0.01)
    assert 0.02 < radius.std() < 0.08
    angles = np.arctan2(ring[..., 1], ring[..., 0])
    counts, _ = np.histogram(angles, 8, (-math.pi, math.pi))
    assert counts.min() > 150
    assert distance(tf.constant([[3.0, 4.0], [0.0, 0.5]])) == 2.25
    assert [row[0] for row in lines(NAME, "data")[1:]] == [
        pytest.approx(distance(REAL), abs=0.006)
    ]
    generator, _ = make_pair()
    assert NOISE.shape == (128, 2)
    assert generator(NOISE).shape == (128, 2)
    code = "\n".join(block.code for block in PAGE.blocks)
    assert len(re.findall(r"(?m)^shown = ", code)) == 1
    assert {*re.findall(r"distance\(generator\((\w+)", code)} == {"shown"}
    assert {
        *re.findall(r"\d: generator\((\w+)|\] = generator\((\w+)", code)
    } == {
        ("shown", ""),
        ("", "shown"),
    }


@says("`share_right` is the discriminator's accuracy.")
@says("If it cannot tell the points apart, it is right about half of them.")
@says("Return of how many points the discriminator is right: 0.5 is luck.")
def test_share_right() -> None:
    real, fake = (
        tf.constant([[1.0], [2.0], [-1.0]]),
        tf.constant([[3.0], [-4.0], [-5.0]]),
    )
    assert share_right(lambda scores: scores, real, fake) == pytest.approx(
        4 / 6
    )
    luck = tf.random.stateless_normal([4000, 1], (0, 0))
    seen = share_right(lambda scores: scores, luck[:2000], luck[2000:])
    assert seen == pytest.approx(0.5, abs=0.03)
    assert share_right(lambda p: tf.ones((len(p), 1)), REAL, NOISE) == 0.5


@says("Initial weights are random as well.")
@says(
    "`make_pair` [sets Keras' seed](same_run_twice.md), so each call returns "
    "the same start."
)
@says("Return a generator and a discriminator, new but always the same.")
@says("Return a network from the plane to so many numbers.")
@says(
    "The discriminator returns a *score* without an activation: above 0 it "
    "holds the point for real."
)
def test_a_pair() -> None:
    one, other = make_network(3, "one"), make_network(3, "other")
    assert one(NOISE).shape == (128, 3)
    assert not np.array_equal(one(NOISE), other(NOISE))
    (generator, discriminator), (again, _) = make_pair(), make_pair()
    assert np.array_equal(generator(NOISE), again(NOISE))
    again.layers[0].kernel.assign_add(tf.ones((2, 32)))
    assert not np.array_equal(generator(NOISE), again(NOISE))
    activation = discriminator.layers[-1].activation
    assert activation is tf.keras.activations.linear
    scores = discriminator(REAL).numpy()
    assert scores.min() < 0 < scores.max()
    above = float(np.mean(scores > 0))
    seen = share_right(discriminator, REAL, REAL)
    assert seen == pytest.approx(0.5)
    real_only = share_right(
        lambda p: discriminator(p) if p is REAL else tf.ones((128, 1)),
        REAL,
        NOISE,
    )
    assert real_only == pytest.approx(above / 2)
    assert "set_random_seed" in (DOCS / "same_run_twice.md").read_text("utf-8")


@says(
    "In `softplus(-score)` and `softplus(score)` you may know the binary "
    "cross-entropy of the labels 1 and 0, with `from_logits=True`."
)
@says("Return how badly real and fake points are told apart, by scores.")
@says("Return how seldom fake points are taken for real, by scores.")
def test_the_losses() -> None:
    scores = tf.constant([[0.3], [-2.0], [4.0]])
    entropy = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    ones, zeros = tf.ones((3, 1)), tf.zeros((3, 1))
    real, fake = float(entropy(ones, scores)), float(entropy(zeros, scores))
    assert float(generator_loss(scores)) == pytest.approx(real)
    both = float(discriminator_loss(scores, scores))
    assert both == pytest.approx(real + fake)
    apart, mixed = tf.constant([[5.0]]), tf.constant([[-5.0]])
    told = float(discriminator_loss(apart, mixed))
    assert told < 0.1 < float(discriminator_loss(mixed, apart))
    assert float(generator_loss(apart)) < float(generator_loss(mixed))


# Two steps


@says(
    "A GAN trains two networks together, with two losses and two optimizers: "
    "a generator makes points, a discriminator tells them from real ones, and "
    "each learns against the other."
)
@says("An update is the same for both models.")
@says("What differs is what it is given.")
@says("Update the variables of one model, by one loss.")
@says(
    "The discriminator's step needs fake points, but no gradient through the "
    "generator, so they are made above the tape."
)
@says("Return a step that updates the discriminator and returns its loss.")
@says(
    "The generator's step needs the whole way from noise to score on the tape."
)
@says("It updates the generator alone.")
@says("Return a step that updates the generator and returns its loss.")
@says("Both steps pass.")
@says("The two steps above are updates in turns.")
def test_the_two_steps() -> None:
    for name in ("discriminator_step", "generator_step"):
        assert BLOCKS[name].code.count("update(") == 1
    above, _ = highlighted(BLOCKS["discriminator_step"])
    assert above == "fake = generator(noise, training=True)"
    code = BLOCKS["discriminator_step"].code
    assert code.index(above) < code.index("tf.GradientTape()")
    code = BLOCKS["generator_step"].code
    assert code.index("tf.GradientTape()") < code.index(above)
    pair = generator, discriminator = make_pair()
    makers: Any = (make_discriminator_step, make_generator_step)
    steps = [make(*pair, SGD(0.5)).python_function for make in makers]
    check_update(discriminator, generator, steps[0], REAL, NOISE)
    # In turns: the generator sees the discriminator as it is by now.
    fake = generator(NOISE)
    assert (
        gradients_of(generator, lambda: generator_loss(discriminator(fake)))
        == [None] * 6
    )

    def judged() -> Any:
        return generator_loss(discriminator(generator(NOISE)))

    due, before = gradients_of(generator, judged), generator.get_weights()
    value = float(judged())
    assert float(steps[1](NOISE)) == pytest.approx(value)
    for old, new, slope in zip(
        before, generator.get_weights(), due, strict=True
    ):
        np.testing.assert_allclose(new, old - 0.5 * slope, atol=1e-6)
    check_update(generator, discriminator, steps[1], NOISE)
    model = Sequential([tf.keras.Input((1,)), Dense(1)])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(tf.ones((1, 1))))
    moved = movement(model.weights, update, model, SGD(0.5), tape, loss)
    assert moved == [0.5, 0.5]
    assert printed(NAME, "healthy") == "each step moves its own model"


# The loop


@says("Adam divides by a number to which it adds `epsilon`.")
def test_what_epsilon_does() -> None:
    for epsilon in (1.0, 9.0):
        variable = tf.Variable(0.0)
        adam = tf.keras.optimizers.Adam(1.0, epsilon=epsilon)
        adam.apply([tf.constant(1.0)], [variable])
        moved = -(0.001**0.5) / (0.001**0.5 + epsilon)
        assert float(variable) == pytest.approx(moved, rel=1e-4)


@says("Two optimizers may have two learning rates.")
@says(
    "Here the discriminator's is ten times that of the generator, so that it "
    "keeps up."
)
@says(
    "With the generator's rate for both, the points are about five times as "
    "far from the circle after 400 steps, and with the discriminator's they "
    "are further off, too."
)
@says(
    "With `1e-3` a start that is a millionth away ends with points "
    "less than a thousandth away, so rounding does little to it."
)
def test_the_rates(learned: Names) -> None:
    settings = re.findall(
        r"Adam\((.+?), beta_1=0.5, epsilon=1e-3\)", BLOCKS["optimizers"].code
    )
    assert [*map(float, settings)] == [0.01, 0.001]
    away = [
        [distance(points[run]) for run in range(4)]
        for points in learned["pictures"].values()
    ]
    shown = [row[1] for row in lines(NAME, "loop")]
    assert [row[0] for row in away] == pytest.approx(shown, abs=0.006)
    loop, _, slow, fast = away[-1]
    assert 4 < slow / loop < 6
    assert fast > 1.2 * loop
    end = learned["pictures"][400]
    assert 0 < abs(end[0] - end[1]).max() < 1e-3
    # NumPy rounds otherwise than TensorFlow, and the points are the same.
    drawn = figure(NAME, "pictures")[-1].points["line 2"]
    places = np.linspace(0, 299, 5).astype(int)
    for axis, values in enumerate(drawn):
        np.testing.assert_allclose(end[0][places, axis], values, atol=2e-3)


@says(
    "`beta_1=0.5` shortens Adam's memory, since the other model changes what "
    "is right."
)
def test_the_memory_of_adam() -> None:
    left = []
    for beta in (0.9, 0.5):
        variable, optimizer = tf.Variable(0.0), Adam(0.1, beta_1=beta)
        for gradient in (1.0, 0.0, 0.0, 0.0):
            before = float(variable)
            optimizer.apply([tf.constant(gradient)], [variable])
            if gradient:
                first = abs(float(variable) - before)
        left.append(abs(float(variable) - before) / first)
    assert left[1] < 0.5 * left[0]


@says(
    "Six pictures of the real ring, blue crosses, and of generated points, "
    "red dots: at step 0 a small streak in the middle, at steps 80 and 160 a "
    "cloud inside and outside of the ring, at step 240 a disc, at steps 320 "
    "and 400 points along the whole ring and a few within"
)
def test_the_pictures(learned: Names) -> None:
    titles = [axes.texts[0] for axes in figure(NAME, "pictures")]
    assert titles == [f"step {n}" for n in (0, 80, 160, 240, 320, 400)]
    code = BLOCKS["pictures"].code
    assert re.search(r'reals\[0\]\), "x", color=BLUE', code)
    assert re.search(r'points\), "\.", color=RED', code)
    points = {n: runs[0] for n, runs in learned["pictures"].items()}
    away = {n: np.linalg.norm(p, axis=1) for n, p in points.items()}
    length, width = np.linalg.svd(points[0])[1]
    assert length > 3 * width
    assert away[0].max() < 0.6
    for step in (80, 160):
        assert np.mean(away[step] > 1.1) > 0.4
        assert np.mean(away[step] < 0.9) > 0.2
    # A disc: about as many points in the inner half of its area.
    assert 0.3 < np.mean(away[240] < 1.3 / math.sqrt(2)) < 0.6
    assert np.quantile(away[240], 0.9) == pytest.approx(1.3, abs=0.1)
    for step in (320, 400):
        assert np.mean(abs(away[step] - 1) < 0.25) > 0.7
        assert 0.02 < np.mean(away[step] < 0.6) < 0.15
        angles = np.arctan2(*points[step].T[::-1])
        counts, _ = np.histogram(angles, 12, (-math.pi, math.pi))
        assert counts.min() >= 10


@says("Look at the losses as well, as means over 80 steps each.")
@says("Neither loss tells of the progress that the pictures show.")
@says("Whether a GAN learns, its samples tell.")
@says(
    "A discriminator that gives every point the score 0 has the loss `#!math "
    r"2 \log(2)`, or {{ 2 * math.log(2):.2f }}, and leaves the generator with "
    r"`#!math \log(2)`, or {{ math.log(2):.2f }}."
)
@says("Both losses stay near those values from beginning to end.")
@says("The two checks look at the samples and at the accuracy instead.")
def test_the_losses_do_not_tell(learned: Names) -> None:
    zeros = tf.zeros((5, 1))
    score_0 = [
        float(discriminator_loss(zeros, zeros)),
        float(generator_loss(zeros)),
    ]
    assert score_0 == pytest.approx([2 * LOG_2, LOG_2])
    assert record(NAME)["2 * math.log(2):.2f"] == f"{score_0[0]:.2f}"
    assert record(NAME)["math.log(2):.2f"] == f"{score_0[1]:.2f}"
    shown = lines(NAME, "verdict")[:2]
    for losses, means, due in zip(
        learned["losses"], shown, score_0, strict=True
    ):
        by_hand = np.reshape(losses, (5, 80)).mean(axis=1)
        assert by_hand == pytest.approx(means, abs=0.006)
        assert abs(by_hand - due).max() < 0.15
        assert abs(np.array(losses) - due).max() < 0.25
        assert abs(by_hand[-1] - by_hand[0]) < 0.1
    away = [row[1] for row in lines(NAME, "loop")]
    assert sorted(away, reverse=True) == away
    assert away[0] > 5 * away[-1]
    checks = BLOCKS["verdict"].code.rstrip().split("\n")[-2:]
    assert checks == [
        "assert distance(generator(shown)) < 0.2",
        "assert right < 0.9",
    ]


# The check


@says(
    "Mistakes 2 and 5 below are found by one question: which weights did it "
    "move?"
)
@says("Return how far an act moves each weight: its largest change.")
@says("Assert that an act moves every weight of one model, no other.")
def test_check_update() -> None:
    asked = set()
    for title, text in sections(NAME).items():
        for name in re.findall(r':(\w+)"', text):
            if re.search("check_update|movement", BLOCKS[name].code):
                asked.add(title[0])
    # Its own section, the part of the fifth that is named by a warning, and
    # those on the teacher and on features.
    assert asked == {"a", "2", "5", "t", "k", "p"}
    weights = [tf.Variable([1.0, 2.0]), tf.Variable(5.0)]
    far = movement(weights, weights[0].assign_add, tf.constant([0.5, -3.0]))
    assert far == [3.0, 0.0]
    generator, discriminator = small_pair()

    def move(*moved: Any) -> None:
        for weight in moved:
            weight.assign(weight + 1.0)

    check_update(generator, discriminator, move, *generator.weights)
    with pytest.raises(AssertionError, match="the generator stands still"):
        check_update(generator, discriminator, move, generator.weights[0])
    all_of_them = generator.weights + discriminator.weights[1:]
    with pytest.raises(AssertionError, match="discriminator moves as well"):
        check_update(generator, discriminator, move, *all_of_them)


# 1. Two models, one tape


@says("Noise is turned into scores twice in each round of our loop.")
@says("It saves a pass to do it once and use the scores for both losses.")
@says("By then the discriminator has been updated, and the generator has not.")
@says("**The check** is the error.")
@says("But it comes only when the line is reached.")
@says(
    "Both are updates *at once*: the generator is judged by the "
    "discriminator as it was before its update."
)
def test_one_tape_and_two() -> None:
    pair = generator, discriminator = make_pair()
    calls: list[str] = []

    class Counted:
        def __init__(self, model: Any) -> None:
            self.model = model
            self.trainable_variables = model.trainable_variables

        def __call__(self, *arguments: Any, **options: Any) -> Any:
            calls.append(self.model.name)
            return self.model(*arguments, **options)

    counted: Any = [Counted(model) for model in pair]
    makers: Any = (make_discriminator_step, make_generator_step)
    steps = [make(*counted, SGD(0.1)).python_function for make in makers]
    steps[0](REAL, NOISE)
    steps[1](NOISE)
    assert [calls.count(model.name) for model in pair] == [2, 3]
    names = {
        "generator": counted[0],
        "discriminator": counted[1],
        "real": REAL,
        "noise": NOISE,
        "d_optimizer": SGD(0.1),
        "g_optimizer": SGD(0.1),
    }

    def one_tape() -> None:
        with pytest.raises(RuntimeError, match="non-persistent GradientTape"):
            ran("two_models_traps", "one_tape", **names)

    check_update(discriminator, generator, one_tape)
    calls.clear()
    old = [model.get_weights() for model in pair]

    def g_loss() -> Any:
        return generator_loss(discriminator(generator(NOISE)))

    due = gradients_of(generator, g_loss)
    ran("two_models_traps", "two_tapes", **names)
    assert [calls.count(model.name) for model in pair] == [1, 2]
    assert not np.array_equal(discriminator.get_weights()[0], old[1][0])
    for before, after, slope in zip(
        old[0], generator.get_weights(), due, strict=True
    ):
        np.testing.assert_allclose(after, before - 0.1 * slope, atol=1e-6)
    for name in ("one_tape", "two_tapes", "persistent", "uncut"):
        called = re.findall(r"(?:gen|discrim)\w+tor\((.*)", BLOCKS[name].code)
        assert len(called) == 2
        assert all("training=True)" in arguments for arguments in called)
    now = gradients_of(generator, g_loss)
    assert any(
        abs(a - b).numpy().max() > 1e-4 for a, b in zip(due, now, strict=True)
    )


@says(
    "A tape that is not persistent forgets what it has recorded when it is "
    "asked for gradients."
)
@says("A persistent tape keeps all that it recorded until it is deleted.")
@says("The two tapes forget theirs with the call of `gradient`.")
@pytest.mark.parametrize("persistent", [False, True])
def test_what_a_tape_keeps(persistent: bool) -> None:
    variable = tf.Variable(2.0)
    recorded: list[Any] = []

    @tf.custom_gradient
    def double(value: Any) -> Any:
        def slope(upstream: Any) -> Any:
            return 2 * upstream

        recorded.append(weakref.ref(slope))
        return 2 * value, slope

    with tf.GradientTape(persistent=persistent) as tape:
        result = double(variable)
    assert recorded[0]() is not None
    assert float(tape.gradient(result, variable)) == 2
    assert (recorded[0]() is not None) is persistent
    if persistent:
        assert float(tape.gradient(result, variable)) == 2
        del tape
        assert recorded[0]() is None
    else:
        with pytest.raises(
            RuntimeError, match="A non-persistent GradientTape"
        ):
            tape.gradient(result, variable)


@says(
    "One tape with `persistent=True` gives the same gradients, as [exercise "
    "1](#exercises) shows."
)
@says("Record the two losses once, on two tapes and on a persistent one.")
@says("Are the gradients the same?")
def test_a_persistent_tape() -> None:
    pair = generator, discriminator = make_pair()
    names = ran(
        "two_models_traps",
        "persistent",
        generator=generator,
        discriminator=discriminator,
        real=REAL,
        noise=NOISE,
    )
    for model, letter in zip(pair, "gd", strict=True):
        loss, own = names[f"{letter}_loss"], names[f"{letter}_tape"]
        variables = model.trainable_variables
        for one, other in zip(
            own.gradient(loss, variables),
            names["tape"].gradient(loss, variables),
            strict=True,
        ):
            assert np.array_equal(one, other)
    assert [row[0] for row in lines(NAME, "same_gradients")] == [0, 0]
    assert ':same_gradients"' in sections(NAME)["exercises"]


@says("Calling GradientTape.gradient on a persistent tape inside its context")
@says(
    "The whole warning says that this `is significantly less efficient`, once "
    "in a program."
)
@says(
    "The gradients are right, but the tape, which is not closed yet, records "
    "how they are computed, too."
)
@says(
    "Only a gradient that is part of a loss, as in a [gradient "
    "penalty](errors_in_a_step.md#the-second-derivative-is-none), has to be "
    "inside of a tape."
)
def test_a_gradient_inside_of_a_persistent_tape() -> None:
    told = logged(
        "import tensorflow as tf\n"
        "w = tf.Variable(3.0)\n"
        "with tf.GradientTape(persistent=True) as tape:\n"
        "    cube = w**3\n"
        "    for _ in range(3):\n"
        "        tape.gradient(cube, w)\n"
    )
    title = "Calling GradientTape.gradient on a persistent tape inside its "
    whole = title + "context is significantly less efficient"
    assert " ".join(told.split()).count(whole) == 1

    def second(inside: bool, persistent: bool) -> Any:
        w = tf.Variable(3.0)
        with tf.GradientTape(persistent=persistent) as outer:
            with tf.GradientTape(persistent=True) as tape:
                cube = w**3
                if inside:
                    slope = tape.gradient(cube, w)
            if not inside:
                slope = tape.gradient(cube, w)
            assert float(slope) == 27.0
        return tape.gradient(slope, w), outer.gradient(slope, w)

    assert [*map(float, second(inside=True, persistent=True))] == [18.0] * 2
    left = second(inside=False, persistent=False)
    assert left[0] is None
    assert float(left[1]) == 18.0
    errors = sections("errors_in_a_step")
    assert "gradient penalty" in errors["the-second-derivative-is-none"]


# 2. The wrong variables


@says(
    "An update by the generator's loss that is given the variables of both "
    "models teaches the discriminator to take fakes for real."
)
@says(
    "With networks the slip is often called `gan`: a model made of both, for "
    "it has the trainable variables of both."
)
@says("Return a step that updates whatever of the pair is trainable.")
@says("**The check** is `check_update`.")
@says(
    "The mend is `make_generator_step`, which names the model whose "
    "variables it updates."
)
def test_the_wrong_variables() -> None:
    pair = generator, discriminator = make_pair()
    gan = Sequential(pair)
    both = generator.trainable_variables + discriminator.trainable_variables
    assert [*map(id, gan.trainable_variables)] == [*map(id, both)]
    fake = generator(NOISE)
    before = float(tf.reduce_mean(discriminator(fake)))
    step = make_gan_step(gan, SGD(0.1))
    with pytest.raises(AssertionError, match="discriminator moves as well"):
        check_update(generator, discriminator, step, NOISE)
    assert float(tf.reduce_mean(discriminator(fake))) > before
    moved = movement(generator.weights, step, NOISE)
    assert min(moved) > 0
    discriminator.trainable = False
    check_update(generator, discriminator, step, NOISE)
    assert printed(NAME, "gan_variables") == (
        "AssertionError: the discriminator moves as well"
    )
    code = BLOCKS["generator_step"].code
    assert "update(generator, optimizer, tape, loss)" in code
    discriminator.trainable = True
    mend: Any = make_generator_step(*pair, SGD(0.1))
    check_update(generator, discriminator, mend.python_function, NOISE)


@says("In the smallest GAN this is what comes of it.")
@says("Update the slope by its own loss, and both by the point's loss.")
@says(
    "The slope is pulled one way by its own loss and as far the other way by "
    "the point's."
)
@says("So it stays 0, and where the slope is 0, the point has nowhere to go.")
def test_the_pulls_on_the_slope() -> None:
    assert {*play(both_moved, rounds=5)} == {(1.0, 0.0)}
    assert lines(NAME, "wrong_variables") == [[0, 1, 0], [30, 1, 0]]

    class Noted(tf.keras.optimizers.SGD):
        def apply_gradients(self, pairs: Any) -> Any:
            pairs = [*pairs]
            given.append({id(v): float(g) for g, v in pairs})
            return super().apply_gradients(pairs)

    for start in (0.0, 0.5):
        point, slope = tf.Variable(1.0), tf.Variable(start)
        given: list[dict[int, float]] = []
        both_moved(point, slope, Noted(0.1), Noted(0.1), 0.0)
        own, others = given
        assert own == {id(slope): 1.0}
        assert others == {id(slope): -1.0, id(point): -start}
        assert float(slope) == start
        assert float(point) == pytest.approx(1.0 + 0.1 * start)


# 3. One loss for both


@pytest.fixture(scope="module")
def summed() -> Names:
    given = {"reals": REALS, "noises": NOISES, "shown": SHOWN}
    return ran("two_models_traps", "summed", **given)


@says(
    "No error, and both losses are near `#!math \\log(2)`, or {{ "
    "math.log(2):.2f }}: they look balanced."
)
@says("But the points have left the circle far behind.")
@says(
    "It goes where its scores are near zero, and the discriminator's steps "
    "lower the same sum."
)
@says(
    "Real points have a score of {{ "
    "tf.reduce_mean(discriminator(reals[100])):.1f }} by now, and add almost "
    "nothing to it."
)
@says(
    "`distance(generator(shown)) < 0.2`, from the verdict of the training "
    "loop, fails here."
)
@says("**The check** looks at the samples.")
def test_the_sum_looks_balanced(summed: Names) -> None:
    losses = [float(summed[name]) for name in ("d_loss", "g_loss")]
    assert losses == pytest.approx([LOG_2] * 2, abs=0.05)
    start, end = lines(NAME, "summed")
    assert end[:2] == pytest.approx(losses, abs=0.006)
    assert start[2] < 1 < 2.5 < end[2]
    generator, discriminator = summed["generator"], summed["discriminator"]
    assert distance(generator(SHOWN)) == pytest.approx(end[2], abs=0.06)
    assert abs(discriminator(generator(SHOWN))).numpy().max() < 0.3
    score = float(tf.reduce_mean(discriminator(REALS[100])))
    kept = record(NAME)["tf.reduce_mean(discriminator(reals[100])):.1f"]
    assert score == pytest.approx(float(kept), abs=0.06)
    missed = tf.reduce_mean(tf.nn.softplus(-discriminator(REALS[100])))
    assert 0 < float(missed) < 0.05
    check = BLOCKS["verdict"].code.rstrip().split("\n")[-2]
    assert check == "assert distance(generator(shown)) < 0.2"
    with pytest.raises(AssertionError):
        exec(check, summed)


@says("Return a step that updates both models by the sum of both losses.")
@says(
    "In the sum, a fake point with the score `#!math s` counts `#!math "
    r"\log(1 + e^s) + \log(1 + e^{-s})`, which is least at `#!math s = 0`."
)
@says("The generator no longer wants to pass for real.")
def test_the_sum() -> None:
    scores = tf.constant([-2.0, -0.5, 0.0, 0.5, 2.0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(scores)
        own = tf.nn.softplus(-scores)
        total = discriminator_loss(tf.ones(1), scores) * 5 + tf.reduce_sum(own)
    due = np.log(1 + np.exp(scores)) + np.log(1 + np.exp(-scores.numpy()))
    assert due.argmin() == 2
    each = tf.nn.softplus(scores) + own
    np.testing.assert_allclose(each, due, rtol=1e-5)
    slopes = tape.gradient(total, scores).numpy()
    assert np.sign(np.round(slopes, 5)).tolist() == [-1, -1, 0, 1, 1]
    assert np.all(tape.gradient(own, scores) < 0)
    pair = generator, discriminator = make_pair()

    def both() -> Any:
        fake = discriminator(generator(NOISE))
        real = discriminator(REAL)
        return discriminator_loss(real, fake) + generator_loss(fake)

    value = float(both())
    due = [gradients_of(model, both) for model in pair]
    old = [model.get_weights() for model in pair]
    found = make_summed_step(*pair)(REAL, NOISE)
    assert float(sum(found)) == pytest.approx(value)
    for model, before, slopes in zip(pair, old, due, strict=True):
        for a, b, slope in zip(
            before, model.get_weights(), slopes, strict=True
        ):
            np.testing.assert_allclose(b, a - 0.5 * slope, atol=1e-6)


# 4. One optimizer for two models


@says("The smallest GAN again, with one optimizer for both.")
@says("An optimizer is built for the variables that it is given first.")
@says("Told of both models beforehand, it takes both without an error.")
def test_one_optimizer() -> None:
    code = BLOCKS["one_optimizer"].code
    assert "in_turns(point, slope, optimizer, optimizer)" in code
    point, slope = tf.Variable(1.0, name="point"), tf.Variable(0.0)
    optimizer = Adam(0.1)
    with pytest.raises(ValueError, match=r"Unknown variable: .*point"):
        in_turns(point, slope, optimizer, optimizer)
    assert float(slope) == pytest.approx(-0.1, rel=1e-4)
    assert printed(NAME, "one_optimizer").startswith(
        "ValueError: Unknown variable: <tf.Variable 'point:0'"
    )
    [told] = highlighted(BLOCKS["counted_twice"])
    assert told == "optimizer.build([slope, point])"
    optimizer = Adam(0.1)
    optimizer.build([slope, point])
    in_turns(point, slope, optimizer, optimizer)
    assert int(optimizer.iterations) == 2


@says(
    "Both had the same gradient and the same learning rate, and with Adam a "
    "constant gradient moves a variable by the learning rate in each round."
)
@says(
    "After one round the point is not as far as that, after thirty both are "
    "further."
)
@says(
    "Adam corrects its averages by the number of updates, and the optimizer "
    "has counted two where each variable has seen one."
)
@says(
    "**The check** is that an optimizer has counted one update in each round."
)
def test_updates_that_are_counted_twice() -> None:
    def moved(counts: range) -> float:
        """Return the way, if so many are counted when one more is seen."""
        way = 0.0
        for seen, counted in enumerate(counts, 1):
            first = (1 - 0.9**seen) / (1 - 0.9**counted)
            second = (1 - 0.999**seen) / (1 - 0.999**counted)
            way += 0.1 * first / math.sqrt(second)
        return way

    assert moved(range(1, 31)) == pytest.approx(30 * 0.1)
    first, last, count = lines(NAME, "counted_twice")
    assert first == pytest.approx([0.1, moved(range(2, 3))], abs=1e-3)
    due = [moved(range(1, 60, 2)), moved(range(2, 61, 2))]
    assert last == pytest.approx(due, abs=1e-3)
    assert first[1] < 0.1
    assert min(last) > 30 * 0.1
    assert count == [60]
    assert lines(NAME, "two_optimizers") == [[3, 3]]
    assert last_line("two_optimizers") == (
        "assert int(optimizer.iterations) == rounds"
    )
    variables = tf.Variable(0.0), tf.Variable(0.0)
    optimizer = Adam(0.1)
    optimizer.build(variables)
    for _ in range(3):
        for variable in variables:
            optimizer.apply([tf.constant(-1.0)], [variable])
    with pytest.raises(AssertionError):
        exec(
            last_line("two_optimizers"), {"optimizer": optimizer, "rounds": 3}
        )
    found = [float(variable) for variable in variables]
    due = [moved(range(1, 6, 2)), moved(range(2, 7, 2))]
    assert found == pytest.approx(due, rel=1e-4)


@says("A learning-rate schedule would run down twice as fast as well.")
def test_a_schedule_runs_down_twice_as_fast() -> None:
    decay = tf.keras.optimizers.schedules.PolynomialDecay(1.0, 10, 0.0)
    shared, own, other = (SGD(decay) for _ in range(3))
    point, slope = tf.Variable(1.0), tf.Variable(0.0)
    shared.build([point, slope])
    for optimizers in ((shared, shared), (own, other)):
        for _ in range(3):
            in_turns(point, slope, *optimizers)
    assert float(own.learning_rate) == pytest.approx(1 - 3 / 10)
    assert float(shared.learning_rate) == pytest.approx(1 - 6 / 10)


# 5. discriminator.trainable = False


@says(
    "Another way to update only the generator is to freeze the discriminator: "
    "the step of `gan` then finds only the generator's variables."
)
@says("So it does, run eagerly.")
@says("Compiled, it depends on when it was first called.")
@says(
    "The compiled step asked for the trainable variables when it was traced, "
    "and keeps what it was told."
)
@says("**The check** is `check_update` again, put to the *compiled* step.")
def test_the_flag_and_the_compiled_step() -> None:
    eager, compiled = (row[0] for row in lines(NAME, "flags"))
    assert eager == 0 < 0.01 < compiled
    for first in (True, False):
        pair = generator, discriminator = small_pair()
        gan = Sequential(pair)
        step = make_gan_step(gan, SGD(0.1))
        graph = tf.function(step)
        discriminator.trainable = first
        graph(NOISE)
        discriminator.trainable = False
        names = [id(v) for v in gan.trainable_variables]
        assert names == [*map(id, generator.trainable_variables)]
        check_update(generator, discriminator, step, NOISE)
        if first:
            with pytest.raises(AssertionError, match="moves as well"):
                check_update(generator, discriminator, graph, NOISE)
        else:
            check_update(generator, discriminator, graph, NOISE)
            discriminator.trainable = True
            check_update(generator, discriminator, graph, NOISE)


@says("A step that names the variables it updates needs no flag.")
@says("The generator's is right whether the discriminator is frozen or not.")
@says(
    "(The discriminator's own step would have nothing to update while it is "
    "frozen, and raises a `ValueError`.)"
)
def test_no_flag_is_needed() -> None:
    assert "make_generator_step(" in BLOCKS["no_flags"].code
    for trainable in (True, False):
        pair = generator, discriminator = small_pair()
        discriminator.trainable = trainable
        step = make_generator_step(*pair, SGD(0.1))
        for now in (trainable, not trainable):
            discriminator.trainable = now
            check_update(generator, discriminator, step, NOISE)
        own = make_discriminator_step(*pair, SGD(0.1))
        discriminator.trainable = False
        with pytest.raises(ValueError, match="not enough values"):
            own(REAL, NOISE)
        discriminator.trainable = True
        check_update(discriminator, generator, own, REAL, NOISE)


@says(
    "With `BatchNormalization` in one model the step of the other would not "
    "pass: called with `training=True`, that layer moves its averages, "
    "whoever learns."
)
@says(
    "Nor would a learner pass whose gradients are 0 somewhere, as below a "
    "last layer that starts with zeros."
)
def test_batch_normalization_moves_in_either_step() -> None:
    generator, _ = small_pair()
    layer = tf.keras.layers.BatchNormalization()
    inputs = [tf.keras.Input((2,)), layer, Dense(1)]
    discriminator = Sequential(inputs, name="discriminator")
    step = make_generator_step(generator, discriminator, SGD(0.1))
    with pytest.raises(AssertionError, match="the discriminator moves as"):
        check_update(generator, discriminator, step, NOISE)
    moved = movement(layer.non_trainable_weights, step, NOISE)
    assert min(moved) > 0
    assert max(movement(discriminator.trainable_weights, step, NOISE)) == 0
    assert max(movement(discriminator.weights, discriminator, NOISE)) == 0
    inputs = [tf.keras.Input((2,)), layer, Dense(2)]
    generator = Sequential(inputs, name="generator")
    _, discriminator = small_pair()
    step = make_discriminator_step(generator, discriminator, SGD(0.1))
    with pytest.raises(AssertionError, match="the generator moves as"):
        check_update(discriminator, generator, step, NOISE, NOISE)
    last = Dense(2, kernel_initializer="zeros")
    inputs = [tf.keras.Input((2,)), Dense(3), last]
    generator = Sequential(inputs, name="generator")
    step = make_generator_step(generator, discriminator, SGD(0.1))
    with pytest.raises(AssertionError, match="the generator stands still"):
        check_update(generator, discriminator, step, NOISE)


@says(
    "In Keras 3 the flag is read when a model's step is traced, at its first "
    "batch."
)
@says("The discriminator does not learn.")
@says("It says so once, in a warning.")
@says(
    "Setting the flag back does not help, since the step has been made and "
    "stays, for batches of that size, until `compile` is called again."
)
def test_the_recipe_of_keras_2() -> None:
    first, warning, second = printed(NAME, "recipe_step").split("\n")
    assert first == "trainable False: moved by 0.0000"
    assert second == "trainable True: moved by 0.0000"
    assert warning == "The model does not have any trainable weights."
    loss = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    _, model = small_pair()
    labels = tf.ones((128, 1))

    def moves() -> bool:
        return max(movement(model.weights, act, REAL, labels)) > 0

    act = model.train_on_batch
    model.compile("sgd", loss)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model.trainable = False
        assert not moves()
        model.trainable = True
        assert not moves()
    assert [str(w.message) for w in told] == [warning]
    fewer = REAL[:64], labels[:64]
    assert min(movement(model.weights, act, *fewer)) > 0
    assert not moves()
    model.compile("sgd", loss)
    assert moves()
    model.trainable = False
    assert moves()


# 6. A generator without gradients


@says("The generator learns through the discriminator.")
@says("NumPy cuts the way.")
@says(
    "`generator.predict(noise)` returns a NumPy array and cuts it, too, and "
    "so does `tf.Variable(fake)`."
)
@says("Call the model, and hand on what it returns.")
@says("**The check** is the last line.")
def test_what_cuts_the_way() -> None:
    generator, discriminator = small_pair()
    generator.compile(run_eagerly=True)
    ways: list[Any] = [
        lambda: generator(NOISE),
        lambda: generator(NOISE).numpy(),
        lambda: generator.predict(NOISE, verbose=0),
        lambda: tf.Variable(generator(NOISE)),
    ]
    assert isinstance(ways[2](), np.ndarray)
    for cut, way in enumerate(ways):
        gradients = gradients_of(
            generator, lambda way=way: generator_loss(discriminator(way()))
        )
        check = last_line("uncut")
        assert check == "assert None not in gradients"
        if cut:
            assert gradients == [None] * 2
            with pytest.raises(AssertionError):
                exec(check, {"gradients": gradients})
            continue
        assert None not in gradients
        assert min(abs(g).numpy().max() for g in gradients) > 0
    assert ".numpy()" in highlighted(BLOCKS["cut"])[0]
    assert printed(NAME, "cut") == (
        "missing: 6 of 6\nValueError: No gradients provided for any variable."
    )
    assert lines(NAME, "uncut") == [[0, 6]]


@says(
    "In a compiled step `.numpy()` raises `AttributeError`, and "
    "`tf.constant(fake)` a `TypeError: Expected any non-tensor type, but got "
    "a tensor instead`."
)
def test_what_cuts_in_a_compiled_step() -> None:
    generator, _ = small_pair()
    compiled = [
        tf.function(lambda: generator(NOISE).numpy()),
        tf.function(lambda: tf.constant(generator(NOISE))),
    ]
    with pytest.raises(AttributeError, match="numpy"):
        compiled[0]()
    said = "Expected any non-tensor type, but got a tensor instead"
    with pytest.raises(TypeError, match=said):
        compiled[1]()


# 7. A discriminator that wins


@pytest.fixture(scope="module")
def beaten() -> Names:
    """A discriminator that learned alone, by NumPy: losses, gradients."""
    generator, discriminator = (stacked(model, 1) for model in make_pair())
    for real, noise in zip(
        REALS[:200].numpy(), NOISES[:200].numpy(), strict=True
    ):
        fake, inputs = forward(generator, noise)
        loss, found = step_of_discriminator(discriminator, real, fake)
        for weight, slope in zip(discriminator, found, strict=True):
            weight -= 0.5 * slope
    scores, into = forward(discriminator, fake)
    lengths = []
    for slope in (-sigma(scores), sigma(scores) - 1):
        _, by_fake = backward(discriminator, into, slope / len(noise))
        found, _ = backward(generator, inputs, by_fake)
        lengths.append(math.sqrt(sum(np.sum(g**2) for g in found)))
    real_scores, _ = forward(discriminator, real[np.newaxis])
    return {
        "loss": loss,
        "fake": scores[0],
        "real": real_scores[0],
        "lengths": lengths,
    }


@says("Let the discriminator learn alone for a while.")
@says("It is right about every point.")
@says("Compare the gradients that reach the generator.")
@says("Where the discriminator is sure, `#!math \\sigma(s)` is close to 0.")
@says("That is why the loop above has `generator_loss`.")
@says(
    "**The check** is the accuracy: `right < 0.9`, the last line of the "
    "training loop's verdict, fails here."
)
def test_a_discriminator_that_wins(beaten: Names) -> None:
    assert "train_generator" not in BLOCKS["beaten"].code
    assert beaten["real"].min() > 0 > beaten["fake"].max()
    [[loss, right]] = lines(NAME, "beaten")
    assert loss == pytest.approx(beaten["loss"], abs=0.006)
    assert right == 1
    shown = lines(NAME, "vanished")
    values = [
        -np.logaddexp(0, beaten["fake"]).mean(),
        np.logaddexp(0, -beaten["fake"]).mean(),
    ]
    for row, value, length in zip(
        shown, values, beaten["lengths"], strict=True
    ):
        assert row == pytest.approx([value, length], abs=0.02)
    small, large = beaten["lengths"]
    assert small < 0.05 * large
    assert sigma(beaten["fake"]).max() < 0.1
    assert "generator_loss(" in BLOCKS["generator_step"].code
    assert last_line("verdict") == "assert right < 0.9"
    with pytest.raises(AssertionError):
        exec(last_line("verdict"), {"right": right})


@says(
    "The *minimax* form of a GAN has one value that the discriminator makes "
    "large and the generator small."
)
@says("Of that value the generator moves this part.")
@says("Return the discriminator's loss of the fake points, negated.")
@says(
    "A fake point with the score `#!math s` passes on `#!math -\\sigma(s)` in "
    "the first loss and `#!math \\sigma(s) - 1` in the second."
)
@says("Then the first is close to 0 and the second to -1, which is its limit.")
def test_the_minimax_loss() -> None:
    real, fake = tf.constant([[2.0], [-1.0]]), tf.constant([[-8.0], [0.5]])
    sure = float(tf.reduce_mean(tf.math.log(tf.sigmoid(real))))
    part = float(tf.reduce_mean(tf.math.log(1 - tf.sigmoid(fake))))
    assert float(minimax_loss(fake)) == pytest.approx(part, rel=1e-4)
    value = -float(discriminator_loss(real, fake))
    assert value == pytest.approx(sure + part, rel=1e-4)
    no_real = discriminator_loss(tf.constant([[100.0]]), fake)
    assert float(minimax_loss(fake)) == pytest.approx(-float(no_real))
    for loss, due in (
        (minimax_loss, -sigma(fake.numpy())),
        (generator_loss, sigma(fake.numpy()) - 1),
    ):
        with tf.GradientTape() as tape:
            tape.watch(fake)
            mean = loss(fake)
        # Of a mean of two points; the generator makes it small.
        slopes = 2 * tape.gradient(mean, fake)
        np.testing.assert_allclose(slopes, due, rtol=1e-3)
    assert abs(slopes[0, 0] + 1) < 1e-3
    assert sigma(-8.0) < 1e-3
    assert np.all(sigma(np.linspace(-30, 30, 99)) - 1 >= -1)


# A WGAN


@pytest.fixture(scope="module")
def critics() -> Names:
    """The critic after it learned alone, and what belongs to it."""
    return ran("two_models_wgan", "critic", reals=REALS, noises=NOISES)


@says("WGAN: a critic, n_critic and weight clipping")
@says(
    "It gives scores and no probabilities, so there is no sigmoid and no "
    "logarithm."
)
@says(
    "It makes the difference of two means large: the score of real points "
    "less that of fakes. Its loss is that difference with a minus."
)
@says("Return a step of the critic, which clips its weights to the limit.")
@says(
    "So that it cannot grow by larger weights alone, all weights of the "
    "critic are clipped, after each of its steps."
)
def test_a_step_of_a_critic() -> None:
    generator, critic = small_pair()
    for _ in range(2):
        before = [w.numpy() for w in generator.weights]
        real, fake = critic(REAL), critic(generator(NOISE))
        due = -(real.numpy().mean() - fake.numpy().mean())
        step = make_critic_step(generator, critic, SGD(1.0), 0.1)
        assert float(step(REAL, NOISE)) == pytest.approx(due, abs=1e-5)
        assert max(abs(w.numpy()).max() for w in critic.weights) <= 0.1 + 1e-7
        for now, then in zip(generator.weights, before, strict=True):
            np.testing.assert_array_equal(now, then)
    assert "sigmoid" not in BLOCKS["critic_step"].code
    assert "log" not in BLOCKS["critic_step"].code.split(":\n")[-1]
    free = make_critic_step(generator, critic, SGD(1.0), 1e9)
    losses = [float(free(REAL, NOISE + 1.0)) for _ in range(5)]
    assert losses == sorted(losses, reverse=True)
    assert abs(critic.weights[0].numpy()).max() > 0.1


@says(
    "**A critic's loss is negative**, and should be: 0 is the loss of a "
    "critic that scores all points alike."
)
def test_the_loss_of_a_critic_is_negative() -> None:
    losses = [loss for _, loss in lines(NAME, "critic")]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] < 0
    generator, critic = small_pair()
    critic.set_weights([tf.zeros((2, 1)), tf.ones(1)])
    step = make_critic_step(generator, critic, SGD(0.0), 1.0)
    assert float(step(REAL, NOISE)) == 0.0


@says(
    "A critic that is ahead does no harm, for no sigmoid makes its slopes "
    "small."
)
def test_a_critic_that_is_ahead_has_slopes(critics: Names) -> None:
    generator, critic = critics["generator"], critics["critic"]

    def length() -> float:
        found = gradients_of(
            generator, lambda: -tf.reduce_mean(critic(generator(NOISE)))
        )
        return float(tf.linalg.global_norm(found))

    early = length()
    for step in range(60):
        critics["train_critic"](REALS[step], NOISES[step])
    assert length() > 0.5 * early > 0.05


@says(
    "So it takes `n_critic` steps for each of the generator, whose loss is "
    "minus the mean score of its points."
)
@says("The points have come closer, in 80 steps of the generator.")
def test_a_round_of_the_wgan() -> None:
    [[before], [after]] = lines(NAME, "wgan")
    assert after < before / 2
    code = BLOCKS["wgan"].code
    assert "n_critic = 5\n" in code
    assert len(REALS) // 5 == 80
    chosen, loss = highlighted(BLOCKS["wgan"])
    assert "step % n_critic == 0" in chosen
    assert "-tf.reduce_mean(critic(" in loss


@says("If the critic's loss rises and stays above 0, look for the sign.")
def test_a_critic_with_the_other_sign() -> None:
    generator, critic = small_pair()
    told = []
    for _ in range(20):
        with tf.GradientTape() as tape:
            real, fake = critic(REAL), critic(generator(NOISE) + 1.0)
            loss = tf.reduce_mean(fake) - tf.reduce_mean(real)
            wrong = -loss
        update(critic, SGD(0.1), tape, wrong)
        told.append(float(loss))
    assert told == sorted(told)
    assert told[-1] > 0


@says(
    "If it stays close to 0 from the start, the limit may be too small. With "
    "the limit 0.01, as in the paper, the score of this small critic cannot "
    "rise by more than 0.0015 from one point to another at a distance of 1."
)
def test_a_limit_that_is_too_small() -> None:
    _, critic = make_pair()
    sizes = [w.shape for w in critic.weights if len(w.shape) == 2]
    assert sizes == [(2, 32), (32, 32), (32, 1)]
    steepest = 0.01**3 * 32 * 32 * math.sqrt(2)  # tanh is nowhere steeper
    assert 0.00144 < steepest < 0.0015
    critic.set_weights([0.01 * np.ones(w.shape) for w in critic.weights])
    ends = tf.constant([[0.0, 0.0], [math.sqrt(0.5)] * 2])
    low, high = critic(ends).numpy()[:, 0]
    assert 0.0014 < high - low < 0.0015
    assert BLOCKS["critic"].code.count("0.3)") == 1


@says(
    "A gradient penalty takes the place of the clipping: [exercise "
    "2](errors_in_a_step.md#exercises) of errors in a step has one, and [not "
    "a number](not_a_number.md) tells when its root is NaN."
)
def test_where_a_penalty_is() -> None:
    errors = sections("errors_in_a_step")["exercises"]
    assert "**2. A gradient penalty.**" in errors
    text = " ".join((DOCS / "not_a_number.md").read_text("utf-8").split())
    assert "The gradient penalty of a WGAN has such a root" in text


# A target network


def values() -> tuple[Any, Any, Any]:
    """Return a network, a copy, and what was seen."""
    online = make_network(2, "online")
    target = tf.keras.models.clone_model(online)
    target.set_weights(online.get_weights())
    action = tf.zeros(len(NOISE), tf.int32)
    return online, target, (NOISE, action, NOISE[:, 0], NOISES[1])


@says(
    "A deep Q-network (DQN) gives each action in a state a *value*. It learns "
    "towards the reward plus 0.9 times the best value of the next state, "
    "which it takes from a copy of itself, the *target network*."
)
@says("Return how far the values are from what the target hopes for.")
@says(
    "Seen are the states, in the rows of a matrix, the number of the action "
    "taken in each, the rewards, and the states that followed."
)
def test_the_loss_is_least_at_reward_and_best_value() -> None:
    online, target, seen = values()
    assert online(NOISE).shape == (len(NOISE), 2)
    kernel, bias = online.weights[-2:]
    kernel.assign(tf.zeros_like(kernel))
    best = tf.reduce_max(target(seen[3]), axis=1)
    for reward, value in ((1.0, 1.0), (2.0, 1.5)):
        rewards = reward - 0.9 * best
        bias.assign([value, 7.0])
        loss = q_loss(online, target, seen[0], seen[1], rewards, seen[3])
        column = rewards[:, tf.newaxis]
        with pytest.raises(tf.errors.InvalidArgumentError, match="compatib"):
            q_loss(online, target, seen[0], seen[1], column, seen[3])
        column = seen[1][:, tf.newaxis]
        with pytest.raises(tf.errors.InvalidArgumentError, match="compatib"):
            q_loss(online, target, seen[0], column, rewards, seen[3])
        assert float(loss) == pytest.approx((reward - value) ** 2, abs=1e-5)
    [aim] = highlighted(BLOCKS["q_loss"])
    assert "tf.stop_gradient(" in aim


@says(
    "No optimizer updates the copy. It follows by `assign`, a share of the "
    "way at a time: the *soft update*."
)
@says("A target network that follows its model")
@says("Move each weight of the target by a share of the way to the model's.")
def test_the_copy_follows() -> None:
    [shown] = numbers(printed(NAME, "target_network"))
    assert shown > 0
    online, target, _ = values()
    for weight in online.weights:
        weight.assign_add(tf.ones_like(weight))
    for left in (0.9, 0.81):
        follow(target, online, 0.1)
        gap = online.weights[0] - target.weights[0]
        np.testing.assert_allclose(gap, np.full(gap.shape, left), atol=1e-5)
    assert "apply_gradients" not in BLOCKS["follow"].code


@says(
    "`clone_model` copies the layers of a `Sequential` or functional model "
    "and gives them new weights, so set those too."
)
def test_a_clone_has_weights_of_its_own() -> None:
    class Subclassed(tf.keras.Model):
        def __init__(self, units: int) -> None:
            super().__init__()
            self.dense = Dense(units)

    with pytest.raises((TypeError, ValueError, NotImplementedError)):
        tf.keras.models.clone_model(Subclassed(2))
    online, target, _ = values()
    clone = tf.keras.models.clone_model(online)
    assert [w.shape for w in clone.weights] == [
        w.shape for w in online.weights
    ]
    assert (clone.get_weights()[0] != online.get_weights()[0]).all()
    assert (target.get_weights()[0] == online.get_weights()[0]).all()


@says(
    "Two things keep the target out of the step: `tf.stop_gradient`, and "
    "naming `online` alone as what is updated. Without both, an update of "
    "both models moves the aim towards the value, and no error tells."
)
def test_either_keeps_the_target_out(monkeypatch: Any) -> None:
    online, target, seen = values()
    own, theirs = online.trainable_variables, target.trainable_variables

    def asked(variables: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = q_loss(online, target, *seen)
        return tape.gradient(loss, variables)

    def gap() -> float:
        best = tf.reduce_max(target(seen[3]), axis=1)
        aim, value = seen[2] + 0.9 * best, online(seen[0])[:, 0]
        return float(tf.reduce_mean(tf.square(aim - value)))

    stopped = asked(own)
    assert asked(theirs) == [None] * len(theirs)
    monkeypatch.setattr(tf, "stop_gradient", tf.identity)
    for with_stop, without in zip(stopped, asked(own), strict=True):
        np.testing.assert_allclose(with_stop, without, atol=1e-6)
    before = gap()
    gradients = asked(theirs)
    assert None not in gradients
    SGD(0.05).apply_gradients(zip(gradients, theirs, strict=True))
    assert gap() < before


@says("Update the online network by its loss.")
def test_the_step_of_the_page_moves_the_online_network_alone() -> None:
    left = ran("two_models_traps", "target_network", batch=128, noises=NOISES)
    online, target = left["online"], left["target"]
    check_update(online, target, left["train_online"])


@says("A second name is no second model. `follow` then moves nothing.")
def test_a_second_name_does_not_follow() -> None:
    assert numbers(printed(NAME, "no_copy"))[0] > 0
    online, _, _ = values()
    assert max(movement(online.weights, follow, online, online, 0.1)) == 0


# Labels


@says("Incompatible shapes: [96,1] vs. [128,1] in the last batch")
@says(
    "Who writes labels for these losses makes them like the scores: "
    "`tf.ones_like(score)`."
)
@says(
    "Labels for a fixed number of rows fail at the last batch of an epoch, "
    "which may have fewer."
)
@says(
    "Eager Keras then says that `target` and `output` `must have the same "
    "shape`; a graph for any number of rows says `Incompatible shapes`."
)
@says(
    "Draw as much noise as there are real rows, or batch with "
    "`drop_remainder=True`."
)
def test_labels_for_the_last_batch() -> None:
    loss = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    anything = tf.TensorSpec([None, 1])
    compiled = tf.function(loss, input_signature=[anything, anything])
    rows = tf.data.Dataset.from_tensor_slices(tf.ones((224, 1)))
    *_, last = rows.batch(128)
    labels = tf.ones((128, 1))
    assert last.shape == (96, 1)
    same = r"`target` and `output` must have the same shape"
    with pytest.raises(ValueError, match=same):
        loss(labels, last)
    shapes = r"Incompatible shapes: \[(96,1\] vs. \[128|128,1\] vs. \[96),1\]"
    with pytest.raises(tf.errors.InvalidArgumentError, match=shapes):
        compiled(labels, last)
    like = loss(tf.ones_like(last), last)
    assert float(like) == pytest.approx(
        float(tf.reduce_mean(tf.nn.softplus(-last))), rel=1e-5
    )
    cut = [len(batch) for batch in rows.batch(128, drop_remainder=True)]
    assert cut == [128]


# A teacher


@says("Knowledge distillation: a teacher that must not learn")
@says("Return the cross-entropy of the student with the teacher's labels.")
@says("Update the student by the labels of its teacher.")
@says(
    "A *student* learns from the probabilities that a *teacher* gives, the "
    "*soft labels*."
)
@says(
    "A gradient reaches the teacher through its labels. So name the student's "
    "variables alone, as `update` does here."
)
def test_a_student_learns_and_its_teacher_does_not() -> None:
    shown = "the student moved, and no weight of the teacher"
    assert printed(NAME, "distilled") == shown
    left = ran("two_models_traps", "distilled", batch=128, noises=NOISES)
    student, teacher = left["student"], left["teacher"]
    check_update(student, teacher, left["train_student"])
    before = float(distill_loss(student, teacher, NOISE, 2.0))
    left["train_student"]()
    assert float(distill_loss(student, teacher, NOISE, 2.0)) < before
    with tf.GradientTape() as tape:
        loss = distill_loss(student, teacher, NOISE, 2.0)
    gradients = tape.gradient(loss, teacher.trainable_variables)
    assert None not in gradients
    assert float(tf.linalg.global_norm(gradients)) > 1e-3


@says("A temperature above 1 makes them more even.")
@says(
    "At high temperatures the gradient shrinks with the square of the "
    "temperature, hence the factor in the last line."
)
def test_what_a_temperature_does() -> None:
    scores, other = tf.constant([[0.0, 1.0, 3.0]]), tf.Variable([[1.0, 0, 0]])
    most = [float(tf.reduce_max(tf.nn.softmax(scores / t))) for t in (1, 2, 9)]
    assert most == sorted(most, reverse=True)

    def length(t: float) -> float:
        with tf.GradientTape() as tape:
            loss = tf.nn.softmax_cross_entropy_with_logits(
                tf.nn.softmax(scores / t), other / t
            )
        return float(tf.norm(tape.gradient(loss, other)))

    assert length(100.0) / length(200.0) == pytest.approx(4.0, rel=0.05)
    assert "return temperature**2 *" in BLOCKS["distill_loss"].code


@says(
    "With `training=True` this teacher would move the averages of its "
    "`BatchNormalization`, though no optimizer touches it."
)
@says(
    "Within the `call` of a model in training it does so even if nothing is "
    "said, hence the `training=False`."
)
def test_a_teacher_in_training_moves_its_averages() -> None:
    left = ran("two_models_traps", "distilled", batch=128, noises=NOISES)
    teacher, student = left["teacher"], left["student"]
    call = partial(teacher, NOISE)

    class Around(tf.keras.Model):
        def __init__(self, **said: bool) -> None:
            super().__init__()
            self.said = said

        def call(self, x: Any, training: bool = False) -> Any:
            return teacher(x, **self.said)

    for said, moves in (({}, True), ({"training": False}, False)):
        model: Any = Around(**said)
        around = partial(model, NOISE, training=True)
        assert (max(movement(teacher.weights, around)) > 0) == moves
    assert max(movement(teacher.weights, call)) == 0
    assert max(movement(teacher.weights, partial(call, training=False))) == 0
    assert max(movement(teacher.weights, partial(call, training=True))) > 0

    def in_training(x: Any, **_: bool) -> Any:
        return teacher(x, training=True)

    training: Any = in_training

    def step() -> None:
        with tf.GradientTape() as tape:
            loss = distill_loss(student, training, NOISE, 2.0)
        update(student, SGD(0.1), tape, loss)

    assert max(movement(teacher.weights, step)) > 0


# A loss from features


def make_base() -> Any:
    """Return a small network of two named layers for pictures."""
    tf.keras.utils.set_random_seed(0)
    convolution = tf.keras.layers.Conv2D
    first = convolution(2, 3, activation="relu", name="edges")
    last = convolution(2, 3, name="parts")
    return Sequential([tf.keras.Input((8, 8, 1)), first, last])


def make_restorer() -> Any:
    """Return a model from pictures to pictures."""
    layer = tf.keras.layers.Conv2D(1, 3, padding="same")
    return Sequential([tf.keras.Input((8, 8, 1)), layer])


PICTURES = tf.random.stateless_uniform([4, 8, 8, 1], seed=(0, 5))


@says("Two pictures may differ in each pixel and still look alike.")
@says("or VGG loss, compares what a trained network makes of them in its")
@says("First a model that returns the outputs of some layers, chosen by name.")
@says("Return a model from inputs of base to outputs of its layers.")
@says("It is frozen, and so are these layers of base.")
@says("Return the mean squared distance of features, summed over layers.")
@says("Takes pictures (batch, height, width, channels).")
@says("Section 3.2 of arXiv:1603.08155.")
def test_features_are_outputs_of_named_layers() -> None:
    base = make_base()
    features = make_features(base, ["edges", "parts"])
    edges, parts = features(PICTURES)
    np.testing.assert_allclose(edges, base.layers[0](PICTURES), rtol=1e-5)
    np.testing.assert_allclose(parts, base(PICTURES), rtol=1e-5)
    assert not features.trainable_variables
    assert not base.trainable_variables
    with pytest.raises(tf.errors.InvalidArgumentError, match="not compat"):
        feature_loss(features, PICTURES, PICTURES[:1])
    others = features(PICTURES[::-1])
    due = sum(
        float(tf.reduce_mean((a - b) ** 2))
        for a, b in zip((edges, parts), others, strict=True)
    )
    loss = feature_loss(features, PICTURES, PICTURES[::-1])
    assert float(loss) == pytest.approx(due, rel=1e-4)
    shifted = tf.roll(PICTURES, 1, axis=2)
    assert np.abs(shifted - PICTURES).min() > 0


@says('a name is `"block3_conv3"`')
@says("Here a small network stands for it.")
def test_a_layer_of_vgg() -> None:
    vgg = tf.keras.applications.VGG19
    tf.keras.backend.clear_session()
    base = vgg(include_top=False, weights=None, input_shape=(32, 32, 3))
    [output] = make_features(base, ["block3_conv3"]).outputs
    assert output.shape == (None, 8, 8, 256)
    assert "edges" in BLOCKS["base"].code


@says("The *restorer* is to make sharp pictures out of blurred ones.")
@says("`predict` returns NumPy arrays, and they [end the gradient]")
@says(
    "As a loss function in `compile` the same two lines stop with an error, "
    "for in a graph `predict` finds no numbers."
)
@says("*Call* the network instead.")
def test_predict_ends_the_gradient() -> None:
    assert printed(NAME, "predicted") == "[None, None]"
    marked = highlighted(BLOCKS["predicted"])
    assert all("features.predict(" in line for line in marked)
    assert "avg_pool2d(y" in BLOCKS["restorer"].code
    features, restorer = make_features(make_base(), ["edges"]), make_restorer()
    assert isinstance(features.predict(PICTURES, verbose=0), np.ndarray)

    def predicted(y: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        seen = features.predict(y, verbose=0)
        return tf.reduce_mean((seen - features.predict(y_pred)) ** 2)

    restorer.compile("sgd", predicted)
    with pytest.raises(TypeError, match="not 'NoneType'"):
        restorer.fit(PICTURES, PICTURES, verbose=0)
    assert "features(pictures, training=False)" in "".join(
        highlighted(BLOCKS["feature_loss"])
    )


@says("**Is the feature network trained, too?** No.")
@says("The gradient passes through it, and `update` moves the restorer alone.")
@says(
    "if the network is an attribute of a model, its weights are among the "
    "model's, and `fit` would train them"
)
@says(
    "In `compile`, hand the loss over as "
    "`loss=lambda y, y_pred: feature_loss(features, y, y_pred)`."
)
@says("Update the restorer alone, by the features of its pictures.")
@says("**The check** is `check_update`.")
def test_who_learns_from_features() -> None:
    [[first, _, last]] = [numbers(printed(NAME, "restored"))]
    assert last < 0.7 * first
    code = BLOCKS["restored"].code
    assert "check_update(restorer, features, restore)" in code
    assert "update(restorer" in code
    restorer, base = make_restorer(), make_base()
    features = make_features(base, ["edges"])

    class Holder(tf.keras.Model):
        """A model that holds the network as an attribute."""

        def __init__(self) -> None:
            super().__init__()
            self.restorer, self.features = restorer, features

        def call(self, x: tf.Tensor) -> tf.Tensor:
            return self.features(self.restorer(x))

    counts = {}
    for trainable in (True, False):
        features.trainable = trainable
        holder = Holder()
        holder(PICTURES)
        holder.compile(SGD(0.1), "mse")
        moved = movement(
            features.weights,
            lambda holder=holder: holder.fit(
                PICTURES, tf.zeros((4, 6, 6, 2)), verbose=0
            ),
        )
        counts[trainable] = len(holder.trainable_variables)
        assert (max(moved) > 0) is trainable
    assert counts == {True: 4, False: 2}
    restorer.compile(
        SGD(0.1), loss=lambda y, y_pred: feature_loss(features, y, y_pred)
    )
    check_update(
        restorer,
        features,
        lambda: restorer.fit(PICTURES, PICTURES, verbose=0),
    )


@says("It takes tensors, too, and lets the gradient pass, so call it on the")
@says(
    "An array of floats it changes in place, and again in each step: make a "
    "tensor of it first."
)
def test_preprocess_input_lets_the_gradient_pass() -> None:
    pixels = 255 * tf.random.stateless_uniform([2, 4, 4, 3], (0, 0))
    prepare = tf.keras.applications.vgg19.preprocess_input
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        total = tf.reduce_sum(prepare(pixels))
    np.testing.assert_allclose(tape.gradient(total, pixels), 1)
    whole, kept = np.array(pixels), []
    for given in (whole.astype("uint8"), tf.constant(whole), whole):
        before = np.array(given)
        prepare(given)
        kept.append(bool(np.array_equal(before, given)))
    assert kept == [True, True, False]
    once = whole.copy()
    prepare(whole)
    assert np.abs(whole - once).max() > 90
    found = prepare(np.array(pixels))
    assert found.min() < -90
    assert found.max() > 90
