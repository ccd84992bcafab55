"""Python that a block may contain does what the reader's script does."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.kinds import forms
from tests.engine.kinds.site import Site

FENCE = '```python run="snippets/a.py:{}"\n```\n'
GOOD = {
    "pools": {
        "one": "import multiprocessing\n"
        "from concurrent.futures import ProcessPoolExecutor",
        "two": "def work(n):\n    print('at', n)\n    return n * n",
        "three": "with ProcessPoolExecutor(1) as pool:\n"
        "    print(list(pool.map(work, range(3))))",
        "four": "process = multiprocessing.Process(target=work, args=(7,))\n"
        "process.start()\nprocess.join()\nprint('code', process.exitcode)",
        "five": "with multiprocessing.Pool(1) as pool:\n"
        "    print(pool.map(work, [9]))",
    },
    "pickles": {
        "one": "import pickle\nfrom dataclasses import dataclass",
        "two": "@dataclass\nclass Point:\n    x: float",
        "three": "print(pickle.loads(pickle.dumps(Point(1.0))))\n"
        "print(Point.__module__, __name__)",
    },
    "threads": {
        "one": "import threading\nimport time",
        "two": "def late() -> None:\n    time.sleep(0.2)\n    print('late')",
        "three": "thread = threading.Thread(target=late)\nthread.start()\n"
        "print('started')",
        "four": "thread.join()\nprint('next')",
    },
    "main": {
        "one": "import sys\n\nprint(sys.argv == [__file__])\n"
        "print(sys.modules['__main__'].__file__ == __file__)\n"
        "print(__name__, 'x' in globals(), globals() is locals())",
        "two": "x = 1\n\n\ndef f():\n    global x\n    x += 1\n    return x",
        "three": "print(f(), x)\nimport __main__\nprint(__main__.x)",
    },
    "exits": {
        "one": "import atexit\n\natexit.register(print, 'at the end')",
        "two": "print('before')",
    },
    "sources": {
        "one": "import inspect",
        "two": "def f():\n    return 1",
        "three": "print(inspect.getsource(f))",
    },
    "files": {
        "one": "open('made.txt', 'w').write('x\\n')",
        "two": "print(open('made.txt').read())",
    },
    "asynchronous": {
        "one": "import asyncio",
        "two": "async def f():\n    await asyncio.sleep(0)\n    return 5",
        "three": "print(asyncio.run(f()))",
    },
}
BAD = {
    "name": ("x = 1\nprint(y)", 6, "raised NameError"),
    "inner": ("def f():\n    1 / 0\n\n\nf()", 9, "raised ZeroDivisionError"),
    "breakpoint": ("x = 1\nbreakpoint()", 6, "nobody can answer a debugger"),
    "input": ("x = 1\ninput()", 6, "raised EOFError"),
    "exit": ("import sys\nsys.exit(3)", 6, "raised SystemExit"),
    "killed": ("import os\nos._exit(3)", 5, "exit code 3"),
    "signal": ("import os\nos.kill(os.getpid(), 9)", 5, "ended its own"),
    "interrupt": ("x = 1\nraise KeyboardInterrupt", 6, "KeyboardInterrupt"),
    "compiled": ("x = 1\nexec('y = (')", 6, "raised SyntaxError"),
    "assertion": ("x = 1\nassert x == 2, 'no'", 6, "AssertionError: no"),
}


MEANT = {
    "ValueError": "int('x')",
    "JSONDecodeError": "import json\n\njson.loads('')",
    "asyncio.exceptions.CancelledError": "import asyncio\n\n"
    "raise asyncio.CancelledError",
    "multiprocessing.context.TimeoutError": "import multiprocessing\n\n"
    "raise multiprocessing.TimeoutError('too late')",
    "__main__.Stop": "class Stop(BaseException):\n    pass\n\n\nraise Stop",
    "TimeoutError": "class TimeoutError(Exception):\n    pass\n\n\n"
    "raise TimeoutError('mine')",
}
FUTURE = """\
# region one
from __future__ import annotations
# endregion one


# region two
def f(x: Later) -> Later:
    return x
# endregion two


# region three
class Later:
    pass
# endregion three


if __name__ == "__main__":
    # region four
    print(f(3), f.__annotations__)
    # endregion four
"""


def run_alone(script: Path, folder: Path) -> str:
    """Return what a reader's own run of the script prints."""
    folder.mkdir()
    copy = folder / script.name
    copy.write_bytes(script.read_bytes())
    done = subprocess.run(
        [sys.executable, copy.name],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONUNBUFFERED": "1"},
    )
    return done.stdout


def test_pages_print_what_the_downloaded_script_prints(
    site: Site, tmp_path: Path
) -> None:
    for name, codes in GOOD.items():
        site.sections(name, **codes)
        fences = [FENCE.replace("a.py", f"{name}.py").format(k) for k in codes]
        site.page(name, f"# {name}\n\n" + "\nText.\n\n".join(fences))
    built = site.good()
    for name in GOOD:
        page = forms.page(built, f"{name}/")
        shown = "\n".join(said for _, said in page.blocks)
        printed = run_alone(built / f"{name}.py", tmp_path / name)
        if name in ("sources", "exits"):
            printed = "\n".join(s for s in printed.split("\n") if s in shown)
        assert shown.split() == printed.split(), name
        site.alike(name, *(said for _, said in page.blocks))


def test_a_script_goes_on_after_whatever_error_is_meant(
    site: Site, tmp_path: Path
) -> None:
    codes = {f"s{n}": code for n, code in enumerate(MEANT.values())}
    for section, error in zip(codes, MEANT, strict=True):
        page = error.replace(".", "_")
        site.sections(page, **{section: codes[section]}, end="print('on')")
        fence = FENCE.replace("a.py", f"{page}.py")
        meant = fence.format(section).replace('"\n', f'" raises="{error}"\n')
        site.page(page, f"# P\n\n{meant}\n{fence.format('end')}")
    built = site.good()
    for error in MEANT:
        page = error.replace(".", "_")
        shown = "\n".join(t for _, t in forms.page(built, f"{page}/").blocks)
        assert shown.endswith("\non")
        assert (
            run_alone(built / f"{page}.py", tmp_path / page).rstrip() == shown
        )


def test_a_future_holds_for_the_blocks_below_as_in_one_file(
    site: Site, tmp_path: Path
) -> None:
    site.write("snippets/a.py", FUTURE)
    names = ("one", "two", "three", "four")
    site.page("p", "# P\n\n" + "\n".join(map(FENCE.format, names)))
    built = site.good()
    said = "3 {'x': 'Later', 'return': 'Later'}"
    site.alike("p", "", "", "", said)
    assert run_alone(built / "p.py", tmp_path / "alone") == f"{said}\n"


@pytest.mark.parametrize("name", BAD)
def test_what_goes_wrong_is_named_with_both_lines(
    site: Site, name: str
) -> None:
    code, line, problem = BAD[name]
    site.sections("a", one=code)
    site.page("p", f"# P\n\nText.\n\n{FENCE.format('one')}")
    words = site.engine("build")[1]
    assert words.count("mend:") == 1
    assert f"docs/p.md:5: snippets/a.py:{line}: " in words
    assert problem in words
    assert "engine/" not in words
    assert not (site.root / "site").exists()


def test_await_at_the_top_is_named_with_its_line(site: Site) -> None:
    site.sections("a", one="import asyncio", two="await asyncio.sleep(0)")
    site.page("p", f"{FENCE.format('one')}\n{FENCE.format('two')}")
    words = site.bad()
    assert words.count("mend:") == 1
    assert "snippets/a.py:8: not valid Python: 'await' outside" in words


def test_the_order_of_a_set_is_not_fixed_by_us(site: Site) -> None:
    code = "import os\nimport sys\n\nprint(sys.flags.hash_randomization)\n"
    code += "print('PYTHONHASHSEED' in os.environ)"
    site.sections("a", one=code)
    site.page("p", f"# P\n\n{FENCE.format('one')}")
    site.good()
    site.alike("p", "1\nFalse")
