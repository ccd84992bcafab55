"""The mask of a document: sentences of words, both padded."""

import tensorflow as tf

if __name__ == "__main__":
    try:
        # region nested
        layers = tf.keras.layers
        tf.keras.utils.set_random_seed(0)
        document = tf.constant([[[3, 1, 0], [2, 0, 0], [0, 0, 0]]])
        embedded = layers.Embedding(5, 3, mask_zero=True)(document)
        sentences = layers.TimeDistributed(layers.GRU(2))(embedded)
        reader = layers.GRU(2)
        reader(sentences)
        # endregion nested
    except tf.errors.InvalidArgumentError as error:
        print(error)

    # region nested_mask
    real = tf.reduce_any(document != 0, axis=-1)
    print("padded: ", reader(sentences, mask=real).numpy()[0].round(4))
    print("without:", reader(sentences[:, :2]).numpy()[0].round(4))
    # endregion nested_mask
