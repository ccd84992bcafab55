"""Several models that are trained in threads of one process."""

from concurrent.futures import ThreadPoolExecutor

import tensorflow as tf

from snippets.data import make_data
from snippets.linear_model import LinearModel
from snippets.training_loop import train


# region trained
def trained(x: tf.Tensor, y: tf.Tensor, learning_rate: float) -> str:
    """Train a model of its own, by a step of its own; tell where it ends."""
    model = LinearModel()

    def step() -> None:
        train(model, x, y, learning_rate)

    own_step = tf.function(step)
    for _ in range(10):
        own_step()
    return f"w {float(model.w):.4f}, b {float(model.b):.4f}"


# endregion trained


# region made_with
def made_with() -> str:
    """Tell the types of a new layer, and the strategy that is in force."""
    layer, strategy = tf.keras.layers.Dense(1), tf.distribute.get_strategy()
    return f"{layer.dtype_policy.name}, {type(strategy).__name__}"


# endregion made_with

if __name__ == "__main__":
    x, y = make_data()

    # region threads
    rates = (0.1, 0.05)
    with ThreadPoolExecutor(len(rates)) as threads:
        jobs = [threads.submit(trained, x, y, rate) for rate in rates]
    for rate, job in zip(rates, jobs, strict=True):
        print(job.result(), "as alone:", job.result() == trained(x, y, rate))
    # endregion threads

    # region thread_settings
    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    strategy = tf.distribute.OneDeviceStrategy("CPU:0")
    with strategy.scope(), ThreadPoolExecutor(1) as threads:
        print("here:    ", made_with())
        print("a thread:", threads.submit(made_with).result())
    tf.keras.mixed_precision.set_global_policy("float32")
    # endregion thread_settings
