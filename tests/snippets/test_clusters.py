"""The programs of a cluster, each alone in this process.

Here a cluster of one, or one that is played, stands in for the real one, so
that each line can be watched. That the same programs do the same in several
processes is shown by the page itself, see tests/pages/test_many_devices.py.
"""

import json
import os
import runpy
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from matplotlib.figure import Figure

import snippets.many_devices as many_devices
from snippets.data import make_data
from snippets.many_devices import new_training, update
from snippets.parameter_server import free, half, in_step

Variables = dict[str, Any]


def run(name: str, *arguments: str) -> Variables:
    """Run the module as a program."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [name, *arguments])
        patch.delitem(sys.modules, f"snippets.{name}", raising=False)
        return runpy.run_module(f"snippets.{name}", run_name="__main__")


class Coordinator:
    """Plays a coordinator: does at once what is scheduled."""

    def __init__(self, strategy: tf.distribute.Strategy) -> None:
        self.strategy = strategy

    def schedule(self, work: Callable[..., Any], args: Any) -> Any:
        return work(*args)

    def join(self) -> None:
        pass

    def fetch(self, results: Any) -> Any:
        return results


@pytest.fixture
def chief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the program of the parameter server be a chief, and alone."""
    cluster = {"chief": ["127.0.0.1:1"], "ps": ["127.0.0.1:2"]}
    task = {"type": "chief", "index": 0}
    config = json.dumps({"cluster": cluster, "task": task})
    monkeypatch.setenv("TF_CONFIG", config)
    monkeypatch.setattr(
        tf.distribute,
        "ParameterServerStrategy",
        lambda cluster: tf.distribute.get_strategy(),
    )
    monkeypatch.setattr(
        tf.distribute.coordinator, "ClusterCoordinator", Coordinator
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def alone() -> list[float]:
    training = new_training(tf.distribute.get_strategy())
    return [float(update(*training, *make_data())) for _ in range(30)]


def stop_at(call: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the step fail at this call as if another worker had died."""
    calls = iter(range(call))
    step = many_devices.train.python_function

    def train(*arguments: Any) -> tf.Tensor:
        if next(calls) == call - 1:
            raise tf.errors.UnavailableError(None, None, "worker 1 is gone")
        return step(*arguments)

    monkeypatch.setattr(many_devices, "train", train)


# The worker.


def test_one_worker_trains_as_one_process_and_saves(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    variables = run("worker", "saved", "0")
    np.testing.assert_allclose(variables["losses"], alone(), atol=1e-5)
    assert capsys.readouterr().out == (
        "1 workers, from epoch 0 on\nw 3.0909, b 2.3228\n"
    )
    found = tf.train.get_checkpoint_state("saved/worker-0")
    kept = [Path(path).name for path in found.all_model_checkpoint_paths]
    assert kept == ["ckpt-25", "ckpt-30"]


def test_a_worker_whose_fellow_is_gone_stops_and_resumes(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with monkeypatch.context() as patch:
        stop_at(18, patch)
        with pytest.raises(SystemExit, match="worker 1 is gone"):
            run("worker", "saved", "0")
    assert capsys.readouterr().out.splitlines() == [
        "1 workers, from epoch 0 on",
        "stopped by an UnavailableError",
    ]
    variables = run("worker", "saved", "0")
    assert capsys.readouterr().out.startswith("1 workers, from epoch 15 on")
    np.testing.assert_allclose(variables["losses"], alone(), atol=1e-5)


@pytest.mark.parametrize("index", [0, 1])
def test_worker_1_alone_kills_itself_when_it_is_told(
    index: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def kill(*arguments: int) -> None:
        raise Killed(*arguments)

    def numbered() -> tf.distribute.Strategy:
        strategy = tf.distribute.MirroredStrategy(["CPU:0"])
        strategy.extended._cluster_resolver = SimpleNamespace(task_id=index)
        return strategy

    monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", numbered)
    monkeypatch.setattr(os, "kill", kill)
    if index == 0:
        run("worker", "saved", "17")
        assert os.path.exists("saved/worker-0/ckpt-30.index")
        return
    with pytest.raises(Killed) as killed:
        run("worker", "saved", "17")
    assert killed.value.args == (os.getpid(), signal.SIGKILL)
    latest = tf.train.latest_checkpoint("saved/worker-1")
    assert latest == "saved/worker-1/ckpt-15"


# The parameter server.


def test_the_halves_add_up_to_the_batch(x: tf.Tensor, y: tf.Tensor) -> None:
    model, _ = new_training(tf.distribute.get_strategy())
    loss, gradients = many_devices.part_gradients(model, x, y)
    (one, ones), (other, others) = (
        half.python_function(model, tf.constant(first)) for first in (0, 1)
    )
    assert float(one + other) == pytest.approx(float(loss), abs=1e-5)
    np.testing.assert_allclose(np.add(ones, others), gradients, atol=1e-5)


def test_in_step_the_workers_train_as_one_process() -> None:
    strategy = tf.distribute.get_strategy()
    training = new_training(strategy)
    coordinator = Coordinator(strategy)
    losses = [float(in_step(coordinator, *training)) for _ in range(30)]
    np.testing.assert_allclose(losses, alone(), atol=1e-5)


def test_a_free_update_is_an_update_and_is_counted() -> None:
    strategy = tf.distribute.get_strategy()
    training, other = new_training(strategy), new_training(strategy)
    updates = tf.Variable(0)
    free.python_function(strategy, *training, updates)
    update(*other, *make_data())
    assert int(updates) == 1
    assert float(training[0].w) == float(other[0].w) != 5.0


@pytest.mark.usefixtures("chief")
def test_the_chief_trains_in_step_and_then_freely(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    best: tuple[float, float],
) -> None:
    variables = run("parameter_server")
    np.testing.assert_allclose(np.load("in_step.npy"), alone(), atol=1e-5)
    weights = [float(variables["model"].w), float(variables["model"].b)]
    assert weights == pytest.approx(best, abs=1e-3)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("w is on ")
    assert printed[1:5] == [
        "epoch 20: loss 1.01",
        "epoch 40: loss 1.01",
        "epoch 60: loss 1.01",
        "600 updates made: True",
    ]
    assert int(variables["updates"]) == 600


@pytest.mark.parametrize("kind", ["worker", "ps"])
def test_who_is_not_the_chief_serves(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = []

    class Server:
        def __init__(self, cluster: Any, **options: Any) -> None:
            served.append({"cluster": cluster.as_dict(), **options})

        def join(self) -> None:
            raise SystemExit("served")

    cluster = {"chief": ["a:1"], "worker": ["b:1"], "ps": ["c:1"]}
    config = {"cluster": cluster, "task": {"type": kind, "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    monkeypatch.setenv("GRPC_FAIL_FAST", "")
    monkeypatch.setattr(tf.distribute, "Server", Server)
    with pytest.raises(SystemExit, match="served"):
        run("parameter_server")
    assert served == [
        {
            "cluster": cluster,
            "job_name": kind,
            "task_index": 0,
            "protocol": "grpc",
        }
    ]
    assert os.environ["GRPC_FAIL_FAST"] == "use_caller"


# Keras' fit.


def test_fit_works_as_long_as_there_is_one_worker(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("fit_workers")
    workers, loss = capsys.readouterr().out.splitlines()
    assert workers == "workers: 1"
    assert float(loss.split()[-1]) < 4.5


def test_fit_is_given_the_strategy_of_a_server(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served: list[str] = []
    given = []

    def server(cluster: Any, kind: str, index: int, protocol: str) -> None:
        assert (index, protocol) == (0, "grpc")
        served.append(kind)

    def strategy(resolver: Any) -> tf.distribute.Strategy:
        given.append(resolver.cluster_spec().as_dict())
        return tf.distribute.get_strategy()

    monkeypatch.setattr(tf.distribute, "Server", server)
    monkeypatch.setattr(tf.distribute, "ParameterServerStrategy", strategy)
    run("fit_servers")
    assert served == ["worker", "ps"]
    assert [sorted(cluster) for cluster in given] == [["ps", "worker"]]
    assert capsys.readouterr().out.startswith("last loss: ")


# What they wrote.


@pytest.fixture
def written(folder: Path, request: pytest.FixtureRequest) -> None:
    """Let the programs write what the page compares."""
    run("worker", "whole", "0")
    with pytest.MonkeyPatch.context() as patch:
        stop_at(18, patch)
        with pytest.raises(SystemExit):
            run("worker", "killed", "0")
    shutil.copytree("killed", "resumed")
    run("worker", "resumed", "0")
    request.getfixturevalue("chief")
    run("parameter_server")


@pytest.mark.usefixtures("written")
def test_the_results_agree_and_are_drawn(
    capsys: pytest.CaptureFixture[str],
    shown: list[Figure],
    best: tuple[float, float],
) -> None:
    capsys.readouterr()
    variables = run("many_devices_results")
    w, b = best
    assert capsys.readouterr().out.splitlines() == [
        "same losses: True",
        "losses saved: 15",
        "same losses: True",
        "same losses: True",
        f"best: w {w:.3f}, b {b:.3f}",
    ]
    [figure] = shown
    whole, before, after = (
        np.asarray(line.get_ydata()) for line in figure.axes[0].lines
    )
    np.testing.assert_allclose(whole, alone(), atol=1e-5)
    np.testing.assert_allclose(before[:15], whole[:15], atol=1e-5)
    assert np.all(np.isnan(before[15:]))
    np.testing.assert_allclose(after, whole[15:], atol=1e-5)
    assert variables["in_step"].shape == (30,)
