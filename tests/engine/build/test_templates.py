"""A theme's templates are found as MkDocs finds them, in less time."""

from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.theme import Theme

from engine.build.templates import compiled_templates, spare_templates

ICON = ".icons/material/abacus.svg"


def files_of(theme: Theme) -> list[tuple[str, str | None]]:
    """Return the theme's files that a site is given, and where they are."""
    config = MkDocsConfig()
    config.load_dict({"site_name": "X", "theme": {"name": "mkdocs"}})
    config.validate()
    config.theme = theme
    files = Files([])
    files.add_files_from_theme(theme.get_env(), config)
    return [(file.src_uri, file.abs_src_path) for file in files]


@pytest.mark.parametrize("name", ["material", "mkdocs", "readthedocs", None])
def test_a_site_is_given_the_same_files(
    tmp_path: Path, name: str | None
) -> None:
    own = tmp_path / "own"
    for path in (
        "assets/é.css",
        "assets/.hidden/a.css",
        "assets/.a.css",
        ".b/c.css",
        "css/theme.css",
        "d.e/f.js",
        "g/main.html",
    ):
        (own / path).parent.mkdir(parents=True, exist_ok=True)
        (own / path).write_text("/* own */", encoding="utf-8")
    theme = Theme(name=name, custom_dir=str(own))
    expected = files_of(theme)
    spare_templates(theme, tmp_path)
    assert files_of(theme) == expected
    assert ("d.e/f.js", str(own / "d.e/f.js")) in expected


def test_what_is_hidden_can_be_shown_still(tmp_path: Path) -> None:
    theme = Theme(name="material")
    spare_templates(theme, tmp_path)
    env = theme.get_env()
    assert ICON not in env.list_templates()
    assert "<svg" in env.get_template(ICON).render()


def test_what_is_compiled_is_kept_in_a_folder(tmp_path: Path) -> None:
    for _ in range(2):
        kept = compiled_templates(tmp_path / "cache")
        env = Environment(loader=DictLoader({"a": "b"}), bytecode_cache=kept)
        assert env.get_template("a").render() == "b"
    assert len([*(tmp_path / "cache/templates").iterdir()]) == 1
