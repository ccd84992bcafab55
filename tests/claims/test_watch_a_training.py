"""What the page on watching a training says is true."""

import ast
import contextlib
import functools
import importlib
import importlib.metadata
import inspect
import io
import itertools
import logging
import re
import signal
import subprocess
import sys
import time
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import matplotlib.pyplot as plt
import numpy as np
import pytest
import tensorflow as tf
from tqdm import tqdm

from engine.run.terminal import screen
from snippets.data import make_data
from snippets.keras_model import KerasLinearModel
from snippets.watch import CallbackList, losses_in, make_step, train_epoch
from snippets.watch_callbacks import (
    OPTIONS,
    EpochBar,
    callback_epoch,
    callback_loop,
    outcome,
)
from snippets.watch_prints import tell, tell_file
from snippets.watch_tensorboard import (
    clock,
    read_events,
    record_by_clock,
    record_run,
)
from snippets.watch_tensorboard import record as record_step
from tests.claims.says import figure, imported, printed, record, says
from tests.claims.sentences import DOCS, ROOT, read, sections
from tests.story import Names, execute, statements
from tools.compare import TOLERANCE, same

WATCH = "watch_a_training"
PAGE = read(WATCH)
SOURCE = (DOCS / f"{WATCH}.md").read_text("utf-8")
CODES = {block.name: block.code for block in PAGE.blocks}
X, Y = make_data(268)
BATCHES = [(X[start::4], Y[start::4]) for start in range(3)]
SGD = tf.keras.optimizers.SGD
BAR = tf.keras.utils.Progbar
CALLBACKS = tf.keras.callbacks


class Ran(NamedTuple):
    """What a section left when the page ran."""

    names: Names
    warned: list[str]
    error: Exception | None
    folder: Path
    output: str


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Ran]]:
    """Run all of the page in one go; return what each section left."""
    plt.switch_backend("agg")
    names: Names = {}
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("page"))
        for block in PAGE.blocks:
            module = Path(block.options["run"].partition(":")[0]).stem
            error = None
            output = io.StringIO()
            with (
                warnings.catch_warnings(record=True) as told,
                contextlib.redirect_stdout(output),
            ):
                warnings.simplefilter("always")
                try:
                    execute(module, statements(module, block.name), names)
                except Exception as raised:
                    if type(raised).__name__ != block.options.get("raises"):
                        raise
                    error = raised
            messages = [str(warning.message) for warning in told]
            ours = [text for text in messages if "FigureCanvas" not in text]
            found[block.name] = Ran(
                dict(names), ours, error, Path.cwd(), output.getvalue()
            )
    plt.close("all")
    yield found
    forget_handlers()


@pytest.fixture(autouse=True)
def no_handlers() -> Iterator[None]:
    """Leave no handler to the next test."""
    yield
    forget_handlers()


def forget_handlers() -> None:
    log = logging.getLogger("train")
    for handler in log.handlers:
        handler.close()
    log.handlers = []
    log.propagate = True


def descend(epochs: int, rate: float) -> tuple[list[float], list[float]]:
    """Return all losses of the batches, and of validation, by NumPy."""
    x, y = (np.asarray(v, np.float64) for v in (X, Y))
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


def compiled(**options: Any) -> Any:
    """Return the line, compiled by Keras."""
    model: Any = KerasLinearModel()
    options = {"optimizer": SGD(0.03), "loss": "mse", **options}
    model.compile(run_eagerly=True, **options)
    return model


def trained(*made: Any, **told: Any) -> Any:
    """Train for two epochs with callbacks; return the model."""
    model = told.pop("model", None) or KerasLinearModel()
    optimizer = told.pop("optimizer", None) or SGD(0.03)
    model(X)
    step = make_step(model, optimizer)
    model.optimizer = optimizer
    callbacks = CallbackList([*made], model=model, **told)
    callback_loop(step, BATCHES, callbacks, epochs=2)
    return model


def fit_all(model: Any, **options: Any) -> Any:
    """Fit with the page's batches for an epoch, or more."""
    x, y = (tf.concat(parts, 0) for parts in zip(*BATCHES, strict=True))
    options = {"batch_size": 67, "shuffle": False, "verbose": 0, **options}
    return model.fit(x, y, **options)


# The page


@says(
    "Watch a TensorFlow training loop with a progress bar, a log, a CSV "
    "file, TensorBoard and Keras' callbacks, and print from a compiled step."
)
@says(
    "On this page you let yours tell how it goes: with a progress bar, a "
    "log, a CSV file, TensorBoard, Keras' callbacks, and with `print` in a "
    "compiled step."
)
def test_what_the_page_is_about() -> None:
    headings = re.findall(r"(?m)^##+ (.*)", SOURCE)
    subjects = (
        *("A progress bar", "A log", "A CSV file", "TensorBoard"),
        *("Callbacks in a loop of your own", "Print in a compiled step"),
    )
    places = [headings.index(subject) for subject in subjects]
    assert places == sorted(places)


@says(
    "You need a loop with an optimizer, as in [the loop with the usual "
    "parts](usual_parts.md), and besides TensorFlow and Matplotlib two "
    "packages: `pip install tensorboard tqdm`."
)
@says(
    "All blocks above, in order, as one file. It needs TensorFlow, "
    "Matplotlib, TensorBoard and tqdm."
)
def test_what_the_page_needs() -> None:
    modules = imported(PAGE)
    others = modules - sys.stdlib_module_names
    assert others == {"tensorflow", "matplotlib", "tqdm"}
    assert "tf.summary.scalar(" in CODES["write"], "needs TensorBoard"
    usual = (ROOT / "snippets/usual_parts.py").read_text("utf-8")
    assert "optimizer.apply" in usual
    kept = [name.rpartition(":")[2] for name in record(WATCH) if ":" in name]
    assert [n for n in kept if n in CODES] == [b.name for b in PAGE.blocks]


@says(
    "The imports, three types, and a new folder for the files that this page "
    "writes, inside of the one that you are in."
)
def test_the_setup(left: dict[str, Ran]) -> None:
    importing = [name for name, code in CODES.items() if "import " in code]
    assert importing == ["setup"]
    assert len(re.findall(r"(?m)^\w+ = ", CODES["types"])) == 3
    assert left["folder"].folder.parent == left["setup"].folder
    assert left["folder"].folder == left["two_runs"].folder
    made = [path.name for path in left["setup"].folder.iterdir()]
    assert made == [left["folder"].folder.name]
    written = {path.name for path in left["folder"].folder.iterdir()}
    assert {"train.log", "history.csv", "logs", "losses.csv"} <= written


@says("Data, model and loss are those of the guide.")
def test_what_is_from_the_guide() -> None:
    guide = [block.code for block in read("basic_training_loops").blocks]
    for name in ("make_data", "model", "loss"):
        assert CODES[name] in guide


@says(
    "Of 268 rows every fourth validates. The others make three batches of "
    "one size."
)
def test_the_rows(left: dict[str, Ran]) -> None:
    names = left["data"].names
    assert len(names["x"]) == 268
    np.testing.assert_array_equal(names["valid_x"], X[3::4])
    sizes = [len(x) for x, _ in names["batches"]]
    assert sizes == [67] * 3
    used = tf.concat([x for x, _ in names["batches"]], 0)
    rows = {*used.numpy(), *names["valid_x"].numpy()}
    assert rows == {*X.numpy()}


@says(
    "The step is compiled and returns its loss. An epoch is a step with each "
    "batch."
)
@says("Return a compiled step; it returns the loss before its update.")
@says("Take a step with each batch; return the mean of their losses.")
@says(
    "Its loss is the plain mean of theirs, which is right only because they "
    "are equally large; otherwise [weight each with its "
    "rows](traps.md#17-a-mean-of-batch-means)."
)
def test_the_step_and_the_epoch() -> None:
    model = KerasLinearModel()
    step: Any = make_step(model, SGD(0.03))
    losses = [float(step(x, y)) for x, y in BATCHES]
    np.testing.assert_allclose(losses, descend(1, 0.03)[0], rtol=1e-4)
    assert step.experimental_get_tracing_count() == 1
    columns = X[:, tf.newaxis], Y[:, tf.newaxis]
    for called in (False, True):
        lazy: Any = tf.keras.Sequential([tf.keras.layers.Dense(1)])
        if called:
            lazy(columns[0])
        step = make_step(lazy, SGD(0.03))
        if called:
            assert float(step(*columns)) > float(step(*columns))
            continue
        with pytest.raises(ValueError, match="Unknown variable"):
            step(*columns)
    taken: list[Any] = []

    def keeps(x: Any, y: Any) -> Any:
        taken.append((x, y))
        return x - y

    batches: Any = [(3.0, 1.0), (5.0, 2.0)]
    assert train_epoch(keeps, batches) == 2.5
    assert len({len(x) for x, _ in BATCHES}) == 1

    def mean_square(x: Any, _: Any) -> Any:
        return np.mean(np.square(x))

    for rows, is_right in (([0, 1], True), ([0, 1, 2], False)):
        parts: Any = [(np.array(rows), None), (np.array([3, 4]), None)]
        whole = np.mean(np.square([*rows, 3, 4]))
        assert (train_epoch(mean_square, parts) == whole) == is_right
    assert taken == batches


# A progress bar


@says(
    "A bar rewrites its own line as often as something happens, and both bars "
    "below show times."
)
@says("With `interval=0` these bars draw every step.")
@says(
    "As it comes, a bar draws at most every 0.05 seconds, and at its last "
    "step."
)
def test_bars_rewrite_their_line_and_show_times(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(time, "time", lambda: now)
    for interval, drawn in (({"interval": 0}, 100), ({}, 21)):
        monkeypatch.setitem(sys.modules, "ipykernel", mock.Mock())
        now = 1.0
        bar = BAR(100, **interval)
        for step in range(1, 101):
            now += 0.01
            bar.update(step)
        text = capsys.readouterr().out
        assert drawn - 2 <= text.count("\r") <= drawn
        assert len(screen(text.encode()).splitlines()) == 1
        assert "ms/step" in text
    bar, texts = BAR(3), []
    for step in range(1, 4):  # in no time
        bar.update(step)
        texts.append(capsys.readouterr().out)
    assert texts[0] != texts[1] == ""
    assert "3/3" in texts[2]
    monkeypatch.undo()
    list(tqdm(range(3)))
    text = capsys.readouterr().err
    assert len(screen(text.encode()).splitlines()) == 1
    assert "it/s" in text


@says(
    "The pages of this site show what a terminal would show in the end, the "
    "same in every run."
)
@says(
    "So here bars draw into a `StringIO`, and we look at what they have drawn."
)
def test_pages_show_what_a_terminal_would_show_in_the_end(
    left: dict[str, Ran],
) -> None:
    assert screen(b"1/2\r2/2\n") == "2/2\n"
    assert screen(b"a\bb") == "b"
    assert vars(importlib.import_module("engine.keep.records"))["screen"] is (
        screen
    )
    for section in ("progbar", "progbar_mean", "tqdm", "tqdm_tensor"):
        assert re.search(r"screen.* = io\.StringIO\(\)", CODES[section])
        assert "screen.getvalue()" in CODES[section]
        now = screen(left[section].output.encode()).rstrip("\n")
        assert same(printed(WATCH, section), now, TOLERANCE)
        assert not re.search(r"\d(s|ms)/|it/s", now)


@says(
    "A bar ends with another loss than it showed | [Progbar](#keras-progbar)"
)
@says(
    "The bar shows the average of what it was told, until the last step: then "
    "it shows that step's value alone."
)
@says(
    "What stays on your screen is the loss of the last batch, "
    "{{ losses[-1]:.2f }}, and not that of the epoch, {{ mean:.2f }}."
)
@says(
    "Tell it how many steps there will be, and after each step a list of "
    "names and values."
)
@says(
    "The function finds in what the bar has drawn the losses that it showed; "
    "`chr(8)` is a step back."
)
@says("Return each loss that a bar of Keras has drawn.")
def test_the_bar_of_keras_ends_with_the_last_batch() -> None:
    assert "The bar shows the average" in sections(WATCH)["keras-progbar"]
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        bar = BAR(4, interval=0)
        for step, value in enumerate((8.0, 4.0, 3.0, 1.0), start=1):
            bar.update(step, [("loss", value)])
    assert losses_in(output.getvalue()) == ["8.00", "6.00", "5.00", "1.00"]
    assert screen(output.getvalue().encode()).rstrip().endswith("loss: 1.0000")
    assert chr(8) == "\b"
    assert screen(b"ab" + chr(8).encode() + b"c") == "ac"
    losses = descend(1, 0.03)[0]
    kept = record(WATCH)
    for name, due in (
        ("losses[-1]:.2f", losses[-1]),
        ("mean:.2f", np.mean(losses)),
    ):
        assert float(kept[name]) == pytest.approx(due, abs=0.01)


@says("`tf.keras.utils.Progbar` is the bar of `fit`.")
@says(
    "Average by yourself, and name the value among the `stateful_metrics`, "
    "which are shown as they are."
)
@says("`fit` averages by itself as well, and has everything shown as it is.")
def test_fit_averages_by_itself(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = importlib.import_module("keras.src.callbacks.progbar_logger")
    assert logger.Progbar is BAR
    every = functools.partial(BAR, interval=0)
    monkeypatch.setattr(logger, "Progbar", every)
    losses = descend(1, 0.03)[0]
    means = [np.mean(losses[:count]) for count in (1, 2, 3)]
    fit_all(compiled(), verbose=1)
    text = capsys.readouterr().out
    shown = [float(part.split("\b")[0]) for part in text.split("loss: ")[1:]]
    assert shown[:3] == pytest.approx(means, rel=1e-3)
    assert shown[-1] == pytest.approx(means[-1], rel=1e-3)
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        bar = BAR(3, interval=0, stateful_metrics=["loss"])
        for step, value in enumerate((8.0, 6.0, 5.0), start=1):
            bar.update(step, [("loss", value)])
    assert losses_in(output.getvalue()) == ["8.00", "6.00", "5.00"]


@says("The loss jumps at the beginning of each epoch")
@says(
    "The loss drops or goes up at the start of each epoch | [A "
    "saw](#the-loss-jumps-at-the-beginning-of-each-epoch)"
)
@says(
    "In the bar of `fit`, the training loss may drop suddenly at the start "
    "of every epoch, like a saw, and so may what your loop prints."
)
@says("That mean is what a bar shows.")
def test_the_bar_of_fit_jumps(capsys: pytest.CaptureFixture[str]) -> None:
    fit_all(compiled(), epochs=3, verbose=1)
    text = re.sub(r"\x1b\[[\d;]*m|\x08", "", capsys.readouterr().out)
    shown = [float(n) for n in re.findall(r"loss: (\d+\.\d+)", text)]
    means = [
        np.mean(descend(3, 0.03)[0][start : start + count])
        for start in range(0, 9, 3)
        for count in (1, 2, 3)
    ]
    nearest = [int(np.argmin(np.abs(np.array(means) - n))) for n in shown]
    for value, place in zip(shown, nearest, strict=True):
        assert value == pytest.approx(means[place], abs=0.001)
    assert {0, 3, 6} <= {*nearest}
    assert means[3] < means[2] - 1


@says(
    "The loss by step: that of each batch falls with every step, from ten "
    "to below two, while the mean of the epoch so far lies above it, falls "
    "more slowly within each epoch of three steps, and drops back onto it "
    "with the first step of the next"
)
@says(
    "From the third step to the fourth the mean falls from "
    "{{ so_far[2]:.2f }} to {{ so_far[3]:.2f }}, and the loss of the batch "
    "only from {{ by_batch[2]:.2f }}."
)
@says("The model did not jump.")
@says(
    "A mean over the epoch also counts its first batches, from when the "
    "model knew less, and a new epoch begins it anew."
)
def test_the_mean_of_the_epoch_so_far(left: dict[str, Ran]) -> None:
    names = left["sawtooth"].names
    batch, mean = np.array(names["by_batch"]), np.array(names["so_far"])
    np.testing.assert_allclose(batch, descend(6, 0.03)[0], rtol=1e-4)
    epochs = batch.reshape(6, 3)
    due = np.cumsum(epochs, axis=1) / [1, 2, 3]
    np.testing.assert_allclose(mean.reshape(6, 3), due, rtol=1e-5)
    assert batch[0] == pytest.approx(10, abs=0.1)
    assert batch[-1] < 2
    falls = -np.diff(batch)
    assert (falls > 0).all()
    np.testing.assert_array_equal(mean[::3], batch[::3])
    assert (mean.reshape(6, 3)[:, 1:] > epochs[:, 1:]).all()
    within = -np.diff(mean.reshape(6, 3), axis=1)
    assert (within < -np.diff(epochs, axis=1)).all()
    jumps = mean[2:-1:3] - mean[3::3]
    assert (jumps > 2 * falls[2::3]).all()
    [axes] = figure(WATCH, "plot_sawtooth")
    assert {"of each batch", "mean of the epoch so far"} == {*axes.points}
    kept = [
        float(record(WATCH)[value])
        for value in ("so_far[2]:.2f", "so_far[3]:.2f", "by_batch[2]:.2f")
    ]
    assert kept == pytest.approx([mean[2], mean[3], batch[2]], abs=0.006)


@says("Other saws are real:")
@says(
    "**It goes up with the first batch of each epoch**: the rows stand in "
    "an order, and the batches are not shuffled, so the first one has the "
    "hardest rows each time. [Shuffle](usual_parts.md#why-shuffle)."
)
def test_rows_in_an_order() -> None:
    def losses(order: Any) -> Any:
        x, y = tf.gather(X, order), tf.gather(Y, order)
        model = KerasLinearModel()
        step = make_step(model, SGD(0.03))
        parts = [slice(start, start + 67) for start in (0, 67, 134)]
        return np.array(
            [[float(step(x[p], y[p])) for p in parts] for _ in range(3)]
        )

    in_order = losses(np.arange(201))
    assert (in_order[:, 0] > 2 * in_order[:, 1]).all()
    assert (in_order[1:, 0] > 3 * in_order[:-1, -1]).all(), "a jump up"
    mixed = losses(np.random.default_rng(0).permutation(201))
    assert (mixed[1:, 0] < mixed[:-1, -1]).all()
    assert "### Why shuffle?" in (DOCS / "usual_parts.md").read_text("utf-8")


@says(
    "**It goes up after the first step of each epoch**: the optimizer is "
    "made inside of the loop over epochs. A new Adam takes its first step at "
    "full length, whether the gradient is large or small. Make it once, "
    "before the loop."
)
def test_an_optimizer_made_in_each_epoch() -> None:
    def last(anew: bool) -> Any:
        def made() -> Any:
            step: Any = make_step(model, tf.keras.optimizers.Adam(0.3))
            return step.python_function

        model, losses = KerasLinearModel(), []
        step = made()
        for _ in range(20):
            if anew:
                step = made()
            losses.append([float(step(x, y)) for x, y in BATCHES])
        return np.array(losses[-4:])

    once, anew = last(anew=False), last(anew=True)
    assert (once[:, 1] < once[:, 0]).all()
    assert (anew[:, 1] > anew[:, 0]).all(), "a jump up"
    for gradient in (1.0, 1e-3):
        weight = tf.Variable(0.0)
        adam = tf.keras.optimizers.Adam(0.3)
        adam.apply([tf.constant(gradient)], [weight])
        assert float(weight) == pytest.approx(-0.3, rel=1e-2)


@says(
    "**It drops with every epoch, and is level within**: a model that "
    "learns its rows by heart gains only when it meets them again."
)
@says("Look at the loss of [validation](usual_parts.md#too-little-data).")
def test_rows_learned_by_heart() -> None:
    """A model that has a number for each row, and so nothing in common."""
    y = tf.constant(np.tile([1.0, -1.0], 12), tf.float32)
    weights = tf.Variable(tf.zeros(24))
    losses = []
    for _ in range(3):
        for rows in np.arange(24).reshape(3, 8):
            with tf.GradientTape() as tape:
                errors = tf.gather(weights, rows) - tf.gather(y, rows)
                loss = tf.reduce_mean(errors**2)
            weights.assign_sub(
                2 * tf.convert_to_tensor(tape.gradient(loss, weights))
            )
            losses.append(float(loss))
    assert losses == pytest.approx([1.0] * 3 + [0.25] * 3 + [0.0625] * 3)
    usual = (DOCS / "usual_parts.md").read_text("utf-8")
    assert "*overfitting*" in usual.partition("### Too little data")[2]


@says(
    "Wrap what you loop over in `tqdm`. If that has a length, it draws a bar, "
    "and writes what you like behind it."
)
@says(
    "In a loop of yours leave out `file=` and `bar_format=`: the bar then "
    "draws on standard error and has times."
)
@says(
    "Where there is no terminal, as in the log of a cluster, `disable=None` "
    "leaves it out."
)
def test_tqdm(capsys: pytest.CaptureFixture[str]) -> None:
    bar = tqdm([1, 2, 3])
    for number in bar:
        bar.set_postfix_str(f"said {number}")
    shown = capsys.readouterr()
    assert shown.out == ""
    last = shown.err.split("\r")[-1]
    assert re.search(r"100%\|\S+\| 3/3 \[00:00<00:00, .*it/s, said 3\]", last)
    list(tqdm(iter([1, 2, 3])))
    assert "|" not in capsys.readouterr().err
    list(tqdm(range(3), disable=None))
    assert capsys.readouterr().err == ""


@says("A bar says `loss=tf.Tensor(…)` | [tqdm](#tqdm-in-a-training-loop)")
@says(
    "Hand `set_postfix` a number or a text. Of a tensor it shows everything:"
)
def test_tqdm_shows_all_of_a_tensor() -> None:
    assert "set_postfix" in sections(WATCH)["tqdm-in-a-training-loop"]
    shown = []
    for value in (tf.constant(0.5), 0.5, "0.5"):
        output = io.StringIO()
        bar = tqdm([1], file=output, bar_format="{postfix}")
        bar.set_postfix(loss=value)
        bar.close()
        shown.append(output.getvalue().split("\r")[-1].strip())
    tensor, *others = shown
    assert tensor == ", loss=tf.Tensor(0.5, shape=(), dtype=float32)"
    assert others == [", loss=0.5", ", loss=0.5"]
    assert "loss=tf.Tensor(" in printed(WATCH, "tqdm_tensor")


def drawn(write: Callable[[Any, io.StringIO], object]) -> list[str]:
    """Return what a terminal shows of a bar over one step, and a text."""
    output = io.StringIO()
    bar = tqdm([1], file=output, bar_format="{n_fmt}/{total_fmt}")
    for _ in bar:
        write(bar, output)
    return screen(output.getvalue().encode()).splitlines()


@says(
    "And do not `print` while a bar is drawn, or the rest of the bar lands on "
    "a new line."
)
@says('`bar.write("…")` prints above it.')
def test_print_breaks_the_line_of_a_bar() -> None:
    broken = drawn(lambda bar, output: print(" text", file=output))
    assert broken == ["0/1 text", "1/1"]
    above = drawn(lambda bar, output: bar.write("text", file=output))
    assert above == ["text", "1/1"]


# A log


@says(
    "`logging`, of Python's standard library, sends each message to the "
    "handlers that you name, here the screen and a file."
)
@says("A bar is gone when the terminal is. A log stays.")
def test_the_log(left: dict[str, Ran]) -> None:
    assert "logging" in sys.stdlib_module_names
    kept = {path.name for path in left["log"].folder.iterdir()}
    bars = ("progbar", "progbar_mean", "tqdm", "tqdm_tensor")
    assert all("open(" not in CODES[section] for section in bars)
    assert "train.log" in kept
    losses = epoch_losses(10, 0.03)
    messages = [f"epoch {n}: loss {losses[n - 1]:.2f}" for n in (5, 10)]
    shown = printed(WATCH, "log_loop").splitlines()
    assert shown[:2] == messages
    lines = (left["log"].folder / "train.log").read_text().splitlines()
    assert [line.split(maxsplit=2)[2] for line in lines] == messages


@says("`log.info` prints nothing, or everything twice | [A log](#a-log)")
@says(
    "Without `setLevel`, `log.info` prints nothing, anywhere: a new logger "
    "has the level of the root logger, which passes on warnings and what is "
    "worse."
)
@says(
    "With `addHandler`, a cell of a notebook that runs twice adds a second "
    "one, and each message is printed twice. So it is without `propagate = "
    "False` if the root logger has a handler, as `basicConfig` gives it one."
)
def test_levels_and_handlers(capsys: pytest.CaptureFixture[str]) -> None:
    assert "`log.info` prints nothing" in sections(WATCH)["a-log"]
    root = subprocess.run(
        [sys.executable, "-c", "import logging; print(logging.root.level)"],
        capture_output=True,
        text=True,
    )
    assert int(root.stdout) == logging.WARNING
    log = logging.getLogger("train")
    log.setLevel(logging.NOTSET)
    log.handlers = [logging.StreamHandler(sys.stdout)]
    assert log.getEffectiveLevel() == logging.root.level
    for say, level in ((log.info, 20), (log.warning, 30), (log.error, 40)):
        say("text")
        is_said = level >= logging.root.level
        assert capsys.readouterr().out == "text\n" * is_said
    log.setLevel(logging.INFO)
    log.handlers = []
    for _ in range(2):
        log.addHandler(logging.StreamHandler(sys.stdout))
    log.info("text")
    assert capsys.readouterr().out == "text\ntext\n"
    for _ in range(2):
        execute("watch", statements("watch", "log"), {**globals()})
    log.info("text")
    assert capsys.readouterr().out == "text\n"
    of_root = logging.StreamHandler(sys.stdout)
    logging.root.addHandler(of_root)
    try:
        for log.propagate in (False, True):
            log.info("text")
            shown = capsys.readouterr().out
            assert shown == "text\n" * (1 + log.propagate)
    finally:
        logging.root.removeHandler(of_root)
    program = (
        "import logging\n"
        "logging.basicConfig()\n"
        "print(len(logging.root.handlers))\n"
    )
    root = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True
    )
    assert int(root.stdout) == 1


@says("`flush` writes each row at once.")
@says(
    "Without it, rows wait in memory, and a training that is killed takes "
    "them along."
)
@pytest.mark.parametrize("flush", ["file.flush()", "pass"])
def test_rows_wait_in_memory(flush: str) -> None:
    program = f"""
import csv, os, signal
file = open("history.csv", "w", newline="")
table = csv.writer(file)
for epoch in range(3):
    table.writerow([epoch, 0.5])
    {flush}
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", program])
    assert killed.returncode == -signal.SIGKILL
    rows = Path("history.csv").read_text().splitlines()
    assert len(rows) == (3 if "flush" in flush else 0)
    assert "        file.flush()" in CODES["csv"]


# TensorBoard


@says(
    "TensorBoard draws what a training writes into *event files*, while the "
    "training runs."
)
@says(
    "TensorFlow writes them; the program that draws is a package of its own."
)
@says(
    "TensorBoard draws a chart for each name and a line for each folder, so "
    "training and validation get a folder each, and the same name."
)
@says(
    "Of two runs in one folder the steps begin again in the middle, and so "
    "does the line."
)
def test_tensorboard_draws_what_is_being_written(left: dict[str, Ran]) -> None:
    multiplexer = importlib.import_module(
        "tensorboard.backend.event_processing.plugin_event_multiplexer"
    ).EventMultiplexer
    seen = multiplexer().AddRunsFromDirectory("logs")
    writer = tf.summary.create_file_writer("logs/training")
    with writer.as_default():
        for step in (1, 2):
            tf.summary.scalar("loss", 0.5, step=step)
            writer.flush()
            seen.AddRunsFromDirectory("logs").Reload()
            assert len(seen.Tensors("training", "loss")) == step
    assert importlib.metadata.version("tensorboard")
    written = left["write"].folder / "logs"
    both = multiplexer().AddRunsFromDirectory(str(written)).Reload()
    found = both.PluginRunToTagToContent("scalars")
    for run in ("training", "validation", "runs/slow", "runs/fast", "both"):
        assert [*found[run]] == ["loss"]
    line = [event.step for event in both.Tensors("both", "loss")]
    assert line == [1, 2, 3, 1, 2, 3]


@says(
    "`TBNotInstalledError` | [TensorBoard is not "
    "installed](#tensorboard-is-not-installed)"
)
@says(
    "TensorFlow 2.21 no longer brings TensorBoard along. Without it, "
    "`tf.summary.scalar` fails as well, and so do `histogram`, `image`, "
    "`audio` and `text`."
)
@says("Here it is hidden for a moment, to show the message.")
@says("The mend is `pip install tensorboard`.")
def test_without_tensorboard(left: dict[str, Ran]) -> None:
    assert "not_installed" in sections(WATCH)["tensorboard-is-not-installed"]
    required: list[str] = []
    for name in ("tensorflow", "tensorflow-cpu"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            required += importlib.metadata.requires(name) or []
    brings = any(need.startswith("tensorboard") for need in required)
    version = tuple(map(int, tf.__version__.split(".")[:2]))
    assert required
    assert brings == (version < (2, 21))
    files = importlib.metadata.files("tensorboard") or []
    assert any(str(file) == "tensorboard/summary/v2.py" for file in files)
    hidden = mock.patch.dict(sys.modules, {"tensorboard.summary.v2": None})
    assert '{"tensorboard.summary.v2": None}' in CODES["not_installed"]
    values = {
        "scalar": 1.0,
        "histogram": [1.0],
        "image": np.zeros((1, 2, 2, 1)),
        "audio": np.zeros((1, 2, 1), np.float32),
        "text": "text",
    }
    for name, value in values.items():
        rate = {"sample_rate": 2} if name == "audio" else {}
        write = functools.partial(
            getattr(tf.summary, name), name, value, **rate
        )
        with hidden, pytest.raises(Exception, match="not inst") as raised:
            write(step=1)
        assert raised.typename == "TBNotInstalledError"
        assert write(step=1) is not None
    with hidden:
        assert tf.summary.write("scalar", 1.0, step=1) is not None
    assert type(left["not_installed"].error).__name__ == raised.typename


@says("It prints an address to open in a browser.")
def test_tensorboard_prints_its_address(
    capsys: pytest.CaptureFixture[str],
) -> None:
    program = importlib.import_module("tensorboard.program")
    url = "http://localhost:6006/"
    server = object.__new__(program.WerkzeugServer)
    server._flags = types.SimpleNamespace(host=None, bind_all=False)
    server._url = url
    server.print_serving_message()
    assert url in capsys.readouterr().err
    assert "\ntensorboard --logdir logs\n" in SOURCE


@says(
    "What it draws can be read without it, too: an event file is a file of "
    "records, as `tf.data` reads them."
)
@says("Return the (step, value) of each scalar in a folder, as written.")
@says(
    "The loss of training is the mean over an epoch in which the model "
    "improved, and the loss of validation is taken after it. So at first, "
    "while every epoch improves much, the second is the lower one."
)
@says(
    "The loss by epoch as read from the event files: the lines of training "
    "and validation both fall from above seven towards one, the validation "
    "below the training at first"
)
def test_what_was_written_is_read_back(left: dict[str, Ran]) -> None:
    folder = left["write"].folder / "logs"
    losses, validation = epoch_losses(10, 0.03), descend(10, 0.03)[1]
    [axes] = figure(WATCH, "read")
    for name, due in (("training", losses), ("validation", validation)):
        points = read_events(str(folder / name))
        assert [step for step, _ in points] == [*range(1, 11)]
        np.testing.assert_allclose([v for _, v in points], due, rtol=1e-4)
        drawn = axes.points[name].y
        assert drawn == pytest.approx(due, rel=1e-3)
        assert drawn[0] > 7 > 1.4 > drawn[-1] > 1
        assert drawn == sorted(drawn, reverse=True)
    lower = [v < t for t, v in zip(losses, validation, strict=True)]
    assert lower == [True] * 5 + [False] * 5
    assert re.search(r"x: 'epoch'", axes.text)
    assert "tf.data.TFRecordDataset(" in CODES["read_events"]
    assert "tensorboard" not in CODES["read_events"]


@says(
    "The norm of the gradients, `tf.linalg.global_norm(gradients)`, is a "
    "scalar to write like any other. `tf.summary.histogram` takes the "
    "gradient of a layer itself."
)
def test_gradients_are_written() -> None:
    w = tf.Variable([[3.0], [4.0]])
    with tf.GradientTape() as tape:
        current_loss = tf.reduce_sum(tf.square(w)) / 2.0
    gradients = tape.gradient(current_loss, [w])
    with tf.summary.create_file_writer("gradients").as_default(step=1):
        norm = tf.linalg.global_norm(gradients)
        assert tf.summary.scalar("norm", norm)
        assert tf.summary.histogram("w", gradients[0])
    [path] = Path("gradients").glob("events.*")
    values = {
        value.tag: tf.make_ndarray(value.tensor)
        for record in tf.data.TFRecordDataset(str(path))
        for value in tf.compat.v1.Event.FromString(
            record.numpy()
        ).summary.value
    }
    assert float(values["norm"]) == 5.0
    assert values["w"][:, 2].sum() == 2.0


@says(
    "Values wait in the writer until its `with` block ends or you call "
    "`writer.flush()`."
)
@says(
    "One that comes when ten wait, or two minutes after they were last "
    "written, takes all of them along."
)
def test_when_a_writer_writes() -> None:
    writer = tf.summary.create_file_writer("logs")
    counts = []
    with writer.as_default():
        for step in range(12):
            tf.summary.scalar("loss", 1.0, step=step)
            if step > 8:
                counts.append(len(read_events("logs")))
        writer.flush()
        counts.append(len(read_events("logs")))
        tf.summary.scalar("loss", 1.0, step=12)
        counts.append(len(read_events("logs")))
    counts.append(len(read_events("logs")))
    assert counts == [0, 11, 11, 12, 12, 13]
    described = " ".join((tf.summary.create_file_writer.__doc__ or "").split())
    assert "between flushes. Defaults to 120,000." in described
    writer = tf.summary.create_file_writer("quick", flush_millis=50)
    with writer.as_default():
        tf.summary.scalar("loss", 1.0, step=1)
        assert read_events("quick") == []
        time.sleep(0.06)
        tf.summary.scalar("loss", 1.0, step=2)
        assert len(read_events("quick")) == 2


@says("`ValueError: No step set` | [Without a step](#without-a-step)")
@says("Each value needs a step, its place on the horizontal axis.")
@says(
    "The step may also be given to the block, as in "
    "`as_default(step=epoch)`, or be that of the optimizer, "
    "`step=optimizer.iterations`."
)
def test_the_step_of_a_value(left: dict[str, Ran]) -> None:
    assert "no_step" in sections(WATCH)["without-a-step"]
    assert str(left["no_step"].error).startswith("No step set")
    optimizer, variable = SGD(0.1), tf.Variable(1.0)
    optimizer.build([variable])
    writer = tf.summary.create_file_writer("logs")
    with writer.as_default(step=7):
        tf.summary.scalar("loss", 0.5)
        for _ in range(2):
            optimizer.apply([tf.constant(1.0)], [variable])
            tf.summary.scalar("loss", 0.5, step=optimizer.iterations)
    assert [step for step, _ in read_events("logs")] == [7, 1, 2]
    [axes] = figure(WATCH, "read")
    assert axes.points["training"].x == [*range(1, 11)]


@says("TensorBoard shows no data | [Without a writer](#without-a-writer)")
@says(
    "Forget the writer instead, and nothing is said. The value is not written."
)
@says(
    "A compiled function makes up its mind when it is traced. This one writes "
    "a value at a step."
)
@says("Its first call, to warm up, has no writer. The others have.")
@says(
    "There was no writer when the graph was made, so it has nothing that "
    "writes."
)
@says("Write a value at the step that is handed over.")
def test_without_a_writer(left: dict[str, Ran]) -> None:
    assert "no_writer" in sections(WATCH)["without-a-writer"]
    assert not left["no_writer"].names["written"]
    for section in ("no_writer", "traced_early"):
        assert left[section].warned == []
    assert left["traced_early"].names["points"] == []
    first, block = CODES["traced_early"].split("with tf.summary.create")
    assert "compiled(tf.constant(0.0)" in first
    assert "compiled(" in block
    record_step(tf.constant(0.5), tf.constant(3, tf.int64))
    with tf.summary.create_file_writer("logs").as_default():
        record_step(tf.constant(0.5), tf.constant(4, tf.int64))
    assert read_events("logs") == [(4, 0.5)]

    def writes(function: Any) -> bool:
        made = function.get_concrete_function(
            tf.constant(0.0), tf.constant(0, tf.int64)
        )
        return "WriteSummary" in str(made.graph.as_graph_def())

    assert not writes(left["traced_early"].names["compiled"])
    with tf.summary.create_file_writer("logs").as_default():
        assert writes(tf.function(record_step))


@says("All points stand at one step | [A step of Python](#a-step-of-python)")
@says("The other way round, a step that is no tensor freezes in the graph.")
@says("Write a value at the step that the clock says.")
@says("Three values, all at the first step.")
@says("**The check** reads the steps back.")
def test_a_step_of_python(left: dict[str, Ran]) -> None:
    assert "clocked" in sections(WATCH)["a-step-of-python"]
    points = left["clocked"].names["points"]
    assert points == [(1, 10.0), (1, 20.0), (1, 30.0)]
    assert left["clocked"].warned == []
    with tf.summary.create_file_writer("logs").as_default():
        for clock["step"] in (4, 5):
            record_by_clock(tf.constant(0.5))
    assert read_events("logs") == [(4, 0.5), (5, 0.5)]
    points = left["stepped"].names["points"]
    assert points == [(1, 10.0), (2, 20.0), (3, 30.0)]
    check = statements("watch_tensorboard", "stepped")[-1:]
    assert "step for step, _ in points" in ast.unparse(check[0])
    for section in ("clocked", "traced_early"):
        names = dict(left[section].names)
        with pytest.raises(AssertionError):
            execute("watch_tensorboard", check, names)


@says(
    "More on what freezes in a graph stands among the [silent "
    "failures](traps.md#8-a-number-frozen-in-a-graph)."
)
@says(
    "Mistakes that raise no error, and checks for them: [Silent "
    "failures](traps.md)."
)
@says(
    "To stop a training and go on with it: [Save, stop, "
    "resume](save_and_resume.md)."
)
@says(
    "In a loop of your own a [checkpoint with the epoch in "
    "it](save_and_resume.md) is the shorter way."
)
def test_what_other_pages_have() -> None:
    traps = (DOCS / "traps.md").read_text("utf-8")
    assert "## 8. A number frozen in a graph" in traps
    assert len(re.findall(r"\*\*The checks?\*\*", traps)) == 17
    saving = "\n".join(block.code for block in read("save_and_resume").blocks)
    assert "tf.train.Checkpoint" in saving
    assert re.search(r"epoch.*tf\.Variable\(", saving)
    assert ".read(" in saving


# Callbacks


class Told(CALLBACKS.Callback):  # type: ignore[name-defined]
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


@says(
    "Keras' callbacks act when they are told what happens. In `fit` that is "
    "done for you. In a loop of your own a `CallbackList` passes each call on "
    "to all of them."
)
@says("Train, and tell the callbacks what fit would tell them.")
def test_the_loop_tells_what_fit_tells() -> None:
    model, by_loop, by_fit, other = KerasLinearModel(), Told(), Told(), Told()
    step = make_step(model, SGD(0.03))
    both = CallbackList([by_loop, other], model=model)
    callback_loop(step, BATCHES, both, 2)
    fit_all(compiled(), callbacks=[by_fit], epochs=2)
    assert by_loop.calls == by_fit.calls == other.calls
    assert len(by_loop.calls) == 18


class StopsAt(CALLBACKS.Callback):  # type: ignore[name-defined]
    """Asks for a stop in a batch."""

    def __init__(self, batch: int) -> None:
        super().__init__()
        self.batch = batch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if batch == self.batch:
            self.model.stop_training = True


@says(
    "`… object has no attribute 'stop_training'` | "
    "[Callbacks](#callbacks-in-a-loop-of-your-own)"
)
@says(
    "A model that was never compiled has no `stop_training`, hence the first "
    "line."
)
@says(
    "A callback that wants the loop to end sets `stop_training`, and you have "
    "to look."
)
@says("Take a step with each batch, until a callback says stop.")
def test_the_loop_stops_where_a_callback_says() -> None:
    assert (
        "callback_loop" in sections(WATCH)["callbacks-in-a-loop-of-your-own"]
    )
    message = "'KerasLinearModel' object has no attribute 'stop_training'"
    with pytest.raises(AttributeError, match=message):
        _ = KerasLinearModel().stop_training
    assert not compiled().stop_training
    first = CODES["callback_loop"].split('"""\n')[1].strip().split("\n")[0]
    assert first == "callbacks.model.stop_training = False"
    model, told = KerasLinearModel(), Told()
    step = make_step(model, SGD(0.03))
    callbacks = CallbackList([told, StopsAt(1)], model=model)
    callback_loop(step, BATCHES, callbacks, epochs=5)
    names = [name for name, *_ in told.calls]
    assert names.count("on_train_batch_end") == 2
    assert names.count("on_epoch_end") == 1
    model.stop_training = False
    batches: Any = [([3.0] * 3, 1.0), ([6.0], 0.0), ([9.0] * 4, 0.0)]
    assert callback_epoch(lambda x, y: x[0] - y, batches, callbacks) == 3.0
    for _ in range(3):  # who does not look goes on
        callbacks.on_train_batch_end(1, {"loss": 1.0})
    assert model.stop_training


@says(
    "The loss of an epoch is the mean over its rows, as in `fit`: a last "
    "batch that is smaller counts for less."
)
def test_an_epoch_counts_rows() -> None:
    pairs = zip(BATCHES, (67, 67, 5), strict=True)
    cut = [(x[:rows], y[:rows]) for (x, y), rows in pairs]
    model = KerasLinearModel()
    model.stop_training = False
    step, callbacks = make_step(model, SGD(0.0)), CallbackList(model=model)
    found = callback_epoch(step, cut, callbacks)
    x, y = (tf.concat(parts, 0) for parts in zip(*cut, strict=True))
    fitted = compiled(optimizer=SGD(0.0)).fit(
        x, y, batch_size=67, shuffle=False, verbose=0
    )
    wanted = np.mean((5.0 * x.numpy() - y.numpy()) ** 2)
    assert found == pytest.approx(wanted, rel=1e-5)
    assert fitted.history["loss"] == pytest.approx([wanted], rel=1e-5)
    by_batch = [float(step(*pair)) for pair in cut]
    assert abs(np.mean(by_batch) - wanted) > 0.01


@says("`EarlyStopping` ends this training, and `CSVLogger` writes it down.")
@says("Both count epochs from 0.")
@says(
    "`CSVLogger` takes its columns from the first epoch. If none of them is "
    "of validation, it adds one to each. It leaves out what later epochs add. "
    "And it takes a tensor for a list, `Cannot iterate over a scalar tensor`: "
    "put numbers into `logs`, as `float` makes them."
)
@says("`CSVLogger` | the same names in all `logs`")
@says("`EarlyStopping` | what it monitors in `logs`; a loop that ends")
def test_stopping_and_writing_down(left: dict[str, Ran]) -> None:
    losses = epoch_losses(20, 0.1)
    last = next(i for i in range(1, 20) if losses[i - 1] - losses[i] < 0.01)
    columns, *lines = printed(WATCH, "stopping").splitlines()
    assert columns == "columns: epoch loss val_loss"
    assert lines[-1] == f"epoch {last}: loss {losses[last]:.4f}"
    assert left["stopping"].names["stopping"].stopped_epoch == last
    assert left["stopping"].names["rows"][0]["epoch"] == "0"
    written = []
    for extra in ({}, {"val_mae": 3.0}):
        logger = CALLBACKS.CSVLogger("log.csv")
        logger.on_train_begin()
        logger.on_epoch_end(0, {"loss": 2.0, "mae": 1.5, **extra})
        logger.on_epoch_end(1, {"loss": 1.0, "rate": 0.1})
        logger.on_train_end()
        written.append(Path("log.csv").read_text().split())
    logger = CALLBACKS.CSVLogger("log.csv")
    logger.on_train_begin()
    with pytest.raises(TypeError, match="Cannot iterate over a scalar tensor"):
        logger.on_epoch_end(0, {"loss": tf.constant(2.0)})
    logger.on_epoch_end(0, {"loss": float(tf.constant(2.0))})
    logger.on_train_end()
    assert written == [
        [
            "epoch,loss,mae,val_loss,val_mae",
            "0,2.0,1.5,NA,NA",
            "1,1.0,NA,NA,NA",
        ],
        ["epoch,loss,mae,val_mae", "0,2.0,1.5,3.0", "1,1.0,NA,NA"],
    ]


@says(
    "`… object has no attribute 'optimizer'` | [What each "
    "needs](#what-each-callback-needs)"
)
@says("Most need no more than these calls.")
@says(
    "To find out which do, run the loop with each of them: with the model "
    "alone, with `model.optimizer = optimizer`, and with what `fit` tells of "
    "its own arguments besides."
)
@says('Return the error that a loop with the callback raises, or "runs".')
@says(
    "The `AttributeError` is `'KerasLinearModel' object has no attribute "
    "'optimizer'`, and one line mends it."
)
@says(
    "`OrbaxCheckpoint`, which needs another package, and `RemoteMonitor`, "
    "which needs a server, were not tried."
)
def test_what_most_need(
    left: dict[str, Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "outcomes_shown" in sections(WATCH)["what-each-callback-needs"]
    kept = vars(CALLBACKS)
    names = {name for name in kept if name[0].isupper()}
    tried = {*OPTIONS} | {"Callback", "CallbackList"}
    assert names - tried == {"OrbaxCheckpoint", "RemoteMonitor"}
    monkeypatch.setitem(sys.modules, "orbax", None)
    monkeypatch.setitem(sys.modules, "orbax.checkpoint", None)
    with pytest.raises(ImportError):
        CALLBACKS.OrbaxCheckpoint("folder")
    assert inspect.signature(CALLBACKS.RemoteMonitor).parameters["root"]
    found = left["outcomes"].names
    alone, known, told = (found[name] for name in ("alone", "known", "told"))
    needy = [name for name in OPTIONS if alone[name] != "runs"]
    assert len(needy) == 4 < len(OPTIONS) / 2
    assert {alone[name] for name in needy} == {"AttributeError"}
    failing = {name: v for name, v in known.items() if v != "runs"}
    assert failing == {"SwapEMAWeights": "TypeError"}
    assert {*told.values()} == {"runs"}
    message = "'KerasLinearModel' object has no attribute 'optimizer'"
    for name in needy:
        model = KerasLinearModel()
        callback = getattr(CALLBACKS, name)(**OPTIONS[name])
        callbacks = CallbackList([callback], model=model)
        with pytest.raises(AttributeError, match=message):
            callback_loop(lambda x, y: x[0], BATCHES, callbacks, 1)
    params: dict[str, Any] = {}

    class Keeps(CALLBACKS.Callback):  # type: ignore[name-defined]
        def set_params(self, given: Any) -> None:
            params.update(given)

    fit_all(compiled(), callbacks=[Keeps()])
    assert {*params} == {"epochs", "steps", "verbose"}
    assert all(f'"{name}": ' in CODES["outcomes"] for name in params)
    raises = CALLBACKS.LambdaCallback(on_epoch_end=lambda: None)
    monkeypatch.setattr(CALLBACKS, "LambdaCallback", lambda **_: raises)
    error = outcome(
        "LambdaCallback", KerasLinearModel(), lambda x, y: x[0], BATCHES
    )
    assert error == "TypeError"


@says(
    "The `TypeError`, `'NoneType' object is not subscriptable`, is "
    "`SwapEMAWeights` looking for the number of epochs, which it needs with "
    "`swap_on_epoch=True`."
)
@says("`SwapEMAWeights` | `model.optimizer` with `use_ema=True`; see above")
def test_swapping_needs_the_number_of_epochs() -> None:
    swap = CALLBACKS.SwapEMAWeights

    def averaging() -> Any:
        return SGD(0.03, use_ema=True)

    model = trained(swap(swap_on_epoch=True), optimizer=averaging(), epochs=2)
    assert float(model.w) > float(trained().w) + 0.1, "the average"
    with pytest.raises(TypeError, match="'NoneType' object is not subscr"):
        trained(swap(swap_on_epoch=True), optimizer=averaging())
    trained(swap(), optimizer=averaging())
    with pytest.raises(ValueError, match="use_ema=True"):
        trained(swap(swap_on_epoch=True), epochs=2)


@says(
    "`BackupAndRestore` | a model that was called once; "
    "[more](#a-backup-that-cannot-come-back)"
)
def test_a_backup_needs_a_model_that_was_called() -> None:
    assert "backup" in sections(WATCH)["a-backup-that-cannot-come-back"]
    model = KerasLinearModel()
    backup = CALLBACKS.BackupAndRestore("backup")
    callbacks = CallbackList([backup], model=model)
    with pytest.raises(ValueError, match="is unbuilt"):
        callbacks.on_train_begin()
    model(X)
    callbacks.on_train_begin()


@says("`History` | nothing; its `history` has a list for each name")
@says("`LambdaCallback` | nothing")
@says(
    "A `ModelCheckpoint` that is to save the best and finds nothing to judge "
    "by warns, `Can save best model only with val_loss available`, and saves "
    "every epoch."
)
@says("`ModelCheckpoint` | with `save_best_only`: what it monitors in `logs`")
@says("`TensorBoard` | `model.optimizer`; the package")
@says("`ReduceLROnPlateau` | `model.optimizer`; what it monitors in `logs`")
def test_what_they_do_with_what_they_need() -> None:
    history, epochs = CALLBACKS.History(), []
    model = trained(
        CALLBACKS.ModelCheckpoint("best.keras", "loss", save_best_only=True),
        CALLBACKS.ModelCheckpoint("last.weights.h5", save_weights_only=True),
        history,
        CALLBACKS.LambdaCallback(
            on_epoch_end=lambda n, logs: epochs.append(n)
        ),
        CALLBACKS.TensorBoard("logs"),
        CALLBACKS.ReduceLROnPlateau(
            "loss", patience=0, min_delta=100, factor=0.1
        ),
    )
    losses = epoch_losses(2, 0.03)
    assert history.history["loss"] == pytest.approx(losses, rel=1e-3)
    history.on_epoch_end(2, {"loss": 0.5, "mae": 0.1})
    assert (history.history["mae"], len(history.history["loss"])) == ([0.1], 3)
    assert epochs == [0, 1]
    assert Path("best.keras").exists()
    assert Path("last.weights.h5").exists()
    assert len(read_events("logs/train")) > 0
    assert float(model.optimizer.learning_rate) == pytest.approx(0.003)
    each = CALLBACKS.ModelCheckpoint("{epoch}.keras", save_best_only=True)
    with pytest.warns(UserWarning, match="only with val_loss available"):
        trained(each)
    assert [*map(str, sorted(Path().glob("?.keras")))] == [
        "1.keras",
        "2.keras",
    ]
    with pytest.warns(UserWarning, match="`val_loss` which is not available"):
        trained(CALLBACKS.ReduceLROnPlateau())
    hidden = mock.patch.dict(
        sys.modules, {"tensorboard": None, "tensorboard.summary.v2": None}
    )
    with hidden, pytest.raises(Exception, match="not installed"):
        trained(CALLBACKS.TensorBoard("logs"))


@says(
    "Its file has to end in `.keras` or `.h5`, and with "
    "`save_weights_only=True` in `.weights.h5`; if not, it is a `ValueError: "
    "… the filepath provided must end in …`."
)
def test_what_the_file_of_a_checkpoint_ends_in() -> None:
    checkpoint = CALLBACKS.ModelCheckpoint
    checkpoint("best.keras")
    checkpoint("best.h5")
    checkpoint("best.weights.h5", save_weights_only=True)
    for name, weights in (
        ("best", False),
        ("best.h5", True),
        ("a.keras", True),
    ):
        with pytest.raises(ValueError, match="provided must end in `"):
            checkpoint(name, save_weights_only=weights)


@says("`LearningRateScheduler` | `model.optimizer`, its rate a number")
@says(
    "`LearningRateScheduler` raises a `TypeError` if the optimizer has a "
    "schedule already, and `ReduceLROnPlateau` does once it is to lower the "
    "rate."
)
def test_a_scheduler_needs_a_number() -> None:
    halve = CALLBACKS.LearningRateScheduler(lambda epoch, rate: rate / 2)
    rate = float(trained(halve).optimizer.learning_rate)
    assert rate == pytest.approx(0.03 / 4)
    schedule = tf.keras.optimizers.schedules.CosineDecay(0.1, 10)
    with pytest.raises(TypeError, match="LearningRateSchedule"):
        trained(halve, optimizer=SGD(schedule))


@says("already, and `ReduceLROnPlateau` does once it is to lower the rate.")
def test_a_plateau_needs_a_number_too() -> None:
    plateau = CALLBACKS.ReduceLROnPlateau("loss", factor=0.1, patience=1)
    model: Any = KerasLinearModel()
    told = CallbackList([plateau], model=model)

    def epochs(*losses: float) -> None:
        told.on_train_begin()
        for epoch, value in enumerate(losses):
            told.on_epoch_end(epoch, {"loss": value})

    model.optimizer = SGD(0.1)
    epochs(3.0, 3.0)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.01)
    schedule = tf.keras.optimizers.schedules.CosineDecay(0.1, 10)
    model.optimizer = SGD(schedule)
    epochs(3.0, 2.0, 1.0)
    with pytest.raises(TypeError, match="LearningRateSchedule"):
        epochs(3.0, 3.0)


@says("`KeyError: 'verbose'` | [What each needs](#what-each-callback-needs)")
@says("`ProgbarLogger` | `epochs=`, `steps=` and `verbose=`, or none of them")
@says(
    "`ProgbarLogger` with one or two of the three raises `KeyError: "
    "'verbose'`, or names another that is missing."
)
def test_the_bar_as_a_callback_needs_all_or_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole = {"epochs": 2, "steps": 3, "verbose": 1}
    model: Any = KerasLinearModel()
    messages = set()
    for count in range(4):
        for names in itertools.combinations(whole, count):
            told = {name: whole[name] for name in names}
            bar = CALLBACKS.ProgbarLogger()
            if count in (0, 3):
                CallbackList([bar], model=model, **told).on_epoch_begin(0)
                bar.on_train_batch_end(0, {"loss": 0.5})
                bar.on_epoch_end(0, {"loss": 0.5})
                assert "loss: 0.5" in capsys.readouterr().out
                continue
            with pytest.raises(KeyError) as raised:
                CallbackList([bar], model=model, **told)
            messages.add(str(raised.value))
            assert str(raised.value).strip("'") in {*whole} - {*names}
    assert messages == {"'verbose'", "'epochs'", "'steps'"}


@says("A loop that tells only of epochs is enough for many callbacks.")
@says(
    "Not so for `TerminateOnNaN`: it looks at the loss of batches and, "
    "without a word, at nothing else."
)
@says("`TerminateOnNaN` | the calls around each batch")
def test_terminate_on_nan_looks_at_batches(
    left: dict[str, Ran], capsys: pytest.CaptureFixture[str]
) -> None:
    enough = []
    nothing = {"on_train_batch_begin", "on_train_batch_end"}
    for name in OPTIONS:
        kind = getattr(CALLBACKS, name)
        base = CALLBACKS.Callback
        own = {*nothing, "on_batch_begin", "on_batch_end"}
        if all(getattr(kind, n) is getattr(base, n) for n in own):
            enough.append(name)
    assert len(enough) >= 6
    assert "TerminateOnNaN" not in enough
    model: Any = KerasLinearModel()
    model.stop_training = False
    guard = CALLBACKS.TerminateOnNaN()
    callbacks = CallbackList([guard], model=model)
    nan = float("nan")
    for tell_it in (callbacks.on_epoch_end, callbacks.on_epoch_begin):
        tell_it(0, {"loss": nan})
    callbacks.on_train_batch_end(0, {"other": nan})
    assert not model.stop_training
    assert capsys.readouterr().out == ""
    callbacks.on_train_batch_end(0, {"loss": nan})
    assert model.stop_training
    first, *_, last = printed(WATCH, "nan").splitlines()
    assert (first[-5:], last[-4:]) == ("False", "True")


@says(
    "`EarlyStopping` never stops | [Callbacks that do "
    "nothing](#callbacks-that-do-nothing)"
)
@says(
    "`EarlyStopping` watches `val_loss` unless you say otherwise. If your "
    "`logs` have none, it warns, `Early stopping conditioned on metric`, and "
    "never stops."
)
def test_early_stopping_without_what_it_watches() -> None:
    assert "never stops" in sections(WATCH)["callbacks-that-do-nothing"]
    model: Any = KerasLinearModel()
    stopping = CALLBACKS.EarlyStopping()
    assert stopping.monitor == "val_loss"
    callbacks = CallbackList([stopping], model=model)
    model.stop_training = False
    callbacks.on_train_begin()
    for epoch in range(3):
        with pytest.warns(UserWarning, match="Early stopping conditioned on"):
            callbacks.on_epoch_end(epoch, {"loss": 1.0})
    assert not model.stop_training
    for epoch in range(2):
        callbacks.on_epoch_end(epoch, {"val_loss": 1.0})
    assert model.stop_training


@says(
    "With `restore_best_weights=True` it brings the best weights back, in "
    "`on_train_end`; a loop that does not call that keeps the last ones."
)
@pytest.mark.parametrize("restores", [True, False])
def test_early_stopping_restores_at_the_end(restores: bool) -> None:
    model: Any = KerasLinearModel()
    options = {"restore_best_weights": True} if restores else {}
    stopping = CALLBACKS.EarlyStopping("loss", **options)
    callbacks = CallbackList([stopping], model=model)
    callbacks.on_train_begin()
    for epoch, value in enumerate((1.0, 2.0)):
        callbacks.on_epoch_end(epoch, {"loss": value})
        model.w.assign_add(1.0)
    assert float(model.w) == 7.0
    callbacks.on_train_end()
    assert float(model.w) == (5.0 if restores else 7.0)


@says("If the first value is NaN, no later one counts as better.")
@pytest.mark.parametrize("first", [float("nan"), 9.0])
def test_early_stopping_after_a_nan(first: float) -> None:
    model: Any = KerasLinearModel()
    model.stop_training = False
    stopping = CALLBACKS.EarlyStopping("loss", patience=2)
    callbacks = CallbackList([stopping], model=model)
    callbacks.on_train_begin()
    for epoch, value in enumerate((first, 3.0, 2.0, 1.0)):
        callbacks.on_epoch_end(epoch, {"loss": value})
    assert model.stop_training == np.isnan(first)
    assert (stopping.best == 1.0) == (not np.isnan(first))


@says(
    "`EarlyStopping callback received monitor=…` | [Callbacks that do "
    "nothing](#callbacks-that-do-nothing)"
)
@says(
    "And of another metric than the loss it wants to know which way is "
    "better. `fit` may know it from the compiled metrics."
)
def test_early_stopping_wants_to_know_which_way_is_better(
    left: dict[str, Ran],
) -> None:
    assert "direction" in sections(WATCH)["callbacks-that-do-nothing"]
    message = "EarlyStopping callback received monitor=val_accuracy"
    assert str(left["direction"].error).startswith(message)
    model: Any = KerasLinearModel()
    model.stop_training = False
    for name, options in (("loss", {}), ("accuracy", {"mode": "max"})):
        stopping = CALLBACKS.EarlyStopping(name, **options)
        callbacks = CallbackList([stopping], model=model)
        callbacks.on_train_begin()
        callbacks.on_epoch_end(0, {name: 0.5})
        assert stopping.best == 0.5
    known = CALLBACKS.EarlyStopping("accuracy")
    judge: Any = compiled(loss="binary_crossentropy", metrics=["accuracy"])
    ones = tf.ones((4, 1))
    judge.fit(ones, ones, verbose=0, callbacks=[known])
    assert known.best is not None


@says(
    "`BackupAndRestore` needs no optimizer to save. It needs one to restore."
)
@says(
    "And your loop has to begin at the epoch in which it was stopped, which "
    "the callback tells only `fit`."
)
def test_a_backup_comes_back_with_an_optimizer(left: dict[str, Ran]) -> None:
    message = "'KerasLinearModel' object has no attribute 'optimizer'"
    assert str(left["backup"].error) == message
    kept = left["backup"].folder / "kept"
    assert (kept / "latest.weights.h5").exists()
    saves, loads = CODES["backup"].strip().split("\n")[-2:]
    assert saves == loads, "the second call of the loop restores"
    backup = CALLBACKS.BackupAndRestore("own", delete_checkpoint=False)
    first = trained(backup)
    again: Any = compiled()
    again(X)
    epochs: list[int] = []
    told = CALLBACKS.LambdaCallback(on_epoch_end=lambda n, _: epochs.append(n))
    again.optimizer = SGD(0.03)
    own = CallbackList([backup, told], model=again)
    own.on_train_begin()
    assert float(again.w) == float(first.w)
    assert int(again.optimizer.iterations) == 6
    callback_loop(lambda x, y: x[0], BATCHES, own, epochs=1)
    assert epochs == [0], "a loop begins where it is written to"
    epochs.clear()
    fit_all(again, epochs=3, callbacks=[backup, told])
    assert epochs[0] > 0


# Print in a compiled step


@says(
    "`print` in `tf.function` prints only once | "
    "[Print](#print-prints-only-once)"
)
@says(
    "Here is the same line twice in a function, once as `print` and once as "
    "`tf.print`."
)
@says("Print a loss in two ways.")
@says(
    "`print` runs when the function is traced, and what it prints is a tensor "
    "without a value. `tf.print` becomes part of the graph and runs with it."
)
def test_print_runs_once() -> None:
    assert "printed" in sections(WATCH)["print-prints-only-once"]
    once, *each = printed(WATCH, "printed").splitlines()
    assert re.fullmatch(r"print: +Tensor\(.*shape=\(\), dtype=float32\)", once)
    assert each == [f"tf.print: {value}" for value in (8, 4, 2)]
    calls = re.findall(r"(?m)^    (\S*print)\(", CODES["tell"])
    assert calls == ["print", "tf.print"]
    traced = tf.function(tell).get_concrete_function(tf.constant(1.0))
    operations = [op.type for op in traced.graph.get_operations()]
    assert operations.count("PrintV2") == 1


@says(
    "`'SymbolicTensor' object has no attribute 'numpy'` | "
    "[Print](#print-prints-only-once)"
)
@says(
    "For the same reason `value.numpy()` fails inside of a compiled step, and "
    "`float(value)` makes no number there, but another tensor, or, in a "
    "`train_step`, a `TypeError`. Return the loss, and look at it outside."
)
def test_a_compiled_function_has_no_values() -> None:
    made: list[object] = []

    @tf.function
    def to_float(value: tf.Tensor) -> tf.Tensor:
        made.append(float(value))
        return made[-1]

    @tf.function
    def to_numpy(value: tf.Tensor) -> Any:
        return value.numpy()

    assert float(to_float(tf.constant(1.0))) == 1.0
    [number] = made
    assert isinstance(number, tf.Tensor)
    assert not hasattr(number, "numpy")

    class InNumbers(KerasLinearModel):
        def train_step(self, data: Any) -> dict[str, Any]:
            return {"loss": float(tf.reduce_sum(data[0]))}

    model = InNumbers()
    for eagerly in (False, True):
        model.compile("sgd", "mse", run_eagerly=eagerly)
        if eagerly:
            model.fit(tf.ones((2, 1)), tf.ones((2, 1)), verbose=0)
            break
        with pytest.raises(TypeError, match="not 'SymbolicTensor'"):
            model.fit(tf.ones((2, 1)), tf.ones((2, 1)), verbose=0)
    message = "'SymbolicTensor' object has no attribute 'numpy'"
    with pytest.raises(AttributeError, match=message):
        to_numpy(tf.constant(1.0))
    assert "`value.numpy()`" in sections(WATCH)["print-prints-only-once"]
    assert float(tf.function(lambda value: value)(tf.constant(1.0))) == 1.0


@says(
    "It writes to standard error past Python, so what catches Python's output "
    "does not catch it. (In a notebook, its documentation says, it prints "
    "into the cell.)"
)
@says("Name a file, and it writes there.")
@says("Print a loss into a file.")
def test_where_tf_print_prints(capfd: pytest.CaptureFixture[str]) -> None:
    caught = io.StringIO()
    with (
        contextlib.redirect_stderr(caught),
        contextlib.redirect_stdout(caught),
    ):
        tf.print("told")
    assert caught.getvalue() == ""
    assert capfd.readouterr() == ("", "told\n")
    notebooks = "`tf.print` prints to the notebook cell outputs"
    assert notebooks in " ".join(tf.print.__doc__.split())
    for value in (8.0, 4.0):
        tf.function(tell_file)(tf.constant(value))
    assert Path("losses.txt").read_text() == "loss 8\nloss 4\n"
    assert printed(WATCH, "caught").endswith("caught: 0 characters")


@says(
    "In a step that [XLA compiles](how_fast.md) leave `tf.print` out: XLA has "
    "no code for it on a CPU."
)
def test_xla_has_no_code_for_tf_print() -> None:
    compiled = tf.function(tell, jit_compile=True)
    with (
        contextlib.redirect_stdout(io.StringIO()),
        pytest.raises(tf.errors.InvalidArgumentError, match="StringFormat"),
    ):
        compiled(tf.constant(1.0))
    assert "jit_compile" in (DOCS / "how_fast.md").read_text("utf-8")


# Exercises


@says("Draws a bar over the epochs, with the last loss behind it.")
@says("Move on by one epoch.")
def test_the_bar_over_the_epochs() -> None:
    output = io.StringIO()
    with tqdm(total=2, file=output, bar_format="{n_fmt}{postfix}") as bar:
        callback = EpochBar(bar)
        for epoch, value in enumerate((2.0, 1.0)):
            callback.on_epoch_end(epoch, {"loss": value})
            assert bar.n == epoch + 1
    assert output.getvalue().split("\r")[-1] == "2, loss=1.00\n"
    loss = epoch_losses(7, 0.1)[-1]
    shown = printed(WATCH, "use_epoch_bar")
    assert shown.startswith("epochs: 7/100 |#")
    assert shown.endswith(f"|, loss={loss:.2f}")


@says("Nothing is overwritten: each run adds a file to the folder.")
@says("Train a new model for three epochs; write its losses to a folder.")
@says(
    "Train with the learning rates 0.03 and 0.1 so that TensorBoard draws a "
    "line for each."
)
def test_two_runs_in_one_folder(left: dict[str, Ran]) -> None:
    both = left["two_runs"].folder / "logs/both"
    assert len([*both.iterdir()]) == 2
    record_run("run", 0.03, BATCHES)
    found = [value for _, value in read_events("run")]
    np.testing.assert_allclose(found, epoch_losses(3, 0.03), rtol=1e-4)
    runs = both.parent / "runs"
    for name, rate in (("slow", 0.03), ("fast", 0.1)):
        points = read_events(str(runs / name))
        due = epoch_losses(3, rate)
        np.testing.assert_allclose([v for _, v in points], due, rtol=1e-4)
