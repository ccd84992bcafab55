"""What this site asks of its pages beside what the engine asks of any.

``python -m engine check`` calls ``style`` and ``drift``: ``mkdocs.yml`` names
them.  Nothing runs.
"""

from collections.abc import Iterator, Sequence

from engine.build.rendered import RenderedPage
from engine.errors import PageError
from engine.project import Project
from tools.expected import compare, without_page
from tools.style import RULES, Source


def style(
    project: Project, pages: Sequence[RenderedPage]
) -> Iterator[PageError]:
    """Yield what is not in the style that CONTRIBUTING.md asks for."""
    for page in pages:
        path = page.read.path
        source = Source((project.root / path).read_text("utf-8-sig"))
        for rule in RULES:
            for line, problem, hint in rule(page, source):
                yield PageError(problem, hint=hint, path=path, line=line)


def drift(
    project: Project, pages: Sequence[RenderedPage]
) -> Iterator[PageError]:
    """Yield what pages print and draw otherwise than is kept of them.

    The records say it.  A page that a build would run is passed over.
    """
    for page in pages:
        record = project.records.load(page.program)
        if record and page.program.steps:
            for change in compare(project.root, page.program, record):
                yield change.error
    known = [p.program for p in pages if p.program.steps or p.errors]
    for change in without_page(project.root, known) if pages else ():
        yield change.error
