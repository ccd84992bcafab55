"""Build the whole site with MkDocs."""

import contextlib
import gc
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mkdocs.commands.build import build as build_with_mkdocs
from mkdocs.config import load_config
from mkdocs.config.config_options import Hooks
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import Abort, ConfigurationError
from mkdocs.plugins import EVENTS

from engine.build.faults import Checked, Following
from engine.build.messages import (
    CONFIG,
    ENGINE,
    errors_of,
    in_config,
    line_of,
    page_that_failed,
    placed,
)
from engine.build.notebooks import templates_kept
from engine.build.options import extension_options
from engine.build.place import replace, require_room
from engine.build.plugin import EnginePlugin
from engine.errors import PageError, PageErrors, Superseded, raise_all
from engine.extension import settings_of
from engine.project import Project
from engine.read.snippets import did_you_mean


def build(
    root: Path, site: Path | None, *, jobs: int = 0, force: bool = False
) -> None:
    """Build into ``site``, which stays as it was if anything fails.

    If it is not said, it is the ``site_dir`` of the configuration.
    """
    with opened(root) as config:
        project = project_in(config, jobs, force)
        site = (site or Path(config.site_dir)).resolve()
        require_room(site, project)
        with project.lock.held():
            fresh = project.cache / "site"
            shutil.rmtree(fresh, ignore_errors=True)
            try:
                build_into(fresh, config, project)
            finally:
                project.close()
            replace(site, fresh)
    print(f"Built {site}/", file=sys.stderr)


def build_into(
    folder: Path,
    config: MkDocsConfig,
    project: Project,
    serve_url: str | None = None,
    build: Callable[[MkDocsConfig], None] | None = None,
) -> None:
    """Build into an empty folder; raise EngineError for all that is wrong.

    ``build`` may do less than all that MkDocs does in a build.
    """
    config.site_dir = str(folder)
    # Little of what a build makes is garbage.
    before = gc.get_threshold()
    gc.set_threshold(50_000)
    ended: BaseException | None = None
    try:
        with (
            warnings_kept() as warnings,
            templates_kept(config, project.cache),
        ):
            config.plugins.on_startup(
                command="serve" if serve_url else "build", dirty=False
            )
            try:
                if build:
                    build(config)
                else:
                    build_with_mkdocs(config, serve_url=serve_url)
            finally:
                config.plugins.on_shutdown()
    except (Exception, SystemExit) as error:
        ended = _cause(error)
    finally:
        gc.set_threshold(*before)
    errors = errors_of(warnings, project)
    wrong = ended.wrong if isinstance(ended, Checked) else ended
    match wrong:
        case PageError():
            errors.append(wrong)
        case Following() if errors:
            pass
        case PageErrors(errors=several):
            errors += several
        case Superseded():
            raise wrong
    if isinstance(ended, Checked):
        raise Checked(ended.pages, PageErrors(errors))
    raise_all(errors)
    if ended:
        page = page_that_failed(warnings, project)
        raise placed(ended, project.root, page) from ended


def _cause(error: BaseException) -> BaseException:
    """Return what of the engine's own is behind an error of MkDocs."""
    if isinstance(error, Abort):
        error = error.__context__ or error
    return error.__cause__ or error


@contextlib.contextmanager
def opened(root: Path) -> Iterator[MkDocsConfig]:
    """Give the site's configuration, its modules ready to be imported."""
    # Material's notice of its end of life is no news to a project.
    os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")
    with importing(root):
        yield _load(root)


@contextlib.contextmanager
def importing(root: Path) -> Iterator[None]:
    """Have the site's own modules ready to be imported."""
    paths, modules = list(sys.path), set(sys.modules)
    sys.path.insert(0, str(root))
    try:
        yield
    finally:
        sys.path[:] = paths
        # Another site may have modules of the same names, and an edit of one
        # is to be seen while the site is served.
        Hooks._load_hook.cache_clear()
        # Those that a build has shut down are not to be started again.
        option: Any = MkDocsConfig.plugins
        option.plugin_cache.clear()
        for name in sys.modules.keys() - modules:
            if _is_of(root, name):
                del sys.modules[name]


def project_in(
    config: MkDocsConfig, jobs: int = 0, force: bool = False
) -> Project:
    """Return a project of its own for the configuration's extension."""
    options = extension_options(config)
    project = Project(
        Path(options["root"]), settings_of(options), jobs=jobs, force=force
    )
    options["project"] = project
    if not any(name.endswith("build/hooks.py") for name in config.hooks):
        # As MkDocs adds hooks: some plugins ask to be the last but for these.
        plugin: Any = EnginePlugin()
        config.plugins["engine"] = plugin
        config["hooks"] = {**dict[str, Any](config["hooks"]), "engine": plugin}
    return project


def own_modules(root: Path) -> list[Path]:
    """Return the files of the site's own hooks, extensions and checks."""
    names = [name for name in [*sys.modules] if _is_of(root, name)]
    return [Path(str(sys.modules[name].__file__)) for name in names]


def _is_of(root: Path, name: str) -> bool:
    """Return whether a module is the site's own, not the engine's."""
    package = root / name.partition(".")[0]
    file = Path(getattr(sys.modules[name], "__file__", None) or "")
    own = file == package.with_suffix(".py") or file.is_relative_to(package)
    return own and not file.is_relative_to(ENGINE)


def _load(root: Path) -> MkDocsConfig:
    file = root / CONFIG
    if not file.exists():
        raise PageError(
            "there is no such file",
            hint="write one; it is to have this name, and to be in the folder "
            "that --root names",
            path=CONFIG,
        )
    problem = ""
    with warnings_kept() as warnings:
        try:
            config = load_config(str(file), strict=False)
        except ConfigurationError as error:
            problem = str(error)
        except Abort:
            pass  # it has said why
        except Exception as error:
            raise _misspelt(error, root) or placed(error, root) from error
    said = [record.getMessage() for record in warnings]
    raise_all([in_config(root, text) for text in [*said, problem] if text])
    return config


def _misspelt(error: Exception, root: Path) -> PageError | None:
    """Return the error for a hook of an event that MkDocs does not have."""
    event = f"on_{error.args[0]}" if isinstance(error, KeyError) else None
    for file in own_modules(root) if event else ():
        if line := line_of(file, f"{event}"):
            known = [f"on_{name}" for name in EVENTS]
            return PageError(
                f"MkDocs has no event {event}",
                hint=f"{did_you_mean(f'{event}', known)}call it by one that "
                "it has",
                path=file.relative_to(root),
                line=line,
            )
    return None


@contextlib.contextmanager
def warnings_kept() -> Iterator[list[logging.LogRecord]]:
    """Keep what MkDocs and its plugins warn of, in place of printing it."""
    kept = _Kept()
    logger = logging.getLogger("mkdocs")
    before = logger.handlers, logger.propagate, logger.level
    logger.handlers, logger.propagate = [kept], False
    logger.setLevel(logging.WARNING)
    try:
        yield kept.records
    finally:
        logger.handlers, logger.propagate = before[:2]
        logger.setLevel(before[2])


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
