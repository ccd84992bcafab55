"""Pages work for whoever opens them."""

import re
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Visitor

GUIDE = "basic_training_loops/"
VIEW = "notebooks/basic_training_loops/"
PATHS = ["", GUIDE, "foundations/", VIEW, "404.html"]
LIGHT, DARK = "rgb(253, 252, 250)", "rgb(18, 22, 27)"
RULES = [
    "wcag2a",
    "wcag2aa",
    "wcag21a",
    "wcag21aa",
    "wcag22aa",
    "best-practice",
]
ALONE = """[...document.querySelectorAll('.headerlink')].filter(link => {
    const text = document.createRange();
    text.selectNodeContents(link.parentElement);
    text.setEndBefore(link);
    const last = [...text.getClientRects()].at(-1);
    return last && link.getBoundingClientRect().top > last.bottom;
}).map(link => link.hash)"""
"""The links of headings that stand on a line of their own."""
OF_COLOURS = ["color-contrast", "link-in-text-block"]
"""Those of the rules that look at colours."""


def search(page: Page, words: str) -> list[str]:
    """Search as a reader does; return the addresses found, best first."""
    opener = page.locator(".md-header__button[for=__search]")
    if opener.is_visible():
        opener.click()
    page.locator(".md-search__input").click()
    page.keyboard.type(words, delay=10)
    results = page.locator(".md-search-result__link")
    results.first.wait_for()
    return [str(link.get_attribute("href")) for link in results.all()]


def ground(page: Page) -> str:
    """Return the colour behind the text."""
    return str(
        page.evaluate("getComputedStyle(document.body).backgroundColor")
    )


def clipboard(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def open_folds(page: Page) -> None:
    page.evaluate(
        "document.querySelectorAll('details').forEach(d => d.open = true)"
    )


def faults(page: Page, within: str = "html") -> list[str]:
    """Return what axe finds within an element in each theme.

    The dark theme is the light one in other colours, so that these alone
    are looked at.
    """
    tags = {"type": "tag", "values": RULES}
    found = in_theme(page, "light", within, tags)
    colours = {"type": "rule", "values": OF_COLOURS}
    return found + in_theme(page, "dark", within, colours)


def in_theme(
    page: Page,
    theme: Literal["light", "dark"],
    within: str,
    rules: dict[str, Any],
) -> list[str]:
    """Return what axe finds in one theme, as theme, rule and element."""
    # Colours that change slowly would be seen half-way.
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    assert ground(page) == {"light": LIGHT, "dark": DARK}[theme]
    answer = Axe().run(
        page,
        # The drawings are images to axe; their thousand strokes cost minutes.
        context={"include": [[within]], "exclude": [["svg[role=img] *"]]},
        options={"runOnly": rules, "resultTypes": ["violations"]},
    )
    violations = answer.response["violations"]
    return [
        f"{theme}, {violation['id']}: {node['html'][:120]}"
        for violation in violations
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing(visitor: Visitor, path: str, width: int) -> None:
    assert faults(visitor(width=width).open(path)) == []


def test_the_themes_differ_in_colours_alone(site: Path) -> None:
    css = "\n".join(path.read_text("utf-8") for path in site.rglob("*.css"))
    # What `light-dark` chooses from are colours.
    assert css.count("light-dark(#") == css.count("light-dark(") > 10
    assert "prefers-color-scheme" not in css
    chosen = re.findall(r"\[data-theme=[^{]*\{([^}]*)\}", css)
    assert len(chosen) == css.count("data-theme") == 2
    assert {rule.split()[0] for rule in chosen} == {"color-scheme:"}
    assert all(rule.count(":") == 1 for rule in chosen)


@pytest.mark.parametrize("width", [1280, 375])
def test_axe_finds_nothing_while_searching(
    visitor: Visitor, width: int
) -> None:
    page = visitor(width=width).open(GUIDE)
    search(page, "gradient")
    assert faults(page, within=".md-header") == []


def test_nothing_is_asked_of_another_host_and_nothing_goes_wrong(
    visitor: Visitor,
) -> None:
    visit = visitor()
    for path in PATHS[:-1]:
        page = visit.open_and_wait(path)
        search(page, "tape")
        page.keyboard.press("Escape")
        page.locator(".theme-switch").click()
        page.locator(".run-bar button").first.click()
    assert len(visit.requests) > 20
    assert all(url.startswith(visit.address) for url in visit.requests)
    assert visit.faults == []


def test_a_page_asks_for_little(visitor: Visitor) -> None:
    visit = visitor()
    visit.open_and_wait(GUIDE)
    assert 1 < len(visit.requests) <= 10


def test_every_copy_button_works_by_keyboard(visitor: Visitor) -> None:
    page = visitor().open(GUIDE)
    open_folds(page)
    buttons = page.locator(".run-bar button")
    blocks = page.locator(".run[data-block]").count()
    # Block 1 has no "up to here", and the whole program has a button.
    assert buttons.count() == 2 * blocks
    for button in buttons.all():
        button.focus()
        page.keyboard.press("Enter")
        expect(page.locator("body > .spoken")).to_contain_text("Copied")
        expect(button).to_be_focused()
        expect(button).to_have_text("Copied")
        page.evaluate(
            "document.querySelector('body > .spoken').textContent = ''"
        )


def test_buttons_are_reached_by_tab(visitor: Visitor) -> None:
    page = visitor().open("foundations/")
    reached = set()
    for _ in range(100):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("document.activeElement.getAttribute('aria-label')")
        )
    assert {"Copy block 1", "Copy block 5"} <= reached
    assert "Copy up to here: blocks 1 to 5" in reached


def test_copied_text_is_the_code(visitor: Visitor) -> None:
    page = visitor().open("foundations/")
    code = page.locator(".run[data-block] pre > code")
    page.get_by_role("button", name="Copy block 2", exact=True).click()
    assert clipboard(page) == code.nth(1).text_content()
    both_blocks = "Copy up to here: blocks 1 to 2"
    page.get_by_role("button", name=both_blocks, exact=True).click()
    both = [str(code.nth(i).text_content()) for i in range(2)]
    expect(page.locator(":focus")).to_have_text("Copied")
    assert clipboard(page) == "\n\n".join(both)


def test_copied_program_goes_on_after_what_is_meant_to_fail(
    visitor: Visitor,
) -> None:
    page = visitor().open(GUIDE)
    page.get_by_role("button", name="blocks 1 to 10").click()
    expect(page.locator(":focus")).to_have_text("Copied")
    copied = clipboard(page)
    assert "\nexcept ValueError as meant:\n" in copied
    whole = page.locator(".run-program code").first.text_content()
    words, of_whole = copied.split(), str(whole).split()
    assert of_whole[: len(words)] == words


def test_without_scripts_everything_is_there(visitor: Visitor) -> None:
    shown = []
    for scripts in (True, False):
        page = visitor(scripts=scripts).open(GUIDE)
        assert page.locator(".run-output").first.is_visible()
        assert page.locator(".run-figure svg").first.is_visible()
        shown.append(
            [
                page.locator(selector).count()
                for selector in (
                    ".run .highlight code",
                    ".run-output",
                    ".run-figure svg",
                    "article math",
                    ".md-nav--secondary a",
                )
            ]
        )
    assert shown[0] == shown[1]
    assert min(shown[1]) > 4


@pytest.mark.parametrize("scripts", [True, False])
def test_the_theme_follows_the_system(visitor: Visitor, scripts: bool) -> None:
    grounds = [
        ground(visitor(theme=theme, scripts=scripts).open(""))
        for theme in ("light", "dark")
    ]
    assert grounds == [LIGHT, DARK]


def test_a_chosen_theme_is_kept(visitor: Visitor) -> None:
    visit = visitor(theme="light")
    visit.open("").get_by_role("button", name="Switch to dark theme").click()
    page = visit.open("foundations/")
    assert ground(page) == DARK
    page.get_by_role("button", name="Switch to light theme").click()
    assert ground(page) == LIGHT


def test_a_narrow_window_scrolls_down_only_and_wastes_no_line(
    visitor: Visitor,
) -> None:
    visit = visitor(width=320)
    pages = visit.open("").locator(".md-nav--primary a[href]")
    links = pages.evaluate_all("links => links.map(link => link.href)")
    paths = {link.removeprefix(visit.address) for link in links} | {*PATHS}
    assert len(paths) > 20
    for path in paths:
        page = visit.open(path)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width == 320, path
        assert page.evaluate(ALONE) == [], path


def test_code_that_scrolls_is_reached_and_named(visitor: Visitor) -> None:
    page = visitor(width=320).open(GUIDE)
    open_folds(page)
    page.wait_for_timeout(500)
    scrollers = page.evaluate(
        "[...document.querySelectorAll('.run pre')]"
        ".filter(e => e.scrollWidth > e.clientWidth)"
        ".map(e => [e.tabIndex, e.getAttribute('aria-label')])"
    )
    assert len(scrollers) > 10
    for index, name in scrollers:
        assert index == 0
        assert re.fullmatch(r"(Code|Output) of (block \d+|the .*)", name)


def test_the_table_of_contents_marks_the_section_that_was_chosen(
    visitor: Visitor,
) -> None:
    page = visitor().open(GUIDE)
    links = page.locator(".md-sidebar--secondary a[href^='#']")
    assert links.count() > 5
    for link in links.all()[:5]:
        link.click()
        expect(link).to_have_attribute("aria-current", "true")


def test_paper_shows_the_page_alone(visitor: Visitor) -> None:
    page = visitor(theme="dark", width=794).open(GUIDE)
    page.emulate_media(media="print", color_scheme="dark")
    for selector in (".md-header", ".md-sidebar", ".md-footer", ".run-bar"):
        assert not page.locator(selector).first.is_visible()
    assert ground(page) in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")
    cut = page.evaluate(
        "[...document.querySelectorAll('.run pre')]"
        ".filter(e => e.scrollWidth > e.clientWidth + 1).length"
    )
    assert cut == 0


def test_the_page_for_a_wrong_address_helps(visitor: Visitor) -> None:
    assert visitor().open("404.html").locator("article a").count() >= 3


def test_less_motion_is_respected(visitor: Visitor) -> None:
    page = visitor().open(GUIDE)
    page.emulate_media(reduced_motion="reduce")
    moving = page.evaluate(
        "[...document.querySelectorAll('*')].filter(e => "
        "parseFloat(getComputedStyle(e).transitionDuration) > 0).length"
    )
    assert moving == 0


def test_the_offline_copy_is_read_and_searched_without_a_server(
    chromium: Browser, offline: Path
) -> None:
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"file://{offline}/index.html")
    page.get_by_role("link", name="Read the guide").click()
    expect(page.locator("h1")).to_contain_text("Basic training loops")
    assert search(page, "assign_sub")[0]
    page.close()
    assert all(url.startswith(("file://", "data:")) for url in asked)
