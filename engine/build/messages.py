"""Turn what MkDocs warns of into messages with page, line and hint."""

import logging
import os
import re
import sys
import traceback
from collections.abc import Iterable, Iterator
from errno import ENOSPC
from pathlib import Path

from engine.errors import PageError, not_encoded
from engine.project import Project
from engine.read import marks
from engine.read.snippets import did_you_mean

CONFIG = "mkdocs.yml"
RENDERING = ("engine", "jinja2", "markdown", "mkdocs")
"""Packages that call extensions and plugins."""
ENGINE = Path(__file__).parents[1]
TRACE = re.compile(r"(?m)^\s.*\n")
STACK = re.compile(
    r"(?m)^[ \t]*Traceback \(most recent call last\):\n(?:[ \t]*\n|[ \t].*\n)*"
)
"""A traceback but for its last line, which says what was raised."""
NAMES_KEY = re.compile(r"(?:Config value '|configuration name: )(\w+)")
NAMES_PLACE = re.compile(r'\n\s+in "(.+?)", line (\d+), column \d+:?')
INHERIT = re.compile(r"(?m)^INHERIT:\s*[\"']?(.+?)[\"']?\s*(?:#.*)?$")
LINK = re.compile(r"Doc file '(.+?)' (contains an? .*?link '(.+?)'.*)", re.S)
NOT_READ = re.compile(r"Encoding error reading file: (.+)")
FAILED = re.compile(r"Error (?:reading|building) page '(.+?)':")
QUOTED = re.compile(r"'(.+?)'")
IN_NAV = re.compile(r"A reference to '(.+?)' is included in the 'nav'")
NOT_IN_NAV = re.compile(
    r'not\s+included in the "nav" configuration:\n(.+)', re.S
)


def errors_of(
    records: Iterable[logging.LogRecord], project: Project
) -> list[PageError]:
    """Return an error for each warning of MkDocs and its plugins."""
    texts = [
        record.getMessage()
        for record in records
        if record.levelno == logging.WARNING
        or NOT_READ.match(record.getMessage())
    ]
    return [error for text in texts for error in _errors(text, project)]


def _errors(text: str, project: Project) -> Iterator[PageError]:
    docs = project.root / project.docs
    if match := LINK.search(text):
        path, problem, link = match.groups()
        yield PageError(
            marks.MARK.sub("{{ … }}", problem),
            hint=_hint(path, link, project),
            path=project.docs / path,
            line=line_of(docs / path, f"]({link}")
            or line_of(docs / path, link),
        )
    elif match := NOT_READ.search(text):
        try:
            (docs / match[1]).read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            yield not_encoded(error, project.docs / match[1])
    elif match := IN_NAV.search(text):
        guess = did_you_mean(match[1], _pages(project))
        hint = f"{guess}name a page that is there"
        path, line = place_of(match[1], project.root)
        yield PageError(text, hint=hint, path=path, line=line)
    elif match := NOT_IN_NAV.search(text):
        for page in match[1].split("\n"):
            yield PageError(
                "this page is not listed in the navigation",
                hint="list it under nav in mkdocs.yml, or under not_in_nav",
                path=project.docs / page.strip("- "),
            )
    else:
        path, line = _named(text, project)
        yield PageError(
            STACK.sub("", text).strip(),
            hint="correct what this names, or set what warns of it not to",
            path=path,
            line=line,
        )


def _named(text: str, project: Project) -> tuple[Path | str, int | None]:
    """Return the page that a plugin names, or a setting, and its line."""
    begin = rf"(?:(?<![\w./-])|{project.docs.as_posix()}/)"
    found = [
        page
        for page in _pages(project)
        if re.search(rf"{begin}{re.escape(page)}\b", text)
    ]
    if found:
        page = project.docs / max(found, key=len)
        quoted = map(str.strip, text.split("\n"))
        said = {part for part in quoted if " " in part}
        lines = enumerate(_text(project.root / page).split("\n"), 1)
        return page, next((n for n, s in lines if s.strip() in said), None)
    places = (place_of(word, project.root) for word in QUOTED.findall(text))
    return next((place for place in places if place[1]), (CONFIG, None))


def page_that_failed(
    records: Iterable[logging.LogRecord], project: Project
) -> Path | None:
    """Return the page at which MkDocs says that the build has ended."""
    found = [FAILED.match(record.getMessage()) for record in records]
    names = [match[1] for match in found if match]
    return project.docs / names[-1] if names else None


def in_config(root: Path, said: str) -> PageError:
    """Return the error for what MkDocs says of its configuration."""
    found = NAMES_KEY.search(said)
    path, line = place_of(f"{found[1]}:" if found else said, root)
    for name, number in NAMES_PLACE.findall(said):
        path, line = os.path.relpath(name, root), int(number)
    problem, _, hint = NAMES_PLACE.sub("", said).partition("\n  mend: ")
    problem = TRACE.sub("", problem).replace(f"PageError: {CONFIG}: ", "")
    return PageError(problem, hint=hint or "correct it", path=path, line=line)


def place_of(
    text: str, root: Path, page: Path | None = None
) -> tuple[Path | str, int | None]:
    """Return where the page or the settings have the text: file and line.

    What one file of settings leaves out it may inherit from another.
    """
    if page and (line := line_of(root / page, text)):
        return page, line
    file, looked_at = root / CONFIG, list[Path]()
    while file.is_file() and file not in looked_at:
        if line := line_of(file, text):
            return os.path.relpath(file, root), line
        looked_at.append(file)
        found = INHERIT.search(_text(file))
        file = (file.parent / found[1]).resolve() if found else file
    return page or CONFIG, None


def placed(
    error: BaseException, root: Path, page: Path | None = None
) -> BaseException:
    """Return what the site's own code raised, with its place.

    Without one the page is named, or the plugin, or MkDocs; what the engine
    raises itself is left, and so is what the disk refused.
    """
    frames = traceback.extract_tb(error.__traceback__)
    places = [(frame.filename, frame.lineno) for frame in frames]
    if isinstance(error, SyntaxError) and error.filename:
        places.append((error.filename, error.lineno))
    if not places or places[-1][0].startswith(str(ENGINE)):
        return error
    raised = f"raised {type(error).__name__}: {error}"
    for name, line in reversed(places):
        path = Path(name)
        if path.is_relative_to(root) and not any(
            path.is_relative_to(other) for other in (ENGINE, sys.prefix)
        ):
            return PageError(
                f"this {raised}",
                hint="correct it" + (f"; it was at {page}" if page else ""),
                path=path.relative_to(root),
                line=line,
            )
    if _is_of_disk(error):
        return error
    module = next(filter(None, (_plugin(name) for name, _ in places)), None)
    if page is None and module is None:
        hint = "correct what a hook or plugin has returned to it"
        return PageError(f"MkDocs {raised}", hint=hint, path=CONFIG)
    return PageError(
        f"{module or 'rendering it'} {raised}",
        hint="correct what this names, or leave out what raised it",
        path=page or CONFIG,
    )


def _is_of_disk(error: BaseException) -> bool:
    if not isinstance(error, OSError):
        return False
    return error.filename is not None or error.errno == ENOSPC


def _plugin(file: str) -> str | None:
    """Return the name of a module, if it is an extension or a plugin."""
    folders = [Path(folder) for folder in sys.path if folder]
    names = [
        Path(file).relative_to(folder).with_suffix("").parts
        for folder in folders
        if Path(file).is_relative_to(folder)
    ]
    parts = min(names, key=len, default=("mkdocs",))
    if parts[0] in {*sys.stdlib_module_names, *RENDERING}:
        return None
    return ".".join(parts).removesuffix(".__init__")


def _hint(page: str, link: str, project: Project) -> str:
    """Return what to write instead of a link that leads nowhere."""
    target, _, anchor = link.partition("#")
    ids = project.anchors.get(Path(page).parent.joinpath(target).as_posix())
    ids = project.anchors.get(page) if not target else ids
    if anchor and ids is not None:
        guess = did_you_mean(anchor, ids)
        return f"{guess}link to a heading of that page"
    guess = did_you_mean(target, _pages(project))
    return f"{guess}link to a file that is there"


def _pages(project: Project) -> list[str]:
    docs, found = project.root / project.docs, project.sources()
    return [path.relative_to(docs).as_posix() for path in found]


def line_of(path: Path, text: str) -> int | None:
    """Return the first line of the file that has the text."""
    if not path.is_file():
        return None
    lines = _text(path).split("\n")
    return next((n for n, line in enumerate(lines, 1) if text in line), None)


def _text(path: Path) -> str:
    """Return what a file says that may be what is wrong."""
    return path.read_text(encoding="utf-8-sig", errors="replace")
