"""A theme's templates: kept compiled, and listed without what is hidden."""

import os
from pathlib import Path

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader
from mkdocs.theme import Theme


def spare_templates(theme: Theme, cache: Path) -> None:
    """Have the theme's environments do nothing twice, and nothing in vain."""

    def get_env() -> Environment:
        env = type(theme).get_env(theme)
        env.bytecode_cache = compiled_templates(cache)
        if type(env.loader) is FileSystemLoader:
            env.loader = _WithoutHidden(env.loader.searchpath)
        return env

    vars(theme)["get_env"] = get_env


def compiled_templates(cache: Path) -> FileSystemBytecodeCache:
    """Return where templates are kept: they rarely change, and cost much."""
    folder = cache / "templates"
    folder.mkdir(parents=True, exist_ok=True)
    return FileSystemBytecodeCache(str(folder))


class _WithoutHidden(FileSystemLoader):
    """Lists no hidden folder, which MkDocs leaves out when it has the list.

    Material has some fourteen thousand icons in one.
    """

    def list_templates(self) -> list[str]:
        found: set[str] = set()
        for path in self.searchpath:
            for folder, folders, files in os.walk(path):
                folders[:] = [name for name in folders if name[0] != "."]
                below = Path(folder).relative_to(path)
                found.update((below / name).as_posix() for name in files)
        return sorted(found)
