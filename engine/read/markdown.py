"""Have Python-Markdown leave marks while it renders a page.

SuperFences hands over fences in any container; values are found once it has
taken the fences away; what a rendered page shows is then its program.
"""

import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from markdown import Markdown
from markdown.util import HTML_PLACEHOLDER_RE

from engine.program import Value
from engine.read import marks
from engine.read.formulas import InlineFormula
from engine.read.page import ShownBlock
from engine.read.reading import Reading, Surroundings, find_file
from engine.read.source import Included, note_places
from engine.read.superfences import Fences
from engine.read.values import LITERAL, NoExpressionError, split_values

ANNOTATED = re.compile(r"# \(\d+\)")

Lines = list[str]


class Reader:
    """Takes part in the rendering of pages, one after another."""

    reading: Reading
    is_settled = False
    """Whether the other extensions, which may come later, are known."""
    whole = False
    """Whether what is rendered now is all of the page: the extension toc
    lets every heading go through the postprocessors, too.
    """

    def __init__(
        self,
        md: Markdown,
        project: Surroundings,
        done: Callable[[Reading, str], str],
    ) -> None:
        self.md = md
        self.project = project
        self.done = done
        """Gets what was read of a page, and its HTML; returns the HTML."""
        self.fences = Fences(md, project)
        takes: list[tuple[Any, str, Any, float]] = [
            (md.preprocessors, "begin", self._begin, 1000),
            (md.preprocessors, "included", self._included, 31.9),
            (md.preprocessors, "values", self._values, 24.9),
            (md.treeprocessors, "annotations", self._annotate, 0),
            (md.postprocessors, "end", self._end, -100),
        ]
        for steps, name, take, priority in takes:
            step = SimpleNamespace(run=take)
            steps.register(step, f"engine_{name}", priority)
        formula = InlineFormula(md, lambda: self.reading)
        md.inlinePatterns.register(formula, "engine_formula", 195)

    def _begin(self, lines: Lines) -> Lines:
        """Begin to read a page."""
        if not self.is_settled:
            self._settle()
        text = "\n".join(lines)
        self.is_settled, self.whole = True, False
        root = self.project.root
        path = self.project.path or find_file(root, self.project.docs, text)
        self.reading = Reading(root, path, text, self.project.numbers)
        self.fences.reading = self.reading
        return lines

    def _settle(self) -> None:
        """Have the other extensions do their part."""
        self.fences.settle()
        if "snippet" in self.md.preprocessors:
            note_places(self.md.preprocessors["snippet"], self.project.root)
        if "toc" in self.md.treeprocessors:
            toc: Any = self.md.treeprocessors["toc"]
            slugify = toc.slugify
            # Links to such an id would be made before its value is known.
            toc.slugify = lambda text, mark: slugify(
                marks.unmarked(text), mark
            )

    def _included(self, lines: Lines) -> Lines:
        """Keep the places of what pymdownx.snippets has included."""
        if any(isinstance(line, Included) for line in lines):
            self.reading.source = self.reading.source.made_into(lines)
        return lines

    def _values(self, lines: Lines) -> Lines:
        """Leave a mark for each value outside of fences."""
        marked, prose = "", self.reading.source.made_into(lines)
        self.reading.look_for_left_over(prose)
        try:
            for said, expression, index in split_values("\n".join(lines)):
                marked += said
                if expression:
                    value = Value(prose.line(index), expression)
                    marked += marks.mark(self.reading.add(value))
        except NoExpressionError as error:
            index = len(lines) - 1 - error.rest.count("\n")
            self.reading.blame(error, prose.line(index))
            marked += error.before + error.rest
        return marked.replace(LITERAL, marks.BRACES).split("\n")

    def _annotate(self, root: ET.Element) -> None:
        """Put a block's list of annotations between its code and result."""
        self.whole = True
        for parent in root.iter():
            for child, after in itertools.pairwise(list(parent)):
                number = self._annotated(child)
                if number and after.tag == "ol":
                    place = ET.Element("div", {"data-run": marks.mark(number)})
                    parent.remove(after)
                    place.append(after)
                    after.tail = marks.mark(number)
                    place.tail = child.tail
                    parent[list(parent).index(child)] = place

    def _end(self, text: str) -> str:
        return self.done(self.reading, text) if self.whole else text

    def _annotated(self, element: ET.Element) -> int:
        """Return the number of the annotated block that stands there."""
        match = HTML_PLACEHOLDER_RE.fullmatch((element.text or "").strip())
        if match is None:
            return 0
        stashed = str(self.md.htmlStash.rawHtmlBlocks[int(match[1])])
        for number in marks.numbers(stashed):
            item = self.reading.items.get(number)
            if not isinstance(item, ShownBlock):
                continue
            if ANNOTATED.search(item.block.code):
                return number
        return 0
