"""Output is what a terminal would show in the end, in all forms alike."""

import json

import pytest

from tests.engine.kinds.site import Site

TEXT = r"""# no heading
```
not code
```
~~~~
`````python run="x"
| a | b |
|---|---|
{{ no_value }} \{{ x }} {% raw %}
<b>bold?</b> <script>alert(1)</script> </samp></pre> & &amp; <!--
$5 and $6, \(x\), $$ y $$, \[z\]
site:/x
1. one
    indented
- two\
> quote [link](nowhere.md) ![image](nowhere.png) https://e.org/?a=1&b=2
<class 'int'> __init__ *stars* 2*3*4 C:\temp\_new ^[note] [^1] :tada:
émoji 🎉 שלום 中文 zero​width"""

WRITTEN = {
    "colours": ("\x1b[32mgreen\x1b[0m \x1b[1;31mred\x1b[0m", "green red"),
    "bar": ("\rstep 1/3\rstep 2/3\rstep 3/3\n", "step 3/3"),
    "shorter": ("loading …\rdone\x1b[K\n", "done"),
    "backspaces": ("abc\b\b\bxy\n", "xyc"),
    "up": ("one\ntwo\n\x1b[2A\x1b[2Kthree\n\n", "three\ntwo"),
    "link": ("\x1b]8;;https://e.org\x1b\\text\x1b]8;;\x1b\\\n", "text"),
    "windows": ("one\r\ntwo\r\n", "one\ntwo"),
    "wide": ("x" * 300 + "\ttab |\n", "x" * 300 + "\ttab |"),
    "blanks": ("\n\n  first\n\nlast \n\n\n", "\n\n  first\n\nlast "),
    "nothing": ("", ""),
}
CONTROLS = {
    "NUL": "\0",
    "BEL": "a\a",
    "vertical tab": "\v",
    "form feed": "\f",
    "ESC": "\x1b%",
    "(\\x85)": "\x85",
    "(\\x9b)": "\x9b31m",
}


def test_any_text_is_the_same_in_all_forms(site: Site) -> None:
    site.sections("a", one=f"text = {TEXT!r}\nprint(text)", two="print(1)")
    site.page(
        "p",
        '# P\n\n```python run="snippets/a.py:one"\n```\n\nBelow it.\n\n'
        '```python run="snippets/a.py:two"\n```\n\nThe end.\n',
    )
    built = site.good()
    page = site.alike("p", TEXT, "1")
    assert page.text.endswith("1Theend.")
    full = (built / "llms-full.txt").read_text("utf-8")
    assert (built / "p/index.md").read_text("utf-8") in full
    book = json.loads((built / "p.ipynb").read_text("utf-8"))
    outputs = [c["outputs"] for c in book["cells"] if "outputs" in c]
    assert "".join(outputs[0][0]["text"]).rstrip("\n") == TEXT


def test_what_a_terminal_would_show_is_kept(site: Site) -> None:
    codes = {
        name: f"import sys\n\nsys.stdout.write({text!r})"
        for name, (text, _) in WRITTEN.items()
    }
    site.sections("a", **codes)
    fences = [f'```python run="snippets/a.py:{n}"\n```\n' for n in codes]
    site.page("p", "# P\n\n" + "\nText.\n\n".join(fences))
    site.good()
    site.alike("p", *(shown for _, shown in WRITTEN.values()))


def test_both_streams_stand_in_their_order(site: Site) -> None:
    site.sections(
        "a",
        one="import logging\nimport subprocess\nimport sys\nimport warnings\n"
        "\nprint('one')\nprint('two', file=sys.stderr)\n"
        "subprocess.run(['echo', 'three'])\n"
        "logging.getLogger('a').warning('four')\n"
        "print('five', end='')",
    )
    site.page("p", '# P\n\n```python run="snippets/a.py:one"\n```\n')
    site.good()
    site.alike("p", "one\ntwo\nthree\nfour\nfive")


@pytest.mark.parametrize("name", CONTROLS)
def test_other_control_characters_are_a_fault(site: Site, name: str) -> None:
    site.sections("a", one=f"x = 1\nprint({CONTROLS[name]!r})")
    site.page("p", '# P\n\n```python run="snippets/a.py:one"\n```\n')
    words = site.bad()
    assert words.count("mend:") == 1
    assert "docs/p.md:3: snippets/a.py:5: " in words
    assert name in words


def test_bytes_that_are_no_text_are_a_fault(site: Site) -> None:
    code = "import os\n\nos.write(1, b'a\\xff')"
    site.sections("a", one=code)
    site.page("p", '# P\n\n```python run="snippets/a.py:one"\n```\n')
    words = site.bad()
    assert "docs/p.md:3: snippets/a.py:5: " in words
    assert "bytes that are not UTF-8" in words
