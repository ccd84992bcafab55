"""Pages in other places than their own, where plugins have put them.

A plugin may gather what is rendered before any program has run, and write
it when the site is built.
"""

from collections import ChainMap
from collections.abc import Iterator, Mapping
from pathlib import Path

from engine.build.rendered import RenderedPage
from engine.errors import PageError
from engine.read import marks

TEXTS = {".html", ".json", ".md", ".txt", ".xml"}


def fill_elsewhere(
    site: Path, pages: Mapping[str, RenderedPage]
) -> Iterator[PageError]:
    """Put results into all HTML that has marks yet.

    Yields an error for each other file that has, and for a mark that is of
    no page of this build.
    """
    shown = [page.shown for page in pages.values()]
    values = ChainMap(*(page.values for page in shown))
    blocks = ChainMap(*(page.blocks for page in shown))
    for path in sorted(site.rglob("*")):
        if path.suffix not in TEXTS or not path.is_file():
            continue
        contents = path.read_bytes()
        if marks.WORD.encode() not in contents:
            continue
        text = contents.decode()
        known = {*values, *blocks} >= {*marks.numbers(text)}
        if path.suffix == ".html" and known:
            path.write_text(marks.fill(text, values, blocks), "utf-8")
            continue
        yield PageError(
            f"a plugin or hook writes pages to {path.relative_to(site)} as "
            "they were before their programs ran",
            hint="let it take page.content in on_env or later",
            path="mkdocs.yml",
        )
