"""The Fleet page in a real Chromium: a thousand suspects, found, filtered, cancelled, opened and taken away."""

import re
import time

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SUSPECT, rest, serve, settled
from tests.browser.test_accessible import RUN as CHECK
from tests.browser.test_accessible import SCRIPT
from tests.browser.test_history import BOX, OPEN, click
from tests.fleet.noted import RUN, note_fleet
from tests.stored_scan import keep_version
from tests.suspects import write_infected

KEY = "d" * 64


@pytest.fixture(scope="module")
def fleet(chromium, tmp_path_factory):
    """A dashboard over a fleet that runs, and its notes."""
    from aegis.store.store import Store

    folder = tmp_path_factory.mktemp("fleet")
    write_infected(folder).rename(folder / SUSPECT)
    store = Store(folder / "store")
    keep_version(store, KEY, "vendor.pt", verdict="clean", created="2024-05-01T10:00:00+00:00")
    journal = note_fleet(store.folder, 1000, KEY, begun=time.time() - 3600)
    with serve(folder, folder / "log", store.folder) as address:
        yield address, journal


@pytest.fixture
def address(fleet):
    return fleet[0]


def count(page, words):
    return page.get_by_text(re.compile(f"^{words}"))


def test_a_thousand_are_filtered_and_the_address_keeps_the_filter(visit):
    page = visit("Fleet")
    expect(count(page, "1,?000 suspects")).to_be_visible()
    page.get_by_role("searchbox", name="Find").fill("0011")
    expect(page.get_by_test_id("glide-cell-3-0")).to_have_text("<b>vendor 0011.safetensors")
    expect(page).to_have_url(re.compile(r"\?find=0011$"))
    page.get_by_role("searchbox", name="Find").fill("")
    page.get_by_role("button", name="Not scanned").click()
    expect(count(page, "125 of 1,?000 suspects")).to_be_visible()
    click(page, 0, BOX)
    expect(page.get_by_test_id("stText").get_by_text("Expected a checkpoint; got junk.")).to_be_visible()
    settled(rest(page))


def test_those_that_run_are_cancelled_and_a_finished_one_opens(visit, fleet):
    page = visit("Fleet?outcome=Waiting")
    expect(count(page, "62 of 1,?000 suspects")).to_be_visible()
    click(page, 0, BOX)
    page.get_by_role("button", name="Cancel 1 suspect").click()
    until = time.monotonic() + 30
    while fleet[1].cancelled(RUN) != (False, {15}):
        assert time.monotonic() < until, fleet[1].cancelled(RUN)
        rest(page)
    page.get_by_role("searchbox", name="Find").fill("0001")
    page.get_by_role("button", name="Waiting").click()
    expect(count(page, "1 of 1,?000 suspects")).to_be_visible()
    click(page, 0, OPEN)
    expect(page).to_have_url(re.compile(f"/Scan\\?scan={KEY}$"))
    expect(page.get_by_text("vendor.pt")).to_be_visible()


def test_the_list_is_taken_away_as_it_is_filtered(visit):
    page = visit("Fleet?find=junk")
    expect(count(page, "125 of 1,?000 suspects")).to_be_visible()
    with page.expect_download() as loading:
        page.get_by_role("button", name="CSV").click()
    lines = loading.value.path().read_text().splitlines()
    assert len(lines) == 126
    assert lines[0].startswith("file,outcome,")


@pytest.mark.parametrize("light", ["light", "dark"])
def test_it_fits_on_any_screen_and_keeps_nobody_out(visit, light):
    page = visit("Fleet", light=light, width=390, height=800)
    expect(count(page, "1,?000 suspects")).to_be_visible()
    # The running fleet is drawn anew every few seconds, and what is about to be replaced fades meanwhile.
    page.add_style_tag(content='[data-stale="true"] { opacity: 1 !important; transition: none !important; }')
    rest(page).evaluate(SCRIPT.read_text())
    # What was fading by then is looked at once more.
    assert page.evaluate(CHECK) == [] or rest(page).evaluate(CHECK) == []
    settled(rest(page))
