"""The project as it stands in the repository."""

from pathlib import Path

import pytest

from engine.project import Project


@pytest.fixture(scope="session")
def project() -> Project:
    return Project(Path(__file__).parents[2])
