"""MkDocs is given what the Markdown extension cannot give it."""

import base64
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from absl import logging as absl_logging
from bs4 import BeautifulSoup
from jinja2 import Environment
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort
from mkdocs.livereload import LiveReloadServer

from engine.notebook_view import View, tidy
from tests.engine.scratch import Scratch


@pytest.fixture
def hooked(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> Scratch:
    """A project that MkDocs builds with the hooks, in this process."""
    scratch.add_hooks()
    monkeypatch.chdir(scratch.root)
    # mkdocs-jupyter makes logging close its handlers, and TensorFlow's closes
    # with it the stream of pytest that it found when it was imported.
    handler = absl_logging.get_absl_handler().python_handler
    monkeypatch.setattr(handler, "stream", sys.__stderr__)
    return scratch


def build_here() -> Path:
    config = load_config(
        "mkdocs.yml", site_url="https://x.example/", strict=True
    )
    build(config)
    return Path(config.site_dir)


def test_a_build_brings_all_that_readers_take_home(hooked: Scratch) -> None:
    site = build_here()
    for name in (
        "_headers",
        "assets/cards/count.png",
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
    text = (build_here() / "notebooks/count/index.html").read_text()
    page = BeautifulSoup(text, "html5lib")
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


def test_scripts_are_lean_but_the_program_keeps_its_indentation(
    hooked: Scratch,
) -> None:
    for name in ("view.js", "program.js"):
        source = "// What it is.\nf(() => {\n  g();\n});\n"
        hooked.write(f"docs/assets/explorer/{name}", source)
    scripts = build_here() / "assets/explorer"
    assert (scripts / "view.js").read_text() == "f(() => {\ng();\n});\n"
    kept = (scripts / "program.js").read_text()
    assert kept == "f(() => {\n  g();\n});\n"


def test_checkboxes_take_no_autocomplete(hooked: Scratch) -> None:
    site = build_here()
    for name in ("index.html", "404.html"):
        page = BeautifulSoup((site / name).read_text(), "html5lib")
        boxes = page.select("input[type=checkbox]")
        assert boxes
        assert not any(box.has_attr("autocomplete") for box in boxes)


def test_a_fault_is_an_error_of_the_build(
    hooked: Scratch, caplog: pytest.LogCaptureFixture
) -> None:
    hooked.replace("snippets/count.py", "2.5", "'2.5'")
    with pytest.raises(Abort):
        build_here()
    assert "docs/count.md:8: snippets/count.py:10: " in caplog.text
    assert "raised TypeError" in caplog.text


def test_figures_and_formulas_of_a_notebook_need_no_script() -> None:
    svg = base64.b64encode(b'<svg role="img" aria-label="A"></svg>').decode()
    html = (
        '<style>x{}</style><!-- c --><h1 id="t">T</h1>'
        '<div class="jp-RenderedMarkdown"><p>So $x^2$ and $$y$$.</p></div>'
        '<div class="jp-CodeCell" id="c"><div class="highlight-ipynb">'
        "<pre>x = 1</pre></div>"
        f'<img src="data:image/svg+xml;base64,{svg}"></div>'
    )
    page = BeautifulSoup(tidy(html, "../a/").html, "html5lib")
    assert page.select('figure.run-figure svg[aria-label="A"]')
    assert page.select("p math msup")
    assert page.select('p math[display="block"]')
    assert page.select(".highlight pre > code")[0].get_text() == "x = 1"
    assert not page.select("img, style")
    bar = page.select(".jp-CodeCell > :first-child")[0]
    assert bar["class"] == ["run-bar"]


def test_a_table_of_a_notebook_scrolls_inside_a_wrapper() -> None:
    table = '<div class="jp-RenderedMarkdown"><table></table></div>'
    view = tidy(f'<h1 id="t">T</h1>{table}', "../").html
    wrapped = ".md-typeset__scrollwrap > .md-typeset__table > table"
    assert BeautifulSoup(view, "html.parser").select(wrapped)


def test_code_in_the_prose_of_a_notebook_can_be_copied() -> None:
    pre = '<div class="jp-RenderedMarkdown"><pre>x = 1</pre></div>'
    view = tidy(f'<h1 id="t">T</h1>{pre}', "../").html
    (code,) = BeautifulSoup(view, "html.parser").select("pre > code")
    assert code.get_text() == "x = 1"


def test_headings_of_a_notebook_are_listed_with_their_code() -> None:
    def heading(level: int, text: str) -> str:
        link = f'<a class="anchor-link" href="#{text[0]}">¶</a>'
        return f'<h{level} id="{text[0]}">{text}{link}</h{level}>'

    view = tidy(
        heading(1, "Top")
        + heading(2, "<code>fit</code>")
        + heading(3, "Parts")
        + heading(2, "End"),
        "../",
    )
    (top,) = view.contents
    assert (top["name"], top["level"]) == ("Top", 1)
    assert [entry["name"] for entry in top["children"]] == ["fit", "End"]
    assert [e["id"] for e in top["children"][0]["children"]] == ["P"]
    assert view.html.count('class="headerlink"') == 4


def test_templates_are_compiled_once(
    hooked: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = []
    compile_one = Environment.compile

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

    monkeypatch.setattr("engine.notebook_view.tidy", noting)
    view = "notebooks/count/index.html"
    before = (build_here() / view).read_bytes()
    hooked.replace("docs/index.md", "Words.", "Other words.")
    assert (build_here() / view).read_bytes() == before
    assert len(tidied) == 1
    hooked.replace("docs/count.md", "# ", "# More to ")
    assert b"More to " in (build_here() / view).read_bytes()
    assert len(tidied) == 2


def test_a_broken_view_is_made_again(hooked: Scratch) -> None:
    view = "notebooks/count/index.html"
    before = (build_here() / view).read_bytes()
    for kept in (hooked.root / ".cache/views").iterdir():
        kept.write_text("{")
    assert (build_here() / view).read_bytes() == before


@pytest.fixture
def server(
    hooked: Scratch, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LiveReloadServer]:
    """The server of a project that was built, before it answers."""
    build_here()
    config = load_config("mkdocs.yml", site_url="https://x.example/")
    (hooks,) = config["hooks"].values()
    monkeypatch.setattr(hooks, "serving", [])
    server = LiveReloadServer(
        lambda: None, host="127.0.0.1", port=0, root=config.site_dir
    )
    server.watch(config.docs_dir)
    server.watch(str(config.config_file_path))
    config.plugins.on_serve(server, config=config, builder=build)
    yield server
    server.server_close()


def look_at(server: LiveReloadServer, address: str) -> dict[str, str]:
    """Ask the server for a page; return the headers that it sends."""
    sent: dict[str, str] = {}

    def start(
        status: str, headers: list[tuple[str, str]], error: object = None
    ) -> Callable[[bytes], object]:
        sent.update(headers)
        return bytes

    app = server.get_app()
    assert app
    list(app({"PATH_INFO": address, "REQUEST_METHOD": "GET"}, start))
    return sent


def test_a_notebook_that_is_served_changes_when_it_was_looked_at(
    hooked: Scratch, server: LiveReloadServer
) -> None:
    view = hooked.root / "site/notebooks/count/index.html"
    before = view.read_text()
    hooked.replace("docs/count.md", "We count.", "We count up.")
    build_here()
    assert view.read_text() == before
    assert "Content-Security-Policy" in look_at(server, "/notebooks/count/")
    build_here()
    assert "We count up." in view.read_text()


def test_the_server_sees_edits_and_looks_soon(
    hooked: Scratch, server: LiveReloadServer
) -> None:
    watched = {
        emitter.watch.path: emitter.timeout
        for emitter in server.observer.emitters
    }
    # A file is watched by the folder that it is in.
    names = ("docs", ".", ".cache/looked_at")
    assert watched == {str(hooked.root / name): 0.1 for name in names}
