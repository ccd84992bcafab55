"""A chief, workers and parameter servers: one program for all of them."""

# region imports
import os

import numpy as np
import tensorflow as tf

# endregion imports
from snippets.data import make_data
from snippets.many_devices import new_training, part_gradients, update


# region serve
def serve(cluster: tf.distribute.cluster_resolver.ClusterResolver) -> None:
    """Do what the chief asks for, until somebody ends the process."""
    os.environ["GRPC_FAIL_FAST"] = "use_caller"
    os.environ["TF_NUM_INTEROP_THREADS"] = "4"
    server = tf.distribute.Server(
        cluster.cluster_spec(),
        job_name=cluster.task_type,
        task_index=cluster.task_id,
        protocol="grpc",
    )
    server.join()


# endregion serve


# region half
@tf.function
def half(model, first) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Return the share of every other row, and its gradients."""
    x, y = make_data()
    return part_gradients(model, x[first::2], y[first::2])


# endregion half


# region in_step
def in_step(coordinator, model, optimizer) -> tf.Tensor:
    """Update the weights from both halves, once both are there."""
    halves = [
        coordinator.schedule(half, args=(model, tf.constant(first)))
        for first in (0, 1)
    ]
    (loss, gradients), (other_loss, others) = coordinator.fetch(halves)
    sums = map(tf.add, gradients, others)
    pairs = zip(sums, model.trainable_variables, strict=True)
    optimizer.apply_gradients(pairs)
    return loss + other_loss


# endregion in_step


# region free
@tf.function
def free(strategy, model, optimizer, updates) -> None:
    """Update the weights from all rows, and count the update."""
    strategy.run(update, args=(model, optimizer, *make_data()))
    updates.assign_add(1)


# endregion free

if __name__ == "__main__":
    # region connect
    cluster = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    if cluster.task_type != "chief":
        serve(cluster)
    strategy = tf.distribute.ParameterServerStrategy(cluster)
    coordinator = tf.distribute.coordinator.ClusterCoordinator(strategy)
    # endregion connect

    # region train_in_step
    model, optimizer = new_training(strategy)
    print("w is on", model.w.device, flush=True)
    training = coordinator, model, optimizer
    np.save("in_step.npy", [in_step(*training) for _ in range(30)])
    # endregion train_in_step

    # region train_freely
    model, optimizer = new_training(strategy)
    with strategy.scope():
        updates = tf.Variable(0)
    for epoch in range(1, 61):
        for _ in range(10):
            work = (strategy, model, optimizer, updates)
            coordinator.schedule(free, args=work)
        coordinator.join()
        if epoch % 20 == 0:
            loss = part_gradients(model, *make_data())[0]
            print(f"epoch {epoch}: loss {loss:.2f}", flush=True)
    print("600 updates made:", bool(updates.numpy() >= 600))
    print(f"w {model.w.numpy():.3f}, b {model.b.numpy():.3f}")
    # endregion train_freely
