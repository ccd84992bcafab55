"""Where claims are tested: in an empty folder."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Work in an empty folder, in which code of the pages may write."""
    monkeypatch.chdir(tmp_path)
