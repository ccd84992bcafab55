"""The process of one program: carries out its steps in a folder of its own.

What is printed is caught at file-descriptor level, because ``tf.print`` and
other native code write past ``sys.stdout``.
"""

import atexit
import builtins
import contextlib
import io
import os
import pickle
import re
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.machinery import SourceFileLoader
from multiprocessing.connection import Connection

# Under names of our own, since a program may put anything in their place.
from os import fsdecode, fsencode, fstat, getpid, pread
from pathlib import Path
from sys import getprofile, gettrace
from typing import Any

from engine.program import CommandBlock, FileBlock, Step, Value
from engine.run.beside import Beside
from engine.run.hiding import engines, high, load, seen
from engine.run.interpreter import Interpreter
from engine.run.results import (
    BlockRun,
    Drawing,
    Failure,
    StepRun,
    Stuck,
    ValueRun,
)
from engine.run.svg import lean_svg

INSTALLED = re.compile(r"(?<![^\s\"'])[^\s\"']*/site-packages/")
FORKED = (
    "forks a process that goes on when the block has ended",
    "end that process in the block, with os._exit()",
)
WATCHED = (
    "leaves a profiler or a trace on, which would see what no reader has",
    "turn it off in the block that turns it on",
)
REPLACED = "put back what was replaced in modules of Python's own"


@dataclass(frozen=True)
class Job:
    """What a process is to know of its program beforehand."""

    root: str
    folder: str
    """Where all is that the program writes, and that goes away with it."""
    script: str = ""
    """The file that holds the whole program, as the reader copies it."""
    work: str = "run"
    """What the process is to do; or "import", see ``imports``."""

    def shorten(self, text: str) -> str:
        """Shorten the paths that a reader of the page has no use for."""
        own = (f"{self.folder}/{name}" for name in ("run", "sources"))
        for path in (self.root, *own):
            text = text.replace(f"{path}/", "")
        text = text.replace(f"{self.folder}/tmp", "/tmp")
        return INSTALLED.sub("", text)


def work(job: Job, steps: Connection) -> None:
    """Carry out the steps that arrive, until None; send what each did.

    Sends its number first, so that the time allowed to the first step does
    not pay for the start of the process.
    """
    os.setsid()
    # If memory runs out, the system is to end this process and no other.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    worker = _Worker(job)
    steps.send(getpid())
    while step := load(steps.recv_bytes()):
        steps.send_bytes(_answer(worker.carry_out, step))
    steps.send_bytes(_answer(worker.end))


def _answer(act: Callable[..., Any], *arguments: Any) -> bytes:
    """Pickle what a function returns, or why nothing can follow."""
    pid = getpid()
    try:
        done = act(*arguments)
    except Stuck as stuck:
        done = stuck
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        done = Stuck(f"leaves nothing to go on with ({why})", REPLACED)
    with seen():
        return pickle.dumps(done if getpid() == pid else Stuck(*FORKED))


class _Worker:
    def __init__(self, job: Job) -> None:
        self._job = job
        self._streams = sys.stdout, sys.stderr
        self._output = _redirect(f"{job.folder}/output")
        self._read = 0
        _settle(Path(job.folder))
        self._beside = Beside(job.shorten)
        sources = Path(job.folder, "sources")
        main = _main_module(job.script)
        self._interpreter = Interpreter(sources, main, job.shorten)

    def carry_out(self, step: Step) -> StepRun:
        """Do what the step says; of a value, see that it stays the same."""
        run = self._carry_out(step)
        if not isinstance(run, ValueRun) or run.message:
            return run
        again = self._carry_out(step)
        assert isinstance(again, ValueRun)
        if again == run:
            return run
        other = again.text or again.message
        return ValueRun(message=f"was {run.text}, and {other} the next moment")

    def _carry_out(self, step: Step) -> StepRun:
        done = self._do(step)
        if _is_watched():
            raise Stuck(*WATCHED)
        printed, figures = self._printed(), _figures()
        if not isinstance(done, ValueRun):
            failure = done if isinstance(done, Failure) else None
            value, away = done is True, self._beside.is_away()
            return BlockRun(printed, failure, *figures, value, away)
        if printed:
            return ValueRun(message=f"printed {printed.decode()!r}")
        return ValueRun(message="draws a figure") if any(figures) else done

    def end(self) -> bytes:
        """End as Python does; return what was printed meanwhile."""
        call = self._interpreter.call
        if threading := sys.modules.get("threading"):
            call(threading._shutdown)
        call(atexit._run_exitfuncs)
        self._interpreter.clear()
        return self._printed()

    def _do(self, step: Step) -> ValueRun | Failure | bool | None:
        match step:
            case Value():
                return self._interpreter.evaluate(step)
            case FileBlock(file=file, contents=contents):
                self._beside.save(file, contents)
                return None
            case CommandBlock(code=code, exits=exits):
                return self._beside.command(code, exits)
            case _:
                return self._interpreter.execute(step.section)

    def _printed(self) -> bytes:
        """Return what was printed since the last call."""
        for stream in (*self._streams, sys.stdout, sys.stderr):
            # A program may have closed it, or put anything in its place.
            with contextlib.suppress(Exception):
                stream.flush()
        start = self._read
        self._read = fstat(self._output).st_size
        printed = pread(self._output, self._read - start, start)
        return fsencode(self._job.shorten(fsdecode(printed)))


def _is_watched() -> bool:
    """Return whether somebody is called for each call or line."""
    monitoring: Any = getattr(sys, "monitoring", None)  # since Python 3.12
    tools = map(monitoring.get_tool, range(6)) if monitoring else ()
    return bool(getprofile() or gettrace() or any(tools))


def _figures() -> tuple[tuple[Drawing, ...], int]:
    """Return what was shown, and count what was drawn and not shown."""
    if not (figures := engines("engine.run.figures")):
        return (), 0
    shown, unshown = figures.take()
    lean = (replace(drawn, svg=lean_svg(drawn.svg)) for drawn in shown)
    return tuple(lean), unshown


def _redirect(path: str) -> int:
    """Send standard output and error to one file; return its descriptor."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
    output = high(os.open(path, flags, 0o600))
    for stream, errors in (
        (sys.stdout, "strict"),
        (sys.stderr, "backslashreplace"),
    ):
        os.dup2(output, stream.fileno())
        # A terminal takes whole lines, too.
        assert isinstance(stream, io.TextIOWrapper)
        stream.reconfigure(
            encoding="utf-8",
            errors=errors,
            line_buffering=True,
            write_through=False,
        )
    return output


def _settle(folder: Path) -> None:
    """Move to a folder of its own, and see nothing of the engine's."""
    run, temporary = str(folder / "run"), str(folder / "tmp")
    os.mkdir(temporary)
    # Files such as those of AutoGraph are to go with the program.
    os.environ["TMPDIR"] = temporary
    if tempfile := sys.modules.get("tempfile"):
        vars(tempfile)["tempdir"] = temporary
    os.chdir(run)
    sys.path[0] = run
    if random := sys.modules.get("numpy.random"):
        random.seed()


def _main_module(script: str) -> types.ModuleType:
    """Return a new main module, that of the reader's script."""
    module = types.ModuleType("__main__")
    module.__loader__ = SourceFileLoader("__main__", script)
    vars(module).update(
        __annotations__={},
        __builtins__=builtins,
        __file__=script,
        __cached__=None,
    )
    sys.modules["__main__"] = module
    sys.argv[:] = [Path(script).name]  # as typed beside it
    sys.orig_argv[:] = [sys.executable, *sys.argv]
    sys.breakpointhook = _refuse_to_debug
    return module


def _refuse_to_debug(*args: object, **kwargs: object) -> None:
    raise RuntimeError("nobody can answer a debugger in a build")
