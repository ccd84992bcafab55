"""The page as plain text: its twin in Markdown, and its script."""

from collections.abc import Iterator, Sequence

from engine.program import Block, FileBlock, PythonBlock, script
from engine.show.blocks import files_in_pieces, output_text
from engine.take.markdown import escaped, fenced
from engine.take.page import Taken
from engine.take.walk import Prose, Shown


def plain_text(page: Taken) -> str:
    """Return the page as Markdown with its outputs, for any reader."""
    parts = [f"# {escaped(page.title)}"] if page.lacks_heading else []
    for piece in page.pieces:
        match piece:
            case Prose():
                parts.append(piece.markdown)
            case Shown(number):
                parts += _shown(page, number)
            case _:
                parts += _whole(page.blocks[: piece.count])
    if page.versions:
        parts.append(page.ran_with)
    return "\n\n".join(parts) + "\n"


def script_text(page: Taken) -> str:
    """Return the page's program, with what it ran with.

    A docstring would be a name that the page's program has not; a title on
    the first or second line could be taken for one that names an encoding.
    """
    title = " ".join(page.title.split())
    return f"# {page.ran_with}\n#\n# {title}\n\n{script(page.blocks)}"


def _shown(page: Taken, number: int) -> Iterator[str]:
    block, result = page.blocks[number - 1], page.results[number - 1]
    if isinstance(block, FileBlock):
        yield f"*File {escaped(block.file)}:*"
    yield fenced(block.language, block.code)
    if output := output_text(result):
        yield fenced("text", output)
    if result.figure and isinstance(block, PythonBlock):
        alt = (block.alt or "").rstrip(".")
        yield f"*Figure: {escaped(alt)}.*"


def _whole(blocks: Sequence[Block]) -> Iterator[str]:
    yield fenced("python", script(blocks).rstrip())
    for name, contents in files_in_pieces(blocks).items():
        yield f"*The whole of {escaped(name)}:*"
        yield fenced("python", contents.rstrip())
