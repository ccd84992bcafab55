"""Keeps the engine, which readers do not have, out of a program's sight."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_aside: dict[str, ModuleType] = {}
"""Modules of the engine while a program runs, else those that the program
imported by the same names.
"""


@contextlib.contextmanager
def hidden() -> Iterator[None]:
    """Let nothing of the engine be imported meanwhile."""
    _exchange()
    try:
        yield
    finally:
        _exchange()


def keep_figures() -> None:
    """Make Matplotlib, once it is imported, draw for the page."""
    sys.meta_path.insert(0, _Finder())


class _Finder:
    def find_spec(self, name: str, *places: Any) -> ModuleSpec | None:
        if name != "matplotlib":
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(name, *places)
        if spec and spec.loader:
            load = partial(_load, spec.loader.exec_module)
            vars(spec.loader)["exec_module"] = load
        return spec


def _load(load: Callable[[ModuleType], None], module: ModuleType) -> None:
    load(module)
    sees_engine = __name__ in sys.modules
    with contextlib.nullcontext() if sees_engine else hidden():
        from engine.run import figures

        # Before the program can set, or choose, anything of its own.
        figures.prepare()


def _exchange() -> None:
    """Let the engine's modules and the program's change places."""
    names = [n for n in [*sys.modules] if n.partition(".")[0] == "engine"]
    seen = {name: sys.modules.pop(name) for name in names}
    sys.modules.update(_aside)
    _aside.clear()
    _aside.update(seen)
