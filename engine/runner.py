"""Run a page's program in a child process and check what it did.

On Linux the children are forked from a server that has imported TensorFlow
and run no operation yet, so that all pages share one import.  Forking after
an operation hangs, which is why the parent never runs any.
"""

import contextlib
import multiprocessing
import os
import re
import shutil
import signal
import sys
import tempfile
import time
import types
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from engine import child
from engine.blocks import SECONDS_ALLOWED, Block, Step, Value
from engine.child import BlockRun, Failure, StepRun, ValueRun
from engine.errors import Fault
from engine.pages import Page

BYTES_ALLOWED = 20_000
START_ALLOWED = 300.0
TICK = 0.1
FILE_LINE = re.compile(
    r'File "(?:[^"]*/)?(?P<file>[^"/]+)", line (?P<line>\d+)'
)

ENVIRONMENT = {
    "COLUMNS": "79",
    "CUDA_VISIBLE_DEVICES": "-1",
    "KERAS_BACKEND": "tensorflow",
    "PYTHONHASHSEED": "0",
    "PYTHONUNBUFFERED": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
}


def run_page(root: Path, page: Page) -> Iterator[StepRun]:
    """Run the page's steps; yield what each did, in order.

    Raises Fault, with page and snippet line, for a block that fails, that
    does not fail as announced, prints too much or no UTF-8, runs past its
    limit, ends its process, or draws what cannot be shown.
    """
    with _child(root, page) as running:
        running.receive(START_ALLOWED, None)
        for step in page.steps:
            run = running.receive(_seconds_allowed(step), step)
            _check(page, step, run)
            yield run


def _seconds_allowed(step: Step) -> float:
    if isinstance(step, Block):
        return step.seconds_allowed
    return SECONDS_ALLOWED


class _Running:
    """A started child: its process, its pipe and the file it prints to."""

    def __init__(
        self, page: Page, process: BaseProcess, pipe: Connection, output: Path
    ) -> None:
        self.page = page
        self.process = process
        self.pipe = pipe
        self.output = output

    def receive(self, seconds: float, step: Step | None) -> Any:
        """Return what the child sends next, within the seconds allowed."""
        deadline = time.monotonic() + seconds
        while not self.pipe.poll(TICK):
            if not self.process.is_alive() and not self.pipe.poll():
                raise self._ended(step)
            if self._printed() > 50 * BYTES_ALLOWED:
                raise _too_long(self.page, step)
            if time.monotonic() > deadline:
                raise _fault(
                    self.page,
                    step,
                    f"ran longer than its limit of {seconds:g} s",
                    'make it shorter, or allow more with limit="…" seconds',
                )
        try:
            return self.pipe.recv()
        except EOFError:
            raise self._ended(step) from None

    def _ended(self, step: Step | None) -> Fault:
        self.process.join(5)
        how = f"exit code {self.process.exitcode}"
        return _fault(
            self.page,
            step,
            f"ended its own process ({how})",
            "take out what kills or exits the process",
        )

    def _printed(self) -> int:
        return self.output.stat().st_size if self.output.exists() else 0


@contextlib.contextmanager
def _child(root: Path, page: Page) -> Iterator[_Running]:
    """Start a child in an empty folder; leave neither of them behind."""
    os.environ.update(
        ENVIRONMENT,
        # Neither read nor write what the user keeps at home.
        KERAS_HOME=str(root / ".cache/keras"),
        MPLCONFIGDIR=str(root / ".cache/matplotlib"),
    )
    method = "forkserver" if sys.platform == "linux" else "spawn"
    context: Any = multiprocessing.get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload(["engine.preload"])
    outside = Path(tempfile.mkdtemp(prefix="page-"))
    folder = outside / "run"
    folder.mkdir()
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(
        target=child.main, args=(page.steps, root, folder, theirs)
    )
    try:
        with _without_main():
            process.start()
        theirs.close()
        yield _Running(page, process, ours, outside / "output")
        process.join(5)
    finally:
        if process.pid is not None:
            _kill(process)
        shutil.rmtree(outside, ignore_errors=True)


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Keep multiprocessing from importing the caller's main module."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _kill(process: BaseProcess) -> None:
    """End the child and whatever it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid or 0, signal.SIGKILL)
    process.kill()
    process.join()


def _check(page: Page, step: Step, run: StepRun) -> None:
    """Raise Fault if the step did not do what the page says it does."""
    if isinstance(step, Value):
        assert isinstance(run, ValueRun)
        if run.message:
            raise _fault(
                page,
                step,
                f"the value {{{{ {step.expression} }}}} raised {run.message}",
                "use names that the blocks above it define",
            )
        return
    assert isinstance(run, BlockRun)
    if step.is_command:
        _check_exit(page, step, run)
    else:
        _check_failure(page, step, run.failure)
    if len(run.output) > BYTES_ALLOWED:
        raise _too_long(page, step)
    _check_text(page, step, run)
    _check_figures(page, step, run)


def _check_failure(page: Page, block: Block, failure: Failure | None) -> None:
    if failure is None:
        if block.raises:
            raise _fault(
                page,
                block,
                f"was to raise {block.raises} and did not",
                "remove raises=, or mend the code that was to fail",
            )
        return
    if failure.name == block.raises:
        return
    wanted = f", not {block.raises}" if block.raises else ""
    mend = f'correct the code, or say raises="{failure.name}" on the fence'
    if failure.name == "NameError":
        mend = "show the section that defines the name before this block"
    raise _fault(
        page,
        block,
        f"raised {failure.name}{wanted}\n\n{failure.trace}",
        mend,
        failure.line,
    )


def _check_exit(page: Page, block: Block, run: BlockRun) -> None:
    if run.failure is None:
        return
    code = run.failure.name
    output = run.output.decode("utf-8", "replace").rstrip()
    raise _fault(
        page,
        block,
        f"ended with exit code {code}, not {block.exits}\n\n"
        f"{_in_snippets(page, output)}",
        f'correct the command or its files, or say exits="{code}" '
        "on the fence",
    )


def _in_snippets(page: Page, trace: str) -> str:
    """Name, in a traceback, the snippet from which a file's line comes."""

    def place(match: re.Match[str]) -> str:
        number = int(match["line"])
        for block in page.blocks:
            last = block.contents.count("\n")
            first = last - block.section.code.count("\n")
            if block.file == match["file"] and first <= number <= last:
                line = block.section.line + number - first
                return f'File "{block.section.path.as_posix()}", line {line}'
        return match[0]

    return FILE_LINE.sub(place, trace)


def _check_text(page: Page, block: Block, run: BlockRun) -> None:
    try:
        run.output.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _fault(
            page,
            block,
            f"printed bytes that are not UTF-8, from byte {error.start} on",
            "print text",
        ) from None


def _check_figures(page: Page, block: Block, run: BlockRun) -> None:
    if run.unshown:
        raise _fault(
            page,
            block,
            "draws a figure but does not show it",
            "end the block with plt.show()",
        )
    if len(run.figures) > 1:
        raise _fault(
            page,
            block,
            f"shows {len(run.figures)} figures",
            "show one figure a block; use subplots or two sections",
        )


def _too_long(page: Page, step: Step | None) -> Fault:
    return _fault(
        page,
        step,
        f"printed more than {BYTES_ALLOWED // 1000} kB",
        "print less; about ten lines a block read well",
    )


def _fault(
    page: Page,
    step: Step | None,
    problem: str,
    mend: str,
    snippet_line: int | None = None,
) -> Fault:
    line = step.line if step else None
    if isinstance(step, Block) and step.is_command:
        problem = f"the command {problem}"
    elif isinstance(step, Block):
        section = step.section
        at = f"{section.path.as_posix()}:{snippet_line or section.line}"
        problem = f'{at}: section "{section.name}" {problem}'
    return Fault(problem, mend=mend, path=page.path, line=line)
