"""State that is carried over, forgotten, or cut from the gradient."""

import matplotlib.pyplot as plt
import tensorflow as tf

from snippets.sequences import make_rnn
from snippets.sequences_setup import Layer, Model


# region reset
def reset(model: Model) -> None:
    """Set the states of stateful layers to zero, in inner models too."""
    for layer in model.layers:
        if isinstance(layer, tf.keras.Model):
            reset(layer)
        elif getattr(layer, "stateful", False):
            layer.reset_state()


# endregion reset


# region read
def read(rnn: Layer, x: tf.Tensor, size: int, cut: bool) -> tf.Tensor:
    """Return the last state after reading x in windows of so many steps."""
    state = [tf.zeros((len(x), 1))]
    for start in range(0, x.shape[1], size):
        if cut:
            state = [tf.stop_gradient(part) for part in state]
        window = x[:, start : start + size]
        _, *state = rnn(window, initial_state=state)
    return state[0]


# endregion read

if __name__ == "__main__":
    # region forgotten
    ones = tf.ones((1, 8, 1))
    windows = ones[:, :4], ones[:, 4:]
    counter = make_rnn(1.0, 1.0)
    for window in windows:
        print(tf.squeeze(counter(window)).numpy())
    # endregion forgotten

    # region carried
    counter = make_rnn(1.0, 1.0, return_state=True)
    state = None
    for window in windows:
        outputs, *state = counter(window, initial_state=state)
        print(tf.squeeze(outputs).numpy())
    whole, *_ = counter(ones)
    assert outputs[0, -1, 0] == whole[0, -1, 0]
    # endregion carried

    # region stateful
    counter = make_rnn(1.0, 1.0, stateful=True)
    one_row = tf.keras.Input(batch_shape=(1, None, 1))
    model = tf.keras.Sequential([one_row, counter])
    for window in windows:
        print(tf.squeeze(model(window)).numpy())
    # endregion stateful

    # region not_reset
    new_row = tf.ones((1, 3, 1))
    print(tf.squeeze(model(new_row)).numpy())
    # endregion not_reset

    try:
        # region reset_states
        model.reset_states()
        # endregion reset_states
    except AttributeError as error:
        print(error)

    # region was_reset
    for _ in range(2):
        reset(model)
        outputs = tf.squeeze(model(new_row)).numpy()
        print(outputs)
    assert outputs[0] == 1.0
    # endregion was_reset

    # region seen
    counter = make_rnn(1.0, 1.0, return_state=True)
    row = tf.ones((1, 20, 1))
    for size in (20, 10, 5):
        with tf.GradientTape() as tape:
            last = read(counter, row, size, cut=True)
        _, slope = tape.gradient(last, counter.trainable_variables)
        count, seen = float(tf.squeeze(last)), float(tf.squeeze(slope))
        print(f"windows of {size}: count {count:.0f}, gradient {seen:.0f}")
    # endregion seen

    # region reach
    rnn = make_rnn(1.0, 0.9, return_state=True)
    for cut, style in ((False, "o-"), (True, "s--")):
        with tf.GradientTape() as tape:
            tape.watch(row)
            last = read(rnn, row, 10, cut)
        slopes = tf.squeeze(tape.gradient(last, row))
        label = "cut every 10 steps" if cut else "whole"
        plt.plot(range(1, 21), slopes, style, markersize=4, label=label)
    plt.xticks(range(0, 21, 5))
    plt.xlabel("step")
    plt.ylabel("gradient of the last state")
    plt.legend()
    plt.show()
    # endregion reach

    # region share
    rnn, row = make_rnn(1.0, 0.9, return_state=True), tf.ones((1, 20, 1))
    whole = (1 - 0.9**20) / (1 - 0.9)
    for size in (5, 10):
        with tf.GradientTape() as tape:
            tape.watch(row)
            last = read(rnn, row, size, cut=True)
        seen = float(tf.reduce_sum(tape.gradient(last, row)))
        due = (1 - 0.9**size) / (1 - 0.9)
        print(f"windows of {size}: {seen / whole:.2f}, due {due / whole:.2f}")
    # endregion share
