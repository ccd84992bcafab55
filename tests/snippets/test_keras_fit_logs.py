"""What a callback makes of the logs of ``fit``, compared with NumPy."""

import numpy as np
import pytest

from snippets.keras_fit_logs import BatchLosses


def test_the_loss_of_each_batch_is_taken_out_of_the_mean_so_far() -> None:
    sizes, losses = [32, 32, 22], np.array([4.0, 1.0, 7.0])
    noted = BatchLosses(sizes)
    for _ in range(2):  # every epoch begins anew
        for batch in range(3):
            part = slice(batch + 1)
            mean = np.average(losses[part], weights=sizes[part])
            noted.on_train_batch_end(batch, {"loss": mean, "mae": 0.0})
    assert noted.losses == pytest.approx([*losses] * 2, rel=1e-12)
    assert noted.means[::3] == [4.0, 4.0]
    assert noted.means[1] == pytest.approx(2.5)
