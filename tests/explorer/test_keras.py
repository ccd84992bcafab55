"""The explorer computes what Keras' optimizers compute.

The programs that it shows for many settings are run under TensorFlow, and
their numbers are compared with its own.
"""

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.program import script
from tests.conftest import REPOSITORY
from tests.explorer.conftest import Recorded, Runner, recorded_on
from tests.pages.conftest import all_pages
from tests.site.reader import run_alone

SETTINGS = 210
UPDATES = 40
INSIDE, OUTSIDE = 1e-6, 2e-5
OPTIMIZERS = ("sgd", "momentum", "nesterov", "rmsprop", "adam")
NAMES = ("w", "b", "loss")
LINE = re.compile(r"epoch +\d+: w (\S+), b (\S+), loss (\S+)")


def draw(points: int) -> list[dict[str, Any]]:
    """Return settings of all kinds, the same ones in every run."""
    random = np.random.default_rng(5)
    drawn = []
    for number in range(SETTINGS):
        size = int(random.choice([points, points, 150, 100, 67, 32, 16, 7]))
        most_epochs = max(1, UPDATES * size // points)
        drawn.append(
            {
                "optimizer": OPTIMIZERS[number % len(OPTIMIZERS)],
                "learning_rate": float(f"{10 ** random.uniform(-3, 0.4):.3g}"),
                "batch_size": size,
                "epochs": int(random.integers(1, most_epochs + 1)),
                "w": round(float(random.uniform(-10, 10)), 2),
                "b": round(float(random.uniform(-10, 10)), 2),
                "noise": round(float(random.uniform(0, 3)), 1)
                if number % 4 == 0
                else 1,
            }
        )
    return drawn


def column(run: dict[str, Any], name: str) -> np.ndarray:
    return np.array([float(value) for value in run[name]])


def assert_close(
    ours: np.ndarray, theirs: np.ndarray, inside: bool, message: str
) -> None:
    """Compare two histories; what is not a finite number must be the same."""
    finite = np.isfinite(theirs)
    np.testing.assert_array_equal(ours[~finite], theirs[~finite], message)
    size = np.abs(theirs[finite])
    allowed = INSIDE * np.maximum(1, size) if inside else OUTSIDE * size
    error = np.abs(ours[finite] - theirs[finite])
    assert (error <= allowed).all(), f"{message}: {error.max()}"


def run_here(code: str) -> tuple[dict[str, list[float]], list[list[float]]]:
    """Run a program in this process: its history and what it printed."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(code, "program", "exec"), namespace)
    return namespace["history"], printed_numbers(printed.getvalue())


def printed_numbers(text: str) -> list[list[float]]:
    return [[float(v) for v in found] for found in LINE.findall(text)]


def test_settings_of_all_kinds_agree_with_keras(
    explore: Runner, recorded: Recorded
) -> None:
    settings = draw(len(recorded["x"]))
    kinds = set()
    for setting, run in zip(settings, explore(settings), strict=True):
        limit = run.get("limit")
        inside = limit is None or setting["learning_rate"] < limit
        kinds.add((setting["optimizer"], inside))
        history, printed = run_here(run["program"])
        for name in NAMES:
            assert_close(
                column(run, name),
                np.array(history[name]),
                inside,
                f"{name} of {setting}",
            )
        shown = np.array([column(run, name) for name in NAMES]).T
        np.testing.assert_allclose(printed, shown, rtol=3e-5, atol=1e-6)
    # Each optimizer that has a limit was tried on both sides of it.
    assert len(kinds) == 8


@pytest.mark.parametrize(
    "changed",
    [
        {"learning_rate": 0.76},
        {"optimizer": "adam", "batch_size": 32, "epochs": 3, "noise": 0.5},
    ],
)
def test_a_copied_program_runs_alone_and_prints_the_numbers(
    explore: Runner, changed: dict[str, Any], tmp_path: Path
) -> None:
    [run] = explore([changed])
    fonts = REPOSITORY / ".cache/matplotlib"
    printed = printed_numbers(run_alone(run["program"], tmp_path, fonts))
    shown = np.array([column(run, name) for name in NAMES]).T
    np.testing.assert_allclose(printed, shown, rtol=3e-5, atol=1e-6)


def test_the_default_is_the_run_of_the_guide(
    explore: Runner, recorded: Recorded
) -> None:
    [run] = explore([{}])
    for name in NAMES:
        theirs = np.array(recorded["history"][name])
        assert_close(column(run, name), theirs, True, name)


def test_the_default_program_is_the_one_that_the_page_ran(
    explore: Runner,
) -> None:
    [run] = explore([{}])
    blocks = all_pages()["explorer"].program.blocks
    assert blocks[5].section.name == "run"
    assert run["program"] == script(blocks[:6])


def test_the_data_are_the_true_line_and_the_noise(recorded: Recorded) -> None:
    x, y, noise = (np.float32(recorded[name]) for name in ("x", "y", "noise"))
    line = np.float32(recorded["true_w"]) * x + np.float32(recorded["true_b"])
    np.testing.assert_array_equal(line + noise, y)


def test_both_pages_have_the_same_data_and_the_same_run(
    recorded: Recorded,
) -> None:
    guide = recorded_on("basic_training_loops")
    for name in ("x", "y", "order", "true_w", "true_b", "learning_rate"):
        assert guide[name] == recorded[name]
    for name in NAMES:
        theirs = np.array(guide["history"][name])
        ours = np.array(recorded["history"][name])
        assert_close(ours, theirs, True, name)
