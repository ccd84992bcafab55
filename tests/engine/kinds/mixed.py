"""Pages that are put together at random, the same ones for the same number.

In a piece ``…`` stands for words, ``%`` for a fence, and ``@`` for pieces
within it, each line of which begins as that of the mark.
"""

import random
import re
from textwrap import indent

WORDS = r"""
word|two words|**bold**|*it*|`code`|`` a`b ``|{{ x }}|**{{ x }}**|`{{ x }}`
[link](index.md)|[ref][r]|<b>raw</b>|a_b_c|2 * 3|$5|\$6|\*|&amp;|&lt;t>|<br>
~~del~~|==m==|H~2~O|x^2^|++ctrl+c++|https://e.org/a_b|<https://e.org>
![img](https://e.org/a.png)|text[^1]|`#!python x = 1`|:smile:|1. not|# not
- not|> not|(c)|--|"q"|'q'|{ .cls }|{: .cls }|\{{ x }}|{% raw %}|<!-- c -->
<span title="{{ x }}">t</span>|HTML|é 長|&nbsp;|10 < 20|a > b|[x]|[ ] t|!|\
\\|<|>|*|**|_|`|~|^|=|$|$$|\(x\)|[^|](|+|1)|===|---|C:\new|__init__|7\.
""".strip().replace("\n", "|")
LEAVES = [
    *["…"] * 4,
    *["%"] * 5,
    "| a | b |\n| --- | :-: |\n| {{ x }} | `{{ x }}` |",
    "a | b\n--|--\n**1** | a<br>b",
    "```text\nraw {{ x }}\n# x\n```",
    "````md\n```python run=x\n```\n````",
    "---",
    "<p>raw <i>x</i> {{ x }}</p>",
    "<table><tr><td colspan=2>{{ x }}<td>b</table>",
    "<table><tr><td><pre>x\n\n $y$ {{ x }}</pre></td></tr></table>",
    "<ul><li>a {{ x }}<li>b</ul>",
    "<dl><dt>T<dd>D {{ x }}</dl>",
    "<center>\n\nmd *x*\n\n</center>",
    "<h2>Raw {{ x }}</h2>",
    "<!-- a comment -->",
    "    indented {{ x }}\n      code",
    "Setext …\n---",
    "### Head {{ x }} `c`",
    "* star\n* two\n    * deep\n\n        …\n* three",
    "10. ten …\n11. eleven\n    - mixed",
    "Text[^{}].\n\n[^{}]: A note.\n\n    More {{ x }}.",
    "Term\n: tight {{ x }}\n: second",
    "*{{ x }}*{{ x }}{{ x }}",
    "end\\\nnew  \nline",
]
HOLDERS = [
    '!!! note "Title {{ x }}"\n\n    @',
    "???+ tip\n\n    @",
    "- Item …\n\n    @\n\n- Other\n- More",
    "1. Item\n\n    @\n\n2. Other …",
    "> @",
    '=== "Tab *A*"\n\n    @\n\n=== "Second"\n\n    @',
    "Term …\n\n:   Definition.\n\n    @\n\nOther\n\n:   More.",
    "- [x] Task\n\n    @\n\n- [ ] Open",
    '<div markdown="1" class="x">\n\n@\n\n</div>',
    '<details markdown="1">\n<summary>{{ x }}</summary>\n\n@\n\n</details>',
    "////// note | Title\n@\n//////",
    "////// tab | One\n\n@\n//////\n\n////// tab | Two\n…\n//////",
]
DEEPEST = 4
END = "[r]: https://e.org/r\n\n[^1]: A footnote {{ x }}.\n\n*[HTML]: A word.\n"


class Mixed:
    """A page, and the sections that it shows."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.random = random.Random(number)
        self.codes: dict[str, str] = {}
        begin = f"# Page {number}\n\nText[^1].\n\n{self._fence()}\n\n"
        self.text = f"{begin}{self._pieces(0)}\n\n{END}"
        self.codes["s1"] = f"x = 5\n{self.codes['s1']}"

    def _pieces(self, depth: int) -> str:
        pieces = self._piece(depth)
        for _ in range(self.random.randint(0, 6 - depth)):
            is_tight = self.random.random() < 0.1
            pieces += ("\n" if is_tight else "\n\n") + self._piece(depth)
        return pieces

    def _piece(self, depth: int) -> str:
        holders = HOLDERS * 2 if depth < DEEPEST else []
        piece = self.random.choice([*LEAVES, *holders])
        piece = piece.replace("//////", "/" * (8 - depth))
        piece = piece.replace("[^{}]", f"[^{self.random.random()}]")

        def fill(mark: re.Match[str]) -> str:
            begin, kind = mark.groups()
            text = self._fence() if kind == "%" else self._pieces(depth + 1)
            return indent(text, begin, lambda line: True)

        piece = re.sub("…", lambda _: self._words(), piece)
        return re.sub(r"(?m)^([ >]*)([@%])$", fill, piece)

    def _words(self) -> str:
        number = self.random.randint(1, 6)
        return " ".join(self.random.choices(WORDS.split("|"), k=number))

    def _fence(self) -> str:
        name = f"s{len(self.codes) + 1}"
        self.codes[name] = f"print('{self.number} {name}')"
        run = f'run="snippets/m{self.number}.py:{name}"'
        marks = self.random.choice(["```", "~~~", "````"])
        begin = self.random.choice(["python {}", "{{.python {}}}"])
        return f"{marks}{begin.format(run)}\n{marks}"
