// The program that does in TensorFlow what the explorer does in the browser.

/**
 * @typedef {import("./model.js").Settings} Settings
 * @typedef {import("./model.js").Optimizer} Optimizer
 */

/** @type {Record<Optimizer, string>} */
const CALLS = {
  sgd: "SGD(learning_rate=RATE)",
  momentum: "SGD(RATE, momentum=0.9)",
  nesterov: "SGD(RATE, momentum=0.9, nesterov=True)",
  rmsprop: "RMSprop(learning_rate=RATE)",
  adam: "Adam(learning_rate=RATE)",
};

/**
 * Return the number as a float of Python.
 * @param {number} value
 */
const float = (value) => (Number.isInteger(value) ? `${value}.0` : `${value}`);

/**
 * Return the program for the settings, on so many points of data.
 * @param {Settings} settings
 * @param {number} points
 */
export function program({ optimizer, learning_rate, batch_size, epochs, w, b, noise }, points) {
  const factor = noise === 1 ? "" : `${float(noise)} * `;
  const shuffle =
    batch_size < points
      ? `order = tf.argsort(tf.random.stateless_uniform([${points}], seed=(0, 0)))
x, y = tf.gather(x, order), tf.gather(y, order)
`
      : "";
  return `import tensorflow as tf


def loss(y: tf.Tensor, predictions: tf.Tensor) -> tf.Tensor:
    """Return the mean squared error, a scalar."""
    return tf.reduce_mean(tf.square(predictions - y))


def train(w, b, optimizer, x, y) -> None:
    """Update the weights once, on the batch (x, y)."""
    with tf.GradientTape() as tape:
        current_loss = loss(y, x * w + b)
    gradients = tape.gradient(current_loss, [w, b])
    optimizer.apply_gradients(zip(gradients, [w, b], strict=True))


def report(history, w, b, x, y) -> None:
    """Add the weights and the loss to the history, and print them."""
    values = {"w": w, "b": b, "loss": loss(y, x * w + b)}
    for name, value in values.items():
        history[name].append(float(value))
    numbers = ", ".join(f"{k} {v[-1]:.6g}" for k, v in history.items())
    print(f"epoch {len(history['loss']) - 1:2}: {numbers}")


x = tf.cast(tf.linspace(-2, 2, ${points}), tf.float32)
noise = tf.random.stateless_normal([${points}], seed=(0, 0))
y = 3.0 * x + 2.0 + ${factor}noise
${shuffle}w, b = tf.Variable(${float(w)}), tf.Variable(${float(b)})
optimizer = tf.keras.optimizers.${CALLS[optimizer].replace("RATE", float(learning_rate))}
batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(${batch_size})

history: dict[str, list[float]] = {"w": [], "b": [], "loss": []}
report(history, w, b, x, y)
for _ in range(${epochs}):
    for x_batch, y_batch in batches:
        train(w, b, optimizer, x_batch, y_batch)
    report(history, w, b, x, y)
`;
}
