import os
import runpy
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import tensorflow as tf
from matplotlib.figure import Figure

from snippets.killed_training import run_training
from snippets.linear_model import LinearModel
from snippets.loss import loss
from snippets.save_and_resume import new_training, train_until
from snippets.train import batch_of
from tests.claims.sentences import read

PROGRAM = "\n\n".join(
    block.code
    for block in read("save_and_resume").blocks
    if block.options.get("file") == "train.py"
)
"""The page's train.py, with what it takes from other modules."""
LOSSES = "losses/.ATTRIBUTES/VARIABLE_VALUE"
Train = Callable[[str, int], None]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def above(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder above the current one, which is empty."""
    (folder / "saved").mkdir()
    monkeypatch.chdir("saved")
    return folder


# Training, and going on with it.


def momentum_descent(
    x: tf.Tensor, y: tf.Tensor, epochs: int, learning_rate: float
) -> tuple[list[float], float, float]:
    """Losses before each update and the last weights, in float64."""
    inputs, outputs = np.asarray(x, np.float64), np.asarray(y, np.float64)
    weights, speed = np.array([5.0, 0.0]), np.zeros(2)
    losses = []
    for _ in range(epochs):
        errors = weights[0] * inputs + weights[1] - outputs
        losses.append(float(np.mean(errors**2)))
        gradients = 2 * np.array([np.mean(errors * inputs), np.mean(errors)])
        speed = 0.9 * speed - learning_rate * gradients
        weights = weights + speed
    return losses, float(weights[0]), float(weights[1])


def test_a_new_training_has_the_parts_that_a_step_depends_on() -> None:
    model = LinearModel()
    training = new_training(model)
    assert training.model is model
    assert int(training.epoch) == 0
    # Iterations, learning rate and a momentum for each of two weights.
    assert len(training.optimizer.variables) == 4
    assert float(training.optimizer.learning_rate) == pytest.approx(0.05)


def test_a_new_training_takes_a_learning_rate() -> None:
    training = new_training(LinearModel(), learning_rate=0.01)
    assert float(training.optimizer.learning_rate) == pytest.approx(0.01)


@pytest.mark.parametrize("learning_rate", [0.01, 0.05])
def test_training_descends_with_momentum_as_the_formula_does_in_float64(
    learning_rate: float, x: tf.Tensor, y: tf.Tensor
) -> None:
    training = new_training(LinearModel(), learning_rate)
    losses = train_until(30, training, x, y)
    expected, w, b = momentum_descent(x, y, 30, learning_rate)
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    assert float(training.model.w) == pytest.approx(w, abs=1e-4)
    assert float(training.model.b) == pytest.approx(b, abs=1e-4)


@pytest.mark.parametrize("last", [0, 1, 7])
def test_training_stops_at_the_epoch_it_is_told(
    last: int, x: tf.Tensor, y: tf.Tensor
) -> None:
    training = new_training(LinearModel())
    assert len(train_until(last, training, x, y)) == last
    assert int(training.epoch) == last
    assert train_until(last, training, x, y) == []


def test_the_first_loss_is_that_of_the_untrained_model(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    losses = train_until(1, new_training(LinearModel()), x, y)
    assert losses == [float(loss(y, LinearModel()(x)))]


def test_training_refuses_a_column(x: tf.Tensor, y: tf.Tensor) -> None:
    training = new_training(LinearModel())
    with pytest.raises(ValueError, match="predictions"):
        train_until(1, training, x, y[:, tf.newaxis])
    assert int(training.epoch) == 0


@pytest.mark.parametrize("stop", [1, 10, 29])
def test_a_training_read_back_goes_on_to_the_last_bit(
    stop: int, x: tf.Tensor, y: tf.Tensor, folder: Path
) -> None:
    whole = train_until(30, new_training(LinearModel()), x, y)
    stopped = new_training(LinearModel())
    first = train_until(stop, stopped, x, y)
    path = stopped.write("stopped")
    resumed = new_training(LinearModel())
    resumed.read(path).assert_consumed()
    assert int(resumed.epoch) == stop
    assert first + train_until(30, resumed, x, y) == whole


def test_the_weights_alone_start_alike_and_go_another_way(
    x: tf.Tensor, y: tf.Tensor, folder: Path
) -> None:
    whole = train_until(30, new_training(LinearModel()), x, y)
    stopped = new_training(LinearModel())
    train_until(10, stopped, x, y)
    path = stopped.write("stopped")
    alone = new_training(LinearModel())
    weights = tf.train.Checkpoint(model=alone.model)
    weights.read(path).expect_partial()
    alone.epoch.assign(10)
    rest = train_until(30, alone, x, y)
    assert rest[0] == whole[10]
    assert abs(rest[1] - whole[11]) > 0.1


def test_an_optimizer_put_back_trains_as_a_new_one(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    reset, new = new_training(LinearModel()), new_training(LinearModel())
    start = [value.numpy() for value in reset.optimizer.variables]
    train_until(10, reset, x, y)
    for one, other in zip(
        new.model.variables, reset.model.variables, strict=True
    ):
        one.assign(other)
    new.epoch.assign(10)
    for value, kept in zip(reset.optimizer.variables, start, strict=True):
        value.assign(kept)
    assert train_until(20, reset, x, y) == train_until(20, new, x, y)


def test_a_checkpoint_takes_no_python_number() -> None:
    with pytest.raises(ValueError, match="trackable"):
        tf.train.Checkpoint(epoch=0)


def test_a_renamed_attribute_is_not_found(folder: Path) -> None:
    path = tf.train.Checkpoint(model=LinearModel()).write("named")
    renamed = tf.train.Checkpoint(line=LinearModel())
    status = renamed.read(path)
    with pytest.raises(AssertionError, match="not bound to checkpointed"):
        status.assert_consumed()
    status.expect_partial()


def test_a_saved_learning_rate_takes_the_place_of_a_new_one(
    x: tf.Tensor, y: tf.Tensor, folder: Path
) -> None:
    path = new_training(LinearModel()).write("saved")
    slower = new_training(LinearModel(), learning_rate=0.01)
    slower.read(path).assert_consumed()
    assert float(slower.optimizer.learning_rate) == pytest.approx(0.05)
    slower.optimizer.learning_rate = 0.01
    losses = train_until(10, slower, x, y)
    expected, _, _ = momentum_descent(x, y, 10, 0.01)
    np.testing.assert_allclose(losses, expected, rtol=1e-4)


def test_an_unbuilt_optimizer_is_filled_late_and_the_assertion_says_so(
    x: tf.Tensor, y: tf.Tensor, folder: Path
) -> None:
    stopped = new_training(LinearModel())
    train_until(10, stopped, x, y)
    path = stopped.write("stopped")
    unready = tf.train.Checkpoint(
        model=LinearModel(),
        optimizer=tf.keras.optimizers.SGD(0.05, momentum=0.9),
        epoch=tf.Variable(0),
    )
    status = unready.read(path)
    with pytest.raises(AssertionError, match="optimizer"):
        status.assert_consumed()
    rest = train_until(30, unready, x, y)
    status.assert_consumed()
    assert rest == train_until(30, stopped, x, y)


# The place in the data.


def pipeline(order: str, numbers: int) -> Iterator[tf.Tensor]:
    """Batches of four, again and again, without reading ahead."""
    data = tf.data.Dataset.range(numbers).shuffle(numbers, seed=0)
    if order == "batch, repeat":
        data = data.batch(4).repeat()
    else:
        data = data.repeat().batch(4)
    options = tf.data.Options()
    options.autotune.enabled = False
    batches: Iterator[tf.Tensor] = iter(data.with_options(options))
    return batches


@pytest.mark.parametrize(
    ("order", "numbers", "wrong"),
    [
        ("batch, repeat", 10, {3, 6}),
        ("batch, repeat", 12, set()),
        ("repeat, batch", 10, set()),
    ],
)
def test_an_iterator_saved_after_a_smaller_last_batch_resumes_wrongly(
    order: str, numbers: int, wrong: set[int], folder: Path
) -> None:
    found = set()
    for taken in range(9):
        batches, again = pipeline(order, numbers), pipeline(order, numbers)
        for _ in range(taken):
            next(batches)
        path = tf.train.Checkpoint(batches=batches).write("batches")
        tf.train.Checkpoint(batches=again).read(path).assert_consumed()
        if any(
            next(batches).numpy().tolist() != next(again).numpy().tolist()
            for _ in range(6)
        ):
            found.add(taken)
    assert found == wrong


# The program that is killed.


class Killed(Exception):
    """Stands for the end of a process."""


@pytest.fixture
def train(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Train:
    """Run train.py as a script, but in this process, for speed."""

    def kill(process: int, how: int) -> None:
        assert (process, how) == (os.getpid(), signal.SIGKILL)
        raise Killed

    monkeypatch.setattr(os, "kill", kill)

    def run(name: str, kill_at: int) -> None:
        monkeypatch.setattr(sys, "argv", ["train.py", name, str(kill_at)])
        if Path("train.py").exists():
            runpy.run_path("train.py", run_name="__main__")
        else:
            monkeypatch.delitem(sys.modules, "snippets.train", raising=False)
            runpy.run_module("snippets.train", run_name="__main__")

    return run


def saved_losses(name: str) -> list[float]:
    losses: list[float] = tf.train.load_variable(name, LOSSES).tolist()
    return losses


def test_the_program_does_what_its_module_does(
    train: Train, folder: Path
) -> None:
    train("module", 0)
    (folder / "train.py").write_text(PROGRAM)
    train("page", 0)
    assert saved_losses("module") == saved_losses("page")


@pytest.mark.parametrize("kill_at", [5, 17])
def test_killed_anywhere_the_program_resumes_to_the_last_bit(
    kill_at: int, train: Train, capsys: pytest.CaptureFixture[str]
) -> None:
    train("whole", 0)
    with pytest.raises(Killed):
        train("killed", kill_at)
    train("killed", 0)
    # Step 5 dies before it saves, so it leaves nothing behind.
    before = 5 * ((kill_at - 1) // 5)
    assert capsys.readouterr().out.splitlines() == [
        "steps taken before: 0",
        "steps taken before: 0",
        f"steps taken before: {before}",
    ]
    assert saved_losses("killed") == saved_losses("whole")
    for name in ("w", "b"):
        key = f"{name}/.ATTRIBUTES/VARIABLE_VALUE"
        assert tf.train.load_variable("killed", key) == tf.train.load_variable(
            "whole", key
        )


@pytest.mark.parametrize("part", ["optimizer", "noise"])
def test_a_part_left_out_of_the_checkpoint_changes_the_losses(
    part: str, train: Train, folder: Path
) -> None:
    train("whole", 0)
    lacking = PROGRAM.replace(f", {part}={part}", "")
    assert lacking != PROGRAM
    (folder / "train.py").write_text(lacking)
    with pytest.raises(Killed):
        train("killed", 17)
    train("killed", 0)
    losses, whole = saved_losses("killed"), saved_losses("whole")
    assert losses[:15] == whole[:15]
    assert losses[15:] != whole[15:]


def test_the_two_latest_checkpoints_are_kept(
    train: Train, folder: Path
) -> None:
    train("whole", 0)
    latest = tf.train.latest_checkpoint("whole")
    assert latest == "whole/ckpt-30"
    kept = {path.name for path in (folder / "whole").glob("*.index")}
    assert kept == {"ckpt-25.index", "ckpt-30.index"}


def test_four_batches_hold_every_row_once_in_an_order_of_the_epoch(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    epochs = []
    for epoch in range(3):
        parts = [batch_of(4 * epoch + i, x, y)[0] for i in range(4)]
        assert [len(part) for part in parts] == [51, 51, 51, 48]
        epochs.append(np.concatenate(parts))
        np.testing.assert_array_equal(np.sort(epochs[-1]), x)
    assert not np.array_equal(epochs[0], epochs[1])
    assert not np.array_equal(epochs[1], epochs[2])


def test_batches_keep_inputs_and_outputs_together(
    x: tf.Tensor, y: tf.Tensor
) -> None:
    pairs = dict(zip(x.numpy(), y.numpy(), strict=True))
    inputs, outputs = batch_of(7, x, y)
    for one, other in zip(inputs.numpy(), outputs.numpy(), strict=True):
        assert pairs[one] == other


# Running it in a process of its own.


@pytest.mark.parametrize(
    ("body", "printed"),
    [
        ("print(sys.argv[1:])", "['a', '3']\nended with exit code 0\n"),
        ("sys.exit(4)", "ended with exit code 4\n"),
        (
            "print('on', flush=True)\nos.kill(os.getpid(), 9)",
            "on\nended by SIGKILL\n",
        ),
        ("os.kill(os.getpid(), 15)", "ended by SIGTERM\n"),
    ],
)
def test_run_training_says_how_the_process_ended(
    body: str,
    printed: str,
    above: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (above / "train.py").write_text(f"import os\nimport sys\n{body}\n")
    run_training("a", kill_at=3)
    assert capsys.readouterr().out == printed


def test_run_training_waits_for_the_process(above: Path) -> None:
    (above / "train.py").write_text(
        "import os\nopen('pid', 'w').write(str(os.getpid()))\n"
    )
    run_training("a", kill_at=0)
    with pytest.raises(ProcessLookupError):
        os.kill(int(Path("pid").read_text()), 0)


# The modules as scripts.


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that were shown."""
    found: list[Figure] = []

    def show() -> None:
        found.append(plt.gcf())
        plt.close()

    plt.switch_backend("agg")
    monkeypatch.setattr(plt, "show", show)
    return found


def test_the_module_as_a_script(
    folder: Path,
    figures: list[Figure],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delitem(sys.modules, "snippets.save_and_resume")
    names = runpy.run_module("snippets.save_and_resume", run_name="__main__")
    printed, complained = capsys.readouterr()
    assert complained == ""
    assert plt.get_fignums() == [], "a figure was not shown"
    lines = printed.splitlines()
    assert lines[:2] == [
        "epoch of the resumed training: 10",
        "same losses: True",
    ]
    values = dict(line.split() for line in lines[2:9])
    assert float(values["epoch"]) == 10
    assert float(values["model/w"]) == pytest.approx(
        momentum_descent(names["x"], names["y"], 10, 0.05)[1], abs=1e-3
    )
    assert lines.pop(9) == "as from the weights alone: True"
    on, again = (line.split(": ")[1] for line in lines[9:11])
    assert on != again
    assert lines[11:-2] == [
        "after reading: not all values have found their place",
        "after training: they have",
        "same losses: True",
        "rate after reading: 0.05",
    ]
    faster, slower = (float(line.split()[-1]) for line in lines[-2:])
    assert faster == pytest.approx(names["whole"][-1], abs=1e-4)
    assert slower != faster

    [together] = figures
    uninterrupted, restored, alone = together.axes[0].lines
    np.testing.assert_array_equal(uninterrupted.get_ydata(), names["whole"])
    np.testing.assert_array_equal(restored.get_ydata(), names["whole"][10:])
    assert not np.array_equal(alone.get_ydata(), restored.get_ydata())
    # All that the module writes is in one new folder.
    assert [path.name[:6] for path in folder.iterdir()] == ["saved-"]


def test_a_training_is_killed_and_resumed(
    above: Path,
    figures: list[Figure],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (above / "train.py").write_text(PROGRAM)
    monkeypatch.delitem(sys.modules, "snippets.killed_training")
    runpy.run_module("snippets.killed_training", run_name="__main__")
    assert capsys.readouterr().out.splitlines() == [
        "steps taken before: 0",
        "ended with exit code 0",
        "steps taken before: 0",
        "ended by SIGKILL",
        "latest: killed/ckpt-15",
        "checkpoint",
        "ckpt-10.data-00000-of-00001",
        "ckpt-10.index",
        "ckpt-15.data-00000-of-00001",
        "ckpt-15.index",
        "steps taken before: 15",
        "ended with exit code 0",
        "same losses: True",
    ]
    [killed] = figures
    complete, before, after = (
        np.asarray(line.get_ydata()) for line in killed.axes[0].lines
    )
    np.testing.assert_array_equal(before[:15], complete[:15])
    assert np.all(np.isnan(before[15:]))
    np.testing.assert_array_equal(after, complete[15:])
