"""What the page on making a run repeat itself says is true."""

import ast
import inspect
import os
import random
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import config

from snippets.data import make_data
from snippets.same_run_twice import (
    Seed,
    check_equal,
    draws,
    make_batches,
    make_model,
    repeats,
    train,
)
from snippets.same_run_twice_draws import (
    Listed,
    draw,
    draw_from,
    epochs_of,
    first_weight,
    fit_orders,
    kept,
    order,
    seed_states,
    seeded_inside,
)
from tests.claims.says import figure, printed, ran, record, says
from tests.claims.sentences import DOCS, ROOT, read, sections

NAME = "same_run_twice"
PAGE = read(NAME)
BLOCKS = {block.name: block for block in PAGE.blocks}
SOURCE = (DOCS / f"{NAME}.md").read_text("utf-8")
WORDS = ROOT / "snippets/same_run_twice_words.py"
set_random_seed = tf.keras.utils.set_random_seed
Glorot, Dropout = (
    tf.keras.initializers.GlorotUniform,
    tf.keras.layers.Dropout,
)
PYTHON = {"random.random", "initial weights", "layers.Dropout"}
NUMPY = {"numpy.random"}
TENSORFLOW = {"tf.random.normal", "Dataset.shuffle"}


@pytest.fixture(autouse=True)
def own_seeds() -> Iterator[None]:
    """Leave the generators that all share as they were."""
    state = random.getstate(), np.random.get_state()
    yield
    random.setstate(state[0])
    np.random.set_state(state[1])
    tf.random.set_seed(None)


@pytest.fixture(scope="module")
def different() -> list[list[float]]:
    with warnings.catch_warnings(action="error"):
        found = ran(NAME, "tensorflow_only")["different"]
    assert isinstance(found, list)
    return found


@pytest.fixture(scope="module")
def same() -> list[Any]:
    asked: list[int] = []

    def set_seed(seed: int) -> None:
        asked.append(seed)
        set_random_seed(seed)

    trained = [train(set_seed) for _ in range(2)]
    assert asked == [1, 1]
    return trained


def reached(set_seed: Seed) -> set[str]:
    return {source for source, same in repeats(set_seed).items() if same}


def shuffled(**options: object) -> tf.data.Dataset:
    return tf.data.Dataset.range(64).shuffle(64, **options)


def words(seed: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, WORDS],
        env=os.environ | {"PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


# The page and its table


@says("Every block runs.")
@says("All blocks above, in order, as one file.")
@says("It needs TensorFlow and Matplotlib.")
@says("The imports, two colours, and a type: a function that sets a seed.")
@says(
    "One block is meant to fail with a `ValueError`, and one with an "
    "`AssertionError`."
)
@says("The same functions, in a file:")
def test_all_blocks_ran_with_what_the_page_names() -> None:
    kept_of = [name.rpartition(":")[2] for name in record(NAME)]
    shown = [block.name for block in PAGE.blocks]
    assert {*shown} - {*kept_of} == set()
    raised = [
        b.options["raises"] for b in PAGE.blocks if "raises" in b.options
    ]
    assert raised == ["ValueError", "AssertionError"]
    for name, error in zip(("whole_numbers", "caught"), raised, strict=True):
        assert printed(NAME, name).startswith(f"{error}: ")
    first = PAGE.blocks[0].code
    assert re.findall(r"(?m)^(?:import|from) ([a-z]+)", first) == [
        *("os", "random", "collections", "matplotlib", "numpy", "tensorflow")
    ]
    assert 'RED, GREEN = "#D55E00", "#009E73"' in first
    assert "Seed = Callable[[int], None]" in first
    filed = [b.name for b in PAGE.blocks if "file" in b.options]
    assert [name for name in filed if shown.count(name) == 2] == [
        *("setup", "make_data", "loss", "make_model", "make_batches", "train")
    ]


@says("Different results every run, though `tf.random.set_seed` was … read)")
@says("``Expected `seed` argument to be an integer`` | … read)")
@says("A new layer changes the initial weights of the others | … weights)")
@says("Several layers start with the same weights | … layers)")
@says("`fit` takes the rows in the same order every epoch | … epoch)")
@says("The same noise, the same augmentation every epoch | … map)")
@says("Same seed, different results when a model is trained again | … seed)")
@says("A new seed changes nothing in a `tf.function` | … tffunction)")
@says("Equal in one process, different in the next | … repeats)")
@says(
    "`Random ops require a seed to be set when determinism is enabled` "
    "| … embedding)"
)
def test_each_row_leads_to_a_section_that_shows_it() -> None:
    rows = re.findall(r"(?m)^\| (.+) \| \[(\d)\]\(#(.+)\) \|$", SOURCE)
    places = {}
    number = "0"
    for anchor, text in sections(NAME).items():
        number = anchor[0] if anchor[0].isdigit() else number
        places[anchor] = number, text
    has = [
        *(":tensorflow_only", ":whole_numbers", ":moved_on", ":shared"),
        *(":fit_shuffles", ":random_map", ":old_layer", ":traced"),
        *("", "Random ops require a seed"),
    ]
    for (_, said, anchor), part in zip(rows, has, strict=True):
        assert places[anchor][0] == said
        assert part in " ".join(places[anchor][1].split())
    assert "PYTHONHASHSEED" in places["the-order-of-a-set"][1]
    assert "Expected `seed` argument" in printed(NAME, "whole_numbers")


@says(
    "Reproducibility has a short answer: call "
    "`tf.keras.utils.set_random_seed(1)` as the first line of what you "
    "repeat, *before* the model, the optimizer and the dataset are made."
)
@says(
    "`keras.utils.set_random_seed` seeds Python, NumPy and TensorFlow "
    "in one call."
)
@says(
    "The columns are the seeds of Python, NumPy, TensorFlow, and that of "
    "Keras, which sets all three."
)
def test_the_seed_of_keras(same: list[Any]) -> None:
    assert same[0][0] == same[1][0]
    body = BLOCKS["train"].code.split('"""')[2].strip()
    assert body.startswith("set_seed(1)\n")
    for seed, draws_of in (
        (random.seed, random.random),
        (np.random.seed, np.random.normal),
        (tf.random.set_seed, lambda: float(tf.random.normal([]))),
    ):
        seed(5)
        due = draws_of()
        set_random_seed(5)
        assert draws_of() == due
    head = printed(NAME, "table").split("\n")[0]
    assert head.split() == ["Python", "NumPy", "TF", "Keras"]


@says("The model is a small network.")
@says(
    "Three things in its training are random: its initial weights, its "
    "dropout, and the order of the rows."
)
@says("Return a new network with dropout; x and y have one column.")
@says("Return the rows in three batches, in a new order every epoch.")
@says("`train` is told how to set the seed, so that we can try several ways.")
@says("Set the seed, train a new model; return its losses and weights.")
def test_the_three_random_things(same: list[Any]) -> None:
    model, other = make_model(), make_model()
    assert model.input_shape == model.output_shape == (None, 1)
    assert 0 < model.count_params() < 100
    assert not np.array_equal(model.get_weights()[0], other.get_weights()[0])
    ones = tf.ones((1, 1))
    outputs = {float(model(ones, training=True)[0, 0]) for _ in range(8)}
    assert len(outputs) > 1
    assert float(model(ones)[0, 0]) == float(model(ones)[0, 0])
    batches = make_batches()
    first, second = ([x.numpy() for x, _ in batches] for _ in range(2))
    assert [len(x) for x in first] == [67, 67, 67]
    rows = np.sort(np.concatenate(first), axis=None)
    assert rows.tolist() == sorted(make_data()[0].numpy().tolist())
    assert not np.array_equal(first[0], second[0])
    losses, found = same[0]
    assert len(losses) == 15
    assert [w.shape for w in found] == [w.shape for w in model.get_weights()]


# 1. A seed that Keras does not read


@says(
    "Train three times with it, each time with the seed 1, and print every "
    "third loss."
)
@says("Three different trainings, and no warning.")
@says("You set a seed, and get different results every run.")
@says(
    "(That is why the first line seeds `random` once: this page should print "
    "the same numbers in every build.)"
)
@says("With the seed of TensorFlow alone it fails.")
def test_the_seed_of_tensorflow(
    different: list[list[float]], same: list[Any]
) -> None:
    assert len({loss for loss, *_ in different}) == len(different) == 3
    lines = printed(NAME, "tensorflow_only").split("\n")
    assert [len(line.split()) for line in lines] == [1 + 5] * 3
    random.seed(0)
    again, weights = train(tf.random.set_seed)
    assert again == different[0]
    code = BLOCKS["tensorflow_only"].code
    assert code.startswith("random.seed(0)")
    assert "[::3]" in code
    with pytest.raises(AssertionError, match="weight 0 differs"):
        check_equal(same[0][1], weights)


@says("1. A seed that Keras does not read")
@says("`tf.random.set_seed` sets the seed of TensorFlow's operations.")
@says(
    "But Keras 3, which also runs on other backends, draws its initial "
    "weights and its dropout from generators of its own, and those start from "
    "Python's `random`."
)
@says(
    "**Python's seed** is the one that the initial weights and the dropout of "
    "Keras come from."
)
@says("**NumPy's seed** reaches the old functions such as `np.random.normal`.")
@says(
    "**TensorFlow's seed** reaches functions such as `tf.random.normal`, and "
    "`tf.data`."
)
@says(
    "**`keras.random`** without a seed draws from one generator that all "
    "share."
)
@says("Of the four, only `set_random_seed` resets it.")
@says("Here is one draw from each of eight sources.")
@says("Return something random from each source.")
@says("Return of each source whether it repeats itself after the seed.")
def test_what_each_seed_reaches() -> None:
    assert reached(random.seed) == PYTHON
    assert reached(np.random.seed) == NUMPY
    assert reached(tf.random.set_seed) == TENSORFLOW
    everything = PYTHON | NUMPY | TENSORFLOW | {"keras.random"}
    assert reached(set_random_seed) == everything
    assert len(draws()) == 8
    assert everything < draws().keys()
    assert keras.config.backend() == "tensorflow"
    assert {"jax", "torch"} <= {
        *os.listdir(f"{keras.__path__[0]}/src/backend")
    }
    set_random_seed(3)
    first = [float(keras.random.normal([])) for _ in range(2)]
    set_random_seed(3)
    assert float(keras.random.normal([])) == first[0]
    keras.random.uniform([])  # another function takes from the same
    assert float(keras.random.normal([])) != first[1]


@says(
    "A generator made by `default_rng()` takes a seed of its own, "
    "`np.random.default_rng(1)`, and no global seed."
)
def test_a_generator_of_numpy() -> None:
    one, other = (np.random.default_rng(1).normal() for _ in range(2))
    assert one == other
    assert "default_rng" not in reached(set_random_seed)


@says("**The check** compares the losses with `==`, not with a tolerance.")
@says("Here are all six trainings.")
@says(
    "The loss by step on a logarithmic axis: the three solid lines of "
    "trainings after set_random_seed lie on each other, marker on marker; the "
    "three dashed ones after tf.random.set_seed all go ways of their own"
)
def test_six_trainings() -> None:
    last = BLOCKS["all_seeds"].code.strip().split("\n")[-1]
    assert last == "assert same[0] == same[1] == same[2]"
    [axes] = figure(NAME, "compared")
    assert ", log, " in axes.text
    lines = [tuple(points.y) for points in axes.points.values()]
    assert len(lines) == 6
    assert len({*lines[::2]}) == 1
    assert len({*lines}) == 4
    code = BLOCKS["compared"].code
    assert 'plt.semilogy(one, "-" + marker' in code
    assert 'plt.semilogy(other, "--" + marker' in code
    assert '"os^", same, different' in code


@says("The seed must be an `int` of Python.")
@says("One from NumPy is refused.")
@pytest.mark.parametrize("seed", [np.int64(1), np.int32(1), 1.0])
def test_a_python_int(seed: Any) -> None:
    with pytest.raises(ValueError, match="Expected `seed` argument to be"):
        set_random_seed(seed)
    set_random_seed(int(seed))


# 3. Seeds without global state


@says(
    "The functions whose names begin with `tf.random.stateless_` take a seed "
    "of two numbers and remember nothing."
)
@says("The same seed gives the same number, whatever was drawn before.")
@says(
    "(In a function with `jit_compile=True` XLA may take another algorithm, "
    'and `stateless_normal` then gives another number; with `alg="philox"` '
    "it keeps to the one of the CPU. Dropout by XLA drops others, too.)"
)
@says(
    "So make one of the two the number of the step, and a training that is … "
    "draws what it would have drawn."
)
def test_stateless() -> None:
    def values() -> list[float]:
        return [
            float(tf.random.stateless_normal([], (1, 3))),
            float(tf.random.stateless_uniform([], (1, 3))),
            float(tf.random.stateless_truncated_normal([], (1, 3))),
        ]

    first = values()
    tf.random.set_seed(7)
    tf.random.normal([])
    assert values() == first

    def normal() -> tf.Tensor:
        return tf.random.stateless_normal([], (1, 3))

    assert float(tf.function(normal)()) == first[0]
    drawn = [float(tf.function(normal, jit_compile=True)()) for _ in "ab"]
    assert drawn[0] == drawn[1] != pytest.approx(first[0], abs=0.001)

    def kept() -> tf.Tensor:
        return tf.random.stateless_normal([], (1, 3), alg="philox")

    for compiled in (kept, tf.function(kept, jit_compile=True)):
        assert float(compiled()) == pytest.approx(first[0], abs=1e-6)
    masks = []
    for by_xla in (False, True):
        dropout = Dropout(0.5, seed=1)
        drop = tf.function(dropout, jit_compile=by_xla)
        masks.append(drop(tf.ones(64), training=True).numpy().tolist())
    assert (
        masks[0]
        == Dropout(0.5, seed=1)(tf.ones(64), training=True).numpy().tolist()
    )
    assert masks[0] != masks[1]
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        tf.random.stateless_normal([], (1, 2, 3))
    steps = [float(tf.random.stateless_normal([], (1, s))) for s in range(4)]
    later = [float(tf.random.stateless_normal([], (1, s))) for s in (2, 3)]
    assert later == steps[2:]
    assert len({*steps}) == 4


@says("`tf.random.Generator` is an object with a state of its own.")
@says("Its state is a variable, so a … can keep it.")
def test_a_generator(tmp_path: Any) -> None:
    values = []
    for seed in (1, 2):
        tf.random.set_seed(seed)
        generator = tf.random.Generator.from_seed(1)
        values.append(float(generator.normal([])))
    assert values[0] == values[1]
    assert isinstance(generator.state, tf.Variable)
    path = tf.train.Checkpoint(generator=generator).write(f"{tmp_path}/g")
    following = float(generator.normal([]))
    restored = tf.random.Generator.from_seed(2)
    tf.train.Checkpoint(generator=restored).read(path).assert_consumed()
    assert float(restored.normal([])) == following != values[0]


# 4. Seeds of initial weights


@says(
    "A global seed is the start of one long row of numbers, and everybody "
    "takes the next."
)
@says("This function makes a layer and returns its first weight.")
@says("Return the first initial weight of a new layer.")
@says("Now make a layer with dropout before it.")
@says(
    "The layer with dropout has taken a number, and so the next one "
    "got another."
)
@says(
    "If you compare two models by the same seed, they may differ in their "
    "start as well."
)
@says(
    "A seed of its own makes an initial weight independent of what came "
    "before."
)
def test_a_row_of_numbers() -> None:
    set_random_seed(1)
    row = [first_weight() for _ in range(2)]
    set_random_seed(1)
    Dropout(0.2)
    assert row[0] != row[1] == first_weight()
    assert f"{row[0]:.4f}" in printed(NAME, "moved_on").split("\n")[0]
    code = BLOCKS["moved_on"].code.split("\n")
    assert "Dropout(0.2)" in code[3]
    own = set()
    for before in range(3):
        for _ in range(before):
            Dropout(0.2)
        own.add(first_weight(kernel_initializer=Glorot(seed=1)))
    assert len(own) == 1


@says("One initializer for several layers")
@says("It saves a line to make one initializer and hand it to all layers.")
@says("The three layers start with the same weight.")
@says(
    "In Keras 3 an initializer draws its seed when it is made, even if you "
    "give it none, and returns the same values whenever it is called with the "
    "same shape."
)
@says(
    "With another shape most return the same numbers on another scale. (Only "
    "one whose seed is a `keras.random.SeedGenerator` draws anew.)"
)
@says("Make one for each layer.")
@says(
    'A name, such as `kernel_initializer="glorot_uniform"`, makes a '
    "new one each time."
)
@says(
    "And the same explicit seed for two layers would be the same mistake "
    "again."
)
def test_initializers() -> None:
    shared = Glorot()
    assert isinstance(shared.seed, int)
    assert len({Glorot().seed for _ in range(3)}) == 3
    for shape in ((1, 1), (2, 3)):
        np.testing.assert_array_equal(shared(shape), shared(shape))
    kinds = "GlorotUniform", "GlorotNormal", "HeNormal", "RandomNormal"
    for kind in (*kinds, "TruncatedNormal", "LecunUniform", "Orthogonal"):
        made = getattr(tf.keras.initializers, kind)(seed=1)
        wide, narrow = (np.ravel(made(s))[:320] for s in ((64, 32), (32, 10)))
        scale = float(np.std(wide / narrow))
        assert (scale < 1e-4) is (kind != "Orthogonal")
    drawing = Glorot(seed=keras.random.SeedGenerator(1))
    assert not np.array_equal(drawing((2, 3)), drawing((2, 3)))

    def distinct(*made: Any) -> int:
        return len({first_weight(kernel_initializer=one) for one in made})

    assert distinct(*[shared] * 3) == 1
    assert distinct(*(Glorot() for _ in range(3))) == 3
    assert distinct(*["glorot_uniform"]) == 1
    names = {first_weight(kernel_initializer="glorot_uniform") for _ in "123"}
    assert len(names) == 3
    assert distinct(Glorot(seed=1), Glorot(seed=1)) == 1
    counts = [
        len(BLOCKS[name].code.split("\n")) for name in ("shared", "one_each")
    ]
    assert counts[0] < counts[1]


# 5. Seeds of shuffles


@says("This function lists what a dataset gives, a line for each epoch.")
@says("Return what the dataset gives in each epoch.")
@says(
    "`shuffle` takes a seed, and is told whether to shuffle anew in "
    "each epoch."
)
@says("It does if you say nothing.")
@says(
    "The seed is combined with that of `tf.random.set_seed`: with another "
    "global seed the orders are others."
)
@says(
    "The dataset keeps count of its epochs, so a second training from the "
    "*same* dataset goes on where the first has stopped."
)
@says("Make the dataset anew.")
def test_shuffle() -> None:
    assert epochs_of(tf.data.Dataset.range(3), 2) == [[0, 1, 2]] * 2
    orders = []
    for seed in (1, 1, 2):
        tf.random.set_seed(seed)
        orders.append(epochs_of(shuffled(seed=3), 4))
    assert orders[0] == orders[1]
    assert orders[0][0] != orders[2][0]
    assert orders[0][0] != orders[0][1]
    tf.random.set_seed(1)
    rows = shuffled(seed=3)
    assert epochs_of(rows, 2) == orders[0][:2]
    assert epochs_of(rows, 2) == orders[0][2:]
    assert epochs_of(shuffled(seed=3), 4) == orders[0]
    fixed = shuffled(seed=3, reshuffle_each_iteration=False)
    assert len({*map(tuple, epochs_of(fixed))}) == 1


@says("fit shuffles the same way every epoch")
@says("`fit` shuffles arrays, in every epoch.")
@says("A model that only lists them will tell.")
@says("Learns nothing, and lists the rows that fit gives it.")
@says("Add the rows to the list.")
@says("Return the rows as fit shuffles them, a line for each epoch.")
@says("All epochs have one order.")
@says("Without a global seed the orders differ.")
@says("With one, every epoch has the same batches, and nothing tells you.")
def test_fit_on_an_array(recwarn: Any) -> None:
    rows = np.arange(64.0)
    for seed, orders in ((1, 1), (None, 3)):
        tf.random.set_seed(seed)
        found = fit_orders(rows)
        assert found.shape == (3, 64)
        assert (np.sort(found) == rows).all()
        assert (found != rows).any(1).all()
        assert len({*map(tuple, found)}) == orders
    assert not recwarn.list
    model = Listed()
    assert model.train_step(tf.constant([1, 2])) == {"loss": 0.0}
    assert model.rows == [1, 2]
    assert not model.weights
    tf.random.set_seed(1)
    x = rows[:, np.newaxis]
    batches: list[float] = []

    class First(tf.keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 0:
                batches.append(logs["loss"])

    compiled = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    compiled.compile(tf.keras.optimizers.SGD(0.0), loss="mse")
    compiled.fit(x, x**2, epochs=3, verbose=0, callbacks=[First()])
    assert len(batches) == 3
    assert len({*batches}) == 1


@says(
    "`fit` shuffles by an operation of TensorFlow inside of a dataset, and "
    "that operation starts from the global seed whenever the dataset is "
    "opened, as it is for each epoch."
)
@says(
    "The same happens to what TensorFlow draws in a `map`, such as noise by "
    "`tf.random.normal` or pictures turned by "
    "`tf.image.random_flip_left_right`."
)
@says("Give each row a seed.")
@says(
    "`Dataset.random` makes them, and others in each epoch if told to by "
    "`rerandomize_each_iteration`."
)
def test_what_is_random_in_a_map() -> None:
    tf.random.set_seed(1)
    rows = tf.data.Dataset.range(5)
    noisy = rows.map(lambda _: tf.random.uniform([], 0, 10**6, tf.int64))
    assert len({*map(tuple, epochs_of(noisy))}) == 1
    picture = tf.range(64)
    mixed = rows.map(lambda _: tf.random.shuffle(picture)[0])
    assert len({*map(tuple, epochs_of(mixed))}) == 1
    tf.random.set_seed(1)
    assert is_repeated(lambda row: row + tf.random.normal([]))
    assert is_repeated(lambda row: tf.image.random_flip_left_right(row))
    one, other = (
        ran(f"{NAME}_draws", "stateless_map", rows=rows) for _ in range(2)
    )
    assert one["others"] == other["others"]
    assert len({*map(tuple, [one["first"], *one["others"]])}) == 3
    seeds = tf.data.Dataset.random(seed=1, rerandomize_each_iteration=True)
    assert len({*map(tuple, epochs_of(seeds.take(4)))}) == 3
    seeds = tf.data.Dataset.random(seed=1)
    assert len({*map(tuple, epochs_of(seeds.take(4)))}) == 1
    source = (ROOT / "snippets/same_run_twice_draws.py").read_text()
    assert "np.arange(6.0)" in source
    from keras.src.trainers.data_adapters import array_data_adapter

    text = inspect.getsource(array_data_adapter)
    assert "tf.random.shuffle(" in text
    assert ".map(" in text


def drawn(function: Callable[[Any], Any]) -> list[Any]:
    """Return what three epochs of a map of six pictures are."""
    pictures = tf.range(96.0)[tf.newaxis] * tf.ones((6, 1))
    rows = tf.data.Dataset.from_tensor_slices(
        tf.reshape(pictures, (6, 4, 24, 1))
    ).map(function)
    return [np.stack([row.numpy() for row in rows]) for _ in range(3)]


def is_repeated(function: Callable[[Any], Any]) -> bool:
    """Return whether all epochs of a map are alike, and its rows are not."""
    first, *others = drawn(function)
    assert not all((row == first[0]).all() for row in first)
    return all((first == other).all() for other in others)


@says(
    "Layers of Keras, such as `RandomRotation`, and a `tf.random.Generator` "
    "count on in a `map` and do not repeat."
)
@says(
    "A draw by NumPy is made once, when the `map` is traced, and all rows get "
    "one number."
)
def test_what_counts_on_in_a_map() -> None:
    set_random_seed(1)
    turn, noise = (
        tf.keras.layers.RandomRotation(0.4),
        tf.keras.layers.GaussianNoise(0.4),
    )
    generator = tf.random.Generator.from_seed(1)
    assert not is_repeated(lambda row: turn(row, training=True))
    assert not is_repeated(lambda row: noise(row, training=True))
    assert not is_repeated(lambda row: row + generator.normal([]))
    rng = np.random.default_rng(1)
    assert len(np.unique(drawn(lambda row: 0.0 * row + rng.random()))) == 1


@says("(`fit` never shuffles a dataset; `shuffle=False` saves a warning.)")
@says("Hand `fit` a dataset that you shuffle yourself.")
@says(
    "(From the same seed, a loop of your own sees other orders than `fit`, "
    "which [opens a dataset of known length "
    "twice](real_problem.md#the-same-with-keras) an epoch.)"
)
@says("**The check** counts different orders.")
def test_fit_on_a_dataset() -> None:
    rows = tf.data.Dataset.range(64)
    for options, warned in ({"shuffle": False}, 0), ({"shuffle": True}, 1):
        model = Listed()
        model.compile(run_eagerly=True)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(rows.batch(32), verbose=0, **options)
        assert model.rows == [*range(64)]
        assert sum("shuffle" in str(w.message) for w in caught) == warned
    set_random_seed(1)
    in_fit = fit_orders(shuffled().batch(32)).tolist()
    set_random_seed(1)
    in_loop = epochs_of(shuffled(), 6)
    assert in_fit[0] == in_loop[0]
    assert in_fit[1] == in_loop[2] != in_loop[1]
    # Where the length is not known, fit and the loop see the same.
    set_random_seed(1)
    unknown = shuffled().batch(32).filter(lambda _: True)
    assert fit_orders(unknown).tolist() == in_loop[:3]
    assert len({*map(tuple, in_fit)}) == 3
    last = BLOCKS["dataset_shuffles"].code.strip().split("\n")[-1]
    assert last == "assert len({tuple(row) for row in orders}) > 1"
    problem = (DOCS / "real_problem.md").read_text("utf-8")
    assert "\n## The same with Keras\n" in problem


# 6. Dropout keeps its own seed


@says("6. Dropout keeps its own seed")
@says(
    "This function says which of twelve inputs a layer with dropout lets "
    "through."
)
@says("Return which of twelve inputs the layer keeps, as ones and zeros.")
@says("The layer took its seed when it was made.")
@says(
    "From there it counts on in a variable, `dropout.seed_generator.state`, "
    "and no global seed reaches it any more."
)
@says(
    "So in a notebook, setting the seed and training the *same* model once "
    "more is another run."
)
@says("Make the model anew, after the seed.")
@says("The first [exercise](#exercises) sets the layers of a model back.")
@says("Return the variables in which the model's layers count their draws.")
def test_dropout() -> None:
    assert kept(Dropout(0.0)) == "1" * 12
    set_random_seed(1)
    dropout = Dropout(0.5)
    start = dropout.seed_generator.state.numpy()
    for seed in (
        random.seed,
        np.random.seed,
        tf.random.set_seed,
        set_random_seed,
    ):
        seed(1)
    masks = []
    for count in range(3):
        state = dropout.seed_generator.state.numpy()
        assert (state - start).tolist() == [0, count]
        set_random_seed(1)
        masks.append(kept(dropout))
    assert len({*masks}) == 3
    set_random_seed(1)
    assert kept(Dropout(0.5)) == masks[0]
    dropout.seed_generator.state.assign(start)
    assert kept(dropout) == masks[0]
    inner = tf.keras.Sequential([Dropout(0.5)])
    noise = tf.keras.layers.GaussianNoise(1.0)
    model = tf.keras.Sequential([inner, tf.keras.layers.Dense(1), noise])
    model.build((None, 1))
    states = {
        id(layer.seed_generator.state) for layer in (*inner.layers, noise)
    }
    assert {id(state) for state in seed_states(model)} == states
    back = printed(NAME, "set_back").split("\n")
    assert back[0] == back[1]


# 7. set_seed and tf.function


@says("A function that is compiled, and draws a random number:")
@says("Return a random number.")
@says("The same seed gives other numbers inside a `tf.function` than outside.")
@says(
    "And the seed 2 changes nothing inside: the function has kept the seed "
    "from the time when it was traced."
)
@says("Setting any seed only sets it back to its start.")
@says("Setting the seed *inside* does not start it anew in each call either.")
@says("That line is Python, and runs while the function is traced.")
@says("Return a random number after setting the seed.")
@says("Or the same seed gives other results in … a compiled function,")
def test_seeds_and_graphs() -> None:
    tf.random.set_seed(1)
    compiled = tf.function(draw.python_function)
    row = [float(compiled()) for _ in range(3)]
    assert len({*row}) == 3
    tf.random.set_seed(1)
    assert float(tf.random.normal([])) not in row
    for seed in (1, 2, 7):
        tf.random.set_seed(seed)
        assert [float(compiled()) for _ in range(3)] == row
    tf.random.set_seed(2)
    assert float(tf.function(draw.python_function)()) != row[0]
    inside = seeded_inside.python_function
    assert float(inside()) == float(inside())
    anew = tf.function(inside)
    assert len({float(anew()) for _ in range(3)}) == 3


@says(
    "Hand the seed over as an argument, as a tensor, to a stateless operation."
)
@says("Return the random number of a seed.")
def test_the_seed_as_an_argument() -> None:
    numbers = [float(draw_from(tf.constant((s, 0)))) for s in (3, 3, 4)]
    assert numbers[0] == numbers[1] != numbers[2]
    assert numbers[0] == float(draw_from.python_function((3, 0)))
    assert draw_from.experimental_get_tracing_count() == 1


# 8. Train twice


@says("The check wants two lists of weights, and compares their bytes.")
@says("Assert that two lists of weights are equal to the last bit.")
@says(
    "This finds what is not seeded, and state that a first training leaves "
    "behind."
)
def test_check_equal(same: list[Any]) -> None:
    check_equal(same[0][1], same[1][1])
    one = [np.ones(3, np.float32), np.full(2, np.nan, np.float32)]
    check_equal(one, [weight.copy() for weight in one])
    other = [np.nextafter(one[0], 2, dtype=np.float32), one[1]]
    with pytest.raises(AssertionError, match="weight 0 differs"):
        check_equal(one, other)
    dropout = Dropout(0.5, seed=1)
    both = [[dropout(tf.ones(64), training=True).numpy()] for _ in range(2)]
    with pytest.raises(AssertionError, match="weight 0 differs"):
        check_equal(*both)
    for shape in ((0,), (2, 0), (), (3, 2)):
        for kind in ("float32", "bool", "uint32", "float16"):
            value = np.ones(shape, kind)
            check_equal([value], [value.copy()])
            if value.size:
                with pytest.raises(AssertionError, match="differs by up to 1"):
                    check_equal([value], [np.zeros_like(value)])
            with pytest.raises(AssertionError, match="another shape or type"):
                check_equal([value], [value.astype("int64")])
            with pytest.raises(AssertionError, match="another shape or type"):
                check_equal([value], [value[np.newaxis]])
    assert "two_processes" in BLOCKS
    assert printed(NAME, "two_processes").startswith("equal to the last bit")


@says("At its end it saves the weights.")
@says("What TensorFlow logs goes to a file.")
@says("And the comparison, with the weights of this process.")
def test_the_file_that_trains() -> None:
    assert 'np.savez("weights.npz", *weights)' in BLOCKS["save"].code
    filed = [
        b.name for b in PAGE.blocks if b.options.get("file") == "trained.py"
    ]
    assert filed[-1] == "save"
    assert "python trained.py 2> trained.log" in SOURCE
    assert (
        "check_equal(first, [*saved.values()])" in BLOCKS["two_processes"].code
    )


# 9. What no seed repeats


@says(
    "Then in two processes, which finds what Python itself does differently "
    "each time it starts."
)
@says(
    "Python puts words into a `set` in an order that is new in each process."
)
@says(
    "Whoever numbers words that way, for an embedding say, gives them other "
    "numbers every time the program starts."
)
@says(
    "The order comes from a seed as well, which Python reads from the "
    "environment as it starts."
)
@says("Two values stand for two processes here.")
@says("Sort what came from a set, and the order of a set no longer matters.")
def test_the_order_of_a_set() -> None:
    told = [words(seed) for seed in ("1", "2", "1", *["random"] * 5)]
    assert told[0] == told[2]
    assert told[0][0] != told[1][0]
    assert len({first for first, _ in told[3:]}) > 1
    assert len({second for _, second in told}) == 1
    assert SOURCE.count("\nPYTHONHASHSEED=") == 2


@says(
    "Setting the variable *inside* the program, as many texts advise, is too "
    "late."
)
def test_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)
    before = hash("word")
    for seed in ("1", "2"):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        assert hash("".join(["wo", "rd"])) == before
        made = [*{f"word {number}" for number in range(10)}]
        assert made == [*{f"word {number}" for number in range(10)}]
    assert printed(NAME, "too_late") == "another order: False"


@says(
    "The same goes for files: `glob` and `os.listdir` promise no order. Sort "
    "them, too."
)
def test_files_have_no_order() -> None:
    assert "arbitrary order" in (os.listdir.__doc__ or "")
    import glob

    assert "sort" not in (glob.glob.__doc__ or "")


@says(
    "A GPU may add up the parts of a sum in an order that changes from run to "
    "run, and a sum of floats depends on its order: `(0.1 + 0.2) + 0.3 == 0.1 "
    "+ (0.2 + 0.3)` is `{{ (0.1 + 0.2) + 0.3 == 0.1 + (0.2 + 0.3) }}`."
)
def test_a_sum_of_floats() -> None:
    assert (0.1 + 0.2) + 0.3 != 0.1 + (0.2 + 0.3)
    kept_of = record(NAME)["(0.1 + 0.2) + 0.3 == 0.1 + (0.2 + 0.3)"]
    assert kept_of == "False"


@says(
    "From then on TensorFlow refuses to draw without a seed: `RuntimeError: "
    "Random ops require a seed to be set when determinism is enabled. Please "
    "set a seed before running the op, e.g. by calling tf.random.set_seed(1).`"
)
@says(
    "Call … after `set_random_seed`, and TensorFlow takes operations that are "
    "*deterministic*, which can be slower."
)
def test_the_refusal() -> None:
    tf.random.set_seed(None)
    tf.config.experimental.enable_op_determinism()
    try:
        with pytest.raises(RuntimeError) as raised:
            tf.random.normal([])
        said = f"`RuntimeError: {raised.value}`"
        assert said in " ".join(SOURCE.split())
        set_random_seed(1)
        tf.random.normal([])
    finally:
        config.disable_op_determinism()
    told = " ".join(
        tf.config.experimental.enable_op_determinism.__doc__.split()
    )
    assert "run slower" in told or "slow" in told
    assert "deterministic" in told


@says("On a GPU, and on a CPU with an embedding")
@says(
    "On a CPU several threads add up the rows of the gradient of an "
    "`Embedding` as they come, where plain `SGD` subtracts it from a large "
    "one."
)
@says(
    "Such trainings differ in the last bits as well, and the same call mends "
    "it."
)
def test_an_embedding_on_a_cpu() -> None:
    words = tf.random.stateless_uniform([200_000], (0, 1), 0, 50, tf.int32)
    values = tf.random.stateless_normal((200_000, 64), (0, 0))
    table = tf.keras.layers.Embedding(50, 64)
    table.build()

    def train() -> bytes:
        """Return the table after a step from zero."""
        table.embeddings.assign(tf.zeros((50, 64)))
        gradient = tf.IndexedSlices(values, words, (50, 64))
        tf.keras.optimizers.SGD(1.0).apply([gradient], [table.embeddings])
        return bytes(table.embeddings.numpy().tobytes())

    first = train()
    others = (train() for _ in range(200))
    other = next(found for found in others if found != first)
    one, two = (np.frombuffer(found, "float32") for found in (first, other))
    np.testing.assert_allclose(one, two, atol=1e-2)
    tf.config.experimental.enable_op_determinism()
    try:
        assert len({train() for _ in range(5)}) == 1
    finally:
        config.disable_op_determinism()


@says(
    "**Threads** that hand over rows as they come: `tf.data` does so where "
    "you say `deterministic=False`."
)
def test_threads_that_hand_over_rows_as_they_come() -> None:
    told = " ".join((tf.data.Dataset.map.__doc__ or "").split())
    assert "deterministic=False" in told or "`deterministic`" in told
    rows = tf.data.Dataset.range(16)

    def slow_first(row: tf.Tensor) -> tf.Tensor:
        def wait(value: Any) -> Any:
            import time

            time.sleep(0.2 if value == 0 else 0.0)
            return value

        return tf.numpy_function(wait, [row], tf.int64)

    for deterministic in (True, False):
        mapped = rows.map(
            slow_first, num_parallel_calls=4, deterministic=deterministic
        )
        in_order = [int(row) for row in mapped] == [*range(16)]
        assert in_order is deterministic


@says(
    "And where a `map` with `num_parallel_calls` draws, as by "
    "`tf.random.normal`, each number goes to the row that comes first for it: "
    "[give each row a seed](#random-numbers-in-a-map)."
)
def test_threads_that_draw() -> None:
    def drawn(late: int, calls: int | None, by_seed: bool) -> list[float]:
        """Return the number of each row, where one row is late."""

        def wait(row: Any) -> Any:
            time.sleep(0.3 if row == late else 0.0)
            return row

        def noise(row: tf.Tensor) -> tf.Tensor:
            waited = tf.numpy_function(wait, [row], tf.int64)
            with tf.control_dependencies([waited]):
                if by_seed:
                    return tf.random.stateless_normal([], (1, row))
                return tf.random.normal([])

        tf.random.set_seed(1)
        rows = tf.data.Dataset.range(8)
        numbers = rows.map(noise, num_parallel_calls=calls)
        return [float(number) for number in numbers]

    assert drawn(0, None, by_seed=False) == drawn(7, None, by_seed=False)
    assert drawn(0, 8, by_seed=True) == drawn(7, 8, by_seed=True)
    first, second = (drawn(late, 8, by_seed=False) for late in (0, 7))
    assert first != second
    assert sorted(first) == sorted(second), "the same numbers, other rows"


@says(
    "Whether a change is better, several seeds have to say: see [A real "
    "problem](real_problem.md)."
)
@says("One seed is one sample.")
def test_several_seeds(different: list[list[float]]) -> None:
    ends = [losses[-1] for losses in different]
    assert max(ends) - min(ends) > 0.05
    assert "seed" in (DOCS / "real_problem.md").read_text("utf-8")


# Exercises


@says("Return the order of the rows in an epoch, whatever came before.")
@says(
    "Compute the order of the rows in an epoch from the epoch's number alone, "
    "so that epoch 7 can be had without those before it."
)
def test_an_order_without_memory() -> None:
    tf.random.set_seed(1)
    first = order(64, 7).numpy().tolist()
    tf.random.set_seed(2)
    order(64, 6)
    assert order(64, 7).numpy().tolist() == first
    assert sorted(first) == [*range(64)]
    assert order(64, 8).numpy().tolist() != first


@says(
    "Resume a training to the last bit: [Save, stop, "
    "resume](save_and_resume.md)."
)
@says(
    "Python values that freeze in a graph, as the seed did: [trap 8] … graph)."
)
@says("Names such as `tf.set_random_seed`: … names](old_names.md).")
def test_where_to_go_next() -> None:
    traps = (DOCS / "traps.md").read_text("utf-8")
    assert "\n## 8. A number frozen in a graph\n" in traps
    assert "# Save, stop, resume" in (DOCS / "save_and_resume.md").read_text()
    names = (DOCS / "old_names.md").read_text("utf-8")
    tables = (ROOT / "snippets/old_names_tables.py").read_text("utf-8")
    assert "tf.set_random_seed" in names + tables
    assert not hasattr(tf, "set_random_seed")
    assert ast.parse(BLOCKS["order"].code)
