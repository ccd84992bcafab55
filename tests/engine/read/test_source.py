"""A fault in what a page includes is named where it stands."""

from pathlib import Path
from typing import Any

import pytest
from markdown import Markdown

from engine.read.markdown import Reader
from engine.read.page import SiteFence
from engine.read.reading import Reading
from engine.read.snippets import Snippets
from engine.read.source import Line
from engine.read.superfences import SITE_FENCES
from tests.engine.read.site import Site

PART = """\
Text.

# --8<-- [start:part]
    Text.

    {{ 1 + }}
# --8<-- [end:part]

Text.
"""


def read(root: Path, text: str, **options: Any) -> Reading:
    """Return what is read of a page that includes parts."""
    (root / "docs").mkdir(exist_ok=True)
    (root / "docs/page.md").write_text(text, encoding="utf-8")
    site = Site(root, Snippets(root, Path("snippets")))
    found: list[Reading] = []

    def done(reading: Reading, html: str) -> str:
        found.append(reading)
        return html

    options = {"base_path": [str(root / "a b/_parts")], **options}
    md = Markdown(
        extensions=["pymdownx.superfences", "pymdownx.snippets"],
        extension_configs={"pymdownx.snippets": options},
    )
    setattr(md, SITE_FENCES, {"bars": str})
    Reader(md, site, done)
    for _ in range(2):  # as many pages are read, one after another
        html = md.reset().convert(text)
    found[-1].page(html)
    return found[-1]


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    """Return a folder of parts that no line of a page names in full."""
    folder = tmp_path / "a b/_parts"
    folder.mkdir(parents=True)
    (folder / "part.md").write_text(PART)
    (folder / "tag.md").write_text("Text.\n\n<div>\n\nText.\n")
    (folder / "outer.md").write_text('Text.\n\n  --8<-- "part.md"\n\n{{\n')
    return tmp_path


PART_6 = "a b/_parts/part.md:6"
INCLUDES: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "line": ('--8<-- "part.md"', {}, [PART_6]),
    "lines": ('--8<-- "part.md:4:8"', {}, [PART_6]),
    "section": ('\tText.\n\n\t--8<-- "part.md:part"', {}, [PART_6]),
    "dedented": (
        '--8<-- "part.md:part"',
        {"dedent_subsections": True},
        [PART_6],
    ),
    "block": ("--8<--\ntag.md\n\npart.md\n--8<--", {}, [PART_6]),
    "nested": ('Text.\n\n--8<-- "outer.md"', {}, [PART_6]),
    "appended": ("Text.", {"auto_append": ["part.md"]}, [PART_6]),
    "tag": ('--8<-- "tag.md"', {}, ["a b/_parts/tag.md:3"]),
    "page": ('--8<-- "tag.md"\n\n{{ 1 + }}', {}, ["docs/page.md:5"]),
}


@pytest.mark.parametrize("name", INCLUDES)
def test_a_fault_is_named_where_it_stands(parts: Path, name: str) -> None:
    text, options, places = INCLUDES[name]
    reading = read(parts, f"# P\n\n{text}\n\nText.\n", **options)
    assert [f"{e.path}:{e.line}" for e in reading.errors] == places


def test_a_value_within_a_fence_knows_its_line(parts: Path) -> None:
    fence = "```bars\n0\n{{ x }}\n```\n"
    (parts / "a b/_parts/bars.md").write_text(f"Text.\n\n{fence}")
    text = f'# P\n\n{fence}\nText.\n\n--8<-- "bars.md"\n'
    for item in read(parts, text).items.values():
        assert isinstance(item, SiteFence)
        (value,) = item.values
        assert value.line == item.line + 2
    assert isinstance(value.line, Line)
    assert value.line.place == (Path("a b/_parts/bars.md"), 5)
