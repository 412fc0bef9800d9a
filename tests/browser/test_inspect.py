"""Inspect Class in a real Chromium."""

import re
import zipfile

import pytest
from playwright.sync_api import expect

from aegis.ui.inspect.budget import OFFERED
from tests.browser.conftest import rest, serve
from tests.finished import TESTED
from tests.test_theme import LIGHTS


@pytest.fixture(scope="module")
def address(chromium, finished, tmp_path_factory):
    """A dashboard that finds it."""
    with serve(finished.suspects, tmp_path_factory.mktemp("server") / "log", finished.store) as address:
        yield f"{address}/Inspect_Class?scan={finished.key}&class={TESTED[1]}"


@pytest.fixture
def visit(chromium, address):
    """Opens the page in a fresh browser profile; nothing may fail there."""
    contexts, complaints = [], []

    def open_page(light="light", link=address, width=1366):
        context = chromium.new_context(color_scheme=light, viewport={"width": width, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(link)
        # The first page of a server waits for it to import what charts need.
        expect(points(page).first).to_be_attached(timeout=120_000)
        return page

    yield open_page
    for context in contexts:
        expect(context.pages[0].get_by_test_id("stException")).to_have_count(0)
        context.close()
    assert complaints == []


# Of one class: as many training images and as many seeds.
POINTS = 120


def points(page):
    return page.locator(".js-plotly-plot .scatterlayer .point")


def press(page, position):
    """Click a point where it is drawn, as a hand would."""
    # Plotly answers a click before the server does.
    rest(page)
    # While a chart takes the place of another, both are there.
    expect(points(page)).to_have_count(POINTS)
    expect(points(page).nth(position)).to_be_visible()
    box = points(page).nth(position).bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def what_if(page):
    return page.locator(".st-key-inspect-what-if").get_by_text("What if")


def picture(page):
    return page.get_by_test_id("stImage").locator("img").first


def slider(page, name):
    return page.get_by_test_id("stSlider").filter(has_text=name).locator("input")


def move(page, name, key, times=1):
    slider(page, name).focus()
    for _ in range(times):
        page.keyboard.press(key)


@pytest.mark.parametrize("light", LIGHTS)
def test_it_shows_scatter_and_gallery_without_scrolling_sideways(visit, light):
    page = visit(light)
    expect(page.get_by_text("Nothing selected:")).to_be_visible()
    expect(picture(page)).to_have_js_property("complete", True)
    # The picture that stood in for the chart has made room for it.
    expect(page.locator("img.aegis-until")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(page.get_by_role("heading", name="Inspect class")).to_be_in_viewport(ratio=1)


def test_a_click_shows_the_cluster_and_shift_adds_another(visit):
    page = visit()
    press(page, 0)
    expect(page.get_by_text(re.compile(r"training: cluster 1$"))).to_be_visible()
    page.keyboard.down("Shift")
    # The last points are those of the smallest cluster.
    press(page, POINTS - 1)
    page.keyboard.up("Shift")
    expect(page.get_by_text(re.compile(r"training: clusters 1, \d$"))).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Nothing selected:")).to_be_visible()


@pytest.mark.parametrize("tool", ["Box Select", "Lasso Select"])
def test_what_is_drawn_around_is_selected(visit, tool):
    page = visit()
    page.locator(".js-plotly-plot").first.hover()
    page.locator(f'[data-title="{tool}"]').click()
    area = page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    left, top = area["x"] + 2, area["y"] + 2
    right, bottom = left + area["width"] * 0.6, top + area["height"] * 0.6
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom)) if tool.startswith("Lasso") else ((right, bottom),):
        page.mouse.move(x, y, steps=4)
    page.mouse.up()
    expect(page.get_by_text(re.compile(r"\d+ translated, \d+ training:"))).to_be_visible()


def test_a_bandwidth_is_a_what_if_until_reset(visit):
    page = visit()
    before = page.locator(".js-plotly-plot .annotation-text").text_content()
    move(page, "Bandwidth", "ArrowLeft", 10)
    expect(what_if(page)).to_be_visible()
    # Until the last step has arrived, a reset would be taken back by it.
    chosen = slider(page, "Bandwidth").get_attribute("aria-valuetext")
    expect(page.locator(".js-plotly-plot .annotation-text")).to_have_text([f"bandwidth {chosen}"])
    assert before != f"bandwidth {chosen}"
    rest(page).get_by_role("button", name="Reset", exact=True).click()
    expect(what_if(page)).to_have_count(0)
    expect(page.locator(".js-plotly-plot .annotation-text")).to_have_text([before])


def test_a_budget_of_the_scan_is_shown_at_once_and_another_when_it_is_asked_for(visit, address):
    page = visit(link=f"{address}&budget=2")
    bar = page.locator(".js-plotly-plot .annotation-text")
    before = bar.text_content()
    move(page, "Change allowed", "ArrowRight", OFFERED.index(8) - OFFERED.index(2))
    expect(page).to_have_url(re.compile("budget=8"))
    expect(points(page)).to_have_count(POINTS)
    expect(bar).not_to_have_text(before)
    move(page, "Change allowed", "ArrowLeft")
    expect(page.get_by_text("ε = 6 was not part of the scan.")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(0)
    rest(page).get_by_role("button", name="Compute it").click()
    expect(what_if(page)).to_be_visible(timeout=90_000)
    expect(page.get_by_text("With ε = 6:")).to_be_visible()
    expect(points(page)).to_have_count(POINTS)
    rest(page).get_by_role("button", name="Reset", exact=True).click()
    expect(what_if(page)).to_have_count(0)


def test_classes_are_turned_by_keyboard(visit):
    page = visit()
    page.keyboard.press("n")
    expect(page).to_have_url(re.compile(f"class={TESTED[2]}"))
    page.keyboard.press("p")
    expect(page).to_have_url(re.compile(f"class={TESTED[1]}"))


def test_a_selection_is_tried_as_a_trigger(visit):
    page = visit()
    rest(page).get_by_role("button", name="Test this selection").click()
    expect(page.get_by_text("As a small change everywhere:")).to_be_visible(timeout=90_000)
    expect(page.locator(".js-plotly-plot").nth(1)).to_be_visible()


def test_a_selection_is_downloaded(visit):
    page = visit()
    press(page, 0)
    expect(page).to_have_url(re.compile("selection="))
    with page.expect_download() as download:
        rest(page).get_by_role("button", name="Export selection").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        lines = archive.read("selection.csv").decode().splitlines()
    assert lines[0].startswith("row,kind,")
    assert len(lines) > 2


def test_names_do_nothing(visit):
    page = visit()
    expect(page.get_by_role("link", name="link")).to_have_count(0)
    assert page.locator(".js-plotly-plot a").count() == 0
