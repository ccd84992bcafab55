"""What importing a module does besides defining is found."""

import shutil
from pathlib import Path

import pytest

from engine.errors import PageError
from engine.run import imports
from engine.run.imports import check_imports
from engine.run.workers import Workers

REPOSITORY = Path(__file__).parents[3]

QUIET = {
    "words": '"""Words."""\nA, B = 1.0, "b"\nC: int = A + 2\nC += 1\n',
    "async_def": "async def f(): return await g()",
    "class_made": "class A:\n    def f(self): g()\n    x = property(f)",
    "dataclass": (
        "from __future__ import annotations\n"
        "from dataclasses import dataclass, field\n"
        "@dataclass\nclass A:\n    later: Later = field(default_factory=list)"
    ),
    "enum": "import enum\nclass A(enum.Enum):\n    X = enum.auto()",
    "typevar": 'from typing import TypeVar\nT = TypeVar("T")',
    "logger": "import logging\nlog = logging.getLogger(__name__)",
    "type_checking": (
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from nowhere import Nothing"
    ),
    "try_import": "try:\n    import nowhere\nexcept ImportError:\n    n = 1",
    "loop": "for i in range(3):\n    pass\nsquare = lambda x: x * x",
    "path": "from pathlib import Path\nD = Path('data')\nE = D.exists()",
    "here": "from pathlib import Path\nT = Path(__file__).read_text()",
    "literal": "x = 5\ny = x is 5",
    "null": "import os\nwith open(os.devnull, 'w') as f:\n    f.write('x')",
    "guard": "if __name__ == '__main__':\n    print(1)",
    "names": "assert __name__ == 'snippets.names', __name__",
    "relative": "from . import words\nfrom .words import A\nassert A == 1",
    "sibling": "import snippets.words as w\nfrom snippets import enum as e",
    "loud_import": "import loud",
    "loud_try": "try:\n    import loud\nexcept ImportError:\n    pass",
    "loud_lazy": "import importlib\nm = importlib.import_module('shrill')",
    "not_python": "print(1\n",
    "__init__": '"""A package."""',
}
LOUD = (
    "import os, threading, time\nprint('hello')\nos.environ['LOUD'] = '1'\n"
    "threading.Thread(target=time.sleep, args=(99,), daemon=True).start()\n"
)
EFFECTS = {
    "import os\nprint('hello')": (2, "prints"),
    "import os\nos.write(2, b'hello')": (2, "prints"),
    "import warnings\nwarnings.warn('old')": (2, "prints"),
    "class A:\n    rows = load()": (1, "raises NameError (name 'load'"),
    "import nowhere": (1, "raises ModuleNotFoundError (No module"),
    "x = 1\nraise SystemExit(0)": (2, "raises SystemExit (0)"),
    "x = 1\nwith open('x', 'w') as f:\n    pass": (2, "writes a file"),
    "x = 1\ntry:\n    open('x', 'w')\nexcept OSError:\n    pass": (
        2,
        "writes a file",
    ),
    "import os\nos.mkdir('x')": (2, "calls os.mkdir"),
    "import shutil\n\nshutil.rmtree('.')": (3, "calls os.rmdir"),
    "import subprocess\nsubprocess.run(['true'])": (
        2,
        "calls subprocess.Popen",
    ),
    "import os\nos.system('true')": (2, "calls os.system"),
    "import os\nos.fork()": (2, "calls os.fork"),
    "import socket\ns = socket.socket()": (2, "calls socket.__new__"),
    "import os\nos.environ['A'] = 'b'": (2, "calls os.putenv"),
    "import os\nos.chdir('/')": (2, "calls os.chdir"),
    "from threading import Event, Thread\n"
    "Thread(target=Event().wait, daemon=True).start()": (2, "starts threads"),
    "import os\nos._exit(0)": (2, "ends the process (exit code 0)"),
    "import os, signal\nos.kill(os.getpid(), 9)": (2, "ends the process"),
}
TENSORFLOW = "import tensorflow as tf\nimport keras\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "snippets").mkdir()
    for name in ("loud", "shrill"):
        (tmp_path / f"{name}.py").write_text(LOUD)
    return tmp_path


def look(root: Path, workers: Workers, **sources: str) -> list[PageError]:
    for name, source in sources.items():
        (root / f"snippets/{name}.py").write_text(source)
    modules = [Path(f"snippets/{name}.py") for name in sources]
    return check_imports(root, modules, root / ".cache", workers)


def found(errors: list[PageError]) -> list[tuple[str, int | None, str]]:
    return [
        (Path(str(e.path)).stem, e.line, e.problem.split(" when")[0])
        for e in errors
    ]


def test_what_only_defines_has_no_effect(root: Path, workers: Workers) -> None:
    assert found(look(root, workers, **QUIET)) == []


@pytest.mark.parametrize(("source", "effect"), EFFECTS.items())
def test_an_effect_is_found_with_its_line(
    root: Path, workers: Workers, source: str, effect: tuple[int, str]
) -> None:
    (error,) = look(root, workers, a=source)
    assert (error.path, error.line) == ("snippets/a.py", effect[0])
    assert error.problem.startswith(effect[1])
    assert error.problem.endswith(" when the module is imported")
    assert 'under `if __name__ == "__main__":`' in error.hint


def test_folders_mean_what_they_mean_to_python(
    root: Path, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "sqlite3").mkdir()  # without modules: the library's counts
    other = root / "other/snippets/__init__.py"
    other.parent.mkdir(parents=True)
    other.touch()
    monkeypatch.setenv("PYTHONPATH", str(root / "other"))
    errors = look(root, workers, a="from sqlite3 import connect\nprint(1)")
    assert found(errors) == [("a", 2, "prints")]


def test_an_effect_is_refused(root: Path, workers: Workers) -> None:
    kept = root / "kept"
    kept.touch()
    assert look(root, workers, a=f"import os\nos.remove({str(kept)!r})")
    assert kept.exists()


def test_all_effects_are_found_at_once(root: Path, workers: Workers) -> None:
    errors = look(
        root,
        workers,
        a="from snippets import b\nprint(1)\nopen('x', 'w')\n",
        b="x = 1\nprint(2)\n",
        c="from snippets.d import y\n",
        d="raise ValueError('k\\n l')\n",
        e="print(1)\nprint(2)\n",
    )
    assert found(errors) == [
        ("b", 2, "prints"),
        ("a", 2, "prints"),
        ("a", 3, "writes a file"),
        ("d", 1, "raises ValueError (k l)"),
        ("e", 1, "prints"),
        ("e", 2, "prints"),
    ]


def test_a_module_that_does_not_end(
    root: Path, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "SECONDS_ALLOWED", 2.5)
    errors = look(root, workers, a="x = 1", b="import time\ntime.sleep(30)")
    assert found(errors) == [("b", 2, "takes longer than 2.5 s")]


def test_modules_run_in_an_empty_folder_that_goes(
    root: Path, workers: Workers
) -> None:
    assert look(root, workers, b="x = 1") == []
    source = (
        "import os\nfrom snippets import b\nassert os.listdir(), os.getcwd()"
    )
    (error,) = look(root, workers, a=source)
    problem = error.problem.removeprefix("raises AssertionError (")
    assert not Path(problem.split(")")[0]).exists()
    assert not list(root.rglob("__pycache__"))


def test_clean_answers_are_kept(
    root: Path, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert look(root, workers, a="x = 1") == []
    with monkeypatch.context() as patch:
        patch.setattr(workers, "process", None)
        assert look(root, workers, a="x = 1") == []
        with pytest.raises(TypeError):
            look(root, workers, a="x = 2")
    assert found(look(root, workers, a="print(1)", b="x = 1")) == [
        ("a", 1, "prints")
    ]
    assert found(look(root, workers, a="print(1)", b="x = 1")) == [
        ("a", 1, "prints")
    ]


def test_what_programs_share_is_not_imported_once_more(root: Path) -> None:
    source = "import sys\nassert 'xmlrpc.client' in sys.modules"
    with Workers(root, root / ".cache", ["xmlrpc.client"]) as workers:
        assert look(root, workers, a=source) == []


def test_a_module_to_share_that_is_missing_is_named(root: Path) -> None:
    with (
        Workers(root, root / ".cache", ["nowhere"]) as workers,
        pytest.raises(PageError, match="cannot import nowhere") as caught,
    ):
        look(root, workers, a="x = 1")
    assert caught.value.path == "mkdocs.yml"


def test_a_broken_cache_is_made_anew(root: Path, workers: Workers) -> None:
    (root / ".cache").mkdir()
    (root / ".cache/imports.json").write_text("{")
    assert look(root, workers, a="x = 1") == []
    assert "snippets/a.py" in (root / ".cache/imports.json").read_text()


def test_what_tensorflow_defines_has_no_effect(
    root: Path, workers: Workers
) -> None:
    source = (
        f"{TENSORFLOW}"
        "class A(tf.Module):\n"
        "    signature = [tf.TensorSpec([None], tf.float32)]\n"
        "@tf.function(jit_compile=True)\n"
        "def f(x: tf.Tensor) -> tf.Tensor:\n    return 2 * x\n"
        "class B(tf.keras.layers.Layer):\n    pass\n"
        "class C(keras.Model):\n    loss = keras.losses.MeanSquaredError()\n"
    )
    lazy = "import tensorflow as tf\nclass D(tf.keras.layers.Layer): pass\n"
    assert found(look(root, workers, a=lazy, b=source)) == []


@pytest.mark.parametrize("made", ["tf.constant(1)", "tf.Variable(1.0)"])
def test_an_operation_of_tensorflow_is_found(
    root: Path, workers: Workers, made: str
) -> None:
    errors = look(root, workers, a=f"{TENSORFLOW}a = 1\nx = {made}\n")
    assert [(e.path, e.line) for e in errors] == [("snippets/a.py", 4)]
    assert errors[0].problem.startswith("starts threads")


def test_the_modules_of_the_site_have_no_effect(
    tmp_path: Path, workers: Workers
) -> None:
    shutil.copytree(REPOSITORY / "snippets", tmp_path / "snippets")
    files = sorted(tmp_path.glob("snippets/*.py"))
    modules = [file.relative_to(tmp_path) for file in files]
    assert check_imports(tmp_path, modules, tmp_path / ".cache", workers) == []
