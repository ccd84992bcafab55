"""What repeats itself, and what does not, is as the page says.

The tests run the very sections that the page shows.  Where the page has a
check, the check is also put under the code that looks right and fails.
"""

import ast
import importlib
import os
import random
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from matplotlib.figure import Figure

from snippets.same_run_twice import (
    Seed,
    check_equal,
    draws,
    make_batches,
    repeats,
    train,
)
from snippets.same_run_twice_draws import (
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
from tests.story import Names, execute, statements

ROOT = Path(__file__).parents[2]

set_random_seed = tf.keras.utils.set_random_seed


@pytest.fixture(autouse=True)
def own_seeds() -> Iterator[None]:
    """Leave the generators that all share as they were."""
    state = random.getstate(), np.random.get_state()
    yield
    random.setstate(state[0])
    np.random.set_state(state[1])
    tf.random.set_seed(None)


def run(module: str, *shown: str, **given: object) -> Names:
    """Run sections as the page does; return the names they leave."""
    module = f"same_run_twice{module}"
    names = dict(vars(importlib.import_module(f"snippets.{module}")))
    names |= given
    with warnings.catch_warnings(action="error"):
        for name in shown:
            execute(module, statements(module, name), names)
    return names


def check(module: str, mended: str, names: Names) -> None:
    """Run the check with which the mended section ends."""
    module = f"same_run_twice{module}"
    *_, last = statements(module, mended)
    assert isinstance(last, ast.Assert)
    execute(module, [last], names)


# 1. A seed that Keras does not read


@pytest.fixture(scope="module")
def different() -> list[list[float]]:
    """The losses of three trainings after the seed of TensorFlow."""
    losses: list[list[float]] = run("", "tensorflow_only")["different"]
    return losses


def test_the_seed_of_tensorflow_does_not_repeat_a_training(
    different: list[list[float]],
) -> None:
    one, two, three = different
    assert one[0] != two[0] != three[0] != one[0]
    with pytest.raises(AssertionError):
        check("", "all_seeds", {"same": different})


def test_the_first_line_repeats_what_tensorflow_does_not(
    different: list[list[float]],
) -> None:
    random.seed(0)
    assert train(tf.random.set_seed)[0] == different[0]


def test_the_seed_of_keras_repeats_it() -> None:
    one, two, three = run("", "all_seeds")["same"]
    assert one == two == three
    assert len(one) == 15
    assert np.mean(one[-3:]) < 2.0 < one[0]


def test_the_figure_shows_three_and_three(
    shown: list[Figure],
) -> None:
    one, other = [1.0, 2.0], [3.0, 4.0]
    run("", "compared", same=[one] * 3, different=[other] * 3)
    [axes] = shown[0].axes
    assert axes.get_yscale() == "log"
    solid = [line for line in axes.lines if line.get_linestyle() == "-"]
    dashed = [line for line in axes.lines if line.get_linestyle() == "--"]
    for lines, history in ((solid, one), (dashed, other)):
        assert len(lines) == 3
        assert {line.get_marker() for line in lines} == {"o", "s", "^"}
        for line in lines:
            np.testing.assert_array_equal(line.get_ydata(), history)
    legend = axes.get_legend()
    assert legend is not None
    told = [text.get_text() for text in legend.get_texts()]
    assert told == ["keras.utils.set_random_seed", "tf.random.set_seed"]
    assert [line.get_color() for line in legend.get_lines()] == [
        solid[0].get_color(),
        dashed[0].get_color(),
    ]


@pytest.mark.parametrize("seed", [np.int64(1), 1.0])
def test_the_seed_must_be_a_python_int(seed: object) -> None:
    with pytest.raises(ValueError, match="Expected `seed` argument to be"):
        set_random_seed(seed)
    run("", "train")
    with pytest.raises(ValueError, match=r"numpy\.int64"):
        run("", "whole_numbers")


def test_three_batches_an_epoch_in_a_new_order() -> None:
    batches = make_batches()
    first, second = ([x.numpy() for x, _ in batches] for _ in range(2))
    assert [len(x) for x in first] == [67, 67, 67]
    x = np.sort(np.concatenate(first), axis=None)
    np.testing.assert_allclose(x, np.linspace(-2, 2, 201), atol=1e-6)
    assert not np.array_equal(first[0], second[0])


# 2. What each seed reaches

PYTHON = {"random.random", "initial weights", "layers.Dropout"}
NUMPY = {"numpy.random"}
TENSORFLOW = {"tf.random.normal", "Dataset.shuffle"}


@pytest.mark.parametrize(
    ("seed", "reached"),
    [
        (random.seed, PYTHON),
        (np.random.seed, NUMPY),
        (tf.random.set_seed, TENSORFLOW),
        (set_random_seed, PYTHON | NUMPY | TENSORFLOW | {"keras.random"}),
    ],
)
def test_what_a_seed_reaches(seed: Seed, reached: set[str]) -> None:
    found = repeats(seed)
    assert {source for source, same in found.items() if same} == reached
    assert found.keys() == draws().keys()
    assert len(found) == 8


def test_the_table_prints_a_line_for_each_source(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("", "table")
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["Python", "NumPy", "TF", "Keras"]
    assert len(lines) == 8
    assert all(len(line) <= len(head) for line in lines)
    columns = [head.index(name) for name in head.split()]
    for line in lines:
        cells = [line[column:].split()[0] for column in columns]
        source = line[:16].strip()
        assert cells == [
            "yes" if source in reached else "-"
            for reached in (
                PYTHON,
                NUMPY,
                TENSORFLOW,
                PYTHON | NUMPY | TENSORFLOW | {"keras.random"},
            )
        ]


def test_a_generator_of_numpy_takes_a_seed_of_its_own() -> None:
    one, other = (np.random.default_rng(1).normal() for _ in range(2))
    assert one == other


# 3. Seeds without global state


def test_stateless_draws_follow_from_their_seed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("_draws", "stateless")
    zero, one, again = capsys.readouterr().out.splitlines()
    assert zero == again != one


def test_a_generator_goes_on_and_is_set_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    generator = run("_draws", "generator")["generator"]
    lines = capsys.readouterr().out.splitlines()
    first, after, back = (line.split()[-1] for line in lines)
    assert first == back != after
    assert isinstance(generator.state, tf.Variable)


def test_a_checkpoint_keeps_a_generator(tmp_path: Path) -> None:
    generator = tf.random.Generator.from_seed(1)
    generator.normal([])
    path = tf.train.Checkpoint(generator=generator).write(f"{tmp_path}/g")
    following = float(generator.normal([]))
    restored = tf.random.Generator.from_seed(2)
    tf.train.Checkpoint(generator=restored).read(path).assert_consumed()
    assert float(restored.normal([])) == following


def test_a_generator_does_not_follow_the_global_seed() -> None:
    values = []
    for seed in (1, 2):
        tf.random.set_seed(seed)
        generator = tf.random.Generator.from_seed(1)
        values.append(float(generator.normal([])))
    assert values[0] == values[1]


# 4. Seeds of initial weights


def test_a_layer_before_moves_the_start_of_the_next(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("_draws", "moved_on")
    lines = capsys.readouterr().out.splitlines()
    alone, after = (float(line.split()[-1]) for line in lines)
    assert alone != after
    # The layer with dropout took the first number, and this one the second.
    set_random_seed(1)
    first, second = first_weight(), first_weight()
    assert (alone, after) == pytest.approx((first, second), abs=1e-4)


def test_a_seed_of_its_own_keeps_the_start() -> None:
    run("_draws", "own_seed")
    with pytest.raises(AssertionError):
        check("_draws", "own_seed", {"weights": [first_weight(), 0.0]})


def test_one_initializer_starts_all_layers_alike() -> None:
    weights = run("_draws", "shared")["weights"]
    assert len(weights) == 3
    assert len(set(weights)) == 1
    with pytest.raises(AssertionError):
        check("_draws", "one_each", {"weights": weights})


def test_one_initializer_for_each_layer_does_not() -> None:
    run("_draws", "one_each")


def test_an_initializer_draws_its_seed_when_it_is_made() -> None:
    initializer = tf.keras.initializers.GlorotUniform()
    first, second = (initializer((2, 3)).numpy() for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_name_makes_a_new_initializer_each_time() -> None:
    name = "glorot_uniform"
    weights = {first_weight(kernel_initializer=name) for _ in range(3)}
    assert len(weights) == 3


def test_the_same_explicit_seed_for_two_layers_starts_them_alike() -> None:
    one, other = (
        first_weight(
            kernel_initializer=tf.keras.initializers.GlorotUniform(seed=1)
        )
        for _ in range(2)
    )
    assert one == other


# 5. Seeds of shuffles


def shuffled(**options: object) -> tf.data.Dataset:
    return tf.data.Dataset.range(64).shuffle(64, **options)


def test_shuffle_says_what_the_page_prints(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("_draws", "shuffle")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "reshuffle_each_iteration=True"
    assert len(set(lines[1:4])) == 3
    assert lines[4] == "reshuffle_each_iteration=False"
    assert len(set(lines[5:])) == 1
    for line in lines[1:4] + lines[5:]:
        assert sorted(line.split()) == list("012345")


def test_shuffle_shuffles_anew_if_you_say_nothing() -> None:
    one, two = epochs_of(shuffled(seed=3), 2)
    assert one != two
    assert sorted(one) == sorted(two) == list(range(64))


def test_the_seed_of_a_shuffle_is_combined_with_the_global_one() -> None:
    orders = []
    for seed in (1, 1, 2):
        tf.random.set_seed(seed)
        orders.append(epochs_of(shuffled(seed=3)))
    assert orders[0] == orders[1] != orders[2]


def test_the_same_dataset_goes_on_and_a_new_one_begins_again() -> None:
    tf.random.set_seed(1)
    rows = shuffled(seed=3)
    first, second = epochs_of(rows), epochs_of(rows)
    assert first != second
    assert epochs_of(shuffled(seed=3)) == first


def test_fit_shuffles_once_after_a_seed() -> None:
    orders = run("_draws", "fit_shuffles")["orders"]
    assert orders.shape == (3, 6)
    assert len({tuple(row) for row in orders}) == 1
    assert orders[0].tolist() != [0, 1, 2, 3, 4, 5]
    with pytest.raises(AssertionError):
        check("_draws", "dataset_shuffles", {"orders": orders})


def test_fit_shuffles_anew_without_a_seed() -> None:
    orders = fit_orders(np.arange(64.0))
    assert len({tuple(row) for row in orders}) == 3


class FirstLoss(tf.keras.callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.losses: list[float] = []

    def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:
        if batch == 0:
            self.losses.append(logs["loss"])


@pytest.mark.parametrize("seed", [1, None])
def test_so_does_the_compiled_step_of_fit(seed: int | None) -> None:
    tf.random.set_seed(seed)
    x, seen = np.arange(64.0)[:, np.newaxis], FirstLoss()
    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    model.compile(tf.keras.optimizers.SGD(0.0), loss="mse")
    model.fit(x, x**2, epochs=3, verbose=0, callbacks=[seen])
    assert len(set(seen.losses)) == (1 if seed else 3)


def test_a_dataset_of_your_own_is_shuffled_in_every_epoch() -> None:
    one, other = (
        run("_draws", "dataset_shuffles")["orders"] for _ in range(2)
    )
    assert len({tuple(row) for row in one}) == 3
    np.testing.assert_array_equal(one, other)


def test_fit_does_not_see_the_orders_of_a_loop() -> None:
    set_random_seed(1)
    in_fit = fit_orders(shuffled().batch(32)).tolist()
    set_random_seed(1)
    in_loop = epochs_of(shuffled(), 6)
    assert in_fit[0] == in_loop[0]
    assert in_fit[1] != in_loop[1]
    assert in_fit[1] == in_loop[2]


def test_what_is_random_in_a_map_is_the_same_in_every_epoch(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = run("_draws", "random_map")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert len(set(lines)) == 1
    first, *others = epochs_of(names["noisy"])
    with pytest.raises(AssertionError):
        check("_draws", "stateless_map", {"first": first, "others": others})


def test_with_a_seed_for_each_row_it_is_not_and_repeats_itself() -> None:
    tf.random.set_seed(1)
    rows = {"rows": tf.data.Dataset.range(5)}
    one, other = (run("_draws", "stateless_map", **rows) for _ in range(2))
    assert one["first"] == other["first"]
    assert one["others"] == other["others"]
    assert len({*map(tuple, one["others"])}) == 2


# 6. Dropout keeps its own seed


def test_a_layer_goes_on_after_the_seed_is_set_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    dropout = run("_draws", "old_layer")["dropout"]
    one, other = capsys.readouterr().out.splitlines()
    assert one != other
    assert dropout.seed_generator.state.numpy()[1] == 2
    with pytest.raises(AssertionError):
        check("_draws", "new_layer", {"masks": [one, other]})


def test_a_layer_made_after_the_seed_begins_again() -> None:
    assert len(run("_draws", "new_layer")["masks"]) == 2


def test_kept_says_what_the_layer_lets_through() -> None:
    assert kept(tf.keras.layers.Dropout(0.0)) == "1" * 12
    mask = kept(tf.keras.layers.Dropout(0.9, seed=1))
    outputs = tf.keras.layers.Dropout(0.9, seed=1)(
        tf.ones([12]), training=True
    )
    assert [bit == "1" for bit in mask] == (outputs > 0).numpy().tolist()


# 7. set_seed and tf.function


def test_a_new_seed_does_not_reach_what_is_traced(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = run("_draws", "draw", "traced")
    lines = capsys.readouterr().out.splitlines()
    eager = [line.split()[3] for line in lines]
    compiled = [line.split()[5] for line in lines]
    assert eager[0] == eager[1] != eager[2]
    assert len(set(compiled)) == 1
    assert eager[0] != f"{compiled[0]},"
    # Without a seed in between it goes on.
    assert f"{names['draw']():.4f}" != compiled[0]
    assert draw.python_function().shape == ()


def test_a_seed_set_inside_does_not_start_anew_in_each_call(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("_draws", "seeded_inside", "inside")
    values = capsys.readouterr().out.split()[1:]
    assert len(set(values)) == 3
    # The line is Python: outside of a graph it does start anew.
    function = seeded_inside.python_function
    assert float(function()) == float(function())


def test_a_seed_as_an_argument_is_looked_at_in_each_call(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("_draws", "passed")
    one, same, other = capsys.readouterr().out.splitlines()
    assert one == same
    assert one.split()[-1] != other.split()[-1]
    number = draw_from(tf.constant((3, 0)))
    assert float(number) == float(draw_from.python_function((3, 0)))
    assert draw_from.experimental_get_tracing_count() == 1


# 8. Train twice


def test_check_equal_finds_the_last_bit() -> None:
    one = [np.ones(3, np.float32), np.full(2, np.nan, np.float32)]
    check_equal(one, [weight.copy() for weight in one])
    other = [np.nextafter(one[0], 2, dtype=np.float32), one[1]]
    with pytest.raises(AssertionError, match="weight 0 differs"):
        check_equal(one, other)
    other = [one[0], np.full(2, 0.5, np.float32)]
    with pytest.raises(AssertionError, match=r"weight 1 .* up to 0\.5$"):
        check_equal([one[0], np.zeros(2, np.float32)], other)
    with pytest.raises(ValueError, match="shorter"):
        check_equal(one, one[:1])


def test_two_trainings_in_one_process_are_equal_to_the_last_bit() -> None:
    names = run("_processes", "healthy")
    assert [weight.shape for weight in names["first"]] == [
        *((1, 16), (16,), (16, 1), (1,))
    ]
    with pytest.raises(AssertionError, match="weight 0 differs by up to"):
        run("_processes", "caught", first=names["first"])


IN_A_PROCESS_OF_ITS_OWN = """
import tensorflow as tf
from snippets.same_run_twice import train, np

np.savez("weights.npz", *train(tf.keras.utils.set_random_seed)[1])
tf.random.set_seed(None)
tf.config.experimental.enable_op_determinism()
try:
    tf.random.normal([])
except RuntimeError as error:
    print(f"RuntimeError: {error}")
"""


def test_another_process_has_the_same_weights_and_refuses_as_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IN_A_PROCESS_OF_ITS_OWN],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    monkeypatch.chdir(tmp_path)
    first = train(set_random_seed)[1]
    run("_processes", "two_processes", first=first)
    page = (ROOT / "docs/same_run_twice.md").read_text()
    assert f"`{done.stdout.strip()}`" in " ".join(page.split())


# 9. What no seed repeats


def test_the_order_of_a_set_depends_on_the_process(
    printed_by: Callable[[str], list[str]],
) -> None:
    printed = [
        subprocess.run(
            [sys.executable, ROOT / "snippets/same_run_twice_words.py"],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        for seed in ("1", "2")
    ]
    assert printed[0][0] != printed[1][0]
    assert printed[0][1] == printed[1][1]
    here = printed_by("same_run_twice_words")
    assert here[1] == printed[0][1]
    assert "{'epoch': 0, 'loss': 1, 'model': 2, 'train': 3}" in here[1]


def test_the_variable_set_inside_comes_too_late(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "2")
    names = run("_processes", "too_late")
    assert capsys.readouterr().out == "another order: False\n"
    assert os.environ["PYTHONHASHSEED"] == "1"
    assert len(names["before"]) == len(names["after"]) == 10


def test_a_sum_of_floats_depends_on_its_order() -> None:
    assert (0.1 + 0.2) + 0.3 != 0.1 + (0.2 + 0.3)


# Exercises


def test_set_back_draws_what_new_layers_drew(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("_draws", "set_back")
    one, other = capsys.readouterr().out.splitlines()
    assert one == other
    assert one.split()[1] != one.split()[2]


def test_seed_states_finds_them_in_models_within_models() -> None:
    inner = tf.keras.Sequential([tf.keras.layers.Dropout(0.5)])
    noise = tf.keras.layers.GaussianNoise(1.0)
    model = tf.keras.Sequential([inner, tf.keras.layers.Dense(1), noise])
    model.build((None, 1))
    found = {id(state) for state in seed_states(model)}
    expected = [inner.layers[0], noise]
    assert found == {id(layer.seed_generator.state) for layer in expected}


def test_order_is_a_permutation_that_needs_no_memory() -> None:
    tf.random.set_seed(1)
    first = order(64, 7).numpy().tolist()
    tf.random.set_seed(2)
    order(64, 6)
    assert order(64, 7).numpy().tolist() == first
    assert sorted(first) == list(range(64))
    assert order(64, 8).numpy().tolist() != first
    assert order(64, 7, seed=2).numpy().tolist() != first


@pytest.mark.parametrize("part", ["", "_draws", "_processes"])
def test_the_module_runs_as_a_script(
    part: str,
    printed_by: Callable[[str], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "1")  # which one of them sets
    assert printed_by(f"same_run_twice{part}")
