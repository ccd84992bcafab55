"""What stands around a block's code is the same in all forms."""

from textwrap import indent

from tests.engine.kinds import forms
from tests.engine.kinds.pages import page
from tests.engine.kinds.site import Site

FENCE = '```python run="snippets/a.py:one" title="a *b* <c>"{}\n```\n'


def test_a_title_goes_where_the_code_goes(sections: Site) -> None:
    for name, more in (("p", ""), ("q", ' linenums="1"')):
        fence = indent(FENCE.format(more), "    ")
        sections.page(name, f"# P\n\n- A\n\n{fence}")
    sections.page("r", page("R", "%2\n%3\n"))
    built = sections.good()
    for name in ("p", "q"):
        twin = (built / f"{name}/index.md").read_text()
        assert r"**a \*b\* &lt;c>**" in twin
    sections.alike("p", "one")


def test_the_title_of_a_fold_stays_above_its_code(sections: Site) -> None:
    fence = FENCE.format(' fold="A *way* <d>"')
    inside = indent(fence.replace("one", "three"), "    ")
    sections.page("p", f"# P\n\n{fence}\n1. Item\n\n{inside}")
    sections.page("r", page("R", "%2\n"))
    sections.good()
    text = sections.alike("p", "one", "three").text
    assert text.count("A*way*<d>a*b*<c>") == 2


def test_a_block_that_is_meant_to_fail_says_nothing_more(site: Site) -> None:
    site.sections("a", one="raise ValueError('a $b$ | <c>')")
    fence = FENCE.format(' raises="ValueError"')
    fence = fence.replace(' title="a *b* <c>"', "")
    site.page("p", f"# P\n\n{fence}\nEnd.\n")
    built = site.good()
    page = forms.page(built, "p/")
    assert page.blocks[0][1] == "ValueError: a $b$ | <c>"
    assert forms.view(built, "notebooks/p/") == page
    assert forms.notebook(built, "p.ipynb") == page


def test_classes_of_a_fence_are_those_of_its_code(site: Site) -> None:
    site.sections("a", one="print('one')")
    fence = FENCE.format("").replace("python", "{.python .no-copy .annotate")
    site.page("p", "# P\n\n" + fence.replace('"\n', '"}\n'))
    page = forms.rendered(site.good(), "p/")
    assert page.select("[data-block] > .no-copy.annotate.highlight code")
    site.alike("p", "one")
