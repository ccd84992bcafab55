"""What the record of a program depends on, as one word."""

import hashlib
import json
import sys
from functools import cache
from pathlib import Path

import engine.program
import engine.run
from engine.program import (
    CommandBlock,
    FileBlock,
    Program,
    PythonBlock,
    Step,
    Value,
)


def record_key(program: Program) -> str:
    """Return a hash of the program and of what carries it out."""
    steps = [_essence(step) for step in program.steps]
    text = json.dumps([_engine(), sys.version, steps])
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _engine() -> str:
    """Return a hash of the source of what carries programs out."""
    folder = Path(engine.run.__file__ or "").parent
    sources = [*sorted(folder.glob("*.py")), Path(engine.program.__file__)]
    texts = b"".join(path.read_bytes() for path in sources)
    return hashlib.sha256(texts).hexdigest()


def _essence(step: Step) -> list[str | int | None]:
    """Return what of a step bears on its result."""
    match step:
        case Value(expression=expression):
            return ["value", expression]
        case PythonBlock(code=code, raises=raises):
            return ["python", code, raises]
        case FileBlock(file=file, contents=contents):
            return ["file", file, contents]
        case CommandBlock(code=code, exits=exits):
            return ["command", code, exits]
    raise TypeError(step)
