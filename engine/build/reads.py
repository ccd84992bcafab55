"""Know which files of a site a build reads, and when they change.

Pages, modules and the theme stand in folders that are known.  What a page
includes or shows as a file, and what settings are inherited from, may be
anywhere in the project.
"""

import contextlib
import os
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.build.messages import ENGINE

Stamps = dict[Path, tuple[int, int]]
"""When files have changed, in nanoseconds, and how many bytes they hold.

An old file that takes the place of another has no other time than this.
"""

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


def stamps(top: Path) -> Stamps:
    """Return those of a file, or of all files below a folder."""
    walked = os.walk(top, followlinks=True)
    below = [
        Path(folder, name) for folder, _, names in walked for name in names
    ]
    found: Stamps = {}
    for path in [top, *below]:
        with contextlib.suppress(OSError):
            told = path.stat()
            if stat.S_ISREG(told.st_mode):
                found[path] = told.st_ctime_ns, told.st_size
    return found


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
