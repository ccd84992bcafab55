"""What the site's theme and its hooks make of pages, without the engine."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import PluginError

from docs.overrides.hooks import card, minified

THEME = Path(__file__).parents[2] / "docs/overrides"
CONFIG = f"""\
site_name: Cups & saucers
site_url: https://x.example/there/
theme:
  name: material
  custom_dir: {THEME}
  font: false
  features: [navigation.sections]
hooks: [{THEME}/hooks.py]
plugins: [search]
nav: [index.md, a.md, Sizes: ["größe/mit leer.md"], views/a.md]
markdown_extensions: [{{toc: {{permalink: true}}}}]
"""
TAKE_HOME = """\
take_home:
- {label: Notebook, href: ../a.ipynb, download: true}
- {label: One & two, href: ../a/1.txt?x&y, download: true}
- {label: Plain text, href: ../a/index.md, download: false}
"""
PAGES = {
    "index.md": "# Home\n\nWords.\n",
    "a.md": f'---\ndescription: Of "a" & b\n{TAKE_HOME}---\n# An `a` < b\n',
    "größe/mit leer.md": f'---\ntitle: The "size"\n{TAKE_HOME}---\nWords.\n',
    "views/a.md": "---\ntaken_from: a.md\n---\n# View of a\n",
    "views/own.md": "---\ntaken_from: own.ipynb\n---\n# My own\n\n## One\n",
}
SCRIPT = """\
// What it is.
/** @type {string} */
const inner = `  two${[1].map((n) => `if  x:\n    print(${n})`)}`;
export const outer = inner;
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("themed")
    scripts = {f"assets/explorer/{n}": SCRIPT for n in ("a.js", "a.txt")}
    styles = {"assets/explorer/a.css": "/* A. */\na {\n  b: c;\n}\n"}
    for name, text in {**PAGES, **scripts, **styles}.items():
        path = root / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (root / "mkdocs.yml").write_text(CONFIG)
    build(load_config(str(root / "mkdocs.yml")))
    return root / "site"


def read(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text("utf-8"), "html5lib")


def said(page: BeautifulSoup, name: str) -> str | None:
    found = page.select(f'meta[property="og:{name}"]')
    assert len(found) < 2
    return str(found[0]["content"]) if found else None


@pytest.mark.parametrize(
    ("address", "card"),
    [
        ("", "index"),
        ("a/", "a"),
        ("größe/mit leer/", "größe/mit leer"),
        ("views/a/", "a"),
    ],
)
def test_a_page_names_a_card_that_is_there(
    built: Path, address: str, card: str
) -> None:
    image = said(read(built / address / "index.html"), "image")
    assert image is not None
    parts = urlsplit(image)
    assert parts.path.isascii()
    path = unquote(parts.path).removeprefix("/there/")
    assert path == f"assets/cards/{card}.png"
    assert (built / path).read_bytes().startswith(b"\x89PNG")


def test_only_pages_of_their_own_have_cards(built: Path) -> None:
    cards = {p.stem for p in (built / "assets/cards").rglob("*.png")}
    assert cards == {"index", "a", "mit leer"}
    page = read(built / "views/own/index.html")
    assert said(page, "image") is said(page, "image:alt") is None
    assert said(page, "title") == "My own"


def test_cards_are_kept_from_build_to_build(built: Path) -> None:
    kept = list((built.parent / ".cache/cards").iterdir())
    served = (built / "assets/cards").rglob("*.png")
    assert {p.read_bytes() for p in kept} == {p.read_bytes() for p in served}
    assert len(kept) == 3
    said_of_a = card(built.parent / ".cache/cards", "An a < b", 'Of "a" & b')
    assert said_of_a in kept


def test_any_words_are_said_to_those_who_are_shown_a_link(
    built: Path,
) -> None:
    home, a = read(built / "index.html"), read(built / "a/index.html")
    assert said(home, "title") == said(home, "site_name") == "Cups & saucers"
    assert said(home, "description") == ""
    assert said(a, "title") == "An a < b"
    assert said(a, "description") == 'Of "a" & b'
    assert said(a, "image:alt") == 'An a < b. Of "a" & b'
    page = read(built / "größe/mit leer/index.html")
    assert said(page, "title") == 'The "size"'


@pytest.mark.parametrize(
    ("address", "before"), [("a", "h1"), ("größe/mit leer", None)]
)
def test_what_can_be_taken_home_stands_below_the_title(
    built: Path, address: str, before: str | None
) -> None:
    [line] = read(built / address / "index.html").select(".run-downloads")
    above = line.find_previous_sibling()
    assert (above.name if above else None) == before
    assert line.get_text().split("\n") == [
        "Take it home:",
        "Notebook",
        "One & two",
        "Plain text",
        "",
    ]
    links = [(a["href"], a.has_attr("download")) for a in line.select("a")]
    assert links == [
        ("../a.ipynb", True),
        ("../a/1.txt?x&y", True),
        ("../a/index.md", False),
    ]


def test_a_page_without_a_program_has_nothing_to_take_home(
    built: Path,
) -> None:
    assert not read(built / "index.html").select(".run-downloads")


def test_the_page_for_wrong_addresses_lists_all_but_views(
    built: Path,
) -> None:
    items = read(built / "404.html").select("article li")
    assert [item.get_text() for item in items] == [
        "Home",
        "An a < b",
        'The "size"',
    ]


def test_checkboxes_take_no_autocomplete(built: Path) -> None:
    for name in ("index.html", "404.html"):
        boxes = read(built / name).select("input[type=checkbox]")
        assert boxes
        assert not any(box.has_attr("autocomplete") for box in boxes)


def test_a_place_in_the_order_of_tabs_is_a_number(built: Path) -> None:
    for name in ("index.html", "404.html"):
        page = read(built / name)
        assert page.select("label.md-nav__link[for=__nav_3]"), "a section"
        for element in page.select("[tabindex]"):
            int(str(element["tabindex"]))


@pytest.mark.parametrize("name", ["a/index.html", "views/own/index.html"])
def test_a_label_is_that_of_a_control(built: Path, name: str) -> None:
    page = read(built / name)
    labels = page.select("label[for]")
    assert labels
    assert {str(x["for"]) for x in labels} <= {
        str(control["id"]) for control in page.select("input[id]")
    }


def test_what_the_explorer_loads_is_minified(built: Path) -> None:
    folder = built / "assets/explorer"
    assert (folder / "a.css").read_text() == "a{b:c}"
    script = (folder / "a.js").read_text()
    assert "What it is" not in script
    assert "@type" not in script
    assert "`if  x:\n    print(${" in script
    assert (folder / "a.txt").read_text() == SCRIPT


def test_a_script_that_is_none_is_named(tmp_path: Path) -> None:
    script = tmp_path / "wrong.js"
    script.write_text("let x = 1;\nfunction (\n")
    with pytest.raises(PluginError, match=r"correct wrong.js: .* line 2"):
        minified(script)
