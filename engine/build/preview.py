"""Serve the site while it is written.

The view of a notebook takes as long to make as all the rest of a build.  So
an edit leaves the view as it was; whoever looks at it has it made.
"""

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mkdocs.config.defaults import MkDocsConfig

from engine.build.options import extension_options
from engine.build.reads import Stamps, reads, stamps
from engine.build.serve import HOST, listen, serve
from engine.build.site import (
    build_into,
    importing,
    opened,
    own_modules,
    project_in,
    warnings_kept,
)
from engine.errors import EngineError, Superseded
from engine.live.app import Live
from engine.live.sessions import Sessions
from engine.project import Project

NOTEBOOK = re.compile(r"/(notebooks/.+?)(?:/|\.html)?$")


class LateNotebooks:
    """The notebooks as they are shown, and those that have changed since."""

    def __init__(self, asked: Path) -> None:
        """Touch the file ``asked`` to have the site built again."""
        self.asked = asked
        self.shown: dict[str, str] = {}
        self.late: set[str] = set()
        self.wanted: set[str] = set()

    def held(self, uri: str, notebook: str) -> str:
        """Return the notebook, or what is shown until somebody asks."""
        shown = self.shown.setdefault(uri, notebook)
        if notebook == shown or uri in self.wanted:
            self.shown[uri] = notebook
            self.late.discard(uri)
            self.wanted.discard(uri)
            return notebook
        self.late.add(uri)
        return shown

    def look_at(self, address: str) -> None:
        """Ask for the notebook at the address, if it is late."""
        match = NOTEBOOK.search(unquote(address))
        uri = f"{match[1]}.ipynb" if match else ""
        if uri in self.late - self.wanted:
            self.wanted.add(uri)
            self.asked.touch()


class Preview:
    """Builds the site again and again, with the same workers."""

    def __init__(self, root: Path, jobs: int) -> None:
        self.root = root
        self.jobs = jobs
        self.project: Project | None = None
        self.watched: list[Path] = [root / "mkdocs.yml"]
        self.url = ""
        asked = root / ".cache/preview/asked"
        asked.parent.mkdir(parents=True, exist_ok=True)
        asked.touch()
        self.notebooks = LateNotebooks(asked)
        self.sessions = Sessions(os.cpu_count() or 1)
        self.stamps: Stamps = {}
        self.read: set[Path] = set()
        """What builds have read, wherever it is."""

    def glance(self, folder: Path) -> bool:
        """Make the page that was edited, if nothing else was; or return False.

        It is the same page as in a whole build, which follows and says what
        is wrong with this page or with others.
        """
        now = self.look()
        edited = {path for path, _ in self.stamps.items() ^ now.items()}
        if self.project is None or len(edited) != 1:
            return False
        make, docs = self.project.make_again, self.root / self.project.docs
        path = edited.pop()
        if make is None or not path.is_relative_to(docs):
            return False
        with importing(self.root), warnings_kept() as warnings:
            try:
                made = make(path.relative_to(docs).as_posix())
            except (Exception, SystemExit):
                return False
        return made and not warnings

    def build(
        self, folder: Path, is_superseded: Callable[[], bool] = lambda: False
    ) -> None:
        """Build into the folder; raise EngineError.

        Once it is superseded, it ends, and nothing is other than before.
        """
        with reads(self.root, self.read), opened(self.root) as config:
            project = self._project(config)
            before = self.stamps, {**vars(project)}
            project.is_superseded = is_superseded
            self.watched = self.to_watch(config, project)
            self.stamps = self.look()
            config.site_url = self.url
            try:
                with project.lock.held():
                    build_into(folder, config, project, self.url)
            except Superseded:
                self.stamps = before[0]
                vars(project).update(before[1])
                raise
            self.sessions.update(project.programs, project.workers)

    def look(self) -> Stamps:
        """Return when what is watched has changed."""
        return {p: at for top in self.watched for p, at in stamps(top).items()}

    def close(self) -> None:
        """End all that runs."""
        self.sessions.close()
        self._close_project()

    def _close_project(self) -> None:
        if self.project:
            self.project.close()

    def _project(self, config: MkDocsConfig) -> Project:
        fresh = project_in(config, self.jobs)
        if self.project is None or self.project.settings != fresh.settings:
            self._close_project()
            self.project = fresh
            self.project.late_notebooks = self.notebooks.held
            self.project.lock.waits = True
        extension_options(config)["project"] = self.project
        return self.project

    def to_watch(self, config: MkDocsConfig, project: Project) -> list[Path]:
        """Return whose changes are to lead to another build."""
        folders: Iterable[str | None] = [
            config.docs_dir,
            config.config_file_path,
            config.theme.custom_dir,
            *config.watch,
        ]
        snippets = self.root / project.settings.snippets
        found = [Path(folder) for folder in folders if folder]
        own = own_modules(self.root)
        return [*found, *own, snippets, self.notebooks.asked]

    def to_follow(self) -> list[Path]:
        """Return what is watched, and what is read and not within it."""
        read = [
            path
            for path in sorted(self.read)
            if not any(path.is_relative_to(top) for top in self.watched)
        ]
        return [*self.watched, *read]


def preview(root: Path, port: int, jobs: int = 0) -> None:
    """Serve the site on this machine alone, rebuilding on each change."""
    builds = Preview(root, jobs)
    mount = "/"
    try:
        with opened(root) as config:
            mount = urlsplit(config.site_url or "/").path
            # Else an edit during the first build would not be seen.
            builds.watched = builds.to_watch(config, project_in(config))
    except EngineError:
        pass  # the first build says it
    at = listen(port)
    port = at.getsockname()[1]
    builds.url = f"http://{HOST}:{port}{mount}"
    live = Live(f"{HOST}:{port}", mount, builds.sessions)
    try:
        serve(
            builds.build,
            root / f".cache/preview/{port}",
            at,
            builds.to_follow,
            mount,
            builds.notebooks.look_at,
            live.around,
            builds.glance,
        )
    finally:
        builds.close()
