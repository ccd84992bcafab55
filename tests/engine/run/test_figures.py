"""Figures are lean, themed and repeatable SVG, and draw without a word."""

import re
import xml.etree.ElementTree as ET

import pytest

from engine.run.results import BlockRun
from tests.engine.run.programs import Page

DRAW = """\
import matplotlib.pyplot as plt
plt.plot([0.0, 1.0, 2.0], [0.123456, 2.0, 1.0], "o-", color="#0072B2",
         label="a line")
plt.xlabel("epoch")
plt.legend()
plt.show()"""


def drawn(page: Page, code: str) -> str:
    (block,) = page.blocks(code)
    assert block.output == b""
    (figure,) = block.figures
    return figure.svg


@pytest.fixture
def figure(page: Page) -> str:
    return drawn(page, DRAW)


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


def test_a_figure_repeats_to_the_byte(page: Page, figure: str) -> None:
    page.workers.close()
    assert drawn(page, DRAW) == figure


LOOK = """\
import matplotlib.pyplot as plt
_, axes = plt.subplots()
axes.plot([0, 1], label="a line")
sides = axes.spines.items()
print(*(side for side, spine in sides if spine.get_visible()))
grid = axes.xaxis.get_gridlines()[0]
print("grid", grid.get_visible(), grid.get_alpha())
print("frame", axes.legend().get_frame_on())
print(*plt.gcf().get_size_inches(), axes.xaxis.label.get_size())
plt.show()"""


def test_axes_have_a_grid_two_sides_and_no_frame(page: Page) -> None:
    assert page.output(LOOK).splitlines() == [
        "left bottom",
        "grid True 0.15",
        "frame False",
        "6.4 3.8 11.5",
    ]


IMPORTS = "import matplotlib.pyplot as plt\nimport gc\nimport numpy as np\n"
ANIMATION = """\
from matplotlib.animation import FuncAnimation
figure, axes = plt.subplots()
(line,) = axes.plot([0, 1])
film = FuncAnimation(figure, lambda i: line.set_ydata([0, i]), frames=3)
plt.show()
del film, line, axes, figure
gc.collect()"""


@pytest.mark.parametrize(
    "code",
    [
        "plt.title('损失 🎉')\nplt.show()",
        "plt.matshow(np.eye(3))\nplt.show()",
        "plt.plot([1])\nplt.subplots_adjust(left=0.3)\nplt.show()",
        "plt.plot([1])\nplt.tight_layout()\nplt.show()",
        "plt.imshow(np.eye(3))\nplt.colorbar()\nplt.show()",
        "plt.imshow(np.eye(3))\nplt.colorbar()\nplt.tight_layout()\nplt.show()",
        "plt.subplots(2, 2, layout='constrained')\nplt.show()",
        "plt.axes((0.1, 0.1, 0.5, 0.5)).plot([1])\nplt.show()",
        ANIMATION,
    ],
)
def test_what_the_engines_drawing_warns_of_is_no_output(
    page: Page, code: str
) -> None:
    assert drawn(page, IMPORTS + code).startswith("<svg")


def test_what_the_authors_call_warns_of_stays(page: Page) -> None:
    code = "plt.plot([1])\nplt.legend(['a', 'b'])\nplt.xlim(1, 1)\nplt.show()"
    output = page.output(IMPORTS + code)
    assert "snippets/m.py:9: UserWarning: Attempting to set" in output


def test_a_layout_of_the_authors_own_is_kept(page: Page) -> None:
    """The ground of the axes, which is drawn first, starts where it says."""
    code = "plt.plot([1])\nplt.subplots_adjust(left=0.5)\nplt.show()"
    own = re.findall(r'd="M ([\d.]+) ', drawn(page, IMPORTS + code))[1]
    assert float(own) == pytest.approx(6.4 * 72 / 2)


def test_a_figure_is_saved_where_the_reader_saves_it(page: Page) -> None:
    code = "plt.plot([1])\nplt.savefig('loss.png')\nplt.show()"
    after = "import os\nprint(os.path.getsize('loss.png') > 99)"
    (_, listed) = page.runs(IMPORTS + code, after)
    assert isinstance(listed, BlockRun)
    assert listed.output == b"True\n"
