"""What other extensions and hooks make of the Markdown is the page."""

import pytest

from tests.engine.kinds import forms
from tests.engine.kinds.pages import PAGES, SAID, page
from tests.engine.kinds.site import Site


def test_what_another_extension_includes_is_the_page(sections: Site) -> None:
    sections.write("parts/part.md", page("Part", PAGES["notes"]))
    sections.page("p", '# P\n\nText.\n\n--8<-- "parts/part.md"\n\nEnd.\n')
    sections.good()
    shown = sections.alike("p", *SAID.values()).text
    assert shown.startswith("PText.PartInanoteBefore.")
    assert "{{" not in shown


FENCE = '```python run="snippets/a.py:one"\n```\n'
INCLUDED = {
    "value": ("{{ 1 + }}\n", "cannot read the value"),
    "fence": ('```python runs="x"\n```\n', 'unknown fence option "runs"'),
    "hidden": ("<!-- {{ 1 }} -->\n", "this value is not shown"),
    "twice": (FENCE, "snippets/a.py:one is shown twice, first on line 3"),
    "run": ("{{ none_such }}\n", "the value {{ none_such }} raised"),
    "left_over": ("Text ```python run=x\n", "this fence would be shown"),
}


@pytest.mark.parametrize("held", ["", '=== "Tab"\n\n    '])
@pytest.mark.parametrize("name", INCLUDED)
def test_a_fault_in_what_is_included_is_named_there(
    sections: Site, name: str, held: str
) -> None:
    fault, problem = INCLUDED[name]
    part = page("", "%2\n" + "Text.\n\n" * 9 + "FAULT\n\nText.\n")
    line = part.partition("FAULT")[0].count("\n") + 1
    sections.write("parts/part.md", part.replace("FAULT", fault))
    text = f'%1\n{held}--8<-- "parts/part.md"\n\n%3\n'
    sections.page("p", page("P", text))
    words = sections.bad()
    assert words.count("mend:") == 1, words
    assert f"parts/part.md:{line}: {problem}" in words, words


def test_a_fault_beside_what_is_included_is_named_on_the_page(
    sections: Site,
) -> None:
    sections.write("parts/part.md", "Text.\n\n" * 9 + "{{ 2 }}\n")
    text = '%1\n--8<-- "parts/part.md"\n\n{{ 1 + }}\n\n%2\n%3\n'
    sections.page("p", page("P", text))
    line = page("P", text).partition("{{")[0].count("\n") + 1
    assert f"docs/p.md:{line}: cannot read the value" in sections.bad()


def test_a_hook_may_add_blocks_and_change_text(sections: Site) -> None:
    sections.add_hook(
        """
        FENCE = '```python run="snippets/a.py:{}"\\n```\\n\\n'


        def on_page_markdown(markdown, **_):
            if "HERE" in markdown:
                added = FENCE.format("three")
                markdown = "Words above.\\n\\n" + markdown
                return markdown.replace("HERE", "There\\n\\n" + added)
        """,
    )
    sections.page("p", page("P", "%1\nHERE\n\n%2\nThe x is {{ x }}.\n"))
    sections.page("q", page("Q", "HERE\n\n%1\nText\n\n%1\n"))
    words = sections.bad()
    assert "docs/q.md:10: snippets/a.py:one is shown twice" in words
    sections.page("q", page("Q", "%1\n"))
    sections.good()
    shown = sections.alike("p", SAID["one"], SAID["three"], SAID["two"])
    assert shown.text.endswith("Thexis5.")


def test_what_another_extension_raises_has_the_name_of_the_page(
    sections: Site,
) -> None:
    sections.page("p", '# P\n\n--8<-- "missing.md"\n')
    words = sections.bad()
    assert words.startswith("docs/p.md: pymdownx.snippets raised Snippet")
    assert "missing.md" in words


HOOKS = {
    "output": (
        "def on_post_page(output, **_):\n"
        "    return output.replace('Text', 'Other')\n"
    ),
    "result": (
        "def on_post_page(output, **_):\n"
        "    return output.replace('<samp>one', '<samp>two')\n"
    ),
    "lines": (
        "import re\n"
        "def on_post_page(output, **_):\n"
        "    return re.sub(r'>\\s+<', '> <', output)\n"
    ),
    "file": (
        "from pathlib import Path\n"
        "def on_post_build(config):\n"
        "    page = Path(config.site_dir, 'p/index.html')\n"
        "    page.write_text(page.read_text().replace('two 0', 'two 9'))\n"
    ),
    "nothing": "def on_post_page(output, **_):\n    return ''\n",
    "context": (
        "def on_page_context(context, page, **_):\n"
        "    page.content = page.content.replace('Text', 'Other')\n"
        "    return context\n"
    ),
}


@pytest.mark.parametrize("name", HOOKS)
def test_what_changes_a_page_when_it_is_done_is_a_fault(
    sections: Site, name: str
) -> None:
    sections.add_hook(HOOKS[name])
    sections.page("p", page("P", "%1\nText.\n\n%2\n%3\n"))
    words = sections.bad()
    assert "docs/p.md: a plugin, hook or template changes what " in words
    assert words.count("mend:") == 1


REPEATS = {
    "content": "def on_page_content(html, **_):\n    return html + html\n",
    "env": (
        "from mkdocs.plugins import event_priority\n"
        "@event_priority(101)\n"
        "def on_env(env, config, files):\n"
        "    page = files.get_file_from_path('p.md').page\n"
        "    page.content += page.content\n"
    ),
    "context": (
        "def on_page_context(context, page, **_):\n"
        "    page.content += page.content\n"
        "    return context\n"
    ),
    "output": "def on_post_page(output, **_):\n    return output + output\n",
    "spaced": (
        "def on_post_page(output, **_):\n"
        "    return (output + output).replace('<p>', '<p >')\n"
    ),
}


@pytest.mark.parametrize("name", REPEATS)
def test_what_shows_a_page_twice_is_a_fault(sections: Site, name: str) -> None:
    sections.add_hook(REPEATS[name])
    sections.page("p", page("P", "%1\nText.\n\n%2\n%3\n"))
    words = sections.bad()
    problem = "a plugin, hook or template shows this page's blocks "
    assert f"docs/p.md: {problem}" in words
    assert words.count("mend:") == 1


def test_what_takes_a_block_from_a_rendered_page_is_a_fault(
    sections: Site,
) -> None:
    sections.add_hook(
        """
        import re
        from mkdocs.plugins import event_priority

        @event_priority(101)
        def on_env(env, config, files):
            page = files.get_file_from_path("p.md").page
            page.content = re.sub("<div data-run.*?</div>", "", page.content)
        """,
    )
    sections.page("p", page("P", "%1\nText.\n\n%2\n%3\n"))
    words = sections.bad()
    assert "docs/p.md: a plugin, hook or template shows this " in words
    assert words.count("mend:") == 1


def test_what_is_written_last_of_all_is_looked_at(sections: Site) -> None:
    sections.add_hook(
        "from mkdocs.plugins import event_priority\n"
        + HOOKS["file"].replace("def on", "@event_priority(-1000)\ndef on")
    )
    sections.page("p", page("P", "%1\nText.\n\n%2\n%3\n"))
    words = sections.bad()
    assert "docs/p.md: a plugin, hook or template changes what " in words


def test_what_only_adds_to_a_page_may_do_so(sections: Site) -> None:
    sections.add_hook(
        """
        def on_post_page(output, **_):
            output = output.replace("<samp>", '<samp  class="x">')
            return output.replace("</article>", "<p>More.</p></article>")
        """,
    )
    sections.page("p", page("P", "%1\nText.\n\n%2\n%3\n"))
    assert forms.page(sections.good(), "p/").text.endswith("More.")


def test_what_another_plugin_fills_in_late_is_shown(sections: Site) -> None:
    sections.add_hook(
        """
        from mkdocs.plugins import event_priority


        @event_priority(101)
        def on_env(env, config, files):
            page = files.get_file_from_path("p.md").page
            page.content = page.content.replace("LIST", "<b>late</b>")
        """,
    )
    sections.page("p", page("P", "%1\nA LIST.\n\n%2\n%3\n"))
    built = sections.good()
    assert "Alate." in sections.alike("p", *SAID.values()).text
    assert "A **late**." in (built / "p/index.md").read_text()
