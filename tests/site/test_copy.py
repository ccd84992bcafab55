"""What a reader copies from the built pages runs, and prints what they show.

Nothing here uses the engine: code and outputs come from the HTML.  Pages run
in forks of a process that has imported TensorFlow; the guide's script in
test_take_home.py runs in one that has imported nothing, and prints the same.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tests.site.conftest import PROGRAMS, REPOSITORY
from tests.site.cut_off import can_be_cut_off
from tests.site.reader import (
    BLOCK,
    END_OF_BLOCK,
    Copied,
    Preloaded,
    copied_blocks,
    run_alone,
)
from tools.compare import EXPECTED, same, stated_tolerance

FONTS = REPOSITORY / ".cache/matplotlib"


def marked(block: Copied) -> str:
    """Return the block as a piece of a program that says where it ends."""
    return f"{block.deed()}\nprint({END_OF_BLOCK!r})\n"


def placeless(text: str) -> str:
    """Return the text without its colours and the file of the code."""
    plain = re.sub(r"\x1b\[[\d;]*m", "", text)
    return re.sub(r'File "?[^\n]*?", line \d+', "File", plain)


def tolerance(page: str) -> float:
    """Return the tolerance that is stated for the page's numbers."""
    path = REPOSITORY / EXPECTED / f"{page}.txt"
    return stated_tolerance(path.read_text("utf-8"))


@pytest.fixture(scope="module")
def preloaded(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Preloaded]:
    process = Preloaded(tmp_path_factory.mktemp("home"), FONTS)
    yield process
    process.close()


@pytest.mark.parametrize("name", PROGRAMS)
def test_copied_blocks_print_what_the_page_shows(
    html: BeautifulSoup,
    name: str,
    source: str,
    preloaded: Preloaded,
    tmp_path: Path,
) -> None:
    within = tolerance(name.removesuffix("/index"))
    blocks = copied_blocks(html)
    assert len(blocks) == len(BLOCK.findall(source)) > 0
    code = "\n".join(map(marked, blocks))
    printed = preloaded.run_alone(code, tmp_path)
    outputs = printed.split(f"{END_OF_BLOCK}\n")
    assert outputs.pop() == ""
    assert len(outputs) == len(blocks)
    for block, output in zip(blocks, outputs, strict=True):
        shown, printed = placeless(block.output), placeless(output)
        assert same(shown, printed.rstrip("\n"), within), block.code


def test_the_whole_program_of_the_guide_runs_alone(
    site: Path, tmp_path: Path
) -> None:
    page = (site / "basic_training_loops/index.html").read_text()
    html = BeautifulSoup(page, "html5lib")
    program = html.select_one("details.run:not([data-block]) code")
    assert program is not None
    last = program.find_parent("details")
    assert last is not None
    shown = [o.get_text() for o in last.find_all_previous("samp")[::-1]]
    assert len(shown) > 10
    printed = run_alone(program.get_text(), tmp_path, FONTS)
    within = tolerance("basic_training_loops")
    assert same("\n".join(shown), printed.rstrip("\n"), within)


def test_a_reader_saves_files_and_runs_commands(tmp_path: Path) -> None:
    blocks = [
        Copied("x = 1\n", ""),
        Copied("print('one')\n", "", file="a.py"),
        Copied("raise SystemExit(3)\n", "", file="a.py"),
        Copied("python a.py\n", "", exits="3"),
        Copied("print(x + y)\n", "", raises="NameError"),
    ]
    program = "\n".join(block.deed() for block in blocks)
    folder = tmp_path / "reader"
    folder.mkdir()
    printed = run_alone(program, folder, FONTS)
    assert printed == "one\nNameError: name 'y' is not defined\n"


def test_the_interpreter_that_runs_copies_cannot_import_the_project(
    tmp_path: Path,
) -> None:
    for name in ("snippets", "engine"):
        result = subprocess.run(
            [sys.executable, "-I", "-c", f"import {name}"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "ModuleNotFoundError" in result.stderr


def test_copies_run_without_a_network(tmp_path: Path) -> None:
    if not can_be_cut_off():
        assert not os.environ.get("CI"), "CI must allow user namespaces"
        pytest.skip("copies ran with a network: unshare is not permitted")
    code = (
        "import socket\n"
        "with socket.create_server(('127.0.0.1', 0)) as server:\n"
        "    socket.create_connection(server.getsockname()).close()\n"
        "print(socket.if_nameindex())\n"
    )
    assert run_alone(code, tmp_path, FONTS) == "[(1, 'lo')]\n"
