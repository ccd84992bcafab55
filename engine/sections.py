"""Read a module of ``snippets/`` into the sections that pages show.

A section is what stands between ``# region NAME`` and ``# endregion NAME``,
comments that editors fold.  Indented sections, as under ``if __name__ ==
"__main__":``, are shown and run dedented.
"""

import ast
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import Fault

MARKER = re.compile(r"\s*# (region|endregion) ([\w-]+)\s*")


@dataclass(frozen=True)
class Section:
    """A named piece of a module: what a block shows, runs and yields."""

    path: Path
    """The module, relative to the project's root."""
    name: str
    line: int
    """The line of the module on which the code starts, from 1."""
    code: str
    """The dedented code, without a newline at its end."""
    indent: int = 0
    """By how many columns the code was dedented."""

    @property
    def reference(self) -> str:
        """The section as a fence names it: ``snippets/data.py:make``.

        What has no name is a whole file.
        """
        path = self.path.as_posix()
        return f"{path}:{self.name}" if self.name else path


def joined(codes: Sequence[str]) -> str:
    """Return the pieces of code as one text, spaced as PEP 8 asks."""
    text = ""
    previous = ""
    for code in codes:
        text += _gap(previous, code) + code
        previous = code
    return text + "\n"


def read_sections(root: Path, path: Path) -> dict[str, Section]:
    """Return the sections of the module at ``root / path`` by name.

    Raises Fault for a module that cannot be parsed or does more than
    define things when imported, and for a section that is opened twice,
    opened inside another, not closed, not opened or empty.
    """
    source = (root / path).read_text(encoding="utf-8")
    _require_quiet_import(source, path)
    sections: dict[str, Section] = {}
    lines = source.splitlines()
    for name, start, end in _marked_ranges(lines, path):
        if name in sections:
            raise Fault(
                f'section "{name}" is opened twice, first for line '
                f"{sections[name].line}",
                mend="give one of the two another name",
                path=path,
                line=start,
            )
        sections[name] = _section(path, name, lines, start, end)
    return sections


def _marked_ranges(
    lines: list[str], path: Path
) -> Iterator[tuple[str, int, int]]:
    """Yield each section's name and the lines of its two markers."""
    opened: tuple[str, int] | None = None
    for number, line in enumerate(lines, start=1):
        marker = MARKER.fullmatch(line)
        if marker is None:
            continue
        kind, name = marker.groups()
        if kind == "region":
            if opened:
                raise Fault(
                    f'section "{name}" is opened inside section "{opened[0]}"'
                    f" of line {opened[1]}",
                    mend=f'write "# endregion {opened[0]}" above it',
                    path=path,
                    line=number,
                )
            opened = (name, number)
            continue
        if opened is None or opened[0] != name:
            raise Fault(
                f'section "{name}" is closed but not open',
                mend=f'write "# region {name}" where it starts, '
                "or remove this line",
                path=path,
                line=number,
            )
        yield name, opened[1], number
        opened = None
    if opened:
        raise Fault(
            f'section "{opened[0]}" is not closed',
            mend=f'write "# endregion {opened[0]}" where it ends',
            path=path,
            line=opened[1],
        )


def _section(
    path: Path, name: str, lines: list[str], start: int, end: int
) -> Section:
    """Cut the section between the marker lines ``start`` and ``end``."""
    inside = lines[start : end - 1]
    filled = [offset for offset, line in enumerate(inside) if line.strip()]
    if not filled:
        raise Fault(
            f'section "{name}" is empty',
            mend="put code between its two markers, or remove both",
            path=path,
            line=start,
        )
    text = "\n".join(inside[filled[0] : filled[-1] + 1])
    code = textwrap.dedent(text)
    indent = text.index(code[0])
    return Section(path, name, start + filled[0] + 1, code, indent)


def _require_quiet_import(source: str, path: Path) -> None:
    """Raise Fault unless importing the module only defines things."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise Fault(
            f"not valid Python: {error.msg}",
            mend="correct the syntax of this line",
            path=path,
            line=error.lineno,
        ) from None
    for statement in tree.body:
        if not _only_defines(statement):
            raise Fault(
                f"`{ast.unparse(statement).splitlines()[0]}` "
                "runs when the module is imported",
                mend="move it into a function or under "
                '`if __name__ == "__main__":`',
                path=path,
                line=statement.lineno,
            )


def _only_defines(statement: ast.stmt) -> bool:
    match statement:
        case ast.Import() | ast.ImportFrom():
            return True
        case ast.FunctionDef():
            return True
        case ast.ClassDef():
            return all(_only_defines(inner) for inner in statement.body)
        case ast.Assign() | ast.AnnAssign():
            return not any(
                isinstance(node, ast.Call) for node in ast.walk(statement)
            )
        case ast.Expr(value=ast.Constant()) | ast.Pass():
            return True
        case ast.If(test=test):
            return ast.unparse(test) == "__name__ == '__main__'"
    return False


def _gap(above: str, below: str) -> str:
    if not above:
        return ""
    defines = ("def ", "class ", "@")
    indented = above.splitlines()[-1].startswith(" ")
    wide = below.startswith(defines) or (
        indented and any(f"\n{d}" in f"\n{above}" for d in defines)
    )
    return "\n\n\n" if wide else "\n\n"
