"""What the parts of the engine give each other is not changed by any."""

import dataclasses
import pkgutil
from importlib import import_module

import pytest

import engine

PARTS = [
    import_module(f"engine.{found.name}")
    for found in pkgutil.iter_modules(engine.__path__)
]
VALUES = {
    f"{value.__module__}.{value.__name__}": value
    for part in PARTS
    for value in vars(part).values()
    if isinstance(value, type) and dataclasses.is_dataclass(value)
}


def test_what_the_parts_give_each_other_is_known() -> None:
    assert {"engine.pages.Page", "engine.blocks.Block"} < set(VALUES)
    assert "engine.records.Record" in VALUES


@pytest.mark.parametrize("name", VALUES)
def test_a_value_cannot_be_changed(name: str) -> None:
    [first, *_] = dataclasses.fields(VALUES[name])
    value = object.__new__(VALUES[name])
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, first.name, "other")
