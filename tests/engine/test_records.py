"""Records are kept for as long as they are true, and healed."""

import json
from types import SimpleNamespace

import pytest

from engine.project import Project
from engine.records import (
    building,
    kept_record,
    make_record,
    page_versions,
    record_key,
    versions,
)
from tests.engine.scratch import Scratch

RAN = "Running docs/index.md"
RECORD = ".cache/records/index.json"


def test_a_build_with_nothing_changed_runs_nothing(built: Scratch) -> None:
    code, words = built.build()
    assert code == 0
    assert "Running" not in words


def test_the_seconds_of_a_page_are_kept_to_a_tenth(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(monotonic=iter([10.0, 11.26]).__next__)
    monkeypatch.setattr("engine.records.time", clock)
    project = Project(scratch.root)
    assert make_record(project, project.page("index")).seconds == 1.3


def test_editing_prose_runs_nothing(built: Scratch) -> None:
    built.replace("docs/index.md", "We count.", "Now we count to two.")
    code, words = built.build()
    assert code == 0
    assert "Running" not in words
    html = (built.root / "site/index.html").read_text()
    assert "Now we count to two." in html


def test_editing_a_section_runs_only_the_pages_that_show_it(
    built: Scratch,
) -> None:
    built.write("snippets/other.py", "# region a\nx = 1\n# endregion a\n")
    built.write(
        "docs/other.md",
        '# Other\n\n```python run="snippets/other.py:a"\n```\n',
    )
    assert built.build()[0] == 0
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


def test_a_record_of_another_version_is_made_again(
    built: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "engine.records.versions", lambda: {"TensorFlow": "9.9"}
    )
    project = Project(built.root)
    assert kept_record(project, project.page("index")) is None


def test_a_change_of_the_engine_makes_records_untrue(
    built: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project(built.root)
    page = project.page("index")
    assert kept_record(project, page) is not None
    monkeypatch.setattr("engine.records.engine_digest", lambda: "other")
    assert kept_record(project, page) is None


def test_the_key_depends_on_what_the_page_says_of_an_error(
    built: Scratch,
) -> None:
    key = record_key(Project(built.root).page("index"))
    built.replace(
        "docs/index.md", 'py:count"', 'py:count" raises="ValueError"'
    )
    assert record_key(Project(built.root).page("index")) != key


def test_a_fault_in_one_page_leaves_the_records_of_all(
    built: Scratch,
) -> None:
    built.write("snippets/other.py", "# region a\nx = 1\n# endregion a\n")
    built.write(
        "docs/other.md",
        '# Other\n\n```python run="snippets/other.py:a"\n```\n',
    )
    assert built.build()[0] == 0
    before = built.digest()
    built.replace("snippets/count.py", "total = ", "total = 1 + ")
    built.replace("snippets/other.py", "x = 1", "x = y")
    assert built.build()[0] == 1
    assert built.digest() == before


def test_versions_name_everything_that_pages_run_with() -> None:
    names = ["Python", "TensorFlow", "Keras", "NumPy", "Matplotlib"]
    assert list(versions()) == names
    assert all(version[0].isdigit() for version in versions().values())


def test_a_page_that_imports_more_says_so(scratch: Scratch) -> None:
    project = Project(scratch.root)
    assert "scikit-learn" not in page_versions(project.page("index"))
    scratch.replace("snippets/count.py", "import math", "import sklearn, math")
    page = Project(scratch.root).page("index")
    assert page_versions(page)["scikit-learn"][0].isdigit()


def test_a_second_build_is_told_to_wait(built: Scratch) -> None:
    before = built.digest()
    with building(Project(built.root)):
        code, words = built.build()
    assert code == 1
    assert "another build is running in this folder" in words
    assert "\n  mend: wait" in words
    assert built.digest() == before
    assert built.build()[0] == 0


def test_a_record_holds_what_blocks_printed_and_values_came_to(
    scratch: Scratch,
) -> None:
    project = Project(scratch.root)
    record = make_record(project, project.page("index"))
    assert [block.output for block in record.blocks] == [
        "",
        "number 0\nnumber 1\n",
    ]
    assert record.values == ["2"]
    assert record.versions == versions()
