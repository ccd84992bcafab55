"""The fences that SuperFences hands over, each guarded in one place."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from markdown import Markdown
from pymdownx.superfences import SuperFencesBlockPreprocessor

from engine.errors import PageError
from engine.program import Block, Value
from engine.read import marks
from engine.read.fences import (
    CONSOLE,
    FILE_LANGUAGES,
    PYTHON_NAMES,
    Fence,
    is_block,
    read_block,
    require_empty,
)
from engine.read.formulas import formula
from engine.read.options import (
    LOOK,
    NO_OPTIONS,
    SITE_FENCE,
    read_options,
    require_each_once,
    require_lines,
    require_no_id,
)
from engine.read.page import ShownBlock, SiteFence, WholeProgram
from engine.read.reading import Reading, Surroundings
from engine.read.values import split_values

LANGUAGES = (*sorted(PYTHON_NAMES), CONSOLE, *FILE_LANGUAGES)
NAMES = (*LANGUAGES, "program", "math")
"""What the engine reads; a site's own fences have other names."""
SITE_FENCES = "engine_fences"
"""The attribute of a Markdown object that holds a site's own fences."""

Form = Callable[[Fence], str]


class Counted(list[str]):
    """Lines that know how far whoever goes through them has come."""

    at = 0

    def __iter__(self) -> Iterator[str]:
        for self.at, line in enumerate(super().__iter__()):
            yield line


class Fences:
    """Notes the fences of pages, one page after another."""

    reading: Reading
    superfences: Any

    def __init__(self, md: Markdown, project: Surroundings) -> None:
        self.md = md
        self.project = project
        self.lines = Counted()

    def settle(self) -> None:
        """Take care that SuperFences knows the fences."""
        self.superfences = self.md.preprocessors["fenced_code_block"]
        if not isinstance(self.superfences, SuperFencesBlockPreprocessor):
            raise PageError(
                "another extension takes the fences that pymdownx.superfences "
                "is to read",
                hint="list pymdownx.superfences below fenced_code and extra",
                path="mkdocs.yml",
            )
        # Asked last but for code that is only shown, so that no fence of
        # another language has run= and does not run.
        self._register(None, self._block, is_block)
        fences = self.superfences.extension.superfences
        fences.insert(1, fences.pop())
        for language in LANGUAGES:
            self._register(language, self._block, is_block)
        self._register("program", self._program)
        self._register("math", self._formula)
        for name, render in getattr(self.md, SITE_FENCES, {}).items():
            self._register(name, partial(self._site_fence, render))

        search = self.superfences.search_nested
        self.superfences.search_nested = lambda x: search(self._counted(x))

    def _counted(self, lines: list[str]) -> list[str]:
        """Return the lines in which SuperFences looks for fences."""
        self.reading.source = self.reading.source.made_into(lines)
        self.lines = Counted(lines)
        return self.lines

    def _register(
        self,
        name: str | None,
        form: Form,
        takes: Callable[[str, Mapping[str, str]], bool] = lambda *_: True,
    ) -> None:
        """Register a fence; nothing that goes wrong in it is swallowed."""

        def validate(
            language: str,
            inputs: dict[str, str],
            options: dict[str, Any],
            *_: Any,
        ) -> bool:
            options.update(inputs)
            return takes(language, inputs)

        def format_fence(
            src: str,
            language: str,
            options: dict[str, Any],
            *_: Any,
            classes: Sequence[str] = (),
            id_value: str = "",
            **__: Any,
        ) -> str:
            end = self.lines.at
            start = end - len(self.superfences.code) - 1
            line = self.reading.source.line(start)
            try:
                self.reading.look_for_slips(start, end + 1)
                require_each_once(options, self.lines[start])
                require_no_id(id_value)
                fence = Fence(line, language.lower(), options, src, [*classes])
                return form(fence)
            except PageError as error:
                self.reading.blame(error, line)
            except Exception as error:
                problem = f"this fence raised {type(error).__name__}: {error}"
                hint = "correct what stands in it"
                self.reading.blame(PageError(problem, hint=hint), line)
            return "<div></div>"

        self.superfences.extension.extend_super_fences(
            name, format_fence, validate, None
        )

    def _block(self, fence: Fence) -> str:
        root, snippets = self.project.root, self.project.snippets
        block = read_block(fence, root, snippets)
        require_lines(fence.given, block.code)
        code = self._coloured(block, fence) if self.project.runs else ""
        item = ShownBlock(block, code)
        return marks.block_mark(self.reading.add(item))

    def _program(self, fence: Fence) -> str:
        read_options(fence.given, NO_OPTIONS)
        require_empty(fence, "the whole program")
        highlight = partial(
            self._highlight, lexer="python", look={}, classes=fence.classes
        )
        item = WholeProgram(fence.line, highlight)
        return marks.block_mark(self.reading.add(item))

    def _formula(self, fence: Fence) -> str:
        read_options(fence.given, NO_OPTIONS)
        return f'<div class="formula">{formula(fence.body, "block")}</div>'

    def _site_fence(self, render: Callable[[str], str], fence: Fence) -> str:
        texts, values = [], []
        for said, expression, line in split_values(fence.body):
            texts.append(said)
            if expression:
                values.append(Value(fence.line + 1 + line, expression))
        options = read_options(fence.given, SITE_FENCE)
        item = SiteFence(
            fence.line, tuple(texts), tuple(values), render, **options
        )
        return marks.block_mark(self.reading.add(item))

    def _coloured(self, block: Block, fence: Fence) -> str:
        # The lexer of consoles takes lines without a prompt for output.
        lexer = "sh" if block.language == CONSOLE else block.language
        look = {k: text for k, text in fence.given.items() if k in LOOK}
        return self._highlight(block.code, lexer, look, fence.classes)

    def _highlight(
        self, code: str, lexer: str, look: dict[str, str], classes: list[str]
    ) -> str:
        """Return the code as HTML, coloured as any other of the site."""
        fences, known = self.superfences, self.project.highlighted
        settings = fences.highlight_ext.get_pymdownx_highlight_settings()
        key = repr((settings, code, lexer, look, classes))
        if key not in known:
            fences.line_count = code.count("\n") + 1
            more: Any = {"classes": [*classes], "id_value": "", "attrs": {}}
            known[key] = str(
                fences.highlight(code, lexer, dict(look), self.md, **more)
            )
        return known[key]
