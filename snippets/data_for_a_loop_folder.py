"""Pictures in folders: their labels, and a split of them."""

from collections.abc import Iterable

import tensorflow as tf


# region write_pictures
def write_pictures(folder: str, names: Iterable[str]) -> None:
    """Write five grey pictures, 8 by 8, into a folder for each name.

    The first is as bright as the name, a number from 0 to 25, times ten.
    """
    for name in names:
        for number in range(5):
            grey = tf.constant(10 * int(name) + number, tf.uint8)
            picture = tf.io.encode_png(tf.fill((8, 8, 1), grey))
            tf.io.write_file(f"{folder}/{name}/{number}.png", picture)


# endregion write_pictures


if __name__ == "__main__":
    # region from_folder
    write_pictures("pictures", ["1", "2", "10"])
    load = tf.keras.utils.image_dataset_from_directory
    options = {"image_size": (8, 8), "color_mode": "grayscale"}
    data = load("pictures", shuffle=False, **options)
    print("classes:", *data.class_names)
    for x, y in data:
        print("grey:", *x.numpy()[:, 0, 0, 0].astype(int))
        print("labels:", *y.numpy())
    # endregion from_folder

    # region own_order
    names = ["1", "2", "10"]
    data = load("pictures", class_names=names, shuffle=False, **options)
    print("classes:", *data.class_names)
    # endregion own_order

    # region last_class
    split = {"validation_split": 0.4, "class_names": names, **options}
    valid = load("pictures", subset="validation", shuffle=False, **split)
    print("labels:", *(label for _, y in valid for label in y.numpy()))
    # endregion last_class

    # region two_seeds
    train = load("pictures", subset="training", seed=1, **split)
    valid = load("pictures", subset="validation", seed=2, **split)
    print("in both:", len({*train.file_paths} & {*valid.file_paths}))
    # endregion two_seeds

    # region both
    train, valid = load("pictures", subset="both", seed=1, **split)
    print("in both:", len({*train.file_paths} & {*valid.file_paths}))
    print("labels:", *(label for _, y in valid for label in y.numpy()))
    # endregion both
