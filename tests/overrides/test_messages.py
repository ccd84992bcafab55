"""The page on messages has all that blocks show, each with a sentence."""

from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tests.engine.conftest import empty
from tests.engine.kinds.conftest import site
from tests.engine.kinds.site import Site
from tests.engine.scratch import REPOSITORY

__all__ = ["empty", "site"]

HOOK = f"hooks: [{REPOSITORY}/docs/overrides/messages.py]\n"
FENCE = '```python run="snippets/a.py:{}"{}\n```\n'
CODES = {
    "raised": "int('x')",
    "warned": "import warnings\nwarnings.warn('take care')\n"
    "print('OSError: <twice> & more')",
    "again": "print('OSError: <twice> & more')",
    "asserted": "assert 1 > 2, 'one is not more'",
}
OPTIONS = {
    "raised": ' raises="ValueError"',
    "asserted": ' raises="AssertionError"',
}
LIST = """\
# Messages

Words.

- `p:raised` No number, as `int` says.
- `p:warned` Take it.
- `p:warned` It was said twice.
- `p:asserted` It is.

## More

- [Home](index.md)
"""


@pytest.fixture
def told(site: Site) -> Site:
    site.sections("a", **CODES)
    site.page(
        "p",
        "# P\n\n"
        + "\n".join(FENCE.format(n, OPTIONS.get(n, "")) for n in CODES),
    )
    site.page("messages", LIST)
    config = site.root / "mkdocs.yml"
    config.write_text(HOOK + config.read_text())
    return site


def read(folder: Path) -> BeautifulSoup:
    text = (folder / "messages/index.html").read_text("utf-8")
    return BeautifulSoup(text, "html5lib")


def test_each_message_stands_once_with_its_sentence_and_its_blocks(
    told: Site,
) -> None:
    page = read(told.good())
    found = {}
    for heading in page.select("article h3"):
        said = heading.find_next("p")
        assert said
        links = said.find_next("p")
        assert links
        found[heading.get_text()] = (
            said.get_text(),
            [a["href"] for a in links.select("a")],
        )
    assert found == {
        "one is not more": ("It is.", ["../p/#block:4"]),
        "<twice> & more": (
            "It was said twice.",
            ["../p/#block:2", "../p/#block:3"],
        ),
        "take care": ("Take it.", ["../p/#block:2"]),
        "invalid literal for int() with base 10: 'x'": (
            "No number, as int says.",
            ["../p/#block:1"],
        ),
    }
    kinds = [h.get_text() for h in page.select("article h2")]
    assert [k.rstrip("¶") for k in kinds] == [
        "AssertionError",
        "OSError",
        "UserWarning",
        "ValueError",
        "More",
    ]
    contents = page.select(".md-sidebar--secondary li a")
    listed = [" ".join(a.get_text().split()) for a in contents]
    assert listed == [k.rstrip("¶") for k in kinds]
    twin = (told.root / "site/messages/index.md").read_text("utf-8")
    assert "It was said twice." in twin
    assert "p:warned" not in twin


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "- `p:warned` Take it.\n",
            "",
            "docs/messages.md:5: no sentence for `p:warned`, which shows “OSE",
        ),
        (
            "- `p:warned` Take it.\n",
            "- `p:warned` Take it.\n- `p:again` It is.\n",
            "docs/messages.md:7: a sentence for `p:again`, which shows no",
        ),
        (
            "`p:raised`",
            "`p:risen`",
            "docs/messages.md:5: no sentence for `p:raised`",
        ),
    ],
)
def test_a_message_without_a_sentence_and_the_reverse_end_the_build(
    told: Site, old: str, new: str, said: str
) -> None:
    told.page("messages", LIST.replace(old, new))
    words = told.bad()
    assert said in words
    assert "mend: " in words


def test_a_message_goes_on_past_an_object_in_braces(told: Site) -> None:
    said = "Object {\n  a: 1\n}\nvalues {\n  b: 2\n}\n has none."
    told.sections("a", **CODES | {"raised": f"raise ValueError({said!r})"})
    heading = read(told.good()).select_one("#valueerror-1")
    assert heading
    assert heading.get_text() == "Object { … } values { … } has none."
    whole = heading.find_next("code")
    assert whole
    assert whole.get_text() == f"ValueError: {said}"
