"""The options of the extension, as ``mkdocs.yml`` and MkDocs have them."""

from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig

from engine.build.messages import CONFIG
from engine.errors import PageError

EXTENSION = "engine.extension"


def extension_options(config: MkDocsConfig) -> dict[str, Any]:
    """Return the extension's options, with the folders that MkDocs knows."""
    root = Path(config.config_file_path or "").resolve().parent
    if EXTENSION not in config.markdown_extensions:
        raise PageError(
            f"markdown_extensions: {EXTENSION} is not listed, so no page "
            "would run",
            hint="list it; a list of this file takes the place of one that "
            "it inherits",
            path=CONFIG,
        )
    options: dict[str, Any] = config.mdx_configs.setdefault(EXTENSION, {})
    docs = Path(config.docs_dir)
    if not docs.is_relative_to(root):
        raise PageError(
            f"docs_dir: {docs} is not in this folder",
            hint="move the pages into a folder beside mkdocs.yml",
            path=CONFIG,
        )
    options.update(root=str(root), docs=docs.relative_to(root).as_posix())
    return options
