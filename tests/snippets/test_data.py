import numpy as np
import pytest
import tensorflow as tf

from snippets.data import make_data


def noise_of(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    return y - (3.0 * x + 2.0)


def test_x_and_y_are_vectors_of_201_points_unless_told_otherwise() -> None:
    x, y = make_data()
    assert x.shape == (201,)
    assert y.shape == (201,)


@pytest.mark.parametrize("points", [2, 11, 1000])
def test_as_many_points_as_asked_for_span_the_same_interval(
    points: int,
) -> None:
    x, y = make_data(points)
    assert y.shape == (points,)
    np.testing.assert_allclose(x, np.linspace(-2, 2, points), atol=1e-6)


def test_x_and_y_have_the_type_of_the_variables() -> None:
    x, y = make_data()
    assert x.dtype == tf.float32
    assert y.dtype == tf.float32


def test_x_is_evenly_spaced_from_minus_two_to_two() -> None:
    x, _ = make_data()
    assert float(x[0]) == -2.0
    assert float(x[-1]) == 2.0
    np.testing.assert_allclose(np.diff(x), 4 / 200, atol=1e-6)


def test_two_calls_return_the_same_data() -> None:
    np.testing.assert_array_equal(make_data(), make_data())


def test_the_global_seed_does_not_change_the_noise() -> None:
    tf.random.set_seed(1)
    first = make_data()
    tf.random.set_seed(2)
    np.testing.assert_array_equal(make_data(), first)


def test_the_noise_is_about_standard_normal() -> None:
    # 0.2 is about three standard errors of the mean of 201 points (0.07) and
    # four of their standard deviation (0.05).
    noise = noise_of(*make_data())
    assert np.mean(noise) == pytest.approx(0.0, abs=0.2)
    assert np.std(noise) == pytest.approx(1.0, abs=0.2)


def test_the_noise_of_many_points_is_close_to_standard_normal() -> None:
    # Of 100 000 points 68.27 % lie within one standard deviation; the
    # tolerances are more than three standard errors.
    noise = noise_of(*make_data(100_000))
    assert np.mean(noise) == pytest.approx(0.0, abs=0.01)
    assert np.std(noise) == pytest.approx(1.0, abs=0.01)
    assert np.mean(np.abs(noise) < 1) == pytest.approx(0.6827, abs=0.005)


def test_many_points_reveal_the_true_line() -> None:
    # The standard errors of slope and offset are 0.003.
    x, y = make_data(100_000)
    slope, offset = np.polyfit(np.asarray(x, np.float64), y, deg=1)
    assert slope == pytest.approx(3.0, abs=0.01)
    assert offset == pytest.approx(2.0, abs=0.01)
