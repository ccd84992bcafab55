"""What the explorer starts from, and Node.js to run its modules."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.explorer import read
from engine.fences import Fence
from engine.pages import fill_values, parts
from engine.project import Project
from engine.records import keep_record, kept_record, make_record
from tests.conftest import REPOSITORY

MODULES = REPOSITORY / "docs/assets/explorer"
HERE = Path(__file__).parent
LEFT_OUT = "no Node.js on this machine: the explorer's tests were left out"

Recorded = dict[str, Any]
Runner = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


def recorded_on(page_name: str) -> Recorded:
    """Return what the explorer on the page was given by its program."""
    project = Project(REPOSITORY)
    page = project.page(page_name)
    record = kept_record(project, page)
    if record is None:
        record = make_record(project, page)
        keep_record(project, page, record)
    lines = page.text.split("\n")
    fill_values(page, record.values, lines)
    [fence] = [
        part
        for part in parts("\n".join(lines))
        if isinstance(part, Fence) and part.language == "explorer"
    ]
    return read(fence.body)


@pytest.fixture(scope="session")
def recorded() -> Recorded:
    return recorded_on("explorer")


@pytest.fixture(scope="session")
def node() -> str:
    found = shutil.which("node")
    if not found:
        assert not os.environ.get("CI"), "CI must install Node.js"
        pytest.skip(LEFT_OUT)
    return found


@pytest.fixture(scope="session")
def recorded_file(
    recorded: Recorded, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("explorer") / "recorded.json"
    path.write_text(json.dumps(recorded), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def explore(node: str, recorded_file: Path) -> Runner:
    """Return a function that runs settings as the explorer does."""

    def run(settings: list[dict[str, Any]]) -> list[dict[str, Any]]:
        result = subprocess.run(
            [node, str(HERE / "explore.mjs"), str(recorded_file)],
            input=json.dumps(settings),
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return list(json.loads(result.stdout))

    return run
