"""The modules of snippets, read when a page asks for them."""

import difflib
from collections.abc import Iterable, Iterator
from pathlib import Path

from engine.errors import PageError
from engine.program import Section
from engine.read.sections import read_sections

Stamp = tuple[int, int]


class Snippets:
    """The folder of modules; each is read again once it has changed."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root = root
        self.folder = folder
        self._read: dict[Path, tuple[Stamp, dict[str, Section]]] = {}

    def modules(self) -> list[Path]:
        """Return all modules, relative to the project's root.

        What stands in a folder that is a link is one if it was asked for.
        """
        found = (self.root / self.folder).rglob("*.py")
        paths = {*self._read, *(path.relative_to(self.root) for path in found)}
        return sorted(path for path in paths if self._is_module(path))

    def _is_module(self, path: Path) -> bool:
        is_hidden = any(part.startswith(".") for part in path.parts)
        return not is_hidden and (self.root / path).is_file()

    def sections(self, path: Path) -> dict[str, Section]:
        """Return the module's sections by name; raise PageError."""
        status = (self.root / path).stat()
        stamp = status.st_mtime_ns, status.st_size
        if path not in self._read or self._read[path][0] != stamp:
            self._read[path] = stamp, read_sections(self.root, path)
        return self._read[path][1]

    def find(self, reference: str) -> Section:
        """Return the section named ``snippets/NAME.py:SECTION``.

        Raises PageError, with a place only if the module is at fault.
        """
        file, _, name = reference.partition(":")
        path = Path(file)
        is_within = path.is_relative_to(self.folder) and ".." not in path.parts
        if not is_within or not (self.root / path).is_file():
            known = [module.as_posix() for module in self.modules()]
            raise _unknown(f"no file {file}", file, known)
        sections = self.sections(path)
        if name not in sections:
            problem = f'no section "{name}" in {file}'
            raise _unknown(problem, name, list(sections))
        return sections[name]

    def unshown(self, shown: Iterable[str]) -> Iterator[PageError]:
        """Yield an error for each section that nothing shows."""
        shown = set(shown)
        for path in self.modules():
            for section in self.sections(path).values():
                if section.reference not in shown:
                    yield PageError(
                        f'section "{section.name}" is shown on no page',
                        hint=f'show it with run="{section.reference}", '
                        "in a fence that no other fence holds, or remove its "
                        "two markers",
                        path=section.path,
                        line=section.line,
                    )


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question that names what is closest, or nothing."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f'write "{close[0]}"? ' if close else ""


def _unknown(problem: str, name: str, known: list[str]) -> PageError:
    there_are = f"there are: {', '.join(known) or 'none'}"
    return PageError(problem, hint=f"{did_you_mean(name, known)}{there_are}")
