"""A block in any container: all forms of the page say the same."""

import re

from engine.read import marks
from tests.engine.kinds.pages import PAGES, SAID, SECTIONS, page
from tests.engine.kinds.site import Site


def test_all_forms_of_a_page_say_the_same(sections: Site) -> None:
    for name, text in PAGES.items():
        sections.page(name, page(name, text))
    site = sections.good()
    for name, text in PAGES.items():
        outputs = [SAID[SECTIONS[mark]] for mark in re.findall(r"%(\d)", text)]
        if name == "headers_of_fences":
            outputs = list(SAID.values())
        shown = sections.alike(name, *outputs).text
        assert "{{x}}" not in shown, name
        for path in site.rglob(f"{name}*/*"):
            assert marks.WORD not in path.read_text("utf-8"), path


def test_line_ends_tabs_and_marks_of_order_do_not_matter(
    sections: Site,
) -> None:
    text = page("P", PAGES["notes"])
    kinds = {
        "plain": text,
        "crlf": text.replace("\n", "\r\n"),
        "marked": f"\ufeff{text}",
        "tabs": text.replace("    ", "\t"),
        "no_end": text.rstrip("\n"),
        "front": f"---\ntags: [a]\n---\n{text}",
        "front_crlf": f"---\ntags: [a]\n---\n{text}".replace("\n", "\r\n"),
    }
    for name, source in kinds.items():
        sections.page(name, source)
    sections.good()
    shown = [sections.alike(name, *SAID.values()).text for name in kinds]
    assert len(set(shown)) == 1
