"""What the page on memory shows and says.

The tests run the sections that the page shows: what looks right still keeps
what nobody needs, the mends hold, and each check fails where it should.
"""

import ast
import gc
import importlib
import itertools
import logging
import runpy
import sys
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from matplotlib.figure import Figure

from snippets.data import make_data
from snippets.keras_model import KerasLinearModel
from snippets.linear_model import LinearModel
from snippets.loss import loss
from snippets.memory_count import (
    Messages,
    check_growth,
    count_bytes,
    count_graphs,
    living,
)
from snippets.memory_models import new_round, reset, train_with
from snippets.memory_tensors import (
    kept_by_epoch,
    most_bytes,
    record_step,
    tape_bytes,
)
from snippets.memory_traces import (
    double,
    double_all,
    make_falling_step,
    make_step,
    outputs,
    train_by_epoch,
)
from snippets.training_loop import train
from tests.story import Names, execute, statements

MODULES = ("count", "traces", "tensors", "models")
LAST = slice(-1, None)
NUMBERS = itertools.count()


@pytest.fixture(scope="module", autouse=True)
def set_aside() -> Iterator[None]:
    """Look only at what these tests make."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def own_log() -> Iterator[None]:
    """Give TensorFlow back the handlers that a section replaces."""
    handlers = tf.get_logger().handlers
    yield
    tf.get_logger().handlers = handlers


def run(module: str, *shown: str, **more: Any) -> Names:
    """Run sections as the page does; graphs are counted from here."""
    names = dict(vars(importlib.import_module(f"snippets.memory_{module}")))
    names["x"], names["y"] = make_data(204)
    names |= more
    before = count_graphs()
    names["count_graphs"] = lambda: count_graphs() - before
    for name in shown:
        execute(
            f"memory_{module}", statements(f"memory_{module}", name), names
        )
    return names


def check(module: str, mended: str, names: Names) -> None:
    """Run the check with which the mended section ends."""
    parts = statements(f"memory_{module}", mended)[LAST]
    assert "assert" in ast.unparse(parts[0])
    execute(f"memory_{module}", parts, names)


def fresh(function: Any) -> Any:
    """Return the function as one that TensorFlow has not warned about."""
    name = f"{function.__name__}_{next(NUMBERS)}"
    code = function.__code__.replace(co_name=name)
    return types.FunctionType(code, function.__globals__, name)


def left_by(work: Callable[[], object], rounds: int = 3) -> int:
    """Return how many graphs are there in the end, of some rounds."""
    before = count_graphs()
    for _ in range(rounds):
        work()
    return count_graphs() - before


# What is counted


def test_living_finds_what_has_the_type_and_what_inherits_it() -> None:
    class Base: ...

    class Heir(Base): ...

    things = [Base(), Heir()]
    assert len(living(Base)) == 2
    assert living(Heir) == things[1:]
    things.clear()
    assert living(Base) == []


def test_bytes_in_tensors_come_and_go() -> None:
    before = count_bytes()
    tensor = tf.zeros([10, 25], tf.float64)
    assert count_bytes() - before == 2000
    scalar = tf.reduce_sum(tf.ones([3]))
    assert count_bytes() - before == 2004
    del tensor, scalar
    assert count_bytes() == before


def test_variables_count_as_tensors_and_strings_as_nothing() -> None:
    before = count_bytes()
    kept = [tf.Variable(tf.zeros([10])), KerasLinearModel()]
    assert count_bytes() - before == 40 + 8
    strings = tf.constant(["a", "b"])
    unknown = tf.Variable([1.0], shape=[None])
    assert count_bytes() - before == 40 + 8
    del kept, strings, unknown
    gc.collect()  # a model refers to itself
    assert count_bytes() == before


def test_graphs_are_counted_as_long_as_their_function_is_there() -> None:
    before = count_graphs()
    double = tf.function(lambda v: 2.0 * v)
    assert count_graphs() == before
    double(tf.constant(1.0))
    double(tf.constant([1.0]))
    assert count_graphs() - before == 2
    del double
    assert count_graphs() == before


def test_messages_take_the_place_of_the_log_and_lose_addresses(
    capfd: pytest.CaptureFixture[str],
) -> None:
    messages = Messages()
    tf.get_logger().warning("<function f at 0x7f12167cb420> is slow")
    assert messages.texts == ["<function f> is slow"]
    assert capfd.readouterr().err == ""


def test_the_imports_of_the_page_are_what_its_modules_use() -> None:
    names = vars(importlib.import_module("snippets.memory_setup"))
    assert names["tf"] is tf
    assert names["gc"] is gc
    assert names["logging"] is logging
    assert issubclass(KerasLinearModel, names["Model"])
    assert issubclass(tf.keras.optimizers.SGD, names["Optimizer"])
    for name in ("Any", "Callable", "deque", "plt", "re", "textwrap"):
        assert names[name]


# Traces that stay


def test_a_new_number_in_each_epoch_is_kept_without_a_word(
    capsys: pytest.CaptureFixture[str],
) -> None:
    own = fresh(train_by_epoch)
    names = run("traces", "by_epoch", train_by_epoch=own)
    said = "traces: 6\ngraphs kept: 6\nmessages: 0\n"
    assert capsys.readouterr().out == said
    with pytest.raises(AssertionError):
        check("traces", "tensors", names)


@pytest.mark.parametrize(("calls", "told"), [(1, 2), (2, 2), (3, 2), (4, 0)])
def test_five_traces_in_about_ten_calls_are_warned_about_twice(
    calls: int, told: int
) -> None:
    messages = Messages()

    def scale(x: tf.Tensor, by: float) -> tf.Tensor:
        return by * x

    compiled = tf.function(fresh(scale))
    for number in range(12):
        for _ in range(calls):
            compiled(tf.constant(1.0), float(number))
    assert compiled.experimental_get_tracing_count() == 12
    assert len(messages.texts) == told
    for text in messages.texts:
        assert "triggered tf.function retracing" in text
        assert "(1) creating @tf.function repeatedly in a loop" in text


def test_a_new_number_in_every_call_is_told_at_the_fifth_and_the_sixth(
    capsys: pytest.CaptureFixture[str],
) -> None:
    messages = Messages()
    own = fresh(train)
    names = run(
        "traces", "every_call", "message", train=own, messages=messages
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["traces: 6", "graphs kept: 6", "messages: 2"]
    assert 4 < len(lines) <= 13
    assert lines[3].startswith("5 out of the last 5 calls to <function train")
    assert messages.texts[1].startswith("6 out of the last 6 calls to ")
    with pytest.raises(AssertionError):
        check("traces", "tensors", names)
    before = count_graphs()
    del names["compiled_train"]
    assert count_graphs() == before - 6


def test_tensors_are_traced_once(capsys: pytest.CaptureFixture[str]) -> None:
    run("traces", "tensors")
    assert capsys.readouterr().out == "traces: 1\ngraphs kept: 1\n"


def test_a_variable_serves_as_well() -> None:
    x, y = make_data(204)
    compiled, rate = tf.function(train), tf.Variable(0.1)
    model = LinearModel()
    for value in (0.1, 0.0, 0.0):
        rate.assign(value)
        compiled(model, x, y, rate)
        after = float(model.w)
    assert compiled.experimental_get_tracing_count() == 1
    compiled(model, x, y, rate)
    assert float(model.w) == after < 5.0


def test_uneven_batches(capsys: pytest.CaptureFixture[str]) -> None:
    run("traces", "uneven")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [
        ["no", "option", "traces:", "5"],
        ["reduce_retracing", "traces:", "2"],
        ["input_signature", "traces:", "1"],
    ]


def test_drop_remainder_leaves_one_size() -> None:
    rows = tf.data.Dataset.range(10)
    sizes = [len(batch) for batch in rows.batch(4)]
    whole = [len(batch) for batch in rows.batch(4, drop_remainder=True)]
    assert (sizes, whole) == ([4, 4, 2], [4, 4])


def test_the_step_of_any_length_trains() -> None:
    x, y = make_data(204)
    one, other = LinearModel(), LinearModel()
    make_step(one)(x[:9], y[:9])
    train(other, x[:9], y[:9], 0.01)
    train_by_epoch(model := LinearModel(), x[:9], y[:9], 0.01)
    assert float(one.w) == float(other.w) == float(model.w) < 5.0


def test_a_list_in_a_function_gets_one_symbolic_entry(
    capsys: pytest.CaptureFixture[str],
) -> None:
    own = tf.function(double.python_function)
    outputs.clear()
    names = run("traces", "doubled", double=own, outputs=outputs)
    out = capsys.readouterr().out
    assert out.startswith("entries: 1\nTensor(")
    with pytest.raises(TypeError, match="not 'SymbolicTensor'"):
        execute("memory_traces", statements("memory_traces", "noted"), names)
    execute(
        "memory_traces", statements("memory_traces", "out_of_scope"), names
    )
    said = capsys.readouterr().out
    assert "is out of scope and cannot be used" in said
    assert len(said.splitlines()) < 5
    outputs.clear()
    for value in (1.0, 2.0, 3.0):
        double.python_function(tf.constant(value))
    assert [float(output) for output in outputs] == [2.0, 4.0, 6.0]


def test_the_entry_keeps_the_graph() -> None:
    outputs: list[Any] = []

    def noting(x: tf.Tensor) -> tf.Tensor:
        outputs.append(2.0 * x)
        return outputs[-1]

    def graph_of(function: Any) -> Any:
        compiled = tf.function(function)
        one = tf.constant(1.0)
        compiled(one)
        return weakref.ref(compiled.get_concrete_function(one).graph)

    kept, freed = graph_of(noting), graph_of(lambda x: 2.0 * x)
    gc.collect()
    assert kept() is not None
    assert freed() is None


def test_a_tensor_array_collects(capsys: pytest.CaptureFixture[str]) -> None:
    run("traces", "returned")
    assert capsys.readouterr().out == "[2. 4. 6.]\n"
    rows = tf.reshape(tf.range(6.0), (3, 2))
    for function in (double_all, double_all.python_function):
        np.testing.assert_array_equal(function(rows), 2.0 * rows.numpy())


# New things in each round


def test_a_new_function_is_collected_and_told_of(
    capsys: pytest.CaptureFixture[str],
) -> None:
    messages, own = Messages(), fresh(train)
    for _ in range(2):
        run("models", "new_functions", train=own)
    assert capsys.readouterr().out == "graphs: 1\n" * 6
    assert len(messages.texts) == 2
    assert "(1) creating @tf.function repeatedly" in messages.texts[0]


@pytest.fixture(scope="module")
def folds() -> list[float]:
    """The last losses of a new model for each fold."""
    x, y = make_data(204)
    parts = [tf.range(204) % 3 != fold for fold in range(3)]
    return [new_round(x[rows], y[rows], build=True) for rows in parts]


def test_new_models_leave_graphs_that_nothing_frees(
    capsys: pytest.CaptureFixture[str], folds: list[float]
) -> None:
    run("models", "new_models")
    gc.collect()
    lines = capsys.readouterr().out.splitlines()
    graphs = [int(line.split()[-1]) for line in lines if "fold" in line]
    assert graphs == [10, 20, 30, 1, 2, 3]
    losses = [f"{value:.4f}" for value in folds]
    found = [line.split()[3][:-1] for line in lines if "fold" in line]
    assert found == losses * 2
    assert living(KerasLinearModel) == []


def test_fit_with_a_new_model_leaves_as_many() -> None:
    x, y = make_data(204)

    def fit(eager: bool = False) -> None:
        model = KerasLinearModel()
        model.compile("adam", loss="mse", run_eagerly=eager)
        model.fit(x, y, batch_size=204, verbose=0)
        del model
        tf.keras.backend.clear_session()

    assert left_by(fit, 2) == 20
    assert left_by(lambda: fit(eager=True), 2) == 0


def test_it_is_the_gradient_of_its_own_that_keeps_a_graph() -> None:
    @tf.custom_gradient
    def own(x: tf.Tensor) -> Any:
        return 2.0 * x, lambda upstream: 2.0 * upstream

    def plain(x: tf.Tensor) -> tf.Tensor:
        return 2.0 * x

    one = tf.constant(1.0)
    assert left_by(lambda: tf.function(own)(one)) == 3
    assert left_by(lambda: tf.function(plain)(one)) == 0

    def applied(optimizer: Any, variable: Any) -> None:
        optimizer.apply([tf.constant(1.0)], [variable])

    variable, optimizer = tf.Variable(1.0), tf.keras.optimizers.SGD(0.1)
    optimizer.build([variable])
    assert left_by(lambda: tf.function(applied)(optimizer, variable)) == 3
    tf.keras.backend.clear_session()
    before = count_graphs()
    gc.collect()
    assert count_graphs() == before


def test_one_model_put_back_gives_the_same_losses_and_one_graph(
    capsys: pytest.CaptureFixture[str], folds: list[float]
) -> None:
    names = run("models", "one_model", "same_model")
    lines = capsys.readouterr().out.splitlines()
    for number, (line, value) in enumerate(zip(lines, folds, strict=True)):
        assert line == f"fold {number}: loss {value:.4f}, graphs 1"
    names["compiled_train"](
        names["keras_model"], names["optimizer"], names["x"], names["y"]
    )
    with pytest.raises(AssertionError):
        check("models", "same_model", names)
    reset(names["variables"], names["start"])
    assert float(names["keras_model"].w) == 5.0
    assert int(names["optimizer"].iterations) == 0
    with pytest.raises(ValueError, match="shorter"):
        reset(names["variables"], names["start"][1:])


def test_train_with_takes_a_step() -> None:
    x, y = make_data(204)
    model, other = KerasLinearModel(), LinearModel()
    found = train_with(model, tf.keras.optimizers.SGD(0.1), x, y)
    assert float(found) == pytest.approx(float(loss(y, other(x))))
    train(other, x, y, 0.1)
    assert float(model.w) == pytest.approx(float(other.w), rel=1e-5)
    assert float(model.b) == pytest.approx(float(other.b), rel=1e-5)


def test_clear_session_collects_and_lets_names_begin_anew() -> None:
    model: Any = KerasLinearModel()
    model.circle = model
    kept = weakref.ref(model)
    gc.disable()
    del model
    assert kept() is not None
    tf.keras.backend.clear_session()
    gc.enable()
    assert kept() is None
    names = [KerasLinearModel().name for _ in range(2)]
    tf.keras.backend.clear_session()
    assert KerasLinearModel().name == names[0] == "keras_linear_model"
    assert names[1] == "keras_linear_model_1"


def test_predict_makes_two_graphs_and_a_call_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = KerasLinearModel()
    run("models", "predict", keras_model=model)
    assert capsys.readouterr().out == "traces: 2\ngraphs: 2\n"
    x, _ = make_data(204)
    check_growth(lambda: model.predict(x, verbose=0))
    assert left_by(lambda: model(x)) == 0
    assert isinstance(model.predict(x, verbose=0), np.ndarray)
    assert tf.is_tensor(model(x))


# Tensors kept


def test_what_is_kept_of_each_epoch(
    capsys: pytest.CaptureFixture[str], shown: list[Figure]
) -> None:
    names = run("tensors", "histories", "histories_drawn")
    epochs = np.arange(1, 6)
    kept = {name: np.array(sizes) for name, sizes in names["kept"].items()}
    np.testing.assert_array_equal(kept["float(loss)"], 0 * epochs)
    np.testing.assert_allclose(kept["loss"], 0.004 * epochs)
    np.testing.assert_allclose(kept["predictions"], 100.0 * epochs)
    np.testing.assert_array_equal(kept["tape"], 0 * epochs)
    ratio = kept["persistent tape"] / kept["predictions"]
    np.testing.assert_allclose(ratio, 6.0, rtol=0.01)
    [axes] = shown[0].axes
    drawn = [np.asarray(line.get_ydata()) for line in axes.get_lines()]
    assert [values[-1] for values in drawn] == pytest.approx(
        [kept["persistent tape"][-1], 500.0, 0.0]
    )
    assert 2900 < drawn[0][-1] < 3100
    assert len(capsys.readouterr().out.splitlines()) == 5


def test_a_loss_does_not_keep_what_it_was_computed_from() -> None:
    (x, y), model = make_data(204), LinearModel()
    step = record_step(model, x, y, persistent=False)
    predictions = weakref.ref(step.pop("predictions"))
    assert float(step["loss"]) == step["float(loss)"]
    assert predictions() is None


@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize("asked", [False, True])
def test_which_tapes_keep_what_is_in_between(
    persistent: bool, asked: bool
) -> None:
    x, w = tf.ones([1000]), tf.Variable(1.0)
    with tf.GradientTape(persistent=persistent) as tape:
        hidden = tf.tanh(w * x)
        total = tf.reduce_sum(hidden)
    kept = weakref.ref(hidden)
    del hidden
    if asked:
        tape.gradient(total, w)
    assert (kept() is not None) == (persistent or not asked)
    del tape
    assert kept() is None


def test_kept_by_epoch_counts_in_thousands() -> None:
    assert kept_by_epoch("loss")[0] == pytest.approx(0.004)


def test_a_deque_forgets(capsys: pytest.CaptureFixture[str]) -> None:
    run("tensors", "window")
    assert capsys.readouterr().out == "[3.0, 2.0, 1.0]\n"


# OOM


def test_the_message_names_the_shape(
    printed_by: Callable[[str], list[str]],
) -> None:
    out = " ".join(printed_by("memory_oom"))
    assert out.startswith(
        "OOM when allocating tensor with shape[1000000000000,224,224,3] and "
    )


def test_what_a_tape_keeps_grows_with_the_rows(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = run("tensors", "tape_sizes", "rows_that_fit")
    network = names["network"]
    first = float(capsys.readouterr().out.splitlines()[0].split()[2])
    weights = sum(np.size(w) * 4 for w in network.get_weights())
    assert names["besides"] == pytest.approx(weights, rel=0.02)
    assert weights / 1e6 > first / 2
    assert 1200 <= names["per_row"] < 1250
    inputs, outputs = (v[:, tf.newaxis] for v in make_data(1000))
    estimate = names["besides"] + 1000 * names["per_row"]
    found = tape_bytes(network, inputs, outputs)
    assert found == pytest.approx(estimate, rel=1e-3)


def test_tape_bytes_leaves_nothing_behind() -> None:
    inputs, outputs = make_data(1000)
    model = LinearModel()
    tape_bytes(model, inputs, outputs)
    before = count_bytes()
    assert tape_bytes(model, inputs, outputs) >= 4000
    assert count_bytes() == before


@pytest.mark.parametrize("recompute", [False, True])
def test_the_most_that_is_kept_is_counted_on_both_ways(
    recompute: bool,
) -> None:
    """A layer returns 4000 bytes, and one that is recomputed does twice."""
    layers = [tf.keras.layers.Dense(10, "relu") for _ in range(4)]
    x = tf.ones([100, 10])
    tf.keras.Sequential(layers)(x)
    most_bytes([tf.keras.Sequential(layers)], x, recompute)
    for size in (1, 2, 4):
        blocks = [
            tf.keras.Sequential(layers[start : start + size])
            for start in range(0, 4, size)
        ]
        gc.collect()
        found = most_bytes(blocks, x, recompute)
        least = 4000 * (4 // size + size - 1 if recompute else 4)
        most = 4000 * (3 * 4 // size + size + 2 if recompute else 6)
        assert least <= found < most
    gc.collect()
    before = count_bytes()
    most_bytes(blocks, x, recompute)
    assert count_bytes() == before


# The check to paste, and the exercise


def test_check_growth_tells_what_grows(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("models", "checks", keras_model=KerasLinearModel())
    assert capsys.readouterr().out.splitlines() == [
        "predictions: no growth",
        "float(loss): no growth",
        "loss: 8 more bytes after 2 rounds",
        "model: 16 more bytes after 2 rounds",
        "new round: 2 more graphs after 2 rounds",
    ]


def test_check_growth_forgives_what_is_made_once() -> None:
    made: list[Any] = []

    def once() -> None:
        if len(made) < 2:
            made.append(tf.zeros([100]))

    check_growth(once)
    with pytest.raises(AssertionError, match="1200 more bytes"):
        check_growth(lambda: made.append(tf.zeros([100])), rounds=3)


def test_check_growth_lets_things_go() -> None:
    made = [tf.zeros([100]) for _ in range(10)]
    check_growth(made.pop)
    one = tf.constant(1.0)
    functions = [tf.function(lambda v: 2.0 * v) for _ in range(10)]
    for function in functions:
        function(one)
    del function
    check_growth(functions.pop)


def test_check_growth_catches_a_retraced_step() -> None:
    x, y = make_data(204)
    compiled, numbers = tf.function(train), itertools.count(1)
    model = LinearModel()
    with pytest.raises(AssertionError, match="2 more graphs"):
        check_growth(lambda: compiled(model, x, y, 0.1 / next(numbers)))


def test_the_falling_rate_falls_and_is_traced_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("traces", "fallen")
    assert capsys.readouterr().out == "traces: 1\n"
    x, y = make_data(204)
    one, other = LinearModel(), LinearModel()
    step = make_falling_step(one)
    for rate in (0.1, 0.09, 0.081):
        (step if rate > 0.085 else step.python_function)(x, y)
        train(other, x, y, rate)
    assert float(one.w) == pytest.approx(float(other.w), rel=1e-5)


METHODS: list[str] = []


class Here:
    """Takes the place of a pool of processes: it works in this one."""

    def __init__(self, workers: int, mp_context: Any) -> None:
        assert workers == 1
        METHODS.append(mp_context.get_start_method())

    def __enter__(self) -> "Here":
        return self

    def __exit__(self, *raised: object) -> None: ...

    def submit(self, work: Callable[[int], float], fold: int) -> Any:
        return types.SimpleNamespace(result=lambda: work(fold))


def test_rounds_in_processes_of_their_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("concurrent.futures.ProcessPoolExecutor", Here)
    monkeypatch.delitem(sys.modules, "snippets.memory_rounds", raising=False)
    runpy.run_module("snippets.memory_rounds", run_name="__main__")
    x, y = make_data(204)
    expected = []
    for fold in range(3):
        rows = tf.range(204) % 3 != fold
        last = new_round(x[rows], y[rows], build=True)
        expected.append(f"fold {fold}: loss {last:.4f}")
    assert capsys.readouterr().out.splitlines() == expected
    assert METHODS == ["spawn"] * 3


@pytest.mark.parametrize("module", MODULES)
def test_the_module_runs_as_a_script(
    module: str, printed_by: Callable[[str], list[str]]
) -> None:
    assert bool(printed_by(f"memory_{module}")) == (module != "count")
