"""What the parts of the engine give each other is not changed by any."""

import dataclasses
import pkgutil
from importlib import import_module

import pytest

import engine

PARTS = [
    import_module(found.name)
    for found in pkgutil.walk_packages(engine.__path__, "engine.")
]
VALUES = {
    f"{value.__module__}.{value.__name__}": value
    for part in PARTS
    for value in vars(part).values()
    if isinstance(value, type) and dataclasses.is_dataclass(value)
}


def test_what_the_parts_give_each_other_is_known() -> None:
    assert {
        "engine.program.Program",
        "engine.program.PythonBlock",
        "engine.read.page.Page",
        "engine.run.results.BlockRun",
        "engine.keep.records.Record",
        "engine.take.page.Taken",
    } < set(VALUES)


@pytest.mark.parametrize("name", VALUES)
def test_a_value_cannot_be_changed(name: str) -> None:
    [first, *_] = dataclasses.fields(VALUES[name])
    value = object.__new__(VALUES[name])
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, first.name, "other")
