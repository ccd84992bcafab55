"""Dropout in predictions, compared with NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from snippets.freeze_dropout import AlwaysDropout, make_dropping, print_spread

X = tf.constant([[-1.0], [0.5], [2.0]])


def test_a_model_with_dropout_between_its_layers() -> None:
    model = make_dropping(tf.keras.layers.Dropout(0.5))
    first, bias, second, last = model.get_weights()
    expected = np.tanh(X @ first + bias) @ second + last
    assert model(X).numpy() == pytest.approx(expected, abs=1e-6)
    listening = make_dropping(tf.keras.layers.Dropout(0.5), training=True)
    draws = np.stack([listening(X) for _ in range(2000)])
    # A feature is doubled or dropped: its variance is its square.
    spread = np.sqrt(np.tanh(X @ first + bias) ** 2 @ second**2)
    assert draws.mean(axis=0) == pytest.approx(expected, abs=0.2)
    assert draws.std(axis=0) == pytest.approx(spread, rel=0.1)


def test_the_spread_of_predictions(capsys: pytest.CaptureFixture[str]) -> None:
    for dropout, low in ((tf.keras.layers.Dropout, 0), (AlwaysDropout, 0.1)):
        print_spread(make_dropping(dropout(0.5, seed=1), training=True), X)
        called, predicted = capsys.readouterr().out.splitlines()
        assert called.startswith("model(x): spread ")
        assert predicted.startswith("predict: spread ")
        assert float(called.split()[-1]) > 0.1
        spread = float(predicted.split()[-1])
        assert spread > low if low else spread == 0


@pytest.mark.parametrize("training", [None, False, True])
def test_the_layer_always_drops(training: bool | None) -> None:
    outputs = AlwaysDropout(0.25)(tf.ones((1000, 1)), training=training)
    values, counts = np.unique(outputs, return_counts=True)
    assert values == pytest.approx([0, 4 / 3])
    assert counts[0] == pytest.approx(250, abs=70)
