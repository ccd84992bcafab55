"""The process from which those of programs are forked.

It imports what programs share: TensorFlow makes hundreds of thousands of
objects, which stay, and searching them for garbage in every program would
cost a tenth of its time.  It runs no operation, since a process that is
forked after one hangs.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from engine.run import imports, worker
from engine.run.hiding import engines, hide, high
from engine.run.worker import Job

TICK = 0.1
WORK = {"run": worker.work, "import": imports.work}
"""What a process can do."""
BE_GIVEN_ORPHANS = 36
"""PR_SET_CHILD_SUBREAPER of Linux."""


def serve() -> None:
    """Start processes for each job that arrives, until nobody sends any.

    The arguments are a socket and the modules to import beforehand.
    With a job come the ends of two pipes: one for the program's steps, and
    one for its keeper, which tells how the program's process ended, and
    ends it once something is sent to it or its pipe is closed.
    """
    control = socket.socket(fileno=int(sys.argv[1]))
    modules = sys.argv[2:]
    hide()
    problem = _import(modules)
    control.send(b"ready")
    _take_orphans()
    signal.signal(signal.SIGCHLD, _on_end)
    while message := socket.recv_fds(control, 1 << 16, 2):
        text, ends, *_ = message
        if not text:
            return
        job = Job(**json.loads(text))
        steps, keeper = (Connection(high(end)) for end in ends)
        with steps, keeper:
            if problem:
                keeper.send(problem)
            else:
                _fork(_keep, job, steps, keeper, control)


def _import(modules: Sequence[str]) -> str:
    """Import what programs share; return what went wrong."""
    gc.disable()
    for name in modules:
        try:
            importlib.import_module(name)
        except (Exception, SystemExit) as error:
            raised = f"{type(error).__name__}: {error}"
            return f"preload: cannot import {name}: {raised}"
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        # Finds the fonts, and learns to read formulas.
        pyplot.semilogy([1, 10])
        pyplot.show()
        engines("engine.run.figures").take()
    gc.collect()  # some of it keeps files open
    gc.freeze()
    gc.enable()
    return ""


def _fork(act: Callable[..., None], *arguments: object) -> int:
    """Let another process act and end; return its number."""
    if pid := os.fork():
        return pid
    try:
        act(*arguments)
        os._exit(0)
    finally:
        os._exit(1)


def _keep(
    job: Job, steps: Connection, keeper: Connection, control: socket.socket
) -> None:
    """Start the program's process; leave nothing of it behind."""
    control.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _take_orphans()
    worker = _fork(_begin, job, steps, keeper)
    steps.close()
    code = os.waitstatus_to_exitcode(_wait(worker, keeper))
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(worker, signal.SIGKILL)
    _end_orphans()
    shutil.rmtree(job.folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        keeper.send(code)


def _begin(job: Job, steps: Connection, keeper: Connection) -> None:
    keeper.close()
    # Elsewhere, libraries do not bear a fork.
    if sys.platform == "linux":
        WORK[job.work](job, steps)
        return
    os.set_inheritable(steps.fileno(), True)
    begin = "from engine.run.server import begin; begin()"
    arguments = [json.dumps(vars(job)), str(steps.fileno())]
    os.execv(sys.executable, [sys.executable, "-c", begin, *arguments])


def begin() -> None:
    """Be the process of one job, which is described by the arguments."""
    hide()
    job = Job(**json.loads(sys.argv[1]))
    WORK[job.work](job, Connection(int(sys.argv[2])))


def _wait(worker: int, keeper: Connection) -> int:
    """Wait for the worker's end, and end it when the keeper is told to."""
    while not keeper.poll(TICK):
        pid, status = os.waitpid(worker, os.WNOHANG)
        if pid:
            return status
    os.kill(worker, signal.SIGKILL)
    return os.waitpid(worker, 0)[1]


def _take_orphans() -> None:
    """Be given the processes whose parents have ended, to end them."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(BE_GIVEN_ORPHANS, 1, 0, 0, 0)


def _on_end(*args: object) -> None:
    """Forget the keeper that has ended; end what it leaves, if killed."""
    _end_orphans()
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _end_orphans() -> None:
    """End the processes of programs, which are of no group of ours."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    own = os.getpgid(0)
    with contextlib.suppress(OSError):
        while pids := [
            pid
            for pid in map(int, children.read_text().split())
            if os.getpgid(pid) != own
        ]:
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
