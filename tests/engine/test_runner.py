"""A program runs in a process and a folder of its own."""

import os
import sys
from pathlib import Path

from engine.child import BlockRun, ValueRun
from engine.project import Project
from engine.runner import run_page
from tests.engine.scratch import Scratch, ends


def run(empty: Scratch, *codes: str, prose: str = "") -> list[BlockRun]:
    """Show each code as a section of its own; return what they did."""
    module, page = "", ""
    for number, code in enumerate(codes):
        module += f"if __name__ == '__main__':\n    # region s{number}\n"
        module += "".join(f"    {line}\n" for line in code.split("\n"))
        module += f"    # endregion s{number}\n"
        page += f'```python run="snippets/m.py:s{number}"\n```\n\n'
    empty.write("snippets/m.py", module)
    empty.write("docs/index.md", page + prose)
    project = Project(empty.root)
    runs = list(run_page(empty.root, project.page("index")))
    return [r for r in runs if isinstance(r, BlockRun)]


def test_blocks_share_their_names_and_keep_their_outputs_apart(
    empty: Scratch,
) -> None:
    one, two = run(empty, "x = 2\nprint('one', x)", "print('two', x + 1)")
    assert one.output == b"one 2\n"
    assert two.output == b"two 3\n"


def test_output_is_caught_below_python(empty: Scratch) -> None:
    code = (
        "import os, sys, warnings\nprint('python')\n"
        "os.write(1, b'descriptor\\n')\n"
        "print('error', file=sys.stderr)\n"
        "os.system('echo command')"
    )
    (block,) = run(empty, code)
    assert block.output == b"python\ndescriptor\nerror\ncommand\n"


def test_what_tensorflow_prints_is_caught(empty: Scratch) -> None:
    (block,) = run(
        empty, "import tensorflow as tf\ntf.print('a tensor:', tf.ones(2))"
    )
    assert block.output == b"a tensor: [1 1]\n"


def test_autograph_finds_the_source_of_a_block(empty: Scratch) -> None:
    code = (
        "import tensorflow as tf\n"
        "@tf.function\n"
        "def sign(x):\n"
        "    if x > 0.0:\n"
        "        return 1\n"
        "    return -1\n"
        "print(sign(tf.constant(2.0)).numpy())"
    )
    (block,) = run(empty, "y = 1", code)[1:]
    assert block.output == b"1\n"


def test_a_program_runs_in_an_empty_folder_that_goes_away(
    empty: Scratch,
) -> None:
    (block,) = run(empty, "import os\nprint(os.getcwd(), os.listdir())")
    folder, _, content = block.output.decode().partition(" ")
    assert content == "[]\n"
    assert not Path(folder).exists()
    assert Path(folder) != empty.root


def test_what_a_program_prints_is_for_its_owner_alone(empty: Scratch) -> None:
    (block,) = run(empty, "import os\nprint(oct(os.fstat(1).st_mode)[-3:])")
    assert block.output == b"600\n"


def test_a_program_cannot_import_the_project(empty: Scratch) -> None:
    (block,) = run(
        empty,
        "try:\n    import snippets\n"
        "except ImportError as error:\n    print(error)",
    )
    assert block.output == b"No module named 'snippets'\n"


def test_a_program_is_the_main_module(empty: Scratch) -> None:
    code = "class A: pass\nimport pickle\nprint(__name__, A.__module__)"
    (block,) = run(empty, code + "\npickle.dumps(A)")
    assert block.output == b"__main__ __main__\n"


def test_a_program_runs_in_another_process(empty: Scratch) -> None:
    (block,) = run(empty, "import os\nprint(os.getpid())")
    assert int(block.output) != os.getpid()


def test_paths_are_shortened_to_what_a_reader_knows(empty: Scratch) -> None:
    code = (
        "import os, warnings\nprint(os.path.abspath('file.txt'))\n"
        f"print({str(empty.root)!r} + '/snippets/m.py')\n"
        f"print({sys.prefix!r} + '/lib/python3/site-packages/keras/x.py:3')"
    )
    (block,) = run(empty, code)
    assert block.output == b"file.txt\nsnippets/m.py\nkeras/x.py:3\n"


def test_values_are_taken_where_they_stand(empty: Scratch) -> None:
    empty.write(
        "snippets/m.py",
        "# region a\nx = 1.0\n# endregion a\n# region b\nx = 2.0\n"
        "# endregion b\n",
    )
    empty.write(
        "docs/index.md",
        '```python run="snippets/m.py:a"\n```\n\n{{ x:.2f }}\n\n'
        '```python run="snippets/m.py:b"\n```\n\n{{ x:.1f }}, {{ x + 1 }}\n',
    )
    runs = run_page(empty.root, Project(empty.root).page("index"))
    values = [r.text for r in runs if isinstance(r, ValueRun)]
    assert values == ["1.00", "2.0", "3.0"]


def test_a_program_leaves_no_process_behind(empty: Scratch) -> None:
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', "
        "'import time; time.sleep(600)'])\nprint(child.pid)"
    )
    (block,) = run(empty, code)
    assert ends(int(block.output))


def test_a_figure_is_kept_once_it_is_shown(empty: Scratch) -> None:
    setup = "import matplotlib.pyplot as plt"
    first, second = run(
        empty,
        f"{setup}\nplt.plot([1, 2])\nplt.show()",
        "print(plt.get_fignums())",
    )
    assert len(first.figures) == 1
    assert first.figures[0].svg.startswith("<svg")
    assert second.output == b"[]\n"
    assert second.figures == ()


def test_temporary_files_go_with_the_page(empty: Scratch) -> None:
    code = (
        "import os, subprocess, tempfile\n"
        "print(tempfile.mkstemp()[1])\n"
        "subprocess.run(['mktemp'], check=True)"
    )
    (block,) = run(empty, code)
    for path in block.output.decode().split():
        assert "page-" in path
        assert not Path(path).exists()
