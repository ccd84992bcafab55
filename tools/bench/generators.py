"""Write the main guide for our engine and for its peers.

All are made from the engine's own reading of the page, so that each builds
the same prose, the same blocks in the same order, and the same figures.
What a peer cannot do is said where its pages are written.
"""

import json
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.build.author import read_all
from engine.keep.records import BlockRecord
from engine.program import Block, PythonBlock
from engine.read.sections import MARKER
from engine.show.blocks import figure_svg, output_text
from engine.take.walk import Prose, Shown, walk

REPOSITORY = Path(__file__).parents[2]
PEERS = REPOSITORY / ".cache/bench/venv/bin/python"
LINK = re.compile(r"\[([^]]+)\]\([\w/]+\.md[^)]*\)")
EXPLORER = re.compile(r"(?ms)^```explorer\n.*?^```\n")
SHOWN_EXPLORER = re.compile(r"(?s)<div class=\"x-room\">.*?</loop-explorer>")
CONFIG = f"""\
INHERIT: {REPOSITORY}/mkdocs.yml
nav: null
watch: []
"""
"""What pages of ours and bare ones have in common: all that this site has."""
GUIDE = "basic_training_loops.md"
EDITED_BLOCK = 13
"""Which of the guide's blocks, from 1, is edited to see what runs again."""


@dataclass(frozen=True)
class Edit:
    """What is changed on the first page: nothing, at first."""

    prose: str = ""
    code: str = ""


@dataclass(frozen=True)
class Run:
    """A block of the guide, what it did, and its number from 1."""

    block: Block
    record: BlockRecord
    number: int

    @property
    def raises(self) -> str | None:
        """The exception with which it is meant to end."""
        block = self.block
        return block.raises if isinstance(block, PythonBlock) else None

    @property
    def alt(self) -> str:
        """What its figure shows."""
        block = self.block
        return (isinstance(block, PythonBlock) and block.alt) or ""


@dataclass(frozen=True)
class Guide:
    """The main guide: its file, and its prose and blocks in page order."""

    text: str
    pieces: tuple[str | Run, ...]

    @property
    def blocks(self) -> list[Block]:
        """The blocks of the guide, in page order."""
        return [piece.block for piece in self.pieces if isinstance(piece, Run)]


@dataclass(frozen=True)
class Generator:
    """A way to build the guide: how its pages are written and built."""

    write: Callable[[Guide, Path, int, Edit], None]
    """Writes as many copies of the guide into a folder; one is edited."""
    command: tuple[str, ...]
    caches: bool = True
    """Whether a page that did not change is not executed again."""


def read_guide() -> Guide:
    """Return the guide; run what of the site has no true record."""
    pages = {page.src_uri: page for page in read_all(REPOSITORY, runs=True)}
    filled = pages[GUIDE].filled
    assert filled
    blocks = filled.page.program.blocks
    html = SHOWN_EXPLORER.sub("", filled.bare)
    found: list[str | Run] = []
    for piece in walk(html, lambda link: link if "://" in link else ""):
        if isinstance(piece, Prose):
            found.append(piece.markdown)
        if isinstance(piece, Shown):
            at = piece.number - 1
            record = filled.record.blocks[at]
            found.append(Run(blocks[at], record, piece.number))
    text = (REPOSITORY / "docs" / GUIDE).read_text("utf-8")
    return Guide(text, tuple(found))


def write_ours(guide: Guide, root: Path, pages: int, edit: Edit) -> None:
    """Write a project like this one that has the guide alone."""
    hooks = f"[{REPOSITORY}/engine/build/hooks.py, docs/overrides/hooks.py]"
    config = f"{CONFIG}hooks: {hooks}\nplugins: [search]\n"
    _write(root / "mkdocs.yml", config)
    _copy("docs/overrides", root)
    _copy("docs/assets", root)
    shown = {block.section.reference for block in guide.blocks}
    edited = guide.blocks[EDITED_BLOCK - 1].section
    for path in {block.section.path for block in guide.blocks}:
        code = _cut(path, shown)
        if edit.code and path == edited.path:
            end = f"# endregion {edited.name}\n"
            before, end, after = code.partition(end)
            assert end
            indent = before.rpartition("\n")[2]
            code = f"{before}{edit.code}\n{indent}{end}{after}"
        _write(root / path, code)
    text = EXPLORER.sub("", LINK.sub(r"\1", guide.text))
    for number in range(pages):
        own = re.sub(r"(?m)^# .*$", _heading(number, edit), text, count=1)
        _write(root / f"docs/page_{number:03}.md", own)


def write_bare(guide: Guide, root: Path, pages: int, edit: Edit) -> None:
    """Write what the same generator renders when all results are there."""
    _write(
        root / "mkdocs.yml",
        f"{CONFIG}hooks: []\nplugins: [search]\n"
        "theme:\n  icon:\n    logo: null\n"
        "markdown_extensions:\n  - admonition\n  - attr_list\n"
        "  - md_in_html\n  - tables\n  - toc:\n      permalink: true\n"
        "  - pymdownx.details\n  - pymdownx.highlight:\n"
        "      pygments_lang_class: true\n  - pymdownx.superfences\n",
    )
    # The theme's folder has to be there, with nothing of ours in it.
    (root / "docs/overrides").mkdir(parents=True, exist_ok=True)
    _copy("docs/assets", root)
    for number, text in _texts(guide, pages, edit, _with_results):
        _write(root / f"docs/page_{number:03}.md", text)


def _with_results(run: Run, page: int) -> str:
    written = [f"```python\n{run.block.code}\n```"]
    if text := output_text(run.record):
        written.append(f"```text\n{text}\n```")
    if run.record.figure:
        svg = figure_svg(run.record.figure, run.alt, run.number)
        written.append(svg)
    return "\n\n".join(written)


def write_mkdocs_jupyter(
    guide: Guide, root: Path, pages: int, edit: Edit
) -> None:
    """Write notebooks that mkdocs-jupyter executes."""
    _write(
        root / "mkdocs.yml",
        "site_name: Guide\ntheme:\n  name: material\n  font: false\n"
        "plugins:\n  - search\n  - mkdocs-jupyter:\n      execute: true\n"
        "      cache_dir: .cache\n",
    )
    for number, parts in _pages(guide, pages, edit):
        cells = [_cell(part, at) for at, part in enumerate(parts)]
        kernel = {"name": "python3", "display_name": "Python 3"}
        book = {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {"kernelspec": {**kernel, "language": "python"}},
            "cells": cells,
        }
        _write(root / f"docs/page_{number:03}.ipynb", json.dumps(book))


def write_markdown_exec(
    guide: Guide, root: Path, pages: int, edit: Edit
) -> None:
    """Write pages for markdown-exec.

    It shows no figures of its own, so the code prints them.  A block that
    fails shows its traceback, as one that is meant to fail does.
    """
    _write(
        root / "mkdocs.yml",
        "site_name: Guide\ntheme:\n  name: material\n  font: false\n"
        "plugins:\n  - search\n  - markdown-exec\n"
        "markdown_extensions:\n  - pymdownx.superfences\n"
        "  - pymdownx.highlight\n",
    )
    for number, text in _texts(guide, pages, edit, _executed):
        _write(root / f"docs/page_{number:03}.md", text)


def _executed(run: Run, page: int) -> str:
    shows = (
        "import io\npicture = io.StringIO()\n"
        'plt.savefig(picture, format="svg")\nplt.close()\n'
        'print(picture.getvalue()[picture.getvalue().index("<svg"):])'
    )
    code, kind = run.block.code, 'result="text"'
    if run.record.figure:
        code, kind = code.replace("plt.show()", shows), 'html="true"'
    return (
        f'```python exec="on" source="above" {kind} '
        f'session="page{page}"\n{code}\n```'
    )


def write_myst_nb(guide: Guide, root: Path, pages: int, edit: Edit) -> None:
    """Write pages for myst-nb, which keeps results by jupyter-cache."""
    _write(
        root / "conf.py",
        'project = "Guide"\nextensions = ["myst_nb"]\n'
        'nb_execution_mode = "cache"\nnb_execution_timeout = 300\n'
        'suppress_warnings = ["*"]\n',
    )
    _write(root / "index.md", _toctree("page_*"))
    head = (
        "---\nkernelspec:\n  name: python3\n  display_name: Python 3\n"
        "file_format: mystnb\n---\n\n"
    )
    for number, text in _texts(guide, pages, edit, _code_cell):
        _write(root / f"page_{number:03}.md", head + text)


def _code_cell(run: Run, page: int) -> str:
    tags = ":tags: [raises-exception]\n" if run.raises else ""
    return f"```{{code-cell}} python\n{tags}{run.block.code}\n```"


def write_sphinx_gallery(
    guide: Guide, root: Path, pages: int, edit: Edit
) -> None:
    """Write scripts for sphinx-gallery.

    A script ends at its first error, so blocks that are meant to fail are
    wrapped; a block that defines and prints is as it is.
    """
    _write(
        root / "conf.py",
        'project = "Guide"\nextensions = ["sphinx_gallery.gen_gallery"]\n'
        'suppress_warnings = ["*"]\n'
        'sphinx_gallery_conf = {"examples_dirs": "examples", '
        '"gallery_dirs": "gallery", "filename_pattern": "page_", '
        '"plot_gallery": True, "download_all_examples": False}\n',
    )
    _write(
        root / "index.rst",
        "Guide\n=====\n\n.. toctree::\n\n   gallery/index\n",
    )
    _write(root / "examples/GALLERY_HEADER.rst", "Guide\n=====\n")
    for number, parts in _pages(guide, pages, edit):
        title = f"Guide {number}"
        written = [f'"""\n{title}\n{"=" * len(title)}\n"""']
        for part in parts:
            if isinstance(part, str):
                lines = [f"# {line}".rstrip() for line in part.split("\n")]
                written.append("# %%\n" + "\n".join(lines))
                continue
            code = part.block.code
            if part.raises:
                code = (
                    f"try:\n{textwrap.indent(code, '    ')}\n"
                    f"except {part.raises} as error:\n    print(error)"
                )
            written.append(code)
        _write(
            root / f"examples/page_{number:03}.py",
            "\n\n".join(written) + "\n",
        )


_SPHINX = (str(PEERS), "-m", "sphinx", "-q", "-b", "html", ".", "_build/html")
_MKDOCS = (str(PEERS), "-m", "mkdocs", "-q", "build")
OURS = Generator(write_ours, (sys.executable, "-m", "engine", "build"))
BARE = Generator(write_bare, (sys.executable, "-m", "mkdocs", "-q", "build"))
OTHERS = {
    "mkdocs-jupyter": Generator(write_mkdocs_jupyter, _MKDOCS),
    "markdown-exec": Generator(write_markdown_exec, _MKDOCS, caches=False),
    "myst-nb": Generator(write_myst_nb, _SPHINX),
    "sphinx-gallery": Generator(write_sphinx_gallery, _SPHINX),
}


def _pages(
    guide: Guide, pages: int, edit: Edit
) -> list[tuple[int, list[str | Run]]]:
    """Return each page's number, and its prose and blocks in page order."""
    found = []
    for number in range(pages):
        parts: list[str | Run] = []
        for piece in guide.pieces:
            if isinstance(piece, Run):
                parts.append(_edited(piece, edit if not number else Edit()))
                continue
            if not parts:
                heading = _heading(number, edit)
                piece = re.sub(r"(?m)^# .*$", heading, piece, count=1)
            parts.append(piece)
        found.append((number, parts))
    return found


def _texts(
    guide: Guide, pages: int, edit: Edit, show: Callable[[Run, int], str]
) -> Iterator[tuple[int, str]]:
    """Yield each page's number and its text, blocks as ``show`` writes them.

    ``show`` is given the block and the number of the page.
    """
    for number, parts in _pages(guide, pages, edit):
        written = [
            part if isinstance(part, str) else show(part, number)
            for part in parts
        ]
        yield number, "\n\n".join(written)


def _heading(number: int, edit: Edit) -> str:
    said = f"\n\n{edit.prose}" if edit.prose and not number else ""
    return f"# Guide {number}{said}"


def _edited(run: Run, edit: Edit) -> Run:
    if not edit.code or run.number != EDITED_BLOCK:
        return run
    code = f"{run.block.code}\n{edit.code}"
    section = replace(run.block.section, code=code)
    return replace(run, block=replace(run.block, section=section))


def _cell(part: str | Run, at: int) -> dict[str, Any]:
    cell = {"id": f"cell-{at}", "metadata": {}}
    if isinstance(part, str):
        return {**cell, "cell_type": "markdown", "source": part}
    return {
        **cell,
        "cell_type": "code",
        "source": part.block.code,
        "execution_count": None,
        "outputs": [],
    }


def _cut(path: Path, shown: set[str]) -> str:
    """Return the module without the markers of what the guide leaves out."""
    lines = []
    for line in (REPOSITORY / path).read_text("utf-8").splitlines():
        marker = MARKER.fullmatch(line.strip())
        if not marker or f"{path.as_posix()}:{marker[2]}" in shown:
            lines.append(line)
    return "\n".join(lines) + "\n"


def _toctree(pattern: str) -> str:
    return f"# Guide\n\n```{{toctree}}\n:glob:\n\n{pattern}\n```\n"


def _copy(folder: str, root: Path) -> None:
    if not (root / folder).exists():
        made = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / folder, root / folder, ignore=made)


def _write(path: Path, text: str) -> None:
    """Write the file if it has another text, so that others stay old."""
    if path.exists() and path.read_text("utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
