"""Records are kept for as long as they are true, and healed."""

import json
import platform
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from engine.keep import key, versions
from engine.keep.files import BuildLock
from engine.keep.records import (
    NOTHING,
    BlockRecord,
    Record,
    Records,
    make_record,
    missing_alts,
)
from engine.program import (
    CommandBlock,
    Program,
    PythonBlock,
    Section,
    Value,
)
from engine.run.results import BlockRun, StepRun, ValueRun
from tests.engine.scratch import Scratch

RAN = "Running docs/index.md"
RECORD = ".cache/records/index.json"


def test_a_build_with_nothing_changed_runs_nothing(built: Scratch) -> None:
    code, words = built.build()
    assert code == 0
    assert "Running" not in words


def test_a_figure_has_a_text_and_a_text_has_a_figure() -> None:
    blocks = tuple(
        PythonBlock(
            line=n, section=Section(Path("a.py"), "a", n, "x"), alt=alt
        )
        for n, alt in ((1, None), (2, "A line"), (3, None), (4, "A line"))
    )
    shown = [BlockRecord("", "", figure) for figure in ("", "f", "f", "")]
    record = replace(NOTHING, blocks=shown)
    errors = missing_alts(Program(Path("docs/p.md"), blocks), record)
    assert [str(error) for error in errors] == [
        'docs/p.md:3: a.py:3: section "a" draws a figure without a text that '
        'says what it shows\n  mend: add alt="…" to the fence',
        'docs/p.md:4: a.py:4: section "a" draws no figure but the fence has '
        "alt=\n  mend: remove alt=, or let the section draw and plt.show()",
    ]


def test_editing_prose_runs_nothing(built: Scratch) -> None:
    built.replace("docs/index.md", "We count.", "Now we count to two.")
    code, words = built.build()
    assert code == 0
    assert "Running" not in words
    html = (built.root / "site/index.html").read_text()
    assert "Now we count to two." in html


def add_other(built: Scratch) -> None:
    """Build the project with another page beside its one."""
    built.write("snippets/other.py", "# region a\nx = 1\n# endregion a\n")
    built.write(
        "docs/other.md",
        '# Other\n\n```python run="snippets/other.py:a"\n```\n',
    )
    assert built.build()[0] == 0


def test_editing_a_section_runs_only_the_pages_that_show_it(
    built: Scratch,
) -> None:
    add_other(built)
    built.replace("snippets/other.py", "x = 1", "x = 2")
    code, words = built.build()
    assert code == 0
    assert "Running docs/other.md" in words
    assert RAN not in words


def test_moving_a_section_down_its_file_runs_nothing(built: Scratch) -> None:
    built.replace("snippets/count.py", '"""A module."""', '"""A\nmodule.\n"""')
    code, words = built.build()
    assert code == 0
    assert RAN not in words


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda s: s[: len(s) // 2], id="cut off"),
        pytest.param(lambda s: "", id="empty"),
        pytest.param(lambda s: "[1, 2]", id="not a record"),
        pytest.param(
            lambda s: s.replace('"values"', '"figures"'), id="other fields"
        ),
        *(
            pytest.param(
                lambda s, field=field, other=other: json.dumps(
                    {**json.loads(s), field: other}
                ),
                id=f"{field} is {other}",
            )
            for field, other in (
                ("values", "text"),
                ("values", [2]),
                ("modules", {"math": 3}),
                ("modules", []),
                ("stamp", None),
                ("seconds", "9"),
                ("blocks", [{"output": 1, "error": "", "figure": ""}] * 2),
            )
        ),
    ],
)
def test_a_damaged_record_is_said_and_made_again(
    built: Scratch, change: object
) -> None:
    assert callable(change)
    record = built.root / RECORD
    whole = json.loads(record.read_text())
    record.write_text(change(record.read_text()))
    code, words = built.build()
    assert code == 0
    assert "The record index.json is damaged or of another version" in words
    assert RAN in words
    healed = json.loads(record.read_text())
    assert {**healed, "seconds": 0} == {**whole, "seconds": 0}


def test_a_fault_in_one_page_costs_the_others_no_record(
    built: Scratch,
) -> None:
    add_other(built)
    site = built.digest("site")
    kept = (built.root / RECORD).read_text()
    built.replace("snippets/count.py", "total = ", "total = 1 + ")
    built.replace("snippets/other.py", "x = 1", "x = y")
    code, words = built.build()
    assert code == 1
    assert "docs/other.md:3: " in words
    assert built.digest("site") == site
    assert (built.root / RECORD).read_text() != kept
    built.replace("snippets/other.py", "x = y", "x = 2")
    code, words = built.build()
    assert code == 0
    assert RAN not in words


def test_a_second_build_is_told_to_wait(built: Scratch) -> None:
    before = built.digest()
    with BuildLock(built.root / ".cache").held():
        code, words = built.build()
    assert code == 1
    assert "another build is running in this folder" in words
    assert "\n  mend: wait" in words
    assert built.digest() == before
    assert built.build()[0] == 0


def test_a_build_may_ask_again_for_its_own_lock(tmp_path: Path) -> None:
    lock = BuildLock(tmp_path)
    with lock.held(), lock.held():
        pass
    with BuildLock(tmp_path).held():
        pass


def program(*codes: str) -> Program:
    module = Path("snippets/a.py")
    blocks = [
        PythonBlock(line=3, section=Section(module, f"s{n}", 1, code))
        for n, code in enumerate(codes)
    ]
    return Program(Path("docs/deep/a.md"), (*blocks, Value(9, "x")))


ONE = program("import numpy", "def f():\n    import sklearn.datasets as d")
RUNS: list[StepRun] = [
    BlockRun(b"10%\r100%\n", None, (), 0),
    BlockRun(b"", None, (), 0),
    ValueRun("2"),
]


def made(one: Program = ONE, names: dict[str, str] | None = None) -> Record:
    return make_record(one, RUNS, 1.26, names or {})


def test_a_record_holds_what_blocks_printed_and_values_came_to() -> None:
    record = made()
    assert [block.output for block in record.blocks] == ["100%\n", ""]
    assert record.values == ["2"]
    assert record.seconds == 1.3


def test_a_record_names_all_that_is_imported_and_what_that_needs() -> None:
    record = made()
    assert record.modules == {"numpy": ["numpy"], "sklearn": ["scikit-learn"]}
    for name in ("numpy", "scikit-learn", "scipy", "joblib"):
        assert record.versions[name] == version(name)
    assert "matplotlib" not in record.versions


@pytest.mark.parametrize(
    "code",
    [
        "import importlib as i\ndef f(): i.import_module('scipy.linalg')",
        "from importlib import import_module\nimport_module('scipy')",
        "__import__('scipy')",
    ],
)
def test_a_module_may_be_imported_by_a_string(code: str) -> None:
    others = "import_module(f'{x}'), __import__(), f()('numpy')"
    one = program(code, others, "import_module('.x')")
    assert versions.imported(one) == ["scipy"]


@pytest.mark.parametrize(
    ("code", "modules"),
    [
        ("python -m scipy.test; python3 -m json.tool\nls -m numpy", ["scipy"]),
        ("python3 -W error -c 'from scipy import linalg'", ["scipy"]),
        ("A=1 pytest -q a.py | cat\necho f2py", ["_pytest"]),
        ("ls && (f2py -h)", ["numpy"]),
    ],
)
def test_a_command_may_run_a_module(code: str, modules: list[str]) -> None:
    section = Section(Path(), "", 1, code)
    one = Program(Path("docs/a.md"), (CommandBlock(line=1, section=section),))
    assert versions.imported(one) == modules


def test_the_program_itself_is_no_module_that_may_change() -> None:
    assert versions.imported(program("import __main__", "import scipy")) == [
        "scipy"
    ]


def test_a_page_says_what_it_ran_with() -> None:
    names = {"matplotlib": "Matplotlib", "numpy": "NumPy", "no-such": "No"}
    assert list(made(names=names).stamp.items()) == [
        ("Python", platform.python_version()),
        ("Matplotlib", version("matplotlib")),
        ("NumPy", version("numpy")),
        ("scikit-learn", version("scikit-learn")),
    ]


def test_a_distribution_is_named_once_whatever_its_files_call_it() -> None:
    """TensorFlow for processors alone calls itself tensorflow_cpu."""
    found = versions.distributions(["tensorflow"])["tensorflow"]
    assert found in (["tensorflow"], ["tensorflow-cpu"])


@pytest.fixture
def kept(tmp_path: Path) -> Records:
    """The records of a project, in which there is one."""
    kept = Records(tmp_path, Path("docs"))
    assert kept.seconds(ONE) == float("inf")
    kept.save(ONE, made())
    assert kept.load(ONE) == made()
    return kept


def again(kept: Records) -> Records:
    """Return the records as the next build finds them."""
    return Records(kept.folder, kept.docs)


def test_records_stand_as_their_pages_do(kept: Records) -> None:
    assert (kept.folder / "deep/a.json").exists()
    assert kept.seconds(program("x = 1")) == 1.3


@pytest.mark.parametrize("name", ["numpy", "scipy"])
def test_another_version_of_what_was_needed_makes_a_record_untrue(
    kept: Records, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def other(distribution: str) -> str:
        return "9.9" if distribution == name else version(distribution)

    monkeypatch.setattr(versions, "version", other)
    assert again(kept).load(ONE) is None


def test_a_module_that_was_missing_makes_a_record_untrue_once_it_is_there(
    kept: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = program("try:\n    import brand_new\nexcept ImportError: ...", "")
    kept.save(one, made(one))
    assert again(kept).load(one) == made(one)
    (tmp_path / "brand_new.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert again(kept).load(one) is None


def test_an_edit_of_what_is_installed_to_be_edited_makes_it_untrue(
    kept: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited = '{"dir_info": {"editable": true}}'
    for name, text in {
        "own-1.0.dist-info/METADATA": "Name: own\nVersion: 1.0\n",
        "own-1.0.dist-info/top_level.txt": "own_tools\nown_file\n",
        "own-1.0.dist-info/direct_url.json": edited,
        "own_tools/deep/a.py": "x = 1",
        "own_file.py": "y = 1",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    versions._distributions_of_modules.cache_clear()
    one = program("import own_tools", "")
    kept.save(one, made(one))
    assert again(kept).load(one) == made(one)
    for name in ("own_tools/deep/a.py", "own_file.py"):
        kept.save(one, made(one))
        (tmp_path / name).write_text("x = 2")
        assert again(kept).load(one) is None
    versions._distributions_of_modules.cache_clear()


def test_a_change_of_what_carries_programs_out_makes_a_record_untrue(
    kept: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key, "_engine", lambda: "other")
    assert again(kept).load(ONE) is None


def test_another_python_makes_a_record_untrue(
    kept: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.version", "3.99")
    assert again(kept).load(ONE) is None


@pytest.mark.parametrize(
    ("change", "stays"),
    [
        (lambda fields: fields | {"seconds": 99}, True),
        (lambda fields: fields | {"key": ""}, False),
    ],
)
def test_a_record_is_true_by_its_key(
    kept: Records, change: Any, stays: bool
) -> None:
    path = kept.folder / "deep/a.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    assert (again(kept).load(ONE) is not None) == stays
