"""The launcher: what its tasks are told, and that none outlives it."""

import argparse
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from snippets import launch as module
from snippets.launch import free_addresses, launch, make_cluster
from tests.waiting import wait_until

ROOT = Path(module.__file__).parents[1]
SECONDS = 30

TASK = """\
import json, os, sys, time

task = json.loads(os.environ["TF_CONFIG"])["task"]
name = f"{task['type']}-{task['index']}"
with open(f"{name}.pid", "w") as file:
    file.write(str(os.getpid()))
"""
SAY_AND_END = TASK + "print(name, 'says', *sys.argv[1:], flush=True)\n"
SERVE = TASK + "time.sleep(600 if task['type'] in ('worker', 'ps') else 0)\n"
SLEEP = TASK + "print('started', flush=True)\ntime.sleep(600)\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def same_signals() -> Iterator[None]:
    """Leave the handlers of the process as they were."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def arguments(program: str, *more: str, **given: Any) -> argparse.Namespace:
    """Return the launcher's arguments for a program with this text."""
    Path("program.py").write_text(program)
    settings = {"chief": 0, "worker": 0, "ps": 0, "kill": "", "after": ""}
    settings |= {"program": ["program.py", *more], **given}
    return argparse.Namespace(**settings)


def wait_for(*names: str) -> None:
    """Wait until the tasks of these names have said that they run."""
    wait_until(lambda: all(map(pid_of, names)))


def pid_of(name: str) -> int:
    path = Path(f"{name}.pid")
    return int(path.read_text() or 0) if path.exists() else 0


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def all_gone() -> bool:
    """Return whether no task is left; at least one must have run."""
    pids = [pid_of(path.stem) for path in Path().glob("*.pid")]
    assert pids
    return all(is_gone(pid) for pid in pids if pid)


def test_free_addresses_differ_and_are_free() -> None:
    addresses = free_addresses(5)
    assert len(set(addresses)) == 5
    for address in addresses:
        host, port = address.split(":")
        assert host == "127.0.0.1"
        with socket.socket() as opened:
            opened.bind((host, int(port)))


def test_a_cluster_has_only_the_kinds_that_are_wanted() -> None:
    cluster = make_cluster({"chief": 1, "worker": 2, "ps": 0})
    assert {kind: len(found) for kind, found in cluster.items()} == {
        "chief": 1,
        "worker": 2,
    }
    assert len({*cluster["chief"], *cluster["worker"]}) == 3


def test_each_task_is_told_who_it_is_and_who_there_is() -> None:
    show = 'import os\nprint(os.environ["TF_CONFIG"])\n'
    Path("program.py").write_text(show)
    cluster = {"worker": ["127.0.0.1:1", "127.0.0.1:2"]}
    task = module.start(["program.py"], cluster, "worker", 1)
    told, _ = task.communicate(timeout=SECONDS)
    assert json.loads(told) == {
        "cluster": cluster,
        "task": {"type": "worker", "index": 1},
    }


def test_workers_that_end_well_leave_nothing_and_the_first_is_heard(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert launch(arguments(SAY_AND_END, "a", "b", worker=2)) == 0
    assert capsys.readouterr().out == "worker-0 says a b\n"
    assert {path.name for path in Path().glob("*.log")} == {
        "worker-0.log",
        "worker-1.log",
    }
    assert all_gone()


def test_servers_are_ended_when_the_chief_is_done(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert launch(arguments(SERVE, chief=1, worker=2, ps=1)) == 0
    assert capsys.readouterr().out == ""
    assert all_gone()


def test_a_task_that_fails_is_reported_and_its_error_kept(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fail = SAY_AND_END + "if task['index']: sys.exit('no luck')\n"
    assert launch(arguments(fail, worker=2)) == 1
    printed = capsys.readouterr().out.splitlines()
    assert printed == ["worker-0 says", "worker-1 ended with exit code 1"]
    assert Path("worker-1.log").read_text() == "no luck\n"
    assert all_gone()


def test_a_chief_that_fails_takes_its_servers_along(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fail = SERVE + "if task['type'] == 'chief': sys.exit(3)\n"
    assert launch(arguments(fail, chief=1, worker=1, ps=1)) == 1
    assert capsys.readouterr().out == "chief-0 ended with exit code 3\n"
    assert all_gone()


def test_a_task_is_killed_after_the_line_that_was_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    two_lines = TASK + (
        "print('one', flush=True)\nprint('two', flush=True)\n"
        "time.sleep(600 if task['index'] else 0)\n"
    )
    given = arguments(two_lines, worker=2, kill="worker-1", after="two")
    assert launch(given) == 1
    assert capsys.readouterr().out.splitlines() == [
        "one",
        "two",
        "killed worker-1",
        "worker-1 was ended by SIGKILL",
    ]
    assert all_gone()


def test_a_task_that_cannot_be_started_leaves_none_of_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = module.start

    def start_one(*args: Any) -> subprocess.Popen[str]:
        if args[-1] == 1:
            wait_for("worker-0")
            raise OSError("no more processes")
        return start(*args)

    monkeypatch.setattr(module, "start", start_one)
    with pytest.raises(OSError, match="no more"):
        launch(arguments(SLEEP, worker=2))
    assert all_gone()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_launcher_that_is_interrupted_leaves_nothing(
    number: signal.Signals,
) -> None:
    Path("program.py").write_text(SLEEP)
    command = ["--chief", "1", "--worker", "2", "--ps", "1", "program.py"]
    launcher = subprocess.Popen(
        [sys.executable, "-m", "snippets.launch", *command],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        wait_for("chief-0", "worker-0", "worker-1", "ps-0")
        launcher.send_signal(number)
        printed, _ = launcher.communicate(timeout=SECONDS)
    finally:
        launcher.kill()
    assert launcher.returncode != 0
    assert printed == "started\n"
    assert all_gone()


def test_the_launcher_runs_as_a_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("program.py").write_text(SAY_AND_END)
    command = ["--worker", "2", "program.py", "--its", "own"]
    monkeypatch.setattr(sys, "argv", ["launch.py", *command])
    monkeypatch.delitem(sys.modules, "snippets.launch")
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("snippets.launch", run_name="__main__")
    assert ended.value.code == 0
    assert capsys.readouterr().out == "worker-0 says --its own\n"
