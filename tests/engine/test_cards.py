"""Cards are drawn once for the same words, and repeat to the byte."""

from pathlib import Path

from engine.cards import write_card


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
