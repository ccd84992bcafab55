"""A link that leads to nothing that is built ends the build."""

import pytest

from tests.engine.kinds import forms
from tests.engine.kinds.site import Site

FENCE = '```python run="snippets/a.py:one"\n```\n'
DEAD = {
    "html": ('<a href="nowhere/">x</a>\n', "", 3),
    "markdown_in_html": ('<a href="w.md">x</a>\n', "", 3),
    "image": ('<img src="no.png" alt="x">\n', "", 3),
    "draft": ("[x](w.md)\n", "draft_docs: w.md\n", 3),
    "excluded": ("[x](w.md)\n", "exclude_docs: w.md\n", 3),
    "left_as_it_is": ("[h](index.md)\n\n[x](e.org/x)\n", "", 5),
    "excluded_file": ("[x](a%20b.txt)\n", "exclude_docs: '*.txt'\n", 0),
}


@pytest.mark.parametrize("name", DEAD)
def test_each_is_named_with_its_line(site: Site, name: str) -> None:
    text, setting, line = DEAD[name]
    site.write("docs/w.md", "# W\n\nDraft.\n")
    site.write("docs/a b.txt", "x\n")
    site.page("p", f"# P\n\n{text}")
    with (site.root / "mkdocs.yml").open("a") as file:
        file.write(setting)
    words = site.bad()
    place = f"docs/p.md:{line}" if line else "docs/p.md"
    assert words.startswith(f'{place}: the link "'), words
    assert "leads to nothing that is built" in words
    assert words.count("mend:") == 1


def test_a_link_in_an_authors_notebook_is_followed(site: Site) -> None:
    cell = '"cell_type": "markdown", "id": "a", "metadata": {}'
    site.write(
        "docs/own.ipynb",
        f'{{"cells": [{{{cell}, "source": "[x](none.md) [h](..)"}}], '
        '"metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
    )
    words = site.bad()
    assert words.startswith('docs/own.ipynb:1: the link "none.md" leads to')
    assert words.count("mend:") == 1


def test_a_link_by_reference_is_named_where_its_address_stands(
    site: Site,
) -> None:
    site.page("p", "# P\n\nSee [x][y].\n\n[y]: nowhere.md\n")
    words = site.bad()
    assert words.startswith("docs/p.md:5: contains a link 'nowhere.md'"), words


def test_a_draft_in_the_navigation_is_named_there(site: Site) -> None:
    site.write("docs/w.md", "# W\n\nDraft.\n")
    site.page("p", "# P\n\nText.\n")
    added = "draft_docs: w.md\nnav: [index.md, p.md, w.md]\n"
    with (site.root / "mkdocs.yml").open("a") as file:
        file.write(added)
    line = (site.root / "mkdocs.yml").read_text().count("\n") - 1
    words = site.bad()
    assert words.startswith(f'mkdocs.yml:{line}: the link "w/" leads'), words
    assert words.count("mend:") == 1


def test_what_the_navigation_lacks_and_what_it_has_too_much_is_named(
    site: Site,
) -> None:
    for name in ("first", "second", "third"):
        site.page(name, f"# {name}\n\nText.\n")
    site.replace(
        "mkdocs.yml",
        "site_name: Kinds\n",
        "site_name: Kinds\nvalidation: {nav: {omitted_files: warn}}\n"
        "nav:\n  - index.md\n  - frist.md\n",
    )
    listed = "this page is not listed in the navigation"
    hint = "  mend: list it under nav in mkdocs.yml, or under not_in_nav"
    words = site.bad()
    assert words.splitlines() == [
        f"docs/first.md: {listed}",
        hint,
        f"docs/second.md: {listed}",
        hint,
        f"docs/third.md: {listed}",
        hint,
        "mkdocs.yml:5: A reference to 'frist.md' is included in the 'nav' "
        "configuration, which is not found in the documentation files.",
        '  mend: write "first.md"? name a page that is there',
    ]
    code, checked = site.engine("check")
    assert (code, checked) == (1, words)


def test_an_anchor_that_no_heading_has_is_named_with_one_that_has(
    site: Site,
) -> None:
    site.page("q", "# Q\n\n## Part\n\nText.\n")
    site.page("p", "# P\n\n## Own\n\n[x](#onw)\n\n[y](q.md#prat)\n")
    site.replace(
        "mkdocs.yml",
        "site_name: Kinds\n",
        "site_name: Kinds\nvalidation: {links: {anchors: warn}}\n",
    )
    words = site.bad()
    assert words.splitlines() == [
        "docs/p.md:5: contains a link '#onw', but there is no such anchor on "
        "this page.",
        '  mend: write "own"? link to a heading of that page',
        "docs/p.md:7: contains a link 'q.md#prat', but the doc 'q.md' does "
        "not contain an anchor '#prat'.",
        '  mend: write "part"? link to a heading of that page',
    ]
    assert site.engine("check") == (1, words)


def test_links_that_are_no_files_are_left_alone(site: Site) -> None:
    site.page(
        "p",
        '# P\n\n<a href="https://e.org/x">x</a> <a href="//e.org/x">x</a>\n'
        '<a href="mailto:a@e.org">m</a> <a href="/elsewhere/">e</a>\n'
        '<a href="#learning=1">s</a> <a href="">t</a> <a href="?a=1">q</a>\n'
        '`<a href="none">` <!-- <a href="none">x</a> -->\n'
        "<script>const a = '<a href=\"none\">';</script>\n",
    )
    site.replace(
        "mkdocs.yml", "site_name", "site_url: https://s.org/sub/\nsite_name"
    )
    code, words = site.engine("build")
    assert code == 0, words


def test_a_site_needs_no_home_page(site: Site) -> None:
    """The theme links to one all the same: that is not the author's link."""
    (site.root / "docs/index.md").unlink()
    site.write("docs/p/q.md", "# Q\n\nText.\n")
    code, words = site.engine("build")
    assert code == 0, words


def test_a_page_may_not_link_to_a_home_that_there_is_not(site: Site) -> None:
    (site.root / "docs/index.md").unlink()
    site.page("a", '# A\n\n<!-- <a href="..">x</a> -->\n')
    site.page("p", '# P\n\n<a href="..">x</a>\n')
    words = site.bad()
    assert words.startswith('docs/p.md:3: the link ".." leads'), words
    assert words.count("mend:") == 1


@pytest.mark.parametrize("other", ["docs/p.ipynb", "docs/p/index.md"])
def test_two_pages_at_one_address_are_named(site: Site, other: str) -> None:
    site.sections("a", one="print('one')")
    site.page("p", f"# P\n\n{FENCE}\n")
    empty = '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
    site.write(other, empty)
    words = site.bad()
    assert "is written to p/index.html as well" in words
    assert words.count("mend:") == 1


@pytest.mark.parametrize("own", ["notebooks/p.md", "notebooks/p.ipynb"])
def test_what_stands_where_a_view_would_be_stays(site: Site, own: str) -> None:
    site.sections("a", one="print('one')")
    site.page("p", f"# P\n\n{FENCE}\n")
    book = (
        '{"cells": [{"cell_type": "markdown", "id": "a", "metadata": {}, '
        '"source": "# Mine"}], "metadata": {}, "nbformat": 4, '
        '"nbformat_minor": 5}'
    )
    site.write(f"docs/{own}", book if own.endswith("b") else "# Mine\n")
    shown = forms.rendered(site.good(), "notebooks/p/").get_text()
    assert "Mine" in shown
    links = forms.rendered(site.root / "site", "p/").select(".run-downloads")
    assert "Notebook view" not in [link.get_text() for link in links]


@pytest.mark.parametrize("name", ["llms.txt", "llms-full.txt", "_headers"])
def test_a_file_that_an_author_has_written_stays(
    site: Site, name: str
) -> None:
    site.write(f"docs/{name}", "mine\n")
    assert (site.good() / name).read_text() == "mine\n"


def test_what_describes_a_page_links_nowhere(site: Site) -> None:
    site.page("p", "---\ndescription: |\n  One [x](y)\n  two.\n---\n# P\n")
    site.replace("mkdocs.yml", "name: Kinds", "name: '[K](z)'")
    listed = (site.good() / "llms.txt").read_text()
    assert "- [P](p/index.md): One \\[x\\](y) two.\n" in listed
    assert listed.startswith("# \\[K\\](z)\n")


def test_a_page_whose_title_is_nothing_goes_by_its_name(site: Site) -> None:
    site.sections("a", one="print('one')")
    site.page("some_page", f"---\ntitle: null\n---\n{FENCE}")
    built = site.good()
    assert "[Some page](" in (built / "llms.txt").read_text()
    assert "\n# Some page\n" in (built / "some_page.py").read_text()


def test_a_view_leads_to_where_a_hook_has_moved_its_page(site: Site) -> None:
    site.add_hook(
        """
        def on_files(files, config):
            page = files.get_file_from_path("p.md")
            page.dest_uri = "moved/index.html"
            page.url = "moved/"
            return files
        """,
    )
    site.sections("a", one="print('one')")
    site.page("p", f"# P\n\n{FENCE}\n")
    view = forms.rendered(site.good(), "notebooks/p/")
    assert view.select(".run-downloads a[href='../../moved/']")


def test_a_view_follows_its_page_when_addresses_change(site: Site) -> None:
    site.sections("a", one="print('one')")
    site.page("p", f"# P\n\n{FENCE}\n")
    site.good()
    with (site.root / "mkdocs.yml").open("a") as file:
        file.write("use_directory_urls: false\n")
    view = forms.rendered(site.good(), "notebooks/p.html")
    assert view.select(".run-downloads a[href='../p.html']")


def test_check_knows_the_notebooks_that_a_build_has(site: Site) -> None:
    site.sections("a", one="print('one')")
    site.page("p", '# P\n\n```python run="snippets/a.py:one"\n```\n')
    site.page("q", "# Q\n\n[a](notebooks/p.ipynb)\n\n[b](notebooks/n.ipynb)\n")
    code, words = site.engine("check")
    assert code == 1
    assert words.startswith("docs/q.md:5: contains a link 'notebooks/n.ipynb'")
    assert words.count("mend:") == 1
    site.replace("docs/q.md", "[b](notebooks/n.ipynb)", "")
    nav = "nav: [index.md, p.md, q.md, Notebook: notebooks/p.ipynb]\n"
    site.replace("mkdocs.yml", "site_name", f"{nav}site_name")
    assert site.engine("check")[0] == 0
    site.good()
