"""Output is kept for as long as nothing on which it depends changes."""

from pathlib import Path

import pytest

from engine.keep import versions
from tests.engine.conftest import made_once
from tests.engine.kinds.site import Site

CODES = {
    "one": "import fastjsonschema\n\nprint('one')",
    "two": "def f():\n    from nbformat import v4\n    return v4.nbformat",
    "three": "try:\n    import nothing_like_it\nexcept ImportError:\n"
    "    nothing_like_it = None\nprint(f())",
}
FENCE = '```python run="snippets/a.py:{}"\n```\n'
PAGE = "# P\n\n" + "\nText.\n\n".join(map(FENCE.format, CODES))
RUNS = "Running docs/p.md"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the site is kept that has run."""
    return tmp_path_factory.mktemp("run") / "project"


@pytest.fixture
def run_once(site: Site, kept: Path) -> Site:
    def run() -> None:
        site.sections("a", **CODES)
        site.sections("b", one="print(1)")
        site.page("p", PAGE)
        site.page("q", FENCE.format("one").replace("a.py", "b.py"))
        site.good()
        site.alike("p", "one", "", "4")

    made_once(site, kept, run)
    return site


def built(site: Site, *arguments: str) -> str:
    """Return what a good build says, after which the page is whole."""
    code, words = site.engine("build", *arguments)
    assert code == 0, words
    site.alike("p", "one", "", "4")
    return words


def test_nothing_runs_again_for_nothing_and_all_by_force(
    run_once: Site,
) -> None:
    assert "Running" not in built(run_once)
    words = built(run_once, "--force")
    assert words.count("Running") == 2


@pytest.mark.parametrize(
    "name",
    [
        "fastjsonschema",  # imported by a block
        "nbformat",  # imported within a function
        "jsonschema",  # needed by that
        "attrs",  # and by that
    ],
)
def test_another_version_of_what_it_needs_runs_the_page_again(
    run_once: Site, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    known = versions.version

    def other(distribution: str) -> str | None:
        return "0.0.1" if distribution == name else known(distribution)

    monkeypatch.setattr(versions, "version", other)
    words = built(run_once)
    assert RUNS in words
    assert "docs/q.md" not in words
    assert "Running" not in built(run_once)


def test_another_version_of_what_it_does_not_need_runs_nothing(
    run_once: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = versions.version

    def other(distribution: str) -> str | None:
        return "0.0.1" if distribution == "numpy" else known(distribution)

    monkeypatch.setattr(versions, "version", other)
    assert "Running" not in built(run_once)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Text.", "Other text."),
        ("# P", "# P again"),
        ('one"', 'one" title="T" hl_lines="1"'),
        ('one"', 'one" fold="Imports"'),
        ('one"', 'one" limit="30"'),
        ("```python", "~~~python"),
        (FENCE.format("two"), "!!! note\n\n    ```python "
         'run="snippets/a.py:two"\n    ```\n'),
    ],
)  # fmt: skip
def test_what_does_not_bear_on_the_result_runs_nothing(
    run_once: Site, old: str, new: str
) -> None:
    if new.startswith("~~~"):
        run_once.page("p", PAGE.replace("```", "~~~"))
    else:
        run_once.page("p", PAGE.replace(old, new))
    code, words = run_once.engine("build")
    assert code == 0, words
    assert "Running" not in words


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("snippets/a.py", "print('one')", "print('one' )"),
        ("docs/p.md", "Text.", "Text {{ f() }}."),
        ("docs/p.md", "Text.", "```console\ntrue\n```\n"),
    ],
)
def test_what_bears_on_it_runs_the_page_again(
    run_once: Site, path: str, old: str, new: str
) -> None:
    file = run_once.root / path
    head, _, tail = file.read_text("utf-8").rpartition(old)
    file.write_text(head + new + tail, "utf-8")
    code, words = run_once.engine("build")
    assert code == 0, words
    assert RUNS in words
    assert "docs/q.md" not in words


def test_two_blocks_that_change_places_run_again(run_once: Site) -> None:
    run_once.sections("a", **CODES, four="print('four')", five="print('five')")
    for names in (["four", "five"], ["five", "four"]):
        run_once.page("p", PAGE + "\n".join(map(FENCE.format, names)))
        run_once.good()
        run_once.alike("p", "one", "", "4", *names)
