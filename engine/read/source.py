"""From which line of which file a line comes that is rendered."""

from collections.abc import Sequence
from difflib import SequenceMatcher
from os.path import relpath
from pathlib import Path
from typing import Any, NamedTuple, Self

Place = tuple[Path, int]


class Line(int):
    """A line of a page, which may stand for one that the page includes."""

    place: Place | None = None
    """The file and the line that are included, if it stands for one."""

    def __add__(self, rows: int) -> "Line":
        below = Line(int(self) + rows)
        if self.place:
            path, number = self.place
            below.place = path, number + rows
        return below

    def __reduce__(self) -> tuple[type[int], tuple[int]]:
        """Be a number alone where programs run."""
        return int, (int(self),)


class Included(str):
    """A line of another file, which keeps its place when it is indented."""

    place: Place

    def __new__(cls, text: str, place: Place) -> Self:
        """Return the text as the line that stands there."""
        line = super().__new__(cls, text)
        line.place = place
        return line

    def __radd__(self, indent: str) -> "Included":
        return Included(indent + str(self), self.place)


class Source(NamedTuple):
    """Lines of a file, or lines that are made of others."""

    lines: Sequence[str]
    before: "Source | None" = None
    """Those of which they are made."""
    starts: Sequence[tuple[int, int, int]] = ()
    """Runs of equal lines: where they start in both, and how many."""

    def line(self, index: int) -> Line:
        """Return the file's line, from 1, from which the line comes."""
        if not self.before:
            return Line(index + 1)
        runs = (run for run in reversed(self.starts) if index >= run[0])
        start, there, size = next(runs, (index, 0, 0))
        line = self.before.line(there + min(index - start, size))
        for made in self.lines[index : index + 1]:
            line.place = getattr(made, "place", line.place)
        return line

    def find(self, text: str) -> Line:
        """Return the file's line on which the text first stands."""
        before, _, _ = "\n".join(self.lines).partition(text)
        return self.line(before.count("\n"))

    def made_into(self, lines: Sequence[str]) -> "Source":
        """Return the lines, made of these, as far as both agree."""
        both = [[s.expandtabs(4) for s in of] for of in (lines, self.lines)]
        blocks = SequenceMatcher(None, both[0], both[1]).get_matching_blocks()
        return Source(lines, self, list(blocks))


def note_places(snippets: Any, root: Path) -> None:
    """Have pymdownx.snippets keep the places of the lines it includes."""
    parse = snippets.parse_snippets

    def parse_snippets(
        lines: list[str], file_name: str | None = None, **more: Any
    ) -> list[str]:
        if file_name:
            lines = _placed(lines, Path(file_name), root)
        return list(parse(lines, file_name, **more))

    snippets.parse_snippets = parse_snippets


def _placed(lines: list[str], file: Path, root: Path) -> list[str]:
    """Return lines of a file with their places, if it is a text."""
    try:
        there = file.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeError):
        return lines
    path = Path(relpath(file, root))
    # The extension may have taken their indent.
    ours, theirs = ([s.strip() for s in of] for of in (lines, there))
    source = Source(theirs).made_into(ours)
    return [
        Included(line, (path, source.line(row)))
        for row, line in enumerate(lines)
    ]
