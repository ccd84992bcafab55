"""Run parts of what a page runs, with names of the test's own."""

import ast
from functools import cache
from pathlib import Path
from typing import Any

from engine.program import Section
from engine.read.sections import read_sections

ROOT = Path(__file__).parents[1]

Names = dict[str, Any]


def statements(module: str, section: str) -> list[ast.stmt]:
    """Return what a section does; it knows its lines in the module."""
    found = sections(Path(f"snippets/{module}.py"))[section]
    tree = ast.parse(found.code)
    ast.increment_lineno(tree, found.line - 1)
    return tree.body


def execute(module: str, parts: list[ast.stmt], names: Names) -> None:
    """Run statements of the module; what they leave is in ``names``."""
    path = str(ROOT / f"snippets/{module}.py")
    exec(compile(ast.Module(parts, []), path, "exec"), names)


@cache
def sections(module: Path) -> dict[str, Section]:
    """Return the sections of a module, which is read once for all tests."""
    return read_sections(ROOT, module)
