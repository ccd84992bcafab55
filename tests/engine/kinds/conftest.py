"""A site with what authors switch on, whatever they write."""

import pytest

from tests.engine.kinds.site import MAIN, MKDOCS, Site
from tests.engine.scratch import Scratch


@pytest.fixture
def site(empty: Scratch) -> Site:
    """A site that has a home page alone."""
    empty.write("mkdocs.yml", MKDOCS)
    empty.write("theme/main.html", MAIN)
    empty.write("docs/index.md", "# Home\n\nWords.\n")
    return Site(empty.root, empty.capsys)


@pytest.fixture
def sections(site: Site) -> Site:
    """A site with the sections that the pages of this folder show."""
    site.sections(
        "a",
        one="x = 5\nprint('one')",
        two="for i in range(2):\n\n    print('two', i)",
        three="print('three')",
    )
    return site
