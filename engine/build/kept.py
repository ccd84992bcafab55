"""Keep what takes long to make, until something that it is made of changes."""

import hashlib
import json
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from engine.build.messages import ENGINE
from engine.keep.files import write_atomically

MAKERS = ("beautifulsoup4", "latex2mathml", "markdownify", "nbformat")


def digest(*parts: object) -> str:
    """Return a key for the parts, and for what makes something of them."""
    return _hashed((_makers(), parts))


def kept(
    path: Path, key: str, make: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """Return what the file keeps under the key, or make it and keep it."""
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if found["key"] == key:
            return found
    except (OSError, ValueError, KeyError):
        pass  # there is nothing, or half of it
    made = {**make(), "key": key}
    write_atomically(path, json.dumps(made))
    return made


@cache
def _makers() -> str:
    sources = [
        path.read_text("utf-8") for path in sorted(ENGINE.rglob("*.py"))
    ]
    return _hashed((sources, [version(name) for name in MAKERS]))


def _hashed(parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()
