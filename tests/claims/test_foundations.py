"""What the page on foundations says is true."""

import functools
import math
import operator
import re
import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from snippets.data import make_data
from snippets.foundations import (
    Bend,
    Line,
    Mixed,
    Pockets,
    bowl,
    clip_each,
    numeric_slope,
    slope,
)
from snippets.linear_model import LinearModel
from tests.claims.says import figure, imported, printed, ran, record, says
from tests.claims.sentences import DOCS, read

PAGE = read("foundations")
BLOCKS = {block.name: block for block in PAGE.blocks}
SOURCE = (DOCS / "foundations.md").read_text("utf-8")
WAYS = re.split(r"\n##+ (?=\d\. |An acc)", SOURCE)[1:7]
"""The six ways to get None."""
EXTENT = 1e-6

Names = dict[str, Any]
Function = Callable[[Any], Any]


def gradient(function: Function, variable: Any) -> Any:
    with tf.GradientTape() as tape:
        result = function(variable)
    return tape.gradient(result, variable)


def names(variables: Any) -> list[str]:
    return [variable.name for variable in variables]


# The page


@says("Every block runs.")
@says(
    "All blocks above, in order, as one file. It needs TensorFlow and "
    "Matplotlib."
)
def test_all_blocks_ran_with_what_the_page_names() -> None:
    blocks = [name for name in record("foundations") if ":" in name]
    assert blocks == [f"foundations:{name}" for name in BLOCKS]
    modules = imported(PAGE)
    own = {"warnings", "collections"}
    comes_with_both = {"numpy"}
    assert modules - own - comes_with_both == {"tensorflow", "matplotlib"}


@says("Seven blocks are meant to fail, and show how.")
def test_seven_blocks_fail() -> None:
    failing = {
        block.name: block.options["raises"]
        for block in PAGE.blocks
        if "raises" in block.options
    }
    assert len(failing) == 7
    for name, error in failing.items():
        assert f"{error}: " in printed("foundations", name)


@says("The imports for the whole page, and three colours for its pictures.")
def test_the_setup() -> None:
    importing = [b.name for b in PAGE.blocks if "import " in b.code]
    assert importing == ["setup"]
    assert len(re.findall(r'"#\w{6}"', BLOCKS["setup"].code)) == 3


@says(
    "A training loop in TensorFlow is built from four things: tensors, "
    "variables, the gradient tape and modules."
)
@says(
    "Tensors for the data, variables in a module, a tape, and a step "
    "against the gradient, six times."
)
def test_the_loop_at_the_end_has_all_four() -> None:
    assert (
        len(re.findall(r"(?m)^## (Tensors|Var|The gra|Modules)", SOURCE)) == 4
    )
    left = ran("foundations", "together")
    assert isinstance(left["model"], tf.Module)
    assert all(isinstance(v, tf.Variable) for v in left["variables"])
    assert isinstance(left["tape"], tf.GradientTape)
    assert tf.is_tensor(left["x"])
    assert left["step"] == 5, "six steps"


@says("The bent line learns a ramp.")
@says("The loss falls. That is a training loop.")
def test_the_loss_falls_towards_a_ramp() -> None:
    losses = re.findall(r"loss (\S+)", printed("foundations", "together"))
    assert len(losses) == 6
    assert [*map(float, losses)] == sorted(map(float, losses), reverse=True)
    left = ran("foundations", "together")
    y = left["y"].numpy()
    np.testing.assert_allclose(y, [0, 0, 0, 3, 6])
    errors = [
        np.mean((m(left["x"]) - y) ** 2) for m in (left["model"], Bend())
    ]
    assert errors[0] < 0.1 * errors[1]


@says(
    "What it means, how it goes wrong and how far it gets is the "
    "subject of the [guide](basic_training_loops.md)."
)
@says(
    "The loop itself, step by step, then with Keras: [Basic training "
    "loops](basic_training_loops.md)."
)
def test_the_guide_has_the_loop_then_keras() -> None:
    guide = (DOCS / "basic_training_loops.md").read_text("utf-8")
    titles = re.findall(r"(?m)^#+ (.*)$", guide)
    assert titles.index("The loop") < titles.index("The same with Keras")
    assert "A model that learns nothing" in titles
    assert "What it learned" in titles


@says(
    "Mistakes that raise no error, with the check that finds each: "
    "[Silent failures](traps.md)."
)
def test_the_traps_have_checks() -> None:
    traps = (DOCS / "traps.md").read_text("utf-8")
    parts = re.split(r"\n## (?=\d+\. )", traps)[1:]
    assert len(parts) > 11
    assert all("**The check" in part for part in parts)
    assert "mistakes that let it run to the end" in " ".join(traps.split())


# Tensors


@says(
    "You compute with it as with NumPy's `ndarray`, and `numpy()` turns it "
    "into one, or into a number if it has no axes."
)
@says("`(3,)` is a vector of three numbers.")
def test_tensors_compute_as_arrays_do() -> None:
    x = ran("foundations", "tensor")["x"]
    array = np.array([1.0, 2.0, 3.0], np.float32)
    assert type(x.numpy()) is np.ndarray
    assert type(x[:1].numpy()) is np.ndarray
    assert type(x[0].numpy()) is np.float32
    assert x.shape == array.shape == (3,)
    ways: list[Function] = [lambda v: 2 * v + 1, lambda v: v**2 / 3]
    ways += [lambda v: v[1:]]
    for compute in ways:
        np.testing.assert_allclose(compute(x), compute(array))


@says(
    "They are `float32`: that is what TensorFlow makes of Python's "
    "floating-point numbers unless you ask for something else."
)
def test_floats_become_float32_unless_asked() -> None:
    for made in (
        tf.constant([1.0, 2.0]),
        tf.Variable(1.0),
        tf.range(3.0),
        tf.linspace(-2.0, 2.0, 5),
        tf.fill([2], 1.0),
    ):
        assert made.dtype == tf.float32
    assert tf.constant(1.0, tf.float64).dtype == tf.float64


@says(
    "And `2.0 * x + 1.0` made a new tensor, for unlike an `ndarray` a "
    "tensor never changes."
)
def test_a_tensor_never_changes() -> None:
    array = np.ones(3, np.float32)
    array[0] = 5.0
    assert array[0] == 5.0
    x = kept = tf.constant([1.0, 2.0, 3.0])
    assert 2.0 * x + 1.0 is not x
    with pytest.raises(TypeError, match="does not support item assignment"):
        x[0] = 5.0
    x += 1.0
    assert x is not kept
    np.testing.assert_array_equal(kept, [1, 2, 3])
    assert not hasattr(x, "assign")


@says(
    "`reshape` gives the same numbers another shape, where −1 stands "
    "for the length that is left over."
)
@says("The first is a column, three rows of one number.")
@says("The second is a *scalar*, a single number, whose shape is empty.")
def test_reshape() -> None:
    x = tf.range(6.0)
    for shape in [(-1, 1), (2, -1), (-1, 3)]:
        assert tf.reshape(x, shape).shape == np.reshape(x, shape).shape
        np.testing.assert_array_equal(tf.reshape(tf.reshape(x, shape), -1), x)
    left = ran("foundations", "tensor", "shapes")
    assert left["column"].shape == (3, 1)
    assert left["mean"].shape == ()


@says("Functions that begin with `reduce_` make fewer numbers of many.")
def test_reductions() -> None:
    many = tf.ones((3, 4))
    found = [n for n in dir(tf) if n.startswith("reduce_")]
    assert len(found) >= 7
    for name in found:
        given = many > 0 if name in ("reduce_all", "reduce_any") else many
        assert getattr(tf, name)(given).shape == ()
        assert getattr(tf, name)(given, axis=0).shape == (4,)


@says(
    "TensorFlow compares them from the right. Where one has the length "
    "1, or no axis at all, it is repeated to fit the other."
)
@says("Lengths that differ, and of which neither is 1, do not fit:")
def test_broadcasting() -> None:
    for one, other, both in [
        ((3, 1), (4,), (3, 4)),
        ((2, 1, 4), (3, 1), (2, 3, 4)),
        ((), (5,), (5,)),
        ((1,), (0,), (0,)),
    ]:
        assert (tf.zeros(one) + tf.zeros(other)).shape == both
    column, row = tf.constant([[10.0], [20.0]]), tf.constant([1.0, 2.0, 3.0])
    repeated = np.repeat(column, 3, axis=1) + np.repeat([row], 2, axis=0)
    np.testing.assert_array_equal(column + row, repeated)
    for one, other in [((4,), (3,)), ((3, 4), (3,)), ((2, 1, 4), (3, 3))]:
        with pytest.raises(tf.errors.InvalidArgumentError):
            tf.zeros(one) + tf.zeros(other)


@says("Draw a table; dotted cells are copies of those within the shape.")
@says(
    "Three tables of three rows and four columns: the column 10, 20, "
    "30 is repeated to the right in dotted cells; the row 1, 2, 3, 4 "
    "is repeated downwards in dotted cells; their sum runs from 11 to "
    "34 and has no dotted cell"
)
@says("Dotted cells are repetitions.")
def test_the_picture_of_broadcasting() -> None:
    drawn = ran("foundations", "broadcast", "draw_broadcast")["axes"]
    own = []
    for axes, kept in zip(
        drawn, figure("foundations", "draw_broadcast"), strict=True
    ):
        solid = [p.get_linestyle() in ("-", "solid") for p in axes.patches]
        own.append(np.reshape(solid, (3, 4)))
        assert kept.texts[:12] == [text.get_text() for text in axes.texts]
    column, row, total = (
        np.reshape([*map(int, axes.texts[:12])], (3, 4))
        for axes in figure("foundations", "draw_broadcast")
    )
    np.testing.assert_array_equal(column[:, 0], [10, 20, 30])
    np.testing.assert_array_equal(row[0], [1, 2, 3, 4])
    assert (column == column[:, :1]).all()
    assert (row == row[:1]).all()
    assert (total.min(), total.max()) == (11, 34)
    assert own[0][:, 0].all()
    assert not own[0][:, 1:].any()
    assert own[1][0].all()
    assert not own[1][1:].any()
    assert own[2].all()


@says(
    "A column of three and a row of three would have fitted, into nine "
    "numbers."
)
@says(
    "If you meant three, a loss is then [wrong without a "
    "word](traps.md#2-a-row-against-a-column)."
)
def test_a_column_and_a_row_of_three_make_nine() -> None:
    y = tf.constant([1.0, 2.0, 3.0])
    difference = tf.reshape(y, (-1, 1)) - y
    assert tf.size(difference) == 9
    assert tf.reduce_mean(tf.square(difference)) > 1, "of y against itself"


# float32 and float64


@says(
    "`tf.linspace` answers in `float64` if its ends are whole numbers. "
    "With a dot in both, it answers in `float32`."
)
def test_the_dot_in_linspace() -> None:
    assert tf.linspace(-2, 2, 5).dtype == tf.float64
    assert tf.linspace(-2.0, 2.0, 5).dtype == tf.float32
    with pytest.raises(TypeError, match=r"Cannot convert 2\.0"):
        tf.linspace(-2, 2.0, 5)
    told = "from -2 to 2: float64\nfrom -2.0 to 2.0: float32"
    assert printed("foundations", "double") == told


@says("Operators such as `*` refuse tensors of two types:")
@says("The message calls `float64` a double and `float32` a float.")
def test_two_types_are_refused() -> None:
    types = [tf.float32, tf.float64, tf.int32]
    for one in types:
        for other in types:
            pair = tf.constant(1, one), tf.constant(1, other)
            if one == other:
                assert (pair[0] + pair[1]).dtype == one
                continue
            for compute in (operator.add, operator.mul, operator.lt):
                with pytest.raises(tf.errors.InvalidArgumentError):
                    compute(*pair)
    told = printed("foundations", "mixed_types")
    assert "expected to be a double tensor but is a float tensor" in told


@says(
    "In a graph the refusal reads `TypeError: Input 'y' of 'Mul' Op has type "
    "float32 that does not match type int64 of argument 'x'`."
)
@says("Here `x` and `y` are the two sides of the operator `*`.")
@says(
    "It comes of labels that are whole numbers, `int64` or `uint8`, in a "
    "compiled step or in a metric of your own."
)
@says("Write `y = tf.cast(y, y_pred.dtype)` first.")
@says(
    "`fit` casts both for a compiled loss, be it a function or a "
    "`keras.losses.Loss`, and for no such metric."
)
def test_two_types_in_a_graph() -> None:
    said = "Input '{}' of '{}' Op has type {} that does not match type {} of"
    half = tf.constant([[0.5]])

    def product(y: Any, y_pred: Any) -> Any:
        return tf.reduce_mean(y * y_pred)

    def cast(y: Any, y_pred: Any) -> Any:
        return product(tf.cast(y, y_pred.dtype), y_pred)

    step = tf.function(product, autograph=False)
    for kind in ("int64", "uint8"):
        y = tf.ones((1, 1), kind)
        for message, pair in (
            (said.format("y", "Mul", "float32", kind), (y, half)),
            (said.format("y", "Mul", kind, "float32"), (half, y)),
        ):
            with pytest.raises(TypeError, match=message):
                step(*pair)
    assert tf.function(cast, autograph=False)(y, half) == 0.5

    class Loss(tf.keras.losses.Loss):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            assert y_true.dtype == y_pred.dtype == tf.float32
            return product(y_true, y_pred)

    class Metric(tf.keras.metrics.Mean):
        def update_state(self, y: Any, y_pred: Any, **_: Any) -> None:
            super().update_state(product(y, y_pred))

    def fit(loss: Any, metrics: Any) -> Any:
        ones = tf.keras.layers.Dense(1, kernel_initializer="ones")
        model = tf.keras.Sequential([tf.keras.Input((1,)), ones])
        model.compile("sgd", loss, metrics=metrics)
        whole = np.ones((1, 1), "int64")
        return model.fit(half.numpy(), whole, verbose=0).history

    assert fit(product, [cast]) == {"cast": [0.5], "loss": [0.5]}
    assert fit(Loss(), []) == {"loss": [0.5]}
    message = said.format("y", "Mul", "float32", "int64")
    for metric in (product, Metric()):
        with pytest.raises(TypeError, match=message):
            fit("mse", [metric])


@says(
    "and beside whole numbers it loses what stands behind its points. "
    "`tf.add` and `tf.matmul` go by their first argument, and in a "
    "`tf.function` most functions do: an array in that place stays `float64`, "
    "and the variable after it is refused."
)
def test_what_an_array_loses() -> None:
    array, whole = np.array([1.5, 2.5]), tf.constant([1, 2])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (array * whole).numpy().tolist() == [1, 4]
    variable = tf.Variable([1.0, 2.0])
    assert tf.add(variable, array).dtype == tf.float32
    message = "expected to be a double tensor but is a float tensor"
    for call, shape in ((tf.add, [2]), (tf.matmul, [1, 2])):
        first = array.reshape(shape)
        second = tf.Variable(tf.reshape(variable, shape[::-1]))
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            call(first, second)
    message = "has type float32 that does not match type float64"
    for call in (tf.multiply, tf.subtract, tf.maximum, tf.pow, tf.greater):
        call(array, variable)
        with pytest.raises(TypeError, match=message):
            tf.function(lambda v, c=call: c(array, v), autograph=False)(
                tf.constant([1.0, 2.0])
            )
    both = tf.function(lambda v: array * v, autograph=False)
    assert both(tf.constant([1.0, 2.0])).dtype == tf.float32


@says(
    "It makes `float64` of Python's floats and `int64` of its integers, "
    "unless you ask for something else."
)
@says(
    "`tf.constant` keeps that type if you name no other, and `tf.cast` "
    "always names one."
)
@says(
    "The last line makes no tensor of the array first. With an operator such "
    "as `*`, an array takes the type of the variable or tensor on the other "
    "side, without a word"
)
def test_arrays_come_in_as_float64() -> None:
    for array in (np.linspace(-2, 2, 5), np.ones(5), np.array([1.0] * 5)):
        assert array.dtype == np.float64
        assert tf.constant(array).dtype == tf.float64
        assert tf.constant(array, tf.float32).dtype == tf.float32
        assert tf.cast(array, tf.float32).dtype == tf.float32
        with pytest.raises(TypeError):
            tf.cast(array)
        for other in (tf.Variable(3.0), tf.constant(3.0)):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                product = (array * other, other * array)
            assert {p.dtype for p in product} == {tf.float32}
            with pytest.raises(tf.errors.InvalidArgumentError):
                tf.constant(array) * other
    assert np.ones(2, np.float32).dtype == np.float32
    for whole in (np.array([1, 2]), np.arange(3)):
        assert whole.dtype == tf.constant(whole).dtype == np.int64
    lines = printed("foundations", "arrays").split("\n")
    assert [line.split()[-1] for line in lines] == [
        *("float64", "float64", "float32", "float32", "float32")
    ]


@says("`float32` is right to seven digits here, `float64` to sixteen.")
def test_the_digits_of_a_third() -> None:
    threes = re.findall(r"0\.(3+)", printed("foundations", "digits"))
    assert [*map(len, threes)] == [7, 16]


@says(
    "The training of the [guide](basic_training_loops.md) prints the "
    "same numbers in both, and `float32` takes half the memory."
)
def test_the_guide_prints_the_same_in_float64() -> None:
    x, y = (np.asarray(v, np.float64) for v in make_data())
    w, b, lines = np.float64(5), np.float64(0), []
    for epoch in range(11):
        error = x * w + b - y
        loss = np.mean(error**2)
        lines.append(f"epoch {epoch:2}: w {w:.2f}, b {b:.2f}, loss {loss:.4f}")
        w -= 0.1 * 2 * np.mean(error * x)
        b -= 0.1 * 2 * np.mean(error)
    assert (
        printed("basic_training_loops", "training_loop:run").split("\n")
        == lines
    )
    assert 2 * tf.float32.size == tf.float64.size


# Variables


@says(
    "`assign` gives it a new value, and `assign_add` and `assign_sub` "
    "add to the value and subtract from it."
)
@says("`assign_sub` changes the one variable there is:")
@says("You compute with a variable as with a tensor.")
def test_assigning() -> None:
    w = kept = tf.Variable(5.0)
    w.assign(3.0)
    assert kept.numpy() == 3.0
    w.assign_add(0.5)
    assert kept.numpy() == 3.5
    w.assign_sub(1.0)
    assert kept.numpy() == 2.5
    assert kept is w
    assert float(2 * w + 1) == float(2 * tf.constant(2.5) + 1)
    assert tf.is_tensor(tf.square(w))


@says(
    "Older code has `tf.assign`, `tf.assign_add` and `tf.assign_sub` "
    "instead, and `tf.sub` for a difference."
)
@says(
    "They are gone, with an `AttributeError`: `module 'tensorflow' has "
    "no attribute 'assign_sub'`."
)
@says("Write the methods of the variable, and `-` or `tf.subtract`.")
def test_functions_of_older_code_are_gone() -> None:
    for name in ("assign", "assign_add", "assign_sub", "sub"):
        told = f"module 'tensorflow' has no attribute '{name}'"
        with pytest.raises(AttributeError, match=told):
            getattr(tf, name)
    assert tf.subtract(3.0, 1.0) == tf.constant(3.0) - 1.0


@says("Its shape and type stay what they were at the start:")
def test_shape_and_type_of_a_variable_stay() -> None:
    w = tf.Variable(5.0)
    for value in ([1.0, 2.0], tf.constant(1.0, tf.float64)):
        with pytest.raises(ValueError, match=r"shape|dtype"):
            w.assign(value)
    assert (w.shape, w.dtype, float(w)) == ((), tf.float32, 5.0)


@says("A model keeps its variables, and so does a tape or an optimizer.")
def test_variables_are_kept() -> None:
    line = Line("line")
    assert all(
        a is b for a, b in zip(line.variables, line.variables, strict=True)
    )
    with tf.GradientTape() as tape:
        line(1.0)
    assert {*map(id, tape.watched_variables())} == {*map(id, line.variables)}
    optimizer = tf.keras.optimizers.SGD(0.1)
    optimizer.build(line.variables)
    with pytest.raises(ValueError, match="Unknown variable"):
        optimizer.apply_gradients([(tf.constant(1.0), tf.Variable(2.0))])


@says(
    "The variable has not changed. `w - 1.0` is a new tensor, and `=` "
    "moved the name `w` over to it."
)
@says(
    "On the right nobody learns: `w` looks right, and the model has "
    "kept {{ kept.numpy() }}."
)
@says("Draw names and, by arrows, which of the things each stands for.")
@says(
    "Two pictures. After assign_sub both names, w and kept, point to "
    "one variable, 4.0."
)
@says(
    "After w = w minus 1.0 the name w points to a tensor, 4.0, and "
    "kept points to the variable, which is still 5.0"
)
def test_rebinding_leaves_the_variable() -> None:
    names = ran("foundations", "assigned", "rebound", "draw_rebound")
    w, kept = names["rebound"]
    assert not isinstance(w, tf.Variable)
    assert isinstance(kept, tf.Variable)
    assert (float(w), float(kept)) == (4.0, 5.0)
    assert record("foundations")["kept.numpy()"] == "5.0"
    [left, right] = figure("foundations", "draw_rebound")
    assert left.texts == ["w", "kept", "Variable 4.0", "w.assign_sub(1.0)"]
    assert right.texts[:4] == ["w", "kept", "Tensor 4.0", "Variable 5.0"]
    ends = [
        [t.xy[1] for t in names[side].texts[:2]] for side in ("left", "right")
    ]
    assert ends == [[0, 0], [0, 1]]
    heights = [t.xy[1] for t in names["right"].texts[2:4]]
    assert heights == [0, 1], "the tensor above, the variable below"


# The gradient tape


@says(
    "Inside its `with` block a `tf.GradientTape` records what is "
    "computed from variables."
)
@says(
    "The tape recorded it because it watches every trainable variable "
    "that it meets."
)
@says(
    "(TensorFlow puts `:0` behind the names of its variables, Keras puts "
    "nothing behind those of its own.)"
)
def test_the_tape_records_what_it_meets() -> None:
    w, fixed = tf.Variable(3.0, name="w"), tf.Variable(3.0, trainable=False)
    assert w.name == "w:0"
    assert tf.keras.Variable(3.0, name="w").name == "w"
    before = w * 2.0
    with tf.GradientTape(persistent=True) as tape:
        inside, unmet = w * 2.0, fixed * 2.0
    after = w * 2.0
    assert float(tape.gradient(inside, w)) == 2.0
    assert tape.gradient(before, w) is None
    assert tape.gradient(after, w) is None
    assert tape.gradient(unmet, fixed) is None
    assert [v is w for v in tape.watched_variables()] == [True]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        inside = w * 2.0
    assert tape.gradient(inside, w) is None


@says(
    "The slope of `#!math (w - 1)^2` is `#!math 2 \\, (w - 1)`, and for "
    "`#!math w = 3` that is {{ 2 * (3 - 1) }}."
)
@says(
    "The *gradient* of a result says how fast it changes when a "
    "variable does: the slope."
)
@says(
    "Then it goes back through its record, step by step, and finds the "
    "gradient."
)
@says("Return (w - 1) squared, in the shape of w.")
@says("Return the gradient of the function at w, in the shape of w.")
def test_the_gradient_is_the_slope() -> None:
    for w in (-2.0, 0.0, 3.0):
        assert float(slope(bowl, tf.Variable(w))) == pytest.approx(2 * (w - 1))
        rise = ((w + 1e-4 - 1) ** 2 - (w - 1e-4 - 1) ** 2) / 2e-4
        assert float(slope(bowl, tf.Variable(w))) == pytest.approx(
            rise, abs=1e-5
        )
    many = tf.Variable([[0.0, 1.0, 3.0]])
    np.testing.assert_allclose(bowl(many), [[1, 0, 4]], atol=EXTENT)
    np.testing.assert_allclose(slope(bowl, many), [[-2, 0, 4]], atol=EXTENT)
    chain = slope(lambda w: tf.exp(tf.sin(w**2)), tf.Variable(0.5))
    exact = math.exp(math.sin(0.25)) * math.cos(0.25) * 1.0
    assert float(chain) == pytest.approx(exact, abs=1e-5)
    assert record("foundations")["2 * (3 - 1)"] == "4"
    assert "gradient: 4.0" in printed("foundations", "tape")


@says(
    "At each of two places, the gradient is the slope of the line that "
    "touches the curve."
)
@says(
    "The bowl, least at w = 1. At w = 0 a falling line touches it, "
    "with the gradient minus two; at w = 2.5 a steeper, rising line, "
    "with the gradient three"
)
@says(
    "Left of the lowest point the gradient is negative, right of it positive."
)
@says("So a step *against* the gradient leads down from both sides.")
def test_the_picture_of_tangents() -> None:
    [axes] = figure("foundations", "tangents")
    curve, falling, rising = axes.points.values()
    assert curve.x[np.argmin(curve.y)] == 1.0
    assert min(curve.y) == pytest.approx(0.0, abs=1e-6)
    for line, place, steep in ((falling, 0.0, -2.0), (rising, 2.5, 3.0)):
        rises = np.diff(line.y) / np.diff(line.x)
        np.testing.assert_allclose(rises, steep, atol=1e-4)
        assert line.x[1] == place
        assert line.y[1] == pytest.approx((place - 1) ** 2), "touches"
        assert f"gradient {steep:.0f} at w = {place}" in axes.points
    for start in np.linspace(-1.4, 3.4, 9):
        steep = float(slope(bowl, tf.Variable(start, dtype=tf.float32)))
        assert (steep < 0) == (start < 1)
        assert bowl(start - 0.1 * steep) <= bowl(start)


@says("Ask for the gradients of a list and you get a list.")
@says(
    "The gradients come in the order in which you asked, each in the "
    "shape and type of its variable."
)
@says(
    "(That of an `Embedding` is of type `tf.IndexedSlices` and has the rows "
    "that were used.)"
)
@says(
    "Here are a line with weight `w` and bias `b`, three points, and "
    "the mean of the squared errors."
)
@says(
    "Of two losses, `tape.gradient([loss1, loss2], [w, b])` is the gradient "
    "of the sum."
)
def test_gradients_of_a_list() -> None:
    table = tf.keras.layers.Embedding(5, 2)
    with tf.GradientTape() as tape:
        used = tf.reduce_sum(table(tf.constant([1, 3])))
    [sparse] = tape.gradient(used, table.trainable_variables)
    assert isinstance(sparse, tf.IndexedSlices)
    assert (sparse.values.shape, [*sparse.indices.numpy()]) == ((2, 2), [1, 3])
    w, b = tf.Variable([[1.0, 2.0]]), tf.Variable(1.0, dtype=tf.float64)
    with tf.GradientTape(persistent=True) as tape:
        result = tf.reduce_sum(3 * w) + tf.cast(5 * b, tf.float32)
    for variables in ([w, b], [b, w]):
        found = tape.gradient(result, variables)
        assert type(found) is list
        for one, variable in zip(found, variables, strict=True):
            assert (one.shape, one.dtype) == (variable.shape, variable.dtype)
            assert (one.numpy() == (3.0 if variable is w else 5.0)).all()
    w, b = tf.Variable(3.0), tf.Variable(2.0)
    with tf.GradientTape(persistent=True) as tape:
        loss1, loss2 = w**2, 5.0 * w * b
        both = loss1 + loss2
    of_list = tape.gradient([loss1, loss2], [w, b])
    assert [*map(float, of_list)] == [6.0 + 10.0, 15.0]
    assert of_list == tape.gradient(both, [w, b])
    left = ran("foundations", "several")
    assert len(left["x"]) == 3
    error = 5.0 * left["x"].numpy() - left["y"].numpy()
    assert float(left["current_loss"]) == pytest.approx(
        np.mean(error**2), rel=1e-6
    )


@says("A gradient for each example: jacobian")
@says(
    "Without the mean there is a loss for each example of a batch. `gradient` "
    "adds up what they ask for, and `jacobian` keeps it apart."
)
@says(
    "These are the per-example gradients. The first point is on the line "
    "already and asks for nothing, the third asks for most."
)
@says(
    "Of a weight that is a matrix a jacobian is a stack of matrices, one for "
    "each example."
)
@says(
    "With losses of shape `(batch, 1)` it has one axis more, unless "
    "`tf.squeeze(losses, 1)` comes before, on the tape."
)
def test_a_gradient_for_each_example() -> None:
    left = ran("foundations", "several", "each_example")
    x, y = left["x"].numpy(), left["y"].numpy()
    due = 2 * (5.0 * x - y) * x
    tape, losses, w = left["tape"], left["losses"], left["w"]
    assert tape.jacobian(losses, w).numpy() == pytest.approx(due, rel=1e-6)
    assert float(tape.gradient(losses, w)) == pytest.approx(due.sum())
    assert due[0] == 0.0
    assert due.argmax() == 2

    rows = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]])
    matrix = tf.Variable(tf.ones([2, 3]))
    with tf.GradientTape(persistent=True) as tape:
        each = tf.reduce_sum(tf.square(rows @ matrix), axis=1)
        column = each[:, tf.newaxis]
        squeezed = tf.squeeze(column, 1)
    late = tf.squeeze(column, 1)
    stack = tape.jacobian(each, matrix)
    assert stack.shape == (4, 2, 3)
    assert tape.jacobian(column, matrix).shape == (4, 1, 2, 3)
    assert np.array_equal(tape.jacobian(squeezed, matrix), stack)
    assert tape.jacobian(late, matrix) is None
    for row, found in zip(rows[:, tf.newaxis], stack, strict=True):
        with tf.GradientTape() as tape:
            one = tf.reduce_sum(tf.square(row @ matrix))
        assert found.numpy() == pytest.approx(
            tape.gradient(one, matrix).numpy()
        )


@says(
    "To clip the gradient of each example before the mean, as DP-SGD does, so "
    "that none counts too much, take its norm over all variables."
)
@says("Return the means of gradients, that of each example clipped.")
@says(
    "A stack holds the gradients of one variable, one for each example.",
)
@says("No example asks for more than 5 now.")
def test_no_example_asks_for_more_than_its_limit() -> None:
    left = ran("foundations", "several", "each_example", "use_clip_each")
    stacks = left["stacks"]
    slopes = np.stack(stacks, axis=1)
    norms = np.linalg.norm(slopes, axis=1)
    assert norms[0] == 0.0
    assert (norms[1:] > 5.0).all()
    apart = [clip_each([s[n : n + 1] for s in stacks], 5.0) for n in range(3)]
    found = np.linalg.norm(apart, axis=1)
    assert found.tolist() == pytest.approx([0.0, 5.0, 5.0])
    told = [
        [float(n) for n in line.split(": ")[1].split()]
        for line in printed("foundations", "use_clip_each").splitlines()
    ]
    assert told[0] == pytest.approx(np.mean(apart, axis=0), abs=0.005)
    assert told[1] == pytest.approx(slopes.mean(axis=0), abs=0.005)


def largest(function: Callable[[], Any]) -> int:
    """Return how many numbers the largest tensor of its graph has."""
    graph = tf.function(function).get_concrete_function().graph
    defined = graph.as_graph_def(add_shapes=True)
    nodes = [*defined.node]
    for inner in defined.library.function:
        nodes += inner.node_def
    sizes = [
        [axis.size for axis in shape.dim]
        for node in nodes
        for shape in node.attr["_output_shapes"].list.shape
    ]
    return max(int(np.prod(size)) for size in sizes if -1 not in size)


@says("A jacobian of rows: batch_jacobian, and why it is slow")
@says(
    "A row of outputs mostly depends on its own row of inputs alone. "
    "`jacobian` returns the zeros of all other rows as well, and "
    "`batch_jacobian` leaves them out. (Of a `BatchNormalization` in "
    "training, where rows depend on each other, it returns something else, "
    "without a word.)"
)
@says(
    "Neither is cheap. `jacobian` takes a backward pass for each number of "
    "the output, here 12. `batch_jacobian` goes through all rows at once, and "
    "takes one for each number of a row, here 4."
)
@says(
    "The passes run together and need the memory of all; with "
    "`experimental_use_pfor=False` they run one after another."
)
@says("A weight has no rows, so for a weight take `jacobian`.")
def test_jacobians_of_rows() -> None:
    left = ran("foundations", "of_rows")
    tape, rows, outputs = left["tape"], left["rows"], left["outputs"]
    whole = tape.jacobian(outputs, rows).numpy()
    own = tape.batch_jacobian(outputs, rows).numpy()
    assert (whole.shape, own.shape) == ((3, 4, 3, 2), (3, 4, 2))
    assert outputs.shape == (3, 4)
    for one in range(3):
        for other in range(3):
            block = whole[one, :, other]
            assert block.any() == (one == other)
        assert (whole[one, :, one] == own[one]).all()

    normalize, x = tf.keras.layers.BatchNormalization(), tf.Variable(rows)
    x.assign([[1.0, 2.0], [4.0, 3.0], [5.0, 9.0]])
    for training in (False, True):
        with tf.GradientTape(persistent=True) as tape:
            result = normalize(x, training=training)
        whole = tape.jacobian(result, x).numpy()
        own = tape.batch_jacobian(result, x).numpy()
        gaps = [abs(whole[row, :, row] - own[row]).max() for row in range(3)]
        assert bool(whole[0, :, 1].any()) == training
        assert min(gaps) > 0.1 if training else max(gaps) == 0.0

    passes = []

    @tf.custom_gradient
    def marked(values: Any) -> Any:
        def back(due: Any) -> Any:
            passes.append(due)
            return due

        return tf.identity(values), back

    first, last = tf.ones([2, 100]), tf.ones([100, 4])

    def asked(kind: str, together: bool) -> Any:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(rows)
            result = marked(tf.tanh(rows @ first) @ last)
        ask = getattr(tape, kind)
        return ask(result, rows, experimental_use_pfor=together)

    for kind, due in (("jacobian", 12), ("batch_jacobian", 4)):
        for together in (True, False):
            passes.clear()
            asked(kind, together)
            assert len(passes) == (1 if together else due)
            size = largest(functools.partial(asked, kind, together))
            if together:
                assert size == due * 3 * 100
            else:
                assert size <= 4 * 100

    weight = tf.Variable(left["matrix"])
    with tf.GradientTape(persistent=True) as tape:
        outputs = tf.tanh(rows @ weight)
    assert tape.jacobian(outputs, weight).shape == (3, 4, 2, 4)
    with pytest.raises(ValueError, match="Need first dimension of target"):
        tape.batch_jacobian(outputs, weight)


@says("A tape answers once, and then lets go of its record:")
@says("If you must ask twice, make the tape with `persistent=True`.")
def test_a_tape_answers_once() -> None:
    w = tf.Variable(3.0)
    for persistent in (False, True):
        with tf.GradientTape(persistent=persistent) as tape:
            result = w**2
        assert float(tape.gradient(result, w)) == 6.0
        if persistent:
            assert float(tape.gradient(result, w)) == 6.0
            continue
        with pytest.raises(RuntimeError, match="one set of gradients"):
            tape.gradient(result, w)


# Six ways to get None


@says(
    "Tensors, variables, the gradient tape and modules, and six ways "
    "to lose a gradient in TensorFlow."
)
@says("Six ways to get None")
@says(
    "Here are six ways to get there. Each comes twice: as code that "
    "looks right, and mended, with the check."
)
@says("One line tells: `assert None not in gradients`.")
def test_the_ways_are_six_and_come_twice() -> None:
    assert [way[:2] for way in WAYS] == [f"{n}." for n in range(1, 7)]
    for way in WAYS:
        shown = re.findall(r':(\w+)" title="(.+?)"', way)
        assert [title for _, title in shown] == ["Looks right", "Mended"]
        [(wrong, _), (mended, _)] = shown
        assert "None" in printed("foundations", wrong)
        assert "None" not in printed("foundations", mended)
        assert "assert None not in gradients" in BLOCKS[mended].code
    with pytest.raises(AssertionError):
        assert None not in [tf.constant([1.0, 2.0]), None]
    assert None not in [tf.constant([1.0, 2.0])]


@says(
    "When the tape has no record of a way from the variable to the "
    "result, the gradient is `None`."
)
@says("It is not an error, not yet.")
def test_none_is_no_error() -> None:
    w = tf.Variable(3.0)
    assert gradient(lambda w: tf.constant(5.0), w) is None
    assert gradient(tf.stop_gradient, w) is None
    assert gradient(tf.identity, w) is not None


@says("The square is computed first, and the tape starts after it.")
@says(
    "The tape has seen a number being multiplied by five, and nothing of `w`."
)
@says(
    "Is all of it computed inside the `with` block? | no: "
    "[1](#1-computed-before-the-tape)"
)
def test_way_1() -> None:
    left = ran("foundations", "before")
    lines = BLOCKS["before"].code.split("\n")
    assert lines.index("square = w**2") < lines.index(
        "with tf.GradientTape() as tape:"
    )
    assert left["tape"].watched_variables() == ()
    assert float(left["result"]) == 5 * float(left["square"]) == 45.0
    assert left["gradients"] == [None]


@says("Only variables that were made as trainable are watched by themselves.")
@says("Sometimes you want the gradient of an input, which is a tensor.")
@says(
    "Is it a trainable variable, or watched? | no: "
    "[2](#2-a-tensor-that-nobody-watches), [5](#5-a-variable-rebound)"
)
def test_way_2() -> None:
    left = ran("foundations", "unwatched")
    assert not isinstance(left["x"], tf.Variable)
    assert left["gradients"] == [None]
    assert gradient(tf.square, tf.Variable(3.0, trainable=False)) is None
    assert float(gradient(tf.square, tf.Variable(3.0))) == 6.0
    for made in (True, False):
        later = keras.Variable(3.0, trainable=made)
        later.trainable = not made
        with tf.GradientTape() as tape:
            result = 2.0 * later
        assert (tape.gradient(result, later) is not None) == made
    assert (
        float(ran("foundations", "unwatched", "watched")["gradients"][0])
        == 6.0
    )


@says(
    "With respect to `model.input` there is no gradient at all: it stands for "
    "an input and has no numbers, and the tape says `'KerasTensor' object has "
    "no attribute '_id'`."
)
@says(
    "Watch the tensor that you hand to the model. If that is an array, make a "
    "tensor of it first."
)
def test_the_input_of_a_model_is_none_of_its_inputs() -> None:
    inputs = tf.keras.Input((2,))
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(1)(inputs))
    array = np.array([[1.0, 2.0]], np.float32)
    x = tf.constant(array)
    assert not hasattr(model.input, "numpy")
    for unwatched in (model.input, model.inputs):
        with pytest.raises(AttributeError, match="'KerasTensor' object has n"):
            gradient(lambda _: model(x), unwatched)
    for refused in (model.input, array):
        with pytest.raises(ValueError, match=r"not tf\.Tensor or tf\.Var"):
            tf.GradientTape().watch(refused)
    with tf.GradientTape() as tape:
        tape.watch(x)
        result = model(x)
    found = tape.gradient(result, x)
    np.testing.assert_allclose(found, tf.transpose(model.layers[-1].kernel))


@says("Here the value leaves TensorFlow on the way.")
@says(
    "What NumPy holds is a number without a past. The same happens "
    "with `float(w)`, with a function of NumPy on the way, such as "
    "`np.square(w)`, and with an array of NumPy in front of a weight of "
    "Keras: write `model.w * array`, not `array * model.w`."
)
@says(
    "`tf.numpy_function` has no gradient either. `tf.py_function` has one if "
    "it calculates with TensorFlow, and for the variables that it is handed: "
    "for one that it knows from outside there is `None`."
)
@says("Does it leave TensorFlow on the way? | yes: [3](#3-through-numpy)")
@pytest.mark.filterwarnings("ignore:__array__ implementation")
def test_way_3() -> None:
    assert "tf.square(w.numpy())" in BLOCKS["through_numpy"].code
    w = tf.Variable(3.0)
    leaving: list[Function] = [
        lambda w: tf.square(w.numpy()),
        lambda w: tf.square(float(w)),
        lambda w: tf.reduce_sum(np.square(w)),
    ]
    leaving.append(lambda w: tf.numpy_function(np.square, [w], tf.float32))
    leaving.append(lambda w: tf.py_function(lambda: w**2, [], tf.float32))
    for way in leaving:
        assert float(way(w)) == 9.0
        assert gradient(way, w) is None
    handed: list[Function] = [tf.square]
    handed.append(lambda w: tf.py_function(tf.square, [w], tf.float32))
    for way in handed:
        assert float(gradient(way, w)) == 6.0
        assert float(gradient(tf.function(way, autograph=False), w)) == 6.0
    array, kernel = np.array([3.0], "float32"), tf.keras.Variable([3.0])
    with tf.GradientTape(persistent=True) as tape:
        last, first = kernel * array, array * kernel
    assert last.numpy() == first == 9.0
    assert tape.gradient(last, kernel.value).numpy() == 3.0
    assert not tf.is_tensor(first)
    for way in leaving[3:]:
        assert gradient(tf.function(way, autograph=False), w) is None


@says("This one and its mend differ by `.0`.")
@says(
    "A whole number cannot change by a little, so it has no slope. A "
    "cast to `int32` on the way ends it just as well, and so do `tf.argmax`, "
    "`tf.round` and a comparison: a loss made with them, such as an accuracy, "
    "is not differentiable."
)
@says(
    "Indices are whole numbers, too: `tf.gather` and `tf.gather_nd` have a "
    "gradient for what they pick from, and none for the place. `tf.argsort` "
    "has none, but `tf.sort` has."
)
def test_indices_have_no_gradient() -> None:
    w, table = tf.Variable([2.2, 0.4]), tf.constant([5.0, 6.0, 7.0])
    places = tf.constant([[1], [1]])
    for pick in (tf.gather, tf.gather_nd):

        def place(w: tf.Variable, pick: Any = pick) -> Any:
            return pick(table, tf.cast(w, tf.int32)[:, tf.newaxis])

        def source(w: tf.Variable, pick: Any = pick) -> Any:
            return pick(w, places)

        assert place(w).numpy().ravel().tolist() == [7.0, 5.0]
        assert gradient(place, w) is None
        found = tf.convert_to_tensor(gradient(source, w))
        assert found.numpy().tolist() == [0.0, 2.0]
        with pytest.raises((tf.errors.InvalidArgumentError, TypeError)):
            pick(table, w[:, tf.newaxis])
    weights = tf.constant([1.0, 3.0])

    def places_sorted(w: tf.Variable) -> Any:
        return tf.cast(tf.argsort(w), tf.float32) * weights

    assert gradient(places_sorted, w) is None
    found = gradient(lambda w: tf.sort(w) * weights, w)
    assert found.numpy().tolist() == [3.0, 1.0]


@says("A loop over a dataset in a tf.function")
@says("Return the gradient of a sum over a dataset.")
@says("Return the gradients of the parts, added up.")
@says(
    "In the graph the dataset itself runs such a loop, and through a dataset "
    "no gradient comes back. So it is with its `reduce`, and with a model "
    "that is called in its `map`, both of them eagerly as well. A loop over a "
    "tensor is another matter."
)
@says(
    "Does a dataset run the loop, or the model? | yes: [a loop] … tffunction)"
)
def test_no_gradient_through_a_dataset() -> None:
    shown = printed("foundations", "summed_in_graph").splitlines()
    assert shown == ["eager: 5.0", "compiled: None"]
    assert printed("foundations", "added_in_graph") == "compiled: 5.0"
    w, rows = tf.Variable(3.0), tf.constant([2.0, 3.0])
    batches = tf.data.Dataset.from_tensor_slices(rows)

    def total(w: tf.Variable, parts: Any) -> Any:
        added = 0.0
        for part in parts:
            added += w * part
        return added

    for parts, found in ((batches, None), (rows, 5.0)):
        eager = functools.partial(total, parts=parts)
        compiled = tf.function(eager)
        assert gradient(compiled, w) == found
        assert gradient(eager, w) == 5.0
        graph = compiled.get_concrete_function(w).graph
        kinds = {operation.type for operation in graph.get_operations()}
        assert ("ReduceDataset" in kinds) is (found is None)

    def reduced(w: tf.Variable) -> Any:
        return batches.reduce(0.0, lambda added, part: added + w * part)

    def mapped(w: tf.Variable) -> Any:
        return sum(batches.map(lambda part: w * part))

    for function in (reduced, mapped):
        assert float(function(w)) == 15.0
        assert gradient(function, w) is None
    assert gradient(tf.function(reduced), w) is None


@says(
    "A variational autoencoder (VAE) learns a mean and a standard deviation, "
    "and its loss depends on a number drawn with them."
)
@says("A random draw: the gradient through sampling is None")
@says("This is the [third way](#3-through-numpy) again.")
def test_a_draw_by_numpy_has_no_past() -> None:
    assert printed("foundations", "drawn_by_numpy") == "gradients: None None"
    mean, stddev = tf.Variable(1.0), tf.Variable(0.5)

    def drawn(variables: Any) -> Any:
        generator = np.random.default_rng(seed=1)
        return tf.square(tf.constant(generator.normal(*variables)))

    assert drawn([mean, stddev]) != drawn([mean, 2.0 * stddev])
    assert gradient(drawn, [mean, stddev]) == [None, None]


@says("Both gradients agree with the closed form.")
@says(
    "`tf.random.normal` and `tf.random.stateless_normal` scale and shift "
    "their noise in the same way, so that with `mean` and `stddev` handed to "
    "them the gradients are there as well."
)
def test_a_normal_draw_has_gradients() -> None:
    shown = printed("foundations", "reparameterized").splitlines()
    found, closed = (re.findall(r"-?\d+\.\d+", line) for line in shown)
    assert found == closed
    assert len(found) == 2
    mean, stddev = tf.Variable(1.0), tf.Variable(0.5)
    same = functools.partial(tf.random.stateless_normal, (), seed=(1, 2))
    for draw in (same, functools.partial(tf.random.normal, ())):
        with tf.GradientTape(persistent=True) as tape:
            z = draw(mean=mean, stddev=stddev)
        noise = (float(z) - 1.0) / 0.5
        assert float(tape.gradient(z, mean)) == 1.0
        found_slope = float(tape.gradient(z, stddev))
        assert found_slope == pytest.approx(noise, abs=1e-5)
    assert float(same(mean=mean, stddev=stddev)) == pytest.approx(
        float(mean + stddev * same())
    )


@says(
    "The draw of one choice among several, such as an action, is [a whole "
    "number](#4-a-whole-number), and has no gradient either."
)
@says("The expected value over all choices has one.")
def test_a_choice_has_no_gradient_and_its_expected_value_has() -> None:
    drawn, expected = printed("foundations", "drawn_choice").splitlines()
    assert drawn == "choice: int64 None"
    p = 1 / (1 + math.exp(-1.0))
    found = [float(n) for n in re.findall(r"-?\d+\.\d+", expected)]
    right = [-3 * p * (1 - p), 3 * p * (1 - p)]
    assert found == pytest.approx(right, abs=1e-4)


@says("An accuracy or the F1 score as a loss function")
@says(
    "Both count right answers, with `tf.round`, `tf.argmax` or [a "
    "comparison](#4-a-whole-number), so the gradient is `None`. So it is "
    "with an object of `tf.keras.metrics` as the loss."
)
@says(
    "Where TensorFlow has no gradient at all, as for `tf.unique`, it is an "
    "error, `LookupError: gradient registry has no entry for: Unique`. That "
    "of `ArgMax` is no longer one."
)
@says("Is its dtype a floating-point type? | no: [4](#4-a-whole-number)")
def test_way_4() -> None:
    wrong, mended = BLOCKS["whole_number"].code, BLOCKS["float_number"].code
    assert mended.startswith(wrong.replace("Variable(3)", "Variable(3.0)"))
    for dtype in (tf.int32, tf.int64):
        assert gradient(tf.square, tf.Variable(3, dtype=dtype)) is None
    for dtype in (tf.float16, tf.float32, tf.float64):
        assert float(gradient(tf.square, tf.Variable(3, dtype=dtype))) == 6.0

    def cast(step: Function) -> Function:
        return lambda w: tf.cast(step(w), tf.float32)

    for step in (tf.argmax, tf.round, lambda w: w > 1.0):
        assert gradient(cast(step), tf.Variable([1.2, 3.4])) is None

    def through(dtype: Any) -> Function:
        return lambda w: tf.square(tf.cast(tf.cast(w, dtype), tf.float32))

    assert gradient(through(tf.int32), tf.Variable(3.0)) is None
    assert float(gradient(through(tf.float64), tf.Variable(3.0))) == 6.0

    label = tf.constant([[1.0], [0.0]])

    def counted_f1(w: tf.Variable) -> tf.Tensor:
        found = tf.round(tf.sigmoid(w))
        return (
            2.0 * tf.reduce_sum(found * label) / tf.reduce_sum(found + label)
        )

    def measured(w: tf.Variable) -> tf.Tensor:
        metric = tf.keras.metrics.F1Score(average="micro", threshold=0.5)
        metric.update_state(label, tf.sigmoid(w))
        return metric.result()

    def entropy(w: tf.Variable) -> tf.Tensor:
        return tf.keras.losses.BinaryCrossentropy()(label, tf.sigmoid(w))

    with pytest.raises(LookupError, match="registry has no entry for: Unique"):
        gradient(lambda w: tf.unique(w)[0], tf.Variable([1.2, 3.4]))
    for score in (counted_f1, measured):
        assert gradient(score, tf.Variable([[0.4], [0.7]])) is None

    def function(w: tf.Variable) -> tf.Tensor:
        return tf.keras.metrics.mse(label, w)

    for loss in (entropy, function):
        assert gradient(loss, tf.Variable([[0.4], [0.7]])) is not None


@says("In a loop it takes one step to show.")
@says(
    "From the second step on `w` is a tensor, which nobody watches. "
    "Here that is an error, because `None` cannot be multiplied."
)
@says("`assign_sub` keeps the variable.")
@says(
    "Is it a trainable variable, or watched? | no: "
    "[2](#2-a-tensor-that-nobody-watches), [5](#5-a-variable-rebound)"
)
def test_way_5() -> None:
    told = printed("foundations", "step_rebound").split("\n")
    assert told[0].startswith("step 0, gradients: tf.Tensor(6.0")
    assert told[1] == "step 1, gradients: None"
    assert told[2].endswith("*: 'float' and 'NoneType'")
    with pytest.raises(TypeError, match="NoneType"):
        _ = 0.1 * None  # type: ignore[operator]
    w = tf.Variable(3.0)
    assert not isinstance(w - 0.1, tf.Variable)
    assert gradient(tf.square, w - 0.1) is None
    assert isinstance(ran("foundations", "step_assigned")["w"], tf.Variable)


@says(
    "A loop that takes its variables from the model anew in each step "
    "meets no error: [its loss stands "
    "still](traps.md#4-a-variable-rebound)."
)
def test_rebinding_without_an_error() -> None:
    assert (
        "variables = model.trainable_variables"
        in ({b.name: b.code for b in read("traps").blocks}["rebound"])
    )
    _, *losses = printed("traps", "rebound").split()
    assert len(losses) > 3
    assert len({*losses}) == 1


@says("A line has two variables. This one forgets its `b`.")
@says("The result does not change with `b`, whatever `b` is.")
@says("Does the result use it? | no: [6](#6-a-variable-that-is-not-used)")
def test_way_6() -> None:
    assert "result = (2.0 * w) ** 2" in BLOCKS["unused"].code
    left = ran("foundations", "unused")
    assert float(left["gradients"][0]) == 24.0
    assert left["gradients"][1] is None
    assert left["b"].trainable
    assert left["b"].dtype.is_floating
    mended = ran("foundations", "used", w=left["w"], b=left["b"])
    assert [*map(float, mended["gradients"])] == [24.0, 12.0]


@says(
    '`tape.gradient(…, unconnected_gradients="zero")` returns zeros in place '
    "of `None`, in all six ways alike, and so it hides what they are."
)
@says(
    "If it is a variable of Keras whose gradient is missing, it raises `'str' "
    "object has no attribute '_type_enum'`; hand over `[v.value for v in "
    "variables]`."
)
def test_zeros_in_place_of_none() -> None:
    zero = ', unconnected_gradients="zero")'
    wrong = [re.findall(r":(\w+)\" title", way)[0] for way in WAYS]
    assert len(wrong) == 6
    for name in wrong:
        code = BLOCKS[name].code
        asked, count = re.subn(r"(tape\.gradient\(.+)\)", r"\1" + zero, code)
        assert count == 1
        for text, found in ((code, "None"), (asked, "0")):
            names: Names = {"tf": tf, "w": tf.Variable(3.0)}
            try:
                exec(text, names)
            except TypeError:
                assert (name, found) == ("step_rebound", "None")
            last = names["gradients"][-1]
            assert str(last if last is None else int(last)) == found

    used, unused = tf.keras.Variable(3.0), tf.keras.Variable(1.0)

    def slopes(variables: list[Any], **named: Any) -> Any:
        with tf.GradientTape() as tape:
            result = 2.0 * used
        return tape.gradient(result, variables, **named)

    both, named = [used, unused], {"unconnected_gradients": "zero"}
    assert slopes(both)[1] is None
    with pytest.raises(AttributeError, match="'str' object has no attribute"):
        slopes(both, **named)
    assert [*map(float, slopes([used], **named))] == [2.0]
    found = slopes([variable.value for variable in both], **named)
    assert [*map(float, found)] == [2.0, 0.0]


@says("Gradients do not exist for variables")
@says(
    "An optimizer from Keras that is given `None` among its gradients "
    "leaves that variable alone."
)
@says("One warning, and half a model that does not learn.")
@says("Only if *all* gradients are missing is it an error:")
def test_what_an_optimizer_does_with_none() -> None:
    for make in (tf.keras.optimizers.SGD, tf.keras.optimizers.Adam):
        w, b = tf.Variable(3.0, name="w"), tf.Variable(0.5, name="b")
        optimizer = make(0.1)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            optimizer.apply_gradients([(tf.constant(6.0), w), (None, b)])
        assert [c.category for c in caught] == [UserWarning]
        assert "Gradients do not exist" in str(caught[0].message)
        assert float(w) < 3.0
        assert float(b) == 0.5
        with pytest.raises(ValueError, match="No gradients provided"):
            optimizer.apply_gradients([(None, w), (None, b)])
    left = ran("foundations", "unused", "some_none")
    assert len(left["caught"]) == 1


@says("None values not supported")
@says("Whoever calculates with a gradient that is `None` meets it sooner.")
@says(
    "In a compiled step `tf.clip_by_value` and `tf.clip_by_norm` raise "
    "`ValueError: None values not supported.`, as most functions do; an "
    "eager one names its type, `NoneType`."
)
@says("`tf.clip_by_global_norm` hands the `None` on.")
def test_calculating_with_none() -> None:
    for call in (
        functools.partial(tf.clip_by_value, None, -1.0, 1.0),
        functools.partial(tf.clip_by_norm, None, 1.0),
        functools.partial(tf.square, None),
        functools.partial(tf.reduce_sum, None),
    ):
        graph = tf.function(call, autograph=False)
        with pytest.raises(ValueError, match="None values not supported"):
            graph()
        with pytest.raises(ValueError, match="NoneType"):
            call()
    clipped, norm = tf.clip_by_global_norm([None, tf.constant([3.0])], 1.0)
    assert clipped[0] is None
    assert clipped[1].numpy().tolist() == [1.0]
    assert float(norm) == 3.0


@says(
    "`fit` says so without any gradient, too: if a model of one output was "
    "given no `y`, or if a loss of your own calculates with "
    "`y_pred.shape[0]`. The number of rows may be unknown in a graph, and "
    "then it is `None` there; "
    "`tf.shape(y_pred)[0]` is the number."
)
def test_none_in_fit() -> None:
    x = np.arange(40.0, dtype="float32")[:, np.newaxis]

    def by_shape(y: Any, y_pred: Any) -> Any:
        return tf.reduce_sum(tf.square(y - y_pred)) / y_pred.shape[0]

    def by_number(y: Any, y_pred: Any) -> Any:
        rows = tf.cast(tf.shape(y_pred)[0], y.dtype)
        return tf.reduce_sum(tf.square(y - y_pred)) / rows

    def compiled(own: Any) -> Any:
        dense = tf.keras.layers.Dense(1, kernel_initializer="ones")
        model = tf.keras.Sequential([tf.keras.Input((1,)), dense])
        model.compile("sgd", own)
        return model

    for own, data in ((by_number, (x,)), ("mse", (x,)), (by_shape, (x, x))):
        with pytest.raises(ValueError, match="None values not supported"):
            compiled(own).fit(*data, verbose=0)
    inputs = tf.keras.Input((1,))
    outputs = [tf.keras.layers.Dense(1)(inputs) for _ in range(2)]
    two: Any = tf.keras.Model(inputs, outputs)
    two.compile("sgd", ["mse", "mse"])
    with pytest.raises(ValueError, match="have different structures"):
        two.fit(x, verbose=0)
    model = compiled(by_number)
    expected = float(np.mean(x**2))
    found = model.evaluate(x, 2.0 * x, verbose=0)
    assert found == pytest.approx(expected, rel=1e-5)
    model.fit(x, x, verbose=0)


@says(
    "A model whose `call` has none returns `None`, and `fit` says the same, "
    "as it does of a compiled loss that has none."
)
@says(
    "In a loop of your own the tape says of such a loss `Argument target "
    "should be a list or nested structure of Tensors, Variables or "
    "CompositeTensors to be differentiated, but received None`."
)
def test_no_return() -> None:
    class Mute(tf.keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = tf.keras.layers.Dense(1)

        def call(self, x: Any) -> None:
            self.dense(x)

    x = tf.ones((3, 1))
    model = Mute()
    assert model(x) is None
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="None values not supported"):
        model.fit(x, x, verbose=0)
    w = tf.Variable(2.0)

    def mute(y: Any, y_pred: Any = 0.0) -> Any:
        tf.square(y - y_pred)

    spoken = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    spoken.compile("sgd", mute)
    with pytest.raises(ValueError, match="None values not supported"):
        spoken.fit(x, x, verbose=0)

    def step() -> None:
        with tf.GradientTape() as tape:
            value = mute(w)
        tape.gradient(value, [w])

    said = (
        "Argument `target` should be a list or nested structure of Tensors, "
        "Variables or CompositeTensors to be differentiated, but received "
        "None"
    )
    for call in (step, tf.function(step)):
        with pytest.raises(TypeError, match=said):
            call()


def shares(function: Callable[[], Any], variables: Any) -> list[float]:
    """Return which share of each gradient is zero."""
    found = gradient(lambda _: function(), variables)
    return [float(tf.nn.zero_fraction(one)) for one in found]


@says("The gradient is 0, not None")
@says("The model is sure of the wrong class, and the cross-entropy is written")
@says("Nothing is missing here, the slope itself is zero.")
@says(
    "In `float32` the softmax is a 1 and a 0, and stays so when `w` moves a "
    "little. All gradients are zero, without a warning; without the `1e-7` "
    "they are NaN. The log of a `sigmoid` is no better."
)
@says(
    "A function that is given the logits has a slope wherever the answer is "
    "wrong, and so has a loss of Keras with `from_logits=True`."
)
@says(
    "**The check** is the last line: a variable whose gradient is all zeros "
    "does not learn from this batch."
)
def test_a_saturated_softmax_has_no_slope() -> None:
    assert printed("foundations", "saturated").endswith("zeros: 100% 100%")
    assert printed("foundations", "unsaturated").endswith("zeros: 0% 0%")
    last = BLOCKS["unsaturated"].code.splitlines()[-1]
    assert last == "assert max(zeros) < 1.0"
    left = ran("foundations", "saturated")
    x, w, b, label = (left[name] for name in ("x", "w", "b", "label"))
    assert left["p"].numpy().tolist() == [[1.0, 0.0]]
    assert label.numpy().tolist() == [[0.0, 1.0]]
    for near in (-1.0, 1.0):
        assert tf.nn.softmax(x @ (w + near) + b).numpy().tolist() == [[1, 0]]
    with pytest.raises(AssertionError):
        assert max(left["zeros"]) < 1.0

    def by_hand(squash: Function, safe: float) -> Function:
        return lambda s: -tf.math.log(safe + squash(s)[..., -1])

    logits = tf.Variable([[60.0, -60.0]])
    sure = tf.Variable([[-60.0]])
    cases: list[tuple[Function, tf.Variable]] = [(tf.nn.softmax, logits)]
    cases.append((lambda s: 1.0 - tf.sigmoid(-s), sure))
    for squash, variable in cases:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = gradient(by_hand(squash, 1e-7), variable).numpy()
        assert not found.any()
        unsafe = gradient(by_hand(squash, 0.0), variable).numpy()
        assert np.isnan(unsafe).all()
    losses = tf.keras.losses
    for loss, target, scores, slopes in (
        (losses.CategoricalCrossentropy, label, logits, [[1.0, -1.0]]),
        (losses.BinaryCrossentropy, tf.ones([1, 1]), sure, [[-1.0]]),
    ):
        calculate = loss(from_logits=True)
        with tf.GradientTape() as tape:
            result = calculate(target, tf.identity(scores))
        found = tape.gradient(result, scores).numpy()
        assert found.tolist() == slopes
    given = functools.partial(tf.nn.softmax_cross_entropy_with_logits, label)
    for wrong in (0.5, 60.0, 1e4, 1e30):
        assert gradient(given, tf.Variable([[wrong, -wrong]])).numpy().all()
    right = tf.Variable(-logits)
    assert not gradient(given, right).numpy().any(), "right, and sure"
    optimizer = tf.keras.optimizers.SGD(0.1)
    optimizer.apply(left["gradients"], [w, b])
    assert w.numpy().tolist() == [[60.0, -60.0], [0.0, 0.0]]


def penalty_shares(bent: Function) -> list[float]:
    """Return the shares of zeros in the gradients of a gradient penalty."""
    x = tf.Variable([[1.0, 2.0], [2.0, -1.0]])
    start = tf.keras.initializers.GlorotUniform(seed=1)
    dense = [
        tf.keras.layers.Dense(n, kernel_initializer=start) for n in (3, 1)
    ]
    first, last = dense

    def penalty() -> tf.Tensor:
        slopes = gradient(lambda x: last(bent(first(x))), x)
        return tf.reduce_sum(tf.square(tf.norm(slopes, axis=1) - 1.0))

    penalty()
    return shares(penalty, [*first.weights, last.kernel])


@says("Zeros have other sources, too:")
@says(
    "a *dead* `relu`, whose input is "
    "negative in every row: lower the learning rate, or take "
    "`tf.nn.leaky_relu`,"
)
@says(
    "`tf.clip_by_value` and `tf.maximum` outside of their range: leave them "
    "out of the loss,"
)
@says(
    "two `Dense` layers that both start with zeros, with `relu` or `tanh` "
    "between, so that only the last bias learns: take the initializer that "
    "`Dense` has by itself,"
)
@says(
    "the second derivative of `relu`, so that a gradient penalty trains "
    "kernels and not the bias in front of it: take `tf.nn.softplus` or "
    "`tf.tanh`,"
)
@says("NumPy in a `tf.py_function`: [stay with TensorFlow](#3-through-numpy).")
def test_what_else_makes_zeros() -> None:
    rows = tf.constant([[1.0, 2.0], [2.0, -1.0]])
    layers = tf.keras.layers

    def stack(
        act: Any, first: Any, last: Any, bias: float, rate: float = 0.0
    ) -> list[float]:
        """Return the shares of zeros after a step at this rate."""
        start = tf.keras.initializers.Constant(bias)
        bent = layers.Dense(
            3, act, kernel_initializer=first, bias_initializer=start
        )
        model = tf.keras.Sequential(
            [bent, layers.Dense(1, kernel_initializer=last)]
        )
        model.build((None, 2))

        def loss() -> tf.Tensor:
            return tf.reduce_sum(tf.square(model(rows) + 1.0))

        with tf.GradientTape() as tape:
            result = loss()
        variables = model.trainable_variables
        slopes = tape.gradient(result, variables)
        tf.keras.optimizers.SGD(rate).apply(slopes, variables)
        return shares(loss, variables)

    fair = tf.keras.initializers.GlorotUniform(seed=1)
    ones = tf.keras.initializers.Ones()
    assert stack("relu", ones, ones, 0.1, rate=10.0)[:2] == [1.0, 1.0]
    assert 1.0 not in stack("relu", ones, ones, 0.1, rate=0.001)
    assert layers.Dense(1).kernel_initializer.__class__ is fair.__class__
    assert stack("relu", fair, fair, -9.0)[:2] == [1.0, 1.0]
    assert 1.0 not in stack(tf.nn.leaky_relu, fair, fair, -9.0)
    assert 1.0 not in stack("relu", fair, fair, 9.0)
    for act in ("relu", "tanh", None):
        assert stack(act, "zeros", "zeros", 0.0) == [1.0, 1.0, 1.0, 0.0]
        assert 1.0 not in stack(act, fair, fair, 0.1)
    assert stack("sigmoid", "zeros", "zeros", 0.0) == [1.0, 1.0, 0.0, 0.0]

    w = tf.Variable([-1.0, 0.5, 2.0])
    for function, slopes in (
        (lambda w: tf.clip_by_value(w, 0.0, 1.0), [0.0, 1.0, 0.0]),
        (lambda w: tf.maximum(w, 0.0), [0.0, 1.0, 1.0]),
    ):
        assert gradient(function, w).numpy().tolist() == slopes

    w = tf.Variable([-1.0, 2.0])
    bends: list[Function] = [tf.nn.relu, tf.nn.softplus, tf.tanh]
    for bent in bends:
        first = functools.partial(gradient, bent)
        second = gradient(first, w).numpy()
        assert second.any() == second.all() == (bent is not tf.nn.relu)
        first_kernel, bias, last_kernel = penalty_shares(bent)
        assert first_kernel < 1.0 > last_kernel
        assert (bias == 1.0) == (bent is tf.nn.relu)

    def by_numpy(w: tf.Variable) -> Any:
        return tf.py_function(lambda v: np.square(v), [w], tf.float32)

    def by_tensorflow(w: tf.Variable) -> Any:
        return tf.py_function(lambda v: tf.square(v), [w], tf.float32)

    w = tf.Variable(3.0)
    assert float(gradient(by_numpy, w)) == 0.0
    assert float(gradient(by_tensorflow, w)) == 6.0


# Modules


@says("The name scope puts the module's name before theirs.")
@says("A straight line, f(x) = x * w + b.")
@says("Return x times w plus b, in the shape of x.")
def test_a_line() -> None:
    assert names(Line("steep").variables) == ["steep/b:0", "steep/w:0"]
    assert names(LinearModel().variables) == ["b:0", "w:0"], "no scope"
    for shape in [(), (3,), (2, 3)]:
        x = np.arange(np.prod(shape, dtype=int)).reshape(shape) - 1.0
        for model, w, b in ((Line("line"), 2, 1), (LinearModel(), 5, 0)):
            found = model(tf.constant(x, tf.float32))
            assert found.shape == shape
            np.testing.assert_allclose(found, w * x + b)


@says(
    "`variables` collects what the module holds, and "
    "`trainable_variables` what of it is to be learned: all that a "
    "tape and an optimizer need to know of a model."
)
def test_variables_are_all_that_is_needed() -> None:
    model = Bend()
    model.count = tf.Variable(0.0, trainable=False)
    assert len(model.variables) == 6
    variables = model.trainable_variables
    assert len(variables) == 5
    with tf.GradientTape() as tape:
        result = model(tf.constant(3.0))
    gradients = tape.gradient(result, variables)
    before = [float(v) for v in variables]
    optimizer = tf.keras.optimizers.Adam(0.1)
    optimizer.apply_gradients(zip(gradients, variables, strict=True))
    assert all(
        float(v) != old for v, old in zip(variables, before, strict=True)
    )


@says("A module may hold other modules, and so on.")
@says(
    "This one bends a line: `relu` makes negative numbers zero, and a "
    "second line takes what is left."
)
@says("A line, cut off below zero, and another line after it.")
@says("Return a prediction for each x, in the shape of x.")
def test_a_bend() -> None:
    x = np.linspace(-2, 2, 9)
    found = Bend()(tf.constant(x, tf.float32))
    np.testing.assert_allclose(found, 2 * np.maximum(2 * x + 1, 0) + 1)
    np.testing.assert_array_equal(tf.nn.relu([-1.0, 0.0, 2.0]), [0, 0, 2])
    outer, middle = tf.Module(), tf.Module()
    outer.held, middle.held = middle, Bend()
    assert len(outer.variables) == 5


@says(
    "All five were found, in an order of their own: first what a "
    "module itself holds, then module by module, and everywhere in the "
    "alphabetical order of the *attributes*, capitals first."
)
@says("Draw the variables in a row, in boxes from one place to another.")
@says(
    "A box named model holds five variables in a row, numbered from "
    "zero: scale by itself, then b and w in a box named first, then b "
    "and w in a box named second"
)
def test_the_order_of_variables() -> None:
    order = ["scale:0", "first/b:0", "first/w:0", "second/b:0", "second/w:0"]
    assert names(Bend().variables) == order
    assert printed("foundations", "use_bend").split("\n")[1:] == order
    lazy = tf.Module()
    lazy.z = tf.Variable(0.0, name="a")
    lazy.m = Line("m")
    lazy.y = tf.Variable(0.0, name="b")
    lazy.Z = tf.Variable(0.0, name="c")
    order = ["c:0", "b:0", "a:0", "m/b:0", "m/w:0"]
    assert names(lazy.variables) == order, (
        "by attributes, not by names of variables"
    )
    [axes] = figure("foundations", "draw_bend")
    assert axes.texts[:5] == ["0\nscale", "1\nb", "2\nw", "3\nb", "4\nw"]
    boxes = [(min(p.x), max(p.x)) for p in axes.points.values()]
    inside = [[n for n in range(5) if a < n < b] for a, b in boxes]
    assert dict(zip(axes.texts[5:], inside, strict=True)) == {
        "model": [0, 1, 2, 3, 4],
        "first": [1, 2],
        "second": [3, 4],
    }


@says(
    "A module finds its variables and its modules. Layers of Keras 3 "
    "are neither."
)
@says("A module that holds a variable and a layer of Keras.")
@says(
    "The layer's two weights are missing, and with this list nobody "
    "would train them."
)
@says(
    "Better not to mix: build a model from modules alone, or [from "
    "Keras alone](basic_training_loops.md#the-same-with-keras), which "
    "for its part does not see plain variables."
)
@says("What a module does not collect")
@says("If you must, add the layer's variables yourself, and count.")
def test_a_module_does_not_collect_a_layer() -> None:
    mixed = Mixed()
    assert names(mixed.variables) == ["scale:0"]
    assert len(mixed.dense.trainable_variables) == 2
    assert not isinstance(mixed.dense, tf.Module | tf.Variable)
    assert not isinstance(mixed.dense.kernel, tf.Variable)
    model = tf.keras.Model()
    model.plain = tf.Variable(1.0)
    assert model.weights == []
    variables = [*mixed.trainable_variables, *mixed.dense.trainable_variables]
    with tf.GradientTape() as tape:
        result = tf.reduce_sum(mixed.scale * mixed.dense(tf.ones((1, 1))))
    assert None not in tape.gradient(result, variables)
    assert len(variables) == 3


# Exercises


@says("Return the slope of the function at w, from two values near w.")
@says(
    "The slope of the sine is the cosine, and the tape has it to the "
    "last digit shown."
)
@says(
    "The two values are nearly equal, so most digits of their "
    "difference cancel."
)
@says("In `float32` few are left. Test gradients in `float64`.")
def test_slopes_from_two_values() -> None:
    told = printed("foundations", "compare_slopes")
    cosine = math.cos(1.0)
    assert f"tape:    {cosine:.6f}" in told
    assert f"float64: {cosine:.6f}" in told
    assert f"float32: {cosine:.6f}" not in told
    single = numeric_slope(tf.sin, 1.0, tf.float32)
    assert single == pytest.approx(cosine, abs=1e-3)
    values = np.sin(np.array([1 - 1e-4, 1 + 1e-4], np.float32))
    assert values[1] / values[0] == pytest.approx(1, abs=2e-4)
    steps_between = np.diff(values)[0] / np.spacing(values[0])
    assert steps_between < 1e4, "at most four digits of seven are left"
    double = numeric_slope(tf.sin, 1.0, tf.float64)
    assert abs(double - cosine) < 1e-3 * abs(single - cosine)


@says(
    "A module keeps a constant, a variable that is not trainable, one "
    "in a list, one in a dictionary, one as a plain attribute, and one "
    "that only a function knows."
)
@says("Keeps numbers in six ways.")
@says(
    "A module looks at its attributes, and into lists and "
    "dictionaries. It does not look into functions. A constant is no "
    "variable."
)
@says(
    "`trainable=False` is for what has to be saved but is not learned, "
    "such as a counter."
)
def test_pockets() -> None:
    pockets = Pockets()
    kinds = ["constant", "frozen", "listed", "mapped", "plain", "function"]
    assert [k for k in vars(pockets) if not k.startswith("_")] == kinds
    found = ["frozen:0", "listed:0", "mapped:0", "plain:0"]
    assert names(pockets.variables) == found
    assert names(pockets.trainable_variables) == found[1:]
    assert not isinstance(pockets.constant, tf.Variable)
    function: Function = pockets.function
    assert float(function(2.0)) == 2.0
    path = tf.train.Checkpoint(pockets=pockets).write("pockets")
    saved = [name for name, _ in tf.train.list_variables(path)]
    assert any(name.startswith("pockets/frozen/") for name in saved)
    assert not tf.keras.optimizers.SGD().iterations.trainable, "a counter"
