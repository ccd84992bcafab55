"""Runs blocks of Python one after the other, as if they were one file.

Every block is compiled with its module's real path and line numbers, so
that AutoGraph finds the source and tracebacks point into ``snippets/``.
"""

import __future__

import ast
import io
import tokenize
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
        root: Path,
        namespace: dict[str, Any],
        shorten: Callable[[str], str],
    ) -> None:
        self._root = root
        self._namespace = namespace
        self._shorten = shorten
        self._flags = 0
        self._begun = False

    def execute(self, section: Section) -> Failure | None:
        """Run a section's code; return the exception that ended it."""
        try:
            code = self._compile(section)
        except (SyntaxError, ValueError) as error:
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

    def _compile(self, section: Section) -> Any:
        """Compile the section as if it stood where its module has it."""
        path = str(self._root / section.path)
        source = "\n" * (section.line - 1) + section.code + "\n"
        flags = self._flags | ast.PyCF_ONLY_AST
        tree = compile(source, path, "exec", flags, dont_inherit=True)
        self._check_futures(tree, path)
        if section.indent:
            _indent(tree, source, section.indent)
        code = compile(tree, path, "exec", self._flags, dont_inherit=True)
        self._flags |= code.co_flags & FUTURES
        return code

    def _check_futures(self, tree: ast.Module, path: str) -> None:
        for node in tree.body:
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
        name, message = type(error).__name__, last.strip()
        return Failure(
            name, self._shorten(message), self._shorten(trace), line
        )


def _indent(tree: ast.AST, source: str, columns: int) -> None:
    """Move the code to the columns in which its module has it.

    Lines that begin inside a text have not been dedented.
    """
    lines = io.StringIO(source).readline
    kept = {
        row
        for token in tokenize.generate_tokens(lines)
        for row in range(token.start[0] + 1, token.end[0] + 1)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.expr | ast.stmt):
            if node.lineno not in kept:
                node.col_offset += columns
            if node.end_lineno not in kept:
                node.end_col_offset = (node.end_col_offset or 0) + columns
