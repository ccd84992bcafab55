"""What goes on, and what begins anew, when ``fit`` is called again."""

import tensorflow as tf

from snippets.data import make_data
from snippets.fit_inwards import compiled
from snippets.keras_model import KerasLinearModel

if __name__ == "__main__":
    x, y = (values[:, tf.newaxis] for values in make_data())
    pairs = tf.data.Dataset.from_tensor_slices((x, y))
    batches = pairs.take(150).batch(32)
    held_out = pairs.skip(150).batch(32)

    # region fit_again
    again = compiled(KerasLinearModel())
    calls = {"validation_data": held_out, "shuffle": False, "verbose": 0}
    first = again.fit(batches, epochs=2, **calls)
    second = again.fit(batches, initial_epoch=2, epochs=4, **calls)
    print("epochs:", *first.epoch, *second.epoch)
    losses = first.history["loss"] + second.history["loss"]
    print("losses:", *(f"{value:.4f}" for value in losses))
    # endregion fit_again

    # region best_again
    again.save_weights("best.weights.h5")
    best = min(second.history["val_loss"])
    for threshold in (best, None):
        saver = tf.keras.callbacks.ModelCheckpoint(
            "best.weights.h5",
            save_weights_only=True,
            save_best_only=True,
            initial_value_threshold=threshold,
        )
        other = compiled(KerasLinearModel())
        other.fit(batches, epochs=1, callbacks=[saver], **calls)
        other.load_weights("best.weights.h5")
        scores = other.evaluate(held_out, verbose=0)
        print(f"loss of what is in the file: {scores[0]:.4f}")
    # endregion best_again
