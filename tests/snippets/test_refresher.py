import numpy as np
import pytest
import tensorflow as tf

from snippets.refresher import Scale


@pytest.mark.parametrize("factor", [10.0, -0.5, 0.0])
def test_scale_multiplies_by_its_factor(factor: float) -> None:
    scaled = Scale(factor)(tf.constant([1.0, -2.0, 3.0]))
    np.testing.assert_allclose(
        scaled, [factor, -2 * factor, 3 * factor], atol=1e-6
    )


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_scale_keeps_the_shape(shape: tuple[int, ...]) -> None:
    assert Scale(2.0)(tf.ones(shape)).shape == shape


def test_scale_is_a_module_that_finds_its_one_variable() -> None:
    scale = Scale(4.0)
    assert isinstance(scale, tf.Module)
    [variable] = scale.variables
    assert variable is scale.factor
    assert variable.trainable
    assert float(variable) == 4.0


def test_the_tape_finds_how_the_result_depends_on_the_factor() -> None:
    scale = Scale(4.0)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(scale(tf.constant([1.0, 2.0, 3.0])))
    slope = tape.gradient(total, scale.factor)
    assert float(slope) == pytest.approx(6.0, rel=1e-6)
