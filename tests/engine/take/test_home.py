"""Notebook, script and plain text are made of the page and its record."""

from dataclasses import replace

import nbformat
import pytest
from nbformat import NotebookNode

from engine.keep.records import BlockRecord
from engine.program import CommandBlock, FileBlock
from engine.take.notebook import cell_source, notebook
from engine.take.page import Taken
from engine.take.text import plain_text, script_text
from tests.engine.take.pages import MARK, NOTHING, python, section, taken

FILE = FileBlock(
    line=1, section=section("y = 2"), file="a_b.py", contents="y = 2\n"
)
MORE = FileBlock(
    line=1,
    section=section("z = 3"),
    file="a_b.py",
    contents="y = 2\n\n\nz = 3\n",
)
COMMAND = CommandBlock(line=1, section=section("ls\nfalse"), exits=2)
SVG = '<svg viewBox="0 0 1 1"><path id="p"/></svg>'
SHOWN = [
    (
        python("print('```')", alt="A $5 *dot*"),
        BlockRecord(output="```\n$5\n", error="", figure=SVG),
    ),
    (FILE, NOTHING),
    (MORE, NOTHING),
    (COMMAND, BlockRecord(output="", error="exit code 2", figure="")),
    (
        python("1 / 0", raises="ZeroDivisionError"),
        BlockRecord("before\n", "ZeroDivisionError: division: zero", ""),
    ),
]
MARKS = "".join(MARK.format(number) for number in range(1, 6))
HTML = f'<h1>Title</h1><p>$5</p>{MARKS}<div data-program="5"></div>'


@pytest.fixture
def page() -> Taken:
    return taken(HTML, *SHOWN)


@pytest.fixture
def book(page: Taken) -> NotebookNode:
    return nbformat.reads(notebook(page), as_version=4)


def test_the_notebook_is_valid_and_tells_apart_its_cells(
    book: NotebookNode,
) -> None:
    nbformat.validate(book)
    assert [cell.id for cell in book.cells] == [
        "text-0",
        *(f"block-{number}" for number in range(1, 6)),
        "text-6",
        "text-7",
    ]
    assert book.metadata.title == "Title"
    assert book.metadata.language_info.version == "3.11.2"
    assert book.cells[0].source == "# Title\n\n<span>\\$</span>5"
    assert book.cells[-1].source == "Ran with Python 3.11.2, NumPy 2.4."
    assert "run all cells above" in book.cells[-2].source


def test_the_notebook_has_run(book: NotebookNode) -> None:
    draws, _, _, command, fails = book.cells[1:6]
    assert [cell.execution_count for cell in book.cells[1:6]] == [*range(1, 6)]
    text, drawing = draws.outputs
    assert (text.name, text.text) == ("stdout", "```\n$5\n")
    assert drawing.data["text/plain"] == "A $5 *dot*"
    assert drawing.metadata["image/svg+xml"]["alt"] == "A $5 *dot*"
    assert 'aria-label="A $5 *dot*"' in drawing.data["image/svg+xml"]
    assert 'id="p"' not in drawing.data["image/svg+xml"]
    assert command.outputs[0].ename == "exit code 2"
    error = fails.outputs[1]
    assert (error.ename, error.evalue) == (
        "ZeroDivisionError",
        "division: zero",
    )
    assert error.traceback == ["ZeroDivisionError: division: zero"]
    tagged = [c.id for c in book.cells if c.metadata.get("tags")]
    assert tagged == ["block-4", "block-5"]


def test_files_and_commands_need_magic() -> None:
    assert cell_source(FILE) == "%%writefile a_b.py\ny = 2"
    assert cell_source(MORE) == "%%writefile -a a_b.py\n\n\nz = 3"
    assert cell_source(COMMAND) == "%%script sh -e\nls\nfalse"


def test_files_and_commands_stay_where_the_notebook_begins() -> None:
    shown = [python("os.chdir('d')"), FILE, MORE, COMMAND]
    marks = "".join(MARK.format(number) for number in range(1, 5))
    away = replace(NOTHING, away=True)
    page = taken(marks, *((block, away) for block in shown))
    cells = nbformat.reads(notebook(page), as_version=4).cells
    assert [cell.source for cell in cells[2:-1]] == [
        '%%writefile "{_dh[0]}/a_b.py"\ny = 2',
        '%%writefile -a "{_dh[0]}/a_b.py"\n\n\nz = 3',
        '%%script env -C "{_dh[0]}" sh -e\nls\nfalse',
    ]


def test_a_notebook_is_the_same_each_time(page: Taken) -> None:
    assert notebook(page) == notebook(taken(HTML, *SHOWN))


def test_the_plain_text_shows_what_the_page_shows(page: Taken) -> None:
    text = plain_text(page)
    assert text.startswith(
        "# Title\n\n$5\n\n````python\nprint('```')\n````\n\n"
        "````text\n```\n$5\n````\n\n*Figure: A $5 \\*dot\\*.*\n\n"
        "*File a\\_b.py:*\n\n```python\ny = 2\n```\n\n"
    )
    assert (
        "```console\nls\nfalse\n```\n\n```text\nexit code 2\n```\n\n"
        "```python\n1 / 0\n```\n\n"
        "```text\nbefore\nZeroDivisionError: division: zero\n```\n\n"
        "````python\nprint('```')\n\n# Needs"
    ) in text
    assert text.endswith(
        "*The whole of a\\_b.py:*\n\n```python\ny = 2\n\n\nz = 3\n```\n\n"
        "Ran with Python 3.11.2, NumPy 2.4.\n"
    )


def test_a_page_without_a_heading_is_given_its_title() -> None:
    page = taken("<h2>a</h2>", title="A_b $1")
    assert plain_text(page).startswith("# A\\_b $1\n\n## a\n\n")
    book = nbformat.reads(notebook(page), as_version=4)
    assert book.cells[0].source == "# A\\_b <span>\\$</span>1"


@pytest.mark.parametrize(
    "text", ["", " ", "\x00\x1b[1m\x07", "\ufeffé\u2028🙂", "a b/" * 99]
)
def test_the_notebook_is_valid_whatever_an_author_writes(text: str) -> None:
    shown = BlockRecord(output=text, error=f"{text}: {text}", figure=SVG)
    block = python(f"print({text!r})", alt=text, raises=text)
    heading = f"<h1>{text}</h1>{MARK.format(1)}"
    for page in (
        taken(heading, (block, shown), title=text),
        taken(MARK.format(1), (block, shown), title=text),
        Taken(text, {text: text, "Python": text}, (), (), ()),
    ):
        nbformat.validate(nbformat.reads(notebook(page), as_version=4))


def test_a_page_that_ran_nothing_names_no_versions() -> None:
    page = Taken("T", {}, taken("<h1>T</h1>").pieces, (), ())
    assert plain_text(page) == "# T\n"


def test_a_site_need_not_name_its_python() -> None:
    page = Taken("T", {"NumPy": "2"}, taken("<h1>T</h1>").pieces, (), ())
    book = nbformat.reads(notebook(page), as_version=4)
    assert book.metadata.language_info == {"name": "python"}
    assert book.cells[-1].source == "Ran with NumPy 2."


def test_the_script_is_the_program_and_a_program() -> None:
    page = taken("", *SHOWN, title="On coding: none")
    text = script_text(page)
    assert "# Needs the file a_b.py beside it." in text
    assert "# Ran with Python 3.11.2, NumPy 2.4.\n" in text
    assert "# On coding: none\n" in text
    names: dict[str, str] = {}
    exec(compile(text.encode(), "script", "exec"), names)
    assert "__doc__" not in names


@pytest.mark.parametrize(
    ("code", "used"),
    [
        ("asyncio.run(main())", "asyncio.run"),
        ("with asyncio.Runner() as runner: ...", "asyncio.Runner"),
        ("loop.run_until_complete(main())", "run_until_complete"),
        ("context = get_context('spawn')", "spawn"),
        ("print(__file__)", "__file__"),
        ("exit(3)", "exit"),
        ("if True:\n    quit()", "quit"),
        ("print(sys.argv[1:])", "sys.argv"),
        ("options = parser.parse_args()", "parse_args()"),
        ("unittest.main(exit=False)", "unittest.main"),
        ("sys.stdout.buffer.write(b'a')", "sys.stdout.buffer"),
        ("sys.stdin = io.StringIO('5')", "sys.stdin"),
        ("sys.stdin=None", "sys.stdin"),
        ("builtins.input = lambda: 5", "builtins.input"),
        ("text = '''\n  >>> 1\n  1\n'''", ">>>"),
        ("text = f'''\n>>> {1}'''", ">>>"),
    ],
)
def test_the_notebook_says_what_works_in_the_script_alone(
    code: str, used: str
) -> None:
    marks = "".join(MARK.format(number) for number in (1, 2, 3, 4))
    shown = [(python(text), NOTHING) for text in ("a", "b", code, "c")]
    cells = nbformat.reads(notebook(taken(marks, *shown)), as_version=4).cells
    said = f"The next cells use `{used}`, which works in this page's script, "
    assert [cell.source for cell in cells[1:-1]] == [
        "a",
        "b",
        said + "and not in a notebook.",
        code,
        "c",
    ]


@pytest.mark.parametrize(
    "code",
    [
        "def f():\n    '''Say.\n\n    >>> f()\n    '''",
        "parser.parse_args(['--all'])",
        "parser.exit()",
        "sys.exit('done')",
        "print('a >>> b')",
        "text = sys.stdin.read()",
        "asyncio.create_task(main())  # and not asyncio.run",
    ],
)
def test_the_notebook_says_nothing_of_what_works_there(code: str) -> None:
    book = notebook(taken(MARK.format(1), (python(code), NOTHING)))
    sources = [cell.source for cell in nbformat.reads(book, 4).cells]
    assert sources[1] == code


def test_the_notebook_says_what_it_shows_otherwise() -> None:
    marks = "".join(MARK.format(number) for number in (1, 2, 3))
    shown = [
        (python("a"), replace(NOTHING, value=True)),
        (python("b"), NOTHING),
        (python("c"), replace(NOTHING, late=True)),
    ]
    cells = nbformat.reads(notebook(taken(marks, *shown)), as_version=4).cells
    assert [cell.source for cell in cells[1:-1]] == [
        "Run anew, the next cell also shows the value of its last line.",
        "a",
        "b",
        "Some of what the next cell shows was printed when this page's script "
        "ended, which a notebook does not show.",
        "c",
    ]
