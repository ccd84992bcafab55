"""A page is taken apart into prose and blocks, whatever holds a block."""

import pytest

from engine.take.walk import Prose, walk
from tests.engine.take.pages import MARK, TABS, pieces

ONE, TWO = MARK.format(1), MARK.format(2)


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        (
            f"<p>a</p>{ONE}<p>b</p>{TWO}",
            ["a", "Shown(number=1)", "b", "Shown(number=2)"],
        ),
        (
            '<div class="admonition note"><p class="admonition-title">In '
            f"<code>x</code></p><p>a</p>{ONE}<p>b</p></div><p>c</p>",
            ["**In `x`**\n\na", "Shown(number=1)", "b\n\nc"],
        ),
        (
            "<details><summary>Why</summary><p>a</p><details><summary>In"
            f"</summary>{ONE}<p>b</p></details></details>",
            ["**Why**\n\na\n\n**In**", "Shown(number=1)", "b"],
        ),
        (
            "<details><summary>Why</summary><p>So.</p></details>",
            ["**Why**\n\nSo."],
        ),
        (
            f"<blockquote><p>a</p>{ONE}<p>b</p></blockquote>",
            ["> a", "Shown(number=1)", "> b"],
        ),
        (
            f'<ol start="3"><li>x</li><li><p>a</p>{ONE}<p>b</p></li>'
            "<li>c</li></ol>",
            ["3.  x\n4.  a", "Shown(number=1)", "b\n\n5.  c"],
        ),
        (
            f"<ul><li>a<ul><li>b{ONE}c</li><li>d</li></ul>e</li></ul>",
            ["-   a\n    -   b", "Shown(number=1)", "c\n\n-   d\n\ne"],
        ),
        (f"<ol><li>{ONE}</li><li>b</li></ol>", ["Shown(number=1)", "2.  b"]),
        (TABS, ["**One tab**", "Shown(number=1)", "**Two**\n\nOther."]),
        (
            '<div data-block="1"><ol><li>note</li></ol></div><p>b</p>',
            ["Shown(number=1)", "1.  note\n\nb"],
        ),
        (
            '<div class="own">a<div data-program="2"></div></div>',
            ["a", "Whole(count=2)"],
        ),
        (f"<p> </p>{ONE}<!-- c --><hr/>", ["Shown(number=1)", "---"]),
    ],
)
def test_what_holds_a_block_is_taken_apart(
    html: str, expected: list[str]
) -> None:
    assert pieces(html) == expected


def test_what_needs_the_page_is_left_out() -> None:
    html = (
        '<h2>A<a class="headerlink" href="#a">¶</a></h2>'
        "<my-own><button>Go<input></button><p hidden>b</p><style>p {}</style>"
        '<figure><figcaption>A line</figcaption><svg aria-label="A line">'
        "<text>1</text></svg></figure><svg><text>2</text></svg>"
        "<table><tr><th>w</th></tr><tr><td>1</td></tr></table></my-own>"
    )
    table = "| w |\n| --- |\n| 1 |"
    assert pieces(html) == [f"## A\n\n*Figure: A line.*\n\n{table}"]


def test_every_address_is_asked_for() -> None:
    html = '<a href="b.md#c">x</a> <a href="#d">y</a> <img src="i (1).png">'
    (prose,) = walk(html, lambda a: "" if a[0] == "#" else f"../{a}")
    assert isinstance(prose, Prose)
    assert prose.markdown == "[x](../b.md#c) y ![](../i%20%281%29.png)"
    assert prose.cell == prose.markdown
