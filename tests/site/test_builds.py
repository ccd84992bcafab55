"""Builds repeat to the byte and do no more than they must."""

import filecmp
import gzip
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PUBLISHED, REPOSITORY
from tests.site.conftest import PROGRAMS

USER = "the-user-who-built-it"
TEXTS = (".html", ".json", ".md", ".py", ".ipynb", ".txt")


def files(folder: Path) -> set[Path]:
    """Return all files below the folder, relative to it."""
    return {p.relative_to(folder) for p in folder.rglob("*") if p.is_file()}


def clone(folder: Path) -> Path:
    """Copy the project without what a build makes of it."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if not (REPOSITORY / name).is_file():
            continue
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, folder / name)
    return folder


def build(folder: Path, **variables: str) -> str:
    """Build the copy; return all that was said."""
    result = subprocess.run(
        [sys.executable, "-m", "engine", "build"],
        cwd=folder,
        env={**os.environ, **PUBLISHED, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stderr


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which every page was run anew."""
    outside = tmp_path_factory.mktemp("first")
    for name in ("home", "tmp"):
        (outside / name).mkdir()
    folder = clone(outside / "project")
    shutil.copytree(folder, outside / "copy")
    words = build(
        folder,
        HOME=str(outside / "home"),
        TMPDIR=str(outside / "tmp"),
        **dict.fromkeys(("USER", "LOGNAME", "USERNAME"), USER),
    )
    assert words.count("Running docs/") == len(PROGRAMS)
    return folder


def test_a_build_writes_nowhere_but_to_site_and_cache(first: Path) -> None:
    copy = first.with_name("copy")
    before, after = files(copy), files(first)
    built = {".cache", "site"}
    # The interpreter keeps bytecode beside whatever it imports.
    kept = {
        p for p in after if p.parts[0] in built or "__pycache__" in p.parts
    }
    assert {path.parts[0] for path in kept} >= built
    assert after - kept == before
    _, different, missing = filecmp.cmpfiles(
        copy, first, before, shallow=False
    )
    assert (different, missing) == ([], [])
    for name in ("home", "tmp"):
        assert list(first.with_name(name).iterdir()) == []


def test_nothing_tells_of_the_machine_that_built_it(first: Path) -> None:
    names = [
        os.fsencode(name)
        for name in (first.parent, REPOSITORY, Path.home(), sys.prefix, USER)
    ]
    host = re.escape(socket.gethostname())
    host_alone = re.compile(rf"(?<![\w.-]){host}(?![\w.-])")
    seen = set()
    for folder in (first / "site", first / ".cache/records"):
        for file in files(folder):
            content = (folder / file).read_bytes()
            if file.suffix == ".gz":
                content = gzip.decompress(content)
            for name in names:
                assert name not in content, file
            if file.suffix in TEXTS:
                # Names of hosts are short words, as those of classes are.
                text = re.sub(r"<[^>]+>", " ", content.decode("utf-8"))
                assert not host_alone.search(text), file
            seen.add(file.suffix)
    assert seen >= {*TEXTS, ".png", ".gz", ".xml", ".js"}


def test_another_clean_build_is_the_same_to_the_byte(
    site: Path, first: Path
) -> None:
    built = files(site)
    assert len(built) > 10
    assert built == files(first / "site")
    _, different, missing = filecmp.cmpfiles(
        site, first / "site", built, shallow=False
    )
    assert (different, missing) == ([], [])


def test_editing_prose_runs_nothing_and_imports_no_tensorflow(
    first: Path,
) -> None:
    page = first / "docs/basic_training_loops.md"
    page.write_text(page.read_text().replace("Plot both", "Draw both"))
    words = build(first, PYTHONPROFILEIMPORTTIME="1")
    assert "import time:" in words
    assert "Running" not in words
    assert "tensorflow" not in modules(words)
    assert "matplotlib" not in modules(words)
    assert (
        "Draw both"
        in (first / "site/basic_training_loops/index.html").read_text()
    )


def test_editing_a_section_runs_its_page_and_no_other(first: Path) -> None:
    snippet = first / "snippets/foundations.py"
    snippet.write_text(snippet.read_text().replace("[1.0, 2.0", "[1.5, 2.0"))
    words = build(first)
    ran = re.findall(r"(?m)^Running (\S+)", words)
    assert ran == ["docs/foundations.md"]


def modules(words: str) -> set[str]:
    """Return what was imported, by the interpreter's own account."""
    return {
        line.rsplit("|", 1)[1].strip()
        for line in words.splitlines()
        if line.startswith("import time:") and "|" in line
    }
