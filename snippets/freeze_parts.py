"""Two learning rates in ``fit``: an optimizer for each part of a model."""

import tensorflow as tf

from snippets.freeze_and_fine_tune import make_model, make_tasks, movement

if __name__ == "__main__":
    x, _, y = (values[5::10] for values in make_tasks())

    def fit(x: tf.Tensor, y: tf.Tensor) -> None:
        """Train one epoch by Keras, as on the page."""
        model.fit(x, y, batch_size=20, verbose=0)

    # region rates_in_fit
    optimizers = tf.keras.optimizers
    slow, fast = optimizers.Adam(0.001), optimizers.Adam(0.05)
    model = make_model()
    print("paths:", *(v.path for v in model.trainable_variables))
    for key in ("base/.*", ".*base/.*"):
        rates = optimizers.OptimizerMap(fast, {key: slow})
        found = [rates[v.path] for v in model.trainable_variables]
        print(f"{key:9}:", *(f"{float(o.learning_rate):.3f}" for o in found))
    model.compile(optimizers.MultiOptimizer(rates), "mse")
    print(f"base moved by {movement(model.layers[0], fit, x, y):.3f}")
    # endregion rates_in_fit
