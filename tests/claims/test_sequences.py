"""What the page on sequences says is true."""

import inspect
import itertools
import logging
import math
import re
import warnings
from collections.abc import Callable
from functools import cache, partial
from typing import Any, get_args

import numpy as np
import pytest
import tensorflow as tf

from snippets.sequences import (
    check_padding,
    make_model,
    make_rnn,
    make_step,
    make_sums,
    mean_all,
    mean_real,
    mean_rows,
)
from snippets.sequences_attention import leak
from snippets.sequences_clip import make_clipped_step, make_score
from snippets.sequences_ctc import ctc_fits
from snippets.sequences_encoder import joined
from snippets.sequences_lag import learn_forecast, make_series, mean_square
from snippets.sequences_lstm import make_lstm, make_stream_step, make_waves
from snippets.sequences_next import go_on, train_words
from snippets.sequences_setup import Loss
from snippets.sequences_state import read as read_row
from snippets.sequences_state import reset
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
from tests.claims.sentences import DOCS, read, sections

NAME = "sequences"
PAGE = read(NAME)
BLOCKS = {block.name: block for block in PAGE.blocks}
SOURCE = (DOCS / f"{NAME}.md").read_text("utf-8")
layers = tf.keras.layers
SGD = tf.keras.optimizers.SGD
REFUSED = tf.errors.InvalidArgumentError
MeanSquaredError = tf.keras.losses.MeanSquaredError
Sequential = tf.keras.Sequential
KINDS = [layers.SimpleRNN, layers.GRU, layers.LSTM]
X, Y, MASK = make_sums(32, 10)
ONES = tf.ones((1, 20, 1))
LONG = tf.random.stateless_uniform([32, 80, 1], (0, 0), -1.0, 1.0)

Names = dict[str, Any]


def flat(tensor: Any) -> Any:
    """Return sequences of one number a step as NumPy sees them."""
    return np.asarray(tensor, np.float64)[..., 0]


def states(x: Any, u: float, w: float) -> Any:
    """Return the states of the network with two weights."""
    state, found = np.zeros(len(x)), []
    for step in range(x.shape[1]):
        state = w * state + u * x[:, step]
        found.append(state)
    return np.stack(found, axis=1)


def mask_of(tensor: Any) -> Any:
    return getattr(tensor, "_keras_mask", None)


def weights_of(model: Any) -> list[float]:
    return [float(weight.numpy().item()) for weight in model.weights]


def slopes(value: Callable[[], Any], sources: Any) -> list[Any]:
    with tf.GradientTape() as tape:
        tape.watch([s for s in sources if isinstance(s, tf.Tensor)])
        result = value()
    return [*tape.gradient(result, sources)]


def exploding(count: int = 20) -> Any:
    """Return a model that explodes, and rows of so many numbers."""
    x = tf.random.stateless_uniform([32, count, 1], (0, 0), -1.0, 1.0)
    model = Sequential([tf.keras.Input((None, 1)), make_rnn(1.0, 1.5)])
    return model, x, tf.cumsum(x, axis=1)


def descent(x: Any, w: float) -> tuple[float, Any]:
    """Return loss and gradient of the network with u = 1, by NumPy."""
    by_u = states(x, 1.0, w)
    before = np.pad(by_u, [[0, 0], [1, 0]])[:, :-1]
    errors = by_u - np.cumsum(x, axis=1)
    by_w = states(before, 1.0, w)
    found = [np.mean(2 * errors * slope) for slope in (by_u, by_w)]
    return float(np.mean(errors**2)), np.array(found)


def stateful(rows: int = 1) -> tuple[Any, Any]:
    """Return a model that keeps its state, and its layer."""
    counter = make_rnn(1.0, 1.0, stateful=True)
    inputs = tf.keras.Input(batch_shape=(rows, None, 1))
    return Sequential([inputs, counter]), counter


@cache
def predicted() -> Any:
    """Return what the untrained model says of the data."""
    return make_model()(X)


@pytest.fixture(scope="module")
def lstm() -> Names:
    return ran("sequences_lstm", "stream", "run", "compare")


# The page and its table


@says(
    "An RNN in a TensorFlow training loop of your own - masks and the right "
    "mean, state and reset, truncated backpropagation, clipping, any length."
)
@says(
    "Rows of uneven length, a state that goes from step to step, gradients "
    "that pass through every step: a recurrent network asks more of a custom "
    "training loop than a line does, and much of what goes wrong there raises "
    "no error."
)
@says(
    "At the end of this page you can mask a padded loss, carry a state over "
    "and reset it, cut backpropagation off, clip gradients that explode, and "
    "compile one step for all lengths."
)
def test_what_the_page_has() -> None:
    words = ["masking-the-loss", "mask-gets-lost", "state-that-is-forgotten"]
    words += ["reset_states", "truncated-backpropagation", "exploding"]
    words += ["one-graph-for-all-lengths", "an-lstm-in-a-custom"]
    titles = [*sections(NAME)]
    places = [
        next(n for n, title in enumerate(titles) if word in title)
        for word in words
    ]
    assert places == sorted(places)
    wrong = [b for b in PAGE.blocks if b.options.get("title") == "Looks right"]
    assert [block.name for block in wrong] == [
        *("mean_all", "wrong_mean", "from_the_end", "forgotten"),
        *("first_alone", "not_reset", "unclipped", "many_graphs", "copied"),
        *("masks", "ctc", "values"),
    ]
    for block in wrong:
        assert "raises" not in block.options
        assert not re.search("(?i)error|warning", printed(NAME, block.name))
    assert "input_signature" in BLOCKS["stream"].code


@says("The same sequence, padded, gets another prediction | … answer)")
@says("More padding, less loss | [2](#2-masking-the … sequence)")
@says(
    "`does not support masking and will therefore destroy the mask` | "
    "[2](#where-a-mask-gets-lost)"
)
@says("`object of type 'RaggedTensor' has no len()` | … row_lengths)")
@says(
    "`indices[0,2] = 5 is not in [0, 5)` from an `Embedding` | [3]"
    "(#indices02-5-is-not-in-0-5)"
)
@says("A zero in the data is skipped | … padding)")
@says("Each batch or window starts from nothing | … forgotten)")
@says(
    "`'Sequential' object has no attribute 'reset_states'` | "
    "[5](#5-sequential-object-has-no-attribute-reset_states)"
)
@says("A stateful LSTM predicts something else each time | … reset_states)")
@says("`the batch size must be static` | … reset_states)")
@says("Truncated backpropagation: what does it cut? | … time)")
@says("The loss is inf, then nan; exploding gradients | … gradients)")
@says("`triggered tf.function retracing` | … lengths)")
@says("Teacher forcing; a decoder repeats the last word | … word)")
@says(
    "`Too few leaves for PyTreeSpec; expected: 4, got: 2` | [4]"
    "(#initial_state-is-not-compatible-with-cellstate_size)"
)
@says("Attention looks at the padding | [10] … padding)")
@says(
    "`Incompatible shapes: [2,2,4,4] vs. [1,1,2,4]` in attention | [10]"
    "(#10-multiheadattention-which-mask-hides-the-padding)"
)
@says(
    "An LSTM forecast lags behind: it repeats the last values | [12]"
    "(#12-an-lstm-whose-forecast-lags-behind-the-series)"
)
@says("1. Padding changes the answer")
@says("5. `'Sequential' object has no attribute 'reset_states'`")
def test_each_row_leads_to_a_section_that_shows_it() -> None:
    rows = re.findall(r"(?m)^\| (.+) \| \[.+\]\(#(.+)\) \|$", SOURCE)
    shows = {
        "last_step": "masking False: 2.125, padded 0.531",
        "check_means": "loss 0.6332, was 0.7834",
        "": "`destroy the mask information`",
        "nested": "condition [1,3], then [1,2], and else [1,2] must be",
        "   ": "`object of type 'RaggedTensor' has no len()`",
        "real_zero": "masking True: 1.000 1.000",
        "out_of_range": "indices[0,2] = 5 is not in [0, 5)",
        "forgotten": "[1. 2. 3. 4.]\n[1. 2. 3. 4.]",
        "    ": "`Too few leaves for PyTreeSpec; expected: 4, got: 2`",
        "reset_states": "'Sequential' object has no attribute 'reset_states'",
        "not_reset": "[ 9. 10. 11.]",
        " ": "`the batch size must be static`",
        "seen": "windows of 10: count 20, gradient 145",
        "unclipped": "step 2: loss inf, then u nan, w nan",
        "  ": "`triggered tf.function retracing`",
        "copied": "[2, 3, 3, 3, 3, 3]",
        "masks": "1 at padding: 0.81",
        "two_axes": "Incompatible shapes: [2,2,4,4] vs. [1,1,2,4]",
        "ctc": "costs [2.2 inf]",
        "lag": "2 steps before: 6",
    }
    assert len(rows) == len(shows)
    parts = sections(NAME)
    for (_, place), (block, text) in zip(rows, shows.items(), strict=True):
        if not block.strip():
            assert text in " ".join(parts[place].split())
            continue
        assert f':{block}"' in parts[place]
        assert text in printed(NAME, block)
    one_row = tf.keras.Input(batch_shape=(1, None, 1))
    model = Sequential([one_row, layers.LSTM(2, stateful=True)])
    assert not np.allclose(model(ONES[:, :3]), model(ONES[:, :3]))


@says(
    "You need a loop with an optimizer and a compiled step, as in [the loop "
    "with the usual parts](usual_parts.md#an-optimizer-and-a-compiled-step)."
)
@says(
    "[Gradient clipping](usual_parts.md#gradient-clipping) tells more, and "
    "what `clipnorm` without `global_` does."
)
@says(
    "See [When the loss is not a "
    "number](not_a_number.md#gradient-clipping-does-not-save-a-nan)."
)
@says(
    "The other parts of a loop: [The loop with the usual "
    "parts](usual_parts.md)."
)
@says("A loss that is nan: [When the loss is not a number](not_a_number.md).")
def test_other_pages() -> None:
    parts = sections("usual_parts")
    assert "tf.function" in parts["an-optimizer-and-a-compiled-step"]
    clipping = " ".join(parts["gradient-clipping"].split())
    assert "`clipnorm`, without `global_`" in clipping
    others = {"mini-batches", "metrics", "early-stopping", "callbacks"}
    assert others < parts.keys()
    assert "gradient-clipping-does-not-save-a-nan" in sections("not_a_number")


@says("All blocks above, in order, as one file.")
@says("It needs TensorFlow and Matplotlib.")
@says("The imports, three colours, and some types.")
@says("A `Loss` is a function of outputs, predictions and a mask.")
def test_all_blocks_ran_with_what_the_page_names() -> None:
    blocks = [name.rpartition(":")[2] for name in record(NAME)]
    assert [n for n in blocks if n in BLOCKS] == [b.name for b in PAGE.blocks]
    modules = imported(PAGE)
    assert modules == {
        *("math", "collections", "typing"),
        *("tensorflow", "matplotlib"),
    }
    first = PAGE.blocks[0].code
    assert sum("import " in b.code for b in PAGE.blocks) == 1
    assert len(re.findall(r'"#\w{6}"', first)) == 3
    assert len(re.findall(r"(?m)^\w+(?:: TypeAlias)? = ", first)) > 3
    assert len(get_args(Loss)[0]) == 3
    for loss in (mean_real, mean_all, mean_rows):
        parameters = inspect.signature(loss).parameters
        assert [*parameters] == ["y", "predictions", "mask"]


# The data and the network


@says(
    "The data are rows of numbers, and their running sums are to be learned."
)
@says(
    "Rows have different lengths, so each is padded with zeros behind its end."
)
@says("The mask says which steps are real.")
@says("Return numbers, their running sums, and where they are real.")
@says("A row has 2 to longest numbers.")
@says("Behind them x and y are zero.")
def test_the_data() -> None:
    x, y, mask = make_sums(200, 10)
    real, x, y = mask.numpy(), flat(x), flat(y)
    lengths = real.sum(axis=1)
    assert {*lengths} == {*range(2, 11)}
    for row, length in enumerate(lengths):
        assert real[row, :length].all()
        assert np.all(x[row, :length] != 0)
        sums = np.cumsum(x[row, :length])
        np.testing.assert_allclose(y[row, :length], sums, atol=1e-5)
        assert not np.any(x[row, length:])
        assert not np.any(y[row, length:])
    shown = [row for row in lines(NAME, "look") if len(row) == 10]
    np.testing.assert_allclose(shown, [flat(X)[5], flat(Y)[5]], atol=0.006)


@says("Two weights are enough for a network that can learn this.")
@says("With `#!math u = w = 1` it makes running sums:")
@says(
    "It is a `SimpleRNN` without bias and activation, small enough to be "
    "computed by hand."
)
@says("Return a recurrent layer with two weights: h = w * h + u * x.")
@says("The model to train starts with `#!math u = w = 0.5`.")
@says("Return a model of sums that has them to learn.")
def test_the_network() -> None:
    rnn = make_rnn(0.3, -0.8)
    assert type(rnn) is layers.SimpleRNN
    assert not rnn.use_bias
    assert rnn.activation is tf.keras.activations.linear
    expected = states(flat(X), 0.3, -0.8)
    np.testing.assert_allclose(flat(rnn(X)), expected, atol=1e-5)
    assert [w.shape for w in rnn.weights] == [(1, 1), (1, 1)]
    sums = np.cumsum(flat(X), axis=1)
    np.testing.assert_allclose(flat(make_rnn(1, 1)(X)), sums, atol=1e-5)
    assert weights_of(make_model()) == [0.5, 0.5]
    assert float(mean_real(Y, predicted(), MASK)) > 1
    assert lines(NAME, "right_mean") == [pytest.approx([1.0, 1.0], abs=0.02)]


@says(
    "A `Masking` layer in front looks for steps in which all numbers are "
    "zero, and sends a mask along."
)
def test_the_masking_layer() -> None:
    steps = tf.constant([[[1.0, 2.0], [0.0, 3.0], [0.0, 0.0]]])
    outputs = layers.Masking()(steps)
    assert mask_of(outputs).numpy().tolist() == [[True, True, False]]
    assert type(make_model().layers[0]) is layers.Masking
    assert len(make_model(masking=False).layers) == 1
    assert np.array_equal(mask_of(predicted()), MASK)


@says(
    "`GRU` and `LSTM` take masks and states in the same way; at the end of "
    "the page there is [an LSTM](#an-lstm-in-a-custom-training-loop)."
)
@says(
    "`*state` takes whatever there is: one tensor from `SimpleRNN` and "
    "`GRU`, two from `LSTM`."
)
@says(
    "Row by row it belongs to the rows of the window, so the next window "
    "must have the same rows in the same order."
)
@says("Do not shuffle windows.")
@pytest.mark.parametrize("kind", KINDS)
def test_all_recurrent_layers(kind: Any) -> None:
    assert "layers.LSTM(" in BLOCKS["make_lstm"].code
    assert [*sections(NAME)].index("an-lstm-in-a-custom-training-loop") > 10
    x, _, mask = make_sums(3, 6)
    rnn = kind(4, return_sequences=True, return_state=True)
    outputs, *state = rnn(x, mask=mask)
    assert len(state) == (2 if kind is layers.LSTM else 1)
    for row, length in enumerate(mask.numpy().sum(axis=1)):
        last = outputs[row, length - 1].numpy()
        assert np.all(outputs[row, length:] == last)
        assert np.all(state[0][row] == last)
    whole, *_ = rnn(x)
    _, *state = rnn(x[:, :3])
    assert all(part.shape[0] == len(x) for part in state)
    after, *_ = rnn(x[:, 3:], initial_state=state)
    np.testing.assert_allclose(after, whole[:, 3:], atol=1e-6)
    shuffled, *_ = rnn(x[::-1, 3:], initial_state=state)
    assert abs(shuffled[::-1] - whole[:, 3:]).numpy().max() > 1e-3
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        rnn(x[:2, 3:], initial_state=state)


# 1. Padding changes the answer


@says(
    "Take a row of three numbers, and the same row with two steps of padding."
)
@says(
    "Without a mask the network reads the zeros and forgets: each padded "
    "step multiplies its state by `#!math w`."
)
@says(
    "With a mask it keeps state and output as they were at the last real step."
)
@says(
    "(`Bidirectional` returns zeros at padded steps. There take "
    "`return_sequences=False`, not `[:, -1]`.)"
)
def test_padding_of_two_directions() -> None:
    row = tf.constant([[[1.0], [2.0], [3.0]]])
    padded = layers.Masking()(tf.pad(row, [[0, 0], [0, 2], [0, 0]]))
    both = layers.Bidirectional(make_rnn(0.5, 0.5))
    assert both(padded).numpy()[0, 3:].tolist() == [[0.0, 0.0]] * 2
    assert both(row).numpy()[0, -1].min() > 0
    last = layers.Bidirectional(make_rnn(0.5, 0.5, return_sequences=False))
    np.testing.assert_allclose(last(padded), last(row), rtol=1e-6)


@says("**The check** is that both numbers are equal.")
def test_padding_changes_the_answer() -> None:
    row = tf.constant([[[1.0], [2.0], [3.0]]])
    padded = tf.pad(row, [[0, 0], [0, 2], [0, 0]])
    due = states(flat(row), 0.5, 0.5)[0, -1]
    without, masked = lines(NAME, "last_step")
    assert without == pytest.approx([due, due * 0.5**2], abs=1e-3)
    assert masked == pytest.approx([due, due], abs=1e-3)
    rnn = make_rnn(0.5, 0.5, return_state=True)
    outputs, state = rnn(layers.Masking()(padded))
    assert flat(outputs)[0, 2:].tolist() == [due] * 3
    assert float(tf.squeeze(state)) == due


# 2. Masking the loss


@says("The network skips padded steps.")
@says("A loss does so only if it knows the mask.")
@says("Here are four means of the same squared errors.")
@says("Return the mean squared error of the real steps.")
@says("Return the mean squared error of all steps, padded ones included.")
@says(
    "The mean over all steps takes the padded ones in: at those the network "
    "repeats its last output, and the padded target is zero."
)
@says(
    "The loss object of Keras finds the mask that came along with the "
    'predictions and takes the right mean. With `reduction="none"` it '
    "returns zeros at padded steps, and a mean of your own counts these."
)
def test_four_means() -> None:
    predictions = predicted()
    outputs, real = flat(predictions), MASK.numpy()
    errors = (flat(Y) - outputs) ** 2
    right, wrong = errors[real].mean(), errors.mean()
    assert abs(right - wrong) > 0.1
    four = [row[0] for row in lines(NAME, "four_means")]
    assert four == pytest.approx([right, wrong, right, wrong], abs=1e-3)
    assert float(mean_real(Y, predictions, MASK)) == pytest.approx(right)
    assert float(mean_all(Y, predictions, MASK)) == pytest.approx(wrong)
    assert float(MeanSquaredError()(Y, predictions)) == pytest.approx(right)
    each = MeanSquaredError(reduction="none")(Y, predictions).numpy()
    assert each[~real].max() == 0.0
    assert each.mean() < 0.9 * right
    kept = make_rnn(0.5, 0.5)(X, mask=MASK)
    assert np.array_equal(flat(kept), outputs)
    for row, length in enumerate(real.sum(axis=1)):
        assert np.all(outputs[row, length:] == outputs[row, length - 1])
        assert not np.any(flat(Y)[row, length:])


@says("Train with both.")
@says("Return a step that updates the model and returns its loss.")
@says("Return the two weights at which 60 steps with a loss end.")
@says(
    "With the wrong mean, the network learns to take in only three quarters "
    "of each number: its last outputs are then closer to the padded zeros."
)
@says("With the right one it learns to add.")
def test_training_with_both_means() -> None:
    x, y, mask = make_sums(4, 6)
    model, due = make_model(), make_model()
    with tf.GradientTape() as tape:
        loss = mean_real(y, due(x), mask)
    found = tape.gradient(loss, due.weights)
    step = make_step(model, SGD(0.05), mean_real)
    assert float(step(x, y, mask)) == pytest.approx(float(loss))
    expected = [0.5 - 0.05 * slope.numpy().item() for slope in found]
    assert weights_of(model) == pytest.approx(expected, rel=1e-5)
    code = BLOCKS["learn"].code
    assert "for _ in range(60):" in code
    assert "SGD(0.05)" in code
    assert "learn(mean_all" in BLOCKS["wrong_mean"].code
    assert "learn(mean_real" in BLOCKS["right_mean"].code
    [[u, w]], [[one, other]] = (
        lines(NAME, "wrong_mean"),
        lines(NAME, "right_mean"),
    )
    assert u == pytest.approx(0.75, abs=0.03)
    assert w == pytest.approx(1.0, abs=0.03)
    assert (one, other) == pytest.approx((1.0, 1.0), abs=0.02)

    def padded(u: float, w: float) -> float:
        outputs = make_rnn(u, w)(X, mask=MASK)
        return float(mean_real(Y, outputs, tf.logical_not(MASK)))

    assert padded(u, w) < padded(one, other)


@says("**The check** makes the padding longer.")
@says("It must not change the loss.")
@says("Assert that three more padded steps leave the loss as it is.")
@says("Return the mean of the mean squared errors of the rows.")
def test_the_check_of_padding() -> None:
    seen: list[Any] = []

    def seeing(y: Any, predictions: Any, mask: Any) -> Any:
        seen.append((y, predictions, mask))
        return mean_real(y, predictions, mask)

    check_padding(seeing, make_model(), X, Y, MASK)
    assert [mask.shape[1] for *_, mask in seen] == [10, 13]
    for values in seen[1]:
        assert not np.any(values[:, 10:]) or values is seen[1][1]
    with pytest.raises(AssertionError, match=r"loss 0\.6332, was 0\.7834"):
        check_padding(mean_all, make_model(), X, Y, MASK)
    check_padding(mean_rows, make_model(), X, Y, MASK)
    errors = (flat(Y) - flat(predicted())) ** 2
    rows = [row[real].mean() for row, real in zip(errors, MASK, strict=True)]
    found = float(mean_rows(Y, predicted(), MASK))
    assert found == pytest.approx(np.mean(rows))
    assert "check_padding(mean_rows" in BLOCKS["by_rows"].code


@says(
    "In the last of the four means, the mask was lost with "
    "`predictions[..., 0]`."
)
@says("It is a note that Keras attaches to what its layers return.")
@says(
    "An operation of TensorFlow's that makes a new tensor, be it "
    "`predictions * 1.0`, makes one without it, and what a compiled model "
    "returns, as `tf.function(model)(x)`, has none either."
)
@says(
    "So `MeanSquaredError()` is right about the one and wrong about the "
    "other, without a word."
)
@says("A function such as `tf.keras.losses.mse` does not look for it at all.")
@says("Where a mask gets lost")
def test_where_a_mask_gets_lost() -> None:
    assert "predictions[..., 0]" in highlighted(BLOCKS["four_means"])[1]
    x, y, mask = make_sums(4, 6)
    model = make_model()
    predictions = model(x)
    right = float(mean_real(y, predictions, mask))
    wrong = float(mean_all(y, predictions, mask))
    assert abs(right - wrong) > 0.01
    assert np.array_equal(mask_of(predictions), mask)
    keras_loss = MeanSquaredError()
    with warnings.catch_warnings(action="error"):
        assert float(keras_loss(y, predictions)) == pytest.approx(right)
        for act in (
            lambda p: p * 1.0,
            lambda p: p[..., 0],
            tf.identity,
            tf.stop_gradient,
            lambda p: tf.reshape(p, p.shape),
        ):
            lost = act(predictions)
            assert mask_of(lost) is None
            due = tf.reshape(y, lost.shape)
            assert float(keras_loss(due, lost)) == pytest.approx(wrong)
        compiled = tf.function(model)(x)
        assert mask_of(compiled) is None
        assert float(keras_loss(y, compiled)) == pytest.approx(wrong)
    assert mask_of(tf.cast(predictions, tf.float32)) is not None
    losses = tf.keras.losses
    for function in (losses.mse, losses.mae, losses.huber, losses.msle):
        blind = function(y, predictions)
        assert np.array_equal(blind, function(y, predictions * 1.0))


@says("TimeDistributed: condition, then, and else must be broadcastable")
@says("A document has sentences of words, and both are padded.")
@says(
    "The inner `GRU` reads each sentence, the outer one reads what came of "
    "them."
)
@says(
    "`TimeDistributed` gives each sentence its mask, and hands on all of "
    "them, with three axes. The next layer wants one number for each "
    "sentence."
)
@says(
    "`condition [1,3], then [1,2], and else [1,2] must be broadcastable` | "
    "[2] … broadcastable)"
)
@says("Make the outer mask yourself:")
@says("**The check** is that both rows are equal.")
def test_the_mask_of_a_document() -> None:
    told = printed(NAME, "nested")
    said = "condition [1,3], then [1,2], and else [1,2] must be broadcastable"
    assert said in told
    assert "mask=tf.Tensor(shape=(1, 3, 3), dtype=bool)" in told
    padded, without = printed(NAME, "nested_mask").splitlines()
    assert padded.split(":")[1].split() == without.split(":")[1].split()
    layers = tf.keras.layers
    document = tf.constant([[[3, 1, 0], [2, 0, 0], [0, 0, 0]]])
    embedded = layers.Embedding(5, 3, mask_zero=True)(document)
    inner = layers.GRU(2, seed=0)
    sentences = layers.TimeDistributed(inner)(embedded)
    each = inner(embedded[0], mask=document[0] != 0)
    np.testing.assert_allclose(sentences[0], each, atol=1e-6)
    assert not np.allclose(inner(embedded[0]), each, atol=1e-5)
    assert np.array_equal(mask_of(sentences), document != 0)


@says(
    "If sentences have as many words as the layer has units, nothing is "
    "raised, and the answer is wrong."
)
def test_a_mask_that_fits_by_chance() -> None:
    layers = tf.keras.layers
    document = tf.constant([[[3, 1], [2, 0], [0, 0]]])
    embedded = layers.Embedding(5, 3, mask_zero=True)(document)
    sentences = layers.TimeDistributed(layers.GRU(2, seed=0))(embedded)
    reader = layers.GRU(2, seed=1)
    right = reader(sentences, mask=tf.reduce_any(document != 0, axis=-1))
    np.testing.assert_allclose(right, reader(sentences[:, :2]), atol=1e-6)
    assert not np.allclose(reader(sentences), right, rtol=0.01)


@says(
    "Around a `Dense`, and around a whole model that embeds words by itself, "
    "it is another matter: the one passes the mask of the steps on as it is, "
    "and the other passes none on."
)
@says("`Bidirectional` passes it on if it returns sequences.")
@says(
    "`GlobalAveragePooling1D` leaves padded steps out; `GlobalMaxPooling1D`, "
    "`Conv1D` and `Flatten` do not, and warn."
)
def test_what_becomes_of_a_mask() -> None:
    layers = tf.keras.layers
    words = tf.constant([[3, 1, 0, 0], [2, 4, 1, 0]])
    embedding = layers.Embedding(5, 3, mask_zero=True)
    both = layers.Bidirectional(layers.GRU(2, return_sequences=True))
    with warnings.catch_warnings(action="error"):
        for layer in (layers.TimeDistributed(layers.Dense(2)), both):
            assert np.array_equal(mask_of(layer(embedding(words))), words != 0)
        last = layers.Bidirectional(layers.GRU(2))(embedding(words))
        assert mask_of(last) is None
        mean = layers.GlobalAveragePooling1D()(embedding(words))
    real = np.mean(embedding(words)[0, :2], axis=0)
    np.testing.assert_allclose(mean[0], real, atol=1e-6)
    reader = tf.keras.Sequential([embedding, layers.GRU(2)])
    document = tf.reshape(words, (1, 4, 2))
    assert mask_of(layers.TimeDistributed(reader)(document)) is None
    maximum = layers.GlobalMaxPooling1D()
    for layer in (maximum, layers.Conv1D(2, 1), layers.Flatten()):
        with pytest.warns(UserWarning, match="destroy the mask"):
            assert mask_of(layer(embedding(words))) is None
    low = tf.constant([[[-1.0], [0.0]]])
    with pytest.warns(UserWarning, match="destroy the mask"):
        assert float(maximum(layers.Masking()(low))[0, 0]) == 0


@says("A RaggedTensor: `to_tensor` and `row_lengths`")
@says(
    "Rows in a `tf.RaggedTensor` have their own lengths and no padding, and "
    "most of Keras 3 does not take them."
)
@says(
    "`SimpleRNN` says `Cannot index into an inner ragged dimension`, `Dense` "
    "says `object of type 'RaggedTensor' has no len()`, and `fit` with ragged "
    "outputs says `None values not supported`."
)
def test_what_takes_no_ragged_tensor() -> None:
    ragged = tf.ragged.constant([[1.0, 2.0, 3.0], [4.0, 5.0]])
    assert ragged.row_lengths().numpy().tolist() == [3, 2]
    assert len(ragged.flat_values) == 5
    columns = tf.expand_dims(ragged, -1)
    for layer in (make_rnn(0.5, 0.5), layers.GRU(2), layers.LSTM(2)):
        with pytest.raises(ValueError, match="inner ragged dimension"):
            layer(columns)
    message = "object of type 'RaggedTensor' has no len()"
    with pytest.raises(ValueError, match=re.escape(message)):
        layers.Dense(2)(columns)
    with pytest.raises(ValueError, match="mixed types"):
        MeanSquaredError()(columns, columns)
    model = make_model()
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="None values not supported"):
        model.fit(columns.to_tensor(), columns, verbose=0)


@says("Pad inputs and outputs, and make the mask of the lengths.")
@says(
    "In a pipeline both belong in a `map` behind `batch`: each batch is then "
    "as long as its longest row."
)
def test_ragged_rows_padded() -> None:
    pairs = [([1, 2, 3], [1, 3, 6]), ([4, 5], [4, 9])]
    errors = []
    for x, y in pairs:
        state = 0.0
        for number, sum_ in zip(x, y, strict=True):
            state = 0.5 * state + 0.5 * number
            errors.append((state - sum_) ** 2)
    shown = printed(NAME, "ragged")
    assert re.findall("True|False", shown) == ["True"] * 5 + ["False"]
    assert numbers(shown)[-1] == pytest.approx(np.mean(errors), abs=1e-3)
    rows = tf.ragged.constant([[1.0] * length for length in (2, 5, 1, 3)])
    padded = (
        tf.data.Dataset.from_tensor_slices(rows)
        .batch(2)
        .map(lambda r: (r.to_tensor(), tf.sequence_mask(r.row_lengths())))
    )
    shapes = [(tuple(x.shape), tuple(mask.shape)) for x, mask in padded]
    assert shapes == [((2, 5), (2, 5)), ((2, 3), (2, 3))]
    for x, mask in padded:
        np.testing.assert_array_equal(x == 1, mask)


@says(
    "Layers that cannot pass a mask on, such as `Reshape`, at least warn "
    "that they `destroy the mask information`."
)
@pytest.mark.parametrize(
    ("layer", "passes"),
    [
        (layers.Reshape((10, 1)), False),
        (layers.Flatten(), False),
        (layers.Conv1D(1, 2), False),
        (layers.MaxPooling1D(2), False),
        (layers.Permute((2, 1)), False),
        (layers.Lambda(lambda values: values * 1.0), False),
        (layers.Dense(1), True),
        (layers.Dropout(0.5), True),
    ],
)
def test_layers_that_cannot_pass_a_mask_on(layer: Any, passes: bool) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        outputs = layer(predicted())
    assert (mask_of(outputs) is not None) is passes
    said = "does not support masking and will therefore destroy the mask "
    told = [w for w in told if f"{said}information" in str(w.message)]
    assert len(told) == (0 if passes else 1)


# 3. A zero that is no padding


@says(
    "With the mask the second step did not take place: the state stayed as "
    "it was where it should have been halved."
)
@says("`Masking` cannot know.")
@says(
    "Either pad with a value that is not in the data, and name it in "
    "`Masking(mask_value=…)`, or hand the layer a mask that you made from "
    "the lengths."
)
@says(
    "**The check** is that the mask has as many real steps as the lengths say."
)
def test_a_zero_that_is_no_padding() -> None:
    right, wrong = lines(NAME, "real_zero")
    due = states(np.array([[2.0, 0.0, 3.0]]), 0.5, 0.5)[0]
    assert right == pytest.approx(due, abs=1e-3)
    assert wrong[1] == wrong[0] == 2 * due[1]
    assert lines(NAME, "own_mask")[0] == pytest.approx(
        [*due, due[-1]], abs=1e-3
    )
    assert "mask=real" in BLOCKS["own_mask"].code
    row = tf.constant([[[2.0], [0.0], [3.0], [-9.0]]])
    other = layers.Masking(mask_value=-9.0)
    named = flat(make_rnn(0.5, 0.5)(other(row)))[0]
    assert named == pytest.approx([*due, due[-1]])
    padded = tf.constant([[[2.0], [0.0], [3.0], [0.0]]])
    made = tf.sequence_mask([3], 4)
    counts = [
        int(tf.math.count_nonzero(m))
        for m in (
            layers.Masking().compute_mask(padded),
            other.compute_mask(row),
            made,
        )
    ]
    assert counts == [2, 3, 3]


@says(
    "Where each step has a target, a weight for each sequence, as a "
    "`sample_weight`, has to be a column, of shape `(batch, 1)`."
)
@says(
    "One of shape `(batch,)` Keras takes for weights of the steps, with a "
    "mask or without: an error as a rule, and with as many sequences as steps "
    "the wrong loss, without a word."
)
@pytest.mark.parametrize("masked", [False, True])
def test_a_weight_for_each_sequence(masked: bool) -> None:
    def loss(count: int, weights: Any) -> float:
        """Return the loss that fit reports of sequences of three steps."""
        x = np.arange(1.0, 3 * count + 1).reshape(count, 3, 1)
        inputs: list[Any] = [tf.keras.Input((3, 1))]
        inputs += [layers.Masking()] if masked else []
        model = Sequential([*inputs, layers.Activation("linear")])
        model.compile(SGD(0.0), "mse")
        options = {"sample_weight": weights, "shuffle": False, "verbose": 0}
        told = model.fit(x, 0 * x, **options)
        return float(told.history["loss"][0])

    squares = np.arange(1.0, 10).reshape(3, 3) ** 2
    row = np.array([1.0, 0.0, 0.0])
    by_sequence = loss(3, row[:, np.newaxis])
    assert by_sequence == pytest.approx((squares[0] / 9).sum())
    assert loss(3, row) == pytest.approx((squares[:, 0] / 9).sum())
    for count in (2, 4):
        assert loss(count, np.ones((count, 1))) > 0
        with pytest.raises(tf.errors.InvalidArgumentError, match="shapes"):
            loss(count, np.ones(count))


@says(
    "Words are numbers, too, and `Embedding` with `mask_zero=True` takes the "
    "number 0 for padding."
)
@says("Number your words from 1.")
def test_an_embedding() -> None:
    words = tf.constant([[0, 3, 1, 0]])
    embedding = layers.Embedding(5, 2, mask_zero=True)
    real = mask_of(embedding(words)).numpy()
    assert real.tolist() == [[False, True, True, False]]
    assert mask_of(layers.Embedding(5, 2)(words)) is None
    assert printed(NAME, "words") == "[[ True  True  True False False]]"


@says("`indices[0,2] = 5 is not in [0, 5)`")
@says(
    "The first number of `Embedding`, its `input_dim`, counts the rows of its "
    "table, 0 and words that are not known among them."
)
@says("With 5 rows the largest index is 4.")
@says("So `input_dim` is the largest index plus one.")
@says("Other indices that are wrong raise nothing:")
@says(
    "A negative index counts from the end of the table, as far as that "
    "reaches, and a float loses its fraction."
)
@says(
    "With `jit_compile=True` an index that is too large finds the last row, "
    "too."
)
@says(
    "**The check**, once, on the data: whole numbers, the least not below 0, "
    "the largest below `input_dim`."
)
def test_indices_of_an_embedding() -> None:
    assert "indices[0,2] = 5 is not in [0, 5)" in printed(NAME, "out_of_range")
    assert printed(NAME, "from_the_end").splitlines() == [
        "index -1 finds row 4: True",
        "index 1.7 finds row 1: True",
    ]
    embedding = layers.Embedding(input_dim=5, output_dim=2)
    embedding(tf.constant([4]))
    table = embedding.weights[0].numpy()
    assert table.shape == (5, 2)
    compiled = tf.function(embedding, jit_compile=True)
    for call in (embedding, tf.function(embedding), compiled):
        for index, row in ((0, 0), (4, 4), (-1, 4), (-5, 0), (1.7, 1)):
            assert call(tf.constant([index])).numpy().tolist() == [
                table[row].tolist()
            ]
    for call in (embedding, tf.function(embedding)):
        for index, told in ((5, 5), (70, 70), (-6, -1)):
            message = f"= {told} is not in .0, 5."
            with pytest.raises(REFUSED, match=message):
                call(tf.constant([index]))
    for index in (5, 70):
        found = compiled(tf.constant([index])).numpy()
        assert found.tolist() == [table[4].tolist()]
    known = layers.StringLookup(vocabulary=["a", "b", "c"])
    assert known.vocabulary_size() == 4
    assert known(["a", "?", "c"]).numpy().tolist() == [1, 0, 3]


# 4. A state that is forgotten


@says("A network with `#!math u = w = 1` counts ones.")
@says("Each call starts with a state of zeros.")
@says("Ask the layer for its state and hand it to the next call.")
@says(
    "**The check** is the last line: read in windows or at once, the end is "
    "the same."
)
def test_a_state_is_forgotten_or_carried() -> None:
    counter = make_rnn(1.0, 1.0)
    for _ in range(2):
        assert flat(counter(ONES)).tolist() == [[*range(1, 21)]]
    asked, handed = highlighted(BLOCKS["carried"])
    assert "return_state=True" in asked
    assert handed == "outputs, *state = counter(window, initial_state=state)"
    assert lines(NAME, "carried") == [[1, 2, 3, 4], [5, 6, 7, 8]]
    last = BLOCKS["carried"].code.rstrip().split("\n")[-1]
    assert last == "assert outputs[0, -1, 0] == whole[0, -1, 0]"
    names = ran("sequences_state", "forgotten", "carried")
    again = {**names, "outputs": counter(names["windows"][1])}
    with pytest.raises(AssertionError):
        exec(last, again)


# 5. Stateful


@says("With `stateful=True` the layer keeps the state itself.")
@says(
    "It has to know the number of rows, or it raises `the batch size must be "
    "static`."
)
@says(
    "Older texts say it by `batch_input_shape`, and get `Unrecognized keyword "
    "arguments passed to LSTM` today."
)
@says("An `Input` says it now, by `batch_shape`.")
@says("It keeps the state until it is told otherwise.")
@says("The next row is a new one, of three ones.")
@says("Nobody told it.")
@says(
    "And a stateful layer refuses another number of rows, while by hand each "
    "stream may have its own."
)
@says(
    "`fit`, `evaluate` and `predict` need that number as `batch_size`, and a "
    "multiple of it as rows, or the last batch raises `Incompatible shapes`."
)
@says(
    "If that is a single row, nothing is raised: it counts as often as the "
    "layer has rows."
)
@says("In a pipeline, `batch` leaves it out with `drop_remainder=True`.")
def test_batches_of_a_stateful_model() -> None:
    rows = tf.keras.Input((3, 1), batch_size=4)
    model = Sequential([rows, layers.SimpleRNN(1, stateful=True)])
    model.compile("sgd", "mse")
    x, y = np.ones((10, 3, 1), "float32"), np.ones((10, 1), "float32")
    pipeline = tf.data.Dataset.from_tensor_slices((x, y))
    whole = pipeline.batch(4, drop_remainder=True)
    quiet: dict[str, Any] = {"verbose": 0}
    for call in (model.fit, model.evaluate):
        call(x[:8], y[:8], batch_size=4, **quiet)
        call(whole, **quiet)
        with pytest.raises(REFUSED, match="Incompatible shapes"):
            call(x, y, batch_size=4, **quiet)
        with pytest.raises((REFUSED, ValueError)):
            call(x, y, batch_size=2, **quiet)
    assert len(model.predict(x[:8], batch_size=4, **quiet)) == 8
    with pytest.raises(REFUSED, match="Incompatible shapes"):
        model.predict(x, batch_size=4, **quiet)
    with pytest.raises((REFUSED, ValueError)):
        model.predict(x, batch_size=2, **quiet)
    for call in (model.fit, model.evaluate):
        call(x[:9], y[:9], batch_size=4, **quiet)
    for kind in (layers.GRU, layers.LSTM, layers.SimpleRNN):
        model = Sequential([rows, kind(1, stateful=True)])
        assert len(model.predict(x[:9], batch_size=4, **quiet)) == 12


@says(
    "A state that you [carry by hand](#4-a-state-that-is-forgotten) is not "
    "left over unless you hand it on."
)
def test_a_stateful_layer() -> None:
    assert "stateful=True" in highlighted(BLOCKS["stateful"])[0]
    assert lines(NAME, "stateful")[1] == [5, 6, 7, 8]
    assert lines(NAME, "not_reset") == [[9, 10, 11]]
    model, counter = stateful()
    for start in (0, 4, 8):
        counts = flat(model(ONES[:, :4]))[0]
        assert counts.tolist() == [*range(start + 1, start + 5)]
    assert float(tf.squeeze(counter.states[0])) == 12
    with pytest.raises(ValueError, match="keyword arguments passed to LSTM"):
        layers.LSTM(1, stateful=True, batch_input_shape=(4, 3, 1))
    by_input = tf.keras.Input(batch_shape=(4, 3, 1))
    told = Sequential([by_input, layers.LSTM(1, stateful=True)])
    assert told(np.ones((4, 3, 1), "float32")).shape == (4, 1)
    with pytest.raises(ValueError, match="the batch size must be static"):
        Sequential(
            [tf.keras.Input((None, 1)), make_rnn(1.0, 1.0, stateful=True)]
        )
    with pytest.raises(ValueError, match="batch size"):
        model(tf.ones((2, 4, 1)))
    by_hand = make_rnn(1.0, 1.0, return_state=True)
    for rows in (1, 2, 5):
        outputs, *state = by_hand(tf.ones((rows, 3, 1)))
        assert flat(outputs)[:, 0].tolist() == [1] * rows
        outputs, *_ = by_hand(tf.ones((rows, 3, 1)), initial_state=state)
        assert flat(outputs)[:, 0].tolist() == [4] * rows


@says(
    "`predict` and `evaluate` also move the state, so what such a model says "
    "depends on all that it was asked before."
)
@pytest.mark.parametrize("act", ["predict", "evaluate"])
def test_predict_and_evaluate_move_the_state(act: str) -> None:
    model, _ = stateful()
    model.compile(loss="mse", run_eagerly=True)
    inputs = [ONES[:, :3]] * (1 if act == "predict" else 2)
    getattr(model, act)(*inputs, batch_size=1, verbose=0)
    assert flat(model(ONES[:, :3])).tolist() == [[4, 5, 6]]


@says(
    "In Keras 3 models have no such method, but recurrent layers have "
    "`reset_state`."
)
@says("Set the states of stateful layers to zero, in inner models too.")
@says("**The check** asks twice.")
@says(
    "Layers within a layer of your own are not among `model.layers`; reset "
    "them by name."
)
def test_reset() -> None:
    class Own(tf.keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.inner = layers.SimpleRNN(1, stateful=True)

        def build(self, shape: Any) -> None:
            self.inner.build(shape)

        def call(self, x: Any) -> Any:
            return self.inner(x)

    own = Own()
    holder = Sequential([tf.keras.Input(batch_shape=(1, 3, 1)), own])
    holder(tf.ones((1, 3, 1)))
    reset(holder)
    assert own.inner.states[0].numpy().item() != 0.0
    own.inner.reset_state()
    assert own.inner.states[0].numpy().item() == 0.0
    inputs = tf.keras.Input((1,))
    functional = tf.keras.Model(inputs, layers.Dense(1)(inputs))
    for model in (Sequential(), functional, tf.keras.Model()):
        assert not hasattr(model, "reset_states")
        assert not hasattr(model, "reset_state")
    for kind in [*KINDS, layers.ConvLSTM1D]:
        assert hasattr(kind, "reset_state")
    assert not hasattr(layers.Dense, "reset_state")
    model, counter = stateful()
    outer = Sequential([layers.Dense(1, kernel_initializer="ones"), model])
    for whole in (model, outer):
        for _ in range(2):
            reset(whole)
            assert np.all(counter.states[0] == 0)
            assert flat(whole(ONES[:, :3])).tolist() == [[1, 2, 3]]
    plain = make_rnn(1.0, 1.0)
    reset(Sequential([plain]))
    assert "for _ in range(2):" in BLOCKS["was_reset"].code
    assert lines(NAME, "was_reset") == [[1, 2, 3]] * 2


# 6. Truncated backpropagation through time


@says("The state carries what was read from window to window.")
@says(
    "`read` reads a row in windows, on one tape, and can cut the state out of "
    "the gradient with `tf.stop_gradient`."
)
@says("Return the last state after reading x in windows of so many steps.")
@says(
    "The slope of the last state is the sum of all states before it, "
    r"`#!math 0 + 1 + \dots + 19 = 190`."
)
@says("The count is always right.")
@says(
    "The gradient is that of the last window: windows of ten see "
    r"`#!math 10 + \dots + 19` and windows of five `#!math 15 + \dots + 19`."
)
@says("The rest of the way is cut off.")
@says("`tf.stop_gradient` is for windows that share a tape.")
def test_the_gradient_of_windows() -> None:
    assert "tf.stop_gradient" in highlighted(BLOCKS["read"])[0]
    seen: list[int] = []
    counter = make_rnn(1.0, 1.0, return_state=True)

    def reading(window: Any, initial_state: Any) -> Any:
        seen.append(window.shape[1])
        return counter(window, initial_state=initial_state)

    last_of_seven = read_row(reading, ONES[:, :7], 3, cut=False)
    assert last_of_seven.numpy().tolist() == [[7]]
    assert seen == [3, 3, 1]
    states_before = flat(make_rnn(1.0, 1.0)(ONES))[0, :-1]
    assert sum(states_before) == sum(range(20)) == 190
    shown = lines(NAME, "seen")
    assert shown == [
        [size, 20, sum(range(20 - size, 20))] for size in (20, 10, 5)
    ]
    for cut, due in ((True, 145), (False, 190)):
        counting = partial(read_row, counter, ONES, 10, cut)
        assert counting().numpy().item() == 20
        _, by_w = slopes(counting, counter.trainable_variables)
        assert by_w.numpy().item() == due


@says(
    "The gradient of the last state by step: uncut it rises smoothly from "
    "about 0.14 at the first step to 1 at step 20; cut every ten steps it is "
    "zero up to step 10 and the same curve from step 11"
)
@says(
    "Compute it as well: the numbers count `#!math 1, w, w^2, \\dots` from "
    "the last to the first."
)
def test_the_figure_of_the_gradient() -> None:
    rnn = make_rnn(1.0, 0.9, return_state=True)
    whole, cut = (
        flat(slopes(partial(read_row, rnn, ONES, 10, cut), [ONES])[0])[0]
        for cut in (False, True)
    )
    assert whole[::-1] == pytest.approx(0.9 ** np.arange(20), rel=1e-5)
    assert whole[0] == pytest.approx(0.14, abs=0.005)
    assert whole[-1] == 1
    assert not np.any(cut[:10])
    assert cut[10:] == pytest.approx(whole[10:])
    [axes] = figure(NAME, "reach")
    for name, line in {"whole": whole, "cut every 10 steps": cut}.items():
        steps, drawn = axes.points[name]
        due = [line[int(step) - 1] for step in steps]
        assert drawn == pytest.approx(due, abs=1e-3)
    for (size, *both), count in zip(
        lines(NAME, "share"), (5, 10), strict=True
    ):
        assert size == count
        part = sum(whole[-count:]) / sum(whole)
        assert both == pytest.approx([part, part], abs=0.006)


@says(
    "A link that is longer than a window is in no gradient, nor is a shorter "
    "one that crosses from one window into the next."
)
@says(
    "The gradient is also cut, without `tf.stop_gradient`, where each window "
    "has a tape of its own, and where the layer is stateful."
)
@says(
    "So a loop with a tape and a step for every window truncates in any case."
)
def test_what_is_cut() -> None:
    row, size = ONES[:, :4], 2
    by_hand, (model, _) = make_rnn(1.0, 1.0, return_state=True), stateful()

    def cut(end: int) -> Any:
        return read_row(by_hand, row[:, :end], size, cut=True)

    def by_state(end: int) -> Any:
        reset(model)
        windows = [row[:, n : min(n + size, end)] for n in range(0, end, size)]
        return [model(window) for window in windows][-1][0, -1]

    for act in (cut, by_state):
        for end in range(1, 5):
            [found] = slopes(partial(act, end), [row])
            linked = [
                source // size == (end - 1) // size for source in range(end)
            ]
            assert flat(found)[0, :end].astype(bool).tolist() == linked
    uncut, state = make_rnn(1.0, 1.0, return_state=True), None
    optimizer = SGD(1e-6)
    for start in (0, 10):
        window = ONES[:, start : start + 10]
        with tf.GradientTape() as tape:
            _, *state = uncut(window, initial_state=state)
        found = tape.gradient(state[0], uncut.trainable_variables)
        optimizer.apply(found, uncut.trainable_variables)
    assert found[1].numpy().item() == pytest.approx(145, rel=1e-3)


# 7. Exploding gradients


@says(
    "On the way through a row the first number is multiplied by `#!math w` "
    "in each later step."
)
@says(
    "With `#!math w = 1.5`, after 20 numbers it has become "
    "{{ 1.5**19:.0f }} times as large."
)
@says("Here is what that makes of loss and gradient.")
def test_the_gradient_explodes() -> None:
    rnn = make_rnn(1.0, 1.5)
    [found] = slopes(lambda: rnn(ONES)[0, -1, 0], [ONES])
    first = float(flat(found)[0, 0])
    assert record(NAME)["1.5**19:.0f"] == f"{first:.0f}" == "2217"
    for (count, loss, norm), steps in zip(
        lines(NAME, "explode"), (5, 10, 20), strict=True
    ):
        assert count == steps
        _, x, _ = exploding(steps)
        due, gradient = descent(flat(x), 1.5)
        assert loss == pytest.approx(due, rel=0.05)
        assert norm == pytest.approx(np.linalg.norm(gradient), rel=0.05)


@says(
    "Now take steps, with those rows of 20 numbers and a learning rate of 0.1."
)
@says(
    "The first step threw the weights far away, and from there the loss is "
    "inf and the weights are nan."
)
def test_unclipped() -> None:
    assert "SGD(0.1)" in BLOCKS["unclipped"].code
    _, x, _ = exploding(20)
    loss, gradient = descent(flat(x), 1.5)
    due = [1.0, loss, *(np.array([1.0, 1.5]) - 0.1 * gradient)]
    first, second = lines(NAME, "unclipped")
    assert first == pytest.approx(due, rel=0.05)
    assert min(abs(number) for number in first[2:]) > 1e4
    assert second[1] == math.inf
    assert np.isnan(second[2:]).all()


@says(
    "Clipping by the global norm keeps the direction of the gradient and "
    "limits its length."
)
@says("Return a step that clips; it returns loss, and norm before that.")
@says(
    "Now each step moves the weights by 0.1, the learning rate times the "
    "limit, and five of them lead to `#!math w = 1`."
)
@says(
    "Watch the norm: it tells whether clipping is the exception or, as here, "
    "the rule."
)
@says(
    "An optimizer with `global_clipnorm` does the same, and you need not "
    "touch the step."
)
@says("**The check** is that loss and norm are finite.")
def test_clipped() -> None:
    model, x, y = exploding(20)
    step = make_clipped_step(model, SGD(0.1), 1.0)
    due, gradient = descent(flat(x), 1.5)
    length = np.linalg.norm(gradient)
    loss, norm = step(x, y)
    assert float(loss) == pytest.approx(due, rel=1e-4)
    assert float(norm) == pytest.approx(length, rel=1e-4)
    moved = np.subtract(weights_of(model), [1.0, 1.5])
    assert moved == pytest.approx(-0.1 * gradient / length, rel=1e-3)
    other, _, _ = exploding(20)
    optimizer = SGD(0.1, global_clipnorm=1.0)
    make_step(other, optimizer, mean_all)(x, y, None)
    assert weights_of(other) == pytest.approx(weights_of(model))
    shown = np.array([row[1:] for row in lines(NAME, "clipped")])
    assert shown[0, 0] == pytest.approx(length, rel=0.05)
    assert shown[:, 0].min() > 1
    places = np.concatenate([[[1.0, 1.5]], shown[:, 1:]])
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    assert steps == pytest.approx([0.1] * 5, abs=0.01)
    assert places[-1, 1] == pytest.approx(1.0, abs=0.01)
    assert "step = make_step(" in BLOCKS["by_optimizer"].code
    assert [row[2:] for row in lines(NAME, "clipped")][:2] == [
        row[1:] for row in lines(NAME, "by_optimizer")
    ]
    checks = BLOCKS["clipped"].code.rstrip().split("\n")[-2:]
    assert checks == [
        "assert math.isfinite(loss)",
        "assert math.isfinite(norm)",
    ]


@says("Clipping by the norm does not help where the norm is not finite.")
@says(
    "With rows of 80 numbers loss and gradient still are, but the norm "
    "overflows, and `clip_by_global_norm` returns nan."
)
def test_a_norm_that_overflows() -> None:
    model, x, y = exploding(80)
    with tf.GradientTape() as tape:
        loss = mean_all(y, model(x), None)
    gradients = tape.gradient(loss, model.weights)
    assert math.isfinite(loss)
    assert np.isfinite(gradients).all()
    clipped, norm = tf.clip_by_global_norm(gradients, 1.0)
    assert norm == math.inf
    assert np.isnan(clipped).all()
    optimizer = SGD(0.1, global_clipnorm=1.0)
    optimizer.apply(gradients, model.trainable_variables)
    assert np.isnan(weights_of(model)).all()


# 8. One graph for all lengths


@says("Return a function from a batch to its loss.")
@says("Each new length is traced into a graph of its own.")
@says("Say beforehand what may vary: `None` stands for any length.")
@says(
    "If you leave the signature out, `reduce_retracing=True` finds it after "
    "the first two lengths."
)
@says("**The check** counts the graphs.")
@says("8. One graph for all lengths")
def test_one_graph_for_all_lengths() -> None:
    x, y, mask = make_sums(4, 6)
    due = float(mean_real(y, make_model()(x), mask))
    assert float(make_score(make_model())(x, y, mask)) == due
    assert [row[-1] for row in lines(NAME, "many_graphs")] == [1, 2]
    assert [row[-1] for row in lines(NAME, "one_graph")] == [1, 1]
    assert sum("None" in row for row in highlighted(BLOCKS["one_graph"])) == 2
    last = BLOCKS["one_graph"].code.rstrip().split("\n")[-1]
    assert last == "assert graphs == 1"

    def mean_of(values: Any) -> Any:
        return tf.reduce_mean(tf.cumsum(values, axis=1))

    any_length = tf.TensorSpec([None, None, 1])
    counts = []
    for options in (
        {},
        {"reduce_retracing": True},
        {"input_signature": [any_length]},
    ):
        function = tf.function(mean_of, **options)
        for length in (8, 5, 7, 6, 5):
            function(tf.ones((4, length, 1)))
        counts.append(function.experimental_get_tracing_count())
    assert counts == [4, 2, 1]


@says(
    "If that goes on, TensorFlow warns that calls `triggered tf.function "
    "retracing`; on that there is [a page](memory.md)."
)
def test_the_warning_of_retracing() -> None:
    said: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    listener, logger = Listener(), tf.get_logger()
    logger.addHandler(listener)
    try:
        double = tf.function(lambda values: 2 * values)
        for length in range(1, 8):
            double(tf.ones((1, length, 1)))
    finally:
        logger.removeHandler(listener)
    assert any("triggered tf.function retracing" in text for text in said)
    assert "triggered-tffunction-retracing" in sections("memory")


@says(
    "All this holds for a step as well: that of the LSTM below has a "
    "signature."
)
def test_a_step_has_a_signature(lstm: Names) -> None:
    step = lstm["step"]
    assert step.input_signature is not None
    assert step.experimental_get_tracing_count() == 1
    for length in (7, 4):
        values = tf.zeros((8, length, 1))
        step.get_concrete_function(values, values, lstm["zeros"])
    assert step.experimental_get_tracing_count() == 1


# 9. Teacher forcing


@says("9. Teacher forcing: the model repeats the last word")
@says("A language model or a decoder is to say the next word.")
@says(
    "In training it reads the true words before it, which is called *teacher "
    "forcing*."
)
@says("Afterwards it reads its own.")
@says("Here the words are the numbers 1 to 4, and each row counts on and on.")
@says("Return a model that says the target of each step, one of 0 to 4.")
@says("Return the row and what follows, each word read before the next.")
@says(
    "A perfect loss, and it says the last word again and again: inputs and "
    "targets are the same, so all that it has to learn is to copy."
)
@says("Shift them by one.")
@says("**The check** is to let it go on from a row that you know.")
def test_the_next_word() -> None:
    for section, row in (
        ("copied", "[2, 3, 3, 3, 3, 3]"),
        ("shifted", "[2, 3, 4, 1, 2, 3]"),
    ):
        assert printed(NAME, section).split("\n") == ["loss 0.000", row]
    counts = ran("sequences_next", "copied")["counts"]
    assert np.all(counts[:, 1:] == counts[:, :-1] % 4 + 1)
    assert "counts[:, :-1], counts[:, 1:]" in highlighted(BLOCKS["shifted"])[0]
    model = train_words(counts[:, :-1], counts[:, 1:])
    assert model(counts).shape == (2, 7, 5)
    read = []

    def last_one(row: tf.Tensor) -> tf.Tensor:
        read.append(row.numpy().tolist())
        return tf.one_hot((row + 2) % 5, 5)

    assert go_on(last_one, [1, 2], 2) == [1, 2, 4, 1]
    assert read == [[[1, 2]], [[1, 2, 4]]]


@says(
    "A model that is to begin by itself needs a word for the start in front "
    "of each row."
)
@says("Where rows are padded, the mask is that of the targets.")
def test_targets_and_their_mask() -> None:
    model = train_words(tf.constant([[1, 2]]), tf.constant([[2, 3]]))
    with pytest.raises(REFUSED, match="out of bounds"):
        go_on(model, [], 1)
    start = 0
    rows = tf.constant([[start, 1, 2, 3], [start, 4, 1, 2]])
    model = train_words(rows[:, :-1], rows[:, 1:])
    assert go_on(model, [start], 1)[1] in (1, 4)
    padded = tf.constant([[1, 2, 3, 4], [1, 2, 0, 0]])
    inputs, targets = padded[:, :-1], padded[:, 1:]
    due = tf.constant([[True, True, True], [True, False, False]])
    assert np.array_equal(targets != 0, due)
    assert not np.array_equal(inputs != 0, due)


@says(
    "A layer that sees the whole row at once looks the next word up: "
    "attention needs `use_causal_mask=True`, and `Bidirectional` will not do."
)
def test_layers_that_look_ahead() -> None:
    x = tf.random.stateless_normal((1, 4, 3), (0, 0))
    other = tf.concat([x[:, :3], x[:, 3:] + 1.0], axis=1)
    attention = layers.MultiHeadAttention(1, 3)
    causal = partial(attention, use_causal_mask=True)
    both = layers.Bidirectional(layers.GRU(2, return_sequences=True))
    for call, looks in (
        (lambda row: attention(row, row), True),
        (lambda row: causal(row, row), False),
        (both, True),
        (layers.GRU(2, return_sequences=True), False),
    ):
        before, after = call(x)[:, :3], call(other)[:, :3]
        assert np.allclose(before, after, atol=1e-6) != looks


# The states of an encoder, and attention


@says("`initial_state` is not compatible with `cell.state_size`")
@says(
    "Today `LSTM`, which has two, says `Too few leaves for PyTreeSpec; "
    "expected: 4, got: 2` of the four that `Bidirectional` returns, and `list "
    "index out of range` of an output in place of states."
)
@says("`GRU` has one, and takes two:")
@says(
    "The decoder took the first state and dropped the second, so the half of "
    "the encoder that reads backwards does not learn."
)
@says("Join the states, and give the decoder twice the units.")
@says("Return the states of Bidirectional, both directions side by side.")
@says("**The check** is the last line.")
def test_the_states_of_an_encoder() -> None:
    x = tf.random.stateless_normal((2, 3, 1), (0, 0))
    few = "Too few leaves for PyTreeSpec; expected: 4, got: 2"
    assert isinstance(layers.GRU(4).cell.state_size, int)
    both = layers.Bidirectional(layers.LSTM(4, return_state=True))
    outputs, *found = both(x)
    assert len(found) == 4
    assert len(layers.LSTM(4).cell.state_size) == 2
    for way, parts in (
        (both.forward_layer, found[:2]),
        (both.backward_layer, found[2:]),
    ):
        for state, part in zip(way(x)[1:], parts, strict=True):
            assert np.allclose(state, part, atol=1e-6)
    with pytest.raises(ValueError, match=re.escape(few)):
        layers.LSTM(4)(x, initial_state=found)
    sequence = layers.LSTM(4, return_sequences=True)(x)
    for wrong in (outputs, [outputs], sequence, [sequence]):
        with pytest.raises(IndexError, match="list index out of range"):
            layers.LSTM(4)(x, initial_state=wrong)
    told = printed(NAME, "first_alone")
    assert told == "without a gradient: 3 of 6"
    both = layers.Bidirectional(layers.GRU(4, return_state=True))
    _, *found = both(x)
    decoder = layers.GRU(4)
    twice, first, second = (
        decoder(x, initial_state=given)
        for given in (found, found[:1], found[1:])
    )
    assert np.array_equal(twice, first)
    assert not np.allclose(first, second)

    def total(units: int, given: Callable[[Any], Any]) -> Callable[[], Any]:
        decoder = layers.GRU(units)
        return lambda: tf.reduce_sum(decoder(x, initial_state=given(both(x))))

    sources = both.trainable_variables
    lost = [g is None for g in slopes(total(4, lambda r: r[1:]), sources)]
    assert lost == [False] * 3 + [True] * 3
    kept = slopes(total(8, lambda r: joined(r[1:])), sources)
    assert None not in kept
    code = BLOCKS["both_ways"].code.rstrip().split("\n")
    assert code[-1] == "assert None not in gradients"
    assert "GRU(8)" in highlighted(BLOCKS["both_ways"])[0]
    _, *four = layers.Bidirectional(layers.LSTM(4, return_state=True))(x)
    assert layers.LSTM(8)(x, initial_state=joined(four)).shape == (2, 8)


@says("10. MultiHeadAttention: which mask hides the padding?")
@says(
    "An `attention_mask` has the shape `(rows, queries, keys)`, and 1 where a "
    "query may see a key."
)
@says("How far does padding move what the real steps get?")
@says("Return how far padded steps move the outputs of real ones.")
@says("x has the shape (rows, steps, units), real has (rows, steps).")
@says("The last one is right, and the others say nothing.")
@says(
    "With 1 at the padding, as [masks are written "
    "elsewhere](https://github.com/tensorflow/tensorflow/issues/45854), a "
    "padded row sees its padding alone, and so it does with -1e9 there, which "
    "is not 0 either."
)
@says("A column hides queries, not keys.")
@says("Without an axis for the queries a mask is refused,")
@says("but with as many rows as steps it is taken, and wrong.")
@says("**The check** is `leak`, which has to be 0.")
def test_which_mask_hides_the_padding() -> None:
    told = [line.split(": ") for line in printed(NAME, "masks").split("\n")]
    assert [float(number) == 0.0 for _, number in told] == [
        *(False, False, False, True)
    ]
    assert "Warning" not in printed(NAME, "masks")
    real = tf.sequence_mask([4, 2])
    x = tf.random.stateless_normal((2, 4, 8), (0, 0))
    attention = layers.MultiHeadAttention(2, 4)

    def seen(mask: Any) -> Any:
        """Return which keys the queries of the padded row look at."""
        _, scores = attention(
            x, x, attention_mask=mask, return_attention_scores=True
        )
        return np.asarray(scores)[1].max(axis=(0, 1)) > 0

    padding = ~real[:, tf.newaxis, :]
    minus = tf.cast(padding, tf.float32) * -1e9
    for mask in (padding, minus):
        assert np.array_equal(seen(mask), [False, False, True, True])
    assert seen(real[:, :, tf.newaxis]).all()
    right = real[:, tf.newaxis, :]
    assert np.array_equal(seen(right), [True, True, False, False])
    nothing, column, hidden = (
        leak(attention, x, real, mask)
        for mask in (None, real[:, :, tf.newaxis], right)
    )
    assert nothing > 0.1
    assert column == pytest.approx(nothing)
    assert hidden == pytest.approx(0, abs=1e-6)
    queries = tf.ones((2, 3, 8))
    narrow = tf.ones((2, 3, 4), bool)
    assert attention(queries, x, attention_mask=narrow).shape == (2, 3, 8)
    words = "Incompatible shapes: [2,2,4,4] vs. [1,1,2,4]"
    assert words in printed(NAME, "two_axes")
    with pytest.raises(REFUSED, match=re.escape(words)):
        attention(x, x, attention_mask=real)
    four = tf.concat([x, x], 0)
    lengths = tf.sequence_mask([4, 2, 4, 2])
    assert leak(attention, four, lengths, lengths) > 0.1
    assert leak(attention, four, lengths, lengths[:, tf.newaxis]) < 1e-6


@says(
    "An `Embedding` with `mask_zero=True` hands the right mask to the layer, "
    "unless [it gets lost](#where-a-mask-gets-lost), as in `embedded + "
    "positions`."
)
@says("`use_causal_mask=True` narrows any of them.")
@says(
    "What comes out at padded steps is not 0, so [mask the "
    "loss](#2-masking-the-loss-of-a-padded-sequence), too."
)
def test_a_mask_that_comes_with_the_words() -> None:
    words = tf.constant([[1, 2, 3, 4], [1, 2, 0, 0]])
    longer = tf.pad(words, [[0, 0], [0, 3]])
    embedding = layers.Embedding(5, 8, mask_zero=True)
    attention = layers.MultiHeadAttention(2, 4)
    positions = tf.random.stateless_normal((1, 7, 8), (0, 1))
    outputs = attention(embedding(words), embedding(words))
    more = attention(embedding(longer), embedding(longer))
    moved = abs(more[:, :4] - outputs)[words != 0]
    assert float(tf.reduce_max(moved)) == pytest.approx(0, abs=1e-6)
    lost, lost_more = (
        attention(x, x)
        for x in (
            embedding(words) + positions[:, :4],
            embedding(longer) + positions,
        )
    )
    moved = abs(lost_more[:, :4] - lost)[words != 0]
    assert float(tf.reduce_max(moved)) > 0.01
    assert float(tf.reduce_min(tf.norm(outputs[words == 0], axis=-1))) > 0.01
    real = tf.sequence_mask([4, 2])
    x = tf.random.stateless_normal((2, 4, 8), (0, 0))
    for mask in (None, real[:, tf.newaxis, :]):
        _, scores = attention(
            *(x, x),
            attention_mask=mask,
            use_causal_mask=True,
            return_attention_scores=True,
        )
        later = np.triu(np.ones((4, 4), bool), 1)
        assert np.all(np.asarray(scores)[:, :, later] == 0)
        hidden = np.asarray(scores)[1, :, 3, 2:]
        assert np.all(hidden == 0) == (mask is not None)


@says(
    "`missing a required argument: 'value'` asks for a second tensor: where a "
    "row looks at itself, hand it over twice."
)
@says("The layer `Attention` wants a list of both, and `mask=[None, real]`.")
def test_what_layers_of_attention_are_handed() -> None:
    real = tf.sequence_mask([4, 2])
    x = tf.random.stateless_normal((2, 4, 8), (0, 0))
    attention = layers.MultiHeadAttention(2, 4)
    with pytest.raises(TypeError, match="missing a required argument: 'val"):
        attention(x)
    assert attention(x, x).shape == x.shape
    plain = layers.Attention()
    with pytest.raises(ValueError, match="must be called on a list of inputs"):
        plain(x, x)

    def by_list(query: Any, value: Any, attention_mask: Any) -> Any:
        return plain([query, value], mask=attention_mask)

    assert leak(by_list, x, real, [None, real]) < 1e-6
    assert leak(by_list, x, real, None) > 0.1
    with pytest.raises(ValueError, match="mask must be a list"):
        by_list(x, x, real)


# The CTC loss


@says("11. The CTC loss is inf, or stays near 707")
@says("The CTC loss is inf, or stays near 707 | [11] … 707)")
@says(
    "CTC finds out by itself which step belongs to which label. The model "
    "says one class in each step, or the *blank*, class 0 here. Equal "
    "neighbours are merged, then blanks are dropped: 1, 1, 0, 2 is read as 1, "
    "2."
)
@says(
    "The labels 1, 1 need three steps, for without a blank between them they "
    "are merged. Their probability is 0, and the cost is infinite."
)
def test_ctc_adds_the_probabilities_of_all_readings() -> None:
    noise = tf.random.stateless_normal((4, 3), seed=(0, 0))
    shares = tf.nn.softmax(noise).numpy()

    def read(said: tuple[int, ...]) -> list[int]:
        merged = [one for one, _ in itertools.groupby(said)]
        return [one for one in merged if one != 0]

    assert read((1, 1, 0, 2)) == [1, 2]
    for labels, steps in (([1, 2], 4), ([1, 1], 3), ([1, 1], 2)):
        total = sum(
            np.prod([shares[step, one] for step, one in enumerate(said)])
            for said in itertools.product(range(3), repeat=steps)
            if read(said) == labels
        )
        cost = tf.nn.ctc_loss(
            tf.sparse.from_dense([labels]),
            noise[:steps, tf.newaxis],
            None,
            tf.constant([steps]),
            blank_index=0,
        )
        expected = -np.log(total) if total else np.inf
        assert float(cost[0]) == pytest.approx(expected, abs=1e-4)
        assert (total == 0) == (steps == 2)


@says(
    "With dense labels TensorFlow takes 1e-307 for 0, of which the logarithm "
    "is -707."
)
@says(
    "Either way the row has a slope, and so it moves weights to no end. Leave "
    "it out of the loss."
)
@says("Return which rows have enough steps, a tensor of shape (rows,).")
@says(
    "The labels are (rows, length), padded with 0. Each takes a step, and two "
    "equal neighbours take one more, for the blank between them."
)
@says("**The check** is `ctc_fits`, once for all labels, before the training.")
def test_rows_that_ctc_cannot_read() -> None:
    (first, cost), slopes = told_by_ctc(0)
    assert np.log(1e-307) == pytest.approx(-707, abs=0.2)
    assert 706.8 < cost < 709
    (_, infinite), others = told_by_ctc(1)
    assert infinite == np.inf
    assert min(slopes + others) > 0.3
    kept = printed(NAME, "ctc_kept")
    assert kept == f"loss {first}, slopes [{slopes[0]} 0. ]"
    row, two = tf.constant([[1, 1]]), tf.constant([2])
    logits = tf.Variable(tf.zeros((2, 1, 3)))
    for _ in range(100):
        with tf.GradientTape() as tape:
            costs = tf.nn.ctc_loss(row, logits, two, two, blank_index=0)
        logits.assign_sub(tape.gradient(costs, logits))
    assert float(costs[0]) > 706
    assert float(tf.reduce_max(abs(logits))) > 1
    long = tf.constant([[1, 2, 1], [1, 1, 0], [2, 1, 0]])
    assert ctc_fits(long, 2).numpy().tolist() == [False, False, True]
    assert ctc_fits(long, 3).numpy().tolist() == [True, True, True]


def told_by_ctc(number: int) -> list[list[float]]:
    """Return the costs and slopes that a line of the page has."""
    line = printed(NAME, "ctc").splitlines()[number]
    parts = re.findall(r"\[(.+?)\]", line)
    return [[*map(float, part.split())] for part in parts]


@says("Count the steps that the loss gets: a layer that pools by two halves")
@says(
    "More labels than steps are another such row, and with sparse labels an "
    "error, `Not enough time for target transition sequence`."
)
@says("The model needs an output more than there are labels.")
@says(
    "With dense labels a number that is no class goes unnoticed, or makes the "
    "cost negative."
)
@says("And it returns logits: after a softmax the cost stays above 0.")
@says(
    "So it is with `tf.keras.losses.CTC`, which wants rows first and takes "
    "every step of `y_pred` for a real one."
)
def test_what_ctc_wants() -> None:
    pooled = tf.keras.layers.MaxPooling1D(2)(tf.zeros((1, 8, 3)))
    assert pooled.shape == (1, 4, 3)

    def cost(labels: list[int], steps: int, *, sparse: bool = False) -> float:
        rows = tf.constant([labels])
        found = tf.nn.ctc_loss(
            tf.sparse.from_dense(rows) if sparse else rows,
            tf.zeros((steps, 1, 3)),
            tf.constant([len(labels)]),
            tf.constant([steps]),
            blank_index=0,
        )
        return float(found[0])

    assert cost([1, 2, 1], 2) > 706
    said = "Not enough time for target transition sequence"
    with pytest.raises(tf.errors.InvalidArgumentError, match=said):
        cost([1, 2, 1], 2, sparse=True)
    assert cost([1, 2], 4) > 0
    assert cost([1, 3], 4) < 0
    sure = 100.0 * tf.one_hot([[0, 1, 0, 2]], 3)
    rows, two, four = tf.constant([[1, 2]]), tf.constant([2]), tf.constant([4])
    keras_ctc = tf.keras.losses.CTC()
    for logits, above in ((sure, False), (tf.nn.softmax(sure), True)):
        by_steps = tf.transpose(logits, (1, 0, 2))
        [own] = tf.nn.ctc_loss(rows, by_steps, two, four, blank_index=0)
        keras = keras_ctc(rows, logits)
        assert (float(own) > 1) == (float(keras) > 1) == above
    one = tf.constant([[1]])
    short, padded = (keras_ctc(one, tf.zeros((1, n, 3))) for n in (2, 6))
    assert float(padded) > float(short) + 1


# A forecast that lags


@says(
    "Each change is 0.7 of the one before, and noise with a variance of 1 on "
    "top, which nobody can forecast: on average no squared error gets below 1."
)
@says(
    "Windows of eight values, the value due after each, and the last of the "
    "eight:"
)
@says("That is close to the variance of the noise.")
@says("Return a series whose changes go on for a while, shape (steps,).")
def test_a_series_whose_changes_go_on() -> None:
    series = make_series(1200).numpy()
    assert series.shape == (1200,)
    changes = np.diff(series, prepend=0.0)
    noise = changes[1:] - 0.7 * changes[:-1]
    assert noise.var() == pytest.approx(1.0, abs=0.1)
    assert abs(np.corrcoef(noise[1:], changes[1:-1])[0, 1]) < 0.1
    given = ran("sequences_lag", "series", "changes")
    x, y, last = (given[name].numpy() for name in ("x", "y", "last"))
    for row in (0, 700):
        assert x[row].tolist() == series[row : row + 8].tolist()
        assert (y[row], last[row]) == (series[row + 8], series[row + 7])
    by_rule = mean_square(y[800:], last[800:] + 0.7 * (last - x[:, -2])[800:])
    assert lines(NAME, "changes") == [[pytest.approx(by_rule, abs=0.1)]]
    assert by_rule == pytest.approx(1.0, abs=0.1)


@says("12. An LSTM whose forecast lags behind the series")
@says(
    "In a plot the forecast looks like the series, moved to the right by a "
    "step or two."
)
@says("Not to those that were due: to those of two steps before.")
@says(
    "The values reach far, and change little from one to the next, so "
    "whatever is near the last ones explains nearly all of the variance."
)
@says("Far better, and it has learned nothing.")
def test_a_forecast_that_lags() -> None:
    [[_, share]] = lines(NAME, "values")
    assert share > 90
    away = {int(back): error for back, error in lines(NAME, "lag")}
    assert min(away, key=lambda back: away[back]) == 2
    [[repeated]] = lines(NAME, "last")
    assert repeated < away[0] / 4
    series = make_series(1200).numpy()
    reach = series[808:].var()
    assert np.square(np.diff(series)).mean() < 0.01 * reach
    for back in (1, 2):
        away_from = np.square(series[808:] - series[808 - back : -back])
        assert away_from.mean() < 0.05 * reach


@says(
    "The step is `make_step` from [above](#2-masking-the-loss-of-a-padded-"
    "sequence), with a loss that looks at no mask, and 100 steps see all "
    "windows at once."
)
@says(
    "The model learns from the first 800 windows, scaled, and is tried on the "
    "others."
)
@says("So let the model forecast the change from it, and read changes.")
@says("Return the mean of squared errors; both have the shape (rows,).")
@says("Return a model from windows (rows, steps) to numbers (rows, 1).")
def test_what_the_model_learns_from() -> None:
    asked = []

    def look(x: Any, y: Any) -> Any:
        asked.append((np.array(x), np.array(y)))
        return lambda rows: tf.zeros((len(rows), 1))

    given = ran(
        "sequences_lag", "series", "values", "changes", learn_forecast=look
    )
    series = given["series"].numpy()
    (x, y), (changes, change) = asked
    assert x.shape == (800, 8)
    np.testing.assert_allclose(y * series[:800].std(), series[8:808], 1e-5)
    np.testing.assert_allclose(changes, np.diff(x) * series[:800].std(), 1e-2)
    np.testing.assert_allclose(change, np.diff(series)[7:807], 1e-2)
    seen = given["forecast"].numpy()
    np.testing.assert_allclose(seen, series[807:-1], 1e-6)
    code = BLOCKS["learn_forecast"].code
    assert "range(100)" in code
    assert "make_step(model, optimizer, mean_all)" in code
    masks = tf.zeros((5, 1)), tf.ones((5, 1))
    [none, every] = (mean_all(tf.ones((5, 1)), 0.0, mask) for mask in masks)
    assert float(none) == float(every) == 1.0
    x, y = tf.ones((5, 8)), tf.ones(5)
    found = learn_forecast(x, y)(x)
    assert found.shape == (5, 1)
    assert mean_square(y, found[:, 0]) < 1e-3 < mean_square(y, tf.zeros(5))


@says(
    "Were the changes nothing but noise around 0, as in a *random walk*, the "
    "last value would be the best forecast there is, and no model would help."
)
@says("It is called *persistence*, or the naive forecast.")
@says(
    "**The check** is persistence: on rows that it has not learned from, the "
    "loss of the model has to be smaller than that of the last value."
)
def test_a_random_walk_is_best_repeated() -> None:
    walk = np.random.default_rng(0).normal(size=40_000).cumsum()
    x = np.lib.stride_tricks.sliding_window_view(walk[:-1], 8)
    y = walk[8:]
    changes, change = np.diff(x), y - x[:, -1]
    old, new = slice(0, 20_000), slice(20_000, None)
    weights, *_ = np.linalg.lstsq(changes[old], change[old], rcond=None)
    repeated = np.square(change[new]).mean()
    by_line = np.square(change[new] - changes[new] @ weights).mean()
    assert repeated == pytest.approx(1.0, abs=0.03)
    assert by_line > 0.999 * repeated


# The LSTM


@says("From all that it has read, the model is to forecast the next value.")
@says(
    "The noise has a variance of 0.09, so on average no forecast gets below "
    "that."
)
@says("Return waves with noise and without, shape (rows, steps, 1).")
def test_the_waves(lstm: Names) -> None:
    assert np.array_equal(lstm["x"][:, 1:], lstm["y"][:, :-1])
    assert np.array_equal(lstm["noisy"][:, 1:], lstm["y"])
    noisy, waves = make_waves(64, 200)
    assert noisy.shape == waves.shape == (64, 200, 1)
    assert abs(waves).numpy().max() == pytest.approx(1, abs=1e-3)
    period = waves[:, 20:] - waves[:, :-20]
    assert abs(period).numpy().max() < 1e-3
    noise = flat(noisy - waves)
    assert noise.var() == pytest.approx(0.09, rel=0.03)
    # Nothing that was read tells of the noise to come: the wave is best.
    assert (
        abs(np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel()))[0, 1]
        < 0.03
    )
    wave, y = flat(waves)[:, 1:], flat(noisy)[:, 1:]
    best = np.mean((y - wave) ** 2)
    assert best == pytest.approx(0.09, rel=0.03)
    for other in (0.9 * wave, wave + 0.1, flat(noisy)[:, :-1]):
        assert np.mean((y - other) ** 2) > best


@says("The model takes its state as inputs and returns the new one.")
@says("Return a model from (x, h, c) to (predictions, h, c).")
@says(
    "The step truncates: the state comes in as a value, from outside of the "
    "tape."
)
@says("Return a step that learns from a window and hands on the state.")
def test_the_step_of_the_lstm() -> None:
    noisy, _ = make_waves(3, 7)
    first, second, y = noisy[:, :3], noisy[:, 3:6], noisy[:, 4:7]
    zeros = [tf.zeros((3, 2))] * 2
    model = make_lstm(2)
    assert len(model.inputs) == len(model.outputs) == 3
    predictions, h, c = model([first, *zeros])
    assert predictions.shape == (3, 3, 1)
    whole, *end = model([noisy[:, :6], *zeros])
    after, *new = model([second, h, c])
    np.testing.assert_allclose(after, whole[:, 3:], atol=1e-6)
    for part, due in zip(new, end, strict=True):
        np.testing.assert_allclose(part, due, atol=1e-6)
    grads = []
    for cut in (True, False):
        with tf.GradientTape() as tape:
            _, *state = model([first, *zeros])
            if cut:
                state = [tf.stop_gradient(part) for part in state]
            predictions, *_ = model([second, *state])
            loss = tf.reduce_mean(tf.square(y - predictions))
        grads.append(tape.gradient(loss, model.trainable_variables))
    before = model.get_weights()
    step = make_stream_step(model, SGD(1.0))
    found, handed = step(second, y, [h, c])
    assert float(found) == pytest.approx(float(loss))
    for part, due in zip(handed, new, strict=True):
        np.testing.assert_allclose(part, due, atol=1e-6)
    moved = [
        old - now for old, now in zip(before, model.get_weights(), strict=True)
    ]
    far = [
        max(
            abs(a - b).max()
            for a, b in zip(moved, map(np.asarray, g), strict=True)
        )
        for g in grads
    ]
    assert far[0] < 1e-5 < 1e-3 < far[1]


@says("Each epoch reads the stream from its start, so it begins with zeros.")
@says("Forecast once with it, and once with zeros for each window.")
def test_each_epoch_begins_with_zeros(lstm: Names) -> None:
    assert not any(np.any(part) for part in lstm["zeros"])
    begins, hands_on = highlighted(BLOCKS["run"])
    assert begins == "state, losses = zeros, []"
    assert hands_on.startswith("loss, state = step(")
    assert "range(0, 200, 10)" in BLOCKS["run"].code
    forecast, x, zeros = lstm["forecast"], lstm["x"], lstm["zeros"]
    carried, forgotten = lstm["parts"]["carried"], lstm["parts"]["forgotten"]
    state = zeros
    for number in range(3):
        window = x[:, 10 * number : 10 * number + 10]
        due, *state = forecast([window, *state])
        np.testing.assert_allclose(carried[number], due, atol=1e-5)
        due, *_ = forecast([window, *zeros])
        np.testing.assert_allclose(forgotten[number], due, atol=1e-5)


@says(
    "Forgotten, the forecast starts from nothing every ten steps, and the "
    "loss is higher."
)
@says("Carried, it is close to the variance of the noise.")
@says(
    "Forty steps of a noisy wave as points, and two forecasts: with the state "
    "carried the line follows the wave throughout; with the state forgotten "
    "it leaves the wave at every tenth step and comes back to it within a "
    "few steps"
)
def test_the_state_was_worth_carrying(lstm: Names) -> None:
    [carried], [forgotten] = lines(NAME, "compare")
    assert 0.09 < carried < 0.12
    assert forgotten > 1.4 * carried
    [axes] = figure(NAME, "plot")
    assert [*axes.points] == [
        *("noisy wave", "state carried", "state forgotten"),
    ]
    assert "noisy wave': 40 points" in axes.text
    wave = flat(lstm["waves"])[0, 161:201]
    away = {}
    for name, parts in lstm["parts"].items():
        line = flat(tf.concat(parts, 1))[0, 160:]
        steps, drawn = axes.points[f"state {name}"]
        due = [line[int(step) - 160] for step in steps]
        assert drawn == pytest.approx(due, abs=0.01)
        away[name] = abs(line - wave).reshape(4, 10)
    assert away["carried"].max() < 0.3
    assert away["forgotten"][:, 0].min() > 0.4
    assert away["forgotten"][:, 5:].max() < 0.3


# Exercises


@says("In `mean_real` each step counts the same, so long rows count more.")
@says("Each row needs a step that is real.")
def test_long_rows_count_more() -> None:
    errors = (flat(Y) - flat(predicted())) ** 2 * MASK.numpy()
    lengths = MASK.numpy().sum(axis=1)
    rows = errors.sum(axis=1) / lengths
    weighted = np.average(rows, weights=lengths)
    found = float(mean_real(Y, predicted(), MASK))
    assert found == pytest.approx(weighted)
    none = tf.zeros_like(MASK)
    assert math.isnan(mean_rows(Y, predicted(), none))
    assert lines(NAME, "by_rows") == [
        [pytest.approx(found, abs=1e-3)],
        [pytest.approx(rows.mean(), abs=1e-3)],
    ]
