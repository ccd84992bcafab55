"""The Dice loss."""

import numpy as np
import pytest
import tensorflow as tf

from snippets.usual_parts_more import dice_loss


def test_labels_without_the_last_axis_are_refused() -> None:
    shares = tf.fill((1, 8, 8, 1), 0.5)  # a batch of one would fit
    with pytest.raises(tf.errors.InvalidArgumentError):
        dice_loss(tf.zeros((1, 8, 8)), shares)


def test_the_dice_loss_agrees_with_numpy() -> None:
    generator = np.random.default_rng(0)
    y = generator.integers(0, 2, (3, 4, 5, 1)).astype("float32")
    shares = generator.random((3, 4, 5, 1), dtype="float32")
    found = dice_loss(tf.constant(y), tf.constant(shares))
    assert found.shape == (3,)
    for picture, outputs, loss in zip(y, shares, found, strict=True):
        both, sizes = np.sum(picture * outputs), np.sum(picture + outputs)
        due = 1 - (2 * both + 1) / (sizes + 1)
        assert float(loss) == pytest.approx(due, rel=1e-5)


def test_a_right_picture_loses_nothing() -> None:
    for picture in (tf.zeros((1, 4, 4, 1)), tf.ones((1, 4, 4, 1))):
        assert float(dice_loss(picture, picture)[0]) == 0.0
        assert float(dice_loss(picture, 1.0 - picture)[0]) > 0.9
