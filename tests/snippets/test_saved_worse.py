"""A loaded model is as good as its labels and its inputs."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.story import Names, execute, statements

MODULE = "saved_worse"
SECTIONS = ("sorter", "worse", "whole", "asked_again")


def test_only_what_is_around_the_model_changes(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    inputs = tf.linspace([-2.0], [2.0], 201)
    names: Names = {"tf": tf, "Path": Path, "inputs": inputs}
    for section in SECTIONS:
        execute(MODULE, statements(MODULE, section), names)
    *found, whole = [
        float(line.rsplit(" ", 1)[1])
        for line in capsys.readouterr().out.splitlines()
    ]
    best = np.argmax(names["sorter"](names["scaled"]), axis=1)
    unscaled = np.argmax(names["sorter"](names["raw"]), axis=1)
    numbers = names["numbers"].numpy()
    assert found == [
        pytest.approx(np.mean(best == numbers), abs=0.006),
        pytest.approx(np.mean(best == names["others"]), abs=0.006),
        pytest.approx(np.mean(unscaled == numbers), abs=0.006),
    ]
    assert whole == found[0] > 0.9 > 0.4 > max(found[1:])
    np.testing.assert_allclose(
        names["whole"](names["raw"]),
        names["sorter"](names["scaled"]),
        atol=1e-5,
    )
