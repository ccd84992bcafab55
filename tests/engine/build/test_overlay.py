"""What went wrong is laid over the page in the browser."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.engine.build import served
from tests.engine.build.served import FAILED, FAULT, NO_PAGE, Served, Start

start = served.start
PANEL = "#build-failed"
COUNT = """
window.announced = [];
new MutationObserver(changes => {
  for (const { target, addedNodes } of changes) {
    if (target.role === "status" && addedNodes.length) {
      window.announced.push(target.textContent);
    }
  }
}).observe(document, { childList: true, subtree: true });
"""
Visitor = Callable[..., Page]


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Visitor]:
    """Return a function that opens a window in which nothing goes wrong."""
    faults: list[str] = []
    contexts = []

    def visit(site: Served, **options: Any) -> Page:
        context = chromium.new_context(**options)
        contexts.append(context)
        context.add_init_script(COUNT)
        page = context.new_page()
        page.on("console", lambda m: faults.append(f"{m.type} {m.text}"))
        page.on("pageerror", lambda e: faults.append(f"error {e}"))
        page.goto(site.address)
        return page

    yield visit
    for context in contexts:
        context.close()
    # What stands there before the first good build is a page not found.
    kinds = ("error", "warning")
    found = [x for x in faults if x.startswith(kinds) and "404" not in x]
    assert found == []


def announced(page: Page) -> Any:
    """Return what was read out since the page was loaded."""
    page.wait_for_load_state()
    page.wait_for_timeout(500)
    return page.evaluate("announced")


def test_the_browser_shows_a_fault_until_it_is_mended(
    start: Start, visit: Visitor
) -> None:
    site = start("first")
    site.shows("first")
    page = visit(site)
    assert page.locator(PANEL).count() == 0
    site.write("fault")
    page.wait_for_selector(PANEL)
    assert page.locator(f"{PANEL} pre").inner_text() == FAULT
    assert announced(page) == [f"{FAILED}{FAULT}"]
    assert page.evaluate("document.activeElement === document.body")
    page.get_by_role("link", name="On").click()
    page.wait_for_url("**/other/")
    assert page.locator(PANEL).is_visible()
    assert announced(page) == []
    site.write("mended")
    page.wait_for_selector("text=mended")
    assert page.locator(PANEL).count() == 0
    site.write("fault")
    page.wait_for_selector(PANEL)
    assert announced(page) == [f"{FAILED}{FAULT}"]


def test_the_first_good_build_is_shown_by_itself(
    start: Start, visit: Visitor
) -> None:
    site = start("slow")
    page = visit(site, ignore_https_errors=True)
    assert page.locator("h1").inner_text() == NO_PAGE
    site.write("", "go")
    page.wait_for_selector("text=slow")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_message_is_accessible_and_can_be_dismissed(
    start: Start, visit: Visitor, theme: str
) -> None:
    site = start("fault")
    site.shows(FAILED)
    page = visit(
        site, color_scheme=theme, viewport={"width": 320, "height": 480}
    )
    found = Axe().run(page).response["violations"]
    assert [violation["id"] for violation in found] == []
    for place in ("html", PANEL):
        width = page.locator(place).evaluate("place => place.scrollWidth")
        assert width <= 320
    box = page.locator(PANEL).bounding_box()
    assert box is not None
    assert box["height"] <= 240
    page.keyboard.press("Escape")
    assert page.locator(PANEL).count() == 0
    page.reload()
    page.get_by_role("button", name="Close").click()
    assert page.locator(PANEL).count() == 0
