"""What the explorer starts from, and Node.js to run its modules."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

from docs.assets.explorer.fence import read
from tests.conftest import REPOSITORY
from tests.pages.conftest import all_pages

MODULES = REPOSITORY / "docs/assets/explorer"
HERE = Path(__file__).parent
LEFT_OUT = "no Node.js on this machine: the explorer's tests were left out"

Recorded = dict[str, Any]
Runner = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


def recorded_on(page_name: str) -> Recorded:
    """Return what the explorer on the page was given by its program."""
    filled = all_pages()[page_name].filled
    assert filled
    soup = BeautifulSoup(filled.html, "html.parser")
    [explorer] = soup.select("loop-explorer")
    return read(str(explorer["data-run"]))


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
