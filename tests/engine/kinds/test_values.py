"""Any text of a value shows as itself, wherever the value stands."""

import pytest

from tests.engine.kinds import forms
from tests.engine.kinds.site import Site

TEXTS = {
    "bar": "a|b",
    "dunder": "__init__",
    "stars": "2*3*4 *a* **b**",
    "tag": "<b>bold</b> <!-- x --> </p>",
    "entity": "&amp; & &lt;",
    "path": r"C:\temp\_new \{{ x }} \\",
    "link": "[x](y) ![x](y) <https://e.org>",
    "type": "<class 'int'>",
    "formulas": r"$5 and $6 \(x\)",
    "ticks": "`a` ``b``",
    "quotes": "\"a\" 'b'",
    "braces": "{{ x }} {% y %} {# z #}",
    "heading": "# a",
    "tildes": "~~a~~ ^^b^^ ==c== (c) -->",
    "address": "https://e.org/a_b_c?d=1&e=2",
    "name": "lt",
    "letters": "größe 長さ 🎉",
}
SPOTS = """\
## The heading {{ text }}

An ampersand &{{ text }}; and another &#{{ text }};

Paragraph {{ text }} and **bold {{ text }}**, in code `{{ text }}`.

| a {{ text }} | b |
| --- | --- |
| {{ text }} | `{{ text }}` |

- Item {{ text }}
- [x] Task {{ text }}

> Quote {{ text }}

!!! note "Title {{ text }}"

    Note {{ text }}.

=== "Tab"

    In a tab {{ text }}.

A [link {{ text }}](https://e.org "title {{ text }}"), an image
![alt {{ text }}](https://e.org/a.png), and <b title="{{ text }}">raw
{{ text }}</b>, a footnote[^1], `` ` {{ text }} ``.

<details markdown="1"><summary>Summary {{ text }}</summary>
Folded {{ text }}
</details>

<p data-text='{{ text }}'>{{ text }} <{{ text }}> </{{ text }}></p>

Between <{{ text }}>, <<{{ text }}>>, </{{ text }}> and `<{{ text }}>`.

    indented {{ text }}

[^1]: Footnote {{ text }}.
"""


def test_any_text_in_any_spot(site: Site) -> None:
    codes = {
        name: f"text = {text!r}\nprint(1)" for name, text in TEXTS.items()
    }
    site.sections("a", **codes)
    for name in TEXTS:
        fence = f'```python run="snippets/a.py:{name}"\n```\n'
        site.page(name, f"# P\n\n{fence}\n{SPOTS}")
    built = site.good()
    for name, text in TEXTS.items():
        shown = site.alike(name, "1").text
        assert shown.count("".join(text.split())) >= 20, name
        page = forms.rendered(built, f"{name}/")
        article = page.select_one("article")
        assert article
        assert article.select("p[data-text]")[0]["data-text"] == text
        assert article.select("b[title]")[0]["title"] == text
        assert article.select("a[title^='title ']")[0]["title"] == (
            f"title {text}"
        )
        assert article.select("img")[0]["alt"] == f"alt {text}"
        assert len(article.select("tr")) == 2
        assert all(len(r.select("th, td")) == 2 for r in article.select("tr"))
        heading = article.select_one("h2[id]")
        assert heading
        assert heading["id"] == "the-heading"
        contents = page.select_one('.md-nav--secondary a[href="#the-heading"]')
        assert contents
        assert "".join(text.split()) in "".join(contents.get_text().split())


def test_expressions_are_those_of_f_strings(site: Site) -> None:
    site.sections("a", one="x = 5\nd = {'a': {'b': 1}}\nprint(x)")
    site.page(
        "p",
        '# P\n\n```python run="snippets/a.py:one"\n```\n\n'
        '{{ x:>3 }}; {{ x!r }}; {{ f"{x:.1f}" }}; {{ [i for i in (1, 2)] }}; '
        "{{d['a']['b']}}; {{ {'q': {'r': 2}}['q']['r'] }}; {{\nx +\n1 }}; "
        "{{ '}}' }}; {{ 'a|b' }}; {{x}}{{x}}; \\{{ x }}; `\\{{ x }}`; "
        "{ {x} }; {{ {x} }}; {{ {1: 2}[1]:>3 }}"
        "\n\n> - {{ x\n>   + 1 }} > 1, <a{{ x }}@e.org>"
        "\n\n`{{ x = }}; {{x=}}; {{ x= }}; {{ x = :>2 }}`"
        "\n\n```text\n{{ x }} \\{{ x }}\n```\n",
    )
    x = 5
    site.good()
    text = site.alike("p", "5").text
    assert text.endswith(
        "5;5;5.0;[1,2];1;2;6;}};a|b;55;{{x}};{{x}};{{x}};{5};26>1,a5@e.orgx=5;x=5;x=5;x=5{{x}}\\{{x}}"
    )
    page = forms.rendered(site.root / "site", "p/")
    codes = [code.get_text() for code in page.select("p > code")]
    assert page.select("a[href='mailto:a5@e.org']")
    assert codes[-1] == f"{x = }; {x=}; {x= }; {x = :>2}"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("{{ y }}", "{{ y }} raised NameError"),
        ("{{ 1 / 0 }}", "{{ 1 / 0 }} raised ZeroDivisionError"),
        ("{{ print(x) }}", "{{ print(x) }} printed '5\\n'"),
        ("{{ 'a\\0b' }}", "control character"),
        ("{{ '\\x1b[31mred' }}", "control character"),
        ("{{ }}", "cannot read the value"),
        ("{{ x = 1 }}", "cannot read the value"),
        ("{{ x\n\n}}", "cannot read the value"),
    ],
)
def test_a_value_that_cannot_be_shown_is_a_fault(
    site: Site, value: str, problem: str
) -> None:
    site.sections("a", one="x = 5")
    fence = '```python run="snippets/a.py:one"\n```\n'
    site.page("p", f"# P\n\n{fence}\nText {{{{ x }}}}.\n\nMore {value}\n")
    words = site.bad()
    assert words.count("mend:") == 1
    assert "docs/p.md:8: " in words
    assert problem in words
