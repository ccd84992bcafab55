"""What the page on watching a training shows and says.

The tests run the sections that the page shows.  What looks right and is not
still goes wrong, the mends hold, and the check fails where it should.
"""

import ast
import importlib
import importlib.metadata
import io
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import matplotlib.pyplot as plt
import numpy as np
import pytest
import tensorflow as tf
from matplotlib.figure import Figure
from tqdm import tqdm

from engine.run.terminal import screen
from snippets.data import make_data
from snippets.keras_model import KerasLinearModel
from snippets.watch import CallbackList, make_step, train_epoch
from snippets.watch_callbacks import (
    OPTIONS,
    EpochBar,
    callback_epoch,
    callback_loop,
)
from snippets.watch_prints import tell, tell_file
from snippets.watch_tensorboard import (
    clock,
    read_events,
    record,
    record_by_clock,
    record_run,
)
from tests.story import Names, execute, statements

MODULES = ("", "_callbacks", "_prints", "_tensorboard")
TRIED_WITHOUT = (
    {"Callback", "CallbackList"},
    {"OrbaxCheckpoint", "RemoteMonitor"},
)


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def no_log() -> Iterator[None]:
    """Close what a section opens for the log."""
    yield
    log = logging.getLogger("train")
    for handler in log.handlers:
        handler.close()
    log.handlers = []


def thirds() -> list[tuple[tf.Tensor, tf.Tensor]]:
    x, y = make_data(268)
    return [(x[start::4], y[start::4]) for start in range(3)]


def run(module: str, *shown: str) -> Names:
    """Run sections as the page does; return the names they leave."""
    names = dict(vars(importlib.import_module(f"snippets.watch{module}")))
    names["x"], names["y"] = x, y = make_data(268)
    names["batches"] = thirds()
    names["valid_x"], names["valid_y"] = x[3::4], y[3::4]
    names["untimed"] = "{desc}: {n_fmt}/{total_fmt} |{bar:20}|{postfix}"
    for name in shown:
        execute(f"watch{module}", statements(f"watch{module}", name), names)
    return names


def descend(epochs: int, rate: float) -> tuple[list[float], list[float]]:
    """Return all losses of the batches, and of validation, by NumPy."""
    x, y = (np.asarray(v, np.float64) for v in make_data(268))
    w, b, losses, validation = 5.0, 0.0, [], []
    for _ in range(epochs):
        for start in range(3):
            error = w * x[start::4] + b - y[start::4]
            losses.append(float(np.mean(error**2)))
            w -= rate * 2 * float(np.mean(error * x[start::4]))
            b -= rate * 2 * float(np.mean(error))
        validation.append(float(np.mean((w * x[3::4] + b - y[3::4]) ** 2)))
    return losses, validation


def epoch_losses(epochs: int, rate: float) -> list[float]:
    losses = np.reshape(descend(epochs, rate)[0], (epochs, 3))
    return [float(mean) for mean in losses.mean(axis=1)]


# Setup


def test_the_batches_are_equally_large_and_validation_as_well(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("", "data")
    assert capsys.readouterr().out == "rows: 67 67 67 and 67\n"


def test_the_step_descends_and_returns_the_loss_before_it() -> None:
    model = KerasLinearModel()
    step: Any = make_step(model, tf.keras.optimizers.SGD(0.03))
    losses = [float(step(x, y)) for x, y in thirds()]
    np.testing.assert_allclose(losses, descend(1, 0.03)[0], rtol=1e-4)
    assert step.experimental_get_tracing_count() == 1
    x, y = thirds()[0]
    uncompiled = step.python_function(x, y)
    error = float(model.w) * x + float(model.b) - y
    assert float(uncompiled) > float(tf.reduce_mean(error**2))


def test_an_epoch_is_the_mean_of_its_batches() -> None:
    batches: Any = [(3.0, 1.0), (5.0, 2.0)]
    assert train_epoch(lambda x, y: x - y, batches) == 2.5


# A progress bar


def test_progbar_ends_with_the_loss_of_the_last_batch(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = run("", "progbar")
    first, second, third = descend(1, 0.03)[0]
    due = [first, (first + second) / 2, third]
    bar, *_ = capsys.readouterr().out.splitlines()
    shown = [float(loss) for loss in bar.split()[3:]]
    assert shown == pytest.approx(due, abs=0.01)
    assert names["losses"] == pytest.approx([first, second, third], rel=1e-4)
    assert names["mean"] > 1.1 * names["losses"][-1]


def test_progbar_ends_with_the_mean_if_it_is_given_the_mean(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("", "progbar", "progbar_mean")
    losses = descend(1, 0.03)[0]
    due = [np.mean(losses[:count]) for count in (1, 2, 3)]
    bar = capsys.readouterr().out.splitlines()[-1]
    shown = [float(loss) for loss in bar.split()[3:]]
    assert shown == pytest.approx(due, abs=0.01)


def test_the_mean_so_far_jumps_and_the_losses_do_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = run("", "sawtooth", "plot_sawtooth")
    losses = descend(6, 0.03)[0]
    means = [
        float(np.mean(losses[start : start + count]))
        for start in range(0, 18, 3)
        for count in (1, 2, 3)
    ]
    np.testing.assert_allclose(names["by_batch"], losses, rtol=1e-4)
    np.testing.assert_allclose(names["so_far"], means, rtol=1e-4)
    shown = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in shown] == ["batch", "mean"]
    for line, due in zip(shown, (losses, means), strict=True):
        assert [*map(float, line[1:])] == pytest.approx(due[:9], abs=0.01)


def test_the_bar_of_fit_ends_with_the_loss_of_the_epoch(
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = KerasLinearModel()
    model.compile(tf.keras.optimizers.SGD(0.03), loss="mse", run_eagerly=True)
    x, y = (tf.concat(parts, 0) for parts in zip(*thirds(), strict=True))
    fit = model.fit(x, y, batch_size=67, shuffle=False, verbose=1)
    shown = screen(capsys.readouterr().out.encode()).rstrip()
    loss = float(shown.split("loss: ")[1])
    assert loss == pytest.approx(fit.history["loss"][0], abs=1e-4)
    assert loss == pytest.approx(epoch_losses(1, 0.03)[0], rel=1e-3)


def test_progbar_draws_every_twentieth_of_a_second_at_most() -> None:
    assert tf.keras.utils.Progbar(3).interval == 0.05


def test_tqdm_shows_the_epochs_and_the_last_loss(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("", "tqdm")
    loss = epoch_losses(10, 0.03)[-1]
    bar = f"epochs: 10/10 |{20 * '#'}|, loss={loss:.2f}\n"
    assert capsys.readouterr().out == bar


def test_tqdm_shows_all_of_a_tensor(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("", "tqdm", "tqdm_tensor")
    shown = capsys.readouterr().out.splitlines()[-1]
    assert shown.startswith(f"steps: 3/3 |{20 * '#'}|, loss=tf.Tensor(")
    assert shown.endswith(", shape=(), dtype=float32)")


def test_tqdm_draws_on_standard_error_and_not_where_no_terminal_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    list(tqdm(range(3)))
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "3/3" in printed.err
    assert "it/s" in printed.err
    list(tqdm(range(3), disable=None))
    assert capsys.readouterr().err == ""


def drawn(write: Callable[[Any, io.StringIO], object]) -> list[str]:
    """Return what a terminal shows of a bar over one step, and a text."""
    output = io.StringIO()
    bar = tqdm([1], file=output, bar_format="{n_fmt}/{total_fmt}")
    for _ in bar:
        write(bar, output)
    return screen(output.getvalue().encode()).splitlines()


def test_print_breaks_the_line_of_a_bar_and_its_write_does_not() -> None:
    printed = drawn(lambda bar, output: print(" text", file=output))
    assert printed == ["0/1 text", "1/1"]
    written = drawn(lambda bar, output: bar.write("text", file=output))
    assert written == ["text", "1/1"]


# A log


def test_the_log_goes_to_the_screen_and_into_a_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("", "log", "log_loop")
    losses = epoch_losses(10, 0.03)
    messages = [f"epoch {n}: loss {losses[n - 1]:.2f}" for n in (5, 10)]
    intro = "in the file, after date and time:"
    lines = capsys.readouterr().out.splitlines()
    assert lines == [*messages, intro, *messages]


def test_a_new_logger_passes_on_warnings_and_no_more(
    capfd: pytest.CaptureFixture[str],
) -> None:
    log = logging.getLogger("never named before")
    assert not log.isEnabledFor(logging.INFO)
    assert log.isEnabledFor(logging.WARNING)
    assert log.isEnabledFor(logging.ERROR)
    log.info("text")
    assert "text" not in "".join(capfd.readouterr())


def test_a_handler_added_twice_prints_twice_and_one_set_twice_does_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = logging.getLogger("train")
    log.setLevel(logging.INFO)
    for _ in range(2):
        log.addHandler(logging.StreamHandler(sys.stdout))
    log.info("text")
    assert capsys.readouterr().out == "text\ntext\n"
    for _ in range(2):
        run("", "log")
    of_root = logging.StreamHandler(sys.stdout)
    logging.root.addHandler(of_root)
    log.info("text")
    logging.root.removeHandler(of_root)
    assert capsys.readouterr().out == "text\n"


def test_the_table_has_the_losses_of_training_and_validation() -> None:
    run("", "csv")
    text = Path("history.csv").read_text()
    header, *rows = (line.split(",") for line in text.splitlines())
    assert header == ["epoch", "loss", "val_loss"]
    losses, validation = epoch_losses(3, 0.03), descend(3, 0.03)[1]
    found = np.array(rows, dtype=float).T
    np.testing.assert_array_equal(found[0], [1, 2, 3])
    np.testing.assert_allclose(found[1], losses, rtol=1e-3)
    np.testing.assert_allclose(found[2], validation, rtol=1e-3)


def test_rows_wait_in_memory_unless_they_are_flushed() -> None:
    with Path("rows.csv").open("w", newline="") as file:
        file.write("1,2,3\n")
        assert Path("rows.csv").read_text() == ""
        file.flush()
        assert Path("rows.csv").read_text() == "1,2,3\n"


# TensorBoard


def test_tensorflow_brings_no_tensorboard_since_2_21() -> None:
    [name] = importlib.metadata.packages_distributions()["tensorflow"][:1]
    needed = importlib.metadata.requires(name) or []
    brings = any(need.startswith("tensorboard") for need in needed)
    version = tuple(map(int, tf.__version__.split(".")[:2]))
    assert brings == (version < (2, 21))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scalar", 1.0),
        ("histogram", [1.0]),
        ("image", np.zeros((1, 2, 2, 1))),
        ("audio", np.zeros((1, 2, 1))),
        ("text", "text"),
    ],
)
def test_without_tensorboard_the_functions_that_write_fail(
    name: str, value: Any
) -> None:
    options = {"sample_rate": 1} if name == "audio" else {}
    hidden = mock.patch.dict(sys.modules, {"tensorboard.summary.v2": None})
    with hidden, pytest.raises(Exception, match="not installed") as raised:
        getattr(tf.summary, name)(name, value, step=1, **options)
    assert raised.typename == "TBNotInstalledError"


def test_the_page_shows_the_message_of_a_missing_tensorboard() -> None:
    message = (
        "TensorBoard is not installed, missing implementation for "
        "tf.summary.scalar"
    )
    with pytest.raises(Exception, match="TensorBoard is not") as raised:
        run("_tensorboard", "not_installed")
    assert str(raised.value) == message
    assert tf.summary.scalar("loss", 1.0, step=1) is not None


def test_what_was_written_is_read_back(shown: list[Figure]) -> None:
    names = run("_tensorboard", "write", "read")
    training, validation = (
        read_events(f"logs/{name}") for name in ("training", "validation")
    )
    assert [step for step, _ in training] == list(range(1, 11))
    assert [step for step, _ in validation] == list(range(1, 11))
    found = [value for _, value in training]
    np.testing.assert_allclose(found, epoch_losses(10, 0.03), rtol=1e-4)
    found = [value for _, value in validation]
    np.testing.assert_allclose(found, descend(10, 0.03)[1], rtol=1e-4)
    assert names["points"] == validation
    # As the text for the figure has it.
    lines = [np.asarray(li.get_ydata()) for li in shown[0].axes[0].lines]
    for line in lines:
        assert line[0] > 7
        assert line[-1] < 1.5
        assert np.all(np.diff(line) < 0)
    assert np.all(lines[1][:5] < lines[0][:5])


def test_tensorboard_has_a_line_for_each_folder_and_a_chart_for_a_name() -> (
    None
):
    run("_tensorboard", "write")
    multiplexer = importlib.import_module(
        "tensorboard.backend.event_processing.plugin_event_multiplexer"
    ).EventMultiplexer()
    multiplexer.AddRunsFromDirectory("logs").Reload()
    found = multiplexer.PluginRunToTagToContent("scalars")
    tags = {run: list(tags) for run, tags in found.items()}
    assert tags == {"training": ["loss"], "validation": ["loss"]}


def test_a_writer_writes_at_the_end_of_its_block_or_when_flushed() -> None:
    writer = tf.summary.create_file_writer("logs")
    with writer.as_default():
        tf.summary.scalar("loss", 1.0, step=1)
        assert read_events("logs") == []
        writer.flush()
        assert read_events("logs") == [(1, 1.0)]
        tf.summary.scalar("loss", 2.0, step=2)
    assert read_events("logs") == [(1, 1.0), (2, 2.0)]


def test_a_value_without_a_step_is_an_error_if_there_is_a_writer() -> None:
    with pytest.raises(ValueError, match="No step set"):
        run("_tensorboard", "write", "no_step")
    assert not tf.summary.scalar("loss", 1.0)


def test_the_step_may_come_from_the_block_or_the_optimizer() -> None:
    optimizer = tf.keras.optimizers.SGD(0.1)
    variable = tf.Variable(1.0)

    @tf.function
    def step() -> None:
        optimizer.apply([tf.constant(1.0)], [variable])
        tf.summary.scalar("loss", variable, step=optimizer.iterations)

    optimizer.build([variable])
    writer = tf.summary.create_file_writer("logs")
    with writer.as_default(step=7):
        tf.summary.scalar("loss", 0.5)
        step()
        step()
    points = read_events("logs")
    assert [step for step, _ in points] == [7, 1, 2]


def test_without_a_writer_nothing_is_written_and_nothing_said() -> None:
    with warnings.catch_warnings(action="error"):
        names = run("_tensorboard", "no_writer")
    assert not names["written"]
    assert list(Path().iterdir()) == []


def stepped_check(names: Names) -> None:
    """Run the check with which the section that is mended ends."""
    parts = statements("watch_tensorboard", "stepped")[-1:]
    assert isinstance(parts[0], ast.Assert)
    execute("watch_tensorboard", parts, names)


@pytest.mark.parametrize(
    ("section", "points"),
    [
        ("traced_early", []),
        ("clocked", [(1, 10.0), (1, 20.0), (1, 30.0)]),
    ],
)
def test_a_graph_keeps_what_it_was_traced_with(
    section: str, points: list[tuple[int, float]]
) -> None:
    with warnings.catch_warnings(action="error"):
        names = run("_tensorboard", section)
    assert names["points"] == points
    with pytest.raises(AssertionError):
        stepped_check(names)


def test_a_step_handed_over_as_a_tensor_is_written() -> None:
    names = run("_tensorboard", "stepped")
    assert names["points"] == [(1, 10.0), (2, 20.0), (3, 30.0)]
    assert names["compiled"].experimental_get_tracing_count() == 1


def test_what_is_not_compiled_reads_its_step_each_time() -> None:
    with tf.summary.create_file_writer("logs").as_default():
        record(tf.constant(0.5), tf.constant(3, tf.int64))
        for clock["step"] in (4, 5):
            record_by_clock(tf.constant(0.5))
    assert read_events("logs") == [(3, 0.5), (4, 0.5), (5, 0.5)]


# Callbacks


class Told(tf.keras.callbacks.Callback):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, Any, list[str]]] = []
        for name in (
            *("on_train_begin", "on_train_end", "on_epoch_begin"),
            *("on_epoch_end", "on_train_batch_begin", "on_train_batch_end"),
        ):
            setattr(self, name, self.keeper(name))

    def keeper(self, name: str) -> Callable[..., None]:
        def keep(number: Any = None, logs: Any = None) -> None:
            if name in ("on_train_begin", "on_train_end"):
                number, logs = None, None
            self.calls.append((name, number, sorted(logs or [])))

        return keep


def test_the_loop_tells_what_fit_tells() -> None:
    batches = thirds()
    model, by_loop, by_fit = KerasLinearModel(), Told(), Told()
    step = make_step(model, tf.keras.optimizers.SGD(0.03))
    callback_loop(step, batches, CallbackList([by_loop], model=model), 2)
    model.compile(tf.keras.optimizers.SGD(0.03), loss="mse", run_eagerly=True)
    x, y = (tf.concat(parts, 0) for parts in zip(*batches, strict=True))
    whole = {"batch_size": 67, "epochs": 2, "verbose": 0}
    model.fit(x, y, callbacks=[by_fit], **whole)
    assert by_loop.calls == by_fit.calls
    assert len(by_loop.calls) == 18


class StopsAt(tf.keras.callbacks.Callback):
    """Asks for a stop in a batch."""

    def __init__(self, batch: int) -> None:
        super().__init__()
        self.batch = batch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if batch == self.batch:
            self.model.stop_training = True


def test_the_loop_stops_in_the_batch_and_the_epoch_that_a_callback_says() -> (
    None
):
    model, told = KerasLinearModel(), Told()
    step = make_step(model, tf.keras.optimizers.SGD(0.03))
    callbacks = CallbackList([told, StopsAt(1)], model=model)
    callback_loop(step, thirds(), callbacks, epochs=5)
    names = [name for name, *_ in told.calls]
    assert names.count("on_train_batch_end") == 2
    assert names.count("on_epoch_end") == 1
    assert names[-1] == "on_train_end"


def test_an_epoch_is_the_mean_of_the_rows_that_it_had() -> None:
    model = KerasLinearModel()
    model.stop_training = False
    batches: Any = [([3.0] * 3, 1.0), ([6.0], 0.0), ([9.0] * 4, 0.0)]
    callbacks = CallbackList([StopsAt(1)], model=model)
    assert callback_epoch(lambda x, y: x[0] - y, batches, callbacks) == 3.0


@pytest.mark.parametrize("name", ["stop_training", "optimizer"])
def test_a_model_that_was_never_compiled_lacks(name: str) -> None:
    message = f"'KerasLinearModel' object has no attribute '{name}'"
    with pytest.raises(AttributeError, match=message):
        getattr(KerasLinearModel(), name)


def test_early_stopping_stops_and_the_logger_writes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("_callbacks", "stopping")
    losses = epoch_losses(20, 0.1)
    # It stops at the first epoch that gains less than it should.
    last = next(i for i in range(1, 20) if losses[i - 1] - losses[i] < 0.01)
    columns, *lines = capsys.readouterr().out.splitlines()
    assert columns == "columns: epoch loss val_loss"
    for number, line in zip(range(last - 2, last + 1), lines, strict=True):
        name, loss = line.split(": loss ")
        assert name == f"epoch {number}"
        assert float(loss) == pytest.approx(losses[number], rel=1e-3)


def test_early_stopping_watches_val_loss_and_warns_without_it() -> None:
    model = KerasLinearModel()
    stopping = tf.keras.callbacks.EarlyStopping()
    callbacks = CallbackList([stopping], model=model)
    model.stop_training = False
    callbacks.on_train_begin()
    for epoch in range(3):
        with pytest.warns(UserWarning, match="metric `val_loss` which is not"):
            callbacks.on_epoch_end(epoch, {"loss": 1.0})
    assert not model.stop_training


def test_the_logger_leaves_out_what_later_epochs_add() -> None:
    logger = tf.keras.callbacks.CSVLogger("log.csv")
    callbacks = CallbackList([logger], model=KerasLinearModel())
    callbacks.on_train_begin()
    callbacks.on_epoch_end(0, {"loss": 2.0})
    callbacks.on_epoch_end(1, {"loss": 1.0, "rate": 0.1})
    callbacks.on_train_end()
    rows = Path("log.csv").read_text().split()
    assert rows == ["epoch,loss,val_loss", "0,2.0,NA", "1,1.0,NA"]


def test_every_callback_of_keras_is_tried_or_named() -> None:
    found = vars(tf.keras.callbacks)
    names = {name for name in found if name[0].isupper()}
    assert names == set(OPTIONS).union(*TRIED_WITHOUT)


def test_what_each_callback_needs(capsys: pytest.CaptureFixture[str]) -> None:
    names = run("_callbacks", "outcomes", "outcomes_shown")
    needy = {
        "LearningRateScheduler",
        "ReduceLROnPlateau",
        "SwapEMAWeights",
        "TensorBoard",
    }
    for name in OPTIONS:
        error = "AttributeError" if name in needy else "runs"
        assert names["alone"][name] == error
        error = "TypeError" if name == "SwapEMAWeights" else "runs"
        assert names["known"][name] == error
        assert names["told"][name] == "runs"
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines[:-1]} == needy
    assert lines[-1] == "8 others"


def trained(*made: Any, **told: Any) -> Any:
    """Train for two epochs with callbacks; return the model."""
    model = told.pop("model", None) or KerasLinearModel()
    optimizer = told.pop("optimizer", None) or tf.keras.optimizers.SGD(0.03)
    model(thirds()[0][0])
    step = make_step(model, optimizer)
    model.optimizer = optimizer
    callbacks = CallbackList(list(made), model=model, **told)
    callback_loop(step, thirds(), callbacks, epochs=2)
    return model


def test_what_runs_does_its_work(capsys: pytest.CaptureFixture[str]) -> None:
    keras = tf.keras.callbacks
    history, epochs = keras.History(), []
    plateau = keras.ReduceLROnPlateau(
        "loss", patience=0, min_delta=100, factor=0.1
    )
    model = trained(
        keras.ModelCheckpoint("best.keras", "loss", save_best_only=True),
        keras.ModelCheckpoint("last.weights.h5", save_weights_only=True),
        history,
        keras.LambdaCallback(on_epoch_end=lambda n, logs: epochs.append(n)),
        keras.TensorBoard("logs"),
        plateau,
    )
    losses = epoch_losses(2, 0.03)
    assert history.history["loss"] == pytest.approx(losses, rel=1e-3)
    assert epochs == [0, 1]
    assert Path("best.keras").exists()
    other = KerasLinearModel()
    other(tf.ones(1))
    other.load_weights("last.weights.h5")
    assert float(other.w) == float(model.w)
    assert len(read_events("logs/train")) > 0
    assert float(model.optimizer.learning_rate) == pytest.approx(0.003)
    halve = keras.LearningRateScheduler(lambda epoch, rate: rate / 2)
    model = trained(halve)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.03 / 4)
    trained(keras.ProgbarLogger())
    assert "loss: " in capsys.readouterr().out


def test_swapping_brings_in_the_averages() -> None:
    swap = tf.keras.callbacks.SwapEMAWeights

    def averaging() -> tf.keras.Optimizer:
        return tf.keras.optimizers.SGD(0.03, use_ema=True)

    model = trained(swap(swap_on_epoch=True), optimizer=averaging(), epochs=2)
    assert float(model.w) > float(trained().w) + 0.1
    with pytest.raises(TypeError, match="'NoneType' object is not subscr"):
        trained(swap(swap_on_epoch=True), optimizer=averaging())
    trained(swap(), optimizer=averaging())
    with pytest.raises(ValueError, match="use_ema=True"):
        trained(swap(swap_on_epoch=True), epochs=2)


@pytest.mark.parametrize(
    "told", [{"epochs": 2}, {"epochs": 2, "steps": 3}, {"verbose": 0}]
)
def test_progbar_logger_needs_all_or_nothing(told: dict[str, int]) -> None:
    missing = "epochs" if "verbose" in told else "verbose"
    with pytest.raises(KeyError, match=f"'{missing}'"):
        trained(tf.keras.callbacks.ProgbarLogger(), **told)


def test_a_scheduler_refuses_an_optimizer_with_a_schedule() -> None:
    schedule = tf.keras.optimizers.schedules.CosineDecay(0.1, 10)
    optimizer = tf.keras.optimizers.SGD(schedule)
    halve = tf.keras.callbacks.LearningRateScheduler(lambda n, rate: rate / 2)
    with pytest.raises(TypeError, match="LearningRateSchedule"):
        trained(halve, optimizer=optimizer)


def test_some_warn_without_what_they_monitor() -> None:
    keras = tf.keras.callbacks
    best = keras.ModelCheckpoint("best.keras", save_best_only=True)
    with pytest.warns(UserWarning, match="only with val_loss available"):
        trained(best)
    with pytest.warns(UserWarning, match="`val_loss` which is not available"):
        trained(keras.ReduceLROnPlateau())


def test_a_backup_refuses_a_model_that_was_never_called() -> None:
    backup = tf.keras.callbacks.BackupAndRestore("backup")
    callbacks = CallbackList([backup], model=KerasLinearModel())
    with pytest.raises(ValueError, match="is unbuilt"):
        callbacks.on_train_begin()


def test_terminate_on_nan_looks_at_batches_only(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = run("_callbacks")
    names["model"] = KerasLinearModel()
    section = statements("watch_callbacks", "nan")
    execute("watch_callbacks", section, names)
    first, _, last = capsys.readouterr().out.splitlines()
    assert first == "on_epoch_end: stop_training is False"
    assert last == "on_train_batch_end: stop_training is True"


def test_early_stopping_restores_at_the_end_of_training_only() -> None:
    model = KerasLinearModel()
    stopping = tf.keras.callbacks.EarlyStopping(
        "loss", restore_best_weights=True
    )
    callbacks = CallbackList([stopping], model=model)
    callbacks.on_train_begin()
    for epoch, value in enumerate((1.0, 2.0)):
        callbacks.on_epoch_end(epoch, {"loss": value})
        model.w.assign_add(1.0)
    assert model.stop_training
    assert float(model.w) == 7.0
    callbacks.on_train_end()
    assert float(model.w) == 5.0


def test_another_metric_needs_a_mode_unless_fit_knows_it() -> None:
    names = run("_callbacks")
    names["model"] = KerasLinearModel()
    section = statements("watch_callbacks", "direction")
    with pytest.raises(ValueError, match="monitor=val_accuracy, but Keras"):
        execute("watch_callbacks", section, names)
    for options in ({"mode": "max"}, {}):
        stopping = tf.keras.callbacks.EarlyStopping("accuracy", **options)
        if options:
            callbacks = CallbackList([stopping], model=KerasLinearModel())
            callbacks.on_train_begin()
            callbacks.on_epoch_end(0, {"accuracy": 0.5})
        else:
            model = KerasLinearModel()
            model.compile(
                loss="binary_crossentropy",
                metrics=["accuracy"],
                run_eagerly=True,
            )
            x = tf.ones((4, 1))
            model.fit(x, x, verbose=0, callbacks=[stopping])
        assert stopping.best is not None


def test_a_backup_is_saved_but_not_restored_without_an_optimizer() -> None:
    message = "'KerasLinearModel' object has no attribute 'optimizer'"
    with pytest.raises(AttributeError, match=message):
        run("_callbacks", "backup")
    assert Path("kept/latest.weights.h5").exists()


def test_a_backup_comes_back_with_an_optimizer_and_tells_fit_the_epoch() -> (
    None
):
    keras = tf.keras.callbacks
    first = trained(keras.BackupAndRestore("kept", delete_checkpoint=False))
    again = KerasLinearModel()
    again(tf.ones(1))
    again.optimizer = tf.keras.optimizers.SGD(0.03)
    backup = CallbackList([keras.BackupAndRestore("kept")], model=again)
    backup.on_train_begin()
    assert float(again.w) == float(first.w)
    assert int(again.optimizer.iterations) == 6
    assert again._initial_epoch == 2


# Print in a compiled step


def test_print_prints_once_and_tf_print_each_time(
    capfd: pytest.CaptureFixture[str],
) -> None:
    run("_prints", "printed")
    printed = capfd.readouterr()
    assert printed.out.startswith('print:    Tensor("value:0", shape=()')
    assert printed.out.count("\n") == 1
    assert printed.err.splitlines() == [f"tf.print: {n}" for n in (8, 4, 2)]


def test_tf_print_writes_past_python(
    capfd: pytest.CaptureFixture[str],
) -> None:
    names = run("_prints", "printed", "caught")
    assert names["caught"].getvalue() == ""
    printed = capfd.readouterr()
    assert printed.err.splitlines()[-1] == "tf.print: 1"
    assert printed.out.splitlines()[-1] == "caught: 0 characters"


def test_tf_print_writes_into_a_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("_prints", "to_file")
    assert Path("losses.txt").read_text() == "loss 8\nloss 4\nloss 2\n"
    assert capsys.readouterr().out == "loss 8\nloss 4\nloss 2\n"


def test_what_is_not_compiled_prints_values(
    capfd: pytest.CaptureFixture[str],
) -> None:
    tell(tf.constant(3.0))
    tell_file(tf.constant(3.0))
    printed = capfd.readouterr()
    assert printed.out == "print:    tf.Tensor(3.0, shape=(), dtype=float32)\n"
    assert printed.err == "tf.print: 3\n"
    assert Path("losses.txt").read_text() == "loss 3\n"


def test_a_compiled_function_has_no_values() -> None:
    @tf.function(autograph=False)
    def to_float(value: tf.Tensor) -> float:
        return float(value)

    @tf.function(autograph=False)
    def to_numpy(value: tf.Tensor) -> Any:
        return value.numpy()

    with pytest.raises(TypeError, match="not 'SymbolicTensor'"):
        to_float(tf.constant(1.0))
    with pytest.raises(AttributeError, match="no attribute 'numpy'"):
        to_numpy(tf.constant(1.0))


def test_xla_has_no_code_for_tf_print() -> None:
    compiled = tf.function(tell, jit_compile=True)
    with pytest.raises(tf.errors.InvalidArgumentError, match="StringFormat"):
        compiled(tf.constant(1.0))


# Exercises


def test_the_bar_ends_where_the_training_stopped(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("_callbacks", "use_epoch_bar")
    shown = capsys.readouterr().out
    assert shown.startswith("epochs: 7/100 |#")
    loss = epoch_losses(7, 0.1)[-1]
    assert shown.endswith(f"|, loss={loss:.2f}\n")


def test_the_bar_is_full_after_all_epochs() -> None:
    output = io.StringIO()
    with tqdm(total=2, file=output, bar_format="{n_fmt}") as bar:
        trained(EpochBar(bar))
    assert output.getvalue().split("\r")[-1] == "2\n"


def test_two_runs_in_one_folder_begin_again() -> None:
    run("_tensorboard", "two_runs")
    slow, fast = epoch_losses(3, 0.03), epoch_losses(3, 0.1)
    both = read_events("logs/both")
    assert [step for step, _ in both] == [1, 2, 3, 1, 2, 3]
    found = [value for _, value in both]
    np.testing.assert_allclose(found, slow + fast, rtol=1e-4)
    assert read_events("logs/runs/slow") == both[:3]
    assert len(list(Path("logs/both").iterdir())) == 2


def test_a_run_is_written_into_its_folder() -> None:
    record_run("run", 0.03, thirds())
    found = [value for _, value in read_events("run")]
    np.testing.assert_allclose(found, epoch_losses(3, 0.03), rtol=1e-4)


def test_the_imports_of_the_page_are_what_its_modules_use() -> None:
    names = vars(importlib.import_module("snippets.watch_setup"))
    assert names["tf"] is tf
    assert names["plt"] is plt
    assert names["tqdm"] is tqdm
    for module in MODULES:
        path = Path(__file__).parents[2] / f"snippets/watch{module}.py"
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                if (getattr(node, "module", None) or "").startswith(
                    "snippets"
                ):
                    continue
                for alias in node.names:
                    assert (alias.asname or alias.name) in names


@pytest.mark.parametrize("module", MODULES)
def test_the_module_runs_as_a_script(
    module: str, printed_by: Callable[[str], list[str]], tmp_path: Path
) -> None:
    assert printed_by(f"watch{module}")
    assert Path(os.getcwd()).parent == tmp_path
