"""Rows and pictures in files are read as the page on data says."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from keras.src.trainers.data_adapters import py_dataset_adapter

from snippets.data_for_a_loop_folder import write_pictures
from snippets.data_for_a_loop_large import (
    Rows,
    Shuffled,
    Tell,
    draw_batches,
    tell_fit,
    tell_rows,
)
from snippets.data_for_a_loop_noise import Noise, Note, Seeded
from snippets.data_for_a_loop_records import read_rows, write_rows

X = np.arange(10, dtype="float32")[:, np.newaxis]
Y = -X


def test_batches_are_drawn_in_a_new_order_of_pairs() -> None:
    rng, orders = np.random.default_rng(3), []
    for _ in range(2):
        batches = list(draw_batches(X, Y, 4, rng))
        assert [len(x) for x, _ in batches] == [4, 4, 2]
        for x, y in batches:
            np.testing.assert_array_equal(y, -x)
            assert (np.diff(x[:, 0]) > 0).all()
        orders.append(np.concatenate([x[:, 0] for x, _ in batches]))
        np.testing.assert_array_equal(np.sort(orders[-1]), X[:, 0])
    assert orders[0].tolist() != orders[1].tolist()


def test_the_rows_of_an_epoch_are_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tell_rows(iter([(X[:2], Y[:2]), (X[5:6], Y[5:6])]), 7)
    assert capsys.readouterr().out == "epoch 7: [0 1] [5]\n"


@pytest.mark.parametrize("kind", [Rows, Shuffled])
def test_each_batch_is_made_from_its_number(kind: type[Rows]) -> None:
    data = kind(X, Y, batch=4)
    for epoch in range(2):
        batches = [data[number] for number in range(len(data))]
        assert [len(x) for x, _ in batches] == [4, 4, 2]
        found = np.concatenate([x for x, _ in batches])
        np.testing.assert_array_equal(np.sort(found, axis=0), X)
        for (x, y), number in zip(batches, range(3), strict=True):
            np.testing.assert_array_equal(y, -x)
            np.testing.assert_array_equal(data[number][0], x)
        same = np.array_equal(found, X)
        assert same == (kind is Rows or epoch == 0)
        data.on_epoch_end()


def test_two_data_sets_draw_the_same_orders() -> None:
    one, other = Shuffled(X, Y, batch=4), Shuffled(X, Y, batch=4)
    for data in (one, other):
        data.on_epoch_end()
    np.testing.assert_array_equal(one.order, other.order)


def test_what_fit_is_given_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    told = Tell().train_step((tf.constant([[3.0], [1.0]]), tf.zeros((2, 1))))
    assert told == {"loss": 0.0}
    assert capsys.readouterr().out == " [3 1]"
    tell_fit(Rows(X, Y, batch=5))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    for epoch, line in enumerate(lines):
        start, *batches = line.split(" [")
        assert start == f"epoch {epoch}:"
        assert sorted(batches) == ["0 1 2 3 4]", "5 6 7 8 9]"]


def test_pictures_are_as_bright_as_their_names(tmp_path: Path) -> None:
    write_pictures(str(tmp_path / "pictures"), ["3", "25"])
    found = sorted(tmp_path.rglob("*.png"))
    assert [path.parent.name for path in found] == ["25"] * 5 + ["3"] * 5
    for path in found:
        picture = tf.io.decode_png(path.read_bytes())
        assert picture.shape == (8, 8, 1)
        due = 10 * int(path.parent.name) + int(path.stem)
        assert np.unique(picture).tolist() == [due]


def test_rows_are_written_and_read(tmp_path: Path) -> None:
    file = str(tmp_path / "rows.tfrecord")
    x, y = [[0.0, 1.5], [2.0, -3.25], [4.0, 5.0]], [7, 0, -1]
    write_rows(file, x, y)
    fixed = tf.io.FixedLenFeature
    features = {"x": fixed([2], tf.float32), "y": fixed([1], tf.int64)}
    batches = list(read_rows(file, 2, features))
    assert [batch["x"].numpy().tolist() for batch in batches] == [x[:2], x[2:]]
    labels = [batch["y"].numpy()[:, 0].tolist() for batch in batches]
    assert labels == [y[:2], y[2:]]
    with pytest.raises(ValueError, match="shorter"):
        write_rows(file, x, y[:2])


def test_noise_is_drawn_from_one_generator_or_by_seeds() -> None:
    noise, seeded, again = Noise(), Seeded(), Seeded()
    assert len(noise) == len(seeded) == 4
    assert noise[0][0] != noise[0][0]
    assert noise[0][0].shape == noise[0][1].shape == (1, 1)
    assert seeded[2][0] == again[2][0] != seeded[1][0]
    first = seeded[2][0]
    seeded.on_epoch_end()
    assert seeded.epoch == 1
    assert again.epoch == 0
    assert seeded[2][0] != first
    due = np.random.default_rng((1, 2)).uniform()
    assert seeded[2][0].item() == due


def test_numbers_are_noted() -> None:
    model = Note()
    for number in (0.5, 0.25):
        batch = tf.constant([[number]])
        assert model.train_step((batch, batch)) == {"loss": 0.0}
    assert model.given == [0.5, 0.25]


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads take the place of processes, as a fork of the tests may hang."""
    monkeypatch.setattr(py_dataset_adapter, "_FORCE_THREADPOOL", True)


@pytest.mark.usefixtures("threads")
def test_the_modules_run_as_scripts(
    printed_by: Callable[[str], Any],
) -> None:
    for module in ("large", "folder", "records"):
        assert printed_by(f"data_for_a_loop_{module}")
    told = printed_by("data_for_a_loop_noise")
    assert len(told) == 6
    for epoch, line in enumerate(told[3:]):
        rngs = (np.random.default_rng((epoch + 1, k)) for k in range(4))
        numbers = " ".join(f"{rng.uniform():.2f}" for rng in rngs)
        assert line == f"Seeded, epoch {epoch}: {numbers}"
