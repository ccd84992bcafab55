"""Solutions to the exercises of the guide to basic training loops."""

import tensorflow as tf

from snippets.data import make_data
from snippets.linear_model import LinearModel
from snippets.loss import loss
from snippets.training_loop import train, training_loop


# region train_with_optimizer
def train_with_optimizer(model, x, y, optimizer) -> None:
    """Update the weights once, as the optimizer sees fit."""
    with tf.GradientTape() as tape:
        current_loss = loss(y, model(x))
    variables = model.trainable_variables
    gradients = tape.gradient(current_loss, variables)
    optimizer.apply_gradients(zip(gradients, variables, strict=True))


# endregion train_with_optimizer

if __name__ == "__main__":
    x, y = make_data()
    history = training_loop(LinearModel(), x, y)

    # region learning_rates
    for learning_rate in (0.1, 0.4, 0.8):
        model = LinearModel()
        for _ in range(10):
            train(model, x, y, learning_rate)
        print(f"learning rate {learning_rate}: {loss(y, model(x)):.4f}")
    # endregion learning_rates

    # region optimizer
    optimizer = tf.keras.optimizers.SGD(learning_rate=0.1)
    model = LinearModel()
    for _ in range(10):
        train_with_optimizer(model, x, y, optimizer)
    print(f"optimizer: w {float(model.w):.4f}, b {float(model.b):.4f}")
    print(f"by hand:   w {history['w'][-1]:.4f}, b {history['b'][-1]:.4f}")
    # endregion optimizer
