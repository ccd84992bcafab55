"""One worker of several: the same program runs in every process."""

# ruff: noqa: F401 (the step needs them in the reader's file)

# region imports
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import tensorflow as tf

Step = Callable[..., tf.Tensor]
# endregion imports

from snippets.data import make_data  # noqa: E402
from snippets.many_devices import (  # noqa: E402
    BATCH_SIZE,
    new_training,
    train,
    update,
)

if __name__ == "__main__":
    # region strategy
    folder, kill_at = sys.argv[1], int(sys.argv[2])
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    index = strategy.cluster_resolver.task_id or 0
    # endregion strategy

    # region batches
    x, y = make_data()
    rows = tf.data.Dataset.from_tensor_slices((x, y))
    batches = rows.batch(BATCH_SIZE).repeat()
    parts = iter(strategy.experimental_distribute_dataset(batches))
    # endregion batches

    # region state
    model, optimizer = new_training(strategy)
    epoch = tf.Variable(0)
    losses = tf.Variable(tf.fill([30], float("nan")))
    state = tf.train.Checkpoint(
        model=model, optimizer=optimizer, epoch=epoch, losses=losses
    )
    manager = tf.train.CheckpointManager(
        state, f"{folder}/worker-{index}", max_to_keep=2
    )
    # endregion state

    # region restore
    latest = tf.train.latest_checkpoint(f"{folder}/worker-0")
    if latest:
        state.restore(latest).assert_consumed()
    workers = strategy.num_replicas_in_sync
    print(f"{workers} workers, from epoch {int(epoch)} on", flush=True)
    # endregion restore

    # region epochs
    try:
        while epoch < 30:
            loss = train(strategy, update, model, optimizer, *next(parts))
            losses[epoch].assign(loss)
            epoch.assign_add(1)
            if index == 1 and epoch == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            if epoch % 5 == 0:
                manager.save(checkpoint_number=epoch)
    except tf.errors.UnavailableError as error:
        print("stopped by an UnavailableError", flush=True)
        sys.exit(str(error))
    print(f"w {model.w.numpy():.4f}, b {model.b.numpy():.4f}")
    # endregion epochs
