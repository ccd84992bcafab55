"""Copy the project to where it may be changed."""

import shutil
from pathlib import Path

MADE = shutil.ignore_patterns("__pycache__", "node_modules")
MADE_IN_ROOT = shutil.ignore_patterns(".*", "offline", "site")


def copy_project(root: Path, folder: Path) -> None:
    """Copy what is the project's own, without what was made of it."""

    def ignore(here: str, names: list[str]) -> set[str]:
        left_out = MADE(here, names)
        if Path(here) == root:
            left_out |= MADE_IN_ROOT(here, names)
        return left_out

    shutil.copytree(root, folder, ignore=ignore)
