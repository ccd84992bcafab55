"""A model that is loaded whole, and used in another way."""

from pathlib import Path

import tensorflow as tf

from snippets.data import make_data

if __name__ == "__main__":
    inputs = make_data()[0][:, tf.newaxis]

    # region sorter
    raw = 100.0 * inputs + 300.0
    scaled = (raw - 300.0) / 100.0
    names = 67 * ["low"] + 67 * ["middle"] + 67 * ["high"]
    kinds = sorted(set(names))
    numbers = tf.constant([kinds.index(name) for name in names])
    tf.keras.utils.set_random_seed(0)
    dense = tf.keras.layers.Dense
    layers = [tf.keras.Input((1,)), dense(16, "relu"), dense(3, "softmax")]
    sorter = tf.keras.Sequential(layers)
    loss_name = "sparse_categorical_crossentropy"
    sorter.compile("adam", loss_name, metrics=["accuracy"])
    sorter.fit(scaled, numbers, epochs=100, verbose=0)
    sorter.save("sorter.keras")
    # endregion sorter

    # region worse
    sorted_again = tf.keras.models.load_model("sorter.keras")
    order = ["low", "middle", "high"]
    others = tf.constant([order.index(name) for name in names])
    for what, x_valid, y_valid in (
        ("as it was trained", scaled, numbers),
        ("another order of classes", scaled, others),
        ("inputs not scaled", raw, numbers),
    ):
        accuracy = sorted_again.evaluate(x_valid, y_valid, verbose=0)[1]
        print(f"{what}: accuracy {accuracy:.2f}")
    # endregion worse

    # region whole
    inside = tf.keras.layers.Rescaling(0.01, offset=-3.0)
    whole = tf.keras.Sequential([tf.keras.Input((1,)), inside, sorter])
    whole.save("whole.keras")
    Path("kinds.txt").write_text("\n".join(kinds))
    # endregion whole

    # region asked_again
    whole_again = tf.keras.models.load_model("whole.keras")
    read = Path("kinds.txt").read_text().split()
    best = tf.argmax(whole_again(raw), axis=-1).numpy()
    answers = [read[number] for number in best]
    right = sum(map(str.__eq__, answers, names))
    print(f"right: {right / len(names):.2f}")
    # endregion asked_again
