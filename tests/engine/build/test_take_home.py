"""What readers take home is in the built site, with links that lead on."""

import json
import re
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup

from tests.engine.scratch import PAGE, Scratch

SITE = "https://x.example/"
RICH = (
    "---\ntitle: Counting\ndescription: How to count.\n---\n\n"
    + PAGE
    + "\nHow to count — and where to stop.\n"
    "\nSee `#!math x^2` and [more](other.md#part), or "
    "[away](https://tensorflow.org/).\n\n```math\n\\frac{1}{2}\n```\n\n"
    '```program\n```\n\n??? note "Why"\n\n    Because {{ total + 1 }}.\n\n'
    "    And so on.\n\nThe end.\n"
)
OTHER = (
    "# Other\n\n## Part\n\nNo code, but [counts](count.md) and [x](x y.md)."
)


@pytest.fixture
def rich(scratch: Scratch) -> Scratch:
    """A site with a page that has much, and two without a program."""
    scratch.add_hooks()
    scratch.write("docs/count.md", RICH)
    scratch.write("docs/other.md", OTHER)
    scratch.write("docs/x y.md", "# [X]\n")
    extensions = "- admonition\n  - pymdownx.details"
    scratch.replace("mkdocs.yml", "- admonition", extensions)
    about = f"site_url: {SITE}\nsite_description: Small.\nsite_name"
    scratch.replace("mkdocs.yml", "site_name", about)
    return scratch


def built(scratch: Scratch) -> Path:
    code, words = scratch.build()
    assert code == 0, words
    return scratch.root / "site"


def notebook(path: Path) -> nbformat.NotebookNode:
    book = nbformat.reads(path.read_text("utf-8"), as_version=4)
    nbformat.validate(book)
    return book


def prose(book: nbformat.NotebookNode) -> str:
    cells = book.cells
    return "\n".join(c.source for c in cells if c.cell_type == "markdown")


def test_all_is_written_and_nothing_else(rich: Scratch) -> None:
    site = built(rich)
    kinds = ("ipynb", "md", "py", "txt")
    found = [path for kind in kinds for path in site.rglob(f"*.{kind}")]
    assert {path.relative_to(site).as_posix() for path in found} == {
        "count.ipynb",
        "count.py",
        "count/index.md",
        "index.md",
        "llms-full.txt",
        "llms.txt",
        "other/index.md",
        "x y/index.md",
    }


def test_a_list_names_all_pages(rich: Scratch) -> None:
    assert (built(rich) / "llms.txt").read_text("utf-8") == (
        "# Scratch\n\nSmall.\n\n"
        f"- [Home]({SITE}index.md): \n"
        f"- [Counting]({SITE}count/index.md): How to count.\n"
        f"- [Other]({SITE}other/index.md): \n"
        f"- [\\[X\\]]({SITE}x%20y/index.md): \n"
    )


def test_a_page_is_called_as_it_calls_itself(rich: Scratch) -> None:
    rich.replace("docs/count.md", "title: Counting\n", "")
    rich.replace("docs/count.md", "# Counting\n\n", "")
    heading = "# {{ total }} > 1 & `x`\n\nHow to"
    rich.replace("docs/count.md", "\nHow to", f"\n{heading}")
    nav = "nav: [index.md, Short: count.md, other.md, x y.md]\nplugins"
    rich.replace("mkdocs.yml", "plugins", nav)
    site = built(rich)
    assert "[2 > 1 & x](" in (site / "llms.txt").read_text("utf-8")
    assert "\n# 2 > 1 & x\n" in (site / "count.py").read_text("utf-8")
    assert notebook(site / "count.ipynb").metadata.title == "2 > 1 & x"
    path = site / "notebooks/count/index.html"
    view = BeautifulSoup(path.read_text("utf-8"), "html5lib")
    assert view.title is not None
    assert view.title.get_text() == "Notebook: 2 > 1 & x - Scratch"
    page = (site / "count/index.html").read_text("utf-8")
    listed = BeautifulSoup(page, "html5lib").select(
        ".md-nav--primary .md-nav__item--active"
    )
    assert listed[-1].get_text().split()[0] == "Short"


def test_the_whole_is_what_runs(rich: Scratch) -> None:
    site = built(rich)
    twin = (site / "count/index.md").read_text("utf-8")
    whole = twin.replace("(../other/", "(other/")
    assert twin != whole == (site / "llms-full.txt").read_text("utf-8")[:-1]


def test_the_script_is_the_program(rich: Scratch) -> None:
    text = (built(rich) / "count.py").read_text("utf-8")
    assert re.match(
        r"# Ran with Python 3[\d.]+\n#\n# Counting\n\nimport", text
    )
    assert "import math" in text
    assert 'print("number", number)' in text
    compile(text, "script", "exec")


def test_the_plain_text_shows_what_the_page_shows(rich: Scratch) -> None:
    site = built(rich)
    text = (site / "count/index.md").read_text("utf-8")
    assert text.startswith("# Counting\n\n```python\nimport math\n```\n\n")
    assert "```text\nnumber 0\nnumber 1\n```" in text
    assert "There were 2 numbers." in text
    assert "How to count — and where to stop." in text
    assert "See $x^2$ and [more](../other/index.md#part)" in text
    assert "[away](https://tensorflow.org/)" in text
    assert "$$\n\\frac{1}{2}\n$$" in text
    assert "**Why**\n\nBecause 3.\n\nAnd so on.\n\nThe end." in text
    other = (site / "other/index.md").read_text("utf-8")
    assert "[counts](../count/index.md)" in other
    assert "[x](../x%20y/index.md)" in other


def test_the_notebook_is_executed_and_links_to_the_site(
    rich: Scratch,
) -> None:
    book = notebook(built(rich) / "count.ipynb")
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [1, 2]
    (output,) = code[1].outputs
    assert (output.output_type, output.name) == ("stream", "stdout")
    assert output.text == "number 0\nnumber 1\n"
    text = prose(book)
    assert f"[more]({SITE}other/#part)" in text
    assert "See $x^2$" in text
    assert "$$\n\\frac{1}{2}\n$$" in text


def test_the_notebook_can_be_read_by_people(rich: Scratch) -> None:
    text = (built(rich) / "count.ipynb").read_text("utf-8")
    assert "How to count — and where to stop." in text
    assert '\n "cells": [\n' in text


@pytest.mark.parametrize(
    ("directories", "twin", "page", "view"),
    [
        ("true", "other/index.md", "other/#part", "../../other/#part"),
        ("false", "other.md", "other.html#part", "../other.html#part"),
    ],
)
def test_links_lead_on_where_the_site_has_no_address(
    rich: Scratch, directories: str, twin: str, page: str, view: str
) -> None:
    rich.replace("mkdocs.yml", f"site_url: {SITE}\n", "")
    urls = "use_directory_urls: "
    rich.replace("mkdocs.yml", f"{urls}true", urls + directories)
    site = built(rich)
    assert (site / twin).exists()
    assert f"[more]({page})" in prose(notebook(site / "count.ipynb"))
    (shown,) = (site / "notebooks").rglob("*.html")
    assert f'<a href="{view}">more</a>' in shown.read_text("utf-8")
    listed = (site / "llms.txt").read_text("utf-8")
    assert f"- [Other]({twin}): " in listed


def test_links_within_a_page_stay_within_its_view(rich: Scratch) -> None:
    rich.replace("docs/count.md", "We count.", "[a](#ends) [b](#block:1)")
    rich.replace("docs/count.md", "The end.", "## Ends\n")
    site = built(rich)
    view = (site / "notebooks/count/index.html").read_text("utf-8")
    assert '<a href="#ends">a</a>' in view
    assert '<a href="../../count/#block:1">b</a>' in view
    text = prose(notebook(site / "count.ipynb"))
    assert f"[a]({SITE}count/#ends)" in text


def test_a_figure_is_described(rich: Scratch) -> None:
    rich.replace(
        "snippets/count.py",
        'print("number", number)',
        "import matplotlib.pyplot as p; p.plot([1]); p.show(); break",
    )
    rich.replace("docs/count.md", 'py:count"', 'py:count" alt="A dot"')
    site = built(rich)
    twin = (site / "count/index.md").read_text("utf-8")
    assert "*Figure: A dot.*" in twin
    (output,) = notebook(site / "count.ipynb").cells[3].outputs
    assert output.data["text/plain"] == "A dot"
    assert 'aria-label="A dot"' in output.data["image/svg+xml"]


def test_a_block_meant_to_fail_is_tagged_so(rich: Scratch) -> None:
    rich.replace(
        "snippets/count.py", 'print("number", number)', "raise KeyError(1)"
    )
    rich.replace("docs/count.md", 'py:count"', 'py:count" raises="KeyError"')
    cell = notebook(built(rich) / "count.ipynb").cells[3]
    assert cell.metadata["tags"] == ["raises-exception"]
    assert cell.outputs[0]["ename"] == "KeyError"


def test_the_theme_is_told_what_there_is(rich: Scratch) -> None:
    rich.write(
        "theme/main.html",
        '{% extends "base.html" %}{% block content %}{{ super() }}'
        "<b>{{ (page.meta.take_home or []) | tojson }}</b>{% endblock %}",
    )
    name = "  name: material\n"
    rich.replace("mkdocs.yml", name, f"{name}  custom_dir: theme\n")
    extra = "extra: {notebooks_on_github: o/r/blob/b}\nsite_name"
    rich.replace("mkdocs.yml", "site_name", extra)
    page = (built(rich) / "count/index.html").read_text("utf-8")
    told = page.partition("<b>")[2].partition("</b>")[0]
    colab = "https://colab.research.google.com/github/o/r/blob/b/count.ipynb"
    links = json.loads(told)
    assert [(link["label"], link["href"]) for link in links] == [
        ("Notebook", "../count.ipynb"),
        ("Script", "../count.py"),
        ("Plain text", "index.md"),
        ("Open in Colab", colab),
        ("Notebook view", "../notebooks/count/"),
    ]
    saved = [link["label"] for link in links if link.get("download")]
    assert saved == ["Notebook", "Script"]


def test_a_file_of_the_sites_own_is_not_overwritten(rich: Scratch) -> None:
    rich.write("docs/count.py", "x = 1\n")
    code, words = rich.build()
    assert code == 1
    assert words.endswith(
        "docs/count.md: what readers take home would overwrite count.py, "
        "which the site has already\n"
        "  mend: give the page or that file another name\n"
    )
