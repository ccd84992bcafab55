"""A Matplotlib backend whose ``plt.show()`` keeps the figures as SVG.

One drawing serves both themes: text, axes and ticks are drawn in an ink
that stands for ``currentColor``, on a transparent ground.  Imported by the
processes of programs alone, once a program imports Matplotlib.
"""

import io
import re
import warnings
import xml.etree.ElementTree as ET
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.backends.backend_svg import FigureCanvasSVG
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
    "axes.titlecolor": INK,
    "axes.unicode_minus": True,
    "figure.facecolor": "none",
    "figure.figsize": (6.4, 3.8),
    "font.size": 11.5,
    "grid.alpha": 0.15,
    "grid.color": INK,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "svg.hashsalt": "figure",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}

SVG = "http://www.w3.org/2000/svg"
HREF = "{http://www.w3.org/1999/xlink}href"
ROUNDED = ("d", "x", "y", "width", "height", "transform", "viewBox", "points")
DECIMAL = re.compile(r"-?\d+\.\d+")
NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
REFERENCE = re.compile(r"(?<=#)[\w-]+")

FigureCanvas = FigureCanvasSVG
_shown: list[Drawing] = []


def prepare() -> None:
    """Make this module Matplotlib's backend, in the style of the site."""
    matplotlib.rcdefaults()
    matplotlib.rcParams.update(STYLE)
    plt.switch_backend(f"module://{__name__}")


def show(*args: Any, **kwargs: Any) -> None:
    """Keep every open figure and close it; what ``plt.show()`` calls."""
    for number in plt.get_fignums():
        figure = plt.figure(number)
        # What the engine's drawing warns of is no output of the page.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            svg = _draw(figure)
        _shown.append(Drawing(lean_svg(svg), describe(figure)))
    plt.close("all")


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
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def take() -> tuple[tuple[Drawing, ...], int]:
    """Return what was shown since the last call, and count the unshown."""
    unshown = len(plt.get_fignums())
    plt.close("all")
    shown = tuple(_shown)
    _shown.clear()
    return shown, unshown


def lean_svg(svg: str) -> str:
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
    return text.replace(INK, "currentColor")


def _round(number: re.Match[str]) -> str:
    rounded = f"{float(number[0]):.2f}".rstrip("0").rstrip(".")
    return "0" if rounded == "-0" else rounded
