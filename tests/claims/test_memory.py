"""What the page on memory and leaks says is true."""

import gc
import itertools
import multiprocessing
import os
import pickle
import re
import subprocess
import sys
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

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
from snippets.memory_tensors import most_bytes, record_step, tape_bytes
from snippets.memory_traces import (
    double_all,
    make_falling_step,
    make_step,
    train_by_epoch,
)
from snippets.training_loop import train
from tests.claims.says import (
    figure,
    imported,
    numbers,
    printed,
    ran,
    record,
    says,
)
from tests.claims.sentences import DOCS, read, sections

NAME = "memory"
PAGE = read(NAME)
BLOCKS = {block.name: block for block in PAGE.blocks}
SOURCE = (DOCS / f"{NAME}.md").read_text("utf-8")
X, Y = make_data(204)
ONE = tf.constant(1.0)
FUNCTION = type(tf.function(train))
STATUS = Path("/proc/self/statm")
PEAKS = """
import resource
import tensorflow as tf

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

layers = [tf.keras.layers.Dense(100, "relu") for _ in range(16)]
blocks = [tf.keras.Sequential(layers[i : i + 4]) for i in range(0, 16, 4)]
x = tf.ones([10_000, 100])
tf.keras.Sequential(blocks)(x[:2])
variables = [layer.trainable_variables for layer in layers]
for by_xla in (False, True):
    for parts in ([tf.recompute_grad(block) for block in blocks], blocks):

        @tf.function(jit_compile=by_xla)
        def step():
            with tf.GradientTape() as tape:
                y = x
                for part in parts:
                    y = part(y)
            gradients = tf.nest.flatten(tape.gradient(y, variables))
            return [tf.reduce_sum(gradient) for gradient in gradients]

        before = peak()
        step()
        step()
        print(peak() - before)
"""
"""Prints the MB by which the peak rises: recomputed, kept; then by XLA."""
Names = dict[str, Any]
pytestmark = pytest.mark.usefixtures("graphs_as_they_are")


@pytest.fixture(scope="module", autouse=True)
def looked_at() -> Iterator[list[int]]:
    """Set aside what is there; give how many objects Python looked at."""
    gc.unfreeze()
    gc.collect()
    numbers = [len(gc.get_objects())]
    ran("memory_count", "freeze")
    numbers.append(len(gc.get_objects()))
    yield numbers
    gc.unfreeze()


@pytest.fixture(autouse=True)
def own_log() -> Iterator[None]:
    """Give TensorFlow back the handlers that a test replaces."""
    handlers = tf.get_logger().handlers
    yield
    tf.get_logger().handlers = handlers


@pytest.fixture(scope="module")
def network() -> Any:
    """The network of the page, and what its weights take."""
    layers = [tf.keras.layers.Dense(100, "relu") for _ in range(3)]
    return tf.keras.Sequential([*layers, tf.keras.layers.Dense(1)])


@pytest.fixture(scope="module")
def left() -> dict[str, Any]:
    """Graphs left by rounds, built first or not, and the last losses."""
    found: dict[str, Any] = {"functions": len(living(FUNCTION))}
    for build, folds in ((False, 1), (True, 2)):
        before, losses = count_graphs(), []
        for fold in range(folds):
            rows = tf.range(204) % 3 != fold
            losses.append(new_round(X[rows], Y[rows], build=build))
            tf.keras.backend.clear_session()
        found["built" if build else "not built"] = count_graphs() - before
        found["losses"] = losses
    found["functions"] -= len(living(FUNCTION))
    return found


def traces(function: Any) -> int:
    count: int = function.experimental_get_tracing_count()
    return count


def left_by(work: Callable[[], object], rounds: int = 2) -> int:
    """Return how many graphs are there in the end, of some rounds."""
    before = count_graphs()
    for _ in range(rounds):
        work()
    return count_graphs() - before


def by_adam(updates: int) -> float:
    """Return the last loss of the first round, by NumPy."""
    rows = np.arange(204) % 3 != 0
    x, y = (np.asarray(values, "d")[rows] for values in (X, Y))
    weights, first, second = np.array([5.0, 0.0]), np.zeros(2), np.zeros(2)
    for t in range(1, updates + 1):
        error = weights[0] * x + weights[1] - y
        slope = 2 * np.array([np.mean(error * x), np.mean(error)])
        first += 0.1 * (slope - first)
        second += 0.001 * (slope**2 - second)
        step = 0.1 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        weights = weights - step * first / (np.sqrt(second) + 1e-7)
    return float(np.mean(error**2))


def columns(rows: int) -> list[tf.Tensor]:
    return [values[:, tf.newaxis] for values in make_data(rows)]


# The page and its table


@says(
    "Why memory grows in a TensorFlow training - retracing, tensors kept in "
    "lists, new models in a loop, OOM - counted, mended, and a check to paste."
)
@says("On this page you see what stays in memory though nobody needs it.")
@says(
    "When you have read it you can find a memory leak in a loop of your own "
    "by counting, mend it, and hold it mended with a test."
)
def test_what_the_page_has() -> None:
    titles = [block.options.get("title") for block in PAGE.blocks]
    assert titles.count("Looks right") == 4
    assert titles.count("Mended") == 3
    assert list(sections(NAME))[1:] == [
        *("what-is-counted-here", "traces-that-stay"),
        *("memory-grows-every-epoch-a-new-number",),
        *("triggered-tffunction-retracing", "batches-of-uneven-size"),
        *("a-list-filled-in-a-tffunction", "new-things-in-each-round"),
        *("a-new-tffunction-in-each-round", "a-new-model-in-each-round"),
        "release-memory-after-training-a-process-of-its-own-by-spawn",
        *("predict-in-a-loop", "tensors-kept-in-a-history"),
        "oom-when-allocating-tensor",
        "allocation-of-exceeds-10-of-free-system-memory",
        "gradient-checkpointing-recompute-instead-of-keep",
        *("tensorflow-takes-all-memory-of-the-gpu", "a-check-to-paste"),
        *("the-whole-program", "exercises", "where-to-go-next"),
    ]
    kept: list[Any] = []
    check_growth(lambda: float(loss(Y, LinearModel()(X))))
    with pytest.raises(AssertionError, match="more bytes"):
        check_growth(lambda: kept.append(loss(Y, LinearModel()(X))))


@says(
    "Memory grows every epoch | [A new number in each "
    "epoch](#memory-grows-every-epoch-a-new-number), "
    "[Histories](#tensors-kept-in-a-history)"
)
@says("`… triggered tf.function retracing` | … retracing)")
@says("A step is retraced for the last batch | … size)")
@says("`… is out of scope and cannot be used here` | … tffunction)")
@says("`… not 'SymbolicTensor'` | … tffunction)")
@says("Memory grows with every fold, every new model | … round)")
@says("`clear_session` does not free the memory | … round)")
@says("Memory is not released after training | [A process of … spawn)")
@says("`Allocation of … exceeds 10% of free system memory` | [The … memory)")
@says("Memory grows with `predict` in a loop | [predict](#predict-in-a-loop)")
@says("A memory leak, but where? | [A check to paste](#a-check-to-paste)")
@says("`ResourceExhaustedError`, `OOM when allocating tensor` | … tensor)")
def test_each_row_leads_to_a_section_that_shows_it() -> None:
    rows = re.findall(r"(?m)^\| (.+) \| (\[.+\]\(#.+\)) \|$", SOURCE)
    parts = sections(NAME)
    shows = [
        {"by_epoch": "graphs kept: 6", "histories": "3000.120 kB"},
        {"message": "triggered tf.function retracing."},
        {"uneven": "no option        traces: 5"},
        {"out_of_scope": "is out of scope and cannot be used\nhere"},
        {"noted": "not 'SymbolicTensor'"},
        {"new_models": "fold 2: loss 4.0911, graphs 30"},
        {"new_models": "graphs 30"},
        {"": "gives everything back when it ends"},
        {"predict": "graphs: 2"},
        {"checks": "model: 16 more bytes after 2 rounds"},
        {"oom": "OOM when allocating tensor"},
        {"": "This is a warning"},
        {"recomputed": "blocks of 64, recompute True"},
    ]
    assert len(rows) == len(shows)
    for (_, links), blocks in zip(rows, shows, strict=True):
        places = re.findall(r"\(#(.+?)\)", links)
        for place, (block, text) in zip(places, blocks.items(), strict=True):
            if block:
                assert f':{block}"' in parts[place]
            assert text in (printed(NAME, block) if block else parts[place])
    assert "clear_session()" in BLOCKS["new_models"].code
    assert "ResourceExhaustedError" in BLOCKS["oom"].code


@says(
    "You need a training loop, as in the guide to [basic training "
    "loops](basic_training_loops.md), and an idea of [what `tf.function` "
    "does](how_fast.md#seven-ways-to-take-the-same-steps)."
)
@says("What else freezes and stays in a graph: [Silent failures](traps.md).")
@says("How much a compiled step gains: … how_fast.md)")
@says(
    "A `tf.Variable` serves as well, and so does [an optimizer with a "
    "schedule](usual_parts.md#a-learning-rate-schedule)."
)
@says(
    "That a number read from elsewhere is *not* looked at again is another "
    "trap: [a number frozen in a "
    "graph](traps.md#8-a-number-frozen-in-a-graph)."
)
def test_other_pages_and_rates_that_are_no_numbers() -> None:
    texts = {
        page: (DOCS / f"{page}.md").read_text("utf-8")
        for page in ("basic_training_loops", "how_fast", "traps")
    }
    assert ":training_loop" in texts["basic_training_loops"]
    traced = "`tf.function` runs `train` once for each kind of arguments"
    assert traced in texts["how_fast"]
    assert 'ratios["compiled step"][0]' in texts["how_fast"]
    assert "## 15. A layer frozen too late" in texts["traps"]
    compiled, rate = tf.function(train), tf.Variable(0.0)
    moved = []
    for value in (0.1, 0.0):
        rate.assign(value)
        model = LinearModel()
        compiled(model, X, Y, rate)
        moved.append(float(model.w) != 5.0)
    assert traces(compiled) == 2  # one for each model
    assert moved == [True, False]
    schedule = tf.keras.optimizers.schedules.InverseTimeDecay(0.1, 1, 1.0)
    optimizer, line = tf.keras.optimizers.SGD(schedule), KerasLinearModel()
    optimizer.build(line.trainable_variables)
    step = tf.function(train_with)
    rates = [float(optimizer.learning_rate)]
    for _ in range(3):
        step(line, optimizer, X, Y)
        rates.append(float(optimizer.learning_rate))
    assert traces(step) == 1
    assert rates == pytest.approx([0.1, 0.05, 0.1 / 3, 0.025])
    elsewhere = {"rate": 2.0}

    @tf.function
    def scaled(x: tf.Tensor) -> tf.Tensor:
        return x * elsewhere["rate"]

    scaled(ONE)
    elsewhere["rate"] = 3.0
    assert float(scaled(ONE)) == 2.0


@says(
    "All blocks above, in order, as one file, and the file that it runs. They "
    "need TensorFlow and Matplotlib."
)
@says("Data, model, loss and step are those of the guide.")
def test_all_blocks_ran_with_what_the_page_names() -> None:
    blocks = [name.rpartition(":")[2] for name in record(NAME)]
    # "model" is the name of two sections.
    shown = [block.name for block in PAGE.blocks]
    assert {name for name in blocks if name in BLOCKS} == {*shown}
    modules = imported(PAGE)
    others = modules - sys.stdlib_module_names - {"keras"}
    assert others == {"tensorflow", "matplotlib"}
    importing = [b.name for b in PAGE.blocks if "import " in b.code]
    assert importing == ["setup", "imports"]
    guide = {
        block.options["run"]: block.code
        for block in read("basic_training_loops").blocks
    }
    same = [b for b in PAGE.blocks if "as in the guide" in str(b.options)]
    assert [b.name for b in same] == [
        *("make_data", "model", "loss", "train", "model")
    ]
    for block in same:
        assert guide[block.options["run"]] == block.code


# What is counted


@pytest.mark.skipif(not STATUS.exists(), reason="the system has no /proc")
@says(
    "The memory of a process, as the system reports it, is a poor witness: "
    "what Python and TensorFlow have freed is not always given back."
)
@says("A process gives everything back when it ends.")
def test_what_is_freed_is_not_given_back_before_the_end() -> None:
    code = """
def pages():
    return int(open("/proc/self/statm").read().split()[1])
before = pages()
made = [MADE for _ in range(COUNT)]
full = pages()
made = made[::50]
after = pages()
"""
    strings = code.replace("MADE", "bytes(400)").replace("COUNT", "50_000")
    strings += "import os; print(os.getpid(), before, full, after)"
    output = subprocess.check_output([sys.executable, "-c", strings])
    child, *of_child = map(int, output.split())
    assert not Path(f"/proc/{child}").exists()
    tensors = code.replace("MADE", "tf.zeros([9000])")
    # So many that what other tests have freed does not suffice.
    for count in ("1000", "4000", "16_000"):
        exec(tensors.replace("COUNT", count), names := {"tf": tf})
        told = [names[name] for name in ("before", "full", "after")]
        if told[1] > told[0]:
            break
    for before, full, after in (of_child, told):
        assert full > before
        assert after - before > 0.5 * (full - before)


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Let no garbage of other tests be collected meanwhile."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@says(
    "So on this page we count what *is kept*: graphs, and the bytes in "
    "tensors and variables."
)
@says("These counts are the same in every run.")
def test_counts_are_those_of_another_run(
    network: Any, uncollected: None
) -> None:
    data = make_data(25_000)
    kept = record_step(LinearModel(), *data, persistent=True)
    before = count_bytes()
    kept = {"tape": kept["tape"]}
    del kept["tape"]
    freed = (before - count_bytes()) / 1000
    first = numbers(printed(NAME, "histories").split("\n")[-1])[0]
    assert first == pytest.approx(freed, rel=0.001)
    tape_bytes(network, *columns(32))  # builds it
    rows = [numbers(row) for row in printed(NAME, "tape_sizes").split("\n")]
    for count, megabytes in rows:
        found = tape_bytes(network, *columns(int(count)))
        assert found / 1e6 == pytest.approx(megabytes, abs=0.0005)


@says(
    "Python's garbage collector has a list of nearly all objects that can "
    "refer to others, with all graphs, tensors and variables."
)
@says(
    "Those that are there after the imports are set aside, so that looking "
    "at the rest is quick."
)
@says("Return all objects of a type that Python still has.")
def test_the_collector_has_a_list(looked_at: list[int]) -> None:
    class Own:
        """Can refer to others."""

    things = [Own(), [ONE], {"a": ONE}, ONE, tf.Variable(1.0), tf.Graph()]
    assert all(gc.is_tracked(thing) for thing in things)
    assert not any(map(gc.is_tracked, (1.0, "a", {}, ())))
    before, after = looked_at
    assert after < before / 100
    assert living(Own) == things[:1]
    things.clear()
    assert living(Own) == []
    assert [block.name for block in PAGE.blocks[:2]] == ["setup", "freeze"]


@says(
    "A graph and its operations refer to each other, and go only when the "
    "garbage is collected."
)
@says("So collect it, then count.")
@says("Return how many graphs are kept that have operations in them.")
def test_a_graph_is_a_circle() -> None:
    graph = tf.Graph()
    before = count_graphs()
    with graph.as_default():
        operation = tf.constant(1.0).op
    assert count_graphs() - before == 1
    assert operation.graph is graph
    assert graph.get_operations() == [operation]
    kept = weakref.ref(graph)
    gc.disable()
    try:
        del graph, operation
        assert kept() is not None
    finally:
        gc.enable()
    assert count_graphs() == before
    assert kept() is None
    assert "gc.collect()" in BLOCKS["count_graphs"].code


@says("A tensor is freed as soon as nothing refers to it any more.")
@says("A scalar of `float32` has 4 bytes.")
@says("What strings hold is not counted.")
@says("Return how many bytes are kept in tensors and variables.")
def test_bytes_in_tensors() -> None:
    gc.collect()
    before = count_bytes()
    scalar = tf.reduce_sum(tf.ones([3]))
    assert count_bytes() - before == 4
    variable = tf.Variable([1.0, 2.0, 3.0], dtype=tf.float64)
    assert count_bytes() - before == 4 + 24
    strings = tf.constant(["much text"] * 100)
    assert count_bytes() - before == 4 + 24
    del variable, strings
    gc.disable()
    try:
        other = [scalar]
        kept = weakref.ref(scalar)
        del scalar
        assert kept() is other[0]
        other.clear()
        assert kept() is None
    finally:
        gc.enable()
    assert count_bytes() == before


# Traces


@says(
    "`tf.function` makes a graph of your code, a *trace*, and keeps it. A "
    "call with other arguments may need another trace, and that is kept too."
)
@says("Memory grows every epoch: a new number")
@says("Here is a step whose learning rate falls from epoch to epoch.")
@says("Update the weights once.")
@says(
    "The learning rate is a number of Python, and for each new number there "
    "is a new graph."
)
@says("All six are kept as long as the compiled step is.")
@says("A number that counts the steps or the epochs does the same.")
def test_a_graph_for_each_new_number() -> None:
    compiled, before = tf.function(train_by_epoch), count_graphs()
    model = LinearModel()
    compiled(model, X, Y, 0.1)
    assert count_graphs() - before == traces(compiled) == 1
    assert float(model.w) != 5.0
    compiled(LinearModel(), X[:9] + 1.0, Y[:9], tf.constant(0.1))
    compiled(LinearModel(), X[:9] + 1.0, Y[:9], tf.constant(0.1))
    assert count_graphs() - before == traces(compiled) <= 3
    assert "0.1 / epoch" in BLOCKS["by_epoch"].code
    del compiled
    compiled, before = tf.function(train_by_epoch), count_graphs()
    for epoch in range(1, 7):
        for _ in range(2):
            compiled(model, X, Y, 0.1 / epoch)
    assert traces(compiled) == 6
    assert count_graphs() - before == 6
    del compiled
    assert count_graphs() == before

    @tf.function
    def counted(x: tf.Tensor, step: int) -> tf.Tensor:
        return x + step

    for step in range(4):
        counted(ONE, step)
        counted(ONE, step)
    assert traces(counted) == 4


@says("TensorFlow warns of retracing in its log.")
@says("This handler keeps what it says, in place of printing it.")
@says("Keeps what TensorFlow would print in its log, but for addresses.")
@says("Add a message.")
@says(
    "And nobody says so: TensorFlow warns when every third call is traced, "
    "and here it is every fourth."
)
def test_every_third_call_is_warned_of(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def third(x: tf.Tensor, by: float) -> tf.Tensor:
        return by * x

    def fourth(x: tf.Tensor, by: float) -> tf.Tensor:
        return by * x

    messages = Messages()
    for calls, function in ((3, third), (4, fourth)):
        messages.texts.clear()
        compiled = tf.function(function)
        for number, _ in itertools.product(range(6), range(calls)):
            compiled(ONE, float(number))
        assert traces(compiled) == 6
        assert bool(messages.texts) == (calls == 3)
    tf.get_logger().warning("<function f at 0x7f12167cb420> is slow")
    assert messages.texts == ["<function f> is slow"]
    assert capfd.readouterr().err == ""
    assert printed(NAME, "by_epoch").endswith("messages: 0")
    assert BLOCKS["by_epoch"].code.count("range(4)") == 1


@says("Train six epochs of four batches.")
@says("With another number in every call, the warning comes.")
@says(
    "It comes at the fifth call and the sixth, and then no more: each "
    "function is warned about at most twice."
)
def test_it_comes_at_the_fifth_call_and_the_sixth() -> None:
    def scale(x: tf.Tensor, by: float) -> tf.Tensor:
        return by * x

    messages, compiled, told = Messages(), tf.function(scale), []
    for number in range(14):
        compiled(ONE, float(number))
        told.append(len(messages.texts))
    assert told == [0] * 4 + [1] + [2] * 9
    for text in messages.texts:
        assert "triggered tf.function retracing" in text
    shown = printed(NAME, "message")
    assert shown.startswith("5 out of the last 5 calls to <function train>")
    assert printed(NAME, "every_call").endswith("messages: 2")
    code = BLOCKS["by_epoch"].code
    assert "range(1, 7)" in code
    assert "x[start::4], y[start::4]" in code


@says("Pass what changes as a tensor.")
@says("**The check** counts the traces.")
def test_tensors_are_traced_once() -> None:
    compiled, models = tf.function(train), [LinearModel(), LinearModel()]
    for step in range(1, 4):
        compiled(models[0], X, Y, tf.constant(0.1 / step))
        train(models[1], X, Y, 0.1 / step)
    assert traces(compiled) == 1
    assert float(models[0].w) == pytest.approx(float(models[1].w), rel=1e-5)
    for name in ("tensors", "same_model"):
        check = BLOCKS[name].code.strip().split("\n")[-1]
        assert check.startswith("assert compiled_train.experimental_get_trac")
        assert check.endswith("== 1")


@says("Tensors of another shape need another trace too.")
@says(
    "Sentences of different lengths come like that, and the last batch of "
    "most data sets."
)
@says("Return a step that trains the model with any number of rows.")
@says("Train with batches of 32, 9, 7, 5 and 3 rows.")
@says("As it comes, `tf.function` makes a trace for each size.")
@says(
    "With `reduce_retracing=True` the second size makes it look for a more "
    "general one, here with any number of rows, and that serves for all "
    "others."
)
@says(
    "With an `input_signature` you say so from the beginning, and whatever "
    "does not fit it is refused: `TypeError: Binding inputs to tf.function "
    "failed`."
)
@says(
    "Of a data set, `batch(32, drop_remainder=True)` leaves the smaller last "
    "batch out."
)
def test_batches_of_uneven_size() -> None:
    assert "(32, 9, 7, 5, 3)" in BLOCKS["uneven"].code
    any_number = tf.TensorSpec([None], tf.float32)
    seen: Names = {}
    ways: Names = {
        "no": {},
        "reduce": {"reduce_retracing": True},
        "signature": {"input_signature": [any_number] * 2},
    }
    for name, options in ways.items():
        model = LinearModel()
        step: Any = tf.function(make_step(model), **options)
        seen[name] = []
        for rows in (32, 9, 7, 5, 3):
            before = float(model.w)
            step(X[:rows], Y[:rows])
            assert float(model.w) != before
            seen[name].append(traces(step))
        shapes = [
            function.inputs[0].shape.as_list()
            for function in step._list_all_concrete_functions()
        ]
        assert ([None] in shapes) == (name != "no")
    assert seen["no"] == [1, 2, 3, 4, 5]
    assert seen["reduce"] == [1, 2, 2, 2, 2]
    assert seen["signature"] == [1, 1, 1, 1, 1]
    for misfit in (X[:, tf.newaxis], tf.cast(X, tf.float64)):
        with pytest.raises(
            TypeError, match=r"Binding inputs to tf\.function f"
        ):
            step(misfit, Y)
    sentences = tf.strings.split(["one two", "three"])
    assert sentences.row_lengths().numpy().tolist() == [2, 1]
    smaller = [len(range(size)[size // 32 * 32 :]) for size in range(33, 1000)]
    assert np.mean(np.array(smaller) > 0) > 0.9
    data = tf.data.Dataset.range(72)
    assert [len(batch) for batch in data.batch(32)] == [32, 32, 8]
    whole = data.batch(32, drop_remainder=True)
    assert [len(batch) for batch in whole] == [32, 32]


# A list filled in a tf.function


@says("A list filled in a tf.function")
@says("This function notes its results in a list outside.")
@says("Return twice x, and note it.")
@says(
    "Three calls, one entry: `append` is Python, and runs only when the "
    "function is traced. What it noted is a *symbolic* tensor, a place in "
    "the graph without a value. It cannot be used outside,"
)
@says(
    "and it keeps the graph that it is a place in, also when the function is "
    "gone."
)
@says("Return what you need.")
def test_a_list_gets_a_symbolic_tensor() -> None:
    names = ran("memory_traces", "double")
    double, outputs = names["double"], names["outputs"]
    graphs = count_graphs()
    for value in (1.0, 2.0, 3.0):
        assert float(double(tf.constant(value))) == 2 * value
        assert traces(double) == len(outputs) == 1
    [noted] = outputs
    assert tf.is_tensor(noted)
    assert not hasattr(noted, "numpy")
    for use in (float, lambda entry: entry + 1.0, tf.abs):
        with pytest.raises(TypeError, match=r"Symbolic|out of scope"):
            use(noted)
    kept = weakref.ref(noted.graph)
    names.clear()
    del double
    assert count_graphs() - graphs == 1
    outputs.clear()
    del noted
    assert count_graphs() == graphs
    assert kept() is None
    assert printed(NAME, "doubled").startswith("entries: 1\nTensor(")


@says(
    "Appending losses to a list in a loop over `tf.range` fails at once: its "
    "end is an `InaccessibleTensorError`."
)
def test_a_list_filled_in_a_loop() -> None:
    @tf.function
    def collect(count: tf.Tensor) -> tf.Tensor:
        losses = []
        for step in tf.range(count):
            losses.append(tf.cast(step, tf.float32))
        return tf.reduce_sum(losses)

    with pytest.raises(ValueError, match="out of scope") as caught:
        collect(tf.constant(3))
    kinds = {type(caught.value).__name__, *str(caught.value).split()}
    assert "InaccessibleTensorError" in {kind.strip(":") for kind in kinds}


@says("In a loop inside of the function a `tf.TensorArray` collects it.")
@says("Return twice each row, with what was noted of each.")
def test_a_tensor_array_collects() -> None:
    rows = tf.reshape(tf.range(6.0), (3, 2))
    np.testing.assert_array_equal(double_all(rows), 2.0 * rows.numpy())
    assert "tf.TensorArray" in BLOCKS["double_all"].code
    assert "for number in tf.range" in BLOCKS["double_all"].code


# New things in each round


@says("A new tf.function in each round")
@says("The garbage collector takes each graph when the function is gone.")
@says(
    "But each round pays for its trace again, and the message of above warns "
    "of it, as its case (1)."
)
@says("Make the function once, outside of the loop.")
def test_a_new_function_in_each_round() -> None:
    messages, made, graphs = Messages(), [], count_graphs()

    def scale(x: tf.Tensor) -> tf.Tensor:
        made.append(1)
        return 2.0 * x

    for _ in range(5):
        new = tf.function(scale)
        new(ONE)
        assert count_graphs() - graphs == 1
    assert len(made) == 5
    [text] = messages.texts
    assert "(1) creating @tf.function repeatedly in a loop" in text
    assert "(1)\ncreating @tf.function" in printed(NAME, "message")
    del new
    assert count_graphs() == graphs
    once = tf.function(scale)
    for _ in range(5):
        once(ONE)
    assert len(made) == 6


@says("A new model in each round")
@says(
    "Now each round has a new Keras model, an optimizer and a compiled step."
)
@says("Train a new model for ten epochs; return its last loss.")
@says(
    "Train with two thirds of the rows, three times, and after each round "
    "call `clear_session`."
)
@says(
    "The models and their functions are gone; these graphs are not, and "
    "nothing frees them before the program ends, neither `clear_session` nor "
    "the garbage collector."
)
@says(
    "If the optimizer makes its variables in the first step, more graphs "
    "stay, and building it before (`optimizer.build`) leaves one a round."
)
def test_a_new_model_in_each_round(left: dict[str, Any]) -> None:
    code = BLOCKS["new_models"].code
    assert "for fold in range(3)" in code
    assert "tf.range(len(x)) % 3 != fold" in code
    assert code.count("clear_session()") == 1
    assert left["built"] == 2
    assert left["not built"] == 10
    before = count_graphs()
    tf.keras.backend.clear_session()
    gc.collect()
    assert count_graphs() == before
    assert living(KerasLinearModel) == []
    assert left["functions"] == 0
    assert left["losses"][0] == pytest.approx(by_adam(10), rel=1e-4)


@says(
    "It is a [fault of "
    "TensorFlow](https://github.com/tensorflow/tensorflow/issues/97697): a "
    "graph that contains an operation with a gradient of its own "
    "(`tf.custom_gradient`) is never freed, and the step of a Keras optimizer "
    "contains one."
)
def test_a_gradient_of_its_own_keeps_a_graph() -> None:
    @tf.custom_gradient
    def own(x: tf.Tensor) -> Any:
        return 2.0 * x, lambda upstream: 2.0 * upstream

    assert left_by(lambda: tf.function(own)(ONE)) == 2
    assert left_by(lambda: tf.function(lambda x: 2.0 * x)(ONE)) == 0

    def with_own(function: Any) -> int:
        kinds = []
        for operation in function.graph.get_operations():
            try:
                kinds.append(operation.get_attr("_gradient_op_type"))
            except ValueError:
                continue
        return sum(kind.startswith(b"CustomGradient") for kind in kinds)

    model, optimizer = KerasLinearModel(), tf.keras.optimizers.Adam(0.1)
    optimizer.build(model.trainable_variables)
    step = tf.function(train_with)
    found = step.get_concrete_function(model, optimizer, X, Y)
    assert with_own(found) == 1
    plain = tf.function(train).get_concrete_function(LinearModel(), X, Y, ONE)
    assert with_own(plain) == 0


@says(
    "`fit` with this model and Adam leaves ten a round, and if it is compiled "
    "again, ten more."
)
def test_fit_leaves_ten() -> None:
    def fit() -> None:
        model = KerasLinearModel()
        model.compile("adam", loss="mse")
        model.fit(X, Y, batch_size=204, verbose=0)

    assert left_by(fit, 1) == 10
    one = KerasLinearModel()

    def compiled_again() -> None:
        one.compile("adam", loss="mse")
        one.fit(X, Y, batch_size=204, verbose=0)

    compiled_again()
    assert left_by(compiled_again, 2) == 20


@says(
    "Use one model, one optimizer and one compiled step, and put all "
    "variables back."
)
@says("Give every variable the value that it had at the start.")
@says("The same losses, and one graph.")
@says("If each round is to begin with weights of its own, assign those.")
def test_one_model_put_back(left: dict[str, Any]) -> None:
    names = ran("memory_models", "one_model")
    model, optimizer, step = (
        names[n] for n in ("keras_model", "optimizer", "compiled_train")
    )
    before, last = count_graphs(), []
    for fold in range(2):
        reset(names["variables"], names["start"])
        assert [float(model.w), float(model.b)] == [5.0, 0.0]
        assert int(optimizer.iterations) == 0
        rows = tf.range(204) % 3 != fold
        for _ in range(10):
            found = step(model, optimizer, X[rows], Y[rows])
        last.append(float(found))
    assert last == pytest.approx(left["losses"], rel=1e-5)
    assert count_graphs() - before == traces(step) == 1
    model.w.assign(1.0)
    assert float(step(model, optimizer, X[rows], Y[rows])) != last[1]
    assert traces(step) == 1
    shown = printed(NAME, "new_models").split("\n")[1:4]
    mended = printed(NAME, "same_model").split("\n")
    assert [numbers(a)[:2] for a in shown] == [numbers(b)[:2] for b in mended]
    assert [numbers(row)[2] for row in mended] == [1, 1, 1]


@says(
    "What `clear_session` does: it collects the garbage, it lets the names "
    "of models begin anew, without a number at their end, and it forgets the "
    "policy for mixed precision."
)
@says("So set that policy again after each call.")
def test_what_clear_session_does() -> None:
    model: Any = KerasLinearModel()
    kept = weakref.ref(model)
    model.circle = model
    gc.disable()
    try:
        del model
        assert kept() is not None
        tf.keras.backend.clear_session()
        assert kept() is None
    finally:
        gc.enable()
    names = [KerasLinearModel().name for _ in range(2)]
    tf.keras.backend.clear_session()
    names.append(KerasLinearModel().name)
    plain = "keras_linear_model"
    assert names == [plain, f"{plain}_1", plain]
    policy = tf.keras.mixed_precision
    policy.set_global_policy("mixed_bfloat16")
    tf.keras.backend.clear_session()
    assert policy.global_policy().name == "float32"
    assert keras.layers.Dense(1).compute_dtype == "float32"


@says(
    "With the versions of this page no call of it leaves more behind than "
    "the first ones."
)
@says(
    "For all these sizes there are two traces: `predict` uses "
    "`reduce_retracing`."
)
@says(
    "To call the model, `keras_model(x)`, makes no graph at all and returns "
    "a tensor, where `predict` returns an array of NumPy."
)
@says("For a batch that is in memory anyhow the call is all you need.")
def test_predict_in_a_loop() -> None:
    model = KerasLinearModel()
    assert left_by(lambda: model(X)) == 0
    for rows in (204, 150):
        model.predict(X[:rows], batch_size=204, verbose=0)
    sizes = iter((100, 50, 9))
    check_growth(
        lambda: model.predict(X[: next(sizes)], batch_size=204, verbose=0),
        rounds=1,
    )
    assert traces(model.predict_function) == 2
    assert printed(NAME, "predict") == "traces: 2\ngraphs: 2"
    predicted = model.predict(X, batch_size=204, verbose=0)
    called = model(X)
    assert type(predicted) is np.ndarray
    assert tf.is_tensor(called)
    np.testing.assert_allclose(predicted, called, rtol=1e-6)


ROUNDS = "python rounds.py 2> rounds.log"


@says("Release memory after training: a process of its own, by spawn")
@says(
    "Such a program must be a file, which the page's program writes to "
    "`rounds.py`."
)
@says(
    "If the models differ, see "
    "[below](#release-memory-after-training-a-process-of-its-own-by-spawn)."
)
@says("So run each round in one of its own.")
@says("Train a new model on two thirds of the rows; return its last loss.")
@says("The same losses once more, and nothing is left of a round.")
def test_rounds_in_processes_of_their_own() -> None:
    parts = [b for b in PAGE.blocks if b.options.get("file") == "rounds.py"]
    assert [part.name for part in parts] == [
        *("imports", "make_data", "model", "loss", "train_with", "new_round"),
        *("train_fold", "rounds"),
    ]
    for part in parts[1:6]:
        assert sum(block.code == part.code for block in PAGE.blocks) == 2
    shown = printed(NAME, "new_models").split("\n")[5:]
    for one, other in zip(
        shown, record(NAME)[ROUNDS].split("\n"), strict=True
    ):
        assert one.startswith(f"{other}, graphs ")
    # A process for each round, and none of them is there in the end.
    start = parts[0].code.partition("import tensorflow")[0]
    work = "from os import getpid\n\ndef train_fold(fold): return getpid()\n\n"
    Path("rounds.py").write_text(start + work + parts[-1].code)
    done = subprocess.run(
        [sys.executable, "rounds.py"],
        capture_output=True,
        text=True,
        check=True,
    )
    processes = [
        int(float(row.split()[-1])) for row in done.stdout.split("\n")[:3]
    ]
    assert len({*processes}) == 3
    assert not any(Path(f"/proc/{number}").exists() for number in processes)


FORKED = """
import multiprocessing
import sys
import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads(4)
x = tf.random.stateless_normal([1000, 1000], (0, 1))
float(tf.reduce_sum(x @ x))

def work():
    float(tf.reduce_sum(x @ x))

process = multiprocessing.get_context("fork").Process(target=work)
process.start()
process.join(2)
print(process.exitcode)
process.kill()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the fork of Linux")
@says(
    "`spawn` starts a new Python, which imports TensorFlow again. `fork`, "
    "which Linux takes before Python 3.14 if you say nothing, copies a "
    "process without its threads, and what TensorFlow computes may wait for "
    "them forever."
)
def test_a_fork_waits_for_threads() -> None:
    usual = multiprocessing.get_all_start_methods()[0]
    assert (usual == "fork") is (sys.version_info < (3, 14))
    done = subprocess.run(
        [sys.executable, "-c", FORKED],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "None\n", "after two seconds it still waits"


WORKERS = """
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import TimeoutError, get_context

print("imported as", __name__, flush=True)

def end():
    os.kill(os.getpid(), 9)

if __name__ == "__main__":
    spawn = get_context("spawn")
    try:
        with ProcessPoolExecutor(1, mp_context=spawn) as pool:
            pool.submit(end).result()
    except Exception as error:
        print(type(error).__name__)
    with spawn.Pool(1) as pool:
        try:
            pool.apply_async(end).get(timeout=2)
        except TimeoutError:
            print("waits")
"""


@says(
    "The new Python imports the file. Without the `if` it would begin with "
    "the rounds itself, and stops: `An attempt has been made to start a new "
    "process before the current process has finished its bootstrapping phase`."
)
@says("It cannot import a notebook. There, import the functions from a file.")
@says(
    "A process that is killed raises `BrokenProcessPool`. A "
    "`multiprocessing.Pool` waits for it forever."
)
def test_processes_that_are_spawned() -> None:
    def ran(*command: str) -> tuple[str, str]:
        done = subprocess.run(
            [sys.executable, *command],
            capture_output=True,
            text=True,
            timeout=30,
        )
        return done.stdout, " ".join(done.stderr.split())

    Path("workers.py").write_text(WORKERS)
    lines = ran("workers.py")[0].splitlines()
    assert lines[:2] == ["imported as __main__", "imported as __mp_main__"]
    assert [line for line in lines if "imported" not in line] == [
        *("BrokenProcessPool", "waits")
    ]
    careless, _, rest = WORKERS.partition('if __name__ == "__main__":')
    careless += rest.partition("    with spawn.Pool")[0].replace(
        "\n    ", "\n"
    )
    careless = careless.replace("except Exception", "except TimeoutError")
    Path("careless.py").write_text(careless)
    told = (
        "An attempt has been made to start a new process before the current "
        "process has finished its bootstrapping phase"
    )
    assert told in ran("careless.py")[1]
    # As in a notebook, the function is of no file.
    typed = WORKERS.partition("    with spawn.Pool")[0]
    assert "Can't get attribute 'end'" in ran("-c", typed)[1]


@says(
    "What goes into a process and comes out of it is pickled: numbers and "
    "arrays are best."
)
def test_what_goes_in_is_pickled() -> None:
    step = tf.function(train)
    step(LinearModel(), X, Y, ONE)
    for thing in (lambda: 1.0, step):
        with pytest.raises((AttributeError, TypeError), match="pickle"):
            pickle.dumps(thing)
    values = pickle.loads(pickle.dumps([1.0, np.ones(3)]))
    assert values[0] == 1.0
    assert values[1].tolist() == [1.0] * 3


ALLOCATES = """
import os
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "{onednn}"
import tensorflow as tf

lines = [line.split() for line in open("/proc/meminfo")]
size = {{line[0]: int(line[1]) * 1024 for line in lines}}
free = size["MemFree:"] + size["Buffers:"]
for share in (0.05, *[0.15] * 7):
    print(int(share * free) // 1000 * 1000, flush=True)
    tf.raw_ops.Empty(shape=[int(share * free) // 1000, 1000], dtype=tf.uint8)
"""


@pytest.mark.skipif(not STATUS.exists(), reason="the system has no /proc")
@says("Allocation of … exceeds 10% of free system memory")
@says(
    "This is a warning, and the training goes on: one tensor takes more than "
    "a tenth of the memory that is free."
)
@says(
    "The line comes five times at most, and with oneDNN, of which the log "
    "says `oneDNN custom operations are on`, never."
)
@says(
    "A quarter of the bytes that it names is how many numbers of `float32` "
    "the tensor has, which tells you which one it is."
)
@pytest.mark.parametrize("onednn", [0, 1])
def test_a_large_allocation(onednn: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ALLOCATES.format(onednn=onednn)],
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    said = r"Allocation of (\d+) exceeds 10% of free system memory"
    sizes = re.findall(said, done.stderr)
    asked = done.stdout.splitlines()
    assert sizes == ([] if onednn else asked[1:6])
    is_on = "oneDNN custom operations are on" in done.stderr
    assert is_on is bool(onednn)


# Tensors kept


@says("Take the gradients of one batch; return what one may keep of it.")
@says("Its loss, its predictions, its tape.")
@says("Keep one thing of each epoch; return the kB kept after each.")
@says("`float(loss)` keeps no tensor.")
@says("A loss keeps its own 4 bytes, and not what it was computed from.")
@says("Predictions are as large as they are.")
@says("Keep a number made of them.")
def test_what_can_be_kept() -> None:
    step = record_step(LinearModel(), X, Y, persistent=False)
    assert [*step] == ["float(loss)", "loss", "predictions", "tape"]
    assert isinstance(step["float(loss)"], float)
    assert step["float(loss)"] == float(step["loss"])
    predictions = weakref.ref(step["predictions"])
    before = count_bytes()
    del step["predictions"]
    assert before - count_bytes() == 204 * 4
    assert predictions() is None
    before = count_bytes()
    del step["float(loss)"]
    assert before == count_bytes()
    del step["loss"]
    assert before - count_bytes() == 4
    names = ran("memory_tensors")
    assert names["kept_by_epoch"]("loss") == pytest.approx(
        [0.004 * epoch for epoch in range(1, 6)]
    )


@says("A tape lets go of everything when it has given its gradients.")
@says(
    "A *persistent* tape does not, since it may be asked again, and neither "
    "does one that was never asked: it keeps the results in between, here "
    '{{ kept["persistent tape"][0] / kept["predictions"][0]:.0f}} times what '
    "the predictions take."
)
@says("`del tape` as soon as you are done with it, and keep none.")
def test_what_tapes_keep() -> None:
    model = LinearModel()
    for persistent, asked in itertools.product((False, True), repeat=2):
        before = count_bytes()
        with tf.GradientTape(persistent=persistent) as tape:
            predictions = tf.tanh(model(tf.tanh(model(X))))
            total = loss(Y, predictions)
        if asked:
            assert tape.gradient(total, model.w) is not None
        held = count_bytes() - before - 204 * 4 - 4
        ratio = (held + 204 * 4) / (204 * 4)
        assert (ratio > 5.5) == (persistent or not asked)
        assert (held == 0) == (asked and not persistent)
        if persistent:
            assert tape.gradient(total, model.b) is not None
        del tape
        assert count_bytes() - before == 204 * 4 + 4
        del predictions, total
    values = record(NAME).items()
    [said] = [text for name, text in values if "persistent tape" in name]
    lines = printed(NAME, "histories").split("\n")
    kept = {row[:15].strip(): numbers(row[15:])[0] for row in lines}
    ratio = kept["persistent tape"] / kept["predictions"]
    assert said == f"{ratio:.0f}" == "6"


@says(
    "Kilobytes kept by epoch: with a persistent tape a straight line up to "
    "three thousand, with predictions one up to five hundred, with the "
    "number of the loss nothing"
)
def test_the_lines_of_the_figure() -> None:
    [axes] = figure(NAME, "histories_drawn")
    assert [*axes.points] == ["persistent tape", "predictions", "float(loss)"]
    ends = {"persistent tape": 3000, "predictions": 500, "float(loss)": 0}
    for name, end in ends.items():
        line = axes.points[name].y
        assert line[-1] == pytest.approx(end, rel=0.001)
        assert line == pytest.approx(end / 5 * np.arange(1, 6), rel=0.001)


@says("If the last few values are all you need, a `deque` forgets the others.")
def test_a_deque_forgets() -> None:
    window = deque[Any](maxlen=2)
    refs = []
    for value in (1.0, 2.0, 3.0):
        window.append(tf.constant([value]))
        refs.append(weakref.ref(window[-1]))
    assert [ref() is not None for ref in refs] == [False, True, True]
    assert "deque(maxlen=3)" in BLOCKS["window"].code


# OOM


@says(
    "When there is not enough memory for a tensor, TensorFlow raises a "
    "`ResourceExhaustedError`, which names the shape."
)
@says("OOM when allocating tensor")
def test_the_error_names_the_shape() -> None:
    assert "except tf.errors.ResourceExhaustedError" in BLOCKS["oom"].code
    assert "[10**12, 224, 224, 3]" in BLOCKS["oom"].code
    shown = printed(NAME, "oom")
    assert "with shape[1000000000000,224,224,3] and" in shown


@says("TensorFlow takes all memory of the GPU")
@says(
    "It takes nearly [all of it](https://www.tensorflow.org/guide/gpu#"
    "limiting_gpu_memory_growth) when it starts, whatever your model needs, "
    "and a second program finds none left."
)
@says(
    "`tf.config.experimental.set_memory_growth(gpu, True)`, for each `gpu` "
    'of `tf.config.list_physical_devices("GPU")` and before anything is '
    "computed, has it begin with little and take more as it goes."
)
def test_what_is_documented_of_a_gpu() -> None:
    documented = tf.config.experimental.set_memory_growth.__doc__
    told = " ".join(documented.split())
    assert "will not allocate all memory on the device" in told
    assert "once initialized" in told
    assert "list_physical_devices('GPU')" in told
    [cpu] = tf.config.list_physical_devices("CPU")
    with pytest.raises(ValueError, match="Cannot set memory growth"):
        tf.config.experimental.set_memory_growth(cpu, True)


@says(
    "If that happens in the first step, the step is too large for the "
    "machine. If it happens in the hundredth, that batch was larger, or "
    "something grows: look above. A step with as many rows as the *second* "
    "needs as much memory as that; in the first, Adam had not yet made the "
    "numbers that it keeps for each weight."
)
def test_what_the_second_step_needs() -> None:
    layer = tf.keras.layers.Dense(100)
    layer.build((None, 100))
    adam, x, kept = tf.keras.optimizers.Adam(), tf.ones((8, 100)), []
    for _ in range(4):
        gc.collect()
        with tf.GradientTape() as tape:
            result = tf.reduce_mean(layer(x) ** 2)
        kept.append(count_bytes())
        variables = layer.trainable_variables
        gradients = tape.gradient(result, variables)
        adam.apply_gradients(zip(gradients, variables, strict=True))
        del gradients, tape, result
    weights = 4 * (100 * 100 + 100)
    assert 2 * weights <= kept[1] - kept[0] < 2.1 * weights
    assert abs(kept[3] - kept[2]) < 0.01 * weights


@says(
    "What a step needs depends on the number of rows, for the tape keeps "
    "results of every layer until it has the gradients."
)
@says("Return the bytes that a tape keeps until the gradients are taken.")
@says("So a smaller batch is the first thing to try.")
def test_what_a_step_needs(network: Any) -> None:
    inputs, outputs = columns(320)
    network(inputs)
    optimizer = tf.keras.optimizers.SGD(0.01)
    needed = []
    for _ in range(3):
        needed.append(tape_bytes(network, inputs, outputs))
        train_with(network, optimizer, inputs, outputs)
    assert needed[0] == needed[1] == needed[2]
    assert tape_bytes(network, inputs[:32], outputs[:32]) < needed[0] / 3
    with tf.GradientTape() as tape:
        hidden, kept = inputs, []
        for layer in network.layers:
            hidden = layer(hidden)
            kept.append(weakref.ref(hidden))
        total = loss(outputs, hidden)
    del hidden
    assert all(ref() is not None for ref in kept[:3])
    tape.gradient(total, network.trainable_variables)
    assert all(ref() is None for ref in kept[:3])


@says("Gradient checkpointing: recompute instead of keep")
@says(
    "`recompute_grad` does not save memory | [Gradient checkpointing] … keep)"
)
@says("Return the most bytes that a step keeps at the end of a block.")
@says(
    "Cannot the batch be smaller? `tf.recompute_grad` keeps what goes into a "
    "block of layers, and no results from within."
)
@says(
    "On the way back it computes the block once more. So count at the end of "
    "each block, on both ways."
)
@says(
    "Here are 64 layers, as they are, and recomputed in blocks of three sizes."
)
@says(
    "One block of all saves nothing: on the way back all its results are "
    "there at once. Nor do blocks of a single layer, for what goes into each "
    "is kept."
)
def test_blocks_that_are_recomputed() -> None:
    rows = printed(NAME, "recomputed").splitlines()
    sizes = [(row.split()[2], row.split()[4]) for row in rows]
    assert sizes == [
        *(("64,", "False"), ("64,", "True"), ("8,", "True"), ("1,", "True"))
    ]
    kept, whole, some, each = (float(row.split()[-2]) for row in rows)
    assert some < kept / 2 < kept < whole < each
    dense = [tf.keras.layers.Dense(4) for _ in range(2)]
    calls: list[Any] = []

    def block(x: Any) -> Any:
        within = dense[0](x)
        calls.append(weakref.ref(within))
        return dense[1](within)

    x = tf.ones([3, 4])
    block(x)
    for part, count in ((block, 1), (tf.recompute_grad(block), 2)):
        calls.clear()
        with tf.GradientTape() as tape:
            y = part(x)
        assert (calls[0]() is None) == (count == 2)
        tape.gradient(y, [layer.kernel for layer in dense])
        assert len(calls) == count
    gradients = []
    for part in (block, tf.recompute_grad(block)):
        with tf.GradientTape() as tape:
            y = part(x)
        gradients.append(tape.gradient(y, [layer.kernel for layer in dense]))
    np.testing.assert_array_equal(*np.asarray(gradients))
    gc.collect()
    before = count_bytes()
    assert most_bytes([tf.keras.Sequential(dense)], x, True) > 0
    assert count_bytes() == before


@says(
    "Blocks in between do, and compiled they lower the peak of the process as "
    "well, by `tf.function` alone and by XLA."
)
def test_compiled_blocks_lower_the_peak() -> None:
    done = subprocess.run(
        # A shell in between, for a peak is handed on to children.
        ["sh", "-c", '"$0" -c "$1"; true', sys.executable, PEAKS],
        capture_output=True,
        text=True,
        check=True,
    )
    # A process keeps its peak: what comes first would hide what is lower.
    _, kept, _, kept_by_xla = map(int, done.stdout.split())
    results = 16 * 10_000 * 100 * 4 / 2**20
    assert kept > results / 4, "more than what was recomputed"
    assert kept_by_xla > results / 4


@says("Mind what is called twice.")
@says(
    "A `Dropout` draws anew, so the gradient is not that of the loss: keep it "
    "outside of the blocks. A `BatchNormalization` moves its averages twice."
)
def test_what_is_called_twice() -> None:
    w, x = tf.Variable(2.0), tf.ones(1000)
    for compiled in (False, True):
        drop = tf.keras.layers.Dropout(0.5, seed=1)

        def dropped(x: Any, drop: Any = drop) -> Any:
            return w * drop(x, training=True)

        for part in (dropped, tf.recompute_grad(dropped)):

            def slopes(part: Any = part) -> tuple[Any, Any]:
                with tf.GradientTape() as tape:
                    y = tf.reduce_sum(part(x))
                return y / 2, tape.gradient(y, w)

            take = tf.function(lambda slopes=slopes: slopes())
            true, found = map(float, take() if compiled else slopes())
            assert (true == found) is (part is dropped)
        norm = tf.keras.layers.BatchNormalization(momentum=0.5)
        values = tf.reshape(tf.range(8.0), (8, 1))
        norm(values)

        def moved(norm: Any = norm, values: Any = values) -> None:
            with tf.GradientTape() as tape:
                part = tf.recompute_grad(lambda x: norm(x, training=True))
                y = tf.reduce_sum(tf.square(part(values)))
            tape.gradient(y, norm.trainable_variables)

        (tf.function(moved) if compiled else moved)()
        twice = (1 - 0.5**2) * 3.5
        assert float(norm.moving_mean[0]) == pytest.approx(twice)


@says(
    "`keras.RematScope` is to do the same, but `fit` with a model that was "
    "made in it says `The custom_gradient decorator currently supports "
    "keywords arguments only when eager execution is enabled`."
)
def test_a_scope_of_keras_that_fails() -> None:
    assert "rematerialization" in str(keras.RematScope.__doc__).lower()
    for run_eagerly in (True, False):
        with keras.RematScope(mode="full"):
            model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
        model.compile("sgd", "mse", run_eagerly=run_eagerly)
        if run_eagerly:
            model.fit(X[:, tf.newaxis], Y[:, tf.newaxis], verbose=0)
            continue
        with pytest.raises(
            ValueError,
            match="The custom_gradient decorator currently supports keywords "
            "arguments only when eager execution is enabled",
        ):
            model.fit(X[:, tf.newaxis], Y[:, tf.newaxis], verbose=0)


@says(
    "If the shape surprises you, two tensors may have been "
    "[broadcast](traps.md#2-a-row-against-a-column) against each other."
)
def test_shapes_that_surprise() -> None:
    column = tf.zeros([7, 1])
    assert (column - tf.zeros([7])).shape == (7, 7)
    traps = (DOCS / "traps.md").read_text("utf-8")
    assert "\n## 2. A row against a column\n" in traps


@says(
    "Each row takes three results of 100 numbers of 4 bytes, and a little "
    "more."
)
@says(
    "The weights, which take the same for any number of rows, are more than "
    "half of the first line."
)
def test_what_a_row_takes(network: Any) -> None:
    tape_bytes(network, *columns(32))
    few, many = (tape_bytes(network, *columns(n)) for n in (320, 3200))
    each = (many - few) / (3200 - 320)
    assert 3 * 100 * 4 < each < 1.05 * 3 * 100 * 4
    weights = sum(np.size(w) * 4 for w in network.get_weights())
    assert few - 320 * each == pytest.approx(weights, rel=0.02)
    first = numbers(printed(NAME, "tape_sizes").split("\n")[0])
    assert first[0] == 32
    assert 0.5 < weights / 1e6 / first[1] < 0.9


@says(
    "If its gradients are too noisy, [accumulate those of several "
    "batches](usual_parts.md#gradient-accumulation)."
)
def test_several_batches_have_less_noise() -> None:
    def slopes(parts: int) -> np.ndarray:
        found = []
        for start in range(0, 204, 204 // parts):
            part = slice(start, start + 204 // parts)
            model = LinearModel()
            with tf.GradientTape() as tape:
                total = loss(shuffled[1][part], model(shuffled[0][part]))
            found.append(float(tape.gradient(total, model.b)))
        return np.array(found)

    order = tf.random.experimental.stateless_shuffle(tf.range(204), (0, 0))
    shuffled = tf.gather(X, order), tf.gather(Y, order)
    small = slopes(12)
    assert small.reshape(3, 4).mean(axis=1) == pytest.approx(slopes(3), 1e-4)
    assert slopes(3).std() < small.std()


# The check, and the exercises


@says(
    "It does something twice, so that all is made that is made once, and "
    "then asserts that doing it again leaves no graph, no tensor and no "
    "variable behind."
)
@says("Assert that work, done again, leaves no more than it left before.")
@says("Give it an epoch of your training in a test.")
@says(
    "Arrays of NumPy, such as what `predict` returns, it does not see, nor "
    "tensors of strings, nor the rows that `cache` and `shuffle` of a data "
    "set keep."
)
def test_the_check_to_paste() -> None:
    done: list[Any] = []

    def twice() -> None:
        if len(done) < 2:
            done.append(tf.function(lambda x: 2.0 * x))
            done[-1](ONE)

    check_growth(twice)
    makers: dict[str, Callable[[], Any]] = {
        "2 more graphs": lambda: tf.function(lambda x: x + 1.0),
        "24 more bytes": lambda: tf.zeros([3]),
        "8 more bytes": lambda: tf.Variable(1.0),
    }
    for told, make in makers.items():
        kept: list[Any] = []

        def work(make: Callable[[], Any] = make, kept: Any = kept) -> None:
            kept.append(make())
            if callable(kept[-1]):
                kept[-1](ONE)

        with pytest.raises(AssertionError, match=told):
            check_growth(work)
    arrays: list[Any] = []
    check_growth(lambda: arrays.append(np.zeros(1000)))
    assert sum(array.nbytes for array in arrays) == 4 * 8000
    check_growth(lambda: arrays.append(tf.constant(["string"] * 9)))
    assert len(arrays) == 8
    made: list[int] = []

    def row(number: Any) -> Any:
        made.append(1)
        return tf.zeros([1000])

    rows = tf.data.Dataset.range(50).map(
        lambda number: tf.py_function(row, [number], tf.float32)
    )
    cached, shuffled = rows.cache(), iter(rows.shuffle(50))
    before = count_bytes()
    assert sum(1 for _ in cached) == 50
    assert sum(1 for _ in cached) == len(made) == 50, "they are kept"
    next(shuffled)
    assert len(made) == 100
    assert count_bytes() - before < 4000
    going = [tf.zeros([3]) for _ in range(4)]
    check_growth(going.pop)
    model, optimizer = KerasLinearModel(), tf.keras.optimizers.SGD(0.01)
    step, history = tf.function(train_with), []
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(51)

    def epoch() -> None:
        for batch in data:
            last = step(model, optimizer, *batch)
        history.append(float(last))

    check_growth(epoch)
    assert history == sorted(history, reverse=True)


@says(
    "`check_growth` is to pass for a compiled step whose learning rate falls "
    "with each call."
)
@says("Return a compiled step whose learning rate falls with each call.")
def test_a_rate_that_falls() -> None:
    one, other = LinearModel(), LinearModel()
    step = make_falling_step(one)
    for rate in (0.1, 0.09, 0.081):
        step(X, Y)
        train(other, X, Y, rate)
    assert float(one.w) == pytest.approx(float(other.w), rel=1e-5)
    check_growth(lambda: step(X, Y))
    assert traces(step) == 1


@says(
    "Of the network above, estimate from two measurements with `tape_bytes` "
    "how many rows a tape may hold in a gigabyte."
)
def test_how_many_rows_fit(network: Any) -> None:
    tape_bytes(network, *columns(32))
    names = ran("memory_tensors", "rows_that_fit", network=network)
    assert [*names["needed"]] == [320, 3200]
    rows = (1e9 - names["besides"]) / names["per_row"]
    assert f"{rows / 1000:.0f} thousand rows" in printed(NAME, "rows_that_fit")
    found = tape_bytes(network, *columns(1000))
    due = names["besides"] + 1000 * names["per_row"]
    assert found == pytest.approx(due, rel=0.001)
