"""Gradients with respect to the input, and to what a layer returns."""

import tensorflow as tf

from snippets.other_gradients_setup import Model, Optimizer


# region make_classifier
def make_classifier() -> Model:
    """Return a model of three numbers with the weights 2, -1 and 0."""
    layers = [tf.keras.Input((3,)), tf.keras.layers.Dense(1)]
    model = tf.keras.Sequential(layers)
    model.set_weights([tf.constant([[2.0], [-1.0], [0.0]]), tf.zeros(1)])
    return model


# endregion make_classifier


# region cross_entropy
def cross_entropy(
    model: Model, x: tf.Tensor, y: tf.Tensor, training: bool = False
) -> tf.Tensor:
    """Return the mean loss of rows; x is (batch, 3) and y is (batch, 1)."""
    logits = model(x, training=training)
    each = tf.nn.sigmoid_cross_entropy_with_logits(y, logits)
    return tf.reduce_mean(each)


# endregion cross_entropy


# region input_gradient
def input_gradient(model: Model, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Return the gradient of the loss with respect to x, shaped like x."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        current_loss = cross_entropy(model, x, y)
    return tape.gradient(current_loss, x)


# endregion input_gradient


# region adversarial
def adversarial(model, x, y, size) -> tf.Tensor:
    """Return x, each number moved by at most size to where the loss rises."""
    return x + size * tf.sign(input_gradient(model, x, y))


# endregion adversarial


# region adversarial_step
def adversarial_step(
    model: Model, optimizer: Optimizer, x: tf.Tensor, y: tf.Tensor
) -> tf.Tensor:
    """Update the model for rows moved against it; return their loss."""
    moved = adversarial(model, x, y, size=0.6)
    with tf.GradientTape() as tape:
        current_loss = cross_entropy(model, moved, y, training=True)
    variables = model.trainable_variables
    gradients = tape.gradient(current_loss, variables)
    optimizer.apply_gradients(zip(gradients, variables, strict=True))
    return current_loss


# endregion adversarial_step


# region make_spotter
def make_spotter() -> Model:
    """Return a model that is the mean of the sums of 2 x 2 squares."""
    layers = tf.keras.layers
    picture = tf.keras.Input((6, 6, 1))
    conv = layers.Conv2D(1, 2, strides=2, use_bias=False, name="parts")
    parts = conv(picture)
    mean = layers.GlobalAveragePooling2D()(parts)
    score = layers.Dense(1, use_bias=False)(mean)
    model = tf.keras.Model(picture, score)
    model.set_weights([tf.ones_like(weight) for weight in model.weights])
    return model


# endregion make_spotter


# region class_map
def class_map(model: Model, x: tf.Tensor, name: str) -> tf.Tensor:
    """Return how much each place of a layer adds to a single score.

    Takes pictures (batch, height, width, channels); the layer returns such.
    """
    outputs = [model.get_layer(name).output, model.outputs[0]]
    probe = tf.keras.Model(model.inputs[0], outputs)
    with tf.GradientTape() as tape:
        tape.watch(x)
        features, score = probe(x)
        score = tf.ensure_shape(score, [None, 1])
    gradient = tape.gradient(score, features)
    weights = tf.reduce_mean(gradient, axis=(1, 2), keepdims=True)
    return tf.nn.relu(tf.reduce_sum(weights * features, axis=3))


# endregion class_map


if __name__ == "__main__":
    # region unwatched
    model = make_classifier()
    x, y = tf.constant([[1.0, 0.5, 3.0]]), tf.constant([[1.0]])
    with tf.GradientTape() as tape:
        current_loss = cross_entropy(model, x, y)
    print("gradient:", tape.gradient(current_loss, x))
    # endregion unwatched

    # region saliency
    gradient = input_gradient(model, x, y)
    print("gradient:", *(f"{value:.2f}" for value in gradient[0]))
    # endregion saliency

    try:
        # region watched_weights
        with tf.GradientTape() as tape:
            tape.watch(model.trainable_variables)
        # endregion watched_weights
    except ValueError as error:
        print(error)

    # region attacked
    moved = adversarial(model, x, y, size=0.6)
    print("moved:", *(f"{value:.1f}" for value in moved[0]))
    for name, rows in [("x", x), ("moved", moved)]:
        probability = tf.sigmoid(model(rows))[0, 0]
        current_loss = cross_entropy(model, rows, y)
        print(f"{name}: p = {probability:.2f}, loss {current_loss:.2f}")
    # endregion attacked

    # region attack_trained
    optimizer = tf.keras.optimizers.SGD(0.1)
    for step in range(50):
        current_loss = adversarial_step(model, optimizer, x, y)
        if step in (0, 10, 49):
            print(f"step {step}: loss {current_loss:.2f}")
    # endregion attack_trained

    # region spotted
    picture = tf.pad(tf.ones((2, 2)), [[4, 0], [0, 4]])
    x = picture[tf.newaxis, ..., tf.newaxis]
    print(class_map(make_spotter(), x, "parts")[0].numpy().round(2))
    # endregion spotted
