"""Which tests and pages can notice a change of a line.

A file of tests is passed once to learn which lines each of its tests
reaches, itself or by a process that it forks.  A line that runs when a
module is imported is not known to be reached by a test; then a whole file
of tests stands for it.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from proof.trials import Answer

STORY = 'if __name__ == "__main__":'
RUN_APART = {"engine/preload.py": "engine/runner.py"}
"""What a process that is not forked runs, and the file that starts it."""


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
        reached = [item for one in answer["lines"] for item in one.items()]
        for path, lines in reached:
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
        known = self.lines.get(RUN_APART.get(path, path), {})
        if path in RUN_APART:
            found = set().union(*known.values())
        else:
            found = set().union(
                *(known.get(n, set()) for n in statement(code, line))
            )
        tests = {name for name in found if "::" in name}
        if not tests:
            tests = set(self._tests_in(found))
        own = set(self._tests_named_after(path))
        return sorted(
            tests | own, key=lambda test: (test not in own, self.seconds[test])
        )

    def pages_of(self, path: str) -> list[str]:
        """Return the pages that show the file, the quickest first."""
        pages = self.pages.get(path, set())
        return sorted(pages, key=self.seconds.__getitem__)

    def _tests_named_after(self, path: str) -> Iterator[str]:
        """Yield the tests of a module, which may run it in a process apart."""
        for name in self.seconds:
            file, separator, _ = name.partition("::")
            if separator and Path(file).stem == f"test_{Path(path).stem}":
                yield name

    def _tests_in(self, files: set[str]) -> Iterator[str]:
        for name in self.seconds:
            file, separator, _ = name.partition("::")
            if separator and file in files:
                yield name


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


def is_story(code: str, line: int) -> bool:
    """Return whether the line runs only when its module is a script."""
    lines = code.splitlines()
    return STORY in lines and line > lines.index(STORY)
