"""Two logical devices, which a page needs.

They cannot be had once TensorFlow has computed something: whoever computes
while tests are collected imports this before.
"""

import functools

import tensorflow as tf

[CPU] = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(
    CPU, [tf.config.LogicalDeviceConfiguration()] * 2
)
_Mirrored = tf.distribute.MirroredStrategy


@functools.cache
def mirrored() -> tf.distribute.Strategy:
    """Return the one strategy for both devices.

    A second would number its sums from the start as well, and TensorFlow
    takes sums with one number for the same.
    """
    return _Mirrored(["CPU:0", "CPU:1"])
