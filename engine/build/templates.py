"""A theme's templates: kept compiled, and listed without what is hidden."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader
from mkdocs.theme import Theme

from engine.errors import not_encoded


def spare_templates(theme: Theme, cache: Path) -> None:
    """Have the theme's environments do nothing twice, and nothing in vain."""

    def get_env() -> Environment:
        env = type(theme).get_env(theme)
        env.bytecode_cache = compiled_templates(cache)
        if type(env.loader) is FileSystemLoader:
            env.loader = _Loader(env.loader.searchpath, cache.parent)
        return env

    vars(theme)["get_env"] = get_env


def compiled_templates(cache: Path) -> FileSystemBytecodeCache:
    """Return where templates are kept: they rarely change, and cost much."""
    folder = cache / "templates"
    folder.mkdir(parents=True, exist_ok=True)
    return FileSystemBytecodeCache(str(folder))


class _Loader(FileSystemLoader):
    """Names what it cannot read, and lists no hidden folder.

    MkDocs leaves these out when it has the list; Material has some fourteen
    thousand icons in one.
    """

    def __init__(self, folders: Sequence[str], root: Path) -> None:
        super().__init__(folders)
        self._root = root

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        """Return the template's text, its file, and whether that is new."""
        try:
            return super().get_source(environment, template)
        except UnicodeDecodeError as error:
            files = (Path(path, template) for path in self.searchpath)
            file = next(path for path in files if path.is_file())
            path = os.path.relpath(file, self._root)
            raise not_encoded(error, path) from None

    def list_templates(self) -> list[str]:
        found: set[str] = set()
        for path in self.searchpath:
            for folder, folders, files in os.walk(path):
                folders[:] = [name for name in folders if name[0] != "."]
                below = Path(folder).relative_to(path)
                found.update((below / name).as_posix() for name in files)
        return sorted(found)
