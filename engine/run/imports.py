"""Look at what a module of ``snippets/`` does when it is imported.

Importing is to have no effect.  So modules are imported, a statement at a
time, in a process that tells and refuses what reaches out of them.  What
they import from elsewhere may do as it likes.
"""

import ast
import builtins
import codeop
import contextlib
import hashlib
import importlib
import json
import os
import re
import signal
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from importlib.abc import Loader
from importlib.machinery import PathFinder
from importlib.util import module_from_spec, spec_from_file_location
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Any

from engine.errors import PageError
from engine.program import SECONDS_ALLOWED
from engine.run.session import exit_code
from engine.run.worker import Job
from engine.run.workers import Workers, empty_folder

Told = tuple[str, int, str]
"""A module's file, a line of it, and what is wrong with that, if anything."""

END: Told = ("", 0, "")
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
EFFECTS = re.compile(
    r"os\.(ch\w+|exec|fork\w*|link|mkdir|posix_spawn|putenv|remove|rename"
    r"|rmdir|spawn|symlink|system|truncate|unsetenv|utime)"
    r"|socket\.__new__|subprocess\.Popen"
)
"""Python's audit events of what is refused, beside files being written."""


def check_imports(
    root: Path, modules: Sequence[Path], cache: Path, workers: Workers
) -> list[PageError]:
    """Return an error for each effect of importing one of the modules.

    Their paths are relative to the root.  While they do not change, modules
    that had no effect are not imported again.  What is not Python is left
    to those who read it.
    """
    answers = cache / "imports.json"
    known: dict[str, str] = {}
    with contextlib.suppress(OSError, ValueError):
        known = json.loads(answers.read_text(encoding="utf-8"))
    digests = {path.as_posix(): _digest(root / path) for path in modules}
    changed = [path for path in digests if known.get(path) != digests[path]]
    errors = _look(root, changed, workers) if changed else []
    if changed and not errors:
        cache.mkdir(parents=True, exist_ok=True)
        answers.write_text(json.dumps(known | digests), encoding="utf-8")
    return errors


def _digest(file: Path) -> str:
    rules = sys.version.encode() + Path(__file__).read_bytes()
    return hashlib.sha256(rules + file.read_bytes()).hexdigest()


def _look(root: Path, modules: list[str], workers: Workers) -> list[PageError]:
    """Import the modules in another process; return what it tells."""
    told: list[Told] = []
    with empty_folder() as folder:
        job = Job(str(root.resolve()), str(folder), work="import")
        with workers.process(job) as (orders, keeper):
            with contextlib.suppress(EOFError, OSError):
                orders.send((modules, SECONDS_ALLOWED))
                while True:
                    told.append(orders.recv())
            code = exit_code(keeper)
    if told[-1:] != [END]:
        late = f"takes longer than {SECONDS_ALLOWED:g} s"
        ended = f"ends the process (exit code {code})"
        problem = late if code == -signal.SIGALRM else ended
        path, line, _ = told[-1] if told else (modules[0], 1, "")
        told.append((path, line, problem))
    return [
        PageError(
            f"{problem} when the module is imported",
            hint="move it into a function or under "
            '`if __name__ == "__main__":`',
            path=path,
            line=line,
        )
        for path, line, problem in dict.fromkeys(told)
        if problem
    ]


class _Watch(Loader):
    """Finds and runs the modules, and tells what they do."""

    def __init__(
        self, root: str, modules: list[str], told: Connection
    ) -> None:
        self.root, self.told = root, told
        self.paths = {str(Path(root, path)): path for path in modules}
        self.folders = {path.split("/")[0] for path in modules}
        self.place: tuple[str, int] | None = None
        """The statement that answers for what happens, if one does."""
        self.printed, self.threads = 0, 0
        self.reported: BaseException | None = None

    def find_spec(self, name: str, path: Any, _: Any = None) -> Any:
        if name.split(".")[0] not in self.folders:
            return None
        spec = PathFinder.find_spec(name, path or [self.root])
        if spec and spec.origin in self.paths:
            spec.loader = self
        return spec

    def load(self, path: str) -> None:
        """Import a module, or run it if no import can name it."""
        name = path.removesuffix(".py")
        if "." not in name:
            sys.modules["importlib"].import_module(name.replace("/", "."))
            return
        spec = spec_from_file_location(name, Path(self.root, path))
        assert spec
        self.exec_module(module_from_spec(spec))

    def exec_module(self, module: ModuleType) -> None:
        file = str(module.__file__)
        compiled = codeop.Compile()  # remembers imports from __future__
        for statement in ast.parse(Path(file).read_bytes(), file).body:
            alone: Any = ast.Module([statement], [])
            with self.at((self.paths[file], statement.lineno)):
                exec(compiled(alone, file, "exec"), vars(module))

    @contextlib.contextmanager
    def at(self, place: tuple[str, int] | None) -> Iterator[None]:
        """Let the place answer for what happens, and for its exception."""
        self.look()
        outer, self.place = self.place, place
        self.tell("")
        try:
            yield
        except (Exception, SystemExit) as error:
            if place and error is not self.reported:
                self.reported = error
                words = " ".join(str(error).split())
                if not isinstance(error, SyntaxError):
                    self.tell(f"raises {type(error).__name__} ({words})")
            raise
        finally:
            self.look()
            self.place = outer

    def apart(self, imports: Callable[..., Any]) -> Callable[..., Any]:
        """Let nobody answer for what a function does that imports."""

        def importing(*args: Any, **kwargs: Any) -> Any:
            with self.at(None) if self.place else contextlib.nullcontext():
                return imports(*args, **kwargs)

        return importing

    def look(self) -> None:
        """Tell what was printed and which threads started since last time."""
        sys.stdout.flush()
        printed, threads = os.fstat(1).st_size, _threads()
        if printed > self.printed:
            self.tell("prints")
        if threads > self.threads:
            self.tell("starts threads (does it compute something?)")
        self.printed, self.threads = printed, threads

    def hear(self, event: str, details: tuple[Any, ...]) -> None:
        """Tell and refuse an effect; this is an audit hook of Python's."""
        if not self.place:
            return
        opened = event == "open" and details[0] != os.devnull
        if EFFECTS.fullmatch(event) or (opened and details[2] & WRITES):
            effect = "writes a file" if opened else f"calls {event}"
            self.tell(effect)
            self.reported = PermissionError(effect)
            raise self.reported

    def tell(self, problem: str) -> None:
        if self.place:
            self.told.send((*self.place, problem))


def _threads() -> int:
    """Return how many threads run, those of libraries in C included."""
    with contextlib.suppress(OSError):
        return len(os.listdir("/proc/self/task"))
    return threading.active_count()


def work(job: Job, orders: Connection) -> None:
    """Import the modules that are asked for; tell what they do."""
    os.setsid()
    modules, seconds = orders.recv()
    watch = _Watch(job.root, modules, orders)
    with tempfile.TemporaryFile() as printed:
        os.dup2(printed.fileno(), 1)
        os.dup2(printed.fileno(), 2)
    os.chdir(job.folder)
    sys.dont_write_bytecode = True
    warnings.simplefilter("ignore", SyntaxWarning)  # as those who read it do
    sys.path[0] = job.root
    sys.meta_path.insert(0, watch)
    sys.addaudithook(watch.hear)
    vars(builtins)["__import__"] = watch.apart(builtins.__import__)
    watched = importlib.import_module("importlib")  # as modules see it
    vars(watched)["import_module"] = watch.apart(watched.import_module)
    for path in modules:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        with contextlib.suppress(Exception, SystemExit), watch.at((path, 1)):
            watch.load(path)
    orders.send(END)
    os._exit(0)  # what a module does when the process ends is not looked at
