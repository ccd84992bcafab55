"""The page on messages, made of what the blocks of all other pages show.

``docs/messages.md`` has a list, an item for each message: the block that
shows it, as ``page:section``, and a sentence.  A block that shows several
has an item for each, in order.  The build puts the message above the
sentence and a link to the block below it.  A message without a sentence, and
a sentence without a message, ends the build.
"""

import html
import re
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import Files
from mkdocs.structure.toc import AnchorLink
from mkdocs.utils import get_relative_url

from engine.build.rendered import RenderedPage
from engine.errors import PageError
from engine.program import PythonBlock
from engine.show.blocks import output_text

PAGE = "messages.md"
ITEM = re.compile(
    r"<li>\s*(?:<p>)?<code[^>]*>([^<]+)</code>(.*?)</li>", re.DOTALL
)
LIST = re.compile(r"(?s)<ul>.*?</ul>")
"""The first list of the page."""
SHOWN = re.compile(
    r"(?m)^.*?\b((?:[A-Z]\w*)?(?:Error|Warning|Exception|Interrupt)):\s+"
    r"(\S(?:.*{\n(?:.*\n)*?}\n?)*.*)$"
    r"|^WARNING:(tensorflow):(.+)$"
)
"""A line that ends with a message: its kind, and what it says.

What a brace opens at the end of a line, and what follows it, belongs to it.
"""
GRAPH = "in user code:"
"""What stands before the message of a compiled function."""
LIST_ITEM = "- `"
"""How an item of the list begins."""
BRACES = re.compile(r"{\n.*?\n}\s*", re.DOTALL)
"""What TensorFlow prints of an object, over several lines."""
LONGEST = 120
"""More of a message than that does not stand in its heading."""
NOISE = re.compile(
    r"{{function_node .*?}}| \[Op:\w+\]( name:)?$"
    r"|Exception encountered when calling \S+\(\)\."
)
"""What TensorFlow and Keras add to a message, and say of many."""


class Shown(NamedTuple):
    """A message, and the block that shows it."""

    kind: str
    text: str
    page: RenderedPage
    number: int
    """Of the block on its page, from 1."""
    reference: str
    """The block, as the list calls it."""


def messages(page: RenderedPage) -> Iterator[Shown]:
    """Yield each message that the blocks of a page show."""
    if not page.filled:
        return
    name = page.src_uri.removesuffix(".md")
    told = zip(page.program.blocks, page.filled.record.blocks, strict=True)
    for number, (block, did) in enumerate(told, 1):
        shown = block.section.name
        if not isinstance(block, PythonBlock):
            shown = block.code.partition("\n")[0]
        said = output_text(did)
        for match in SHOWN.finditer(said):
            kind = match[1] or "Warning"
            text = (match[2] or match[4]).strip()
            if not NOISE.sub("", text):
                text += " " + said[match.end() :].strip().split("\n")[0]
            if text != GRAPH:
                yield Shown(kind, text, page, number, f"{name}:{shown}")


@event_priority(50)  # once the engine has filled the pages
def on_env(env: Any, config: MkDocsConfig, files: Files) -> Any:
    """Write the page on messages."""
    pages = [
        file.page.meta["rendered"]
        for file in files.documentation_pages()
        if file.page and "rendered" in file.page.meta
    ]
    own = next((page for page in pages if page.src_uri == PAGE), None)
    if own:
        shown = [found for page in pages for found in messages(page)]
        written, toc = write(own, shown)
        own.rewrite(LIST.sub(lambda _: written, own.read.html, count=1))
        own.page.toc.items[0].children[:0] = toc
    return env


def write(
    own: RenderedPage, shown: Iterable[Shown]
) -> tuple[str, list[AnchorLink]]:
    """Return the messages with their sentences, and entries of a contents."""
    sentences: dict[str, list[str]] = defaultdict(list)
    listed = LIST.search(own.read.html)
    for reference, sentence in ITEM.findall(listed[0] if listed else ""):
        plain = sentence.strip().removesuffix("</p>").strip()
        called = " ".join(html.unescape(reference).split())
        sentences[called].append(plain)
    places: dict[tuple[str, str], list[Shown]] = defaultdict(list)
    for message in shown:
        places[message.kind, message.text].append(message)
    kinds: dict[str, list[tuple[str, str, list[Shown]]]] = defaultdict(list)
    for (kind, text), found in places.items():
        told = [p.reference for p in found if sentences.get(p.reference)]
        if not told:
            raise _fault(
                own,
                f"no sentence for `{found[0].reference}`, which shows "
                f"“{kind}: {text}”",
                f"add an item: - `{found[0].reference}` What it means.",
                LIST_ITEM,
            )
        kinds[kind].append((text, sentences[told[0]].pop(0), found))
    left = [name for name, waiting in sentences.items() if waiting]
    if left:
        raise _fault(
            own,
            f"a sentence for `{left[0]}`, which shows no message that needs "
            "one",
            "remove the item, or correct its page:section",
            f"- `{left[0]}`",
        )
    parts, toc = [], []
    for kind in sorted(kinds):
        anchor = kind.lower()
        parts.append(f'<h2 id="{anchor}">{kind}</h2>')
        toc.append(AnchorLink(kind, anchor, 2))
        for number, entry in enumerate(sorted(kinds[kind]), 1):
            parts.append(_entry(own, f"{anchor}-{number}", kind, *entry))
    return "\n".join(parts), toc


def _fault(
    own: RenderedPage, problem: str, hint: str, start: str
) -> PageError:
    text = Path(own.page.file.abs_src_path or "").read_text("utf-8-sig")
    before = text.partition(start)[0]
    line = before.count("\n") + 1 if before != text else None
    path = own.read.path
    return PageError(problem, hint=hint, path=path, line=line)


def _entry(
    own: RenderedPage,
    identity: str,
    kind: str,
    text: str,
    said: str,
    places: list[Shown],
) -> str:
    short = NOISE.sub("", BRACES.sub("{ … } ", text)).strip()
    short = textwrap.shorten(short, LONGEST, placeholder=" …")
    whole = f"<pre><code>{kind}: {html.escape(text)}</code></pre>\n"
    links = []
    for place in {f"{p.page.src_uri} {p.number}": p for p in places}.values():
        url = get_relative_url(place.page.page.url, own.page.url)
        title = html.escape(place.page.title)
        href = f"{url}#block:{place.number}"
        links.append(f'<a href="{href}">{title}, block {place.number}</a>')
    return (
        f'<h3 class="message" id="{identity}">{html.escape(short)}</h3>\n'
        f"{whole if short != text else ''}<p>{said}</p>\n"
        f"<p>Shown by {', and by '.join(links)}.</p>"
    )
