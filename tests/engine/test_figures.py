"""Figures are lean, themed and repeatable SVG."""

import re
import xml.etree.ElementTree as ET

import pytest

from tests.engine.scratch import printed_by

DRAW = """
import engine.figures as figures
figures.prepare()
import matplotlib.pyplot as plt
plt.plot([0.0, 1.0, 2.0], [0.123456, 2.0, 1.0], "o-", color="#0072B2",
         label="a line")
plt.xlabel("epoch")
plt.legend()
plt.show()
(figure,), unshown = figures.take()
assert unshown == 0
print(figure.svg)
"""


@pytest.fixture(scope="module")
def figure() -> str:
    return printed_by(DRAW)


def test_a_figure_is_well_formed(figure: str) -> None:
    assert ET.fromstring(figure).tag == "{http://www.w3.org/2000/svg}svg"


def test_ink_follows_the_theme_and_data_keep_their_colour(
    figure: str,
) -> None:
    assert "currentColor" in figure
    assert "#010203" not in figure
    assert "#0072b2" in figure.lower()
    assert "#ffffff" not in figure.lower()


def test_text_stays_text(figure: str) -> None:
    texts = re.findall(r">([^<>]+)</text>", figure)
    assert "epoch" in texts
    assert "a line" in texts


def test_numbers_have_two_decimals_at_most(figure: str) -> None:
    coordinates = " ".join(re.findall(r' (?:d|x|y|points)="([^"]*)"', figure))
    assert re.search(r"\d\.\d", coordinates)
    assert not re.search(r"\d\.\d{3}", coordinates)


def test_only_names_that_are_used_are_kept(figure: str) -> None:
    names = re.findall(r'id="([^"]+)"', figure)
    assert names
    for name in names:
        assert f"#{name}" in figure


def test_nothing_of_the_drawing_leaks_into_the_page(figure: str) -> None:
    assert "<style" not in figure
    assert "<metadata" not in figure
    assert "<?xml" not in figure
    assert "http" not in figure.replace("http://www.w3.org/2000/svg", "")


def test_a_figure_repeats_to_the_byte(figure: str) -> None:
    assert printed_by(DRAW) == figure


LOOK = """
import engine.figures as figures
figures.prepare()
import matplotlib.pyplot as plt
_, axes = plt.subplots()
axes.plot([0, 1], label="a line")
sides = axes.spines.items()
print(*(side for side, spine in sides if spine.get_visible()))
grid = axes.xaxis.get_gridlines()[0]
print("grid", grid.get_visible(), grid.get_alpha())
print("frame", axes.legend().get_frame_on())
print(*plt.gcf().get_size_inches(), axes.xaxis.label.get_size())
"""


def test_axes_have_a_grid_two_sides_and_no_frame() -> None:
    assert printed_by(LOOK).splitlines() == [
        "left bottom",
        "grid True 0.15",
        "frame False",
        "6.4 3.8 11.5",
    ]
