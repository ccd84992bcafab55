"""HTML whose elements do not end is named: each program ends it elsewhere."""

from tests.engine.kinds.site import Site

FENCE = '```python run="snippets/a.py:one"\n```\n'
CASES = {
    "no_end": (f"Text.\n\n<div>\n\n{FENCE}", 3, "`<div>` is not closed"),
    "second": (
        f"<div>a</div>\n\n{FENCE}\n<div>b</div>\n\n<div>c\n",
        8,
        "`<div>` is not closed",
    ),
    "in_a_list": (
        f'- <div markdown="1">\n\n{FENCE}\n</div>\n',
        1,
        '`<div markdown="1">` is not closed',
    ),
    "with_a_name": (
        f'{FENCE}\n<table\nclass="a"><tr><td>a</td></tr>\n',
        4,
        '`<table\nclass="a">` is not closed',
    ),
    "no_begin": (
        f"<div>a</div>\n\n{FENCE}\n</div>\n",
        6,
        "`</div>` ends nothing that is open",
    ),
    "crossing": (
        f"{FENCE}\n<div><section>a</div></section>\n",
        4,
        "`<section>` is not closed",
    ),
    "by_itself": (f"{FENCE}\n<div/>\n\nText.\n", 4, "`<div/>` is not closed"),
}


def test_each_is_named_with_its_line(site: Site) -> None:
    site.sections("a", one="print('one')")
    for name, said in site.named(CASES).items():
        _, line, problem = CASES[name]
        assert said == f"md:{line}: {problem}", name


def test_what_needs_no_end_is_left_alone(site: Site) -> None:
    site.sections("a", one="print('one')")
    html = "<p>a<p>b<br><hr>\n<ul><li>c<li>d</ul> <b>e <i>f</b></i>"
    text = f"<div>{html}</div>\n\n`<div>` and &lt;div>, <b>bold.\n"
    site.page("p", f"{FENCE}\n{text}")
    site.good()
    site.alike("p", "one")
