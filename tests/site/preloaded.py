"""Run programs in forks of one process that has imported what they import.

``python preloaded.py`` reads a line of JSON for each program, with its file
and its folder, and answers with a line when it has ended: its exit code.
What it prints stands beside its file.  No operation may run before a fork.
"""

import gc
import json
import os
import runpy
import sys

import keras  # noqa: F401
import matplotlib.pyplot  # noqa: F401
import tensorflow  # noqa: F401


def begin(program: str, folder: str) -> None:
    """Become a process that a reader has started in the folder."""
    output = os.open(f"{program}.txt", os.O_WRONLY | os.O_CREAT)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for new, old in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(new, old)
    os.close(nothing)
    os.close(output)
    os.chdir(folder)
    os.environ["HOME"] = folder
    sys.argv = [program]


gc.freeze()
for line in sys.stdin:
    asked = json.loads(line)
    if pid := os.fork():
        status = os.waitpid(pid, 0)[1]
        print(os.waitstatus_to_exitcode(status))
        continue
    begin(**asked)
    runpy.run_path(asked["program"], run_name="__main__")
    break
