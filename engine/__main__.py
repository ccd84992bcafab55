"""The engine's command line: ``python -m engine build|serve|run|check``."""

import argparse
import signal
import sys
from pathlib import Path

from engine.blocks import Block
from engine.child import BlockRun
from engine.errors import Fault
from engine.project import Project
from engine.runner import run_page
from engine.site import build, serve


def main(arguments: list[str] | None = None) -> int:
    """Carry out the command; return 0, or 1 after saying what failed."""
    options = _parser().parse_args(arguments)
    project = Project(options.root.resolve())
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        options.command(project, options)
    except Fault as fault:
        print(fault, file=sys.stderr)
        return 1
    except OSError as error:
        print(_disk(error, project.root), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; nothing was changed.", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engine")
    parser.add_argument("--root", type=Path, default=Path())
    commands = parser.add_subparsers(required=True)

    command = commands.add_parser("build", help="build into site/")
    command.add_argument("--site", type=Path, default=Path("site"))
    command.set_defaults(command=_build)

    command = commands.add_parser("serve", help="serve with live reload")
    command.add_argument("--port", type=int, default=8000)
    command.set_defaults(command=lambda p, o: serve(p, o.port))

    command = commands.add_parser("run", help="run one page and print")
    command.add_argument("page")
    command.set_defaults(command=_run)

    command = commands.add_parser("check", help="check without running")
    command.set_defaults(command=_check)
    return parser


def _disk(error: OSError, root: Path) -> Fault:
    """Return what the disk refused, as a fault to mend."""
    path = str(error.filename or "").removeprefix(f"{root}/")
    return Fault(
        error.strerror or str(error),
        mend="let the build write to .cache/ and site/, and make room there",
        path=path,
    )


def _build(project: Project, options: argparse.Namespace) -> None:
    build(project, project.root / options.site)


def _run(project: Project, options: argparse.Namespace) -> None:
    page = project.page(options.page)
    for step, run in zip(
        page.steps, run_page(project.root, page), strict=True
    ):
        if not isinstance(step, Block) or not isinstance(run, BlockRun):
            continue
        shown = "command" if step.is_command else step.section.reference
        print(f"── {shown} ({page.path}:{step.line})")
        print(run.output.decode("utf-8"), end="")
        if run.failure:
            print(run.failure.message)
        if run.figures:
            print("[a figure]")


def _check(project: Project, options: argparse.Namespace) -> None:
    blocks = sum(len(page.blocks) for page in project.pages)
    print(f"{len(project.pages)} pages, {blocks} blocks: all can be read")


if __name__ == "__main__":
    sys.exit(main())
