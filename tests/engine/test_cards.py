"""Cards are drawn once for the same words, and repeat to the byte."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.cards import write_card

RED = (242, 154, 91)


def test_a_card_repeats_to_the_byte(tmp_path: Path) -> None:
    for name in ("one.png", "two.png"):
        write_card(tmp_path / name, "A title", "A description of the page.")
    one, two = ((tmp_path / f"{n}.png").read_bytes() for n in ("one", "two"))
    assert one == two
    assert one.startswith(b"\x89PNG")


def test_a_card_is_drawn_again_only_for_other_words(tmp_path: Path) -> None:
    card = tmp_path / "card.png"
    write_card(card, "A title", "A description.")
    drawn = card.read_bytes()
    card.write_bytes(b"kept")
    write_card(card, "A title", "A description.")
    assert card.read_bytes() == b"kept"
    write_card(card, "Another title", "A description.")
    assert card.read_bytes().startswith(b"\x89PNG")
    assert card.read_bytes() != drawn


@pytest.fixture
def drawn(tmp_path: Path) -> np.ndarray:
    """The colours of a card, of shape (630, 1200, 3)."""
    write_card(tmp_path / "card.png", "Title", "Told in words.")
    with Image.open(tmp_path / "card.png") as image:
        return np.asarray(image.convert("RGB"), int)


def is_red(drawn: np.ndarray, x: float, y: float) -> bool:
    difference = np.abs(drawn[round(y), round(x)] - RED)
    return bool(difference.max() < 25)


def test_a_card_shows_four_steps_down_a_parabola(drawn: np.ndarray) -> None:
    assert drawn.shape == (630, 1200, 3)
    for step in (0.06, 0.2, 0.35, 0.5):
        x, y = 800 + 330 * step, 540 - 300 * (2 * step - 1) ** 2
        for dx, dy in ((0, 0), (13, 0), (-13, 0), (0, 13), (0, -13)):
            assert is_red(drawn, x + dx, y + dy), step
        for dx, dy in ((18, 0), (-18, 0), (0, 18), (0, -18)):
            assert not is_red(drawn, x + dx, y + dy), step
    reds = np.abs(drawn[:, 760:] - RED).max(axis=2) < 25
    assert reds.sum() == pytest.approx(4 * np.pi * 15.5**2, rel=0.02)


def test_the_words_of_a_card_stand_under_each_other(
    drawn: np.ndarray,
) -> None:
    paper = drawn[0, 0]
    words = np.abs(drawn[:, :760] - paper).max(axis=2) > 60
    for top, bottom in ((70, 150), (300, 350), (540, 590)):
        columns = np.flatnonzero(words[top:bottom].any(axis=0))
        assert 80 <= columns[0] <= 86
    others = words.copy()
    for top, bottom in ((70, 150), (300, 350), (540, 590)):
        others[top:bottom] = False
    assert not others.any()
