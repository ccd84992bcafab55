"""Wherever a page stands, all links to and from it lead somewhere."""

from urllib.parse import quote

import pytest

from tests.engine.kinds import forms
from tests.engine.kinds.site import Site

FENCE = '```python run="snippets/a.py:one"\n```\n'
NAMES = [
    "plain",
    "deep/er/page",
    "with blanks/two words",
    "größe/длина 長さ",
    "dots.v1.2",
    "signs/a+b (c) & d'e",
    "folder/index",
    "README/readme",
    "per%20cent",
]


def link(start: str, name: str) -> str:
    up = "../" * start.count("/")
    return f"[to it](<{up}{quote(name)}.md#part>)"


def write(site: Site) -> None:
    site.sections("a", one="print('one')")
    for name in NAMES:
        links = [link(name, other) for other in NAMES if other != name]
        text = "\n".join([*links, "[here](#part)", "[a block](#block:1)"])
        site.page(name, f"# T\n\n{FENCE}\n## Part\n\n{text}\n")


@pytest.mark.parametrize("directories", ["true", "false"])
@pytest.mark.parametrize("address", ["", "https://e.org/sub/folder/"])
def test_all_links_lead_somewhere(
    site: Site, directories: str, address: str
) -> None:
    write(site)
    with (site.root / "mkdocs.yml").open("a") as file:
        file.write(f"use_directory_urls: {directories}\n")
        if address:
            file.write(f"site_url: {address}\n")
    built = site.root / "site"
    code, words = site.engine("build")
    assert code == 0, words
    assert forms.dead_links(built, address) == []
    listed = (built / "llms.txt").read_text("utf-8")
    for name in NAMES:
        folder = name.removesuffix("/index")
        for kind in ("ipynb", "py"):
            assert (built / f"{name}.{kind}").is_file(), name
        in_folder = directories == "true" or name.endswith("/index")
        twin = f"{folder}/index.md" if in_folder else f"{name}.md"
        assert (built / twin).is_file(), twin
        assert f"({address}{quote(twin)})" in listed
        view = f"{folder}/" if in_folder else f"{name}.html"
        assert forms.view(built, f"notebooks/{view}").blocks == [
            ("print('one')", "one")
        ]


TITLES = {
    "no_heading": (FENCE, "No heading"),
    "front": (f"---\ntitle: In front\n---\n\n{FENCE}", "In front"),
    "both": (f"---\ntitle: In front\n---\n\n# Top\n\n{FENCE}", "Top"),
    "second": (f"{FENCE}\n## Second\n\nText.\n", "Second"),
    "late": (f"{FENCE}\n# Late {{{{ 1 + 1 }}}}\n\nText.\n", "Late 2"),
    "marks": (f"# A `b` & \\_d\\_ $e$ !\n\n{FENCE}", "A b & _d_ $e$ !"),
    "quotes": (f'---\ntitle: "\\"\\"\\" \\\\n"\n---\n{FENCE}', '""" \\n'),
    "number": (f"---\ntitle: 2024\n---\n{FENCE}", "2024"),
}


def test_every_page_has_a_title_in_all_its_forms(site: Site) -> None:
    site.sections("a", one="print('one')")
    for name, (text, _) in TITLES.items():
        site.page(name, text)
    built = site.good()
    for name, (_, title) in TITLES.items():
        site.alike(name, "one")
        script = (built / f"{name}.py").read_text("utf-8")
        compile(script, name, "exec")
        shown = forms.page(built, f"{name}/").text
        if name not in ("second", "late"):
            assert shown.startswith("".join(title.split())), name
