"""What the steps of a program do, each in its way."""

from pathlib import Path

import pytest

from engine.program import CommandBlock, FileBlock, Section, Value
from engine.run.results import BlockRun, ValueRun
from tests.engine.run.programs import Page, program, value

SOURCE = Section(Path("snippets/w.py"), "all", 7, "x = 1")


def file(name: str, contents: str) -> FileBlock:
    return FileBlock(line=1, section=SOURCE, file=name, contents=contents)


def command(code: str, exits: int = 0) -> CommandBlock:
    section = Section(Path("docs/page.md"), "", 5, code)
    return CommandBlock(line=5, section=section, exits=exits)


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
