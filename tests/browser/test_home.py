"""Home in a real Chromium."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import row_of, serve
from tests.suspects import write_cut, write_hostile, write_infected, write_suspect
from tests.test_theme import LIGHTS, THEME


@pytest.fixture(scope="module")
def suspects(tmp_path_factory):
    """A folder with every kind of card."""
    folder = tmp_path_factory.mktemp("suspects")
    for write in (write_cut, write_hostile, write_infected):
        write(folder)
    write_suspect(folder, "l" * 100, class_names=tuple("x" * 200 for _ in range(20)))
    return folder


@pytest.fixture(scope="module")
def address(chromium, suspects, tmp_path_factory):
    """A dashboard over that folder. The browser comes first: without one there is nothing to serve."""
    with serve(suspects, tmp_path_factory.mktemp("server") / "log") as address:
        yield address


@pytest.fixture
def visit(chromium, address):
    """Opens Home in a fresh browser profile and looks after what must never happen there."""
    contexts, complaints = [], []

    def open_home(light="light", width=1366, height=768):
        context = chromium.new_context(color_scheme=light, viewport={"width": width, "height": height})
        contexts.append(context)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("request", lambda request: complaints.extend(outside(request.url)))
        page.goto(address)
        expect(page.get_by_role("heading", name="How to start")).to_be_visible()
        return page

    yield open_home
    for context in contexts:
        context.close()
    assert complaints == []


def outside(url):
    """The address, if it leads away from this machine."""
    parts = urlsplit(url)
    return [] if parts.scheme in ("data", "blob") or parts.hostname == "127.0.0.1" else [url]


@pytest.mark.parametrize("light", LIGHTS)
def test_it_opens_in_the_light_that_the_reader_prefers(visit, light):
    page = visit(light)
    expect(page).to_have_title("AEGIS")
    expect(page.get_by_role("heading", name="AEGIS")).to_be_visible()
    red, green, blue = bytes.fromhex(THEME[light]["backgroundColor"][1:])
    expect(page.get_by_test_id("stApp")).to_have_css("background-color", f"rgb({red}, {green}, {blue})")
    logo = page.get_by_test_id("stImage").locator("img")
    expect(logo).to_have_js_property("complete", True)
    assert logo.evaluate("image => image.naturalWidth") > 0


@pytest.mark.parametrize("width", [1366, 400])
def test_nothing_runs_over_the_edge(visit, width):
    page = visit(width=width)
    expect(page.get_by_text("Jackets and bags")).to_be_visible()
    over = "all => all.filter(e => e.getBoundingClientRect().right > innerWidth).length"
    assert page.get_by_test_id("stText").evaluate_all(over) == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_code_is_read_without_scrolling(visit):
    page = visit()
    expect(page.get_by_text("load_checkpoint").first).to_be_visible()
    clipped = "all => all.filter(e => e.scrollWidth > e.clientWidth).map(e => e.innerText)"
    assert page.get_by_test_id("stCode").locator("pre").evaluate_all(clipped) == []


def test_a_label_never_lies_on_its_value(visit):
    page = visit()
    row_of(page, "Jackets and bags").get_by_role("link", name="Scan").click()
    label = page.get_by_text("Architecture", exact=True).element_handle()
    value = page.get_by_text("aegis:cnn16", exact=True).element_handle()
    # The page's own style arrives after its text.
    assert page.wait_for_function(
        """([label, value]) => {
            const gap = value.getBoundingClientRect().top - label.getBoundingClientRect().bottom;
            return -1 <= gap && gap < 20;
        }""",
        arg=[label, value],
    )


def test_the_command_is_copied_whole(visit, suspects):
    page = visit()
    command = f"source .venv/bin/activate\naegis scan {suspects / 'cut.safetensors'}"
    block = page.get_by_test_id("stCode").filter(has_text="aegis scan")
    block.hover()
    block.get_by_role("button").click()
    page.wait_for_function("async expected => (await navigator.clipboard.readText()) === expected", arg=command)


def test_the_whole_digest_is_a_tooltip_away(visit):
    page = visit()
    row_of(page, "Jackets and bags").get_by_test_id("stTooltipHoverTarget").first.hover()
    expect(page.get_by_test_id("stTooltipContent")).to_have_text(re.compile(r"^SHA-256 [0-9a-f]{64}, "))


def test_text_from_cards_does_nothing(visit):
    page = visit()
    expect(page.get_by_text("<script>document.title = 'owned'</script>")).to_be_visible()
    expect(page.get_by_text("# Title", exact=True)).to_be_visible()
    expect(page).to_have_title("AEGIS")
    expect(page.get_by_role("link", name="link")).to_have_count(0)
