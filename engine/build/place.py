"""Put a site where the last one was, and nothing else's."""

import ctypes
import os
import shutil
from pathlib import Path

from engine.errors import PageError
from engine.project import Project

MADE = ("llms.txt", "sitemap.xml")
"""Files by which a site is known, whoever has built it."""


def require_room(site: Path, project: Project) -> None:
    """Raise PageError if a site there would take the place of other files."""
    own = (project.docs, project.snippets.folder, project.cache)
    sources = [(project.root / folder).resolve() for folder in own]
    holds = any(path.is_relative_to(site) for path in sources)
    made = any((site / name).exists() for name in MADE)
    free = not site.exists() or (site.is_dir() and not os.listdir(site))
    if holds or not (made or free) or {*site.parents} & {*sources}:
        raise PageError(
            f"a site in {site} would take the place of files that no build "
            "has made",
            hint="name an empty folder, or one that holds a site: "
            "--site public",
        )


def replace(site: Path, fresh: Path) -> None:
    """Put the fresh site in the place of the old one.

    Linux exchanges the two in one step, so that whoever reads the site
    meanwhile has either the one or the other.  Elsewhere there is none for
    the instant between two renames.
    """
    if not site.exists():
        site.parent.mkdir(parents=True, exist_ok=True)
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
