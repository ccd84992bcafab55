"""Cards are drawn once for the same words, and repeat to the byte."""

from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageFont

from docs.overrides.hooks import card

RED = (242, 154, 91)
STEPS = (0.06, 0.2, 0.35, 0.5)


def test_a_card_repeats_to_the_byte(tmp_path: Path) -> None:
    one, two = (
        card(tmp_path / folder, "A title", "A description of the page.")
        for folder in ("one", "two")
    )
    assert one.read_bytes() == two.read_bytes()
    assert one.read_bytes().startswith(b"\x89PNG")


def test_a_card_is_drawn_again_only_for_other_words(tmp_path: Path) -> None:
    one = card(tmp_path, "A title", "A description.")
    one.write_bytes(b"kept")
    assert card(tmp_path, "A title", "A description.") == one
    assert one.read_bytes() == b"kept"
    for words in (("Another", "A description."), ("A title", "Another.")):
        other = card(tmp_path, *words)
        assert other != one
        assert other.read_bytes().startswith(b"\x89PNG")


@pytest.fixture
def drawn(tmp_path: Path) -> np.ndarray:
    """The colours of a card, of shape (630, 1200, 3)."""
    with Image.open(card(tmp_path, "Title", "Told in words.")) as image:
        return np.asarray(image.convert("RGB"), int)


def is_red(drawn: np.ndarray, x: float, y: float) -> bool:
    difference = np.abs(drawn[round(y), round(x)] - RED)
    return bool(difference.max() < 25)


def test_a_card_shows_four_steps_down_a_parabola(drawn: np.ndarray) -> None:
    assert drawn.shape == (630, 1200, 3)
    for step in STEPS:
        x, y = 800 + 330 * step, 540 - 300 * (2 * step - 1) ** 2
        for dx, dy in ((0, 0), (13, 0), (-13, 0), (0, 13), (0, -13)):
            assert is_red(drawn, x + dx, y + dy), step
        for dx, dy in ((18, 0), (-18, 0), (0, 18), (0, -18)):
            assert not is_red(drawn, x + dx, y + dy), step
    reds = np.abs(drawn[:, 760:] - RED).max(axis=2) < 25
    rows, columns = np.nonzero(reds)
    heights = [1 - (2 * step - 1) ** 2 for step in STEPS]
    assert rows.mean() == pytest.approx(240 + 300 * np.mean(heights), abs=0.4)
    assert columns.mean() == pytest.approx(
        800 - 760 + 330 * np.mean(STEPS), abs=0.4
    )
    assert reds.sum() == pytest.approx(4 * np.pi * 15.5**2, rel=0.02)


BOLD, PLAIN = ("DejaVuSans-Bold.ttf", 68), ("DejaVuSans.ttf", 32)


def ink(text: str, font: tuple[str, int], top: int) -> tuple[int, int, int]:
    """Return left, top and bottom of the ink of a text at (80, top)."""
    name, size = font
    path = Path(matplotlib.get_data_path()) / "fonts/ttf" / name
    left, above, _, below = ImageFont.truetype(path, size).getbbox(text)
    return round(80 + left), round(top + above), round(top + below)


def found_ink(drawn: np.ndarray, first: int, last: int) -> tuple[int, ...]:
    """Return left, top and bottom of what is no paper in some rows."""
    words = (drawn[first:last, :760] != drawn[0, 0]).any(axis=2)
    rows = np.flatnonzero(words.any(axis=1)) + first
    left = np.flatnonzero(words.any(axis=0))[0]
    return int(left), int(rows[0]), int(rows[-1]) + 1


def test_the_words_of_a_card_stand_under_each_other(
    drawn: np.ndarray,
) -> None:
    title, words = ink("Title", BOLD, 70), ink("Told in words.", PLAIN, 300)
    site = ink("Training loops that run", PLAIN, 540)
    assert found_ink(drawn, 0, 200) == title
    assert found_ink(drawn, 200, 450) == words
    assert found_ink(drawn, 450, 630) == site


@pytest.mark.parametrize(
    ("title", "description", "lines"),
    [
        ("i" * 25, "i" * 36, 3),
        (f"{'i' * 15} {'i' * 10}", "i" * 36, 4),
        ("i" * 25, f"{'i' * 16} {'i' * 20}", 4),
    ],
)
def test_a_card_has_25_letters_of_a_title_on_a_line_and_36_of_others(
    tmp_path: Path, title: str, description: str, lines: int
) -> None:
    with Image.open(card(tmp_path, title, description)) as image:
        drawn = np.asarray(image.convert("RGB"), int)
    inked = (drawn[:, :760] != drawn[0, 0]).any(axis=(1, 2))
    starts = np.flatnonzero(inked[1:] & ~inked[:-1])
    # The dots of the letters are apart from their stems.
    assert len(starts) == 2 * (lines - 1) + 1
