"""A diffusion model, its noise and its way back, against closed forms."""

import numpy as np
import pytest
import tensorflow as tf

from snippets.other_loops_diffusion import (
    generate,
    make_circle,
    make_denoiser,
    make_noise_step,
    noise_loss,
    noised,
    off_circle,
)

SGD = tf.keras.optimizers.SGD


def test_the_circle_has_variances_of_one() -> None:
    points = make_circle(4096).numpy()
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose(points.var(axis=0), 1, atol=0.05)
    np.testing.assert_allclose(off_circle(points), 0, atol=1e-6)


def test_the_distance_from_the_circle_is_a_mean() -> None:
    points = np.sqrt(2) * tf.constant([[0.5, 0.0], [0.0, -1.25]])
    due = np.sqrt(2) * (0.5 + 0.25) / 2
    assert float(off_circle(points)) == pytest.approx(due)


def test_noise_takes_the_place_of_what_is_not_kept() -> None:
    x, noise = tf.constant([[3.0, 0.0]]), tf.constant([[0.0, 5.0]])
    found = noised(x, noise, tf.constant([0.36]))
    np.testing.assert_allclose(found, [[0.6 * 3, 0.8 * 5]], rtol=1e-6)


def test_each_picture_has_a_share_of_its_own() -> None:
    pictures, kept = tf.ones((4, 4, 4, 1)), tf.constant([0.0, 0.25, 0.5, 1.0])
    for shares in (kept, kept[:, tf.newaxis]):
        found = noised(pictures, tf.zeros_like(pictures), shares)
        for picture, share in zip(found, kept, strict=True):
            np.testing.assert_allclose(picture, np.sqrt(share) * pictures[0])


def test_a_denoiser_knows_its_step() -> None:
    model = make_denoiser(5, units=4)
    x = tf.ones((2, 2))
    guess = model([x, tf.constant([0, 4])])
    assert guess.shape == (2, 2)
    assert np.abs(guess[0] - guess[1]).max() > 1e-4
    assert model.count_params() == (2 + 1) * 4 + 5 * 4 + 5 * 4 + 5 * 2


@pytest.mark.usefixtures("each_way")
def test_a_step_learns_the_noise_of_rows_at_steps_of_their_own() -> None:
    model, x = make_denoiser(5, units=4), make_circle(64)
    kept = tf.constant([0.9, 0.7, 0.5, 0.3, 0.1])
    random = tf.random.Generator.from_seed(0)
    noise = random.normal([64, 2])
    t = random.uniform([64], 0, 5, tf.int32)
    assert set(t.numpy()) == set(range(5))
    variables, before = model.trainable_variables, model.get_weights()
    with tf.GradientTape() as tape:
        guess = model([noised(x, noise, tf.gather(kept, t)), t])
        loss = tf.reduce_mean(tf.square(guess - noise))
    gradients = tape.gradient(loss, variables)
    step = tf.function(make_noise_step(model, SGD(0.1), kept))
    assert float(step(x)) == pytest.approx(float(loss), rel=1e-5)
    for value, variable, gradient in zip(
        before, variables, gradients, strict=True
    ):
        due = value - 0.1 * tf.convert_to_tensor(gradient)
        np.testing.assert_allclose(variable, due, atol=1e-5)


def test_a_model_is_told_that_it_learns() -> None:
    told = []

    def guess(inputs: list[tf.Tensor], training: bool) -> tf.Tensor:
        told.append(training)
        return inputs[0]

    random = tf.random.Generator.from_seed(0)
    noise_loss(guess, make_circle(3), tf.constant([0.5]), random)
    assert told == [True]


def test_points_are_generated_from_the_last_step_to_the_first() -> None:
    seen = []

    def guess(inputs: list[tf.Tensor], training: bool) -> tf.Tensor:
        assert not training
        seen.append((inputs[0].numpy(), inputs[1].numpy().tolist()))
        return 0.5 * inputs[0]

    betas = tf.constant([0.1, 0.3])
    found = generate(guess, betas, rows=3)
    (noise, first), (middle, second) = seen
    assert [first, second] == [[1, 1, 1], [0, 0, 0]]
    start = tf.random.stateless_normal([3, 2], (1, 0)).numpy()
    fresh = tf.random.stateless_normal([3, 2], (1, 1)).numpy()
    np.testing.assert_allclose(noise, start)
    factor = (1 - 0.3 / np.sqrt(1 - 0.9 * 0.7) * 0.5) / np.sqrt(0.7)
    due = factor * start + np.sqrt(0.3) * fresh
    np.testing.assert_allclose(middle, due, rtol=1e-4, atol=1e-6)
    due = (1 - 0.1 / np.sqrt(0.1) * 0.5) / np.sqrt(0.9) * middle
    np.testing.assert_allclose(found, due, rtol=1e-4, atol=1e-6)


def test_a_model_that_knows_the_noise_brings_the_points_back() -> None:
    """One point is all of the data, so the noise is known at each step."""
    betas, x = tf.linspace(0.001, 0.2, 50), tf.constant([[1.0, -1.0]])
    kept = tf.math.cumprod(1.0 - betas)

    def guess(inputs: list[tf.Tensor], training: bool) -> tf.Tensor:
        share = tf.gather(kept, inputs[1])[:, tf.newaxis]
        return (inputs[0] - tf.sqrt(share) * x) / tf.sqrt(1.0 - share)

    found = generate(guess, betas, rows=100)
    np.testing.assert_allclose(found, np.tile(x, (100, 1)), atol=1e-3)
