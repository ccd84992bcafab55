"""The explorer works for whoever plays with it."""

import re
import statistics
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import Visit, Visitor
from tests.browser.test_pages import clipboard, faults, ground

EXPLORER = "explorer/"
GUIDE = "basic_training_loops/"
LAST = "Epoch 10 of 10: w 3.05, b 1.73, loss 1.0617"
UPDATE_MS = 4
COUNT_ANNOUNCEMENTS = """
() => {
  window.said = [];
  new MutationObserver((records) => {
    for (const { target } of records) window.said.push(target.textContent);
  }).observe(document.querySelector("loop-explorer [role=status]"),
    { childList: true });
}
"""
OPEN_DETAILS = (
    "document.querySelectorAll('details').forEach(d => d.open = true)"
)
SLIDE = """
() => {
  const slider = document.querySelector("loop-explorer [type=range]");
  const times = [];
  for (let i = 0; i < 200; i += 1) {
    slider.value = -2 + i / 80;
    const start = performance.now();
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    times.push(performance.now() - start);
  }
  return times;
}
"""

STROKES = """
() => [...document.querySelectorAll(".x-picture [class]")].map((element) => {
  const style = getComputedStyle(element);
  return [element.getAttribute("class"), style.stroke, style.strokeOpacity];
})
"""


def near(visit: Visit, path: str) -> Page:
    """Open a page and come to its explorer."""
    page = visit.open(path)
    page.locator("loop-explorer").scroll_into_view_if_needed()
    page.locator("loop-explorer[role=group]").wait_for()
    return page


@pytest.fixture
def page(visitor: Visitor) -> Page:
    return near(visitor(), EXPLORER)


def readout(page: Page) -> Locator:
    return page.locator(".x-readout")


def verdict(page: Page) -> Locator:
    return page.locator(".x-verdict")


def field(page: Page, name: str) -> Locator:
    return page.get_by_label(name, exact=True)


def button(page: Page, name: str) -> Locator:
    explorer = page.locator("loop-explorer")
    return explorer.get_by_role("button", name=name, exact=True)


def fragment(page: Page) -> str:
    return str(page.evaluate("location.hash"))


def path_of(page: Page, name: str) -> str:
    """Return what is drawn of the run on the loss and on the surface."""
    drawn = page.locator(f".x-picture svg svg > .{name}")
    return str(drawn.evaluate_all("e => e.map(p => p.getAttribute('d'))"))


@pytest.mark.parametrize("path", [EXPLORER, GUIDE])
def test_it_starts_as_the_run_on_the_page(visitor: Visitor, path: str) -> None:
    visit = visitor()
    page = near(visit, path)
    expect(readout(page)).to_have_text(LAST)
    expect(verdict(page)).to_have_text("Stable: the limit is 0.7426.")
    printed = page.locator(".run-output").all_text_contents()
    lines = re.findall(
        r"epoch +(\d+): w ([\d.]+), b ([\d.]+), loss ([\d.]+)",
        "\n".join(printed),
    )
    assert len(lines) >= 11
    shown = page.locator(".x-picture").nth(2)
    shown.focus()
    page.keyboard.press("Home")
    for epoch, w, b, loss in lines[:11]:
        expected = (
            f"Epoch {epoch} of 10: w {float(w):.2f}, b {float(b):.2f}, "
            f"loss {float(loss):.4f}"
        )
        numbers = re.findall(r"[\d.]+", expected)
        found = re.findall(r"[\d.]+", readout(page).inner_text())
        assert [float(n) for n in found] == pytest.approx(
            [float(n) for n in numbers], abs=1e-4 if path == GUIDE else 6e-3
        )
        page.keyboard.press("ArrowRight")
    assert visit.faults == []


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize(
    "path", [EXPLORER, f"{EXPLORER}#learning_rate=2&epochs=80"]
)
def test_axe_finds_nothing(visitor: Visitor, path: str, width: int) -> None:
    page = near(visitor(width=width), path)
    for details in page.locator("loop-explorer details").all():
        details.locator("summary").click()
    field(page, "Epochs").fill("0")
    within = "html" if path == EXPLORER else "loop-explorer"
    assert faults(page, within) == []


@pytest.mark.parametrize("path", [EXPLORER, GUIDE])
def test_a_narrow_window_scrolls_down_only(
    visitor: Visitor, path: str
) -> None:
    page = near(visitor(width=320), f"{path}#learning_rate=2&epochs=80")
    for details in page.locator("loop-explorer details").all():
        details.locator("summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_every_target_is_large_enough(visitor: Visitor) -> None:
    page = near(visitor(width=320), EXPLORER)
    targets = page.locator(
        "loop-explorer :is(input, select, button, summary, .grip)"
    )
    visible = [t for t in targets.all() if t.is_visible()]
    assert len(visible) >= 14
    for target in visible:
        box = target.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24


def test_every_function_works_by_keyboard(page: Page) -> None:
    # The optimizer.
    field(page, "Optimizer").focus()
    page.keyboard.press("End")
    expect(verdict(page)).to_contain_text("No fixed limit: Adam")
    page.keyboard.press("Home")
    expect(verdict(page)).to_contain_text("Stable")
    # The learning rate: by slider and by number.
    page.keyboard.press("Tab")
    expect(field(page, "Learning rate")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(field(page, "Learning rate")).to_have_value("0.11")
    page.keyboard.press("Tab")
    page.keyboard.press("End")
    expect(field(page, "Learning rate")).to_have_value("5")
    expect(verdict(page)).to_contain_text("Diverges: the limit is 0.7426.")
    page.keyboard.press("Home")
    expect(field(page, "Learning rate")).to_have_value("0.001")
    field(page, "Learning rate").fill("0.1")
    # The three pictures.
    pictures = page.locator(".x-picture")
    for number in range(3):
        pictures.nth(number).focus()
        page.keyboard.press("Home")
        expect(readout(page)).to_contain_text("Epoch 0 of 10")
        page.keyboard.press("ArrowRight")
        expect(readout(page)).to_contain_text("Epoch 1 of 10")
        expect(pictures.nth(number)).to_have_attribute("aria-valuenow", "1")
        page.keyboard.press("End")
        expect(readout(page)).to_have_text(LAST)
    # The buttons, which Tab reaches after the pictures.
    for name, shown in (
        ("Run", "Epoch 0 of 10"),
        ("Back", "Epoch 9 of 10"),
        ("Step", LAST),
        ("Reset", LAST),
    ):
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_contain_text(name)
        page.keyboard.press("Enter")
        expect(readout(page)).to_contain_text(shown)
        if name == "Run":
            page.keyboard.press("Enter")
            expect(button(page, "Run")).to_be_focused()
            page.locator(".x-picture").last.focus()
            page.keyboard.press("End")
            page.keyboard.press("Tab")
    # Batch size, epochs, start and noise.
    for name, value in (
        ("Batch size", "32"),
        ("Epochs", "12"),
        ("Start w", "-1.5"),
        ("Start b", "6"),
        ("Noise", "0.5"),
    ):
        page.keyboard.press("Tab")
        expect(field(page, name)).to_be_focused()
        page.keyboard.press("Control+a")
        page.keyboard.type(value)
    page.keyboard.press("Tab")
    assert fragment(page) == "#batch_size=32&epochs=12&w=-1.5&b=6&noise=0.5"
    # The program and the table open by Enter on their titles.
    page.keyboard.press("Enter")
    expect(page.locator("loop-explorer code")).to_contain_text(".batch(32)")


def test_settings_are_undone_and_redone_through_the_address(
    page: Page,
) -> None:
    field(page, "Learning rate").fill("0.76")
    field(page, "Epochs").fill("40")
    field(page, "Epochs").press("Tab")
    assert fragment(page) == "#learning_rate=0.76&epochs=40"
    expect(verdict(page)).to_contain_text("Diverges")
    page.go_back()
    assert fragment(page) == "#learning_rate=0.76"
    expect(field(page, "Epochs")).to_have_value("10")
    page.go_back()
    assert fragment(page) == ""
    expect(readout(page)).to_have_text(LAST)
    page.go_forward()
    expect(field(page, "Learning rate")).to_have_value("0.76")


def test_a_change_made_at_a_heading_is_undone_too(visitor: Visitor) -> None:
    page = near(visitor(), f"{GUIDE}#how-large-a-step")
    field(page, "Epochs").fill("20")
    field(page, "Epochs").press("Tab")
    assert fragment(page) == "#epochs=20"
    page.go_back()
    assert fragment(page) == "#how-large-a-step"
    expect(readout(page)).to_have_text(LAST)
    # A link to a heading changes nothing.
    page.go_forward()
    page.locator(".md-nav__link[href='#what-it-learned']").last.click()
    expect(field(page, "Epochs")).to_have_value("20")


def test_an_address_brings_back_every_setting(visitor: Visitor) -> None:
    hash_ = (
        "#optimizer=nesterov&learning_rate=0.2&batch_size=50&epochs=7"
        "&w=-3&b=1.5&noise=2"
    )
    page = near(visitor(), EXPLORER + hash_)
    shown = readout(page).inner_text()
    expect(field(page, "Optimizer")).to_have_value("nesterov")
    expect(field(page, "Batch size")).to_have_value("50")
    button(page, "Reset").click()
    expect(readout(page)).to_have_text(LAST)
    assert fragment(page) == ""
    page.go_back()
    expect(readout(page)).to_have_text(shown)


@pytest.mark.parametrize("path", [EXPLORER, GUIDE])
def test_links_in_the_prose_lead_to_states(
    visitor: Visitor, path: str
) -> None:
    page = visitor().open(path)
    page.evaluate(OPEN_DETAILS)
    page.get_by_role("link", name="diverge").first.click()
    expect(field(page, "Learning rate")).to_have_value("0.76")
    expect(field(page, "Epochs")).to_have_value("60")
    expect(verdict(page)).to_contain_text("Diverges: the limit is 0.7426.")
    expect(page.locator("loop-explorer")).to_be_in_viewport()


def test_a_link_followed_before_its_script_is_there_leads_to_it(
    visitor: Visitor,
) -> None:
    visit = visitor()
    held: list[Route] = []
    visit.page.route("**/explorer/views.js", lambda route: held.append(route))
    page = visit.open(EXPLORER)
    page.evaluate(OPEN_DETAILS)
    page.get_by_role("link", name="diverge").first.click()
    expect(page.locator("loop-explorer")).not_to_be_in_viewport()
    while not held:
        page.wait_for_timeout(50)
    held[0].continue_()
    expect(field(page, "Learning rate")).to_have_value("0.76")
    expect(page.locator("loop-explorer")).to_be_in_viewport()


def test_divergence_is_said_in_words(visitor: Visitor) -> None:
    page = near(visitor(), f"{EXPLORER}#learning_rate=2&epochs=80")
    expect(verdict(page)).to_contain_text("is infinite (∞)")
    expect(verdict(page)).to_contain_text("not a number (NaN)")
    expect(readout(page)).to_contain_text("loss NaN")
    expect(page.locator(".infinity")).to_be_in_viewport()
    assert "NaN" not in path_of(page, "path")
    assert "Infinity" not in path_of(page, "ahead")


def test_a_bad_number_gets_a_message_and_changes_nothing(page: Page) -> None:
    rate = field(page, "Learning rate")
    rate.fill("-1")
    message = page.locator("[data-error=learning_rate]")
    expect(message).to_contain_text("a number from 0.001 to 5")
    expect(rate).to_have_attribute("aria-invalid", "true")
    assert str(rate.get_attribute("aria-describedby")) == str(
        message.get_attribute("id")
    )
    expect(readout(page)).to_have_text(LAST)
    field(page, "Batch size").fill("1.5")
    expect(page.locator("[data-error=batch_size]")).to_contain_text("whole")
    rate.fill("0.2")
    expect(message).to_have_text("")
    expect(rate).not_to_have_attribute("aria-invalid", "true")
    button(page, "Reset").click()
    expect(field(page, "Batch size")).to_have_value("201")
    expect(page.locator("[data-error=batch_size]")).to_have_text("")


def test_a_run_ends_with_one_announcement(page: Page) -> None:
    page.evaluate(COUNT_ANNOUNCEMENTS)
    button(page, "Run").click()
    expect(button(page, "Pause")).to_be_visible()
    expect(readout(page)).not_to_have_text(LAST)
    expect(button(page, "Run")).to_be_visible()
    assert page.evaluate("window.said") == [
        f"{LAST}. Stable: the limit is 0.7426."
    ]


def test_a_run_can_be_paused_and_resumed(page: Page) -> None:
    button(page, "Run").click()
    expect(readout(page)).to_contain_text("Epoch 2 of 10")
    button(page, "Pause").click()
    paused = readout(page).inner_text()
    page.wait_for_timeout(800)
    expect(readout(page)).to_have_text(paused)
    button(page, "Run").click()
    expect(readout(page)).to_have_text(LAST)


def test_with_less_motion_a_run_ends_at_once(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.locator(".x-picture").last.focus()
    page.keyboard.press("Home")
    button(page, "Run").click()
    assert readout(page).inner_text() == LAST


@pytest.mark.parametrize("number", [0, 1, 2])
def test_pointing_at_an_epoch_marks_it_in_all_pictures(
    page: Page, number: int
) -> None:
    before = path_of(page, "path")
    place = page.locator(".x-picture").nth(number)
    box = place.bounding_box()
    assert box is not None
    unit = box["width"] / 340
    ring = page.locator(".mark")
    page.locator(".x-picture").last.focus()
    page.keyboard.press("Home")
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    x, y = 34 + 298 * 0.1, 60.0
    if number != 1:
        at = ring.nth(number)
        x = 34 + float(str(at.get_attribute("cx")))
        y = 18 + float(str(at.get_attribute("cy")))
    page.keyboard.press("End")
    place.hover(position={"x": x * unit, "y": y * unit})
    captions = page.locator("figcaption").all_text_contents()
    epoch = re.search(r"after epoch (\d+)", captions[1])
    assert epoch is not None
    if number != 1:
        assert epoch[1] == "2"
        assert captions[0].endswith("w 4.05, b 0.70")
        assert "4.1355" in captions[2]
    expect(readout(page)).to_contain_text(f"Epoch {epoch[1]} of 10")
    page.mouse.move(0, 0)
    expect(readout(page)).to_have_text(LAST)
    assert path_of(page, "path") == before


def test_the_start_is_dragged_across_the_surface(page: Page) -> None:
    grip = page.locator(".grip")
    box = grip.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 60, y - 90, steps=5)
    assert fragment(page) == ""
    page.mouse.up()
    w = float(field(page, "Start w").input_value())
    b = float(field(page, "Start b").input_value())
    assert w < 4.6
    assert b > 0.5
    assert fragment(page) == f"#w={w:g}&b={b:g}"
    expect(readout(page)).to_contain_text("Epoch 10 of 10")
    page.go_back()
    expect(readout(page)).to_have_text(LAST)


def test_the_program_is_for_the_settings_and_is_copied(page: Page) -> None:
    page.get_by_text("The program for these settings").click()
    field(page, "Optimizer").select_option("momentum")
    field(page, "Learning rate").fill("0.5")
    code = page.locator("loop-explorer code")
    changed = page.locator("loop-explorer mark")
    expect(changed).to_have_text(
        "optimizer = tf.keras.optimizers.SGD(0.5, momentum=0.9)"
    )
    button(page, "Copy the program").click()
    expect(page.locator(".spoken").last).to_contain_text("Copied")
    assert clipboard(page) == code.text_content()
    compile(clipboard(page), "copied", "exec")


def test_the_run_is_a_table_and_a_file(page: Page) -> None:
    page.get_by_text("The run in numbers").click()
    page.locator("loop-explorer tbody tr").last.wait_for()
    rows = page.locator("loop-explorer tbody tr").all_inner_texts()
    assert rows[0].split() == ["0", "5", "0", "10.3447"]
    assert rows[-1].split() == ["10", "3.05034", "1.72699", "1.06168"]
    with page.expect_download() as download:
        button(page, "Save as CSV").click()
    text = Path(download.value.path()).read_text()
    assert text.splitlines()[0] == "epoch,w,b,loss"
    assert text.splitlines()[-1] == "10,3.05034,1.72699,1.06168"
    assert len(text.splitlines()) == 12


@pytest.mark.parametrize("path", [EXPLORER, GUIDE])
def test_without_scripts_a_figure_and_a_table_stand_in_its_place(
    visitor: Visitor, path: str
) -> None:
    page = visitor(scripts=False).open(path)
    explorer = page.locator("loop-explorer")
    expect(explorer.locator("svg[role=img]")).to_have_count(3)
    for drawing in explorer.locator("svg[role=img]").all():
        box = drawing.bounding_box()
        assert box is not None
        assert box["height"] > 100
    row = explorer.locator("tbody tr").last
    expect(row).to_be_visible()
    assert row.inner_text().split()[1:] == ["3.05034", "1.72699", "1.06168"]


def test_without_its_module_the_table_is_there(visitor: Visitor) -> None:
    visit = visitor()
    visit.page.route("**/explorer/model.js", lambda route: route.abort())
    page = visit.open(EXPLORER)
    expect(page.locator("loop-explorer.alone tbody tr").last).to_be_visible()


def test_its_script_is_fetched_when_a_reader_comes_near(
    visitor: Visitor,
) -> None:
    visit = visitor()
    visit.open_and_wait(GUIDE)
    assert not [u for u in visit.requests if "explorer/explorer.js" in u]
    near(visit, GUIDE)
    modules = [u for u in visit.requests if "/assets/explorer/" in u]
    assert {Path(u).name for u in modules} == {
        "explorer.css",
        *("explorer.js", "model.js", "program.js", "settings.js", "views.js"),
    }
    other = visitor()
    other.open_and_wait("foundations/")
    assert not [u for u in other.requests if "assets/explorer" in u]


@pytest.mark.parametrize("width", [1280, 375])
def test_its_place_is_kept_while_it_is_fetched(
    visitor: Visitor, width: int
) -> None:
    visit = visitor(width=width)
    visit.page.add_init_script(
        "window.shifted = 0;"
        "new PerformanceObserver((list) => {"
        "for (const e of list.getEntries()) window.shifted += e.value;"
        "}).observe({ type: 'layout-shift', buffered: true })"
    )
    page = visit.open_and_wait(EXPLORER)
    height = "document.querySelector('.x-room').offsetHeight"
    reserved = page.evaluate(height)
    near(visit, EXPLORER)
    assert page.evaluate("window.shifted") == 0
    assert abs(page.evaluate(height) - reserved) <= 40


def test_on_paper_it_shows_the_run_without_its_buttons(page: Page) -> None:
    page.emulate_media(media="print")
    expect(page.locator(".x-picture svg").first).to_be_visible()
    expect(readout(page)).to_be_visible()
    assert not button(page, "Run").is_visible()
    assert not page.locator("loop-explorer [type=range]").is_visible()


def luminance(colour: list[float]) -> float:
    """Return the relative luminance, as WCAG 2 defines it."""
    red, green, blue = (
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
        for v in (part / 255 for part in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(colour: list[float], ground: list[float]) -> float:
    light, dark = sorted((luminance(colour), luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def parts_of(colour: str) -> list[float]:
    return [float(part) for part in re.findall(r"[\d.]+", colour)[:3]]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_points_and_lines_stand_out(visitor: Visitor, theme: str) -> None:
    page = near(visitor(theme=theme), f"{EXPLORER}#learning_rate=0.5")
    paper = parts_of(ground(page))
    checked = set()
    for name, stroke, opacity in page.evaluate(STROKES):
        if stroke == "none":
            continue
        share = float(opacity)
        seen = [
            share * over + (1 - share) * under
            for over, under in zip(parts_of(stroke), paper, strict=True)
        ]
        assert contrast(seen, paper) >= 3, name
        checked.add(name)
    assert {"ring", "data", "path", "dots", "ahead", "mark"} <= checked


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_has_the_focus_is_not_under_the_header(
    visitor: Visitor, theme: str
) -> None:
    page = near(visitor(theme=theme), EXPLORER)
    field(page, "Noise").focus()
    for _ in range(14):
        page.keyboard.press("Shift+Tab")
        page.wait_for_timeout(100)
        top = page.evaluate(
            "document.activeElement.getBoundingClientRect().top"
        )
        bottom = page.evaluate(
            "document.querySelector('.md-header').getBoundingClientRect()"
            ".bottom"
        )
        assert top >= bottom - 1
        outline = page.evaluate(
            "getComputedStyle(document.activeElement).outlineStyle"
        )
        assert outline == "solid"


def test_an_update_takes_little(page: Page) -> None:
    page.evaluate(SLIDE)
    median = statistics.median(page.evaluate(SLIDE))
    print(f"\nan update from a slider move takes {median:.2f} ms (median)")
    # Other work on the machine may take most of its time.
    assert median < 5 * UPDATE_MS
