"""How figures look: Matplotlib's settings, as a program finds them."""

from typing import Any

BACKEND = "module://engine.run.figures"

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


def style(matplotlib: Any) -> None:
    """Set them, whatever a file of the project's or the user's sets."""
    # First, since Matplotlib imports pyplot to look for one.
    matplotlib.rcParams["backend"] = BACKEND
    matplotlib.rcParams.update(matplotlib.rcParamsDefault)
    matplotlib.rcParams.update(STYLE)
