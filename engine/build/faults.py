"""What MkDocs lets pass, and readers would stumble over."""

import html
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote, urljoin, urlsplit

import yaml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files, InclusionLevel
from mkdocs.structure.pages import Page
from mkdocs.utils.meta import YAML_RE

from engine.build.messages import CONFIG, place_of
from engine.build.rendered import RenderedPage
from engine.errors import EngineError, PageError, PageErrors
from engine.read.values import OPEN

EMPTY = re.compile(r"---[ \t]*\n(---|\.\.\.)[ \t]*\n")
PREFORMATTED = re.compile(r"(?s)<pre\b.*?</pre>")
TAG = re.compile(r"<[^>]*>")
ADDRESS = re.compile(r'[ \n](?:href|src)="([^"#][^"]*)"')
BEFORE = "\"'(/[< "
"""What stands before an address, in a page or in the settings."""
Written = dict[str, tuple[Page, str]]
"""Pages by their files, each with its text in the site."""


class Checked(EngineError):
    """Ends a build in which nothing is to be written, with what was read."""

    def __init__(self, pages: list[RenderedPage], wrong: PageErrors) -> None:
        super().__init__("nothing was to be written")
        self.pages = pages
        self.wrong = wrong


class Following(PageErrors):
    """What may follow from something that MkDocs has warned of."""


def another_kind(item: object, kind: type, event: str) -> Iterator[PageError]:
    """Yield an error for what another plugin leaves, if it is no such."""
    if not isinstance(item, kind):
        yield PageError(
            f"a plugin or hook returns {item!r} from {event}",
            hint="let it return what it is given, or a copy that it changed",
            path=CONFIG,
        )


def unread_front_matter(text: str, path: Path) -> Iterator[PageError]:
    """Yield an error for front matter that MkDocs shows as text."""
    if EMPTY.match(text):
        yield PageError(
            "the front matter is empty, so it is shown as text",
            hint="write a value into it, or remove both of its lines",
            path=path,
            line=1,
        )
    if not (found := YAML_RE.match(text)):
        return
    try:
        yaml.safe_load(found[1])
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        yield PageError(
            f"the front matter cannot be read: {error.problem}",
            hint="put a value that has a colon, or begins with a mark, "
            "between quotes",
            path=path,
            line=mark.line + 2 if mark else None,
        )


def unfilled_values(page: Page, path: Path, root: Path) -> Iterator[PageError]:
    """Yield an error for a value of which nothing but text is made."""
    for text in (page.title, page.meta.get("description")):
        _, brace, expression = str(text).partition(OPEN)
        if not brace:
            continue
        named, line = place_of(brace + expression, root, path)
        yield PageError(
            f"a value cannot stand in a title or description: {text}",
            hint="let the page's first heading have it, and leave the "
            "title out",
            path=named,
            line=line,
        )


def at_one_address(files: Files, docs: Path) -> Iterator[PageError]:
    """Yield an error for each file in whose place another is written."""
    written: dict[str, str] = {}
    for file in files:
        if file.inclusion.value <= InclusionLevel.DRAFT.value:
            continue
        other = written.setdefault(file.dest_uri, file.src_uri)
        if other != file.src_uri:
            yield PageError(
                f"{other} is written to {file.dest_uri} as well",
                hint="give one of the two another name",
                path=docs / file.src_uri,
            )


def written(
    files: Files,
    pages: Mapping[str, RenderedPage],
    late: Collection[str],
    config: MkDocsConfig,
) -> Written:
    """Return the pages by their files, each with what the site has of it.

    What is late shows an earlier state, and may lead to where a page was.
    """
    listed = {f.src_uri: f.page for f in files.documentation_pages() if f.page}
    rendered = {uri: page.page for uri, page in pages.items()}
    found: Written = {}
    for uri, page in (listed | rendered).items():
        if uri in late:
            continue
        file = Path(config.site_dir, page.file.dest_uri)
        # A plugin may have left it out.
        found[uri] = page, file.read_text("utf-8") if file.exists() else ""
    return found


def lost(
    pages: Mapping[str, RenderedPage], written: Written
) -> Iterator[PageError]:
    """Yield an error for each page that is not written once as it is shown.

    Others may add to it: what readers take home is all the same of it.
    """
    for uri, page in pages.items():
        done = page.filled and _done(page.shown.html, written[uri][1])
        if done:
            yield PageError(
                f"a plugin, hook or template {done}",
                hint="change a page in on_page_markdown or on_page_content, "
                "and let its template show all of page.content, once",
                path=page.read.path,
            )


def dead_links(
    written: Written, docs: Path, config: MkDocsConfig
) -> Iterator[PageError]:
    """Yield an error for each address to which pages link in vain.

    What MkDocs warns of has ended the build before: left are links in HTML,
    in templates, and to what is excluded.
    """
    site, seen = Path(config.site_dir), set[str]()
    mount = f"{urlsplit(config.site_url or '').path.rstrip('/')}/"
    for page, text in written.values():
        here = f"//site{mount}{quote(page.file.dest_uri)}"
        for link in _addresses(text):
            address = urlsplit(urljoin(here, link))
            below = address.path.removeprefix(mount)
            is_ours = address.netloc == "site" and not address.scheme
            if not is_ours or below == address.path or below in seen:
                continue
            target = site / unquote(below)
            if not (target.is_file() or (target / "index.html").is_file()):
                # Themes link to the home page, even if there is none.
                if not _has(text if below else page.content or "", link):
                    continue
                yield _dead_link(docs / page.file.src_uri, link, config)
            seen.add(below)


def _addresses(markup: str) -> dict[str, None]:
    """Return what looks like an address in it."""
    return dict.fromkeys(map(html.unescape, ADDRESS.findall(markup)))


def _has(markup: str, link: str) -> bool:
    """Return whether it has the link, and not in a comment or a script."""
    if link not in _addresses(markup):
        return False
    from bs4 import BeautifulSoup  # takes long

    tags = BeautifulSoup(markup, "html.parser").select("[href], [src]")
    return any(link in (tag.get("href"), tag.get("src")) for tag in tags)


def _dead_link(page: Path, link: str, config: MkDocsConfig) -> PageError:
    """Return the error, with the line on which an author has the link."""
    root = Path(config.config_file_path or "").parent
    name = PurePosixPath(urlsplit(link).path).name
    source = unquote(name if "." in name else f"{name}.md")
    texts = [f"{mark}{text}" for text in (link, source) for mark in BEFORE]
    places = [place_of(text, root, page) for text in texts]
    path, line = next((p for p in places if p[1]), (page, None))
    return PageError(
        f'the link "{link}" leads to nothing that is built',
        hint="link to a file that is, leave the link out, or write the whole "
        "address if it is of another site",
        path=path,
        line=line,
    )


def _done(shown: str, output: str) -> str:
    """Return what was done to what is shown, on its way to the output."""
    if not all(part in output for part in shown.split("</h1>", 1)):
        lost = _missing(_words(shown), _words(output))
        lost = lost or _missing(_codes(shown), _codes(output))
        if lost := lost.partition("\n")[0]:
            return f'changes what this page shows at "{lost}"'
    count = len(PREFORMATTED.findall(shown))
    # To compare them takes long, and in most pages there are too few.
    if not count or output.count("<pre") < 2 * count:
        return ""
    if _missing(_codes(shown) * 2, _codes(output)):
        return ""
    return "shows this page's blocks twice"


def _missing(parts: Iterable[str], written: Iterable[str]) -> str:
    """Return the first part that is not written, once those before are."""
    rest = iter(written)
    return next((part for part in parts if part not in rest), "")


def _words(markup: str) -> list[str]:
    return html.unescape(TAG.sub(" ", markup)).split()


def _codes(markup: str) -> list[str]:
    """Return what stands in lines of its own, whose blanks matter."""
    codes = PREFORMATTED.findall(markup)
    return [html.unescape(TAG.sub("", code)).strip() for code in codes]
