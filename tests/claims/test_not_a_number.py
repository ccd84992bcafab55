"""What the page on a loss that is not a number says is true."""

import ast
import inspect
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from keras.callbacks import CallbackList

from snippets import nan_checks
from snippets.data import make_data
from snippets.keras_model import KerasLinearModel
from snippets.loss import loss
from snippets.nan_checks import (
    by_hand,
    check_finite,
    check_skips,
    from_logits,
    train_patiently,
)
from snippets.nan_find import checked
from snippets.nan_sources import (
    log_or_zero,
    safe_log,
    safe_norm,
    train_short,
    value_and_slope,
)
from snippets.nan_steps import callback_epoch, train_finite, train_zeroed
from snippets.nan_train import train, train_epoch
from tests.claims.says import figure, printed, ran, record, says
from tests.claims.sentences import DOCS, read, sections

NAME = "not_a_number"
PAGE = read(NAME)
BLOCKS = {block.name: block for block in PAGE.blocks}
SOURCE = (DOCS / f"{NAME}.md").read_text("utf-8")
NAN, INF = math.nan, math.inf
X, Y = make_data()
Y_READ = Y + tf.one_hot(102, len(Y), on_value=NAN)
BATCHES = [(X[start::4], Y_READ[start::4]) for start in range(4)]
GOOD, BAD = BATCHES[0], BATCHES[2]
Refused = tf.errors.InvalidArgumentError
SGD, Adam = tf.keras.optimizers.SGD, tf.keras.optimizers.Adam
Line = KerasLinearModel
Names = dict[str, Any]


@pytest.fixture(autouse=True)
def no_checks_left() -> Iterator[None]:
    yield
    tf.debugging.disable_check_numerics()


@pytest.fixture(scope="module")
def too_fast() -> Names:
    return ran("nan_sources", "too_fast", x=X, y=Y)


@pytest.fixture(scope="module")
def skipped() -> Names:
    return ran("nan_steps", "skip", batches=BATCHES)


def weights(model: Any) -> list[float]:
    return [float(model.w), float(model.b)]


def slope(function: Callable[[Any], Any], at: Any, **options: Any) -> Any:
    """Return the gradient; options are those of `tf.function`."""
    variable = tf.Variable(at)

    def gradient() -> Any:
        with tf.GradientTape() as tape:
            value = function(variable)
        return tape.gradient(value, variable)

    return (
        tf.function(gradient, **options) if options else gradient
    )().numpy()


def told(section: str) -> dict[str, list[float]]:
    """Return the numbers of each line, by what stands before the colon."""
    lines = [
        line.partition(":") for line in printed(NAME, section).split("\n")
    ]
    return {
        name: [float(n) for n in re.findall(r"-?\d+\.\d+|nan|inf", rest)]
        for name, _, rest in lines
    }


# The page and its table


@says("All blocks above, in order, as one file.")
@says("It needs TensorFlow and Matplotlib.")
@says("The imports.")
@says("`Model`, `Optimizer` and `Callable` serve as types.")
def test_all_blocks_ran_with_what_the_page_names() -> None:
    blocks = [name.rpartition(":")[2] for name in record(NAME)]
    assert [n for n in blocks if n in BLOCKS] == [b.name for b in PAGE.blocks]
    assert ["import " in b.code for b in PAGE.blocks].count(True) == 1
    imported = re.findall(r"(?:from|import) ([a-z]+)", PAGE.blocks[0].code)
    others = {"math", "collections", "keras"}  # Keras is TensorFlow's
    assert {*imported} - others == {"matplotlib", "tensorflow"}
    for block in PAGE.blocks[1:]:
        tree, types = ast.parse(block.code), set()
        for node in ast.walk(tree):
            if isinstance(node, ast.arg) and node.annotation:
                types |= {id(part) for part in ast.walk(node.annotation)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id in (
                "Model",
                "Optimizer",
                "Callable",
            ):
                assert id(node) in types


@says("The loss is NaN from some batch on, and stays so | … data)")
@says("The loss turns NaN with the last batch | … rows)")
@says("The loss grows, is `inf`, then NaN | … large)")
@says("The loss is NaN after the first epoch or step | … nan)")
@says("NaN in spite of `tf.where` | … gradient)")
@says("NaN only with `float16` or `mixed_float16` | … precision)")
@says("The loss of a classifier is `inf` or NaN | … exercises)")
@says("NaN on a GPU or by XLA, an error on a CPU | … 3)")
@says("`InvalidArgumentError: … Tensor had NaN values` | … operation)")
@says(
    "`Detected Infinity or NaN in output 0 of …` | "
    "[enable_check_numerics](#enable_check_numerics)"
)
@says("NaN again after the weights were restored | … optimizer)")
@says("`Batch 2: Invalid loss, terminating training` | … own)")
@says("NaN in spite of `clipnorm` | … nan)")
def test_each_row_leads_to_a_section_that_shows_it() -> None:
    rows = re.findall(r"(?m)^\| (.+) \| \[.+\]\(#(.+)\) \|$", SOURCE)
    parts = sections(NAME)
    parts["find-the-operation"] += parts["tensor-had-nan-values"]
    shows = {
        "missing": "losses: nan nan nan nan",
        "empty": "mean of nothing: nan",
        "too_fast": "inf from step",
        "length": "epoch 2: loss nan",
        "where": "nan",
        "half": "becomes inf",
        "cross_entropies": "by_hand: inf, gradient [nan nan]",
        "check": "Tensor had NaN values",
        "enable": "Detected Infinity or NaN in output 0 of ",
        "restored": "later: w nan",
        "terminate": "Batch 2: Invalid loss, terminating training",
        "clip_model": "clipnorm        w nan",
    }
    assert len(rows) == len(shows)
    elsewhere = re.findall(
        r"(?m)^\| .+\]\(errors_in_a_step.md#(.+)\) \|$", SOURCE
    )
    errors = (DOCS / "errors_in_a_step.md").read_text("utf-8")
    [label] = [a for a in sections("errors_in_a_step") if "valid-range" in a]
    assert elsewhere == [label]
    assert "Compiled by XLA the loss is NaN" in " ".join(errors.split())
    for (_, place), (block, text) in zip(rows, shows.items(), strict=True):
        assert f':{block}"' in parts[place]
        assert text in printed(NAME, block)


@says("Data, model and loss are those of the guide.")
@says("With good data they train as they should.")
@says("Update every variable once; return the loss before that.")
@says("Train with four batches of every fourth row; return their losses.")
@says("A step that looks at nothing, and an epoch of four steps.")
def test_a_step_and_an_epoch() -> None:
    assert BLOCKS["model"].code.count("class KerasLinearModel") == 1
    guide = {
        block.name: block for block in read("basic_training_loops").blocks
    }
    for name in ("make_data", "loss", "model"):
        assert BLOCKS[name].options["fold"].endswith("as in the guide")
    assert BLOCKS["make_data"].code in guide["make_data"].code
    assert BLOCKS["loss"].code == guide["loss"].code
    assert "is_finite" not in BLOCKS["train"].code
    models = [Line(), Line()]
    optimizers = [SGD(0.03), SGD(0.03)]
    before = float(loss(Y, models[0](X)))
    assert float(train(models[0], optimizers[0], X, Y)) == before
    assert int(optimizers[0].iterations) == 1
    assert all(a != b for a, b in zip(weights(models[0]), [5, 0], strict=True))
    losses = train_epoch(models[1], optimizers[1], X, Y)
    assert len(losses) == int(optimizers[1].iterations) == 4
    again = Line()
    assert losses[0] == float(loss(Y[::4], again(X[::4])))
    epochs = [*told("data").values()]
    assert [sum(e) for e in epochs] == sorted(map(sum, epochs))[::-1]
    assert epochs[0] == pytest.approx(losses, abs=0.01)


# Where they come from


@says("In Python `1.0 / 0.0` and `math.sqrt(-1.0)` raise an error.")
@says("In TensorFlow they have a value, and so have their gradients.")
@says("Return a function's value and its gradient at a number.")
def test_python_raises_and_tensorflow_does_not() -> None:
    with pytest.raises(ZeroDivisionError):
        1.0 / 0.0  # noqa: B018
    with pytest.raises(ValueError, match=r"math domain|nonnegative"):
        math.sqrt(-1.0)
    assert value_and_slope(tf.math.reciprocal, 0.0) == (INF, -INF)
    assert np.isnan(value_and_slope(tf.sqrt, -1.0)).all()
    assert value_and_slope(tf.square, 3.0) == (9.0, 6.0)


@says(
    "The square root of 0 is a good number with an infinite gradient, and "
    "the length of 0, `tf.norm`, one with the gradient NaN."
)
@says("The logarithm of -1 is NaN, and its gradient is a good number.")
@says("So neither the loss nor the gradient alone tells you that all is well.")
@says("Look at three of the rows.")
def test_three_rows() -> None:
    assert value_and_slope(tf.sqrt, 0.0) == (0.0, INF)
    length, its_slope = value_and_slope(tf.norm, 0.0)
    assert length == 0.0
    assert math.isnan(its_slope)
    log, its_slope = value_and_slope(tf.math.log, -1.0)
    assert math.isnan(log)
    assert its_slope == -1.0
    for row in ("sqrt(0)", "norm(0)", "log(-1)"):
        assert f"\n{row}" in f"\n{printed(NAME, 'sources')}"


@says("Loss is NaN: a NaN in the data")
@says("The log says `loss: nan`, and every line after it says so too.")
@says("Here one output is missing.")
@says("It is one row of {{ len(y_read) }}.")
@says(
    "The third batch holds it, and from there on everything is NaN, also in "
    "the batches that are whole, and in all epochs to come: the weights are "
    "NaN."
)
@says("No later step can mend them.")
def test_one_missing_value_spoils_all_that_follows() -> None:
    holds = [bool(np.isnan(y).any()) for _, y in BATCHES]
    assert holds == [False, False, True, False]
    assert int(np.isnan(Y_READ).sum()) == 1
    assert record(NAME)["len(y_read)"] == str(len(Y_READ)) == "201"
    model, optimizer = Line(), SGD(0.03)
    losses = train_epoch(model, optimizer, X, Y_READ)
    assert np.isnan(losses).tolist() == [False, False, True, True]
    assert np.isnan(weights(model)).all()
    assert np.isnan(train_epoch(model, optimizer, X, Y)).all()
    assert np.isnan(weights(model)).all()


@says("Missing values are often read from a file as NaN.")
def test_a_gap_in_a_file_is_read_as_nan() -> None:
    told = np.genfromtxt(["1.5,2.5", "3.5,", "NA,4.5"], delimiter=",")
    assert np.isnan(told).tolist() == [
        [False] * 2,
        [False, True],
        [True, False],
    ]


@says("Find the rows, leave them out, and check the data before you train.")
@says(
    "Do the same with the inputs. What has several columns needs one answer "
    "for a row, `tf.reduce_all(tf.math.is_finite(x), axis=1)`, or `x[known]` "
    "loses its shape."
)
def test_the_row_is_found_left_out_and_checked() -> None:
    assert "rows without a number: [102]" in printed(NAME, "complete")
    assert "nan" not in printed(NAME, "complete")
    with pytest.raises(Refused, match="missing values"):
        tf.debugging.assert_all_finite(Y_READ, "y has missing values")
    for width in (1, 3):
        table = tf.stack([Y_READ, *[Y] * (width - 1)], axis=1)
        each = tf.math.is_finite(table)
        assert table[each].shape == (201 * width - 1,)
        known = tf.reduce_all(each, axis=1)
        assert table[known].shape == (200, width)
        assert np.isfinite(table[known]).all()


@says("A mean of nothing is a NaN too, `0 / 0`.")
@says(
    "A last batch can come to that when rows are filtered out, or when a "
    "mask leaves none."
)
@says("`tf.math.divide_no_nan` makes 0 of it, and its gradient is 0 as well.")
def test_a_mean_of_nothing() -> None:
    rows = tf.constant([1.0, 2.0, NAN])
    for last in (rows[2:][tf.math.is_finite(rows[2:])], tf.zeros(0)):
        assert math.isnan(tf.reduce_mean(last))
    none = tf.boolean_mask(rows, [False] * 3)
    assert math.isnan(tf.reduce_mean(none))
    assert math.isnan(tf.constant(0.0) / 0.0)
    ratio = value_and_slope(lambda v: tf.math.divide_no_nan(v, v), 0.0)
    assert ratio == (0.0, 0.0)


# A learning rate too large


@says(
    "With a learning rate past … the loss sooner or later grows with every "
    "step. For this line the limit is {{ 75 / 101:.2f }}."
)
def test_the_limit(too_fast: Names) -> None:
    x = np.asarray(X, float)
    both = np.array([[np.mean(x * x), np.mean(x)], [np.mean(x), 1.0]])
    limit = 2 / (2 * np.linalg.eigvalsh(both).max())
    assert limit == pytest.approx(75 / 101, rel=1e-4)
    assert record(NAME)["75 / 101:.2f"] == f"{limit:.2f}"
    finite = too_fast["losses"][: too_fast["first_inf"]]
    assert (np.diff(finite) > 0).all()
    model, optimizer = Line(), SGD(limit * 0.99)
    losses = [float(train(model, optimizer, X, Y)) for _ in range(20)]
    assert losses[-1] < losses[0]
    model, optimizer = Line(), SGD(limit * 1.02)
    losses = [float(train(model, optimizer, X, Y)) for _ in range(30)]
    assert losses[1] < losses[0]
    assert (np.diff(losses[5:]) > 0).all()


@says("Loss is inf, then NaN: a learning rate too large")
@says("A `float32` holds numbers up to {{ tf.float32.max:.1e}}.")
@says(
    "The loss, which has the square of the weight in it, leaves that range "
    "first, at step {{ first_inf }}, while the weight is still a number."
)
@says(
    "It goes on growing in the same way, until it overflows too, and then "
    "`inf - inf` is NaN."
)
@says("So a NaN at step {{ first_nan }} was made by what began at step 1.")
@says("Look at the first losses: if they grow, lower the learning rate.")
def test_the_loss_overflows_and_then_the_weight(too_fast: Names) -> None:
    largest = record(NAME)["tf.float32.max:.1e"]
    assert float(largest) == pytest.approx(np.finfo("f4").max, rel=0.01)
    losses, w = too_fast["losses"], too_fast["weights"]
    inf, nan = too_fast["first_inf"], too_fast["first_nan"]
    assert record(NAME)["first_inf"] == str(inf) == "78"
    assert record(NAME)["first_nan"] == str(nan) == "166"
    assert losses[1] > losses[0]
    assert np.isinf(losses[inf:nan]).all()
    assert np.isnan(losses[nan:]).all()
    assert np.isfinite(w[:nan]).all()
    assert not math.isfinite(w[nan])
    ratios = np.divide(w[11:nan], w[10 : nan - 1])
    assert ratios == pytest.approx(2 * 101 / 75 - 1, rel=0.02)
    assert math.isnan(float(tf.constant(INF) - INF))
    model, optimizer = Line(), SGD(0.5)
    slow = [float(train(model, optimizer, X, Y)) for _ in range(20)]
    assert np.isfinite(slow).all()
    assert slow[-1] < slow[0]


@says(
    "Loss and weight by step on a logarithmic axis: both climb in straight "
    "lines, the loss twice as steeply; the loss ends where it is infinite, "
    "the weight goes on until the loss is NaN, after about twice as many "
    "steps"
)
def test_both_lines_climb(too_fast: Names) -> None:
    [axes] = figure(NAME, "too_fast_drawn")
    assert "log" in axes.text.split("y: ")[1].split("\n")[0]
    drawn = axes.points["loss"], axes.points["weight w"]
    assert [line.x[-1] for line in drawn] == [77.0, 165.0]
    assert axes.points["loss is inf"].x == [78.0, 78.0]
    assert axes.points["loss is NaN"].x == [166.0, 166.0]
    logs = [np.log(too_fast[k]) for k in ("losses", "weights")]
    steep = np.diff(logs[0][10:78]), np.diff(logs[1][10:166])
    for each in steep:
        assert each == pytest.approx(each.mean(), rel=0.03)
    assert steep[0].mean() == pytest.approx(2 * steep[1].mean(), rel=0.01)


# A finite loss with a gradient that is not a number


@says("Loss NaN after the first epoch: the gradient is NaN")
@says("A penalty on the length of the bias is added to the loss.")
@says("The bias starts at 0.")
@says("Train, with a penalty on the length of b; return loss, gradients.")
@says("One batch holds all rows here, so that each epoch is one step.")
@says("The first loss is finite, and right.")
@says(
    "The gradient with respect to the bias is NaN, and one update later "
    "everything is."
)
@says("Who looks at the loss alone is one step late.")
def test_the_length_of_the_bias() -> None:
    model, optimizer = Line(), SGD(0.1)
    assert float(model.b) == 0.0
    plain = float(loss(Y, model(X)))
    first, gradients = train_short(model, optimizer, X, Y, tf.norm)
    assert float(first) == plain
    assert int(optimizer.iterations) == 1
    assert np.isnan([float(g) for g in gradients]).tolist() == [False, True]
    second, gradients = train_short(model, optimizer, X, Y, tf.norm)
    assert np.isnan([float(v) for v in (second, *gradients)]).all()
    assert np.isnan(weights(model)).all()
    model.b.assign(-2.0)
    model.w.assign(5.0)
    plain = float(loss(Y, model(X)))
    penalised, _ = train_short(model, SGD(0.0), X, Y, tf.norm)
    assert float(penalised) == pytest.approx(plain + 0.2, rel=1e-5)
    assert "train_short(model, optimizer, x, y, tf" in BLOCKS["length"].code
    assert "nan" in printed(NAME, "length").split("\n")[0].split("and")[1]


@says("The length is a square root of a sum of squares.")
@says(
    "At 0 the gradient of the root is infinite and that of the square is 0, "
    "and `inf * 0` is NaN."
)
@says(
    "The same happens with the root of a mean squared error when the "
    "predictions are exact, with the distance of a row to itself, and with "
    "`tf.math.reduce_std` of equal numbers."
)
def test_roots_of_zero() -> None:
    assert float(tf.norm([3.0, 4.0])) == 5.0
    assert slope(tf.sqrt, 0.0) == INF
    assert slope(tf.square, 0.0) == 0.0
    assert math.isnan(float(tf.constant(INF) * 0.0))
    for function, at in (
        (lambda v: tf.sqrt(tf.reduce_mean((v - 2.0) ** 2)), [2.0, 2.0]),
        (lambda v: tf.norm(v - [1.0, 2.0]), [1.0, 2.0]),
        (tf.math.reduce_std, [3.0, 3.0]),
    ):
        assert float(function(tf.constant(at))) == 0.0
        assert np.isnan(slope(function, at)).all()
        assert np.isfinite(slope(function, [5.0, 7.0])).all()


@says(
    "The gradient penalty of a WGAN has such a root, too: where the critic is "
    "flat, its slope has the length 0."
)
def test_the_penalty_of_a_flat_critic() -> None:
    x = tf.ones((3, 2))

    def gradient(length: Any, start: float) -> Any:
        weights = tf.Variable([[start], [start]])
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                inner.watch(x)
                score = tf.reduce_sum(x @ weights)
            slopes = inner.gradient(score, x)
            penalty = tf.reduce_mean((length(slopes, axis=1) - 1.0) ** 2)
        return outer.gradient(penalty, weights).numpy()

    def kept_away(slopes: tf.Tensor, axis: int) -> tf.Tensor:
        return tf.sqrt(tf.reduce_sum(slopes**2, axis) + 1e-6)

    assert np.isnan(gradient(tf.norm, 0.0)).all()
    assert np.isfinite(gradient(tf.norm, 0.5)).all()
    assert np.isfinite(gradient(kept_away, 0.0)).all()


@says("Keep the argument of the root away from 0.")
@says("Return the length of a variable, and at least 0.001.")
@says("**The check** looks at the gradients.")
def test_the_safe_norm() -> None:
    assert float(safe_norm(tf.Variable([3.0, 4.0]))) == pytest.approx(5.0)
    assert float(safe_norm(tf.Variable([0.0]))) == pytest.approx(1e-3)
    assert slope(safe_norm, [0.0, 0.0]).tolist() == [0.0, 0.0]
    assert "nan" not in printed(NAME, "safe_length")
    last = BLOCKS["safe_length"].code.strip().split("\n")[-1]
    assert "assert_all_finite(tf.stack(gradients)" in last


# tf.where


@says("Return the logarithms of positive values, and 0 for others.")
@says("The logarithm is taken only of what is positive.")
@says("The values are right.")
@says(
    "But `tf.where` chooses between two results that were both computed, "
    "and on the way back both get a gradient."
)
@says(
    "For the one that was not chosen it is 0, and 0 times the infinite "
    "gradient of `log(0)` is NaN."
)
@says(
    "Choose before the logarithm as well, so that it never sees a 0. (A NaN "
    "is not positive, and so becomes a 0 as well.)"
)
@says("**The check** looks at the gradient again.")
@says("tf.where does not save the gradient")
def test_where() -> None:
    values, due = [-1.0, 0.0, 1.0, 4.0], [0.0, 0.0, 0.0, math.log(4.0)]
    for function in (log_or_zero, safe_log):
        found = function(tf.constant(values)).numpy()
        assert found == pytest.approx(due, rel=1e-5)
    first, second = tf.Variable([0.0, 1.0]), tf.Variable([2.0, 3.0])
    with tf.GradientTape() as tape:
        chosen = tf.where([True, False], first, second)
    both = [g.numpy().tolist() for g in tape.gradient(chosen, [first, second])]
    assert both == [[1.0, 0.0], [0.0, 1.0]]
    assert slope(tf.math.log, 0.0) == INF
    assert math.isnan(0.0 * INF)
    assert np.isnan(slope(log_or_zero, [0.0, 2.0])).tolist() == [True, False]
    assert slope(safe_log, [0.0, 2.0]).tolist() == [0.0, 0.5]
    assert safe_log(tf.constant([NAN, 1.0])).numpy().tolist() == [0.0, 0.0]
    last = BLOCKS["where_twice"].code.strip().split("\n")[-1]
    assert "assert_all_finite(slopes" in last


@says(
    "Division behaves like the logarithm, and so do powers below 1. Do not "
    "rely on the functions that seem not to: with `tf.sqrt` in its place "
    "the gradient is 0 on a CPU, and with `jit_compile=True` it is NaN."
)
def test_other_functions_in_its_place() -> None:
    def within(function: Any) -> Any:
        return lambda v: tf.where(v > 0.0, function(v), 0.0)

    for function in (lambda v: 1.0 / v, tf.math.log):
        assert np.isnan(slope(within(function), [0.0])).all()
    for power in (-1.0, 0.5, 0.9, 1.5, 2.0):
        found = slope(within(lambda v, power=power: v**power), [0.0])
        assert np.isnan(found).all() == (power < 1)
    with tf.device("CPU"):
        root = within(tf.sqrt)
        assert slope(root, [0.0]).tolist() == [0.0]
        assert np.isnan(slope(root, [0.0], jit_compile=True)).all()


# Half precision


@says("`float16` is a small room.")
@says("Large numbers are `inf` in it, and small ones 0.")
@says(
    "An `epsilon` of `1e-8`, meant to keep a logarithm away from 0, is "
    "itself 0 there."
)
@says("And on a CPU the mean of 5,000 times 30 is `inf`, for their sum is.")
@says("`bfloat16` reaches as far as `float32`, with fewer digits.")
def test_the_room_of_float16() -> None:
    half = tf.float16
    assert np.isinf(tf.cast(90000.0, half))
    for mean in (tf.reduce_mean, tf.function(tf.reduce_mean)):
        with tf.device("CPU:0"):
            assert np.isinf(mean(tf.fill(5000, tf.constant(30.0, half))))
            assert float(mean(tf.fill(2000, tf.constant(30.0, half)))) == 30
    assert tf.cast(1e-8, half) == 0.0
    assert tf.math.log(tf.constant(1e-8, half)) == -INF
    assert tf.math.log(tf.constant(1e-8)) > -19
    wide, full = float(tf.bfloat16.max), float(tf.float32.max)
    assert wide == pytest.approx(full, rel=0.01)
    assert full > 1e33 * float(half.max)
    small = float(tf.cast(1e-37, tf.bfloat16))
    assert small == pytest.approx(1e-37, rel=0.01)
    assert tf.cast(1.001, tf.bfloat16) == 1.0 != tf.cast(1.001, half)


@says(
    "Compute the loss in `float32`: give the last layer of the model "
    '`dtype="float32"`, or cast its predictions.'
)
def test_a_last_layer_of_its_own_precision() -> None:
    policy = tf.keras.mixed_precision.Policy("mixed_float16")
    hidden = tf.keras.layers.Dense(2, dtype=policy)
    last = tf.keras.layers.Dense(1, dtype="float32")
    inside = tf.keras.Input((1,))
    assert hidden(inside).dtype == "float16"
    assert last(hidden(inside)).dtype == "float32"


@says(
    "Training in half precision scales the loss, and a gradient that "
    "overflows is part of the plan: a `LossScaleOptimizer` skips such a step "
    "and halves the scale."
)
@says("The loss has to be scaled as well; see … scaled).")
@says(
    "And the scale falls with every skipped step, also with those that a "
    "smaller scale does not help."
)
def test_the_scale_is_halved() -> None:
    model = Line()
    optimizer = tf.keras.optimizers.LossScaleOptimizer(SGD(0.03))
    variables = model.trainable_variables
    optimizer.build(variables)
    scales = [float(optimizer.dynamic_scale)]
    for value in (INF, NAN, NAN):
        optimizer.apply([tf.constant(value), tf.constant(1.0)], variables)
        scales.append(float(optimizer.dynamic_scale))
    assert scales == [scales[0] / 2**n for n in range(4)]
    assert weights(model) == [5.0, 0.0]
    scaled = optimizer.scale_loss(tf.constant(1.0))
    assert float(scaled) == scales[-1] > 1.0
    optimizer.apply([tf.constant(1.0), tf.constant(0.0)], variables)
    moved = 5.0 - float(model.w)
    assert moved == pytest.approx(0.03 / scales[-1], rel=0.2)


# Find the operation


@says(
    "`tf.debugging.check_numerics` raises an error with your words in it if "
    "a tensor has a NaN or an infinity."
)
@says("Here it looks at the loss.")
@says("`tf.debugging.assert_all_finite` tells the same in the same words.")
@says("Both work in a compiled step, where the message names the line.")
@says(
    "Put one behind each part of your loss, and the first to raise is where "
    "to look."
)
@says("Return the value if it is finite, and raise if not.")
def test_both_checks_raise_with_the_words_given() -> None:
    assert 'check_numerics(found[0], "the loss")' in BLOCKS["check"].code
    line, said = r"(?s)test_not_a_number\.py.*", "mine : Tensor had NaN value"
    for look in (
        tf.debugging.check_numerics,
        tf.debugging.assert_all_finite,
    ):

        @tf.function
        def compiled(v: tf.Tensor, look: Any = look) -> tf.Tensor:
            return look(v, "mine")

        assert float(look(tf.constant(1.0), "mine")) == 1.0
        with pytest.raises(Refused, match=said):
            look(tf.constant(NAN), "mine")
        with pytest.raises(Refused, match=r"mine : Tensor had \+?Inf"):
            look(tf.constant(INF), "mine")
        with pytest.raises(Refused, match=line + said):
            compiled(tf.constant(NAN))
    with pytest.raises(Refused, match="Inf"):
        checked(tf.constant(-INF))
    assert float(checked(tf.constant(3.0))) == 3.0

    def parts(*values: float) -> None:
        for part, value in zip(("first", "second"), values, strict=True):
            tf.debugging.check_numerics(tf.constant(value), part)

    with pytest.raises(Refused, match="first"):
        parts(NAN, NAN)
    with pytest.raises(Refused, match="second"):
        parts(1.0, NAN)


@says("One line puts such a check behind every operation.")
@says(
    "This is the finite loss with the NaN gradient of above, caught an "
    "operation before the NaN: the gradient of a square root (`SqrtGrad`), "
    "whose first input is zero."
)
def test_the_gradient_of_the_root_is_named() -> None:
    said = printed(NAME, "enable")
    assert '"SqrtGrad"' in said
    assert "# of +Inf elements: 1" in said
    assert re.search(r"(?m)^ +0: tf\.Tensor\(0\.0,", said)
    assert "NaN elements" not in said
    assert len(BLOCKS["enable"].options["hl_lines"].split()) == 1
    calls = [BLOCKS[name].code for name in ("enable", "length")]
    assert all(
        "train_short(model, optimizer, x, y, tf.norm)" in c for c in calls
    )


def compiled_gradient() -> Any:
    @tf.function
    def gradient(v: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(v)
            length = tf.norm(v)
        found = tape.gradient(length, v)
        return tf.where(tf.math.is_finite(found), found, 0.0)

    return gradient


@says(
    "From a compiled step the message goes on with the lines of your program "
    "that made the operation."
)
@says(
    "Call it before the step is compiled: in a graph made earlier nothing is "
    "checked but what it returns."
)
@says(
    "Each check is an operation more, and an infinity that does no harm is "
    "an error too."
)
@says(
    "Turn it off when you have found what you looked for, and compile the "
    "step anew: a graph keeps its checks."
)
@says("And with `enable_check_numerics` XLA refuses to compile.")
def test_graphs_made_before_and_after() -> None:
    zero, old = tf.constant(0.0), compiled_gradient()
    log = tf.function(lambda v: tf.math.log(v))
    log(zero)
    assert float(old(zero)) == 0.0
    count = len(old.get_concrete_function(zero).graph.get_operations())
    tf.debugging.enable_check_numerics()
    assert float(old(zero)) == 0.0
    with pytest.raises(Refused, match="had -Inf"):
        log(zero)
    new = compiled_gradient()
    with pytest.raises(Refused, match=r"(?s)SqrtGrad.*test_not_a_number\.py"):
        new(zero)
    graph = new.get_concrete_function(zero).graph
    assert len(graph.get_operations()) > count
    with pytest.raises(Refused, match='"Log"'):
        log_or_zero(tf.constant([0.0, 1.0]))
    xla = tf.function(lambda v: tf.math.log(v), jit_compile=True)
    with pytest.raises(Refused, match="unsupported"):
        xla(tf.constant(1.0))
    tf.debugging.disable_check_numerics()
    with pytest.raises(Refused, match="SqrtGrad"):
        new(zero)
    assert float(compiled_gradient()(zero)) == 0.0
    assert log_or_zero(tf.constant([0.0, 1.0])).numpy().tolist() == [0.0, 0.0]


@says(
    "On a GPU `fit` [uses "
    "XLA](how_fast.md#fit-uses-xla-on-a-gpu-jit_compileauto) unasked: say "
    "`compile(jit_compile=False)`."
)
def test_fit_uses_xla_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = tf.config.PhysicalDevice("/physical_device:GPU:0", "GPU")
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda: [gpu])
    model = Line()
    for options, by_xla in (({}, True), ({"jit_compile": False}, False)):
        model.compile("sgd", "mse", **options)
        assert model.jit_compile is by_xla
    how_fast = (DOCS / "how_fast.md").read_text("utf-8")
    assert '### `fit` uses XLA on a GPU: `jit_compile="auto"`' in how_fast


@says("XLA leaves the check out, without a word.")
@says(
    "Look for a NaN in a step without `jit_compile=True`, or return the loss "
    "and the gradients and look at them outside."
)
def test_xla_leaves_the_check_out(recwarn: Any) -> None:
    nan = tf.constant(NAN)
    assert math.isnan(tf.function(checked, jit_compile=True)(nan))
    assert not recwarn.list
    assert printed(NAME, "xla") == "tf.Tensor(nan, shape=(), dtype=float32)"
    with pytest.raises(Refused, match="NaN"):
        tf.function(checked)(nan)


# How it spreads


@says("A NaN spreads.")
@says(
    "A sum, a mean or a product with a NaN in it is NaN, also the product "
    "with 0."
)
@says("So it soon stands in all predictions, gradients and weights.")
def test_a_nan_spreads() -> None:
    row = tf.constant([1.0, NAN, 0.0])
    for reduce in (tf.reduce_sum, tf.reduce_mean, tf.reduce_prod):
        assert np.isnan(reduce(row))
    assert np.isnan(NAN * tf.constant(0.0))
    model = KerasLinearModel()
    optimizer = tf.keras.optimizers.SGD(learning_rate=0.1)
    train_epoch(model, optimizer, X, Y_READ)
    assert np.isnan(model.get_weights()).all()
    assert np.isnan(model(X)).all()


# Stop, or skip


@says(
    "For what follows, the four batches again, of which the third has the NaN."
)
@says(
    "With a NaN, `>`, `<` and `==` are false, the last also of NaN and itself."
)
@says(
    "A loop that is to stop when the loss is above 100 does not stop for a "
    "NaN, and one that keeps the best loss does not notice it."
)
@says(
    "`math.isfinite`, or `tf.math.is_finite` for tensors, knows both NaN and "
    "infinity."
)
def test_comparisons() -> None:
    names = ran("nan_steps", "batches", x=X, y_read=Y_READ)
    bad = [bool(np.isnan(y).any()) for _, y in names["batches"]]
    assert bad == [False, False, True, False]
    for nan in (NAN, tf.constant(NAN)):
        for comparison in (nan > 100.0, nan < 100.0, nan == nan):
            assert not bool(comparison)
    assert min(1.0, NAN) == 1.0
    for value in (NAN, INF, -INF):
        assert not math.isfinite(value)
        assert not tf.math.is_finite(value)
    assert math.isfinite(1.0)
    assert tf.math.is_finite(1.0)


@says(
    "The loop stops at once and is late all the same: the step has updated "
    "the weights before it returned its loss."
)
def test_stopping_is_late() -> None:
    names = ran("nan_steps", "stop", batches=BATCHES)
    assert names["number"] == 2
    assert not math.isfinite(names["current_loss"])
    assert int(names["optimizer"].iterations) == 3
    assert np.isnan(weights(names["model"])).all()


@says(
    "In a `train_step` [it does not](errors_in_a_step.md#"
    "using-a-symbolic-tftensor-as-a-python-bool-is-not-allowed), so write "
    "`tf.cond` there."
)
def test_skipping_in_a_train_step() -> None:
    class If(Line):
        def train_step(self, data: Any) -> dict[str, Any]:
            return {"lost": train_finite(self, self.optimizer, *data)[0]}

    class Cond(Line):
        def train_step(self, data: Any) -> dict[str, Any]:
            x, y = data
            variables = self.trainable_variables
            with tf.GradientTape() as tape:
                lost = loss(y, self(x, training=True))
            gradients = tape.gradient(lost, variables)

            def update() -> bool:
                self.optimizer.apply(gradients, variables)
                return True

            size = tf.linalg.global_norm([lost, *gradients])
            tf.cond(tf.math.is_finite(size), update, lambda: False)
            return {"lost": lost}

    rows = [tf.concat(parts, 0) for parts in zip(*BATCHES[1:3], strict=True)]
    options = {
        "batch_size": len(BATCHES[1][0]),
        "shuffle": False,
        "verbose": 0,
    }
    due = Line()
    train(due, SGD(0.03), *BATCHES[1])
    model = Cond()
    model.compile(SGD(0.03))
    model.fit(*rows, **options)
    assert int(model.optimizer.iterations) == 1
    assert weights(model) == pytest.approx(weights(due), rel=1e-6)
    model = If()
    model.compile(SGD(0.03))
    with pytest.raises(tf.errors.OperatorNotAllowedInGraphError):
        model.fit(*rows, **options)


@says("Look at the loss and all gradients first, then update.")
@says("The global norm is one number, and finite only if all of them are.")
@says("Update every variable, or none; return the loss and which it was.")
@says("`finite` is a tensor, and `if` works with it in a `tf.function` too.")
@says("Three steps were made and one was not.")
@says("The fourth batch trained as if there had been no third.")
@says(
    "To stop instead, leave the loop when `finite` is false: the weights are "
    "still good."
)
@says("**The check** looks at the weights.")
def test_skipping(skipped: Names) -> None:
    one = tf.constant(1.0)
    norm = tf.linalg.global_norm
    assert norm([one * 3.0, one * 4.0]).shape == ()
    assert norm([one, one]) < 2
    for value in (NAN, INF):
        for parts in ([one, one * value], [one * value, one]):
            assert not math.isfinite(norm(parts))
    model, optimizer = Line(), SGD(0.03)
    for number, batch in enumerate(BATCHES):
        before = weights(model)
        found, finite = train_finite(model, optimizer, *batch)
        assert isinstance(finite, tf.Tensor)
        assert bool(finite) is math.isfinite(found) is (number != 2)
        changed = np.not_equal(weights(model), before).tolist()
        assert changed == [bool(finite)] * 2
        assert np.isfinite(weights(model)).all()
    without = Line()
    for number in (0, 1, 3):
        train(without, SGD(0.03), *BATCHES[number])
    assert weights(without) == weights(model)
    assert weights(skipped["model"]) == pytest.approx(weights(model), rel=1e-6)
    assert int(skipped["optimizer"].iterations) == 3
    assert printed(NAME, "skip").count("updated True") == 3
    last = BLOCKS["skip"].code.strip().split("\n")[-1]
    assert last == "assert all(map(math.isfinite, model.get_weights()))"


@says(
    "And print how many steps you skip: a loop that skips in silence may end "
    "up training on nothing."
)
@says("[Exercise 2](#exercises) stops then.")
@says("Skip batches that are not finite, but not so many in a row.")
def test_a_loop_that_gives_up(capsys: pytest.CaptureFixture[str]) -> None:
    model, optimizer = Line(), SGD(0.03)
    for _ in range(5):
        train_finite(model, optimizer, *BAD)
    assert int(optimizer.iterations) == 0
    assert weights(model) == [5.0, 0.0]
    assert capsys.readouterr().out == ""
    train_patiently(model, optimizer, [BAD, BAD, GOOD, BAD, BAD], 3)
    assert int(optimizer.iterations) == 1
    with pytest.raises(ArithmeticError, match="batch 1: 2 skipped in a row"):
        train_patiently(model, optimizer, [BAD, BAD, GOOD], 2)
    assert "skipped in a row" in printed(NAME, "patience")


@says(
    "A step whose loss or gradient is more than about `2e19` is skipped as "
    "well, because the square overflows."
)
def test_squares_that_overflow() -> None:
    for place in range(2):
        for size in (1.5e19, 2.5e19):
            parts = [tf.constant(1.0)] * 2
            parts[place] = tf.constant(size)
            small = size < 2e19
            assert math.isfinite(tf.linalg.global_norm(parts)) is small
            assert math.isfinite(tf.square(parts[place])) is small


@says("With a `LossScaleOptimizer` leave the skipping to it.")
@says(
    "A step that it does not see cannot halve the scale, so where the scale "
    "is what made the infinity, all steps to come are skipped."
)
@pytest.mark.parametrize("skips", [False, True])
def test_who_skips_under_a_loss_scale(skips: bool) -> None:
    half = tf.keras.layers.Dense(
        1, kernel_initializer="ones", dtype="mixed_float16"
    )
    model = tf.keras.Sequential([tf.keras.Input((1,)), half])
    optimizer = tf.keras.optimizers.LossScaleOptimizer(
        SGD(0.05), initial_scale=2.0**20
    )
    optimizer.build(model.trainable_variables)
    x, y = X[:, tf.newaxis], Y[:, tf.newaxis]
    for _ in range(20):
        with tf.GradientTape() as tape:
            found = loss(y, tf.cast(model(x, training=True), tf.float32))
            scaled = optimizer.scale_loss(found)
        gradients = tape.gradient(scaled, model.trainable_variables)
        size = tf.linalg.global_norm([found, *gradients])
        if not skips or tf.math.is_finite(size):
            optimizer.apply(gradients, model.trainable_variables)
    scale, kernel = float(optimizer.dynamic_scale), float(half.kernel[0, 0])
    assert math.isfinite(found)
    assert (scale == 2.0**20) is skips
    assert (kernel == 1.0) is skips
    assert math.isfinite(size) is not skips


# What a NaN leaves behind


@says(
    "An optimizer with momentum keeps a sum of past gradients for every "
    "weight, Adam two."
)
@says("Here the weights are put back after a step with a NaN.")
@says("The weights are as before.")
@says(
    "The momenta are NaN, so the next good step makes the weights NaN again."
)
@says(
    "A checkpoint that is to bring a training back has to … and to be older "
    "than the NaN."
)
@pytest.mark.parametrize(
    ("optimizer", "sums"), [(SGD(0.03, momentum=0.9), 1), (Adam(0.03), 2)]
)
def test_the_sums_keep_the_nan(optimizer: Any, sums: int) -> None:
    model = Line()
    train(model, optimizer, *GOOD)
    before, state = (
        model.get_weights(),
        [v.numpy() for v in optimizer.variables],
    )
    train(model, optimizer, *BAD)
    model.set_weights(before)
    assert weights(model) == before
    slots = optimizer.variables[2:]
    assert len(slots) == 2 * sums
    assert np.isnan([float(slot) for slot in slots]).all()
    train(model, optimizer, *GOOD)
    assert np.isnan(weights(model)).all()
    model.set_weights(before)
    for variable, value in zip(optimizer.variables, state, strict=True):
        variable.assign(value)
    train(model, optimizer, *GOOD)
    assert np.isfinite(weights(model)).all()


@says("To put a 0 in place of each NaN keeps the optimizer finite.")
@says("Update every variable, with 0 where a gradient is not finite.")
@says("It is not the same as skipping the step.")
@says(
    "With zeros, the momentum carries the weight further through the two bad "
    "batches, and the optimizer counts them as steps, which a schedule of the "
    "learning rate would follow."
)
@says(
    "`train_finite` leaves the weight, the momentum and the count where they "
    "were."
)
def test_zeros_and_skips() -> None:
    decay = tf.keras.optimizers.schedules.ExponentialDecay(0.03, 1, 0.5)
    ends = {}
    for step in (train_zeroed, train_finite):
        model, optimizer = Line(), SGD(decay, momentum=0.9)
        step(model, optimizer, *GOOD)
        before = weights(model), [float(v) for v in optimizer.variables[2:]]
        rate = float(optimizer.learning_rate)
        for _ in range(2):
            step(model, optimizer, *BAD)
        slots = [float(v) for v in optimizer.variables[2:]]
        assert np.isfinite(slots).all()
        assert np.isfinite(weights(model)).all()
        same = (weights(model), slots) == before
        count, later = (
            int(optimizer.iterations),
            float(optimizer.learning_rate),
        )
        ends[step] = same, count, later == pytest.approx(rate)
        if step is train_zeroed:
            assert float(model.w) < before[0][0] < 5.0
            assert later == pytest.approx(rate / 4)
    assert ends == {
        train_zeroed: (False, 3, False),
        train_finite: (True, 1, True),
    }


@says("What a skipped step cannot undo")
@says(
    "A layer of `BatchNormalization` updates its averages when it is called "
    "in training, before there is a gradient."
)
@says("A metric keeps what it was given.")
@says("The first batch was bad, the second good.")
@says(
    "Check the batch itself before the model sees it, and hand a metric no "
    "loss that is not finite."
)
@says("`reset_state` clears a metric.")
def test_a_layer_and_a_metric_keep_the_nan() -> None:
    layer, average = (
        tf.keras.layers.BatchNormalization(),
        tf.keras.metrics.Mean(),
    )
    layer(BAD[1][:, tf.newaxis], training=False)
    assert layer.moving_mean.numpy().item() == 0.0
    for _, outputs in (BAD, GOOD):
        layer(outputs[:, tf.newaxis], training=True)
        average.update_state(tf.reduce_mean(outputs))
        assert np.isnan(layer.moving_mean.numpy()).all()
        assert math.isnan(average.result())
    assert "in (bad, good):" in BLOCKS["normalised"].code
    average.reset_state()
    average.update_state(2.0)
    assert float(average.result()) == 2.0


# TerminateOnNaN


@says("`fit` accepts `keras.callbacks.TerminateOnNaN()`.")
@says(
    "As with every look at the loss, the weights are NaN by then, in `fit` as "
    "well."
)
def test_in_fit() -> None:
    model = Line()
    model.compile(SGD(0.03), loss="mse", run_eagerly=True)
    guard = tf.keras.callbacks.TerminateOnNaN()
    log = model.fit(X, Y * NAN, verbose=0, epochs=3, callbacks=[guard])
    assert len(log.history["loss"]) == 1
    assert np.isnan(weights(model)).all()
    assert printed(NAME, "terminate").endswith("batch 2: loss nan, w nan")


@says(
    "In a loop of your own, tell it of each batch and its loss, and look at "
    "`stop_training` after that."
)
@says("Train with each batch and tell the callbacks, until they stop it.")
@says(
    "It stops at NaN and at infinity, with the line that begins with `Batch "
    "2`."
)
@says(
    "A model that was not compiled has no `stop_training`, hence the second "
    "line."
)
def test_it_stops_the_loop(capsys: pytest.CaptureFixture[str]) -> None:
    made = BLOCKS["terminate"].code.split("\n")[1]
    assert made == "model.stop_training = False"
    guard = tf.keras.callbacks.TerminateOnNaN()
    for value in (NAN, INF, -INF, 1e30):
        model = Line()
        assert not hasattr(model, "stop_training")
        model.stop_training = False
        callbacks = CallbackList([guard], model=model)
        callbacks.on_train_batch_end(2, {"loss": value})
        assert model.stop_training is not math.isfinite(value)
        said = capsys.readouterr().out
        assert said.startswith("Batch 2: ") is model.stop_training
    for given, batches in (([guard], 3), ([], 4)):
        model = Line()
        model.stop_training = False
        callbacks = CallbackList(given, model=model)
        callback_epoch(model, SGD(0.03), BATCHES, callbacks)
        assert capsys.readouterr().out.count("batch ") == batches


@says(
    "And of the finite loss with a NaN gradient it knows nothing until the "
    "next batch."
)
def test_a_finite_loss_is_nothing_to_it() -> None:
    model, optimizer = Line(), SGD(0.1)
    model.stop_training = False
    guard = tf.keras.callbacks.TerminateOnNaN()
    callbacks = CallbackList([guard], model=model)
    stopped = []
    for number in range(2):
        found, _ = train_short(model, optimizer, X, Y, tf.norm)
        assert math.isnan(float(model.b))
        callbacks.on_train_batch_end(number, {"loss": float(found)})
        stopped.append(model.stop_training)
    assert stopped == [False, True]


# Clipping


@says("Gradient clipping does not save a NaN")
@says(
    "Here are a NaN and an infinity, each beside two good numbers, clipped "
    "in three ways."
)
@says(
    "No way of clipping removes a NaN, and two of them spread it: the norm "
    "of a gradient with a NaN is NaN, and everything is divided by it."
)
@says("Of an infinity `clip_by_value` makes a 1.")
@says("The other two make NaN of it.")
def test_three_ways_of_clipping() -> None:
    spread: list[list[bool]] = []
    for entry in (NAN, INF):
        gradient = tf.constant([entry, 3.0, 0.5])
        ways = (
            tf.clip_by_value(gradient, -1.0, 1.0),
            tf.clip_by_norm(gradient, 1.0),
            tf.clip_by_global_norm([gradient], 1.0)[0],
        )
        assert len(printed(NAME, "clip").split("\n")) == 2 * len(ways)
        spread += [np.isnan(way).ravel().tolist() for way in ways]
        if entry == INF:
            assert ways[0].numpy().tolist() == [1.0, 1.0, 0.5]
    assert spread[:3] == [[True, False, False], [True] * 3, [True] * 3]
    assert not any(spread[3])
    assert spread[4][0]
    assert spread[5][0]
    assert math.isnan(tf.norm([NAN, 3.0, 0.5]))


@says("The arguments of Keras' optimizers do the same.")
@says(
    "`clipnorm` looks at each variable on its own, `global_clipnorm` at all "
    "together."
)
@says("The gradient of `w` was NaN, that of `b` was 3.")
@says("With `global_clipnorm` the good gradient is lost as well.")
def test_the_arguments_of_optimizers() -> None:
    assert 'float("nan")), tf.constant(3.0)]' in BLOCKS["clip_model"].code
    for gradient in (NAN, 4.0):
        ends = {}
        for option in ("clipvalue", "clipnorm", "global_clipnorm"):
            model, optimizer = Line(), SGD(0.1, **{option: 1.0})
            gradients = [tf.constant(gradient), tf.constant(3.0)]
            optimizer.apply(gradients, model.trainable_variables)
            ends[option] = weights(model)
        if math.isnan(gradient):
            assert [w for w, _ in ends.values()] == pytest.approx(
                [NAN] * 3, nan_ok=True
            )
            due = [-0.1, -0.1, NAN]
        else:
            due = [-0.1, -0.1, -0.06]
        found = [b for _, b in ends.values()]
        assert found == pytest.approx(due, rel=1e-5, nan_ok=True)


@says("What clipping does help against is the overflow of … large)")
@says(
    "The loss stays finite, since no step of a variable is longer than the "
    "learning rate."
)
@says("But it does not settle: it goes back and forth.")
def test_clipping_helps_against_overflow() -> None:
    model, optimizer = Line(), SGD(1.0, clipnorm=1.0)
    losses, moves, before = [], [], weights(model)
    for _ in range(60):
        losses.append(float(train(model, optimizer, X, Y)))
        moves.append(np.abs(np.subtract(weights(model), before)).max())
        before = weights(model)
    assert np.isfinite(losses).all()
    assert max(moves) <= 1.0 + 1e-5
    last = losses[-6:]
    assert last[::2] == pytest.approx([last[0]] * 3, abs=0.01)
    assert last[1::2] == pytest.approx([last[1]] * 3, abs=0.01)
    assert abs(last[0] - last[1]) > 0.05


# Checks to paste


@says("The first names what is not finite.")
@says(
    "Call it between the gradients and the update, in an eager or a compiled "
    "step, but [not under XLA](#check_numerics-and-jit_compile)."
)
@says(
    "It finds, and does not protect: in a compiled step the update does not "
    "wait for it, and the weights may be NaN when it raises."
)
@says("To keep them, [skip the step](#skip-the-step).")
@says("Raise if the loss or a gradient is not finite; say which it is.")
def test_check_finite() -> None:
    model, one, nan = Line(), tf.constant(1.0), tf.constant(NAN)

    def step(found: Any, gradients: Any) -> None:
        check_finite(model, found, gradients)

    for check in (step, tf.function(step)):
        check(one, [one, one])
        for place, name in enumerate(
            ("the loss", "the gradient of .*/w", "the gradient of .*/b")
        ):
            values = [one] * 3
            values[place] = nan
            with pytest.raises(Refused, match=f"{name} : "):
                check(values[0], values[1:])
    tf.function(step, jit_compile=True)(nan, [nan, nan])
    for compiles in (False, True):
        spoiled = []
        for _ in range(20):
            model, optimizer = Line(), SGD(0.1)
            optimizer.build(model.trainable_variables)

            def update(found: Any, model: Any, optimizer: Any) -> None:
                gradients = [found, found]
                check_finite(model, found, gradients)
                optimizer.apply(gradients, model.trainable_variables)

            call = tf.function(update) if compiles else update
            with pytest.raises(Refused, match="the loss : "):
                call(nan, model, optimizer)
            spoiled.append(not np.isfinite(weights(model)).all())
        assert any(spoiled) is compiles
    layers = [tf.keras.layers.Dense(1, name=name) for name in ("one", "two")]
    deep: Any = tf.keras.Sequential([tf.keras.Input((1,)), *layers])
    with pytest.raises(Refused, match=r"the gradient of .*two/kernel : "):
        check_finite(deep, one, [one, one, nan, one])


@says("The second is for your tests.")
@says(
    "It hands your step a batch of NaN and asserts that it changes nothing: "
    "no weight, no momentum, no count, no average of a layer."
)
@says("If `y` are whole numbers, which cannot be NaN, multiply `x` instead.")
@says("Assert that a step with NaN in y changes nothing that is kept.")
def test_check_skips() -> None:
    def made() -> tuple[Any, Any]:
        model, optimizer = Line(), SGD(0.1, momentum=0.9)
        train(model, optimizer, X, Y)
        return model, optimizer

    check_skips(train_finite, *made(), X, Y)
    with pytest.raises(AssertionError, match="w changed"):
        check_skips(train, *made(), X, Y)

    def count(model: Any, optimizer: Any, x: Any, y: Any) -> None:
        assert np.isnan(y).all()
        optimizer.iterations.assign_add(1)

    def move(model: Any, optimizer: Any, x: Any, y: Any) -> None:
        optimizer.variables[2].assign(7.0)

    for step, match in ((count, "iteration"), (move, "momentum")):
        with pytest.raises(AssertionError, match=f"{match} changed"):
            check_skips(step, *made(), X, Y)
    layers = [tf.keras.layers.Dropout(0.5), tf.keras.layers.Dense(1)]
    dropping: Any = tf.keras.Sequential([tf.keras.Input((1,)), *layers])
    columns = X[:, tf.newaxis], Y[:, tf.newaxis]
    check_skips(train_finite, dropping, Adam(0.1), *columns)
    with pytest.raises(AssertionError, match=r"dense.*/kernel changed"):
        check_skips(train, dropping, Adam(0.1), *columns)

    labels = tf.cast(Y > 2.0, tf.int32)
    with pytest.raises(TypeError, match="Cannot convert nan"):
        check_skips(train_finite, *made(), X, labels)
    code = inspect.getsource(check_skips).replace(
        'x, y * float("nan")', 'x * float("nan"), y'
    )
    of_inputs: Names = {**vars(nan_checks)}
    exec(code, of_inputs)

    def classify(model: Any, optimizer: Any, x: Any, y: Any) -> None:
        assert y.dtype == tf.int32
        train_finite(model, optimizer, x, tf.cast(y, tf.float32))

    of_inputs["check_skips"](classify, *made(), X, labels)

    normed = tf.keras.Sequential([tf.keras.layers.BatchNormalization()])
    normed(X[:, tf.newaxis])

    def average(model: Any, optimizer: Any, x: Any, y: Any) -> None:
        model(y[:, tf.newaxis], training=True)

    with pytest.raises(AssertionError, match="moving_mean changed"):
        check_skips(average, normed, SGD(0.1), X, Y)


# Exercises


@says(
    "The cross entropy of a row is the negative logarithm of the probability "
    "of its class."
)
@says("Return the cross entropy of a row whose class is the second.")
@says("Why the first is infinite")
@says("`exp(-200)` is 0 in `float32`, and so is the probability.")
@says("`tf.nn.log_softmax` never computes it.")
@says("Keras' losses do the same with `from_logits=True`.")
def test_the_cross_entropy() -> None:
    due = -math.log(math.exp(-1.0) / (math.exp(2.0) + math.exp(-1.0)))
    for function in (by_hand, from_logits):
        value = float(function(tf.Variable([2.0, -1.0])))
        assert value == pytest.approx(due, rel=1e-5)
    high = tf.Variable([200.0, 0.0])
    assert float(by_hand(high)) == INF
    assert np.isnan(slope(by_hand, high)).all()
    assert float(from_logits(high)) == 200.0
    assert slope(from_logits, high).tolist() == [1.0, -1.0]
    assert float(tf.exp(-200.0)) == float(tf.nn.softmax(high)[1]) == 0.0
    keras_loss = tf.keras.losses.CategoricalCrossentropy(from_logits=True)
    classes = tf.constant([[0.0, 1.0]])
    assert float(keras_loss(classes, high[tf.newaxis])) == 200.0


@says("Mistakes that never show as a NaN: [Silent failures](traps.md).")
@says(
    "To go back to before the NaN: [Save, stop, resume](save_and_resume.md)."
)
@says("[More on callbacks in a loop](watch_a_training.md … own).")
def test_where_to_go_next() -> None:
    traps = (DOCS / "traps.md").read_text("utf-8")
    assert "\n# Silent failures: " in traps
    assert "loss: nan" not in traps
    assert "# Save, stop, resume" in (DOCS / "save_and_resume.md").read_text()
    assert "callbacks-in-a-loop-of-your-own" in sections("watch_a_training")
