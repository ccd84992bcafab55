"""A step and an epoch of training, on good data."""

import tensorflow as tf
from keras import Model, Optimizer

from snippets.data import make_data
from snippets.keras_model import KerasLinearModel
from snippets.loss import loss


# region train
def train(
    model: Model, optimizer: Optimizer, x: tf.Tensor, y: tf.Tensor
) -> tf.Tensor:
    """Update every variable once; return the loss before that."""
    variables = model.trainable_variables
    with tf.GradientTape() as tape:
        current_loss = loss(y, model(x, training=True))
    gradients = tape.gradient(current_loss, variables)
    optimizer.apply(gradients, variables)
    return current_loss


# endregion train


# region train_epoch
def train_epoch(
    model: Model, optimizer: Optimizer, x: tf.Tensor, y: tf.Tensor
) -> list[float]:
    """Train with four batches of every fourth row; return their losses."""
    return [
        float(train(model, optimizer, x[start::4], y[start::4]))
        for start in range(4)
    ]


# endregion train_epoch

if __name__ == "__main__":
    # region data
    x, y = make_data()
    model, optimizer = KerasLinearModel(), tf.keras.optimizers.SGD(0.03)
    for epoch in range(1, 4):
        losses = train_epoch(model, optimizer, x, y)
        print(f"epoch {epoch}, losses:", *(f"{value:.2f}" for value in losses))
    # endregion data
