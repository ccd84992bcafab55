"""Augmentation in a pipeline: where it belongs, and what undoes it."""

import numpy as np
import tensorflow as tf

from snippets.data_for_a_loop_setup import Dataset, Layer, slices


# region make_pictures
def make_pictures(rows: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Return pictures of noise, (rows, 8, 8, 1), and labels 0 or 1."""
    uniform = tf.random.stateless_uniform
    x = uniform((rows, 8, 8, 1), (0, 0))
    return x, uniform((rows, 1), (0, 1), 0, 2, tf.int32)


# endregion make_pictures


# region changed
def changed(pictures: tf.Tensor, x: tf.Tensor) -> np.ndarray:
    """Return 1 for each picture that differs from that of x, else 0."""
    differs = tf.reduce_any(pictures != x, axis=(1, 2, 3))
    return np.array(differs, int)


# endregion changed


# region make_batches
def make_batches(
    x: tf.Tensor, y: tf.Tensor, batch: int, augment: Layer | None = None
) -> Dataset:
    """Return batches of (x, y); with a layer shuffled and augmented."""
    data = slices((x, y)).cache()
    if augment is None:
        return data.batch(batch)
    data = data.shuffle(len(data), seed=0).batch(batch)
    data = data.map(lambda x, y: (augment(x, training=True), y))
    return data.prefetch(tf.data.AUTOTUNE)


# endregion make_batches


# region make_model
def make_model() -> tf.keras.Model:
    """Return a model that augments in training, then sums up a picture."""
    layers = tf.keras.layers
    parts = [layers.RandomFlip("horizontal", seed=0), layers.Flatten()]
    return tf.keras.Sequential([tf.keras.Input((8, 8, 1)), *parts])


# endregion make_model


# region same_again
def same_again(data: Dataset) -> bool:
    """Return whether two passes over batches of (x, y) give the same x.

    Their order may be another.
    """
    first, second = (
        sorted(row.tobytes() for x, _ in data for row in x.numpy())
        for _ in range(2)
    )
    return first == second


# endregion same_again


# region flip_each
def flip_each(data: Dataset, **options: object) -> Dataset:
    """Return single pictures, each flipped or not by a number of its own.

    The options are those of tf.data.Dataset.random.
    """
    flip = tf.image.stateless_random_flip_left_right
    numbers = tf.data.Dataset.random(seed=0, **options)
    both = tf.data.Dataset.zip((data, numbers))
    return both.map(lambda x, number: flip(x, (0, number)))


# endregion flip_each


if __name__ == "__main__":
    # region each_epoch
    x, y = make_pictures(8)
    augment = tf.keras.layers.RandomFlip("horizontal", seed=0)
    data = slices(x).batch(8).map(augment)
    for epoch in range(3):
        for pictures in data:
            print(f"epoch {epoch}:", *changed(pictures, x))
    # endregion each_epoch

    # region cached
    data = slices(x).batch(8).map(augment).cache()
    for epoch in range(3):
        for pictures in data:
            print(f"epoch {epoch}:", *changed(pictures, x))
    # endregion cached

    # region uncached
    data = slices(x).batch(8).cache().map(augment)
    for epoch in range(3):
        for pictures in data:
            print(f"epoch {epoch}:", *changed(pictures, x))
    # endregion uncached

    # region thrown_away
    data = slices(x).batch(8)
    data.map(augment)
    for pictures in data:
        print("changed:", *changed(pictures, x))
    # endregion thrown_away

    # region drawn_once
    draw = np.random.default_rng(0)
    data = slices(tf.zeros(4)).map(lambda x: x + draw.uniform())
    print("brighter by:", *(f"{number:.2f}" for number in data))
    # endregion drawn_once

    # region made_inside
    try:
        slices(x).map(lambda x: tf.keras.layers.RandomFlip()(x))
    except ValueError as error:
        message = str(error).strip().splitlines()[-1].strip()
        print(message.partition(" created")[0])
    # endregion made_inside

    # region validation
    data = slices(x).batch(8)
    for training in (None, True, False):
        told = {} if training is None else {"training": training}
        for pictures in data.map(lambda x, told=told: augment(x, **told)):
            print(f"training={training}:", *changed(pictures, x))
    # endregion validation

    # region both_sets
    train = make_batches(x[:6], y[:6], batch=3, augment=augment)
    validation = make_batches(x[6:], y[6:], batch=2)
    print("batches:", len(train), len(validation))
    for pictures, _ in validation:
        print("changed:", *changed(pictures, x[6:]))
    # endregion both_sets

    # region apart
    mask = tf.cast(x > 0.5, tf.float32)
    pictures, masks = augment(x), augment(mask)
    matches = changed(tf.cast(pictures > 0.5, tf.float32), masks) == 0
    print("pairs that match:", matches.sum(), "of", len(x))
    # endregion apart

    # region together
    for name in ("masks", "segmentation_masks"):
        data = slices({"images": x, name: mask}).batch(8).map(augment)
        for pair in data:
            bright = tf.cast(pair["images"] > 0.5, tf.float32)
            matches = changed(bright, pair[name]) == 0
            print(f"{name}:", matches.sum(), "of", len(x))
    # endregion together

    # region in_model
    model = make_model()
    told = {"predict": model.predict(x, verbose=0), "model(x)": model(x)}
    for training in (True, False):
        told[f"training={training}"] = model(x, training=training)
    for name, flat in told.items():
        print(f"{name}:", *changed(tf.reshape(flat, x.shape), x))
    # endregion in_model

    # region ask_again
    print("training data:", same_again(train))
    print("validation data:", same_again(validation))
    # endregion ask_again

    # region by_numbers
    x, y = make_pictures(8)
    for again in (False, True):
        data = flip_each(slices(x), rerandomize_each_iteration=again)
        print("drawn again:", again)
        for epoch in range(2):
            for pictures in data.batch(8):
                print(f"epoch {epoch}:", *changed(pictures, x))
    # endregion by_numbers
