"""What the page on several tasks says is true."""

import math
from typing import Any, get_args

import numpy as np
import pytest
import tensorflow as tf

from snippets.other_loops_finder import make_step
from snippets.several_tasks_balance import (
    balanced,
    even,
    make_balanced_step,
    make_surgery_step,
    pulls,
    surgery,
    without,
)
from snippets.several_tasks_missing import (
    by_task,
    known_loss,
    make_labels,
    masked_late,
)
from snippets.several_tasks_setup import Batch, Loss
from snippets.several_tasks_turns import (
    losses_of,
    make_joint_step,
    make_models,
    make_rows,
    variables_of,
)
from tests.claims.says import (
    highlighted,
    imported,
    numbers,
    printed,
    ran,
    says,
)
from tests.claims.sentences import DOCS, below, read

NAME = "several_tasks"
PAGE = read(NAME)
BLOCKS = {block.name: block for block in PAGE.blocks}
layers = tf.keras.layers
optimizers = tf.keras.optimizers
Adam, SGD = optimizers.Adam, optimizers.SGD
Entropy = tf.keras.losses.SparseCategoricalCrossentropy
mse = tf.keras.losses.MeanSquaredError()
X, Y = make_labels()


def lines(section: str) -> list[list[float]]:
    """Return the numbers of each line that a block prints."""
    return [numbers(line) for line in printed(NAME, section).split("\n")]


def slope(loss: Loss, y: tf.Tensor, y_pred: tf.Tensor) -> Any:
    """Return the gradient of a loss with respect to the prediction."""
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        current_loss = loss(y, y_pred)
    return tape.gradient(current_loss, y_pred).numpy()


def make_line(units: int) -> Any:
    """Return a model of one layer that starts at zero."""
    dense = layers.Dense(units, kernel_initializer="zeros")
    return tf.keras.Sequential([tf.keras.Input((4,)), dense])


# What the page promises, and where


@says(
    "Multi-task learning in a TensorFlow loop - missing labels and NaN in y, "
    "ignore_class, a data set for each task, uncertainty weights, PCGrad."
)
@says("NaN in `y`: some labels are missing | [1]")
@says("The loss is a number, the gradient is NaN | [1]")
@says("Pixels without a label, 255 or -1 | [1]")
@says("A weight map: a weight for each pixel | [1]")
@says("Two tasks, two data sets of unequal length | [2]")
@says("Shared layers learn twice as fast | [2]")
@says("A task that is not trained changes | [2]")
@says("One loss drowns the other; uncertainty weights | [3]")
@says("The loss is negative | [3](#the-loss-becomes-negative)")
@says("Which task pulls harder, and do they agree? | [3]")
@says("Gradients that pull against each other | [4]")
@says("[Section 3](#3-one-loss-drowns-the-other-uncertainty-weights) is about")
@says("[Exercise 1](#exercises) has a loss in which each task counts the same")
@says("[Exercise 2](#exercises) makes the lengths equal once.")
def test_each_row_leads_to_a_section_with_its_words() -> None:
    shown = {
        "## 1. Missing labels": "masked_too_late",
        "### Void pixels": "255",
        "### A weight for each pixel": "weight map",
        "## 2. Two tasks, two data sets": "zip",
        "### Shared weights that move twice": "listed_twice",
        "### Tasks by turns": "other_head",
        "## 3. One loss drowns": "plain_sum",
        "### A weight that is learned": "*Uncertainty weights*",
        "### The loss becomes negative": "logarithm",
        "### Which task pulls?": "cosine",
        "## 4. Gradients that pull": "PCGrad",
        "## Exercises": "by_task",
    }
    for heading, word in shown.items():
        assert word in below(NAME, heading), heading
    assert "even_pulls" in below(NAME, "## Exercises")


@says(
    "One data set with two labels for each row is on [another page]"
    "(weights_outputs_losses.md#two-outputs-two-losses)."
)
@says("Two labels for each row, in a loop and in `fit`:")
@says("A loss that becomes NaN: [When the loss is not a number]")
@says("A generator and its judge, a teacher and a student:")
@says("many steps of one task in a row [undo the other]")
def test_what_other_pages_have() -> None:
    outputs = (DOCS / "weights_outputs_losses.md").read_text("utf-8")
    section = outputs.partition("## Two outputs, two losses")[2]
    assert "A length is measured twice" in section
    assert "by_hand_scales" in section
    assert "keras_scales" in section
    nan = (DOCS / "not_a_number.md").read_text("utf-8")
    assert "# When the loss is not a number" in nan
    two = (DOCS / "two_models.md").read_text("utf-8")
    assert "## Knowledge distillation: a teacher" in two
    assert "## The smallest GAN" in two
    real = (DOCS / "real_problem.md").read_text("utf-8")
    assert "## New data: incremental learning, and forgetting" in real


@says("The imports, and types.")
@says("A `Batch` has x and y, and a `Loss` takes `y` and what the model made")
@says("It needs TensorFlow.")
def test_what_the_first_block_has() -> None:
    assert imported(PAGE) == {"math", "collections", "typing", "tensorflow"}
    assert get_args(Batch) == (tf.Tensor, tf.Tensor)
    assert get_args(Loss) == ([tf.Tensor, tf.Tensor], tf.Tensor)
    x, y = make_rows(4, 0)
    assert len(x) == len(y)
    wanted = float(np.mean((y.numpy() - x.numpy()[:, :1]) ** 2))
    assert float(mse(y, x[:, :1])) == pytest.approx(wanted, rel=1e-5)


@says("Kendall and others, arXiv:1705.07115.")
@says('Yu and others, "Gradient Surgery", arXiv:2001.06782.')
def test_the_sources_of_docstrings_are_linked() -> None:
    source = (DOCS / f"{NAME}.md").read_text("utf-8")
    for name, number in (
        ("balanced", "1705.07115"),
        ("without", "2001.06782"),
    ):
        assert f"arXiv:{number}" in BLOCKS[name].code
        assert f"(https://arxiv.org/abs/{number})" in source


# 1. Missing labels


@says("Each row has two labels, but often only one of them is known, or none.")
@says("Return 256 rows of four numbers, and two labels y of each row.")
@says("About half of the labels are missing, which is to say NaN.")
def test_the_labels() -> None:
    assert X.shape == (256, 4)
    assert Y.shape == (256, 2)
    missing = np.isnan(Y.numpy())
    assert missing.mean() == pytest.approx(0.5, abs=0.05)
    counts = np.bincount(missing.sum(axis=1))
    assert (counts > 40).all()
    assert counts[1] > counts[0]


@says("Return a mean squared error, the missing labels left out too late.")
@says(
    "The loss is a number, and the gradient is NaN where a label is missing:"
)
@says("And the mean was taken over all labels, the missing ones too.")
@says("After one step all weights are NaN.")
@says("look at the gradient of two rows.")
def test_a_mask_that_comes_too_late() -> None:
    y_pred = tf.zeros_like(Y)
    known = ~np.isnan(Y.numpy())
    total = np.square(Y.numpy()[known]).sum()
    loss = float(masked_late(Y, y_pred))
    assert loss == pytest.approx(total / known.size, rel=1e-5)
    gradient = slope(masked_late, Y, y_pred)
    np.testing.assert_array_equal(np.isnan(gradient), ~known)
    assert printed(NAME, "masked_too_late").count("labels") == 2
    assert printed(NAME, "masked_too_late").count("nan") == 4
    model = make_line(2)
    make_step(model, masked_late, SGD(0.1))(X, Y)
    for weight in model.get_weights():
        assert np.isnan(weight).all()


@says("Put a number in the place of NaN *before* you compute with it,")
@says("Return the mean squared error of the labels that are not NaN.")
@says("Both have the same shape. Without a single label the loss is 0.")
@says("**The check**: change `y_pred` where a label is missing, and the loss")
def test_the_mean_of_what_is_known() -> None:
    y_pred = tf.random.stateless_normal(Y.shape, (3, 0))
    known = ~np.isnan(Y.numpy())
    due = np.square(Y.numpy()[known] - y_pred.numpy()[known]).mean()
    assert float(known_loss(Y, y_pred)) == pytest.approx(due, rel=1e-5)
    gradient = slope(known_loss, Y, y_pred)
    wanted = np.where(known, 2 * (y_pred - np.nan_to_num(Y)) / known.sum(), 0)
    np.testing.assert_allclose(gradient, wanted, atol=1e-6)
    other = tf.where(known, y_pred, 1e6)
    assert float(known_loss(Y, other)) == pytest.approx(due, rel=1e-5)
    assert float(masked_late(Y, y_pred)) != pytest.approx(due, rel=0.1)
    nothing = tf.fill(Y.shape, math.nan)
    assert float(known_loss(nothing, y_pred)) == 0
    assert not slope(known_loss, nothing, y_pred).any()
    assert highlighted(BLOCKS["known_loss"])[1].startswith("safe =")
    assert printed(NAME, "masked_first").count("nan") == 2  # the labels alone


@says("`ensure_shape` refuses a row against a column.")
def test_a_row_against_a_column() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="not compatible"):
        known_loss(Y[:, 0], tf.zeros((256, 1)))
    compiled = tf.function(known_loss)
    with pytest.raises(ValueError, match="must be rank 1"):
        compiled(Y[:, 0], tf.zeros((256, 1)))


@says(
    "With other losses only the square changes: "
    "`tf.nn.sigmoid_cross_entropy_with_logits(labels=safe, logits=y_pred)` "
    "for labels of 0 and 1."
)
def test_another_loss_for_known_labels() -> None:
    y = tf.constant([[1.0, math.nan], [0.0, 1.0]])
    logits = tf.constant([[2.0, 1.0], [1.0, -1.0]])
    known = tf.math.logical_not(tf.math.is_nan(y))
    safe = tf.where(known, y, 0.0)
    each = tf.nn.sigmoid_cross_entropy_with_logits(labels=safe, logits=logits)
    loss = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    due = float(loss(*tf.constant([[1.0, 0.0, 1.0], [2.0, 1.0, -1.0]])))
    mean = tf.reduce_mean(tf.boolean_mask(each, known))
    assert float(mean) == pytest.approx(due, rel=1e-5)


@says("Return a compiled step: it updates the model, returns the loss.")
@says("`compile` takes `known_loss`, as a metric too.")
@says(
    "Other metrics are NaN, or take a missing label for a wrong answer, as "
    "`BinaryAccuracy` does."
)
@says(
    "And with `known_loss` it weighs no label: `fit` multiplies the one "
    "number by the mean of all weights."
)
def test_known_loss_in_fit() -> None:
    model = make_line(2)
    model.compile(SGD(0.5), known_loss, metrics=[known_loss, "mae"])
    logs = model.fit(X, Y, batch_size=256, epochs=5, verbose=0).history
    assert logs["loss"][-1] < 0.6 * logs["loss"][0]
    step = make_step(make_line(2), known_loss, SGD(0.5))
    assert float(step(X, Y)) == pytest.approx(logs["loss"][0], rel=1e-5)
    np.testing.assert_allclose(logs["known_loss"], logs["loss"], rtol=1e-5)
    assert np.isnan(logs["mae"]).all()
    accuracy = tf.keras.metrics.BinaryAccuracy()
    right = tf.constant([[1.0], [0.0], [math.nan], [math.nan]])
    assert float(accuracy(right, tf.where(right > 0, 1.0, 0.0))) == 0.5
    model = make_line(2)
    model.compile(SGD(0.0), known_loss)
    weights = np.where(np.arange(256) < 128, 9.0, 0.0)
    weighed = model.fit(X, Y, 256, sample_weight=weights, verbose=0).history
    due = 4.5 * float(known_loss(Y, tf.zeros_like(Y)))
    assert weighed["loss"][0] == pytest.approx(due, rel=1e-5)
    first = float(known_loss(Y[:128], tf.zeros((128, 2))))
    assert first != pytest.approx(due / 4.5, rel=0.01)


@says("A `sample_weight` of 0 does not help: 0 times NaN is NaN.")
def test_a_weight_of_0_does_not_help() -> None:
    y, weights = tf.constant([[1.0], [math.nan]]), tf.constant([1.0, 0.0])
    y_pred = tf.zeros((2, 1))
    assert math.isnan(float(mse(y, y_pred, sample_weight=weights)))


@says("Filled labels count as labels: the model learned that half of all")
@says("So it is with -1.")
def test_filled_labels_count() -> None:
    [filled, _], [left_out, _] = ([n[-2], n[-1]] for n in lines("learn_known"))
    assert filled == pytest.approx(1, abs=0.15)
    assert left_out == pytest.approx(2, abs=0.005)
    columns = np.column_stack([X.numpy(), np.ones(256)])
    for number in (0.0, -1.0):
        y = np.where(np.isnan(Y.numpy()), number, Y.numpy())
        weights = np.linalg.lstsq(columns, y)[0]
        assert weights[1, 0] == pytest.approx(1, abs=0.25)
        if not number:
            assert filled == pytest.approx(weights[1, 0], abs=0.02)


@says("A task with few labels counts little in this mean.")
@says("Return the mean of the mean squared errors of the tasks.")
@says("Both have the shape (rows, tasks); a NaN in y is no label.")
def test_each_task_the_same() -> None:
    y = tf.constant([[1.0, math.nan]] * 99 + [[1.0, 3.0]])
    y_pred = tf.zeros_like(y)
    assert float(known_loss(y, y_pred)) == pytest.approx(109 / 101, rel=1e-5)
    assert float(by_task(y, y_pred)) == pytest.approx((1 + 9) / 2, rel=1e-5)
    assert lines("same_for_tasks") == [[3], [5]]


# Pixels


@says("Without a word about it that is [a label outside of the valid range]")
@says("With `ignore_class` the mean is over the three pixels with a label.")
@says('With `reduction="none"`, as in the first line, a mean of your own')
@says("For -1 as the label that is none, say `ignore_class=-1`.")
def test_void_pixels() -> None:
    names = ran("several_tasks_missing", "void_pixels")
    y, logits = names["y"], names["logits"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="255"):
        Entropy(from_logits=True)(y, logits)
    single = Entropy(from_logits=True, reduction="none")
    three = single(y.numpy().flat[:3], tf.reshape(logits, (4, 2))[:3]).numpy()
    for number in (255, -1):
        labels = tf.where(y == 255, number, y)
        for jit in (False, True):
            loss = tf.function(
                Entropy(from_logits=True, ignore_class=number), jit_compile=jit
            )
            due = pytest.approx(three.mean(), rel=1e-5)
            assert float(loss(labels, logits)) == due
    each = names["each"](y, logits).numpy()
    assert each.size == 4
    assert each.mean() == pytest.approx(three.sum() / 4, rel=1e-5)
    assert lines("void_pixels")[2] == pytest.approx([three.mean()], abs=1e-3)


@says("The accuracy knows nothing of it and counts the last pixel as wrong,")
def test_the_accuracy_of_void_pixels() -> None:
    assert [line[-1] for line in lines("void_pixels")[3:]] == [0.75, 1]


@says("A *weight map* has the shape of the labels, and is a `sample_weight`.")
@says("In `fit`, too, the data are `(x, y, weights)`.")
@says(
    "That is the sum of the weighted losses, divided by three: by the number "
    "of labels, not by [the sum of the weights]"
)
def test_a_weight_for_each_pixel() -> None:
    names = ran("several_tasks_missing", "void_pixels", "weighed_pixels")
    y, logits, weights = names["y"], names["logits"], names["weights"]
    assert weights.shape == y.shape
    each = names["each"](y, logits).numpy() * weights.numpy()
    loss = names["loss"](y, logits, sample_weight=weights)
    assert float(loss) == pytest.approx(each.sum() / 3, rel=1e-5)
    assert lines("weighed_pixels") == [[pytest.approx(float(loss), abs=1e-3)]]
    model = tf.keras.Sequential([tf.keras.Input((2, 2)), layers.Identity()])
    model.compile(loss=names["loss"])
    data = tf.data.Dataset.from_tensor_slices((logits, y, weights)).batch(2)
    told = model.evaluate(data, verbose=0)
    assert told == pytest.approx(each.sum() / 3, rel=1e-5)


# 2. Two data sets


@says("Return rows of two numbers, and y with noise, of the task 0 or 1.")
@says("The noise in the labels leaves a loss of about 0.01 to the first task,")
@says("Now each task has rows of its own, and nobody knows the other label")
def test_the_rows_of_two_tasks() -> None:
    rows = [make_rows(2000, task) for task in (0, 1)]
    assert rows[0][0].shape == rows[1][0].shape == (2000, 2)
    assert not np.allclose(rows[0][0], rows[1][0])
    (a, y_a), (b, y_b) = ([t.numpy() for t in task] for task in rows)
    noise = y_a[:, 0] - np.sin(3 * a[:, 0])
    assert np.mean(noise**2) == pytest.approx(0.01, rel=0.15)
    noise = y_b[:, 0] - 10 * b[:, 0] * b[:, 1]
    assert np.mean(noise**2) == pytest.approx(1, rel=0.15)


@says("A *trunk* is shared, and each task has a *head*.")
@says("Return a trunk, and two models of it and a head of their own.")
@says("Return the trainable variables of some models, each of them once.")
@says("Each model has the trunk and its own head, so the usual step does.")
@says("The lists of both models name the trunk twice.")
def test_models_that_share_a_trunk() -> None:
    trunk, models = make_models()
    ids = [{id(v) for v in model.trainable_variables} for model in models]
    shared = {id(v) for v in trunk.trainable_variables}
    assert ids[0] & ids[1] == shared
    assert len(shared) == 2
    for found, model in zip(ids, models, strict=True):
        head = {id(v) for v in model.layers[-1].trainable_variables}
        assert found == shared | head
        assert len(found) == 4
    variables = [id(v) for v in variables_of(models)]
    assert len(variables) == 6
    assert set(variables) == ids[0] | ids[1]


@says("Take a batch of each task in every step.")
@says("`zip` ends with the shorter data set, so let that one repeat.")
@says("Return the loss of each model on its batch, in training.")
@says("Return a compiled step on a batch of each task; it returns losses.")
@says("The two losses have different scales, and the first falls slowly.")
def test_both_tasks_in_one_step() -> None:
    short, long = tf.data.Dataset.range(2), tf.data.Dataset.range(5)
    assert len(list(tf.data.Dataset.zip(long, short))) == 2
    assert len(list(tf.data.Dataset.zip(long, short.repeat()))) == 5
    batches = make_rows(64, 0), make_rows(32, 1)
    _, models = make_models()
    before = [float(loss) for loss in losses_of(models, mse, batches)]
    step = make_joint_step(models, mse, SGD(0.01))
    np.testing.assert_allclose(step(*batches), before, rtol=1e-5)
    assert all(step(*batches) < before)
    first, *_, last = lines("learn_both")
    assert first[2] > 10 * first[1]
    assert 0.5 * first[1] < last[1] < first[1]
    assert last[2] < 0.2 * first[2]


@says("Add them, and give each variable a gradient of 1.")
@says("The trunk was moved twice, and nothing says so.")
@says("**The check** is `len({id(variable) for variable in variables})`:")
def test_a_variable_listed_twice() -> None:
    assert lines("listed_twice") == [[16, -0.2], [1, -0.1]]
    _, models = make_models()
    listed = [v for model in models for v in model.trainable_variables]
    assert len({id(v) for v in listed}) < len(listed)
    once = variables_of(models)
    assert len({id(v) for v in once}) == len(once)


@says("Return a compiled step on one task, with all of the variables.")
@says("Often one step takes one task, and the other loss is multiplied by 0.")
@says("How far did this second turn move the head of the second task?")
@says("Its gradient was 0, and SGD left it alone.")
@says(
    "But Adam moves on by the gradients of before, as all optimizers with a "
    "momentum do, and forgets a part of these at each turn."
)
@says("Weight decay moves it, too.")
def test_the_other_head_moves() -> None:
    [[sgd], [adam]] = lines("other_head")
    assert (sgd, adam > 0.01) == (0, True)
    still = [SGD(0.01), optimizers.RMSprop(0.01), optimizers.Adagrad(0.01)]
    moved = [
        Adam(0.01),
        SGD(0.01, momentum=0.9),
        optimizers.RMSprop(0.01, momentum=0.9),
        optimizers.Nadam(0.01),
        optimizers.Adamax(0.01),
        optimizers.Lion(0.01),
        optimizers.Lamb(0.01),
        SGD(0.01, weight_decay=0.1),
    ]
    for optimizer in still + moved:
        weight = tf.Variable(1.0)
        optimizer.apply_gradients([(tf.constant(1.0), weight)])
        before = float(weight)
        optimizer.apply_gradients([(tf.constant(0.0), weight)])
        assert (float(weight) != before) == (optimizer in moved), (
            optimizer.name
        )
    _, models = make_models()
    x, y = make_rows(64, 0)
    variables = variables_of(models)
    with tf.GradientTape() as tape:
        losses = losses_of(models, mse, [(x, y), (x, y)])
        loss = tf.tensordot(tf.eye(2)[0], losses, 1)
    for gradient in tape.gradient(loss, variables)[-2:]:
        assert not gradient.numpy().any()
    weight = tf.Variable(1.0)
    optimizer = SGD(0.1, momentum=0.9)
    ways = []
    for gradient in (1.0, 0.0, 0.0):
        before = float(weight)
        optimizer.apply_gradients([(tf.constant(gradient), weight)])
        ways.append(before - float(weight))
    assert ways == pytest.approx([0.1, 0.09, 0.081], rel=1e-4)


@says("So it is as well where a batch has no label of a task.")
def test_a_batch_without_a_label_of_a_task() -> None:
    model, y = make_line(2), np.array(Y)
    step = make_step(model, known_loss, Adam(0.01))
    step(X, Y)
    before = model.get_weights()[0]
    y[:, 1] = math.nan
    with tf.GradientTape() as tape:
        loss = known_loss(tf.constant(y), model(X))
    kernel = tape.gradient(loss, model.trainable_variables)[0]
    assert not kernel.numpy()[:, 1].any()
    step(X, tf.constant(y))
    assert np.abs(model.get_weights()[0] - before)[:, 1].min() > 1e-4


@says("Give the optimizer only what the task uses.")
@says(
    "Without `build`, with all variables, the optimizer would know those of "
    "its first step alone, and raise [`Unknown variable`]"
    "(freeze_and_fine_tune.md#valueerror-unknown-variable) at the first turn "
    "of another task."
)
def test_a_step_for_each_task() -> None:
    assert lines("by_turns") == [[0]]
    rows = make_rows(64, 0), make_rows(32, 1)
    _, models = make_models()
    adam = Adam(0.01)
    steps = [make_step(model, mse, adam) for model in models]
    steps[1](*rows[1])
    with pytest.raises(ValueError, match="Unknown variable"):
        steps[0](*rows[0])


# 3. The balance


@pytest.fixture(scope="module")
def learned() -> dict[str, Any]:
    """Both tasks by the plain sum, from two starts."""
    found: dict[str, Any] = {}
    batches = found["batches"] = make_rows(1024, 0), make_rows(256, 1)
    seed = tf.keras.utils.set_random_seed
    for start in (1, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                tf.keras.utils, "set_random_seed", lambda _, s=start: seed(s)
            )
            trunk, models = make_models()
        step = make_joint_step(models, mse, Adam(0.01))
        for _ in range(600):
            losses = step(*batches)
        found[f"start {start}"] = trunk, models, losses.numpy()
    return found


@says("The second is there.")
@says("The first has far to go, for what is much to it is little in the sum.")
@says("From other starts the plain sum is sometimes nearly as good.")
def test_the_plain_sum(learned: dict[str, Any]) -> None:
    *_, losses = learned["start 1"]
    assert lines("plain_sum")[0] == pytest.approx(losses, abs=0.01)
    assert losses[0] > 5 * 0.01
    assert losses[1] < 1
    assert losses[0] < 0.2 * losses[1]
    *_, other = learned["start 0"]
    assert other[0] < 0.03
    assert other[1] < 1


@says("Return the gradient of each loss at the trunk, as one long vector.")
@says(
    "Both pull about as hard, and not the same way: with a cosine below 0, a "
    "step for one task is a step against the other."
)
@says("The sum stands still where they cancel.")
@says(
    "The cosine [above](#which-task-pulls) is below 0: what helps one task "
    "harms the other."
)
def test_two_pulls(learned: dict[str, Any]) -> None:
    trunk, models, _ = learned["start 1"]
    first, second = pulls(trunk, models, mse, learned["batches"])
    assert first.shape == (2 * 16 + 16,)
    [lengths, [cosine]] = lines("measure_pulls")
    assert lengths[0] == pytest.approx(lengths[1], rel=0.3)
    assert cosine < -0.3
    a, b = first.numpy(), second.numpy()
    assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) < -0.3
    # A short step against the second gradient makes the first loss larger.
    before = losses_of(models, mse, learned["batches"])
    ends = np.cumsum([v.shape.num_elements() for v in trunk.weights])[:-1]
    kept = trunk.get_weights()
    parts = [
        weight - 0.01 * part.reshape(weight.shape)
        for weight, part in zip(kept, np.split(b, ends), strict=True)
    ]
    trunk.set_weights(parts)
    after = losses_of(models, mse, learned["batches"])
    trunk.set_weights(kept)
    assert after[1] < before[1]
    assert after[0] > before[0]


@says(
    "*Uncertainty weights* divide each loss by a number that is learned, and "
    "add the logarithm of that number, or it would grow without end"
)
@says("Return the sum of losses, each over e to its scale, and of the scales.")
@says("There is a scale for each loss.")
@says("For a fixed loss `#!math L` the term `#!math e^{-s} L + s` is smallest")
@says(
    "So each loss ends up divided by itself, and its gradient is that of its "
    "logarithm."
)
def test_uncertainty_weights() -> None:
    losses = tf.constant([0.1, 20.0])
    best = tf.Variable(tf.math.log(losses))
    assert float(balanced([0.1, 20.0], tf.Variable([0.0, 0.0]))) == (
        pytest.approx(20.1, rel=1e-5)
    )
    numbers = np.exp(best.numpy())
    due = (losses.numpy() / numbers + np.log(numbers)).sum()
    assert float(balanced(list(losses), best)) == pytest.approx(due, rel=1e-5)
    lowest = float(balanced(list(losses), best))
    for change in ([0.1, 0.0], [-0.1, 0.0], [0.0, 0.1], [0.0, -0.1]):
        other = tf.Variable(best + change)
        assert float(balanced(list(losses), other)) > lowest
    with tf.GradientTape() as tape:
        tape.watch(losses)
        total = balanced(tf.unstack(losses), best)
    np.testing.assert_allclose(
        tape.gradient(total, losses), 1 / losses, rtol=1e-5
    )
    scale = tf.Variable(0.0)
    for _ in range(200):  # without the logarithm
        with tf.GradientTape() as tape:
            loss = tf.exp(-scale) * 1.0
        scale.assign_sub(tape.gradient(loss, scale))
    assert float(scale) > 5


@says("Return a compiled step that trains the scales as well.")
@says("The scales start at the logarithms of the first losses, where the")
@says("Now the first loss is at its noise, in as many steps.")
@says("It did, and it is right: the logarithm of a small loss is far below 0.")
@says("**The check**: near the end the weights are 1 over the losses.")
def test_a_balance_that_is_learned(learned: dict[str, Any]) -> None:
    batches = learned["batches"]
    _, models = make_models()
    first = losses_of(models, mse, batches)
    scales = tf.Variable(tf.math.log(first))
    with tf.GradientTape() as tape:
        total = balanced(first, scales)
    np.testing.assert_allclose(tape.gradient(total, scales), 0, atol=1e-5)
    step = make_balanced_step(models, scales, mse, Adam(0.01))
    before = scales.numpy()
    assert float(step(*batches)) == pytest.approx(float(total), rel=1e-5)
    step(*batches)
    assert (scales.numpy() != before).all()
    losses, weights, [sum_of_both] = lines("learn_balance")
    assert losses[0] == pytest.approx(0.01, rel=0.2)
    assert losses[1] < 1
    np.testing.assert_allclose(weights, 1 / np.array(losses), rtol=0.1)
    assert sum_of_both == pytest.approx(2 - np.log(weights).sum(), abs=0.1)
    assert sum_of_both < 0
    assert math.log(0.01) < -4
    assert BLOCKS["plain_sum"].code.count("range(600)") == 1
    assert BLOCKS["learn_balance"].code.count("range(600)") == 1


@says("A task that is learned by heart has a loss of nearly 0, and its weight")
@says(
    "With `scales.assign(tf.maximum(scales, -5.0))` after each step it stays"
)
def test_a_weight_without_a_limit() -> None:
    for limited in (False, True):
        scales, loss = tf.Variable([0.0]), 1e-4
        for _ in range(150):
            with tf.GradientTape() as tape:
                total = balanced([tf.constant(loss)], scales)
            scales.assign_sub(0.3 * tape.gradient(total, scales))
            if limited:
                scales.assign(tf.maximum(scales, -5.0))
        weight = float(tf.exp(-scales)[0])
        due = math.exp(5) if limited else 1 / loss
        assert weight == pytest.approx(due, rel=1e-3)
    with tf.GradientTape() as tape:  # and comes back, when the loss rises
        total = balanced([tf.constant(9.0)], scales)
    assert float(tape.gradient(total, scales)[0]) < 0


@says("For squared errors `balanced` is twice the formula of the paper.")
def test_the_formula_of_the_paper() -> None:
    losses, sigmas = np.array([0.3, 7.0]), np.array([0.5, 3.0])
    paper = (losses / (2 * sigmas**2) + np.log(sigmas)).sum()
    scales = tf.Variable(np.log(sigmas**2), dtype=tf.float32)
    total = balanced(list(tf.constant(losses, tf.float32)), scales)
    assert float(total) == pytest.approx(2 * paper, rel=1e-5)


# 4. PCGrad


@says("*PCGrad* takes from each gradient the part that goes against the other")
@says("Return the gradients less what in them goes against the others.")
@says("Each is now at a right angle to what the other was.")
def test_gradients_without_a_conflict() -> None:
    first, second = np.array([2.0, 1.0]), np.array([-1.0, 1.0])
    [numbers_] = lines("apart")
    apart, other = np.split(np.array(numbers_), 2)
    assert apart @ second == pytest.approx(0, abs=1e-6)
    assert other @ first == pytest.approx(0, abs=1e-6)
    agreeing = [tf.constant([1.0, 0.0])]
    kept = without(agreeing, [tf.constant([1.0, 1.0])])
    np.testing.assert_array_equal(kept[0], agreeing[0])


@says(
    "The step needs the gradients of both losses one by one; one gradient of "
    "the sum, taken apart later, is too late."
)
@says("And it is for shared weights only.")
@says("The heads get theirs as ever.")
@says("Return two losses, and gradients with their variables.")
def test_where_gradients_are_taken_apart(learned: dict[str, Any]) -> None:
    trunk, models, _ = learned["start 1"]
    batches = learned["batches"]
    _, pairs = surgery(trunk, models, mse, batches)
    shared = [id(v) for v in trunk.trainable_variables]
    variables = variables_of(models)
    with tf.GradientTape(persistent=True) as tape:
        losses = losses_of(models, mse, batches)
    plain = tape.gradient(losses, variables)
    due = {id(v): g for g, v in zip(plain, variables, strict=True)}
    assert [id(v) for _, v in pairs][:2] == shared
    assert {id(v) for _, v in pairs} == set(due)
    for gradient, variable in pairs:
        same = np.allclose(gradient, due[id(variable)], atol=1e-6)
        assert same == (id(variable) not in shared)
    total = tape.gradient(losses, trunk.trainable_variables)
    np.testing.assert_array_equal(without(total, total)[0], total[0])


@says("Return a compiled step of PCGrad for two tasks; it returns losses.")
@says("That is better than the sum, here, in as many steps.")
def test_a_step_of_pcgrad(learned: dict[str, Any]) -> None:
    batches = learned["batches"]
    trunk, models = make_models()
    first = [float(loss) for loss in losses_of(models, mse, batches)]
    step = make_surgery_step(trunk, models, mse, Adam(0.01))
    losses = step(*batches)
    np.testing.assert_allclose(losses, first, rtol=1e-5)
    for apart, plain in zip(
        *lines("learn_apart"), *lines("plain_sum"), strict=True
    ):
        assert apart < plain
    assert lines("learn_apart")[0][0] < 0.5 * lines("plain_sum")[0][0]
    assert BLOCKS["learn_apart"].code.count("range(600)") == 1


@says("Return a weight for each gradient that makes all equally long.")
def test_equal_lengths() -> None:
    pulled = [tf.constant([3.0, 4.0]), tf.constant([0.0, 1.0])]
    np.testing.assert_allclose(even(pulled), [3 / 5, 3], rtol=1e-5)
    [[_, first], [_, second]] = lines("even_pulls")
    assert first == second
