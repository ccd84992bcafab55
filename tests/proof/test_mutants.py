"""Changes that no test notices are told, those that one notices are not."""

import subprocess
import sys
from pathlib import Path

import pytest

from proof.expected import main as expected
from proof.mutants import _frozen, all_mutations, read_equivalent
from proof.mutations import mutations
from proof.scores import BARS, keep_result, read_results, score, sentence
from tests.engine.scratch import REPOSITORY, Scratch

SUM = '''\
"""Sums."""

# region add
def add(a, b, wait=False):
    """Return the sum."""
    while wait:
        pass
    return a + b


def double(a):
    """Return twice the number."""
    return a * 2


# endregion add

if __name__ == "__main__":
    # region print
    print(add(2, 0) > 1)
    # endregion print
'''
TESTS = """\
import pytest

from snippets.sums import add


@pytest.mark.filterwarnings("ignore")
def test_add():
    assert add(2, 0) == 2
"""
MORE_TESTS = """

import subprocess
import sys

DOUBLE = "from snippets.sums import double; assert double(2) == 4"


@pytest.fixture(scope="module")
def two():
    return add(1, 1)


def test_there_is_a_sum(two):
    assert two is not None


def test_the_sum(two):
    assert two == 2


def test_in_a_process_apart():
    subprocess.run([sys.executable, "-c", DOUBLE], check=True)
"""
PAGE = """\
# Sums

```python run="snippets/sums.py:add"
```

```python run="snippets/sums.py:print"
```
"""
STRICT = """\
[tool.pytest.ini_options]
addopts = "--strict-markers"
"""
PRINTED = "print(add(2, 0) > 1)"
TRY = """\
import sys
from proof import mutants
if __name__ == "__main__":
    mutants.SECONDS_TO_START = 5
    sys.exit(mutants.main())
"""
"""The tool, with less patience than it has when a page may take long."""


@pytest.fixture
def sums(scratch: Scratch) -> Scratch:
    """A project with one snippet, which its test does not test well."""
    scratch.write("snippets/sums.py", SUM)
    scratch.write("snippets/__init__.py", "")
    (scratch.root / "snippets/count.py").unlink()
    scratch.write("docs/index.md", PAGE)
    scratch.write("tests/snippets/test_sums.py", TESTS)
    assert expected(["--root", str(scratch.root), "--write"]) == 0
    scratch.write("pyproject.toml", STRICT)
    scratch.write("try.py", TRY)
    scratch.write("proof/equivalent.toml", "equivalent = []\n")
    return scratch


def run(scratch: Scratch, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Try changes of the project out, by a process without TensorFlow."""
    measured = ("coverage", "run", "--rcfile", REPOSITORY / "pyproject.toml")
    tool = (scratch.root / "try.py", "--root", scratch.root)
    return subprocess.run(
        [
            *(sys.executable, "-m", *map(str, (*measured, *tool))),
            *("--only", "snippets", *arguments),
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_survives_is_told_and_kept(sums: Scratch) -> None:
    """Seconds pass until all is learned, so one run shows all it can."""
    sums.write(
        "proof/equivalent.toml",
        """\
        [[equivalent]]
        path = "snippets/sums.py"
        was = "print(add(2, 0) > 1)"
        now = "print(add(2, 0) >= 1)"
        reason = "Two is more than one as well."
        """,
    )
    done = run(sums)
    assert done.returncode == 1, done.stderr
    result = read_results(sums.root)["snippets"]
    assert [tuple(found.values()) for found in result["survivors"]] == [
        ("snippets/sums.py:13", "return a * 2", "return a * 3"),
        ("snippets/sums.py:13", "return a * 2", "return a / 2"),
        ("snippets/sums.py:20", PRINTED, PRINTED.replace("2,", " 3,")),
        ("snippets/sums.py:20", PRINTED, PRINTED.replace("0", "1")),
        ("snippets/sums.py:8", "return a + b", "return a - b"),
    ]
    assert (result["changes"], result["equivalent"]) == (11, 1)
    said = done.stdout.splitlines()
    assert said[-1] == sentence("snippets", result)
    assert "5 of 10 changes noticed, 50.0 % (bar 95 %)" in said[-1]
    places = [found["place"] for found in result["survivors"]]
    told = [line for line in said if line.startswith("Not noticed: ")]
    assert sorted(told) == [
        f"Not noticed: {place}"
        for place in sorted([*places, "snippets/sums.py:20"])
    ]


def test_what_was_tried_is_kept_until_its_tests_change(sums: Scratch) -> None:
    run(sums)
    kept = sums.root / ".cache/mutants/tried"
    before = {path: path.stat().st_mtime_ns for path in kept.iterdir()}
    assert "5 of 11" in run(sums).stdout
    assert {p: p.stat().st_mtime_ns for p in kept.iterdir()} == before
    sums.write("tests/snippets/test_sums.py", TESTS + MORE_TESTS)
    done = run(sums)
    assert "8 of 11" in done.stdout
    assert done.returncode == 1


def test_a_test_that_fails_without_a_change_is_named(sums: Scratch) -> None:
    sums.replace("tests/snippets/test_sums.py", "== 2", "== 3")
    done = run(sums)
    assert done.returncode == 1
    assert "tests/snippets/test_sums.py fails without" in done.stderr
    assert "assert 2 == 3" in done.stderr
    assert read_results(sums.root) == {}


def test_tests_that_cannot_be_collected_are_told(sums: Scratch) -> None:
    sums.replace("tests/snippets/test_sums.py", "import add", "import ad")
    assert "cannot import name 'ad'" in run(sums).stderr


def test_a_page_that_differs_without_a_change_is_named(sums: Scratch) -> None:
    sums.replace("tests/expected/index.txt", "True", "False")
    done = run(sums)
    assert done.returncode == 1
    assert "index fails without a change" in done.stderr


def test_edits_meanwhile_do_not_matter(sums: Scratch) -> None:
    with _frozen(sums.root) as frozen:
        sums.write("snippets/sums.py", "")
        assert (frozen / "snippets/sums.py").read_text() == SUM


def test_the_order_of_changes_is_random_and_stays(sums: Scratch) -> None:
    before = all_mutations(sums.root, "snippets")
    lines = [mutation.line for mutation in before]
    assert lines != sorted(lines)
    sums.write("snippets/more.py", "a = b + c\n")
    after = all_mutations(sums.root, "snippets")
    assert [m for m in after if m.path != "snippets/more.py"] == before
    assert len(after) == len(before) + 1


def test_the_score_is_of_those_that_have_an_effect() -> None:
    result = {"changes": 50, "tried": 25, "equivalent": 5, "noticed": 19}
    assert score(result) == 95
    assert score({**result, "tried": 5, "noticed": 0}) == 0


def test_results_of_other_folders_stay(tmp_path: Path) -> None:
    (tmp_path / "proof").mkdir()
    assert read_results(tmp_path) == {}
    keep_result(tmp_path, "engine", {"tried": 2})
    keep_result(tmp_path, "snippets", {"tried": 1})
    keep_result(tmp_path, "snippets", {"tried": 3})
    assert list(read_results(tmp_path).items()) == [
        ("snippets", {"tried": 3}),
        ("engine", {"tried": 2}),
    ]


def test_what_is_listed_as_equivalent_is_a_change_of_the_code() -> None:
    listed = read_equivalent(REPOSITORY)
    paths = {path for path, _, _ in listed}
    shown = set()
    for path in paths:
        code = (REPOSITORY / path).read_text("utf-8")
        shown |= {
            (path, *mutation.show(code))
            for mutation in mutations(REPOSITORY, path)
        }
    assert set(listed) <= shown
    assert all(reason.endswith(".") for reason in listed.values())


def test_the_kept_results_are_those_of_what_the_code_has() -> None:
    results = read_results(REPOSITORY)
    assert list(results) == list(BARS)
    for result in results.values():
        assert 0 < result["tried"] <= result["changes"]
        assert result["noticed"] + len(result["survivors"]) == (
            result["tried"] - result["equivalent"]
        )
