"""The explorer as it stands on a page before, or without, its script.

A page embeds it with a fence of JSON whose values, in double braces, come
from the page's own program:

    ```explorer
    {"x": {{ list(x) }}, …}
    ```

The scripts beside this file take the place of the figures and the table, and
start from the same data.
"""

import html
import json
import math
import statistics
from dataclasses import dataclass
from typing import Any

from markdown import Markdown
from markdown.extensions import Extension

from engine.extension import add_fence

LISTS = {"history", "noise", "order", "x", "y"}
KEYS = {"learning_rate", "true_b", "true_w", *LISTS}
WIDTH, HIGH, LOW = 340, 360, 175
"""Of the drawings: their width, the height of the surface, of the others.

The script draws in the same frames.
"""
LEFT, RIGHT, TOP, BOTTOM = 34, 8, 18, 34
HALF = 3.5
"""How far the drawing of the surface reaches from the least loss."""


@dataclass(frozen=True)
class _Frame:
    """A drawing's window: what part of the plane it shows, and where."""

    height: int
    across: tuple[float, float]
    up: tuple[float, float]

    def x(self, value: float) -> float:
        low, high = self.across
        width = WIDTH - LEFT - RIGHT
        return round(LEFT + (value - low) / (high - low) * width, 1)

    def y(self, value: float) -> float:
        low, high = self.up
        height = self.height - TOP - BOTTOM
        return round(TOP + (high - value) / (high - low) * height, 1)

    def line(self, points: list[tuple[float, float]], css: str) -> str:
        pairs = " ".join(f"{self.x(x)},{self.y(y)}" for x, y in points)
        return f'<polyline class="{css}" points="{pairs}"/>'

    def dots(self, points: list[tuple[float, float]], css: str) -> str:
        path = "".join(f"M{self.x(x)} {self.y(y)}h0" for x, y in points)
        return f'<path class="{css}" d="{path}"/>'

    def axes(self, across: list[float], up: list[float], names: str) -> str:
        bottom = self.height - BOTTOM
        name_x, name_y = names.split()
        texts = [
            f'<text x="{self.x(v)}" y="{bottom + 15}">{_tick(v)}</text>'
            for v in across
        ]
        texts += [
            f'<text class="up" x="{LEFT - 5}" y="{self.y(v) + 4}">'
            f"{_tick(v)}</text>"
            for v in up
        ]
        return (
            f'<path class="axis" d="M{LEFT} {TOP}V{bottom}H{WIDTH - RIGHT}"/>'
            f"{''.join(texts)}"
            f'<text class="name" x="{WIDTH - RIGHT}" y="{bottom + 29}">'
            f"{name_x}</text>"
            f'<text class="name left" x="4" y="11">{name_y}</text>'
        )


class ExplorerExtension(Extension):
    """Gives pages the fence."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        """Add the fence to those of the engine."""
        add_fence(md, "explorer", render)


def makeExtension(**kwargs: Any) -> ExplorerExtension:  # noqa: N802
    """Return the extension, for Python-Markdown."""
    return ExplorerExtension(**kwargs)


def render(source: str) -> str:
    """Return the HTML of the run that the fence holds.

    Raise ValueError if it holds none.
    """
    run = read(source)
    try:
        shown = f"{_figures(run)}{_table(run)}"
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"it cannot be drawn: {error!r}") from None
    data = html.escape(json.dumps(run, separators=(",", ":")), quote=False)
    data = data.replace("'", "&#39;")
    return (
        '<div class="x-room"><loop-explorer class="explorer" '
        f"data-run='{data}'>{shown}</loop-explorer></div>"
    )


def read(source: str) -> dict[str, Any]:
    """Return what the fence holds; raise ValueError if it is not a run."""
    try:
        run = dict(json.loads(source))
    except (TypeError, ValueError) as error:
        raise ValueError(f"it is no JSON object: {error}") from None
    if set(run) != KEYS:
        needed, found = (", ".join(sorted(keys)) for keys in (KEYS, run))
        raise ValueError(f"it needs {needed}, has {found}")
    return run


def _table(run: dict[str, Any]) -> str:
    history = run["history"]
    columns = zip(history["w"], history["b"], history["loss"], strict=True)
    rows = "".join(
        f'<tr><th scope="row">{epoch}</th>'
        f"{''.join(f'<td>{value:.6g}</td>' for value in values)}</tr>"
        for epoch, values in enumerate(columns)
    )
    heads = "".join(
        f'<th scope="col">{name}</th>' for name in ("epoch", "w", "b", "loss")
    )
    return (
        '<table class="x-table"><caption>The run, epoch by epoch</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _figures(run: dict[str, Any]) -> str:
    w, b, loss = (run["history"][name][-1] for name in ("w", "b", "loss"))
    least = _best(run)[2]
    epochs = len(run["history"]["w"]) - 1
    surface = f"The loss over w and b: w {w:.2f}, b {b:.2f}"
    data = f"The line after epoch {epochs}: y = {w:.2f} x + {b:.2f}"
    curve = f"The loss by epoch: {loss:.4f}, at least {least:.4f}"
    return (
        f'<div class="x-views">{_figure(surface, HIGH, _surface(run))}'
        f"{_figure(data, LOW, _data(run))}"
        f"{_figure(curve, LOW, _loss(run))}</div>"
    )


def _figure(title: str, height: int, drawing: str) -> str:
    return (
        f'<figure class="x-view"><figcaption>{title}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{title}">{drawing}</svg></figure>'
    )


def _surface(run: dict[str, Any]) -> str:
    w, b, _ = _best(run)
    frame = _Frame(HIGH, (w - HALF, w + HALF), (b - HALF, b + HALF))
    # The second derivatives: twice the mean of x² by w, two by b.
    shape = math.sqrt(sum(x * x for x in run["x"]) / len(run["x"]))
    across = frame.x(w + 1) - frame.x(w)
    up = frame.y(b) - frame.y(b + 1)
    rings = "".join(
        f'<ellipse class="ring" cx="{frame.x(w)}" cy="{frame.y(b)}" '
        f'rx="{r / shape * across:.1f}" ry="{r * up:.1f}"/>'
        for r in (HALF, 3 * HALF / 4, HALF / 2, HALF / 4)
    )
    path = list(zip(run["history"]["w"], run["history"]["b"], strict=True))
    axes = frame.axes(_whole(*frame.across), _whole(*frame.up), "w b")
    return (
        f"{rings}{axes}{frame.dots([(w, b)], 'least dots')}"
        f"{frame.line(path, 'path')}{frame.dots(path, 'dots')}"
    )


def _data(run: dict[str, Any]) -> str:
    ends = (min(run["x"]), max(run["x"]))
    frame = _Frame(LOW, ends, (min(run["y"]), max(run["y"])))
    w, b = (run["history"][name][-1] for name in ("w", "b"))
    points = list(zip(run["x"], run["y"], strict=True))
    axes = frame.axes(_whole(*ends), [-2, 0, 2, 4, 6, 8], "x y")
    line = frame.line([(x, w * x + b) for x in ends], "path")
    return f"{frame.dots(points, 'data')}{axes}{line}"


def _loss(run: dict[str, Any]) -> str:
    losses = [math.log10(loss) for loss in run["history"]["loss"]]
    least = math.log10(_best(run)[2])
    epochs = len(losses) - 1
    top = max(losses)
    frame = _Frame(
        LOW,
        (-0.02 * epochs, 1.03 * epochs),
        (least - 0.17 * (top - least), top + 0.06 * (top - least)),
    )
    points = [(float(epoch), loss) for epoch, loss in enumerate(losses)]
    axes = frame.axes(list(range(0, epochs + 1, 2)), [], "epoch loss")
    ticks = "".join(
        f'<text class="up" x="{LEFT - 5}" y="{frame.y(math.log10(v)) + 4}">'
        f"{v}</text>"
        for v in (1, 2, 5, 10)
        if frame.up[0] <= math.log10(v) <= top
    )
    floor = frame.line([(0, least), (float(epochs), least)], "least")
    line = f"{frame.line(points, 'path')}{frame.dots(points, 'dots')}"
    return f"{axes}{ticks}{floor}{line}"


def _tick(value: float) -> str:
    return f"{value:g}".replace("-", "−")


def _whole(low: float, high: float) -> list[float]:
    return [float(v) for v in range(math.ceil(low), math.floor(high) + 1)]


def _best(run: dict[str, Any]) -> tuple[float, float, float]:
    """Return w, b and loss of the line of least squares."""
    x, y = run["x"], run["y"]
    w, b = statistics.linear_regression(x, y)
    squares = [(w * u + b - v) ** 2 for u, v in zip(x, y, strict=True)]
    return w, b, sum(squares) / len(squares)
