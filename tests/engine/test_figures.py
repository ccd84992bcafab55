"""Figures are lean, themed and repeatable SVG."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from tests.engine.scratch import REPOSITORY

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


def draw() -> str:
    return subprocess.run(
        [sys.executable, "-c", DRAW],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


@pytest.fixture(scope="module")
def figure() -> str:
    return draw()


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
    assert draw() == figure


LOOK = """
import engine.figures as figures
figures.prepare()
import matplotlib.pyplot as plt
_, axes = plt.subplots()
axes.plot([0, 1], label="a line")
sides = axes.spines.items()
print(*(side for side, spine in sides if spine.get_visible()))
print("grid", axes.xaxis.get_gridlines()[0].get_visible())
print("frame", axes.legend().get_frame_on())
print(*plt.gcf().get_size_inches())
"""


def test_axes_have_a_grid_two_sides_and_no_frame() -> None:
    looked = subprocess.run(
        [sys.executable, "-c", LOOK],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert looked.stdout.splitlines() == [
        "left bottom",
        "grid True",
        "frame False",
        "6.4 3.8",
    ]


DRAW_MUCH = """
import engine.figures as figures
figures.prepare()
import matplotlib.pyplot as plt
import numpy as np
_, axes = plt.subplots(2, 3)
one, two, three, four, five, six = axes.flat
one.plot([0, 1, 2], [1, np.nan, 4], label="w")
one.axhline(3, label="true w")
one.legend()
one.set(xlabel="epoch", yscale="log", ylim=(1, 10))
two.imshow(np.eye(2))
two.set_title("a digit")
three.scatter([1, 2], [3, 4], label="data")
four.fill_between([0, 1], [0, 0], [1, 2])
five.bar([0, 1], [3, 4])
five.set_xticks([0, 1], ["cat", "dog"])
six.plot(np.arange(21.0), np.full(21, np.nan))
six.plot(np.arange(21.0), [np.nan, *range(1, 21)])
six.text(0.5, 0.25, "here")
plt.show()
print(figures.take()[0][0].data)
"""


@pytest.fixture(scope="module")
def data() -> str:
    return subprocess.run(
        [sys.executable, "-c", DRAW_MUCH],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.parametrize(
    "fact",
    [
        "6.4 by 3.8 inches\naxes 1\n"
        "  x: 'epoch', linear, from -0.10000 to 2.1000\n"
        "  y: '', log, from 1.0000 to 10.000\n  legend: w | true w\n",
        "  line 'w': 3 points\n    x: 0.0000, 1.0000, 2.0000\n"
        "    y: 1.0000, nan, 4.0000\n",
        "  line 'true w': 2 points\n    x: 0.0000, 1.0000\n"
        "    y: 3.0000, 3.0000\n",
        "  text at (0.50000, 1.0000): 'a digit'\n",
        "  image (2, 2): 1.0000, 0.0000, 0.0000, 1.0000\n",
        "  collection 'data': 2 points\n    x: 1.0000, 2.0000\n"
        "    y: 3.0000, 4.0000\n",
        "  collection: 7 points\n",
        "  patch: 5 points\n"
        "    x: -0.40000, 0.40000, 0.40000, -0.40000, -0.40000\n"
        "    y: 0.0000, 0.0000, 3.0000, 3.0000, 0.0000\n",
        "    ticks: cat | dog\n",
        "    x: 0.0000, 5.0000, 10.000, 15.000, 20.000; "
        "least 0.0000, most 20.000, mean 10.000\n"
        "    y: nan, nan, nan, nan, nan; nothing finite\n",
        "    y: nan, 5.0000, 10.000, 15.000, 20.000; "
        "least 1.0000, most 20.000, mean 10.500; 1 not finite\n",
        "  text at (0.50000, 0.25000): 'here'\n",
    ],
)
def test_the_data_that_a_figure_draws_are_said(data: str, fact: str) -> None:
    assert fact in data


def test_nothing_but_size_and_data_is_said(data: str) -> None:
    assert data.count("\naxes") == 6
    assert len(re.findall(r"(?m)^  line", data)) == 4
    assert len(re.findall(r"(?m)^  patch", data)) == 2
