"""What readers take home is whole, valid, and runs again."""

import json
import re
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbclient import NotebookClient

from tests.site.conftest import PAGES, PROGRAMS, REPOSITORY
from tests.site.reader import copied_blocks, read, run_alone
from tools.compare import same

FONTS = REPOSITORY / ".cache/matplotlib"
SLUGS = [PAGES[name].stem for name in PROGRAMS]
GUIDE = "basic_training_loops"


def read_notebook(path: Path) -> nbformat.NotebookNode:
    return nbformat.reads(path.read_text("utf-8"), as_version=4)


def page(site: Path, slug: str) -> BeautifulSoup:
    path = "index.html" if slug == "index" else f"{slug}/index.html"
    return read(site / path)


def without_magic(cell: str) -> str:
    """Return a cell's code without the line that saves or runs it."""
    return re.sub(r"\A%%.*\n+", "", cell).strip()


def without_fences(text: str) -> str:
    """Return the prose of a plain text, without code and outputs."""
    return re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)


@pytest.fixture(params=SLUGS)
def slug(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_notebook_is_valid_and_holds_what_the_page_shows(
    site: Path, slug: str
) -> None:
    notebook = read_notebook(site / f"{slug}.ipynb")
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    blocks = copied_blocks(page(site, slug))
    assert len(cells) == len(blocks) > 0
    for cell, block in zip(cells, blocks, strict=True):
        assert without_magic(cell.source) == block.code.rstrip("\n")
        texts = [
            output.get("text") or "\n".join(output.get("traceback", []))
            for output in cell.outputs
        ]
        shown = "\n".join(text.rstrip("\n") for text in texts if text)
        assert shown == block.output


def test_the_notebook_has_the_figures_of_the_page(
    site: Path, slug: str
) -> None:
    notebook = read_notebook(site / f"{slug}.ipynb")
    drawn = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "display_data"
    ]
    figures = page(site, slug).select("figure.run-figure svg")
    assert len(drawn) == len(figures)
    for output, figure in zip(drawn, figures, strict=True):
        assert output.data["image/svg+xml"].startswith("<svg")
        assert output.data["text/plain"] == figure["aria-label"]


def test_the_notebook_of_the_guide_runs_again_and_prints_the_same(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPLCONFIGDIR", str(FONTS))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = read_notebook(site / f"{GUIDE}.ipynb")
    before = [printed(cell) for cell in notebook.cells]
    client = NotebookClient(
        notebook,
        timeout=300,
        resources={"metadata": {"path": str(tmp_path)}},
    )
    client.execute()
    after = [printed(cell) for cell in notebook.cells]
    assert sum(map(bool, before)) > 10
    for one, two in zip(before, after, strict=True):
        assert same(one, two)


def printed(cell: nbformat.NotebookNode) -> str:
    """Return what a cell printed, and the error it raised.

    Lines are sorted, because a kernel sends standard output and standard
    error apart, in no fixed order.
    """
    texts = []
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            texts.append(re.sub(r"\S*/site-packages/", "", output.text))
        if output.output_type == "error":
            texts.append(f"{output.ename}: {output.evalue}\n")
    return "\n".join(sorted("".join(texts).splitlines()))


def test_the_script_runs_alone_and_prints_what_the_page_shows(
    site: Path, tmp_path: Path
) -> None:
    code = (site / f"{GUIDE}.py").read_text("utf-8")
    blocks = copied_blocks(page(site, GUIDE))
    shown = [block.output for block in blocks if block.output]
    assert len(shown) > 10
    assert same("\n".join(shown), run_alone(code, tmp_path, FONTS).rstrip())


def test_the_plain_text_twin_has_code_outputs_and_figures(
    site: Path, slug: str
) -> None:
    path = "index.md" if slug == "index" else f"{slug}/index.md"
    text = (site / path).read_text("utf-8")
    for block in copied_blocks(page(site, slug)):
        assert re.search(rf"```\w+\n{re.escape(block.code)}```", text)
        assert block.output in text
    said = re.sub(r"\\([!-/:-@[-`{-~])", r"\1", text)  # as it is shown
    for figure in page(site, slug).select("figure.run-figure svg"):
        assert f"*Figure: {figure['aria-label']}.*" in said
    prose = without_fences(text)
    assert "{{" not in prose
    assert "run=" not in prose


def test_links_between_plain_texts_lead_somewhere(
    site: Path, slug: str
) -> None:
    path = site / ("index.md" if slug == "index" else f"{slug}/index.md")
    text = path.read_text("utf-8")
    links = re.findall(r"\]\((?!\w+:|#)([^)#]+)", without_fences(text))
    for link in links:
        assert (path.parent / link).resolve().exists(), link


def test_language_models_find_a_list_and_the_whole(site: Path) -> None:
    short = (site / "llms.txt").read_text("utf-8")
    full = (site / "llms-full.txt").read_text("utf-8")
    assert short.startswith("# ")
    for slug in SLUGS:
        assert f"{slug}/index.md" in short or slug == "index"
    assert "def training_loop(" in full
    assert "epoch 10: w 3.05" in full


def test_pages_link_to_what_can_be_taken_home(site: Path, slug: str) -> None:
    line = page(site, slug).select_one(".run-downloads")
    assert line is not None
    folder = site if slug == "index" else site / slug
    addresses = [str(link["href"]) for link in line.select("a")]
    assert len(addresses) >= 3
    for address in addresses:
        target = (folder / address).resolve()
        assert target.exists() or (target / "index.html").exists(), address
    assert "Colab" not in line.get_text()


def test_every_page_has_a_card_of_its_own(site: Path, slug: str) -> None:
    card = site / f"assets/cards/{slug}.png"
    data = card.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = data[16:20], data[20:24]
    assert int.from_bytes(width) == 1200
    assert int.from_bytes(height) == 630
    image = page(site, slug).select_one('meta[property="og:image"]')
    assert image is not None
    assert str(image["content"]).endswith(f"/assets/cards/{slug}.png")


@pytest.mark.parametrize("slug", [s for s in SLUGS if s != "index"])
def test_the_notebook_view_shows_the_same_and_asks_nobody(
    site: Path, slug: str
) -> None:
    view = read(site / f"notebooks/{slug}/index.html")
    article = view.select_one("article")
    assert article is not None
    assert not article.select("script, style, img:not([alt])")
    cells = copied_blocks(view)
    blocks = copied_blocks(page(site, slug))
    codes = [without_magic(cell.code) for cell in cells]
    assert codes == [block.code.strip() for block in blocks]
    figures = article.select("figure.run-figure svg[aria-label]")
    assert len(figures) == len(page(site, slug).select("figure.run-figure"))
    canonical = view.select_one("link[rel=canonical]")
    assert canonical is not None
    assert str(canonical["href"]).endswith(f"/{slug}/")
    assert "/notebooks/" not in str(canonical["href"])


def test_the_search_knows_code_and_words_but_no_drawings(site: Path) -> None:
    index = json.loads((site / "search/search_index.json").read_text("utf-8"))
    text = " ".join(entry["text"] for entry in index["docs"])
    assert "with tf.GradientTape() as tape:" in text
    assert "loss before training: " in text
    ticks = r"(?:\d\.\d\N{MINUS SIGN}){2}"
    assert re.search(ticks, text) is None


def test_notebooks_are_not_in_the_search_index(site: Path) -> None:
    index = (site / "search/search_index.json").read_text("utf-8")
    assert "basic_training_loops/" in index
    assert "notebooks/" not in index
