"""The History page in a real Chromium: filter, open, compare, take the list away."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import ELSE, NEW, OLD, rest, settled

# Of the table, in pixels: the middle of the head, of a row, of the box that selects it, and of its button.
HEAD, ROW, BOX, OPEN = 18, 35, 16, 70


def click(page, row, across):
    """A place in a row of the table, counted from 0."""
    rest(page)
    table = page.get_by_test_id("stDataFrame")
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    page.mouse.click(box["x"] + across, box["y"] + HEAD + ROW * (row + 1))
    rest(page)


def test_filters_go_into_the_address_and_a_link_restores_them(visit):
    page = visit("History")
    expect(page.get_by_text(re.compile(r"^\d scans\. Select one"))).to_be_visible()
    page.get_by_role("searchbox", name="Find").fill("signs")
    expect(page.get_by_text(re.compile(r"^2 of \d scans\."))).to_be_visible()
    page.get_by_role("button", name="Clean").click()
    expect(page.get_by_text(re.compile(r"^1 of \d scans\."))).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?find=signs&verdict=Clean$"))
    again = visit(page.url.rpartition("/")[2] + "&until=2024-05-02")
    expect(again.get_by_text(re.compile(r"^1 of \d scans\."))).to_be_visible()
    # Of the first row, the third column beside the boxes.
    expect(again.get_by_test_id("glide-cell-3-0")).to_have_text("signs.pt")
    expect(again.get_by_test_id("glide-cell-3-1")).to_have_count(0)


def test_a_sorted_list_opens_and_selects_what_is_shown(visit):
    page = visit("History?until=2024-05-03")
    first = page.get_by_test_id("glide-cell-3-0")
    expect(first).to_have_text("signs.pt")
    # The head of the column of suspects.
    click(page, -1, 260)
    expect(first).to_have_text("<b>other</b>.pt")
    click(page, 0, BOX)
    expect(page.locator(".st-key-card-details").get_by_text("<b>other</b>.pt")).to_be_visible()
    click(page, 0, OPEN)
    expect(page.get_by_role("heading", name="Scan", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile(f"/Scan\\?scan={ELSE}$"))
    expect(page.get_by_text("<b>other</b>.pt")).to_be_visible()


def test_two_are_compared_on_any_screen_and_the_way_back_keeps_the_filters(visit):
    page = visit("History?find=signs")
    expect(page.get_by_test_id("glide-cell-3-0")).to_have_text("signs.pt")
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
    expect(page.get_by_role("heading", name="How they were scanned")).to_be_visible()
    settled(rest(page))
    page.set_viewport_size({"width": 390, "height": 800})
    settled(rest(page))
    page.set_viewport_size({"width": 1366, "height": 768})
    page.get_by_role("link", name="All scans").click()
    expect(page).to_have_url(re.compile(r"/History\?find=signs$"))
    expect(page.get_by_text(re.compile(r"^2 of \d scans\."))).to_be_visible()
