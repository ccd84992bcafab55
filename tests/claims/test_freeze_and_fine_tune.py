"""What the page on freezing and fine-tuning says is true."""

import inspect
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from snippets.data import make_data
from snippets.freeze_and_fine_tune import (
    TwoLayers,
    WarmUp,
    WarmUpCast,
    averaged_loss,
    halve_on_plateau,
    make_head_step,
    make_model,
    make_normalising,
    make_normed,
    make_scaled_step,
    make_step_of_parts,
    make_tasks,
    movement,
    train,
    unfreeze,
)
from snippets.freeze_dropout import AlwaysDropout, make_dropping
from snippets.freeze_rates import RateInLogs
from snippets.freeze_swa import make_behind, refresh
from snippets.keras_model import KerasLinearModel
from snippets.loss import loss
from snippets.usual_parts import make_step
from tests.claims.says import (
    figure,
    highlighted,
    imported,
    numbers,
    printed,
    ran,
    record,
    says,
)
from tests.claims.sentences import DOCS, read

NAME = "freeze_and_fine_tune"
PAGE = read(NAME)
BLOCKS = {block.name: block for block in PAGE.blocks}
SOURCE = (DOCS / f"{NAME}.md").read_text("utf-8")
HEADINGS = re.findall(r"(?m)^##+ (.+)$", SOURCE)
ALL_X, OLD_Y, NEW_Y = make_tasks()
NOISE = tf.random.stateless_normal([20, 1], seed=(0, 0))
X, Y = ALL_X[5::10], NEW_Y[5::10] + NOISE
FEW_X, FEW_Y = (np.asarray(values, "d") for values in (X, Y))
LINE_X, LINE_Y = (values[:200, tf.newaxis] for values in make_data())
BATCHES = [(LINE_X[n::20], LINE_Y[n::20]) for n in range(20)]
SGD, Adam = tf.keras.optimizers.SGD, tf.keras.optimizers.Adam
layers = tf.keras.layers

Names = dict[str, Any]
pytestmark = pytest.mark.usefixtures("graphs_as_they_are")


def last(section: str) -> list[float]:
    """Return the last number of each line that a block prints."""
    found = map(numbers, printed(NAME, section).split("\n"))
    return [row[-1] for row in found if row]


def built(kind: Any = SGD, rate: Any = 0.01, **options: Any) -> Any:
    """Return a model, its base, and an optimizer that knows all of it."""
    model, optimizer = make_model(), kind(rate, **options)
    optimizer.build(model.trainable_variables)
    return model, model.get_layer("base"), optimizer


def plain(step: Any) -> Any:
    """Return the step as Python, where nothing depends on its graph."""
    return step.python_function


def line(rate: Any = 0.1, **options: Any) -> Any:
    """Return a line, its optimizer and a step of the two."""
    model, optimizer = KerasLinearModel(), SGD(rate, **options)
    return model, optimizer, make_step(model, optimizer)


def gradients_of(model: Any, x: Any = X, y: Any = Y) -> list[np.ndarray]:
    with tf.GradientTape() as tape:
        current_loss = loss(y, model(x, training=True))
    found = tape.gradient(current_loss, model.trainable_variables)
    return [gradient.numpy() for gradient in found]


@pytest.fixture(scope="module")
def going_on() -> Names:
    """A base that goes on learning, and the numbers that were printed."""
    return ran(NAME, "go_on", x=X, y=Y)


# The network again, in NumPy.


def descent(weights: list[Any], x: Any, y: Any) -> tuple[float, list[Any]]:
    """Return the loss, and the gradients."""
    kernel, bias, head, shift = weights
    features = np.tanh(x @ kernel + bias)
    error = features @ head + shift - y
    slope = 2 * error / len(x)
    back = slope @ head.T * (1 - features**2)
    found = [x.T @ back, back.sum(0), features.T @ slope, slope.sum(0)]
    return float(np.mean(error**2)), found


def by_adam(
    weights: list[Any], rate: float, updates: int, *parts: int
) -> tuple[list[Any], list[float]]:
    """Return the weights after updates of some parts, and the losses."""
    weights, losses = [*weights], []
    first, second = [0.0] * 4, [0.0] * 4
    for t in range(1, updates + 1):
        value, found = descent(weights, FEW_X, FEW_Y)
        losses.append(value)
        step = rate * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        for i in parts:
            first[i] += 0.1 * (found[i] - first[i])
            second[i] += 0.001 * (found[i] ** 2 - second[i])
            change = first[i] / (np.sqrt(second[i]) + 1e-7)
            weights[i] = weights[i] - step * change
    return weights, losses


def on_the_test(weights: list[Any]) -> float:
    return descent(weights, *(np.asarray(v, "d") for v in (ALL_X, NEW_Y)))[0]


@pytest.fixture(scope="module")
def phases() -> Names:
    """Weights and losses of all that is trained on the new task."""
    start = [w.astype("d") for w in make_model().get_weights()]
    old, speeds = start, [0.0] * 4
    x, y = (np.asarray(values, "d") for values in (ALL_X, OLD_Y))
    for _ in range(200):
        found = descent(old, x, y)[1]
        speeds = [
            0.9 * v - 0.1 * g for v, g in zip(speeds, found, strict=True)
        ]
        old = [w + v for w, v in zip(old, speeds, strict=True)]
    every, names = range(4), Names(old_weights=old)
    names["scratch"], _ = by_adam(start, 0.1, 160, *every)
    names["at_once"], _ = by_adam(old, 0.1, 160, *every)
    head, names["head_history"] = by_adam(old, 0.1, 80, 2, 3)
    both = {rate: by_adam(head, rate, 80, *every) for rate in (0.1, 0.002)}
    names["histories"] = {rate: losses for rate, (_, losses) in both.items()}
    ends = {rate: weights for rate, (weights, _) in both.items()}
    return names | {"head_weights": head, "ends": ends}


# The page


@says("What fails silently, and each mend.")
@says("Much of that can go wrong without an error.")
def test_what_fails_silently_has_a_mend() -> None:
    wrong = [b for b in PAGE.blocks if b.options.get("title") == "Looks right"]
    names = [b.name for b in wrong]
    assert names == [
        *("go_on", "half_frozen", "called_so", "behind", "not_dropped"),
        *(
            "scaled_twice",
            "unused_head",
            "ema_unseen",
            "swa",
            "ema_wrong_list",
            "decay_number",
            "late_schedule",
        ),
    ]
    for block in wrong:
        assert "raises" not in block.options
        assert not re.search("(?i)error|warning", printed(NAME, block.name))
    mended = {b.name for b in PAGE.blocks if "Mended" in str(b.options)}
    assert mended == {
        *("stay", "wholly_frozen", "caught_up", "dropped", "replaced_head"),
        *("ema_seen", "refreshed", "ema_right_list", "decay_variable"),
    }
    # The last one is mended in its own last line.
    assert last("late_schedule")[2] == 0


@says(
    "Freeze layers, fine-tune with two learning rates, average "
    "weights, decay all but biases, set the rate."
)
@says(
    "When you have read this page you can freeze a layer and see that "
    "it stays frozen, unfreeze it, train two parts at two rates, "
    "average the weights, keep weight decay off the biases, and set "
    "the learning rate in a loop."
)
def test_what_the_page_teaches() -> None:
    words = ["frozen layer", "Unknown variable", "Different learning rates"]
    words += ["moving average of the weights", "No weight decay on biases"]
    words += ["learning-rate scheduler in a custom loop"]
    places = [
        next(n for n, title in enumerate(HEADINGS) if word in title)
        for word in words
    ]
    assert places == sorted(places)
    assert "assert movement(base, step, x, y) == 0" in BLOCKS["stay"].code


@says(
    "You need a loop with an optimizer and a compiled step, as in "
    "[the loop with the usual "
    "parts](usual_parts.md#an-optimizer-and-a-compiled-step)."
)
@says("The step is that of the usual parts.")
@says("The highlighted line will matter.")
@says(
    "The step, metrics and validation around it: [The loop with the "
    "usual parts](usual_parts.md)."
)
def test_the_usual_parts_have_the_step() -> None:
    other = read("usual_parts")
    text = (DOCS / "usual_parts.md").read_text("utf-8")
    blocks = {block.name: block.code for block in other.blocks}
    assert blocks["make_step"] == BLOCKS["make_step"].code
    assert "\n## An optimizer, and a compiled step\n" in text
    assert "tf.function(" in blocks["make_step"]
    for heading in ("Metrics", "A validation split"):
        assert re.search(rf"(?m)^## {heading}", text)
    [matters] = highlighted(BLOCKS["make_step"])
    assert matters == "variables = model.trainable_variables"


@says("More that fails without an error: [Silent failures](traps.md).")
def test_more_that_fails_without_an_error() -> None:
    text = (DOCS / "traps.md").read_text("utf-8")
    traps = re.findall(r"(?m)^## \d+\. (.+)$", text)
    assert len(traps) > 10
    assert "A layer frozen too late" in traps
    assert "# Silent failures" in text
    wrong = [
        b
        for b in read("traps").blocks
        if b.options.get("title") == "Looks right"
    ]
    assert len(wrong) > 10
    assert sum("raises" in block.options for block in wrong) == 0


@says("All blocks above, in order, as one file.")
@says("It needs TensorFlow and Matplotlib.")
@says(
    "The imports, three colours, and the type of a step: a function "
    "of the inputs and outputs of a batch."
)
def test_all_blocks_ran_with_what_the_page_names() -> None:
    blocks = [name.rpartition(":")[2] for name in record(NAME)]
    assert [n for n in blocks if n in BLOCKS] == [b.name for b in PAGE.blocks]
    first = PAGE.blocks[0].code
    modules = imported(PAGE)
    assert modules - {"collections"} == {"tensorflow", "matplotlib"}
    assert sum("import " in b.code for b in PAGE.blocks) == 1
    assert "import " in first
    assert len(re.findall(r'"#\w{6}"', first)) == 3
    assert "Step = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]" in first
    step: Any = make_step(*built()[::2])
    parameters = inspect.signature(step.python_function).parameters
    assert [*parameters] == ["x", "y"]


# What it works with


@says("The old task is a wave.")
@says(
    "The new one is a wave three times as high, two higher up, and a "
    "little faster."
)
@says("Return x, the old wave and the new wave, each a column of 201 rows.")
def test_the_tasks() -> None:
    x, old, new = (np.asarray(part, np.float64) for part in make_tasks())
    assert x.shape == old.shape == new.shape == (201, 1)
    tops = [float(wave.max()) for wave in (old, new)]
    lows = [float(wave.min()) for wave in (old, new)]
    heights = [top - low for top, low in zip(tops, lows, strict=True)]
    assert heights[1] == pytest.approx(3 * heights[0], rel=1e-3)
    middles = [(top + low) / 2 for top, low in zip(tops, lows, strict=True)]
    assert middles == pytest.approx([0, 2], abs=1e-2)
    # From its lowest to its highest point, the new wave takes less time.
    paces = [
        abs(float(x[wave.argmax(), 0] - x[wave.argmin(), 0]))
        for wave in (old, new)
    ]
    assert 0.8 < paces[1] / paces[0] < 0.95


@says("The model has two layers.")
@says("The *base* makes eight features of `x`, the *head* adds them up.")
@says("Return a model of two layers, a base and a head.")
def test_the_model() -> None:
    model = make_model()
    assert [layer.name for layer in model.layers] == ["base", "head"]
    base, head = model.layers
    features = base(X)
    assert features.shape == (20, 8)
    weights, bias = head.get_weights()
    added = features.numpy() @ weights + bias
    np.testing.assert_allclose(model(X), added, atol=1e-5)


@says(
    "The base knows much and should change slowly, the head is to learn fast."
)
@says("Of the new one there are only twenty rows, with noise.")
@says("Twenty noisy rows, and a model that knows a similar wave.")
@says("The test is the new wave itself, without noise.")
def test_twenty_noisy_rows(phases: Names) -> None:
    assert X.shape == Y.shape == (20, 1)
    code = BLOCKS["pretrain"].code
    assert "x, y = all_x[5::10], new_y[5::10] + noise" in code
    assert "all_x, old_y, new_y = make_tasks()" in code
    assert "for _ in range(200):\n    step(all_x, old_y)" in code
    assert "SGD(0.1, momentum=0.9)" in code
    assert 0.5 < float(tf.math.reduce_std(NOISE)) < 1.5
    model = make_model()
    model.set_weights(phases["old_weights"])
    old, new = (float(loss(y, model(ALL_X))) for y in (OLD_Y, NEW_Y))
    assert old < 0.01
    assert [old, new] == pytest.approx(
        [
            row[0]
            for row in map(numbers, printed(NAME, "pretrain").split("\n"))
        ],
        abs=0.006,
    )
    for name in ("at_once", "two_phases"):
        assert "loss(new_y, model(all_x))" in BLOCKS[name].code


@says(
    "It takes a step and says how far that moved a layer: zero, if "
    "the layer is frozen."
)
@says("Take a step; return how far it moved any weight of the layer.")
def test_movement() -> None:
    model, base, optimizer = built()
    head = model.get_layer("head")
    base.trainable = False
    step = plain(make_step(model, optimizer))
    before = head.get_weights()
    far = movement(head, step, X, Y)
    differences = [
        abs(new - old).max()
        for new, old in zip(head.get_weights(), before, strict=True)
    ]
    assert far == pytest.approx(float(max(differences)))
    assert far > 0.001
    assert int(optimizer.iterations) == 1
    assert movement(base, step, X, Y) == 0


# A frozen layer that goes on learning


@says("`trainable = False` not working: a frozen layer goes on learning")
@says(
    "`trainable = False` not working | [Frozen "
    "layers](#trainable-false-not-working-a-frozen-layer-goes-on-learning)"
)
@says("Keras says that only the head is trainable.")
@says("The base moved all the same.")
@says(
    "The compiled step asked for `model.trainable_variables` once, "
    "when it was traced, and its graph has kept that list."
)
@says("`layer.trainable` | keeps the old list of variables | a new step")
def test_a_frozen_layer_goes_on_learning(going_on: Names) -> None:
    model, base, step = (going_on[n] for n in ("model", "base", "step"))
    assert printed(NAME, "go_on").startswith(
        "trainable: ['model/head/kernel', 'model/head/bias']\nbase moved by"
    )
    assert last("go_on")[0] > 0.001
    assert [*model.trainable_variables] == [*model.get_layer("head").variables]
    assert movement(base, step, X, Y) > 0.001

    class Counting(tf.keras.Sequential):
        asked = 0

        @property
        def trainable_variables(self) -> Any:
            Counting.asked += not tf.executing_eagerly()
            return super().trainable_variables

    counted = Counting([tf.keras.Input((1,)), layers.Dense(1)])
    counting = make_step(counted, SGD(0.01))
    counting(X, Y)
    once = Counting.asked
    for _ in range(3):
        counting(X, Y)
    assert Counting.asked == once > 0
    assert movement(base, plain(make_step(model, SGD(0.01))), X, Y) == 0


@says(
    "A batch of a new shape is traced anew, and this time the list is short."
)
@says("So a smaller last batch may freeze what the full batches train.")
@says(
    "And run eagerly, as one does to look for the fault, the step "
    "freezes the layer as it should."
)
def test_it_gets_stranger() -> None:
    smaller, eager, before = last("sometimes")
    assert smaller == eager == 0
    assert before > 0.001
    model, base, optimizer = built()
    step: Any = make_step(model, optimizer)
    step(X, Y)
    base.trainable = False
    assert step.experimental_get_tracing_count() == 1
    moved = [
        movement(base, step, x, y)
        for x, y in tf.data.Dataset.from_tensor_slices((X, Y)).batch(20)
    ]
    assert moved[0] > 0.001
    assert movement(base, step, X[:15], Y[:15]) == 0
    assert step.experimental_get_tracing_count() == 2
    assert movement(base, step, X, Y) > 0.001
    assert movement(base, step.python_function, X, Y) == 0


@says("Make a new step whenever `trainable` has changed.")
@says("The optimizer stays.")
@says("**The check** is the last line: a step moves nothing that is frozen.")
def test_a_new_step_freezes(going_on: Names) -> None:
    assert last("stay") == [0]
    code = BLOCKS["stay"].code.rstrip().split("\n")
    assert code[-1] == "assert movement(base, step, x, y) == 0"
    assert sum("optimizers.SGD(" in row for row in code) == 1
    [again] = highlighted(BLOCKS["stay"])
    assert again == "step = make_step(model, optimizer)"
    model, base, optimizer = built()
    step = make_step(model, optimizer)
    step(X, Y)
    base.trainable = False
    assert movement(base, step, X, Y) > 0.001
    step = make_step(model, optimizer)
    assert movement(base, step, X, Y) == 0
    assert movement(model, step, X, Y) > 0.001
    check = compile(code[-1], "check", "exec")
    names = {**going_on, "movement": movement, "x": X, "y": Y}
    with pytest.raises(AssertionError):
        exec(check, names)


@says(
    "The other direction is just as silent: a step that was first "
    "called while the layer was frozen leaves it as it is when it is "
    "trainable again."
)
def test_the_other_direction() -> None:
    model, base, optimizer = built()
    base.trainable = False
    step = make_step(model, optimizer)
    step(X, Y)
    base.trainable = True
    with warnings.catch_warnings(action="error"):
        assert movement(base, step, X, Y) == 0
    assert movement(base, make_step(model, optimizer), X, Y) > 0.001


@says(
    "Nor does it help to hand `model.trainable_variables` to the "
    "compiled step as an argument."
)
@says(
    "The variables of Keras arrive as tensors, and the optimizer "
    "raises `AttributeError: 'SymbolicTensor' object has no attribute "
    "'_unique_id'`."
)
def test_the_list_as_an_argument() -> None:
    model, _, optimizer = built()
    seen: list[Any] = []

    @tf.function
    def step(x: tf.Tensor, y: tf.Tensor, variables: list[Any]) -> None:
        with tf.GradientTape() as tape:
            current_loss = loss(y, model(x))
        seen.extend(variables)
        gradients = tape.gradient(current_loss, model.trainable_variables)
        optimizer.apply(gradients, variables)

    said = "'SymbolicTensor' object has no attribute '_unique_id'"
    with pytest.raises(AttributeError, match=said):
        step(X, Y, model.trainable_variables)
    assert len(seen) == 4
    assert all(tf.is_tensor(v) for v in seen)
    assert not any(isinstance(v, tf.keras.Variable) for v in seen)


@says(
    "`fit` keeps its compiled step, too, with all graphs that it has traced, "
    "until you call `compile`."
)
@says("Train one epoch by Keras.")
@says(
    "So call `compile` after every change of `trainable`, with a new "
    "optimizer or with one that knows [all "
    "variables](#valueerror-unknown-variable)."
)
@says("For `fit`, a new step is a new `compile`.")
def test_fit_keeps_its_step() -> None:
    frozen, again = last("fit")
    assert frozen > 0.001
    assert again == 0
    model, base, optimizer = built()
    model.compile(optimizer, loss="mse")

    def fit(x: tf.Tensor, y: tf.Tensor) -> None:
        model.fit(x, y, batch_size=len(x), verbose=0)

    fit(X, Y)
    base.trainable = False
    assert movement(base, fit, X, Y) > 0.001
    assert movement(base, fit, X[:15], Y[:15]) == 0
    assert movement(base, fit, X, Y) > 0.001
    # One graph has served several sizes of batch since, and is kept, too.
    base.trainable = True
    assert movement(base, fit, X[:12], Y[:12]) == 0
    base.trainable = False
    for new in (optimizer, SGD(0.01)):
        model.compile(new, "mse")
        assert movement(base, fit, X, Y) == 0
    # An epoch of the page's function is one batch of its twenty rows.
    assert int(model.optimizer.iterations) == 1


@says("not enough values to unpack (expected 2, got 0)")
@says(
    "`not enough values to unpack (expected 2, got 0)` | [All "
    "frozen](#not-enough-values-to-unpack-expected-2-got-0)"
)
@says(
    "A model with `trainable = False` has no trainable variables, "
    "whatever its layers say, and `zip` has nothing to unpack."
)
@says(
    "`optimizer.apply(gradients, variables)` does not even raise: of "
    "an empty list it updates nothing, in silence."
)
@says("Say of each layer what it is to be.")
def test_all_frozen() -> None:
    model = make_model()
    model.trainable = False
    for layer in model.layers:
        layer.trainable = True
    assert model.trainable_variables == []
    said = re.escape("not enough values to unpack (expected 2, got 0)")
    with pytest.raises(ValueError, match=said):
        make_step(model, SGD(0.01))(X, Y)
    assert re.search(f"ValueError: {said}", printed(NAME, "all_frozen"))
    before = model.get_weights()
    with warnings.catch_warnings(action="error"):
        SGD(0.01).apply([], model.trainable_variables)
    for new, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(new, old)
    model = ran(NAME, "head_only")["model"]
    assert [v.path for v in model.trainable_variables] == [
        f"model/head/{name}" for name in ("kernel", "bias")
    ]


# Unknown variable


@says(
    "`ValueError: Unknown variable` | [Unknown "
    "variable](#valueerror-unknown-variable)"
)
@says("An optimizer is built once, for the variables that are trainable then.")
@says("When ours was built, the base was frozen.")
@says("The same happens with `SGD`, and in `fit`.")
def test_unknown_variables() -> None:
    assert "ValueError: Unknown variable" in printed(NAME, "unknown")
    code = BLOCKS["unknown"].code
    assert code.index("base.trainable = False") < code.index("make_step(")
    model, base, optimizer = built(SGD)
    base.trainable = False
    optimizer = SGD(0.01)
    plain(make_step(model, optimizer))(X, Y)
    base.trainable = True
    with pytest.raises(ValueError, match=r"Unknown variable.*base/kernel"):
        make_step(model, optimizer)(X, Y)  # which calls `build` once more
    model.compile(optimizer, loss="mse")
    with pytest.raises(ValueError, match=r"Unknown variable.*base/kernel"):
        model.fit(X, Y, verbose=0)


@says(
    "Adam keeps two averages for each of them, of its gradients and "
    "of their squares."
)
def test_two_averages() -> None:
    model, _, optimizer = built(Adam)
    [gradient, *_] = gradients_of(model)
    plain(make_step(model, optimizer))(X, Y)
    kept = {v.path.partition("/")[2]: v.numpy() for v in optimizer.variables}
    own = [n for n in kept if "model_base_kernel" in n]
    assert len(own) == 2
    assert len([n for n in kept if "model_" in n]) == 2 * 4
    first, second = (kept[n] for n in own)
    np.testing.assert_allclose(first, 0.1 * gradient, rtol=1e-3)
    np.testing.assert_allclose(second, 0.001 * gradient**2, rtol=1e-3)


@says("Build it while all variables are trainable, and freeze afterwards.")
@says("Or make a new optimizer after unfreezing.")
@says("It costs the averages that the old one had gathered for the head.")
@says(
    "Keeping the old one has a price as well, which [exercise "
    "2](#exercises) measures."
)
def test_known_variables() -> None:
    frozen, unfrozen = last("known")
    assert frozen == 0 < unfrozen
    model, base, optimizer = built(Adam)
    base.trainable = False
    step = plain(make_step(model, optimizer))
    for _ in range(3):
        step(X, Y)
    base.trainable = True
    step = plain(make_step(model, optimizer))
    assert movement(base, step, X, Y) > 0.001
    new = Adam(0.01)
    new.build(model.trainable_variables)

    def averages(of: Any) -> float:
        return float(
            max(
                abs(v.numpy()).max()
                for v in of.variables
                if "model_head" in v.path
            )
        )

    assert averages(optimizer) > 0.1
    assert averages(new) == 0
    assert movement(base, plain(make_step(model, new)), X, Y) > 0.001
    shown = printed(NAME, "first_update").split("\n")
    (_, new_one), (_, old_one) = map(numbers, shown)
    assert old_one > 2 * new_one


# Batch normalisation


@says("Frozen BatchNormalization still moves")
@says(
    "A frozen layer's outputs change | "
    "[BatchNormalization](#frozen-batchnormalization-still-moves)"
)
@says(
    "A batch normalisation has weights that gradients do not train: "
    "the moving averages of mean and variance."
)
@says("Here is a base that is nothing else.")
@says("Return a model whose base is a batch normalisation.")
@says(
    "A step that leaves the base out of its list of variables freezes "
    "it only in part."
)
@says("Return a step that updates the head and leaves out the base.")
def test_half_frozen() -> None:
    model = make_normed()
    base, head = model.layers
    assert type(base) is layers.BatchNormalization
    names = [v.name for v in base.non_trainable_variables]
    assert names == ["moving_mean", "moving_variance"]
    assert last("half_frozen")[0] > 0.01
    optimizer = SGD(0.1)
    step = plain(make_head_step(model, optimizer))
    before, outputs = base.get_weights(), base(X).numpy()
    expected = gradients_of(model, X + 1)[2:]
    base.set_weights(before)
    old = head.get_weights()
    step(X + 1, Y)
    same = [
        np.array_equal(new, kept)
        for new, kept in zip(base.get_weights(), before, strict=True)
    ]
    assert same == [True, True, False, False]
    assert abs(base(X).numpy() - outputs).max() > 0.05
    for new, kept, gradient in zip(
        head.get_weights(), old, expected, strict=True
    ):
        np.testing.assert_allclose(new, kept - 0.1 * gradient, atol=1e-4)


@says(
    "The averages move, and the batch is normalised by itself, only "
    "if both are true."
)
@says(
    "With `trainable = False` the layer stays in inference mode, even "
    "under `training=True`."
)
@says("It is the flag that does it.")
@says(
    "That is a rule of batch normalisation; a frozen dropout layer "
    "still drops."
)
def test_the_flag() -> None:
    assert "x + 1" in BLOCKS["modes"].code
    assert float(tf.reduce_mean(X + 1)) == pytest.approx(1, abs=1e-5)
    for trainable in (True, False):
        for training in (True, False):
            base = layers.BatchNormalization(momentum=0.9)
            base.build((None, 1))
            base.trainable = trainable
            mean = float(tf.reduce_mean(base(X + 1, training=training)))
            both = trainable and training
            assert mean == pytest.approx(0 if both else 1, abs=1e-3)
            moved = base.moving_mean.numpy().item()
            assert moved == pytest.approx(0.1 if both else 0, abs=1e-5)
    shown = [numbers(row) for row in printed(NAME, "modes").split("\n")]
    assert shown == [[0.0, 0.1], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]
    dropout = layers.Dropout(0.5, seed=1)
    dropout.trainable = False
    outputs = dropout(tf.ones((100, 1)), training=True).numpy()
    assert {*outputs.ravel().tolist()} == {0.0, 2.0}


@says(
    "Nor is it enough to call the base with `training=False` when a "
    "functional model is built, as older guides have it."
)
@says(
    "In Keras 3 the `training=True` of the whole model [overrides "
    "it](https://github.com/keras-team/keras/issues/20285)."
)
@says("(In the `call` of a class of your own, `training=False` does hold.)")
def test_training_false() -> None:
    assert last("called_so")[0] > 0.01
    assert "base(inputs, training=False)" in BLOCKS["called_so"].code
    base = layers.BatchNormalization(momentum=0.9)
    inputs = tf.keras.Input((1,))
    model = tf.keras.Model(inputs, base(inputs, training=False))
    model(X + 1, training=True)
    assert base.moving_mean.numpy().item() == pytest.approx(0.1, abs=1e-5)

    class Own(tf.keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.base = layers.BatchNormalization(momentum=0.9)

        def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
            return self.base(x, training=False)

    own = Own()
    own(X + 1, training=True)
    assert own.base.moving_mean.numpy().item() == 0


def spread(predict: Any) -> float:
    """Return how far apart ten predictions of the same rows lie."""
    draws = np.stack([np.asarray(predict(X), "d") for _ in range(10)])
    return float(draws.std(axis=0).mean())


@says("Monte Carlo dropout: `training=True` drops nothing in `predict`")
@says(
    "With dropout in predictions, too, each prediction of a row is another "
    "one, and their spread is taken as a measure of uncertainty."
)
@says(
    "`predict` calls the model with `training=False`, and here, too, what the "
    "whole model is told overrides what the layer was told."
)
@says(
    "So do `evaluate` and `model(x, training=False)`; no prediction has a "
    "spread, and nothing says so."
)
@says("Print how far apart 100 predictions of the same rows lie.")
@says("Return the model of two layers with dropout between them.")
@says(
    "`Dropout` drops nothing in `predict` | [Monte Carlo "
    "dropout](#monte-carlo-dropout-trainingtrue-drops-nothing-in-predict)"
)
def test_dropout_that_drops_nothing() -> None:
    assert last("not_dropped")[0] > 0.1
    assert last("not_dropped")[1] == 0
    dropout = layers.Dropout(0.5)
    model = make_dropping(dropout, training=True)
    assert [layer.name for layer in model.layers[1:]] == [
        *("base", dropout.name, "head")
    ]
    model.compile(SGD(0.0), "mse")
    assert spread(model) > 0.1
    assert spread(lambda x: model(x, training=True)) > 0.1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert spread(model.predict_on_batch) == 0
        assert spread(lambda x: model.predict(x, verbose=0)) == 0
        assert spread(lambda x: model(x, training=False)) == 0
    assert len({model.test_on_batch(X, Y) for _ in range(5)}) == 1
    told: list[Any] = []

    class Told(tf.keras.Model):
        def call(self, x: tf.Tensor, training: Any = None) -> tf.Tensor:
            told.append(training)
            return x

    Told().predict(X, verbose=0)
    assert {*told} == {False}


@says(
    "`model(x, training=True)` does drop, but then a batch normalisation "
    "takes the averages of the batch, and its own move."
)
@says("Drops in predictions, too, whatever the model is told.")
@says("Return x, a part of it dropped.")
@says("A layer that does not listen is better.")
def test_a_dropout_that_does_not_listen() -> None:
    model = make_dropping(AlwaysDropout(0.5))
    model.compile(SGD(0.0), "mse")
    for predict in (model, model.predict_on_batch, tf.function(model)):
        assert spread(predict) > 0.1
    for training in (False, True):
        assert spread(lambda x, t=training: model(x, training=t)) > 0.1
    outputs = AlwaysDropout(0.5, seed=1)(tf.ones((100, 1)), training=False)
    assert {*outputs.numpy().ravel().tolist()} == {0.0, 2.0}
    for dropout, flag, moves in (
        (layers.Dropout(0.5), True, True),
        (AlwaysDropout(0.5), False, False),
    ):
        norm = layers.BatchNormalization()
        model = tf.keras.Sequential([tf.keras.Input((1,)), norm, dropout])
        of_all = model(X + 5, training=flag).numpy()
        assert (norm.moving_mean.numpy().item() != 0) == moves
        kept = of_all[of_all != 0] / 2
        by_averages = ((X + 5) / np.sqrt(1.001)).numpy()[of_all != 0]
        assert np.allclose(kept, by_averages, atol=1e-4) != moves


@says("Its `val_loss` has dropout in it as well.")
@says(
    "To load such a model from a file, Keras has to [know the class]"
    "(save_and_resume.md#could-not-locate-function-my_loss)."
)
@says(
    "In the `call` of a model of your own, `self.dropout(x, training=True)` "
    "does hold."
)
@says("**The check** is the last line: every row has a spread.")
def test_what_dropout_in_predictions_brings(tmp_path: Path) -> None:
    model = make_dropping(AlwaysDropout(0.5))
    model.compile(SGD(0.0), "mse")
    fit = model.fit(X, Y, validation_data=(X, Y), epochs=4, verbose=0)
    assert len({*fit.history["val_loss"]}) == 4
    path = tmp_path / "model.keras"
    model.save(path)
    with pytest.raises(TypeError, match=r"(?s)not.*locate class 'AlwaysDrop"):
        tf.keras.models.load_model(path)
    known = {"AlwaysDropout": AlwaysDropout}
    loaded = tf.keras.models.load_model(path, custom_objects=known)
    assert spread(loaded.predict_on_batch) > 0.1

    class Own(tf.keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dropout = layers.Dropout(0.5)

        def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
            return self.dropout(x, training=True)

    own = Own()
    assert spread(own.predict_on_batch) > 0.1
    assert spread(lambda x: own(x, training=False)) > 0.1
    assert min(last("dropped")) > 0.1
    check = BLOCKS["dropped"].code.rstrip().split("\n")[-1]
    assert check == "assert tf.reduce_all(spread > 0)"


APPLICATIONS = tf.keras.applications
PIXELS = np.array([[[[0.0, 128.0, 255.0]]]], np.float32)


def prepared(module: str) -> np.ndarray:
    """Return what `preprocess_input` of a module makes of the pixels."""
    found = getattr(APPLICATIONS, module).preprocess_input(PIXELS.copy())
    return np.asarray(found)


@says("EfficientNet, `preprocess_input` and a base that is scaled twice")
@says("`preprocess_input` does nothing | [Scaled twice] … scaled-twice)")
@says(
    "One pretrained base wants pixels from 0 to 255, another wants them "
    "scaled."
)
@says("Its first layers tell; `weights=None` spares the download.")
@says(
    "`EfficientNetB0` scales by itself, so its `preprocess_input` does "
    "nothing."
)
@says("Scale the pixels before it, and they are scaled twice.")
@says(
    "To the layers behind it such a picture is black nearly all over, and "
    "nothing says so."
)
def test_a_base_that_is_scaled_twice() -> None:
    efficient, mobile = printed(NAME, "first_layers").split("\n")
    assert "InputLayer Rescaling Normalization" in efficient
    assert mobile == "MobileNetV2: InputLayer Conv2D BatchNormalization ReLU"
    rows = [numbers(row) for row in printed(NAME, "scaled_twice").split("\n")]
    unchanged, once, twice, (_, *mobile_row) = rows
    assert unchanged == PIXELS.ravel().tolist()
    assert once == pytest.approx(PIXELS.ravel() / 255, abs=1e-4)
    assert twice == pytest.approx(PIXELS.ravel() / 255**2, abs=1e-4)
    assert max(twice) < 0.004
    assert mobile_row == pytest.approx(PIXELS.ravel() / 127.5 - 1, abs=1e-4)
    np.testing.assert_array_equal(prepared("efficientnet"), PIXELS)


@says(
    "EfficientNetV2, MobileNetV3 and ConvNeXt scale by themselves, too, "
    "unless they are made with `include_preprocessing=False`."
)
@says(
    "ResNet, VGG, Xception, DenseNet, Inception and MobileNetV2 leave it to "
    "their `preprocess_input`, and not all scale alike: take that of the "
    "base's own module."
)
@says(
    "It changes a NumPy array of floats in place, so a second call scales it "
    "again."
)
@says(
    "**The check** is the first layers of the base, and the range of a batch "
    "before them."
)
def test_which_bases_scale_by_themselves() -> None:
    scaling = (layers.Rescaling, layers.Normalization)
    small: Names = {"weights": None, "include_top": False}
    small["input_shape"] = (32, 32, 3)
    for given in (True, False):
        base = APPLICATIONS.MobileNetV3Small(
            **small, include_preprocessing=given
        )
        assert isinstance(base.layers[1], scaling) == given
    for module, kind in (
        ("efficientnet_v2", "EfficientNetV2B0"),
        ("mobilenet_v3", "MobileNetV3Large"),
        ("convnext", "ConvNeXtTiny"),
    ):
        np.testing.assert_array_equal(prepared(module), PIXELS)
        made = inspect.signature(getattr(APPLICATIONS, kind))
        assert made.parameters["include_preprocessing"].default is True
    minus_one = PIXELS / 127.5 - 1
    for module in ("xception", "inception_v3", "mobilenet_v2", "resnet_v2"):
        assert prepared(module) == pytest.approx(minus_one, abs=1e-5)
    for module in ("resnet50", "vgg16", "vgg19", "densenet"):
        assert abs(prepared(module) - minus_one).max() > 0.5
        assert abs(prepared(module) - PIXELS).max() > 0.5
    pixels = PIXELS.copy()
    for _ in range(2):
        before = pixels.copy()
        APPLICATIONS.mobilenet_v2.preprocess_input(pixels)
        assert pixels == pytest.approx(before / 127.5 - 1, abs=1e-5)


@says("Set the flag, before the step is first called.")
@says(
    "**The check** looks at all weights of the layer, the moving averages too."
)
@says("`trainable` of a batch normalisation | keeps the old mode | a new step")
def test_the_flag_before_the_first_call() -> None:
    assert last("wholly_frozen") == [0]
    model, optimizer = make_normed(), SGD(0.01)
    base = model.get_layer("base")
    step = make_head_step(model, optimizer)
    step(X + 1, Y)
    base.trainable = False
    # Only the moving averages move; the check, `movement`, sees it.
    assert movement(base, step, X + 1, Y) > 0.001
    assert not base.trainable_variables
    step = plain(make_head_step(model, optimizer))
    assert movement(base, step, X + 1, Y) == 0
    code = BLOCKS["wholly_frozen"].code.rstrip()
    assert code.endswith("assert movement(base, step, x + 1, y) == 0")
    assert len(base.get_weights()) == 4


@says(
    "Unfreeze such a base for fine-tuning, and its averages, gathered "
    "from all of the old data, begin to move to the few rows of the "
    "new."
)
@says(
    "This function does so for the layers of a model, but not for "
    "layers within its layers."
)
@says("Make all layers trainable but those of batch normalisation.")
@says(
    "Without the highlighted line a model that was frozen as a whole stays "
    "frozen, [whatever its layers say](#not-enough-values-to-unpack-expected-"
    "2-got-0)."
)
def test_unfreeze() -> None:
    assert highlighted(BLOCKS["unfreeze"]) == ["model.trainable = True"]
    whole = make_normed()
    whole.trainable = False
    for layer in whole.layers:
        layer.trainable = layer.name == "head"
    assert whole.trainable_variables == []
    unfreeze(whole)
    paths = [v.path.split("/")[-2:] for v in whole.trainable_variables]
    assert paths == [["head", "kernel"], ["head", "bias"]]
    model = make_normed()
    base = model.get_layer("base")
    for _ in range(5):
        model(ALL_X, training=True)
    base.trainable = False
    model(X[:5], training=True)
    gathered = base.moving_mean.numpy().item()
    assert gathered == pytest.approx(0, abs=0.01)
    base.trainable = True
    model(X[:5], training=True)
    few = float(tf.reduce_mean(X[:5]))
    assert base.moving_mean.numpy().item() == pytest.approx(
        0.9 * gathered + 0.1 * few, abs=1e-3
    )

    outer = tf.keras.Sequential(
        [tf.keras.Input((1,)), make_normed(), layers.BatchNormalization()]
    )
    outer.trainable = False
    unfreeze(outer)
    inner, normalisation = outer.layers
    assert not normalisation.trainable
    assert inner.trainable
    assert inner.get_layer("base").trainable
    unfreeze(inner)
    assert [layer.trainable for layer in inner.layers] == [False, True]


# Averages that are behind


HIGH_X = ALL_X + 10


def normalising(steps: int, **options: float) -> tuple[Any, Any]:
    """Return a model after steps on high inputs, and its normalisation."""
    model = make_normalising(**options)
    step = make_step(model, Adam(0.05))
    for _ in range(steps):
        step(HIGH_X, OLD_Y)
    return model, model.get_layer("first")


@pytest.fixture(scope="module")
def behind() -> tuple[Any, list[np.ndarray]]:
    """A model after a hundred steps, and its weights then."""
    model, _ = normalising(100)
    return model, model.get_weights()


def in_use(model: Any) -> float:
    return float(loss(OLD_Y, model(HIGH_X, training=False)))


@says("BatchNormalization: training loss good, validation loss bad")
@says(
    "A loss that is good with `training=True` alone | [Averages "
    "behind](#batchnormalization-training-loss-good-validation-loss-bad)"
)
@says("The moving averages begin at a mean of 0 and a variance of 1.")
@says(
    "A call in training takes them a hundredth of the way to those of the "
    "batch, unless `momentum` says otherwise."
)
@says(
    "and of what they had to go, `#!math n` steps leave `#!math 0.99^n`. "
    "After 100 they have come {{ 100 * (1 - 0.99**100):.0f }} %."
)
@says("Return the model of two layers behind a normalisation of its inputs.")
@pytest.mark.parametrize(("momentum", "steps"), [(0.99, 1), (0.9, 7)])
def test_how_far_the_averages_have_come(
    momentum: float, steps: int, behind: tuple[Any, list[np.ndarray]]
) -> None:
    fresh = layers.BatchNormalization()
    assert fresh.momentum == 0.99
    fresh.build((None, 1))
    assert fresh.moving_mean.numpy() == [0]
    assert fresh.moving_variance.numpy() == [1]
    mean, variance = np.mean(HIGH_X, dtype="d"), np.var(HIGH_X, dtype="d")
    _, first = normalising(steps, momentum=momentum)
    found = [(steps, momentum, *first.get_weights()[2:])]
    found += [(100, 0.99, *behind[1][2:4])]
    for count, kept, moving_mean, moving_variance in found:
        left = kept**count
        assert moving_mean[0] == pytest.approx((1 - left) * mean, rel=1e-4)
        expected = left + (1 - left) * variance
        assert moving_variance[0] == pytest.approx(expected, rel=1e-4)
    came, whole = numbers(printed(NAME, "behind").split("\n")[0])
    assert came / whole == pytest.approx(1 - 0.99**100, abs=1e-3)
    assert record(NAME)["100 * (1 - 0.99**100):.0f"] == "63"
    outputs = behind[0](HIGH_X)
    _, *two = behind[0].layers
    normalised = behind[0].get_layer("first")(HIGH_X)
    assert [layer.name for layer in two] == ["base", "head"]
    np.testing.assert_allclose(two[1](two[0](normalised)), outputs, atol=1e-5)


@says(
    "Here is the old task with inputs 10 higher, which a normalisation is to "
    "undo."
)
@says(
    "The weights and the rows are the same, so this is no overfitting. In use "
    "the layer takes its averages, as `evaluate` and the `val_loss` of `fit` "
    "do,"
)
def test_averages_that_are_behind_spoil_what_is_evaluated(
    behind: tuple[Any, list[np.ndarray]],
) -> None:
    model, weights = behind
    model.set_weights(weights)
    used = in_use(model)
    as_in_training = float(loss(OLD_Y, model(HIGH_X, training=True)))
    assert used > 100 * as_in_training
    assert last("behind")[1:] == pytest.approx([used, as_in_training], abs=0.1)
    model.set_weights(weights)
    model.compile(SGD(0.0), "mse")
    model.optimizer.build(model.trainable_variables)
    assert model.evaluate(HIGH_X, OLD_Y, verbose=0) == pytest.approx(used)
    both = (HIGH_X, OLD_Y)
    logs = model.fit(
        *both, batch_size=201, validation_data=both, verbose=0
    ).history
    assert logs["loss"] == pytest.approx([as_in_training], rel=1e-3)
    assert logs["val_loss"] == pytest.approx([in_use(model)], rel=1e-3)
    assert in_use(model) > 100 * as_in_training
    np.testing.assert_array_equal(HIGH_X, ALL_X + 10)


@says(
    "`training=True` is no mend. With it a prediction depends on the other "
    "rows of the batch, and every row that comes alone gets the same one."
)
def test_a_row_alone_in_training_mode(
    behind: tuple[Any, list[np.ndarray]],
) -> None:
    model, weights = behind
    alone, used = [], []
    for at in (0, 40, 150):
        model.set_weights(weights)
        row = HIGH_X[at : at + 1]
        alone.append(float(model(row, training=True)[0, 0]))
        used.append(float(model(row, training=False)[0, 0]))
    assert len(set(alone)) == 1
    assert len(set(used)) == 3
    few, many = (
        float(model(rows, training=True)[0, 0])
        for rows in (HIGH_X[:5], HIGH_X)
    )
    assert abs(few - many) > 0.1


@says(
    "Take more steps, or `momentum=0.9`. Or let the averages catch up, by "
    "calls without an update:"
)
@says(
    "**The check** compares the moving mean with the mean of what the layer "
    "is given."
)
def test_averages_that_have_caught_up(
    behind: tuple[Any, list[np.ndarray]],
) -> None:
    model, weights = behind
    model.set_weights(weights)
    *loop, check = BLOCKS["caught_up"].code.split("\n")
    assert highlighted(BLOCKS["caught_up"]) == [x.strip() for x in loop[:2]]
    given = {"first": model.get_layer("first"), "mean": np.mean(HIGH_X)}
    assert (
        "mean, moving_mean = tf.reduce_mean(high_x)" in BLOCKS["behind"].code
    )
    with pytest.raises(AssertionError):
        exec(check, {**given})
    call = tf.function(lambda: model(HIGH_X, training=True))
    for _ in range(500):
        call()
    exec(check, {**given})
    caught_up = in_use(model)
    assert last("caught_up") == pytest.approx([caught_up], abs=0.005)
    assert caught_up < 0.05
    for at, (new, old) in enumerate(
        zip(model.get_weights(), weights, strict=True)
    ):
        assert np.array_equal(new, old) is (at not in (2, 3))
    for steps, options in ((100, {"momentum": 0.9}), (700, {})):
        assert in_use(normalising(steps, **options)[0]) < 0.05


# Different rates


@says("One tape serves both: of a list of lists it returns a list of lists.")
@says("Give each an optimizer of its own.")
@says("Return a step in which each optimizer updates its own variables.")
@says(
    "The first update of Adam moves a weight by about its learning "
    "rate, so both rates can be read off."
)
@says("A layer that is in no part is not trained.")
def test_two_rates() -> None:
    assert last("two_rates") == [0.001, 0.05]
    alone = make_model()
    base, head = alone.layers
    step = make_step_of_parts(alone, [(SGD(0.1), head.trainable_variables)])
    assert movement(base, step, X, Y) == 0
    assert movement(head, step, X, Y) > 0
    model = make_model()
    expected = gradients_of(model)
    base, head = model.layers
    with tf.GradientTape() as tape:
        current_loss = loss(Y, model(X))
    lists = tape.gradient(
        current_loss, [base.trainable_variables, head.trainable_variables]
    )
    assert [[*map(type, part)] for part in lists] == 2 * [2 * [type(X)]]
    flat = [gradient for part in lists for gradient in part]
    for gradient, same in zip(flat, expected, strict=True):
        np.testing.assert_allclose(gradient, same, atol=1e-5)
    before = model.get_weights()
    parts = [
        (Adam(0.001), base.trainable_variables),
        (SGD(0.1), head.trainable_variables),
    ]
    plain(make_step_of_parts(model, parts))(X, Y)
    moved = [
        new - old for new, old in zip(model.get_weights(), before, strict=True)
    ]
    for change in moved[:2]:
        np.testing.assert_allclose(abs(change), 0.001, rtol=1e-2)
    for change, gradient in zip(moved[2:], expected[2:], strict=True):
        np.testing.assert_allclose(change, -0.1 * gradient, atol=1e-4)


@says(
    "Scaled gradients change nothing | [Two "
    "rates](#different-learning-rates-for-layers)"
)
@says("Return a step that scales the gradients of the base.")
@says("With plain `SGD` it is the same as a smaller rate.")
@says(
    "With Adam it is nothing: Adam divides each gradient by its usual "
    "size, and what all gradients of a variable have in common "
    "cancels out."
)
@says("Use two optimizers.")
def test_scaled_gradients() -> None:
    def base_after(kind: Any, scale: float, count: int = 3) -> Any:
        model = make_model()
        head = model.get_layer("head")
        kept = head.get_weights()
        step = make_scaled_step(model, kind(0.05), scale)
        moved = movement(head, step, X, Y)
        for _ in range(count - 1):
            head.set_weights(kept)  # so that all runs see the same slope
            step(X, Y)
        return model.get_layer("base").kernel.numpy(), moved

    start = make_model().get_layer("base").kernel.numpy()
    for kind, factor in ((SGD, 0.02), (Adam, 1.0)):
        (whole, head_whole), (scaled, head_scaled) = (
            base_after(kind, scale, 1) for scale in (1.0, 0.02)
        )
        np.testing.assert_allclose(
            scaled - start, factor * (whole - start), rtol=1e-2, atol=1e-6
        )
        assert head_whole == head_scaled > 0
    frozen = make_model()
    frozen.get_layer("base").trainable = False
    step = make_scaled_step(frozen, SGD(0.05), 0.02)
    moved = movement(frozen.get_layer("head"), step, X, Y)
    assert moved == base_after(SGD, 0.02, 1)[1]
    whole, scaled = (base_after(Adam, scale, 3)[0] for scale in (1.0, 0.02))
    np.testing.assert_allclose(scaled, whole, atol=1e-3)
    first, second, third, fourth = last("scaled")
    assert second == pytest.approx(0.02 * first, abs=1e-4)
    assert third == fourth


# Two phases


@says("Train by a new step; return the loss before each update.")
def test_train() -> None:
    model = make_model()
    first = float(loss(Y, model(X)))
    history = train(model, SGD(0.01), X, Y, 2)
    assert len(history) == 2
    assert history[0] == pytest.approx(first, rel=1e-5)
    assert float(loss(Y, model(X))) < history[1] < first


@says(
    "To compare with, train a new model, and then all weights of the "
    "old one at once."
)
@says("What the old model knew was of no use.")
@says(
    "Its head was far off, and every update moved the base as well: "
    "one of its weights by {{ "
    'abs(model.get_layer("base").kernel.numpy() - '
    "old_weights[0]).max():.1f }}."
)
@says(
    "The head alone does better than a new model: the base is worth keeping."
)
def test_at_once(phases: Names) -> None:
    scratch, at_once = last("at_once")
    assert at_once > scratch
    head, same, low = last("two_phases")
    assert low < head < same < scratch
    by_hand = [on_the_test(phases[name]) for name in ("scratch", "at_once")]
    assert by_hand == pytest.approx([scratch, at_once], abs=0.006)
    [far] = [float(v) for n, v in record(NAME).items() if ":.1f" in n]
    old = phases["old_weights"]
    assert abs(phases["at_once"][0] - old[0]).max() == pytest.approx(
        far, abs=0.06
    )
    assert far > 1
    assert on_the_test(old) > 6
    slopes = [abs(part).max() for part in descent(old, FEW_X, FEW_Y)[1]]
    assert min(slopes) > 0.1


@says("So train the head alone.")
@says(
    "Then unfreeze the base and train everything, once at the same "
    "rate and once at a fiftieth of it."
)
@says("Each phase has a new step and a new optimizer.")
def test_the_phases(phases: Names) -> None:
    code = BLOCKS["two_phases"].code
    assert re.findall(r"Adam\((.*?)\)", code) == ["0.1", "learning_rate"]
    [rates] = re.findall(r"for learning_rate in \((.*)\)", code)
    same, low = numbers(rates)
    assert same == 0.1
    assert low == pytest.approx(same / 50)
    assert "step = make_step(" in BLOCKS["train"].code
    old, head = phases["old_weights"], phases["head_weights"]
    kept = [np.array_equal(a, b) for a, b in zip(old, head, strict=True)]
    assert kept == [True, True, False, False]
    assert len(re.findall(r"train\(.*, x, y, 80\)", code)) == 2


@says(
    "The loss jumps after unfreezing | [Two "
    "phases](#fine-tuning-in-two-phases)"
)
@says("The loss of the twenty rows over 160 updates on a logarithmic axis.")
@says(
    "For the first 80 there is one curve, which falls to below one; "
    "then the dashed curve, at the old rate, jumps above ten and "
    "swings down, and the solid one, at the low rate, falls slowly; "
    "after some 40 more updates the dashed curve is the lower one"
)
@says("At the old rate the loss then jumps to {{ max(histories[0.1]):.0f }}.")
@says(
    "For the twenty rows it ends at {{ histories[0.1][-1]:.2f }}, "
    "below the {{ histories[0.002][-1]:.2f }} of the low rate."
)
@says(
    "On the test the low rate is ahead, and no weight of its base has "
    "moved by more than {{ abs(base.kernel.numpy() - "
    "old_weights[0]).max():.2f }}."
)
def test_the_jump(phases: Names) -> None:
    kept = record(NAME)
    [axes] = figure(NAME, "plot_phases")
    assert "'loss of the 20 rows', log" in axes.text
    for rate in (0.1, 0.002):
        assert max(axes.points[f"then all at {rate}"].x) == 159
        assert axes.points[f"then all at {rate}"].y[:2] == pytest.approx(
            [phases["head_history"][n] for n in (0, 39)], rel=1e-3
        )
    code = BLOCKS["plot_phases"].code
    assert '(0.1, "--", RED), (0.002, "-", BLUE)' in code
    same, low = (np.array(phases["histories"][r]) for r in (0.1, 0.002))
    head = phases["head_history"]
    assert max(head) == head[0]
    assert head[-1] < 1
    assert same.max() == same[1] > 10
    assert np.count_nonzero(np.diff(np.sign(np.diff(same)))) > 4
    assert np.all(np.diff(low) < 0)
    assert low[-1] > 0.8 * low[0]
    assert np.all(same[:35] >= low[:35])
    assert np.all(same[45:] < low[45:])
    assert float(kept["max(histories[0.1]):.0f"]) == round(same.max())
    ends = [float(kept[f"histories[{rate}][-1]:.2f"]) for rate in (0.1, 0.002)]
    assert ends == pytest.approx([same[-1], low[-1]], abs=0.006)
    assert ends[0] < ends[1]
    tests = [
        on_the_test(phases["head_weights"]),
        *map(on_the_test, phases["ends"].values()),
    ]
    assert tests == pytest.approx(last("two_phases"), abs=0.006)
    assert tests[2] < tests[1]
    far = abs(phases["ends"][0.002][0] - phases["old_weights"][0]).max()
    [shown] = [float(v) for n, v in kept.items() if n.startswith("abs(base.")]
    assert shown == pytest.approx(far, abs=0.006)


@says("This is one task.")
@says(
    "The order, head first and then all at a low rate, is the usual "
    "one; which rate is low enough, a "
    "[validation](usual_parts.md#a-validation-split) has to tell."
)
def test_the_twenty_rows_do_not_tell_which_rate(phases: Names) -> None:
    """By their loss one would take the other rate."""
    same, low = (phases["histories"][r][-1] for r in (0.1, 0.002))
    _, test_same, test_low = last("two_phases")
    assert (same < low, test_same < test_low) == (True, False)
    text = (DOCS / "usual_parts.md").read_text("utf-8")
    assert "\n## A validation split\n" in text


# A learning rate for each layer in fit


def of_two(key: str = ".*base/.*", **options: Any) -> Any:
    """Return a model, its optimizer for both parts, and the two in it."""
    slow, fast = Adam(0.001, **options), Adam(0.05, **options)
    rates = tf.keras.optimizers.OptimizerMap(fast, {key: slow})
    return make_model(), tf.keras.optimizers.MultiOptimizer(rates), slow, fast


def fitted(model: Any, optimizer: Any, **options: Any) -> None:
    """Compile, and train an epoch of one step."""
    model.compile(optimizer, "mse", run_eagerly=True)
    model.fit(X, Y, batch_size=20, verbose=0, **options)


def moves(model: Any, optimizer: Any, **options: Any) -> list[float]:
    """Return how far an epoch moves the base, and the head."""
    before = model.get_weights()
    fitted(model, optimizer, **options)
    pairs = zip(model.get_weights(), before, strict=True)
    far = [float(abs(new - old).max()) for new, old in pairs]
    return [max(far[:2]), max(far[2:])]


@says("A learning rate for each layer in `fit`: MultiOptimizer")
@says("A multiplier for the rate of a layer Keras does not have.")
@says(
    "Its newest releases have an optimizer that hands each variable to one "
    "of several, by its path."
)
@says(
    "Give the base the low rate, by the key that first comes to mind, then by "
    "another."
)
@says(
    "A key is a regular expression, and it has to fit the whole path. "
    "`base/.*` fits none here, so all variables go to the optimizer that is "
    "named first, and nothing is said."
)
@says(
    "A `MultiOptimizer` trains all at one rate | [In `fit`] … multioptimizer)"
)
@says("**The check** is what the block does: ask for the rate of each path.")
@says(
    "In a base that is a functional model, as in `keras.applications`, the "
    "paths do not have its name, and no such key fits: take `{v.path: slow "
    "for v in base.trainable_variables}`."
)
@says("In a loop of your own it works, too.")
def test_an_optimizer_for_each_part() -> None:
    for call in (layers.Dense, layers.Layer, Adam):
        assert not re.search(
            "multiplier|layer_rate", str(inspect.signature(call))
        )
    said, *found, moved = printed(NAME, "rates_in_fit").split("\n")
    assert [numbers(row.split(": ")[1]) for row in found] == [
        [0.05] * 4,
        [0.001] * 2 + [0.05] * 2,
    ]
    assert numbers(moved) == [0.001]
    paths = said.split()[1:]
    for key, low in (("base/.*", []), (".*base/.*", paths[:2])):
        assert [path for path in paths if re.fullmatch(key, path)] == low
        model, optimizer, *_ = of_two(key)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            base, head = moves(model, optimizer)
        assert caught == []
        assert head == pytest.approx(0.05, rel=1e-3)
        assert base == pytest.approx(0.001 if low else 0.05, rel=1e-3)
    inputs = tf.keras.Input((1,))
    base = tf.keras.Model(inputs, layers.Dense(2)(inputs), name="base")
    parts = [tf.keras.Input((1,)), base, layers.Dense(1, name="head")]
    keys = {v.path: Adam(0.001) for v in base.trainable_variables}
    for given, rate in (({".*base/.*": Adam(0.001)}, 0.05), (keys, 0.001)):
        rates = tf.keras.optimizers.OptimizerMap(Adam(0.05), given)
        model = tf.keras.Sequential(parts)
        each = [
            float(rates[v.path].learning_rate)
            for v in model.trainable_variables
        ]
        assert each == pytest.approx([rate] * 2 + [0.05] * 2)
    far = moves(model, tf.keras.optimizers.MultiOptimizer(rates))
    assert far == pytest.approx([0.001, 0.05], rel=1e-3)
    model, optimizer, slow, _ = of_two()
    step = plain(make_step(model, optimizer))
    base, head = model.layers
    assert movement(base, step, X, Y) == pytest.approx(0.001, rel=1e-3)
    slow.learning_rate = 0.0
    assert movement(base, step, X, Y) == 0
    assert movement(head, step, X, Y) > 0.01


@says("If two keys fit, it is `Multiple optimizers assigned to variable`.")
def test_two_keys_that_fit() -> None:
    keys = {".*base/.*": Adam(0.1), ".*kernel": Adam(0.1)}
    both = tf.keras.optimizers.OptimizerMap(Adam(0.1), keys)
    said = "Multiple optimizers assigned to variable"
    with pytest.raises(ValueError, match=said):
        fitted(make_model(), tf.keras.optimizers.MultiOptimizer(both))


@says(
    "`slow.learning_rate = …` sets one rate, and the `MultiOptimizer` has "
    "none."
)
@says(
    "A `LearningRateScheduler` asks for the rate of each in turn, so write "
    "`lambda epoch, rate: rate / 2`; a function of the epoch alone gives all "
    "of them one rate."
)
@says("`global_clipnorm` of an optimizer clips its own part.")
def test_the_rates_of_two() -> None:
    model, optimizer, slow, _ = of_two()
    slow.learning_rate = 0.002
    assert moves(model, optimizer) == pytest.approx([0.002, 0.05], rel=1e-3)
    with pytest.raises(AttributeError, match="cannot be accessed"):
        _ = optimizer.learning_rate
    schedules = (lambda epoch, rate: rate / 2), (lambda epoch: 0.01)
    for schedule, wanted in zip(
        schedules, ([0.0005, 0.025], [0.01, 0.01]), strict=True
    ):
        scheduler = tf.keras.callbacks.LearningRateScheduler(schedule)
        model, optimizer, slow, fast = of_two()
        fitted(model, optimizer, callbacks=[scheduler])
        rates = [float(each.learning_rate) for each in (slow, fast)]
        assert rates == pytest.approx(wanted)
    model = make_model()
    found = gradients_of(model)
    norms = [np.sqrt(sum((g**2).sum() for g in found[part])) for part in PARTS]
    optimizers = [SGD(1.0, global_clipnorm=0.01) for _ in PARTS]
    rates = tf.keras.optimizers.OptimizerMap(
        optimizers[1], {".*base/.*": optimizers[0]}
    )
    before = model.get_weights()
    fitted(model, tf.keras.optimizers.MultiOptimizer(rates))
    pairs = zip(model.get_weights(), before, strict=True)
    steps = [new - old for new, old in pairs]
    for part, norm in zip(PARTS, norms, strict=True):
        assert norm > 0.01
        length = np.sqrt(sum((step**2).sum() for step in steps[part]))
        assert length == pytest.approx(0.01, rel=1e-3)


@says(
    "But a `tf.train.Checkpoint` keeps none of the averages of the two, nor "
    "their rates, and `assert_consumed` does not mind."
)
@says("Name them as well: `Checkpoint(model=model, slow=slow, fast=fast)`.")
@says("What `model.save` writes has them.")
def test_what_a_checkpoint_keeps_of_two_optimizers() -> None:
    model, optimizer, slow, fast = of_two()
    plain(make_step(model, optimizer))(X, Y)
    slow.learning_rate = 0.002
    kept: dict[str, Any] = {"model": model, "optimizer": optimizer}
    for names in ({"slow": slow, "fast": fast}, {}):
        path = tf.train.Checkpoint(**kept, **names).write("two")
        other, new, *both = of_two()
        new.build(other.trainable_variables)
        found = dict(zip(names, both, strict=False))
        restored = tf.train.Checkpoint(model=other, optimizer=new, **found)
        restored.read(path).assert_consumed()
        np.testing.assert_array_equal(
            other.get_weights()[0], model.get_weights()[0]
        )
        for old, each in zip((slow, fast), both, strict=True):
            pairs = zip(old.variables, each.variables, strict=True)
            same = [np.array_equal(a, b) for a, b in pairs]
            assert len(same) == 6
            assert all(same) if names else not any(same[2:])
        rate = float(both[0].learning_rate)
        assert rate == pytest.approx(0.002 if names else 0.001)
    model.compile(optimizer, "mse")
    model.save("two.keras")
    loaded = tf.keras.models.load_model("two.keras").optimizer
    for a, b in zip(optimizer.variables, loaded.variables, strict=True):
        np.testing.assert_array_equal(a, b)


PARTS = slice(0, 2), slice(2, 4)


@says(
    "If no variable of one part has a gradient, it says `No gradients "
    "provided for any variable` where a single optimizer only warns: let the "
    "tape return zeros, [for the values of the variables](foundations.md#6-a-"
    "variable-that-is-not-used)."
)
def test_a_part_without_gradients() -> None:
    model, optimizer, *_ = of_two()
    variables = model.trainable_variables
    with tf.GradientTape(persistent=True) as tape:
        loss = tf.reduce_mean(tf.square(model.get_layer("base")(X)))
    missing = tape.gradient(loss, variables)
    found = [each is None for each in missing]
    assert found == [False, False, True, True]
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        Adam(0.0).apply_gradients(zip(missing, variables, strict=True))
    with pytest.raises(ValueError, match="No gradients provided for any"):
        optimizer.apply_gradients(zip(missing, variables, strict=True))
    before = model.get_weights()
    values = [variable.value for variable in variables]
    whole = tape.gradient(loss, values, unconnected_gradients="zero")
    optimizer.apply_gradients(zip(whole, variables, strict=True))
    pairs = zip(model.get_weights(), before, strict=True)
    far = [float(abs(new - old).max()) for new, old in pairs]
    assert far[0] == pytest.approx(0.001, rel=1e-3)
    assert far[2:] == [0.0, 0.0]


@says(
    "And whoever changes `trainable` later needs a new one: `Gradients must "
    "match trainable variables one-to-one`."
)
def test_two_rates_and_a_frozen_layer() -> None:
    model, optimizer, *_ = of_two()
    fitted(model, optimizer)
    said = "Gradients must match trainable variables one-to-one"
    for trainable, base in ((False, 0.0), (True, 0.001)):
        model.get_layer("base").trainable = trainable
        with pytest.raises(ValueError, match=said):
            fitted(model, optimizer)
        _, optimizer, *_ = of_two()
        assert moves(model, optimizer) == pytest.approx([base, 0.05], rel=1e-3)


# EMA


@says(
    "From here on the model is the line of the guide, the data are "
    "its first 200 rows, and an epoch is twenty batches of ten."
)
def test_the_line() -> None:
    assert printed(NAME, "line") == "batches: 20 rows: {10}"
    assert len(KerasLinearModel().weights) == 2
    names = ran(NAME, "line")
    x, y = make_data()
    np.testing.assert_array_equal(names["x"][:, 0], x[:200])
    np.testing.assert_array_equal(names["y"][:, 0], y[:200])
    guide = read("basic_training_loops").blocks
    assert BLOCKS["make_data"].code in [block.code for block in guide]
    rows = np.concatenate([part[:, 0] for part, _ in names["batches"]])
    np.testing.assert_array_equal(np.sort(rows), np.sort(x[:200]))


@says("At a constant rate, small batches never let the weights come to rest.")
@says("An average over the last updates is far calmer.")
@says("`use_ema=True` keeps one.")
@says(
    "The loss over all rows during 40 updates: with the weights as "
    "they are it jumps up and down between 1.01 and 1.23; with the "
    "averaged weights it stays between 1.01 and 1.03"
)
def test_small_batches_never_rest() -> None:
    model, optimizer, step = line(0.3, use_ema=True, ema_momentum=0.9)
    raw, averages, raw_losses = [], [], []
    for number, batch in enumerate(6 * BATCHES):
        step(*batch)
        if number >= 80:
            raw.append([float(w) for w in model.weights])
            raw_losses.append(float(loss(LINE_Y, model(LINE_X))))
            averages.append(
                [float(v) for v in optimizer._model_variables_moving_average]
            )
    spread = np.ptp(raw, axis=0), np.ptp(averages, axis=0)
    assert np.all(spread[0] > 0.3)
    assert np.all(spread[1] < 0.3 * spread[0])
    [axes] = figure(NAME, "ema_seen")
    text = [
        numbers(t) for t in re.findall("least .* most .*, mean", axes.text)
    ]
    assert len(text) == 4
    (_, last_x), (low, high), _, (calm_low, calm_high) = text
    assert last_x == 39
    assert [low, high] == pytest.approx([1.01, 1.23], abs=0.006)
    assert 1.005 < calm_low < calm_high < 1.03
    turns = np.diff(np.sign(np.diff(raw_losses)))
    assert np.count_nonzero(turns) > 15


@says("EMA: an exponential moving average of the weights")
@says(
    "`use_ema=True` changes nothing | "
    "[EMA](#ema-an-exponential-moving-average-of-the-weights)"
)
@says("No difference at all.")
@says(
    "The averages are in the optimizer, and 0 before the first update; the "
    "model computes with the weights as they are."
)
@says(
    "To evaluate the average, swap it in and put the weights back "
    "before training goes on."
)
@says("Return the loss of the averaged weights; leave the model as it was.")
def test_the_average_is_in_the_optimizer() -> None:
    without, with_ema = last("ema_unseen")
    assert without == with_ema
    model, optimizer, _ = line(0.3, use_ema=True)
    early = averaged_loss(model, optimizer, LINE_X, LINE_Y)
    assert early == pytest.approx(np.mean(LINE_Y**2), rel=1e-4)
    assert [float(w) for w in model.weights] == [5.0, 0.0]
    average, ends = np.zeros(2), []
    for use_ema in (False, True):
        model, optimizer, step = line(0.3, use_ema=use_ema, ema_momentum=0.9)
        for number, batch in enumerate(BATCHES[:5]):
            step(*batch)
            weights = np.array([float(w) for w in model.weights])
            share = 0.1 if number else 1.0
            average = (1 - share) * average + share * weights
        ends.append(weights.tolist())
    assert ends[0] == ends[1]
    w, b = average
    expected = np.mean((w * LINE_X + b - LINE_Y) ** 2)
    found = averaged_loss(model, optimizer, LINE_X, LINE_Y)
    assert found == pytest.approx(float(expected), rel=1e-4)
    assert [float(w) for w in model.weights] == ends[1]
    assert found != pytest.approx(float(loss(LINE_Y, model(LINE_X))), rel=0.01)
    variables = [float(v) for v in optimizer.variables[-2:]]
    assert variables == pytest.approx([w, b], rel=1e-4)


@says(
    "Before you save or export the model, call "
    "`finalize_variable_values` and leave the averages in."
)
@says(
    "The averages are of trainable variables only; the moving "
    "averages of a batch normalisation stay as they are."
)
def test_finalize() -> None:
    model = make_normed()
    optimizer = SGD(0.1, use_ema=True, ema_momentum=0.9)
    step = plain(make_step(model, optimizer))
    for _ in range(3):
        step(X + 1, Y)
    base, head = model.layers
    before = [w.numpy() for w in (base.moving_mean, base.moving_variance)]
    raw = head.kernel.numpy().item()
    optimizer.finalize_variable_values(model.trainable_variables)
    after = [w.numpy() for w in (base.moving_mean, base.moving_variance)]
    assert before == after
    averaged = head.kernel.numpy().item()
    assert averaged != pytest.approx(raw, rel=1e-3)
    model.save("model.keras")
    saved = tf.keras.models.load_model("model.keras")
    assert saved.get_layer("head").kernel.numpy().item() == averaged


@says(
    "**In `fit`:** the weights are replaced by the averages when "
    "`fit` ends, not before, unless you set `ema_overwrite_frequency`."
)
@says(
    "The `val_loss` of every epoch is that of the weights as they "
    "were, unless you add the callback "
    "`tf.keras.callbacks.SwapEMAWeights()`."
)
def test_ema_in_fit() -> None:
    found = []
    for callbacks in ([], [tf.keras.callbacks.SwapEMAWeights()]):
        model = KerasLinearModel()
        optimizer = SGD(0.3, use_ema=True, ema_momentum=0.9)
        model.compile(optimizer, loss="mse", run_eagerly=True)
        weights: list[float] = []

        def note(
            epoch: int, logs: Any, model: Any = model, to: Any = weights
        ) -> None:
            to.append(float(loss(LINE_Y, model(LINE_X))))

        noting = tf.keras.callbacks.LambdaCallback(on_epoch_end=note)
        history = model.fit(
            *(LINE_X, LINE_Y),
            batch_size=200,
            epochs=2,
            shuffle=False,
            verbose=0,
            validation_data=(LINE_X, LINE_Y),
            callbacks=[*callbacks, noting],
        ).history["val_loss"]
        end = float(loss(LINE_Y, model(LINE_X)))
        found.append((history, weights, end))
    (usual, raw, end), (swapped, _, same_end) = found
    assert usual == pytest.approx(raw, rel=1e-4)
    assert raw[-1] != pytest.approx(end, rel=1e-2)
    assert swapped[-1] == pytest.approx(end, rel=1e-4)
    assert same_end == pytest.approx(end, rel=1e-4)
    for often, is_average in ((None, False), (2, True)):
        model, optimizer, step = line(
            0.3,
            use_ema=True,
            ema_momentum=0.9,
            ema_overwrite_frequency=often,
        )
        for batch in BATCHES[:2]:
            plain(step)(*batch)
        average = float(optimizer._model_variables_moving_average[0])
        assert (float(model.w) == average) == is_average


@says(
    "An `EarlyStopping` that restores the best weights does so after that, "
    "and they are no averages."
)
def test_ema_and_early_stopping() -> None:
    ends, seen = [], []

    def note(epoch: int, logs: Any) -> None:
        seen.append([float(w) for w in model.weights])

    for kept in ([], [tf.keras.callbacks.EarlyStopping("loss", patience=9)]):
        for callback in kept:
            callback.restore_best_weights = True
        seen.clear()
        model = KerasLinearModel()
        optimizer = SGD(0.1, use_ema=True, ema_momentum=0.9)
        model.compile(optimizer, loss="mse", run_eagerly=True)
        noting = tf.keras.callbacks.LambdaCallback(on_epoch_end=note)
        model.fit(
            *(LINE_X, LINE_Y),
            batch_size=200,
            epochs=3,
            verbose=0,
            callbacks=[noting, *kept],
        )
        ends.append([float(w) for w in model.weights])
    averages = [float(v) for v in optimizer.variables[-2:]]
    assert ends[0] == pytest.approx(averages, rel=1e-5)
    assert ends[1] == seen[-1] != averages


@says(
    "After an EMA a layer has the weights of another | [EMA, "
    "frozen](#ema-and-frozen-layers)"
)
@says(
    "`finalize_variable_values` pairs averages and variables by their order."
)
@says("The head got the weight of the base.")
@says(
    "With other shapes it would have been an error, `Cannot assign "
    "value to variable`."
)
@says("Hand over the list that the optimizer was built with.")
def test_a_shorter_list() -> None:
    names = ran(NAME, "ema_wrong_list", x=LINE_X, y=LINE_Y)
    base, head = names["base"], names["head"]
    assert head.kernel.numpy().item() == base.kernel.numpy().item() == 1
    before, after = last("ema_wrong_list")
    assert before < after == 1
    ran(NAME, "ema_right_list", **names)
    assert head.kernel.numpy().item() == pytest.approx(before, abs=0.006)
    assert last("ema_right_list") == [before]
    model, base, optimizer = built(use_ema=True)
    base.trainable = False
    make_step(model, optimizer)(X, Y)
    with pytest.raises(ValueError, match="Cannot assign value to variable"):
        optimizer.finalize_variable_values(model.trainable_variables)


@says(
    "`fit` hands over that same list when it ends, so give it a new "
    "optimizer when you freeze."
)
def test_fit_hands_over_the_shorter_list() -> None:
    for is_new in (False, True):
        both = [layers.Dense(1, kernel_initializer="ones") for _ in "ab"]
        base, head = both
        model = tf.keras.Sequential([tf.keras.Input((1,)), *both])
        base.kernel.assign([[7.0]])
        optimizer = SGD(0.001, use_ema=True)
        if not is_new:
            optimizer.build(model.trainable_variables)
        base.trainable = False
        model.compile(optimizer, loss="mse", run_eagerly=True)
        model.fit(X, Y, verbose=0)
        assert (head.kernel.numpy().item() == 7.0) is not is_new


# SWA


def spreads() -> list[float]:
    return last("swa") + last("refreshed")


@says("SWA, an average, and BatchNormalization")
@says("Averaged weights (SWA) are worse | [SWA] … batchnormalization)")
@says(
    "A batch normalisation behind averaged weights is given other numbers "
    "than before."
)
@says(
    "So it needs new moving averages: send the training data through the "
    "model once more, without an update, and count each batch alike."
)
@says("Make the moving averages those of these batches, which count alike.")
@says("With that momentum nothing of the old averages is left.")
@says(
    "To see the effect take one weight, and a batch normalisation, whose "
    "outputs are to have a spread of 1."
)
@says("Return a model that normalises what one weight makes of its inputs.")
@says("Let two epochs end with the weights 1 and 3.")
@says("Average all weights, the moving averages too.")
@says(
    "The mean weight is 2, so the variance behind it is 4 times that of the "
    "inputs. But the mean of 1 and 9 times is 5. Refresh it."
)
def test_averaged_weights_need_new_averages() -> None:
    assert spreads() == [1.0, 1.0, 0.9, 1.0]
    names = ran("freeze_swa", "swa", all_x=ALL_X, old_y=OLD_Y)
    weight, layer = names["model"].layers
    assert weight.kernel.numpy().item() == 2.0
    within = np.mean([ALL_X.numpy()[n::10].var() for n in range(10)])
    variance = layer.moving_variance.numpy().item()
    assert variance == pytest.approx(5 * within, rel=1e-4)
    layer.moving_mean.assign([9.0])
    ran("freeze_swa", "refreshed", **names)
    variance = layer.moving_variance.numpy().item()
    assert variance == pytest.approx(4 * within, rel=1e-4)
    means = [ALL_X.numpy()[n::10].mean() for n in range(10)]
    mean = layer.moving_mean.numpy().item()
    assert mean == pytest.approx(2 * np.mean(means), abs=1e-5)
    ends = [names["kept"][n][0].item() for n in range(2)]
    assert ends == [1.0, 3.0]
    assert highlighted(BLOCKS["refresh"]) == [
        "layer.momentum = number / (number + 1)",
        "model(x, training=True)",
    ]


@says(
    "Call the model itself, not a compiled step, which would keep the "
    "momentum."
)
def test_a_compiled_call_keeps_the_momentum() -> None:
    model = make_behind()
    _, layer = model.layers
    compiled = tf.function(lambda x: model(x, training=True))
    compiled(X)
    layer.moving_mean.assign([100.0])
    layer.momentum = 0.0
    compiled(X)
    assert layer.moving_mean.numpy().item() > 98
    model(X, training=True)
    assert abs(layer.moving_mean.numpy().item()) < 10


@says(
    "The averages of `use_ema` need this, too, if there is a batch "
    "normalisation behind trainable layers."
)
@says(
    "`refresh` leaves out layers within layers, and a frozen one stays as it "
    "is."
)
@says(
    "Before training goes on, put all weights back, those of the batch "
    "normalisation as well."
)
def test_what_is_refreshed() -> None:
    model = make_behind()
    model.layers[0].kernel.assign([[4.0]])
    optimizer = SGD(0.3, use_ema=True, ema_momentum=0.9)
    step = plain(make_step(model, optimizer))
    for _ in range(5):
        step(X, Y)
    _, layer = model.layers
    before = model.get_weights()
    optimizer.finalize_variable_values(model.trainable_variables)
    behind = layer.moving_variance.numpy().item()
    variance = np.var(X.numpy() * model.layers[0].kernel.numpy())
    assert behind != pytest.approx(variance, rel=0.05)
    refresh(model, [(X, Y)])
    found = layer.moving_variance.numpy().item()
    assert found == pytest.approx(variance, rel=1e-4)
    assert model.get_weights()[-1] != before[-1]
    outer = tf.keras.Sequential([tf.keras.Input((1,)), model])
    layer.moving_mean.assign([100.0])
    refresh(outer, [(X, Y)])
    assert 90 < layer.moving_mean.numpy().item() < 100
    layer.trainable = False
    refresh(model, [(X, Y)])
    assert 90 < layer.moving_mean.numpy().item() < 100


# Weight decay


@says("No weight decay on biases")
@says("Weight decay pulls every variable towards zero, biases too.")
@says(
    "Several biases go into one list: `[v for v in "
    'model.trainable_variables if "bias" in v.path]`.'
)
@says("A second call replaces the first list.")
def test_decay_and_what_is_excluded() -> None:
    for lists, decayed in (
        ([], "kernel bias kernel bias"),
        (["both"], "kernel kernel"),
        (["both", "first"], "kernel kernel bias"),
    ):
        model = make_model()
        model.set_weights([np.ones_like(w) for w in model.get_weights()])
        optimizer = SGD(0.1, weight_decay=0.5)
        biases = [v for v in model.trainable_variables if "bias" in v.path]
        assert len(biases) == 2
        for name in lists:
            optimizer.exclude_from_weight_decay(
                var_list=biases if name == "both" else biases[:1]
            )
        variables = model.trainable_variables
        optimizer.apply([tf.zeros(v.shape) for v in variables], variables)
        pulled = [v.name for v in variables if v.numpy().max() < 1]
        assert " ".join(pulled) == decayed
        assert all(v.numpy().min() > 0.9 for v in variables)


@says("Excluded biases decay | [Weight decay](#no-weight-decay-on-biases)")
@says(
    "A bias so pulled keeps the predictions of this line too small on average."
)
@says("Excluded late, the bias decays as before, and nothing is said.")
@says(
    "**The check**: without decay on the bias, what is left over is "
    "zero on average when training has converged."
)
def test_excluded_late() -> None:
    rows = printed(NAME, "decay").split("\n")
    assert [row.split()[0].strip(":") for row in rows] == [
        *("never", "late", "early")
    ]
    never, late, early = (numbers(row) for row in rows)
    assert never == late
    assert never[1] > 0.3
    assert early[1] == 0
    x, y = (np.asarray(part, np.float64)[:, 0] for part in (LINE_X, LINE_Y))
    inputs = np.stack([x, np.ones_like(x)])
    slope = 2 * inputs @ inputs.T / 200
    for decay, shown in (([0.5, 0.5], never), ([0.5, 0.0], early)):
        w, b = np.linalg.solve(slope + np.diag(decay), 2 * inputs @ y / 200)
        assert b == pytest.approx(shown[0], abs=1e-3)
        assert np.mean(y - w * x - b) == pytest.approx(shown[1], abs=1e-3)


@says(
    "The documentation of Keras asks for the call before the "
    "optimizer is built, and its code has an error for whoever is "
    "late; Keras 3.15 never raises it."
)
@says("The compiled step has kept what it was traced with.")
@says("Exclude before the first step, or make a new step.")
@says("`exclude_from_weight_decay` | goes on decaying | a new step")
def test_a_late_call() -> None:
    call = SGD.exclude_from_weight_decay
    documented = " ".join((inspect.getdoc(call) or "").split())
    assert "must be called before the optimizer's `build`" in documented
    assert "raise ValueError" in inspect.getsource(call)
    model, optimizer, step = line(0.1, weight_decay=0.5)
    model.b.assign(1.0)

    def decays(step: Any) -> bool:
        """Say whether a step without an error moves the bias."""
        before = float(model.b)
        step(tf.zeros((4, 1)), tf.fill((4, 1), before))
        return float(model.b) != before

    assert decays(step)
    with warnings.catch_warnings(action="error"):
        optimizer.exclude_from_weight_decay(var_list=[model.b])
    assert decays(step)
    assert not decays(make_step(model, optimizer))


ZERO = tf.zeros((1, 1))


@says("Weight decay with a schedule, AdamW")
@says(
    "In one update of `SGD`, `Adam`, `AdamW` or `RMSprop` a weight loses the "
    "share *learning rate times weight decay*."
)
@says(
    "To see that alone, apply gradients of 0, with a learning rate that "
    "halves with each update."
)
@says("So the decay follows the schedule of the rate by itself.")
def test_decay_follows_the_rate() -> None:
    shares = [row[1] for row in lines("decay_follows")]
    assert shares == [0.05, 0.025, 0.0125]
    for name, rate in [
        *(("SGD", 0.1), ("Adam", 0.02), ("AdamW", 0.02), ("RMSprop", 0.1)),
    ]:
        kind = getattr(tf.keras.optimizers, name)
        model, optimizer = KerasLinearModel(), kind(rate, weight_decay=0.5)
        plain(make_step(model, optimizer))(ZERO, ZERO)
        assert float(model.w) == pytest.approx(5 * (1 - rate / 2), rel=1e-6)


def lines(section: str) -> list[list[float]]:
    return [numbers(row) for row in printed(NAME, section).split("\n")]


@says("A new `weight_decay` changes nothing | [A schedule] … adamw)")
@says(
    "A schedule of its own it does not take, and a number that is changed "
    "does nothing in a compiled step."
)
@says("With inputs and outputs of 0 the gradient of `w` is 0, too.")
@says("Give it a variable, and set that.")
@says("`weight_decay`, a number | keeps the number | a variable")
@says("In `fit` the same goes for a callback that sets it.")
def test_a_decay_that_changes() -> None:
    ends = [5 * 0.95**20, 5 * 0.95**40]
    assert last("decay_number") == pytest.approx(ends, abs=6e-5)
    assert last("decay_variable") == pytest.approx(ends[:1] * 2, abs=6e-5)
    assert gradients_of(KerasLinearModel(), ZERO, ZERO) == [0.0, 0.0]
    halves = tf.keras.optimizers.schedules.ExponentialDecay(0.5, 1, 0.5)
    for no_number in (halves, lambda: 0.5):
        *_, step = line(0.1, weight_decay=no_number)
        with pytest.raises((TypeError, ValueError)):
            plain(step)(ZERO, ZERO)
    variable = tf.Variable(0.5, trainable=False)
    for decay in (0.5, variable):
        model = KerasLinearModel()
        model.compile(SGD(0.1, weight_decay=decay), "mse")

        def change(
            epoch: int, logs: Any, model: Any = model, decay: Any = decay
        ) -> None:
            value = 0.5 * (epoch == 0)
            if decay is variable:
                variable.assign(value)
            else:
                model.optimizer.weight_decay = value

        setter = tf.keras.callbacks.LambdaCallback(on_epoch_begin=change)
        model.fit(ZERO, ZERO, epochs=2, verbose=0, callbacks=[setter])
        wanted = 4.75 if decay is variable else 4.5125
        assert float(model.w) == pytest.approx(wanted, rel=1e-6)


@says(
    "After `load_model` say `model.optimizer.weight_decay = 0.5`, or what it "
    "is to be, before the first step: in the file the variable is no number."
)
def test_a_decay_that_was_saved() -> None:
    model = make_model()
    decay = tf.Variable(0.5, trainable=False)
    fitted(model, SGD(0.1, weight_decay=decay))
    model.save("model.keras")
    loaded = tf.keras.models.load_model("model.keras")
    assert not isinstance(loaded.optimizer.weight_decay, float)
    with pytest.raises((TypeError, ValueError)):
        loaded.fit(X, Y, verbose=0)
    loaded = tf.keras.models.load_model("model.keras")
    loaded.optimizer.weight_decay = 0.5
    kernel = loaded.get_layer("base").kernel
    before, zeros = kernel.numpy(), tf.zeros((20, 1))
    loaded.fit(zeros, Y, batch_size=20, verbose=0)
    np.testing.assert_allclose(kernel.numpy(), 0.95 * before, rtol=1e-5)


@says("`CosineDecay` has one, `warmup_steps` long and up to `warmup_target`.")
@says("For any other, write a class of your own.")
def test_the_warm_up_of_a_cosine() -> None:
    warm = tf.keras.optimizers.schedules.CosineDecay(
        0.0, 10, warmup_target=0.1, warmup_steps=4
    )
    rates = [float(warm(step)) for step in (0, 1, 2, 4, 9, 14)]
    wanted = [0, 0.025, 0.05, 0.1, 0.05, 0]
    assert rates == pytest.approx(wanted, abs=1e-6)
    others = vars(tf.keras.optimizers.schedules).values()
    warming = [
        kind
        for kind in others
        if inspect.isclass(kind)
        and "warmup_steps" in inspect.signature(kind).parameters
    ]
    assert warming == [tf.keras.optimizers.schedules.CosineDecay]


# The learning rate


@says("A schedule goes where the number would, and counts updates.")
@says("To see the rate of the next update, take `float` of it.")
@says(
    "That schedule, with as many `decay_steps` as an epoch has "
    "batches, changes the rate by the epoch."
)
@says("The weights agree.")
def test_schedules() -> None:
    halves = tf.keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    model, optimizer, step = line(halves)
    for update in range(3):
        rate = float(optimizer.learning_rate)
        assert rate == pytest.approx(0.1 * 0.5**update)
        before = float(model.b)
        slope = gradients_of(model, *BATCHES[0])[1].item()
        step(*BATCHES[0])
        assert float(model.b) == pytest.approx(before - rate * slope, rel=1e-4)
    rows = printed(NAME, "schedule").split("\n")
    assert [numbers(row) for row in rows[:3]] == [
        *([1, 0.05, 20], [2, 0.025, 40], [3, 0.0125, 60])
    ]
    assert "decay_steps=20" in BLOCKS["schedule"].code
    assert rows[3] == printed(NAME, "by_epoch")


@says(
    "(A `tf.Variable` of your own, a NumPy `float32` or the whole number 1 is "
    "refused: ``Argument `learning_rate` should be float``.)"
)
def test_what_is_no_rate() -> None:
    said = "Argument `learning_rate` should be float"
    for rate in (tf.Variable(0.1), np.float32(0.1), 1):
        with pytest.raises(ValueError, match=said):
            SGD(rate)
    SGD(0.1)


@says(
    "The assignment works in a compiled step, because that number is "
    "a variable that the graph reads each time."
)
@says(
    "So a rate by hand may depend on anything, on the validation loss "
    "for instance: see [exercise 1](#exercises)."
)
@says("a number, by a number | follows | none needed")
def test_a_rate_by_hand() -> None:
    model, optimizer, step = line(0.1)
    step(*BATCHES[0])
    variable = optimizer.learning_rate
    assert isinstance(variable, tf.keras.Variable)
    for rate in (0.05, 0.0):
        optimizer.learning_rate = rate
        assert optimizer.learning_rate is variable
        slope = max(abs(g).max() for g in gradients_of(model, *BATCHES[0]))
        moved = movement(model, step, *BATCHES[0])
        assert moved == pytest.approx(rate * slope, rel=1e-3)
    assert "halve_on_plateau(optimizer, losses" in BLOCKS["plateau"].code


@says(
    "`its learning rate is not settable` | "
    "[Schedules](#a-learning-rate-scheduler-in-a-custom-loop)"
)
@says("If a schedule is there, a number cannot take its place.")
@says(
    "Nor is there `optimizer.lr` in Keras 3: it is an "
    "`AttributeError: 'SGD' object has no attribute 'lr'`."
)
@says(
    "To assign to it changes nothing, [without a message](old_names.md#11-no-"
    "message-and-something-else)."
)
def test_what_cannot_be_set() -> None:
    model, assigned, step = line(0.1)
    step(*BATCHES[0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assigned.lr = 0.0
    assert float(assigned.learning_rate) == pytest.approx(0.1)
    assert movement(model, step, *BATCHES[0]) > 0
    halves = tf.keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    optimizer = SGD(halves)
    said = "its learning rate is not settable"
    assert said in printed(NAME, "not_settable")
    with pytest.raises(TypeError, match=said):
        optimizer.learning_rate = 0.01
    said = "'SGD' object has no attribute 'lr'"
    with pytest.raises(AttributeError, match=said):
        _ = SGD(0.1).lr


def of_rates(rate: Any, *callbacks: Any, epochs: int = 3) -> Any:
    """Train by updates of ten rows; return the history."""
    model = KerasLinearModel()
    model.compile(SGD(rate), "mse")
    options: Any = {"batch_size": 10, "verbose": 0, "shuffle": False}
    options |= {"epochs": epochs, "callbacks": [*callbacks]}
    return model.fit(LINE_X[:20], LINE_Y[:20], **options).history


@says("The learning rate in log and history: KeyError: 'lr'")
@says("`KeyError: 'lr'` | [The history]")
@says("In `fit`, a callback adds it to the log.")
@says(
    "The schedule here is a cyclical one, with warm restarts: in three epochs "
    "of 20 updates the rate falls to 0, and then it is 0.1 again."
)
@says("Adds to the log of an epoch the rate of the next update.")
@says("Write it beside the loss.")
@says("At the end of an epoch it is the rate of the update that comes next.")
@says(
    "What is added to `logs` is in the history and behind the progress bar, "
    "and in the file of a `CSVLogger` that stands further back in the list."
)
def test_the_rate_in_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names, rates = printed(NAME, "rate_in_history").split("\n")
    assert names == "names: loss learning_rate"
    cosine = [0.05 * (1 + np.cos(np.pi * n / 3)) for n in (1, 2, 0)]
    assert numbers(rates) == pytest.approx(cosine * 2, abs=6e-4)
    restarts = tf.keras.optimizers.schedules.CosineDecayRestarts(0.1, 6, 1.0)
    assert float(restarts(5.999)) == pytest.approx(0, abs=1e-6)
    files = [str(tmp_path / name) for name in ("before", "behind")]
    before, behind = map(tf.keras.callbacks.CSVLogger, files)
    log = of_rates(restarts, before, RateInLogs(), behind)
    assert log["learning_rate"] == [float(restarts(n)) for n in (2, 4, 6)]
    heads = [Path(name).read_text().split("\n")[0] for name in files]
    assert ["learning_rate" in head for head in heads] == [False, True]
    model = KerasLinearModel()
    model.compile(SGD(0.25), "mse")
    model.fit(LINE_X, LINE_Y, verbose=2, callbacks=[RateInLogs()])
    assert "learning_rate: 0.2500" in capsys.readouterr().out


@says("`TensorBoard` writes `epoch_learning_rate` unasked.")
@says(
    "`LearningRateScheduler` and `ReduceLROnPlateau` log `learning_rate` "
    "themselves, the former the rate of the epoch that ends."
)
@says(
    "In Keras 2 the name was `lr`, so older code ends in `KeyError: 'lr'`. "
    "If `LearningRateScheduler` is given a schedule, it says `The output of "
    "the schedule function should be a float`."
)
@says(
    "With `lambda epoch: float(restarts(epoch))` it works, but counts epochs."
)
@says(
    "A rate of your own for every batch is assigned in "
    "`on_train_batch_begin`, to `self.model.optimizer.learning_rate`."
)
def test_rates_that_callbacks_set_and_log(tmp_path: Path) -> None:
    restarts = tf.keras.optimizers.schedules.CosineDecayRestarts(0.1, 6, 1.0)
    scheduler = tf.keras.callbacks.LearningRateScheduler
    plateau = tf.keras.callbacks.ReduceLROnPlateau("loss")
    assert of_rates(0.125, plateau)["learning_rate"] == [0.125] * 3
    log = of_rates(0.0, scheduler(lambda epoch: 2.0**-epoch))
    assert log["learning_rate"] == [1, 0.5, 0.25]
    with pytest.raises(KeyError, match="'lr'"):
        log["lr"]
    said = "The output of the `schedule` function should be a float"
    with pytest.raises(ValueError, match=said):
        of_rates(0.0, scheduler(restarts))
    log = of_rates(0.0, scheduler(lambda epoch: float(restarts(epoch))))
    assert log["learning_rate"] == [float(restarts(n)) for n in (0, 1, 2)]
    board = tf.keras.callbacks.TensorBoard(str(tmp_path))
    of_rates(restarts, board, epochs=1)
    [path] = tmp_path.glob("train/*tfevents*")
    assert b"epoch_learning_rate" in path.read_bytes()

    moved: list[float] = []

    class Own(tf.keras.callbacks.Callback):
        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            self.model.optimizer.learning_rate = 0.5 * batch
            self.w = float(self.model.w)

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            moved.append(abs(float(self.model.w) - self.w))

    of_rates(0.1, Own(), epochs=1)
    assert moved[0] == 0 < moved[1]


@says(
    "A schedule of your own: Cannot convert 0.1 to EagerTensor of dtype int64"
)
@says(
    "`Cannot convert 0.1 to EagerTensor of dtype int64` | [Your own "
    "schedule](#a-schedule … int64)"
)
@says("A warm-up begins with small steps.")
@says("A rate that rises to 0.1 within ten updates, and stays there.")
@says("Return the rate of the next update.")
@says(
    "The optimizer hands over its count of updates, a whole number of type "
    "`int64`. So is `step + 1`, and then 0.1 does not go with it. In a "
    "compiled step the same mistake says `Expected int64, but got 0.1 of "
    "type 'float'`."
)
@says("The same, with the count as a float.")
def test_a_schedule_counts_in_whole_numbers() -> None:
    message = "Cannot convert 0.1 to EagerTensor of dtype int64"
    assert printed(NAME, "own_schedule") == f"TypeError: {message}"
    with pytest.raises(TypeError, match=message):
        float(SGD(WarmUp()).learning_rate)
    assert SGD(0.1).iterations.dtype == "int64"
    assert (SGD(0.1).iterations + 1).dtype == tf.int64
    model = KerasLinearModel()
    words = "Expected int64, but got 0.1 of type 'float'"
    with pytest.raises(TypeError, match=words):
        make_step(model, SGD(WarmUp()))(*BATCHES[0])
    rates = [float(WarmUpCast()(tf.constant(n, tf.int64))) for n in range(12)]
    expected = [min(n + 1, 10) / 100 for n in range(12)]
    assert rates == pytest.approx(expected, rel=1e-6)
    assert numbers(printed(NAME, "cast_schedule")) == pytest.approx(expected)


@says(
    "An `if` that asks for the count is [refused in a "
    "graph](errors_in_a_step.md … allowed); `tf.minimum` and `tf.where` do "
    "without."
)
@says(
    "`get_config` is there for `model.save`, which else raises a "
    "`NotImplementedError`."
)
@says("Return the arguments that it was made with: none.")
def test_a_schedule_in_a_graph_and_in_a_file(tmp_path: Path) -> None:
    class Asks(tf.keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step: Any) -> float:
            return 0.1 if step > 10 else 0.01

    class Chooses(tf.keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step: Any) -> Any:
            return tf.where(step > 10, 0.1, 0.01)

    def compiled(schedule: Any) -> Any:
        model = tf.keras.Sequential([tf.keras.Input((1,)), layers.Dense(1)])
        model.compile(SGD(schedule), "mse")
        return model

    with pytest.raises(tf.errors.OperatorNotAllowedInGraphError):
        compiled(Asks()).fit(LINE_X, LINE_Y, verbose=0)
    for schedule in (Chooses(), WarmUpCast()):
        compiled(schedule).fit(LINE_X, LINE_Y, verbose=0)
    path = tmp_path / "model.keras"
    with pytest.raises(NotImplementedError, match="get_config"):
        compiled(Chooses()).save(path)
    compiled(WarmUpCast()).save(path)
    assert path.exists()
    assert WarmUpCast(**WarmUpCast().get_config())


@says("A schedule that came too late")
@says(
    "A new schedule changes nothing | [Late "
    "schedules](#a-schedule-that-came-too-late)"
)
@says("The other way round, a schedule in the place of a number, is allowed.")
@says("But it is another object, and a compiled step keeps the old one.")
@says(
    "`float(optimizer.learning_rate)` says 0 and the step trains on with 0.1."
)
@says("A new step obeys.")
@says("a number, by a schedule | keeps the number | a new step")
def test_a_late_schedule() -> None:
    number, schedule, new = last("late_schedule")
    assert number == new == 0
    assert schedule > 0.01
    model, optimizer, step = line(0.1)
    step(*BATCHES[0])
    schedules = tf.keras.optimizers.schedules
    optimizer.learning_rate = schedules.ExponentialDecay(0.0, 20, 0.5)
    assert float(optimizer.learning_rate) == 0
    slope = max(abs(g).max() for g in gradients_of(model, *BATCHES[0]))
    moved = movement(model, step, *BATCHES[0])
    assert moved == pytest.approx(0.1 * slope, rel=1e-3)
    assert movement(model, make_step(model, optimizer), *BATCHES[0]) == 0


# A new head


@says("A new head: You cannot add new elements of state")
@says("`You cannot add new elements of state` | [A new head] … state)")
@says("The same two layers, as attributes of a class.")
@says("Return what the head makes of the features.")
@says(
    "A model that was called is built, and takes no further layer, variable "
    "or metric. (A layer that makes its weights in `call` has the same "
    "message: make them in `__init__` or in `build`.)"
)
@says(
    "The base is the same object, with all that it has learned: train the new "
    "model, and the old one changes, too."
)
def test_a_built_model_takes_nothing_new() -> None:
    message = "You cannot add new elements of state"
    assert f"ValueError: {message}" in printed(NAME, "new_head")
    model = TwoLayers()
    features = model.base(X)
    assert tf.reduce_all(model(X) == model.head(features))
    for new in (layers.Dense(3), tf.keras.metrics.Mean()):
        with pytest.raises(ValueError, match=message):
            model.new = new
    with pytest.raises(ValueError, match=message):
        model.add_weight(shape=())
    wide = tf.keras.Sequential(
        [tf.keras.Input((1,)), model.base, layers.Dense(3)]
    )
    before = model(X)
    plain(make_step(wide, SGD(0.1)))(X, tf.concat([Y, Y, Y], axis=1))
    assert np.max(np.abs(model(X) - before)) > 0.01

    class Late(tf.keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x * self.add_weight(shape=())

    class InTime(tf.keras.layers.Layer):
        def build(self, shape: Any) -> None:
            self.weight = self.add_weight(shape=())

        def call(self, x: Any) -> Any:
            return x * self.weight

    with pytest.raises(ValueError, match=message):
        Late()(X)
    assert InTime()(X).shape == X.shape
    wide = ran(NAME, "around_base", model=model, x=X)["wide"]
    assert wide(X).shape == (20, 3)
    assert wide.layers[0] is model.base


@says("`model.layers.pop()` changes nothing | [A new head] … state)")
@says("A `Sequential` or functional model does not complain:")
@says(
    "One output, as before. `layers` is a copy of a list, so nothing was "
    "taken out, and the new layer is an attribute that nobody calls. `pop` "
    "and `add` are methods of the `Sequential` model itself."
)
@says(
    "Of a functional model make a new one, from `model.inputs[0]` to what the "
    'new head makes of `model.get_layer("base").output`. In any case make a '
    "new optimizer, for the old one does not know the new head."
)
def test_a_head_that_nobody_calls() -> None:
    assert printed(NAME, "unused_head") == "outputs: 1"
    assert printed(NAME, "replaced_head") == "outputs: 3"
    sequence = make_model()
    functional = tf.keras.Model(sequence.inputs[0], sequence.outputs[0])
    for model in (sequence, functional):
        before = model(X)
        count = len(model.layers)
        model.layers.pop()
        assert len(model.layers) == count
        model.head = layers.Dense(3)
        assert tf.reduce_all(model(X) == before)
        assert model.head.built is False
        features = model.get_layer("base").output
        new = tf.keras.Model(model.inputs[0], layers.Dense(3)(features))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert new(X).shape == (20, 3)
        optimizer = SGD(0.1)
        optimizer.build(model.trainable_variables)
        slopes = [tf.zeros(v.shape) for v in new.variables]
        with pytest.raises(ValueError, match="Unknown variable"):
            optimizer.apply(slopes, new.variables)


@says("The layer has never been called and thus has no defined output")
@says(
    "A `Sequential` model says so of its `output` and, with another last "
    "word, of its `input`, even if it was called. But its `inputs[0]` and "
    "`outputs[0]` are there, and so is the `output` of each of its layers."
)
@says(
    "A Grad-CAM takes `tf.keras.Model(model.inputs[0], [layer.output, "
    "model.outputs[0]])`."
)
def test_the_ends_of_a_sequential_model() -> None:
    model = make_model()
    y_pred = model(X)
    for end in ("input", "output"):
        words = f"never been called and thus has no defined {end}"
        with pytest.raises(AttributeError, match=words):
            getattr(model, end)
    layer = model.get_layer("base")
    both = tf.keras.Model(model.inputs[0], [layer.output, model.outputs[0]])
    with tf.GradientTape() as tape:
        features, found = both(X)
    assert tf.reduce_all(found == y_pred)
    slopes = tape.gradient(found, features).numpy()
    weights = model.get_layer("head").kernel.numpy()
    assert slopes == pytest.approx(np.repeat(weights.T, len(X), 0))


# What a compiled step keeps


@says("Most of this page is one rule.")
@says(
    "A graph keeps what Python looked up while it was traced, and "
    "reads variables anew."
)
@says("weights, by `set_weights` | follows | none needed")
def test_what_a_graph_keeps() -> None:
    looked_up, variable = [2.0], tf.Variable(3.0)
    graph = tf.function(lambda: looked_up[0] * variable)
    assert float(graph()) == 6
    looked_up[0] = 5.0
    assert float(graph()) == 6
    variable.assign(4.0)
    assert float(graph()) == 8
    model, _, optimizer = built()
    step = make_step(model, optimizer)
    step(X, Y)
    model.set_weights([0 * weight for weight in model.get_weights()])
    np.testing.assert_allclose(step(X, Y), np.zeros((20, 1)), atol=1e-6)
    table = SOURCE.partition("| You change |")[2].partition("\n\n")[0]
    assert table.count("| a new step |") == 4


# Exercises


@says(
    "Halve the rate when the lowest of the last three losses, one an "
    "epoch, is no lower than the lowest before them."
)
@says("Halve the rate if the last epochs brought no new low of the loss.")
@says(
    "(On a long plateau that is in every epoch. Keras' `ReduceLROnPlateau` "
    "waits anew each time.)"
)
def test_a_plateau() -> None:
    model, losses = KerasLinearModel(), []
    model.compile(SGD(0.4), "mse")
    callback = tf.keras.callbacks.ReduceLROnPlateau(
        "loss", factor=0.5, patience=3, min_delta=0.0
    )
    callback.set_model(model)
    callback.on_train_begin()
    own, rates, its_rates = SGD(0.4), [], []
    for epoch in range(8):
        losses.append(1.0)
        halve_on_plateau(own, losses, 3)
        callback.on_epoch_end(epoch, {"loss": 1.0})
        rates.append(float(own.learning_rate))
        its_rates.append(float(model.optimizer.learning_rate))
    halved = [0.2, 0.1, 0.05, 0.025, 0.0125]
    assert rates == pytest.approx([0.4] * 3 + halved)
    assert its_rates == pytest.approx([0.4] * 3 + [0.2] * 3 + [0.1] * 2)
    optimizer = SGD(0.4)
    assert not halve_on_plateau(optimizer, [2.0, 2.0, 2.0], 3)
    assert not halve_on_plateau(optimizer, [2.0, 3.0, 3.0, 1.9], 3)
    assert float(optimizer.learning_rate) == pytest.approx(0.4)
    for losses in ([2.0, 3.0, 2.0, 2.5], [2.0, 3.0, 3.0, 2.5]):
        before = float(optimizer.learning_rate)
        assert halve_on_plateau(optimizer, losses, 3)
        assert float(optimizer.learning_rate) == pytest.approx(before / 2)
    assert "patience=3" in BLOCKS["plateau"].code
    rates = last("plateau")[:2]
    assert rates == [0.15, 0.075]


@says(
    "Adam divides an average of the gradients by the root of an "
    "average of their squares, and corrects both for having begun at "
    "zero."
)
@says(
    "The correction counts the optimizer's updates, not those of the variable."
)
@says(
    r"The first gradient `#!math g` makes the averages `#!math 0.1 \, "
    r"g` and `#!math 0.001 \, g^2`."
)
@says(
    "In update `#!math t` they are divided by `#!math 1 - 0.9^t` and "
    "`#!math 1 - 0.999^t`."
)
@says("If that is update 1, what remains is `#!math g / |g|`.")
@says(
    "The later it is, the less is corrected, and the length tends to "
    r"`#!math 0.1 / \sqrt{0.001} \approx 3.16` rates."
)
@says("A new optimizer begins with one rate.")
def test_the_first_update() -> None:
    def expected(t: int) -> float:
        return 0.1 / (1 - 0.9**t) / float(np.sqrt(0.001 / (1 - 0.999**t)))

    for frozen in (0, 1, 1000, 100_000):
        variable = tf.keras.Variable(0.0)
        optimizer = Adam(0.001)
        optimizer.build([variable])
        optimizer.iterations.assign(frozen)
        optimizer.apply([tf.constant(-5.0)], [variable])
        found = float(variable) / 0.001
        assert found == pytest.approx(expected(frozen + 1), rel=1e-3)
    assert expected(1) == pytest.approx(1)
    assert found == pytest.approx(3.16, abs=0.005)
    corrections = [[b**t for b in (0.9, 0.999)] for t in (1, 2, 1000)]
    assert np.all(np.diff(corrections, axis=0) < 0)
    # Two updates, of two gradients: the averages, corrected.
    variable, optimizer = tf.keras.Variable(0.0), Adam(0.001)
    mean = square = 0.0
    optimizer.build([variable])
    for t, gradient in enumerate((-5.0, -1.0), 1):
        before = float(variable)
        optimizer.apply([tf.constant(gradient)], [variable])
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        corrected = mean / (1 - 0.9**t) / np.sqrt(square / (1 - 0.999**t))
        moved = (float(variable) - before) / 0.001
        assert moved == pytest.approx(-corrected, rel=1e-3)
    shown = [
        numbers(row)[1] for row in printed(NAME, "first_update").split("\n")
    ]
    assert shown == pytest.approx([1.0, expected(1001)], abs=0.01)


# LoRA


@says(
    "*LoRA* leaves the kernel of a layer frozen and adds the product of two "
    "thin matrices to it"
)
@says("Keras does so in a layer that is built.")
@says(
    "The second matrix begins with zeros, so the output is what it was. "
    "Instead of 4,096 numbers of the kernel 256 are trained."
)
@says("The bias and the other layers still are, until you freeze them.")
@says("`Embedding`, `EinsumDense` and `Conv2D` have the method, too.")
@says("LoRA in a loop: `enable_lora` | [LoRA]")
@says("LoRA: a large layer learns by two thin matrices")
def test_lora() -> None:
    changed, *shapes = printed(NAME, "lora").splitlines()
    assert float(changed.split()[-1]) == 0
    assert [shape.split()[0] for shape in shapes] == [
        *("large/bias", "large/lora_kernel_a", "large/lora_kernel_b"),
        *("head/kernel", "head/bias"),
    ]
    layer = tf.keras.layers.Dense(64)
    with pytest.raises(ValueError, match="isn't yet built"):
        layer.enable_lora(2)
    layer.build((None, 64))
    kernel = layer.kernel.numpy()
    layer.enable_lora(2)
    thin = layer.lora_kernel_a.numpy(), layer.lora_kernel_b.numpy()
    assert kernel.size == 4096
    assert sum(matrix.size for matrix in thin) == 256
    assert np.any(thin[0])
    assert not np.any(thin[1])
    layer.lora_kernel_b.assign(tf.ones((2, 64)))
    x = tf.random.stateless_normal((3, 64), (0, 0))
    due = x @ (kernel + thin[0] @ np.ones((2, 64), "float32"))
    np.testing.assert_allclose(layer(x), due, rtol=1e-4, atol=1e-4)
    assert [v.name for v in layer.trainable_variables] == [
        *("bias", "lora_kernel_a", "lora_kernel_b")
    ]
    for other, shape in (
        (tf.keras.layers.Embedding(4, 3), (None,)),
        (tf.keras.layers.EinsumDense("ab,bc->ac", 3), (None, 4)),
        (tf.keras.layers.Conv2D(3, 2), (None, 4, 4, 2)),
    ):
        other.build(shape)
        other.enable_lora(1)
        assert other.lora_enabled
        names = {v.name for v in other.trainable_variables}
        assert len([name for name in names if "lora" in name]) == 2


@says(
    "The loop stays as it is, but enable LoRA before the optimizer is built: "
    "to one that knows other variables, each matrix is an [`Unknown variable`]"
)
@says("`save_weights` writes the sum, which loads into a model without LoRA.")
def test_lora_in_a_loop() -> None:
    def make() -> tf.keras.Model:
        return tf.keras.Sequential(
            [tf.keras.Input((4,)), tf.keras.layers.Dense(3)]
        )

    x = tf.random.stateless_normal((8, 4), (0, 0))

    def step(model: tf.keras.Model, optimizer: Any) -> None:
        with tf.GradientTape() as tape:
            current_loss = tf.reduce_mean((x[:, :3] - model(x)) ** 2)
        variables = model.trainable_variables
        gradients = tape.gradient(current_loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))

    for built_first in (False, True):
        model, optimizer = make(), tf.keras.optimizers.Adam(0.1)
        if built_first:
            optimizer.build(model.trainable_variables)
        [layer] = model.layers
        layer.enable_lora(1)
        if built_first:
            for matrix in (layer.lora_kernel_a, layer.lora_kernel_b):
                with pytest.raises(ValueError, match="Unknown variable"):
                    optimizer.apply([tf.ones_like(matrix)], [matrix])
            continue
        kernel = layer.variables[0].numpy()
        for _ in range(3):
            step(model, optimizer)
        frozen = [v for v in layer.variables if not v.trainable]
        assert len(frozen) == 1
        np.testing.assert_array_equal(frozen[0], kernel)
        model.save_weights("lora.weights.h5")
        plain = make()
        plain.load_weights("lora.weights.h5")
        np.testing.assert_allclose(plain(x), model(x), atol=1e-6)
        assert np.abs(plain.layers[0].kernel - kernel).max() > 0.01


@says("ExponentialMovingAverage: 'str' object has no attribute 'base_dtype'")
@says("`tf.train.ExponentialMovingAverage` is for a `tf.Variable`.")
@says("Of the weights of a Keras model its `apply` says this.")
@says(
    "Give it `[v.value for v in model.trainable_variables]`; the average of a "
    "weight is `average(v.value)` then."
)
def test_the_moving_average_of_tensorflow() -> None:
    averages = tf.train.ExponentialMovingAverage(0.9)
    own = tf.Variable(1.0)
    averages.apply([own])
    assert float(averages.average(own)) == 1.0
    model = KerasLinearModel()
    message = "'str' object has no attribute 'base_dtype'"
    with pytest.raises(AttributeError, match=message):
        averages.apply(model.trainable_variables)
    for weight in (1.0, 3.0):
        model.w.assign(weight)
        averages.apply([v.value for v in model.trainable_variables])
    average = float(averages.average(model.w.value))
    assert average == pytest.approx(0.9 * 1.0 + 0.1 * 3.0)
    assert float(model.w) == 3.0
