"""A model that learns the next word, and says it."""

import numpy as np
import tensorflow as tf

from snippets.sequences_next import go_on, train_words


def test_a_row_that_it_has_not_seen_whole_goes_on() -> None:
    rows = tf.constant([[1, 2, 3, 4, 1, 2, 3, 4], [3, 4, 1, 2, 3, 4, 1, 2]])
    model = train_words(rows[:, :-1], rows[:, 1:])
    for first in range(1, 5):
        second = first % 4 + 1
        row = np.array(go_on(model, [first, second], 6))
        assert np.all(row[1:] == row[:-1] % 4 + 1)
