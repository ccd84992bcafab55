"""The states that an encoder hands to its decoder."""

import tensorflow as tf


# region joined
def joined(states: list[tf.Tensor]) -> list[tf.Tensor]:
    """Return the states of Bidirectional, both directions side by side."""
    half = len(states) // 2
    pairs = zip(states[:half], states[half:], strict=True)
    return [tf.keras.layers.concatenate(pair) for pair in pairs]


# endregion joined

if __name__ == "__main__":
    # region first_alone
    row = tf.ones((1, 3, 1))
    gru = tf.keras.layers.GRU(4, return_state=True)
    encoder = tf.keras.layers.Bidirectional(gru)
    decoder = tf.keras.layers.GRU(4)
    with tf.GradientTape() as tape:
        _, *states = encoder(row)
        total = tf.reduce_sum(decoder(row, initial_state=states))
    gradients = tape.gradient(total, encoder.trainable_variables)
    print("without a gradient:", sum(g is None for g in gradients), "of 6")
    # endregion first_alone

    # region both_ways
    decoder = tf.keras.layers.GRU(8)
    with tf.GradientTape() as tape:
        _, *states = encoder(row)
        total = tf.reduce_sum(decoder(row, initial_state=joined(states)))
    gradients = tape.gradient(total, encoder.trainable_variables)
    assert None not in gradients
    # endregion both_ways
