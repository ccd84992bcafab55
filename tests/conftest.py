"""What all tests share: the built site."""

from pathlib import Path

import pytest

from engine.__main__ import main

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the site, built from the repository."""
    folder = tmp_path_factory.mktemp("site") / "site"
    with pytest.MonkeyPatch.context() as patch:
        # The page for wrong addresses needs to know where the site stands.
        patch.setenv("SITE_URL", "https://docs.example/repo/")
        root = ["--root", str(REPOSITORY)]
        assert main([*root, "build", "--site", str(folder)]) == 0
    return folder


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter,
) -> None:
    """Say plainly what was left out, and why."""
    left_out = terminalreporter.stats.get("skipped", [])
    if not left_out:
        return
    reasons = {report.longrepr[2] for report in left_out}
    terminalreporter.section("left out")
    for reason in sorted(reasons):
        terminalreporter.line(f"{len(left_out)} tests: {reason}")
