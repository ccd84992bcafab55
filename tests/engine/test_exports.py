"""Pages are exported from their record."""

import json

import nbformat
import pytest

from engine.exports import notebook, pieces, plain_text, script, write_exports
from engine.pages import Page
from engine.project import Project
from engine.records import Record, keep_record, make_record
from tests.engine.scratch import PAGE, Scratch

RICH = (
    "---\ntitle: Counting\ndescription: How to count.\n---\n\n"
    + PAGE
    + "\nHow to count — and where to stop.\n"
    "\nSee `#!math x^2` and [more](other.md#part), or "
    "[away](https://tensorflow.org/).\n\n```math\n\\frac{1}{2}\n```\n\n"
    '```program\n```\n\n??? note "Why"\n\n    Because {{ total + 1 }}.\n\n'
    "    And so on.\n\nThe end.\n"
)


@pytest.fixture
def project(scratch: Scratch) -> Project:
    scratch.write("docs/index.md", RICH)
    return Project(scratch.root)


@pytest.fixture
def page(project: Project) -> Page:
    return project.page("index")


@pytest.fixture
def record(project: Project, page: Page) -> Record:
    return make_record(project, page)


def test_a_page_is_prose_and_blocks_in_order(
    page: Page, record: Record
) -> None:
    kinds = [type(piece).__name__ for piece in pieces(page, record)]
    assert kinds == [
        *("Text", "Run", "Text", "Run", "Text"),
        *("WholeProgram", "Text"),
    ]


def test_the_script_is_the_program(page: Page, record: Record) -> None:
    text = script(page, record)
    assert text.startswith('"""Counting.\n\nRan with Python 3.')
    assert "import math" in text
    assert 'print("number", number)' in text
    compile(text, "script", "exec")


def test_the_plain_text_shows_outputs_and_values(
    project: Project, page: Page, record: Record
) -> None:
    text = plain_text(project, page, record)
    assert text.startswith("# Counting\n\n```python\nimport math\n```\n\n")
    assert "```text\nnumber 0\nnumber 1\n```" in text
    assert "There were 2 numbers." in text
    assert "[more](other/index.md#part)" in text
    assert "[away](https://tensorflow.org/)" in text
    assert "**Why**\n\nBecause 3.\n\nAnd so on.\n\nThe end." in text


def test_a_figure_is_described_in_the_plain_text(scratch: Scratch) -> None:
    scratch.replace(
        "snippets/count.py",
        'print("number", number)',
        "import matplotlib.pyplot as p; p.plot([1]); p.show(); break",
    )
    scratch.write(
        "docs/index.md", PAGE.replace('py:count"', 'py:count" alt="A dot"')
    )
    project = Project(scratch.root)
    page = project.page("index")
    record = make_record(project, page)
    assert "*Figure: A dot.*" in plain_text(project, page, record)
    book = json.loads(notebook(page, record, "", "/"))
    (output,) = book["cells"][3]["outputs"]
    assert output["data"]["text/plain"] == "A dot"
    assert 'aria-label="A dot"' in output["data"]["image/svg+xml"]


def test_the_notebook_is_executed_and_links_to_the_site(
    page: Page, record: Record
) -> None:
    book = json.loads(notebook(page, record, "https://x.example/", "/"))
    code = [c for c in book["cells"] if c["cell_type"] == "code"]
    assert [c["execution_count"] for c in code] == [1, 2]
    assert code[1]["outputs"] == [
        {
            "output_type": "stream",
            "name": "stdout",
            "text": "number 0\nnumber 1\n",
        }
    ]
    prose = "\n".join(
        c["source"] for c in book["cells"] if c["cell_type"] == "markdown"
    )
    assert "[more](https://x.example/other/#part)" in prose
    assert "See $x^2$" in prose
    assert "$$\n\\frac{1}{2}\n$$" in prose


def test_the_notebook_can_be_read_by_jupyter_and_by_people(
    page: Page, record: Record
) -> None:
    text = notebook(page, record, "", "/")
    book = json.loads(text)
    assert (book["nbformat"], book["nbformat_minor"]) == (
        nbformat.v4.nbformat,
        nbformat.v4.nbformat_minor,
    )
    nbformat.validate(book)
    assert "How to count — and where to stop." in text
    assert '\n "cells": [\n' in text


def test_a_block_meant_to_fail_is_tagged_so(scratch: Scratch) -> None:
    scratch.replace(
        "snippets/count.py", 'print("number", number)', "raise KeyError(1)"
    )
    scratch.write(
        "docs/index.md",
        PAGE.replace('py:count"', 'py:count" raises="KeyError"'),
    )
    project = Project(scratch.root)
    page = project.page("index")
    book = json.loads(notebook(page, make_record(project, page), "", "/"))
    cell = book["cells"][3]
    assert cell["metadata"]["tags"] == ["raises-exception"]
    assert cell["outputs"][0]["ename"] == "KeyError"


def test_all_exports_are_written(
    project: Project, page: Page, record: Record, scratch: Scratch
) -> None:
    scratch.write("docs/about.md", "# About\n\nNo code.\n")
    scratch.write("docs/again.md", PAGE + "\nSee [all](count.md).\n")
    project = Project(scratch.root)
    for name in ("index", "again"):
        shown = project.page(name)
        keep_record(project, shown, make_record(project, shown))
    folder = scratch.root / "exports"
    write_exports(project, folder, "https://x.example/", directories=False)
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*.*")}
    assert found == {
        "about/index.md",
        "again.ipynb",
        "again.py",
        "again/index.md",
        "index.ipynb",
        "index.md",
        "index.py",
        "llms-full.txt",
        "llms.txt",
        "notebooks/again.ipynb",
    }
    view = (folder / "notebooks/again.ipynb").read_text("utf-8")
    assert "../count.html" in view
    listed = (folder / "llms.txt").read_text("utf-8")
    assert "[Counting](https://x.example/index.md): How to count." in listed
    assert "[About](https://x.example/about/index.md)" in listed
