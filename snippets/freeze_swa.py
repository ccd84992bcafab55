"""Averages of weights, and of what a batch normalisation has to know."""

import tensorflow as tf

from snippets.freeze_and_fine_tune import make_tasks


# region refresh
def refresh(
    model: tf.keras.Model, batches: list[tuple[tf.Tensor, tf.Tensor]]
) -> None:
    """Make the moving averages those of these batches, which count alike."""
    kind = tf.keras.layers.BatchNormalization
    layers = [layer for layer in model.layers if isinstance(layer, kind)]
    momenta = [layer.momentum for layer in layers]
    for number, (x, _) in enumerate(batches):
        for layer in layers:
            layer.momentum = number / (number + 1)
        model(x, training=True)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum


# endregion refresh


# region make_behind
def make_behind() -> tf.keras.Model:
    """Return a model that normalises what one weight makes of its inputs."""
    layers = tf.keras.layers
    weight = layers.Dense(1, use_bias=False)
    return tf.keras.Sequential(
        [tf.keras.Input((1,)), weight, layers.BatchNormalization()]
    )


# endregion make_behind

if __name__ == "__main__":
    all_x, old_y, _ = make_tasks()

    # region swa
    model, kept = make_behind(), []
    parts = [(all_x[n::10], old_y[n::10]) for n in range(10)]
    for end in (1.0, 3.0):
        model.layers[0].kernel.assign([[end]])
        refresh(model, parts)
        print(f"weight {end}: spread {tf.math.reduce_std(model(all_x)):.2f}")
        kept.append(model.get_weights())
    averages = [sum(each) / len(kept) for each in zip(*kept, strict=True)]
    model.set_weights(averages)
    print(f"average:    spread {tf.math.reduce_std(model(all_x)):.2f}")
    # endregion swa

    # region refreshed
    refresh(model, parts)
    print(f"refreshed:  spread {tf.math.reduce_std(model(all_x)):.2f}")
    # endregion refreshed
