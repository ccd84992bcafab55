"""The pages keep to the style that CONTRIBUTING.md asks for."""

import ast
import itertools
import re
from pathlib import Path

import pytest
import yaml

from engine.blocks import FILE_LANGUAGES, Block
from engine.fences import Fence
from engine.pages import Page, parts
from engine.project import Project

DOCS = Path(__file__).parents[2] / "docs"
NAMES = sorted(p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md"))
MOST_LINES = 15
MOST_COLUMNS = 79


@pytest.fixture(params=NAMES)
def page(request: pytest.FixtureRequest, project: Project) -> Page:
    return project.page(request.param)


def prose(page: Page) -> str:
    """Return the page without its front matter and fences."""
    lines = page.text.split("\n")
    hidden: set[int] = set(range(1, lines.index("---", 1) + 2))
    for part in parts(page.text):
        if isinstance(part, Fence):
            hidden.update(range(part.line, part.end + 1))
    return "\n".join(
        line for number, line in enumerate(lines, 1) if number not in hidden
    )


def imports(block: Block) -> bool:
    nodes = ast.parse(block.section.code).body
    return any(isinstance(n, ast.Import | ast.ImportFrom) for n in nodes)


def test_there_are_pages() -> None:
    assert {"index.md", "basic_training_loops.md", "foundations.md"} <= {
        *NAMES
    }


def test_blocks_are_short_and_narrow(page: Page) -> None:
    for block in page.blocks:
        if block.language in FILE_LANGUAGES:
            continue
        lines = block.section.code.split("\n")
        assert len(lines) <= MOST_LINES, block.section.reference
        assert max(map(len, lines)) <= MOST_COLUMNS, block.section.reference


def test_imports_stand_in_the_first_block(page: Page) -> None:
    """Those of the page's program, and those of each file."""
    programs: dict[str | None, list[Block]] = {}
    for block in page.blocks:
        if block.language == "python":
            programs.setdefault(block.file, []).append(block)
    for file, blocks in programs.items():
        importing = [block for block in blocks if imports(block)]
        assert importing == blocks[:1] or (file and not importing)


def test_no_block_imports_the_project(page: Page) -> None:
    for block in page.blocks:
        if block.language in FILE_LANGUAGES:
            continue
        assert "snippets" not in block.section.code
        assert "engine" not in block.section.code


def test_a_text_for_a_figure_says_what_it_shows(page: Page) -> None:
    for block in page.blocks:
        if block.alt is not None:
            assert len(block.alt) >= 40
            assert not re.match(r"(?i)(a )?(plot|figure|image)\b", block.alt)


def test_a_page_describes_itself(page: Page) -> None:
    front_matter = yaml.safe_load(page.text.split("---")[1])
    assert 50 <= len(front_matter["description"]) <= 160


def test_headings_do_not_skip_a_level(page: Page) -> None:
    levels = [len(m) for m in re.findall(r"(?m)^(#+) ", prose(page))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    for above, below in itertools.pairwise(levels):
        assert below <= above + 1


def test_prose_keeps_its_measure(page: Page) -> None:
    text = re.sub(r"\]\([^)]*\)|alt=.*", "", prose(page))
    for line in text.split("\n"):
        assert len(line) <= MOST_COLUMNS + 1, line


def test_prose_has_no_hype(page: Page) -> None:
    hype = r"(?i)\b(simply|obviously|of course|amazing|powerful|blazing)\b"
    assert not re.search(hype, prose(page))


def test_the_home_page_lists_the_course_in_the_order_of_the_navigation() -> (
    None
):
    listed = re.findall(
        r"(?m)^\d+\. \[(.+)\]\((\w+\.md)\) \w", (DOCS / "index.md").read_text()
    )
    nav = (DOCS.parent / "mkdocs.yml").read_text()
    named = re.findall(r"(?m)^  - (.+): (\w+\.md)$", nav)
    assert len(listed) >= 7
    assert listed == [entry for entry in named if entry in listed]


def test_a_page_says_first_what_it_gives_and_what_it_needs(page: Page) -> None:
    if page.path.name == "index.md":
        return
    opening = prose(page).split("\n## ")[0]
    assert re.search(r"\b[Yy]ou (can|have|learn)\b", opening)
    assert "You need" in opening
