"""Which sentences of a page tests hold, and how the others are judged."""

import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.claims.says import missing, page_of
from tests.claims.sentences import (
    DOCS,
    ROOT,
    Page,
    Paragraph,
    find,
    is_held,
    names,
    read,
)
from tools.untrue import quotes_of

FOLDER = Path(__file__).parent
LEAST_SHARE = 0.95
COUNTS = ROOT / "snippets/results/claims.json"
HELD, NO_FACT, SHOWN, NOT_TESTABLE, OPEN = "held", "-", "^", "!", "?"
"""What can be said of a sentence; all but the first are marks of a list."""


class Judged(NamedTuple):
    """A line of a list: a mark, a block or a reason, and the sentence."""

    mark: str
    why: str = ""


class Standing(NamedTuple):
    """What there is to say of a page."""

    kinds: dict[str, str]
    """Of each sentence, whether it is held or how it is judged."""
    faults: list[str]

    @property
    def row(self) -> tuple[int, ...]:
        """Sentences, facts; held, shown, not testable, open."""
        count = Counter(self.kinds.values())
        facts = len(self.kinds) - count[NO_FACT]
        each = (count[k] for k in (HELD, SHOWN, NOT_TESTABLE, OPEN))
        return len(self.kinds), facts, *each

    @property
    def share(self) -> float:
        """The share of the facts that a test or a block holds."""
        _, facts, held, shown, *_ = self.row
        return (held + shown) / facts if facts else 1.0


def is_judged(page: str) -> bool:
    """Return whether the page has a list of judged sentences."""
    return _list(page).exists()


@cache
def standing(name: str) -> Standing:
    """Return how the sentences of a page stand, and what is wrong."""
    page, judged = read(name), _judged(name)
    kinds: dict[str, str] = {}
    faults = [m for p, q in quotes() if p == name and (m := missing(q, p))]
    for paragraph, start, sentence, held in _sentences(page):
        mark, why = judged.get(sentence, Judged(OPEN))
        kind = HELD if held else mark
        if kinds.setdefault(sentence, kind) != kind or kind == HELD:
            continue
        place = paragraph.place(start)
        if kind == OPEN:
            faults.append(f"{place}: open: {sentence}")
        if kind == NO_FACT and "](http" in sentence:
            faults.append(f"{place}: another host's is a fact: {sentence}")
        if kind == SHOWN and why not in page.beside(paragraph):
            faults.append(f'{place}: no block "{why}" beside it: {sentence}')
    path = _list(name).relative_to(ROOT)
    for sentence in judged.keys() - kinds.keys():
        faults.append(f"{path}: stands on the page no more: {sentence}")
    result = Standing(kinds, faults)
    if result.share < LEAST_SHARE:
        faults.append(f"docs/{name}.md: {result.share:.1%} of its facts held")
    return result


def write(name: str) -> None:
    """Write the list anew: what still stands, and what is to be judged."""
    judged, lines = _judged(name), dict[str, None]()
    for _, _, sentence, held in _sentences(read(name)):
        mark, why = judged.get(sentence, Judged(OPEN))
        if not held:
            lines[f"{mark} {why and f'{why} | '}{sentence}\n"] = None
    _list(name).write_text("".join(lines), "utf-8")


@cache
def quotes() -> list[tuple[str, str]]:
    """Return all pages and quotes of the tests, without importing them."""
    pages = names()
    return [
        (page, quote)
        for path in sorted(FOLDER.glob("test_*.py"))
        if page_of(path.stem) in pages
        for _, page, quote in quotes_of(path)
    ]


def _sentences(page: Page) -> Iterator[tuple[Paragraph, int, str, bool]]:
    """Yield paragraph, place and words of each sentence; is it held?

    A docstring is the same on all pages, and held wherever it is quoted.
    """
    for paragraph in page.paragraphs:
        everywhere = paragraph.path.parts[0] != DOCS.name
        quoted = [
            span
            for name, quote in quotes()
            if everywhere or name == page.name
            for span in find(quote, paragraph)
        ]
        for start, end in paragraph.sentences():
            held = is_held((start, end), paragraph.text, quoted)
            yield paragraph, start, paragraph.text[start:end], held


def _list(page: str) -> Path:
    return FOLDER / f"judged/{page}.txt"


def _judged(page: str) -> dict[str, Judged]:
    """Return the judged sentences of a page."""
    found = {}
    lines = _list(page).read_text("utf-8") if is_judged(page) else ""
    for line in lines.splitlines():
        mark, _, rest = line.partition(" ")
        why = ""
        if mark in (SHOWN, NOT_TESTABLE):
            why, _, rest = rest.partition(" | ")
        found[rest] = Judged(mark, why)
    return found


def counts(pages: list[str]) -> str:
    """Return how the pages stand, as JSON with a line for each page."""
    names = ("sentences", "facts", "held", "shown", "not testable", "open")
    rows = [
        f"{json.dumps(page)}: {json.dumps(dict(zip(names, row, strict=True)))}"
        for page in pages
        for row in [standing(page).row]
    ]
    return "{\n " + ",\n ".join(rows) + "\n}\n"


def table(pages: list[str]) -> str:
    """Return how the pages stand, as a table in Markdown."""
    lines = [
        "| page | sentences | facts | held by a test | shown by a block "
        "| not testable | open | share held |",
        f"| --- |{' ---: |' * 7}",
    ]
    for page in pages:
        found = standing(page)
        cells = " | ".join(map(str, found.row))
        lines.append(f"| {page} | {cells} | {found.share:.0%} |")
    return "\n".join(lines)


def not_judged() -> list[str]:
    """Return the pages without a list."""
    return [page for page in names() if not is_judged(page)]
