"""The center loss and its centers agree with NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from snippets.loss_centers import (
    center_loss,
    draw_in,
    follow,
    make_codes,
    told,
)


def test_codes_lie_around_two_points() -> None:
    codes, labels = make_codes()
    for label, middle in ((0, [1, 0]), (1, [-1, 0])):
        own = codes.numpy()[labels.numpy() == label]
        np.testing.assert_allclose(own.mean(axis=0), middle, atol=0.25)
        np.testing.assert_allclose(own.std(axis=0), 0.5, atol=0.15)


def test_the_loss_is_half_the_mean_of_squared_ways() -> None:
    codes = tf.constant([[1.0, 2.0], [0.0, 0.0]])
    centers = tf.Variable([[0.0, 0.0], [3.0, 4.0]])
    loss = center_loss(codes, tf.constant([0, 1]), centers)
    assert float(loss) == pytest.approx((5 + 25) / 2 / 2)


def test_codes_of_another_shape_are_refused() -> None:
    codes, labels = make_codes()
    for narrow, rows in (((2, 1), labels), ((2, 2), labels[:1])):
        with pytest.raises(tf.errors.InvalidArgumentError, match="compatible"):
            center_loss(codes, rows, tf.Variable(tf.zeros(narrow)))


def test_no_tape_watches_the_centers(monkeypatch: pytest.MonkeyPatch) -> None:
    tapes: list[tf.GradientTape] = []

    class Tape(tf.GradientTape):
        """A tape that can be found again."""

        def __init__(self) -> None:
            super().__init__()
            tapes.append(self)

    monkeypatch.setattr(tf, "GradientTape", Tape)
    draw_in(0.5)
    [watched] = tapes[0].watched_variables()
    assert watched.shape == (64, 2)


def test_centers_go_to_the_mean_of_their_codes() -> None:
    codes, labels = make_codes()
    centers = tf.Variable([[5.0, 5.0], [-5.0, 0.0], [9.0, 9.0]])
    follow(centers, codes, labels, 1.0)
    means = [codes[::2].numpy().mean(0), codes[1::2].numpy().mean(0)]
    due = [
        (32 * m + c) / 33
        for m, c in zip(means, [[5, 5], [-5, 0]], strict=True)
    ]
    np.testing.assert_allclose(centers, [*due, [9, 9]], rtol=1e-4, atol=1e-5)


def test_codes_that_are_drawn_in() -> None:
    kept, lost = draw_in(0.5), draw_in(0.0)
    assert float(tf.reduce_max(tf.abs(lost))) < 0.05
    assert float(tf.norm(kept[0] - kept[1])) > 1
    assert told(kept).startswith("spread 0.0")
