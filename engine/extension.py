"""The engine as a Python-Markdown extension and SuperFences formatters.

The preprocessor sees a page's text before any other.  It finds out which
page that is, gets the record, writes values into the prose and code into the
fences, and puts a fence for the result below each block, after the block's
list of annotations if it has one.  The formatters then show code and results
in page order.
"""

import html
import re
from pathlib import Path
from typing import Any, NamedTuple

import latex2mathml.converter
from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor
from pymdownx.superfences import SuperFencesException, highlight_validator

from engine.blocks import OWN_OPTIONS, Block
from engine.pages import Page, fill_values
from engine.project import Project, current_project
from engine.records import (
    Record,
    building,
    keep_record,
    kept_record,
    make_record,
    require_alt,
)
from engine.render import (
    block_data,
    block_name,
    files_in_pieces,
    program,
    result_html,
    versions_html,
)

BEFORE_ALL_OTHERS = 1000
ANNOTATED = re.compile(r"# \(\d+\)")
ANNOTATION = re.compile(r"\s*|[> ]*(\d+\. |    ).*")

# While the site is served, code is coloured once, not for each edit of prose.
_highlighted: dict[str, str] = {}


class Rendering(NamedTuple):
    """The page that is being rendered, and its record."""

    page: Page
    record: Record


class RunExtension(Extension):
    """Registers the preprocessor; ``root`` is the project's folder."""

    def __init__(self, **kwargs: Any) -> None:
        self.config = {"root": [".", "The folder that holds docs/"]}
        super().__init__(**kwargs)

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        """Put the preprocessor in front of all others."""
        root = Path(self.getConfig("root")).resolve()
        md.preprocessors.register(
            RunPreprocessor(md, root), "run", BEFORE_ALL_OTHERS
        )


class RunPreprocessor(Preprocessor):
    """Prepares a page for the formatters."""

    def __init__(self, md: Markdown, root: Path) -> None:
        super().__init__(md)
        self.root = root
        self.rendering: Rendering | None = None
        self.shown = 0
        """How many of the page's blocks the formatters have shown."""

    def run(self, lines: list[str]) -> list[str]:
        """Return the lines with values, code and fences for results."""
        self.rendering, self.shown = None, 0
        project = current_project(self.root)
        page = project.bodies.get("\n".join(lines).strip())
        if page is None or not page.blocks:
            return lines
        self.rendering = Rendering(page, _record(project, page))
        return _prepare(self.rendering, lines)

    def next_block(self, code: str) -> Block:
        """Count and return the block, with this code, to be shown."""
        blocks = self.rendering.page.blocks if self.rendering else ()
        if self.shown < len(blocks):
            block = blocks[self.shown]
            if block.section.code.strip() == code.strip():
                self.shown += 1
                return block
        raise SuperFencesException(
            "a block was not found by the engine\n"
            "  mend: write its fence as a plain one on a page in docs/"
        )


def makeExtension(**kwargs: Any) -> RunExtension:  # noqa: N802
    """Return the extension; Python-Markdown calls this by its name."""
    return RunExtension(**kwargs)


def accept_run(
    language: str,
    inputs: dict[str, str],
    options: dict[str, Any],
    attrs: dict[str, str],
    md: Markdown,
) -> bool:
    """Take blocks of a program; leave the others to the highlighter."""
    if language != "console" and not {"run", "source"} & inputs.keys():
        return False
    for key in OWN_OPTIONS & inputs.keys():
        options[key] = inputs.pop(key)
    return bool(highlight_validator(language, inputs, options, attrs, md))


def format_run(
    source: str,
    language: str,
    css_class: str,
    options: dict[str, Any],
    md: Markdown,
    **kwargs: Any,
) -> str:
    """Open a block and show its code, highlighted as any other."""
    preprocessor = _preprocessor(md)
    block = preprocessor.next_block(source)
    for key in OWN_OPTIONS & options.keys():
        del options[key]
    code = _highlight(source, language, options, md, **kwargs)
    number = preprocessor.shown
    attributes = (
        f'class="run" id="block-{number}" data-block="{number}"'
        f"{block_data(block)}"
    )
    # The bar has its height before a script adds the copy buttons to it.
    bar = (
        f'<div class="run-bar"><span>{block_name(block, number)}</span></div>'
    )
    if block.fold:
        summary = f"<summary>{html.escape(block.fold)}</summary>"
        return f"<details {attributes}>{summary}{bar}{code}"
    return f"<div {attributes}>{bar}{code}"


def format_result(
    source: str,
    language: str,
    css_class: str,
    options: dict[str, Any],
    md: Markdown,
    **kwargs: Any,
) -> str:
    """Show what the last block did, and close it."""
    (page, record), shown = _rendering(md)
    block = page.blocks[shown - 1]
    result = result_html(block, record.blocks[shown - 1], shown)
    return f"{result}</{'details' if block.fold else 'div'}>"


def format_program(
    source: str,
    language: str,
    css_class: str,
    options: dict[str, Any],
    md: Markdown,
    **kwargs: Any,
) -> str:
    """Show the blocks above the fence as one program, folded.

    Files that several of the blocks make up follow it, each as a whole.
    """
    (page, _), shown = _rendering(md)

    def folded(title: str, code: str, file: str) -> str:
        highlighted = _highlight(code, "python", {}, md, **kwargs)
        return (
            f'<details class="run run-program"{file}>'
            f"<summary>{title}</summary>"
            f'<div class="run-bar"></div>{highlighted}</details>'
        )

    whole = folded("The whole program", program(page.blocks[:shown]), "")
    files = [
        folded(f"The whole of {name}", contents, f' data-file="{name}"')
        for name, contents in files_in_pieces(page.blocks[:shown]).items()
    ]
    return "".join([whole, *files])


def format_versions(
    source: str,
    language: str,
    css_class: str,
    options: dict[str, Any],
    md: Markdown,
    **kwargs: Any,
) -> str:
    """Show what the page ran with."""
    (_, record), _ = _rendering(md)
    return versions_html(record)


def format_math(
    source: str,
    language: str,
    css_class: str,
    options: dict[str, Any],
    md: Markdown,
    **kwargs: Any,
) -> str:
    """Set a formula, written in LaTeX, on a line of its own."""
    formula = latex2mathml.converter.convert(source, display="block")
    return f'<div class="formula">{formula}</div>'


def format_inline_math(
    source: str, language: str, css_class: str, md: Markdown
) -> str:
    """Set a formula, written in LaTeX, within a line."""
    return str(latex2mathml.converter.convert(source))


def _record(project: Project, page: Page) -> Record:
    record = kept_record(project, page)
    if record is None:
        with building(project):
            record = make_record(project, page)
            keep_record(project, page, record)
    require_alt(page, record)
    return record


def _prepare(rendering: Rendering, lines: list[str]) -> list[str]:
    """Fill in values and code; add fences for results and versions."""
    page, record = rendering
    prepared = page.text.rstrip().split("\n")
    front_matter = len(prepared) - len("\n".join(lines).strip().split("\n"))
    fill_values(page, record.values, prepared)
    for block in reversed(page.blocks):
        _insert(
            prepared,
            _annotations_end(block, prepared),
            ["", "```result", "```", ""],
            block.indent,
        )
        if not block.is_command:
            code = block.section.code.split("\n")
            _insert(prepared, block.line, code, block.indent)
    return [*prepared[front_matter:], "", "```versions", "```"]


def _insert(
    lines: list[str], at: int, inserted: list[str], indent: str
) -> None:
    lines[at:at] = [f"{indent}{line}" for line in inserted]


def _annotations_end(block: Block, lines: list[str]) -> int:
    """Return the index of the line before which the result belongs."""
    if not ANNOTATED.search(block.section.code):
        return block.end
    at = end = block.end
    while at < len(lines) and ANNOTATION.fullmatch(lines[at]):
        at += 1
        if lines[at - 1].strip():
            end = at
    return end


def _highlight(
    code: str,
    language: str,
    options: dict[str, Any],
    md: Markdown,
    **kwargs: Any,
) -> str:
    # The lexer of consoles takes lines without a prompt for output.
    lexer = "sh" if language == "console" else language
    highlighter: Any = md.preprocessors["fenced_code_block"]
    settings = highlighter.highlight_ext.get_pymdownx_highlight_settings()
    known = repr((settings, code, lexer, options, kwargs))
    if known not in _highlighted:
        _highlighted[known] = str(
            highlighter.highlight(code, lexer, options, md, **kwargs)
        )
    return _highlighted[known]


def _preprocessor(md: Markdown) -> RunPreprocessor:
    preprocessor = md.preprocessors["run"]
    assert isinstance(preprocessor, RunPreprocessor)
    return preprocessor


def _rendering(md: Markdown) -> tuple[Rendering, int]:
    preprocessor = _preprocessor(md)
    if preprocessor.rendering is None:
        raise SuperFencesException(
            "this fence needs a page that runs something\n"
            "  mend: remove it, or add a block with run="
        )
    return preprocessor.rendering, preprocessor.shown
