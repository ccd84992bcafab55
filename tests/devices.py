"""Two logical devices, which a page needs.

They cannot be had once TensorFlow has computed something: whoever computes
while tests are collected imports this before.
"""

import tensorflow as tf

[CPU] = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(
    CPU, [tf.config.LogicalDeviceConfiguration()] * 2
)
