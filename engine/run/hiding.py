"""Keeps the engine, which readers do not have, out of a program's sight."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_hidden: dict[str, ModuleType] = {}


@contextlib.contextmanager
def hidden() -> Iterator[None]:
    """Let nothing of the engine be imported meanwhile."""
    _hide()
    try:
        yield
    finally:
        _show()


def keep_figures() -> None:
    """Make Matplotlib, once it is imported, draw for the page."""
    sys.meta_path.insert(0, _PyplotFinder())


class _PyplotFinder:
    def find_spec(self, name: str, *places: Any) -> ModuleSpec | None:
        if name != "matplotlib.pyplot":
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(name, *places)
        if spec and spec.loader:
            load = partial(_load, spec.loader.exec_module)
            vars(spec.loader)["exec_module"] = load
        return spec


def _load(load: Callable[[ModuleType], None], module: ModuleType) -> None:
    load(module)
    was_hidden = bool(_hidden)
    _show()
    from engine.run import figures

    figures.prepare()
    if was_hidden:
        _hide()


def _hide() -> None:
    for name in list(sys.modules):
        if name.partition(".")[0] == "engine":
            _hidden[name] = sys.modules.pop(name)


def _show() -> None:
    sys.modules.update(_hidden)
    _hidden.clear()
