"""The house is as its texts say: five rooms, and packages that name theirs."""

import ast
import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = {"docs", "engine", "snippets", "tests", "tools"}
BESIDE = {
    ".ci",
    ".editorconfig",
    ".github",
    ".gitignore",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "mkdocs.yml",
    "pyproject.toml",
    "requirements.lock",
}
PACKAGES = sorted(
    path.parent.relative_to(ROOT).as_posix()
    for room in ("engine", "tools")
    for path in (ROOT / room).rglob("__init__.py")
)


def test_the_root_shows_five_rooms_and_nothing_that_surprises() -> None:
    listed = subprocess.run(
        ["git", "ls-files"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    tops = {line.split("/")[0] for line in listed.splitlines()}
    assert tops == ROOMS | BESIDE


def test_the_table_of_the_readme_has_a_row_for_each_room() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    rows = re.findall(r"(?m)^\| \[`(\w+)/`\]\(([\w./]+)\)", text)
    assert {room for room, _ in rows} == ROOMS
    for _, told in rows:
        assert (ROOT / told).exists()


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_names_every_module_of_its_own(package: str) -> None:
    folder = ROOT / package
    source = (folder / "__init__.py").read_text("utf-8")
    said = ast.get_docstring(ast.parse(source)) or ""
    for path in folder.iterdir():
        module = path.suffix == ".py" or (path / "__init__.py").exists()
        if module and not path.stem.startswith("__"):
            assert f"``{path.stem}``" in said, path


def test_no_folder_of_tests_is_left_out(
    pytestconfig: pytest.Config,
) -> None:
    left_out = pytestconfig.getini("norecursedirs")
    for test in (ROOT / "tests").rglob("test_*.py"):
        for name in test.relative_to(ROOT).parts:
            assert not any(fnmatch(name, out) for out in left_out), test
