"""Two rates in ``fit``, decay that changes, averages: by closed forms."""

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from snippets.freeze_swa import make_behind, refresh

Printed = Callable[[str], list[str]]
SETS = [(1.0, 1.0), (3.0, 9.0), (2.0, 5.0), (2.0, 4.0)]
"""Weights, and the variances that are kept, in those of the inputs."""


def batches(*means: float) -> list[tuple[tf.Tensor, tf.Tensor]]:
    spread = tf.constant([[-1.0], [1.0]])
    return [(mean + spread * (n + 1), spread) for n, mean in enumerate(means)]


@pytest.mark.usefixtures("each_way")
def test_each_batch_counts_alike_and_nothing_of_before() -> None:
    model = make_behind()
    weight, layer = model.layers
    weight.kernel.assign([[2.0]])
    layer.moving_mean.assign([100.0])
    layer.moving_variance.assign([100.0])
    refresh(model, batches(1.0, 4.0, 7.0))
    assert layer.moving_mean.numpy() == pytest.approx(8.0, rel=1e-5)
    variance = 4 * np.mean([1.0, 4.0, 9.0])
    assert layer.moving_variance.numpy() == pytest.approx(variance, rel=1e-5)
    assert layer.momentum == 0.99
    assert weight.kernel.numpy().item() == 2.0


def test_the_weight_is_the_only_one_to_learn_before_it() -> None:
    weight, layer = make_behind().layers
    assert [v.shape for v in weight.trainable_variables] == [(1, 1)]
    assert layer.name.startswith("batch_normalization")


def test_two_rates(printed_by: Printed) -> None:
    assert printed_by("freeze_parts") == [
        "paths: model/base/kernel model/base/bias"
        " model/head/kernel model/head/bias",
        "base/.*  : 0.050 0.050 0.050 0.050",
        ".*base/.*: 0.001 0.001 0.050 0.050",
        "base moved by 0.001",
    ]


def test_decay(printed_by: Printed) -> None:
    said = printed_by("freeze_decay")
    w, wanted = 5.0, []
    for share in (0.05, 0.025, 0.0125):
        wanted.append(f"w {w:.4f}, of it decays {share:.4f}")
        w *= 1 - share
    for powers in ((20, 40), (20, 20)):
        for decay, power in zip((0.5, 0.0), powers, strict=True):
            wanted.append(f"decay {decay}: w {5 * 0.95**power:.4f}")
    assert said == wanted


def test_averages(printed_by: Printed) -> None:
    x = np.linspace(-2, 2, 201)
    within = np.mean([x[n::10].var() for n in range(10)])
    wanted = [w * x.std() / np.sqrt(v * within + 0.001) for w, v in SETS]
    assert printed_by("freeze_swa") == [
        f"{name} spread {spread:.2f}"
        for name, spread in zip(
            ("weight 1.0:", "weight 3.0:", "average:   ", "refreshed: "),
            wanted,
            strict=True,
        )
    ]
