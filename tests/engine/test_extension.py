"""Pages are rendered by Python-Markdown with the engine's extension."""

from typing import Any

import pytest
import yaml
from bs4 import BeautifulSoup
from markdown import Markdown
from pymdownx.highlight import Highlight

from engine.errors import EngineError, PageError
from engine.extension import project_of
from tests.engine.scratch import MKDOCS, PAGE, Scratch


def render(
    scratch: Scratch, text: str = PAGE, config: str = MKDOCS
) -> BeautifulSoup:
    """Render the text as MkDocs would: without its front matter."""
    extensions = yaml.safe_load(config)["markdown_extensions"]
    names: list[str] = []
    root = {"root": str(scratch.root)}
    configs: dict[str, Any] = {"engine.extension": root}
    for extension in extensions:
        if isinstance(extension, str):
            names.append(extension)
        else:
            ((name, options),) = extension.items()
            names.append(name)
            configs[name] = options
    md = Markdown(extensions=names, extension_configs=configs)
    try:
        return BeautifulSoup(md.convert(text), "html5lib")
    finally:
        project_of(root).close()


def test_a_block_is_code_and_what_it_printed(scratch: Scratch) -> None:
    page = render(scratch)
    setup, count = page.select("div.run")
    code = count.select_one(".highlight pre > code")
    assert code is not None
    assert code.get_text() == (
        "total = math.floor(2.5)\n"
        "for number in range(total):\n"
        '    print("number", number)\n'
    )
    assert count.select_one(".run-output samp") is not None
    assert count.select(".run-output")[0].get_text() == "number 0\nnumber 1"
    assert not setup.select(".run-output")
    assert (setup["data-block"], count["data-block"]) == ("1", "2")


def test_a_value_is_written_into_the_prose(scratch: Scratch) -> None:
    assert "There were 2 numbers." in render(scratch).get_text()


def test_headings_are_listed_and_show_their_values(scratch: Scratch) -> None:
    config = f"{MKDOCS}  - toc: {{permalink: true}}\n"
    text = f"[TOC]\n\n{PAGE}\n## All `{{{{ total }}}}`\n"
    page = render(scratch, text, config)
    entries = [entry.get_text() for entry in page.select(".toc a")]
    assert entries == ["Counting", "All 2"]
    (heading,) = page.select("h2")
    assert heading.get_text() == "All 2¶"
    assert len(page.select(".run")) == 2


def test_a_page_may_have_front_matter_above_what_is_rendered(
    scratch: Scratch,
) -> None:
    scratch.write("docs/index.md", f"---\ntitle: Counting\n---\n\n{PAGE}")
    page = render(scratch)
    assert len(page.select("div.run")) == 2
    assert "There were 2 numbers." in page.get_text()


def test_the_page_ends_with_its_versions(scratch: Scratch) -> None:
    last = render(scratch).select_one("body > :last-child")
    assert last is not None
    assert last["class"] == ["run-versions"]


def test_a_page_without_blocks_stays_as_it_is(scratch: Scratch) -> None:
    scratch.write("docs/other.md", "# Other\n\nWords.\n")
    page = render(scratch, "# Other\n\nWords.\n")
    assert page.select_one("p") is not None
    assert not page.select(".run-versions")


@pytest.mark.parametrize(
    ("option", "selector"),
    [
        ('title="count.py"', ".run .filename"),
        ('hl_lines="2 3"', ".run .hll + .hll"),
        ('linenums="1"', ".run .linenos"),
    ],
)
def test_the_options_of_the_highlighter_work(
    scratch: Scratch, option: str, selector: str
) -> None:
    text = PAGE.replace('py:count"', f'py:count" {option}')
    scratch.write("docs/index.md", text)
    assert render(scratch, text).select(selector)


def test_code_is_coloured_again_only_if_it_or_the_options_changed(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    coloured = []
    highlight = Highlight.highlight

    def noting(self: Highlight, src: str, *args: Any, **kwargs: Any) -> Any:
        coloured.append(src)
        return highlight(self, src, *args, **kwargs)

    monkeypatch.setattr(Highlight, "highlight", noting)
    before = render(scratch)
    coloured.clear()
    page = PAGE.replace("We count.", "We count again.")
    scratch.replace("docs/index.md", PAGE, page)
    edited = render(scratch, page)
    assert edited.select("div.run") == before.select("div.run")
    assert coloured == []
    lang_class = "pygments_lang_class: "
    other = MKDOCS.replace(lang_class + "true", lang_class + "false")
    again = render(scratch, page, other)
    assert not again.select(".language-python")
    assert before.select(".language-python")
    assert coloured


def test_annotations_follow_their_code_inside_the_block(
    scratch: Scratch,
) -> None:
    scratch.replace(
        "snippets/count.py", "math.floor(2.5)", "math.floor(2.5)  # (1)!"
    )
    text = PAGE.replace(
        'py:count"\n```\n',
        'py:count"\n```\n\n1.  The floor,\n    which is 2.\n',
    )
    scratch.write("docs/index.md", text)
    block = render(scratch, text).select("div.run")[1]
    names = [child.name for child in block.find_all(recursive=False)]
    assert names == ["div", "div", "ol", "pre"]  # bar, code, list, output
    assert "which is 2." in block.get_text()


def test_a_page_may_end_with_annotations(scratch: Scratch) -> None:
    scratch.replace("snippets/count.py", "2.5)", "2.5)  # (1)!")
    text, _, _ = PAGE.partition("\nThere were")
    text += "\n1.  The floor."
    scratch.write("docs/index.md", text)
    block = render(scratch, text).select("div.run")[1]
    assert "The floor." in block.get_text()


def test_a_list_after_plain_code_stays_outside_the_block(
    scratch: Scratch,
) -> None:
    text = PAGE.replace("We count.", "1. One\n2. Two")
    scratch.write("docs/index.md", text)
    assert not render(scratch, text).select(".run ol")


def test_a_fold_holds_the_whole_block(scratch: Scratch) -> None:
    text = PAGE.replace('py:count"', 'py:count" fold="As <before>"')
    scratch.write("docs/index.md", text)
    page = render(scratch, text)
    assert [each.name for each in page.select(".run")] == ["div", "details"]
    fold = page.select_one("details.run")
    assert fold is not None
    after = fold.find_next_sibling("p")
    assert after is not None
    assert after.get_text() == "There were 2 numbers."
    assert fold.select("summary")[0].get_text() == "As <before>"
    assert fold.select(".highlight")
    assert fold.select(".run-output")


def test_a_block_that_fails_as_announced_shows_its_error(
    scratch: Scratch,
) -> None:
    scratch.replace(
        "snippets/count.py",
        'print("number", number)',
        "raise ValueError(number)",
    )
    text = PAGE.replace('py:count"', 'py:count" raises="ValueError"')
    scratch.write("docs/index.md", text)
    block = render(scratch, text).select("div.run")[1]
    assert block["data-raises"] == "ValueError"
    assert block.select(".run-output")[0].get_text() == "ValueError: 0"


def test_the_program_is_all_blocks_above_it(scratch: Scratch) -> None:
    text = PAGE.replace("We count.", "```program\n```")
    scratch.write("docs/index.md", text)
    program = render(scratch, text).select_one("details.run")
    assert program is not None
    code = program.select_one("code")
    assert code is not None
    assert code.get_text() == "import math\n"


def test_a_block_inside_a_list_is_shown_there(scratch: Scratch) -> None:
    text = PAGE.replace(
        '```python run="snippets/count.py:setup"\n```',
        '- first\n\n    ```python run="snippets/count.py:setup"\n    ```',
    )
    scratch.write("docs/index.md", text)
    code = render(scratch, text).select_one("li .run code")
    assert code is not None
    assert code.get_text() == "import math\n"


def test_formulas_are_mathml(scratch: Scratch) -> None:
    text = "# F\n\nThe `#!math w^2` in\n\n```math\n\\frac{1}{2}\n```\n"
    scratch.write("docs/formula.md", text)
    page = render(scratch, text)
    assert page.select("p math msup")
    assert page.select('div.formula math[display="block"] mfrac')


def test_a_formula_that_cannot_be_set_is_an_error(scratch: Scratch) -> None:
    text = "# F\n\nThe `#!math \\frac` in\n\n```math\n\\right\n```\n"
    scratch.write("docs/formula.md", text)
    with pytest.raises(EngineError) as caught:
        render(scratch, text)
    words = str(caught.value)
    assert "docs/formula.md:3: cannot set the formula `\\frac`" in words
    assert "docs/formula.md:5: cannot set the formula `\\right" in words


def test_what_is_rendered_is_the_page_whatever_its_file_says(
    scratch: Scratch,
) -> None:
    page = render(scratch, PAGE.replace("We count.", "We do not count."))
    assert "We do not count." in page.get_text()
    assert page.select(".run-output")[0].get_text() == "number 0\nnumber 1"


def test_a_program_without_a_run_is_an_error(scratch: Scratch) -> None:
    with pytest.raises(PageError, match="needs a page that runs"):
        render(scratch, "```program\n```\n")


def test_a_page_is_run_when_it_has_no_record(scratch: Scratch) -> None:
    assert not (scratch.root / ".cache/records/index.json").exists()
    render(scratch)
    assert (scratch.root / ".cache/records/index.json").exists()


def test_a_page_that_fails_is_an_error(scratch: Scratch) -> None:
    scratch.replace("snippets/count.py", "2.5", "'2.5'")
    with pytest.raises(PageError, match="raised TypeError"):
        render(scratch)
