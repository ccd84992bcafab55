"""The data: noisy points on a line."""

# region setup
import matplotlib.pyplot as plt
import tensorflow as tf

BLUE, RED, GREEN = "#0072B2", "#D55E00", "#009E73"
# endregion setup

# region make_data
TRUE_W, TRUE_B = 3.0, 2.0


def make_data(points: int = 201) -> tuple[tf.Tensor, tf.Tensor]:
    """Return x and y = 3x + 2 + noise, both float32, shape (points,)."""
    x = tf.cast(tf.linspace(-2, 2, points), tf.float32)
    noise = tf.random.stateless_normal([points], seed=(0, 0))
    return x, TRUE_W * x + TRUE_B + noise


# endregion make_data

if __name__ == "__main__":
    # region look
    x, y = make_data()
    print("x:", x.shape, x.dtype.name)
    print("y:", y.shape, y.dtype.name)
    plt.plot(x, y, ".", color=BLUE, label="data")
    plt.xlabel("x")
    plt.ylabel("y")
    plt.legend()
    plt.show()
    # endregion look
