"""Steps with a loss of their own, and ``fit`` called again, by NumPy."""

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from snippets.keras_fit_bare import Bare, Tracked

X = tf.constant([[-1.0], [0.5], [2.0]])
Y = 3.0 * X + 2.0


@pytest.mark.usefixtures("each_way")
@pytest.mark.parametrize("kind", [Bare, Tracked])
def test_a_step_descends_the_squared_error(kind: type[Bare]) -> None:
    model = kind()
    model.compile(tf.keras.optimizers.SGD(0.1))
    errors, found, sizes = [], [], (2, 1)
    w, b = 5.0, 0.0
    for rows in (slice(0, 2), slice(2, 3)):
        x, y = X.numpy()[rows], Y.numpy()[rows]
        error = w * x + b - y
        errors.append(np.mean(error**2))
        logs = model.train_step((X[rows], Y[rows]))
        found.append(float(logs["loss"]))
        w, b = w - 0.2 * np.mean(error * x), b - 0.2 * np.mean(error)
        assert [float(v) for v in model.weights] == pytest.approx([w, b])
    if kind is Tracked:
        errors[1] = np.average(errors, weights=sizes)
    assert found == pytest.approx(errors, rel=1e-5)


@pytest.mark.usefixtures("each_way")
@pytest.mark.parametrize("kind", [Bare, Tracked])
def test_vectors_and_weights(kind: type[Bare]) -> None:
    """Outputs in a vector are those of the rows, and weights count."""
    ends, rows = [], (X[:2], Y[:2], tf.constant([4.0, 0.0]))
    for data in (rows, (X[:2], Y[:2, 0], rows[2])):
        model = kind()
        model.compile(tf.keras.optimizers.SGD(0.1))
        model.train_step(data)
        ends.append([float(v) for v in model.weights])
    assert ends[0] == ends[1]
    # Weights of 4 and 0: the mean over two rows is twice that of the first.
    error = 5.0 * -1.0 - -1.0
    assert ends[0] == pytest.approx([5.0 + 0.4 * error, -0.4 * error])


def test_the_script(printed_by: Callable[[str], list[str]]) -> None:
    bare, tracked = printed_by("keras_fit_bare")
    assert bare == "losses: 0.0000 0.0000"
    falling = [float(word) for word in tracked.split()[1:]]
    assert len(falling) > 3
    assert falling[:-1] == sorted(falling[:-1], reverse=True)


def test_fit_again(printed_by: Callable[[str], list[str]]) -> None:
    epochs, losses, kept, lost = printed_by("keras_fit_again")
    assert epochs == "epochs: 0 1 2 3"
    assert len(losses.split()) == 5
    assert float(kept.split()[-1]) < float(lost.split()[-1])
