"""Run a command where no network is but the machine's own address.

``python cut_off.py COMMAND`` has to run inside ``unshare --net``: it brings
up 127.0.0.1, which is down in a new network, and becomes the command.
"""

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
from functools import cache

UNSHARE = ["unshare", "--map-root-user", "--net"]
SIOCSIFFLAGS, IFF_UP = 0x8914, 1  # as in linux/sockios.h and linux/if.h


@cache
def can_be_cut_off() -> bool:
    """Return whether this machine lets a process leave the network."""
    if not shutil.which("unshare"):
        return False
    tried = subprocess.run([*UNSHARE, "true"], capture_output=True)
    return tried.returncode == 0


def cut_off(command: list[str]) -> list[str]:
    """Return the command to be run without a network, if that is possible."""
    if not can_be_cut_off():
        return command
    return [*UNSHARE, sys.executable, "-I", __file__, *command]


if __name__ == "__main__":
    with socket.socket() as any_socket:
        up = struct.pack("16sh", b"lo", IFF_UP)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, up)
    os.execvp(sys.argv[1], sys.argv[1:])
