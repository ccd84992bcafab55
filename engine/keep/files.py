"""Write files whole, and hold a folder for one build."""

import contextlib
import fcntl
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from engine.errors import PageError

ANOTHER = "another build is running in this folder"


def write_atomically(path: Path, text: str) -> None:
    """Write the text, so that the file has all of it or what it had."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(
        f".{path.name}.{os.getpid()}.{threading.get_ident()}"
    )
    try:
        unfinished.write_text(text, encoding="utf-8")
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


class BuildLock:
    """Keeps two builds out of one folder; a build may ask for it again."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self.waits = False
        """Whether it waits for another build, instead of raising."""
        self._holders = 0
        self._change = threading.Lock()
        self._held = contextlib.ExitStack()

    @property
    def is_held(self) -> bool:
        """Whether a build of this process holds the folder."""
        return self._holders > 0

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder; raise PageError if another build has it."""
        with self._change:
            if not self._holders:
                self._take()
            self._holders += 1
        try:
            yield
        finally:
            with self._change:
                self._holders -= 1
                if not self._holders:
                    self._held.close()

    def _take(self) -> None:
        self.cache.mkdir(parents=True, exist_ok=True)
        lock = self._held.enter_context((self.cache / "lock").open("a+"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if self.waits:
                print(f"{ANOTHER}; waiting for its end.", file=sys.stderr)
                fcntl.flock(lock, fcntl.LOCK_EX)
                return
            self._held.close()
            raise PageError(
                ANOTHER, hint="wait until it has ended, then build again"
            ) from None
