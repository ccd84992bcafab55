"""An LSTM that forecasts noisy waves, with all parts of the page."""

import math

import matplotlib.pyplot as plt
import tensorflow as tf

from snippets.sequences_setup import BLUE, GREEN, RED, Model, Optimizer, Step


# region make_waves
def make_waves(rows: int, steps: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Return waves with noise and without, shape (rows, steps, 1)."""
    starts = 20 * tf.random.stateless_uniform([rows, 1], (0, 0))
    times = tf.range(steps, dtype=tf.float32) + starts
    waves = tf.sin(2 * math.pi * times / 20)[..., tf.newaxis]
    noise = 0.3 * tf.random.stateless_normal(waves.shape, (0, 1))
    return waves + noise, waves


# endregion make_waves


# region make_lstm
def make_lstm(units: int = 16) -> Model:
    """Return a model from (x, h, c) to (predictions, h, c)."""
    tf.keras.utils.set_random_seed(1)
    x = tf.keras.Input((None, 1))
    state = [tf.keras.Input((units,)) for _ in range(2)]
    lstm = tf.keras.layers.LSTM(
        units, return_sequences=True, return_state=True
    )
    outputs, *new_state = lstm(x, initial_state=state)
    predictions = tf.keras.layers.Dense(1)(outputs)
    return tf.keras.Model([x, *state], [predictions, *new_state])


# endregion make_lstm


# region make_stream_step
def make_stream_step(model: Model, optimizer: Optimizer) -> Step:
    """Return a step that learns from a window and hands on the state."""
    optimizer.build(model.trainable_variables)

    def step(x: tf.Tensor, y: tf.Tensor, state: list[tf.Tensor]):
        with tf.GradientTape() as tape:
            predictions, *state = model([x, *state], training=True)
            y = tf.ensure_shape(y, predictions.shape)
            loss = tf.reduce_mean(tf.square(y - predictions))
        variables = model.trainable_variables
        gradients = tape.gradient(loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return loss, state

    return step


# endregion make_stream_step

if __name__ == "__main__":
    # region stream
    noisy, waves = make_waves(rows=8, steps=201)
    x, y = noisy[:, :-1], noisy[:, 1:]
    zeros = [tf.zeros((8, 16)), tf.zeros((8, 16))]
    values, state = tf.TensorSpec([None, None, 1]), tf.TensorSpec([None, 16])
    model = make_lstm()
    optimizer = tf.keras.optimizers.Adam(0.02, global_clipnorm=1.0)
    step = tf.function(
        make_stream_step(model, optimizer),
        input_signature=[values, values, [state, state]],
    )
    # endregion stream

    # region run
    for epoch in range(1, 4):
        state, losses = zeros, []
        for start in range(0, 200, 10):
            window = slice(start, start + 10)
            loss, state = step(x[:, window], y[:, window], state)
            losses.append(float(loss))
        print(f"epoch {epoch}: loss {sum(losses) / len(losses):.2f}")
    # endregion run

    # region compare
    forecast = tf.function(model)
    state, carried, forgotten = zeros, [], []
    for start in range(0, 200, 10):
        window = x[:, start : start + 10]
        predictions, *state = forecast([window, *state])
        carried.append(predictions)
        predictions, *_ = forecast([window, *zeros])
        forgotten.append(predictions)
    parts = {"carried": carried, "forgotten": forgotten}
    for name, predictions in parts.items():
        error = tf.reduce_mean(tf.square(y - tf.concat(predictions, 1)))
        print(f"state {name}: loss {error:.2f}")
    # endregion compare

    # region plot
    steps = range(160, 200)
    plt.plot(steps, y[0, 160:, 0], ".", color=BLUE, label="noisy wave")
    styles = {"carried": (GREEN, "-"), "forgotten": (RED, "--")}
    for name, (color, style) in styles.items():
        line = tf.concat(parts[name], 1)[0, 160:, 0]
        plt.plot(steps, line, style, color=color, label=f"state {name}")
    plt.xlabel("step")
    plt.ylabel("value")
    plt.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    plt.show()
    # endregion plot
