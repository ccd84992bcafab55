"""The child process: carries out one page's steps in a folder of its own.

Every block is compiled with its module's real path and line numbers, so
that AutoGraph finds the source and tracebacks point into ``snippets/``.
What is printed is caught at file-descriptor level, because ``tf.print`` and
other native code write past ``sys.stdout``.
"""

import ast
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
import types
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TextIO

from engine.blocks import Block, Step, Value
from engine.sections import Section


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
    failure: Failure | None
    figures: tuple[Drawing, ...]
    unshown: int
    """How many figures it left open without ``plt.show()``."""


@dataclass(frozen=True)
class ValueRun:
    """What one value of the prose came to."""

    text: str = ""
    message: str = ""


StepRun = BlockRun | ValueRun


def main(
    steps: tuple[Step, ...], root: Path, folder: Path, pipe: Connection
) -> None:
    """Run the steps in ``folder`` and send a result for each.

    Says "ready" first, so that the time allowed to the first block does
    not pay for the start of the process.
    """
    os.setsid()
    watcher = threading.Thread(
        target=_end_with_the_build, args=(pipe, folder.parent), daemon=True
    )
    watcher.start()
    output = _redirect(folder.with_name("output"))
    _use_own_temporary_folder(folder.with_name("tmp"))
    os.chdir(folder)
    import engine.figures as figures

    figures.prepare()
    _hide_project()
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    pipe.send("ready")
    for step in steps:
        if isinstance(step, Value):
            pipe.send(_evaluate(step, module.__dict__))
            continue
        start = os.fstat(output).st_size
        failure = _carry_out(step, root, module.__dict__)
        sys.stdout.flush()
        sys.stderr.flush()
        length = os.fstat(output).st_size - start
        printed = os.pread(output, length, start)
        pipe.send(
            BlockRun(
                _relative(printed, root, folder), failure, *figures.take()
            )
        )


def _end_with_the_build(pipe: Connection, folder: Path) -> None:
    """Wait until nobody reads the pipe any more, then leave nothing behind.

    A build that is killed cannot end its children; they do it themselves.
    """
    hung_up = select.poll()
    hung_up.register(pipe.fileno(), 0)
    hung_up.poll()
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


def _use_own_temporary_folder(folder: Path) -> None:
    """Keep temporary files, as those of AutoGraph, where all is removed."""
    folder.mkdir()
    tempfile.tempdir = str(folder)
    os.environ["TMPDIR"] = str(folder)


def _redirect(path: Path) -> int:
    """Send standard output and error to one file; return its descriptor."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    output = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdout = _text_stream(1)
    sys.stderr = _text_stream(2)
    return output


def _relative(output: bytes, *folders: Path) -> bytes:
    """Shorten the paths that a reader of the page has no use for."""
    for folder in folders:
        output = output.replace(f"{folder}/".encode(), b"")
    return re.sub(rb"\S*/site-packages/", b"", output)


def _text_stream(descriptor: int) -> TextIO:
    return open(descriptor, "w", encoding="utf-8", buffering=1, closefd=False)


def _hide_project() -> None:
    """Let blocks and commands import only what a reader has installed."""
    installed = (sys.prefix, sys.base_prefix)
    sys.path[:] = [entry for entry in sys.path if entry.startswith(installed)]
    os.environ.pop("PYTHONPATH", None)
    python = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([python, os.environ["PATH"]])


def _carry_out(
    block: Block, root: Path, namespace: dict[str, Any]
) -> Failure | None:
    if block.file:
        Path(block.file).write_text(block.contents, encoding="utf-8")
        return None
    if block.is_command:
        return _command(block)
    return _execute(block, root, namespace)


def _command(block: Block) -> Failure | None:
    """Hand the commands to the shell, which stops at the first to fail."""
    code = subprocess.run(
        ["sh", "-e", "-c", block.section.code],
        stdin=subprocess.DEVNULL,
        check=False,
    ).returncode
    if code == block.exits:
        return None
    return Failure(name=str(code), message="", trace="", line=None)


def _execute(
    block: Block, root: Path, namespace: dict[str, Any]
) -> Failure | None:
    try:
        exec(_compile(block.section, root), namespace)
    except (Exception, SystemExit) as error:
        return _describe(error, root)
    return None


def _compile(section: Section, root: Path) -> types.CodeType:
    """Compile the section as if it stood where its module has it."""
    tree = ast.parse(section.code)
    ast.increment_lineno(tree, section.line - 1)
    for node in ast.walk(tree):
        if isinstance(node, ast.expr | ast.stmt):
            node.col_offset += section.indent
            node.end_col_offset = (node.end_col_offset or 0) + section.indent
    return compile(tree, root / section.path, "exec", dont_inherit=True)


def _evaluate(value: Value, namespace: dict[str, Any]) -> ValueRun:
    try:
        text = eval(f"f'''{{{value.expression}}}'''", namespace)
    except Exception as error:
        return ValueRun(message=f"{type(error).__name__}: {error}")
    return ValueRun(text=text)


def _describe(error: BaseException, root: Path) -> Failure:
    inside = error.__traceback__.tb_next if error.__traceback__ else None
    trace = "".join(traceback.format_exception(type(error), error, inside))
    return Failure(
        name=type(error).__name__,
        message="".join(traceback.format_exception_only(error)).strip(),
        trace=trace.replace(f"{root}/", ""),
        line=inside.tb_lineno if inside else None,
    )
