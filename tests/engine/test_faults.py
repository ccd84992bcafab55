"""Every fault ends the build with one message, and nothing is lost.

Each test breaks a built project in one way, builds again, and looks at the
message and at what is on the disk.
"""

from tests.engine.scratch import Scratch

LAST_LINE = '        print("number", number)\n'
SETUP = 'run="snippets/count.py:setup"'
COUNT = 'run="snippets/count.py:count"'


def fails(built: Scratch, *parts: str) -> str:
    """Build; require exit 1, the parts in the message, nothing touched."""
    before = built.digest()
    code, words = built.build()
    assert code == 1
    for part in parts:
        assert part in words
    assert words.count("\n  mend: ") == 1
    assert built.digest() == before
    return words


def add_line(built: Scratch, line: str) -> None:
    """Let the second block end with one more line: line 13 of its file."""
    built.replace("snippets/count.py", LAST_LINE, f"{LAST_LINE}    {line}\n")


def test_a_file_that_is_not_there(built: Scratch) -> None:
    built.replace("docs/index.md", COUNT, 'run="snippets/cuont.py:count"')
    fails(
        built,
        "docs/index.md:8: no file snippets/cuont.py",
        'write "snippets/count.py"? there are: snippets/count.py\n',
    )


def test_a_section_that_is_not_there(built: Scratch) -> None:
    built.replace("docs/index.md", COUNT, 'run="snippets/count.py:cuont"')
    fails(
        built,
        'docs/index.md:8: no section "cuont" in snippets/count.py',
        'write "count"? there are: setup, count\n',
    )


def test_a_section_opened_twice(built: Scratch) -> None:
    built.replace("snippets/count.py", "region count", "region setup")
    fails(built, 'snippets/count.py:9: section "setup" is opened twice')


def test_a_section_not_closed(built: Scratch) -> None:
    built.replace("snippets/count.py", "    # endregion count\n", "")
    fails(built, 'snippets/count.py:9: section "count" is not closed')


def test_an_empty_section(built: Scratch) -> None:
    built.replace("snippets/count.py", "import math\n", "")
    fails(built, 'snippets/count.py:3: section "setup" is empty')


def test_a_section_shown_nowhere(built: Scratch) -> None:
    built.replace("docs/index.md", f"```python {COUNT}\n```\n", "")
    built.replace("docs/index.md", "{{ total }}", "two")
    before = built.digest("site")
    code, words = built.build()
    assert code == 1
    problem = 'section "count" is shown on no page'
    assert words.count("\n  mend: ") == 1
    assert f"snippets/count.py:10: {problem}\n  mend: show it" in words
    assert built.digest("site") == before


def test_a_section_shown_twice(built: Scratch) -> None:
    built.replace("docs/index.md", COUNT, SETUP)
    fails(built, "docs/index.md:8: snippets/count.py:setup is shown twice")


def test_an_unknown_fence_option(built: Scratch) -> None:
    built.replace("docs/index.md", COUNT, f'{COUNT} atl="A plot"')
    fails(built, 'docs/index.md:8: unknown fence option "atl"')


def test_code_in_the_body_of_a_fence(built: Scratch) -> None:
    built.replace("docs/index.md", COUNT, f"{COUNT}\nprint(1)")
    fails(
        built,
        "docs/index.md:8: a block that shows snippets/count.py:count has "
        "code of its own",
    )


def test_a_name_that_no_block_defines(built: Scratch) -> None:
    built.replace("docs/index.md", f"```python {SETUP}\n```\n", "")
    built.replace("snippets/count.py", "# region setup\n", "")
    built.replace("snippets/count.py", "# endregion setup\n", "")
    fails(
        built,
        "docs/index.md:6: snippets/count.py:8: ",
        "NameError: name 'math' is not defined",
        "show the section that defines the name",
    )


def test_a_value_that_no_block_defines(built: Scratch) -> None:
    built.replace("docs/index.md", "{{ total }}", "{{ sum_total }}")
    fails(
        built,
        "docs/index.md:11: the value {{ sum_total }} raised NameError",
    )


def test_a_block_that_raises(built: Scratch) -> None:
    add_line(built, "math.floor('2')")
    words = fails(
        built,
        'docs/index.md:8: snippets/count.py:13: section "count" raised '
        "TypeError",
        'File "snippets/count.py", line 13, in <module>',
        "    math.floor('2')",
        'say raises="TypeError"',
    )
    assert "engine" not in words


def test_a_block_that_was_to_raise_and_does_not(built: Scratch) -> None:
    built.replace("docs/index.md", COUNT, f'{COUNT} raises="ValueError"')
    fails(
        built,
        "docs/index.md:8: snippets/count.py:10: ",
        "was to raise ValueError and did not",
    )


def test_a_block_that_raises_another_error(built: Scratch) -> None:
    built.replace("docs/index.md", COUNT, f'{COUNT} raises="ValueError"')
    add_line(built, "raise KeyError('k')")
    fails(
        built,
        "docs/index.md:8: snippets/count.py:13: ",
        "raised KeyError, not ValueError",
    )


def test_a_block_that_exits(built: Scratch) -> None:
    add_line(built, "raise SystemExit(3)")
    fails(built, "docs/index.md:8: ", "raised SystemExit")


def test_a_figure_without_alt(built: Scratch) -> None:
    add_line(built, "import matplotlib.pyplot as p; p.plot([1, 2]); p.show()")
    fails(
        built,
        "docs/index.md:8: snippets/count.py:10: ",
        "draws a figure without a text",
        'add alt="…" to the fence',
    )


def test_an_alt_without_a_figure(built: Scratch) -> None:
    built.replace("docs/index.md", COUNT, f'{COUNT} alt="A line"')
    fails(
        built,
        "docs/index.md:8: snippets/count.py:10: ",
        "draws no figure but the fence has alt=",
    )


def test_a_figure_that_is_not_shown(built: Scratch) -> None:
    add_line(built, "from matplotlib.pyplot import plot; plot([1, 2])")
    fails(built, "docs/index.md:8: ", "draws a figure but does not show it")


def test_two_figures_in_one_block(built: Scratch) -> None:
    add_line(
        built,
        "import matplotlib.pyplot as plt; plt.plot([1]); plt.show(); "
        "plt.plot([2]); plt.show()",
    )
    fails(built, "docs/index.md:8: ", "shows 2 figures")


def test_a_module_that_prints_when_imported(built: Scratch) -> None:
    built.replace("snippets/count.py", "if __name__", "print(1)\nif __name__")
    code, words = built.engine("check")
    assert code == 1
    assert words == (
        "snippets/count.py:8: prints when the module is imported\n"
        "  mend: move it into a function or under "
        '`if __name__ == "__main__":`\n'
    )


def test_a_block_that_runs_too_long(built: Scratch) -> None:
    built.replace("docs/index.md", COUNT, f'{COUNT} limit="0.5"')
    add_line(built, "import time; time.sleep(60)")
    fails(
        built,
        "docs/index.md:8: snippets/count.py:10: ",
        "ran longer than its limit of 0.5 s",
    )


def test_a_block_that_kills_its_process(built: Scratch) -> None:
    add_line(built, "import os; os.kill(os.getpid(), 9)")
    fails(
        built,
        "docs/index.md:8: snippets/count.py:10: ",
        "ended its own process (exit code -9)",
    )


def test_a_block_that_leaves_at_once(built: Scratch) -> None:
    add_line(built, "import os; os._exit(0)")
    fails(built, "docs/index.md:8: ", "ended its own process (exit code 0)")


def test_output_that_is_not_utf8(built: Scratch) -> None:
    add_line(built, "import os; os.write(1, bytes([255]))")
    fails(
        built,
        "docs/index.md:8: snippets/count.py:10: ",
        "printed bytes that are not UTF-8",
    )


def test_output_that_is_too_long(built: Scratch) -> None:
    add_line(built, "print('x' * 20_001)")
    fails(
        built,
        "docs/index.md:8: snippets/count.py:10: ",
        "printed more than 20 kB",
    )


def test_output_without_end(built: Scratch) -> None:
    add_line(built, "while True: print('x' * 1000)")
    fails(built, "docs/index.md:8: ", "printed more than 20 kB")


def test_a_site_that_mkdocs_refuses(built: Scratch) -> None:
    built.replace("docs/index.md", "We count.", "[We](nowhere.md) count.")
    fails(
        built,
        "docs/index.md:6: contains a link 'nowhere.md'",
        "link to a file that is there",
    )
