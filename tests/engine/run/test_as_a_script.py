"""What a program prints is what its reader's script prints, or a fault."""

import sys
from pathlib import Path
from subprocess import PIPE, STDOUT, run

import pytest

from engine.keep.records import make_record
from engine.program import PythonBlock, Section, script
from tests.engine.run.programs import Page, program

GOOD = {
    "objects that go at the end": [
        "class A:\n    def __del__(self):\n        print('deleted')",
        "a = A()\nprint('end')",
    ],
    "a generator that was left": [
        "def g():\n    try:\n        yield 1\n    finally:\n"
        "        print('closed')",
        "started = g()\nprint(next(started))",
    ],
    "the source of what is shown": [
        "import inspect",
        "def f(x):\n    return x\n\n\nclass A:\n    y = '''\nmargin'''",
        "print(inspect.getsource(f))\nprint(inspect.getsource(A))",
    ],
    "the source of classes": [
        "import inspect\n\nx = 1",
        "@lambda it: it\nclass A:\n    '''Words.'''\n\n\n"
        "def f():\n    class A:\n        z = 1\n\n    return A",
        "x = 1\nclass B(A):\n    y = 2",
        "print(*map(inspect.getsource, [A, B, f()]))\n"
        "print(A.__doc__, [*vars(A)])",
    ],
    "the number of a file": ["print(open('/dev/null').fileno())"],
    "closed output": ["import sys", "print('a')\nsys.stdout.close()", "x = 1"],
    "no output": ["import sys", "print('a')\nsys.stdout = None", "print(1)"],
    "half a character": [
        "import sys",
        "print('\\udc80', file=sys.stderr)",
        "print(sys.stderr.errors)",
    ],
    "names of the main module": [
        "print(__annotations__, __builtins__.__name__, __doc__)",
        "x: int = 1\nprint(__annotations__)",
    ],
    "how deep the stack is": [
        "import inspect\nimport sys\nimport traceback",
        "print(len(inspect.stack()), sys._getframe().f_back)",
        "def deep():\n    return len(traceback.extract_stack())\n\n\n"
        "print(deep())",
    ],
    "warnings of no line": [
        "import warnings",
        "warnings.warn('above', stacklevel=2)",
        "def old():\n    warnings.warn('far above', stacklevel=3)",
        "old()\nwarnings.warn('one more', stacklevel=9)",
    ],
    "a file that is closed at the end": [
        "import warnings",
        "warnings.simplefilter('always')\n\n\nasync def never(): ...",
        "left = never()\nfile = open('/dev/null')",
    ],
    "a text at the head of a block": [
        "'''Words of the file.'''\nx = 1",
        "'''Words of a block.'''\nprint(__doc__)",
        "''\nprint(__doc__)",
    ],
    "what is traced up to a last line": [
        "import sys\n\n\ndef f():\n    pass",
        "sys.settrace(lambda f, e, a: print(e, f.f_code.co_name))\n"
        "f()\nsys.settrace(None)",
    ],
    "a last line that has a value": [
        "class A:\n    def __del__(self):\n        print('gone')",
        "A()",
        "print(sorted(name for name in globals() if name[0] != '_'))",
    ],
    "parts of the system, replaced for good": [
        "import os\n\nos.getpid = lambda: 1\nos.fstat = os.pread = None",
        "os.fsencode = os.fsdecode = os.getcwd = None\nprint(os.getpid())",
    ],
    "context that blocks share": [
        "from contextvars import ContextVar\n\nstate = ContextVar('state')",
        "_ = state.set(2)",
        "print(state.get())",
    ],
    "what stands beside the script": [
        "import os\nimport sys\nfrom pathlib import Path",
        "here = Path(__file__).parent\nprint(here == Path.cwd())\n"
        "print(sys.path[0] == str(here), len(os.listdir()))",
        "print(__cached__, type(__loader__).__name__, __doc__)",
    ],
    "names that are there to the end": [
        "import math",
        "class A:\n    def __del__(self):\n        print('end', math.pi, x)",
        "a = A()\nx = 3",
    ],
    "imports that come too late": [
        "class A:\n    def __del__(self):\n        try:\n"
        "            import colorsys\n        except ImportError as error:\n"
        "            print(error)",
        "a = A()",
    ],
    "a module that is called as the engine": [
        "from pathlib import Path\n\n_ = Path('engine.py').write_text("
        "'print(1)\\ncount = 0')",
        "import engine\n\nengine.count += 1",
        "import engine\n\nprint(engine.count)",
    ],
    "names in their order": [
        "import sys\n\nprint([*globals()], sys.orig_argv[1:] == sys.argv)"
    ],
    "a folder for what goes": [
        "import tempfile",
        "tempfile.tempdir = None\nprint(tempfile.gettempdir())",
    ],
    "modules that Python begins with": [
        "import sys\n\n\ndef names():\n"
        "    # It belongs to what pickle has in C.\n"
        "    return sorted(sys.modules.keys() - {'copyreg'})\n\n\n"
        "print(names())",
        "import collections\nimport importlib\nimport multiprocessing\n"
        "import urllib\nimport xml",
        "print(names())",
    ],
    "pieces of packages that nobody has imported": [
        "import collections\nimport concurrent\nimport importlib\n"
        "import multiprocessing\nimport urllib\nimport xml",
        "for package in (\n    collections,\n    concurrent,\n"
        "    importlib,\n    multiprocessing,\n    urllib,\n    xml,\n):\n"
        "    print(sorted(dir(package)))",
    ],
    "parts of Python's library, replaced for good": [
        "import ast\nimport gc\nimport json\nimport linecache\n"
        "import pickle\nimport re\nimport traceback",
        "for module in ast, gc, json, linecache, pickle, re, traceback:\n"
        "    for name in [n for n in vars(module) if n[:2] != '__']:\n"
        "        setattr(module, name, None)",
        "print(json.dumps, re.compile)",
    ],
    "what pickle learns": [
        "import copyreg\nimport pickle\nimport re",
        "class A: ...\n\n\ndef make():\n    return 'made'\n\n\n"
        "copyreg.pickle(A, lambda a: (make, ()))\n"
        "print(pickle.loads(pickle.dumps([A(), re.compile('a')])))",
    ],
    "a trace that only C shows": [
        "import sys",
        "class A:\n    def __del__(self):\n        (1).real / 0",
        "sys.unraisablehook = lambda it: print(it.exc_value)\nA()",
    ],
}
ENGINES_OWN = [
    "import matplotlib.pyplot as plt\nprint(plt.get_backend())",
    "import matplotlib\nprint(matplotlib.rcParams['text.color'])",
    "import os\nprint(os.getcwd())",
    "from pathlib import Path\nprint([Path.cwd()])",
]


@pytest.mark.parametrize("name", GOOD)
def test_a_script_prints_the_same(
    page: Page, tmp_path: Path, name: str
) -> None:
    whole = program(page.root, *GOOD[name])
    outputs = [block.output for block in page.blocks(*GOOD[name])]
    file = tmp_path / "script.py"
    file.write_text(script(whole.blocks), encoding="utf-8")
    printed = run(
        [sys.executable, file],
        stdout=PIPE,
        stderr=STDOUT,
        check=True,
        cwd=tmp_path,
        env={
            "HOME": str(tmp_path),
            "LC_ALL": "C.UTF-8",
            "PYTHONUTF8": "0",
            "PYTHONUNBUFFERED": "1",
        },
    )
    assert b"".join(outputs) == printed.stdout


@pytest.mark.parametrize("code", ENGINES_OWN)
def test_what_names_the_engine_is_a_fault(page: Page, code: str) -> None:
    words = page.fails("x = 1", code)
    assert words.startswith("docs/page.md:20: snippets/m.py:7: ")
    assert "shows what carries it out, which no reader has" in words


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ("'a\\x00b'", "printed the control character NUL (\\x00)"),
        ("'x' * 30000", "printed more than 20 kB"),
    ],
)
def test_an_announced_error_is_checked_as_any_output(
    page: Page, message: str, problem: str
) -> None:
    words = page.fails(f"raise ValueError({message})", raises="ValueError")
    assert problem in words


def test_an_error_is_kept_as_a_terminal_shows_it(page: Page) -> None:
    code = "raise ValueError('\\udc80 \\x1b[31mred\\x1b[0m')"
    whole = program(page.root, code, raises="ValueError")
    runs = page.workers.run(whole)
    record = make_record(whole, runs, 0, {})
    assert record.blocks[0].error == "ValueError: \\udc80 red"


def test_a_word_without_end_is_named_for_its_length(page: Page) -> None:
    assert "printed more than 20 kB" in page.fails("print('x' * 900_000)")


def test_a_trace_of_another_thread_shows_the_code(page: Page) -> None:
    code = (
        "import threading\n\n\ndef bad():\n    return 1 + (2).real / 0\n\n\n"
        "thread = threading.Thread(target=bad)\nthread.start()\nthread.join()"
    )
    said = page.output(code)
    assert (
        '  File "snippets/m.py", line 8, in bad\n'
        "    return 1 + (2).real / 0\n"
        "               ~~~~~~~~~^~~\n"
    ) in said


def test_a_last_value_goes_where_its_line_stands(page: Page) -> None:
    said = page.output("async def f(): ...", "f()")
    assert said.startswith(
        "snippets/m.py:7: RuntimeWarning: coroutine 'f' was never awaited\n"
        "  f()\n"
    )


def test_each_warning_shows_the_line_that_warns(page: Page) -> None:
    warn = "import warnings\nwarnings.warn('{}')"
    said = page.output(*(warn.format(word) for word in ("one", "two")))
    assert said == (
        "snippets/m.py:5: UserWarning: one\n  warnings.warn('one')\n"
        "snippets/m.py:9: UserWarning: two\n  warnings.warn('two')\n"
    )


def test_lines_of_two_modules_that_warn_are_two(page: Page) -> None:
    code = "import warnings\nwarnings.warn('careful')"
    blocks = [
        PythonBlock(line=9, section=Section(Path(f"{name}.py"), "s", 4, code))
        for name in "ab"
    ]
    assert page.output(*blocks).count("UserWarning: careful") == 2


def test_a_figure_may_say_what_xml_cannot_hold(page: Page) -> None:
    (block,) = page.blocks(
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\n"
        "plt.title('a\\x00b\\x1bc')\nplt.show()"
    )
    assert ">abc<" in block.figures[0].svg


def test_another_backend_is_named(page: Page) -> None:
    words = page.fails(
        "import matplotlib\nimport matplotlib.pyplot as plt",
        "matplotlib.use('agg')\nplt.plot([1, 2])\nplt.show()",
    )
    assert "and choose no backend" in words
