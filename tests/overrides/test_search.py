"""The search is told what a page is about, and nothing that all pages say."""

from types import SimpleNamespace
from typing import Any

from docs.overrides.search import on_post_build


def test_tags_belong_to_the_page_and_sections_that_all_have_are_left_out() -> (
    None
):
    tags = ["NaN"]
    entries: list[dict[str, Any]] = [
        {"location": "a/", "title": "A", "tags": tags},
        {"location": "a/#b", "title": "B", "tags": tags},
        {"location": "a/#where", "title": "Where to go next", "tags": tags},
        {"location": "a/#whole", "title": "The whole program", "tags": tags},
        {"location": "c/", "title": "C"},
    ]
    index = SimpleNamespace(entries=entries)
    plugin = SimpleNamespace(search_index=index)
    config: Any = SimpleNamespace(plugins={"material/search": plugin})
    on_post_build(config)
    assert index.entries == [
        {"location": "a/", "title": "A", "tags": tags},
        {"location": "a/#b", "title": "B"},
        {"location": "c/", "title": "C"},
    ]
