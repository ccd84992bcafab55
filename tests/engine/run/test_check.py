"""Every step that does not do what its page says ends with one message."""

from pathlib import Path

import pytest

from engine.program import FileBlock, PythonBlock, Section
from tests.engine.run.programs import Page, command, value

PLOT = "import matplotlib.pyplot as plt\nplt.plot([1, 2])"
WORKER = "import json\n\n\nprint(jsn)\n"


@pytest.mark.parametrize(
    ("code", "options", "message"),
    [
        (
            "x = 1\nint('x')",
            {},
            'docs/page.md:10: snippets/m.py:5: section "s1" raised ValueError',
        ),
        ("x = nome", {}, "show the section that defines the name before"),
        ("int('x')", {}, 'correct the code, or say raises="ValueError"'),
        ("x = 1", {"raises": "KeyError"}, "was to raise KeyError and did not"),
        (
            "x = 1\nint('x')",
            {"raises": "KeyError"},
            'snippets/m.py:5: section "s1" raised ValueError, not KeyError',
        ),
        ("raise SystemExit(3)", {}, "raised SystemExit"),
        ("raise KeyboardInterrupt", {}, "raised KeyboardInterrupt"),
        (
            "while True: pass",
            {"seconds_allowed": 0.5},
            'docs/page.md:10: snippets/m.py:4: section "s1" ran longer than '
            "its limit of 0.5 s\n",
        ),
        (
            "import os\nos.kill(os.getpid(), 9)",
            {},
            'snippets/m.py:4: section "s1" ended its own process '
            "(exit code -9)",
        ),
        ("import os\nos._exit(0)", {}, "process (exit code 0)"),
        ("import os\nos.abort()", {}, "process (exit code -6)"),
        (
            "import os\nos.write(1, b'a\\xff')",
            {},
            "printed bytes that are not UTF-8, from byte 1 on",
        ),
        (
            "print('nul \\0.')",
            {},
            'section "s1" printed the control character NUL (\\x00)\n'
            "  mend: print text",
        ),
        ("print('x' * 20_001)", {}, "printed more than 20 kB"),
        ("while True: print('x' * 1000)", {}, "printed more than 20 kB"),
        (PLOT, {}, "draws a figure but does not show it"),
        (
            f"{PLOT}\nplt.show()\nplt.plot([1])\nplt.show()",
            {},
            "shows 2 figures",
        ),
    ],
)
def test_a_block(
    page: Page, code: str, options: dict[str, object], message: str
) -> None:
    words = page.fails(code, **options)
    assert message in words
    assert words.startswith("docs/page.md:10: snippets/m.py:")
    assert words.count("  mend: ") == 1
    assert "engine" not in words


def test_a_failure_that_was_announced(page: Page) -> None:
    one, two = page.blocks("x = 1", "print(x)\n[][x]", raises="IndexError")
    assert two.output == b"1\n"
    assert two.failure
    assert two.failure.message == "IndexError: list index out of range"
    assert two.failure.trace.startswith(
        "Traceback (most recent call last):\n"
        '  File "snippets/m.py", line 8, in <module>\n    [][x]\n'
    )
    assert one.failure is None


def test_the_line_is_that_of_the_block_not_of_what_it_calls(
    page: Page,
) -> None:
    words = page.fails("def fail():\n    int('x')", "y = 1\nfail()")
    assert "docs/page.md:20: snippets/m.py:9: " in words
    assert 'File "snippets/m.py", line 5, in fail' in words


@pytest.mark.parametrize(
    ("code", "raises"),
    [
        ("x = = 1", "SyntaxError"),
        ("return", "SyntaxError"),
        ("x = " + "+".join("1" * 100_000), "RecursionError"),
        ("from __future__ import annotations\n1 / 0", "ZeroDivisionError"),
    ],
)
def test_no_block_keeps_the_pages_script_from_beginning(
    page: Page, code: str, raises: str
) -> None:
    words = page.fails(code, raises=raises)
    assert words.startswith("docs/page.md:10: snippets/m.py:")
    assert "lets no script that holds it begin (" in words


@pytest.mark.parametrize(
    ("above", "code", "why"),
    [
        ("x = 1", "global x\nx = 2", "name 'x' is"),
        ("", "# coding: latin-1\nprint('é')", "as iso-8859-1, it would say"),
        ("", "# coding: ascii\nprint('é')", "'ascii' codec can't decode"),
        ("", "# coding: no\nprint(1)", "unknown encoding"),
    ],
)
def test_what_each_block_may_say_and_their_script_may_not(
    page: Page, above: str, code: str, why: str
) -> None:
    words = page.fails(*filter(None, [above]), code)
    line = 20 if above else 10
    assert words.startswith(f"docs/page.md:{line}: snippets/m.py:")
    assert f"lets no script that holds it begin ({why}" in words


def test_an_encoding_below_the_second_line_is_a_comment(page: Page) -> None:
    code = "# coding: latin-1\nprint('é')"
    assert page.output("x = 1\ny = 2", code) == "é\n"


@pytest.mark.parametrize("end", ["", "\\r", "\\n "])
def test_no_error_is_joined_to_a_line_above_it(page: Page, end: str) -> None:
    code = f"print('now', end='{end}')\n[][1]"
    words = page.fails(code, raises="IndexError")
    assert words.startswith("docs/page.md:10: snippets/m.py:5: ")
    assert "to which its script joins the IndexError\n" in words
    (run,) = page.blocks("print('now')\n[][1]", raises="IndexError")
    assert run.output == b"now\n"


def test_an_error_in_a_text_is_one_of_the_block(page: Page) -> None:
    code = "exec('x = = 1')"
    (run,) = page.blocks(code, raises="SyntaxError")
    assert run.failure
    assert run.failure.message.startswith('  File "<string>", line 1\n')


@pytest.mark.parametrize(
    ("code", "line", "words"),
    [
        ("x = 1\ny = = 2", 5, "SyntaxError: invalid syntax"),
        ("x = 1\nawait x", 5, "SyntaxError: 'await' outside function"),
        ("x = 1\nreturn x", 5, "SyntaxError: 'return' outside function"),
        ("x = 1\nbreakpoint()", 5, "nobody can answer a debugger in a build"),
        ("x = 1\n\ninput()", 6, "EOFError: EOF when reading a line"),
    ],
)
def test_the_right_line_of_the_right_file(
    page: Page, code: str, line: int, words: str
) -> None:
    message = page.fails(code)
    assert f"docs/page.md:10: snippets/m.py:{line}: " in message
    assert f'File "snippets/m.py", line {line}' in message
    assert words in message
    assert "engine" not in message


def test_carets_point_at_code_beside_a_text_at_the_margin(
    page: Page,
) -> None:
    root = page.root / "snippets"
    root.mkdir(exist_ok=True)
    code = "text = '''\nleft''', (1).x"
    module = "#\nif True:\n    text = '''\nleft''', (1).x\n"
    (root / "margin.py").write_text(module)
    section = Section(Path("snippets/margin.py"), "all", 3, code)
    message = page.fails(PythonBlock(line=3, section=section))
    assert "    left''', (1).x\n             ^^^^^\n" in message


CHANGES = """\
from collections import defaultdict

x, listed, counts = 999, [], defaultdict(int)
held = {"losses": [2.0, 1.0]}
left, last = iter([1, 2]), iter([3])


def count():
    global x
    x += 1
    return 5"""


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("nome", "raised NameError: name 'nome' is not defined"),
        ("print('b')", "printed 'b\\n'"),
        ("1 +", "raised SyntaxError: "),
        ("exit(3)", "raised SystemExit: 3"),
        ("__import__('matplotlib.pyplot').pyplot.figure()", "draws a figure"),
        ("next(left)", "was 1, and 2 the next moment"),
        ("next(last)", "was 3, and raised StopIteration:  the next moment"),
        ("(y := 4)", "changes y, which no reader does"),
        ("count()", "changes x, which no reader does"),
        ("listed.append(1)", "changes listed, which no reader does"),
        ("counts['none']", "changes counts, which no reader does"),
        ("len(held['losses'].sort() or '')", "changes held, which no"),
    ],
)
def test_a_value(page: Page, expression: str, message: str) -> None:
    words = page.fails(CHANGES, value(expression, line=7))
    start = f"docs/page.md:7: the value {{{{ {expression} }}}} {message}"
    assert words.startswith(start)


def test_a_command_names_the_line_of_the_snippet(page: Page) -> None:
    section = Section(Path("snippets/w.py"), "all", 20, WORKER.rstrip())
    file = FileBlock(line=3, section=section, file="w.py", contents=WORKER)
    words = page.fails(file, command("python w.py\necho not this"))
    assert words.startswith(
        "docs/page.md:5: the command ended with exit code 1, not 0\n"
    )
    assert 'File "snippets/w.py", line 23, in <module>' in words
    assert 'say exits="1" on the fence' in words
    assert "not this" not in words


def test_a_command_that_fails_in_the_first_line_of_a_part(page: Page) -> None:
    above, below = "x = 1\n", "\n1 / 0\n"
    files = [
        FileBlock(
            line=3 + n,
            section=Section(Path("snippets/w.py"), f"s{n}", 20 * n, code),
            file="w.py",
            contents=contents,
        )
        for n, code, contents in (
            (1, "x = 1", above),
            (2, "1 / 0", above + below),
        )
    ]
    words = page.fails(*files, command("python w.py"))
    assert 'File "snippets/w.py", line 40, in <module>' in words


def test_a_command_that_was_to_fail_and_does_not(page: Page) -> None:
    words = page.fails(command("true", exits=2))
    assert "the command ended with exit code 0, not 2" in words


def test_a_command_that_a_signal_ends_has_the_shells_exit_code(
    page: Page,
) -> None:
    words = page.fails(command("kill -9 $$"))
    assert "the command ended with exit code 137, not 0" in words
    assert page.runs(command("kill -9 $$", exits=137))


def test_a_file_that_cannot_be_saved(page: Page) -> None:
    section = Section(Path("snippets/w.py"), "", 1, "x = 1")
    file = FileBlock(line=3, section=section, file="a/w.py", contents="x")
    words = page.fails(file)
    assert "docs/page.md:3: snippets/w.py:1: the file cannot be saved" in words
    assert "No such file or directory: 'a/w.py'" in words


def test_futures_are_carried_on_as_in_one_file(page: Page) -> None:
    late = "def f(x: Late) -> None: ...\nprint(f.__annotations__)"
    head = "from __future__ import annotations"
    expected = "{'x': 'Late', 'return': 'None'}\n"
    assert page.output(f'"""Words."""\n{head}', "import os", late) == expected


def test_a_future_that_one_file_would_have_too_low(page: Page) -> None:
    words = page.fails("x = 1", "\nfrom __future__ import annotations")
    assert "docs/page.md:20: snippets/m.py:8: " in words
    assert "imports must occur at the beginning of the file" in words


def test_what_is_printed_at_the_end_is_checked_too(page: Page) -> None:
    code = "import atexit\natexit.register(print, '\\a')"
    assert "printed the control character BEL (\\x07)" in page.fails(code)


@pytest.mark.parametrize("name", ["isinstance", "vars"])
def test_what_the_engine_needs_was_replaced_for_good(
    page: Page, name: str
) -> None:
    code = f"import builtins\n\nbuiltins.{name} = None"
    words = page.fails("import builtins", code, "x = 1")
    assert ': section "s' in words
    assert "leaves nothing to go on with (TypeError: " in words
    assert "mend: put back what was replaced in modules of Python" in words


@pytest.mark.parametrize(
    "starts", ["sys.setprofile(print)", "sys.settrace(lambda *_: None)"]
)
def test_what_sees_all_calls_is_not_left_on(page: Page, starts: str) -> None:
    words = page.fails("import sys", starts, "sys.setprofile(None)")
    assert words.startswith("docs/page.md:20: snippets/m.py:7: ")
    assert "leaves a profiler or a trace on, which would see" in words


def test_a_profile_is_that_of_a_script(page: Page) -> None:
    said = page.output(
        "import cProfile\nimport pstats\n\n\ndef f(): ...",
        "with cProfile.Profile() as profile:\n    f()",
        "print(sorted(name for _, _, name in pstats.Stats(profile).stats))",
    )
    assert "'f']" in said
    assert "execute" not in said


def test_what_carries_it_out_is_not_shown(page: Page) -> None:
    words = page.fails(
        "import tracemalloc\n\ntracemalloc.start()",
        "taken = tracemalloc.take_snapshot()",
        "print(*taken.statistics('filename'))",
    )
    assert "shows what carries it out, which no reader has" in words
