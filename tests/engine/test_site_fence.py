"""A fence of the site's own may stand above what computes its values."""

import re

import pytest

from tests.engine.scratch import Scratch

HOUSE = """\
from markdown.extensions import Extension

from engine.extension import add_fence


class House(Extension):
    def extendMarkdown(self, md):
        add_fence(md, "bars", lambda text: f"<p>bars of {text}</p>")


makeExtension = House
"""
FENCE = "```bars{}\n{{{{ total }}}}\n```\n\n"
COUNT = '```python run="snippets/count.py:count"\n```\n'


@pytest.fixture
def housed(scratch: Scratch) -> Scratch:
    scratch.write("house.py", HOUSE)
    scratch.replace(
        "mkdocs.yml", "  - engine.extension", "  - house\n  - engine.extension"
    )
    return scratch


def test_its_values_are_computed_after_the_section_it_names(
    housed: Scratch,
) -> None:
    fence = FENCE.format(' after="count"')
    housed.replace("docs/index.md", "We count.", fence)
    code, words = housed.build()
    assert code == 0, words
    page = (housed.root / "site/index.html").read_text("utf-8")
    assert "<p>bars of 2</p>" in page
    assert page.index("bars of 2") < page.index("number 0")
    twin = (housed.root / "site/index.md").read_text("utf-8")
    assert twin.index("bars of 2") < twin.index("number 0")
    assert "There were 2 numbers." in twin


@pytest.mark.parametrize("after", ["", ' after="count"'])
def test_below_all_blocks_it_comes_too_late_or_needs_no_name(
    housed: Scratch, after: str
) -> None:
    housed.replace("docs/index.md", "There were", FENCE.format(after) + "So")
    code, words = housed.build()
    assert code == bool(after)
    if after:
        assert re.search(r'docs/index.md:\d+: .*after "count"', words)
        assert "name a section that a block below" in words


def test_a_value_in_it_is_named_with_its_line(housed: Scratch) -> None:
    fence = FENCE.format(' after="count"').replace("{{", "one\n\n{{ 1 / 0 *")
    housed.replace("docs/index.md", "We count.", fence)
    text = (housed.root / "docs/index.md").read_text("utf-8")
    line = text.partition("{{ 1 / 0")[0].count("\n") + 1
    code, words = housed.build()
    assert code == 1
    assert f"docs/index.md:{line}: " in words
    assert "ZeroDivisionError" in words


def test_an_option_that_there_is_not_is_named(housed: Scratch) -> None:
    fence = FENCE.format(' befor="count"')
    housed.replace("docs/index.md", "We count.", fence)
    code, words = housed.build()
    assert code == 1
    assert 'unknown fence option "befor"' in words


@pytest.mark.parametrize(
    ("shown", "problem"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("exit()", "SystemExit: None"),
        ("int(text)", "invalid literal for int() with base 10: 'words'"),
        ("None", "its function returned NoneType, not HTML"),
        ("b''", "its function returned bytes, not HTML"),
        ("'<p>a</p><div>'", "<div> in its HTML has no other tag"),
        ("'a</section>'", "</section> in its HTML has no other tag"),
    ],
)
def test_what_its_function_has_wrong_is_named_with_the_fence(
    housed: Scratch, shown: str, problem: str
) -> None:
    housed.replace("house.py", 'f"<p>bars of {text}</p>"', shown)
    fence = "```bars\nwords\n```\n\nThere were"
    housed.replace("docs/index.md", "There were", fence)
    code, words = housed.build()
    assert code == 1
    assert f"docs/index.md:11: this fence cannot be shown: {problem}" in words
    assert not (housed.root / "site").exists()


@pytest.mark.parametrize("name", ["python", "program", "two words", ""])
def test_a_name_that_no_fence_of_the_sites_own_can_have_is_named(
    housed: Scratch, name: str
) -> None:
    housed.replace("house.py", '"bars"', f'"{name}"')
    code, words = housed.build()
    assert code == 1
    assert words.startswith("mkdocs.yml:")
    assert f'no fence of a site\'s own can be called "{name}"\n' in words
    assert "Traceback" not in words
