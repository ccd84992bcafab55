"""Center loss: a loss with variables that it does not train."""

import tensorflow as tf


# region make_codes
def make_codes() -> tuple[tf.Variable, tf.Tensor]:
    """Return 64 codes of two numbers, and their labels 0 and 1 in turn."""
    labels = tf.range(64) % 2
    middle = tf.gather([[1.0, 0.0], [-1.0, 0.0]], labels)
    noise = tf.random.stateless_normal((64, 2), (0, 0))
    return tf.Variable(middle + 0.5 * noise), labels


# endregion make_codes


# region center_loss
def center_loss(codes, labels, centers) -> tf.Tensor:
    """Return half the mean squared way of codes to their classes' centers.

    Codes have the shape (rows, numbers), labels (rows,).
    """
    near = tf.gather(centers, tf.ensure_shape(labels, [None]))
    ways = tf.ensure_shape(codes, near.shape) - near
    return 0.5 * tf.reduce_mean(tf.reduce_sum(ways**2, axis=1))


# endregion center_loss


# region follow
def follow(
    centers: tf.Variable, codes: tf.Tensor, labels: tf.Tensor, rate: float
) -> None:
    """Move centers towards the codes of their classes (Wen et al., 2016)."""
    add_up, classes = tf.math.unsorted_segment_sum, tf.shape(centers)[0]
    ways = add_up(tf.gather(centers, labels) - codes, labels, classes)
    counts = add_up(tf.ones_like(codes), labels, classes)
    centers.assign_sub(rate * ways / (1.0 + counts))


# endregion follow


# region told
def told(codes: tf.Tensor) -> str:
    """Return the spread of the codes of a class, and how far two are apart."""
    first, second = codes[::2], codes[1::2]
    spread = tf.reduce_mean(tf.math.reduce_std(first, axis=0))
    apart = tf.norm(tf.reduce_mean(first, 0) - tf.reduce_mean(second, 0))
    return f"spread {spread:.2f}, classes {apart:.2f} apart"


# endregion told


# region draw_in
def draw_in(rate: float) -> tf.Variable:
    """Return codes that learned from their center loss, in 50 steps."""
    codes, labels = make_codes()
    centers = tf.Variable(tf.zeros((2, 2)), trainable=False)
    optimizer = tf.keras.optimizers.SGD(6.4)
    for _ in range(50):
        with tf.GradientTape() as tape:
            current_loss = center_loss(codes, labels, centers)
        gradients = tape.gradient(current_loss, [codes])
        optimizer.apply_gradients(zip(gradients, [codes], strict=True))
        follow(centers, codes, labels, rate)
    return codes


# endregion draw_in


if __name__ == "__main__":
    # region lost_centers
    print("before:", told(make_codes()[0]))
    print("after: ", told(draw_in(rate=0.0)))
    # endregion lost_centers

    # region kept_centers
    print("after: ", told(draw_in(rate=0.5)))
    # endregion kept_centers
