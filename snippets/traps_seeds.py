"""The trap of seeds: one that Keras does not read."""

import tensorflow as tf

if __name__ == "__main__":
    # region set_seed
    starts = []
    for _ in range(3):
        tf.random.set_seed(1)
        layer = tf.keras.layers.Dense(1)
        layer.build((None, 1))
        starts.append(layer.kernel.numpy().item())
    print("different starts:", len(set(starts)))
    # endregion set_seed

    # region set_random_seed
    starts = []
    for _ in range(3):
        tf.keras.utils.set_random_seed(1)
        layer = tf.keras.layers.Dense(1)
        layer.build((None, 1))
        starts.append(layer.kernel.numpy().item())
    print("different starts:", len(set(starts)))
    assert starts[0] == starts[1]
    # endregion set_random_seed
