"""Where claims are tested: in an empty folder, and with two devices."""

from pathlib import Path

import pytest
import tensorflow as tf

# A page needs two devices; they cannot be had once TensorFlow has started.
[CPU] = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(
    CPU, [tf.config.LogicalDeviceConfiguration()] * 2
)


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Work in an empty folder, in which code of the pages may write."""
    monkeypatch.chdir(tmp_path)
