"""What the page on other gradients says is true."""

import math
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import scipy.optimize
import tensorflow as tf

from snippets.other_gradients_actor import (
    actor_critic_loss,
    climb,
    clipped_loss,
    log_chances,
    reuse,
    worth,
)
from snippets.other_gradients_defined import (
    clip_backwards,
    reverse,
    round_through,
    scaled,
)
from snippets.other_gradients_flat import bfgs, flatten, make_loss_at
from snippets.other_gradients_input import (
    adversarial,
    adversarial_step,
    class_map,
    cross_entropy,
    input_gradient,
    make_classifier,
    make_spotter,
)
from snippets.other_gradients_physics import (
    derivatives,
    equation_loss,
    make_solution,
    make_step,
    measured_loss,
    physics_loss,
)
from snippets.other_gradients_policy import (
    discounted,
    learn_policy,
    play,
    policy_gradient,
    policy_loss,
)
from snippets.other_gradients_second import forward_hvp, hvp
from snippets.other_gradients_setup import Defined, Loss, LossAt
from tests.claims.says import (
    figure,
    highlighted,
    imported,
    lines,
    printed,
    ran,
    says,
)
from tests.claims.sentences import DOCS, below, read

NAME = "other_gradients"
PAGE = read(NAME)
BLOCKS = {block.name: block for block in PAGE.blocks}
layers = tf.keras.layers
SGD = tf.keras.optimizers.SGD
InvalidArgumentError = tf.errors.InvalidArgumentError
X, Y = tf.constant([[1.0, 0.5, 3.0]]), tf.constant([[1.0]])
TIMES = tf.reshape(tf.linspace(0.0, 3.0, 31), (-1, 1))
MODULES = ["input", "physics", "policy", "actor", "defined", "flat", "second"]


def gradient_of(function: Any, x: Any) -> Any:
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(function(x))
    return tape.gradient(total, x)


# What the page promises, and where


@says(
    "Losses beyond loss(y, model(x)) in TensorFlow - saliency, adversarial "
    "examples, PINN, policy gradients, custom_gradient, L-BFGS, "
    "HVP."
)
@says(
    "Some need another one: of the input, of a derivative, of a reward that "
    "has none, of a function whose own gradient is of no use."
)
@says("The gradient with respect to the input; a saliency map")
@says("`Passed in object … of type 'Variable', not tf.Tensor`")
@says("An adversarial example (FGSM), adversarial training")
@says("The gradient at a layer; Grad-CAM")
@says("A differential equation in the loss: a PINN")
@says("A variable beside the model that is to be trained, too")
@says("A reward that has no gradient: REINFORCE")
@says("PPO: the ratio is always 1 | [3]")
@says("Actor and critic in one model | [3]")
@says("DDPG: the actor's gradient | [3]")
@says("A gradient through `tf.round` or `tf.sign` (VQ-VAE)")
@says("A gradient reversal layer | [4](#a-gradient-reversal-layer)")
@says("`grad_fn must accept keyword argument 'variables'`")
@says("L-BFGS, SciPy: all weights as one vector")
@says("A Hessian-vector product; second order optimization | [6]")
@says("`'str' object has no attribute 'is_floating'` | [6]")
def test_each_row_leads_to_a_section_with_its_words() -> None:
    shown = {
        "1. The gradient with respect to the input": "saliency map",
        "### Passed in object of type 'Variable'": "watched_weights",
        "### An adversarial example": "adversarial_step",
        "### The gradient at a layer": "class_map",
        "## 2. A physics-informed": "physics_loss",
        "### A trainable number": "learn_unknown",
        "## 3. A policy gradient": "policy_gradient",
        "### PPO: the ratio is always 1": "clipped_loss",
        "### Actor and critic in one model": "actor_critic_loss",
        "### DDPG": "climb",
        "## 4. `tf.custom_gradient`": "round_through",
        "### A gradient reversal layer": "reverse",
        "### grad_fn must accept": "closed_over",
        "## 5. BFGS": "minimize",
        "## 6. Hessian-vector products": "Second order optimization",
        "### 'str' object has no attribute": "keras_weights",
    }
    for heading, word in shown.items():
        assert word in below(NAME, heading), heading


@says("You need the tape, as in [foundations]")
@says(
    "A gradient for each example by itself is a "
    "[Jacobian](foundations.md#a-gradient-for-each-example-jacobian)."
)
@says("[Foundations](foundations.md): the tape, and why a gradient is `None`.")
@says(
    "[Two models, two optimizers](two_models.md): a GAN, and a target network "
    "for the values of actions."
)
@says(
    "A penalty on the length of the input's gradient (WGAN-GP) does need it: "
    "see [The second derivative is None]"
)
def test_what_other_pages_have() -> None:
    foundations = (DOCS / "foundations.md").read_text("utf-8")
    for part in ("## The gradient tape", "jacobian", "ways to get None"):
        assert part in foundations
    two = (DOCS / "two_models.md").read_text("utf-8")
    assert "GAN" in two
    assert "## A target network" in two
    errors = (DOCS / "errors_in_a_step.md").read_text("utf-8")
    _, _, below = errors.partition("## The second derivative is None")
    assert "penalty" in below.partition("\n## ")[0]


@says("The imports, two colours, and types.")
@says(
    "A `Loss` is here a function without arguments, a `LossAt` one of a "
    "vector of weights. `Defined` is a result and the function that computes "
    "its gradient."
)
def test_what_the_set_up_has() -> None:
    left = ran("other_gradients_setup", "setup")
    assert {"plt", "np", "tf"} <= set(left)
    assert sum(str(value).startswith("#") for value in left.values()) == 2
    assert get_args(Loss) == ([], tf.Tensor)
    [vector], pair = get_args(LossAt)
    assert (vector, get_args(pair)) == (np.ndarray, (float, np.ndarray))
    result, gradient = get_args(Defined)
    assert result is tf.Tensor
    assert callable(gradient)


@says("All blocks above, in order, as one file.")
@says("It needs TensorFlow and Matplotlib.")
def test_what_the_program_needs() -> None:
    bring = {"tensorflow", "matplotlib", "numpy", "collections", "typing"}
    assert imported(PAGE) == bring


# 1. The input


@says("A model of three numbers, with weights that we choose, so that all")
@says("The third number does not matter to it.")
@says("Return a model of three numbers with the weights 2, -1 and 0.")
@says("Here they stand to one another as the weights do, 2 to 1 to 0.")
def test_the_weights_of_the_classifier() -> None:
    kernel, bias = make_classifier().get_weights()
    assert kernel.tolist() == [[2.0], [-1.0], [0.0]]
    assert bias.tolist() == [0.0]
    [found] = lines(NAME, "saliency")
    assert abs(found[0] / found[1]) == pytest.approx(2.0)
    assert found[2] == 0.0


@says("Return the mean loss of rows; x is (batch, 3) and y is (batch, 1).")
@says("Return the gradient of the loss with respect to x, shaped like x.")
@says(
    "Each part says how the loss changes with that number, as long as the "
    "change is small."
)
@says(
    "**The check** is the closed form: the gradient of a row is `#!math (p - "
    "y) \\, w`, with the probability `#!math p` that the model gives, divided "
    "by the number of rows, for the loss is their mean."
)
def test_the_gradient_of_a_row() -> None:
    model = make_classifier()
    p = float(tf.sigmoid(model(X))[0, 0])
    found = input_gradient(model, X, Y)
    np.testing.assert_allclose(found, (p - 1) * np.array([[2.0, -1.0, 0.0]]))
    rows, labels = tf.repeat(X, 4, axis=0), tf.repeat(Y, 4, axis=0)
    many = input_gradient(model, rows, labels)
    assert many.shape == rows.shape
    np.testing.assert_allclose(4 * many, tf.repeat(found, 4, axis=0))
    for place in range(3):
        near = X + 0.01 * tf.one_hot(place, 3)
        change = cross_entropy(model, near, Y) - cross_entropy(model, X, Y)
        slope = float(found[0, place])
        assert float(change) == pytest.approx(0.01 * slope, abs=1e-4)
    mean = cross_entropy(model, rows, labels)
    assert float(mean) == pytest.approx(float(cross_entropy(model, X, Y)))


@says("A tape watches trainable variables, and `x` is none.")
@says("Weights need no `watch`.")
@says("Leave that line out.")
def test_what_a_tape_watches_by_itself() -> None:
    assert printed(NAME, "unwatched") == "gradient: None"
    assert highlighted(BLOCKS["input_gradient"]) == ["tape.watch(x)"]
    model = make_classifier()
    with tf.GradientTape() as tape:
        loss = cross_entropy(model, X, Y)
    assert None not in tape.gradient(loss, model.trainable_variables)


@says("Passed in object of type 'Variable', not tf.Tensor")
@says("They even refuse it, for a weight of Keras 3 is no `tf.Variable`:")
@says(
    "The `output` of a layer is a `KerasTensor`, which is a place and not a "
    "number, and raises the same."
)
@says("Watch the tensor that you hand to the model.")
@says(
    "If it is an array of NumPy, that raises it, too, and whole numbers, such "
    "as pixels from 0 to 255, have no gradient: `tf.cast(x, tf.float32)` "
    "mends both."
)
def test_what_cannot_be_watched() -> None:
    shown = printed(NAME, "watched_weights")
    assert shown.startswith("ValueError: Passed in object")
    assert "of type 'Variable', not tf.Tensor or tf.Variable" in shown
    model = make_spotter()
    assert not isinstance(model.weights[0], tf.Variable)
    pixels = np.full((1, 6, 6, 1), 255, "uint8")
    places = [model.get_layer("parts").output, pixels]
    for place, kind in zip(places, ("KerasTensor", "ndarray"), strict=True):
        with (
            tf.GradientTape() as tape,
            pytest.raises(ValueError, match=f"(?s)Passed in .*'{kind}'"),
        ):
            tape.watch(place)
    x = tf.cast(pixels, tf.float32)
    assert gradient_of(model, x) is not None
    assert gradient_of(lambda x: x * 2, tf.constant(pixels)) is None


@says("Move each number a little to where the loss rises.")
@says("An adversarial example (FGSM)")
@says("Return x, each number moved by at most size to where the loss rises.")
@says("No number moved by more than 0.6, and the model has changed its mind.")
@says("The third stayed: the sign of 0 is 0.")
@says(
    "Pixels from 0 to 1 have to stay there, with `tf.clip_by_value(moved, "
    "0.0, 1.0)`."
)
def test_an_adversarial_row() -> None:
    [moved, before, after] = lines(NAME, "attacked")
    assert moved[2] == 3.0
    assert np.abs(np.subtract(moved, [1.0, 0.5, 3.0])).max() < 0.61
    assert before[0] > 0.5 > after[0]
    assert after[1] > before[1]
    model = make_classifier()
    for size in (0.01, 0.6):
        rows = adversarial(model, X, Y, size)
        assert float(tf.reduce_max(abs(rows - X))) <= size + 1e-6
        assert cross_entropy(model, rows, Y) > cross_entropy(model, X, Y)
    assert float(tf.sign(0.0)) == 0.0
    pixels = adversarial(model, tf.constant([[0.1, 0.9, 0.5]]), Y, 0.3)
    assert float(tf.reduce_min(pixels)) < 0
    clipped = tf.clip_by_value(pixels, 0.0, 1.0)
    np.testing.assert_allclose(clipped, [[0.0, 1.0, 0.5]], atol=1e-6)


@says(
    "To train against it, move the rows first, and then take the usual step, "
    "the only one of the two calls with `training=True`."
)
@says("Update the model for rows moved against it; return their loss.")
@says(
    "The first gradient is taken before the second tape begins, so no second "
    "derivative is needed."
)
def test_training_against_moved_rows() -> None:
    code = BLOCKS["adversarial_step"].code
    assert code.index("adversarial(model") < code.index("GradientTape")
    model, calls = make_classifier(), []

    def call(x: Any, training: bool, mask: Any = None) -> Any:
        calls.append(training)
        return x @ model.layers[0].kernel + model.layers[0].bias

    model.call = call
    adversarial_step(model, SGD(0.1), X, Y)
    assert calls == [False, True]
    losses = [line[1] for line in lines(NAME, "attack_trained")]
    assert losses == sorted(losses, reverse=True)
    with tf.GradientTape() as tape:
        tape.watch(X)
        inside = adversarial(make_classifier(), X, Y, 0.6)
    # By itself the sign has no slope, on one tape or on two.
    assert gradient_of(tf.sign, X).numpy().tolist() == [[0.0, 0.0, 0.0]]
    assert tape.gradient(inside, X).numpy().tolist() == [[1.0, 1.0, 1.0]]


@says("The gradient at a layer: Grad-CAM")
@says("This model adds up a picture, in squares of two by two.")
@says("Return a model that is the mean of the sums of 2 x 2 squares.")
@says("Return how much each place of a layer adds to a single score.")
@says("Takes pictures (batch, height, width, channels); the layer returns")
@says("A second model returns what the layer returns beside the score")
@says("Grad-CAM weighs each channel by its mean gradient")
@says("Now a picture that is dark but for one corner.")
@says("All of the score comes from that corner.")
def test_the_map_of_a_picture() -> None:
    picture = tf.random.stateless_uniform((2, 6, 6, 1), (0, 0))
    model = make_spotter()
    found = class_map(model, picture, "parts")
    assert found.shape == (2, 3, 3)
    scores = tf.squeeze(model(picture))
    total = tf.reduce_sum(found, axis=(1, 2))
    np.testing.assert_allclose(scores, total, rtol=1e-5)
    left = ran("other_gradients_input", "spotted")
    x = left["x"].numpy()
    assert x[0, 4:, :2].min() == 1.0
    assert x.sum() == 4.0
    shown = np.array(lines(NAME, "spotted"))
    assert shown[2, 0] == pytest.approx(4 / 9, abs=0.005)
    assert shown.sum() == shown[2, 0]


@says(
    "`tape.watch` is for a layer with no weights up to it, such as one that "
    "scales the picture."
)
@says(
    "What depends on nothing that is watched is not recorded, and the "
    "gradient at such a layer would be `None`."
)
def test_what_a_layer_without_weights_records() -> None:
    def gradient(first: Any, watch: bool) -> Any:
        picture = tf.keras.Input((6, 6, 1))
        parts = first(picture)
        score = layers.Dense(1)(layers.GlobalAveragePooling2D()(parts))
        probe = tf.keras.Model(picture, [parts, score])
        x = tf.ones((1, 6, 6, 1))
        with tf.GradientTape() as tape:
            if watch:
                tape.watch(x)
            features, found = probe(x)
        return tape.gradient(found, features)

    assert gradient(layers.Rescaling(0.5), watch=False) is None
    assert gradient(layers.Rescaling(0.5), watch=True) is not None
    assert gradient(layers.Conv2D(1, 2), watch=False) is not None
    assert "tape.watch(x)" in highlighted(BLOCKS["class_map"])


@says(
    "A layer of an inner model, such as a pretrained base, is not found; put "
    "the parts together as `tf.keras.Model(base.input, head(base.output))`."
)
def test_the_layer_of_an_inner_model() -> None:
    picture = tf.keras.Input((6, 6, 1))
    parts = layers.Conv2D(1, 2, name="parts")(picture)
    base = tf.keras.Model(picture, parts)
    head = tf.keras.Sequential([layers.Flatten(), layers.Dense(1)])
    x = tf.ones((1, 6, 6, 1))
    nested = tf.keras.Sequential([picture, base, head])
    with pytest.raises(ValueError, match="No such layer: parts"):
        class_map(nested, x, "parts")
    joined = tf.keras.Model(base.input, head(base.output))
    assert class_map(joined, x, "parts").shape == (1, 5, 5)
    sequential = tf.keras.Sequential(
        [picture, layers.Conv2D(1, 2, name="parts"), head]
    )
    assert class_map(sequential, x, "parts").shape == (1, 5, 5)


@says(
    "With several classes take one of them, `score = score[:, k]`, inside of "
    "the tape, in place of the line that refuses more than one. And take the "
    "logit: behind a softmax that is sure, all gradients are close to zero."
)
def test_the_logit_of_one_class() -> None:
    line = "        score = tf.ensure_shape(score, [None, 1])"
    assert line in BLOCKS["class_map"].code.split("\n")
    two = tf.constant([[1.0, 2.0]])
    with pytest.raises(tf.errors.InvalidArgumentError, match="not compatible"):
        tf.ensure_shape(two, [None, 1])
    x = tf.constant([[1.0, 2.0]])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        score = 2.0 * x
        inside = score[:, 1]
    assert tape.gradient(inside, x) is not None
    assert tape.gradient(score[:, 1], x) is None
    logits = tf.constant([[30.0, 0.0, -5.0]])
    plain = gradient_of(lambda x: x[:, 0], logits)
    assert plain.numpy().tolist() == [[1.0, 0.0, 0.0]]
    behind = gradient_of(lambda x: tf.nn.softmax(x)[:, 0], logits)
    assert float(tf.reduce_max(abs(behind))) < 1e-6


# 2. Physics


@says("Its solution is the cosine.")
@says("No data, but an equation: `y'' = -y`")
@says("Return by how much y'' = -y, y(0) = 1 and y'(0) = 0 do not hold.")
@says("Return by how much y'' = -y does not hold at the times t.")
@says("Return y, y' and y'' at the times t; all are of shape (batch, 1).")
def test_the_cosine_solves_the_equation() -> None:
    cosine: Any = tf.cos
    assert float(physics_loss(cosine, TIMES)) < 1e-10
    assert float(physics_loss(cosine, TIMES[1:])) < 1e-10
    sine: Any = tf.sin
    assert float(equation_loss(sine, TIMES)) < 1e-10
    for function in (tf.sin, lambda t: 2 * tf.cos(t), lambda t: t**2):
        assert float(physics_loss(function, TIMES)) > 0.5
    shapes = {part.shape for part in derivatives(make_solution(), TIMES)}
    assert shapes == {TIMES.shape}


@says("The model is to learn `y` from the time `t`.")
@says("Return a model of one number with one hidden layer.")
def test_the_model_of_the_solution() -> None:
    model = make_solution()
    assert model.input_shape == model.output_shape == (None, 1)
    assert len(model.layers) == 2


@says("The loss needs two derivatives with respect to the time")
@says("The inner `gradient` stands inside the outer tape, which records it.")
@says("A third tape around all of it takes the gradient of the loss")
@says("Return a compiled step that updates the variables, returns the loss.")
def test_three_tapes() -> None:
    model = make_solution()
    with tf.GradientTape() as tape:
        loss = physics_loss(model, TIMES)
    gradients = tape.gradient(loss, model.trainable_variables)
    assert None not in gradients[:3]
    with tf.GradientTape() as outer:
        outer.watch(TIMES)
        with tf.GradientTape() as inner:
            inner.watch(TIMES)
            y = model(TIMES)
    slope = inner.gradient(y, TIMES)
    assert outer.gradient(slope, TIMES) is None
    code = BLOCKS["derivatives"].code.split("\n")
    assert sum("GradientTape" in line for line in code) == 2
    [line] = [line for line in code if "inner.gradient" in line]
    assert line.startswith("        slope")
    step = make_step(lambda: model.weights[0][0, 0] ** 2, [], SGD(0.1))
    assert "function" in type(step).__name__.lower()


@says(
    "The cosine as a line that falls from 1 at time 0 to about -1 at time 3, "
    "and the values of the model as dots, all on the line as far as the eye "
    "can tell"
)
@says("**The check** is the largest error.")
def test_the_figure_of_the_solution() -> None:
    [axes] = figure(NAME, "plot_physics")
    line, dots = axes.points.values()
    assert line.y[0] == pytest.approx(1.0)
    assert line.y[-1] == pytest.approx(-1.0, abs=0.02)
    np.testing.assert_allclose(dots.y, line.y, atol=0.02)
    assert lines(NAME, "learn_physics")[-1][0] < 0.02


@says(
    "Where the solution is not known, look at `equation_loss` at times in "
    "between, which the model was not trained on."
)
def test_the_loss_at_times_in_between() -> None:
    model, between = make_solution(), TIMES[:-1] + 0.05
    variables = model.trainable_variables
    loss_at = make_loss_at(lambda: physics_loss(model, TIMES), variables)
    bfgs(loss_at, flatten(variables), 60)
    trained = float(equation_loss(model, TIMES))
    assert float(equation_loss(model, between)) < 2 * trained


@says("`inner.gradient` adds up over all of `y`.")
@says(
    "It is the derivative of each row by itself, because no row depends on "
    "the time of another; with `BatchNormalization` in training they do."
)
def test_rows_by_themselves_and_together() -> None:
    model, t = make_solution(), tf.constant([[0.3], [1.2], [2.0]])
    found = gradient_of(model, t)
    alone = [gradient_of(model, t[n : n + 1]) for n in range(3)]
    np.testing.assert_allclose(found, tf.concat(alone, 0), rtol=1e-5)
    norm = layers.BatchNormalization()
    together = gradient_of(lambda x: norm(x, training=True) ** 3, t)
    with tf.GradientTape() as tape:
        tape.watch(t)
        y = norm(t, training=True) ** 3
    jacobian = tape.jacobian(y, t)[:, 0, :, 0].numpy()
    np.testing.assert_allclose(together[:, 0], jacobian.sum(0), atol=1e-4)
    assert np.abs(jacobian - np.diag(np.diag(jacobian))).max() > 0.1


@says(
    "If the model has several outputs, take the gradient of one column at a "
    "time, of `y[:, :1]` made inside of the tapes."
)
@says(
    "If it has several inputs, split them into columns, watch each, and hand "
    "them on with `tf.concat`, so that you can ask for the derivative by one."
)
def test_several_outputs_and_inputs() -> None:
    t = tf.constant([[0.0], [1.0]])
    both = gradient_of(lambda t: tf.concat([tf.sin(t), t**2], 1), t)
    np.testing.assert_allclose(both, tf.cos(t) + 2 * t, rtol=1e-6)
    with tf.GradientTape() as tape:
        tape.watch(t)
        y = tf.concat([tf.sin(t), t**2], 1)[:, :1]
    np.testing.assert_allclose(tape.gradient(y, t), tf.cos(t), rtol=1e-6)
    with tf.GradientTape() as tape:
        tape.watch(t)
        y = tf.concat([tf.sin(t), t**2], 1)
    assert tape.gradient(y[:, :1], t) is None

    def bend(columns: list[Any], by: Any) -> Any:
        with tf.GradientTape() as outer:
            outer.watch(by)
            with tf.GradientTape() as inner:
                inner.watch(by)
                x = tf.concat(columns, 1) if len(columns) > 1 else columns[0]
                u = x[:, :1] ** 2 * x[:, 1:]
            slope = inner.gradient(u, by)
        return outer.gradient(slope, by).numpy().tolist()

    x, time = tf.constant([[3.0]]), tf.constant([[5.0]])
    assert bend([x, time], x) == [[10.0]]
    pair = tf.constant([[3.0, 5.0]])
    assert bend([pair], pair) == [[16.0, 6.0]]


@says("A PINN with relu: the second derivative is zero")
@says("A network of `relu` is made of straight pieces.")
@says(
    "Its second derivative is zero, whatever the weights are, so the loss "
    "cannot tell how the line is to bend, and the model does not learn the "
    "cosine."
)
@says("Use `tanh`, `swish`, `softplus` or a sine.")
def test_which_activations_bend() -> None:
    times = TIMES + 0.0123
    for activation in ("tanh", "swish", "softplus", tf.sin):
        *_, bend = derivatives(make_solution(activation), times)
        assert float(tf.reduce_max(abs(bend))) > 1e-2
    model = make_solution("relu")
    draw = tf.random.stateless_normal
    for seed in range(3):
        model.set_weights(
            [draw(w.shape, (seed, n)) for n, w in enumerate(model.weights)]
        )
        *_, bend = derivatives(model, times)
        assert float(tf.reduce_max(abs(bend))) == 0.0
    adam, straight = tf.keras.optimizers.Adam(0.01), make_solution("relu")
    step = make_step(
        lambda: physics_loss(straight, TIMES), straight.weights, adam
    )
    for _ in range(1000):
        step()
    assert float(tf.reduce_max(abs(straight(TIMES) - tf.cos(TIMES)))) > 0.5
    with tf.GradientTape() as tape:
        *_, bend = derivatives(model, times)
        loss = tf.reduce_mean(bend**2)
    for gradient in tape.gradient(loss, model.weights):
        assert gradient is None or float(tf.reduce_max(abs(gradient))) == 0


@says("Now there are data, and the equation has an unknown")
@says("Return by how much y at the times t and y'' = -k y do not hold.")
@says("The data are those of `k = 4`, and we start with 1.")
def test_the_data_are_of_four() -> None:
    cosine: Any = lambda t: tf.cos(2.0 * t)  # noqa: E731
    y = tf.cos(2.0 * TIMES)
    four, one = tf.Variable(4.0), tf.Variable(1.0)
    with pytest.raises(InvalidArgumentError, match="not compatible"):
        measured_loss(cosine, four, TIMES, y[:, 0])
    assert float(measured_loss(cosine, four, TIMES, y)) < 1e-10
    assert float(measured_loss(cosine, one, TIMES, y)) > 1.0
    assert "y = tf.cos(2.0 * t)" in BLOCKS["unknown"].code
    assert "tf.Variable(1.0)" in BLOCKS["unknown"].code


@says("A trainable number beside the model")
@says(
    "The number did not move: it is none of the model's variables, and the "
    "step knows no others."
)
@says("Name it, to the tape and to the optimizer.")
@says("It is on its way; [a better search]")
def test_a_number_that_is_named_moves() -> None:
    assert lines(NAME, "unknown")[0][1] == 1.0
    assert 2.0 < lines(NAME, "learn_unknown")[0][1] < 4.0
    assert lines(NAME, "find_unknown")[0][1] == pytest.approx(4.0, abs=0.01)
    added = "variables = [*model.trainable_variables, k]"
    assert highlighted(BLOCKS["learn_unknown"]) == [added]


@says(
    "The same goes for any variable that a loss uses, such as a temperature."
)
def test_a_temperature_beside_a_model() -> None:
    model, temperature = make_classifier(), tf.Variable(1.0)

    def loss() -> tf.Tensor:
        logits = model(X) / temperature
        return tf.nn.sigmoid_cross_entropy_with_logits(Y, logits)[0, 0]

    make_step(loss, model.trainable_variables, SGD(0.1))()
    assert temperature.numpy() == 1.0
    make_step(loss, [*model.trainable_variables, temperature], SGD(0.1))()
    assert temperature.numpy() != 1.0


@says(
    "If it is the weight of a loss, it needs a counterweight, or the "
    "optimizer drives it below 0: minimize `tf.exp(-s) * loss + s`"
)
def test_the_weight_of_a_loss() -> None:
    weight, s = tf.Variable(1.0), tf.Variable(0.0)
    step = make_step(lambda: weight * 3.0, [weight], SGD(0.1))
    for _ in range(10):
        step()
    assert weight.numpy() == pytest.approx(-2.0, abs=1e-5)
    step = make_step(lambda: tf.exp(-s) * 3.0 + s, [s], SGD(0.1))
    for _ in range(300):
        step()
    assert s.numpy() == pytest.approx(math.log(3.0), abs=1e-3)


# 3. A policy


@says("Here there are three actions, which pay with different chances.")
@says("Draw actions by their probabilities; return them and their rewards.")
@says(
    "The three actions pay 1 with the probabilities 0.2, 0.5 and 0.9, else 0."
)
@says("The best action pays 0.9.")
def test_what_the_actions_pay() -> None:
    for action, pays in enumerate([0.2, 0.5, 0.9]):
        sure = tf.one_hot(action, 3) * 50.0
        actions, rewards = play(sure, 200_000, (0, 3))
        assert set(actions.numpy()) == {action}
        assert set(rewards.numpy()) == {0.0, 1.0}
        assert rewards.numpy().mean() == pytest.approx(pays, abs=0.005)


@says("A draw has no gradient, and the world has none.")
@says("But the *probability* of what was drawn has one.")
@says("Multiply its logarithm by the *return*")
@says("Return the mean of -log(probability) * return of the actions.")
@says("Takes logits of shape (batch, actions), the others of shape (batch,).")
@says("Return the gradient of the policy's loss, shaped like the logits.")
def test_a_draw_and_its_probability() -> None:
    assert printed(NAME, "drawn_rewards") == "gradient: None"
    logits = tf.Variable([0.3, -0.2, 0.1])
    chances = tf.nn.softmax(logits).numpy()
    actions, returns = tf.constant([2]), tf.constant([5.0])
    found = policy_gradient(logits, actions, returns)
    assert found.shape == logits.shape
    due = -5.0 * (np.array([0, 0, 1]) - chances)
    np.testing.assert_allclose(found, due, rtol=1e-5)


@says(
    "On average this is the gradient that we want, that of minus the expected "
    "reward."
)
@says("We know the chances, so we can compute it, and compare.")
def test_the_average_is_the_exact_gradient() -> None:
    exact, drawn = lines(NAME, "exact")
    np.testing.assert_allclose(exact, drawn, atol=0.011)
    chances = np.exp([0.0, 0.5, -0.5]) / np.exp([0.0, 0.5, -0.5]).sum()
    pays = np.array([0.2, 0.5, 0.9])
    due = -chances * (pays - chances @ pays)
    np.testing.assert_allclose(exact, due, atol=0.006)


@says("Now learn from rewards alone.")
@says("Return the mean reward of each of 100 steps with 64 plays.")
@says(
    "Watch the reward, not the loss: of what `policy_loss` returns only the "
    "gradient means something."
)
@says(
    "The cross-entropy is *minus* the logarithm; with a plus the policy "
    "learns to lose."
)
def test_rewards_tell_and_losses_do_not() -> None:
    history = learn_policy(baseline=False)
    assert len(history) == 100
    rewards = [line[1] for line in lines(NAME, "run_policy")]
    assert rewards == sorted(rewards)
    # The loss is as small before anything is learned from no reward.
    logits, worst = tf.Variable(tf.zeros(3)), tf.Variable(tf.zeros(3))
    for step in range(100):
        actions, paid = play(worst, 64, (step, 0))
        worst.assign_add(policy_gradient(worst, actions, paid))
    assert int(tf.argmax(worst)) == 0
    actions, paid = play(logits, 64, (0, 0))
    each = tf.nn.sparse_softmax_cross_entropy_with_logits
    rows = tf.zeros((64, 3))
    shifted = tf.reduce_mean(each(actions, rows) * (paid - 1.0))
    assert float(shifted) < 0 < float(tf.reduce_mean(each(actions, rows)))
    log = -math.log(1 / 3)
    assert float(each([0], [[0.0, 0.0, 0.0]])[0]) == pytest.approx(log)


@says("A baseline: the same gradient, less noise")
@says("Take from all returns a number that does not depend on the action.")
@says("What does that do to the gradient of 64 plays, over 200 draws?")
@says("The mean is the same, up to chance, and the spread is no larger.")
def test_what_a_baseline_does() -> None:
    _, means, stds, _, other_means, other_stds = lines(NAME, "spread")
    np.testing.assert_allclose(means, other_means, atol=0.011)
    assert all(b <= a for a, b in zip(stds, other_stds, strict=True))
    assert sum(other_stds) < 0.8 * sum(stds)
    code = BLOCKS["spread"].code
    assert "64 * 200" in code
    assert "tf.split(actions, 200)" in code


@says(
    "(The mean of the plays themselves, as in `learn_policy`, depends on each "
    "action a little: it makes the gradient smaller, by one part in 64 here, "
    "and zero with a single play.)"
)
def test_the_mean_of_the_plays_themselves() -> None:
    logits = tf.Variable([0.0, 0.5, -0.5])
    assert "rewards - mean" in BLOCKS["learn_policy"].code
    sums = np.zeros(3)
    for step in range(300):
        actions, rewards = play(logits, 2, (step, 9))
        own = rewards - tf.reduce_mean(rewards)
        sums += policy_gradient(logits, actions, own).numpy()
    exact = np.array(lines(NAME, "exact")[0])
    np.testing.assert_allclose(sums / 300, exact / 2, atol=0.02)
    actions, rewards = play(logits, 1, (0, 9))
    alone = policy_gradient(logits, actions, rewards - tf.reduce_mean(rewards))
    assert alone.numpy().tolist() == [0.0, 0.0, 0.0]


@says(
    "Keep its values out of this gradient with `tf.stop_gradient`, and take "
    "them as `values[:, 0]`, for what a network returns has a column."
)
@says("A network that learns the baseline from the state is a *critic*.")
def test_a_critic_is_kept_out() -> None:
    value = tf.Variable(0.4)
    for out, due in [(tf.stop_gradient, None), (tf.identity, True)]:
        with tf.GradientTape() as tape:
            rewards = tf.constant([1.0, 0.0]) - out(value)
            each = tf.nn.sparse_softmax_cross_entropy_with_logits(
                [0, 1], tf.zeros((2, 3))
            )
            loss = tf.reduce_mean(each * rewards)
        found = tape.gradient(loss, value)
        assert (found is None) == (due is None)
    actions, rewards = tf.constant([0, 1]), tf.constant([1.0, 0.0])
    values = layers.Dense(1)(tf.ones((2, 3)))
    logits = tf.Variable([0.0, 0.0, 0.0])
    with pytest.raises(InvalidArgumentError, match="not compatible"):
        policy_gradient(logits, actions, rewards - values)
    assert policy_gradient(logits, actions, rewards - values[:, 0]).shape == 3


@says("The rewards are those of one episode.")
@says(
    "Where one action leads to the next, it earns what comes later in the "
    "episode as well"
)
@says("Return the return of each step: its reward and gamma * the next.")
def test_discounted_returns() -> None:
    found = discounted([0.0, 0.0, 1.0], 0.9)
    assert found == pytest.approx([0.81, 0.9, 1.0])
    assert lines(NAME, "run_discounted") == [[0.81, 0.9, 1.0]]


LOGITS = tf.constant([[0.1, 0.7, -0.3]])


def logits_after(old: Any, steps: int) -> Any:
    """Return logits that learned from one play, which was the last action.

    The old logarithm is that of the first step, or what a function makes of
    that of each step.
    """
    logits = tf.Variable(LOGITS)
    first = log_chances(logits, [2])
    for _ in range(steps):
        with tf.GradientTape() as tape:
            now = log_chances(logits, [2])
            ratio = tf.exp(now - (old(now) if old else first))
            loss = -tf.reduce_mean(ratio)
        logits.assign_sub(tape.gradient(loss, logits))
    return logits, float(ratio[0])


@says("A play serves for one step, for after that the policy is another.")
@says("PPO takes several steps with the same plays.")
@says(
    "It weighs each play by the *ratio*, its probability now over that at the "
    "time of the play, and pushes a ratio no further that has left a range "
    "around 1"
)
@says("Return the logarithm of the probability of each action.")
@says("Return PPO's loss; now and old are logarithms of probabilities.")
@says("All have the shape (batch,). Equation 7 of arXiv:1707.06347.")
def test_the_loss_of_ppo() -> None:
    chances = np.exp(LOGITS[0]) / np.exp(LOGITS[0]).sum()
    found = log_chances(tf.repeat(LOGITS, 3, axis=0), [0, 1, 2])
    np.testing.assert_allclose(found, np.log(chances), rtol=1e-5)
    old = tf.math.log([0.5, 0.5, 0.5, 0.5])
    ratios = np.array([1.5, 0.5, 1.5, 1.1], "float32")
    now, returns = tf.math.log(ratios * 0.5), np.array([2.0, 2.0, -2.0, 2.0])
    due = -np.minimum(ratios * returns, np.clip(ratios, 0.8, 1.2) * returns)
    returns = tf.constant(returns, tf.float32)
    loss = float(clipped_loss(now, old, returns))
    assert loss == pytest.approx(due.mean(), rel=1e-5)
    slope = gradient_of(lambda x: clipped_loss(x, old, returns), now).numpy()
    wanted = -ratios * returns / 4 * [0, 1, 1, 1]  # two are drawn back
    np.testing.assert_allclose(slope, wanted, atol=1e-6)
    for wrong in (now[:, tf.newaxis], returns[:, tf.newaxis]):
        with pytest.raises(InvalidArgumentError, match="not compatible"):
            clipped_loss(now, old, wrong)
        with pytest.raises(InvalidArgumentError, match="not compatible"):
            clipped_loss(now, wrong, returns)
    assert "arxiv.org/abs/1707.06347" in (DOCS / f"{NAME}.md").read_text()


@says("Take 20 steps with the same plays; return what the last one makes.")
@says("The ratio is 1 in every step, and nothing is ever clipped.")
@says("20 steps on the luck of 64 plays have all but ruled out an action.")
@says("(Without `stop_gradient` such a ratio has the gradient 0, and nothing")
@says("Ask once, before the first step, and keep the numbers with the plays.")
@says("**The check**: the ratio is 1 in the first step, if dropout is off,")
@says("No second model is needed.")
def test_a_ratio_of_one() -> None:
    [spoiled], [kept] = lines(NAME, "ratio_of_one"), lines(NAME, "old_kept")
    assert min(spoiled) < 0.01
    for chance in kept:
        assert 0.25 < chance < 0.41
    logits, ratio = logits_after(tf.identity, 5)
    assert ratio == 1
    np.testing.assert_array_equal(logits, LOGITS)
    logits, ratio = logits_after(tf.stop_gradient, 5)
    assert ratio == 1
    assert float(tf.reduce_max(tf.abs(logits - LOGITS))) > 0.1
    assert logits_after(None, 1)[1] == 1
    assert logits_after(None, 2)[1] > 1.05
    actions, rewards = play(tf.zeros(3), 64, (0, 0))
    returns = rewards - tf.reduce_mean(rewards)
    found = reuse(tf.Variable(tf.zeros(3)), actions, returns, keep=True)
    np.testing.assert_allclose(found, kept, atol=0.006)
    assert "Model" not in BLOCKS["reuse"].code
    inputs = tf.ones((1, 8))
    dropped = tf.keras.Sequential([layers.Dropout(0.5), layers.Dense(3)])
    one, two = (dropped(inputs, training=True) for _ in range(2))
    assert not np.allclose(one, two)


@says("One model can return logits and values.")
@says("Its loss is the sum of both losses.")
@says("Return the loss of a policy and of values, shaped (batch, 1).")
@says("The values have the gradient of the squared error alone.")
@says(
    "Without `tf.stop_gradient` they would also be pushed to make the "
    "policy's loss small, which is not what they are to tell."
)
def test_an_actor_and_a_critic() -> None:
    logits = tf.repeat(LOGITS, 2, axis=0)
    values, actions = tf.constant([[0.5], [0.1]]), tf.constant([0, 2])
    returns = tf.constant([1.0, 0.0])
    advantages = returns - values[:, 0]
    errors = tf.reduce_mean(advantages**2)
    actor = policy_loss(logits, actions, advantages)
    loss = actor_critic_loss(logits, values, actions, returns)
    assert float(loss) == pytest.approx(float(actor + errors), rel=1e-5)

    def of_values(values: tf.Tensor) -> tf.Tensor:
        return actor_critic_loss(logits, values, actions, returns)

    def leaking(values: tf.Tensor) -> tf.Tensor:
        advantages = returns - values[:, 0]
        return policy_loss(logits, actions, advantages) + tf.reduce_mean(
            advantages**2
        )

    due = values - returns[:, tf.newaxis]
    np.testing.assert_allclose(gradient_of(of_values, values), due, rtol=1e-5)
    more = gradient_of(leaking, values) - due
    chances = log_chances(logits, actions)[:, tf.newaxis]
    np.testing.assert_allclose(more, chances / 2, rtol=1e-4)
    inputs = tf.keras.Input((4,))
    outputs = [layers.Dense(3)(inputs), layers.Dense(1)(inputs)]
    found = tf.keras.Model(inputs, outputs)(tf.ones((2, 4)))
    assert [part.shape[1] for part in found] == [3, 1]
    actor_critic_loss(found[0], found[1], actions, returns)
    with pytest.raises(InvalidArgumentError, match="not compatible"):
        actor_critic_loss(logits, values, actions, returns[:, tf.newaxis])
    first, *_ = lines(NAME, "both_heads")
    assert first == pytest.approx([-0.17, 0.08, 0.08])


@says(
    "An action that is a number, and not drawn, needs no logarithm: the "
    "gradient goes through the critic into the actor"
)
@says("The paper multiplies two gradients; the tape does that by itself.")
@says("Return gradients of the actor; its actions gain value against them.")
@says("Lillicrap and others, arXiv:1509.02971.")
@says("Return values of actions; the best action is twice the state.")
@says("Name the variables of the actor alone, or the critic learns to praise.")
@says("Here the critic is a formula whose best action is known.")
@says("It takes a list, as a model of Keras with two inputs does.")
def test_an_actor_and_its_critic() -> None:
    assert lines(NAME, "learn_actor") == [[2.0]]
    states = tf.constant([[1.0], [-0.5]])
    best = [worth([states, k * states]).numpy().sum() for k in (1.9, 2, 2.1)]
    assert max(best) == best[1] == 0
    actor = tf.keras.Sequential([tf.keras.Input((1,)), layers.Dense(1)])
    inputs = [tf.keras.Input((1,)), tf.keras.Input((1,))]
    outputs = layers.Dense(1)(layers.Concatenate()(inputs))
    critic = tf.keras.Model(inputs, outputs)
    gradients = climb(actor, critic, states)
    actions = actor(states)
    slope = gradient_of(lambda a: critic([states, a]), actions)
    with tf.GradientTape() as tape:
        again = actor(states)
    due = tape.gradient(again, actor.trainable_variables, -slope / 2)
    for found, wanted in zip(gradients, due, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4)
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(critic([states, actor(states)]))
    assert "arxiv.org/abs/1509.02971" in (DOCS / f"{NAME}.md").read_text()
    bias = critic.layers[-1].bias
    assert float(tape.gradient(loss, bias)[0]) == -1  # all values rise


# 4. A gradient of one's own


@says("Rounding has no gradient.")
@says(
    "The function returns its result, and a function that makes its own "
    "gradient out of the one that comes from above."
)
@says("Return x rounded; its gradient is as if it were x.")
@says("`tf.round` gives `None`, `tf.sign` zeros.")
@says("The last line is twice the rounded numbers.")
def test_rounding() -> None:
    first, second, third = printed(NAME, "rounded").split("\n")
    assert first == "None"
    assert "[0. 0. 0.]" in second
    assert "[0. 2. 4.]" in third
    x = tf.Variable([0.2, 0.8, 1.7])
    assert gradient_of(tf.round, x) is None
    assert gradient_of(round_through, x).numpy().tolist() == [1.0, 1.0, 1.0]
    assert round_through(x).numpy().tolist() == [0.0, 1.0, 2.0]
    assert gradient_of(lambda x: 7.0 * round_through(x), x)[0] == 7.0


@says(
    "The same without a decorator, as in a VQ-VAE: `x + "
    "tf.stop_gradient(tf.round(x) - x)`."
)
def test_straight_through_by_stop_gradient() -> None:
    def through(x: Any) -> Any:
        return x + tf.stop_gradient(tf.round(x) - x)

    x = tf.constant([0.2, 0.8, 1.75, -3.5])
    np.testing.assert_allclose(through(x), round_through(x), atol=1e-6)
    ones, found = gradient_of(round_through, x), gradient_of(through, x)
    assert found.numpy().tolist() == ones.numpy().tolist()


@says("A gradient reversal layer")
@says("Return x as it is; its gradient has the other sign.")
@says("The gradient of the head, the second number, is as before.")
@says("That of the weight below `reverse` has changed its sign.")
@says("So a head learns to tell it, and the features learn the opposite.")
def test_reversal() -> None:
    plain, turned = lines(NAME, "reversed")
    assert turned == [-plain[0], plain[1]]
    assert printed(NAME, "reversed") == "[15.0, 10.0]\n[-15.0, 10.0]"
    x = tf.constant([1.0, -2.0])
    assert reverse(x).numpy().tolist() == [1.0, -2.0]


@tf.keras.utils.register_keras_serializable("tests")
class Reverse(tf.keras.layers.Layer):
    def call(self, x: Any) -> Any:
        return reverse(x)


@says(
    "In a Keras model it is a layer of your own, whose `call` returns "
    "`reverse(x)`."
)
@says("(A `Lambda` of it can be saved, but not loaded.)")
def test_reversal_as_a_layer(tmp_path: Path) -> None:
    first, last = layers.Dense(1), layers.Dense(1)
    signs = []
    for middle in (layers.Lambda(tf.identity), Reverse()):
        model = tf.keras.Sequential(
            [tf.keras.Input((2,)), first, middle, last]
        )
        with tf.GradientTape() as tape:
            total = model(tf.ones((1, 2)))[0, 0]
        signs.append(tape.gradient(total, model.trainable_variables))
    plain, turned = signs
    np.testing.assert_allclose(plain[0], -turned[0])
    np.testing.assert_allclose(plain[2], turned[2])
    assert float(tf.norm(plain[0])) > 0
    model.save(tmp_path / "layer.keras")
    loaded = tf.keras.models.load_model(tmp_path / "layer.keras")
    np.testing.assert_allclose(loaded(tf.ones((1, 2))), [[float(total)]])
    lambdas = [tf.keras.Input((2,)), layers.Lambda(reverse)]
    tf.keras.Sequential(lambdas).save(tmp_path / "function.keras")
    with pytest.raises(TypeError, match="Expected 'config' to be a dict"):
        tf.keras.models.load_model(
            tmp_path / "function.keras",
            safe_mode=False,
            custom_objects={"reverse": reverse},
        )


@says("grad_fn must accept keyword argument 'variables'")
@says(
    "A function that uses a variable from outside has to say what the "
    "gradient of that variable is."
)
@says("Return x times a variable of the surroundings.")
@says("Hand the variable in, and return a gradient for each argument.")
@says(
    "A weight of Keras hand in as `tf.convert_to_tensor(weight)`. Its "
    "gradient arrives all the same."
)
@says("Return x * scale; both are single numbers, and so are gradients.")
def test_variables_of_a_defined_gradient() -> None:
    shown = printed(NAME, "closed_over")
    assert "grad_fn must accept keyword argument 'variables'" in shown
    x, scale = tf.Variable(3.0), tf.Variable(2.0)
    with tf.GradientTape() as tape:
        total = scaled(x, scale)
    found = tape.gradient(total, [x, scale])
    assert [float(gradient) for gradient in found] == [2.0, 3.0]

    weight = layers.Layer().add_weight(shape=(), initializer="ones")
    with tf.GradientTape() as tape:
        with pytest.raises(TypeError, match="'variables'"):
            scaled(tf.constant(3.0), weight)
        total = scaled(tf.constant(3.0), tf.convert_to_tensor(weight))
    assert float(tape.gradient(total, weight.value)) == 3.0

    @tf.custom_gradient
    def one(x: Any, scale: Any) -> Any:
        return x * scale, lambda upstream: upstream * scale

    with tf.GradientTape() as tape:
        total = one(x, scale)
    with pytest.raises((ValueError, TypeError)):
        tape.gradient(total, [x, scale])


@says(
    "**The check** of a gradient that is meant to be true is "
    "`tf.test.compute_gradient`, which computes it by small differences as "
    "well."
)
@says("`round_through` and `reverse` are not meant to be true, and fail it.")
def test_gradients_by_small_differences() -> None:
    x = tf.constant([0.3, 1.2])

    def gap(function: Any, *values: Any) -> float:
        theory, measured = tf.test.compute_gradient(function, [*values])
        pairs = zip(theory, measured, strict=True)
        return max(float(np.abs(a - b).max()) for a, b in pairs)

    one = tf.constant(3.0), tf.constant(2.0)
    assert gap(scaled, *one) < 1e-2
    assert gap(round_through, x) > 0.5
    assert gap(reverse, x) > 0.5


# 5. One vector


@says("An optimizer of Keras takes one step for one gradient.")
@says(
    "A search such as L-BFGS wants a function of *one vector*, which returns "
    "the loss and the gradient there, and calls it as often as it likes."
)
@says(
    "SciPy takes it as it is, if you have it installed: "
    "`scipy.optimize.minimize(loss_at, flatten(variables), jac=True, "
    'method="L-BFGS-B")`.'
)
@says(
    "Afterwards set the variables to the `x` of its result, for they hold "
    "what it tried last."
)
def test_scipy_takes_the_loss() -> None:
    model = make_solution()
    variables, asked = model.trainable_variables, []
    loss_at = make_loss_at(lambda: physics_loss(model, TIMES), variables)

    def watched(vector: Any) -> Any:
        asked.append(vector.copy())
        return loss_at(vector)

    start = flatten(variables)
    options = {"maxiter": 40}
    result = scipy.optimize.minimize(
        watched, start, jac=True, method="L-BFGS-B", options=options
    )
    assert result.fun < 0.05 < loss_at(start)[0]
    assert len(asked) == result.nfev > result.nit
    loss_at(asked[-1])
    np.testing.assert_allclose(flatten(variables), asked[-1], atol=1e-6)
    optimizer = SGD(0.1)
    optimizer.apply_gradients([(tf.constant(1.0), tf.Variable(1.0))])
    assert int(optimizer.iterations) == 1


@says("So put all weights in a row, and back.")
@says("Return all numbers of the tensors as one vector of float64.")
@says("Set the variables to the numbers of the vector, in their order.")
@says("Return a function of one vector: the loss there and its gradient.")
def test_a_row_of_weights() -> None:
    model = make_solution()
    variables = model.trainable_variables
    vector = flatten(variables)
    assert vector.shape == (model.count_params(),)
    assert vector.dtype == np.float64
    loss_at = make_loss_at(lambda: physics_loss(model, TIMES), variables)
    loss, gradient = loss_at(vector)
    assert loss == pytest.approx(float(physics_loss(model, TIMES)))
    assert gradient.shape == vector.shape
    move = 0.01 * gradient / np.linalg.norm(gradient)
    slope = (loss_at(vector + move)[0] - loss_at(vector - move)[0]) / 0.02
    assert slope == pytest.approx(np.linalg.norm(gradient), rel=0.02)


@says("It takes a direction, and halves the way until the loss falls by")
@says("Return the move, halved until the loss falls by enough (Armijo).")
@says("From how the gradient changed on the way it learns how the loss bends.")
@says("Return the inverse Hessian, corrected for how the gradient changed.")
@says("Search from the vector on; return the loss of each step.")
@says(
    "BFGS keeps a matrix for that; L-BFGS, meant for many weights, keeps the "
    "last moves in its place."
)
def test_the_parts_of_the_search() -> None:
    assert "move / 2" in BLOCKS["shorten"].code
    hessian = np.array([[3.0, 1.0], [1.0, 2.0]])
    minimum = np.array([1.0, -2.0])
    learned = ran("other_gradients_flat", "learn_curvature")
    inverse, correct = np.eye(2), learned["learn_curvature"]
    for move in (np.array([1.0, 0.0]), np.array([-1.0, 3.0])):
        inverse = correct(inverse, move, hessian @ move)
    np.testing.assert_allclose(inverse @ hessian, np.eye(2), atol=1e-9)
    history = bfgs(
        lambda v: (
            float((v - minimum) @ hessian @ (v - minimum) / 2),
            hessian @ (v - minimum),
        ),
        np.zeros(2),
        10,
    )
    assert len(history) == 11
    assert history[-1] < 1e-12
    result = scipy.optimize.minimize(
        lambda v: float(v @ v), np.ones(50), method="L-BFGS-B"
    )
    assert result.hess_inv.sk.shape[0] <= 10
    result = scipy.optimize.minimize(
        lambda v: float(v @ v), np.ones(50), method="BFGS"
    )
    assert result.hess_inv.shape == (50, 50)


@says("Let it solve [the equation](#2-a-physics-informed-neural-network-pinn)")
@says(
    "A hundred steps, each with three calls of the loss or more, lead further "
    "here than a thousand of Adam."
)
def test_further_than_adam() -> None:
    adam, search = lines(NAME, "learn_physics"), lines(NAME, "run_bfgs")
    assert [adam[-2][0], search[-2][0]] == [1000, 100]
    assert search[-2][1] < adam[-2][1] / 10
    assert search[-1][0] < adam[-1][0] / 10
    assert "make_solution()" in BLOCKS["run_bfgs"].code
    calls: list[int] = []

    def counted(vector: Any) -> Any:
        calls.append(1)
        return float(vector @ vector), 2 * vector

    bfgs(counted, np.ones(3), 2)
    two = len(calls)
    bfgs(counted, np.ones(3), 3)
    assert len(calls) - 2 * two >= 3


@says(
    "Such a search needs the *same* loss at each call: all data at once, no "
    "dropout, no shuffled batches."
)
@says("It takes luck for progress.")
def test_luck_for_progress() -> None:
    random = np.random.default_rng(0)

    def noisy(vector: Any) -> Any:
        loss = float(vector @ vector) + random.normal()
        return loss, 2 * vector + random.normal(size=3)

    told, start = bfgs(noisy, np.full(3, 0.1), 30), 0.03
    assert min(told) < start - 1.0


# 6. Second derivatives


def curved(weights: list[Any]) -> Any:
    """Return a loss whose Hessian is not constant, and couples weights."""
    first, second = weights
    return tf.reduce_sum(first**3) * second[0] + tf.reduce_sum(second**4)


def curvatures(first: Any, second: Any) -> Any:
    """Return the Hessian of `curved`, first of two and second of one."""
    (a, b), [c] = first.numpy(), second.numpy()
    rows = [[6 * a * c, 0, 3 * a**2], [0, 6 * b * c, 3 * b**2]]
    return np.array([*rows, [3 * a**2, 3 * b**2, 12 * c**2]])


@says("Second order optimization also asks how the gradient changes")
@says(
    "The second derivatives of the loss are a matrix, the *Hessian*, with a "
    "row and a column for each weight."
)
@says("which has a number for each weight.")
@says(
    "That product is itself a gradient, of the inner product of gradient and "
    "vector."
)
@says("Return the Hessian of the loss times vectors shaped like weights.")
@says("Return what `hvp` returns; the weights are of type tf.Variable.")
@says(
    "A `ForwardAccumulator` follows how each result changes as the weights "
    "move along the vector, here through the tape and its gradient."
)
@pytest.mark.parametrize("product", [hvp, forward_hvp])
def test_products_with_the_hessian(product: Any) -> None:
    weights = [tf.Variable([1.0, -2.0]), tf.Variable([0.5])]
    vectors = [tf.constant([1.0, 3.0]), tf.constant([-2.0])]
    found = product(lambda: curved(weights), weights, vectors)
    due = curvatures(*weights) @ flatten(vectors)
    np.testing.assert_allclose(flatten(found), due, rtol=1e-5)
    assert [part.shape for part in found] == [w.shape for w in weights]
    h = 1e-2
    slopes = []
    for side in (h, -h):
        moved = [
            tf.Variable(w + side * v)
            for w, v in zip(weights, vectors, strict=True)
        ]
        with tf.GradientTape() as tape:
            total = curved(moved)
        slopes.append(flatten(tape.gradient(total, moved)))
    change = (slopes[0] - slopes[1]) / (2 * h)
    np.testing.assert_allclose(flatten(found), change, rtol=1e-2)


@says("6. Hessian-vector products without the Hessian")
@says("For a million weights in `float32` it would fill four terabytes.")
@says("Neither makes the matrix.")
@says(
    "If the weights are few, or you want the matrix itself, `outer.jacobian` "
    "of the gradients is enough: one call returns all of it"
)
def test_who_makes_the_matrix() -> None:
    assert 10**6 * 10**6 * np.dtype("float32").itemsize == 4 * 10**12
    size = 50
    weight = tf.Variable(tf.linspace(0.5, 1.5, size))
    vector = tf.sin(tf.range(float(size)))

    def loss() -> Any:
        return tf.reduce_sum(weight**3) ** 2

    def matrix(*_: Any) -> list[Any]:
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                current_loss = loss()
            gradients = inner.gradient(current_loss, weight)
        return [outer.jacobian(gradients, weight)]

    def largest(function: Any) -> int:
        traced = tf.function(lambda: function(loss, [weight], [vector]))
        operations = traced.get_concrete_function().graph.get_operations()
        return max(
            output.shape.num_elements() or 0
            for operation in operations
            for output in operation.outputs
            if output.shape.rank is not None
        )

    assert largest(hvp) == size
    assert largest(forward_hvp) == size
    assert largest(matrix) == size**2
    [hessian] = matrix()
    due = tf.linalg.matvec(hessian, vector)
    np.testing.assert_allclose(
        hvp(loss, [weight], [vector])[0], due, rtol=1e-3, atol=1e-2
    )
    limit = {block.name: block.code for block in read("traps").blocks}
    assert "outer.jacobian" in limit["largest_curvature"]
    assert "largest_curvature" in below("traps", "## 10. A learning rate past")


@says("The inner `gradient` stands inside the outer tape, as in [the equation")
def test_where_the_inner_gradient_stands() -> None:
    for name, inner in (("hvp", "inner.g"), ("derivatives", "inner.g")):
        found = [x for x in BLOCKS[name].code.split("\n") if inner in x]
        indents = [len(x) - len(x.lstrip()) for x in found]
        assert indents == [8], name
    weight = tf.Variable(3.0)
    with tf.GradientTape() as outer, tf.GradientTape() as inner:
        total = weight**3
    slope = inner.gradient(total, weight)
    assert outer.gradient(slope, weight) is None


@says("`stop_gradient` makes the vector a constant.")
@says(
    "Without it, a vector that is the weights themselves would have a "
    "gradient, too, and the result would be off by the gradient of the loss."
)
def test_the_vector_is_a_constant(monkeypatch: Any) -> None:
    weights = [tf.Variable([1.0, -2.0]), tf.Variable([0.5])]
    with tf.GradientTape() as tape:
        total = curved(weights)
    gradients = flatten(tape.gradient(total, weights))
    found = flatten(hvp(lambda: curved(weights), weights, weights))
    due = curvatures(*weights) @ flatten(weights)
    np.testing.assert_allclose(found, due, rtol=1e-5)
    monkeypatch.setattr(tf, "stop_gradient", tf.convert_to_tensor)
    off = flatten(hvp(lambda: curved(weights), weights, weights)) - due
    np.testing.assert_allclose(off, gradients, rtol=1e-5)
    assert np.abs(gradients).min() > 0.1


@says(
    "A loss that is linear in a weight has a second derivative of zero there, "
    "and the tape would say `None`; hence `unconnected_gradients`."
)
def test_a_loss_that_is_linear_in_a_weight() -> None:
    weights = [tf.Variable(3.0), tf.Variable(2.0)]

    def loss() -> Any:
        return weights[0] ** 2 + 5.0 * weights[1]

    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            total = loss()
        product = tf.add_n(inner.gradient(total, weights))
    assert outer.gradient(product, weights)[1] is None
    ones = [tf.ones(()), tf.ones(())]
    products: list[Any] = [hvp, forward_hvp]
    for function in products:
        assert [*map(float, function(loss, weights, ones))] == [2.0, 0.0]


@says("'str' object has no attribute 'is_floating'")
@says("They are no `tf.Variable`, and their `dtype` is a word.")
@says("Each has a `tf.Variable` as its `value`.")
@says(
    "`other_gradients:keras_weights` A `ForwardAccumulator` was given a "
    "weight of Keras. Give it the `value` of that weight, which is a "
    "`tf.Variable`.",
    page="messages",
)
def test_weights_of_keras_in_an_accumulator() -> None:
    shown = printed(NAME, "keras_weights")
    assert shown == (
        "AttributeError: 'str' object has no attribute 'is_floating'"
    )
    for weight in make_classifier().weights:
        assert not isinstance(weight, tf.Variable)
        assert isinstance(weight.dtype, str)
        assert isinstance(weight.value, tf.Variable)
    assert ".value" in highlighted(BLOCKS["second_checked"])[0]


@says("**The check** is the closed form. The Hessian of the … r^T`")
@says(
    "The Hessian of the cross-entropy is the mean of "
    "`#!math p \\, (1 - p) \\, r \\, r^T` over the rows `#!math r`, each "
    "with a 1 for the bias."
)
def test_the_closed_form_of_the_product() -> None:
    double, forward, closed = lines(NAME, "second_checked")
    assert double == forward == closed
    assert len(closed) == 4
    x, y = tf.constant([[0.3, -0.5, 1.0], [1.0, 2.0, -1.0]]), tf.ones((2, 1))
    model = make_classifier()
    weights = [weight.value for weight in model.weights]
    vectors = [tf.constant([[0.5], [-1.0], [2.0]]), tf.constant([3.0])]
    found = hvp(lambda: cross_entropy(model, x, y), weights, vectors)
    p = tf.sigmoid(model(x)).numpy()[:, 0]
    rows = np.hstack([x, np.ones((2, 1))])
    each = [c * (1 - c) * np.outer(r, r) for c, r in zip(p, rows, strict=True)]
    due = np.mean(each, axis=0) @ flatten(vectors)
    np.testing.assert_allclose(flatten(found), due, rtol=1e-4)


@says("A search such as Newton-CG needs only its product with a vector,")
@says(
    "For a search that takes the product in its place, give SciPy a function "
    "of the weights and a direction, both one vector: "
    '`method="Newton-CG"` with `hessp=`.'
)
def test_scipy_takes_the_product() -> None:
    weight = tf.Variable([3.0, -2.0])
    asked = []

    def loss() -> Any:
        return tf.reduce_sum((weight - [1.0, 0.5]) ** 2 * [1.0, 50.0])

    def hessp(vector: Any, move: Any) -> Any:
        asked.append(move)
        weight.assign(vector)
        return flatten(hvp(loss, [weight], [tf.cast(move, tf.float32)]))

    result = scipy.optimize.minimize(
        make_loss_at(loss, [weight]),
        flatten([weight]),
        jac=True,
        hessp=hessp,
        method="Newton-CG",
    )
    np.testing.assert_allclose(result.x, [1.0, 0.5], atol=1e-3)
    assert asked[0].shape == (2,)


# Exercises


@says("Return x as it is; its gradient is no longer than the limit.")
@says(
    "Write a function that returns `x` as it is, and whose gradient is no "
    "longer than `limit`."
)
def test_a_gradient_that_is_clipped() -> None:
    assert lines(NAME, "clipped_backwards") == [[25.0, 0.6, 0.8]]
    x = tf.constant([3.0, 4.0])
    assert clip_backwards(x, 0.1).numpy().tolist() == [3.0, 4.0]
    short = gradient_of(lambda x: clip_backwards(0.01 * x, 1.0), x)
    np.testing.assert_allclose(short, [0.01 / math.sqrt(2)] * 2, rtol=1e-5)


@says("Add 30 to each reward.")
@says(
    "Without a baseline every action that was drawn is praised, so the one "
    "that happened to be drawn most is drawn more."
)
@says("With it, only what is better than the mean is.")
def test_large_rewards() -> None:
    without, with_one = lines(NAME, "raised")
    assert without[0] < 0.6
    assert with_one[0] == pytest.approx(0.9, abs=0.03)
    logits = tf.Variable([0.0, 0.0, 0.0])
    actions = tf.constant([0, 0, 1, 2])
    rewards = tf.constant([30.0, 30.0, 30.0, 31.0])
    found = policy_gradient(logits, actions, rewards)
    assert int(tf.argmin(found)) == 0
    found = policy_gradient(logits, actions, rewards - 30.25)
    assert int(tf.argmin(found)) == 2
