"""Seven ways to take the same steps end at the same weights."""

import contextlib
import io
import json
import re
import runpy
import sys
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pytest
import tensorflow as tf
from matplotlib.figure import Figure

from snippets.data import make_data
from snippets.how_fast import (
    count_operations,
    counted,
    largest_error,
    no_step,
    seconds_of,
    train_many,
    train_numpy,
    train_unrolled,
    train_verbosely,
    train_with_losses,
)
from snippets.linear_model import LinearModel
from snippets.loss import loss

EPOCHS = 10
RATE = 0.1


MEASURED = Path(__file__).parents[2] / "snippets/results/loop_speed.json"


class Script(NamedTuple):
    """What the module leaves when it runs as a script."""

    variables: dict[str, Any]
    printed: str
    figures: list[Figure]


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Script:
    """The module, run once in a folder of its own."""
    figures: list[Figure] = []
    printed, complained = io.StringIO(), io.StringIO()

    def show() -> None:
        figures.append(plt.gcf())
        plt.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("script"))
        patch.setattr(plt, "show", show)
        patch.delitem(sys.modules, "snippets.how_fast")
        plt.switch_backend("Agg")
        with (
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(complained),
        ):
            variables = runpy.run_module(
                "snippets.how_fast", run_name="__main__"
            )
    assert complained.getvalue() == ""
    assert plt.get_fignums() == [], "a figure was not shown"
    return Script(variables, printed.getvalue(), figures)


def closed_form(x: tf.Tensor, y: tf.Tensor) -> tuple[float, float, float]:
    """Return w, b and the loss after the epochs, in float64.

    The loss is quadratic and the mean of x is zero, so each weight goes its
    own way to its best value, by a factor 1 - RATE * curvature an epoch.
    """
    inputs, outputs = np.asarray(x, np.float64), np.asarray(y, np.float64)
    best_w = np.mean(inputs * outputs) / np.mean(inputs**2)
    best_b = np.mean(outputs)
    w = best_w + (5 - best_w) * (1 - 2 * RATE * np.mean(inputs**2)) ** EPOCHS
    b = best_b + (0 - best_b) * (1 - 2 * RATE) ** EPOCHS
    end_loss = np.mean((w * inputs + b - outputs) ** 2)
    return float(w), float(b), float(end_loss)


@pytest.mark.parametrize("compiled", [None, False, True])
def test_the_loop_inside_ends_where_the_mathematics_does(
    x: tf.Tensor, y: tf.Tensor, compiled: bool | None
) -> None:
    loop = train_many
    if compiled is not None:
        loop = tf.function(train_many, jit_compile=compiled)
    model = LinearModel()
    loop(model, x, y, RATE, tf.constant(EPOCHS))
    w, b, _ = closed_form(x, y)
    assert float(model.w) == pytest.approx(w, abs=1e-5)
    assert float(model.b) == pytest.approx(b, abs=1e-5)


def test_a_loop_of_python_ends_there_too(x: tf.Tensor, y: tf.Tensor) -> None:
    for loop in (train_unrolled, tf.function(train_unrolled)):
        model = LinearModel()
        loop(model, x, y, RATE, EPOCHS)
        w, b, _ = closed_form(x, y)
        assert float(model.w) == pytest.approx(w, abs=1e-5)
        assert float(model.b) == pytest.approx(b, abs=1e-5)


def test_operations_are_counted_inside_of_loops_too() -> None:
    def squares(v: tf.Tensor, rounds: int) -> None:
        for _ in range(rounds):
            v = v * v

    def in_graph(v: tf.Tensor) -> None:
        for _ in tf.range(3):
            v = v * v

    ones = tf.ones(2)
    sizes = [count_operations(squares, ones, rounds) for rounds in (1, 2, 5)]
    assert sizes[1] - sizes[0] == 1
    assert sizes[2] - sizes[0] == 4
    graph = tf.function(in_graph).get_concrete_function(ones).graph
    assert count_operations(in_graph, ones) > len(graph.get_operations())


def test_numpy_takes_the_same_steps(x: tf.Tensor, y: tf.Tensor) -> None:
    w, b = np.float32(5.0), np.float32(0.0)
    for _ in range(EPOCHS):
        w, b = train_numpy(w, b, x.numpy(), y.numpy(), RATE)
    assert w.dtype == b.dtype == np.float32
    expected_w, expected_b, _ = closed_form(x, y)
    assert float(w) == pytest.approx(expected_w, abs=1e-5)
    assert float(b) == pytest.approx(expected_b, abs=1e-5)


@pytest.mark.parametrize("compiled", [None, False, True])
def test_the_losses_are_those_after_each_epoch(
    x: tf.Tensor, y: tf.Tensor, compiled: bool | None
) -> None:
    model = LinearModel()
    loop = train_with_losses
    if compiled is not None:
        loop = tf.function(train_with_losses, jit_compile=compiled)
    losses = loop(model, x, y, RATE, tf.constant(EPOCHS))
    assert losses.shape == (EPOCHS,)
    assert np.all(np.diff(losses) < 0)
    assert float(losses[-1]) == pytest.approx(closed_form(x, y)[2], abs=1e-5)
    assert float(losses[-1]) == pytest.approx(float(loss(y, model(x))), 1e-6)


def test_xla_refuses_to_print(
    x: tf.Tensor, y: tf.Tensor, capfd: pytest.CaptureFixture[str]
) -> None:
    for printing in (train_verbosely, tf.function(train_verbosely)):
        printing(LinearModel(), x, y, RATE)
        assert re.search(r"loss \d\.\d+", capfd.readouterr().err)
    with pytest.raises(tf.errors.InvalidArgumentError, match="StringFormat"):
        tf.function(train_verbosely, jit_compile=True)(
            LinearModel(), x, y, RATE
        )


def test_numpy_finds_the_largest_error() -> None:
    y, y_pred = tf.constant([1.0, 2.0, 3.0]), tf.constant([1.5, -2.0, 4.0])
    for error in (largest_error, tf.function(largest_error)):
        assert float(error(y, y_pred)) == 4.0
        assert float(error(y, y_pred[:, tf.newaxis])) == 4.0
    traced = tf.function(largest_error).get_concrete_function(y, y_pred)
    assert traced.structured_outputs.shape == ()


class Counted(np.ndarray):
    """An array that counts the arrays that operations read and write."""

    moved = 0

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any
    ) -> Any:
        """Compute as NumPy does, and count."""
        plain = [np.asarray(i) for i in inputs]
        out = getattr(ufunc, method)(*plain, **options)
        Counted.moved += sum(np.ndim(a) > 0 for a in [*plain, out])
        return out.view(Counted) if np.ndim(out) else out


def test_an_update_of_numpy_moves_twelve_arrays(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    inputs, outputs = (a.numpy().view(Counted) for a in (x, y))
    w, b = np.float32(5.0), np.float32(0.0)
    Counted.moved = 0
    ends = train_numpy(w, b, inputs, outputs, RATE)
    assert Counted.moved == 12
    assert ends == train_numpy(w, b, x.numpy(), y.numpy(), RATE)


def test_an_update_of_xla_moves_eight_arrays() -> None:
    """They are what its fused loops take and give, by its own listing."""
    points = 100_000
    x, y = make_data(points)
    arguments = LinearModel(), x, y, RATE, tf.constant(EPOCHS)
    loop = tf.function(train_many, jit_compile=True)
    listing = loop.experimental_get_compiler_ir(*arguments)(
        stage="optimized_hlo"
    )
    loops = re.findall(r"(?m)^%(?:fused|wrapped)_.* \{$", listing)
    moved = [head.count(f"f32[{points}]") for head in loops]
    assert sum(moved) == 8
    assert f"f32[{points}]{{0}} copy(" not in listing


@pytest.mark.parametrize(
    ("name", "by_xla"),
    [
        ("compiled_train", False),
        ("xla_train", True),
        ("compiled_loop", False),
        ("xla_loop", True),
        ("reporting_loop", True),
    ],
)
def test_xla_compiles_what_the_page_says(
    script: Script, x: tf.Tensor, y: tf.Tensor, name: str, by_xla: bool
) -> None:
    arguments: tuple[Any, ...] = LinearModel(), x, y, RATE
    if name.endswith("loop"):
        arguments += (tf.constant(EPOCHS),)
    graph = script.variables[name].get_concrete_function(*arguments)
    assert graph.function_def.attr["_XlaMustCompile"].b is by_xla


def test_all_ways_end_at_the_same_weights(
    script: Script, x: tf.Tensor, y: tf.Tensor
) -> None:
    ends = script.variables["ends"]
    assert set(ends) == {*script.variables["ratios"], "fit, by tens"}
    w, b, _ = closed_form(x, y)
    for name, end in ends.items():
        assert end == pytest.approx((w, b), abs=1e-5), name
    same = "ways: 7, largest difference below 1e-6: True\n"
    assert same in script.printed


def test_numbers_are_traced_anew_and_tensors_are_not(script: Script) -> None:
    assert "with numbers: 2\ntraces with tensors: 1\n" in script.printed
    assert "as numbers: 2\nepochs as tensors: 1\n" in script.printed
    assert "not compiled, XLA_CPU_JIT: StringFormat" in script.printed


def test_the_table_has_the_ratios_of_the_file(script: Script) -> None:
    measured = json.loads(MEASURED.read_text("utf-8"))
    assert script.variables["measured"] == measured
    for name, ratios in measured["times_as_fast_as_the_eager_loop"].items():
        [line] = re.findall(rf"(?m)^{name}  .*×$", script.printed)
        shown = re.findall(r"([\d,.]+)×", line)
        assert [float(n.replace(",", "")) for n in shown] == ratios


def test_the_figure_has_a_mark_for_each_way_and_size(script: Script) -> None:
    [figure] = script.figures
    [axes] = figure.axes
    assert axes.get_xscale() == "log"
    *marks, eager = axes.lines
    assert list(np.asarray(eager.get_xdata())) == [1, 1]
    ratios = script.variables["ratios"]
    for column, line in enumerate(marks):
        names, speeds = map(np.asarray, (line.get_ydata(), line.get_xdata()))
        drawn = dict(zip(names, speeds, strict=True))
        assert drawn == {n: row[column] for n, row in ratios.items()}
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["201", "100,000", "1,000,000"]
    assert len({line.get_marker() for line in marks}) == len(texts)


def test_the_rates_are_bytes_by_seconds(script: Script) -> None:
    measured = script.variables["measured"]
    seconds = measured["seconds_per_update"]
    rates = {n: r[-1] for n, r in measured["gigabytes_per_second"].items()}
    for name, megabytes in {"NumPy": 48, "XLA loop": 32}.items():
        rate = megabytes / 1e3 / seconds[name][-1]
        line = rf"{name} +{megabytes} MB an update, {rate:.1f} GB/s\n"
        assert re.search(line, script.printed)
        share = script.variables["shares"][name]
        assert share == pytest.approx(rate / rates["copy"])
    least = 8e-3 / rates["dot product"]
    limit = seconds["eager loop"][-1] / least
    assert f"an update at this rate {limit:.0f}×\n" in script.printed


def test_a_first_call_is_worth_its_time_after_the_updates_named(
    script: Script,
) -> None:
    measured = script.variables["measured"]
    seconds = measured["seconds_per_update"]
    eager = seconds["eager loop"][0]
    for name, first in measured["seconds_of_first_call"].items():
        [worth] = re.findall(
            rf"{name} +pays after ([\d,]+) up", script.printed
        )
        updates = int(worth.replace(",", ""))
        compiled = seconds[name][0]
        assert first + updates * compiled <= updates * eager
        assert first + (updates - 1) * compiled > (updates - 1) * eager


def test_what_is_done_to_the_data_is_counted() -> None:
    calls = tf.Variable(0)
    prepare = counted(calls)
    x, y = prepare(tf.constant([-3.0, 1.0, 3.0]), tf.constant([7.0]))
    assert x.numpy().tolist() == [-2.0, 1.0, 2.0]
    assert y.numpy().tolist() == [7.0]
    prepare(x, y)
    assert int(calls) == 2


def test_an_epoch_takes_what_its_data_and_its_steps_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By a clock that only data and steps move."""
    now = [100.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    seen = []

    def batches() -> Any:
        for number in range(3):
            now[0] += 2.0
            yield tf.constant(number), tf.constant(-number)

    def step(x: tf.Tensor, y: tf.Tensor) -> None:
        now[0] += 5.0
        seen.append((int(x), int(y)))

    assert seconds_of(batches(), step) == 21.0
    assert seen == [(0, 0), (1, -1), (2, -2)]
    assert seconds_of(batches(), no_step) == 6.0


def test_calls_and_traces_by_epoch_and_step(script: Script) -> None:
    calls = re.findall(r"(\S.*?) +calls: +(\d+), then +(\d+)", script.printed)
    assert calls == [
        ("map, batch", "201", "201"),
        ("batch, map", "7", "7"),
        ("batch, map, cache", "7", "0"),
    ]
    assert "traces after each step: 1 1 1 1 1 1 2\n" in script.printed
    assert "arrays: 14, all the same: True\n" in script.printed
    assert script.variables["share"] > 0
