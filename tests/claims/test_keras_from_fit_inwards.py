"""What the page on Keras, from `fit` inwards, says is true."""

import ast
import importlib
import inspect
import itertools
import json
import re
import signal
import textwrap
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.optimizers.base_optimizer import BaseOptimizer as Optimizer
from tensorflow.python.data.ops import debug_mode

from snippets.data import TRUE_B, TRUE_W, make_data
from snippets.fit_inwards import (
    AdvisedBooks,
    Batch,
    Bookkeeper,
    Keras2Step,
    LargestError,
    LedgerTesting,
    LedgerTraining,
    Logs,
    NoBooks,
    Orthogonal,
    OwnStep,
    TalkingStep,
    WeightHistory,
    compiled,
)
from snippets.keras_fit_bare import Bare, Tracked
from snippets.keras_fit_logs import (
    BatchLosses,
    CtrlC,
    ShareNear,
    StopAfter,
    StopBelow,
)
from snippets.keras_model import KerasLinearModel
from tests.claims.says import (
    figure,
    lines,
    numbers,
    printed,
    ran,
    record,
    says,
)
from tests.claims.sentences import DOCS, ROOT, read

NAME = "keras_from_fit_inwards"
PAGE = read(NAME)
BLOCKS = {block.name: block for block in PAGE.blocks}
SOURCE = (DOCS / f"{NAME}.md").read_text("utf-8")
PARTS = {
    title: text
    for title, _, text in (
        part.partition("\n") for part in SOURCE.split("\n## ")[1:]
    )
}
"""What stands under each heading of the second level."""
ROWS = np.array([[-1.0], [0.5], [2.0], [3.0]], np.float32)
OUTPUTS = np.array([[0.0], [1.0], [9.0], [10.0]], np.float32)
PAIRS = tf.data.Dataset.from_tensor_slices((ROWS, OUTPUTS))
BATCHES, FEWER, WHOLE = PAIRS.batch(3), PAIRS.take(2).batch(2), PAIRS.batch(4)
"""A few pairs, for what needs no more."""
SGD = tf.keras.optimizers.SGD
SIZES = [32, 32, 32, 32, 22]
"""The rows of the batches of the page."""

Names = dict[str, Any]


def weights(model: Any) -> list[float]:
    return [float(w) for w in model.weights]


def history(
    model: Any, x: Any = BATCHES, y: Any = None, **options: Any
) -> Any:
    """Train in the order of the rows, three at a time; return the log."""
    if not isinstance(x, tf.data.Dataset):
        options = {"batch_size": 3} | options
    options = {"shuffle": False, "verbose": 0} | options
    return model.fit(x, y, **options).history


def eager(kind: type[Any]) -> Any:
    """Return a new compiled model, each step of which Python runs."""
    return compiled(kind(), run_eagerly=True)


def mae(errors: Any) -> float:
    return float(np.mean(np.abs(errors)))


@pytest.fixture(scope="module")
def pairs() -> Names:
    return ran("fit_inwards", "batches")


@pytest.fixture(scope="module")
def fit(pairs: Names) -> Names:
    """What the four calls leave."""
    return ran("fit_inwards", "fit", "evaluate", "predict", **pairs)


@pytest.fixture(scope="module")
def same(fit: Names) -> Names:
    """What the own step leaves, trained like the model of Keras."""
    return ran("fit_inwards", "same", **fit)


# The page


@says("All blocks above, in order, as one file.")
@says("It needs TensorFlow and Matplotlib.")
@says(
    "The imports are the guide's, a clock, and one more that will catch "
    "warnings."
)
def test_all_blocks_ran_with_what_the_page_names() -> None:
    blocks = [name.rpartition(":")[2] for name in record(NAME)]
    assert [n for n in blocks if n in BLOCKS] == [b.name for b in PAGE.blocks]
    imports = [
        re.findall(r"(?m)^ *(?:import|from) .*", b.code) for b in PAGE.blocks
    ]
    guide = re.findall(
        r"(?m)^import .*", read("basic_training_loops").blocks[0].code
    )
    assert imports[0] == ["import time", "import warnings", *guide]
    assert not any(imports[1:])
    assert guide == [
        "import matplotlib.pyplot as plt",
        "import tensorflow as tf",
    ]
    assert "warnings.catch_warnings(record=True)" in BLOCKS["old_step"].code


@says(
    "Two names stand for types: the parts of a batch, and what a step "
    "returns for the log."
)
def test_the_two_types() -> None:
    assert re.findall(r"(?m)^(\w+) = ", BLOCKS["setup"].code) == [
        "Batch",
        "Logs",
    ]
    assert Batch == tuple[tf.Tensor, ...]
    assert Logs == dict[str, tf.Tensor]
    for kind in (OwnStep, Keras2Step, LedgerTraining):
        step = inspect.signature(kind.train_step)
        assert step.parameters["data"].annotation == Batch
        assert step.return_annotation == Logs


@says("Use Keras' fit, then open it.")
@says(
    "What its calls return, callbacks, a train_step of your own with "
    "the same numbers, and which way to choose."
)
@says(
    "On this page you use it, look inside, and replace its parts one "
    "after another until none is left."
)
@says("[`run_eagerly`](#watch-it-run) comes later.")
def test_the_order_of_the_page() -> None:
    assert [*PARTS][1:8] == [
        "The four calls",
        "Callbacks",
        "Inside fit",
        "A step with metrics of its own",
        "A loop around Keras' step",
        "A loop of your own",
        "Which one?",
    ]
    order = [*BLOCKS]
    assert order.index("compiled") < order.index("run_eagerly")
    assert "### Watch it run\n" in PARTS["Inside fit"]
    own = BLOCKS["own_loop"].code
    for part in (".fit(", "compile(", "train_step", "train_on_batch"):
        assert part not in own


@says("`fit` is a training loop that somebody else wrote.")
@says("Take `fit` apart and you find a loop like the guide's.")
@says("In each epoch it does this:")
@says("Reset all metrics.")
@says("For each batch, call `train_step`.")
@says("Note the metrics and reset them.")
@says(
    "For each held-out batch, call `test_step`, which updates the metrics "
    "alone."
)
@says("Give all results to the callbacks.")
@says("One of them keeps the history.")
@says("`train_step` and `test_step` are methods of the model.")
@says("Write your own and `fit` calls yours; all the rest stays as it was.")
def test_what_fit_does_in_an_epoch() -> None:
    calls: list[str] = []

    class Told(KerasLinearModel):
        def reset_metrics(self) -> None:
            calls.append("reset")
            super().reset_metrics()

        def train_step(self, data: Batch) -> Any:
            calls.append(f"train {len(data[0])}")
            return super().train_step(data)

        def test_step(self, data: Batch) -> Any:
            calls.append(f"test {len(data[0])}")
            before = weights(self)
            logs = super().test_step(data)
            assert weights(self) == before
            return logs

    class Given(tf.keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            calls.append(f"give {' '.join(sorted(logs))}")

    model, given = eager(Told), Given()
    options = {
        "validation_data": FEWER,
        "callbacks": [given],
    }
    logs = history(model, epochs=2, **options)
    train, test = ["reset", "train 3", "train 1"], ["reset", "test 2"]
    epoch = [*train, *test, "give loss mae val_loss val_mae"]
    assert calls[-12:] == epoch * 2
    plain = eager(KerasLinearModel)
    assert history(plain, epochs=2, validation_data=FEWER) == logs
    assert isinstance(plain.history, tf.keras.callbacks.Callback)
    assert plain.history.history == logs


# The data and the model


@says(
    "The data are the guide's, too: points around a line with weight 3 "
    "and bias 2."
)
@says(
    "The model is the guide's Keras model, a line with the weights `w` and "
    "`b`."
)
def test_data_and_model_are_those_of_the_guide() -> None:
    guide = [block.code for block in read("basic_training_loops").blocks]
    kept = [b for b in PAGE.blocks if "as in the guide" in str(b.options)]
    assert len(kept) == 2
    assert all(block.code in guide for block in kept)
    x, y = make_data()
    assert (TRUE_W, TRUE_B) == (3, 2)
    assert abs(np.mean(y - (3 * x + 2))) < 0.2
    assert [w.name for w in KerasLinearModel().weights] == ["w", "b"]


@says("We prepare them in three ways.")
@says(
    "You need the guide to [basic training loops](basic_training_loops.md), "
    "whose data and model return here"
)
@says(
    "The pairs are shuffled: the guide's `x` runs from left to right, "
    "and a part of the pairs should not be one end of the line."
)
@says(
    "They become columns, with one row for each pair; [you will see "
    "why](#a-metric-wants-columns)."
)
@says(
    "And a quarter of them is held out, to judge the model by pairs "
    "that it was not trained on."
)
@says("These are the sizes of the batches.")
@says(
    "The last one is smaller than the others, and that will matter "
    "more than once."
)
def test_how_the_data_are_prepared(pairs: Names) -> None:
    x, y = make_data()
    assert np.all(np.diff(x) > 0)
    outputs = dict(zip(x.numpy(), y.numpy(), strict=True))
    parts = {}
    for name in ("batches", "held_out"):
        taken = [(a.numpy(), b.numpy()) for a, b in pairs[name]]
        sizes = [len(a) for a, _ in taken]
        assert str(sizes) in printed(NAME, "batches")
        assert sizes[-1] < min(sizes[:-1])
        assert {a.shape[1:] for rows in taken for a in rows} == {(1,)}
        parts[name] = np.concatenate([np.hstack(rows) for rows in taken])
        assert all(outputs[a] == b for a, b in parts[name])
        middle = np.mean(np.abs(parts[name][:, 0]) < 1)
        assert middle == pytest.approx(0.5, abs=0.15), "not one end"
    together = np.sort(np.concatenate([*parts.values()])[:, 0])
    np.testing.assert_array_equal(together, x)
    assert len(parts["held_out"]) / len(x) == pytest.approx(0.25, abs=0.01)
    assert "### A metric wants columns\n" in PARTS["The four calls"]
    matters = (
        "### A metric wants columns",
        "### The books",
        "### train_on_batch",
    )
    for place in matters:
        after = SOURCE[SOURCE.index(place) :].split("\n#")[0]
        assert re.search(r"19 pairs|last batch|over the batches", after)


# The four calls


@says(
    "`compile` says how a model is to be trained: with which "
    "optimizer, which loss and which metrics."
)
@says("A *metric* is measured, but nothing is trained by it.")
@says("Ours is the mean absolute error, `mae`.")
@says("Return the model, compiled with a new optimizer, loss and metric.")
def test_compile() -> None:
    model, other = eager(KerasLinearModel), eager(KerasLinearModel)
    assert model.optimizer is not other.optimizer
    assert compiled(model) is model
    assert float(model.optimizer.learning_rate) == pytest.approx(0.1)
    without = KerasLinearModel()
    without.compile(SGD(0.1), loss="mse", run_eagerly=True)
    logs, plain = history(other), history(without)
    assert {*logs} - {*plain} == {"mae"}
    assert weights(other) == weights(without)
    logs = other.evaluate(ROWS, OUTPUTS, return_dict=True, verbose=0)
    assert logs["mae"] == pytest.approx(mae(other(ROWS) - OUTPUTS), rel=1e-5)
    found = other.evaluate(ROWS, OUTPUTS, verbose=0)[0]
    assert found == pytest.approx(
        np.mean((other(ROWS) - OUTPUTS) ** 2), rel=1e-5
    )


@says("We shall compile many models alike, so this is a function.")
def test_many_models_are_compiled_alike() -> None:
    code = "\n".join(block.code for block in PAGE.blocks)
    assert len(re.findall(r"(?<!def )compiled\(", code)) >= 8


@says(
    "It can take arrays, as in the guide, or a `tf.data.Dataset` of "
    "batches, which it takes as they come."
)
@says("`fit` trains.")
@says(
    "For these, `shuffle=False` does nothing but spare you a warning. (The "
    "batches of a `PyDataset` it does shuffle.)"
)
def test_fit_takes_batches_as_they_come() -> None:
    seen: list[float] = []

    class Seen(KerasLinearModel):
        def train_step(self, data: Batch) -> Any:
            seen.extend(data[0].numpy()[:, 0])
            return super().train_step(data)

    assert "x, y, epochs=10" in "\n".join(
        block.code for block in read("basic_training_loops").blocks
    )
    batches = tf.data.Dataset.from_tensor_slices((ROWS, OUTPUTS)).batch(3)
    ends = []
    for shuffle in (True, False):
        model = eager(Seen)
        seen.clear()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            history(model, batches, None, shuffle=shuffle)
        assert seen == [*ROWS[:, 0]]
        told = [w for w in caught if "shuffle" in str(w.message)]
        assert bool(told) is shuffle
        ends.append(weights(model))
    arrays = eager(Seen)
    history(arrays, ROWS, OUTPUTS)
    assert ends == [weights(arrays)] * 2

    class Numbered(tf.keras.utils.PyDataset):
        def __len__(self) -> int:
            return 50

        def __getitem__(self, number: int) -> Any:
            return np.full((1, 1), number), np.zeros((1, 1))

    seen.clear()
    history(eager(Seen), Numbered(), None, shuffle=True)
    assert sorted(seen) == [*range(50)] != seen


@says(
    "It returns a `History`, whose attribute `history` is a "
    "dictionary: one list for each number in the log, with one entry "
    "per epoch."
)
@says(
    "What begins with `val_` was measured on the held-out pairs, "
    "*after* the epoch."
)
@says(
    "`loss` and `mae` were measured on the training pairs, batch by "
    "batch, *during* the epoch, while the model was still learning."
)
@says(
    "So the first `loss` is high: it counts the first batches, too, "
    "when the model had hardly learned."
)
def test_the_history(fit: Names) -> None:
    found = fit["fit"]
    assert isinstance(found, tf.keras.callbacks.History)
    logs = found.history
    assert type(logs) is dict
    assert {*logs} == {"loss", "mae", "val_loss", "val_mae"}
    assert {len(values) for values in logs.values()} == {10}
    model, squares, errors = KerasLinearModel(), [], []
    optimizer = SGD(0.1)
    for x, y in fit["batches"]:
        with tf.GradientTape() as tape:
            wrong = model(x) - y
            current_loss = tf.reduce_mean(wrong**2)
        squares.append(np.square(wrong))
        errors.append(np.abs(wrong))
        variables = model.trainable_variables
        gradients = tape.gradient(current_loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
    after = model(fit["x_val"]) - fit["y_val"]
    wanted = {
        "loss": np.mean(np.concatenate(squares)),
        "mae": np.mean(np.concatenate(errors)),
        "val_loss": np.mean(np.square(after)),
        "val_mae": mae(after),
    }
    for name, value in wanted.items():
        assert logs[name][0] == pytest.approx(value, rel=1e-4)
    batches = [float(np.mean(s)) for s in squares]
    assert batches[0] > logs["loss"][0] > 2 * logs["loss"][1]
    assert batches[-1] < 0.2 * logs["loss"][0]


@says("`evaluate` measures the model as it is now.")
@says(
    "It returns a list with the loss first, or, easier to read, a dictionary. "
    "(If `compile` was given no metrics, and the model has one output, it "
    "returns no list but the loss alone.)"
)
@says(
    "The numbers are the last `val_loss` and `val_mae` of the history: "
    "the same pairs, the same weights."
)
def test_evaluate(fit: Names) -> None:
    assert type(fit["scores"]) is list
    assert type(fit["named"]) is dict
    last = [fit["fit"].history[name][-1] for name in ("val_loss", "val_mae")]
    assert fit["scores"] == [*fit["named"].values()] == last
    assert [*fit["named"]] == ["loss", "mae"]
    loss, mae = (
        float(n)
        for n in re.findall(r"> (\S+) (\S+)", printed(NAME, "evaluate"))[0]
    )
    assert [loss, mae] == pytest.approx(last, abs=1e-3)
    model = eager(KerasLinearModel)
    before = model.evaluate(ROWS, OUTPUTS, verbose=0)[0]
    model.w.assign(3.0)
    after = model.evaluate(ROWS, OUTPUTS, verbose=0)[0]
    assert after == pytest.approx(np.mean((3 * ROWS - OUTPUTS) ** 2))
    assert before != pytest.approx(after)
    plain = KerasLinearModel()
    plain.compile(SGD(0.1), loss="mse", run_eagerly=True)
    alone = plain.evaluate(ROWS, OUTPUTS, verbose=0)
    assert type(alone) is float
    assert alone == pytest.approx(before)
    x = tf.keras.Input((1,))
    two = tf.keras.Model(x, [plain(x), 2.0 * plain(x)])
    two.compile(SGD(0.1), loss=["mse", "mse"], run_eagerly=True)
    assert len(two.evaluate(ROWS, [OUTPUTS] * 2, verbose=0)) == 3


@says("`predict` takes inputs alone.")
@says("It returns a NumPy array.")
@says("Calling the model returns a tensor, which a gradient tape can follow.")
@says("Inside a training step, therefore, you call the model.")
def test_predict(fit: Names) -> None:
    assert type(fit["predictions"]) is np.ndarray
    assert "y" not in inspect.signature(tf.keras.Model.predict).parameters
    model = fit["model"]
    for method, found in (
        (model, False),
        (lambda x: tf.constant(model.predict(x, verbose=0)), True),
    ):
        with tf.GradientTape() as tape:
            result = tf.reduce_sum(method(fit["x_val"]))
        gradients = tape.gradient(result, model.trainable_variables)
        assert (gradients == [None, None]) is found
    assert tf.is_tensor(model(fit["x_val"]))
    for step in ("OwnStep", "LedgerTraining", "own_loop"):
        assert ".predict(" not in BLOCKS[step].code


class Told(KerasLinearModel):
    """A line that notes whether it is called for training."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[bool | None] = []

    def call(self, x: Any, training: bool | None = None) -> Any:
        self.told.append(training)
        return super().call(x)


@says("Validation loss lower than training loss")
@says(
    "While a model improves fast, this is how it should be. The training "
    "loss is taken in each epoch while the model learns, and the validation "
    "loss after that, from a better model."
)
@says(
    "So `evaluate` on the training pairs gives another loss, and another "
    "accuracy, than `fit` has logged for them."
)
def test_a_validation_loss_below_the_training_loss() -> None:
    model = KerasLinearModel()
    model.compile(SGD(0.02), "mse", run_eagerly=True)
    logs = history(model, epochs=3, validation_data=BATCHES)
    for training, validation in zip(
        logs["loss"], logs["val_loss"], strict=True
    ):
        assert validation < training
    found = model.evaluate(BATCHES, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(logs["val_loss"][-1])
    assert found["loss"] < logs["loss"][-1]
    label = np.float32(OUTPUTS > 5)
    classes = KerasLinearModel()
    classes.compile(
        SGD(5.0),
        tf.keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[tf.keras.metrics.BinaryAccuracy(threshold=0.0)],
    )
    logs = history(classes, ROWS, label, batch_size=1)
    found = classes.evaluate(ROWS, label, verbose=0, return_dict=True)
    assert (logs["binary_accuracy"], found["binary_accuracy"]) == ([0.75], 1)


@says(
    "`fit` trains with `training=True`, while `evaluate` and the validation "
    "say `training=False`: no dropout, and a batch normalisation takes its "
    "moving averages in place of those of the batch."
)
def test_training_and_evaluation_call_in_two_ways() -> None:
    model = eager(Told)
    model(ROWS)
    model.told.clear()
    history(model, WHOLE, validation_data=WHOLE)
    assert model.told == [True, False]
    model.evaluate(WHOLE, verbose=0)
    assert model.told[2:] == [False]
    drop = tf.keras.layers.Dropout(0.5)
    assert drop(tf.ones(9), training=False).numpy().tolist() == [1.0] * 9
    assert 0.0 in drop(tf.ones(99), training=True).numpy()
    normal = tf.keras.layers.BatchNormalization(epsilon=0.0)
    assert np.ravel(normal(ROWS, training=False)) == pytest.approx(ROWS[:, 0])
    assert np.mean(normal(ROWS, training=True)) == pytest.approx(0.0, abs=1e-6)


@says(
    "The training continues: weights and optimizer are as they were left. "
    "The metrics and the number of the epoch begin anew, as does the patience "
    "of `EarlyStopping`."
)
@says(
    "Nor does `compile` reset or initialise any weights of the model; it "
    "takes another optimizer."
)
def test_fit_again() -> None:
    whole, parts = KerasLinearModel(), KerasLinearModel()
    epochs: list[int] = []
    note = tf.keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: epochs.append(epoch)
    )
    for model in (whole, parts):
        model.compile(SGD(0.05, momentum=0.9), "mse", run_eagerly=True)
    losses = history(whole, epochs=4)["loss"]
    halves = [history(parts, epochs=2, callbacks=[note]) for _ in range(2)]
    assert [v for log in halves for v in log["loss"]] == losses
    assert weights(parts) == weights(whole)
    assert epochs == [0, 1, 0, 1]
    optimizer, before = parts.optimizer, weights(parts)
    assert int(optimizer.iterations) == 8
    parts.compile("sgd", "mse")
    assert weights(parts) == before
    assert parts.optimizer is not optimizer
    assert int(parts.optimizer.iterations) == 0
    assert weights(KerasLinearModel()) == [5.0, 0.0]
    still, run = KerasLinearModel(), []
    still.compile(SGD(0.0), "mse", run_eagerly=True)
    stopper = tf.keras.callbacks.EarlyStopping("loss", patience=2)
    for count in (2, 2, 4):
        log = history(still, epochs=count, callbacks=[stopper])
        run.append(len(log["loss"]))
    assert run == [2, 2, 3]


@says(
    "The history begins anew, too. Keep what each call returns, put the lists "
    "together, and tell the second call at which epoch it begins: then "
    "`epochs` is the number at which it ends."
)
def test_the_history_of_two_calls(pairs: Names) -> None:
    epochs, losses = printed(NAME, "fit_again").split("\n")
    assert epochs == "epochs: 0 1 2 3"
    whole = compiled(KerasLinearModel()).fit(
        pairs["batches"], epochs=4, shuffle=False, verbose=0
    )
    found = [float(word) for word in losses.split()[1:]]
    assert found == pytest.approx(whole.history["loss"], abs=6e-5)
    model = eager(KerasLinearModel)
    first, second = (history(model, epochs=n) for n in (2, 1))
    assert [len(log["loss"]) for log in (first, second)] == [2, 1]


@says("ModelCheckpoint forgets the best when fit is called again")
@says("A new `ModelCheckpoint` knows of no best yet.")
@says("It takes the first epoch for one, and saves over a better model.")
@says(
    "Here an untrained model stands for a training that goes on with a bad "
    "epoch, once with the best of before, and once without."
)
@says("In the second round the better weights are gone.")
@says(
    "The same object in both calls remembers its best, while `EarlyStopping` "
    "and `ReduceLROnPlateau` begin anew."
)
def test_what_a_checkpoint_remembers() -> None:
    [[kept], [lost]] = (
        numbers(row) for row in printed(NAME, "best_again").split("\n")
    )
    assert kept < lost
    code = BLOCKS["best_again"].code
    assert "for threshold in (best, None):" in code
    callbacks = tf.keras.callbacks

    def saver(**options: Any) -> Any:
        return callbacks.ModelCheckpoint(
            "best.weights.h5",
            monitor="loss",
            save_weights_only=True,
            save_best_only=True,
            **options,
        )

    def saved_by(callback: Any, start: float, rate: float) -> float:
        """Train an epoch from there; return the w that is in the file."""
        model = KerasLinearModel()
        model.w.assign(start)
        model.compile(SGD(rate), "mse", run_eagerly=True)
        history(model, WHOLE, callbacks=[callback])
        model.load_weights("best.weights.h5")
        return float(model.w)

    same = saver()
    assert saved_by(same, 3.0, 0.0) == 3.0
    best = same.best
    for callback in (same, saver(initial_value_threshold=best)):
        assert saved_by(callback, 9.0, 0.0) == 3.0
    assert saved_by(saver(), 9.0, 0.0) == 9.0
    for kind in (callbacks.EarlyStopping, callbacks.ReduceLROnPlateau):
        callback = kind(monitor="loss")
        model = eager(KerasLinearModel)
        history(model, callbacks=[callback])
        assert callback.best is not None
        callback.on_train_begin()
        assert callback.best is None


@says("A metric wants columns")
@says(
    "The model does not mind whether it is given a column of the shape "
    "`(51, 1)` or a vector of the shape `(51,)`."
)
@says("A metric does.")
@says(
    "The loss is the same, but the metric is wrong for vectors, and "
    "nothing says so."
)
@says("It takes the mean over the last axis and averages what is left.")
@says("In a column, one error per pair is left.")
@says(
    "Measure both, the vectors with a twin of the model, which has the "
    "same weights."
)
@says(
    "In a vector the last axis is the batch, so one number per batch "
    "is left, and the 19 pairs of the second batch count as much as "
    "the 32 of the first."
)
@says(
    "The mean of the two batches' errors is indeed {{ "
    "(errors[:32].numpy().mean() + errors[32:].numpy().mean()) / 2:.4f }}."
)
@says(
    "(An object that counts right answers, such as `BinaryAccuracy()`, takes "
    "both alike."
)
def test_a_metric_wants_columns(fit: Names) -> None:
    accuracies = []
    for given in (np.array([1, 0, 1]), np.array([[1], [0], [1]])):
        accuracy = tf.keras.metrics.BinaryAccuracy()
        for part in (given[:2], given[2:]):
            accuracy.update_state(part, np.ones_like(part))
        accuracies.append(float(accuracy.result()))
    assert accuracies == pytest.approx([2 / 3, 2 / 3])
    x, y, model = fit["x_val"], fit["y_val"], fit["model"]
    np.testing.assert_array_equal(model(x)[:, 0], model(x[:, 0]))
    errors = np.abs(model(x) - y)[:, 0]
    assert [len(a) for a, _ in fit["held_out"]] == [32, 19]
    halves = (np.mean(errors[:32]) + np.mean(errors[32:])) / 2
    for end, wanted in ((1, np.mean(errors)), (None, halves)):
        metric = tf.keras.metrics.MeanAbsoluteError()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for rows in (slice(0, 32), slice(32, 51)):
                shape = (-1,) if end is None else (-1, 1)
                truth = tf.reshape(y[rows], shape)
                metric.update_state(truth, tf.reshape(model(x[rows]), shape))
        assert float(metric.result()) == pytest.approx(wanted, rel=1e-5)
    [by_hand], columns, vectors = lines(NAME, "vectors")
    [name] = [n for n in record(NAME) if n.startswith("(errors[:32]")]
    assert by_hand == columns[0] == pytest.approx(np.mean(errors), abs=1e-3)
    assert vectors[0] == float(record(NAME)[name]) != by_hand
    assert float(record(NAME)[name]) == pytest.approx(halves, abs=1e-3)
    assert columns[1] == vectors[1]
    assert "twin.set_weights(model.get_weights())" in BLOCKS["vectors"].code


@says(
    'The name `"accuracy"` does not: it takes a vector for the scores of '
    "classes, with one answer for the whole batch.)"
)
def test_an_accuracy_by_name() -> None:
    label = np.array([0, 1, 1, 1, 1, 0, 0, 0], "float32")
    shares = np.array([0.1, 0.7, 0.8, 0.9, 0.2, 0.3, 0.2, 0.1], "float32")
    metrics = tf.keras.metrics
    for column, kind, right, answers in (
        (True, metrics.BinaryAccuracy, 7, 8),
        (False, metrics.CategoricalAccuracy, 0, 1),
    ):
        y, y_pred = (
            part[:, np.newaxis] if column else part for part in (label, shares)
        )
        same = tf.keras.Sequential([tf.keras.layers.Identity()])
        counting = metrics.BinaryAccuracy(name="counting")
        same.compile(
            loss="mse", metrics=["accuracy", counting], run_eagerly=True
        )
        log = same.evaluate(y_pred, y, verbose=0, return_dict=True)
        assert log["accuracy"] == pytest.approx(right / answers)
        assert log["counting"] == pytest.approx(7 / 8)
        named = kind()
        named.update_state(y, y_pred)
        assert float(named.total) == right
        assert float(named.count) == answers


# Callbacks


@says(
    "A *callback* is an object that `fit` calls at set moments: when "
    "the training, an epoch or a batch begins or ends."
)
@says(
    "To write one, subclass `Callback` and define a method for each "
    "moment that you want."
)
@says("`self.model` is the model in training.")
def test_the_moments_of_a_callback() -> None:
    calls: list[str] = []

    class Noting(tf.keras.callbacks.Callback):
        pass

    moments = [
        f"on_{what}_{end}"
        for what in ("train", "epoch", "train_batch")
        for end in ("begin", "end")
    ]
    for moment in moments:

        def note(self: Any, *_: Any, moment: str = moment, **__: Any) -> None:
            assert self.model is model
            calls.append(moment)

        setattr(Noting, moment, note)
    model = eager(KerasLinearModel)
    history(model, callbacks=[Noting()])
    begun, ended, *rest = moments[0], moments[1], *moments[2:]
    epoch_begun, epoch_ended, batch_begun, batch_ended = rest
    batch = [batch_begun, batch_ended]
    epoch = [epoch_begun, *batch, *batch, epoch_ended]
    assert calls == [begun, *epoch, ended]


@says("Keeps w and b as they are before training and after each epoch.")
@says("Start the lists with the untrained weights.")
@says("Add the weights that the epoch ended with.")
@says("`float` takes the value.")
@says(
    "To keep the variable instead would be to keep one object many "
    "times, always with the latest value."
)
def test_the_history_of_weights() -> None:
    class Keeping(tf.keras.callbacks.Callback):
        def on_train_begin(self, logs: Any = None) -> None:
            self.w = [self.model.w]

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.w.append(self.model.w)

    model, values, variables = (
        eager(KerasLinearModel),
        WeightHistory(),
        Keeping(),
    )
    history(model, epochs=2, callbacks=[values, variables])
    assert (values.w[0], values.b[0]) == (5.0, 0.0)
    assert [values.w[-1], values.b[-1]] == weights(model)
    assert len({*values.w}) == len({*values.b}) == 3
    once = eager(KerasLinearModel)
    history(once)
    assert [values.w[1], values.b[1]] == weights(once)
    assert len({id(w) for w in variables.w}) == 1
    assert float(variables.w[0]) == values.w[-1] != 5.0


@says("Keras brings its own callbacks, too.")
@says(
    "`EarlyStopping` ends the training when a number from the log gets "
    "no better."
)
@says(
    "Here that means: no fall of `val_loss` by more than 0.001 for two "
    "epochs in a row."
)
@says(
    "Then it puts back the weights of the last epoch with such a fall; it "
    "calls them the best."
)
def test_early_stopping() -> None:
    code = BLOCKS["callbacks"].code
    made = re.search(r"stopper = (.*?\n\))", code, re.S)
    assert made
    for logs, stop, kept in (
        # The third and the fourth are lower, and are not kept.
        ([2.0, 1.0, 0.9995, 0.9992, 0.5], 4, 2),
        ([2.0, 1.0, 0.9985, 0.999, 0.998], 5, 3),
        ([2.0, 1.0, 1.5, 0.998, 0.5], None, None),
        ([2.0, 1.0, 1.0, 1.0], 4, 2),
    ):
        stopper = eval(made[1], {"tf": tf})
        model = eager(KerasLinearModel)
        stopper.set_model(model)
        stopper.on_train_begin()
        for epoch, value in enumerate(logs):
            model.w.assign(epoch + 1.0)
            stopper.on_epoch_end(epoch, {"val_loss": value})
            if model.stop_training:
                break
        stopper.on_train_end()
        assert model.stop_training is (stop is not None)
        if stop:
            assert epoch + 1 == stop
            assert float(model.w) == kept == stopper.best_epoch + 1


@says("We allowed 100 epochs.")
@says("Look at the weights that our own callback recorded.")
@says(
    "`EarlyStopping` counts epochs from 0, and our lists begin with "
    "the untrained weights, hence the `+ 1`."
)
@says("The model has the weights of epoch {{ best }}, not those of the end.")
@says(
    "The weights over nine epochs: w falls from five to about three "
    "and b rises from zero to about 1.8, both level after four epochs; "
    "a dotted line marks epoch seven, whose weights were kept"
)
def test_where_the_training_stopped() -> None:
    assert "epochs=100" in BLOCKS["callbacks"].code
    assert "best = stopper.best_epoch + 1" in BLOCKS["recorded"].code
    end, best, kept = lines(NAME, "recorded")
    assert best[1:] == kept != end
    assert record(NAME)["best"] == f"{best[0]:.0f}" == "7"
    [[epochs]] = lines(NAME, "callbacks")
    [axes] = figure(NAME, "recorded")
    w, b = axes.points["w"], axes.points["b"]
    assert w.x == b.x == [*range(int(epochs) + 1)] == [*range(10)]
    assert (w.y[0], b.y[0]) == (5, 0)
    assert w.y == sorted(w.y, reverse=True)
    assert b.y == sorted(b.y)
    assert (w.y[-1], b.y[-1]) == pytest.approx((3, 1.8), abs=0.05)
    assert w.y[4:] == pytest.approx([w.y[-1]] * 6, abs=0.02)
    assert b.y[4:] == pytest.approx([b.y[-1]] * 6, abs=0.02)
    assert axes.points["kept"].x == [7, 7]


@says(
    "`self.model.compute_metrics` is no way to measure here: it adds to what "
    "`fit` measured last, and returns the mean over both."
)
@pytest.mark.parametrize("validated", [False, True])
def test_metrics_of_a_callback(validated: bool) -> None:
    found: dict[str, float] = {}

    def measure(epoch: int, logs: Any) -> None:
        results = model.compute_metrics(ROWS, OUTPUTS, model(ROWS), None)
        found["both"] = float(results["mae"])
        found["fit"] = logs["val_mae" if validated else "mae"]

    model = eager(KerasLinearModel)
    noting = tf.keras.callbacks.LambdaCallback(on_epoch_end=measure)
    more = {"validation_data": WHOLE} if validated else {}
    history(model, callbacks=[noting], **more)
    now = mae(model(ROWS) - OUTPUTS)
    both = (found["fit"] + now) / 2
    assert found["both"] == pytest.approx(both, rel=1e-5)
    assert validated or both != pytest.approx(now, rel=1e-3)


@says("Predictions and labels in a callback")
@says("Prints what is in the logs, and the largest error on given pairs.")
@says("Predict, compare with the labels, and print.")
@says(
    "`logs` has the results of loss and metrics by name, and no batch, no "
    "labels and no predictions."
)
@says("So hand the data to the callback, and let it predict.")
@says(
    "Without the `reshape` labels in a vector would meet predictions in a "
    "column, [every label every prediction](traps.md#2-a-row-against-a-"
    "column)."
)
@says("At the end of a batch the names with `val_` are not there yet.")
@says(
    "What the model predicted in training, before each update, only the step "
    "sees: have a metric keep what you need of it, or write the loop."
)
def test_what_a_callback_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    given: dict[str, Any] = {}

    class Given(tf.keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            given["batch"] = dict(logs)

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            given["epoch"] = dict(logs)

    model = eager(KerasLinearModel)
    history(
        model,
        validation_data=FEWER,
        callbacks=[Given(), LargestError(ROWS, OUTPUTS)],
    )
    assert {*given["batch"]} == {"loss", "mae"}
    assert {*given["epoch"]} == {"loss", "mae", "val_loss", "val_mae"}
    for logs in given.values():
        assert all(np.ndim(value) == 0 for value in logs.values())
    largest = np.max(np.abs(model(ROWS) - OUTPUTS))
    said = capsys.readouterr().out
    assert said == f"loss mae val_loss val_mae largest error {largest:.4f}\n"
    assert printed(NAME, "predictions").count("loss mae val_loss") == 2
    for x, y in ((ROWS, OUTPUTS[:, 0]), (ROWS[:, 0], OUTPUTS)):
        watching = LargestError(x, y)
        watching.set_model(model)
        watching.on_epoch_end(0, {})
        told = capsys.readouterr().out
        assert told == f"largest error {largest:.4f}\n"
        assert (model(x) - y).shape == (4, 4)
        assert np.max(np.abs(model(x) - y)) > largest
    watching.y = OUTPUTS[:3]
    with pytest.raises(tf.errors.InvalidArgumentError):
        watching.on_epoch_end(0, {})
    kept = []

    class Kept(tf.keras.metrics.Mean):
        def update_state(
            self, y: Any, y_pred: Any, sample_weight: Any = None
        ) -> None:
            kept.append(y_pred.numpy())
            super().update_state(tf.abs(y - y_pred))

    model = KerasLinearModel()
    model.compile(SGD(0.1), "mse", metrics=[Kept()], run_eagerly=True)
    first = model(ROWS[:3]).numpy()
    history(model)
    assert [len(part) for part in kept] == [3, 1]
    np.testing.assert_array_equal(kept[0], first)
    assert not np.allclose(model(ROWS[:3]), first)


def by_batch(model: Any, **options: Any) -> tuple[list[Any], Any]:
    """Train; return the logs of each batch and the history."""
    given: list[Any] = []

    class Given(tf.keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            given.append({"batch": batch} | logs)

    return given, history(model, callbacks=[Given()], **options)


@says("Loss of each batch in a callback: a running average")
@says("Keeps the loss of each batch; sizes are the rows of an epoch's.")
@says("Take from the sum so far what it was before this batch.")
@says(
    'At the end of a batch `logs["loss"]` is not the loss of that batch. It '
    "is the mean over all rows of the epoch so far, and so is `mae`."
)
@says(
    "But a mean times its rows is a sum, and what a batch adds to the sum is "
    "its own."
)
@says(
    "The logged loss lags behind: it counts the first batches to the end of "
    "the epoch, and begins anew with the next."
)
def test_the_loss_that_is_logged_at_the_end_of_a_batch() -> None:
    noted, model = BatchLosses([3, 1]), eager(KerasLinearModel)
    given, _ = by_batch(model, epochs=2)
    history(compiled(KerasLinearModel()), epochs=2, callbacks=[noted])
    one_by_one = compiled(KerasLinearModel())
    own = [one_by_one.train_on_batch(*b) for _ in range(2) for b in BATCHES]
    losses, errors = zip(*own, strict=True)
    for first in (0, 2):
        for name, values in (("loss", losses), ("mae", errors)):
            mean = np.average(values[first : first + 2], weights=[3, 1])
            assert given[first][name] == pytest.approx(values[first], rel=1e-6)
            assert given[first + 1][name] == pytest.approx(mean, rel=1e-6)
            assert mean != pytest.approx(values[first + 1], rel=0.01)
    assert noted.losses == pytest.approx(losses, rel=1e-5)
    assert noted.means == pytest.approx([g["loss"] for g in given], rel=1e-6)
    table = lines(NAME, "batch_losses")
    for _, *means in (table[0], table[2]):
        assert means == sorted(means, reverse=True)
    for (_, *means), (_, *parts) in zip(table[::2], table[1::2], strict=True):
        so_far = np.cumsum(np.multiply(parts, SIZES)) / np.cumsum(SIZES)
        assert means == pytest.approx([*so_far], abs=2e-4)
        assert all(a > b for a, b in zip(means[1:], parts[1:], strict=True))
    assert table[2][1] == table[3][1] < table[0][-1]


@says(
    "Each mean is rounded, and its error is multiplied by the batches that it "
    "stands for, so late in a long epoch the differences are rough."
)
def test_differences_of_means_are_rough_late_in_a_long_epoch() -> None:
    means = np.full(20000, 0.1, np.float32)  # rounded, as they are logged
    means[1::2] = np.nextafter(means[0], np.float32(1))  # by half of a bit
    noted, errors = BatchLosses([1] * len(means)), []
    for batch, mean in enumerate(means):
        noted.on_train_batch_end(batch, {"loss": float(mean)})
        errors.append(abs(noted.losses[-1] - 0.1))
    rounding = np.spacing(means[0])
    assert max(errors[:10]) < 20 * rounding
    assert max(errors[-10:]) > 10_000 * rounding


@says(
    "A [step of your own](#the-step) knows better. Have it return `logs | "
    '{"batch_loss": current_loss}`, and a callback finds the loss of the '
    "batch by that name, and the history that of each epoch's last batch."
)
@says(
    "With `steps_per_execution=2` a callback is called after every second "
    "batch, and `BatchLosses` is wrong."
)
def test_a_step_that_returns_the_loss_of_its_batch() -> None:
    class Telling(OwnStep):
        def keep_books(self, data: Any, y_pred: Any, current_loss: Any) -> Any:
            logs = super().keep_books(data, y_pred, current_loss)
            return logs | {"batch_loss": current_loss}

    given, log = by_batch(compiled(Telling()), epochs=2)
    noted = BatchLosses([3, 1])
    wanted = history(compiled(KerasLinearModel()), epochs=2, callbacks=[noted])
    assert [g["batch_loss"] for g in given] == pytest.approx(
        noted.losses, rel=1e-5
    )
    assert log["batch_loss"] == [
        given[1]["batch_loss"],
        given[3]["batch_loss"],
    ]
    assert log["loss"] == pytest.approx(wanted["loss"], rel=1e-6)
    pairs = KerasLinearModel()
    pairs.compile(SGD(0.1), "mse", steps_per_execution=2)
    given, _ = by_batch(pairs, x=PAIRS.batch(1), epochs=2)
    assert [g["batch"] for g in given] == [1, 3, 1, 3]
    by_one, by_two = BatchLosses([1] * 4), BatchLosses([1] * 4)
    for steps, losses in ((1, by_one), (2, by_two)):
        still = KerasLinearModel()
        still.compile(SGD(0.0), "mse", steps_per_execution=steps)
        history(still, PAIRS.batch(1), epochs=2, callbacks=[losses])
    assert by_two.means == pytest.approx(by_one.means[1::2], rel=1e-6)
    assert by_two.losses != pytest.approx(by_one.losses[1::2], rel=0.1)


class Scores(tf.keras.callbacks.Callback):
    """Adds to the logs what it was made with, one number for each epoch."""

    def __init__(self, *values: float) -> None:
        super().__init__()
        self.values, self.w = values, [0.0]

    def on_train_begin(self, logs: Any = None) -> None:
        self.w = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs["val_score"] = self.values[epoch]
        self.w.append(float(self.model.w))


@says("A metric of a callback for EarlyStopping and ModelCheckpoint")
@says(
    "`logs` is handed from callback to callback, in the order of the list. So "
    "a callback can add what no metric measures, an F1 score of all pairs, "
    "say, or a share:"
)
@says("Logs for which share of the pairs the error is below one half.")
@says("Add the share to what the callbacks behind this one are given.")
@says(
    "Behind `EarlyStopping` it comes too late, and the training never stops. "
    "The history has it either way."
)
def test_a_metric_of_a_callback() -> None:
    rows = printed(NAME, "monitored").split("\n")
    before, *_ = counts = [row for row in rows if "epochs" in row]
    assert [numbers(row) for row in counts] == [[7], [20]]
    assert all(row.endswith("loss mae val_near") for row in counts)
    early, late = (numbers(row) for row in rows if row[0] == "0")
    assert late[:7] == early
    assert early[-3] == early[-2] == max(late) > early[-1]
    assert rows.index(before) == 0
    assert rows[-1].startswith("Early stopping conditioned on metric")
    logs: dict[str, float] = {}
    near = ShareNear(ROWS, OUTPUTS)
    near.set_model(KerasLinearModel())
    near.on_epoch_end(0, logs)
    within = np.abs(5 * ROWS - OUTPUTS) < 0.5
    assert logs == {"val_near": np.mean(within)}


@says(
    "Nor can `ModelCheckpoint` see what comes behind it: it warns `Can save "
    "best model only with val_near available.` and saves after every epoch, "
    "so that the file has the last model, not the best."
)
@says("Both want to be told with `mode` which way is better.")
def test_a_checkpoint_of_what_a_callback_measures(tmp_path: Path) -> None:
    path = tmp_path / "best.weights.h5"
    said = "Can save best model only with val_score available."
    options: Any = {"save_best_only": True, "save_weights_only": True}
    options |= {"monitor": "val_score", "filepath": path}
    for best in (True, False):
        scores = Scores(0.2, 0.9, 0.4)
        saver = tf.keras.callbacks.ModelCheckpoint(**options, mode="max")
        order = [scores, saver] if best else [saver, scores]
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            history(compiled(KerasLinearModel()), epochs=3, callbacks=order)
        texts = [str(warning.message) for warning in caught]
        assert texts.count(said) == (0 if best else 3)
        loaded = KerasLinearModel()
        loaded(ROWS)
        loaded.load_weights(path)
        assert float(loaded.w) == scores.w[1 if best else 2]
    del options["filepath"], options["save_best_only"]
    for saver in (
        tf.keras.callbacks.EarlyStopping("val_score"),
        tf.keras.callbacks.ModelCheckpoint(
            path, "val_score", save_best_only=True, save_weights_only=True
        ),
    ):
        with pytest.raises(ValueError, match="Pass `mode='max'`"):
            history(
                compiled(KerasLinearModel()), callbacks=[Scores(0.1), saver]
            )


@says("`self.model.stop_training = True` ends the training after the epoch.")
@says("Stop training when a value is reached")
@says("Ends the training once the loss of an epoch is below a limit.")
@says("Tell `fit` to stop, if it is time.")
@says(
    "Set in `on_train_batch_end`, it ends the epoch after that batch; the "
    "validation still follows."
)
@says("The next `fit` begins with `False` again.")
def test_a_value_that_ends_the_training() -> None:
    *first, last = lines(NAME, "stopped_below")[0]
    assert min(first) > 1.2 > last
    model = compiled(KerasLinearModel())
    whole = history(compiled(KerasLinearModel()), WHOLE, epochs=9)["loss"]
    limit = (whole[3] + whole[4]) / 2
    assert whole == sorted(whole, reverse=True)
    log = history(model, WHOLE, epochs=9, callbacks=[StopBelow(limit)])
    assert log["loss"] == pytest.approx(whole[:5], rel=1e-5)
    assert model.stop_training
    assert len(history(model, epochs=2)["loss"]) == 2
    batches: list[int] = []

    class Stopping(tf.keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            batches.append(batch)
            self.model.stop_training = batch == 1

    log = history(
        model,
        PAIRS.batch(1),
        epochs=5,
        validation_data=FEWER,
        callbacks=[Stopping()],
    )
    assert batches == [0, 1]
    assert len(log["loss"]) == len(log["val_loss"]) == 1


@says("Ends the training before another epoch would take it past seconds.")
@says("Tell `fit` to stop, if an epoch of mean length does not fit in.")
@says(
    "The first epoch is begun in any case, another only if one of the mean "
    "length would end in time."
)
@says("here is a clock by which each epoch takes a second.")
@says("The time counts from when the callback is made, so make it first.")
def test_a_time_limit() -> None:
    assert lines(NAME, "stopped_after") == [[10]]
    now, begun = [100.0], []

    class Second(tf.keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            begun.append(now[0])
            now[0] += 1.0

    model = compiled(KerasLinearModel())
    for seconds, due in ((3.0, 3), (3.5, 3), (1.0, 1), (0.5, 1)):
        begun.clear()
        stopper = StopAfter(seconds, clock=lambda: now[0])
        start = now[0]
        history(model, epochs=9, callbacks=[Second(), stopper])
        assert len(begun) == due
        assert now[0] <= start + max(1.0, seconds)
    stopper = StopAfter(3.0, clock=lambda: now[0])
    now[0] += 2.5
    history(model, epochs=9, callbacks=[Second(), stopper])
    assert now[0] == stopper.start + 3.5  # an epoch, and no second


@says("It includes the validation, and the first epoch, which is slower than")
def test_what_a_time_limit_counts() -> None:
    calls: list[str] = []

    class Noting(tf.keras.callbacks.Callback):
        def on_test_end(self, logs: Any = None) -> None:
            calls.append("validated")

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            calls.append("ended")

    took = []
    model = compiled(KerasLinearModel())
    for _ in range(3):
        begun = time.monotonic()
        history(model, epochs=1, validation_data=FEWER, callbacks=[Noting()])
        took.append(time.monotonic() - begun)
    assert calls == ["validated", "ended"] * 3
    assert took[0] > 2 * min(took[1:])


@says("In a loop of your own write `break` in place of the last line.")
@says(
    "`time.monotonic` goes on evenly where `time.time` jumps, when the clock"
)
def test_the_clock() -> None:
    *_, condition, stop = BLOCKS["StopAfter"].code.rstrip().split("\n")
    assert condition.strip().startswith("if passed")
    assert stop.strip() == "self.model.stop_training = True"
    assert time.get_clock_info("monotonic").monotonic
    assert not time.get_clock_info("monotonic").adjustable
    assert time.get_clock_info("time").adjustable


@says(
    "The `baseline` of `EarlyStopping` is for something else. It ends a "
    "training that does *not* reach the value: with `patience=2`, at the "
    "first epoch from the second on that is no better than the best before "
    "it."
)
@pytest.mark.parametrize(
    ("values", "epochs"),
    [
        ([5, 5, 4, 4], 2),
        ([5, 6, 4, 4], 2),
        ([5, 4, 4, 3], 3),
        ([5, 4, 3, 2.5, 2, 2, 1], 6),
        ([5, 0.5, 0.6, 0.4, 0.3], 5),  # The baseline is reached.
    ],
)
def test_a_baseline(values: list[float], epochs: int) -> None:
    stopper = tf.keras.callbacks.EarlyStopping(
        "val_score", mode="min", baseline=1.0, patience=2
    )
    log = history(
        compiled(KerasLinearModel()),
        epochs=len(values),
        callbacks=[Scores(*values), stopper],
    )
    assert len(log["loss"]) == epochs


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Have Python answer the keys, which it does not in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@says("KeyboardInterrupt: save the model after Ctrl+C")
@says(
    "Ctrl+C raises a `KeyboardInterrupt` in `fit`, and the model keeps the "
    "weights that it has by then."
)
@says(
    "But `on_train_end` is not called, in which `EarlyStopping` puts back the "
    "best ones."
)
@says("Interrupts the training in its fourth epoch, as the keys would.")
@says("Raise what Python raises when the keys are pressed.")
@says("The history is in `stopped.history`, with the epochs that were whole.")
def test_an_interrupt(ctrl_c: None) -> None:
    assert printed(NAME, "interrupted") == "epochs in the history: 3"
    ended: list[int] = []

    class Keys(tf.keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == 2:
                signal.raise_signal(signal.SIGINT)

        def on_train_end(self, logs: Any = None) -> None:
            ended.append(1)

    for keys in (Keys, tf.keras.callbacks.Callback, CtrlC):
        model = compiled(KerasLinearModel())
        scores = Scores(1.0, 2.0, 3.0, 4.0)
        stopper = tf.keras.callbacks.EarlyStopping(
            "val_score", mode="min", patience=9, restore_best_weights=True
        )
        calls = {"epochs": 4, "callbacks": [scores, stopper, keys()]}
        if keys is tf.keras.callbacks.Callback:
            history(model, **calls)
            assert float(model.w) == scores.w[0]
            continue
        with pytest.raises(KeyboardInterrupt):
            history(model, **calls)
        last = 2 if keys is Keys else 3
        assert float(model.w) == scores.w[last] != scores.w[0]
        assert model.history.epoch == [*range(last)]
        model.set_weights(stopper.best_weights)
        assert float(model.w) == scores.w[0]
    assert not ended


@says(
    "The compiled step that runs is finished first, and with "
    "`steps_per_execution` that may be many batches."
)
@says(
    "A program that is killed gets no chance to save; for that there are "
    "[checkpoints](save_and_resume.md#a-training-that-is-killed)."
)
def test_a_compiled_step_is_finished_before_the_interrupt() -> None:
    def batches() -> Iterator[Any]:
        for number in itertools.count():
            if number == 1500:
                signal.raise_signal(signal.SIGINT)
            yield ROWS, OUTPUTS

    model = KerasLinearModel()
    model.compile(SGD(0.1), "mse", steps_per_execution=1000)
    endless = tf.data.Dataset.from_generator(
        batches, output_signature=WHOLE.element_spec
    )
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            history(model, endless, steps_per_epoch=1000, epochs=3)
    finally:
        signal.signal(signal.SIGINT, before)
    assert int(model.optimizer.iterations) == 2000
    page = (DOCS / "save_and_resume.md").read_text("utf-8")
    assert "\n## A training that is killed\n" in page


# Inside fit


@says(
    "It computes predictions, loss and gradients, and updates the "
    "weights and the metrics."
)
@says("A step has two tasks, to train and to keep books.")
@says("Update the model and the metrics with one batch of data.")
def test_what_a_step_does() -> None:
    for kind in (KerasLinearModel, OwnStep, LedgerTraining):
        model = eager(kind)
        model.evaluate(ROWS, OUTPUTS, verbose=0)
        model.reset_metrics()
        before = weights(model)
        loss = float(np.mean((5 * ROWS - OUTPUTS) ** 2))
        logs = model.train_step((tf.constant(ROWS), tf.constant(OUTPUTS)))
        assert float(logs["loss"]) == pytest.approx(loss, rel=1e-5)
        slope = float(np.mean(2 * (5 * ROWS - OUTPUTS) * ROWS))
        assert weights(model)[0] == pytest.approx(before[0] - 0.1 * slope)
        assert float(model.metrics[0].result()) == float(logs["loss"])


@says(
    "`self.metrics` lists what `compile` has made: a mean called "
    "`loss`, and one object that holds our metrics."
)
@says("The mean wants the loss.")
@says(
    "A step that returns the bare loss ends in `'EagerTensor' object has no "
    "attribute 'items'`."
)
def test_a_step_that_returns_the_bare_loss() -> None:
    class Bare(KerasLinearModel):
        def train_step(self, data: Any) -> Any:
            x, y = data
            return self.compute_loss(x=x, y=y, y_pred=self(x))

    model = Bare()
    model.compile(SGD(0.1), loss="mse")
    with pytest.raises(AttributeError, match="Tensor' object has no attribut"):
        model.fit(ROWS, OUTPUTS, verbose=0)


@says(
    "Our metrics want `y` and the predictions, and `compute_metrics` shows "
    "them."
)
@says(
    "It returns all results in a dictionary, which is what `fit` "
    "expects of a step. Some steps below make that dictionary themselves."
)
def test_the_metrics_of_a_model() -> None:
    model = KerasLinearModel()
    metrics = ["mae", "mse"]
    model.compile(SGD(0.1), loss="mse", metrics=metrics, run_eagerly=True)
    history(model)
    mean, content = model.metrics
    assert type(mean) is tf.keras.metrics.Mean
    assert mean.name == "loss"
    assert [metric.name for metric in content.metrics] == metrics
    model.reset_metrics()
    mean.update_state(3.0)
    logs = model.compute_metrics(ROWS, OUTPUTS, OUTPUTS + 2, None)
    assert {k: float(v) for k, v in logs.items()} == pytest.approx(
        {"loss": 3.0, "mae": 2.0, "mse": 4.0}
    )
    returned = r"return \{(.*?):"
    by_hand = {
        name for name, b in BLOCKS.items() if re.search(returned, b.code)
    }
    below = {"Keras2Step", "LedgerTraining", "LedgerTesting"}
    assert below <= by_hand


@says("A line that updates by hand the metrics from `compile`.")
@says("Update all metrics with one batch; return their results.")
@says(
    "A loss is the mean of its batch, so the tracker must be told how "
    "many pairs it stands for: 32, or 22 in the last batch."
)
@says(
    "(Of several inputs, count the rows of one: `tf.shape` of a list counts "
    "the inputs.)"
)
@says(
    "You will often see this line without `sample_weight`; [below](#a-"
    "loop-around-keras-step) you find what that does."
)
def test_the_books() -> None:
    model = eager(Bookkeeper)
    model.evaluate(ROWS, OUTPUTS, verbose=0)
    model.reset_metrics()
    for rows, loss in ((32, 1.0), (22, 4.0)):
        y = tf.zeros((rows, 1))
        logs = model.keep_books((y, y), y + loss, tf.constant(loss))
    for inputs in (2, 3):
        assert int(tf.shape(inputs * [ROWS])[0]) == inputs != len(ROWS)
        assert int(tf.shape((inputs * [ROWS])[0])[0]) == len(ROWS)
    mean = (32 * 1.0 + 22 * 4.0) / 54
    found = {name: float(value) for name, value in logs.items()}
    assert found == pytest.approx({"loss": mean, "mae": mean})
    assert printed(NAME, "batches").split("\n")[0].endswith("32, 22]")
    highlighted = BLOCKS["Bookkeeper"].options["hl_lines"].split()
    code = BLOCKS["Bookkeeper"].code.split("\n")
    assert "sample_weight=pairs" in code[int(highlighted[-1]) - 1]
    below = PARTS["A loop around Keras' step"]
    assert "A tracker that is not told the sizes" in below


@says(
    "Why not show `y` and the predictions to all others in the loop? Here "
    "you could."
)
@says(
    "But for a model with two outputs `self.metrics` has two more "
    "means, for the loss of each output, and those want neither."
)
def test_a_model_with_two_outputs() -> None:
    class Simple(OwnStep):
        def keep_books(
            self, data: Batch, y_pred: Any, current_loss: Any
        ) -> Logs:
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(
                        current_loss, sample_weight=len(data[0])
                    )
                else:
                    metric.update_state(data[1], y_pred)
            return dict(self.get_metrics_result())

    wanted = history(eager(KerasLinearModel))
    assert history(eager(Simple)) == wanted
    x = tf.keras.Input((1,))
    outputs = [tf.keras.layers.Dense(1, name=n)(x) for n in ("one", "two")]
    logs = {}
    for kind in (tf.keras.Model, OwnStep, Simple):

        class Two(tf.keras.Model):
            if kind is not tf.keras.Model:
                train_step = kind.train_step
                keep_books = kind.keep_books

        model = Two(x, outputs)
        for layer in model.layers[1:]:
            layer.set_weights([np.ones((1, 1)), np.zeros(1)])
        metrics = [["mae"], ["mae"]]
        model.compile(
            SGD(0.1), ["mse", "mse"], metrics=metrics, run_eagerly=True
        )
        logs[kind] = history(model, ROWS, [OUTPUTS, 2 * OUTPUTS])
    tracker, _, *more = model.metrics
    assert [m.name for m in more] == ["one_loss", "two_loss"]
    assert {type(m) for m in (tracker, *more)} == {tf.keras.metrics.Mean}
    assert logs[OwnStep] == logs[tf.keras.Model]
    assert logs[Simple] != logs[tf.keras.Model]


@says(
    "The step itself is the guide's: predictions and loss under the "
    "tape, gradients, update."
)
def test_the_step_is_that_of_the_guide() -> None:
    [kind] = ast.parse(BLOCKS["OwnStep"].code).body
    assert isinstance(kind, ast.ClassDef)
    step = kind.body[-1]
    assert isinstance(step, ast.FunctionDef)
    places = [
        ast.unparse(step).index(part)
        for part in (
            "tf.GradientTape()",
            "self(x,",
            "self.compute_loss(",
            "tape.gradient(",
            "self.optimizer.apply_gradients(",
        )
    ]
    assert places == sorted(places)
    [tape] = [part for part in step.body if isinstance(part, ast.With)]
    assert len(tape.body) == 2


@says(
    "`training=True` is for layers that work differently in training, "
    "such as dropout."
)
@says("A line has none, but the next model may.")
def test_training() -> None:
    dropout = tf.keras.layers.Dropout(0.5, seed=0)
    ones = tf.ones((1, 1000))
    assert np.mean(dropout(ones, training=True) == 0) > 0.4
    np.testing.assert_array_equal(dropout(ones, training=False), ones)
    assert KerasLinearModel().layers == []
    assert "training=True" in BLOCKS["OwnStep"].code


@says(
    "`self.compute_loss` computes the loss that was given to "
    "`compile`, and adds the model's regularisation if it has any."
)
@says("`self.optimizer` is the compiled one.")
@says(
    "Its `apply_gradients` takes pairs of a gradient and its variable. "
    "(`apply`, which you may meet elsewhere, does the same with two "
    "lists.)"
)
def test_what_the_step_calls() -> None:
    layer = tf.keras.layers.Dense(
        1, kernel_initializer="ones", kernel_regularizer="l2"
    )
    for model, extra in (
        (eager(OwnStep), 0.0),
        (tf.keras.Sequential([layer]), 0.01),
    ):
        optimizer = SGD(0.1)
        model.compile(optimizer, loss="mae")
        assert model.optimizer is optimizer
        y_pred = model(ROWS)
        found = model.compute_loss(ROWS, OUTPUTS, y_pred)
        assert float(found) == pytest.approx(
            mae(y_pred - OUTPUTS) + extra, rel=1e-5
        )
    ends = []
    for by_pairs in (True, False):
        variables = [tf.Variable(1.0), tf.Variable(2.0)]
        gradients = [tf.constant(10.0), tf.constant(20.0)]
        if by_pairs:
            SGD(0.1).apply_gradients(zip(gradients, variables, strict=True))
        else:
            SGD(0.1).apply(gradients, variables)
        ends.append([float(v) for v in variables])
    assert ends == [[0.0, 0.0]] * 2


@says(
    "[`unpack_x_y_sample_weight`](https://www.tensorflow.org/api_docs/"
    "python/tf/keras/utils/unpack_x_y_sample_weight) always returns "
    "three parts, the last of them `None` where no sample is weighted."
)
@says(
    "Hand it on to `compute_loss` and `compute_metrics`. A step that "
    "drops it trains without the weights, and nothing says so."
)
@says("Trains as Keras does, by a step of its own.")
def test_weighted_samples() -> None:
    unpack = tf.keras.utils.unpack_x_y_sample_weight
    for data, wanted in (
        ((1, 2), (1, 2, None)),
        ((1, 2, None), (1, 2, None)),
        ((1, 2, 3), (1, 2, 3)),
        ((1,), (1, None, None)),
    ):
        assert unpack(data) == wanted

    class Dropping(OwnStep):
        def train_step(self, data: Batch) -> Logs:
            return super().train_step((*data[:2], None))

    few = np.array([1.0, 0.0, 0.0, 2.0], np.float32)
    ends = {}
    for kind in (KerasLinearModel, OwnStep, Dropping):
        model = eager(kind)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            logs = history(model, ROWS, OUTPUTS, sample_weight=few)
        ends[kind] = weights(model), logs["loss"]
    assert ends[OwnStep] == ends[KerasLinearModel]
    assert ends[Dropping] != ends[KerasLinearModel]
    unweighted = eager(KerasLinearModel)
    history(unweighted)
    assert ends[Dropping][0] == weights(unweighted)


@says(
    "Every number that was logged in ten epochs is the same to the "
    "last bit, those of the held-out pairs included: Keras' own "
    "`test_step` computed them."
)
@says(
    "And the callback was called, once before the training and once "
    "for each epoch."
)
def test_the_own_step_logs_the_same(same: Names) -> None:
    logs, own = same["fit"].history, same["own_fit"].history
    assert own == logs
    assert len(own) == 4
    assert {len(values) for values in own.values()} == {10}
    assert "val_loss" in own
    assert OwnStep.test_step is tf.keras.Model.test_step
    assert len(same["recorder"].w) == 11
    assert same["recorder"].w[-1] == float(same["own"].w)


@says(
    "On several devices `compute_loss` gives each its share of the loss: tell "
    "the tracker the loss times "
    "`tf.distribute.get_strategy().num_replicas_in_sync`, or the log shows a "
    "part of it."
)
def test_the_own_step_on_several_devices() -> None:
    """The strategy is asked how many devices it has: say two."""
    strategy = tf.distribute.get_strategy()
    kind, due = type(strategy.extended), eager(KerasLinearModel)
    loss = history(due, WHOLE)["loss"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "_num_replicas_in_sync", 2)
        assert strategy.num_replicas_in_sync == 2
        assert history(eager(KerasLinearModel), WHOLE)["loss"] == loss
        logged = history(eager(OwnStep), WHOLE)["loss"]
        assert logged == pytest.approx([0.5 * loss[0]])

        class Times(OwnStep):
            def keep_books(self, data: Any, y_pred: Any, loss: Any) -> Logs:
                devices = tf.distribute.get_strategy().num_replicas_in_sync
                return super().keep_books(data, y_pred, loss * devices)

        assert history(eager(Times), WHOLE)["loss"] == pytest.approx(loss)


@says(
    "In half precision one thing more is due. Keras' own step takes the "
    "gradients of `self.optimizer.scale_loss(current_loss)`, and without that "
    "the steps of `SGD` are [far too "
    "short](traps.md#6-a-loss-that-was-never-scaled)."
)
def test_the_own_step_scales_no_loss() -> None:
    class Scaling(KerasLinearModel):
        def train_step(self, data: Batch) -> Logs:
            x, y = data[:2]
            with tf.GradientTape() as tape:
                current_loss = self.compute_loss(x, y, self(x))
                scaled = self.optimizer.scale_loss(current_loss)
            variables = self.trainable_variables
            gradients = tape.gradient(scaled, variables)
            self.optimizer.apply(gradients, variables)
            return {}

    moves = {}
    for kind in (KerasLinearModel, Scaling, OwnStep):
        model = kind()
        optimizer = tf.keras.optimizers.LossScaleOptimizer(SGD(0.1))
        model.compile(optimizer, loss="mse", run_eagerly=True)
        model.train_on_batch(ROWS, OUTPUTS)
        moves[kind] = 5.0 - float(model.w)
    assert moves[Scaling] == moves[KerasLinearModel] > 0.1
    assert 0 < 1000 * moves[OwnStep] < moves[KerasLinearModel]


@says("Says when Python runs its step.")
@says("Print the shape of x, then update the model and the metrics.")
@says("Five batches, one line.")
@says(
    "`fit` compiles the step: Python runs it once, to record a graph, "
    "and the graph then runs for every batch. (Where variables are made, by "
    "`Adam` or by layers that are not built, it runs it twice before the "
    "first.) To record it is called to *trace* the step."
)
@says(
    "That one graph serves batches of any size, which is why the size "
    "is `None`."
)
@says("With `run_eagerly=True` in `compile` there is no graph.")
@says(
    "Python runs each step, on tensors that have values, so that you "
    "can print them or stop in a debugger."
)
def test_when_python_runs_the_step(
    capsys: pytest.CaptureFixture[str], pairs: Names
) -> None:
    assert len(pairs["batches"]) == 5
    first, later = printed(NAME, "run_eagerly").split("run_eagerly=True\n")
    assert first.count("a step on x of shape") == 1
    assert later.count("a step on x of shape") == 5

    for optimizer, count in ((SGD(0.1), 1), (tf.keras.optimizers.Adam(), 2)):
        talking = TalkingStep()
        talking.compile(optimizer, "mse")
        talking.fit(pairs["batches"], epochs=2, shuffle=False, verbose=0)
        said = capsys.readouterr().out
        assert said.count("a step on x of shape (None, 1)") == count

    class Unbuilt(TalkingStep):
        def __init__(self) -> None:
            super().__init__()
            self.dense = tf.keras.layers.Dense(1)

        def call(self, x: tf.Tensor) -> tf.Tensor:
            return super().call(self.dense(x))

    for called, count in ((False, 2), (True, 1)):
        layered = Unbuilt()
        if called:
            layered(ROWS)
        layered.compile(SGD(0.1), "mse")
        layered.fit(pairs["batches"], epochs=2, shuffle=False, verbose=0)
        said = capsys.readouterr().out
        assert said.count("a step on x of shape (None, 1)") == count

    class Looking(TalkingStep):
        def train_step(self, data: Batch) -> Logs:
            eagerly.append((tf.executing_eagerly(), hasattr(data[0], "numpy")))
            return super().train_step(data)

    x, y = (np.repeat(values, 3, axis=0) for values in (ROWS, OUTPUTS))
    ends = []
    for run_eagerly in (False, True):
        eagerly: list[tuple[bool, bool]] = []
        model = compiled(Looking(), run_eagerly)
        history(model, x, y, batch_size=5, epochs=1)
        shapes = re.findall(r"x of shape (\(.*\))", capsys.readouterr().out)
        sizes = (
            ["(5, 1)", "(5, 1)", "(2, 1)"] if run_eagerly else ["(None, 1)"]
        )
        assert shapes == sizes
        assert {*eagerly} == {(run_eagerly, run_eagerly)}
        ends.append(weights(model))
    assert ends[0] == pytest.approx(ends[1], rel=1e-5)


@says("Breakpoints in fit and in a tf.function")
@says(
    "A breakpoint in a compiled step stops while the step is traced, and in "
    "no later batch."
)
@says(
    "`tf.config.run_functions_eagerly(True)` has Python run each "
    "`tf.function` in every call, that of `fit` among them. What a dataset "
    "maps stays a graph. For that there is "
    "`tf.data.experimental.enable_debug_mode()`."
)
def test_where_a_breakpoint_stops() -> None:
    stops: list[str] = []

    class Stopping(OwnStep):
        def train_step(self, data: Batch) -> Logs:
            stops.append("step")
            return super().train_step(data)

    @tf.function
    def double(x: tf.Tensor) -> tf.Tensor:
        stops.append("function")
        return 2.0 * x

    def mapped(x: tf.Tensor) -> tf.Tensor:
        stops.append("map")
        return x

    def passed(epochs: int = 2) -> Counter[str]:
        stops.clear()
        model = compiled(Stopping())
        history(model, WHOLE, epochs=epochs)
        for _ in range(4):
            double(tf.constant(1.0))
        for _ in tf.data.Dataset.range(5).map(mapped):
            pass
        return Counter(stops)

    assert passed(epochs=4)["step"] == passed(epochs=1)["step"] == 1
    assert passed()["function"] == 0
    tf.config.run_functions_eagerly(True)
    try:
        with pytest.warns(UserWarning, match="does not apply to tf.data"):
            found = passed()
        assert found == {"step": 2, "function": 4, "map": 1}
        tf.data.experimental.enable_debug_mode()
        assert passed()["map"] >= 5
    finally:
        debug_mode.toggle_debug_mode(False)
        tf.config.run_functions_eagerly(False)
    assert passed()["map"] == 1


@says("Trains by a step as it was written for Keras 2; logs nonsense.")
@says("Update the model and the metrics with one batch of pairs.")
@says("It runs.")
@says("Two names are out of date, say the warnings.")
@says("They do not say this:")
@says("The weights are the same, so the training was right.")
@says("But the log is wrong: its loss *rises* while the model learns.")
@says(
    "In Keras 3, `compiled_metrics` gives the predictions to every "
    "metric that is a plain mean, and the loss tracker is one."
)
@says("What the log calls the loss is the mean of the predictions on the way.")
@says(
    "The loss in the log over ten epochs: that of fit falls from five "
    "to about one, that of the Keras 2 step rises from one half to "
    "about 1.75"
)
def test_a_step_from_keras_2() -> None:
    told = printed(NAME, "old_step")
    assert re.findall(r"`model\.(\w+)\(\)` is deprecated", told) == [
        "compiled_loss",
        "compiled_metrics",
    ]
    assert "wrong" not in told
    assert printed(NAME, "wrong_loss").startswith("same weights: True\n")
    [axes] = figure(NAME, "wrong_loss")
    right, wrong = (axes.points[n].y for n in ("fit", "the Keras 2 step"))
    assert right == sorted(right, reverse=True)
    assert wrong == sorted(wrong)
    ends = [right[0], right[-1], wrong[0], wrong[-1]]
    assert ends == pytest.approx([5.3, 1.08, 0.5, 1.75], abs=0.05)
    model, predictions = eager(Keras2Step), []
    assert isinstance(
        compiled(KerasLinearModel()).metrics[0], tf.keras.metrics.Mean
    )

    class Told(Keras2Step):
        def call(self, x: tf.Tensor) -> tf.Tensor:
            predictions.append(super().call(x))
            return predictions[-1]

    model, plain = eager(Told), eager(KerasLinearModel)
    model.evaluate(ROWS, OUTPUTS, verbose=0)
    predictions.clear()
    with pytest.warns(UserWarning, match="is deprecated"):
        logs = history(model)
    wanted = history(plain)
    assert weights(model) == weights(plain)
    mean = np.mean(np.concatenate(predictions[-2:]))
    assert logs["loss"][0] == pytest.approx(mean, rel=1e-5)
    assert logs["mae"] == wanted["mae"]
    assert logs["loss"][0] != pytest.approx(wanted["loss"][0], rel=0.1)


@says("The cure is the step above.")
@says(
    "The advice in the second warning is not, as [exercise 1](#exercises) "
    "shows."
)
@says("Keeps its books as the warning of Keras advises.")
@says("Update all metrics alike; return their results.")
@says(
    "(a) To a mean, the second argument is the weights. So the tracker "
    "takes the mean of `y`, weighted by the predictions."
)
@says("Both run, and both train as before.")
def test_the_advised_books() -> None:
    _, second = printed(NAME, "old_step").split("\n", 1)
    assert "metric.update_state(y, y_pred)" in second
    assert ".update_state(data[1], y_pred)" in BLOCKS["AdvisedBooks"].code
    assert printed(NAME, "wrong_books").count("same weights: True") == 2
    logged = printed(NAME, "wrong_books").split("\n")
    right = lines(NAME, "untested")[1]
    assert numbers(logged[0])[0] > 5 * right[0]
    model = eager(AdvisedBooks)
    model.optimizer.learning_rate = 0.0
    logs = history(model, WHOLE)
    mean = np.sum(OUTPUTS * 5 * ROWS) / np.sum(5 * ROWS)
    assert logs["loss"][0] == pytest.approx(mean, rel=1e-5)


# A step with metrics of its own


@says("No argument of `compile` can ask for it.")
@says("Suppose you want to log the length of the gradient.")
def test_what_compile_can_ask_for() -> None:
    shown: list[int] = []

    class Asked(tf.keras.metrics.MeanAbsoluteError):
        def update_state(self, *given: Any, **named: Any) -> Any:
            shown.append(
                len([g for g in (*given, *named.values()) if g is not None])
            )
            return super().update_state(*given, **named)

    model = KerasLinearModel()
    model.compile(SGD(0.1), loss="mse", metrics=[Asked()], run_eagerly=True)
    history(model)
    assert {*shown} == {2}, "y and the predictions"
    arguments = inspect.signature(tf.keras.Model.compile).parameters
    assert not any("gradient" in name for name in arguments)


@says("A line with a loss, and metrics for it, of its own.")
@says("The metrics that `fit` is to reset when an epoch begins.")
@says(
    "The model then owns its metrics, and lists under `metrics` all that "
    "`fit` is to reset. Keras' own loss, and what `compile` gets as metrics, "
    "are not among them."
)
@says(
    "The step computes its loss, takes the length of the gradient, and "
    "updates both metrics. Its loss is the squared error alone: for a model "
    "with a regulariser, add `sum(self.losses)`."
)
@says("Trains by a step that also logs the length of the gradient.")
@says("The training is the same again, now with the length of the gradient.")
def test_a_ledger() -> None:
    model, plain = eager(LedgerTraining), eager(KerasLinearModel)
    assert [m.name for m in model.metrics] == ["loss", "gradient_norm"]
    for metric in model.metrics:
        metric.update_state(1000.0)
    logs, wanted = history(model), history(plain)
    assert {*wanted} - {*logs} == {"mae"}
    assert model._loss_tracker not in model.metrics
    assert logs["loss"] == pytest.approx(wanted["loss"], rel=1e-6)
    assert weights(model) == pytest.approx(weights(plain), rel=1e-6)
    now, norms = np.array([5.0, 0.0]), []
    for rows in (slice(0, 3), slice(3, 4)):
        errors = now[0] * ROWS[rows] + now[1] - OUTPUTS[rows]
        slopes = 2 * np.array([np.mean(errors * ROWS[rows]), np.mean(errors)])
        norms.append(np.hypot(*slopes))
        now = now - 0.1 * slopes
    assert logs["gradient_norm"] == pytest.approx([np.mean(norms)], rel=1e-5)
    first, last = lines(NAME, "untested")[1]
    shown = lines(NAME, "fit")
    assert (first, last) == (shown[2][1], shown[4][1])

    class Penalised(LedgerTraining):
        def __init__(self) -> None:
            super().__init__()
            self.idle = self.add_weight(
                name="idle", initializer="ones", regularizer="l2"
            )

        def call(self, x: Any) -> Any:
            return super().call(x) + 0.0 * self.idle

    model = eager(Penalised)
    assert history(model)["loss"] == logs["loss"]
    assert float(sum(model.losses)) == pytest.approx(0.01)
    assert float(model.idle) == 1.0


@says("But a `val_loss` of zero? `test_step` is still Keras' own.")
@says(
    "It updates a loss tracker that is no longer listed, while the one "
    "that is listed stays at zero."
)
@says("A model with its own tracker needs its own `test_step`:")
@says("Tests by a step of its own, too.")
@says("Update the loss with one batch of data.")
@says("There is no gradient in it, so it returns the loss alone.")
@says("That is the `val_loss` of `fit` again.")
@says("And since both steps bring their own loss, `compile` needs none.")
def test_testing_a_ledger() -> None:
    assert LedgerTraining.test_step is tf.keras.Model.test_step
    options = {"validation_data": FEWER}
    untested = eager(LedgerTraining)
    assert history(untested, **options)["val_loss"] == [0.0]
    hidden = untested._loss_tracker
    assert hidden not in untested.metrics
    assert float(hidden.result()) > 0
    assert float(untested.tracker.result()) == 0
    plain, tested = eager(KerasLinearModel), LedgerTesting()
    tested.compile(optimizer=SGD(0.1), run_eagerly=True)
    wanted, logs = history(plain, **options), history(tested, **options)
    assert logs["val_loss"] == pytest.approx(wanted["val_loss"], rel=1e-6)
    assert {*logs} == {"loss", "gradient_norm", "val_loss"}
    shown = [printed(NAME, n).split("\n")[-1] for n in ("untested", "tested")]
    assert numbers(shown[0]) == [0, 0]
    assert numbers(shown[1]) == [lines(NAME, "fit")[n][3] for n in (2, 4)]
    assert (
        "loss="
        not in BLOCKS["tested"].code.split("compile(")[1].split("\n")[0]
    )


@says("The loss is 0 in every epoch: compile without a loss")
@says("A step that brings its own loss needs none in `compile`.")
@says("Brings its own loss, and returns that of the batch.")
@says(
    "Here is the shortest one, that returns its loss, trained until that "
    "falls no more."
)
@says("Train until the loss of an epoch falls no more.")
@says(
    "The weights were trained, but the log says 0, and `EarlyStopping` ended "
    "it."
)
@says(
    "If a step returns what `self.metrics` lists, by name, `fit` reads the "
    "metrics, and the mean called `loss` is there in any case."
)
@says("Nobody told it anything.")
@says("(Under another name you would get the loss of the last batch.)")
@says("Tell it.")
@says("Update the weights with one batch.")
@says("Update the weights and the mean with one batch.")
@says("Tells the loss to the mean that Keras reads.")
def test_a_log_of_zeros(pairs: Names) -> None:
    assert printed(NAME, "bare") == "losses: 0.0000 0.0000"
    found = numbers(printed(NAME, "tracked"))
    assert len(found) > 3
    usual = compiled(KerasLinearModel())
    wanted = history(usual, pairs["batches"], epochs=len(found))["loss"]
    assert found == pytest.approx(wanted, abs=6e-5)

    class Named(Bare):
        def train_step(self, data: Batch) -> Logs:
            return {"mine": super().train_step(data)["loss"]}

    for kind, logged in ((Bare, "loss"), (Named, "mine"), (Tracked, "loss")):
        bare = kind()
        bare.compile(SGD(0.1), run_eagerly=True)
        assert [metric.name for metric in bare.metrics] == ["loss"]
        log = history(bare)
        assert [*log] == [logged]
        usual = eager(KerasLinearModel)
        loss = history(usual)["loss"]
        assert weights(bare) == pytest.approx(weights(usual), rel=1e-6)
        if kind is Bare:
            assert log["loss"] == [0.0]
        elif kind is Named:
            one = KerasLinearModel()
            one.compile(SGD(0.1), "mse", run_eagerly=True)
            by_batch = [one.train_on_batch(*pair) for pair in BATCHES]
            assert log["mine"] == pytest.approx(by_batch[-1:], rel=1e-6)
        else:
            assert log["loss"] == pytest.approx(loss, rel=1e-6)


@says("What works with such a step, and without a loss in `compile`?")
@says("`fit`, `train_on_batch`, `predict` | yes")
@says("`metrics=` in `compile` | if the step calls `compute_metrics`")
@says(
    "Metrics that the step does not update say `Cannot get result() since the "
    "metric has not yet been built`."
)
@says("`evaluate`, `validation_data` | with a [`test_step`] … its-own)")
def test_what_works_without_a_loss() -> None:
    class Measured(Tracked):
        def train_step(self, data: Batch) -> Logs:
            logs = super().train_step(data)
            x, y = data
            return {**self.compute_metrics(x, y, self(x), None), **logs}

    class Tested(Tracked):
        def test_step(self, data: Batch) -> Logs:
            x, y = data
            [tracker] = self.metrics
            tracker.update_state(tf.reduce_mean(tf.square(self(x) - y)))
            return {"loss": tracker.result()}

    bare = Tracked()
    bare.compile(SGD(0.1), run_eagerly=True)
    history(bare)
    loss = np.mean((bare(ROWS).numpy() - OUTPUTS) ** 2)
    assert bare.train_on_batch(ROWS, OUTPUTS) == pytest.approx(loss, rel=1e-5)
    assert bare.predict(ROWS, verbose=0).shape == (4, 1)
    for call in (bare.evaluate, bare.test_on_batch):
        with pytest.raises(ValueError, match="No loss to compute"):
            call(ROWS, OUTPUTS)
    with pytest.raises(ValueError, match="No loss to compute"):
        history(bare, validation_data=BATCHES)
    tested = Tested()
    tested.compile(SGD(0.1), run_eagerly=True)
    assert {"loss", "val_loss"} == {*history(tested, validation_data=WHOLE)}
    said = r"Cannot get result\(\) since the metric has not yet been built"
    for kind in (Tracked, Measured):
        model = kind()
        model.compile(SGD(0.1), metrics=["mae"], run_eagerly=True)
        if kind is Measured:
            assert {*history(model)} == {"loss", "mae"}
        else:
            with pytest.raises(ValueError, match=said):
                history(model)


@says("No loss to compute. Provide a `loss` argument in `compile()`")
@says("Leave out the `test_step`, and the loss in `compile`, too.")
@says("The epoch was trained.")
@says(
    "What failed is the validation, as `evaluate` would: they go through "
    "Keras' `test_step`, which calls the model and takes the loss from "
    "`compute_loss`."
)
@says("The mend is the `test_step` above.")
@says(
    "For a model that keeps Keras' tracker a loss in `compile`, or a "
    "`compute_loss` of its own, is enough."
)
def test_validation_without_a_loss() -> None:
    said = "No loss to compute. Provide a `loss` argument in `compile()`."
    assert printed(NAME, "no_loss") == f"ValueError: {said}"
    code = BLOCKS["no_loss"].code
    assert "LedgerTraining()" in code
    assert "loss=" not in code
    trained, plain = LedgerTraining(), eager(KerasLinearModel)
    trained.compile(SGD(0.1), run_eagerly=True)
    due = history(plain, validation_data=FEWER)["val_loss"]
    with pytest.raises(ValueError, match="No loss to compute"):
        history(trained, validation_data=FEWER)
    assert weights(trained) == pytest.approx(weights(plain), rel=1e-6)
    with pytest.raises(ValueError, match="No loss to compute"):
        trained.evaluate(FEWER, verbose=0)
    asked = []

    class Bare(KerasLinearModel):
        """Keeps the tracker of Keras, and has a step of its own."""

        def train_step(self, data: Batch) -> Any:
            return {"pairs": len(data[0])}

    class Computing(Bare):
        def call(self, x: Any, training: bool = False) -> Any:
            asked.append("call")
            return super().call(x)

        def compute_loss(self, x: Any, y: Any, y_pred: Any, *more: Any) -> Any:
            asked.append("compute_loss")
            return tf.reduce_mean(tf.square(y - y_pred))

    for kind, loss in ((Bare, "mse"), (Computing, None)):
        model = kind()
        model.compile(SGD(0.1), loss=loss, run_eagerly=True)
        model.set_weights(plain.get_weights())
        logs = history(model, validation_data=FEWER)
        assert logs["val_loss"] == pytest.approx(due, rel=1e-6)
    assert asked[-2:] == ["call", "compute_loss"]
    bare = Bare()
    bare.compile(SGD(0.1), run_eagerly=True)
    with pytest.raises(ValueError, match="No loss to compute"):
        history(bare, validation_data=FEWER)


@says(
    "A model without a `call`, such as a GAN of two networks, trains by its "
    "own step as well, and says `does not have a call() method implemented` "
    "when it meets validation data."
)
@says(
    "A `test_step` like the one above, which calls the networks itself, "
    "mends this, and `evaluate`."
)
@says("But `predict` calls the model: give it a `call`.")
def test_a_model_without_a_call() -> None:
    class Networks(tf.keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.one = tf.keras.layers.Dense(1, kernel_initializer="zeros")
            self.tracker = tf.keras.metrics.Mean(name="loss")

        @property
        def metrics(self) -> list[tf.keras.metrics.Metric]:
            return [self.tracker]

        def train_step(self, data: Batch) -> Any:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(self.one(data[0]) - data[1]))
            variables = self.one.trainable_variables
            self.optimizer.apply(tape.gradient(loss, variables), variables)
            return {"loss": loss}

    class Tested(Networks):
        def test_step(self, data: Batch) -> Any:
            loss = tf.reduce_mean(tf.square(self.one(data[0]) - data[1]))
            self.tracker.update_state(loss, sample_weight=len(data[0]))
            return {"loss": self.tracker.result()}

    class Called(Tested):
        def call(self, x: Any) -> Any:
            return self.one(x)

    said = r"does not have a `call\(\)` method implemented"
    for kind in (Networks, Tested, Called):
        model = kind()
        model.compile(SGD(0.1), run_eagerly=True)
        history(model)
        assert float(model.one.kernel.numpy().item()) != 0
        if kind is Networks:
            with pytest.raises(NotImplementedError, match=said):
                history(model, validation_data=FEWER)
            continue
        log = history(model, validation_data=FEWER)
        due = np.mean((model.one(ROWS[:2]) - OUTPUTS[:2]) ** 2)
        assert log["val_loss"] == [pytest.approx(due, rel=1e-5)]
        found = model.evaluate(FEWER, return_dict=True, verbose=0)
        assert found["loss"] == pytest.approx(due, rel=1e-5)
        if kind is Called:
            assert model.predict(ROWS, verbose=0).shape == (4, 1)
        else:
            with pytest.raises(NotImplementedError, match=said):
                model.predict(ROWS, verbose=0)


@says("The gradient norm, logged in TensorBoard")
@says("The metrics that a step returns reach every callback.")
@says(
    "So the norm of the gradient is a chart in TensorBoard as well, and with "
    "a metric for each layer so is each layer's."
)
@says(
    "The callback itself cannot do it any more: `write_grads=True` raises "
    "`TypeError: … unexpected keyword argument 'write_grads'`."
)
def test_gradients_in_tensorboard(tmp_path: Path) -> None:
    class ByLayer(LedgerTraining):
        def __init__(self) -> None:
            super().__init__()
            self.of_w = tf.keras.metrics.Mean(name="norm_of_w")

        @property
        def metrics(self) -> list[tf.keras.metrics.Metric]:
            return [*super().metrics, self.of_w]

    model = eager(ByLayer)
    drawn = tf.keras.callbacks.TensorBoard(tmp_path)
    logs = history(model, callbacks=[drawn])
    tags = {
        value.tag
        for path in tmp_path.glob("train/*")
        for record in tf.data.TFRecordDataset(str(path))
        for value in tf.compat.v1.Event.FromString(
            record.numpy()
        ).summary.value
    }
    assert {*logs} == {"loss", "gradient_norm", "norm_of_w"}
    assert {f"epoch_{name}" for name in logs} <= tags
    message = "unexpected keyword argument 'write_grads'"
    with pytest.raises(TypeError, match=message):
        tf.keras.callbacks.TensorBoard(write_grads=True)


# A loop around Keras' step


@says(
    "`train_on_batch` takes one step on one batch and returns what "
    "`evaluate` does, with our metric a list with the loss first."
)
@says("train_on_batch: no running average")
@says("Each loss is that of its batch alone.")
@says(
    "Within the first epoch the loss fell from {{ losses[0]:.2f }} to "
    '{{ losses[4]:.2f }}, and `fit` logged {{ fit.history["loss"][0]'
    ":.4f }}, the mean over the pairs."
)
@says(
    "A tracker that is not told the sizes of the batches takes the "
    "mean over the batches, which is another number."
)
@says("There are no callbacks here and no validation.")
def test_train_on_batch(pairs: Names) -> None:
    model, plain = eager(KerasLinearModel), KerasLinearModel()
    plain.compile(SGD(0.1), loss="mse", run_eagerly=True)
    now, losses, tracker = np.array([5.0, 0.0]), [], tf.keras.metrics.Mean()
    for x, y in pairs["batches"]:
        errors = now[0] * x[:, 0] + now[1] - y[:, 0]
        found = model.train_on_batch(x, y)
        assert type(found) is list
        assert type(plain.train_on_batch(x, y)) is not list
        loss = float(np.mean(np.square(errors)))
        assert found == pytest.approx([loss, mae(errors)], rel=1e-4)
        losses.append(found[0])
        tracker.update_state(found[0])
        now = now - 0.2 * np.array(
            [np.mean(errors * x[:, 0]), np.mean(errors)]
        )
        assert weights(model) == pytest.approx([*now], rel=1e-4)
    shown, [over_pairs], [over_batches] = lines(NAME, "train_on_batch")
    assert shown[1:] == pytest.approx(losses, abs=1e-3)
    sizes = [32, 32, 32, 32, 22]
    assert over_pairs == pytest.approx(
        np.average(losses, weights=sizes), abs=1e-3
    )
    assert over_batches == pytest.approx(float(tracker.result()), abs=1e-3)
    assert abs(over_pairs - over_batches) > 0.1
    kept = record(NAME)
    assert float(kept['fit.history["loss"][0]:.4f']) == over_pairs
    assert [float(kept[f"losses[{n}]:.2f"]) for n in (0, 4)] == pytest.approx(
        [losses[0], losses[4]], abs=0.01
    )
    takes = inspect.signature(tf.keras.Model.train_on_batch).parameters
    assert not {"callbacks", "validation_data"} & {*takes}


@says("One trap: `train_on_batch` always hands three parts to the step.")
@says("Many a step begins with `x, y = data`, as the one from Keras 2 did.")
@says(
    "`fit` trains with it, as long as you weight neither samples nor classes."
)
@says("Hence the `unpack_x_y_sample_weight` in ours.")
@pytest.mark.filterwarnings("ignore:.*is deprecated")
def test_three_parts() -> None:
    parts: list[int] = []

    class Counting(OwnStep):
        def train_step(self, data: Batch) -> Logs:
            parts.append(len(data))
            return super().train_step(data)

    model = eager(Counting)
    model.train_on_batch(ROWS, OUTPUTS)
    model.train_on_batch(ROWS, OUTPUTS, sample_weight=np.ones(4))
    assert parts == [3, 3]
    assert "x, y = data\n" in BLOCKS["Keras2Step"].code
    old = eager(Keras2Step)
    history(old)
    assert weights(old) != [5.0, 0.0]
    labels = (OUTPUTS > 5).astype(np.float32)
    for options in (
        {"sample_weight": np.ones(4)},
        {"class_weight": {0: 1.0, 1: 9.0}},
    ):
        with pytest.raises(ValueError, match="too many values to unpack"):
            history(eager(Keras2Step), ROWS, labels, **options)
        history(eager(OwnStep), ROWS, labels, **options)
    with pytest.raises(ValueError, match="too many values to unpack"):
        old.train_on_batch(ROWS, OUTPUTS)


@says(
    "(Earlier releases of Keras 3 returned the [mean of all batches so "
    "far](https://github.com/keras-team/keras/pull/22617).)"
)
def test_an_earlier_release_logs_something_else() -> None:
    """The page was run with it, and its losses were others."""
    kept = json.loads((ROOT / "snippets/results/versions.json").read_text())
    other = {
        tuple(map(int, run["versions"]["Keras"].split("."))): any(
            "train_on_batch" in line for line in run["pages"][NAME]
        )
        for run in kept.values()
        if "pages" in run
    }
    assert other[min(other)]
    assert min(other) < (3, 9)
    assert not other[max(other)]


# A loop of your own


@says("The last move is to do without `compile`.")
@says(
    "What remains of Keras is the model, an optimizer, a loss and a "
    "metric, and you have met every line."
)
@says("That is the last loss of `fit`.")
@says(
    "This loop runs eagerly; to compile it, put the six lines from the "
    "tape to `apply_gradients` into a "
    "[`tf.function`](https://www.tensorflow.org/guide/function) that returns "
    "`current_loss`."
)
def test_a_loop_of_ones_own(pairs: Names) -> None:
    code = BLOCKS["own_loop"].code
    used = re.findall(r"tf\.keras\.(\w+)\.(\w+)", code)
    assert used == [
        ("optimizers", "SGD"),
        ("losses", "MeanSquaredError"),
        ("metrics", "Mean"),
    ]
    assert "looped = KerasLinearModel()" in code
    assert ".compile(" not in code
    shown = lines(NAME, "fit")[4]
    assert lines(NAME, "own_loop") == [[10, shown[1]]]
    rows = code.split("\n")
    [first] = [n for n, row in enumerate(rows) if "GradientTape" in row]
    [last] = [n for n, row in enumerate(rows) if "apply_gradients" in row]
    six = "\n".join(row[8:] for row in rows[first : last + 1])
    assert len(rows[first : last + 1]) == 6
    names: Names = {
        "tf": tf,
        "looped": KerasLinearModel(),
        "optimizer": SGD(0.1),
    }
    names["squared_error"] = tf.keras.losses.MeanSquaredError()
    source = textwrap.indent(six, "    ")
    source += "\n    return current_loss"
    exec(f"def step(x_batch, y_batch):\n{source}", names)
    step = tf.function(names["step"], autograph=False)
    plain = eager(KerasLinearModel)
    for x, y in pairs["batches"].take(2):
        due = plain.train_on_batch(x, y)[0]
        assert float(step(x, y)) == pytest.approx(due, rel=1e-5)
    assert weights(names["looped"]) == pytest.approx(weights(plain), rel=1e-5)


@says(
    "What the step returns is logged, so it is a dictionary of numbers by "
    "name."
)
@says(
    "For an epoch that of its last step is taken, so return the results of "
    "metrics, not the loss of a batch."
)
@says(
    "Where the `return` is missing `fit` says `Attr 'Toutput_types' of "
    "'OptionalFromValue' Op passed list of length 0 less than minimum 1` (run "
    "eagerly, `Length for attr 'Toutput_types' of 0`), and of a single number "
    "it says `object has no attribute 'items'`."
)
def test_a_step_returns_a_dictionary(pairs: Names) -> None:
    def fitted(returned: Any, **options: bool) -> Any:
        class Step(KerasLinearModel):
            def train_step(self, data: Any) -> Any:
                return returned

        model = Step()
        model.compile("sgd", "mse", **options)
        return model.fit(pairs["batches"], shuffle=False, verbose=0).history

    assert fitted({"mine": 3.0}) == {"mine": [3.0]}

    class Rows(KerasLinearModel):
        def train_step(self, data: Any) -> Any:
            return {"rows": tf.shape(data[0])[0]}

    for at_once in (1, 3):
        model = Rows()
        model.compile("sgd", "mse", steps_per_execution=at_once)
        log = model.fit(pairs["batches"], shuffle=False, verbose=0).history
        assert log == {"rows": [22]}
    message = (
        "Attr 'Toutput_types' of 'OptionalFromValue' Op passed list of "
        "length 0 less than minimum 1"
    )
    with pytest.raises(ValueError, match=message):
        fitted(None)
    message = "Length for attr 'Toutput_types' of 0"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        fitted(None, run_eagerly=True)
    with pytest.raises(AttributeError, match="no attribute 'items'"):
        fitted(3.0)


@says("To `predict` such a model is ready.")
@says(
    "`evaluate` says `You must call compile() before using the model`, since "
    "it knows neither loss nor metrics."
)
@says(
    'So compile after the loop, `model.compile(loss="mse", '
    'metrics=["mae"])`, and evaluate; the weights stay as they are.'
)
def test_compiled_after_the_loop(pairs: Names) -> None:
    model = KerasLinearModel()
    before = weights(model)
    model.predict(pairs["batches"], verbose=0)
    message = re.escape("You must call `compile()` before using the model")
    with pytest.raises(ValueError, match=message):
        model.evaluate(pairs["batches"], verbose=0)
    model.compile(loss="mse", metrics=["mae"])
    found = model.evaluate(pairs["batches"], verbose=0)
    assert weights(model) == before
    y, y_pred = (
        np.concatenate(parts)
        for parts in zip(
            *((y, model(x)) for x, y in pairs["batches"]), strict=True
        )
    )
    errors = y.ravel() - y_pred.ravel()
    expected = [np.mean(errors**2), np.mean(np.abs(errors))]
    assert found == pytest.approx(expected, rel=1e-4)


# Which one?


@says(
    "Four ways, one model, the same batches: by how much do the "
    "weights differ from those of `fit`?"
)
@says("They do not.")
@says("The way does not change what is learned, so choose by what you need.")
def test_the_ways_agree() -> None:
    found = printed(NAME, "compare").split("\n")
    assert [line.partition(":")[0] for line in found] == [
        "own step",
        "train_on_batch",
        "own loop",
    ]
    assert all(line.endswith(", apart from fit 0") for line in found)


@says("`fit` | Keras' | Keras' | yes | –")
@says("`fit`, own `train_step` | Keras' | yours | yes | {{ apart[0]:.1g }}")
@says("`train_on_batch` | yours | Keras' | by hand | {{ apart[1]:.1g }}")
@says("own loop | yours | yours | by hand | {{ apart[2]:.1g }}")
@says("You keep the callbacks, the validation and the history.")
def test_the_table_of_ways() -> None:
    loops = ["for _ in range(10)", "for x_batch, y_batch in batches"]
    ways = {"same": False, "train_on_batch": True, "own_loop": True}
    for name, by_hand in ways.items():
        assert all((loop in BLOCKS[name].code) is by_hand for loop in loops)
        assert (".fit(" in BLOCKS[name].code) is not by_hand
    own = {"same": True, "train_on_batch": False, "own_loop": True}
    for name, yours in own.items():
        code = BLOCKS[name].code
        assert ("OwnStep" in code or "GradientTape" in code) is yours
    assert {record(NAME)[f"apart[{n}]:.1g"] for n in range(3)} == {"0"}
    fit = BLOCKS["same"].code
    for kept in ("callbacks=", "validation_data=", "own_fit.history"):
        assert kept in fit


@says("Begin here, and remember that `compute_loss` can hold an unusual loss.")
@says(
    "If it needs more than these, override `compute_loss`, as in "
    "[exercise 2](#exercises), and add `sum(self.losses)` if layers have "
    "penalties."
)
@says("Only `compute_loss` changes.")
@says(
    "Both of Keras' own steps call it, and so `val_loss` is a squared "
    "distance at a right angle, too."
)
@says("A line fitted by distances at a right angle to it.")
@says("Return the mean squared distance of the points from the line.")
@says("Squared errors are measured straight up and down.")
@says(
    "Measure them at a right angle to the line: that squared distance "
    r"is `#!math (\hat{y} - y)^2 / (1 + w^2)`."
)
def test_a_loss_that_needs_the_weights() -> None:
    assert {*vars(Orthogonal)} & {"train_step", "test_step", "call"} == set()
    points = np.hstack([ROWS, OUTPUTS]).astype(float)

    class Penalised(Orthogonal):
        penalty = 0.0

        def __init__(self) -> None:
            super().__init__()
            self.layer = tf.keras.layers.Dense(
                1, kernel_initializer="ones", kernel_regularizer="l2"
            )
            self.layer.build((None, 1))

        def compute_loss(self, *given: Any, **named: Any) -> Any:
            found = super().compute_loss(*given, **named)
            return found + self.penalty * sum(self.losses)

    found = []
    for Penalised.penalty in (0.0, 1.0):
        model = Penalised()
        model.compile(SGD(0.0), run_eagerly=True)
        found.append(history(model, WHOLE)["loss"][0])
    assert found[1] - found[0] == pytest.approx(0.01, rel=1e-3)
    model = Orthogonal()
    optimizer = SGD(1.0)
    model.compile(optimizer, run_eagerly=True)
    logs = history(model, WHOLE, validation_data=WHOLE)
    for name, (w, b) in (("loss", (5.0, 0.0)), ("val_loss", weights(model))):
        along = np.array([1.0, w]) / np.hypot(1.0, w)
        apart = points - [0.0, b]
        apart = apart - np.outer(apart @ along, along)
        distances = np.sum(apart**2, axis=1)
        assert logs[name][0] == pytest.approx(np.mean(distances), rel=1e-4)
        upwards = (w * points[:, 0] + b - points[:, 1]) ** 2
        np.testing.assert_allclose(distances, upwards / (1 + w**2), atol=1e-6)


@says(
    "The line is steeper than before: its weight is {{ float("
    "orthogonal.w):.2f }} instead of {{ float(model.w):.2f }}."
)
def test_the_line_is_steeper() -> None:
    steep, before = (
        float(record(NAME)[f"float({n}.w):.2f"])
        for n in ("orthogonal", "model")
    )
    assert steep == pytest.approx(lines(NAME, "orthogonal")[2][0], abs=0.01)
    assert before == pytest.approx(lines(NAME, "compare")[0][0], abs=0.01)
    assert steep > before + 0.1


@says(
    "`fit` cuts arrays into batches of 32 and shuffles them; in a loop [you "
    "do both](usual_parts.md#mini-batches)."
)
@says(
    "Then look at what is compared: the `loss` of `fit` is that of the epoch "
    "while it went on."
)
@says(
    "What else a loop may have left out, such as `training=True` or a "
    "penalty, is among the [silent failures](traps.md), and [the seeds] … "
    "have a page of their own."
)
@says(
    "How much that gains, and how both compare with `fit`, is shown in "
    "[How fast can the loop go?](how_fast.md)."
)
def test_what_differs_from_a_loop() -> None:
    seen: list[list[float]] = []

    class Watching(KerasLinearModel):
        def train_step(self, data: Batch) -> Logs:
            seen.append(np.ravel(data[0]).tolist())
            return dict(super().train_step(data))

    x = np.arange(70, dtype=np.float32)[:, np.newaxis] / 70
    model = Watching()
    model.compile(SGD(0.1), "mse", run_eagerly=True)
    log = model.fit(x, x, epochs=2, verbose=0).history["loss"]
    assert [len(rows) for rows in seen] == 2 * [32, 32, 6]
    for part in (seen[:3], seen[3:]):
        order = [value for rows in part for value in rows]
        assert sorted(order) == np.ravel(x).tolist() != order
    assert log[-1] > model.evaluate(x, x, verbose=0)
    traps = (DOCS / "traps.md").read_text("utf-8")
    assert "Training mode and penalties forgotten" in traps
    assert "seed" in (DOCS / "same_run_twice.md").read_text("utf-8")
    ratios = [name for name in record("how_fast") if "ratios[" in name]
    assert any("Keras fit" in name for name in ratios)
    assert any("compiled step" in name for name in ratios)


@says("Returns the loss itself and keeps no books at all.")
@says("For (b), compile without metrics.")
@says("Return the loss of the batch.")
@says(
    "(b) `fit` finds the names in your result to be those of "
    "`self.metrics`, and reads the metrics instead. Nobody has updated "
    "the tracker."
)
def test_no_books() -> None:
    logged = printed(NAME, "wrong_books").split("\n")
    assert numbers(logged[2]) == [0, 0]
    with pytest.raises(ValueError, match="not yet been built"):
        history(eager(NoBooks))
    model = NoBooks()
    model.compile(SGD(0.1), loss="mse", run_eagerly=True)
    assert history(model)["loss"] == [0.0]
    assert [m.name for m in model.metrics] == ["loss"]
    loss = tf.constant(3.0)
    assert model.keep_books((ROWS, OUTPUTS), ROWS, loss) == {"loss": loss}

    class Renamed(NoBooks):
        def keep_books(self, *given: Any) -> Logs:
            return {"error": super().keep_books(*given)["loss"]}

    renamed = Renamed()
    renamed.compile(SGD(0.0), loss="mse", run_eagerly=True)
    last = float((5 * ROWS[3, 0] - OUTPUTS[3, 0]) ** 2)
    assert history(renamed)["error"] == pytest.approx([last])


def state_of(path: str, name: str) -> ast.FunctionDef:
    """Return a function of Keras' code, which may need what is not here."""
    tree = ast.parse((Path(keras.__file__).parent / path).read_text("utf-8"))
    functions = [f for f in ast.walk(tree) if isinstance(f, ast.FunctionDef)]
    [found] = [function for function in functions if function.name == name]
    return found


@says(
    "Where Keras runs on JAX, it calls a step with one argument more, "
    "`train_step(self, state, data)`."
)
@says(
    "The state has the values of the trainable variables, of the others, of "
    "the optimizer's and of the metrics', and the step returns its logs and "
    "the new values."
)
@says("A train_step on JAX is stateless")
def test_the_step_on_jax() -> None:
    def arguments(backend: str) -> list[str]:
        trainer = f"src/backend/{backend}/trainer.py"
        return [a.arg for a in state_of(trainer, "train_step").args.args]

    assert arguments("jax") == ["self", "state", "data"]
    assert arguments("tensorflow") == ["self", "data"]
    step = state_of("src/backend/jax/trainer.py", "train_step")
    unpacked, given_back = step.body[0], step.body[-1]
    names = [
        *("trainable_variables", "non_trainable_variables"),
        *("optimizer_variables", "metrics_variables"),
    ]
    assert isinstance(unpacked, ast.Assign)
    assert ast.unparse(unpacked.value) == "state"
    assert isinstance(unpacked.targets[0], ast.Tuple)
    assert [ast.unparse(e) for e in unpacked.targets[0].elts] == names
    assert isinstance(given_back, ast.Return)
    assert isinstance(given_back.value, ast.Tuple)
    logs, state = given_back.value.elts
    assert ast.unparse(logs) == "logs"
    assert ast.unparse(state) in ("state", f"({', '.join(names)})")


@says(
    "`stateless_call` of a model leaves all variables as they are and returns "
    "what would become of them. So does `stateless_apply` of an optimizer, "
    "but not on TensorFlow, where it raises an error."
)
def test_stateless_calls_leave_variables_alone() -> None:
    model = tf.keras.Sequential(
        [
            tf.keras.Input((2,)),
            tf.keras.layers.BatchNormalization(),
            tf.keras.layers.Dense(1),
        ]
    )
    x = tf.constant([[1.0, 2.0], [3.0, 5.0]])
    for kind in (tf.keras.optimizers.SGD, tf.keras.optimizers.Adam):
        optimizer = kind(0.1)
        optimizer.build(model.trainable_variables)
        everything = [*model.variables, *optimizer.variables]
        before = [v.numpy() for v in everything]
        trainable = [v.value for v in model.trainable_variables]
        others = [v.value for v in model.non_trainable_variables]
        _, moved = model.stateless_call(trainable, others, x, training=True)
        assert any(np.any(a != b) for a, b in zip(moved, others, strict=True))
        with pytest.raises(ValueError, match="TensorFlow backend"):
            optimizer.stateless_apply(
                [v.value for v in optimizer.variables],
                [tf.ones_like(value) for value in trainable],
                trainable,
            )
        for variable, value in zip(everything, before, strict=True):
            np.testing.assert_array_equal(variable, value)
    told = " ".join((Optimizer.stateless_apply.__doc__ or "").split())
    assert "Stateless version of `apply` that returns modified" in told


@says(
    "With a number for `save_freq` the warning comes of `val_loss`, too: amid "
    "an epoch there is none."
)
def test_no_validation_loss_amid_an_epoch() -> None:
    x = tf.ones((8, 1))
    words = "Can save best model only with val_loss available"
    for often in (1, "epoch"):
        model = tf.keras.Sequential(
            [tf.keras.Input((1,)), tf.keras.layers.Dense(1)]
        )
        model.compile("sgd", "mse")
        saver = tf.keras.callbacks.ModelCheckpoint(
            "best.keras",
            monitor="val_loss",
            save_best_only=True,
            save_freq=often,
        )
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(
                x,
                x,
                batch_size=4,
                verbose=0,
                validation_data=(x, x),
                callbacks=[saver],
            )
        told = [words in str(warning.message) for warning in caught]
        assert any(told) is (often == 1)


@says("metrics_names is ['loss', 'compile_metrics']")
@says(
    "The names of what `evaluate` returns were `model.metrics_names` once. "
    "Today it has these two, whatever metrics `compile` was given."
)
@says("Take `return_dict=True`.")
@says("KeyError: 'val_loss' or 'acc' in the history")
@says(
    "The history has a `val_loss` only if `fit` was given data to validate "
    "with."
)
@says(
    'And what `compile` was given as `"accuracy"` is not there as '
    '[`"acc"`](old_names.md#7-models).'
)
def test_the_names_of_what_is_measured() -> None:
    old = importlib.import_module("tensorflow.python.keras")
    before = old.Sequential([old.layers.Dense(1)])
    before.compile("sgd", "mse", metrics=["mae"])
    before.train_on_batch(ROWS, OUTPUTS)
    assert before.metrics_names == ["loss", "mae"]
    model = KerasLinearModel()
    for metrics in (["mae"], ["mae", "mse"]):
        model.compile("sgd", "mse", metrics=metrics)
        model.train_on_batch(ROWS, OUTPUTS)
        assert model.metrics_names == ["loss", "compile_metrics"]
        named = model.evaluate(ROWS, OUTPUTS, verbose=0, return_dict=True)
        assert {*named} == {"loss", *metrics}
    model.compile("sgd", "mse", metrics=["accuracy"])
    history = model.fit(ROWS, OUTPUTS, verbose=0).history
    for name in ("val_loss", "acc"):
        with pytest.raises(KeyError, match=name):
            history[name]
    model.compile("sgd", "mse", metrics=["acc"])
    history = model.fit(
        ROWS, OUTPUTS, validation_data=(ROWS, OUTPUTS), verbose=0
    ).history
    assert {"val_loss", "acc"} <= {*history}
