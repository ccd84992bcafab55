"""A Matplotlib backend whose ``plt.show()`` keeps the figures as SVG.

One drawing serves both themes: text, axes and ticks are drawn in an ink
that stands for ``currentColor``, on a transparent ground.  In all else the
backend is as that of any window, with a canvas of Agg.  Imported by the
processes of programs alone, once a program imports pyplot.
"""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubplotParams

from engine.run.figure_data import describe
from engine.run.figure_style import BACKEND, INK
from engine.run.results import Drawing

AS_SVG: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "figure",
    "svg.image_inline": True,
}
"""How a figure is written, whatever the program has set."""


FigureCanvas = FigureCanvasAgg
_shown: list[Drawing] = []


def prepare() -> None:
    """Make this module Matplotlib's backend, if no other has been chosen."""
    if matplotlib.rcParams["backend"] == BACKEND:
        plt.switch_backend(BACKEND)


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
    return buffer.getvalue().replace(INK, ink)


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
