"""See whether the tests notice small changes of the code they test.

``python -m proof.mutants`` changes ``snippets/`` and ``engine/`` in one
place at a time (``proof.mutations``) and runs the tests that can notice it
(``proof.reach``), the likeliest first, until one fails; for a snippet also
the pages that show it, which have to print and draw what is kept of them.
A change that nothing notices has survived and is named, unless
``proof/equivalent.toml`` has it with the reason why nothing can.

All changes take hours, so they are tried in an order of no meaning: with
``--sample`` or ``--minutes`` the score is that of a random sample.  What
came of a change is kept in ``.cache/mutants`` for as long as its file and
what was asked about it stay as they are.
"""

import argparse
import contextlib
import datetime
import hashlib
import json
import os
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    Future,
    ProcessPoolExecutor,
    wait,
)
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from engine.build.author import read_all
from proof import trials
from proof.compare import EXPECTED
from proof.copies import copy_project
from proof.expected import slug
from proof.mutations import Mutation, mutations
from proof.reach import Reach, is_story
from proof.scores import BARS, Result, keep_result, score, sentence
from proof.trials import Answer

EQUIVALENT = Path("proof/equivalent.toml")
CACHE = Path(".cache/mutants")

TESTS = {
    "snippets": ("tests/snippets", "tests/explorer"),
    "engine": ("tests/engine", "tests/explorer", "tests/proof"),
}
CODE = ("engine/**/*.py", "snippets/*.py", "proof/trials.py")
"""On which it rests what tests reach."""

SECONDS_TO_LEARN = 1800.0
SECONDS_TO_START = 60.0
TIMES_AS_LONG = 5
LONGEST_TEST = 120.0
"""Seconds; one that takes longer, as it builds the whole site, is not run."""

FIRST_TESTS = 16
"""Run before all others, so that a loop without end is soon ended."""


@dataclass(frozen=True)
class Step:
    """Something to ask about a change, and how long it may take."""

    work: Callable[..., Answer]
    what: Any
    seconds: float
    files: tuple[str, ...]
    """The tests or the page that it asks."""


def all_files(steps: list[Step]) -> tuple[str, ...]:
    """Return the tests and pages that the steps ask."""
    return tuple(sorted({file for step in steps for file in step.files}))


class Slot:
    """A copy of the project, in which one change at a time is tried.

    Each process of the pool has one, which ``settle`` makes.
    """

    tree: Path

    @classmethod
    def settle(cls, frozen: Path) -> None:
        """Make the copy of this process."""
        cls.tree = frozen.with_name(str(os.getpid()))
        copy_project(frozen, cls.tree)

    @classmethod
    def ask(cls, step: Step) -> Answer:
        """Return what one step answers about the copy as it is."""
        return trials.apart(step.work, cls.tree, step.what, step.seconds)

    @classmethod
    def attempt(
        cls, mutation: Mutation, steps: list[Step]
    ) -> tuple[str, tuple[str, ...]]:
        """Return what notices the change, or nothing, and the files asked.

        The files are those on which the answer rests.
        """
        with trials.changed(cls.tree, mutation):
            for step in steps:
                answer = cls.ask(step)
                noticed = answer.get("noticed") or answer.get("ended")
                if noticed:
                    return noticed, step.files
        return "", all_files(steps)


class Inquiry:
    """The project, what its tests reach, and what was tried of it."""

    def __init__(
        self, root: Path, cache: Path, pool: ProcessPoolExecutor
    ) -> None:
        self.root = root
        self.cache = cache
        self.pool = pool

    def learn(self, folder: str) -> Reach:
        """Return what can notice changes of the folder.

        Raises SystemExit if a test fails, or a page differs, without any.
        """
        files = [
            path.relative_to(self.root).as_posix()
            for tests in TESTS[folder]
            for path in sorted((self.root / tests).rglob("test_*.py"))
        ]
        steps = {
            file: Step(trials.learn, file, SECONDS_TO_LEARN, (file,))
            for file in files
        }
        shown = self._shown() if folder == "snippets" else {}
        for page in shown:
            steps[page] = self._page_step(page, SECONDS_TO_LEARN)
        reach = Reach()
        for name, answer in self._answers(steps):
            if wrong := _wrong(answer):
                sys.exit(f"{name} fails without a change:\n{wrong}")
            if name in shown:
                reach.add_page(name, shown[name], answer["seconds"])
            else:
                reach.add_tests(name, answer)
        return reach

    def steps(self, reach: Reach, mutation: Mutation) -> list[Step]:
        """Return what to ask about a change, in order."""
        code = (self.root / mutation.path).read_text("utf-8")
        tests = [
            name
            for name in reach.tests_of(mutation.path, code, mutation.line)
            if reach.seconds[name] <= LONGEST_TEST
        ]
        found = []
        for names in (tests[:FIRST_TESTS], tests[FIRST_TESTS:]):
            if names:
                usual = sum(reach.seconds[name] for name in names)
                files = sorted({name.partition("::")[0] for name in names})
                found.append(
                    Step(
                        trials.first_failure,
                        names,
                        SECONDS_TO_START + TIMES_AS_LONG * usual,
                        tuple(files),
                    )
                )
        pages = [
            self._page_step(
                page, SECONDS_TO_START + TIMES_AS_LONG * reach.seconds[page]
            )
            for page in reach.pages_of(mutation.path)
        ]
        if is_story(code, mutation.line):
            return pages + found
        return found + pages

    def attempt(
        self, folder: str, wanted: list[Mutation], until: float
    ) -> Iterator[tuple[Mutation, str]]:
        """Yield each change that was tried with what noticed it.

        After ``until`` the first that was not tried before ends it: to look
        for later ones would leave out those that take long.
        """
        reach = self.learn(folder)
        waiting: dict[Future[tuple[str, tuple[str, ...]]], Mutation] = {}
        for mutation in wanted:
            steps = self.steps(reach, mutation)
            kept = self._kept(mutation, steps)
            if kept is not None:
                yield mutation, kept
                continue
            if time.monotonic() > until:
                break
            if len(waiting) >= 2 * (os.cpu_count() or 1):
                yield from self._finished(waiting)
            future = self.pool.submit(Slot.attempt, mutation, steps)
            waiting[future] = mutation
        while waiting:
            yield from self._finished(waiting)

    def _finished(
        self, waiting: dict[Future[tuple[str, tuple[str, ...]]], Mutation]
    ) -> Iterator[tuple[Mutation, str]]:
        done, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in done:
            mutation = waiting.pop(future)
            noticed, files = future.result()
            self._keep(mutation, noticed, files)
            yield mutation, noticed

    def _shown(self) -> dict[str, set[str]]:
        """Return the files of code that each page shows."""
        return {
            slug(page.program): {
                block.section.path.as_posix() for block in page.program.blocks
            }
            for page in read_all(self.root)
            if page.program.blocks
        }

    def _page_step(self, page: str, seconds: float) -> Step:
        files = (f"docs/{page}.md", f"{EXPECTED}/{page}.txt")
        return Step(trials.page_differs, page, seconds, files)

    def _answers(self, steps: dict[str, Step]) -> Iterator[tuple[str, Answer]]:
        """Yield the answer to each step: as kept, or asked now."""
        asked = {}
        for name, step in steps.items():
            path = self._reach_path(step)
            if path.exists():
                yield name, json.loads(path.read_text("utf-8"))
            else:
                asked[name] = self.pool.submit(Slot.ask, step)
        for name, future in asked.items():
            answer = json.loads(json.dumps(future.result()))
            print(f"Learned what {name} reaches.", flush=True)
            if not _wrong(answer):
                _write(self._reach_path(steps[name]), answer)
            yield name, answer

    def _reach_path(self, step: Step) -> Path:
        code = [path for pattern in CODE for path in self._found(pattern)]
        name = _digest(step.files, self._texts([*step.files, *code]))
        return self.cache / "reach" / f"{name}.json"

    def _kept(self, mutation: Mutation, steps: list[Step]) -> str | None:
        """Return what came of the change, if it would come of it now."""
        path = self._tried_path(mutation)
        if not path.exists():
            return None
        kept = json.loads(path.read_text("utf-8"))
        if kept["rests_on"] != self._rests_on(mutation, kept["files"]):
            return None
        noticed: str = kept["noticed"]
        if not noticed and tuple(kept["files"]) != all_files(steps):
            return None
        return noticed

    def _keep(
        self, mutation: Mutation, noticed: str, files: tuple[str, ...]
    ) -> None:
        kept = {
            "place": mutation.place,
            "noticed": noticed,
            "files": files,
            "rests_on": self._rests_on(mutation, files),
        }
        _write(self._tried_path(mutation), kept)

    def _tried_path(self, mutation: Mutation) -> Path:
        return self.cache / "tried" / f"{mutation.name}.json"

    def _rests_on(self, mutation: Mutation, files: Iterable[str]) -> str:
        return _digest(self._texts([mutation.path, *files]))

    def _texts(self, files: Iterable[str]) -> list[str]:
        paths = [self.root / name for name in [*files, *self._helpers()]]
        return [p.read_text("utf-8") if p.exists() else "" for p in paths]

    def _helpers(self) -> list[str]:
        """Return what tests share, on which the answer of each may rest."""
        found = self._found("tests/**/*.py")
        return [name for name in found if "/test_" not in name]

    def _found(self, pattern: str) -> list[str]:
        return sorted(
            path.relative_to(self.root).as_posix()
            for path in self.root.glob(pattern)
        )


def all_mutations(root: Path, folder: str) -> list[Mutation]:
    """Return every change of the folder's files, in an order of no meaning.

    The order stays when others are added, so that the first hundred are a
    random sample, and the first two hundred have them among them.
    """
    found = [
        mutation
        for path in sorted((root / folder).rglob("*.py"))
        for mutation in mutations(root, path.relative_to(root).as_posix())
    ]
    return sorted(found, key=lambda mutation: mutation.name)


def read_equivalent(root: Path) -> dict[tuple[str, str, str], str]:
    """Return the reasons why changes cannot be noticed, by path and lines."""
    path = root / EQUIVALENT
    if not path.exists():
        return {}
    listed = tomllib.loads(path.read_text("utf-8"))["equivalent"]
    return {(e["path"], e["was"], e["now"]): e["reason"] for e in listed}


def count(root: Path, known: int, tried: list[tuple[Mutation, str]]) -> Result:
    """Return how many changes were noticed, and which were not."""
    equivalent = read_equivalent(root)
    survivors, without_effect = [], 0
    for mutation, noticed in tried:
        if noticed:
            continue
        code = (root / mutation.path).read_text("utf-8")
        was, now = mutation.show(code)
        if (mutation.path, was, now) in equivalent:
            without_effect += 1
            continue
        survivors.append({"place": mutation.place, "was": was, "now": now})
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "changes": known,
        "tried": len(tried),
        "equivalent": without_effect,
        "noticed": len(tried) - without_effect - len(survivors),
        "survivors": sorted(survivors, key=lambda found: found["place"]),
    }


@contextlib.contextmanager
def _frozen(root: Path) -> Iterator[Path]:
    """Copy the project as it is now: it may be edited meanwhile."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        frozen = Path(folder) / "frozen"
        copy_project(root, frozen)
        yield frozen


def _wrong(answer: Answer) -> str:
    failed = "\n".join(answer.get("failed", []))
    wrong: str = answer.get("ended") or answer.get("noticed") or failed
    return wrong


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1) + "\n", "utf-8")


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def main(arguments: list[str] | None = None) -> int:
    """Try changes; keep and print the score.  Returns 1 below the bar."""
    parser = argparse.ArgumentParser(prog="python -m proof.mutants")
    parser.add_argument("--root", type=Path, default=Path())
    parser.add_argument("--only", choices=TESTS, action="append")
    parser.add_argument("--sample", type=int, metavar="CHANGES")
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    root = options.root.resolve()
    trials.warm_up()
    below = False
    with (
        _frozen(root) as frozen,
        ProcessPoolExecutor(
            options.jobs, get_context("fork"), Slot.settle, (frozen,)
        ) as pool,
    ):
        inquiry = Inquiry(frozen, root / CACHE, pool)
        for folder in options.only or TESTS:
            known = all_mutations(frozen, folder)
            wanted = known[: options.sample]
            until = time.monotonic() + 60 * options.minutes
            tried = []
            for mutation, noticed in inquiry.attempt(folder, wanted, until):
                tried.append((mutation, noticed))
                if not noticed:
                    print(f"Not noticed: {mutation.place}", flush=True)
            result = count(frozen, len(known), tried)
            keep_result(root, folder, result)
            print(sentence(folder, result), flush=True)
            below |= score(result) < BARS[folder]
    return int(below)


if __name__ == "__main__":
    sys.exit(main())
