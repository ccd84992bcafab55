"""What Keras' fit does with a parameter server."""

# ruff: noqa: F401 (what stands above needs them in the reader's file)

# region imports
import contextlib
import socket

import tensorflow as tf

# endregion imports
from snippets.launch import free_addresses
from snippets.many_devices import fit_line

if __name__ == "__main__":
    # region fit
    worker, ps = free_addresses(2)
    cluster = tf.train.ClusterSpec({"worker": [worker], "ps": [ps]})
    servers = [
        tf.distribute.Server(cluster, kind, 0, protocol="grpc")
        for kind in ("worker", "ps")
    ]
    strategy = tf.distribute.ParameterServerStrategy(
        tf.distribute.cluster_resolver.SimpleClusterResolver(
            cluster, rpc_layer="grpc"
        )
    )
    print(f"last loss: {fit_line(strategy)[-1]:.4f}")
    # endregion fit
