"""What the page on GPUs asks and counts, also as a machine with one has it."""

import ast
import io
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from importlib import metadata
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from snippets import on_a_gpu, on_a_gpu_placed
from snippets.on_a_gpu import (
    count_work,
    devices,
    first_cause,
    grow,
    kind,
    libraries,
    look,
    make_step,
)
from tests.story import ROOT, Names, execute, statements

GOOD: dict[str, Any] = {
    "system": "Linux",
    "packages": ["tensorflow"],
    "built with CUDA": True,
    "CUDA libraries": 12,
    "CUDA_VISIBLE_DEVICES": None,
    "GPUs": 0,
}
MEANT = {
    "too_late": RuntimeError,
    "hard": tf.errors.InvalidArgumentError,
    "in_function": tf.errors.InvalidArgumentError,
    "lstm": ValueError,
}
STORY = (
    *("found", "others", "extra", "log", "texts", "growing"),
    *("too_late", "where", "soft", "hard", "in_function", "session"),
    *("soft_again", "work", "lstm", "mirrored", "exercise_devices"),
    "exercise_rows",
)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Names:
    """The names that the page's program leaves, and what it printed."""
    names: Names = dict(vars(on_a_gpu))
    folder = tmp_path_factory.mktemp("story")
    log = (ROOT / "snippets/results/gpu_log.json").read_text("utf-8")
    (folder / "gpu_log.json").write_text(log, "utf-8")
    printed: dict[str, str] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for section in STORY:
            said = io.StringIO()
            with redirect_stdout(said):
                run(section, names)
            printed[section] = said.getvalue()
    tf.config.set_soft_device_placement(True)
    return names | {"printed": printed}


def run(section: str, names: Names) -> None:
    """Run a section, which fails if it is meant to."""
    parts: list[ast.stmt] = statements("on_a_gpu", section)
    if section not in MEANT:
        return execute("on_a_gpu", parts, names)
    with pytest.raises(MEANT[section]):
        execute("on_a_gpu", parts, names)
    return None


def test_the_story_goes_to_its_end(story: Names) -> None:
    printed = story["printed"]
    assert printed["soft"] == "CPU\n"
    assert printed["exercise_devices"] == "{'CPU': 2}\n"
    assert story["rows"] == 32 * story["large"] // story["small"]
    assert printed["session"].startswith("InvalidArgumentError: Cannot assig")
    assert printed["others"].splitlines()[-1] == first_cause({"GPUs": 1})
    assert printed["growing"].startswith(f"{grow()} GPUs")


def test_what_is_looked_at_is_what_is_judged() -> None:
    assert look().keys() == GOOD.keys()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"GPUs": 2, "system": "Windows"}, "none"),
        ({"system": "Windows", "built with CUDA": False}, "Windows"),
        ({"packages": ["tensorflow", "tensorflow_cpu"]}, "two packages"),
        ({"built with CUDA": False}, "a package for processors"),
        ({"CUDA_VISIBLE_DEVICES": ""}, "CUDA_VISIBLE_DEVICES"),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, "CUDA_VISIBLE_DEVICES"),
        ({"CUDA_VISIBLE_DEVICES": "NoDevFiles"}, "CUDA_VISIBLE_DEVICES"),
        ({"CUDA_VISIBLE_DEVICES": "GPU-8932f937"}, "the driver"),
        ({"CUDA_VISIBLE_DEVICES": "0", "CUDA libraries": 0}, "no libraries"),
        ({"CUDA_VISIBLE_DEVICES": "0"}, "the driver"),
    ],
)
def test_the_first_cause(change: dict[str, Any], said: str) -> None:
    assert first_cause(GOOD | change).startswith(said)


def test_libraries_of_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = [
        "numpy>=1",
        'one-cu12<13.0,>=12.5; extra == "and-cuda"',
        'two ; extra == "and-cuda"',
        'three; extra == "other"',
    ]
    monkeypatch.setattr(metadata, "requires", lambda _: needed)
    there = {"two": ["found"]}
    monkeypatch.setattr(
        metadata, "distributions", lambda name: there.get(name, [])
    )
    assert libraries("any") == {"one-cu12": False, "two": True}
    monkeypatch.setattr(metadata, "requires", lambda _: None)
    assert libraries("any") == {}


def test_memory_of_every_gpu_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, bool]] = []
    config = SimpleNamespace(
        list_physical_devices=lambda kind: [f"{kind}:0", f"{kind}:1"],
        experimental=SimpleNamespace(
            set_memory_growth=lambda gpu, on: told.append((gpu, on))
        ),
    )
    monkeypatch.setattr(tf, "config", config)
    assert grow() == 2
    assert told == [("GPU:0", True), ("GPU:1", True)]


def test_kinds_of_devices() -> None:
    assert kind(tf.ones([])) == "CPU"
    assert kind(SimpleNamespace(device="/device:GPU:3")) == "GPU"
    model = keras.Sequential([keras.Input([2]), keras.layers.Dense(3)])
    assert devices(model) == {"CPU": 2}


@pytest.mark.usefixtures("each_way")
def test_a_step_goes_down() -> None:
    keras.utils.set_random_seed(0)
    step = make_step(8)
    x, y = tf.ones([4, 20]), tf.ones([4, 1])
    count, work = count_work(step, x, y)
    model = next(
        cell.cell_contents
        for cell in step.python_function.__closure__
        if isinstance(cell.cell_contents, keras.Model)
    )
    before = float(tf.reduce_mean(tf.square(model(x) - y)))
    step(x, y)
    assert float(tf.reduce_mean(tf.square(model(x) - y))) < before
    assert count > 50
    assert work == 4 * (2 * 20 * 8 + 3 * 8 * 8 + 3 * 8)


@pytest.mark.usefixtures("each_way")
def test_a_row_of_outputs_is_refused() -> None:
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        make_step(8)(tf.ones([4, 20]), tf.ones([4]))


def test_a_product_that_is_turned() -> None:
    turned = tf.function(lambda x, y: tf.matmul(x, y, transpose_a=True))
    assert count_work(turned, tf.ones([5, 2]), tf.ones([5, 3]))[1] == 30
    plain = tf.function(lambda x, y: tf.matmul(x, y))
    assert count_work(plain, tf.ones([2, 5]), tf.ones([5, 3]))[1] == 30


@pytest.mark.usefixtures("each_way")
def test_what_is_placed(printed_by: Callable[[str], list[str]]) -> None:
    np.testing.assert_allclose(
        on_a_gpu_placed.compute(tf.ones([2, 3]), tf.ones([3, 1])), 6.0
    )
    printed_by("on_a_gpu_placed")
    assert tf.debugging.get_log_device_placement()


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Have no other test tell where each operation runs."""
    yield
    tf.debugging.set_log_device_placement(False)


@pytest.mark.usefixtures("eagerly")
def test_the_device_of_a_function_run_as_python() -> None:
    tf.config.set_soft_device_placement(True)
    names = dict(vars(on_a_gpu)) | {"x": tf.ones([2, 3]), "w": tf.ones([3, 1])}
    execute("on_a_gpu", statements("on_a_gpu", "in_function"), names)
    assert kind(names["compute"](names["x"])) == "CPU"
