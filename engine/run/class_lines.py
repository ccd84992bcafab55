"""On which lines of the reader's script classes begin.

Since Python 3.13 a class knows its line, on which ``inspect`` looks for it in
the file of its module.  That is the script, where it stands on another line
than in its own file.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.program import Section


class ClassLines:
    """Follows the blocks through the script."""

    def __init__(self) -> None:
        self._row = 0
        """Up to where they have been found."""

    def set(
        self, tree: ast.Module, section: Section, names: dict[str, Any]
    ) -> None:
        """Let the classes in the section's code say their lines."""
        script = Path(str(names.get("__file__")))
        try:
            lines = script.read_text("utf-8").split("\n")[self._row :]
        except (OSError, ValueError):  # the program has changed it
            return
        first, *_ = section.code.split("\n")
        stripped = [line.lstrip(" ") for line in lines]
        if first not in stripped:
            return
        self._row += stripped.index(first) + 1
        for node in _classes(tree):
            begin: list[Any] = [node, *node.decorator_list]
            line = min(it.lineno for it in begin) - section.line + self._row
            name = ast.Name("__firstlineno__", ast.Store())
            says = ast.Assign([name], ast.Constant(line))
            documented = ast.get_docstring(node, clean=False) is not None
            node.body.insert(documented, ast.copy_location(says, node))


def _classes(tree: ast.AST) -> Iterator[ast.ClassDef]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield node
        yield from _classes(node)
