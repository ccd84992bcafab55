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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.blocks import Block
from engine.errors import Fault
from engine.exports import Piece, Run, Text, pieces
from engine.pages import Page
from engine.project import Project
from engine.records import kept_record
from engine.render import figure_svg, output_text
from engine.sections import MARKER

REPOSITORY = Path(__file__).parents[1]
PEERS = REPOSITORY / ".cache/bench/venv/bin/python"
LINK = re.compile(r"\[([^]]+)\]\([\w/]+\.md[^)]*\)")
EXPLORER = re.compile(r"(?ms)^```explorer\n.*?^```\n")
EDITED_BLOCK = 13
"""Which of the guide's blocks, from 1, is edited to see what runs again."""


@dataclass(frozen=True)
class Edit:
    """What is changed on the first page: nothing, at first."""

    prose: str = ""
    code: str = ""


@dataclass(frozen=True)
class Guide:
    """The main guide as the engine reads it."""

    page: Page
    pieces: tuple[Piece, ...]

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
    """Return the guide; raise Fault if the site has not been built."""
    project = Project(REPOSITORY)
    page = project.page("basic_training_loops")
    record = kept_record(project, page)
    if record is None:
        raise Fault("the guide has no record", mend="make site")
    return Guide(page, tuple(pieces(page, record)))


def write_ours(guide: Guide, root: Path, pages: int, edit: Edit) -> None:
    """Write a project like this one that has the guide alone."""
    config = _without(
        (REPOSITORY / "mkdocs.yml").read_text("utf-8"),
        r"(?m)^nav:\n(  .*\n)+",
        r"(?m)^exclude_docs: .*\n",
        r"(?m)^watch:\n(  .*\n)+",
        r"(?m)^  - mkdocs-jupyter:\n(      .*\n)+",
    )
    hooks = REPOSITORY / "engine/mkdocs_hooks.py"
    _write(
        root / "mkdocs.yml",
        config.replace("engine/mkdocs_hooks.py", str(hooks)),
    )
    _copy("theme", root)
    _copy("docs/assets", root)
    shown = {block.section.reference for block in guide.blocks}
    edited = guide.blocks[EDITED_BLOCK - 1].section
    for path in {block.section.path for block in guide.blocks}:
        code = _cut(path, shown)
        if edit.code and path == edited.path:
            indent = " " * edited.indent
            end = f"{indent}# endregion {edited.name}\n"
            assert end in code
            code = code.replace(end, f"{indent}{edit.code}\n{end}")
        _write(root / path, code)
    text = EXPLORER.sub("", LINK.sub(r"\1", guide.page.text))
    for number in range(pages):
        own = re.sub(r"(?m)^# .*$", _heading(number, edit), text, count=1)
        _write(root / f"docs/page_{number:03}.md", own)


def write_bare(guide: Guide, root: Path, pages: int, edit: Edit) -> None:
    """Write what the same generator renders when all results are there."""
    config = _without(
        (REPOSITORY / "mkdocs.yml").read_text("utf-8"),
        r"(?m)^nav:\n(  .*\n)+",
        r"(?m)^exclude_docs: .*\n",
        r"(?m)^watch:\n(  .*\n)+",
        r"(?m)^hooks:\n(  .*\n)+",
        r"(?m)^  - mkdocs-jupyter:\n(      .*\n)+",
        r"(?m)^  - pymdownx.inlinehilite:\n(      .*\n)+",
        r"(?m)^      custom_fences:\n(        .*\n)+",
        r"(?m)^  - engine.extension\n",
        r"(?m)^  custom_dir: theme\n",
        r"(?m)^  icon:\n    logo: .*\n",
    ).replace("  - pymdownx.superfences:\n", "  - pymdownx.superfences\n")
    _write(root / "mkdocs.yml", config)
    _copy("docs/assets", root)
    for number, text in _texts(guide, pages, edit, _with_results):
        _write(root / f"docs/page_{number:03}.md", text)


def _with_results(run: Run, page: int) -> str:
    written = [f"```python\n{run.block.section.code}\n```"]
    if text := output_text(run.record):
        written.append(f"```text\n{text}\n```")
    if run.record.figure:
        alt = run.block.alt or ""
        written.append(figure_svg(run.record.figure, alt, run.number))
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
    code, kind = run.block.section.code, 'result="text"'
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
    tags = ":tags: [raises-exception]\n" if run.block.raises else ""
    return f"```{{code-cell}} python\n{tags}{run.block.section.code}\n```"


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
            code = part.block.section.code
            if part.block.raises:
                code = (
                    f"try:\n{textwrap.indent(code, '    ')}\n"
                    f"except {part.block.raises} as error:\n    print(error)"
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
            if isinstance(piece, Text):
                text = EXPLORER.sub("", LINK.sub(r"\1", piece.markdown))
                if not parts:
                    heading = _heading(number, edit)
                    text = re.sub(r"(?m)^# .*$", heading, text, count=1)
                parts.append(text)
            if isinstance(piece, Run):
                parts.append(_edited(piece, edit if not number else Edit()))
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
    fields = {**vars(run.block.section)}
    fields["code"] += f"\n{edit.code}"
    section = type(run.block.section)(**fields)
    block = Block(**{**vars(run.block), "section": section})
    return Run(block, run.record, run.number)


def _cell(part: str | Run, at: int) -> dict[str, Any]:
    cell = {"id": f"cell-{at}", "metadata": {}}
    if isinstance(part, str):
        return {**cell, "cell_type": "markdown", "source": part}
    return {
        **cell,
        "cell_type": "code",
        "source": part.block.section.code,
        "execution_count": None,
        "outputs": [],
    }


def _cut(path: Path, shown: set[str]) -> str:
    """Return the module without the markers of what the guide leaves out."""
    lines = []
    for line in (REPOSITORY / path).read_text("utf-8").splitlines():
        marker = MARKER.fullmatch(line)
        if not marker or f"{path.as_posix()}:{marker[2]}" in shown:
            lines.append(line)
    return "\n".join(lines) + "\n"


def _toctree(pattern: str) -> str:
    return f"# Guide\n\n```{{toctree}}\n:glob:\n\n{pattern}\n```\n"


def _without(text: str, *patterns: str) -> str:
    for pattern in patterns:
        text, found = re.subn(pattern, "", text)
        assert found == 1, f"mkdocs.yml has nothing like {pattern}"
    return text


def _copy(folder: str, root: Path) -> None:
    if not (root / folder).exists():
        shutil.copytree(REPOSITORY / folder, root / folder)


def _write(path: Path, text: str) -> None:
    """Write the file if it has another text, so that others stay old."""
    if path.exists() and path.read_text("utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
