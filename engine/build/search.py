"""Spare the search what it cannot find words in, and would read for long."""

import re
from collections.abc import Callable
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page

NOT_WORDS = re.compile(
    r"(?s)<svg.*?</svg>|</?span[^>]*>"
    # It repeats what stands above, and would be found for all of it.
    r'|<details class="run run-program".*?</details>'
)


def spare_the_search(config: MkDocsConfig) -> None:
    """Have the search read pages without drawings and colours of code."""
    for name in ("search", "material/search"):
        plugin: Any = config.plugins.get(name)
        if index := getattr(plugin, "search_index", None):
            index.add_entry_from_context = _of_words(
                index.add_entry_from_context
            )


def _of_words(add: Callable[[Page], None]) -> Callable[[Page], None]:
    def add_words(page: Page) -> None:
        whole = page.content
        page.content = NOT_WORDS.sub("", whole or "")
        add(page)
        page.content = whole

    return add_words
