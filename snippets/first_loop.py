"""A training loop in fifteen lines, as the home page shows it."""

if __name__ == "__main__":
    # region loop
    import matplotlib.pyplot as plt
    import tensorflow as tf

    x = tf.linspace(-2.0, 2.0, 201)
    y = 3.0 * x + 2.0 + tf.random.stateless_normal([201], seed=(0, 0))
    w, b = tf.Variable(5.0), tf.Variable(0.0)
    plt.plot(x, y, ".", color="#0072B2")
    for epoch in range(10):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(x * w + b - y))
        dw, db = tape.gradient(loss, [w, b])
        w.assign_sub(0.1 * dw)
        b.assign_sub(0.1 * db)
        plt.plot(x, x * w + b, color="#D55E00", alpha=0.3 + 0.07 * epoch)
    plt.show()
    # endregion loop
