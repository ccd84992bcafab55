"""Waiting for what other processes do, however busy the machine is."""

import os
import time
from collections.abc import Callable
from pathlib import Path

SECONDS = 60
"""After which nothing is expected any more."""


def wait_until(happened: Callable[[], object]) -> None:
    """Wait until it has happened; raises AssertionError if it does not."""
    deadline = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < deadline, "waited for in vain"
        time.sleep(0.02)


def wait_for_ends(*pids: int) -> None:
    """Wait until none of the processes lives."""
    wait_until(lambda: not any(map(_lives, pids)))


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False
    # A killed process whose parent has not looked yet is no process.
    return stat.rpartition(")")[2].split()[0] != "Z"
