"""The second site on the disk, and how its files are read."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import yaml
from bs4 import BeautifulSoup
from markdown import markdown

REPOSITORY = Path(__file__).parents[2]
SECOND = REPOSITORY / "tests/second_site"
HEADING = "## How to use the engine for a site of your own\n"
PROGRAMS = {
    "index": 1,
    "texte": 2,
    "Über uns/naïve waves": 7,
    "Über uns/tief/ohne": 4,
}
"""The pages that run something, and how many blocks they have."""
BIN = str(Path(sys.executable).parent)
NAMED = {
    "about/waves.md": "Über uns/naïve waves.md",
    "about/files.md": "Über uns/tief/ohne.md",
    "words.txt": "wörter liste.txt",
}
"""Names of blanks and letters beyond ASCII, which git would quote."""
VARIABLES = {
    "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    # What the README has installed is installed here.
    "PIP_NO_INDEX": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "SOURCE_DATE_EPOCH": "1700000000",
}


def told(language: str) -> str:
    """Return what the README has its reader write in the language."""
    _, _, section = (REPOSITORY / "README.md").read_text().partition(HEADING)
    section = section.partition("\n## ")[0]
    (text,) = re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)
    return str(text)


def site_in(root: Path) -> Path:
    """Put the second site there, with what the README adds to it."""
    shutil.copytree(
        SECOND, root, ignore=shutil.ignore_patterns("__pycache__", ".cache")
    )
    for plain, named in NAMED.items():
        target = root / "pages" / named
        target.parent.mkdir(parents=True, exist_ok=True)
        (root / "pages" / plain).rename(target)
    (root / "pages/about").rmdir()
    config = root / "mkdocs.yml"
    opening, added = told("yaml").split("\n", 1)
    # What is added goes to the end of the list with which the file ends.
    *_, last = yaml.safe_load(config.read_text())
    assert opening == f"{last}:" == "markdown_extensions:"
    config.write_text(config.read_text() + added)
    return root


def run(command: list[str], folder: Path, code: int = 0) -> str:
    """Run the command, which ends with the code; return what it printed."""
    environment = {**os.environ, **VARIABLES}
    environment.pop("PYTHONPATH", None)
    ended = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ended.returncode == code, ended.stdout
    return ended.stdout


def other_site(root: Path) -> Path:
    """Write a site whose module has the same name as one of the first's."""
    for name, text in {
        "mkdocs.yml": "site_name: Other\nplugins: []\n"
        "markdown_extensions:\n  - house\n  - engine.extension:\n"
        "      stamp: {Markdown: Markdown}\n",
        "house.py": "from markdown.extensions import Extension\n"
        "from engine.extension import add_fence\n"
        "class Other(Extension):\n"
        "    def extendMarkdown(self, md):\n"
        "        add_fence(md, 'bars', lambda text: f'<p>other {text}</p>')\n"
        "makeExtension = Other\n",
        "snippets/one.py": "# region one\nimport math\n# endregion one\n",
        "docs/index.md": '# Other\n\n```python run="snippets/one.py:one"\n'
        "```\n\n```bars\n{{ math.floor(2.5) }}\n```\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def read(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text("utf-8"), "html5lib")


def read_notebook(path: Path) -> nbformat.NotebookNode:
    return nbformat.reads(path.read_text("utf-8"), as_version=4)


def on_a_terminal(text: str) -> str:
    """Return what a reader's terminal shows in the end, without colours."""
    text = re.sub(r"\x1b\[\d*m", "", text)
    return re.sub(r"[^\n]*\r(?!\n)", "", text).rstrip("\n")


def said(cell: nbformat.NotebookNode) -> str:
    """Return what a cell printed, and which errors and figures it had."""
    printed, others = "", []
    for output in cell.get("outputs", []):
        match output.output_type:
            case "stream" if cell.source.startswith("%%writefile"):
                pass  # the notebook's word that it did
            case "stream":
                printed += output.text
            case "error" if cell.source.startswith("%%script"):
                pass  # the page names the exit code beside the command
            case "error":
                others.append(f"{output.ename}: {output.evalue}")
            case "display_data":
                others.append("a figure")
    return "\n".join([on_a_terminal(printed), *others])


def links(built: Path) -> Iterator[tuple[str, str]]:
    """Yield each file of the site as an address, and its links."""
    for path in sorted(p for p in built.rglob("*") if p.is_file()):
        name = path.relative_to(built).as_posix()
        match path.suffix:
            case ".html":
                shown = path.read_text("utf-8")
            case ".md" | ".txt":
                shown = rendered(path.read_text("utf-8"))
            case ".ipynb":
                cells = read_notebook(path).cells
                texts = [c.source for c in cells if c.cell_type == "markdown"]
                shown = rendered("\n\n".join(texts))
            case _:
                continue
        for element in BeautifulSoup(shown, "html5lib").select("[href],[src]"):
            yield name, str(element.get("href") or element.get("src"))


def rendered(text: str) -> str:
    return markdown(text, extensions=["fenced_code", "tables"])
