"""Every link inside the site leads to a page, a file or a heading."""

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlparse

ADDRESS = "https://docs.example/repo/"


class Links(HTMLParser):
    """What of a page is a link, and what one can lead to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.elements: set[str] = set()
        self.feed(html)

    def handle_starttag(
        self, tag: str, attrs: list[tuple[str, str | None]]
    ) -> None:
        self.elements.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.add(value or "")
            if name == "href" and tag in ("a", "link"):
                self.links.append(value or "")


@cache
def read(path: Path) -> Links:
    return Links(path.read_text("utf-8"))


def address_of(site: Path, path: Path) -> str:
    """Return the address at which a file of the site is served."""
    relative = path.relative_to(site).as_posix()
    return ADDRESS + re.sub(r"(^|/)index\.html$", r"\1", relative)


def file_of(site: Path, address: str) -> Path:
    path = site / unquote(address.removeprefix(ADDRESS))
    return path / "index.html" if path.is_dir() else path


def test_links_lead_somewhere(site: Path) -> None:
    checked = 0
    for path in sorted(site.rglob("*.html")):
        here = address_of(site, path)
        for link in read(path).links:
            target = urljoin(here, link)
            address, anchor = urldefrag(target)
            if urlparse(target).scheme not in ("http", "https"):
                raise AssertionError(f"{path}: {link}")
            if not address.startswith(ADDRESS):
                assert urlparse(target).netloc, f"{path}: {link}"
                continue
            file = file_of(site, address)
            assert file.exists(), f"{here}: {link}"
            if "=" in anchor:
                assert "loop-explorer" in read(file).elements, link
            elif anchor and file.suffix == ".html":
                assert unquote(anchor) in read(file).ids, f"{here}: {link}"
            checked += 1
    assert checked > 100
