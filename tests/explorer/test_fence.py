"""The explorer's fence: what a page shows before, or without, its script."""

import html
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from markdown import Markdown

from docs.assets.explorer.fence import render

RUN: dict[str, Any] = {
    "x": [-1.0, 0.0, 1.0, 2.0],
    "y": [-0.5, 1.5, 4.5, 7.5],
    "noise": [0.0, 0.0, 0.0, 0.0],
    "order": [2, 0, 1, 3],
    "true_w": 3.0,
    "true_b": 1.0,
    "learning_rate": 0.1,
    "history": {"w": [0.0, 2.0], "b": [0.0, 1.5], "loss": [19.75, 0.5]},
}


def shown(run: dict[str, Any]) -> BeautifulSoup:
    return BeautifulSoup(render(json.dumps(run)), "html5lib")


def test_a_page_can_use_the_fence(tmp_path: Path) -> None:
    text = Markdown(
        extensions=["engine.extension", "docs.assets.explorer.fence"],
        extension_configs={"engine.extension": {"root": str(tmp_path)}},
    ).convert(f"# A run\n\n```explorer\n{json.dumps(RUN)}\n```\n")
    assert render(json.dumps(RUN)) in text


def test_the_element_has_what_the_program_computed() -> None:
    [element] = shown(RUN).select("div.x-room > loop-explorer.explorer")
    assert json.loads(str(element["data-run"])) == RUN


def test_no_text_ends_the_attribute_that_holds_the_data() -> None:
    run = {**RUN, "learning_rate": "<0.1> & 'more'"}
    text = render(json.dumps(run))
    [data] = re.findall(r"data-run='([^']*)'>", text)
    assert "<" not in data
    assert json.loads(html.unescape(data)) == run


def test_without_a_script_there_are_figures_and_a_table() -> None:
    page = shown(RUN)
    titles = [figure.get_text() for figure in page.select("figcaption")]
    # The least squares line is 2.7 x + 1.9, its squared errors sum to 0.3.
    assert titles == [
        "The loss over w and b: w 2.00, b 1.50",
        "The line after epoch 1: y = 2.00 x + 1.50",
        "The loss by epoch: 0.5000, at least 0.0750",
    ]
    labels = [svg["aria-label"] for svg in page.select("svg[role=img]")]
    assert labels == titles
    rows = [row.get_text(" ") for row in page.select("tbody tr")]
    assert rows == ["0 0 0 19.75", "1 2 1.5 0.5"]


def test_the_figures_stay_inside_of_their_frames() -> None:
    for svg in shown(RUN).select("svg"):
        width, height = map(float, str(svg["viewBox"]).split()[2:])
        points = [
            tuple(map(float, pair.split(",")))
            for line in svg.select("polyline:not(.path)")
            for pair in str(line["points"]).split()
        ]
        assert all(0 <= x <= width and 0 <= y <= height for x, y in points)
        assert not any(math.isnan(v) for point in points for v in point)


def pixels(path: object) -> list[tuple[float, float]]:
    """Return the places in ``M1 2h0M3 4h0`` or ``1,2 3,4``."""
    numbers = [float(n) for n in re.findall(r"(?<!h)-?[\d.]+", str(path))]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def test_the_surface_is_drawn_around_the_least_loss() -> None:
    """It shows 7 by 7 on 298 by 308 pixels, from (34, 18) on."""
    surface = shown(RUN).select("svg")[0]
    rings = surface.select("ellipse.ring")
    assert {(ring["cx"], ring["cy"]) for ring in rings} == {("183.0", "172.0")}
    heights = [float(str(ring["ry"])) for ring in rings]
    assert heights == pytest.approx([154.0, 115.5, 77.0, 38.5])
    # A ring is as much narrower as the mean of x², 1.5, is greater than one.
    narrower = 298 / 308 / math.sqrt(1.5)
    widths = [float(str(ring["rx"])) for ring in rings]
    assert widths == pytest.approx([narrower * h for h in heights], abs=0.2)
    [path] = surface.select("polyline.path")
    assert pixels(path["points"]) == [(68.1, 255.6), (153.2, 189.6)]
    assert pixels(surface.select("path.dots")[-1]["d"])[0] == (68.1, 255.6)
    texts = surface.select("text")
    labels = [text.get_text() for text in texts]
    assert labels == [*"0123456", "−1", *"012345", "w", "b"]
    stand = [tuple(float(str(text[at])) for at in "xy") for text in texts]
    assert stand[:2] == [(68.1, 341.0), (110.6, 341.0)]
    assert stand[7:9] == [(29.0, 303.6), (29.0, 259.6)]
    assert stand[-2:] == [(332.0, 355.0), (4.0, 11.0)]
    [axis] = surface.select("path.axis")
    assert axis["d"] == "M34 18V326H332"


def test_the_data_are_drawn_from_end_to_end() -> None:
    data = shown(RUN).select("svg")[1]
    dots = pixels(data.select("path.data")[0]["d"])
    assert (dots[0], dots[-1]) == ((34.0, 141.0), (332.0, 18.0))
    # The line after the last epoch is 2 x + 1.5: from -0.5 to 5.5.
    [line] = data.select("polyline.path")
    assert pixels(line["points"]) == [(34.0, 141.0), (332.0, 48.8)]
    labels = [text.get_text() for text in data.select("text")]
    assert labels == ["−1", *"012", "−2", *"02468", "x", "y"]
    [zero] = [t for t in data.select("text.up") if t.get_text() == "0"]
    assert (zero["x"], zero["y"]) == ("29", "137.3")


def test_the_losses_are_drawn_by_their_logarithms() -> None:
    loss = shown(RUN).select("svg")[2]
    [path] = loss.select("polyline.path")
    assert pixels(path["points"]) == [(39.7, 24.0), (323.5, 90.0)]
    [least] = loss.select("polyline.least")
    assert pixels(least["points"]) == [(39.7, 124.0), (323.5, 124.0)]
    ticks = {t.get_text(): t["y"] for t in loss.select("text.up")}
    assert ticks == {"1": "81.5", "2": "69.1", "5": "52.6", "10": "40.2"}


def test_a_longer_run_has_a_mark_at_every_other_epoch() -> None:
    history = {
        "w": [0.0, 1.0, 2.0, 2.5, 2.7],
        "b": [0.0, 1.0, 1.5, 1.8, 1.9],
        "loss": [10.0, 5.0, 1.0, 0.2, 0.1],
    }
    loss = shown({**RUN, "history": history}).select("svg")[2]
    labels = [text.get_text() for text in loss.select("text")]
    assert labels == [*"024", "epoch", "loss", "1", "2", "5", "10"]
    # From 2 % before the first epoch to 3 % after the last.
    [path] = loss.select("polyline.path")
    across = [x for x, _ in pixels(path["points"])]
    expected = [34 + 298 * (epoch + 0.08) / 4.2 for epoch in range(5)]
    assert across == pytest.approx(expected, abs=0.051)
    assert [x for x, _ in pixels(loss.select("path.dots")[0]["d"])] == across
    assert float(str(loss.select("text")[1]["x"])) == across[2]


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in RUN.items() if key != name}


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("{", "it is no JSON object: Expecting"),
        ("5", "it is no JSON object: "),
        ("[]", "it needs history, .*, has $"),
        ('{"x": []}', "it needs history, .*, y, has x$"),
        ({**RUN, "more": 1}, "has history, .*, more, "),
        (without("order"), "it needs .*order, .* has history, "),
        ({**RUN, "history": {}}, r"it cannot be drawn: KeyError\('w'\)"),
        ({**RUN, "x": []}, "it cannot be drawn: "),
        ({**RUN, "y": 3.0}, "it cannot be drawn: TypeError"),
        ({**RUN, "x": [1.0] * 4}, "it cannot be drawn: .*x is constant"),
    ],
)
def test_a_fence_that_is_no_run_is_a_fault(
    source: str | dict[str, Any], complaint: str
) -> None:
    text = source if isinstance(source, str) else json.dumps(source)
    with pytest.raises(ValueError, match=complaint):
        render(text)
