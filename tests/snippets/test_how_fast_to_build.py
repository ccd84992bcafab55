"""The page on the speed of builds says what the results file holds."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from tests.story import execute, statements

KEPT = Path(__file__).parents[2] / "snippets/results"
RESULTS = KEPT / "build_speed.json"
SERVED = KEPT / "serve_speed.json"


@pytest.fixture
def results() -> Any:
    """What the benchmark wrote."""
    return json.loads(RESULTS.read_text("utf-8"))


@pytest.fixture
def printed(printed_by: Callable[[str], list[str]]) -> list[str]:
    """What the module prints as a script, line by line."""
    return printed_by("how_fast_to_build")


def test_ratios_are_to_our_own_builds(
    printed: list[str], results: Any
) -> None:
    edits = printed[0].split()[1:]
    rows = {line.split()[0]: line.split()[1:] for line in printed[1:7]}
    assert list(rows) == list(results["one_page"])
    assert rows["ours"] == ["1.00"] * 4
    for tool, ratios in rows.items():
        for edit, ratio in zip(edits, ratios, strict=True):
            ours = results["one_page"]["ours"][edit]["cpu"]
            found = float(ratio) * ours
            its = results["one_page"][tool][edit]["cpu"]
            assert found == pytest.approx(its, abs=0.006 * ours)


def test_each_served_page_has_its_seconds(printed: list[str]) -> None:
    served = json.loads(SERVED.read_text("utf-8"))["seconds"]
    rows = [line.split() for line in printed if line.endswith(" s")]
    found = {row[0]: float(row[1]) for row in rows if row[0] in served}
    assert found == pytest.approx(served, abs=0.005)


def test_the_cost_of_a_further_page_adds_up(
    printed: list[str], results: Any
) -> None:
    first, *_, last = [build["cpu"] for build in results["growth"].values()]
    added = 0.0
    for line in printed:
        if match := re.match(r"from (\d+) to (\d+) pages: ([\d.]+) s", line):
            few, many, seconds = match.groups()
            added += (int(many) - int(few)) * float(seconds)
    assert added == pytest.approx(last - first, abs=0.01 * 200)


@pytest.mark.parametrize(
    ("more", "word"), [(0.0, "met   "), (0.001, "missed")]
)
def test_a_bar_is_met_on_its_edge_and_missed_beyond(
    capsys: pytest.CaptureFixture[str], more: float, word: str
) -> None:
    edits = ("nothing", "prose")
    names = {
        "results": {
            "ten_pages": {"slow": {"wall": 9.0}, "fast": {"wall": 1.6}}
        },
        "ours": {"wall": 1 + more},
        "one_page": {
            "ours": {edit: {"cpu": 0.15 + more} for edit in edits},
            "bare": {edit: {"cpu": 0.0} for edit in edits},
        },
    }
    module = "how_fast_to_build"
    execute(module, statements(module, "bars"), names)
    assert capsys.readouterr().out.splitlines() == [
        f"{word} ten pages, cold: 1.60 times as fast, bar 1.6",
        f"{word} nothing changed: 0.15 s beyond bare, bar 0.15",
        f"{word} prose changed: 0.15 s beyond bare, bar 0.15",
    ]


def test_every_builder_is_drawn(
    printed: list[str], shown: list[Figure], results: Any
) -> None:
    [figure] = shown
    [axes] = figure.axes
    assert [line.get_label() for line in axes.get_lines()] == list(
        results["one_page"]
    )


def test_the_solutions_compare_waits_and_what_is_spared(
    printed: list[str], results: Any
) -> None:
    text = "\n".join(printed)
    for tool, builds in results["one_page"].items():
        spared = re.search(rf"{tool} +spares +(-?\d+)%", text)
        waited = re.search(rf"{tool} +([\d.]+) times as long", text)
        assert spared
        assert waited
        left = builds["nothing"]["cpu"] / builds["cold"]["cpu"]
        assert int(spared[1]) / 100 == pytest.approx(1 - left, abs=0.006)
        ours = results["one_page"]["ours"]["prose"]["wall"]
        assert float(waited[1]) == pytest.approx(
            builds["prose"]["wall"] / ours, abs=0.006
        )
