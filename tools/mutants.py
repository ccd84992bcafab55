"""See whether the tests notice small changes of the code, by cosmic-ray.

``python -m tools.mutants`` changes, one place at a time, the lines of
``snippets/`` and ``engine/`` that differ from the branch main, or from the
revision that is named, and passes the tests that belong to the changed file
(``tools.quick``).  A change that no test kills survives and is shown.  With
``--sample 250`` it draws as many changes of all lines, always the same, and
keeps what came of them in ``snippets/results/mutants.json``, which a page
shows.  What is tried is the last commit, in clones of it.
"""

import argparse
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cosmic_ray.work_db import WorkDB
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkResult

from snippets.launch import free_addresses
from tools.results import write_json

RESULTS = Path("snippets/results/mutants.json")
EQUIVALENT = Path("tools/equivalent.toml")
THRESHOLDS = {"snippets": 95, "engine": 85}
"""Which part of the changes the tests are to kill, in percent."""
SECONDS_ALLOWED = 600
SIDE_BY_SIDE = 2
CONFIGURATION = """\
[cosmic-ray]
module-path = ["{folder}"]
timeout = {seconds}.0
excluded-modules = []
test-command = "{python} -m tools.quick --tests"

[cosmic-ray.distributor]
name = "http"

[cosmic-ray.distributor.http]
worker-urls = [{urls}]

[cosmic-ray.filters.operators-filter]
# Of types, which nothing evaluates, and of what marks a parameter as such.
exclude-operators = ["core/ReplaceBinaryOperator_BitOr_.*"]

[cosmic-ray.filters.git-filter]
branch = "{since}"
"""

Result = dict[str, Any]


def read_results(root: Path) -> dict[str, Result]:
    """Return the results that are kept, by folder."""
    path = root / RESULTS
    kept = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return {folder: kept[folder] for folder in THRESHOLDS if folder in kept}


def score(result: Result) -> float:
    """Return which part of the changes was killed, in percent.

    Changes without effect are left out.
    """
    counted = result["tried"] - result["equivalent"]
    return 100 * result["killed"] / counted if counted else 100.0


def sentence(folder: str, result: Result) -> str:
    """Say the score, of how many, and the threshold."""
    return (
        f"{folder}/: {result['killed']} of "
        f"{result['tried'] - result['equivalent']} changes killed, "
        f"{score(result):.1f} % (threshold {THRESHOLDS[folder]} %); tried "
        f"{result['tried']} of {result['changes']}, "
        f"{result['equivalent']} of them without effect"
    )


def draw(session: Path, count: int) -> None:
    """Leave as many changes to be tried, drawn at random."""
    database = WorkDB(session, WorkDB.Mode.open)
    jobs = sorted(
        database.pending_work_items,
        key=lambda item: (
            str(item.mutations[0].module_path),
            item.mutations[0].start_pos,
            item.mutations[0].operator_name,
            item.mutations[0].occurrence,
        ),
    )
    random.Random(0).shuffle(jobs)
    skipped = WorkResult(worker_outcome=WorkerOutcome.SKIPPED)
    database.set_multiple_results([j.job_id for j in jobs[count:]], skipped)
    database.close()


def outcome(session: Path, equivalent: Iterable[Result]) -> Result:
    """Return how many changes there are, were tried, killed and survived."""
    database = WorkDB(session, WorkDB.Mode.open)
    listed = {(e["path"], e["was"], e["now"]) for e in equivalent}
    killed, alike, survivors = 0, 0, []
    changes = database.num_work_items
    for item, result in database.completed_work_items:
        if result.worker_outcome != WorkerOutcome.NORMAL:
            continue
        place = item.mutations[0]
        was, now = (_lines(result.diff or "", sign) for sign in "-+")
        if result.test_outcome != TestOutcome.SURVIVED:
            killed += 1
        elif (str(place.module_path), was, now) in listed:
            alike += 1
        else:
            where = f"{place.module_path}:{place.start_pos[0]}"
            survivors.append({"place": where, "was": was, "now": now})
    database.close()
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "changes": changes,
        "tried": killed + alike + len(survivors),
        "killed": killed,
        "equivalent": alike,
        "survivors": sorted(survivors, key=lambda s: s["place"]),
    }


def _lines(diff: str, sign: str) -> str:
    lines = diff.splitlines()
    changed = [x for x in lines if x[:1] == sign and x[:3] != 3 * sign]
    return "\n".join(line[1:].strip() for line in changed)


def try_out(root: Path, folder: str, since: str, sample: int) -> Result:
    """Let cosmic-ray try changes of a folder; return what came of them."""
    work = root / ".cache/mutants"
    work.mkdir(parents=True, exist_ok=True)
    config, session = work / f"{folder}.toml", work / f"{folder}.sqlite"
    session.unlink(missing_ok=True)
    addresses = free_addresses(SIDE_BY_SIDE)
    urls = ", ".join(f'"http://{address}"' for address in addresses)
    config.write_text(
        CONFIGURATION.format(
            folder=folder,
            seconds=SECONDS_ALLOWED,
            python=sys.executable,
            urls=urls,
            since=since,
        )
    )
    _tool(root, "cosmic-ray", "init", config, session)
    _tool(root, "cr-filter-pragma", session)
    _tool(root, "cr-filter-operators", session, config)
    if sample:
        draw(session, sample)
    else:
        _tool(root, "cr-filter-git", session, "--config", config)
    with _workers(root, config, addresses):
        _tool(root, "cosmic-ray", "exec", config, session)
    return outcome(session, read_equivalent(root))


def read_equivalent(root: Path) -> list[Result]:
    """Return the changes without effect, each with its reason."""
    text = (root / EQUIVALENT).read_text("utf-8")
    found: list[Result] = tomllib.loads(text).get("equivalent", [])
    return found


@contextmanager
def _workers(root: Path, config: Path, addresses: list[str]) -> Iterator[None]:
    """Have workers wait in clones of the last commit."""
    command = [_path("cr-http-workers"), str(config), str(root)]
    bin_first = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    workers = subprocess.Popen(
        command,
        env={**os.environ, "PATH": bin_first},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for address in addresses:
            _wait_for(address)
        yield
    finally:
        os.killpg(workers.pid, 15)
        workers.wait()


def _wait_for(address: str) -> None:
    host, _, port = address.partition(":")
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex((host, int(port))) == 0:
                return
        time.sleep(0.2)
    raise TimeoutError(f"no worker of cosmic-ray listens on {address}")


def _path(tool: str) -> str:
    found = shutil.which(tool, path=str(Path(sys.executable).parent))
    assert found, tool
    return found


def _tool(root: Path, tool: str, *arguments: str | Path) -> None:
    subprocess.run([_path(tool), *arguments], cwd=root, check=True)


def main(arguments: list[str] | None = None) -> int:
    """Try changes out; return 1 if too many of a folder survive."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants")
    parser.add_argument("since", nargs="?", default="main")
    parser.add_argument("--root", type=Path, default=Path())
    parser.add_argument("--only", choices=THRESHOLDS)
    parser.add_argument("--sample", type=int, default=0)
    options = parser.parse_args(arguments)
    root = options.root.resolve()
    passed = True
    for folder in [options.only] if options.only else THRESHOLDS:
        result = try_out(root, folder, options.since, options.sample)
        for survivor in result["survivors"]:
            print(*survivor.values(), sep="\n  ")
        print(sentence(folder, result), flush=True)
        passed &= score(result) >= THRESHOLDS[folder]
        if options.sample:
            kept = {**read_results(root), folder: result}
            write_json(root / RESULTS, kept)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
