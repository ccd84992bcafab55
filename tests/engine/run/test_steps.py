"""What the steps of a program do, each in its way."""

from pathlib import Path

import pytest

from engine.program import FileBlock, Section, Value
from engine.run.results import BlockRun, ValueRun
from tests.engine.run.programs import Page, command, program, value

SOURCE = Section(Path("snippets/w.py"), "all", 7, "x = 1")


def file(name: str, contents: str) -> FileBlock:
    return FileBlock(line=1, section=SOURCE, file=name, contents=contents)


def test_a_program_and_its_commands_cannot_import_the_project(
    page: Page,
) -> None:
    page.root.joinpath("snippets").mkdir(exist_ok=True)
    code = (
        "for name in 'snippets', 'engine', 'engine.run.results':\n"
        "    try:\n        __import__(name)\n"
        "    except ImportError as error:\n        print(error)"
    )
    missing = "No module named 'snippets'\n"
    missing += "No module named 'engine'\n" * 2
    assert page.output(code) == missing
    failed = command("python -c 'import engine'", exits=1)
    assert "No module named 'engine'" in page.output(failed)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("x:.2f", "1.00"),
        ("x!r:>5", "  1.0"),
        ("d['a'] + d[\"b\"]", "ab"),
        ("'\\n'.join(d)", "a\nb"),
        ("'''a''' + \"\"\"b\"\"\"", "ab"),
        ("f'{x:>5}'", "  1.0"),
        ("{1: 'one'}[x]", "one"),
        ("[i for i in range(3) if i < x]", "[0]"),
        ("x, 2", "(1.0, 2)"),
        ("x=", "x=1.0"),
    ],
)
def test_a_value_is_what_an_f_string_makes_of_it(
    page: Page, expression: str, text: str
) -> None:
    define = "x = 1.0\nd = {'a': 'a', 'b': 'b'}"
    *_, run = page.runs(define, value(expression))
    assert run == ValueRun(text=text)


def test_values_are_taken_where_they_stand(page: Page) -> None:
    runs = page.runs("x = 1", value("x"), "x = 2", value("x"), value("x+1"))
    texts = [run.text for run in runs if isinstance(run, ValueRun)]
    assert texts == ["1", "2", "3"]


def test_files_are_saved_imported_and_run_by_commands(page: Page) -> None:
    early = (
        "import os\ntry:\n    import w\nexcept ImportError:\n"
        "    print('not yet')\nlooked = os.stat('.').st_mtime_ns"
    )
    # As on a disk whose clock is coarse.
    late = "os.utime('.', ns=(looked, looked))\nimport w"
    runs = page.blocks(
        early,
        file("w.py", "print('w')\n"),
        late,
        command("python w.py; ls"),
    )
    outputs = [run.output.decode() for run in runs]
    assert outputs[:3] == ["not yet\n", "", "w\n"]
    assert outputs[3].startswith("w\n")
    assert "w.py\n" in outputs[3]


def test_what_is_printed_late_is_not_lost(page: Page) -> None:
    code = (
        "import atexit, threading, time\n"
        "atexit.register(print, 'at exit')\n"
        "def late():\n    time.sleep(0.3)\n    print('late')\n"
        "threading.Thread(target=late).start()\nprint('started')"
    )
    block, _ = page.runs(code, value("1"))
    assert isinstance(block, BlockRun)
    assert block.output == b"started\nlate\nat exit\n"


def test_a_figure_is_kept_once_it_is_shown(page: Page) -> None:
    plot = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
    first, second = page.blocks(plot, "print(plt.get_fignums())")
    assert len(first.figures) == 1
    assert first.figures[0].svg.startswith("<svg")
    assert second.output == b"[]\n"
    assert second.figures == ()


def test_temporary_files_go_with_the_page(page: Page) -> None:
    code = (
        "import os, subprocess, sys, tempfile\n"
        "names = tempfile.mkstemp()[1], subprocess.check_output(['mktemp'])\n"
        "print(*(os.path.dirname(name) for name in names[:1]))\n"
        "print(os.path.samefile(os.path.dirname(names[1]), "
        "os.path.dirname(names[0]).encode()))"
    )
    folder, same = page.output(code).split()
    assert folder == "/tmp"
    assert same == "True"


def test_a_session_keeps_names_and_answers_step_by_step(page: Page) -> None:
    steps = program(page.root, "x = 1", "1 / 0", "print(x)").steps
    with page.workers.session(program(page.root)) as session:
        runs = [session.carry_out(step) for step in steps]
        again = session.carry_out(Value(1, "x + 1"))
    first, second, third = runs
    assert isinstance(first, BlockRun)
    assert isinstance(second, BlockRun)
    assert isinstance(third, BlockRun)
    assert second.failure
    assert second.failure.name == "ZeroDivisionError"
    assert third.output == b"1\n"
    assert again == ValueRun(text="2")


def test_commands_know_nothing_of_what_the_program_sets(page: Page) -> None:
    code = "import os\n\nos.environ['NAME'] = 'set'\nos.environ.pop('PATH')"
    assert page.output(code, command('echo "$NAME"; ls')) == "\npage.py\n"


def test_files_and_commands_stay_where_the_program_has_begun(
    page: Page,
) -> None:
    moves = "import os\n\nos.mkdir('d')\nos.chdir('d')"
    steps = moves, file("w.py", "x = 1\n"), command("ls")
    assert page.output(*steps, "import w\n\nprint(w.x, os.listdir())") == (
        "d\npage.py\nw.py\n1 []\n"
    )
    gone = "import os\nimport shutil\n\nshutil.rmtree(os.getcwd())"
    words = page.fails(gone, file("w.py", "x"))
    assert "cannot be saved: [Errno 2] No such file" in words
    assert words.count("'w.py'") == 1


def test_a_file_that_was_imported_gets_no_further_piece(page: Page) -> None:
    one, two = file("w.py", "x = 1\n"), file("w.py", "x = 1\n\n\ny = 2\n")
    assert page.output(one, two, "import w\n\nprint(w.y)") == "2\n"
    words = page.fails(one, "import w", two)
    assert "is imported above without this piece" in words


@pytest.mark.parametrize("mode", ["w", "a"])
def test_a_file_that_the_program_has_written(page: Page, mode: str) -> None:
    one, two = file("w.py", "x = 1\n"), file("w.py", "x = 1\n\n\ny = 2\n")
    code = f"with open('w.py', '{mode}b') as file:\n"
    words = page.fails(one, f"{code}    _ = file.write(b'\\xff')", two)
    assert "is written by a block above, which would undo" in words
    assert "is written by" in page.fails(
        code + "    _ = file.write(b'z')", one
    )


def test_what_a_notebook_would_show_otherwise_is_noted(page: Page) -> None:
    codes = ["x = 1\nx", "None", "def f(): ...\n\n\nf()", "print(x)", "x\n'a'"]
    runs = page.blocks(*codes, "import atexit\n\n_ = atexit.register(print)")
    assert [run.value for run in runs] == [True, *[False] * 3, True, False]
    assert [run.late for run in runs] == [False] * 5 + [True]


def test_whether_the_program_is_away_is_noted(page: Page) -> None:
    moves = "import os\n\nos.mkdir('d')\nos.chdir('d')"
    moved = "def move():\n    os.chdir('d')\n\n\nos.chdir('..')", "move()"
    gone = "import shutil\n\nshutil.rmtree(os.getcwd())"
    runs = page.blocks("x = 1", moves, command("cd /"), *moved, gone)
    assert [run.away for run in runs] == [False, True, True, False, True, True]
