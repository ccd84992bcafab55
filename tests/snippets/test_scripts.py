"""Every module as a script, and every module imported."""

import os
import pkgutil
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pytest
import tensorflow as tf
from matplotlib.figure import Figure

import snippets
from tests.devices import mirrored

ROOT = Path(snippets.__path__[0]).parent
MODULES = sorted(
    f"snippets.{module.name}"
    for module in pkgutil.iter_modules(snippets.__path__)
)
NOT_ALONE = {
    # They need arguments, a cluster or what another program wrote; see
    # test_launch.py, test_clusters.py, test_save_and_resume.py and
    # test_saved_models.py.
    "snippets.fit_servers",
    "snippets.killed_training",
    "snippets.launch",
    "snippets.many_devices_results",
    "snippets.parameter_server",
    "snippets.reader",
    "snippets.train",
    "snippets.worker",
}
BESIDE_THEIR_TESTS = re.compile(
    r"snippets\.(data_for_a_loop_(folder|large|noise|records)"
    r"|fit_inwards|freeze_and_fine_tune|how_fast(_to_build)?"
    r"|how_it_is_proven|memory_(?!setup).*|nan_(?!setup).*|old_names_.*"
    r"|on_a_gpu.*|real_problem|same_run_twice.*|save_and_resume|saved_models"
    r"|sequences(_clip|_state)?|traps_(?!setup).*|two_models_traps"
    r"|usual_parts|watch(?!_setup).*|weights_outputs_losses)"
)
"""Modules that tests of their own run as scripts, which hold the same.

A module that nothing runs as a script is not covered.
"""

NUMBER = re.compile(r"-?\d+\.\d+")

Variables = dict[str, Any]


class Ran(NamedTuple):
    """What a module did as a script, in an empty folder of its own."""

    variables: Variables
    text: str
    figures: list[Figure]
    folder: Path


Run = Callable[[str], tuple[Variables, str]]


@pytest.fixture(scope="module")
def ran() -> dict[str, Ran]:
    """What has run; each module runs once for all tests."""
    return {}


@pytest.fixture
def run(
    ran: dict[str, Ran],
    shown: list[Figure],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Run a module as a script in an empty folder.

    For its devices a process is to have one strategy; see tests/devices.py.
    """
    monkeypatch.setattr(
        tf.distribute, "MirroredStrategy", lambda devices: mirrored()
    )

    def run_script(name: str) -> tuple[Variables, str]:
        if name not in ran:
            folder = tmp_path / name
            folder.mkdir()
            monkeypatch.chdir(folder)
            # runpy warns of modules that are imported already.
            monkeypatch.delitem(sys.modules, name, raising=False)
            before = len(shown)
            environment = dict(os.environ)
            variables = runpy.run_module(name, run_name="__main__")
            os.environ.clear()
            os.environ.update(environment)
            printed = capsys.readouterr()
            assert printed.err == ""
            assert plt.get_fignums() == [], "a figure was not shown"
            figures = shown[before:]
            ran[name] = Ran(variables, printed.out, figures, folder)
            return variables, printed.out
        shown.extend(ran[name].figures)
        return ran[name].variables, ran[name].text

    return run_script


def numbers(line: str) -> list[float]:
    return [float(number) for number in NUMBER.findall(line)]


def line_of(text: str, start: str) -> str:
    [line] = [line for line in text.splitlines() if line.startswith(start)]
    return line


@pytest.mark.filterwarnings("ignore:The model does not have any trainable")
@pytest.mark.parametrize(
    "name",
    [
        name
        for name in MODULES
        if name not in NOT_ALONE and not BESIDE_THEIR_TESTS.fullmatch(name)
    ],
)
def test_a_module_runs_as_a_script_and_leaves_nothing_open(
    name: str, run: Run
) -> None:
    run(name)


def test_data_says_what_x_and_y_are_and_plots_them(
    run: Run, shown: list[Figure]
) -> None:
    variables, text = run("snippets.data")
    assert text == "x: (201,) float32\ny: (201,) float32\n"
    [figure] = shown
    [line] = figure.axes[0].lines
    np.testing.assert_array_equal(line.get_xdata(), variables["x"])
    np.testing.assert_array_equal(line.get_ydata(), variables["y"])


def test_first_loop_trains_as_the_loop_of_the_guide(
    run: Run, shown: list[Figure]
) -> None:
    variables, text = run("snippets.first_loop")
    assert text == ""
    guide, _ = run("snippets.training_loop")
    for name in ("w", "b"):
        assert float(variables[name]) == pytest.approx(
            guide["history"][name][-1], abs=1e-5
        )
    points, *lines = shown[0].axes[0].lines
    assert len(lines) == 10
    np.testing.assert_array_equal(points.get_ydata(), variables["y"])
    np.testing.assert_allclose(
        np.asarray(lines[-1].get_ydata()),
        variables["w"] * variables["x"] + variables["b"],
        atol=1e-6,
    )


def test_linear_model_prints_b_before_w_and_three_random_starts(
    run: Run,
) -> None:
    _, text = run("snippets.linear_model")
    first, second, starts = text.splitlines()
    assert "'b:0'" in first
    assert "'w:0'" in second
    assert starts.startswith("three random starts: ")
    assert len(set(numbers(starts))) == 3


def test_loss_prints_what_broadcasting_and_its_own_check_do(
    run: Run, shown: list[Figure]
) -> None:
    variables, text = run("snippets.loss")
    assert "difference: (201, 201)\n" in text
    [wrong] = numbers(line_of(text, "mean squared error of y"))
    assert wrong == pytest.approx(2 * np.var(variables["y"]), abs=0.01)
    assert "\ny is (201,), predictions (201, 1)\n" in text
    [before] = numbers(line_of(text, "loss before training"))
    errors = 5.0 * variables["x"] - variables["y"]
    assert before == pytest.approx(np.mean(np.square(errors)), abs=1e-4)
    assert len(shown) == 1


def test_training_loop_prints_the_gradient_and_eleven_epochs(
    run: Run, x: tf.Tensor, y: tf.Tensor
) -> None:
    _, text = run("snippets.training_loop")
    lines = text.splitlines()
    errors = 5.0 * x - y
    assert numbers(lines[0]) == pytest.approx(
        [np.mean(errors**2), 2 * np.mean(errors * x), 2 * np.mean(errors)],
        abs=1e-4,
    )
    epochs = [line for line in lines if line.startswith("epoch ")]
    assert len(epochs) == 11
    assert epochs[0].startswith("epoch  0: w 5.00, b 0.00, loss 10.34")
    assert epochs[-1].startswith("epoch 10: ")


def test_training_loop_shows_that_rebinding_loses_the_variable(
    run: Run,
) -> None:
    _, text = run("snippets.training_loop")
    first, second, error = text.splitlines()[1:4]
    assert "tf.Tensor(10.0" in first
    assert second == "gradient: None"
    assert error.startswith("unsupported operand type(s) for *")


def test_training_loop_plots_the_weights_and_then_the_fit(
    run: Run, shown: list[Figure]
) -> None:
    variables, _ = run("snippets.training_loop")
    weights, fit = (
        {str(line.get_label()): line for line in figure.axes[0].lines}
        for figure in shown
    )
    for name, truth in (("w", 3.0), ("b", 2.0)):
        history = variables["history"][name]
        np.testing.assert_array_equal(weights[name].get_ydata(), history)
        np.testing.assert_array_equal(weights[name].get_xdata(), range(11))
        true_line = weights[f"true {name}"]
        np.testing.assert_array_equal(true_line.get_ydata(), truth)
        assert true_line.get_color() == weights[name].get_color()
    predictions = variables["model"](variables["x"])
    np.testing.assert_array_equal(fit["predictions"].get_ydata(), predictions)


def test_training_loop_prints_the_best_fit_and_what_it_restored(
    run: Run, ran: dict[str, Ran], best: tuple[float, float]
) -> None:
    variables, text = run("snippets.training_loop")
    best_w, best_b, best_loss = numbers(line_of(text, "best:"))
    assert (best_w, best_b) == pytest.approx(best, abs=0.0051)
    [after] = numbers(line_of(text, "loss after training"))
    assert after == pytest.approx(variables["history"]["loss"][-1], abs=1e-4)
    assert best_loss < after
    model, restored = variables["model"], variables["restored"]
    assert restored is not model
    assert float(restored.w) == float(model.w) != 5.0
    assert float(restored.b) == float(model.b) != 0.0
    folder = ran["snippets.training_loop"].folder
    assert (folder / "linear.index").exists()


def test_keras_model_says_that_the_histories_are_the_same(run: Run) -> None:
    _, text = run("snippets.keras_model")
    assert "\nsame history: True\n" in text


def test_keras_model_predicts_after_loading_what_it_did_when_saved(
    run: Run, ran: dict[str, Ran]
) -> None:
    _, text = run("snippets.keras_model")
    [before] = numbers(line_of(text, "before loading:"))
    [after] = numbers(line_of(text, "after loading:"))
    [saved] = numbers(line_of(text, "the saved model:"))
    assert before == 10.0
    assert after == saved == pytest.approx(2 * 3.0503 + 1.7270, abs=1e-3)
    left = ran["snippets.keras_model"].folder.iterdir()
    assert [path.name for path in left] == ["linear.weights.h5"]


def test_keras_fit_sets_fit_beside_the_loop(
    run: Run, ran: dict[str, Ran], shown: list[Figure]
) -> None:
    ran.pop("snippets.keras_fit", None)  # It is to warn here.
    with pytest.warns(UserWarning, match="any trainable weights"):
        variables, text = run("snippets.keras_fit")
    history, fit = variables["history"], variables["fit"].history
    np.testing.assert_allclose(fit["loss"], history["loss"][:-1], rtol=1e-5)
    loop_weights = numbers(line_of(text, "loop:"))
    assert loop_weights == pytest.approx([3.0503, 1.7270], abs=1e-3)
    fit_weights = numbers(line_of(text, "fit:"))
    assert fit_weights == pytest.approx(loop_weights, abs=1.1e-4)
    fit_lines = re.findall(r"^epoch ([ \d]\d): loss", text, re.MULTILINE)
    assert [int(epoch) for epoch in fit_lines] == list(range(1, 11))
    loop_line, fit_line = shown[0].axes[0].lines
    assert (loop_line.get_label(), fit_line.get_label()) == ("loop", "fit")
    np.testing.assert_array_equal(loop_line.get_xdata(), range(11))
    np.testing.assert_array_equal(loop_line.get_ydata(), history["loss"])
    np.testing.assert_array_equal(fit_line.get_xdata(), range(1, 11))
    np.testing.assert_array_equal(fit_line.get_ydata(), fit["loss"])


def test_keras_fit_prints_a_loss_that_stands_still(run: Run) -> None:
    variables, text = run("snippets.keras_fit")
    empty, *losses = text.splitlines()[-4:]
    assert empty == "weights: [] w: 5.0"
    untrained = variables["history"]["loss"][0]
    assert [numbers(line) for line in losses] == [
        [pytest.approx(untrained, abs=1e-4)]
    ] * 3


def test_loop_exercises_show_a_better_rate_and_one_too_large(
    run: Run,
) -> None:
    _, text = run("snippets.loop_exercises")
    lines = re.findall(r"^learning rate (\S+): (\S+)$", text, re.MULTILINE)
    losses = {float(rate): float(loss) for rate, loss in lines}
    assert set(losses) == {0.1, 0.4, 0.8}
    assert losses[0.4] < losses[0.1] < losses[0.8]
    # 0.4 reaches the least loss, 0.8 leaves the model worse than untrained.
    assert losses[0.4] == pytest.approx(1.0080, abs=1e-3)
    assert losses[0.8] > 10.3447


def test_loop_exercises_find_the_same_weights_with_an_optimizer(
    run: Run,
) -> None:
    variables, text = run("snippets.loop_exercises")
    weights = numbers(line_of(text, "optimizer:"))
    by_hand = numbers(line_of(text, "by hand:"))
    assert weights == pytest.approx(by_hand, abs=1.1e-4)
    assert by_hand == pytest.approx(
        [variables["history"][name][-1] for name in ("w", "b")], abs=1e-4
    )


def test_foundations_print_what_closed_forms_say(run: Run) -> None:
    _, text = run("snippets.foundations")
    assert text.startswith("x: (3,) float32\n2x + 1: [3. 5. 7.]\n")
    assert "\n(3, 1) and (4,) make (3, 4)\n" in text
    for name, digits in (("float32", 7), ("float64", 16)):
        third = line_of(text, f"{name}: 0.3").split("0.")[1]
        assert third.startswith("3" * digits)
        assert not third.startswith("3" * (digits + 2))
    # The slope of (w - 1)^2 at 3, then the gradients of the mean of the
    # squares of 5x - (3x + 2) for x = 1, 2, 3.
    assert "\nresult: 4.0 gradient: 4.0\nwatched: ['w:0']\n" in text
    errors, x = np.array([0.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0])
    first, second = re.findall(r"(?m)^tf.Tensor\((\S+), shape=\(\)", text)
    assert [float(first), float(second)] == pytest.approx(
        [2 * np.mean(errors * x), 2 * np.mean(errors)], abs=1e-5
    )
    losses = re.findall(r"^step \d: loss (\S+)$", text, re.MULTILINE)
    assert len(losses) == 6
    assert sorted(map(float, losses), reverse=True) == [*map(float, losses)]


def test_foundations_show_their_errors(run: Run) -> None:
    _, text = run("snippets.foundations")
    for error in (
        "object does not support item assignment",
        "Incompatible shapes: [4] vs. [3]",
        "expected to be a double tensor but is a float tensor",
        "The variable shape (), and the assigned value shape (2,)",
        "can only be used to compute one set of gradients",
        "unsupported operand type(s) for *: 'float' and 'NoneType'",
        "Gradients do not exist for variables ['b:0']",
        "No gradients provided for any variable.",
    ):
        assert text.count(error) == 1, error


def test_foundations_lose_the_gradient_in_six_ways_and_mend_each(
    run: Run,
) -> None:
    _, text = run("snippets.foundations")
    lines = [li for li in text.splitlines() if "gradients: " in li]
    found = [line.split("gradients: ")[1] for line in lines]
    # 5 w^2, then w^2 four times, all at w = 3; the loops take two steps.
    values = [numbers(f) or f for f in found]
    # Last, of a number drawn by NumPy and of one made of noise.
    [closed] = re.findall(r"2z: (\S+), 2z \* noise: (\S+)", text)
    assert values == [
        *("None", [30.0], "None", [6.0], "None", [6.0], "None", [6.0]),
        *([6.0], "None", [6.0], [pytest.approx(4.8, rel=1e-6)]),
        *([24.0], [24.0, 12.0]),
        *("None None", pytest.approx([*map(float, closed)], abs=2e-4)),
    ]


def test_foundations_draw_four_figures(run: Run, shown: list[Figure]) -> None:
    run("snippets.foundations")
    cells, names, tangents, tree = (figure.axes for figure in shown)
    column, row, total = (
        np.array([float(t.get_text()) for t in axes.texts]).reshape(3, 4)
        for axes in cells
    )
    np.testing.assert_array_equal(column.T, [[10, 20, 30]] * 4)
    np.testing.assert_array_equal(row, [[1, 2, 3, 4]] * 3)
    np.testing.assert_array_equal(total, column + row)
    things = [[t.get_text() for t in axes.texts[2:]] for axes in names]
    assert things == [["Variable 4.0"], ["Tensor 4.0", "Variable 5.0"]]
    _, *lines = tangents[0].lines
    for line, touched in zip(lines, (0.0, 2.5), strict=True):
        away = np.asarray(line.get_xdata()) - touched
        expected = (touched - 1) ** 2 + 2 * (touched - 1) * away
        np.testing.assert_allclose(
            np.asarray(line.get_ydata()), expected, atol=1e-5
        )
    assert len(tree) == 1


IMPORT_EACH_ALONE = """
import importlib
import sys

import matplotlib.pyplot as plt
import tensorflow

for name in sys.argv[1:]:
    for module in list(sys.modules):
        if module.split(".")[0] == "snippets":
            del sys.modules[module]
    importlib.import_module(name)
    print(name, plt.get_fignums(), flush=True)
"""


def test_importing_a_module_prints_plots_and_writes_nothing(
    tmp_path: Path,
) -> None:
    # One fresh process serves all modules, each imported as if it were the
    # first, because importing TensorFlow takes far longer than the rest.
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_EACH_ALONE, *MODULES],
        env={**os.environ, **quiet, "PYTHONPATH": str(ROOT)}
        | {"MPLBACKEND": "Agg"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [f"{name} []" for name in MODULES]
    assert list(tmp_path.iterdir()) == []
