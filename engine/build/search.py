"""Spare the search what it cannot find words in, and would read for long."""

import re
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import CombinedEvent, event_priority
from mkdocs.structure.pages import Page

NOT_WORDS = re.compile(
    r"(?s)<svg.*?</svg>|</?span[^>]*>"
    # It repeats what stands above, and would be found for all of it.
    r'|<details class="run run-program".*?</details>'
)


class Words:
    """Hides drawings and colours of code while the search reads a page."""

    @event_priority(50)
    def _leave_the_words(
        self,
        context: dict[str, Any],
        page: Page,
        config: MkDocsConfig,
        nav: Any,
    ) -> dict[str, Any]:
        context["all_content"] = page.content
        page.content = NOT_WORDS.sub("", page.content or "")
        return context

    @event_priority(-50)
    def _bring_all_back(
        self,
        context: dict[str, Any],
        page: Page,
        config: MkDocsConfig,
        nav: Any,
    ) -> dict[str, Any]:
        page.content = context.pop("all_content")
        return context

    on_page_context = CombinedEvent(_leave_the_words, _bring_all_back)
