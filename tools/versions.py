"""Run the snippets' tests and all pages under other versions.

``python -m tools.versions`` makes an environment in ``.cache/versions`` for
each combination of ``matrix()``, passes the tests of the snippets and of
the sentences in it, runs all pages, and compares what they print and draw
with what is kept.  The result is ``snippets/results/versions.json``: one
entry for each combination, with every test that failed, every sentence that
is not true and every page that differs.
"""

import argparse
import datetime
import json
import os
import pickle
import platform
import re
import signal
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from engine.errors import EngineError
from tools.results import write_json
from tools.untrue import CLAIMS, untrue
from tools.verdicts import Result, read_tests, tamed, verdict, worse

PYTHONS = ("3.11", "3.12", "3.13")
TENSORFLOWS = ("2.18", "2.19", "2.20", "2.21")
KERAS_THEN = {"2.18": "3.6", "2.19": "3.9", "2.20": "3.11"}
"""The Keras that was the newest when that TensorFlow appeared."""

NEWEST = "newest"
RESULTS = Path("snippets/results/versions.json")
FOLDER = Path(".cache/versions")
PROGRAMS = FOLDER / "programs"
SECONDS_ALLOWED = 3600
TESTS = ("tests/snippets", CLAIMS)
BESIDE = (
    *("filelock", "greenlet", "matplotlib", "scikit-learn"),
    *("pytest", "pytest-cov", "tqdm"),
)
"""What the pages and their tests need beside TensorFlow and Keras."""


@dataclass(frozen=True)
class Combination:
    """Versions to try together; ``newest`` is what the index has."""

    python: str
    tensorflow: str
    keras: str = NEWEST

    @property
    def name(self) -> str:
        """The name of its environment and of its result."""
        return f"py{self.python}-tf{self.tensorflow}-keras{self.keras}"

    @property
    def packages(self) -> list[str]:
        """TensorFlow and Keras as an installer is asked for them."""
        intel_linux = sys.platform == "linux" and platform.machine() in (
            "x86_64",
            "AMD64",
        )
        tensorflow = "tensorflow-cpu" if intel_linux else "tensorflow"
        return [
            _bounded(tensorflow, self.tensorflow),
            _bounded("keras", self.keras),
            "tensorboard",  # each TensorFlow goes with its own
        ]


def matrix() -> list[Combination]:
    """Return every combination, that of the newest releases first."""
    found = [Combination(PYTHONS[-1], NEWEST)]
    for tensorflow in reversed(TENSORFLOWS):
        found += [Combination(p, tensorflow) for p in reversed(PYTHONS)]
        if keras := KERAS_THEN.get(tensorflow):
            found.append(Combination(PYTHONS[0], tensorflow, keras))
    return found


def try_out(root: Path, combination: Combination) -> Result:
    """Make the environment, test and run in it; return what came of it."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    result: Result = {"date": today}
    problem = _install(root, combination)
    if problem:
        return {**result, "not installed": first_line(problem)}
    try:
        return result | _pass_and_run(root, _folder(root, combination))
    except subprocess.TimeoutExpired:
        return {**result, "broken": f"takes longer than {SECONDS_ALLOWED} s"}


def _pass_and_run(root: Path, folder: Path) -> Result:
    report = folder / "tests.xml"
    report.unlink(missing_ok=True)
    tests = _run(
        folder,
        root,
        *("-m", "pytest", "-q", "--no-cov"),
        *(tests for tests in TESTS if (root / tests).exists()),
        *("-p", "no:cacheprovider", f"--junitxml={report}"),
    )
    if tests.returncode > 1 or not report.exists():  # 1: some tests failed
        return {"broken": last_line(tests.stderr or tests.stdout)}
    inside = _run(folder, root, "-m", "tools.inside", str(root / PROGRAMS))
    if inside.returncode:
        return {"broken": last_line(inside.stderr)}
    passed, failed = read_tests(report.read_text("utf-8"))
    found = json.loads(inside.stdout)
    return {
        "versions": found["versions"],
        "pages": {
            page: [first_line(text) for text in told]
            for page, told in found["pages"].items()
        },
        "passed": passed,
        "failed": failed,
        "tamed": tamed(failed),
        "untrue": untrue(root, failed),
    }


def write_programs(root: Path) -> None:
    """Write down what all pages run, for environments without a generator.

    The page that shows the results is left out: it changes with each of
    them.  Raises EngineError for a page that cannot be read.
    """
    from engine.build.author import read_all  # missing in environments

    programs = [
        page.program
        for page in read_all(root)
        if page.program.steps
        and all(block.section.path != RESULTS for block in page.program.blocks)
    ]
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    (root / PROGRAMS).write_bytes(pickle.dumps(programs))


def first_line(text: str) -> str:
    """Return what is kept of a text: further lines may name the machine."""
    return text.strip().partition("\n")[0]


def last_line(text: str) -> str:
    """Return what a program said in the end, which names its error."""
    return text.strip().rpartition("\n")[2]


def read_results(root: Path) -> dict[str, Result]:
    """Return the results that are kept, by the combination's name."""
    path = root / RESULTS
    if not path.exists():
        return {}
    kept: dict[str, Result] = json.loads(path.read_text("utf-8"))
    return kept


def write_results(root: Path, results: dict[str, Result]) -> None:
    """Keep the results of what the matrix has, in its order."""
    known = [c.name for c in matrix() if c.name in results]
    write_json(root / RESULTS, {name: results[name] for name in known})


def table(results: dict[str, Result]) -> str:
    """Return the results as a table in Markdown."""
    names = ("Python", "TensorFlow", "Keras", "NumPy")
    lines = [
        f"| {' | '.join(names)} | tests | result |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for combination in matrix():
        result = results.get(combination.name)
        asked = (combination.python, combination.tensorflow, combination.keras)
        if result is None or "pages" not in result:
            said = verdict(result) if result else "not run"
            lines.append(f"| {' | '.join(asked)} | | | {said} |")
            continue
        found = [result["versions"][name] for name in names]
        tests = result["passed"] + len(result["failed"])
        lines.append(
            f"| {' | '.join(found)} | {result['passed']} of {tests} "
            f"| {verdict(result)} |"
        )
    return "\n".join(lines)


def _bounded(package: str, version: str) -> str:
    return package if version == NEWEST else f"{package}=={version}.*"


def _folder(root: Path, combination: Combination) -> Path:
    return root / FOLDER / combination.name


def _install(root: Path, combination: Combination) -> str:
    """Make the environment; return what went wrong, or nothing."""
    folder = _folder(root, combination)
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    known = [
        *project["project"]["dependencies"],
        *project["dependency-groups"]["dev"],
    ]
    beside = [
        wanted
        for wanted in known
        if re.split(r"[^\w-]", wanted, maxsplit=1)[0] in BESIDE
    ]
    commands: list[list[str | Path]] = [
        ["venv", "--quiet", "--clear", "--python", combination.python, folder],
        [
            *("pip", "install", "--quiet", "--python", folder),
            *combination.packages,
            *beside,
        ],
    ]
    for command in commands:
        done = _uv(*command)
        if done.returncode:
            return done.stderr
    return ""


def _uv(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "uv", *command],
        env={**os.environ, "UV_PYTHON_DOWNLOADS": "never"},
        capture_output=True,
        text=True,
        check=False,
    )


def _run(
    folder: Path, root: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [folder / "bin/python", *arguments],
        cwd=root,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "TF_CPP_MIN_LOG_LEVEL": "3",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_ALLOWED,
    )


def main(arguments: list[str] | None = None) -> int:
    """Try the combinations out and keep the results; return an exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.versions")
    parser.add_argument("--root", type=Path, default=Path())
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--newest", action="store_true")
    parser.add_argument("--table", action="store_true")
    parser.add_argument(
        "--jobs", type=int, default=max(1, (os.cpu_count() or 1) // 2)
    )
    options = parser.parse_args(arguments)
    # Whoever starts in the background ignores it, and so do all children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    root = options.root.resolve()
    results = read_results(root)
    if options.table:
        print(table(results))
        return 0
    wanted = [
        c
        for c in matrix()
        if (not options.only or c.name in options.only)
        and (not options.newest or c.tensorflow == NEWEST)
    ]
    here = {p for p in PYTHONS if _uv("python", "find", p).returncode == 0}
    for python in sorted({c.python for c in wanted} - here):
        print(f"Left out: there is no Python {python} here.", flush=True)
    wanted = [c for c in wanted if c.python in here]
    try:
        write_programs(root)
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1
    found: dict[str, Result] = {}
    pool = ThreadPoolExecutor(options.jobs)
    trials = {pool.submit(try_out, root, c): c.name for c in wanted}
    try:
        for trial in as_completed(trials):
            name = trials[trial]
            found[name] = trial.result()
            print(f"{name}: {verdict(found[name])}", flush=True)
    finally:
        pool.shutdown(cancel_futures=True)
        # Not before: pages show the results, and trials run these pages.
        write_results(root, {**results, **found})
    print(
        "\n".join(worse(results, found))
        or "Nothing is worse than what was kept."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
