"""Build the project with the generators that it could move to."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from filelock import FileLock

from tests.conftest import PUBLISHED, REPOSITORY

ENVIRONMENT = REPOSITORY / ".cache/way_out"
CHANGES = {
    r"(?m)^  custom_dir: docs/overrides\n": "  variant: classic\n",
    r"(?m)^  icon:\n    logo: .*\n": "",
    r"(?m)^hooks:\n(  - .*\n)+\n": "",
    r"(?m)^    anchors: warn\n": "    anchors: ignore\n",
    r"(?m)^  - mkdocs-jupyter:\n(      .*\n)+": "",
}
"""What Zensical's configuration leaves out of ``mkdocs.yml``, or has for it.

Each is a line of the list in this folder's README.
"""


def properdocs(folder: Path) -> Path:
    """Build with ProperDocs and all of ``mkdocs.yml``; return the site."""
    site = folder / "site"
    command = ["build", "--strict", "--site-dir", str(site)]
    # The hooks write to the cache, as those of MkDocs do.
    with FileLock(REPOSITORY / ".cache/tests.lock"):
        require(run("properdocs", *command, folder=REPOSITORY))
    return site


def zensical(folder: Path) -> Path:
    """Build with Zensical, with the changes; return the site."""
    shutil.copytree(REPOSITORY / "docs", folder / "docs")
    config = (REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8")
    for before, after in CHANGES.items():
        config, found = re.subn(before, after, config)
        assert found == 1, f"mkdocs.yml has nothing like {before}"
    file = folder / "mkdocs.yml"
    file.write_text(config, encoding="utf-8")
    command = ["build", "--strict", "--config-file", str(file)]
    require(run("zensical", *command, folder=REPOSITORY))
    return folder / "site"


def run(
    generator: str, *arguments: str, folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run the generator in the folder; return what it said."""
    python = ENVIRONMENT / "bin/python"
    assert python.exists(), "mend: make way-out, which installs what it needs"
    return subprocess.run(
        [str(python), "-m", generator, *arguments],
        cwd=folder,
        env={
            **os.environ,
            **PUBLISHED,
            "PYTHONPATH": str(REPOSITORY),
            "NO_COLOR": "1",
            "NO_MKDOCS_2_WARNING": "1",
            "JUPYTER_PATH": f"{sys.prefix}/share/jupyter",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def require(result: subprocess.CompletedProcess[str]) -> None:
    """Fail with what the generator said unless it built the site."""
    assert result.returncode == 0, result.stdout
