"""What the page on weights, outputs and losses says is true."""

import inspect
import re
import sys
import warnings
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from snippets.data import make_data
from snippets.keras_model import KerasLinearModel
from snippets.loss_centers import (
    center_loss,
    draw_in,
    follow,
    make_codes,
    told,
)
from snippets.loss_inside import Found, Inside
from snippets.loss_quantiles import pinball_loss
from snippets.loss_weights import weighted_losses
from snippets.weights_outputs_losses import (
    Dropped,
    Loop,
    OwnStep,
    Small,
    TwoParts,
    balanced,
    check_ignored,
    compiled,
    compiled_scales,
    contrastive_loss,
    make_line,
    make_masked,
    make_penalised,
    make_scales,
    make_series,
    mean_error,
    one_step,
    summed_gradients,
    train,
    triplet_loss,
    weighted_loss,
)
from tests.claims.says import (
    figure,
    highlighted,
    imported,
    lines,
    numbers,
    printed,
    ran,
    record,
    says,
)
from tests.claims.sentences import DOCS, read

NAME = "weights_outputs_losses"
PAGE = read(NAME)
KEPT = record(NAME)
BLOCKS = {block.name: block for block in PAGE.blocks}
SOURCE = (DOCS / f"{NAME}.md").read_text("utf-8")
HEADINGS = re.findall(r"(?m)^##+ (.+)$", SOURCE)
ORDER = tf.random.experimental.stateless_shuffle(tf.range(201), (0, 0))
X, Y = (tf.gather(values, ORDER)[:, tf.newaxis] for values in make_data())
LABEL = tf.cast(Y > 7, tf.float32)
OUTPUTS = {"metres": Y, "centimetres": 100 * Y + 50}
LENGTHS = [8] * 10 + [4] * 30 + [1]
SQUARED = tf.keras.losses.MeanSquaredError()
CLASSES = {0: 1, 1: 9}
SGD = tf.keras.optimizers.SGD
x64, y64, label64 = (np.asarray(v, np.float64)[:, 0] for v in (X, Y, LABEL))
SLOPE, OFFSET = np.polyfit(x64, y64, 1)

Names = dict[str, Any]


def weights_of(model: Any) -> list[float]:
    return [float(weight.numpy().item()) for weight in model.weights]


def eagerly(
    model: Any, loss: Any = "mse", rate: float = 0.1, **more: Any
) -> Any:
    """Return the model, compiled to run as Python."""
    model.compile(SGD(rate), loss=loss, run_eagerly=True, **more)
    return model


def entropies(logits: Any = x64) -> Any:
    """Return the binary cross-entropy of each row."""
    return np.logaddexp(0.0, logits) - label64 * logits


def gradient(loss: Any, model: Any) -> list[float]:
    with tf.GradientTape() as tape:
        value = loss()
    found = tape.gradient(value, model.trainable_variables)
    return [float(part.numpy().item()) for part in found]


def one_epoch(model: Any, **options: Any) -> Any:
    """Fit with all rows in one batch; return the logs."""
    return model.fit(
        X, LABEL, batch_size=201, shuffle=False, verbose=0, **options
    ).history


# The page


@says(
    "Class and sample weights, two outputs, losses per row, masks and "
    "penalties in a training step of your own, compared with what "
    "Keras does."
)
@says(
    "When you have read this page you can weight rows and classes, "
    "train two outputs, leave out padding and add penalties, in a "
    "`train_step` and in a plain loop, and check each of them."
)
@says(
    "A step of your own has to put it together as you mean it, and "
    "most mistakes in that raise no error."
)
def test_what_the_page_has() -> None:
    words = ["class_weight", "Sample weights", "Two outputs", "A loss per row"]
    words += ["Mask:", "Regularization"]
    places = [
        next(n for n, title in enumerate(HEADINGS) if word in title)
        for word in words
    ]
    assert places == sorted(places)
    wrong = [b for b in PAGE.blocks if b.options.get("title") == "Looks right"]
    silent = [
        b for b in wrong if "raises" not in b.options and printed(NAME, b.name)
    ]
    loud = [b for b in PAGE.blocks if "raises" in b.options]
    assert {b.name for b in silent} == {
        *("vectors", "all_pairs", "by_series", "in_lists", "per_row"),
        *("axes", "uneven_log", "frozen_weight"),
        *("padded", "penalised", "turned", "three_models", "collapsed"),
        "lost_centers",
    }
    # Of the seven blocks of a raised error, two are the checks'.
    assert [b.name for b in loud] == [
        *("two_parts", "not_ignored", "shapes", "one_metric"),
        *("loop", "columns", "kerastensor"),
    ]
    for name in ("own_step", "own_scales"):
        assert "logs as Keras does: True" in printed(NAME, name)
    for name in ("by_hand", "by_hand_scales", "penalty_by_hand"):
        assert printed(NAME, name)


@says(
    "You need to have seen [a "
    "`train_step`](keras_from_fit_inwards.md#inside-fit) or [a loop "
    "with an "
    "optimizer](usual_parts.md#an-optimizer-and-a-compiled-step)."
)
@says("Logs that lie, shapes that broadcast: [Silent failures](traps.md).")
@says(
    "The step and its books, from the beginning: [Keras, from fit "
    "inwards](keras_from_fit_inwards.md)."
)
@says(
    "Mini-batches and metrics: [The loop with the usual "
    "parts](usual_parts.md)."
)
def test_other_pages() -> None:
    for page, titles in {
        "keras_from_fit_inwards": [
            "# Keras, from fit inwards",
            "## Inside .*fit",
        ],
        "usual_parts": [
            *("## An optimizer, and a compiled step", "## Mini-batches"),
            "## Metrics",
        ],
        "traps": [
            *("# Silent failures", r"## \d+\. A row against a column"),
            r"## \d+\. A log of something else",
        ],
    }.items():
        text = (DOCS / f"{page}.md").read_text("utf-8")
        for title in titles:
            assert re.search(rf"(?m)^{title}", text), title
    inwards = (DOCS / "keras_from_fit_inwards.md").read_text("utf-8")
    assert "keep_books" in inwards


@says("All blocks above, in order, as one file.")
@says("It needs TensorFlow and Matplotlib.")
def test_all_blocks_ran_with_what_the_page_names() -> None:
    blocks = [name.rpartition(":")[2] for name in record(NAME)]
    assert [n for n in blocks if n in BLOCKS] == [b.name for b in PAGE.blocks]
    modules = imported(PAGE)
    assert modules - {"collections"} == {"tensorflow", "matplotlib"}


@says("The rows of the guide, shuffled, as columns.")
@says(
    "There is a label as well: one where `y` is above 7, which is "
    "*imbalanced*, for only a tenth of the rows are ones."
)
@says("And a line, from which any class of model can be made.")
@says("Return a line that begins at zero, as a model of that class.")
def test_the_data_and_the_line() -> None:
    names = ran(NAME, "data")
    x, y = make_data()
    assert names["x"].shape == names["y"].shape == (201, 1)
    assert np.array_equal(np.sort(names["x"][:, 0]), np.sort(x))
    assert not np.array_equal(names["x"][:, 0], x)
    pairs = dict(zip(x.numpy(), y.numpy(), strict=True))
    assert all(
        pairs[a] == b for a, b in zip(*map(np.ravel, (X, Y)), strict=True)
    )
    assert np.array_equal(names["label"], Y.numpy() > 7)
    assert float(tf.reduce_mean(names["label"])) == pytest.approx(
        0.1, abs=0.001
    )
    for kind in (OwnStep, TwoParts, Dropped, Loop):
        assert type(make_line(kind)) is kind
    model = make_line()
    assert weights_of(model) == [0.0, 0.0]
    for weight, value in zip(model.weights, (3.0, 2.0), strict=True):
        weight.assign(tf.fill(weight.shape, value))
    np.testing.assert_allclose(model(X), 3 * X + 2, rtol=1e-5)


@says(
    "What a step minimises is one number, made of many: a loss for "
    "every row, of every output, times a weight, perhaps without the "
    "padding, with penalties on top."
)
def test_what_a_step_minimises() -> None:
    inputs = tf.keras.Input((1,))
    layer = tf.keras.layers.Dense(
        1, kernel_initializer="ones", kernel_regularizer="l2"
    )
    out = layer(inputs)
    model = eagerly(tf.keras.Model(inputs, {"a": out, "b": 2 * out}))
    found = model.train_on_batch(
        X, {"a": Y, "b": Y}, sample_weight=X + 2, return_dict=True
    )["loss"]
    rows = (x64 - y64) ** 2 + (2 * x64 - y64) ** 2
    expected = np.mean((x64 + 2) * rows) + 0.01
    assert found == pytest.approx(expected, rel=1e-4)


# Class weights


@says("The recall is the share of the ones that were found.")
@says("Return the model, compiled to tell two classes apart.")
@says(
    "With `class_weight={0: 1, 1: 9}` the loss of each one counts "
    "nine times, and all of them are found."
)
@says(
    "Keras turns `class_weight` into a weight for every row, so "
    "inside a step there is only `sample_weight`."
)
@says(
    "(Labels in several columns it takes for one-hot. A row with several ones "
    "gets the weight of the first, without a warning.)"
)
@says(
    "The held-out rows it does not weight, so that `loss` and `val_loss` do "
    "not compare."
)
def test_class_weight() -> None:
    seen: list[Any] = []

    class Seeing(OwnStep):
        def train_step(self, data: Any) -> Any:
            seen.append(data)
            return super().train_step(data)

    model = compiled(make_line(Seeing))
    model.run_eagerly = True
    log = one_epoch(model, class_weight=CLASSES)
    [[_, labels, weights]] = seen
    rows = np.where(np.ravel(labels) > 0, 9.0, 1.0)
    assert np.array_equal(np.ravel(weights), rows)
    expected = np.mean(np.where(label64 > 0, 9.0, 1.0) * entropies(0 * x64))
    assert log["loss"][0] == pytest.approx(expected, rel=1e-4)
    recall = model.evaluate(X, LABEL, verbose=0, return_dict=True)["recall"]
    w, b = weights_of(model)
    found = (w * x64 + b > 0) & (label64 > 0)
    assert recall == pytest.approx(np.sum(found) / 20)
    still = eagerly(
        make_line(),
        tf.keras.losses.BinaryCrossentropy(from_logits=True),
        rate=0.0,
    )
    log = one_epoch(still, class_weight=CLASSES, validation_data=(X, LABEL))
    assert log["loss"][0] == pytest.approx(expected, rel=1e-4)
    assert log["val_loss"][0] == pytest.approx(np.log(2), rel=1e-4)
    several = np.array([[1, 1, 0], [0, 1, 1], [0, 0, 1]], np.float32)
    inputs = tf.keras.Input((1,))
    three = Seeing(inputs, tf.keras.layers.Dense(3)(inputs))
    seen.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        eagerly(three).fit(
            *(several[:, :1], several),
            class_weight={0: 1.0, 1: 9.0, 2: 5.0},
            shuffle=False,
            verbose=0,
        )
    assert np.ravel(seen[0][2]).tolist() == [1.0, 9.0, 5.0]
    [few, _], [all_of_them, _] = lines(NAME, "imbalanced")
    assert few < 0.5
    assert all_of_them == 1


@says(
    "The price is {{ int(tf.math.count_nonzero((model(x) > 0) & "
    "(label == 0))) }} zeros that are taken for ones."
)
@says(
    "The label, zero or one, over x, and two S-shaped curves: "
    "unweighted, the probability of a one reaches one half only at "
    "the right end; where ones count nine times it does so at about x "
    "= 1, left of nearly all the ones"
)
def test_the_curves() -> None:
    """The second line of the page is made again by NumPy."""
    ends = []
    for one in (1.0, 9.0):
        w = b = 0.0
        for start in 5 * [*range(0, 201, 32)]:
            rows = slice(start, start + 32)
            errors = 1 / (1 + np.exp(-w * x64[rows] - b)) - label64[rows]
            errors = errors * np.where(label64[rows] > 0, one, 1.0)
            w -= 1.5 * float(np.mean(errors * x64[rows]))
            b -= 1.5 * float(np.mean(errors))
        ends.append((w, b))
    assert [w for w, _ in ends] == pytest.approx(
        [row[1] for row in lines(NAME, "imbalanced")], abs=1e-3
    )
    (w, b), (steep, shift) = ends
    [alarms] = [
        int(v) for n, v in record(NAME).items() if n.startswith("int(")
    ]
    assert alarms == np.sum((steep * x64 + shift > 0) & (label64 == 0)) > 0
    assert 1.8 < -b / w < 2
    half = -shift / steep
    assert half == pytest.approx(1, abs=0.05)
    assert np.mean(x64[label64 > 0] > half) > 0.9
    [axes] = figure(NAME, "plot_classes")
    assert {*axes.points} == {
        "the label",
        "unweighted",
        "ones count nine times",
    }
    assert {*axes.points["the label"].y} == {0.0, 1.0}
    for name, (slope, start) in zip(
        ("unweighted", "ones count nine times"), ends, strict=True
    ):
        points = axes.points[name]
        curve = 1 / (1 + np.exp(-slope * np.array(points.x) - start))
        np.testing.assert_allclose(points.y, curve, atol=2e-3)


@says("too many values to unpack (expected 2, got 3)")
@says(
    "`too many values to unpack (expected 2, got 3)` | "
    "[Unpacking](#too-many-values-to-unpack-expected-2-got-3)"
)
@says("Trains by a step that expects inputs and outputs.")
@says("It trains until there are weights.")
@says("With weights the data have three parts.")
@says("(Recent versions of Python add `got 3` to the message.)")
@says(
    "`train_on_batch` hands over three parts in any case, so the step "
    "fails there without weights, too."
)
def test_two_parts() -> None:
    model = compiled(make_line(TwoParts))
    model.run_eagerly = True
    one_epoch(model)
    assert weights_of(model) != [0.0, 0.0]
    said = re.escape("too many values to unpack (expected 2")
    newest = ", got 3)" if sys.version_info >= (3, 14) else ")"
    for options in (
        {"class_weight": CLASSES},
        {"sample_weight": tf.ones((201, 1))},
    ):
        with pytest.raises(ValueError, match=said) as error:
            one_epoch(model, **options)
        assert f"(expected 2{newest}" in str(error.value)
    with pytest.raises(ValueError, match=said):
        model.train_on_batch(X, LABEL)
    assert re.search(f"ValueError: {said}", printed(NAME, "two_parts"))


@says("`sample_weight` dropped in silence")
@says(
    "`class_weight`, `sample_weight` do nothing | [Dropped "
    "weights](#sample_weight-dropped-in-silence), "
    "[vectors](#class_weight-without-effect-vectors)"
)
@says("The mend that one finds first stops the error.")
@says("Takes what data there are, and leaves the weights of rows aside.")
@says(
    "No error, no warning, no weights: the numbers are those without "
    "`class_weight`."
)
def test_dropped_weights() -> None:
    assert lines(NAME, "dropped") == lines(NAME, "imbalanced")[:1]
    ends = []
    for options in ({}, {"class_weight": CLASSES}, {"sample_weight": X + 2}):
        model = compiled(make_line(Dropped))
        model.run_eagerly = True
        with warnings.catch_warnings(action="error"):
            log = one_epoch(model, **options)
        ends.append((weights_of(model), log))
    assert ends[0] == ends[1] == ends[2]


@says("Update weights and metrics with one batch of data.")
@says("Hand the third part on, to the loss and to the metrics.")
@says("This step serves one output or several, with weights or without.")
@says(
    "The tracker of the loss wants the loss, with the number of rows "
    "as its weight; of several inputs, take the rows of one."
)
@says(
    "`compute_metrics` updates the metrics that were compiled, and no others."
)
@says(
    "It gives the weights to those only that were compiled as "
    "`weighted_metrics`."
)
@says(
    "In half precision the loss has to be "
    "[scaled](traps.md#6-a-loss-that-was-never-scaled) as well."
)
def test_own_step() -> None:
    moves = []
    for kind in (tf.keras.Model, OwnStep):
        scaled = eagerly(make_line(kind))
        scaled.optimizer = tf.keras.optimizers.LossScaleOptimizer(SGD(0.1))
        scaled.train_on_batch(X, Y)
        moves.append(weights_of(scaled)[0])
    assert moves[0] > 1000 * moves[1] > 0
    weights, loss, metrics = highlighted(BLOCKS["OwnStep"])
    assert "x, y, sample_weight =" in weights
    assert "sample_weight)" in loss
    assert "compute_metrics(" in metrics
    assert "sample_weight)" in metrics
    for make, y in ((make_line, Y), (make_scales, OUTPUTS)):
        for given in (None, X + 2):
            logs, ends = [], []
            more: Names = {}
            if make is make_line:
                more = {"metrics": ["mse"], "weighted_metrics": ["mae"]}
            for kind in (tf.keras.Model, OwnStep):
                model = eagerly(make(kind), rate=1e-5, **more)
                log = model.train_on_batch(
                    X, y, sample_weight=given, return_dict=True
                )
                logs.append(log)
                ends.append(weights_of(model))
            assert logs[0] == pytest.approx(logs[1], rel=1e-5)
            assert ends[0] == pytest.approx(ends[1], rel=1e-5)
            if more:
                rows = np.ones(201) if given is None else x64 + 2
                assert log["mse"] == pytest.approx(np.mean(y64**2), rel=1e-4)
                mae = np.average(abs(y64), weights=rows)
                assert log["mae"] == pytest.approx(mae, rel=1e-4)
    model = eagerly(make_line(), metrics=["mae"])
    model.own = tf.keras.metrics.Mean(name="own")
    model.compute_metrics(X, Y, model(X))
    assert [metric.name for metric in model.metrics][-1] == "own"
    assert float(model.get_metrics_result()["mae"]) > 0
    assert float(model.own.count) == 0
    # Of two inputs, `tf.shape` would tell how many there are.
    assert int(tf.shape([X, X])[0]) == 2
    model = eagerly(make_line(OwnStep), rate=0.0)
    log = model.fit(X, Y, batch_size=100, shuffle=False, verbose=0).history
    assert log["loss"][0] == pytest.approx(np.mean(y64**2), rel=1e-4)


@says("Trains as Keras does, by a step of its own.")
def test_the_log_is_that_of_keras() -> None:
    assert lines(NAME, "own_step")[0] == lines(NAME, "imbalanced")[1]
    assert printed(NAME, "own_step").endswith("logs as Keras does: True")


@says("**The check** changes what must not matter.")
@says(
    "Rows of weight 0 may have any finite outputs, and the model learns the "
    "same."
)
@says("(0 times NaN is NaN.)")
@says("Assert that rows of weight 0 do not change what is learned.")
@says(
    "There is one weight for each row, and `train` has to begin alike each "
    "time."
)
@says("Return a function that trains a line of that class for one step.")
@says("Keras and the mended step pass.")
@says("The step that drops the weights does not.")
def test_the_check() -> None:
    some = tf.cast(X > 1, tf.float32)
    for kind in (tf.keras.Model, OwnStep):
        check_ignored(one_step(kind), X, Y, some)
    with pytest.raises(AssertionError, match="weight 0 moved line/kernel by"):
        check_ignored(one_step(Dropped), X, Y, some)
    # Weights in a vector are as good, and so is a label with another axis.
    check_ignored(one_step(OwnStep), X, Y, some[:, 0])
    with pytest.raises(AssertionError, match="weight 0 moved line/kernel by"):
        check_ignored(one_step(Dropped), X, Y, some[:, 0])
    given = []
    for shape in ((201,), (201, 1), (201, 3, 2)):

        def note(x: Any, y: Any, weights: Any) -> Any:
            given.append(y)
            return make_line()

        check_ignored(note, X, tf.zeros(shape), some[:, 0])
        ones = tf.reshape(given[-1], (201, -1))
        assert given[-1].shape == shape
        assert np.array_equal(ones[:, 0] == 1, some[:, 0] == 0)
        assert np.all(ones == ones[:, :1])

    def at_random(x: Any, y: Any, weights: Any) -> Any:
        model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
        model.build((None, 1))
        return model

    with pytest.raises(AssertionError, match="weight 0 moved"):
        check_ignored(at_random, X, Y, some)
    for value, spoils in ((1e6, False), (np.nan, True), (np.inf, True)):
        outputs = tf.where(some == 0, value, Y)
        found = weights_of(one_step(OwnStep)(X, outputs, some))
        assert np.isnan(found).any() == spoils
    assert printed(NAME, "ignored") == "both pass"
    model = one_step(OwnStep)(X, Y, some)
    assert int(model.optimizer.iterations) == 1
    used = x64 > 1
    slope = -2 * np.sum(y64[used] * x64[used]) / 201
    assert weights_of(model)[0] == pytest.approx(-0.01 * slope, rel=1e-3)


@says("`class_weight` without effect: vectors")
@says("All this was with columns, of the shape `(batch, 1)`.")
@says(
    "Such a loss of Keras takes the mean over the last axis, then weights "
    "what is left."
)
@says("Of a column a number per row is left.")
@says(
    "Of a vector there is one number, the mean of the batch, and it "
    "is multiplied by every weight: a row counts as much as any "
    "other."
)
def test_vectors() -> None:
    weights = np.where(label64 > 0, 9.0, 1.0)
    [columns], [vectors], [product] = lines(NAME, "vectors")
    assert columns == pytest.approx(np.mean(weights * entropies()), abs=1e-3)
    assert (
        vectors
        == product
        == pytest.approx(np.mean(weights) * np.mean(entropies()), abs=1e-3)
    )
    # With two columns, the mean over them is weighted.
    none = tf.keras.losses.MeanSquaredError(reduction=None)
    pairs = np.stack([y64, 2 * y64], axis=1)
    rows = np.mean(pairs**2, axis=1) * weights
    found = none(np.zeros_like(pairs), pairs, weights)
    np.testing.assert_allclose(found, rows, rtol=1e-4)
    assert none(Y, X).shape == (201,)
    assert none(Y[:, 0], X[:, 0]).shape == ()
    many = none(Y[:, 0], X[:, 0], weights)
    assert np.ravel(many / weights) == pytest.approx(
        np.mean((y64 - x64) ** 2), rel=1e-4
    )


@says("`fit` and `evaluate` do the same, without a warning.")
@says(
    "Give the model one more axis, `y[:, tf.newaxis]`, and outputs to match."
)
def test_fit_with_vectors() -> None:
    ends: dict[int, list[float]] = {}
    weights = tf.cast(X[:, 0] > 1, tf.float32)
    share = float(tf.reduce_mean(weights))
    for axes, given in ((1, weights), (0, share * tf.ones(201)), (2, weights)):
        x, y = (X, Y) if axes == 2 else (X[:, 0], Y[:, 0])
        model = eagerly(KerasLinearModel())
        options = {"batch_size": 201, "verbose": 0, "sample_weight": given}
        with warnings.catch_warnings(action="error"):
            model.fit(x, y, **options)
            loss = model.evaluate(x, y, **options)
        ends[axes] = [*weights_of(model), loss]
    assert ends[1] == pytest.approx(ends[0], rel=1e-4)
    assert ends[2] != pytest.approx(ends[0], rel=0.1)


@says(
    "Both have to be vectors for that: labels in a vector meet a column of "
    "outputs row by row, and a column of labels meets outputs in a vector so."
)
@says(
    "And `SparseCategoricalCrossentropy`, which takes no such mean, weights "
    "the rows of a vector of labels as it should."
)
def test_labels_in_a_vector() -> None:
    ends = []
    for label in (LABEL, LABEL[:, 0]):
        model = eagerly(make_line(), tf.keras.losses.BinaryCrossentropy(True))
        options = {"class_weight": {0: 1, 1: 9}, "verbose": 0}
        model.fit(X, label, batch_size=201, **options)
        ends.append(weights_of(model))
    assert ends[0] == pytest.approx(ends[1], rel=1e-5)
    squared, heavy = tf.keras.losses.MeanSquaredError(), 1.0 + 8.0 * LABEL
    by_row = float(tf.reduce_mean(heavy * tf.square(Y - 2.0 * X)))
    for axes in ((1, 2), (2, 1), (2, 2), (1, 1)):
        y, y_pred = (
            part if count == 2 else part[:, 0]
            for part, count in zip((Y, 2.0 * X), axes, strict=True)
        )
        value = float(squared(y, y_pred, heavy[:, 0]))
        row_by_row = value == pytest.approx(by_row, rel=1e-4)
        assert row_by_row == (axes != (1, 1))
        model = KerasLinearModel()
        model.compile(loss=squared, run_eagerly=True)
        model.set_weights([np.float32(2.0), np.float32(0.0)])
        x = X if axes[1] == 2 else X[:, 0]
        options = {"sample_weight": heavy[:, 0], "batch_size": 201}
        found = model.evaluate(x, y, verbose=0, **options)
        assert found == pytest.approx(value, rel=1e-4)
    given = tf.constant([1.0, 9.0, 1.0])
    classes, logits = tf.constant([0, 1, 1]), tf.eye(3, 2)
    sparse = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    rows = -np.log(tf.nn.softmax(logits).numpy()[range(3), classes])
    due, wrong = np.mean(rows * given), np.mean(rows) * np.mean(given)
    assert float(sparse(classes, logits, given)) == pytest.approx(due)
    assert due != pytest.approx(wrong, rel=0.05)


# Weights by hand


@says("In a plain loop, weights and losses are yours.")
@says("Multiply row by row, and insist that the shapes agree.")
@says("Return the mean of the rows' losses, each times its weight.")
@says("That is the `w` of `fit`.")
@says(
    "The function refuses such weights, and shapes that a graph does not know."
)
def test_weighted_loss() -> None:
    weights = tf.where(LABEL > 0, 9.0, 1.0)
    expected = np.mean(np.ravel(weights) * entropies())
    assert float(weighted_loss(LABEL, X, weights)) == pytest.approx(expected)
    with pytest.raises(ValueError, match=r"losses .* weights"):
        weighted_loss(LABEL, X, weights[:, 0])
    known, unknown = (tf.TensorSpec(shape) for shape in ((None, 1), None))
    for signature in ([unknown] * 3, [known, unknown, unknown]):
        with pytest.raises(ValueError, match=r"losses <unknown>, weights <un"):
            tf.function(weighted_loss, signature)(LABEL, X, weights)
    whole = tf.function(weighted_loss, [known] * 3)(LABEL, X, weights)
    assert float(whole) == pytest.approx(expected)
    assert lines(NAME, "by_hand")[0] == lines(NAME, "imbalanced")[1][1:]
    assert "fit(" not in BLOCKS["by_hand"].code


@says(
    "Weights in your own loop change nothing | [All "
    "pairs](#sample-weights-in-a-custom-loop)"
)
@says(
    "Without the two highlighted lines of the function, weights of "
    "the shape `(batch,)` would meet losses of the shape `(batch, "
    "1)`:"
)
@says(
    "Every loss is multiplied by every weight, and the mean is the "
    "mean weight times the mean loss, as with the vectors above."
)
@says(
    "So the gradient is longer, but points where it would point "
    "without any weights."
)
def test_all_pairs() -> None:
    check, refusal = highlighted(BLOCKS["weighted_loss"])
    assert check.endswith("or losses.shape != weights.shape:")
    assert refusal.startswith("raise ")
    model, weights = make_line(), tf.where(LABEL > 0, 9.0, 1.0)

    def losses() -> Any:
        return tf.nn.sigmoid_cross_entropy_with_logits(LABEL, model(X))

    assert losses().shape == (201, 1)
    pairs = weights[:, 0] * losses()
    np.testing.assert_allclose(pairs, np.outer(losses(), weights), rtol=1e-5)
    mean = float(tf.reduce_mean(weights))
    assert float(tf.reduce_mean(pairs)) == pytest.approx(
        mean * float(tf.reduce_mean(losses())), rel=1e-4
    )
    longer = gradient(lambda: tf.reduce_mean(weights[:, 0] * losses()), model)
    plain = gradient(lambda: tf.reduce_mean(losses()), model)
    right = gradient(lambda: tf.reduce_mean(weights * losses()), model)
    assert mean > 1
    assert longer == pytest.approx([mean * part for part in plain], rel=1e-3)
    assert right[0] / right[1] != pytest.approx(plain[0] / plain[1], rel=0.1)
    assert lines(NAME, "all_pairs")[1][2] == lines(NAME, "vectors")[1][0]


@says(
    "Three rows with the losses 1, 4 and 9, without weights and with "
    "the weights 1, 1 and 4."
)
@says('`"sum_over_batch_size"` | the sum over the number of rows; the default')
@says('`"mean"` | the same')
@says('`"sum"` | the sum')
@says('`"mean_with_sample_weight"` | the sum over the sum of the weights')
@says('`"none"` or `None` | a number per row')
@says(
    "So by default weights of 9 make the loss larger, and with it the step of "
    "`SGD`."
)
@says(
    "Divided by the sum of the weights, the loss stays a mean; a "
    "weighted *metric* of Keras is divided so."
)
def test_reductions() -> None:
    losses, weights = np.array([1.0, 4.0, 9.0]), np.array([1.0, 1.0, 4.0])
    given = tf.zeros((3, 1)), tf.constant([[1.0], [2.0], [3.0]])
    kind = tf.keras.losses.MeanSquaredError
    total, summed = np.sum(weights * losses), np.sum(weights)
    for reduction, expected in {
        "sum_over_batch_size": (14 / 3, total / 3),
        "mean": (14 / 3, total / 3),
        "sum": (14, total),
        "mean_with_sample_weight": (14 / 3, total / summed),
    }.items():
        loss = kind(reduction=reduction)
        found = [float(loss(*given)), float(loss(*given, weights))]
        assert found == pytest.approx(expected, rel=1e-5)
    for by_row in ("none", None):
        loss = kind(reduction=by_row)
        np.testing.assert_allclose(loss(*given), losses)
        np.testing.assert_allclose(loss(*given, weights), weights * losses)
    assert kind().reduction == "sum_over_batch_size"
    assert float(kind()(*given, 9 * np.ones(3))) == pytest.approx(9 * 14 / 3)
    mean = kind(reduction="mean_with_sample_weight")
    assert float(mean(*given, 9 * np.ones(3))) == pytest.approx(14 / 3)
    metric = tf.keras.metrics.MeanSquaredError()
    metric.update_state(*given, sample_weight=weights)
    assert float(metric.result()) == pytest.approx(total / summed)
    steps = []
    for one in (1.0, 9.0):
        model = eagerly(make_line())
        model.train_on_batch(X, Y, sample_weight=one * np.ones(201))
        steps.append(weights_of(model)[0])
    assert steps[1] == pytest.approx(9 * steps[0], rel=1e-3)


@says("A weight for each series: Incompatible shapes")
@says(
    "`sample_weight`: `Incompatible shapes: [2,3] vs. [2]` | "
    "[Series](#a-weight-for-each-series-incompatible-shapes)"
)
@says(
    "Of outputs of the shape `(series, time, 1)` a loss for each time is left."
)
@says("A vector weights the times, and nothing says so.")
@says(
    "Where there are not as many times as series, it is `Incompatible shapes: "
    "[2,3] vs. [2]`, in `fit`, too."
)
@says("A column weights the series.")
@says(
    'But `"mean_with_sample_weight"` divides by the sum of what it is given: '
    "repeat the weights for each time."
)
def test_weights_of_series() -> None:
    vector, column = np.reshape(lines(NAME, "by_series"), (2, 3, 3))
    assert vector.tolist() == 3 * [[1, 1, 4]]
    assert column.tolist() == [[1, 1, 1], [1, 1, 1], [4, 4, 4]]
    by_time = SQUARED.fn(tf.ones((5, 3, 1)), tf.zeros((5, 3, 1)))
    assert by_time.shape == (5, 3)
    x = np.arange(1.0, 7.0, dtype=np.float32).reshape(2, 3, 1)
    short, given = x[:, :2], np.array([1.0, 3.0])
    inputs = tf.keras.Input((None, 1))
    model = tf.keras.Model(inputs, tf.keras.layers.Identity()(inputs))

    def fitted(x: Any, weights: Any, loss: Any = "mse") -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = eagerly(model, loss).evaluate(
                *(x, 0 * x), sample_weight=weights, verbose=0
            )
        return float(found)

    with pytest.raises(
        tf.errors.InvalidArgumentError,
        match=r"Incompatible shapes: \[2,3\] vs\. \[2\]",
    ):
        fitted(x, given)
    squares = short[..., 0] ** 2
    right = np.mean(squares * given[:, np.newaxis])
    times = np.mean(squares * given)
    assert fitted(short, given) == pytest.approx(times) != right
    assert fitted(short, given[:, np.newaxis]) == pytest.approx(right)
    mean = tf.keras.losses.MeanSquaredError("mean_with_sample_weight")
    whole = np.repeat(given[:, np.newaxis], 3, axis=1)
    due = np.average(x[..., 0] ** 2, weights=whole)
    assert float(mean(0 * x, x, whole)) == pytest.approx(due)
    found = float(mean(0 * x, x, given[:, np.newaxis]))
    assert found == pytest.approx(3 * due)


@says(
    "[Exercise 1](#exercises) has weights with which both are the "
    "same over all rows."
)
@says(
    "Which class weights make both classes count the same, while the "
    "mean weight of all rows is 1, so that the learning rate can stay "
    "as it was?"
)
@says("Return weights with which zeros and ones count the same.")
def test_balanced() -> None:
    by_class = balanced(LABEL)
    weights = np.where(label64 > 0, by_class[1], by_class[0])
    assert np.mean(weights) == pytest.approx(1)
    assert np.sum(weights[label64 > 0]) == pytest.approx(
        np.sum(weights[label64 == 0])
    )
    found = [
        float(tf.keras.losses.MeanSquaredError(reduction=r)(Y, X, weights))
        for r in ("sum_over_batch_size", "mean_with_sample_weight")
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-5)


# Two outputs


@says(
    "A length is measured twice: in metres, and in centimetres by a "
    "device that shows 50 too many."
)
@says("The model has two outputs, by name.")
@says("Return a line that predicts one length in metres and centimetres.")
@says("A tape wants one number, so add the losses.")
@says("But a squared error in centimetres is 10,000 times that in metres.")
def test_the_scales() -> None:
    model = make_scales()
    for weight in model.weights:
        weight.assign(tf.ones(weight.shape))
    outputs = model(X)
    assert {*outputs} == {"metres", "centimetres"}
    np.testing.assert_allclose(outputs["metres"], X + 1, rtol=1e-5)
    np.testing.assert_allclose(
        outputs["centimetres"], 100 * outputs["metres"], rtol=1e-5
    )
    first = float(SQUARED(100 * Y, outputs["centimetres"]))
    second = float(SQUARED(Y, outputs["metres"]))
    assert first == pytest.approx(1e4 * second, rel=1e-4)
    assert "metres, centimetres = y, 100 * y + 50" in (
        BLOCKS["by_hand_scales"].code
    )


@says(
    "The loss explodes, loss is nan | [Loss per "
    "row](#a-loss-per-row-the-loss-explodes), "
    "[scales](#two-outputs-two-losses)"
)
@says(
    "Train with the plain sum, then with a loss weight that undoes the units."
)
@says(
    "The plain sum is too steep for this learning rate: the loss "
    "becomes infinite, then `nan`, not a number."
)
@says(
    "With the loss weight both devices count the same, and `b` is on "
    "its way to a place half way between them."
)
@says("One line is to suit both.")
def test_the_plain_sum() -> None:
    x, y = (values.astype(np.float32) for values in (x64, y64))
    w, b = np.float32(0), np.float32(0)
    kinds: dict[str, None] = {}
    rate = np.float32(0.1)
    with np.errstate(all="ignore"):
        for start in 3 * [*range(0, 201, 32)]:
            rows = slice(start, start + 32)
            off = w * x[rows] + b - y[rows]
            far = np.float32(100) * off - np.float32(50)
            loss = np.mean(off**2) + np.mean(far**2)
            kind = "nan" if np.isnan(loss) else str(bool(np.isinf(loss)))
            kinds[kind] = None
            slope = 2 * off + 200 * far
            w = w - rate * np.mean(slope * x[rows])
            b = b - rate * np.mean(slope)
    assert [*kinds] == ["False", "True", "nan"]
    plain, weighted = printed(NAME, "by_hand_scales").split("\n")
    assert plain.endswith("w nan, b nan")
    _, _, b_now = numbers(weighted)
    half_way = OFFSET + 0.25
    assert OFFSET < b_now < half_way
    model = make_scales()

    def both() -> Any:
        found = model(X)
        second = SQUARED(OUTPUTS["centimetres"], found["centimetres"])
        return SQUARED(Y, found["metres"]) + 1e-4 * second

    train(model, both, 40)
    assert weights_of(model) == pytest.approx([SLOPE, half_way], abs=1e-3)


@says(
    "**In `fit`:** name the losses, the loss weights and the metrics "
    "by output."
)
@says("Return the model, compiled with a loss for each output.")
@says("The same `w` and `b`.")
@says(
    "In each batch the loss is the weighted sum of the outputs' "
    "losses, which are logged without their weights."
)
def test_two_losses_of_keras() -> None:
    by_hand = lines(NAME, "by_hand_scales")[1][1:]
    assert lines(NAME, "keras_scales")[0] == by_hand
    model = compiled_scales(make_scales())
    log = model.test_on_batch(X, OUTPUTS, return_dict=True)
    parts = [np.mean(y64**2), np.mean((100 * y64 + 50) ** 2)]
    assert [log["metres_loss"], log["centimetres_loss"]] == pytest.approx(
        parts, rel=1e-4
    )
    assert log["loss"] == pytest.approx(parts[0] + 1e-4 * parts[1], rel=1e-4)
    assert log["metres_mae"] == pytest.approx(np.mean(abs(y64)), rel=1e-4)


@says(
    "Why what was logged does not add up is told "
    "[below](#an-uneven-last-batch)."
)
def test_what_was_logged_does_not_add_up() -> None:
    log = dict(
        row.split()[::2]
        for row in printed(NAME, "keras_scales").split("\n")[1:]
    )
    values = {name: float(end) for name, end in log.items()}
    total = values["metres_loss"] + 1e-4 * values["centimetres_loss"]
    assert abs(total - values["loss"]) > 0.01


UNITS = {"metres": tf.ones((4, 1)), "centimetres": tf.ones((4, 1))}
"""A loss of 1 for each output of a line that is zero everywhere."""


def still(weight: Any, change: Any, **options: Any) -> Any:
    """Train a model that does not move; return the history."""
    model = make_scales()
    losses = {"metres": "mse", "centimetres": "mse"}
    model.compile(SGD(0.0), losses, weight, **options)
    setter = tf.keras.callbacks.LambdaCallback(on_epoch_begin=change(model))
    options = {"validation_data": (X[:4], UNITS), "callbacks": [setter]}
    return model.fit(X[:4], UNITS, epochs=3, verbose=0, **options).history


@says("Change a loss weight during training: annealing, a curriculum")
@says("A loss weight that is changed does nothing | [Annealing]")
@says(
    "Here the learning rate is 0, so that nothing but the loss weight can "
    "change the loss."
)
@says("Return the loss of three epochs, in which no weight moves.")
@says("Let the second loss in, a ten-thousandth an epoch.")
@says(
    "`fit` looks the numbers up in its first step and keeps them, with "
    "`run_eagerly=True`, too."
)
@says("`model.loss_weights = …` sets an attribute that nobody reads.")
@pytest.mark.parametrize("eager", [False, True])
def test_a_loss_weight_that_is_a_number(eager: bool) -> None:
    first, *rest = lines(NAME, "frozen_weight")[0]
    assert rest == [first, first]
    rising = lines(NAME, "rising_weight")[0]
    assert rising[0] == first < rising[1] < rising[2]
    assert np.diff(rising) == pytest.approx(
        1e-4 * np.mean((100 * y64 + 50) ** 2), abs=0.02
    )
    weights = {"metres": 1.0, "centimetres": 7.0}

    def by_number(model: Any) -> Any:
        def set_number(epoch: int, logs: Any = None) -> None:
            weights["centimetres"] = float(epoch)

        return set_number

    # Before the first step the weight is still looked up, and was set to 0.
    log = still(weights, by_number, run_eagerly=eager)
    assert log["loss"] == [1, 1, 1]
    assert weights["centimetres"] == 2

    def by_attribute(model: Any) -> Any:
        def set_attribute(epoch: int, logs: Any = None) -> None:
            model.loss_weights = {"metres": 1.0, "centimetres": float(epoch)}

        return set_attribute

    weights = {"metres": 1.0, "centimetres": 7.0}
    log = still(weights, by_attribute, run_eagerly=eager)
    assert log["loss"] == [8, 8, 8]


@says("A variable is read in every step.")
@says(
    "**The check** is a learning rate of 0: the loss follows the weight. So "
    "does `val_loss`, and those of two epochs cannot be compared."
)
@says(
    "Give `EarlyStopping` the loss of one output, `val_metres_loss`, which is "
    "logged without its weight."
)
def test_a_loss_weight_that_is_a_variable() -> None:
    for kind in (tf.Variable, tf.keras.Variable):
        weight = kind(0.0, trainable=False)

        def change(_: Any, weight: Any = weight) -> Any:
            return lambda epoch, logs: weight.assign(epoch)

        log = still({"metres": weight, "centimetres": 1.0}, change)
        assert log["loss"] == log["val_loss"] == [1, 2, 3]
        assert log["metres_loss"] == log["val_metres_loss"] == [1, 1, 1]


@says(
    "So the number of the epoch gets there as a variable that a callback "
    "sets; that of the update is in `self.optimizer.iterations`."
)
def test_the_number_of_the_epoch_in_a_step() -> None:
    epoch_now = tf.Variable(0.0, trainable=False)

    class Telling(tf.keras.Model):
        def train_step(self, data: Any) -> Any:
            updates = tf.identity(self.optimizer.iterations)
            super().train_step(data)
            return {"epoch": tf.identity(epoch_now), "updates": updates}

    model = make_line(Telling)
    model.compile("sgd", "mse")
    setter = tf.keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: epoch_now.assign(epoch)
    )
    log = model.fit(
        *(X[:4], Y[:4]),
        batch_size=2,
        epochs=3,
        verbose=0,
        callbacks=[setter],
    ).history
    assert log == {"epoch": [0, 1, 2], "updates": [1, 3, 5]}


@says(
    "And of a Python number in a loss function of your own, or in "
    "`add_loss`, the graph [keeps the "
    "value](traps.md#8-a-number-frozen-in-a-graph) that it had."
)
@says(
    "A variable does in a loss function and in `add_loss`, too, and in a "
    "`train_step`."
)
@says(
    "A `tf.keras.Variable` that is an attribute of a layer is trained along "
    "with the others unless you say `trainable=False`, and training makes it "
    "small, for that makes the loss small."
)
@pytest.mark.filterwarnings("ignore:The model does not have any trainable")
def test_a_weight_in_a_loss_of_ones_own() -> None:
    class Adding(tf.keras.layers.Layer):
        weight: Any

        def call(self, x: tf.Tensor) -> tf.Tensor:
            self.add_loss(self.weight * tf.reduce_mean(x))
            return x

    ones = tf.ones((4, 1))
    for weight, wanted in (
        (0.0, [0, 0, 0]),
        (tf.Variable(0.0, trainable=False), [0, 1, 2]),
        (tf.keras.Variable(0.0, trainable=False), [0, 1, 2]),
        (tf.keras.Variable(0.0), [0, 1, 2]),
    ):
        box = {"weight": weight}
        layer, inputs = Adding(), tf.keras.Input((1,))
        layer.weight = weight

        def change(
            epoch: int, logs: Any, layer: Any = layer, box: Any = box
        ) -> None:
            if isinstance(box["weight"], float):
                box["weight"] = layer.weight = float(epoch)
            else:
                box["weight"].assign(epoch)

        def error(y: Any, y_pred: Any, box: Any = box) -> Any:
            return box["weight"] * tf.reduce_mean((y + 1 - y_pred) ** 2, -1)

        setter = tf.keras.callbacks.LambdaCallback(on_epoch_begin=change)
        options = {"epochs": 3, "verbose": 0, "callbacks": [setter]}
        model = tf.keras.Model(inputs, layer(inputs))
        model.compile(SGD(0.25), "mse")
        log = model.fit(ones, ones, **options).history
        assert log["loss"] == wanted
        trained = {id(v) for v in model.trainable_variables}
        assert (id(weight) in trained) == (float(box["weight"]) == 1.75)
        assert float(box["weight"]) in (1.75, 2)
        plain = tf.keras.Sequential([tf.keras.Input((1,))])
        plain.compile(SGD(0.25), error)
        assert plain.fit(ones, ones, **options).history["loss"] == wanted
    page = (DOCS / "traps.md").read_text("utf-8")
    assert "\n## 8. A number frozen in a graph\n" in page
    assert weighted_losses(
        {"metres": 1.0, "centimetres": 1.0}, lambda *_: None, ones, UNITS
    ) == [2, 2, 2]
    assert "An uneven last batch" in HEADINGS
    told = SOURCE.partition("## An uneven last batch")[2]
    assert "the parts do not add up" in " ".join(told.split())


@says("Invalid `metrics`: as many entries as outputs")
@says(
    "`Invalid metrics`, `as many entries as the model has outputs` | "
    "[Entries](#invalid-metrics-as-many-entries-as-outputs)"
)
@says(
    "Metrics that are named for no output are no longer given to all of them."
)
@says("A name that no output has ends in the same message.")
@says(
    "A list with an entry for each output is taken, but in which order? Try "
    "it with the outputs themselves."
)
def test_metrics_for_no_output() -> None:
    said = printed(NAME, "one_metric")
    assert said.startswith("ValueError: ")
    assert "Invalid `metrics`. `metrics` should contain" in said
    assert "metrics=['mae']" in said
    for model in (make_scales(), in_a_list()):
        with pytest.raises(ValueError, match="Invalid `metrics`"):
            eagerly(model, metrics=["mae"]).test_on_batch(X, of(model))
        named = {"metres": "mae", "b": "mae"}
        with pytest.raises(ValueError, match="Invalid `metrics`"):
            eagerly(model, metrics=named).test_on_batch(X, of(model))
        eagerly(model, metrics=["mae", "mae"]).test_on_batch(X, of(model))


def in_a_list() -> Any:
    """Return the model of two scales with its outputs in a list."""
    model = make_scales()
    names = ("metres", "centimetres")
    return tf.keras.Model(
        model.inputs, [model.get_layer(name).output for name in names]
    )


def of(model: Any) -> Any:
    """Return the lengths as the outputs of the model stand."""
    by_name = isinstance(model.output, dict)
    return OUTPUTS if by_name else [*OUTPUTS.values()]


def measured(model: Any, y: Any, **options: Any) -> dict[str, float]:
    """Return what the model, compiled like this, is found to be."""
    options = {"loss": "mse", "run_eagerly": True} | options
    model.compile("sgd", **options)
    return dict(model.test_on_batch(X, y, return_dict=True))


@says("Two outputs learn each other's labels | [Entries](#invalid … outputs)")
@says(
    "Where the outputs have names, lists are taken in the order of the "
    "alphabet: centimetres first."
)
@says(
    "The first model was given the lengths the wrong way round, and `fit` "
    "would train it so, without an error."
)
@says("Lists of losses, loss weights and metrics are taken so, too.")
@says(
    "Therefore the **mend** is what the section began with: name everything "
    "by output."
)
def test_lists_in_the_order_of_the_alphabet() -> None:
    parts = np.mean(y64**2), np.mean((100 * y64 + 50) ** 2)
    (a, b), named = lines(NAME, "in_lists")
    assert [a, b] == pytest.approx(parts[::-1], abs=0.01)
    assert named == pytest.approx(parts, abs=0.01)
    assert highlighted(BLOCKS["in_lists"]) == [
        "for lengths in ([metres, centimetres], outputs):"
    ]
    losses, scales = {"metres": "mse", "centimetres": "mae"}, make_scales()
    assert [*scales.output] == ["metres", "centimetres"]
    found = measured(scales, OUTPUTS, loss=[*losses.values()])
    assert found["metres_loss"] == pytest.approx(np.mean(abs(y64)), rel=1e-4)
    found = measured(scales, OUTPUTS, loss=losses)
    assert found["metres_loss"] == pytest.approx(parts[0], rel=1e-4)
    found = measured(scales, OUTPUTS, metrics=["mae", "mape"])
    assert {"centimetres_mae", "metres_mape"} < {*found}
    given = {"metres": 1.0, "centimetres": 0.0}
    for loss in (["mse", "mse"], dict.fromkeys(given, "mse")):
        listed = {"loss": loss, "loss_weights": [*given.values()]}
        found = measured(scales, OUTPUTS, **listed)
        assert found["loss"] == pytest.approx(parts[1], rel=1e-4)
    by_name = {"loss": dict.fromkeys(given, "mse"), "loss_weights": given}
    found = measured(scales, OUTPUTS, **by_name)
    assert found["loss"] == pytest.approx(parts[0], rel=1e-4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for y, due in ((OUTPUTS, parts[0]), (of(in_a_list()), parts[1])):
            model = make_scales()
            model.compile(SGD(1e-6), run_eagerly=True, **by_name)
            log = model.fit(X, y, batch_size=201, verbose=0).history
            assert log["loss"] == [pytest.approx(due, rel=1e-3)]


@says(
    "For `Model(inputs, [a, b])` lists have the order of the model, and the "
    "names are those of the layers `a` and `b`."
)
@says(
    "Give it all losses and loss weights as lists, or all by name: names for "
    "the loss weights alone go by the alphabet again."
)
def test_outputs_in_a_list() -> None:
    parts = np.mean(y64**2), np.mean((100 * y64 + 50) ** 2)
    names = ["metres", "centimetres"]
    losses, given = ["mse", "mae"], [1.0, 0.0]
    by_name = dict(zip(names, losses, strict=True))
    weights = dict(zip(names, given, strict=True))
    for y in (of(in_a_list()), OUTPUTS):
        for loss, weighted in ((losses, given), (by_name, weights)):
            found = measured(
                *(in_a_list(), y), loss=loss, loss_weights=weighted
            )
            assert found["loss"] == pytest.approx(parts[0], rel=1e-4)
        for metrics in (["mae", "mape"], {names[0]: "mae", names[1]: "mape"}):
            found = measured(in_a_list(), y, metrics=metrics)
            assert {"metres_mae", "centimetres_mape"} < {*found}
    found = measured(
        *(in_a_list(), OUTPUTS), loss=["mse", "mse"], loss_weights=weights
    )
    assert found["loss"] == pytest.approx(parts[1], rel=1e-4)


@says(
    "`y_true and y_pred have different structures` means more `y` than "
    "outputs; `The path … can't be found` means fewer, or a loss under the "
    "name of no output."
)
@says(
    "An output without a loss is not trained; of its own layers `Gradients do "
    "not exist for variables` says so."
)
def test_more_or_fewer_than_outputs() -> None:
    for model in (make_scales(), in_a_list()):
        with pytest.raises(ValueError, match="have different structures"):
            measured(model, [Y, Y, Y])
        for given in (Y, [Y]):
            with pytest.raises(KeyError, match=r"The path: .* can't be found"):
                measured(model, given)
    with pytest.raises(KeyError, match=r"The path: .* can't be found"):
        measured(make_scales(), OUTPUTS, loss={"metres": "mse", "b": "mse"})
    inputs = tf.keras.Input((1,))
    layers = [tf.keras.layers.Dense(1, name=name) for name in "ab"]
    for loss, y in (
        (["mse"], [Y, Y]),
        (["mse", None], [Y, Y]),
        ({"a": "mse"}, {"a": Y, "b": Y}),
    ):
        outputs: Any = [layer(inputs) for layer in layers]
        if isinstance(loss, dict):
            outputs = dict(zip("ab", outputs, strict=True))
        model = eagerly(tf.keras.Model(inputs, outputs), loss)
        before = [layer.get_weights()[0].item() for layer in layers]
        with pytest.warns(UserWarning, match=r"do not exist .*'b/kernel'"):
            model.train_on_batch(X, y)
        after = [layer.get_weights()[0].item() for layer in layers]
        assert before[0] != after[0]
        assert before[1] == after[1]


@says("Expected any non-tensor type, but got a tensor instead.")
@says(
    "`Expected any non-tensor type, but got a tensor` | [Two "
    "outputs](#expected-any-non-tensor-type-but-got-a-tensor-instead)"
)
@says("Trains by a step that updates all metrics in one loop.")
@says(
    "Keras 3 itself advised it, in a warning, and with one output it "
    "[logs a wrong loss](traps.md#5-a-log-of-something-else)."
)
@says("With two in a list it logs wrong ones, too. With two by name it fails:")
@says(
    "The first of `self.metrics` is the mean of the loss, and cannot "
    "take the mean of a dictionary."
)
@says(
    "The step [above](#sample_weight-dropped-in-silence) gives it the "
    "loss, and leaves the rest to Keras."
)
def test_the_loop_over_all_metrics() -> None:
    said = "Expected any non-tensor type, but got a tensor instead."
    assert f"TypeError: {said}" in printed(NAME, "loop")
    model = eagerly(make_scales(Loop), rate=1e-5)
    with pytest.raises((TypeError, ValueError)):
        model.train_on_batch(X, OUTPUTS)
    first, *_ = model.metrics
    assert type(first) is tf.keras.metrics.Mean
    assert first.name == "loss"
    with pytest.raises((TypeError, ValueError)):
        first.update_state(OUTPUTS, OUTPUTS)
    logs = [
        eagerly(make_line(kind)).train_on_batch(X, Y)
        for kind in (tf.keras.Model, OwnStep, Loop)
    ]
    assert logs[1] == pytest.approx(logs[0], rel=1e-5)
    assert logs[2] != pytest.approx(logs[0], rel=0.1)

    def in_a_list(kind: Any) -> Any:
        inputs = tf.keras.Input((1,))
        layers = [tf.keras.layers.Dense(1, "linear", True, "ones")]
        layers.append(tf.keras.layers.Dense(1, "linear", True, "zeros"))
        model = kind(inputs, [layer(inputs) for layer in layers])
        return eagerly(model, ["mse", "mse"]).train_on_batch(X, [Y, Y])

    due, own, looped = map(in_a_list, (tf.keras.Model, OwnStep, Loop))
    assert own == pytest.approx(due, rel=1e-5)
    assert looped != pytest.approx(due, rel=0.1)
    advice = "for metric in self.metrics:"
    assert advice in printed("keras_from_fit_inwards", "old_step")
    traps = (DOCS / "traps.md").read_text("utf-8")
    assert "\n## 5. A log of something else\n" in traps
    assert printed(NAME, "own_scales") == "logs as Keras does: True"


@says(
    "With two outputs by name, `sample_weight` is one tensor for both or a "
    "dictionary with a tensor for each; with two in a list, one tensor or a "
    "list."
)
@says("`class_weight` raises an error.")
def test_weights_of_two_outputs() -> None:
    ones = tf.ones(201)
    model = eagerly(make_scales())
    for given, share in (
        (2 * ones, (2, 2)),
        ({"metres": ones, "centimetres": 3 * ones}, (1, 3)),
    ):
        found = model.test_on_batch(X, OUTPUTS, given, return_dict=True)
        parts = np.mean(y64**2), np.mean((100 * y64 + 50) ** 2)
        assert found["loss"] == pytest.approx(np.dot(share, parts), rel=1e-4)
    with pytest.raises(ValueError, match="class_weight"):
        model.fit(X, OUTPUTS, class_weight=CLASSES, verbose=0)
    with pytest.raises(TypeError):
        model.test_on_batch(X, OUTPUTS, [ones, ones])
    listed = tf.keras.Model(model.inputs, [*model(model.inputs[0]).values()])
    for given, share in ((2 * ones, (2, 2)), ([ones, 3 * ones], (1, 3))):
        listed = eagerly(listed, ["mse", "mse"])
        found = listed.test_on_batch(X, [*OUTPUTS.values()], given)
        assert found[0] == pytest.approx(np.dot(share, parts), rel=1e-4)


# A loss per row


@says("`MeanSquaredError()` is an object that returns one number.")
@says(
    "The function `tf.keras.losses.mse` returns one for each row of a "
    "column, and so do `mae`, `huber`, `binary_crossentropy` and the "
    "like."
)
@says("Take the mean, or use the object.")
@says("**The check** is the last line: the shape of a loss is empty.")
def test_functions_and_objects() -> None:
    some = 0.5 * tf.ones((5, 1))
    kinds = ["mse", "mae", "huber", "binary_crossentropy", "mape", "msle"]
    for name in [*kinds, "logcosh", "hinge"]:
        assert getattr(tf.keras.losses, name)(some, some).shape == (5,)
    assert SQUARED(some, some).shape == ()
    rows = tf.keras.losses.mse(Y, X)
    assert float(tf.reduce_mean(rows)) == pytest.approx(float(SQUARED(Y, X)))
    code = BLOCKS["one_number"].code.rstrip()
    assert code.endswith("\nassert loss.shape == ()")
    assert rows.shape != ()


@says("Incompatible shapes: a loss function in `compile`")
@says("`Incompatible shapes: [8] vs. [16]` | [Loss functions] … compile)")
@says("Return a loss for `compile`: the mean absolute error over an axis.")
@says(
    "A tape wants one number. A function that you give to `compile` is to "
    "return one for each row, of the shape `(batch,)`; Keras multiplies them "
    "by the weights and takes the mean."
)
@says("Here are absolute errors of two outputs.")
@says("Without weights it makes no difference.")
@says(
    "But where the function takes the mean over all axes, each weight "
    "multiplies the same number, and what comes out is the mean weight times "
    "the loss: no row counts more than another."
)
@says(
    "**The check** is that `loss(y, y_pred)` has as many numbers as `y` has "
    "rows."
)
def test_a_loss_of_ones_own_over_an_axis() -> None:
    both = np.concatenate([Y, Y**2], axis=1)
    rows = np.mean(np.abs(both), axis=1)
    weights = np.where(LABEL[:, 0] > 0, 9.0, 1.0)
    plain, weighted = np.mean(rows), np.mean(weights * rows)
    [mean, last, whole] = lines(NAME, "axes")
    assert mean == [pytest.approx(np.mean(weights), abs=1e-4)]
    assert last[1:] == pytest.approx([plain, weighted], abs=1e-3)
    diluted = mean[0] * plain
    assert whole == pytest.approx([plain, diluted], abs=1e-3)
    assert weighted > 1.5 * diluted
    ones, zeros = tf.ones((8, 2)), tf.zeros((8, 2))
    for axis, shape in ((-1, (8,)), (None, ()), (0, (2,))):
        assert mean_error(axis)(ones, zeros).shape == shape
    for axis in (-1, None, 0):
        dense = tf.keras.layers.Dense(2, kernel_initializer="zeros")
        model = eagerly(tf.keras.Sequential([dense]), mean_error(axis))
        found = model.fit(X, both, 201, verbose=0, shuffle=False)
        assert found.history["loss"] == [pytest.approx(plain, rel=1e-4)]


@says("And over the rows?")
@says(
    "A number per column meets a weight per row. `fit` names the two in "
    "either order, or says `Dimensions must be equal, but are 2 and 16`."
)
@says("Of one column it would have been one number again, without an error.")
@says(
    "A loss that compares rows with each other may return fewer numbers than "
    "there are rows, and then takes no weights."
)
def test_a_loss_of_columns_or_of_pairs() -> None:
    said = printed(NAME, "columns")
    assert "Incompatible shapes: [2] vs. [201]" in said
    weights = np.arange(16.0)
    x, two = np.ones((16, 1), np.float32), np.ones((16, 2), np.float32)
    for batch, words in (
        (16, "Dimensions must be equal, but are 2 and 16"),
        (32, r"shapes: (\[16\] vs\. \[2\]|\[2\] vs\. \[16\])"),
    ):
        model = tf.keras.Sequential([tf.keras.layers.Dense(2)])
        model.compile("sgd", loss=mean_error(0))
        with pytest.raises(
            (ValueError, tf.errors.InvalidArgumentError), match=words
        ):
            model.fit(x, two, batch, sample_weight=weights, verbose=0)
    one = eagerly(make_line(), mean_error(0))
    logs = one.fit(x, 2 * x, 16, sample_weight=weights, verbose=0).history
    assert logs["loss"] == [pytest.approx(2 * np.mean(weights))]

    def of_pairs(y: Any, y_pred: Any) -> Any:
        return tf.reduce_mean(
            tf.reshape(tf.square(y - y_pred), (-1, 2)), axis=1
        )

    pairs = eagerly(make_line(), of_pairs)
    logs = pairs.fit(x, 2 * x, 16, verbose=0).history
    assert logs["loss"] == [pytest.approx(4)]
    with pytest.raises(
        tf.errors.InvalidArgumentError,
        match=r"Incompatible shapes: \[8\] vs\. \[16\]",
    ):
        pairs.fit(x, 2 * x, 16, sample_weight=weights, verbose=0)


@says(
    "The tape takes the gradient of the *sum* if there is more than "
    "one number, and of 201 rows that is 201 times the gradient of "
    "the mean."
)
@says(
    "With small batches and a small learning rate it may even train, "
    "and then break when the batch grows."
)
def test_the_tape_sums() -> None:
    model = make_line()
    rows = gradient(lambda: tf.keras.losses.mse(Y, model(X)), model)
    expected = [-2 * np.sum(y64 * x64), -2 * np.sum(y64)]
    assert rows == pytest.approx(expected, rel=1e-4)
    mean = gradient(lambda: SQUARED(Y, model(X)), model)
    assert rows == pytest.approx([201 * part for part in mean], rel=1e-4)
    last = {}
    for batch in (4, 201):
        w = b = 0.0
        for start in 2 * [*range(0, 201, batch)]:
            part = slice(start, start + batch)
            off = w * x64[part] + b - y64[part]
            w -= 0.01 * 2 * float(np.sum(off * x64[part]))
            b -= 0.01 * 2 * float(np.sum(off))
        last[batch] = np.mean((w * x64 + b - y64) ** 2)
    assert last[4] < 3 < np.mean(y64**2) < last[201]
    losses = [row[0] for row in lines(NAME, "per_row")]
    assert losses == sorted(losses)


# Uneven batches


@says(
    "An epoch's loss is not the mean of its rows | [Uneven "
    "batches](#an-uneven-last-batch)"
)
@says("Of 201 rows in batches of 100, the last batch has one row.")
@says("The mean of the batches' losses counts this row a hundred times.")
@says(
    "`Mean` takes the number of rows as a weight, and `fit` does that "
    "for its loss."
)
@says(
    "Training is no different: a step takes the mean of its batch, so "
    "in every epoch this row counts as much as a hundred others."
)
def test_uneven_batches() -> None:
    rows = [slice(start, start + 100) for start in (0, 100, 200)]
    assert [len(X[part]) for part in rows] == [100, 100, 1]
    losses = [float(np.mean(y64[part] ** 2)) for part in rows]
    counted = np.append(np.ones(200), 100.0)
    mean = np.mean(losses)
    assert mean == pytest.approx(np.average(y64**2, weights=counted))
    shown = [row[-1] for row in lines(NAME, "uneven")]
    right = float(np.mean(y64**2))
    assert shown == pytest.approx([*losses, mean, right, right], abs=1e-3)
    tracker = tf.keras.metrics.Mean()
    for loss, part in zip(losses, rows, strict=True):
        tracker.update_state(loss, sample_weight=len(X[part]))
    assert float(tracker.result()) == pytest.approx(right, rel=1e-5)
    model = eagerly(make_line(), rate=0.0)
    log = model.fit(X, Y, batch_size=100, shuffle=False, verbose=0).history
    assert log["loss"][0] == pytest.approx(right, rel=1e-4)
    # At a tiny rate, an epoch adds up the gradients of its batches.
    model = eagerly(make_line(), rate=1e-5)
    model.fit(X, Y, batch_size=100, shuffle=False, verbose=0)
    slope = 2e-5 * np.sum(counted * x64 * y64) / 100
    assert weights_of(model)[0] == pytest.approx(slope, rel=1e-2)


@says(
    "Shuffle, so that it is another row each time, or leave it out "
    "with `batch(100, drop_remainder=True)`."
)
@says(
    "To put a large batch together from small ones, weight their "
    "gradients by their rows, as in [exercise 2](#exercises)."
)
@says(
    "Sum up the gradients of batches of 32 so that you get the "
    "gradient of all 201 rows at once."
)
@says("Return the gradient of the mean over all rows, batch by batch.")
@says(
    "The mean over all rows is the sum of the batches' means, each "
    "times its share of the rows."
)
@says("The gradient of a sum is the sum of the gradients.")
def test_summed_gradients() -> None:
    data = tf.data.Dataset.range(201)
    left = [len(part) for part in data.batch(100, drop_remainder=True)]
    assert left == [100, 100]
    mixed = data.shuffle(201, seed=1).batch(100)
    ends = [int([*mixed][-1][0]) for _ in range(3)]
    assert len({*ends}) > 1
    model = make_line()
    whole = gradient(lambda: SQUARED(Y, model(X)), model)
    assert whole == pytest.approx(
        [-2 * np.mean(x64 * y64), -2 * np.mean(y64)], rel=1e-4
    )
    for batch in (32, 100):
        found = summed_gradients(model, X, Y, batch)
        values = [float(part.numpy().item()) for part in found]
        assert values == pytest.approx(whole, rel=1e-4)
    parts = [y64[start : start + 32] for start in range(0, 201, 32)]
    shares = sum(np.mean(part) * len(part) / 201 for part in parts)
    assert shares == pytest.approx(np.mean(y64))
    assert np.mean([np.mean(part) for part in parts]) != pytest.approx(
        np.mean(y64), rel=1e-3
    )


@says("Keras itself is caught by this where it logs the loss of each output.")
@says("The `loss` is the mean over the rows.")
@says(
    "But `metres_loss` is the mean of three batches, as above, and so "
    "the parts do not add up."
)
@says(
    "`fit` logs the same; only with `run_eagerly=True` is each the "
    "mean over the rows."
)
@says("Give an output its loss as a metric, too, if you need to rely on it.")
def test_keras_is_caught() -> None:
    model = make_scales()
    model.compile(
        SGD(0.0),
        loss={"metres": "mse", "centimetres": "mse"},
        loss_weights={"metres": 1.0, "centimetres": 1e-4},
        metrics={"metres": ["mse"]},
    )
    eager = compiled_scales(make_scales())
    eager.run_eagerly = True
    options: Names = {"batch_size": 100, "verbose": 0}
    fit = model.fit(X, OUTPUTS, shuffle=False, **options).history
    logs = [
        model.evaluate(X, OUTPUTS, return_dict=True, **options),
        {name: values[0] for name, values in fit.items()},
    ]
    batches = [y64[start : start + 100] for start in (0, 100, 200)]
    of_batches = np.mean([np.mean(part**2) for part in batches])
    total = np.mean(y64**2) + np.mean((y64 + 0.5) ** 2)
    for log in logs:
        assert log["loss"] == pytest.approx(total, rel=1e-4)
        assert log["metres_loss"] == pytest.approx(of_batches, rel=1e-4)
        parts = log["metres_loss"] + 1e-4 * log["centimetres_loss"]
        assert parts != pytest.approx(total, rel=0.05)
        [reliable] = [v for n, v in log.items() if n.startswith("metres_m")]
        assert reliable == pytest.approx(np.mean(y64**2), rel=1e-4)
    log = eager.evaluate(X, OUTPUTS, return_dict=True, **options)
    assert log["metres_loss"] == pytest.approx(np.mean(y64**2), rel=1e-4)
    [loss, metres], [added] = lines(NAME, "uneven_log")
    assert loss == pytest.approx(total, abs=1e-3)
    assert metres == pytest.approx(of_batches, abs=1e-3)
    assert added < loss - 1


# Masks


@says(
    "Series of unequal lengths are padded with zeros, to make a "
    "tensor of them."
)
@says("Return series of unequal lengths, padded with zeros, and a mask.")
@says(
    "Inputs and outputs have the shape (series, time, 1), the mask "
    "has two axes."
)
@says(
    "A function to train with, and a model whose first layer masks "
    "times at which all inputs are zero."
)
@says("Return a line for series that masks times at which all inputs are 0.")
@says("Minimise what loss() returns; tell where w and b came to rest.")
def test_the_series() -> None:
    x, y, mask = make_series(X, Y, LENGTHS)
    assert x.shape == y.shape == (41, 8, 1)
    assert mask.shape == (41, 8)
    assert np.array_equal(tf.boolean_mask(x, mask), X)
    assert np.array_equal(tf.boolean_mask(y, mask), Y)
    for padded in (x, y):
        assert not np.any(padded.numpy()[~mask.numpy()])
    model = make_masked()
    assert type(model.layers[1]) is tf.keras.layers.Masking
    found = model.layers[1].compute_mask(x)
    assert np.array_equal(found, np.any(x.numpy() != 0, axis=-1))
    model = make_line()
    said = numbers(train(model, lambda: SQUARED(Y, model(X)), 25))
    assert said[:2] == pytest.approx([SLOPE, OFFSET], abs=2e-3)
    assert said[:2] == pytest.approx(weights_of(model), abs=1e-4)


@says(
    "Padding draws the predictions to zero | "
    "[Masks](#mask-the-loss-over-padded-rows)"
)
@says("Mask: the loss over padded rows")
@says("Return the mean over all times, padding included.")
@says("Return the mean over the times that are not padding.")
@says("The masking layer did not help.")
@says(
    "At every padded time the model was told that an input of 0 has "
    "the output 0, and `b` was drawn towards it."
)
@says("The mean has to leave the padding out, of the sum and of the count.")
@says(
    "**The check** is [that of the "
    "weights](#sample_weight-dropped-in-silence): change the padding, "
    "and nothing changes."
)
def test_padding() -> None:
    x, y, mask = make_series(X, Y, LENGTHS)
    plain, padded = lines(NAME, "padded")
    [masked] = lines(NAME, "masked")
    best = float(np.mean((SLOPE * x64 + OFFSET - y64) ** 2))
    assert plain == masked == pytest.approx([SLOPE, OFFSET, best], abs=1e-3)
    rows = np.append(x64, np.zeros(127)), np.append(y64, np.zeros(127))
    assert len(rows[0]) == 41 * 8
    assert padded[:2] == pytest.approx(np.polyfit(*rows, 1), abs=2e-3)
    assert 0 < padded[1] < plain[1] - 0.5
    zero = make_masked()(x)
    total = float(tf.reduce_sum(tf.square(zero - y)))
    names = ran(
        NAME,
        "padded",
        "masked",
        **{"series_x": x, "series_y": y, "mask": mask},
        **{"x": X, "y": Y, "squared": SQUARED, "model": None},
        train=lambda model, loss, updates=0: "",
    )
    found = [float(names[f"{n}_loss"]()) for n in ("padded", "masked")]
    assert found == pytest.approx([total / 328, total / 201], rel=1e-4)
    names["series_y"] = tf.where(mask[..., tf.newaxis], y, 7.0)
    changed = [float(names[f"{n}_loss"]()) for n in ("padded", "masked")]
    assert changed[0] > found[0] + 1
    assert changed[1] == found[1]


@says("A mask that gets lost")
@says(
    "The loss objects of Keras look for the mask that a masking layer "
    "has left with the predictions."
)
@says("The first number knows of the mask.")
@says(
    "Arithmetic makes a new tensor, which has none, and the second "
    "number is over all times again."
)
@says(
    "And the first is not quite the third: the layer masked a true "
    "row, whose input happens to be zero."
)
@says("A mask from the lengths has neither fault.")
def test_a_lost_mask() -> None:
    x, y, mask = make_series(X, Y, LENGTHS)
    predictions = make_masked()(x)
    seen = x64 != 0
    assert np.sum(~seen) == 1
    first = np.sum(y64[seen] ** 2) / 200
    second = np.sum(y64**2) / 328
    third = np.mean(y64**2)
    assert float(SQUARED(y, predictions)) == pytest.approx(first, rel=1e-4)
    assert float(SQUARED(y, 1.0 * predictions)) == pytest.approx(
        second, rel=1e-4
    )
    assert not hasattr(1.0 * predictions, "_keras_mask")
    assert tf.keras.losses.mse(y, predictions).shape == (41, 8)
    *shown, [mistakes] = lines(NAME, "lost_mask")
    ends = [row[-1] for row in shown]
    assert ends == pytest.approx([first, second, third], abs=1e-3)
    assert abs(first - third) > 0.01
    assert mistakes == 1
    for scale in (1.0, 2.0):
        squares = tf.square(scale * predictions / scale - y)
        own = float(tf.reduce_mean(tf.boolean_mask(squares, mask)))
        assert own == pytest.approx(third, rel=1e-4)


# Penalties


@says(
    "A regulariser does nothing | "
    "[Penalties](#regularization-losses-in-a-custom-loop)"
)
@says("A regulariser of a layer adds its penalty to `model.losses`.")
@says("`fit` adds them to the loss.")
@says("A loop has to do it.")
@says("Return a line with a penalty of half its squared weight.")
@says("The weight is that of least squares: no penalty.")
@says(
    "In a `train_step`, `self.compute_loss` adds the penalties for "
    "you, and the loss that is logged contains them."
)
def test_penalties() -> None:
    model = make_penalised()
    kernel = model.trainable_variables[0]
    kernel.assign([[3.0]])
    [penalty] = model.losses
    assert float(penalty) == pytest.approx(4.5)
    [forgotten] = lines(NAME, "penalised")
    assert forgotten[:2] == pytest.approx([SLOPE, OFFSET], abs=1e-3)
    rows = np.mean((3 * x64 - y64) ** 2)
    for kind in (tf.keras.Model, OwnStep):
        inputs = tf.keras.Input((1,))
        penalised = eagerly(kind(inputs, model(inputs)), rate=0.0)
        log = penalised.fit(X, Y, batch_size=201, verbose=0).history
        assert log["loss"][0] == pytest.approx(rows + 4.5, rel=1e-4)
    assert float(SQUARED(Y, model(X))) == pytest.approx(rows, rel=1e-4)


@says(
    "Penalties on outputs (`activity_regularizer`, `add_loss`) are those of "
    "the last call alone: ask after each call, if there are several."
)
@says("Frozen weights have no penalty.")
def test_penalties_on_outputs() -> None:
    inputs = tf.keras.Input((1,))
    dense = tf.keras.layers.Dense(
        1, kernel_initializer="ones", activity_regularizer="l2"
    )
    for made, share in ((dense, 0.01), (Small(), 0.5)):
        model = tf.keras.Model(inputs, made(inputs))
        asked = []
        for times in (1.0, 2.0):
            model(times * X)
            asked.append(float(sum(model.losses)))
        due = [share * np.mean((times * x64) ** 2) for times in (1, 2)]
        assert asked == pytest.approx(due, rel=1e-4)
    model = make_penalised()
    model.layers[0].kernel.assign([[2.0]])
    assert float(sum(model.losses)) == 2.0
    model.layers[0].trainable = False
    assert model.losses == []


@says("Return the loss and what the layers ask for beside it.")
@says(
    "The list is made anew from the weights each time you ask for it, "
    "so ask inside the tape."
)
@says("`sum` of an empty list is 0, while `tf.add_n` of one raises an error.")
def test_the_list_is_made_anew() -> None:
    model = make_penalised()
    kernel = model.trainable_variables[0]
    for value in (2.0, 4.0):
        kernel.assign([[value]])
        assert float(sum(model.losses)) == 0.5 * value**2
    outside = sum(model.losses)
    with tf.GradientTape(persistent=True) as tape:
        inside = sum(model.losses)
        late = 1.0 * outside
    assert tape.gradient(inside, [kernel])[0].numpy().item() == 4.0
    assert tape.gradient(late, [kernel]) == [None]
    assert sum(make_line().losses) == 0
    with pytest.raises(ValueError, match="at least one"):
        tf.add_n(make_line().losses)
    [mended] = lines(NAME, "remembered")
    curvature = 2 * np.mean(x64**2)
    w = SLOPE * curvature / (curvature + 1)
    loss = np.mean((w * x64 + OFFSET - y64) ** 2) + 0.5 * w**2
    assert mended == pytest.approx([w, OFFSET, loss], abs=1e-3)


@says("Return the loss and half the squared weight.")
@says("By hand it is one term:")
@says(
    "Mind the factor: `L2(0.5)` is half the sum of the squares, and "
    "`tf.nn.l2_loss` is that half without any factor."
)
def test_the_factor() -> None:
    weights = tf.constant([[1.0, 3.0]])
    assert float(tf.keras.regularizers.L2(0.5)(weights)) == 5.0
    assert float(tf.nn.l2_loss(weights)) == 5.0
    assert lines(NAME, "penalty_by_hand") == lines(NAME, "remembered")
    assert (
        "+ 0.5 * tf.reduce_sum(kernel**2)"
        in highlighted(BLOCKS["penalty_by_hand"])[0]
    )


@says("`A KerasTensor cannot be used as input` | [A code] … function)")
@says(
    "`weights_outputs_losses:kerastensor` A functional model is being built, "
    "and has no numbers yet.",
    page="messages",
)
@says(
    "Put the function of TensorFlow into the `call` of a layer of your own.",
    page="messages",
)
@says("A KerasTensor cannot be used as input to a TensorFlow function")
@says(
    "While a functional model is built there are no numbers yet. A layer "
    "takes what stands for them, and a function of TensorFlow does not."
)
@says(
    "Nor does `model.add_loss`, to which the penalty was then handed, work "
    "for such a model today."
)
@says("Compute the penalty in the `call` of a layer, where numbers arrive.")
@says(
    "A penalty may be made of what a layer returns, its code, as the KL loss "
    "of a variational autoencoder (VAE) is."
)
@says("Hands on what it is given, and asks for it to be small.")
@says("Add half the mean square to the losses.")
@says(
    "Each prediction is drawn towards zero, and `w` and `b` are two thirds "
    "of those without a penalty."
)
def test_a_penalty_on_a_code() -> None:
    shown = printed(NAME, "kerastensor")
    assert "A KerasTensor cannot be used as input to a TensorFlow" in shown
    inputs = tf.keras.Input((1,))
    code = tf.keras.layers.Dense(1)(inputs)
    assert not isinstance(code, tf.Tensor)
    model = tf.keras.Model(inputs, code)
    square = tf.keras.ops.mean(tf.keras.ops.square(code))
    for penalty in (square, lambda: 1.0):
        with pytest.raises((NotImplementedError, ValueError)):
            model.add_loss(penalty)
    layer = Small()
    given = tf.constant([[1.0], [3.0]])
    assert layer(given).numpy().tolist() == [[1.0], [3.0]]
    assert [float(loss) for loss in layer.losses] == [2.5]
    [mended] = lines(NAME, "in_a_layer")
    assert mended[:2] == pytest.approx([SLOPE / 1.5, OFFSET / 1.5], abs=1e-3)


@says(
    "In a loop of your own there is another way: let the model return its "
    "code beside its predictions, and compute the penalty inside of the tape."
)
def test_a_penalty_on_the_tape() -> None:
    inputs = tf.keras.Input((1,))
    dense = tf.keras.layers.Dense(1, kernel_initializer="zeros")
    code = dense(inputs)
    model = tf.keras.Model(inputs, {"code": code, "y": code})

    def loss() -> tf.Tensor:
        both = model(X, training=True)
        return SQUARED(Y, both["y"]) + 0.5 * tf.reduce_mean(both["code"] ** 2)

    [found] = [numbers(train(model, loss))]
    assert found == pytest.approx(lines(NAME, "in_a_layer")[0], abs=1e-3)


# Smoothed labels, focal loss


@says("Label smoothing: the smallest loss is not 0")
@says("The loss stays far above 0 | [Label smoothing] … not-0)")
@says(
    "`label_smoothing=0.1` takes a tenth from each label and deals it out to "
    "all `#!math K` classes alike. Of two classes, a 1 becomes 0.95 and a 0 "
    "becomes 0.05."
)
@says(
    "The smallest loss is that of the smoothed labels themselves, and who is "
    "surer pays more. So a loss that stays near {{ smoothed(label, best):.2f "
    "}} is not stuck, and it does not compare with a loss without smoothing."
)
def test_smoothing_of_two_classes() -> None:
    losses = tf.keras.losses
    smooth = losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1)
    plain = losses.BinaryCrossentropy(from_logits=True)
    soft = tf.where(LABEL > 0, 0.95, 0.05)
    best = tf.where(LABEL > 0, 1.0, -1.0) * float(np.log(0.95 / 0.05))
    for logits in (X, best, 3.0 * X):
        expected = float(plain(soft, logits))
        assert float(smooth(LABEL, logits)) == pytest.approx(expected)
    smallest = -0.95 * np.log(0.95) - 0.05 * np.log(0.05)
    first, second, *found = (row[-1] for row in lines(NAME, "smoothed"))
    assert first == second
    assert found[1] == pytest.approx(smallest, abs=1e-4)
    assert found[0] > found[1] < found[2]
    [value] = [v for k, v in KEPT.items() if k.startswith("smoothed(label")]
    assert float(value) == pytest.approx(smallest, abs=0.006)
    for factor in np.linspace(0.0, 3.0, 31):
        assert float(smooth(LABEL, factor * best)) > smallest - 1e-4
    surer = [float(smooth(LABEL, factor * best)) for factor in (1, 2, 4, 8)]
    assert surer == sorted(surer)
    assert float(plain(LABEL, 8 * best)) < 1e-6


@says(
    "`CategoricalCrossentropy` takes the argument, too, and of ten classes "
    "the smallest loss is 0.50. `SparseCategoricalCrossentropy` does not take "
    "it: make the labels `tf.one_hot` first."
)
def test_smoothing_of_ten_classes() -> None:
    losses = tf.keras.losses
    many = losses.CategoricalCrossentropy(label_smoothing=0.1)
    one = tf.one_hot([3, 7], 10)
    soft = 0.9 * one + 0.01
    least = float(many(one, soft))
    assert f"{least:.2f}" == "0.50"
    for share in (0.8, 0.85, 0.88, 0.92, 0.95, 0.99):
        other = share * one + (1 - share) / 10
        assert float(many(one, other)) > least
    with pytest.raises(TypeError, match="label_smoothing"):
        losses.SparseCategoricalCrossentropy(label_smoothing=0.1)


@says("Focal loss: `alpha` and `gamma`")
@says(
    "The *focal loss* ([Lin et al., 2017](https://arxiv.org/abs/1708.02002)) "
    "lets rows count less that are right already."
)
@says(
    "In Keras `#!math \\gamma` is 2 and `#!math \\alpha` is 0.25 unless you "
    "say otherwise. Compare with the formula, for two classes and for classes "
    "in columns."
)
@says(
    "For two classes `alpha` does nothing without "
    "`apply_class_balancing=True`. With it, ones count 0.25 and zeros 0.75: "
    "if the ones are rare, you want an `alpha` above a half."
)
@says(
    "For classes in columns `alpha` always counts, so that the last loss is a "
    "quarter of the first; a list gives each class its own. The smallest loss "
    "is 0, and with `gamma=0` and no `alpha` it is the cross-entropy."
)
def test_the_focal_loss() -> None:
    two = tf.keras.losses.BinaryFocalCrossentropy
    many = tf.keras.losses.CategoricalFocalCrossentropy
    for kind in (two, many):
        parameters = inspect.signature(kind).parameters
        assert parameters["gamma"].default == 2
        assert parameters["alpha"].default == 0.25
    one, zero = tf.constant([[1.0]]), tf.constant([[0.0]])
    p = tf.constant([[0.6]])
    row = -(0.4**2) * np.log(0.6)
    other = -(0.6**2) * np.log(0.4)
    for alpha in (0.25, 0.9):
        assert float(two(alpha=alpha)(one, p)) == pytest.approx(row, 1e-4)
        weigh = two(alpha=alpha, apply_class_balancing=True)
        assert float(weigh(one, p)) == pytest.approx(alpha * row, 1e-4)
        found = float(weigh(zero, p))
        assert found == pytest.approx((1 - alpha) * other, 1e-4)
    right, unsure = tf.constant([[0.95]]), tf.constant([[0.5]])
    entropy = tf.keras.losses.BinaryCrossentropy()
    kept = [
        float(two()(one, given) / entropy(one, given))
        for given in (right, unsure)
    ]
    assert kept == pytest.approx([0.05**2, 0.5**2], rel=1e-3)
    hot, shares = tf.constant([[0.0, 1.0]]), tf.constant([[0.4, 0.6]])
    assert float(many()(hot, shares)) == pytest.approx(0.25 * row, 1e-4)
    for each in ([0.1, 0.9], [0.9, 0.2]):
        found = float(many(alpha=each)(hot, shares))
        assert found == pytest.approx(each[1] * row, 1e-4)
    assert abs(float(two()(one, one))) < 1e-6
    assert abs(float(many()(hot, hot))) < 1e-6
    plain = float(two(gamma=0.0)(one, p))
    assert plain == pytest.approx(-np.log(0.6), rel=1e-4)
    assert float(many(gamma=0.0, alpha=1.0)(hot, shares)) == pytest.approx(
        -np.log(0.6), rel=1e-4
    )
    [first, second, columns] = lines(NAME, "focal")
    assert first[0] == first[1] != second[0] == second[1]
    assert columns[0] == pytest.approx(first[0] / 4, abs=1e-4)


# Quantiles

QUANTILES = [0.1, 0.5, 0.9]


def unchanging(columns: int) -> Any:
    """Return a model whose outputs are its inputs."""
    inputs = tf.keras.Input((columns,))
    return tf.keras.Model(inputs, tf.keras.layers.Identity()(inputs))


def pinball(q: Any, y: Any, y_pred: Any) -> Any:
    """Return the loss of each row and quantile, by NumPy."""
    error = np.asarray(y) - np.asarray(y_pred)
    return np.maximum(q * error, (q - 1) * error)


@says("Quantile regression: the pinball loss")
@says("A squared error draws a line through the middle.")
@says("Below which line do nine of ten rows lie?")
@says("For that there is the *pinball* or *quantile loss*.")
@says("`#!math q` is the share of the rows that is to lie below:")
@says(
    "A row above the line costs `#!math q` times its distance, one below "
    "`#!math 1 - q` times."
)
@says("Keras has no such loss.")
@says("A model may predict several quantiles at once, a column for each.")
@says("Return a loss for one y a row, and a prediction per quantile.")
@says("Return a number per row.")
def test_the_pinball_loss() -> None:
    q, y_pred = np.array(QUANTILES), np.array([[1.0, 1.0, 1.0]])
    assert pinball(q, 3.0, 1.0) == pytest.approx(q * 2)
    assert pinball(q, 0.5, 1.0) == pytest.approx((1 - q) * 0.5)
    found = pinball_loss(QUANTILES)(tf.constant([[3.0], [0.5]]), y_pred)
    wanted = [np.mean(q * 2), np.mean((1 - q) * 0.5)]
    assert found.numpy() == pytest.approx(wanted)
    names = " ".join(dir(tf.keras.losses)).lower()
    assert not re.search("pinball|quantile|tilted", names)
    below = np.mean(y64 < np.mean(y64 - SLOPE * x64) + SLOPE * x64)
    assert 0.4 < below < 0.6
    for share in QUANTILES:
        costs = [np.sum(pinball(share, y64, value)) for value in y64]
        best = y64[np.argmin(costs)]
        assert best == pytest.approx(np.quantile(y64, share), abs=0.1)


@says(
    "Train with the rows of the guide, a tenth, a half and nine tenths of "
    "which are to lie below."
)
@says("Train three lines at once; tell the share of the rows below each.")
@says(
    "The rows as dots around a rising band of three nearly parallel lines: "
    "the dotted one for q = 0.1 below most of the dots, the solid one for "
    "q = 0.5 through their middle, and the dashed one for q = 0.9 above most "
    "of them"
)
def test_three_lines() -> None:
    assert numbers(printed(NAME, "quantiles")) == QUANTILES
    [axes] = figure(NAME, "quantiles")
    drawn = [axes.points[f"q = {q}"] for q in QUANTILES]
    slopes = [np.diff(part.y)[0] / np.diff(part.x)[0] for part in drawn]
    assert np.ptp(slopes) < 0.5
    assert min(slopes) > 2
    offsets = [np.mean(part.y) for part in drawn]
    assert offsets == sorted(offsets)
    for q, slope, offset in zip(QUANTILES, slopes, offsets, strict=True):
        below = np.mean(y64 < slope * x64 + offset)
        assert below == pytest.approx(q, abs=0.02)
    code = BLOCKS["quantiles"].code
    assert '(":", "-", "--")' in code


@says("**The check** is this share, best on rows that were held out.")
@says("With `#!math q = 0.5` the loss is half of the mean absolute error.")
@says(
    "The lines may cross where rows are few: `tf.sort(model(x), axis=-1)` "
    "puts the predictions in order, and the loss does not grow by it, if the "
    "quantiles rise."
)
def test_quantiles_in_order() -> None:
    half = pinball_loss([0.5])(Y, X)
    mae = tf.keras.losses.MeanAbsoluteError()(Y, X)
    assert float(tf.reduce_mean(half)) == pytest.approx(float(mae) / 2)
    loss = pinball_loss(QUANTILES)
    y_pred = tf.random.stateless_normal((500, 3), seed=(0, 0))
    y = tf.random.stateless_normal((500, 1), seed=(0, 1))
    mixed, sorted_ = loss(y, y_pred), loss(y, tf.sort(y_pred, axis=-1))
    assert np.all(sorted_ <= mixed + 1e-6)
    assert np.mean(sorted_) < 0.9 * np.mean(mixed)
    falling = pinball_loss(QUANTILES[::-1])
    in_order = tf.constant([[3.0, 2.0, 1.0]])
    middle = tf.constant([[2.0]])
    after = falling(middle, tf.sort(in_order, axis=-1))
    assert after[0] > falling(middle, in_order)[0]
    # A vector is taken for a column, in Keras and by hand.
    for columns in (1, 3):
        loss, some = pinball_loss(QUANTILES[:columns]), y_pred[:3, :columns]
        np.testing.assert_array_equal(loss(y[:3, 0], some), loss(y[:3], some))
        model = eagerly(unchanging(columns), loss)
        found = model.evaluate(some, y[:3, 0], verbose=0)
        due = float(tf.reduce_mean(loss(y[:3], some)))
        assert found == pytest.approx(due, rel=1e-5)


@says("The quantiles come out the wrong way round")
@says("Quantiles are the wrong way round | [Pinball] … wrong-way-round)")
@says(
    "For a squared or an absolute error the order of the two arguments makes "
    "no difference."
)
@says("Return the same with the two exchanged.")
@says(
    "Here it does: with the sign of the error turned, `#!math q` becomes "
    "`#!math 1 - q`."
)
@says("Keras hands over `y` first.")
def test_quantiles_turned() -> None:
    assert numbers(printed(NAME, "turned")) == QUANTILES[::-1]
    for loss in (SQUARED, tf.keras.losses.MeanAbsoluteError()):
        assert float(loss(Y, X)) == float(loss(X, Y))
    y_pred = tf.repeat(X, 3, axis=1)
    turned = pinball_loss(QUANTILES)(y_pred, Y)
    other = pinball_loss([1 - q for q in QUANTILES])(Y, y_pred)
    np.testing.assert_allclose(turned, other, rtol=1e-4)
    handed: list[float] = []

    def noting(y: Any, y_pred: Any) -> Any:
        handed.extend([float(y[0, 0]), float(y_pred[0, 0])])
        return tf.reduce_mean(tf.square(y - y_pred), -1)

    model = eagerly(unchanging(1), noting)
    model.evaluate(tf.constant([[2.0]]), tf.constant([[7.0]]), verbose=0)
    assert handed[:2] == [7.0, 2.0]


# Triplets

HIGH = tf.boolean_mask(X, X > 0)[:, tf.newaxis]
LOW = tf.boolean_mask(X, X < 0)[:, tf.newaxis]
NEXT = tf.roll(HIGH, 1, axis=0)


def line_from(w: float) -> Any:
    model = make_line()
    model.weights[0].assign([[w]])
    return model


def trained_apart(*parts: tf.Tensor) -> tuple[list[Any], float]:
    """Train a model for each part; return them and the last loss."""
    models = [line_from(0.1) for _ in parts]
    for _ in range(30):
        with tf.GradientTape() as tape:
            codes = [
                each(rows) for each, rows in zip(models, parts, strict=True)
            ]
            loss = triplet_loss(*codes)
        variables = [v for each in models for v in each.trainable_variables]
        SGD(0.2).apply(tape.gradient(loss, variables), variables)
    return models, float(loss)


@says("Triplet loss, Siamese networks: one model called several times")
@says("Return the loss of one model, called three times.")
@says("Return how much is missing for positives to be nearer by the margin.")
@says(
    "Codes have the shape (rows, numbers). The loss is the mean of what "
    "Schroff et al. (2015) sum up, of squared distances, a scalar."
)
@says(
    "Let the rows with `x` above 0 be one kind, those below the other. Call "
    "the same model three times inside of one tape."
)
@says(
    "Each call adds its part to the gradient, and the tape returns the sum. "
    "`b` stays where it was: it is in every code, and cancels."
)
@says("The three gradients add up to the one before.")
def test_the_gradients_of_three_calls() -> None:
    codes = [[[0.0, 0.0]], [[1.0, 2.0]], [[2.0, 0.0]]]
    assert float(triplet_loss(*map(tf.constant, codes))) == 5 - 4 + 1
    one, two, three = map(tf.constant, codes)
    assert float(triplet_loss(one, two, three, margin=0.0)) == 1
    two_rows = [2 * rows for rows in codes]
    assert float(triplet_loss(*map(tf.constant, two_rows))) == 2
    assert float(tf.reduce_min(HIGH)) > 0 > float(tf.reduce_max(LOW))
    model = line_from(0.1)
    found = gradient(
        lambda: triplet_loss(model(HIGH), model(NEXT), model(LOW)), model
    )
    assert abs(found[1]) < 1e-6
    [[first, _], trained] = lines(NAME, "one_model")
    assert found[0] == pytest.approx(first, abs=1e-4)
    assert trained[1] == 0
    [parts, _] = lines(NAME, "three_models")
    assert sum(parts) == pytest.approx(first, abs=2e-4)
    assert len({*parts, 0.0}) == 4


@says(
    "Now the slip: three models with weights of their own, from the same "
    "start. Print the gradient of each `w` first."
)
@says(
    "But each model goes its own way, and a row is no longer near itself. "
    "The loss of 0 proves nothing: with positives and negatives exchanged it "
    "becomes 0, too."
)
def test_three_models() -> None:
    models, loss = trained_apart(HIGH, NEXT, LOW)
    assert len({tuple(weights_of(each)) for each in models}) == 3
    itself = float(SQUARED(models[0](HIGH), models[2](HIGH)))
    assert lines(NAME, "three_models")[1] == [
        0,
        pytest.approx(itself, abs=1e-3),
    ]
    assert itself > 0.3
    assert loss == 0
    assert trained_apart(HIGH, LOW, NEXT)[1] == 0
    model = line_from(0.1)
    shared = train(
        model, lambda: triplet_loss(model(HIGH), model(LOW), model(NEXT))
    )
    assert numbers(shared)[2] > 0.99


@says("The triplet loss stays at the margin")
@says("The triplet loss stays at the margin | [Collapse] … margin)")
@says("Return the loss of the farthest positives, nearest negatives.")
@says(
    "If all codes are one point, both distances are 0, and what is left is "
    "the margin."
)
@says(
    "The first loss falls, as if the model were learning, but only to the "
    "margin: all codes have *collapsed*. The second never moves, for squared "
    "distances have the gradient 0 there."
)
@says(
    "The triplets above, which nobody picked, kept the codes apart. **The "
    "check** is the spread of the codes, `tf.math.reduce_std(codes, axis=0)`, "
    "which must not come to 0."
)
def test_a_collapse() -> None:
    point = tf.ones((4, 2))
    for margin in (0.5, 1.0):
        assert float(triplet_loss(point, point, point, margin)) == margin
    still = line_from(0.0)
    slopes = gradient(
        lambda: triplet_loss(still(HIGH), still(NEXT), still(LOW)), still
    )
    assert slopes == [0, 0]
    [falls, stays] = lines(NAME, "collapsed")
    assert falls[0] > 1.5
    assert falls[1:] == stays[1:] == [0, 0, 1]
    assert stays[0] == 1
    given = {"anchor": HIGH, "positive": NEXT, "negative": LOW}
    names = ran(NAME, "collapsed", **given)
    spread = tf.math.reduce_std(names["model"](HIGH), axis=0)
    assert float(spread[0]) == 0
    model = line_from(0.1)
    train(model, lambda: triplet_loss(model(HIGH), model(NEXT), model(LOW)))
    assert float(tf.math.reduce_std(model(HIGH), axis=0)[0]) > 0.3
    hardest = names["hardest_loss"]
    names["model"].weights[0].assign([[2.0]])
    near = tf.reduce_max(tf.abs(HIGH - HIGH[:, 0]), axis=1)
    far = tf.reduce_min(tf.abs(HIGH - LOW[:, 0]), axis=1)
    expected = tf.reduce_mean(tf.nn.relu(4 * near**2 - 4 * far**2 + 1))
    assert float(hardest()) == pytest.approx(float(expected), rel=1e-4)


def cosines(count: int, seed: int = 0) -> Any:
    """Return random codes of 128 numbers."""
    return tf.random.stateless_normal((count, 128), (0, seed))


@says("The contrastive loss stays at 0.69 or 6.93")
@says("The contrastive loss stays at 0.69 or 6.93 | [Candidates] … 693)")
@says(
    "A *contrastive loss*, as in SimCLR, takes two codes of each thing. Each "
    "code is to find its partner among those of the whole batch, its "
    "candidates."
)
@says("Return how surely each code finds its own among the others.")
@says(
    "Row i of both, of the shape (rows, numbers), belongs together. The loss "
    "is InfoNCE (van den Oord et al., 2018) of their cosines, a scalar."
)
@says(
    "Take codes that are all alike, and codes at right angles to each other; "
    "these at the temperatures 1 and 0.1."
)
@says(
    "Codes alike make every candidate as likely as the right one, and the "
    "loss is the logarithm of their number: `#!math \\log(2) = 0.69`, "
    "`#!math \\log(1024) = 6.93`."
)
@says("Long codes at random are close to that, too.")
def test_the_logarithm_of_the_candidates() -> None:
    right = [2, 8, 1024]
    for count, row in zip(right, lines(NAME, "candidates"), strict=True):
        logarithm = np.log(count)
        apart = [np.log1p((count - 1) * np.exp(-1 / t)) for t in (1.0, 0.1)]
        assert row == pytest.approx([count, logarithm, *apart], abs=1e-3)
        for t in (1.0, 0.1):
            for codes in (tf.ones((count, 3)), 5 * tf.ones((count, 1))):
                alike = float(contrastive_loss(codes, codes, t))
                assert alike == pytest.approx(logarithm, rel=1e-5)
    assert (round(np.log(2), 2), round(np.log(1024), 2)) == (0.69, 6.93)
    for t, distance in ((1.0, 0.02), (0.5, 0.05), (0.1, 0.5)):
        at_random = float(contrastive_loss(cosines(1024), cosines(1024, 1), t))
        assert at_random == pytest.approx(np.log(1024), abs=distance)


@says(
    "If it stays there, the codes have collapsed, where the gradient is 0, or "
    "nothing is learned."
)
@says("Of `#!math N` codes at right angles the loss is")
@says(
    "at the temperature `#!math T`: at 1, a batch of 1024 cannot come far "
    "down."
)
@says(
    "So the number means little without batch and temperature, and compares "
    "with no other batch."
)
@says(
    "**The check**, beside the spread of the codes, is the share of rows "
    "whose likeliest candidate is the right one."
)
def test_where_a_contrastive_loss_begins_and_ends() -> None:
    def slope(codes: Any) -> float:
        with tf.GradientTape() as tape:
            tape.watch(codes)
            value = contrastive_loss(codes, codes, 0.5)
        return float(tf.linalg.norm(tape.gradient(value, codes)))

    assert slope(tf.ones((8, 3))) < 1e-6
    assert slope(cosines(8)) > 0.01

    def least(count: int, t: float) -> float:
        """Return the least loss: all codes equally far, in a simplex."""
        angle = -1 / (count - 1)
        return float(np.log1p((count - 1) * np.exp((angle - 1) / t)))

    assert np.log(1024) - least(1024, 1.0) < 1.01
    codes = tf.Variable(cosines(8))
    first = float(contrastive_loss(codes, codes, 1.0))
    for _ in range(50):
        with tf.GradientTape() as tape:
            value = contrastive_loss(codes, codes, 1.0)
        codes.assign_sub(100 * tape.gradient(value, codes))
    assert first > float(value)
    assert float(value) == pytest.approx(least(8, 1.0), rel=0.02)
    assert float(value) > least(8, 1.0) - 1e-5
    logits = tf.matmul(codes, codes, transpose_b=True)
    assert tf.argmax(logits, 1).numpy().tolist() == [*range(8)]
    some = cosines(64)
    few = float(contrastive_loss(some[:8], some[:8], 1.0))
    assert few < float(contrastive_loss(some, some, 1.0)) - 1


# Centers


@says("Center loss: the centers are never updated | [Centers]")
@says("A *center loss* draws the codes of each class to a center of their own")
@says("Return half the mean squared way of codes to their classes' centers.")
@says("Codes have the shape (rows, numbers), labels (rows,).")
@says("Return 64 codes of two numbers, and their labels 0 and 1 in turn.")
def test_the_center_loss() -> None:
    codes, labels = make_codes()
    assert codes.shape == (64, 2)
    assert labels.numpy().tolist() == [0, 1] * 32
    centers = tf.Variable([[1.0, 2.0], [0.0, -1.0]])
    ways = codes.numpy() - np.tile(centers.numpy(), (32, 1))
    due = 0.5 * np.square(ways).sum(axis=1).mean()
    with tf.GradientTape() as tape:
        loss = center_loss(codes, labels, centers)
    assert float(loss) == pytest.approx(due, rel=1e-5)
    gradient = tape.gradient(loss, codes)  # to its own center
    np.testing.assert_allclose(gradient, ways / 64, atol=1e-6)
    with pytest.raises(tf.errors.InvalidArgumentError, match="not compatible"):
        center_loss(codes, labels[:, tf.newaxis], centers)


@says("No gradient moves the centers: they follow the codes.")
@says("Move centers towards the codes of their classes (Wen et al., 2016).")
def test_centers_follow_by_the_formula_of_the_paper() -> None:
    codes = tf.constant([[1.0, 0.0], [3.0, 2.0], [5.0, 5.0]])
    labels = tf.constant([0, 0, 2])
    before = np.array([[0.0, 0.0], [7.0, 7.0], [1.0, 1.0]], "float32")
    centers = tf.Variable(before)
    follow(centers, codes, labels, 0.5)
    due = before.copy()
    for j in range(3):
        own = codes.numpy()[labels.numpy() == j]
        due[j] -= 0.5 * (before[j] - own).sum(axis=0) / (1 + len(own))
    np.testing.assert_allclose(centers, due, rtol=1e-6)
    np.testing.assert_array_equal(due[1], before[1])  # a class without rows


@says("The centers are a variable that lives as long as the training.")
@says("The step moves them after the weights, outside of the tape.")
@says("Return codes that learned from their center loss, in 50 steps.")
@says("Return the spread of the codes of a class, and how far two are apart.")
@says("Here that is a rate of 0: they stay where they were made.")
@says("All codes went to one point, and the loss fell all the way.")
@says("Now each class has its own.")
def test_lost_and_kept_centers() -> None:
    before, lost = lines(NAME, "lost_centers")
    [kept] = lines(NAME, "kept_centers")
    assert lost[0] == kept[0] == 0
    assert lost[1] < 0.02 < 1 < kept[1] < before[1]
    code = BLOCKS["draw_in"].code
    assert code.index("tf.Variable") < code.index("for _ in range(50)")
    assert code.index("apply_gradients") < code.index("follow(")
    line = next(n for n in code.split("\n") if "follow(" in n)
    assert len(line) - len(line.lstrip()) == 8  # in the loop, not in the tape
    codes, labels = make_codes()
    centers, losses = tf.Variable(tf.zeros((2, 2))), []
    for _ in range(50):
        follow(centers, codes, labels, 0.0)
        assert not centers.numpy().any()
        losses.append(float(center_loss(codes, labels, centers)))
        codes.assign(codes * 0.9)
    assert losses == sorted(losses, reverse=True)
    np.testing.assert_allclose(draw_in(0.0), 0, atol=0.05)
    assert told(tf.Variable([[0.0, 2.0], [4.0, 5.0]] * 2)) == (
        "spread 0.00, classes 5.00 apart"
    )


@says("Programs that make the centers within the loss begin with new ones in")
@says("In `fit` the centers are a weight of the model with `trainable=False`,")
def test_centers_in_fit() -> None:
    class Centered(tf.keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = tf.keras.layers.Dense(2)
            self.centers = self.add_weight(
                shape=(2, 2), initializer="zeros", trainable=False
            )

        def call(self, x: tf.Tensor) -> tf.Tensor:
            return self.dense(x)

        def train_step(self, data: Any) -> dict[str, tf.Tensor]:
            x, y = data
            with tf.GradientTape() as tape:
                codes = self(x, training=True)
                loss = center_loss(codes, y, self.centers)
            variables = self.trainable_variables
            gradients = tape.gradient(loss, variables)
            self.optimizer.apply_gradients(
                zip(gradients, variables, strict=True)
            )
            follow(self.centers, codes, y, 0.5)
            return {"loss": loss}

    model = Centered()
    model.compile(SGD(0.1))
    codes, labels = make_codes()
    model.fit(tf.constant(codes), labels, epochs=3, verbose=0)
    centers = model.centers.numpy()
    assert np.linalg.norm(centers[0] - centers[1]) > 0.1
    assert all(v is not model.centers for v in model.trainable_variables)


# Losses that look inside, or at several outputs


def make_inside() -> tuple[Any, Any]:
    """Return a model, and one of the same layers that has two outputs."""
    dense = tf.keras.layers.Dense
    small = tf.keras.regularizers.L2(1.0)
    code = dense(3, kernel_regularizer=small, name="code")
    base = tf.keras.Sequential([tf.keras.Input((1,)), code, dense(1)])
    outputs = [*base.outputs, base.get_layer("code").output]
    return base, Inside(base.inputs, outputs)


@says("In `fit`, too, a model may return the output of a hidden layer.")
@says("`compute_loss` is given all outputs, in the order of the model.")
@says("Returns predictions and a code, and wants the code to be small.")
@says("Return the mean squared error and a tenth of the code's mean.")
@says("a second one of the same layers with two outputs")
@says("The loss that `evaluate` logs is the sum of both.")
@says("Train `model`, and predict with `base`: the weights are the same.")
def test_a_loss_looks_inside() -> None:
    base, model = make_inside()
    x, y = tf.constant([[1.0], [2.0]]), tf.constant([[3.0], [5.0]])
    prediction, code = model(x)
    np.testing.assert_allclose(prediction, base(x))
    assert code.shape == (2, 3)
    due = np.mean((y - prediction) ** 2) + 0.1 * np.mean(np.abs(code))
    model.compile("sgd")
    assert model.evaluate(x, y, verbose=0) == pytest.approx(due, rel=1e-4)
    model.fit(x, y, verbose=0)
    np.testing.assert_allclose(model(x)[0], base(x))
    assert np.abs(base(x) - prediction).max() > 1e-3
    [total, error, factor, size] = numbers(printed(NAME, "inside"))
    assert total == pytest.approx(error + factor * size, abs=2e-3)


@says(
    "A loss function in `compile` would be called once for each output, and "
    "see one at a time."
)
def test_a_loss_function_sees_one_output() -> None:
    _, model = make_inside()
    plain = tf.keras.Model(model.inputs, model.outputs)
    widths: list[int] = []

    def loss(y: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        widths.append(y_pred.shape[-1])
        return tf.reduce_mean(y_pred)

    plain.compile("sgd", [loss, loss], run_eagerly=True)
    plain.fit(tf.ones((2, 1)), [tf.ones((2, 1)), tf.ones((2, 3))], verbose=0)
    assert widths == [1, 3]


@says("So it is with **a loss that depends on other outputs**.")
@says("A detector says if there is a thing, and where.")
@says("Where there is none, any place is right.")
@says("Says if a thing is there, and where; rows without one have no where.")
@says("Return a cross-entropy, and the error of the rows with a thing.")
@says("The -99 in place of a place were never looked at, nor would a `NaN` be")
@says(
    "`compile` needs no loss. A mask, `sum(self.losses)` and `sample_weight` "
    "count only if such a method adds them."
)
def test_a_loss_of_two_outputs() -> None:
    there = tf.constant([[1.0], [0.0]])
    losses, inputs = [], tf.keras.Input((1,))
    for nowhere in (-99.0, 5.0, np.nan):
        where, guess = tf.constant([[2.0], [nowhere]]), tf.zeros((2, 1))
        y = {"there": there, "where": where}
        model = Found(inputs, inputs)
        with tf.GradientTape() as tape:
            tape.watch(guess)
            y_pred = {"there": tf.zeros((2, 1)), "where": guess}
            loss = model.compute_loss(y=y, y_pred=y_pred)
        losses.append(float(loss))
        assert tape.gradient(loss, guess).numpy().tolist() == [[-4.0], [0.0]]
    assert losses == pytest.approx([np.log(2) + 4] * 3)
    assert "99.0 * (1.0 - there)" in "".join(highlighted(BLOCKS["found"]))
    [off] = numbers(printed(NAME, "found"))
    assert off < 2
    assert ".compile(tf.keras.optimizers.SGD(0.1))" in BLOCKS["found"].code
    _, model = make_inside()
    model.compile("sgd")
    x, y = tf.ones((2, 1)), tf.ones((2, 1))
    before = model.evaluate(x, y, verbose=0)
    weights = np.array([0.0, 0.0])
    weighted = model.evaluate(x, y, sample_weight=weights, verbose=0)
    assert weighted == pytest.approx(before)
    prediction, code = model(x)
    due = np.mean((y - prediction) ** 2) + 0.1 * np.mean(np.abs(code))
    assert before == pytest.approx(due, rel=1e-4)
    assert float(sum(model.losses)) > 0
    tokens = tf.keras.Input((3,), dtype="int32")
    codes = tf.keras.layers.Embedding(5, 2, mask_zero=True)(tokens)
    told = tf.keras.layers.Dense(1)(codes)
    padded: Any = Inside(tokens, [told, codes])
    padded.compile("sgd")
    words, steps = np.array([[1, 0, 0]]), np.array([[[1.0], [9.0], [9.0]]])
    due = np.mean((steps - padded(words)[0]) ** 2)
    found = padded.evaluate(words, steps, verbose=0)
    assert found == pytest.approx(due, rel=0.01)
    with pytest.raises(tf.errors.InvalidArgumentError, match="not compat"):
        padded.compute_loss(y=steps[..., 0], y_pred=padded(words))


@says(
    "Before the first call there are none of them, so that `model.losses` "
    "may be empty; and ask in the `tf.function` that calls the model, for "
    "outside of it they are no numbers."
)
def test_when_there_are_penalties_on_outputs() -> None:
    class Penalised(tf.keras.layers.Layer):
        def call(self, x: tf.Tensor) -> tf.Tensor:
            self.add_loss(tf.reduce_mean(x**2))
            return x

    class Subclassed(tf.keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.layer = Penalised()

        def call(self, x: tf.Tensor) -> tf.Tensor:
            return self.layer(x)

    active = tf.keras.layers.Activation("relu", activity_regularizer="l2")
    models = [
        tf.keras.Sequential([tf.keras.Input((1,)), Penalised()]),
        tf.keras.Sequential([tf.keras.Input((1,)), active]),
        Subclassed(),
    ]
    x = tf.ones((2, 1))
    for model in models:
        assert model.losses == []
        model(x)
        [eager] = model.losses
        assert float(eager) > 0

        @tf.function
        def penalty(model: Any = model) -> tf.Tensor:
            model(x)
            return sum(model.losses)

        assert float(penalty()) == pytest.approx(float(eager))
        [outside] = model.losses
        with pytest.raises(TypeError):
            float(outside)


class Penalised(tf.keras.layers.Layer):
    """Scales its input, and adds the squares of what comes out."""

    def __init__(self, axis: int | None) -> None:
        super().__init__()
        self.axis = axis
        self.w = self.add_weight(shape=(), initializer="ones")

    def call(self, x: tf.Tensor) -> tf.Tensor:
        out = self.w * x
        self.add_loss(tf.reduce_mean(out**2, axis=self.axis))
        return out


@says("add_loss of a number for each row")
@says("`add_loss` wants one number, too.")
@says(
    "What it is given, Keras adds up: a KL loss of a VAE that has a number "
    "for each of 8 rows weighs 8 times as much as its mean, and the log shows "
    "it so, without a warning."
)
def test_a_penalty_for_each_row() -> None:
    x = tf.ones((8, 2))
    for axis, weight in ((None, 1), (1, 8)):
        layer = Penalised(axis)
        model = tf.keras.Sequential([tf.keras.Input((2,)), layer])
        model.compile(tf.keras.optimizers.SGD(0.1), "mse")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            history = model.fit(x, 3 * x, verbose=0).history
        assert history["loss"] == [pytest.approx(4 + weight)]
        slope = -4 + 2 * weight
        assert float(layer.w) == pytest.approx(1 - 0.1 * slope)
