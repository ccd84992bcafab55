"""What the page on saving and resuming says is true."""

import copy
import gc
import json
import logging
import os
import pickle
import re
import runpy
import shutil
import signal
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

from snippets.linear_model import LinearModel
from snippets.loss import loss
from snippets.save_and_resume import new_training, train_until
from snippets.saved_arguments import Kept, Scaled
from snippets.saved_models import (
    Double,
    Line,
    compile_line,
    copy_optimizer,
    fit_epochs,
    my_loss,
)
from snippets.saved_several import after_break, new_gan, train_each
from snippets.train import batch_of
from tests.claims.says import (
    figure,
    highlighted,
    printed,
    ran,
    record,
    says,
)
from tests.claims.sentences import DOCS, read

NAME = "save_and_resume"
PAGE = read(NAME)
BLOCKS = {block.name: block for block in PAGE.blocks}
SOURCE = (DOCS / f"{NAME}.md").read_text("utf-8")
GUIDE = read("basic_training_loops")
PROGRAM = "\n\n".join(
    block.code
    for block in PAGE.blocks
    if block.options.get("file") == "train.py"
)

Names = dict[str, Any]
SGD = tf.keras.optimizers.SGD


def values(line: str) -> list[float]:
    return [*map(float, re.findall(r"-?\d+\.\d+", line))]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Names]:
    """What the page's blocks leave, and the folder in which they ran."""
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("story"))
    names = ran(NAME, "resume", "alone")
    names["stopped_at"] = str(Path(names["path"]).absolute())
    yield names
    os.chdir(before)


@pytest.fixture(scope="module")
def fitted(
    tmp_path_factory: pytest.TempPathFactory, story: Names
) -> tuple[Line, list[float]]:
    """A line after ten epochs, saved in all of Keras' ways; ten more."""
    line = Line(name="named")
    compile_line(line)
    x, y = column(story["x"]), column(story["y"])
    fit_epochs(0, 10, line, x, y)
    folder = tmp_path_factory.mktemp("fitted")
    line.saved = folder
    line.save(folder / "line.keras")
    line.save_weights(folder / "line.weights.h5")
    line.export(folder / "exported", verbose=False)
    line.predicted = float(line(tf.constant([[2.0]]))[0, 0])
    return line, fit_epochs(10, 20, line, x, y)


class Killed(Exception):
    """Stands for the end of a process."""


def train(folder: str, kill_at: int = 0) -> Names:
    """Run train.py of this folder, or of the repository, in this process."""

    def kill(process: int, how: int) -> None:
        assert (process, how) == (os.getpid(), signal.SIGKILL)
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "kill", kill)
        patch.setattr(sys, "argv", ["train.py", folder, str(kill_at)])
        if Path("train.py").exists():
            return runpy.run_path("train.py", run_name="__main__")
        patch.delitem(sys.modules, "snippets.train", raising=False)
        return runpy.run_module("snippets.train", run_name="__main__")


def losses_of(folder: str) -> list[float]:
    key = "losses/.ATTRIBUTES/VARIABLE_VALUE"
    losses: list[float] = tf.train.load_variable(folder, key).tolist()
    return losses


class Trainings(NamedTuple):
    """A training that was not stopped, and one that was killed."""

    folder: Path
    saved: list[int]
    """The steps after which they were saved."""

    def take(self) -> None:
        """Copy them to the current folder."""
        shutil.copytree(self.folder, ".", dirs_exist_ok=True)


@pytest.fixture(scope="module")
def trainings(tmp_path_factory: pytest.TempPathFactory) -> Trainings:
    """Run train.py until it ends, and until it is killed at step 17."""
    saved: list[int] = []
    save = tf.train.CheckpointManager.save

    def watched(self: Any, checkpoint_number: Any) -> Any:
        saved.append(int(checkpoint_number))
        return save(self, checkpoint_number=checkpoint_number)

    folder = tmp_path_factory.mktemp("trainings")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(tf.train.CheckpointManager, "save", watched)
        train("whole")
        with pytest.raises(Killed):
            train("killed", 17)
    return Trainings(folder, saved)


def column(x: tf.Tensor) -> tf.Tensor:
    return x[:, tf.newaxis]


def again(path: str) -> Any:
    """Read into a new training; return what `read` answers."""
    return new_training(LinearModel()).read(path)


# The page


@says("Five blocks are meant to fail.")
@says("Every block runs.")
@says(
    "All blocks above, in order, as one file, and the two files that it "
    "runs. They need TensorFlow and Matplotlib."
)
def test_all_blocks_ran_and_five_failed() -> None:
    kept = [n for n in record(NAME) if re.fullmatch(r"\w+:\w+", n)]
    assert {name.rpartition(":")[2] for name in kept} == {*BLOCKS}
    failing = [b.name for b in PAGE.blocks if "raises" in b.options]
    assert failing == [
        *("unconsumed", "not_located", "not_revived", "lambda_refused"),
        "uncallable",
    ]
    for name in failing:
        error = BLOCKS[name].options["raises"]
        assert f"{error}: " in printed(NAME, name)
    modules = set()
    for block in PAGE.blocks:
        found = re.findall(r"(?m)^(?:import|from) (\w+)", block.code)
        modules |= set(found)
    files = {b.options["file"] for b in PAGE.blocks if "file" in b.options}
    assert files == {"train.py", "reader.py"}
    own = {*sys.stdlib_module_names}
    assert modules - own == {"tensorflow", "matplotlib"}


@says(
    "You need the [guide to basic training "
    "loops](basic_training_loops.md); its data, model and loss are used "
    "again here."
)
@says(
    "Where loop, loss and model come from: [Basic training "
    "loops](basic_training_loops.md)."
)
def test_the_guide_has_the_same_blocks() -> None:
    guide = {
        (b.options["run"], b.code) for b in read("basic_training_loops").blocks
    }
    for name in ("make_data", "model", "loss"):
        assert (BLOCKS[name].options["run"], BLOCKS[name].code) in guide
    assert any(run.endswith(":train") for run, _ in guide)


@says(
    "Files and processes from the standard library, TensorFlow, "
    "Matplotlib, and the colours of the plots."
)
def test_the_setup() -> None:
    code = BLOCKS["setup"].code
    for name in ("tempfile", "subprocess", "tensorflow", "matplotlib"):
        assert re.search(rf"(?m)^import {name}", code)
    assert "from pathlib import Path" in code
    assert len(re.findall(r'"#\w{6}"', code)) == 3


@says(
    "This page writes many files. They go into a new folder beside your "
    "program, so nothing of yours is touched."
)
def test_all_files_go_into_a_new_folder() -> None:
    Path("mine").write_text("mine")
    start = Path.cwd()
    ran(NAME, "folder")
    try:
        assert Path.cwd().parent == start
        assert not [*Path.cwd().iterdir()]
        written = re.findall(
            r'(?:write|save|save_weights|export)\("(.+?)"',
            "".join(block.code for block in PAGE.blocks),
        )
        assert len(written) >= 6
        assert not any(Path(name).is_absolute() for name in written)
    finally:
        os.chdir(start)
    assert Path("mine").read_text() == "mine"
    assert [b.name for b in PAGE.blocks][:2] == ["setup", "folder"]


# What there is to save


@says(
    "At the end of this page you can resume one so exactly that its "
    "losses equal, to the last bit, those of a training that was never "
    "stopped."
)
@says("We kill one to prove it.")
@says("`write` saves to a file, and `read` puts the values into new objects.")
@says(
    "The comparison is exact: {{ len(whole) }} equal floating-point numbers."
)
@says(
    "The first three of the list are enough here: the batch is always "
    "the whole data set, and nothing is random."
)
@says(
    "The loop asks the training for its epoch, so it starts wherever that is."
)
def test_a_resumed_training_equals_one_that_was_not_stopped(
    story: Names,
) -> None:
    assert len(story["whole"]) == 30
    assert story["first"] + story["rest"] == story["whole"]
    assert int(story["resumed"].epoch) == 30
    training = new_training(LinearModel())
    training.epoch.assign(27)
    assert len(train_until(30, training, story["x"], story["y"])) == 3
    once = train_until(9, new_training(LinearModel()), story["x"], story["y"])
    assert once == story["whole"][:9], "nothing is random"
    assert "ended by SIGKILL" in printed(NAME, "killed")
    assert "same losses: True" in printed(NAME, "resumed")


@says("Saving the weights is enough to *use* a model.")
def test_the_weights_alone_predict_the_same(story: Names) -> None:
    model = LinearModel()
    read_back = tf.train.Checkpoint(model=model).read(story["stopped_at"])
    read_back.expect_partial()
    x = story["x"]
    saved = new_training(LinearModel())
    saved.read(story["stopped_at"])
    np.testing.assert_array_equal(model(x), saved.model(x))


@says(
    "To go on training as if nothing had happened, you need everything "
    "that the next step depends on:"
)
@says("the **state of the optimizer**, such as momentum;")
@says("the **epoch** or step you are in;")
@says("the **weights**;")
@says("Return all that a training of the model consists of, at its start.")
@pytest.mark.parametrize("part", ["model", "optimizer", "epoch"])
def test_each_part_left_out_makes_another_training(
    story: Names, part: str
) -> None:
    lacking, new = new_training(LinearModel()), new_training(LinearModel())
    lacking.read(story["stopped_at"]).assert_consumed()

    def variables(training: Any) -> list[Any]:
        if part == "epoch":
            return [training.epoch]
        return [*getattr(training, part).variables]

    for one, other in zip(variables(lacking), variables(new), strict=True):
        one.assign(other)
    rest = train_until(30, lacking, story["x"], story["y"])
    assert rest != story["rest"]


@says("get_weights and set_weights of an optimizer")
@says(
    "Of these two, the first is gone, and the second refuses an optimizer "
    "that has made nothing yet."
)
@says(
    "The checkpoint keeps the state of an optimizer without them, and "
    "without `compile`."
)
def test_an_optimizer_that_has_made_nothing(tmp_path: Path) -> None:
    w = tf.Variable(1.0)
    used, new = (tf.keras.optimizers.Adam() for _ in range(2))
    used.apply([tf.constant(2.0)], [w])
    state = [np.array(value) for value in used.variables]
    with pytest.raises((AttributeError, ValueError)):
        new.set_weights(state)
    with pytest.raises(AttributeError, match="get_weights"):
        new.get_weights()
    new.build([w])
    path = tf.train.Checkpoint(optimizer=used).write(str(tmp_path / "adam"))
    tf.train.Checkpoint(optimizer=new).read(path).assert_consumed()
    assert [np.array(value) for value in new.variables] == state


@says(
    "the **place in the data**: which batches are still to come, in "
    "what … order;"
)
@says("the **random state**, where random numbers are drawn.")
@pytest.mark.parametrize("part", ["place", "noise"])
def test_place_and_noise_matter_where_there_are_any(
    part: str, trainings: Trainings
) -> None:
    trainings.take()
    program = PROGRAM.replace(", noise=noise", "")
    program = program.replace("assert_consumed", "expect_partial")
    if part == "place":
        program = PROGRAM.replace(
            "batch_of(int(step)", "batch_of(int(step) + 1"
        )
    assert program != PROGRAM
    Path("train.py").write_text(program)
    train("killed")
    assert losses_of("killed")[:15] == losses_of("whole")[:15]
    assert losses_of("killed")[15:] != losses_of("whole")[15:]


@says(
    "`tf.train.Checkpoint` saves objects that keep their state in "
    "variables: modules, optimizers, counters, random generators."
)
@says("It is a container, too: what you name becomes an attribute.")
@says(
    "The epoch is a `tf.Variable`, because a checkpoint takes no Python "
    "numbers."
)
def test_what_a_checkpoint_takes() -> None:
    made = {
        "model": LinearModel(),
        "optimizer": tf.keras.optimizers.SGD(),
        "epoch": tf.Variable(7),
        "noise": tf.random.Generator.from_seed(0),
    }
    checkpoint = tf.train.Checkpoint(**made)
    path = checkpoint.write("all")
    for name, value in made.items():
        assert getattr(checkpoint, name) is value
        assert any(
            key.startswith(name) for key, _ in tf.train.list_variables(path)
        )
    with pytest.raises(ValueError, match="trackable"):
        tf.train.Checkpoint(epoch=7)


@says(
    "An optimizer makes what it keeps for each weight when it is first "
    "used; `build` makes it at once."
)
@says("The model must have its variables already.")
def test_when_an_optimizer_makes_its_variables() -> None:
    def momenta(optimizer: Any) -> int:
        return len(optimizer.variables) - 2

    used, built = (tf.keras.optimizers.SGD(0.1, momentum=0.9) for _ in "ab")
    variable = tf.Variable(1.0)
    assert momenta(used) == momenta(built) == 0
    used.apply_gradients([(tf.constant(1.0), variable)])
    built.build([variable])
    assert momenta(used) == momenta(built) == 1
    late, x = new_training(Line()), tf.constant([[1.0]])
    with pytest.raises(ValueError, match="Unknown variable"):
        train_until(1, late, x, x)


@says("Train up to the epoch; return the loss before each update.")
def test_the_losses_are_those_before_the_updates(story: Names) -> None:
    x, y = story["x"], story["y"]
    assert story["whole"][0] == float(loss(y, LinearModel()(x)))


@says(
    "`assert_consumed` raises an `AssertionError` if a saved value found no "
    "place (`Unresolved object in checkpoint`), or if a variable that the "
    "checkpoint reaches got no value."
)
@says("Rename an attribute, and its value will no longer be found.")
@says(
    "One of another shape is refused: `Received incompatible tensor with "
    "shape (2,) when attempting to restore variable with shape (3,)`."
)
def test_what_assert_consumed_raises_at(story: Names) -> None:
    again(story["stopped_at"]).assert_consumed()
    training = new_training(LinearModel())
    training.more = tf.Variable(0.0)
    status = training.read(story["stopped_at"])
    with pytest.raises(AssertionError, match="not bound to checkpointed"):
        status.assert_consumed()
    fewer = new_training(LinearModel())
    parts = {"model": fewer.model, "optimizer": fewer.optimizer}
    status = tf.train.Checkpoint(**parts).read(story["stopped_at"])
    unresolved = r"^Unresolved object in checkpoint \(root\)\.epoch"
    with pytest.raises(AssertionError, match=unresolved):
        status.assert_consumed()
    status.expect_partial()
    two = tf.train.Checkpoint(w=tf.Variable([1.0, 2.0])).write("two")
    refused = (
        "Received incompatible tensor with shape (2,) when attempting to "
        "restore variable with shape (3,)"
    )
    with pytest.raises(ValueError, match=re.escape(refused)):
        tf.train.Checkpoint(w=tf.Variable([0.0] * 3)).read(two)
    renamed = tf.train.Checkpoint(**parts, epochs=fewer.epoch)
    status = renamed.read(story["stopped_at"])
    with pytest.raises(AssertionError, match="not bound to checkpointed"):
        status.assert_consumed()
    status.expect_partial()
    assert int(fewer.epoch) == 0


@says(
    "[Below](#a-model-that-is-not-built-yet) you see what it saves you from."
)
def test_below_is_a_model_that_was_not_restored() -> None:
    [part] = re.findall(
        r"(?s)### A model that is not built yet\n(.*?)\n### ", SOURCE
    )
    assert "new model is half restored" in part
    assert "AssertionError" in printed(NAME, "unconsumed")


@says("Each value is named by the attributes that lead to it.")
@says(
    "The last two lines are the momentum of `b` and `w`, in the order of the "
    "variables that the optimizer was built for: in another order, each would "
    "get that of the other, without a word."
)
@says("Note the learning rate: it is saved as well.")
def test_the_names_in_the_file(story: Names) -> None:
    lines = [line.split() for line in printed(NAME, "contents").splitlines()]
    at_stop = new_training(LinearModel())
    at_stop.read(story["stopped_at"])
    names = [name for name, _ in lines]
    for name, told in lines:
        found: Any = at_stop
        for part in name.split("/"):
            listed = isinstance(found, list | tuple)
            found = found[int(part)] if listed else getattr(found, part)
        assert float(found) == pytest.approx(float(told), abs=1e-3)
    assert "optimizer/_learning_rate" in names
    momentum = [v for v in at_stop.optimizer.variables if "momentum" in v.name]
    assert names[-2:] == ["optimizer/_variables/2", "optimizer/_variables/3"]
    assert [v.name.split("_")[0] for v in momentum] == ["b", "w"]
    last_two = [float(value) for _, value in lines[-2:]]
    assert last_two == pytest.approx([*map(float, momentum)], abs=1e-3)
    other = new_training(LinearModel())
    other.optimizer = tf.keras.optimizers.SGD(0.05, momentum=0.9)
    other.optimizer.build([other.model.w, other.model.b])
    other.read(story["stopped_at"]).assert_consumed()
    swapped = other.optimizer.variables[2:]
    assert [v.name.split("_")[0] for v in swapped] == ["w", "b"]
    assert [*map(float, swapped)] == [*map(float, momentum)]


# The weights alone


@says(
    "`expect_partial` says that the rest of the file is left out on purpose."
)
def test_expect_partial_keeps_silent(story: Names) -> None:
    assert "expect_partial" in BLOCKS["alone"].code
    status = tf.train.Checkpoint(model=LinearModel()).read(story["stopped_at"])
    with pytest.raises(AssertionError):
        status.assert_consumed()
    assert status.expect_partial() is status


@says(
    "The loss of the uninterrupted training swings up and down as it "
    "falls; the training with all restored lies on it, point for point, "
    "while the one with the weights alone leaves it at epoch eleven and "
    "swings less"
)
@says(
    "The weights alone start from the same loss, {{ rest[0]:.2f }}, and "
    "then go another way: the momentum of ten epochs is gone."
)
@says(
    "That need not be worse, but it is another training, and one that "
    "depends on when it was stopped."
)
def test_the_weights_alone_go_another_way(story: Names) -> None:
    whole, alone = np.array(story["whole"]), np.array(story["alone_rest"])
    steps = np.sign(np.diff(whole))
    assert np.count_nonzero(np.diff(steps)) >= 6
    assert whole[-1] < 0.2 * whole[0]
    assert story["rest"] == story["whole"][10:]
    assert alone[0] == whole[10]
    assert abs(alone[1] - whole[11]) > 0.1
    assert np.abs(np.diff(alone)).sum() < np.abs(np.diff(whole[10:])).sum()
    assert alone.mean() < whole[10:].mean(), "it is not worse here"
    [drawn] = figure(NAME, "alone")
    assert drawn.points["weights alone"].x[0] == 10
    assert [*drawn.points] == [
        "uninterrupted",
        "all restored",
        "weights alone",
    ]
    other = new_training(LinearModel())
    train_until(5, other, story["x"], story["y"])
    fresh = new_training(other.model)
    fresh.epoch.assign(5)
    early = train_until(30, fresh, story["x"], story["y"])
    assert early[-20:] != story["alone_rest"]


@says("Reset an optimizer: its momentum and its iterations")
@says("Such a new beginning may be what you want, for the next fold or phase.")
@says(
    "A new optimizer has it, and needs a new compiled step or a new "
    "`compile`. The old one has no method for it."
)
@says("Keep what its variables hold after `build`, and put that back.")
@says("A compiled step obeys, too.")
@says(
    "Zeros for all would be wrong: the learning rate is one of these "
    "variables, and nothing would move any more."
)
@says("`optimizer.iterations.assign(0)` sets back a schedule alone.")
@says(
    "(Not so with `Adam`, which then takes its averages for young ones, and "
    "steps of another length.)"
)
def test_an_optimizer_that_is_reset(story: Names) -> None:
    assert printed(NAME, "reset") == "as from the weights alone: True"
    given = {**story, "path": story["stopped_at"]}
    assert (
        ran("save_and_resume", "reset", **given)["reset_rest"]
        == (story["alone_rest"])
    )
    optimizers = tf.keras.optimizers
    methods = [name for name in dir(optimizers.SGD) if name[0] != "_"]
    assert not [name for name in methods if "reset" in name]
    w = tf.Variable(1.0)
    rate = optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    for learning_rate, counted in ((0.1, False), (rate, True)):
        optimizer = optimizers.SGD(learning_rate, momentum=0.9)
        optimizer.build([w])
        start = [value.numpy() for value in optimizer.variables]

        def move(optimizer: Any = optimizer) -> Any:
            optimizer.apply([tf.ones([])], [w])

        step = tf.function(move)

        def moved(step: Any = step) -> float:
            before = float(w)
            step()
            return before - float(w)

        first, second = moved(), moved()
        expected = 0.09 + (0.05 if counted else 0.1)
        assert (first, second) == pytest.approx((0.1, expected), abs=1e-6)
        for value, kept in zip(optimizer.variables, start, strict=True):
            value.assign(kept)
        assert int(optimizer.iterations) == 0
        assert moved() == pytest.approx(first, abs=1e-6)
        optimizer.iterations.assign(0)
        assert moved() == pytest.approx(0.19, abs=1e-6), "momentum is kept"
        for value in optimizer.variables:
            value.assign(tf.zeros_like(value))
        assert moved() == pytest.approx(0.1 if counted else 0, abs=1e-6)
    adam = optimizers.Adam(0.1)
    adam.build([w])
    ends = [float(w)]
    for number in range(301):
        if number == 300:
            adam.iterations.assign(0)
        adam.apply([tf.ones([])], [w])
        ends.append(float(w))
    steps = -np.diff(ends)
    assert steps[-2] == pytest.approx(0.1, abs=1e-4)
    # Averages m and v of ones, divided by what they were after one step.
    m, v = 1 - 0.9**301, 1 - 0.999**301
    due = 0.1 * (m / 0.1) / np.sqrt(v / 0.001)
    assert steps[-1] == pytest.approx(due, rel=1e-3)
    assert due < 0.07


# The place in the data


@says(
    "The iterator of a `tf.data` pipeline can stand in a checkpoint, too, "
    "unless a generator, a function of Python or a random draw is part of it: "
    "`PyFunc is stateful`, or the like, says a `FailedPreconditionError`."
)
def test_which_iterators_can_be_saved() -> None:
    data, signature = tf.data.Dataset, tf.TensorSpec((), tf.int64)

    def numbers() -> Any:
        yield from range(10)

    def by_python(number: Any) -> Any:
        return tf.py_function(lambda value: value + 1, [number], tf.int64)

    def drawn(number: Any) -> Any:
        return tf.cast(number, tf.float32) + tf.random.normal([])

    plain = data.range(10).shuffle(10, seed=0).map(lambda v: v + 1)
    made = {
        "": plain.cache().batch(3).prefetch(2),
        "PyFunc": data.from_generator(numbers, output_signature=signature),
        "EagerPyFunc": data.range(10).map(by_python),
        "RandomStandardNormal": data.range(10).map(drawn),
    }
    for stateful, rows in made.items():
        first, again = iter(rows), iter(rows)
        next(first)
        checkpoint = tf.train.Checkpoint(rows=first)
        if stateful:
            with pytest.raises(
                tf.errors.FailedPreconditionError,
                match=f"}} {stateful} is stateful",
            ):
                checkpoint.write("stateful")
            continue
        status = tf.train.Checkpoint(rows=again).read(checkpoint.write("row"))
        status.assert_consumed()
        np.testing.assert_array_equal(next(again), next(first))


@says(
    "But take the usual order, shuffle, batch, repeat, and save at the "
    "end of an epoch."
)
@says("Here an epoch is ten numbers in three batches, of four, four and two.")
@says(
    "The resumed iterator shuffles its second epoch in another way, and "
    "`assert_consumed` has nothing to complain of."
)
@says(
    "Without `autotune` it does not read ahead, and you meet it for certain."
)
def test_the_iterator_at_the_end_of_an_epoch() -> None:
    chain = r"shuffle\(.*\)\s+numbers = numbers\.batch\(4\)\.repeat\(\)"
    assert re.search(chain, BLOCKS["iterator"].code)
    for _ in range(3):
        left = ran(NAME, "iterator")
        first, again = left["batches"], left["resumed_batches"]
        assert next(first).numpy().tolist() != next(again).numpy().tolist()
    on, resumed = printed(NAME, "iterator").splitlines()
    assert on.split(": ")[1] != resumed.split(": ")[1]
    options = tf.data.Options()
    options.autotune.enabled = False
    numbers = tf.data.Dataset.range(10).shuffle(10, seed=0).batch(4).repeat()
    batches = iter(numbers.with_options(options))
    taken = [next(batches) for _ in range(2)]
    path = tf.train.Checkpoint(batches=batches).write("middle")
    resumed = iter(numbers.with_options(options))
    tf.train.Checkpoint(batches=resumed).read(path).assert_consumed()
    third = next(resumed).numpy().tolist()
    assert third == next(batches).numpy().tolist(), "in the middle it is right"
    epoch = [*taken[0].numpy(), *taken[1].numpy(), *third]
    assert [len(batch) for batch in (*taken, third)] == [4, 4, 2]
    assert sorted(epoch) == [*range(10)]


@says(
    "Compute the order from the epoch with a stateless generator, and "
    "the place in the data needs no saving: it follows from the "
    "counter."
)
@says("The next program does so.")
@says("The next part gives the batch of any step.")
@says(
    "Sorting random numbers shuffles the rows, in an order that depends "
    "on the epoch alone."
)
@says("Four batches make an epoch.")
@says("Return the batch of that step, in the order of its epoch.")
def test_the_order_follows_from_the_counter(story: Names) -> None:
    x, y = story["x"], story["y"]
    assert "stateless_uniform" in BLOCKS["batches"].code
    epochs = []
    for epoch in range(3):
        parts = [batch_of(4 * epoch + i, x, y)[0].numpy() for i in range(4)]
        epochs.append([*np.concatenate(parts)])
        assert sorted(epochs[-1]) == [*x.numpy()]
        assert epochs[-1] != [*x.numpy()]
    assert epochs[0] != epochs[1] != epochs[2]
    tf.random.set_seed(99)
    np.testing.assert_array_equal(batch_of(5, x, y)[0], parts_of(x, y)[1])
    for rows in (10, 64, 1000):
        many = tf.range(float(rows))
        parts = [batch_of(i, many, many)[0].numpy() for i in range(4)]
        assert sorted(np.concatenate(parts)) == [*range(rows)]
        assert all(map(len, parts))
    assert "iter(" not in PROGRAM


def parts_of(x: tf.Tensor, y: tf.Tensor) -> list[Any]:
    return [batch_of(4 + i, x, y)[0] for i in range(4)]


# A training that is killed


@says(
    "Now for the real thing: a program that trains in small, shuffled "
    "batches, adds noise to them, saves now and then, and dies in the "
    "middle."
)
@says(
    "A program that is to be killed must be a file of its own. The "
    "page's program writes its parts to `train.py`;"
)
@says(
    "The program takes two arguments: the folder for its checkpoints, "
    "and the step after which to die, where 0 means never."
)
@says("The last part is the loop. It saves every five steps.")
@says(
    "The `CheckpointManager` names each checkpoint by its step and keeps "
    "the last two."
)
@says("`losses` is the history. It is a variable, so it survives as well.")
@says("`latest_checkpoint` is `None` in an empty folder.")
@says("So the same program starts a training and resumes it.")
@says(
    "The latest checkpoint is that of 15 steps, in the middle of the "
    "fourth epoch; two steps are lost."
)
@says("The checkpoint of 5 steps was deleted to make room.")
@says("It went back to 15 steps and did the lost two again.")
@says("Every loss is the same.")
@says("A kill costs what was done since the last save.")
def test_the_program_dies_and_is_resumed(
    trainings: Trainings, capfd: pytest.CaptureFixture[str]
) -> None:
    assert tf.train.latest_checkpoint(".") is None
    assert trainings.saved == [5, 10, 15, 20, 25, 30, 5, 10, 15]
    assert "CheckpointManager(state, folder, max_to_keep=2)" in PROGRAM
    trainings.take()
    assert tf.train.latest_checkpoint("killed") == "killed/ckpt-15"
    kept = {path.name for path in Path("killed").glob("*.index")}
    assert kept == {"ckpt-10.index", "ckpt-15.index"}
    assert divmod(15, 4) == (3, 3), "three of four batches of the fourth epoch"
    before = losses_of("killed")
    assert before[:15] == losses_of("whole")[:15]
    assert np.isnan(before[15:]).all()
    train("killed")
    assert losses_of("killed") == losses_of("whole")
    told = "steps taken before: 15"
    assert capfd.readouterr().out.splitlines() == [told]
    assert printed(NAME, "uninterrupted").startswith("steps taken before: 0")
    assert printed(NAME, "killed").startswith("steps taken before: 0")
    assert "inputs += 0.1 * noise" in PROGRAM
    assert {b.options["file"] for b in PAGE.blocks if b.name == "loop"} == {
        "train.py"
    }


@says(
    "A checkpoint is an index and its data, and the file `checkpoint` "
    "names the latest."
)
def test_the_files_of_a_checkpoint(trainings: Trainings) -> None:
    trainings.take()
    names = sorted(path.name for path in Path("whole").iterdir())
    assert names == [
        "checkpoint",
        *(
            f"ckpt-{step}.{kind}"
            for step in (25, 30)
            for kind in ("data-00000-of-00001", "index")
        ),
    ]
    state = tf.train.get_checkpoint_state("whole")
    assert state.model_checkpoint_path == "whole/ckpt-30"
    assert (
        'model_checkpoint_path: "ckpt-30"'
        in Path("whole/checkpoint").read_text()
    )


@says("`noise` keeps its random state in a variable.")
@says(
    "The global state behind `tf.random.normal` is no such object and "
    "cannot be saved."
)
def test_where_random_states_are_kept() -> None:
    noise = tf.random.Generator.from_seed(0)
    assert isinstance(noise.state, tf.Variable)
    path = tf.train.Checkpoint(noise=noise).write("noise")
    first = noise.normal([3])
    tf.train.Checkpoint(noise=noise).read(path).assert_consumed()
    np.testing.assert_array_equal(first, noise.normal([3]))
    general = tf.random.get_global_generator()
    before = general.state.numpy()
    drawn = [tf.random.normal([3]).numpy().tolist() for _ in range(2)]
    assert drawn[0] != drawn[1]
    np.testing.assert_array_equal(before, general.state)
    with pytest.raises(ValueError, match="trackable"):
        tf.train.Checkpoint(noise=tf.random)


@says(
    "`restore` reads what a manager or `save` has saved, as `read` "
    "reads what you `write`."
)
@says(
    "`save` counts, and keeps its counter in the file, where `read` has "
    "no use for it and `restore` expects it."
)
@says("If you mix the two pairs, a new checkpoint's `assert_consumed` raises.")
@says(
    "The `if` matters: `restore(None)` restores nothing, and says so "
    "only if you ask `assert_consumed`."
)
@says("Failed to find any matching files, Unable to open table file")
@says("The name of a checkpoint is what its files begin with.")
@says(
    "A name without a file raises a `NotFoundError`, `Unsuccessful "
    "TensorSliceReader constructor: Failed to find any matching files`."
)
@says(
    "Of the folder, or of the file with `.data`, `restore` raises a "
    "`DataLossError`: `Unable to open table file`, `perhaps your file is in a "
    "different file format`."
)
@says(
    "Of the file with `.index` it restores nothing, without a word; here, "
    "too, ask `assert_consumed`."
)
def test_which_reads_what() -> None:
    def new() -> Any:
        return tf.train.Checkpoint(step=tf.Variable(0))

    written, saved = new().write("written"), new().save("saved")
    managed = tf.train.CheckpointManager(new(), "managed", 2).save()

    def counters(path: str) -> list[str]:
        names = [name for name, _ in tf.train.list_variables(path)]
        return [name for name in names if "save_counter" in name]

    assert counters(saved)
    assert counters(managed)
    assert not counters(written)
    new().read(written).assert_consumed()
    new().restore(saved).assert_consumed()
    new().restore(managed).assert_consumed()
    for status in (new().read(saved), new().restore(written)):
        with pytest.raises(AssertionError, match=r"save_counter|not bound"):
            status.assert_consumed()
    old = new()
    old.read(old.save("old")).assert_consumed()
    kept = new()
    kept.step.assign(3)
    status = kept.restore(None)
    assert int(kept.step) == 3
    with pytest.raises(AssertionError, match="nothing is being restored"):
        status.assert_consumed()
    for reading in (new().read, new().restore):
        message = "TensorSliceReader .*: Failed to find any matching files"
        with pytest.raises(tf.errors.NotFoundError, match=message):
            reading("wrong")
    message = "Unable to open table file .* your file is in a different file"
    for wrong in ("managed", f"{saved}.data-00000-of-00001"):
        with pytest.raises(tf.errors.DataLossError, match=message):
            new().restore(wrong)
    assert sorted(Path().glob(f"{Path(saved).name}.*")) == [
        Path(f"{Path(saved).name}.{end}")
        for end in ("data-00000-of-00001", "index")
    ]
    kept.restore(saved)
    assert int(kept.step) == 0
    kept.step.assign(3)
    status = kept.restore(f"{saved}.index")
    assert int(kept.step) == 3
    with pytest.raises(AssertionError, match="which were not restored"):
        status.assert_consumed()


@says(
    "This function runs the file, from the folder above, in a process of its "
    "own."
)
@says("Run ../train.py in a process of its own and say how it ended.")
@says(
    "`SIGKILL` is the end that a process cannot catch: no `finally`, no "
    "clean-up."
)
def test_nothing_is_done_after_a_kill(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from snippets.killed_training import run_training

    with pytest.raises(OSError, match="Invalid argument"):
        signal.signal(signal.SIGKILL, signal.SIG_IGN)
    Path("saved").mkdir()
    monkeypatch.chdir("saved")
    Path("../train.py").write_text(
        "import atexit, os, sys\n"
        "atexit.register(print, 'clean-up')\n"
        "print(os.getpid(), flush=True)\n"
        "try:\n    os.kill(os.getpid(), int(sys.argv[2]))\n"
        "finally:\n    print('finally')\n"
    )
    run_training("a", kill_at=signal.SIGKILL)
    process, *rest = capfd.readouterr().out.splitlines()
    assert int(process) != os.getpid()
    assert rest == ["ended by SIGKILL"]
    run_training("a", kill_at=signal.SIGINT)
    assert "finally\nclean-up" in capfd.readouterr().out


@says(
    "The loss of noisy batches starts at nine, leaps to almost fourteen "
    "and falls to about one within thirty steps; squares lie on the "
    "line of the uninterrupted training until fourteen steps are taken, "
    "and circles lie on it from fifteen to the end"
)
def test_the_picture_of_the_killed_training() -> None:
    [drawn] = figure(NAME, "curves")
    whole, before, after = drawn.points.values()
    assert whole.y[0] == pytest.approx(9, abs=0.1)
    [most] = map(float, re.findall(r"most (\S+), mean 3", drawn.text))
    assert 13.5 < most < 14
    assert whole.y[-1] == pytest.approx(1, abs=0.2)
    assert before.y[:3] == whole.y[:3]
    assert "15 not finite" in drawn.text
    assert (after.x[0], after.x[-1]) == (15, 29)
    assert after.y[-1] == whole.y[-1]
    code = BLOCKS["curves"].code
    assert 'before, "s"' in code
    assert 'after[15:], "o"' in code
    assert "same losses: True" in printed(NAME, "resumed")


SAVES = """
import os, select, shutil, signal
import tensorflow as tf

def save(folder, ready):
    big = tf.Variable(tf.zeros([4_000_000]))
    state = tf.train.Checkpoint(big=big)
    manager = tf.train.CheckpointManager(state, folder, max_to_keep=2)
    manager.save()
    big.assign(tf.ones([4_000_000]))
    os.write(ready, b"!")
    manager.save()
    signal.pause()

def has_begun(folder):
    return any(name.startswith("ckpt-2") for name in os.listdir(folder))

for number in range(20):
    folder = f"save-{number}"
    there, ready = os.pipe()
    process = os.fork()
    if not process:
        save(folder, ready)
    has_first, *_ = select.select([there], [], [], 20)
    while has_first and not has_begun(folder):
        pass
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    if not has_first:  # a fork beside threads may hang
        shutil.rmtree(folder, ignore_errors=True)
    elif "ckpt-2" not in open(f"{folder}/checkpoint").read():
        break
"""


@says(
    "A kill in the middle of a save costs no more: the data are written "
    "to a file beside the old ones, and only when they are complete "
    "does the file `checkpoint` name them, so the last checkpoint "
    "before stays the latest."
)
def test_a_kill_in_the_middle_of_a_save() -> None:
    subprocess.run([sys.executable, "-c", SAVES], check=True)
    in_the_middle = 0
    for folder in sorted(Path().glob("save-*")):
        latest = tf.train.latest_checkpoint(folder)
        key = "big/.ATTRIBUTES/VARIABLE_VALUE"
        big = tf.train.load_variable(latest, key)
        assert (big == int(latest[-1]) - 1).all()
        started = [p for p in folder.iterdir() if p.name.startswith("ckpt-2")]
        in_the_middle += bool(started) and latest.endswith("ckpt-1")
    assert in_the_middle


# Keras models


@says(
    "(If it has layers such as `Dropout` or `BatchNormalization`, "
    "`train_until` has to call it with `training=True`.)"
)
def test_a_loop_that_does_not_say_that_it_trains() -> None:
    layers, x = tf.keras.layers, tf.reshape(tf.range(40.0), (10, 4))
    dropout, norm = layers.Dropout(0.5, seed=0), layers.BatchNormalization()
    inputs = tf.keras.Input((4,))
    model = tf.keras.Sequential([inputs, dropout, norm, layers.Dense(1)])
    state = dropout.seed_generator.state
    before = state.numpy().tolist()
    train_until(2, new_training(model), x, x[:, :1])
    assert state.numpy().tolist() == before, "nothing was dropped"
    assert not norm.moving_mean.numpy().any(), "nothing was averaged"
    model(x, training=True)
    assert state.numpy().tolist() != before
    assert norm.moving_mean.numpy().all()


@says("A checkpoint takes a Keras model in the place of the module.")
@says(
    "This model is a line again; its layer makes the weights at the "
    "first call, when it sees the shape of its input."
)
@says("A straight line whose weights are made at its first call.")
@says("Return a prediction for each row of x, shape (rows, 1).")
@says(
    "The cure is to call the model once before reading, so that its "
    "variables are there. `expect_partial` gives up the failed attempt."
)
@says(
    "So the order is always the same: make the model, call it, build "
    "the optimizer, read, assert."
)
def test_a_keras_model_in_a_checkpoint(story: Names) -> None:
    x, y = column(story["x"]), column(story["y"])

    def called() -> Line:
        line = Line()
        assert line.weights == []
        assert line(x).shape == (201, 1)
        assert len(line.weights) == 2
        assert line.dense.kernel.shape == (1, 1)
        return line

    stopped = new_training(called())
    train_until(10, stopped, x, y)
    path = stopped.write("keras")
    resumed = new_training(called())
    resumed.read(path).assert_consumed()
    assert train_until(14, resumed, x, y) == train_until(14, stopped, x, y)


@says(
    "The decorator, in Keras' own words "
    "`keras.saving.register_keras_serializable`, registers the class, "
    "so that Keras finds it when it loads [a whole "
    "model](#the-whole-model-keras)."
)
@says(
    "The keyword arguments are for that, too: from the file come "
    "`trainable` and `dtype`, which Keras hands to the constructor."
)
def test_the_class_is_registered(fitted: tuple[Line, list[float]]) -> None:
    decorator = keras.saving.register_keras_serializable
    assert tf.keras.utils.register_keras_serializable is decorator
    assert keras.saving.get_registered_object("Custom>Line") is Line
    loaded = tf.keras.models.load_model(fitted[0].saved / "line.keras")
    assert {*loaded.get_config()} == {"trainable", "dtype"}
    given: list[dict[str, object]] = []
    start = Line.__init__

    def watched(self: Line, **options: object) -> None:
        given.append(options)
        start(self, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Line, "__init__", watched)
        tf.keras.models.load_model(fitted[0].saved / "line.keras")
    assert [{*options} for options in given] == [{"trainable", "dtype"}]
    custom = keras.saving.get_custom_objects()
    del custom["Custom>Line"]
    try:
        with pytest.raises(TypeError, match="Could not locate class"):
            tf.keras.models.load_model(fitted[0].saved / "line.keras")
    finally:
        custom["Custom>Line"] = Line


@says(
    "There are two traps: a model that is not built, which comes next, and "
    "[layers that draw random numbers](#layers-that-draw-random-numbers)."
)
@says(
    "No error, and the new model is half restored: it has the trained "
    "bias, but the kernel, which is what Keras calls `w`, is still that "
    "of the start."
)
@says("Ask, and you are told:")
def test_an_unbuilt_model_is_half_restored() -> None:
    saved, now = map(values, printed(NAME, "unbuilt").splitlines())
    assert now[1] == saved[1] != 0
    assert now[0] == 5.0 != saved[0]
    assert 'full_name: "line/kernel"' in printed(NAME, "unconsumed")
    assert values(printed(NAME, "built")) == saved
    traps = [
        "A model that is not built yet",
        "Layers that draw random numbers",
    ]
    assert all(f"\n### {trap}\n" in SOURCE for trap in traps)


@says("For `fit`, Keras has files of its own.")
@says(
    "`save` writes the whole model into one: what it is made of, its "
    "weights, and how it was compiled, with the state of the optimizer."
)
@says("Same losses: nothing was lost.")
@says(
    "But the file does not know the epoch. That is what `initial_epoch` "
    "is for."
)
@says(
    "A `.keras` file has neither the epoch nor the random state of layers, "
    "and not the order in which `fit` shuffles."
)
@says("Fit from the first epoch to the last; return the losses.")
def test_a_keras_file(story: Names, fitted: tuple[Line, list[float]]) -> None:
    line, rest = fitted
    x, y = column(story["x"]), column(story["y"])
    loaded = tf.keras.models.load_model(line.saved / "line.keras")
    assert isinstance(loaded, Line)
    assert isinstance(loaded.optimizer, tf.keras.optimizers.SGD)
    assert int(loaded.optimizer.iterations) == 10
    assert loaded.loss == "mse"
    seen: list[int] = []
    tell = tf.keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append(epoch)
    )
    once = {"batch_size": 201, "shuffle": False, "verbose": 0}
    loaded.fit(x, y, epochs=1, callbacks=[tell], **once)
    loaded.fit(x, y, initial_epoch=10, epochs=11, callbacks=[tell], **once)
    assert seen == [0, 10]
    assert len(rest) == 10
    shuffled = [
        tf.keras.models.load_model(line.saved / "line.keras").fit(
            x, y, batch_size=32, verbose=0
        )
        for _ in range(2)
    ]
    assert shuffled[0].history["loss"] != shuffled[1].history["loss"]
    assert printed(NAME, "keras") == "same losses: True"


LOCATE = "Could not locate function 'my_loss'"


@pytest.fixture(scope="module")
def own(
    tmp_path_factory: pytest.TempPathFactory, story: Names
) -> tuple[str, list[float]]:
    """A file of a line with a loss of its own, and its next ten losses."""
    line = Line()
    compile_line(line, my_loss)
    x, y = column(story["x"]), column(story["y"])
    fit_epochs(0, 10, line, x, y)
    path = str(tmp_path_factory.mktemp("own") / "own.keras")
    line.save(path)
    return path, fit_epochs(10, 20, line, x, y)


@says("Accuracy drops to chance after load_model")
@says(
    "If a model is worse once it has been loaded, its numbers are most often "
    "those that were saved, and something around it is not."
)
@says("This one sorts rows into three kinds.")
@says(
    "Now the same file, and rows and labels as another program may make them."
)
@says(
    "The file has neither of the two highlighted lines above. Which class has "
    "which number was decided by `kinds`, and the inputs were scaled before "
    "the model saw them."
)
def test_a_loaded_model_is_as_good_as_what_is_around_it() -> None:
    lines = printed(NAME, "worse").splitlines()
    right, *worse = [float(line.rsplit(" ", 1)[1]) for line in lines]
    assert right > 0.9 > 0.35 > max(worse)
    scaled, kinds = highlighted(BLOCKS["sorter"])
    assert scaled == "scaled = (raw - 300.0) / 100.0"
    assert kinds == "kinds = sorted(set(names))"
    code = BLOCKS["worse"].code
    assert 'order = ["low", "middle", "high"]' in code
    assert sorted({"low", "middle", "high"}) == ["high", "low", "middle"]
    for line in ("scaled, numbers", "scaled, others", "raw, numbers"):
        assert line in code
    assert "scaled, numbers" in BLOCKS["sorter"].code


@says(
    "(A `list(set(names))`, not sorted, may have another order in each "
    "process.)"
)
def test_the_order_of_a_set_is_that_of_a_process() -> None:
    command = "print(list(set(['low', 'middle', 'high'])))"
    orders = [
        subprocess.run(
            [sys.executable, "-S", "-c", command],
            env={"PYTHONHASHSEED": str(seed)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in (0, *range(8))
    ]
    assert orders[0] == orders[1]
    assert len({*orders}) > 1


@says(
    "So put what is done to the inputs into the model, and save the names "
    "beside it."
)
@says(
    "**The check**: save a few raw rows and their outputs as well, and "
    "compare. If the loaded model returns the same outputs, look at the "
    "labels. If not, it is another model:"
)
def test_a_model_with_its_scale_and_names(tmp_path: Path) -> None:
    whole = printed(NAME, "asked_again").removeprefix("right: ")
    assert whole.strip() in printed(NAME, "worse").splitlines()[0]
    inside, _ = highlighted(BLOCKS["whole"])
    inside = inside.removeprefix("inside = ")
    layers = [tf.keras.Input((1,)), eval(inside), tf.keras.layers.Dense(3)]
    raw = tf.constant([[100.0], [300.0], [500.0]])
    assert layers[1](raw).numpy().ravel() == pytest.approx([-2, 0, 2])
    model = tf.keras.Sequential(layers)
    model.save(tmp_path / "whole.keras")
    loaded = tf.keras.models.load_model(tmp_path / "whole.keras")
    np.testing.assert_array_equal(loaded(raw), model(raw))


class Hidden(tf.keras.Model):
    """A line with a factor that Keras cannot see."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.factor = tf.Variable(1.0)
        self.dense = tf.keras.layers.Dense(1)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return self.factor * self.dense(x)


@says(
    "`load_weights` left [layers that were not built] … as they were, or one "
    "has [another argument]"
)
@says(
    "It has [a variable that Keras cannot see] … no `.keras` and no "
    "`.weights.h5` file holds it."
)
@says(
    "It is called with `training=True`, so that `Dropout` drops and "
    "`BatchNormalization` goes by the batch."
)
def test_a_loaded_model_that_is_another(tmp_path: Path) -> None:
    for anchor in (
        "build-was-called-on-layer-and-the-model-is-unbuilt",
        "could-not-be-deserialized-properly-a-class-with-arguments",
    ):
        assert f"](#{anchor})" in SOURCE
    assert "so `load_weights` raises nothing and loads nothing." in (
        " ".join(SOURCE.split())
    )
    x = tf.ones((4, 1))
    saved, new = Hidden(), Hidden()
    saved(x), new(x)
    saved.factor.assign(7.0)
    saved.save_weights(tmp_path / "it.weights.h5")
    new.load_weights(tmp_path / "it.weights.h5")
    saved.save(tmp_path / "it.keras")
    objects = {"Hidden": Hidden}
    whole = tf.keras.models.load_model(tmp_path / "it.keras", objects)
    for other in (new, whole):
        assert float(other.factor) == 1.0
        assert np.allclose(saved(x), 7.0 * other(x))
    dropout = tf.keras.layers.Dropout(0.5, seed=0)
    normed = tf.keras.layers.BatchNormalization()
    rows = tf.random.stateless_uniform((64, 1), [0, 1], 3.0, 4.0)
    for layer in (dropout, normed):
        usual = layer(rows)
        assert not np.allclose(layer(rows, training=True), usual, atol=0.1)
        assert np.allclose(layer(rows), usual, atol=0.2)
    batch = normed(rows, training=True).numpy()
    assert np.mean(batch) == pytest.approx(0, abs=1e-4)


@says(
    "If it is worse only after you have trained on, [its optimizer] … began "
    "anew."
)
def test_an_optimizer_that_began_anew_is_told_of() -> None:
    assert "](#skipping-variable-loading-for-optimizer)" in SOURCE
    assert "the state of the optimizer is not." in " ".join(SOURCE.split())
    assert "same losses: False" in " ".join(
        printed(NAME, "weights").splitlines()
    )


@says("Could not locate function 'my_loss'")
@says("Of what you wrote yourself the file has no code, but names.")
@says("Return how far each row is from its prediction, shape (rows,).")
@says(
    "Decorate the loss, as the message says and as `Line` was. That helps a "
    "file that is saved already, but the decorator must have run when you "
    "load it: import the module of the loss first."
)
@says("Or hand over the loss with its name.")
@says("(A file that was saved later calls the loss `'Custom>my_loss'`.)")
@says("There are three mends.")
def test_a_loss_that_keras_cannot_locate(
    own: tuple[str, list[float]],
) -> None:
    path, _ = own
    with zipfile.ZipFile(path) as file:
        kept = json.loads(file.read("config.json"))
    assert kept["compile_config"]["loss"]["config"] == "my_loss"
    assert kept["class_name"] == "Line"
    told = printed(NAME, "not_located")
    assert LOCATE in told
    assert "decorated with `@keras.saving.register_keras_seri" in told
    load = tf.keras.models.load_model
    with pytest.raises(TypeError, match=LOCATE):
        load(path)
    named = load(path, custom_objects={"my_loss": my_loss})
    assert named.loss is my_loss
    assert int(named.optimizer.iterations) == 10
    tf.keras.utils.register_keras_serializable()(my_loss)
    try:
        known = load(path)
        known.save("known.keras")
        assert known.loss is my_loss
    finally:
        del keras.saving.get_custom_objects()["Custom>my_loss"]
    with pytest.raises(TypeError, match="function 'Custom>my_loss'"):
        load("known.keras")
    load("known.keras", custom_objects={"Custom>my_loss": my_loss})
    for mend in ("by_name", "compiled_anew"):
        assert printed(NAME, mend) == "same losses: True"


@says("Or load without what was compiled, and compile anew.")
@says(
    "Then the optimizer begins anew as well, unless you fetch its state, as "
    "the highlighted lines do."
)
@pytest.mark.parametrize("fetches", [False, True])
def test_a_model_that_is_compiled_anew(
    fetches: bool, story: Names, own: tuple[str, list[float]]
) -> None:
    path, rest = own
    anew = tf.keras.models.load_model(path, compile=False)
    assert not hasattr(anew, "optimizer")
    compile_line(anew, my_loss)
    lines = highlighted(BLOCKS["compiled_anew"])
    assert [line.partition("(")[0] for line in lines] == [
        "anew.optimizer.build",
        "anew.load_weights",
    ]
    if fetches:
        anew.optimizer.build(anew.trainable_variables)
        anew.load_weights(path)
    assert int(anew.optimizer.iterations) == (10 if fetches else 0)
    x, y = column(story["x"]), column(story["y"])
    losses = fit_epochs(10, 20, anew, x, y)
    assert losses[0] == rest[0]
    assert (losses == rest) is fetches


@says("It is the same with a metric.")
@says("`Could not locate class 'Line'` says it of a model or a layer.")
@says(
    "A class must have been decorated when it was saved, too, or be handed "
    "over, and `compile=False` does not spare you it."
)
@says(
    "From the class comes all that a model does, its own `train_step` as "
    "well: if you have changed it since, the loaded model trains in the new "
    "way."
)
def test_what_else_keras_cannot_locate() -> None:
    def my_metric(y: Any, y_pred: Any) -> Any:
        return tf.reduce_max(y - y_pred)

    class Then(Line):
        def train_step(self, data: Any) -> dict[str, Any]:
            return {"then": 1.0}

    class Now(Line):
        def train_step(self, data: Any) -> dict[str, Any]:
            return {"now": 2.0}

    load, x = tf.keras.models.load_model, tf.constant([[1.0]])
    measured = Line()
    measured.compile("sgd", "mse", metrics=[my_metric])
    measured.evaluate(x, x, verbose=0)
    measured.save("metric.keras")
    with pytest.raises(TypeError, match="locate function 'my_metric'"):
        load("metric.keras")
    load("metric.keras", custom_objects={"my_metric": my_metric})

    then = Then()
    then(x)
    then.compile("sgd", "mse")
    assert then.fit(x, x, verbose=0).history == {"then": [1.0]}
    then.save("then.keras")
    for how in ({}, {"compile": False}):
        with pytest.raises(TypeError, match="Could not locate class 'Then'"):
            load("then.keras", **how)
    now = load("then.keras", custom_objects={"Then": Now})
    assert now.fit(x, x, verbose=0).history == {"now": [2.0]}
    tf.keras.utils.register_keras_serializable()(Then)
    try:
        with pytest.raises(TypeError, match="Could not locate class 'Then'"):
            load("then.keras")
        then.save("registered.keras")
        assert isinstance(load("registered.keras"), Then)
    finally:
        del keras.saving.get_custom_objects()["Custom>Then"]


@says(
    "Nor does it know what else was set on the way: in a class of your own no "
    "layer is frozen any more, and what `exclude_from_weight_decay` kept out "
    "decays again, without a word."
)
@says("Set both again, before the first step.")
def test_what_a_keras_file_forgets(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    x = tf.constant([[1.0], [2.0]])

    class Two(tf.keras.Model):
        def __init__(self, **options: object) -> None:
            super().__init__(**options)
            self.base = tf.keras.layers.Dense(1)
            self.head = tf.keras.layers.Dense(1, bias_initializer="ones")

        def call(self, x: tf.Tensor) -> tf.Tensor:
            return self.head(self.base(x))

    def fit(model: Any) -> list[float]:
        model.fit(x, x, shuffle=False, verbose=0)
        return [float(tf.squeeze(v)) for v in model.weights]

    def load() -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return tf.keras.models.load_model(path, {"Two": Two})

    model = Two()
    model(x)
    model.base.trainable = False
    optimizer = SGD(0.01, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.compile(optimizer, "mse")
    fit(model)
    model.save(path)
    due = fit(model)
    loaded, unfrozen, again = load(), load(), load()
    assert loaded.base.trainable
    loaded.base.trainable = again.base.trainable = False
    apart = np.not_equal(fit(loaded), due)
    assert apart.tolist() == [False, False, False, True]
    for one in (unfrozen, again):
        one.optimizer.exclude_from_weight_decay(var_names=["bias"])
    assert all(np.not_equal(fit(unfrozen)[:2], due[:2]))
    assert fit(again) == due

    def decays(optimizer: Any) -> bool:
        """Return whether a step without a gradient moves a bias."""
        bias = model.head.bias
        bias.assign([1.0])
        optimizer.apply([tf.zeros(1)], [bias])
        return float(bias[0]) != 1.0

    assert not decays(optimizer)
    own = [model.head.bias]
    for copied in (copy.deepcopy(optimizer), copy_optimizer(optimizer, own)):
        assert decays(copied)


FACTOR = 3.0


@says("could not be deserialized properly: a class with arguments")
@says("This line divides its inputs by a number.")
@says("A line whose inputs are divided by a number.")
@says("Return the arguments, by name, for the file.")
@says("The last line says what is wrong.")
@says(
    "From the file come `trainable` and `dtype`, and this `__init__` takes "
    "neither: let it take all, by `**options`."
)
@says("It was 2, and the file has the default.")
@says(
    "So with `**options` alone the model would be loaded, divide by 1, and "
    "predict something else, without a word."
)
@says("A model has to note down its arguments, in a `get_config`.")
@says(
    "**The check** is the last line. Of an argument without a default `save` "
    "says that the class `must override get_config()`."
)
@says(
    "A layer of your own notes down numbers and strings by itself, but needs "
    "`**options`, too."
)
@says(
    "Not so a `Dense` of your own, or another layer of Keras to which you add "
    "an argument: without a `get_config` it is loaded with the default, "
    "without a word."
)
def test_a_class_with_arguments(tmp_path: Path) -> None:
    told = printed(NAME, "not_revived").strip().split("\n")
    assert "could not be deserialized properly" in told[0]
    assert told[-1].endswith("got an unexpected keyword argument 'trainable'")
    said = " ".join(told)
    assert "Scaled(2.0)" in BLOCKS["not_revived"].code
    assert "'scale': 1.0" in said
    assert "'trainable': True, 'dtype': " in said
    assert printed(NAME, "kept") == "scale: 2.0"
    last = BLOCKS["kept"].code.rstrip().split("\n")[-1]
    assert last == "assert tf.reduce_all(revived(inputs) == before)"
    x = tf.constant([[1.0], [2.0]])

    class Loose(Line):
        def __init__(self, scale: float = 1.0, **options: object) -> None:
            super().__init__(**options)
            self.scale = scale

        def call(self, x: tf.Tensor) -> tf.Tensor:
            return super().call(x / self.scale)

    class Required(Loose):
        def __init__(self, scale: float, **options: object) -> None:
            super().__init__(scale, **options)

    class Halved(tf.keras.layers.Layer):
        def __init__(self, scale: float, how: str, **options: object) -> None:
            super().__init__(**options)
            self.scale, self.how = scale, how

        def call(self, x: tf.Tensor) -> tf.Tensor:
            return x / self.scale

    class Bare(tf.keras.layers.Layer):
        def __init__(self, scale: float) -> None:
            super().__init__()
            self.scale = scale

        def call(self, x: tf.Tensor) -> tf.Tensor:
            return x / self.scale

    def cycle(model: Any) -> tuple[Any, Any]:
        """Return what a model predicts, and the model as loaded."""
        before = model(x)
        model.save(tmp_path / "model.keras")
        own = [*getattr(model, "layers", []), model]
        loaded = tf.keras.models.load_model(
            tmp_path / "model.keras",
            custom_objects={type(part).__name__: type(part) for part in own},
        )
        return before, loaded

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "__array__", DeprecationWarning)
        before, loaded = cycle(Loose(2.0))
        assert loaded.scale == 1.0
        assert np.allclose(loaded(x), 2.0 * before)
        before, loaded = cycle(Kept(2.0))
    assert np.array_equal(loaded(x), before)
    with pytest.raises(TypeError, match="argument 'trainable'"):
        cycle(Scaled(2.0))
    with pytest.raises(NotImplementedError, match="must override `get_config"):
        cycle(Required(2.0))
    inputs = tf.keras.Input((1,))
    before, loaded = cycle(tf.keras.Sequential([inputs, Halved(2.0, "so")]))
    assert np.array_equal(loaded(x), before)
    assert (loaded.layers[0].scale, loaded.layers[0].how) == (2.0, "so")
    with pytest.raises(TypeError, match="argument 'trainable'"):
        cycle(tf.keras.Sequential([tf.keras.Input((1,)), Bare(2.0)]))

    class Divided(tf.keras.layers.Dense):
        def __init__(
            self, units: int, scale: float = 1.0, **options: object
        ) -> None:
            super().__init__(units, **options)
            self.scale = scale

        def call(self, x: tf.Tensor) -> tf.Tensor:
            return super().call(x) / self.scale

    class Noted(Divided):
        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "scale": self.scale}

    for kind, scale in ((Divided, 1.0), (Noted, 2.0)):
        layer = kind(1, scale=2.0)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", "__array__", DeprecationWarning)
            before, loaded = cycle(tf.keras.Sequential([inputs, layer]))
        assert loaded.layers[0].scale == scale
        assert np.allclose(loaded(x), before * 2.0 / scale)


@says(
    "A layer or a model among the arguments comes back as a dictionary, and "
    "the first call says `'TrackedDict' object is not callable`."
)
@says(
    "Make it whole in a `from_config`, by "
    "`tf.keras.utils.deserialize_keras_object`."
)
@says("A tensor comes back as a dictionary, too: hand over numbers.")
@says(
    "And a `compile` with arguments of its own, as that of a GAN, is not "
    "called when the model is loaded. Call it anew."
)
def test_arguments_that_are_no_numbers(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    x = tf.constant([[1.0], [2.0]])

    class Around(tf.keras.Model):
        def __init__(self, inner: Any, **options: object) -> None:
            super().__init__(**options)
            self.inner = inner

        def call(self, x: tf.Tensor) -> tf.Tensor:
            return self.inner(x)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "inner": self.inner}

    class Whole(Around):
        @classmethod
        def from_config(cls, config: Any) -> Any:
            make = tf.keras.utils.deserialize_keras_object
            return cls(make(config.pop("inner")), **config)

    compiled = []

    class Own(Whole):
        def compile(self, first: Any, second: Any) -> None:
            super().compile()
            compiled.append((first, second))

    for inner in (
        tf.keras.layers.Dense(1),
        tf.keras.Sequential([tf.keras.Input((1,)), tf.keras.layers.Dense(1)]),
    ):
        for kind in (Around, Whole, Own):
            model = kind(inner)
            if kind is Own:
                model.compile(SGD(), SGD())
            before = model(x)
            model.save(path)
            own = {kind.__name__: kind}
            if kind is Around:
                with pytest.raises(TypeError, match="'TrackedDict' object is"):
                    tf.keras.models.load_model(path, own)(x)
                continue
            compiled.clear()
            loaded = tf.keras.models.load_model(path, own)
            assert np.array_equal(loaded(x), before)
            assert not compiled
    model = Kept(tf.constant(2.0))
    model(x)
    model.save(path)
    words = r"Attempt to convert a value \({'class_name': '__tensor__'"
    with pytest.raises(ValueError, match=words):
        tf.keras.models.load_model(path)(x)


@says("Requested the deserialization of a Lambda layer: safe_mode")
@says(
    "One piece of code a file does hold: that of a Python `lambda` in a "
    "`Lambda` layer. Code from a file can do anything, so `load_model` "
    "refuses it."
)
@says(
    "If you made the file, `safe_mode=False` loads it. But the `lambda` knows "
    "nothing of your program any more: where it says `tf.square`, the first "
    "call says `name 'tf' is not defined`."
)
@says("Nor is a variable trained that it uses.")
@says(
    "So write a layer of your own in its place, and read the weights out of "
    "the old file."
)
@says("A layer that doubles its input.")
@says("Return twice x, of any shape.")
@says(
    "A function with a name is again no more than a name in the file, and "
    "needs `custom_objects`, as `my_loss` did."
)
def test_a_lambda_in_a_file() -> None:
    def saved(name: str, layer: Any) -> Any:
        made = [tf.keras.Input((1,)), layer, tf.keras.layers.Dense(1)]
        model = tf.keras.Sequential(made)
        model.save(name)
        return model

    def halved(x: Any) -> Any:
        return 0.5 * x

    load, layer = tf.keras.models.load_model, tf.keras.layers.Lambda
    x, w = tf.constant([[3.0], [-1.0]]), tf.Variable(2.0)
    doubled = saved("doubled.keras", layer(lambda x: 2.0 * x))
    refused = "of a `Lambda` layer whose `function` is a Python lambda"
    assert refused in printed(NAME, "lambda_refused")
    with pytest.raises(ValueError, match=re.escape(refused)):
        load("doubled.keras")
    again = load("doubled.keras", safe_mode=False)
    np.testing.assert_array_equal(again(x), doubled(x))
    with zipfile.ZipFile("doubled.keras") as file:
        kept = json.loads(file.read("config.json"))["config"]["layers"][1]
    assert "code" in kept["config"]["function"]["config"]
    saved("squared.keras", layer(lambda x: tf.square(x)))
    loaded = load("squared.keras", safe_mode=False)
    with pytest.raises(NameError, match="name 'tf' is not defined"):
        loaded(x)
    saved("factor.keras", layer(lambda x: FACTOR * x))
    with pytest.raises(NameError, match="name 'FACTOR' is not defined"):
        load("factor.keras", safe_mode=False)(x)
    uses = tf.keras.Sequential([tf.keras.Input((1,)), layer(lambda x: w * x)])
    assert uses.trainable_variables == []
    made = [tf.keras.Input((1,)), Double(), tf.keras.layers.Dense(1)]
    rebuilt = tf.keras.Sequential(made)
    rebuilt.load_weights("doubled.keras")
    rebuilt.save("rebuilt.keras")
    np.testing.assert_array_equal(load("rebuilt.keras")(x), doubled(x))
    assert printed(NAME, "lambda_replaced") == "largest difference: 0.0000"
    named = saved("halved.keras", layer(halved))
    with pytest.raises(TypeError, match="Could not locate function 'halved'"):
        load("halved.keras")
    found = load("halved.keras", custom_objects={"halved": halved})
    np.testing.assert_array_equal(found(x), named(x))


class Unknown(Line):
    """Not registered."""


@says("copy.deepcopy or pickle of a model or an optimizer")
@says(
    "A Keras model is copied, and pickled, by way of a `.keras` file: if its "
    "class is registered, with all that such a file holds. So is an "
    "optimizer. But with no model beside it the copy is not built, and you "
    "have the warning of above again."
)
@says(
    "By itself, only an optimizer that keeps nothing for each weight is "
    "copied whole, such as plain `SGD`. Build the copy, then hand over what "
    "the variables hold."
)
@says("(No copy knows of `exclude_from_weight_decay`, either.)")
@says("Return an optimizer for these variables, with the state of another.")
@says("They have the shapes and the order of those that it was built for.")
def test_copies_of_models_and_optimizers(story: Names) -> None:
    def by_pickle(thing: Any) -> Any:
        held = pickle.dumps(thing)
        assert b"model.weights.h5" in held, "as in the file"
        return pickle.loads(held)

    x, y = column(story["x"]), column(story["y"])
    for copied in (copy.deepcopy, by_pickle):
        line = Line()
        compile_line(line)
        fit_epochs(0, 3, line, x, y)
        twin = copied(line)
        begins = copied(line.optimizer)
        assert (begins.built, int(begins.iterations)) == (False, 0)
        variables = twin.trainable_variables
        assert variables[0] is not line.trainable_variables[0]
        other = Line()
        other(x)
        other.set_weights(line.get_weights())
        given = copy_optimizer(line.optimizer, other.trainable_variables)
        other.compile(given, "mse")
        begun = Line()
        begun(x)
        begun.set_weights(line.get_weights())
        begun.compile(begins, "mse")
        rest = fit_epochs(3, 6, line, x, y)
        assert fit_epochs(3, 6, twin, x, y) == rest
        assert fit_epochs(3, 6, other, x, y) == rest
        assert fit_epochs(3, 6, begun, x, y) != rest
        unknown = Unknown()
        unknown(x)
        with pytest.raises(TypeError, match="Could not locate class 'Unkn"):
            copied(unknown)
        plain = tf.keras.optimizers.SGD()
        plain.build(line.trainable_variables)
        plain.iterations.assign(7)
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            assert int(copied(plain).iterations) == 7
        adam = tf.keras.optimizers.Adam()
        adam.build(line.trainable_variables)
        with pytest.warns(UserWarning, match=f"{SKIPPED}.*2 .*has 6 "):
            copied(adam)
    told = printed(NAME, "deepcopy").splitlines()
    assert told[0].startswith(SKIPPED)
    assert [line.split()[-2] for line in told[1:]] == ["20", "20", "0"]


@says(
    "A `tf.Module` is copied with its variables. A `lambda` in it, compiled "
    "or not, goes on with those of the old one, and once a function in it has "
    "been traced, `deepcopy` and `pickle` raise `cannot pickle 'FuncGraph' "
    "object`."
)
@says(
    "Make a new module, and [read a checkpoint](#what-there-is-to-save) of "
    "the old one into it."
)
def test_copies_of_modules() -> None:
    def with_lambda(*, compiled: bool) -> Any:
        module: Any = LinearModel()
        module.doubled = lambda x: 2.0 * module.w * x
        if compiled:
            module.doubled = tf.function(module.doubled)
        return module

    for compiled in (False, True):
        module = with_lambda(compiled=compiled)
        twin = copy.deepcopy(module)
        twin.w.assign(0.0)
        assert float(module.w) == 5.0
        assert float(twin(tf.constant(1.0))) == 0.0
        assert float(twin.doubled(tf.constant(1.0))) == 10.0
    plain = LinearModel()
    assert float(pickle.loads(pickle.dumps(plain)).w) == 5.0
    module = tf.Module()
    module.step = tf.function(plain)
    module.step(tf.constant(1.0))
    for copied in (copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot pickle 'FuncGraph' obj"):
            copied(module)
    module.line = plain
    plain.w.assign(7.0)
    path = tf.train.Checkpoint(line=plain).write("plain")
    new = LinearModel()
    tf.train.Checkpoint(line=new).read(path).assert_consumed()
    assert float(new.w) == 7.0


@says("Give the line an optimizer and a loss for ``fit``.")
def test_a_compiled_line_has_both() -> None:
    line = Line()
    compile_line(line)
    assert (line.optimizer is not None, line.loss) == (True, "mse")


@says("The same block saved the weights as well.")
@says(
    "They need a model to go into, which you make and call yourself. With a "
    "new `Line`, `load_weights` raises a `ValueError`, `loading weights "
    "into a model that has not yet been built`."
)
@says(
    "The same start and another way, as [above](#the-weights-alone), "
    "because the optimizer began anew."
)
@says(
    "Since the model was compiled when it was saved, the file has the "
    "state of its optimizer after all."
)
@says("It is read if there is a built optimizer to take it:")
@says(
    "And the optimizer is in a `.keras` or a `.weights.h5` file only if the "
    "model was compiled: that of a loop of your own is in neither."
)
def test_a_file_of_weights(fitted: tuple[Line, list[float]]) -> None:
    path = str(fitted[0].saved / "line.weights.h5")
    assert 'save_weights("line.weights.h5")' in BLOCKS["keras"].code
    message = "loading weights into a model that has not yet been built"
    with pytest.raises(ValueError, match=message):
        Line().load_weights(path)
    layers = [tf.keras.Input((1,)), tf.keras.layers.Dense(1)]
    tf.keras.Sequential(layers).save_weights("built.weights.h5")
    uncalled = tf.keras.Sequential([*layers[:1], tf.keras.layers.Dense(1)])
    uncalled.load_weights("built.weights.h5")
    assert uncalled.get_weights()[0] == layers[1].kernel.numpy()
    told = "same first loss: True\nsame losses: False"
    assert printed(NAME, "weights") == told
    assert printed(NAME, "weights_and_optimizer") == "same losses: True"
    groups: list[str] = []
    with h5py.File(path) as file:
        file.visit(groups.append)
    assert "optimizer/vars/3" in groups
    x = tf.constant([[1.0]])
    taken = []
    for builds in (False, True):
        line = Line()
        line(x)
        compile_line(line)
        if builds:
            line.optimizer.build(line.trainable_variables)
        line.load_weights(path)
        taken.append(int(line.optimizer.iterations))
    assert taken == [0, 10]
    plain = Line()
    plain(x)
    plain.save_weights("plain.weights.h5")
    with h5py.File("plain.weights.h5") as file:
        assert "optimizer" not in file
    plain.save("plain.keras")
    assert not hasattr(tf.keras.models.load_model("plain.keras"), "optimizer")


@says("build() was called on layer, and the model is (unbuilt)")
@says(
    "In the `summary` of a subclassed model that was never called the layers "
    "are `(unbuilt)`, with 0 parameters."
)
@says("`build((None, 1))` makes no weights for them.")
@says(
    "It warns: \"`build()` was called on layer 'line', however the layer does "
    'not have a `build()` method implemented".'
)
@says(
    "But the model counts as built from then on, so `load_weights` raises "
    "nothing and loads nothing. Call the model once on a batch."
)
def test_a_model_that_is_built_by_a_shape() -> None:
    def summed_up(model: Any) -> str:
        lines: list[str] = []
        model.summary(print_fn=lambda text, **_: lines.append(text))
        return "\n".join(lines)

    rows = tf.constant([[1.0], [2.0]])
    saved, new = Line(), Line(name="line")
    saved(rows)
    saved.dense.kernel.assign([[3.0]])
    saved.save_weights("line.weights.h5")
    assert re.search(r"Dense.+ 0 \(unbuilt\)", summed_up(new))
    assert "Total params: 0" in summed_up(new)
    message = (
        "`build()` was called on layer 'line', however the layer does not "
        "have a `build()` method implemented"
    )
    with pytest.warns(UserWarning, match=re.escape(message)):
        new.build((None, 1))
    assert new.built
    assert (new.dense.built, new.weights) == (False, [])
    assert "0 (unbuilt)" in summed_up(new)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        new.load_weights("line.weights.h5")
    assert new.weights == []
    np.testing.assert_array_equal(new(rows), 5 * rows)
    assert "unbuilt" not in summed_up(new)
    new.load_weights("line.weights.h5")
    np.testing.assert_array_equal(new(rows), 3 * rows)


def dense(*units: int) -> Any:
    """Return a model of layers that have a weight of 1 for each pair."""
    layers = [
        tf.keras.layers.Dense(n, kernel_initializer="ones") for n in units
    ]
    return tf.keras.Sequential([tf.keras.Input((1,)), *layers])


class TwoWays(tf.keras.layers.Layer):
    """Calls its second layer only when it is asked to."""

    def __init__(self) -> None:
        super().__init__()
        self.first = tf.keras.layers.Dense(1)
        self.second = tf.keras.layers.Dense(1)

    def call(self, x: Any, both: bool = False) -> Any:
        x = self.first(x)
        return self.second(x) if both else x


class Renamed(tf.keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.line = tf.keras.layers.Dense(1)

    def call(self, x: Any) -> Any:
        return self.line(x)


@says("A total of 1 objects could not be loaded")
@says(
    "`load_weights` says so, in a `ValueError`, of layers of the model that "
    "the file does not fit, and gives a reason for one of them."
)
@says(
    "`Layer 'dense' expected 2 variables, but received 0 variables`: the file "
    "does not know the layer. It was added since, or its attribute was "
    "renamed."
)
@says(
    "`The shape of the target variable and the shape of the target value … "
    "must match`: the layer had another size."
)
@says(
    "`Layer 'dense' was never built`: it is within a layer of yours that has "
    "not called it yet. (Of a subclassed model such a layer is left as it is, "
    "without a word, as above.)"
)
@says(
    "All that fits is loaded before, and `skip_mismatch=True` makes a warning "
    "of the error. A layer that only the file knows is passed over without a "
    "word. And a `Sequential` model or a functional one goes by kind and "
    "order, not by the names of layers: two of one shape that changed places "
    "get each other's weights."
)
@says(
    "An `.h5` file of a whole model goes by order, and says `Layer count "
    "mismatch when loading weights from file` where a layer with weights was "
    "added or left out."
)
def test_layers_that_a_file_does_not_fit() -> None:
    dense(2, 2).save("whole.h5")
    dense(2, 2).load_weights("whole.h5")
    for count in (1, 3):
        told = "Layer count mismatch when loading weights from file"
        with pytest.raises(ValueError, match=told):
            dense(*[2] * count).load_weights("whole.h5")
    more = dense(2, 2)
    more.add(tf.keras.layers.Dropout(0.5))
    more.load_weights("whole.h5")
    rows = tf.constant([[1.0], [2.0]])
    path = "some.weights.h5"
    no_such = "of 1 objects.+Layer '.+' expected 2 variables, but received 0 v"
    other = (
        "of 2 objects.+The shape of the target variable and the shape of the "
        "target value in .+ must match"
    )
    for saved_units, units, message in (
        ((2,), (2, 1), no_such),
        ((3, 1), (2, 1), other),
    ):
        saved = dense(*saved_units)
        saved.layers[0].bias.assign_add([7.0] * saved_units[0])
        saved.save_weights(path)
        new = dense(*units)
        with pytest.raises(ValueError, match=f"(?s){message}"):
            new.load_weights(path)
        fits = saved_units[0] == units[0]
        assert bool(new.layers[0].bias.numpy()[0] == 7) is fits
        new = dense(*units)
        with pytest.warns(UserWarning, match=f"(?s){message}"):
            new.load_weights(path, skip_mismatch=True)
        assert bool(new.layers[0].bias.numpy()[0] == 7) is fits

    saved = dense(2, 1)
    saved.layers[0].bias.assign([7.0, 7.0])
    saved.save_weights(path)
    new = dense(2)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        new.load_weights(path)
    assert new.layers[0].bias.numpy()[0] == 7

    def of_two(first: str, second: str, functional: bool) -> Any:
        inputs = tf.keras.Input((2,))
        one, two = (tf.keras.layers.Dense(2, name=n) for n in (first, second))
        if functional:
            return tf.keras.Model(inputs, two(one(inputs)))
        return tf.keras.Sequential([inputs, one, two])

    for functional in (False, True):
        saved = of_two("a", "b", functional)
        saved.save_weights(path)
        new = of_two("b", "a", functional)
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            new.load_weights(path)
        kernels = [m.get_layer("b").kernel.numpy() for m in (saved, new)]
        assert (kernels[0] != kernels[1]).all()
        one = saved.get_layer("a").kernel.numpy()
        np.testing.assert_array_equal(kernels[1], one)

    line, renamed = Line(), Renamed()
    for model in (line, renamed):
        model(rows)
    line.save_weights(path)
    with pytest.raises(ValueError, match=f"(?s){no_such}"):
        renamed.load_weights(path)

    layer = TwoWays()
    model = tf.keras.Sequential([tf.keras.Input((1,)), layer])
    layer(rows, both=True)
    model.save_weights(path)
    again = TwoWays()
    model = tf.keras.Sequential([tf.keras.Input((1,)), again])
    with pytest.raises(ValueError, match=r"Layer '.+' was never built"):
        model.load_weights(path)
    again(rows, both=True)
    model.load_weights(path)
    assert again.second.kernel.numpy() == layer.second.kernel.numpy()

    class Around(tf.keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.ways = TwoWays()

        def call(self, x: Any, both: bool = False) -> Any:
            return self.ways(x, both=both)

    whole, half = Around(), Around()
    whole(rows, both=True)
    whole.ways.second.bias.assign([7.0])
    whole.save_weights(path)
    half(rows)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        half.load_weights(path)
    first = (model.ways.first.kernel.numpy() for model in (whole, half))
    assert next(first) == next(first)
    half(rows, both=True)
    assert half.ways.second.bias.numpy() == 0.0


SKIPPED = "Skipping variable loading for optimizer "


@says("Skipping variable loading for optimizer")
@says(
    "`Skipping variable loading for optimizer 'sgd', because it has 2 "
    "variables whereas the saved optimizer has 4 variables` is a warning. The "
    "weights are loaded and the state of the optimizer is not."
)
@says("There are five reasons.")
@says(
    "The optimizer is not built: its two variables are the iterations and the "
    "learning rate. Build it before `load_weights`, as above."
)
@says("It is of another kind than the saved one, and keeps more or less.")
@pytest.mark.parametrize(
    ("kind", "builds", "has"),
    [("SGD", False, 2), ("Adam", True, 6), ("SGD", True, 4)],
)
def test_an_optimizer_that_is_skipped(
    kind: str, builds: bool, has: int, fitted: tuple[Line, list[float]]
) -> None:
    line, path = Line(), fitted[0].saved / "line.weights.h5"
    line(tf.constant([[1.0]]))
    options = {"momentum": 0.9} if kind == "SGD" else {}
    optimizer = getattr(tf.keras.optimizers, kind)(name="sgd", **options)
    line.compile(optimizer, "mse")
    if builds:
        optimizer.build(line.trainable_variables)
    else:
        names = [variable.name for variable in optimizer.variables]
        assert names == ["iteration", "learning_rate"]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        line.load_weights(path)
    text = f"{SKIPPED}'sgd', because it has {has} variables whereas "
    text += "the saved optimizer has 4 variables"
    said = [str(w.message) for w in caught if SKIPPED in str(w.message)]
    assert [text in message for message in said] == [True] * (has != 4)
    assert int(optimizer.iterations) == (10 if has == 4 else 0)
    assert line.get_weights()[1] != [0]


@says(
    "(One that keeps as many takes them for its own without a word, as "
    "`RMSprop` does with the momentum of `SGD`, and the steps are wrong. A "
    "checkpoint is no safer.)"
)
def test_an_optimizer_that_takes_what_is_not_its_own(story: Names) -> None:
    momentum = [tf.constant([[0.5]]), tf.constant([-0.25])]
    line = Line()
    x = column(story["x"])
    line(x)
    line.compile(tf.keras.optimizers.SGD(momentum=0.9), "mse")
    line.optimizer.build(line.trainable_variables)
    for variable, value in zip(
        line.optimizer.variables[2:], momentum, strict=True
    ):
        variable.assign(value)
    path = tf.train.Checkpoint(optimizer=line.optimizer).write("momentum")
    line.save_weights("momentum.weights.h5")
    for by_checkpoint in (False, True):
        other = Line()
        other(x)
        other.compile(tf.keras.optimizers.RMSprop(), "mse")
        optimizer = other.optimizer
        optimizer.build(other.trainable_variables)
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            if by_checkpoint:
                state = tf.train.Checkpoint(optimizer=optimizer)
                state.read(path).assert_consumed()
            else:
                other.load_weights("momentum.weights.h5")
        taken = optimizer.variables[2:]
        assert [variable.path.split("_")[-1] for variable in taken] == [
            *("velocity", "velocity")
        ]
        assert [float(np.ravel(v.numpy())[0]) for v in taken] == [0.5, -0.25]
        zero = [tf.zeros_like(v) for v in other.trainable_variables]
        optimizer.apply(zero, other.trainable_variables)
        assert np.isnan(np.sqrt(taken[1].numpy())).all(), "no mean of squares"


@says("The model was saved before it was trained. Then nothing is lost.")
def test_an_optimizer_that_was_saved_before_the_training() -> None:
    line = Line()
    optimizer = tf.keras.optimizers.SGD(0.05, momentum=0.9)
    line.compile(optimizer, "mse", run_eagerly=True)
    line(tf.constant([[1.0]]))
    line.save("untrained.keras")
    with pytest.warns(UserWarning, match=f"{SKIPPED}.*4 .*has 2 "):
        loaded = tf.keras.models.load_model("untrained.keras")
    x, y = tf.constant([[1.0]]), tf.constant([[7.0]])
    losses = [
        model.fit(x, y, epochs=3, verbose=0).history["loss"]
        for model in (line, loaded)
    ]
    assert losses[0] == losses[1]


@says(
    "The policy was `mixed_float16` when the model was compiled, which wraps "
    "the optimizer. Set the policy before `load_model`: without it float16 "
    "gradients are not scaled any more."
)
def test_an_optimizer_that_was_wrapped() -> None:
    policy = tf.keras.mixed_precision.set_global_policy
    load, x = tf.keras.models.load_model, tf.constant([[1.0]])
    wrapped = tf.keras.optimizers.LossScaleOptimizer
    policy("mixed_float16")
    try:
        # A large gradient, scaled, would be no float16, and the step skipped.
        line = tf.keras.layers.Dense(1, kernel_initializer="ones")
        model = tf.keras.Sequential([tf.keras.Input((1,)), line])
        model.compile("adam", "mse")
        model.fit(x, x, verbose=0)
        assert isinstance(model.optimizer, wrapped)
        model.save("wrapped.keras")
        again = load("wrapped.keras")
        assert isinstance(again.optimizer, wrapped)
        assert int(again.optimizer.iterations) == 1
    finally:
        policy("float32")
    with pytest.warns(UserWarning, match=f"{SKIPPED}.*6 .*has 10"):
        lost = load("wrapped.keras")
    assert isinstance(lost.optimizer, tf.keras.optimizers.Adam)
    assert lost.layers[0].compute_dtype == "float16"
    assert float(lost.optimizer.scale_loss(1.0)) == 1.0
    assert float(again.optimizer.scale_loss(1.0)) == 2.0**15


@says(
    "A layer was frozen after the optimizer was built. `load_model` builds "
    "one for what is trainable now."
)
@says(
    "Load with `compile=False`, unfreeze, compile, build, `load_weights`, and "
    "freeze again."
)
def test_an_optimizer_that_is_skipped_for_a_frozen_layer() -> None:
    dense = tf.keras.layers.Dense
    layers = [tf.keras.Input((1,)), dense(2), dense(1)]
    model, x = tf.keras.Sequential(layers), tf.constant([[1.0]])
    model.compile(tf.keras.optimizers.Adam(), "mse", run_eagerly=True)
    model.fit(x, x, verbose=0)
    model.layers[0].trainable = False
    model.save("frozen.keras")
    with pytest.warns(UserWarning, match=f"{SKIPPED}.*6 .*has 10"):
        lost = tf.keras.models.load_model("frozen.keras")
    assert int(lost.optimizer.iterations) == 0
    loaded = tf.keras.models.load_model("frozen.keras", compile=False)
    assert not loaded.layers[0].trainable
    loaded.layers[0].trainable = True
    loaded.compile(tf.keras.optimizers.Adam(), "mse", run_eagerly=True)
    loaded.optimizer.build(loaded.trainable_variables)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loaded.load_weights("frozen.keras")
    assert not [w for w in caught if SKIPPED in str(w.message)]
    loaded.layers[0].trainable = False
    for one, other in zip(
        loaded.optimizer.variables, model.optimizer.variables, strict=True
    ):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    assert int(loaded.optimizer.iterations) == 1
    loaded.compile(loaded.optimizer, "mse", run_eagerly=True)
    loaded.fit(x, x, verbose=0)
    assert int(loaded.optimizer.iterations) == 2


@says("A layer such as `Dropout` has a random state of its own.")
@says("In a checkpoint it needs a name of its own, too:")
@says(
    "There is nothing of `model` in the file, though it was named: a "
    "checkpoint does not find this state by itself."
)
@says("Nor does the `.keras` file hold it:")
@says(
    "As loaded, the layer drops what it would drop at the very beginning, or, "
    "if it was made without a seed, what another new layer would."
)
@says(
    "With its state read from the checkpoint, it goes on where the "
    "other one was."
)
def test_the_random_state_of_a_layer() -> None:
    left = ran("saved_models", "dropout")
    ones = tf.ones((1, 8))
    first = left["reloaded"] = tf.keras.models.load_model("noisy.keras")
    fresh = tf.keras.layers.Dropout(0.5, seed=0)
    np.testing.assert_array_equal(
        first(ones, training=True), fresh(ones, training=True)
    )
    unseeded = tf.keras.Sequential(
        [tf.keras.Input((8,)), tf.keras.layers.Dropout(0.5)]
    )
    state = unseeded.layers[0].seed_generator.state
    before = state.numpy().tolist()
    unseeded.save("unseeded.keras")
    again = tf.keras.models.load_model("unseeded.keras")
    assert again.layers[0].seed_generator.state.numpy().tolist() != before
    assert first.layers[0].seed is not None
    told = printed(NAME, "dropout").splitlines()
    assert [line.split("/")[0] for line in told[1:]] == ["seed"]
    assert told[0] == "_CHECKPOINTABLE_OBJECT_GRAPH []"
    lines = printed(NAME, "dropout_resumed").splitlines()
    on, reloaded, resumed = (line.split(":")[1].strip() for line in lines)
    assert on == resumed != reloaded
    assert isinstance(left["dropout"].seed_generator.state, keras.Variable)


# A model without its code


@says("To load a model of your own, all of the above needs its class.")
@says(
    "A *SavedModel* does not: it holds the variables and the functions "
    "that TensorFlow has *traced*, turned into graphs."
)
@says("Our module has no such function yet.")
@says(
    "Without one a module can be saved and loaded, but there is nothing "
    "to call:"
)
@says("`tf.function` traces the call.")
@says("Its signature says for which inputs: here a vector of any length.")
@says("A Keras model can do the same by itself, with `export`.")
@says("This program knows neither of the two classes.")
@says("It is another file, `reader.py`.")
@says("What TensorFlow has to log goes to a file.")
@says(
    "Each model predicts what it did before; they differ because they "
    "were trained for different numbers of epochs."
)
@says(
    "The module kept its variables by their names, and its function by "
    "the name we gave it; the method of an exported Keras model is "
    "called `serve`."
)
def test_models_without_their_code(
    story: Names, fitted: tuple[Line, list[float]]
) -> None:
    line, _ = fitted
    assert "_UserObject' object is not callable" in printed(NAME, "uncallable")
    ran("saved_models", "served", resumed=story["resumed"], fitted=line)
    loaded = tf.saved_model.load("served")
    assert not isinstance(loaded, LinearModel)
    for x in ([1.0], [1.0, -2.0, 3.0]):
        np.testing.assert_allclose(
            loaded.predict(x), story["resumed"].model(x)
        )
    with pytest.raises(TypeError, match="Can not cast"):
        loaded.predict(tf.ones((2, 1)))
    assert hasattr(loaded.line, "w")
    exported = tf.saved_model.load(str(line.saved / "exported"))
    got = float(exported.serve([[2.0]])[0, 0])
    assert got == pytest.approx(line.predicted, abs=1e-5)
    code = "".join(
        b.code for b in PAGE.blocks if b.options.get("file") == "reader.py"
    )
    assert "LinearModel" not in code
    assert "class" not in code
    before = [values(t)[0] for t in printed(NAME, "served").splitlines()]
    command = "cd saved-* && python ../reader.py 2> reader.log"
    kept = record(NAME)[command].splitlines()
    after = [values(text)[0] for text in kept]
    assert [after[0], after[2]] == before
    assert before[0] != before[1]
    epochs = [30, 20]
    assert [len(story["whole"]), int(line.optimizer.iterations)] == epochs


# Which format for what


@says("checkpoint | a loop of your own | all that you name | your code")
@says("`.keras` | resuming `fit` | model, weights, optimizer | your classes")
@says(
    "`.weights.h5` | passing weights on | weights, optimizer | the "
    "model, built"
)
@says("SavedModel | using a model | variables, functions | TensorFlow alone")
@says(
    "You also learn which file format is for what, with loops of your "
    "own and with Keras."
)
def test_the_table_of_formats(fitted: tuple[Line, list[float]]) -> None:
    rows = re.findall(r"(?m)^\| (?!-|format)(\S+?) \|", SOURCE)
    assert rows == ["checkpoint", "`.keras`", "`.weights.h5`", "SavedModel"]
    folder = fitted[0].saved
    with pytest.raises(ValueError, match="not yet been built"):
        Line().load_weights(folder / "line.weights.h5")
    loaded = tf.keras.models.load_model(folder / "line.keras")
    assert loaded.optimizer is not None
    exported = tf.saved_model.load(str(folder / "exported"))
    assert len(exported.variables) == 2
    assert callable(exported.serve)


# Exercises


@says(
    "It raises `Unresolved object in checkpoint`, with the first momentum "
    "that has no place. A checkpoint remembers such values, and hands them "
    "over when a variable turns up for them."
)
@says(
    "For this optimizer that went well. For the Keras model above it did not."
)
@says("`build` lets you know before you train, not after.")
def test_values_are_handed_over_late(story: Names) -> None:
    late = tf.train.Checkpoint()
    status = late.read(story["stopped_at"])
    late.epoch = tf.Variable(0)
    assert int(late.epoch) == 10
    status.expect_partial()
    optimizer = tf.keras.optimizers.SGD(0.05, momentum=0.9)
    parts = {"model": LinearModel(), "epoch": tf.Variable(0)}
    unready = tf.train.Checkpoint(optimizer=optimizer, **parts)
    status = unready.read(story["stopped_at"])
    first = r"^Unresolved object in checkpoint \(root\)\.optimizer\._variables"
    with pytest.raises(AssertionError, match=rf"{first}\.2"):
        status.assert_consumed()
    optimizer.build(parts["model"].trainable_variables)
    status.assert_consumed()
    assert "momentum" in optimizer.variables[2].name
    assert printed(NAME, "unready").splitlines() == [
        "after reading: not all values have found their place",
        "after training: they have",
        "same losses: True",
    ]
    assert "kernel 5.0000" in printed(NAME, "unbuilt")


@says(
    "The learning rate is one of the optimizer's variables, so `read` "
    "put the saved 0.05 in its place."
)
@says(
    "You resume from `stopped` because the loss swings too much, and "
    "want a learning rate of 0.01."
)
def test_the_saved_rate_takes_the_place_of_the_new_one(story: Names) -> None:
    slower = new_training(LinearModel(), learning_rate=0.01)
    names = [variable.name for variable in slower.optimizer.variables]
    assert "learning_rate" in names
    slower.read(story["stopped_at"]).assert_consumed()
    assert float(slower.optimizer.learning_rate) == pytest.approx(0.05)
    slower.optimizer.learning_rate = 0.01
    rest = train_until(30, slower, story["x"], story["y"])
    assert np.abs(np.diff(rest)).sum() < np.abs(np.diff(story["rest"])).sum()


@says("Without such a check you learn of it late, or never.")
@says(
    "When an object that was restored is gone, TensorFlow logs for each "
    'value that was left over: "Value in checkpoint could not be found in '
    "the restored object\", with the value's path."
)
@says(
    "If it is meant, as where you read the weights alone, say so with "
    "`expect_partial()` in place of `assert_consumed()`."
)
@pytest.mark.parametrize("meant", [False, True])
def test_a_value_left_over_is_logged_unless_it_is_meant(
    meant: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = tf.Module()
    whole.w, whole.b = tf.Variable(1.0), tf.Variable(2.0)
    path = tf.train.Checkpoint(model=whole).write(str(tmp_path / "whole"))
    part = tf.Module()
    part.w = tf.Variable(0.0)
    checkpoint = tf.train.Checkpoint(model=part)
    status = checkpoint.read(path)
    if meant:
        status.expect_partial()
    logger = logging.getLogger("tensorflow")
    logger.addHandler(caplog.handler)
    assert not caplog.messages, "as long as the objects live"
    try:
        del checkpoint, status, part
        gc.collect()
    finally:
        logger.removeHandler(caplog.handler)
    said = "Value in checkpoint could not be found in the restored object"
    assert any(said in text for text in caplog.messages) is not meant
    assert any("model.b" in text for text in caplog.messages) is not meant


@says(
    "`fit` that saves and resumes by itself: [the BackupAndRestore "
    "callback](https://keras.io/api/callbacks/backup_and_restore/)."
)
def test_keras_backs_up_and_restores(story: Names) -> None:
    class Interrupted(Exception):
        pass

    def stop(epoch: int, logs: Any) -> None:
        if epoch == 2:
            raise Interrupted

    def fit(*callbacks: Any) -> list[int]:
        line = Line()
        compile_line(line)
        x, y = column(story["x"]), column(story["y"])
        line(x)
        backup = tf.keras.callbacks.BackupAndRestore("backup")
        how: Any = {"batch_size": 201, "shuffle": False, "verbose": 0}
        how["callbacks"] = [backup, *callbacks]
        epochs: list[int] = line.fit(x, y, epochs=4, **how).epoch
        return epochs

    with pytest.raises(Interrupted):
        fit(tf.keras.callbacks.LambdaCallback(on_epoch_begin=stop))
    assert fit() == [2, 3]


@says(
    "A checkpoint takes any names. They have to be the same when it is read."
)
@says(
    "`assert_consumed` had nothing to say, for nothing was left over. But "
    "each optimizer began anew, without its momentum."
)
@says("A CycleGAN has four models, and four optimizers to name beside them.")
@says("A GAN or CycleGAN: several models and optimizers in one checkpoint")
@says("Return two models, and an optimizer for each, at their start.")
@says("Return by how much a break changes what the generator makes.")
@says("The checkpoint has the parts of the GAN that are named.")
@says("Take steps with each model, which stand for those of a GAN.")
def test_several_models_in_one_checkpoint() -> None:
    assert float(printed(NAME, "models_alone").split()[-1]) > 0.1
    assert float(printed(NAME, "all_parts").split()[-1]) == 0
    gan = new_gan()
    assert [int(part.iterations) for part in [*gan.values()][1::2]] == [0, 0]
    train_each(gan, 2)
    assert [int(part.iterations) for part in [*gan.values()][1::2]] == [2, 2]
    for some in (["generator"], ["generator", "generator_optimizer"]):
        found = after_break(some)
        assert (found == 0) is (len(some) == 2)
    models = {name: gan[name] for name in ("generator", "discriminator")}
    path = tf.train.Checkpoint(**models).write("models")
    other = new_gan()
    same = {name: other[name] for name in models}
    tf.train.Checkpoint(**same).read(path).assert_consumed()
    for name in models:
        optimizer = other[f"{name}_optimizer"]
        assert int(optimizer.iterations) == 0
        assert not any(np.any(v) for v in optimizer.variables[2:])
    renamed = tf.train.Checkpoint(first=new_gan()["generator"])
    with pytest.raises(AssertionError):
        renamed.read(path).assert_consumed()
    # Four of each, as a CycleGAN has them.
    parts, others = (
        {f"{n}_{name}": part for n in "ab" for name, part in one.items()}
        for one in (new_gan(), gan)
    )
    assert len(parts) == 8
    path = tf.train.Checkpoint(**others).write("all")
    tf.train.Checkpoint(**parts).read(path).assert_consumed()
    for name, part in parts.items():
        kept = others[name].variables
        for one, two in zip(part.variables, kept, strict=True):
            np.testing.assert_array_equal(one, two)


@says(
    "`Unable to synchronously open file` is about the file, not the model. "
    "There is none, or, with `file signature not found`, it is of another "
    "kind, perhaps a page of the web that was saved in its place."
)
def test_a_file_of_weights_that_cannot_be_opened() -> None:
    model = Line()
    model(tf.zeros((1, 1)))
    path = Path("page.weights.h5")
    message = "Unable to synchronously open file"
    with pytest.raises(FileNotFoundError, match=message):
        model.load_weights(path)
    path.write_text("<html>Not found</html>")
    with pytest.raises(OSError, match=f"{message} .file signature not found"):
        model.load_weights(path)
    model.save_weights(path)
    model.load_weights(path)


class Outside(tf.Module):
    """Multiplies by a variable that it may not have."""

    shared = tf.Variable(3.0)

    def __init__(self, of_class: bool) -> None:
        super().__init__()
        self.of_class = of_class

    @tf.function(input_signature=[tf.TensorSpec(())])
    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        return x * (self.shared if self.of_class else GLOBAL)


GLOBAL = tf.Variable(3.0)


@says("Tried to export … references an 'untracked' resource")
@says(
    "It is an `AssertionError`. What you export uses a variable that the "
    "module does not have: one from outside, or one that is an attribute of "
    "the class."
)
@says(
    "Write `self.w = tf.Variable(…)` in `__init__`, or assign it to the "
    "module before you save."
)
def test_a_variable_that_the_module_does_not_have() -> None:
    message = "Tried to export a function which references an 'untracked' res"
    for module in (Outside(of_class=True), Outside(of_class=False)):
        with pytest.raises(AssertionError, match=message):
            tf.saved_model.save(module, "outside")
        module.w = Outside.shared if module.of_class else GLOBAL
        tf.saved_model.save(module, "outside")
        assert float(tf.saved_model.load("outside")(2.0)) == 6.0


@says("To TFLite: from_keras_model and TFLiteConverter")
@says(
    "`tf.lite.TFLiteConverter` does not ask how a model was trained. Its "
    "`from_keras_model(model).convert()` returns the bytes of a TFLite file, "
    "and so does `from_saved_model(folder).convert()` for the folder of a "
    "SavedModel."
)
@says(
    "The `tf.lite.Interpreter`, which runs it, warns that it is deprecated: "
    "its successor is in the package `ai-edge-litert`."
)
def test_to_tflite(capfd: pytest.CaptureFixture[str]) -> None:
    x = tf.constant([[1.0], [2.0]])
    model = Line()
    optimizer = tf.keras.optimizers.SGD(0.1)
    with tf.GradientTape() as tape:
        current_loss = tf.reduce_mean(model(x) ** 2)
    variables = model.trainable_variables
    optimizer.apply(tape.gradient(current_loss, variables), variables)
    model.export("line")
    convert = tf.lite.TFLiteConverter
    for converter in (
        convert.from_keras_model(model),
        convert.from_saved_model("line"),
    ):
        content = converter.convert()
        assert isinstance(content, bytes)
        assert content[4:8] == b"TFL3"
        with pytest.warns(
            UserWarning, match=r"(?s)deprecated .* ai_edge_litert"
        ):
            interpreter = tf.lite.Interpreter(model_content=content)
        runner = interpreter.get_signature_runner()
        [name] = runner.get_input_details()
        [found] = runner(**{name: x.numpy()}).values()
        np.testing.assert_allclose(found, model(x), rtol=1e-6)
    capfd.readouterr()
