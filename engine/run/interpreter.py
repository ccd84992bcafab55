"""Runs blocks of Python one after the other, as if they were one file.

Every block is compiled with its module's name and line numbers, and written
there as the page shows it, so that AutoGraph and ``inspect`` find what the
reader sees, and tracebacks point into ``snippets/``.
"""

import ast
import builtins
import codeop
import contextvars
import gc
import io
import linecache
import pickle
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from greenlet import greenlet  # type: ignore[import-untyped]

from engine.program import CANNOT_COMPILE, Section, Value
from engine.run.class_lines import ClassLines
from engine.run.results import Failure, ValueRun

HERE = str(Path(__file__).parent)
MAIN = "__main__", "__mp_main__"
"""The names of the main module; multiprocessing gave it the second."""
LAST = "whether the last line has a value"
HOLDERS = ("Counter", "defaultdict", "deque")
"""Kinds of which pickle writes what they hold, beside Python's own."""
TOO_LOW = "from __future__ imports must occur at the beginning of the file"


class Interpreter:
    """Carries out Python in one module."""

    def __init__(
        self,
        sources: Path,
        module: ModuleType,
        shorten: Callable[[str], str],
    ) -> None:
        self._sources = sources
        self._module = module
        self._shorten = shorten
        self._context = contextvars.copy_context()
        self._codes = codeop.Compile()  # remembers imports from __future__
        self._classes = ClassLines()
        self._empty = True
        """Whether no statement stands above."""
        self._begun = False

    def execute(self, section: Section) -> Failure | bool:
        """Run a section's code; return the exception that ended it.

        If none did, return whether its last line has a value.
        """
        try:
            code = self._compile(section)
        except CANNOT_COMPILE as error:
            return self._failure(error.with_traceback(None))
        self._forget_warnings(section)
        try:
            self.call(exec, code, vars(self._module))
        except BaseException as error:
            return self._failure(error)
        return bool(vars(self._module).pop(LAST, False))

    def evaluate(self, value: Value) -> ValueRun:
        """Return what an f-string makes of the expression in its braces.

        No reader evaluates it, so it is to leave all as it was.
        """
        expression, before = value.expression.strip(), self._state()
        try:
            text = self._format(expression)
        except BaseException as error:
            message = f"raised {type(error).__name__}: {error}"
            return ValueRun(message=self._shorten(message))
        for name, state in self._state().items():
            if state != before.get(name):
                message = f"changes {name}, which no reader does"
                return ValueRun(message=message)
        return ValueRun(text)

    def _state(self) -> dict[str, tuple[int, bytes]]:
        """Return which object each name stands for, and what that holds."""
        return {
            name: (id(found), _held(found))
            for name, found in vars(self._module).items()
            if not name.startswith("__")
        }

    def _format(self, expression: str) -> str:
        try:
            code = compile(expression, "value", "eval", dont_inherit=True)
        except SyntaxError:
            # It has a conversion or a format, as f-strings allow.
            quotes = '"""' if "'''" in expression else "'''"
            begin = "{ " if expression.startswith("{") else "{"
            text = f"f{quotes}{begin}{expression}}}{quotes}"
            code = compile(text, "value", "eval", dont_inherit=True)
        came_to = self.call(eval, code, vars(self._module))
        return str(self.call(format, came_to))

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call the function with no frame of the engine's below its own."""
        bottom = greenlet(function)
        bottom.gr_context = self._context
        return bottom.switch(*arguments)

    def clear(self) -> None:
        """Let go of the module, as Python does when it ends."""
        self.call(gc.collect)
        for name in MAIN:
            sys.modules.pop(name, None)
        vars(sys)["meta_path"] = None
        self.call(vars(self).__delitem__, "_module")
        self.call(gc.collect)

    def _compile(self, section: Section) -> CodeType:
        """Compile the section as if it stood where its module has it.

        Whether its last line has a value stands under ``LAST`` in the end;
        the value is gone by then, as in a file.
        """
        path = str(self._write(section))
        source = "\n" * (section.line - 1) + section.code + "\n"
        tree = ast.parse(source, path)
        self._check_futures(tree, path)
        if sys.version_info >= (3, 13):
            self._classes.set(tree, section, vars(self._module))
        *above, last = tree.body or [ast.Pass()]
        documents = ast.get_docstring(tree, clean=False) is not None
        if isinstance(last, ast.Expr) and not (documents and not above):
            name = ast.Name(LAST, ast.Store())
            value = ast.NamedExpr(name, last.value)
            some = ast.Compare(value, [ast.IsNot()], [ast.Constant(None)])
            tree.body[-1] = ast.copy_location(ast.Assign([name], some), last)
        if documents and not self._empty:
            del tree.body[0]  # in one file, it would document nothing
        self._empty &= not tree.body
        whole: Any = ast.fix_missing_locations(tree)
        return self._codes(whole, path, "exec")

    def _forget_warnings(self, section: Section) -> None:
        """Let no line of another module have warned for those of this one.

        Python shows a warning once for each line of a file.
        """
        end = section.line + section.code.count("\n")
        warned = vars(self._module).get("__warningregistry__", {})
        for key in [key for key in warned if isinstance(key, tuple)]:
            if section.line <= key[-1] <= end:
                del warned[key]

    def _write(self, section: Section) -> Path:
        """Write the code into its lines of a file, and return that."""
        path = self._sources / section.path
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text("utf-8").split("\n") if path.exists() else []
        code = section.code.split("\n")
        start, end = section.line - 1, section.line - 1 + len(code)
        lines += [""] * (end + 1 - len(lines))
        lines[start:end] = code
        path.write_text("\n".join(lines), "utf-8")
        for module in linecache, sys.modules.get("linecache"):
            if cache := getattr(module, "cache", None):
                cache.pop(str(path), None)
        return path

    def _check_futures(self, tree: ast.Module, path: str) -> None:
        for node in tree.body:
            future = getattr(node, "module", "") == "__future__"
            if future and self._begun:
                raise SyntaxError(TOO_LOW, (path, node.lineno, None, None))
            if not future and not isinstance(node, ast.Expr):
                self._begun = True

    def _failure(self, error: BaseException) -> Failure:
        report = traceback.TracebackException.from_exception(error)
        report.stack[:] = [f for f in report.stack if HERE not in f.filename]
        last = "".join(report.format_exception_only())
        trace = "".join(report.format()) if report.stack else last
        line = getattr(error, "lineno", None)
        if report.stack:
            line = report.stack[0].lineno
        message, trace = map(self._shorten, (_printable(last.rstrip()), trace))
        return Failure(self._name(error), message, trace, line)

    def _name(self, error: BaseException) -> str:
        """Return the name by which the page's script catches the error.

        That is its class's, with the module before it if it is neither what
        Python calls so nor an Exception.
        """
        kind, names = type(error), vars(self._module)
        caught = getattr(builtins, kind.__name__, Exception)
        if hasattr(builtins, kind.__name__):
            caught = names.get(kind.__name__, caught)
        if isinstance(caught, type) and isinstance(error, caught):
            return kind.__name__
        return f"{kind.__module__}.{kind.__name__}"


class _Contents(pickle.Pickler):
    """Writes what containers hold, and of other objects, which they are."""

    def reducer_override(self, found: Any) -> Any:
        kind = type(found)
        holds = kind.__module__ == "collections" and kind.__name__ in HOLDERS
        if found is int or holds:
            return NotImplemented
        return int, (id(found),)


def _held(found: Any) -> bytes:
    written = io.BytesIO()
    _Contents(written).dump(found)
    return written.getvalue()


def _printable(text: str) -> str:
    """Return the text as standard error shows it."""
    return text.encode("utf-8", "backslashreplace").decode()
