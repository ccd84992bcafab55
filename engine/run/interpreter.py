"""Runs blocks of Python one after the other, as if they were one file.

Every block is compiled with its module's name and line numbers, and written
there as the page shows it, so that AutoGraph and ``inspect`` find what the
reader sees, and tracebacks point into ``snippets/``.
"""

import __future__

import ast
import gc
import linecache
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from engine.program import Section, Value
from engine.run.results import Failure, ValueRun

HERE = str(Path(__file__).parent)
FUTURES = sum(
    getattr(__future__, name).compiler_flag
    for name in __future__.all_feature_names
)

TOO_LOW = "from __future__ imports must occur at the beginning of the file"


class Interpreter:
    """Carries out Python in one namespace."""

    def __init__(
        self,
        sources: Path,
        namespace: dict[str, Any],
        shorten: Callable[[str], str],
    ) -> None:
        self._sources = sources
        self._namespace = namespace
        self._shorten = shorten
        self._flags = 0
        self._begun = False

    def execute(self, section: Section) -> Failure | None:
        """Run a section's code; return the exception that ended it."""
        try:
            code = self._compile(section)
        except Exception as error:
            return self._failure(error, None, getattr(error, "lineno", None))
        try:
            exec(code, self._namespace)
        except BaseException as error:
            here = error.__traceback__
            inside = here.tb_next if here else None
            line = inside.tb_lineno if inside else None
            return self._failure(error, inside, line)
        return None

    def evaluate(self, value: Value) -> ValueRun:
        """Return what an f-string makes of the expression in its braces."""
        try:
            return ValueRun(text=self._format(value.expression.strip()))
        except BaseException as error:
            message = f"raised {type(error).__name__}: {error}"
            return ValueRun(message=self._shorten(message))

    def _format(self, expression: str) -> str:
        try:
            code = compile(expression, "value", "eval", dont_inherit=True)
        except SyntaxError:
            # It has a conversion or a format, as f-strings allow.
            quotes = '"""' if "'''" in expression else "'''"
            begin = "{ " if expression.startswith("{") else "{"
            text = f"f{quotes}{begin}{expression}}}{quotes}"
            code = compile(text, "value", "eval", dont_inherit=True)
        return format(eval(code, self._namespace))

    def clear(self) -> None:
        """Let go of all names, as Python does when it ends."""
        for name in list(self._namespace):
            if name != "__builtins__":
                self._namespace[name] = None
        gc.collect()

    def _compile(self, section: Section) -> Any:
        """Compile the section as if it stood where its module has it."""
        path = str(self._write(section))
        source = "\n" * (section.line - 1) + section.code + "\n"
        self._check_futures(source, path)
        code = compile(source, path, "exec", self._flags, dont_inherit=True)
        self._flags |= code.co_flags & FUTURES
        return code

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
        linecache.cache.pop(str(path), None)
        return path

    def _check_futures(self, source: str, path: str) -> None:
        for node in ast.parse(source, path).body:
            future = getattr(node, "module", "") == "__future__"
            if future and self._begun:
                raise SyntaxError(TOO_LOW, (path, node.lineno, None, None))
            if not future and not isinstance(node, ast.Expr):
                self._begun = True

    def _failure(
        self,
        error: BaseException,
        inside: TracebackType | None,
        line: int | None,
    ) -> Failure:
        report = traceback.TracebackException(type(error), error, inside)
        report.stack[:] = [f for f in report.stack if HERE not in f.filename]
        last = "".join(report.format_exception_only())
        trace = "".join(report.format()) if report.stack else last
        name, message = type(error).__name__, _printable(last.strip())
        return Failure(
            name, self._shorten(message), self._shorten(trace), line
        )


def _printable(text: str) -> str:
    """Return the text as standard error shows it."""
    return text.encode("utf-8", "backslashreplace").decode()
