"""Put what readers take home into the site, and links to it on the pages."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import quote, urljoin

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url

from engine.build.headers import HEADERS
from engine.build.kept import digest, kept
from engine.build.rendered import RenderedPage
from engine.errors import PageError
from engine.project import Project

LINK = r"site-{}:/([^\s)>\"\\]*)"
"""A link of the site, by a name that nothing else on its page has."""
ABSOLUTE = re.compile(r"[a-zA-Z][\w+.-]*:|//")

FULL = "llms-full.txt"


class TakeHome:
    """What readers take home of the pages of one build."""

    def __init__(self, project: Project, config: MkDocsConfig) -> None:
        self.project = project
        self.config = config
        self.twins: dict[str, str] = {}
        """The plain-text twin of each page, by the page's address."""

    def announce(self, rendered: RenderedPage, view: str | None) -> None:
        """Tell the theme what can be taken home of the page."""
        slug, url = _slug(rendered), rendered.page.url
        links = [("Notebook", f"{slug}.ipynb"), ("Script", f"{slug}.py")]
        links += [(f, f"{slug}/{f}") for f in sorted(rendered.program.files)]
        links.append(("Plain text", _twin(rendered)))
        found = [
            {
                "label": label,
                "href": get_relative_url(quote(path), url),
                "download": label != "Plain text",
            }
            for label, path in links
        ]
        on_github = self.config.extra.get("notebooks_on_github")
        if on_github:
            colab = "https://colab.research.google.com/github"
            href = f"{colab}/{on_github}/{quote(slug)}.ipynb"
            found.append({"label": "Open in Colab", "href": href})
        if view:
            href = get_relative_url(view, url)
            found.append({"label": "Notebook view", "href": href})
        rendered.page.meta["take_home"] = found

    def view(self, rendered: RenderedPage, page: Page) -> str:
        """Return the notebook as the site shows it, with its links."""

        def link(target: str) -> str:
            here = target == rendered.page.url
            return "" if here else get_relative_url(target, page.url)

        return self._linked(self._made(rendered), "notebook", link)

    def write(self, pages: list[RenderedPage]) -> None:
        """Write everything; raise PageError rather than overwrite a file."""
        site = self.config.site_url or ""
        short = f"# {_in_line(self.config.site_name)}\n\n"
        if about := self.config.site_description:
            short += f"{_in_line(about)}\n\n"
        full = ""
        self.twins = {page.page.url: _twin(page) for page in pages}
        for page in pages:
            made, twin = self._made(page), _twin(page)
            text = self._linked(made, "text", partial(self._to_twin, twin))
            self._write(twin, text, page)
            address = urljoin(site, quote(twin))
            about = _in_line(page.page.meta.get("description") or "")
            short += f"- [{_in_line(page.heading)}]({address}): {about}\n"
            if page.filled:
                link = partial(self._to_twin, FULL)
                full += self._linked(made, "text", link) + "\n"
                self._write_program(page, made)
        self._write("llms.txt", short)
        self._write(FULL, full)
        lines = [f"  {key}: {value}\n" for key, value in HEADERS.items()]
        self._write("_headers", "/*\n" + "".join(lines))

    def _write_program(self, page: RenderedPage, made: dict[str, str]) -> None:
        slug = _slug(page)
        self._write(f"{slug}.py", made["script"], page)
        for name, contents in page.program.files.items():
            self._write(f"{slug}/{name}", contents, page)
        site = self.config.site_url

        def link(target: str) -> str:
            if site:
                return urljoin(site, target)
            return get_relative_url(target, quote(f"{slug}.ipynb"))

        notebook = self._linked(made, "notebook", link)
        self._write(f"{slug}.ipynb", notebook, page)

    def _made(self, rendered: RenderedPage) -> dict[str, str]:
        """Return what is made of the page, kept from build to build."""
        html = rendered.shown.bare
        record = rendered.filled.record if rendered.filled else None
        key = digest(rendered.page.url, rendered.heading, html, record)
        uri = rendered.page.file.dest_uri
        path = self.project.cache / "taken" / f"{uri}.json"
        return kept(path, key, lambda: _make(rendered, html, key))

    def _linked(
        self, made: dict[str, str], kind: str, link: Callable[[str], str]
    ) -> str:
        """Return the text with each link of the site as ``link`` has it."""

        def place(match: re.Match[str]) -> str:
            target, hash_, fragment = match[1].partition("#")
            return f"{link(target)}{hash_}{fragment}"

        return re.sub(LINK.format(made["key"]), place, made[kind])

    def _to_twin(self, twin: str, target: str) -> str:
        goal = self.twins.get(target)
        if goal == twin:
            return ""
        return get_relative_url(quote(goal) if goal else target, quote(twin))

    def _write(
        self, name: str, text: str, page: RenderedPage | None = None
    ) -> None:
        path = Path(self.config.site_dir) / name
        if path.exists():
            if page is None:
                return  # the author has written it
            raise PageError(
                f"what readers take home would overwrite {name}, which the "
                "site has already",
                hint="give the page or that file another name",
                path=page.read.path,
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _make(rendered: RenderedPage, html: str, key: str) -> dict[str, str]:
    from engine.take.notebook import notebook  # with bs4 and nbformat, slow
    from engine.take.page import Taken
    from engine.take.text import plain_text, script_text
    from engine.take.walk import walk

    url = rendered.page.url

    def link(href: str) -> str:
        if ABSOLUTE.match(href):
            return href
        return f"site-{key}:{urljoin(f'/{url}', href)}"

    record = rendered.filled.record if rendered.filled else None
    taken = Taken(
        title=rendered.heading,
        versions=record.stamp if record else {},
        pieces=walk(html, link),
        blocks=rendered.program.blocks,
        results=record.blocks if record else [],
    )
    made = {"text": plain_text(taken)}
    if record:
        made |= {"notebook": notebook(taken), "script": script_text(taken)}
    return made


def _slug(rendered: RenderedPage) -> str:
    """Return the page's file below the folder in which it is shown.

    That may be another one than it is in, as for each language.
    """
    file = PurePosixPath(rendered.src_uri)
    shown = PurePosixPath(rendered.page.file.dest_uri)
    is_index = file.stem in ("index", "README")
    if shown.name == "index.html" and not is_index:
        shown = shown.parent
    return (shown.parent / file.stem).as_posix()


def _twin(rendered: RenderedPage) -> str:
    uri = str(rendered.page.file.dest_uri)
    return PurePosixPath(uri).with_suffix(".md").as_posix()


def _in_line(text: object) -> str:
    """Return the text for a line of Markdown, in which it links nowhere."""
    return re.sub(r"([\[\]\\])", r"\\\1", " ".join(str(text).split()))
