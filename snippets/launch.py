"""Run a program as a cluster of processes on this machine."""

# region imports
import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys

TASKS = ("chief", "worker", "ps")
# endregion imports


# region free_addresses
def free_addresses(count: int) -> list[str]:
    """Return as many addresses of this machine that are free just now."""
    with contextlib.ExitStack() as opened:
        sockets = []
        for _ in range(count):
            sockets.append(opened.enter_context(socket.socket()))
            sockets[-1].bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]


# endregion free_addresses


# region make_cluster
def make_cluster(counts: dict[str, int]) -> dict[str, list[str]]:
    """Return the addresses of all tasks, by their kind."""
    addresses = iter(free_addresses(sum(counts.values())))
    return {
        kind: [next(addresses) for _ in range(count)]
        for kind, count in counts.items()
        if count > 0
    }


# endregion make_cluster


# region start
def start(
    program: list[str], cluster: dict[str, list[str]], kind: str, index: int
) -> subprocess.Popen[str]:
    """Start a task; what it says of errors goes to a file of its own."""
    task = {"type": kind, "index": index}
    config = json.dumps({"cluster": cluster, "task": task})
    with open(f"{kind}-{index}.log", "w") as log:
        return subprocess.Popen(
            [sys.executable, *program],
            env={**os.environ, "TF_CONFIG": config},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )


# endregion start


# region follow
def follow(
    tasks: dict[str, subprocess.Popen[str]], kill: str, after: str
) -> None:
    """Print what the first task prints; kill a task after such a line."""
    first = next(iter(tasks.values()))
    for line in first.stdout or ():
        print(line, end="", flush=True)
        if kill and line.startswith(after):
            tasks[kill].kill()
            print("killed", kill, flush=True)


# endregion follow


# region report
def report(tasks: dict[str, subprocess.Popen[str]]) -> int:
    """Wait for the tasks that end; say how; return 1 if any failed."""
    ending = [name for name in tasks if name.startswith("chief")] or tasks
    failed = 0
    for name in ending:
        code = tasks[name].wait()
        if code < 0:
            print(name, "was ended by", signal.Signals(-code).name)
        elif code > 0:
            print(name, "ended with exit code", code)
        failed = failed or int(code != 0)
    return failed


# endregion report


# region launch
def launch(arguments: argparse.Namespace) -> int:
    """Run the cluster; return 0 if all went well; leave nothing behind."""
    cluster = make_cluster({kind: getattr(arguments, kind) for kind in TASKS})
    tasks: dict[str, subprocess.Popen[str]] = {}
    try:
        for kind, addresses in cluster.items():
            for index in range(len(addresses)):
                task = start(arguments.program, cluster, kind, index)
                tasks[f"{kind}-{index}"] = task
        follow(tasks, arguments.kill, arguments.after)
        return report(tasks)
    finally:
        for task in tasks.values():
            task.kill()
            task.wait()


# endregion launch

if __name__ == "__main__":
    # region main
    parser = argparse.ArgumentParser(description=__doc__)
    for kind in TASKS:
        parser.add_argument(f"--{kind}", type=int, default=0, metavar="COUNT")
    parser.add_argument("--kill", default="", metavar="TASK")
    parser.add_argument("--after", default="", metavar="START_OF_LINE")
    parser.add_argument("program", nargs=argparse.REMAINDER)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    sys.exit(launch(parser.parse_args()))
    # endregion main
