"""What the page on reading curves says is true."""

import itertools
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from snippets.curves_choose import count_rises
from snippets.curves_loop import (
    accuracy,
    loss,
    make_model,
    make_step,
    make_waves,
    measure,
    run_epoch,
    train,
)
from snippets.curves_overfit import each_loss, lowest, shift
from snippets.curves_setup import SGD, Adam, layers
from snippets.curves_stuck import look_inside, of_zeros, overfit_batch
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
from tests.claims.sentences import DOCS, below, read

NAME = "reading_the_curves"
PAGE = read(NAME)
BLOCKS = {block.name: block for block in PAGE.blocks}
X, Y = make_waves(4096, seed=0)
TRAIN, MORE = (X[:256], Y[:256]), (X[:1024], Y[:1024])
VALID, TEST = make_waves(256, seed=1), make_waves(4096, seed=2)
CHANCE = np.log(4)


def source(page: str) -> str:
    """Return a page as it is written."""
    return (DOCS / f"{page}.md").read_text("utf-8")


def rows_of(section: str) -> dict[str, list[float]]:
    """Return the numbers of each line that a block prints, by its words."""
    found = {}
    for line in printed(NAME, section).split("\n"):
        name, _, rest = line.partition(":")
        found[name.strip()] = numbers(rest)
    return found


# What the page promises, and where


@says(
    "What the curves of a TensorFlow training tell - a loss that stands "
    "still, overfitting and mends that are measured, learning rate, batch "
    "size, more data."
)
@says(
    "Nothing raises, and still something is wrong: the loss stands still, or "
    "it falls in training and rises in validation."
)
@says("The initial loss is very large | [The first loss]")
@says("You do not trust the loop | [One batch]")
@says("Loss and accuracy do not change | [Standing still]")
@says("The same class for all inputs; accuracy stuck at 0.5 | [One answer]")
@says("Only the training accuracy improves, validation stays at chance |")
@says("Training and validation accuracy are both low | [Underfitting]")
@says("Validation loss goes up, training loss goes down | [Overfitting]")
@says("Validation loss and validation accuracy both increase | [Both]")
@says("Validation accuracy is higher than training accuracy | [Higher]")
@says("The loss jumps from batch to batch | [Jumps]")
@says("The validation loss fluctuates | [Few rows]")
@says("Which learning rate, batch size, number of epochs? | [Rate]")
@says("Would more data help? | [Learning curve]")
@says("Test accuracy is lower than validation accuracy | [Chosen]")
def test_each_row_leads_to_a_section_with_its_blocks() -> None:
    shown = {
        "## The initial loss is very large": "first_loss",
        "## Overfit one batch first": "one_batch",
        "## The loss does not decrease": ":stuck",
        "### The model predicts the same class": "same_class",
        "### Training accuracy is 1, validation": "other_labels",
        "## Underfitting": "underfit",
        "## Overfitting": "plot_overfit",
        "### How to prevent overfitting": "compare",
        "## Validation loss increases while": "right_and_wrong",
        "## Validation accuracy is higher": "val_higher",
        "## The loss jumps from batch to batch": "rises",
        "### The validation loss fluctuates": "few_rows",
        "## How to choose the learning rate": "rates",
        "## How to choose the batch size": "batches",
        "## How many epochs": "Count steps",
        "## Would more data help?": "sizes",
        "## Test accuracy is lower": "guesses",
    }
    for heading, word in shown.items():
        assert word in below(NAME, heading), heading
    assert not any("raises" in block.options for block in PAGE.blocks)


@says("Mistakes in the loop itself are [silent failures](traps.md), and a")
@says("If your loss begins far above the logarithm, [scale the inputs]")
@says("(It cannot with [smoothed labels]")
@says("A gradient that is missing altogether is [another matter]")
@says(
    "Further causes are [a row against a column](traps.md#2-a-row-against-a-"
    "column), [a softmax of one number] … , [a rare class] … and [large "
    "targets]"
)
@says("[A real problem](real_problem.md): a choice, a test, and what it is")
@says("[Data for a loop](data_for_a_loop.md): augmentation, rare classes,")
@says("If it is worse by far, look for [a leak]")
@says("Large batches save time where [calls cost more than numbers]")
def test_what_other_pages_have() -> None:
    has = {
        "data_for_a_loop": [
            "## 1. Data augmentation",
            "## 2. Imbalanced data",
            "## 3. Scale inputs and targets",
            "all predictions are the same value",
        ],
        "weights_outputs_losses": ["the smallest loss is not 0"],
        "foundations": ["## Six ways to get None"],
        "traps": ["## 2. A row against a column", "## 4. A variable rebound"],
        "errors_in_a_step": ["The same prediction for every input"],
        "real_problem": ["## Choose by validation", "## The test set, once"],
        "freeze_and_fine_tune": ["training loss good, validation loss bad"],
        "how_fast": ["where calls are a small\npart of the cost"],
    }
    for page, parts in has.items():
        for part in parts:
            assert part in source(page), part
    assert "without telling you" in source("traps").partition("\n# ")[2]


def test_smoothed_labels_have_a_least_loss() -> None:
    smooth = tf.keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    shares = tf.constant([[0.925, 0.025, 0.025, 0.025]])
    assert float(smooth(tf.constant([[1.0, 0, 0, 0]]), shares)) > 0.3


@says("The imports, some types, and short names.")
@says("All blocks above, in order, as one file.")
@says("It needs TensorFlow and Matplotlib.")
def test_what_the_set_up_has_and_the_program_needs() -> None:
    assert {"plt", "np", "tf", "Part"} <= set(ran("curves_setup", "setup"))
    bring = {"tensorflow", "matplotlib", "numpy"}
    assert imported(PAGE) == bring | {"collections", "typing"}


# The problem


@says("A row is a wave of 32 numbers with noise.")
@says("Its class says how many periods it has: one, two, three or four.")
@says("It may begin anywhere.")
@says("Return x of shape (rows, 32), noisy waves, and y, their classes.")
@says("Class 0 has one period in 32 numbers, class 3 has four.")
def test_the_waves() -> None:
    x, y = make_waves(400, seed=1, noise=0.0)
    assert x.shape == (400, 32)
    assert sorted(set(y)) == [0, 1, 2, 3]
    strength = np.fft.rfft(x, axis=1)
    assert (np.argmax(np.abs(strength), axis=1) == y + 1).all()
    begins = np.angle(strength[np.arange(400), y + 1])
    assert np.histogram(begins, bins=4)[0].min() > 70
    assert (X[:400] - make_waves(4096, 0, noise=0.0)[0][:400]).std() > 1


@says("There are 256 rows to learn from, and 256 others to validate with.")
@says("`more` has four times as many, and the test is kept for later.")
@says(
    "Four jagged curves of 32 points side by side, one of each class, between "
    "about minus five and five; the number of periods can hardly be seen in "
    "any of them"
)
def test_the_sets_and_their_figure() -> None:
    left = ran("curves_loop", "look")
    for name, part in (("train_set", TRAIN), ("more", MORE)):
        np.testing.assert_array_equal(left[name][0], part[0])
    assert len(left["train_set"][1]) == len(left["valid_set"][1]) == 256
    assert len(left["more"][1]) == 4 * 256
    both = [left["train_set"][0], left["valid_set"][0]]
    assert len(np.unique(np.concatenate(both), axis=0)) == 512
    all_axes = figure(NAME, "look")
    assert len(all_axes) == 4
    for number, (axes, wave) in enumerate(zip(all_axes, X, strict=False)):
        assert axes.texts == [f"class {number}"]
        assert len(wave) == 32
        assert np.abs(wave).max() < 5
        # Many more turns than a wave with so few periods has.
        turns = np.sum(np.diff(np.sign(np.diff(wave))) != 0)
        assert turns > 2 * (number + 1) + 3
    assert np.abs(X[:4]).max() > 4


@says("The model has one hidden layer.")
@says(
    "It ends with [logits](real_problem.md#the-network), and the loss is told "
    "so."
)
@says("Return a model of waves: a hidden layer, and a logit for each class.")
def test_the_model() -> None:
    model = make_model()
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["Dense", "Dropout", "Dense"]
    assert model(X[:5]).shape == (5, 4)
    assert float(tf.reduce_min(model(X))) < 0
    assert loss.get_config()["from_logits"]
    assert "logits" in source("real_problem").partition("## The network")[2]


@says("The step is [the usual one]")
@says("Return a compiled step, which returns loss and accuracy of a batch.")
def test_the_step() -> None:
    model = make_model()
    logits = model(X[:32])
    step = make_step(model, SGD(0.1))
    assert hasattr(step, "get_concrete_function")
    found, right = step(X[:32], Y[:32])
    assert float(found) == pytest.approx(float(loss(Y[:32], logits)))
    assert float(right) == float(tf.reduce_mean(accuracy(Y[:32], logits)))
    usual = {block.name: block for block in read("usual_parts").blocks}
    ours = BLOCKS["make_step"].code
    for part in ("optimizer.build(", "training=True", "apply_gradients("):
        assert part in usual["make_step"].code
        assert part in ours


@says("An epoch takes the rows in another order each time.")
@says("A last batch that is shorter counts by its rows.")
@says("Take a step for each batch; return loss and accuracy over all rows.")
@says("Validation is measured after the epoch, without dropout and penalties,")
@says("Return loss and accuracy of the model in use, over all rows.")
@says("`train` does both, and keeps the weights of the epoch whose validation")
@says("`change` may make other inputs for each epoch.")
@says("Train; return the history, and the weights of the lowest val_loss.")
@says("Return the lowest val_loss and its epoch, counted from 1.")
def test_the_loop() -> None:
    orders: list[list[float]] = [[], []]
    part = np.arange(10.0)[:, np.newaxis], np.arange(10)
    for seed, order in enumerate(orders):

        def step(x: Any, y: Any, order: Any = order) -> tuple[float, float]:
            order.extend(y)
            return float(np.mean(y)), 1.0

        assert run_epoch(step, part, 4, seed) == pytest.approx((4.5, 1.0))
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(10))
    model, seen = make_model(dropout=0.5), []

    def change(x: Any, epoch: int) -> Any:
        seen.append(epoch)
        return x

    sets = (X[:64], Y[:64]), VALID
    history, best = train(model, Adam(0.01), sets, 12, change)
    assert seen == list(range(12))
    assert measure(model, VALID)[0] == history["val_loss"][-1]
    model.set_weights(best)
    assert measure(model, VALID)[0] == min(history["val_loss"])
    line = layers.Dense(4, kernel_regularizer="l2")
    penalised = tf.keras.Sequential([layers.Input((32,)), line])
    of_rows = float(loss(VALID[1], penalised(VALID[0])))
    assert measure(penalised, VALID)[0] == pytest.approx(of_rows)
    assert float(sum(penalised.losses)) > 0.01
    assert lowest({"val_loss": [3.0, 1.0, 2.0]}) == "val_loss 1.00 in epoch 2"
    assert "best" in highlighted(BLOCKS["train"])[1]


# The first loss


@says("Who knows nothing gives each class the same probability.")
@says(
    "The cross-entropy is then the logarithm of the number of classes: 0.69 "
    "for two, 1.39 for four and 2.30 for ten."
)
@says(
    "An untrained model has opinions, if random ones, so it begins somewhat "
    "above."
)
@says(
    "With inputs ten times as large the logits are ten times as large, too: "
    "it is sure of what it does not know."
)
def test_the_first_loss() -> None:
    for classes, due in ((2, 0.69), (4, 1.39), (10, 2.30)):
        equal = float(loss(np.array([0, 1]), np.zeros((2, classes))))
        assert equal == pytest.approx(due, abs=0.005)
    found = [row[-1] for row in lines(NAME, "first_loss")]
    assert found[0] == 1.39
    assert found[0] < found[1] < 2 * found[0]
    assert found[2] > 5 * found[1]
    model = make_model()
    np.testing.assert_allclose(
        model(10 * X), 10 * model(X), rtol=1e-3, atol=1e-4
    )
    sure = tf.reduce_max(tf.nn.softmax(model(10 * X)), axis=1)
    assert float(tf.reduce_mean(sure)) > 0.95
    assert measure(model, MORE)[1] < 0.4


@says("In a regression, who knows nothing predicts the mean.")
@says(
    "The mean squared error is then the variance, `np.var(y, axis=0).mean()`."
)
@says("In a regression with a squared error such a model comes to predict the")
def test_a_regression_that_knows_nothing() -> None:
    mean_squared = tf.keras.losses.MeanSquaredError()
    for y in (X[:, 0], X[:, :1], X[:, :3] + np.array([0, 10, 90], "float32")):
        found = float(mean_squared(y, y.mean(axis=0) + 0 * y))
        assert found == pytest.approx(np.var(y, axis=0).mean(), rel=1e-4)
    y = X[:, :1]
    bias = tf.Variable(7.0)
    for _ in range(50):
        with tf.GradientTape() as tape:
            current_loss = tf.reduce_mean((bias - y) ** 2)
        bias.assign_sub(0.25 * tape.gradient(current_loss, bias))
    assert float(bias) == pytest.approx(float(y.mean()), abs=1e-4)


# One batch


@says("A loop that works learns it by heart, if the model is large enough.")
@says("and train a new model afterwards: this one keeps what it has learned.")
@says("Take 100 steps with one batch; return its loss, first and last.")
@says("Whether the labels are right [this does not tell]")
@says("The labels may belong to other rows.")
@says("Here they are shuffled, and the rows are not.")
@says("Training accuracy is 1, validation accuracy is that of chance")
@says("One batch is learned, and so are all rows, by heart.")
@says(
    "There was nothing else to learn: the validation accuracy is that of "
    "guessing, and the validation loss is far above that of knowing nothing."
)
def test_one_batch_is_learned_with_any_labels() -> None:
    assert lines(NAME, "one_batch")[0] == pytest.approx([2.14, 0.0], abs=0.01)
    model = make_model()
    overfit_batch(make_step(model, Adam(0.01)), X[:32], Y[:32])
    assert measure(model, (X[:32], Y[:32]))[1] == 1.0
    inputs = layers.Input((32,)), layers.Lambda(lambda row: row[:, :2])
    small = tf.keras.Sequential([*inputs, layers.Dense(4)])
    overfit_batch(make_step(small, Adam(0.01)), X[:32], Y[:32])
    assert measure(small, (X[:32], Y[:32]))[0] > 1
    taken = iter(range(100))
    said = overfit_batch(lambda x, y: (next(taken), 0.0), X, Y)
    assert numbers(said) == [0, 99]
    assert next(taken, None) is None
    one_batch, of_all = lines(NAME, "other_labels")
    assert one_batch[1] < 0.01
    of_training, right, valid, valid_right = of_all
    assert of_training < 0.05
    assert right == 1.0
    assert valid > 2 * CHANCE
    assert valid_right == pytest.approx(0.25, abs=2 * (0.1875 / 256) ** 0.5)
    assert ".permutation(y)" in highlighted(BLOCKS["other_labels"])[0]


@says("Shuffle pairs, as a `tf.data.Dataset` of `(x, y)` does.")
def test_a_dataset_keeps_pairs() -> None:
    rows = np.arange(50)
    pairs = tf.data.Dataset.from_tensor_slices((rows, rows)).shuffle(50)
    found = [(int(x), int(y)) for x, y in pairs]
    assert all(x == y for x, y in found)
    assert [x for x, _ in found] != rows.tolist()


# Standing still


@says(
    "Print how far the inputs differ from row to row, how many units of the "
    "hidden layer are *alive* (above 0 for some row), how many classes are "
    "answered, and how long the gradient is."
)
@says("The hidden layer is `model.layers[0]` here; in your model it may be")
@says("Return what differs from row to row, and the length of the gradient.")
@says("Set all weights of a model to zero.")
@says("Five trainings of a hundred steps, four of which fail:")
@says("A gradient, and the loss hardly moves | The rate is too small")
@says("The inputs differ by 0 | All rows are alike")
@says("Nothing is alive, the weights are 0 | They began so, as `tf.zeros`")
@says("Nothing is alive, the weights are not 0 | *Dead* ReLUs: 0 for every")
def test_what_is_seen_in_each_training() -> None:
    said = printed(NAME, "stuck").split("\n")
    assert len(said) == 10
    names = [line.partition(":")[0] for line in said[::2]]
    losses = [numbers(line.partition(":")[2]) for line in said[::2]]
    keys = "apart", "alive", "answers", "gradient"
    traces = {
        name: dict(zip(keys, numbers(line), strict=True))
        for name, line in zip(names, said[1::2], strict=True)
    }
    fell = [last < first / 2 and last < 1 for first, last in losses]
    assert fell == [True, False, False, False, False]
    assert losses[1][1] == pytest.approx(losses[1][0], rel=0.02)
    assert traces["rate too small"]["gradient"] > 1
    assert [t["apart"] == 0 for t in traces.values()] == [
        name == "inputs all 0" for name in traces
    ]
    alike = np.tile(X[:1], (64, 1))
    assert "differ by 0," in look_inside(make_model(), alike, Y[:64])
    small = look_inside(make_model(), 0.001 * X[:64], Y[:64])
    assert 0 < numbers(small)[0] < 0.02
    assert make_model().layers[0].units == 64
    inputs = layers.Input((32,))
    outputs = layers.Dense(4)(layers.Dense(8, "relu")(inputs))
    assert not hasattr(tf.keras.Model(inputs, outputs).layers[0], "units")
    for name in names[2:]:
        assert traces[name]["alive"] == 0
        assert traces[name]["answers"] == 1
    assert not of_zeros(make_model()).get_weights()[0].any()
    model = make_model()
    overfit_batch(make_step(model, SGD(0.1)), X[:256] + 100, Y[:256])
    assert model.get_weights()[0].all()
    assert "alive 0%" in look_inside(model, X[:256] + 100, Y[:256])


@says("**Inputs**: pixels that were divided by 255 and stored as whole")
@says('Write `x.astype("float32") / 255`.')
def test_pixels_as_whole_numbers() -> None:
    pixels = np.arange(256, dtype=np.uint8)
    for stored in ((pixels / 255).astype(np.uint8), pixels // 255):
        assert np.mean(stored == 0) > 0.99
    right = pixels.astype("float32") / 255
    assert len(np.unique(right)) == 256
    assert (right.min(), right.max()) == (0.0, 1.0)


@says("Biases may begin at 0.")
@says("**ReLUs**: they died in steps that were too long.")
@says(
    "Inputs near 100 make the gradient large; with their mean subtracted the "
    "same rate trains."
)
@says("So [scale the inputs]")
@says("Where nothing is alive, that layer has no gradient, and more steps do")
def test_how_units_die() -> None:
    x, y = TRAIN
    model = make_model()
    assert not model.get_weights()[1].any()
    lengths = {}
    for name, inputs in (("far", x + 100), ("scaled", x + 100 - 100)):
        with tf.GradientTape() as tape:
            current_loss = loss(y, make_model()(inputs))
            watched = tape.watched_variables()
        gradients = tape.gradient(current_loss, watched)
        lengths[name] = float(tf.linalg.global_norm(gradients))
    assert lengths["far"] > 20 * lengths["scaled"]
    step = make_step(make_model(), SGD(0.1))
    losses = [float(step(x + 100 - (x + 100).mean(), y)[0]) for _ in range(99)]
    assert losses[-1] < 0.5
    # At first some are alive, and with short steps they stay so.
    for rate, due in ((1e-5, True), (0.1, False)):
        model = make_model()
        overfit_batch(make_step(model, SGD(rate)), x + 100, y)
        alive = np.any(model.layers[0](x + 100) > 0, axis=0)
        assert (np.mean(alive) > 0.3) == due
        assert np.any(alive) == due
    dead = model
    for model, inputs in (
        (dead, x + 100),
        (of_zeros(make_model()), x),
        (make_model(), 0 * x),
    ):
        kept = [weight.copy() for weight in model.get_weights()[:3]]
        with tf.GradientTape() as tape:
            current_loss = loss(y[:9], model(inputs[:9]))
        found = tape.gradient(current_loss, model.trainable_variables)
        assert [bool(np.any(part)) for part in found] == [False] * 3 + [True]
        overfit_batch(make_step(model, Adam(0.01)), inputs, y)
        for weight, before in zip(model.get_weights(), kept, strict=False):
            np.testing.assert_array_equal(weight, before)


@says("The model predicts the same class for all inputs")
@says("Here are those of the last model above.")
@says(
    "The accuracy is then the share of that class: 0.5 of two classes that "
    "are equally frequent, 0.25 of four, 0.9 if nine rows in ten are of one "
    "class."
)
def test_one_answer_for_all() -> None:
    answers, labels = lines(NAME, "same_class")
    assert sorted(answers) == [0, 0, 0, 256]
    assert labels == [64] * 4
    for y, due in (([0, 1], 0.5), ([0, 1, 2, 3], 0.25), ([0] * 9 + [1], 0.9)):
        logits = np.tile([1.0, 0.0, 0.0, 0.0], (len(y), 1))
        assert float(np.mean(accuracy(y, logits))) == pytest.approx(due)
    code = BLOCKS["stuck"].code
    assert code.rindex('": (') == code.index('"inputs near 100": (') + 16
    assert "in trainings.items()" in code
    assert "model(inputs, " in BLOCKS["same_class"].code


# Underfitting


@says("One without a hidden layer is linear.")
@says("Such a model is too small for the task, or has had too few steps.")
@says("Both learn from the 1,024 rows.")
@says("The linear model does not even learn the rows that it is shown.")
@says("Underfitting: training and validation accuracy are both low")
@says(
    "A wave that begins half a period later has the other sign, so what "
    "speaks for a class in the one speaks against it in the other."
)
@says("More rows do not help it.")
@says("A hidden layer does.")
def test_underfitting() -> None:
    assert "(more, valid_set)" in BLOCKS["underfit"].code
    found = rows_of("underfit")
    linear, hidden = found["linear"], found["hidden layer"]
    assert linear[0] == pytest.approx(CHANCE, abs=0.01)
    assert linear[1] < 0.35
    assert linear[3] < 0.35
    assert hidden[0] < linear[0] / 5
    assert hidden[3] > 2 * linear[3]
    places = np.arange(32) / 32
    for periods in (1, 2, 3, 4):
        wave = np.sin(2 * np.pi * periods * places)
        later = np.sin(2 * np.pi * (periods * places + 0.5))
        np.testing.assert_allclose(later, -wave, atol=1e-9)
    model = tf.keras.Sequential([layers.Input((32,)), layers.Dense(4)])
    np.testing.assert_allclose(model(-X), -model(X), atol=1e-6)
    history, _ = train(model, Adam(0.01), ((X, Y), VALID), 3, batch=128)
    assert history["loss"][-1] > CHANCE - 0.05
    assert history["val_accuracy"][-1] < 0.35
    short = train(make_model(), Adam(0.001), (MORE, VALID), 1)[0]
    assert max(short["accuracy"][-1], short["val_accuracy"][-1]) < 0.4


# Overfitting


@says(
    "Two losses over 24 epochs: the training loss falls from about 1.8 to "
    "zero; the validation loss falls to about 1.1 in the eighth epoch, turns, "
    "and rises slowly to the dotted line at log 4, about 1.4"
)
@says("The model learns its rows by heart, and that does not help with")
@says("The training rows are known by heart.")
@says(
    "The validation loss ends at about log 4, where it would be if the model "
    "gave each class the same probability."
)
@says("Overfitting: validation loss goes up, training loss goes down")
def test_overfitting() -> None:
    best, ends = lines(NAME, "overfit")
    assert best == [1.11, 8]
    assert ends[0] < 0.01
    assert ends[1] == pytest.approx(CHANCE, abs=0.06)
    [axes] = figure(NAME, "plot_overfit")
    of_training, valid, chance = axes.points.values()
    assert of_training.x[-1] == 24
    assert of_training.y[0] == pytest.approx(1.8, abs=0.05)
    assert of_training.y[-1] < 0.01
    assert of_training.y == sorted(of_training.y, reverse=True)
    assert chance.y[0] == pytest.approx(CHANCE, abs=1e-3)
    assert valid.y[1] < valid.y[2] < valid.y[3] < valid.y[4]
    assert valid.y[2] < CHANCE - 0.1
    assert valid.y[4] == pytest.approx(CHANCE, abs=0.06)


@says("A wave that begins elsewhere has the same class.")
@says("So the rows can be turned, anew in each epoch, which is")
@says("Return waves that begin elsewhere: each is turned by some places.")
def test_turned_waves_keep_their_class() -> None:
    x, y = make_waves(64, seed=1, noise=0.0)
    turned = [shift(x, epoch) for epoch in (0, 1)]
    assert (turned[0] != turned[1]).any()
    for waves in turned:
        strength = np.abs(np.fft.rfft(waves, axis=1))
        assert (np.argmax(strength, axis=1) == y + 1).all()
        np.testing.assert_allclose(np.sort(waves), np.sort(x))
    assert "sets, 24, shift)" in BLOCKS["mends"].code


@says("Five mends, one at a time: a smaller model, dropout, weight decay,")
@says("All take as many steps.")
@says("How to prevent overfitting: each mend, measured")
@says("As it was, the lowest was {{ … }}.")
@says("New rows and turned rows helped most.")
@says(
    "[What mends it](reading_the_curves.md#how-to-prevent-overfitting-each-"
    "mend-measured) is measured elsewhere.",
    page="usual_parts",
)
@says("The smaller model made it worse here, and dropout was no help,")
def test_each_mend() -> None:
    left = ran(
        "curves_overfit",
        "mends",
        sets=(TRAIN, VALID),
        more=MORE,
        valid_set=VALID,
    )
    mends = left["mends"]
    names = ["16 units", "dropout", "weight decay", "more waves"]
    assert list(mends) == [*names, "turned waves"]
    steps = set()
    for model, _, (part, _), epochs, _ in mends.values():
        steps.add(epochs * len(part[1]) // 64)
        wide = model.layers[0].units
        assert wide == (16 if model is mends["16 units"][0] else 64)
    assert steps == {96}
    found = rows_of("compare")
    before = float(record(NAME)['min(histories["as it was"]["val_loss"]):.2f'])
    assert before == lines(NAME, "overfit")[0][0]
    test_before = rows_of("stop")["lowest val_loss"]
    helped = {name: row[0] - before for name, row in found.items()}
    assert sorted(helped, key=helped.__getitem__) == [
        "turned waves",
        "more waves",
        "weight decay",
        "dropout",
        "16 units",
    ]
    for name, (_, _, test_loss, _) in found.items():
        worse = name in ("16 units", "dropout")
        assert (helped[name] > 0) == worse
        assert (test_loss > test_before[0]) == worse


@says(
    "Weight decay helped, too: a `weight_decay` of 1.0 and a rate of 0.02 "
    "take a fiftieth off each weight in each step."
)
def test_what_weight_decay_takes() -> None:
    assert "AdamW(0.02, weight_decay=1.0)" in BLOCKS["mends"].code
    variable = tf.keras.Variable([2.0, -3.0])
    optimizer = tf.keras.optimizers.AdamW(0.02, weight_decay=1.0)
    optimizer.apply_gradients([(tf.zeros(2), variable)])
    assert variable.numpy() == pytest.approx([1.96, -2.94])
    found = rows_of("compare")["weight decay"]
    assert found[0] < lines(NAME, "overfit")[0][0]


@says(
    "Three validation losses over 24 epochs: as it was, it turns early and "
    "rises to about 1.4; with dropout it turns later, and rises nearly as "
    "far; with turned waves it falls to about 0.6 and stays there"
)
def test_the_figure_of_mends() -> None:
    [axes] = figure(NAME, "plot_mends")
    before = axes.points["as it was"].y
    dropout = axes.points["dropout"].y
    turned = axes.points["turned waves"].y
    assert before[-1] == pytest.approx(1.4, abs=0.05)
    assert before[-1] - 0.1 < dropout[-1] < before[-1]
    found = rows_of("compare")
    assert lines(NAME, "overfit")[0][1] + 2 < found["dropout"][1]
    assert turned[2:] == pytest.approx([0.6] * 3, abs=0.07)


@says("The loss is lower, and so, here, is the accuracy; the next section")
@says("To save the epochs behind the best, [stop]")
@says(
    "In `fit`, `EarlyStopping(patience=5, restore_best_weights=True)` goes "
    "back."
)
def test_early_stopping() -> None:
    found = rows_of("stop")
    assert found["lowest val_loss"][0] < found["last epoch"][0]
    assert found["lowest val_loss"][1] < found["last epoch"][1]
    model = make_model()
    model.compile(Adam(0.05), loss)
    stop = tf.keras.callbacks.EarlyStopping
    history = model.fit(
        *(X[:64], Y[:64]),
        epochs=40,
        validation_data=VALID,
        callbacks=[stop(patience=5, restore_best_weights=True)],
        verbose=0,
    ).history["val_loss"]
    assert len(history) == int(np.argmin(history)) + 1 + 5
    assert measure(model, VALID)[0] == pytest.approx(min(history), rel=1e-4)
    assert "best_weights" in source("usual_parts")


@says("Without the second argument it stops, and leaves the last weights.")
@says("If you need classes, watch the accuracy: give `EarlyStopping` a")
@says("If you need probabilities, watch the loss.")
def test_what_to_watch() -> None:
    model, history = stopped_by_accuracy()
    best = int(np.argmax(history))
    assert 0 < best < len(history) - 1 == best + 5
    last = measure(model, VALID)[1]
    assert last == pytest.approx(history[-1], abs=1e-4)
    assert last < history[best]
    # With the two arguments of the section before it goes back to the best.
    model, again = stopped_by_accuracy(restore_best_weights=True)
    assert measure(model, VALID)[1] == pytest.approx(max(again), abs=1e-4)


def stopped_by_accuracy(**options: bool) -> tuple[Any, list[float]]:
    """Return a model that was trained until its val_accuracy rose no more."""
    model = make_model()
    model.compile(Adam(0.05), loss, metrics=["accuracy"])
    stop = tf.keras.callbacks.EarlyStopping(
        monitor="val_accuracy", mode="max", patience=5, **options
    )
    history = model.fit(
        *(X[:64], Y[:64]),
        epochs=40,
        validation_data=VALID,
        callbacks=[stop],
        verbose=0,
    ).history
    return model, history["val_accuracy"]


@says("Validation loss increases while validation accuracy increases")
@says("Accuracy asks which class has the largest logit, and the loss asks")
@says("Return the loss of each row, of shape (rows,).")
@says("More rows become right, but those that are wrong are so with more")
@says("Take the loss of each row of the test, at the epoch of the lowest")
def test_both_rise() -> None:
    assert "for weights in (best, last)" in BLOCKS["right_and_wrong"].code
    assert "x, y = test_set" in BLOCKS["right_and_wrong"].code
    first, last = lines(NAME, "right_and_wrong")[::2]
    first_wrong, last_wrong = lines(NAME, "right_and_wrong")[1::2]
    assert first[0] < last[0]
    assert last[1] < first[1]
    assert last_wrong[1] > 1.3 * first_wrong[1]
    totals = [
        right[0] / 100 * right[1] + wrong[0] / 100 * wrong[1]
        for right, wrong in ((first, first_wrong), (last, last_wrong))
    ]
    assert totals[0] < totals[1]
    sure = np.array([[0.0, 1.0], [0.0, 9.0]])
    assert each_loss(np.array([1, 1]), sure).shape == (2,)
    assert accuracy([1, 1], sure).numpy().tolist() == [1, 1]
    assert np.ptp(each_loss(np.array([1, 1]), sure)) > 0.3


@says("Validation accuracy is higher than training accuracy")
@says(
    "The training accuracy is taken with dropout, and while the model is "
    "still learning."
)
@says("Here half of the units are dropped, for five epochs with the 1,024")
@says("Measured like the validation, the training rows are ahead.")
@says("[Compare like with like](keras_from_fit_inwards.md")
@says("If the validation is ahead even so, its rows are easier, or")
def test_why_validation_is_ahead() -> None:
    code = BLOCKS["val_higher"].code
    assert "dropout=0.5" in code
    assert "(more, valid_set), epochs=5" in code
    [during], [valid], [after] = lines(NAME, "val_higher")
    assert during < valid < after
    dropped = layers.Dropout(0.5)(tf.ones((1, 10000)), training=True)
    assert float(tf.reduce_mean(tf.cast(dropped == 0, "float32"))) == (
        pytest.approx(0.5, abs=0.03)
    )
    model = make_model()
    history, _ = train(model, Adam(0.01), (MORE, VALID), 2)
    assert history["accuracy"][-1] < measure(model, MORE)[1]
    easy = make_waves(256, seed=1, noise=0.5)
    assert measure(model, easy)[1] > measure(model, MORE)[1]
    assert "compare like with\nlike" in source("keras_from_fit_inwards")


# Jumps


@says("Either the next batch has harder rows, or the step was too long.")
@says("Measure a batch before its own step and after it, and you know which.")
@says("Train for an epoch; return how often the loss rose, and by a step.")
@says(
    "With the rate of 0.1 the loss often goes up from one batch to the next, "
    "but no step raised the loss of its own batch."
)
@says("The loss jumps from batch to batch")
@says("These jumps are of the rows.")
@says(
    "With the larger rate more than half of the steps made it worse for "
    "their own batch"
)
def test_two_kinds_of_jumps() -> None:
    found = list(rows_of("rises").values())
    small, large = found
    assert small[0] == large[0] == 16
    assert small[1] >= 5
    assert small[2] == 0
    assert large[2] > 8
    # A model that does not learn jumps as well.
    ups = int(count_rises(make_model(), SGD(0.0), MORE).split(", ")[1][0])
    assert ups >= 5
    before, after = highlighted(BLOCKS["count_rises"])
    assert "measure(model, batch)" in before
    assert "measure(model, batch)" in after
    # Neither dropout nor a penalty counts as a rise, or hides one.
    model = make_model(dropout=0.5)
    assert count_rises(model, SGD(0.0), MORE).endswith(" 0 by step")
    said = []
    for penalty in (None, lambda kernel: 1e3 + 0 * tf.reduce_sum(kernel)):
        tf.keras.utils.set_random_seed(0)
        line = layers.Dense(4, kernel_regularizer=penalty)
        model = tf.keras.Sequential([layers.Input((32,)), line])
        said.append(count_rises(model, SGD(9.0), MORE))
    assert said[0] == said[1]
    assert not said[0].endswith(" 0 by step")


@says("Larger batches have smaller ones, and so has the mean of an epoch.")
@says("One model, which is not trained any further, on sets of few rows and")
@says(
    "A mean over `#!math n` rows deviates by about `#!math \\sigma / "
    "\\sqrt{n}`, where `#!math \\sigma` is the deviation of the losses of "
    "single rows."
)
@says("The validation loss fluctuates")
@says("Four times as many rows halve it.")
@says("Two models, or two epochs, that differ by less may be equally good.")
def test_few_rows() -> None:
    found = list(rows_of("few_rows").values())
    for row in found:
        least, most, deviation, due = row
        assert deviation == pytest.approx(due, rel=0.3)
        assert least < most - 3 * deviation
    for fewer, more in itertools.pairwise(found):
        assert more[3] == pytest.approx(fewer[3] / 2, abs=0.01)
        assert more[2] == pytest.approx(fewer[2] / 2, rel=0.2)
    code = BLOCKS["few_rows"].code
    assert code.index("train(") < code.index("for rows")


@says(
    "From epoch to epoch the weights change, and a mean over few rows shows "
    "each change enlarged."
)
@says("So validate with more rows, or lower the rate.")
def test_what_calms_the_validation_loss() -> None:
    sizes, swings = (16, 4096), {}
    for rate in (0.02, 0.002):
        model, means = make_model(), []
        step = make_step(model, Adam(rate))
        for epoch in range(16):
            run_epoch(step, MORE, 64, epoch)
            losses = each_loss(TEST[1], model(TEST[0], training=False))
            means.append([losses[:rows].mean() for rows in sizes])
        swings[rate] = np.std(np.diff(means[4:], axis=0), axis=0)
    assert swings[0.02][0] > 2 * swings[0.02][1]
    assert (swings[0.02] > 2 * swings[0.002]).all()


# Choices


@says("The smallest rate has its lowest in the last epoch, so it was still on")
@says("The largest has it early, and it is not as low.")
def test_three_rates() -> None:
    found = list(rows_of("rates").values())
    small, middle, large = found
    assert small[1] == 12
    assert "epochs=12" in BLOCKS["rates"].code
    assert middle[0] < min(small[0], large[0])
    assert large[1] < middle[1] < 12


@says(
    "With eight times the batch an epoch has an eighth of the steps, and "
    "after as many epochs the model has learned less."
)
@says("As many steps make up for it, or a rate eight times as large.")
@says("That holds for SGD, while the rate is far below its limit.")
@says("Which rate makes SGD learn as much with batches of 32, in three")
@says("With another batch size choose the rate anew, as the number of steps")
def test_batches() -> None:
    small, large, longer, faster = rows_of("batches").values()
    settings = [numbers(n) for n in printed(NAME, "batches").split("\n")]
    assert [row[0] for row in settings] == [16, 128, 128, 128]
    assert small[0] == longer[0] == 8 * large[0] == 8 * faster[0]
    assert settings[3][1] == 8 * settings[0][1]
    assert large[1] > small[1] + 0.5
    assert longer[1] < small[1] + 0.02
    assert faster[1] == pytest.approx(small[1], abs=0.02)
    assert lines(NAME, "batch_of_32")[0][0] == pytest.approx(
        small[1], abs=0.02
    )
    ends = [
        train(make_model(), SGD(rate), (MORE, VALID), 3, batch=batch)[0][
            "loss"
        ][-1]
        for batch, rate in ((16, 0.2), (128, 1.6))
    ]
    assert ends[1] > ends[0] + 0.1


@says("For Adam it is too much: here the root of eight comes nearer.")
def test_batches_with_adam() -> None:
    sets = MORE, VALID
    settings = (16, 0.002), (128, 8 * 0.002), (128, 8**0.5 * 0.002)
    small, eight, root = (
        train(make_model(), Adam(rate), sets, 5, batch=batch)[0]["loss"][-1]
        for batch, rate in settings
    )
    assert eight < small - 0.2
    assert abs(root - small) < abs(eight - small) / 1.5


@says("Count steps: 24 epochs of 256 rows have as many as 6 of 1,024.")
@says("If that is in the last epoch, it was too few.")
def test_epochs_and_steps() -> None:
    assert 24 * 256 == 6 * 1024
    few, _ = train(make_model(), Adam(0.001), (MORE, VALID), 3, batch=128)
    more, _ = train(make_model(), Adam(0.001), (MORE, VALID), 6, batch=128)
    assert np.argmin(few["val_loss"]) == 2
    assert min(more["val_loss"]) < min(few["val_loss"])


@says("Train with more and more rows, and as many steps each time.")
@says(
    "Two losses over the number of rows, from 256 to 4,096, on a logarithmic "
    "axis: that of training rises from about 0.1 to about 0.5, that of "
    "validation falls from about 1.1 to about 0.5, where both meet"
)
@says("While the curves are far apart, more rows help.")
@says("Where they meet, twice as many bring little: then try another model.")
def test_the_learning_curve() -> None:
    found = list(rows_of("sizes").values())
    gaps = [valid - train for train, valid in found]
    gains = [a[1] - b[1] for a, b in itertools.pairwise(found)]
    assert gaps[0] > 0.9
    assert gaps[-1] < 0.1
    assert gains == sorted(gains, reverse=True)
    assert gains[0] > 0.3
    twice, _ = train(make_model(), Adam(0.02), (make_waves(8192, 5), VALID), 1)
    assert min(twice["val_loss"]) > found[-1][1] - 0.05
    for rows in (256, 1024, 4096):
        assert 32 * 256 // rows * rows == 32 * 256
    assert "32 * 256 // rows" in BLOCKS["sizes"].code
    [axes] = figure(NAME, "plot_sizes")
    of_training, valid = axes.points["training"], axes.points["validation"]
    assert (of_training.x[0], of_training.x[-1]) == (256, 4096)
    assert of_training.y[0] == pytest.approx(0.1, abs=0.05)
    assert of_training.y[-1] == pytest.approx(0.5, abs=0.05)
    assert valid.y[0] == pytest.approx(1.1, abs=0.05)
    assert valid.y[-1] == pytest.approx(0.5, abs=0.05)
    assert ", log, " in axes.text


@says("Test accuracy is lower than validation accuracy")
@says("A hundred models guess.")
@says("Choose the best on 20 rows of validation, and test it on others.")
@says("Whoever is chosen for a number has luck in that number.")
@says("The luck grows with the models that you compare, and shrinks with the")
def test_luck() -> None:
    [chosen], [tested] = lines(NAME, "guesses")
    assert chosen >= 0.45
    assert tested == pytest.approx(0.25, abs=0.02)
    code = BLOCKS["guesses"].code
    for part in ("size=(100, 4096)", "right[:, :20]", "right[chosen, 20:]"):
        assert part in code
    draws = np.random.default_rng(1)

    def luck(models: int, rows: int) -> float:
        right = draws.integers(4, size=(200, models, rows)) == 0
        return float(right.mean(axis=2).max(axis=1).mean()) - 0.25

    assert luck(1, 20) < luck(10, 20) < luck(100, 20)
    assert luck(100, 20) > luck(100, 80) > luck(100, 320) > 0


@says("Its lowest validation loss is lower than that of 64 units.")
@says("More weights can learn more by heart; whether training makes them do")
def test_a_larger_model() -> None:
    assert "make_model(256)" in BLOCKS["wider"].code
    wide = lines(NAME, "wider")[0][0]
    assert wide < lines(NAME, "overfit")[0][0]
    assert make_model(256).count_params() > 3 * make_model().count_params()
