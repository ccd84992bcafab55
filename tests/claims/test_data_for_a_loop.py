"""What the page on data for a loop says is true."""

import multiprocessing
import os
import random
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pytest
import tensorflow as tf

from snippets.data_for_a_loop_augment import (
    changed,
    flip_each,
    make_batches,
    make_model,
    make_pictures,
    same_again,
)
from snippets.data_for_a_loop_folder import write_pictures
from snippets.data_for_a_loop_imbalance import (
    cross_entropy,
    learn,
    make_line,
    make_rare,
    oversample,
    prior_shift,
    weighted,
)
from snippets.data_for_a_loop_large import Rows, Shuffled, draw_batches
from snippets.data_for_a_loop_mixup import mix
from snippets.data_for_a_loop_noise import Noise, Seeded
from snippets.data_for_a_loop_records import read_rows, write_rows
from snippets.data_for_a_loop_scale import (
    make_homes,
    make_priced,
    spread,
    squared,
)
from snippets.data_for_a_loop_setup import slices
from snippets.data_for_a_loop_unlabelled import (
    Joint,
    make_clusters,
    make_flat,
    make_joint_step,
    unlabelled_loss,
)
from snippets.weights_outputs_losses import weighted_loss
from tests.claims.says import (
    highlighted,
    imported,
    numbers,
    printed,
    ran,
    record,
    says,
)
from tests.claims.sentences import DOCS, below, read

NAME = "data_for_a_loop"
PAGE = read(NAME)
BLOCKS = {block.name: block for block in PAGE.blocks}
layers = tf.keras.layers
X, Y = make_pictures(8)


def lines(section: str) -> list[list[float]]:
    """Return the numbers of each line that a block prints, labels apart."""
    told = printed(NAME, section).split("\n")
    return [numbers(line.partition(":")[2]) for line in told]


def flip(**options: Any) -> Any:
    return layers.RandomFlip("horizontal", **options)


# What the page promises, and where


@says(
    "Feed a TensorFlow training loop - data augmentation, oversampling and "
    "pos_weight for a rare class, Normalization, pseudo labels, mixup."
)
@says("Data augmentation gives not more images")
@says("The same augmentation in every epoch")
@says("Augmentation has no effect | [1](#augmentation-has-no-effect)")
@says("`tf.function only supports singleton tf.Variables` from a `map`")
@says("Validation data are augmented, too")
@says("Image and mask are to be augmented the same way")
@says("Imbalanced data: the rare class is not found")
@says("`pos_weight`; weighted binary crossentropy")
@says("`sample_from_datasets`; `The dataset is infinite`")
@says("Probabilities are too high after oversampling | [2]")
@says("`indices[6] = 2 is not in [0, 2)` from `fit` with `class_weight` | [2]")
@says("`Normalization` does nothing; `adapt` | [3]")
@says("`'SymbolicTensor' object has no attribute '_datatype_enum'` | [3]")
@says("A regression predicts the same value for all rows; a huge loss")
@says("Semi-supervised: labelled and unlabelled data in one step | [4]")
@says("`None values not supported` from `fit` without targets | [4]")
@says("Mixup, CutMix: which labels and which loss | [5]")
@says("The data do not fit into memory; `np.memmap` | [6]")
@says("A generator has the same order in every epoch | [6]")
@says("`PyDataset` or `Sequence`: what `fit` shuffles | [6]")
@says("`workers` and `use_multiprocessing`: the same random numbers | [6]")
@says("`image_dataset_from_directory`: wrong labels, a wrong split | [7]")
@says("`Can't parse serialized Example`; `Data types don't match` | [8]")
def test_each_row_leads_to_a_section_with_its_words() -> None:
    shown = {
        "## 1. Data augmentation: not more images": "each_epoch",
        "### The same augmentation in every epoch": "cached",
        "### Augmentation has no effect": "thrown_away",
        "### A layer made in a map": "made_inside",
        "### Validation data are augmented, too": "both_sets",
        "### Augment image and mask the same way": "segmentation",
        "### The layer in the model": "in_model",
        "## 2. Imbalanced data": "missed",
        "### Weighted binary crossentropy": "weighted",
        "### Oversample the minority class": "cardinality",
        "### Probabilities are too high": "shifted",
        "### Normalization without `adapt`": "'SymbolicTensor' object",
        "### The regression loss is huge": "scaled_targets",
        "## 4. Semi-supervised": "few_labels",
        "### train_step without y": "no_target",
        "## 5. Mixup and CutMix": "mixed_loss",
        "### indices[6] = 2": "class_missing",
        "## 6. Data larger than memory": "from_file",
        "### The same order in every epoch": "same_order",
        "### A PyDataset for fit": "same_company",
        "### use_multiprocessing": "noise.py",
        "## 7. Pictures in folders": "from_folder",
        "### validation_split: a class is": "last_class",
        "## 8. TFRecord": "not_parsed",
    }
    for heading, word in shown.items():
        assert word in below(NAME, heading), heading


@says(
    "Split first, and augment then: a picture and its mirror image, one here "
    "and one there, would be a "
    "[leak](real_problem.md#standardise-without-a-leak)."
)
@says("You need mini-batches, as in [the loop with the usual parts]")
@says("[A real problem](real_problem.md): from the first look at data to an")
@says(
    "[Errors in a training step]"
    "(errors_in_a_step.md#the-dataset-length-is-unknown): what datasets "
    "complain of."
)
@says(
    "[`class_weight`](weights_outputs_losses.md#class_weight-for-imbalanced-"
    "classes) in `fit` makes each count more; here are two ways for a loop "
    "of your own, and what both do to the probabilities."
)
@says(
    "[Weights, outputs, losses](weights_outputs_losses.md): `class_weight`, "
    "and focal loss."
)
def test_what_other_pages_have() -> None:
    weights = (DOCS / "weights_outputs_losses.md").read_text("utf-8")
    assert "## `class_weight`, for imbalanced classes" in weights
    assert "### Focal loss" in weights
    usual = (DOCS / "usual_parts.md").read_text("utf-8")
    assert "## Mini-batches" in usual
    real = (DOCS / "real_problem.md").read_text("utf-8")
    _, _, below = real.partition("## Standardise without a leak")
    assert "it would be a *leak*" in below or "be a *leak*" in below
    for part in ("## Look at the data", "accuracy"):
        assert part in real
    errors = (DOCS / "errors_in_a_step.md").read_text("utf-8")
    assert "### The dataset length is unknown" in errors
    assert "## generator yielded an element" in errors


@says("The imports, some types, and two short names.")
def test_what_the_set_up_has() -> None:
    left = ran("data_for_a_loop_setup", "setup")
    assert {"np", "tf", "Dataset", "Layer", "Model"} <= set(left)
    found = list(left["slices"]([1, 2]).as_numpy_iterator())
    assert found == [1, 2]
    assert left["Adam"] is tf.keras.optimizers.Adam


@says("All blocks above, in order, as one file, and the file that it runs.")
@says("They need TensorFlow.")
def test_what_the_program_needs() -> None:
    # NumPy comes with TensorFlow.
    bring = {"tensorflow", "numpy", "collections", "random", "typing"}
    assert imported(PAGE) == bring


@says(
    "Where in the pipeline that happens decides what the model learns, and a "
    "wrong place raises no error."
)
def test_wrong_places_raise_nothing() -> None:
    for section in ("cached", "thrown_away", "validation", "apart"):
        assert BLOCKS[section].options["title"] == "Looks right"
        assert "Error" not in printed(NAME, section)


# 1. Augmentation


@says("Return pictures of noise, (rows, 8, 8, 1), and labels 0 or 1.")
@says("Return 1 for each picture that differs from that of x, else 0.")
@says(
    "A random layer of Keras, in a `map`, mirrors about half of them. … a 1 "
    "is a picture that was mirrored."
)
@says(
    "There are eight pictures in each epoch, as before, so the number of "
    "batches is the same."
)
@says("But no two epochs show the same eight.")
@says("Data augmentation: not more images, but others in each epoch")
def test_an_epoch_has_as_many_but_others() -> None:
    epochs = lines("each_epoch")
    assert [len(row) for row in epochs] == [8, 8, 8]
    assert len({tuple(row) for row in epochs}) == 3
    x, _ = make_pictures(2000)
    for pictures in slices(x).batch(2000).map(flip(seed=0)):
        share = changed(pictures, x).mean()
        assert share == pytest.approx(0.5, abs=0.05)
        mirrored = tf.reverse(x, [2])
        assert (changed(pictures, x) == 1 - changed(pictures, mirrored)).all()
    data = slices(x).batch(32)
    assert len(data.map(flip())) == len(data)


@says("`cache` keeps what comes to it.")
@says("Behind the augmentation it keeps one draw for ever:")
@says("Put it in front.")
@says(
    "What is slow and always the same, such as reading files, belongs before "
    "`cache`, and what is random behind it."
)
def test_cache_keeps_one_draw() -> None:
    assert len({tuple(row) for row in lines("cached")}) == 1
    assert sum(lines("cached")[0]) > 0
    assert len({tuple(row) for row in lines("uncached")}) == 3
    [cached] = highlighted(BLOCKS["cached"])
    [mended] = highlighted(BLOCKS["uncached"])
    assert cached.index("map") < cached.index("cache")
    assert mended.index("cache") < mended.index("map")
    read_files = []

    def reading(x: Any) -> Any:
        read_files.append(1)
        return x

    def fetch(x: Any) -> Any:
        return tf.py_function(reading, [x], tf.float32)

    data = slices(X).map(fetch).cache()
    for _ in range(3):
        assert len(list(data)) == 8
    assert len(read_files) == 8


@says(
    "Numbers that Python or NumPy draw are drawn once, too, when `map` traces "
    "its function:"
)
@says("Draw with a layer of Keras or with TensorFlow, as in [exercise 2]")
def test_numpy_draws_once() -> None:
    [found] = lines("drawn_once")
    assert len(found) == 4
    assert len(set(found)) == 1
    draws = slices(tf.zeros(4)).map(lambda x: x + tf.random.uniform([]))
    assert len(set(draws.as_numpy_iterator())) == 4
    assert BLOCKS["flip_each"].code.count("tf.") > 3


@says(
    "A `map` returns a new dataset and leaves the old one as it was. So do "
    "`shuffle`, `batch` and the others."
)
@says("Augmentation has no effect")
@says("Write `data = data.map(augment)`.")
def test_a_map_that_is_thrown_away() -> None:
    assert lines("thrown_away") == [[0.0] * 8]
    data = tf.data.Dataset.range(6)
    for name in ("shuffle", "batch", "repeat", "take", "map"):
        by = (lambda n: n + 1) if name == "map" else 2
        assert getattr(data, name)(by) is not data
        assert list(data.as_numpy_iterator()) == [0, 1, 2, 3, 4, 5]
    mapped = slices(X).batch(8).map(flip(seed=0))
    assert changed(next(iter(mapped)), X).any()


@says("A layer made in a map")
@says("A random layer has a variable, the state of its seed.")
@says(
    "`map` makes a graph of its function, and in that graph no variable can "
    "be made."
)
@says("Make the layer once, outside of the function, and hand it in.")
def test_a_layer_made_in_a_map() -> None:
    shown = printed(NAME, "made_inside")
    assert (
        shown == "ValueError: tf.function only supports singleton tf.Variables"
    )
    [state] = flip().variables
    assert "seed" in state.path
    with pytest.raises(ValueError, match="only supports singleton"):
        slices(X).map(lambda x: x + tf.Variable(1.0))
    made = flip()
    assert len(list(slices(X).map(lambda x: made(x)))) == 8


@says(
    "`Dropout` and `GaussianNoise` do nothing unless they are told "
    "`training=True`. Other layers that augment do it unless they are told "
    "`training=False`:"
)
@says("So map the training data and no others.")
def test_what_a_layer_does_that_is_told_nothing() -> None:
    for layer in (layers.Dropout(0.5), layers.GaussianNoise(0.5)):
        for pictures in slices(X).batch(8).map(layer):
            assert not changed(pictures, X).any()
        assert changed(layer(X, training=True), X).all()
    for augment in (
        flip(seed=0),
        layers.RandomRotation(0.3, seed=0),
        layers.RandomZoom(0.3, seed=0),
        layers.RandomTranslation(0.3, 0.3, seed=0),
        layers.RandomContrast(0.3, seed=0),
        layers.RandomBrightness(0.3, seed=0),
    ):
        for pictures in slices(X).batch(8).map(augment):
            assert changed(pictures, X).any()
        assert not changed(augment(X, training=False), X).any()
    nothing, yes, no = lines("validation")
    assert sum(nothing) > 0
    assert sum(yes) > 0
    assert sum(no) == 0


@says(
    "This function keeps the order of things, and augments only if it is "
    "handed a layer."
)
@says("Return batches of (x, y); with a layer shuffled and augmented.")
def test_the_function_keeps_the_order() -> None:
    code = BLOCKS["make_batches"].code
    calls = [".cache(", ".shuffle(", ".batch(", ".map(", ".prefetch("]
    places = [code.rindex(call) for call in calls]
    assert places == sorted(places)
    assert lines("both_sets")[1] == [0.0, 0.0]
    plain = make_batches(X, Y, batch=8)
    assert all(not changed(x, X).any() for x, _ in plain)


@says(
    "In segmentation the label is a picture, too. Here it says where the "
    "image is bright, so we can see whether both still belong together."
)
@says("Augment image and mask the same way")
@says("Two calls are two draws:")
@says("A layer of Keras takes a dictionary as well, and draws once for all")
@says("The names are not yours to choose.")
@says("What is called otherwise is left as it is, without a word.")
def test_a_dictionary_keeps_pairs_together() -> None:
    [[apart, rows]] = lines("apart")
    assert apart < rows == 8
    [[otherwise, _], [together, _]] = lines("together")
    assert otherwise < together == 8
    for augment in (
        flip(),
        layers.RandomRotation(0.3, interpolation="nearest"),
        layers.RandomTranslation(0.3, 0.3, interpolation="nearest"),
        layers.RandomZoom(0.3, interpolation="nearest"),
        layers.RandomCrop(4, 4),
        layers.Pipeline([flip(), layers.RandomCrop(4, 4)]),
    ):
        pair = augment({"images": X, "segmentation_masks": X})
        images, masks = pair.values()
        np.testing.assert_array_equal(images, masks)
    pair = flip(seed=0)({"images": X, "masks": X})
    assert changed(pair["images"], X).any()
    assert not changed(pair["masks"], X).any()


@says(
    "Under the right name a rotation or a zoom gives a mask no classes that "
    "it did not have, unless it fills the edges with a constant, and a "
    "brightness does not touch it."
)
@says(
    "(Joining both with `tf.concat` and calling the layer once keeps pairs "
    "together, too, but a rotation then mixes the classes.)"
)
def test_masks_keep_their_classes() -> None:
    mask = tf.cast(X > 0.5, tf.float32) * 3 + 1
    pair = {"images": X, "segmentation_masks": mask}
    turn = layers.RandomRotation(0.3, seed=0)
    for augment in (turn, layers.RandomZoom(0.3, seed=0)):
        found = augment(pair)["segmentation_masks"]
        assert set(np.unique(found)) == {1.0, 4.0}
        assert changed(found, mask).any()
    filled = layers.RandomRotation(0.3, fill_mode="constant", seed=0)
    found = filled(pair)["segmentation_masks"]
    assert set(np.unique(found)) == {0.0, 1.0, 4.0}
    brightness = layers.RandomBrightness(0.3, (0, 1), seed=0)
    bright = brightness(pair)
    assert not changed(bright["segmentation_masks"], mask).any()
    assert changed(bright["images"], X).all()
    joined = flip(seed=0)(tf.concat([X, mask], -1))
    np.testing.assert_array_equal(joined[..., :1] > 0.5, joined[..., 1:] > 1)
    turned = turn(tf.concat([X, mask], -1))[..., 1]
    assert len(np.unique(turned)) > 2


@says("The layer in the model")
@says("The layer can also be the first one of a model.")
@says("Return a model that augments in training, then sums up a picture.")
@says("`fit` augments, `evaluate` and `predict` do not.")
@says(
    "A loop of your own has to say `training=False` where it validates, for "
    "`model(x)` augments."
)
@says(
    "The model is saved with its layer, and labels cannot be augmented there."
)
@pytest.mark.filterwarnings("ignore:The model does not have any trainable")
def test_the_layer_in_a_model() -> None:
    predicted, called, training, told = lines("in_model")
    assert sum(predicted) == sum(told) == 0
    assert sum(called) > 0
    assert sum(training) > 0
    assert type(make_model().layers[0]) is layers.RandomFlip
    model = make_model()
    model.compile("sgd", "mse")
    flat = tf.reshape(X, (8, 64))
    assert model.evaluate(X, flat, verbose=0) == 0
    seen = model.fit(X, flat, verbose=0)
    assert seen.history["loss"][0] > 0
    model.save("model.keras")
    loaded = tf.keras.models.load_model("model.keras")
    assert type(loaded.layers[0]) is layers.RandomFlip


@says(
    "Map behind `batch`: the layer is then called once for a batch and not "
    "once for each picture, and still draws for each. (Not so `RandomCrop`, "
    "which draws one place for all; map it in front.)"
)
def test_a_batch_is_one_call() -> None:
    same = slices(tf.repeat(X[:1], 16, axis=0))
    for layer, one_draw in (
        (layers.RandomRotation(0.3, seed=0), False),
        (layers.RandomZoom(0.3, seed=0), False),
        (layers.RandomTranslation(0.3, 0.3, seed=0), False),
        (layers.RandomContrast(0.3, seed=0), False),
        (layers.RandomBrightness(0.3, seed=0), False),
        (layers.RandomCrop(4, 4, seed=0), True),
    ):
        found = [len(np.unique(x, axis=0)) for x in same.batch(16).map(layer)]
        assert (found == [1]) == one_draw, layer.name
        [row] = same.map(layer).batch(16)
        assert len(np.unique(row, axis=0)) > 4, layer.name
    for batch, calls in ((1, 8), (8, 1)):
        augment = flip(seed=0)
        data = slices(X).batch(batch).map(augment)
        rows = np.concatenate([changed(x, x * 1) for x in data])
        assert len(rows) == 8
        assert int(augment.variables[0].numpy()[1]) == calls
    assert 0 < sum(lines("each_epoch")[0]) < 8


@says(
    "`prefetch` prepares a batch while the step works on another one. With "
    "`num_parallel_calls=tf.data.AUTOTUNE` in `map` several batches are made "
    "at once, and then a seed no longer gives the same pictures in each run."
)
def test_who_draws_first_in_parallel() -> None:
    drawn = threading.Event()

    def before(number: Any) -> Any:
        if number == 0:
            drawn.wait(5)
        return number

    def after(number: Any) -> Any:
        if number == 1:
            drawn.set()
        return number

    def passes(calls: int | None) -> Any:
        augment = flip(seed=0)

        def wait(number: Any) -> Any:
            first = tf.py_function(before, [number], tf.int64)
            with tf.control_dependencies([first]):
                pictures = augment(tf.identity(X))
            with tf.control_dependencies([pictures]):
                last = tf.py_function(after, [number], tf.int64)
            with tf.control_dependencies([last]):
                return tf.identity(pictures)

        data = tf.data.Dataset.range(2)
        return [
            changed(x, X) for x in data.map(wait, num_parallel_calls=calls)
        ]

    drawn.set()
    usual = passes(None)
    assert np.array_equal(usual, passes(None))
    drawn.clear()
    other = passes(2)
    assert not np.array_equal(usual, other)
    assert np.array_equal(usual[0], other[1])
    assert BLOCKS["make_batches"].code.count("prefetch") == 1
    made = []

    def make(number: Any) -> Any:
        made.append(number)
        return number

    counted = tf.data.Dataset.range(5).map(
        lambda number: tf.py_function(make, [number], tf.int64)
    )
    next(iterator := iter(counted.prefetch(2)))
    deadline = time.monotonic() + 5
    while len(made) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(made) >= 3
    del iterator


@says(
    "Mind the range: `RandomBrightness` expects pictures from 0 to 255. For "
    "those from 0 to 1, say `value_range=(0, 1)`."
)
def test_the_range_of_brightness() -> None:
    wrong = layers.RandomBrightness(0.3, seed=0)(X)
    assert abs(wrong - X).numpy().max() > 1
    right = layers.RandomBrightness(0.3, value_range=(0, 1), seed=0)(X)
    assert 0 <= right.numpy().min() < right.numpy().max() <= 1
    assert abs(right - X).numpy().max() < 0.31


@says("**The check** is to ask twice.")
@says(
    "Training data are to differ, and by more than their order, validation "
    "data are not."
)
@says("Return whether two passes over batches of (x, y) give the same x.")
@says("Their order may be another.")
def test_the_check_asks_twice() -> None:
    pairs = slices((X, tf.range(8))).shuffle(8, seed=0).batch(3)
    first, again = (np.concatenate([y for _, y in pairs]) for _ in range(2))
    assert not np.array_equal(first, again)
    assert same_again(pairs)
    turn = flip(seed=0)
    assert not same_again(pairs.map(lambda x, y: (turn(x), y)))
    assert printed(NAME, "ask_again") == (
        "training data: False\nvalidation data: True"
    )


# 2. Imbalanced data


def shares(section: str) -> tuple[float, float, float]:
    """Return what a block tells: mean probability, recall, taken."""
    told = numbers(printed(NAME, section).partition("mean prob")[2])
    probability, recall, taken = told
    return probability, recall / 100, taken


@says("A tenth of these rows are ones.")
@says("Return numbers and labels, (rows, 1); a tenth are ones.")
@says("Zeros are normal around 0, ones around 2, both with a variance of 1.")
@says("Return a model whose logits are a line; it starts as x itself.")
@says("Return a step with Adam; it returns the loss of its batch.")
@says("Update the model on all batches of some epochs; return it.")
@says("Return the mean loss of rows; both are (batch, 1).")
@says("Print how sure the model is of ones, and whom it takes for one.")
@says("Imbalanced data: weigh or oversample the minority class")
def test_the_rows_and_the_model() -> None:
    x, y = (np.asarray(part) for part in make_rare(5000))
    assert y.mean() == pytest.approx(0.1, abs=0.02)
    for label in (0, 1):
        assert x[y == label].mean() == pytest.approx(2 * label, abs=0.15)
        assert x[y == label].var() == pytest.approx(1, abs=0.15)
    np.testing.assert_array_equal(make_line()(x), x)
    for name in ("make_step", "learn", "cross_entropy", "weighted", "tell"):
        assert name in BLOCKS
    assert "Adam(" in BLOCKS["make_step"].code


@says(
    "Accuracy says little here, for who never says one is right in nine of "
    "ten cases."
)
@says(
    "Ask for the mean probability, which should be the share of ones, and "
    "for the ones that are found, the *recall*."
)
@says("The probabilities are right on average, and half of the ones are")
def test_what_the_plain_model_misses() -> None:
    _, y = make_rare(5000)
    never = tf.keras.metrics.BinaryAccuracy()(y, tf.zeros_like(y))
    assert float(never) == pytest.approx(0.9, abs=0.02)
    share = numbers(printed(NAME, "plain"))[0]
    probability, recall, _ = shares("plain")
    assert probability == pytest.approx(share, abs=0.015)
    assert recall == pytest.approx(0.5, abs=0.05)


@says("Weighted binary crossentropy: `pos_weight`")
@says("`pos_weight` says how often a one counts.")
@says("Nine times makes up for its rarity.")
@says("Return the loss in which a one counts nine times.")
@says("More ones are found, at the price of zeros that are taken for ones.")
@says("`compile(loss=weighted)` takes the function, too.")
def test_a_one_counts_nine_times() -> None:
    zero, one = (tf.fill((1, 1), value) for value in (0.0, 1.0))
    logits = tf.constant([[0.4]])
    plain = [float(cross_entropy(y, logits)) for y in (zero, one)]
    more = [float(weighted(y, logits)) for y in (zero, one)]
    assert more == pytest.approx([plain[0], 9 * plain[1]])
    x, y = make_rare(5000)
    assert 9 * np.sum(y) == pytest.approx(np.sum(1 - y), rel=0.1)
    before, after = shares("plain"), shares("with_weight")
    assert after[1] > before[1] + 0.2
    assert after[2] > before[2] + 100
    model = make_line()
    model.compile("sgd", loss=weighted)
    found = model.evaluate(x, y, batch_size=5000, verbose=0)
    assert found == pytest.approx(float(weighted(y, model(x))), rel=1e-5)


@says("It wants *logits*, so the model must not end in a sigmoid.")
@says("Probabilities raise no error.")
@says(
    "Here is the loss of a zero, of a model that is sure that it is a one, "
    "and of one that is sure that it is none:"
)
@says("With probabilities the loss of a zero is never below 0.69.")
@says(
    "Nor should all logits be 0 at the start: there the gradient for a one "
    "comes out as 0 in TensorFlow 2.21, where it should be -4.5."
)
def test_probabilities_for_logits() -> None:
    [right, wrong], [none, least] = (
        numbers(line) for line in printed(NAME, "no_logits").split("\n")
    )
    assert right == pytest.approx(9, abs=0.01)
    assert none == pytest.approx(0, abs=0.01)
    assert wrong < 2
    assert least == pytest.approx(0.69)
    y = tf.zeros((1, 1))
    found = [float(weighted(y, tf.fill((1, 1), p / 10))) for p in range(11)]
    assert min(found) == pytest.approx(np.log(2), rel=1e-5)
    slopes = []
    for start in (-1e-3, 0.0, 1e-3):
        logits = tf.Variable([[start]])
        with tf.GradientTape() as tape:
            loss = weighted(tf.ones((1, 1)), logits)
        slopes.append(tape.gradient(loss, logits).numpy().item())
    assert slopes == pytest.approx([-4.5, 0.0, -4.5], abs=0.01)


@says("Or draw ones as often as zeros.")
@says("The ones ran out, and the rest are zeros.")
@says("So repeat each part, and say how long an epoch is.")
@says("Return batches with as many ones as zeros, on average.")
@says("Without `take` it never ends.")
@says("Oversample the minority class: `sample_from_datasets`")
def test_ones_as_often_as_zeros() -> None:
    [first], [again] = lines("run_out"), lines("resampled")[:1]
    assert len(first) == 10
    assert first[:2] == pytest.approx([50, 50], abs=10)
    assert first[3:] == [0] * 7
    assert again == pytest.approx([50] * 10, abs=15)
    repeated, taken = highlighted(BLOCKS["oversample"])
    assert ".repeat()" in repeated
    assert ".take(len(x))" in taken
    endless = tf.data.Dataset.sample_from_datasets(
        [slices([0]).repeat(), slices([1]).repeat()], [0.5, 0.5]
    )
    assert len(list(endless.take(999))) == 999
    x, y = make_rare(500)
    assert len(oversample(x, y, batch=100)) == 5


@says(
    "`stop_on_empty_dataset=True`, with zeros that are not repeated, ends an "
    "epoch when each zero was there once."
)
@says(
    "But it says that it does not end: its `cardinality` is -1, and `len` "
    "raises `The dataset is infinite`."
)
@says(
    "If you know the length, "
    "`data.apply(tf.data.experimental.assert_cardinality(n))` says it; an "
    "epoch raises if it was wrong."
)
def test_an_epoch_that_ends_with_the_zeros() -> None:
    zeros, ones = slices(-tf.range(1, 51)), slices([1, 2, 3]).repeat()
    data = tf.data.Dataset.sample_from_datasets(
        [zeros, ones], [0.5, 0.5], seed=0, stop_on_empty_dataset=True
    )
    rows = list(data.as_numpy_iterator())
    assert sorted(row for row in rows if row < 0) == list(range(-50, 0))
    assert int(data.cardinality()) == tf.data.INFINITE_CARDINALITY == -1
    with pytest.raises(TypeError, match="The dataset is infinite"):
        len(data)
    told = tf.data.experimental.assert_cardinality
    known = data.apply(told(len(rows)))
    assert len(known) == len(rows) == len(list(known))
    with pytest.raises(tf.errors.FailedPreconditionError):
        list(data.apply(told(len(rows) + 1)))


@says(
    "The model learned from data in which every second row is a one, so it "
    "says too often that something is one."
)
@says("Weights do the same.")
@says(
    "If you need probabilities, and not only an order, add a number to each "
    "logit: the logarithm of the true odds, minus that of the odds in "
    "training ([Saerens and others, 2002]"
    "(https://doi.org/10.1162/089976602753284446))."
)
@says("Return what to add to logits if ones are more or less frequent.")
@says("Now the probabilities are right again, and the model is about the")
@says(
    "The other way round, the plain model finds more ones if a logit above "
    "{{ shift:.2f }} is called a one."
)
@says("That needs no weights and no resampling.")
@says("Probabilities are too high after oversampling")
@says(
    "**The check** is that the mean probability is the share of ones, in "
    "validation data that were *not* resampled."
)
def test_probabilities_and_the_shift() -> None:
    share = numbers(printed(NAME, "plain"))[0]
    for section in ("with_weight", "resampled"):
        assert shares(section)[0] > 2 * share
    plain, mended = shares("plain"), shares("shifted")
    assert mended[0] == pytest.approx(share, abs=0.02)
    assert mended[1] == pytest.approx(plain[1], abs=0.05)
    assert mended[2] == pytest.approx(plain[2], abs=10)
    shift = prior_shift(0.1, 0.5)
    assert shift == pytest.approx(np.log(0.1 / 0.9) - np.log(0.5 / 0.5))
    x, y = make_rare(5000)
    data = slices((x, y)).batch(250)
    logits = learn(make_line(), cross_entropy, data, epochs=7)(x)
    for limit, due in ((0.0, 0.46), (shift, 0.84)):  # of two normals
        found = tf.reduce_mean(tf.cast(logits[y == 1] > limit, tf.float32))
        assert float(found) == pytest.approx(due, abs=0.08)


@says("Split before you oversample")
@says("A row that is there nine times ends up on both sides of a split.")
@says(
    "Split first, as `x` and `valid_x` were above, and resample the training "
    "part alone."
)
def test_a_split_behind_the_oversampling() -> None:
    assert numbers(printed(NAME, "leaked")) == [180, 180]
    code = BLOCKS["plain"].code
    assert "valid_x, valid_y = x[1000:], y[1000:]" in code
    assert "x, y = x[:1000], y[:1000]" in code
    assert "oversample(x, y" in BLOCKS["resampled"].code


# 3. Inputs and targets

PRICE = re.compile(r"mean (-?\d+), deviation (\d+)")


def spreads(section: str) -> list[tuple[int, int]]:
    """Return means and deviations, as a block prints them."""
    found = PRICE.findall(printed(NAME, section))
    return [(int(mean), int(std)) for mean, std in found]


@says("Areas of homes are to tell their prices.")
@says("Return areas in square metres and prices in euros, (rows, 1).")
@says("Return the layers as a model of one number.")
@says("Return the mean squared error of rows; both are (batch, 1).")
@says("Return the mean and the standard deviation of values as text.")
def test_homes_and_prices() -> None:
    x, y = make_homes(500)
    assert x.shape == y.shape == (500, 1)
    assert np.corrcoef(x[:, 0], y[:, 0])[0, 1] > 0.98
    assert make_priced(layers.Dense(1)).input_shape == (None, 1)
    assert float(squared(tf.zeros((2, 1)), tf.fill((2, 1), 3.0))) == 9
    with pytest.raises(ValueError, match="incompatible"):
        squared(tf.zeros(2), tf.zeros((2, 1)))
    assert spread(tf.constant([[1.0], [3.0]])) == "mean 2, deviation 1"


@says(
    "A `Normalization` layer subtracts a mean and divides by a deviation. "
    "Which ones, it learns in `adapt`, from an array or from batches, of "
    "pairs too, for each column. So of an array that is a vector it makes "
    "zeros."
)
@says("Before `adapt` it passes on what it gets, without a word.")
@says(
    "(In a `map` such a layer, if it was never called, raises "
    "`'SymbolicTensor' object has no attribute '_datatype_enum'`.)"
)
@says("`adapt` is no part of training: no step calls it, and `fit` does not")
def test_a_layer_that_was_not_adapted(
    recwarn: pytest.WarningsRecorder,
) -> None:
    before, after = spreads("not_adapted")
    assert before == (98, 25)
    assert after == (0, 1)
    x, y = make_homes(100)
    fresh = layers.Normalization()
    np.testing.assert_array_equal(fresh(x), x)
    model = make_priced(fresh, layers.Dense(1))
    model.compile("sgd", "mse")
    model.fit(x, x * 0, verbose=0)
    np.testing.assert_array_equal(fresh(x), x)
    assert not [note for note in recwarn if "adapt" in str(note.message)]
    m = float(tf.reduce_mean(x))
    due = (x - m) / tf.math.reduce_std(x)
    for told in (x, x.numpy(), slices(x).batch(9), slices((x, y)).batch(9)):
        layer = layers.Normalization()
        layer.adapt(told)
        np.testing.assert_allclose(layer(x), due, atol=1e-4)
    layer = layers.Normalization()
    layer.adapt(x[:, 0].numpy())
    assert not layer(x[:, 0]).numpy().any()
    layer = layers.Normalization()
    layer.adapt(tf.concat([x, 2 * x + 1], 1))
    np.testing.assert_allclose(layer.mean, [[m, 2 * m + 1]], rtol=1e-4)
    with pytest.raises(AttributeError, match="'SymbolicTensor' object has no"):
        slices(x).batch(9).map(layers.Normalization())


@says("And it has to come first.")
@says("The graph that `predict` made holds the numbers of then.")
@says("That of your own step does, too.")
@says(
    "So adapt before you compile, call or train anything, and to training "
    "data alone, or it is a [leak](real_problem.md#standardise-without-a-"
    "leak)."
)
@says(
    "**The check** is the mean and the deviation of what the layer returns "
    "for the training data: 0 and 1."
)
@says("What was learned is saved with the weights of the model.")
def test_adapted_too_late() -> None:
    predicted, called = spreads("too_late")
    assert predicted == (98, 25)
    assert called == spreads("in_time")[0] == (0, 1)
    assert highlighted(BLOCKS["in_time"]) == ["normalize.adapt(x)"]
    x, _ = make_homes(100)
    normalize = layers.Normalization()
    model = make_priced(normalize)
    step = tf.function(lambda x: model(x, training=True))
    step(x)
    normalize.adapt(x)
    np.testing.assert_array_equal(step(x), x)
    assert spread(model(x)) == "mean 0, deviation 1"
    model.save_weights("model.weights.h5")
    other = make_priced(layers.Normalization())
    other.load_weights("model.weights.h5")
    np.testing.assert_array_equal(other(x), model(x))


@says("Now train on prices as they are.")
@says("The regression loss is huge, all predictions are the same value")
@says("A hundred steps, and the predictions are all near zero.")
@says(
    "Adam moves a weight by about its learning rate in each step, here 0.2, "
    "however large the error."
)
@says("At that pace the way to such a mean takes more than a million steps.")
@says(
    "`SGD` follows the error, and a network with a hidden layer is soon NaN."
)
def test_targets_that_are_large() -> None:
    y, predictions = spreads("large_targets")
    assert max(predictions) < 30 < 1000 < min(y)
    assert y[0] / 0.2 > 1e6
    assert "Adam(0.2)" in BLOCKS["make_step"].code
    x, y = make_homes(200)
    assert float(squared(y, tf.zeros_like(y))) > 1e10
    normalize = layers.Normalization()
    normalize.adapt(x)
    for factor in (1.0, 1e-3):
        model = make_priced(normalize, layers.Dense(1))
        data = slices((x, y * factor)).batch(200)
        learn(model, squared, data, epochs=10)
        assert model.weights[-1].numpy()[0] == pytest.approx(2, rel=0.02)
    hidden = layers.Dense(16, "relu"), layers.Dense(1)
    model = make_priced(normalize, *hidden)
    model.compile(tf.keras.optimizers.SGD(0.01), "mse")
    seen = model.fit(x, y, epochs=5, batch_size=50, verbose=0)
    assert np.isnan(seen.history["loss"][-1])


@says("Train on targets with mean 0 and deviation 1, and scale the")
@says(
    "Keep `mean` and `std`, of training data alone, with the model: whoever "
    "predicts needs them."
)
@says("An error is scaled back, too.")
@says("Its root is in units of `std`:")
@says("Or let the model do it.")
@says(
    "As last layer, `Normalization(invert=True)` takes its numbers along "
    "wherever the model goes."
)
@says(
    '(In half precision say `dtype="float32"` to it, or large targets '
    "overflow.)"
)
@says("This loss is in squared euros, which Adam does not mind.")
def test_targets_that_are_scaled() -> None:
    x, y = make_homes(200)
    [due] = spreads("large_targets")[:1]
    for section in ("scaled_targets", "unscaled_by_layer"):
        [found] = spreads(section)
        assert found == pytest.approx(due, rel=0.02)
    euros, same = (
        numbers(line)[0]
        for line in printed(NAME, "scaled_back").split("\n")[1:]
    )
    assert euros == same == pytest.approx(10_000, rel=0.05)
    prices = layers.Normalization(invert=True)
    prices.adapt(y)
    mean, std = tf.reduce_mean(y), tf.math.reduce_std(y)
    np.testing.assert_allclose(prices(x), mean + std * x, rtol=1e-4)
    half, whole = (
        layers.Normalization(invert=True, dtype=dtype)
        for dtype in ("mixed_float16", "float32")
    )
    for layer in (half, whole):
        layer.adapt(y)
    scaled = tf.ones((1, 1), tf.float16)
    assert np.isinf(half(scaled))
    np.testing.assert_allclose(whole(scaled), [[mean + std]], rtol=1e-4)
    model = make_priced(layers.Dense(1), prices)
    model.save("model.keras")
    loaded = tf.keras.models.load_model("model.keras")
    np.testing.assert_allclose(loaded(x), model(x), rtol=1e-6)


# 4. Rows without labels


@says("Semi-supervised: labelled and unlabelled data in one step")
@says(
    "Of two clusters of points, two points have a label, and both lie "
    "somewhat aside."
)
@says("Return points, (rows, 2), and labels, (rows, 1), of two clusters.")
@says("They are 4 apart in the first number and wide in the second.")
@says("Return a linear model of two numbers that starts with zeros.")
@says("Return a model trained on batches of ((x, y), unlabelled).")
@says("Return a step for labelled and unlabelled rows; share weighs these.")
def test_clusters_and_their_model() -> None:
    x, y = (np.asarray(part) for part in make_clusters(2000))
    assert x.shape == (2000, 2)
    assert y.shape == (2000, 1)
    zero, one = (x[y[:, 0] == label] for label in (0, 1))
    assert one.mean(0) - zero.mean(0) == pytest.approx([4, 0], abs=0.3)
    assert zero.std(0)[1] > 3 * zero.std(0)[0]
    assert not np.any(make_flat()(x))
    left = ran("data_for_a_loop_unlabelled", "few_labels")
    aside = np.abs(left["x"].numpy() - [[-2, 0], [2, 0]])
    assert np.all(aside[:, 1] > 2)
    assert len(left["y"]) == 2


@says("A step needs both kinds of rows, so pair their batches with `zip`.")
@says("It ends with the shorter one; let the labelled rows repeat.")
def test_a_zip_ends_with_the_shorter_one() -> None:
    assert printed(NAME, "few_labels") == "batches: 1\nbatches: 10"
    few, many = slices(tf.range(2)), slices(tf.range(5))
    zipped = tf.data.Dataset.zip
    assert len(zipped((few, many))) == len(zipped((many, few))) == 2
    assert len(zipped((few.repeat(), many))) == 5


@says("The loss has two terms.")
@says(
    "The second compares the model with itself, where it is sure: its own "
    "answers are the *pseudo labels* (as in "
    "[FixMatch](https://arxiv.org/abs/2001.07685), which augments each row in "
    "two ways)."
)
@says("Return the mean loss against what the model is sure of itself.")
@says("Takes logits (batch, 1). A row below 90 % counts as 0.")
def test_a_model_against_itself() -> None:
    logits = tf.constant([[-3.0], [2.0], [-2.0], [4.0]])  # 2: 88 %
    due = (np.log(1 + np.exp(-3)) + np.log(1 + np.exp(-4))) / 4
    assert float(unlabelled_loss(logits)) == pytest.approx(due, rel=1e-5)
    x, y = tf.constant([[1.0, 2.0]]), tf.constant([[1.0]])
    losses = []
    for share in (0.0, 1.0):
        model = make_flat()
        model.set_weights([np.ones((2, 1)), np.zeros(1)])
        losses.append(float(make_joint_step(model, share)(x, y, x)))
    assert losses[1] == pytest.approx(2 * losses[0], rel=1e-5)


@says("Train with the labels alone, and with both.")
@says("The border moved to where few points are.")
@says(
    "That helps if the classes *are* clusters; otherwise a model confirms "
    "its own errors."
)
def test_what_the_unlabelled_rows_do() -> None:
    alone, both = (
        numbers(line)[1]
        for line in printed(NAME, "learn_from_both").split("\n")
    )
    assert both > alone + 5
    rows, _ = make_clusters(500)
    labels = tf.cast(rows[:, 1:] > 0, tf.float32)  # no clusters of these
    flat = make_flat()
    flat.set_weights([np.array([[3.0], [0.5]]), np.zeros(1)])
    right, sure = [], []
    step = make_joint_step(flat, 1.0)
    for _ in range(50):
        found = (flat(rows) > 0) == (labels > 0.5)
        right.append(float(tf.reduce_mean(tf.cast(found, tf.float32))))
        sure.append(float(tf.reduce_mean(tf.abs(flat(rows)))))
        step(rows[:1] * 0, labels[:1], rows)
    assert max(right) < 0.8
    assert sure[-1] > sure[0]


@says(
    "Labels of 0 and 1, as above, have no gradient in any case. Probabilities "
    "have one:"
)
@says("Pseudo labels and `tf.stop_gradient`")
@says("A label is what a prediction is moved to, and not the other way round.")
@says("**The check**: a prediction that is compared with itself has gradient")
def test_the_gradient_of_a_label() -> None:
    loose, stopped = (
        numbers(line)[0] for line in printed(NAME, "soft_labels").split("\n")
    )
    assert loose != 0
    assert stopped == 0
    logits = tf.Variable([[0.7]])
    with tf.GradientTape() as tape:
        p = tf.sigmoid(logits)
        total = tf.reduce_sum(tf.cast(p > 0.5, tf.float32))
    assert tape.gradient(total, logits) is None


@says("In `fit`, rows without outputs cannot have a compiled loss:")
@says("train_step without y: None values not supported")
@says("What the dataset yields arrives in `train_step` as it is.")
@says("A model for fit on batches of ((x, y), unlabelled).")
@says("Update the weights; return the sum of both losses.")
@says("`total` is a name of our own.")
@says(
    "A `loss` that is returned alone Keras replaces with the mean that it "
    "keeps itself, here of nothing, and logs 0.0."
)
@says("`validation_data` are pairs as ever, if a loss is compiled as well.")
def test_both_kinds_of_rows_in_fit() -> None:
    shown = printed(NAME, "no_target")
    assert shown == "ValueError: None values not supported."
    by_hand = numbers(printed(NAME, "learn_from_both").split("\n")[1])[1]
    assert numbers(printed(NAME, "joint_fit")) == [by_hand]
    x, y = make_clusters(20)
    flat = make_flat()
    joint = Joint(flat.inputs, flat.outputs)
    loss = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    joint.compile("sgd", loss)
    data = tf.data.Dataset.zip((slices((x, y)).batch(10), slices(x).batch(10)))
    pairs = slices((x, y)).batch(10)
    seen = joint.fit(data, validation_data=pairs, shuffle=False, verbose=0)
    due = loss(y, joint(x))
    assert seen.history["val_loss"][0] == pytest.approx(float(due), rel=1e-4)
    assert seen.history["total"][0] > 0.1

    class Renamed(Joint):
        def train_step(self, data: Any) -> dict[str, Any]:
            return {"loss": super().train_step(data)["total"]}

    renamed = Renamed(flat.inputs, flat.outputs)
    renamed.compile("sgd")
    wrong = renamed.fit(data, shuffle=False, verbose=0)
    assert wrong.history["loss"] == [0.0]

    class Both(Joint):
        def train_step(self, data: Any) -> dict[str, Any]:
            logs = super().train_step(data)
            return {"loss": logs["total"], **logs}

    both = Both(flat.inputs, flat.outputs)
    both.compile("sgd")
    right = both.fit(data, shuffle=False, verbose=0).history
    assert right["loss"] == right["total"] != [0.0]


# 5. Mixup


@says("Mixup and CutMix: labels that are mixed")
@says(
    "Mixup ([Zhang and others, 2017](https://arxiv.org/abs/1710.09412)) adds "
    "to a row a part of another one, and to its label the same part of the "
    "other label."
)
@says("Return share of each row, and for the rest another row of the batch.")
@says("Takes floats, y one-hot; share is a number from 0 to 1.")
@says("A label is now a row of shares.")
def test_rows_and_labels_are_mixed_alike() -> None:
    x, y = tf.range(4.0)[:, tf.newaxis], tf.one_hot(tf.range(4), 4)
    mixed, labels = mix(x, y, tf.constant(0.75), seed=(0, 0))
    np.testing.assert_allclose(labels @ x, mixed, rtol=1e-6)
    np.testing.assert_allclose(tf.reduce_sum(labels, axis=1), 1)
    assert float(tf.reduce_max(tf.linalg.diag_part(labels))) < 1.01
    assert float(tf.reduce_min(tf.linalg.diag_part(labels))) == 0.75
    shown = [
        numbers(line)[1:] for line in printed(NAME, "mixed_labels").split("\n")
    ]
    assert all(sum(label) == pytest.approx(1) for label in shown)
    assert any(0 < part < 1 for label in shown for part in label)


@says(
    "Hand in another `share` and another `seed` for each batch, and tensors "
    "for both if a `tf.function` takes them: of Python numbers each new one "
    "is [traced](traps.md#8-a-number-frozen-in-a-graph)."
)
def test_python_numbers_are_traced() -> None:
    x, y = tf.ones((4, 1)), tf.one_hot([0, 1, 2, 0], 3)
    for hand_in, count in ((lambda number: number, 3), (tf.constant, 1)):
        compiled = tf.function(mix)
        for number in range(3):
            share = hand_in(0.25 * number)
            compiled(x, y, share, hand_in((0, number)))
        assert compiled.experimental_get_tracing_count() == count


@says("The number of a class cannot say that.")
@says("Labels of classes 0 and 1, mixed to 0.3, are cut off in silence:")
def test_a_class_between_two() -> None:
    losses = [
        numbers(line)[1] for line in printed(NAME, "cut_off").split("\n")
    ]
    assert losses[0] == losses[1] == losses[2] < losses[3]
    p, error = tf.constant([[0.9, 0.1]]), "sparse_categorical_crossentropy"
    loss = tf.keras.losses.get(error)
    assert float(loss(tf.constant([0.3]), p)[0]) == pytest.approx(-np.log(0.9))
    kept = tf.keras.losses.SparseCategoricalCrossentropy()
    assert float(kept(tf.constant([1.9]), p)) == pytest.approx(-np.log(0.1))


@says(
    "So make labels one-hot and floats, and take a categorical cross-entropy."
)
@says(
    "The least loss, where the probabilities are the shares, is no longer 0."
)
@says(
    "And `CategoricalAccuracy` compares with the larger share only; read the "
    "accuracy of validation data, which are not mixed."
)
def test_the_loss_of_shares() -> None:
    told = [numbers(line) for line in printed(NAME, "mixed_loss").split("\n")]
    assert [row[2] for row in told][-1] == min(row[2] for row in told) > 0
    y, soft = (
        tf.constant([[0.7, 0.3]]),
        tf.keras.losses.CategoricalCrossentropy(),
    )
    due = -(0.7 * np.log(0.7) + 0.3 * np.log(0.3))
    assert float(soft(y, y)) == pytest.approx(due, rel=1e-5)
    for p in np.linspace(0.05, 0.95, 19):
        assert soft(y, tf.constant([[p, 1 - p]], tf.float32)) >= due - 1e-6
    for p, right in ((0.6, 1.0), (0.4, 0.0)):
        metric = tf.keras.metrics.CategoricalAccuracy()
        assert float(metric(y, tf.constant([[p, 1 - p]]))) == right


@says("The layer draws the shares itself, and wants a dictionary of batches.")
@says("Classes as numbers raise no error in a `map`:")
@says("One label for each of four pictures has become four.")
@says("`CutMix`, which pastes a part of another picture, takes the same.")
@says(
    "Map both behind `batch`, for a picture alone finds no other to mix with."
)
@says("Like all layers that augment they do so unless told `training=False`.")
@says("**The check** is that each label still adds up to 1.")
@pytest.mark.parametrize("kind", [layers.MixUp, layers.CutMix])
def test_layers_that_mix(kind: Any) -> None:
    assert printed(NAME, "numbers_of_classes") == "labels: (4, 4)"
    assert printed(NAME, "by_layer").startswith("labels: (4, 3)")
    labels = tf.one_hot(tf.range(8) % 3, 3)
    layer = kind(seed=0)
    both = {"images": X, "labels": labels}
    for mixed in slices(both).batch(8).map(layer):
        found = mixed["labels"]
        np.testing.assert_allclose(tf.reduce_sum(found, axis=1), 1, atol=1e-5)
        assert not np.allclose(found, labels)
        assert len(np.unique(np.max(found, axis=1))) > 2
        assert changed(mixed["images"], X).any()
    if kind is layers.CutMix:
        parts = np.isclose(mixed["images"], X).mean(axis=(1, 2, 3))
        kept = tf.reduce_sum(found * labels, axis=1).numpy()
        assert np.all(parts[kept < 0.999] >= kept[kept < 0.999] - 0.01)
    for alone in slices(both).map(layer).batch(8):
        np.testing.assert_allclose(alone["images"], X, atol=1e-6)
        np.testing.assert_allclose(alone["labels"], labels, atol=1e-6)
    still = layer(both, training=False)
    assert not changed(still["images"], X).any()
    with pytest.raises(Exception, match="Shapes of all inputs must match"):
        layer((X, labels), training=True)


# Exercises


@says(
    "`RandomRotation(0.1)` turns by up to a tenth of a full turn, in either "
    "direction, and `RandomTranslation(0.1, 0.1)` shifts by up to a tenth of "
    "height and width."
)
@says('What comes in at the edges is mirrored (`fill_mode="reflect"`).')
@says("A list of layers in `keras.layers.Pipeline` is one layer.")
def test_turns_and_shifts() -> None:
    rows = tf.zeros((500, 8, 8, 1))
    turn = layers.RandomRotation(0.1, seed=0)
    angles = turn.get_random_transformation(rows, training=True)["angle"]
    assert np.abs(angles).max() <= 36
    assert np.max(angles) > 30
    assert np.min(angles) < -30
    shift = layers.RandomTranslation(0.1, 0.1, seed=0)
    assert turn.fill_mode == shift.fill_mode == "reflect"
    moved = shift.get_random_transformation(rows, training=True)
    assert 0.75 < np.abs(moved["translations"]).max() <= 0.1 * 8
    both = layers.Pipeline([turn, shift])
    assert isinstance(both, layers.Layer)
    assert both(X).shape == X.shape


@says(
    "Mirror pictures with `tf.image.stateless_random_flip_left_right`, which "
    "takes its seed as an argument."
)
@says("The options are those of tf.data.Dataset.random.")
@says("Return single pictures, each flipped or not by a number of its own.")
def test_flips_by_numbers() -> None:
    still, again = lines("by_numbers")[1:3], lines("by_numbers")[4:]
    assert still[0] == still[1]
    assert again[0] != again[1]
    with pytest.raises(TypeError, match="unexpected keyword"):
        flip_each(slices(X), no_option=True)
    flipped = tf.image.stateless_random_flip_left_right
    one, other = (flipped(X[0], (0, 3)) for _ in range(2))
    np.testing.assert_array_equal(one, other)


# A class without a weight


class Given(tf.keras.Model):
    """A model that learns nothing and notes what its step is given."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[Any] = []
        self.compile(run_eagerly=True)

    def train_step(self, data: Any) -> dict[str, float]:
        self.given.append([np.array(part) for part in data])
        return {"loss": 0.0}

    def rows(self, epochs: int) -> list[list[list[int]]]:
        """Return the rows of each batch of each epoch."""
        batches = [part[0][:, 0].astype(int).tolist() for part in self.given]
        size = len(batches) // epochs
        starts = range(0, len(batches), size)
        return [batches[start : start + size] for start in starts]


LABELS = np.array([0, 0, 0, 0, 1, 1, 2])
ROWS = np.zeros((7, 1), "float32")


def weights_in_fit(*data: Any, **options: Any) -> list[float]:
    """Return the weights of the rows that fit hands to a step."""
    model = Given()
    model.fit(*data, shuffle=False, verbose=0, **options)
    return [*map(float, model.given[0][2])]


@says("indices[6] = 2 is not in [0, 2): class_weight with a class missing")
@says("`class_weight` of `fit` names a weight for the number of each class.")
@says(
    "Here are seven rows of three classes. The loss of each is 1.10, for this "
    "model knows nothing, and its optimizer stands still."
)
@says(
    "The class that the second dictionary leaves out counts 1, without a "
    "word. The third has names for keys, and so every row counts 1."
)
@says("A dataset complains, if it is the last class that is missing:")
@says(
    "So it does if labels count from 1 and weights from 0. An earlier class "
    "counts 1 there, too."
)
@says(
    "With a Python generator `class_weight` is refused: yield the weights as "
    "a third part."
)
def test_a_class_without_a_weight() -> None:
    told = printed(NAME, "class_missing").splitlines()
    losses = [numbers(line)[-1] for line in told]
    each = np.log(3)
    assert each == pytest.approx(1.10, abs=0.005)
    for loss, total in zip(losses, (4 + 3 * 9, 4 + 2 * 9 + 1, 7), strict=True):
        assert loss == pytest.approx(each * total / 7, abs=0.006)
    short = {0: 1.0, 1: 9.0}
    due = [1, 1, 1, 1, 9, 9, 1]
    assert weights_in_fit(ROWS, LABELS, class_weight=short) == due
    named = {"one": 9.0, "two": 9.0}
    assert weights_in_fit(ROWS, LABELS, class_weight=named) == [1.0] * 7
    said = printed(NAME, "class_refused")
    assert said == "InvalidArgumentError: indices[6] = 2 is not in [0, 2)"
    data = slices((ROWS, LABELS)).batch(7)
    with pytest.raises(tf.errors.InvalidArgumentError, match="is not in"):
        weights_in_fit(data, class_weight=short)
    middle = {0: 1.0, 2: 9.0}
    due = [1, 1, 1, 1, 1, 1, 9]
    assert weights_in_fit(data, class_weight=middle) == due
    from_one = slices((ROWS, LABELS + 1)).batch(7)
    whole = {0: 1.0, 1: 9.0, 2: 9.0}
    assert weights_in_fit(data, class_weight=whole)[-1] == 9
    with pytest.raises(tf.errors.InvalidArgumentError, match="= 3 is not in"):
        weights_in_fit(from_one, class_weight=whole)
    alike = {label + 1: weight for label, weight in whole.items()}
    due = [1, 1, 1, 1, 9, 9, 9]
    assert weights_in_fit(from_one, class_weight=alike) == due

    def generate(*parts: Any) -> Iterator[Any]:
        while True:
            yield (ROWS, LABELS, *parts)

    with pytest.raises(ValueError, match="not supported for Python gen"):
        weights_in_fit(generate(), class_weight=whole, steps_per_epoch=1)
    third = np.arange(7.0)
    found = weights_in_fit(generate(third), steps_per_epoch=1)
    assert found == third.tolist()


@says("Make the dictionary from the labels.")
@says(
    "These weights are 1 on average over the rows: the loss of a model that "
    "knows nothing stays as it was."
)
@says("**The check** is `assert set(np.unique(y)) <= set(weights)`.")
@says(
    "For one-hot labels, write `np.argmax(y, -1)` in both, for their numbers "
    "are 0 and 1 alone."
)
def test_balanced_weights() -> None:
    names = ran("data_for_a_loop_imbalance", "class_missing", "class_refused")
    before = ran("data_for_a_loop_imbalance", "class_balanced", **names)
    weights = before["weights"]
    assert np.mean([weights[label] for label in LABELS]) == pytest.approx(1.0)
    model, data = before["model"], before["data"]
    history = model.fit(
        data, class_weight=weights, shuffle=False, verbose=0
    ).history
    assert history["loss"][0] == pytest.approx(np.log(3), rel=1e-5)
    short = {0: 1.0, 1: 9.0}
    for fits, given in ((True, weights), (False, short)):
        assert (set(np.unique(LABELS)) <= set(given)) == fits
    one_hot = np.eye(3, dtype="float32")[LABELS]
    assert set(np.unique(one_hot)) <= set(short)
    assert weights_in_fit(ROWS, one_hot, class_weight=short)[-1] == 1
    assert np.argmax(one_hot, -1).tolist() == LABELS.tolist()
    with pytest.raises(ValueError, match="too deep"):
        np.bincount(one_hot.astype(int), minlength=3)
    given = weights_in_fit(ROWS, one_hot, class_weight=weights)
    assert given == pytest.approx([weights[label] for label in LABELS])


# 6. Data larger than memory


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with twelve rows, 0 to 11."""
    path = tmp_path / "x.npy"
    np.save(path, np.arange(12, dtype="float32")[:, np.newaxis])
    return path


ZEROS = np.zeros((12, 1), "float32")


@says(
    "NumPy can leave an array in its file, and read only what you take out of "
    "it. The rows of this small one are 0 to 11."
)
@says("Yield batches of (x, y) in a new order; read no more than a batch.")
@says(
    "Each epoch has all rows, in an order of its own, and no more than a "
    "batch is in memory."
)
@says(
    "The rows of a batch are read in the order of the file, which `h5py` "
    "insists on: `Indexing elements must be in increasing order`."
)
@says(
    "(To write a file that is too large for memory, make it with "
    '`np.lib.format.open_memmap("x.npy", "w+", "float32", shape)` and fill '
    "it part by part.)"
)
def test_rows_are_read_from_a_file(tmp_path: Path, file: Path) -> None:
    epochs = [row[:] for row in lines("from_file")]
    assert [sorted(row) for row in epochs] == [[*range(12)]] * 2
    assert epochs[0] != epochs[1]
    x = np.load(file, mmap_mode="r")
    assert isinstance(x, np.memmap)
    np.load(file, mmap_mode="r+")[3] = 100
    assert x[3] == 100
    taken = []

    class Taken:
        def __len__(self) -> int:
            return 12

        def __getitem__(self, rows: np.ndarray) -> np.ndarray:
            taken.append(rows.tolist())
            return np.array(x[rows])

    for _ in draw_batches(Taken(), ZEROS, 5, np.random.default_rng(0)):  # type: ignore[arg-type]
        pass
    assert [len(rows) for rows in taken] == [5, 5, 2]
    assert all(rows == sorted(rows) for rows in taken)
    with h5py.File(tmp_path / "x.h5", "w") as whole:
        whole["x"] = np.arange(12.0)
        with pytest.raises(TypeError, match="must be in increasing order"):
            whole["x"][[3, 1]]
        assert whole["x"][[1, 3]].tolist() == [1, 3]
    path = str(tmp_path / "y.npy")
    made = np.lib.format.open_memmap(path, "w+", "float32", (6, 2))
    for part in range(3):
        made[2 * part : 2 * part + 2] = part
    made.flush()
    np.testing.assert_array_equal(np.load(path)[:, 1], [0, 0, 1, 1, 2, 2])


@says(
    "Do not hand `x` itself to `fit`, to `from_tensor_slices` or to "
    "`tf.constant`."
)
@says("All three copy the whole of it into memory first.")
def test_what_copies_a_whole_file(file: Path) -> None:
    x, written = np.load(file, mmap_mode="r"), np.load(file, mmap_mode="r+")
    constant, data = tf.constant(x), slices(x)
    model, beside = Given(), Given()

    def write(epoch: int, logs: Any) -> None:
        written[:] = 50

    change = tf.keras.callbacks.LambdaCallback(on_epoch_begin=write)
    options = {"callbacks": [change], "shuffle": False, "verbose": 0}
    model.fit(x, ZEROS, batch_size=4, epochs=2, **options)
    assert (x == 50).all()
    assert model.rows(2)[1] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert constant[:, 0].numpy().tolist() == [*range(12)]
    assert [int(row[0]) for row in data] == [*range(12)]
    beside.fit(Rows(x, ZEROS, batch=4), epochs=2, **options)
    assert beside.rows(2)[1] == [[50] * 4] * 3


@says("As a dataset such batches begin again by themselves.")
@says("The same order in every epoch: a seed in a generator")
@says(
    "`from_generator` calls its function in each epoch. What has its seed in "
    "there draws the same each time, be it an order or an augmentation."
)
@says("Make the generator of random numbers once, outside.")
@says(
    "Each walk through the data moves it on, so give training and validation "
    "data one each."
)
@says(
    "And name the axes in the signature: with `tf.TensorSpec(None)` a "
    "compiled step knows no shapes, so it cannot check them: "
    "[`weighted_loss`](weights_outputs_losses.md#sample-weights-in-a-custom-"
    "loop) refuses them."
)
def test_seeds_in_and_outside_of_a_generator() -> None:
    first, second = lines("same_order")
    assert first == second
    first, second = lines("new_order")
    assert first != second
    assert sorted(first) == sorted(second) == [*range(12)]
    for section, line in (("same_order", 0), ("new_order", 1)):
        assert "rng" in highlighted(BLOCKS[section])[line]
    calls = []

    def once(shape: tf.TensorSpec) -> Any:
        def make() -> Iterator[Any]:
            calls.append(1)
            labels = np.eye(3, 1, dtype="float32")
            yield labels, labels, np.arange(3, dtype="float32")

        return tf.data.Dataset.from_generator(
            make, output_signature=(shape, shape, tf.TensorSpec(None))
        )

    unknown = once(tf.TensorSpec(None))
    for _ in range(3):
        assert len(list(unknown)) == 1
    assert len(calls) == 3
    compiled: Callable[..., Any] = tf.function(weighted_loss)
    for y, logits, weights in unknown:
        with pytest.raises(ValueError, match="weights"):
            weighted_loss(y, logits, weights)
    with pytest.raises(ValueError, match="losses <unknown>, weights <unkn"):
        unknown.map(weighted_loss)
    known = tf.TensorSpec((None, 1)), tf.TensorSpec((None,))
    signature = (known[0], known[0], known[1])
    with pytest.raises(ValueError, match=r"losses \(None, 1\), weights \(N"):
        tf.function(compiled, input_signature=signature)(y, logits, weights)


@says(
    "A `PyDataset`, called `Sequence` before, makes a batch when it is asked "
    "for its number."
)
@says("Print the first number of each row, batch by batch.")
@says("Print the first number of each row of the batch.")
@says("Print the rows of each batch that fit trains on, an epoch a line.")
@says("Draw a new order of the rows.")
@says("Batches of (x, y) for fit; fit draws the order of the batches.")
@says("A model that prints what it is given shows what `fit` makes of that.")
@says("A model that learns nothing and prints the rows that it is given.")
@says(
    "`fit` shuffles the batches, by Python's `random`, and not the rows: the "
    "same rows come together in every epoch, and in sorted data they are all "
    "of one kind."
)
@says("So draw a new order between epochs.")
@says("The same, but other rows come together in each epoch.")
@says("A PyDataset for fit, and what is shuffled")
def test_what_fit_shuffles() -> None:
    assert tf.keras.utils.Sequence is tf.keras.utils.PyDataset
    together, orders = [], []
    for section in ("same_company", "new_company"):
        told = printed(NAME, section).splitlines()
        epochs = [re.findall(r"\[ ?(.+?)\]", line) for line in told]
        assert [len(batches) for batches in epochs] == [3] * 3
        for batches in epochs:
            rows = sorted(int(row) for part in batches for row in part.split())
            assert rows == [*range(12)]
        together.append(len({frozenset(batches) for batches in epochs}))
        orders.append(len({tuple(batches) for batches in epochs}))
    assert together == [1, 3]
    assert orders[0] > 1
    found = []
    for seed in (1, 1, 2):
        random.seed(seed)
        model = Given()
        model.fit(Rows(ROWS + np.c_[:7], ROWS, 1), epochs=1, verbose=0)
        found.append(model.rows(1))
    assert found[0] == found[1] != found[2]
    kinds = np.arange(12) // 4
    for part, _ in (Rows(kinds[:, np.newaxis], ZEROS, 4)[k] for k in range(3)):
        assert len(np.unique(part)) == 1


@says(
    "`fit` calls `on_epoch_end` before the first epoch as well, and with "
    "`shuffle=False`, too."
)
@says(
    "Nor is each batch asked for once: before it trains, `fit` asks for the "
    "first two, to see their shapes."
)
@says("So make a batch from its number, and not with `next`.")
@says(
    "`predict` calls `on_epoch_end` as well: of a `Shuffled`, it returns the "
    "next predictions in another order than the labels. Hand it `Rows`."
)
def test_when_fit_asks() -> None:
    events: list[Any] = []

    class Asked(Shuffled):
        def __getitem__(self, number: int) -> Any:
            events.append(number)
            return super().__getitem__(number)

        def on_epoch_end(self) -> None:
            events.append("end")
            super().on_epoch_end()

    for shuffle in (True, False):
        events.clear()
        data = Asked(ROWS, ROWS, batch=2)
        Given().fit(data, epochs=2, shuffle=shuffle, verbose=0)
        assert events[:3] == [0, 1, "end"]
        asked = [event for event in events[3:] if event != "end"]
        assert sorted(asked[:4]) == sorted(asked[4:]) == [0, 1, 2, 3]
        assert events.count("end") == 3
        if not shuffle:
            assert asked[:4] == [0, 1, 2, 3]
            assert not np.array_equal(data.order, np.arange(7))
    x = np.arange(7.0)[:, np.newaxis]
    same = tf.keras.Sequential([layers.Activation("linear")])
    for kind in (Rows, Shuffled):
        data = kind(x, x, batch=2)
        first, second = (same.predict(data, verbose=0) for _ in range(2))
        np.testing.assert_array_equal(first, x)
        assert np.array_equal(second, x) == (kind is Rows)


@says("use_multiprocessing: the same random numbers in every epoch")
@says(
    "With `workers=2` two threads make the batches of `fit`, and with "
    "`use_multiprocessing=True` two processes do."
)
@says("(A loop of your own has no such help.)")
@says(
    "A program with processes is a file, which this page's program writes to "
    "`noise.py`."
)
@says("Four batches of one random number each, all from one generator.")
@says("The same, but each batch of each epoch has a seed of its own.")
@says("A model that learns nothing and notes the numbers that it is given.")
@says("Note the number in the batch.")
@says("Count the epochs.")
@says(
    "The process is a copy of yours, made when the epoch begins, and so is "
    "its generator of random numbers."
)
@says(
    "(So it is on Linux before Python 3.14; elsewhere it reads the file anew.)"
)
@says("What it has drawn is forgotten with it.")
@says(
    "So every epoch has the same noise, and of two processes each begins with "
    "the same numbers."
)
@says(
    "`Seeded` makes a seed of the epoch and the number of the batch; "
    "`on_epoch_end` runs in your own process, before the next copies are made."
)
def test_noise_of_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [b for b in PAGE.blocks if b.options.get("file") == "noise.py"]
    assert [b.name for b in parts] == ["drawing", "Seeded", "Note", "work"]
    told = record(NAME)["python noise.py 2> noise.log"].splitlines()
    noise = [line.partition(": ")[2] for line in told]
    assert len(set(noise[:3])) == 1
    assert len(set(noise[3:])) == 3
    drawn = np.random.default_rng(0).uniform(size=6)
    shown = [[float(word) for word in line.split()] for line in noise]
    assert any(
        np.allclose(shown[0], drawn[start : start + 4], atol=0.006)
        for start in range(3)
    )
    if sys.platform == "linux" and sys.version_info < (3, 14):
        assert multiprocessing.get_start_method() == "fork"
    threads = set()

    class Slow(Noise):
        def __getitem__(self, number: int) -> Any:
            threads.add(threading.get_ident())
            time.sleep(0.02)
            return super().__getitem__(number)

    data = Slow(workers=2)
    model = Given()
    model.fit(data, shuffle=False, verbose=0)
    assert len(threads - {threading.get_ident()}) == 2
    threads.clear()
    assert len(list(data)) == 4
    assert threads == {threading.get_ident()}
    # What takes the place of a pool of processes tells how it is made.
    events: list[Any] = []

    class Pool:
        def __init__(self, workers: int, initargs: Any, **named: Any) -> None:
            _, seed, _ = initargs
            events.append((workers, seed))

        def apply_async(self, work: Any, given: Any) -> Any:
            return SimpleNamespace(get=lambda: work(*given))

        def close(self) -> None: ...

    class Counted(Seeded):
        def on_epoch_end(self) -> None:
            events.append(os.getpid())
            super().on_epoch_end()

    monkeypatch.setattr(multiprocessing, "Pool", Pool)
    counted = Counted(workers=2, use_multiprocessing=True)
    Given().fit(counted, epochs=3, shuffle=False, verbose=0)
    # Two processes and no seed for them, new ones in each epoch.
    assert events == [os.getpid(), *[(2, None), os.getpid()] * 3]


@says(
    "Such a copy must not compute with TensorFlow: it may [wait forever]"
    "(memory.md#release-memory-after-training-a-process-of-its-own-by-spawn)."
)
def test_copies_do_not_compute() -> None:
    text = below("memory", "### Release memory after training")
    assert "may wait for them forever" in " ".join(text.split())


# 7. Pictures in folders


@pytest.fixture
def pictures(tmp_path: Path) -> str:
    """A folder of pictures of three classes."""
    write_pictures(str(tmp_path / "pictures"), ["1", "2", "10"])
    return str(tmp_path / "pictures")


def load(folder: str, **options: Any) -> Any:
    return tf.keras.utils.image_dataset_from_directory(
        folder, image_size=(8, 8), color_mode="grayscale", **options
    )


@says(
    "A folder holds a folder of pictures for each class. Here the classes are "
    "called 1, 2 and 10, and the grey of a picture tells whose it is."
)
@says("Write five grey pictures, 8 by 8, into a folder for each name.")
@says("The first is as bright as the name, a number from 0 to 25, times ten.")
@says("Names are sorted as words, so the label 1 is for the folder `10`.")
@says("Say the order yourself.")
@says("Read `class_names` at once: what `map` returns has none.")
@says(
    'Labels are a vector of numbers. With `label_mode="binary"` they are a '
    'column, and with `"categorical"` one-hot.'
)
@says("Pictures are numbers from 0 to 255.")
@says(
    "Put `Rescaling(1 / 255)` first in the model, or what [its base]"
    "(freeze_and_fine_tune.md#efficientnet-preprocess_input-and-a-base-that-"
    "is-scaled-twice) wants."
)
def test_labels_of_folders(pictures: str) -> None:
    _, names, grey, labels = printed(NAME, "from_folder").splitlines()
    assert names == "classes: 1 10 2"
    pairs = zip(numbers(grey), numbers(labels), strict=True)
    found = {label: value // 10 for value, label in pairs}
    assert found == {0: 1, 1: 10, 2: 2}
    assert printed(NAME, "own_order").splitlines()[1] == "classes: 1 2 10"
    named = load(pictures, class_names=["1", "2", "10"], shuffle=False)
    for x, y in named:
        due = np.array([1, 2, 10])[y]
        np.testing.assert_array_equal(x[:, 0, 0, 0] // 10, due)
        assert y.shape == (15,)
        assert x.dtype == tf.float32
        assert float(tf.reduce_max(x)) == 104
    assert not hasattr(named.map(lambda x, y: (x / 255, y)), "class_names")
    for mode, shape in (("binary", (10, 1)), ("categorical", (10, 2))):
        two = load(pictures, class_names=["1", "2"], label_mode=mode)
        for _, y in two:
            assert y.shape == shape
            assert set(np.unique(y)) == {0, 1}
    scaled = layers.Rescaling(1 / 255)(tf.constant([[0.0, 255.0]]))
    np.testing.assert_allclose(scaled, [[0, 1]], rtol=1e-6)
    text = below("freeze_and_fine_tune", "## EfficientNet, `preprocess_input`")
    assert "255" in text


@says(
    "Compare what was found with what you have. Files of other kinds are left "
    "out, `.webp` among them, and so is a folder that `class_names` does not "
    "name."
)
@says("An empty folder counts as a class.")
@says(
    "`belonging to 0 classes` says that there are no folders for the classes, "
    "and `1 classes` most often that you named the folder above."
)
def test_what_is_found(
    pictures: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("other.webp", "other.txt"):
        Path(pictures, "1", name).write_text("no picture")
    load(pictures)
    assert "Found 15 files belonging to 3 classes" in capsys.readouterr().out
    with pytest.raises(ValueError, match="No images found"):
        load(f"{pictures}/1")
    assert "files belonging to 0 classes" in capsys.readouterr().out
    # Folders without pictures are classes all the same.
    Path(pictures, "1", "inner").mkdir()
    with pytest.raises(ValueError, match="No images found"):
        load(f"{pictures}/1")
    assert "Found 0 files belonging to 1 classes" in capsys.readouterr().out
    Path(pictures, "1", "inner").rmdir()
    Path(pictures, "11").mkdir()
    assert load(pictures).class_names == ["1", "10", "11", "2"]
    Path(pictures, "11").rmdir()
    load(pictures, class_names=["2", "10"])
    assert "Found 10 files belonging to 2 classes" in capsys.readouterr().out
    load(str(Path(pictures).parent))
    assert "Found 15 files belonging to 1 classes" in capsys.readouterr().out


@says("validation_split: a class is missing, or pictures are in both parts")
@says("Without shuffling, the last pictures are split off.")
@says("There is none of class 0 to validate with.")
@says(
    "With shuffling a `seed` is asked for, and two calls with two seeds split "
    "two orders:"
)
@says("Ask for both parts at once.")
@says(
    'The validation data of `subset="both"` keep their order. Those of '
    '`subset="validation"` are shuffled whenever they are walked through, '
    "and then [predictions and labels](usual_parts.md#predictions-in-another-"
    "order-than-the-labels) do not belong together."
)
@says(
    "`take` and `skip` of a shuffled dataset [mix the parts](usual_parts.md#"
    "take-and-skip-of-a-shuffled-dataset)."
)
@says("**The check** is that no path is in both `file_paths`.")
def test_splits_of_folders(pictures: str) -> None:
    last = printed(NAME, "last_class").splitlines()[-1]
    assert numbers(last) == [1, 2, 2, 2, 2, 2]
    assert numbers(printed(NAME, "two_seeds"))[-1] > 0
    told = printed(NAME, "both").splitlines()
    assert told[-2] == "in both: 0"
    assert len(set(numbers(told[-1]))) > 1
    split = {"validation_split": 0.4}
    with pytest.raises(ValueError, match="you must provide a `seed`"):
        load(pictures, subset="validation", **split)
    _, kept = load(pictures, subset="both", seed=1, **split)
    shuffled = load(pictures, subset="validation", seed=1, **split)
    assert {*kept.file_paths} == {*shuffled.file_paths}
    for data, same in ((kept, True), (shuffled, False)):
        walks = {
            tuple(value for x, _ in data for value in x.numpy()[:, 0, 0, 0])
            for _ in range(4)
        }
        assert (len(walks) == 1) == same
    pictures_one_by_one = load(pictures, seed=1).unbatch()
    taken, skipped = (
        {int(x[0, 0, 0]) for x, _ in part}
        for part in (pictures_one_by_one.take(9), pictures_one_by_one.skip(9))
    )
    assert taken & skipped
    for heading in ("### Predictions in another order", "### take and skip"):
        assert "shuffle" in below("usual_parts", heading)


# 8. TFRecord


@pytest.fixture
def records(tmp_path: Path) -> str:
    """A file of two rows of two numbers and a label."""
    path = str(tmp_path / "rows.tfrecord")
    write_rows(path, [[0.0, 0.5], [1.0, 1.5]], [0, 1])
    return path


def complaint(parse: Callable[..., Any], data: Any, features: Any) -> str:
    """Return what parsing says, with single spaces."""
    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        list(data.map(lambda some: parse(some, features)))
    return " ".join(str(raised.value).split())


@says("8. TFRecord: Can't parse serialized Example")
@says(
    "A TFRecord file has a record for each row, and a record has features, "
    "each with a name and a list of numbers (or of bytes)."
)
@says("Write a record for each row: its numbers x and its label y.")
@says("What is read has no shapes and no types, so say them.")
@says("Return batches of dictionaries, with what the features name.")
@says(
    "Whoever says another length, type or name than was written gets an "
    "`InvalidArgumentError` (but for a name that has a `default_value`, which "
    "is then taken without a word):"
)
@says(
    "`tf.io.parse_single_example`, for a row and not a batch, says of another "
    "length `Key: x. Can't parse serialized Example: Some float_list slice "
    "was not parsed`."
)
def test_what_parsing_complains_of(records: str) -> None:
    data = tf.data.TFRecordDataset(records)
    assert data.element_spec == tf.TensorSpec((), tf.string)
    assert len(list(data)) == 2
    lists = tf.train.Feature.DESCRIPTOR.fields_by_name
    assert {*lists} == {"bytes_list", "float_list", "int64_list"}
    fixed = tf.io.FixedLenFeature
    told = printed(NAME, "not_parsed").splitlines()
    wrong = [
        ({"x": fixed([3], tf.float32)}, "Number of float values != expected"),
        ({"x": fixed([2], tf.int64)}, "Data types don't match"),
        ({"z": fixed([2], tf.float32)}, "is required but could not be found"),
    ]
    for line, (features, said) in zip(told, wrong, strict=True):
        assert said in line
        batched = complaint(tf.io.parse_example, data.batch(2), features)
        assert said in batched
        single = complaint(tf.io.parse_single_example, data, features)
        if "x" in features and "float" in said:
            said = (
                "Key: x. Can't parse serialized Example: Some float_list "
                "slice was not parsed"
            )
        assert said in single
    given = {"z": fixed([1], tf.float32, [7.0])}
    for rows in read_rows(records, 2, given):
        assert rows["z"].numpy().tolist() == [[7.0], [7.0]]


@says(
    "Whole numbers are always read as `tf.int64` and others as `tf.float32`; "
    "cast them then."
)
@says(
    "For lists of any length there is `tf.io.RaggedFeature`, which makes of a "
    "name that is not there an empty list, without a word."
)
@says("**The check** prints what a file holds:")
@says(
    "If nothing comes out of a file, or it ends in a `truncated record`, its "
    "writer was not closed: use `with`, as above."
)
@says(
    "`corrupted record at 0` says that it is compressed, or no TFRecord file; "
    'for the first there is `TFRecordDataset(file, "GZIP")`.'
)
@says(
    "Nobody knows how many records there are, so tell `fit` [the length]"
    "(errors_in_a_step.md#the-dataset-length-is-unknown)."
)
def test_what_a_file_of_records_holds(records: str, tmp_path: Path) -> None:
    fixed, data = tf.io.FixedLenFeature, tf.data.TFRecordDataset(records)
    for kind in (tf.int32, tf.float64, tf.uint8, tf.bool):
        with pytest.raises(TypeError, match="list of allowed values"):
            read_rows(records, 2, {"y": fixed([1], kind)})
    ragged = {name: tf.io.RaggedFeature(tf.float32) for name in ("x", "z")}
    for rows in read_rows(records, 2, ragged):
        assert rows["x"].to_list() == [[0.0, 0.5], [1.0, 1.5]]
        assert rows["z"].to_list() == [[], []]
    inside = printed(NAME, "look_inside").splitlines()
    assert inside == ["x float_list 2", "y int64_list 1"]
    assert int(data.cardinality()) == tf.data.UNKNOWN_CARDINALITY
    [record] = data.take(1)
    path = str(tmp_path / "open.tfrecord")
    writer = tf.io.TFRecordWriter(path)
    writer.write(record.numpy())
    assert not list(tf.data.TFRecordDataset(path))
    for _ in range(2999):
        writer.write(record.numpy())
    with pytest.raises(tf.errors.DataLossError, match="truncated record"):
        list(tf.data.TFRecordDataset(path))
    writer.close()
    assert len(list(tf.data.TFRecordDataset(path))) == 3000
    with tf.io.TFRecordWriter(path, "GZIP") as writer:
        writer.write(record.numpy())
    other = tmp_path / "other"
    other.write_text("This is a text, and no file of records at all.")
    for wrong in (path, str(other)):
        with pytest.raises(
            tf.errors.DataLossError, match="corrupted record at 0"
        ):
            list(tf.data.TFRecordDataset(wrong))
    assert len(list(tf.data.TFRecordDataset(path, "GZIP"))) == 1
