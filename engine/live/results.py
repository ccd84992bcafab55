"""What a reader's run of a block did, in HTML and in words."""

import html
import re
from dataclasses import replace
from textwrap import shorten

from engine.errors import PageError
from engine.keep.records import BlockRecord
from engine.program import Block, CommandBlock, Program, PythonBlock
from engine.run.check import BYTES_ALLOWED, check
from engine.run.results import BlockRun, Failure
from engine.run.terminal import screen
from engine.show.blocks import figure_html, output_html, output_text

PLACE = re.compile(r'^(.*?: (section ".*?"|the file)|the command) ', re.DOTALL)
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
NO_INPUT = "\nNobody can type here: a block reads no input."


def is_as_meant(block: Block, run: BlockRun) -> bool:
    """Return whether the program goes on after the block."""
    wanted = getattr(block, "raises", None)
    return run.failure is None or run.failure.name in (wanted, "0")


def said(error: PageError) -> str:
    """Return what is wrong without the place, which the page shows."""
    problem, places = PLACE.subn("It ", error.problem, 1)
    first = problem if places else problem[:1].upper() + problem[1:]
    return f"{first.partition(chr(10))[0]}."


def shown(number: int, block: Block, run: BlockRun) -> str:
    """Return the HTML of what a block printed, raised and drew."""
    parts = [output(number, run.output, _error(block, run))]
    for count, drawing in enumerate(run.figures, 1):
        alt = f"Figure of your run: {'; '.join(drawing.data.split(chr(10)))}"
        # The page's own figure has the block's number.
        own = number + count / 1000
        parts.append(figure_html(drawing.svg, alt, own))
    if problem := _complaint(block, run):
        parts.append(f'<p class="live-fault">{html.escape(problem)}</p>')
    return "".join(parts) or '<p class="live-nothing">It showed nothing.</p>'


def output(number: int, printed: bytes, error: str = "") -> str:
    """Return the HTML of what a block printed and raised, if anything."""
    raised = _readable(error.encode("utf-8", "backslashreplace"))
    text = output_text(BlockRecord(_readable(printed), raised, ""))
    if not text:
        return ""
    name = f"Output of your run of block {number}"
    named = f'tabindex="0" role="group" aria-label="{name}"'
    return output_html(text, named)


def words(block: Block, run: BlockRun) -> str:
    """Return what it did as a sentence, to be read out."""
    if run.failure and not is_as_meant(block, run):
        return _in_short(_last(block, run.failure))
    lines = output_text(BlockRecord(_readable(run.output), "", ""))
    said = []
    if lines:
        count = lines.count("\n") + 1
        said.append(f"printed {count} line{'s' * (count > 1)}")
    if run.failure and run.failure.message:
        said.append(f"raised {run.failure.name}, as it is meant to")
    if run.figures:
        said.append("drew a figure")
    if problem := _complaint(block, run):
        return f"It {' and '.join(said) or 'ran'}. {problem}"
    return f"It {' and '.join(said) or 'showed nothing'}."


def _error(block: Block, run: BlockRun) -> str:
    failure = run.failure
    if failure is None:
        return ""
    if isinstance(block, CommandBlock):
        return "" if failure.name == "0" else _last(block, failure)
    if is_as_meant(block, run):
        return failure.message
    trace = (failure.trace or failure.message).rstrip("\n")
    return trace + NO_INPUT * (failure.name == "EOFError")


def _last(block: Block, failure: Failure) -> str:
    if isinstance(block, CommandBlock):
        return f"It ended with exit code {failure.name}."
    return failure.message or f"It raised {failure.name}."


def _complaint(block: Block, run: BlockRun) -> str:
    """Return what a build would have against it but for its failure."""
    if run.failure:
        # It had no chance to show what it drew.
        run = replace(run, failure=None, unshown=0)
    if isinstance(block, PythonBlock):
        block = replace(block, raises=None)
    run = replace(run, figures=run.figures[:1])
    try:
        check(Program(block.section.path, ()), block, run)
    except PageError as error:
        return f"{said(error)[:-1]}; {error.hint}."
    return ""


def _in_short(text: str) -> str:
    """Return as much of the text as can be listened to, in one line."""
    return shorten(text[:BYTES_ALLOWED], 300, placeholder=" …")


def _readable(output: bytes) -> str:
    """Return what a terminal would show, of too much the beginning."""
    if len(output) > BYTES_ALLOWED:
        # It is cut between characters.
        cut = output[:BYTES_ALLOWED].decode("utf-8", "ignore")
        output = cut.encode()
    try:
        return screen(output)
    except ValueError:
        text = output.decode("utf-8", "replace")
        return CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)
