"""Read a module of ``snippets/`` into the sections that pages show.

A section is what stands between ``# region NAME`` and ``# endregion NAME``,
comments that editors fold.  Indented sections, as under ``if __name__ ==
"__main__":``, are shown and run dedented.
"""

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import PageError, not_encoded
from engine.program import Section

MARKER = re.compile(r"#\s*(region|endregion)(?:\s+(.*\S))?\s*")
NOT_BLANK = re.compile(r"[^ \t]")


@dataclass(frozen=True)
class _Module:
    """The lines of a module, and what Python says of them."""

    path: Path
    lines: list[str]
    markers: list[tuple[int, str, str]] = field(default_factory=list)
    """The line of each marker, which of the two it is, and its name."""
    inside: set[int] = field(default_factory=set)
    """The lines that begin inside a string."""
    statements: set[int] = field(default_factory=set)
    """The lines on which a statement starts."""

    def error(self, line: int, problem: str, hint: str) -> PageError:
        return PageError(problem, hint=hint, path=self.path, line=line)


def read_sections(root: Path, path: Path) -> dict[str, Section]:
    """Return the sections of the module at ``root / path`` by name.

    Raises PageError for a module that Python cannot read, and for markers
    between which there is no section.
    """
    sections: dict[str, Section] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # whoever runs the code is warned
        module = _tokenized(_text(root, path), path)
        for name, start, end in _marked_ranges(module):
            if name in sections:
                problem = f'section "{name}" is opened twice, first for line '
                problem += str(sections[name].line)
                hint = "give one of the two another name"
                raise module.error(start, problem, hint)
            sections[name] = _section(module, name, start, end)
    return sections


def _text(root: Path, path: Path) -> str:
    source = (root / path).read_bytes()
    problem, hint = "not valid Python: ", "correct the syntax of this line"
    try:
        compile(source, str(path), "exec", dont_inherit=True)
        with tokenize.open(root / path) as file:
            return file.read()
    except SyntaxError as error:
        at = source.find(0)  # of which Python does not name the line
        problem += error.msg
        line = error.lineno or source.count(b"\n", 0, max(at, 0)) + 1
    except UnicodeDecodeError as error:
        raise not_encoded(error, path) from None
    raise PageError(problem, hint=hint, path=path, line=line)


def _tokenized(source: str, path: Path) -> _Module:
    module = _Module(path, source.split("\n"))
    nodes = ast.walk(ast.parse(source))
    module.statements.update(
        n.lineno for n in nodes if isinstance(n, ast.stmt)
    )
    opened: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        row, kind = token.start[0], tokenize.tok_name[token.type]
        # From Python 3.12 on, an f-string is a token for each of its parts.
        if kind.endswith("STRING") or kind.endswith("STRING_START"):
            opened.append(row)
        if kind.endswith("STRING") or kind.endswith("STRING_END"):
            module.inside.update(range(opened.pop() + 1, token.end[0] + 1))
        alone = token.line.lstrip().startswith("#")
        marker = MARKER.fullmatch(token.string)
        if kind == "COMMENT" and alone and marker:
            module.markers.append((row, marker[1], marker[2] or ""))
    return module


def _marked_ranges(module: _Module) -> Iterator[tuple[str, int, int]]:
    """Yield each section's name and the lines of its two markers."""
    opened, since = "", 0
    for row, kind, name in module.markers:
        if kind == "region" and not name:
            hint = 'write "# region NAME"'
            problem = "a section is opened without a name"
            raise module.error(row, problem, hint)
        if kind == "region" and opened:
            problem = f'section "{name}" is opened inside section "{opened}"'
            problem += f" of line {since}"
            hint = f'write "# endregion {opened}" above it'
            raise module.error(row, problem, hint)
        if kind == "region":
            opened, since = name, row
        elif opened and name in ("", opened):
            yield opened, since, row
            opened = ""
        else:
            name = name or "NAME"
            problem = f'section "{name}" is closed but not open'
            hint = f'write "# region {name}" where it starts, '
            raise module.error(row, problem, f"{hint}or remove this line")
    if opened:
        hint = f'write "# endregion {opened}" where it ends'
        raise module.error(since, f'section "{opened}" is not closed', hint)


def _section(module: _Module, name: str, start: int, end: int) -> Section:
    """Cut the section between the marker lines ``start`` and ``end``."""
    inside = range(start + 1, end)
    filled = [row for row in inside if module.lines[row - 1].strip()]
    if not filled:
        hint = "put code between its two markers, or remove both"
        raise module.error(start, f'section "{name}" is empty', hint)
    code = _dedented(module, range(filled[0], filled[-1] + 1))
    above = "\n" * (filled[0] - 1)
    try:
        compile(above + code, "", "exec", dont_inherit=True)
    except SyntaxError as error:
        problem = f'section "{name}" is not Python by itself: {error.msg}'
        hint = "move its markers, so that it holds whole statements"
        line = error.lineno or filled[0]
        raise module.error(line, problem, hint) from None
    return Section(module.path, name, filled[0], code)


def _dedented(module: _Module, rows: range) -> str:
    """Return the code without its margin.

    Strings keep their value: the lines that begin inside one stay as they
    are.  Comments and what a statement goes on with may stand to the left.
    """
    lines = {row: module.lines[row - 1] for row in rows}
    outside = lines.keys() - module.inside
    filled = {row for row in outside if lines[row].strip()}
    begun = (filled & module.statements) or filled
    margin = min((NOT_BLANK.split(lines[r], 1)[0] for r in begun), key=len)
    for row in outside:
        line = lines[row] if row in filled else ""
        shifted = line.startswith(margin)
        lines[row] = line[len(margin) :] if shifted else line.lstrip()
    return "\n".join(lines.values())
