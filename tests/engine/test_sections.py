"""A module is read into its sections."""

from pathlib import Path

import pytest

from engine.errors import Fault
from engine.sections import Section, read_sections

MODULE = Path("snippets/module.py")


def read(tmp_path: Path, source: str) -> dict[str, Section]:
    file = tmp_path / MODULE
    file.parent.mkdir(exist_ok=True)
    file.write_text(source, encoding="utf-8")
    return read_sections(tmp_path, MODULE)


def test_a_section_is_what_stands_between_its_markers(tmp_path: Path) -> None:
    source = "# region a\nx = 1\ny = 2\n# endregion a\nz = 3\n"
    assert read(tmp_path, source) == {
        "a": Section(MODULE, "a", 2, "x = 1\ny = 2")
    }


def test_an_indented_section_is_dedented_and_keeps_its_lines(
    tmp_path: Path,
) -> None:
    source = (
        'if __name__ == "__main__":\n'
        "    # region a\n"
        "\n"
        "    for i in range(2):\n"
        "        print(i)\n"
        "\n"
        "    # endregion a\n"
    )
    section = read(tmp_path, source)["a"]
    assert section.code == "for i in range(2):\n    print(i)"
    assert section.line == 4
    assert section.indent == 4


def test_a_section_knows_how_fences_call_it(tmp_path: Path) -> None:
    sections = read(tmp_path, "# region a-b\nx = 1\n# endregion a-b\n")
    assert sections["a-b"].reference == "snippets/module.py:a-b"


@pytest.mark.parametrize(
    ("source", "line", "problem"),
    [
        ("# region a\nx = 1\n", 1, 'section "a" is not closed'),
        ("x = 1\n# endregion a\n", 2, 'section "a" is closed but not open'),
        (
            "# region a\n# region b\nx = 1\n# endregion b\n# endregion a\n",
            2,
            'section "b" is opened inside section "a"',
        ),
        (
            "# region a\nx = 1\n# endregion a\n"
            "# region a\ny = 1\n# endregion a\n",
            4,
            'section "a" is opened twice',
        ),
        ("# region a\n\n# endregion a\n", 1, 'section "a" is empty'),
        ("x = = 1\n", 1, "not valid Python"),
    ],
)
def test_markers_that_do_not_fit_are_faults(
    tmp_path: Path, source: str, line: int, problem: str
) -> None:
    with pytest.raises(Fault) as caught:
        read(tmp_path, source)
    assert str(caught.value).startswith(f"snippets/module.py:{line}: ")
    assert problem in str(caught.value)
    assert "\n  mend: " in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        "print('hello')",
        "history = train(model)",
        "for epoch in range(3):\n    pass",
        "x: int = f()",
        "class A:\n    rows = load()",
        "if True:\n    pass",
        "with open('x') as f:\n    pass",
    ],
)
def test_a_module_that_acts_on_import_is_a_fault(
    tmp_path: Path, source: str
) -> None:
    with pytest.raises(Fault, match="runs when the module is imported"):
        read(tmp_path, source)


@pytest.mark.parametrize(
    "source",
    [
        '"""Words."""\nimport os\nfrom os import path',
        "A, B = 1.0, 'b'\nC: int = 3",
        "def f():\n    return g()",
        "class A(B):\n    '''Words.'''\n    x = 1\n    def f(self): g()",
        'if __name__ == "__main__":\n    train()',
    ],
)
def test_a_module_that_defines_things_is_read(
    tmp_path: Path, source: str
) -> None:
    assert read(tmp_path, source) == {}
