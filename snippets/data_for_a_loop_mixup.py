"""Rows that are mixed, and their labels with them."""

import tensorflow as tf

from snippets.data_for_a_loop_setup import slices


# region mix
def mix(
    x: tf.Tensor, y: tf.Tensor, share: tf.Tensor, seed: tuple[int, int]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return share of each row, and for the rest another row of the batch.

    Takes floats, y one-hot; share is a number from 0 to 1.
    """
    tf.debugging.assert_scalar(share)
    rows = tf.range(tf.shape(x)[0])
    order = tf.random.experimental.stateless_shuffle(rows, seed)
    mixed = [share * v + (1 - share) * tf.gather(v, order) for v in (x, y)]
    return mixed[0], mixed[1]


# endregion mix


if __name__ == "__main__":
    # region cut_off
    p = tf.constant([[0.9, 0.1]])
    error = tf.keras.losses.sparse_categorical_crossentropy
    for label in (0.0, 0.3, 0.9, 1.0):
        found = error(tf.constant([label]), p)[0]
        print(f"label {label}: loss {found:.2f}")
    # endregion cut_off

    # region mixed_labels
    x = tf.reshape(tf.range(4.0), (4, 1))
    y = tf.one_hot([0, 1, 2, 0], 3)
    x_mixed, y_mixed = mix(x, y, share=tf.constant(0.75), seed=(0, 0))
    for row, label in zip(x_mixed, y_mixed, strict=True):
        print(f"x {row[0]:.2f}, y", *(f"{part:.2f}" for part in label))
    # endregion mixed_labels

    # region mixed_loss
    soft = tf.keras.losses.categorical_crossentropy
    y = tf.constant([[0.7, 0.3]])
    for p in ([[1.0, 0.0]], [[0.5, 0.5]], [[0.7, 0.3]]):
        print(f"p {p[0]}: loss {soft(y, tf.constant(p))[0]:.2f}")
    # endregion mixed_loss

    # region numbers_of_classes
    mixup = tf.keras.layers.MixUp(alpha=1.0, seed=2)
    pictures = tf.random.stateless_uniform((4, 8, 8, 1), (0, 0))
    data = slices({"images": pictures, "labels": [0, 1, 2, 0]}).batch(4)
    for both in data.map(mixup):
        print("labels:", both["labels"].shape)
    # endregion numbers_of_classes

    # region by_layer
    labels = tf.one_hot([0, 1, 2, 0], 3)
    data = slices({"images": pictures, "labels": labels}).batch(4)
    for both in data.map(mixup):
        print("labels:", both["labels"].shape)
        for label in both["labels"]:
            print(*(f"{part:.2f}" for part in label))
    # endregion by_layer
