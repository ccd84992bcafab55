"""Measure how fast the guide is built, here and by other tools.

    python -m tools.bench.build_speed

writes ``snippets/results/build_speed.json``, which a page judges.  Every build
is a process of its own; the processor time of all that it started counts.
"""

import argparse
import contextlib
import ctypes
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tools.bench.generators import (
    BARE,
    OTHERS,
    OURS,
    REPOSITORY,
    Edit,
    Generator,
    Guide,
    read_guide,
)
from tools.bench.machine import describe_machine
from tools.results import write_json

RESULTS = REPOSITORY / "snippets/results/build_speed.json"
ROUNDS = 3
FASTEST = 2
"""How many peers, the fastest on one page, build ten pages as well."""
GROWTH = (1, 10, 50, 200)
BECOME_PARENT_OF_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER of Linux
EDITS = {
    "cold": Edit(),
    "nothing": Edit(),
    "prose": Edit(prose="One more sentence."),
    "snippet": Edit(prose="One more sentence.", code="# One more comment."),
}
"""What is done to a page before each build, in this order."""

Times = dict[str, float]
"""Seconds: of the clock as ``wall``, of the processor as ``cpu``."""


def build(generator: Generator, folder: Path) -> Times:
    """Build in the folder and return what it took.

    Raises RuntimeError, with what the tool said, if it fails.
    """
    before = _cpu()
    start = time.perf_counter()
    done = subprocess.run(
        generator.command,
        cwd=folder,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    wall = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(done.stdout)
    # What the build left running, as a server of processes, ends with it.
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    return {"wall": wall, "cpu": _cpu() - before}


def day(generator: Generator, guide: Guide) -> dict[str, Times]:
    """Return what each build of a page takes: cold, and after each edit."""
    with _folder() as folder:
        times = {}
        for name, edit in EDITS.items():
            generator.write(guide, folder, 1, edit)
            times[name] = build(generator, folder)
        return times


def cold(generator: Generator, guide: Guide, pages: int) -> Times:
    """Return what the first build of so many pages takes."""
    with _folder() as folder:
        generator.write(guide, folder, pages, Edit())
        return build(generator, folder)


def measure(rounds: int, growth: tuple[int, ...]) -> dict[str, Any]:
    """Return all results; the tools take turns in each round."""
    guide = read_guide()
    tools = {"ours": OURS, "bare": BARE, **OTHERS}
    days: dict[str, list[dict[str, Times]]] = {name: [] for name in tools}
    for number in range(rounds):
        for name, generator in tools.items():
            days[name].append(day(generator, guide))
            _say(f"round {number + 1}, {name}: {days[name][-1]['cold']}")
    one = {name: medians(found) for name, found in days.items()}
    fast = sorted(OTHERS, key=lambda name: one[name]["cold"]["cpu"])
    ten = {name: cold(OTHERS[name], guide, 10) for name in fast[:FASTEST]}
    _say(f"ten pages: {ten}")
    grown = {"1": one["ours"]["cold"]}
    for pages in growth[1:]:
        grown[str(pages)] = cold(OURS, guide, pages)
        _say(f"{pages} pages of ours: {grown[str(pages)]}")
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": describe_machine(),
        "rounds": rounds,
        "one_page": one,
        "ten_pages": ten,
        "growth": grown,
    }


def medians(found: list[dict[str, Times]]) -> dict[str, Times]:
    """Return the median of each time over the rounds."""
    return {
        name: {
            kind: statistics.median(times[name][kind] for times in found)
            for kind in ("wall", "cpu")
        }
        for name in found[0]
    }


def main(arguments: list[str] | None = None) -> None:
    """Measure and write the file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--growth", type=int, nargs="+", default=GROWTH)
    options = parser.parse_args(arguments)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(BECOME_PARENT_OF_ORPHANS, 1, 0, 0, 0)
    results = measure(options.rounds, tuple(options.growth))
    write_json(RESULTS, rounded(results))


def rounded(found: object) -> object:
    """Return the results with times to the hundredth of a second."""
    if isinstance(found, dict):
        return {key: rounded(value) for key, value in found.items()}
    return round(found, 2) if isinstance(found, float) else found


def _environment() -> dict[str, str]:
    cache = REPOSITORY / ".cache/bench"
    return {
        **os.environ,
        "IPYTHONDIR": str(cache / "ipython"),
        "JUPYTER_PLATFORM_DIRS": "1",
        "MPLCONFIGDIR": str(cache / "matplotlib"),
        "NO_MKDOCS_2_WARNING": "1",
        "PYTHONPATH": str(REPOSITORY),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="build-speed-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
