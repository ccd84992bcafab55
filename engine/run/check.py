"""Whether a step did what the page says that it does."""

import contextlib
import io
import re
from collections.abc import Callable, Iterator, Sequence
from symtable import symtable
from tokenize import detect_encoding

from engine.errors import PageError
from engine.program import (
    CANNOT_COMPILE,
    Block,
    CommandBlock,
    FileBlock,
    Program,
    PythonBlock,
    Step,
    Value,
    script,
)
from engine.run.results import BlockRun, Failure, StepRun, ValueRun
from engine.run.terminal import screen

BYTES_ALLOWED = 20_000
TOO_LONG = (
    f"printed more than {BYTES_ALLOWED // 1000} kB",
    "print less; about ten lines a block read well",
)
SHOWS_ENGINE = (
    "shows what carries it out, which no reader has",
    "print no stack from within a drawing, and leave out the name and the "
    "colours of Matplotlib's backend and the folder in which the page runs",
)
ENGINE = re.compile(rb"engine(/run/|\.run\.)\w|/page-\w{8}\b|#010203")
"""The last is the ink of figures, which stands for a page's own."""
FILE_LINE = re.compile(
    r'File "(?:[^"]*/)?(?P<file>[^"/]+)", line (?P<line>\d+)'
)
Complaint = tuple[str, str]
"""What is wrong, and what to do."""


def check(program: Program, step: Step, run: StepRun) -> None:
    """Raise PageError if the step did not do what the page says it does."""
    match step, run:
        case Value(expression=expression), ValueRun():
            if what := run.message or _unshowable(run.text):
                problem = f"the value {{{{ {expression} }}}} {what}"
                hint = "use names that the blocks above it define"
                raise fault(program, step, problem, hint)
        case Block(), BlockRun(failure=failure):
            line = failure.line if failure else None
            for problem, hint in _complaints(program, step, run):
                raise fault(program, step, problem, hint, line)


def _unshowable(text: str) -> str:
    """Return what is wrong with the text of a value, if anything is."""
    with contextlib.suppress(ValueError):
        if screen(text.encode()) == text:
            return ""
    return f"came to {text!r}, with a control character"


def fault(
    program: Program,
    step: Step | None,
    problem: str,
    hint: str,
    snippet_line: int | None = None,
) -> PageError:
    """Return an error that names the page's line and the snippet's."""
    match step:
        case CommandBlock():
            problem = f"the command {problem}"
        case Block(section=section):
            at = f"{section.path.as_posix()}:{snippet_line or section.line}"
            what = f'section "{section.name}"' if section.name else "the file"
            problem = f"{at}: {what} {problem}"
    line = step.line if step else None
    return PageError(problem, hint=hint, path=program.path, line=line)


def _complaints(
    program: Program, block: Block, run: BlockRun
) -> Iterator[Complaint]:
    match block:
        case PythonBlock(raises=name):
            yield from _raised(name, run.failure)
            if name:
                yield from _in_a_script([block], compile)
            if name and not (run.output or b"\n").endswith(b"\n"):
                problem = "leaves its last line open, to which its script "
                problem += f"joins the {name}"
                yield problem, "end the line, as print() does"
        case CommandBlock(exits=exits) if run.failure:
            code = run.failure.name
            words = run.output.decode("utf-8", "replace").rstrip()
            yield (
                f"ended with exit code {code}, not {exits}\n\n"
                f"{_in_snippets(program, words)}",
                "correct the command or its files, or say "
                f'exits="{code}" on the fence',
            )
    said = run.output
    if run.failure:
        said += run.failure.message.encode()
    if len(said) > BYTES_ALLOWED:
        yield TOO_LONG
    if ENGINE.search(said):
        yield SHOWS_ENGINE
    try:
        screen(said)
    except UnicodeDecodeError as error:
        start = error.start
        yield (
            f"printed bytes that are not UTF-8, from byte {start} on",
            "print text",
        )
    except ValueError as error:
        yield f"printed {error}", "print text"
    if run.unshown:
        hint = "end the block with plt.show(), and choose no backend"
        yield "draws a figure but does not show it", hint
    if len(run.figures) > 1:
        hint = "show one figure a block; use subplots or two sections"
        yield f"shows {len(run.figures)} figures", hint


def _raised(
    wanted: str | None, failure: Failure | None
) -> Iterator[Complaint]:
    if failure is None and wanted:
        hint = "remove raises=, or mend the code that was to fail"
        yield f"was to raise {wanted} and did not", hint
    if failure is None or failure.name == wanted:
        return
    hint = f'correct the code, or say raises="{failure.name}" on the fence'
    if failure.name == "NameError":
        hint = "show the section that defines the name before this block"
    other = f", not {wanted}" if wanted else ""
    yield f"raised {failure.name}{other}\n\n{failure.trace}", hint


def check_whole(program: Program) -> None:
    """Raise PageError if the blocks are no program in one file.

    A name may not be declared global where a block above has used it.
    """
    blocks = program.blocks
    if not [*_in_a_script(blocks, symtable)]:
        return
    for count, block in enumerate(blocks, 1):
        for problem, hint in _in_a_script(blocks[:count], symtable):
            raise fault(program, block, problem, hint)


def _in_a_script(
    blocks: Sequence[Block], read: Callable[..., object]
) -> Iterator[Complaint]:
    """Complain of what would keep the page's script from beginning."""
    text = script(blocks).encode()
    try:
        encoding, _ = detect_encoding(io.BytesIO(text).readline)
        if str(text, encoding) != text.decode():
            raise ValueError(f"as {encoding}, it would say something else")
        read(text, "script", "exec")
    except CANNOT_COMPILE as error:
        why = getattr(error, "msg", error)
        problem = f"lets no script that holds it begin ({why})"
        yield problem, "move that elsewhere, or hand it to exec() as a text"


def _in_snippets(program: Program, trace: str) -> str:
    """Name, in a traceback, the snippet from which a file's line comes."""

    def place(match: re.Match[str]) -> str:
        number = int(match["line"])
        for block in program.blocks:
            if isinstance(block, FileBlock) and block.file == match["file"]:
                last = block.contents.count("\n")
                first = last - block.code.count("\n")
                if first <= number <= last:
                    line = block.section.line + number - first
                    path = block.section.path.as_posix()
                    return f'File "{path}", line {line}'
        return match[0]

    return FILE_LINE.sub(place, trace)
