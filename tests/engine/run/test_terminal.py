"""Output is what a terminal would show in the end."""

import pytest

from engine.run.terminal import screen

BAR = "".join(
    f"\r{number:>3}%|{'█' * number}{' ' * (3 - number)}| done={number}"
    for number in range(4)
)
KERAS = (
    "\x1b[1m1/2\x1b[0m \x1b[32m━━━\x1b[0m\x1b[37m━━━\x1b[0m "
    "\x1b[1m12s\x1b[0m 13s/step - loss: 0.5"
    + "\b" * 38
    + "\r\x1b[1m2/2\x1b[0m \x1b[32m━━━━━━\x1b[0m 1s - loss: 0.25"
    + " " * 20
    + "\n"
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "words\n",
        "\n\n  indented\tand\ttabs \n\nlast\n\n\n",
        "blanks at the end   \n  \n",
        "émoji 🎉 שלום 中文 \u202eRTL\u202c \u200bzero",
        "x" * 300,
    ],
)
def test_text_without_control_characters_stays(text: str) -> None:
    assert screen(text.encode()) == text


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("\x1b[32mgreen\x1b[0m and \x1b[1;31mred\x1b[0m\n", "green and red\n"),
        ("\x1b[38;5;9mcolour\x1b[m  \n", "colour  \n"),
        ("\rstep 0/3\rstep 3/3\n", "step 3/3\n"),
        ("a line\r\nanother\r\n", "a line\nanother\n"),
        ("long words\rshort", "shortwords"),
        ("long words\r          \rshort\n", "short\n"),
        ("ab\b c\n", "a c\n"),
        ("\b\bab\n", "ab\n"),
        (BAR + "\n", "  3%|███| done=3\n"),
        (KERAS, "2/2 ━━━━━━ 1s - loss: 0.25\n"),
        ("words\x1b[2K\rother\n", "other\n"),
        ("words\r\x1b[Kother\n", "other\n"),
        ("some words\x1b[5D\x1b[Kthings\n", "some things\n"),
        ("words\x1b[3D\x1b[1Kx\n", "  xds\n"),
        ("one\ntwo\n\x1b[2Aten\n\n", "ten\ntwo\n"),
        ("one\x1b[B two\x1b[A\x1b[3Gx", "onx\n    two"),
        ("a\x1b[3Cb\n", "a   b\n"),
        ("\x1b[?25lhidden cursor\x1b[?25h\n", "hidden cursor\n"),
        ("\x1b]0;title\x07words \x1b]8;;http://x\x1b\\link\n", "words link\n"),
    ],
)
def test_what_moves_the_cursor_is_followed(written: str, shown: str) -> None:
    assert screen(written.encode()) == shown


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("\0", "NUL (\\x00)"),
        ("\a", "BEL (\\x07)"),
        ("\v", "vertical tab (\\x0b)"),
        ("\f", "form feed (\\x0c)"),
        ("\x1b", "ESC (\\x1b)"),
        ("\x01", "(\\x01)"),
        ("\x7f", "(\\x7f)"),
        ("\x85", "(\\x85)"),
    ],
)
def test_other_control_characters_are_named(character: str, name: str) -> None:
    with pytest.raises(ValueError, match="the control char") as caught:
        screen(f"words {character} words".encode())
    assert str(caught.value) == f"the control character {name}"


def test_what_is_not_utf8_is_no_text() -> None:
    with pytest.raises(UnicodeDecodeError) as caught:
        screen(b"ab\xff")
    assert caught.value.start == 2
