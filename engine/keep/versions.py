"""Which distributions a program's result depends on, and their versions."""

import ast
import contextlib
import hashlib
import importlib.metadata
import importlib.util
import json
import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from engine.program import CommandBlock, Program, modules_in

Versions = dict[str, str]
_RUN_BY_PYTHON = re.compile(
    r"\bpython[\d.]*\b[^\n;|&]* (?:-m|-c .*?\b(?:import|from)) (\w+)"
)
_COMMAND = re.compile(r"(?m)(?:^|[;|&(])\s*(?:\w+=\S*\s+)*([\w.-]+)")
_distributions_of_modules = cache(importlib.metadata.packages_distributions)


def imported(program: Program) -> list[str]:
    """Return the modules that the program's code names, at any depth.

    These are names up to the first dot, without those of Python itself
    and those of files that the program saves.
    """
    found: set[str] = set()
    for block in program.blocks:
        if isinstance(block, CommandBlock):
            found.update(_run_by(block.code))
        elif block.language == "python":
            with contextlib.suppress(SyntaxError):
                names = modules_in(ast.parse(block.code))
                found.update(name for name in names if "." not in name)
    own = {name.removesuffix(".py") for name in program.files}
    return sorted(found - sys.stdlib_module_names - own - {"", "__main__"})


def distributions(modules: Iterable[str]) -> dict[str, list[str]]:
    """Return the distributions that bring each of the modules."""
    from packaging.utils import canonicalize_name  # slow, and seldom needed

    known = _distributions_of_modules()
    return {
        name: sorted({*map(canonicalize_name, known.get(name, []))})
        for name in modules
    }


def versions(names: Iterable[str]) -> Versions:
    """Return the versions of the distributions, and of all they need."""
    found: Versions = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found or (number := version(name)) is None:
            continue
        found[name] = number
        waiting += _required(name)
    return dict(sorted(found.items()))


def version(distribution: str) -> str | None:
    """Return the distribution's version, if it is installed.

    One whose sources are edited where they are has another for each edit.
    """
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        found = importlib.metadata.distribution(distribution)
        origin = json.loads(found.read_text("direct_url.json") or "{}")
        if origin.get("dir_info", {}).get("editable"):
            return f"{found.version}+{_sources(distribution)}"
        return found.version
    return None


class Installed:
    """What is installed, each looked up once: a build does not change it."""

    def __init__(self) -> None:
        self.version = cache(version)
        self._found = cache(importlib.util.find_spec)

    def has(self, modules: Mapping[str, list[str]], kept: Versions) -> bool:
        """Return whether these are the versions that are installed.

        A module that no distribution brought is to be missing still.
        """
        if any(self.version(name) != kept[name] for name in kept):
            return False
        absent = [name for name, found in modules.items() if not found]
        return not any(self._found(name) for name in absent)


def _run_by(commands: str) -> Iterable[str]:
    """Return the modules that Python, or a script of theirs, runs."""
    yield from _RUN_BY_PYTHON.findall(commands)
    names = {*_COMMAND.findall(commands)}
    for script in importlib.metadata.entry_points(group="console_scripts"):
        if script.name in names:
            yield script.module.partition(".")[0]


def _sources(distribution: str) -> str:
    """Return a hash of the modules that the distribution brings."""
    texts = b""
    for name in sorted(_distributions_of_modules()):
        if distribution in distributions([name])[name]:
            spec = importlib.util.find_spec(name)
            folders = (spec and spec.submodule_search_locations) or []
            paths = [p for f in folders for p in Path(f).rglob("*.py")]
            if spec and spec.origin and not paths:
                paths = [Path(spec.origin)]
            texts += b"".join(path.read_bytes() for path in sorted(paths))
    return hashlib.sha256(texts).hexdigest()[:12]


def _required(distribution: str) -> Iterable[str]:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    for text in importlib.metadata.requires(distribution) or []:
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or marker.evaluate({"extra": ""}):
            yield canonicalize_name(requirement.name)
