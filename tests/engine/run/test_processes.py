"""Processes that a program starts are those of its reader's own script."""

import subprocess
import sys
from pathlib import Path

import pytest

from engine.program import script
from engine.run.workers import Workers
from tests.engine.run.programs import Page, program

IMPORTS = """\
import multiprocessing
import pickle
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass"""
DEFINE = """\
@dataclass
class Point:
    x: float


def work(n: int) -> int:
    print(f"working on {n}")
    return n * n


def late() -> None:
    time.sleep(0.5)
    print("late words")"""
PICKLED = "print(pickle.loads(pickle.dumps(Point(1.0))))"
POOL = """\
with ProcessPoolExecutor(1) as pool:
    print(list(pool.map(work, range(3))))
with multiprocessing.Pool(1) as pool:
    print(pool.map(work, [5]))"""
PROCESS = """\
process = multiprocessing.Process(target=work, args=(7,))
process.start()
process.join()
print("code", process.exitcode, multiprocessing.current_process().name)
print(process.name, multiprocessing.get_start_method())"""
THREAD = "threading.Thread(target=late).start()"
SPAWN = """\
spawn = multiprocessing.get_context("spawn")
process = spawn.Process(target=work, args=(8,))
process.start()
process.join()
print("code", process.exitcode)"""
BACK = """\
if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(Point, [2.0]))"""
GUARDED = SPAWN.replace("\n", "\n    ").join(
    ["if __name__ == '__main__':\n    ", ""]
)


@pytest.mark.parametrize("last", [THREAD, SPAWN, BACK, GUARDED])
def test_a_program_prints_what_the_readers_script_prints(
    page: Page, tmp_path: Path, last: str
) -> None:
    codes = [IMPORTS, DEFINE, PICKLED, POOL, PROCESS, last]
    whole = program(page.root, *codes)
    reader = tmp_path / "page.py"
    reader.write_text(script(whole.blocks))
    printed = subprocess.run(
        [sys.executable, "-u", "page.py"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    ).stdout.replace(f"{tmp_path}/", "")
    assert "working on 7" in printed
    assert page.output(*codes) == printed


FORK = "import os\nif not os.fork():\n    {}\n_ = os.wait()"


def test_a_child_that_ends_in_its_block_is_as_in_a_script(page: Page) -> None:
    ends = "print('child')\n    os._exit(0)"
    number = "print(os.getpid() == os.getpgrp())"
    assert page.output(FORK.format(ends), number) == "child\nTrue\n"


@pytest.mark.parametrize("goes_on", ["pass", "raise SystemExit(3)", "1 / 0"])
def test_a_child_that_goes_on_after_its_block(
    page: Page, goes_on: str
) -> None:
    words = page.fails(FORK.format(goes_on), "print('twice, in a script')")
    assert words == (
        'docs/page.md:10: snippets/m.py:4: section "s1" forks a process '
        "that goes on when the block has ended\n"
        "  mend: end that process in the block, with os._exit()"
    )


SEEN = "import os, sys\nfor name in sorted(os.environ): print(name)"


def test_the_environment_is_the_readers(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["PYTHONHASHSEED", "COLUMNS", "MPLBACKEND"]
    names += ["KERAS_BACKEND", "TF_ENABLE_ONEDNN_OPTS", "PYTHONPATH"]
    for name in names:
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("OF_THE_READER", "1")
    page.workers.close()
    seen = page.output(SEEN).split()
    assert "OF_THE_READER" in seen
    assert not {*names} & {*seen}
    prefixes = ("TF_", "KERAS_", "PYTHON", "CUDA", "MPL")
    assert [name for name in seen if name.startswith(prefixes)] == [
        "CUDA_VISIBLE_DEVICES",
        "KERAS_HOME",
        "MPLCONFIGDIR",
        "PYTHONUNBUFFERED",
        "TF_CPP_MIN_LOG_LEVEL",
    ]
    page.workers.close()


def test_hashing_is_not_fixed(tmp_path: Path) -> None:
    hashes = set()
    for _ in range(4):
        with Workers(tmp_path, tmp_path / "cache") as workers:
            hashes.add(Page(tmp_path, workers).output("print(hash('a'))"))
    assert len(hashes) > 1


def test_random_numbers_without_a_seed_differ(page: Page) -> None:
    code = "import numpy, random\nprint(numpy.random.rand(), random.random())"
    assert not {*page.output(code).split()} & {*page.output(code).split()}
