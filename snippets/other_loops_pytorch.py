"""What the lines of a loop in PyTorch are in TensorFlow."""

import tensorflow as tf

from snippets.other_loops_finder import make_model, make_rows
from snippets.other_loops_setup import Dataset

if __name__ == "__main__":
    # region ported
    model = make_model()
    loss = tf.keras.losses.MeanSquaredError()
    optimizer = tf.keras.optimizers.Adam(0.01)
    variables = model.trainable_variables
    for x, y in Dataset.from_tensor_slices(make_rows()).batch(64):
        with tf.GradientTape() as tape:
            y_pred = model(x, training=True)  # model.train()
            current_loss = loss(y, y_pred)  # criterion(y_pred, y)
        gradients = tape.gradient(current_loss, variables)  # backward()
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
    print(f"loss {float(current_loss):.2f}")  # loss.item()
    # endregion ported

    # region detached
    w = tf.Variable(3.0)
    for _ in range(2):
        with tf.GradientTape() as tape:
            current_loss = w * w
        print(f"{tape.gradient(current_loss, w):.0f}")  # no zero_grad()
    with tf.GradientTape() as tape:
        current_loss = w * tf.stop_gradient(w)  # w * w.detach()
    print(f"detached: {tape.gradient(current_loss, w):.0f}")
    with tf.GradientTape() as tape:
        with tape.stop_recording():  # torch.no_grad()
            number = w * w
        current_loss = number * w
    print(f"not recorded: {tape.gradient(current_loss, w):.0f}")
    # endregion detached
