"""A site as unlike the project's own as can be, built as README tells.

It has no TensorFlow, its own folders and settings, names with blanks and
letters beyond ASCII, tabs, a draft, an excluded page, a hook that edits
Markdown and an author's own notebook.
"""

import json
import re
import sys
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbclient import NotebookClient

from engine.keep.versions import distributions, versions
from tests.engine.second import (
    PROGRAMS,
    REPOSITORY,
    VARIABLES,
    links,
    on_a_terminal,
    other_site,
    read,
    read_notebook,
    rendered,
    run,
    said,
    site_in,
    told,
)
from tests.site.reader import END_OF_BLOCK, copied_blocks, run_alone

BUILD_ALL = """
import sys
from engine.__main__ import main
for root in sys.argv[1:]:
    assert main(["--root", root, "build"]) == 0, root
print([name for name in ("keras", "tensorflow") if name in sys.modules])
"""


MARK = re.compile(rb"zq[0-9a-f]{8}(x\d+|braces)zq")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The second site, after all that the README tells to do."""
    folder = tmp_path_factory.mktemp("second")
    (folder / "training-loops").symlink_to(REPOSITORY)
    root = site_in(folder / "Meine Wellen")
    run(["sh", "-ec", told("sh")], root)
    return root


@pytest.fixture(scope="module")
def built(root: Path) -> Path:
    return root / "site"


def test_the_readme_has_all_installed_that_the_engine_imports() -> None:
    (line,) = re.findall(r"pip install (.*)", told("sh"))
    named = re.findall(
        r"(?m)^ *(?:from|import) (\w+)",
        "\n".join(p.read_text() for p in REPOSITORY.glob("engine/**/*.py")),
    )
    needed = set(named) - sys.stdlib_module_names - {"engine"}
    assert {"markdown", "nbformat", "numpy"} <= needed
    installed = {n.lower().replace("_", "-") for n in versions(line.split())}
    for module, found in distributions(needed).items():
        names = {name.lower().replace("_", "-") for name in found}
        assert names & installed, module
    assert "tensorflow" not in line


@pytest.mark.parametrize(("page", "count"), PROGRAMS.items())
def test_copied_blocks_print_what_the_page_shows(
    root: Path, page: str, count: int, tmp_path: Path
) -> None:
    blocks = copied_blocks(read(root / f"site/{page}.html"))
    assert len(blocks) == count
    code = "\n".join(
        f"{block.deed()}\nprint({END_OF_BLOCK!r})" for block in blocks
    )
    printed = run_alone(code, tmp_path, root / ".cache/matplotlib")
    shown = [block.output for block in blocks]
    *outputs, rest = printed.split(f"{END_OF_BLOCK}\n")
    assert [on_a_terminal(text) for text in outputs] == shown
    assert any(shown)
    assert rest == ""


@pytest.mark.parametrize("page", PROGRAMS)
def test_the_script_prints_what_the_page_shows(
    root: Path, page: str, tmp_path: Path
) -> None:
    shown = [
        block.output
        for block in copied_blocks(read(root / f"site/{page}.html"))
        if block.output and not block.exits
    ]
    code = (root / f"site/{page}.py").read_text("utf-8")
    printed = run_alone(code, tmp_path, root / ".cache/matplotlib")
    assert on_a_terminal(printed) == "\n".join(shown)


@pytest.mark.parametrize("page", PROGRAMS)
def test_the_notebook_runs_again_and_prints_the_same(
    root: Path, page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPLCONFIGDIR", str(root / ".cache/matplotlib"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PATH", VARIABLES["PATH"])
    notebook = read_notebook(root / f"site/{page}.ipynb")
    nbformat.validate(notebook)
    before = [said(cell) for cell in notebook.cells]
    folder = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=100, resources=folder).execute()
    assert [said(cell) for cell in notebook.cells] == before
    assert any(text.strip() for text in before)


def test_what_is_written_is_of_the_pages_that_are_built(built: Path) -> None:
    names = {p.relative_to(built).as_posix() for p in built.rglob("*.*")}
    wanted = {f"{page}.html" for page in [*PROGRAMS, "nichts"]}
    twins = {f"{page}.md" for page in [*PROGRAMS, "nichts"]}
    taken = {f"{p}.{end}" for p in PROGRAMS for end in ("py", "ipynb")}
    taken |= {"Über uns/tief/ohne/worker.py"}
    views = {f"notebooks/{p}.html" for p in PROGRAMS if p != "index"}
    own = {"notes/Mein Heft.html", "404.html"}
    ends = (".html", ".md", ".py", ".ipynb")
    found = {n for n in names if n.endswith(ends) and "assets/" not in n}
    assert found == wanted | twins | taken | views | own


def test_nothing_of_other_pages_is_written(root: Path) -> None:
    for folder in (root / "site", root / ".cache/records"):
        texts = [p.read_bytes() for p in folder.rglob("*") if p.is_file()]
        assert len(texts) >= len(PROGRAMS)
        for text in texts:
            for word in ("GEHEIM", "UNFERTIG", "Unfertig", "geheim"):
                assert word.encode() not in text


def test_all_links_lead_somewhere(built: Path) -> None:
    kinds = set()
    ids = {
        path: {str(e["id"]) for e in read(path).select("[id]")}
        for path in built.rglob("*.html")
    }
    for name, link in links(built):
        if urlsplit(link).scheme or link.startswith("//"):
            continue
        address, anchor = urldefrag(urljoin(f"/{name}", link))
        file = built / unquote(address).removeprefix("/")
        file = file / "index.html" if file.is_dir() else file
        assert file.is_file(), f"{name}: {link}"
        if anchor and file in ids and not anchor.startswith("__"):
            assert unquote(anchor) in ids[file], f"{name}: {link}"
        kinds.add((name.rpartition(".")[2], link.rpartition(".")[2]))
    assert {("html", "ipynb"), ("ipynb", "html"), ("txt", "md")} <= kinds
    assert {("md", "md"), ("html", "py"), ("html", "html")} <= kinds


def test_pages_offer_all_that_can_be_taken_home(built: Path) -> None:
    for page in PROGRAMS:
        offered = read(built / f"{page}.html").select("a.take-home")
        names = [link.get_text() for link in offered]
        assert names[:2] == ["Notebook", "Script"], page
        assert ("Notebook view" in names) is (page != "index")
        assert ("worker.py" in names) is page.endswith("ohne")


def test_the_authors_notebook_is_shown_as_it_is(built: Path) -> None:
    view = read(built / "notes/Mein Heft.html").select_one("article")
    assert view is not None
    for unseen in view.select("script, style"):
        unseen.decompose()
    text = view.get_text()
    assert 'print("von Hand:", 1 + 2)' in text
    assert "von Hand: 3" in text
    assert "It costs $5." in text
    assert "as it ran" not in text
    assert not view.select(".run, .run-bar, .run-downloads, .take-home")
    assert view.select(".jp-InputPrompt")
    assert not list(built.glob("notes/*.md"))


def test_texts_show_as_themselves_wherever_they_go(built: Path) -> None:
    page = read(built / "texte.html")
    cells = [cell.get_text() for cell in page.select("td")]
    wanted = ["a|b", "__init__ __init__", "{{ x }}", "<b>&amp;</b>"]
    assert cells == wanted
    for text in (
        rendered((built / "texte.md").read_text("utf-8")),
        (built / "notebooks/texte.html").read_text("utf-8"),
    ):
        again = BeautifulSoup(text, "html5lib").select("table:has(th) td")
        assert [cell.get_text() for cell in again] == wanted
    title = "Texte {{ q }} & <co> $5"
    assert title in (built / "llms.txt").read_text("utf-8")
    assert title in (built / "texte.py").read_text("utf-8")
    assert read_notebook(built / "texte.ipynb").metadata.title == title


def test_braces_that_are_no_values_show_where_nothing_runs(
    built: Path,
) -> None:
    page = read(built / "nichts.html")
    article = page.select_one("article")
    assert article is not None
    assert article.select("h1")[0].get_text() == "Braces {{ x }}"
    assert "In text {{ y }} and {{ z }}." in article.get_text()
    assert page.title is not None
    assert "Braces {{ x }}" in page.title.get_text()
    assert "# Braces {{ x }}" in (built / "nichts.md").read_text("utf-8")
    for path in built.rglob("*.*"):
        assert not MARK.search(path.read_bytes())


def test_a_page_without_a_heading_goes_by_its_title(built: Path) -> None:
    twin = (built / "Über uns/tief/ohne.md").read_text("utf-8")
    assert twin.startswith('# Ohne "Überschrift" & so\n')
    view = read(built / "notebooks/Über uns/tief/ohne.html")
    described = view.select_one("meta[name=description]")
    assert described is not None
    assert str(described["content"]).startswith('Ohne "Überschrift" & so,')


def test_the_sites_fence_and_hook_have_their_say(built: Path) -> None:
    page = read(built / "Über uns/naïve waves.html")
    (bars,) = page.select("ul.bars")
    assert bars.get_text() == "sine: 44%saw: 33%"
    assert "Ein Kurs in Wellen." in page.get_text()
    (heading,) = page.select("article h2")
    assert heading.get_text() == "The peak is 1.0"
    # The home page names its block in the hook's short way.
    assert read(built / "index.html").select("#block\\:1")


def test_settings_are_those_of_the_site(built: Path) -> None:
    stamp = read(built / "texte.html").select_one(".run-versions")
    assert stamp is not None
    names = r"This page ran with Python [\d.]+ · NumPy [\d.]+\."
    assert re.fullmatch(names, stamp.get_text())
    (block,) = copied_blocks(read(built / "index.html"))
    # Nothing else was imported: no TensorFlow, and no Matplotlib.
    assert block.output.startswith("['numpy']\n")


def test_a_rule_of_the_sites_own_is_checked(tmp_path: Path) -> None:
    root = site_in(tmp_path / "site")
    page = root / "pages/nichts.md"
    page.write_text(f"{page.read_text('utf-8')}\nTODO\n", encoding="utf-8")
    check = [sys.executable, "-m", "engine", "--root", str(root), "check"]
    printed = run(check, REPOSITORY, code=1)
    line = page.read_text("utf-8").split("\n").index("TODO") + 1
    assert printed == (
        f"pages/nichts.md:{line}: this is still to be done\n  mend: do it\n"
    )


def test_two_sites_in_one_process_share_nothing_and_builds_repeat(
    built: Path, tmp_path: Path
) -> None:
    other, again = other_site(tmp_path / "other"), site_in(tmp_path / "again")
    python = [sys.executable, "-c", BUILD_ALL, str(other), str(again)]
    printed = run([*python, str(other)], REPOSITORY)
    assert printed.endswith("[]\n"), "the engine imports TensorFlow by itself"
    page = read(other / "site/index.html").get_text()
    assert "other 2" in page
    assert re.search(r"ran with Python [\d.]+ · Markdown [\d.]+\.", page)
    files = {p.relative_to(built) for p in built.rglob("*") if p.is_file()}
    assert len(files) > 40
    folder = again / "site"
    assert files == {
        p.relative_to(folder) for p in folder.rglob("*") if p.is_file()
    }
    for file in files:
        assert (folder / file).read_bytes() == (built / file).read_bytes(), (
            file
        )


def test_the_search_finds_words_of_all_pages(built: Path) -> None:
    index = json.loads((built / "search/search_index.json").read_text())
    text = " ".join(entry["text"] for entry in index["docs"])
    for word in ("höchster", "GRÜSSE", "fertig", "von Hand"):
        assert word in text
