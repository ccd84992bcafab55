"""Programs made by hand, from codes that are written as one module."""

from pathlib import Path
from typing import Any

import pytest

from engine.errors import PageError
from engine.program import (
    CommandBlock,
    Program,
    PythonBlock,
    Section,
    Step,
    Value,
)
from engine.run.results import BlockRun, StepRun
from engine.run.workers import Workers

MODULE = Path("snippets/m.py")
PAGE = Path("docs/page.md")


def program(
    root: Path, *steps: str | Step, page: Path = PAGE, **options: Any
) -> Program:
    """Return a program; each code is a section, guarded and named s1, s2, …

    The step of number n stands on line 10 n of the page.  The options are
    those of the last block.
    """
    lines = ['"""A module."""', 'if __name__ == "__main__":']
    made: list[Step] = []
    for number, step in enumerate(steps, 1):
        if not isinstance(step, str):
            made.append(step)
            continue
        lines.append(f"    # region s{number}")
        section = Section(MODULE, f"s{number}", len(lines) + 1, step)
        lines.extend(f"    {line}" for line in step.split("\n"))
        lines.append(f"    # endregion s{number}")
        last = options if step is steps[-1] else {}
        made.append(PythonBlock(line=10 * number, section=section, **last))
    module = root / MODULE
    module.parent.mkdir(parents=True, exist_ok=True)
    module.write_text("\n".join(lines), encoding="utf-8")
    return Program(page, tuple(made))


def command(code: str, exits: int = 0) -> CommandBlock:
    section = Section(Path(), "", 5, code)
    return CommandBlock(line=5, section=section, exits=exits)


def value(expression: str, line: int = 99) -> Value:
    return Value(line, expression)


class Page:
    """Runs programs with a root of their own."""

    def __init__(self, root: Path, workers: Workers) -> None:
        self.root = root
        self.workers = workers

    def runs(self, *steps: str | Step, **options: Any) -> list[StepRun]:
        return self.workers.run(program(self.root, *steps, **options))

    def blocks(self, *steps: str | Step, **options: Any) -> list[BlockRun]:
        runs = self.runs(*steps, **options)
        return [run for run in runs if isinstance(run, BlockRun)]

    def output(self, *steps: str | Step, **options: Any) -> str:
        """Return all that is printed."""
        blocks = self.blocks(*steps, **options)
        return b"".join(block.output for block in blocks).decode()

    def fails(self, *steps: str | Step, **options: Any) -> str:
        """Return the message with which the program fails."""
        with pytest.raises(PageError) as caught:
            self.runs(*steps, **options)
        return str(caught.value)
