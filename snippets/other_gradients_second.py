"""The Hessian of a loss times a vector, without the Hessian."""

import numpy as np
import tensorflow as tf

from snippets.other_gradients_flat import flatten
from snippets.other_gradients_input import cross_entropy, make_classifier


# region hvp
def hvp(loss, weights, vectors):
    """Return the Hessian of the loss times vectors shaped like weights."""
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            current_loss = loss()
        gradients = inner.gradient(current_loss, weights)
        pairs = zip(gradients, vectors, strict=True)
        parts = [
            tf.reduce_sum(g * tf.stop_gradient(tf.ensure_shape(v, g.shape)))
            for g, v in pairs
        ]
        product = tf.add_n(parts)
    return outer.gradient(product, weights, unconnected_gradients="zero")


# endregion hvp


# region forward_hvp
def forward_hvp(loss, weights, vectors):
    """Return what `hvp` returns; the weights are of type tf.Variable."""
    with tf.autodiff.ForwardAccumulator(weights, vectors) as forward:
        with tf.GradientTape() as tape:
            current_loss = loss()
        gradients = tape.gradient(current_loss, weights)
        gradients = [tf.convert_to_tensor(g) for g in gradients]
    return forward.jvp(gradients, unconnected_gradients="zero")


# endregion forward_hvp


if __name__ == "__main__":
    try:
        # region keras_weights
        model = make_classifier()
        x = tf.constant([[1.0, 0.5, 3.0], [-1.0, 2.0, 0.0]])
        y = tf.constant([[1.0], [0.0]])
        vectors = [tf.constant([[1.0], [0.0], [2.0]]), tf.constant([-1.0])]
        weights = model.trainable_variables
        forward_hvp(lambda: cross_entropy(model, x, y), weights, vectors)
        # endregion keras_weights
    except AttributeError as error:
        print(error)

    # region second_checked
    weights = [weight.value for weight in model.trainable_variables]
    for product in (hvp, forward_hvp):
        found = product(lambda: cross_entropy(model, x, y), weights, vectors)
        print(f"{product.__name__}: {flatten(found).round(4)}")

    rows = np.hstack([x, np.ones((2, 1))])  # a 1 for the bias
    p = tf.sigmoid(model(x)).numpy()
    due = rows.T @ (p * (1 - p) * rows) / 2 @ flatten(vectors)
    print(f"closed form: {due.round(4)}")
    # endregion second_checked
