"""The workflows pin what they use and may do no more than they must."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parents[1] / ".github/workflows"
NAMES = sorted(path.name for path in FOLDER.glob("*.yml"))
PINNED = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
RUNS_THE_PROJECT = re.compile(r"(?m)^\s*(make|bash|sh|python|\.)")
MAY_WRITE = {
    ("docs.yml", "publish"): {"pages": "write", "id-token": "write"},
    ("versions.yml", "report"): {"issues": "write"},
}
"""The jobs that may do more than read, which run nothing of the project."""


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def text(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")


@pytest.fixture
def workflow(text: str) -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load(text)
    return loaded


def test_actions_are_pinned_by_commit_with_their_version(text: str) -> None:
    used = re.findall(r"(?m)^ *-? *uses: (.+)$", text)
    assert used
    for action in used:
        assert PINNED.fullmatch(action), action


def test_jobs_that_run_the_project_may_only_read(
    name: str, workflow: dict[Any, Any]
) -> None:
    assert workflow["permissions"] == {}
    for job, what in workflow["jobs"].items():
        allowed = MAY_WRITE.get((name, job))
        assert what["permissions"] == (allowed or {"contents": "read"})
        runs = [step.get("run", "") for step in what["steps"]]
        uses = [step.get("uses", "") for step in what["steps"]]
        if allowed:
            assert not any(map(RUNS_THE_PROJECT.search, runs))
            assert not any(use.startswith("actions/checkout") for use in uses)


def test_nothing_of_a_contributor_meets_a_secret(
    text: str, workflow: dict[Any, Any]
) -> None:
    # YAML reads the bare word "on" as true.
    assert not {"pull_request_target", "workflow_run"} & {*workflow[True]}
    assert not re.search(r"\$\{\{.*\bsecrets\b", text)
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout"):
                assert step["with"]["persist-credentials"] is False
