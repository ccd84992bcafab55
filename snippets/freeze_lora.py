"""LoRA: a frozen kernel, and the product of two thin matrices beside it."""

import tensorflow as tf

if __name__ == "__main__":
    # region lora
    tf.keras.utils.set_random_seed(0)
    large = tf.keras.layers.Dense(64, name="large")
    both = [large, tf.keras.layers.Dense(1, name="head")]
    adapted = tf.keras.Sequential([tf.keras.Input((64,)), *both])
    row = tf.ones((1, 64))
    before = adapted(row)[0, 0]
    large.enable_lora(rank=2)
    print(f"output changed by {adapted(row)[0, 0] - before:.1f}")
    for variable in adapted.trainable_variables:
        print(variable.path.partition("/")[2], variable.shape)
    # endregion lora
