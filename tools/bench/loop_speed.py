"""Measure the seven ways of the page "How fast can the loop go?".

    python -m tools.bench.loop_speed

writes ``snippets/results/loop_speed.json``. Each way takes the same updates
of the same model. They take turns in several rounds, and medians over the
rounds count, so that what else the machine does falls on all of them.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import tensorflow as tf

from snippets.data import make_data
from snippets.how_fast import train_many, train_numpy
from snippets.keras_model import KerasLinearModel
from snippets.linear_model import LinearModel
from snippets.training_loop import train
from tools.bench.machine import describe_machine, describe_versions
from tools.results import write_json

REPOSITORY = Path(__file__).parents[2]
RESULTS = REPOSITORY / "snippets/results/loop_speed.json"
POINTS = (201, 100_000, 1_000_000)
ROUNDS = 7
SECONDS_OF_A_ROUND = 0.25
LEARNING_RATE = 0.1

Run = Callable[[int], float]
"""Takes a number of updates and returns the weight w after them."""
Step = Callable[[LinearModel, tf.Tensor, tf.Tensor, float], object]


def stepwise(step: Step, x: tf.Tensor, y: tf.Tensor) -> Run:
    """Return what calls the step once for each update."""
    model = LinearModel()

    def run(updates: int) -> float:
        for _ in range(updates):
            step(model, x, y, LEARNING_RATE)
        return float(model.w)

    return run


def whole(jit_compile: bool, x: tf.Tensor, y: tf.Tensor) -> Run:
    """Return what takes all updates in one call."""
    model = LinearModel()
    loop = tf.function(train_many, jit_compile=jit_compile)

    def run(updates: int) -> float:
        loop(model, x, y, LEARNING_RATE, tf.constant(updates))
        return float(model.w)

    return run


def with_fit(x: tf.Tensor, y: tf.Tensor) -> Run:
    """Return what takes an epoch of one batch for each update."""
    model = KerasLinearModel()
    model.compile(tf.keras.optimizers.SGD(LEARNING_RATE), loss="mse")

    def run(updates: int) -> float:
        model.fit(
            x,
            y,
            epochs=updates,
            batch_size=len(x),
            shuffle=False,
            verbose=0,
        )
        return float(model.w)

    return run


def with_numpy(x: tf.Tensor, y: tf.Tensor) -> Run:
    """Return what takes each update in NumPy, in float32."""
    inputs, outputs = x.numpy(), y.numpy()

    def run(updates: int) -> float:
        w, b = np.float32(5.0), np.float32(0.0)
        for _ in range(updates):
            w, b = train_numpy(w, b, inputs, outputs, LEARNING_RATE)
        return float(w)

    return run


WAYS: dict[str, Callable[[tf.Tensor, tf.Tensor], Run]] = {
    "eager loop": lambda x, y: stepwise(train, x, y),
    "compiled step": lambda x, y: stepwise(tf.function(train), x, y),
    "XLA step": lambda x, y: stepwise(
        tf.function(train, jit_compile=True), x, y
    ),
    "compiled loop": lambda x, y: whole(False, x, y),
    "XLA loop": lambda x, y: whole(True, x, y),
    "Keras fit": with_fit,
    "NumPy": with_numpy,
}
COMPILED = ("compiled step", "XLA step", "compiled loop", "XLA loop")


def measure(
    points: int, rounds: int = ROUNDS, seconds: float = SECONDS_OF_A_ROUND
) -> dict[str, list[float]]:
    """Return the seconds per update in each round, by way.

    In a round the ways take turns, about ``seconds`` each.
    """
    x, y = make_data(points)
    runs = {name: way(x, y) for name, way in WAYS.items()}
    updates = {name: updates_in(seconds, run) for name, run in runs.items()}
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            times[name].append(timed(run, updates[name]) / updates[name])
    return times


def compare(times: dict[str, list[float]]) -> dict[str, float]:
    """Return how many times as fast as the eager loop each way is.

    Each round gives a ratio, whose two times were taken close together, so
    that a busy machine slows both. The median of the ratios counts.
    """
    eager = times["eager loop"]
    return {
        name: median(e / t for e, t in zip(eager, row, strict=True))
        for name, row in times.items()
    }


def first_calls(points: int, rounds: int = ROUNDS) -> dict[str, float]:
    """Return the seconds of a first call, by way: it traces and compiles."""
    x, y = make_data(points)
    return {
        name: median(timed(WAYS[name](x, y), 1) for _ in range(rounds))
        for name in COMPILED
    }


def updates_in(seconds: float, run: Run) -> int:
    """Return a number of updates that takes at least the seconds.

    Each number is run once before it is timed, because XLA may compile a
    loop anew for it.
    """
    updates = 1
    while True:
        run(updates)
        if timed(run, updates) >= seconds:
            return updates
        updates *= 4


def timed(run: Run, updates: int) -> float:
    """Return how many seconds the updates take."""
    start = time.perf_counter()
    run(updates)
    return time.perf_counter() - start


def memory_rates(points: int, rounds: int = ROUNDS) -> dict[str, float]:
    """Return the gigabytes per second that two plain jobs move.

    A copy of x reads each byte once and writes it once; a dot product of x
    and y reads each byte of both once, as an update has to.
    """
    x, y = (array.numpy() for array in make_data(points))
    target = np.empty_like(x)
    jobs: dict[str, Callable[[], object]] = {
        "copy": lambda: np.copyto(target, x),
        "dot product": lambda: np.dot(x, y),
    }
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            times[name].append(timed_job(job, max(1, 20_000_000 // points)))
    return {n: 2 * x.nbytes / 1e9 / median(t) for n, t in times.items()}


def timed_job(job: Callable[[], object], repeats: int) -> float:
    """Return how many seconds the job takes, on average of the repeats."""
    start = time.perf_counter()
    for _ in range(repeats):
        job()
    return (time.perf_counter() - start) / repeats


def results(
    points: tuple[int, ...] = POINTS,
    rounds: int = ROUNDS,
    seconds: float = SECONDS_OF_A_ROUND,
) -> dict[str, Any]:
    """Return all that the results file holds; lists go by ``points``."""
    measured = [measure(size, rounds, seconds) for size in points]
    ratios = [compare(times) for times in measured]
    rates = [memory_rates(size, rounds) for size in points]
    first = first_calls(points[0], rounds)
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "command": "make bench",
        "machine": describe_machine(),
        "versions": describe_versions(),
        "rounds": rounds,
        "points": list(points),
        "times_as_fast_as_the_eager_loop": {
            name: [rounded(of_size[name]) for of_size in ratios]
            for name in WAYS
        },
        "seconds_per_update": {
            name: [rounded(median(times[name])) for times in measured]
            for name in WAYS
        },
        "seconds_of_first_call": {n: rounded(t) for n, t in first.items()},
        "gigabytes_per_second": {
            name: [rounded(of_size[name]) for of_size in rates]
            for name in ("copy", "dot product")
        },
    }


def rounded(number: float) -> float:
    """Return the number with the three digits that a median can bear."""
    return float(f"{number:.3g}")


def report(found: dict[str, Any]) -> str:
    """Return the ratios to the eager loop, a line a way."""
    lines = [f"times as fast as the eager loop, at {found['points']} points"]
    for name, ratios in found["times_as_fast_as_the_eager_loop"].items():
        lines.append(f"{name:14}" + "".join(f"{r:10.3g}×" for r in ratios))
    return "\n".join(lines)


def main() -> None:
    """Measure, write the file and say what came of it."""
    # First calls are measured by making the same function anew, on purpose.
    tf.get_logger().setLevel("ERROR")
    found = results()
    write_json(RESULTS, found)
    print(report(found))


if __name__ == "__main__":
    main()
