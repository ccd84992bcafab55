"""What the page on NaN shows and says.

The tests run the sections that the page shows: what looks right still makes
a NaN, the mends hold, and each check fails under the code that looks right.
"""

import ast
import importlib
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from keras.callbacks import CallbackList
from matplotlib.figure import Figure

from snippets.data import make_data
from snippets.keras_model import KerasLinearModel
from snippets.loss import loss
from snippets.nan_checks import (
    by_hand,
    check_finite,
    check_skips,
    from_logits,
    train_patiently,
)
from snippets.nan_find import checked
from snippets.nan_sources import (
    log_or_zero,
    safe_log,
    safe_norm,
    train_short,
    value_and_slope,
)
from snippets.nan_steps import callback_epoch, train_finite, train_zeroed
from snippets.nan_train import train, train_epoch
from tests.story import Names, execute, statements

MODULES = ("train", "sources", "find", "steps", "checks")
NAN, INF = math.nan, math.inf
LAST = slice(-1, None)

SGD = tf.keras.optimizers.SGD


@pytest.fixture(autouse=True)
def no_checks_left() -> Iterator[None]:
    """Turn off what a section turns on for the whole process."""
    yield
    tf.debugging.disable_check_numerics()


def run(module: str, *shown: str) -> Names:
    """Run sections as the page does; return the names they leave."""
    names = dict(vars(importlib.import_module(f"snippets.nan_{module}")))
    names["x"], names["y"] = make_data()
    names["y_read"] = names["y"] + tf.one_hot(102, 201, on_value=NAN)
    names["batches"] = batches()
    names["good"], names["bad"] = batches()[0], batches()[2]
    for name in shown:
        execute(f"nan_{module}", statements(f"nan_{module}", name), names)
    return names


def check(module: str, mended: str, names: Names) -> None:
    """Run the check with which the mended section ends."""
    parts = statements(f"nan_{module}", mended)[LAST]
    assert "assert" in ast.unparse(parts[0])
    execute(f"nan_{module}", parts, names)


def batches() -> list[tuple[tf.Tensor, tf.Tensor]]:
    x, y = make_data()
    y_read = y + tf.one_hot(102, len(y), on_value=NAN)
    return [(x[start::4], y_read[start::4]) for start in range(4)]


class Descent:
    """Gradient descent with momentum on the line, by NumPy."""

    def __init__(self, rate: float, momentum: float = 0.0) -> None:
        self.rate, self.momentum = rate, momentum
        self.weights = np.array([5.0, 0.0])
        self.velocity = np.zeros(2)

    def step(self, x: Any, y: Any) -> float:
        x, y = np.asarray(x, float), np.asarray(y, float)
        error = self.weights[0] * x + self.weights[1] - y
        self.move(2 * np.array([np.mean(error * x), np.mean(error)]))
        return float(np.mean(error**2))

    def move(self, gradient: Any) -> None:
        self.velocity = self.momentum * self.velocity - self.rate * gradient
        self.weights = self.weights + self.velocity


def weights(model: Any) -> list[float]:
    return [float(model.w), float(model.b)]


def gradient_of(
    function: Callable[[Any], Any], at: Any, **options: Any
) -> list[float]:
    variable = tf.Variable(at)

    def gradient() -> Any:
        with tf.GradientTape() as tape:
            value = function(variable)
        return tape.gradient(value, variable)

    if options:
        gradient = tf.function(gradient, **options)
    found: list[float] = np.ravel(gradient()).tolist()
    return found


# Setup


def test_a_step_and_an_epoch_descend(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = run("train", "data")
    descent, (x, y) = Descent(0.03), make_data()
    for _ in range(3):
        expected = [descent.step(x[i::4], y[i::4]) for i in range(4)]
    assert names["losses"] == pytest.approx(expected, rel=1e-4)
    assert weights(names["model"]) == pytest.approx(descent.weights, rel=1e-4)
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_the_imports_of_the_page_are_what_its_modules_use() -> None:
    names = vars(importlib.import_module("snippets.nan_setup"))
    assert names["tf"] is tf
    assert names["math"] is math
    assert names["CallbackList"] is CallbackList
    assert issubclass(KerasLinearModel, names["Model"])
    assert issubclass(SGD, names["Optimizer"])
    assert names["plt"].semilogy
    assert names["Callable"] is Callable


# Where NaN and inf come from


@pytest.mark.parametrize(
    ("function", "at", "expected"),
    [
        (tf.sqrt, 0.0, (0.0, INF)),
        (tf.sqrt, -1.0, (NAN, NAN)),
        (tf.math.log, 0.0, (-INF, INF)),
        (tf.math.log, -1.0, (NAN, -1.0)),
        (tf.math.reciprocal, 0.0, (INF, -INF)),
        (lambda v: v / v, 0.0, (NAN, NAN)),
        (tf.exp, 89.0, (INF, INF)),
        (tf.norm, 0.0, (0.0, NAN)),
        (tf.exp, 88.0, (math.exp(88.0),) * 2),
        (tf.square, 3.0, (9.0, 6.0)),
    ],
)
def test_values_and_slopes(
    function: Any, at: float, expected: tuple[float, float]
) -> None:
    found = value_and_slope(function, at)
    assert found == pytest.approx(expected, rel=1e-4, nan_ok=True)


def test_the_table_has_a_row_for_each(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("sources", "sources")
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 8
    assert rows[0] == "sqrt(0)   value  0.0  gradient  inf"
    assert rows[-1] == "norm(0)   value  0.0  gradient  nan"


def test_a_nan_spreads() -> None:
    values = tf.constant([1.0, NAN, 3.0])
    assert math.isnan(tf.reduce_sum(values))
    assert math.isnan(tf.reduce_mean(values))
    assert math.isnan(tf.reduce_prod(values))
    assert math.isnan(0.0 * values[1])


def test_python_raises_where_tensorflow_does_not() -> None:
    with pytest.raises(ZeroDivisionError):
        1.0 / 0.0  # noqa: B018
    with pytest.raises(ValueError, match=r"math domain|nonnegative"):
        math.sqrt(-1.0)


# A NaN in the data


def test_one_missing_value_spoils_all_that_follows() -> None:
    names = run("sources", "missing")
    assert int(np.isnan(names["y_read"]).sum()) == 1
    assert np.isnan(names["losses"]).all()
    assert np.isnan(weights(names["model"])).all()
    first = train_epoch(
        KerasLinearModel(), SGD(0.03), names["x"], names["y_read"]
    )
    assert np.isnan(first).tolist() == [False, False, True, True]
    names["y_known"] = names["y_read"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="missing"):
        check("sources", "complete", names)


def test_leaving_the_row_out_mends_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = run("sources", "complete")
    assert len(names["y_known"]) == len(names["x_known"]) == 200
    assert "rows without a number: [102]" in capsys.readouterr().out
    rows = np.delete(np.arange(201), 102)
    x, y = (values.numpy()[rows] for values in make_data())
    descent = Descent(0.03)
    for _ in range(2):
        expected = [descent.step(x[i::4], y[i::4]) for i in range(4)]
    assert names["losses"] == pytest.approx(expected, rel=1e-4)


def test_a_mean_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    run("sources", "empty")
    said = "mean of nothing: nan\ndivide_no_nan:   0.0\n"
    assert capsys.readouterr().out == said
    assert math.isnan(tf.keras.losses.MeanSquaredError()([], []))
    ratio = value_and_slope(lambda v: tf.math.divide_no_nan(v, v), 0.0)
    assert ratio == (0.0, 0.0)


# A learning rate too large


def test_too_fast_overflows_in_the_loss_and_then_in_the_weight(
    shown: list[Figure],
) -> None:
    names = run("sources", "too_fast", "too_fast_drawn")
    losses, first_inf = names["losses"], names["first_inf"]
    first_nan = names["first_nan"]
    # The error in w grows by this factor, the loss by its square.
    growth = abs(1 - 2 * 101 / 75)
    steep = np.diff(np.log(losses[10:first_inf]))
    assert steep == pytest.approx(2 * np.log(growth), rel=1e-2)
    assert losses[1] > losses[0]
    assert np.isinf(losses[first_inf:first_nan]).all()
    assert np.isnan(losses[first_nan:]).all()
    assert np.isfinite(names["weights"][:first_nan]).all()
    # The sum of the squares overflows between these two steps.
    total = 201 * losses[first_inf - 1]
    assert total < float(tf.float32.max) < total * growth**2
    [axes] = shown[0].axes
    loss_line, weight_line, *marks = axes.get_lines()
    assert len(loss_line.get_path()) == first_inf == 78
    assert len(weight_line.get_path()) == first_nan == 166
    ends = [np.asarray(mark.get_path().vertices) for mark in marks]
    assert [float(end[0, 0]) for end in ends] == [78, 166]


# A finite loss, and a gradient that is NaN


def test_the_length_of_zero_spoils_the_second_epoch(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = run("sources", "length")
    first, *others = capsys.readouterr().out.splitlines()
    assert first == "epoch 1: loss 10.34, gradients 5.49 and nan"
    for line in others:
        assert line.endswith("loss nan, gradients nan and nan")
    with pytest.raises(tf.errors.InvalidArgumentError, match="a gradient"):
        check("sources", "safe_length", names)


def test_a_root_that_never_sees_zero_mends_it() -> None:
    names = run("sources", "safe_length")
    x, y = (np.asarray(values, float) for values in make_data())
    w, b = 5.0, 0.0
    for _ in range(3):
        error, length = w * x + b - y, math.sqrt(b**2 + 1e-6)
        due = np.mean(error**2) + 0.1 * length
        dw, db = 2 * np.mean(error * x), 2 * np.mean(error) + 0.1 * b / length
        w, b = w - 0.1 * dw, b - 0.1 * db
    assert float(names["current_loss"]) == pytest.approx(due, rel=1e-4)
    found = [float(gradient) for gradient in names["gradients"]]
    assert found == pytest.approx([dw, db], rel=1e-3)


def test_the_safe_norm_is_a_norm_and_at_least_a_thousandth() -> None:
    assert float(safe_norm(tf.Variable([3.0, 4.0]))) == pytest.approx(5.0)
    assert float(safe_norm(tf.Variable([0.0]))) == pytest.approx(1e-3)
    assert gradient_of(safe_norm, [0.0, 0.0]) == [0.0, 0.0]


@pytest.mark.parametrize(
    ("function", "at"),
    [
        (lambda v: tf.sqrt(tf.reduce_mean((v - 2.0) ** 2)), [2.0, 2.0]),
        (lambda v: tf.norm(v - [1.0, 2.0]), [1.0, 2.0]),
        (tf.math.reduce_std, [3.0, 3.0]),
    ],
)
def test_other_roots_of_zero(function: Any, at: list[float]) -> None:
    assert float(function(tf.constant(at))) == 0.0
    assert np.isnan(gradient_of(function, at)).all()


# tf.where


def test_where_gives_right_values_and_a_gradient_of_nan() -> None:
    names = run("sources", "where")
    expected = [math.log(0.5), 0.0, math.log(2.0)]
    assert names["logs"].numpy() == pytest.approx(expected, rel=1e-5)
    assert np.isnan(names["slopes"]).tolist() == [False, True, False]
    with pytest.raises(tf.errors.InvalidArgumentError, match="safe_log"):
        check("sources", "where_twice", names)


def test_where_twice_has_both() -> None:
    names = run("sources", "where", "where_twice")
    expected = [math.log(0.5), 0.0, math.log(2.0)]
    assert names["logs"].numpy() == pytest.approx(expected, rel=1e-5)
    assert names["slopes"].tolist() == [2.0, 0.0, 0.5]


@pytest.mark.parametrize("options", [{}, {"jit_compile": True}])
def test_division_and_powers_behave_like_the_logarithm(
    options: dict[str, bool],
) -> None:
    for function in (lambda v: 1.0 / v, lambda v: v**0.5, tf.math.log):

        def chosen(v: Any, inside: Any = function) -> Any:
            return tf.where(v > 0.0, inside(v), 0.0)

        assert math.isnan(gradient_of(chosen, [0.0], **options)[0])
        assert np.isfinite(gradient_of(safe_log, [0.0], **options)).all()


def test_the_root_seems_not_to() -> None:
    def chosen(v: Any) -> Any:
        return tf.where(v > 0.0, tf.sqrt(v), 0.0)

    with tf.device("CPU"):
        assert gradient_of(chosen, [0.0]) == [0.0]
        assert math.isnan(gradient_of(chosen, [0.0], jit_compile=True)[0])


def test_log_or_zero_is_safe_as_long_as_nobody_asks_for_gradients() -> None:
    values = tf.constant([-1.0, 0.0, 1.0, 4.0])
    expected = [0.0, 0.0, 0.0, math.log(4.0)]
    assert log_or_zero(values).numpy() == pytest.approx(expected, rel=1e-5)
    assert safe_log(values).numpy() == pytest.approx(expected, rel=1e-5)


# Half precision


def test_half_precision_is_a_small_room(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("sources", "half")
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:] == ["90000 becomes inf", "1e-08 becomes 0.0"]
    assert float(tf.float16.max) == 65504.0
    wide, full = float(tf.bfloat16.max), float(tf.float32.max)
    assert wide == pytest.approx(full, rel=0.01)
    assert float(tf.cast(1.001, tf.bfloat16)) == 1.0


def test_a_last_layer_of_its_own_precision() -> None:
    policy = tf.keras.mixed_precision.Policy("mixed_float16")
    hidden = tf.keras.layers.Dense(2, dtype=policy)
    last = tf.keras.layers.Dense(1, dtype="float32")
    inside = tf.keras.Input((1,))
    assert hidden(inside).dtype == "float16"
    assert last(hidden(inside)).dtype == "float32"


def test_a_loss_scale_optimizer_skips_and_halves() -> None:
    names = run("steps", "scaled")
    assert weights(names["model"]) == [5.0, 0.0]
    optimizer, inner = names["optimizer"], names["inner"]
    assert float(optimizer.dynamic_scale) == 2.0**15 / 4
    assert int(optimizer.iterations) == int(inner.iterations) == 0
    momenta = inner.variables[2:]
    assert [float(slot) for slot in momenta] == [0.0, 0.0]


# Find the operation


def test_check_numerics_says_what_it_was_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="the loss : Tensor had NaN value"
    ):
        run("find", "check")
    value = tf.constant(NAN)
    for look in (
        tf.debugging.check_numerics,
        tf.debugging.assert_all_finite,
    ):

        @tf.function
        def compiled(v: tf.Tensor, look: Any = look) -> tf.Tensor:
            return look(v, "mine")

        with pytest.raises(
            tf.errors.InvalidArgumentError, match="mine : Tensor had NaN value"
        ):
            look(value, "mine")
        with pytest.raises(
            tf.errors.InvalidArgumentError,
            match=r"(?s)test_not_a_number\.py.*mine : Tensor had NaN value",
        ):
            compiled(value)


def test_check_numerics_raises_for_infinity_and_returns_what_is_finite() -> (
    None
):
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"had -?Inf"):
        checked(tf.constant(-INF))
    assert float(checked(tf.constant(3.0))) == 3.0


def test_enable_check_numerics_names_the_gradient_of_the_root() -> None:
    with pytest.raises(
        tf.errors.InvalidArgumentError,
        match=r'(?s)Detected Infinity or NaN in output 0 of .*"SqrtGrad"'
        r".*\+Inf elements: 1.*0: tf.Tensor\(0\.0",
    ):
        run("find", "enable")
    execute("nan_find", statements("nan_find", "disable"), {"tf": tf})
    assert tf.math.log(0.0) == -INF


def compiled_gradient() -> Any:
    @tf.function
    def gradient(v: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(v)
            length = tf.norm(v)
        slope = tape.gradient(length, v)
        return tf.where(tf.math.is_finite(slope), slope, 0.0)

    return gradient


def test_compiled_the_message_names_lines_and_old_graphs_are_not_checked() -> (
    None
):
    zero, old = tf.constant(0.0), compiled_gradient()
    assert float(old(zero)) == 0.0
    operations = len(old.get_concrete_function(zero).graph.get_operations())
    tf.debugging.enable_check_numerics()
    assert float(old(zero)) == 0.0
    new = compiled_gradient()
    with pytest.raises(
        tf.errors.InvalidArgumentError,
        match=r"(?s)SqrtGrad.*test_not_a_number\.py",
    ):
        new(zero)
    checked_graph = new.get_concrete_function(zero).graph
    assert len(checked_graph.get_operations()) > operations
    tf.debugging.disable_check_numerics()
    with pytest.raises(tf.errors.InvalidArgumentError, match="SqrtGrad"):
        new(zero)


def test_an_old_graph_is_checked_in_what_it_returns() -> None:
    log = tf.function(lambda v: tf.math.log(v))
    log(tf.constant(0.0))
    tf.debugging.enable_check_numerics()
    with pytest.raises(tf.errors.InvalidArgumentError, match="had -Inf"):
        log(tf.constant(0.0))


def test_a_harmless_infinity_is_an_error_too() -> None:
    values = tf.constant([0.0, 1.0])
    assert log_or_zero(values).numpy().tolist() == [0.0, 0.0]
    tf.debugging.enable_check_numerics()
    with pytest.raises(tf.errors.InvalidArgumentError, match='"Log"'):
        log_or_zero(values)


def test_xla_leaves_the_check_out_and_refuses_the_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = run("find", "xla")
    assert "nan" in capsys.readouterr().out
    assert math.isnan(names["with_xla"](INF - INF))
    with pytest.raises(tf.errors.InvalidArgumentError, match="NaN"):
        tf.function(checked)(tf.constant(NAN))
    finite = tf.function(
        lambda v: tf.debugging.assert_all_finite(v, "v"), jit_compile=True
    )
    assert math.isnan(finite(tf.constant(NAN)))
    tf.debugging.enable_check_numerics()
    log = tf.function(lambda v: tf.math.log(v), jit_compile=True)
    with pytest.raises(tf.errors.InvalidArgumentError, match="unsupported"):
        log(tf.constant(1.0))


# Stop, or skip the step


def test_comparisons_with_nan(capsys: pytest.CaptureFixture[str]) -> None:
    run("steps", "compare")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in lines] == ["False"] * 4
    for value in (NAN, INF, -INF):
        assert not math.isfinite(value)
        assert not bool(tf.math.is_finite(value))
    assert math.isfinite(1.0)


def test_the_batches_are_those_of_the_page() -> None:
    names = run("steps", "batches")
    bad = [bool(np.isnan(y).any()) for _, y in names["batches"]]
    assert bad == [False, False, True, False]
    assert np.isnan(names["bad"][1]).any()
    assert np.isfinite(names["good"][1]).all()


def test_stopping_after_the_update_is_too_late() -> None:
    names = run("steps", "stop")
    assert names["number"] == 2
    assert np.isnan(weights(names["model"])).all()
    with pytest.raises(AssertionError):
        check("steps", "skip", names)


def test_a_skipped_step_leaves_no_trace() -> None:
    names = run("steps", "skip")
    descent = Descent(0.03)
    for number in (0, 1, 3):
        descent.step(*batches()[number])
    assert weights(names["model"]) == pytest.approx(descent.weights, rel=1e-4)
    assert int(names["optimizer"].iterations) == 3
    assert bool(names["finite"])


@pytest.mark.parametrize("options", [None, {}, {"jit_compile": True}])
@pytest.mark.parametrize("make", [SGD, tf.keras.optimizers.Adam])
def test_train_finite_skips_however_it_runs(make: Any, options: Any) -> None:
    model, optimizer = KerasLinearModel(), make(0.1)
    optimizer.build(model.trainable_variables)
    step: Any = train_finite
    if options is not None:
        step = tf.function(train_finite, **options)
    good, bad = batches()[0], batches()[2]
    before = weights(model)
    assert not bool(step(model, optimizer, *bad)[1])
    assert weights(model) == before
    assert bool(step(model, optimizer, *good)[1])
    assert weights(model) != before


@pytest.mark.parametrize("step", [train, train_finite, train_zeroed])
def test_each_step_tells_the_layers_that_it_trains(step: Any) -> None:
    told: list[bool] = []

    class Watching(KerasLinearModel):
        def call(self, x: Any, training: bool = False) -> Any:
            told.append(training)
            return super().call(x)

    step(Watching(), SGD(0.1), *batches()[0])
    assert told == [True]


@pytest.mark.parametrize("size", [1e19, 3e19])
def test_squares_that_overflow_are_skipped(size: float) -> None:
    norm = tf.linalg.global_norm([tf.constant([size])])
    assert math.isfinite(norm) == (size < 2e19)


@pytest.mark.parametrize("make", [SGD, tf.keras.optimizers.Adam])
def test_restored_weights_do_not_restore_the_optimizer(make: Any) -> None:
    names = run("steps", "restored")
    assert np.isnan(weights(names["model"])).all()
    model = KerasLinearModel()
    optimizer = SGD(0.03, momentum=0.9) if make is SGD else make(0.03)
    train(model, optimizer, *names["good"])
    restored = model.get_weights()
    train(model, optimizer, *names["bad"])
    model.set_weights(restored)
    slots = optimizer.variables[2:]
    assert len(slots) == (2 if make is SGD else 4)
    assert np.isnan([float(slot) for slot in slots]).all()
    assert np.isfinite(weights(model)).all()
    train(model, optimizer, *names["good"])
    assert np.isnan(weights(model)).all()


def test_zeros_let_the_momentum_run_on_and_skipping_does_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("steps", "zeroed")
    zeroed, skipped = capsys.readouterr().out.splitlines()
    good = batches()[0]
    descent = Descent(0.03, 0.9)
    for step in (descent.step, None, None, descent.step):
        step(*good) if step else descent.move(np.zeros(2))
    assert zeroed.endswith(f" {descent.weights[0]:.2f}, steps: 4")
    descent = Descent(0.03, 0.9)
    for _ in range(2):
        descent.step(*good)
    assert skipped.endswith(f" {descent.weights[0]:.2f}, steps: 2")


def test_train_zeroed_descends_where_all_is_finite() -> None:
    model, descent, good = KerasLinearModel(), Descent(0.1), batches()[0]
    train_zeroed(model, SGD(0.1), *good)
    descent.step(*good)
    assert weights(model) == pytest.approx(descent.weights, rel=1e-4)


def test_a_layer_and_a_metric_keep_the_nan() -> None:
    names = run("steps", "normalised")
    assert math.isnan(names["layer"].moving_mean.numpy().item())
    assert math.isnan(names["average"].result())
    names["average"].reset_state()
    names["average"].update_state(2.0)
    assert float(names["average"].result()) == 2.0


# TerminateOnNaN


def test_terminate_on_nan_stops_the_loop_with_weights_of_nan(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = run("steps", "terminate")
    out = capsys.readouterr().out
    assert "Batch 2: Invalid loss, terminating training\n" in out
    assert out.splitlines()[-1] == "batch 2: loss nan, w nan"
    assert names["model"].stop_training
    assert np.isnan(weights(names["model"])).all()


def test_without_the_callback_the_loop_goes_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = KerasLinearModel()
    assert not hasattr(model, "stop_training")
    model.stop_training = False
    nothing = CallbackList([], model=model)
    callback_epoch(model, SGD(0.03), batches(), nothing)
    assert capsys.readouterr().out.count("batch") == 4


@pytest.mark.parametrize("value", [NAN, INF, -INF, 1e30])
def test_terminate_on_nan_stops_at_infinity_too(value: float) -> None:
    model = KerasLinearModel()
    model.stop_training = False
    guard = tf.keras.callbacks.TerminateOnNaN()
    callbacks = CallbackList([guard], model=model)
    callbacks.on_train_batch_end(0, {"loss": value})
    assert model.stop_training is not math.isfinite(value)


def test_in_fit_the_weights_are_nan_by_then_as_well() -> None:
    x, y = make_data()
    model = KerasLinearModel()
    model.compile(SGD(0.03), loss="mse", run_eagerly=True)
    guard = tf.keras.callbacks.TerminateOnNaN()
    log = model.fit(x, y * NAN, verbose=0, epochs=3, callbacks=[guard])
    assert len(log.history["loss"]) == 1
    assert np.isnan(weights(model)).all()


# Clipping


def test_no_way_of_clipping_removes_a_nan(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("steps", "clip")
    lines = capsys.readouterr().out.splitlines()
    found = [line.split(maxsplit=1)[1] for line in lines]
    assert found == [
        "[nan 1.  0.5]",
        "[nan nan nan]",
        "[nan nan nan]",
        "[1.  1.  0.5]",
        "[nan  0.  0.]",
        "[nan nan nan]",
    ]


def test_the_arguments_of_optimizers_do_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("steps", "clip_model")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("w ")[1] for line in lines] == [
        "nan, b -0.10",
        "nan, b -0.10",
        "nan, b nan",
    ]


def test_clipping_helps_against_overflow_and_does_not_settle(
    best: tuple[float, float],
) -> None:
    names = run("steps", "clip_helps")
    x, y = (np.asarray(values, float) for values in make_data())
    least = np.mean((best[0] * x + best[1] - y) ** 2)
    *_, before, last = losses = names["losses"]
    assert np.isfinite(losses).all()
    assert last > least + 0.2
    assert last == pytest.approx(losses[-3], abs=1e-3)
    assert abs(last - before) > 0.01


# Checks to paste


def test_check_finite_names_what_is_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"the gradient of .*/b : Tensor"
    ):
        run("checks", "find_gradient")
    assert capsys.readouterr().out == "all finite\n"
    model, one = KerasLinearModel(), tf.constant(1.0)
    check_finite(model, one, [one, one])
    with pytest.raises(tf.errors.InvalidArgumentError, match="the loss : "):
        check_finite(model, one * INF, [one, one])
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"the gradient of .*/w : "
    ):
        check_finite(model, one, [one * NAN, one])


def test_check_finite_works_in_a_compiled_step() -> None:
    model, (x, y) = KerasLinearModel(), make_data()

    @tf.function
    def step(x: tf.Tensor, y: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            current_loss = loss(y, model(x))
        gradients = tape.gradient(current_loss, model.trainable_variables)
        check_finite(model, current_loss, gradients)

    step(x, y)
    with pytest.raises(tf.errors.InvalidArgumentError, match="the loss : "):
        step(x, y * NAN)


def test_check_skips_passes_and_catches(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("checks", "skips")
    skips, zeroed, plain = capsys.readouterr().out.splitlines()
    assert skips == "train_finite: nothing changed"
    assert re.fullmatch(
        r"train_zeroed: keras_linear_model\w*/w changed", zeroed
    )
    assert re.fullmatch(r"train: keras_linear_model\w*/w changed", plain)


def test_check_skips_sees_a_count_and_an_average() -> None:
    x, y = make_data()
    with pytest.raises(AssertionError, match="iteration changed"):
        check_skips(train_zeroed, KerasLinearModel(), SGD(0.1), x, y)
    normed = tf.keras.Sequential(
        [tf.keras.layers.BatchNormalization(), tf.keras.layers.Dense(1)]
    )
    normed(x[:, tf.newaxis])

    def forgetful(model: Any, optimizer: Any, x: Any, y: Any) -> None:
        model(y[:, tf.newaxis], training=True)

    with pytest.raises(AssertionError, match="moving_mean changed"):
        check_skips(forgetful, normed, SGD(0.1), x, y)


# Exercises


def test_the_cross_entropies_agree_while_both_are_finite() -> None:
    run("checks", "cross_entropies")
    logits = [2.0, -1.0]
    expected = math.log(math.exp(3.0) + 1)
    for function in (by_hand, from_logits):
        value = function(tf.Variable(logits))
        assert float(value) == pytest.approx(expected, rel=1e-5)
    high = tf.Variable([200.0, 0.0])
    assert float(by_hand(high)) == INF
    assert float(from_logits(high)) == 200.0
    assert np.isnan(gradient_of(by_hand, [200.0, 0.0])).all()
    assert gradient_of(from_logits, [200.0, 0.0]) == [1.0, -1.0]
    assert float(tf.exp(-200.0)) == 0.0
    keras_loss = tf.keras.losses.CategoricalCrossentropy(from_logits=True)
    classes = tf.constant([[0.0, 1.0]])
    assert float(keras_loss(classes, high[tf.newaxis])) == 200.0


def test_patience_ends() -> None:
    with pytest.raises(ArithmeticError, match="batch 3: 3 skipped in a row"):
        run("checks", "patience")
    good, bad = batches()[0], batches()[2]
    model, optimizer = KerasLinearModel(), SGD(0.03)
    train_patiently(model, optimizer, [bad, bad, good, bad, bad], 3)
    assert int(optimizer.iterations) == 1
    with pytest.raises(ArithmeticError, match="batch 1: 2 skipped"):
        train_patiently(model, optimizer, [bad, bad, good], 2)


def test_train_short_descends_the_loss_and_its_penalty() -> None:
    x, y = make_data()
    model = KerasLinearModel()
    found, gradients = train_short(model, SGD(0.0), x, y, tf.square)
    assert float(found) == pytest.approx(float(loss(y, model(x))))
    assert np.isfinite([float(g) for g in gradients]).all()


@pytest.mark.parametrize("module", MODULES)
def test_the_module_runs_as_a_script(
    module: str, printed_by: Callable[[str], list[str]]
) -> None:
    assert printed_by(f"nan_{module}")
