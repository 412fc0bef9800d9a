"""The History page in a real Chromium: filter, open, compare, take the list away."""

import re

import pytest
from playwright.sync_api import expect

from aegis.store.store import Store
from tests.browser.conftest import rest, serve
from tests.stored_scan import keep_version

OLD, NEW, ELSE = "a" * 64, "b" * 64, "c" * 64
# Of the table, in pixels: the middle of the head, of a row, of the box that selects it, and of its button.
HEAD, ROW, BOX, OPEN = 18, 35, 16, 70


@pytest.fixture(scope="module")
def address(chromium, tmp_path_factory):
    """A dashboard over two versions of a model and another model."""
    folder = tmp_path_factory.mktemp("history")
    store = Store(folder / "store")
    keep_version(store, OLD, "signs.pt", verdict="clean", created="2024-05-01T10:00:00+00:00")
    keep_version(store, NEW, "signs.pt", created="2024-05-03T10:00:00+00:00")
    keep_version(store, ELSE, "<b>other</b>.pt", created="2024-05-02T10:00:00+00:00")
    with serve(folder, folder / "log", store.folder) as address:
        yield address


@pytest.fixture
def visit(chromium, address):
    """Opens an address in a fresh browser profile."""
    contexts = []

    def open_page(path, heading="History"):
        context = chromium.new_context(viewport={"width": 1366, "height": 768})
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{address}/{path}")
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
        return rest(page)

    yield open_page
    for context in contexts:
        context.close()


def click(page, row, across):
    """A place in a row of the table, counted from 0."""
    table = page.get_by_test_id("stDataFrame")
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    page.mouse.click(box["x"] + across, box["y"] + HEAD + ROW * (row + 1))
    rest(page)


def settled(page):
    """What must hold on every page: no traceback and nothing over the edge."""
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_filters_go_into_the_address_and_a_link_restores_them(visit):
    page = visit("History")
    expect(page.get_by_text("3 scans. Select one")).to_be_visible()
    page.get_by_role("searchbox", name="Find").fill("signs")
    expect(page.get_by_text("2 of 3 scans.")).to_be_visible()
    page.get_by_role("button", name="Clean").click()
    expect(page.get_by_text("1 of 3 scans.")).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?find=signs&verdict=Clean$"))
    again = visit(page.url.rpartition("/")[2] + "&until=2024-05-02")
    expect(again.get_by_text("1 of 3 scans.")).to_be_visible()
    # Of the first row, the third column beside the boxes.
    expect(again.get_by_test_id("glide-cell-3-0")).to_have_text("signs.pt")
    expect(again.get_by_test_id("glide-cell-3-1")).to_have_count(0)
    settled(again)


def test_one_click_opens_a_scan(visit):
    page = visit("History")
    click(page, 1, OPEN)
    expect(page.get_by_role("heading", name="Scan", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile(f"/Scan\\?scan={ELSE}$"))
    expect(page.get_by_text("<b>other</b>.pt")).to_be_visible()
    settled(page)


def test_a_sorted_list_opens_and_selects_what_is_shown(visit):
    page = visit("History")
    table = page.get_by_test_id("stDataFrame").bounding_box()
    first = page.get_by_test_id("glide-cell-3-0")
    expect(first).to_have_text("signs.pt")
    # The head of the column of suspects.
    page.mouse.click(table["x"] + 260, table["y"] + HEAD)
    expect(first).to_have_text("<b>other</b>.pt")
    click(page, 0, BOX)
    expect(page.locator(".st-key-card-details").get_by_text("<b>other</b>.pt")).to_be_visible()
    click(page, 0, OPEN)
    expect(page).to_have_url(re.compile(f"/Scan\\?scan={ELSE}$"))


def test_two_are_compared_and_the_way_back_keeps_the_filters(visit):
    page = visit("History?find=signs")
    click(page, 0, BOX)
    expect(page.get_by_text("Select another one to compare the two.")).to_be_visible()
    expect(page.get_by_role("link", name="Inspect class")).to_have_count(2)
    click(page, 1, BOX)
    page.get_by_role("link", name="Compare", exact=True).click()
    expect(page.get_by_role("heading", name="Compare", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile(f"/Compare\\?one={OLD}&other={NEW}$"))
    expect(page.get_by_text("flagged only in the newer one.")).to_be_visible()
    expect(page.locator(".aegis-table .flagged")).to_have_text(["only in the newer"] * 2)
    picture = page.locator(".aegis-trigger img").first
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    settled(rest(page))
    page.get_by_role("link", name="All scans").click()
    expect(page).to_have_url(re.compile(r"/History\?find=signs$"))
    expect(page.get_by_text("2 of 3 scans.")).to_be_visible()


def test_a_small_screen_has_room_for_it(visit):
    page = visit(f"Compare?one={OLD}&other={NEW}", "Compare")
    page.set_viewport_size({"width": 390, "height": 800})
    expect(page.get_by_role("heading", name="How they were scanned")).to_be_visible()
    settled(rest(page))
