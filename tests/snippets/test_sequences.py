"""Masks, states and gradients of sequences are as the page says.

The tests run the very sections that the page shows and compare them with
NumPy.  What looks right also has the check put under it, and fails.
"""

import ast
import importlib
import logging
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf
from matplotlib.figure import Figure

from snippets.sequences import (
    check_padding,
    learn,
    make_model,
    make_rnn,
    make_step,
    make_sums,
    mean_all,
    mean_real,
    mean_rows,
)
from snippets.sequences_clip import make_clipped_step, make_score
from snippets.sequences_lstm import (
    make_lstm,
    make_stream_step,
    make_waves,
)
from snippets.sequences_state import read, reset
from tests.story import Names, execute, statements

Array = npt.NDArray[np.float64]
SGD = tf.keras.optimizers.SGD
layers = tf.keras.layers
KINDS = [layers.SimpleRNN, layers.GRU, layers.LSTM]
LAST = slice(-1, None)


@pytest.fixture(autouse=True)
def own_seed() -> Any:
    """Leave no seed behind."""
    yield
    tf.random.set_seed(None)


def run(module: str, *shown: str, **given: object) -> Names:
    """Run sections as the page does; return the names they leave."""
    module = f"sequences{module}"
    names = dict(vars(importlib.import_module(f"snippets.{module}")))
    names["x"], names["y"], names["mask"] = make_sums(32, 10)
    names.update(given)
    for name in shown:
        execute(module, statements(module, name), names)
    return names


def check(module: str, section: str, names: Names, end: slice = LAST) -> None:
    """Run the check with which a section ends."""
    module = f"sequences{module}"
    parts = statements(module, section)[end]
    assert "assert" in ast.unparse(parts[0])
    execute(module, parts, names)


def states(x: Array, u: float, w: float) -> Array:
    """Return the states of the network with two weights."""
    state, found = np.zeros(len(x)), []
    for t in range(x.shape[1]):
        state = w * state + u * x[:, t]
        found.append(state)
    return np.stack(found, axis=1)


def numbers(tensor: tf.Tensor) -> Array:
    """Return a tensor of sequences as NumPy sees it."""
    return np.asarray(tensor, np.float64)[..., 0]


# The data and the network


def test_sums_are_running_sums_padded_with_zeros() -> None:
    x, y, mask = make_sums(32, 10)
    real = mask.numpy()
    lengths = real.sum(axis=1)
    assert lengths.min() >= 2
    assert lengths.max() == 10
    assert (np.diff(real.astype(int), axis=1) <= 0).all()
    np.testing.assert_allclose(
        numbers(y), np.cumsum(numbers(x), axis=1) * real, atol=1e-5
    )
    assert not numbers(x)[~real].any()
    assert abs(numbers(x)).max() < 1


def test_the_network_is_that_of_the_formula() -> None:
    x, _, _ = make_sums(5, 7)
    outputs = make_rnn(0.3, -0.8)(x)
    expected = states(numbers(x), 0.3, -0.8)
    np.testing.assert_allclose(numbers(outputs), expected, atol=1e-5)
    assert len(make_rnn(1.0, 1.0, return_state=True)(x)) == 2


def test_with_weights_of_one_it_adds() -> None:
    x, y, mask = make_sums(9, 6)
    outputs = make_rnn(1.0, 1.0)(x)
    assert float(mean_real(y, outputs, mask)) < 1e-10


@pytest.mark.parametrize("loss", [mean_real, mean_rows])
def test_outputs_of_another_shape_are_refused(loss: Any) -> None:
    x, y, mask = make_sums(1, 6)  # a batch of one would fit any
    outputs = make_rnn(1.0, 1.0)(x)
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        loss(y[..., 0], outputs, mask)


# 1. Padding changes the answer


def test_padding_halves_an_unmasked_state(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = run("", "last_step")
    assert names["last"] == names["padded_last"] == 2.125
    said = capsys.readouterr().out
    assert f"masking False: 2.125, padded {2.125 / 4:.3f}" in said


# 2. Masking the loss


def losses() -> tuple[Array, Array]:
    """Return the untrained model's squared errors, and the mask."""
    x, y, mask = make_sums(32, 10)
    return numbers(tf.square(y - make_model()(x))), mask.numpy()


def test_the_means_are_as_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    errors, real = losses()
    run("", "look", "four_means")
    said = capsys.readouterr().out
    right, wrong = errors[real].mean(), errors.mean()
    for name, due in (
        ("real steps:        ", right),
        ("all steps:         ", wrong),
        ("Keras' loss:       ", right),
        ("without last axis: ", wrong),
    ):
        assert f"{name}{due:.4f}" in said
    rows = [row[mask].mean() for row, mask in zip(errors, real, strict=True)]
    names = run("", "by_rows")
    found = mean_rows(names["y"], names["predictions"], names["mask"])
    assert float(found) == pytest.approx(np.mean(rows), rel=1e-5)
    numbers = np.arange(12.0).reshape(2, 3, 2)
    mask = np.array([[True, False, False], [True, True, False]])
    due = (np.mean(numbers[0, :1] ** 2) + np.mean(numbers[1, :2] ** 2)) / 2
    found = mean_rows(tf.zeros((2, 3, 2), "float64"), numbers, mask)
    assert float(found) == pytest.approx(due)


def test_ragged_rows_lose_as_each_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = run("", "ragged")
    model, errors = make_model(), []
    for x, y in zip(names["ragged_x"], names["ragged_y"], strict=True):
        [outputs] = model(x[tf.newaxis, :, tf.newaxis])
        errors.extend(np.square(outputs[:, 0] - y))
    said = capsys.readouterr().out
    assert f"loss {np.mean(errors):.4f}" in said
    assert names["real"].numpy().tolist() == [[True] * 3, [True, True, False]]


def test_the_wrong_mean_learns_three_quarters_and_the_right_one_adds() -> None:
    wrong = run("", "wrong_mean")
    assert wrong["u"] == pytest.approx(0.73, abs=0.02)
    right = run("", "right_mean")
    assert right["u"] == pytest.approx(1.0, abs=0.02)
    assert right["w"] == pytest.approx(1.0, abs=0.02)


def test_learn_is_gradient_descent() -> None:
    x, y, mask = make_sums(32, 10)
    u, _ = learn(mean_real, x, y, mask)
    model = make_model()
    step = make_step(model, SGD(0.05), mean_real)
    before = float(mean_real(y, model(x), mask))
    assert float(step(x, y, mask)) == pytest.approx(before, rel=1e-5)
    for _ in range(4):
        after = float(step(x, y, mask))
    assert after < before
    assert abs(u - 1) < abs(float(tf.squeeze(model.weights[0])) - 1)


def test_smaller_outputs_are_closer_to_the_padded_zeros() -> None:
    x, y, mask = make_sums(32, 10)

    def padded(u: float, w: float) -> float:
        rnn = make_rnn(u, w)
        outputs = rnn(x, mask=mask)
        return float(mean_real(y, outputs, ~mask.numpy()))

    assert padded(0.73, 0.98) < padded(1.0, 1.0)


def test_check_padding_passes_what_is_right_and_catches_the_mean_of_all(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(AssertionError, match=r"was 0\.7834"):
        run("", "check_means")
    assert "the mean of real steps passes" in capsys.readouterr().out
    x, y, mask = make_sums(32, 10)
    check_padding(mean_rows, make_model(), x, y, mask)

    def small(*arguments: Any) -> tf.Tensor:
        return 1e-6 * mean_all(*arguments)

    with pytest.raises(AssertionError, match=r"loss 0\.0000"):
        check_padding(small, make_model(), x, y, mask)


def test_keras_finds_the_mask_and_loses_it() -> None:
    errors, real = losses()
    x, y, _ = make_sums(32, 10)
    keras, predictions = tf.keras.losses.MeanSquaredError(), make_model()(x)
    right = pytest.approx(errors[real].mean(), rel=1e-5)
    wrong = pytest.approx(errors.mean(), rel=1e-5)
    assert float(keras(y, predictions)) == right
    assert float(keras(y, predictions * 1.0)) == wrong
    function = tf.keras.losses.mse(y, predictions)
    assert float(tf.reduce_mean(function)) == wrong
    metric = tf.keras.metrics.MeanSquaredError()
    metric.update_state(y, predictions)
    assert float(metric.result()) == right


def test_a_layer_that_drops_the_mask_warns() -> None:
    x, _, _ = make_sums(2, 3)
    words = "does not support masking and will therefore destroy the mask"
    with pytest.warns(UserWarning, match=words):
        layers.Reshape((-1,))(make_model()(x))


def test_what_drops_it_without_a_layer_does_not_warn() -> None:
    x, y, _ = make_sums(2, 3)
    with warnings.catch_warnings(action="error"):
        tf.keras.losses.MeanSquaredError()(y[..., 0], make_model()(x)[..., 0])


# 3. A zero that is no padding


def test_a_real_zero_is_skipped(capsys: pytest.CaptureFixture[str]) -> None:
    run("", "real_zero")
    said = capsys.readouterr().out
    assert "masking False: 1.000 0.500 1.750" in said
    assert "masking True: 1.000 1.000 2.000" in said


def test_a_mask_of_ones_own_reads_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("", "own_mask")
    assert capsys.readouterr().out == "1.000 0.500 1.750 1.750\n"


def test_another_mask_value_reads_it_as_well() -> None:
    row = tf.constant([[[2.0], [0.0], [3.0], [-9.0]]])
    masked = layers.Masking(mask_value=-9.0)(row)
    outputs = make_rnn(0.5, 0.5)(masked)
    np.testing.assert_allclose(numbers(outputs)[0], [1, 0.5, 1.75, 1.75])


def test_an_embedding_takes_zero_for_padding(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("", "words")
    assert "[[ True  True  True False False]]" in capsys.readouterr().out


# 4. A state that is forgotten


def test_the_count_starts_again_in_each_window(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = run("_state", "forgotten")
    assert capsys.readouterr().out == "[1. 2. 3. 4.]\n" * 2
    names["outputs"] = names["counter"](names["windows"][1])
    names["whole"] = names["counter"](names["ones"])
    with pytest.raises(AssertionError):
        check("_state", "carried", names)


def test_carried_it_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    run("_state", "forgotten", "carried")
    assert capsys.readouterr().out.endswith("[1. 2. 3. 4.]\n[5. 6. 7. 8.]\n")


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_holds_for_all_recurrent_layers(kind: Any) -> None:
    x, _, _ = make_sums(3, 8)
    rnn = kind(4, return_sequences=True, return_state=True)
    whole, *_ = rnn(x)
    state: Any = None
    parts = []
    for window in (x[:, :4], x[:, 4:]):
        part, *state = rnn(window, initial_state=state)
        parts.append(part)
    assert len(state) == (2 if kind is layers.LSTM else 1)
    np.testing.assert_allclose(tf.concat(parts, axis=1), whole, atol=1e-6)
    assert abs(rnn(x[:, 4:])[0] - parts[1]).numpy().max() > 1e-3
    swapped, *_ = rnn(x[::-1, 4:], initial_state=rnn(x[:, :4])[1:])
    assert abs(swapped - whole[::-1, 4:]).numpy().max() > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_all_of_them_skip_what_is_masked(kind: Any) -> None:
    x, _, mask = make_sums(3, 8)
    rnn = kind(4, return_sequences=True)
    short = mask.numpy().sum(axis=1).min()
    outputs = rnn(layers.Masking()(x)).numpy()
    row = mask.numpy().sum(axis=1).argmin()
    assert (outputs[row, short - 1] == outputs[row, -1]).all()


# 5. Stateful


def stateful() -> Names:
    return run("_state", "forgotten", "stateful", "not_reset")


def test_a_stateful_layer_counts_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stateful()
    said = capsys.readouterr().out.splitlines()
    assert said[2:] == ["[1. 2. 3. 4.]", "[5. 6. 7. 8.]", "[ 9. 10. 11.]"]


def test_what_was_not_reset_fails_the_check() -> None:
    names = stateful()
    names["outputs"] = numbers(names["model"](names["new_row"]))[0]
    with pytest.raises(AssertionError):
        check("_state", "was_reset", names)


def test_a_sequential_model_has_no_reset_states() -> None:
    names = stateful()
    words = "'Sequential' object has no attribute 'reset_states'"
    with pytest.raises(AttributeError, match=words):
        execute(
            "sequences_state",
            statements("sequences_state", "reset_states"),
            names,
        )
    assert not hasattr(names["model"], "reset_state")


def test_reset_sets_the_state_to_zero(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = stateful()
    capsys.readouterr()
    execute(
        "sequences_state", statements("sequences_state", "was_reset"), names
    )
    assert capsys.readouterr().out == "[1. 2. 3.]\n" * 2


def test_reset_leaves_other_layers_alone() -> None:
    model = tf.keras.Sequential([layers.Dense(1), make_rnn(1.0, 1.0)])
    reset(model)


def test_reset_finds_the_layers_of_a_model_in_the_model() -> None:
    one_row = tf.keras.Input(batch_shape=(1, None, 1))
    inner = tf.keras.Sequential([one_row, make_rnn(1.0, 1.0, stateful=True)])
    model = tf.keras.Sequential([one_row, inner])
    row = tf.ones((1, 3, 1))
    for _ in range(2):
        reset(model)
        assert numbers(model(row))[0].tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("act", ["predict", "evaluate"])
def test_predict_and_evaluate_move_the_state(act: str) -> None:
    names = stateful()
    model, row = names["model"], names["new_row"]
    model.compile(loss="mse")
    reset(model)
    inputs = [row] if act == "predict" else [row, row]
    getattr(model, act)(*inputs, batch_size=1, verbose=0)
    assert numbers(model(row))[0].tolist() == [4.0, 5.0, 6.0]


def test_a_stateful_layer_has_to_know_its_rows_and_refuses_others() -> None:
    rnn = make_rnn(1.0, 1.0, stateful=True)
    with pytest.raises(ValueError, match="the batch size must be static"):
        tf.keras.Sequential([tf.keras.Input((None, 1)), rnn])
    names = stateful()
    with pytest.raises(ValueError, match="batch size"):
        names["model"](tf.ones((2, 3, 1)))


# 6. Truncated backpropagation through time


def test_the_gradient_is_that_of_the_last_window(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("_state", "seen")
    said = capsys.readouterr().out
    for size in (20, 10, 5):
        due = sum(range(20 - size, 20))
        line = f"windows of {size}: count 20, gradient {due}\n"
        assert line in said


def test_the_figure_is_a_power_of_w_that_is_cut(shown: list[Figure]) -> None:
    run("_state", "seen", "reach")
    [figure] = shown
    lines = [np.asarray(line.get_ydata()) for line in figure.axes[0].lines]
    whole, cut = (line.astype(float) for line in lines)
    expected = 0.9 ** np.arange(19.0, -1.0, -1.0)
    np.testing.assert_allclose(whole, expected, rtol=1e-5)
    np.testing.assert_allclose(cut[10:], expected[10:], rtol=1e-5)
    assert not np.any(cut[:10])


def test_uncut_windows_see_all() -> None:
    rnn, row = make_rnn(1.0, 0.9, return_state=True), tf.ones((1, 6, 1))
    with tf.GradientTape() as tape:
        tape.watch(row)
        last = read(rnn, row, 2, cut=False)
    slopes = numbers(tape.gradient(last, row))[0]
    np.testing.assert_allclose(slopes, 0.9 ** np.arange(5.0, -1, -1), 1e-5)


def test_a_tape_for_each_window_cuts_as_well() -> None:
    rnn, row = make_rnn(1.0, 1.0, return_state=True), tf.ones((1, 20, 1))
    state = None
    for start in (0, 10):
        with tf.GradientTape() as tape:
            _, *state = rnn(row[:, start : start + 10], initial_state=state)
            last = state[0]
    slope = tape.gradient(last, rnn.trainable_variables)[1]
    assert float(tf.squeeze(slope)) == 145


def test_so_does_a_stateful_layer() -> None:
    rnn, row = make_rnn(1.0, 1.0, stateful=True), tf.ones((1, 20, 1))
    with tf.GradientTape() as tape:
        for start in (0, 10):
            last = rnn(row[:, start : start + 10])[0, -1, 0]
    assert float(last) == 20
    slope = tape.gradient(last, rnn.trainable_variables)[1]
    assert float(tf.squeeze(slope)) == 145


def test_the_shares_are_sums_cut_off(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = run("_state", "share")
    assert names["seen"] == pytest.approx(names["due"], rel=1e-5)
    said = capsys.readouterr().out
    assert "windows of 5: 0.47, due 0.47" in said
    assert "windows of 10: 0.74, due 0.74" in said


# 7. Exploding gradients


def descent(x: Array, w: float) -> tuple[float, Array]:
    """Return the loss and its gradient by u and w, with u = 1."""
    h = states(x, 1.0, w)
    du = states(x, 1.0, w)
    before = np.concatenate([np.zeros((len(x), 1)), h[:, :-1]], axis=1)
    dw = states(before, 1.0, w)
    errors = h - np.cumsum(x, axis=1)
    slopes = [np.mean(2 * errors * d) for d in (du, dw)]
    return float(np.mean(errors**2)), np.array(slopes)


def test_the_gradient_explodes_as_by_hand(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = run("_clip", "explode")
    loss, gradient = descent(numbers(names["x"]), 1.5)
    assert float(names["loss"]) == pytest.approx(loss, rel=1e-4)
    norm = float(np.linalg.norm(gradient))
    assert float(names["norm"]) == pytest.approx(norm, rel=1e-4)
    assert f"20 steps: loss {loss:.1e}" in capsys.readouterr().out


@pytest.fixture(scope="module")
def twenty() -> Names:
    x = tf.random.stateless_uniform([32, 20, 1], (0, 0), -1.0, 1.0)
    return {"x": x, "y": tf.cumsum(x, axis=1)}


def test_unclipped_the_weights_are_gone(twenty: Names) -> None:
    names = run("_clip", "unclipped", **twenty)
    assert math.isinf(float(names["loss"]))
    assert math.isnan(names["w"])
    with pytest.raises(AssertionError):
        check("_clip", "clipped", names, slice(-2, -1))


def test_clipped_five_steps_lead_to_one(twenty: Names) -> None:
    names = run("_clip", "clipped", **twenty)
    assert names["w"] == pytest.approx(1.0, abs=0.01)
    model = tf.keras.Sequential([make_rnn(1.0, 1.5)])
    step = make_clipped_step(model, SGD(0.1), 1.0)
    _, gradient = descent(numbers(twenty["x"]), 1.5)
    _, norm = step(twenty["x"], twenty["y"])
    assert float(norm) == pytest.approx(np.linalg.norm(gradient), rel=1e-4)
    after = [float(tf.squeeze(weight)) for weight in model.weights]
    due = np.array([1.0, 1.5]) - 0.1 * gradient / np.linalg.norm(gradient)
    np.testing.assert_allclose(after, due, rtol=1e-4)


def test_global_clipnorm_does_the_same(
    twenty: Names, capsys: pytest.CaptureFixture[str]
) -> None:
    run("_clip", "clipped", "by_optimizer", **twenty)
    first, second, *_, again, once_more = capsys.readouterr().out.splitlines()
    assert first.endswith("then " + again.removeprefix("step 1: "))
    assert second.endswith("then " + once_more.removeprefix("step 2: "))


def test_clipping_saves_no_norm_that_overflows() -> None:
    x = tf.random.stateless_uniform([32, 80, 1], (0, 0), -1.0, 1.0)
    model = tf.keras.Sequential([make_rnn(1.0, 1.5)])
    step = make_clipped_step(model, SGD(0.1), 1.0)
    loss, norm = step(x, tf.cumsum(x, axis=1))
    assert math.isfinite(float(loss))
    with pytest.raises(AssertionError):
        check("_clip", "clipped", {"math": math, "norm": norm})
    assert all(math.isnan(float(tf.squeeze(w))) for w in model.weights)


# 8. One graph for all lengths


def test_each_length_has_a_graph_of_its_own() -> None:
    names = run("_clip", "many_graphs")
    assert names["graphs"] == 2
    with pytest.raises(AssertionError):
        check("_clip", "one_graph", names)


def test_with_a_signature_there_is_one() -> None:
    names = run("_clip", "one_graph")
    assert names["graphs"] == 1
    x, y, mask = make_sums(4, 6)
    due = mean_real(y, make_model()(x), mask)
    assert float(names["score"](x, y, mask)) == pytest.approx(float(due))
    assert float(make_score(make_model())(x, y, mask)) == float(due)


def test_reduce_retracing_finds_it_after_two_lengths() -> None:
    score = tf.function(make_score(make_model()), reduce_retracing=True)
    for longest in (8, 5, 7, 6):
        score(*make_sums(4, longest))
    assert score.experimental_get_tracing_count() == 2


def test_tensorflow_warns_of_retracing() -> None:
    said: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    listener, logger = Listener(), tf.get_logger()
    logger.addHandler(listener)
    try:
        double = tf.function(lambda x: 2 * x)
        for length in range(1, 8):
            double(tf.ones(length))
    finally:
        logger.removeHandler(listener)
    assert any("triggered tf.function retracing" in text for text in said)


# The LSTM


@pytest.fixture(scope="module")
def lstm() -> Names:
    return run("_lstm", "stream", "run", "compare")


def test_the_waves_are_sines_with_noise() -> None:
    noisy, waves = make_waves(64, 200)
    assert noisy.shape == (64, 200, 1)
    assert np.std(noisy - waves) == pytest.approx(0.3, rel=0.03)
    turned = numbers(waves)[:, :-20] - numbers(waves)[:, 20:]
    assert abs(turned).max() < 1e-3


def test_the_lstm_forecasts_and_the_state_is_worth_it(lstm: Names) -> None:
    error = {
        name: float(tf.reduce_mean(tf.square(lstm["y"] - tf.concat(parts, 1))))
        for name, parts in lstm["parts"].items()
    }
    assert 0.09 < error["carried"] < 0.12
    assert error["forgotten"] > 1.4 * error["carried"]
    assert lstm["step"].experimental_get_tracing_count() == 1


def test_the_forecasts_are_drawn(lstm: Names, shown: list[Figure]) -> None:
    execute("sequences_lstm", statements("sequences_lstm", "plot"), lstm)
    assert len(shown[0].axes[0].lines) == 3


def test_the_step_learns_from_one_window_and_hands_on_the_state() -> None:
    noisy, _ = make_waves(8, 11)
    x, y, zeros = noisy[:, :-1], noisy[:, 1:], [tf.zeros((8, 4))] * 2
    model, other = make_lstm(4), make_lstm(4)
    predictions, *due = other([x, *zeros])
    optimizer = SGD(0.1, global_clipnorm=1.0)
    loss, state = make_stream_step(model, optimizer)(x, y, zeros)
    expected = float(tf.reduce_mean(tf.square(y - predictions)))
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    for a, b in zip(state, due, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    assert float(make_stream_step(model, optimizer)(x, y, zeros)[0]) < expected
    one = [tf.zeros((1, 4))] * 2
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        make_stream_step(model, optimizer)(x[:1], y[:1, :, 0], one)


# The rest


def test_the_imports_of_the_page_are_what_its_modules_use() -> None:
    names = vars(importlib.import_module("snippets.sequences_setup"))
    assert names["tf"] is tf
    assert names["math"] is math
    assert names["Callable"] is Callable


@pytest.mark.parametrize("module", ["", "_clip", "_state"])
def test_the_module_runs_as_a_script(
    module: str, printed_by: Callable[[str], list[str]]
) -> None:
    assert printed_by(f"sequences{module}")
