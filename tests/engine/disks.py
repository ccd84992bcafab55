"""Run a command that sees a project's cache on a disk of its own."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

UNSHARE = ["unshare", "--map-root-user", "--mount"]
ROOM = 64
"""How many kilobytes the disk has beside what the cache holds."""


@cache
def can_mount() -> bool:
    """Return whether this machine lets a process mount for itself."""
    if not shutil.which("unshare"):
        return False
    tried = subprocess.run(
        [*UNSHARE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True,
    )
    return tried.returncode == 0


def run_on_disk(root: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run the shell script with all of ``.cache`` on a small disk.

    What the script leaves in the cache is there again when it has ended.
    """
    if not can_mount():
        assert not os.environ.get("CI"), "CI must allow user namespaces"
        pytest.skip("faults of the disk were not tried: unshare cannot mount")
    around = f"""
        set -e
        cp -r .cache ../before
        size=$(($(du -sk .cache | cut -f1) + {ROOM}))k
        mount -t tmpfs -o size=$size tmpfs .cache
        cp -r ../before/. .cache
        code=0
        {{ {script}
        }} || code=$?
        cp -r .cache ../after
        exit $code
    """
    done = subprocess.run(
        [*UNSHARE, "sh", "-c", around],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    shutil.rmtree(root / ".cache")
    shutil.move(root.parent / "after", root / ".cache")
    shutil.rmtree(root.parent / "before")
    return done
