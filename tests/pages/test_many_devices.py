"""What several real processes did when the page's program ran."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.build.rendered import RenderedPage
from engine.keep.records import Record
from snippets.data import make_data
from tests.pages.conftest import Pages

SLUG = "many_devices"


@pytest.fixture(scope="module")
def page(pages: Pages) -> RenderedPage:
    return pages[SLUG]


@pytest.fixture(scope="module")
def record(page: RenderedPage) -> Record:
    assert page.filled
    return page.filled.record


@pytest.fixture
def printed(page: RenderedPage, record: Record) -> dict[str, list[str]]:
    """The lines that each command and each section printed."""
    blocks = page.program.blocks
    return {
        block.section.name or block.code: result.output.splitlines()
        for block, result in zip(blocks, record.blocks, strict=True)
    }


@pytest.fixture(scope="module")
def momentum_descent() -> list[float]:
    """The last w and b of thirty epochs, by NumPy in float64."""
    x, y = (np.asarray(values, np.float64) for values in make_data())
    weights, speed = np.array([5.0, 0.0]), np.zeros(2)
    for _ in range(30):
        errors = weights[0] * x + weights[1] - y
        gradients = 2 * np.array([np.mean(errors * x), np.mean(errors)])
        speed = 0.9 * speed - 0.05 * gradients
        weights = weights + speed
    return [float(weight) for weight in weights]


def numbers(line: str) -> list[float]:
    return [float(number) for number in re.findall(r"\d+\.\d+", line)]


def command(printed: dict[str, list[str]], part: str) -> list[str]:
    [lines] = [lines for name, lines in printed.items() if part in name]
    return lines


@pytest.mark.parametrize("arguments", ["whole 0", "resumed 0"])
def test_two_workers_end_where_one_process_does(
    arguments: str,
    printed: dict[str, list[str]],
    momentum_descent: list[float],
) -> None:
    started, weights = command(printed, f"--worker 2 worker.py {arguments}")
    assert started.startswith("2 workers, from epoch ")
    assert numbers(weights) == pytest.approx(momentum_descent, abs=1e-3)


def test_a_killed_worker_stops_the_other(
    printed: dict[str, list[str]],
) -> None:
    assert command(printed, "worker.py killed 17") == [
        "2 workers, from epoch 0 on",
        "stopped by an UnavailableError",
        "worker-0 ended with exit code 1",
        "worker-1 was ended by SIGKILL",
    ]
    resumed = command(printed, "worker.py resumed 0")
    assert resumed[0] == "2 workers, from epoch 15 on"


def test_a_chief_goes_on_without_the_killed_worker(
    printed: dict[str, list[str]],
) -> None:
    lines = command(printed, "--kill worker-1")
    assert lines[0].startswith("w is on /job:ps/")
    assert lines[2] == "killed worker-1"
    assert "600 updates made: True" in lines
    x, y = (np.asarray(values, np.float64) for values in make_data())
    columns = np.stack([x, np.ones_like(x)], axis=1)
    best = np.linalg.lstsq(columns, y)[0]
    assert numbers(lines[-1]) == pytest.approx(best.tolist(), abs=2e-3)


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="cores cannot be chosen here"
)
def test_a_single_core_is_enough_for_chief_workers_and_server(
    page: RenderedPage, tmp_path: Path
) -> None:
    for name, text in page.program.files.items():
        (tmp_path / name).write_text(text)
    core = min(os.sched_getaffinity(0))
    cluster = ("--chief", "1", "--worker", "2", "--ps", "1")
    done = subprocess.run(
        [sys.executable, "launch.py", *cluster, "parameter_server.py"],
        cwd=tmp_path,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert "600 updates made: True" in done.stdout


@pytest.mark.parametrize(
    "section", ["run_mirrored", "whole", "after", "in_step", "fit_mirrored"]
)
def test_the_losses_are_those_of_one_process(
    section: str, page: RenderedPage, record: Record
) -> None:
    pairs = zip(page.program.blocks, record.blocks, strict=True)
    outputs = [r.output for b, r in pairs if b.section.name == section]
    assert any("same losses: True" in output for output in outputs)
    assert not any("False" in output for output in outputs)


def test_fit_fails_with_workers_and_with_servers(
    printed: dict[str, list[str]],
) -> None:
    [workers] = command(printed, 'grep -h "unsupported type"')
    assert "PerReplica" in workers
    assert "unsupported type" in workers
    [servers] = command(printed, "python fit_servers.py")
    assert "create_per_worker_dataset" in servers
