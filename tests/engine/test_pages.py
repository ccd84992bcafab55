"""A page is read into its program."""

from pathlib import Path

import pytest

from engine.blocks import Block, Value
from engine.errors import Fault
from engine.pages import Page, front_matter_end, parts, read_page
from engine.sections import Section

PATH = Path("docs/page.md")


def find(reference: str, path: Path, line: int) -> Section:
    return Section(Path("snippets/a.py"), reference, 1, "pass")


def read(tmp_path: Path, text: str) -> Page:
    file = tmp_path / PATH
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return read_page(tmp_path, PATH, find)


def test_blocks_and_values_come_in_page_order(tmp_path: Path) -> None:
    page = read(
        tmp_path,
        '---\ntitle: T\n---\n\n```python run="a"\n```\n\nx is {{ x:.2f }},'
        ' y is {{y}}.\n\n```python run="b" alt="An a"\n```\n',
    )
    a, x, y, b = page.steps
    assert isinstance(a, Block)
    assert (a.line, a.end, a.section.name, a.alt) == (5, 6, "a", None)
    assert (x, y) == (Value(8, "x:.2f"), Value(8, "y"))
    assert isinstance(b, Block)
    assert b.alt == "An a"
    assert page.blocks == (a, b)
    assert page.values == (x, y)


def test_fence_options_are_read(tmp_path: Path) -> None:
    (block,) = read(
        tmp_path,
        '```python run="a" raises=\'ValueError\' limit="300"'
        ' fold="As before" hl_lines="1 2"\n```\n',
    ).blocks
    assert block.raises == "ValueError"
    assert block.seconds_allowed == 300.0
    assert block.fold == "As before"


def test_the_limit_is_two_minutes_unless_the_page_says(
    tmp_path: Path,
) -> None:
    (block,) = read(tmp_path, '```python run="a"\n```\n').blocks
    assert block.seconds_allowed == 120.0


def test_a_file_grows_from_block_to_block(tmp_path: Path) -> None:
    page = read(
        tmp_path,
        '```python run="a" file="w.py"\n```\n\n```python run="a"\n```\n\n'
        '```python run="b" file="w.py" fold="More"\n```\n',
    )
    first, run, second = page.blocks
    assert (first.contents, second.contents) == ("pass\n", "pass\n\npass\n")
    assert (first.file, run.file, second.fold) == ("w.py", None, "More")
    assert [block.file for block in page.blocks] == ["w.py", None, "w.py"]
    assert not any(block.is_command for block in page.blocks)
    assert page.files == {"w.py": "pass\n\npass\n"}


def test_a_file_in_another_language_is_shown_whole(tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text("[1,\n 2]\n")
    (block,) = read(
        tmp_path, '```json source="data.json" file="d.json"\n```\n'
    ).blocks
    assert block.section.code == "[1,\n 2]"
    assert block.section.reference == "data.json"
    assert block.contents == "[1,\n 2]\n"
    assert block.language == "json"


def test_a_command_is_the_body_of_its_fence(tmp_path: Path) -> None:
    text = (
        '- item\n\n    ```console exits="3" limit="9"\n'
        "    ls \\\n      -l\n    ```\n"
    )
    (block,) = read(tmp_path, text).blocks
    assert block.section.code == "ls \\\n  -l"
    assert (block.is_command, block.file) == (True, None)
    assert (block.exits, block.seconds_allowed) == (3, 9.0)


def test_fences_inside_other_fences_are_text() -> None:
    text = '````md\n```python run="a"\n```\n{{ x }}\n````\n\n{{ y }}\n'
    fence, value = parts(text)
    assert not isinstance(fence, Value)
    assert fence.info == "md"
    assert value == Value(7, "y")


def test_fences_may_follow_each_other(tmp_path: Path) -> None:
    fences = '```text\na\n```\n```python run="a"\n```\n'
    page = read(tmp_path, f"```\na\n```\n{fences}Now {{{{ x }}}}.\n")
    block, value = page.steps
    assert isinstance(block, Block)
    assert (block.line, block.end) == (7, 8)
    assert value == Value(9, "x")


def test_an_indented_fence_keeps_its_indent(tmp_path: Path) -> None:
    text = '- item\n\n    ```python run="a"\n    ```\n'
    (block,) = read(tmp_path, text).blocks
    assert block.indent == "    "
    assert (block.line, block.end) == (3, 4)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("\n```python\nx = 1\n```\n", 2, "shows Python that is never run"),
        ("```py\nx = 1\n```\n", 1, "cannot read the fence"),
        ('```python run="a"\nx = 1\n```\n', 1, "has code of its own"),
        ('```python run="a" alts="b"\n```\n', 1, 'option "alts"'),
        ('```python run="a" alt="b\n```\n', 1, 'options from `alt="b`'),
        ('``` {.python run="a"}\n```\n', 1, "options from `}`"),
        ('```python run="a" limit="long"\n```\n', 1, "number of seconds"),
        (
            '```python run="a"\n```\n\n```python run="a"\n```\n',
            4,
            "shown twice, first on line 1",
        ),
        ("The {{ loss }}.\n", 1, "before the first block"),
        ("```console\n\n```\n", 1, "without a command"),
        ('```console exits="x"\nls\n```\n', 1, "is not an exit code"),
        ('```console limit="x"\nls\n```\n', 1, "number of seconds"),
        ('```console raises="E"\nls\n```\n', 1, 'option "raises"'),
        ('```python file="a.py"\n```\n', 1, "is made of sections"),
        (
            '```python source="a.txt" file="a.py"\n```\n',
            1,
            "is made of sections",
        ),
        ('```python run="a" file="../a.py"\n```\n', 1, "not the name of a"),
        (
            '```python run="a" file="a.py" raises="E"\n```\n',
            1,
            'option "raises"',
        ),
        ('```json source="a.json"\n```\n', 1, "is not the name of a file"),
        (
            '```json source="a.json" file="a.json"\n```\n',
            1,
            "no file a.json in the project",
        ),
        (
            '```json source="../page.md" file="a.json"\n```\n',
            1,
            "no file ../page.md in the project",
        ),
        (
            '```toml source="docs/page.md" file="a.toml"\n```\n',
            1,
            'cannot be shown as "toml"',
        ),
        (
            '```json source="docs/page.md" file="a.json"\n{}\n```\n',
            1,
            "has code of its own",
        ),
        (
            '```python run="a" file="a.py"\n```\n\n'
            '```python run="a" file="a.py"\n```\n',
            4,
            "shown twice, first on line 1",
        ),
    ],
)
def test_a_page_that_cannot_be_understood_is_a_fault(
    tmp_path: Path, text: str, line: int, problem: str
) -> None:
    with pytest.raises(Fault) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(f"docs/page.md:{line}: ")
    assert problem in str(caught.value)
    assert "\n  mend: " in str(caught.value)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", 0),
        ("# Title\n", 0),
        ("---\ntitle: x\n---\n# Title\n", 3),
        ("---\ntitle: x\n...\n", 3),
        ("---\ntitle: x\n", 0),
        ("# Title\n---\n---\n", 0),
    ],
)
def test_front_matter_is_what_two_marks_enclose(text: str, lines: int) -> None:
    assert front_matter_end(text.splitlines()) == lines
