"""Say in words and numbers which data a figure draws.

Two figures with the same words draw the same data, whatever the fonts and
the version of Matplotlib make of them.  Imported in the child process alone.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import Collection
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.spines import Spine
from matplotlib.text import Text
from matplotlib.ticker import LogFormatter, ScalarFormatter

SHOWN_WHOLE = 12
"""Up to so many values are listed; more are summed up."""


def describe(figure: Figure) -> str:
    """Return the figure's size and what its axes say and draw, by lines."""
    width, height = figure.get_size_inches()
    lines = [f"{width:.1f} by {height:.1f} inches"]
    for number, axes in enumerate(figure.axes, 1):
        lines.append(f"axes {number}")
        lines.extend(f"  {fact}" for fact in _facts(axes))
    return "\n".join(lines)


def _facts(axes: Axes) -> Iterator[str]:
    for axis in (axes.xaxis, axes.yaxis):
        start, end = (_number(limit) for limit in axis.get_view_interval())
        label = axis.get_label_text()
        yield (
            f"{axis.axis_name}: {label!r}, {axis.get_scale()}, "
            f"from {start} to {end}"
        )
        formatter = axis.get_major_formatter()
        if not isinstance(formatter, LogFormatter | ScalarFormatter):
            yield f"  ticks: {_joined(axis.get_ticklabels())}"
    legend = axes.get_legend()
    if legend:
        yield f"legend: {_joined(legend.get_texts())}"
    for artist in axes.get_children():
        if artist is not axes.patch:
            yield from _artist(artist)


def _artist(artist: Artist) -> Iterator[str]:
    match artist:
        case Line2D():
            yield from _points("line", artist, artist.get_xydata())
        case AxesImage():
            image = np.asarray(artist.get_array(), float)
            yield f"image {image.shape}: {_summary(image)}"
        case Collection():
            yield from _points("collection", artist, _collected(artist))
        case Patch() if not isinstance(artist, Spine):
            corners = artist.get_path().vertices
            transform = artist.get_patch_transform()
            yield from _points("patch", artist, transform.transform(corners))
        case Text() if artist.get_text():
            at = ", ".join(map(_number, artist.get_unitless_position()))
            yield f"text at ({at}): {artist.get_text()!r}"


def _collected(collection: Collection) -> Any:
    """Return where the markers stand, or the corners of what is drawn."""
    offsets: Any = collection.get_offsets()
    assert collection.axes is not None
    data = collection.axes.transData
    if collection.get_offset_transform().contains_branch(data):
        return offsets
    corners = [path.vertices for path in collection.get_paths()]
    return np.concatenate(corners) if corners else np.empty((0, 2))


def _points(kind: str, artist: Artist, points: Any) -> Iterator[str]:
    columns = np.asarray(points, float).T
    label = str(artist.get_label())
    named = "" if not label or label.startswith("_") else f" {label!r}"
    yield f"{kind}{named}: {columns.shape[1]} points"
    for axis, column in zip("xy", columns, strict=True):
        yield f"  {axis}: {_summary(column)}"


def _summary(values: Any) -> str:
    """Return a few values whole; of many, five, the extent and the mean."""
    values = np.asarray(values, float).ravel()
    if values.size <= SHOWN_WHOLE:
        return ", ".join(map(_number, values))
    places = np.linspace(0, values.size - 1, 5).astype(int)
    finite = values[np.isfinite(values)]
    text = ", ".join(map(_number, values[places]))
    if finite.size == 0:
        return f"{text}; nothing finite"
    extent = (finite.min(), finite.max(), finite.mean())
    text += "; least {}, most {}, mean {}".format(*map(_number, extent))
    left_out = values.size - finite.size
    return f"{text}; {left_out} not finite" if left_out else text


def _number(value: Any) -> str:
    """Return five digits, those that are zero too."""
    return f"{float(f'{float(value):.5g}') + 0.0:#.5g}"


def _joined(texts: Sequence[Text]) -> str:
    return " | ".join(text.get_text() for text in texts)
