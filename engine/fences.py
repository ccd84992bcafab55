"""Find the fences of a Markdown page and read their options."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import Fault

FENCE = re.compile(r"(?P<indent>[> ]*)(?P<fence>`{3,}|~{3,})(?P<info>.*)")
LANGUAGE = r"(?!py$)\w+"
OPTION = re.compile(r"\s*(?P<key>[A-Za-z]\w*)=(?P<quote>[\"'])(.*?)(?P=quote)")


@dataclass(frozen=True)
class Fence:
    """A fenced block of a page, as it stands there."""

    indent: str
    info: str
    line: int
    """The line of the opening fence, from 1."""
    end: int
    """The line of the closing fence."""
    body: str

    @property
    def language(self) -> str:
        """The first word after the opening fence."""
        return self.info.partition(" ")[0]

    def fault_on(self, path: Path) -> Callable[[str, str], Fault]:
        """Return what makes faults that name this fence of the page."""

        def fault(problem: str, mend: str) -> Fault:
            return Fault(problem, mend=mend, path=path, line=self.line)

        return fault


def fence_at(lines: list[str], index: int) -> Fence | None:
    """Return the fence that opens on the line at ``index``, if one does."""
    opening = FENCE.fullmatch(lines[index])
    if opening is None:
        return None
    end = index + 1
    while end < len(lines) and lines[end].strip("> ") != opening["fence"]:
        end += 1
    indent = opening["indent"]
    body = "\n".join(
        line.removeprefix(indent) for line in lines[index + 1 : end]
    )
    return Fence(indent, opening["info"].strip(), index + 1, end + 1, body)


def read_options(fence: Fence, path: Path, known: set[str]) -> dict[str, str]:
    """Return the fence's options; raise Fault for one that is not known."""
    fault = fence.fault_on(path)
    rest = fence.info.removeprefix(fence.language)
    options: dict[str, str] = {}
    position = 0
    while match := OPTION.match(rest, position):
        options[match["key"]] = match[3]
        position = match.end()
    left = rest[position:].strip()
    if left or not re.fullmatch(LANGUAGE, fence.language):
        raise fault(
            f"cannot read the fence options from `{left or fence.info}`",
            'write them as python run="…" alt="…", each in quotes',
        )
    for key in options:
        if key not in known:
            raise fault(
                f'unknown fence option "{key}"',
                f"use one of: {', '.join(sorted(known))}",
            )
    return options
