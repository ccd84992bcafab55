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
import random
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cosmic_ray.work_db import WorkDB
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkResult

from tools.results import write_json

SKIPPED = WorkResult(worker_outcome=WorkerOutcome.SKIPPED)
RESULTS = Path("snippets/results/mutants.json")
EQUIVALENT = Path("tools/equivalent.toml")
THRESHOLDS = {"snippets": 95, "engine": 85}
"""Which part of the changes the tests are to kill, in percent."""
SECONDS_ALLOWED = 1200
"""Tests that last longer have noticed a change: it loops for ever."""
SIDE_BY_SIDE = 2
CONFIGURATION = """\
[cosmic-ray]
module-path = ["{folder}"]
timeout = {seconds}.0
excluded-modules = []
test-command = "{python} -m tools.quick --tests"

[cosmic-ray.distributor]
name = "local"

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
    with _opened(session) as database:
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
        left_out = [job.job_id for job in jobs[count:]]
        database.set_multiple_results(left_out, SKIPPED)


def outcome(sessions: Iterable[Path], equivalent: Iterable[Result]) -> Result:
    """Return how many changes there are, were tried, killed and survived."""
    listed = {(e["path"], e["was"], e["now"]) for e in equivalent}
    changes, killed, alike = 0, 0, 0
    survivors: list[Result] = []
    for session in sessions:
        with _opened(session) as database:
            changes = database.num_work_items
            completed = [*database.completed_work_items]
        for item, result in completed:
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
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "changes": changes,
        "tried": killed + alike + len(survivors),
        "killed": killed,
        "equivalent": alike,
        "survivors": sorted(survivors, key=lambda s: s["place"]),
    }


def _opened(session: Path) -> closing[WorkDB]:
    return closing(WorkDB(session, WorkDB.Mode.open))


def _lines(diff: str, sign: str) -> str:
    lines = diff.splitlines()
    changed = [x for x in lines if x[:1] == sign and x[:3] != 3 * sign]
    return "\n".join(line[1:].strip() for line in changed)


def try_out(root: Path, folder: str, since: str, sample: int) -> Result:
    """Let cosmic-ray try changes of a folder; return what came of them."""
    work = root / ".cache/mutants" / folder
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    config, session = work / "config.toml", work / "session.sqlite"
    config.write_text(
        CONFIGURATION.format(
            folder=folder,
            seconds=SECONDS_ALLOWED,
            python=sys.executable,
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
    shares = [_share(root, session, number) for number in range(SIDE_BY_SIDE)]
    execute = [_path("cosmic-ray"), "exec", str(config)]
    running = [
        subprocess.Popen([*execute, str(share)], cwd=share.with_suffix(""))
        for share in shares
    ]
    codes = [process.wait() for process in running]
    if any(codes):
        raise RuntimeError(f"cosmic-ray ended with {codes}")
    return outcome(shares, read_equivalent(root))


def _share(root: Path, session: Path, number: int) -> Path:
    """Return a session with a part of the changes, beside its clone."""
    share = session.with_name(f"{number}.sqlite")
    clone = [str(root), str(share.with_suffix(""))]
    subprocess.run(["git", "clone", "--quiet", *clone], check=True)
    shutil.copy(session, share)
    with _opened(share) as database:
        jobs = sorted(item.job_id for item in database.pending_work_items)
        others = [j for n, j in enumerate(jobs) if n % SIDE_BY_SIDE != number]
        database.set_multiple_results(others, SKIPPED)
    return share


def read_equivalent(root: Path) -> list[Result]:
    """Return the changes without effect, each with its reason."""
    text = (root / EQUIVALENT).read_text("utf-8")
    found: list[Result] = tomllib.loads(text).get("equivalent", [])
    return found


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
