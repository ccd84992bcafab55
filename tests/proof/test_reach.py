"""The tests that can notice a change are found, in a good order."""

import pytest

from proof.reach import Reach, is_story, statement

CODE = """\
import math

LIMIT = 3


@cache
def area(
    radius,
):
    if radius > LIMIT:
        return (
            math.pi
            * radius
        )
    return 0


if __name__ == "__main__":
    print(area(2))
"""


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        (1, range(1, 2)),
        (6, range(6, 10)),
        (8, range(6, 10)),
        (10, range(10, 11)),
        (12, range(11, 15)),
        (15, range(15, 16)),
        (19, range(19, 20)),
    ],
)
def test_the_lines_of_a_statement_belong_together(
    line: int, lines: range
) -> None:
    assert statement(CODE, line) == lines


def test_the_story_is_what_runs_as_a_script_only() -> None:
    assert [is_story(CODE, n) for n in (15, 17, 18)] == [False, False, True]
    assert not is_story("a = 1\n", 1)


@pytest.fixture
def reach() -> Reach:
    """What two files of tests and two pages reach."""
    known = Reach()
    known.add_tests(
        "t/test_a.py",
        {
            "seconds": {"t/test_a.py::slow": 3.0, "t/test_a.py::quick": 0.1},
            "lines": {
                "area.py": {
                    "3": ["t/test_a.py::slow"],
                    "10": ["t/test_a.py::quick", "t/test_a.py::slow"],
                    "11": ["t/test_a.py::slow"],
                },
            },
        },
    )
    known.add_tests(
        "t/test_b.py",
        {
            "seconds": {"t/test_b.py::other": 1.0},
            "lines": {"area.py": {"10": ["t/test_b.py::other"]}},
        },
    )
    known.add_page("long", {"area.py", "more.py"}, 9.0)
    known.add_page("short", {"area.py"}, 2.0)
    return known


def test_the_quickest_test_that_reaches_a_line_is_first(reach: Reach) -> None:
    assert reach.tests_of("area.py", CODE, 10) == [
        "t/test_a.py::quick",
        "t/test_b.py::other",
        "t/test_a.py::slow",
    ]


def test_a_line_is_reached_if_its_statement_is(reach: Reach) -> None:
    assert reach.tests_of("area.py", CODE, 13) == ["t/test_a.py::slow"]


def test_whole_files_stand_for_what_runs_at_import(reach: Reach) -> None:
    assert reach.tests_of("area.py", CODE, 3) == [
        "t/test_a.py::quick",
        "t/test_a.py::slow",
    ]


def test_the_tests_of_a_module_are_first(reach: Reach) -> None:
    reach.lines["snippets/b.py"] = reach.lines["area.py"]
    assert reach.tests_of("snippets/b.py", CODE, 10) == [
        "t/test_b.py::other",
        "t/test_a.py::quick",
        "t/test_a.py::slow",
    ]


def test_what_nothing_reaches_has_neither_tests_nor_pages(
    reach: Reach,
) -> None:
    assert reach.tests_of("area.py", CODE, 15) == []
    assert reach.tests_of("none.py", CODE, 10) == []
    assert reach.pages_of("none.py") == []


def test_the_quickest_page_that_shows_a_file_is_first(reach: Reach) -> None:
    assert reach.pages_of("area.py") == ["short", "long"]
    assert reach.pages_of("more.py") == ["long"]
