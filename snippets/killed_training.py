"""Kill a training and run it again: train.py, in processes of its own."""

import signal
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import tensorflow as tf

from snippets.save_and_resume import BLUE, GREEN, RED


# region run_training
def run_training(folder: str, kill_at: int) -> None:
    """Run ../train.py in a process of its own and say how it ended."""
    ended = subprocess.run(
        [sys.executable, "../train.py", folder, str(kill_at)],
        capture_output=True,
        text=True,
        check=False,
    )
    print(ended.stdout, end="")
    if ended.returncode < 0:
        print("ended by", signal.Signals(-ended.returncode).name)
    else:
        print("ended with exit code", ended.returncode)


# endregion run_training

if __name__ == "__main__":
    # region uninterrupted
    run_training("whole", kill_at=0)
    # endregion uninterrupted

    # region killed
    run_training("killed", kill_at=17)
    print("latest:", tf.train.latest_checkpoint("killed"))
    for file in sorted(Path("killed").iterdir()):
        print(file.name)
    # endregion killed

    # region resumed
    key = "losses/.ATTRIBUTES/VARIABLE_VALUE"
    before = tf.train.load_variable("killed", key)
    run_training("killed", kill_at=0)
    after = tf.train.load_variable("killed", key)
    complete = tf.train.load_variable("whole", key)
    print("same losses:", after.tolist() == complete.tolist())
    # endregion resumed

    # region curves
    steps = range(30)
    plt.plot(steps, complete, "-", color=BLUE, label="uninterrupted")
    plt.plot(steps, before, "s", color=GREEN, label="saved before the kill")
    plt.plot(steps[15:], after[15:], "o", color=RED, label="after resuming")
    plt.xlabel("steps taken")
    plt.ylabel("loss of the batch")
    plt.legend()
    plt.show()
    # endregion curves
