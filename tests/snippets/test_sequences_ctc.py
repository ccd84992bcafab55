"""Which rows fit is what the CTC loss itself can do."""

import itertools

import pytest
import tensorflow as tf

from snippets.sequences_ctc import ctc_fits


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_rows_fit_whose_cost_is_a_probability(steps: int) -> None:
    rows = [
        [*labels, *[0] * (3 - len(labels))]
        for length in (1, 2, 3)
        for labels in itertools.product((1, 2), repeat=length)
    ]
    labels = tf.constant(rows)
    every = tf.fill([len(rows)], steps)
    lengths = tf.math.count_nonzero(labels, axis=1, dtype=tf.int32)
    logits = tf.zeros((steps, len(rows), 3))
    costs = tf.nn.ctc_loss(labels, logits, lengths, every, blank_index=0)
    fits = ctc_fits(labels, every).numpy()
    assert fits.tolist() == (costs.numpy() < 100).tolist()
    assert ctc_fits(labels, steps).numpy().tolist() == fits.tolist()
