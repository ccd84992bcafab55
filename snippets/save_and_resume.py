"""Save a training, stop it, resume it: checkpoints and a kill."""

# region setup
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import tensorflow as tf

BLUE, RED, GREEN = "#0072B2", "#D55E00", "#009E73"
# endregion setup

from snippets.data import make_data  # noqa: E402
from snippets.linear_model import LinearModel  # noqa: E402
from snippets.loss import loss  # noqa: E402


# region new_training
def new_training(
    model: LinearModel | tf.keras.Model, learning_rate: float = 0.05
) -> tf.train.Checkpoint:
    """Return all that a training of the model consists of, at its start.

    The model must have its variables already.
    """
    optimizer = tf.keras.optimizers.SGD(learning_rate, momentum=0.9)
    optimizer.build(model.trainable_variables)
    return tf.train.Checkpoint(
        model=model, optimizer=optimizer, epoch=tf.Variable(0)
    )


# endregion new_training


# region train_until
def train_until(
    last: int, training: tf.train.Checkpoint, x: tf.Tensor, y: tf.Tensor
) -> list[float]:
    """Train up to the epoch; return the loss before each update."""
    losses = []
    while training.epoch < last:
        with tf.GradientTape() as tape:
            current_loss = loss(y, training.model(x))
        variables = training.model.trainable_variables
        gradients = tape.gradient(current_loss, variables)
        pairs = zip(gradients, variables, strict=True)
        training.optimizer.apply_gradients(pairs)
        training.epoch.assign_add(1)
        losses.append(float(current_loss))
    return losses


# endregion train_until


# region data
DATA = """\
import os
import signal
import sys

import tensorflow as tf

folder, kill_at = "whole", 0
if __name__ == "__main__":
    folder, kill_at = sys.argv[1], int(sys.argv[2])
x = tf.linspace(-2.0, 2.0, 201)
y = 3.0 * x + 2.0 + tf.random.stateless_normal([201], seed=(0, 0))
"""
# endregion data

# region batches
BATCHES = """\
def batch_of(step):
    epoch, place = step // 4, step % 4
    numbers = tf.random.stateless_uniform([201], seed=(1, epoch))
    rows = tf.argsort(numbers)[51 * place : 51 * (place + 1)]
    return tf.gather(x, rows), tf.gather(y, rows)
"""
# endregion batches

# region state
STATE = """\
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
"""
# endregion state

# region loop
LOOP = """\
while step < 30:
    inputs, outputs = batch_of(int(step))
    inputs += 0.1 * noise.normal(inputs.shape)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(inputs * w + b - outputs))
    optimizer.apply_gradients(zip(tape.gradient(loss, [w, b]), [w, b]))
    losses[step].assign(loss)
    step.assign_add(1)
    if step == kill_at:
        os.kill(os.getpid(), signal.SIGKILL)
    if step % 5 == 0:
        manager.save(checkpoint_number=step)
"""
# endregion loop


# region run_training
def run_training(folder: str, kill_at: int) -> None:
    """Run train.py in a process of its own and say how it ended."""
    ended = subprocess.run(
        [sys.executable, "train.py", folder, str(kill_at)],
        capture_output=True,
        text=True,
        check=False,
    )
    print(ended.stdout, end="")
    if ended.returncode < 0:
        print("ended by", signal.Signals(-ended.returncode).name)
    else:
        print("ended with exit code", ended.returncode)


# endregion run_training

if __name__ == "__main__":
    # region folder
    os.chdir(tempfile.mkdtemp(prefix="saved-", dir="."))
    # endregion folder

    # region resume
    x, y = make_data()
    whole = train_until(30, new_training(LinearModel()), x, y)

    stopped = new_training(LinearModel())
    first = train_until(10, stopped, x, y)
    path = stopped.write("stopped")

    resumed = new_training(LinearModel())
    resumed.read(path).assert_consumed()
    print("epoch of the resumed training:", int(resumed.epoch))
    rest = train_until(30, resumed, x, y)
    print("same losses:", first + rest == whole)
    # endregion resume

    # region contents
    ending = "/.ATTRIBUTES/VARIABLE_VALUE"
    for key, _ in tf.train.list_variables(path):
        if key.endswith(ending):
            value = tf.train.load_variable(path, key)
            print(f"{key.removesuffix(ending):25} {value:7.4f}")
    # endregion contents

    # region alone
    alone = new_training(LinearModel())
    weights = tf.train.Checkpoint(model=alone.model)
    weights.read(path).expect_partial()
    alone.epoch.assign(10)
    alone_rest = train_until(30, alone, x, y)
    plt.plot(whole, "-", color=BLUE, label="uninterrupted")
    plt.plot(range(10, 30), rest, "o", color=RED, label="all restored")
    plt.plot(
        range(10, 30), alone_rest, "s--", color=GREEN, label="weights alone"
    )
    plt.xlabel("epoch")
    plt.ylabel("loss")
    plt.legend()
    plt.show()
    # endregion alone

    # region iterator
    options = tf.data.Options()
    options.autotune.enabled = False
    iterators = []
    for _ in range(2):
        numbers = tf.data.Dataset.range(10).shuffle(10, seed=0)
        numbers = numbers.batch(4).repeat().with_options(options)
        iterators.append(iter(numbers))
    batches, resumed_batches = iterators
    for _ in range(3):
        next(batches)
    path = tf.train.Checkpoint(batches=batches).write("batches")
    tf.train.Checkpoint(batches=resumed_batches).read(path).assert_consumed()
    print("goes on:", next(batches).numpy())
    print("resumed:", next(resumed_batches).numpy())
    # endregion iterator

    # region uninterrupted
    Path("train.py").write_text(DATA + BATCHES + STATE + LOOP)
    runpy.run_path("train.py")
    # endregion uninterrupted

    # region killed
    run_training("killed", kill_at=17)
    print("latest:", tf.train.latest_checkpoint("killed"))
    for file in sorted(Path("killed").iterdir()):
        print(file.name)
    # endregion killed

    # region resumed
    key = "losses/.ATTRIBUTES/VARIABLE_VALUE"
    before = tf.train.load_variable("killed", key)
    run_training("killed", kill_at=0)
    after = tf.train.load_variable("killed", key)
    complete = tf.train.load_variable("whole", key)
    print("same losses:", after.tolist() == complete.tolist())
    # endregion resumed

    # region curves
    steps = range(30)
    plt.plot(steps, complete, "-", color=BLUE, label="uninterrupted")
    plt.plot(steps, before, "s", color=GREEN, label="saved before the kill")
    plt.plot(steps[15:], after[15:], "o", color=RED, label="after resuming")
    plt.xlabel("steps taken")
    plt.ylabel("loss of the batch")
    plt.legend()
    plt.show()
    # endregion curves

    # region unready
    unready = tf.train.Checkpoint(
        model=LinearModel(),
        optimizer=tf.keras.optimizers.SGD(0.05, momentum=0.9),
        epoch=tf.Variable(0),
    )
    status = unready.read("stopped")
    try:
        status.assert_consumed()
    except AssertionError:
        print("after reading: not all values have found their place")
    unready_rest = train_until(30, unready, x, y)
    status.assert_consumed()
    print("after training: they have")
    print("same losses:", unready_rest == rest)
    # endregion unready

    # region slower
    slower = new_training(LinearModel(), learning_rate=0.01)
    slower.read("stopped").assert_consumed()
    print(f"rate after reading: {float(slower.optimizer.learning_rate):.2f}")
    slower.optimizer.learning_rate = 0.01
    slower_rest = train_until(30, slower, x, y)
    print(f"loss in the last epoch, rate 0.05: {rest[-1]:.4f}")
    print(f"loss in the last epoch, rate 0.01: {slower_rest[-1]:.4f}")
    # endregion slower
