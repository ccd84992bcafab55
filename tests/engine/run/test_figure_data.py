"""What a figure draws is said in words and numbers."""

import re

import pytest

from engine.run.workers import Workers
from tests.engine.run.programs import Page

DRAW_MUCH = """
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection
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
six.add_collection(LineCollection([]))
plt.show()
"""


@pytest.fixture(scope="module")
def data(workers: Workers) -> str:
    (block,) = Page(workers._root, workers).blocks(DRAW_MUCH)
    return f"{block.figures[0].data}\n"


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
        "  collection: 0 points\n    x: \n    y: \n",
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
