"""A module is read into its sections."""

import warnings
from pathlib import Path

import pytest

from engine.errors import PageError
from engine.program import Section
from engine.read.sections import read_sections

MODULE = Path("snippets/module.py")
GUARD = 'if __name__ == "__main__":\n'


def read(tmp_path: Path, source: str | bytes) -> dict[str, Section]:
    file = tmp_path / MODULE
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(source.encode() if isinstance(source, str) else source)
    return read_sections(tmp_path, MODULE)


def section(tmp_path: Path, source: str | bytes) -> Section:
    return read(tmp_path, source)["a"]


def guarded(code: str) -> str:
    """Return a module whose section, under the guard, holds the code."""
    return f"{GUARD}    pass\n    # region a\n{code}    # endregion a\n"


def test_a_section_is_what_stands_between_its_markers(tmp_path: Path) -> None:
    source = "# region a\nx = 1\ny = 2\n# endregion a\nz = 3\n"
    assert read(tmp_path, source) == {
        "a": Section(MODULE, "a", 2, "x = 1\ny = 2")
    }


def test_an_indented_section_is_dedented_and_keeps_its_lines(
    tmp_path: Path,
) -> None:
    code = "\n    for i in []:\n        print(i)\n   \n      \n    print()\n\n"
    found = section(tmp_path, guarded(code))
    assert found.code == "for i in []:\n    print(i)\n\n\nprint()"
    assert found.line == 5


@pytest.mark.parametrize(
    "markers",
    [
        ("# region a", "# endregion a"),
        ("#region a", "#endregion a"),
        ("#  region  a  ", "# endregion"),
        ("\t# region a", "  # endregion a"),
    ],
)
def test_markers_may_be_written_as_editors_fold_them(
    tmp_path: Path, markers: tuple[str, str]
) -> None:
    source = f"{markers[0]}\nx = 1\n{markers[1]}\n"
    assert section(tmp_path, source).code == "x = 1"


def test_a_name_may_be_any_text(tmp_path: Path) -> None:
    source = (
        "# region Train loop – 訓練\nx = 1\n# endregion Train loop – 訓練\n"
    )
    assert list(read(tmp_path, source)) == ["Train loop – 訓練"]


@pytest.mark.parametrize(
    "source",
    [
        '"""\n# region a\n"""\n',
        'x = "\\\n# region a"\n',
        "x = 1  # region a\n",
        "# regional data\n",
        "# region: north\n",
        "# a region a\n",
    ],
)
def test_what_is_no_comment_of_its_own_marks_nothing(
    tmp_path: Path, source: str
) -> None:
    assert read(tmp_path, source) == {}


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ('    t = """\nleft\n    in\n"""\n', 't = """\nleft\n    in\n"""'),
        ('    t = """\n    in\n    """\n', 't = """\n    in\n    """'),
        ("    t = f'''\n    {1}\n\n'''\n", "t = f'''\n    {1}\n\n'''"),
        ('    t = "a\\\n    b"\n', 't = "a\\\n    b"'),
        (
            '    t = ("""\n  a\n""",\n        1)\n',
            't = ("""\n  a\n""",\n    1)',
        ),
    ],
)
def test_strings_keep_their_value(
    tmp_path: Path, code: str, shown: str
) -> None:
    found = section(tmp_path, guarded(code))
    assert found.code == shown
    values: list[dict[str, object]] = [{"__name__": "__main__"}, {}]
    exec((tmp_path / MODULE).read_text(), values[0])
    exec(found.code, values[1])
    assert values[0]["t"] == values[1]["t"]


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("# note\n    x = 1\n", "# note\nx = 1"),
        ("      # note\n    x = 1\n", "  # note\nx = 1"),
        ("    # note\n      # more\n", "# note\n  # more"),
        ("\n    x = 1; y = 2\n\f\n    z = 3\n", "x = 1; y = 2\n\nz = 3"),
    ],
)
def test_comments_may_stand_left_of_the_margin(
    tmp_path: Path, code: str, shown: str
) -> None:
    found = section(tmp_path, guarded(code))
    assert found.code == shown


def test_tabs_are_dedented(tmp_path: Path) -> None:
    source = f"{GUARD}\t# region a\n\tif 1:\n\t\tx = 1\n\t# endregion a\n"
    found = section(tmp_path, source)
    assert found.code == "if 1:\n\tx = 1"


def test_a_method_of_a_class_is_dedented(tmp_path: Path) -> None:
    code = "    @property\n    def f(self):\n        return 1\n"
    source = f"class A:\n    # region a\n{code}    # endregion a\n"
    shown = "@property\ndef f(self):\n    return 1"
    assert section(tmp_path, source).code == shown


@pytest.mark.parametrize(
    "above",
    ["x = '\u2028 \x85 \x1c'\n", "x = '\x0b'\n\f", "x = 1\r\n", "x = 1\r"],
)
def test_only_newlines_end_lines(tmp_path: Path, above: str) -> None:
    found = section(tmp_path, f"{above}# region a\ny = 1\r\n# endregion a\n")
    assert (found.line, found.code) == (3, "y = 1")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1", "utf-8"])
def test_files_are_read_as_python_reads_them(
    tmp_path: Path, encoding: str
) -> None:
    cookie = f"# coding: {encoding.removesuffix('-sig')}\n"
    source = f"{cookie}# region a\nx = 'é'\n# endregion a\n"
    found = section(tmp_path, source.encode(encoding))
    assert (found.line, found.code) == (3, "x = 'é'")


@pytest.mark.parametrize(
    ("source", "line", "problem"),
    [
        ("# region a\nx = 1\n", 1, 'section "a" is not closed'),
        ("x = 1\n# endregion a\n", 2, 'section "a" is closed but not open'),
        ("# region a\nx = 1\n# endregion b\n", 3, '"b" is closed but not'),
        ("x = 1\n# endregion\n", 2, 'section "NAME" is closed but not open'),
        ("x = 1\n# region\n", 2, "a section is opened without a name"),
        (
            "# region a\n# region b\nx = 1\n# endregion b\n# endregion a\n",
            2,
            'section "b" is opened inside section "a" of line 1',
        ),
        (
            "# region a\nx = 1\n# endregion a\n"
            "# region a\ny = 1\n# endregion a\n",
            4,
            'section "a" is opened twice, first for line 2',
        ),
        ("# region a\n\n# endregion a\n", 1, 'section "a" is empty'),
    ],
)
def test_markers_that_do_not_fit_are_errors(
    tmp_path: Path, source: str, line: int, problem: str
) -> None:
    assert_refused(tmp_path, source, line, problem)


@pytest.mark.parametrize(
    ("source", "line", "problem"),
    [
        ("x = 1\nx = = 1\n", 2, "not valid Python: invalid syntax"),
        ("\f\nx = '\u2028'\nx = =\n", 3, "not valid Python: invalid syntax"),
        ("\nawait f()\n", 2, "'await' outside function"),
        ("\nreturn 1\n", 2, "'return' outside function"),
        ("x = 1\n\n\ufeffy = 2\n", 3, "non-printable character U+FEFF"),
        (b"x = 1\ny = '\xff'\n", 2, "can't decode byte 0xff"),
        ("# coding: nowhere\n", 1, "unknown encoding: nowhere"),
        ("x = 1\n\0\n", 2, "null bytes"),
        (
            "# region a\nx = (\n# endregion a\n1)\n",
            2,
            "section \"a\" is not Python by itself: '(' was never closed",
        ),
        (
            f"{GUARD}    pass\n    # region a\n    if 1:\n    # endregion a\n"
            "        pass\n",
            4,
            "expected an indented block after 'if' statement on line 4",
        ),
        (
            "if 1:\n    # region a\n    x = 1\n# endregion a\n"
            "    # region b\n    if 1:\n        x = 1\n\n"
            "    else:\n        # endregion b\n        x = 2\n",
            9,
            'section "b" is not Python by itself',
        ),
        (
            "if 1:\n    if 2:\n        # region a\n        x = 1\n"
            "    y = 2\n    # endregion a\n",
            4,
            'section "a" is not Python by itself: unexpected indent',
        ),
    ],
)
def test_what_is_not_python_is_an_error(
    tmp_path: Path, source: str | bytes, line: int | None, problem: str
) -> None:
    assert_refused(tmp_path, source, line, problem)


def assert_refused(
    tmp_path: Path, source: str | bytes, line: int | None, problem: str
) -> None:
    with pytest.raises(PageError) as caught:
        read(tmp_path, source)
    assert (caught.value.path, caught.value.line or None) == (MODULE, line)
    assert problem in caught.value.problem
    assert caught.value.hint


def test_a_warning_of_the_compiler_is_left_to_the_run(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = section(tmp_path, "# region a\nx = '\\d'\n# endregion a\n")
    assert found.code == "x = '\\d'"
