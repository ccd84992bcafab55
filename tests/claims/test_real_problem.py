"""What the page on a real problem says is true."""

import ast
import inspect
import re
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from snippets import real_problem
from snippets.real_problem import (
    BATCH,
    EPOCHS,
    Dense,
    Network,
    Part,
    batches,
    evaluate,
    loss,
    only,
    split,
    standardise,
    train,
    training_loop,
)
from tests.claims.says import figure, printed, record, says
from tests.claims.sentences import DOCS, read

NAME = "real_problem"
PAGE = read(NAME)
BLOCKS = {block.name: block for block in PAGE.blocks}
SOURCE = (DOCS / f"{NAME}.md").read_text("utf-8")
DIGITS = load_digits()
KEPT = record(NAME)


def numbers(section: str) -> list[list[float]]:
    """Return the numbers with decimals of each line that a block prints."""
    lines = printed(NAME, section).splitlines()
    return [[*map(float, re.findall(r"\d+\.\d+", line))] for line in lines]


@pytest.fixture(scope="module")
def digits() -> Part:
    return DIGITS.data.astype("float32"), DIGITS.target


@pytest.fixture(scope="module")
def parts(digits: Part) -> list[Part]:
    return split(*digits)


@pytest.fixture(scope="module")
def sets(parts: list[Part]) -> list[Part]:
    return standardise(*parts)


# The page


@says(
    "Handwritten digits in TensorFlow end to end, from the first look "
    "at the data to an accuracy and what it is worth."
)
@says("Every block runs.")
@says(
    "On this page you take data that you did not make and follow them "
    "to the end: a first look, a split, a baseline, a network trained "
    "by a loop of your own and again by Keras, a choice, one test, and "
    "then the question what the number is worth."
)
@says(
    "Besides TensorFlow and Matplotlib this page needs scikit-learn "
    "(`pip install scikit-learn`), which brings the data with it: "
    "nothing is downloaded."
)
@says(
    "All blocks above, in order, as one file. It needs TensorFlow, "
    "Matplotlib and scikit-learn."
)
@says(
    "The imports, with the data, a split and a baseline from "
    "scikit-learn, and the two colours of the plots."
)
def test_the_blocks_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    order = [
        "look",
        "split",
        "baseline",
        "run",
        "fit",
        "choose",
        "test",
        "folds",
    ]
    shown = [block.name for block in PAGE.blocks]
    assert [name for name in shown if name in order] == order
    kept = [n.rpartition(":")[2] for n in KEPT if re.fullmatch(r"\w+:\w+", n)]
    assert kept == shown
    imported = set()
    for block in PAGE.blocks:
        imported |= {*re.findall(r"(?m)^(?:import|from) (\w+)", block.code)}
    # NumPy comes with TensorFlow.
    others = {"tensorflow", "matplotlib", "sklearn", "numpy"}
    assert imported <= others | {"itertools", "re", "collections"}
    setup = BLOCKS["setup"].code
    assert len(re.findall(r"from sklearn\.", setup)) == 3
    assert len(re.findall(r'"#\w{6}"', setup)) == 2

    def no_network(*given: Any) -> None:
        raise AssertionError

    monkeypatch.setattr("socket.socket.connect", no_network)
    assert len(load_digits().data) == 1797


@says(
    "You need the guide to [basic training "
    "loops](basic_training_loops.md), and the "
    "[foundations](foundations.md) where it is new to you."
)
@says(
    "The loop from first principles: [Basic training "
    "loops](basic_training_loops.md)."
)
@says("The step is the one of the guide, with an optimizer from Keras.")
@says(
    "(A Keras model with `Dropout` or `BatchNormalization` needs `model(x, "
    "training=True)` here.)"
)
def test_the_step_of_the_guide() -> None:
    [guide] = [
        b for b in read("basic_training_loops").blocks if b.name == "train"
    ]

    def calls(code: str) -> list[str]:
        found = [
            n.func
            for n in ast.walk(ast.parse(code))
            if isinstance(n, ast.Call)
        ]
        return [ast.unparse(f) for f in found]

    for name in ("tf.GradientTape", "loss", "model", "tape.gradient"):
        assert name in calls(guide.code)
        assert name in calls(BLOCKS["train"].code)
    assert "optimizer.apply_gradients" in calls(BLOCKS["train"].code)
    norm, x = tf.keras.layers.BatchNormalization(), tf.ones((4, 2))
    layers = [tf.keras.Input((2,)), norm, tf.keras.layers.Dense(2)]
    model: Any = tf.keras.Sequential(layers)
    train(model, tf.keras.optimizers.SGD(0.1), x, tf.constant([0, 1, 0, 1]))
    assert not norm.moving_mean.numpy().any()
    model(x, training=True)
    assert norm.moving_mean.numpy().all()


# Look at the data


@says(
    "Every image has 64 pixels, eight by eight, and comes with its "
    "label, the digit that somebody meant to write."
)
@says(
    "The ten *classes* are about equally frequent, between {{ "
    "np.bincount(y).min() }} and {{ np.bincount(y).max() }} images "
    "each."
)
@says(
    "Were most images zeros, a model that always says zero would look "
    "good by it."
)
def test_the_data(digits: Part) -> None:
    x, y = digits
    assert x.shape == (1797, 64)
    assert DIGITS.images.shape == (1797, 8, 8)
    counts = np.bincount(y)
    assert len(counts) == 10
    assert counts.max() < 1.1 * counts.min()
    assert KEPT["np.bincount(y).min()"] == str(counts.min())
    assert KEPT["np.bincount(y).max()"] == str(counts.max())
    mostly = np.r_[np.zeros(90, int), np.arange(10)]
    always_zero = evaluate(
        lambda x: np.eye(10)[x[:, 0]], mostly[:, None] * 0, mostly
    )
    assert always_zero[1] > 0.9


@says(
    "Thirty handwritten digits in grey, eight by eight pixels each, in "
    "three rows from zero to nine;"
)
@says("We will look at images twice, so this becomes a function.")
@says("Show images of 64 pixels each in rows, every one under its title.")
@says("Show the first thirty images, under their labels.")
def test_images_are_shown_twice(digits: Part) -> None:
    calls = [
        b.name
        for b in PAGE.blocks
        if re.search(r"^show_images\(", b.code, re.M)
    ]
    assert calls == ["grid", "mistakes"]
    drawn = figure(NAME, "grid")
    assert [axes.texts for axes in drawn] == [[str(d)] for d in digits[1][:30]]
    assert [axes.texts[0] for axes in drawn] == [*"0123456789"] * 3
    assert all("image (8, 8)" in axes.text for axes in drawn)
    for axes, image in zip(drawn, digits[0], strict=False):
        [mean] = re.findall(r"mean (\S+)", axes.text)
        assert float(mean) == pytest.approx(image.mean(), abs=1e-3)


# Three sets


@says("So the data are cut in three:")
@says(
    "Each is a pair of images and labels, which we call a `Part`. "
    "`stratify` gives every digit its share in each set, and the seed "
    "makes the draw the same in every run."
)
@says("Return training, validation and test set: 60, 20 and 20 per cent.")
@says("Cut, and count the images of each digit in each set.")
def test_three_sets(digits: Part, parts: list[Part]) -> None:
    sizes = [len(y) for _, y in parts]
    assert sizes == [1077, 360, 360]
    assert np.divide(sizes, 1797) == pytest.approx([0.6, 0.2, 0.2], abs=0.001)
    whole = np.bincount(digits[1]) / 1797
    for _, y in parts:
        share = np.bincount(y) / len(y)
        np.testing.assert_allclose(share, whole, atol=0.003)
    again, other = split(*digits), split(*digits, seed=1)
    np.testing.assert_array_equal(again[2][1], parts[2][1])
    assert (other[2][1] != parts[2][1]).any()
    told = printed(NAME, "cut").splitlines()
    for line, (_, y) in zip(told, parts, strict=True):
        assert line.endswith(str(np.bincount(y)))


# Standardise without a leak


@says(
    "It is usual to give all inputs about the same size: subtract from "
    "each pixel its mean `#!math \\mu` and divide by its standard "
    "deviation `#!math \\sigma`."
)
@says(
    "Mean and deviation are learned from data, as weights are, and so "
    "they come from the training set alone."
)
@says("A leak raises no error, so the code has to make it hard.")
@says(
    "Computed over all images they would be a *leak*: the test images "
    "would have had a say in the training, and the test would no longer "
    "tell what happens with images that nobody has seen."
)
@says("Return all sets, scaled by the training set's mean and deviation.")
@says("A deviation of less than one grey level counts as one.")
@says(
    "The training set comes first, and only its numbers are used: with "
    "this function you cannot leak by accident."
)
@says("Hence the limit of one grey level:")
@says(
    "Mind the limit in data of your own: pixels from 0 to 1 would all fall "
    "below it, and be centred but not scaled."
)
def test_only_the_training_set_counts(parts: list[Part]) -> None:
    scaled = standardise(*parts)
    x = parts[0][0]
    np.testing.assert_allclose(scaled[0][0].mean(axis=0), 0, atol=1e-4)
    deviation = x.std(axis=0)
    varies = deviation >= 1
    np.testing.assert_allclose(scaled[0][0].std(axis=0)[varies], 1, rtol=1e-3)
    still = ~varies
    expected = x[:, still] - x[:, still].mean(axis=0)
    np.testing.assert_allclose(scaled[0][0][:, still], expected, atol=1e-5)
    other = parts[2][0] * 3 + 5, parts[2][1]
    again = standardise(parts[0], parts[1], other)
    np.testing.assert_array_equal(again[1][0], scaled[1][0])
    leak = standardise((np.concatenate([x, parts[2][0]]), parts[0][1]))
    assert np.abs(leak[0][0][: len(x)] - scaled[0][0]).max() > 0.01
    [(small, _)] = standardise((x / 16, parts[0][1]))
    np.testing.assert_allclose(small, x / 16 - x.mean(axis=0) / 16, atol=1e-5)


@says("Pixels that never vary would be divided by zero.")
@says(
    "Others vary so little in training that in the validation set one "
    "of them would be {{ scaled.max():.0f }} deviations from its mean, "
    "and shout down all the rest."
)
def test_rare_pixels(parts: list[Part], sets: list[Part]) -> None:
    x, validation = parts[0][0], parts[1][0]
    deviation = x.std(axis=0)
    assert np.sum(deviation == 0) == 5
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = (validation - x.mean(axis=0)) / deviation
    assert not np.isfinite(scaled[:, deviation == 0]).any()
    finite = scaled[:, deviation > 0]
    assert KEPT["scaled.max():.0f"] == f"{finite.max():.0f}"
    assert finite.max() > 10 * sets[1][0].max()


# A baseline to beat


@says("The least one is to answer always with the commonest digit.")
@says(
    "A serious one is *logistic regression*: a weight for each pixel "
    "and class gives ten numbers, the *logits* `#!math z = x \\cdot W + "
    "b`, and *softmax* turns them into probabilities:"
)
@says("This is hard to beat. A network with 95 % would be a step back.")
@says("The baseline has logits, too, so it can be compared.")
def test_the_baseline(sets: list[Part]) -> None:
    baseline = LogisticRegression(max_iter=1000).fit(*sets[0])
    assert baseline.coef_.shape == (10, 64)
    x, y = sets[1]
    z = x @ baseline.coef_.T + baseline.intercept_
    np.testing.assert_allclose(baseline.decision_function(x), z, atol=1e-3)
    np.testing.assert_allclose(
        baseline.predict_proba(x), tf.nn.softmax(z), atol=1e-4
    )
    least, serious = (line[-1] for line in numbers("baseline"))
    assert least < 0.95 < serious
    assert baseline.score(x, y) == pytest.approx(serious, abs=1e-3)
    usual = np.bincount(sets[0][1]).argmax()
    assert np.mean(y == usual) == pytest.approx(least, abs=1e-3)


# The network


@says(
    "A network puts a *hidden layer* in between. Its values go through "
    "`#!math \\max(0, \\cdot)`, the *ReLU*; without it, two layers would "
    "do no more than one."
)
@says("Dense layers with a ReLU between any two; the last gives logits.")
@says(
    "Then as many layers as you give sizes for, each with a seed of its own."
)
@says("Map x of shape (batch, inputs) to (batch, outputs).")
@says("Map x of shape (batch, inputs) to (batch, classes).")
@says("There is no softmax at the end.")
@says(
    "Make one with a hidden layer of 32, and list the shapes of its "
    "variables and of its logits for the validation set."
)
def test_the_network(sets: list[Part]) -> None:
    x = sets[1][0]
    network = Network([64, 32, 10])
    first, second = network.layers
    h = np.maximum(0, x @ first.w.numpy() + first.b.numpy())
    z = h @ second.w.numpy() + second.b.numpy()
    logits = network(x)
    np.testing.assert_allclose(logits, z, atol=1e-4)
    assert first(x).shape == (360, 32)
    assert logits.shape == (360, 10)
    assert np.abs(tf.reduce_sum(logits, axis=1) - 1).max() > 0.1
    linear = second(first(x))
    both = first.w.numpy() @ second.w.numpy()
    bias = first.b.numpy() @ second.w.numpy() + second.b.numpy()
    np.testing.assert_allclose(linear, x @ both + bias, atol=1e-3)
    four = Network([8, 8, 8, 8]).layers
    assert len(four) == 3
    assert (four[0].w.numpy() != four[1].w.numpy()).any()
    shapes = printed(NAME, "try_network").splitlines()
    assert len(shapes) == 5


@says("Its weights start at random, because equal ones would stay equal.")
@says(
    "The factor `#!math \\sqrt{2 / \\mathrm{inputs}}` keeps the values "
    "about the same size from layer to layer ([He et al., "
    "2015](https://arxiv.org/abs/1502.01852))."
)
@says("A dense layer, x @ w + b; w starts as He et al. (2015) advise.")
def test_the_start(sets: list[Part]) -> None:
    layer = Dense(400, 300, seed=(0, 0))
    assert np.std(layer.w) == pytest.approx((2 / 400) ** 0.5, rel=0.02)
    assert not np.any(layer.b)
    x = tf.random.stateless_normal([50, 256], (0, 1))
    h = x
    for number in range(8):
        h = tf.nn.relu(Dense(256, 256, seed=(1, number))(h))
    size = float(tf.reduce_mean(h**2) / tf.reduce_mean(x**2))
    assert 0.3 < size < 3
    equal = Network([64, 4, 10])
    for variable in equal.trainable_variables:
        variable.assign(tf.ones_like(variable) * 0.1)
    optimizer = tf.keras.optimizers.SGD(0.1)
    for _ in range(2):
        train(equal, optimizer, *(part[:64] for part in sets[0]))
    w = equal.layers[0].w.numpy()
    np.testing.assert_allclose(w, w[:, :1] + 0 * w, atol=1e-6)
    assert np.ptp(w[:, 0]) > 1e-5, "they were trained"


@says(
    "The answer of the network is the class with the largest logit, and "
    "softmax would not change which one that is."
)
@says("Return the loss and the accuracy of the model's logits for x.")
@says(
    "How good is a model? Its loss and its accuracy say, on any of the sets."
)
def test_the_answer(sets: list[Part]) -> None:
    network = Network([64, 32, 10])
    for part in sets:
        z = network(part[0]).numpy()
        p = tf.nn.softmax(z).numpy()
        np.testing.assert_array_equal(z.argmax(axis=1), p.argmax(axis=1))
        found = evaluate(network, *part)
        right = np.mean(z.argmax(axis=1) == part[1])
        assert found == pytest.approx((float(loss(part[1], z)), right))


# The loss


@says(
    "The loss is the *cross-entropy*: minus the logarithm of the "
    "probability that softmax gives to the true class, `#!math y_i`, on "
    "average over the batch."
)
@says("With the formula of softmax put in, it needs the logits alone:")
@says(
    "TensorFlow has it. *Sparse* means that a label is the number of "
    "its class."
)
@says("Return the mean softmax cross-entropy, a scalar.")
@says("y holds the classes, shape (batch,); logits are (batch, classes).")
@says(
    "Compare with the formula, and with a model that knows nothing and "
    "gives each digit the same probability."
)
@says("The second number is `#!math \\log(10)`.")
@says(
    "The random start is somewhat worse than knowing nothing, since it "
    "has opinions."
)
@says(
    "If the first loss of a classifier of yours is far from the "
    "logarithm of the number of classes, look for a mistake."
)
def test_the_loss(sets: list[Part]) -> None:
    x, y = sets[1]
    z = Network([64, 32, 10])(x).numpy().astype(float)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    truth = np.arange(len(y)), y
    by_formula = np.mean(np.log(np.exp(z).sum(axis=1)) - z[truth])
    assert by_formula == pytest.approx(-np.mean(np.log(p[truth])))
    found = loss(y, z.astype(np.float32))
    assert found.shape == ()
    assert float(found) == pytest.approx(by_formula, rel=1e-5)
    one_hot = tf.nn.softmax_cross_entropy_with_logits(np.eye(10)[y], z)
    assert float(tf.reduce_mean(one_hot)) == pytest.approx(by_formula)
    ours, equal = numbers("formula")
    assert ours[0] == ours[1]
    assert equal == [pytest.approx(np.log(10), abs=1e-4)]
    assert equal[0] < ours[0] < 1.5 * equal[0]
    starts = [
        evaluate(Network([64, 32, 10], seed), x, y)[0] for seed in range(5)
    ]
    assert all(np.log(10) < start < 2 * np.log(10) for start in starts)


@says("Let the wrong class be ahead by 200.")
@says(
    "The probability of the true class is too small for `float32` and "
    "becomes zero, and minus its logarithm infinite. From the logits "
    "the loss is right."
)
def test_why_from_logits() -> None:
    sure = tf.constant([[0.0, 200.0]])
    assert float(tf.nn.softmax(sure)[0, 0]) == 0
    assert np.isinf(-tf.math.log(tf.nn.softmax(sure)[0, 0]))
    assert 0 < np.exp(-200) < np.finfo(np.float32).smallest_subnormal
    assert float(loss([0], sure)) == pytest.approx(200)
    told = "from probabilities: inf\nfrom logits: 200.0"
    assert printed(NAME, "overflow") == told


# The loop


@says("Update the weights once, on the batch (x, y).")
@says(
    "The data now come in batches, shuffled anew in each epoch. The "
    "seed makes the orders the same in every run, unless "
    "[`tf.random.set_seed`](same_run_twice.md#5-seeds-of-shuffles) is given "
    "another."
)
@says("Return the set in batches, in a new order in every epoch.")
def test_the_batches(sets: list[Part]) -> None:
    def orders(seed: int) -> list[list[float]]:
        dataset = batches((sets[0][0][:, 20], sets[0][1]), seed)
        return [
            np.concatenate([x for x, _ in dataset]).tolist() for _ in range(2)
        ]

    first, again, other = orders(0), orders(0), orders(1)
    assert first == again
    assert first[0] != first[1]
    assert first != other
    for seed, is_same in ((7, False), (8, False), (None, True)):
        tf.random.set_seed(seed)
        assert (orders(0) == first) is is_same
    assert sorted(first[0]) == sorted(first[1])


@says(
    "The loop compiles the step with `tf.function`, once for each "
    "model. `build` makes what the optimizer keeps for each variable before "
    "that."
)
@says(
    "The last batch of an epoch is smaller than the others; "
    "`reduce_retracing=True` makes the second compilation fit all "
    "further sizes."
)
@says("Train; return the losses on the watched sets, epoch by epoch.")
def test_the_loop(sets: list[Part], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(real_problem, "EPOCHS", 2)
    sizes: list[Any] = []

    def traced(model: Any, optimizer: Any, x: Any, y: Any) -> None:
        sizes.append(x.shape[0])
        train(model, optimizer, x, y)

    monkeypatch.setattr(real_problem, "train", traced)
    history = training_loop(Network([64, 8, 10]), sets[0], sets[1])
    assert sizes == [BATCH, None]
    assert 1077 % BATCH
    assert [len(row) for row in history] == [1, 1, 1]
    assert history[2][0] < history[0][0]
    anew = []

    def of(x: Any) -> Any:
        anew.append(1)
        return x + 1

    for how in ({}, {"reduce_retracing": True}):
        anew.clear()
        function = tf.function(of, **how)
        for size in (64, 53, 40, 30):
            function(tf.zeros(size))
        assert len(anew) == (2 if how else 4)
    loop = BLOCKS["training_loop"].code
    assert loop.index(".build(") < loop.index("tf.function(")
    optimizer, variables = tf.keras.optimizers.Adam(), Dense(2, 3, (0, 0))
    before = len(optimizer.variables)
    optimizer.build(variables.trainable_variables)
    assert len(optimizer.variables) == before + 2 * 2


@says(
    "Train a hidden layer of 32, and watch two sets. Only one of them "
    "is trained on."
)
@says(
    "Two losses over twenty epochs on a logarithmic axis. They fall "
    "together at first; then the training loss goes on falling to about "
    "0.03 while the validation loss flattens towards 0.1"
)
@says(
    "After {{ EPOCHS }} epochs the loss on the validation set is {{ "
    "history[-1][1] / history[-1][0]:.1f }} times that on the training "
    "set."
)
@says(
    "This gap is *overfitting*: the network does better on the images "
    "it learned from than on others."
)
def test_the_two_losses() -> None:
    [axes] = figure(NAME, "curves")
    learned, new = axes.points["training"].y, axes.points["validation"].y
    assert "'loss', log" in axes.text
    assert axes.points["training"].x[-1] == EPOCHS == 20
    assert learned[1] == pytest.approx(new[1], rel=0.2)
    assert learned[-1] == pytest.approx(0.03, abs=0.005)
    assert new[-1] == pytest.approx(0.1, abs=0.02)
    assert learned == sorted(learned, reverse=True)
    assert (new[-2] - new[-1]) < 0.1 * (new[0] - new[1])
    assert (
        KEPT["history[-1][1] / history[-1][0]:.1f"]
        == f"{new[-1] / learned[-1]:.1f}"
    )
    call = "training_loop(model, train_set, train_set, validation_set)"
    assert call in BLOCKS["run"].code


# The same with Keras


@says(
    "Now the same network in Keras, from the same start. A Keras layer "
    "lists its weights before its bias, so we do, too."
)
@says("`from_logits=True` tells the loss that there is no softmax at the end.")
@says("The same model, to the last decimal shown.")
def test_the_same_network_in_keras() -> None:
    layer = tf.keras.layers.Dense(3)
    layer.build((None, 2))
    assert [v.name for v in layer.weights] == ["kernel", "bias"]
    assert "(layer.w, layer.b)" in BLOCKS["keras"].code
    names = [v.name for v in Dense(2, 3, (0, 0)).trainable_variables]
    assert names == ["b:0", "w:0"]
    z, y = tf.constant([[1.0, 3.0]]), tf.constant([0])
    cross_entropy = tf.keras.losses.SparseCategoricalCrossentropy
    by_logits = cross_entropy(from_logits=True)(y, z)
    by_softmax = cross_entropy()(y, tf.nn.softmax(z))
    assert float(by_logits) == pytest.approx(float(by_softmax), rel=1e-5)
    by_fit, by_loop = numbers("fit")
    assert by_fit == by_loop


@says(
    "`fit` gets the same batches in the same order. For that it must be "
    "told `steps_per_epoch`: without it Keras 3.15 opens a dataset whose "
    "length it knows twice in an epoch, and each opening shuffles anew."
)
def test_fit_opens_the_dataset_twice() -> None:
    def firsts(known: bool = True, **how: Any) -> list[list[float]]:
        seen: list[list[float]] = []

        class Watched(tf.keras.Model):
            def train_step(self, data: Any) -> Any:
                seen.append(data[0].numpy().tolist())
                return {"loss": 0.0}

        model = Watched()
        model.compile(loss="mse", run_eagerly=True)
        values = np.arange(8.0, dtype=np.float32)
        dataset = tf.data.Dataset.from_tensor_slices((values, values))
        dataset = dataset.shuffle(8, seed=0).batch(8)
        if not known:
            dataset = dataset.filter(lambda *_: True)
        model.fit(dataset, epochs=3, verbose=0, shuffle=False, **how)
        return seen

    values = np.arange(8.0, dtype=np.float32)
    dataset = tf.data.Dataset.from_tensor_slices(values).shuffle(8, seed=0)
    by_loop = [[*map(float, dataset)] for _ in range(6)]
    assert firsts(steps_per_epoch=1) == by_loop[:3]
    assert firsts() == by_loop[::2], "of each two, the first is seen"
    assert firsts(known=False) == by_loop[:3]


# Choose, and test once


@says("Hyperparameter search around a loop of your own")
@says(
    "The *objective* that a search asks for is then a function of the "
    "settings that makes a new network, calls `training_loop` and returns the "
    "validation loss as a `float`, here `evaluate(model, "
    "*validation_set)[0]`."
)
@says("A network from outside of it would go on where the last trial stopped.")
@says("And the best of a hundred trials flatters more than the best of three.")
def test_an_objective(
    sets: list[Part], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(real_problem, "EPOCHS", 2)
    train_set, validation_set, _ = sets

    def trial(model: Network) -> float:
        training_loop(model, train_set)
        return evaluate(model, *validation_set)[0]

    new = [trial(Network([64, 8, 10])) for _ in range(2)]
    assert type(new[0]) is float
    assert new[0] == pytest.approx(new[1], rel=1e-3)
    outside = Network([64, 8, 10])
    kept = [trial(outside) for _ in range(2)]
    assert kept[0] == pytest.approx(new[0], rel=1e-3)
    assert kept[1] < 0.9 * kept[0]
    # Models that are alike, judged by what chance makes of their losses.
    losses = np.random.default_rng(0).normal(size=(1000, 100))
    best = [losses[:, :trials].min(axis=1).mean() for trials in (3, 100)]
    assert best[1] < best[0] - 1 < -1


@says(
    "Train one network of each width and take the one with the lowest "
    "validation loss."
)
@says(
    "The loss tells close models apart more finely than the accuracy, "
    "which moves in steps of one image."
)
@says(
    "After the same {{ EPOCHS }} epochs the narrow network has not "
    "caught up with the baseline."
)
@says("The two others differ little.")
@says(
    "The validation loss of the winner is flattering, because we took "
    "the best of three on these very images."
)
def test_the_choice() -> None:
    baseline, *widths = (line[-1] for line in numbers("choose")[:4])
    assert len(widths) == 3
    assert widths[0] > 2 * baseline
    assert abs(widths[1] - widths[2]) < 0.02
    assert min(widths) == widths[2]
    assert printed(NAME, "choose").endswith("chosen: 128")
    y = np.zeros(360, int)
    steps = {
        evaluate(lambda x: np.eye(2)[x], x, y)[1]
        for x in np.tri(361, 360, -1, int)
    }
    assert np.diff(sorted(steps)) == pytest.approx(1 / 360)
    rng = np.random.default_rng(0)
    measured = rng.normal(0.1, 0.01, (1000, 3))
    assert measured.min(axis=1).mean() < 0.095, "the best of three equals"


@says(
    "Measure the chosen network on images that had no say in anything so far."
)
@says(
    "What follows uses the test images again, but to report and not to choose."
)
def test_the_test_set_had_no_say() -> None:
    before = [b for b in PAGE.blocks if b.name not in ("split", "standardise")]
    uses = [b.name for b in before if "test_set" in b.code]
    assert uses[:2] == ["baseline", "test"]
    assert BLOCKS["baseline"].code.count("test_set") == 1
    assert "min(losses" not in "".join(BLOCKS[name].code for name in uses)


@says(
    "Which digits does the network take for which? Count every pair of "
    "true digit and answer."
)
@says(
    "Ten by ten table of true digits against answers. Nearly all counts "
    "lie on the diagonal. Off it, twice each: three taken for eight, "
    "four for nine, eight for one; once each: one for eight, two for "
    "one, six for one"
)
@says("Round marks are right answers, square ones mistakes.")
@says("There are {{ np.sum(answers != test_set[1]) }} of these.")
@says(
    "Nine blurred digits, each under what it is and what the network "
    "took it for: two eights, a two and a six for ones, two threes and "
    "a one for eights, two fours for nines"
)
def test_the_mistakes() -> None:
    [axes] = figure(NAME, "confusion")
    marks = [(int(p.y[0]), int(p.x[0])) for p in axes.points.values()]
    counts = dict(zip(marks, map(int, axes.texts), strict=True))
    wrong = {pair: n for pair, n in counts.items() if pair[0] != pair[1]}
    assert wrong == {
        (3, 8): 2,
        (4, 9): 2,
        (8, 1): 2,
        (1, 8): 1,
        (2, 1): 1,
        (6, 1): 1,
    }
    assert sum(counts.values()) == 360
    assert (
        KEPT["np.sum(answers != test_set[1])"]
        == str(sum(wrong.values()))
        == "9"
    )
    code = BLOCKS["confusion"].code
    assert '("o", BLUE) if true == answer else ("s", RED)' in code
    titles = [axes.texts[0] for axes in figure(NAME, "mistakes") if axes.texts]
    pairs = [f"{a} as {b}" for (a, b), n in wrong.items() for _ in range(n)]
    assert sorted(titles) == sorted(pairs)


# What the numbers show


@says(
    "How far an accuracy `#!math p` is expected to vary from one set of "
    "`#!math n` images to the next is its *standard error*, which the "
    "test printed beside it:"
)
@says("Another {{ number }} images would have given another accuracy.")
@says(
    "Two standard errors to each side make the usual range: from {{ "
    "accuracy - 2 * error:.3f }} to {{ min(1, accuracy + 2 * error):.3f "
    "}}. The baseline lies inside."
)
@says(
    "It got {{ round((accuracy - baseline.score(*test_set)) * number) "
    "}} images fewer right, which proves nothing."
)
@says("A third decimal has little meaning here.")
def test_the_standard_error() -> None:
    (network, error), (baseline,) = numbers("test")
    n = int(KEPT["number"])
    assert error == pytest.approx(
        (network * (1 - network) / n) ** 0.5, abs=5e-4
    )
    draws = np.random.default_rng(0).binomial(n, network, 20_000) / n
    assert draws.std() == pytest.approx(error, rel=0.05)
    assert network - 2 * error < baseline < network + 2 * error
    assert round((network - baseline) * n) == 2
    assert error > 5 * 0.001


@says(
    "Other random weights and another order of the batches make another "
    "network, with an accuracy of its own."
)
@says("They differ by less than the standard error.")
@says(
    "Had we kept the best seed, we would have chosen by the test set, "
    "and would need a fourth set for an honest number."
)
def test_other_seeds(sets: list[Part]) -> None:
    accuracies = [line[-1] for line in numbers("seeds")]
    (network, error), _ = numbers("test")
    assert max(*accuracies, network) - min(*accuracies, network) < error
    first, other = Network([64, 8, 10], 1), Network([64, 8, 10], 2)
    assert (first(sets[1][0]).numpy() != other(sets[1][0]).numpy()).any()
    assert "evaluate(other, *test_set)" in BLOCKS["seeds"].code


@says(
    "Their description, `digits.DESCR`, says that 13 people wrote these "
    "digits."
)
@says(
    "Our split is random, so each of them most likely has images in all "
    "three sets."
)
@says(
    "The file does not say who wrote what, but look at the order of the "
    "labels:"
)
@says(
    "The images were normalised before they came to us, so it never had "
    "to learn that, either."
)
def test_what_the_file_says() -> None:
    text = " ".join(DIGITS.DESCR.split())
    writers = "43 people, 30 contributed to the training set and different 13 "
    assert f"{writers}to the test set" in text
    assert "copy of the test set" in text
    assert "normalized bitmaps" in text
    assert "1797" in text
    assert {*DIGITS} == {
        "data",
        "target",
        "frame",
        "feature_names",
        "target_names",
        "images",
        "DESCR",
    }
    rng = np.random.default_rng(0)
    group = np.arange(1797) * 13 // 1797
    fold = rng.permutation(1797) % 5
    assert all(len({*group[fold == part]}) == 13 for part in range(5))


@says(
    "The same sequence again and again: it looks as if one person after "
    "another had copied the same form."
)
@says("(Two of the pieces are twice as long, and seem to hold two forms.)")
@says(
    "So cut the data where the sequence begins, hold out a third of the "
    "pieces, train on the others and test on those held out. Then the "
    "next third, and the last."
)
@says(
    "That keeps the hands `apart`. Compare with three random parts of "
    "the data, in which they are `mixed`."
)
def test_the_forms() -> None:
    lines = printed(NAME, "forms").splitlines()
    assert len({line.split(": ")[1] for line in lines[:4]}) == 1
    lengths = [*map(int, re.findall(r"\d+", lines[-1]))]
    assert len(lengths) == 12
    assert sum(lengths) == len(DIGITS.target), "no image is in no piece"
    usual = np.median(lengths)
    double = [n for n in lengths if n > 1.5 * usual]
    assert len(double) == 2
    assert double == pytest.approx([2 * usual] * 2, rel=0.05)
    code = BLOCKS["folds"].code
    assert "piece // 4" in code
    assert "permutation(len(y)) % 3" in code


@says("Return the accuracies on each fold, of models trained on the rest.")
@says(
    "Either way each image is tested once, by models that did not learn "
    "from it."
)
@says("Print the accuracy on each part, for the network and for the baseline.")
def test_each_image_is_tested_once(
    digits: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    tested: list[int] = []
    x, y = digits[0][:90], digits[1][:90]

    def watched(train_set: Part, other: Part) -> list[Part]:
        assert len(train_set[1]) + len(other[1]) == 90
        tested.extend(other[0].sum(axis=1))
        return [train_set, other]

    monkeypatch.setattr(real_problem, "standardise", watched)
    monkeypatch.setattr(real_problem, "training_loop", lambda *a, **k: [])
    fold = np.arange(90) % 3
    scores = real_problem.cross_validate(x, y, fold, 4)
    assert sorted(tested) == sorted(x.sum(axis=1))
    assert {name: len(row) for name, row in scores.items()} == {
        "baseline": 3,
        "network": 3,
    }


@says("This *cross-validation* says more than one split:")
@says(
    "The network is ahead of the baseline in each of the six *folds*, "
    "as the parts are called, if never by much."
)
@says("The test set alone could not tell.")
@says("With the hands mixed, the network's mean accuracy is {{ mixed:.3f }}.")
@says(
    "With the hands apart it is {{ apart:.3f }}: of a stranger's digits "
    "it gets {{ (1 - apart) / (1 - mixed):.1f }} times as many wrong."
)
@says(
    "From one group of hands to the next the accuracy goes from {{ "
    'min(scores["apart"]["network"]):.3f }} to {{ '
    'max(scores["apart"]["network"]):.3f }}.'
)
@says(
    "The formula for the standard error knows nothing of that: it takes "
    "images for independent, and those by one hand are not."
)
@says(
    "For digits by others, {{ apart:.2f }} is the better answer, and "
    "somewhat flattering still, as the width was chosen on images by "
    "all."
)
def test_the_hands_apart() -> None:
    mixed_base, mixed, apart_base, apart = numbers("folds")
    pairs = zip(mixed + apart, mixed_base + apart_base, strict=True)
    ahead = [network - baseline for network, baseline in pairs]
    assert len(ahead) == 6
    assert min(ahead) > 0
    assert max(ahead) < 0.03
    means = np.mean(mixed), np.mean(apart)
    assert [
        float(KEPT["mixed:.3f"]),
        float(KEPT["apart:.3f"]),
    ] == pytest.approx(means, abs=2e-3)
    times = float(KEPT["(1 - apart) / (1 - mixed):.1f"])
    assert times == pytest.approx((1 - means[1]) / (1 - means[0]), rel=0.05)
    assert times > 2
    error = (means[1] * (1 - means[1]) / 599) ** 0.5
    assert max(apart) - min(apart) > 2.5 * error
    assert "for width in (8, 32, 128)" in BLOCKS["choose"].code


@says("k-fold cross-validation: a new model in each fold")
@says(
    "`cross_validate` makes a new network in each fold, and `training_loop` a "
    "new optimizer."
)
@says(
    "No error, and in the first fold no difference. But from the second fold "
    "on, the network that was kept has learned from the very images it is "
    "judged by: in the last its loss is only {{ kept_loss / new_loss:.2f }} "
    "times that of a new one."
)
@says(
    "That is a leak again. A validation loss that falls from fold to fold is "
    "a sign of it."
)
def test_a_network_kept_over_the_folds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (first, same), *later = numbers("kept")
    assert first == same
    assert all(kept < 0.5 * new for new, kept in later)
    assert same > later[0][1] > later[1][1]
    new, kept = later[-1]
    ratio = float(KEPT["kept_loss / new_loss:.2f"])
    assert ratio == pytest.approx(kept / new, abs=0.02)
    networks: list[int] = []
    optimizers: list[int] = []
    made = tf.keras.optimizers.Adam

    def adam(rate: float) -> Any:
        optimizers.append(1)
        return made(rate)

    def network(*args: Any, **more: Any) -> Network:
        networks.append(1)
        return Network(*args, **more)

    monkeypatch.setattr(real_problem, "EPOCHS", 0)
    monkeypatch.setattr(real_problem, "Network", network)
    monkeypatch.setattr(tf.keras.optimizers, "Adam", adam)
    x = np.random.default_rng(0).normal(size=(60, 64)).astype("float32")
    fold = np.arange(60) % 3
    real_problem.cross_validate(x, np.arange(60) // 6, fold, 4)
    assert len(networks) == len(optimizers) == 3
    # In another fold, the images held out were learned from before.
    outside = [set(np.flatnonzero(fold != number)) for number in range(3)]
    for number in (1, 2):
        assert {*np.flatnonzero(fold == number)} <= outside[number - 1]


@says(
    "(It has had three times the epochs, but with as many a new one does not "
    "come near.)"
)
def test_the_epochs_are_not_the_reason(
    digits: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = digits
    out = np.random.default_rng(0).permutation(len(y)) % 3 == 2
    rest, tested = standardise((x[~out], y[~out]), (x[out], y[out]))
    [width] = re.findall(r"chosen: (\d+)", printed(NAME, "choose"))
    monkeypatch.setattr(real_problem, "EPOCHS", 3 * EPOCHS)
    new = Network([64, int(width), 10], seed=2)
    training_loop(new, rest, seed=2)
    [*_, (_, kept)] = numbers("kept")
    assert evaluate(new, *tested)[0] > 5 * kept


@says("The second model does not learn: a tf.function from the first fold")
@says(
    "A compiled step that takes no network, but finds one outside of its "
    "arguments, keeps the first that it found."
)
@says(
    "The first loss is that of above. The others are no better than that of "
    "knowing nothing: these networks are as they were made."
)
@says(
    "The step was traced with the first network and has trained that one ever "
    "since, on the images that it was to be judged by, too."
)
@says(
    "(A batch of a new size would be traced again, with the network of its "
    "fold, and some would learn a little.)"
)
@says("Update the network of this fold once.")
def test_a_step_that_keeps_the_first_network(sets: list[Part]) -> None:
    [[(first, _), *_], losses] = (numbers(n) for n in ("kept", "first_step"))
    assert losses[0][0] == pytest.approx(first, rel=1e-3)
    assert min(losses[1:]) >= [np.log(10)]
    x, y = sets[0]
    names: dict[str, Any] = {}

    @tf.function
    def step(x: tf.Tensor, y: tf.Tensor) -> None:
        train(names["network"], names["optimizer"], x, y)

    def trained(size: int) -> list[bool]:
        """Make a new network, take a step; say which networks moved."""
        made = Network([64, 4, 10])
        optimizer = tf.keras.optimizers.Adam()
        optimizer.build(made.trainable_variables)
        names.update(network=made, optimizer=optimizer)
        networks.append(made)
        before = [network.layers[1].b.numpy() for network in networks]
        step(tf.constant(x[:size]), tf.constant(y[:size]))
        after = [network.layers[1].b.numpy() for network in networks]
        return [(a != b).any() for a, b in zip(before, after, strict=True)]

    networks: list[Network] = []
    assert trained(64) == [True]
    assert trained(64) == [True, False]
    assert trained(64) == [True, False, False]
    assert trained(46) == [False, False, False, True]
    assert trained(46) == [False, False, False, True, False]


@says("Make the step inside of the loop, as `training_loop` does.")
@says(
    "Or hand over the network and its optimizer, and each pair has a trace of "
    "its own. Build the optimizer first: if not, the second says "
    "[`tf.function only supports singleton tf.Variables created on the first "
    "call`](errors_in_a_step.md#tffunction-only-supports-singleton-tfvariables"
    "-created-on-the-first-call)."
)
@pytest.mark.parametrize("kind", ["Adam", "SGD"])
def test_a_step_for_each_network(kind: str, sets: list[Part]) -> None:
    x, y = (tf.constant(part[:64]) for part in sets[0])
    options = {"momentum": 0.9} if kind == "SGD" else {}

    def pair(*, build: bool) -> tuple[Network, Any]:
        network = Network([64, 4, 10])
        optimizer = getattr(tf.keras.optimizers, kind)(0.01, **options)
        if build:
            optimizer.build(network.trainable_variables)
        return network, optimizer

    step, found = tf.function(train), []
    for count in (1, 2, 3):
        network, optimizer = pair(build=True)
        step(network, optimizer, x, y)
        step(network, optimizer, x, y)
        assert step.experimental_get_tracing_count() == count
        found.append(network.layers[1].b.numpy())
    np.testing.assert_array_equal(found[0], found[2])
    assert np.any(found[0])
    step = tf.function(train)
    step(*pair(build=False), x, y)
    message = "tf.function only supports singleton tf.Variables created on the"
    with pytest.raises(ValueError, match=message):
        step(*pair(build=False), x, y)
    source = inspect.getsource(training_loop)
    assert "compiled_train = tf.function(train" in source


@says(
    "`fit` goes on where it stopped as well, so make and compile the model "
    "inside of the loop. An optimizer of Keras that is kept for a new model "
    "[raises an error](freeze_and_fine_tune.md#valueerror-unknown-variable)."
)
def test_fit_and_an_optimizer_go_on() -> None:
    def line() -> Any:
        dense = tf.keras.layers.Dense(1, kernel_initializer="ones")
        return tf.keras.Sequential([tf.keras.Input((1,)), dense])

    once, twice = line(), line()
    x = tf.constant([[1.0], [2.0]])
    for model, fits in ((once, [2]), (twice, [1, 1])):
        model.compile(tf.keras.optimizers.Adam(0.1), loss="mse")
        for epochs in fits:
            model.fit(x, -x, epochs=epochs, batch_size=2, verbose=0)
    for one, other in zip(once.weights, twice.weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    assert int(twice.optimizer.iterations) == 2
    new = Network([64, 4, 10])
    optimizer = tf.keras.optimizers.Adam()
    optimizer.build(Network([64, 4, 10]).trainable_variables)
    x, y = tf.ones((2, 64)), tf.constant([0, 1])
    with pytest.raises(ValueError, match="Unknown variable"):
        train(new, optimizer, x, y)
    text = (DOCS / "freeze_and_fine_tune.md").read_text("utf-8")
    assert "\n## `ValueError: Unknown variable`\n" in text


# New data


@says("New data: incremental learning, and forgetting")
@says(
    "Suppose that the images come in two parts, first those of 0 to 4 and "
    "then, when the network has learned them, those of 5 to 9. "
    "`training_loop` goes on from the weights that it finds, as `fit` does."
)
@says("This takes some digits out of a set.")
@says("Return the images of the digits from low to high, out of a set.")
@says(
    "The new digits are learned, and of the old ones only {{ old:.2f }} are "
    "read still. No image of them holds the weights any more, so these go "
    "where the new ones pull."
)
@says(
    "This is called *catastrophic forgetting*, and who validates with new "
    "data alone does not see it."
)
@says("Keep some of the old images, and mix them in.")
@says("A third of them is enough for {{ kept_old:.3f }}.")
def test_old_digits_are_forgotten(
    sets: list[Part], monkeypatch: pytest.MonkeyPatch
) -> None:
    (old, none), (after_old, after_new) = numbers("forgotten")
    assert none == 0
    assert after_old < 0.5 < 0.9 < min(old, after_new)
    assert float(KEPT["old:.2f"]) == pytest.approx(after_old, abs=0.006)
    [[kept_old, kept_new]] = numbers("rehearsed")
    assert kept_old > after_old + 0.5
    assert kept_new > 0.9
    assert KEPT["kept_old:.3f"] == f"{kept_old:.3f}"
    x, y = only(sets[0], 0, 4)
    assert {*y} == {*range(5)}
    assert len(y) == sum(label < 5 for label in sets[0][1])
    some = int(re.findall(r"with (\d+) old", printed(NAME, "rehearsed"))[0])
    assert some == len(y[::3])
    # The weights are those that were there, moved by new images alone.
    monkeypatch.setattr(real_problem, "EPOCHS", 0)
    network = Network([64, 4, 10])
    before = network.layers[0].w.numpy()
    training_loop(network, (x, y))
    np.testing.assert_array_equal(network.layers[0].w, before)
    keras_model = tf.keras.Sequential(
        [tf.keras.Input((64,)), tf.keras.layers.Dense(10)]
    )
    keras_model.compile(
        tf.keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy"
    )
    weights = keras_model.get_weights()[0]
    for _ in range(2):
        keras_model.fit(x, y, verbose=0)
        np.testing.assert_array_equal(keras_model.get_weights()[0], weights)


@says(
    "The same happens if a large file is sorted and comes piece by piece, "
    "with a call of `fit` for each: the first pieces are forgotten."
)
@says(
    "Draw each batch from [all rows of the file]"
    "(data_for_a_loop.md#6-data-larger-than-memory-npmemmap)."
)
def test_pieces_of_a_sorted_file(sets: list[Part]) -> None:
    x, y = (part[np.argsort(sets[0][1])] for part in sets[0])
    found = []
    for pieces in (5, 1):
        tf.keras.utils.set_random_seed(0)
        dense = tf.keras.layers.Dense
        model = tf.keras.Sequential(
            [tf.keras.Input((64,)), dense(32, activation="relu"), dense(10)]
        )
        loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(tf.keras.optimizers.Adam(0.003), loss)
        for piece in np.array_split(np.arange(len(y)), pieces):
            model.fit(x[piece], y[piece], epochs=10, verbose=0)
        found.append(evaluate(model, *only(sets[1], 0, 1))[1])
    assert found[0] < 0.5 < 0.9 < found[1]
    data = (DOCS / "data_for_a_loop.md").read_text("utf-8")
    assert "Each epoch has all rows, in an order of its own" in data


@says("Ten outputs were there from the start.")
@says(
    "For classes that nobody expected the network needs [a new head]"
    "(freeze_and_fine_tune.md#a-new-head-you-cannot-add-new-elements-of-"
    "state)."
)
def test_outputs_for_new_classes() -> None:
    assert "Network([64, width, 10])" in BLOCKS["forgotten"].code
    with pytest.raises(tf.errors.InvalidArgumentError, match="valid range"):
        loss(tf.constant([10]), Network([64, 4, 10])(tf.zeros((1, 64))))
    text = (DOCS / "freeze_and_fine_tune.md").read_text("utf-8")
    assert "## A new head: You cannot add new elements of state" in text


# Exercises


@says(
    "The images are repeated until there are as many as in the training "
    "set, so the number of updates is the same."
)
@says(
    "With all {{ len(train_set[1]) }} images it was {{ evaluate(model, "
    "*validation_set)[1]:.3f }}. Each step up helps less than the one "
    "before."
)
@says("Mind that fewer images also mean fewer updates in an epoch.")
@says("Train on the first 100, 200 and 400 images of the training set.")
def test_fewer_images(sets: list[Part]) -> None:
    rows = np.arange(len(sets[0][1])) % 100
    assert len(rows) == 1077
    assert len({*rows}) == 100
    few = (sets[0][0][:100], sets[0][1][:100])
    assert len(batches(few)) < len(batches(sets[0]))
    whole = float(KEPT["evaluate(model, *validation_set)[1]:.3f"])
    accuracies = [line[-1] for line in numbers("fewer")] + [whole]
    steps = np.diff(accuracies)
    assert (steps > 0).all()
    assert steps.tolist() == sorted(steps, reverse=True)


@says(
    "To the network a pixel is one of 64 inputs with weights of its "
    "own, and it was never told which of them are neighbours."
)
@says(
    "[Convolutions](https://keras.io/examples/vision/mnist_convnet/) "
    "treat all places alike."
)
def test_pixels_have_no_neighbours(sets: list[Part]) -> None:
    before, after = (line[-1] for line in numbers("shifted"))
    assert after < before - 0.4
    network = Network([64, 8, 10])
    order = np.random.default_rng(0).permutation(64)
    x = sets[1][0][:5]
    expected = network(x)
    network.layers[0].w.assign(network.layers[0].w.numpy()[order])
    np.testing.assert_allclose(network(x[:, order]), expected, atol=1e-4)
    image = tf.random.stateless_normal([1, 8, 8, 1], (0, 0))
    kernel = tf.random.stateless_normal([3, 3, 1, 1], (0, 1))
    moved = tf.nn.conv2d(tf.roll(image, 1, axis=2), kernel, 1, "SAME")
    there = tf.nn.conv2d(image, kernel, 1, "SAME")
    np.testing.assert_allclose(moved[:, :, 2:-1], there[:, :, 1:-2], atol=1e-5)
