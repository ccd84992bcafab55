"""Tells a person which programs run, and for how long."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from engine.program import Block, Program, Step

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Reporter:
    """Speaks of programs, from any thread: live on a terminal, else lines."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._live = _live(self._stream) if self._stream.isatty() else None
        self._rows: dict[Path, TaskID] = {}

    def started(self, program: Program) -> None:
        """Say that a program begins."""
        if not self._live:
            self._say(f"Running {program.path} …")
            return
        row = self._live.add_task(f"{program.path} starts")
        self._rows[program.path] = row
        self._live.start()

    def step(self, program: Program, step: Step) -> None:
        """Say which block of a program is being carried out."""
        if self._live and isinstance(step, Block):
            blocks = program.blocks
            number = f"block {blocks.index(step) + 1} of {len(blocks)}"
            words = f"{program.path}: {number}, {step.name}"
            self._live.update(self._rows[program.path], description=words)

    def ended(self, program: Program, seconds: float | None) -> None:
        """Say how long a program took; no word if it did not end well."""
        blocks = len(program.blocks)
        words = f"{program.path}: {blocks} blocks, {seconds or 0:.1f} s"
        if self._live:
            self._live.remove_task(self._rows.pop(program.path))
            if not self._rows:
                self._live.stop()
        if seconds is not None:
            self._say(words)

    def _say(self, words: str) -> None:
        # In one piece, or another thread would speak in between.
        self._stream.write(f"{words}\n")
        self._stream.flush()


def _live(stream: TextIO) -> "Progress":
    # Imported late: only somebody at a terminal waits for it.
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
        console=Console(file=stream),
        transient=True,
    )
