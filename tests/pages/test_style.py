"""The site's own checks: what they find, and that its pages keep to them."""

import shutil

import pytest

from engine.__main__ import main
from tests.conftest import REPOSITORY
from tests.engine.scratch import Scratch
from tools.style import RULES

CHECKS = "  - engine.extension: {checks: [tools.checks:style]}\n"
DRIFT = CHECKS.replace("style", "drift")
ALT = "A rising line, first steep, then flatter"
FRONT = f"---\ndescription: {'Counts up to two. ' * 3}\n---\n\n"
PAGE = f"""\
{FRONT}# Counting

You can count at the end. You need nothing.

```python run="snippets/draw.py:setup"
```

## How

```python run="snippets/draw.py:count" alt="{ALT}"
```
"""
SNIPPET = """\
# region setup
import math

# endregion setup

if __name__ == "__main__":
    # region count
    print(math.pi)
    # endregion count
"""
HOME = f"""\
{FRONT}# Home

1. [Page 0](page0.md) The
   first.
2. [Page 1](page1.md) Another.
3. [Page 2](page2.md) Another.
4. [Page 3](page3.md) Another.
5. [Page 4](page4.md) Another.
6. [Page 5](page5.md) Another.
7. [Page 6](page6.md) Another.
"""
FILE = """\
```python run="snippets/file.py:one" file="file.py"
```

```python run="snippets/file.py:two" file="file.py"
```

## How
"""
PIECES = """\
# region one
one = 1
# endregion one

# region two
import math
# endregion two
"""
FIRST = "    print(math.pi)\n"
SIGNATURE = """\
    def add(
        a: int, b: int, c: int
    ) -> int:
        \"\"\"Return a.\"\"\"
"""
LONG_SIGNATURE = SIGNATURE.replace(", ", ",\n        ")
WIDE = f"    print('{'x' * 72}')\n"


@pytest.fixture
def styled(scratch: Scratch) -> Scratch:
    """A site in which the checks have nothing to find."""
    (scratch.root / "snippets/count.py").unlink()
    scratch.replace("mkdocs.yml", "  - engine.extension\n", CHECKS)
    scratch.write("snippets/draw.py", SNIPPET)
    scratch.write("docs/index.md", HOME)
    scratch.write("docs/count.md", PAGE)
    for number in range(7):
        text = FRONT + f"# Page {number}\n\nYou learn it. You need time.\n"
        scratch.write(f"docs/page{number}.md", text)
    return scratch


def test_nothing_is_found_where_all_is_right(styled: Scratch) -> None:
    assert styled.engine("check")[0] == 0


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        (
            "snippets/draw.py",
            FIRST,
            FIRST * 16,
            "docs/count.md:14: snippets/draw.py:8 has 16 lines\n"
            "  mend: make sections of it, of at most 15 lines\n",
        ),
        (
            "snippets/draw.py",
            FIRST,
            FIRST + WIDE,
            "docs/count.md:14: snippets/draw.py:9 is 81 columns wide\n",
        ),
        (
            "snippets/draw.py",
            FIRST,
            f"{LONG_SIGNATURE}        a = b = c\n        return a\n{FIRST}",
            "docs/count.md:14: add has a signature of 5 lines\n"
            "  mend: leave out the types: a reader can do without\n",
        ),
        (
            "snippets/draw.py",
            FIRST,
            f"{SIGNATURE}        return a\n{FIRST}",
            "docs/count.md:14: add has a signature of 3 lines\n",
        ),
        (
            "snippets/draw.py",
            FIRST,
            f"    from os import sep\n{FIRST}",
            "docs/count.md:14: snippets/draw.py:8 imports, below the first "
            "block\n  mend: import in the first block, snippets/draw.py:2\n",
        ),
        (
            "snippets/draw.py",
            "import math",
            "math = None",
            "docs/count.md:9: snippets/draw.py:2 comes first and imports "
            "nothing\n",
        ),
        (
            "docs/count.md",
            "## How",
            FILE,
            "docs/count.md:15: snippets/file.py:6 imports, below the first "
            "block\n  mend: import in the first block, snippets/file.py:2\n",
        ),
        (
            "snippets/draw.py",
            FIRST,
            f"    print('snippets')\n{FIRST}",
            'docs/count.md:14: snippets/draw.py:8 has the word "snippets"\n',
        ),
        (
            "snippets/draw.py",
            FIRST,
            f"    engine = None\n{FIRST}",
            'docs/count.md:14: snippets/draw.py:8 has the word "engine"\n',
        ),
        (
            "docs/count.md",
            "```\n\n## How",
            "```\n\n```console\nls snippets\n```\n\n## How",
            'docs/count.md:12: command has the word "snippets"\n',
        ),
        (
            "docs/count.md",
            ALT,
            ALT[:-1],
            f'docs/count.md:14: alt="{ALT[:-1]}" does not say what is seen\n',
        ),
        (
            "docs/count.md",
            ALT,
            f"A figure of {ALT}",
            f'docs/count.md:14: alt="A figure of {ALT}" does not say what is',
        ),
        (
            "docs/count.md",
            "Counts up to two. ",
            "",
            "docs/count.md:2: the description has 0 characters\n"
            "  mend: write description: with 50 to 160 of them",
        ),
        (
            "docs/count.md",
            "Counts up to two. ",
            "Counts up to two. " * 4,
            "docs/count.md:2: the description has 215 characters\n",
        ),
        (
            "docs/count.md",
            "## How",
            "### How",
            "docs/count.md:12: a heading of level 3 follows one of 1\n"
            "  mend: write it with ##\n",
        ),
        (
            "docs/count.md",
            "## How",
            "# How",
            "docs/count.md:12: the page has a second title\n",
        ),
        (
            "docs/count.md",
            "# Counting",
            "",
            "docs/count.md:12: the page does not begin with its title\n",
        ),
        (
            "docs/count.md",
            "You need nothing.",
            f"You need nothing.\n\nThe {'x' * 77}",
            "docs/count.md:9: this line is 81 columns wide\n",
        ),
        (
            "docs/count.md",
            "You need nothing.",
            "You need nothing.\nIt is Simply there.",
            'docs/count.md:8: "Simply" praises, or blames who does not see',
        ),
        (
            "docs/count.md",
            "You can count at the end. ",
            "",
            "docs/count.md:5: the opening does not say what the page gives\n",
        ),
        (
            "docs/count.md",
            " You need nothing.",
            "",
            "docs/count.md:5: the opening does not say what the page needs\n",
        ),
        (
            "docs/index.md",
            "2. [Page 1](page1.md) Another.\n",
            "",
            "docs/index.md:7: 6 pages are listed as the course\n",
        ),
        (
            "docs/index.md",
            "[Page 0]",
            "[Page zero]",
            'docs/index.md:7: "Page zero" is not where the navigation has it',
        ),
        (
            "docs/index.md",
            "2. [Page 1](page1.md) Another.\n3. [Page 2](page2.md) Another.",
            "2. [Page 2](page2.md) Another.\n3. [Page 1](page1.md) Another.",
            'docs/index.md:9: "Page 2" is not where the navigation has it',
        ),
    ],
)
def test_what_is_not_in_the_style_is_told_by_page_and_line(
    styled: Scratch, file: str, old: str, new: str, told: str
) -> None:
    if new == FILE:
        styled.write("snippets/file.py", PIECES)
    styled.replace(file, old, new)
    code, words = styled.engine("check")
    assert code == 1
    assert told in words
    assert words.count("  mend: ") == 1


@pytest.mark.parametrize(
    "text",
    [
        "See [it](https://example.org/{}/) there.".format("x" * 80),
        "```text\n# Of course, simply {}\n```".format("x" * 80),
        "    ```text\n    # Of course {}\n    ```".format("x" * 80),
    ],
)
def test_addresses_and_samples_are_no_prose(
    styled: Scratch, text: str
) -> None:
    styled.replace("docs/count.md", "## How\n", f"## How\n\n{text}\n")
    assert styled.engine("check") == (
        0,
        "9 pages, 2 blocks: all can be read\n",
    )


def test_a_file_of_data_may_be_long_and_wide(styled: Scratch) -> None:
    styled.write("data.json", f'["{"engine " * 20}",\n' + "1,\n" * 20 + "1]")
    fence = '```json source="data.json" file="data.json"\n```\n\n## How'
    styled.replace("docs/count.md", "## How", fence)
    assert styled.engine("check")[0] == 0


def test_outputs_that_are_not_as_kept_are_told_without_running(
    built: Scratch,
) -> None:
    built.replace("mkdocs.yml", "  - engine.extension\n", DRIFT)
    code, words = built.engine("check")
    assert code == 1
    assert "docs/index.md: has nothing kept in tests/expected/\n" in words
    kept = (
        "numbers agree within 0.001\n\n── snippets/count.py:setup\n\n"
        "── snippets/count.py:count\n    number 0\n    number {}\n\n"
        "── {{{{ total }}}}\n    2\n"
    )
    expected = built.write("tests/expected/index.txt", kept.format(1))
    assert built.engine("check")[0] == 0
    expected.write_text(kept.format(3))
    code, words = built.engine("check")
    assert code == 1
    assert words.startswith(
        "docs/index.md:8: snippets/count.py:count\n  was number 3\n"
        "  is  number 1\n  mend: correct the code that changed it, or,"
    )
    shutil.rmtree(built.root / ".cache/records")
    assert built.engine("check")[0] == 0, "the page would run"
    expected.rename(expected.with_name("gone.txt"))
    code, words = built.engine("check")
    assert "tests/expected/gone.txt: has no page\n" in words


def test_every_page_of_the_site_passes_every_check(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Those that ``mkdocs.yml`` names."""
    config = (REPOSITORY / "mkdocs.yml").read_text("utf-8")
    assert "checks: [tools.checks:style, tools.checks:drift]" in config
    code = main(["--root", str(REPOSITORY), "check"])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    pages, blocks = captured.out.split(": ")[0].split(", ")
    assert int(pages.split()[0]) >= 13
    assert int(blocks.split()[0]) >= 400
    assert len(RULES) == 11
