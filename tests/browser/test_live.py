"""Readers of the served site edit its blocks, run them, and bring them back.

By default every block of three short pages is run as it is.  With
LIVE_PAGES=all in the environment those of all pages are, which takes some
minutes.
"""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import PATIENCE, Visit, listen
from tests.browser.test_pages import GUIDE, clipboard, faults, open_folds
from tests.conftest import REPOSITORY
from tests.site.reader import run_alone
from tools.compare import EXPECTED, same, stated_tolerance

FONTS = REPOSITORY / ".cache/matplotlib"
SERVE = [sys.executable, "-m", "engine", "serve", "--port", "8700"]
ALL = sorted(path.stem for path in (REPOSITORY / EXPECTED).glob("*.txt"))
FEW = ["explorer", "how_it_is_proven", "index"]
RATE, LOOP, RUN, PLOT = "learning_rate=0.1", 16, 17, 18
"""What is edited in the guide, and the blocks that define, run and plot."""


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """The address of the repository's site as `make serve` has it."""
    (REPOSITORY / ".cache").mkdir(exist_ok=True)
    with FileLock(REPOSITORY / ".cache/tests.lock"):
        server = subprocess.Popen(
            SERVE, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True
        )
        assert server.stderr is not None
        said: list[str] = []
        for line in server.stderr:
            said.append(line)
            if line.startswith("Reloading"):
                break
    rest = threading.Thread(target=lambda: said.extend(server.stderr or []))
    rest.start()
    addresses = [x.split()[-1] for x in said if x.startswith("Serving on")]
    assert server.poll() is None, said
    yield addresses[0]
    server.terminate()
    assert server.wait(timeout=30) == 0
    rest.join(timeout=30)
    assert "Traceback" not in "".join(said)


Tab = Callable[..., Visit]


@pytest.fixture
def tab(chromium: Browser, served: str) -> Iterator[Tab]:
    """Return a function that opens a tab of one browser."""
    contexts = []

    def open_tab(width: int = 1280, scripts: bool = True) -> Visit:
        context = chromium.new_context(
            color_scheme="light",
            viewport={"width": width, "height": 900},
            java_script_enabled=scripts,
            permissions=["clipboard-read", "clipboard-write"],
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        visit = Visit(context.new_page(), served)
        listen(visit)
        return visit

    yield open_tab
    for context in contexts:
        context.close()


def opened(visit: Visit, path: str) -> Page:
    """Open a page; one that is served asks for news without end."""
    visit.page.goto(visit.address + path)
    visit.page.wait_for_load_state("load")
    return visit.page


def block(page: Page, number: int) -> Locator:
    return page.locator(f".run[data-block='{number}']")


def edit(page: Page, number: int, old: str = "", new: str = "") -> Locator:
    """Open the editor of a block; write something else into it."""
    found = block(page, number)
    area = found.locator("textarea")
    if area.count():
        area.focus()
    else:
        found.locator(".live-edit").click()
    expect(area).to_be_focused()
    code = area.input_value()
    assert old in code
    if old != new:
        area.fill(code.replace(old, new))
    return area


def run(page: Page, number: int) -> Locator:
    """Run up to a block whose editor is open; return what it then shows."""
    found = block(page, number)
    found.locator("textarea").press("Control+Enter")
    expect(found.locator(".live-own")).to_be_visible()
    idle(page)
    return found.locator(".live-own")


def idle(page: Page) -> None:
    expect(page.locator(".live-busy")).to_have_count(0)


def markup(page: Page) -> str:
    """Return the blocks' HTML, but for what scripts leave of their own."""
    blocks = page.locator(".run[data-block]").all()
    html = "\n".join(str(b.evaluate("e => e.outerHTML")) for b in blocks)
    html = html.replace(">Copied<", ">Copy up to here<")
    return re.sub(r' (class=""|data-label="[^"]*")', "", html)


def printed(shown: Locator) -> str:
    samp = shown.locator("samp")
    return str(samp.text_content()) if samp.count() else ""


def test_a_learning_rate_is_edited_run_compared_and_brought_back(
    tab: Tab, tmp_path: Path
) -> None:
    visit = tab()
    page = opened(visit, GUIDE)
    whole = markup(page)
    before = printed(block(page, RUN))
    edit(page, LOOP, RATE, RATE.replace("0.1", "0.3"))
    edit(page, PLOT)
    figure = run(page, PLOT)
    expect(figure.locator("b")).to_have_text("Your run")
    expect(figure.locator(".live-label")).to_contain_text(
        "The text around it keeps the page's numbers."
    )
    losses = printed(block(page, RUN).locator(".live-own"))
    assert len(losses.split("\n")) == len(before.split("\n")) > 5
    assert losses != before
    for number in (RUN, PLOT):
        found = block(page, number)
        expect(found.locator("> :is(.run-output, .run-figure)")).to_be_hidden()

    # The same program by Python alone: what the page's own button copies.
    page.get_by_role("button", name=f"blocks 1 to {PLOT}").click()
    expect(page.locator(":focus")).to_have_text("Copied")
    program = clipboard(page)
    assert "learning_rate=0.3" in program
    ends = "for line in plt.gca().lines:\n"
    ends += "    print(*(f'{y:#.5g}' for y in line.get_ydata()), sep=', ')\n"
    show = "plt.legend()\nplt.show()"
    assert program.rstrip().endswith(show)
    program = program.rstrip().removesuffix("plt.show()") + ends
    folder = tmp_path / "reader"
    folder.mkdir()
    alone = run_alone(program, folder, FONTS)
    *_, w, b, true_w, true_b = alone.rstrip("\n").split("\n")
    drawn = str(figure.locator("svg").get_attribute("aria-label"))
    for line in (w, b, true_w, true_b):
        assert f"y: {line};" in f"{drawn};"
    assert losses in alone

    page.get_by_role("button", name="Bring the page's block 17 back").click()
    expect(block(page, RUN).locator("> .run-output")).to_be_visible()
    expect(block(page, PLOT).locator("> .run-figure")).to_be_hidden()
    page.get_by_role("button", name="Bring all of the page's back").click()
    expect(page.locator(".live-own, .live-tools, textarea")).to_have_count(0)
    expect(block(page, PLOT).locator("> .run-figure")).to_be_visible()
    assert markup(page) == whole
    assert visit.faults == []


@pytest.mark.parametrize(
    "name", ALL if os.environ.get("LIVE_PAGES") == "all" else FEW
)
def test_every_block_run_unedited_gives_what_the_page_shows(
    tab: Tab, name: str
) -> None:
    page = opened(tab(), "" if name == "index" else f"{name}/")
    open_folds(page)
    text = (REPOSITORY / EXPECTED / f"{name}.txt").read_text("utf-8")
    within = stated_tolerance(text)
    numbers = range(1, page.locator(".run[data-block]").count() + 1)
    assert len(numbers) > 0
    for number in numbers:
        found = block(page, number)
        edit(page, number)
        shown = run(page, number)
        theirs = printed(found.locator("> .run-output"))
        assert same(theirs, printed(shown), within), (number, theirs)
        drawn = found.locator("> .run-figure svg")
        ours = shown.locator("svg")
        assert drawn.count() == ours.count()
        if drawn.count():
            own = ours.inner_html().replace(f"b{number}.001:", f"b{number}:")
            assert same(drawn.inner_html(), own, within)
        expect(shown.locator(".live-label")).to_have_text("Your run")
        expect(shown.locator(".live-fault")).to_have_count(0)
        found.locator(".live-edit").click()


def test_the_next_block_costs_itself_alone(tab: Tab) -> None:
    page = opened(tab(), "foundations/")
    edit(page, 2)
    run(page, 2)
    edit(page, 3)
    run(page, 3)
    state = block(page, 3).locator(".live-state")
    took = re.fullmatch(r"Ran in (\d+\.\d) s", state.inner_text())
    assert took
    assert float(took[1]) < 1


def test_edits_survive_a_reload_and_are_taken_home(
    tab: Tab, tmp_path: Path
) -> None:
    page = opened(tab(), "foundations/")
    edit(page, 2, "3.0]", "4.0]")
    page.reload()
    area = block(page, 2).locator("textarea")
    expect(area).to_have_value(re.compile(r"4\.0\]"))
    expect(page.locator(".live-dock span")).to_have_text("You edited block 2")
    with page.expect_download() as download:
        page.get_by_role("button", name="Take home as script").click()
    assert download.value.suggested_filename == "foundations_edited.py"
    script = Path(download.value.path()).read_text("utf-8")
    assert "tf.constant([1.0, 2.0, 4.0])" in script
    compile(script, "script", "exec")
    page.get_by_role("button", name="Bring all of the page's back").click()
    page.reload()
    expect(page.locator("textarea")).to_have_count(0)


def test_an_edit_of_code_that_has_changed_since_says_so(tab: Tab) -> None:
    page = opened(tab(), "foundations/")
    kept = json.dumps([[2, "print('as it was')", "print('mine')"], [999]])
    page.evaluate(f"() => localStorage['/foundations/.edits'] = {kept!r}")
    page.reload()
    expect(block(page, 2).locator(".live-state")).to_have_text(
        "The page has changed since this edit"
    )
    assert printed(run(page, 2)) == "mine"


def test_an_edit_follows_its_block(tab: Tab) -> None:
    page = opened(tab(), "foundations/")
    edit(page, 2, "3.0]", "4.0]")
    edit(page, 4).fill("print('four')")
    # As if a block had been put above them since.
    page.evaluate(
        """() => {
          const key = '/foundations/.edits';
          const kept = JSON.parse(localStorage[key]);
          for (const edit of kept) edit[0] -= 1;
          localStorage[key] = JSON.stringify(kept);
        }"""
    )
    page.reload()
    said = page.locator(".live-dock span")
    expect(said).to_have_text("You edited blocks 2, 4")
    expect(page.locator("textarea")).to_have_count(2)
    page.reload()
    expect(said).to_have_text("You edited blocks 2, 4")


def test_two_tabs_keep_the_edits_of_each_other(tab: Tab) -> None:
    visit = tab()
    one = opened(visit, "foundations/")
    two = one.context.new_page()
    two.goto(one.url)
    edit(one, 2, "3.0]", "4.0]")
    edit(two, 4).fill("print('four')")
    edit(one, 2, "4.0]", "5.0]")
    for page in (one, two):
        page.reload()
        expect(page.locator(".live-dock span")).to_have_text(
            "You edited blocks 2, 4"
        )
    expect(block(two, 2).locator("textarea")).to_have_value(
        re.compile(r"5\.0\]")
    )


def test_a_browser_that_cannot_keep_an_edit_says_so(tab: Tab) -> None:
    page = opened(tab(), "foundations/")
    page.evaluate("() => { Storage.prototype.setItem = () => { throw 0; } }")
    edit(page, 2, "3.0]", "4.0]")
    expect(page.locator(".live-dock span")).to_have_text(
        "You edited block 2, which this browser has no room to keep"
    )
    assert printed(run(page, 2))


def test_so_many_lines_are_not_coloured(tab: Tab) -> None:
    page = opened(tab(), "foundations/")
    area = edit(page, 2)
    area.evaluate(
        """e => {
          e.value = 'x = 1\\n'.repeat(10_000);
          e.dispatchEvent(new Event('input'));
        }"""
    )
    expect(block(page, 2).locator("pre > code > span")).to_have_count(0)
    assert run(page, 2).inner_text().endswith("It showed nothing.")


def test_a_page_of_another_start_of_the_server_says_so(tab: Tab) -> None:
    page = opened(tab(), "foundations/")
    page.evaluate(
        "() => document.querySelector('script[data-token]').dataset.token = ''"
    )
    edit(page, 2)
    shown = run(page, 2)
    expect(shown).to_contain_text("another start of the server: reload it.")


def test_all_is_done_by_keyboard_and_said_once(tab: Tab) -> None:
    page = opened(tab(), "foundations/")
    page.get_by_role("button", name="Edit block 2", exact=True).focus()
    said = "new MutationObserver(() => (window.said ??= []).push("
    said += "document.querySelector('.live-spoken').textContent))"
    page.keyboard.press("Enter")
    area = block(page, 2).locator("textarea")
    expect(area).to_be_focused()
    page.evaluate(
        f"() => {said}.observe(document.querySelector('.live-spoken'), "
        "{childList: true})"
    )
    page.keyboard.press("Control+End")
    page.keyboard.type("\nfor i in range(2):\nprint(7 * i)")
    assert area.input_value().endswith("):\n    print(7 * i)")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Run")
    page.keyboard.press("Enter")
    expect(page.locator(":focus")).to_have_text("Stop")
    idle(page)
    expect(page.locator(":focus")).to_have_text("Run")
    assert printed(block(page, 2).locator(".live-own")).endswith("0\n7")
    heard = [words for words in page.evaluate("window.said") if words]
    assert heard == ["Your run of block 2: It printed 4 lines. "]
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Bring back")
    page.keyboard.press("Enter")
    expect(page.locator(":focus")).to_have_text("Edit")
    expect(block(page, 2).locator("> .run-output")).to_be_visible()


def test_an_error_is_said_where_it_is_and_the_page_goes_on(tab: Tab) -> None:
    page = opened(tab(), "foundations/")
    edit(page, 2, "x = ", "x = y = ")
    block(page, 2).locator("textarea").fill("x = nowhere")
    edit(page, 4)
    block(page, 4).locator("textarea").press("Control+Enter")
    idle(page)
    shown = block(page, 2).locator(".live-own")
    assert "NameError: name 'nowhere' is not defined" in printed(shown)
    expect(page.locator(".live-spoken")).to_contain_text("block 2: NameError")
    expect(block(page, 4).locator(".live-own")).to_have_count(0)
    link = block(page, 4).locator(".live-state a")
    expect(link).to_have_text("Block 2 failed")
    expect(link).to_have_attribute("href", "#block:2")


def test_a_run_without_end_is_stopped(tab: Tab) -> None:
    page = opened(tab(), "foundations/")
    area = edit(page, 2)
    area.fill("print('epoch 1')\nwhile True: pass")
    area.press("Control+Enter")
    state = block(page, 2).locator(".live-state")
    expect(state).to_have_text(re.compile(r"Block 2 of 2 · \d+\.\d s"))
    page.get_by_role("button", name="Stop the run").click()
    idle(page)
    own = block(page, 2).locator(".live-own")
    expect(own.locator(".live-fault")).to_have_text("Stopped.")
    expect(own.locator("samp")).to_have_text("epoch 1")
    area.fill("print('again')")
    area.press("Control+Enter")
    expect(block(page, 2).locator(".live-own samp")).to_have_text("again")


def test_results_of_before_an_edit_are_marked(tab: Tab) -> None:
    page = opened(tab(), "foundations/")
    area = edit(page, 2)
    run(page, 2)
    own = block(page, 2).locator(".live-own")
    expect(own).not_to_have_class(re.compile("live-old"))
    area.press("Control+End")
    area.press("Enter")
    area.type("print(1)")
    expect(own).to_have_class(re.compile("live-old"))


def test_two_tabs_do_not_mix(tab: Tab) -> None:
    visit = tab()
    one = opened(visit, "foundations/")
    two = one.context.new_page()
    two.goto(one.url)
    edit(two, 2).fill("print('two')")
    edit(one, 2).fill("x = 1\nwhile True: pass")
    one.locator("textarea").press("Control+Enter")
    state = block(one, 2).locator(".live-state")
    expect(state).to_contain_text("Block 2 of 2")
    two.locator("textarea").press("Control+Enter")
    expect(two.locator(".live-fault")).to_contain_text("in another tab")
    one.close()
    expect(two.locator(".live-busy")).to_have_count(0)
    two.wait_for_timeout(1000)
    two.locator("textarea").press("Control+Enter")
    expect(two.locator(".live-own samp")).to_have_text("two")


def test_a_server_that_has_ended_is_said(tab: Tab) -> None:
    page = opened(tab(), "foundations/")
    edit(page, 2)
    page.route("**/_live/run", lambda route: route.abort())
    block(page, 2).locator("textarea").press("Control+Enter")
    fault = block(page, 2).locator(".live-fault")
    expect(fault).to_contain_text("The server does not answer.")
    page.unroute("**/_live/run")
    run(page, 2)


@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing_with_an_editor_open(tab: Tab, width: int) -> None:
    page = opened(tab(width=width), "foundations/")
    edit(page, 2, "3.0]", "4.0]")
    run(page, 2)
    edit(page, 4)
    assert faults(page, within="article") == []
    wide = page.evaluate("() => document.documentElement.scrollWidth")
    assert wide == width


def test_a_long_line_scrolls_to_where_it_is_written(tab: Tab) -> None:
    page = opened(tab(width=320), "foundations/")
    area = edit(page, 2)
    area.fill("x = '" + "a" * 200)
    area.press("End")
    area.type("b'")
    pre = block(page, 2).locator(".highlight pre")
    assert pre.evaluate("e => e.scrollLeft") > 500
    # The bar has the page's colours, not those of the system.
    width = "e => getComputedStyle(e).scrollbarWidth"
    assert pre.evaluate(width) == "thin"
    width = area.evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert width[0] <= width[1]


def test_without_javascript_nothing_of_it_is_there(tab: Tab) -> None:
    page = opened(tab(scripts=False), "foundations/")
    assert page.locator(".run-output").count() > 5
    assert page.get_by_text("Edit", exact=True).count() == 0
    assert page.locator(".run-bar button").count() == 0


def test_the_editor_is_fetched_when_it_is_used(tab: Tab) -> None:
    visit = tab()
    page = opened(visit, "foundations/")
    asked = [u for u in visit.requests if "/_live/" in u]
    assert [u.rpartition("/")[2] for u in asked] == ["live.js", "live.css"]
    edit(page, 2)
    assert any(u.endswith("_live/editor.js") for u in visit.requests)


def test_less_motion_is_all_the_same(tab: Tab) -> None:
    page = opened(tab(), "foundations/")
    page.emulate_media(reduced_motion="reduce")
    edit(page, 2)
    moving = "() => [...document.querySelectorAll('[class*=live]')].filter("
    moving += "e => parseFloat(getComputedStyle(e).transitionDuration)"
    moving += " > 0).length"
    assert page.evaluate(moving) == 0


@pytest.mark.parametrize("published", ["site", "offline"])
def test_what_is_published_has_no_trace_of_it(
    request: pytest.FixtureRequest, published: str
) -> None:
    folder: Path = request.getfixturevalue(published)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 50
    for path in files:
        assert path.name not in ("live.js", "editor.js", "live.css")
        content = path.read_bytes()
        assert b"_live/" not in content, path
        assert b"live-edit" not in content, path


def test_it_is_small() -> None:
    count = (
        "const {readFileSync} = require('fs');"
        "const {brotliCompressSync} = require('zlib');"
        "console.log(process.argv.slice(1).map("
        "name => brotliCompressSync(readFileSync(name)).length)"
        ".reduce((a, b) => a + b))"
    )
    files = sorted(map(str, (REPOSITORY / "engine/live").glob("*.js")))
    try:
        node = subprocess.run(
            ["node", "-e", count, *files], capture_output=True, check=True
        )
    except FileNotFoundError:
        pytest.skip("no Node.js on this machine: nothing was compressed")
    assert json.loads(node.stdout) <= 6_000
