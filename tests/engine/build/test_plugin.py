"""MkDocs builds with the hooks alone, and does no work twice."""

from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from jinja2 import Environment, FileSystemBytecodeCache
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

from engine.build import templates
from engine.build.notebook_view import View, tidy
from tests.engine.scratch import Scratch

VIEW = "notebooks/count/index.html"


@pytest.fixture
def hooked(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> Scratch:
    """A project that MkDocs builds with the hooks, in this process."""
    scratch.add_hooks()
    monkeypatch.chdir(scratch.root)
    return scratch


def build_here(strict: bool = True) -> Path:
    config = load_config(
        "mkdocs.yml", site_url="https://x.example/", strict=strict
    )
    build(config)
    return Path(config.site_dir)


def read(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text("utf-8"), "html5lib")


def test_a_build_brings_all_that_readers_take_home(hooked: Scratch) -> None:
    site = build_here()
    for name in (
        "_headers",
        "count.ipynb",
        "count.py",
        "count/index.md",
        "llms.txt",
        "notebooks/count/index.html",
    ):
        assert (site / name).exists(), name
    assert not (site / "notebooks/count.ipynb").exists()
    headers = (site / "_headers").read_text()
    assert "Content-Security-Policy: default-src 'self'" in headers


def test_a_notebook_view_has_cells_and_no_jupyterlab(hooked: Scratch) -> None:
    page = read(build_here() / VIEW)
    article = page.select_one("article")
    assert article is not None
    assert not article.select("script, style, [tabindex]")
    prompts = [bar.get_text() for bar in article.select(".run-bar")]
    assert prompts == ["In [1]:", "In [2]:"]
    output = article.select_one(".run-output samp")
    assert output is not None
    assert output.get_text() == "number 0\nnumber 1\n"
    link = article.select_one(".run-downloads a")
    assert link is not None
    assert link["href"] == "../../count/"
    canonical = page.select_one("link[rel=canonical]")
    assert canonical is not None
    assert canonical["href"] == "https://x.example/count/"


def test_a_notebook_view_lists_its_headings_with_their_code(
    hooked: Scratch,
) -> None:
    hooked.replace("docs/count.md", "We count.", "## Why `fit`\n\n### Parts")
    contents = read(build_here() / VIEW).select_one(".md-sidebar--secondary")
    assert contents is not None
    (top, part) = contents.select("li")
    assert top.get_text(" ").split() == ["Why", "fit", "Parts"]
    assert part.get_text().strip() == "Parts"


def test_notebooks_are_beside_their_pages_and_in_no_list(
    hooked: Scratch,
) -> None:
    hooked.write("docs/words.md", "# Words\n\nNo program.\n")
    nav = "nav: [index.md, words.md, count.md]\nplugins"
    hooked.replace("mkdocs.yml", "plugins", nav)
    site = build_here()
    assert not (site / "notebooks/words").exists()
    links = read(site / "index.html").select(".md-nav--primary a[href]")
    assert [link["href"] for link in links[1:]] == [".", "words/", "count/"]
    page, view = read(site / "count/index.html"), read(site / VIEW)
    assert page.title
    assert view.title
    assert page.title.get_text() != view.title.get_text()


def test_no_notebooks_without_the_plugin_that_shows_them(
    hooked: Scratch,
) -> None:
    text = (hooked.root / "mkdocs.yml").read_text()
    before, _, after = text.partition("  - mkdocs-jupyter")
    extensions = after[after.index("markdown_extensions") :]
    hooked.write("mkdocs.yml", before + extensions)
    site = build_here()
    assert not (site / "notebooks").exists()
    assert (site / "count.ipynb").exists()


def test_the_search_reads_no_drawing(hooked: Scratch) -> None:
    hooked.replace(
        "snippets/count.py",
        "total = ",
        "import matplotlib.pyplot as p; p.plot([1], label='tick'); "
        "p.legend(); p.show(); total = ",
    )
    hooked.replace("docs/count.md", 'py:count"', 'py:count" alt="A dot"')
    site = build_here()
    assert ">tick</text>" in (site / "count/index.html").read_text()
    found = (site / "search/search_index.json").read_text()
    assert "number 1" in found
    assert "tick" not in found.replace("label='tick'", "")
    assert "notebooks/" not in found


@pytest.mark.parametrize("strict", [True, False])
def test_a_fault_is_an_error_of_the_build(
    hooked: Scratch, caplog: pytest.LogCaptureFixture, strict: bool
) -> None:
    hooked.replace("snippets/count.py", "2.5", "'2.5'")
    with pytest.raises(Abort):
        build_here(strict)
    assert "docs/count.md:8: snippets/count.py:10: " in caplog.text
    assert "raised TypeError" in caplog.text


def test_templates_are_compiled_once(
    hooked: Scratch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = []
    compile_one = Environment.compile
    kept = FileSystemBytecodeCache(str(tmp_path))
    monkeypatch.setattr(templates, "compiled_templates", lambda _: kept)

    def noting(self: Environment, source: Any, name: str, file: str) -> Any:
        compiled.append(name)
        return compile_one(self, source, name, file)

    monkeypatch.setattr(Environment, "compile", noting)
    page = (build_here() / "index.html").read_bytes()
    assert "base.html" in compiled
    compiled.clear()
    assert (build_here() / "index.html").read_bytes() == page
    assert "base.html" not in compiled


def test_a_notebook_is_tidied_again_only_if_it_changed(
    hooked: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    tidied = []

    def noting(html: str, address: str) -> View:
        tidied.append(address)
        return tidy(html, address)

    monkeypatch.setattr("engine.build.notebook_view.tidy", noting)
    before = (build_here() / VIEW).read_bytes()
    hooked.replace("docs/index.md", "Words.", "Other words.")
    assert (build_here() / VIEW).read_bytes() == before
    assert len(tidied) == 1
    hooked.replace("docs/count.md", "# ", "# More to ")
    assert b"More to " in (build_here() / VIEW).read_bytes()
    assert len(tidied) == 2


@pytest.mark.parametrize("kind", ["views", "taken"])
def test_what_is_kept_and_broken_is_made_again(
    hooked: Scratch, kind: str
) -> None:
    before = (build_here() / VIEW).read_bytes()
    kept = list((hooked.root / ".cache" / kind).rglob("*.json"))
    assert kept
    for path in kept:
        path.write_text("{")
    assert (build_here() / VIEW).read_bytes() == before
