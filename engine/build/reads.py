"""Know which files of a site a build reads, wherever they are.

Pages, modules and the theme stand in folders that are known.  What a page
includes or shows as a file, and what settings are inherited from, may be
anywhere in the project.
"""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.build.messages import ENGINE

_noting: list[set[str]] = []


@contextlib.contextmanager
def reads(root: Path, found: set[Path]) -> Iterator[None]:
    """Add the files below ``root`` that are read meanwhile to those found.

    One that is written meanwhile would have a build follow each build, so
    it is left out; so is what no author edits.
    """
    began, names = time.time_ns(), set[str]()
    _noting.append(names)
    try:
        yield
    finally:
        _noting.remove(names)
        for path in map(Path, map(os.path.abspath, sorted(names))):
            with contextlib.suppress(OSError):
                if _is_edited(root, path) and path.stat().st_mtime_ns < began:
                    found.add(path)


def has_changed(top: Path, since: float) -> bool:
    """Return whether anything there may have come or changed since.

    The clock of a disk may be a little late, and an old file that takes the
    place of another has no other time than this.
    """
    try:
        times = [path.lstat().st_ctime for path in [top, *top.rglob("*")]]
    except FileNotFoundError:
        return True
    return max(times) > since - 1


def _is_edited(root: Path, path: Path) -> bool:
    if path.is_relative_to(ENGINE) or path.is_relative_to(sys.prefix):
        return False
    parts = path.relative_to(root).parts if path.is_relative_to(root) else "."
    return not any(p.startswith(".") or p == "__pycache__" for p in parts)


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    """Note what is opened to be read; Python calls this whatever happens."""
    if event == "open" and _noting:
        name, _, flags = arguments
        if isinstance(name, str) and not flags & (os.O_WRONLY | os.O_RDWR):
            for names in _noting:
                names.add(name)


sys.addaudithook(_note)
