"""The explorer as it stands on a page before, or without, its script.

A page embeds it with a fence of JSON whose values, in double braces, come
from the page's own program:

    ```explorer
    {"x": {{ list(x) }}, …}
    ```

The script in ``docs/assets/explorer/`` takes the place of the figure and the
table, and starts from the same data.
"""

import html
import json
import math
from typing import Any

from markdown import Markdown
from pymdownx.superfences import SuperFencesException

KEYS = {"x", "y", "noise", "order", "history"} | {
    "true_w",
    "true_b",
    "learning_rate",
}
WIDTH, HIGH, LOW = 340, 360, 175
"""Of the drawings: their width, the height of the surface, of the others.

The script draws in the same frames.
"""
LEFT, RIGHT, TOP, BOTTOM = 34, 8, 18, 34
HALF = 3.5
"""How far the drawing of the surface reaches from the least loss."""


class _Frame:
    """A drawing's window: what part of the plane it shows, and where."""

    def __init__(
        self,
        height: int,
        across: tuple[float, float],
        up: tuple[float, float],
    ) -> None:
        self.height = height
        self.across = across
        self.up = up

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
            f'<text class="name left" x="4" y="11">'
            f"{name_y}</text>"
        )


def format_explorer(
    source: str,
    language: str,
    css_class: str,
    options: dict[str, Any],
    md: Markdown,
    **kwargs: Any,
) -> str:
    """Show the run that the fence describes, ready for the script."""
    try:
        run = read(source)
    except ValueError as error:
        raise SuperFencesException(f"the explorer's fence: {error}") from None
    data = html.escape(json.dumps(run, separators=(",", ":")), quote=False)
    data = data.replace("'", "&#39;")
    return (
        '<div class="x-room"><loop-explorer class="explorer" '
        f"data-run='{data}'>{_figures(run)}{_table(run)}"
        "</loop-explorer></div>"
    )


def read(source: str) -> dict[str, Any]:
    """Return what the fence holds; raise ValueError if it is not a run."""
    run = json.loads(source)
    if set(run) != KEYS:
        raise ValueError(
            f"needs {', '.join(sorted(KEYS))}, has {', '.join(sorted(run))}"
        )
    return dict(run)


def as_markdown(source: str) -> str:
    """Return the run as a table, for texts that no script can change."""
    lines = ["| epoch | w | b | loss |", "| ---: | ---: | ---: | ---: |"]
    lines += [f"| {' | '.join(row)} |" for row in _rows(read(source))]
    return "\n".join(lines)


def _rows(run: dict[str, Any]) -> list[list[str]]:
    history = run["history"]
    columns = zip(history["w"], history["b"], history["loss"], strict=True)
    return [
        [str(epoch), *(f"{value:.6g}" for value in values)]
        for epoch, values in enumerate(columns)
    ]


def _table(run: dict[str, Any]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{row[0]}</th>'
        f"{''.join(f'<td>{cell}</td>' for cell in row[1:])}</tr>"
        for row in _rows(run)
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
    surface = _figure(
        f"The loss over w and b: w {w:.2f}, b {b:.2f}", HIGH, _surface(run)
    )
    data = _figure(
        f"The line after epoch {epochs}: y = {w:.2f} x + {b:.2f}",
        LOW,
        _data(run),
    )
    curve = _figure(
        f"The loss by epoch: {loss:.4f}, at least {least:.4f}",
        LOW,
        _loss(run),
    )
    return f'<div class="x-views">{surface}{data}{curve}</div>'


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
    marks = [1, 2, 5, 10]
    axes = frame.axes(list(range(0, epochs + 1, 2)), [], "epoch loss")
    ticks = "".join(
        f'<text class="up" x="{LEFT - 5}" y="{frame.y(math.log10(v)) + 4}">'
        f"{v}</text>"
        for v in marks
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
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    spread = sum((v - mean_x) ** 2 for v in x)
    both = sum((u - mean_x) * v for u, v in zip(x, y, strict=True))
    w = both / spread
    b = mean_y - w * mean_x
    squares = [(w * u + b - v) ** 2 for u, v in zip(x, y, strict=True)]
    return w, b, sum(squares) / len(squares)
