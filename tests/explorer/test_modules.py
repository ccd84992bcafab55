"""The explorer's modules, tested one by one under Node.js, and their size.

They are tested as they are written and as they are served.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from docs.overrides.hooks import MINIFIED, minified
from tests.explorer.conftest import HERE, MODULES

BYTES_ALLOWED = 12_000
BROTLI = """
const { brotliCompressSync } = require("node:zlib");
const { readFileSync } = require("node:fs");
for (const name of process.argv.slice(1))
  console.log(brotliCompressSync(readFileSync(name)).length);
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that has the modules as they are served."""
    folder = tmp_path_factory.mktemp("served")
    modules = folder / "docs/assets/explorer"
    shutil.copytree(MODULES, modules)
    for path in modules.iterdir():
        if path.suffix in MINIFIED:
            path.write_text(minified(path), "utf-8")
    shutil.copytree(HERE, folder / "tests/explorer")
    return folder


def run_tests(node: str, folder: Path, recorded_file: Path) -> None:
    tests = sorted(map(str, folder.glob("*.test.mjs")))
    assert len(tests) >= 4
    result = subprocess.run(
        [node, "--test", *tests],
        env={"RECORDED": str(recorded_file)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_modules_do_what_their_tests_say(
    node: str, recorded_file: Path
) -> None:
    run_tests(node, HERE, recorded_file)


def test_modules_do_the_same_as_they_are_served(
    node: str, recorded_file: Path, served: Path
) -> None:
    run_tests(node, served / "tests/explorer", recorded_file)


def test_modules_and_styles_are_small(node: str, served: Path) -> None:
    folder = served / "docs/assets/explorer"
    files = sorted([*folder.glob("*.js"), *folder.glob("*.css")])
    assert len(files) > 5
    result = subprocess.run(
        [node, "-e", BROTLI, "--", *map(str, files)],
        capture_output=True,
        text=True,
        check=True,
    )
    sizes = [int(line) for line in result.stdout.split()]
    assert len(sizes) == len(files)
    assert sum(sizes) <= BYTES_ALLOWED, dict(zip(files, sizes, strict=True))
