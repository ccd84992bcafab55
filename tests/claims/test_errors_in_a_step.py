"""What the page on errors in a training step says is true."""

import importlib
import itertools
import json
import logging
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from snippets import rows_of_logits
from snippets.batch_size_none import Noisy, NoisyTensor, in_a_graph
from snippets.data import make_data
from snippets.errors_in_a_step import (
    Capped,
    CappedFunction,
    CappedTensor,
    Near,
    check_pairs,
    first_line,
    gradients_of,
    holding,
    make_classifier,
    make_rows,
    said,
    slope_penalty,
    standardised,
    with_shapes,
)
from snippets.graph_error import graph_error
from snippets.integer_labels import brier, brier_of_floats
from snippets.keras_model import KerasLinearModel
from snippets.rows_of_logits import scores_of
from tests.claims.says import logged, printed, ran, record, says
from tests.claims.sentences import DOCS, read, sections

NAME = "errors_in_a_step"
PAGE = read(NAME)
BLOCKS = {block.name: block for block in PAGE.blocks}
SOURCE = (DOCS / f"{NAME}.md").read_text("utf-8")
X, Y = (values[:, tf.newaxis] for values in make_data())
SGD = tf.keras.optimizers.SGD
THREADS = Path("/proc/self/task")
SILENT = "the-second-epoch-has-no-batches"
NotAllowed = tf.errors.OperatorNotAllowedInGraphError


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+\.\d+", text)]


def shows(section: str, message: str) -> None:
    """Assert that a block is meant to fail, and prints this."""
    assert message in " ".join(printed(NAME, section).split())
    assert BLOCKS[section].options["raises"] in printed(NAME, section)


# The page


@says(
    "Error messages of a TensorFlow training step - EagerTensor, "
    "apply_gradients, tf.function, bool, logits and labels - each made, "
    "explained and mended."
)
@says(
    "On this page each mistake is made, so that you see its message, and "
    "then mended."
)
@says("you know some slips of the same kind that bring no message at all")
@says("All blocks above, in order, as one file. It needs TensorFlow.")
@says("Data and model are those of the guide, the data as columns.")
def test_each_mistake_is_made_and_mended() -> None:
    raised = [n for n, b in BLOCKS.items() if b.options.get("raises")]
    titles = [block.options.get("title") for block in PAGE.blocks]
    assert len(raised) == 23
    assert titles.count("Mended") >= titles.count("Looks right")
    silent = {"made_anew", "used_up", "softmax_twice", "outside"}
    silent.add("below_zero")
    for name in silent:
        assert BLOCKS[name].options["title"] == "Looks right"
        assert not re.search("Error|Warning", printed(NAME, name))
    code = "\n".join(block.code for block in PAGE.blocks)
    imported = re.findall(r"(?m)^\s*(?:import|from) (\w+)", code)
    assert {*imported} == {"warnings", "collections", "numpy", "tensorflow"}
    assert X.shape == Y.shape == (201, 1)
    assert {"data:make_data", "keras_model:model"} <= {*record(NAME)}


@says("`'EagerTensor' object is not callable` | [A name] … callable)")
@says(
    "`'EagerTensor' object has no attribute '_unique_id'` | [Pairs] … input)"
)
@says("`not enough values to unpack (expected 2, got 0)` | … apply_gradients)")
@says("`takes 2 positional arguments but 3 were given` | … apply_gradients)")
@says("`Cannot iterate over a scalar tensor` | [Pairs] … apply_gradients)")
@says(
    "`No gradients provided for any variable` | [`predict`](#the … "
    "predict_on_batch)"
)
@says(
    "`'numpy.float32' object has no attribute '_id'` | "
    "[NumPy](#npmean-of … attribute-_id)"
)
@says(
    "`numpy() is only available when eager execution` | [In a graph] … array)"
)
@says("`Cannot convert a symbolic tf.Tensor` | [NumPy in a graph] … array)")
@says("A loop with `predict` is slow | [`predict`](#predict … slow)")
@says(
    "`tf.function only supports singleton tf.Variables` | [Variables] … call)"
)
@says(
    "`Using a symbolic tf.Tensor as a Python bool is not allowed` | … allowed)"
)
@says("In the log: `AutoGraph could not transform` | [The source] … as-is)")
@says(
    "`Iterating over a symbolic tf.Tensor is not allowed` | [A loop] … "
    "train_step)"
)
@says("`Your input ran out of data` | [Steps] … unknown)")
@says(
    "In older releases: `'NoneType' object has no attribute 'items'` | "
    "[Steps] … data)"
)
@says("The first epoch never ends, the training freezes | [Validation] … end)")
@says("Training freezes for a minute, and goes on | [An iterator] … on)")
@says(
    "In older releases: `Unexpected result of train_function` | "
    "[Steps] … data)"
)
@says("`generator yielded an element of shape` | [A signature] … expected)")
@says("`Cannot batch tensors with different shapes` | [Rows] … component-0)")
@says("`Cannot add tensor to the batch` | [Rows] … component-0)")
@says("`The dataset length is unknown` | [The length] … unknown)")
@says("`End of sequence` | [The end](#local … sequence)")
@says(
    "In the log: `Local rendezvous is aborting with status` | [The "
    "end](#local … sequence)"
)
@says("`Failed to convert a NumPy array to a Tensor` | [Objects] … float)")
@says("`is incompatible with the layer` | [The shape] … layer)")
@says("In `fit`: `Data cardinality is ambiguous` | [The rows] … layer)")
@says(
    "`Expected shape …, but input has incompatible shape` | [One row] … batch)"
)
@says(
    "`expects 1 … input(s) …, but it received 2 input tensors` | [The "
    "pair] … tensors)"
)
@says("`Missing data for input` | [Names](#missing … name)")
@says("`doesn't match the expected structure` | [Names](#missing … name)")
@says(
    "`Data is expected to be in format` | [The parts](#data … sample_weight)"
)
@says(
    "`Cannot take the length of shape with unknown rank` | [The rank] … rank)"
)
@says("Logits and labels have two shapes or ranks | [Cross-entropy] … not)")
@says("`logits and labels must be broadcastable` | [Rows] … broadcastable)")
@says("Of `target` and `output`: `must have the same shape` | … not)")
@says(
    "In Keras 2: `Shapes (None, 1) and (None, 10) are incompatible` | "
    "[Shapes] … not)"
)
@says("The loss of a classifier never comes near 0 | [`from_logits`] … twice)")
@says("The loss of a classifier is stuck at 16.118 | [`from_logits`] … 16118)")
@says("The loss stays at 0.693 or at 2.303 | [Equal chances] … number)")
@says(
    "`Received a label value of 3 which is outside the valid range` | "
    "[Labels](#received … 3)"
)
@says(
    "The same prediction for every input, the accuracy is stuck | [One "
    "output] … number)"
)
@says("The loss is negative | [Labels from 0 to 1] … labels)")
@says("The second derivative is `None` | [Two tapes] … none)")
@says("`gradient registry has no entry for` | [No gradient] … operation)")
@says("`No gradient defined for operation` | [No gradient] … operation)")
@says(
    "`missing 1 required positional argument` | [More arguments] … argument)"
)
@says(
    "In older releases: `cannot be Keras symbolic tensors` | [More "
    "arguments] … argument)"
)
def test_each_row_leads_to_a_section_that_shows_it() -> None:
    parts = sections(NAME)
    rows = re.findall(r"(?m)^\| (.+) \| (\[.+\)) \|$", SOURCE)
    assert len(rows) > 50
    for row, links in rows:
        for anchor in re.findall(r"\(#(.+?)\)", links):
            modules = r"(?:errors_in_a_step|integer_labels|batch_size_none"
            modules += r"|rows_of_logits|variables_as_keys)"
            modules += r"\.py:(\w+)"
            names = re.findall(modules, parts[anchor])
            told = " ".join(printed(NAME, name) for name in names)
            if row.startswith("`") and names and anchor != SILENT:
                words = row.strip("`").replace("'EagerTensor'", "EagerTensor'")
                for part in words.split("…"):
                    assert part.strip(" ,") in told.replace("`", "")
    shows("one_hot", "target.shape=(3, 3), output.shape=(3, 3)")
    assert "second: None" in printed(NAME, "outside")
    assert numbers(printed(NAME, "softmax_twice"))[1] > 0.5


# Names and pairs


@says("The first round of this loop is right.")
@says(
    "Then `loss` is no longer the function but the number that it returned, "
    "and a number cannot be called."
)
@says(
    "Today they have [no `minimize`](old_names.md#4-optimizers); take the "
    "gradients with a tape."
)
def test_a_number_is_not_callable() -> None:
    shows("called_twice", "EagerTensor' object is not callable")
    names: dict[str, Any] = {"x": X, "y": Y}
    with pytest.raises(TypeError, match="not callable"):
        ran("errors_in_a_step", "called_twice", **names)
    loss = tf.keras.losses.MeanSquaredError()(Y, 3.0 * X + 2.0)
    assert not callable(loss)
    assert numbers(printed(NAME, "named_apart")) == pytest.approx(
        [float(loss)], abs=1e-4
    )
    assert not hasattr(SGD(), "minimize")


@says(
    "`apply_gradients` wants pairs of a gradient and its variable, in this "
    "order."
)
@says("The optimizer looked for its variables and found a tensor.")
@says("That is all the message says.")
@says("Return the gradients of the mean squared error.")
@says("Return the error that a call ends with.")
def test_pairs_in_their_order() -> None:
    shows("turned", "EagerTensor' object has no attribute '_unique_id'")
    model = KerasLinearModel()
    gradients = gradients_of(model, X, Y)
    error = np.squeeze(5.0 * X - Y)
    expected = 2 * np.mean(error * np.squeeze(X)), 2 * np.mean(error)
    assert np.array(gradients) == pytest.approx(expected, abs=1e-5)
    pairs = list(zip(gradients, model.trainable_variables, strict=True))
    with pytest.raises(AttributeError, match="_unique_id"):
        SGD(0.1).apply_gradients([(v, g) for g, v in pairs])
    SGD(0.1).apply_gradients(pairs)
    moved = 5.0 - 0.1 * expected[0], -0.1 * expected[1]
    assert [float(model.w), float(model.b)] == pytest.approx(moved, abs=1e-5)
    assert numbers(printed(NAME, "paired")) == pytest.approx(moved, abs=1e-4)
    assert said(lambda: 1) == "nothing"
    assert said(lambda: float("a")).startswith("ValueError: could not")


@says("A `zip` can be walked through once, so the second call finds no pairs.")
@says(
    "Gradients without their variables are taken for pairs; what the message "
    "is depends on their shapes."
)
@says("And two lists are what `optimizer.apply` takes, not `apply_gradients`.")
def test_slips_with_pairs() -> None:
    first, second, third = printed(NAME, "slips").splitlines()
    assert "expected 2, got 0" in first
    assert "Cannot iterate over a scalar" in second
    assert "takes 2 positional arguments but 3 were given" in third
    pairs = zip([1, 2], "ab", strict=True)
    assert (len(list(pairs)), len(list(pairs))) == (2, 0)
    alone = {
        said(lambda: SGD().apply_gradients([tf.zeros(())] * 2)),
        said(lambda: SGD().apply_gradients([tf.zeros(1)] * 2)),
    }
    assert len(alone) == 2
    assert "nothing" not in alone
    w = tf.Variable(5.0)
    SGD(0.5).apply([tf.constant(2.0)], [w])
    assert w.numpy() == 4.0


@says("Of empty lists `apply` says nothing, and nothing is trained.")
@says(
    "Those of a `Sequential` model without an `Input` are empty until it was "
    "called: ask for `model.trainable_variables` after that."
)
def test_lists_that_are_empty() -> None:
    for asked_after in (False, True):
        dense = tf.keras.layers.Dense(1, kernel_initializer="ones")
        model = tf.keras.Sequential([dense])
        optimizer = SGD(0.1)
        variables = model.trainable_variables
        assert variables == []
        with warnings.catch_warnings(action="error"):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(model(X) - Y))
            if asked_after:
                variables = model.trainable_variables
            optimizer.apply(tape.gradient(loss, variables), variables)
        assert (dense.kernel[0, 0] != 1.0) == asked_after
        assert int(optimizer.iterations) == asked_after


@says(
    "The second message comes of a single variable as well: "
    "`tape.gradient(loss, w)` is one gradient, no list, and a `zip` cannot "
    "walk through a number."
)
@says("Ask for `tape.gradient(loss, [w])`, and pair that with `[w]`.")
def test_a_single_variable() -> None:
    w = tf.Variable(5.0)
    with tf.GradientTape(persistent=True) as tape:
        loss = tf.square(w)
    alone, listed = tape.gradient(loss, w), tape.gradient(loss, [w])
    assert alone.numpy() == 10.0
    second = printed(NAME, "slips").splitlines()[1]
    assert second == said(lambda: zip(alone, [w], strict=True))
    assert isinstance(listed, list)
    SGD(0.1).apply_gradients(zip(listed, [w], strict=True))
    assert w.numpy() == 4.0


@says("Here the model stays, and the input moves.")
@says("The gradient is there, for the tape was told to watch.")
@says("But an optimizer moves variables only.")
@says("Make the input one, and the tape watches it by itself.")
@says("The brackets in the last line of the loop make lists of one.")
@says(
    "Without them the optimizer would walk through the numbers of the point "
    "instead."
)
def test_an_input_that_moves() -> None:
    shows("point", "_unique_id")
    model = KerasLinearModel()
    names = ran("errors_in_a_step", "movable", model=model)
    assert [float(model.w), float(model.b)] == [5.0, 0.0]
    assert names["point"].numpy() == pytest.approx([8 / 5], abs=1e-3)
    with pytest.raises(AttributeError, match="_unique_id"):
        ran("errors_in_a_step", "point", model=model)
    code = BLOCKS["movable"].code
    assert "watch" not in code
    assert "[tape.gradient(distance, point)], [point]" in code
    assert "tape.watch" in BLOCKS["point"].code
    point = tf.Variable([0.0, 1.0])
    with pytest.raises(AttributeError):
        SGD(0.1).apply(tf.ones(2), point)
    assert "gradient" not in printed(NAME, "point")


# Predictions


class Witness(tf.keras.Model):
    """A model that notes with what it is called."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[int, bool | None]] = []
        self.compile(run_eagerly=True)

    def call(self, x: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        self.told.append((len(x), training))
        return x

    def rows(self, call: Any, **named: Any) -> list[int]:
        """Return how many rows at a time a call comes to."""
        self.told.clear()
        call(X, **named)
        return [rows for rows, _ in self.told]


@says("`predict` returns an array of NumPy, and the tape cannot look into it.")
@says("**The check** is the line with `assert`.")
@says(
    "This is what each call returns, and the gradient of its sum with respect "
    "to `b`:"
)
@says("Returned | a tensor | a NumPy array | a NumPy array")
def test_no_gradient_through_numpy() -> None:
    shows("predicted", "No gradients provided for any variable.")
    model = KerasLinearModel()
    assert isinstance(model(X), tf.Tensor)
    for call in (model.predict, model.predict_on_batch):
        with tf.GradientTape() as tape:
            y_pred = call(X)
            total = tf.reduce_sum(y_pred)
        assert isinstance(y_pred, np.ndarray)
        assert tape.gradient(total, model.trainable_variables) == [None, None]
    names = {"model": model, "optimizer": SGD(0.1), "x": X, "y": Y}
    expected = gradients_of(model, X, Y)
    left = ran(NAME, "called", variables=model.trainable_variables, **names)
    assert left["gradients"] == expected
    assert "assert None not in gradients" in BLOCKS["called"].code
    assert printed(NAME, "calls").splitlines() == [
        "model(x): EagerTensor, gradient 201.0",
        "predict: ndarray, gradient None",
        "predict_on_batch: ndarray, gradient None",
    ]


@says("np.mean of the loss: 'numpy.float32' object has no attribute '_id'")
@says("The model was called, and then `np.mean` took the loss.")
@says("A number of NumPy is not on the tape.")
def test_a_loss_by_numpy() -> None:
    message = "'numpy.float32' object has no attribute '_id'"
    shows("by_numpy", message)
    assert "y_pred = model(x" in BLOCKS["by_numpy"].code
    model = KerasLinearModel()
    names = {"model": model, "variables": model.trainable_variables}
    with pytest.raises(AttributeError, match=message):
        ran(NAME, "by_numpy", x=X, y=Y, **names)
    left = ran(NAME, "by_tensorflow", x=X, y=Y, **names)
    assert left["slopes"] == gradients_of(model, X, Y)


@says(
    "NotImplementedError: Cannot convert a symbolic tf.Tensor to a numpy array"
)
@says(
    "In a graph, as in `fit` or a `tf.function`, a tensor has no numbers yet, "
    "so `np.mean`, `np.log`, `np.where` and `np.array` are refused at once, "
    "and so are most functions of NumPy."
)
@says(
    "Take TensorFlow's: `tf.reduce_mean`, `tf.math.log`, `tf.where`, "
    "`tf.stack`."
)
@says(
    "An operator does no harm: with an array on its other side it is still "
    "TensorFlow that computes."
)
@pytest.mark.filterwarnings("ignore:__array__ implementation")
def test_numpy_in_a_graph() -> None:
    message = r"Cannot convert a symbolic tf\.Tensor \(.+\) to a numpy array"
    values = np.array([1.0, 2.0], "float32")
    functions: dict[Any, Any] = {
        np.mean: tf.reduce_mean,
        np.log: tf.math.log,
        np.array: lambda x: tf.stack([x[0], x[1]]),
        lambda x: np.where(x, 3, 4): lambda x: tf.where(x > 0.0, 3, 4),
        np.sum: tf.reduce_sum,
        np.abs: tf.abs,
        np.argmax: tf.argmax,
        np.std: tf.math.reduce_std,
        lambda x: np.clip(x, 0, 1): lambda x: tf.clip_by_value(x, 0, 1),
        lambda x: np.add(x, 1): lambda x: x + 1,
    }

    def call(function: Any) -> Any:
        made = tf.function(lambda x: function(x), autograph=False)
        return made(tf.constant(values))

    for by_numpy, by_tensorflow in functions.items():
        with pytest.raises(NotImplementedError, match=message):
            call(by_numpy)
        np.testing.assert_allclose(
            by_numpy(values), call(by_tensorflow), rtol=1e-6
        )
    assert call(lambda x: values * x).numpy().tolist() == [1.0, 4.0]
    assert call(lambda x: x - values).numpy().tolist() == [0.0, 0.0]
    found = call(lambda x: values[np.newaxis] @ x[:, tf.newaxis])
    assert found.numpy().tolist() == [[5.0]]
    model = KerasLinearModel()
    model.compile("sgd", lambda y, y_pred: np.mean((y - y_pred) ** 2))
    with pytest.raises(NotImplementedError, match=message):
        model.fit(X, Y, verbose=0)


@says(
    "Not so a weight of Keras: `array * model.w` is an array, too, and the "
    "gradient is gone, without a word. In a graph the message is `numpy() is "
    "only available when eager execution is enabled`."
)
@says(
    "Write the weight first, `model.w * array`, or make a tensor of the array."
)
def test_an_array_times_a_weight_of_keras() -> None:
    model, array = KerasLinearModel(), X.numpy()
    message = r"numpy\(\) is only available when eager execution is enabled"
    dense = tf.keras.layers.Dense(1)
    dense.build((None, 1))
    lefts: list[Any] = [
        lambda: array * model.w,
        lambda: array + model.b,
        lambda: np.float32(2.0) * model.w,
        lambda: array @ dense.kernel,
    ]
    for left in lefts:
        with warnings.catch_warnings(action="error"):
            assert isinstance(left(), np.ndarray | np.float32)
        with pytest.raises(NotImplementedError, match=message):
            tf.function(left, autograph=False)()

    def slopes(line: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(line() + model.b - Y))
        return tape.gradient(loss, model.trainable_variables)

    with warnings.catch_warnings(action="error"):
        assert slopes(lambda: array * model.w) == [None, None]
    due = gradients_of(model, X, Y)
    for right in (
        lambda: model.w * array,
        lambda: tf.constant(array) * model.w,
    ):
        assert slopes(right) == due
        tf.function(right, autograph=False)()
    assert isinstance(array * tf.Variable(5.0), tf.Tensor)


@says("`object has no attribute '_id'` of something else | [Other objects]")
@says("Other objects that have no attribute '_id'")
@says(
    "The tape says this of the model, too, in `tape.gradient(loss, model)`. "
    "It wants tensors or variables of TensorFlow, here "
    "`model.trainable_variables`."
)
@says(
    "Of the number that `float(loss)` makes it says `Cannot convert the "
    "argument type_value`."
)
@says(
    "A `KerasTensor` without an `_id` is `model.input`: [watch what you hand "
    "in](foundations.md#2-a-tensor-that-nobody-watches) instead."
)
@says("`keras.config.backend()` names the one that runs.")
def test_what_is_not_of_tensorflow() -> None:
    model = KerasLinearModel()

    class Variable:
        """As of another backend: none of TensorFlow's."""

        dtype = "float32"

    def slopes(sources: Any, convert: Any = tf.identity) -> Any:
        with tf.GradientTape() as tape:
            loss = convert(tf.reduce_mean(tf.square(Y - model(X))))
        return tape.gradient(loss, sources)

    model(X)
    variables = model.trainable_variables
    inputs = tf.keras.Input((1,))
    line = tf.keras.Model(inputs, 2.0 * inputs)
    for sources in (model, Variable(), line.input):
        message = f"'{type(sources).__name__}' object has no attribute '_id'"
        with pytest.raises(AttributeError, match=message):
            slopes(sources)
    message = "Cannot convert the argument `type_value`"
    with pytest.raises(TypeError, match=message):
        slopes(variables, float)
    assert [float(s) for s in slopes(variables)] == pytest.approx(
        [float(s) for s in gradients_of(model, X, Y)]
    )
    assert tf.keras.config.backend() == "tensorflow"


@says("Rows at a time | all | 32, or `batch_size` | all")
@says("`training` | as you say | `False` | `False`")
def test_rows_at_a_time_and_the_flag() -> None:
    model = Witness()
    thirds = model.rows(model.predict, batch_size=67, verbose=0)
    assert thirds == [67, 67, 67]
    usual = model.rows(model.predict, verbose=0)
    assert usual == [32] * 6 + [9]
    assert {flag for _, flag in model.told} == {False}
    assert model.rows(model.predict_on_batch) == [201]
    assert {flag for _, flag in model.told} == {False}
    for flag in (True, False):
        assert model.rows(model, training=flag) == [201]
        assert model.told[0][1] is flag


@says("In a `tf.function` | part of its graph | an error | an error")
@says("That error is `'SymbolicTensor' object has no attribute 'numpy'`.")
@says("Return the prediction for a batch of one row.")
def test_predictions_in_a_compiled_function() -> None:
    model = KerasLinearModel()
    for call in (model.predict, model.predict_on_batch):
        with pytest.raises(
            AttributeError,
            match="'SymbolicTensor' object has no attribute 'numpy'",
        ):
            tf.function(call)(X)
    left = ran(NAME, "one_by_one", model=model, x=X)
    model.b.assign(1.0)
    assert left["predict_row"](X[:1]).numpy().tolist() == [[-9.0]]
    assert printed(NAME, "one_by_one") == "the same: True"


@says(
    "`Only input tensors may be passed as positional arguments` | [An "
    "argument] … arguments)"
)
@says("Only input tensors may be passed as positional arguments")
@says("Keras 3 says so of `model(x, True)`.")
@says("What is no tensor goes by name: write `training=True`.")
@says(
    "It says the same of a list of rows, where it comes upon the first "
    "number: make an array of the list."
)
def test_what_is_no_tensor_goes_by_name() -> None:
    class Trained(KerasLinearModel):
        def call(self, x: Any, training: bool = False) -> Any:
            return super().call(x) + (1.0 if training else 0.0)

    model, rows = Trained(), [[1.0], [2.0]]
    message = "Only input tensors may be passed as positional arguments"
    with pytest.raises(ValueError, match=f"{message}.*: True"):
        model(X, True)
    with pytest.raises(ValueError, match=f"{message}.*: 1.0"):
        model(rows)
    apart = model(X, training=True) - model(X, training=False)
    np.testing.assert_allclose(apart, 1.0, rtol=1e-5)
    assert model(np.array(rows, "float32")).shape == (2, 1)


@says(
    "Each call of `predict` makes a dataset, an iterator and a list of "
    "callbacks, be it for a single row."
)
@says("If they come one at a time, call the model, in a `tf.function`.")
@says(
    "Whether memory grows is told on [another "
    "page](memory.md#predict-in-a-loop)."
)
def test_what_a_call_of_predict_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Counter[str]()

    def count(what: str, kind: Any, name: str) -> None:
        original = getattr(kind, name)

        def counted(*arguments: Any, **named: Any) -> Any:
            made[what] += 1
            return original(*arguments, **named)

        monkeypatch.setattr(kind, name, counted)

    count("dataset", tf.data.Dataset, "__init__")
    count("iterator", tf.data.Dataset, "__iter__")
    count("callbacks", tf.keras.callbacks.CallbackList, "__init__")
    model = KerasLinearModel()
    for row in range(3):
        made.clear()
        model.predict(X[row : row + 1], verbose=0)
        assert {*made} == {"dataset", "iterator", "callbacks"}
    made.clear()
    model(X[:1])
    assert not made
    heading = "### predict in a loop"
    assert heading in (DOCS / "memory.md").read_text("utf-8")


# Variables in a compiled function


@says(
    "An optimizer has variables, too: its rate, its count of updates, its "
    "momentum."
)
@says("A compiled function may make variables once only.")
@says("Made in the step it brings the same error.")
@says("Layers, metrics and models have variables as well.")
@says("Take a step with a rate of its own.")
def test_variables_are_made_once() -> None:
    shows("made_inside", "only supports singleton tf.Variables created on")
    optimizer = SGD(0.1, momentum=0.9)
    optimizer.build([tf.Variable(0.0)])
    paths = " ".join(v.path for v in optimizer.variables)
    for word in ("learning_rate", "iteration", "momentum"):
        assert word in paths

    kept: list[tf.Variable] = []

    @tf.function
    def once(x: tf.Tensor) -> tf.Tensor:
        if not kept:
            kept.append(tf.Variable(2.0))
        return kept[0] * x

    assert once(tf.constant(3.0)) == 6.0
    w = tf.Variable(1.0)
    for make in (
        lambda: SGD(0.1).apply([tf.constant(1.0)], [w]),
        lambda: tf.keras.layers.Dense(1)(tf.ones((1, 1))),
        lambda: tf.keras.metrics.Mean()(1.0),
        lambda: KerasLinearModel()(tf.ones((1, 1))),
    ):
        with pytest.raises(ValueError, match="singleton"):
            tf.function(make)()


@says("To run the step eagerly stops the error, and hides the mistake:")
@says(
    "A new optimizer in each step starts each time without momentum, and so "
    "none is ever built up."
)
@says(
    "Make it once, outside, and build it as soon as the model has its weights."
)
@says("Take a step with the optimizer from outside.")
def test_a_new_optimizer_forgets() -> None:
    once, anew = printed(NAME, "made_anew").splitlines()
    assert numbers(once) == numbers(printed(NAME, "made_before"))

    def end(beta: float) -> list[float]:
        w, b, speed = 5.0, 0.0, np.zeros(2)
        x, y = np.squeeze(X), np.squeeze(Y)
        for _ in range(30):
            error = w * x + b - y
            slope = 2 * np.array([np.mean(error * x), np.mean(error)])
            speed = beta * speed - 0.01 * slope
            w, b = w + speed[0], b + speed[1]
        return [w, b]

    assert numbers(once) == pytest.approx(end(0.9), abs=1e-3)
    assert numbers(anew) == pytest.approx(end(0.0), abs=1e-3)
    for called in (False, True):
        model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
        if called:
            model(X)
        optimizer = SGD(0.01)
        optimizer.build(model.trainable_variables)
        gradients = gradients_of(model, X, Y)
        if called:
            optimizer.apply(gradients, model.trainable_variables)
            continue
        with pytest.raises(ValueError, match="Unknown variable"):
            optimizer.apply(gradients, model.trainable_variables)


# A condition


def compiled(kind: type[tf.keras.Model]) -> tf.keras.Model:
    model = kind()
    model.compile("sgd", "mse")
    return model


@says(
    "`fit` compiles the step, unless you say `run_eagerly=True`, and while a "
    "graph is made a tensor has no value yet."
)
@says(
    "In a `tf.function` of your own this `if` works, since TensorFlow "
    "rewrites its code."
)
@says(
    "What `fit` calls is not rewritten: neither `train_step` nor "
    "`compute_loss`, nor the `call` of a layer. (That is not rewritten in a "
    "`tf.function` of your own, either.)"
)
@says(
    "`and`, `or`, `not`, `assert` and Python's `max` ask for a bool as well."
)
def test_a_condition_is_asked_for_a_bool() -> None:
    shows("asked", "Using a symbolic `tf.Tensor` as a Python `bool`")

    class Step(KerasLinearModel):
        def train_step(self, data: Any) -> dict[str, Any]:
            return {} if tf.reduce_max(data[0]) > 9.0 else {"a": 1.0}

    class Call(KerasLinearModel):
        def call(self, x: tf.Tensor) -> tf.Tensor:
            return x if tf.reduce_max(x) > 9.0 else super().call(x)

    for kind in (Capped, Step, Call):
        with pytest.raises(NotAllowed, match="Python `bool`"):
            compiled(kind).fit(X, Y, verbose=0)
    model = Call()
    with pytest.raises(NotAllowed, match="Python `bool`"):
        tf.function(lambda x: model(x))(X)
    assert tf.function(Call.call)(model, X).shape == X.shape
    eager = Capped()
    eager.compile("sgd", "mse", run_eagerly=True)
    eager.fit(X, Y, batch_size=201, verbose=0)

    @tf.function
    def size(x: tf.Tensor) -> tf.Tensor:
        if x > 0.0:
            return x
        return -x

    assert size(tf.constant(-2.0)) == 2.0

    asks = tf.autograph.experimental.do_not_convert
    for ask in (
        lambda a: a and 1,
        lambda a: a or 1,
        lambda a: not a,
        lambda a: max(a, 2.0),
        refuse,
    ):
        with pytest.raises(NotAllowed, match="Python `bool`"):
            tf.function(asks(ask))(tf.constant(1.0))


def refuse(value: tf.Tensor) -> None:
    assert value


@says("Say it with tensors, by `tf.minimum`, `tf.where` or the like.")
@says("Or put the condition into a function of tensors, and decorate that.")
@says("Both are right.")
@says(
    "But above 100 such a loss has a gradient of 0: where each batch is, the "
    "log says 100 for ever."
)
@says("Return a number, or 100 if it is larger.")
@says("A line whose loss counts as 100 at most.")
@says("Return the compiled loss, or 100.")
@says("The same, its condition in a function of its own.")
def test_conditions_in_the_graph() -> None:
    usual = compiled(KerasLinearModel).fit(
        X, Y, batch_size=201, epochs=2, verbose=0
    )
    lines = printed(NAME, "computed").splitlines()
    for line, kind in zip(lines, (CappedTensor, CappedFunction), strict=True):
        assert line.startswith(kind.__name__)
        logged = usual.history["loss"]
        assert numbers(line) == pytest.approx(logged, abs=1e-3)
        model = compiled(kind)
        assert float(model.compute_loss(X, Y, Y + 1000.0)) == 100.0
        assert float(model.compute_loss(X, Y, Y + 2.0)) == pytest.approx(4.0)
        stuck = compiled(kind)
        start = [float(v) for v in stuck.trainable_variables]
        fit = stuck.fit(X, Y + 100.0, batch_size=67, epochs=3, verbose=0)
        assert fit.history["loss"] == [100.0] * 3
        assert [float(v) for v in stuck.trainable_variables] == start
    assert float(tf.where(tf.constant(200.0) > 100.0, 100.0, 1.0)) == 100.0


@says(
    "Do not decorate the method itself: its graph outlives the next "
    "`compile`, so that the loss is still the old one, or, in a `train_step`, "
    "the optimizer, without a word."
)
def test_a_decorated_method_outlives_compile() -> None:
    class OldLoss(Capped):
        compute_loss = tf.function(Capped.compute_loss)

    class OldOptimizer(KerasLinearModel):
        @tf.function
        def train_step(self, data: Any) -> Any:
            gradients = gradients_of(self, *data)
            self.optimizer.apply(gradients, self.trainable_variables)
            return {"w": self.w.value}

    whole: dict[str, Any] = {"batch_size": 201, "verbose": 0}
    x, y = X.numpy()[:, 0], Y.numpy()[:, 0]
    squared, absolute = np.mean((5 * x - y) ** 2), np.mean(abs(5 * x - y))
    for kind, second in (
        (CappedTensor, absolute),
        (CappedFunction, absolute),
        (OldLoss, squared),
    ):
        model = kind()
        for loss, due in (("mse", squared), ("mae", second)):
            model.compile(SGD(0.0), loss)
            with warnings.catch_warnings(action="error"):
                log = model.fit(X, Y, **whole).history
            assert log["loss"] == pytest.approx([due], rel=1e-4)
    model = OldOptimizer()
    optimizers = SGD(0.1), SGD(0.1)
    for optimizer in optimizers:
        model.compile(optimizer, "mse")
        with warnings.catch_warnings(action="error"):
            model.fit(X, Y, **whole)
    assert [int(o.iterations) for o in optimizers] == [2, 0]


@pytest.fixture
def told() -> Iterator[list[str]]:
    """What TensorFlow logs."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda r: lines.append(r.getMessage())  # type: ignore
    tf.get_logger().addHandler(handler)
    yield lines
    tf.get_logger().removeHandler(handler)


@says("AutoGraph could not transform a function and will run it as-is")
@says(
    "It is a warning. TensorFlow rewrites a function from its source, and has "
    "not found it. So "
    "an `if` or a `for` over a tensor stays Python's, and raises the error "
    "above or below."
)
@says(
    "Code that comes through a pipe, `python < step.py`, has no source, and "
    "as the message says, nor has some that is typed into a shell."
)
@says(
    "Of two `lambda`s on one line, with the same arguments, TensorFlow cannot "
    "tell which is which. And what `exec` runs is not rewritten either, "
    "without a warning."
)
@says("Write the function with `def`, in a file.")
def test_a_function_without_a_source(
    told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "def positive(x):\n    if x > 0.0:\n        return x\n    return -x\n"
        "def total(x):\n    y = 0.0\n    for row in x:\n        y += row\n"
        "    return y\n"
    )
    vector, number = tf.constant([1.0, 2.0]), tf.constant(-2.0)

    def made(name: str) -> dict[str, Any]:
        names: dict[str, Any] = {"__name__": "of_ones_own"}
        exec(compile(code, name, "exec"), names)
        return names

    piped = made("<stdin>")
    with pytest.raises(NotAllowed, match="as a Python `bool`"):
        tf.function(piped["positive"])(number)
    assert "AutoGraph could not transform <function positive" in told[0]
    assert "and will run it as-is" in told[0]
    assert "like the interactive Python shell, do not expose" in told[0]
    with pytest.raises(NotAllowed, match="Iterating over a symbolic"):
        tf.function(piped["total"])(vector)
    assert len(told) == 2
    run = made("<string>")
    with pytest.raises(NotAllowed, match="as a Python `bool`"):
        tf.function(run["positive"])(number)
    assert len(told) == 2
    pair: list[Any]
    pair = [lambda x: x if x > 0.0 else -x, lambda x: x or -x]
    assert [call(number) for call in pair] == [2.0, -2.0]
    with pytest.raises(NotAllowed, match="as a Python `bool`"):
        tf.function(pair[0])(number)
    assert "found multiple definitions" in told[2]
    pair = [lambda x: x if x > 0.0 else -x, lambda y: y or -y]
    assert tf.function(pair[0])(number) == 2.0
    (tmp_path / "of_ones_own.py").write_text(code, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    own = importlib.import_module("of_ones_own")
    assert tf.function(own.positive)(number) == 2.0
    assert tf.function(own.total)(vector) == 3.0
    assert len(told) == 3


@says("A for loop over a tensor in train_step")
@says(
    "The message is another one, `Iterating over a symbolic tf.Tensor is not "
    "allowed`, and the cause is the same: the method is not rewritten, and "
    "while a graph is made nobody knows the rows."
)
@says(
    "Compute with all rows at once, or put the loop into a function of "
    "tensors, as above."
)
def test_a_loop_over_the_rows() -> None:
    class Step(KerasLinearModel):
        def train_step(self, data: Any) -> Any:
            total = tf.constant(0.0)
            for row in tf.abs(data[0]):
                total += row[0]
            return {"total": total}

    @tf.function
    def total(rows: tf.Tensor) -> tf.Tensor:
        found = tf.constant(0.0)
        for row in rows:
            found += row[0]
        return found

    class Rewritten(Step):
        def train_step(self, data: Any) -> Any:
            return {"total": total(tf.abs(data[0]))}

    class AtOnce(Step):
        def train_step(self, data: Any) -> Any:
            return {"total": tf.reduce_sum(tf.abs(data[0]))}

    message = "Iterating over a symbolic `tf.Tensor` is not allowed"
    with pytest.raises(NotAllowed, match=message):
        compiled(Step).fit(X, Y, verbose=0)
    for kind in (Rewritten, AtOnce):
        log = compiled(kind).fit(X, Y, batch_size=201, verbose=0).history
        expected = float(tf.reduce_sum(tf.abs(X)))
        assert log["total"] == pytest.approx([expected], rel=1e-5)
    eager = Step()
    eager.compile("sgd", "mse", run_eagerly=True)
    eager.fit(X, Y, verbose=0)


@says("`must be defined before the loop`, `has shape … before the loop`")
@says("'loss' must be defined before the loop")
@says(
    "In a `tf.function` a loop over a dataset or its iterator becomes part of "
    "the graph, and it may turn out to have no round."
)
@says(
    "So what it makes and you use afterwards has to be there before: write "
    "`loss = tf.constant(0.0)` above the loop."
)
@says(
    "With `loss = 0` the message is another one, `'loss' has dtype int32 "
    "before the loop, but dtype float32 after one iteration`."
)
@says("A loop over a tensor or `tf.range` does without that line.")
@says(
    "If it has no round, it says `loop must iterate at least once to "
    "initialize loss`, and compiled by XLA it makes a 0."
)
def test_what_a_loop_in_a_graph_makes() -> None:
    def unknown(values: Any) -> Any:
        for value in values:
            loss = tf.cast(value, tf.float32) * 2.0
        return loss

    def known(values: Any) -> Any:
        loss = tf.constant(0.0)
        for value in values:
            loss = value * 2.0
        return loss

    def whole(values: Any) -> Any:
        loss = 0
        for value in values:
            loss = value * 2.0
        return loss

    def within(values: Any) -> Any:
        total = tf.constant(0.0)
        for value in values:
            loss = value * 2.0
            total += loss
        return total

    def ranged(count: Any) -> Any:
        for n in tf.range(count):
            loss = 2.0 * tf.cast(n, tf.float32)
        return loss

    dataset = tf.data.Dataset.from_tensor_slices([1.0, 2.0])
    assert float(unknown(dataset)) == 4.0, "not in a graph"
    message = "'loss' must be defined before the loop"
    for values in (dataset, iter(dataset)):
        with pytest.raises(ValueError, match=message):
            tf.function(unknown)(values)
    message = (
        "'loss' has dtype int32 before the loop, but dtype float32 after one "
        "iteration"
    )
    with pytest.raises(TypeError, match=message):
        tf.function(whole)(dataset)
    for take, last, total in ((2, 4.0, 6.0), (0, 0.0, 0.0)):
        assert float(tf.function(known)(dataset.take(take))) == last
        assert float(tf.function(known)(iter(dataset.take(take)))) == last
        assert float(tf.function(within)(dataset.take(take))) == total
    assert float(tf.function(unknown)(tf.constant([1.0, 2.0]))) == 4.0
    assert float(tf.function(ranged)(tf.constant(3))) == 4.0
    message = "loop must iterate at least once to initialize loss"
    rows = tf.function(unknown, input_signature=[tf.TensorSpec([None])])
    for call, none in (
        (tf.function(ranged), tf.constant(0)),
        (rows, tf.zeros(0)),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            call(none)
    by_xla = tf.function(ranged, jit_compile=True)
    assert [float(by_xla(tf.constant(n))) for n in (0, 3)] == [0.0, 4.0]


@says(
    "Nothing may grow in it, as by `tf.concat`: such a tensor, says the "
    "message, `has shape (1,) before the loop, but shape (2,) after one "
    "iteration`."
)
@says(
    "Collect in a `tf.TensorArray`, [like "
    "this](memory.md#a-list-filled-in-a-tffunction)."
)
def test_what_grows_in_a_graph() -> None:
    def grown(values: Any) -> Any:
        found = tf.zeros([1])
        for value in values:
            found = tf.concat([found, [value]], 0)
        return found

    def ranged(values: Any) -> Any:
        found = tf.zeros([1])
        for n in tf.range(len(values)):
            found = tf.concat([found, [values[n]]], 0)
        return found

    def collected(values: Any) -> Any:
        found = tf.TensorArray(tf.float32, len(values))
        for n in tf.range(len(values)):
            found = found.write(n, values[n])
        return found.stack()

    values = tf.constant([1.0, 2.0])
    message = re.escape(
        "'found' has shape (1,) before the loop, but shape (2,) after one "
        "iteration"
    )
    for growing in (grown, ranged):
        assert growing(values).numpy().tolist() == [0.0, 1.0, 2.0]
        with pytest.raises(ValueError, match=message):
            tf.function(growing)(values)
    assert tf.function(collected)(values).numpy().tolist() == [1.0, 2.0]
    [block] = [b for b in read("memory").blocks if b.name == "double_all"]
    assert "TensorArray" in block.code


@says("`must also be initialized in the else branch` | [A branch]")
@says(
    "An `if` that asks a tensor is alike: what one branch makes, and you use "
    "afterwards, the other makes as well, or it was there before."
)
@says("Else it says `'loss' must also be initialized in the else branch`.")
def test_what_a_branch_in_a_graph_makes() -> None:
    def one(value: Any) -> Any:
        if value > 0.0:
            loss = value
        return loss

    def both(value: Any) -> Any:
        if value > 0.0:  # noqa: SIM108
            loss = value
        else:
            loss = -value
        return loss

    def before(value: Any) -> Any:
        loss = -value
        if value > 0.0:
            loss = value
        return loss

    value = tf.constant(3.0)
    assert float(one(value)) == 3.0
    message = "'loss' must also be initialized in the else branch"
    with pytest.raises(ValueError, match=message):
        tf.function(one)(value)
    for right in (both, before):
        assert float(tf.function(right)(value)) == 3.0
        assert float(tf.function(right)(-value)) == 3.0


# Data that end


@says("It is a warning, and the training goes on.")
@says(
    "There are three batches, and `fit` was told to take five in each epoch."
)
@says("In each of the two epochs it stopped after three.")
@says("Leave `steps_per_epoch` out, or let the data begin again.")
def test_five_steps_of_three_batches() -> None:
    out, again = (printed(NAME, n) for n in ("ran_out", "repeated"))
    assert "UserWarning: Your input ran out of data; interrupting" in out
    assert out.endswith("updates: 6")
    seen: list[int] = []
    counted = tf.keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append(0),
        on_train_batch_end=lambda batch, logs: seen.append(seen.pop() + 1),
    )
    model = KerasLinearModel()
    model.compile("sgd", "mse", run_eagerly=True)
    batches = tf.data.Dataset.from_tensor_slices((X, Y)).batch(67)
    quiet = {"shuffle": False, "verbose": 0, "callbacks": [counted]}
    with pytest.warns(UserWarning, match="ran out of data"):
        model.fit(batches, epochs=2, steps_per_epoch=5, **quiet)
    assert seen == [3, 3]
    assert again == "updates: 10"
    rows = tf.data.Dataset.from_tensor_slices((X, Y)).batch(67)
    assert len(rows) == 3
    model = compiled(KerasLinearModel)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(rows, epochs=2, shuffle=False, verbose=0)
    assert int(model.optimizer.iterations) == 6


@says(
    "An epoch without a single batch trains nothing: `batch(512, "
    "drop_remainder=True)` leaves nothing of 201 rows. The warning is the "
    "same, and what `fit` logs is empty."
)
def test_an_epoch_without_a_batch() -> None:
    rows = tf.data.Dataset.from_tensor_slices((X, Y))
    assert len(rows) == 201
    none = rows.batch(512, drop_remainder=True)
    assert len(none) == 0
    model = compiled(KerasLinearModel)
    with pytest.warns(UserWarning, match="ran out of data; interrupting"):
        log = model.fit(none, shuffle=False, verbose=0).history
    assert (log, float(model.w), float(model.b)) == ({}, 5.0, 0.0)
    assert "ran out of data; interrupting" in printed(NAME, "ran_out")


@says("Training freezes for a minute, and goes on")
@says(
    "An iterator of `tf.data` has a thread that tunes it, by and by more "
    "seldom."
)
@says("Data that are not tuned have no such thread:")
@pytest.mark.skipif(not THREADS.exists(), reason="the system has no /proc")
def test_the_thread_of_an_iterator() -> None:
    rows = tf.data.Dataset.range(100).batch(2)

    def threads_of(tuned: bool, count: int = 10) -> int:
        options = tf.data.Options()
        options.autotune.enabled = tuned
        data = rows.with_options(options)
        kept = [iter(data)]
        next(kept[0])
        before = len([*THREADS.iterdir()])
        kept += [iter(data) for _ in range(count)]
        for iterator in kept[1:]:
            next(iterator)
        return len([*THREADS.iterdir()]) - before

    assert threads_of(tuned=True) - threads_of(tuned=False) >= 10
    assert printed(NAME, "not_tuned") == "batches: 3"


@says("The first epoch never ends, or training freezes at its end")
@says(
    "Data that are repeated have no end, nor has a generator with `while "
    "True`. So `fit` has to be told how long an epoch is, by "
    "`steps_per_epoch`."
)
@says(
    "Without it the first epoch never ends, and its bar counts on over "
    "`Unknown`."
)
@says(
    "If it is `validation_data` that have no end, all batches of the first "
    "epoch are trained on, and then the validation goes on for ever while the "
    "bar stands still."
)
@says("Leave out `repeat` there, or say `validation_steps`.")
@says("`evaluate` and `predict` need `steps` for such data.")
@says(
    "In the first epoch the bar shows `1/Unknown`; from the second on it "
    "knows."
)
def test_data_without_an_end(capsys: pytest.CaptureFixture[str]) -> None:
    rows = tf.data.Dataset.from_tensor_slices((X, Y)).batch(67)
    model = compiled(KerasLinearModel)
    done = Counter[str]()
    shown = dict[str, str]()

    class Patient(tf.keras.callbacks.Callback):
        """Waits for a hundred batches, and no longer."""

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.note("train")

        def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
            self.note("test")

        def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
            self.note("predict")

        def note(self, kind: str) -> None:
            done[kind] += 1
            if kind != "train" and kind not in shown:
                shown[kind] = capsys.readouterr().out
            if done[kind] == 100:
                raise TimeoutError

    def endless() -> Any:
        while True:
            yield X, Y

    def work(call: Any, data: Any, **named: Any) -> dict[str, int]:
        done.clear()
        call(data, callbacks=[Patient()], **named)
        return done

    quiet: dict[str, Any] = {"verbose": 0}
    for data in (rows.repeat(), endless()):
        for call in (model.fit, model.evaluate, model.predict):
            with pytest.raises(TimeoutError):
                work(call, data, **quiet)
        with pytest.raises(TimeoutError):
            work(model.fit, rows, validation_data=data, **quiet)
        assert done == {"train": 3, "test": 100}
        steps = {"validation_data": data, "validation_steps": 2}
        assert work(model.fit, rows, **steps, **quiet) == {
            "train": 3,
            "test": 2,
        }
        assert work(model.fit, data, steps_per_epoch=4, **quiet) == {
            "train": 4
        }
        assert work(model.evaluate, data, steps=4, **quiet) == {"test": 4}
        assert work(model.predict, data, steps=4, **quiet) == {"predict": 4}
    work(model.fit, rows, validation_data=rows, **quiet)
    assert done == {"train": 3, "test": 3}
    capsys.readouterr()
    shown.clear()
    with pytest.raises(TimeoutError):
        work(model.fit, rows, validation_data=rows.repeat(), verbose=1)
    assert shown["test"]
    assert capsys.readouterr().out == ""
    with pytest.raises(TimeoutError):
        work(model.fit, rows.repeat(), verbose=1)
    assert "/Unknown" in capsys.readouterr().out
    model.fit(rows.filter(lambda x, y: True), epochs=2, verbose=1)
    first, second = capsys.readouterr().out.split("Epoch 2/2")
    assert "1/Unknown" in first
    assert "Unknown" not in second
    assert "3/3" in second


@says("In a loop of your own the same slip brings no warning.")
@says(
    "A generator ends once and for all, so from the second epoch on nothing "
    "is trained, in no time."
)
@says(
    "A `tf.data.Dataset` and a list begin again by themselves. "
    "`from_generator` calls its function for that, which has to make the "
    "generator anew."
)
@says("Yield batches of 67 rows.")
def test_a_generator_ends_once_and_for_all() -> None:
    assert printed(NAME, "used_up").splitlines() == [
        "epoch 1: 3 batches",
        "epoch 2: 0 batches",
    ]
    assert printed(NAME, "fresh").count("3 batches") == 2
    batches = [*make_rows(X, Y)]
    assert [len(x) for x, _ in batches] == [67, 67, 67]
    for rows in (50, 300):
        longer = [len(x) for x, _ in make_rows(tf.zeros((rows, 1)), Y)]
        assert sum(longer) == rows
    assert tf.reduce_all(tf.concat([y for _, y in batches], 0) == Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        generator = make_rows(X, Y)
        assert [sum(1 for _ in generator) for _ in range(3)] == [3, 0, 0]
    for data in (batches, tf.data.Dataset.from_tensor_slices(X).batch(67)):
        assert [sum(1 for _ in data) for _ in range(2)] == [3, 3]
    made, rows = make_rows(X, Y), tf.TensorSpec((67, 1))
    for function, due in (
        (lambda: make_rows(X, Y), [3, 3]),
        (lambda: made, [3, 0]),
    ):
        data = tf.data.Dataset.from_generator(
            function, output_signature=(rows, rows)
        )
        assert [sum(1 for _ in data) for _ in range(2)] == due


class Shuffled(tf.keras.utils.PyDataset):
    """Four batches of two rows, in another order after each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.rows, self.ends = np.arange(8.0, dtype="float32"), 0

    def __len__(self) -> int:
        return 4

    def __getitem__(self, n: int) -> Any:
        rows = self.rows[2 * n : 2 * n + 2, np.newaxis]
        return rows, rows

    def on_epoch_end(self) -> None:
        self.ends += 1
        self.rows = np.roll(self.rows, 1)


@says("A loop over a PyDataset or a Sequence")
@says(
    "A `PyDataset` of Keras, called `Sequence` before, begins again as well. "
    "But in a loop of your own nobody calls its `on_epoch_end`, and what it "
    "shuffles there stays in one order. Call it after each epoch, as `fit` "
    "does."
)
@says("(`fit` calls it once before the first epoch, too.)")
def test_nobody_ends_the_epoch_of_a_py_dataset() -> None:
    assert tf.keras.utils.Sequence is tf.keras.utils.PyDataset
    batches = Shuffled()
    for ended in (0, 1):
        epochs = []
        for _ in range(2):
            epochs.append([float(batches[n][0][0, 0]) for n in range(4)])
            if ended:
                batches.on_epoch_end()
        assert (epochs[0] == epochs[1]) == (not ended)
        assert batches.ends == 2 * ended
    assert [sum(1 for _ in batches) for _ in range(2)] == [4, 4]
    assert batches.ends == 2, "a for does not call it"
    seen, model = Shuffled(), KerasLinearModel()
    model.compile("sgd", "mse")
    model.fit(seen, epochs=3, verbose=0)
    assert seen.ends == 4
    model.fit(seen, epochs=3, verbose=0)
    assert seen.ends == 8


@says("A loop over a `PyDataset` or `Sequence` never ends | [Batches]")
@says(
    "Does the loop never end? In [earlier releases of Keras "
    "3](https://github.com/keras-team/keras/pull/21330) a `for` went past "
    "the last batch, unless `__getitem__` raised an `IndexError` there."
)
@says(
    "The batches of `ImageDataGenerator.flow` never end today, either. Take "
    "`batches[n]` for each `n` in `range(len(batches))`."
)
def test_a_loop_over_batches_that_never_ends() -> None:
    def ending(self: Any, n: int) -> Any:
        if n >= 4:
            raise IndexError
        return Shuffled.__getitem__(self, n)

    def without_iter(get: Any) -> Any:
        """Return what it was: Python counts by itself then."""
        held = {"__len__": lambda self: 4, "rows": Shuffled().rows}
        return type("Batches", (), {**held, "__getitem__": get})()

    def counted(batches: Any) -> int:
        return sum(1 for _ in itertools.islice(batches, 100))

    assert "__iter__" in vars(tf.keras.utils.PyDataset)
    assert counted(without_iter(Shuffled.__getitem__)) == 100
    assert counted(without_iter(ending)) == counted(Shuffled()) == 4
    images = np.arange(5.0).reshape(5, 1, 1, 1)
    flow = tf.keras.preprocessing.image.ImageDataGenerator().flow(
        images, np.arange(5.0), batch_size=2
    )
    assert counted(flow) == 100
    assert len(flow) == 3
    orders = []
    for _ in range(2):
        batches = [flow[n][1] for n in range(len(flow))]
        orders.append(np.concatenate(batches).tolist())
        flow.on_epoch_end()
    assert sorted(orders[0]) == sorted(orders[1]) == [0, 1, 2, 3, 4]


@says(
    "(`fit` does warn, and then trains on the first two batches alone, which "
    "it has kept.)"
)
def test_fit_keeps_two_batches_of_a_generator() -> None:
    seen = []

    class Noting(KerasLinearModel):
        def train_step(self, data: Any) -> dict[str, Any]:
            seen.append(float(data[0][0, 0]))
            return dict(super().train_step(data))

    model = Noting()
    model.compile("sgd", "mse", run_eagerly=True)
    quiet = {"verbose": 0, "shuffle": False}
    with pytest.warns(UserWarning, match="Your input ran out of data"):
        model.fit(make_rows(X, Y), epochs=3, **quiet)
    firsts = [float(X[row, 0]) for row in (0, 67, 134)]
    assert seen == firsts + 2 * firsts[:2]


ENDS = """
import sys
import tensorflow as tf

rows = tf.data.Dataset.range(3)
for _ in range(15):
    assert [int(row) for row in rows] == [0, 1, 2]
    print("ended", file=sys.stderr, flush=True)
loss = tf.keras.losses.SparseCategoricalCrossentropy()
try:
    loss(tf.constant([3]), tf.ones((1, 3)))
except tf.errors.InvalidArgumentError:
    print("refused", file=sys.stderr)
"""


@says(
    "Local rendezvous is aborting with status: OUT_OF_RANGE: End of sequence"
)
@says(
    "TensorFlow 2.18 to 2.20 logs this line when a loop in Python comes to "
    "the end of a dataset, the first, second, fourth, eighth time and so on. "
    "Nothing is wrong: all batches were there. TensorFlow 2.21 is silent then."
)
@says(
    "With another status, such as `INVALID_ARGUMENT`, the line tells of an "
    "error, and the error follows."
)
def test_the_end_of_a_dataset_in_the_log() -> None:
    log = logged(ENDS)
    line = "Local rendezvous is aborting with status: "
    ended, found = 0, []
    for told in log.splitlines():
        ended += told == "ended"
        if f"{line}OUT_OF_RANGE: End of sequence" in told:
            found.append(ended + 1)
    version = tuple(map(int, tf.__version__.split(".")[:2]))
    assert found == ([1, 2, 4, 8] if version < (2, 21) else [])
    # The 16th of the lines, which up to 2.20 are counted together.
    error = log.index(f"{line}INVALID_ARGUMENT: Received a label")
    assert log.index("refused") > error


@says("Where nobody looks out for the end, it is an error.")
@says("There are three batches.")
@says(
    "Let the data begin again, or write a `for` over the dataset, which ends "
    "with it."
)
@says(
    "`next(iterator)` raises this error in a `tf.function`, and "
    "`StopIteration` outside of one."
)
@says(
    "Of a dataset itself, `next(dataset)`, Python says `object is not an "
    "iterator`: write `iterator = iter(dataset)` once, before the loop."
)
def test_past_the_end() -> None:
    shows("past_the_end", "OutOfRangeError: ")
    shows("past_the_end", "End of sequence")
    batches = numbers(printed(NAME, "begun_again"))
    assert batches[:3] == numbers(printed(NAME, "past_the_end"))[:3]
    assert batches[3] == batches[0]
    rows = tf.data.Dataset.from_tensor_slices(Y).batch(67)
    means = [float(tf.reduce_mean(row)) for row in rows]
    assert means == pytest.approx(batches[:3], abs=1e-4)
    with pytest.raises(TypeError, match="object is not an iterator"):
        next(rows)
    iterator = iter(rows)
    assert len([next(iterator) for _ in range(3)]) == 3
    with pytest.raises(StopIteration):
        next(iterator)

    @tf.function
    def take(iterator: Any) -> tf.Tensor:
        return next(iterator)

    iterator = iter(rows)
    assert [len(take(iterator)) for _ in range(3)] == [67, 67, 67]
    with pytest.raises(tf.errors.OutOfRangeError, match="End of sequence"):
        take(iterator)


# Generators


@says("generator yielded an element of shape where another was expected")
@says(
    "`from_generator` makes a dataset of the generator from above. What that "
    "yields, the `output_signature` has to say."
)
@says("Return the first line of the error that a dataset ends with.")
@says("A signature is that of one thing that is yielded.")
@says(
    "Here it is of one row, and the generator yields batches. `None` stands "
    "for a length that may be any."
)
@says("In `fit` the same line stands below `Graph execution error`.")
def test_the_signature_of_a_generator() -> None:
    said_first = "TypeError: `generator` yielded an element of shape (67, 1) "
    assert printed(NAME, "row_signed").startswith(said_first)
    assert "of shape (1,) was expected" in printed(NAME, "row_signed")
    assert printed(NAME, "column_signed") == "\n".join(["(67, 1) (67, 1)"] * 3)
    wrong = ran(NAME, "row_signed", x=X, y=Y)["batches"]
    assert first_line(wrong).startswith(said_first)
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        compiled(KerasLinearModel).fit(wrong, shuffle=False, verbose=0)
    head, _, below = caught.value.message.partition("Graph execution error")
    assert head == ""
    assert f"\n{said_first}" in below
    right = ran(NAME, "column_signed", x=X, y=Y)
    assert first_line(right["batches"]) == "nothing"
    model = compiled(KerasLinearModel)
    model.fit(right["batches"], shuffle=False, verbose=0)
    assert float(model.w) != 5.0
    for length in (1, 4):
        column = np.ones((length, 1), "float32")
        [found] = holding(column, right["column"])
        assert found.shape == (length, 1)


@says("There are more ways to disagree with a signature:")
@says("Return a dataset of one element from a generator.")
@says("A word is no number, and rows of two lengths have no shape: [pad")
@says("A pair is a tuple, not a list.")
@says(
    "The last one brings no message: under a signature of whole numbers, 1.7 "
    "becomes 1."
)
def test_other_signatures() -> None:
    word, ragged, pair, whole = printed(NAME, "other_signatures").splitlines()
    for line in (word, ragged):
        assert "could not be converted to the expected type" in line
    assert "did not match the expected structure" in pair
    assert whole == "1.7 becomes 1"
    number = tf.TensorSpec((), tf.float32)
    column = tf.TensorSpec((None, 1), tf.float32)
    for element, signature in (
        (1.0, number),
        ([[1.0], [2.0], [3.0]], column),
        ((1.0, 2.0), (number, number)),
    ):
        assert first_line(holding(element, signature)) == "nothing"
    assert first_line(holding("one", number)) == word
    assert first_line(holding([1.0, 2.0], (number, number))) == pair
    [found] = holding(1.7, tf.TensorSpec((), tf.int32))
    assert found.numpy() == 1


@says("Cannot batch tensors with different shapes in component 0")
@says("Two rows, of one and of two numbers.")
@says(
    "`batch` wants rows of one shape, and right after a `map` it says so in "
    "other words."
)
@says("Component 0 is the first part of a row, such as the `x` of a pair.")
@says("Have rows of numbers or words filled up.")
@says("tells what the zeros do to a loss.")
@says(
    "Pictures are brought to one size in `map`, before `batch`: "
    "`tf.image.resize(picture, (224, 224))`."
)
@says("If the last number differs, some are grey: decode with `channels=3`.")
@says(
    "**The check** is `element_spec`: where it has `None` in the shape of a "
    "row, rows may differ."
)
@says("In `fit` the message stands below `Graph execution error`.")
@says(
    "These end with `Shapes are: [tensor]: [2], [batch]: [1]`, or the other "
    "way round."
)
def test_rows_that_make_no_batch() -> None:
    message = "Cannot batch tensors with different shapes in component "
    said = f"{message}0. First element had shape [1] and element 1 had shape"
    assert printed(NAME, "uneven").splitlines() == [
        f"{said} [2]. [Op:IteratorGetNext] name:",
        "Cannot add tensor to the batch: number of elements does not match.",
    ]
    left = ran(NAME, "uneven")
    shapes = r"Shapes are: \[tensor\]: \[(\d)\], \[batch\]: \[(\d)\]"
    [pair] = re.findall(shapes, first_line(left["parallel"]))
    assert {*pair} == {"1", "2"}
    uneven = left["uneven"]
    assert [row.numpy().tolist() for row in uneven] == [[1.0], [2.0, 3.0]]
    assert printed(NAME, "padded").splitlines() == [
        "[[1. 0.]",
        " [2. 3.]]",
        "one row: (None,)",
    ]
    [filled] = uneven.map(tf.strings.as_string).padded_batch(2)
    assert filled.numpy().tolist()[0] == [b"1.000000", b""]
    pairs = tf.data.Dataset.zip(uneven, tf.data.Dataset.range(2))
    for component, data in (
        (0, pairs),
        (1, tf.data.Dataset.zip(tf.data.Dataset.range(2), uneven)),
    ):
        assert first_line(data.batch(2)).startswith(f"{message}{component}")
    assert uneven.padded_batch(2).element_spec.shape == (None, None)
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        compiled(KerasLinearModel).fit(pairs.batch(2), shuffle=False)
    head, _, below = caught.value.message.partition("Graph execution error")
    assert (head, f"{message}0" in below) == ("", True)
    sequences = (DOCS / "sequences.md").read_text("utf-8")
    assert "## 1. Padding changes the answer" in sequences


@says("Pictures are brought to one size in `map`, before `batch`:")
def test_pictures_that_make_no_batch() -> None:
    grey, colour = np.zeros((4, 5, 1), "uint8"), np.zeros((6, 3, 3), "uint8")
    files = [tf.io.encode_png(picture).numpy() for picture in (grey, colour)]

    def batch(channels: int) -> Any:
        data = tf.data.Dataset.from_tensor_slices(files)
        data = data.map(lambda file: tf.io.decode_png(file, channels))
        data = data.map(lambda picture: tf.image.resize(picture, (224, 224)))
        return [picture.shape for picture in data.batch(2)]

    with pytest.raises(
        tf.errors.InvalidArgumentError,
        match=r"tensor\]: \[224,224,[13]\], \[batch\]: \[224,224,[13]\]",
    ):
        batch(0)
    assert batch(3) == [(2, 224, 224, 3)]


@says(
    "What is handed to `from_generator` is a function that makes a "
    "generator, hence the `lambda`. Of a generator itself it says `generator "
    "must be a Python callable`."
)
def test_a_generator_is_made_by_a_function() -> None:
    number = tf.TensorSpec((), tf.float32)
    one = tf.data.Dataset.from_generator
    with pytest.raises(TypeError, match="`generator` must be a Python call"):
        one(iter([1.0]), output_signature=number)
    made: list[int] = []

    def make() -> Any:
        made.append(1)
        return iter([1.0, 2.0])

    data = one(make, output_signature=number)
    assert [len([*data]) for _ in range(3)] == [2, 2, 2]
    assert len(made) == 3


@says(
    "Nobody knows before the generator has ended, and `filter` loses the "
    "length of a dataset as well. `cardinality` then answers -2, which is no "
    "number of steps for a schedule."
)
def test_a_length_that_nobody_knows() -> None:
    shows("no_length", "TypeError: The dataset length is unknown.")
    batches = ran(NAME, "column_signed", x=X, y=Y)["batches"]
    rows = tf.data.Dataset.range(3)
    assert len(rows) == 3
    for data in (batches, rows.filter(lambda row: True)):
        with pytest.raises(TypeError, match="dataset length is unknown"):
            len(data)
        assert int(data.cardinality()) == -2
        assert len([*data]) == 3
        assert len(data.apply(tf.data.experimental.assert_cardinality(3))) == 3


def trained(data: tf.data.Dataset, **options: Any) -> tuple[int, list[float]]:
    """Return the count of updates of two epochs, and the weights."""
    model = KerasLinearModel()
    optimizer = options.pop("optimizer", "sgd")
    model.compile(optimizer, "mse", **options)
    model.fit(data, epochs=2, shuffle=False, verbose=0)
    return int(model.optimizer.iterations), [float(model.w), float(model.b)]


@says(
    "Without a length, the warning is a false alarm: all three batches were "
    "there. But the optimizer counts eight updates in two epochs."
)
@says(
    "In each of them `fit` begins one step more, which finds no batch and is "
    "counted nevertheless."
)
@says(
    "Plain `SGD` moves no weight by it. `Adam` and a schedule go by the "
    "count, and `weight_decay` shrinks the weights once more."
)
@says("With the length there is neither.")
@says("With `run_eagerly=True` `fit` counts right.")
def test_an_update_too_many_is_counted() -> None:
    *warned, without, with_length = printed(NAME, "counted").splitlines()
    assert "UserWarning: Your input ran out of data; " in " ".join(warned)
    assert without == "length: -2 updates: 8"
    assert with_length == "length: 3 updates: 6"
    batches = ran(NAME, "column_signed", x=X, y=Y)["batches"]
    known = batches.apply(tf.data.experimental.assert_cardinality(3))
    assert trained(batches, run_eagerly=True)[0] == 6
    with pytest.warns(UserWarning, match="ran out of data"):
        more, moved = trained(batches)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        right, as_moved = trained(known)
    assert (more, right) == (8, 6)
    assert moved == pytest.approx(as_moved, abs=1e-6)
    adam = [
        trained(data, optimizer=tf.keras.optimizers.Adam(0.01))[1]
        for data in (batches, known)
    ]
    assert max(abs(a - b) for a, b in zip(*adam, strict=True)) > 1e-4
    rates = [
        float(tf.keras.optimizers.schedules.CosineDecay(1, 9)(n))
        for n in (more, right)
    ]
    assert rates[0] < rates[1]
    # Nothing to learn: what moves the weight is its decay alone.
    still = batches.map(lambda x, y: (0.0 * x, 0.0 * y))
    three = still.apply(tf.data.experimental.assert_cardinality(3))
    for data, count in ((still, 8), (three, 6)):
        decaying = SGD(0.1, weight_decay=0.5)
        updates, (w, _) = trained(data, optimizer=decaying)
        assert updates == count
        assert w == pytest.approx(5.0 * 0.95**count, rel=1e-5)


@says(
    "A compiled step of your own that calls `next(iterator)` counts one too "
    "many, too; a `for` over the dataset does not."
)
def test_an_update_too_many_in_a_step_of_your_own() -> None:
    batches = tf.data.Dataset.from_tensor_slices((X, Y)).batch(67)

    def make() -> tuple[Any, Any]:
        model, optimizer = KerasLinearModel(), SGD(0.01)
        optimizer.build(model.trainable_variables)

        def step(x: tf.Tensor, y: tf.Tensor) -> None:
            gradients = gradients_of(model, x, y)
            optimizer.apply(gradients, model.trainable_variables)

        return step, optimizer

    step, optimizer = make()

    @tf.function
    def take_next(iterator: Any) -> None:
        step(*next(iterator))

    iterator = iter(batches)
    for _ in range(3):
        take_next(iterator)
    with pytest.raises(tf.errors.OutOfRangeError):
        take_next(iterator)
    assert int(optimizer.iterations) == 4
    step, optimizer = make()
    compiled_step = tf.function(step)
    for x, y in batches:
        compiled_step(x, y)
    assert int(optimizer.iterations) == 3


# Labels


@says(
    "Failed to convert a NumPy array to a Tensor (Unsupported object type "
    "float)"
)
@says("Three rows of a table, one with a gap.")
@says("The message names the type of the first value, and that is right.")
@says(
    "The array is not: with `None` in it NumPy keeps Python objects, and its "
    "dtype is `object`."
)
@says(
    "The gap has become NaN, and [a NaN in the "
    "data](not_a_number.md#loss-is-nan-a-nan-in-the-data) spoils every weight."
)
@says(
    "**The check**: `assert np.isfinite(numbers).all()`. It raises for an "
    "array of objects as well."
)
def test_a_table_with_a_gap_is_one_of_objects() -> None:
    shows("objects", "(Unsupported object type float).")
    for first, kind in ((1.0, "float"), (2, "int"), (None, "NoneType")):
        table = np.array([[first, None], [3.0, 4.0]])
        assert table.dtype == object
        with pytest.raises(ValueError, match=f"object type {kind}\\)"):
            tf.constant(table)
        with pytest.raises(TypeError, match="isfinite"):
            np.isfinite(table)
    table = np.array([[-1.0, 2.0], [0.0, 5.0], [1.0, None]])
    left = ran(NAME, "finite", table=table)
    assert left["numbers"].tolist() == [[-1.0, 2.0], [0.0, 5.0]]
    converted = table.astype("float32")
    assert np.isnan(converted).tolist() == [[False] * 2] * 2 + [[False, True]]
    assert not np.isfinite(converted).all()
    model = KerasLinearModel()
    gradients = gradients_of(model, converted[:, :1], converted[:, 1:])
    assert all(np.isnan(gradient) for gradient in gradients)


@says("The same slip has other messages, in `fit` and with lists:")
@says(
    "`fit` refuses objects, too, unless they are strings in a vector. It "
    "takes no list for an array: write"
)
@says("Rows of two lengths have no shape, so [pad them] … answer).")
@says("And `None` is no number.")
def test_what_is_no_array_of_numbers_is_refused() -> None:
    said_of = printed(NAME, "not_numbers").splitlines()
    for line, words in zip(
        said_of,
        ("dtype: object", "class 'list'", "non-rectangular", "mixed types"),
        strict=True,
    ):
        assert line.startswith("ValueError: ")
        assert words in line
    model = KerasLinearModel()
    model.compile("sgd", "mse")
    layers = tf.keras.layers
    reader = tf.keras.Sequential(
        [
            tf.keras.Input((), dtype="string"),
            layers.StringLookup(vocabulary=["no", "yes"]),
            layers.Embedding(3, 1),
        ]
    )
    reader.compile("sgd", "mse")
    answers = np.array(["yes", "no"], object)
    reader.fit(answers, np.ones((2, 1)), verbose=0)
    for refused in (answers[:, np.newaxis], np.array(["yes", None], object)):
        with pytest.raises(ValueError, match="Invalid dtype: object"):
            reader.fit(refused, np.ones((2, 1)), verbose=0)
    wrapped = np.array([-1.0, 0.0, 1.0], "float32")
    assert model.fit(wrapped, Y[:3], verbose=0).history["loss"]
    assert tf.constant([[-1.0, 2.0], [0.0, 0.0]]).shape == (2, 2)
    assert "Pad" in (DOCS / "sequences.md").read_text("utf-8")


@says("Input 0 of layer 'dense' is incompatible with the layer")
@says("This model takes rows of two numbers.")
@says("Axis -1 is the last one.")
@says(
    "The weights of the layer are for two numbers in a row, and a row of `x` "
    "has one."
)
@says("The first number of a shape counts the rows, and may be any.")
@says("**The check** is the last line.")
@says(
    "If an axis is missing, an `LSTM` says `expected ndim=3, found ndim=2`, "
    "and a `Conv1D` `expected min_ndim=3`."
)
def test_a_row_has_as_many_numbers_as_the_layer_has_weights() -> None:
    shows("too_narrow", "is incompatible with the layer: expected axis -1 of")
    shows("too_narrow", "to have value 2, but received input with shape (201,")
    assert printed(NAME, "fitting").splitlines() == [
        "one row wants (2,) and has (1,)",
        "out: (2, 1)",
    ]
    layers = [tf.keras.Input((2,)), tf.keras.layers.Dense(1)]
    wide = tf.keras.Sequential(layers)
    assert wide.weights[0].shape == (2, 1)
    assert wide.input_shape == (None, 2)
    for count in (1, 2, 7):
        assert wide(np.ones((count, 2), "float32")).shape == (count, 1)
    assert BLOCKS["fitting"].code.splitlines()[-1].startswith("assert ")
    with pytest.raises(ValueError, match="expected ndim=3, found ndim=2"):
        tf.keras.layers.LSTM(1)(np.ones((4, 3), "float32"))
    with pytest.raises(ValueError, match="expected min_ndim=3, found ndim=2"):
        tf.keras.layers.Conv1D(1, 1)(np.ones((4, 3), "float32"))


@says(
    "`fit` counts the rows first. `Data cardinality is ambiguous` says that "
    "`x` and `y` have not as many of them as each other, or that one is a "
    "list of rows, each of which counts as an input of its own: make an array "
    "of it."
)
@says(
    "A dataset brings its `y` along, so `fit(dataset, y)` is refused: `When "
    "providing x as a tf.data.Dataset, y should not be passed`."
)
def test_as_many_rows_of_inputs_as_of_outputs() -> None:
    model = compiled(KerasLinearModel)
    x, y = X.numpy(), Y.numpy()
    for wrong, count in ((x[:100], "100"), ([*x[:3]], "1, 1, 1")):
        with pytest.raises(ValueError, match="Data cardinality is ambig") as e:
            model.fit(wrong, y, verbose=0)
        assert f"'x' sizes: {count}\n" in str(e.value)
        assert "'y' sizes: 201\n" in str(e.value)
    model.fit(np.array([*x]), y, verbose=0)
    rows = tf.data.Dataset.from_tensor_slices((x, y)).batch(67)
    words = "as a tf.data.Dataset, `y` should not be passed"
    with pytest.raises(ValueError, match=words):
        model.fit(rows, y, verbose=0)


@says("To predict for one row, take it out of the data.")
@says("`None` stands for the axis of rows, and one row by itself has none.")
def test_one_row_is_no_batch() -> None:
    shows("one_row", "Expected shape (None, 2), but input has incompatible")
    assert printed(NAME, "still_a_batch") == "(2,) (1, 2) (1, 1)"


@says(
    "A dataset without `batch` consists of single rows, and `fit` says the "
    "same of it. Write `.batch(32)`."
)
@says(
    "With one number in a row it says nothing, and trains on one row at a "
    "time."
)
def test_a_dataset_without_batches() -> None:
    said_of_fit = "Expected shape (None, 2), but input has incompatible shape"
    shows("one_row", said_of_fit)
    for width, count in ((2, 7), (1, 201)):
        inputs = tf.repeat(X, width, axis=1)
        layers = [tf.keras.Input((width,)), tf.keras.layers.Dense(1)]
        model = tf.keras.Sequential(layers)
        model.compile("sgd", "mse")
        rows = tf.data.Dataset.from_tensor_slices((inputs, Y))
        if width == 2:
            with pytest.raises(ValueError, match=re.escape(said_of_fit)):
                model.fit(rows, shuffle=False, verbose=0)
            rows = rows.batch(32)
        model.fit(rows, shuffle=False, verbose=0)
        assert int(model.optimizer.iterations) == count


@says("Layer expects 1 input(s), but it received 2 input tensors")
@says(
    "The dataset of `from_generator` yields pairs, and this loop hands on the "
    "whole pair."
)
@says(
    "The two tensors are `x` and `y`, so a dictionary is not what is missing."
)
def test_a_model_that_is_given_a_pair() -> None:
    shows("pair_given", "but it received 2 input tensors. Pass inputs as a di")
    batches = ran(NAME, "column_signed", x=X, y=Y)["batches"]
    assert len(batches.element_spec) == 2
    with pytest.raises(ValueError, match="received 2 input tensors") as told:
        ran(NAME, "pair_given", batches=batches)
    assert "['x']" in str(told.value)
    inputs = tf.keras.Input((1,), name="x")
    line = tf.keras.Model(inputs, 2.0 * inputs)
    with pytest.raises(ValueError, match="received 2 input tensors"):
        line((X, Y))
    assert tf.reduce_all(line({"x": X}) == line(X))
    ran(NAME, "pair_parted", batches=batches, line=line)


@says(
    "In a `train_step` it is `self(data)` that hands on the pair; take `data` "
    "apart [like this](keras_from_fit_inwards.md#the-step)."
)
@says(
    'A layer by itself says `Layer "dense" expects 1 input(s), but it '
    "received 2 input tensors`."
)
@says(
    "A `Sequential` model takes the pair, computes with its first part and "
    "only warns: `The structure of inputs doesn't match the expected "
    "structure`."
)
def test_a_pair_in_a_step_a_layer_and_a_sequence() -> None:
    dense = tf.keras.layers.Dense(1, name="dense")
    message = 'Layer "dense" expects 1 input(s), but it received 2 input tens'
    with pytest.raises(ValueError, match=re.escape(message)):
        dense((X, Y))
    inputs = tf.keras.Input((1,))

    class Step(tf.keras.Model):
        def train_step(self, data: Any) -> Any:
            return {"total": tf.reduce_sum(self(data))}

    model = Step(inputs, tf.keras.layers.Dense(1)(inputs))
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="received 2 input tensors"):
        model.fit(X, Y, verbose=0)
    model = tf.keras.Sequential([inputs, dense])
    with pytest.warns(UserWarning, match="doesn't match the expected struc"):
        found = model((X, Y))
    assert tf.reduce_all(found == model(X))
    inward = (DOCS / "keras_from_fit_inwards.md").read_text("utf-8")
    step = inward.partition("\n### The step\n")[2].partition("\n### ")[0]
    assert "unpack_x_y_sample_weight" in step


@says(
    "Two inputs belong into a tuple of their own, `((first, second), y)`. Of "
    "`(first, second, y)` Keras takes the second for the outputs and `y` for "
    "weights."
)
@says("A list in place of the inner tuple becomes one tensor.")
def test_two_inputs_of_a_dataset() -> None:
    unpack = tf.keras.utils.unpack_x_y_sample_weight
    assert unpack(("first", "second", "y")) == ("first", "second", "y")
    ends = [tf.keras.Input((1,)) for _ in range(2)]
    model = tf.keras.Model(ends, ends[0] + 2.0 * ends[1])
    slices = tf.data.Dataset.from_tensor_slices
    batches = slices(((X, 3.0 * X), Y)).batch(201)
    expected = 7.0 * X
    for first_and_second, _ in batches:
        assert np.allclose(model(first_and_second), expected, atol=1e-5)
    model.compile(loss="mse")
    error = float(tf.reduce_mean(tf.square(expected - Y)))
    found = model.evaluate(batches, verbose=0)
    assert found == pytest.approx(error, rel=1e-5)
    with pytest.raises(ValueError, match="received 1 input tensors"):
        model.evaluate(slices((X, X, Y)).batch(67), verbose=0)
    assert slices([X, X]).element_spec.shape == (201, 1)


ONE, TWO, SEVEN = (tf.constant([[n]]) for n in (1.0, 2.0, 7.0))


def named_model(*keys: str, by_list: bool = False) -> tf.keras.Model:
    """Return a model of two inputs that makes 21 of a 1 and a 2."""
    ends = {key: tf.keras.Input((1,), name=key) for key in keys}
    total = ends["first"] + 10.0 * ends["second"]
    return tf.keras.Model([*ends.values()] if by_list else ends, total)


@says("Missing data for input: two inputs by name")
@says(
    "`errors_in_a_step:by_list` A dictionary lacks an input, or has it under "
    "another name than its `Input`. Hand over the names that the message "
    "expects.",
    page="messages",
)
@says(
    "This model was built from a list of two inputs. Handed a 1 and a 2, it "
    "makes 21."
)
@says(
    "A list goes by place, so with its parts turned it is wrong without a "
    "word. A dictionary goes by the names of the `Input`s, in any order, and "
    "a key that no input has is left out."
)
def test_names_of_inputs_in_a_model_built_from_a_list() -> None:
    shows("by_list", 'Missing data for input "first". You passed')
    assert printed(NAME, "by_list").splitlines()[:2] == [
        "list: [[21.]]",
        "names: [[21.]]",
    ]
    model = named_model("first", "second", by_list=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert model([ONE, TWO]) == 21.0
        assert model([TWO, ONE]) == 12.0
        for inputs in (
            {"first": ONE, "second": TWO},
            {"second": TWO, "first": ONE},
            {"age": SEVEN, "second": TWO, "first": ONE},
        ):
            assert model(inputs) == 21.0
            assert model.predict(inputs, verbose=0) == 21.0
    for inputs in ({"first": ONE}, {"second": TWO, "x": ONE}):
        for call in (model, model.predict):
            with pytest.raises(ValueError, match="Missing data for input"):
                call(inputs)


@says(
    "`errors_in_a_step:by_name` A model was built from a dictionary, and "
    "given other keys or a list. Inputs may have been taken for each other: "
    "hand over its own keys alone.",
    page="messages",
)
@says("Not so in a model that was built from a dictionary:")
@says(
    "In the order of the alphabet, 7 was taken for the first input and 1 for "
    "the second. Hand over the keys that the model has."
)
@says(
    "If its keys are in the order of the alphabet, such a model takes a list "
    "by place, with the same warning. If they are not, the words of the "
    "warning are a `ValueError`."
)
def test_names_of_inputs_in_a_model_built_from_a_dictionary() -> None:
    told, warned = printed(NAME, "by_name").splitlines()
    words = "The structure of `inputs` doesn't match the expected structure."
    assert told == "a key too many: [[17.]]"
    assert warned == f"UserWarning: {words}"
    assert printed(NAME, "own_keys") == "its own keys: [[21.]]"
    for keys in (("first", "second"), ("second", "first")):
        model = named_model(*keys)
        for age, taken in (("age", 17.0), ("tea", 21.0)):
            row = {age: SEVEN, "first": ONE, "second": TWO}
            with pytest.warns(UserWarning, match=words):
                assert model(row) == taken
            with pytest.warns(UserWarning, match=words):
                assert model.predict(row, verbose=0) == taken
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert model({name: row[name] for name in model.input}) == 21.0
    for parts in ([ONE, TWO], (ONE, TWO)):
        with pytest.raises(ValueError, match=words):
            model(parts)
        with pytest.warns(UserWarning, match=words):
            assert named_model("first", "second")(parts) == 21.0
    with pytest.raises(ValueError, match="Missing data for input"):
        model({"first": ONE, "x": TWO})


@says("Data is expected to be in format (x, y, sample_weight)")
@says(
    "`errors_in_a_step:four_parts` The data have more than three parts. Put "
    "all inputs into one tuple or dictionary, and all outputs into another.",
    page="messages",
)
@says("Two inputs and two outputs make four parts.")
@says(
    "`fit` takes three at most, the last one for weights. What is for one "
    "place goes into a tuple or a dictionary of its own."
)
@says(
    "The model is compiled anew, for the first call of its step has failed. A "
    "later one may make no variables, be they for the metrics of two losses "
    "or for `Adam`, and `fit` would say `Creating variables on a non-first "
    "call to a function decorated with tf.function`."
)
def test_data_of_four_parts() -> None:
    shows("four_parts", "Data is expected to be in format `x`, `(x,)`, `(x, ")
    slices = tf.data.Dataset.from_tensor_slices
    ends = [tf.keras.Input((1,), name=name) for name in ("first", "second")]

    def both() -> tf.keras.Model:
        outputs = [
            tf.keras.layers.Dense(1, kernel_initializer="zeros")(end)
            for end in ends
        ]
        model = tf.keras.Model(ends, outputs)
        model.compile("sgd", ["mse", "mse"])
        return model

    quiet: dict[str, Any] = {"shuffle": False, "verbose": 0}
    four = slices((X, 2.0 * X, Y, 3.0 * Y)).batch(201)
    two = slices(((X, 2.0 * X), (Y, 3.0 * Y))).batch(201)
    named = slices(({"second": 2.0 * X, "first": X}, (Y, 3.0 * Y))).batch(201)
    weights = slices(((X, 2.0 * X), (Y, 3.0 * Y), 2.0 * tf.ones(201)))
    means = [float(tf.reduce_mean(tf.square(n * Y))) for n in (1.0, 3.0)]
    for data in (two, named):
        log = both().fit(data, **quiet).history
        assert log["loss"] == pytest.approx([sum(means)], rel=1e-5)
    heavy = both().evaluate(weights.batch(201), verbose=0)
    assert heavy[0] == pytest.approx(2.0 * sum(means), rel=1e-5)

    refused = "Data is expected to be in format"
    again = "Creating variables on a non-first call to a function decorated"
    one = slices((X, Y)).batch(201)
    for make, optimizer, right, fails in (
        (both, "sgd", two, True),
        (KerasLinearModel, "sgd", one, False),
        (KerasLinearModel, "adam", one, True),
    ):
        model = make()
        loss = "mse" if right is one else ["mse", "mse"]
        model.compile(optimizer, loss)
        with pytest.raises(ValueError, match=refused):
            model.fit(four, **quiet)
        if fails:
            with pytest.raises(ValueError, match=again):
                model.fit(right, **quiet)
            model.compile(optimizer, loss)
        model.fit(right, **quiet)


@says(
    "Labels are numbers of classes, or they are *one-hot*: a row for each, "
    "with a one at its class."
)
@says("For each there is a loss. This is the wrong one.")
@says("`target` are the labels, `output` are the logits.")
@says(
    "Older releases said `logits and labels must have the same first "
    "dimension`. Today that comes where a graph does not know the number of "
    "rows, and the labels are more or fewer than the logits."
)
@says(
    "`SparseCategoricalCrossentropy` takes numbers, and "
    "`CategoricalCrossentropy` takes one-hot rows."
)
@says("The last line is the same slip the other way round.")
def test_each_kind_of_labels_has_a_loss() -> None:
    shows("one_hot", "Argument `output` must have rank (ndim) `target.ndim")
    by_number, one_hot, error = printed(NAME, "either").splitlines()
    assert "`target` and `output` must have the same rank" in error
    assert "target.shape=(3,), output.shape=(3, 3)" in error
    labels = [0, 2, 1]
    logits = np.array([[2.0, 0, 0], [0, 1, 3], [1, 4, 1]])
    right = np.log(np.sum(np.exp(logits), 1)) - logits[range(3), labels]
    expected = pytest.approx([np.mean(right)], abs=1e-4)
    assert numbers(by_number) == expected
    assert numbers(one_hot) == expected
    assert tf.one_hot(labels, 3).numpy().argmax(1).tolist() == labels
    # So the operation below Keras, which older releases left to say it.
    with pytest.raises(
        tf.errors.InvalidArgumentError,
        match="logits and labels must have the same first dimension",
    ):
        tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits(
            features=logits, labels=labels[:2]
        )
    sparse = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for rows, message in (
        (None, "logits and labels must have the same first dimension"),
        (3, "`output` must have the same shape up until the last"),
    ):
        seen = [tf.TensorSpec([None], tf.int32), tf.TensorSpec([rows, 3])]
        known = [tf.TensorSpec([2 if rows else None], tf.int32), seen[1]]
        compiled_loss = tf.function(sparse, input_signature=known)
        with pytest.raises(
            (tf.errors.InvalidArgumentError, ValueError), match=message
        ):
            compiled_loss(
                tf.constant(labels[:2]), tf.constant(logits, tf.float32)
            )


@says(
    "If both have two axes, it is the last numbers that differ: `target` and "
    "`output` `must have the same shape`."
)
@says(
    "With `(None, 1)` and `(None, 10)` the labels are a column of numbers, "
    "for a loss that wants ten in a row."
)
@says("With `(None, 10)` and `(None, 5)` the last layer has too few outputs.")
def test_two_axes_whose_last_numbers_differ() -> None:
    kinds = tf.keras.losses
    sparse = kinds.SparseCategoricalCrossentropy(from_logits=True)
    dense = kinds.CategoricalCrossentropy(from_logits=True)
    column = tf.constant([[3], [9]])
    one_hot = tf.one_hot(column[:, 0], 10)

    def cost(loss: Any, labels: tf.Tensor, outputs: int) -> float:
        call = tf.function(loss, autograph=False)
        shapes = (
            tf.TensorSpec((None, labels.shape[1]), labels.dtype),
            tf.TensorSpec((None, outputs)),
        )
        called = call.get_concrete_function(*shapes)
        return float(called(labels, tf.zeros((2, outputs))))

    said = r"`target` and `output` must have the same shape. Received: target"
    for labels, outputs in ((column, 10), (one_hot, 5)):
        shapes = f".shape=(None, {labels.shape[1]}), output.shape=(None, "
        with pytest.raises(
            ValueError, match=said + re.escape(f"{shapes}{outputs})")
        ):
            cost(dense, labels, outputs)
    ten = pytest.approx(np.log(10), abs=1e-5)
    assert cost(sparse, column, 10) == cost(dense, one_hot, 10) == ten


def of_six_pictures() -> dict[str, Any]:
    """Run the mended block after the one that fails."""
    names: dict[str, Any] = {}
    with pytest.raises(tf.errors.InvalidArgumentError):
        exec(BLOCKS["folded"].code, vars(rows_of_logits), names)
    return ran("rows_of_logits", "flat", **names)


@says("logits and labels must be broadcastable")
@says("Return scores for three classes, in a row for each of rows.")
@says(
    "Six pictures of 4 by 4 numbers, their labels one-hot, and a weight for "
    "each of eight numbers and three classes:"
)
@says(
    "Each size is rows and columns. The rows differ: `tf.reshape` to rows of "
    "eight made two of each picture."
)
@says(
    "If the columns differ, the model has more or fewer outputs than there "
    "are classes."
)
@says(
    "`labels_size=[1,6]` would be numbers of classes, for which there is "
    "`tf.nn.sparse_softmax_cross_entropy_with_logits`."
)
def test_rows_or_columns_of_scores_differ() -> None:
    shows("folded", "logits_size=[12,3] labels_size=[6,3]")
    names = of_six_pictures()
    kinds, scores = names["kinds"], names["scores"]
    pictures, cost = names["pictures"], names["cross_entropy"]
    assert pictures.shape == (6, 4, 4)
    rows = tf.reshape(pictures, (-1, 8))
    assert rows.shape == (2 * len(pictures), 8)
    assert scores_of(rows).shape == (12, 3)
    numbered = tf.argmax(kinds, axis=-1)
    said = r"must be broadcastable: logits_size=\[6,{}\] labels_size=\[{}\]"
    for few, labels, sizes in (
        (scores[:, :2], kinds, (2, "6,3")),
        (scores, tf.cast(numbered, tf.float32), (3, "1,6")),
    ):
        with pytest.raises(
            tf.errors.InvalidArgumentError, match=said.format(*sizes)
        ):
            cost(labels, few)
    sparse = tf.nn.sparse_softmax_cross_entropy_with_logits
    assert np.allclose(sparse(numbered, scores), cost(kinds, scores))


@says("Keras' losses compare the shapes before.")
@says(
    "So in `fit` these words come at the end of a `Graph execution error`, if "
    "the graph does not know the number of rows."
)
def test_fit_says_that_the_rows_differ_where_it_does_not_know_them() -> None:
    twice = tf.keras.layers.Lambda(lambda rows: tf.reshape(rows, (-1, 2)))
    model = tf.keras.Sequential([tf.keras.Input((4,)), twice])
    x, kinds = tf.zeros((6, 4)), tf.one_hot([0, 1, 0, 1, 0, 1], 2)
    loss = tf.keras.losses.CategoricalCrossentropy(from_logits=True)
    before = r"`target` and `output` must have the same shape"
    with pytest.raises(ValueError, match=before):
        loss(kinds, model(x))
    model.compile("sgd", loss)
    with pytest.raises(ValueError, match=before):
        model.fit(x, kinds, batch_size=3, verbose=0)
    with pytest.raises(
        tf.errors.InvalidArgumentError,
        match=r"(?s)^Graph execution error.*must be broadcastable: logits_si"
        r"ze=\[8,2\] labels_size=\[4,2\]\n[^\n]*$",
    ):
        model.fit(x, kinds, batch_size=4, verbose=0)


@says(
    "**The check** is the `assert`, for not every slip has a message. One row "
    "of labels counts for all pictures, and one column, here of numbers of "
    "classes, for all classes."
)
def test_one_row_or_column_of_labels_counts_for_all() -> None:
    names = of_six_pictures()
    assert "assert scores.shape == kinds.shape" in BLOCKS["flat"].code
    kinds, scores = names["kinds"], names["scores"].numpy()
    column = np.argmax(kinds, axis=-1)[:, np.newaxis]
    costs = np.log(np.sum(np.exp(scores), 1, keepdims=True)) - scores
    lines = printed("errors_in_a_step", "flat").splitlines()
    for line, labels in zip(lines, (kinds, kinds[:1], column), strict=True):
        expected = np.sum(labels * costs, axis=1)
        assert line.startswith(str(labels.shape))
        assert numbers(line.partition("costs")[2].replace(". ", ".0 ")) == (
            pytest.approx(expected, abs=0.006)
        )
        found = names["cross_entropy"](labels, scores)
        assert np.allclose(found, expected, atol=1e-5)


@says("A model that ends with a softmax returns probabilities, not logits.")
@says(
    "With `from_logits=True` the loss takes the softmax again, without an "
    "error."
)
@says("All three answers are right, and as sure as can be.")
@says(
    "Yet with three classes the loss cannot fall below "
    "{{ sparse(labels, tf.nn.softmax(sure)):.2f }}."
)
@says(
    "**The check** is the first line of the output: an answer that is sure "
    "and right costs nothing."
)
def test_softmax_twice() -> None:
    once, twice = numbers(printed(NAME, "softmax_twice"))
    least = np.log(1 + 2 / np.e)
    assert (once, twice) == pytest.approx((0.0, least), abs=1e-4)
    value = record(NAME)["sparse(labels, tf.nn.softmax(sure)):.2f"]
    assert float(value) == pytest.approx(least, abs=0.005)
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    labels = tf.constant([0, 2, 1])
    for seed in range(5):
        logits = tf.random.stateless_normal([3, 3], (0, seed), stddev=9.0)
        assert float(loss(labels, tf.nn.softmax(logits))) >= least - 1e-6
    with warnings.catch_warnings(action="error"):
        loss(labels, tf.nn.softmax(tf.ones((3, 3))))
    layer = tf.keras.layers.Dense(3, activation="softmax")
    assert np.sum(layer(tf.ones((1, 1)))) == pytest.approx(1.0)


@says(
    "If Keras sees that a softmax comes last, it warns, and takes the logits "
    "that went into it."
)
@says(
    "It sees those that its own layers and functions make, and in a compiled "
    "step `tf.nn.softmax`. A reshape after the softmax hides it, and so do "
    "mixed precision and a `tf.function` of its own. One written with "
    "`tf.exp` is never seen."
)
def test_a_softmax_that_keras_sees() -> None:
    keras, labels = tf.keras, tf.constant([0, 2, 1])
    sure, least = 100.0 * tf.one_hot(labels, 3), np.log(1 + 2 / np.e)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def layer(**options: Any) -> Any:
        return keras.layers.Activation("softmax", **options)

    def own(logits: tf.Tensor) -> tf.Tensor:
        return loss(labels, tf.nn.softmax(logits))

    def reshaped(logits: tf.Tensor) -> tf.Tensor:
        return loss(labels, tf.reshape(layer()(logits), (3, 3)))

    def mixed(logits: tf.Tensor) -> tf.Tensor:
        return loss(labels, layer(dtype="mixed_bfloat16")(logits))

    def called(logits: tf.Tensor) -> tf.Tensor:
        return loss(labels, tf.function(layer())(logits))

    def by_hand(logits: tf.Tensor) -> tf.Tensor:
        powers = tf.exp(logits - 100.0)
        return loss(labels, powers / tf.reduce_sum(powers, 1, keepdims=True))

    for sees in (
        lambda logits: loss(labels, layer()(logits)),
        lambda logits: loss(labels, keras.activations.softmax(logits)),
        tf.function(own),
    ):
        with pytest.warns(UserWarning, match="produced by a Softmax"):
            assert float(sees(sure)) == pytest.approx(0.0, abs=1e-4)
    with warnings.catch_warnings(action="error"):
        assert float(own(sure)) == pytest.approx(least, abs=1e-4)
        for hides in (reshaped, mixed, called, by_hand):
            for call in (hides, tf.function(hides)):
                assert float(call(sure)) == pytest.approx(least, abs=1e-2)


@says("from_logits forgotten: the loss is stuck at 16.118")
@says(
    "A number below 0 or above 1 is no probability. Keras moves it to `1e-7` "
    "or to just below 1, where it has no gradient, so a wrong answer stays "
    "wrong."
)
@says(
    "It costs 16.118, which is -ln `1e-7`, or the loss is that of [equal "
    "chances] … number)."
)
@says(
    "`BinaryCrossentropy` does so, too, and `CategoricalCrossentropy` after "
    "it has divided a row by its sum. Say `from_logits=True`."
)
@says(
    "**The check** is the slope, which is not 0 while an answer may become "
    "better."
)
def test_logits_taken_for_probabilities() -> None:
    kinds = tf.keras.losses
    costs, slopes = zip(
        *map(numbers, printed(NAME, "forgotten").splitlines()), strict=True
    )
    assert slopes[0] == 0.0 < slopes[1]
    assert costs[0] == pytest.approx((np.log(2) + np.log(3)) / 3, abs=1e-4)
    assert round(-np.log(1e-7), 3) == 16.118

    def found(loss: Any, labels: Any, scores: Any) -> tuple[float, float]:
        scores = tf.Variable(scores)
        with tf.GradientTape() as tape:
            cost = loss(tf.constant(labels), scores)
        with warnings.catch_warnings(action="error"):
            slope = tape.gradient(cost, scores)
        return float(cost), float(tf.norm(slope))

    sparse = kinds.SparseCategoricalCrossentropy
    dense, binary = kinds.CategoricalCrossentropy, kinds.BinaryCrossentropy
    column, second = [[1.0], [0.0]], [[0.0, 1.0, 0.0]]
    cases: list[Any] = [
        (sparse, [1], [[5.0, -3.0, -1.0]], -np.log(1e-7)),
        (sparse, [1], [[5.0, 2.0, 3.0]], np.log(3)),
        (sparse, [3], [list(np.arange(2.0, 12.0))], np.log(10)),
        (dense, second, [[5.0, -3.0, -1.0]], -np.log(1e-7)),
        (dense, second, [[0.5, -3.0, 2.0]], 0.0),
        (binary, column, [[-0.5], [-5.0]], -np.log(1e-7) / 2),
        (binary, column, [[5.0], [5.0]], -np.log(1.19e-7) / 2),
    ]
    for kind, labels, logits, cost in cases:
        scores = np.array(logits, "float32")
        wrong: Any = found(kind(), labels, scores)
        assert wrong == (pytest.approx(cost, abs=1e-2), 0.0)
        right = found(kind(from_logits=True), labels, scores)
        assert right[1] > 0.01
    within = np.array([[0.5, 0.2, 0.1]], "float32")
    assert found(sparse(), [1], within)[1] > 0.1
    assert found(dense(), second, 10.0 * within)[1] > 0.1


@says(
    "0.693 is ln 2 and 2.303 is ln 10: the cross-entropy of a model that "
    "gives two classes, or ten, the same chance for every input."
)
@says("A loss may well start there.")
@says(
    "If it stays there, the model makes nothing of its input: [a loss that "
    "stands still](traps.md) has other causes, too."
)
@says("The loss stands at 0.693 or at 2.303 | [Equal chances]", page="traps")
def test_the_loss_of_equal_chances() -> None:
    assert (round(np.log(2), 3), round(np.log(10), 3)) == (0.693, 2.303)
    losses = tf.keras.losses
    sparse = losses.SparseCategoricalCrossentropy(from_logits=True)
    rows = tf.random.stateless_normal((20, 4), seed=(0, 1))
    for classes in (2, 10):
        labels = np.arange(20) % classes
        due = pytest.approx(np.log(classes), abs=1e-5)
        assert float(sparse(labels, tf.zeros((20, classes)))) == due
        start = tf.keras.layers.Dense(classes, kernel_initializer="zeros")
        assert float(sparse(labels, start(rows))) == due
        # With labels in equal numbers no other answer to all is cheaper.
        logits = tf.Variable(tf.linspace(-0.5, 0.5, classes))
        for _ in range(100):
            with tf.GradientTape() as tape:
                loss = sparse(labels, tf.stack([logits] * 20))
                assert float(loss) >= np.log(classes) - 1e-5
            logits.assign_sub(classes * tape.gradient(loss, logits))
        assert float(loss) == pytest.approx(np.log(classes), abs=1e-3)
    binary = losses.BinaryCrossentropy()
    half = float(binary([[0.0], [1.0]], [[0.5], [0.5]]))
    assert half == pytest.approx(np.log(2), abs=1e-5)
    traps = (DOCS / "traps.md").read_text("utf-8")
    [row] = re.findall(r"(?m)^\| The loss stands still \| (.+) \|$", traps)
    assert row.count("[") > 1


@says(
    "`errors_in_a_step:alone` A softmax of one number is 1, whatever the "
    "input.",
    page="messages",
)
@says("Give a single output a sigmoid.", page="messages")
@says("The same prediction for every input: a softmax of one number")
@says("The model has one output.")
@says("Return a model with one output that is to tell ones from zeros.")
@says("The numbers of a softmax add up to 1.")
@says(
    "Of a single number it makes 1, whatever the input is, and the accuracy "
    "is the share of ones for ever."
)
@says(
    "The loss falls all the same, as with a sigmoid, for Keras' "
    "cross-entropy looks at what went into the softmax."
)
@says("Give one output a sigmoid, or a softmax one output for each class.")
@says(
    "If the predictions are equal without a softmax, look for [a row against "
    "a column](traps.md#2-a-row-against-a-column), which trains a model to "
    "predict the mean of `y` everywhere."
)
def test_a_softmax_of_one_number() -> None:
    alone, squashed = (
        printed(NAME, n).splitlines() for n in ("alone", "squashed")
    )
    assert "softmax operation will always return the value 1" in alone[0]
    assert alone[1] == squashed[0]
    losses = numbers(alone[1])
    assert losses == sorted(losses, reverse=True)
    ones = float(np.mean(Y > 2.0))
    assert numbers(alone[2]) == pytest.approx([ones] * 3, abs=1e-4)
    assert alone[3] == "predicted: [1.]"
    assert numbers(squashed[1])[-1] > 0.9
    seen = tf.random.stateless_normal((9, 1), (0, 1), stddev=9.0)
    np.testing.assert_allclose(tf.nn.softmax(seen), np.ones((9, 1)), 1e-6)
    assert np.sum(tf.nn.softmax(seen[:, 0])) == pytest.approx(1.0)
    model = make_classifier("softmax")
    model.set_weights([np.array([[2.0]]), np.array([-1.0])])
    with pytest.warns(UserWarning, match="softmax over axis -1"):
        y_pred = model(seen)
    entropy = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    label = tf.cast(seen > 3.0, tf.float32)
    found = tf.keras.losses.BinaryCrossentropy()(label, y_pred)
    expected = entropy(label, 2.0 * seen - 1.0)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)
    per_class = tf.keras.layers.Dense(2, "softmax")(seen).numpy()
    assert len(np.unique(per_class[:, 0])) > 1
    for level in (1.0, 2.0, 3.0):
        pairs = tf.square(tf.fill((201, 1), level) - Y[:, 0])
        least = np.var(Y) + (level - np.mean(Y)) ** 2
        assert float(tf.reduce_mean(pairs)) == pytest.approx(least, rel=1e-4)


@says(
    "`errors_in_a_step:unknown_rank` A function of NumPy in the dataset does "
    "not say which shapes it returns.",
    page="messages",
)
@says("Say so with `set_shape`.", page="messages")
@says("Cannot take the length of shape with unknown rank")
@says("Each row is prepared by a function of NumPy on its way into the model.")
@says("Return a row, its input divided by the spread of all.")
@says("Call NumPy for a row, and say which shapes come back.")
@says(
    "`tf.numpy_function` and `tf.py_function` do not say how many axes come "
    "back, so the shape of a row is `<unknown>`, and a layer asks for it."
)
@says(
    "A model that is not built yet raises another error, `as_list() is not "
    "defined on an unknown TensorShape`."
)
@says(
    "Where you can do without NumPy, do: nearly all of TensorFlow's own "
    "operations tell how many axes come back. Not so `tf.io.parse_tensor`, "
    "nor `tf.io.decode_image` without `expand_animations=False`."
)
def test_a_shape_that_nobody_knows() -> None:
    shows("unknown_rank", "Cannot take the length of shape with unknown rank.")
    unknown, known, _ = printed(NAME, "known_rank").splitlines()
    assert (unknown, known) == ("one row: <unknown>", "one row: (1,)")
    singles = tf.data.Dataset.from_tensor_slices((X, Y))
    kinds = (tf.float32, tf.float32)
    dense = tf.keras.layers.Dense
    for call in (tf.numpy_function, tf.py_function):
        rows = singles.map(lambda x, y, c=call: c(standardised, (x, y), kinds))
        assert rows.element_spec[0].shape.rank is None
        for layers, message in (
            ([tf.keras.Input((1,)), dense(1)], "length of shape with unknown"),
            ([dense(1)], "as_list.. is not defined on an unknown TensorShape"),
        ):
            model = tf.keras.Sequential(layers)
            model.compile("sgd", "mse")
            with pytest.raises(ValueError, match=message):
                model.fit(rows.batch(67), shuffle=False, verbose=0)
    plain = singles.map(lambda x, y: (x / 1.16, y))
    assert plain.element_spec[0].shape == (1,)
    file = tf.TensorSpec((), tf.string)
    for reads, rank in (
        (tf.io.decode_png, 3),
        (tf.io.decode_image, None),
        (lambda b: tf.io.decode_image(b, expand_animations=False), 3),
        (lambda b: tf.io.parse_tensor(b, tf.float32), None),
        (lambda b: tf.io.decode_raw(b, tf.float32), 1),
    ):
        graph = tf.function(reads, autograph=False).get_concrete_function(file)
        assert graph.structured_outputs.shape.rank == rank
    row, _ = next(iter(singles.map(with_shapes)))
    assert row.numpy() == pytest.approx(X[0].numpy() / 1.16, rel=1e-5)
    usual = float(tf.math.reduce_std(X))
    assert usual == pytest.approx(1.16, abs=0.005)


@says(
    "It comes without NumPy, too, if one call of `fit` is given `y` as a row, "
    "and the next one as a column: for both together the graph is made for "
    "any rank. Call `compile` in between."
)
@says(
    "Or `fit` was given a row before, and is now given a column: call "
    "`compile` in between.",
    page="messages",
)
def test_a_row_and_then_a_column() -> None:
    ranks = []

    class Noting(KerasLinearModel):
        def train_step(self, data: Any) -> Any:
            ranks.append(data[1].shape.rank)
            return super().train_step(data)

    for first, second in ((Y[:, 0], Y), (Y, Y[:, 0])):
        model = compiled(Noting)
        ranks.clear()
        model.fit(X, first, batch_size=201, verbose=0)
        with pytest.raises(ValueError, match="length of shape with unknown"):
            model.fit(X, second, batch_size=201, verbose=0)
        assert [*dict.fromkeys(ranks)] == [first.shape.rank, None]
        model.compile("sgd", "mse")
        model.fit(X, second, batch_size=201, verbose=0)


@says("Received a label value of 3 which is outside the valid range of [0, 3)")
@says("Three classes, numbered 1, 2 and 3.")
@says(
    "`[0, 3)` are the numbers 0, 1 and 2: the last layer has three outputs, "
    "and the first is for class 0."
)
@says("If their numbers are right, the layer has too few outputs.")
def test_a_label_out_of_range() -> None:
    shows("from_one", "Received a label value of 3 which is outside the valid")
    shows("from_one", "range of [0, 3). Label values: 1 3 2")
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    logits = np.array([[2.0, 0.0, 1.0]])
    for label in range(3):
        cost = np.log(np.sum(np.exp(logits))) - logits[0, label]
        assert float(loss(tf.constant([label]), logits)) == pytest.approx(
            cost, abs=1e-5
        )
    for label in (-1, 3):
        with pytest.raises(tf.errors.InvalidArgumentError, match="valid rang"):
            loss(tf.constant([label]), logits)
    assert np.isfinite(loss(tf.constant([3]), tf.ones((1, 4))))


@says(
    "**The check** is the two lines with `assert`. Have them run once for all "
    "labels, before the training, for not everywhere is there a message."
)
@says(
    "Compiled by XLA the loss is NaN, and so it is [on a "
    "GPU](https://www.tensorflow.org/api_docs/python/tf/nn/sparse_softmax_cross_entropy_with_logits)."
)
@says(
    "One-hot, a label out of range is a row of zeros. It costs nothing, and "
    "yet from logits it has a gradient, as if every answer were wrong."
)
@says("If -1 stands for rows without a label, say so with `ignore_class=-1`.")
def test_a_label_out_of_range_without_a_message() -> None:
    by_xla, one_hot, costs = printed(NAME, "out_of_range").splitlines()
    assert by_xla == "XLA: nan"
    assert "[0.0, 0.0, 0.0]" in one_hot
    assert numbers(costs.replace("0. ", "0.0 "))[1] == 0.0
    documented = tf.nn.sparse_softmax_cross_entropy_with_logits.__doc__
    assert "return `NaN`" in documented.partition("raise an")[2]
    losses = tf.keras.losses
    logits = tf.constant([[2.0, 0, 0], [0, 1, 3], [1, 4, 1]])
    sparse = losses.SparseCategoricalCrossentropy(from_logits=True)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        total = losses.CategoricalCrossentropy(from_logits=True)(
            tf.one_hot([1, 3, 2], 3), logits
        )
    slopes = 3 * tape.gradient(total, logits)[1].numpy()
    assert slopes == pytest.approx(tf.nn.softmax(logits[1]).numpy(), abs=1e-6)
    assert slopes.min() > 0.01
    ignoring = losses.SparseCategoricalCrossentropy(
        from_logits=True, ignore_class=-1
    )
    kept = sparse(tf.constant([0, 2]), tf.gather(logits, [0, 2]))
    found = ignoring(tf.constant([0, -1, 2]), logits)
    assert float(found) == pytest.approx(float(kept), abs=1e-5)
    named = {"logits": logits, "sparse": sparse}
    left = ran(NAME, "from_zero", counted=tf.constant([1, 3, 2]), **named)
    assert left["numbered"].tolist() == [0, 2, 1]
    for wrong in ([0, 1, 2], [2, 3, 4]):
        with pytest.raises(AssertionError):
            ran(NAME, "from_zero", counted=tf.constant(wrong), **named)


@says("A negative loss: binary_crossentropy of other labels")
@says("Two classes, numbered 1 and 2.")
@says(
    "No cross-entropy is below 0 while its labels lie from 0 to 1. With "
    "labels of 1 and 2 it falls without end when all scores grow, so the "
    "model learns to answer 1 everywhere."
)
@says(
    "Labels of -1, and pixels from 0 to 255 as the labels of an autoencoder, "
    "make it negative, too."
)
@says(
    "**The check** is the line with `assert`. Other losses are meant to be "
    "negative: that of Keras' `CosineSimilarity` is -1 where all is right."
)
def test_a_negative_loss() -> None:
    for section, labels in (("below_zero", 4.0), ("above_zero", 1.0)):
        for line in printed(NAME, section).splitlines():
            score, shown = numbers(line)
            cost = np.log1p(np.exp(-score)) + score * (1 - labels / 3)
            assert shown == pytest.approx(cost, abs=0.006)
    loss = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    scores = tf.linspace(-50.0, 50.0, 41)[:, tf.newaxis]
    for label in (0.0, 0.3, 1.0):
        one = tf.constant([[label]])
        assert min(float(loss(one, row[None])) for row in scores) >= 0.0
    for column_of in ([1.0, 2.0, 1.0], [2.0, 1.0, 2.0]):
        column = tf.constant(column_of)[:, tf.newaxis]
        w = tf.Variable(0.0)
        for _ in range(50):
            with tf.GradientTape() as tape:
                current_loss = loss(column, tf.fill((3, 1), 1.0) * w)
            w.assign_sub(tape.gradient(current_loss, w))
        assert float(current_loss) < 0
        assert float(tf.sigmoid(w)) > 0.99
    for pairs in (
        ([1.0, -1.0], [9.0, -9.0]),
        ([0.0, 255.0], 2 * [9.0]),
    ):
        columns = (tf.constant(part)[:, tf.newaxis] for part in pairs)
        assert float(loss(*columns)) < 0
    for kind in ("float32", "int32", "uint8"):
        for named, right in (([1, 2, 1], True), ([1, 3, 2], False)):
            two_classes = tf.cast(np.reshape(named, (3, 1)), kind)
            given = {"two_classes": two_classes, "binary": loss}
            if right:
                ran(NAME, "above_zero", **given)
                continue
            with pytest.raises(AssertionError):
                ran(NAME, "above_zero", **given)
    cosine = tf.keras.losses.CosineSimilarity()
    rows = tf.constant([[1.0, 2.0], [3.0, -1.0]])
    assert float(cosine(rows, 2.0 * rows)) == pytest.approx(-1.0)


# Two tapes


@says(
    "The slope of `#!math w^3` is `#!math 3 w^2`, and the slope of that is "
    "`#!math 6 w`."
)
@says(
    "The line that computes it stands below both tapes, where nothing is "
    "recorded."
)
@says(
    "The second derivative is `None`, too, where the first is a constant: "
    "that of `2.0 * w` does not depend on `w`."
)
@says(
    "A gradient penalty is made in this way, as in [exercise 2](#exercises)."
)
def test_the_second_derivative() -> None:
    first, second = printed(NAME, "outside").splitlines()
    assert (first, second) == (f"first: {3 * 3.0**2}", "second: None")
    assert printed(NAME, "inside") == f"second: {6 * 3.0}"
    w = tf.Variable(3.0)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            line = 2.0 * w
        slope = inner.gradient(line, w)
    assert slope == 2.0
    assert outer.gradient(slope, w) is None
    assert "GradientTape" in BLOCKS["slope_penalty"].code
    assert "slope_penalty" in BLOCKS["exercise_penalty"].code


@says("gradient registry has no entry for, No gradient defined for operation")
@says(
    "Some operations have no gradient, such as `tf.unique`, and some have one "
    "that has none."
)
@says(
    'A picture that `tf.image.resize(…, method="bicubic")` resized raises '
    "`LookupError: gradient registry has no entry for: ResizeBicubicGrad` in "
    "a gradient penalty."
)
@says(
    "If a `tf.function` was called under the tape, the words are `No gradient "
    'defined for operation`. With `method="bilinear"` the second derivative '
    "is `None`."
)
@says(
    "Compute the same with other operations: to resize is to multiply by a "
    "matrix from the left, and by one from the right."
)
@says(
    "Or [define a "
    "gradient](other_gradients.md#4-tfcustom_gradient-a-gradient-that-you-define)."
)
def test_operations_without_a_gradient() -> None:
    picture = tf.random.stateless_normal((4, 5), seed=(0, 1))
    without = "gradient registry has no entry for: "
    undefined = "No gradient defined for operation"

    def slope(function: Any, x: tf.Tensor) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = function(x)
        return tape.gradient(value, x)

    def resized(x: tf.Tensor, method: str = "bicubic") -> tf.Tensor:
        pictures = x[tf.newaxis, :, :, tf.newaxis]
        small = tf.image.resize(pictures, (2, 3), method)
        return small[0, :, :, 0]

    def penalty(resize: Any) -> Any:
        def loss(x: tf.Tensor) -> tf.Tensor:
            return tf.reduce_sum(resize(x) ** 2)

        return lambda x: tf.reduce_sum(slope(loss, x) ** 2)

    for function, name in (
        (lambda x: tf.unique(x[0])[0], "Unique"),
        (penalty(resized), "ResizeBicubicGrad"),
    ):
        with pytest.raises(LookupError, match=f"^{without}{name}$"):
            slope(function, picture)
    with pytest.raises(LookupError, match=undefined):
        slope(tf.function(penalty(resized)), picture)
    called = tf.function(resized)
    with pytest.raises(LookupError, match=undefined):
        slope(penalty(called), picture)
    by_default = penalty(lambda x: resized(x, "bilinear"))
    assert slope(by_default, picture) is None
    left, right = (
        tf.image.resize(tf.eye(n)[tf.newaxis, :, :, tf.newaxis], size, kind)
        for n, size, kind in ((4, (2, 4), "bicubic"), (5, (5, 3), "bicubic"))
    )
    left, right = left[0, :, :, 0], right[0, :, :, 0]

    def product(x: tf.Tensor) -> tf.Tensor:
        return left @ x @ right

    np.testing.assert_allclose(product(picture), resized(picture), atol=1e-6)
    twice = [m @ tf.transpose(m) for m in (tf.transpose(left), right)]
    due = twice[0] @ twice[0] @ picture @ twice[1] @ twice[1]

    @tf.custom_gradient
    def back(upstream: tf.Tensor) -> Any:
        slopes = tf.raw_ops.ResizeBicubicGrad(
            grads=upstream[tf.newaxis, :, :, tf.newaxis],
            original_image=tf.zeros((1, 4, 5, 1)),
            half_pixel_centers=True,
        )
        return slopes[0, :, :, 0], resized

    @tf.custom_gradient
    def defined(x: tf.Tensor) -> Any:
        return resized(x), back

    for resize in (product, defined):
        found = slope(penalty(resize), picture)
        np.testing.assert_allclose(found, 8.0 * due, rtol=1e-3, atol=1e-5)


@says("MAML: the gradient through an update is None")
@says(
    "MAML and other meta-learning take the gradient *through* an update of "
    "weights, in an inner loop."
)
@says(
    "Make the update of tensors, `w - 0.1 * first`, inside the outer tape. A "
    "copy that is a `tf.Variable` gives `None`, and `w` itself, after "
    "`assign_sub` in the tape, a gradient that knows nothing of the update."
)
def test_a_gradient_through_an_update() -> None:
    def copied(w: tf.Variable, step: tf.Tensor) -> tf.Variable:
        copy = tf.Variable(w)
        copy.assign_sub(step)
        return copy

    def in_place(w: tf.Variable, step: tf.Tensor) -> tf.Variable:
        w.assign_sub(step)
        return w

    def of_tensors(w: tf.Variable, step: tf.Tensor) -> tf.Tensor:
        return w - step

    found = []
    for update in (of_tensors, copied, in_place):
        w = tf.Variable(3.0)
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                cube = w**3
            first = inner.gradient(cube, w)
            after = update(w, 0.1 * first) ** 2
        found.append(outer.gradient(after, w))
    moved = 3.0 - 0.1 * 27.0
    assert float(found[0]) == pytest.approx(2 * moved * (1 - 0.1 * 18.0))
    assert found[1] is None
    assert float(found[2]) == pytest.approx(2 * moved)


def slopes_at(weights: np.ndarray) -> np.ndarray:
    """Return the gradient of the mean squared error of a line."""
    matrix = np.concatenate([X, np.ones_like(X)], axis=1)
    errors = matrix @ weights - np.squeeze(Y)
    return np.asarray(2 * matrix.T @ errors / len(X))


def through_updates(steps: int) -> np.ndarray:
    """Return the gradient of the loss after updates, by hand.

    A step makes ``w - 0.1 * slopes_at(w)`` of the weights, so the gradient
    goes through ``1 - 0.1 * curvature`` on its way back.
    """
    matrix = np.concatenate([X, np.ones_like(X)], axis=1)
    through = np.eye(2) - 0.1 * 2 * matrix.T @ matrix / len(X)
    weights = np.array([5.0, 0.0])
    for _ in range(steps):
        weights = weights - 0.1 * slopes_at(weights)
    slopes = slopes_at(weights)
    for _ in range(steps):
        slopes = through @ slopes
    return slopes


def loss_of(y_pred: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(y_pred - Y))


@says(
    "So it is with `set_weights`, on a copy of a model or on the model "
    "itself. Instead, `stateless_call` computes with tensors in place of the "
    "weights of a whole model."
)
@says("The model itself stays as it was.")
@says(
    "In a further step of the inner loop, let its tape watch `updated`, and "
    "take the loss by `stateless_call` there, too."
)
def test_a_gradient_through_the_update_of_a_whole_model() -> None:
    shown = numbers(printed(NAME, "through_update"))
    assert shown == pytest.approx(through_updates(1), abs=1e-4)
    left = ran(NAME, "through_update", x=X, y=Y)
    model, variables = left["model"], left["variables"]
    found = [float(slope) for slope in left["gradients"]]
    assert found == pytest.approx(through_updates(1), abs=1e-4)
    assert [float(v) for v in variables] == [5.0, 0.0]

    for kept in (False, True):
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                current_loss = loss_of(model(X))
            slopes = inner.gradient(current_loss, variables)
            copy = model if kept else KerasLinearModel()
            moved = zip(variables, slopes, strict=True)
            copy.set_weights([v - 0.1 * slope for v, slope in moved])
            after = loss_of(copy(X))
        slopes = outer.gradient(after, variables)
        if not kept:
            assert slopes == [None, None]
            continue
        there = np.array([float(v) for v in variables])
        found = [float(slope) for slope in slopes]
        assert found == pytest.approx(slopes_at(there), abs=1e-4)
        assert found != pytest.approx(through_updates(1), abs=1e-1)

    model = KerasLinearModel()
    model(X)
    updated = [v.value for v in model.trainable_variables]
    with tf.GradientTape() as outer:
        outer.watch(updated)
        start = updated
        for _ in range(2):
            with tf.GradientTape() as inner:
                inner.watch(updated)
                y_pred, _ = model.stateless_call(updated, [], X)
                current_loss = loss_of(y_pred)
            slopes = inner.gradient(current_loss, updated)
            moved = zip(updated, slopes, strict=True)
            updated = [v - 0.1 * slope for v, slope in moved]
        y_pred, _ = model.stateless_call(updated, [], X)
        after = loss_of(y_pred)
    found = [float(slope) for slope in outer.gradient(after, start)]
    assert found == pytest.approx(through_updates(2), abs=1e-4)


@says(
    "What comes back beside the prediction are the new values of `others`, "
    "such as the moving mean of a batch normalization."
)
@says(
    "`stateless_call` wants a model that is built, so call it once before. "
    "With `training=True` it raises a `TypeError` if the `call` of the model "
    "has no such argument, where `model(x, training=True)` leaves it out."
)
def test_a_call_without_a_state() -> None:
    layers = [tf.keras.layers.BatchNormalization(momentum=0.5)]
    layers.append(tf.keras.layers.Dense(1))
    model = tf.keras.Sequential(layers)
    with pytest.raises(ValueError, match="must be built"):
        model.stateless_call([], [], Y)
    model(Y)
    others = model.non_trainable_variables
    names = [variable.name for variable in others]
    before = [variable.numpy() for variable in others]
    y_pred, new = model.stateless_call(
        model.trainable_variables, others, Y, training=True
    )
    mean = names.index("moving_mean")
    assert before[mean] == 0.0
    assert float(new[mean][0]) == pytest.approx(np.mean(Y) / 2, rel=1e-5)
    assert [v.numpy() for v in others] == before
    assert np.allclose(y_pred, model(Y, training=True), atol=1e-6)

    line = KerasLinearModel()
    assert np.allclose(line(X, training=True), 5.0 * X)
    with pytest.raises(TypeError, match="argument 'training'"):
        line.stateless_call(line.trainable_variables, [], X, training=True)


# More arguments


@says(
    "Keras calls a function that is compiled as the loss with `y` and "
    "`y_pred`, and nothing else."
)
@says("The method `compute_loss` of the model is given the inputs as well.")
@says("A line for which a point counts the less, the further x is from 0.")
@says("Return a mean of squared errors, weighted by the input.")
@says(
    "If a weight for each row is all that you need, `sample_weight` does "
    "[the same](weights_outputs_losses.md#sample-weights-in-a-custom-loop)."
)
def test_a_loss_that_knows_the_input() -> None:
    shows("three_arguments", "missing 1 required positional argument: 'x'")
    given: list[int] = []

    def loss(*arguments: tf.Tensor) -> tf.Tensor:
        given.append(len(arguments))
        return tf.reduce_mean(tf.square(arguments[1] - arguments[0]))

    model = KerasLinearModel()
    model.compile("sgd", loss)
    model.fit(X, Y, verbose=0)
    assert {*given} == {2}
    x, y, weights = np.squeeze(X), np.squeeze(Y), np.exp(-(X[:, 0] ** 2))
    near = Near().compute_loss(X, Y, 5.0 * X)
    own = np.mean(weights * (5.0 * x - y) ** 2)
    assert float(near) == pytest.approx(own, rel=1e-5)
    squared = tf.keras.losses.MeanSquaredError()
    weighted = squared(Y, 5.0 * X, sample_weight=weights)
    assert float(weighted) == pytest.approx(own, rel=1e-5)
    for wrong in ((X, Y[:, 0]), (X[:, 0], Y)):
        model = Near()
        model.compile("sgd", "mse")
        with pytest.raises(ValueError, match="Shape must be rank"):
            model.fit(*wrong, verbose=0)
    plain, kept = printed(NAME, "near").splitlines()
    for line, weight in ((plain, np.ones(201)), (kept, weights)):
        fit = np.polyfit(x, y, 1, w=np.sqrt(weight))
        assert numbers(line) == pytest.approx(fit, abs=0.002)


@says(
    "A loss function cannot use an `Input` of the model from outside, either: "
    "`A KerasTensor cannot be used as input to a TensorFlow function`."
)
@says("The mend is the same.")
@says(
    "The `sample_weight` that `fit` is given, and `self.losses`, the "
    "penalties of layers, count only where such a method makes them count."
)
def test_a_loss_that_closes_over_an_input() -> None:
    inputs = tf.keras.Input((1,))
    outputs = tf.keras.layers.Dense(1, kernel_initializer="zeros")(inputs)

    def loss(y: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return tf.exp(-tf.square(inputs)) * tf.square(y_pred - y)

    class Nearer(tf.keras.Model):
        compute_loss = Near.compute_loss

    model = tf.keras.Model(inputs, outputs)
    for eagerly in (False, True):
        model.compile("sgd", loss, run_eagerly=eagerly)
        with pytest.raises(ValueError, match="A KerasTensor cannot be used"):
            model.fit(X, Y, verbose=0)
    model = Nearer(inputs, outputs)
    model.compile("sgd", "mse")
    log = model.fit(X, Y, batch_size=201, verbose=0).history
    own = np.mean(np.exp(-np.square(X)) * np.square(Y))
    assert log["loss"] == pytest.approx([own], rel=1e-5)

    class Fair(Nearer):
        def compute_loss(
            self,
            x: Any,
            y: Any,
            y_pred: Any,
            sample_weight: Any = None,
            training: bool = True,
        ) -> Any:
            weighted = sample_weight[:, tf.newaxis] * tf.square(y - y_pred)
            return tf.reduce_mean(weighted) + sum(self.losses)

    weights = np.linspace(0.0, 2.0, 201, dtype="float32")
    start = tf.keras.initializers.Constant(2.0)
    penalised = tf.keras.layers.Dense(1, "linear", True, start, "zeros", "l2")
    outputs = penalised(inputs)
    errors = np.square(2.0 * X - Y)
    for kind, due in (
        (Nearer, np.mean(np.exp(-np.square(X)) * errors)),
        (Fair, np.mean(weights[:, np.newaxis] * errors) + 0.01 * 2.0**2),
    ):
        model = kind(inputs, outputs)
        model.compile(SGD(0.0), "mse")
        log = model.fit(X, Y, 201, verbose=0, sample_weight=weights)
        assert log.history["loss"] == pytest.approx([due], rel=1e-5)


NUMBERS = np.array([0, 2, 1, 1])
ALIKE = tf.fill((4, 3), 1 / 3)


@says("Value passed to parameter 'indices' has DataType float32")
@says("`Value passed to parameter 'indices' has DataType float32` | [Floats]")
@says("Return the squared distance of each row's probabilities from y.")
@says(
    "Keras hands `y` to a loss function as `float32`, even if the labels are "
    "whole numbers, and so to the `call` of a `tf.keras.losses.Loss`."
)
@says("Metrics and `compute_loss` are given them as they are.")
def test_labels_become_floats_on_the_way_to_a_loss() -> None:
    shows(
        "labels_as_floats",
        "Value passed to parameter 'indices' has DataType float32 not in list "
        "of allowed values: uint8, int8, int32, int64",
    )
    given: dict[str, Any] = {}

    def function(y: Any, y_pred: Any) -> Any:
        given["function"] = y.dtype
        return tf.reduce_mean(y_pred, -1)

    class Called(tf.keras.losses.Loss):
        def call(self, y: Any, y_pred: Any) -> Any:
            given["call"] = y.dtype
            return tf.reduce_mean(y_pred, -1)

    def metric(y: Any, y_pred: Any) -> Any:
        given["metric"] = y.dtype
        return tf.reduce_mean(y_pred, -1)

    class Metric(tf.keras.metrics.Mean):
        def update_state(self, y: Any, y_pred: Any, **_: Any) -> None:
            given["update_state"] = y.dtype

    class Own(tf.keras.Sequential):
        def compute_loss(self, x: Any, y: Any, *rest: Any, **more: Any) -> Any:
            given["compute_loss"] = y.dtype
            return super().compute_loss(x, y, *rest, **more)

    for loss in (function, Called()):
        model = Own([tf.keras.layers.Dense(3)])
        model.compile("sgd", loss, metrics=[metric, Metric()])
        for dtype in ("int32", "int64", "uint8", "float64"):
            model.fit(X[:4], NUMBERS.astype(dtype), verbose=0)
            for name in ("metric", "update_state", "compute_loss"):
                assert given.pop(name) == tf.as_dtype(dtype) or dtype[0] == "f"
            [(_, handed)] = given.items()
            assert handed == tf.float32
            given.clear()


@says(
    "With `run_eagerly=True` the words are `Value for attr 'TI' of float is "
    "not in the list of allowed values`, and "
    "`tf.nn.sparse_softmax_cross_entropy_with_logits` says `'labels'` in "
    "place of `'indices'`."
)
@says("Return the same, for labels that Keras has made floats.")
@says(
    "The `tf.reshape` is for labels in a column. Of these `tf.one_hot` makes "
    "one axis more, and the difference would be that of [all pairs of "
    "rows](traps.md#2-a-row-against-a-column), without a message."
)
def test_labels_are_cast_back() -> None:
    refused = tf.errors.InvalidArgumentError
    sparse = tf.nn.sparse_softmax_cross_entropy_with_logits
    eager = "Value for attr 'TI' of float is not in the list of allowed values"
    graph = "Value passed to parameter 'labels' has DataType float32"
    for loss, run_eagerly, error, message in (
        (brier, True, refused, eager),
        (sparse, False, TypeError, graph),
    ):
        model = tf.keras.Sequential([tf.keras.layers.Dense(3)])
        model.compile("sgd", loss, run_eagerly=run_eagerly)
        with pytest.raises(error, match=message):
            model.fit(X[:4], NUMBERS, verbose=0)
    losses = brier(NUMBERS, ALIKE)
    assert losses.shape == (4,)
    column = NUMBERS[:, np.newaxis]
    for labels in (NUMBERS, column):
        floats = tf.cast(labels, tf.float32)
        np.testing.assert_array_equal(brier_of_floats(floats, ALIKE), losses)
    assert brier(column, ALIKE).shape == (4, 4)  # all pairs
    assert tf.one_hot(column, 3).shape == (4, 1, 3)
    by_hand, _ = printed(NAME, "labels_as_floats").split("\n", 1)
    shown = [by_hand, *printed(NAME, "labels_cast").split("\n")]
    # A third for each class: (2 / 3)^2 + 2 (1 / 3)^2.
    assert [numbers(line) for line in shown] == [
        [pytest.approx(2 / 3, abs=1e-4)]
    ] * 3
    traps = (DOCS / "traps.md").read_text("utf-8")
    assert "\n## 2. A row against a column\n" in traps


# Variables as keys


@says("unhashable type: 'Variable', and Variable is unhashable")
@says("`unhashable type: 'Variable'` | [A key] … unhashable)")
@says(
    "TensorFlow's own variables say `Variable is unhashable. Instead, use "
    "variable.ref() as the key`."
)
@says("Those of Keras 3 have no `ref`, and no names of their own, either:")
@says("By such names two of four would be lost.")
@says(
    'And whoever looks for `"batch_normalization" in variable.name` finds '
    "nothing, in silence."
)
@says("The layers stand in the `path`.")
@says(
    "**The check** is the last line, for two layers of one name can have one "
    "path. Nor ask … compares numbers."
)
@says(
    "It says `The truth value of an array with more than one element is "
    "ambiguous` or `Incompatible shapes`, and of single numbers that are "
    "equal a wrong yes."
)
@says("Ask `any(variable is other for other in variables)`.")
def test_variables_are_no_keys() -> None:
    shows("unhashable", "unhashable type: 'Variable'")
    own = tf.Variable([1.0, 2.0])
    with pytest.raises(TypeError, match="Variable is unhashable"):
        _ = {own: 1}
    assert {own.ref(): 1}
    layers = tf.keras.layers
    parts = [layers.Dense(2), layers.BatchNormalization(), layers.Dense(2)]
    model = tf.keras.Sequential([tf.keras.Input((1,)), *parts])
    variables = model.trainable_variables
    assert not hasattr(variables[0], "ref")
    assert printed(NAME, "names_repeat") == "4 variables, 2 names"
    paths = "['model/one/bias', 'model/one/kernel', 'model/two/bias', "
    assert printed(NAME, "paths_differ") == paths + "'model/two/kernel']"
    assert "assert len(paths) == len" in BLOCKS["paths_differ"].code
    assert not any("batch_normalization" in v.name for v in variables)
    assert sum("batch_normalization" in v.path for v in variables) == 2
    first, second = (tf.keras.Variable([1.0, number]) for number in (2.0, 3.0))

    class Two(tf.keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = (layers.Dense(1, name="d") for _ in range(2))

        def call(self, x: tf.Tensor) -> tf.Tensor:
            return self.two(self.one(x))

    two = Two()
    two(X)
    assert len(two.variables) == 4
    assert len({v.path for v in two.variables}) == 2
    for variable, error, message in (
        (first, ValueError, "The truth value of an array with more than one"),
        (tf.keras.Variable(np.ones(3)), tf.errors.InvalidArgumentError, "Inc"),
    ):
        with pytest.raises(error, match=message):
            _ = variable in [second]
        assert not any(variable is other for other in [second])
    zeros = [tf.keras.Variable([0.0]) for _ in range(2)]
    assert zeros[0] in zeros[1:]
    assert not any(zeros[0] is other for other in zeros[1:])


# What has no block of its own


@says(
    "`'NoneType' object is not callable` says that a function did not return "
    "the model that it made."
)
@says(
    "Where it is the model's `call` that lacks its `return`, `fit` says `None "
    "values not supported`."
)
def test_a_return_that_is_missing() -> None:
    def make_model() -> Any:
        KerasLinearModel()

    model = make_model()
    with pytest.raises(TypeError, match="'NoneType' object is not callable"):
        model(X)

    class Forgetful(KerasLinearModel):
        def call(self, x: tf.Tensor) -> Any:
            super().call(x)

    forgetful = Forgetful()
    forgetful.compile("sgd", "mse")
    with pytest.raises(ValueError, match="None values not supported"):
        forgetful.fit(X, Y, verbose=0)


@says("EagerTensor object has no attribute 'astype', 'reshape' or 'T'")
@says("These are methods of arrays.")
@says(
    "In place of `x.astype`, `x.reshape`, `x.T` and `x.size` take `tf.cast`, "
    "`tf.reshape`, `tf.transpose` and `tf.size`, and `tf.reduce_mean(x)` in "
    "place of `x.mean()`."
)
@says("(Of whole numbers the mean is a whole one then, so cast them before.)")
@says("So the gradient is kept, which `x.numpy()` loses.")
@says("Python's `round(x)` says it of `astype`, too: take `tf.round`.")
@says("A `SymbolicTensor` is the same in a graph.")
def test_methods_of_arrays() -> None:
    array = np.arange(6.0, dtype="float32").reshape(2, 3)
    x = tf.constant(array)
    symbolic = []
    for name, new, old in (
        ("astype", lambda x: tf.cast(x, tf.float64), array.astype("float64")),
        ("reshape", lambda x: tf.reshape(x, (3, 2)), array.reshape(3, 2)),
        ("T", tf.transpose, array.T),
        ("size", tf.size, array.size),
        ("mean", tf.reduce_mean, array.mean()),
    ):
        words = f"EagerTensor'? object has no attribute '{name}'"
        with pytest.raises(AttributeError, match=words):
            getattr(x, name)
        assert hasattr(array, name)
        np.testing.assert_array_equal(new(x), old)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            total = tf.reduce_sum(tf.cast(new(x), tf.float32))
            lost = tf.reduce_sum(x.numpy())
        assert (tape.gradient(total, x) is None) == (name == "size")
        assert tape.gradient(lost, x) is None

        def ask(x: tf.Tensor, name: str = name) -> None:
            with pytest.raises(
                AttributeError,
                match=f"SymbolicTensor'? object has no attribute '{name}'",
            ):
                getattr(x, name)
            symbolic.append(name)

        tf.function(ask, autograph=False)(x)
    assert len(symbolic) == 5
    with pytest.raises(AttributeError, match="no attribute 'astype'"):
        round(tf.constant(1.7))
    assert float(tf.round(1.7)) == 2.0
    whole = tf.constant([1, 2])
    assert float(tf.reduce_mean(whole)) == 1 != np.mean(whole)
    assert float(tf.reduce_mean(tf.cast(whole, tf.float32))) == np.mean(whole)


@says(
    "To be compatible with tf.function, Python functions must return Tensors"
)
@says(
    "More exactly: `must return zero or more Tensors or ExtensionTypes or "
    "None values`."
)
@says(
    "Numbers, arrays, lists and dictionaries of them are all right; a model, "
    "an optimizer or a metric is not."
)
@says("In a `train_step` it is mostly a metric: return `metric.result()`.")
def test_what_a_compiled_function_may_return() -> None:
    metric = tf.keras.metrics.Mean()
    right = (1.0, np.ones(2), [1.0, tf.ones(2)], {"loss": tf.ones(2)}, None)
    for value in right:
        tf.function(lambda value=value: value)()
    words = (
        "To be compatible with tf.function, Python functions must return zero "
        "or more Tensors or ExtensionTypes or None values"
    )
    for value in (KerasLinearModel(), SGD(), metric, {"loss": metric}):
        with pytest.raises(TypeError, match=words):
            tf.function(lambda value=value: value)()

    class Returning(KerasLinearModel):
        told: Any = metric

        def train_step(self, data: Any) -> dict[str, Any]:
            return {"mean": self.told}

    model = Returning()
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match=words):
        model.fit(X, Y, verbose=0)
    model = Returning()
    model.compile("sgd", "mse")
    model.told = metric.result()
    model.fit(X, Y, verbose=0)


@says("unsupported format string passed to numpy.ndarray.__format__")
@says(
    '`f"{loss:.2f}"` wants one number, and this loss has one for each row: '
    "[take the "
    "mean](weights_outputs_losses.md#a-loss-per-row-the-loss-explodes)."
)
@says(
    "`float(loss)` says `only 0-dimensional arrays can be converted to Python "
    "scalars`."
)
@says(
    "In a graph it is `SymbolicTensor.__format__`: there a tensor has no "
    "number, so [print with "
    "`tf.print`](watch_a_training.md#print-in-a-compiled-step)."
)
@says("Of a metric format its `result()`.")
@says(
    "(`json.dump` is as strict: `Object of type EagerTensor is not JSON "
    "serializable`. Keep `float(loss)` in a history.)"
)
def test_what_is_formatted_is_one_number() -> None:
    loss = tf.keras.losses.mse(X, Y)
    assert loss.shape == (201,)
    words = "unsupported format string passed to "
    with pytest.raises(TypeError, match=words + "numpy.ndarray.__format__"):
        f"{loss:.2f}"
    with pytest.raises(TypeError, match="only 0-dimensional arrays can be co"):
        float(loss)
    assert float(f"{tf.reduce_mean(loss):.2f}") > 0
    told = []

    def ask(x: tf.Tensor) -> None:
        with pytest.raises(TypeError, match=words + "SymbolicTensor.__forma"):
            f"{x:.2f}"
        told.append(x)

    tf.function(ask, autograph=False)(tf.constant(1.0))
    assert len(told) == 1
    metric = tf.keras.metrics.Mean()
    with pytest.raises(TypeError, match=words + "Mean.__format__"):
        f"{metric:.2f}"
    assert f"{metric.result():.2f}" == "0.00"
    history = {"loss": [tf.reduce_mean(loss)]}
    with pytest.raises(TypeError, match="EagerTensor is not JSON serializa"):
        json.dumps(history)
    assert json.dumps({"loss": [float(history["loss"][0])]})


@says("property 'metrics' of a model has no setter")
@says(
    "A Keras model has these names already: `metrics`, `losses`, `weights`, "
    "`variables`, `input`, `output`, `layers`, `dtype` and `path`."
)
@says("Choose another. `self.loss` and … taken without a word, and … them.")
def test_names_that_a_model_has() -> None:
    names = "metrics losses weights variables input output layers dtype path"
    for name in names.split():
        words = f"property '{name}' of 'KerasLinearModel' object has no setter"
        if name == "layers":
            words = "`Model.layers` attribute is reserved"
        with pytest.raises(AttributeError, match=words):
            setattr(KerasLinearModel(), name, [])
    model = KerasLinearModel()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.loss, model.optimizer = "mine", "mine"
        model.compile("sgd", "mse")
    assert model.loss == "mse"
    assert isinstance(model.optimizer, SGD)


@says(
    "Strings are no numbers, either. An array of them is refused as `Invalid "
    "dtype: str32` or the like, and a dataset of them with `Cast string to "
    "float is not supported`: `tf.strings.to_number` makes numbers of them, "
    "and of names of classes `names, y = np.unique(y, return_inverse=True)`."
)
@says(
    "Nor has it places or a shape, `'_BatchDataset' object is not "
    "subscriptable`: its first batch is `next(iter(dataset))`."
)
def test_strings_and_places() -> None:
    strings = np.array([["1"], ["2"]])
    dataset = tf.data.Dataset.from_tensor_slices((strings, Y[:2])).batch(2)
    for data, error, words in (
        ((strings, Y[:2]), ValueError, "Invalid dtype: str32"),
        (
            (dataset,),
            tf.errors.UnimplementedError,
            "Cast string to float is not supported",
        ),
    ):
        model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        with pytest.raises(error, match=words):
            model.fit(*data, shuffle=False, verbose=0)
    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(tf.strings.to_number(strings), Y[:2], verbose=0)
    names, y = np.unique(np.array(["b", "a", "b"]), return_inverse=True)
    assert names.tolist() == ["a", "b"]
    assert y.tolist() == [1, 0, 1]
    with pytest.raises(TypeError, match="'_BatchDataset' object is not subs"):
        dataset[0]
    with pytest.raises(AttributeError, match="no attribute 'shape'"):
        _ = dataset.shape
    x, _ = next(iter(dataset))
    assert x.shape == (2, 1)


@says("In the log: `loss: 0.0000e+00`, by a `train_step` | [The log] … else)")
def test_a_log_of_zeros() -> None:
    class Returning(KerasLinearModel):
        def train_step(self, data: Any) -> dict[str, Any]:
            x, y = data
            return {"loss": tf.reduce_mean(tf.square(y - self(x)))}

    model = Returning()
    model.compile("sgd", "mse")
    assert model.fit(X, Y, verbose=0).history == {"loss": [0.0]}
    traps = " ".join((DOCS / "traps.md").read_text("utf-8").split())
    assert "and that is 0 if nothing has updated it" in traps


# The batch size is None


def trains(model: Noisy, data: Any, **options: Any) -> bool:
    """Tell whether a model trains on such batches, or says what it should."""
    model.compile("sgd", "mse", run_eagerly=options.pop("run_eagerly", False))
    refusal = ""
    try:
        model.fit(*data, shuffle=False, verbose=0, **options)
    except ValueError as error:
        refusal = str(error)
    words = "Cannot convert a partially known TensorShape (None, 1)"
    assert not refusal or words in refusal
    return not refusal


@says("`Cannot convert a partially known TensorShape` | [The batch] … none)")
@says("The last batch has 73 rows, not 128.")
@says(
    "So `fit` makes one graph for batches of any size, and while it is made, "
    "`x.shape` is `(None, 1)`."
)
@says(
    "Where rows and batches fit together, with 256 rows here, the size is "
    "known, and nothing is raised."
)
@says(
    "(The `batch` of a `tf.data.Dataset` has to be told `drop_remainder=True` "
    "for that.)"
)
@says("`run_eagerly=True` hides the mistake, for each batch then has a size.")
@says("A line whose inputs are shaken while it is trained.")
def test_the_batch_size_is_none() -> None:
    shows("partly_known", "convert a partially known TensorShape (None, 1)")
    assert 201 - 128 == 73
    assert not trains(Noisy(), (X, Y), batch_size=128)
    x, y = (tf.concat([rows, rows[:55]], 0) for rows in (X, Y))
    assert trains(Noisy(), (x, y), batch_size=128)
    assert not trains(Noisy(), (X[:100], Y[:100]), batch_size=128)
    rows = tf.data.Dataset.from_tensor_slices((x, y))
    assert not trains(Noisy(), (rows.batch(128),))
    assert trains(Noisy(), (rows.batch(128, drop_remainder=True),))
    assert trains(Noisy(), (X, Y), batch_size=128, run_eagerly=True)
    for data in ((X, Y), (rows.batch(100),)):
        assert trains(NoisyTensor(), data)
    assert printed(NAME, "asked_when_it_runs") == "nothing"


@says("There are other words for it:")
@says(
    "`Failed to convert elements of (None, 1) to Tensor` | [The batch] … none)"
)
@says(
    "In a `call`: `len is not well defined for a symbolic Tensor` | [The … "
    "none)"
)
@says(
    "And `len(x)` says `len is not well defined for a symbolic Tensor` in a "
    "`call` or a `train_step`."
)
@says("Ask for the shape when the step runs, by `tf.shape`.")
@says("`tf.shape(x)[0]` is the number of rows, a tensor.")
@says("To divide by it, cast it to the type of `x`.")
@says(
    "Often none is needed: `tf.zeros_like(x)`, `tf.reduce_mean`, and -1 for "
    "one number in `tf.reshape`."
)
@says("Return the error of a call in a graph for any number of rows.")
def test_other_words_for_a_batch_size_that_is_none() -> None:
    said_of = printed(NAME, "other_words").split("\n")
    for line, words in zip(
        said_of,
        (
            "TypeError: Failed to convert elements of (None, 1) to Tensor.",
            "TypeError: Expected int32, but got None of type 'NoneType'.",
            "ValueError: None values not supported.",
            "TypeError: 'NoneType' object cannot be interpreted as an integer",
        ),
        strict=True,
    ):
        assert line.startswith(words)

    class Counting(KerasLinearModel):
        def call(self, x: tf.Tensor) -> tf.Tensor:
            return super().call(x) + tf.zeros((len(x), 1))

    class CountingStep(KerasLinearModel):
        def train_step(self, data: Any) -> dict[str, Any]:
            return {"rows": len(data[0])}

    for kind in (Counting, CountingStep):
        model = kind()
        model.compile("sgd", "mse")
        with pytest.raises(TypeError, match="len is not well defined for a s"):
            model.fit(X, Y, batch_size=128, verbose=0)

    def rows_of(x: tf.Tensor) -> tf.Tensor:
        rows = tf.shape(x)[0]
        assert tf.is_tensor(rows)
        return rows

    uncast = in_a_graph(lambda x: tf.reduce_sum(x) / tf.shape(x)[0], X)
    assert uncast.startswith("TypeError: `x` and `y` must have the same dtype")
    any_rows = [tf.TensorSpec([None, 1])]
    for call, due in (
        (rows_of, 201),
        (lambda x: tf.reduce_sum(x) / tf.cast(rows_of(x), x.dtype), 0.0),
        (tf.reduce_mean, 0.0),
        (lambda x: tf.shape(tf.reshape(x, (-1, 1)))[0], 201),
        (lambda x: tf.shape(tf.zeros_like(x))[0], 201),
    ):
        found = tf.function(call, input_signature=any_rows)(X)
        assert float(found) == pytest.approx(due, abs=1e-6)


@says(
    "While a functional model is built, it happens within `Could not "
    "automatically infer the output shape`, and outside of a layer noise says "
    "`Attempt to convert a value (None) with an unsupported type`."
)
@says("Put it into the `call` of a layer.")
def test_a_batch_size_in_a_functional_model() -> None:
    class Shaken(tf.keras.layers.Layer):
        def __init__(self, shape: Any) -> None:
            super().__init__()
            self.shape = shape

        def call(self, x: tf.Tensor) -> tf.Tensor:
            return x + tf.random.normal(self.shape(x))

    inputs = tf.keras.Input((1,))
    for shape in (lambda x: x.shape, lambda x: (x.shape[0], 1)):
        words = "Could not automatically infer the output shape"
        with pytest.raises((TypeError, ValueError), match=words):
            Shaken(shape)(inputs)
        with pytest.raises(
            ValueError, match=r"Attempt to convert a value \(None\) with an un"
        ):
            tf.random.normal(shape(inputs))
    outputs = tf.keras.layers.Dense(1)(Shaken(tf.shape)(inputs))
    model = tf.keras.Model(inputs, outputs)
    assert trains(model, (X, Y), batch_size=128)


# The exercises


@says("Return the pairs as a list, or say what is wrong with them.")
def test_pairs_are_checked() -> None:
    w = tf.Variable(1.0)
    good = [(tf.constant(1.0), w)]
    assert check_pairs(iter(good)) == good
    with pytest.raises(ValueError, match="no pairs"):
        check_pairs([])
    with pytest.raises(TypeError, match="where a variable belongs"):
        check_pairs([(w, tf.constant(1.0))])
    with pytest.raises(ValueError, match="a gradient is None"):
        check_pairs([(None, w)])


@says("Return how far the slope of the model at each x is from 1, squared.")
@says("The slope of the line is its weight `#!math w`, for every `x`.")
@says(
    "So the penalty is `#!math (w - 1)^2`, and its gradient "
    "`#!math 2 \\, (w - 1)`."
)
@says(
    "What is its gradient with respect to the weight of the line, which is 5?"
)
def test_the_gradient_penalty() -> None:
    printed_now = numbers(printed(NAME, "exercise_penalty"))
    assert printed_now == [(5 - 1) ** 2, 2 * (5 - 1)]
    model = KerasLinearModel()
    for weight in (0.5, 3.0):
        model.w.assign(weight)
        with tf.GradientTape() as tape:
            penalty = slope_penalty(model, X)
        assert float(penalty) == pytest.approx((weight - 1) ** 2)
        gradient = tape.gradient(penalty, model.w)
        assert float(gradient) == pytest.approx(2 * (weight - 1))


@says("Of rows with several numbers this takes each slope by itself.")
@says(
    "A WGAN takes the length of them, `tf.norm(tape.gradient(total, x), "
    "axis=1)`, which needs [some care where it is "
    "0](not_a_number.md#loss-nan-after-the-first-epoch-the-gradient-is-nan)."
)
def test_a_penalty_on_the_length_of_a_slope() -> None:
    rows = tf.random.stateless_normal((5, 3), (0, 1))
    for weight in (1.0, 0.0):
        start = tf.keras.initializers.Constant(weight)
        dense = tf.keras.layers.Dense(1, kernel_initializer=start)
        model = tf.keras.Sequential([tf.keras.Input((3,)), dense])
        by_slopes = float(slope_penalty(model, rows))
        assert by_slopes == pytest.approx((weight - 1.0) ** 2)
        with tf.GradientTape() as outer:
            with tf.GradientTape() as tape:
                tape.watch(rows)
                total = tf.reduce_sum(model(rows, training=True))
            lengths = tf.norm(tape.gradient(total, rows), axis=1)
            penalty = tf.reduce_mean(tf.square(lengths - 1.0))
        due = (weight * np.sqrt(3.0) - 1.0) ** 2
        assert float(penalty) == pytest.approx(due, rel=1e-5)
        slopes = outer.gradient(penalty, dense.kernel).numpy()
        assert np.isfinite(slopes).all() == (weight > 0.0)
    nan = " ".join((DOCS / "not_a_number.md").read_text("utf-8").split())
    assert "The gradient penalty of a WGAN has such a root" in nan


# The heading of an error in a graph


@says(
    "`InvalidArgumentError: Graph execution error` is the heading of a long "
    "message, not its cause."
)
@says("Here `fit` meets a label that no class has, and its message is taken")
@says("Return the lines that fit says of a label that is out of range.")
@says(
    "The last line, or the last few, have the name of an operation, `node`, "
    "and what stands above them says what is wrong: search for that."
)
@says(
    "What stands between is where the operation was made, and the last of the "
    "files is the nearest: here it is the loss, so it is about labels."
)
def test_where_a_graph_error_says_what() -> None:
    lines = graph_error()
    assert len(lines) > 10
    head, _, cause = printed(NAME, "whole_message").split("\n")
    assert [head, cause] == [lines[0], lines[-2]]
    assert head == "Graph execution error:"
    assert "outside the valid range" in cause
    assert "node" in lines[-1]
    files = [line for line in lines if line.lstrip().startswith("File ")]
    assert files[-1].endswith("in sparse_categorical_crossentropy")
    order = [lines.index(files[0]), lines.index(files[-1]), len(lines) - 2]
    assert order == sorted(order)


@says("The last line, or the last few, have the name of an operation, `node`,")
def test_a_graph_error_with_several_last_lines() -> None:
    def generate() -> Any:
        yield np.ones(2), 1.0
        raise ValueError("mine")

    shapes = tf.TensorSpec((2,)), tf.TensorSpec(())
    data = tf.data.Dataset.from_generator(generate, output_signature=shapes)
    layers = [tf.keras.Input((2,)), tf.keras.layers.Dense(1)]
    model = tf.keras.Sequential(layers)
    model.compile("sgd", "mse")
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        model.fit(data.batch(2), verbose=0)
    head, *lines = caught.value.message.split("\n")
    assert head == "Graph execution error:"
    *_, cause, node, last = filter(str.strip, lines)
    assert cause == "ValueError: mine"
    assert "node PyFunc" in node
    assert "IteratorGetNext" in last


@says("Then the heading is gone, and a debugger stops at the line.")
def test_run_eagerly_the_heading_is_gone() -> None:
    assert printed(NAME, "eager_message") == "lines: 1"
    [line] = graph_error(run_eagerly=True)
    assert "Graph execution error" not in line
    assert "outside the valid range" in line
    stops: list[bool] = []

    def loss(y: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        stops.append(tf.executing_eagerly())
        return tf.reduce_mean(y_pred)

    for eagerly in (True, False):
        model = tf.keras.Sequential([tf.keras.Input((1,))])
        model.add(tf.keras.layers.Dense(1))
        model.compile("sgd", loss, run_eagerly=eagerly)
        stops.clear()
        model.fit(X[:2], Y[:2], verbose=0)
        assert set(stops) == {eagerly}


@says(
    "`missing 1 required positional argument: 'grads_and_vars'` comes of a "
    "class in place of an optimizer: write `Adam()`, not `Adam`."
)
@says(
    "And `'tuple' object has no attribute 'apply_gradients'` comes of a "
    "function that returns an optimizer and something else, such as its "
    "schedule: take the two apart."
)
def test_what_is_no_optimizer() -> None:
    def make() -> Any:
        rate = tf.keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
        return tf.keras.optimizers.Adam(rate), rate

    w = tf.keras.Variable(0.0)
    pairs = [(tf.constant(1.0), w)]
    words = "missing 1 required positional argument: 'grads_and_vars'"
    wrong: Any = tf.keras.optimizers.Adam
    with pytest.raises(TypeError, match=words):
        wrong.apply_gradients(pairs)
    words = "'tuple' object has no attribute 'apply_gradients'"
    with pytest.raises(AttributeError, match=words):
        make().apply_gradients(pairs)
    optimizer, _ = make()
    optimizer.apply_gradients(pairs)
    assert float(w) < 0


@says("`(None) with an unsupported type`, of a gradient | [`None`]")
@says("Attempt to convert a value (None) with an unsupported type")
@says(
    "Of a gradient that is `None` an eager step says so where it adds "
    "gradients up, `total.assign_add(gradient)`, or measures one, "
    "`tf.norm(gradient)`."
)
@says(
    "Compiled, it says `None values not supported`; `gradient / 2` says "
    "`unsupported operand type(s) for /: 'NoneType' and 'int'` in both."
)
@says(
    "Which weights of Keras it is, you read from `[v.path for g, v in "
    "zip(gradients, variables) if g is None]`."
)
@says("Then look for [the way that is missing](foundations … none).")
def test_what_is_done_with_a_gradient_that_is_none() -> None:
    model = KerasLinearModel()
    variables = model.trainable_variables
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(X) * model.w.value
    gradients = tape.gradient(loss, variables)
    assert gradients[1] is None
    gradient: Any = gradients[1]
    unused = [v.path for g, v in zip(gradients, variables) if g is None]  # noqa: B905
    assert unused == [model.b.path]
    total = tf.Variable(0.0)
    uses = (lambda: total.assign_add(gradient), lambda: tf.norm(gradient))
    eager = re.escape("Attempt to convert a value (None) with an unsupported")
    for use in uses:
        for message, call in (
            (eager, use),
            ("None values not supported", tf.function(use, autograph=False)),
        ):
            with pytest.raises(ValueError, match=message):
                call()
    message = re.escape("for /: 'NoneType' and 'int'")
    for halve in (lambda: gradient / 2, tf.function(lambda: gradient / 2)):
        with pytest.raises(TypeError, match=message):
            halve()


@says("`object does not support item assignment` | [One value]")
@says("object does not support item assignment")
@says("`x[0] = 3.0` is for arrays.")
@says(
    "A tensor never changes: `tf.tensor_scatter_nd_update(x, [[0]], [3.0])` "
    "returns a new one, and keeps the gradient of the rest."
)
@says(
    "Of a variable, a `tf.Variable` (`'ResourceVariable'`) or a weight of "
    "Keras (`'Variable'`), say `variable[0].assign(3.0)`."
)
def test_one_value_of_a_tensor_or_a_variable() -> None:
    message = "object does not support item assignment"
    x, own = tf.constant([1.0, 2.0]), tf.Variable([1.0, 2.0])
    weight = tf.keras.Variable([1.0, 2.0])
    array, rows = np.array([1.0, 2.0]), [1.0, 2.0]
    array[0] = rows[0] = 3.0
    assert [*array] == rows == [3.0, 2.0]
    named: Any
    for named, name in (
        (x, "EagerTensor"),
        (own, "'ResourceVariable'"),
        (weight, "'Variable'"),
    ):
        with pytest.raises(TypeError, match=f"{name}.* {message}"):
            named[0] = 3.0
    with tf.GradientTape() as tape:
        tape.watch(x)
        new = tf.tensor_scatter_nd_update(x, [[0]], [3.0])
        loss = tf.reduce_sum(2 * new)
    assert [*new.numpy()] == [3.0, 2.0]
    assert [*x.numpy()] == [1.0, 2.0]
    assert [*tape.gradient(loss, x).numpy()] == [0.0, 2.0]
    for variable in (own, weight):
        variable[0].assign(3.0)
        assert [*variable.numpy()] == [3.0, 2.0]


@says("`The truth value of an array` … `is ambiguous` | [Several numbers]")
@says("The truth value of an array with more than one element is ambiguous")
@says(
    "Outside of a graph a tensor of one number is a bool, and one of several "
    "is not."
)
@says("Say `tf.reduce_all(x > 0)` or `tf.reduce_any(x > 0)`.")
@says(
    "Where `rows` holds such tensors, `x in rows`, `rows.index(x)` and "
    "`rows.remove(x)` say it, too, unless the first is `x` itself."
)
def test_the_truth_of_several_numbers() -> None:
    message = "The truth value of an array with more than one element is amb"
    x, other = tf.constant([1.0, -1.0]), tf.constant([2.0, 2.0])
    assert tf.constant(1.0) > 0
    assert tf.constant([1.0]) > 0
    assert not tf.reduce_all(x > 0)
    assert tf.reduce_any(x > 0)
    rows = [other, x]
    for compare in (
        lambda: bool(x > 0),
        lambda: x in rows,
        lambda: rows.index(x),
        lambda: rows.remove(x),
    ):
        with pytest.raises(ValueError, match=message):
            compare()
    rows = [x, other]
    assert x in rows
    assert rows.index(x) == 0
    rows.remove(x)
    assert len(rows) == 1


@says(
    "`a return statement cannot be placed inside this TensorFlow loop` | "
    "[A loop]"
)
@says(
    "After an `if`, `break` works in all these loops, and `return` in none: "
    "`a return statement cannot be placed inside this TensorFlow loop`."
)
def test_a_way_out_of_a_loop_in_a_graph() -> None:
    def broken(rows: Any) -> Any:
        total = tf.constant(0.0)
        for row in rows:
            total += row
            if total > 2.0:
                break
        return total

    def returned(rows: Any) -> Any:
        total = tf.constant(0.0)
        for row in rows:
            total += row
            if total > 2.0:
                return total
        return total

    numbers = tf.range(1.0, 5.0)
    data = tf.data.Dataset.from_tensor_slices(numbers)
    message = "a return statement cannot be placed inside this TensorFlow loop"
    makers: list[Any] = [lambda: numbers, lambda: data, lambda: iter(data)]
    for make in makers:
        assert float(tf.function(broken)(make())) == 3.0
        with pytest.raises(NotImplementedError, match=message):
            tf.function(returned)(make())


@says(
    "If only one branch returns, it says `the else branch must also have a "
    "return statement`."
)
def test_one_branch_returns() -> None:
    def one(value: Any) -> Any:  # noqa: RET503
        if value > 0.0:
            return value

    def both(value: Any) -> Any:
        if value > 0.0:
            return value
        return -value

    message = "the else branch must also have a return statement"
    with pytest.raises(ValueError, match=message):
        tf.function(one)(tf.constant(1.0))
    assert float(tf.function(both)(tf.constant(-1.0))) == 1.0


@says("In `predict`: `cannot access local variable 'batch_outputs'` | [No")
@says("cannot access local variable 'batch_outputs'")
@says(
    "It is an `UnboundLocalError` of `predict`, which was given no batch: an "
    "array without rows, or a dataset that a `filter` or "
    "`drop_remainder=True` left empty."
)
@says(
    "Of no batch `fit` warns that your input ran out of data, and `evaluate` "
    "returns `[]`."
)
def test_predict_of_no_batch() -> None:
    data = tf.data.Dataset.from_tensor_slices((X[:3], Y[:3]))
    filtered = data.filter(lambda x, y: x[0] > 1e9).batch(2)
    dropped = data.batch(4, drop_remainder=True)
    model = KerasLinearModel()
    model.compile("sgd", "mse", metrics=["mae"])
    for inputs in (X[:0], filtered, dropped):
        with pytest.raises(UnboundLocalError, match="variable 'batch_outputs"):
            model.predict(inputs, verbose=0)
    for empty in (filtered, dropped):
        with pytest.warns(UserWarning, match="Your input ran out of data"):
            model.fit(empty, shuffle=False, verbose=0)
        assert model.evaluate(empty, verbose=0) == []


class Bare(tf.keras.utils.PyDataset):
    """Two batches, whose class does not call that of Keras."""

    def __init__(self) -> None:
        pass

    def __len__(self) -> int:
        return 2

    def __getitem__(self, n: int) -> Any:
        return X[:2], Y[:2]


@says(
    "`Your PyDataset class should call super().__init__(**kwargs) in its "
    "constructor` is a warning: without that call there are no `workers` but "
    "one."
)
@says("`fit` itself takes no `workers` any more; hand them to your class.")
def test_a_py_dataset_without_super() -> None:
    class Called(Bare):
        def __init__(self, **options: Any) -> None:
            tf.keras.utils.PyDataset.__init__(self, **options)

    model = KerasLinearModel()
    model.compile("sgd", "mse")
    rows = Bare()
    with pytest.warns(UserWarning, match=r"should call `super\(\).__init__\("):
        model.fit(rows, verbose=0)
    assert rows.workers == 1
    assert int(model.optimizer.iterations) == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Called(workers=3).workers == 3
    with pytest.raises(TypeError, match="argument 'workers'"):
        model.fit(rows, workers=3)


@says(
    "If the last axis alone is unknown, as in `Input((None,))` or a signature "
    "of `(None, None)`, a `Dense` that is not built says `Shapes used to "
    "initialize variables must be fully-defined`, where it once said `The "
    "last dimension of the inputs to Dense should be defined. Found None`."
)
@says("Write the number of columns.")
def test_a_dense_without_a_number_of_columns() -> None:
    message = "Shapes used to initialize variables must be fully-defined"
    layers = tf.keras.layers
    with pytest.raises(ValueError, match=message):
        layers.Dense(1)(tf.keras.Input((None,)))

    def signed(columns: int | None) -> tf.data.Dataset:
        rows = tf.TensorSpec((None, columns)), tf.TensorSpec((None, 1))
        return tf.data.Dataset.from_generator(
            lambda: iter([(X[:2], Y[:2])]), output_signature=rows
        )

    model = tf.keras.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=message):
        model.fit(signed(None), shuffle=False, verbose=0)
    model = tf.keras.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(signed(1).repeat(), steps_per_epoch=1, shuffle=False, verbose=0)
    old = importlib.import_module("tensorflow.python.keras.layers")
    message = "The last dimension of the inputs to `Dense` should be defined"
    with pytest.raises(ValueError, match=message):
        old.Dense(1)(old.Input((None,)))


@says("A number of rows that is written in holds until the last batch.")
@says(
    "There an eager step says `Input to reshape is a tensor with 73 values, "
    "but the requested shape has 128`."
)
def test_a_number_of_rows_in_a_reshape() -> None:
    first, last = X[:128], X[128:]
    assert tf.reshape(first, (128, 1)).shape == first.shape
    message = "a tensor with 73 values, but the requested shape has 128"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        tf.reshape(last, (128, 1))
    assert tf.reshape(last, (-1, 1)).shape == last.shape
