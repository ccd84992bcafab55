"""Marks: what stands in rendered HTML where a result belongs.

A mark is a word of letters and digits, which no Markdown extension has a
reason to touch, and which nobody can have written: another one each time.
It begins with a letter that begins no tag behind a `<`, and no entity.
The marks that a reader would see, in their order, are the page's program.
"""

import html
import re
import secrets
from collections.abc import Iterator, Mapping

WORD = f"zq{secrets.token_hex(4)}"
"""What all marks have, however a file is encoded."""
BEGIN = f"ø{WORD}"
"""How all marks begin."""
MARK = re.compile(rf"{BEGIN}x(\d+)zq")
BRACES = f"{BEGIN}braceszq"
"""Stands for two braces that are no value."""
_PLACE = re.compile(
    rf'<div data-run="{MARK.pattern}">|{MARK.pattern}(</div>)?|{BRACES}'
)
_JOINED = re.compile(rf"&(?=#?\w*{BEGIN}x)|<(?=/?{BEGIN}x)")
"""What would make a character or a tag of the value behind it."""
_CODES = re.compile(r"(?:&(?:#\d+|\w+);){9,}")
"""Text whose characters are all hidden from programs, as of an address."""


def mark(number: int) -> str:
    """Return the mark of a value."""
    return f"{BEGIN}x{number}zq"


def block_mark(number: int) -> str:
    """Return the mark of what is a block of its own."""
    word = mark(number)
    return f'<div data-run="{word}">{word}</div>'


def numbers(text: str) -> Iterator[int]:
    """Yield the numbers of the marks in the text."""
    return map(int, MARK.findall(text))


def blocks(markup: str) -> list[int]:
    """Return the numbers of marks that are blocks, in their order."""
    opened = (match[1] for match in _PLACE.finditer(markup))
    return [int(number) for number in opened if number]


def unmarked(text: str) -> str:
    """Return the text without its marks."""
    return MARK.sub("", text).replace(BRACES, "")


def apart(markup: str) -> str:
    """Return the HTML in which each value is text, whatever is around it."""
    markup = _CODES.sub(_decoded, markup)
    return _JOINED.sub(lambda joined: html.escape(joined[0]), markup)


def _decoded(codes: re.Match[str]) -> str:
    text = html.unescape(codes[0])
    return html.escape(text) if WORD in text else codes[0]


def fill(
    markup: str,
    values: Mapping[int, str],
    blocks: Mapping[int, tuple[str, str]],
) -> str:
    """Return the HTML with marks replaced, by their numbers.

    Of a block, there is what comes before and after what its mark holds.
    """

    def place(match: re.Match[str]) -> str:
        opened, number, closed = match.groups()
        if match[0] == BRACES:
            return "{{"
        if opened:
            return blocks[int(opened)][0]
        if int(number) in values:
            return values[int(number)] + (closed or "")
        return blocks[int(number)][1]

    return _PLACE.sub(place, apart(markup))


def braced(text: str) -> str:
    """Return the text with the braces that are no value."""
    return text.replace(BRACES, "{{")
