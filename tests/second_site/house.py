"""What this site adds to the engine: a fence, and a rule of its own."""

import html
import json
from collections.abc import Iterator
from typing import Any

from markdown import Markdown
from markdown.extensions import Extension

from engine.build.rendered import RenderedPage
from engine.errors import PageError
from engine.extension import add_fence
from engine.project import Project


class HouseExtension(Extension):
    """Gives pages the fence ``bars``."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        """Add the fence to those of the engine."""
        add_fence(md, "bars", bars)


def makeExtension(**kwargs: Any) -> HouseExtension:  # noqa: N802
    """Return the extension, for Python-Markdown."""
    return HouseExtension(**kwargs)


def bars(source: str) -> str:
    """Return a list of meters; raise ValueError if there is no number."""
    shown = "".join(
        f'<li>{html.escape(name)}: <meter value="{float(part)}">'
        f"{float(part):.0%}</meter></li>"
        for name, part in json.loads(source).items()
    )
    return f'<ul class="bars">{shown}</ul>'


def nothing_to_do(
    project: Project, pages: list[RenderedPage]
) -> Iterator[PageError]:
    """Refuse pages that are left to be done."""
    for page in pages:
        source = (project.root / page.read.path).read_text("utf-8")
        for number, line in enumerate(source.split("\n"), start=1):
            if "TODO" in line:
                yield PageError(
                    "this is still to be done",
                    hint="do it",
                    path=page.read.path,
                    line=number,
                )
