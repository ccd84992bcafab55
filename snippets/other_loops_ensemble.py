"""Several models of one kind, trained in one step."""

import tensorflow as tf

from snippets.other_loops_finder import make_model, make_rows


# region make_ensemble_step
def make_ensemble_step(models, loss, optimizer):
    """Return a step that trains all models; it returns their losses."""
    variables = [v for model in models for v in model.trainable_variables]

    def step(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            losses = [loss(y, model(x, training=True)) for model in models]
            total = tf.add_n(losses)
        gradients = tape.gradient(total, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return tf.stack(losses)

    return tf.function(step)


# endregion make_ensemble_step


if __name__ == "__main__":
    # region ensemble
    x, y = make_rows()
    loss, first = tf.keras.losses.MeanSquaredError(), make_model()
    models = [tf.keras.models.clone_model(first) for _ in range(4)]
    sgd = tf.keras.optimizers.SGD(0.1)
    step = make_ensemble_step(models, loss, sgd)
    for _ in range(500):
        losses = step(x, y)
    print("losses:", *(f"{one:.3f}" for one in losses))
    mean = tf.reduce_mean([model(x) for model in models], axis=0)
    print(f"of the mean prediction {loss(y, mean):.3f}")
    # endregion ensemble

    # region stacked
    weights = zip(*(model.get_weights() for model in models), strict=True)
    stacked = [tf.Variable(tf.stack(parts)) for parts in weights]

    def predict(parts: list[tf.Tensor]) -> tf.Tensor:
        """Return what the first model makes of x with other weights."""
        predictions, _ = models[0].stateless_call(parts, [], x)
        return predictions

    with tf.GradientTape() as tape:
        errors = tf.vectorized_map(predict, stacked) - y
        losses = tf.reduce_mean(tf.square(errors), axis=(1, 2))
    gradients = tape.gradient(losses, stacked)
    print("losses:", *(f"{one:.3f}" for one in losses))
    print("gradients:", *(gradient.shape for gradient in gradients))
    # endregion stacked
