"""The one exception that the engine raises on purpose."""

from pathlib import Path


class Fault(Exception):
    """Something to mend in a page, a snippet or the surroundings.

    ``str(fault)`` is all that a reader of the terminal needs: the place as
    ``file:line``, what is wrong there, and the mend.
    """

    def __init__(
        self,
        problem: str,
        *,
        mend: str,
        path: Path | str | None = None,
        line: int | None = None,
    ) -> None:
        place = ":".join(str(part) for part in (path, line) if part)
        first = f"{place}: {problem}" if place else problem
        super().__init__(f"{first}\n  mend: {mend}")
