"""Traps of the loss: taken over all pairs of rows, and never scaled."""

import matplotlib.pyplot as plt
import tensorflow as tf

from snippets.data import make_data
from snippets.linear_model import LinearModel
from snippets.loss import loss
from snippets.traps_steps import train

if __name__ == "__main__":
    x, y = make_data()

    # region row_against_column
    inputs, outputs = x[:, tf.newaxis], y
    model = LinearModel()
    for _ in range(50):
        with tf.GradientTape() as tape:
            errors = model(inputs) - outputs
            current_loss = tf.reduce_mean(tf.square(errors))
        dw, db = tape.gradient(current_loss, [model.w, model.b])
        model.w.assign_sub(0.1 * dw)
        model.b.assign_sub(0.1 * db)
    print(f"loss {current_loss:.4f}")
    print(f"w {float(model.w):.4f}, b {float(model.b):.4f}")
    # endregion row_against_column

    # region columns
    flat, model = model, LinearModel()
    inputs, outputs = x[:, tf.newaxis], y[:, tf.newaxis]
    for _ in range(50):
        train(model, inputs, outputs, 0.1)
    print(f"loss {loss(outputs, model(inputs)):.4f}")
    print(f"w {float(model.w):.4f}, b {float(model.b):.4f}")
    plt.plot(x, y, ".", color="#0072B2", label="data")
    plt.plot(x, flat(x), "--", color="#D55E00", label="row against column")
    plt.plot(x, model(x), "-", color="#009E73", label="columns")
    plt.xlabel("x")
    plt.ylabel("y")
    plt.legend()
    plt.show()
    assert model(inputs).shape == outputs.shape
    # endregion columns

    # region unscaled
    model, history = LinearModel(), []
    variables = model.trainable_variables
    inner = tf.keras.optimizers.SGD(learning_rate=0.1)
    optimizer = tf.keras.optimizers.LossScaleOptimizer(inner)
    for _ in range(10):
        with tf.GradientTape() as tape:
            current_loss = loss(y, model(x))
        gradients = tape.gradient(current_loss, variables)
        optimizer.apply(gradients, variables)
        history.append(float(current_loss))
    print(f"first loss {history[0]:.4f}, tenth loss {history[-1]:.4f}")
    # endregion unscaled

    # region scaled
    model, history = LinearModel(), []
    variables = model.trainable_variables
    inner = tf.keras.optimizers.SGD(learning_rate=0.1)
    optimizer = tf.keras.optimizers.LossScaleOptimizer(inner)
    for _ in range(10):
        with tf.GradientTape() as tape:
            current_loss = loss(y, model(x))
            scaled_loss = optimizer.scale_loss(current_loss)
        gradients = tape.gradient(scaled_loss, variables)
        optimizer.apply(gradients, variables)
        history.append(float(current_loss))
    print(f"first loss {history[0]:.4f}, tenth loss {history[-1]:.4f}")
    assert history[-1] < 0.5 * history[0]
    # endregion scaled

    # region loss_per_row
    inputs, outputs = x[:, tf.newaxis], y[:, tf.newaxis]
    model, history = LinearModel(), []
    for _ in range(6):
        with tf.GradientTape() as tape:
            predictions = model(inputs)
            current_loss = tf.keras.losses.mse(outputs, predictions)
        dw, db = tape.gradient(current_loss, [model.w, model.b])
        model.w.assign_sub(0.1 * dw)
        model.b.assign_sub(0.1 * db)
        history.append(float(tf.reduce_mean(current_loss)))
    print("losses:", *(f"{value:.3g}" for value in history))
    # endregion loss_per_row

    # region one_loss
    model, history = LinearModel(), []
    for _ in range(6):
        with tf.GradientTape() as tape:
            predictions = model(inputs)
            losses = tf.keras.losses.mse(outputs, predictions)
            current_loss = tf.reduce_mean(losses)
        dw, db = tape.gradient(current_loss, [model.w, model.b])
        model.w.assign_sub(0.1 * dw)
        model.b.assign_sub(0.1 * db)
        history.append(float(current_loss))
    print("losses:", *(f"{value:.3g}" for value in history))
    assert current_loss.shape == ()
    # endregion one_loss
