"""What one environment makes of every page, as JSON.

``python -m proof.inside`` runs all pages afresh with the packages it finds
and says for each in what it is not as kept.  It needs nothing but what the
pages themselves run with.  The page that shows the results of such trials is
left out: it changes with each of them.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

from engine.errors import Fault
from engine.pages import Page
from engine.project import Project
from engine.records import make_record, versions
from proof.expected import compare
from proof.versions import RESULTS


def told_of(project: Project, page: Page) -> list[str]:
    """Run the page; return what fails or differs, or nothing."""
    try:
        return compare(project, page, make_record(project, page))
    except Fault as fault:
        return [str(fault)]


def _shows_results(page: Page) -> bool:
    return any(block.section.path == RESULTS for block in page.blocks)


def main(root: Path) -> None:
    """Print versions and, for each page, what is told of it."""
    project = Project(root)
    try:
        found = [
            page
            for page in project.pages
            if page.blocks and not _shows_results(page)
        ]
    except Fault as fault:
        sys.exit(str(fault).split("\n")[0])
    pages = {project.slug(page): told_of(project, page) for page in found}
    ran_with = {**versions(), "scikit-learn": version("scikit-learn")}
    print(json.dumps({"versions": ran_with, "pages": pages}))


if __name__ == "__main__":
    main(Path.cwd())
