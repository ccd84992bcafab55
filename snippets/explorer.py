"""The guide's run in one piece: what the explorer starts from."""

# region setup
import tensorflow as tf

# endregion setup


# region loss
def loss(y: tf.Tensor, predictions: tf.Tensor) -> tf.Tensor:
    """Return the mean squared error, a scalar."""
    return tf.reduce_mean(tf.square(predictions - y))


# endregion loss


# region train
def train(w, b, optimizer, x, y) -> None:
    """Update the weights once, on the batch (x, y)."""
    with tf.GradientTape() as tape:
        current_loss = loss(y, x * w + b)
    gradients = tape.gradient(current_loss, [w, b])
    optimizer.apply_gradients(zip(gradients, [w, b], strict=True))


# endregion train


# region report
def report(history, w, b, x, y) -> None:
    """Add the weights and the loss to the history, and print them."""
    values = {"w": w, "b": b, "loss": loss(y, x * w + b)}
    for name, value in values.items():
        history[name].append(float(value))
    numbers = ", ".join(f"{k} {v[-1]:.6g}" for k, v in history.items())
    print(f"epoch {len(history['loss']) - 1:2}: {numbers}")


# endregion report

if __name__ == "__main__":
    # region start
    x = tf.cast(tf.linspace(-2, 2, 201), tf.float32)
    noise = tf.random.stateless_normal([201], seed=(0, 0))
    y = 3.0 * x + 2.0 + noise
    w, b = tf.Variable(5.0), tf.Variable(0.0)
    optimizer = tf.keras.optimizers.SGD(learning_rate=0.1)
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(201)
    # endregion start

    # region run
    history: dict[str, list[float]] = {"w": [], "b": [], "loss": []}
    report(history, w, b, x, y)
    for _ in range(10):
        for x_batch, y_batch in batches:
            train(w, b, optimizer, x_batch, y_batch)
        report(history, w, b, x, y)
    # endregion run

    # region limit
    curvature = 2.0 * float(tf.reduce_mean(x * x))
    limit = 2.0 / curvature
    print(f"curvature {curvature:.4f}, limit {limit:.4f}")
    # endregion limit

    # region momentum
    beta = 0.9
    momentum_limit = 2.0 * (1.0 + beta) / curvature
    nesterov_limit = momentum_limit / (1.0 + 2.0 * beta)
    print(f"momentum {momentum_limit:.4f}, Nesterov {nesterov_limit:.4f}")
    # endregion momentum

    # region both_sides
    for factor in (0.98, 1.02):
        w, b = tf.Variable(5.0), tf.Variable(0.0)
        optimizer = tf.keras.optimizers.SGD(learning_rate=factor * limit)
        for _ in range(100):
            train(w, b, optimizer, x, y)
        print(f"{factor} of the limit: loss {loss(y, x * w + b):.4f}")
    # endregion both_sides
