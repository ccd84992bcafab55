"""What a page prints and draws is kept, and a change of it is told."""

import re
from pathlib import Path

import pytest

from tests.engine.scratch import REPOSITORY, Scratch
from tools.expected import Item, main, read, write

KEPT = "tests/expected/index.txt"
DRAW = "import matplotlib.pyplot as p; p.plot([1, 2, {}]); p.show()"


def expected(built: Scratch, *arguments: str) -> tuple[int, str]:
    """Run the command; return its code and its last words."""
    built.capsys.readouterr()
    code = main(["--root", str(built.root), *arguments])
    captured = built.capsys.readouterr()
    return code, captured.out + captured.err


@pytest.fixture
def kept(built: Scratch) -> Scratch:
    """A built project whose expected text has been written."""
    code, words = expected(built, "--write")
    assert (code, words) == (0, f"Changed: {KEPT}\n")
    return built


def test_what_is_kept_can_be_read(kept: Scratch) -> None:
    assert (kept.root / KEPT).read_text() == (
        "numbers agree within 0.001\n\n"
        "── snippets/count.py:setup\n\n"
        "── snippets/count.py:count\n    number 0\n    number 1\n\n"
        "── {{ total }}\n    2\n"
    )
    code, words = expected(kept)
    assert code == 0
    assert words == "Every page prints and draws what is kept of it.\n"


def test_a_changed_output_names_page_and_line_old_and_new(
    kept: Scratch,
) -> None:
    kept.replace("snippets/count.py", '"number", number', '"no.", number')
    code, words = expected(kept)
    assert code == 1
    assert (
        "docs/index.md:8: snippets/count.py:count\n"
        "  was number 0\n  was number 1\n  is  no. 0\n  is  no. 1\n"
    ) in words
    assert words.count("mend: ") == 1
    assert "make expected" in words


def test_only_the_lines_that_changed_are_shown(kept: Scratch) -> None:
    kept.replace("snippets/count.py", "number)", "number * 1.5)")
    kept.replace("snippets/count.py", "range(total)", "range(0, total)")
    words = expected(kept)[1]
    assert "was number 1\n  is  number 1.5\n" in words


def test_a_changed_value_names_its_line(kept: Scratch) -> None:
    kept.replace("docs/index.md", "{{ total }}", "{{ total:.1f }}")
    kept.replace("docs/index.md", "{{ total:.1f }}", "{{ total }}")
    path = kept.root / KEPT
    path.write_text(path.read_text().replace("    2\n", "    3\n"))
    words = expected(kept)[1]
    assert "docs/index.md:11: {{ total }}\n  was 3\n  is  2\n" in words


def test_prose_may_move_everything(kept: Scratch) -> None:
    kept.replace("docs/index.md", "We count.", "We\n\ncount,\n\nand more.")
    assert expected(kept)[0] == 0


def test_a_block_that_came_and_one_that_went(kept: Scratch) -> None:
    kept.replace("docs/index.md", "{{ total }}", "{{ total + 1 }}")
    words = expected(kept)[1]
    assert "docs/index.md: no longer has {{ total }}\n" in words
    assert "docs/index.md:11: new: {{ total + 1 }}\n" in words


def test_numbers_agree_within_what_the_page_states(kept: Scratch) -> None:
    path = kept.root / KEPT
    kept.replace("docs/index.md", "{{ total }}", "{{ total / 7 }}")
    assert expected(kept, "--write")[0] == 0
    text = path.read_text()
    off = re.sub(r"0\.2857\d+", "0.2866", text)
    assert off != text
    path.write_text(off)
    assert expected(kept)[0] == 1
    path.write_text(off.replace("within 0.001", "within 0.01"))
    assert expected(kept)[0] == 0


def test_writing_keeps_the_stated_tolerance_and_what_agrees(
    kept: Scratch,
) -> None:
    path = kept.root / KEPT
    path.write_text(path.read_text().replace("within 0.001", "within 0.25"))
    assert expected(kept, "--write") == (0, "Changed: nothing\n")
    kept.replace("snippets/count.py", '"number", number', '"no.", number')
    assert expected(kept, "--write")[0] == 0
    assert path.read_text().startswith("numbers agree within 0.25\n")


@pytest.mark.parametrize(
    ("new", "told"),
    [
        (DRAW.format("3.0001"), ""),
        (DRAW.format("3.1"), "  was     y: 1.0000, 2.0000, 3.0000\n"),
        ("import matplotlib.pyplot as p; p.plot([1]); p.show()", "points\n"),
        (DRAW.format("3") + "; p.close()", ""),
        (
            DRAW.format("3").replace("p.show", "p.xlabel('epoch'); p.show"),
            "  is    x: 'epoch', ",
        ),
    ],
)
def test_figures_are_compared_by_the_data_they_draw(
    built: Scratch, new: str, told: str
) -> None:
    old = DRAW.format("3")
    built.replace("snippets/count.py", "total = ", f"{old}\n    total = ")
    built.replace("docs/index.md", 'count"\n', 'count" alt="A line"\n')
    assert expected(built, "--write")[0] == 0
    assert (
        "      y: 1.0000, 2.0000, 3.0000\n" in (built.root / KEPT).read_text()
    )
    built.replace("snippets/count.py", old, new)
    code, words = expected(built)
    assert code == (1 if told else 0), words
    assert told in words


def test_a_page_without_a_text_and_a_text_without_a_page(
    kept: Scratch,
) -> None:
    path = kept.root / KEPT
    path.rename(path.with_name("gone.txt"))
    words = expected(kept)[1]
    assert "docs/index.md: has nothing kept in tests/expected/\n" in words
    assert "tests/expected/gone.txt: has no page\n" in words
    assert expected(kept, "--write")[0] == 0
    assert [file.name for file in path.parent.iterdir()] == ["index.txt"]


def test_a_page_that_fails_is_said_once(kept: Scratch) -> None:
    kept.replace("snippets/count.py", "math.floor", "math.flor")
    code, words = expected(kept)
    assert code == 1
    assert "AttributeError" in words
    assert words.count("mend: ") == 1


def test_what_a_block_prints_cannot_pass_for_a_heading() -> None:
    found = [Item("a", "── b\n\n    text"), Item("b", ""), Item("a", "1.5")]
    assert read(write(found, 0.01)) == found


def test_the_pages_print_and_draw_what_is_kept_of_them(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--root", str(REPOSITORY)]) == 0, capsys.readouterr().err
