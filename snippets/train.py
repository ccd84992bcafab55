"""A training that can be killed and run again, as a program of its own."""

# region imports
import os
import signal
import sys

import tensorflow as tf

# endregion imports
from snippets.data import make_data


# region batches
def batch_of(
    step: int, x: tf.Tensor, y: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the batch of that step, in the order of its epoch."""
    epoch, place, size = step // 4, step % 4, -(-len(x) // 4)
    numbers = tf.random.stateless_uniform([len(x)], seed=(1, epoch))
    rows = tf.argsort(numbers)[size * place : size * (place + 1)]
    return tf.gather(x, rows), tf.gather(y, rows)


# endregion batches

if __name__ == "__main__":
    # region arguments
    folder, kill_at = sys.argv[1], int(sys.argv[2])
    x, y = make_data()
    # endregion arguments

    # region state
    w, b, step = tf.Variable(5.0), tf.Variable(0.0), tf.Variable(0)
    losses = tf.Variable(tf.fill([30], float("nan")))
    optimizer = tf.keras.optimizers.Adam(learning_rate=0.1)
    optimizer.build([w, b])
    noise = tf.random.Generator.from_seed(0)
    state = tf.train.Checkpoint(
        w=w, b=b, optimizer=optimizer, step=step, noise=noise, losses=losses
    )
    manager = tf.train.CheckpointManager(state, folder, max_to_keep=2)
    if manager.latest_checkpoint:
        state.restore(manager.latest_checkpoint).assert_consumed()
    print("steps taken before:", int(step), flush=True)
    # endregion state

    # region loop
    while step < 30:
        inputs, outputs = batch_of(int(step), x, y)
        inputs += 0.1 * noise.normal(inputs.shape)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(inputs * w + b - outputs))
        gradients = tape.gradient(loss, [w, b])
        optimizer.apply_gradients(zip(gradients, [w, b], strict=True))
        losses[step].assign(loss)
        step.assign_add(1)
        if step == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if step % 5 == 0:
            manager.save(checkpoint_number=step)
    # endregion loop
