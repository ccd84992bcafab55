"""What a page says is the same can be found to differ, and by how little.

Each check runs alone, with values that just pass it and then with values
that just do not.
"""

import ast
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.story import ROOT, Names, execute, statements

LOSSES = [1.0, 2.0]
NEXT = [1.0, float(np.nextafter(2.0, 3.0))]
NEAR, FAR = [1.0, 2.000009], [1.0, 2.000011]
FIRST_DIFFERS = [NEXT[1], 2.0]


def weights(*values: float) -> Any:
    return SimpleNamespace(get_weights=lambda: list(values))


def history(values: list[float]) -> Any:
    return SimpleNamespace(history={"loss": values})


SAID: dict[tuple[str, str, int], tuple[Names, Names]] = {
    ("fit_inwards", "same", 0): (
        {"own_fit": history(LOSSES), "fit": history(LOSSES)},
        {"own_fit": history(NEXT), "fit": history(LOSSES)},
    ),
    ("fit_inwards", "wrong_loss", 0): (
        {"old": weights(*LOSSES), "model": weights(*LOSSES)},
        {"old": weights(*NEXT), "model": weights(*LOSSES)},
    ),
    ("fit_inwards", "wrong_books", 0): (
        {"other": weights(*LOSSES), "model": weights(*LOSSES)},
        {"other": weights(*NEXT), "model": weights(*LOSSES)},
    ),
    ("keras_model", "run", 0): (
        {"keras_history": LOSSES, "history": LOSSES},
        {"keras_history": NEXT, "history": LOSSES},
    ),
    ("many_devices", "run_mirrored", 0): (
        {"mirrored": NEAR, "alone": LOSSES},
        {"mirrored": FAR, "alone": LOSSES},
    ),
    ("many_devices", "fit_mirrored", 0): (
        {"fitted": NEAR, "one_device": LOSSES},
        {"fitted": FAR, "one_device": LOSSES},
    ),
    ("many_devices_results", "whole", 0): (
        {"whole": NEAR, "alone": LOSSES},
        {"whole": FAR, "alone": LOSSES},
    ),
    ("many_devices_results", "after", 0): (
        {"after": NEAR, "whole": LOSSES},
        {"after": FAR, "whole": LOSSES},
    ),
    ("many_devices_results", "in_step", 0): (
        {"in_step": NEAR, "alone": LOSSES},
        {"in_step": FAR, "alone": LOSSES},
    ),
    ("save_and_resume", "resume", 0): (
        {"first": LOSSES[:1], "rest": LOSSES[1:], "whole": LOSSES},
        {"first": LOSSES[:1], "rest": NEXT[1:], "whole": LOSSES},
    ),
    ("save_and_resume", "resumed", 0): (
        {"after": np.array(LOSSES), "complete": np.array(LOSSES)},
        {"after": np.array(NEXT), "complete": np.array(LOSSES)},
    ),
    ("save_and_resume", "unready", 0): (
        {"unready_rest": LOSSES, "rest": LOSSES},
        {"unready_rest": NEXT, "rest": LOSSES},
    ),
    ("saved_models", "keras", 0): (
        {"loaded_rest": LOSSES, "fitted_rest": LOSSES},
        {"loaded_rest": NEXT, "fitted_rest": LOSSES},
    ),
    ("saved_models", "weights", 0): (
        {"light_rest": NEXT, "fitted_rest": LOSSES},
        {"light_rest": FIRST_DIFFERS, "fitted_rest": LOSSES},
    ),
    ("saved_models", "weights", 1): (
        {"light_rest": LOSSES, "fitted_rest": LOSSES},
        {"light_rest": NEXT, "fitted_rest": LOSSES},
    ),
    ("saved_models", "weights_and_optimizer", 0): (
        {"full_rest": LOSSES, "fitted_rest": LOSSES},
        {"full_rest": NEXT, "fitted_rest": LOSSES},
    ),
}
"""By module, section and place in it: names of what is the same, or not."""

GRADIENTS: tuple[Names, Names] = (
    {"gradients": [1.0, 2.0]},
    {"gradients": [1.0, None]},
)
ASSERTED: dict[tuple[str, str], tuple[Names, Names]] = {
    ("foundations", "inside"): GRADIENTS,
    ("foundations", "watched"): GRADIENTS,
    ("foundations", "no_numpy"): GRADIENTS,
    ("foundations", "float_number"): GRADIENTS,
    ("foundations", "collected"): (
        {"variables": [1, 2, 3]},
        {"variables": [1, 2]},
    ),
    ("linear_model", "try_model"): (
        {"model": lambda x: 5.0 * x},
        {"model": lambda x: 5.0 * x + 1e-6},
    ),
}
"""By module and section: names for which its assertion holds, or fails."""


@pytest.mark.parametrize("place", SAID, ids=str)
def test_what_is_said_to_be_the_same_could_differ(
    place: tuple[str, str, int], capsys: pytest.CaptureFixture[str]
) -> None:
    module, section, number = place
    said = [
        part
        for part in ast.walk(ast.Module(statements(module, section), []))
        if isinstance(part, ast.Expr)
        and ast.unparse(part).startswith("print('same ")
    ]
    for names, answer in zip(SAID[place], ("True", "False"), strict=True):
        execute(module, [said[number]], {"np": np, **names})
        assert capsys.readouterr().out.endswith(f": {answer}\n")


@pytest.mark.parametrize("place", ASSERTED, ids=str)
def test_what_is_asserted_could_fail(place: tuple[str, str]) -> None:
    module, section = place
    [asserted] = [
        part
        for part in statements(module, section)
        if isinstance(part, ast.Assert)
    ]
    right, wrong = ASSERTED[place]
    execute(module, [asserted], dict(right))
    with pytest.raises(AssertionError):
        execute(module, [asserted], dict(wrong))


def test_no_check_is_left_out() -> None:
    found = sum(
        path.read_text("utf-8").count('print("same ')
        for path in (ROOT / "snippets").glob("*.py")
    )
    assert len(SAID) == found
