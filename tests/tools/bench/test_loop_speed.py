"""The benchmark times the same updates in each way."""

import json
import platform
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from snippets.data import make_data
from tools.bench import loop_speed
from tools.bench.loop_speed import (
    COMPILED,
    POINTS,
    RESULTS,
    ROUNDS,
    WAYS,
    compare,
    first_calls,
    memory_rates,
    report,
    results,
    rounded,
    updates_in,
)
from tools.bench.machine import describe_machine


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Results of a run that is too short to be worth anything."""
    file = tmp_path_factory.mktemp("loop_speed") / "results.json"
    briefly = partial(results, points=(5, 7), rounds=1, seconds=1e-4)
    level = tf.get_logger().level
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop_speed, "results", briefly)
        patch.setattr(loop_speed, "RESULTS", file)
        loop_speed.main()
    tf.get_logger().setLevel(level)
    measured: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return measured


@pytest.fixture(scope="module")
def kept() -> dict[str, Any]:
    """The results in the repository, which the page shows."""
    results: dict[str, Any] = json.loads(RESULTS.read_text("utf-8"))
    return results


def test_every_way_is_timed_at_every_size(found: dict[str, Any]) -> None:
    for part in ("seconds_per_update", "times_as_fast_as_the_eager_loop"):
        assert list(found[part]) == list(WAYS)
        for row in found[part].values():
            assert len(row) == 2
            assert all(number > 0 for number in row)
    assert list(found["seconds_of_first_call"]) == list(COMPILED)
    for row in found["gigabytes_per_second"].values():
        assert len(row) == 2


def test_the_file_in_the_repository_has_the_same_parts(
    found: dict[str, Any], kept: dict[str, Any]
) -> None:
    assert kept.keys() == found.keys()
    for name, part in found.items():
        if isinstance(part, dict):
            assert list(kept[name]) == list(part)
    assert kept["points"] == list(POINTS)
    assert kept["rounds"] == ROUNDS


def test_the_file_names_neither_host_nor_user() -> None:
    text = RESULTS.read_text("utf-8")
    for private in (platform.node(), str(Path.home())):
        assert private not in text


def test_the_words_of_the_page_suit_the_file(kept: dict[str, Any]) -> None:
    """Its figure's text and its prose say what no run may overturn unseen."""
    ratios = {
        name: np.array(row)
        for name, row in kept["times_as_fast_as_the_eager_loop"].items()
    }
    assert np.all(ratios["Keras fit"] < 1)
    faster = np.array([r for n, r in ratios.items() if n != "Keras fit"])
    assert np.all(faster >= 1)
    spread = faster.max(axis=0)
    assert spread[0] > 10 * spread[-1]
    assert np.argmax(faster, axis=0)[0] == list(ratios).index("XLA loop")
    seconds = kept["seconds_per_update"]
    assert seconds["eager loop"][-1] > 2 * seconds["eager loop"][0]
    rates = {name: r[-1] for name, r in kept["gigabytes_per_second"].items()}
    for name, megabytes in (("NumPy", 48), ("XLA loop", 32)):
        share = megabytes / 1e3 / seconds[name][-1] / rates["copy"]
        assert 0.1 < share < 0.9
    limit = seconds["eager loop"][-1] * rates["dot product"] / 8e-3
    assert limit > 3 * faster[:, -1].max()


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


def test_a_ratio_is_the_median_of_the_ratios_of_the_rounds() -> None:
    """The machine is slow in the second round; that must not matter."""
    times = {"eager loop": [4.0, 40.0, 6.0], "NumPy": [2.0, 20.0, 2.0]}
    assert compare(times) == {"eager loop": 1.0, "NumPy": 2.0}


def test_a_first_call_is_that_of_a_new_function(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []

    def way(name: str) -> Callable[[tf.Tensor, tf.Tensor], loop_speed.Run]:
        def make(x: tf.Tensor, y: tf.Tensor) -> loop_speed.Run:
            made.append(name)
            return float

        return make

    monkeypatch.setattr(loop_speed, "WAYS", {n: way(n) for n in COMPILED})
    assert list(first_calls(5, rounds=2)) == list(COMPILED)
    assert made == [name for name in COMPILED for _ in range(2)]


def test_rates_count_the_bytes_read_and_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thousand numbers of four bytes twice, in a microsecond: 8 GB/s."""
    monkeypatch.setattr(loop_speed, "timed_job", lambda job, repeats: 1e-6)
    assert memory_rates(1000) == {
        "copy": pytest.approx(8.0),
        "dot product": pytest.approx(8.0),
    }


def test_the_report_shows_ratios_to_the_eager_loop() -> None:
    ratios = {"eager loop": [1.0, 1.0], "NumPy": [2.0, 0.5]}
    text = report(
        {"points": [1, 2], "times_as_fast_as_the_eager_loop": ratios}
    )
    assert [line.split() for line in text.splitlines()[1:]] == [
        ["eager", "loop", "1×", "1×"],
        ["NumPy", "2×", "0.5×"],
    ]


def test_make_bench_runs_although_a_folder_has_its_name() -> None:
    """Make takes a folder for a finished target unless it is phony."""
    text = (RESULTS.parents[2] / "Makefile").read_text("utf-8")
    phony = re.search(r"(?m)^\.PHONY:((?:.*\\\n)*.*)$", text)
    assert phony is not None
    assert set(re.findall(r"(?m)^([a-z]+):.*## ", text)) <= set(
        phony[1].split()
    )


def test_a_machine_is_described() -> None:
    machine = describe_machine()
    assert machine["processor"]
    assert isinstance(machine["cores"], int)
    assert machine["cores"] >= 1
