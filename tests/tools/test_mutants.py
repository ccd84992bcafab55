"""Changes of the code are tried by cosmic-ray, and what came of them kept."""

import json
import subprocess
from pathlib import Path

import pytest

from tools import mutants

CODE = """\
def double(x):
    return 2 * x


def unused(x):
    return x - 7
"""
QUICK = """\
import subprocess, sys
sys.exit(subprocess.call([sys.executable, "check.py"]))
"""
CHECK = "from snippets.a import double\nassert double(3) == 6\n"
LISTED = """\
[[equivalent]]
path = "snippets/a.py"
was = "return x - 7"
now = "return x + 7"
reason = "Nobody calls it."
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in git, of which one function is tested."""
    root = tmp_path / "project"
    for name, text in {
        "snippets/__init__.py": "",
        "snippets/a.py": CODE,
        "snippets/results/mutants.json": json.dumps({"engine": {"old": 1}}),
        "tools/__init__.py": "",
        "tools/quick.py": QUICK,
        "tools/equivalent.toml": LISTED,
        "check.py": CHECK,
        ".gitignore": ".cache\n__pycache__\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    who = ["-c", "user.name=A", "-c", "user.email=a@b.example"]
    for words in (
        ["init", "-q", "-b", "main"],
        ["add", "."],
        ["commit", "-qm", "All"],
    ):
        subprocess.run(["git", *who, *words], cwd=root, check=True)
    return root


def test_a_sample_is_tried_and_survivors_are_named_and_kept(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--root", str(project), "--only", "snippets", "--sample", "99"]
    assert mutants.main(options) == 1
    kept = json.loads((project / mutants.RESULTS).read_text())
    assert kept["engine"] == {"old": 1}
    result = kept["snippets"]
    assert result["equivalent"] == 1
    assert result["killed"] + len(result["survivors"]) + 1 == result["tried"]
    assert result["killed"] > 5
    assert {s["place"] for s in result["survivors"]} == {"snippets/a.py:6"}
    assert {s["was"] for s in result["survivors"]} == {"return x - 7"}
    said = capsys.readouterr().out
    assert "snippets/a.py:6\n  return x - 7\n" in said
    assert "(threshold 95 %)" in said
    # Nothing differs from the branch: nothing is tried, and none survives.
    assert mutants.main(["--root", str(project), "--only", "snippets"]) == 0
    assert "0 of 0 changes killed, 100.0 %" in capsys.readouterr().out
    assert json.loads((project / mutants.RESULTS).read_text()) == kept
    assert (project / "snippets/a.py").read_text() == CODE


def test_every_change_without_effect_is_listed_with_its_reason() -> None:
    root = Path(__file__).parents[2]
    for change in mutants.read_equivalent(root):
        code = (root / change["path"]).read_text("utf-8")
        assert change["was"] in code, change
        assert change["reason"].endswith(".")
