"""The title above a block's code goes where the code goes."""

from textwrap import indent

from tests.engine.kinds.pages import page
from tests.engine.kinds.site import Site

FENCE = '```python run="snippets/a.py:one" title="a *b* <c>"{}\n```\n'


def test_it_is_in_all_forms(sections: Site) -> None:
    for name, more in (("p", ""), ("q", ' linenums="1"')):
        fence = indent(FENCE.format(more), "    ")
        sections.page(name, f"# P\n\n- A\n\n{fence}")
    sections.page("r", page("R", "%2\n%3\n"))
    built = sections.good()
    for name in ("p", "q"):
        twin = (built / f"{name}/index.md").read_text()
        assert r"**a \*b\* &lt;c>**" in twin
    sections.alike("p", "one")
