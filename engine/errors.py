"""What the engine raises on purpose: something for a person to mend."""

from collections.abc import Sequence
from pathlib import Path


class EngineError(Exception):
    """Anything that is for a person to mend; its text is for a terminal."""


class PageError(EngineError):
    """One thing to mend in a page, a snippet or the surroundings.

    Its fields are kept apart, so that a place that is found out late can
    still be added; ``str(error)`` is ``file:line: problem`` and, below it,
    what to do.
    """

    def __init__(
        self,
        problem: str,
        *,
        hint: str,
        path: Path | str | None = None,
        line: int | None = None,
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint
        self.path = path
        self.line = line

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.path, self.line) if part)
        first = f"{place}: {self.problem}" if place else self.problem
        return f"{first}\n  mend: {self.hint}"


class PageErrors(EngineError):
    """Several things to mend, each of them a message of its own."""

    def __init__(self, errors: Sequence[PageError]) -> None:
        super().__init__(f"{len(errors)} things to mend")
        self.errors = tuple(errors)

    def __str__(self) -> str:
        return "\n".join(dict.fromkeys(map(str, self.errors)))


class Superseded(EngineError):
    """Ends a build of a state that another edit has replaced."""


def not_encoded(error: UnicodeDecodeError, path: Path | str) -> PageError:
    """Return the error for a file whose bytes are no text."""
    return PageError(
        f"is not encoded in {error.encoding.upper()}",
        hint="save it as UTF-8",
        path=path,
        line=error.object.count(b"\n", 0, error.start) + 1,
    )


def raise_all(errors: Sequence[PageError]) -> None:
    """Raise the errors, if there are any."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise PageErrors(errors)
