"""Rows one after the other or at once, and models in threads, by NumPy."""

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from snippets.how_fast_rows import by_map_fn, by_vectorized_map, row_loss
from snippets.how_fast_threads import made_with, trained


@pytest.mark.usefixtures("each_way")
@pytest.mark.parametrize("way", [by_map_fn, by_vectorized_map])
def test_each_row(
    way: Callable[..., tf.Tensor], x: tf.Tensor, y: tf.Tensor
) -> None:
    wanted = (5.0 * x.numpy() - y.numpy()) ** 2
    np.testing.assert_allclose(tf.function(way)(x, y), wanted, rtol=1e-5)
    np.testing.assert_allclose(row_loss((x, y)), wanted, rtol=1e-5)


@pytest.mark.usefixtures("each_way")
def test_a_model_of_its_own(x: tf.Tensor, y: tf.Tensor) -> None:
    inputs, outputs = x.numpy().astype(float), y.numpy().astype(float)
    w, b = 5.0, 0.0
    for _ in range(10):
        error = w * inputs + b - outputs
        w, b = w - 0.2 * np.mean(error * inputs), b - 0.2 * np.mean(error)
    for _ in range(2):
        assert trained(x, y, 0.1) == f"w {w:.4f}, b {b:.4f}"


def test_what_a_layer_is_made_with() -> None:
    assert made_with() == "float32, _DefaultDistributionStrategy"
    with tf.distribute.OneDeviceStrategy("CPU:0").scope():
        assert made_with() == "float32, OneDeviceStrategy"


def test_the_scripts(printed_by: Callable[[str], list[str]]) -> None:
    first, second, third = printed_by("how_fast_rows")
    assert first == "by_map_fn         loss 10.3447, loops 1"
    assert second == "by_vectorized_map loss 10.3447, loops 0"
    assert third == "tensors           loss 10.3447"
    *alone, here, thread = printed_by("how_fast_threads")
    assert all(line.endswith(" as alone: True") for line in alone)
    assert here == "here:     mixed_float16, OneDeviceStrategy"
    assert thread == "a thread: float32, _DefaultDistributionStrategy"
    assert made_with() == "float32, _DefaultDistributionStrategy"
