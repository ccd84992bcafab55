"""A block or value that no reader would see is a fault, not a green run."""

import pytest

from tests.engine.kinds.site import Site

FENCE = '```python run="snippets/a.py:one"\n```\n'
HIDDEN = "is not shown on the page, so it would run hidden"
UNREAD = "is not read"
TEXT = "this fence would be shown as text, and not run"
EARLY = "stands before the first block"
DIV = '<div {} markdown="1">\n\n' + FENCE + "\n</div>\n"
DEEP = FENCE.replace("```", " " * 12 + "```")
CASES = {
    "comment": (f"Text.\n\n<!--\n{FENCE}-->\n", 4, f"this block {HIDDEN}"),
    "value": (f"{FENCE}\n<!-- {{{{ 1 }}}} -->\n", 4, f"this value {HIDDEN}"),
    "before": (f"{FENCE}\n{{{{ 1 }}}} <!-- {{{{ 2 }}}} -->", 4, HIDDEN),
    "hidden": (DIV.format("hidden"), 3, HIDDEN),
    "hidden_until": (DIV.format('hidden="until-found"'), 3, HIDDEN),
    "display": (DIV.format('style="color: red; display: none"'), 3, HIDDEN),
    "visibility": (DIV.format('style="visibility:hidden"'), 3, HIDDEN),
    "capitals": (DIV.format('STYLE="DISPLAY:NONE"'), 3, HIDDEN),
    "collapse": (DIV.format('style="visibility: collapse"'), 3, HIDDEN),
    "opacity": (DIV.format('style="opacity: 0; color: red"'), 3, HIDDEN),
    "font_size": (DIV.format('style="font-size:0px"'), 3, HIDDEN),
    "popover": (DIV.format("popover"), 3, HIDDEN),
    "dialog": (DIV.replace("div", "dialog").format(""), 3, HIDDEN),
    "canvas": (DIV.replace("div", "canvas").format(""), 3, HIDDEN),
    "video": (f"{FENCE}\n<video>{{{{ 1 }}}}</video>\n", 4, HIDDEN),
    "meter": (f"{FENCE}\n<meter value=1>{{{{ 1 }}}}</meter>\n", 4, HIDDEN),
    "ruby": (f"{FENCE}\n<ruby>a<rp>{{{{ 1 }}}}</rp></ruby>\n", 4, HIDDEN),
    "no_embed": (f"<noembed>\n\n{FENCE}\n</noembed>\n", 3, HIDDEN),
    "plain_text": (f"Text.\n\n<plaintext>\n\n{FENCE}", 5, HIDDEN),
    "instruction": (f"<?php\n\n{FENCE}\n?>\n", 3, HIDDEN),
    "xmp": (f"<xmp>\n\n{FENCE}\n</xmp>\n", 3, HIDDEN),
    "drawing": (
        f"{FENCE}\n<svg><defs><text>{{{{ 1 }}}}</text></defs></svg>\n",
        4,
        HIDDEN,
    ),
    "field": (
        f'{FENCE}\n<input type="hidden" value="{{{{ 1 }}}}">',
        4,
        HIDDEN,
    ),
    "script": (f"<script>\n{FENCE}</script>\n", 2, HIDDEN),
    "style": (f"{FENCE}\n<style>\n{{{{ 1 }}}}\n</style>\n", 5, HIDDEN),
    "template": (f"<template>\n\n{FENCE}\n</template>\n", 3, HIDDEN),
    "deep": (f"- Item.\n\n{DEEP}", 3, HIDDEN),
    "code": ("Text.\n\n" + FENCE.replace("```", "    ```"), 3, HIDDEN),
    "no_tab": ("=== Tab\n\n" + FENCE.replace("```", "    ```"), 3, HIDDEN),
    "abbreviation": (f"{FENCE}\n*[QQ]: {{{{ 1 }}}}\n", 4, HIDDEN),
    "unused_link": (f"{FENCE}\n[q]: https://e.org/{{{{ 1 }}}}\n", 4, HIDDEN),
    "formula": (f"{FENCE}\nA `#!math x = {{{{ 1 }}}}`.\n", 4, HIDDEN),
    "heading_id": (f"{FENCE}\n## H {{: #h-{{{{ 1 }}}} }}\n", 4, HIDDEN),
    "text_area": (f"<textarea>\n\n{FENCE}\n</textarea>\n", 3, HIDDEN),
    "no_script": (f"<noscript>\n\n{FENCE}\n</noscript>\n", 3, HIDDEN),
    "choice": (f"{FENCE}\n<select><option>{{{{ 1 }}}}</select>", 4, HIDDEN),
    "in_pre": ("<pre>\n```python run=x\n```\n</pre>\n", 2, TEXT),
    "in_a_line": (f"Text. {FENCE}", 1, TEXT),
    "in_one_line": ('A ```python run="snippets/a.py:one" ```\n', 1, TEXT),
    "in_a_cell": (f"| a |\n| --- |\n| {FENCE[:-5]} ``` |\n", 3, TEXT),
    "after_a_marker": (f"- {FENCE}", 1, TEXT),
    "comment_on_words": (f"{FENCE}\nA {{>> {{{{ 1 }}}} <<}}.\n", 4, UNREAD),
    "in_a_tab_label": ('=== "T"\n\n    a\n\n=== "{{ 1 }}"\n', 5, EARLY),
    "value_alone": ("{{ 1 }}\n", 1, EARLY),
    "program_alone": ("Text.\n\n```program\n```\n", 3, "needs a page that"),
}


def test_each_is_named_with_its_line(site: Site) -> None:
    site.sections("a", one="print('one')")
    site.named(CASES)


def test_a_fence_that_another_fence_holds_shows_no_section(
    site: Site,
) -> None:
    site.sections("a", one="print('one')", two="print('two')")
    two = FENCE.replace("one", "two")
    site.page("p", f"# P\n\n{FENCE}\n````text\n\n{two}\n````\n")
    words = site.bad()
    assert 'snippets/a.py:8: section "two" is shown on no page' in words
    assert words.count("mend:") == 1


def test_a_note_whose_extension_is_not_listed_is_no_container(
    site: Site,
) -> None:
    site.sections("a", one="print('one')")
    site.replace("mkdocs.yml", "  - pymdownx.details\n", "")
    site.page("p", "# P\n\n??? note\n\n" + FENCE.replace("```", "    ```"))
    words = site.bad()
    assert words.startswith(f"docs/p.md:5: this block {HIDDEN}")
    assert "container, whose extension mkdocs.yml lists;" in words


def test_what_looks_hidden_and_is_not_is_left_alone(site: Site) -> None:
    site.sections("a", one="print(x := 1)")
    site.page(
        "p",
        "# P\n\n"
        + DIV.replace("div", "dialog").format("open")
        + '\n<meter value="{{ x }}" max="9"></meter> '
        '<b style="opacity: 0.5">{{ x }}</b>\n',
    )
    page = (site.good() / "p/index.html").read_text("utf-8")
    assert '<meter value="1" max="9">' in page
    assert '<b style="opacity: 0.5">1</b>' in page


@pytest.mark.parametrize("kind", ["comment", "cut"])
def test_a_hook_that_takes_a_block_out_of_the_html_is_found(
    site: Site, kind: str
) -> None:
    change = {
        "comment": "html.replace('<h2', '<!-- <h2') + ' -->'",
        "cut": "html.partition('<h2')[0]",
    }[kind]
    site.add_hook(f"def on_page_content(html, **_): return {change}\n")
    site.sections("a", one="print('one')", two="print('two')")
    two = FENCE.replace("one", "two")
    site.page("p", f"# P\n\n{FENCE}\n## Q\n\n{two}")
    words = site.bad()
    assert f"docs/p.md:8: this block {HIDDEN}" in words
    assert "docs/p.md:3" not in words
