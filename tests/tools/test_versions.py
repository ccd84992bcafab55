"""Other versions are tried out, and what comes of it is kept and told."""

import json
import os
import pickle
import subprocess
import sys
import time
from importlib.metadata import (
    PackageNotFoundError,
    packages_distributions,
    requires,
)
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.engine.scratch import Scratch
from tools import inside, verdicts, versions
from tools.expected import main as expected
from tools.untrue import untrue
from tools.verdicts import read_tests, verdict
from tools.versions import Combination

TESTS = """\
def test_trap_02_springs():
    assert {springs}


def test_trap_02_is_mended():
    pass
"""
GOOD = {
    "date": "2026-01-01",
    "versions": {
        "Python": "3.12.1",
        "TensorFlow": "2.20.0",
        "Keras": "3.11.0",
        "NumPy": "2.3.0",
    },
    "pages": {"index": [], "traps": []},
    "passed": 3,
    "failed": [],
    "tamed": [],
}


def installer(
    *command: str | Path, missing: str = ""
) -> subprocess.CompletedProcess[str]:
    """Stand in for uv: an environment is this one by another name."""
    if command[:2] == ("python", "find"):
        return subprocess.CompletedProcess([], int(command[2] == missing))
    if command[0] == "venv":
        python = Path(command[-1]) / "bin/python"
        python.parent.mkdir(parents=True, exist_ok=True)
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)
    return subprocess.CompletedProcess([], 0, "", "")


@pytest.fixture
def site(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> Scratch:
    """A project with kept texts and tests, for the installer above."""
    assert expected(["--root", str(scratch.root), "--write"]) == 0
    scratch.write("tests/snippets/test_traps.py", TESTS.format(springs=True))
    scratch.write(
        "pyproject.toml",
        """\
        [project]
        dependencies = [
            "keras==3.15.*", "matplotlib==3.11.*", "mkdocs",
            "tensorboard>=2.20",
        ]
        [dependency-groups]
        dev = ["pytest>=9", "ruff"]
        """,
    )
    scratch.write("snippets/results/versions.json", "{}")
    monkeypatch.setattr(versions, "_uv", installer)
    scratch.capsys.readouterr()
    return scratch


def try_one(site: Scratch) -> dict[str, Any]:
    """Try one combination out; return what is kept of it."""
    name = "py3.12-tf2.20-kerasnewest"
    main = versions.main(["--root", str(site.root), "--only", name])
    assert main == 0
    kept = json.loads((site.root / versions.RESULTS).read_text())
    assert list(kept) == [name]
    result: dict[str, Any] = kept[name]
    return result


ONLY_WITH = """
import sys
from importlib.abc import MetaPathFinder

missing = set(sys.argv[1].split(","))


class Finder(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in missing:
            raise ModuleNotFoundError(f"No module named {name!r}")


sys.meta_path.insert(0, Finder())
import pytest
import tools.inside
from tools.versions import TESTS
sys.exit(pytest.main([*TESTS, "--collect-only", "-p", "pytest_cov.plugin"]))
"""
"""Imports what runs in an environment as if some modules were missing."""


def needed(*packages: str) -> set[str]:
    """Return the packages with all that they need in turn."""
    found: set[str] = set()
    waiting = [canonicalize_name(name) for name in packages]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        try:
            wanted = [Requirement(r) for r in requires(name) or []]
        except PackageNotFoundError:
            continue
        waiting += [
            canonicalize_name(r.name)
            for r in wanted
            if r.marker is None or r.marker.evaluate({"extra": ""})
        ]
    return found


def test_the_snippets_tests_need_no_more_than_is_installed() -> None:
    tensorflow = Combination("3.12", "newest").packages
    installed = needed(*tensorflow, *versions.BESIDE)
    missing = [
        module
        for module, packages in packages_distributions().items()
        if not installed & {canonicalize_name(name) for name in packages}
    ]
    assert {"mkdocs", "bs4", "ruff"} < set(missing)
    done = subprocess.run(
        [sys.executable, "-c", ONLY_WITH, ",".join(missing)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_combination_in_which_all_is_as_shown(
    site: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str | Path, ...]] = []

    def note(*command: str | Path) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return installer(*command)

    monkeypatch.setattr(versions, "_uv", note)
    result = try_one(site)
    assert result["pages"] == {"index": []}
    assert (result["passed"], result["failed"]) == (2, [])
    assert result["versions"]["Keras"][0].isdigit()
    said = site.capsys.readouterr().out
    assert said == (
        "py3.12-tf2.20-kerasnewest: all as shown\n"
        "Nothing is worse than what was kept.\n"
    )
    (pip,) = [c for c in asked if c[0] == "pip"]
    wanted = {"keras", "tensorboard", "matplotlib==3.11.*", "pytest>=9"}
    assert wanted < {*map(str, pip)}
    assert any(str(p).endswith("==2.20.*") for p in pip)
    too_much = {"ruff", "mkdocs", "keras==3.15.*", "tensorboard>=2.20"}
    assert not too_much & {*map(str, pip)}


def test_a_page_that_differs_and_a_trap_that_no_longer_springs(
    site: Scratch,
) -> None:
    site.replace("snippets/count.py", '"number"', '"no."')
    site.write("tests/snippets/test_traps.py", TESTS.format(springs=False))
    result = try_one(site)
    (told,) = result["pages"]["index"]
    assert told == "docs/index.md:8: snippets/count.py:count"
    assert result["tamed"] == [2]
    assert result["failed"] == [
        "tests/snippets/test_traps.py::test_trap_02_springs"
    ]
    assert result["passed"] == 1
    name = "py3.12-tf2.20-kerasnewest"
    assert site.capsys.readouterr().out.splitlines() == [
        f"{name}: 1 tests fail; differs: index; no longer springs: trap 2",
        f"worse: {name}: {result['failed'][0]} fails",
        f"worse: {name}: index differs",
        f"worse: {name}: trap 2 no longer springs",
    ]
    assert try_one(site) == result
    assert "worse: " not in site.capsys.readouterr().out


def test_a_page_that_fails_is_told(site: Scratch) -> None:
    site.replace("snippets/count.py", "math.floor", "math.flor")
    versions.write_programs(site.root)
    inside.main(
        site.root,
        pickle.loads((site.root / versions.PROGRAMS).read_bytes()),
    )
    found = json.loads(site.capsys.readouterr().out)
    (told,) = found["pages"]["index"]
    assert "AttributeError" in told


def test_the_page_that_shows_the_results_is_left_out(site: Scratch) -> None:
    site.write(
        "docs/results.md",
        """\
        # Results

        ```json source="snippets/results/versions.json" file="versions.json"
        ```
        """,
    )
    assert try_one(site)["pages"] == {"index": []}


def test_a_page_that_cannot_be_read_is_tried_nowhere(site: Scratch) -> None:
    site.replace("docs/index.md", "py:count", "py:cuont")
    assert versions.main(["--root", str(site.root)]) == 1
    assert 'no section "cuont"' in site.capsys.readouterr().err
    assert versions.read_results(site.root) == {}


def test_an_environment_that_breaks_says_why(site: Scratch) -> None:
    spoilt = f"def test(): open('{versions.PROGRAMS}', 'w').close()\n"
    site.write("tests/snippets/test_spoilt.py", spoilt)
    assert try_one(site)["broken"] == "EOFError: Ran out of input"
    assert "does not run" in site.capsys.readouterr().out


def test_an_environment_that_never_ends_says_so(
    site: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoilt = "import time\n\ndef test():\n    time.sleep(60)\n"
    site.write("tests/snippets/test_spoilt.py", spoilt)
    monkeypatch.setattr(versions, "SECONDS_ALLOWED", 1)
    assert try_one(site)["broken"] == "takes longer than 1 s"


def test_tests_that_cannot_be_collected_count_as_none(site: Scratch) -> None:
    site.write("tests/snippets/test_spoilt.py", "import filelok\n")
    assert "1 error" in try_one(site)["broken"]


def test_tests_that_cannot_start_say_why(site: Scratch) -> None:
    site.write("tests/conftest.py", "import filelok\n")
    assert "No module named 'filelok'" in try_one(site)["broken"]


def test_results_are_written_once_nothing_reads_them_any_more(
    site: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages show them, so trials of these pages would see them change."""
    tried: list[str] = []

    def try_out(root: Path, combination: Combination) -> dict[str, Any]:
        time.sleep(0.1)  # for whoever writes what the trial before found
        assert versions.read_results(root) == {}
        if len(tried) == 2:
            raise KeyboardInterrupt
        tried.append(combination.name)
        return GOOD

    monkeypatch.setattr(versions, "try_out", try_out)
    with pytest.raises(KeyboardInterrupt):
        versions.main(["--root", str(site.root), "--jobs", "1"])
    assert list(versions.read_results(site.root)) == tried


def test_versions_that_do_not_go_together_are_told(
    site: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*command: str) -> subprocess.CompletedProcess[str]:
        code = int(command[0] == "pip")
        return subprocess.CompletedProcess([], code, "", "no solution")

    monkeypatch.setattr(versions, "_uv", refuse)
    result = try_one(site)
    assert result["not installed"] == "no solution"


def test_a_python_that_is_not_there_is_left_out(
    site: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        versions, "_uv", lambda *c: installer(*c, missing="3.13")
    )
    arguments = ["--root", str(site.root), "--newest"]
    assert versions.main(arguments) == 0
    said = site.capsys.readouterr().out
    assert said.startswith("Left out: there is no Python 3.13 here.\n")


def test_the_installer_is_there_and_downloads_no_python() -> None:
    done = versions._uv("python", "find", "3.99")
    assert done.returncode != 0
    assert "No interpreter found for Python 3.99" in done.stderr


def test_the_table_has_a_row_for_every_combination(
    scratch: Scratch,
) -> None:
    results = {
        "py3.12-tf2.20-kerasnewest": GOOD,
        "py3.13-tf2.18-kerasnewest": {"not installed": "no"},
        "py3.11-tf2.19-keras3.9": {**GOOD, "pages": {"traps": ["x"]}},
    }
    scratch.write("snippets/results/versions.json", json.dumps(results))
    assert versions.main(["--root", str(scratch.root), "--table"]) == 0
    rows = scratch.capsys.readouterr().out.splitlines()
    assert len(rows) == 2 + len(versions.matrix())
    assert (
        "| 3.12.1 | 2.20.0 | 3.11.0 | 2.3.0 | 3 of 3 | all as shown |" in rows
    )
    assert (
        "| 3.13 | 2.18 | newest | | | cannot be installed together |" in rows
    )
    assert "differs: traps |" in next(r for r in rows if "differs" in r)
    assert sum(row.endswith("| not run |") for row in rows) == len(rows) - 5


def test_no_result_is_kept_of_what_the_matrix_no_longer_has(
    scratch: Scratch,
) -> None:
    scratch.write("snippets/results/versions.json", "{}")
    versions.write_results(scratch.root, {"py2.7": GOOD})
    assert versions.read_results(scratch.root) == {}


def test_the_matrix_has_every_python_with_every_tensorflow() -> None:
    found = versions.matrix()
    assert len({c.name for c in found}) == len(found)
    for python in versions.PYTHONS:
        for tensorflow in versions.TENSORFLOWS:
            assert Combination(python, tensorflow) in found
    assert found[0].tensorflow == "newest"
    assert "==" not in "".join(found[0].packages)


@pytest.mark.parametrize(
    ("platform", "machine", "package"),
    [
        ("linux", "x86_64", "tensorflow-cpu==2.20.*"),
        ("linux", "aarch64", "tensorflow==2.20.*"),
        ("darwin", "arm64", "tensorflow==2.20.*"),
    ],
)
def test_the_smaller_tensorflow_is_taken_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, platform: str, machine: str, package: str
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert Combination("3.12", "2.20", "3.9").packages == [
        package,
        "keras==3.9.*",
        "tensorboard",
    ]


def test_what_is_kept_of_the_matrix_can_be_read() -> None:
    root = Path(__file__).parents[2]
    results = versions.read_results(root)
    assert versions.matrix()[0].name in results
    assert "not run" in versions.table({})
    for result in results.values():
        assert verdict(result)


CLAIMS = """
@says("It is so.", page="traps")
@says("One   is one.")
def test_one(): ...


@pytest.mark.parametrize("n", [1])
@says("Two is … two.")
def test_two(n): ...


def test_three(): ...
"""


def test_what_is_not_true_is_named_by_its_page(tmp_path: Path) -> None:
    file = tmp_path / "tests/claims/test_index.py"
    file.parent.mkdir(parents=True)
    file.write_text(CLAIMS)
    start = "tests/claims/test_index.py::test_"
    failed = [f"{start}one", f"{start}two[1]", f"{start}two[2]"]
    failed += [f"{start}three", "tests/snippets/test_index.py::test_one"]
    assert untrue(tmp_path, failed) == {
        "traps": ["It is so."],
        "index": ["One is one.", "Two is … two."],
    }
    assert untrue(tmp_path, failed[3:]) == {}


def test_what_was_left_out_is_not_counted() -> None:
    case = (
        '<testcase classname="tests.snippets.test_a" name="{}">{}</testcase>'
    )
    cases = case.format("good", "") + case.format("left", "<skipped/>")
    cases += case.format("bad", "<failure/>")
    assert read_tests(f"<suite>{cases}</suite>") == (
        1,
        ["tests/snippets/test_a.py::bad"],
    )


def test_sentences_that_are_not_true_are_part_of_the_verdict() -> None:
    result = {**GOOD, "untrue": {"traps": ["a", "b"], "index": ["c"]}}
    assert verdict(result) == "3 sentences not true"
    assert verdict({**GOOD, "untrue": {}}) == "all as shown"


def test_only_what_was_good_before_is_worse() -> None:
    bad = {**GOOD, "pages": {"index": ["x"], "traps": []}}
    bad |= {"untrue": {"traps": ["It is so.", "One is one."]}}
    worst = {"not installed": "no solution"}
    assert verdicts.worse({"a": bad}, {"a": GOOD}) == []
    assert verdicts.worse({"a": {**bad, "untrue": {}}}, {"a": bad}) == [
        'worse: a: traps says what is not true: "It is so."',
        'worse: a: traps says what is not true: "One is one."',
    ]
    assert verdicts.worse({"a": worst}, {"a": worst, "b": worst}) == [
        "worse: b: cannot be installed together"
    ]
