"""An edited page is shown at once, the same as in the build that follows."""

import itertools
import re
import time
from pathlib import Path

import pytest

from engine.build.preview import Preview
from engine.errors import Superseded
from tests.engine.build import served
from tests.engine.build.served import FAILED, Served, Start
from tests.engine.scratch import Scratch
from tests.waiting import wait_until

start = served.start
RELOAD = re.compile(r"livereload\((\d+),")


@pytest.fixture
def preview(preview: Preview, tmp_path: Path) -> Preview:
    """The previews of a project, of which one is made."""
    preview.build(tmp_path / "site")
    return preview


def pages(site: Path) -> dict[str, str]:
    return {
        path.relative_to(site).as_posix(): path.read_text("utf-8")
        for path in site.rglob("*.html")
    }


def glance(preview: Preview, folder: Path) -> dict[str, str]:
    """Return the pages that are made at once."""
    site = folder / "site"
    for path in site.rglob("*.html"):
        path.unlink()
    return pages(site) if preview.glance(site) else {}


def test_an_edited_page_is_made_as_the_whole_build_makes_it(
    scratch: Scratch, preview: Preview, tmp_path: Path
) -> None:
    for old, new in (
        ("We count.", "We *count*."),
        ("There were", "We had"),
        ("# Counting", "# Counting *well*"),
        ("# Counting *well*", "---\ntitle: Numbers\n---\n\n# Counting"),
    ):
        scratch.replace("docs/count.md", old, new)
        early = glance(preview, tmp_path)
        assert [*early] == ["count/index.html"]
        preview.build(tmp_path / "site")
        whole = pages(tmp_path / "site")["count/index.html"]
        assert early["count/index.html"] == whole
    assert "We had 2 numbers." in whole


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("snippets/count.py", "2.5", "3.5"),
        ("mkdocs.yml", "Scratch", "Other"),
        ("docs/count.md", "py:count", "py:cuont"),
        ("docs/count.md", "{{ total }}", "{{ total + 1 }}"),
        ("docs/count.md", "We count.", "[We count.](nowhere.md)"),
    ],
)
def test_what_needs_more_than_a_page_waits_for_the_build(
    scratch: Scratch,
    preview: Preview,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    file: str,
    old: str,
    new: str,
) -> None:
    """Code that has to run, a setting, and what is wrong."""
    submitted: list[object] = []
    assert preview.project
    queue = preview.project.queue
    monkeypatch.setattr(queue, "submit", lambda *a: submitted.append(a))
    scratch.replace(file, old, new)
    assert not glance(preview, tmp_path)
    assert not submitted


def test_a_superseded_build_leaves_all_as_it_was(
    scratch: Scratch, preview: Preview, tmp_path: Path
) -> None:
    """Wherever in the build the next edit comes."""
    said = "We count."
    for looks in itertools.count(1):
        scratch.replace("docs/count.md", said, f"We count {looks}.")
        said = f"We count {looks}."
        early = glance(preview, tmp_path)
        assert [*early] == ["count/index.html"]
        left = iter(range(looks))
        try:
            preview.build(tmp_path / "site", lambda: next(left, -1) < 0)  # noqa: B023
        except Superseded:
            continue
        break
    assert looks > 5
    whole = pages(tmp_path / "site")["count/index.html"]
    assert early["count/index.html"] == whole


def test_two_edits_at_once_wait_for_the_build(
    scratch: Scratch, preview: Preview, tmp_path: Path
) -> None:
    scratch.replace("docs/count.md", "We count.", "We count up.")
    scratch.replace("docs/index.md", "Words.", "More words.")
    assert not glance(preview, tmp_path)


HOOK = """\
def on_env(env, config, files):
    page = files.get_file_from_path("{}").page
    page.content += "<p>Hooked.</p>"
"""


@pytest.mark.parametrize(
    ("hooked", "edited", "made"),
    [("index.md", "count", True), ("count.md", "count", False)],
)
def test_a_page_that_others_had_a_hand_in_waits_for_the_build(
    scratch: Scratch,
    preview: Preview,
    tmp_path: Path,
    hooked: str,
    edited: str,
    made: bool,
) -> None:
    scratch.write("late.py", HOOK.format(hooked))
    scratch.replace("mkdocs.yml", "hooks: [", "hooks: [late.py, ")
    preview.build(tmp_path / "site")
    scratch.replace(f"docs/{edited}.md", "We count.", "We count up.")
    assert bool(glance(preview, tmp_path)) is made


BREAKS = """\
def on_page_markdown(markdown, **_):
    if "count up" in markdown:
        raise {}
"""


@pytest.mark.parametrize("error", ["SystemExit(1)", "ValueError"])
def test_a_hook_that_breaks_is_left_to_the_build(
    scratch: Scratch, preview: Preview, tmp_path: Path, error: str
) -> None:
    scratch.write("breaks.py", BREAKS.format(error))
    scratch.replace("mkdocs.yml", "hooks: [", "hooks: [breaks.py, ")
    preview.build(tmp_path / "site")
    scratch.replace("docs/count.md", "We count.", "We count up.")
    assert not glance(preview, tmp_path)


def test_after_a_failed_build_nothing_is_made_by_itself(
    scratch: Scratch, preview: Preview, tmp_path: Path
) -> None:
    scratch.replace("docs/index.md", "Words.", "[Words.](nowhere.md)")
    with pytest.raises(Exception, match=r"nowhere\.md"):
        preview.build(tmp_path / "site")
    scratch.replace("docs/count.md", "We count.", "We count up.")
    assert not glance(preview, tmp_path)


def shown_early(start: Start) -> Served:
    """Return a site of which a page is shown, and all is still made."""
    site = start("first")
    site.shows("<p>first</p>")
    site.write("second", "early")
    site.write("slow")
    site.shows("<p>second</p>")
    wait_until(lambda: site.builds == ["first", "slow"])
    return site


def test_what_is_made_early_is_shown_while_the_site_is_made(
    start: Start,
) -> None:
    site = shown_early(start)
    site.write("", "go")
    site.shows("<p>slow</p>")
    site.shows("<p>slow</p>", "other/")


def test_an_edit_ends_the_build_of_what_is_shown_already(
    start: Start,
) -> None:
    site = shown_early(start)
    site.write("third", "early")
    site.write("slow, too")
    site.shows("<p>third</p>")
    site.write("", "go")
    site.shows("<p>slow, too</p>", "other/")
    assert site.said == ""


def test_a_build_that_shows_the_first_of_an_edit_goes_on(start: Start) -> None:
    site = start("first")
    site.shows("<p>first</p>")
    site.write("slow")
    wait_until(lambda: site.builds == ["first", "slow"])
    site.write("third", "early")
    site.write("slow, too")
    time.sleep(0.5)
    assert "<p>first</p>" in site.get()
    site.write("", "go")
    site.shows("<p>slow, too</p>")
    assert site.builds == ["first", "slow", "slow, too"]


def test_browsers_load_again_only_if_the_whole_build_differs(
    start: Start,
) -> None:
    site = start("first")
    site.shows("<p>first</p>")
    for text, early, reloads in (("one", "one", 2), ("two", "too", 4)):
        site.write(early, "early")
        site.write(text, "more")
        site.write(text)
        wait_until(lambda: site.get("more.txt") == text)  # noqa: B023
        site.shows(f"<p>{text}</p>")
        said = sum("Reloading" in line for line in site.lines)
        assert said == reloads


def test_a_build_that_fails_says_so_over_what_was_shown_early(
    start: Start,
) -> None:
    site = start("first")
    site.shows("<p>first</p>")
    site.write("second", "early")
    site.write("fault, and slow")
    site.shows("<p>second</p>")
    early = RELOAD.findall(site.get())
    site.write("", "go")
    site.shows(FAILED)
    assert "<p>second</p>" in site.get()
    assert RELOAD.findall(site.get()) != early
    site.write("last")
    site.shows("<p>last</p>")
