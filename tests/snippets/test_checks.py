"""What a page says is the same can be found to differ, and by how little.

Each check runs alone, with values that just pass it and then with values
that just do not.
"""

import ast
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.story import ROOT, Names, execute, statements

LOSSES = [1.0, 2.0]
NEXT = [1.0, float(np.nextafter(2.0, 3.0))]
NEAR, FAR = [1.0, 2.000009], [1.0, 2.000011]
FIRST_DIFFERS = [NEXT[1], 2.0]


def weights(values: list[float]) -> Any:
    return SimpleNamespace(get_weights=lambda: values)


def history(values: list[float]) -> Any:
    return SimpleNamespace(history={"loss": values})


def pair(
    one: str,
    other: str,
    same: list[float] = LOSSES,
    different: list[float] = NEXT,
    made: Callable[[list[float]], Any] = list,
) -> tuple[Names, Names]:
    """Return the names for two that are the same, and for two that are not.

    The other has ``LOSSES``; ``made`` makes of losses what the names hold.
    """
    return (
        {one: made(same), other: made(LOSSES)},
        {one: made(different), other: made(LOSSES)},
    )


SAID: dict[tuple[str, str, int], tuple[Names, Names]] = {
    ("fit_inwards", "same", 0): pair("own_fit", "fit", made=history),
    ("fit_inwards", "wrong_loss", 0): pair("old", "model", made=weights),
    ("fit_inwards", "wrong_books", 0): pair("other", "model", made=weights),
    ("keras_model", "run", 0): pair("keras_history", "history"),
    ("many_devices", "run_mirrored", 0): pair("mirrored", "alone", NEAR, FAR),
    ("many_devices", "fit_mirrored", 0): pair(
        "fitted", "one_device", NEAR, FAR
    ),
    ("many_devices_results", "whole", 0): pair("whole", "alone", NEAR, FAR),
    ("many_devices_results", "after", 0): pair("after", "whole", NEAR, FAR),
    ("many_devices_results", "in_step", 0): pair(
        "in_step", "alone", NEAR, FAR
    ),
    ("old_names_values", "same_models", 0): (
        {"other": list, "model": list, "x": LOSSES},
        {"other": list, "model": lambda _: NEXT, "x": LOSSES},
    ),
    ("old_names_values", "own_steps", 0): (
        {"own": LOSSES, "of_keras": LOSSES, "steps": list},
        {"own": NEXT, "of_keras": LOSSES, "steps": list},
    ),
    ("save_and_resume", "resume", 0): (
        {"first": LOSSES[:1], "rest": LOSSES[1:], "whole": LOSSES},
        {"first": LOSSES[:1], "rest": NEXT[1:], "whole": LOSSES},
    ),
    ("killed_training", "resumed", 0): pair(
        "after", "complete", made=np.array
    ),
    ("save_and_resume", "unready", 0): pair("unready_rest", "rest"),
    ("saved_models", "keras", 0): pair("loaded_rest", "fitted_rest"),
    ("saved_models", "by_name", 0): pair("named_rest", "own_rest"),
    ("saved_models", "compiled_anew", 0): pair("anew_rest", "own_rest"),
    ("saved_models", "weights", 0): pair(
        "light_rest", "fitted_rest", NEXT, FIRST_DIFFERS
    ),
    ("saved_models", "weights", 1): pair("light_rest", "fitted_rest"),
    ("saved_models", "weights_and_optimizer", 0): pair(
        "full_rest", "fitted_rest"
    ),
    ("saved_models", "copied", 0): pair("twin_rest", "full_rest"),
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
