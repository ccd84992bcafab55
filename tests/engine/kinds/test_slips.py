"""A fence that a hand has slipped on is named, with its line."""

from tests.engine.kinds.site import Site

FENCE = '```python run="snippets/a.py:one"\n```\n'
OUT = "so it stands outside of any note or list that is to hold it"
TEXT = "this fence would be shown as text, and not run"
HIDDEN = "is not shown on the page"


def at(columns: int) -> str:
    return FENCE.replace("```", " " * columns + "```")


NOTE = "!!! note\n\n    Text.\n\n{}\n    More.\n"
CASES = {
    "note_0": (NOTE.format(at(0)), 5, f"indented by 0, {OUT}"),
    "note_2": (NOTE.format(at(2)), 5, f"indented by 2, {OUT}"),
    "note_3": (NOTE.format(at(3)), 5, f"indented by 3, {OUT}"),
    "note_5": (NOTE.format(at(5)), 5, f"indented by 5, {OUT}"),
    "note_8": (NOTE.format(at(8)), 5, HIDDEN),
    "formula_0": (
        NOTE.format("```math\nx\n```\n"),
        5,
        f"indented by 0, {OUT}",
    ),
    "program_2": (
        f"{FENCE}\n" + NOTE.format("  ```program\n  ```\n"),
        8,
        f"indented by 2, {OUT}",
    ),
    "first_0": (f"!!! note\n\n{at(0)}\n    More.\n", 3, OUT),
    "tab_0": (f'=== "Tab"\n\n{at(0)}\n    More.\n', 3, OUT),
    "item_0": (f"- Item.\n\n{at(0)}\n    More.\n", 3, OUT),
    "item_2": (f"- Item.\n\n{at(2)}\n  More.\n", 3, OUT),
    "item_3": (f"1. Item.\n\n{at(3)}\n2. More.\n", 3, OUT),
    "inner_4": (
        f"!!! note\n\n    !!! tip\n\n        A.\n\n{at(4)}\n        B.\n",
        7,
        f"indented by 4, {OUT}",
    ),
    "paragraph_1": (f"Text.\n\n{at(1)}", 3, "indented by 1"),
    "close_0": (NOTE.format(FENCE.replace("```p", "    ```p")), 5, TEXT),
    "close_deeper": (FENCE.replace("\n```", "\n  ```"), 1, TEXT),
    "unclosed": (f"Text.\n\n{FENCE[:-4]}\nMore {{{{ x }}}}.\n", 3, TEXT),
    "quote_unclosed": (f"> {FENCE}", 1, TEXT),
    "ticks": (f"`{FENCE}", 1, TEXT),
    "no_quotes": ("```python run=snippets/a.py:one\n```\n", 1, TEXT),
    "rum": (FENCE.replace("run", "rum"), 1, 'unknown fence option "rum"'),
    "raises": (FENCE.replace('e"\n', 'e" raises=""\n'), 1, 'raises="" is not'),
    "raises_two": (
        FENCE.replace('e"\n', 'e" raises="KeyError, OSError"\n'),
        1,
        "is not the name of an exception",
    ),
    "raise": (FENCE.replace('e"\n', 'e" raise="E"\n'), 1, 'option "raise"'),
    "pyhton": (FENCE.replace("python", "pyhton"), 1, 'as "pyhton"'),
    "js": (FENCE.replace("python", "js"), 1, 'cannot be run as "js"'),
    "typed": ("```Python\nx = 1\n```\n", 1, "Python that is never run"),
    "not_run": ("```python\nx = 1\n```\n", 1, "Python that is never run"),
    "empty_run": ('```python run=""\n```\n', 1, "Python that is never run"),
    "body": (FENCE.replace("\n```", "\nx\n```"), 1, "has code of its own"),
    "onne": (FENCE.replace(":one", ":onne"), 1, 'no section "onne"'),
    "twice": (f"{FENCE}\n{FENCE}", 4, "is shown twice, first on line 1"),
    "name": (
        '```{.python #here run="snippets/a.py:one"}\n```\n',
        1,
        'cannot have the id "here"',
    ),
    "no_file": (FENCE.replace("a.py", "b.py"), 1, "no file snippets/b.py"),
    "console": ("```console\n```\n", 1, "a console block without a command"),
    "left_behind": (
        "```console\ntrue\ncd / && ls\n```\n\n```console\ntrue\n```\n",
        1,
        "`cd /` holds for this block alone",
    ),
    "exported": (
        "```console\nA=1\n```\n\n```console\ntrue\n```\n",
        1,
        "`A=1` holds for this block alone",
    ),
    "exits": ('```console exits="x"\ntrue\n```\n', 1, 'exits="x" is not an'),
    "unread": (f"{FENCE}\nText {{{{ x + }}}}\n", 4, "cannot read the value"),
    "unended": (f"{FENCE}\nText.\n\nA {{{{ x\n", 6, "cannot read the value"),
    "after_text": (
        f"```text\n{{{{ x + }}}}\n```\n\n{FENCE}\n{{{{ x + }}}}\n",
        8,
        "cannot read the value that begins `{{ x + }}`",
    ),
    "hides_pythons": (
        FENCE.replace("\n", ' file="json.py"\n', 1),
        1,
        'file="json.py" hides the module json',
    ),
    "hides_installed": (
        FENCE.replace("\n", ' file="numpy.py"\n', 1),
        1,
        'file="numpy.py" hides the module numpy',
    ),
    "braces": (f"```python{{1,4}}\nx = 1\n```\n\n{FENCE}", 1, TEXT),
    "braces_held": ("> ~~~ py{1}\n> x = 1\n> ~~~\n", 1, TEXT),
    "unclosed_text": ("Text.\n\n```python\nx = 1\n", 3, TEXT),
    "blanks": (FENCE.replace("run=", "run = "), 1, TEXT),
    "no_break": (FENCE.replace(" run", "\u00a0run"), 1, TEXT),
    "lines_by_comma": (
        FENCE.replace("\n", ' hl_lines="1,2"\n', 1),
        1,
        'hl_lines="1,2" is not a list of lines',
    ),
    "lines_of_text": ('```text hl_lines="x"\nabc\n```\n', 1, TEXT),
    "lines_of_none": (
        FENCE.replace("\n", ' hl_lines=""\n', 1),
        1,
        'hl_lines="" is not a list of lines',
    ),
    "lines_below": (
        FENCE.replace("\n", ' hl_lines="1-2"\n', 1),
        1,
        'hl_lines names "1-2", and the block has 1 lines',
    ),
    "lines_backwards": (
        '```console hl_lines="2-1"\ntrue\ntrue\n```\n',
        1,
        'hl_lines names "2-1", and the block has 2 lines',
    ),
    "numbers": (
        FENCE.replace("\n", ' linenums="on"\n', 1),
        1,
        'linenums="on" is not the number of the first line',
    ),
    "given_twice": (
        FENCE.replace("\n", ' fold="A" fold="B"\n', 1),
        1,
        'the option "fold" is given twice',
    ),
    "no_fold": (
        FENCE.replace("\n", " fold\n", 1),
        1,
        'the option "fold" has no value',
    ),
    "no_alt": (
        '```{.python run="snippets/a.py:one" alt}\n```\n',
        1,
        'the option "alt" has no value',
    ),
    "asks": (
        FENCE.replace(':one"', ':asks" raises="EOFError"'),
        1,
        "`input()` raises EOFError only where nobody answers it",
    ),
    "debugs": (
        FENCE.replace(':one"', ':debugs" raises="bdb.BdbQuit"'),
        1,
        "`pdb.set_trace()` raises bdb.BdbQuit only where nobody answers it",
    ),
    "value_in_an_option": (
        FENCE.replace("\n", ' title="{{ x }}"\n', 1),
        1,
        "holds a value, and would show its braces",
    ),
    "program_with_code": (
        f"{FENCE}\n```program\nx = 2\n```\n",
        4,
        "has code of its own",
    ),
    "program_with_options": (
        f'{FENCE}\n```program fold="A"\n```\n',
        4,
        'unknown fence option "fold"',
    ),
    "formula_with_options": (
        '```math title="A"\nx\n```\n',
        1,
        'unknown fence option "title"',
    ),
    "formula": ("A `#!math \\frac{` here.\n", 1, "cannot set the formula"),
    "formulas": ("A.\n\n```math\n\\frac{\n```\n", 3, "cannot set the formula"),
    "formula_unknown": (
        "A `#!math x \\fracc{1}{2}`.\n",
        1,
        "it would show `\\fracc` as it stands",
    ),
    "formula_ampersand": ("```math\na &= b\n```\n", 1, "would show `&` as"),
    "formula_number": ("A `#!math #x`.\n", 1, "would show `#` as"),
    "formula_dollars": ("```math\n$x$\n```\n", 1, "would show `$` as"),
    "formula_in_text": (
        "A `#!math \\text{a \\& b}`.\n",
        1,
        "would show `\\` as",
    ),
    "formula_tag": ("A `#!math \\text{a<b>c}`.\n", 1, "would be read as HTML"),
    "formula_tags": ("```math\n\\tag{<i>1</i>}\n```\n", 1, "be read as HTML"),
    "formula_open": ("A `#!math {x`.\n", 1, "its braces are not in pairs"),
    "formula_closed": ("```math\nx}\n```\n", 1, "braces are not in pairs"),
}


def test_each_is_named_once_with_its_line(site: Site) -> None:
    site.sections(
        "a",
        one="x = 1",
        asks="name = input('Name? ')",
        debugs="import pdb\n\npdb.set_trace()",
    )
    site.named(CASES)


def test_what_is_no_slip_is_left_alone(site: Site) -> None:
    answers = "import io\nimport sys\n\nsys.stdin = io.StringIO()\ninput()"
    site.sections("a", one="print(x := 1)", two="print(x)", answers=answers)
    answered = FENCE.replace(':one"', ':answers" raises="EOFError"')
    site.page("answered", f"# P\n\n{answered}")
    two = at(4).replace("one", "two")
    site.page("after_a_note", f"# P\n\n!!! note\n\n    Text.\n\n{FENCE}\nA.\n")
    site.page("before_code", f"# P\n\nText.\n\n{FENCE}\n    code\n")
    site.page("in_a_list", f"# P\n\n{FENCE}\n- Item.\n\n{two}\n- Item.\n")
    site.good()
    site.alike("after_a_note", "1")
    site.alike("before_code", "1")
    site.alike("in_a_list", "1", "1")
