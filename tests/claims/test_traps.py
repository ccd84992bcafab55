"""What the page on silent failures says is true."""

import ast
import contextlib
import importlib
import inspect
import itertools
import random
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf

from snippets import traps_checks
from snippets.data import make_data
from snippets.keras_model import KerasLinearModel
from snippets.linear_model import LinearModel
from snippets.loss import loss
from snippets.traps_checks import (
    check_log,
    check_metric,
    check_step,
    train_swapped,
)
from snippets.traps_functions import train_as_set, train_layers, two_layers
from snippets.traps_keras import (
    AsAdvised,
    Hidden,
    KerasTwo,
    LazyLine,
    OwnStep,
    Recorded,
    Unweighted,
    normed_line,
)
from snippets.traps_steps import Train, largest_curvature, train
from tests.claims.says import figure, imported, printed, record, says
from tests.claims.sentences import DOCS, ROOT, Block, read
from tests.story import Names, execute, statements

TRAPS = "traps"
PAGE = read(TRAPS)
SOURCE = (DOCS / f"{TRAPS}.md").read_text("utf-8")
CODES = {block.name: block.code for block in PAGE.blocks}
CHAPTERS = {
    int(number): text
    for number, text in re.findall(r"(?ms)^## (\d+)\. (.*?)(?=^## )", SOURCE)
}
"""The text of each trap, by its number."""
WHOLE: dict[str, Any] = {"batch_size": 201, "shuffle": False, "verbose": 0}
X, Y = make_data()
INPUTS, OUTPUTS = X[:, tf.newaxis], Y[:, tf.newaxis]
LINE = LinearModel()
FIT_W, FIT_B = np.polyfit(X.numpy().astype(float), Y.numpy().astype(float), 1)
"""The least squares fit."""

MENDED = {
    *("all_seen", "columns", "right_log", "remembered", "below_the_limit"),
    *("rows_apart", "weights_kept", "healthy", "catch_hidden", "catch_log"),
    *("catch_swapped", "catch_rows"),
}
"""Sections that make nothing that is used further down."""

Array = npt.NDArray[np.float64]


class Ran(NamedTuple):
    """What a section left when the page ran."""

    names: Names
    warned: list[str]
    error: Exception | None


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """Run what looks right in page order; return what each section left.

    Of what is mended, and of later epochs, the page's record says enough.
    """
    names: Names = {}
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("page"))
        for block in PAGE.blocks:
            if block.name in MENDED:
                continue
            module, error = module_of(block), None
            with recorded() as told, uncompiled(block.name):
                try:
                    execute(module, shorter(module, block.name), names)
                except RuntimeError as raised:
                    error = raised
            ours = [str(warning.message) for warning in told]
            found[block.name] = Ran(dict(names), ours, error)
    return found


def shorter(module: str, section: str) -> list[ast.stmt]:
    """Return what the section does, with four epochs where `fit` has more."""
    parts = statements(module, section)
    for part in parts:
        for node in ast.walk(part):
            if isinstance(node, ast.keyword) and node.arg == "epochs":
                node.value = ast.copy_location(ast.Constant(4), node.value)
    return parts


@contextlib.contextmanager
def recorded() -> Iterator[list[warnings.WarningMessage]]:
    """Keep the warnings that a reader sees.

    One of TensorFlow is on what runs uncompiled, which is our doing.
    """
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", message="Even though the `tf.conf")
        yield told


@contextlib.contextmanager
def uncompiled(section: str = "") -> Iterator[None]:
    """Let `fit` do the same without compiling it, which takes its time."""
    eager = ".fit(" in CODES.get(section, ".fit(")
    tf.config.run_functions_eagerly(eager or ".evaluate(" in CODES[section])
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


def module_of(block: Block) -> str:
    return Path(block.options["run"].partition(":")[0]).stem


def shown(chapter: int, title: str) -> list[str]:
    """Return the sections that a trap shows under a title, code that runs."""
    fences = re.findall(rf'(?m)^```.*title="{title}".*', CHAPTERS[chapter])
    sections = [re.findall(r'run="\S+?:(\w+)"', fence)[0] for fence in fences]
    return [s for s in sections if not re.match(r"class |def ", CODES[s])]


def check_of(chapter: int) -> tuple[str, list[ast.stmt]]:
    """Return the module and the statements of the check that ends a trap."""
    section = shown(chapter, "Mended")[-1]
    [module] = [module_of(b) for b in PAGE.blocks if b.name == section]
    is_check = re.compile(r"assert |status\.assert_consumed|due = ").match
    parts = itertools.takewhile(
        lambda part: is_check(ast.unparse(part)),
        reversed(statements(module, section)),
    )
    return module, [*parts][::-1]


def x_and_y(shift: float = 0.0) -> tuple[Array, Array]:
    return X.numpy().astype(float) + shift, Y.numpy().astype(float)


def descend(steps: int, rate: float, shift: float = 0.0) -> list[float]:
    """Return the losses of gradient descent, computed with NumPy."""
    x, y = x_and_y(shift)
    w, b, losses = 5.0, 0.0, []
    for _ in range(steps):
        error = w * x + b - y
        losses.append(float(np.mean(error**2)))
        w -= rate * 2 * float(np.mean(error * x))
        b -= rate * 2 * float(np.mean(error))
    return losses


def numbers(section: str, name: str = "losses:") -> list[float]:
    """Return the numbers that a line of a block's output shows."""
    [line] = re.findall(rf"(?m)^{name} +(.*)$", printed(TRAPS, section))
    return [float(number) for number in line.strip("[]").split()]


def compiled(model: Any, **options: Any) -> Any:
    options = {"metrics": ["mse"], "run_eagerly": True, **options}
    model.compile(tf.keras.optimizers.SGD(0.1), loss="mse", **options)
    return model


def gradients(model: Any) -> tuple[float, float]:
    with tf.GradientTape() as tape:
        current_loss = loss(Y, model(X))
    w, b = tape.gradient(current_loss, [model.w, model.b])
    return float(w), float(b)


# The page


@says(
    "TensorFlow training bugs that raise no error, each with its "
    "symptoms, its mend and a short check that catches it."
)
@says(
    "This page is about mistakes that let it run to the end and print numbers."
)
@says("Each trap is shown as code that looks right, then mended.")
def test_each_trap_runs_prints_numbers_and_is_mended(
    left: dict[str, Ran],
) -> None:
    table = SOURCE[: SOURCE.index("Each trap is shown")]
    assert [*CHAPTERS] == [*range(1, len(CHAPTERS) + 1)]
    for number, text in CHAPTERS.items():
        assert f"[{number}](#{number}-" in table, "a symptom leads to it"
        wrong, mended = (shown(number, t) for t in ("Looks right", "Mended"))
        assert text.index('"Looks right"') < text.index('"Mended"')
        for section in wrong:
            assert left[section].error is None
            assert left[section].warned == []
        for section in wrong + mended:
            assert re.search(r"\d", printed(TRAPS, section))


@says("The mended code ends with a check.")
@says(
    "When you have read it you can tell each of them by its symptoms, "
    "mend it, and test for it in a line or two."
)
@says(
    "Put at the end of the code that looks right, the same check fails; "
    "the tests of this site make sure that it does."
)
@pytest.mark.parametrize("number", [*CHAPTERS])
def test_the_check_fails_where_the_code_looks_right(
    left: dict[str, Ran], number: int
) -> None:
    module, checks = check_of(number)
    code = ast.unparse(ast.Module(checks, []))
    assert len(code.splitlines()) in (1, 2)
    wrong = shown(number, "Looks right")
    trials = [(wrong[-1], checks)]
    if number == 8:  # two traps in one, a check for each
        trials = [(n, [c]) for n, c in zip(wrong, checks, strict=True)]
    module_names = vars(importlib.import_module(f"snippets.{module}"))
    for section, parts in trials:
        names = module_names | left[section].names
        with pytest.raises(AssertionError), uncompiled():
            execute(module, parts, names)
    text = (ROOT / "tests/snippets/test_traps.py").read_text("utf-8")
    springs = re.findall(
        rf"(?s)def test_trap_{number:02}_springs.*?(?=\n\n\n)", text
    )
    assert len(springs) == len(trials)
    for test in springs:
        assert re.search(r"raises\(AssertionError.*\):\n +check\(", test)


@says("Every block runs.")
@says(
    "All blocks above, in order, as one file. It needs TensorFlow and "
    "Matplotlib."
)
def test_all_blocks_ran_with_what_the_page_names() -> None:
    kept = [n.rpartition(":")[2] for n in record(TRAPS) if ":" in n]
    assert [n for n in kept if n in CODES] == [b.name for b in PAGE.blocks]
    modules = imported(PAGE)
    own = {"warnings", "collections"}
    assert modules - own == {"tensorflow", "matplotlib"}


@says(
    "The imports, and three things from the guide: its data, its line "
    "with a weight and a bias, its loss."
)
def test_what_the_traps_share_is_from_the_guide() -> None:
    guide = [block.code for block in read("basic_training_loops").blocks]
    setup, *shared = PAGE.blocks[:4]
    assert "import tensorflow as tf" in setup.code
    assert [block.name for block in shared] == ["make_data", "model", "loss"]
    assert all(block.code in guide for block in shared)
    assert {v.name for v in LinearModel().variables} == {"w:0", "b:0"}


@says(
    "And one step of plain gradient descent. It is the mend of several traps."
)
@says("Update every variable of the model once, by gradient descent.")
@says("`Train` is the type of such a step.")
@says(
    "Make the list of variables once and walk through both lists together, "
    "as `train` does."
)
def test_the_step() -> None:
    code = CODES["train"]
    assert code.count("model.trainable_variables") == 1
    assert "in zip(variables, gradients, strict=True):" in code
    for model in (LinearModel(), KerasLinearModel()):
        losses = [float(loss(Y, model(X)))]
        train(model, X, Y, 0.1)
        losses.append(float(loss(Y, model(X))))
        np.testing.assert_allclose(losses, descend(2, 0.1), rtol=1e-4)
    mended = []
    for number in CHAPTERS:
        uses = {
            title: any(
                "train(model," in CODES[s] for s in shown(number, title)
            )
            for title in ("Looks right", "Mended")
        }
        if uses["Mended"] and not uses["Looks right"]:
            mended.append(number)
    assert mended == [2, 3, 4]
    *given, returned = train.__annotations__.values()
    assert Callable[given, returned] == Train


# What you see, and where to look


class AllHidden(Hidden):
    def __init__(self) -> None:
        tf.keras.Model.__init__(self)
        self.w, self.b = tf.Variable(5.0), tf.Variable(0.0)


@pytest.fixture(scope="module")
def stuck() -> tuple[list[float], list[str]]:
    """What `fit` logs and warns of if it sees no variable."""
    with recorded() as told:
        fit = compiled(AllHidden()).fit(X, Y, epochs=2, **WHOLE)
    return fit.history["loss"], [str(warning.message) for warning in told]


@says(
    "The loss stands still | [1](#1-a-variable-that-keras-cannot-see), "
    "[4](#4-a-variable-rebound), [6](#6-a-loss-that-was-never-scaled), [empty "
    "lists](errors_in_a_step.md#other-slips-with-apply_gradients)"
)
@says(
    "Had both variables been hidden, the loss would stand still, and "
    "`fit` would at least "
    "[warn](basic_training_loops.md#a-model-that-learns-nothing)."
)
def test_the_loss_stands_still(
    left: dict[str, Ran], stuck: tuple[list[float], list[str]]
) -> None:
    losses, warned = stuck
    assert losses[0] == losses[1]
    assert any("not have any trainable weights" in text for text in warned)
    assert left["half_hidden"].warned == [], "of one there is no warning"
    assert len(set(left["rebound"].names["history"])) == 1
    errors = (DOCS / "errors_in_a_step.md").read_text("utf-8")
    slips = errors.partition("### Other slips with apply_gradients\n")[2]
    assert "Of empty lists" in slips.partition("\n#")[0]
    history = left["unscaled"].names["history"]
    assert history[-1] == pytest.approx(history[0], rel=1e-3)


@says("Every input gets the same prediction | [2](#2-a-row-against-a-column)")
def test_the_same_prediction(left: dict[str, Ran]) -> None:
    flat = left["row_against_column"].names
    spread = np.ptp(flat["model"](flat["x"]))
    assert spread < 0.05 * np.ptp(flat["y"])


@says(
    "The loss settles too high | "
    "[1](#1-a-variable-that-keras-cannot-see), [2](#2-a-row-against-a-column)"
)
def test_the_loss_settles_too_high(left: dict[str, Ran]) -> None:
    hidden = numbers("half_hidden", "loss:")
    assert hidden[-1] == pytest.approx(hidden[-3], abs=0.02)
    assert hidden[-1] > 4 * numbers("all_seen", "loss:")[-1]
    pairs = float(left["row_against_column"].names["current_loss"])
    assert pairs > 10 * numbers("columns", "loss")[0]


@says(
    "The loss rises | [3](#3-gradients-in-another-order), "
    "[10](#10-a-learning-rate-past-the-limit), [13](#13-a-loss-for-each-row)"
)
def test_the_loss_rises(left: dict[str, Ran]) -> None:
    for section in ("swapped", "too_fast", "loss_per_row"):
        history = left[section].names["history"]
        assert np.all(np.diff(history[2:]) > 0)
        assert left[section].names["history"][-1] > history[0]


def descent(change: Array) -> Array:
    """Return 2000 losses, if the change makes steps of the gradients."""
    x, y = X.numpy(), Y.numpy()
    weights = np.array([5.0, 0.0], np.float32)
    losses = []
    with np.errstate(all="ignore"):
        for _ in range(2000):
            error = weights[0] * x + weights[1] - y
            losses.append(np.mean(error**2))
            slopes = [2 * np.mean(error * x), 2 * np.mean(error)]
            weights -= change.astype(np.float32) @ np.array(slopes)
    assert losses[0].dtype == np.float32
    return np.array(losses)


def train_by_rows(
    model: tf.Module, x: tf.Tensor, y: tf.Tensor, learning_rate: float
) -> None:
    """Take the step of trap 13."""
    variables = model.trainable_variables
    with tf.GradientTape() as tape:
        predictions = model(x[:, tf.newaxis])
        current_loss = tf.keras.losses.mse(y[:, tf.newaxis], predictions)
    gradients = tape.gradient(current_loss, variables)
    for variable, gradient in zip(variables, gradients, strict=True):
        variable.assign_sub(learning_rate * gradient)


@says(
    "The loss becomes `inf`, then NaN | [13](#13-a-loss-for-each-row) soon, "
    "[3](#3-gradients-in-another-order) and "
    "[10](#10-a-learning-rate-past-the-limit) after many steps"
)
@says("The loss rises, and some steps on it is `inf`.")
def test_the_loss_becomes_infinite_and_then_no_number(
    left: dict[str, Ran],
) -> None:
    keep, swap = np.eye(2), np.eye(2)[::-1]
    first = {}
    for number, section, change in (
        (3, "swapped", 0.1 * swap),
        (10, "too_fast", 0.76 * keep),
        (13, "loss_per_row", 0.1 * 201 * keep),
    ):
        history = descent(change)
        assert left[section].names["history"] == pytest.approx(
            history[: len(left[section].names["history"])], rel=1e-3
        )
        first[number] = int(np.argmax(np.isinf(history)))
        assert np.isnan(history[-1])
        assert not np.isnan(history[: first[number] + 1]).any()
    assert len(left["loss_per_row"].names["history"]) == 6
    assert 6 < first[13] < 15
    assert first[3] > 100
    assert first[10] > 100


@says(
    "The log disagrees with your own sums | "
    "[5](#5-a-log-of-something-else), [11](#11-a-metric-never-reset), "
    "[12](#12-a-metric-that-counts-batches), [17](#17-a-mean-of-batch-means)"
)
def test_the_log_disagrees_with_ones_own_sums(left: dict[str, Ran]) -> None:
    log = left["wrong_logs"].names["log"]
    due = descend(4, 0.1, shift=1.0)
    assert np.all(np.abs(np.subtract(log["loss"], due)) > 1)
    epochs = [float(left[s].names["mean_loss"].result()) for s in RESETS]
    assert epochs[0] > epochs[1] + 1
    total = descend(1, 0.1)[0]
    assert abs(left["mean_of_means"].names["mean"] - total) > 0.5
    metric = left["rows_as_one"].names["metric"]
    assert abs(float(metric.result()) - total) > 0.5


RESETS = ("never_reset", "reset")


@says(
    "A restored model predicts something else | "
    "[7](#7-a-checkpoint-read-too-early)"
)
@says("The bias came back as {{ restored.dense.bias.numpy().item():.1f }}.")
@says(
    "The kernel is {{ restored.dense.kernel.numpy().item():.1f }}, as in any "
    "new model."
)
@says(
    "Keras has made this first weight twice (`restored.variables` has "
    "{{ len(restored.variables) }} entries) and the one in use was never "
    "given its value."
)
def test_a_model_that_was_restored_early(left: dict[str, Ran]) -> None:
    names = left["restored_early"].names
    trained, restored = names["trained"], names["restored"]
    ends = [m(names["inputs"])[-1].numpy().item() for m in (trained, restored)]
    assert ends == [8.0, 4.0]
    assert restored.dense.bias.numpy() == trained.dense.bias.numpy() == 2.0
    new = LazyLine()
    new(INPUTS)
    kernel = restored.dense.kernel
    assert kernel.numpy() == new.dense.kernel.numpy() == 1.0
    assert trained.dense.kernel.numpy() == 3.0
    paths = [variable.path.split("/")[-1] for variable in restored.variables]
    assert paths == ["kernel", "kernel", "bias"]
    assert len({*map(id, restored.variables)}) == 3
    assert kernel is restored.variables[1]
    assert len(new.variables) == 2


@says("A changed setting changes nothing | [8](#8-a-number-frozen-in-a-graph)")
@says(
    "The weight moves on. The graph has kept 0.1, the number that was in "
    "the dictionary when it was made."
)
@says("Train one step with a learning rate of 0.1, then two with 0.")
@says("Update every variable once, at the learning rate of the settings.")
def test_a_number_that_froze(left: dict[str, Ran]) -> None:
    names = left["frozen"].names
    assert "in (0.1, 0.0, 0.0):" in CODES["frozen"]
    assert "tf.function(train_as_set)" in CODES["frozen"]
    due, settings = [], train_as_set.__globals__["settings"]
    model = LinearModel()
    for _ in range(3):
        train(model, X, Y, 0.1)
        due.append(float(model.w))
    assert names["weights"] == pytest.approx(due, rel=1e-5)
    assert np.all(np.diff(names["weights"]) < -0.1)
    assert names["settings"]["learning_rate"] == 0.0
    model = LinearModel()
    for settings["learning_rate"] in (0.0, 0.1):
        before = float(model.w)
        train_as_set(model, X, Y)
        assert (float(model.w) == before) == (not settings["learning_rate"])


@says(
    "Normalisation, dropout or penalties do nothing | "
    "[9](#9-training-mode-and-penalties-forgotten)"
)
def test_what_training_mode_turns_on(left: dict[str, Ran]) -> None:
    names = left["forgotten"].names
    assert float(names["moving_mean"][0]) == 0.0
    ones = tf.ones(1000)
    dropout = tf.keras.layers.Dropout(0.5, seed=1)
    np.testing.assert_array_equal(dropout(ones), ones)
    assert float(tf.reduce_min(dropout(ones, training=True))) == 0.0


@says(
    "Another batch size needs another learning rate | "
    "[13](#13-a-loss-for-each-row)"
)
@says(
    "With a rate as many times smaller the model would learn, and need "
    "another with every other size of the batch."
)
@says("So each step is {{ len(x) }} times as long as one by their mean.")
def test_a_loss_for_each_row_and_the_learning_rate(
    left: dict[str, Ran],
) -> None:
    for rows in (201, 40):
        x, y = X[:rows], Y[:rows]
        ends = []
        for step, rate in ((train, 0.1), (train_by_rows, 0.1 / rows)):
            model = LinearModel()
            step(model, x, y, rate)
            ends.append([float(model.w), float(model.b)])
        assert ends[0] == pytest.approx(ends[1], rel=1e-4)
    due = descend(6, 0.1 * len(X))
    np.testing.assert_allclose(
        left["loss_per_row"].names["history"], due, rtol=1e-3
    )
    assert record(TRAPS)["len(x)"] == "201"


@says(
    "Two runs with one seed differ | [14](#14-a-seed-that-keras-does-not-read)"
)
@says(
    "The same seed before each of three layers, for the same initial weights."
)
@says("`tf.random.set_seed` seeds the random operations of TensorFlow.")
@says(
    "Keras draws the seeds of its weights from Python's `random`, of which "
    "that seed knows nothing."
)
@says("The seed of Keras sets both, and that of NumPy.")
def test_the_seeds(left: dict[str, Ran]) -> None:
    assert len({*left["set_seed"].names["starts"]}) == 3
    assert len({*left["set_random_seed"].names["starts"]}) == 1

    def draws(seed: Callable[[int], object]) -> list[bool]:
        """Return what the seed repeats: TensorFlow, Keras, Python, NumPy."""
        drawn = []
        for _ in range(2):
            seed(1)
            layer = tf.keras.layers.Dense(1)
            layer.build((None, 1))
            kernel = layer.kernel.numpy().item()
            noise = float(tf.random.normal(()))
            found = noise, kernel, random.random(), np.random.rand()
            drawn.append(found)
        return [a == b for a, b in zip(*drawn, strict=True)]

    assert draws(tf.random.set_seed) == [True, False, False, False]
    assert draws(random.seed) == [False, True, True, False]
    assert draws(tf.keras.utils.set_random_seed) == [True] * 4
    tf.random.set_seed(None)


@says("A frozen layer goes on learning | [15](#15-a-layer-frozen-too-late)")
@says("The layer goes on learning.")
@says("After the first step the first layer is frozen.")
@says(
    "The list of what is trainable was made when the step was traced, and "
    "the graph has kept it."
)
@says("Uncompiled, the step would do as it is told.")
@says("Compile the step again whenever `trainable` has changed.")
@says("Two layers, and a step that takes what is trainable.")
@says("Return a line made of two layers, whose weights are ones.")
@says("Update what is trainable once.")
@says("**The check** is that what is frozen stays where it is.")
def test_a_layer_that_was_frozen_late(left: dict[str, Ran]) -> None:
    names = left["frozen_late"].names
    assert np.all(np.diff(names["kernels"]) > 0.01)
    assert not names["model"].layers[0].trainable
    count = names["compiled_train"].experimental_get_tracing_count()
    assert count == 1
    kernels = left["compiled_again"].names["kernels"]
    assert kernels[0] == kernels[1] == kernels[2] > 1.01
    model, kernels = two_layers(), []
    assert [layer.kernel.numpy().item() for layer in model.layers] == [1, 1]
    for _ in range(3):
        train_layers(model, INPUTS, OUTPUTS)
        kernels.append(model.layers[0].kernel.numpy().item())
        model.layers[0].trainable = False
    assert kernels[0] == kernels[1] == kernels[2] > 1.01
    assert model.layers[1].kernel.numpy().item() > 1.01
    [*_, check] = check_of(15)[1]
    assert ast.unparse(check) == "assert kernels[-1] == kernels[-2]"


@says(
    "`class_weight` or `sample_weight` does nothing | "
    "[16](#16-weights-that-a-step-drops)"
)
@says(
    "Weights of rows reach the step as the third part of `data`, and this "
    "step takes the other two."
)
@says("`fit` makes of class weights a weight for each row.")
@says("A line with a training step for x and y alone.")
def test_weights_reach_the_step_and_are_dropped() -> None:
    arrived: list[Any] = []

    class Keeps(Unweighted):
        def train_step(self, data: Any) -> Any:
            arrived.append(data[2].numpy().tolist())
            return super().train_step(data)

    labels = tf.constant([0.0, 1.0, 1.0, 0.0])
    weights = np.array([1.0, 4.0, 4.0, 1.0])
    ends = []
    for options in (
        {"class_weight": {0: 1.0, 1: 4.0}},
        {"sample_weight": weights},
    ):
        model: Any = compiled(Keeps())
        fit = model.fit(X[:4], labels, **WHOLE, **options)
        ends.append(float(model.w))
        error = 5.0 * X[:4] - labels
        squares = float(tf.reduce_mean(error**2))
        assert fit.history["loss"] == pytest.approx([squares], rel=1e-5)
    assert arrived == [weights.tolist()] * 2
    due = 5 - 0.2 * float(tf.reduce_mean((5 * X[:4] - labels) * X[:4]))
    assert ends == pytest.approx([due] * 2, rel=1e-5)


# 1. A variable that Keras cannot see


@says(
    "This model makes its weight with `add_weight` and its bias, as one "
    "would outside of Keras, with `tf.Variable`."
)
@says("A line with a weight w and a bias b.")
@says("The loss falls and settles, as losses do. But the bias has not moved.")
@says(
    "Keras 3 collects only variables of its own kind, and a `tf.Variable` "
    "is none: `model.weights` has {{ len(model.weights) }} entry."
)
@says("**The check** counts the weights.")
@says("Make every weight with `add_weight`.")
@says("Train it in the same way.")
def test_a_variable_that_keras_cannot_see(left: dict[str, Ran]) -> None:
    names = left["half_hidden"].names
    losses, model = names["log"]["loss"], names["model"]
    assert np.all(np.diff(losses) < 0)
    losses = numbers("half_hidden", "loss:")
    assert losses[-1] == pytest.approx(losses[-3], abs=0.02)
    assert float(model.b) == 0.0
    assert float(model.w) < 4
    assert printed(TRAPS, "half_hidden").endswith("b 0.0000")
    assert [weight.name for weight in model.weights] == ["w"]
    assert isinstance(model.w, tf.keras.Variable)
    assert isinstance(model.b, tf.Variable)
    assert not isinstance(model.b, tf.keras.Variable)
    owner = tf.keras.Model()
    owner.one, owner.other = tf.keras.Variable(1.0), tf.Variable(1.0)
    assert owner.weights == [owner.one]
    line = Hidden()
    line.b.assign(3.0)
    assert line(tf.constant([-1.0, 0.0, 2.0])).numpy().tolist() == [-2, 3, 13]
    assert record(TRAPS)["len(model.weights)"] == "1"
    assert re.search(r"b 1\.9\d", printed(TRAPS, "all_seen"))
    assert "len(model.trainable_variables) == 2" in CODES["all_seen"]
    assert (
        CODES["all_seen"].splitlines()[1:3]
        == (CODES["half_hidden"].splitlines()[3:5])
    ), "trained in the same way"


# 2. A row against a column


@says(
    "Data with one row per example has the shape `(201, 1)`, and so do the "
    "predictions made from it."
)
@says("Outputs often come as `(201,)`.")
@says(
    "The subtraction *broadcasts* to 201 × 201 errors: every prediction is "
    "compared with every output."
)
@says("The mean of their squares is")
@says(
    "and it is least if all predictions are equal to the mean of the "
    "outputs, which is {{ tf.reduce_mean(y):.4f }}."
)
@says("That is what the model learned: a flat line.")
def test_a_row_against_a_column(left: dict[str, Ran]) -> None:
    names = left["row_against_column"].names
    assert names["inputs"].shape == (201, 1)
    assert names["model"](names["inputs"]).shape == (201, 1)
    table = np.ones((201, 2))
    assert Y.shape == table[:, -1].shape == (201,)
    assert names["errors"].shape == (201, 201)
    _, y = x_and_y()
    for predictions in (np.full(201, y.mean()), 5 * y, y):
        pairs = np.mean((predictions[:, None] - y) ** 2)
        gap = predictions.mean() - y.mean()
        due = predictions.var() + y.var() + gap**2
        assert pairs == pytest.approx(due)
        assert pairs > y.var() - 1e-9
    assert float(names["model"].w) == pytest.approx(0.0, abs=1e-4)
    assert float(names["model"].b) == pytest.approx(y.mean(), abs=1e-3)
    kept = record(TRAPS)["tf.reduce_mean(y):.4f"]
    assert float(kept) == pytest.approx(y.mean(), abs=1e-3)


@says(
    "The losses of Keras bring a vector and a column to one shape first: of "
    "`y` against its own column, `MeanSquaredError()` makes {{ "
    "tf.keras.losses.MeanSquaredError()(y, y[:, tf.newaxis]):.1f }}. They "
    "cannot in a graph that knows the column as `(None, None)`, and a loss of "
    "your own does not."
)
def test_losses_of_keras_bring_both_to_one_shape() -> None:
    for name in ("MeanSquaredError", "MeanAbsoluteError", "Huber", "LogCosh"):
        keras_loss = getattr(tf.keras.losses, name)()
        assert float(keras_loss(Y, OUTPUTS)) == pytest.approx(0, abs=1e-6)
        for columns, known in ((1, True), (None, False)):
            shapes = tf.TensorSpec([None]), tf.TensorSpec([None, columns])
            in_graph = tf.function(keras_loss, input_signature=shapes)
            assert (float(in_graph(Y, OUTPUTS)) < 1e-6) == known
    assert float(tf.reduce_mean((Y - OUTPUTS) ** 2)) > 1
    other = tf.keras.losses.MeanSquaredError()(tf.zeros(3), tf.ones((3, 3)))
    assert float(other) == 1, "other shapes broadcast, without a word"


@says(
    "Give both the same shape. The loss of the guide, which `train` uses, "
    "refuses anything else."
)
@says("**The check** compares the two shapes.")
def test_the_loss_of_the_guide_refuses_other_shapes() -> None:
    for outputs in (Y, Y[tf.newaxis], OUTPUTS[:, :, tf.newaxis]):
        with pytest.raises(ValueError, match="predictions"):
            train(LinearModel(), INPUTS, outputs, 0.1)
    train(LinearModel(), INPUTS, OUTPUTS, 0.1)
    [check] = check_of(2)[1]
    assert ast.unparse(check).count(".shape") == 2


@says(
    "The cloud of data points rises from left to right; the line trained row "
    "against column is flat at about two, the line trained on columns "
    "follows the points"
)
def test_the_figure_of_a_row_against_a_column() -> None:
    [axes] = figure(TRAPS, "columns")
    data, flat, line = (
        axes.points[name] for name in ("data", "row against column", "columns")
    )
    assert data.y[0] < data.y[2] < data.y[-1]
    assert flat.y == pytest.approx([2.0] * len(flat.y), abs=0.1)
    due = [FIT_W * x + FIT_B for x in line.x]
    assert line.y == pytest.approx(due, abs=0.01)


# 3. Gradients in another order


@says("The model was given its `w` first and its `b` second.")
@says("The loss rises from step to step.")
@says(
    "A `tf.Module` lists its variables in the alphabetical order of its "
    "attributes, "
    '`{{ ", ".join(v.name[0] for v in model.variables) }}`, so the first '
    "gradient is that of `b`."
)
@says(
    "A Keras model lists its own as they were made, those that it trains "
    "first, and then those of its layers: "
    '`{{ ", ".join(v.name for v in KerasLinearModel().variables) }}`, '
    "and the same lines would work there."
)
@says("**The check** is that one step makes the loss smaller.")
@says(
    "Where both gradients have the same sign, swapped ones do so as well, but "
    "by less than [check_step](#a-test-to-paste) asks for, unless they are "
    "about equal."
)
def test_gradients_in_another_order(left: dict[str, Ran]) -> None:
    code = Path(ROOT / "snippets/linear_model.py").read_text("utf-8")
    assert code.index("self.w =") < code.index("self.b =")
    history = left["swapped"].names["history"]
    assert np.all(np.diff(history) > 0)
    model = left["swapped"].names["model"]
    assert model.trainable_variables[0] is model.b

    class Module(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.z, self.a, self.m = (tf.Variable(i) for i in (1, 2, 3))

    module = Module()
    listed = [variable.numpy() for variable in module.variables]
    assert listed == [2, 3, 1]

    class Model(tf.keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = tf.keras.layers.Dense(1, name="dense")
            self.dense.build((None, 1))
            self.fixed = self.add_weight(name="fixed", trainable=False)
            self.z, self.a = (self.add_weight(name=name) for name in "za")

    listed = [weight.name for weight in Model().variables]
    assert listed == ["z", "a", "fixed", "kernel", "bias"]
    keras = KerasLinearModel()
    train_swapped(keras, X, Y, 0.1)
    losses = [descend(1, 0.1)[0], float(loss(Y, keras(X)))]
    np.testing.assert_allclose(losses, descend(2, 0.1), rtol=1e-4)
    kept = [v for k, v in record(TRAPS).items() if k.startswith('", ".join')]
    assert kept == ["b, w", "w, b"]
    for b, caught in ((2.8, True), (5.0, False)):
        one_sign = LinearModel()
        one_sign.w.assign(5.0)
        one_sign.b.assign(b)
        slopes = gradients(one_sign)
        assert min(slopes) > 0
        assert (0.8 < slopes[0] / slopes[1] < 1.3) is not caught
        before = float(loss(Y, one_sign(X)))
        train_swapped(one_sign, X, Y, 0.01)
        assert float(loss(Y, one_sign(X))) < before
        one_sign.b.assign(b)
        one_sign.w.assign(5.0)
        with (
            pytest.raises(AssertionError, match="loss fell by")
            if caught
            else contextlib.nullcontext()
        ):
            check_step(train_swapped, one_sign, X, Y)
    [check] = check_of(3)[1]
    assert ast.unparse(check) == "assert history[1] < history[0]"


# 4. A variable rebound


@says("In NumPy `a -= b` changes the array `a`.")
@says("Here is the same with the variables of a Keras model.")
@says("The loss does not move at all.")
@says(
    "`variable - 0.1 * gradient` is a new tensor (an "
    "`{{ type(variable).__name__ }}`), and `-=` gives it the name `variable` "
    "and leaves the model as it was."
)
@says("`assign_sub`, in `train`, changes the variable itself.")
@says("**The check** is that a weight has left its start.")
@says(
    "A variable of TensorFlow itself refuses the operator. One of Keras does "
    "not."
)
def test_a_variable_rebound(left: dict[str, Ran]) -> None:
    array = kept = np.ones(3)
    array -= 0.5
    assert kept.tolist() == [0.5] * 3
    names = left["rebound"].names
    assert len({*names["history"]}) == 1
    assert "variable -= 0.1 * gradient" in CODES["rebound"]
    assert isinstance(names["model"], tf.keras.Model)
    assert type(names["variable"]).__name__ == "EagerTensor"
    assert record(TRAPS)["type(variable).__name__"] == "EagerTensor"
    assert float(names["model"].w) == 5.0
    [weight] = [tf.keras.Variable(5.0)]
    same = weight
    weight.assign_sub(1.0)
    assert weight is same
    assert float(same) == 4.0
    same -= 1.0
    assert tf.is_tensor(same)
    assert float(weight) == 4.0
    assert isinstance(left["refused"].error, RuntimeError)
    [check] = check_of(4)[1]
    assert ast.unparse(check) == "assert float(model.w) != 5.0"


# 5. A log of something else


class ByHand(KerasLinearModel):
    """Unpacks its data without the help of Keras."""

    def train_step(self, data: Any) -> Any:
        x, y = data
        current_loss = self.compute_loss(x, y, self(x))
        assert float(current_loss) > 1
        return {"loss": current_loss}


@says(
    "A Keras model may have a training step of its own and still be used "
    "with `fit`."
)
@says(
    "`data` may hold weights beside `x` and `y`, so it is unpacked by Keras: "
    "`x, y = data` raises an error in `train_on_batch`, and in `fit` with "
    "weights."
)
@says(
    "What the step returns are the results of the metrics. To return "
    '`{"loss": current_loss}` instead is no way out: with no other metric '
    "`fit` then logs the metric of that name, and that is 0 if nothing has "
    "updated it."
)
def test_data_unpacked_by_hand() -> None:
    labels = tf.cast(Y > 0, tf.float32)
    model = compiled(ByHand(), metrics=None)
    assert model.fit(X, labels, **WHOLE).history["loss"] == [0.0]
    for options in (
        {"sample_weight": tf.ones(201)},
        {"class_weight": {0: 1.0, 1: 2.0}},
    ):
        with pytest.raises(ValueError, match="too many values to unpack"):
            model.fit(X, labels, **WHOLE, **options)
    with pytest.raises(ValueError, match="too many values to unpack"):
        model.train_on_batch(X, Y)
    assert "unpack_x_y_sample_weight(data)" in CODES["own_step"]
    assert (
        "log: dict[str, tf.Tensor] = self.get_metrics_result()"
        in (CODES["own_step"])
    )


@says("This one leaves it to a method, `_record`, to update what is logged.")
@says("A line with a training step of its own; _record feeds the log.")
@says("Update the weights once; return the log.")
def test_the_step_of_trap_5() -> None:
    calls = []

    class Quiet(OwnStep):
        def _record(self, *step: tf.Tensor) -> None:
            calls.append(len(step))

    model = compiled(Quiet(), metrics=None)
    logged = model.fit(X, Y, **WHOLE).history
    assert calls == [5]
    assert logged["loss"] == [0.0], "nothing has updated it"
    other = KerasLinearModel()
    train(other, X, Y, 0.1)
    assert [float(v) for v in model.weights] == pytest.approx(
        [float(v) for v in other.weights], rel=1e-5
    )


def predicted(steps: int) -> list[Array]:
    """Return what the line on inputs shifted by 1 predicts at each step."""
    x, y = x_and_y(1.0)
    w, b, found = 5.0, 0.0, []
    for _ in range(steps):
        found.append(w * x + b)
        error = found[-1] - y
        w, b = (
            w - 0.2 * float(np.mean(error * x)),
            b - 0.2 * float(np.mean(error)),
        )
    return found


@says(
    "Here are two ways to write that method: as was usual in Keras 2, and as "
    "Keras 3 advises whoever still does so."
)
@says("Updates the metrics as code for Keras 2 does.")
@says("Updates the metrics as Keras 3 then advises.")
@says(
    "But what `KerasTwo` logs as its loss is its mean prediction, which "
    "happens to fall."
)
@says(
    "`AsAdvised`, which brings no warning, logs the mean of `y` weighted with "
    "the predictions, and that rises."
)
@says("Training went well, as `mse` shows.")
@says(
    'The loss is `"mse"` and so is the metric, so the two lines of each '
    "model should be the same."
)
def test_the_wrong_logs(left: dict[str, Ran]) -> None:
    _, y = x_and_y()
    predictions = predicted(4)
    told = printed(TRAPS, "wrong_logs")
    two, advised = told[: told.index("AsAdv")], told[told.index("AsAdv") :]
    assert two.startswith("KerasTwo, warnings: 1\n")
    assert advised.startswith("AsAdvised, warnings: 0\n")
    means = [p.mean() for p in predictions]
    weighted = [np.average(y, weights=p) for p in predictions]
    squares = descend(4, 0.1, shift=1.0)
    for text, losses in ((two, means), (advised, weighted)):
        for name, due in (("loss", losses), ("mse", squares)):
            [line] = re.findall(rf"(?m)^{name} +(.*)$", text)
            found = [float(value) for value in line.split()]
            assert found == pytest.approx(due, abs=1e-3)
    assert np.all(np.diff(means) < 0)
    assert np.all(np.diff(weighted) > 0)
    names = left["wrong_logs"].names
    assert names["log"]["loss"] == pytest.approx(weighted, rel=1e-4)
    assert names["told"] == []
    with recorded() as warnings_, uncompiled():
        compiled(KerasTwo()).fit(X, Y, **WHOLE)
    warned = " ".join(str(warning.message) for warning in warnings_)
    assert "compiled_metrics" in CODES["wrong_records"]
    for line in (
        "for metric in self.metrics:",
        "metric.update_state(y, y_pred)",
    ):
        assert line in warned
        assert line.replace("y_pred", "predictions") in CODES["wrong_records"]
    assert 'loss="mse", metrics=["mse"]' in CODES["wrong_logs"]


@says(
    "For one of `self.metrics` is that of the loss: a `Mean`, which takes the "
    "first thing it is given as the values and the second as their weights."
)
@says(
    "Give it the loss, and the number of rows as the weight. Leave the others "
    "to `compute_metrics`, which knows what belongs to which output."
)
@says("Updates each metric with what it measures.")
@says("**The check** logs the loss a second time, as a metric, and compares.")
def test_the_right_log(left: dict[str, Ran]) -> None:
    [loss_metric] = [
        metric
        for metric in compiled(KerasLinearModel()).metrics
        if metric.name == "loss"
    ]
    assert type(loss_metric) is tf.keras.metrics.Mean
    loss_metric.update_state([1.0, 5.0], [3.0, 1.0])
    assert float(loss_metric.result()) == 2.0
    uneven = {**WHOLE, "batch_size": 128}
    own, fit = (
        compiled(kind()).fit(X, Y, **uneven).history
        for kind in (Recorded, KerasLinearModel)
    )
    assert own["loss"] == pytest.approx(fit["loss"], rel=1e-5)
    [check] = check_of(5)[1]
    assert re.findall(r"'(\w+)'", ast.unparse(check)) == ["loss", "mse"]


@says(
    "The loop of `AsAdvised` raises an error if a model has two of them by "
    "name."
)
@says("Leave the others to `compute_metrics`, which … which output.")
def test_two_outputs() -> None:
    def two_outputs(kind: Any) -> Any:
        inputs = tf.keras.Input((1,))
        ones = {"kernel_initializer": "ones"}
        outputs = {
            name: tf.keras.layers.Dense(1, name=name, **ones)(inputs)
            for name in ("one", "two")
        }
        model = kind(inputs, outputs)
        model.compile(
            tf.keras.optimizers.SGD(0.1),
            loss={"one": "mse", "two": "mae"},
            metrics={"one": ["mae"]},
            run_eagerly=True,
        )
        return model.fit(INPUTS, {"one": OUTPUTS, "two": -OUTPUTS}, **WHOLE)

    def step_of(kind: type[OwnStep]) -> Any:
        steps = {
            "train_step": OwnStep.train_step,
            "_record": kind._record,
        }
        return type(kind.__name__, (tf.keras.Model,), steps)

    own = two_outputs(step_of(Recorded)).history
    fit = two_outputs(tf.keras.Model).history
    for name in ("loss", "one_mae"):
        assert own[name] == pytest.approx(fit[name], rel=1e-5)
    with pytest.raises((TypeError, ValueError)):
        two_outputs(step_of(AsAdvised))


# 6. A loss that was never scaled


@says(
    "Training in half precision, `mixed_float16`, uses a `LossScaleOptimizer`."
)
@says(
    "`compile` makes one of its optimizer; an optimizer of your own you wrap "
    "yourself."
)
def test_half_precision_uses_a_loss_scale() -> None:
    kinds, sgd = {}, tf.keras.optimizers.SGD
    try:
        for policy in ("mixed_float16", "float32"):
            tf.keras.mixed_precision.set_global_policy(policy)
            model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
            model.compile("sgd", "mse")
            kinds[policy] = type(model.optimizer)
            kinds[f"{policy}, own"] = type(sgd())
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    assert kinds == {
        "mixed_float16": tf.keras.optimizers.LossScaleOptimizer,
        "mixed_float16, own": sgd,
        "float32": sgd,
        "float32, own": sgd,
    }


@says(
    "It divides each gradient by a large number, to undo the scaling of the "
    "loss. Keras' own step scales it; a loop, or a `train_step` such as that "
    "of trap 5, has to."
)
@says("Nobody scaled the loss.")
@says(
    "The steps were {{ optimizer.initial_scale:,.0f }} times too short, and "
    "the loss all but stands still."
)
@says("**The check** asks for more than that the loss falls: it should halve.")
def test_a_loss_that_was_never_scaled(left: dict[str, Ran]) -> None:
    optimizer = tf.keras.optimizers.LossScaleOptimizer(
        tf.keras.optimizers.SGD(1.0)
    )
    scale = float(optimizer.initial_scale)
    variable = tf.Variable(0.0)
    optimizer.apply([tf.constant(scale)], [variable])
    assert float(variable) == pytest.approx(-1.0)
    assert float(optimizer.scale_loss(tf.constant(2.0))) == 2 * scale
    assert scale == 32768
    kept = record(TRAPS)["optimizer.initial_scale:,.0f"]
    assert kept == f"{scale:,.0f}"
    names = left["unscaled"].names
    assert "scale_loss" not in CODES["unscaled"]
    moved = 5.0 - float(names["model"].w)
    due = 10 * 0.1 * gradients(LinearModel())[0] / scale
    assert moved == pytest.approx(due, rel=0.05)
    first, *_, last = names["history"]
    assert 0 < first - last < 0.01
    history = left["scaled"].names["history"]
    np.testing.assert_allclose(history, descend(10, 0.1), rtol=1e-4)
    moves = []
    for kind in (KerasLinearModel, Recorded):
        model = kind()
        inner = tf.keras.optimizers.SGD(0.1)
        model.compile(tf.keras.optimizers.LossScaleOptimizer(inner), "mse")
        model.train_on_batch(X, Y)
        moves.append(5.0 - float(model.w))
    assert moves[0] == pytest.approx(
        0.1 * gradients(LinearModel())[0], rel=0.01
    )
    assert moves[1] < moves[0] / 1000
    [check] = check_of(6)[1]
    assert "history[-1] < 0.5 * history[0]" in ast.unparse(check)


# 7. A checkpoint read too early


@says("Most layers make their weights when they are first called.")
@says("A line whose layer makes its weights at the first call.")
@says("So a new model has no weights yet when the checkpoint is read.")
@says("Return predictions for inputs, both of shape (batch, 1).")
@says("Call the new model once before you read.")
def test_weights_are_made_at_the_first_call(left: dict[str, Ran]) -> None:
    keras = tf.keras.layers
    for layer in (
        *(keras.Dense(1), keras.Conv1D(1, 1), keras.Embedding(2, 2)),
        *(keras.LSTM(1), keras.BatchNormalization(), keras.PReLU()),
        *(keras.LayerNormalization(), keras.MultiHeadAttention(1, 1)),
    ):
        assert layer.weights == []
    model = LazyLine()
    assert model.variables == []
    assert model(tf.ones((3, 1))).shape == (3, 1)
    assert len(model.variables) == 2
    restored = left["restored_late"].names["restored"]
    assert restored(INPUTS)[-1].numpy().item() == 8.0


class Variables(tf.Module):
    """Holds variables of these names."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        for name in names:
            setattr(self, name, tf.Variable(1.0))


@says("TensorFlow is meant to keep the values until the weights are made.")
def test_values_wait_for_variables() -> None:
    path = tf.train.Checkpoint(model=Variables("a")).write("waiting")
    late = Variables()
    tf.train.Checkpoint(model=late).read(path)
    late.a = tf.Variable(7.0)
    assert float(late.a) == 1.0


@says(
    "**The check** is a method of what `read` returns. It raises an error "
    "unless every saved value found its place and every variable got a "
    "value."
)
@pytest.mark.parametrize(
    ("saved", "read", "is_fine"),
    [("ab", "ab", True), ("ab", "a", False), ("a", "ab", False)],
)
def test_assert_consumed(saved: str, read: str, is_fine: bool) -> None:
    path = tf.train.Checkpoint(model=Variables(*saved)).write("kept")
    status = tf.train.Checkpoint(model=Variables(*read)).read(path)
    assert ast.unparse(check_of(7)[1][0]) == "status.assert_consumed()"
    if is_fine:
        status.assert_consumed()
    else:
        with pytest.raises(AssertionError):
            status.assert_consumed()


# 8. A number frozen in a graph


@says(
    "`tf.function` runs the Python code once for each kind of arguments, and "
    "keeps the graph of its tensors. (The first time it runs it twice if the "
    "code makes variables, as an optimizer does that was not built.)"
)
@says(
    "Arguments are looked at in every call, but of Python numbers each new "
    "value is traced into a graph of its own:"
)
@says("Pass what changes as a tensor.")
@says(
    "**The checks**: a learning rate of 0 moves nothing, and there is one "
    "graph. (A last batch of fewer rows adds another.)"
)
def test_tracing(left: dict[str, Ran]) -> None:
    runs = []

    @tf.function
    def square(value: Any) -> Any:
        runs.append(value)
        return value * value

    traced = [tf.constant(v) for v in (1.0, 2.0, 3.0)]
    assert [float(square(v)) for v in traced] == [1.0, 4.0, 9.0]
    assert len(runs) == 1
    square(tf.constant([1.0, 2.0]))
    square(tf.constant(1))
    assert len(runs) == 3
    for number in (0.1, 0.2, 0.2, 0.1, 5):
        square(number)
    assert len(runs) == 6
    function = left["retraced"].names["compiled_train"]
    assert function.experimental_get_tracing_count() == 3
    names = left["traced_once"].names
    assert names["compiled_train"].experimental_get_tracing_count() == 1
    still, one_graph = (ast.unparse(part) for part in check_of(8)[1])
    assert still == "assert weights[0] == weights[-1]"
    assert one_graph.endswith("experimental_get_tracing_count() == 1")
    short = tf.function(train)
    for _ in range(2):
        for start in range(0, 201, 66):
            rows = slice(start, start + 66)
            short(LINE, X[rows], Y[rows], tf.constant(0.0))
    assert short.experimental_get_tracing_count() == 2

    def update(optimizer: Any, variable: Any) -> None:
        runs.append(variable)
        optimizer.apply([tf.ones_like(variable)], [variable])

    for build, count in ((True, 1), (False, 2)):
        optimizer, variable = tf.keras.optimizers.Adam(0.1), tf.Variable(1.0)
        if build:
            optimizer.build([variable])
        runs.clear()
        compiled_update = tf.function(update)
        for _ in range(3):
            compiled_update(optimizer, variable)
        assert len(runs) == count


@says(
    "A loss weight in `fit` is frozen as well, where it is to follow a "
    "curriculum: [a variable](weights_outputs_losses.md#change-a-loss-weight-"
    "during-training-annealing-a-curriculum) mends that."
)
def test_a_frozen_loss_weight() -> None:
    page = "weights_outputs_losses"
    frozen, rising = (
        ast.literal_eval(printed(page, f"{name}_weight"))
        for name in ("frozen", "rising")
    )
    assert len({*frozen}) == 1
    assert len({*rising}) == 3


# 9. Training mode and penalties forgotten


@says(
    "This model normalises its input by the batch in training and by moving "
    "averages in use, and adds a penalty to the loss."
)
@says("Return a line that normalises its input and penalises its weight.")
@says("`fit` knows of both. A loop of your own has to be told.")
@says("**The check** asks Keras for the loss of a new model's first step.")
@says("If weights start at random, set [the seed] … read) before each model.")
def test_training_mode_and_penalties() -> None:
    x, y = x_and_y(1.0)
    normed = (x - x.mean()) / np.sqrt(x.var() + 0.001)
    model = normed_line()
    in_use = model(INPUTS + 1.0).numpy()[:, 0]
    np.testing.assert_allclose(in_use, x / np.sqrt(1.001), rtol=1e-4)
    trained = model(INPUTS + 1.0, training=True).numpy()[:, 0]
    np.testing.assert_allclose(trained, normed, atol=1e-4)
    moving = [
        float(v[0]) for v in model.layers[0].weights if "moving" in v.name
    ]
    after = 0.1 * x.mean(), 0.9 + 0.1 * x.var()
    assert moving == pytest.approx(after, rel=1e-3)
    assert float(sum(model.losses)) == pytest.approx(0.1)
    with uncompiled():
        first = normed_line().train_on_batch(INPUTS + 1.0, OUTPUTS)
    assert first == pytest.approx(np.mean((normed - y) ** 2) + 0.1, rel=1e-4)
    check = [ast.unparse(part) for part in check_of(9)[1]]
    assert check[0] == "due = normed_line().train_on_batch(inputs, outputs)"
    assert "history[0] - due" in check[1]
    for seeded in (True, False):
        found = []
        for call in ("in a loop", "by Keras"):
            if seeded:
                tf.keras.utils.set_random_seed(1)
            norm = tf.keras.layers.BatchNormalization()
            dense = tf.keras.layers.Dense(1, kernel_regularizer="l2")
            model = tf.keras.Sequential([norm, dense])
            model.compile(loss="mse", run_eagerly=True)
            if call == "by Keras":
                found.append(float(model.train_on_batch(INPUTS, OUTPUTS)))
                continue
            batch_loss = loss(OUTPUTS, model(INPUTS, training=True))
            found.append(float(batch_loss + sum(model.losses)))
        assert (abs(found[0] - found[1]) < 0.001) is seeded


@says("It learns, and nothing in its loss tells what was left out.")
@says(
    "But the moving mean has never moved, though the mean of the inputs is "
    "{{ tf.reduce_mean(inputs):.1f }}: nothing was normalised."
)
@says(
    "And the penalty, of which the model kept count, was no part of the loss."
)
def test_what_was_forgotten(left: dict[str, Ran]) -> None:
    names = left["forgotten"].names
    history, (x, y) = names["history"], x_and_y(1.0)
    assert history[-1] < 0.3 * history[0]
    assert float(names["moving_mean"][0]) == 0.0
    assert record(TRAPS)["tf.reduce_mean(inputs):.1f"] == "1.0"
    assert x.mean() == pytest.approx(1.0)
    first = np.mean((x / np.sqrt(1.001) - y) ** 2)
    assert history[0] == pytest.approx(first, rel=1e-4)
    assert float(sum(names["model"].losses)) > 0.1


@says(
    "Call the model with `training=True`, and add its `losses`. If your "
    "`call` has no parameter `training`, the layers inside are told all the "
    "same."
)
def test_layers_inside_are_told_of_training() -> None:
    class Dropping(tf.keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dropout = tf.keras.layers.Dropout(0.5, seed=1)

        def call(self, inputs: tf.Tensor) -> tf.Tensor:
            return self.dropout(inputs)

    ones, model = tf.ones(1000), Dropping()
    np.testing.assert_array_equal(model(ones), ones)
    assert float(tf.reduce_min(model(ones, training=True))) == 0.0
    assert numbers("remembered", "moving mean:")[0] > 0.9
    x, y = x_and_y(1.0)
    normed = (x - x.mean()) / np.sqrt(x.var() + 0.001)
    due = np.mean((normed - y) ** 2) + 0.1
    [(first, _)] = re.findall(
        "first loss (.+), last loss (.+)", printed(TRAPS, "remembered")
    )
    assert float(first) == pytest.approx(due, rel=1e-4)


# 10. A learning rate past the limit


@says("A little too fast looks like training, for a while.")
def test_a_little_too_fast(left: dict[str, Ran]) -> None:
    history = left["too_fast"].names["history"]
    assert history[0] > history[1] > history[2] < history[3]
    assert history[-1] > history[0]


@says(
    r"In a direction in which the loss has the curvature `#!math \lambda`, a "
    r"step multiplies the distance to the minimum by "
    r"`#!math 1 - \eta \lambda`."
)
@says(
    r"If the learning rate `#!math \eta` is more than `#!math 2 / \lambda`, "
    r"that is less than `#!math -1`, and the distance grows."
)
@says(
    "The curvatures are the eigenvalues of the matrix of second derivatives, "
    "the *Hessian*, and the largest sets the limit."
)
@pytest.mark.parametrize("rate", [0.1, 0.72, 0.76, 0.99, 1.01])
def test_a_step_multiplies_the_distance_to_the_minimum(rate: float) -> None:
    curvatures = {"w": 2 * 101 / 75, "b": 2.0}
    model = LinearModel()
    best = {"w": FIT_W, "b": FIT_B}
    before = {n: float(getattr(model, n)) - best[n] for n in best}
    train(model, X, Y, rate)
    after = {n: float(getattr(model, n)) - best[n] for n in best}
    for name, curvature in curvatures.items():
        factor = 1 - rate * curvature
        assert after[name] == pytest.approx(factor * before[name], rel=1e-3)
        grows = abs(after[name]) > abs(before[name])
        assert grows == (rate > 2 / curvature) == (factor < -1)
    losses = descend(150, rate)
    assert (losses[-1] > losses[0]) == (rate > 2 / max(curvatures.values()))


@says(
    "The loss goes up and down: it oscillates, it fluctuates | "
    "[10](#10-a-learning-rate-past-the-limit), "
    "[the step](basic_training_loops.md#how-large-a-step)"
)
@says(
    "That of a single batch goes up and down at any learning rate, for each "
    "batch has other rows, so compare the means of epochs."
)
@says(
    "With small batches these fluctuate below the limit already: take a "
    "smaller rate, or larger batches."
)
def test_a_loss_that_goes_up_and_down() -> None:
    x, y = x_and_y()

    def fluctuate(rate: float, size: int) -> tuple[float, float]:
        """Return the spread of the last means of epochs, and of batches."""
        weights, means, spreads = np.array([FIT_W, FIT_B]), [], []
        for epoch in range(40):
            order = np.random.default_rng(epoch).permutation(192)
            losses = []
            for rows in np.split(order, 192 // size):
                error = weights[0] * x[rows] + weights[1] - y[rows]
                losses.append(np.mean(error**2))
                slopes = np.mean(error * x[rows]), np.mean(error)
                weights = weights - rate * 2 * np.array(slopes)
            means.append(np.mean(losses))
            spreads.append(np.ptp(losses))
        return float(np.std(means[20:])), float(np.min(spreads))

    still, of_batches = fluctuate(0.0, 16)
    assert still < 1e-6
    for rate in (0.0, 0.01, 0.1):
        of_epochs, of_batches = fluctuate(rate, 16)
        assert of_batches > 10 * of_epochs
        assert of_batches > 0.3
    assert 0.6 < 75 / 101
    wild = fluctuate(0.6, 16)[0]
    assert wild > 5 * fluctuate(0.1, 16)[0]
    assert wild > 3 * fluctuate(0.6, 96)[0]
    guide = (DOCS / "basic_training_loops.md").read_text("utf-8")
    assert "### How large a step?" in guide


@says("Two tapes, one in the other, compute it.")
@says("Return the largest eigenvalue of the Hessian of the loss.")
@says("The variables of the model must be scalars.")
@says(
    r"For our line the mean of `#!math x` is 0, and the Hessian is "
    r"`#!math \mathrm{diag}(2 \, \mathrm{mean}(x^2), 2)`."
)
@says(
    r"With `#!math \mathrm{mean}(x^2) = 101/75` the limit is "
    r"`#!math 75/101`, or {{ 75 / 101:.4f }}."
)
def test_the_largest_curvature() -> None:
    assert CODES["largest_curvature"].count("tf.GradientTape()") == 2
    x, _ = x_and_y()
    assert x.mean() == pytest.approx(0.0, abs=1e-7)
    assert np.mean(x**2) == pytest.approx(101 / 75, rel=1e-6)
    hessian = 2 * np.array([[np.mean((x + 1) ** 2), 1.0], [1.0, 1.0]])
    due = float(np.linalg.eigvalsh(hessian)[-1])
    found = largest_curvature(LinearModel(), X + 1.0, Y)
    assert found == pytest.approx(due, rel=1e-5)
    assert float(record(TRAPS)["75 / 101:.4f"]) == pytest.approx(0.7426)
    assert numbers("below_the_limit", "limit:") == [0.7426]
    with pytest.raises(tf.errors.InvalidArgumentError, match="Shapes"):
        largest_curvature(Wide(), X, Y)


class Wide(tf.Module):
    """A line whose bias is no scalar."""

    def __init__(self) -> None:
        super().__init__()
        self.w, self.b = tf.Variable(5.0), tf.Variable([0.0])

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        return self.w * x + self.b


@says(
    "The loss by epoch on a logarithmic axis: with a learning rate of 0.76 it "
    "dips and then climbs in a straight line to about eighty; with 0.72 it "
    "falls steadily towards one"
)
def test_the_figure_of_two_rates() -> None:
    [axes] = figure(TRAPS, "below_the_limit")
    assert re.search(r"(?m)^ +x: 'epoch', linear", axes.text)
    assert re.search(r"(?m)^ +y: 'loss', log", axes.text)
    fast, slow = axes.points["0.76"].y, axes.points["0.72"].y
    assert fast[-1] == pytest.approx(80, abs=5)
    whole = descend(30, 0.76)
    assert min(whole) < whole[0]
    climb = np.diff(np.log(whole[8:]))
    assert climb == pytest.approx([climb.mean()] * 21, abs=0.02)
    assert np.all(np.diff(descend(30, 0.72)) < 0)
    assert slow[-1] == pytest.approx(1, abs=0.2)


@says(
    "**The check** compares the learning rate with the limit, which is that "
    "of plain gradient descent."
)
def test_with_momentum_the_limit_is_another() -> None:
    [check] = check_of(10)[1]
    assert ast.unparse(check).startswith("assert learning_rate < 2 / largest")
    weights, velocity = np.array([5.0, 0.0]), np.zeros(2)
    curvatures = np.array([2 * 101 / 75, 2.0])
    for _ in range(200):
        slopes = curvatures * (weights - [FIT_W, FIT_B])
        velocity = 0.9 * velocity - 1.0 * slopes
        weights += velocity
    assert weights == pytest.approx([FIT_W, FIT_B], abs=0.01)
    assert descend(200, 1.0)[-1] > 100


# 11. A metric never reset


def epoch_means() -> list[float]:
    """Return each epoch's mean loss of trap 11, computed with NumPy."""
    x, y = x_and_y()
    w, b, means = 5.0, 0.0, []
    for _ in range(4):
        losses = []
        for start in range(3):
            error = w * x[start::3] + b - y[start::3]
            losses.append(error**2)
            w -= 0.03 * 2 * float(np.mean(error * x[start::3]))
            b -= 0.03 * 2 * float(np.mean(error))
        means.append(float(np.mean(np.concatenate(losses))))
    return means


@says(
    "Three batches an epoch, and a metric that averages their losses, each "
    "weighted with its rows."
)
@says(
    "The average is over all rows since the metric was made. So every epoch "
    "that has passed goes on counting, and the log lags behind."
)
@says("Reset the metric as each epoch begins.")
@says("**The check** counts: each row of the epoch, and no more.")
def test_a_metric_never_reset(left: dict[str, Ran]) -> None:
    wrong, right = (
        [
            float(value)
            for value in re.findall(r"loss (\S+)", printed(TRAPS, section))
        ]
        for section in RESETS
    )
    means = epoch_means()
    assert right == pytest.approx(means, abs=0.01)
    running = np.cumsum(means) / np.arange(1, 5)
    assert wrong == pytest.approx(running, abs=0.01)
    assert wrong[0] == right[0]
    assert np.all(np.subtract(wrong, right)[1:] > 1)
    counts = [int(left[s].names["mean_loss"].count) for s in RESETS]
    assert counts == [4 * 201, 201]
    assert "for start in range(3):" in CODES["never_reset"]
    assert "sample_weight=len(batch_x)" in CODES["never_reset"]
    [check] = check_of(11)[1]
    assert ast.unparse(check) == "assert int(mean_loss.count) == len(x)"


# 12. A metric that counts batches


@says(
    "No training here, only a metric over batches of 32, and `evaluate`, "
    "which is asked for the same thing twice."
)
@says("Two values for one mean squared error. The loss is right.")
@says(
    "The metric takes the mean over the last axis first, and for the shape "
    "`(32,)` that is the whole batch."
)
@says(
    "It has counted {{ int(metric.count) }} things, not {{ len(x) }}: the "
    "last batch of nine rows weighs as much as one of 32."
)
@says("With columns, the last axis has length one, and every row counts.")
@says(
    "The {{ len(losses) }} batches count alike, but the last has "
    "{{ len(x[192:]) }} rows and the others have 32."
)
@says(
    "The same was wrong in [trap 12](#12-a-metric-that-counts-batches), "
    "inside of a metric."
)
@says("The loss of an epoch, as the mean over the losses of its batches.")
@says("**The check** takes all rows at once.")
def test_a_metric_that_counts_batches(left: dict[str, Ran]) -> None:
    names = left["rows_as_one"].names
    x, y = x_and_y()
    squares = (5 * x - y) ** 2
    batches = [squares[i : i + 32] for i in range(0, 201, 32)]
    assert [len(batch) for batch in batches] == [32] * 6 + [9]
    means = [batch.mean() for batch in batches]
    assert float(names["metric"].result()) == pytest.approx(np.mean(means))
    assert int(names["metric"].count) == 7
    log = names["log"]
    assert log["mse"] == pytest.approx(np.mean(means), rel=1e-4)
    assert log["loss"] == pytest.approx(squares.mean(), rel=1e-4)
    assert abs(np.mean(means) - squares.mean()) > 0.5
    assert float(names["model"].w) == 5.0, "no training"
    assert 'loss="mse", metrics=["mse"]' in CODES["rows_as_one"]
    apart = tf.keras.metrics.MeanSquaredError()
    for i in range(0, 201, 32):
        apart.update_state(OUTPUTS[i : i + 32], 5 * INPUTS[i : i + 32])
    assert int(apart.count) == 201
    assert float(apart.result()) == pytest.approx(squares.mean(), rel=1e-4)
    kept = record(TRAPS)
    assert kept["int(metric.count)"] == kept["len(losses)"] == "7"
    assert kept["len(x[192:])"] == "9"
    assert kept["len(x)"] == "201"
    losses = left["mean_of_means"].names["losses"]
    assert losses == pytest.approx(means, rel=1e-4)
    assert left["mean_of_means"].names["mean"] == pytest.approx(
        np.mean(means), rel=1e-4
    )
    for number in (12, 17):
        [check] = check_of(number)[1]
        assert "loss(y, model(x))" in ast.unparse(check)


# 13. A loss for each row


@says("Keras has its losses twice.")
@says(
    "`MeanSquaredError()` is an object and returns one number. `mse` is a "
    "function."
)
@says(
    "The function returns one number for each row, here of the shape "
    "`{{ current_loss.shape }}`, and the gradient of many numbers is that of "
    "their sum."
)
@says("**The check** is the shape of what the tape is asked about.")
def test_losses_as_objects_and_as_functions(left: dict[str, Ran]) -> None:
    losses = tf.keras.losses
    kinds = [
        kind
        for kind in vars(losses).values()
        if isinstance(kind, type)
        and issubclass(kind, losses.Loss)
        and kind is not losses.Loss
    ]
    functions = [kind().fn for kind in kinds if hasattr(kind(), "fn")]
    assert len(functions) == len(kinds) > 20
    assert all(f in vars(losses).values() for f in functions)
    assert losses.MeanSquaredError().fn is losses.mse
    assert losses.MeanSquaredError()(OUTPUTS, OUTPUTS).shape == ()
    assert losses.mse(OUTPUTS, OUTPUTS).shape == (201,)
    assert left["loss_per_row"].names["current_loss"].shape == (201,)
    assert record(TRAPS)["current_loss.shape"] == "(201,)"
    w = tf.Variable(5.0)
    with tf.GradientTape(persistent=True) as tape:
        each = losses.mse(OUTPUTS, w * INPUTS)
        total = tf.reduce_sum(each)
    slopes = [float(tape.gradient(target, w)) for target in (each, total)]
    assert slopes[0] == slopes[1]
    [check] = check_of(13)[1]
    assert ast.unparse(check) == "assert current_loss.shape == ()"
    assert "tape.gradient(current_loss," in CODES["one_loss"]


# 14. A seed that Keras does not read


@says("**The check** compares two starts.")
def test_the_check_of_trap_14() -> None:
    [check] = check_of(14)[1]
    assert ast.unparse(check) == "assert starts[0] == starts[1]"


# 16. Weights that a step drops


@says(
    "Train it for an epoch without weights, and for one in which rows of "
    "class 1 count four times."
)
@says("Both learn the same.")
@says(
    "Hand the weights on to `compute_loss`, and to `compute_metrics`, as the "
    "step of [trap 5](#5-a-log-of-something-else) does."
)
@says("**The check** is that weights make a difference.")
def test_weights_that_a_step_drops(left: dict[str, Ran]) -> None:
    x, _ = x_and_y()

    def bias(weights: Array) -> float:
        error = weights * (5 * x - (x > 0))
        return -0.2 * float(np.mean(error))

    alike, fourfold = bias(np.ones(201)), bias(np.where(x > 0, 4.0, 1.0))
    ends = left["weights_dropped"].names["ends"]
    assert ends == pytest.approx([alike, alike], rel=1e-4)
    found = re.findall(r"b (\S+)", printed(TRAPS, "weights_kept"))
    ends = [float(end) for end in found]
    assert ends == pytest.approx([alike, fourfold], abs=1e-3)
    assert "model = Recorded()" in CODES["weights_kept"]
    assert "predictions, sample_weight)" in CODES["own_step"]
    labels = (x > 0).astype(float)
    heavy = {"sample_weight": np.linspace(0, 2, 201)}
    logs = []
    for kind in (Recorded, KerasLinearModel):
        model = compiled(kind(), weighted_metrics=["mae"])
        fit = model.fit(INPUTS, labels[:, np.newaxis], **WHOLE, **heavy)
        logs.append(fit.history)
    for name, values in logs[1].items():
        assert logs[0][name] == pytest.approx(values, rel=1e-5)
    [check] = check_of(16)[1]
    assert ast.unparse(check) == "assert ends[0] != ends[1]"


@says(
    "Rows are columns here for a reason: of vectors, a loss such as `mse` "
    "takes the mean before it looks at the weights, as in [trap "
    "12](#12-a-metric-that-counts-batches)."
)
def test_a_loss_of_vectors_takes_the_mean_before_the_weights() -> None:
    keras_loss = tf.keras.losses.MeanSquaredError()
    y, weights = tf.constant([1.0, 3.0]), tf.constant([1.0, 0.0])
    vectors = keras_loss(y, tf.zeros(2), sample_weight=weights)
    assert float(vectors) == np.mean([1.0, 9.0]) * 0.5
    column = y[:, tf.newaxis]
    columns = keras_loss(column, tf.zeros((2, 1)), sample_weight=weights)
    assert float(columns) == np.mean([1.0 * 1.0, 0.0 * 9.0])


# 17. A mean of batch means


@says("Weight each batch with its rows.")
@says(
    "While the model is training it changes from batch to batch, so use the "
    "check with a model that stands still."
)
def test_the_check_of_trap_17_needs_a_model_that_stands_still() -> None:
    ends = []
    for rate in (0.0, 0.1):
        model, mean_loss = LinearModel(), tf.keras.metrics.Mean()
        for start in range(0, 201, 32):
            x, y = X[start : start + 32], Y[start : start + 32]
            batch_loss = loss(y, model(x))
            mean_loss.update_state(batch_loss, sample_weight=len(x))
            train(model, x, y, rate)
        gap = float(mean_loss.result()) - float(loss(Y, model(X)))
        ends.append(abs(gap) < 0.001)
    assert ends == [True, False]


# A test to paste


def train_rebinding(
    model: tf.Module, x: tf.Tensor, y: tf.Tensor, learning_rate: float
) -> None:
    """Take the step of trap 4."""
    variables = model.trainable_variables
    with tf.GradientTape() as tape:
        current_loss = loss(y, model(x))
    gradients = tape.gradient(current_loss, variables)
    for variable, gradient in zip(variables, gradients, strict=True):
        variable = variable - learning_rate * gradient


def train_unscaled(
    model: tf.Module, x: tf.Tensor, y: tf.Tensor, learning_rate: float
) -> None:
    """Take the step of trap 6."""
    inner = tf.keras.optimizers.SGD(learning_rate)
    optimizer = tf.keras.optimizers.LossScaleOptimizer(inner)
    with tf.GradientTape() as tape:
        current_loss = loss(y, model(x))
    variables = model.trainable_variables
    optimizer.apply(tape.gradient(current_loss, variables), variables)


def ratio(step: Train, model: Any) -> float:
    """Return how much of what is due the loss falls in a small step."""
    before = float(loss(Y, model(X)))
    due = 0.001 * sum(np.square(gradients(model)))
    step(model, X, Y, 0.001)
    return (before - float(loss(Y, model(X)))) / due


@says("One test of the step finds several of these traps at once.")
@says(
    "In the tests of this site `check_step` finds traps 3, 4, 6 and 13 as "
    "well. The other traps keep the checks shown with them."
)
@says(
    "A step that is wrongly paired, too short or leaves out a variable lowers "
    "it by less, one that is too long by more."
)
@pytest.mark.parametrize(
    ("step", "model", "least", "most"),
    [
        (train, Hidden, 0.5, 0.9),
        (train_swapped, LinearModel, -1.0, 0.0),
        (train_rebinding, KerasLinearModel, -0.01, 0.01),
        (train_unscaled, LinearModel, -0.01, 0.01),
        (train_by_rows, LinearModel, 10.0, 300.0),
    ],
)
def test_what_check_step_finds(
    step: Train, model: Any, least: float, most: float
) -> None:
    with pytest.raises(AssertionError, match="loss fell by"):
        check_step(step, model(), X, Y)
    assert least <= ratio(step, model()) <= most
    text = (ROOT / "tests/snippets/test_traps.py").read_text("utf-8")
    tried = text[text.index("test_check_step_catches") - 400 :]
    assert f"({step.__name__}, {model.__name__})" in tried


@says("Healthy models pass.")
@says(
    "`check_step` takes the gradient of all variables that the tape has seen, "
    "so that none can hide."
)
@says("Assert that a small step lowers the loss by what is due.")
@says("Of gradient descent: its rate times the gradient's squared length.")
@says("The model of trap 1 and the log of trap 5 do not.")
def test_the_verdicts() -> None:
    assert printed(TRAPS, "healthy") == "all pass"
    for section, sick in (("catch_hidden", Hidden), ("catch_log", AsAdvised)):
        assert printed(TRAPS, section).startswith("AssertionError: ")
        assert f"{sick.__name__}()" in CODES[section]
    assert ratio(train, LinearModel()) == pytest.approx(1.0, abs=0.01)
    model = AllHidden()
    with tf.GradientTape() as tape:
        model(X)
    assert {*map(id, tape.watched_variables())} == {id(model.w), id(model.b)}
    assert "tape.watched_variables()" in CODES["check_step"]


@says(
    "To first order, a step of gradient descent lowers the loss by the "
    "learning rate times the squared length of the gradient, whatever the "
    "model:"
)
def test_the_loss_falls_by_what_is_due_whatever_the_model() -> None:
    tf.keras.utils.set_random_seed(1)
    layers = tf.keras.layers
    model = tf.keras.Sequential(
        [tf.keras.Input((1,)), layers.Dense(8, "tanh"), layers.Dense(1)]
    )
    weights = model.trainable_weights
    falls = []
    for rate in (0.01, 0.001):
        start = model.get_weights()
        with tf.GradientTape() as tape:
            before = loss(OUTPUTS, model(INPUTS))
        slopes = tape.gradient(before, weights)
        due = rate * sum(float(tf.reduce_sum(slope**2)) for slope in slopes)
        train(model, INPUTS, OUTPUTS, rate)
        falls.append(float(before - loss(OUTPUTS, model(INPUTS))) / due)
        model.set_weights(start)
    gaps = [abs(fall - 1) for fall in falls]
    assert gaps[1] < 0.02
    assert gaps[0] > 3 * gaps[1], "it is what is due to first order"


@says(
    "Give it a new model, far from its minimum and with nothing frozen, for "
    "the tape sees that as well, and a step of plain gradient descent: with "
    "another optimizer something else is due."
)
@says(
    "And 0.001 is a small step only where the loss is not steep: with inputs "
    "ten times as large a healthy model fails, and needs a rate of 0.0001."
)
def test_what_check_step_is_for() -> None:
    check_step(train, LinearModel(), X, Y)
    with pytest.raises(AssertionError, match="loss fell by"):
        check_step(train, LinearModel(), 10 * X, Y)
    source = inspect.getsource(check_step)
    assert source.count("0.001") == 2
    smaller: dict[str, Any] = dict(vars(traps_checks))
    exec(source.replace("0.001", "0.0001"), smaller)
    smaller["check_step"](train, LinearModel(), 10 * X, Y)
    at_rest = LinearModel()
    at_rest.w.assign(FIT_W)
    at_rest.b.assign(FIT_B)
    with pytest.raises(AssertionError):
        check_step(train, at_rest, X, Y)
    for frozen in (False, True):
        layered = two_layers()
        layered.layers[0].trainable = not frozen
        if not frozen:
            check_step(train, layered, INPUTS, OUTPUTS)
            continue
        with pytest.raises(AssertionError, match="loss fell by"):
            check_step(train, layered, INPUTS, OUTPUTS)

    def train_adam(
        model: tf.Module, x: tf.Tensor, y: tf.Tensor, learning_rate: float
    ) -> None:
        optimizer = tf.keras.optimizers.Adam(learning_rate)
        with tf.GradientTape() as tape:
            current_loss = loss(y, model(x))
        variables = model.trainable_variables
        optimizer.apply(tape.gradient(current_loss, variables), variables)

    with pytest.raises(AssertionError, match="loss fell by"):
        check_step(train_adam, LinearModel(), X, Y)


@says(
    "The second function compares what `fit` logs with the loss that the "
    "model was compiled with."
)
@says("Assert that fit logs the loss that the model is compiled with.")
def test_check_log() -> None:
    for kind in (Recorded, AsAdvised):
        model: Any = kind()
        model.compile(loss="mae", run_eagerly=True)
        if kind is AsAdvised:
            with pytest.raises(AssertionError, match="logged"):
                check_log(model, X + 1.0, Y)
        else:
            check_log(model, X + 1.0, Y)


@says("Leave out dropout, which makes another loss in each call.")
def test_what_check_log_can_compare() -> None:
    layers = tf.keras.layers

    def model(*parts: Any) -> Any:
        made = tf.keras.Sequential([*parts, layers.Dense(1)])
        made.compile(loss="mse", run_eagerly=True)
        return made

    check_log(model(layers.BatchNormalization()), INPUTS + 1.0, OUTPUTS)
    dropping = model(layers.Dropout(0.5, seed=1))
    with pytest.raises(AssertionError, match="logged"):
        check_log(dropping, INPUTS + 1.0, OUTPUTS)
    several = {float(dropping.evaluate(INPUTS, OUTPUTS, verbose=0))}
    for _ in range(3):
        y_pred = dropping(INPUTS, training=True)
        several.add(float(dropping.compute_loss(INPUTS, OUTPUTS, y_pred)))
    assert len(several) == 4
    wrong = AsAdvised()
    wrong.compile(loss="mse", run_eagerly=True)
    wrong.w.assign(0.005)
    with pytest.raises(AssertionError, match="logged"):
        check_log(wrong, X + 1.0, 0.001 * Y)


# Exercises


@says(
    r"To first order the swapped step lowers the loss by "
    r"`#!math 2 \eta \, g_w g_b`."
)
@says("At the start the one gradient is positive and the other negative.")
@says("Update w and b once, each with the gradient of the other.")
def test_the_swapped_step() -> None:
    model = LinearModel()
    before, (w, b) = float(loss(Y, model(X))), gradients(model)
    assert w > 0 > b
    train_swapped(model, X, Y, 0.001)
    fall = before - float(loss(Y, model(X)))
    assert fall == pytest.approx(0.002 * w * b, rel=0.02)
    assert float(model.w) == pytest.approx(5.0 - 0.001 * b, rel=1e-5)
    assert float(model.b) == pytest.approx(-0.001 * w, rel=1e-4)


@says("The check of trap 12 needs the right result.")
@says("Assert that two uneven batches give what all rows give.")
@says(
    "Write one for any metric that does not: what two uneven batches give, "
    "all rows at once must give as well."
)
@pytest.mark.parametrize("name", ["MeanSquaredError", "MeanAbsoluteError"])
def test_check_metric(name: str) -> None:
    metric = getattr(tf.keras.metrics, name)()
    for rows, scale in ((201, 1.0), (64, 1.0), (20, 1.0), (201, 0.001)):
        x, y = X[:rows] * scale, Y[:rows] * scale
        check_metric(metric, y[:, tf.newaxis], 5 * x[:, tf.newaxis])
        check_metric(metric, y[:, tf.newaxis], y[:, tf.newaxis])
        with pytest.raises(AssertionError, match="result"):
            check_metric(metric, y, 5 * x)
    [check] = check_of(12)[1]
    assert "loss(y, model(x))" in ast.unparse(check)


# Where to go next


@says(
    "Bars, charts and callbacks that show nothing, or something wrong: "
    "[Watch a training](watch_a_training.md)."
)
def test_the_page_on_watching() -> None:
    text = (DOCS / "watch_a_training.md").read_text("utf-8")
    headings = re.findall(r"(?m)^##+ (.*)", text)
    for heading in (
        "A progress bar",
        "Without a writer",
        "Callbacks that do nothing",
    ):
        assert heading in headings
    assert text.count('title="Looks right"') >= 4


@says(
    "In a loss of your own `y` is `float32` and the outputs are `float16`, so "
    "that `y - model(x)` raises an error."
)
@says(
    "In a `tf.function` it ends in `type float16 that does not match type "
    "float32`."
)
@says(
    "A loss of Keras casts both to `float32` first, and so does `compile` "
    "before it calls a function of yours."
)
@says(
    "Cast the outputs, `tf.cast(model(x), tf.float32)`, and not `y`: above "
    '65,504 a `float16` is infinite. Or give the last layer `dtype="float32"`.'
)
def test_types_in_a_loss_in_half_precision() -> None:
    def model(last: str = "mixed_float16") -> tf.keras.Model:
        layers = tf.keras.layers
        return tf.keras.Sequential(
            [
                tf.keras.Input((2,)),
                layers.Dense(2, dtype="mixed_float16"),
                layers.Dense(1, dtype=last),
            ]
        )

    x, y = tf.ones((3, 2)), tf.fill((3, 1), 70_000.0)
    half = model()
    assert half(x).dtype == tf.float16
    with pytest.raises(tf.errors.InvalidArgumentError, match="half tensor"):
        y - half(x)
    ends = "type float16 that does not match type float32 of argument 'x'"
    with pytest.raises(TypeError, match=ends):
        tf.function(lambda x, y: y - half(x))(x, y)
    losses = tf.keras.losses
    for keras_loss in (losses.MeanSquaredError(), losses.MeanAbsoluteError()):
        found = keras_loss(y, half(x))
        assert found.dtype == tf.float32
        assert np.isfinite(found)
    given = []

    def own(y: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        given.extend([y.dtype, y_pred.dtype])
        return tf.reduce_mean((y - y_pred) ** 2)

    half.compile(loss=own)
    half.evaluate(x, y, verbose=0)
    assert set(given) == {tf.float32}
    assert np.isfinite(y - tf.cast(half(x), tf.float32)).all()
    assert float(tf.cast(65_504.0, tf.float16)) == 65_504
    assert np.isinf(tf.cast(y, tf.float16)).all()
    assert (y - model("float32")(x)).dtype == tf.float32
