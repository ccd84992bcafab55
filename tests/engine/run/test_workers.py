"""A program runs in a process and a folder of its own."""

import os
import sys
from pathlib import Path

import pytest

from engine.errors import PageError
from engine.program import Step
from engine.run.workers import Workers
from tests.engine.run.programs import Page, program, value
from tests.engine.scratch import printed_by
from tests.waiting import wait_for_ends


def test_blocks_share_their_names_and_keep_their_outputs_apart(
    page: Page,
) -> None:
    one, two = page.blocks("x = 2\nprint('one', x)", "print('two', x + 1)")
    assert one.output == b"one 2\n"
    assert two.output == b"two 3\n"


def test_output_is_caught_below_python(page: Page) -> None:
    code = (
        "import os, sys\nprint('python')\n"
        "os.write(1, b'descriptor\\n')\n"
        "print('error', file=sys.stderr)\n"
        "os.system('echo command')"
    )
    assert page.output(code) == "python\ndescriptor\nerror\ncommand\n"


def test_lines_are_written_whole_as_to_a_terminal(page: Page) -> None:
    """Else those of processes that run side by side get mixed up."""
    code = "import os\nprint('a', 'b', end='')\nos.write(1, b'c')\nprint()"
    assert page.output(code) == "ca b\n"


def test_a_program_runs_in_a_folder_that_goes_away(page: Page) -> None:
    code = "import os\nprint(os.listdir(), os.getcwd()[::-1])"
    inside, folder = page.output(code).split()
    assert inside == "['page.py']"
    assert folder.startswith("nur/")
    assert "-egap/" in folder
    assert not Path(folder[::-1]).parent.exists()


def test_what_a_program_prints_is_for_its_owner_alone(page: Page) -> None:
    code = "import os\nprint(oct(os.fstat(1).st_mode)[-3:])"
    assert page.output(code) == "600\n"


def test_a_figure_is_drawn_by_the_engine_that_cannot_be_imported(
    tmp_path: Path,
) -> None:
    code = "from matplotlib import pyplot as plt\nplt.plot([1])\nplt.show()"
    with Workers(tmp_path, tmp_path / "cache") as workers:
        after = "try:\n    import engine\nexcept ImportError:\n    print('no')"
        one, two = Page(tmp_path, workers).blocks(code, after)
    assert len(one.figures) == 1
    assert two.output == b"no\n"


def test_a_program_is_the_main_module_of_the_readers_script(
    page: Page,
) -> None:
    code = (
        "import os, pickle, sys\nclass A: pass\npickle.dumps(A)\n"
        "print(__name__, A.__module__, os.path.basename(__file__))\n"
        "name = os.path.basename(__file__)\n"
        "print(sys.argv == [name], sys.path[0] == os.getcwd())\n"
        "print(open(__file__).read().splitlines()[0])"
    )
    assert page.output(code).splitlines() == [
        "__main__ __main__ page.py",
        "True True",
        "import os, pickle, sys",
    ]


def test_a_program_runs_in_a_process_that_leads_its_group(page: Page) -> None:
    pid, group = page.output(
        "import os\nprint(os.getpid(), os.getpgrp())"
    ).split()
    assert pid == group
    assert int(pid) != os.getpid()


@pytest.mark.skipif(sys.platform != "linux", reason="a setting of Linux")
def test_the_system_ends_a_program_first_when_memory_runs_out(
    page: Page,
) -> None:
    code = "print(open('/proc/self/oom_score_adj').read())"
    assert page.output(code) == "1000\n\n"


def test_paths_are_shortened_to_what_a_reader_knows(page: Page) -> None:
    code = (
        "import os\nprint(os.path.abspath('file.txt'))\n"
        f"print({str(page.root)!r} + '/snippets/m.py')\nprint(__file__)\n"
        f"print('\"' + {sys.prefix!r} + '/site-packages/keras/x.py\":3')"
    )
    assert page.output(code).splitlines() == [
        "file.txt",
        "snippets/m.py",
        "page.py",
        '"keras/x.py":3',
    ]


def test_what_is_installed_elsewhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from engine.run.worker import _settle\nsys.path.append('/other')\n"
        f"_settle(Path({str(tmp_path)!r}))\nprint(sys.path[0], sys.path[-1])"
    )
    assert printed_by(code) == f"{tmp_path}/run /other\n"


def test_two_workers_share_nothing(tmp_path: Path, page: Page) -> None:
    loaded = "import json\nimport sys\nprint('numpy' in sys.modules)"
    with Workers(tmp_path, tmp_path / "cache", ["json"]) as others:
        assert Page(tmp_path, others).output(loaded) == "False\n"
        loaded = loaded.replace("json", "matplotlib")
        assert page.output(loaded) == "True\n"


def test_what_a_program_does_not_import_it_does_not_have(
    page: Page,
) -> None:
    code = "import sys\nimport {}\nprint('numpy' in sys.modules)"
    assert page.output(code.format("json")) == "False\n"
    loaded = "print(hasattr(matplotlib, 'pyplot'))"
    assert page.output("import matplotlib", loaded) == "False\n"
    for whole in ("import matplotlib.pyplot", "from matplotlib import pyplot"):
        assert page.output("import matplotlib", whole, loaded) == "True\n"
    drawing = "import xml\nprint(hasattr(xml, 'etree'))"
    assert page.output("import matplotlib.pyplot", drawing) == "False\n"


def test_what_stands_above_an_import_bears_on_it(tmp_path: Path) -> None:
    """One that was made beforehand would not say its Zen."""
    with Workers(tmp_path, tmp_path / "cache", ["this"]) as workers:
        page = Page(tmp_path, workers)
        assert page.output("import this", "x = 1\nimport this") == ""
        for late in ("x = 1\nimport this", "__import__('this')"):
            assert page.output("y = 2", late).startswith("The Zen of Python")


def test_nothing_is_set_for_whoever_runs_programs(page: Page) -> None:
    before = dict(os.environ), list(sys.path), Path.cwd(), sys.argv[:]
    page.runs("import os\nos.environ['NEW'] = '1'")
    assert before == (dict(os.environ), sys.path, Path.cwd(), sys.argv)


def test_a_module_that_cannot_be_preloaded(tmp_path: Path) -> None:
    with Workers(tmp_path, tmp_path / "cache", ["json", "nunpy"]) as workers:
        message = Page(tmp_path, workers).fails("import json")
        assert not workers._servers, "they could not know better later"
    assert message.startswith(
        "mkdocs.yml: preload: cannot import nunpy: ModuleNotFoundError: "
    )


def test_a_caller_hears_of_each_step_before_it_runs(page: Page) -> None:
    whole = program(page.root, "x = 1", value("x"), "1 / 0", "x = 2")
    heard: list[Step] = []
    with pytest.raises(PageError):
        page.workers.run(whole, heard.append)
    assert heard == list(whole.steps[:3])


def test_a_server_that_was_killed_is_started_again(page: Page) -> None:
    parent = "import os\nprint(os.getpgrp(), open('/proc/self/stat').read())"
    assert page.output(parent)
    server = page.workers._servers[()]
    server._process.kill()
    wait_for_ends(server._process.pid)
    assert page.output("print('again')") == "again\n"
    assert page.workers._servers[()] is not server


TENSORFLOW = """\
import tensorflow as tf
@tf.function
def sign(x):
    if x > 0.0:
        return 1
    return -1
tf.print('a tensor:', tf.ones(2), sign(tf.constant(-2.0)))"""


def test_tensorflow_prints_and_autograph_finds_the_source(
    tmp_path: Path,
) -> None:
    with Workers(tmp_path, tmp_path / "c", ["tensorflow"]) as workers:
        page = Page(tmp_path, workers)
        for _ in range(2):
            assert page.output("y = 1", TENSORFLOW) == ("a tensor: [1 1] -1\n")
