"""Experiments in a real Chromium."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import rest


@pytest.mark.parametrize(("light", "width"), [("light", 1366), ("dark", 1024)])
def test_it_opens_with_an_overview_that_fits_and_unfolds(visit, light, width):
    page = rest(visit("Experiments", light=light, width=width))
    expect(
        page.get_by_role("heading", name=re.compile(r"^\d+ of \d+ comparisons point the paper's way$"))
    ).to_be_visible()
    for number in range(1, 7):
        bottom = page.get_by_text(f"RQ{number}", exact=True).bounding_box()
        assert bottom["y"] + bottom["height"] < 768
    page.get_by_text("RQ3", exact=True).click()
    differs = page.get_by_role("cell", name=re.compile("^Differs")).first
    expect(differs).to_be_visible()
    orange = {"light": "rgb(194, 71, 10)", "dark": "rgb(245, 138, 75)"}[light]
    expect(differs).to_have_css("color", orange)


def test_a_smoke_test_begins_and_is_cancelled(visit):
    page = rest(visit("Experiments?show=table-8"))
    page.get_by_text("Smoke test", exact=True).click()
    rest(page).get_by_role("button", name="Run it").click()
    expect(page.get_by_text(re.compile(r"[1-7] of 7 runs there"))).to_be_visible(timeout=120_000)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled: what was finished is kept")).to_be_visible()
    expect(page.get_by_role("button", name="Run it")).to_be_visible()
    rest(page)
