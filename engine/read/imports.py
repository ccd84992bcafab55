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
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from importlib.abc import Loader
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from engine.errors import PageError
from engine.program import SECONDS_ALLOWED

END = ["", 0, ""]
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
EFFECTS = re.compile(
    r"os\.(ch\w+|exec|fork\w*|link|mkdir|posix_spawn|putenv|remove|rename"
    r"|rmdir|spawn|symlink|system|truncate|unsetenv|utime)"
    r"|socket\.__new__|subprocess\.Popen"
)
"""Python's audit events of what is refused, beside files being written."""


def check_imports(
    root: Path, modules: Sequence[Path], cache: Path
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
    errors = _look(root, changed, cache.resolve()) if changed else []
    if changed and not errors:
        cache.mkdir(parents=True, exist_ok=True)
        answers.write_text(json.dumps(known | digests), encoding="utf-8")
    return errors


def _digest(file: Path) -> str:
    rules = sys.version.encode() + Path(__file__).read_bytes()
    return hashlib.sha256(rules + file.read_bytes()).hexdigest()


def _look(root: Path, modules: list[str], cache: Path) -> list[PageError]:
    """Import the modules in another process; return what it tells."""
    quiet = {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    # Neither read nor write what the user keeps at home.
    home = {"KERAS_HOME": "keras", "MPLCONFIGDIR": "matplotlib"}
    home = {name: str(cache / folder) for name, folder in home.items()}
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryFile() as f,
    ):
        order = [str(root.resolve()), folder, modules, SECONDS_ALLOWED]
        code = subprocess.run(
            [sys.executable, "-B", "-m", __name__],
            cwd=Path(__file__).parents[2],
            env=os.environ | quiet | home,
            input=json.dumps(order).encode(),
            stdout=f,
            start_new_session=True,  # Ctrl-C is for those who started it
        ).returncode
        f.seek(0)
        told = [json.loads(line) for line in f] or [[modules[0], 1, ""]]
    if told[-1] != END:
        late = f"takes longer than {SECONDS_ALLOWED:g} s"
        ended = f"ends the process (exit code {code})"
        problem = late if code == -signal.SIGALRM else ended
        told.append([*told[-1][:2], problem])
    return [
        PageError(
            f"{problem} when the module is imported",
            hint="move it into a function or under "
            '`if __name__ == "__main__":`',
            path=path,
            line=line,
        )
        for path, line, problem in dict.fromkeys(map(tuple, told))
        if problem
    ]


class _Watch(Loader):
    """Finds and runs the modules, and tells what they do."""

    def __init__(self, root: str, modules: list[str], told: int) -> None:
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
            line = json.dumps([*self.place, problem]) + "\n"
            os.write(self.told, line.encode())


def _threads() -> int:
    """Return how many threads run, those of libraries in C included."""
    with contextlib.suppress(OSError):
        return len(os.listdir("/proc/self/task"))
    return threading.active_count()


def main() -> None:
    """Import what standard input names; tell a line of JSON an effect."""
    root, folder, modules, seconds = json.load(sys.stdin)
    watch = _Watch(root, modules, os.dup(1))
    with tempfile.TemporaryFile() as printed:
        os.dup2(printed.fileno(), 1)
        os.dup2(printed.fileno(), 2)
    os.chdir(folder)
    sys.path[0] = root
    sys.meta_path.insert(0, watch)
    sys.addaudithook(watch.hear)
    vars(builtins)["__import__"] = watch.apart(builtins.__import__)
    vars(importlib)["import_module"] = watch.apart(importlib.import_module)
    for path in modules:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        name = path.removesuffix(".py").replace("/", ".")
        with contextlib.suppress(Exception, SystemExit), watch.at((path, 1)):
            importlib.import_module(name)
    os.write(watch.told, json.dumps(END).encode())
    os._exit(0)  # what a module does when the process ends is not looked at


if __name__ == "__main__":
    main()
