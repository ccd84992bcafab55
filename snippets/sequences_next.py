"""The next word of a sequence: targets that are shifted by one."""

import tensorflow as tf

from snippets.sequences_setup import Model


# region train_words
def train_words(inputs: tf.Tensor, targets: tf.Tensor) -> Model:
    """Return a model that says the target of each step, one of 0 to 4."""
    tf.keras.utils.set_random_seed(0)
    embedding = tf.keras.layers.Embedding(5, 8)
    gru = tf.keras.layers.GRU(16, return_sequences=True)
    model = tf.keras.Sequential([embedding, gru, tf.keras.layers.Dense(5)])
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(tf.keras.optimizers.Adam(0.05), loss)
    log = model.fit(inputs, targets, epochs=50, shuffle=False, verbose=0)
    print(f"loss {log.history['loss'][-1]:.3f}")
    return model


# endregion train_words


# region go_on
def go_on(model: Model, row: list[int], steps: int) -> list[int]:
    """Return the row and what follows, each word read before the next."""
    for _ in range(steps):
        logits = model(tf.constant([row]))[0, -1]
        row = [*row, int(tf.argmax(logits))]
    return row


# endregion go_on

if __name__ == "__main__":
    # region copied
    counts = tf.constant([[1, 2, 3, 4, 1, 2, 3], [3, 4, 1, 2, 3, 4, 1]])
    print(go_on(train_words(counts, counts), [2, 3], 4))
    # endregion copied

    # region shifted
    print(go_on(train_words(counts[:, :-1], counts[:, 1:]), [2, 3], 4))
    # endregion shifted
