"""Old lines do what the page says, and new ones what the old ones meant.

The tables of the page are lists of pairs; the tests run every pair.  If a
release brings a name back or changes a message, a test here names the line.
"""

import importlib
import importlib.metadata
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from matplotlib.figure import Figure

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
    mended,
    set_known,
    steps,
    steps_then,
    then,
    today,
)
from tests.story import Names, execute, statements

ROOT = Path(__file__).parents[2]

Pairs = dict[str, str]

KINDS = {
    "VARIABLES": "gone " * 10,
    "SESSIONS": "gone gone gone refused refused gone gone gone gone gone",
    "ARGUMENTS": "refused refused refused refused warned refused refused",
    "OPTIMIZERS": "gone gone refused gone refused gone refused gone gone gone",
    "SCALING": "warned gone gone gone",
    "LOSSES": "gone gone gone gone gone warned warned refused refused",
    "MODELS": "gone gone gone gone refused",
    "LAYERS": "gone works refused refused refused warned gone gone gone gone",
    "SAVING": "refused refused refused refused refused refused gone",
    "KERAS_IMPORTS": "gone gone gone gone gone",
    "TF_IMPORTS": "works works gone gone gone refused",
    "COMPAT": "works refused gone works",
}
"""What becomes of the old lines of each table, in their order."""

MESSAGES = {
    "tf.Session()": "module 'tensorflow' has no attribute 'Session'",
    "tf.assign_sub(w, 1.0)": "module 'tensorflow' has no attribute 'assign_s",
    "optimizer.lr": "AttributeError: 'SGD' object has no attribute 'lr'",
    "tf.keras.optimizers.SGD(lr=0.1)": "Argument(s) not recognized: {'lr'",
    "tf.keras.optimizers.SGD(0.1, decay=0.1)": "`decay` is no longer suppo",
    "scaled.get_scaled_loss(5.0)": "has no attribute 'get_scaled_loss'",
    "metric.reset_states()": "'Mean' object has no attribute 'reset_states'",
    'model.save("line")': "ValueError: Invalid filepath extension for saving",
    'model.save_weights("line")': "filename must end in `.weights.h5`",
    'layer.add_weight("w", (1,))': "`name` must be passed as a keyword arg",
    "from keras.utils import np_utils": "cannot import name 'np_utils' from",
    "optimizer._decayed_lr(tf.float32)": "has no attribute '_decayed_lr'",
    "tf.losses.Huber(reduction=tf.losses.Reduction.AUTO)": (
        "ValueError: Invalid value for argument `reduction`"
    ),
    "from keras import backend as K; K.mean(x)": (
        "module 'keras.backend' has no attribute 'mean'"
    ),
    "from tensorflow.contrib import slim": "named 'tensorflow.contrib'",
}
"""What readers paste, and in which row they are to find it."""


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What tried returns for each table."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("tables"))
        return {name: tried(table(name)) for name in KINDS}


@pytest.fixture(scope="module")
def page() -> str:
    return (ROOT / "docs/old_names.md").read_text()


def table(name: str) -> Pairs:
    pairs: Pairs = getattr(old_names_tables, name)
    return pairs


def run(module: str, *shown: str, **given: object) -> Names:
    """Run sections as the page does; return the names they leave."""
    module = f"old_names_{module}"
    names = dict(vars(importlib.import_module(f"snippets.{module}"))) | given
    for name in shown:
        execute(module, statements(module, name), names)
    return names


# How the lines are tried


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("w", SILENCE),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise ValueError('One. Two.')", "ValueError: One"),
        ("raise ValueError('One.')", "ValueError: One"),
        ("raise ValueError('One\\nTwo')", "ValueError: One"),
        ("raise ImportError('no x (/a/b.py)')", "ImportError: no x"),
        ("raise ValueError('in `.keras`')", "ValueError: in `.keras`"),
        ("import warnings; warnings.warn('One. Two')", "UserWarning: One"),
        (
            "import warnings; warnings.warn('One', DeprecationWarning)",
            SILENCE,
        ),
    ],
)
def test_message_is_the_first_sentence(code: str, expected: str) -> None:
    assert message(code, fresh()) == expected


@pytest.mark.parametrize(
    ("code", "said", "word"),
    [
        ("w", SILENCE, "works"),
        ("w", "UserWarning: no", "warned"),
        ("import a", "ImportError: no a", "gone"),
        ("import a", "ModuleNotFoundError: no a", "gone"),
        ("a.b", "AttributeError: 'A' object has no attribute 'b'", "gone"),
        ("a.b", "AttributeError: 'C' object has no attribute 'd'", "refused"),
        ("a.b", "AttributeError: `b` is not available", "gone"),
        ("a.b()", "ImportError: `a.b` is not supported", "refused"),
        ("a.b", "ValueError: a.b", "refused"),
    ],
)
def test_kind_is_one_word(code: str, said: str, word: str) -> None:
    assert kind(code, said) == word


def test_tried_prints_counts_and_returns_the_lines(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pairs = {"tf.sub": "tf.subtract", "w": "", "tf.mul": "tf.multiply"}
    now, old, msg, new = tried(pairs)
    assert capsys.readouterr().out == "2 gone, 1 works\n"
    assert now == ["gone", "works", "gone"]
    assert dict(zip(old, new, strict=True)) == pairs
    assert msg[1] == SILENCE
    assert msg[2].endswith("has no attribute 'mul'")


@pytest.mark.parametrize("new", ["tf.sub", "import warnings as a; a.warn('')"])
def test_tried_refuses_a_new_line_that_says_anything(new: str) -> None:
    with pytest.raises(AssertionError, match=re.escape(new)):
        tried({"w": new})


def test_the_small_model_starts_always_the_same() -> None:
    for _ in range(2):
        prediction = fresh_model()(tf.constant([[2.0]]))
        assert prediction.numpy().item() == 2.0


def test_the_loss_on_the_tape_is_the_square_of_w() -> None:
    names: dict[str, Any] = fresh()
    assert names["loss"].numpy() == 25.0
    assert names["tape"].gradient(names["loss"], names["w"]).numpy() == 10.0


# The tables


@pytest.mark.parametrize("name", KINDS)
def test_what_becomes_of_the_old_lines(name: str, said: Any) -> None:
    now, old, _, new = said[name]
    found = dict(zip(old, now, strict=True))
    assert found == dict(zip(table(name), KINDS[name].split(), strict=True))
    assert new == [*table(name).values()]


@pytest.mark.parametrize("line", MESSAGES)
def test_what_readers_paste_stands_in_its_row(line: str, said: Any) -> None:
    [found] = [
        msg[old.index(line)] for _, old, msg, _ in said.values() if line in old
    ]
    assert MESSAGES[line] in found


def test_no_message_names_this_machine_or_an_address(said: Any) -> None:
    for _, _, messages, _ in said.values():
        for text in messages:
            assert "/" not in text.replace("`input_shape`/`input_dim`", "")
            assert " at 0x" not in text
            assert "\n" not in text


def test_the_page_shows_every_row_of_every_table(page: str) -> None:
    for name, pairs in ((name, table(name)) for name in KINDS):
        _, begun = page.split(f"tables.py:try_{name.lower()}")
        rows = re.findall(r"(?m)^\| \{\{ now.*$", begun.split("\n```\n")[1])
        assert len(rows) == len(pairs) <= 10
        for n, (row, new) in enumerate(zip(rows, pairs.values(), strict=True)):
            start = (
                f"| {{{{ now[{n}] }}}} | **`{{{{ old[{n}] }}}}`**<br>"
                f"`{{{{ msg[{n}] }}}}`<br>"
            )
            assert row.startswith(start)
            written = row.removeprefix(start).removesuffix(" |")
            if new:
                assert written == f"Write `{{{{ new[{n}] }}}}`"
            else:
                assert re.fullmatch(r"[A-Z][\w `.]+", written)


def test_there_are_some_eighty_lines(page: str) -> None:
    assert "some eighty other lines" in page
    others = sum(len(table(name)) for name in KINDS) - 3
    assert 75 <= others <= 85


def test_the_table_of_symptoms_leads_to_messages(page: str, said: Any) -> None:
    everything = {
        number: "\n".join(said[name][2])
        for number, name in enumerate([*KINDS][:10], start=1)
    }
    rows = re.findall(r"(?m)^\| `.*\(#.*$", page)
    assert len(rows) == 12
    for row in rows:
        cell, links = row.strip("| ").split(" | ")
        for number in re.findall(r"\[(\d+)\]", links):
            for piece in re.findall(r"`([^`]+)`", cell):
                assert piece in everything[int(number)], (piece, number)


# 1. Variables and mathematics


def test_new_lines_have_the_values_of_the_old_ones(
    capsys: pytest.CaptureFixture[str], said: Any
) -> None:
    _, old, _, new = said["VARIABLES"]
    run("values", "same_variables", old=old, new=new)
    _, *lines = capsys.readouterr().out.splitlines()
    values = [[float(text) for text in line.split()[-2:]] for line in lines]
    expected = [4.0, 6.0, 4.0, np.log(5.0), 3.0, 10.0]
    np.testing.assert_allclose(values, np.c_[expected, expected], atol=6e-4)


def test_compat_has_no_sub_and_no_mul() -> None:
    assert not hasattr(v1, "sub")
    assert not hasattr(v1, "mul")
    assert hasattr(v1, "assign_sub")


def test_get_variable_drew_its_start_at_random() -> None:
    with tf.Graph().as_default(), v1.Session() as session:
        variables = [v1.get_variable(name, []) for name in ("a", "b")]
        session.run(v1.global_variables_initializer())
        one, other = session.run(variables)
    assert one != other
    with pytest.raises(ValueError, match="initial_value"):
        tf.Variable(name="w")


# 2. Sessions and graphs


def descend(x: Any, y: Any, count: int = 10) -> tuple[float, float]:
    """Return w and b after gradient descent, computed with NumPy."""
    x, y, w, b = np.asarray(x, float), np.asarray(y, float), 5.0, 0.0
    for _ in range(count):
        error = w * x + b - y
        w, b = w - 0.2 * np.mean(error * x), b - 0.2 * np.mean(error)
    return w, b


def test_the_old_program_and_the_new_one_are_gradient_descent() -> None:
    x, y = make_data()
    expected = pytest.approx(descend(x, y), abs=1e-4)
    assert tuple(then(x.numpy(), y.numpy())) == expected
    assert tuple(today(x, y)) == expected


# 4. and 5. Optimizers


def test_optimizers_take_the_steps_they_took(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("values", "same_steps")
    lines = capsys.readouterr().out.splitlines()
    for line in lines:
        before, after = re.findall(r"-?\d\.\d{4}", line)
        assert float(before) == pytest.approx(float(after), abs=2e-4)
    assert [line.split()[0] for line in lines] == [
        *("descent", "momentum", "Adam")
    ]


def test_steps_are_those_of_gradient_descent_and_momentum() -> None:
    optimizers = tf.keras.optimizers
    np.testing.assert_allclose(
        steps(optimizers.SGD(0.1)), 0.9 ** np.arange(1, 11), rtol=1e-5
    )
    w, momentum, expected = 1.0, 0.0, []
    for _ in range(4):
        momentum = 0.9 * momentum - 0.1 * w
        w += momentum
        expected.append(w)
    for found in (
        steps(optimizers.SGD(0.1, momentum=0.9), 4),
        steps_then(v1.train.MomentumOptimizer(0.1, 0.9), 4),
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("compiled", [False, True])
def test_an_optimizer_of_our_own_moves_as_momentum_does(
    compiled: bool,
) -> None:
    ends = []
    for optimizer in (
        Momentum(0.05),
        tf.keras.optimizers.SGD(0.05, momentum=0.9),
    ):
        w, b = tf.Variable([5.0, 1.0]), tf.Variable(0.3)
        optimizer.build([w, b])

        def step(w: Any = w, b: Any = b, optimizer: Any = optimizer) -> None:
            with tf.GradientTape() as tape:
                current_loss = tf.reduce_sum(w**2) + b * w[0] + b**2
            optimizer.apply(tape.gradient(current_loss, [w, b]), [w, b])

        move = tf.function(step) if compiled else step
        for _ in range(50):
            move()
        ends.append([*w.numpy(), float(b)])
    np.testing.assert_allclose(ends[0], ends[1], atol=1e-6)
    assert abs(ends[0][0]) < 1
    w, speed = 1.0, 0.0
    for _ in range(10):
        speed = 0.9 * speed - 0.1 * w
        w += speed
    assert steps(Momentum(0.1))[-1] == pytest.approx(w, abs=1e-6)


def test_the_state_of_an_optimizer_is_a_copy() -> None:
    names = fresh()
    kept = eval(table("OPTIMIZERS")["optimizer.get_weights()"], names)
    before = [float(value) for value in kept]
    exec("optimizer.apply(gradients, [w])", names)
    assert [float(value) for value in kept] == before


def test_an_optimizer_of_our_own_is_built_once() -> None:
    optimizer = Momentum(0.1)
    for _ in range(2):
        optimizer.build([tf.Variable(1.0)])
    assert len(optimizer.variables) == 3


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_an_optimizer_of_our_own_moves_variables_of_any_type(
    dtype: str,
) -> None:
    found = []
    for optimizer in (
        Momentum(0.1),
        tf.keras.optimizers.SGD(0.1, momentum=0.9),
    ):
        w = tf.Variable([1.0, 2.0], dtype=dtype)
        for _ in range(5):
            optimizer.apply([w.read_value()], [w])
        assert w.dtype == dtype
        found.append(np.asarray(w, "float64"))
    # Of float64, they round the rate in another way.
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5)


def test_an_optimizer_of_our_own_is_shown_to_do_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("values", "own_steps", optimizers=tf.keras.optimizers)
    assert capsys.readouterr().out == "same steps: True\n"


def test_decay_is_ignored_and_a_schedule_is_what_it_meant(
    shown: list[Figure],
) -> None:
    names = run("values", "decay")
    expected = np.cumprod([1 - 0.1 / (1 + 0.1 * n) for n in range(10)])
    np.testing.assert_allclose(names["scheduled"], expected, rtol=1e-5)
    np.testing.assert_allclose(names["meant"], expected, rtol=1e-12)
    ignored, scheduled, meant = shown[0].axes[0].lines
    constant = np.asarray(ignored.get_ydata())
    np.testing.assert_allclose(constant, 0.9 ** np.arange(1, 11), rtol=1e-5)
    np.testing.assert_array_equal(scheduled.get_ydata(), names["scheduled"])
    np.testing.assert_array_equal(meant.get_ydata(), names["meant"])
    assert constant[0] == pytest.approx(expected[0])
    assert np.all(constant[1:] < expected[1:])


def test_a_scaled_loss_takes_the_step_of_a_plain_one() -> None:
    names = run("values", "scaled")
    assert names["w"].numpy() == pytest.approx(0.8)
    assert float(names["scaled_loss"]) > 1000.0


# 6. Losses and metrics


def test_the_mean_is_that_of_the_old_loss_and_mse_is_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert tf.losses.MeanSquaredError is tf.keras.losses.MeanSquaredError
    names = run("values", "same_losses")
    before, after, rows = capsys.readouterr().out.splitlines()
    errors = np.square(names["p"] - names["y"])
    assert before.split()[-1] == after.split()[-1] == f"{errors.mean():.4f}"
    found = re.findall(r"\d+\.", rows)
    assert [float(n) for n in found] == errors[:, 0].tolist()
    assert len(names["p"]) == 3


def test_the_two_losses_of_a_compiled_model_are_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = {name: fresh()[name] for name in ("x", "y", "p")}
    names = run("values", "same_logs", **given)
    assert float(names["before"]) == pytest.approx(float(names["after"]))
    assert "8.0000" in capsys.readouterr().out


# 7. and 8. Models and layers


def test_fit_and_evaluate_take_generators() -> None:
    names = fresh()
    batch: Any = (names["x"], names["y"])

    def batches() -> Any:
        while True:
            yield batch

    model = fresh_model()
    expected = fresh_model().fit(*batch, batch_size=3, verbose=0).history
    log = model.fit(batches(), steps_per_epoch=1, shuffle=False, verbose=0)
    assert log.history["loss"] == pytest.approx(expected["loss"])
    model.evaluate(batches(), steps=1, verbose=0)


@pytest.mark.parametrize("name", ["acc", "accuracy"])
def test_the_history_has_the_names_that_compile_was_given(name: str) -> None:
    model = fresh_model()
    model.compile(loss="mse", metrics=[name], run_eagerly=True)
    names = fresh()
    history = model.fit(names["x"], names["y"], verbose=0).history
    assert set(history) == {"loss", name}


def test_the_classes_are_the_largest_outputs() -> None:
    model = tf.keras.Sequential([tf.keras.layers.Softmax()])
    names = {"model": model, "x": np.array([[0, 2, 1], [5, 0, 0]], "f")}
    new = old_names_tables.MODELS["model.predict_classes(x)"]
    assert eval(new, names).tolist() == [1, 0]


def test_a_recurrent_layer_has_both_names_and_resets_its_state() -> None:
    for name in ("reset_state", "reset_states"):
        layer = tf.keras.layers.LSTM(1, stateful=True)
        layer(tf.ones([1, 2, 1]))
        assert any(float(state[0, 0]) != 0.0 for state in layer.states)
        getattr(layer, name)()
        assert all(float(state[0, 0]) == 0.0 for state in layer.states)


# 9. and 10. Saving and imports


def test_what_was_saved_predicts_the_same() -> None:
    names = run("values", "same_models", model=fresh_model(), x=fresh()["x"])
    assert names["loaded"] is not names["filled"]


def test_an_old_copy_of_keras_is_within_tensorflow() -> None:
    module = importlib.import_module("tensorflow.python.keras.layers")
    assert not issubclass(module.Dense, tf.keras.layers.Layer)


def test_the_engine_of_keras_has_no_such_module_any_more(page: str) -> None:
    said = message("from keras.engine.topology import Layer", {})
    assert said == "ModuleNotFoundError: No module named 'keras.engine'"
    assert said.partition(": ")[2] in page
    assert message("from keras.layers import Layer", {}) == SILENCE


# 11. No message, and something else


def test_lr_is_an_attribute_that_nobody_reads() -> None:
    with warnings.catch_warnings(action="error"):
        names = run("values", "silent_rate")
    assert names["moved"] == pytest.approx([0.1, 0.5], rel=1e-5)


def test_the_second_argument_of_dropout_has_turned_round() -> None:
    with warnings.catch_warnings(action="error"):
        names = run("values", "silent_dropout")
    assert names["kept"] == pytest.approx([0.1, 0.9], abs=0.03)
    outputs = v1.nn.dropout(names["inputs"], 0.9)
    assert np.mean(outputs.numpy() > 0) == pytest.approx(0.9, abs=0.03)


def test_a_loss_from_outside_is_forgotten() -> None:
    with warnings.catch_warnings(action="error"):
        names = run("values", "silent_loss")
    assert names["added"] == pytest.approx([0.0, 100.0], abs=1e-3)


# 12. The way out


def test_how_far_compat_reaches(page: str) -> None:
    assert not hasattr(v1, "contrib")
    assert message("tf.compat.v1.layers.dense(x, 1)", fresh()) == (
        "AttributeError: `dense` is not available with Keras 3"
    )
    assert hasattr(v1, "disable_v2_behavior")


def test_tensorflow_brings_a_program_that_renames() -> None:
    scripts = importlib.metadata.entry_points(group="console_scripts")
    assert "tf_upgrade_v2" in scripts.names


# Exercises


def test_the_translation_is_momentum() -> None:
    x, y = make_data()
    with tf.Graph().as_default(), v1.Session() as session:
        w = v1.get_variable("w", initializer=5.0)
        loss = v1.losses.mean_squared_error(y.numpy(), w * x.numpy())
        step = v1.train.MomentumOptimizer(0.1, 0.9).minimize(loss)
        session.run(v1.global_variables_initializer())
        for _ in range(10):
            session.run(step)
        expected = session.run(w)
    assert mended(x, y).numpy() == pytest.approx(expected, rel=1e-5)


def test_set_known_sets_what_is_there_and_nothing_else() -> None:
    optimizer = tf.keras.optimizers.SGD(0.1)
    set_known(optimizer, "learning_rate", 0.5)
    assert float(optimizer.learning_rate) == 0.5
    with pytest.raises(AttributeError, match="SGD has no lr"):
        set_known(optimizer, "lr", 0.5)
    assert not hasattr(optimizer, "lr")


@pytest.mark.parametrize("part", ["tables", "values"])
def test_the_module_runs_as_a_script(
    part: str, printed_by: Callable[[str], list[str]]
) -> None:
    assert printed_by(f"old_names_{part}")
