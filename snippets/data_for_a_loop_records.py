"""Rows in a TFRecord file, and what parsing them complains of."""

import tensorflow as tf

from snippets.data_for_a_loop_setup import Dataset


# region write_rows
def write_rows(file: str, x: list[list[float]], y: list[int]) -> None:
    """Write a record for each row: its numbers x and its label y."""
    kind = tf.train
    with tf.io.TFRecordWriter(file) as writer:
        for numbers, label in zip(x, y, strict=True):
            floats = kind.Feature(float_list=kind.FloatList(value=numbers))
            labels = kind.Feature(int64_list=kind.Int64List(value=[label]))
            both = kind.Features(feature={"x": floats, "y": labels})
            writer.write(kind.Example(features=both).SerializeToString())


# endregion write_rows


# region read_rows
def read_rows(file: str, batch: int, features: dict[str, object]) -> Dataset:
    """Return batches of dictionaries, with what the features name."""
    records = tf.data.TFRecordDataset(file).batch(batch)
    return records.map(lambda some: tf.io.parse_example(some, features))


# endregion read_rows


if __name__ == "__main__":
    # region records
    write_rows("rows.tfrecord", [[0.0, 0.5], [1.0, 1.5]], [0, 1])
    fixed = tf.io.FixedLenFeature
    right = {"x": fixed([2], tf.float32), "y": fixed([1], tf.int64)}
    for rows in read_rows("rows.tfrecord", 2, right):
        print("x:", *rows["x"].numpy(), "y:", *rows["y"].numpy())
    # endregion records

    # region not_parsed
    wrong = {
        "another length": {"x": fixed([3], tf.float32)},
        "another type": {"x": fixed([2], tf.int64)},
        "another name": {"z": fixed([2], tf.float32)},
    }
    for name, features in wrong.items():
        try:
            list(read_rows("rows.tfrecord", 2, features))
        except tf.errors.InvalidArgumentError as error:
            _, _, message = str(error).partition("<unknown>, ")
            print(f"{name}: {message.splitlines()[0]}")
    # endregion not_parsed

    # region look_inside
    for record in tf.data.TFRecordDataset("rows.tfrecord").take(1):
        row = tf.train.Example.FromString(record.numpy())
        for name, feature in sorted(row.features.feature.items()):
            kind = feature.WhichOneof("kind")
            print(name, kind, len(getattr(feature, kind).value))
    # endregion look_inside
