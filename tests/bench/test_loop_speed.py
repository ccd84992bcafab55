"""The benchmark times the same updates in each way."""

import json
from pathlib import Path

import numpy as np
import pytest

from bench import loop_speed
from bench.loop_speed import WAYS, report, results, rounded, updates_in
from bench.machine import describe_machine
from snippets.data import make_data


@pytest.fixture(scope="module")
def found() -> dict[str, object]:
    """Results of a run that is too short to be worth anything."""
    return results(points=(5, 7), rounds=1, seconds=1e-4)


def test_every_way_is_timed_at_every_size(found: dict[str, object]) -> None:
    times = found["seconds_per_update"]
    assert isinstance(times, dict)
    assert list(times) == list(WAYS)
    for row in times.values():
        assert len(row) == 2
        assert all(0 < seconds < 10 for seconds in row)
    json.dumps(found)


def test_the_file_in_the_repository_has_the_same_parts(
    found: dict[str, object],
) -> None:
    kept = json.loads(loop_speed.RESULTS.read_text("utf-8"))
    assert kept.keys() == found.keys()
    assert kept["points"] == list(loop_speed.POINTS)
    assert list(kept["seconds_per_update"]) == list(WAYS)
    assert kept["rounds"] == loop_speed.ROUNDS


@pytest.mark.parametrize("name", WAYS)
def test_a_way_takes_as_many_updates_as_it_is_asked_for(name: str) -> None:
    """Its weights end where the closed form does."""
    x, y = make_data(201)
    w = WAYS[name](x, y)(7)
    inputs, outputs = x.numpy().astype(float), y.numpy().astype(float)
    best = np.mean(inputs * outputs) / np.mean(inputs**2)
    expected = best + (5 - best) * (1 - 0.2 * np.mean(inputs**2)) ** 7
    assert w == pytest.approx(expected, abs=1e-5)


def test_the_number_of_updates_grows_until_they_take_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran: list[int] = []

    def run(updates: int) -> float:
        ran.append(updates)
        return 0.0

    monkeypatch.setattr(loop_speed, "timed", lambda run, n: n * 0.01)
    assert updates_in(0.5, run) == 64
    assert ran == [1, 4, 16, 64]


def test_three_digits_are_kept() -> None:
    assert rounded(0.00123456) == 0.00123
    assert rounded(98765.0) == 98800.0


def test_the_report_shows_ratios_to_the_eager_loop() -> None:
    times = {"eager loop": [1.0, 3.0], "NumPy": [0.5, 6.0]}
    text = report({"points": [1, 2], "seconds_per_update": times})
    assert [line.split() for line in text.splitlines()[1:]] == [
        ["eager", "loop", "1×", "1×"],
        ["NumPy", "2×", "0.5×"],
    ]


def test_a_machine_is_described_without_names() -> None:
    machine = describe_machine()
    assert machine["cores"] >= 1  # type: ignore[operator]
    assert machine["memory_gigabytes"] >= 1  # type: ignore[operator]
    text = json.dumps(machine)
    for private in (Path.home().name, "localhost"):
        assert f'"{private}"' not in text
