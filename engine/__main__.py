"""The engine's command line: ``python -m engine build|serve|run|check``.

A command imports what it needs when it is called: that takes long, and may
be interrupted as well.
"""

import argparse
import errno
import io
import os
import signal
import sys
from pathlib import Path

from engine.errors import EngineError, PageError


def main(arguments: list[str] | None = None) -> int:
    """Carry out the command; return 0, or 1 after saying what failed."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # It was closed before; many use it.
            setattr(sys, name, Path(os.devnull).open("r+"))  # noqa: SIM115
    options = _parser().parse_args(arguments)
    root = options.root.resolve()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What the terminal cannot show is to end nothing.
        sys.stdout.reconfigure(errors="backslashreplace")
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        options.command(root, options)
        sys.stdout.flush()
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever reads what is printed has had enough; nothing more is.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except OSError as error:
        print(_disk(error, root), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; nothing was changed.", file=sys.stderr)
        return 1
    finally:
        signal.signal(signal.SIGTERM, before)
    return 0


def number(text: str) -> int:
    """Read a number that is not below zero."""
    if not text.isdecimal():
        raise ValueError(text)
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engine")
    parser.add_argument("--root", type=Path, default=Path())
    commands = parser.add_subparsers(required=True)
    jobs = argparse.ArgumentParser(add_help=False)
    jobs.add_argument(
        "--jobs", type=number, default=0, help="programs side by side"
    )

    command = commands.add_parser("build", parents=[jobs], help="build it")
    command.add_argument("--site", type=Path, help="not site_dir")
    command.add_argument(
        "--force", action="store_true", help="run every page again"
    )
    command.set_defaults(command=_build)

    command = commands.add_parser("serve", parents=[jobs], help="preview it")
    command.add_argument("--port", type=number, default=8000)
    command.set_defaults(command=_serve)

    command = commands.add_parser("run", help="run one page and print")
    command.add_argument("page")
    command.set_defaults(command=_run)

    command = commands.add_parser("check", help="check without running")
    command.set_defaults(command=_check)
    return parser


def _build(root: Path, options: argparse.Namespace) -> None:
    from engine.build.site import build

    site = options.site and root / options.site
    build(root, site, jobs=options.jobs, force=options.force)


def _serve(root: Path, options: argparse.Namespace) -> None:
    from engine.build.preview import preview

    preview(root, options.port, options.jobs)


def _run(root: Path, options: argparse.Namespace) -> None:
    from engine.build.author import run

    run(root, options.page)


def _check(root: Path, options: argparse.Namespace) -> None:
    from engine.build.author import check

    check(root)


def _disk(error: OSError, root: Path) -> PageError:
    """Return what the disk refused, as an error to mend."""
    path = str(error.filename2 or error.filename or "")
    hint = "let the build write to .cache/ and site/, and make room there"
    if error.errno in (errno.EBUSY, errno.EXDEV):
        hint = "let .cache/ and site/ be folders of one disk"
    if error.errno in (errno.ENOENT, errno.ELOOP):
        hint = "put a file there, or remove what leads to it"
    return PageError(
        error.strerror or str(error),
        hint=hint,
        path=path.removeprefix(f"{root}/"),
    )


if __name__ == "__main__":
    sys.exit(main())
