"""Code is changed in one place at a time."""

import ast
from pathlib import Path

import pytest

from proof.mutations import Mutation, mutations

CODE = """\
def mean(values):
    if not values or None is values:
        return 0
    return sum(values) / len(values)
"""


def found(root: Path, code: str) -> list[Mutation]:
    """Return all changes of the code."""
    (root / "code.py").write_text(code)
    return list(mutations(root, "code.py"))


def test_each_operator_number_and_condition_is_changed_once(
    tmp_path: Path,
) -> None:
    shown = {m.show(CODE) for m in found(tmp_path, CODE)}
    condition = "if not values or None is values:"
    assert shown == {
        (condition, "if not not values or None is values:"),
        (condition, "if  values or None is values:"),
        (condition, "if not values and None is values:"),
        (condition, "if not values or None is not values:"),
        ("return 0", "return 1"),
        (
            "return sum(values) / len(values)",
            "return sum(values) * len(values)",
        ),
    }


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("a = b + 1 < 2", {"b - 1", "b + 2", "<= 2", "< 3"}),
        ("a = -b ** 2 // c % 3", {"+b", "b * 2", "2 / c", "// 3"}),
        ("for a in b: break", {"continue", "[]"}),
        ("try: a\nexcept OSError: b", {"CosmicRayTestingException"}),
        ("@a\ndef f(): return True", {"False"}),
    ],
)
def test_what_is_changed_is_what_mistakes_are_made_in(
    tmp_path: Path, was: str, now: set[str]
) -> None:
    changed = [m.apply(was) for m in found(tmp_path, was)]
    for part in now:
        assert any(part in code for code in changed), (part, changed)
    for code in changed:
        assert code != was
        ast.parse(code)


def test_types_stay_as_they_are(tmp_path: Path) -> None:
    assert found(tmp_path, "def f(a: int | None) -> str | None: ...\n") == []


def test_a_place_is_a_file_and_a_line(tmp_path: Path) -> None:
    [mutation] = found(tmp_path, "a = b\nc = d + e\n")
    assert mutation.place == "code.py:2"


def test_a_name_lasts_as_long_as_the_lines_around(tmp_path: Path) -> None:
    far = "\n" * 20
    [kept] = found(tmp_path, f"a = b{far}c = d + e\n")
    [later] = found(tmp_path, f"a = b\n{far}c = d + e\n")
    [other] = found(tmp_path, f"a = b{far}c = d + f\n")
    assert kept.name == later.name != other.name
    assert later.line == kept.line + 1


def test_two_changes_of_one_line_have_two_names(tmp_path: Path) -> None:
    names = [m.name for m in found(tmp_path, "a = 1 + 1 + 1\n")]
    assert len(names) == len(set(names)) == 5
