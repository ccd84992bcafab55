"""What pages are found to say, and what is told of a quote and a list."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.claims import __main__ as command
from tests.claims import ledger, sentences
from tests.claims.__main__ import main
from tests.claims.says import figure, missing, printed, record, says
from tests.claims.sentences import Paragraph, find, is_held, parse

PAGE = Path("docs/page.md")


def said(text: str) -> list[str]:
    return [
        p.text[a:b]
        for p in parse("page", text, PAGE).paragraphs
        for a, b in p.sentences()
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two\nis two? Three!", ["One.", "Two is two?", "Three!"]),
        ("Take some, e.g. 2.21 or 3. Then go.", 2),
        ("`a. B` is one. `fit` too.", ["`a. B` is one.", "`fit` too."]),
        ("It is {{ f'{x}. Y' }} wide. So", 2),
        ("See [it. And](a.md#b.-c). *More.* Then.", 3),
        ('He said "no." And (yes.) So', 3),
        ("A `#!math f. X` and f.X", 1),
        ("- one\n  more\n- two\n\n1. three", ["one more", "two", "three"]),
        ("| a. B | c |\n| --- | ---: |\n| d | e |", ["a. B | c", "d | e"]),
        ("## Short\n### This one has four", ["This one has four"]),
        ('??? note "Why"\n\n    Inside. It.', ["Inside.", "It."]),
        ("a\n\n```text\nb. C\n```\nd", ["a", "d"]),
        ("````md\n```\nb\n```\n````\nd", ["d"]),
        ("    ```python\n    b\n    ```\n\n    d", ["d"]),
        ('```explorer alt="A line. It\'s"\n{}\n```', ["A line.", "It's"]),
        ("---\ntitle: T\ndescription: D. E\n---\n\nf", ["D.", "E", "f"]),
        ('<div class="x" markdown>\n\n<b>a</b> b\n\n</div>', ["<b>a</b> b"]),
    ],
)
def test_what_a_page_says_is_split_into_sentences(
    text: str, expected: list[str] | int
) -> None:
    found = said(text)
    assert expected in (found, len(found)), found


def test_shown_docstrings_are_said_and_blocks_are_known() -> None:
    fence = '```python run="snippets/loss.py:{}"\n```\n'
    text = f"One.\n\n{fence.format('loss')}\nTwo.\n\n{fence.format('before')}"
    page = parse("page", text, PAGE)
    one, doc, details, two = page.paragraphs
    assert doc.text == "Return the mean squared error, a scalar."
    assert details.text.startswith("Both tensors have the shape (batch,)")
    assert str(doc.path) == "snippets/loss.py"
    source = (sentences.ROOT / doc.path).read_text().split("\n")
    assert "Return the mean" in source[doc.line - 1]
    assert "Both tensors" in source[details.line - 1]
    assert page.beside(one) == {"loss"}
    assert page.beside(two) == page.beside(doc) == {"loss", "before"}


def test_a_sentence_knows_its_line() -> None:
    [paragraph] = parse(
        "page", "\nOne is\ntwo. Three\nis. Four", PAGE
    ).paragraphs
    places = [paragraph.place(start) for start, _ in paragraph.sentences()]
    assert places == ["docs/page.md:2", "docs/page.md:3", "docs/page.md:4"]


@pytest.mark.parametrize(
    ("quote", "count", "held"),
    [
        ("one two three four", 1, True),
        ("one\n   two three", 1, True),
        ("one … four", 2, True),
        ("one", 1, False),
        ("two … one", 0, False),
        ("one two thr", 0, False),
        ("One two", 0, False),
    ],
)
def test_a_quote_holds_what_it_has_half_the_words_of(
    quote: str, count: int, held: bool
) -> None:
    text = "one two three four."
    spans = find(quote, Paragraph(text, PAGE, 1))
    assert len(spans) == count
    assert is_held((0, len(text)), text, spans) == held


def test_a_quote_that_is_not_on_its_page_fails_its_test() -> None:
    @says("A `tf.Module` lists its variables by size", page="foundations")
    def test() -> None: ...

    told = "foundations.md does not say\n.*by size\ndid you mean\n  ."
    with pytest.raises(pytest.fail.Exception, match=told):
        test()
    assert "too short" in missing("A tensor is", "foundations")
    assert not missing("A tensor is an array.", "foundations")


def test_a_record_gives_what_is_printed_and_drawn() -> None:
    page = "basic_training_loops"
    assert printed(page, "before") == "loss before training: 10.3447"
    assert record(page)["len(x)"] == "201"
    [axes] = figure(page, "plot")
    assert [*axes.points] == ["loop", "fit"]
    assert axes.points["fit"].x == [*range(1, 11)]
    first, _, last = figure("foundations", "draw_broadcast")
    assert [*first.points][:2] == ["patch", "patch 2"]
    assert last.texts[-1] == "column + row"


def forget() -> None:
    sentences.read.cache_clear()
    ledger.quotes.cache_clear()
    ledger.standing.cache_clear()


@pytest.fixture
def elsewhere_read() -> Iterator[None]:
    """Forget, before and after, what was read."""
    forget()
    yield
    forget()


@pytest.mark.usefixtures("elsewhere_read")
def test_the_command_tells_what_is_open_and_writes_lists(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for folder in ("docs", "judged"):
        (tmp_path / folder).mkdir()
    for module, name in ((sentences, "ROOT"), (ledger, "ROOT")):
        monkeypatch.setattr(module, name, tmp_path)
    monkeypatch.setattr(sentences, "DOCS", tmp_path / "docs")
    monkeypatch.setattr(ledger, "FOLDER", tmp_path)
    page = tmp_path / "docs/count.md"
    page.write_text("It counts up to ten. Look. Slowly it goes. No more.")
    test = '@says("counts up to ten")\ndef test_it(): ...\n'
    (tmp_path / "test_count.py").write_text(test)
    kept = tmp_path / "judged/count.txt"

    def told(*arguments: str) -> tuple[int, str]:
        forget()
        return main([*arguments]), capsys.readouterr().out

    code, words = told()
    assert code == 0
    assert words.endswith("\nNot judged yet: count\n")
    code, words = told("--write", "count")
    assert code == 1
    assert "| count | 4 | 4 | 1 | 0 | 0 | 3 | 25% |" in words
    assert "docs/count.md:1: open: Slowly it goes." in words
    assert kept.read_text() == "? Look.\n? Slowly it goes.\n? No more.\n"
    kept.write_text(
        "- Look.\n! it takes a day | Slowly it goes.\n- No more.\n"
    )
    code, words = told("count")
    assert "| count | 4 | 2 | 1 | 0 | 1 | 0 | 50% |" in words
    assert "docs/count.md: 50.0% of its facts held" in words
    counts = tmp_path / "counts.json"
    monkeypatch.setattr(command, "COUNTS", counts)
    told("--write-counts")
    assert counts.read_text() == (
        '{\n "count": {"sentences": 4, "facts": 2, "held": 1, "shown": 0, '
        '"not testable": 1, "open": 0}\n}\n'
    )
    kept.write_text("- Look.\n^ go | Slowly it goes.\n- No more.\n")
    assert 'count.md:1: no block "go" beside it: Slowly' in told()[1]
    kept.write_text("- Look.\n- Slowly it goes.\n- No more.\n- Gone.\n")
    code, words = told()
    assert code == 1
    assert "judged/count.txt: stands on the page no more: Gone." in words
    told("--write", "count")
    assert kept.read_text() == "- Look.\n- Slowly it goes.\n- No more.\n"
    assert told() == (
        0,
        words[: words.index("\n\n")] + "\n\nNot judged yet: none\n",
    )
    page.write_text("It counts up to two. Look. Slowly it goes. No more.")
    code, words = told()
    assert code == 1
    assert "does not say\n  counts up to ten\ndid you mean\n" in words
    assert re.search(r"count.md:1: open: It counts up to two", words)
