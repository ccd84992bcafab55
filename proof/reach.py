"""Which tests and pages can notice a change of a line.

A file of tests is passed once to learn which lines each of its tests
reaches, itself or by a process that it starts.  The whole file stands for a
line that runs once for all: when a module is imported, or in a fixture that
tests share.
"""

import ast
from dataclasses import dataclass, field
from pathlib import Path

from proof.trials import Answer

STORY = 'if __name__ == "__main__":'


@dataclass
class Reach:
    """What tests and pages reach, and how many seconds they take."""

    seconds: dict[str, float] = field(default_factory=dict)
    """Of each test and page."""
    lines: dict[str, dict[int, set[str]]] = field(default_factory=dict)
    """For each file and line the tests, or files of tests, that reach it."""
    pages: dict[str, set[str]] = field(default_factory=dict)
    """For each file the pages that show it."""

    def add_tests(self, file: str, answer: Answer) -> None:
        """Add what was learned of a file of tests."""
        self.seconds |= answer["seconds"]
        for path, lines in answer["lines"].items():
            known = self.lines.setdefault(path, {})
            for line, tests in lines.items():
                found = {test or file for test in tests}
                known.setdefault(int(line), set()).update(found)

    def add_page(self, page: str, paths: set[str], seconds: float) -> None:
        """Add a page that shows the files."""
        self.seconds[page] = seconds
        for path in paths:
            self.pages.setdefault(path, set()).add(page)

    def tests_of(self, path: str, code: str, line: int) -> list[str]:
        """Return the tests that can notice it.

        Those of the module itself are first, then the quickest.
        """
        known = self.lines.get(path, {})
        found = set().union(
            *(known.get(n, set()) for n in statement(code, line))
        )
        if not _is_in_function(code, line):
            found |= {test.partition("::")[0] for test in found}
        tests = {
            test
            for test in self.seconds
            if test in found or test.partition("::")[0] in found
        }
        return sorted(
            tests,
            key=lambda test: (not _is_of(test, path), self.seconds[test]),
        )

    def pages_of(self, path: str) -> list[str]:
        """Return the pages that show the file, the quickest first."""
        pages = self.pages.get(path, set())
        return sorted(pages, key=self.seconds.__getitem__)


def _is_of(test: str, path: str) -> bool:
    """Return whether the test is one of the module's own."""
    return Path(test.partition("::")[0]).stem == f"test_{Path(path).stem}"


def statement(code: str, line: int) -> range:
    """Return the lines of the statement, or of its head, with the line."""
    best = range(line, line + 1)
    smallest = len(code)
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.stmt | ast.excepthandler):
            continue
        first = min(
            [node.lineno]
            + [d.lineno for d in getattr(node, "decorator_list", [])]
        )
        last = node.end_lineno or first
        if body := getattr(node, "body", None):
            last = max(first, body[0].lineno - 1)
        if first <= line <= last and last - first < smallest:
            best, smallest = range(first, last + 1), last - first
    return best


def _is_in_function(code: str, line: int) -> bool:
    """Return whether the line runs in calls, not once for all."""
    return any(
        node.body[0].lineno <= line <= (node.end_lineno or line)
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.FunctionDef)
    )


def is_story(code: str, line: int) -> bool:
    """Return whether the line runs only when its module is a script."""
    lines = code.splitlines()
    return STORY in lines and line > lines.index(STORY)
