"""What the steps of a program did."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """The exception, or the exit code of a command, that ended a block."""

    name: str
    """The name of the exception's class, or the exit code."""
    message: str
    """The exception as Python's last traceback line shows it."""
    trace: str
    """The traceback from the snippet inwards."""
    line: int | None
    """The line of the snippet that raised."""


@dataclass(frozen=True)
class Drawing:
    """A figure that a block showed."""

    svg: str
    data: str
    """What it draws, in words and numbers."""


@dataclass(frozen=True)
class BlockRun:
    """What one block did."""

    output: bytes
    """What it printed, as it was written."""
    failure: Failure | None
    figures: tuple[Drawing, ...]
    unshown: int
    """How many figures it left open without ``plt.show()``."""
    value: bool = False
    """Whether its last line has a value, which a notebook shows."""
    away: bool = False
    """Whether the program is then in another folder than at its start."""
    late: bool = False
    """Whether it printed when the program ended, as no notebook does."""


@dataclass(frozen=True)
class ValueRun:
    """What one value of the prose came to."""

    text: str = ""
    message: str = ""


StepRun = BlockRun | ValueRun


class Stuck(Exception):
    """Ends a program at a step: what is wrong, and what to do."""
