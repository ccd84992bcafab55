"""A Matplotlib backend whose ``plt.show()`` keeps the figures as SVG.

One drawing serves both themes: text, axes and ticks are drawn in an ink
that stands for ``currentColor``, on a transparent ground.  In all else the
backend is as that of any window, with a canvas of Agg.  Imported by the
processes of programs alone, once a program imports Matplotlib.
"""

import contextlib
import io
import logging
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubplotParams

from engine.run.figure_data import describe
from engine.run.results import Drawing

INK = "#010203"
"""No page draws in this colour; it is replaced by ``currentColor``."""

STYLE: Any = {
    "axes.edgecolor": INK,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "none",
    "figure.figsize": (6.4, 3.8),
    "font.size": 11.5,
    "grid.alpha": 0.15,
    "grid.color": INK,
    "legend.frameon": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}
"""What a program may set otherwise."""

AS_SVG: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "figure",
    "svg.image_inline": True,
}
"""How a figure is written, whatever the program has set."""

SVG = "http://www.w3.org/2000/svg"
HREF = "{http://www.w3.org/1999/xlink}href"
ROUNDED = ("d", "x", "y", "width", "height", "transform", "viewBox", "points")
DECIMAL = re.compile(r"-?\d+\.\d+")
NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
REFERENCE = re.compile(r"(?<=#)[\w-]+")

FigureCanvas = FigureCanvasAgg
_shown: list[Drawing] = []


def prepare() -> None:
    """Make this module Matplotlib's backend, in the style of the site."""
    matplotlib.rcdefaults()
    matplotlib.rcParams.update(STYLE)
    plt.switch_backend(f"module://{__name__}")


def show(*, block: bool | None = None) -> None:
    """Keep every open figure and close it; what ``plt.show()`` calls."""
    with _silence():
        for number in plt.get_fignums():
            figure = plt.figure(number)
            _shown.append(Drawing(_draw(figure), describe(figure)))
    plt.close("all")


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Let what the engine's drawing warns of be no output of the page."""
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _draw(figure: Figure) -> str:
    canvas = figure.canvas
    if canvas.callbacks.callbacks.get("draw_event"):
        # An animation waits to be drawn once, and warns if it never is.
        canvas.draw()
    own = vars(figure.subplotpars) != vars(SubplotParams())
    if figure.get_layout_engine() is None and not own:
        # Room that is taken from axes for a colour bar has no constraints.
        bar = any(a.get_label() == "<colorbar>" for a in figure.axes)
        figure.set_layout_engine("tight" if bar else "constrained")
    buffer = io.StringIO()
    paper, ink = _colours(figure)
    with matplotlib.rc_context(AS_SVG):
        figure.savefig(
            buffer, format="svg", facecolor=paper, metadata={"Date": None}
        )
    return lean_svg(buffer.getvalue(), ink)


def _colours(figure: Figure) -> tuple[str, str]:
    """Return the colours of the paper and of the ink on it.

    With a ground that the program chose, which no theme changes, they are
    those that its reader sees.
    """
    patches: Any = [figure.patch, *(axes.patch for axes in figure.axes)]
    paper, *grounds = (patch.get_facecolor()[-1] for patch in patches)
    if paper:
        return "auto", "black"
    return ("white", "black") if any(grounds) else ("auto", "currentColor")


def take() -> tuple[tuple[Drawing, ...], int]:
    """Return what was shown since the last call, and count the unshown."""
    unshown = len(plt.get_fignums())
    plt.close("all")
    shown = tuple(_shown)
    _shown.clear()
    return shown, unshown


def lean_svg(svg: str, ink: str) -> str:
    """Return the drawing fit to stand inside an HTML page.

    Numbers keep two decimals, names that nothing refers to go, and so do
    the metadata and the style sheet, which would apply to the whole page.
    """
    ET.register_namespace("", SVG)
    tree = ET.fromstring(NOT_XML.sub("", svg))
    for parent in list(tree.iter()):
        for child in list(parent):
            if child.tag in (f"{{{SVG}}}metadata", f"{{{SVG}}}style"):
                parent.remove(child)
    used = set(REFERENCE.findall(svg))
    for element in tree.iter():
        if element.get("id") not in used:
            element.attrib.pop("id", None)
        if target := element.attrib.pop(HREF, None):
            element.set("href", target)
        for name in ROUNDED:
            if name in element.attrib:
                element.set(name, DECIMAL.sub(_round, element.attrib[name]))
    for name in ("width", "height", "version"):
        tree.attrib.pop(name, None)
    tree.set("stroke-linejoin", "round")
    text = ET.tostring(tree, encoding="unicode", short_empty_elements=True)
    text = re.sub(r">\s+<", "><", text)
    return text.replace(INK, ink)


def _round(number: re.Match[str]) -> str:
    rounded = f"{float(number[0]):.2f}".rstrip("0").rstrip(".")
    return "0" if rounded == "-0" else rounded
