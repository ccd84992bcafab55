"""Data for a loop are augmented as the page on them says."""

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
from snippets.data_for_a_loop_setup import slices

X, Y = make_pictures(8)


def test_pictures_are_noise_with_labels() -> None:
    x, y = make_pictures(500)
    assert x.shape == (500, 8, 8, 1)
    assert y.shape == (500, 1)
    assert float(tf.reduce_mean(x)) == pytest.approx(0.5, abs=0.01)
    assert 0 <= float(tf.reduce_min(x)) < float(tf.reduce_max(x)) < 1
    assert sorted(set(y.numpy().flat)) == [0, 1]
    assert y.numpy().mean() == pytest.approx(0.5, abs=0.1)
    np.testing.assert_array_equal(make_pictures(500)[0], x)


def test_a_picture_is_changed_if_one_number_is() -> None:
    other = X.numpy()
    other[2, 7, 0, 0] += 1
    assert changed(tf.constant(other), X).tolist() == [0, 0, 1, 0, 0, 0, 0, 0]


def test_batches_without_a_layer_are_the_rows_in_order() -> None:
    batches = list(make_batches(X, Y, batch=3))
    assert [len(x) for x, _ in batches] == [3, 3, 2]
    np.testing.assert_array_equal(np.concatenate([x for x, _ in batches]), X)
    np.testing.assert_array_equal(np.concatenate([y for _, y in batches]), Y)


def test_batches_with_a_layer_are_shuffled_and_augmented() -> None:
    y = tf.range(8)
    augment = tf.keras.layers.RandomFlip("horizontal", seed=1)
    data = make_batches(X, y, batch=3, augment=augment)
    orders, flips = [], []
    for _ in range(3):
        epoch = list(data)
        assert [len(x) for x, _ in epoch] == [3, 3, 2]
        order = np.concatenate([y for _, y in epoch])
        assert sorted(order) == list(range(8))
        found = np.concatenate([x for x, _ in epoch])
        rows = X.numpy()[order]
        flipped = (found != rows).any(axis=(1, 2, 3))
        np.testing.assert_array_equal(found[~flipped], rows[~flipped])
        mirrored = rows[flipped][:, :, ::-1]
        np.testing.assert_array_equal(found[flipped], mirrored)
        orders.append(tuple(order))
        flips.append(tuple(flipped[np.argsort(order)]))
    assert len(set(orders)) == len(set(flips)) == 3


def test_the_model_sums_up_pictures_and_augments_in_training() -> None:
    model = make_model()
    flat = tf.reshape(X, (8, 64))
    np.testing.assert_array_equal(model(X, training=False), flat)
    found = tf.reshape(model(X, training=True), X.shape)
    assert 0 < changed(found, X).sum() < 8


def test_two_passes_are_compared() -> None:
    plain = make_batches(X, Y, batch=3)
    assert same_again(plain)
    augment = tf.keras.layers.RandomFlip("horizontal", seed=1)
    flip = plain.map(lambda x, y: (augment(x), y))
    assert not same_again(flip)
    assert same_again(flip.cache())


@pytest.mark.parametrize("again", [False, True])
def test_each_picture_is_flipped_by_a_number(again: bool) -> None:
    data = flip_each(slices(X), rerandomize_each_iteration=again)
    first, second = (tf.stack(list(data)) for _ in range(2))
    for found in (first, second):
        flipped = changed(found, X).astype(bool)
        assert 0 < flipped.sum() < 8
        mirrored = tf.reverse(X, [2]).numpy()[flipped]
        np.testing.assert_array_equal(found.numpy()[flipped], mirrored)
    assert np.array_equal(first, second) != again
