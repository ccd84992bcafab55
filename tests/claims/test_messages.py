"""What the page on messages says is true."""

import importlib
import json
import math
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from snippets.batch_size_none import NoisyTensor, in_a_graph
from snippets.data import make_data
from snippets.errors_in_a_step import (
    Near,
    check_pairs,
    first_line,
    holding,
    make_rows,
)
from snippets.freeze_and_fine_tune import TwoLayers, WarmUp, WarmUpCast
from snippets.keras_model import KerasLinearModel
from snippets.loss import loss
from snippets.nan_sources import train_short
from snippets.saved_arguments import Kept, Scaled
from snippets.sequences_attention import leak
from snippets.weights_outputs_losses import (
    make_scales,
    mean_error,
    weighted_loss,
)
from tests.claims.says import printed, record, says
from tests.claims.sentences import DOCS, ROOT, read
from tools.compare import EXPECTED

NAME = "messages"
SOURCE = (DOCS / f"{NAME}.md").read_text("utf-8")
ITEMS = [
    " ".join(item.split())
    for item in re.findall(r"(?m)^- `([^`]+:[^`]+)`", SOURCE)
]
KIND = re.compile(r"\b([A-Z]\w*(?:Error|Warning)): ")
Refused = tf.errors.InvalidArgumentError
SGD = tf.keras.optimizers.SGD
X, Y = make_data()


def shown(page: str, section: str, kind: str, text: str) -> None:
    """Assert that a block shows a message, and is listed."""
    assert f"{page}:{section}" in ITEMS
    said = printed(page, section)
    assert kind in KIND.findall(said)
    assert text in " ".join(said.split())


@says(
    "Here is every error and every warning that a block of this site shows "
    "with the name of its kind, such as `ValueError`, as TensorFlow, Keras "
    "and Python word them today, each with what it means and a link to the "
    "block."
)
@says(
    "Every error and warning that a block on this site shows, with what it "
    "means for a training loop and the block that shows it and its mend."
)
@says(
    "The build makes this list from what the blocks of all other pages print."
)
def test_every_message_is_listed() -> None:
    messages = pytest.importorskip(
        "docs.overrides.messages", reason="there is no generator here"
    )
    said: dict[str, set[str]] = {}
    for page in {path.stem for path in DOCS.glob("*.md")} - {NAME}:
        if not (ROOT / EXPECTED / f"{page}.txt").exists():
            continue
        for name, text in record(page).items():
            section = re.sub(r"^\w+:(?=\w+$)", "", name)
            if text and (":" in name or name.startswith("python ")):
                found = [
                    message
                    for message in messages.SHOWN.finditer(text)
                    if message[2] != messages.GRAPH
                ]
                if found:
                    block = f"{page}:{' '.join(section.split())}"
                    said[block] = {f"{m[1]}: {m[2]}" for m in found}
    assert {*ITEMS} <= said.keys()
    told = {text for item in ITEMS for text in said[item]}
    assert {text for texts in said.values() for text in texts} == told


@says(
    "`basic_training_loops:shapes` A loss was given outputs and "
    "predictions of two shapes."
)
@says(
    "Subtracting them would have compared every output with every "
    "prediction; give both the same shape."
)
def test_two_shapes() -> None:
    shown("basic_training_loops", "shapes", "ValueError", "y is (201,), pred")
    assert (Y - Y[:, tf.newaxis]).shape == (201, 201)
    loss(Y, Y)


@says(
    "`basic_training_loops:rebind` The gradient is `None`, here because the "
    "name holds a tensor that the tape did not watch."
)
@says(
    "Update a variable in place with `assign_sub`; there are [other "
    "ways](foundations.md#six-ways-to-get-none) to get `None`."
)
def test_a_rebound_name() -> None:
    shown("basic_training_loops", "rebind", "TypeError", "'NoneType'")
    w = tf.Variable(1.0)
    kept = w
    w.assign_sub(0.5)
    assert w is kept
    for value, found in ((w, True), (tf.constant(1.0), False)):
        with tf.GradientTape() as tape:
            square = value * value
        assert (tape.gradient(square, value) is not None) is found
    foundations = (DOCS / "foundations.md").read_text("utf-8")
    assert "\n## Six ways to get None\n" in foundations


@says(
    "`basic_training_loops:stuck` Keras sees no variable of the model to "
    "train. They were made with `tf.Variable`, or all are frozen."
)
@says("Make them with `add_weight`, and freeze layers one by one.")
def test_variables_that_keras_does_not_see() -> None:
    text = "The model does not have any trainable weights"
    shown("basic_training_loops", "stuck", "UserWarning", text)

    class Hidden(tf.keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.w = tf.Variable(5.0)

        def call(self, x: Any) -> Any:
            return self.w * x

    frozen = KerasLinearModel()
    frozen.trainable = False
    for model in (Hidden(), frozen):
        assert not model.trainable_variables
        model.compile("sgd", "mse", run_eagerly=True)
        with pytest.warns(UserWarning, match=text):
            model.train_on_batch(X, Y)
    assert len(KerasLinearModel().trainable_variables) == 2


@says("`foundations:unchanging` A tensor never changes.")
@says("Make a new one, or keep what is to change in a `tf.Variable`.")
@says(
    "`foundations:wrong_shape` A variable keeps the shape that it "
    "was made with."
)
@says("Assign a value of that shape.")
def test_tensors_and_variables() -> None:
    shown("foundations", "unchanging", "TypeError", "item assignment")
    shown("foundations", "wrong_shape", "ValueError", "Shape mismatch")
    tensor: Any = tf.constant([1.0, 2.0])
    with pytest.raises(TypeError):
        tensor[0] = 3.0
    variable = tf.Variable(tensor)
    variable[0].assign(3.0)
    assert variable.numpy().tolist() == [3.0, 2.0]
    with pytest.raises(ValueError, match="Shape mismatch"):
        variable.assign([1.0, 2.0, 3.0])


@says(
    "`foundations:mismatch` Two tensors have shapes that cannot be "
    "broadcast against each other."
)
@says("Print both shapes; one axis is missing or turned.")
@says(
    "`foundations:mixed_types` Numbers of two types meet, usually `float64` "
    "from NumPy and `float32` variables."
)
@says("Cast the data once, with `tf.cast`.")
def test_shapes_and_types() -> None:
    shown("foundations", "mismatch", "InvalidArgumentError", "Incompatible")
    text = "to be a double tensor but is a float tensor"
    shown("foundations", "mixed_types", "InvalidArgumentError", text)
    with pytest.raises(Refused):
        tf.ones(4) + tf.ones(3)
    for one, other in (((4, 1), (3,)), ((4, 3), (3,))):
        tf.ones(one) + tf.ones(other)
    data, w = tf.constant(np.linspace(0.0, 1.0, 3)), tf.Variable(2.0)
    assert data.dtype == "float64"
    assert w.dtype == "float32"
    with pytest.raises(Refused):
        data * w
    tf.cast(data, tf.float32) * w


@says(
    "`foundations:some_none` The tape saw no way from these variables to the "
    "loss, so they are not trained."
)
@says(
    "There are [six ways](foundations.md#six-ways-to-get-none) to lose a "
    "gradient."
)
def test_some_gradients_are_missing() -> None:
    shown("foundations", "some_none", "UserWarning", "do not exist for")
    w, b = tf.Variable(3.0), tf.Variable(0.5)
    with tf.GradientTape() as tape:
        square = w * w
    gradients = tape.gradient(square, [w, b])
    assert gradients[1] is None
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        SGD(0.1).apply_gradients(zip(gradients, [w, b], strict=True))
    assert float(w) != 3.0
    assert float(b) == 0.5
    ways = re.findall(
        r"(?m)^### (\d)\. ", (DOCS / "foundations.md").read_text("utf-8")
    )
    assert ways == ["1", "2", "3", "4", "5", "6"]


@says(
    "`foundations:asked_twice` A tape lets go of what it saw when it is "
    "asked for gradients."
)
@says("Ask once for all, or make the tape with `persistent=True`.")
@says(
    "`foundations:all_none` The tape saw no way from any variable to the "
    "loss: it was computed outside of the tape, through NumPy, by rounding or "
    "counting, or in [another way](foundations.md#six-ways-to-get-none) that "
    "gives no gradient."
)
def test_tapes() -> None:
    shown("foundations", "asked_twice", "RuntimeError", "non-persistent")
    shown("foundations", "all_none", "ValueError", "No gradients provided")
    w = tf.Variable(3.0)
    for persistent in (False, True):
        with tf.GradientTape(persistent=persistent) as tape:
            square = w * w
        assert float(tape.gradient(square, [w, w])[1]) == 6.0
        if persistent:
            assert float(tape.gradient(square, w)) == 6.0
        else:
            with pytest.raises(RuntimeError, match="non-persistent"):
                tape.gradient(square, w)
    ways: list[Callable[[], tf.Tensor]] = [
        lambda: tf.constant(w.numpy() ** 2),
        lambda: tf.square(tf.round(w)),
        lambda: tf.cast(tf.math.count_nonzero(w > 2.0), tf.float32),
        lambda: 2.0 * tf.Variable(w),
    ]
    for loses in ways:
        with tf.GradientTape() as tape:
            lost = loses()
        assert tape.gradient(lost, w) is None
    with tf.GradientTape() as tape:
        pass
    gradients = [tape.gradient(w * w, w)]
    assert gradients == [None]
    with pytest.raises(ValueError, match="No gradients provided"):
        SGD(0.1).apply_gradients(zip(gradients, [w], strict=True))


@says(
    "`errors_in_a_step:slips` Nothing is left to train, so the optimizer is "
    "handed no variables."
)
@says(
    "To unfreeze a layer of a frozen model is not enough: leave the model "
    "trainable and freeze its layers."
)
def test_a_frozen_model() -> None:
    page, text = "freeze_and_fine_tune", "ValueError: not enough values to"
    shown("errors_in_a_step", "slips", "ValueError", text.split(": ")[1])
    assert text in printed(page, "all_frozen")
    assert printed(page, "all_frozen").startswith("trainable: []")
    layers = [tf.keras.layers.Dense(1, name=name) for name in ("a", "b")]
    model = tf.keras.Sequential([tf.keras.Input((1,)), *layers])
    model.trainable = False
    layers[1].trainable = True
    assert model.trainable_variables == []
    model.trainable = True
    layers[0].trainable = False
    assert len(model.trainable_variables) == 2


@says(
    "`freeze_and_fine_tune:unknown` The optimizer was built for "
    "other variables."
)
@says("Build it with all of them before the first step, or make a new one.")
@says(
    "`freeze_and_fine_tune:new_head` The model is built, and takes no new "
    "layer, variable or metric. Make a new model around the old base; make "
    "what a layer needs in its `__init__` or `build`."
)
@says(
    "`freeze_and_fine_tune:own_schedule` A schedule of your own calculates "
    "with the count of updates, which is a whole number. Cast it to "
    "`tf.float32` first."
)
def test_a_new_head_and_a_schedule_of_your_own() -> None:
    page, text = "freeze_and_fine_tune", "You cannot add new elements of state"
    shown(page, "new_head", "ValueError", text)
    shown(page, "own_schedule", "TypeError", "0.1 to EagerTensor of dtype in")
    model = TwoLayers()
    columns = X[:, tf.newaxis]
    model(columns)
    for new in (tf.keras.layers.Dense(2), tf.keras.metrics.Mean()):
        with pytest.raises(ValueError, match=text):
            model.new = new
    with pytest.raises(ValueError, match=text):
        model.add_weight(shape=())
    around = [tf.keras.Input((1,)), model.base, tf.keras.layers.Dense(2)]
    assert tf.keras.Sequential(around)(columns).shape == (201, 2)
    with pytest.raises(TypeError, match="EagerTensor of dtype int64"):
        float(SGD(WarmUp()).learning_rate)
    assert float(SGD(WarmUpCast()).learning_rate) == pytest.approx(0.01)


@says(
    "`freeze_and_fine_tune:not_settable` The learning rate is a schedule, "
    "which decides by itself."
)
@says("To set a rate by hand, give the optimizer a number.")
@says("`old_names:unknown` The optimizer's rate is called `learning_rate`.")
def test_optimizers() -> None:
    page = "freeze_and_fine_tune"
    shown(page, "unknown", "ValueError", "Unknown variable")
    shown(page, "not_settable", "TypeError", "is not settable")
    shown("old_names", "unknown", "AttributeError", "has no lr")
    v, w = tf.keras.Variable(1.0), tf.keras.Variable(1.0)
    one = tf.constant(1.0)
    for known in ([v], [v, w]):
        optimizer = tf.keras.optimizers.Adam(0.1)
        optimizer.build(known)
        if len(known) == 1:
            with pytest.raises(ValueError, match="Unknown variable"):
                optimizer.apply([one], [w])
        else:
            optimizer.apply([one], [w])
    tf.keras.optimizers.Adam(0.1).apply([one], [w])
    decay = tf.keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    with pytest.raises(TypeError, match="not settable"):
        SGD(decay).learning_rate = 0.2
    optimizer = SGD(0.1)
    optimizer.learning_rate = 0.2
    assert float(optimizer.learning_rate) == pytest.approx(0.2)
    assert not hasattr(optimizer, "lr")


@says(
    "`keras_from_fit_inwards:three_parts` `train_step` was given weights "
    "beside `x` and `y`, or, by `train_on_batch`, a `None` in their place."
)
@says("Unpack with `keras.utils.unpack_x_y_sample_weight`.")
def test_three_parts() -> None:
    page = "keras_from_fit_inwards"
    shown(page, "three_parts", "ValueError", "too many values to unpack")
    for data in ((1, 2, 3), (1, 2), (1,)):
        found = tf.keras.utils.unpack_x_y_sample_weight(data)
        assert found == (*data, None, None)[:3]
    given = []

    class Seeing(KerasLinearModel):
        def train_step(self, data: Any) -> dict[str, Any]:
            given.append(data)
            return {"loss": 0.0}

    model = Seeing()
    model.compile("sgd", "mse", run_eagerly=True)
    model.train_on_batch(X, Y)
    model.train_on_batch(X, Y, sample_weight=X)
    assert [len(data) for data in given] == [3, 3]
    assert [data[2] is None for data in given] == [True, False]


@says(
    "`many_devices:branch` The step calls the optimizer in a branch, a loop "
    "or a `tf.function` of its own, where devices cannot wait for each other. "
    "Decide outside of `strategy.run`, and run twice."
)
@says(
    "`many_devices:wrong_calls` A step called `strategy.reduce`, `run` or "
    "`scope`. Return the part, and reduce outside of `strategy.run`."
)
@says(
    "`many_devices:wrong_calls` What `strategy.run` returned has a value for "
    "each device. Reduce it with `strategy.reduce` before you use it."
)
@says(
    "`many_devices:wrong_calls` The optimizer was called outside of "
    "`strategy.run`. Call it in the step."
)
@says(
    "`many_devices:wrong_calls` The optimizer was called in the scope of a "
    "strategy, but outside of `strategy.run`."
)
@says(
    "`many_devices:wrong_calls` The optimizer was built outside of the "
    "scope. Build it inside `with strategy.scope():`, beside the model."
)
def test_calls_in_the_wrong_context() -> None:
    page = "many_devices"
    shown(page, "branch", "RuntimeError", "`merge_call` called while defining")
    said = printed(page, "wrong_calls").splitlines()
    due = [
        "RuntimeError: Method requires being in cross-replica context",
        "ValueError: It looks like you are using a PerReplica object",
        "ValueError: Type PerReplica is not supported as a gradient",
        "AttributeError: 'NoneType' object has no attribute 'merge_call'",
        'RuntimeError: Need to be inside "with strategy.scope()"',
    ]
    assert len(said) == ITEMS.count(f"{page}:wrong_calls") == len(due)
    for line, start in zip(said, due, strict=True):
        assert line.startswith(start)
    blocks = {block.name: block.code for block in read(page).blocks}
    calls = [
        line.strip()
        for line in blocks["wrong_calls"].splitlines()
        if "message(" in line
    ]
    assert "add_up" in calls[0]
    assert "strategy.reduce" in blocks["add_up"]
    assert "mean.update_state, parts" in calls[1]
    assert (
        calls[2] == calls[3] == "print(message(apply, model, optimizer, "
        "gradients))"
    )
    scope = blocks["wrong_calls"].partition("with strategy.scope():")[2]
    assert calls[3] in scope
    assert "unbuilt.build" in calls[4]
    assert blocks["train_if_finite"].count("strategy.run(") == 2
    assert "strategy.reduce(" in blocks["train_if_finite"]


@says(
    "`many_devices:python fit_servers.py 2> fit_servers.log || tail -n 1 "
    "fit_servers.log` Keras' `fit` does not work with a parameter server."
)
@says("Write the loop yourself, with a `ClusterCoordinator`.")
@says(
    "`many_devices:outside` The model was made outside of the "
    "strategy's scope."
)
@says("Make model and optimizer inside `with strategy.scope():`.")
def test_many_devices() -> None:
    page = "many_devices"
    command = next(item for item in ITEMS if "fit_servers" in item)
    shown(page, command.partition(":")[2], "ValueError", "ClusterCoordinator")
    shown(
        page, "outside", "ValueError", "created in this tf.distribute.Strategy"
    )
    blocks = {block.name: block.code for block in read(page).blocks}
    code = blocks["outside"]
    assert code.index("LinearModel()") < code.index("scope()")
    source = (DOCS / f"{page}.md").read_text("utf-8")
    whole = "".join(blocks.values())
    assert "with strategy.scope():" in whole
    assert "ClusterCoordinator" in source + whole


@says(
    "`not_a_number:check` `check_numerics` met a NaN, and names "
    "what it was given."
)
@says("If it is not in the data, the step before may have made it.")
@says(
    "`not_a_number:enable` With `enable_check_numerics`, the first operation "
    "that makes a NaN or an infinity raises, and the message names it."
)
@says(
    "`not_a_number:find_gradient` The gradient is NaN although the loss is "
    "not. A function in it has no finite slope there, as the square root has "
    "none at 0."
)
@says(
    "`not_a_number:patience` The loop skipped so many steps in a row that "
    "it stopped."
)
@says("The message is that of the block above it.")
def test_nan() -> None:
    page, kind = "not_a_number", "InvalidArgumentError"
    shown(page, "check", kind, "the loss : Tensor had NaN values")
    assert 'op "SqrtGrad"' in printed(page, "enable")
    tf.debugging.enable_check_numerics()
    try:
        for at, name in ((0.0, "Log"), (1.0, "Reciprocal")):
            with pytest.raises(Refused, match=f'op "{name}"'):
                tf.math.reciprocal(tf.math.log(at))
    finally:
        tf.debugging.disable_check_numerics()
    shown(page, "find_gradient", kind, "/b : Tensor had NaN values")
    zero = tf.Variable(0.0)
    lengths: list[Callable[[], tf.Tensor]] = [
        lambda: tf.sqrt(tf.square(zero)),
        lambda: tf.square(zero) ** 0.5,
        lambda: tf.where(zero > 0.0, tf.math.log(zero), 0.0),
        lambda: tf.acos(1.0 - tf.square(zero)),
    ]
    for length in lengths:
        with tf.GradientTape() as tape:
            value = length()
        assert math.isfinite(value)
        assert math.isnan(tape.gradient(value, zero))
    with tf.GradientTape() as tape:
        root = tf.sqrt(zero)
    assert math.isinf(tape.gradient(root, zero))
    shown(page, "patience", "ArithmeticError", "3 skipped in a row")
    blocks = [block.name for block in read(page).blocks]
    above = blocks[blocks.index("patience") - 1]
    code = {b.name: b.code for b in read(page).blocks}[above]
    assert "raise ArithmeticError(" in code
    model, optimizer = KerasLinearModel(), SGD(0.1)
    first, gradients = train_short(model, optimizer, X, Y, tf.norm)
    assert math.isfinite(first)
    assert math.isnan(gradients[1])
    assert math.isnan(train_short(model, optimizer, X, Y, tf.norm)[0])
    new = KerasLinearModel()
    assert math.isnan(train_short(new, SGD(0.1), X, Y + math.nan, tf.norm)[0])
    for function in (tf.sqrt, tf.math.log, lambda v: 1.0 / v):
        with tf.GradientTape() as tape:
            at = tf.Variable(0.0)
            value = function(at)
        assert math.isinf(tape.gradient(value, at))


@says("`same_run_twice:whole_numbers` The seed is an integer of NumPy.")
@says("Convert it with `int`.")
@says(
    "`same_run_twice:caught` A check of that page: two runs that were to be "
    "equal are not."
)
@says("A seed did not reach what differs.")
def test_seeds() -> None:
    page = "same_run_twice"
    shown(page, "whole_numbers", "ValueError", "'numpy.int64'")
    shown(page, "caught", "AssertionError", "weight 0 differs by up to")
    code = {b.name: b.code for b in read(page).blocks}
    assert "train(tf.random.set_seed)" in code["caught"]
    assert "initial weights  yes    -     -   yes" in printed(page, "table")
    tf.keras.utils.set_random_seed(int(np.int64(1)))


@says(
    "`save_and_resume:not_located` The file names a loss, a metric or a class "
    "of yours, and Keras does not know it. Register it, or hand it over in "
    "`custom_objects`."
)
@says(
    "`Could not locate class 'Line'` says it of a model or a layer.",
    page="save_and_resume",
)
def test_what_keras_cannot_locate(tmp_path: Any) -> None:
    shown("save_and_resume", "not_located", "TypeError", "Could not locate")

    def own_loss(y: Any, y_pred: Any) -> Any:
        return tf.reduce_mean(tf.abs(y - y_pred), axis=-1)

    def own_metric(y: Any, y_pred: Any) -> Any:
        return own_loss(y, y_pred)

    class Plain(tf.keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x

    made: list[tuple[Any, dict[str, Any], list[Any]]] = [
        (own_loss, {"loss": own_loss}, []),
        (own_metric, {"loss": "mse", "metrics": [own_metric]}, []),
        (Plain, {}, [Plain()]),
    ]
    load = tf.keras.models.load_model
    for unknown, compiled, more in made:
        layers = [tf.keras.Input((1,)), *more, tf.keras.layers.Dense(1)]
        model = tf.keras.Sequential(layers)
        model.compile("sgd", **compiled)
        if compiled.get("metrics"):
            model.evaluate(X[:, tf.newaxis], Y[:, tf.newaxis], verbose=0)
        path, name = tmp_path / f"{len(compiled)}.keras", unknown.__name__
        model.save(path)
        with pytest.raises(TypeError, match=f"Could not locate .* '{name}'"):
            load(path)
        load(path, custom_objects={name: unknown})
        tf.keras.utils.register_keras_serializable()(unknown)
        try:
            model.save(path)
            load(path)
        finally:
            del tf.keras.utils.get_custom_objects()[f"Custom>{name}"]


@says(
    "`save_and_resume:lambda_refused` The file holds the code of a `lambda`, "
    "and code from a file can do anything. If you made the file, load it with "
    "`safe_mode=False`; better, write a layer of your own."
)
def test_a_file_with_code(tmp_path: Any) -> None:
    text = "Requested the deserialization of a `Lambda` layer"
    shown("save_and_resume", "lambda_refused", "ValueError", text)
    layers, load = tf.keras.layers, tf.keras.models.load_model
    double = layers.Lambda(lambda x: 2.0 * x)
    model = tf.keras.Sequential([tf.keras.Input((1,)), double])
    model.save(tmp_path / "double.keras")
    with pytest.raises(ValueError, match=text):
        load(tmp_path / "double.keras")
    loaded = load(tmp_path / "double.keras", safe_mode=False)
    assert float(loaded(tf.constant([[2.0]]))[0, 0]) == 4.0


@says(
    "`save_and_resume:unconsumed` `assert_consumed` found something of "
    "the object that the checkpoint does not have, or has not had a value "
    "for yet."
)
@says("Build model and optimizer, then restore.")
@says("`save_and_resume:uncallable` What was saved had no compiled function.")
@says(
    "Give the module a method that is a `tf.function`, with a signature, and "
    "save again."
)
def test_saving(tmp_path: Any) -> None:
    page = "save_and_resume"
    shown(page, "unconsumed", "AssertionError", "Object attributes")
    shown(page, "uncallable", "TypeError", "'_UserObject' object is not")

    def made() -> tuple[Any, tf.train.Checkpoint]:
        model, optimizer = KerasLinearModel(), tf.keras.optimizers.Adam(0.1)
        state = tf.train.Checkpoint(model=model, optimizer=optimizer)
        return (model, optimizer), state

    (model, optimizer), state = made()
    optimizer.build(model.trainable_variables)
    path = state.write(f"{tmp_path}/c")
    (model, optimizer), state = made()
    with pytest.raises(AssertionError):
        state.read(path).assert_consumed()
    (model, optimizer), state = made()
    optimizer.build(model.trainable_variables)
    state.read(path).assert_consumed()

    class Plain(tf.Module):
        def __call__(self, x: Any) -> Any:
            return 2.0 * x

    class Compiled(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([])])
        def __call__(self, x: Any) -> Any:
            return 2.0 * x

    for module in (Plain(), Compiled()):
        tf.saved_model.save(module, f"{tmp_path}/m")
        loaded = tf.saved_model.load(f"{tmp_path}/m")
        if isinstance(module, Plain):
            with pytest.raises(TypeError, match="_UserObject"):
                loaded(1.0)
        else:
            assert float(loaded(tf.constant(1.0))) == 2.0


@says(
    "`traps:catch_hidden` A check of that page: the step lowered the loss by "
    "less than its gradient says, for Keras did not see a variable."
)
@says(
    "`traps:catch_log` A check of that page: `fit` logged another loss than "
    "the compiled model has."
)
@says(
    "`traps:catch_swapped` A check of that page: the step raised the loss, "
    "for it updated each variable with the gradient of the other."
)
@says(
    "`traps:catch_rows` A check of that page: the metric averaged batches, "
    "not rows."
)
def test_checks_of_the_page_on_traps() -> None:
    def numbers(section: str) -> list[float]:
        shown("traps", section, "AssertionError", "")
        said = printed("traps", section).split("\n")[-1]
        return [float(n) for n in re.findall(r"-?\d+\.\d+", said)]

    fell, due = numbers("catch_hidden")
    assert 0 < fell < due
    logged, true = numbers("catch_log")
    assert logged != true
    fell, due = numbers("catch_swapped")
    assert fell < 0 < due
    result, true = numbers("catch_rows")
    assert result != true
    traps = (DOCS / "traps.md").read_text("utf-8").lower()
    for word in ("hidden", "swapped", "of its own", "average"):
        assert word in traps


@says("`traps:refused` A `tf.Variable` refuses `-=`.")
@says(
    "With a variable of Keras it makes the name stand for a tensor, without a "
    "message."
)
@says("Use `assign_sub`.")
def test_minus_and_equals(recwarn: Any) -> None:
    shown("traps", "refused", "RuntimeError", "is not supported")
    w: Any = tf.Variable(5.0)
    with pytest.raises(RuntimeError, match="not supported"):
        w -= 0.5
    w = of_keras = tf.keras.Variable(5.0)
    w -= 0.5
    assert isinstance(w, tf.Tensor)
    assert float(of_keras) == 5.0
    assert not recwarn.list
    of_keras.assign_sub(0.5)
    assert float(of_keras) == 4.5


@says(
    "`watch_a_training:not_installed` TensorFlow no longer brings TensorBoard."
)
@says("Install it beside: `pip install tensorboard`.")
@says("`watch_a_training:no_step` A summary needs to know when it was.")
@says("Give it `step=`.")
@says(
    "`watch_a_training:direction` Keras cannot tell whether more or less "
    "of what you monitor is better."
)
@says("Give the callback `mode=`.")
@says(
    "`watch_a_training:backup` A model that was not compiled has no optimizer."
)
@says("Set `model.optimizer` before a callback asks for it.")
def test_watching() -> None:
    from importlib.metadata import requires

    page = "watch_a_training"
    shown(page, "not_installed", "TBNotInstalledError", "not installed")
    shown(page, "no_step", "ValueError", "No step set. Please specify one")
    shown(page, "direction", "ValueError", "Pass `mode='max'`")
    shown(page, "backup", "AttributeError", "no attribute 'optimizer'")
    needs = [*(requires("tensorflow-cpu") or requires("tensorflow") or [])]
    assert needs
    assert not any(n.startswith("tensorboard") for n in needs)
    model, stop = KerasLinearModel(), tf.keras.callbacks.EarlyStopping
    assert not hasattr(model, "optimizer")
    model.optimizer = SGD(0.1)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.1)
    for mode in ("auto", "max"):
        callback = stop(monitor="val_bogus", mode=mode)
        callback.set_model(KerasLinearModel())
        callback.on_train_begin()
        if mode == "auto":
            with pytest.raises(ValueError, match="mode='max'"):
                callback.on_epoch_end(0, {"val_bogus": 1.0})
        else:
            callback.on_epoch_end(0, {"val_bogus": 1.0})


@says(
    "`weights_outputs_losses:not_ignored` A check of that page: rows that "
    "weigh nothing moved the model, for the step drops their weights."
)
@says(
    "`weights_outputs_losses:shapes` The losses stand in a column and the "
    "weights in a row, or the other way round."
)
@says("Give both one shape.")
@says(
    "Where it says `<unknown>`, name the axes, by `set_shape` or in the "
    "signature."
)
@says(
    "`weights_outputs_losses:columns` A loss function that was compiled "
    "returned something other than a number per row, and there are weights "
    "for rows."
)
@says("Take its mean over the last axis.")
def test_a_compiled_loss_function() -> None:
    shown(
        "weights_outputs_losses",
        "columns",
        "InvalidArgumentError",
        "Incompatible shapes: [2] vs. [201]",
    )
    model = KerasLinearModel()
    two = tf.ones((8, 2))
    for axis in (0, -1):
        model.compile(loss=mean_error(axis))
        model.compute_loss(two, two, 0 * two)
    model.compute_loss(two, two, 0 * two, tf.ones(8))
    model.compile(loss=mean_error(0))
    with pytest.raises(Refused):
        model.compute_loss(two, two, 0 * two, tf.ones(8))
    column = tf.ones((8, 1))

    def named(*parts: tf.Tensor) -> tf.Tensor:
        for part in parts:
            part.set_shape((None, 1))
        return weighted_loss(*parts)

    unknown = [tf.TensorSpec(None)] * 3
    with pytest.raises(ValueError, match="losses <unknown>, weights <unk"):
        tf.function(weighted_loss, unknown)(column, column, column)
    known = [tf.TensorSpec((None, 1))] * 3
    for called, signature in ((named, unknown), (weighted_loss, known)):
        tf.function(called, signature)(column, column, column)


@says(
    "`keras_from_fit_inwards:no_loss` Keras' `test_step`, which validates "
    "and evaluates, needs a loss that was compiled."
)
@says(
    "Write a `test_step` beside your `train_step`, or give `compile` the loss."
)
def test_no_loss() -> None:
    page = "keras_from_fit_inwards"
    shown(page, "no_loss", "ValueError", "No loss to compute.")
    model = KerasLinearModel()
    model.compile("sgd", run_eagerly=True)
    with pytest.raises(ValueError, match="No loss to compute"):
        model.test_on_batch(X[:, tf.newaxis], Y[:, tf.newaxis])
    model.compile("sgd", "mse", run_eagerly=True)
    assert model.test_on_batch(X[:, tf.newaxis], Y[:, tf.newaxis]) > 0


@says(
    "`weights_outputs_losses:one_metric` A model has several outputs, and "
    "metrics that do not say for which."
)
@says("Name them by output, each with its own.")
def test_one_metric() -> None:
    page = "weights_outputs_losses"
    shown(page, "one_metric", "ValueError", "Invalid `metrics`.")
    model, column = make_scales(), X[:, tf.newaxis]
    outputs = {"metres": column, "centimetres": column}
    by_output = {"metres": ["mae"], "centimetres": ["mse"]}
    model.compile(loss="mse", metrics=by_output, run_eagerly=True)
    log = model.test_on_batch(column, outputs, return_dict=True)
    assert {"metres_mae", "centimetres_mse"} < {*log}


@says(
    "`weights_outputs_losses:loop` With two outputs by name `y` is a "
    "dictionary, and one metric is handed all of it."
)
@says(
    "Or a compiled function hands a tensor to `tf.constant`: leave that out."
)
@says("Call `self.compute_metrics` instead of a loop over `self.metrics`.")
def test_weights_and_outputs() -> None:
    page = "weights_outputs_losses"
    shown(page, "not_ignored", "AssertionError", "weight 0 moved line/kernel")
    shown(page, "shapes", "ValueError", "losses (201, 1), weights (201,)")
    shown(page, "loop", "TypeError", "Expected any non-tensor type")
    blocks = "".join(block.code for block in read(page).blocks)
    assert "for metric in self.metrics" in blocks
    assert "self.compute_metrics(" in blocks
    text = "Expected any non-tensor type"
    with pytest.raises((TypeError, ValueError)):
        tf.keras.metrics.Mean().update_state({"one": Y}, {"one": Y})
    with pytest.raises(TypeError, match=text):
        tf.function(lambda x: tf.constant(x))(tf.ones(4))
    column, row = tf.ones((4, 1)), tf.ones(4)
    assert (column * row).shape == (4, 4)
    assert (row * row).shape == (4,)


@says(
    "What raises no error has a page of its own: [silent failures](traps.md)."
)
@says("A loss that goes wrong without a message: [silent failures](traps.md).")
@says(
    "What the words tensor, variable, tape and … "
    "[foundations](foundations.md)."
)
def test_other_pages() -> None:
    assert "# Silent failures: " in (DOCS / "traps.md").read_text("utf-8")
    assert "raise no error" in (DOCS / "traps.md").read_text("utf-8")
    foundations = (DOCS / "foundations.md").read_text("utf-8").lower()
    for word in ("tensor", "variable", "tape", "gradient"):
        assert re.search(rf"(?m)^##+ .*{word}", foundations), word


@says(
    "`memory:noted` A list kept a tensor of a graph, from the time when the "
    "function was traced, and such a tensor has no number."
)
def test_a_tensor_that_a_list_kept() -> None:
    shown("memory", "noted", "TypeError", "not 'SymbolicTensor'")
    kept = []

    @tf.function
    def double(x: tf.Tensor) -> tf.Tensor:
        kept.append(2.0 * x)
        return 2.0 * x

    assert float(double(tf.constant(1.0))) == 2.0
    with pytest.raises(TypeError, match="SymbolicTensor"):
        float(kept[0])


@says(
    "`sequences:check_means` A check of that page: the loss has changed with "
    "the padding."
)
@says(
    "`two_models:gan_variables` A check of that page: the step of one model "
    "moved the other."
)
def test_checks_of_the_pages_on_sequences_and_two_models() -> None:
    shown("sequences", "check_means", "AssertionError", "loss 0.6332, was")
    shown(
        "two_models",
        "gan_variables",
        "AssertionError",
        "the discriminator moves as well",
    )


@says("It was handed the variables of both.")
def test_the_step_had_the_variables_of_both() -> None:
    code = {block.name: block.code for block in read("two_models").blocks}
    assert "make_gan_step(gan" in code["gan_variables"]
    [step] = [text for text in code.values() if "def make_gan_step(" in text]
    assert "gan.trainable_variables" in step


@says(
    "`sequences:out_of_range` An index that the table of an `Embedding` does "
    "not have."
)
@says("Its `input_dim` is the largest index plus one.")
def test_the_table_has_a_row_for_each_index() -> None:
    shown("sequences", "out_of_range", "InvalidArgumentError", "not in [0, 5)")
    embedding = tf.keras.layers.Embedding(6, 2)
    assert embedding(tf.constant([5])).shape == (1, 2)


@says(
    "`sequences:nested` `TimeDistributed` handed on the mask of each "
    "sentence, where the next layer wants one number for each."
)
@says("Make the mask with `tf.reduce_any`, and hand it over by `mask=`.")
def test_the_mask_of_a_document() -> None:
    said = "condition [1,3], then [1,2], and else [1,2] must be broadcastable"
    shown("sequences", "nested", "InvalidArgumentError", said)
    rows = tf.zeros((1, 3, 2))
    words = tf.constant([[[1, 1, 0], [1, 0, 0], [0, 0, 0]]]) > 0
    reader = tf.keras.layers.SimpleRNN(2, seed=0)
    with pytest.raises(Refused, match="must be broadcastable"):
        reader(rows, mask=words)
    assert reader(rows, mask=tf.reduce_any(words, axis=-1)).shape == (1, 2)


@says(
    "`sequences:reset_states` Keras 3 took the method from the model; the "
    "layer has it."
)
def test_the_layer_resets_its_state() -> None:
    shown("sequences", "reset_states", "AttributeError", "'reset_states'")
    layer = tf.keras.layers.LSTM(1, stateful=True)
    model = tf.keras.Sequential([layer])
    assert not hasattr(model, "reset_states")
    assert hasattr(layer, "reset_state")


@says(
    "`data_for_a_loop:made_inside` A layer is made in the function of a `map`."
)
@says("Make it before, once, and hand it in.")
def test_a_layer_is_made_before_the_map() -> None:
    said = "tf.function only supports singleton"
    shown("data_for_a_loop", "made_inside", "ValueError", said)
    data = tf.data.Dataset.from_tensors(tf.ones((4, 8, 8, 1)))
    with pytest.raises(ValueError, match=said):
        data.map(lambda x: tf.keras.layers.RandomFlip()(x))
    made = tf.keras.layers.RandomFlip()
    assert len(list(data.map(lambda x: made(x)))) == 1


@says(
    "`data_for_a_loop:class_refused` A label is a number that `class_weight` "
    "has no weight for."
)
@says("Give each class its weight, counted from 0.")
def test_each_class_has_a_weight() -> None:
    page, said = "data_for_a_loop", "= 2 is not in [0, 2)"
    shown(page, "class_refused", "InvalidArgumentError", said)
    model = tf.keras.Sequential(
        [tf.keras.Input((1,)), tf.keras.layers.Dense(3, activation="softmax")]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    pairs = tf.zeros((3, 1)), tf.range(3)
    data = tf.data.Dataset.from_tensors(pairs)
    given = {0: 1.0, 1: 2.0}
    with pytest.raises(tf.errors.InvalidArgumentError, match="is not in"):
        model.fit(data, class_weight=given, shuffle=False, verbose=0)
    given[2] = 3.0
    model.fit(data, class_weight=given, shuffle=False, verbose=0)


@says(
    "`usual_parts:not_arrays` `validation_split` takes rows from the end of "
    "arrays and tensors alone."
)
@says("Split first, and hand over `validation_data`.")
def test_a_split_of_arrays_alone() -> None:
    said = "only supported for tensors or NumPy arrays"
    shown("usual_parts", "not_arrays", "ValueError", said)
    model = tf.keras.Sequential(
        [tf.keras.Input((1,)), tf.keras.layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    x = tf.range(4.0)[:, tf.newaxis]
    data = tf.data.Dataset.from_tensor_slices((x, x)).batch(2)
    with pytest.raises(ValueError, match=said):
        model.fit(data, validation_split=0.5, verbose=0)
    for whole in (x, x.numpy()):
        model.fit(whole, whole, validation_split=0.5, verbose=0)
    parts = data.take(1), data.skip(1)
    model.fit(parts[0], validation_data=parts[1], shuffle=False, verbose=0)


@says(
    "`data_for_a_loop:no_target` A compiled loss got no outputs to compare "
    "with: the data of `fit` have inputs alone."
)
@says("Hand over pairs, or write a `train_step`.")
def test_a_loss_without_outputs() -> None:
    shown("data_for_a_loop", "no_target", "ValueError", "None values not")
    x = tf.ones((4, 1))
    model = tf.keras.Sequential(
        [tf.keras.Input((1,)), tf.keras.layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="None values not supported"):
        model.fit(x, verbose=0)
    model.fit(x, x, verbose=0)


@says(
    "`other_gradients:watched_weights` A tape was told to watch a weight of "
    "Keras."
)
@says("It does so by itself: leave the line out.")
@says("A `KerasTensor`, such as the output of a layer, is no number; watch")
def test_a_tape_watches_weights_by_itself() -> None:
    shown("other_gradients", "watched_weights", "ValueError", "Passed in obj")
    layer = tf.keras.layers.Dense(1)
    model = tf.keras.Sequential([tf.keras.Input((1,)), layer])
    x = tf.ones((1, 1))
    with tf.GradientTape() as tape:
        tape.watch(x)
        with pytest.raises(ValueError, match="Passed in object"):
            tape.watch(layer.kernel)
        with pytest.raises(ValueError, match="Passed in object"):
            tape.watch(layer.output)
        total = tf.reduce_sum(model(x))
    gradients = tape.gradient(total, [layer.kernel, layer.bias, x])
    assert all(gradient is not None for gradient in gradients)


@says(
    "`other_gradients:closed_over` A function with a gradient of its own uses "
    "a variable from outside."
)
@says("Hand it in as an argument, and return a gradient for each argument.")
def test_a_variable_is_handed_in() -> None:
    shown("other_gradients", "closed_over", "TypeError", "grad_fn must accept")
    scale, x = tf.Variable(2.0), tf.Variable(3.0)

    @tf.custom_gradient
    def times(x: Any, scale: Any) -> Any:
        return x * scale, lambda upstream: (upstream * scale, upstream * x)

    with tf.GradientTape() as tape:
        total = times(x, scale)
    found = tape.gradient(total, [x, scale])
    assert [float(gradient) for gradient in found] == [2.0, 3.0]


@says("`other_loops:no_addons` TensorFlow Addons is not installed.")
@says(
    "Keras has some of its optimizers; the page has Lookahead in a few lines."
)
def test_addons_are_not_there() -> None:
    shown("other_loops", "no_addons", "ModuleNotFoundError", "No module named")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("tensorflow_addons")
    for name in ("AdamW", "Lamb"):
        assert hasattr(tf.keras.optimizers, name)
    assert not hasattr(tf.keras.optimizers, "Lookahead")
    [block] = [b for b in read("other_loops").blocks if b.name == "look_ahead"]
    assert len(block.code.splitlines()) < 10


@says(
    "`two_models:one_optimizer` One optimizer was given two models one after "
    "the other."
)
@says("Give each model an optimizer of its own.")
def test_one_optimizer_for_two_models() -> None:
    shown("two_models", "one_optimizer", "ValueError", "Unknown variable")
    one, other = tf.Variable(1.0), tf.Variable(1.0)
    shared = SGD(0.1)
    shared.apply([tf.constant(1.0)], [one])
    with pytest.raises(ValueError, match="Unknown variable"):
        shared.apply([tf.constant(1.0)], [other])
    SGD(0.1).apply([tf.constant(1.0)], [other])
    assert float(other) == pytest.approx(0.9)


@says(
    "`errors_in_a_step:by_numpy` The loss was computed by NumPy, which the "
    "tape does not see."
)
@says("Compute it with TensorFlow, from the model on.")
def test_a_loss_by_numpy() -> None:
    text = "'numpy.float32' object has no attribute '_id'"
    shown("errors_in_a_step", "by_numpy", "AttributeError", text)
    w = tf.Variable([1.0, 3.0])
    with tf.GradientTape(persistent=True) as tape:
        by_numpy, by_tape = np.mean(2.0 * w), tf.reduce_mean(2.0 * w)
    assert by_numpy == float(by_tape)
    with pytest.raises(AttributeError, match=text):
        tape.gradient(by_numpy, w)
    assert tape.gradient(by_tape, w).numpy().tolist() == [1.0, 1.0]


@says("`errors_in_a_step:past_the_end` The dataset has no more batches.")
@says("Write a `for` over it, which ends with it, or let it begin again")
@says(
    "`errors_in_a_step:from_one` A label is no number of a class: they count "
    "from 0, or the last layer has too few outputs."
)
def test_the_end_of_the_data_and_a_label_out_of_range() -> None:
    page = "errors_in_a_step"
    shown(page, "past_the_end", "OutOfRangeError", "End of sequence")
    shown(page, "from_one", "InvalidArgumentError", "a label value of 3")
    rows = tf.data.Dataset.range(3)
    iterator, again = iter(rows), iter(rows.repeat())
    assert [int(row) for row in rows] == [0, 1, 2]
    assert [int(iterator.get_next()) for _ in range(3)] == [0, 1, 2]
    assert [int(again.get_next()) for _ in range(4)] == [0, 1, 2, 0]
    with pytest.raises(tf.errors.OutOfRangeError, match="End of sequence"):
        iterator.get_next()
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    labels = tf.constant([1, 2, 3])
    with pytest.raises(tf.errors.InvalidArgumentError, match="of 3 which is"):
        loss(labels, tf.zeros((3, 3)))
    for fitting, outputs in ((labels - 1, 3), (labels, 4)):
        cost = float(loss(fitting, tf.zeros((3, outputs))))
        assert cost == pytest.approx(np.log(outputs), abs=1e-6)


@says(
    "`errors_in_a_step:called_twice` A name that stood for a function stands "
    "for the number that it returned."
)
@says("Use two names.")
@says("Or a `zip` of pairs was used twice.")
@says(
    "`errors_in_a_step:exercise_pairs` A check of that page: there are no "
    "pairs, for a `zip` was used twice."
)
@says(
    "`errors_in_a_step:exercise_pairs` A check of that page: pairs are the "
    "wrong way round."
)
def test_names_that_changed_and_a_zip_used_twice() -> None:
    shown("errors_in_a_step", "called_twice", "TypeError", "not callable")
    shown("errors_in_a_step", "exercise_pairs", "ValueError", "used twice?")
    shown("errors_in_a_step", "exercise_pairs", "TypeError", "a tensor stands")
    mean = tf.keras.losses.MeanSquaredError()
    assert callable(mean)
    assert not callable(mean([1.0], [2.0]))
    pairs = zip([tf.constant(1.0)], [tf.Variable(1.0)], strict=True)
    SGD(0.1).apply_gradients(pairs)
    with pytest.raises(ValueError, match="not enough values"):
        SGD(0.1).apply_gradients(pairs)
    with pytest.raises(ValueError, match="used twice"):
        check_pairs(pairs)
    turned = zip([tf.Variable(1.0)], [tf.constant(1.0)], strict=True)
    with pytest.raises(TypeError, match="a tensor stands"):
        check_pairs(turned)


@says(
    "`errors_in_a_step:turned` The optimizer found a tensor where a variable "
    "belongs."
)
@says(
    "Hand it pairs of a gradient and its variable, in this order; what is to "
    "move has to be a variable."
)
@says(
    "`errors_in_a_step:slips` Gradients were handed over without their "
    "variables."
)
@says("Pair them: `zip(gradients, variables)`.")
@says("`errors_in_a_step:slips` Two lists were handed over.")
@says("`apply_gradients` takes pairs, and `apply` takes two lists.")
def test_what_an_optimizer_is_handed() -> None:
    page = "errors_in_a_step"
    shown(page, "turned", "AttributeError", "'_unique_id'")
    shown(page, "slips", "TypeError", "Cannot iterate over a scalar tensor")
    shown(page, "slips", "TypeError", "takes 2 positional arguments but 3")
    w, one = tf.Variable(1.0), tf.constant(1.0)
    for pair in ((w, one), (one, one)):
        with pytest.raises(AttributeError, match="_unique_id"):
            SGD(0.1).apply_gradients([pair])
    with pytest.raises(TypeError, match="iterate"):
        SGD(0.1).apply_gradients([one])
    with pytest.raises(TypeError, match="takes 2 positional"):
        SGD(0.1).apply_gradients([one], [w])
    SGD(0.1).apply_gradients(zip([one], [w], strict=True))
    SGD(0.1).apply([one], [w])
    assert float(w) == pytest.approx(0.8)


@says(
    "`errors_in_a_step:made_inside` A compiled function made a variable, "
    "perhaps as part of an optimizer, a layer or a metric."
)
@says("Make them once, outside.")
@says(
    "`errors_in_a_step:asked` Python's `if`, `and` or `assert` met a tensor "
    "of a graph, which has no value yet."
)
@says("Say it with tensors, or put it into a `tf.function` of tensors.")
def test_variables_and_conditions_in_a_graph() -> None:
    page = "errors_in_a_step"
    shown(page, "made_inside", "ValueError", "only supports singleton")
    kind = "OperatorNotAllowedInGraphError"
    shown(page, "asked", kind, "Using a symbolic `tf.Tensor` as a Python")
    mean = tf.keras.metrics.Mean()
    assert tf.function(lambda: mean(2.0))() == 2.0
    w = tf.Variable(1.0)
    for make in (
        lambda: SGD(0.1).apply([tf.constant(1.0)], [w]),
        lambda: tf.keras.metrics.Mean()(2.0),
        lambda: tf.keras.layers.Dense(1)(tf.ones((1, 1))),
    ):
        with pytest.raises(ValueError, match="singleton"):
            tf.function(make)()

    def sign(x: tf.Tensor) -> tf.Tensor:
        if x > 0.0:
            return tf.constant(1.0)
        return tf.constant(-1.0)

    plain = tf.autograph.experimental.do_not_convert(sign)
    with pytest.raises(tf.errors.OperatorNotAllowedInGraphError):
        tf.function(plain)(tf.constant(2.0))
    assert tf.function(sign)(tf.constant(2.0)) == 1.0
    assert tf.where(tf.constant(2.0) > 0.0, 1.0, -1.0) == 1.0


@says(
    "`errors_in_a_step:ran_out` The batches ended before an epoch had as many "
    "as `steps_per_epoch` says; an epoch goes on where the last one stopped, "
    "and after the end from the start."
)
@says("Leave it out, or repeat the data.")
def test_fewer_batches_than_steps() -> None:
    page = "errors_in_a_step"
    shown(page, "ran_out", "UserWarning", "Your input ran out of data")
    rows = tf.data.Dataset.from_tensor_slices((X, Y)).batch(67)
    model = KerasLinearModel()
    model.compile("sgd", "mse")
    quiet = {"verbose": 0, "shuffle": False}
    with pytest.warns(UserWarning, match="ran out of data"):
        model.fit(rows, steps_per_epoch=4, **quiet)
    before = int(model.optimizer.iterations)
    with pytest.warns(UserWarning, match="ran out of data"):
        model.fit(rows, steps_per_epoch=2, epochs=2, **quiet)
    assert int(model.optimizer.iterations) - before == 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(rows, **quiet)
        model.fit(rows.repeat(), steps_per_epoch=4, **quiet)
    with pytest.warns(UserWarning, match="ran out of data"):
        model.fit(rows.filter(lambda x, y: True), **quiet)


@says(
    "`errors_in_a_step:row_signed` A generator yields something of another "
    "shape than its `output_signature` says. Write the shape of one thing "
    "that is yielded, with `None` for a length that may be any."
)
@says(
    "`errors_in_a_step:other_signatures` What a generator yields is not of "
    "the type that its signature names. Convert it to numbers."
)
@says(
    "`errors_in_a_step:other_signatures` A generator yields rows of two "
    "lengths."
)
@says(
    "`errors_in_a_step:other_signatures` A generator yields a list where its "
    "signature has a tuple. Yield a tuple."
)
def test_a_generator_and_its_signature() -> None:
    page = "errors_in_a_step"
    shown(page, "row_signed", "TypeError", "(67, 1) where an element of shape")
    for words in ("element was one.", "was [[1.0, 2.0]", "expected structure"):
        shown(page, "other_signatures", "TypeError", words)
    number = tf.TensorSpec((), tf.float32)
    column = tf.TensorSpec((None, 1), tf.float32)
    for wrong, right, signature in (
        ([1.0], [[1.0], [2.0]], column),
        ("one", 1.0, number),
        ([[1.0], []], [[1.0], [0.0]], column),
        ([1.0, 2.0], (1.0, 2.0), (number, number)),
    ):
        assert first_line(holding(wrong, signature)).startswith("TypeError")
        assert first_line(holding(right, signature)) == "nothing"


@says(
    "`errors_in_a_step:no_length` The dataset cannot tell how many batches it "
    "has, for they come from a generator or through a `filter`. Say so with "
    "`assert_cardinality`."
)
@says(
    "Or nobody knew [the length of the dataset](errors_in_a_step.md … "
    "unknown), and nothing is missing."
)
def test_a_dataset_without_a_length() -> None:
    page = "errors_in_a_step"
    shown(page, "no_length", "TypeError", "The dataset length is unknown")
    text = "UserWarning: Your input ran out of data"
    assert text in " ".join(printed(page, "counted").split())
    column = tf.TensorSpec((None, 1), tf.float32)
    batches = tf.data.Dataset.from_generator(
        lambda: make_rows(X[:, tf.newaxis], Y[:, tf.newaxis]),
        output_signature=(column, column),
    )
    known = batches.apply(tf.data.experimental.assert_cardinality(3))
    assert len(known) == 3
    with pytest.raises(TypeError, match="length is unknown"):
        len(known.filter(lambda x, y: True))
    for data, count in ((batches, 4), (known, 3)):
        model = KerasLinearModel()
        model.compile("sgd", "mse")
        fed: list[int] = []
        seen = tf.keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs, fed=fed: fed.append(batch)
        )
        model.fit(data, shuffle=False, verbose=0, callbacks=[seen])
        assert (len(fed), int(model.optimizer.iterations)) == (3, count)


@says(
    "`errors_in_a_step:pair_given` The model was given inputs and outputs "
    "together, as a dataset yields them. Take the pair apart: `x, y = pair`."
)
def test_a_pair_for_a_model() -> None:
    text = "but it received 2 input tensors"
    shown("errors_in_a_step", "pair_given", "ValueError", text)
    inputs = tf.keras.Input((1,))
    model = tf.keras.Model(inputs, 3.0 * inputs)
    columns = X[:, tf.newaxis], Y[:, tf.newaxis]
    for pair in tf.data.Dataset.from_tensor_slices(columns).batch(67):
        with pytest.raises(ValueError, match=text):
            model(pair)
        x, _ = pair
        assert tf.reduce_all(model(x) == 3.0 * x)


@says(
    "`errors_in_a_step:objects` The array holds Python objects, not numbers, "
    "often because of a gap."
)
@says('Write `.astype("float32")`, and see to the NaN that a gap becomes.')
@says(
    "`errors_in_a_step:not_numbers` `fit` was given an array of Python "
    "objects."
)
@says(
    "`errors_in_a_step:not_numbers` `fit` was given a list. Make an array of "
    "it."
)
@says(
    "`errors_in_a_step:not_numbers` The rows have two lengths, and so no "
    "shape."
)
@says("`errors_in_a_step:not_numbers` `None` stands among the numbers.")
def test_what_is_no_array_of_numbers() -> None:
    shown("errors_in_a_step", "objects", "ValueError", "object type float")
    for words in (
        "Invalid dtype: object",
        "Unrecognized data type: x=[",
        "non-rectangular Python sequence",
        "mixed types",
    ):
        shown("errors_in_a_step", "not_numbers", "ValueError", words)
    numbers = np.array([[1.0, None]]).astype("float32")
    assert np.isnan(numbers).tolist() == [[False, True]]
    model = KerasLinearModel()
    model.compile("sgd", "mse")
    columns = np.array([[1.0], [2.0]], dtype=object), np.ones((2, 1))
    with pytest.raises(ValueError, match="Invalid dtype: object"):
        model.fit(*columns, verbose=0)
    model.fit(columns[0].astype("float32"), columns[1], verbose=0)
    with pytest.raises(ValueError, match="Unrecognized data type"):
        model.fit([[1.0], [2.0]], columns[1], verbose=0)
    model.fit(np.array([[1.0], [2.0]]), columns[1], verbose=0)


@says(
    "`errors_in_a_step:too_narrow` The layer has weights for more or fewer "
    "numbers in a row than it is given."
)
@says("`errors_in_a_step:one_row` The input lacks the axis of rows.")
@says("Take a batch of one, `x[:1]` instead of `x[0]`.")
def test_shapes_of_an_input() -> None:
    words = "is incompatible with the layer"
    shown("errors_in_a_step", "too_narrow", "ValueError", words)
    words = "input has incompatible shape (2,)"
    shown("errors_in_a_step", "one_row", "ValueError", words)
    layers = [tf.keras.Input((2,)), tf.keras.layers.Dense(1)]
    model = tf.keras.Sequential(layers)
    for columns in (1, 3):
        with pytest.raises(ValueError, match="is incompatible with the"):
            model(np.ones((4, columns), "float32"))
    x = np.ones((4, 2), "float32")
    with pytest.raises(ValueError, match="has incompatible shape"):
        model(x[0])
    assert x.shape[1:] == model.input_shape[1:]
    assert model(x[:1]).shape == (1, 1)


@says(
    "`errors_in_a_step:one_hot` The labels are one-hot, and the loss wants "
    "numbers of classes."
)
@says("Take `CategoricalCrossentropy`.")
@says(
    "`errors_in_a_step:either` The labels are numbers of classes, and the "
    "loss wants them one-hot."
)
@says("Take `SparseCategoricalCrossentropy`.")
@says(
    "`errors_in_a_step:folded` The scores have more or fewer rows, or "
    "columns, than the one-hot labels."
)
@says(
    "a reshape in the model may have made rows of a row, or its last layer "
    "has not one output for each class."
)
@says(
    "`errors_in_a_step:three_arguments` Keras calls a loss function that was "
    "compiled with `y` and `y_pred` alone."
)
@says("Override `compute_loss` for a loss that needs more.")
@says(
    "`errors_in_a_step:labels_as_floats` A loss function that was compiled is "
    "given the labels as `float32`."
)
@says("Cast them back, `tf.cast(y, tf.int32)`.")
def test_labels_and_arguments_of_a_loss() -> None:
    page = "errors_in_a_step"
    shown(page, "one_hot", "ValueError", "must have rank (ndim)")
    shown(page, "either", "ValueError", "must have the same rank")
    shown(page, "folded", "InvalidArgumentError", "must be broadcastable")
    cost = tf.nn.softmax_cross_entropy_with_logits
    for scores in (tf.zeros((12, 3)), tf.zeros((6, 2))):
        with pytest.raises(Refused, match="must be broadcastable"):
            cost(tf.zeros((6, 3)), scores)
    shown(page, "three_arguments", "TypeError", "missing 1 required")
    shown(page, "labels_as_floats", "TypeError", "has DataType float32")
    model = KerasLinearModel()
    for cast, typed in (
        (tf.identity, 1.0),
        (lambda y: tf.cast(y, "int32"), 0.0),
    ):
        model.compile(
            loss=lambda y, _, cast=cast: tf.cast(
                cast(y).dtype == tf.float32, "float32"
            )
        )
        assert float(model.compute_loss(X, tf.cast(Y, tf.int32), Y)) == typed
    labels, logits = tf.constant([0, 2]), tf.constant([[2.0, 1, 0], [1, 0, 1]])
    one_hot = tf.one_hot(labels, 3)
    sparse = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    dense = tf.keras.losses.CategoricalCrossentropy(from_logits=True)
    assert float(sparse(labels, logits)) == float(dense(one_hot, logits))
    for wrong, given in ((sparse, one_hot), (dense, labels)):
        with pytest.raises(ValueError, match="rank"):
            wrong(given, logits)
    model = KerasLinearModel()
    model.compile(loss=lambda *told: tf.constant(float(len(told))))
    assert float(model.compute_loss(X, Y, Y)) == 2.0
    near = Near().compute_loss(X, Y, Y + 1.0)
    assert float(near) == pytest.approx(float(np.mean(np.exp(-(X**2)))))


@says(
    "`errors_in_a_step:partly_known` The number of rows is not known while "
    "the graph is made. Ask for it when the step runs: `tf.shape(x)` instead "
    "of `x.shape`."
)
@says(
    "`errors_in_a_step:other_words` A shape has a `None`, for the batch may "
    "be of any size. Write `tf.shape(x)[0]` for the number of rows, or -1 in "
    "a `tf.reshape`."
)
@says(
    "`errors_in_a_step:other_words` The same, in `tf.zeros` or `tf.ones`. "
    "Write `tf.zeros_like(x)`, or ask `tf.shape(x)`."
)
@says(
    "Or a number is divided by `x.shape[0]`, which is `None` in the graph. "
    "Divide by `tf.cast(tf.shape(x)[0], x.dtype)`."
)
@says(
    "`errors_in_a_step:other_words` A Python loop over the rows, whose number "
    "is not known yet. Compute with all rows at once, or take `tf.map_fn`."
)
def test_a_batch_size_that_is_none() -> None:
    page = "errors_in_a_step"
    shown(page, "partly_known", "ValueError", "partially known TensorShape")
    for kind, words in (
        ("TypeError", "Failed to convert elements of (None, 1)"),
        ("TypeError", "Expected int32, but got None"),
        ("ValueError", "None values not supported."),
        ("TypeError", "cannot be interpreted as an integer"),
    ):
        shown(page, "other_words", kind, words)
    model = NoisyTensor()
    model.compile("sgd", "mse")
    model.fit(X, Y, batch_size=128, verbose=0)
    column = X[:, tf.newaxis]
    for call in (
        lambda x: tf.reshape(x, (tf.shape(x)[0], 1)),
        lambda x: tf.reshape(x, (-1, 1)),
        lambda x: tf.zeros_like(x) + tf.ones(tf.shape(x)),
        lambda x: tf.reduce_sum(x) / tf.cast(tf.shape(x)[0], x.dtype),
        lambda x: tf.map_fn(tf.identity, x),
    ):
        assert in_a_graph(call, column) == "nothing"
    for wrong in (tf.zeros, tf.ones):

        def made(x: tf.Tensor, make: Any = wrong) -> tf.Tensor:
            return make((x.shape[0], 1))

        assert "Expected int32, but got None" in in_a_graph(made, column)


@says(
    "`sequences:two_axes` The mask of an attention lacks an axis. Write "
    "`real[:, tf.newaxis, :]`, with 1 at the real steps of the keys."
)
def test_the_mask_of_an_attention() -> None:
    shown(
        *("sequences", "two_axes", "InvalidArgumentError"),
        "Incompatible shapes: [2,2,4,4] vs. [1,1,2,4]",
    )
    real = tf.sequence_mask([4, 2])
    x = tf.random.stateless_normal((2, 4, 8), (0, 0))
    attention = tf.keras.layers.MultiHeadAttention(2, 4)
    with pytest.raises(Refused, match="Incompatible shapes"):
        attention(x, x, attention_mask=real)
    assert leak(attention, x, real, real[:, tf.newaxis, :]) < 1e-6


@says(
    "`save_and_resume:not_revived` The `__init__` of a class does not take "
    "what the file holds. Add `**options`, hand them to `super().__init__`, "
    "and note down the arguments of your own in a `get_config`."
)
def test_a_class_with_arguments(tmp_path: Path) -> None:
    words = "got an unexpected keyword argument 'trainable'"
    shown("save_and_resume", "not_revived", "TypeError", "could not be deser")
    assert words in printed("save_and_resume", "not_revived")
    column = X[:, tf.newaxis]
    path = tmp_path / "model.keras"
    for kind in (Scaled, Kept):
        model = kind(2.0)
        before = model(column)
        model.save(path)
        if kind is Scaled:
            with pytest.raises(TypeError, match=words):
                tf.keras.models.load_model(path)
        else:
            loaded = tf.keras.models.load_model(path)
            np.testing.assert_array_equal(loaded(column), before)


@says(
    "`errors_in_a_step:unhashable` A variable is no key of a dictionary or a "
    "set. Take its `path`, which has the names of the layers as well; its "
    "`name` is not unique."
)
def test_a_variable_as_a_key() -> None:
    page = "errors_in_a_step"
    shown(page, "unhashable", "TypeError", "unhashable type: 'Variable'")
    layers = [tf.keras.layers.Dense(1, name=name) for name in ("one", "two")]
    model = tf.keras.Sequential([tf.keras.Input((1,)), *layers])
    variables = model.trainable_variables
    for make in (set, dict.fromkeys):
        with pytest.raises(TypeError, match="unhashable type: 'Variable'"):
            make(variables)
    assert len({variable.name for variable in variables}) == 2
    paths = {variable.path for variable in variables}
    assert len(paths) == 4
    assert sum("/one/" in path for path in paths) == 2


@says(
    "`on_a_gpu:log` TensorFlow 2.17 looked for TensorRT when it was imported, "
    "and went on without."
)
@says("That of today no longer says so.")
def test_a_line_on_tensorrt() -> None:
    assert "on_a_gpu:log" in ITEMS
    assert "Could not find TensorRT" in printed("on_a_gpu", "log")
    path = ROOT / "snippets/results/gpu_log.json"
    kept = json.loads(path.read_text("utf-8"))
    saying = [
        name
        for name, messages in kept["messages"].items()
        if any("TensorRT" in message for message in messages)
    ]
    assert saying == ["tensorflow==2.17.1"]
    assert not kept["texts"]["TF-TRT Warning"]


@says("`on_a_gpu:too_late` The devices are set up with the first tensor.")
@says("Change them before, right after the import, or restart the notebook.")
def test_devices_that_are_changed_too_late() -> None:
    shown("on_a_gpu", "too_late", "RuntimeError", "cannot be modified after")
    assert float(X[0]) == float(X[0])
    [device] = tf.config.list_physical_devices("CPU")
    parts = [tf.config.LogicalDeviceConfiguration()] * 3
    with pytest.raises(RuntimeError, match="after being initialized"):
        tf.config.set_logical_device_configuration(device, parts)


@says(
    "`on_a_gpu:hard` A GPU was asked for by `tf.device`, and TensorFlow has "
    "[found none](on_a_gpu.md#list_physical_devicesgpu-returns-an-empty-list)."
)
@says("Without a `tf.device` it takes what is there.")
@says("`on_a_gpu:in_function` The same, in a compiled function.")
@says("`on_a_gpu:session` The same, in a graph of TensorFlow 1.")
@says(
    "With `tf.config.set_soft_device_placement(True)` a session takes another "
    "device."
)
def test_a_gpu_that_is_not_there() -> None:
    shown("on_a_gpu", "hard", "InvalidArgumentError", "Could not satisfy")
    shown("on_a_gpu", "in_function", "InvalidArgumentError", "Unable to find")
    shown("on_a_gpu", "session", "InvalidArgumentError", "Cannot assign")
    tf.config.set_soft_device_placement(False)
    try:
        assert "CPU" in (X + Y).device
        with tf.device("/GPU:0"), pytest.raises(Refused):
            X + Y
    finally:
        tf.config.set_soft_device_placement(True)
    with tf.Graph().as_default():
        with tf.device("/GPU:0"):
            total = tf.constant(1.0) + tf.constant(2.0)
        assert tf.compat.v1.Session().run(total) == 3.0


@says(
    "`on_a_gpu:lstm` An `LSTM` was told to use cuDNN, and there is no GPU, or "
    "an argument of the layer keeps it from that."
)
@says("Leave `use_cudnn` out.")
def test_a_layer_that_is_to_use_cudnn() -> None:
    shown("on_a_gpu", "lstm", "ValueError", "cuDNN is not supported")
    x = tf.ones([1, 5, 2])
    assert tf.keras.layers.LSTM(3)(x).shape == (1, 3)
    with pytest.raises(ValueError, match="use_cudnn=True was specified"):
        tf.keras.layers.LSTM(3, use_cudnn=True)(x)
