"""A GAN that goes on from a checkpoint, with or without its optimizers."""

from pathlib import Path

import numpy as np
import pytest

from snippets.saved_several import after_break, new_gan, train_each

MODELS = ["generator", "discriminator"]
OPTIMIZERS = [f"{name}_optimizer" for name in MODELS]


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_each_optimizer_moves_its_model_alone() -> None:
    gan = new_gan()
    assert [*gan] == [MODELS[0], OPTIMIZERS[0], MODELS[1], OPTIMIZERS[1]]
    before = [gan[name].get_weights() for name in MODELS]
    train_each(gan, 2)
    assert [int(gan[name].iterations) for name in OPTIMIZERS] == [2, 2]
    for name, old in zip(MODELS, before, strict=True):
        kernel, bias = gan[name].get_weights()
        predictions = np.array([[1.0, 2.0]], "float32") @ old[0]
        slopes = 0.1 * predictions
        # A step of 0.1, then 0.9 of it and the slope at its end.
        first = old[1] - slopes[0]
        assert np.abs(first - bias).max() > 0
        moved = kernel - old[0]
        np.testing.assert_allclose(moved[1], 2 * moved[0], rtol=1e-4)
        np.testing.assert_allclose(moved[0], bias, rtol=1e-4)


def test_a_break_changes_nothing_if_all_was_saved() -> None:
    assert after_break(MODELS + OPTIMIZERS) == 0
    for names in (MODELS, [*MODELS, OPTIMIZERS[1]], MODELS[1:]):
        assert after_break(names) > 0.01
