"""Every link inside the site leads to a page, a file or a heading."""

import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlparse

from tests.site.reader import read

ADDRESS = "https://docs.example/repo/"


@cache
def ids(path: Path) -> set[str]:
    return {str(element["id"]) for element in read(path).select("[id]")}


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
        for link in read(path).select("a[href], link[href]"):
            target = urljoin(here, str(link["href"]))
            address, anchor = urldefrag(target)
            if urlparse(target).scheme not in ("http", "https"):
                raise AssertionError(f"{path}: {link}")
            if not address.startswith(ADDRESS):
                assert urlparse(target).netloc, f"{path}: {link}"
                continue
            file = file_of(site, address)
            assert file.exists(), f"{here}: {link}"
            if "=" in anchor:
                assert read(file).select("loop-explorer"), f"{here}: {link}"
            elif anchor and file.suffix == ".html":
                assert unquote(anchor) in ids(file), f"{here}: {link}"
            checked += 1
    assert checked > 100
