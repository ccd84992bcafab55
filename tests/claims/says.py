"""What a claim is tested with: quotes, records of pages, their code."""

import ast
import difflib
import functools
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import pytest

from tests.claims.sentences import (
    FEWEST_WORDS,
    ROOT,
    Block,
    Page,
    find,
    read,
)
from tests.story import Names, execute, statements
from tools.compare import EXPECTED
from tools.expected import read as read_expected

Test = TypeVar("Test", bound=Callable[..., None])
NUMBER = re.compile(r"-?(?:\d+\.?\d*(?:e[+-]\d+)?|\binf\b)|\bnan\b")
FIGURE = re.compile(r"(?:\A|\n)figure\n")


def says(quote: str, page: str = "") -> Callable[[Test], Test]:
    """Say which sentence of a page a test holds.

    The page is the one after which the test's module is named, if no other
    is given.  The test fails if the page does not say so.
    """

    def hold(test: Test) -> Test:
        name = page or page_of(test.__module__)

        @functools.wraps(test)
        def held(*arguments: object, **named: object) -> None:
            if fault := missing(quote, name):
                pytest.fail(fault, pytrace=False)
            test(*arguments, **named)

        return held  # type: ignore[return-value]

    return hold


def logged(program: str) -> str:
    """Return what a process of its own logs that runs the program."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr


def page_of(module: str) -> str:
    """Return the page that a module of claims is about."""
    return module.rpartition(".")[2].removeprefix("test_")


def missing(quote: str, name: str) -> str:
    """Return why the page of that name does not hold the quote, or nothing."""
    paragraphs = read(name).paragraphs
    plain = " ".join(quote.split())
    is_long = len(plain.split()) >= FEWEST_WORDS
    if is_long and any(find(plain, paragraph) for paragraph in paragraphs):
        return ""
    sentences = [p.text[a:b] for p in paragraphs for a, b in p.sentences()]
    if plain in sentences:
        return ""
    if not is_long:
        return f"too short to quote: {plain!r}; quote a whole sentence"
    near = difflib.get_close_matches(plain, sentences, 1, 0)
    return f"docs/{name}.md does not say\n  {plain}\ndid you mean\n  {near[0]}"


@functools.cache
def record(page: str) -> dict[str, str]:
    """Return what is kept of a page: what each block and value came to.

    Blocks are named as ``module:section``, values as they stand in braces.
    """
    items = read_expected((ROOT / EXPECTED / f"{page}.txt").read_text("utf-8"))
    shorter = re.compile(r"^snippets/(\S+)\.py(?=:)|^\{\{ (.*) \}\}$")
    return {shorter.sub(r"\1\2", item.name): item.text for item in items}


def printed(page: str, section: str) -> str:
    """Return what a block of the page prints, or its error."""
    return FIGURE.split(_kept(page, section))[0]


def _kept(page: str, section: str) -> str:
    """Return what is kept of a section, named with its module or without."""
    kept = record(page)
    [name] = [n for n in kept if section in (n, n.rpartition(":")[2])]
    return kept[name]


def numbers(text: str) -> list[float]:
    """Return the numbers in a text, as they stand there."""
    return [float(number) for number in NUMBER.findall(text)]


def lines(page: str, section: str) -> list[list[float]]:
    """Return the numbers in each line that a block prints."""
    return [numbers(line) for line in printed(page, section).split("\n")]


def imported(page: Page) -> set[str]:
    """Return the packages that the blocks of a page import."""
    found = set()
    for block in page.blocks:
        for node in ast.walk(ast.parse(block.code)):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add((node.module or "").split(".")[0])
    return found


def highlighted(block: Block) -> list[str]:
    """Return the lines of a block that the page shows highlighted."""
    lines = block.code.split("\n")
    shown = map(int, block.options["hl_lines"].split())
    return [lines[number - 1].strip() for number in shown]


class Points(NamedTuple):
    """Of a line or a collection, all points, or five of many."""

    x: list[float]
    y: list[float]


class Axes(NamedTuple):
    """What one axes of a figure draws."""

    text: str
    """All that is kept of it."""
    points: dict[str, Points]
    """By their labels; those without one as ``line``, ``line 2``, …"""
    texts: list[str]


def figure(page: str, section: str) -> list[Axes]:
    """Return what the figure of a block of the page draws."""
    text = FIGURE.split(_kept(page, section))[1]
    return [_axes(part) for part in re.split(r"\naxes \d+\n", text)[1:]]


def _axes(text: str) -> Axes:
    points: dict[str, Points] = {}
    drawn = r"  (\w+)(?: '(.+)')?: \d+ points\n +x: (.+)\n +y: (.+)"
    for kind, label, *columns in re.findall(drawn, text):
        name, number = label or kind, 1
        while name in points:
            name, number = f"{kind} {number + 1}", number + 1
        x, y = (column.split(";")[0].split(", ") for column in columns)
        points[name] = Points([*map(float, x)], [*map(float, y)])
    texts = re.findall(r"(?m)^  text at \(.+?\): (.+)$", text)
    return Axes(text, points, [ast.literal_eval(said) for said in texts])


def ran(module: str, *sections: str, **given: object) -> Names:
    """Run sections of a module as a page does; return the names they leave.

    They find what the module defines, and what is given.
    """
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    names = {**vars(importlib.import_module(f"snippets.{module}")), **given}
    for section in sections:
        execute(module, statements(module, section), names)
    plt.close("all")
    return names
