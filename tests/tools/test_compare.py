"""Texts agree in words exactly and in numbers closely."""

import pytest

from tools.compare import same


@pytest.mark.parametrize(
    ("shown", "printed", "agree"),
    [
        ("loss 1.0617", "loss 1.0617", True),
        ("loss 1.0617", "loss 1.0618", True),
        ("loss 1.0617", "loss 1.0717", False),
        ("loss 1.0617", "cost 1.0617", False),
        ("loss 1.0617", "loss 1.0617 2", False),
        ("w 0.00001", "w -0.00002", True),
        ("w 1000.5", "w 1000.9", True),
        ("(201,)", "(202,)", False),
        ("1000 points", "1001 points", False),
        ("-5", "5", False),
        ("0.05", "0.06", True),
        ("0.05", "0.07", False),
        ("0.0448", "0.0452", False),
        ("[1. 2.]", "[1. 3.]", False),
        ("1.5e-05", "1.6e-05", True),
        ("1.5e+05", "1.6e+05", True),
        ("1.50e+05", "1.52e+05", False),
        ("nan", "inf", False),
        ("", "anything", False),
    ],
)
def test_texts_agree_in_words_exactly_and_in_numbers_closely(
    shown: str, printed: str, agree: bool
) -> None:
    assert same(shown, printed) is agree


def test_a_page_may_state_another_tolerance() -> None:
    assert not same("loss 2.0000", "loss 2.0100")
    assert same("loss 2.0000", "loss 2.0100", tolerance=1e-2)
    assert not same("loss 2.0000", "loss 2.0010", tolerance=1e-5)
