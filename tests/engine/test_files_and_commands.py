"""A page lets its reader save files and run commands, and does so itself."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from nbclient import NotebookClient
from nbformat import read

from tests.engine.read.site import site_of
from tests.engine.scratch import Scratch
from tests.engine.test_extension import render
from tests.waiting import wait_for_ends, wait_until

WORKER = '''\
"""A module."""

# region imports
import json
import sys

# endregion imports


# region work
def work(name):
    with open("numbers.json") as file:
        print(name, sum(json.load(file)))


# endregion work

if __name__ == "__main__":
    # region start
    work(sys.argv[1])
    # endregion start
'''

PAGE = """\
# Working

```python run="snippets/worker.py:imports" file="worker.py"
```

```python run="snippets/worker.py:work" file="worker.py"
```

```python run="snippets/worker.py:start" file="worker.py"
```

```json source="bench/numbers.json" file="numbers.json" fold="The numbers"
```

```console
python worker.py one
python worker.py two
```

```program
```
"""

OUTPUT = "one 6\ntwo 6\n"


@pytest.fixture
def working(empty: Scratch) -> Scratch:
    """A project whose page has two files and a command."""
    empty.write("bench/numbers.json", "[1, 2, 3]\n")
    empty.write("snippets/worker.py", WORKER)
    empty.write("docs/index.md", PAGE)
    return empty


def test_commands_run_the_files_that_the_page_shows(working: Scratch) -> None:
    code, words = working.engine("run", "index")
    assert code == 0
    assert words.endswith(f"── command (docs/index.md:15)\n{OUTPUT}")


def test_a_page_shows_files_and_commands_as_blocks(working: Scratch) -> None:
    page = render(working, PAGE)
    blocks = page.select(".run[data-block]")
    names = [block.select(".run-bar span")[0].get_text() for block in blocks]
    assert names == [
        "Block 1 · file worker.py",
        "Block 2 · file worker.py",
        "Block 3 · file worker.py",
        "Block 4 · file numbers.json",
        "Block 5 · command",
    ]
    codes = [block.select("pre > code")[0].get_text() for block in blocks]
    assert codes[2:] == [
        "work(sys.argv[1])\n",
        "[1, 2, 3]\n",
        "python worker.py one\npython worker.py two\n",
    ]
    assert blocks[4].select(".run-output")[0].get_text() == OUTPUT.rstrip()
    program, whole = page.select("details.run-program")
    assert "# Needs the file worker.py" in program.get_text()
    assert whole.select("summary")[0].get_text() == "The whole of worker.py"
    text = whole.select("code")[0].get_text()
    assert text.startswith("import json\nimport sys\n\n\ndef work(name):\n")
    assert text.endswith("\n\n\nwork(sys.argv[1])\n")


def test_readers_take_the_files_home(working: Scratch) -> None:
    code, words = working.build()
    assert code == 0, words
    files = working.root / "site/index"
    assert (files / "numbers.json").read_text() == "[1, 2, 3]\n"
    result = subprocess.run(
        [sys.executable, "worker.py", "one"],
        cwd=files,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "one 6\n"
    text = (working.root / "site/index.md").read_text()
    assert "*File numbers.json:*\n\n```json\n[1, 2, 3]\n```" in text
    assert "```console\npython worker.py one" in text
    assert f"```text\n{OUTPUT}```" in text
    assert "*The whole of worker.py:*" in text


def test_the_notebook_saves_the_files_and_runs_the_commands(
    working: Scratch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, words = working.build()
    assert code == 0, words
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    python = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{python}:/usr/bin:/bin")
    book = read(working.root / "site/index.ipynb", as_version=4)
    folder = tmp_path / "reader"
    folder.mkdir()
    NotebookClient(
        book, timeout=60, resources={"metadata": {"path": str(folder)}}
    ).execute()
    files = site_of(working.root).read(PAGE).program.files
    assert files.keys() == {"worker.py", "numbers.json"}
    for name, contents in files.items():
        assert (folder / name).read_text() == contents
    (command,) = [cell for cell in book.cells if "two" in cell.source]
    assert "".join(output.text for output in command.outputs) == OUTPUT


def test_a_command_that_fails_names_the_line_of_the_snippet(
    working: Scratch,
) -> None:
    working.replace("snippets/worker.py", "import sys\n", "\n")
    code, words = working.build()
    assert code == 1
    assert "docs/index.md:15: the command ended with exit code 1" in words
    assert 'File "snippets/worker.py", line 20, in <module>' in words
    assert "NameError: name 'sys' is not defined" in words
    assert 'say exits="1" on the fence' in words
    assert not (working.root / "site").exists()


def test_a_command_that_was_to_fail_and_does_not(working: Scratch) -> None:
    working.replace("docs/index.md", "```console", '```console exits="2"')
    code, words = working.build()
    assert code == 1
    assert "the command ended with exit code 0, not 2" in words


def test_a_command_stops_at_the_first_line_that_fails(
    working: Scratch,
) -> None:
    working.replace("docs/index.md", "```console", '```console exits="3"')
    working.replace("docs/index.md", "worker.py one", "-c 'exit(3)'")
    page = render(working, (working.root / "docs/index.md").read_text())
    command = page.select(".run[data-block]")[4]
    assert command["data-exits"] == "3"
    assert not command.select(".run-output")
    assert "ends with exit code 3" in command.get_text()


def test_a_command_cannot_import_the_project(working: Scratch) -> None:
    working.replace("docs/index.md", "worker.py two", "-c 'import engine'")
    code, words = working.build()
    assert code == 1
    assert "No module named 'engine'" in words


@pytest.mark.parametrize("end", ["true", "false", "sleep 60"])
def test_nothing_that_a_command_starts_outlives_the_page(
    working: Scratch, end: str
) -> None:
    """The page ends well, with a failure, or past its limit."""
    mark = working.root / "pid"
    working.replace(
        "docs/index.md",
        "```console\n",
        f'```console limit="2"\nsleep 300 &\necho $! > {mark}\n{end}\n',
    )
    code, _ = working.engine("run", "index")
    assert code == (0 if end == "true" else 1)
    wait_for_ends(int(mark.read_text()))


def test_nothing_that_a_command_starts_outlives_an_interrupted_build(
    working: Scratch,
) -> None:
    mark = working.root / "pid"
    working.replace(
        "docs/index.md",
        "```console\n",
        f"```console\nsleep 300 & echo $! > {mark}; wait\n",
    )
    build = subprocess.Popen(
        [sys.executable, "-m", "engine", "--root", working.root, "build"],
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: mark.exists() and mark.read_text())
    build.send_signal(signal.SIGINT)
    _, words = build.communicate(timeout=30)
    assert build.returncode == 1
    assert "Interrupted; nothing was changed." in words
    wait_for_ends(int(mark.read_text()))
    assert json.loads((working.root / "bench/numbers.json").read_text())
