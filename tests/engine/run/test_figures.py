"""Figures are lean, themed and repeatable SVG, and draw without a word."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from engine.run.results import BlockRun
from engine.run.workers import Workers
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
        "with plt.xkcd():\n    plt.plot([1])\n    plt.show()",
        "plt.plot([1])\nplt.axis('equal')\nplt.xlim(1, 0)\nplt.show()",
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


SAVED = """\
import io
import os
figure, axes = plt.subplots()
plt.savefig("loss")
figure.savefig(buffer := io.BytesIO())
figure.canvas.draw()
print(os.listdir("."), buffer.getvalue()[1:4])
print(type(figure.canvas.buffer_rgba()).__name__)
plt.close()"""


def test_a_canvas_does_what_that_of_a_window_does(page: Page) -> None:
    assert page.output(IMPORTS + SAVED).splitlines() == [
        "['page.py', 'loss.png'] b'PNG'",
        "memoryview",
    ]


def test_show_takes_what_it_takes_elsewhere(page: Page) -> None:
    code = "plt.plot([1])\nplt.show(plt.gcf())"
    assert "raised TypeError" in page.fails(IMPORTS + code)
    drawn(page, f"{IMPORTS}plt.plot([1])\nplt.show(block=False)")


STYLED = "plt.style.use('{}')\nplt.plot([1])\nplt.title('T')\nplt.show()"


def test_a_program_may_have_the_style_of_matplotlib(page: Page) -> None:
    code = IMPORTS + STYLED.format("default")
    first = drawn(page, code)
    assert drawn(page, code) == first
    assert ">T</text>" in first


@pytest.mark.parametrize(
    ("code", "paper"),
    [
        (STYLED.format("default"), "#ffffff"),
        (STYLED.format("ggplot"), "#ffffff"),
        ("plt.figure(facecolor='#ddeeff').gca()\nplt.show()", "#ddeeff"),
        ("plt.axes().set_facecolor('#eeeeee')\nplt.show()", "#ffffff"),
    ],
)
def test_a_ground_of_the_programs_own_has_the_ink_for_it(
    page: Page, code: str, paper: str
) -> None:
    svg = drawn(page, IMPORTS + code)
    assert re.search(rf"<path [^>]*fill: {paper}", svg)
    assert "currentColor" not in svg
    assert "#010203" not in svg


def test_words_may_stand_at_a_name_or_a_day(page: Page) -> None:
    days = "[np.datetime64('2026-01-01'), np.datetime64('2026-01-02')]"
    code = (
        f"for axes, x in zip(plt.subplots(2)[1], (['a', 'b'], {days})):\n"
        "    axes.bar(x, [1, 2])\n    axes.text(x[0], 1, 'one')\n"
        "    axes.annotate('two', (x[1], 2), (x[0], 2))\nplt.show()"
    )
    assert ">two</text>" in drawn(page, IMPORTS + code)


def test_what_is_set_before_pyplot_is_imported_stays(tmp_path: Path) -> None:
    with Workers(tmp_path, tmp_path / "cache") as workers:
        page = Page(tmp_path, workers)
        code = "import matplotlib\nmatplotlib.rc('lines', linewidth=7)"
        later = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
        _, shows = page.blocks(code, later)
        assert "stroke-width: 7" in shows.figures[0].svg
        words = page.fails("import matplotlib\nmatplotlib.use('agg')", later)
        assert "and choose no backend" in words
