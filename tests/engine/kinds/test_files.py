"""Which files are pages, only the generator knows; none else matters."""

import json
import os
from pathlib import Path

import pytest

from tests.engine.kinds import forms
from tests.engine.kinds.site import Site

FENCE = '```python run="snippets/{}.py:one"\n```\n'
BOOK = {
    "cells": [
        {
            "cell_type": "markdown",
            "id": "a",
            "metadata": {},
            "source": "# My own\n\nText.",
        },
        {
            "cell_type": "code",
            "id": "b",
            "execution_count": 7,
            "metadata": {},
            "outputs": [
                {"output_type": "stream", "name": "stdout", "text": "own\n"}
            ],
            "source": "print('own')",
        },
    ],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}


@pytest.fixture
def page(site: Site) -> Site:
    site.sections("a", one="print('one')")
    site.page("p", f"# P\n\n{FENCE.format('a')}\n")
    return site


def texts(site: Path) -> str:
    """Return all that the site says, and the names of its files."""
    paths = [path for path in sorted(site.rglob("*")) if path.is_file()]
    names = [path.relative_to(site).as_posix() for path in paths]
    data = [
        p.read_bytes()
        for p, n in zip(paths, names, strict=True)
        if "assets" not in n
    ]
    return "\n".join([*names, *(d.decode("utf-8", "replace") for d in data)])


@pytest.mark.parametrize("how", ["exclude_docs", "draft_docs"])
def test_nothing_is_run_or_written_of_what_is_left_out(
    page: Site, how: str
) -> None:
    with (page.root / "mkdocs.yml").open("a") as file:
        file.write(f"{how}: |\n  drafts/\n  *.draft.md\n")
    page.sections("b", one="open('/dev/null'); print('sec' + 'ret')")
    page.page("drafts/secret", f"# Secret\n\n{FENCE.format('b')}\n")
    page.page("secret.draft", f"# Secret\n\n{FENCE.format('b')}\n")
    site = page.good()
    page.alike("p", "one")
    assert "secret" not in texts(site).lower()
    records = page.root / ".cache/records"
    assert [path.name for path in records.rglob("*.json")] == ["p.json"]
    assert page.engine("check")[0] == 0


@pytest.mark.parametrize("suffix", ["md", "markdown", "mkd"])
def test_a_draft_asks_for_its_sections(page: Site, suffix: str) -> None:
    with (page.root / "mkdocs.yml").open("a") as file:
        file.write("draft_docs: d.*\n")
    page.sections("b", one="print('b')")
    page.page("d", f"# Draft\n\n{FENCE.format('b')}\n")
    (page.root / "docs/d.md").rename(page.root / f"docs/d.{suffix}")
    page.good()


def test_what_editors_leave_behind_does_not_matter(page: Site) -> None:
    docs = page.root / "docs"
    bad = FENCE.format("missing")
    for name in (
        ".ipynb_checkpoints/p-checkpoint",
        ".hidden/p",
        ".p",
        ".obsidian/deep/p",
    ):
        page.page(name, f"# Left behind\n\n{bad}")
    os.symlink("nobody@nowhere.1234:5678", docs / ".#p.md")
    os.symlink("nobody@nowhere.1234:5678", page.root / "snippets/.#a.py")
    for name in ("p.md~", "#p.md#", ".p.md.swp", "p.md.orig"):
        (docs / name).write_text(bad)
    (page.root / "snippets/.ipynb_checkpoints").mkdir()
    old = page.root / "snippets/.ipynb_checkpoints/a-checkpoint.py"
    old.write_text("# region lost\n# not Python (\n")
    site = page.good()
    page.alike("p", "one")
    assert "Left behind" not in texts(site)
    assert page.engine("check")[0] == 0


@pytest.mark.parametrize("suffix", ["markdown", "mdown", "mkdn", "mkd"])
def test_a_page_may_end_in_all_that_mkdocs_takes_for_one(
    page: Site, suffix: str
) -> None:
    (page.root / "docs/p.md").rename(page.root / f"docs/p.{suffix}")
    page.good()
    page.alike("p", "one")


def test_a_page_that_is_not_utf_8_is_named_with_its_line(page: Site) -> None:
    (page.root / "docs/q.md").write_bytes(b"# Q\n\nGr\xfc\xdfe\n")
    words = page.bad()
    assert words.count("mend:") == 1
    assert "docs/q.md:3: is not encoded in UTF-8\n" in words
    assert page.engine("run", "q") == (1, words)


def test_a_snippet_that_is_not_utf_8_is_named_with_its_line(
    page: Site,
) -> None:
    module = page.root / "snippets/a.py"
    module.write_bytes(module.read_bytes() + b"# Gr\xfc\xdfe\n")
    lines = module.read_bytes().count(b"\n")
    words = page.bad()
    assert words.count("mend:") == 1
    assert f"snippets/a.py:{lines}: " in words
    assert "UTF-8" in words


def test_a_file_to_show_that_is_not_utf_8_is_named(page: Site) -> None:
    (page.root / "speed.json").write_bytes(b"{\n\xff\xfe}")
    page.page("f", '# F\n\n```json source="speed.json" file="f.json"\n```\n')
    words = page.bad()
    assert words.count("mend:") == 1
    assert "speed.json:2: is not encoded in UTF-8\n" in words


@pytest.mark.parametrize(
    ("encoded", "error"), [("utf-8-sig", ""), ("utf-16", "UTF-8")]
)
def test_marks_of_order_at_the_beginning(
    page: Site, encoded: str, error: str
) -> None:
    for path in (page.root / "docs/p.md", page.root / "snippets/a.py"):
        path.write_text(path.read_text("utf-8"), encoded)
    if error:
        assert error in page.bad()
        return
    page.good()
    page.alike("p", "one")


def test_snippets_may_end_their_lines_as_windows_does(page: Site) -> None:
    module = page.root / "snippets/a.py"
    page.sections("a", one='text = """a\nb"""\nprint(repr(text))')
    module.write_bytes(module.read_bytes().replace(b"\n", b"\r\n"))
    page.good()
    page.alike("p", "'a\\n    b'")


def test_an_authors_notebook_is_shown_as_it_is(page: Site) -> None:
    (page.root / "docs/own.ipynb").write_text(json.dumps(BOOK))
    site = page.good()
    article = forms.rendered(site, "own/").select_one("article")
    assert article
    text = article.get_text()
    assert "My own" in text
    assert "as it ran" not in text
    assert "Read the page" not in text
    assert not article.select(".run, .run-downloads")
    page.alike("p", "one")


def test_a_file_that_would_be_overwritten_is_named(page: Site) -> None:
    page.write("docs/p.py", "print('mine')\n")
    words = page.bad()
    assert words.count("mend:") == 1
    assert "docs/p.md: " in words
    assert "p.py" in words


def test_a_site_of_prose_alone_needs_no_snippets(site: Site) -> None:
    (site.root / "snippets").rmdir()
    site.page("p", "# P\n\nOnly \\{{ words }}.\n")
    built = site.good()
    assert "Only{{words}}." in forms.page(built, "p/").text
    assert "Only {{ words }}." in (built / "p/index.md").read_text()


def test_a_page_whose_script_stands_in_the_way_is_named(site: Site) -> None:
    site.sections("a", one="x = 1", two="x = 2", three="x = 3")
    fence = '```python run="snippets/a.py:{}"\n```\n'
    file = fence.replace('"\n', '" file="helper.py"\n')
    site.page("json", f"# P\n\n{fence.format('one')}")
    site.page("helper", f"# P\n\n{file.format('two')}")
    site.page("other", f"# P\n\n{file.format('three')}")
    words = site.bad()
    assert (
        "docs/json.md: the page's script, json.py, hides the module json"
    ) in words
    assert (
        'docs/helper.md:3: file="helper.py" is the name of the page\'s script'
    ) in words
    assert words.count("mend:") == 2


def test_folders_may_be_links(page: Site, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.py").write_text("# region one\nprint(1)\n# endregion one\n")
    (other / "q.md").write_text(f"# Q\n\n{FENCE.format('linked/b')}")
    for folder in ("docs", "snippets"):
        (page.root / folder / "linked").symlink_to(other)
    words = page.bad()
    assert words.count("mend:") == 1
    assert "snippets/linked/b.py:2: prints when the module" in words


@pytest.mark.parametrize("name", ["my.v2", "v1.2/intro", "1st-try"])
def test_a_module_may_have_a_name_that_no_import_has(
    page: Site, name: str
) -> None:
    module = page.write(f"snippets/{name}.py", "# region one\nprint(1)\n")
    module.write_text(module.read_text() + "# endregion one\n")
    page.page("q", f"# Q\n\n{FENCE.format(name)}")
    words = page.bad()
    assert f"snippets/{name}.py:2: prints when the module" in words
    assert words.count("mend:") == 1
    module.write_text(f"if __name__ == '__main__':\n{module.read_text()}")
    page.replace(f"snippets/{name}.py", "print", "    print")
    page.good()
    page.alike("q", "1")
