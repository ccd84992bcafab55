"""What readers take home of a page: notebook, script and plain text.

All are made from the page and its record; nothing runs again.
"""

import json
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import explorer
from engine.blocks import Block
from engine.fences import Fence
from engine.pages import Page, fill_values, front_matter_end, parts
from engine.project import Project
from engine.records import BlockRecord, Record, kept_record
from engine.render import figure_svg, files_in_pieces, output_text, program

DESCRIPTION = re.compile(r"(?m)^description: (.+)$")
LINK = re.compile(r"\]\((?!\w+:|#)([\w/.-]+?)\.md(#[\w-]+)?\)")
INLINE_MATH = re.compile(r"`#!math (.+?)`", re.DOTALL)
EXPLORER = re.compile(r"(?ms)^```explorer\n(.*?)^```$")
STATE_LINK = re.compile(r'<a href="#\w+=[^"]*">(.*?)</a>', re.DOTALL)
ATTRIBUTES = re.compile(r"\{ \.[^}]*\}|</?div[^>]*>\n*")
ADMONITION = re.compile(
    r'(?m)^(?:\?\?\?|!!!)\+? \w+(?: "(.*)")?\n((?:\n| {4}.*(?:\n|\Z))*)'
)


@dataclass(frozen=True)
class Text:
    """Prose between two blocks, with values filled in."""

    markdown: str


@dataclass(frozen=True)
class Run:
    """A block, what it did, and its number from 1."""

    block: Block
    record: BlockRecord
    number: int


@dataclass(frozen=True)
class WholeProgram:
    """The place where a page shows all blocks above as one program."""

    blocks: tuple[Block, ...]


Piece = Text | Run | WholeProgram


def pieces(page: Page, record: Record) -> list[Piece]:
    """Return the page as its prose and its blocks, in page order."""
    lines = page.text.split("\n")
    fill_values(page, record.values, lines)
    found: list[Piece] = []
    start = front_matter_end(lines)
    shown = 0
    lines_of_blocks = {block.line for block in page.blocks}
    for part in parts(page.text):
        if not isinstance(part, Fence):
            continue
        is_program = part.info.startswith("program")
        if part.line not in lines_of_blocks and not is_program:
            continue
        _add_text(found, lines[start : part.line - 1])
        start = part.end
        if is_program:
            found.append(WholeProgram(page.blocks[:shown]))
            continue
        found.append(Run(page.blocks[shown], record.blocks[shown], shown + 1))
        shown += 1
    _add_text(found, lines[start:])
    return found


def script(page: Page, record: Record) -> str:
    """Return the page's program, with what it ran with."""
    about = f'"""{title(page)}.\n\nRan with {_ran_with(record)}.\n"""'
    return f"{about}\n\n{program(page.blocks)}"


def plain_text(project: Project, page: Page, record: Record) -> str:
    """Return the page as Markdown with its outputs, for any reader.

    Links lead to the plain-text twins of the other pages.
    """
    depth = "" if project.slug(page) == "index" else "../"
    written: list[str] = []
    for piece in pieces(page, record):
        match piece:
            case Text(markdown):
                linked = LINK.sub(
                    lambda m: f"]({depth}{_folder(m[1])}index.md{m[2] or ''})",
                    markdown,
                )
                written.append(linked)
            case Run(block, result, _):
                if block.file:
                    written.append(f"*File {block.file}:*")
                written.append(_fenced(block.language, block.section.code))
                output = output_text(result)
                if output:
                    written.append(_fenced("text", output))
                if result.figure:
                    written.append(f"*Figure: {block.alt}.*")
            case WholeProgram(blocks):
                written.append(_fenced("python", program(blocks).rstrip()))
                for name, contents in files_in_pieces(blocks).items():
                    written.append(f"*The whole of {name}:*")
                    written.append(_fenced("python", contents.rstrip()))
    written.append(f"Ran with {_ran_with(record)}.")
    return "\n\n".join(written) + "\n"


def notebook(page: Page, record: Record, root: str, end: str) -> str:
    """Return the page as an executed notebook, version 4.5 of the format.

    A link to another page becomes its name between ``root``, the address
    of the site or the way to it, and ``end``.
    """

    def linked(markdown: str) -> str:
        return LINK.sub(
            lambda m: f"]({root}{_address(m[1], end)}{m[2] or ''})", markdown
        )

    cells: list[dict[str, Any]] = []
    for piece in pieces(page, record):
        match piece:
            case Text(markdown):
                cells.append(_markdown_cell(linked(markdown), len(cells)))
            case Run():
                cells.append(_code_cell(piece))
            case WholeProgram():
                cells.append(
                    _markdown_cell(
                        "In this notebook, run all cells above.", len(cells)
                    )
                )
    cells.append(_markdown_cell(f"Ran with {_ran_with(record)}.", len(cells)))
    python = {"name": "python3", "language": "python"}
    metadata = {
        "kernelspec": {**python, "display_name": "Python 3"},
        "language_info": {
            "name": "python",
            "version": record.versions["Python"],
        },
        "title": title(page),
    }
    book = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": metadata,
        "cells": cells,
    }
    return json.dumps(book, indent=1, ensure_ascii=False) + "\n"


def write_exports(
    project: Project, folder: Path, site: str, directories: bool
) -> None:
    """Write every page's exports, and the lists of them, into the folder.

    ``site`` is the site's address with a slash at its end, and
    ``directories`` says whether pages are folders of it or plain files.
    The notebooks in ``notebooks/`` are to be rendered as pages of the site.
    """
    short = "# Training loops in TensorFlow\n\nEvery block was run.\n\n"
    full = ""
    for page in project.pages:
        slug = project.slug(page)
        twin = f"{_folder(slug)}index.md"
        short += f"- [{title(page)}]({site}{twin}): {description(page)}\n"
        record = kept_record(project, page) if page.blocks else None
        if record is None:
            _write(folder / twin, page.text)
            continue
        text = plain_text(project, page, record)
        full += text + "\n"
        _write(folder / twin, text)
        _write(folder / f"{slug}.py", script(page, record))
        for name, contents in page.files.items():
            _write(folder / slug / name, contents)
        end = "/" if directories else ".html"
        book = notebook(page, record, site, end)
        _write(folder / f"{slug}.ipynb", book)
        if slug != "index":
            root = "../../" if directories else "../"
            view = notebook(page, record, root, end)
            _write(folder / "notebooks" / f"{slug}.ipynb", view)
    _write(folder / "llms.txt", short)
    _write(folder / "llms-full.txt", full)


def cell_source(block: Block) -> str:
    """Return the block as a notebook's cell, with a magic if it needs one."""
    code = block.section.code
    if block.is_command:
        return f"%%script sh -e\n{code}"
    if block.file is None:
        return code
    above = block.contents.removesuffix(f"{code}\n")
    if not above:
        return f"%%writefile {block.file}\n{code}"
    gap = above[len(above.rstrip("\n")) + 1 :]
    return f"%%writefile -a {block.file}\n{gap}{code}"


def title(page: Page) -> str:
    """Return the page's first heading."""
    heading = re.search(r"(?m)^# (.+)$", page.text)
    return heading[1] if heading else page.path.stem


def description(page: Page) -> str:
    """Return what the page's front matter says of it."""
    found = DESCRIPTION.search(page.text)
    return found[1] if found else ""


def _add_text(found: list[Piece], lines: list[str]) -> None:
    text = "\n".join(lines).strip()
    text = ADMONITION.sub(
        lambda m: f"**{m[1] or 'Note'}**\n{textwrap.dedent(m[2])}", text
    )
    text = EXPLORER.sub(lambda m: explorer.as_markdown(m[1]), text)
    text = STATE_LINK.sub(r"\1", text)
    text = ATTRIBUTES.sub("", text).strip()
    if text:
        found.append(Text(text))


def _folder(name: str) -> str:
    return _address(name, "/")


def _address(name: str, end: str) -> str:
    return "" if name == "index" else f"{name}{end}"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _ran_with(record: Record) -> str:
    return ", ".join(f"{k} {v}" for k, v in record.versions.items())


def _fenced(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```"


def _markdown_cell(markdown: str, index: int) -> dict[str, Any]:
    text = INLINE_MATH.sub(lambda m: f"${' '.join(m[1].split())}$", markdown)
    text = re.sub(r"```math\n(.*?)\n```", r"$$\n\1\n$$", text, flags=re.DOTALL)
    return {
        "cell_type": "markdown",
        "id": f"text-{index}",
        "metadata": {},
        "source": text,
    }


def _code_cell(run: Run) -> dict[str, Any]:
    outputs: list[dict[str, Any]] = []
    if run.record.output:
        outputs.append(
            {
                "output_type": "stream",
                "name": "stdout",
                "text": run.record.output,
            }
        )
    if run.record.figure:
        outputs.append(_figure_output(run))
    if run.record.error:
        name, _, value = run.record.error.partition(": ")
        outputs.append(
            {
                "output_type": "error",
                "ename": name,
                "evalue": value,
                "traceback": [run.record.error],
            }
        )
    fails = run.block.raises or run.block.exits
    tags = ["raises-exception"] if fails else []
    return {
        "cell_type": "code",
        "id": f"block-{run.number}",
        "metadata": {"tags": tags} if tags else {},
        "execution_count": run.number,
        "source": cell_source(run.block),
        "outputs": outputs,
    }


def _figure_output(run: Run) -> dict[str, Any]:
    alt = run.block.alt or ""
    return {
        "output_type": "display_data",
        "metadata": {"image/svg+xml": {"alt": alt}},
        "data": {
            "image/svg+xml": figure_svg(run.record.figure, alt, run.number),
            "text/plain": alt,
        },
    }
