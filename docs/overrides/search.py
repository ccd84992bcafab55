"""What of the pages the search is to find."""

from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority

ALIKE = {"The whole program", "Where to go next"}
"""Sections that every page has, and that answer nothing."""


@event_priority(50)
def on_post_build(config: MkDocsConfig) -> None:
    """Take out what every section has, before the index is written.

    The tags of a page say what all of it is about. Material gives them to
    each of its sections, and so any section of it would be found for them.
    """
    plugin: Any = config.plugins["material/search"]
    index = plugin.search_index
    index.entries = [e for e in index.entries if e["title"] not in ALIKE]
    for entry in index.entries:
        if "#" in entry["location"]:
            entry.pop("tags", None)
