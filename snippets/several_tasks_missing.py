"""Labels that are missing: left out of the loss and of its count."""

import math

import tensorflow as tf

from snippets.other_loops_finder import make_step


# region make_labels
def make_labels() -> tuple[tf.Tensor, tf.Tensor]:
    """Return 256 rows of four numbers, and two labels y of each row.

    About half of the labels are missing, which is to say NaN.
    """
    x = tf.random.stateless_uniform((256, 4), (0, 0), -1.0, 1.0)
    y = tf.stack([x[:, 0] + 2.0 * x[:, 1], x[:, 1] - x[:, 2]], axis=1)
    missing = tf.random.stateless_uniform(y.shape, (0, 10)) < 0.5
    return x, tf.where(missing, math.nan, y)


# endregion make_labels


# region masked_late
def masked_late(y: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Return a mean squared error, the missing labels left out too late."""
    known = tf.math.is_finite(y)
    return tf.reduce_mean(tf.where(known, (y - y_pred) ** 2, 0.0))


# endregion masked_late


# region known_loss
def known_loss(y: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Return the mean squared error of the labels that are not NaN.

    Both have the same shape.  Without a single label the loss is 0.
    """
    y_pred = tf.ensure_shape(y_pred, y.shape)
    known = tf.math.logical_not(tf.math.is_nan(y))
    safe = tf.where(known, y, 0.0)
    each = tf.where(known, (safe - y_pred) ** 2, 0.0)
    count = tf.reduce_sum(tf.cast(known, each.dtype))
    return tf.math.divide_no_nan(tf.reduce_sum(each), count)


# endregion known_loss


# region by_task
def by_task(y: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Return the mean of the mean squared errors of the tasks.

    Both have the shape (rows, tasks); a NaN in y is no label.
    """
    tasks = zip(tf.unstack(y, axis=1), tf.unstack(y_pred, axis=1), strict=True)
    return tf.reduce_mean([known_loss(*task) for task in tasks])


# endregion by_task


if __name__ == "__main__":
    # region masked_too_late
    x, y = make_labels()
    y_pred = tf.zeros_like(y)
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        current_loss = masked_late(y, y_pred)
    gradients = tape.gradient(current_loss, y_pred)
    print(f"loss {current_loss:.3f}")
    for label, gradient in zip(y[:2], gradients, strict=False):
        print(f"labels {label}, gradients {gradient}")
    # endregion masked_too_late

    # region masked_first
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        current_loss = known_loss(y, y_pred)
    gradients = tape.gradient(current_loss, y_pred)
    print(f"loss {current_loss:.3f}")
    for label, gradient in zip(y[:2], gradients, strict=False):
        print(f"labels {label}, gradients {gradient}")
    # endregion masked_first

    # region learn_known
    filled = tf.where(tf.math.is_nan(y), 0.0, y)
    for name, labels in (("filled with 0", filled), ("left out", y)):
        dense = tf.keras.layers.Dense(2, kernel_initializer="zeros")
        model = tf.keras.Sequential([tf.keras.Input((4,)), dense])
        step = make_step(model, known_loss, tf.keras.optimizers.SGD(0.5))
        for _ in range(100):
            step(x, labels)
        print(f"{name}: {dense.kernel[1, 0]:.2f} in the place of 2")
    # endregion learn_known

    # region void_pixels
    y = tf.constant([[0, 1], [1, 255]])
    logits = tf.constant([[[2.0, 0.0], [0.0, 1.0]], [[0.0, 3.0], [9.0, 0.0]]])
    cross_entropy = tf.keras.losses.SparseCategoricalCrossentropy
    loss = cross_entropy(from_logits=True, ignore_class=255)
    each = cross_entropy(from_logits=True, ignore_class=255, reduction="none")
    accuracy = tf.keras.metrics.SparseCategoricalAccuracy()
    print(each(y, logits).numpy().round(3))
    print(f"mean {loss(y, logits):.3f}")
    print(f"accuracy {accuracy(y, logits):.2f}")
    accuracy.reset_state()
    known = tf.cast(y != 255, tf.float32)
    print(f"accuracy {accuracy(y, logits, sample_weight=known):.2f}")
    # endregion void_pixels

    # region weighed_pixels
    weights = tf.constant([[1.0, 4.0], [1.0, 1.0]])
    print(f"{loss(y, logits, sample_weight=weights):.3f}")
    # endregion weighed_pixels

    # region same_for_tasks
    y = tf.constant([[1.0, math.nan], [1.0, math.nan], [1.0, 3.0]])
    y_pred = tf.zeros_like(y)
    print(f"each label the same: {known_loss(y, y_pred):.2f}")
    print(f"each task the same: {by_task(y, y_pred):.2f}")
    # endregion same_for_tasks
