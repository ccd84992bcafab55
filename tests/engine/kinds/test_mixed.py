"""Whatever a page is put together from, its forms agree, or it is named."""

import re

from tests.engine.kinds import forms
from tests.engine.kinds.mixed import Mixed
from tests.engine.kinds.site import Site

NUMBERS = range(30)
NAMED = re.compile(r"(?m)^docs/p(\d+)\.md:(?! \d+ blocks)")
MENDS = 4


def test_mixed_pages_are_alike_in_all_forms_or_named(site: Site) -> None:
    pages = {number: Mixed(number) for number in NUMBERS}
    for number, page in pages.items():
        site.sections(f"m{number}", **page.codes)
        site.page(f"p{number}", page.text)
    for _ in range(MENDS):
        code, words = site.engine("build")
        assert "Traceback" not in words
        if code == 0:
            break
        named = {int(number) for number in NAMED.findall(words)}
        assert named, words
        for number in named & pages.keys():
            del pages[number]
            (site.root / f"docs/p{number}.md").unlink()
            (site.root / f"snippets/m{number}.py").unlink()
    assert code == 0, words
    assert len(pages) > len(NUMBERS) / 2
    assert forms.dead_links(site.root / "site") == []
    for number, page in pages.items():
        shown = forms.page(site.root / "site", f"p{number}/").blocks
        said = [output for _, output in shown]
        assert sorted(said) == sorted(
            f"{number} {name}" for name in page.codes
        )
        for code_shown, output in shown:
            assert code_shown.endswith(f"print('{output}')")
        site.alike(f"p{number}", *said)
