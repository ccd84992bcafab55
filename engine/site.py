"""Build the whole site, or serve it while it is written."""

import contextlib
import ctypes
import io
import multiprocessing
import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path

from engine.errors import Fault
from engine.project import Project
from engine.records import building, refresh_records

HOST = "127.0.0.1"
PORTS_TRIED = 20


def build(project: Project, site: Path) -> None:
    """Build into ``site``, which stays as it was if anything fails."""
    with building(project):
        refresh_records(project)
        fresh = project.cache / "site"
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(fresh)
        said = _build_with_mkdocs(project, fresh)
        if said is not None:
            raise Fault(
                f"MkDocs could not build the site\n{said.rstrip()}",
                mend="correct what its warnings and errors name",
            )
        _replace(site, fresh)
    print(f"Built {site}/", file=sys.stderr)


def serve(project: Project, port: int) -> None:
    """Serve the site on this machine alone, rebuilding on each change."""
    with building(project):
        refresh_records(project)
    address = f"{HOST}:{free_port(port)}"
    print(f"Building the site for http://{address}/ …", file=sys.stderr)
    os.chdir(project.root)
    command = _mkdocs("serve", "--livereload", "--dev-addr", address)
    os.execve(command[0], command, _environment())


def free_port(wanted: int) -> int:
    """Return the first port from ``wanted`` on that nobody listens on."""
    for port in range(wanted, wanted + PORTS_TRIED):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((HOST, port))
                if port != wanted:
                    print(
                        f"Port {wanted} is taken; using {port}.",
                        file=sys.stderr,
                    )
                return port
    raise Fault(
        f"the ports {wanted} to {wanted + PORTS_TRIED - 1} are all taken",
        mend="name a free one: make serve PORT=9000",
    )


def _build_with_mkdocs(project: Project, fresh: Path) -> str | None:
    """Build into ``fresh``; return what MkDocs said if it failed.

    A fork spares the start of another interpreter, which would be a good
    part of what an edit of prose costs.  It holds the lock of the build as
    well: if this process is killed, the next build waits for its end.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as words:
        forked = multiprocessing.get_context("fork").Process(
            target=_run_mkdocs, args=(project.root, fresh, words.fileno())
        )
        forked.start()
        try:
            forked.join()
        finally:
            forked.kill()
        words.seek(0)
        return words.read() if forked.exitcode else None


def _run_mkdocs(root: Path, fresh: Path, words: int) -> None:
    os.dup2(words, 2)
    sys.stderr = io.TextIOWrapper(
        io.FileIO(2, "w", closefd=False), "utf-8", write_through=True
    )
    os.chdir(root)
    os.environ.update(_environment())
    # As `python -m mkdocs` does: hooks and extensions stand in the root.
    sys.path.insert(0, str(root))
    from mkdocs.__main__ import cli

    # Not --quiet, under which --strict would miss warnings.
    cli(["build", "--site-dir", str(fresh), "--strict"], prog_name="mkdocs")


def _mkdocs(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mkdocs", *arguments, "--strict"]


def _environment() -> dict[str, str]:
    # Material's notice of its end of life is no news to this project.
    return {**os.environ, "NO_MKDOCS_2_WARNING": "1"}


def _replace(site: Path, fresh: Path) -> None:
    """Put the fresh site in the place of the old one.

    Linux exchanges the two in one step, so that whoever reads the site
    meanwhile has either the one or the other.  Elsewhere there is none for
    the instant between two renames.
    """
    if not site.exists():
        fresh.rename(site)
        return
    if not exchange(site, fresh):
        before = fresh.with_name("site-before")
        shutil.rmtree(before, ignore_errors=True)
        site.rename(before)
        fresh.rename(site)
        before.rename(fresh)
    shutil.rmtree(fresh)


def exchange(one: Path, other: Path) -> bool:
    """Let two paths change places in one step; return whether they did."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    if rename is None:
        return False
    here, flag = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of linux/fs.h
    names = os.fsencode(one), os.fsencode(other)
    return bool(rename(here, names[0], here, names[1], flag) == 0)
