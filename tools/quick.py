"""Check and test what has changed since the last commit, in a minute.

``python -m tools.quick`` looks at the files that git names as changed;
``python -m tools.quick PAGE`` at a page and the modules that it shows.  The
style and types of all, what ``engine check`` finds, the pages concerned
against ``tests/expected/``, and the tests that belong to what has changed.
With ``--tests`` the tests and pages alone, until one notices, and those of
all kinds of input, if what has changed in the engine reads or shows pages.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from engine.build.author import check, read_all
from engine.build.rendered import RenderedPage
from engine.errors import EngineError
from engine.keep.records import Records
from engine.run.workers import Workers
from tools.inside import PRELOAD, told_of

ALL_TOGETHER = ("tests/site/", "tests/browser/", "tests/way_out/")
"""Tests of the whole built site, which belong to no file alone."""
SHOWN_BY_SITES = tuple(
    f"tests/engine/{room}/" for room in ("build", "read", "show", "take")
)
"""Rooms of the engine that whole scratch sites test more than their own."""
OF_THE_ENGINE = ("tests/engine/kinds/", "tests/engine/test_")
"""Tests of whole scratch sites, which take longer than those of a room."""


def changed(root: Path) -> set[str]:
    """Return the files that differ from the last commit, new ones too."""
    told = ""
    for command in ("diff --name-only HEAD", "ls-files -o --exclude-standard"):
        told += subprocess.run(
            ["git", *command.split()],
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    return {name for name in told.splitlines() if (root / name).exists()}


def shown_by(root: Path, page: str) -> set[str]:
    """Return the files of the repository that a page shows."""
    text = (root / "docs" / f"{page}.md").read_text("utf-8-sig")
    return set(re.findall(r'\b(?:run|source)="([^":]+)', text))


def pages_of(root: Path, files: set[str]) -> set[str]:
    """Return the names of the pages that are, or show, one of the files."""
    docs = root / "docs"
    names = {
        path.relative_to(docs).with_suffix("").as_posix()
        for path in docs.rglob("*.md")
        if path.name != "README.md"
    }
    return {
        name
        for name in names
        if f"docs/{name}.md" in files or files & shown_by(root, name)
    }


def tests_of(
    root: Path, files: set[str], pages: set[str], *, all_kinds: bool
) -> list[str]:
    """Return the test files that belong to the files and pages.

    First those that are named after one of the files, then after one of the
    pages or of the modules that these show; then those of the engine's room
    that it is in, the files themselves, and those that import one of the
    modules; with ``all_kinds`` those of all kinds of input, if what has
    changed reads or shows pages.
    """
    modules = {name for name in files if name.endswith(".py")}
    shown = {name for page in pages for name in shown_by(root, page)}
    own, others = _named_after(modules), _named_after(shown | pages)
    dotted = (re.escape(m[:-3].replace("/", ".")) for m in modules)
    imports = re.compile(rf"\b({'|'.join(dotted) or '(?!)'})\b")
    rooms = {f"tests/{m}" for m in modules if m.startswith("engine/")}
    folders = tuple(f"{Path(room).parent}/" for room in rooms)
    all_kinds &= any(room.startswith(SHOWN_BY_SITES) for room in rooms)
    kinds = OF_THE_ENGINE if all_kinds else ()
    found: list[tuple[int, str]] = []
    for path in sorted((root / "tests").rglob("test_*.py")):
        name = path.relative_to(root).as_posix()
        if name not in files and name.startswith(ALL_TOGETHER):
            continue
        if path.name in own:
            found.append((0, name))
        elif path.name in others:
            found.append((1, name))
        elif name.startswith(folders):
            found.append((2, name))
        elif name in files or imports.search(path.read_text("utf-8")):
            found.append((3, name))
        elif name.startswith(kinds):
            found.append((4, name))
    return [name for _, name in sorted(found)]


def _named_after(names: Iterable[str]) -> set[str]:
    return {f"test_{Path(name).stem}.py" for name in names}


def drifted(
    root: Path, pages: set[str], read: list[RenderedPage]
) -> Iterator[str]:
    """Run the pages that have no true record; yield what is not as kept."""
    records = Records(root / ".cache/records", Path("docs"))
    wanted = {Path("docs", f"{name}.md") for name in pages}
    programs = [
        page.program
        for page in read
        if page.program.path in wanted and page.program.steps
    ]
    with Workers(root, root / ".cache", PRELOAD) as workers:
        for program in programs:
            record = records.load(program)
            if record is None:
                print(f"Running {program.path} …", flush=True)
            yield from told_of(root, program, workers, record)


def _passes(root: Path, *command: str) -> bool:
    done = subprocess.run([sys.executable, "-m", *command], cwd=root)
    return done.returncode == 0


def _style(root: Path, python: Sequence[str]) -> bool:
    if not python:
        return True
    return (
        _passes(root, "ruff", "check", "--quiet", *python)
        & _passes(root, "ruff", "format", "--check", "-q", *python)
        & _passes(root, "mypy")
    )


def _read(
    root: Path, reader: Callable[[Path], list[RenderedPage]]
) -> list[RenderedPage] | None:
    """Return all pages, or nothing after saying what is wrong."""
    try:
        return reader(root)
    except EngineError as error:
        print(error, file=sys.stderr)
        return None


def _agree(root: Path, pages: set[str], read: list[RenderedPage]) -> bool:
    told = list(drifted(root, pages, read))
    for line in told:
        print(line, file=sys.stderr)
    return not told


def _tests(root: Path, tests: Sequence[str]) -> bool:
    options = ("-q", "-x", "--no-header", "-p", "no:cacheprovider")
    return not tests or _passes(root, "pytest", *options, *tests)


def _goes_unnoticed(root: Path, files: set[str], pages: set[str]) -> bool:
    """Return whether no test and no page notices; first ask who is quick."""
    tests = tests_of(root, files, pages, all_kinds=True)
    names = _named_after(files)
    own = [test for test in tests if Path(test).name in names]
    if not _tests(root, own):
        return False
    read = _read(root, read_all) if pages else []
    if read is None:
        return False
    if line := next(drifted(root, pages, read), ""):
        print(line, file=sys.stderr)
        return False
    return _tests(root, [test for test in tests if test not in own])


def main(arguments: Iterable[str] | None = None) -> int:
    """Check and test what has changed; return an exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.quick")
    parser.add_argument("--root", type=Path, default=Path())
    parser.add_argument("--tests", action="store_true")
    parser.add_argument("page", nargs="?", help="its name, as in docs/NAME.md")
    options = parser.parse_args([*arguments] if arguments else None)
    root = options.root.resolve()
    if options.page:
        page = options.page.removeprefix("docs/").removesuffix(".md")
        if not (root / "docs" / f"{page}.md").exists():
            print(f'There is no page "{page}" in docs/.', file=sys.stderr)
            return 1
        files, pages = {f"docs/{page}.md"}, {page}
        python = sorted(shown_by(root, page))
    else:
        files = changed(root)
        pages = pages_of(root, files)
        python = sorted(f for f in files if f.endswith(".py"))
    if options.tests:
        return 0 if _goes_unnoticed(root, files, pages) else 1
    passed = _style(root, [name for name in python if name.endswith(".py")])
    read = _read(root, check)
    if not _tests(root, tests_of(root, files, pages, all_kinds=False)):
        return 1
    if pages and read:
        passed &= _agree(root, pages, read)
    return 0 if passed and read is not None else 1


if __name__ == "__main__":
    sys.exit(main())
