"""Functions whose gradient is defined by hand."""

import tensorflow as tf

from snippets.other_gradients_setup import Defined


# region round_through
@tf.custom_gradient
def round_through(x: tf.Tensor) -> Defined:
    """Return x rounded; its gradient is as if it were x."""

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        return upstream

    return tf.round(x), gradient


# endregion round_through


# region reverse
@tf.custom_gradient
def reverse(x: tf.Tensor) -> Defined:
    """Return x as it is; its gradient has the other sign."""

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        return -upstream

    return tf.identity(x), gradient


# endregion reverse


# region scaled
@tf.custom_gradient
def scaled(x: tf.Tensor, scale: tf.Variable) -> Defined:
    """Return x * scale; both are single numbers, and so are gradients."""

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return upstream * scale, upstream * x

    return x * scale, gradient


# endregion scaled


# region clip_backwards
def clip_backwards(x: tf.Tensor, limit: float) -> tf.Tensor:
    """Return x as it is; its gradient is no longer than the limit."""

    @tf.custom_gradient
    def same(x: tf.Tensor) -> Defined:
        return tf.identity(x), lambda g: tf.clip_by_norm(g, limit)

    return same(x)


# endregion clip_backwards


if __name__ == "__main__":
    # region rounded
    x = tf.Variable([0.2, 0.8, 1.7])
    for function in (tf.round, tf.sign, round_through):
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(function(x) ** 2)
        print(tape.gradient(total, x))
    # endregion rounded

    # region reversed
    weight, head = tf.Variable(2.0), tf.Variable(3.0)
    for function in (tf.identity, reverse):
        with tf.GradientTape() as tape:
            feature = 5.0 * weight
            total = function(feature) * head
        print([float(g) for g in tape.gradient(total, [weight, head])])
    # endregion reversed

    try:
        # region closed_over
        scale = tf.Variable(2.0)

        @tf.custom_gradient
        def scaled_inside(x: tf.Tensor) -> Defined:
            """Return x times a variable of the surroundings."""
            return x * scale, lambda upstream: upstream * scale

        with tf.GradientTape() as tape:
            total = scaled_inside(tf.constant(3.0))
        # endregion closed_over
    except TypeError as error:
        print(error)

    # region handed_in
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        total = scaled(x, scale)
    print([float(g) for g in tape.gradient(total, [x, scale])])
    # endregion handed_in

    # region clipped_backwards
    x = tf.Variable([3.0, 4.0])
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(clip_backwards(x, 1.0) ** 2)
    gradient = tape.gradient(total, x)
    print(f"{total:.0f}", *(f"{value:.1f}" for value in gradient))
    # endregion clipped_backwards
