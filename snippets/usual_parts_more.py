"""Several labels in a row, labels of pixels, and validation in an epoch."""

import tensorflow as tf

from snippets.data import make_data
from snippets.usual_parts import Polynomial


# region dice_loss
def dice_loss(y: tf.Tensor, shares: tf.Tensor) -> tf.Tensor:
    """Return 1 - Dice of each picture, a tensor of shape (batch,).

    Both are (batch, height, width, 1), labels 0 and 1 and shares between. A
    1 above and below keeps a picture with nothing in it from being 0 / 0.
    """
    y, axes = tf.ensure_shape(y, shares.shape), (1, 2, 3)
    both = tf.reduce_sum(y * shares, axes)
    sizes = tf.reduce_sum(y + shares, axes)
    return 1.0 - (2.0 * both + 1.0) / (sizes + 1.0)


# endregion dice_loss

if __name__ == "__main__":
    kinds = tf.keras.metrics
    all_x, all_y = (values[:, tf.newaxis] for values in make_data())
    train_x, valid_x = all_x[:20], all_x[20:40]
    train_y, valid_y = all_y[:20], all_y[20:40]

    # region multi_label
    labels = tf.constant([[1.0, 0, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]])
    shares = tf.constant(
        [[0.8, 0.1, 0.9, 0.2], [0.1, 0.7, 0.9, 0.2], [0.1, 0.2, 0.3, 0.1]]
    )
    print(f"accuracy: {kinds.CategoricalAccuracy()(labels, shares):.2f}")
    for name, outputs in (("shares", shares), ("zeros", 0.0 * shares)):
        each = kinds.BinaryAccuracy()(labels, outputs)
        f1 = kinds.F1Score("micro", threshold=0.5)(labels, outputs)
        right = tf.reduce_all((outputs > 0.5) == (labels > 0.5), axis=1)
        rows = tf.reduce_mean(tf.cast(right, tf.float32))
        print(f"{name}: each {each:.2f}, F1 {f1:.2f}, whole rows {rows:.2f}")
    # endregion multi_label

    # region mean_iou
    pixels = tf.constant([0.0, 0.0, 1.0, 1.0])
    good, bad = tf.constant([0.1, 0.2, 0.8, 0.9]), tf.constant([0.7] * 4)
    for iou in (kinds.MeanIoU(num_classes=2), kinds.BinaryIoU()):
        for name, outputs in (("good", good), ("bad", bad)):
            iou.reset_state()
            print(f"{iou.name}, {name}: {iou(pixels, outputs):.2f}")
    # endregion mean_iou

    # region nothing_there
    shares = tf.Variable(tf.fill((1, 8, 8, 1), 0.5))
    nothing = tf.zeros((1, 8, 8, 1))
    keras_dice = tf.keras.losses.Dice(axis=(1, 2, 3))
    for name, dice in (("Keras", keras_dice), ("smoothed", dice_loss)):
        with tf.GradientTape() as tape:
            current_loss = tf.reduce_mean(dice(nothing, shares))
        gradient = tape.gradient(current_loss, shares)
        print(f"{name}: loss {current_loss:.4f},", end=" ")
        print(f"largest slope {tf.reduce_max(abs(gradient)):.4f}")
    # endregion nothing_there

    # region evaluated_within
    class Often(tf.keras.callbacks.Callback):
        """Evaluates after each batch, while the epoch goes on."""

        def on_train_batch_end(self, batch, logs=None):
            """Evaluate the rows that are kept back."""
            self.model.evaluate(valid_x, valid_y, verbose=0)

    for often in ([], [Often()]):
        line = Polynomial(degree=1)
        line.compile("sgd", "mse")
        options = {"batch_size": 5, "shuffle": False, "verbose": 0}
        log = line.fit(train_x, train_y, callbacks=often, **options).history
        print(f"{len(often)} callbacks: loss {log['loss'][0]:.4f}")
    print(f"validation {line.evaluate(valid_x, valid_y, verbose=0):.4f}")
    # endregion evaluated_within

    # region in_parts
    line = Polynomial(degree=1)
    line.compile("sgd", "mse")
    rows = tf.data.Dataset.from_tensor_slices((train_x, train_y))
    log = line.fit(
        rows.batch(5).repeat(),
        steps_per_epoch=2,
        epochs=4,
        validation_data=(valid_x, valid_y),
        verbose=0,
        shuffle=False,
    ).history
    print("validation:", *(f"{loss:.2f}" for loss in log["val_loss"]))
    # endregion in_parts
