"""What the page on old tutorials and today's names says is true.

What the old names meant is asked of two that still know: `tf.compat.v1`, and
the copy of Keras 2 within TensorFlow.
"""

import ast
import contextlib
import importlib
import io
import json
import re
import subprocess
import sys
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow.python.keras as old_keras
from tensorflow.python.keras import layers as old_layers
from tensorflow.python.keras import losses as old_losses
from tensorflow.python.keras import models as old_models
from tensorflow.python.keras.optimizer_v2 import gradient_descent
from tensorflow.python.util.lazy_loader import KerasLazyLoader
from tensorflow.tools.compatibility import (
    all_renames_v2,
    renames_v2,
    tf_upgrade_v2_main,
)

from snippets import old_names_tables
from snippets.data import make_data
from snippets.old_names import (
    SILENCE,
    fresh,
    fresh_model,
    kind,
    message,
    tried,
    v1,
)
from snippets.old_names_values import (
    Momentum,
    Penalty,
    mended,
    set_known,
    steps,
    steps_then,
    then,
    today,
)
from tests.claims.says import figure, printed, ran, record, says
from tests.claims.sentences import DOCS, ROOT, read
from tools.compare import EXPECTED
from tools.expected import read as read_expected

NAME = "old_names"
PAGE = read(NAME)
BLOCKS = {block.name: block for block in PAGE.blocks}
SOURCE = (DOCS / f"{NAME}.md").read_text("utf-8")
X, Y = make_data()
ROWS: dict[str, Any] = {name: fresh()[name] for name in ("x", "y", "p")}
TABLES = [
    block.name.removeprefix("try_")
    for block in PAGE.blocks
    if block.name.startswith("try_") and "tables" in block.options["run"]
]
Names = dict[str, Any]
Table = list[tuple[str, ...]]
SGD = tf.keras.optimizers.SGD


@pytest.fixture(scope="module")
def said() -> dict[str, Table]:
    """Of each table, the rows: what became of a line, it, its message, new.

    They are as kept of the page, and not run.
    """
    text = (ROOT / EXPECTED / f"{NAME}.txt").read_text("utf-8")
    found: dict[str, list[dict[str, str]]] = {}
    rows: list[dict[str, str]] = []
    for item in read_expected(text):
        if match := re.search(r":try_(\w+)$", item.name):
            rows = found.setdefault(match[1], [])
        elif match := re.fullmatch(r"\{\{ (\w+)\[(\d+)\] \}\}", item.name):
            if match[1] == "now":
                rows.append({"new": ""})
            rows[int(match[2])][match[1]] = item.text
    return {
        table: [
            tuple(row[c] for c in ("now", "old", "msg", "new"))
            for row in found[table]
        ]
        for table in TABLES
    }


class Run(NamedTuple):
    """What becomes of a row of a table now."""

    whole: str
    """All that an error or a warning of the old line says."""
    finds_all: bool
    """Whether Python finds all names of the old line."""
    new: str
    """What the new line says."""


@pytest.fixture(scope="module")
def now(
    said: dict[str, Table], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Run]:
    """Run the lines of all tables, for each table with new objects."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("tables"))
        for rows in said.values():
            names, others = fresh(), fresh()
            for _, old, _, new in rows:
                finds = finds_all(old, names)
                whole = whole_message(old, names)
                found[old] = Run(whole, finds, message(new, others))
    return found


@pytest.fixture(scope="module")
def silent() -> Names:
    """What the lines without a message leave; a warning would be an error."""
    log = io.StringIO()
    sections = "silent_rate", "silent_dropout", "silent_loss"
    with (
        warnings.catch_warnings(action="error"),
        contextlib.redirect_stderr(log),
    ):
        names = ran("old_names_values", *sections)
    return names | {"log": log.getvalue()}


def finds_all(code: str, names: Names) -> bool:
    """Return whether Python finds every name of the lines."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom | ast.Import):
            try:
                exec(ast.unparse(node), names)
            except ImportError:
                return False
        if isinstance(node, ast.Attribute):
            try:
                owner = eval(ast.unparse(node.value), names)
            except Exception:
                continue  # What fails in there is looked at by itself.
            if not hasattr(owner, node.attr):
                return False
    return True


def whole_message(code: str, names: Names) -> str:
    """Return all that an error or a warning of the line says."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", UserWarning)
        try:
            exec(code, names)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
    return f"UserWarning: {warned[0].message}" if warned else SILENCE


def weights(model: Any) -> list[float]:
    return [float(value.item()) for value in model.get_weights()]


def column(size: int) -> Any:
    return np.linspace(-2.0, 2.0, size, dtype="f")[:, None]


# The page


@says(
    "What tf.Session, optimizer.lr, reset_states and some eighty other lines "
    "of old tutorials say in TensorFlow today, and what to write instead."
)
@says(
    "On this page you can look the line up: what it says today, and what to "
    "write."
)
@says(
    "Every line of the tables was run while this page was made, the old one "
    "and the new one; the messages are the first sentences of what they said."
)
def test_every_line_of_the_tables_was_run(
    said: dict[str, Table], now: dict[str, Run]
) -> None:
    for table, rows in said.items():
        pairs = getattr(old_names_tables, table.upper())
        assert [(row[1], row[3]) for row in rows] == [*pairs.items()]
        for word, old, told, _ in rows:
            assert now[old].new == SILENCE
            assert (now[old].whole == SILENCE) == (word == "works")
            assert (told == SILENCE) == (word == "works")
    assert [*said] == TABLES
    assert len(TABLES) == 12
    lines = [row[1] for rows in said.values() for row in rows]
    named = ("tf.Session", "optimizer.lr", "reset_states")
    others = [line for line in lines if not any(n in line for n in named)]
    assert {n for n in named if any(n in line for line in lines)} == {*named}
    assert 75 <= len(others) <= 84


@says(
    "You copied a line from an older text, and it stops with `module "
    "'tensorflow' has no attribute 'Session'` or `'SGD' object has no "
    "attribute 'lr'`."
)
@says("Or it says nothing, and does something else.")
@says(
    "You need nothing for looking up: search the page for the last words of "
    "the first sentence of your message, without names and numbers of your "
    "own."
)
def test_messages_are_found_by_their_first_sentence(
    said: dict[str, Table], now: dict[str, Run], silent: Names
) -> None:
    told = {row[1]: row[2] for rows in said.values() for row in rows}
    for line, end in (
        ("tf.Session()", "module 'tensorflow' has no attribute 'Session'"),
        ("optimizer.lr", "'SGD' object has no attribute 'lr'"),
    ):
        assert told[line].endswith(f": {end}")
    assert silent["moved"][0] != pytest.approx(silent["moved"][1])
    for line, first in told.items():
        # The first words may be others, if more was imported before.
        *_, last = first.rpartition("tf_keras.")
        _, found, rest = now[line].whole.partition(last)
        assert found
        assert re.match(r"$|\.|\n| \(/", rest)


@says(
    "To read it through, you need the [guide](basic_training_loops.md).",
)
@says("One block is meant to fail, in the exercises.")
@says("All blocks above, in order, as one file.")
@says("It needs TensorFlow and Matplotlib.")
@says("The loop as it is written now: … basic_training_loops.md)")
@says("What fails today without a message: [Silent failures](traps.md).")
@says("What each format is for is told in [Save, stop, … md).")
def test_blocks_and_other_pages() -> None:
    fails = [block for block in PAGE.blocks if "raises" in block.options]
    assert [block.name for block in fails] == ["unknown"]
    last = SOURCE.split("## Exercises")[1]
    assert f':{fails[0].name}"' in last
    blocks = [name.rpartition(":")[2] for name in record(NAME)]
    shown = [block.name for block in PAGE.blocks]
    assert [name for name in blocks if name in BLOCKS] == shown
    modules = re.findall(r"(?m)^(?:import|from) (\w+)", PAGE.blocks[0].code)
    others = {*modules} - {*sys.stdlib_module_names}
    assert others == {"matplotlib", "numpy", "tensorflow"}  # NumPy is its.
    for page, text in {
        "basic_training_loops": ":training_loop",
        "traps": "# Silent failures",
        "save_and_resume": "\n## Which format for what\n",
    }.items():
        assert text in (DOCS / f"{page}.md").read_text("utf-8")
    assert "# Save, stop, resume" in (DOCS / "save_and_resume.md").read_text()


@says("`module 'tensorflow' has no attribute` … | [1] … [2] … graphs)")
@says("`Got an unexpected keyword argument` … | [3] … names)")
@says("`'SGD' object has no attribute` … | [4](#4-optimizers)")
@says("`Argument(s) not recognized` | [4](#4-optimizers)")
@says("`'LossScaleOptimizer' object has no attribute` … | … precision)")
@says("`keras.losses' has no attribute` … | … metrics)")
@says("`'Sequential' object has no attribute` … | … layers)")
@says("`object has no attribute 'reset_states'` | … layers)")
@says("`Invalid filepath extension for saving` | [9](#9-saving)")
@says("`No module named` …, `cannot import name` … | [10](#10-imports)")
@says("`module 'keras.backend' has no attribute` … | [10](#10-imports)")
@says("No message, but other numbers than in the text | … else)")
def test_each_symptom_leads_to_its_table(
    said: dict[str, Table], silent: Names
) -> None:
    told = dict[str, str]()
    for part in re.split(r"(?m)^## ", SOURCE)[1:]:
        tables = re.findall(r":try_(\w+)\"", part)
        rows = [row for table in tables for row in said.get(table, [])]
        told[part.partition(".")[0]] = "\n".join(row[2] for row in rows)
    rows = re.findall(r"(?m)^\| `(.*) \| (.*\(#.*) \|$", SOURCE)
    assert len(rows) == 12
    for symptom, links in rows:
        for number in re.findall(r"\[(\d+)\]", links):
            for piece in re.findall(r"`([^`]+)`", f"`{symptom}"):
                assert piece in told[number]
        others = {n for n in told if f"[{n}]" not in links}
        pieces = re.findall(r"`([^`]+)`", f"`{symptom}")
        if "tensorflow" not in symptom:  # This one is everywhere.
            assert not any(p in told[n] for n in others for p in pieces)
    assert silent["kept"][0] != pytest.approx(silent["kept"][1], abs=0.1)


# How the lines are tried


@says(
    "In `tf.compat.v1` TensorFlow keeps most names of its first version, so "
    "we can ask it what they meant."
)
def test_most_old_names_are_kept() -> None:
    def has(name: str) -> bool:
        owner = v1
        for part in name.split(".")[1:]:
            owner = getattr(owner, part, None)
        return owner is not None

    names = [
        name
        for name in renames_v2.renames
        if not name.startswith(("tf.keras.", "tf.layers.", "tf.nn.rnn_cell."))
    ]
    assert len(names) > 800
    assert sum(map(has, names)) / len(renames_v2.renames) > 0.7


@says("The imports.")
@says(
    "The lines of a table get new objects: a variable `w`, a `model`, its "
    "`optimizer`, and some more."
)
@says("Return a compiled line whose start is always the same.")
@says("Return new objects under the names that the lines of code use.")
def test_new_objects() -> None:
    assert "import " in BLOCKS["setup"].code
    assert sum("import " in b.code.split('"')[0] for b in PAGE.blocks) == 1
    one, other = fresh(), fresh()
    assert float(one["w"]) == 5.0  # type: ignore[arg-type]
    assert one["optimizer"] is one["model"].optimizer  # type: ignore[attr-defined]
    for name in ("w", "model", "optimizer"):
        assert one[name] is not other[name]
    assert len(one) > 3
    for _ in range(2):
        model = fresh_model()
        assert weights(model) == [1.0, 0.0]
        assert model.compiled
        assert model(tf.constant([[2.0]])).numpy().item() == 2.0
    used = {
        node.id
        for table in TABLES
        for line in getattr(old_names_tables, table.upper())
        for node in ast.walk(ast.parse(line))
        if isinstance(node, ast.Name)
    }
    assert used - {"Dense", "K"} <= {*one}


@says(
    "`message` runs a line and keeps the first sentence of its error or "
    "warning."
)
@says("Run the code; return the first sentence of what it complains of.")
@says("`kind` puts it into one word.")
@says("A name is *gone* if Python does not find it.")
@says(
    "A line is *refused* if all names are there and it fails nevertheless, "
    "and *warned* if it runs and complains."
)
@says("It *works* if it says nothing.")
@says("Return in one word what became of the code.")
def test_what_the_words_mean(
    said: dict[str, Table], now: dict[str, Run]
) -> None:
    assert message("raise ValueError('One. Two.')", {}) == "ValueError: One"
    warn = "import warnings; warnings.warn('One. Two')"
    assert message(warn, {}) == "UserWarning: One"
    words = set()
    for word, old, told, _ in (row for rows in said.values() for row in rows):
        assert kind(old, told) == word
        words.add(word)
        if told == SILENCE:
            assert word == "works"
        elif told.startswith("UserWarning"):
            assert word == "warned"
        else:
            assert word == ("refused" if now[old].finds_all else "gone"), old
    assert words == {"gone", "refused", "warned", "works"}


@says("`tried` does so with a table of lines.")
@says("A new line that says anything at all ends the build of this page.")
@says("Try all; print what came of it; return it with the lines.")
def test_tried(capsys: pytest.CaptureFixture[str]) -> None:
    table = {"tf.sub": "tf.subtract", "w": "", "tf.mul": "tf.multiply"}
    now, old, told, new = tried(table)
    assert capsys.readouterr().out == "2 gone, 1 works\n"
    assert now == ["gone", "works", "gone"]
    assert dict(zip(old, new, strict=True)) == table
    assert told[1] == SILENCE
    for line in ("tf.sub", "import warnings; warnings.warn('One')"):
        with pytest.raises(AssertionError):
            tried({"w": line})


@says("Today | What older texts say, what it says today, and what to write")
@says(
    "{{ now[0] }} | **`{{ old[0] }}`**<br>`{{ msg[0] }}`<br>"
    "Write `{{ new[0] }}`"
)
@says(
    "{{ now[1] }} | **`{{ old[1] }}`**<br>`{{ msg[1] }}`<br>"
    "Write `{{ new[1] }}`"
)
@says(
    "{{ now[2] }} | **`{{ old[2] }}`**<br>`{{ msg[2] }}`<br>"
    "Write `{{ new[2] }}`"
)
@says(
    "{{ now[3] }} | **`{{ old[3] }}`**<br>`{{ msg[3] }}`<br>"
    "Write `{{ new[3] }}`"
)
@says(
    "{{ now[4] }} | **`{{ old[4] }}`**<br>`{{ msg[4] }}`<br>"
    "Write `{{ new[4] }}`"
)
@says(
    "{{ now[5] }} | **`{{ old[5] }}`**<br>`{{ msg[5] }}`<br>"
    "Write `{{ new[5] }}`"
)
@says(
    "{{ now[6] }} | **`{{ old[6] }}`**<br>`{{ msg[6] }}`<br>"
    "Write `{{ new[6] }}`"
)
@says(
    "{{ now[7] }} | **`{{ old[7] }}`**<br>`{{ msg[7] }}`<br>"
    "Write `{{ new[7] }}`"
)
@says(
    "{{ now[8] }} | **`{{ old[8] }}`**<br>`{{ msg[8] }}`<br>"
    "Write `{{ new[8] }}`"
)
@says(
    "{{ now[9] }} | **`{{ old[9] }}`**<br>`{{ msg[9] }}`<br>"
    "Write `{{ new[9] }}`"
)
@says("{{ now[0] }} | **`{{ old[0] }}`**<br>`{{ msg[0] }}`<br>Keep it")
@says("{{ now[1] }} | **`{{ old[1] }}`**<br>`{{ msg[1] }}`<br>Keep it")
@says("{{ now[2] }} | **`{{ old[2] }}`**<br>`{{ msg[2] }}`<br>Gone for good")
@says("{{ now[2] }} | **`{{ old[2] }}`**<br>`{{ msg[2] }}`<br>Not needed")
@says("{{ now[3] }} | **`{{ old[3] }}`**<br>`{{ msg[3] }}`<br>Keep it")
@says(
    "{{ now[5] }} | **`{{ old[5] }}`**<br>`{{ msg[5] }}`<br>"
    "Leave out `python.`"
)
@says("{{ now[7] }} | **`{{ old[7] }}`**<br>`{{ msg[7] }}`<br>Gone for good")
@says("{{ now[8] }} | **`{{ old[8] }}`**<br>`{{ msg[8] }}`<br>Not needed")
@says("{{ now[9] }} | **`{{ old[9] }}`**<br>`{{ msg[9] }}`<br>Not needed")
def test_every_row_says_what_to_write(said: dict[str, Table]) -> None:
    gone = {"tf.contrib", "from tensorflow.contrib import slim"}
    for table, lines in said.items():
        text = SOURCE.split(f':try_{table}"')[1].split("\n```\n")[1]
        rows = re.findall(r"(?m)^\| \{\{ now.*<br>(.*) \|$", text)
        assert len(rows) == len(lines) <= 10
        for number, (row, line) in enumerate(zip(rows, lines, strict=True)):
            word, old, _, new = line
            if new:
                assert row == f"Write `{{{{ new[{number}] }}}}`"
            elif word == "works":
                assert row == "Keep it"
            elif old in gone:
                assert row == "Gone for good"
            elif "python." in old:
                assert row == "Leave out `python.`"
                short = old.replace("python.", "")
                assert message(short, dict(fresh())) == SILENCE
            else:
                assert row == "Not needed"
                assert word == "gone"


# 1. Variables and mathematics


@says(
    "In TensorFlow 1 changing a variable was an operation of its own. Now it "
    "is a method of the variable."
)
@says(
    "An old program first drew a graph, with a placeholder for each input, "
    "and then ran it in a session."
)
@says(
    "Today a line runs when Python comes to it, and a "
    "[`tf.function`](how_fast.md#seven-ways-to-take-the-same-steps) makes the "
    "graph."
)
@says(
    "The session has become a loop of Python, the placeholders arguments, and "
    "the initializer is gone because a variable has its value from the start."
)
def test_operations_and_sessions() -> None:
    with tf.Graph().as_default() as graph, v1.Session() as session:
        inputs, w = v1.placeholder(tf.float32), v1.Variable(5.0)
        before = len(graph.get_operations())
        changed, product = v1.assign(w, 4.0), inputs * w
        assert len(graph.get_operations()) > before
        with pytest.raises(tf.errors.FailedPreconditionError):
            session.run(w)
        session.run(v1.global_variables_initializer())
        assert session.run(w) == 5.0
        session.run(changed)
        assert session.run([w, product], {inputs: 2.0}) == [4.0, 8.0]
    variable = tf.Variable(5.0)
    assert float(variable) == 5.0
    variable.assign(4.0)
    assert float(variable * 2.0) == 8.0
    compiled = tf.function(lambda x: x * variable).get_concrete_function(2.0)
    kinds = [part.type for part in compiled.graph.get_operations()]
    assert "Mul" in kinds
    old, new = BLOCKS["then"].code, BLOCKS["today"].code
    assert old.count("v1.placeholder") == 2
    for word in ("v1.Session()", "v1.global_variables_initializer()"):
        assert word in old
        assert word not in new
    assert "def today(x: tf.Tensor, y: tf.Tensor)" in new
    assert "for _ in range(10):" in new
    how_fast = (DOCS / "how_fast.md").read_text("utf-8")
    told = how_fast.split("## Seven ways to take the same steps")[1]
    traced = "`tf.function` runs `train` once for each kind of arguments"
    assert traced in told


@says(
    "Some of the mathematics moved to `tf.math`, the random numbers to "
    "`tf.random`."
)
def test_what_moved() -> None:
    moved = ["log", "log1p", "lgamma", "erf", "rsqrt", "floordiv"]
    for name in moved:
        assert hasattr(v1, name)
        assert not hasattr(tf, name)
        assert hasattr(tf.math, name)
    for name in ("exp", "sqrt", "add"):
        assert getattr(tf, name) is getattr(tf.math, name)
    for name in ("normal", "uniform", "gamma", "shuffle"):
        assert hasattr(v1, f"random_{name}")
        assert not hasattr(tf, f"random_{name}")
        assert hasattr(tf.random, name)


@says(
    "`tf.compat.v1` still has most of them. `tf.sub` and `tf.mul` it has not; "
    "Python's operators say what they meant."
)
@says(
    "One thing is not the same: without an initializer `tf.get_variable` drew "
    "its first floats at random, and `tf.Variable` wants to be told."
)
def test_variables_of_then(said: dict[str, Table]) -> None:
    old = [row[1] for row in said["variables"]]
    names = [re.match(r"tf\.(\w+)", line) for line in old]
    lacking = [
        match[1] for match in names if match and not hasattr(v1, match[1])
    ]
    assert lacking == ["sub", "mul"]
    rows = printed(NAME, "same_variables").split("\n")[1:]
    assert len(rows) == 6
    for row in rows:
        before, after = row.split()[-2:]
        assert before == after
    for line, value in (("5.0 - 2.0", 3.0), ("5.0 * 2.0", 10.0)):
        assert eval(line) == value
    by_old = {row[1]: row[3] for row in said["variables"]}
    for line in old[:4]:
        meant = eval(line.replace("tf.", "tf.compat.v1."), fresh())
        found = eval(by_old[line], fresh())
        assert float(meant) == pytest.approx(float(found))
    with tf.Graph().as_default(), v1.Session() as session:
        drawn = [v1.get_variable(name, []) for name in ("a", "b")]
        drawn.append(v1.get_variable("c", [], tf.int32))
        session.run(v1.global_variables_initializer())
        one, other, whole = session.run(drawn)
    assert one != other
    assert whole == 0
    with pytest.raises(ValueError, match="initial_value"):
        tf.Variable(name="w")


# 2. Sessions and graphs


@says(
    "TensorFlow starts eagerly, so nothing has to be enabled, and what it "
    "computes leaves nothing in a default graph that had to be reset."
)
def test_eager_from_the_start() -> None:
    assert tf.executing_eagerly()
    graph = v1.get_default_graph()
    before = len(graph.get_operations())
    model = fresh_model()
    model.fit(column(3), column(3), verbose=0)
    tf.function(lambda x: 2.0 * x)(tf.constant(1.0))
    assert v1.get_default_graph() is graph
    assert len(graph.get_operations()) == before


@says("`tf.contrib` is gone for good: some of its parts moved, others ended.")
@says("`tf.contrib` does not come back, and neither does `tf.layers`.")
@says(
    "And for many names at once TensorFlow brings a program, `tf_upgrade_v2 "
    "--infile old.py --outfile new.py`."
)
def test_the_program_that_renames(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not hasattr(tf, "contrib")
    assert not hasattr(v1, "contrib")
    renamed = all_renames_v2.manual_symbol_renames
    moved = [new for old, new in renamed.items() if "tf.contrib." in old]
    assert len(moved) > 20
    assert renamed["tf.contrib.framework.sort"] == "tf.sort"
    assert hasattr(tf, "sort")
    for name in ("dense", "conv2d", "batch_normalization", "Dense"):
        assert not hasattr(v1.layers, name)
    assert not hasattr(tf, "layers")
    names = ["tf.assign_sub(w, 1.0)", "tf.Session()", "tf.log(w)"]
    names += ["tf.contrib.framework.sort(w)", "tf.contrib.slim.flatten(w)"]
    Path("old.py").write_text("\n".join(["import tensorflow as tf", *names]))
    line = "tf_upgrade_v2 --infile old.py --outfile new.py"
    monkeypatch.setattr(sys, "argv", line.split())
    with contextlib.redirect_stdout(io.StringIO()):
        tf_upgrade_v2_main.main()
    assert Path("new.py").read_text().split("\n")[1:] == [
        *("tf.compat.v1.assign_sub(w, 1.0)", "tf.compat.v1.Session()"),
        *("tf.math.log(w)", "tf.sort(w)", "tf.contrib.slim.flatten(w)"),
    ]
    report = Path("report.txt").read_text()
    assert "tf.contrib.slim.flatten cannot be converted" in report
    assert f"`{line}`" in " ".join(SOURCE.split())


@says("Here is a whole training as it was written then.")
@says("It still runs, under `tf.compat.v1`.")
@says("Train as with TensorFlow 1, ten steps; return w and b.")
@says(
    "And the same training today, with the data, the line and the loss of the "
    "guide."
)
@says("Train as today, ten steps; return w and b.")
@says("`then`, above, went that way, within a `tf.Graph`.")
@says(
    "Whatever is used there has to be made there: of an eager tensor, or a "
    "variable from outside, it says `Attempting to capture an EagerTensor "
    "without building a function`."
)
def test_then_and_today() -> None:
    for outside in (tf.constant(1.0), tf.Variable(1.0)):
        with (
            tf.Graph().as_default(),
            pytest.raises(RuntimeError, match="capture an EagerTensor"),
        ):
            outside * v1.placeholder(tf.float32)
    with tf.Graph().as_default():
        product = tf.constant(1.0) * v1.placeholder(tf.float32)
    assert isinstance(product.graph, tf.Graph)
    w, b = 5.0, 0.0
    x, y = (np.asarray(values, float) for values in (X, Y))
    for _ in range(10):
        error = w * x + b - y
        w, b = w - 0.2 * np.mean(error * x), b - 0.2 * np.mean(error)
    assert then(X.numpy(), Y.numpy()) == pytest.approx([w, b], abs=1e-4)
    assert today(X, Y) == pytest.approx([w, b], abs=1e-4)
    for row in printed(NAME, "old_way").split("\n"):
        assert row.split()[1:] == [f"{w:.4f}", f"{b:.4f}"]
    assert "v1" not in BLOCKS["today"].code
    assert BLOCKS["then"].code.count("v1.") > 5
    assert "with tf.Graph().as_default():" in BLOCKS["then"].code
    assert "v1, layers = tf.compat.v1, " in BLOCKS["setup"].code
    guide = {
        block.options["run"]: block.code
        for block in read("basic_training_loops").blocks
    }
    for name in ("make_data", "model", "loss"):
        assert guide[BLOCKS[name].options["run"]] == BLOCKS[name].code


@says("`K.gradients`, of `tf.keras.backend`, ends as `tf.gradients` does.")
@says(
    "Older texts on "
    "[Grad-CAM](other_gradients.md#the-gradient-at-a-layer-grad-cam) and deep "
    "dreams use it; take a tape, and watch what you hand to the model."
)
def test_gradients_of_the_backend() -> None:
    w = tf.Variable(3.0)
    for old in (tf.gradients, tf.keras.backend.gradients):
        with pytest.raises(RuntimeError, match="is not supported when eager"):
            old(w * w, [w])
    x, model = tf.constant([[2.0]]), fresh_model()
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(model(x))
    slope = model.trainable_variables[0]
    np.testing.assert_allclose(tape.gradient(total, x), slope)


# 3. to 5. Arguments, optimizers, decay and half precision


@says(
    "Mind the third: `keep_prob` was the share that is *kept*, and `rate` is "
    "the share that is dropped."
)
@says("The second argument of `tf.nn.dropout`, which has changed its meaning:")
@says(
    "`tf.nn.dropout(inputs, 0.9)` | keeps {{ kept[0]:.1f }} | "
    "{{ kept[1]:.1f }}"
)
def test_dropout(said: dict[str, Table], silent: Names) -> None:
    _, old, _, new = said["arguments"][2]
    assert "keep_prob=0.9" in old
    assert "rate=0.1" in new
    inputs = tf.ones([10_000])
    shares = [
        np.mean(outputs.numpy() > 0)
        for outputs in (
            v1.nn.dropout(inputs, keep_prob=0.9),
            tf.nn.dropout(inputs, rate=0.1),
            v1.nn.dropout(inputs, 0.9),
            tf.nn.dropout(inputs, 0.9),
        )
    ]
    assert shares == pytest.approx([0.9, 0.9, 0.9, 0.1], abs=0.03)
    assert silent["kept"] == pytest.approx([0.1, 0.9], abs=0.03)
    kept = [record(NAME)[f"kept[{n}]:.1f"] for n in (0, 1)]
    assert kept == ["0.1", "0.9"]


@says(
    "`fit` has lost `workers`, `use_multiprocessing` and `max_queue_size`: "
    "`got an unexpected keyword argument 'workers'`."
)
@says(
    "A `keras.utils.PyDataset`, as `Sequence` is called today, takes them, by "
    "`super().__init__(workers=2)` in its `__init__`."
)
@says(
    "Without that line `fit` trains nevertheless, and warns: `Your PyDataset "
    "class should call super().__init__(**kwargs) in its constructor`."
)
def test_the_workers_of_fit() -> None:
    assert keras.utils.Sequence is keras.utils.PyDataset
    x = np.ones((4, 1), "float32")

    def compiled() -> Any:
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        return model

    class Batches(keras.utils.PyDataset):
        def __init__(self, told: bool, **given: Any) -> None:
            if told:
                super().__init__(**given)

        def __len__(self) -> int:
            return 2

        def __getitem__(self, n: int) -> Any:
            return x[2 * n : 2 * n + 2], x[2 * n : 2 * n + 2]

    given: Names = {
        "workers": 2,
        "use_multiprocessing": False,
        "max_queue_size": 3,
    }
    for name, value in given.items():
        with pytest.raises(
            TypeError, match=f"got an unexpected keyword argument '{name}'"
        ):
            compiled().fit(x, x, verbose=0, **{name: value})
        assert getattr(Batches(True, **{name: value}), name) == value
    message = re.escape(
        "Your `PyDataset` class should call `super().__init__(**kwargs)` in "
        "its constructor"
    )
    for told in (True, False):
        model = compiled()
        before = model.get_weights()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(Batches(told), verbose=0)
        said = [bool(re.match(message, str(w.message))) for w in caught]
        assert any(said) == (not told)
        assert model.get_weights()[0] != before[0]


@says("`tf.train` has none any more; take those of Keras.")
@says(
    "`minimize` computed the gradients as well. Do that with a tape, as in "
    "the [guide](basic_training_loops.md), and hand them to `apply`."
)
@says("(`apply_gradients` is still there, too, and takes pairs.)")
def test_optimizers_are_those_of_keras() -> None:
    def optimizers(module: Any) -> list[str]:
        names = [n.removesuffix("Optimizer") for n in dir(module)]
        return [n for n in names if n and f"{n}Optimizer" in dir(module)]

    assert optimizers(tf.train) == []
    assert "GradientDescent" in optimizers(v1.train)
    assert {"Adam", "Adagrad", "RMSProp"} <= {*optimizers(v1.train)}
    assert {"Adam", "Adagrad", "RMSprop"} <= {*dir(tf.keras.optimizers)}
    w, gradient = tf.Variable(1.0), tf.constant(10.0)
    v1.train.GradientDescentOptimizer(0.1).minimize(lambda: w**2, var_list=[w])
    assert float(w) == pytest.approx(0.8)
    optimizer: Any = SGD(0.1)
    for apply, given in (
        (optimizer.apply, ([gradient], [w])),
        (optimizer.apply_gradients, ([(gradient, w)],)),
    ):
        w.assign(1.0)
        apply(*given)
        assert float(w) == 0.0
    assert "tf.GradientTape()" in "".join(
        block.code for block in read("basic_training_loops").blocks
    )


@says(
    "Whoever *writes* `optimizer.lr` gets no message at all: see "
    "[below](#11-no-message-and-something-else)."
)
@says("A new attribute, which no optimizer reads:")
@says(
    "`optimizer.lr = 0.5` | a step of {{ moved[0]:.1f }} | {{ moved[1]:.1f }}"
)
def test_writing_lr(silent: Names) -> None:
    below = SOURCE.split("## 11. No message, and something else")[1]
    assert ':silent_rate"' in below
    assert silent["moved"] == pytest.approx([0.1, 0.5], rel=1e-5)
    moved = [record(NAME)[f"moved[{n}]:.1f"] for n in (0, 1)]
    assert moved == ["0.1", "0.5"]
    then = gradient_descent.SGD(0.1)
    then.lr = 0.5
    assert float(then.learning_rate) == 0.5
    kinds = [
        *(SGD, tf.keras.optimizers.Adam, tf.keras.optimizers.RMSprop),
        *(tf.keras.optimizers.Adagrad, tf.keras.optimizers.Lion),
    ]
    for new in kinds:
        one, other = new(0.1), new(0.1)
        with warnings.catch_warnings(action="error"):
            one.lr = 0.5
        assert steps(one, 2) == steps(other, 2)


@says("Old and new optimizers, ten steps each down a curve:")
@says("Return w after each step down the curve w**2 / 2, from 1 on.")
@says("Return the same for an optimizer of tf.compat.v1.")
def test_optimizers_take_the_same_steps() -> None:
    falling = 0.9 ** np.arange(1, 11)
    assert steps(SGD(0.1)) == pytest.approx(falling, rel=1e-5)
    old = v1.train.GradientDescentOptimizer(0.1)
    assert steps_then(old) == pytest.approx(falling, rel=1e-5)
    old = v1.train.MomentumOptimizer(0.1, 0.9)
    new = steps(SGD(0.1, momentum=0.9))
    assert steps_then(old) == pytest.approx(new, abs=1e-5)
    rows = printed(NAME, "same_steps").split("\n")
    assert len(rows) == 3
    for row in rows:
        before, after = map(float, re.findall(r"-?\d\.\d{4}", row))
        assert before == pytest.approx(after, abs=2e-4)


class Older(tf.keras.optimizers.Optimizer):
    """An optimizer as older texts have it, mended step by step."""

    def __init__(self, *given: Any, hyper: bool = False) -> None:
        super().__init__(*given)
        if hyper:
            self._set_hyper("decay", 0.0)

    def _create_slots(self, variables: Any) -> None:
        raise AssertionError("called")

    def _resource_apply_dense(self, gradient: Any, variable: Any) -> None:
        raise AssertionError("called")


@says("An optimizer of your own, without _create_slots")
@says(
    "`object has no attribute '_set_hyper'` | "
    "[Your own optimizer](#an-optimizer-of-your-own-without-_create_slots)"
)
@says(
    "Older texts subclass `Optimizer` with `_create_slots` and "
    "`_resource_apply_dense`. Nobody calls these any more."
)
@says(
    "First comes a `ValueError`, for `super().__init__(name)` now hands the "
    "name over as `learning_rate`; then `object has no attribute "
    "'_set_hyper'`; at last a `NotImplementedError` that says nothing: "
    "`update_step` is missing."
)
def test_an_optimizer_of_older_texts() -> None:
    older = gradient_descent.SGD
    names = ("_create_slots", "_resource_apply_dense", "_set_hyper")
    assert all(hasattr(older, name) for name in (*names, "add_slot"))
    new = tf.keras.optimizers.Optimizer
    assert not [n for n in (*names, "add_slot") if hasattr(new, n)]
    with pytest.raises(ValueError, match="`learning_rate` should be float"):
        Older("name")
    with pytest.raises(AttributeError, match="no attribute '_set_hyper'"):
        Older(0.1, hyper=True)
    with pytest.raises(NotImplementedError) as raised:
        steps(Older(0.1), 1)
    assert str(raised.value) == ""


@says("Write two methods.")
@says("To the last bit those of Keras.")
@says("Descent with momentum: v = 0.9 * v - rate * gradient, w = w + v.")
@says("Make a v for each variable, once.")
@says("Move one variable.")
@says(
    "`build` stands for `_create_slots`, `add_optimizer_variables` for "
    "`add_slot`, and `update_step` for `_resource_apply_dense` and "
    "`_resource_apply_sparse`."
)
def test_an_optimizer_of_our_own() -> None:
    assert printed(NAME, "own_steps") == "same steps: True"
    own = [n for n in vars(Momentum) if callable(getattr(Momentum, n))]
    assert [n for n in own if n[0] != "_"] == ["build", "update_step"]
    w, v, expected = 1.0, 0.0, []
    for _ in range(10):
        v = 0.9 * v - 0.1 * w
        w += v
        expected.append(w)
    assert steps(Momentum(0.1)) == pytest.approx(expected, abs=1e-6)
    of_keras = SGD(0.1, momentum=0.9)
    assert steps(Momentum(0.1), 50) == steps(of_keras, 50)
    optimizer, w = Momentum(0.1), tf.Variable(1.0)
    for _ in range(2):
        optimizer.build([w])
    assert [v.name.split("_")[-1] for v in optimizer.variables[2:]] == ["v"]
    rows = []
    for kind_of in (Momentum(0.1), SGD(0.1, momentum=0.9)):
        layer = tf.keras.layers.Embedding(3, 2, "ones")
        for _ in range(3):
            with tf.GradientTape() as tape:
                total = tf.reduce_sum(layer(tf.constant([1, 1])))
            found = tape.gradient(total, layer.trainable_variables)
            assert isinstance(found[0], tf.IndexedSlices)
            kind_of.apply(found, layer.trainable_variables)
        rows.append(layer.get_weights()[0].tolist())
    assert rows[0] == rows[1] != np.ones((3, 2)).tolist()


class WithArgument(Momentum):
    def __init__(
        self, learning_rate: float = 0.1, momentum: float = 0.5, **more: Any
    ) -> None:
        super().__init__(learning_rate, **more)
        self.momentum = momentum


class Written(WithArgument):
    def get_config(self) -> Names:
        return {**super().get_config(), "momentum": self.momentum}


class Applied(tf.keras.layers.Layer):
    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function


class Rate(tf.keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step: Any) -> Any:
        return 0.1


@says(
    "An argument of your own, such as `momentum`, needs an `__init__`, and "
    "for `model.save` a `get_config` that knows of it. Without one the loaded "
    "optimizer has the default, in silence."
)
@says(
    "A layer whose argument cannot be written down, or a schedule, says so: "
    "it `must override get_config()`."
)
@pytest.mark.parametrize(
    ("made", "found"), [(WithArgument, 0.5), (Written, 0.8)]
)
def test_what_is_saved_of_an_optimizer(
    made: Any, found: float, tmp_path: Path
) -> None:
    model, path = fresh_model(), tmp_path / "model.keras"
    model.compile(made(0.1, momentum=0.8), "mse")
    model.optimizer.build(model.trainable_variables)
    model.save(path)
    with warnings.catch_warnings(action="error"):
        loaded = tf.keras.models.load_model(
            path, custom_objects={made.__name__: made}
        )
    assert loaded.optimizer.momentum == found
    assert float(loaded.optimizer.learning_rate) == pytest.approx(0.1)
    for silent in (Applied(lambda inputs: inputs), Rate()):
        with pytest.raises(
            NotImplementedError, match=r"must override `get_config\(\)`"
        ):
            silent.get_config()


@says(
    "Today it is [`Unknown "
    "variable`](freeze_and_fine_tune.md#valueerror-unknown-variable)."
)
def test_a_variable_that_the_optimizer_does_not_know() -> None:
    optimizer = tf.keras.optimizers.Adam()
    optimizer.build([tf.Variable(1.0)])
    with pytest.raises(ValueError, match=r"^Unknown variable: "):
        optimizer.apply([tf.constant(1.0)], [tf.Variable(1.0)])
    there = (DOCS / "freeze_and_fine_tune.md").read_text("utf-8")
    assert "\n## `ValueError: Unknown variable`\n" in there


@says(
    "`decay` is the one that only warns, and trains on with a constant rate."
)
@says("It meant to divide the rate by `1 + decay * step`.")
@says("A schedule does that, in the place of the rate.")
@says(
    "The weight by step: the line of SGD with decay falls below the other two "
    "from the second step on; that of SGD with a schedule lies on the dotted "
    "line of what decay meant"
)
def test_decay(said: dict[str, Table]) -> None:
    words = [row[0] for row in said["scaling"]]
    assert words.count("warned") == 1
    assert words[0] == "warned"
    with warnings.catch_warnings(action="ignore"):
        ignored = SGD(0.1, decay=0.1)
    constant = steps(ignored)
    assert constant == pytest.approx(0.9 ** np.arange(1, 11), rel=1e-5)
    w, of_keras_2 = tf.Variable(1.0), []
    optimizer = gradient_descent.SGD(0.1, decay=0.1)
    for _ in range(10):
        optimizer.minimize(lambda: w**2 / 2, [w])
        of_keras_2.append(float(w))
    rates = 0.1 / (1 + 0.1 * np.arange(10))
    meant = np.cumprod(1 - rates)
    assert of_keras_2 == pytest.approx(meant, rel=1e-5)
    schedule = tf.keras.optimizers.schedules.InverseTimeDecay(0.1, 1, 0.1)
    assert steps(SGD(schedule)) == pytest.approx(meant, rel=1e-5)
    [axes] = figure(NAME, "decay")
    first, *others = (line.y for line in axes.points.values())
    assert others[0] == others[1]
    assert first[0] == others[0][0]
    below = [a < b for a, b in zip(first, others[0], strict=True)]
    assert below == [False] + [True] * 9
    assert 'plt.plot(meant, ":"' in BLOCKS["decay"].code


@says(
    "The loss is scaled on the tape, and `apply` divides the gradients by the "
    "same number. After one step the weight is where it is without any "
    "scaling."
)
@says(
    "Without `scale_loss` nothing is said, and the steps of SGD are far too "
    "short: [trap 6](traps.md#6-a-loss-that-was-never-scaled)."
)
def test_scaling() -> None:
    w, scaled = tf.Variable(1.0), SGD(0.1)
    optimizer = tf.keras.optimizers.LossScaleOptimizer(scaled)
    with tf.GradientTape() as tape:
        value = w**2
        scaled_loss = optimizer.scale_loss(value)
    factor = float(scaled_loss) / float(value)
    assert factor > 1000
    gradient = tape.gradient(scaled_loss, w)
    assert float(gradient) == 2 * factor
    optimizer.apply([gradient], [w])
    assert float(w) == pytest.approx(0.8)
    w.assign(1.0)
    optimizer = tf.keras.optimizers.LossScaleOptimizer(SGD(0.1))
    with warnings.catch_warnings(action="error"):
        optimizer.apply([tf.constant(2.0)], [w])
    assert 0 < 1 - float(w) < 0.2 / 1000
    traps = (DOCS / "traps.md").read_text("utf-8")
    assert "\n## 6. A loss that was never scaled\n" in traps


# 6. Losses and metrics


@says(
    "`tf.losses` stands for `tf.keras.losses` now, so both names fail with "
    "one message."
)
@says(
    "(In the package `keras`, imported by itself, it is the other way round: "
    "`keras.losses.mean_squared_error` is there, and `mse` is not.)"
)
@says("But they meant two things.")
@says(
    "The first was the mean over all rows, a single number; the second, now "
    "called `mse`, gives one number for each row."
)
@says(
    "A tape adds up the {{ len(p) }} numbers of `mse`, and the steps grow "
    "with the batch. Write `MeanSquaredError()` in a loop."
)
def test_losses(said: dict[str, Table]) -> None:
    assert dir(tf.losses) == dir(tf.keras.losses)
    assert tf.losses.MeanSquaredError is tf.keras.losses.MeanSquaredError
    first, second = (row for row in said["losses"][:2])
    assert first[1].startswith("tf.losses.mean_squared_error(")
    assert second[1].startswith("tf.keras.losses.mean_squared_error(")
    assert first[2] == second[2]
    assert hasattr(keras.losses, "mean_squared_error")
    assert not hasattr(keras.losses, "mse")
    assert tf.keras.losses.mse is keras.losses.mean_squared_error
    y, p = ROWS["y"], ROWS["p"]
    errors = np.square(p - y)[:, 0]
    assert float(v1.losses.mean_squared_error(y, p)) == errors.mean()
    for each in (old_losses.mean_squared_error, tf.keras.losses.mse):
        np.testing.assert_allclose(each(y, p), errors)
    assert record(NAME)["len(p)"] == str(len(p)) == "3"
    slopes = {}
    for rows in (3, 6):
        inputs = tf.repeat(y, rows // 3, axis=0)
        w = tf.Variable(2.0)
        with tf.GradientTape(persistent=True) as tape:
            each = tf.keras.losses.mse(inputs, w * inputs)
            total = tf.reduce_sum(each)
            mean = tf.keras.losses.MeanSquaredError()(inputs, w * inputs)
        slopes[rows] = [
            float(tape.gradient(v, w)) for v in (each, total, mean)
        ]
    assert slopes[3][0] == slopes[3][1]
    assert slopes[6][0] == pytest.approx(2 * slopes[3][0])
    assert slopes[6][2] == pytest.approx(slopes[3][2])


@says(
    "`Reduction.AUTO` is still a name, and no loss takes what it stands for. "
    'It is to be left out: that takes the mean. `"sum"` and `"none"` go '
    "on as they were."
)
def test_reductions() -> None:
    y, p = ROWS["y"], ROWS["p"]
    errors = np.square(p - y)[:, 0]
    auto = tf.keras.losses.Reduction.AUTO
    classes = [
        found
        for found in vars(tf.keras.losses).values()
        if isinstance(found, type) and issubclass(found, tf.keras.losses.Loss)
    ]
    assert len(classes) > 15
    for each in classes:
        with pytest.raises(ValueError, match="Invalid value for argument `re"):
            each(reduction=auto)
    for module in (old_losses, tf.keras.losses):
        mse = module.MeanSquaredError
        assert float(mse()(y, p)) == pytest.approx(errors.mean())
        total = mse(reduction="sum")(y, p)
        assert float(total) == pytest.approx(errors.sum())
        np.testing.assert_allclose(mse(reduction="none")(y, p), errors)
    old = old_losses.MeanSquaredError(reduction=auto)
    assert float(old(y, p)) == pytest.approx(errors.mean())


@says("`compiled_loss` and `compute_loss` give the same number:")
@says(
    "The other warning, about `compiled_metrics`, comes with advice that "
    "spoils the log: [trap 5](traps.md#5-a-log-of-something-else)."
)
def test_compiled_losses_and_metrics() -> None:
    names = ran("old_names_values", "same_logs", **ROWS)
    assert float(names["before"]) == pytest.approx(float(names["after"]))
    assert float(names["after"]) == pytest.approx(8.0)
    line = "model.compiled_metrics.update_state(y, p)"
    told = whole_message(line, fresh())
    assert "for metric in self.metrics" in told
    model = fresh_model()
    model.train_on_batch(ROWS["x"], ROWS["y"])
    model.reset_metrics()
    for metric in model.metrics:
        metric.update_state(ROWS["y"], ROWS["p"])
    logged = float(model.get_metrics_result()["loss"])
    assert logged != pytest.approx(8.0, abs=1.0)
    traps = (DOCS / "traps.md").read_text("utf-8")
    assert "\n## 5. A log of something else\n" in traps
    assert "self.metrics" in traps.split("\n## 5.")[1].split("\n## 6.")[0]


# 7. and 8. Models and layers


@says("`fit` and `evaluate` take generators themselves.")
@says(
    "For a model with one output between 0 and 1 `predict_classes` meant "
    "`model.predict(x) > 0.5`."
)
@says(
    "And the history of `fit` goes by the names that `compile` was given: "
    '`metrics=["acc"]` makes `"acc"`, `metrics=["accuracy"]` makes '
    '`"accuracy"`.'
)
def test_models() -> None:
    x, y = ROWS["x"], ROWS["y"]

    def batches() -> Iterator[Any]:
        while True:
            yield x, y

    model = fresh_model()
    before = weights(model)
    model.fit(batches(), steps_per_epoch=1, shuffle=False, verbose=0)
    assert weights(model) != before
    found = model.evaluate(batches(), steps=2, verbose=0, return_dict=True)
    due = model.evaluate(x, y, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(due["loss"])
    for name in ("acc", "accuracy"):
        model.compile(loss="mse", metrics=[name], run_eagerly=True)
        history = model.fit(x, y, verbose=0).history
        assert {*history} == {"loss", name}
    old = old_models.Sequential([old_layers.Dense(1, activation="sigmoid")])
    inputs = column(9)
    old.predict = lambda x, **_: old(x).numpy()
    with warnings.catch_warnings(action="ignore"):
        classes = old.predict_classes(inputs)
    np.testing.assert_array_equal(classes, old.predict(inputs) > 0.5)
    assert {*classes.ravel().tolist()} == {0, 1}


@says(
    "The state of a recurrent layer is reset at the layer, where "
    "`reset_states` and `reset_state` both work; the model has lost its "
    "method."
)
@says("The name of a weight must be said by keyword.")
@says(
    "There is no global learning phase any more: say `training=True` or "
    "`training=False` in the call."
)
def test_layers() -> None:
    for name in ("reset_state", "reset_states"):
        layer = tf.keras.layers.LSTM(1, stateful=True)
        layer(tf.ones([1, 2, 1]))
        assert any(float(state[0, 0]) != 0.0 for state in layer.states)
        getattr(layer, name)()
        assert all(float(state[0, 0]) == 0.0 for state in layer.states)
    assert hasattr(old_models.Model, "reset_states")
    for model in (tf.keras.Model, tf.keras.Sequential):
        assert not hasattr(model, "reset_states")
    with pytest.raises(ValueError, match="`name` must be passed as a keyword"):
        tf.keras.layers.Layer().add_weight("w", (1,))
    assert old_layers.Layer().add_weight("w", (1,)).name == "w:0"
    weight = tf.keras.layers.Layer().add_weight(name="w", shape=(1,))
    assert weight.name == "w"
    assert hasattr(old_keras.backend, "learning_phase")
    assert not hasattr(tf.keras.backend, "learning_phase")
    dropout, ones = tf.keras.layers.Dropout(0.5), tf.ones([100])
    zeros = [
        float(
            tf.reduce_sum(tf.cast(dropout(ones, training=t) == 0.0, "int32"))
        )
        for t in (True, False)
    ]
    assert zeros[0] > zeros[1] == 0


# 9. and 10. Saving and imports


@says(
    "Without an ending a name used to mean TensorFlow's own format, and a "
    "folder or a few files."
)
@says("Today the ending chooses the format.")
def test_endings(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, Table]
) -> None:
    monkeypatch.setattr(old_keras, "__version__", "2.6.0", raising=False)
    old: Any = old_models.Sequential([old_layers.Dense(1)])
    old.build((None, 1))
    old.save_weights("weights")
    files = sorted(path.name for path in Path().glob("weights*"))
    assert files == ["weights.data-00000-of-00001", "weights.index"]
    [saved] = [row for row in said["saving"] if "save_format" in row[1]]
    assert 'save_format="tf"' in saved[1]
    tf.saved_model.save(tf.Module(), "folder")
    assert "saved_model.pb" in [path.name for path in Path("folder").iterdir()]
    model = fresh_model()
    for name, start in (
        ("line.keras", b"PK"),
        ("line.h5", b"\x89HDF"),
        ("line.weights.h5", b"\x89HDF"),
    ):
        with warnings.catch_warnings(action="ignore"):
            (model.save_weights if "weights" in name else model.save)(name)
        assert Path(name).read_bytes().startswith(start)
    with pytest.raises(ValueError, match="Invalid filepath extension"):
        model.save("line")


@says(
    "`Unrecognized keyword arguments passed to LSTM: {'time_major': False}`, "
    "or `{'groups': 1}` of a convolution, is said of a file that names an "
    "argument which Keras 3 does not have."
)
@says(
    "Build the model in code, and read the weights out of the same file: "
    '`model.load_weights("old.h5")`.'
)
@says(
    "`Compiled the loaded model, but the compiled metrics have yet to be "
    "built` tells of no fault: `evaluate` or `fit` builds them."
)
def test_arguments_in_files_of_older_tutorials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers, path = tf.keras.layers, str(tmp_path / "old.h5")
    told: list[str] = []
    absl = importlib.import_module("absl.logging")
    monkeypatch.setattr(absl, "warning", told.append)
    for shape, layer, words in (
        ((3, 1), layers.LSTM, "{'time_major': False}"),
        ((8, 8, 1), layers.Conv2DTranspose, "{'groups': 1}"),
    ):
        sizes = (2,) if layer is layers.LSTM else (2, 2)
        made, again = (
            tf.keras.Sequential([tf.keras.Input(shape), layer(*sizes)])
            for _ in range(2)
        )
        made.save(path)
        with h5py.File(path, "r+") as file:
            config = json.loads(file.attrs["model_config"])
            config["config"]["layers"][-1]["config"] |= ast.literal_eval(words)
            file.attrs["model_config"] = json.dumps(config)
        name = layer.__name__
        message = f"Unrecognized keyword arguments passed to {name}: {words}"
        with pytest.raises((TypeError, ValueError), match=re.escape(message)):
            tf.keras.models.load_model(path, compile=False)
        again.load_weights(path)
        x = tf.random.stateless_normal((2, *shape), (0, 0))
        np.testing.assert_array_equal(again(x), made(x))
    model, x, y = fresh_model(), tf.ones((3, 1)), tf.ones((3, 1))
    model.compile("sgd", tf.keras.losses.MeanSquaredError(), metrics=["mae"])
    model.fit(x, y, verbose=0)
    model.save(path)
    told.clear()
    loaded = tf.keras.models.load_model(path)
    words = "Compiled the loaded model, but the compiled metrics have yet to"
    assert any(words in line for line in told)
    due = model.evaluate(x, y, verbose=0)
    assert loaded.evaluate(x, y, verbose=0) == pytest.approx(due)


@says("Files of older tutorials: a folder, or .h5")
@says(
    "A folder that was saved so is no model for `load_model`: `File format "
    "not supported`. `tf.saved_model.load` reads it, and "
    '`keras.layers.TFSMLayer("line", call_endpoint="serving_default")` makes '
    "a layer of it."
)
@says(
    "An `.h5` file loads. If it says `Could not deserialize "
    "'keras.metrics.mse'`, load it with `compile=False`, and compile the "
    "model anew."
)
def test_files_of_older_tutorials() -> None:
    load, x = tf.keras.models.load_model, tf.constant([[2.0], [3.0]])
    model = fresh_model()
    expected = model(x)
    model.export("line", verbose=False)
    with pytest.raises(ValueError, match="File format not supported"):
        load("line")
    found = tf.saved_model.load("line").signatures["serving_default"](x)
    np.testing.assert_allclose(found["output_0"], expected)
    layer = keras.layers.TFSMLayer("line", call_endpoint="serving_default")
    np.testing.assert_allclose(layer(x)["output_0"], expected)
    for loss in ("mse", tf.keras.losses.MeanSquaredError()):
        model.compile("sgd", loss)
        with warnings.catch_warnings(action="ignore"):
            model.save("line.h5")
        if loss == "mse":
            told = "Could not deserialize 'keras.metrics.mse'"
            with pytest.raises(ValueError, match=told):
                load("line.h5")
        else:
            np.testing.assert_allclose(load("line.h5")(x), expected)
        again = load("line.h5", compile=False)
        np.testing.assert_allclose(again(x), expected)
        again.compile("sgd", loss)
        again.fit(x, x, verbose=0)


@says("Both ways back:")
def test_both_ways_back() -> None:
    names = ran(
        "old_names_values", "same_models", model=fresh_model(), x=ROWS["x"]
    )
    assert names["loaded"] is not names["filled"]
    for way in ("loaded", "filled"):
        np.testing.assert_array_equal(names[way](ROWS["x"]), ROWS["x"])
    assert printed(NAME, "same_models").count("True") == 2


@says(
    "`from tensorflow.keras…` works, whatever your editor says: TensorFlow "
    "loads Keras when it is asked for."
)
@says(
    "(`tf.keras.backend`, of the same Keras, still has `mean` and its like.)"
)
def test_the_two_backends() -> None:
    assert tf.keras.layers.Dense is keras.layers.Dense
    for name in ("mean", "sum", "square", "reshape"):
        assert hasattr(tf.keras.backend, name)
        assert not hasattr(keras.backend, name)
    assert float(tf.keras.backend.mean(ROWS["x"])) == pytest.approx(1 / 3)
    # Of a schedule, `learning_rate` is what `_decayed_lr` was.
    schedule = tf.keras.optimizers.schedules.InverseTimeDecay(0.1, 1, 1.0)
    optimizer = SGD(schedule)
    optimizer.iterations.assign(4)
    assert float(optimizer.learning_rate) == pytest.approx(0.02)


@says("`tensorflow.python.keras` is another matter.")
@says(
    "It is an old copy of Keras 2 within TensorFlow, and its layers are none "
    "of `tf.keras`. Put into a model of today they are refused: `Only "
    "instances of keras.Layer can be added to a Sequential model`. To an "
    "optimizer of that copy `compile` says `Could not interpret optimizer "
    "identifier`."
)
@says(
    "`No module named 'keras.engine'` is a sign of the same age: import from "
    "`keras.layers`."
)
def test_kerases() -> None:
    exec("from tensorflow.keras.layers import Dense", names := Names())
    assert names["Dense"] is keras.layers.Dense
    folder = Path(tf.sysconfig.get_lib())
    assert (folder / "__init__.py").exists()
    assert not (folder / "keras").exists()
    loader = KerasLazyLoader({})
    assert not loader._tfll_initialized
    assert loader.layers.Dense is keras.layers.Dense
    assert loader._tfll_initialized
    assert Path(old_keras.__file__).is_relative_to(folder)
    assert not issubclass(old_layers.Dense, tf.keras.layers.Layer)
    words = "Only instances of `keras.Layer` can be added to a Sequential mod"
    with pytest.raises(ValueError, match=words):
        tf.keras.Sequential([old_layers.Dense(1)])
    words = "Could not interpret optimizer identifier"
    with pytest.raises(ValueError, match=words):
        fresh_model().compile(gradient_descent.SGD(0.1), "mse")
    assert hasattr(old_models.Sequential, "predict_classes")
    told = message("from keras.engine.topology import Layer", {})
    assert told == "ModuleNotFoundError: No module named 'keras.engine'"
    assert message("from keras.layers import Layer", {}) == SILENCE


# 11. No message, and something else


@says("They run without a word.")
def test_they_run_without_a_word(silent: Names) -> None:
    assert silent["log"] == ""
    assert {"moved", "kept", "added"} <= {*silent}


@says(
    "A loss added from outside. Older texts add a `lambda` or a symbolic "
    "tensor, and both are refused. An eager tensor in their place is taken, "
    "and forgotten at the next call. A loss counts if a layer adds it in its "
    "`call`. (A loop of your own has to [add "
    "`model.losses`](weights_outputs_losses.md#regularization-losses-in-a-"
    "custom-loop).)"
)
@says("Adds 100 to the loss, and hands on what it is given.")
@says("Return the inputs.")
@says("The line | What it does | What it is to do")
@says(
    "`model.add_loss(tensor)` | adds {{ added[0]:.1f }} | {{ added[1]:.1f }}"
)
def test_a_loss_from_outside(silent: Names) -> None:
    assert silent["added"] == pytest.approx([0.0, 100.0], abs=1e-3)
    added = [record(NAME)[f"added[{n}]:.1f"] for n in (0, 1)]
    assert added == ["0.0", "100.0"]
    model, one = fresh_model(), tf.ones([1, 1])
    for loss in (
        lambda: tf.constant(100.0),
        keras.ops.mean(model.outputs[0]),
    ):
        with pytest.raises(ValueError, match="can only be called from inside"):
            model.add_loss(loss)
    options = {"kernel_initializer": "ones", "input_shape": (1,)}
    for symbolic in (True, False):
        old: Any = old_models.Sequential([old_layers.Dense(1, **options)])
        mean = tf.reduce_mean(old.output)
        old.add_loss(100.0 * mean if symbolic else lambda: tf.constant(100.0))
        old(one)
        assert [float(value) for value in old.losses] == [100.0]
    model.add_loss(tf.constant(100.0))
    assert [float(value) for value in model.losses] == [100.0]
    model(one)
    assert model.losses == []
    penalised = tf.keras.Sequential([tf.keras.Input((1,)), Penalty()])
    mse = tf.keras.losses.MeanSquaredError()
    assert float(mse(one, penalised(one))) == 0.0, "a loop's own loss"
    assert [float(value) for value in penalised.losses] == [100.0]
    other = (DOCS / "weights_outputs_losses.md").read_text("utf-8")
    assert "\n## Regularization losses in a custom loop\n" in other
    layer = Penalty()
    assert layer(one).numpy().item() == 1.0
    assert [float(value) for value in layer.losses] == [100.0]


@says(
    "a `tf.Variable` in a Keras model is not trained: [trap "
    "1](traps.md#1-a-variable-that-keras-cannot-see);"
)
@says(
    "`tf.random.set_seed` no longer repeats the weights of Keras: [The same "
    "run twice](same_run_twice.md)."
)
@says("More that changed without a message:")
def test_more_without_a_message() -> None:
    class New(tf.keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.w = tf.Variable(5.0)

    class Old(old_models.Model):
        def __init__(self) -> None:
            super().__init__()
            self.w = tf.Variable(5.0)

    def drawn(layers: Any) -> float:
        tf.random.set_seed(1)
        layer = layers.Dense(1)
        layer.build((None, 1))
        return float(layer.get_weights()[0].item())

    with warnings.catch_warnings(action="error"):
        assert New().trainable_variables == []
        draws = {drawn(tf.keras.layers) for _ in range(3)}
    assert len(draws) == 3
    assert len(Old().trainable_variables) == 1
    assert len({drawn(old_layers) for _ in range(3)}) == 1
    traps = (DOCS / "traps.md").read_text("utf-8")
    assert "\n## 1. A variable that Keras cannot see\n" in traps
    twice = (DOCS / "same_run_twice.md").read_text("utf-8")
    assert "\n## 1. A seed that Keras does not read\n" in twice


# 12. The way out, and the exercises


@says(
    "Then begin it with `import tensorflow.compat.v1 as tf` and "
    "`tf.disable_v2_behavior()`."
)
@says("Write these three lines as they are written today, and take ten steps.")
@says("Return w after some steps with momentum.")
def test_an_old_program_runs() -> None:
    lines = SOURCE.split("```text\n")[1].split("```")[0]
    assert len(lines.strip().split("\n")) == 3
    np.savez("data.npz", x=X, y=Y)
    program = f"""
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
import numpy as np
x, y = np.load("data.npz").values()
{lines}
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for _ in range(10):
        session.run(train)
    print(session.run(w))
"""
    command = [sys.executable, "-c", program]
    output = subprocess.run(command, capture_output=True, text=True).stdout
    found = float(mended(X, Y).numpy())
    assert found == pytest.approx(float(output), rel=1e-5)
    assert printed(NAME, "try_mended") == f"w {found:.4f}"


@says("Here is how far the old names reach without that second line.")
def test_how_far_the_old_names_reach(said: dict[str, Table]) -> None:
    words = {row[1]: row[0] for row in said["compat"]}
    assert [*words.values()] == ["works", "refused", "gone", "works"]
    assert all(line.startswith("tf.compat.v1.") for line in words)
    assert not any("disable_v2_behavior" in b.code for b in PAGE.blocks)


@says(
    "For models of Keras 2 there is a package of its own: `pip install "
    "tf_keras`, and `TF_USE_LEGACY_KERAS=1` in the environment. `tf.keras` is "
    "Keras 2 then."
)
@says(
    "That is said here and not run, for this page runs in one process with "
    "Keras 3."
)
def test_the_package_for_keras_2(monkeypatch: pytest.MonkeyPatch) -> None:
    assert keras.__version__.startswith("3.")
    assert tf.keras.__version__ == keras.__version__
    assert not any("tf_keras." in block.code for block in PAGE.blocks)
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", "1")
    monkeypatch.setitem(sys.modules, "tf_keras", None)
    with pytest.raises(ImportError, match="cannot be imported"):
        KerasLazyLoader({}).Model  # noqa: B018
    name = "tf_keras"
    for part in ("", ".api", "._v2", ".keras"):
        name += part
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    sys.modules[name].Model = "that of Keras 2"  # type: ignore[attr-defined]
    assert KerasLazyLoader({}).Model == "that of Keras 2"


@says(
    "Write a function that sets an attribute only if it is there already, so "
    "that `lr` cannot be set by mistake."
)
@says("Set an attribute that is there already; refuse to make one.")
def test_set_known() -> None:
    optimizer = SGD(0.1)
    set_known(optimizer, "learning_rate", 0.5)
    assert float(optimizer.learning_rate) == 0.5
    with pytest.raises(AttributeError, match="SGD has no lr"):
        set_known(optimizer, "lr", 0.5)
    assert not hasattr(optimizer, "lr")
