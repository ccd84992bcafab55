"""What the guide to basic training loops says is true."""

import ast
import importlib.util
import inspect
import itertools
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from engine.run.environment import ADDED, LEFT_OUT
from snippets.data import TRUE_B, TRUE_W, make_data
from snippets.keras_fit import Forgetful
from snippets.keras_model import KerasLinearModel
from snippets.linear_model import LinearModel
from snippets.loop_exercises import train_with_optimizer
from snippets.loss import loss
from snippets.training_loop import report, train, training_loop
from tests.claims.says import figure, printed, ran, record, says
from tests.claims.sentences import DOCS, read

GUIDE = "basic_training_loops"
PAGE = read(GUIDE)
BLOCKS = {block.name: block for block in PAGE.blocks}
SOURCE = (DOCS / f"{GUIDE}.md").read_text("utf-8")
EPOCH = re.compile(r"epoch +(\d+): w (\S+), b (\S+), loss (\S+)")
BEST_W, BEST_B, BEST_LOSS = 2.9620, 1.9347, 1.0080
"""The least squares fit, which `test_least_squares` finds with NumPy."""

X, Y = make_data()


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text("utf-8")


def gradients(model: Any) -> list[float]:
    with tf.GradientTape() as tape:
        current_loss = loss(Y, model(X))
    found = tape.gradient(current_loss, [model.w, model.b])
    return [float(gradient) for gradient in found]


def trained(epochs: int = 10, learning_rate: float = 0.1) -> Any:
    """Return the history of a training of its own."""
    history: dict[str, list[float]] = {"w": [], "b": [], "loss": []}
    model = LinearModel()
    for _ in range(epochs):
        train(model, X, Y, learning_rate)
        history["w"].append(float(model.w))
        history["b"].append(float(model.b))
        history["loss"].append(float(loss(Y, model(X))))
    return history


@pytest.fixture(scope="module")
def history() -> dict[str, list[float]]:
    made: dict[str, list[float]] = training_loop(LinearModel(), X, Y)
    return made


@pytest.fixture(scope="module")
def fit() -> Any:
    """A model fitted as on the page, with what `fit` returned."""
    return ran("keras_fit", "fit", x=X, y=Y)


# The page


@says("Every block runs.")
@says("Copy the blocks in order and they run as they ran here.")
@says(
    "All blocks above, in order, as one file. It needs TensorFlow and "
    "Matplotlib."
)
def test_all_blocks_ran_with_what_the_page_names() -> None:
    blocks = [n.rpartition(":")[2] for n in record(GUIDE) if ".py" not in n]
    assert [n for n in blocks if n in BLOCKS] == [b.name for b in PAGE.blocks]
    modules = set()
    for block in PAGE.blocks:
        for node in ast.walk(ast.parse(block.code)):
            if isinstance(node, ast.Import):
                modules |= {alias.name.split(".")[0] for alias in node.names}
            assert not isinstance(node, ast.ImportFrom)
    assert modules == {"tensorflow", "matplotlib"}


@says("Two of them are meant to fail, and show how.")
def test_two_blocks_fail() -> None:
    failing = [b for b in PAGE.blocks if "raises" in b.options]
    assert len(failing) == 2
    for block in failing:
        told = printed(GUIDE, block.name)
        assert f"{block.options['raises']}: " in told


@says(
    "One import for the learning, one for the plots, and the three "
    "colours that the plots use."
)
def test_the_setup() -> None:
    code = BLOCKS["setup"].code
    assert len(re.findall(r"(?m)^import ", code)) == 2
    assert len(re.findall(r'"#\w{6}"', code)) == 3
    assert all("import " not in b.code for b in PAGE.blocks[1:])


@says(
    "In this guide you train a model twice: first with a loop that you "
    "write yourself from TensorFlow's basic classes, then with Keras."
)
@says(
    "Train a linear model with a loop of your own in TensorFlow, step "
    "by step, then do the same with Keras."
)
@says(
    "Both learn the same two numbers, so you can see what Keras does for you."
)
@says("The same weights.")
def test_both_learn_the_same_two_numbers(
    history: dict[str, list[float]], fit: dict[str, Any]
) -> None:
    assert SOURCE.index("## The loop") < SOURCE.index("## The same with Keras")
    learned = [float(v) for v in fit["fit_model"].weights]
    assert learned == pytest.approx([history["w"][-1], history["b"][-1]])
    loop, keras = printed(GUIDE, "compare").split("\n")
    assert loop.split()[1:] == keras.split()[1:]


@says(
    "The code uses [tensors](foundations.md#tensors), "
    "[variables](foundations.md#variables), the [gradient "
    "tape](foundations.md#the-gradient-tape) and "
    "[modules](foundations.md#modules)."
)
@says("Each link leads to where it is explained.")
def test_what_the_code_uses_is_explained() -> None:
    headings = re.findall(r"(?m)^## (.*)", page("foundations"))
    anchors = {title.lower().replace(" ", "-") for title in headings}
    opening = SOURCE[: SOURCE.index("## Setup")]
    linked = re.findall(r"foundations\.md#([\w-]+)", opening)
    assert {*linked} <= anchors
    assert len(linked) == 4
    code = "\n".join(block.code for block in PAGE.blocks)
    for used in ("tf.Tensor", "tf.Variable", "tf.GradientTape", "tf.Module"):
        assert used in code


@says(
    "The first import of TensorFlow may log a few lines to standard "
    "error, which no page shows: `oneDNN custom operations are on`, "
    "`This TensorFlow binary is optimized to use available CPU "
    "instructions`, and, with the package for graphics processors, "
    "that none was found."
)
def test_what_an_import_may_log_are_words_of_tensorflow() -> None:
    spec = importlib.util.find_spec("tensorflow")
    assert spec is not None
    assert spec.origin is not None
    logged = [
        ["oneDNN custom operations are on"],
        ["This TensorFlow binary is optimized", "to use available CPU instr"],
    ]
    framework = Path(spec.origin).parent / "libtensorflow_framework.so.2"
    code = framework.read_bytes()
    for pieces in logged:
        assert " ".join(pieces) in SOURCE
        assert " ".join(pieces) not in str(record(GUIDE))
        assert all(piece.encode() in code for piece in pieces)


@says(
    "The pages ran on the processor, with `CUDA_VISIBLE_DEVICES=-1` "
    "and, for fewer of these lines, `TF_CPP_MIN_LOG_LEVEL=3` in the "
    "environment."
)
@says("TensorFlow is otherwise as it comes.")
def test_the_environment_in_which_pages_run() -> None:
    ours = {"PYTHONUNBUFFERED"}
    assert {k: v for k, v in ADDED.items() if k not in ours} == {
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    assert {"TF_", "KERAS_"} <= {*LEFT_OUT}, "of whoever builds"


@says("To train a model takes five steps. The fourth is the training loop.")
@says(
    "The sections below take them one after another, on a small "
    "problem that has them all: fitting a straight line,"
)
@says(
    "The loop is step 4 of [the list "
    "above](#what-a-training-loop-does), and its four tasks are "
    "predictions, loss, gradients, update."
)
@says("A `tf.GradientTape` records the first two tasks and does the third.")
@says("One such step is all four tasks:")
def test_the_steps_and_the_tasks() -> None:
    steps = re.findall(r"(?m)^\d\. (.*)", SOURCE)
    tasks = re.findall(r"(?m)^    \d\. (.*)", SOURCE)
    assert (len(steps), len(tasks)) == (5, 4)
    assert steps[3].startswith("Run through the data. For each batch")
    titles = [*re.findall(r"(?m)^## (.*)", SOURCE)]
    order = ("The data", "The model", "The loss", "The loop")
    places = [titles.index(title) for title in (*order, "What it learned")]
    assert places == sorted(places)
    [function] = ast.parse(BLOCKS["train"].code).body
    assert isinstance(function, ast.FunctionDef)
    _, tape, derive, *update = function.body
    inside = ast.unparse(tape)
    assert "model(x)" in inside
    assert "loss(y," in inside
    assert "tape.gradient(" in ast.unparse(derive)
    assert all(".assign_sub(" in ast.unparse(line) for line in update)


# The data


@says(
    "In TensorFlow both are tensors. Here they are vectors with one "
    "number per pair."
)
@says(
    "We make the data ourselves, so that we know what there is to "
    "find: a line with weight 3 and bias 2, and normally distributed "
    "noise around it."
)
@says("Return x and y = 3x + 2 + noise, both float32, shape (points,).")
@says("The inputs are spaced evenly.")
@says(
    "The noise is drawn by a *stateless* generator: the same seed "
    "gives the same noise in every run."
)
@says(
    "Scatter plot of the data: a cloud of points that rises from about "
    "minus four on the left to about eight on the right"
)
def test_the_data() -> None:
    for points in (201, 11):
        x, y = make_data(points)
        for made in (x, y):
            assert tf.is_tensor(made)
            assert (made.shape, made.dtype) == ((points,), tf.float32)
        np.testing.assert_allclose(np.diff(x), 4 / (points - 1), atol=1e-6)
    noise = np.asarray(Y - (3 * X + 2))
    assert (TRUE_W, TRUE_B) == (3, 2)
    assert abs(noise.mean()) < 0.2
    assert noise.std() == pytest.approx(1, abs=0.1)
    inside = np.mean(np.abs(noise) < 1)
    assert inside == pytest.approx(0.683, abs=0.07), "as in a normal curve"
    np.testing.assert_array_equal(make_data()[1], Y)
    tf.random.set_seed(5)
    np.testing.assert_array_equal(make_data()[1], Y)
    tf.random.set_seed(None)
    [axes] = figure(GUIDE, "look")
    assert axes.points["data"].x[::4] == [-2.0, 2.0]
    y = np.asarray(Y)
    assert y[:20].mean() == pytest.approx(-4, abs=1)
    assert y[-20:].mean() == pytest.approx(8, abs=1)


@says(
    "`tf.linspace(-2, 2, points)` counts in `float64` because its ends "
    "are whole numbers, hence the cast to `float32`, the type of the "
    "model's variables."
)
@says(
    "With `-2.0` and `2.0`, as on the home page, it [needs no "
    "cast](foundations.md#float32-and-float64)."
)
def test_why_the_cast() -> None:
    assert tf.linspace(-2, 2, 201).dtype == tf.float64
    assert tf.linspace(-2.0, 2.0, 201).dtype == tf.float32
    assert LinearModel().w.dtype == tf.float32
    with pytest.raises(tf.errors.InvalidArgumentError):
        LinearModel()(tf.linspace(-2, 2, 201))
    home = read("index").blocks[0].code
    assert "tf.linspace(-2.0, 2.0, 201)" in home
    assert "tf.cast" not in home


@says(
    "So your numbers will match the ones on this page, up to a last "
    "decimal that another machine may round the other way."
)
def test_the_numbers_match_within_their_last_decimal(
    history: dict[str, list[float]],
) -> None:
    found = EPOCH.findall(printed(GUIDE, "training_loop:run"))
    assert len(found) == 11
    for epoch, w, b, current_loss in found:
        for shown, name in ((w, "w"), (b, "b"), (current_loss, "loss")):
            digit = 10.0 ** -len(shown.partition(".")[2])
            now = history[name][int(epoch)]
            assert float(shown) == pytest.approx(now, abs=1.5 * digit)


@says(
    "NumPy, too, makes `float64` of Python's floats, and `int64` of its "
    "integers, unless you ask for another type."
)
@says(
    "If your own data are such arrays, `tf.cast(array, tf.float32)` makes "
    "tensors of them that fit the model."
)
def test_arrays() -> None:
    assert np.array([1.0], np.float32).dtype == np.float32
    for numbers, dtype in (([1.0, 2.0], np.float64), ([1, 2], np.int64)):
        array = np.array(numbers)
        assert array.dtype == dtype
        assert LinearModel()(tf.cast(array, tf.float32)).dtype == tf.float32
        with pytest.raises(tf.errors.InvalidArgumentError):
            LinearModel()(tf.constant(array))


@says(
    "And one pass through the data with many small updates often "
    "learns more than with a single large one."
)
def test_an_epoch_of_many_updates_learns_more() -> None:
    order = np.random.default_rng(0).permutation(201)
    small, large = LinearModel(), LinearModel()
    for rows in np.split(order, range(32, 201, 32)):
        train(small, tf.gather(X, rows), tf.gather(Y, rows), 0.1)
    train(large, X, Y, 0.1)
    assert float(loss(Y, small(X))) < 0.5 * float(loss(Y, large(X)))


@says("These {{ len(x) }} pairs are few enough to be a single batch.")
@says("The loop itself takes one step per *epoch*, one pass through the data.")
@says("The whole data set is one batch here, so an epoch is one step.")
def test_an_epoch_is_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []
    loop = vars(importlib.import_module("snippets.training_loop"))
    monkeypatch.setitem(loop, "train", lambda m, x, y, r: steps.append(len(x)))
    training_loop(LinearModel(), X, Y, epochs=3)
    assert steps == [201] * 3
    assert record(GUIDE)["len(x)"] == "201"


# The model


@says(
    "A model holds what it learns in `tf.Variable` objects. Keep them "
    "as attributes of a `tf.Module` and it will collect them for you. "
    "Calling the module computes the predictions."
)
@says("with two numbers to learn.")
@says("In code they are `w` and `b`.")
@says("A straight line, f(x) = x * w + b.")
@says("Return a prediction for each x, in the shape of x.")
def test_the_model() -> None:
    model = LinearModel()
    assert isinstance(model, tf.Module)
    assert {*map(id, model.variables)} == {id(model.w), id(model.b)}
    assert all(isinstance(v, tf.Variable) for v in model.variables)
    for kind in (LinearModel, KerasLinearModel):
        model = kind()
        model.w.assign(3.0)
        model.b.assign(-1.0)
        for shape in [(3,), (2, 3)]:
            x = np.arange(np.prod(shape)).reshape(shape)
            found = model(tf.constant(x, tf.float32))
            np.testing.assert_allclose(found, 3.0 * x - 1.0)
    x = tf.constant([1.0, 2.0])
    np.testing.assert_allclose(Forgetful()(x), [5.0, 10.0])


@says(
    "The start is far from the truth on purpose, so that there is "
    "something to see."
)
def test_the_start_is_far_from_the_truth() -> None:
    model = LinearModel()
    assert abs(float(model.w) - TRUE_W) >= 2
    assert abs(float(model.b) - TRUE_B) >= 2
    assert float(loss(Y, model(X))) > 10 * BEST_LOSS


@says(
    "`b` comes before `w`: a module lists its own variables by the names "
    "of its attributes, in alphabetical order, capitals first, not in the "
    "order in which you made them."
)
@says(
    "Its own weights come in the order in which you made them, those that "
    "it trains first."
)
def test_the_order_of_variables() -> None:
    model = LinearModel()
    assert [*map(id, model.variables)] == [id(model.b), id(model.w)]
    assert [v.name for v in model.variables] == ["b:0", "w:0"]
    other = tf.Module()
    other.b, other.a = tf.Variable(1.0, name="a"), tf.Variable(2.0, name="b")
    assert [v.name for v in other.variables] == ["b:0", "a:0"]
    other.W, other.inner = tf.Variable(3.0, name="W"), tf.Module()
    other.inner.a = tf.Variable(4.0, name="inner")
    names = [v.name for v in other.variables]
    assert names == ["W:0", "b:0", "a:0", "inner:0"]
    keras = KerasLinearModel()
    keras.add_weight(name="fixed", shape=(), trainable=False)
    keras.add_weight(name="a", shape=())
    assert [v.name for v in keras.weights] == ["w", "b", "a", "fixed"]


@says(
    "Keras has *initializers* that draw it, and you can call them "
    "without using anything else of Keras."
)
@says(
    "Make one for each variable: [the same object] … draws the same numbers "
    "again."
)
def test_initializers() -> None:
    initializer = tf.keras.initializers.RandomNormal(stddev=1.0, seed=0)
    for once in (initializer, tf.keras.initializers.GlorotUniform()):
        np.testing.assert_array_equal(once((2, 2)), once((2, 2)))
        other = type(once)()((2, 2))
        assert not np.array_equal(once((2, 2)), other)
    drawn = initializer(shape=(1000,)).numpy()
    assert drawn.mean() == pytest.approx(0, abs=0.1)
    assert drawn.std() == pytest.approx(1, abs=0.1)
    assert "keras" in BLOCKS["initializer"].code
    assert BLOCKS["initializer"].code.count("keras") == 1


# The loss


@says("In code it is one line. The check above it is there for a reason.")
@says("Return the mean squared error, a scalar.")
def test_the_loss() -> None:
    [function] = ast.parse(BLOCKS["loss"].code).body
    assert isinstance(function, ast.FunctionDef)
    _, check, line = function.body
    assert isinstance(check, ast.If)
    assert isinstance(line, ast.Return)
    assert line.lineno == line.end_lineno
    y, predictions = tf.constant([1.0, 2.0]), tf.constant([3.0, 5.0])
    assert loss(y, predictions).shape == ()
    assert float(loss(y, predictions)) == 6.5
    for shape in [(2, 1), (1, 2), (1,), ()]:
        with pytest.raises(ValueError, match="predictions"):
            loss(y, tf.zeros(shape))


@says(
    "Both tensors have the shape (batch,). Unequal shapes raise ValueError. "
    "In a graph, a size that only one of them knows is unequal. What neither "
    "knows, a size or how many axes there are, is not compared."
)
def test_unequal_shapes_of_a_graph() -> None:
    y, one, column = tf.constant([1.0, 2.0]), tf.ones(1), tf.ones((2, 1))

    def graph(*shapes: list[int | None] | None) -> Any:
        signature = [tf.TensorSpec(shape) for shape in shapes]
        return tf.function(loss, input_signature=signature)

    assert float(graph([None], [None])(y, y)) == 0
    for shapes, other in (
        (([2], [1]), one),
        (([None], [1]), one),
        (([2], [None]), one),
        (([2], [None]), y),
        (([None], [2]), y),
        (([None], [None, 1]), column),
        ((None, [None, 1]), column),
    ):
        with pytest.raises(ValueError, match="predictions"):
            graph(*shapes)(y, other)
    assert float(graph([None], [None])(y, one)) == 0.5, "not a word"
    assert float(graph(None, None)(y, column)) == 0.5, "not a word"


@says(
    "Without the check, a loss of this kind [fails without a "
    "word](traps.md#2-a-row-against-a-column)."
)
@says(
    "The error should be zero. But TensorFlow *broadcasts*: it "
    "subtracts every element of the one from every element of the "
    "other, and the mean of all {{ len(x) }} × {{ len(x) }} squares is "
    "something else. The gradients would follow it, and the model "
    "would learn the wrong thing."
)
@says("Our loss says so at once:")
def test_broadcasting_in_a_loss() -> None:
    column = tf.reshape(Y, (-1, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        wrong = float(tf.reduce_mean(tf.square(column - Y)))
    y = np.asarray(Y, np.float64)
    assert wrong == pytest.approx(np.mean(np.subtract.outer(y, y) ** 2))
    assert wrong > 25
    assert float(loss(Y, Y)) == 0
    model = LinearModel()
    for _ in range(40):
        with tf.GradientTape() as tape:
            broken = tf.reduce_mean(tf.square(model(X) - column))
        dw, db = tape.gradient(broken, [model.w, model.b])
        model.w.assign_sub(0.1 * dw)
        model.b.assign_sub(0.1 * db)
    assert abs(float(model.w)) < 0.1, "not three"
    with pytest.raises(ValueError, match="predictions"):
        loss(Y, column)


@says("Plot the data, the true line and the model's predictions.")
@says("We will want the same plot afterwards, so it becomes a function.")
@says(
    "The data around the dashed true line; the solid line of the "
    "predictions is steeper and lies below the true line where x is "
    "less than one"
)
@says("The predictions (solid) are too steep and, on the whole, too low.")
def test_the_plot_before_training() -> None:
    [axes] = figure(GUIDE, "before")
    assert [*axes.points] == ["data", "true line", "predictions"]
    true, predicted = axes.points["true line"], axes.points["predictions"]
    assert np.ptp(predicted.y) > np.ptp(true.y)
    x = np.linspace(-2, 2, 41)
    below = 5 * x < 3 * x + 2
    assert (below == (x < 1 - 1e-9)).all()
    assert np.mean(predicted.y) < np.mean(true.y)
    code = BLOCKS["plot_fit"].code
    assert code.count('"--"') == code.count('"-"') == 1
    assert 'TRUE_B, "--"' in code
    assert 'model(x), "-"' in code
    assert "plot_fit(" in BLOCKS["before"].code
    assert "plot_fit(" in BLOCKS["after"].code


@says("The loss puts that into one number.")
def test_the_loss_is_one_number() -> None:
    before = loss(Y, LinearModel()(X))
    assert before.shape == ()
    told = printed(GUIDE, "before").removeprefix("loss before training: ")
    assert float(told) == pytest.approx(float(before), abs=1e-3)


# The loop


@says(
    "You need not tell it to watch `w` and `b`: trainable variables "
    "are watched automatically."
)
@says(
    "Both gradients tell where the loss grows: with a greater `w`, "
    "since `dw` is positive, and with a smaller `b`, since `db` is "
    "negative."
)
@says("The *gradient* says how the loss changes when a variable does.")
def test_the_gradients() -> None:
    model = LinearModel()
    dw, db = gradients(model)
    told = re.findall(r"-?\d+\.\d+", printed(GUIDE, "gradient"))
    assert [*map(float, told[1:])] == pytest.approx([dw, db], abs=1e-3)
    assert dw > 0 > db
    start = float(loss(Y, model(X)))
    model.w.assign_add(0.01)
    assert float(loss(Y, model(X))) - start == pytest.approx(
        0.01 * dw, rel=0.01
    )
    assert float(loss(Y, model(X))) > start
    model.w.assign(5.0)
    model.b.assign_sub(0.01)
    assert float(loss(Y, model(X))) > start
    fixed = tf.Variable(1.0, trainable=False)
    with tf.GradientTape() as tape:
        result = fixed * model.w
    assert [v is model.w for v in tape.watched_variables()] == [True]
    assert tape.gradient(result, model.w) is not None


@says(
    "*Gradient descent* takes a step the other way, and the *learning "
    "rate* `#!math \\eta` sets how far:"
)
@says("Update the weights once, by gradient descent on the batch (x, y).")
@says("Gradient descent is the simplest optimizer.")
@says(
    "Its many relatives are in "
    "[`tf.keras.optimizers`](https://keras.io/api/optimizers/); you "
    "can try one in the [exercises](#exercises)."
)
def test_one_step() -> None:
    for learning_rate in (0.1, 0.3):
        model = LinearModel()
        dw, db = gradients(model)
        train(model, X, Y, learning_rate)
        moved = [float(model.w) - 5.0, float(model.b)]
        steps = [-learning_rate * dw, -learning_rate * db]
        assert moved == pytest.approx(steps, abs=1e-5)
    kinds = [
        kind
        for kind in vars(tf.keras.optimizers).values()
        if isinstance(kind, type)
        and issubclass(kind, tf.keras.optimizers.Optimizer)
    ]
    assert len(kinds) >= 10
    kept = {}
    for kind in {*kinds} - {tf.keras.optimizers.Optimizer}:
        if "learning_rate" in inspect.signature(kind).parameters:
            optimizer = kind(learning_rate=0.1)
            optimizer.build(LinearModel().variables)
            kept[kind.__name__] = len(optimizer.variables)
    assert kept.pop("SGD") < min(kept.values()), "it keeps the least"


@says("`assign_sub` is a method of the variable and changes it in place.")
@says(
    "(Older code calls a function `tf.assign_sub`, which [is "
    "gone](foundations.md#variables).)"
)
@says(
    "The expression `w - 0.1 * gradient` instead makes a plain tensor, "
    "and giving it the name `w` loses the variable. The tape does not "
    "watch tensors, so the second gradient is `None`:"
)
def test_rebinding() -> None:
    w = kept = tf.Variable(5.0)
    w.assign_sub(1.0)
    assert kept is w
    assert float(kept) == 4.0
    assert not hasattr(tf, "assign_sub")
    assert not isinstance(w - 0.1 * tf.constant(1.0), tf.Variable)
    first, second, error = printed(GUIDE, "rebind").split("\n")
    assert "tf.Tensor(10.0" in first
    assert second == "gradient: None"
    assert error.startswith("TypeError")
    with tf.GradientTape() as tape:
        tensor = w - 1.0
        result = tensor**2
    assert float(tape.gradient(result, w)) == 6.0
    plain = tf.constant(3.0)
    with tf.GradientTape() as tape:
        result = plain**2
    assert tape.gradient(result, plain) is None


@says(
    "This is one of [six ways to get "
    "`None`](foundations.md#six-ways-to-get-none)."
)
@says(
    "A loop that takes its variables from the model anew in each step "
    "makes the same mistake without an error, and [its loss stands "
    "still](traps.md#4-a-variable-rebound)."
)
def test_where_else_rebinding_is_told() -> None:
    assert "\n### 5. A variable rebound\n" in page("foundations")
    assert len(re.findall(r"(?m)^### \d\. ", page("foundations"))) == 6
    _, *losses = printed("traps", "rebound").split()
    assert len(losses) > 3
    assert len({*losses}) == 1


@says(
    "It belongs to one call of the loop, so two runs never mix, and it "
    "starts with the weights as they are."
)
@says(
    "Those of a new model are untrained; run the loop again, and it goes on "
    "from the trained ones."
)
@says("Add the weights and the loss to the history, and print them.")
@says("Train on (x, y); return w, b and loss, epoch by epoch.")
@says(
    "Epoch 0 is the start. Each later line is printed *after* the "
    "update of its epoch: the loss belongs to the weights on the same "
    "line."
)
def test_the_history(
    capsys: pytest.CaptureFixture[str], history: dict[str, list[float]]
) -> None:
    new = LinearModel()
    again = training_loop(new, X, Y, epochs=2)
    lines = EPOCH.findall(capsys.readouterr().out)
    going_on = training_loop(new, X, Y, epochs=1)
    for name, values in going_on.items():
        assert values == history[name][2:4]
    capsys.readouterr()
    assert [int(line[0]) for line in lines] == [0, 1, 2]
    assert {name: len(values) for name, values in again.items()} == {
        "w": 3,
        "b": 3,
        "loss": 3,
    }
    assert again == {name: values[:3] for name, values in history.items()}
    assert (again["w"][0], again["b"][0]) == (5.0, 0.0)
    dw, db = gradients(LinearModel())
    after_one = [5.0 - 0.1 * dw, -0.1 * db]
    assert [again["w"][1], again["b"][1]] == pytest.approx(after_one)
    for w, b, kept in zip(*again.values(), strict=True):
        assert kept == pytest.approx(float(loss(Y, X * w + b)), rel=1e-6)
    report(again, LinearModel(), X, Y)
    assert again["w"][-1] == 5.0
    assert "epoch  3: w 5.00" in capsys.readouterr().out


@says("The loop took a tenth of the gradient at each step.")
@says("What will happen at 0.43, about four times the rate?")
def test_the_learning_rate_of_the_loop() -> None:
    assert training_loop.__defaults__ == (10, 0.1)
    assert pytest.approx(4, abs=0.5) == 0.43 / 0.1


@says(
    '<a href="#learning_rate=0.43">Set to 0.43</a>, one step does most '
    "of the way, and ten epochs are more than enough."
)
@says(
    "Four times the rate, and ten epochs are enough to reach the least "
    "loss, {{ best_loss:.4f }}."
)
@says("With 0.1 the loss has almost levelled off after ten epochs.")
def test_four_times_the_rate() -> None:
    ways = trained(10, 0.43)
    assert abs(ways["w"][0] - BEST_W) < 0.2 * abs(5 - BEST_W)
    assert abs(ways["b"][0] - BEST_B) < 0.2 * BEST_B
    assert ways["loss"][5] == pytest.approx(BEST_LOSS, abs=5e-5)
    assert trained(10, 0.4)["loss"][9] == pytest.approx(BEST_LOSS, abs=5e-5)
    losses = trained(10, 0.1)["loss"]
    assert losses[-2] - losses[-1] < 0.01 * (losses[0] - losses[-1])
    assert losses[-1] > BEST_LOSS + 0.01


@says(
    '<a href="#optimizer=sgd&amp;learning_rate=0.76">Set to 0.76</a>, '
    "the loss falls and then rises, because every step takes `w` past "
    "its best value, and farther from it than before. With more epochs "
    '<a href="#learning_rate=0.76&amp;epochs=60">it diverges</a>.'
)
@says(
    "Twice that rate, and every step takes `w` past its best value, "
    "and farther from it than before."
)
def test_past_the_limit() -> None:
    for rate, epochs in ((0.76, 60), (0.8, 10)):
        ways = trained(epochs, rate)
        away = [5 - BEST_W, *(w - BEST_W for w in ways["w"])]
        for before, after in itertools.pairwise(away):
            assert before * after < 0, "past it"
            assert abs(after) > abs(before), "farther"
    losses = trained(60, 0.76)["loss"]
    lowest = int(np.argmin(losses))
    assert 0 < lowest < 9
    assert losses[0] < 10.34
    assert losses[9] > losses[lowest]
    assert losses[-1] > 100


@says(
    "The limit is {{ 1 / float(tf.reduce_mean(x * x)):.4f }}, and [the "
    "explorer](explorer.md#where-the-limit-comes-from) says why."
)
@says(
    "For these inputs the limit is 75/101, about 0.74: two divided by "
    "the largest curvature of the loss, `#!math 2 \\cdot "
    "\\mathrm{mean}(x^2)`."
)
def test_the_limit() -> None:
    said = record(GUIDE)["1 / float(tf.reduce_mean(x * x)):.4f"]
    assert said == f"{75 / 101:.4f}"
    assert 1 / float(tf.reduce_mean(X * X)) == pytest.approx(
        75 / 101, rel=1e-5
    )
    inputs = np.stack([X, np.ones(201)], axis=1)
    curvatures = np.linalg.eigvalsh(2 * inputs.T @ inputs / 201)
    assert curvatures.max() == pytest.approx(
        2 * np.mean(np.square(X)), rel=1e-5
    )
    assert 2 / curvatures.max() == pytest.approx(75 / 101, rel=1e-5)
    starts = {
        rate: abs(trained(40, rate)["w"][-1] - BEST_W)
        for rate in (0.73, 0.755)
    }
    assert starts[0.73] < 2 < starts[0.755]
    assert "## Where the limit comes from" in page("explorer")


# What it learned


@says(
    "The weight w falls from five towards its true value three, "
    "passing most of the way in four epochs; the bias b rises from "
    "zero towards its true value two and is still below it after ten "
    "epochs"
)
@says("Both move fast at first and slower as the gradients shrink.")
@says(
    "Plot both weights over the epochs, with the true values as broken lines."
)
def test_the_plot_of_the_weights() -> None:
    [axes] = figure(GUIDE, "plot_weights")
    w, b = axes.points["w"].y, axes.points["b"].y
    assert (w[0], b[0]) == (5.0, 0.0)
    assert w == sorted(w, reverse=True)
    assert b == sorted(b)
    assert w[4] < 5 - (5 - 3) / 2
    assert 3 < w[-1] < 3.1
    assert b[-1] < 2
    assert axes.points["true w"].y == [3.0, 3.0]
    assert axes.points["true b"].y == [2.0, 2.0]
    for values in (w, b):
        steps = np.abs(np.diff(values))
        assert (np.diff(steps) < 0).all()
    code = BLOCKS["plot_weights"].code
    assert re.findall(r'axhline\((\w+), linestyle="(.+?)"', code) == [
        ("TRUE_W", "--"),
        ("TRUE_B", ":"),
    ]


@says(
    "The data around the dashed true line; the solid line of the "
    "predictions now lies close to it, a little below"
)
def test_the_plot_after_training() -> None:
    [axes] = figure(GUIDE, "after")
    true, now = axes.points["true line"].y, axes.points["predictions"].y
    off = np.subtract(now, true)
    assert np.abs(off).max() < 0.4
    assert (off < 0).all()
    [before] = figure(GUIDE, "before")
    were = np.subtract(before.points["predictions"].y, true)
    assert np.abs(off).max() < 0.1 * np.abs(were).max()


@says(
    'The loss fell from {{ history["loss"][0]:.2f }} to {{ '
    'history["loss"][-1]:.2f }}.'
)
@says("Training makes it small.")
@says("It cannot reach zero, because no line passes through all the points.")
@says("For a line there is a direct answer: the least squares fit.")
@says(
    "Ten epochs stopped short of it: `w` is {{ float(model.w):.2f }} "
    "and `b` is {{ float(model.b):.2f }}."
)
@says(
    "Nor is the best fit the true line itself, since the noise pulls "
    "it a little away."
)
def test_least_squares(history: dict[str, list[float]]) -> None:
    values = [record(GUIDE)[f'history["loss"][{n}]:.2f'] for n in (0, -1)]
    assert float(values[0]) > float(values[1])
    inputs = np.stack([X, np.ones(201)], axis=1)
    best, *_ = np.linalg.lstsq(inputs, np.asarray(Y, np.float64), rcond=None)
    assert best == pytest.approx([BEST_W, BEST_B], abs=1e-4)
    least = np.mean((inputs @ best - Y) ** 2)
    assert least == pytest.approx(BEST_LOSS, abs=1e-4)
    assert least > 0.5
    told = [
        float(n)
        for n in re.findall(r"\d\.\d+", printed(GUIDE, "least_squares"))
    ]
    assert told == pytest.approx([*best, least], abs=0.006)
    assert 5 > history["w"][-1] > BEST_W + 0.05
    assert history["b"][-1] < BEST_B - 0.1
    assert history["loss"][-1] > least
    off = np.abs(best - [TRUE_W, TRUE_B])
    assert (off > 0.01).all()
    assert (off < 0.2).all()
    without, *_ = np.linalg.lstsq(inputs, 3.0 * np.asarray(X) + 2, rcond=None)
    assert without == pytest.approx([3, 2], abs=1e-5)


# Keep what it learned


@says(
    "A module can be saved, because it knows its variables. A "
    "*checkpoint* stores their values."
)
@says(
    "`assert_consumed` raises an `AssertionError` if one of them found "
    "no place in the new model, or if a variable of the new model got "
    "no value."
)
@says(
    "`read` goes with `write`. There is a second pair, `save` and "
    "`restore`, which also counts the checkpoints, in a variable that "
    "it saves with them."
)
@says(
    "If you mix the pairs, a new checkpoint's `assert_consumed` raises "
    "because of that variable."
)
def test_checkpoints() -> None:
    def kept(model: tf.Module) -> Any:
        return tf.train.Checkpoint(model=model)

    model = LinearModel()
    model.w.assign(1.5)
    written, saved = kept(model).write("written"), kept(model).save("saved")
    stored = [name for name, _ in tf.train.list_variables(written)]
    assert [n.split("/")[1] for n in stored if n.startswith("model")] == [
        "b",
        "w",
    ]
    for path, name in ((written, "read"), (saved, "restore")):
        new = LinearModel()
        getattr(kept(new), name)(path).assert_consumed()
        assert float(new.w) == 1.5
    less, more = LinearModel(), LinearModel()
    del less.b
    more.c = tf.Variable(1.0)
    for other, told in ((less, "model.b"), (more, "not bound")):
        with pytest.raises(AssertionError, match=told):
            kept(other).read(written).assert_consumed()
    assert saved == "saved-1"
    for path, name in ((written, "restore"), (saved, "read")):
        with pytest.raises(AssertionError, match="save_counter"):
            getattr(kept(LinearModel()), name)(path).assert_consumed()


@says(
    "[Save, stop, resume](save_and_resume.md) goes on from here, with "
    "trainings that were stopped and with models that run without "
    "their Python code."
)
@says(
    "[Save, stop, resume](save_and_resume.md) kills a training and "
    "resumes it to the last bit; see also TensorFlow's [Training "
    "checkpoints](https://www.tensorflow.org/guide/checkpoint)."
)
def test_the_page_on_saving() -> None:
    titles = re.findall(r"(?m)^#+ (.*)", page("save_and_resume"))
    assert "A training that is killed" in titles
    assert "A model without its code" in titles
    assert "to the last bit" in " ".join(page("save_and_resume").split())


# The same with Keras


@says(
    "A Keras model is a class, too: subclass `tf.keras.Model` and "
    "write `call` in the place of `__call__`."
)
@says("Create the weights with `add_weight`.")
@says("The same line, f(x) = x * w + b, as a Keras model.")
@says(
    "A Keras 3 model is not a `tf.Module`: it does not collect plain "
    "`tf.Variable` attributes ([see "
    "below](#a-model-that-learns-nothing) what happens to them)."
)
@says(
    "Our loop asks of a model that it can be called and that it has "
    "`w` and `b`."
)
@says("So it runs unchanged.")
@says("Every number is the same, to the last bit.")
def test_the_keras_model(history: dict[str, list[float]]) -> None:
    assert not issubclass(tf.keras.Model, tf.Module)
    assert [*vars(KerasLinearModel)].count("call") == 1
    assert "__call__" not in vars(KerasLinearModel)
    assert KerasLinearModel()(tf.constant(3.0)) == LinearModel()(3.0) == 15.0
    assert len(KerasLinearModel().weights) == 2
    assert Forgetful().weights == []
    assert training_loop(KerasLinearModel(), X, Y) == history
    assert printed(GUIDE, "keras_model:run").endswith("same history: True")

    class Bare:
        def __init__(self) -> None:
            self.w, self.b = tf.Variable(5.0), tf.Variable(0.0)

        def __call__(self, x: Any) -> Any:
            return x * self.w + self.b

    bare: Any = Bare()
    assert training_loop(bare, X, Y) == history


@says(
    "The name of the file must end in `.weights.h5`, or `save_weights` "
    "raises a `ValueError`."
)
@says(
    "So does `load_weights` for a new subclassed model: a Keras model has to "
    "be built before it can load weights, and calling it once does that. "
    "Here the line of `untrained` calls it."
)
@says(
    "(With a `max_shard_size` `save_weights` writes a `.weights.json` and its "
    "parts, and takes that name as well.)"
)
@says("We look at the prediction for the last input, 2.")
@says(
    "The new model predicted from its own start. After loading it "
    "predicts what the trained model does, so the file held the "
    "weights."
)
def test_saving_the_weights() -> None:
    model = KerasLinearModel()
    model(X)
    model.w.assign(1.5)
    for name in ("line", "line.h5", "line.keras"):
        with pytest.raises(ValueError, match=r"must end in `\.weights\.h5`"):
            model.save_weights(name)
    model.save_weights("line.weights.h5")
    new = KerasLinearModel()
    with pytest.raises(ValueError, match="not yet been built"):
        new.load_weights("line.weights.h5")
    new(X)
    assert float(new.w) == 5.0
    new.load_weights("line.weights.h5")
    assert float(new.w) == 1.5
    assert "untrained = loaded(x)" in BLOCKS["save"].code
    assert float(X[-1]) == 2.0
    told = [float(n) for n in re.findall(r"\d+\.\d+", printed(GUIDE, "save"))]
    assert told[0] == 10.0 == 5 * 2
    assert told[1] == told[2] != told[0]
    # One that is told of its input loads as it is.
    kept, other = (
        tf.keras.Sequential([tf.keras.Input((1,)), tf.keras.layers.Dense(1)])
        for _ in range(2)
    )
    kept.save_weights("dense.weights.h5")
    other.load_weights("dense.weights.h5")
    np.testing.assert_array_equal(
        other.get_weights()[0], kept.get_weights()[0]
    )
    with pytest.raises(ValueError, match=r"must end in `\.weights\.h5`"):
        kept.save_weights("parts.weights.json")
    kept.save_weights("parts.weights.json", max_shard_size=1e-6)
    with pytest.warns(UserWarning, match=r"renamed to two\.weights\.json"):
        kept.save_weights("two.weights.h5", max_shard_size=1e-6)
    for name in ("parts", "two"):
        assert list(Path().glob(f"{name}_*.weights.h5"))
        other.set_weights([np.zeros((1, 1)), np.zeros(1)])
        other.load_weights(f"{name}.weights.json")
        np.testing.assert_array_equal(
            other.get_weights()[0], kept.get_weights()[0]
        )


# The shortcut


@says(
    "Keras has the loop built in. `compile` takes the optimizer and "
    "the loss, `fit` runs through the data."
)
@says(
    "Optimizers and losses from Keras also work outside of `fit`, in a "
    "loop of your own."
)
@says("Update the weights once, as the optimizer sees fit.")
@says(
    "The list of variables is made once and used twice, so gradient "
    "and variable stay paired whatever the order."
)
def test_parts_of_keras_outside_of_fit() -> None:
    by_hand, by_keras = LinearModel(), LinearModel()
    optimizer = tf.keras.optimizers.SGD(learning_rate=0.1)
    for _ in range(3):
        train(by_hand, X, Y, 0.1)
        train_with_optimizer(by_keras, X, Y, optimizer)
    assert float(by_keras.w) == pytest.approx(float(by_hand.w), abs=1e-6)
    assert float(by_keras.b) == pytest.approx(float(by_hand.b), abs=1e-6)
    mse = tf.keras.losses.MeanSquaredError()
    found = float(mse(Y, by_hand(X)))
    assert found == pytest.approx(float(loss(Y, by_hand(X))), rel=1e-6)
    assert BLOCKS["train_with_optimizer"].code.count("variables") == 4
    swapped = KerasLinearModel()
    train_with_optimizer(swapped, X, Y, tf.keras.optimizers.SGD(0.1))
    once = LinearModel()
    train(once, X, Y, 0.1)
    assert float(swapped.w) == pytest.approx(float(once.w), abs=1e-6)
    learned = printed(GUIDE, "loop_exercises:optimizer").split("\n")
    assert learned[0].split()[1:] == learned[1].split()[2:]


@says(
    "`fit` takes arrays, tensors or data that is already in batches. "
    "Arrays it cuts into batches of 32 unless you say otherwise; to do "
    "what our loop did, make the whole data set one batch."
)
@says(
    "`verbose=0` turns off the progress bar, and a single batch needs "
    "no shuffling."
)
def test_what_fit_takes(capsys: pytest.CaptureFixture[str]) -> None:
    model = KerasLinearModel()
    model.compile(optimizer=tf.keras.optimizers.SGD(0.0), loss="mse")
    count = model.optimizer.iterations
    batches = tf.data.Dataset.from_tensor_slices((X, Y)).batch(50)
    ways: list[tuple[Any, dict[str, Any], int]] = [
        ((X, Y), {}, 7),
        ((X.numpy(), Y.numpy()), {}, 7),
        ((X, Y), {"batch_size": 201}, 1),
        ((batches,), {"shuffle": False}, 5),
    ]
    for data, options, steps in ways:
        before = int(count)
        model.fit(*data, verbose=0, **options)
        assert int(count) - before == steps
    assert -(-201 // 32) == 7
    assert capsys.readouterr().out == ""
    model.fit(X, Y)
    assert "loss" in capsys.readouterr().out
    learned = []
    for shuffle in (True, False):
        model = KerasLinearModel()
        model.compile(optimizer=tf.keras.optimizers.SGD(0.1), loss="mse")
        model.fit(X, Y, batch_size=201, shuffle=shuffle, verbose=0)
        learned.append([float(weight) for weight in model.weights])
    assert learned[0] == pytest.approx(learned[1], abs=1e-5)


@says(
    "The default `run_eagerly=False` lets `fit` compile its step with "
    "`tf.function`, so it runs as a *graph*, a recording of its operations, "
    "without Python; set it to `True` in `compile` to debug."
)
def test_fit_runs_a_graph() -> None:
    eager: list[bool] = []

    class Watched(KerasLinearModel):
        def call(self, x: Any) -> Any:
            eager.append(tf.executing_eagerly())
            return super().call(x)

    for given, expected in ((None, False), (True, True)):
        model = Watched()
        options = {} if given is None else {"run_eagerly": given}
        model.compile(optimizer="sgd", loss="mse", **options)
        assert model.run_eagerly == expected
        eager.clear()
        model.fit(X[:8], Y[:8], batch_size=2, verbose=0)
        eager.clear()
        model.fit(X[:8], Y[:8], batch_size=2, verbose=0)
        assert eager == 4 * [True] * expected


@says(
    "But look at the losses: the first that `fit` reports is {{ "
    'fit.history["loss"][0]:.4f }}, the loss *before* any training.'
)
@says(
    "`fit` computes the loss of a batch, then updates. Our loop "
    "reports after the update, so it is one epoch ahead:"
)
@says(
    "Two curves of the loss on a logarithmic axis, alike in shape; "
    "that of fit lies one epoch to the right of that of the loop"
)
def test_fit_is_one_epoch_behind(
    history: dict[str, list[float]], fit: dict[str, Any]
) -> None:
    reported = fit["fit"].history["loss"]
    assert reported == pytest.approx(history["loss"][:10], rel=1e-5)
    assert record(GUIDE)['fit.history["loss"][0]:.4f'] == "10.3447"
    [axes] = figure(GUIDE, "plot")
    loop, keras = axes.points["loop"], axes.points["fit"]
    assert keras.y == loop.y[:10]
    assert keras.x == [x + 1 for x in loop.x[:10]]
    assert "  y: 'loss', log" in f"  {axes.text.strip()}"


@says("A model that learns nothing")
@says("This model computes what it should:")
@says("A line through the origin; its weight is hidden from Keras.")
@says("But Keras does not know of its weight, so there is nothing to train:")
@says(
    "No error, one warning, and a loss that stands still, because `w` "
    "is where it was. If a loss of yours does not move, look at "
    "`model.weights` first, and then for [a variable "
    "rebound](traps.md#4-a-variable-rebound)."
)
def test_a_hidden_weight() -> None:
    model = Forgetful()
    assert model(tf.constant([3.0, 0.0])).numpy().tolist() == [15.0, 0.0]
    model.compile(optimizer="sgd", loss="mse")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        options = {"batch_size": 201, "shuffle": False, "verbose": 0}
        losses = model.fit(X, Y, epochs=3, **options).history["loss"]
    told = [str(c.message) for c in caught if "trainable" in str(c.message)]
    assert told == ["The model does not have any trainable weights."]
    assert len({*losses}) == 1
    assert float(model.w) == 5.0
    assert model.weights == []
    assert "weights: [] w: 5.0" in printed(GUIDE, "stuck")
    assert printed(GUIDE, "stuck").count("UserWarning") == 1


class Kept(tf.keras.Model):
    """Keeps its layers in a list and a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.listed = [tf.keras.layers.Dense(1) for _ in range(2)]
        self.listed.append(tf.keras.layers.Dense(1))
        self.named = {"last": tf.keras.layers.Dense(1)}

    def call(self, x: tf.Tensor) -> tf.Tensor:
        for layer in self.listed:
            x = layer(x)
        return self.named["last"](x)


@says(
    "The list `model.trainable_variables` may be empty for another reason: "
    "most layers make their weights when they are first called, unless they "
    "are told the shape of their input before."
)
@says("Layers that you keep in a list or a dict are found, and trained.")
def test_layers_in_a_list() -> None:
    model = Kept()
    assert model.trainable_variables == []
    model(tf.ones((3, 1)))
    assert len(model.trainable_variables) == 8
    before = [v.numpy().item() for v in model.trainable_variables]
    model.compile("sgd", "mse")
    model.fit(tf.ones((3, 1)), tf.fill((3, 1), 9.0), verbose=0)
    after = [v.numpy().item() for v in model.trainable_variables]
    assert all(a != b for a, b in zip(after, before, strict=True))
    lazy = [tf.keras.layers.LSTM(1), tf.keras.layers.BatchNormalization()]
    assert [layer.trainable_variables for layer in lazy] == [[], []]
    for first, count in (((), 0), ((tf.keras.Input((None, 1)),), 5)):
        layers = [
            tf.keras.layers.LSTM(1),
            tf.keras.layers.BatchNormalization(),
        ]
        told = tf.keras.Sequential([*first, *layers])
        assert len(told.trainable_variables) == count
        told(tf.ones((3, 4, 1)))
        assert len(told.trainable_variables) == 5


@says("A layer that is made within `call` is not: it is a new one each time.")
@says(
    "A loop that runs eagerly says nothing of it, and `fit` stops with "
    "`tf.function only supports singleton tf.Variables`. If the layer is made "
    "an attribute, both stop with `You cannot add new elements of state`."
)
@says("Make it in `__init__`, after `super().__init__()`.")
@says(
    "If that line is missing, the first call says `you forgot to call "
    "super().__init__() as the first statement`, and `compile` says `object "
    "has no attribute '_dtype_policy'`."
)
def test_layers_without_a_place() -> None:
    made = []

    class Within(tf.keras.Model):
        def call(self, x: Any) -> Any:
            made.append(tf.keras.layers.Dense(1))
            return made[-1](x)

    class Attribute(tf.keras.Model):
        def call(self, x: Any) -> Any:
            self.dense = tf.keras.layers.Dense(1)
            return self.dense(x)

    class Placed(tf.keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = tf.keras.layers.Dense(1)

        def call(self, x: Any) -> Any:
            return self.dense(x)

    x = tf.ones((3, 1))
    within, placed = Within(), Placed()
    for model, count in ((within, 0), (placed, 2)):
        model(x)
        model(x)
        assert len(model.trainable_variables) == count
    assert len(made) == 2
    assert not np.array_equal(made[0].kernel, made[1].kernel)
    for model, message in (
        (within, "tf.function only supports singleton tf.Variables"),
        (Attribute(), "You cannot add new elements of state"),
    ):
        model.compile("sgd", "mse")
        with pytest.raises(ValueError, match=re.escape(message)):
            model.fit(x, x, verbose=0)
    looped = Attribute()
    with pytest.raises(ValueError, match="You cannot add new elements"):
        looped(x)
    message = re.escape("you forgot to call `super().__init__()` as the first")
    for kind in (tf.keras.Model, tf.keras.layers.Layer):

        class Hasty(kind):  # type: ignore[misc, valid-type]
            def __init__(self) -> None:
                self.dense = tf.keras.layers.Dense(1)

            def call(self, x: Any) -> Any:
                return self.dense(x)

        hasty = Hasty()
        with pytest.raises(RuntimeError, match=message):
            hasty(x)
        if kind is tf.keras.Model:
            lost = "object has no attribute '_dtype_policy'"
            with pytest.raises(AttributeError, match=lost):
                Hasty().compile("sgd", "mse")


@says(
    "If one weight of two is hidden there is no warning, and the loss "
    "falls, but it [settles too "
    "high](traps.md#1-a-variable-that-keras-cannot-see)."
)
def test_one_hidden_weight_of_two() -> None:
    told = printed("traps", "half_hidden")
    assert "Warning" not in told
    hidden, mended = (
        [*map(float, re.findall(r" (\d+\.\d\d)\b", printed("traps", name)))]
        for name in ("half_hidden", "all_seen")
    )
    assert hidden == sorted(hidden, reverse=True)
    assert 10 > hidden[-1] > 2 * mended[-1]


# Where to go next


@says(
    "[The explorer](explorer.md) lets you try other optimizers, "
    "batches and starts on this run."
)
@says(
    "In a browser that runs scripts you can change it: drag the "
    "learning rate, or the start."
)
@says("Here is its run again.")
def test_the_explorer() -> None:
    shown = " ".join(page("explorer").split())
    for knob in ("optimizer=adam", "batch_size=8", "drag the start"):
        assert knob in shown
    assert "```explorer\n" in SOURCE
    assert '"history": {"w": {{ history["w"] }}' in SOURCE
    model = (DOCS / "assets/explorer").glob("*.js")
    assert any("pointer" in path.read_text("utf-8") for path in model)


@says(
    "[Silent failures](traps.md) shows each failure, its mend and the "
    "check that catches it."
)
def test_the_page_on_traps() -> None:
    parts = re.split(r"\n## (?=\d+\. )", page("traps"))[1:]
    assert len(parts) > 11
    assert all("**The check" in part for part in parts)
    assert all('"Mended"' in part for part in parts)


@says(
    "[The loop with the usual parts](usual_parts.md) adds batches, "
    "metrics, validation and early stopping; see also Keras' own "
    "[Writing a training loop from scratch](https://keras.io/guides/wri"
    "ting_a_custom_training_loop_in_tensorflow/)."
)
@says(
    "[Keras, from fit inwards](keras_from_fit_inwards.md) opens `fit` "
    "and writes its step and its loop; see also Keras' own [Training "
    "and evaluation with the built-in "
    "methods](https://keras.io/guides/training_with_built_in_methods/)."
)
@says(
    "[A real problem](real_problem.md) reads handwritten digits, from "
    "a first look at the data to what the accuracy is worth; see also "
    "TensorFlow's [Basic classification](https://www.tensorflow.org/tut"
    "orials/keras/classification)."
)
@says(
    "[How fast can the loop go?](how_fast.md) takes the same steps in "
    "seven ways and compares their speed; see also TensorFlow's "
    "[Better performance with "
    "tf.function](https://www.tensorflow.org/guide/function)."
)
@says(
    "[Many devices, many machines](many_devices.md) trains on two "
    "devices, with two workers and with a parameter server; see also "
    "TensorFlow's [Distributed "
    "training](https://www.tensorflow.org/guide/distributed_training)."
)
@pytest.mark.parametrize(
    ("name", "titles"),
    [
        ("usual_parts", ["Mini-batches", "Metrics", "A validation split"]),
        ("usual_parts", ["Early stopping"]),
        ("keras_from_fit_inwards", ["Inside fit", "A loop of your own"]),
        (
            "real_problem",
            ["Look at the data", "What the numbers show, and what"],
        ),
        ("how_fast", ["Seven ways to take the same steps", "How long each"]),
        ("many_devices", ["Two devices in one process", "A parameter server"]),
        ("many_devices", ["The worker"]),
    ],
)
def test_what_other_pages_have(name: str, titles: list[str]) -> None:
    found = re.findall(r"(?m)^#+ (.*)", page(name))
    for title in titles:
        assert any(one.startswith(title) for one in found)
