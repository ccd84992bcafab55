"""What MkDocs needs beyond the Markdown extension.

Pages take their blocks from the extension, under any generator.  The hooks
bring what whole pages yield: the notebooks that mkdocs-jupyter renders, the
files that readers take home, the cards; and they serve the site locally
with the headers that it is to be published with.
"""

import contextlib
import gc
import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemBytecodeCache
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import CombinedEvent, event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import get_toc
from mkdocs.utils import get_relative_url

from engine.cards import write_card
from engine.errors import Fault
from engine.exports import description, title, write_exports
from engine.lean import lean
from engine.project import Project, current_project
from engine.records import engine_digest, ensure_records, write_whole
from engine.served import (
    HEADERS,
    Notebooks,
    look_often,
    with_headers,
    with_notebooks,
)

CHECKBOX = re.compile(
    r'(<input[^>]*type="checkbox"[^>]*?) autocomplete="off">'
)
NOT_WORDS = re.compile(r"<svg.*?</svg>|</?span[^>]*>", re.DOTALL)


serving: list[Notebooks] = []
"""The notebooks of the server, if there is one."""


def on_startup(command: str, dirty: bool) -> None:
    """Look for garbage less often: little of what a build makes is any."""
    gc.set_threshold(50_000)


@event_priority(50)  # before mkdocs-jupyter looks for notebooks
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Run what has to be run; add the notebooks."""
    project = _project(config)
    exports = _exports(config)
    try:
        ensure_records(project)
    except Fault as fault:
        raise PluginError(str(fault)) from None
    shutil.rmtree(exports, ignore_errors=True)
    write_exports(
        project, exports, config.site_url or "", config.use_directory_urls
    )
    for notebooks in serving:
        notebooks.hold_back(exports / "notebooks")
    for notebook in sorted(exports.glob("notebooks/*.ipynb")):
        files.append(
            File(
                f"notebooks/{notebook.name}",
                str(exports),
                config.site_dir,
                config.use_directory_urls,
            )
        )
    return files


def on_env(
    env: Environment, config: MkDocsConfig, files: Files
) -> Environment:
    """Keep the compiled templates: they rarely change, and cost much."""
    folder = _project(config).cache / "templates"
    folder.mkdir(parents=True, exist_ok=True)
    env.bytecode_cache = FileSystemBytecodeCache(str(folder))
    return env


def on_page_markdown(
    markdown: str, page: Page, config: MkDocsConfig, files: Files
) -> str:
    """Tell the theme what it cannot know from the page's text.

    Search and search engines are to find the page, not its notebook.
    """
    if _is_notebook(page):
        page.meta["search"] = {"exclude": True}
        page.meta["description"] = f"{page.title}, as an executed notebook."
        page.canonical_url = f"{config.site_url}{_source_address(page)}"
        return markdown
    slug = page.file.src_uri.removesuffix(".md")
    beside = (_exports(config) / slug).glob("*")
    page.meta["files"] = sorted({path.name for path in beside} - {"index.md"})
    return markdown


def on_page_content(
    html: str, page: Page, config: MkDocsConfig, files: Files
) -> str:
    """Show a notebook as the site does, and list the headings it has."""
    if not _is_notebook(page):
        return html
    view = _view(page, _project(config).cache / "views", html)
    page.toc = get_toc(view["contents"])
    return str(view["html"])


@event_priority(50)  # before the search takes the words of the page
def _leave_the_words(
    context: dict[str, Any], page: Page, config: MkDocsConfig, nav: Any
) -> dict[str, Any]:
    """Hide drawings and colours: the search would read them for long."""
    context["all_content"] = page.content
    page.content = NOT_WORDS.sub("", page.content or "")
    return context


@event_priority(-50)  # after the search
def _bring_all_back(
    context: dict[str, Any], page: Page, config: MkDocsConfig, nav: Any
) -> dict[str, Any]:
    page.content = context.pop("all_content")
    return context


on_page_context = CombinedEvent(_leave_the_words, _bring_all_back)


def on_post_template(
    output_content: str, template_name: str, config: MkDocsConfig
) -> str:
    """Mend the page for addresses that do not exist like all others."""
    return CHECKBOX.sub(r"\1>", output_content)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Mend what neither a template nor an option lets a project change."""
    # Browsers take no autocomplete on a checkbox, and validators object.
    return CHECKBOX.sub(r"\1>", output)


def on_post_build(config: MkDocsConfig) -> None:
    """Put what readers take home, and the cards, into the site."""
    site = Path(config.site_dir)
    project = _project(config)
    shutil.copytree(
        _exports(config),
        site,
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("notebooks"),
    )
    for path in (site / "assets/explorer").glob("*.[jc]s*"):
        # One module holds a program in Python, where indentation counts.
        text = lean(path.read_text("utf-8"), path.name == "program.js")
        path.write_text(text, encoding="utf-8")
    cards = project.cache / "cards"
    for page in project.pages:
        slug = project.slug(page)
        write_card(cards / f"{slug}.png", title(page), description(page))
        target = site / "assets/cards" / f"{slug}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(cards / f"{slug}.png", target)
    lines = [f"  {name}: {value}\n" for name, value in HEADERS.items()]
    (site / "_headers").write_text("/*\n" + "".join(lines))


def on_serve(server: Any, config: MkDocsConfig, builder: Any) -> Any:
    """Serve with the headers, and show an edit as soon as can be."""
    folder = _project(config).cache / "looked_at"
    folder.mkdir(parents=True, exist_ok=True)
    notebooks = Notebooks(folder / "notebook")
    notebooks.hold_back(_exports(config) / "notebooks")
    serving[:] = [notebooks]
    look_often(server, [config.docs_dir, config.config_file_path or ""])
    server.watch(str(folder))
    server.set_app(with_headers(with_notebooks(server.get_app(), notebooks)))
    return server


def _is_notebook(page: Page) -> bool:
    return page.file.src_uri.startswith("notebooks/")


def _view(page: Page, views: Path, html: str) -> dict[str, Any]:
    """Return what the site shows of a notebook, kept from build to build.

    Reading the HTML takes longer than all else that is done to a page.
    """
    path = views / f"{Path(page.file.src_uri).stem}.json"
    key = hashlib.sha256((engine_digest() + html).encode()).hexdigest()
    with contextlib.suppress(OSError, ValueError, KeyError):
        kept: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if kept["key"] == key:
            return kept
    from engine.notebook_view import tidy

    address = get_relative_url(_source_address(page), page.url)
    made = {"key": key, **tidy(html, address)._asdict()}
    write_whole(path, json.dumps(made))
    return made


def _source_address(page: Page) -> str:
    """Return the address of the page that a notebook was made from."""
    return page.url.removeprefix("notebooks/")


def _project(config: MkDocsConfig) -> Project:
    return current_project(
        Path(config.config_file_path or "").parent.resolve()
    )


def _exports(config: MkDocsConfig) -> Path:
    return _project(config).cache / "exports"
