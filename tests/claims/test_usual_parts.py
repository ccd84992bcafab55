"""What the page on the usual parts of a loop says is true."""

import ast
import contextlib
import inspect
import io
import itertools
import re
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from snippets import usual_parts
from snippets.data import make_data
from snippets.keras_model import KerasLinearModel
from snippets.linear_model import LinearModel
from snippets.loss import loss
from snippets.training_loop import training_loop
from snippets.usual_parts import (
    F1,
    Polynomial,
    Step,
    count_hits,
    in_both,
    make_batches,
    make_step,
    stop_epoch,
    train_epoch,
    validate,
)
from snippets.usual_parts_more import dice_loss
from snippets.usual_parts_scores import correlation
from tests.claims.says import (
    figure,
    highlighted,
    imported,
    numbers,
    printed,
    ran,
    record,
    says,
)
from tests.claims.sentences import DOCS, read
from tests.story import execute, statements

NAME, MORE = "usual_parts", "usual_parts_more"
SCORES = "usual_parts_scores"
PAGE = read(NAME)
BLOCKS = {block.name: block for block in PAGE.blocks}
SOURCE = (DOCS / f"{NAME}.md").read_text("utf-8")
PARTS = {
    title: text
    for title, _, text in (
        part.partition("\n") for part in SOURCE.split("\n## ")[1:]
    )
}
"""What stands under each heading of the second level."""
ROWS = 201
X, Y = (values[:, tf.newaxis] for values in make_data())
BEST = [2.9620, 1.9347]
"""The least squares fit, as `test_only_the_schedule_comes_to_rest` has it."""
SGD, Adam = tf.keras.optimizers.SGD, tf.keras.optimizers.Adam
MSE = tf.keras.metrics.MeanSquaredError

Names = dict[str, Any]


def body(name: str, function: int = 0) -> list[str]:
    """Return the lines of a shown function, without its docstring."""
    found = ast.parse(BLOCKS[name].code).body[function]
    assert isinstance(found, ast.FunctionDef)
    return "\n".join(map(ast.unparse, found.body[1:])).split("\n")


def weights(model: Any) -> list[float]:
    return [float(w) for w in model.weights]


def gradient(x: Any, y: Any, w: float = 5.0, b: float = 0.0) -> np.ndarray:
    """Return dw and db of the mean squared error, by NumPy."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    errors = w * x + b - y
    return 2 * np.array([np.mean(errors * x), np.mean(errors)])


def sorted_batches() -> Iterator[tuple[tf.Tensor, tf.Tensor]]:
    for start in range(0, ROWS, 32):
        yield X[start : start + 32], Y[start : start + 32]


class Seen(KerasLinearModel):
    """Keeps the inputs of each step of `fit`; it has to run eagerly."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[np.ndarray] = []

    def train_step(self, data: Any) -> Any:
        self.seen.append(data[0].numpy()[:, 0])
        return super().train_step(data)


def seen_by_fit(*data: Any, **options: Any) -> list[np.ndarray]:
    model = Seen()
    model.compile(SGD(0.1), loss="mse", run_eagerly=True)
    model.fit(*data, verbose=0, **options)
    return [*model.seen]


@pytest.fixture(scope="module")
def orders() -> dict[str, tuple[tf.Tensor, tf.Tensor]]:
    rows = tf.random.experimental.stateless_shuffle(
        tf.range(ROWS), seed=(0, 0)
    )
    shuffled = tf.gather(X, rows), tf.gather(Y, rows)
    return {"sorted": (X, Y), "shuffled": shuffled}


@pytest.fixture(scope="module")
def split(orders: Names) -> Names:
    return ran(NAME, "split", orders=orders)


@pytest.fixture(scope="module")
def cosine() -> Any:
    names: Names = {"tf": tf, "batches": make_batches(X, Y)}
    execute(NAME, statements(NAME, "schedule")[:2], names)
    return names["cosine"]


@pytest.fixture(scope="module")
def together(split: Names) -> Names:
    sets = {k: v for k, v in split.items() if re.match("(train|val|test)", k)}
    return ran(NAME, "parts", "together", **sets)


# The page


@says("Every block runs.")
@says("All blocks above, in order, as one file.")
@says("It needs TensorFlow and Matplotlib.")
@says("The imports, and one type.")
def test_all_blocks_ran_with_what_the_page_names() -> None:
    blocks = [name.rpartition(":")[2] for name in record(NAME)]
    assert [n for n in blocks if n in BLOCKS] == [b.name for b in PAGE.blocks]
    modules = imported(PAGE)
    assert modules - {"collections"} == {"tensorflow", "matplotlib"}
    assert ["import " in b.code for b in PAGE.blocks].index(True) == 0
    assert sum("import " in b.code for b in PAGE.blocks) == 1
    assert re.findall(r"(?m)^(\w+) = .*Callable", PAGE.blocks[0].code) == [
        "Step"
    ]


@says(
    "Add the parts that most TensorFlow loops have, from optimizer and "
    "mini-batches to validation and early stopping."
)
@says(
    "On this page you add what most loops have besides, one part at a "
    "time: an optimizer, mini-batches, metrics, a learning-rate "
    "schedule, clipped and accumulated gradients, validation, early "
    "stopping, callbacks."
)
@says(
    "You see what each part is good for, what is easy to get wrong, "
    "and what `fit` does for it."
)
@says("**In `fit`:** the callback `EarlyStopping`, which comes next.")
def test_the_parts_in_their_order() -> None:
    parts = [*PARTS][1 : [*PARTS].index("All parts together")]
    words = ["optimizer", "mini-batches", "metric", "schedule", "clip"]
    words += ["accumul", "validation", "early stopping", "callbacks"]
    for part, word in zip(parts, words, strict=True):
        assert word in part.lower()
        assert "**In `fit`:**" in PARTS[part]
    after = PARTS[parts[words.index("early stopping") + 1]]
    assert "EarlyStopping" in BLOCKS["callbacks"].code
    assert ":callbacks" in after


@says(
    "The loop of [the guide](basic_training_loops.md) has only what it "
    "cannot do without."
)
@says("The guide's step updated `w` and `b` by hand.")
def test_the_loop_of_the_guide_needs_each_of_its_lines() -> None:
    guide = {
        block.name: block for block in read("basic_training_loops").blocks
    }
    [train] = ast.parse(guide["train"].code).body
    assert isinstance(train, ast.FunctionDef)
    _, *lines = train.body
    assert [ast.unparse(line) for line in lines[-2:]] == [
        f"model.{name}.assign_sub(learning_rate * d{name})" for name in "wb"
    ]

    def end(kept: list[ast.stmt]) -> float:
        function = ast.fix_missing_locations(
            ast.FunctionDef("train", train.args, kept, [])
        )
        names = {"tf": tf, "loss": loss, "LinearModel": LinearModel}
        exec(compile(ast.Module([function], []), "train", "exec"), names)
        model = LinearModel()
        try:
            for _ in range(10):
                names["train"](model, X, Y, 0.1)
        except NameError:
            return float("inf")
        return float(loss(Y, model(X)))

    whole = end(lines)
    assert whole < 1.1
    for line in lines:
        assert end([other for other in lines if other is not line]) > 2 * whole


@says(
    "In the end you have [one short loop](#all-parts-together) with "
    "all of them in it but the callbacks."
)
@says(
    "Most parts have a place already: the schedule, clipping and "
    "accumulation are arguments of the optimizer, and the order is the "
    "work of `tf.data`."
)
def test_all_parts_are_in_the_loop_but_the_callbacks() -> None:
    code = "\n".join(BLOCKS[n].code for n in ("parts", "together"))
    optimizer, *_ = re.findall(r"Adam\((.*?)\n\)", code, re.S)
    assert "learning_rate, global_clipnorm=5.0" in optimizer
    assert "gradient_accumulation_steps=2" in optimizer
    assert "learning_rate = tf.keras.optimizers.schedules." in code
    for part in ("make_batches(", "make_step(", "metric = ", "valid_x"):
        assert part in code
    assert "elif epoch - best_epoch >= patience:" in code
    assert "allback" not in code
    assert "tf.data" in BLOCKS["make_batches"].code
    assert code.count("\n") < 30


@says("Data, model and loss are those of the guide.")
def test_the_guide_has_them_too() -> None:
    guide = {b.name: b.code for b in read("basic_training_loops").blocks}
    kept = [b for b in PAGE.blocks if "as in the guide" in str(b.options)]
    assert len(kept) == 3
    for block in kept:
        title = block.options["fold"]
        assert block.code in guide.values(), title


@says(
    "`Step` names a type: a function that takes the inputs and outputs "
    "of a batch and returns predictions."
)
def test_the_type_of_a_step() -> None:
    takes, returns = Step.__args__[:-1], Step.__args__[-1]  # type: ignore[attr-defined]
    assert takes == (tf.Tensor, tf.Tensor)
    assert returns is tf.Tensor
    step = make_step(KerasLinearModel(), SGD(0.1))
    assert step(X[:3], Y[:3]).shape == (3, 1)


@says("There is one change.")
@says(
    "Layers and metrics of Keras expect a row per example, so `x` and "
    "`y` become columns."
)
@says(
    "The loss asks only that two shapes agree, and takes columns as it "
    "took vectors."
)
def test_columns() -> None:
    made = ran(NAME, "columns")
    for vector, name in zip(make_data(), "xy", strict=True):
        assert made[name].shape == (ROWS, 1)
        np.testing.assert_array_equal(made[name][:, 0], vector)
    layer = tf.keras.layers.Dense(1)
    with pytest.raises(ValueError, match="expected min_ndim=2, found ndim=1"):
        layer(X[:, 0])
    assert layer(X).shape == (ROWS, 1)
    assert float(loss(Y, 5 * X)) == pytest.approx(
        float(loss(Y[:, 0], 5 * X[:, 0])), rel=1e-6
    )
    for wrong in (Y[:, 0], Y[:5]):
        with pytest.raises(ValueError, match="y is"):
            loss(wrong, X)


# An optimizer, and a compiled step


@says("An optimizer from Keras updates any number of variables.")
@says(
    "Its `apply_gradients` takes pairs of a gradient and its variable. "
    "(`apply`, which you may meet elsewhere, does the same with two "
    "lists.)"
)
def test_an_optimizer_updates_any_number_of_variables() -> None:
    for count in (1, 2, 5):
        for by_pairs in (True, False):
            variables = [tf.Variable(float(n)) for n in range(count)]
            gradients = [tf.constant(n + 1.0) for n in range(count)]
            optimizer = SGD(0.5)
            if by_pairs:
                pairs = zip(gradients, variables, strict=True)
                optimizer.apply_gradients(pairs)
            else:
                optimizer.apply(gradients, variables)
            now = [float(v) for v in variables]
            assert now == [n - 0.5 * (n + 1) for n in range(count)]


@says("Return a step: it updates the model and returns its predictions.")
@says("The predictions are those *before* the update. Metrics will need them.")
def test_a_step_returns_the_predictions_before_its_update() -> None:
    model = KerasLinearModel()
    predictions = make_step(model, SGD(0.1))(X, Y)
    np.testing.assert_allclose(predictions, 5 * X, atol=1e-6)
    moved = np.array([5.0, 0.0]) - 0.1 * gradient(X, Y)
    assert weights(model) == pytest.approx([*moved], abs=1e-5)
    assert "metric.update_state(y_batch, step(" in BLOCKS["train_epoch"].code


@says(
    "`build` makes what the optimizer keeps for each variable, such as "
    "a momentum."
)
def test_build() -> None:
    optimizer = SGD(0.1, momentum=0.9)
    before = [*optimizer.variables]
    optimizer.build(KerasLinearModel().trainable_variables)
    made = optimizer.variables[len(before) :]
    for variable, name in zip(made, "wb", strict=True):
        assert variable.path.endswith(f"_{name}_momentum")


@says(
    "A model without weights yet, as `Sequential([Dense(1)])` is, has none to "
    "show, and its first step raises `ValueError: Unknown variable`. Call it "
    "once before."
)
def test_a_model_without_weights_yet() -> None:
    for called in (False, True):
        model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
        if called:
            model(X)
        assert len(model.trainable_variables) == 2 * called
        step = make_step(model, Adam(0.1))
        if called:
            before = model.get_weights()[0]
            step(X, Y)
            assert model.get_weights()[0] != before
        else:
            with pytest.raises(ValueError, match="Unknown variable"):
                step(X, Y)


class Dropping(tf.keras.Model):
    """A model around a layer; its `call` is not told of training."""

    def __init__(self) -> None:
        super().__init__()
        self.dropout = tf.keras.layers.Dropout(0.5, seed=0)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return self.dropout(x)


@says(
    "`training=True` reaches layers that behave differently in "
    "training, such as dropout, even if the `call` of the model around "
    "them has no such parameter."
)
@says(
    "These models have no layers; a loop should say it all the same. "
    "(A `tf.Module` whose `__call__` has no such parameter raises a "
    "`TypeError`.)"
)
def test_training_reaches_layers() -> None:
    ones = tf.ones((1, 1000))
    model = Dropping()
    assert np.mean(model(ones, training=True) == 0) > 0.4
    np.testing.assert_array_equal(model(ones, training=False), ones)
    for ours in (KerasLinearModel(), Polynomial(3)):
        assert ours.layers == []
        assert "training" not in inspect.signature(ours.call).parameters
        ours(X, training=True)
    with pytest.raises(TypeError, match="training"):
        LinearModel()(X, training=True)  # type: ignore[call-arg]


@says(
    "`tf.function` compiles the step into a graph: Python runs it once for "
    "batches of one size, to *trace* it, and later calls run the graph. To "
    "debug, return `step` itself."
)
def test_the_step_is_compiled() -> None:
    eager: list[bool] = []

    class Watching(KerasLinearModel):
        def call(self, x: tf.Tensor) -> tf.Tensor:
            eager.append(tf.executing_eagerly())
            return super().call(x)

    step: Any = make_step(Watching(), SGD(0.1))
    for rows in (ROWS, ROWS, 9, 9, ROWS):
        step(X[:rows], Y[:rows])
    assert eager == [False, False], "once for each size"
    for _ in range(3):
        step.python_function(X, Y)
    assert eager[2:] == [True, True, True]


@says(
    "A graph may be made for any number of rows, which is then `None` in its "
    "shapes, and the loss compares what is left of them: it refuses a column "
    "against a vector as before, but no longer nine rows against one."
)
def test_a_loss_in_a_graph_for_any_number_of_rows() -> None:
    def compiled(*shapes: list[int | None]) -> Any:
        signature = [tf.TensorSpec(shape) for shape in shapes]
        return tf.function(loss, input_signature=signature)

    nine, one = tf.zeros(9), tf.ones(1)
    assert float(compiled([None], [None])(nine, one)) == 1.0
    for refused in (loss, compiled([9], [1])):
        with pytest.raises(ValueError, match="predictions"):
            refused(nine, one)
    with pytest.raises(ValueError, match="predictions"):
        compiled([None], [None, 1])(nine, tf.ones((9, 1)))


@says(
    "The loss is of the predictions alone. If a layer has a regulariser, add "
    "`sum(model.losses)` to it, as in [trap "
    "9](traps.md#9-training-mode-and-penalties-forgotten)."
)
def test_the_step_leaves_penalties_out() -> None:
    ends = []
    for penalty in (None, tf.keras.regularizers.L2(10.0)):
        line = tf.keras.layers.Dense(
            1, kernel_initializer="ones", kernel_regularizer=penalty
        )
        model = tf.keras.Sequential([tf.keras.Input((1,)), line])
        make_step(model, SGD(0.01))(X, Y)
        ends.append([w.tolist() for w in model.get_weights()])
    assert float(sum(model.losses)) > 1.0
    assert ends[0] == ends[1]
    traps = (DOCS / "traps.md").read_text("utf-8")
    assert "## 9. Training mode and penalties forgotten" in traps
    mended = {block.name: block.code for block in read("traps").blocks}
    assert "+= sum(model.losses)" in mended["remembered"]


@says(
    "A `kernel_constraint` of a layer, such as `NonNeg`, is the work of the "
    "optimizer, after each update. `assign_sub` knows of none."
)
def test_the_optimizer_keeps_to_constraints() -> None:
    def made() -> tf.keras.Model:
        line = tf.keras.layers.Dense(
            1,
            use_bias=False,
            kernel_initializer="ones",
            kernel_constraint=tf.keras.constraints.NonNeg(),
        )
        return tf.keras.Sequential([tf.keras.Input((1,)), line])

    model = made()
    step = make_step(model, SGD(1.0))
    for _ in range(2):
        step(X, -Y)
        assert model.get_weights()[0] == 0.0
    [weight] = made().trainable_variables
    weight.assign_sub([[3.0]])
    assert weight.numpy() == -2.0


@says("What it gains is told in [How fast can the loop go?](how_fast.md).")
def test_another_page_tells_of_speed() -> None:
    page = (DOCS / "how_fast.md").read_text("utf-8")
    assert "# How fast can the loop go?\n" in page
    assert "tf.function" in page


@says(
    "A step belongs to one model and one optimizer. Make a new one for each."
)
def test_a_step_belongs_to_one_model_and_one_optimizer() -> None:
    model, other, optimizer = KerasLinearModel(), KerasLinearModel(), SGD(0.1)
    make_step(model, optimizer)(X, Y)
    assert weights(other) == [5.0, 0.0]
    step = make_step(other, optimizer)
    with pytest.raises(ValueError, match="Unknown variable"):
        step(X, Y)
    make_step(other, SGD(0.1))(X, Y)
    assert weights(other) == weights(model)


@says(
    "With the whole data as one batch, ten updates end at the same "
    "weights as the ten epochs of the guide."
)
@says(
    "After ten epochs they are where [the whole data as one "
    "batch](#an-optimizer-and-a-compiled-step) took them, in the same "
    "ten updates."
)
@says("Two batches leave the weights as they are, and the third moves them.")
def test_the_ends_are_those_of_the_guide() -> None:
    history = training_loop(KerasLinearModel(), *make_data())
    guide = [history["w"][-1], history["b"][-1]]
    end, updates = printed(NAME, "optimizer").split("\n")
    assert numbers(end) == pytest.approx(guide, abs=1.1e-4)
    *steps, last, total = printed(NAME, "accumulate").split("\n")
    assert (last, total) == (end, updates) == (end, "updates: 10")
    first, second, third = (numbers(step)[-1] for step in steps)
    assert first == second == 5.0
    assert third < 4.6


@says(
    "**In `fit`:** `compile(optimizer=…)` takes the same optimizers. "
    "`fit` compiles its step, too, unless you say `run_eagerly=True`."
)
def test_fit_takes_the_optimizer_and_compiles_its_step() -> None:
    class Watching(KerasLinearModel):
        def __init__(self) -> None:
            super().__init__()
            self.eager: list[bool] = []

        def train_step(self, data: Any) -> Any:
            self.eager.append(tf.executing_eagerly())
            return super().train_step(data)

    for options in ({}, {"run_eagerly": True}):
        optimizer, model = SGD(0.1), Watching()
        model.compile(optimizer=optimizer, loss="mse", **options)
        assert model.optimizer is optimizer
        model.fit(X, Y, batch_size=67, verbose=0)
        expected = [True] * 3 if options else [False]
        assert [*model.eager] == expected


# Mini-batches


def epoch_of(batches: tf.data.Dataset) -> np.ndarray:
    return np.concatenate([x for x, _ in batches.as_numpy_iterator()])[:, 0]


@says(
    "`tf.data` shuffles the rows and cuts them into batches, anew in "
    "every epoch."
)
@says("Return pairs of up to ``batch`` rows, in a new order every epoch.")
@says("The seed makes each run draw the same orders.")
def test_batches() -> None:
    batches = make_batches(X, Y, batch=50)
    assert [len(x) for x, _ in batches] == [50, 50, 50, 50, 1]
    truth = {float(x[0]): float(y[0]) for x, y in zip(X, Y, strict=True)}
    for x, y in batches:
        pairs = zip(x[:, 0].numpy(), y[:, 0].numpy(), strict=True)
        assert all(truth[float(a)] == b for a, b in pairs)
    first, again = make_batches(X, Y), make_batches(X, Y)
    drawn = [epoch_of(first) for _ in range(3)]
    for epoch in drawn:
        np.testing.assert_array_equal(np.sort(epoch), X[:, 0])
        assert not np.array_equal(epoch, X[:, 0])
        np.testing.assert_array_equal(epoch, epoch_of(again))
    assert not np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[1], drawn[2])


@says("`shuffle` draws from a buffer of the size that you give it.")
@says("Make it as large as the data, or only neighbours are mixed.")
def test_a_small_buffer_mixes_only_neighbours() -> None:
    for size in (1, 10, ROWS):
        drawn = [
            *tf.data.Dataset.range(ROWS).shuffle(size).as_numpy_iterator()
        ]
        assert sorted(drawn) == [*range(ROWS)]
        earliest = max(row - place for place, row in enumerate(drawn))
        assert earliest < size, "no row comes before it is in the buffer"
    assert earliest > 50


@says(
    "`prefetch` prepares the next batch while the step works on this "
    "one, which pays when data come from a disk."
)
def test_prefetch_works_ahead() -> None:
    for ahead in (True, False):
        second = threading.Event()

        def batches(second: threading.Event = second) -> Iterator[int]:
            yield 1
            second.set()
            yield 2

        kind = tf.TensorSpec((), tf.int32)
        data = tf.data.Dataset.from_generator(batches, output_signature=kind)
        if ahead:
            data = data.prefetch(tf.data.AUTOTUNE)
        # Else some versions would add one of their own.
        options = tf.data.Options()
        options.experimental_optimization.inject_prefetch = False
        taken = iter(data.with_options(options))
        next(taken)
        assert second.wait(5.0 if ahead else 0.1) is ahead
        next(taken)
    assert ".prefetch(tf.data.AUTOTUNE)" in BLOCKS["make_batches"].code


@says(
    "The last batch is smaller, and the second epoch starts with another row."
)
def test_the_two_epochs_shown() -> None:
    first, second = printed(NAME, "look").split("\n")
    for line in (first, second):
        *sizes, last = numbers(line)[2:]
        assert {*sizes} == {32.0}
        assert last == 9
    assert numbers(first)[1] != numbers(second)[1]


@says("Our `x` is sorted.")
@says(
    "Without shuffling, a batch sees one end of the line, the next its "
    "neighbour, and so on."
)
@says(
    "Here are both ways, with one fixed permutation so that only the "
    "order differs."
)
def test_the_order_of_the_rows(orders: Names) -> None:
    assert np.all(np.diff(X[:, 0]) > 0)
    batches = [x for x, _ in sorted_batches()]
    assert batches[0][0] == -2
    for before, after in itertools.pairwise(batches):
        gap = float(after[0, 0] - before[-1, 0])
        assert gap == pytest.approx(0.02, abs=1e-5)
    names: Names = {"tf": tf, "x": X, "y": Y}
    execute(NAME, statements(NAME, "order")[:2], names)
    x, y = names["orders"]["shuffled"]
    np.testing.assert_array_equal(x, orders["shuffled"][0])
    rows = np.argsort(x[:, 0])
    assert np.any(np.diff(rows) < 0)
    np.testing.assert_array_equal(tf.gather(x, rows), X)
    np.testing.assert_array_equal(tf.gather(y, rows), Y)
    code = BLOCKS["order"].code
    assert code.count("stateless_shuffle") == 1
    assert ".shuffle(" not in code


@says(
    "Momentum is an option of `SGD`: each update keeps 0.9 of the one before."
)
def test_momentum() -> None:
    optimizer, w = SGD(0.05, momentum=0.9), tf.Variable(0.0)
    moves = []
    for slope in (-1.0, 0.0, 0.0):
        before = float(w)
        optimizer.apply_gradients([(tf.constant(slope), w)])
        moves.append(float(w) - before)
    assert moves == pytest.approx([0.05, 0.05 * 0.9, 0.05 * 0.81], abs=1e-6)
    assert "for momentum in (0.0, 0.9)" in BLOCKS["order"].code


@says(
    "Plain descent hardly minds, because a line is the same line at both ends."
)
@says(
    "With momentum, neighbouring batches push the same way for several "
    "steps, and the loss in the sorted order is far above the {{ "
    "loss(y, 5 * x):.2f }} of the untrained model."
)
@says("The same rows, shuffled, bring it down.")
def test_sorted_rows_and_momentum() -> None:
    plain, plain_shuffled, sorted_, shuffled = (
        numbers(line)[-1] for line in printed(NAME, "order").split("\n")
    )
    untrained = float(record(NAME)["loss(y, 5 * x):.2f"])
    assert untrained == pytest.approx(float(loss(Y, 5 * X)), abs=0.01)
    assert plain == pytest.approx(plain_shuffled, abs=0.02)
    assert sorted_ > 10 * untrained
    assert shuffled < 0.2 * untrained
    signs = [np.sign(gradient(x, y, *BEST)[0]) for x, y in sorted_batches()]
    runs = [len([*run]) for _, run in itertools.groupby(signs)]
    assert max(runs) >= 3, "batches in a row that push w the same way"


@says(
    "**In `fit`:** arrays are cut into batches of 32 and shuffled anew "
    "in every epoch, unless a seed was set, with which [every epoch has the "
    "same order](same_run_twice.md#fit-shuffles-the-same-way-every-epoch)."
)
@says("A `tf.data.Dataset` is taken as it comes, so shuffle it yourself.")
@says(
    "For such data `shuffle=False` changes nothing but spares you a warning."
)
def test_fit_shuffles_arrays_and_no_dataset() -> None:
    seen = seen_by_fit(X.numpy(), Y.numpy(), epochs=2)
    assert [len(x) for x in seen] == 2 * ([32] * 6 + [9])
    first, second = np.concatenate(seen[:7]), np.concatenate(seen[7:])
    np.testing.assert_array_equal(np.sort(first), X[:, 0])
    assert not np.array_equal(first, X[:, 0])
    assert not np.array_equal(first, second)
    tf.random.set_seed(1)
    seen = seen_by_fit(X.numpy(), Y.numpy(), epochs=2)
    np.testing.assert_array_equal(
        np.concatenate(seen[:7]), np.concatenate(seen[7:])
    )
    batches = tf.data.Dataset.from_tensor_slices((X, Y)).batch(67)
    for options in ({}, {"shuffle": True}, {"shuffle": False}):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            taken = seen_by_fit(batches, **options)
        np.testing.assert_array_equal(np.concatenate(taken), X[:, 0])
        told = [w for w in caught if "shuffle" in str(w.message)]
        assert bool(told) is (options != {"shuffle": False})


# Metrics


@says(
    "A metric sums up what it is shown, batch by batch, until you "
    "reset it. One of these two is never reset."
)
@says(
    "The second drags all past epochs along: it says {{ wrong:.2f }} "
    "where the truth is {{ right:.2f }}."
)
def test_a_metric_that_is_never_reset() -> None:
    lines = [numbers(t) for t in printed(NAME, "metric").split("\n")]
    _, reset, kept = np.array(lines).T
    so_far = np.cumsum(reset) / np.arange(1, 6)
    np.testing.assert_allclose(kept, so_far, atol=1e-4)
    wrong, right = (record(NAME)[f"{n}:.2f"] for n in ("wrong", "right"))
    assert [f"{kept[-1]:.2f}", f"{reset[-1]:.2f}"] == [wrong, right]
    assert kept[-1] > 1.5 * reset[-1]
    metric = MSE()
    zero = tf.zeros((1, 1))
    for error, mean in ((1.0, 1.0), (3.0, 5.0)):
        metric.update_state(zero, zero + error)
        assert float(metric.result()) == pytest.approx(mean)
    metric.reset_state()
    metric.update_state(zero, zero + 3.0)
    assert float(metric.result()) == pytest.approx(9.0)


@says(
    "Note what the first means, too: the weights change during the "
    "epoch, so it is an average over the models of seven steps, not "
    "the loss of the last of them."
)
@says("Take a step per batch; return the metric over all of their rows.")
@says("With metric and step, an epoch is four lines:")
@says(
    "It returns 0 for a dataset that has nothing more to give, as a Python "
    "generator in its second epoch, and early stopping would take that for "
    "the best."
)
def test_an_epoch_reports_the_models_of_its_steps() -> None:
    assert len(body("train_epoch")) == 4
    models, squares, now = [], [], np.array([5.0, 0.0])
    for x, y in sorted_batches():
        models.append(tuple(now))
        squares.append((now[0] * x + now[1] - y) ** 2)
        now = now - 0.1 * gradient(x, y, *now)
    assert len({*models}) == 7
    batches = tf.data.Dataset.from_tensor_slices((X, Y)).batch(32)
    model = KerasLinearModel()
    metric = MSE()
    metric.update_state([[9.0]], [[0.0]])
    told = train_epoch(make_step(model, SGD(0.1)), batches, metric)
    assert weights(model) == pytest.approx([*now], abs=1e-4)
    assert told == pytest.approx(np.mean(np.concatenate(squares)), rel=1e-4)
    assert abs(told - float(loss(Y, model(X)))) > 0.5
    once: Any = ((x, y) for x, y in batches)
    step = make_step(model, SGD(0.1))
    told, again = (train_epoch(step, once, metric) for _ in range(2))
    assert told > 0.5
    assert again == 0.0
    assert "if val_loss < best_loss" in BLOCKS["early_stopping"].code


@says("A metric wants columns")
@says(
    "The metric takes the mean of the squares along the last axis, and "
    "averages what is left."
)
@says("A column leaves one number per row.")
@says(
    "A vector leaves one number per *batch*, and then the last nine "
    "rows count as much as 32 others. No error, no warning."
)
@says(
    "So do `mae` and `BinaryCrossentropy`. `RootMeanSquaredError` counts rows "
    "in any case, and so do those that count right answers, such as "
    "`BinaryAccuracy` or `Recall`."
)
@says('(The name `"accuracy"`, in `compile`, takes a vector for … .)')
def test_a_metric_wants_columns() -> None:
    model = KerasLinearModel()
    squares = [np.square(model(x) - y) for x, y in sorted_batches()]
    assert [len(s) for s in squares] == [32] * 6 + [9]
    columns, vectors = MSE(), MSE()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for x, y in sorted_batches():
            columns.update_state(y, model(x))
            vectors.update_state(y[:, 0], model(x)[:, 0])
    of_rows = float(np.mean(np.concatenate(squares)))
    of_batches = float(np.mean([np.mean(s) for s in squares]))
    assert float(columns.result()) == pytest.approx(of_rows, rel=1e-5)
    assert float(vectors.result()) == pytest.approx(of_batches, rel=1e-5)
    table = MSE()
    table.update_state([[1.0, 0.0], [3.0, 0.0]], tf.zeros((2, 2)))
    assert float(table.result()) == pytest.approx((0.5 + 4.5) / 2)
    whole, column, vector = (
        numbers(line)[-1] for line in printed(NAME, "vectors").split("\n")
    )
    assert whole == column != vector
    random = np.random.default_rng(0)
    labels, shares = random.integers(0, 2, 41), random.random(41)
    metrics = tf.keras.metrics
    for kind, minds in (
        (metrics.MeanAbsoluteError, True),
        (metrics.BinaryCrossentropy, True),
        (metrics.RootMeanSquaredError, False),
        (metrics.BinaryAccuracy, False),
        (metrics.Recall, False),
        (metrics.AUC, False),
    ):
        found = []
        for size in (32, 41):
            metric = kind()
            for start in range(0, 41, size):
                part = slice(start, start + size)
                metric.update_state(labels[part], shares[part])
            found.append(float(metric.result()))
        assert (found[0] != pytest.approx(found[1], rel=1e-4)) == minds
    of_classes = metrics.SparseCategoricalCrossentropy()
    of_classes.update_state(labels, np.stack([1 - shares, shares], axis=1))
    assert float(of_classes.count) == 41


@says("Accuracy is 0, or not what you expect")
@says(
    "Here are four probabilities, each on the right side of a half, and the "
    "logits of which a sigmoid makes them."
)
@says(
    "`Accuracy` asks whether prediction and label are *equal*. It is for "
    "classes, not for probabilities."
)
@says(
    "And a logit says 1 if it is above 0, while `BinaryAccuracy`, `Precision` "
    "and `Recall` compare it with 0.5."
)
@says(
    "Give them zero, as in `Precision(thresholds=0.0)`, and say "
    "`AUC(from_logits=True)`."
)
@says("`AUC()` takes logits as well, and says nothing.")
def test_what_is_accurate() -> None:
    left = ran(NAME, "accuracy")
    labels, shares, logits = (left[n] for n in ("labels", "shares", "logits"))
    assert labels.numpy().tolist() == (shares > 0.5).numpy().tolist()
    np.testing.assert_allclose(tf.sigmoid(logits), shares, atol=1e-6)
    shown = [numbers(t)[-1] for t in printed(NAME, "accuracy").split("\n")]
    assert shown == [0.0, 1.0, 0.75, 1.0]
    metrics = tf.keras.metrics
    classes = metrics.Accuracy()([[1], [2], [0]], [[1], [2], [2]])
    assert float(classes) == pytest.approx(2 / 3)

    unsure = tf.constant([[0.3], [-0.3], [0.3], [2.0]])
    for kind, option, wrong in (
        (metrics.BinaryAccuracy, {"threshold": 0.0}, 0.5),
        (metrics.Precision, {"thresholds": 0.0}, 1.0),
        (metrics.Recall, {"thresholds": 0.0}, 1 / 3),
    ):
        assert float(kind()(labels, unsure)) == pytest.approx(wrong)
        assert float(kind(**option)(labels, unsure)) == pytest.approx(1.0)
    # Precision, too: what lies between 0 and 0.5 it takes for a 0.
    between = tf.constant([[1.0], [0.3], [1.0], [1.0]])
    assert float(metrics.Precision()(labels, between)) == pytest.approx(1.0)
    zero = metrics.Precision(thresholds=0.0)(labels, between)
    assert float(zero) == pytest.approx(0.75)

    far = tf.constant([[4.0], [2.0], [3.0], [5.0]])
    right = float(metrics.AUC()(labels, tf.sigmoid(far)))
    assert right == pytest.approx(1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert float(metrics.AUC()(labels, far)) < right - 0.1
    from_logits = metrics.AUC(from_logits=True)(labels, far)
    assert float(from_logits) == pytest.approx(right)


@says(
    'The name `"accuracy"`, in `compile`, chooses by shape, whatever the '
    "loss is: `BinaryAccuracy` for one output."
)
@says(
    "For several it is `SparseCategoricalAccuracy`, if the labels are a "
    "vector or a column, and else `CategoricalAccuracy`."
)
@says(
    "Among the outputs of our line none is 0 or 1, and so its accuracy is 0 "
    'however well it is learned. Measure a regression by `"mae"`.'
)
def test_what_the_name_accuracy_chooses() -> None:
    metrics = tf.keras.metrics

    def chosen(labels: Any, outputs: Any, loss: str, *more: str) -> Any:
        model = tf.keras.Sequential([tf.keras.layers.Identity()])
        model.compile(loss=loss, metrics=["accuracy", *more], run_eagerly=True)
        log = model.evaluate(outputs, labels, verbose=0, return_dict=True)
        [found] = [
            metric
            for of_compile in model.metrics
            for metric in getattr(of_compile, "metrics", [])
            if metric.name == "accuracy"
        ]
        return type(found), log

    hot = np.eye(3, dtype=np.float32)[[0, 1, 2, 0]]
    classes = np.array([0, 1, 2, 0])
    for kind, labels, outputs in (
        (metrics.BinaryAccuracy, LABELS, SHARES),
        (metrics.BinaryAccuracy, LABELS[:, 0], SHARES),
        (metrics.CategoricalAccuracy, hot, hot),
    ):
        for of in ("mse", "binary_crossentropy"):
            assert chosen(labels, outputs, of)[0] is kind
    for labels in (classes, classes[:, np.newaxis]):
        kind, log = chosen(labels, hot, "sparse_categorical_crossentropy")
        assert kind is metrics.SparseCategoricalAccuracy
        assert log["accuracy"] == 1.0
    assert not np.isin(Y, [0.0, 1.0]).any()
    for predictions in (Y, 5 * X):
        _, log = chosen(Y.numpy(), predictions.numpy(), "mse", "mae")
        assert log["accuracy"] == 0.0
        assert (log["mae"] == 0.0) is (predictions is Y)


@says("Multi-label: the accuracy is too low, or too high")
@says("A row may have several labels, or none.")
@says(
    "Then each output is a sigmoid of its own, and the loss a "
    "`BinaryCrossentropy`. Here all twelve shares are on the right side of a "
    "half."
)
@says(
    '`"accuracy"` chooses `CategoricalAccuracy`, which compares where the '
    "largest number of a row stands, in labels and in outputs. So ask for "
    '`"binary_accuracy"`.'
)
@says(
    "But where labels are rare it praises a model that finds none of them: "
    "see the zeros. `F1Score` does not, nor does the share of rows that are "
    "wholly right."
)
@says('(`average="macro"` counts a label that no row has as 0.)')
def test_several_labels_in_a_row() -> None:
    left = ran(MORE, "multi_label", kinds=tf.keras.metrics)
    labels, shares = left["labels"].numpy(), left["shares"].numpy()
    assert labels.sum(axis=1).tolist() == [2, 2, 0]
    assert ((shares > 0.5) == (labels > 0.5)).all()
    said = [numbers(line) for line in printed(NAME, "multi_label").split("\n")]
    assert said == [[0.0], [1.0, 1.0, 1.0, 1.0], [0.67, 1.0, 0.0, 0.33]]
    metrics = tf.keras.metrics
    tops = labels.argmax(axis=1) == shares.argmax(axis=1)
    accuracy = metrics.CategoricalAccuracy()(labels, shares)
    assert float(accuracy) == tops.mean() == 0.0
    model = tf.keras.Sequential([tf.keras.layers.Identity()])
    named = ["accuracy", "binary_accuracy"]
    loss = tf.keras.losses.BinaryCrossentropy()
    model.compile(loss=loss, metrics=named, run_eagerly=True)
    log = model.evaluate(shares, labels, verbose=0, return_dict=True)
    assert [log[name] for name in named] == [0.0, 1.0]
    each = tf.keras.losses.binary_crossentropy(labels, shares)
    assert log["loss"] == pytest.approx(float(tf.reduce_mean(each)))
    assert not labels[:, 3].any()
    macro = metrics.F1Score("macro", threshold=0.5)(labels, shares)
    assert float(macro) == pytest.approx(3 / 4)


@says("MeanIoU does not change, and the Dice loss stays at 1")
@says("In segmentation each pixel has a label.")
@says("Here are four, with good outputs of a sigmoid and with bad ones.")
@says(
    "`MeanIoU` wants numbers of classes, and cuts a share below 1 to the "
    "class 0."
)
@says("`BinaryIoU` compares it with a half.")
@says(
    "With several classes, and a share for each, `MeanIoU` raises "
    "`Incompatible shapes`; say `sparse_y_pred=False`."
)
def test_the_mean_iou_of_shares() -> None:
    left = ran(MORE, "mean_iou", kinds=tf.keras.metrics)
    pixels, good, bad = (left[name] for name in ("pixels", "good", "bad"))
    lines = printed(NAME, "mean_iou").split("\n")
    assert [numbers(line)[-1] for line in lines] == [0.25, 0.25, 1.0, 0.25]
    metrics = tf.keras.metrics
    for outputs in (good, bad, tf.constant([0.99] * 4)):
        of_shares = metrics.MeanIoU(2)(pixels, outputs)
        assert of_shares == metrics.MeanIoU(2)(pixels, tf.zeros(4)) == 0.25
        of_classes = metrics.MeanIoU(2)(pixels, tf.round(outputs))
        assert metrics.BinaryIoU()(pixels, outputs) == of_classes
    classes = np.array([0, 1, 2, 1])
    shares = np.eye(3, dtype="float32")[[0, 1, 2, 2]]
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="Incompatible shapes"
    ):
        metrics.MeanIoU(3)(classes, shares)
    found = metrics.MeanIoU(3, sparse_y_pred=False)(classes, shares)
    assert float(found) == pytest.approx((1 + 1 / 2 + 1 / 2) / 3)


@says(
    "A Dice loss compares areas. `tf.keras.losses.Dice` takes all pictures of "
    "a batch for one, unless you name the axes of a picture."
)
@says("Return 1 - Dice of each picture, a tensor of shape (batch,).")
@says(
    "Both are (batch, height, width, 1), labels 0 and 1 and shares between. A "
    "1 above and below keeps a picture with nothing in it from being 0 / 0."
)
@says(
    "That of Keras is 1, whatever the outputs are, and has no slope: what is "
    "found there by mistake goes unpunished. Smoothing mends that ([Milletari "
    "and others, 2016](https://arxiv.org/abs/1606.04797) have the loss)."
)
@says("Do not round the shares, for rounding has no gradient.")
def test_a_picture_with_nothing_in_it() -> None:
    said = printed(NAME, "nothing_there").split("\n")
    [keras_loss, keras_slope], [smoothed, slope] = map(numbers, said)
    assert [keras_loss, keras_slope] == [1.0, 0.0]
    assert smoothed == pytest.approx(1 - 1 / 33, abs=1e-4)
    assert slope > 0
    nothing = tf.zeros((1, 8, 8, 1))
    for share in (0.0, 0.1, 1.0):
        shares = tf.Variable(tf.fill(nothing.shape, share))
        with tf.GradientTape(persistent=True) as tape:
            of_keras = tf.keras.losses.Dice(axis=(1, 2, 3))(nothing, shares)
            ours = dice_loss(nothing, shares)
            rounded = dice_loss(nothing, tf.round(shares))
        assert float(of_keras) == 1.0
        assert not np.any(tape.gradient(of_keras, shares))
        assert np.all(tape.gradient(ours, shares) > 0)
        assert tape.gradient(rounded, shares) is None
    assert float(dice_loss(nothing, nothing)[0]) == 0.0
    pictures = tf.concat([nothing, tf.ones_like(nothing)], axis=0)
    shares = tf.fill(pictures.shape, 0.5)
    each = tf.keras.losses.Dice(axis=(1, 2, 3), reduction="none")
    assert each(pictures, shares).shape == (2,)
    whole = float(tf.keras.losses.Dice()(pictures, shares))
    assert whole == pytest.approx(1 - 2 * 32 / (64 + 64), abs=1e-4)
    assert float(tf.reduce_mean(each(pictures, shares))) > whole + 0.1


@says("Validate every N batches")
@says("An epoch may be too long to wait for.")
@says(
    "In a loop of your own, count the steps: `if number % 100 == 0:`. In "
    "`fit` it is tempting to evaluate in a callback."
)
@says("Evaluates after each batch, while the epoch goes on.")
@says("Evaluate the rows that are kept back.")
@says(
    "With the callback, `fit` logs the validation loss as that of training: "
    "`evaluate` resets the model's metrics, the loss so far among them, and "
    "leaves its own numbers there."
)
def test_evaluate_within_an_epoch() -> None:
    lines = printed(NAME, "evaluated_within").split("\n")
    plain, within, validation = (numbers(line)[-1] for line in lines)
    assert within == validation != plain
    model = Polynomial(1)
    model.compile("sgd", "mse", metrics=["mae"], run_eagerly=True)
    seen = []

    def evaluate(batch: int, logs: Any) -> None:
        seen.append(logs["loss"])
        if batch == 1:
            model.evaluate(X[100:], Y[100:], verbose=0)

    callback = tf.keras.callbacks.LambdaCallback(on_train_batch_end=evaluate)
    model.fit(
        X[:40],
        Y[:40],
        batch_size=10,
        shuffle=False,
        verbose=0,
        callbacks=[callback],
    )
    fresh = Polynomial(1)
    fresh.compile("sgd", "mse", run_eagerly=True)
    for start in (0, 10):
        rows = slice(start, start + 10)
        fresh.train_on_batch(X[rows], Y[rows])
    beyond = fresh.evaluate(X[100:], Y[100:], verbose=0)
    third = float(loss(Y[20:30], fresh(X[20:30])))
    due = (101 * beyond + 10 * third) / 111
    assert seen[2] == pytest.approx(due, rel=1e-4)


@says("Make the epochs shorter instead.")
@says(
    "An epoch is now two batches, and the next goes on where it ended. For "
    "fewer validations than epochs there is `validation_freq`."
)
def test_epochs_of_two_batches() -> None:
    rows: Any = (X[:20], Y[:20])
    names = ("train_x", "train_y", "valid_x", "valid_y")
    left = ran(MORE, "in_parts", **dict(zip(names, [*rows] * 2, strict=True)))
    log, model = left["log"], left["line"]
    assert len(log["val_loss"]) == 4
    assert len(numbers(printed(NAME, "in_parts"))) == 4
    assert int(model.optimizer.iterations) == 4 * 2
    stepped = Polynomial(1)
    step = make_step(stepped, SGD(0.01))
    for start in 2 * (0, 5, 10, 15):
        step(*(values[start : start + 5] for values in rows))
    assert model.w.numpy() == pytest.approx(stepped.w.numpy(), rel=1e-4)
    rarely = Polynomial(1)
    rarely.compile("sgd", "mse")
    log = rarely.fit(
        *rows, epochs=4, validation_data=rows, validation_freq=2, verbose=0
    ).history
    assert [len(log[name]) for name in ("loss", "val_loss")] == [4, 2]


@says(
    "The patience of `EarlyStopping` and of `ReduceLROnPlateau` then counts "
    "validations."
)
@says(
    "But a `ModelCheckpoint` with `save_best_only` saves in the epochs "
    "between them, over the best: let `EarlyStopping` keep that, with "
    "`restore_best_weights=True`."
)
def test_epochs_that_are_not_validated(tmp_path: Path) -> None:
    callbacks, file = tf.keras.callbacks, str(tmp_path / "best.weights.h5")
    model = KerasLinearModel()
    model.compile(SGD(1e-9), "mse")
    # The loss is best in the second epoch, the first that is validated.
    setter = callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: model.w.assign(epoch + 2.0)
    )
    rows = np.ones((4, 1)), np.full((4, 1), 3.0)
    stopper = callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    reducer = callbacks.ReduceLROnPlateau(patience=1, factor=0.5)
    saver = callbacks.ModelCheckpoint(
        file, save_best_only=True, save_weights_only=True
    )
    saved: list[float] = []

    def note(epoch: int, logs: Any) -> None:
        kept = KerasLinearModel()
        kept(rows[0])
        kept.load_weights(file)
        saved.append(float(kept.w))

    noting = callbacks.LambdaCallback(on_epoch_end=note)
    with pytest.warns(UserWarning, match="save best model only with val_loss"):
        log = model.fit(
            *rows,
            validation_data=rows,
            validation_freq=2,
            epochs=20,
            verbose=0,
            callbacks=[setter, stopper, reducer, saver, noting],
        ).history
    assert log["val_loss"] == pytest.approx([0.0, 4.0, 16.0], abs=1e-5)
    assert len(log["loss"]) == 6
    rates = [1e-9] * 4 + [0.5e-9] * 2
    assert log["learning_rate"] == pytest.approx(rates)
    assert float(model.w) == pytest.approx(3.0)
    assert saved == pytest.approx([2.0, 3.0, 4.0, 4.0, 6.0, 6.0])


@says("Precision, recall and accuracy are all the same")
@says(
    "Six rows of three classes, and the shares of a softmax. Four answers are "
    "right."
)
@says(
    "`Precision()` and `Recall()` count over all classes at once. A row has "
    "one label and one answer, so a wrong answer is one class found by "
    "mistake and one class missed: both are divided by the same number, and "
    "so is the accuracy."
)
@says("This is called *micro* averaging. It tells you nothing new;")
@says("Now you see that class 2 was never found.")
def test_precision_recall_and_accuracy_are_the_same() -> None:
    left = ran(SCORES, "all_the_same", kinds=tf.keras.metrics)
    one_hot, shares = left["one_hot"].numpy(), left["shares"].numpy()
    assert np.allclose(shares.sum(axis=1), 1)
    found = shares > 0.5
    right = np.sum(found * one_hot)
    assert (right, np.sum(found), np.sum(one_hot)) == (4, 6, 6)
    said = printed(NAME, "all_the_same").splitlines()
    assert [row.split(": ")[1] for row in said] == ["0.6667"] * 4
    *each, macro = printed(NAME, "each_class").splitlines()
    precision, recall = ([*map(float, row.split()[-3:])] for row in each)
    hits, answers = np.sum(found * one_hot, axis=0), np.sum(found, axis=0)
    assert answers[2] == 0
    some = np.maximum(answers, 1)
    assert precision == pytest.approx(hits / some, abs=0.006)
    assert recall == pytest.approx(hits / one_hot.sum(axis=0), abs=0.006)
    assert precision[2] == recall[2] == 0
    f1 = 2 * hits / (found.sum(axis=0) + one_hot.sum(axis=0))
    assert float(macro.split()[-1]) == pytest.approx(f1.mean(), abs=0.006)


@says(
    "`top_k=1` takes the largest share for the answer. Without it, it is each "
    "share above 0.5, and a row that has none counts as missed alone."
)
@says(
    "The labels have to be one-hot: numbers of classes raise `Incompatible "
    "shapes: [1,6] vs. [1,18]`, which are all labels against all shares."
)
def test_answers_and_labels_of_precision() -> None:
    kinds = tf.keras.metrics
    left = ran(SCORES, "all_the_same", kinds=kinds)
    one_hot, shares = left["one_hot"], left["shares"]
    unsure = tf.concat([[[0.4, 0.3, 0.3]], shares[1:]], axis=0)

    def both(**options: Any) -> list[float]:
        metrics = kinds.Precision(**options), kinds.Recall(**options)
        return [float(metric(one_hot, unsure)) for metric in metrics]

    assert both() == pytest.approx([3 / 5, 3 / 6])
    assert both(top_k=1) == pytest.approx([4 / 6, 4 / 6])
    classes = tf.argmax(one_hot, axis=-1)
    said = r"Incompatible shapes: \[1,6\] vs. \[1,18\]"
    for metric in (kinds.Precision(), kinds.Recall()):
        for labels in (classes, classes[:, tf.newaxis]):
            with pytest.raises(tf.errors.InvalidArgumentError, match=said):
                metric(labels, shares)


@says("The F1 score, and other metrics of your own")
@says(
    "A custom metric that is a function and returns one number is averaged "
    "over the batches, whatever it counts. But the mean of the F1 scores of "
    "batches is not the F1 score of all rows, which is what `f1_score` of "
    "sklearn returns."
)
@says(
    "Take an object that goes on counting, such as "
    "`tf.keras.metrics.F1Score(threshold=0.5)`."
)
def test_a_function_as_a_metric() -> None:
    label = np.array([[1, 1, 1, 0, 0, 0, 0, 1]], np.float32).T
    found = np.array([[0.9, 0.8, 0.2, 0.1, 0.7, 0.1, 0.2, 0.9]], np.float32).T

    def f1(y: Any, y_pred: Any) -> Any:
        y_pred = tf.round(y_pred)
        both = tf.reduce_sum(y * y_pred)
        return 2.0 * both / (tf.reduce_sum(y) + tf.reduce_sum(y_pred))

    def apart(y: Any, y_pred: Any) -> Any:
        return tf.abs(y - y_pred)[:, 0]

    def mean_apart(y: Any, y_pred: Any) -> Any:
        return tf.reduce_mean(apart(y, y_pred))

    counting = tf.keras.metrics.F1Score(average="micro", threshold=0.5)
    model = tf.keras.Sequential([tf.keras.layers.Identity()])
    model.compile(loss="mse", metrics=[f1, counting, apart, mean_apart])
    uneven = model.evaluate(
        found, label, batch_size=5, verbose=0, return_dict=True
    )
    distances = np.abs(label - found)[:, 0]
    means = [np.mean(distances[:5]), np.mean(distances[5:])]
    assert uneven["apart"] == pytest.approx(np.mean(distances))
    assert uneven["mean_apart"] == pytest.approx(np.mean(means))
    assert abs(np.mean(distances) - np.mean(means)) > 0.005
    log = model.evaluate(
        found, label, batch_size=4, verbose=0, return_dict=True
    )
    halves = [float(f1(label[i : i + 4], found[i : i + 4])) for i in (0, 4)]
    right = np.sum((found > 0.5) & (label == 1))
    wrong = np.sum((found > 0.5) != (label == 1))
    whole = 2 * right / (2 * right + wrong)
    assert log["f1"] == pytest.approx(np.mean(halves))
    assert log["f1_score"] == pytest.approx(whole)
    assert abs(np.mean(halves) - whole) > 0.01


@says(
    "Without `threshold` the largest output of a row counts as a 1, and a "
    "single output always does. There is a score for each output; of several, "
    '`float` raises a `TypeError`, and `average="macro"` returns their mean.'
)
def test_what_the_f1_score_of_keras_takes_for_a_1() -> None:
    kind = tf.keras.metrics.F1Score
    labels = np.array([[1], [0], [0], [0]], np.float32)
    shares = np.array([[0.9], [0.1], [0.2], [0.3]], np.float32)
    assert float(kind(threshold=0.5)(labels, shares)[0]) == pytest.approx(1)
    everything = score(labels, np.ones_like(shares))
    assert float(kind()(labels, shares)[0]) == pytest.approx(everything)
    assert everything == pytest.approx(0.4)
    classes = np.eye(3, dtype=np.float32)[[0, 1, 2, 0]]
    of_largest = np.array(
        [[0.4, 0.3, 0.3], [0.1, 0.8, 0.1], [0.4, 0.3, 0.3], [0.9, 0.0, 0.1]],
        np.float32,
    )
    metric = kind()
    metric.update_state(classes, of_largest)
    each = metric.result().numpy()
    assert each == pytest.approx([0.8, 1.0, 0.0])
    with pytest.raises(TypeError):
        float(metric.result())
    mean = float(kind(average="macro")(classes, of_largest))
    assert mean == pytest.approx(np.mean(each))


def score(labels: Any, shares: Any, weight: Any = 1.0) -> float:
    """Return the F1 score by its definition, in NumPy."""
    labels, said = np.ravel(labels) == 1, np.ravel(shares) > 0.5
    weight = np.broadcast_to(np.ravel(weight), labels.shape)
    precision = np.sum(weight * (labels & said)) / np.sum(weight * said)
    recall = np.sum(weight * (labels & said)) / np.sum(weight * labels)
    return float(2 * precision * recall / (precision + recall))


LABELS = np.array([[1, 1, 1, 0, 0, 0, 0, 1]], np.float32).T
SHARES = np.array([[0.9, 0.8, 0.2, 0.1, 0.7, 0.1, 0.2, 0.9]], np.float32).T


@says("R² and the Pearson correlation are no means of batches")
@says("A correlation compares with a mean, and each batch has another.")
@says("Return Pearson's correlation of two columns, 0 if one is constant.")
@says(
    "Here are predictions of the line that made the data, measured in one "
    "piece and in three batches."
)
@says("These are sorted by `x`, which makes much of the difference.")
@says(
    "`R2Score` goes on counting, and says of all batches together what it "
    "says of all rows. `PearsonCorrelation` averages those of the batches, "
    "and so does a function of your own in `compile`."
)
def test_scores_of_batches() -> None:
    kinds = tf.keras.metrics
    r2_row, row, _ = printed(NAME, "of_all_rows").splitlines()
    x, y = (values.numpy()[:, np.newaxis] for values in make_data())
    guesses = 3 * x + 2
    cuts = 67, 134
    orders = [np.arange(201), np.random.default_rng(0).permutation(201)]
    far = []
    for order in orders:
        pairs = [
            *zip(
                np.split(y[order], cuts),
                np.split(guesses[order], cuts),
                strict=True,
            )
        ]
        r2 = 1 - np.mean((guesses - y) ** 2) / np.var(y)
        r2s = [1 - np.mean((p - t) ** 2) / np.var(t) for t, p in pairs]
        whole = np.corrcoef(y[:, 0], guesses[:, 0])[0, 1]
        parts = [np.corrcoef(t[:, 0], p[:, 0])[0, 1] for t, p in pairs]
        counting, averaging = kinds.R2Score(), kinds.PearsonCorrelation(axis=0)
        for pair in pairs:
            counting.update_state(*pair)
            averaging.update_state(*pair)
        assert float(counting.result()) == pytest.approx(r2, abs=1e-4)
        mean = np.mean(parts)
        assert float(averaging.result()) == pytest.approx(mean, abs=1e-4)
        far.append(whole - np.mean(parts))
        if order is orders[0]:
            assert numbers(r2_row)[-2:] == pytest.approx(
                [r2, np.mean(r2s)], abs=0.006
            )
            assert numbers(row) == pytest.approx(
                [whole, np.mean(parts)], abs=0.006
            )
    assert far[0] > 0.15 > 0.02 > abs(far[1])
    same = tf.keras.layers.Activation("linear")
    model = tf.keras.Sequential([tf.keras.Input((1,)), same])
    model.compile(loss="mse", metrics=[correlation])
    log = model.evaluate(guesses, y, batch_size=67, verbose=0)
    assert log[1] == pytest.approx(whole - far[0], abs=1e-4)


@says(
    "By default it correlates the numbers *within* a row. Of a column that is "
    "one, and the result is NaN: write `axis=0`."
)
@says("So keep the predictions of an epoch, and measure them once.")
def test_the_axis_of_a_correlation() -> None:
    assert printed(NAME, "of_all_rows").splitlines()[-1] == "by default nan"
    generator = np.random.default_rng(0)
    y, y_pred = generator.normal(size=(2, 6, 4)).astype("float32")
    kinds = tf.keras.metrics
    within = [np.corrcoef(*pair)[0, 1] for pair in zip(y, y_pred, strict=True)]
    found = float(kinds.PearsonCorrelation()(y, y_pred))
    assert found == pytest.approx(np.mean(within), abs=1e-5)
    column = y[:, :1], y_pred[:, :1]
    assert np.isnan(kinds.PearsonCorrelation()(*column))
    along = float(kinds.PearsonCorrelation(axis=0)(*column))
    assert along == pytest.approx(float(correlation(*column)), abs=1e-5)


@says(
    "As a loss, `1 - correlation(y, y_pred)` has a gradient, and is the same "
    "for any line that rises. So it teaches no scale and no offset."
)
@says(
    "Where all predictions are equal, as in a batch of one row, the gradient "
    "is 0, and by XLA NaN."
)
@says("R² rises as the mean squared error falls; train with that.")
def test_a_correlation_as_a_loss() -> None:
    x, y = (values[:, tf.newaxis] for values in make_data())
    w, b = tf.Variable(5.0), tf.Variable(0.0)
    wave = tf.Variable(0.5)
    with tf.GradientTape() as tape:
        bent = w * x + b + wave * tf.sin(3.0 * x)
        current_loss = 1.0 - correlation(y, bent)
    slope = tape.gradient(current_loss, wave)
    assert abs(float(slope)) > 1e-3
    costs = [
        1.0 - float(correlation(y, slope * x + offset))
        for slope, offset in ((0.1, 0.0), (3.0, 2.0), (50.0, -9.0))
    ]
    assert costs == pytest.approx([costs[0]] * 3, abs=1e-5)
    assert 1.0 - float(correlation(y, -x)) > 1.5

    def slopes(y: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            cost = 1.0 - correlation(y, y_pred)
        return tape.gradient(cost, y_pred)

    for rows in (1, 7):
        equal = y[:rows], tf.fill((rows, 1), 0.1)
        for way in (slopes, tf.function(slopes)):
            assert not np.any(way(*equal))
        by_xla = tf.function(slopes, jit_compile=True)
        assert np.all(np.isnan(by_xla(*equal)))
    r2 = [float(tf.keras.metrics.R2Score()(y, a * x)) for a in (1.0, 2.0)]
    errors = [float(loss(y, a * x)) for a in (1.0, 2.0)]
    variance = float(tf.math.reduce_variance(y))
    expected = [1 - error / variance for error in errors]
    assert r2 == pytest.approx(expected, abs=1e-4)


@says("Two numbers make an F1 score, and both can be added up.")
@says(
    "Return the weight of the hits, and that of all 1s plus all predicted 1s."
)
@says(
    "``y`` and ``y_pred`` have a shape of (rows, 1), what is returned of (2,)."
)
@says(
    "A `Metric` keeps them in a variable. `update_state` adds those of a "
    "batch, and `result` makes the score."
)
@says("The F1 score of predictions between 0 and 1, over all their rows.")
@says("Count a batch.")
@says("Return the score of what was counted since the last reset.")
@pytest.mark.parametrize("compiled", [False, True])
def test_a_metric_of_our_own(compiled: bool) -> None:
    weight = np.arange(8, dtype=np.float32)
    metric = F1()
    update: Any = metric.update_state
    if compiled:
        update = tf.function(update)
    for start in (0, 5):
        part = slice(start, start + 5)
        update(LABELS[part], SHARES[part])
        counts = count_hits(LABELS[part], SHARES[part])
        assert counts.shape == (2,)
    assert float(metric.result()) == pytest.approx(score(LABELS, SHARES))
    assert metric.counts.numpy().tolist() == [3, 8]
    metric.reset_state()
    update(LABELS, SHARES, weight[:, np.newaxis])
    expected = score(LABELS, SHARES, weight)
    assert float(metric.result()) == pytest.approx(expected)
    assert expected != pytest.approx(score(LABELS, SHARES), abs=0.01)
    own = printed(NAME, "own_metric").split("\n")
    (ours, by_keras), [of_batches] = (
        numbers(line.split(":")[1]) for line in own
    )
    assert ours == by_keras != of_batches
    assert [line.partition("(")[0] for line in highlighted(BLOCKS["F1"])] == [
        "self.counts = self.add_variable",
        "self.counts.assign_add",
        "return tf.math.divide_no_nan",
    ]


class Lowest(tf.keras.metrics.Metric):
    def __init__(self) -> None:
        super().__init__(name="lowest")
        self.lowest = self.add_variable((), at_most, name="lowest")

    def update_state(
        self, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        self.lowest.assign(tf.minimum(self.lowest, tf.reduce_min(y_pred)))

    def result(self) -> Any:
        return self.lowest.value


class InPython(tf.keras.metrics.Metric):
    hits: Any = 0.0

    def update_state(
        self, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        self.hits += tf.reduce_sum(y_pred)

    def result(self) -> Any:
        return self.hits


def at_most(shape: Any, dtype: Any = None) -> Any:
    return tf.fill(shape, 100.0)


@says(
    "`reset_state` is there already. It sets every variable to zero, whatever "
    "it began with, so a metric that keeps a lowest value has to write its "
    "own."
)
@says(
    "What you keep in a number of Python, `self.hits += …`, it does not "
    "reset, and `fit` logs a tensor without a value."
)
def test_what_reset_state_resets() -> None:
    assert "reset_state" not in BLOCKS["F1"].code
    metric = F1()
    metric.update_state(LABELS, SHARES)
    metric.reset_state()
    assert metric.counts.numpy().tolist() == [0, 0]
    assert float(metric.result()) == 0

    lowest = Lowest()
    lowest.update_state(0, [7.0])
    assert float(lowest.result()) == 7
    lowest.reset_state()
    lowest.update_state(0, [7.0])
    assert float(lowest.result()) == 0

    in_python = InPython(name="in_python")
    in_python.update_state(LABELS, SHARES)
    in_python.reset_state()
    assert float(in_python.result()) == pytest.approx(np.sum(SHARES))

    model = tf.keras.Sequential(
        [tf.keras.Input((1,)), tf.keras.layers.Rescaling(1.0)]
    )
    in_fit = InPython(name="in_fit")
    model.compile(SGD(0.0), "mse", metrics=[F1(), in_fit])
    how: Any = {"batch_size": 5, "epochs": 2, "verbose": 0}
    logs = model.fit(SHARES, LABELS, **how).history
    assert logs["f1"] == pytest.approx([score(LABELS, SHARES)] * 2)
    with pytest.raises(TypeError):
        float(logs["in_fit"][-1])


@says(
    "**In `fit`:** `compile(metrics=[…])`, `F1()` among them. `fit` resets "
    "all metrics when an epoch starts, and averages its loss over the rows."
)
@says("Vectors mislead its metrics in the same way.")
def test_metrics_of_fit() -> None:
    rows = np.arange(10.0, dtype=np.float32)
    errors = [np.mean(rows[:8] ** 2), np.mean(rows[8:] ** 2)]
    for shape, mean in (((-1, 1), np.mean(rows**2)), ((-1,), np.mean(errors))):
        model = KerasLinearModel()
        model.w.assign(0.0)
        model.compile(SGD(0.0), loss="mse", metrics=["mse"], run_eagerly=True)
        data = rows.reshape(shape)
        options = {"batch_size": 8, "shuffle": False, "verbose": 0}
        logs = model.fit(data, data, epochs=2, **options).history
        for name, value in (("loss", np.mean(rows**2)), ("mse", mean)):
            assert logs[name] == pytest.approx([value] * 2, rel=1e-5)


# A learning-rate schedule


@says(
    "Mini-batches disagree about where the minimum is, so with a "
    "constant rate the weights never come to rest."
)
@says("Least squares tells the least loss that a line can have.")
@says("The plot starts at the second epoch.")
@says(
    "The loss from epoch 2 to 20: with the constant rate it keeps "
    "jumping above the dotted line of the least possible loss; with "
    "the cosine schedule the jumps shrink until it lies on that line"
)
@says(
    'The loss ends at {{ history["constant"][-1]:.4f }} with the '
    'constant rate and at {{ history["cosine"][-1]:.4f }} with the '
    "schedule."
)
@says("The least possible is {{ least:.4f }}.")
def test_only_the_schedule_comes_to_rest(cosine: Any) -> None:
    minima = [
        np.polyfit(x[:, 0], y[:, 0], 1)
        for x, y in itertools.islice(sorted_batches(), 6)
    ]
    assert np.ptp(minima, axis=0).min() > 0.5
    line = np.polyfit(X[:, 0], Y[:, 0], 1)
    assert line == pytest.approx(BEST, abs=1e-4)
    errors = np.polyval(line, X) - Y
    least = float(np.mean(errors**2))
    draw = np.random.default_rng(0)
    rests = {}
    for name, rate in (("constant", lambda _: 0.1), ("cosine", cosine)):
        now, step, losses = np.array([5.0, 0.0]), 0, []
        for _ in range(20):
            order = draw.permutation(ROWS)
            for rows in np.split(order, range(32, ROWS, 32)):
                slopes = gradient(tf.gather(X, rows), tf.gather(Y, rows), *now)
                now = now - float(rate(step)) * slopes
                step += 1
            losses.append(float(np.mean((now[0] * X + now[1] - Y) ** 2)))
        rests[name] = np.array(losses) - least
    assert np.ptp(rests["constant"][-5:]) > 0.005
    assert np.max(rests["cosine"][-2:]) < 1e-3
    [axes] = figure(NAME, "plot_schedule")
    lines = [axes.points[name] for name in ("constant", "cosine")]
    assert all((line.x[0], line.x[-1]) == (2, 20) for line in lines)
    constant, decayed = (np.array(line.y) - least for line in lines)
    assert min(constant[2:]) > 0.01, "above the dotted line"
    assert np.abs(np.diff(constant[2:])).min() > 0.005, "jumping"
    assert decayed[1] > 10 * decayed[2] > 100 * decayed[3]
    assert np.abs(decayed[-1]) < 1e-4
    assert axes.points["least possible"].y == pytest.approx([least] * 2, 1e-4)
    kept = record(NAME)
    assert kept["least:.4f"] == kept['history["cosine"][-1]:.4f'] == "1.0080"
    assert float(kept['history["constant"][-1]:.4f']) > 1.02


@says(
    "A schedule changes the rate as training goes on. This one lowers "
    "it from 0.1 to zero. It stands in the place of the number and "
    "counts steps, not epochs."
)
@says(
    "**In `fit`:** the schedule is part of the optimizer, so it is the same."
)
def test_a_schedule_counts_steps(cosine: Any) -> None:
    rates = [float(cosine(step)) for step in range(141)]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] == pytest.approx(0.1)
    assert rates[-1] == pytest.approx(0.0, abs=1e-8)
    assert rates[70] == pytest.approx(0.05)
    assert len(make_batches(X, Y)) * 20 == 140
    optimizer, model = SGD(cosine), KerasLinearModel()
    model.compile(optimizer, loss="mse", run_eagerly=True)
    for _ in range(2):
        model.fit(X, Y, batch_size=67, verbose=0)
    assert float(optimizer.learning_rate) == pytest.approx(rates[6])


# Gradient clipping


@says(
    "Someone slips while typing: one of the 201 outputs, {{ float(y["
    "180, 0]):.2f }}, gets its decimal point two places further right."
)
@says(
    "One wrong row of {{ len(y) }} turned the sign of the first, and clipping "
    "cannot turn it back."
)
@says("The norm is the length of the gradient, over all variables together.")
@says(
    "Clipping makes it at most 1 and keeps the direction: both numbers "
    "shrink by the same factor."
)
def test_clipping_keeps_the_direction() -> None:
    slipped = ran(NAME, "slip", x=X, y=Y)["slipped_y"].numpy()
    [row] = np.flatnonzero(slipped != Y.numpy())
    assert slipped[row] == pytest.approx(100 * Y[row].numpy())
    assert record(NAME)["float(y[180, 0]):.2f"] == f"{float(Y[row, 0]):.2f}"
    assert record(NAME)["len(y)"] == str(ROWS)
    before, after = gradient(X, Y), gradient(X, slipped)
    assert before[0] > 0 > after[0]
    lines = [numbers(t) for t in printed(NAME, "slip").split("\n")]
    for slopes, shown in ((before, lines[:3]), (after, lines[3:])):
        norm = float(np.hypot(*slopes))
        assert shown[0] == pytest.approx([norm], abs=0.01)
        pairs = [[slope, slope / norm] for slope in slopes]
        np.testing.assert_allclose(shown[1:], pairs, atol=0.01)
    for length in (0.5, 3.0):
        gradients = [tf.constant([0.6 * length]), tf.constant([0.8 * length])]
        clipped, _ = tf.clip_by_global_norm(gradients, 1.0)
        shorter = min(length, 1.0)
        np.testing.assert_allclose(
            np.ravel(clipped), [0.6 * shorter, 0.8 * shorter], rtol=1e-6
        )


@says("What it does is limit how far one batch can move the weights.")
@says(
    "In a loop, the line with `clip_by_global_norm` belongs between "
    "`tape.gradient` and `apply_gradients`. Or ask the optimizer for "
    "the same with `global_clipnorm`."
)
@says(
    "Clipped, it moves them by 0.1 at most, the learning rate times "
    "the norm, and the other six make up for it. That is so with plain "
    "`SGD`; with a momentum of 0.9 a step may grow to ten times that."
)
@says(
    "The first step of `Adam`, which divides each gradient by its size, is as "
    "long clipped as it is unclipped."
)
@says(
    "The argument `clipnorm`, without `global_`, is another thing: it "
    "clips each variable by itself and so bends the direction."
)
@says("**In `fit`:** clipping is part of the optimizer, so it is the same.")
def test_clipping_by_the_optimizer() -> None:
    slopes = gradient(X, Y)
    assert np.min(np.abs(slopes)) > 1
    ends = []
    for kind in (SGD, tf.keras.optimizers.Adam):
        for limit in (None, 1.0):
            model = KerasLinearModel()
            make_step(model, kind(0.1, global_clipnorm=limit))(X, Y)
            ends.append(weights(model))
    assert ends[0] != pytest.approx(ends[1], rel=0.01)
    assert ends[2] == pytest.approx(ends[3], rel=1e-5)
    by_hand = KerasLinearModel()
    with tf.GradientTape() as tape:
        current_loss = loss(Y, by_hand(X))
    variables = by_hand.trainable_variables
    gradients = tape.gradient(current_loss, variables)
    gradients, _ = tf.clip_by_global_norm(gradients, 1.0)
    SGD(0.1).apply_gradients(zip(gradients, variables, strict=True))
    moved = {}
    for option in ("global_clipnorm", "clipnorm"):
        model = KerasLinearModel()
        make_step(model, SGD(0.1, **{option: 1.0}))(X, Y)
        moved[option] = np.array(weights(model)) - [5.0, 0.0]
    fitted = KerasLinearModel()
    optimizer = SGD(0.1, global_clipnorm=1.0)
    fitted.compile(optimizer, loss="mse", run_eagerly=True)
    fitted.fit(X, Y, batch_size=ROWS, verbose=0)
    together = moved["global_clipnorm"]
    for model in (by_hand, fitted):
        change = np.subtract(weights(model), [5.0, 0.0])
        assert change == pytest.approx(together, abs=1e-5)
    assert float(np.hypot(*together)) == pytest.approx(0.1, abs=1e-5)
    one, lengths = tf.Variable(0.0), []
    for momentum in (0.0, 0.9):
        optimizer = SGD(0.1, momentum, global_clipnorm=1.0)
        for _ in range(100):
            before = float(one)
            optimizer.apply([tf.constant(50.0)], [one])
            lengths.append(before - float(one))
    assert max(lengths[:100]) == pytest.approx(0.1, abs=1e-4)
    assert lengths[-1] == pytest.approx(1.0, abs=1e-3)
    assert max(lengths) < 1.001
    bent = moved["clipnorm"]
    assert np.abs(bent) == pytest.approx([0.1, 0.1], abs=1e-5)
    ways = [float(np.divide(*move)) for move in (slopes, together, bent)]
    assert ways[1] == pytest.approx(ways[0], rel=1e-4)
    assert ways[2] != pytest.approx(ways[0], rel=0.1)


@says("`Adam` minds even without clipping, in `fit` too.")
@says(
    "It squares the rows one by one and not their sum, so here its first step "
    "is ten times as long as it should be, the root of a hundred. `SGD` takes "
    "the right one."
)
def test_rows_of_one_word_are_squared_one_by_one() -> None:
    def moved(kind: type[tf.keras.Optimizer], way: str) -> float:
        embedding = tf.keras.layers.Embedding(5, 2, "ones")
        model = tf.keras.Sequential([tf.keras.Input((100,)), embedding])
        optimizer, words = kind(0.1), tf.fill((1, 100), 3)
        optimizer.build(model.trainable_variables)

        def step() -> None:
            with tf.GradientTape() as tape:
                total = tf.reduce_sum(model(words))
            slices = tape.gradient(total, model.trainable_variables)
            if way == "summed":
                slices = [tf.convert_to_tensor(rows) for rows in slices]
            optimizer.apply(slices, model.trainable_variables)

        if way == "fit":
            model.compile(optimizer, lambda y, y_pred: tf.reduce_sum(y_pred))
            model.fit(words, tf.zeros((1, 100, 2)), verbose=0)
        else:
            (tf.function(step) if way == "compiled" else step)()
        assert embedding.embeddings[0, 0] == 1.0
        return 1.0 - float(embedding.embeddings[3, 0])

    adam = tf.keras.optimizers.Adam
    assert moved(adam, "summed") == pytest.approx(0.1, rel=1e-3)
    for way in ("eager", "compiled", "fit"):
        assert moved(adam, way) == pytest.approx(1.0, rel=1e-3)
        assert moved(SGD, way) == pytest.approx(10.0)
    assert moved(SGD, "summed") == pytest.approx(10.0)


@says(
    "An `Embedding` has a gradient of another kind, `IndexedSlices`: a row "
    "for each word that was looked up."
)
@says("Here one word is looked up a hundred times.")
@says("The hundred rows count one by one.")
@says(
    "So the norm comes out wrong, and what is clipped to 1 is longer. "
    "`tf.convert_to_tensor` adds up the rows of a word."
)
@says(
    "Use it before you clip, or before you hand the gradient to an optimizer "
    "that clips, for its `clipnorm`, `global_clipnorm` and `clipvalue` see "
    "single rows as well."
)
@says(
    "With an `IndexedSlices` you cannot calculate: `2.0 * gradient` raises a "
    "`TypeError`."
)
def test_rows_of_one_word_are_clipped_one_by_one() -> None:
    rows, whole = printed(NAME, "slices").split("\n")
    assert rows.startswith("IndexedSlices: ")
    assert numbers(rows) == pytest.approx([200**0.5, 10.0], abs=0.01)
    assert numbers(whole) == pytest.approx([100 * 2**0.5, 1.0], abs=0.01)
    words = tf.constant([1, 3, 3])
    values = tf.constant([[3.0, 0.0], [0.0, 4.0], [0.0, 4.0]])
    embedding = tf.keras.layers.Embedding(5, 2)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(embedding(words) * values)
    [gradient] = tape.gradient(total, embedding.trainable_variables)
    assert isinstance(gradient, tf.IndexedSlices)
    assert gradient.indices.numpy().tolist() == [1, 3, 3]
    summed = tf.convert_to_tensor(gradient)
    assert summed[3].numpy().tolist() == [0.0, 8.0]
    for option, longest in (
        ("clipnorm", 1.0),
        ("global_clipnorm", 1.0),
        ("clipvalue", 2**0.5),
    ):
        moved = []
        for given in (gradient, summed):
            start = tf.Variable(tf.zeros((5, 2)))
            SGD(1.0, **{option: 1.0}).apply([given], [start])
            moved.append(np.linalg.norm(start.numpy()))
        one_by_one, right = moved
        assert right == pytest.approx(longest)
        assert one_by_one > right + 0.1
    with pytest.raises(TypeError, match="unsupported operand"):
        2.0 * gradient
    assert (2.0 * summed)[3, 1] == 16.0


@says("The sum has the size of the whole table.")
@says(
    "From a hundred million numbers on, a graph warns of that: `Converting "
    "sparse IndexedSlices to a dense Tensor`."
)
@pytest.mark.parametrize(("words", "warned"), [(10**8 - 1, 0), (10**8, 1)])
def test_a_large_sum_is_warned_of(
    words: int, warned: int, recwarn: pytest.WarningsRecorder
) -> None:
    @tf.function(input_signature=[tf.TensorSpec([words, 1])])
    def summed(table: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(table)
            found = tf.gather(table, [1, 3, 3])
        return tf.convert_to_tensor(tape.gradient(found, table))

    # Only traced: no table of this size is made.
    graph = summed.get_concrete_function()
    assert graph.output_shapes == [words, 1]
    messages = [str(warning.message) for warning in recwarn]
    told = [m for m in messages if m.startswith("Converting sparse Indexed")]
    assert len(told) == warned


@says("The batch with the wrong row is one of seven.")
@says("Unclipped, it throws the weights far off.")
def test_the_batch_with_the_wrong_row() -> None:
    assert len(make_batches(X, Y)) == 7
    lines = [numbers(t) for t in printed(NAME, "clip").split("\n")]
    (_, unclipped, [its_loss], _, clipped, [loss_clipped]) = lines
    assert np.abs(np.subtract(unclipped, BEST)).min() > 2
    assert np.abs(np.subtract(clipped, BEST)).max() < 0.1
    assert its_loss > 10
    assert loss_clipped < 1.05


# Gradient accumulation


@says("The optimizer does it when told after how many batches to update.")
@says(
    "Make the batches equally large, since each counts as much as the others."
)
@says(
    "And let an epoch be a multiple of the steps: what is left over "
    "waits for the next epoch."
)
@says(
    "**In `fit`:** accumulation is part of the optimizer, so it is the same."
)
def test_accumulation() -> None:
    parts = [slice(0, 32), slice(32, 64), slice(192, 201)]
    slopes = [gradient(X[part], Y[part]) for part in parts]
    moved = [5.0, 0.0] - 0.1 * np.mean(slopes, axis=0)
    model = KerasLinearModel()
    step = make_step(model, SGD(0.1, gradient_accumulation_steps=3))
    for part in parts:
        assert weights(model) == [5.0, 0.0]
        step(X[part], Y[part])
    assert weights(model) == pytest.approx([*moved], abs=1e-5)
    model = KerasLinearModel()
    optimizer = SGD(0.1, gradient_accumulation_steps=3)
    model.compile(optimizer, loss="mse", run_eagerly=True)
    options = {"batch_size": 32, "shuffle": False, "verbose": 0}
    model.fit(X[:64], Y[:64], **options)
    assert weights(model) == [5.0, 0.0]
    model.fit(X[192:], Y[192:], **options)
    assert weights(model) == pytest.approx([*moved], abs=1e-5)


@says(
    "With `BatchNormalization` it comes out differently, for that takes the "
    "mean and variance of each small batch."
)
def test_accumulation_and_batch_normalization() -> None:
    def ended(normalized: bool, parts: int) -> np.ndarray:
        layers: list[Any] = [tf.keras.Input((1,))]
        if normalized:
            layers.append(tf.keras.layers.BatchNormalization())
        layers.append(tf.keras.layers.Dense(1, kernel_initializer="ones"))
        model = tf.keras.Sequential(layers)
        several = {"gradient_accumulation_steps": parts} if parts > 1 else {}
        step = make_step(model, SGD(0.1, **several))
        for x, y in zip(tf.split(X, parts), tf.split(Y, parts), strict=True):
            step(x, y)
        return np.ravel(model.layers[-1].kernel)

    assert ended(False, 3) == pytest.approx(ended(False, 1), abs=1e-5)
    assert abs(ended(True, 3) - ended(True, 1)) > 0.01


@says(
    "Accumulating the loss over several steps instead trains nothing, or too "
    "little. Of a sum that was made outside of the tape, or in a "
    "`tf.Variable`, the gradient is `None`; of one to which each step adds "
    "within a tape of its own, the last tape knows the last loss alone."
)
def test_an_accumulated_loss() -> None:
    w, parts = tf.Variable(5.0), (slice(0, 32), slice(32, 64))

    def part_of_loss(part: slice) -> Any:
        return loss(Y[part], w * X[part])

    outside = within = tf.constant(0.0)
    kept = tf.Variable(0.0)
    for part in parts:
        with tf.GradientTape() as tape:
            current_loss = part_of_loss(part)
        outside += current_loss
        with tf.GradientTape() as last_tape:
            within += part_of_loss(part)
    assert tape.gradient(outside, w) is None
    with tf.GradientTape() as tape:
        for part in parts:
            kept.assign_add(part_of_loss(part))
    assert tape.gradient(kept, w) is None
    assert float(kept) == pytest.approx(float(outside))
    slopes = [gradient(X[part], Y[part])[0] for part in parts]
    found = float(last_tape.gradient(within, w))
    assert found == pytest.approx(slopes[1], rel=1e-4)
    with tf.GradientTape() as tape:
        both = tf.add_n([part_of_loss(part) for part in parts])
    assert float(tape.gradient(both, w)) == pytest.approx(
        sum(slopes), rel=1e-4
    )


# A validation split


@says(
    "Our line has two weights and cannot learn {{ len(y) }} rows by "
    "heart, so it will not show you much."
)
@says("Here is a model that can go wrong: a polynomial.")
@says("A polynomial in x / 2, for x of the shape (batch, 1).")
@says("Return a prediction for each x, in the shape of x.")
def test_the_polynomial() -> None:
    assert sum(w.shape.num_elements() for w in KerasLinearModel().weights) == 2
    model = Polynomial(degree=3)
    factors = [3.0, -1.0, 2.0, 0.5]
    model.w.assign([[f] for f in factors])
    halves = np.asarray(X[:, 0]) / 2
    found = model(X)
    assert found.shape == X.shape
    expected = sum(f * halves**n for n, f in enumerate(factors))
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-5)
    left = np.polyfit(X[:, 0], Y[:, 0], 1, full=True)[1][0] / ROWS
    assert left > 1, "of a line, on all rows"
    few = np.linspace(0, ROWS - 1, 16).astype(int)
    by_heart = np.polynomial.Polynomial.fit(
        np.asarray(X)[few, 0], np.asarray(Y)[few, 0], 15
    )
    errors = by_heart(np.asarray(X)[few, 0]) - np.asarray(Y)[few, 0]
    assert np.abs(errors).max() < 1e-6


@says("The split comes after the permutation, because `x` is sorted.")
@says(
    "Split in sorted order, the rows kept back are the right end of the line."
)
@says(
    "The model never saw that end, and what you measure is how it "
    "guesses beyond its data."
)
@says("The shuffled split asks the question that you meant.")
def test_the_two_splits(orders: Names) -> None:
    assert "orders.items()" in BLOCKS["tail"].code
    assert 'orders["shuffled"]' in BLOCKS["split"].code
    beyond = {}
    for name, (x, _) in orders.items():
        train, valid = (np.ravel(part) for part in tf.split(x, [161, 40]))
        beyond[name] = np.mean(valid > train.max())
    assert beyond["sorted"] == 1
    assert beyond["shuffled"] < 0.1
    sorted_, shuffled = (
        numbers(line) for line in printed(NAME, "tail").split("\n")
    )
    assert sorted_[1] > 5 * sorted_[0]
    assert shuffled[1] < 1.2 * shuffled[0]


@says("`Adam` is an optimizer that fits the size of the step to each weight.")
def test_adam_fits_the_step_to_each_weight() -> None:
    for kind, near in ((Adam, True), (SGD, False)):
        both = [tf.Variable(0.0), tf.Variable(0.0)]
        gradients = [tf.constant(0.01), tf.constant(10.0)]
        kind(0.3).apply_gradients(zip(gradients, both, strict=True))
        small, large = (-float(v) for v in both)
        assert (small == pytest.approx(large, rel=1e-3)) is near


@says(
    "**In `fit`:** `validation_data=(valid_x, valid_y)`. The convenient "
    "`validation_split=0.2` takes the *last* fifth of the rows as they "
    "stand, before any shuffling."
)
@says("Sorted data then get the first of the two lines above.")
def test_validation_split_takes_the_last_rows() -> None:
    seen = seen_by_fit(X.numpy(), Y.numpy(), validation_split=0.2)
    trained_on = np.sort(np.concatenate(seen))
    np.testing.assert_array_equal(trained_on, X[:160, 0])
    model = Polynomial(degree=15)
    step = make_step(model, Adam(learning_rate=0.3))
    for _ in range(60):
        step(X[:160], Y[:160])
    last = float(loss(Y[160:], model(X[160:])))
    first, _ = printed(NAME, "tail").split("\n")
    assert last == pytest.approx(numbers(first)[1], rel=0.2)


@says("validation_split is only supported for tensors or NumPy arrays")
@says("A dataset has no last fifth that `fit` could take.")
@says(
    "Nor has a generator or a `PyDataset`, and a list of numbers is refused "
    "as well: make an array of it, by `np.array`."
)
@says(
    "Split a dataset yourself, as below, and hand over its parts, in batches: "
    "`fit(train.batch(32), validation_data=valid.batch(32))`."
)
@says(
    "Or call `tf.keras.utils.split_dataset(data, left_size=0.8)`, which reads "
    "all rows into memory and splits them once, in their order unless you say "
    "`shuffle=True`."
)
def test_what_validation_split_refuses() -> None:
    said = "`validation_split` is only supported for tensors or NumPy arrays"
    assert said in printed(NAME, "not_arrays")
    ten = np.arange(10, dtype="float32")[:, np.newaxis]

    class Batches(tf.keras.utils.PyDataset):
        def __len__(self) -> int:
            return 1

        def __getitem__(self, number: int) -> Any:
            return ten, ten

    model = KerasLinearModel()
    model.compile(loss="mse")
    data = tf.data.Dataset.from_tensor_slices((ten, ten))
    pairs = (pair for pair in [(ten, ten)])
    wrong: list[Any] = [(data.batch(5),), (pairs,), (Batches(),)]
    for given in [*wrong, ([1.0, 2.0], [1.0, 2.0])]:
        with pytest.raises(ValueError, match=said):
            model.fit(*given, validation_split=0.5, verbose=0)
    whole = np.array([1.0, 2.0])[:, np.newaxis]
    assert (
        "val_loss"
        in model.fit(whole, whole, validation_split=0.5, verbose=0).history
    )
    asked = []

    def rows() -> Iterator[np.ndarray]:
        for row in ten:
            asked.append(row)
            yield row

    spec = tf.TensorSpec((1,))
    drawn = tf.data.Dataset.from_generator(rows, output_signature=spec)
    drawn = drawn.apply(tf.data.experimental.assert_cardinality(10))
    for options, sorted_rows in (({}, True), ({"shuffle": True}, False)):
        parts = tf.keras.utils.split_dataset(
            drawn, left_size=0.8, seed=0, **options
        )
        read_once = len(asked)
        walks = [
            [[int(row[0]) for row in part] for part in parts] for _ in range(2)
        ]
        assert len(asked) == read_once
        assert walks[0] == walks[1]
        train, valid = walks[0]
        assert (len(train), len(valid)) == (8, 2)
        assert sorted(train + valid) == [*range(10)]
        assert (train + valid == [*range(10)]) == sorted_rows
    history = model.fit(
        data.take(8).batch(4),
        validation_data=data.skip(8).batch(2),
        shuffle=False,
        verbose=0,
    ).history
    assert "val_loss" in history


@says("Predictions in another order than the labels")
@says("It is the model of above, whose loss was {{ val_loss:.2f }}.")
@says(
    "`predict` walked through the dataset, and for the list of labels it was "
    "walked through again, in another order, so most predictions were "
    "compared with labels of other rows. A confusion matrix made like this "
    "shows nothing, while `evaluate` is right."
)
@says("Take both in one walk, or do not shuffle what you only measure with.")
def test_labels_in_the_order_of_the_predictions() -> None:
    sections = "predicted_apart", "predicted_together", "validate_batches"
    apart, beside, as_one = (
        numbers(printed(NAME, section))[0] for section in sections
    )
    assert apart > 10 * beside
    assert beside == pytest.approx(as_one, abs=1e-3)
    model = KerasLinearModel()
    model.compile(loss="mse")
    few_x, few_y = X[:200:10], Y[:200:10]
    names = {"valid_rows": tf.data.Dataset.from_tensor_slices((few_x, few_y))}
    left = ran(NAME, "predicted_apart", model=model, loss=loss, **names)
    mixed, wrong = left["mixed"], left["labels"]
    predictions = tf.constant(left["predictions"])
    right = float(loss(few_y, model(few_x)))
    assert model.evaluate(mixed, verbose=0) == pytest.approx(right, rel=1e-5)
    assert float(loss(wrong, predictions)) > 2 * right
    # The line has another prediction for each x, so these tell the rows.
    own = predictions[:, 0] / model.w
    other = [int(np.abs(few_x[:, 0] - x).argmin()) for x in own]
    truly = tf.gather(few_y, other)
    assert np.mean(truly == wrong) < 0.5
    assert float(loss(truly, predictions)) == pytest.approx(right, rel=1e-5)
    names = {"mixed": mixed, "model": model, "loss": loss}
    left = ran(NAME, "predicted_together", **names)
    together = float(loss(left["labels"], left["predictions"]))
    assert together == pytest.approx(right, rel=1e-5)
    plain = tf.data.Dataset.from_tensor_slices((few_x, few_y)).batch(8)
    labels = tf.concat([y for _, y in plain], axis=0)
    found = float(loss(labels, model.predict(plain, verbose=0)))
    assert found == pytest.approx(right, rel=1e-5)


@says("Return the rows on which an epoch trains and then validates.")
@says(
    "`shuffle` draws a new order whenever the dataset is walked through, and "
    "so `take` and `skip` cut another order each time. In every epoch the "
    "model is validated with rows that it was trained on, and no message says "
    "so."
)
@says("Shuffle once before the split, and what is trained on again behind it.")
def test_take_and_skip_of_what_is_shuffled_anew() -> None:
    anew, once = printed(NAME, "split_anew"), printed(NAME, "split_once")
    assert once == "in both: [[], [], []]"
    [found] = [ast.literal_eval(anew.partition(": ")[2])]
    assert len(found) == 3
    assert all(found)
    both: Any = []
    for again in (True, False):
        rows = tf.data.Dataset.range(100).shuffle(
            100, seed=1, reshuffle_each_iteration=again
        )
        orders = [[int(row) for row in rows] for _ in range(2)]
        assert (orders[0] != orders[1]) is again
        valid, train = rows.take(30), rows.skip(30).shuffle(70, seed=1)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            both.append([len(in_both(train, valid)) for _ in range(3)])
        walks = [[int(row) for row in train] for _ in range(2)]
        assert walks[0] != walks[1]
    assert min(both[0]) > 0
    assert both[1] == [0, 0, 0]


@says(
    "The other {{ len(x) - 40 }} stand for the future: they will "
    "*test* the model, and decide nothing."
)
@says("Sixteen weights and twenty noisy rows: let it train for 100 epochs.")
@says(
    "Suppose you have only twenty rows to learn from and twenty to "
    "validate with."
)
def test_the_three_sets(split: Names) -> None:
    sizes = [len(split[f"{n}_x"]) for n in ("train", "valid", "test")]
    assert sizes == [20, 20, 161]
    assert record(NAME)["len(x) - 40"] == "161"
    rows = [split[f"{n}_x"] for n in ("train", "valid", "test")]
    np.testing.assert_array_equal(
        np.sort(np.ravel(np.concatenate(rows))), X[:, 0]
    )
    uses = [
        line.strip()
        for block in PAGE.blocks[[*BLOCKS].index("split") + 1 :]
        for line in block.code.split("\n")
        if "test_" in line
    ]
    assert len(uses) == 3
    assert all(use.startswith("print(") for use in uses)
    assert Polynomial(degree=15).w.shape.num_elements() == 16
    assert "range(1, 101)" in BLOCKS["overfit"].code


@says("The highlighted line is the validation.")
@says(
    "It needs no tape, tells layers that this is not training, and "
    "takes its few rows as one batch."
)
def test_the_line_of_the_validation(split: Names) -> None:
    [line] = highlighted(BLOCKS["overfit"])
    assert line == (
        "val_loss = float(loss(valid_y, model(valid_x, training=False)))"
    )
    told: list[Any] = []

    def model(x: tf.Tensor, training: bool) -> tf.Tensor:
        told.append((len(x), training))
        return x

    names = {"model": model, "loss": loss, "tape": None}
    names |= {n: split[n] for n in ("valid_x", "valid_y")}
    exec(line, names)
    assert told == [(20, False)]


@says("From line to line the training loss falls.")
@says(
    "The validation loss falls, turns, and rises to {{ val_loss:.2f "
    "}}: the model begins to learn the noise of its rows."
)
@says("That is *overfitting*, and only rows kept back can show it.")
def test_the_polynomial_over_fits() -> None:
    lines = [numbers(t) for t in printed(NAME, "overfit").split("\n")]
    epochs, training, validation = np.array(lines).T
    assert np.all(np.diff(training) < 0)
    turn = int(np.argmin(validation))
    assert 0 < turn < len(epochs) - 1
    assert np.all(np.diff(validation[: turn + 1]) < 0)
    assert np.all(np.diff(validation[turn:]) > 0)
    assert record(NAME)["val_loss:.2f"] == f"{validation[-1]:.2f}"
    assert training[-1] < 1.0 < validation[-1], "below the noise of its rows"


@says(
    "Rows that are too many for one batch go through the model in "
    "several, and a metric sums them up, as in training."
)
@says("Return the metric over all rows of the batches; train on none.")
@says("Cut the twenty rows into batches of eight. The last one then has four.")
@says(
    "The metric gives the loss over all rows. The plain mean of the "
    "three losses counts the four rows of the last batch as much as "
    "eight others."
)
def test_validation_in_batches(split: Names) -> None:
    model, metric = KerasLinearModel(), MSE()
    metric.update_state([[9.0]], [[0.0]])
    x, y = split["valid_x"], split["valid_y"]
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(8)
    assert [len(rows) for rows, _ in batches] == [8, 8, 4]
    whole = float(loss(y, 5 * x))
    for _ in range(2):
        found = validate(model, batches, metric)
        assert found == pytest.approx(whole, rel=1e-5)
    assert weights(model) == [5.0, 0.0]
    kept = validate(Dropping(), batches, metric)
    assert kept == pytest.approx(float(loss(y, x)), rel=1e-5), "no dropout"
    losses = [float(loss(b, 5 * a)) for a, b in batches]
    assert abs(np.mean(losses) - whole) > 0.1
    weighted = (8 * losses[0] + 8 * losses[1] + 4 * losses[2]) / 20
    assert weighted == pytest.approx(whole, rel=1e-5)
    one, by_metric, by_mean = (
        numbers(t)[-1] for t in printed(NAME, "validate_batches").split("\n")
    )
    assert one == by_metric
    assert abs(by_mean - one) > 0.1


@says(
    "**In `fit`:** it validates in batches, too, and "
    "`validation_batch_size` says how large they are."
)
def test_fit_validates_in_batches() -> None:
    sizes: list[int] = []

    class Watching(KerasLinearModel):
        def test_step(self, data: Any) -> Any:
            sizes.append(len(data[0]))
            return super().test_step(data)

    model = Watching()
    model.compile(SGD(0.1), loss="mse", run_eagerly=True)
    options = {"validation_data": (X[:20], Y[:20]), "verbose": 0}
    model.fit(X, Y, batch_size=ROWS, validation_batch_size=8, **options)
    assert sizes == [8, 8, 4]


# Early stopping


@says(
    "The fourth line is for losses that are `nan` from the start. None is "
    "lower than any other, and there would be no `best_weights` to go back to."
)
def test_losses_that_are_nan_from_the_start() -> None:
    code = BLOCKS["early_stopping"].code
    lines = code.split("\n")
    assert lines[3] in BLOCKS["together"].code.split("\n")
    model = Polynomial(degree=15)
    names: Names = {**vars(usual_parts), "metric": MSE()}
    names |= {"batches": make_batches(X[:20], Y[:20], 20)}
    names |= {"valid_x": X[:20], "valid_y": Y[:20] * float("nan")}
    left = dict(names)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        exec(code, left)
    assert said.getvalue().startswith("stopped after epoch 20, kept epoch 0")
    for ours, new in zip(
        left["model"].get_weights(), model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, new)
    with pytest.raises(NameError, match="best_weights"):
        exec("\n".join(lines[:3] + lines[4:]), dict(names))


@says("It takes eight lines.")
@says("early stopping | eight lines | a callback")
@says("The same epochs and the same loss as with the eight lines.")
def test_eight_lines_and_the_callback() -> None:
    lines = highlighted(BLOCKS["early_stopping"])
    assert len(lines) == 8
    code = BLOCKS["early_stopping"].code.split("\n")
    plain = [line.strip() for line in code if line.strip() not in lines]
    assert not any(
        re.search("best|patience|break", line) for line in plain[:-2]
    )
    assert printed(NAME, "early_stopping") == printed(NAME, "callback_loop")
    assert issubclass(
        tf.keras.callbacks.EarlyStopping, tf.keras.callbacks.Callback
    )


@says("`get_weights` copies the values.")
@says(
    "A list of `model.weights` would hold the variables themselves, "
    "which go on changing."
)
@says(
    "A `tf.Module` has no `get_weights`: keep `[v.numpy() for v in "
    "model.variables]` instead, and `assign` each value to its "
    "variable when you go back."
)
def test_copies_of_the_weights() -> None:
    model = Polynomial(3)
    step = make_step(model, SGD(0.1))
    step(X, Y)
    copied, held = model.get_weights(), [*model.weights]
    before = np.array(copied[0])
    step(X, Y)
    np.testing.assert_array_equal(copied[0], before)
    assert held[0] is model.w
    assert not np.allclose(held[0], before)
    model.set_weights(copied)
    np.testing.assert_array_equal(model.w, before)

    module = LinearModel()
    assert not hasattr(module, "get_weights")
    kept = [v.numpy() for v in module.variables]
    optimizer = SGD(0.1)
    optimizer.build(module.trainable_variables)

    @tf.function
    def update() -> None:
        with tf.GradientTape() as tape:
            current_loss = loss(Y, module(X))
        variables = module.trainable_variables
        gradients = tape.gradient(current_loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))

    update()
    assert float(module.w) != 5.0
    for variable, value in zip(module.variables, kept, strict=True):
        variable.assign(value)
    assert (float(module.w), float(module.b)) == (5.0, 0.0)


# Callbacks


def epochs_with(callback: Any, count: int = 3, **attributes: Any) -> Any:
    """Call a callback as the page's loop does; return its model."""
    model = KerasLinearModel()
    optimizer = SGD(0.1, use_ema=True)
    optimizer.build(model.trainable_variables)
    model(X)
    for name, value in attributes.items():
        setattr(model, name, optimizer if value is None else value)
    callbacks = tf.keras.callbacks.CallbackList(
        [callback], model=model, epochs=count
    )
    callbacks.on_train_begin()
    for epoch in range(count):
        callbacks.on_epoch_begin(epoch)
        callbacks.on_epoch_end(epoch, {"loss": 1.0, "val_loss": 1.0})
    callbacks.on_train_end()
    return model


@says(
    "Keras' callbacks work in your loop, if you call them when `fit` "
    "would and give the model what they look for."
)
@says("Nor does such a model have an `optimizer`.")
@says(
    "Callbacks that change the learning rate, `LearningRateScheduler` "
    "and `ReduceLROnPlateau`, raise an `AttributeError` unless you set "
    "`model.optimizer = optimizer`."
)
def test_what_callbacks_look_for() -> None:
    kinds = tf.keras.callbacks
    content: list[Any] = [
        kinds.BackupAndRestore("backup"),
        kinds.CSVLogger("log.csv"),
        kinds.EarlyStopping("val_loss", patience=9, restore_best_weights=True),
        kinds.History(),
        kinds.LambdaCallback(),
        kinds.ModelCheckpoint("model.weights.h5", save_weights_only=True),
        kinds.TerminateOnNaN(),
    ]
    for callback in content:
        epochs_with(callback)
    assert not hasattr(KerasLinearModel(), "optimizer")
    asking: list[Any] = [
        lambda: kinds.LearningRateScheduler(lambda epoch, rate: rate / 2),
        lambda: kinds.ReduceLROnPlateau(factor=0.5, patience=1),
        lambda: kinds.SwapEMAWeights(swap_on_epoch=True),
    ]
    for make in asking:
        with pytest.raises(AttributeError, match="'optimizer'"):
            epochs_with(make())
        model = epochs_with(make(), optimizer=None)
        rate = float(model.optimizer.learning_rate)
        assert (rate < 0.1) is (make is not asking[2])


@says(
    "And that rate has to be a number: of a "
    "[schedule](#a-learning-rate-schedule) they say that the `learning rate "
    "is not settable`."
)
def test_callbacks_that_set_a_rate_want_a_number(cosine: Any) -> None:
    kinds = tf.keras.callbacks
    for callback in (
        kinds.LearningRateScheduler(lambda epoch, rate: 0.1),
        kinds.ReduceLROnPlateau(factor=0.5, patience=1),
    ):
        with pytest.raises(TypeError, match="learning rate is not settable"):
            epochs_with(callback, optimizer=SGD(cosine))


@says("A `CallbackList` passes each call on to all of its callbacks.")
@says("Callbacks count epochs from 0, hence the two `+ 1`.")
@says(
    "One that acts on batches also needs `on_train_batch_begin` and "
    "`on_train_batch_end` around each step."
)
@says("**In `fit`:** `fit(callbacks=[…])`.")
def test_the_calls_of_callbacks() -> None:
    calls: dict[str, list[str]] = {"first": [], "second": []}

    class Noting(tf.keras.callbacks.Callback):
        def __init__(self, name: str) -> None:
            super().__init__()
            for moment in ("train", "epoch", "train_batch"):
                for end in ("begin", "end"):
                    self.note(name, f"on_{moment}_{end}")

        def note(self, name: str, method: str) -> None:
            def call(*values: Any, **_: Any) -> None:
                number = [str(v) for v in values if isinstance(v, int)]
                calls[name].append(" ".join([method, *number]))

            setattr(self, method, call)

    both = [Noting("first"), Noting("second")]
    code = "\n".join(BLOCKS[n].code for n in ("callbacks", "callback_loop"))
    used = set(re.findall(r"callbacks\.(on_\w+)", code))
    listed = tf.keras.callbacks.CallbackList(
        both, model=KerasLinearModel(), epochs=1
    )
    listed.on_epoch_begin(7)
    assert calls == {
        "first": ["on_epoch_begin 7"],
        "second": ["on_epoch_begin 7"],
    }
    calls["first"].clear()
    model = KerasLinearModel()
    model.compile(SGD(0.1), loss="mse", run_eagerly=True)
    model.fit(X, Y, batch_size=ROWS, epochs=2, callbacks=both[:1], verbose=0)
    epochs = [c for c in calls["first"] if c.startswith("on_epoch")]
    assert epochs == [
        f"on_epoch_{e} {n}" for n in (0, 1) for e in ("begin", "end")
    ]
    by_fit = {call.split()[0] for call in calls["first"]}
    assert by_fit - used == {"on_train_batch_begin", "on_train_batch_end"}
    assert used <= by_fit
    plus_one = re.findall(r"(\w+(?:\.\w+)?) \+ 1", code)
    assert plus_one == ["stopping.best_epoch", "epoch"]


@says(
    "`compile` sets `stop_training`, and so does `fit`; a model that "
    "has met neither does not have it, and the loop below asks for it."
)
def test_who_sets_stop_training() -> None:
    model = KerasLinearModel()
    assert not hasattr(model, "stop_training")
    model.compile(SGD(0.1), loss="mse", run_eagerly=True)
    assert model.stop_training is False
    model.stop_training = True
    model.fit(X, Y, batch_size=ROWS, verbose=0)
    assert model.stop_training is False
    last = BLOCKS["callbacks"].code.rstrip().split("\n")[-1]
    assert last == "model.stop_training = False"
    assert "if model.stop_training:" in BLOCKS["callback_loop"].code


# All parts together


@says("Two batches of ten make one update, and `decay_steps` counts batches.")
@says("What remains is the loop.")
def test_decay_steps_counts_batches(together: Names) -> None:
    optimizer = together["optimizer"]
    steps = 2 * together["epoch"]
    assert len(together["batches"]) == 2
    assert [len(x) for x, _ in together["batches"]] == [10, 10]
    assert int(optimizer.iterations) == steps / 2
    rate = together["learning_rate"]
    assert float(optimizer.learning_rate) == pytest.approx(float(rate(steps)))
    assert float(rate(steps)) < 0.9 * float(rate(steps / 2))
    assert "decay_steps=epochs * len(batches)" in BLOCKS["parts"].code


@says("Going back paid: the loss on the test rows is lower than at the stop.")
@says(
    "Training stopped after epoch {{ epoch }} and went back to epoch "
    "{{ best_epoch }}."
)
@says(
    "The validation loss of that epoch, {{ best_loss:.2f }}, promised "
    "more than the test rows keep."
)
@says(
    "Nor does early stopping make a good model of a bad one: the best "
    "line through all the data had a loss of {{ least:.2f }}."
)
@says(
    "Training and validation loss over 64 epochs on a logarithmic "
    "axis: both fall in waves, the validation loss is lowest at epoch "
    "44 and higher in all epochs from there to the cross at epoch 64, "
    "where training stopped, while the training loss keeps falling"
)
def test_the_end_of_the_loop(together: Names) -> None:
    val_losses = together["history"]["val_loss"]
    training = together["history"]["loss"]
    stop, best_epoch = together["epoch"], together["best_epoch"]
    kept = record(NAME)
    assert (kept["epoch"], kept["best_epoch"]) == (str(stop), str(best_epoch))
    assert (stop, best_epoch) == (64, 44) == (len(val_losses), stop - 20)
    assert min(val_losses) == val_losses[best_epoch - 1]
    for losses in (training, val_losses):
        signs = np.sign(np.diff(losses))
        assert np.count_nonzero(np.diff(signs)) >= 2, "waves"
        assert losses[43] < 0.2 * losses[0]
    assert np.all(np.diff(training[43:]) < 0)
    at_the_stop, restored = (
        numbers(line)[-1] for line in printed(NAME, "together").split("\n")
    )
    best_loss, least = float(kept["best_loss:.2f"]), float(kept["least:.2f"])
    assert best_loss < restored < at_the_stop
    assert least < 0.7 * restored
    now = loss(together["test_y"], together["model"](together["test_x"]))
    assert float(now) == pytest.approx(restored, abs=1e-3)
    [axes] = figure(NAME, "plot_together")
    assert axes.points["stopped"] == (
        [64.0],
        [axes.points["validation"].y[-1]],
    )
    assert "'loss', log" in axes.text


@says(
    "Twenty rows are few, and these twenty chose the epoch, so the model "
    "suits them better than others."
)
@says("That is why you test with rows that chose nothing.")
def test_the_rows_that_chose_promise_too_much(together: Names) -> None:
    """Of many sets of twenty, the one that chose is among the kindest."""
    model = together["model"]
    x, y = together["test_x"], together["test_y"]
    draw = np.random.default_rng(0)
    others = []
    for _ in range(200):
        rows = draw.choice(len(x), 20, replace=False)
        others.append(
            float(loss(tf.gather(y, rows), model(tf.gather(x, rows))))
        )
    chose = float(loss(together["valid_y"], model(together["valid_x"])))
    assert chose == pytest.approx(together["best_loss"], rel=1e-4)
    assert np.mean(np.array(others) < chose) < 0.1


@says("optimizer | `apply_gradients` | `optimizer` of `compile`")
@says("compiled step | `tf.function` | the default")
@says("mini-batches | `shuffle`, `batch` | the default for arrays")
@says("metrics | update, result, reset | `metrics` of `compile`")
@says("validation | split, then the loss | `validation_data` of `fit`")
@says("callbacks | `CallbackList` | `callbacks` of `fit`")
def test_the_table_names_what_there_is() -> None:
    arguments = {
        name: inspect.signature(getattr(tf.keras.Model, name)).parameters
        for name in ("compile", "fit")
    }
    row = re.compile(r"(?m)^\| .* \| (.*) \| (.*) \|$")
    code = "\n".join(block.code for block in PAGE.blocks)
    for loop, fit in row.findall(PARTS["All parts together"]):
        for name in re.findall(r"`(.*?)`", loop):
            assert re.search(rf"\b{name}\(", code)
        for name, method in re.findall(r"`(\w+)` of `(\w+)`", fit):
            assert name in arguments[method]
    # Two defaults of `fit` have tests of their own, above.
    assert arguments["compile"]["run_eagerly"].default is False
    assert arguments["fit"]["shuffle"].default is True
    for verb in ("update_state", "result", "reset_state"):
        assert f"metric.{verb}(" in "\n".join(body("train_epoch"))
    assert "tf.split(" in BLOCKS["split"].code


@says("schedule | in the optimizer | in the optimizer")
@says("clipping | in the optimizer | in the optimizer")
@says("accumulation | in the optimizer | in the optimizer")
def test_three_parts_are_in_the_optimizer() -> None:
    for name in ("parts", "compile"):
        code = BLOCKS[name].code
        inside = code[code.index("optimizers.Adam(") :]
        for part in ("learning_rate", "clipnorm", "accumulation_steps"):
            assert part in inside


# Exercises


@says('You need not train again: `history["val_loss"]` knows.')
@says("Return after which epoch to stop and which to keep, both from 1.")
@says(
    "After epoch {{ stop_epoch(val_losses, 2)[1] }} the validation "
    "loss rises, and {{ [v < val_losses[10] for v in val_losses[11:]"
    "].index(True) + 1 }} epochs pass until it is lower than there."
)
@says("A patience of fewer epochs mistakes the wave for the end.")
def test_patience(together: Names) -> None:
    losses = together["history"]["val_loss"]
    ended = together["epoch"], together["best_epoch"]
    assert stop_epoch(losses, 20) == ended
    assert stop_epoch([3.0, 2.0, 1.0], 1) == (3, 3)
    assert stop_epoch([1.0, 2.0, 3.0, 0.0], 2) == (3, 1)
    wave = int(record(NAME)["stop_epoch(val_losses, 2)[1]"])
    [pause] = [
        int(text)
        for name, text in record(NAME).items()
        if name.startswith("[v < val_losses[10]")
    ]
    assert (wave, pause) == (11, 7)
    assert losses[wave] > losses[wave - 1]
    for patience in range(1, 21):
        kept = stop_epoch(losses, patience)[1]
        assert kept == (wave if patience < pause else ended[1])


@says(
    "Two batches of ten make one update, by the mean gradient of all "
    "twenty rows, so their order does not matter."
)
@says(
    "With more updates in an epoch it would, and `fit` need not draw "
    "the orders that your loop draws."
)
def test_when_the_order_matters(split: Names) -> None:
    x, y = split["train_x"], split["train_y"]
    ends: dict[int, list[float]] = {1: [], 2: []}
    for accumulated, rows in itertools.product((2, 1), (1, -1)):
        options = (
            {"gradient_accumulation_steps": 2} if accumulated == 2 else {}
        )
        model = KerasLinearModel()
        step = make_step(model, SGD(0.1, **options))
        for part in (slice(0, 10), slice(10, 20)):
            step(x[::rows][part], y[::rows][part])
        ends[accumulated].append(weights(model)[0])
    assert abs(ends[2][0] - ends[2][1]) < 1e-5
    assert abs(ends[1][0] - ends[1][1]) > 1e-3
    batches = make_batches(x, y, batch=10)
    loop = [epoch_of(batches) for _ in range(3)]
    seen = seen_by_fit(make_batches(x, y, batch=10), epochs=3, shuffle=False)
    fit = np.split(np.concatenate(seen), 3)
    assert not np.array_equal(loop, fit)
    assert "patience" in printed(NAME, "patience")
    assert re.search(
        r"stopped after epoch (\d+), the loop after \1\n", printed(NAME, "fit")
    )


@says(
    "A learning-rate schedule counts the batches, so give it its "
    "`decay_steps` in batches; `optimizer.iterations` counts the updates."
)
def test_what_a_schedule_counts_that_accumulates() -> None:
    class Counted(tf.keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step: Any) -> Any:
            return tf.cast(step, tf.float32) + 1.0

    for kind in (tf.keras.optimizers.SGD, tf.keras.optimizers.RMSprop):
        w = tf.keras.Variable(0.0)
        optimizer = kind(Counted(), gradient_accumulation_steps=3)
        steps = []
        for _ in range(9):
            before = float(w)
            optimizer.apply_gradients([(tf.constant(1.0), w)])
            steps.append(before - float(w))
        assert int(optimizer.iterations) == 3
        assert [step > 0 for step in steps] == [False, False, True] * 3
        if kind is tf.keras.optimizers.SGD:
            assert steps[2::3] == [3, 6, 9]
