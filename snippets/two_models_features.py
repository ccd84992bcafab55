"""A loss that compares what another network sees in two pictures."""

import tensorflow as tf

from snippets.two_models import update
from snippets.two_models_setup import Model
from snippets.two_models_traps import check_update


# region make_features
def make_features(base: Model, names: list[str]) -> Model:
    """Return a model from inputs of base to outputs of its layers.

    It is frozen, and so are these layers of base.
    """
    outputs = [base.get_layer(name).output for name in names]
    features = tf.keras.Model(base.inputs, outputs, name="features")
    features.trainable = False
    return features


# endregion make_features


# region feature_loss
def feature_loss(features, y: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Return the mean squared distance of features, summed over layers.

    Takes pictures (batch, height, width, channels).  Section 3.2 of
    arXiv:1603.08155.
    """
    y = tf.ensure_shape(y, y_pred.shape)
    seen, seen_pred = (
        tf.nest.flatten(features(pictures, training=False))
        for pictures in (y, y_pred)
    )
    distance = tf.keras.losses.MeanSquaredError()  # of float16 in float32
    return tf.add_n(list(map(distance, seen, seen_pred)))


# endregion feature_loss


if __name__ == "__main__":
    # region base
    tf.keras.utils.set_random_seed(0)
    layers = tf.keras.layers
    base = tf.keras.Sequential(
        [
            tf.keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, activation="relu", name="edges"),
            layers.BatchNormalization(),
            layers.Conv2D(8, 3, activation="relu", name="parts"),
        ]
    )
    features = make_features(base, ["edges", "parts"])
    # endregion base

    # region restorer
    y = tf.random.stateless_uniform([32, 8, 8, 1], seed=(0, 5))
    x = tf.nn.avg_pool2d(y, ksize=3, strides=1, padding="SAME")
    layer = layers.Conv2D(1, 5, padding="same")
    restorer = tf.keras.Sequential([tf.keras.Input((8, 8, 1)), layer])
    # endregion restorer

    # region predicted
    with tf.GradientTape() as tape:
        y_pred = restorer(x, training=True)
        seen, _ = features.predict(y, verbose=0)
        seen_pred, _ = features.predict(y_pred, verbose=0)
        loss = tf.reduce_mean((seen - seen_pred) ** 2)
    print(tape.gradient(loss, restorer.trainable_variables))
    # endregion predicted

    # region restored
    def restore() -> tf.Tensor:
        """Update the restorer alone, by the features of its pictures."""
        with tf.GradientTape() as tape:
            y_pred = restorer(x, training=True)
            loss = feature_loss(features, y, y_pred)
        update(restorer, optimizer, tape, loss)
        return loss

    optimizer = tf.keras.optimizers.Adam(0.01)
    check_update(restorer, features, restore)
    losses = [float(restore()) for _ in range(100)]
    print(f"loss {losses[0]:.3f}, after 100 steps {losses[-1]:.3f}")
    # endregion restored
