"""The processes that carry out programs, one for each program.

They are forked from a server that has imported what programs share and run
nothing yet, so that they all share one import; or from one that has imported
nothing, if a program is to do it itself.
"""

import ast
import contextlib
import json
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import takewhile
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

from engine.errors import PageError
from engine.program import (
    CANNOT_COMPILE,
    Program,
    PythonBlock,
    Step,
    modules_in,
    script,
)
from engine.run.check import check, check_whole
from engine.run.environment import environment
from engine.run.results import BlockRun, StepRun
from engine.run.session import TICK, Session
from engine.run.worker import Job

Modules = tuple[str, ...]
IMPORT = (ast.Import, ast.ImportFrom)
GRACE = 2.0
"""The seconds after which nobody waits for an end any more."""


class Workers(AbstractContextManager["Workers"]):
    """Starts processes for programs; may be used from several threads."""

    def __init__(
        self, root: Path, cache: Path, preload: Sequence[str] = ()
    ) -> None:
        self._root = root.resolve()
        self._cache = cache.resolve()
        # Elsewhere, libraries do not bear a fork.
        self._preload = tuple(preload) if sys.platform == "linux" else ()
        self._lock = threading.Lock()
        self._servers: dict[Modules, _Server] = {}

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the servers; a further program would start another."""
        with self._lock:
            for server in self._servers.values():
                server.close()
            self._servers.clear()

    def warm(self, stop: threading.Event) -> None:
        """Return when programs can start at once, or once it is stopped."""
        with self._lock:
            server = self._server(self._preload)
        while not stop.is_set() and not server.is_ready():
            pass

    def run(
        self,
        program: Program,
        on_step: Callable[[Step], None] | None = None,
        stop: threading.Event | None = None,
    ) -> list[StepRun]:
        """Run the program; return what its steps did, in order.

        ``on_step`` is called before each of them.  Raises PageError, with
        page and snippet line, for a block that fails, that does not fail
        as announced, prints too much or no text, runs past its limit, ends
        its process, or draws what cannot be shown; CancelledError once
        ``stop`` is set.
        """
        runs: list[StepRun] = []
        with self.session(program, stop) as session:
            for step in program.steps:
                if on_step:
                    on_step(step)
                runs.append(session.carry_out(step))
                check(program, step, runs[-1])
            if program.blocks:
                check_whole(program)
                _end(session, runs)
        return runs

    @contextlib.contextmanager
    def session(
        self, program: Program, stop: threading.Event | None = None
    ) -> Iterator[Session]:
        """Start a process for the program in an empty folder; end both."""
        with empty_folder() as folder:
            whole = folder / "run" / f"{program.path.stem}.py"
            whole.parent.mkdir()
            whole.write_text(script(program.blocks), encoding="utf-8")
            job = Job(str(self._root), str(folder), str(whole))
            shares = _imports_first(program, self._preload)
            with self.process(job, shares) as pipes:
                session = Session(program, job, *pipes, stop)
                try:
                    session.start()
                except PageError:
                    # Another server may fare better, after the mend.
                    self.close()
                    raise
                yield session

    @contextlib.contextmanager
    def process(
        self, job: Job, shares: bool = True
    ) -> Iterator[tuple[Connection, Connection]]:
        """Start a process for the job; give pipes to it and its keeper.

        ``shares`` says whether it has imported what programs share.
        """
        steps, their_steps = Pipe()
        keeper, their_keeper = Pipe()
        with steps, keeper:
            with their_steps, their_keeper:
                ends = [their_steps.fileno(), their_keeper.fileno()]
                self._send(job, ends, self._preload if shares else ())
            try:
                yield steps, keeper
            finally:
                with contextlib.suppress(OSError):
                    keeper.send("end")
                    keeper.poll(GRACE)

    def _send(self, job: Job, ends: list[int], modules: Modules) -> None:
        with self._lock, contextlib.suppress(ConnectionError):
            self._server(modules).send(job, ends)
            return
        # It has been killed.
        self.close()
        self._send(job, ends, modules)

    def _server(self, modules: Modules) -> "_Server":
        if modules not in self._servers:
            self._servers[modules] = _Server(self._cache, modules)
        return self._servers[modules]


def _imports_first(program: Program, modules: Modules) -> bool:
    """Return whether it imports some of these, and does nothing before.

    What it does may bear on the import, as a variable of the environment
    does; and what it does not import, it does not have.
    """
    done: list[ast.stmt] = []
    for block in program.blocks:
        with contextlib.suppress(*CANNOT_COMPILE):
            if isinstance(block, PythonBlock):
                done += ast.parse(block.code).body
    begins = [*takewhile(lambda it: isinstance(it, IMPORT), done)]
    first = {*modules_in(ast.Module(begins, []))}
    late = {*modules_in(ast.Module(done[len(begins) :], []))} - first
    wanted = {name for name in modules if name.partition(".")[0] in first}
    shared = {name.partition(".")[0] for name in modules}
    return bool(wanted) and wanted <= first and shared.isdisjoint(late)


@contextlib.contextmanager
def empty_folder() -> Iterator[Path]:
    """Make a folder, for a process alone, that goes with what it holds."""
    folder = Path(tempfile.mkdtemp(prefix="page-")).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Server:
    """The process from which those of programs are forked."""

    def __init__(self, cache: Path, modules: Modules) -> None:
        self._control, theirs = socket.socketpair()
        serve = "from engine.run.server import serve; serve()"
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", serve, str(theirs.fileno()), *modules],
                cwd=Path(__file__).parents[2],
                env=environment(cache),
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

    def send(self, job: Job, ends: list[int]) -> None:
        """Let a process begin; raises ConnectionError without a server."""
        text = json.dumps(vars(job)).encode()
        socket.send_fds(self._control, [text], ends)

    def is_ready(self) -> bool:
        """Wait for a moment; return whether it has imported everything."""
        return bool(select.select([self._control], [], [], TICK)[0])

    def close(self) -> None:
        """Let the server end when it has answered; wait for that."""
        self._control.close()
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _end(session: Session, runs: list[StepRun]) -> None:
    """Add to the last block what is printed when the program ends."""
    steps, block = session.program.steps, session.program.blocks[-1]
    place = steps.index(block)
    run = runs[place]
    assert isinstance(run, BlockRun)
    said = session.end(block)
    runs[place] = replace(run, output=run.output + said, late=bool(said))
    check(session.program, block, runs[place])
