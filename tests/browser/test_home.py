"""Home in a real Chromium."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import rest
from tests.test_theme import THEME


@pytest.mark.parametrize(("light", "width"), [("light", 400), ("dark", 1366)])
def test_it_shows_every_card_in_the_light_that_the_reader_prefers(visit, light, width):
    page = visit(light=light, width=width)
    expect(page).to_have_title("AEGIS")
    for heading in ("AEGIS", "How to start"):
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
    red, green, blue = bytes.fromhex(THEME[light]["backgroundColor"][1:])
    expect(page.get_by_test_id("stApp")).to_have_css("background-color", f"rgb({red}, {green}, {blue})")
    logo = page.get_by_test_id("stImage").locator("img")
    expect(logo).to_have_js_property("complete", True)
    assert logo.evaluate("image => image.naturalWidth") > 0
    expect(page.get_by_text("Jackets and bags")).to_be_visible()
    over = "all => all.filter(e => e.getBoundingClientRect().right > innerWidth).length"
    assert page.get_by_test_id("stText").evaluate_all(over) == 0
    # Text from cards does nothing.
    expect(page.get_by_text("<script>document.title = 'owned'</script>")).to_be_visible()
    expect(page.get_by_text("# Title", exact=True)).to_be_visible()
    expect(page).to_have_title("AEGIS")
    expect(page.get_by_role("link", name="link")).to_have_count(0)
    # The tour ends by a key, and no later tab offers it.
    rest(page).get_by_role("button", name="How a scan finds it").click()
    expect(page.get_by_role("dialog").get_by_text("1 of 4")).to_be_visible()
    rest(page).keyboard.press("Escape")
    expect(page.get_by_role("button", name="How a scan finds it")).to_have_count(0)
    page.wait_for_function("document.cookie.includes('aegis_toured=1')")


def test_code_is_read_and_copied_whole_and_a_suspect_leads_to_its_scan(visit, suspects):
    page = visit()
    expect(page.get_by_text("load_checkpoint").first).to_be_visible()
    clipped = "all => all.filter(e => e.scrollWidth > e.clientWidth).map(e => e.innerText)"
    assert page.get_by_test_id("stCode").locator("pre").evaluate_all(clipped) == []
    command = f"source .venv/bin/activate\naegis scan {suspects / 'cut.safetensors'}"
    block = page.get_by_test_id("stCode").filter(has_text="aegis scan")
    block.hover()
    block.get_by_role("button").click()
    page.wait_for_function("async expected => (await navigator.clipboard.readText()) === expected", arg=command)
    row = page.locator(".st-key-card-suspects").get_by_test_id("stHorizontalBlock").filter(has_text="Jackets and bags")
    row.get_by_test_id("stTooltipHoverTarget").first.hover()
    expect(page.get_by_test_id("stTooltipContent")).to_have_text(re.compile(r"^SHA-256 [0-9a-f]{64}, "))
    row.get_by_role("link", name="Scan").click()
    # Home's list has both texts too.
    expect(page.get_by_role("heading", name="Scan", exact=True)).to_be_visible()
    # A label never lies on its value; the page's own style arrives after its text, and may draw both anew.
    page.wait_for_function(
        """texts => {
            const leaves = [...document.querySelectorAll("[data-testid=stMain] *")].filter(e => !e.childElementCount);
            const [label, value] = texts.map(text => leaves.find(e => e.textContent.trim() === text));
            const gap = value?.getBoundingClientRect().top - label?.getBoundingClientRect().bottom;
            return -1 <= gap && gap < 20;
        }""",
        arg=["Architecture", "aegis:cnn16"],
    )
