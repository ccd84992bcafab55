"""What a reader does beside the program: saves its files, runs commands."""

import importlib
import os
import subprocess
import sys
from collections.abc import Callable

# Under a name of our own, since a program may put anything in its place.
from os import getcwd
from pathlib import Path

from engine.run.results import Failure, Stuck

IMPORTED = (
    "is imported above without this piece, and the page's script finds it "
    "whole",
    "show all of the file above the block that imports it",
)
WRITTEN = "is written by a block above, which would undo what a reader saves"
RENAME = "give the file another name"


class Beside:
    """The folder and the environment in which the program has begun.

    A reader's terminal knows nothing of what the program makes of them.
    """

    def __init__(self, shorten: Callable[[str], str]) -> None:
        self._home = Path.cwd()
        self._environment = dict(os.environ)
        self._shorten = shorten

    def is_away(self) -> bool:
        """Return whether the program is now in another folder."""
        try:
            return getcwd() != str(self._home)
        except OSError:  # it is gone
            return True

    def save(self, name: str, contents: str) -> None:
        """Save a file; raise Stuck if it cannot be."""
        file = self._home / name
        module = sys.modules.get(file.stem)
        if getattr(module, "__file__", None) == str(file):
            raise Stuck(*IMPORTED)
        try:
            found = file.read_bytes() if file.exists() else b""
            if not contents.encode().startswith(found):
                raise Stuck(WRITTEN, RENAME)
            file.write_text(contents, encoding="utf-8")
        except OSError as error:
            problem = f"cannot be saved: {self._shorten(str(error))}"
            raise Stuck(problem, RENAME) from None
        # Python would not look again at a folder that changed just now.
        importlib.invalidate_caches()

    def command(self, code: str, exits: int) -> Failure | None:
        """Hand the commands to the shell, which stops at the first to fail."""
        try:
            shell = subprocess.run(
                ["sh", "-e", "-c", code],
                check=False,
                cwd=self._home,
                env=self._environment,
            )
            ended = shell.returncode
        except (OSError, ValueError) as error:
            # It is too long for the system, or holds a NUL.
            os.write(2, f"sh: {error}\n".encode())
            ended = 126
        # A shell counts the signals that end a command from 128 on.
        ended = 128 - ended if ended < 0 else ended
        if ended == exits:
            return None
        return Failure(str(ended), message="", trace="", line=None)
