"""Inspect Class in a real Chromium."""

import re
import zipfile

import pytest
from playwright.sync_api import expect

from aegis.ui.inspect.budget import OFFERED
from tests.browser.conftest import rest
from tests.finished import KEY, TESTED

# Of one class: as many training images and as many seeds.
POINTS = 120


@pytest.fixture
def inspect(visit):
    """Opens a class of the finished scan."""

    def open_page(more="", light="light"):
        page = visit(f"Inspect_Class?scan={KEY}&class={TESTED[1]}&space=features{more}", light)
        # The first page of a server waits for it to import what charts need.
        expect(points(page).first).to_be_attached(timeout=120_000)
        return page

    return open_page


def points(page):
    return page.locator(".chart .point:not([display=none])")


def where(page, position):
    """Where a point is drawn; others may lie upon it."""
    rest(page)
    expect(points(page)).to_have_count(POINTS)
    expect(points(page).nth(position)).to_be_visible()
    box = points(page).nth(position).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def press(page, position):
    """Click a point where it is drawn, as a hand would."""
    page.mouse.click(*where(page, position))


def drawn(page):
    """The page once every picture in it has arrived: the server drops those of a state that is left."""
    rest(page)
    page.wait_for_function("[...document.querySelectorAll('[data-testid=stImage] img')].every(one => one.naturalWidth)")
    return page


def what_if(page):
    return page.locator(".st-key-inspect-what-if").get_by_text("What if")


def annotation(page):
    return page.locator(".chart .bar-text")


def chip(page, number):
    """A cluster on the strip."""
    return page.get_by_role("group", name="Clusters").get_by_role("button", name=re.compile(f"^Cluster {number} "))


def move(page, name, key, times=1):
    """What a slider says after so many presses of a key."""
    slider = page.get_by_test_id("stSlider").filter(has_text=name).locator("input")
    slider.focus()
    for _ in range(times):
        page.keyboard.press(key)
    return slider.get_attribute("aria-valuetext")


def reset(page):
    drawn(page).get_by_role("button", name="Reset", exact=True).click()
    expect(what_if(page)).to_have_count(0)


def test_a_click_shows_the_cluster_which_is_downloaded_and_shift_adds_another(inspect):
    page = inspect()
    expect(page.get_by_text("Nothing selected:")).to_be_visible()
    expect(page.get_by_test_id("stImage").locator("img").first).to_have_js_property("complete", True)
    expect(page.get_by_role("heading", name="Inspect class")).to_be_in_viewport(ratio=1)
    # Names do nothing.
    expect(page.get_by_role("link", name="link")).to_have_count(0)
    assert page.locator(".chart a").count() == 0

    page.mouse.move(*where(drawn(page), 0))
    expect(page.locator(".tip").get_by_text(re.compile("^training image "))).to_be_visible()
    expect(page.locator(".tip .thumb")).to_be_visible()

    press(page, 0)
    expect(page.get_by_text(re.compile(r"training: cluster 1$"))).to_be_visible()
    expect(page).to_have_url(re.compile("selection="))
    with page.expect_download() as download:
        drawn(page).get_by_role("button", name="Export selection").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        lines = archive.read("selection.csv").decode().splitlines()
    assert lines[0].startswith("row,kind,")
    assert len(lines) > 2

    drawn(page).keyboard.down("Shift")
    # The last points are those of the smallest cluster.
    press(page, POINTS - 1)
    page.keyboard.up("Shift")
    expect(page.get_by_text(re.compile(r"training: clusters 1, \d$"))).to_be_visible()
    expect(page.get_by_role("heading", name=re.compile(r"^Cluster \d$"))).to_have_count(2)
    drawn(page).keyboard.press("Escape")
    expect(page.get_by_text("Nothing selected:")).to_be_visible()


def test_what_is_drawn_around_is_selected_in_the_dark(inspect):
    page = inspect(light="dark")
    for tool, corners in (("Box Select", [(1, 1)]), ("Lasso Select", [(1, 0), (1, 1), (0, 1)])):
        expect(page.get_by_text("Nothing selected:")).to_be_visible()
        drawn(page).get_by_role("button", name=tool).click()
        area = page.locator(".chart > svg").bounding_box()
        left, top = area["x"] + 2, area["y"] + 2
        page.mouse.move(left, top)
        page.mouse.down()
        for right, down in corners:
            page.mouse.move(left + right * area["width"] * 0.6, top + down * area["height"] * 0.6, steps=4)
        page.mouse.up()
        expect(page.get_by_text(re.compile(r"\d+ translated, \d+ training:"))).to_be_visible()
        drawn(page).keyboard.press("Escape")


def test_zoom_tool_full_screen_and_selection_survive_clicks_and_sliders(inspect):
    page = inspect()
    chart = page.locator(".chart")
    seen = """chart => {
        chart.mark ??= Math.random();
        const first = chart.querySelector(".point").getAttribute("transform");
        return [chart.mark, chart.dataset.tool, !!document.fullscreenElement, first];
    }"""
    drawn(page).get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Box Select").click()
    before = chart.evaluate(seen)
    # By keyboard, and the focus stays.
    chip(page, 1).press("Enter")
    expect(page.get_by_text(re.compile(r"training: cluster 1$"))).to_be_visible()
    expect(chip(page, 1)).to_have_attribute("aria-pressed", "true")
    expect(chip(page, 1)).to_be_focused()
    move(drawn(page), "Bandwidth", "ArrowLeft")
    expect(what_if(page)).to_be_visible()
    expect(page.get_by_text("Nothing selected:")).to_have_count(0)
    assert rest(page).locator(".chart").evaluate(seen) == before
    page.get_by_role("button", name="Full screen").click()
    page.wait_for_function("document.fullscreenElement")
    # The strip selects without a pointer near any point, in full screen as well.
    chip(page, 2).click()
    expect(page.get_by_text(re.compile(r"training: cluster 2$"))).to_be_attached()
    mark, tool, full, _ = rest(page).locator(".chart").evaluate(seen)
    assert [mark, tool, full] == [*before[:2], True]


def test_a_bandwidth_is_a_what_if_until_reset_and_classes_are_turned_by_keyboard(inspect):
    page = inspect()
    before = annotation(page).text_content()
    chosen = move(page, "Bandwidth", "ArrowLeft", 10)
    expect(what_if(page)).to_be_visible()
    # Until the last step has arrived, a reset would be taken back by it.
    expect(annotation(page)).to_have_text([f"bandwidth {chosen}"])
    assert before != f"bandwidth {chosen}"
    reset(page)
    expect(annotation(page)).to_have_text([before])
    for key, label in (("n", TESTED[2]), ("p", TESTED[1])):
        drawn(page).locator("body").press(key)
        expect(page).to_have_url(re.compile(f"class={label}"))


def test_a_budget_of_the_scan_is_shown_at_once_and_any_other_is_computed_by_itself(inspect):
    page = inspect("&budget=2")
    before = annotation(page).text_content()
    move(page, "Change allowed", "ArrowRight", OFFERED.index(8) - OFFERED.index(2))
    expect(page).to_have_url(re.compile("budget=8"))
    expect(points(page)).to_have_count(POINTS)
    expect(annotation(page)).not_to_have_text(before)
    # Budgets on the way there were dimmed.
    expect(page.locator(".st-key-inspect-view")).to_have_css("opacity", "1")
    rest(page).get_by_role("button", name="Search for its trigger").click()
    expect(page.get_by_text(re.compile(r"^A small change everywhere turns \d+% of"))).to_be_visible(timeout=90_000)
    expect(page.locator(".js-plotly-plot")).to_be_visible()

    page = inspect("&budget=8")
    move(page, "Change allowed", "ArrowLeft")
    expect(what_if(page)).to_be_visible(timeout=90_000)
    expect(page.get_by_text("With ε = 6:")).to_be_visible()
    expect(points(page)).to_have_count(POINTS)
    reset(page)
