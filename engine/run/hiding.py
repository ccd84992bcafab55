"""Keeps the engine, which readers do not have, out of a program's sight.

In a process of programs, the modules that can be found are those that any
Python begins with, and what a program imports.  The engine's, and all that
these have imported, stand aside.
"""

import contextlib
import fcntl
import io
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from engine.run import BARE
from engine.run.figure_style import style

ENGINE = __name__.partition(".")[0]
HIGH = 100
SHARED = "copyreg"
"""There is but one ``pickle`` in C, which asks the first of these."""

_aside: dict[str, ModuleType] = {}


def hide() -> None:
    """Let nothing of the engine's be found from now on."""
    _aside.update(sys.modules)
    sys.modules.clear()
    sys.modules.update({**BARE, SHARED: _aside[SHARED]})
    _engines_modules()
    sys.meta_path[:0] = [
        _Finder("matplotlib", style),
        _Finder("matplotlib.pyplot", _draw_for_the_page),
    ]


def engines(name: str) -> Any:
    """Return a module of the engine's, if it has been imported."""
    return _aside.get(name)


def load(pickled: bytes) -> Any:
    """Return an object that the engine has pickled elsewhere."""
    return _Unpickler(io.BytesIO(pickled)).load()


@contextlib.contextmanager
def seen() -> Iterator[None]:
    """Let the engine's own modules be found meanwhile."""
    programs = _engines_modules()
    sys.modules.update(
        {name: _aside[name] for name in _aside if _is_engines(name)}
    )
    try:
        yield
    finally:
        _aside.update(_engines_modules())
        sys.modules.update(programs)


def high(descriptor: int) -> int:
    """Move a descriptor above those that a program is given."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, HIGH)
    os.close(descriptor)
    return moved


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return getattr(_aside[module], name)


class _Finder:
    """Makes Matplotlib draw for the page as soon as it is imported.

    So a program can neither set nor choose anything before.
    """

    def __init__(self, name: str, prepare: Callable[[ModuleType], None]):
        self._name, self._prepare = name, prepare

    def find_spec(self, name: str, *places: Any) -> ModuleSpec | None:
        if name != self._name:
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(name, *places)
        if spec and spec.loader:
            load = partial(self._load, spec.loader.exec_module)
            vars(spec.loader)["exec_module"] = load
        return spec

    def _load(
        self, load: Callable[[ModuleType], None], module: ModuleType
    ) -> None:
        load(module)
        self._prepare(module)


def _draw_for_the_page(_: ModuleType) -> None:
    with seen():
        from engine.run import figures

        figures.prepare()


def _engines_modules() -> dict[str, ModuleType]:
    """Take away, and return, all modules that are named as the engine's."""
    names = [name for name in [*sys.modules] if _is_engines(name)]
    return {name: sys.modules.pop(name) for name in names}


def _is_engines(name: str) -> bool:
    return name.partition(".")[0] == ENGINE
