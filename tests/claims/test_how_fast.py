"""What the page on speed says is true."""

import concurrent.futures
import gc
import inspect
import json
import os
import re
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.eager import context
from tensorflow.python.framework import config

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
from snippets.how_fast_rows import by_map_fn, by_vectorized_map, row_loss
from snippets.how_fast_threads import made_with, trained
from snippets.keras_model import KerasLinearModel
from snippets.linear_model import LinearModel
from snippets.loss import loss
from snippets.training_loop import train
from tests.claims.says import figure, logged, printed, record, says
from tests.claims.sentences import DOCS, ROOT, read
from tools.bench import loop_speed

NAME = "how_fast"
PAGE = read(NAME)
BLOCKS = {block.name: block for block in PAGE.blocks}
SOURCE = (DOCS / f"{NAME}.md").read_text("utf-8")
FILE = ROOT / "snippets/results/loop_speed.json"
MEASURED = json.loads(FILE.read_text("utf-8"))
RATIOS: dict[str, list[float]] = MEASURED["times_as_fast_as_the_eager_loop"]
SECONDS: dict[str, list[float]] = MEASURED["seconds_per_update"]
Data = tuple[Any, Any]
GUIDE_LOOP = "basic_training_loops", "training_loop:run"
TRAPS = (DOCS / "traps.md").read_text("utf-8")
SAME = "ways: 7, largest difference below 1e-6: True"


@pytest.fixture(scope="module")
def data() -> tuple[tf.Tensor, tf.Tensor]:
    return make_data()


# The page


@says(
    "The same TensorFlow training steps taken in seven ways, from an "
    "eager loop to a loop compiled by XLA, shown to be equal and then "
    "timed."
)
@says(
    "At the end of this page you can make a training loop several times "
    "as fast, you know when that is not worth it, and you can tell whether "
    "it waits for its data."
)
@says(
    "You take the same ten steps in seven ways, see that all end at the "
    "same weights, and then look at how long each takes."
)
@says("Seven ways to take the same steps")
@says("Each way will say where it ends. We keep the ends, to compare them.")
@says("Print where a training ended, and keep it for a comparison.")
@says("Four digits agree.")
@says("All seven do the same work, so their times may be compared.")
def test_seven_ways_end_at_the_same_weights() -> None:
    assert printed(NAME, "same") == SAME
    [part] = re.findall(r"(?s)## Seven ways(.*?)\n## ", SOURCE)
    ways = [b for b in PAGE.blocks if "show(" in b.code and b.name != "show"]
    inside = [b.name for b in ways if f':{b.name}"' in part]
    assert len(inside) == 7
    ends = {printed(NAME, name).split(" w ")[1] for name in inside}
    assert ends == {"3.0503, b 1.7270"}
    for name in inside:
        assert re.search(
            r"range\(10\)|constant\(10\)|epochs=10", BLOCKS[name].code
        )
    assert 3 < RATIOS["XLA step"][0] < RATIOS["XLA loop"][0]
    assert len(RATIOS) == 7
    assert "## The model waits for its data" in SOURCE


@says(
    "You need the [guide to basic training "
    "loops](basic_training_loops.md); its data, model, loss and step "
    "are used again here."
)
@says("**The eager loop** is that of the guide.")
def test_the_guide_has_the_same_blocks() -> None:
    guide = {
        (b.options["run"], b.code) for b in read("basic_training_loops").blocks
    }
    for name in ("make_data", "loss", "train"):
        assert (BLOCKS[name].options["run"], BLOCKS[name].code) in guide
    models = [b for b in PAGE.blocks if b.name == "model"]
    assert len(models) == 2
    assert all((b.options["run"], b.code) in guide for b in models)


@says("All blocks above, in order, as one file.")
@says(
    "It needs TensorFlow and Matplotlib, and the file of the "
    "measurements beside it."
)
@says(
    "The times below are not made by this page's program: they would be "
    "others on every machine and in every run."
)
@says(
    "The share is another one in each run, so this page does not print it; "
    "print yours."
)
@says("Now time both epochs.")
def test_the_program_shows_no_times() -> None:
    code = "\n".join(b.code for b in PAGE.blocks)
    found = {*re.findall(r"(?m)^(?:import|from) (\w+)", code)}
    packages = {"matplotlib", "numpy", "tensorflow"}
    assert found - packages == {
        *("collections", "concurrent", "json", "pathlib", "time", "typing")
    }
    timing = [b.name for b in PAGE.blocks if "time." in b.code]
    assert timing == ["seconds"]
    timed = [b for b in PAGE.blocks if "seconds_of(" in b.code]
    assert [b.name for b in timed] == ["seconds", "share"]
    assert timed[1].code.count("seconds_of(") == 2
    assert printed(NAME, "share") == ""
    assert not re.search(r"{{[^}]*\bshare\b", SOURCE)
    assert not any(
        re.search(r"print\(.*\bshare\b", b.code) for b in PAGE.blocks
    )
    assert re.findall(r'Path\("(.*?)"\)', code) == ["loop_speed.json"]


# The ways


@says(
    "Python calls one operation of TensorFlow after the other, and each "
    "call costs time, however small the tensors are."
)
@says("The two ways above still come back to Python for every step.")
@says(
    "There is next to nothing to compute, so what you see is the cost "
    "of calling."
)
def test_calls_cost_time_however_little_there_is_to_compute(
    data: Data,
) -> None:
    called: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for name in ("square", "reduce_mean"):
            real = getattr(tf, name)

            def watched(
                *a: Any, _real: Any = real, _name: str = name, **k: Any
            ) -> Any:
                called.append(_name)
                return _real(*a, **k)

            patch.setattr(tf, name, watched)
        for _ in range(3):
            train(LinearModel(), *data, 0.1)
    assert called == ["square", "reduce_mean"] * 3
    # NumPy computes the same in a hundredth of the time.
    assert SECONDS["NumPy"][0] < SECONDS["eager loop"][0] / 50
    for name in ("compiled_step", "xla_step"):
        assert "for _ in range(10):" in BLOCKS[name].code


@says(
    "`tf.function` runs `train` once for each kind of arguments to *trace* "
    "it: it records the operations in a graph. Later calls run the graph "
    "without Python."
)
@says("The first call of a compiled function traces, and XLA compiles.")
def test_python_runs_once(data: Data) -> None:
    runs = []

    def counted(*given: Any) -> None:
        runs.append(1)
        train(*given)

    for how in ({}, {"jit_compile": True}):
        compiled = tf.function(counted, **how)
        model = LinearModel()
        runs.clear()
        first = float(model.w)
        compiled(model, *data, 0.1)
        assert runs == [1]
        for _ in range(3):
            compiled(model, *data, 0.1)
        assert runs == [1]
        assert float(model.w) < first - 1
        for _ in range(2):
            compiled(model, *(array[:9] for array in data), 0.1)
        assert runs == [1, 1]
    graph = compiled.get_concrete_function(LinearModel(), *data, 0.1).graph
    assert {"Mul", "Mean"} <= {op.type for op in graph.get_operations()}


@says(
    "With `jit_compile=True` the compiler "
    "[XLA](https://openxla.org/xla) turns the graph into machine code."
)
@says("It fuses operations, so that fewer results go to memory and back.")
@says(
    "XLA fuses operations, but not all: for each of the two sums it "
    "reads `x` and `y`, writes what is to be added, and reads it again. "
    "That is eight."
)
def test_what_xla_makes() -> None:
    x, y = make_data(1000)
    given = (LinearModel(), x, y, 0.1)
    compiled = tf.function(train, jit_compile=True)
    made = compiled.experimental_get_compiler_ir(*given)
    text = made(stage="optimized_hlo")
    fused = re.findall(r"(?m)^%(\S+) \((.*)\) -> f32\[1000\]", text)
    whole = [taken.count("f32[1000]") for _, taken in fused]
    assert whole == [2, 2], "two fusions, each reads x and y and writes one"
    written = re.findall(r"(%\S+) = f32\[1000\]\{0\} fusion\(", text)
    again = [len(re.findall(rf"{name}[,)]", text)) for name in written]
    assert again == [1, 1], "each is read again, once"
    by_type = made(stage="hlo").count("= f32[1000]{0} ")
    assert by_type > 2 * len(fused), "several operations in each fusion"
    moved = sum(whole) + len(written) + sum(again)
    assert moved == 8
    assert '("XLA loop", 8)' in BLOCKS["bandwidth"].code


@says(
    "This function has the loop inside. With `tf.range` the loop "
    "becomes part of the graph; Python's `range` would write out every "
    "step in it."
)
@says("Update the weights ``epochs`` times, each time on all of (x, y).")
def test_a_loop_in_the_graph(data: Data) -> None:
    def written_out(
        model: Any, x: Any, y: Any, rate: float, epochs: int
    ) -> None:
        for _ in range(epochs):
            train(model, x, y, rate)

    def operations(loop: Callable[..., Any], epochs: Any) -> list[str]:
        function = tf.function(loop).get_concrete_function(
            LinearModel(), *data, 0.1, epochs
        )
        return [op.type for op in function.graph.get_operations()]

    many = operations(train_many, tf.constant(3))
    assert "While" in many or "StatelessWhile" in many
    steps = [operations(written_out, epochs) for epochs in (1, 3)]
    assert [ops.count("Mean") for ops in steps] == [1, 3]
    assert many.count("Mean") == 0, "it is in the body of the loop"
    model, other = LinearModel(), LinearModel()
    tf.function(train_many)(model, *data, 0.1, tf.constant(3))
    for _ in range(3):
        train(other, *data, 0.1)
    assert float(model.w) == pytest.approx(float(other.w), abs=1e-6)


@says("**An XLA loop** is the same function, compiled by XLA.")
def test_the_same_function() -> None:
    assert "tf.function(train_many)" in BLOCKS["compiled_loop"].code
    assert (
        "tf.function(train_many, jit_compile=True)" in BLOCKS["xla_loop"].code
    )


@says(
    "**Keras' `fit`** compiles its step, too, and does much more around "
    "it: callbacks, metrics, a history."
)
@says(
    "`fit` comes back to Python after every step, to call its "
    "callbacks. With `steps_per_execution` it takes several steps at a "
    "time."
)
@says(
    "Here the data set holds the same batch ten times, and one "
    "execution takes ten steps."
)
@says("The weights are those of the ten epochs above.")
@says("Callbacks for batches now run once for ten of them.")
def test_fit_by_tens(data: Data) -> None:
    same_batch = tf.data.Dataset.from_tensors(data).repeat(10)

    def called(**how: Any) -> int:
        calls: list[int] = []
        tell = tf.keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: calls.append(batch)
        )
        model = KerasLinearModel()
        model.compile(tf.keras.optimizers.SGD(0.1), loss="mse", **how)
        history = model.fit(
            same_batch, verbose=0, callbacks=[tell], shuffle=False
        )
        assert [*history.history] == ["loss"]
        assert int(model.optimizer.iterations) == 10
        return len(calls)

    assert called() == 10
    assert called(steps_per_execution=10) == 1
    model = KerasLinearModel()
    steps = []
    run = model.train_step

    def watched(batch: Any) -> Any:
        steps.append(1)
        return run(batch)

    model.train_step = watched
    model.compile(tf.keras.optimizers.SGD(0.1), loss="mse")
    model.fit(same_batch, verbose=0, shuffle=False)
    assert len(steps) < 10, "the step is traced, not run, in Python"
    [by_tens] = re.findall("w .*", printed(NAME, "steps_per_execution"))
    assert by_tens in printed(NAME, "fit")


@says(
    "**NumPy**, to compare. There is no tape, so we write the "
    "derivatives ourselves."
)
@says("Return both weights after one update on all of (x, y).")
def test_the_derivatives_by_hand(data: Data) -> None:
    x, y = data
    w, b = train_numpy(
        np.float32(5.0), np.float32(0.0), x.numpy(), y.numpy(), 0.1
    )
    model = LinearModel()
    train(model, x, y, 0.1)
    assert [w, b] == pytest.approx([float(model.w), float(model.b)], abs=1e-6)


# The times


@says(
    "A benchmark of this site, `make bench`, measured them apart and "
    "left this file."
)
def test_the_benchmark_writes_the_file() -> None:
    assert MEASURED["command"] == "make bench"
    assert loop_speed.RESULTS == FILE
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert "tools.bench.loop_speed" in makefile


@says(
    "The ways took turns in several rounds. Each round gives a ratio to "
    "the eager loop of the same round, and the median of these ratios "
    "counts."
)
@says(
    "Ratios tell more than times, because a busy machine slows the "
    "eager loop as well."
)
def test_medians_of_ratios(monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[str] = []
    ways = {
        name: lambda x, y, name=name: lambda n: turns.append(name)
        for name in ("eager loop", "other")
    }
    monkeypatch.setattr(loop_speed, "WAYS", ways)
    monkeypatch.setattr(loop_speed, "updates_in", lambda seconds, run: 1)
    loop_speed.measure(3, rounds=3)
    assert turns == ["eager loop", "other"] * 3
    eager, other = [1.0, 4.0, 2.0], [2.0, 8.0, 6.0]
    found = loop_speed.compare({"eager loop": eager, "other": other})
    assert found == {"eager loop": 1.0, "other": 0.5}
    assert MEASURED["rounds"] == 7


@says(
    "The table says how many updates each way takes while the eager "
    "loop takes one."
)
@says("Draw the same numbers. The dotted line is the eager loop.")
@says(
    "How many times as fast as the eager loop each way is, on a "
    "logarithmic axis, with a mark for each number of points: with 201 "
    "points the ways are spread widely, from fit, far slower than the "
    "eager loop, to the XLA loop, far faster than all others; with a "
    "million points all ways but fit lie much closer together"
)
def test_the_table_and_the_figure() -> None:
    rows = printed(NAME, "read").splitlines()[1:]
    table = {
        row[:13].strip(): [
            float(n.replace(",", "")) for n in re.findall(r"([\d.,]+)×", row)
        ]
        for row in rows
    }
    assert table == RATIOS
    assert table["eager loop"] == [1, 1, 1]
    for name, row in table.items():
        eager, own = SECONDS["eager loop"], SECONDS[name]
        for ratio, one, other in zip(row, eager, own, strict=True):
            assert ratio == pytest.approx(one / other, rel=0.25)
    [axes] = figure(NAME, "plot")
    assert "log, from" in axes.text
    assert axes.points["line 4"].x == [1, 1]
    assert 'axvline(1, linestyle=":"' in BLOCKS["plot"].code
    assert axes.texts == ["201", "100,000", "1,000,000"]
    few, million = axes.points["line"].x, axes.points["line 3"].x
    assert few == sorted(row[0] for row in RATIOS.values())
    assert few[0] < 0.1
    assert few[-1] > 10 * few[-2]
    assert few[-1] / few[1] > 100 * max(million) / sorted(million)[1]


@says(
    "These are the numbers of one machine ({{ "
    'measured["machine"]["processor"] }}, {{ '
    'measured["machine"]["cores"] }} cores, no GPU) on {{ '
    'measured["date"] }}, medians of {{ measured["rounds"] }} rounds.'
)
def test_the_machine() -> None:
    assert "gpu" not in json.dumps(MEASURED).lower()
    for key in ("processor", "cores"):
        kept = record(NAME)[f'measured["machine"]["{key}"]']
        assert kept == str(MEASURED["machine"][key])


@says(
    'The compiled step gives {{ ratios["compiled step"][0]:.1f}} times '
    "the speed of the eager loop."
)
@says(
    "The compiled loop, which stays out of Python, gives {{ "
    'ratios["compiled loop"][0]:.0f}} times, and with XLA {{ '
    'ratios["XLA loop"][0]:,.0f}} times.'
)
@says(
    '`fit` takes {{ 1 / ratios["Keras fit"][0]:.0f}} times as long as '
    "the eager loop: here an epoch is one step, and `fit` prepares "
    "every epoch."
)
@says(
    'An update of the eager loop takes {{ seconds["eager loop"][-1] / '
    'seconds["eager loop"][0]:.1f}} times as long as before.'
)
@says(
    "The calls cost what they did, and the numbers themselves take the rest."
)
@says(
    'The XLA loop now gives {{ ratios["XLA loop"][-1]:.1f}} times the '
    'speed of the eager loop, not {{ ratios["XLA loop"][0]:,.0f}} '
    "times: where calls are a small part of the cost, there is little "
    "to save on them."
)
def test_what_the_times_say() -> None:
    assert RATIOS["compiled loop"][0] < RATIOS["XLA loop"][0]
    assert RATIOS["Keras fit"][0] < 1
    assert "epochs=10, batch_size=len(x)" in BLOCKS["fit"].code
    eager = SECONDS["eager loop"]
    assert eager[-1] > 2 * eager[0], "the calls are the smaller part now"
    assert RATIOS["XLA loop"][-1] < 0.01 * RATIOS["XLA loop"][0]
    assert MEASURED["points"] == [201, 100_000, 1_000_000]


# Where the limit is


class Counted(np.ndarray):
    """An array that counts how often all of it is read or written."""

    moved: ClassVar[list[str]] = []

    def __array_ufunc__(
        self, ufunc: Any, method: str, *given: Any, **how: Any
    ) -> Any:
        plain = [
            g.view(np.ndarray) if isinstance(g, Counted) else g for g in given
        ]
        for one in plain:
            if np.size(one) == self.size:
                Counted.moved.append("read")
        how.pop("out", None)
        made = getattr(ufunc, method)(*plain, **how)
        if np.size(made) == self.size:
            Counted.moved.append("write")
            return made.view(Counted)
        return made


@says(
    "An update has to read `x` and `y`, two numbers of four bytes for "
    "each point."
)
@says("`train_numpy` makes a new array in each operation.")
@says(
    "Multiplying by `w` and adding `b` read one and write one; "
    "subtracting `y` and multiplying by `x` read two and write one; the "
    "two means read one each."
)
@says("That is twelve arrays an update.")
def test_what_numpy_moves(data: Data) -> None:
    x, y = (array.numpy().view(Counted) for array in data)
    assert x.itemsize == y.itemsize == 4
    Counted.moved.clear()
    train_numpy(np.float32(5.0), np.float32(0.0), x, y, 0.1)
    one, two = ["read", "write"], ["read", "read", "write"]
    expected = one + one + two + two + ["read"] + ["read"]
    assert expected == Counted.moved
    assert len(expected) == 12
    assert '("NumPy", 12)' in BLOCKS["bandwidth"].code


@says(
    "To compare, the benchmark measured two plain jobs on arrays of the "
    "same size."
)
@says("A copy reads and writes. A dot product of `x` and `y` only reads.")
def test_the_two_plain_jobs() -> None:
    source = inspect.getsource(loop_speed.memory_rates)
    jobs = re.findall(r'"([a-z ]+)": lambda: np\.(\w+)\((.*)\)', source)
    assert jobs == [
        ("copy", "copyto", "target, x"),
        ("dot product", "dot", "x, y"),
    ]
    assert np.ndim(np.dot(np.ones(3), np.ones(3))) == 0
    assert len(MEASURED["gigabytes_per_second"]["copy"]) == 3


@says(
    "If nothing but memory counted, each way would move its bytes as "
    "fast as a copy."
)
@says(
    'So memory accounts for {{ shares["NumPy"]:.0%}} of the time that '
    'NumPy takes, and for {{ shares["XLA loop"]:.0%}} of that of the '
    "XLA loop."
)
@says("Computing takes the rest.")
@says(
    "To need less, a step would have to read `x` and `y` once and keep "
    "all else inside the processor, as the dot product does."
)
@says(
    "At its rate an update would be {{ limit:.0f}} times as fast as in "
    "the eager loop. None of the seven ways comes near it."
)
@says("It cannot take less time than the memory needs to deliver them.")
def test_how_near_to_the_limit() -> None:
    rates = MEASURED["gigabytes_per_second"]
    kept = record(NAME)
    for name, arrays in (("NumPy", 12), ("XLA loop", 8)):
        share = arrays * 4e-3 / SECONDS[name][-1] / rates["copy"][-1]
        assert share < 1
        told = kept[f'shares["{name}"]:.0%']
        assert told == f"{share:.0%}"
    limit = SECONDS["eager loop"][-1] / (8e-3 / rates["dot product"][-1])
    assert kept["limit:.0f"] == f"{limit:.0f}"
    best = max(row[-1] for row in RATIOS.values())
    assert best < limit / 5


# What compiling costs


@says("From then on every update is faster.")
@says("For 201 points, against the eager loop:")
@says("For a handful of steps compiling is a loss. For a training it is not.")
def test_when_compiling_pays() -> None:
    found = re.findall(r"pays after ([\d,]+)", printed(NAME, "first_call"))
    counts = [int(text.replace(",", "")) for text in found]
    assert len(counts) == 4
    assert min(counts) > 5
    assert max(counts) < 1000
    for name, first in MEASURED["seconds_of_first_call"].items():
        assert SECONDS[name][0] < SECONDS["eager loop"][0]
        assert first > 5 * SECONDS["eager loop"][0]


@says(
    "A Python number is part of the graph. Give the compiled step "
    "another learning rate, and it is traced again."
)
@says("A tensor is an input of the graph, so one trace serves all values.")
@says(
    "Two rates, two traces; a rate that changes in every epoch would be "
    "traced in every epoch."
)
@says(
    "`tf.range` accepts a Python number, so nothing fails. But the "
    "number is part of the graph, and a new number needs a new graph."
)
@says("`train_with_losses` takes the number of epochs as a tensor.")
def test_traces(data: Data) -> None:
    by_number, by_tensor = tf.function(train), tf.function(train)
    model = LinearModel()
    for rate in (0.1, 0.05, 0.025):
        by_number(model, *data, rate)
        by_tensor(model, *data, tf.constant(rate))
    assert by_number.experimental_get_tracing_count() == 3
    assert by_tensor.experimental_get_tracing_count() == 1
    told = "traces with numbers: 2\ntraces with tensors: 1"
    assert printed(NAME, "retracing") == told
    told = "epochs as numbers: 2\nepochs as tensors: 1"
    assert printed(NAME, "loop_traces") == told
    graph = by_tensor.get_concrete_function(
        model, *data, tf.constant(0.1)
    ).graph
    assert graph.inputs[2].shape == ()
    assert [*map(int, tf.range(3))] == [0, 1, 2]


@says(
    "But numbers that Python calls equal share a trace: after `f(2)` a call "
    "of `f(2.0)` runs the graph of the whole number 2, and returns an integer "
    "where that would."
)
@says("A number of NumPy's is an input, as a tensor is.")
def test_equal_numbers_share_a_trace() -> None:
    def kinds(*values: Any) -> tuple[list[str], int]:
        f = tf.function(lambda value: tf.convert_to_tensor(value))
        found = [f(value).dtype.name for value in values]
        return found, f.experimental_get_tracing_count()

    assert kinds(2, 2.0) == (["int32"] * 2, 1)
    assert kinds(2.0, 2) == (["float32"] * 2, 1)
    assert kinds(2, 3.0, 3) == (["int32", "float32", "float32"], 2)
    assert kinds(1, True, 1.0) == (["int32"] * 3, 1)
    numbers = [np.float32(value) for value in (0.1, 0.2, 0.3)]
    assert kinds(*numbers) == (["float32"] * 3, 1)
    assert kinds(*map(float, numbers))[1] == 3
    assert kinds(np.float32(2), np.int64(2)) == (["float32", "int64"], 2)


@says(
    "A number that the function finds outside of its arguments is part "
    "of the graph, too: [no later value of it "
    "counts](traps.md#8-a-number-frozen-in-a-graph)."
)
def test_a_number_outside_of_the_arguments_is_fixed(data: Data) -> None:
    kept = {"rate": 0.1}

    @tf.function
    def frozen(model: Any, x: Any, y: Any) -> None:
        train(model, x, y, kept["rate"])

    model = LinearModel()
    frozen(model, *data)
    kept["rate"] = 0.0
    before = float(model.w)
    frozen(model, *data)
    assert float(model.w) != before
    assert "## 8. A number frozen in a graph" in TRAPS


@says("XLA makes code for numbers.")
@says(
    "Printing from inside, for example, is not among what it can do on "
    "this kind of device. `tf.function` alone can."
)
@says("Update the weights once, and print the loss from inside.")
@says(
    "`StringFormat` makes the text that `tf.print` prints, and XLA has "
    "no code for it."
)
def test_xla_does_not_print(
    data: Data, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="StringFormat"):
        tf.function(train_verbosely, jit_compile=True)(
            LinearModel(), *data, 0.1
        )
    assert (
        printed(NAME, "xla_prints")
        == "not compiled, XLA_CPU_JIT: StringFormat"
    )
    capfd.readouterr()
    compiled = tf.function(train_verbosely)
    model = LinearModel()
    compiled(model, *data, 0.1)
    text = capfd.readouterr().err
    assert float(text.split()[-1]) == pytest.approx(
        float(loss(data[1], model(data[0]))), rel=1e-4
    )
    function = compiled.get_concrete_function(model, *data, 0.1)
    kinds = {op.type for op in function.graph.get_operations()}
    assert {"StringFormat", "PrintV2"} <= kinds


@says('`compile` has a `jit_compile` as well, and its default is `"auto"`.')
@says(
    "With TensorFlow that is XLA as soon as there is a GPU, or another device "
    "that is no CPU."
)
@says("Not so")
@says("with `run_eagerly=True`,")
@says("if the model was made in the scope of a strategy,")
@says(
    "if a layer has `supports_jit` set to `False`, as a `TextVectorization` "
    "or a `RandomRotation` does, and where there is a GPU an `LSTM`,"
)
@says("after `tf.config.experimental.enable_op_determinism()`,")
@says("on the GPU of a Mac.")
@says(
    "And on a GPU `fit` [uses "
    "XLA](how_fast.md#fit-uses-xla-on-a-gpu-jit_compileauto) without being "
    "asked, and a loop does not.",
    page="keras_from_fit_inwards",
)
def test_auto_is_xla_where_a_gpu_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layers = tf.keras.layers

    def auto(model: Any, **options: Any) -> bool:
        model.compile(loss="mse", **options)
        assert isinstance(model.jit_compile, bool)
        return model.jit_compile

    compile_it = inspect.signature(tf.keras.Model.compile)
    assert compile_it.parameters["jit_compile"].default == "auto"
    real = tf.config.list_physical_devices()
    assert {device.device_type for device in real} == {"CPU"}
    assert not auto(KerasLinearModel())
    for kind in ("TPU", "GPU"):
        more = tf.config.PhysicalDevice(f"/physical_device:{kind}:0", kind)
        monkeypatch.setattr(
            tf.config,
            "list_physical_devices",
            lambda kind=None, seen=(*real, more): [
                d for d in seen if kind in (None, d.device_type)
            ],
        )
        assert auto(KerasLinearModel())
        assert not auto(KerasLinearModel(), jit_compile=False)
    assert not auto(KerasLinearModel(), run_eagerly=True)
    with tf.distribute.OneDeviceStrategy("cpu:0").scope():
        inside = KerasLinearModel()
    assert not auto(inside)
    assert auto(tf.keras.Sequential([layers.Dense(1)]))
    assert auto(tf.keras.Sequential([layers.LSTM(2)]))
    monkeypatch.setattr(
        tf.config, "list_logical_devices", tf.config.list_physical_devices
    )
    for layer in (
        layers.LSTM(2),
        layers.TextVectorization(),
        layers.RandomRotation(0.1),
    ):
        assert layer.supports_jit is False
        assert not auto(tf.keras.Sequential([layer]))
    tf.config.experimental.enable_op_determinism()
    try:
        assert not auto(KerasLinearModel())
    finally:
        config.disable_op_determinism()
    assert auto(KerasLinearModel())
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    monkeypatch.setattr("platform.processor", lambda: "arm")
    assert not auto(KerasLinearModel())


@says(
    "So what trained on a CPU may stop on a GPU, with `Detected unsupported "
    "operations when trying to compile graph … on XLA_GPU_JIT`."
)
@says("With `jit_compile=True` a CPU does the same.")
@says('`fit` uses XLA on a GPU: `jit_compile="auto"`')
@says(
    "Here is a metric that NumPy computes, of one batch with all rows (of "
    "several, Keras logs the mean):"
)
@says("Return the largest error of a batch, computed by NumPy.")
@says("XLA has no code for Python.")
@says("**The mend** is `compile(jit_compile=False)`.")
@says("A loop of your own uses XLA only where you say so.")
def test_fit_by_xla_refuses_what_numpy_computes(data: Data) -> None:
    [told, worst] = printed(NAME, "jit_compile").splitlines()
    assert told == "True, XLA_CPU_JIT: PyFunc"
    x, y = data
    errors = np.abs(y - KerasLinearModel()(x))
    assert float(worst.split()[-1]) == pytest.approx(errors.max(), abs=1e-4)
    model = KerasLinearModel()
    model.compile("sgd", "mse", metrics=[largest_error])
    _, mean = model.evaluate(x[:100], y[:100], batch_size=50, verbose=0)
    halves = errors[:100].reshape(2, 50).max(axis=1)
    assert halves[0] > halves[1] + 1
    assert mean == pytest.approx(halves.mean(), rel=1e-5)

    def trained(**options: Any) -> Any:
        model = KerasLinearModel()
        model.compile("sgd", "mse", metrics=[largest_error], **options)
        return model.fit(*data, verbose=0, shuffle=False).history

    message = (
        r"(?s)Detected unsupported operations when trying to compile graph "
        r"__inference_one_step_on_data_\d+\[\] on XLA_CPU_JIT: PyFunc.*"
        "tf2xla conversion failed"
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        trained(jit_compile=True)
    assert trained(jit_compile=False) == trained()

    def step(model: Any, optimizer: Any) -> None:
        with tf.GradientTape() as tape:
            current_loss = loss(data[1], model(data[0]))
        variables = model.trainable_variables
        optimizer.apply(tape.gradient(current_loss, variables), variables)

    for asked in (False, True):
        compiled = tf.function(step, jit_compile=asked or None)
        model, optimizer = KerasLinearModel(), tf.keras.optimizers.SGD(0.1)
        optimizer.build(model.trainable_variables)
        traced = compiled.get_concrete_function(model, optimizer)
        assert traced.function_def.attr["_XlaMustCompile"].b is asked


@says(
    "Nor can XLA take the gradient of a `while` over tensors that may have "
    "any number of rounds: `XLA compilation requires a fixed tensor list "
    "size`."
)
@says(
    "Give `tf.while_loop` its `maximum_iterations`, at which it stops without "
    "a word, or write a `for` over `tf.range`."
)
def test_xla_bounds_the_rounds() -> None:
    w = tf.Variable(2.0)

    def slope(power: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def step(count: Any) -> Any:
            with tf.GradientTape() as tape:
                value = power(count)
            return tape.gradient(value, w)

        return step

    def unbounded(count: Any) -> Any:
        value, n = tf.constant(1.0), tf.constant(0)
        while n < count:
            value, n = value * w, n + 1
        return value

    def bounded(count: Any) -> Any:
        return tf.while_loop(
            lambda n, value: n < count,
            lambda n, value: (n + 1, value * w),
            [tf.constant(0), tf.constant(1.0)],
            maximum_iterations=5,
        )[1]

    def ranged(count: Any) -> Any:
        value = tf.constant(1.0)
        for _ in tf.range(count):
            value *= w
        return value

    three = tf.constant(3)
    assert float(tf.function(slope(unbounded))(three)) == 12.0
    message = "XLA compilation requires a fixed tensor list size"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        tf.function(slope(unbounded), jit_compile=True)(three)
    for power in (bounded, ranged):
        compiled = tf.function(slope(power), jit_compile=True)
        assert float(compiled(three)) == 12.0
        rounds = 5 if power is bounded else 7
        assert float(compiled(tf.constant(7))) == rounds * 2.0 ** (rounds - 1)


@says(
    "While you are still looking for mistakes, stay eager: you can "
    "print and step through every line. In Keras, "
    "`compile(run_eagerly=True)` does the same."
)
def test_eager_fit_runs_python(data: Data) -> None:
    seen: list[bool] = []

    class Watched(KerasLinearModel):
        def call(self, x: tf.Tensor) -> tf.Tensor:
            seen.append(tf.executing_eagerly())
            return super().call(x)

    model = Watched()
    model.compile(tf.keras.optimizers.SGD(0.1), loss="mse", run_eagerly=True)
    model.fit(*data, epochs=2, batch_size=201, verbose=0)
    assert seen[-2:] == [True, True]


@says(
    "If an epoch takes long because a step computes much, the calls do "
    "not matter: look at the last column of the table, not the first."
)
def test_the_last_column_is_that_of_the_most_points() -> None:
    head = printed(NAME, "read").splitlines()[0].split()
    assert head == ["points", "201", "100,000", "1,000,000"]


# The data


def rows_of(data: Data) -> Any:
    return tf.data.Dataset.from_tensor_slices(data)


@says(
    "Then perhaps the step waits for its batches, and the bottleneck is the "
    "input pipeline."
)
@says("Two epochs tell: one with the step, and one with the data alone.")
@says("Return how long an epoch takes.")
@says("Do nothing: what is left of the epoch are its data.")
@says(
    "If it is near 1, an epoch takes no longer than its data alone, and a "
    "faster step would gain nothing. If it is near 0, the data are there in "
    "time."
)
def test_two_epochs_tell_what_the_step_waits_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])

    def wait(seconds: float) -> None:
        now[0] += seconds

    def share(data: float, step: float) -> float:
        def batches() -> Any:
            for number in range(4):
                wait(data)
                yield number, number

        both = seconds_of(batches(), lambda x, y: wait(step))
        return seconds_of(batches(), no_step) / both

    assert share(1.0, 0.001) > 0.99
    assert share(0.001, 1.0) < 0.01
    assert share(1.0, 1.0) == 0.5
    assert "seconds_of(batches, no_step)" in BLOCKS["share"].code


@says("Here is a pipeline of `tf.data`, in three orders.")
@says(
    "What is done to the data stands for whatever you do to yours, and "
    "counts how often it is called."
)
@says("Return what is to be done to the data; it counts its calls.")
@says(
    "Where `batch` comes first, `map` is called for each batch and no "
    "longer for each row: {{ len(batches) }} calls do the work of "
    "{{ len(x) }}, for clipping, like most operations, takes 32 rows as well "
    "as one. (Not so `tf.io.decode_png`, which takes one picture. And mind "
    "what sums up: `tf.reduce_mean(x)` is now the mean of a batch, and "
    "`tf.image.random_brightness` draws once for it.)"
)
@says(
    "With `cache` the second epoch calls nothing; it reads what the first "
    "one made."
)
def test_calls_of_map(data: Data) -> None:
    calls = tf.Variable(0)
    prepare = counted(calls)
    rows = rows_of(data)

    def made(batches: Any) -> list[int]:
        counts = []
        for _ in range(2):
            calls.assign(0)
            got = list(batches)
            counts.append(int(calls))
            x = np.concatenate([x for x, _ in got])
            np.testing.assert_array_equal(x, data[0])
        return counts

    shown = [
        [int(n) for n in re.findall(r"\d+", line)]
        for line in printed(NAME, "pipelines").splitlines()
    ]
    pictures = tf.stack([tf.io.encode_png(tf.zeros([2, 2, 1], tf.uint8))] * 2)
    assert tf.io.decode_png(pictures[0]).shape == (2, 2, 1)
    with pytest.raises(tf.errors.InvalidArgumentError, match="scalar"):
        tf.io.decode_png(pictures)
    assert shown == [
        made(rows.map(prepare).batch(32)),
        made(rows.batch(32).map(prepare)),
        made(rows.batch(32).map(prepare).cache()),
    ]
    assert shown == [[201, 201], [7, 7], [7, 0]]
    kept = [record(NAME)[name] for name in ("len(batches)", "len(x)")]
    assert kept == ["7", "201"]

    def different(work: Callable[[Any], Any]) -> list[int]:
        """How many of eight results differ: row by row, by the batch."""
        images = tf.reshape(tf.range(8.0), (8, 1, 1, 1))
        rows = tf.data.Dataset.from_tensor_slices(images)
        orders = rows.map(work).batch(8), rows.batch(8).map(work)
        return [len({*np.ravel(next(iter(order)))}) for order in orders]

    assert different(lambda x: 0.0 * x + tf.reduce_mean(x)) == [8, 1]
    assert different(lambda x: tf.image.random_brightness(0.0 * x, 0.5)) == [
        *(8, 1)
    ]


@says(
    "So put `cache` behind what is costly, and whatever is to be random in "
    "each epoch, shuffling too, behind `cache`: otherwise the random part is "
    "kept as well."
)
def test_cache_keeps_what_is_random(data: Data) -> None:
    def noisy(x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return x + tf.random.normal(()), y

    def epochs_differ(batches: Any) -> bool:
        first, second = (
            np.concatenate([x for x, _ in batches.batch(32)]) for _ in "ab"
        )
        return not np.array_equal(first, second)

    rows = rows_of(data)
    for late, early in (
        (rows.cache().map(noisy), rows.map(noisy).cache()),
        (rows.cache().shuffle(201), rows.shuffle(201).cache()),
    ):
        assert epochs_differ(late)
        assert not epochs_differ(early)


def used() -> float:
    """Return how many MiB of memory this process uses."""
    pages = int(Path("/proc/self/statm").read_text("utf-8").split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


@says(
    "`cache()` keeps everything in memory, and `cache(filename)` in files "
    "whose names begin so."
)
def test_where_cache_keeps(data: Data) -> None:
    said = " ".join((tf.data.Dataset.cache.__doc__ or "").split())
    assert "If a filename is not provided, the dataset will be cached in" in (
        said
    )
    list(rows_of(data).cache("kept"))
    assert all(path.name.startswith("kept") for path in Path().iterdir())
    # A hundred rows of a MiB each.
    rows = tf.data.Dataset.range(100).map(
        lambda row: tf.random.stateless_normal([2**18], [row, 0])
    )
    names: dict[str, tuple[str, ...]] = {"files": ("large",), "memory": ()}
    grown = {}
    for where, name in names.items():
        kept = rows.cache(*name)
        before = used()
        for _ in kept:
            pass
        grown[where] = used() - before
    assert sum(p.stat().st_size for p in Path().glob("large*")) > 100 * 2**20
    assert grown["memory"] > 60 > grown["files"], grown


CACHED = """
import sys
import tensorflow as tf

batches = tf.data.Dataset.range(201).batch(4)


def note(read):
    read()
    print("read", read.__name__, file=sys.stderr, flush=True)


def by_next(data=batches.cache()):
    next(iter(data))


def by_take(data=batches.cache()):
    list(data.take(1))


def whole(data=batches.cache()):
    list(data)


def filed(data=batches.cache("filed")):
    list(data)


def take_first(data=batches.take(1).cache()):
    list(data)


for read in (by_next, by_take, whole, filed, take_first):
    note(read)
"""


@says(
    "What is read in part is not kept. A look at the first batch, by "
    "`take(1)` or `next` behind `cache`, leaves a line in the log: `The "
    "calling iterator did not fully read the dataset being cached`."
)
@says("With a file the line comes even when all was read and kept.")
@says("To train on fewer batches, write `take` before `cache`.")
def test_the_log_of_a_cache_that_is_read_in_part() -> None:
    log = logged(CACHED)
    line = "The calling iterator did not fully read the dataset being cached"
    told, is_there = dict[str, bool](), False
    for text in log.splitlines():
        is_there |= line in text
        if text.startswith("read "):
            told[text.removeprefix("read ")] = is_there
            is_there = False
    assert told == {
        "by_next": True,
        "by_take": True,
        "whole": False,
        "filed": True,
        "take_first": False,
    }


@says(
    "A cache file is read as it is, whatever the pipeline has become since: "
    "delete it when you change what comes before, or name it by that."
)
@says(
    "And while an iterator that has read a part of it is still there, the "
    "next one raises an `AlreadyExistsError`: `cache lockfile already exists`."
)
@says(
    "So it does after a program that was killed as it wrote: delete the "
    "`.lockfile` that it left."
)
def test_a_cache_in_a_file(tmp_path: Path) -> None:
    count = 1000

    def numbers(start: int) -> tf.data.Dataset:
        rows = tf.data.Dataset.range(start, start + count)
        return rows.cache(str(tmp_path / "rows"))

    def first(start: int) -> int:
        read = [*numbers(start).as_numpy_iterator()]
        assert len(read) == count
        return int(read[0])

    rows = numbers(0)
    iterator = iter(rows)
    next(iterator)

    def is_locked() -> bool:
        """Try to read; an iterator that fails takes the files with it."""
        try:
            next(iter(rows))
        except tf.errors.AlreadyExistsError as error:
            return "cache lockfile already exists" in error.message
        finally:
            gc.collect()
        return False

    # What a program leaves that is killed now: nobody takes its files away.
    left = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert is_locked()
    del iterator
    gc.collect()
    assert not [*tmp_path.iterdir()]
    for path, held in left.items():
        path.write_bytes(held)
    assert is_locked()
    for path, held in left.items():
        path.write_bytes(held)
    [lock] = tmp_path.glob("*.lockfile")
    lock.unlink()
    assert first(0) == 0
    assert first(5) == 0, "what the file has"
    gc.collect()
    for path in tmp_path.iterdir():
        path.unlink()
    iterator = iter(numbers(5))
    assert len([*iterator]) == count
    assert first(0) == 5, "another may read what was read to its end"
    # In memory neither happens.
    kept = tf.data.Dataset.range(count).cache()
    iterator = iter(kept)
    next(iterator)
    assert len([*kept]) == count
    assert [int(row) for row in tf.data.Dataset.range(5, 6).cache()] == [5]


@says("The next epoch computes everything anew, and nothing else is lost.")
def test_a_cache_that_is_read_in_part(data: Data) -> None:
    calls = tf.Variable(0)
    batches = rows_of(data).batch(4).map(counted(calls))

    def made(read: Any, dataset: tf.data.Dataset) -> int:
        """Return how often `map` was called."""
        gc.collect()
        calls.assign(0)
        read(dataset)
        gc.collect()
        return int(calls)

    def look(dataset: tf.data.Dataset) -> None:
        next(iter(dataset))

    def take(dataset: tf.data.Dataset) -> None:
        list(dataset.take(1))

    kept = batches.cache()
    for part in (look, take):
        # TensorFlow may fetch some batches ahead.
        assert 0 < made(part, kept) < 51
    assert [made(list, kept) for _ in "ab"] == [51, 0]
    x = np.concatenate([x for x, _ in kept])
    np.testing.assert_array_equal(x, data[0])
    for part in (look, take):
        assert made(part, kept) == 0
    filed = batches.cache("filed")
    assert [made(list, filed) for _ in "ab"] == [51, 0]
    fewer = batches.take(2).cache()
    assert [made(list, fewer) for _ in "ab"] == [2, 0]


@says("The first step is slow")
@says(
    "A clock that starts with the first step misleads. That step is traced, "
    "and it is not the only one:"
)
@says(
    "The last batch has 9 rows instead of 32, and a new shape is a new trace. "
    "(With [`reduce_retracing`](memory.md#batches-of-uneven-size) two serve "
    "all sizes, but XLA compiles for each size anew.)"
)
@says(
    "Let one whole epoch go by before you time anything, as happened here, "
    "or leave the rest out with `batch(32, drop_remainder=True)`."
)
def test_the_first_epoch_traces(data: Data) -> None:
    def traces(batches: Any) -> list[int]:
        model, counts = LinearModel(), []
        step = tf.function(lambda x, y: train(model, x, y, 0.1))
        for _ in range(2):
            for x, y in batches:
                step(x, y)
                counts.append(step.experimental_get_tracing_count())
        return counts

    rows = rows_of(data)
    assert [len(x) for x, _ in rows.batch(32)] == [32] * 6 + [9]
    counts = traces(rows.batch(32))
    assert counts == [1] * 6 + [2] * 8
    shown = printed(NAME, "traces").split(": ")[1]
    assert [*map(int, shown.split())] == counts[:7]
    assert traces(rows.batch(32, drop_remainder=True)) == [1] * 12
    options: Any = {"jit_compile": True, "reduce_retracing": True}
    total = tf.function(lambda x: tf.reduce_sum(tf.sin(x)), **options)
    for size in (32, 9, 7, 5):
        total(tf.ones(size))
        code = total.experimental_get_compiler_ir(tf.ones(size))(stage="hlo")
        assert f"f32[{size}]" in code, "made for this size alone"
    assert total.experimental_get_tracing_count() == 2
    assert "\n### Batches of uneven size\n" in (DOCS / "memory.md").read_text()
    order = [b.name for b in PAGE.blocks]
    assert order.index("traces") < order.index("share")


@says("The first batch can be slow by itself, in every epoch.")
@says(
    "`shuffle` fills its buffer before it gives away anything, and behind a "
    "`map` that means one call for each row in the buffer."
)
@says(
    "Shuffle first: then the buffer holds rows that nothing was done to yet."
)
@says("Or take a smaller `buffer_size`, which shuffles less.")
def test_shuffle_fills_its_buffer_first(data: Data) -> None:
    calls = tf.Variable(0)
    prepare = counted(calls)

    def before_the_first(batches: Any) -> int:
        calls.assign(0)
        next(iter(batches))
        return int(calls)

    rows = rows_of(data)
    assert before_the_first(rows.map(prepare).shuffle(201).batch(32)) == 201
    assert before_the_first(rows.shuffle(201).map(prepare).batch(32)) < 201
    again = rows.map(prepare).shuffle(201).batch(32)
    assert [before_the_first(again) for _ in range(2)] == [201, 201]
    small = tf.data.Dataset.range(201).shuffle(5, seed=1)
    moved = [int(row) - place for place, row in enumerate(small)]
    assert min(moved) < 0 < max(moved) < 5


@says("Several at a time, and ahead")
@says(
    "`num_parallel_calls` lets `map` work on several batches at the same "
    "time, and `prefetch` prepares the next ones while the step computes."
)
@says("With `AUTOTUNE` TensorFlow chooses both numbers.")
@says("What arrives is the same, in the same order.")
def test_several_at_a_time_and_ahead() -> None:
    meeting = threading.Barrier(2, timeout=60)

    def meet(number: Any) -> Any:
        meeting.wait()
        return number

    both = tf.data.Dataset.range(2).map(
        lambda n: tf.numpy_function(meet, [n], tf.int64), num_parallel_calls=2
    )
    assert [int(n) for n in both] == [0, 1], "each waited for the other"
    third = threading.Event()

    def tell(number: Any) -> Any:
        if number == 2:
            third.set()
        return number

    ahead = tf.data.Dataset.range(3).map(
        lambda n: tf.numpy_function(tell, [n], tf.int64)
    )
    batches = iter(ahead.prefetch(2))
    next(batches)
    assert third.wait(60), "prepared while nobody asked for it"
    assert printed(NAME, "parallel") == "arrays: 14, all the same: True"
    said = " ".join((tf.data.Dataset.prefetch.__doc__ or "").split())
    assert "`tf.data.AUTOTUNE` is used, then the buffer size is" in said
    said = " ".join((tf.data.Dataset.map.__doc__ or "").split())
    assert "`tf.data.AUTOTUNE` is used, then the number of parallel" in said


# Exercises and links


@says("A loop that XLA compiles as a whole tells nothing on its way.")
@says(
    "A Python list does not work, because it would be filled while "
    "tracing; use a `tf.TensorArray`."
)
@says("Update the weights; return the loss after each epoch.")
@says("The last loss is the one in the last line of the guide's loop.")
def test_a_loop_that_tells_its_losses(
    data: Data, capfd: pytest.CaptureFixture[str]
) -> None:
    kept: list[Any] = []
    model = LinearModel()

    def with_a_list(model: Any, x: Any, y: Any, epochs: Any) -> None:
        for _ in tf.range(epochs):
            train(model, x, y, 0.1)
            kept.append(loss(y, model(x)))

    compiled = tf.function(with_a_list)
    for _ in range(2):
        compiled(model, *data, tf.constant(3))
    assert len(kept) == 1
    with pytest.raises(TypeError):
        float(kept[0])

    def telling(model: Any, x: Any, y: Any, epochs: Any) -> None:
        for _ in tf.range(epochs):
            train_verbosely(model, x, y, 0.1)

    given = (LinearModel(), *data, tf.constant(3))
    tf.function(telling)(*given)
    assert capfd.readouterr().err.count("loss ") == 3, "of tf.function alone"
    with pytest.raises(tf.errors.InvalidArgumentError, match="StringFormat"):
        tf.function(telling, jit_compile=True)(*given)
    model = LinearModel()
    losses = train_with_losses(model, *data, 0.1, tf.constant(2))
    assert float(losses[-1]) == pytest.approx(
        float(loss(data[1], model(data[0])))
    )
    last = printed(NAME, "losses").splitlines()[-1].split()[-1]
    assert printed(*GUIDE_LOOP).splitlines()[-1].endswith(last)


@says(
    "[The loop with the usual parts](usual_parts.md) has a compiled "
    "step with everything in it."
)
def test_the_usual_parts_have_a_compiled_step() -> None:
    code = "\n".join(b.code for b in read("usual_parts").blocks)
    assert re.search(r"@?tf\.function", code)


@says("A loop over epochs in a `tf.function`")
@says("Update the weights ``epochs`` times, in a loop of Python's.")
@says("Return how many operations the graph of a function has.")
@says(
    "With the whole training in one `tf.function`, Python's `range` is run "
    "while it is traced."
)
@says("Count what comes into the graph, from it and from `tf.range`.")
@says(
    "Each epoch is written out, and each batch in it if these are a list. "
    "That takes time and memory before the first step is taken."
)
@says(
    "With `tf.range`, or a `for` over a `tf.data.Dataset`, one round stands "
    "for all."
)
@says(
    "**The mend** that needs no such care: compile the step, and leave epochs "
    "and batches to Python."
)
def test_epochs_written_out(data: Data) -> None:
    rows = printed(NAME, "unrolled").splitlines()
    found = {
        (row.split()[0], int(row.split()[1])): int(row.split()[-2])
        for row in rows
    }
    an_epoch = (found["range", 10] - found["range", 1]) / 9
    assert found["range", 100] - found["range", 10] == 90 * an_epoch
    assert an_epoch > 20
    assert len({found["tf.range", n] for n in (1, 10, 100)}) == 1
    for loop, name in ((train_unrolled, "range"), (train_many, "tf.range")):
        size = count_operations(loop, LinearModel(), *data, 0.1, 10)
        assert size == found[name, 10]
    given = (LinearModel(), *data, 0.1)
    seconds, sizes = [], []
    for epochs in (1, 60):
        start = time.perf_counter()
        traced = tf.function(train_unrolled).get_concrete_function(
            *given, epochs
        )
        seconds.append(time.perf_counter() - start)
        sizes.append(traced.graph.as_graph_def().ByteSize())
        assert float(given[0].w) == 5, "no step was taken"
    assert seconds[1] > 5 * seconds[0]
    assert sizes[1] > 15 * sizes[0]

    def epoch(model: Any, batches: Any) -> None:
        for x, y in batches:
            train(model, x, y, 0.1)

    rows_of = tf.data.Dataset.from_tensor_slices(data)
    counts = []
    for size in (67, 20):
        batches = rows_of.batch(size, drop_remainder=True)
        kinds = ([*batches], batches)
        counts.append(
            [count_operations(epoch, LinearModel(), k) for k in kinds]
        )
    [[three, by_data], [ten, again]] = counts
    assert ten > 3 * three
    assert by_data == again


# Rows


@says("tf.map_fn is slow: vectorized_map, or no loop at all")
@says("A loss is easily written for one row.")
@says(
    "`tf.map_fn` calls it for each row, and `tf.vectorized_map` makes of it "
    "a function of all rows."
)
@says("Return the squared error of the line 5 x in a row.")
@says("Return the loss of each row, of one after the other.")
@says("Return the loss of each row, of all at once.")
@says(
    "Look into both graphs for a loop, then compute with the tensors "
    "themselves."
)
@says(
    "`tf.map_fn` goes through its loop once for each row, and every operation "
    "in it costs a call."
)
@says(
    "Mostly the function takes all rows as it is: operations work number by "
    "number, and sums and means take an `axis`."
)
@says(
    "But compare the losses once, as here: where `x` is `(rows, 1)` and `y` "
    "is `(rows,)`, each row meets all others, without a word."
)
def test_rows_in_a_loop(data: Data) -> None:
    rows = [row.split() for row in printed(NAME, "by_rows").split("\n")]
    assert [row[-1] for row in rows[:2]] == ["1", "0"]
    assert len({row[2].strip(",") for row in rows}) == 1
    seen: list[int] = []

    def noting(row: Any) -> Any:
        seen.append(row[0].shape.rank)
        return row_loss(row)

    tf.map_fn(noting, data, fn_output_signature=tf.float32)
    assert len(seen) == 201
    seen.clear()
    tf.vectorized_map(noting, data)
    assert len(seen) == 1
    rounds = tf.Variable(0)

    def counting(row: Any) -> Any:
        rounds.assign_add(1)
        return row_loss(row)

    looped = tf.function(
        lambda x, y: tf.map_fn(
            counting, (x, y), fn_output_signature=tf.float32
        )
    )
    looped(*data)
    assert int(rounds) == 201
    ways: list[Callable[..., Any]] = [
        by_map_fn,
        by_vectorized_map,
        lambda x, y: row_loss((x, y)),
    ]
    one, *others = (way(*data).numpy() for way in ways)
    for other in others:
        np.testing.assert_allclose(other, one, rtol=1e-6)
    column = data[0][:, tf.newaxis], data[1]
    for way, size in zip(ways, (201, 201, 201**2), strict=True):
        found = way(*column)
        assert tf.size(found) == size
        right = abs(float(tf.reduce_mean(found)) - one.mean()) < 1e-3
        assert right == (size == 201)
    square = tf.reshape(tf.range(6.0), (2, 3))
    np.testing.assert_array_equal(
        tf.map_fn(tf.reduce_mean, square), tf.reduce_mean(square, axis=1)
    )


@says("Otherwise `vectorized_map` helps.")
@says(
    "Where it has no way to do an operation with all rows, as `tf.unique`, it "
    "makes a loop and logs `Using a while_loop for converting`, and results "
    "that are not equally long raise an error."
)
def test_what_cannot_be_vectorized(caplog: pytest.LogCaptureFixture) -> None:
    numbers = tf.constant([[1.0, 2.0, 1.0], [4.0, 4.0, 5.0]])

    def in_place(row: Any) -> Any:
        return tf.sort(row)[tf.argmax(row)]

    np.testing.assert_array_equal(
        tf.vectorized_map(in_place, numbers), tf.map_fn(in_place, numbers)
    )
    with pytest.raises((TypeError, tf.errors.OpError)):
        in_place(numbers)
    logger = tf.get_logger()
    logger.addHandler(caplog.handler)
    found = tf.vectorized_map(
        lambda row: tf.reduce_sum(tf.unique(row)[0]), numbers
    )
    logger.removeHandler(caplog.handler)
    np.testing.assert_array_equal(found, [3.0, 9.0])
    assert "Using a while_loop for converting Unique" in caplog.text
    unequal = tf.constant([[1.0, 2.0, 1.0], [4.0, 4.0, 4.0]])
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.vectorized_map(
            lambda row: tf.reduce_sum(tf.unique(row)[0]), unequal
        )


# Threads


def in_thread(work: Callable[[], Any]) -> Any:
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        return threads.submit(work).result()


def ends_of_fit(rate: float) -> list[float]:
    model = KerasLinearModel()
    model.compile(tf.keras.optimizers.SGD(rate), "mse")
    options = {"batch_size": 201, "shuffle": False, "verbose": 0}
    model.fit(*make_data(), epochs=2, **options)
    return [float(v) for v in model.weights]


@says("Several models in threads of one process")
@says(
    "Models that differ in a number, such as the learning rate, may be "
    "trained at the same time, with the same data in memory."
)
@says("Train a model of its own, by a step of its own; tell where it ends.")
@says("They end where they end alone, and so they do with `fit`.")
def test_models_in_threads(data: Data) -> None:
    rows = printed(NAME, "threads").split("\n")
    assert len(rows) == 2
    assert all(row.endswith(" as alone: True") for row in rows)
    assert rows[0].startswith(trained(*data, 0.1))
    rates = (0.1, 0.02)
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        together = list(threads.map(ends_of_fit, rates))
    assert together == [ends_of_fit(rate) for rate in rates]
    assert together[0] != together[1]


@says("But part of what you set holds for one thread alone:")
@says("Tell the types of a new layer, and the strategy that is in force.")
@says(
    "The thread computes in full precision and knows of no strategy, and "
    "nothing says so."
)
@says(
    "Nor does it see a `tf.device` or a `tf.GradientTape` that another thread "
    "is within; a gradient through what it computes is `None`."
)
@says("Say all these in the function that the thread runs.")
def test_what_a_thread_does_not_see(data: Data) -> None:
    here, thread = printed(NAME, "thread_settings").split("\n")
    assert here.split(": ")[1].strip() == "mixed_float16, OneDeviceStrategy"
    none = "float32, _DefaultDistributionStrategy"
    assert thread.split(": ")[1] == none

    def set_there() -> str:
        tf.keras.mixed_precision.set_global_policy("mixed_float16")
        with tf.distribute.OneDeviceStrategy("CPU:0").scope():
            return made_with()

    assert in_thread(set_there) == "mixed_float16, OneDeviceStrategy"
    assert made_with() == none
    with tf.device("CPU:0"):
        named = [context.context().device_name for _ in "a"]
        named.append(in_thread(lambda: context.context().device_name))
    assert named[0].endswith("CPU:0")
    assert not str(named[1]).endswith("CPU:0")
    weight = tf.Variable(2.0)
    with tf.GradientTape(persistent=True) as tape:
        there, squared = in_thread(lambda: weight * weight), weight * weight
    assert tape.gradient(there, weight) is None
    assert float(tape.gradient(squared, weight)) == 4.0


@says(
    "`tf.config.run_functions_eagerly` does hold for all threads, and so does "
    "the seed of `tf.keras.utils.set_random_seed`."
)
@says(
    "But which thread draws first is left to chance, and with it which "
    "weights a model begins with."
)
@says("So make the models before, one after the other.")
def test_what_a_thread_sees() -> None:
    def drawn() -> float:
        layer = tf.keras.layers.Dense(1)
        layer.build((None, 1))
        return float(layer.kernel.numpy().item())

    found = []
    for place in (lambda work: work(), in_thread, in_thread):
        tf.keras.utils.set_random_seed(1)
        found.append(place(drawn))
    assert len(set(found)) == 1

    def both(first: int) -> list[float]:
        """Return what two threads draw, of which one is the first."""
        tf.keras.utils.set_random_seed(1)
        drew = threading.Event()

        def draw(number: int) -> float:
            if number != first:
                drew.wait(60)
            kernel = drawn()
            drew.set()
            return kernel

        with concurrent.futures.ThreadPoolExecutor(2) as threads:
            return list(threads.map(draw, range(2)))

    assert both(0) == both(1)[::-1] != both(1)
    assert found[0] in both(0)

    def ends() -> list[Any]:
        """Return where two models end that are made before the threads."""
        tf.keras.utils.set_random_seed(1)
        models = []
        for _ in range(2):
            dense, drop = tf.keras.layers.Dense, tf.keras.layers.Dropout(0.5)
            model = tf.keras.Sequential(
                [tf.keras.Input((1,)), dense(4), drop, dense(1)]
            )
            model.compile("sgd", "mse")
            models.append(model)
        column = make_data()[0][:, tf.newaxis]
        with concurrent.futures.ThreadPoolExecutor(2) as threads:
            jobs = [
                threads.submit(m.fit, column, column, verbose=0)
                for m in models
            ]
        return [job.result().history for job in jobs]

    assert ends() == ends()
    tf.config.run_functions_eagerly(True)
    seen = in_thread(tf.config.functions_run_eagerly)
    tf.config.run_functions_eagerly(False)
    assert seen


@says("The profiler: where a step spends its time")
@says("`tf.profiler` notes when which operation ran.")
@says(
    "Trace the step once before, and then take a few steps within `with "
    'tf.profiler.experimental.Profile("logs"):`.'
)
@says(
    "That writes a file under `logs/plugins/profile` which ends in "
    "`.xplane.pb`."
)
@says(
    'Put each into `with tf.profiler.experimental.Trace("train", '
    "step_num=step, _r=1):`."
)
def test_what_the_profiler_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: Data
) -> None:
    monkeypatch.chdir(tmp_path)
    step = tf.function(train)
    model = LinearModel()
    step(model, *data, 0.1)

    def noted(marked: bool) -> bytes:
        with tf.profiler.experimental.Profile("logs"):
            for n in range(3):
                if not marked:
                    step(model, *data, 0.1)
                    continue
                with tf.profiler.experimental.Trace("train", step_num=n, _r=1):
                    step(model, *data, 0.1)
        [file] = Path("logs/plugins/profile").glob("*/*.xplane.pb")
        content = file.read_bytes()
        shutil.rmtree("logs")
        return content

    unmarked, marked = noted(marked=False), noted(marked=True)
    for content in (unmarked, marked):
        assert b"ResourceApply" in content or b"AssignSub" in content
    assert b"step_num" in marked
    assert b"step_num" not in unmarked
