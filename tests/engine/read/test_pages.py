"""A page is read into its program, as it is rendered."""

from pathlib import Path

import pytest
from mkdocs.utils.meta import get_data

from engine.errors import PageError
from engine.program import (
    CommandBlock,
    FileBlock,
    PythonBlock,
    Section,
    Value,
)
from engine.read.page import Page
from engine.read.snippets import Snippets
from tests.engine.read.site import Site

PATH = Path("docs/page.md")


class Anything(Snippets):
    """Modules that have any section that a page may ask for."""

    def find(self, reference: str) -> Section:
        return Section(Path("snippets/a.py"), reference, 1, "pass")


def read(tmp_path: Path, text: str) -> Page:
    """Read the text as the page's file, without its front matter."""
    file = tmp_path / PATH
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    site = Site(tmp_path, Anything(tmp_path, Path("snippets")))
    body, _ = get_data(text)
    return site.read(body)


def test_blocks_and_values_come_in_page_order(tmp_path: Path) -> None:
    page = read(
        tmp_path,
        '---\ntitle: T\n---\n\n```python run="a"\n```\n\nx is {{ x:.2f }},'
        ' y is {{y}}.\n\n```python run="b" alt="An a"\n```\n',
    )
    a, x, y, b = page.program.steps
    assert isinstance(a, PythonBlock)
    assert (a.line, a.section.name, a.alt) == (5, "a", None)
    assert (x, y) == (Value(8, "x:.2f"), Value(8, "y"))
    assert isinstance(b, PythonBlock)
    assert (b.line, b.alt) == (10, "An a")
    assert page.path == PATH
    assert page.program.path == PATH
    assert page.program.blocks == (a, b)


def test_fences_may_keep_their_tabs(tmp_path: Path) -> None:
    text = '- a\n\n\t```python run="a"\n\t```\n\n\t{{ x }}\n\n```\n\t\n```\n'
    site = Site(tmp_path, Anything(tmp_path, Path("snippets")))
    site.options = {"preserve_tabs": True}
    assert [step.line for step in site.read(text).program.steps] == [3, 6]


def test_fence_options_are_read(tmp_path: Path) -> None:
    (block,) = read(
        tmp_path,
        '```python run="a" raises=\'ValueError\' limit="300"'
        ' fold="As before" hl_lines="1"\n```\n',
    ).program.blocks
    assert isinstance(block, PythonBlock)
    assert block.raises == "ValueError"
    assert block.seconds_allowed == 300.0
    assert block.fold == "As before"


@pytest.mark.parametrize(
    "fence",
    ['``` {.python run="a"}', '~~~ python run="a"', '```py run="a"'],
)
def test_a_fence_may_be_written_as_superfences_has_it(
    tmp_path: Path, fence: str
) -> None:
    page = read(tmp_path, f"{fence}\n{fence[:3]}\n")
    (block,) = page.program.blocks
    assert isinstance(block, PythonBlock)
    assert block.section.name == "a"


def test_lines_from_one_to_another_are_highlighted(tmp_path: Path) -> None:
    fence = '```console hl_lines="{}"\nls\nls\nls\n```\n'
    for lines in ("1-3", "2-3", "3 1-2"):
        (block,) = read(tmp_path, fence.format(lines)).program.blocks
        assert block.code == "ls\nls\nls"
    with pytest.raises(PageError, match='names "2-4"'):
        read(tmp_path, fence.format("2-4"))


def test_the_limit_is_five_minutes_unless_the_page_says(
    tmp_path: Path,
) -> None:
    page = read(tmp_path, '```python run="a"\n```\n\n```console\nls\n```\n')
    python, command = page.program.blocks
    assert python.seconds_allowed == 300.0
    assert command.seconds_allowed == 300.0


def test_a_file_grows_from_block_to_block(tmp_path: Path) -> None:
    program = read(
        tmp_path,
        '```python run="a" file="w.py"\n```\n\n```python run="a"\n```\n\n'
        '```python run="b" file="w.py" fold="More"\n```\n',
    ).program
    first, run, second = program.blocks
    assert isinstance(first, FileBlock)
    assert isinstance(run, PythonBlock)
    assert isinstance(second, FileBlock)
    assert (first.contents, second.contents) == ("pass\n", "pass\n\npass\n")
    assert (first.file, second.file, second.fold) == ("w.py", "w.py", "More")
    assert program.files == {"w.py": "pass\n\npass\n"}


def test_a_file_in_another_language_is_shown_whole(tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text("[1,\n 2]\n")
    (block,) = read(
        tmp_path, '```json source="data.json" file="d.json"\n```\n'
    ).program.blocks
    assert isinstance(block, FileBlock)
    assert block.code == "[1,\n 2]"
    assert block.name == "data.json"
    assert block.contents == "[1,\n 2]\n"
    assert block.language == "json"


def test_a_command_is_the_body_of_its_fence(tmp_path: Path) -> None:
    text = (
        '- item\n\n    ```console exits="3" limit="9"\n'
        "    ls \\\n      -l\n    ```\n"
    )
    (block,) = read(tmp_path, text).program.blocks
    assert isinstance(block, CommandBlock)
    assert (block.line, block.name) == (3, "command")
    assert block.code == "ls \\\n  -l"
    assert (block.exits, block.seconds_allowed) == (3, 9.0)


def test_fences_inside_other_fences_are_text(tmp_path: Path) -> None:
    text = (
        '```python run="b"\n```\n\n'
        '````md\n```python run="a"\n```\n{{ x }}\n````\n\n{{ y }}\n'
    )
    page = read(tmp_path, text)
    block, value = page.program.steps
    assert isinstance(block, PythonBlock)
    assert block.section.name == "b"
    assert value == Value(10, "y")
    assert "{{ x }}" in page.html


def test_fences_may_follow_each_other(tmp_path: Path) -> None:
    fences = '```text\na\n```\n```python run="a"\n```\n'
    page = read(tmp_path, f"```\na\n```\n{fences}Now {{{{ x }}}}.\n")
    block, value = page.program.steps
    assert isinstance(block, PythonBlock)
    assert block.line == 7
    assert value == Value(9, "x")


def test_a_fence_may_stand_in_a_list(tmp_path: Path) -> None:
    text = '- item\n\n    ```python run="a"\n    ```\n'
    page = read(tmp_path, text)
    (block,) = page.program.blocks
    assert block.line == 3
    assert page.html.index("<li>") < page.html.index("data-run")
    assert page.html.index("data-run") < page.html.index("</li>")


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("\n```python\nx = 1\n```\n", 2, "shows Python that is never run"),
        ("```py\nx = 1\n```\n", 1, "shows Python that is never run"),
        ('```python run="a"\nx = 1\n```\n', 1, "has code of its own"),
        ('```python run="a" alts="b"\n```\n', 1, 'option "alts"'),
        ('```python run="a" alt="b\n```\n', 1, "shown as text, and not run"),
        ('``` {python run="a"}\n```\n', 1, 'cannot be run as ""'),
        ('```text run="a"\n```\n', 1, 'cannot be run as "text"'),
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
def test_a_page_that_cannot_be_understood_is_an_error(
    tmp_path: Path, text: str, line: int, problem: str
) -> None:
    with pytest.raises(PageError) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(f"docs/page.md:{line}: ")
    assert problem in str(caught.value)
    assert "\n  mend: " in str(caught.value)


@pytest.mark.parametrize(
    ("above", "lines"),
    [
        ("", 0),
        ("# Title\n\n", 2),
        ("---\ntitle: x\n---\n# Title\n\n", 5),
        ("---\ntitle: x\n...\n\n", 4),
        ("---\ntitle: x\n\n", 3),
        ("# Title\n---\n---\n\n", 4),
    ],
)
def test_lines_are_those_of_the_file_with_its_front_matter(
    tmp_path: Path, above: str, lines: int
) -> None:
    page = read(tmp_path, f'{above}```python run="a"\n```\n\n{{{{ x }}}}\n')
    assert [step.line for step in page.program.steps] == [lines + 1, lines + 4]
