"""A loss made of another network's features, against NumPy."""

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from snippets.two_models_features import feature_loss, make_features

layers = tf.keras.layers
WRONG = tf.errors.InvalidArgumentError


def make_base() -> tf.keras.Model:
    """Return a network that doubles pixels, and then adds 1."""
    double = layers.Conv2D(1, 1, use_bias=False, name="double")
    add = layers.Conv2D(1, 1, name="add")
    base = tf.keras.Sequential([tf.keras.Input((2, 2, 1)), double, add])
    one = np.ones((1, 1, 1, 1))
    base.set_weights([2 * one, one, np.ones(1)])
    return base


def test_features_are_outputs_of_layers_and_frozen() -> None:
    base = make_base()
    features = make_features(base, ["double", "add"])
    x = tf.reshape(tf.range(4.0), (1, 2, 2, 1))
    double, add = features(x)
    np.testing.assert_allclose(double, 2 * x)
    np.testing.assert_allclose(add, 2 * x + 1)
    assert features.trainable_variables == []
    assert len(features.weights) == 3


@pytest.mark.parametrize("names", [["double"], ["double", "add"]])
def test_a_loss_is_the_sum_of_mean_squares_over_layers(
    names: list[str],
) -> None:
    features = make_features(make_base(), names)
    y = tf.random.stateless_normal((3, 2, 2, 1), (0, 0))
    y_pred = tf.Variable(tf.random.stateless_normal(y.shape, (0, 1)))
    with tf.GradientTape() as tape:
        loss = feature_loss(features, y, y_pred)
    due = len(names) * 4 * np.mean((y - y_pred).numpy() ** 2)
    assert float(loss) == pytest.approx(due, rel=1e-5)
    due = len(names) * 8 * (y_pred - y) / 12
    np.testing.assert_allclose(tape.gradient(loss, y_pred), due, rtol=1e-5)


def test_large_features_of_half_precision() -> None:
    layer = layers.Activation("linear", dtype="mixed_float16", name="half")
    base = tf.keras.Sequential([tf.keras.Input((2, 2, 1)), layer])
    features, y = make_features(base, ["half"]), tf.zeros((3, 2, 2, 1))
    assert features(y).dtype == "float16"
    assert float(feature_loss(features, y, y + 300.0)) == 90_000


def test_features_are_not_those_of_training() -> None:
    drop = layers.Dropout(0.5, seed=0, name="drop")
    base = tf.keras.Sequential([tf.keras.Input((2, 2, 1)), drop])
    features = make_features(base, ["drop"])
    pictures = tf.ones((8, 2, 2, 1))
    assert float(feature_loss(features, pictures, pictures)) == 0


def test_pictures_of_other_sizes_are_refused() -> None:
    layer = layers.Conv2D(1, 3, strides=2, padding="same", name="half")
    base = tf.keras.Sequential([tf.keras.Input((None, None, 1)), layer])
    features, pictures = make_features(base, ["half"]), tf.ones((3, 4, 4, 1))
    assert base.trainable_variables == []
    for others in (tf.ones((3, 2, 2, 1)), tf.ones((1, 4, 4, 1))):
        with pytest.raises(WRONG, match="not compatible"):
            feature_loss(features, pictures, others)


def test_the_restorer_learns_and_the_features_stay(
    printed_by: Callable[[str], list[str]],
) -> None:
    none, line = printed_by("two_models_features")
    assert none == "[None, None]"
    first, last = (float(line.split()[i].strip(",")) for i in (1, -1))
    assert last < 0.7 * first
